/* SPDX-License-Identifier: MIT */
/* Receives. Of one whose owner takes what comes the kernel is lent a buffer of the driver's: a
 * small one, that grows while it is filled, so that an idle connection pins 2 KiB, or at most twice
 * of what came last. One whose owner lends memory of its own waits with a receive of zero bytes,
 * and reads when there is something: no memory of a program's is ever lent to the kernel, and so no
 * future has to wait for it, and an idle connection pins nothing. */
#include "iocp.h"

#include "sys/pipe.h"
#include "sys/sock.h"

#include <string.h>

/* ---- what the kernel brings ---- */

static void drop_buffer(iso__channel *self)
{
    iso__buffer_give(self->driver, self->buffer, self->lent_as);
    self->buffer = NULL;
}

static void keep_bytes(iso__channel *self, size_t bytes)
{
    self->state = ISO__RECV_KEPT;
    self->begin = 0;
    self->end = bytes;
    if (bytes < iso__buffer_size(self->lent_as))
        self->level = (uint8_t)iso__buffer_level(bytes);
    else if (self->level + 1 < ISO__BUFFER_LEVELS)
        self->level++;
}

static void keep_end(iso__channel *self, int error)
{
    drop_buffer(self);
    self->state = ISO__RECV_ENDED;
    /* The other end of a pipe was closed. Source: Microsoft, "Named Pipe Operations". */
    self->result = !self->is_socket && error == ISO_EPIPE ? 0 : error;
}

static void received(iso__request *request, int error, size_t bytes)
{
    iso__channel *self = request->channel;

    self->state = ISO__RECV_NOTHING;
    if (self->io == NULL) {
        drop_buffer(self);
        return;
    }
    if (error != 0)
        keep_end(self, error);
    else if (self->buffer == NULL)
        self->state = ISO__RECV_READY;
    else if (bytes > 0)
        keep_bytes(self, bytes);
    else if (self->is_socket)
        keep_end(self, 0);
    else
        drop_buffer(self); /* somebody wrote nothing into a pipe: that is not its end */
    if (self->state == ISO__RECV_NOTHING)
        iso__channel_idle(self);
    else
        iso__driver_ready(&self->driver->base, &self->io->node);
}

/* ---- starting ---- */

static void start_receive(iso__channel *self)
{
    iso__request *request = &self->recv;
    WSABUF piece = { 0, NULL };
    bool succeeded;
    DWORD flags = 0;

    if (self->state != ISO__RECV_NOTHING) return;
    if (self->io->kind->lend == NULL) {
        /* Without memory it waits with zero bytes, and reads into the spare ones. */
        self->buffer = iso__buffer_take(self->driver, self->level);
        self->lent_as = self->level;
        piece.buf = (char *)self->buffer;
        if (self->buffer != NULL) piece.len = (ULONG)iso__buffer_size(self->level);
    }
    if (self->is_datagram && piece.len == 0)
        flags = MSG_PEEK; /* or it would be cut off, and lost */
    memset(&request->overlapped, 0, sizeof(request->overlapped));
    request->finished = received;
    self->state = ISO__RECV_HELD;
    if (self->is_socket)
        succeeded =
            WSARecv((SOCKET)self->handle, &piece, 1, NULL, &flags, &request->overlapped, NULL) == 0;
    else
        succeeded = ReadFile(self->handle, piece.buf, piece.len, NULL, &request->overlapped) != 0;
    iso__request_settle(request, succeeded, succeeded ? 0 : GetLastError());
}

/* ---- telling: each of these ends with a call of the owner's ---- */

static ptrdiff_t read_at_once(const iso__channel *self, void *data, size_t size)
{
    return self->is_socket ? iso__sys_socket_recv((iso_fd)self->handle, data, size)
                           : iso__sys_pipe_read((iso_fd)self->handle, data, size);
}

/* The memory that the owner lends; false: it wants nothing any more. */
static bool borrow(const iso__io *io, void **data, size_t *size)
{
    uint8_t mode = io->mode;

    io->kind->lend((iso__io *)(uintptr_t)io, data, size);
    return io->mode == mode;
}

static void tell_datagram(iso__io *io, void *data, size_t size)
{
    iso_address from;
    ptrdiff_t got = iso__sys_datagram_recv(io->fd, data, size, &from);

    if (got == ISO_EAGAIN) return;
    if (got < 0 && got != ISO_EMSGSIZE)
        (void)io->kind->datagram(io, NULL, got, NULL);
    else
        (void)io->kind->datagram(io, data, got, &from);
}

static void tell_ready(iso__channel *self)
{
    iso__io *io = self->io;
    iso__iocp *driver = self->driver;
    void *data = driver->spare;
    size_t size = sizeof(driver->spare);
    ptrdiff_t got;

    if (io->kind->lend != NULL && !borrow(io, &data, &size)) return;
    self->state = ISO__RECV_NOTHING;
    iso__channel_idle(self);
    if (io->mode == ISO__IO_RECVFROM) {
        tell_datagram(io, data, size);
        return;
    }
    got = read_at_once(self, data, size);
    if (got != ISO_EAGAIN) io->kind->received(io, data, got);
}

/* The owner may do away with the channel, so the buffer is taken out of it before. */
static void tell_kept(iso__channel *self)
{
    iso__io *io = self->io;
    iso__iocp *driver = self->driver;
    unsigned char *buffer = self->buffer;
    unsigned level = self->lent_as;

    self->buffer = NULL;
    self->state = ISO__RECV_NOTHING;
    iso__channel_idle(self);
    io->kind->received(io, buffer + self->begin, (ptrdiff_t)(self->end - self->begin));
    iso__buffer_give(driver, buffer, level);
}

/* The owner lends memory only since the receive began: what came is copied, a part a turn. */
static void tell_copied(iso__channel *self)
{
    iso__io *io = self->io;
    void *data;
    size_t size;

    if (!borrow(io, &data, &size)) return;
    if (size > self->end - self->begin) size = self->end - self->begin;
    memcpy(data, self->buffer + self->begin, size);
    self->begin += size;
    if (self->begin < self->end) {
        iso__driver_ready(&self->driver->base, &io->node);
    } else {
        drop_buffer(self);
        self->state = ISO__RECV_NOTHING;
        iso__channel_idle(self);
    }
    io->kind->received(io, data, (ptrdiff_t)size);
}

static void tell_end(iso__channel *self)
{
    iso__io *io = self->io;

    self->state = ISO__RECV_NOTHING;
    iso__channel_idle(self);
    if (io->mode == ISO__IO_RECVFROM)
        (void)io->kind->datagram(io, NULL, self->result, NULL);
    else
        io->kind->received(io, NULL, self->result);
}

static void run_received(iso__engine *engine, iso__node *node)
{
    iso__io *io = ISO__CONTAINER(node, iso__io, node);
    iso__channel *self = iso__channel_of(io);

    (void)engine;
    if (io->mode != ISO__IO_RECV && io->mode != ISO__IO_RECVFROM)
        return; /* kept until recv_start */
    switch ((iso__recv_state)self->state) {
    case ISO__RECV_READY: tell_ready(self); return;
    case ISO__RECV_KEPT:
        if (io->kind->lend == NULL)
            tell_kept(self);
        else
            tell_copied(self);
        return;
    case ISO__RECV_ENDED: tell_end(self); return;
    case ISO__RECV_NOTHING:
    case ISO__RECV_HELD: return;
    }
}

/* ---- the functions of the driver ---- */

int iso__iocp_recv_start_as(iso__driver *driver, iso__io *io, iso__io_mode mode)
{
    iso__channel *self = iso__channel_of(io);

    if (io->mode == mode) return 0;
    io->mode = (uint8_t)mode;
    io->node.run = run_received;
    self->start = start_receive;
    if (self->state == ISO__RECV_NOTHING)
        iso__channel_idle(self);
    else if (self->state != ISO__RECV_HELD)
        iso__driver_ready(driver, &io->node);
    return 0;
}

int iso__iocp_recv_start(iso__driver *driver, iso__io *io)
{
    return iso__iocp_recv_start_as(driver, io, ISO__IO_RECV);
}

void iso__iocp_recv_stop(iso__driver *driver, iso__io *io)
{
    (void)driver;
    if (io->mode == ISO__IO_RECV) io->mode = ISO__IO_IDLE;
}

void iso__channel_drop_receive(iso__channel *self)
{
    if (self->state == ISO__RECV_HELD)
        (void)CancelIoEx(self->handle, &self->recv.overlapped);
    else
        drop_buffer(self);
}
