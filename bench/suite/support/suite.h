/* SPDX-License-Identifier: MIT */
/* What the programs of the suite have in common: each measures one library at one thing, and prints
 * a line "name value" for each figure. What goes wrong ends the program with status 1. */
#ifndef SUITE_SUPPORT_SUITE_H
#define SUITE_SUPPORT_SUITE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* End the program, saying what failed, and errno's text. */
void suite_die(const char *what);

/* The same unless `is_true`: for results that a measurement is worth nothing without. */
void suite_check(int is_true, const char *what);

/* Nanoseconds: of the monotonic clock, and of processor time that this process has used. */
int64_t suite_time(void);
int64_t suite_cpu(void);

/* The same of another process. */
int64_t suite_cpu_of(int pid);

/* Argument `index` as a number from 1 on, or `otherwise` where there is none. */
long suite_number(int argc, char **argv, int index, long otherwise);

/* Print one figure. */
void suite_figure(const char *name, double value);

/* A listening socket of 127.0.0.1, non-blocking, on a port of the system's choice. */
int suite_listen(void);

/* Accept all that is waiting at a listening socket, one a call: a non-blocking connection with
 * TCP_NODELAY, or -1 when there is no more. */
int suite_accept(int listener);

/* Say which port a listening socket has: from then on the server is driven from outside, until it
 * is ended. */
void suite_serving(int listener);
void suite_serving_port(int port);

/* Raise the soft limit of descriptors to the hard one. */
void suite_many_descriptors(void);

#ifdef __cplusplus
}
#endif

#endif
