/* SPDX-License-Identifier: MIT */
/* Accepts. Several are kept posted, each with the socket that its connection will have, so that the
 * kernel never has to wait for the loop. */
#include "iocp.h"

#include "sys/sock.h"
#include "sys/unix.h"

#include <mswsock.h>
#include <string.h>

enum {
    POSTED = 8,
    /* AcceptEx wants room for each address "at least 16 bytes more than the maximum". */
    ADDRESS_BYTES = sizeof(SOCKADDR_STORAGE) + 16
};

typedef enum slot_state { EMPTY = 0, HELD, DONE } slot_state;

typedef struct slot {
    iso__request request;
    iso_fd fd; /* of the connection to be; ISO_FD_NONE: none */
    slot_state state;
    int error;
    unsigned char addresses[2 * ADDRESS_BYTES];
} slot;

typedef struct acceptor {
    LPFN_ACCEPTEX accept;
    LPFN_GETACCEPTEXSOCKADDRS addresses;
    int version; /* of the addresses; 0: unix sockets, which AcceptEx takes, too (Go, .NET) */
    int count;   /* slots in use */
    int next;    /* to be looked at first */
    slot slots[POSTED];
} acceptor;

static acceptor *acceptor_of(const iso__channel *channel)
{
    return channel->extra;
}

/* ---- posting ---- */

static void close_fd(slot *one)
{
    if (one->fd != ISO_FD_NONE) (void)iso__sys_socket_close(one->fd);
    one->fd = ISO_FD_NONE;
}

static void accepted(iso__request *request, int error, size_t bytes)
{
    slot *one = ISO__CONTAINER(request, slot, request);
    iso__channel *channel = request->channel;

    (void)bytes;
    one->state = DONE;
    one->error = error;
    if (error != 0 || channel->io == NULL) close_fd(one);
    if (channel->io != NULL) iso__driver_ready(&channel->driver->base, &channel->io->node);
}

static int open_socket(const acceptor *all, iso_fd *out)
{
    return all->version == 0 ? iso__sys_unix_open(out) : iso__sys_socket_open(out, all->version);
}

static int post(iso__channel *self, slot *one)
{
    acceptor *all = acceptor_of(self);
    bool succeeded;
    int rc = open_socket(all, &one->fd);

    if (rc != 0) {
        one->fd = ISO_FD_NONE;
        return rc;
    }
    memset(&one->request.overlapped, 0, sizeof(one->request.overlapped));
    one->request.channel = self;
    one->request.finished = accepted;
    one->state = HELD;
    succeeded = all->accept((SOCKET)self->handle, (SOCKET)one->fd, one->addresses, 0, ADDRESS_BYTES,
                            ADDRESS_BYTES, NULL, &one->request.overlapped) != FALSE;
    iso__request_settle(&one->request, succeeded, succeeded ? 0 : GetLastError());
    return 0;
}

/* Keep accepts posted. Answers 0, or why none could be. */
static int post_all(iso__channel *self)
{
    acceptor *all = acceptor_of(self);
    int used = 0;
    int rc = 0;
    int at;

    for (at = 0; at < all->count; at++) {
        slot *one = &all->slots[at];

        if (one->state == EMPTY && rc == 0) rc = post(self, one);
        if (one->state == DONE) iso__driver_ready(&self->driver->base, &self->io->node);
        if (one->state != EMPTY) used++;
    }
    return used > 0 ? 0 : rc;
}

static void start_accepts(iso__channel *self)
{
    self->result = post_all(self);
    if (self->result != 0) iso__driver_ready(&self->driver->base, &self->io->node);
}

static void drop_accepts(iso__channel *self)
{
    acceptor *all = acceptor_of(self);
    int at;

    for (at = 0; at < POSTED; at++) {
        slot *one = &all->slots[at];

        if (one->state == HELD)
            (void)CancelIoEx(self->handle, &one->request.overlapped);
        else
            close_fd(one);
    }
}

/* ---- telling ---- */

/* The connection inherits from its listener, and has names, only when it is told whose it is.
 * Source: Microsoft, AcceptEx, SO_UPDATE_ACCEPT_CONTEXT. */
static int take(const iso__channel *self, slot *one, iso_fd *fd, iso_address *peer)
{
    SOCKET listener = (SOCKET)self->handle;
    struct sockaddr *local;
    struct sockaddr *remote;
    int local_size = 0;
    int remote_size = 0;
    int rc = one->error;

    one->state = EMPTY;
    if (rc != 0) return rc;
    if (setsockopt((SOCKET)one->fd, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (const char *)&listener,
                   sizeof(listener)) != 0) {
        rc = iso__socket_error();
        close_fd(one);
        return rc;
    }
    acceptor_of(self)->addresses(one->addresses, 0, ADDRESS_BYTES, ADDRESS_BYTES, &local,
                                 &local_size, &remote, &remote_size);
    iso__address_keep(peer, remote, remote_size);
    *fd = one->fd;
    one->fd = ISO_FD_NONE;
    return 0;
}

static slot *next_done(acceptor *all)
{
    int tried;

    for (tried = 0; tried < all->count; tried++) {
        slot *one = &all->slots[all->next];

        all->next = (all->next + 1) % all->count;
        if (one->state == DONE) return one;
    }
    return NULL;
}

/* None could be posted: the owner is told, and rests, or it is tried again in the next turn. */
static void tell_refusal(iso__channel *self)
{
    int error = self->result;
    iso__io *io = self->io;

    self->result = 0;
    (void)io->kind->accepted(io, error, ISO_FD_NONE, NULL);
}

static void run_accepted(iso__engine *engine, iso__node *node)
{
    iso__io *io = ISO__CONTAINER(node, iso__io, node);
    iso__channel *self = iso__channel_of(io);
    int left = io->accepts_per_turn;
    bool goes_on = true;
    slot *one;

    (void)engine;
    if (io->mode != ISO__IO_ACCEPT) return; /* they are kept until accept_start */
    iso__channel_idle(self);
    if (self->result != 0) {
        tell_refusal(self);
        return;
    }
    while (goes_on && io->mode == ISO__IO_ACCEPT && left-- > 0 &&
           (one = next_done(acceptor_of(self))) != NULL) {
        iso_fd fd = ISO_FD_NONE;
        iso_address peer = { 0 };
        int rc = take(self, one, &fd, &peer);

        goes_on = io->kind->accepted(io, rc, fd, &peer);
    }
}

/* ---- the functions of the driver ---- */

static int prepare(iso__channel *self)
{
    const GUID accept_id = WSAID_ACCEPTEX;
    const GUID addresses_id = WSAID_GETACCEPTEXSOCKADDRS;
    SOCKET sock = (SOCKET)self->handle;
    LPFN_ACCEPTEX accept_ex;
    LPFN_GETACCEPTEXSOCKADDRS addresses;
    acceptor *all;
    int at;
    int rc = iso__socket_extension(sock, &accept_id, &accept_ex, sizeof(accept_ex));

    if (rc == 0) rc = iso__socket_extension(sock, &addresses_id, &addresses, sizeof(addresses));
    if (rc != 0) return rc;
    all = iso__channel_extra(self, sizeof(*all), drop_accepts);
    if (all == NULL) return ISO_ENOMEM;
    all->accept = accept_ex;
    all->addresses = addresses;
    all->version = self->family == AF_UNIX ? 0 : self->family == AF_INET6 ? 6 : 4;
    for (at = 0; at < POSTED; at++) all->slots[at].fd = ISO_FD_NONE;
    return 0;
}

/* One outage ends every accept that is posted: to tell it once is enough. */
static void forget_failures(acceptor *all)
{
    int at;

    for (at = 0; at < POSTED; at++) {
        slot *one = &all->slots[at];

        if (one->state == DONE && one->error != 0) one->state = EMPTY;
    }
}

int iso__iocp_accept_start(iso__driver *driver, iso__io *io, int max)
{
    iso__channel *self = iso__channel_of(io);
    int rc = self->extra == NULL ? prepare(self) : 0;
    acceptor *all = acceptor_of(self);

    (void)driver;
    if (rc != 0) return rc;
    forget_failures(all);
    all->count = max < POSTED ? max : POSTED;
    all->next %= all->count;
    self->result = 0;
    self->start = start_accepts;
    io->accepts_per_turn = (uint16_t)(max < UINT16_MAX ? max : UINT16_MAX);
    io->node.run = run_accepted;
    rc = post_all(self);
    if (rc == 0) io->mode = ISO__IO_ACCEPT;
    return rc;
}

void iso__iocp_accept_stop(iso__driver *driver, iso__io *io)
{
    (void)driver;
    if (io->mode == ISO__IO_ACCEPT) io->mode = ISO__IO_IDLE;
}
