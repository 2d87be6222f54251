/* SPDX-License-Identifier: MIT */
/* One echo application on one backend: a server and its clients, in one loop and one thread.
 *
 * First the connections are opened, one after another, each greeted with one message, until all are
 * open or a documented limit refuses one. Then, and only this is measured, every client sends its
 * messages, each when the one before has come back, and compares every byte. */
#ifndef TRIAL_H
#define TRIAL_H

#include "latency.h"
#include <isoloop.h>

typedef struct trial_plan {
    int64_t connections;
    int64_t messages;   /* of each connection */
    int64_t size;       /* of a message, in bytes */
    iso_nsec timeout;   /* for all of it */
    const char *limits; /* the profile of limits; NULL: the loop's own choice */
    /* Called twice a second: what is being done, how much of it, of how much. */
    void (*progress)(const char *backend, const char *doing, uint64_t done, uint64_t all);
} trial_plan;

typedef enum trial_outcome {
    TRIAL_RIGHT,  /* every byte came back, on every connection that there was place for */
    TRIAL_ABSENT, /* this machine, or the profile of limits, does not have the backend */
    TRIAL_FAILED
} trial_outcome;

typedef struct trial_result {
    char backend[64];
    char trouble[256]; /* a sentence, unless the outcome is TRIAL_RIGHT */
    trial_outcome outcome;
    bool is_default;
    bool has_windows_limits; /* whether it ran under those of Windows' selector loop */
    uint64_t connections;
    uint64_t refused; /* connections, by `limit` */
    iso_limit limit;
    uint64_t messages;
    iso_nsec elapsed;
    uint64_t turns;
    iso_nsec median;
    iso_nsec p99;
} trial_result;

/* Run the application on the backend of this name. What goes wrong is told in the result. */
void trial_run(trial_result *result, const trial_plan *plan, const char *backend);

/* Messages a second, each there and back; 0 when nothing was measured. */
double trial_rate(const trial_result *result);

#endif
