/* SPDX-License-Identifier: MIT */
/* kqueue, level-triggered. READ and WRITE are two filters of one descriptor, and what both have
 * to tell comes as two events with one token. A closed descriptor vanishes without a word.
 * Source: kqueue(2) of macOS, FreeBSD, NetBSD and OpenBSD. */
#include "base/alloc.h"
#include "base/compiler.h"
#include "engine/poller.h"
#include "sys/descriptor.h"
#include "sys/error.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/types.h> /* before sys/event.h, as the BSDs ask */

#include <sys/event.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 512 };

/* OpenBSD takes any longer wait for one of a day. */
#define LONGEST_WAIT ISO_S(24 * 60 * 60)

/* What kevent counts in: it fits the int of most systems and the size_t of NetBSD. */
typedef unsigned short event_count;

_Static_assert(sizeof(((struct kevent *)NULL)->udata) == sizeof(void *), "a token fits udata");

/* A pipe without a reader, which all but macOS refuse to watch: wait tells it by itself for as
 * long as someone wants to write to it. */
typedef struct broken_pipe {
    int fd;
    void *token;
} broken_pipe;

typedef struct kqueue_poller {
    const iso_allocator *allocator;
    int fd;
    int broken_count;
    int broken_capacity;
    broken_pipe *broken;
    struct kevent batch[BATCH];
} kqueue_poller;

static int kqueue_open(void **self, const iso_allocator *allocator)
{
    kqueue_poller *poller = iso__alloc_zero(allocator, sizeof(*poller));

    if (poller == NULL) return ISO_ENOMEM;
    poller->allocator = allocator;
    poller->fd = kqueue();
    if (poller->fd < 0) {
        int rc = iso__sys_error(errno);
        iso__free(allocator, poller, sizeof(*poller));
        return rc;
    }
    (void)fcntl(poller->fd, F_SETFD, FD_CLOEXEC);
    *self = poller;
    return 0;
}

static void kqueue_shut(void *self)
{
    kqueue_poller *poller = self;
    const iso_allocator *allocator = poller->allocator;

    (void)close(poller->fd);
    iso__free(allocator, poller->broken, (size_t)poller->broken_capacity * sizeof(broken_pipe));
    iso__free(allocator, poller, sizeof(*poller));
}

static iso_fd kqueue_fileno(void *self)
{
    return ((kqueue_poller *)self)->fd;
}

/* ---- broken pipes ---- */

static int remember_broken(kqueue_poller *poller, int fd, void *token)
{
    if (poller->broken_count == poller->broken_capacity) {
        size_t old = (size_t)poller->broken_capacity;
        size_t wanted = old == 0 ? 8 : old * 2;
        broken_pipe *grown = iso__realloc(poller->allocator, poller->broken, old * sizeof(*grown),
                                          wanted * sizeof(*grown));
        if (grown == NULL) return ISO_ENOMEM;
        poller->broken = grown;
        poller->broken_capacity = (int)wanted;
    }
    poller->broken[poller->broken_count].fd = fd;
    poller->broken[poller->broken_count].token = token;
    poller->broken_count++;
    return 0;
}

static void forget_broken(kqueue_poller *poller, int fd)
{
    int at;

    for (at = poller->broken_count - 1; at >= 0; at--) {
        if (poller->broken[at].fd == fd)
            poller->broken[at] = poller->broken[--poller->broken_count];
    }
}

/* Whether nothing will come or go any more, as poll tells it on every system. */
static bool is_hung_up(int fd)
{
    struct pollfd it = { fd, POLLOUT, 0 };

    return poll(&it, 1, 0) > 0 && (it.revents & (POLLHUP | POLLERR)) != 0;
}

static int tell_broken(kqueue_poller *poller, iso_selector_event *events, int max)
{
    int told = 0;
    int at;

    for (at = poller->broken_count - 1; at >= 0 && told < max; at--) {
        broken_pipe *it = &poller->broken[at];

        if (is_hung_up(it->fd)) {
            events[told].token = it->token;
            events[told].events = ISO_EVENT_READ | ISO_EVENT_WRITE | ISO_EVENT_ERROR;
            told++;
        } else {
            forget_broken(poller, it->fd); /* it was closed */
        }
    }
    return told;
}

/* ---- set ---- */

/* Write the changes for `events` behind the `count` that are there; returns how many there are
 * then. */
static event_count put_changes(struct kevent *changes, event_count count, int fd, unsigned events,
                               unsigned short flags, void *token)
{
    unsigned bit;

    for (bit = ISO_EVENT_READ; bit <= ISO_EVENT_WRITE; bit <<= 1) {
        struct kevent *change = &changes[count];

        if ((events & bit) == 0) continue;
        memset(change, 0, sizeof(*change));
        change->ident = (uintptr_t)fd;
        change->filter = bit == ISO_EVENT_READ ? EVFILT_READ : EVFILT_WRITE;
        change->flags = flags;
        memcpy(&change->udata, &token, sizeof(token)); /* an intptr_t before NetBSD 10 */
        count++;
    }
    return count;
}

/* Each has its receipt, so that one which is gone already does not keep the other. */
static void forget(kqueue_poller *poller, int fd, unsigned events)
{
    struct kevent changes[2];
    struct kevent receipts[2];
    event_count count = put_changes(changes, 0, fd, events, EV_DELETE | EV_RECEIPT, NULL);

    if (count > 0) (void)kevent(poller->fd, changes, count, receipts, count, NULL);
}

/* Returns 0 or an errno. Without room for receipts kevent ends at the first change that fails,
 * so what is new goes first, and what is there already keeps its token if that is refused. What
 * is not wanted any more goes last: ENOENT says no more than that it is gone. */
static int apply(kqueue_poller *poller, int fd, unsigned was, unsigned events, void *token)
{
    struct kevent changes[2];
    event_count count = put_changes(changes, 0, fd, events & ~was, EV_ADD, token);
    int native;

    count = put_changes(changes, count, fd, events & was, EV_ADD, token);
    count = put_changes(changes, count, fd, was & ~events, EV_DELETE, NULL);
    if (kevent(poller->fd, changes, count, NULL, 0, NULL) == 0 || errno == ENOENT) return 0;
    native = errno;
    forget(poller, fd, events & ~was);
    return native;
}

/* FreeBSD and OpenBSD say EPIPE, NetBSD EBADF. */
static bool is_broken_pipe(int native, int fd)
{
    return (native == EPIPE || native == EBADF) &&
           iso__sys_descriptor_kind(fd) == ISO__DESCRIPTOR_PIPE;
}

static int refusal_of(int native)
{
    switch (native) {
    case 0: return 0;
    case EINVAL: /* a device that can't be waited for */
    case ENODEV:
    case ENXIO: return ISO_ENOTSUP;
    default: return iso__sys_error(native);
    }
}

/* WRITE was refused: remember it, and apply the rest. */
static int set_broken(kqueue_poller *poller, int fd, unsigned was, unsigned events, void *token)
{
    int rc = remember_broken(poller, fd, token);

    if (rc != 0) return rc;
    rc = refusal_of(apply(poller, fd, was & ~ISO_EVENT_WRITE, events & ~ISO_EVENT_WRITE, token));
    if (rc != 0) forget_broken(poller, fd);
    return rc;
}

static int kqueue_set(void *self, iso_fd fd, unsigned was, unsigned events, void *token)
{
    kqueue_poller *poller = self;
    int native;

    if (fd < 0 || fd > INT_MAX) return events == 0 ? 0 : ISO_EBADF;
    if (ISO__UNLIKELY(poller->broken_count > 0)) forget_broken(poller, (int)fd);
    if (events == 0) {
        forget(poller, (int)fd, was);
        return 0;
    }
    if (was == 0) { /* kqueue takes a file, and tells when it grows */
        int rc = iso__sys_descriptor_require_waitable(fd);
        if (rc != 0) return rc;
    }
    native = apply(poller, (int)fd, was, events, token);
    if (native != 0 && (events & ISO_EVENT_WRITE) != 0 && is_broken_pipe(native, (int)fd))
        return set_broken(poller, (int)fd, was, events, token);
    return refusal_of(native);
}

/* ---- wait ---- */

/* The end of what comes in is no error while this side can still write: of EV_EOF alone, poll
 * tells. */
static unsigned events_of(const struct kevent *event)
{
    if (ISO__UNLIKELY((event->flags & (EV_EOF | EV_ERROR)) != 0)) {
        if ((event->flags & EV_ERROR) != 0 || event->fflags != 0 || is_hung_up((int)event->ident))
            return ISO_EVENT_READ | ISO_EVENT_WRITE | ISO_EVENT_ERROR;
    }
    return event->filter == EVFILT_READ ? ISO_EVENT_READ : ISO_EVENT_WRITE;
}

/* Fill the batch. Returns how many, or -1 and errno. */
static int wait_native(kqueue_poller *poller, iso_nsec timeout, int max)
{
    event_count room = (event_count)(max < BATCH ? max : (int)BATCH);

    for (;;) {
        iso_nsec step = timeout < LONGEST_WAIT ? timeout : LONGEST_WAIT;
        struct timespec span = { (time_t)(step / 1000000000), (long)(step % 1000000000) };
        int count =
            kevent(poller->fd, NULL, 0, poller->batch, room, timeout == ISO_FOREVER ? NULL : &span);

        timeout -= step;
        if (count != 0 || timeout == 0) return count;
    }
}

static int kqueue_await(void *self, iso_nsec timeout, iso_selector_event *events, int max)
{
    kqueue_poller *poller = self;
    int told = 0;
    int count;
    int at;

    if (ISO__UNLIKELY(poller->broken_count > 0)) {
        told = tell_broken(poller, events, max);
        if (told == max) return told;
        if (told > 0) timeout = 0;
    }
    count = wait_native(poller, timeout, max - told);
    if (count < 0) return errno == EINTR || told > 0 ? told : iso__sys_error(errno);
    for (at = 0; at < count; at++, told++) {
        memcpy(&events[told].token, &poller->batch[at].udata, sizeof(events[told].token));
        events[told].events = events_of(&poller->batch[at]);
    }
    return told;
}

static const iso_selector_class kqueue_class = {
    .name = "kqueue",
    .set = kqueue_set,
    .wait = kqueue_await,
    .descriptor = kqueue_fileno,
    .close = kqueue_shut,
};

const iso__poller iso__poller_kqueue = {
    .name = "kqueue",
    .id = ISO__POLLER_KQUEUE,
    .kind = &kqueue_class,
    .open = kqueue_open,
};
