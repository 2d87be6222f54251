/* SPDX-License-Identifier: MIT */
/* Receives. Of a stream socket whose owner takes what comes one receive goes on for ever, and the
 * kernel puts each piece into a buffer of the ring's. One whose owner lends memory of its own, and
 * what is no socket, waits with a poll, and reads when there is something: no memory of a program's
 * is ever lent to the kernel, and so no future has to wait for it.
 *
 * Who stops to read is not cancelled for it, until something comes that nobody wants: then that is
 * kept, copied so that the buffer is free again, and the rest stays in the stream. A receive that
 * is cancelled has lost nothing: it takes bytes only together with its completion. */
#include "uring.h"

#include "sys/pipe.h"
#include "sys/error.h"
#include "sys/sock.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

/* ---- what came ---- */

static void push_buffer(iso__channel *self, int32_t index, uint32_t size)
{
    iso__uring_buffer *all = self->driver->buffers.all;

    all[index].size = size;
    all[index].next = -1;
    if (self->first_buffer < 0)
        self->first_buffer = index;
    else
        all[self->last_buffer].next = index;
    self->last_buffer = index;
}

static void pop_buffer(iso__channel *self)
{
    self->first_buffer = self->driver->buffers.all[self->first_buffer].next;
}

/* Without memory it stays in its buffer. */
static void keep_received(iso__channel *self)
{
    iso__uring *driver = self->driver;

    while (self->first_buffer >= 0) {
        int32_t index = self->first_buffer;
        iso_buffer piece = { driver->buffers.all[index].data, driver->buffers.all[index].size };

        if (iso__byte_queue_append(&self->kept, driver->base.allocator, &piece, 1, 0) != 0) return;
        pop_buffer(self);
        iso__buffers_give(driver, index);
    }
}

void iso__channel_drop_received(iso__channel *self)
{
    while (self->first_buffer >= 0) {
        int32_t index = self->first_buffer;

        pop_buffer(self);
        iso__buffers_give(self->driver, index);
    }
}

static bool has_something(const iso__channel *self)
{
    return self->kept.size > 0 || self->first_buffer >= 0 || self->has_ended || self->is_ready;
}

static bool is_wanted(const iso__channel *self)
{
    return self->io != NULL && self->io->mode == ISO__IO_RECV;
}

/* The receive, or the poll, has brought something, or has ended. */
static void look(iso__channel *self)
{
    if (self->io == NULL) return;
    if (!is_wanted(self)) {
        keep_received(self);
        if (self->use == ISO__USE_MULTISHOT) (void)iso__request_cancel(&self->in);
        return;
    }
    if (has_something(self))
        iso__driver_ready(&self->driver->base, &self->io->node);
    else if (self->use == ISO__USE_NOTHING)
        iso__channel_idle(self);
}

static void take_buffer(iso__channel *self, int result, unsigned flags)
{
    int32_t index = (int32_t)(flags >> ISO__URING_CQE_BUFFER_SHIFT);

    self->driver->buffers.all[index].is_out = true;
    if (result > 0 && self->io != NULL)
        push_buffer(self, index, (uint32_t)result);
    else
        iso__buffers_give(self->driver, index);
}

/* ENOBUFS: the buffers ran dry. There are more in the next turn, or those that are out come back in
 * this one; or there is no memory, and it waits with a poll and reads into the spare bytes. */
static void received(iso__request *request, int result, unsigned flags)
{
    iso__channel *self = request->channel;

    if ((flags & ISO__URING_CQE_MORE) == 0) self->use = ISO__USE_NOTHING;
    if ((flags & ISO__URING_CQE_BUFFER) != 0) take_buffer(self, result, flags);
    if (result == -ENOBUFS) {
        self->is_starved = !iso__buffers_grow(self->driver);
    } else if (result <= 0 && result != -ECANCELED) {
        self->has_ended = true;
        self->result = result == 0 ? 0 : iso__sys_error(-result);
    }
    look(self);
}

static void readable(iso__request *request, int result, unsigned flags)
{
    iso__channel *self = request->channel;

    (void)flags;
    self->use = ISO__USE_NOTHING;
    if (result != -ECANCELED) self->is_ready = true;
    look(self);
}

/* ---- starting ---- */

static void fill_multishot(iso__request *request, iso__uring_sqe *sqe)
{
    sqe->opcode = ISO__URING_OP_RECV;
    sqe->fd = request->channel->fd;
    sqe->flags = ISO__URING_SQE_BUFFER_SELECT;
    sqe->ioprio = ISO__URING_RECV_MULTISHOT;
}

/* Whether the kernel may take what comes into buffers of the driver's. */
static bool takes_buffers(const iso__channel *self)
{
    return self->io->kind->lend == NULL && !self->is_pipe;
}

static void start_receive(iso__channel *self)
{
    if (has_something(self)) {
        iso__driver_ready(&self->driver->base, &self->io->node);
        return;
    }
    if (self->use != ISO__USE_NOTHING) return;
    if (takes_buffers(self) && !self->is_starved && iso__buffers_register(self->driver)) {
        self->use = ISO__USE_MULTISHOT;
        self->in.fill = fill_multishot;
        self->in.finished = received;
        iso__request_begin(&self->in);
    } else {
        self->is_starved = false;
        iso__channel_poll(self, POLLIN | POLLRDHUP, readable);
    }
}

/* ---- telling: the owner may do away with the io in each of these ---- */

static ptrdiff_t read_at_once(const iso__channel *self, void *data, size_t size)
{
    return self->is_pipe ? iso__sys_pipe_read(self->fd, data, size)
                         : iso__sys_socket_recv(self->fd, data, size);
}

/* The memory that the owner lends; false: it wants nothing any more. */
static bool borrow(iso__channel *self, void **data, size_t *size)
{
    self->io->kind->lend(self->io, data, size);
    return is_wanted(self); /* not if its owner detached just now */
}

static void tell_ready(iso__channel *self)
{
    iso__uring *driver = self->driver;
    void *data = self->is_pipe ? driver->large : driver->spare;
    size_t size = self->is_pipe ? (size_t)ISO__URING_LARGE : sizeof(driver->spare);
    ptrdiff_t got;

    if (self->io->kind->lend != NULL && !borrow(self, &data, &size)) return;
    self->is_ready = false;
    got = read_at_once(self, data, size);
    if (got != ISO_EAGAIN) self->io->kind->received(self->io, data, got);
}

static void tell_kept(iso__channel *self)
{
    const iso_allocator *allocator = self->driver->base.allocator;
    iso_buffer piece;

    (void)iso__byte_queue_peek(&self->kept, &piece, 1);
    self->io->kind->received(self->io, piece.data, (ptrdiff_t)piece.size);
    iso__byte_queue_take(&self->kept, allocator, piece.size);
}

static void tell_buffer(iso__channel *self)
{
    iso__uring *driver = self->driver;
    int32_t index = self->first_buffer;
    const iso__uring_buffer *buffer = &driver->buffers.all[index];

    pop_buffer(self);
    self->io->kind->received(self->io, buffer->data, (ptrdiff_t)buffer->size);
    iso__buffers_give(driver, index);
}

/* The owner lends memory only since the receive began: what came is copied, and then waited for in
 * the other way. */
static void tell_copied(iso__channel *self)
{
    iso_buffer piece;
    void *data;
    size_t size;

    if (self->use == ISO__USE_MULTISHOT && iso__request_cancel(&self->in))
        self->use = ISO__USE_NOTHING;
    if (!borrow(self, &data, &size)) return;
    keep_received(self);
    if (self->kept.size == 0) return; /* for want of memory: once more, in the next turn */
    (void)iso__byte_queue_peek(&self->kept, &piece, 1);
    if (size > piece.size) size = piece.size;
    memcpy(data, piece.data, size);
    iso__byte_queue_take(&self->kept, self->driver->base.allocator, size);
    self->io->kind->received(self->io, data, (ptrdiff_t)size);
}

static void tell_end(iso__channel *self)
{
    self->has_ended = false;
    self->io->kind->received(self->io, NULL, self->result);
}

/* Everything that came, or what the owner takes of it; one piece a turn for one who lends. */
static void run_received(iso__engine *engine, iso__node *node)
{
    iso__channel *self = iso__channel_of(ISO__CONTAINER(node, iso__io, node));
    bool goes_on = true;

    (void)engine;
    self->busy++;
    while (goes_on && is_wanted(self)) {
        bool lends = self->io->kind->lend != NULL;
        bool has_bytes = self->kept.size > 0 || self->first_buffer >= 0;

        goes_on = has_bytes && !lends;
        if (has_bytes && lends)
            tell_copied(self);
        else if (self->kept.size > 0)
            tell_kept(self);
        else if (has_bytes)
            tell_buffer(self);
        else if (self->has_ended)
            tell_end(self);
        else if (self->is_ready)
            tell_ready(self);
    }
    if (self->io != NULL) keep_received(self); /* it is kept until recv_start */
    iso__channel_unbusy(self);
}

/* ---- the functions of the driver ---- */

int iso__uring_recv_start(iso__driver *driver, iso__io *io)
{
    iso__channel *self = iso__channel_of(io);
    int rc = 0;

    if (io->mode == ISO__IO_RECV) return 0;
    if (self->is_pipe)
        rc = iso__uring_need_large(self->driver);
    else if (io->kind->lend == NULL)
        rc = iso__buffers_open(self->driver);
    if (rc != 0) return rc;
    (void)driver;
    io->mode = ISO__IO_RECV;
    io->node.run = run_received;
    self->start = start_receive;
    if (self->use == ISO__USE_NOTHING || has_something(self)) iso__channel_idle(self);
    return 0;
}

void iso__uring_recv_stop(iso__driver *driver, iso__io *io)
{
    (void)driver;
    if (io->mode == ISO__IO_RECV) io->mode = ISO__IO_IDLE;
}
