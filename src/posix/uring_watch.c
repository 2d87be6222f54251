/* SPDX-License-Identifier: MIT */
/* Watching: a poll for what is wanted, once, and again in the turn after it was told; so what is
 * still there is told again. */
#include "uring.h"

#include "sys/descriptor.h"

#include <errno.h>
#include <poll.h>

static uint32_t polled_for(unsigned wants)
{
    return ((wants & ISO_EVENT_READ) != 0 ? (uint32_t)(POLLIN | POLLRDHUP) : 0u) |
           ((wants & ISO_EVENT_WRITE) != 0 ? (uint32_t)POLLOUT : 0u);
}

static unsigned events_of(int result)
{
    unsigned events = 0;

    if (result == -EBADF) return ISO_EVENT_GONE;
    if (result < 0 || (result & (POLLERR | POLLHUP)) != 0) return ISO_EVENT_READ | ISO_EVENT_WRITE;
    if ((result & (POLLIN | POLLRDHUP)) != 0) events |= ISO_EVENT_READ;
    if ((result & POLLOUT) != 0) events |= ISO_EVENT_WRITE;
    return events;
}

/* One that was cancelled, to wait for something else, begins anew. */
static void watched(iso__request *request, int result, unsigned flags)
{
    iso__channel *self = request->channel;

    (void)flags;
    self->use = ISO__USE_NOTHING;
    if (self->io == NULL) return;
    if (result != -ECANCELED)
        self->io->fired = (uint8_t)(events_of(result) & (self->io->wants | ISO_EVENT_GONE));
    if (self->io->fired != 0)
        iso__driver_ready(&self->driver->base, &self->io->node);
    else
        iso__channel_idle(self);
}

static void start_watching(iso__channel *self)
{
    if (self->use == ISO__USE_NOTHING && self->io->fired == 0)
        iso__channel_poll(self, polled_for(self->io->wants), watched);
}

/* A reader, then a writer, of which the first may do away with the second, or with both. */
static void tell_one(iso__channel *self, unsigned fired)
{
    iso__io *io = self->io;

    if ((fired & ISO_EVENT_READ) != 0 && (fired & ISO_EVENT_WRITE) != 0) {
        io->fired = ISO_EVENT_WRITE;
        iso__driver_again(&self->driver->base, &io->node);
    }
    if ((fired & ISO_EVENT_READ) != 0)
        io->kind->ready(io, ISO_EVENT_READ);
    else if ((fired & ISO_EVENT_WRITE) != 0)
        io->kind->ready(io, ISO_EVENT_WRITE);
}

static void run_watched(iso__engine *engine, iso__node *node)
{
    iso__io *io = ISO__CONTAINER(node, iso__io, node);
    iso__channel *self = iso__channel_of(io);
    unsigned fired = io->fired;

    (void)engine;
    io->fired = 0;
    if (io->mode != ISO__IO_WATCH) return;
    self->busy++;
    if ((fired & ISO_EVENT_GONE) != 0)
        io->kind->ready(io, ISO_EVENT_GONE);
    else
        tell_one(self, fired & io->wants);
    iso__channel_unbusy(self);
}

int iso__uring_watch(iso__driver *driver, iso__io *io, unsigned events)
{
    iso__channel *self = iso__channel_of(io);
    int rc = io->mode == ISO__IO_WATCH ? 0 : iso__sys_descriptor_require_waitable(io->fd);

    (void)driver;
    if (rc != 0) return rc;
    io->wants = (uint8_t)events;
    io->fired &= (uint8_t)events;
    io->mode = events == 0 ? ISO__IO_IDLE : ISO__IO_WATCH;
    io->node.run = run_watched;
    self->start = start_watching;
    if (self->use == ISO__USE_POLL && (polled_for(events) & ~self->events) != 0 &&
        iso__request_cancel(&self->in))
        self->use = ISO__USE_NOTHING;
    if (self->use == ISO__USE_NOTHING && events != 0) iso__channel_idle(self);
    return 0;
}
