/* SPDX-License-Identifier: MIT */
#include "sigpipe.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <time.h>

static void only_sigpipe(sigset_t *set)
{
    (void)sigemptyset(set);
    (void)sigaddset(set, SIGPIPE);
}

static bool is_pending(void)
{
    sigset_t pending;

    (void)sigemptyset(&pending);
    return sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
}

/* Take one that is pending; never wait for one. */
static void take(const sigset_t *set)
{
#if defined(__APPLE__) || defined(__OpenBSD__)
    int number;

    if (is_pending()) (void)sigwait(set, &number);
#else
    const struct timespec at_once = { 0, 0 };

    while (sigtimedwait(set, NULL, &at_once) < 0 && errno == EINTR) continue;
#endif
}

void iso__sigpipe_hold(iso__sigpipe *self)
{
    int error = errno;
    sigset_t set;

    only_sigpipe(&set);
    (void)pthread_sigmask(SIG_BLOCK, &set, &self->mask);
    self->was_blocked = sigismember(&self->mask, SIGPIPE) == 1;
    /* What was not blocked can't have been waiting. */
    self->was_pending = self->was_blocked && is_pending();
    errno = error;
}

void iso__sigpipe_release(const iso__sigpipe *self, bool is_broken)
{
    int error = errno;
    sigset_t set;

    if (is_broken && !self->was_pending) {
        only_sigpipe(&set);
        take(&set);
    }
    if (!self->was_blocked) (void)pthread_sigmask(SIG_SETMASK, &self->mask, NULL);
    errno = error;
}
