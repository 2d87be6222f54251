/* SPDX-License-Identifier: MIT */
/* A probe for each row of the limits table: the calls that break the row, which are refused where
 * it is enforced, and the work that they are for, which is done for real where it is not. */
#ifndef PROBE_H
#define PROBE_H

#include "probe_judge.h"

typedef struct probe_crowd probe_crowd;
typedef struct probe_named probe_named;

/* What one try stands on: a loop of its own, and what was made for the call. */
typedef struct probe_stand {
    const iso_limit *row;
    const char *backend;
    const char *profile;
    bool is_own;      /* it is of this system: "documented", "native" */
    bool is_enforced; /* the row, by this loop */
    iso_loop *loop;
    probe_count idle; /* the loop as it was made */
    iso_fd fds[2];
    int (*close_fd)(iso_fd fd); /* NULL: there are none, or the library has them */
    probe_crowd *crowd;
    probe_named *named;
    bool is_current;   /* the loop is this thread's */
    int64_t used;      /* as probe_got.used */
    bool wrote_out;    /* as probe_got.wrote_out */
    bool is_named;     /* the call, which has no loop, named the row in iso_error_detail */
    probe_ready ready; /* PROBE_ABSENT, ...: the work could not be done */
    int reports;       /* what the loop had nobody to tell but its exception handler */
    char path[160];    /* of a socket */
    char pipe_name[64];
    char note[PROBE_TEXT_SIZE];
} probe_stand;

/* A call that breaks the row. Answers what it answered. */
typedef struct probe_call {
    const char *name;
    int (*make)(probe_stand *stand);
    const char *const *first; /* rows that are met before this one, if enforced; NULL ends */
} probe_call;

typedef struct probe {
    const char *id;
    const char *what; /* the work, for people */
    /* Make what the calls need; NULL: nothing. The note says what is wrong. */
    probe_ready (*prepare)(probe_stand *stand);
    const probe_call *calls; /* the name of the last one is NULL; NULL: see `work` */
    /* Do it for real. Returns 0, or an error and a note. A probe without calls does the work on
     * every loop, and looks at is_enforced itself: a row that only informs, or one that is met by
     * some things of a kind only. NULL: the calls are errors everywhere, row or not. */
    int (*work)(probe_stand *stand);
    bool (*goes_on)(probe_stand *stand); /* besides a callback that runs; may be NULL */
} probe;

/* The probe of a row; NULL: there is none. */
const probe *probe_find(const char *id);

/* The first of these rows that has no probe; NULL: all have one. */
const iso_limit *probe_find_unprobed(const iso_limit *rows, size_t count);

/* The outcome of one row on one backend, one way. */
typedef struct probe_result {
    const iso_limit *row;
    char backend[64];
    const char *profile; /* "system" when no loop was asked */
    probe_verdict verdict;
    char tried[PROBE_TEXT_SIZE];
    char expected[PROBE_TEXT_SIZE];
    char got[PROBE_TEXT_SIZE];
} probe_result;

/* The most results that a row has on one backend. */
enum { PROBE_RESULTS = 3 };

/* Probe a row on a backend under a profile, and, for "documented", what "native" and the system
 * make of it. Writes up to PROBE_RESULTS results; returns how many. */
size_t probe_row(probe_result *out, const iso_limit *row, const char *backend, const char *profile);

#endif
