/* SPDX-License-Identifier: MIT */
/* epoll, level-triggered. Source: epoll(7). */
#include "base/alloc.h"
#include "base/compiler.h"
#include "engine/poller.h"
#include "sys/error.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 512 };

typedef struct epoll_poller {
    const iso_allocator *allocator;
    int fd;
    bool has_pwait2; /* Linux 5.11: waits in nanoseconds */
    struct epoll_event batch[BATCH];
} epoll_poller;

static int epoll_open(void **self, const iso_allocator *allocator)
{
    epoll_poller *poller = iso__alloc(allocator, sizeof(*poller));

    if (poller == NULL) return ISO_ENOMEM;
    poller->allocator = allocator;
    poller->fd = epoll_create1(EPOLL_CLOEXEC);
    poller->has_pwait2 = true;
    if (poller->fd < 0) {
        int rc = iso__sys_error(errno);
        iso__free(allocator, poller, sizeof(*poller));
        return rc;
    }
    *self = poller;
    return 0;
}

static void epoll_shut(void *self)
{
    epoll_poller *poller = self;

    (void)close(poller->fd);
    iso__free(poller->allocator, poller, sizeof(*poller));
}

static iso_fd epoll_fileno(void *self)
{
    return ((epoll_poller *)self)->fd;
}

static int refusal_of(int native)
{
    switch (native) {
    case EPERM: return ISO_EREGULARFILE; /* "does not support epoll" */
    case ELOOP: return ISO_EINVAL;       /* an epoll of its own kind, in a circle */
    default: return iso__sys_error(native);
    }
}

static int epoll_set(void *self, iso_fd fd, unsigned was, unsigned events, void *token)
{
    epoll_poller *poller = self;
    struct epoll_event event;
    int operation = events == 0 ? EPOLL_CTL_DEL : was == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

    if (fd < 0 || fd > INT_MAX) return events == 0 ? 0 : ISO_EBADF;
    memset(&event, 0, sizeof(event));
    event.events = ((events & ISO_EVENT_READ) != 0 ? EPOLLIN | EPOLLRDHUP : 0u) |
                   ((events & ISO_EVENT_WRITE) != 0 ? EPOLLOUT : 0u);
    event.data.ptr = token;
    if (epoll_ctl(poller->fd, operation, (int)fd, &event) == 0) return 0;
    if (events == 0) return 0; /* closed, and so forgotten, already */
    return refusal_of(errno);
}

/* Milliseconds for epoll_wait, rounded up so that no timer fires early. */
static int to_milliseconds(iso_nsec timeout)
{
    if (timeout == ISO_FOREVER) return -1;
    if (timeout > ISO_MS(INT_MAX) - 1) return INT_MAX;
    return (int)((timeout + 999999) / 1000000);
}

static int wait_native(epoll_poller *poller, iso_nsec timeout, int max)
{
#if defined(SYS_epoll_pwait2) && LONG_MAX > INT_MAX
    if (poller->has_pwait2 && timeout > 0 && timeout != ISO_FOREVER) {
        struct timespec span = { (time_t)(timeout / 1000000000), (long)(timeout % 1000000000) };
        long count = syscall(SYS_epoll_pwait2, poller->fd, poller->batch, max, &span, NULL, 0);

        /* An old container refuses what it does not know with EPERM, which this call never says. */
        if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return (int)count;
        poller->has_pwait2 = false;
    }
#endif
    return epoll_wait(poller->fd, poller->batch, max, to_milliseconds(timeout));
}

static unsigned events_of(uint32_t native)
{
    unsigned events = 0;

    if (ISO__LIKELY((native & (EPOLLERR | EPOLLHUP)) == 0)) {
        if ((native & (EPOLLIN | EPOLLRDHUP)) != 0) events |= ISO_EVENT_READ;
        if ((native & EPOLLOUT) != 0) events |= ISO_EVENT_WRITE;
        return events;
    }
    return ISO_EVENT_READ | ISO_EVENT_WRITE | ISO_EVENT_ERROR;
}

static int epoll_await(void *self, iso_nsec timeout, iso_selector_event *events, int max)
{
    epoll_poller *poller = self;
    int count = wait_native(poller, timeout, max < BATCH ? max : (int)BATCH);
    int at;

    if (count < 0) return errno == EINTR ? 0 : iso__sys_error(errno);
    for (at = 0; at < count; at++) {
        events[at].token = poller->batch[at].data.ptr;
        events[at].events = events_of(poller->batch[at].events);
    }
    return count;
}

static const iso_selector_class epoll_class = {
    .name = "epoll",
    .set = epoll_set,
    .wait = epoll_await,
    .descriptor = epoll_fileno,
    .close = epoll_shut,
};

const iso__poller iso__poller_epoll = {
    .name = "epoll",
    .id = ISO__POLLER_EPOLL,
    .kind = &epoll_class,
    .open = epoll_open,
};
