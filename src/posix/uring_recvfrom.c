/* SPDX-License-Identifier: MIT */
/* Datagrams: a poll, then as many as there are, up to so many a turn. A receive that went on for
 * ever would need for each a buffer as large as the largest there can be. */
#include "uring.h"

#include "sys/sock.h"

#include <errno.h>
#include <poll.h>

enum { PER_TURN = 16 };

static void readable(iso__request *request, int result, unsigned flags)
{
    iso__channel *self = request->channel;

    (void)flags;
    self->use = ISO__USE_NOTHING;
    if (self->io == NULL || self->io->mode != ISO__IO_RECVFROM) return;
    if (result == -ECANCELED)
        iso__channel_idle(self);
    else
        iso__driver_ready(&self->driver->base, &self->io->node);
}

static void start_receive(iso__channel *self)
{
    if (self->use == ISO__USE_NOTHING && !iso__link_is_in(&self->io->node.link))
        iso__channel_poll(self, POLLIN, readable);
}

/* Into memory of the owner's, or of the driver's. Answers whether to go on. */
static bool tell_next(iso__channel *self)
{
    iso__io *io = self->io;
    void *memory = self->driver->large;
    size_t size = ISO__URING_LARGE;
    iso_address from;
    ptrdiff_t got;

    if (io->kind->lend != NULL) {
        io->kind->lend(io, &memory, &size);
        if (self->io != io || io->mode != ISO__IO_RECVFROM) return false;
    }
    got = iso__sys_datagram_recv(self->fd, memory, size, &from);
    if (got == ISO_EAGAIN) return false;
    if (got < 0 && got != ISO_EMSGSIZE) return io->kind->datagram(io, NULL, got, NULL);
    return io->kind->datagram(io, memory, got, &from);
}

static void run_datagrams(iso__engine *engine, iso__node *node)
{
    iso__channel *self = iso__channel_of(ISO__CONTAINER(node, iso__io, node));
    int left = PER_TURN;
    bool goes_on = true;

    (void)engine;
    self->busy++;
    while (goes_on && left-- > 0 && self->io != NULL && self->io->mode == ISO__IO_RECVFROM)
        goes_on = tell_next(self);
    iso__channel_unbusy(self);
}

int iso__uring_recvfrom_start(iso__driver *driver, iso__io *io)
{
    iso__channel *self = iso__channel_of(io);
    int rc = iso__uring_need_large(iso__uring_of(driver));

    if (rc != 0) return rc;
    io->mode = ISO__IO_RECVFROM;
    io->node.run = run_datagrams;
    self->start = start_receive;
    if (self->use == ISO__USE_NOTHING) iso__channel_idle(self);
    return 0;
}

void iso__uring_recvfrom_stop(iso__driver *driver, iso__io *io)
{
    (void)driver;
    if (io->mode == ISO__IO_RECVFROM) io->mode = ISO__IO_IDLE;
}
