/* SPDX-License-Identifier: MIT */
/* Datagrams. One receive is kept posted, into memory that holds the largest there can be; what has
 * come besides is taken at once when that one is told. Into memory of the owner's nothing is
 * posted: that is iocp_recv.c's, which waits until there is something. */
#include "iocp.h"

#include "sys/sock.h"

#include <string.h>

enum { PER_TURN = 16, DATAGRAM_BYTES = 64 * 1024 };

typedef struct receiver {
    iso__request request;
    bool is_done; /* it has brought something that nobody has seen yet */
    int error;
    size_t size;
    SOCKADDR_STORAGE from;
    int from_size;
    unsigned char bytes[DATAGRAM_BYTES];
} receiver;

static void finished(iso__request *request, int error, size_t bytes)
{
    receiver *self = ISO__CONTAINER(request, receiver, request);
    iso__channel *channel = request->channel;

    self->is_done = true;
    self->error = error;
    self->size = bytes;
    if (channel->io != NULL) iso__driver_ready(&channel->driver->base, &channel->io->node);
}

static void start_receive(iso__channel *channel)
{
    receiver *self = channel->extra;
    WSABUF piece = { DATAGRAM_BYTES, (char *)self->bytes };
    DWORD flags = 0;
    bool succeeded;

    if (iso__request_is_held(&self->request)) return;
    if (self->is_done) {
        iso__driver_ready(&channel->driver->base, &channel->io->node);
        return;
    }
    memset(&self->request.overlapped, 0, sizeof(self->request.overlapped));
    self->from_size = sizeof(self->from);
    succeeded = WSARecvFrom((SOCKET)channel->handle, &piece, 1, NULL, &flags,
                            (struct sockaddr *)&self->from, &self->from_size,
                            &self->request.overlapped, NULL) == 0;
    iso__request_settle(&self->request, succeeded, succeeded ? 0 : GetLastError());
}

static void drop_receive(iso__channel *channel)
{
    receiver *self = channel->extra;

    if (iso__request_is_held(&self->request))
        (void)CancelIoEx(channel->handle, &self->request.overlapped);
}

/* Answers what the owner does. */
static bool tell(iso__io *io, receiver *self)
{
    iso_address from;

    self->is_done = false;
    if (self->error != 0) return io->kind->datagram(io, NULL, self->error, NULL);
    iso__address_keep(&from, &self->from, self->from_size);
    return io->kind->datagram(io, self->bytes, (ptrdiff_t)self->size, &from);
}

/* What an owner is told is in memory that must outlive what he does then. */
static void run_datagrams(iso__engine *engine, iso__node *node)
{
    iso__io *io = ISO__CONTAINER(node, iso__io, node);
    iso__channel *channel = iso__channel_of(io);
    receiver *self = channel->extra;
    int left = PER_TURN;
    bool goes_on = true;

    (void)engine;
    if (io->mode != ISO__IO_RECVFROM) return; /* it is kept until recvfrom_start */
    iso__channel_idle(channel);
    channel->held++;
    if (self->is_done) goes_on = tell(io, self);
    while (goes_on && io->mode == ISO__IO_RECVFROM && --left > 0) {
        iso_address from;
        ptrdiff_t got = iso__sys_datagram_recv(io->fd, self->bytes, DATAGRAM_BYTES, &from);

        if (got == ISO_EAGAIN) break;
        goes_on = got < 0 && got != ISO_EMSGSIZE ? io->kind->datagram(io, NULL, got, NULL)
                                                 : io->kind->datagram(io, self->bytes, got, &from);
    }
    channel->held--;
    iso__channel_free_if_over(channel);
}

static int prepare(iso__channel *channel)
{
    receiver *self;
    int rc = iso__channel_bind(channel);

    if (rc != 0) return rc;
    self = iso__channel_extra(channel, sizeof(*self), drop_receive);
    if (self == NULL) return ISO_ENOMEM;
    self->request.channel = channel;
    self->request.finished = finished;
    return 0;
}

int iso__iocp_recvfrom_start(iso__driver *driver, iso__io *io)
{
    iso__channel *channel = iso__channel_of(io);
    int rc;

    if (io->kind->lend != NULL) {
        rc = iso__channel_bind(channel);
        return rc != 0 ? rc : iso__iocp_recv_start_as(driver, io, ISO__IO_RECVFROM);
    }
    rc = channel->extra == NULL ? prepare(channel) : 0;
    if (rc != 0) return rc;
    io->mode = ISO__IO_RECVFROM;
    io->node.run = run_datagrams;
    channel->start = start_receive;
    iso__channel_idle(channel);
    return 0;
}

void iso__iocp_recvfrom_stop(iso__driver *driver, iso__io *io)
{
    (void)driver;
    if (io->mode == ISO__IO_RECVFROM) io->mode = ISO__IO_IDLE;
}
