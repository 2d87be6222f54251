/* SPDX-License-Identifier: MIT */
/* One child that is waited for, embedded in whatever wants to know: a handler of a child watcher,
 * or a process that the loop has started. How it is waited for is its kind; what comes of it is the
 * same for all: in a turn the child is reaped, and told.
 *
 * Nothing but this reaps it, in the loop's thread. So its number is its own, and can be sent a
 * signal, until it has been told (unless the program itself reaps what it did not start).
 * Thread: loop, throughout. */
#ifndef ISO_LOOP_WAITED_CHILD_H
#define ISO_LOOP_WAITED_CHILD_H

#include "engine/op.h"
#include "isoloop/loop.h"

typedef struct iso__child iso__child;
typedef struct iso__child_vigil iso__child_vigil;

typedef struct iso__child_kind {
    const char *name;
    /* NULL, or why this system does not have it: a sentence. Thread: any. */
    const char *(*lack)(void);
    /* Wait for it: its node goes on the ready list when it has ended. Returns 0 or an error. */
    int (*begin)(iso__child *self);
    /* Give up what begin has made; twice is fine. Answers whether a thread is left that reaps. */
    bool (*stop)(iso__child *self);
    /* It has ended, and there is nothing to reap yet: a debugger that has attached to it has it
     * until it lets go. Wait for that. Answers whether it is waited for; NULL: this kind learns of
     * the end when there is something to reap. Source: ptrace(2), wait(2). */
    bool (*wait_on)(iso__child *self);
    /* Whether it has ended, and that is on its way. */
    bool (*is_due)(const iso__child *self);
} iso__child_kind;

/* Zeroed before watch. */
struct iso__child {
    iso__node node;
    const iso__child_kind *kind;
    iso_loop *loop;
    int64_t pid;
    /* It has ended with `returncode`; not is_known: somebody else has reaped it, or it is no child
     * of this process, and returncode is 255. Called once, from a turn, as the last thing that is
     * done with it. */
    void (*ended)(iso__child *self, bool is_known, int returncode);
    union {
        iso__io io;              /* descriptor: fd none before and after */
        iso__child_vigil *vigil; /* thread: NULL before and after */
        iso__link link;          /* sigchld: among those of its loop */
    } by;
};

/* By a pidfd, or a kqueue. Where a descriptor can't be had (none left, or one that the selector
 * does not take) by a thread. */
extern const iso__child_kind iso__child_by_descriptor;
/* By a thread for each. */
extern const iso__child_kind iso__child_by_thread;
/* By the signal SIGCHLD, at which all of them are looked at. */
extern const iso__child_kind iso__child_by_signal;

/* Wait for a child. `self` has pid and ended, and a loop that is open. One that has ended already
 * is told in the next turn. Returns 0, or what the kind answers: it is not waited for then. */
int iso__child_watch(iso__child *self, const iso__child_kind *kind, iso_loop *loop);

/* Wait no more: it is not told. It is reaped all the same, when it has ended. */
void iso__child_leave(iso__child *self);

/* Whether the number is that of another child now: this one has ended, and is not told yet. */
bool iso__child_is_another_now(const iso__child *self);

/* A line in the log about a code that is not known. */
void iso__child_tell_unknown(const iso__child *self);

#endif
