/* SPDX-License-Identifier: MIT */
/* poll. The array that the system reads is kept dense; a second one says where each descriptor is
 * in it.
 * Source: POSIX, poll. */
#include "base/alloc.h"
#include "engine/poller.h"
#include "sys/clock.h"
#include "sys/descriptor.h"
#include "sys/error.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>

typedef struct poll_poller {
    const iso_allocator *allocator;
    struct pollfd *native; /* count of capacity in use; tokens beside it */
    void **tokens;
    int count;
    int capacity;
    int *places; /* of each descriptor below place_count: its index + 1, 0 when it has none */
    int place_count;
    int next; /* where the next wait begins to look, so that no descriptor starves the others */
} poll_poller;

static int poll_open(void **self, const iso_allocator *allocator)
{
    poll_poller *poller = iso__alloc_zero(allocator, sizeof(*poller));

    if (poller == NULL) return ISO_ENOMEM;
    poller->allocator = allocator;
    *self = poller;
    return 0;
}

static void poll_shut(void *self)
{
    poll_poller *poller = self;
    const iso_allocator *allocator = poller->allocator;
    size_t capacity = (size_t)poller->capacity;

    iso__free(allocator, poller->native, capacity * sizeof(*poller->native));
    iso__free(allocator, poller->tokens, capacity * sizeof(*poller->tokens));
    iso__free(allocator, poller->places, (size_t)poller->place_count * sizeof(*poller->places));
    iso__free(allocator, poller, sizeof(*poller));
}

static iso_fd poll_fileno(void *self)
{
    (void)self;
    return ISO_FD_NONE;
}

static int grow_native(poll_poller *poller)
{
    const iso_allocator *allocator = poller->allocator;
    size_t old = (size_t)poller->capacity;
    size_t wanted = old == 0 ? 32 : old * 2;
    struct pollfd *native = iso__alloc(allocator, wanted * sizeof(*native));
    void **tokens = iso__alloc(allocator, wanted * sizeof(*tokens));

    if (native == NULL || tokens == NULL) {
        iso__free(allocator, native, wanted * sizeof(*native));
        iso__free(allocator, tokens, wanted * sizeof(*tokens));
        return ISO_ENOMEM;
    }
    if (old > 0) {
        memcpy(native, poller->native, old * sizeof(*native));
        memcpy(tokens, poller->tokens, old * sizeof(*tokens));
    }
    iso__free(allocator, poller->native, old * sizeof(*native));
    iso__free(allocator, poller->tokens, old * sizeof(*tokens));
    poller->native = native;
    poller->tokens = tokens;
    poller->capacity = (int)wanted;
    return 0;
}

static int grow_places(poll_poller *poller, int fd)
{
    size_t old = (size_t)poller->place_count;
    size_t wanted = old == 0 ? 64 : old;
    int *places;

    while (wanted <= (size_t)fd) wanted *= 2;
    places = iso__realloc(poller->allocator, poller->places, old * sizeof(*places),
                          wanted * sizeof(*places));
    if (places == NULL) return ISO_ENOMEM;
    memset(places + old, 0, (wanted - old) * sizeof(*places));
    poller->places = places;
    poller->place_count = (int)wanted;
    return 0;
}

/* The last one takes the place of the one that goes. */
static void forget(poll_poller *poller, int fd)
{
    int at;

    if (fd >= poller->place_count || poller->places[fd] == 0) return;
    at = poller->places[fd] - 1;
    poller->places[fd] = 0;
    poller->count--;
    if (at < poller->count) {
        poller->native[at] = poller->native[poller->count];
        poller->tokens[at] = poller->tokens[poller->count];
        poller->places[poller->native[at].fd] = at + 1;
    }
}

static int add(poll_poller *poller, int fd)
{
    int rc = iso__sys_descriptor_require_waitable(fd); /* poll accepts what it can't wait for */

    if (rc != 0) return rc;
    if (fd >= poller->place_count) rc = grow_places(poller, fd);
    if (rc == 0 && poller->count == poller->capacity) rc = grow_native(poller);
    if (rc != 0) return rc;
    poller->native[poller->count].fd = fd;
    poller->places[fd] = ++poller->count;
    return 0;
}

static int poll_set(void *self, iso_fd fd, unsigned was, unsigned events, void *token)
{
    poll_poller *poller = self;
    int at;

    (void)was;
    if (fd < 0 || fd > INT_MAX) return events == 0 ? 0 : ISO_EBADF;
    if (events == 0) {
        forget(poller, (int)fd);
        return 0;
    }
    if (fd >= poller->place_count || poller->places[fd] == 0) {
        int rc = add(poller, (int)fd);
        if (rc != 0) return rc;
    }
    at = poller->places[fd] - 1;
    poller->native[at].events = (short)(((events & ISO_EVENT_READ) != 0 ? POLLIN : 0) |
                                        ((events & ISO_EVENT_WRITE) != 0 ? POLLOUT : 0));
    poller->tokens[at] = token;
    return 0;
}

static unsigned events_of(short native)
{
    unsigned events = 0;

    if ((native & POLLNVAL) != 0)
        return ISO_EVENT_READ | ISO_EVENT_WRITE | ISO_EVENT_ERROR | ISO_EVENT_GONE;
    if ((native & POLLIN) != 0) events |= ISO_EVENT_READ;
    if ((native & POLLOUT) != 0) events |= ISO_EVENT_WRITE;
    if ((native & (POLLERR | POLLHUP)) != 0)
        events |= ISO_EVENT_READ | ISO_EVENT_WRITE | ISO_EVENT_ERROR;
    return events;
}

/* Collect from `fired` descriptors, beginning where the last wait ended. */
static int collect(poll_poller *poller, int fired, iso_selector_event *events, int max)
{
    int found = 0;
    int looked;
    int at = poller->next < poller->count ? poller->next : 0;

    for (looked = poller->count; looked > 0 && found < fired && found < max; looked--) {
        if (poller->native[at].revents != 0) {
            events[found].token = poller->tokens[at];
            events[found].events = events_of(poller->native[at].revents);
            if ((poller->native[at].revents & POLLNVAL) != 0) poller->native[at].events = 0;
            found++;
        }
        at = at + 1 < poller->count ? at + 1 : 0;
    }
    poller->next = at;
    return found;
}

/* Those that were told closed wait for nothing any more. One that found no place among the events
 * will be told by the next wait. */
static void forget_told(poll_poller *poller)
{
    int at;

    for (at = poller->count - 1; at >= 0; at--) {
        if (poller->native[at].events == 0) forget(poller, poller->native[at].fd);
    }
}

static int to_milliseconds(iso_nsec timeout)
{
    if (timeout == ISO_FOREVER) return -1;
    if (timeout > ISO_MS(INT_MAX) - 1) return INT_MAX;
    return (int)((timeout + 999999) / 1000000);
}

static int poll_await(void *self, iso_nsec timeout, iso_selector_event *events, int max)
{
    poll_poller *poller = self;
    int fired = poll(poller->native, (nfds_t)poller->count, to_milliseconds(timeout));
    int found;
    int at;

    if (fired < 0) return errno == EINTR ? 0 : iso__sys_error(errno);
    found = collect(poller, fired, events, max);
    for (at = 0; at < found; at++) {
        if ((events[at].events & ISO_EVENT_GONE) != 0) {
            forget_told(poller);
            break;
        }
    }
    return found;
}

static const iso_selector_class poll_class = {
    .name = "poll",
    .set = poll_set,
    .wait = poll_await,
    .descriptor = poll_fileno,
    .close = poll_shut,
};

const iso__poller iso__poller_poll = {
    .name = "poll",
    .id = ISO__POLLER_POLL,
    .kind = &poll_class,
    .open = poll_open,
};
