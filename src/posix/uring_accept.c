/* SPDX-License-Identifier: MIT */
/* Accepts. For a listener one accept goes on for ever, and what it brought waits here for its turn.
 * Who wants one connection only (sock_accept) waits with a poll, and leaves the others in the
 * backlog. */
#include "uring.h"

#include "base/alloc.h"
#include "sys/error.h"
#include "sys/sock.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

enum { FIRST_PLACES = 16 };

/* Who was accepted and not told yet, the oldest first. */
typedef struct acceptor {
    int *fds;
    size_t capacity;
    size_t begin;
    size_t end;
    int error; /* that accepting ended with, and nobody was told */
} acceptor;

static acceptor *acceptor_of(const iso__channel *channel)
{
    return channel->acceptor;
}

/* ---- who came ---- */

static int make_place(iso__channel *self)
{
    acceptor *all = acceptor_of(self);
    size_t used = all->end - all->begin;
    size_t capacity = all->capacity * 2;
    int *fds;

    if (all->end < all->capacity) return 0;
    if (used <= all->capacity / 2) {
        memmove(all->fds, all->fds + all->begin, used * sizeof(*fds));
    } else {
        fds = iso__realloc(self->driver->base.allocator, all->fds, all->capacity * sizeof(*fds),
                           capacity * sizeof(*fds));
        if (fds == NULL) return ISO_ENOMEM;
        all->fds = fds;
        all->capacity = capacity;
        memmove(all->fds, all->fds + all->begin, used * sizeof(*fds));
    }
    all->begin = 0;
    all->end = used;
    return 0;
}

/* For whom there is no place, is refused: his end learns it, and the owner. */
static void push_or_refuse(iso__channel *self, int fd)
{
    acceptor *all = acceptor_of(self);
    int rc = make_place(self);

    if (rc == 0) {
        all->fds[all->end++] = fd;
        return;
    }
    (void)iso__sys_socket_close(fd);
    all->error = rc;
}

static bool has_something(const iso__channel *self)
{
    const acceptor *all = acceptor_of(self);

    return all->begin < all->end || all->error != 0 || self->is_ready;
}

static void look(iso__channel *self)
{
    if (self->io->mode != ISO__IO_ACCEPT) {
        if (self->use == ISO__USE_MULTISHOT) (void)iso__request_cancel(&self->in);
        return;
    }
    if (has_something(self))
        iso__driver_ready(&self->driver->base, &self->io->node);
    else if (self->use == ISO__USE_NOTHING)
        iso__channel_idle(self);
}

static void accepted(iso__request *request, int result, unsigned flags)
{
    iso__channel *self = request->channel;

    if ((flags & ISO__URING_CQE_MORE) == 0) self->use = ISO__USE_NOTHING;
    if (self->io == NULL) {
        if (result >= 0) (void)iso__sys_socket_close(result);
        return;
    }
    if (result >= 0)
        push_or_refuse(self, result);
    else if (result != -ECANCELED)
        acceptor_of(self)->error = iso__sys_error(-result);
    /* Whom the owner can't be told of in a turn stay in the backlog. */
    if (self->use == ISO__USE_MULTISHOT &&
        acceptor_of(self)->end - acceptor_of(self)->begin >= self->io->accepts_per_turn)
        (void)iso__request_cancel(&self->in);
    look(self);
}

static void connectable(iso__request *request, int result, unsigned flags)
{
    iso__channel *self = request->channel;

    (void)flags;
    self->use = ISO__USE_NOTHING;
    if (self->io == NULL) return;
    if (result != -ECANCELED) self->is_ready = true;
    look(self);
}

/* ---- starting ---- */

static void fill_accept(iso__request *request, iso__uring_sqe *sqe)
{
    sqe->opcode = ISO__URING_OP_ACCEPT;
    sqe->fd = request->channel->fd;
    sqe->ioprio = ISO__URING_ACCEPT_MULTISHOT;
    sqe->op_flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
}

static void start_accept(iso__channel *self)
{
    if (has_something(self)) {
        iso__driver_ready(&self->driver->base, &self->io->node);
        return;
    }
    if (self->use != ISO__USE_NOTHING) return;
    if (self->io->accepts_per_turn == 1) {
        iso__channel_poll(self, POLLIN, connectable);
        return;
    }
    self->use = ISO__USE_MULTISHOT;
    self->in.fill = fill_accept;
    self->in.finished = accepted;
    iso__request_begin(&self->in);
}

/* ---- telling: the owner may do away with the io in each of these ---- */

/* Of a connection that is gone again its socket says that it has no peer; it is told all the same,
 * and its end is what is read. */
static bool tell_next(iso__channel *self)
{
    acceptor *all = acceptor_of(self);
    iso_fd fd = all->fds[all->begin++];
    iso_address peer;

    if (iso__sys_socket_peername(fd, &peer) != 0) memset(&peer, 0, sizeof(peer));
    return self->io->kind->accepted(self->io, 0, fd, &peer);
}

static bool tell_error(iso__channel *self)
{
    int error = acceptor_of(self)->error;

    acceptor_of(self)->error = 0;
    return self->io->kind->accepted(self->io, error, ISO_FD_NONE, NULL);
}

static bool accept_one(iso__channel *self)
{
    iso_address peer = { 0 };
    iso_fd fd = ISO_FD_NONE;
    int rc = iso__sys_socket_accept(self->fd, &fd, &peer);

    self->is_ready = false;
    if (rc == ISO_EAGAIN) return false;
    return self->io->kind->accepted(self->io, rc, fd, &peer);
}

static void run_accepted(iso__engine *engine, iso__node *node)
{
    iso__io *io = ISO__CONTAINER(node, iso__io, node);
    iso__channel *self = iso__channel_of(io);
    int left = io->accepts_per_turn;
    bool goes_on = true;

    (void)engine;
    self->busy++;
    while (goes_on && left-- > 0 && self->io != NULL && self->io->mode == ISO__IO_ACCEPT &&
           has_something(self)) {
        const acceptor *all = acceptor_of(self);

        if (all->begin < all->end)
            goes_on = tell_next(self);
        else if (all->error != 0)
            goes_on = tell_error(self);
        else
            goes_on = accept_one(self);
    }
    iso__channel_unbusy(self);
}

/* ---- the functions of the driver ---- */

static int prepare(iso__channel *self)
{
    const iso_allocator *allocator = self->driver->base.allocator;
    acceptor *all = iso__alloc_zero(allocator, sizeof(*all));

    if (all == NULL) return ISO_ENOMEM;
    all->fds = iso__alloc(allocator, FIRST_PLACES * sizeof(*all->fds));
    if (all->fds == NULL) {
        iso__free(allocator, all, sizeof(*all));
        return ISO_ENOMEM;
    }
    all->capacity = FIRST_PLACES;
    self->acceptor = all;
    return 0;
}

int iso__uring_accept_start(iso__driver *driver, iso__io *io, int max)
{
    iso__channel *self = iso__channel_of(io);
    int rc = self->acceptor == NULL ? prepare(self) : 0;

    (void)driver;
    if (rc != 0) return rc;
    acceptor_of(self)->error = 0; /* it was told, or is told again */
    io->accepts_per_turn = (uint16_t)(max < UINT16_MAX ? max : UINT16_MAX);
    io->mode = ISO__IO_ACCEPT;
    io->node.run = run_accepted;
    self->start = start_accept;
    iso__channel_idle(self);
    return 0;
}

void iso__uring_accept_stop(iso__driver *driver, iso__io *io)
{
    (void)driver;
    if (io->mode == ISO__IO_ACCEPT) io->mode = ISO__IO_IDLE;
}

/* Who was accepted and not told learns that nobody listens any more. */
void iso__channel_drop_accepted(iso__channel *self)
{
    acceptor *all = acceptor_of(self);

    while (all != NULL && all->begin < all->end)
        (void)iso__sys_socket_close(all->fds[all->begin++]);
}

void iso__channel_free_acceptor(iso__channel *self)
{
    acceptor *all = acceptor_of(self);

    if (all == NULL) return;
    iso__free(self->driver->base.allocator, all->fds, all->capacity * sizeof(*all->fds));
    iso__free(self->driver->base.allocator, all, sizeof(*all));
    self->acceptor = NULL;
}
