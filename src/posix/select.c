/* SPDX-License-Identifier: MIT */
/* select, for descriptors below FD_SETSIZE. Source: POSIX, select. */
#if defined(__NetBSD__)
#define FD_SETSIZE 1024 /* as everywhere else, and in the limits table; 256 by itself */
#endif
#include "base/alloc.h"
#include "engine/poller.h"
#include "sys/descriptor.h"
#include "sys/error.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

typedef struct select_poller {
    const iso_allocator *allocator;
    fd_set readers;
    fd_set writers;
    int top;  /* one above the highest descriptor */
    int next; /* where the next wait begins to look, so that no descriptor starves the others */
    void *tokens[FD_SETSIZE];
} select_poller;

static int select_open(void **self, const iso_allocator *allocator)
{
    select_poller *poller = iso__alloc_zero(allocator, sizeof(*poller));

    if (poller == NULL) return ISO_ENOMEM;
    poller->allocator = allocator;
    FD_ZERO(&poller->readers);
    FD_ZERO(&poller->writers);
    *self = poller;
    return 0;
}

static void select_shut(void *self)
{
    select_poller *poller = self;

    iso__free(poller->allocator, poller, sizeof(*poller));
}

static iso_fd select_fileno(void *self)
{
    (void)self;
    return ISO_FD_NONE;
}

static bool is_in(const select_poller *poller, int fd)
{
    return FD_ISSET(fd, &poller->readers) || FD_ISSET(fd, &poller->writers);
}

static void forget(select_poller *poller, int fd)
{
    FD_CLR(fd, &poller->readers);
    FD_CLR(fd, &poller->writers);
    while (poller->top > 0 && !is_in(poller, poller->top - 1)) poller->top--;
}

static int check(int fd)
{
    int rc = iso__sys_descriptor_require_waitable(fd); /* select accepts what it can't wait for */

    if (rc != 0) return rc;
    return fd < FD_SETSIZE ? 0 : ISO_ELIMIT;
}

static int select_set(void *self, iso_fd fd, unsigned was, unsigned events, void *token)
{
    select_poller *poller = self;
    int rc;

    (void)was;
    if (fd < 0 || fd > INT_MAX) return events == 0 ? 0 : ISO_EBADF;
    if (events == 0) {
        if (fd < FD_SETSIZE) forget(poller, (int)fd);
        return 0;
    }
    if (fd >= FD_SETSIZE || !is_in(poller, (int)fd)) {
        rc = check((int)fd);
        if (rc != 0) return rc;
    }
    FD_CLR((int)fd, &poller->readers);
    FD_CLR((int)fd, &poller->writers);
    if ((events & ISO_EVENT_READ) != 0) FD_SET((int)fd, &poller->readers);
    if ((events & ISO_EVENT_WRITE) != 0) FD_SET((int)fd, &poller->writers);
    poller->tokens[fd] = token;
    if (fd >= poller->top) poller->top = (int)fd + 1;
    return 0;
}

static int collect(select_poller *poller, const fd_set *readers, const fd_set *writers, int fired,
                   iso_selector_event *events, int max)
{
    int found = 0;
    int looked;
    int at = poller->next < poller->top ? poller->next : 0;

    /* `fired` counts a descriptor once for each set that it is in. */
    for (looked = poller->top; looked > 0 && fired > 0 && found < max; looked--) {
        unsigned fact = (FD_ISSET(at, readers) ? ISO_EVENT_READ : 0u) |
                        (FD_ISSET(at, writers) ? ISO_EVENT_WRITE : 0u);

        if (fact != 0) {
            fired -= fact == (ISO_EVENT_READ | ISO_EVENT_WRITE) ? 2 : 1;
            events[found].token = poller->tokens[at];
            events[found].events = fact;
            found++;
        }
        at = at + 1 < poller->top ? at + 1 : 0;
    }
    poller->next = at;
    return found;
}

/* select tells of a closed descriptor only that there is one. */
static int collect_closed(select_poller *poller, iso_selector_event *events, int max)
{
    int found = 0;
    int fd;

    for (fd = poller->top - 1; fd >= 0 && found < max; fd--) {
        if (!is_in(poller, fd) || fcntl(fd, F_GETFD) >= 0) continue;
        events[found].token = poller->tokens[fd];
        events[found].events = ISO_EVENT_READ | ISO_EVENT_WRITE | ISO_EVENT_ERROR | ISO_EVENT_GONE;
        found++;
        forget(poller, fd);
    }
    return found;
}

/* Microseconds, rounded up so that no timer fires early; a day at most, which some systems refuse
 * to exceed by much (POSIX allows 31 days). */
static struct timeval to_timeval(iso_nsec timeout)
{
    const iso_nsec day = ISO_S(24 * 60 * 60);
    iso_nsec span = ((timeout < day ? timeout : day) + 999) / 1000;
    struct timeval value;

    value.tv_sec = (time_t)(span / 1000000);
    value.tv_usec = (suseconds_t)(span % 1000000);
    return value;
}

static int select_await(void *self, iso_nsec timeout, iso_selector_event *events, int max)
{
    select_poller *poller = self;
    fd_set readers = poller->readers;
    fd_set writers = poller->writers;
    struct timeval span = to_timeval(timeout);
    int fired =
        select(poller->top, &readers, &writers, NULL, timeout == ISO_FOREVER ? NULL : &span);

    if (fired >= 0) return collect(poller, &readers, &writers, fired, events, max);
    switch (errno) {
    case EINTR: return 0;
    case EBADF: return collect_closed(poller, events, max);
    default: return iso__sys_error(errno);
    }
}

static const iso_selector_class select_class = {
    .name = "select",
    .set = select_set,
    .wait = select_await,
    .descriptor = select_fileno,
    .close = select_shut,
};

const iso__poller iso__poller_select = {
    .name = "select",
    .id = ISO__POLLER_SELECT,
    .kind = &select_class,
    .open = select_open,
};
