/* SPDX-License-Identifier: MIT */
/* A write that must not become a SIGPIPE, where the call itself has no flag for that: write,
 * sendfile. (send has MSG_NOSIGNAL, some sockets SO_NOSIGPIPE.) The disposition of the signal is
 * the program's, so it is left alone. */
#ifndef ISO_POSIX_SIGPIPE_H
#define ISO_POSIX_SIGPIPE_H

#include <signal.h>
#include <stdbool.h>

typedef struct iso__sigpipe {
    sigset_t mask;    /* of the thread, before */
    bool was_blocked; /* SIGPIPE, by the program, */
    bool was_pending; /* and there was one already, which stays */
} iso__sigpipe;

/* Before the write: keep SIGPIPE away from this thread. After it: take the one away that it raised,
 * if `is_broken` (it failed with EPIPE), and have the thread as it was. errno is kept.
 * Thread: any, both in the same one, nothing in between but the write.
 * Source: POSIX, write and sendfile: the signal is sent to the thread. */
void iso__sigpipe_hold(iso__sigpipe *self);
void iso__sigpipe_release(const iso__sigpipe *self, bool is_broken);

#endif
