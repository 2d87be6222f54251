/* SPDX-License-Identifier: MIT */
/* Children and signals, for the tests of what only POSIX has. On Windows all of it fails, and
 * nothing of it is called: the limits table skips those cases. */
#ifndef ISO_TESTS_LOOP_CHILD_H
#define ISO_TESTS_LOOP_CHILD_H

#include "kit.h"

enum { CHILD_CODE_FAILED = 99 };

/* Run `body` in a child of fork, which ends after it: what fails in it fails here. */
void child_run(kit *k, void (*body)(kit *k, void *arg), void *arg);

/* Start a child that ends with `code` as soon as child_release is called; and have it do that. */
typedef struct child {
    int64_t pid;
    iso_fd hold; /* it waits for the end of this pipe */
} child;

void child_start(kit *k, child *out, int code);
void child_release(kit *k, child *self);

/* End it by a signal. */
void child_kill(const child *self, int signum);

/* Wait until it has ended; it is not reaped. */
void child_await_ended(const child *self);

/* Reap it, and answer whether there was something to reap; wait until somebody has, or fail after a
 * generous time. */
bool child_reap(const child *self);
void child_await_reaped(const child *self);

/* Something like a debugger, which has attached to a child: when that ends, the debugger has it
 * until it lets go, and only then is it there to be reaped. Where this process may not do that the
 * child is as ever, and has_it is false. */
typedef struct child_debugger {
    int64_t pid;
    iso_fd says;
    iso_fd hold;
    bool has_it;
} child_debugger;

void child_debug(kit *k, child_debugger *out, const child *of);
void child_debug_await_ended(const child_debugger *self);
void child_debug_end(kit *k, child_debugger *self);

/* The number of this process, which is no child of it. */
int64_t child_own_number(void);

/* Send a signal to this process; which thread gets it is the system's choice. */
void child_signal_self(int signum);

/* The library starts threads with all signals blocked: this one takes them now. */
void child_unblock_signals(void);

/* Whether a signal's handler lets what it interrupts go on. */
bool child_restarts(int signum);

/* The signal that comes when a child has ended. */
extern const int child_signal_number;

/* Signals that exist and cannot be caught, 0 at the end. */
extern const int child_uncatchable[];

#endif
