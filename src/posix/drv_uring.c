/* SPDX-License-Identifier: MIT */
/* The driver over io_uring: a ProactorEventLoop on Linux. This file has the turn, and the life of
 * the driver; uring.h says where the operations are. */
#include "uring.h"

#include "base/alloc.h"
#include "base/error.h"
#include "sys/error.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

/* ---- waking ---- */

/* Others write to an eventfd, on which a poll stays that needs no answer: nobody reads it, and each
 * write is an event. A message to the ring (IORING_REGISTER_SEND_MSG_RING) does without the
 * descriptor and is slower: 551 ns against 411 for a wake-up and the wait that it ends. */
static void fill_wake(iso__request *request, iso__uring_sqe *sqe)
{
    sqe->opcode = ISO__URING_OP_POLL_ADD;
    sqe->fd = (int)ISO__CONTAINER(request, iso__uring, wake_request)->wake.reader;
    sqe->len = ISO__URING_POLL_MULTI;
    sqe->op_flags = iso__uring_poll_word(POLLIN);
}

static void listen_for_wakes(iso__uring *self)
{
    self->wake_request.state = ISO__REQUEST_QUEUED;
    iso__list_push(&self->queued, &self->wake_request.link);
}

/* The poll may end, if completions had no place. What was written is read before it begins anew, or
 * it would end a wait for each time; so the next wait is none. */
static void woken(iso__request *request, int result, unsigned flags)
{
    iso__uring *self = ISO__CONTAINER(request, iso__uring, wake_request);

    (void)result;
    self->was_woken = true;
    if ((flags & ISO__URING_CQE_MORE) != 0) return;
    iso__sys_wake_drain(&self->wake);
    self->is_woken = true;
    listen_for_wakes(self);
}

static void uring_wake(iso__driver *driver)
{
    iso__sys_wake_signal(&iso__uring_of(driver)->wake);
}

/* ---- another thread ---- */

static int tell_completions(const iso__uring *self)
{
    int32_t fd = (int32_t)self->embedded.reader;

    if (self->embedded.reader == ISO_FD_NONE) return 0;
    return iso__ring_register(&self->ring, ISO__URING_REGISTER_EVENTFD, &fd, 1);
}

static int take_completions(iso__uring *self)
{
    iso__uring_cqe cqe;
    int count = 0;

    while (iso__ring_take(&self->ring, &cqe)) {
        if (iso__request_complete(self, &cqe)) count++;
    }
    return count;
}

/* The loop has gone to another thread, which may not enter the ring: it gets one of its own. What
 * had been completed was taken in the last turn, or is taken now. Nothing else is under way inside
 * the kernel: a request goes on only in the call of the ring's own thread. So closing the ring ends
 * what it held, and what was not cancelled begins anew. */
static int move_to_this_thread(iso__uring *self)
{
    iso__ring ring;
    int rc = iso__ring_open(&ring, &self->sizes);

    if (rc != 0) return rc;
    (void)take_completions(self);
    iso__ring_close(&self->ring);
    self->ring = ring;
    self->buffers.is_registered = false;
    iso__sys_wake_drain(&self->wake);
    self->is_woken = true;
    iso__requests_restart(self);
    return tell_completions(self);
}

/* ---- a turn ---- */

/* Answers whether any of them had something to tell already: an event, as if it came now. */
static bool start_idle(iso__uring *self)
{
    bool was_empty = iso__list_empty(self->base.ready);
    iso__link begin;
    iso__link *link;

    iso__list_init(&begin);
    iso__list_splice(&begin, &self->idle); /* what has nothing to tell comes again, in a turn */
    while ((link = iso__list_pop(&begin)) != NULL) {
        iso__channel *channel = ISO__CONTAINER(link, iso__channel, link);

        if (channel->busy > 0) /* its owner has yet to act on what it was told */
            iso__list_push(&self->idle, link);
        else if (channel->io->mode != ISO__IO_IDLE)
            channel->start(channel);
    }
    return was_empty && !iso__list_empty(self->base.ready);
}

/* Since Linux 6.13 one call runs 20 of what completions need, at most, and leaves the rest to the
 * next one, without a flag that says so. So after as many as may be all that one call runs there is
 * another, up to so many; and one is left out so often at most. */
enum { MAY_BE_MORE = 16, MOST_ROUNDS = 256, MOST_RESTS = 16 };

/* Whether the ring need not be entered: nothing is to be submitted, awaited, or to come. */
static bool is_at_rest(iso__uring *self, iso_nsec timeout)
{
    bool rests = timeout == 0 && self->ring.to_submit == 0 && self->ring.is_enabled &&
                 !iso__ring_has_work(&self->ring) && self->rests < MOST_RESTS;

    self->rests = rests ? self->rests + 1 : 0;
    return rests;
}

/* One call. Answers how many events came, or -errno; *goes_on: whether there may be more at once.
 * What the kernel has no memory, or no place, for is submitted in the next turn. */
static int enter_once(iso__uring *self, iso_nsec timeout, bool *goes_on)
{
    int rc = iso__ring_enter(&self->ring, timeout);
    int taken;

    if (rc == -EEXIST) {
        rc = move_to_this_thread(self);
        *goes_on = true;
    }
    if (rc != 0 && rc != -EBUSY && rc != -EAGAIN) return rc;
    taken = take_completions(self);
    if (taken >= MAY_BE_MORE || self->ring.to_submit > 0 || iso__ring_has_work(&self->ring))
        *goes_on = true;
    if (rc == 0 || taken > 0) return taken;
    *goes_on = false;
    self->is_woken = true;
    return 0;
}

/* Submit what there is, wait if that was all, and take what came. Returns how many events, or
 * -errno. */
static int enter(iso__uring *self, iso_nsec timeout)
{
    int left = MOST_ROUNDS;
    int count = 0;
    bool goes_on;

    do {
        int taken;

        goes_on = !iso__requests_fill(self);
        if (goes_on || self->is_woken) timeout = 0;
        self->is_woken = false;
        if (left == MOST_ROUNDS && is_at_rest(self, timeout)) return 0;
        taken = enter_once(self, timeout, &goes_on);
        if (taken < 0) return taken;
        count += taken;
        timeout = 0;
    } while (--left > 0 && goes_on);
    return count;
}

/* Who waits on the descriptor sees it readable until it was read, and then look once more. */
static int settle_embedded(iso__uring *self)
{
    iso__sys_wake_drain(&self->embedded);
    return iso__ring_enter(&self->ring, 0) == 0 ? take_completions(self) : 0;
}

static int uring_turn(iso__driver *driver, iso_nsec timeout)
{
    iso__uring *self = iso__uring_of(driver);
    bool had_some;
    int count;

    self->is_busy = true;
    had_some = start_idle(self);
    if (!iso__list_empty(driver->ready) || !iso__list_empty(&self->idle)) timeout = 0;
    count = enter(self, timeout);
    if (count >= 0 && self->embedded.reader != ISO_FD_NONE) count += settle_embedded(self);
    if (count == 0 && had_some) count = 1;
    self->was_woken = false;
    self->is_busy = false;
    return count >= 0 ? count : iso__sys_error(-count);
}

/* What ends at once, since it is to begin as something else, begins in the second round. */
static void submit_rounds(iso__uring *self)
{
    int left = 3;

    do {
        (void)start_idle(self);
        (void)enter(self, 0); /* what fails here fails in the next turn, which tells */
    } while (--left > 0 && !iso__list_empty(&self->idle));
}

/* A wake-up that comes meanwhile is the next turn's. */
void iso__uring_submit(iso__uring *self)
{
    if (self->is_busy) return; /* it will be, right away */
    self->is_busy = true;
    submit_rounds(self);
    if (self->embedded.reader != ISO_FD_NONE) (void)settle_embedded(self);
    self->is_woken |= self->was_woken;
    self->was_woken = false;
    if (self->embedded.reader != ISO_FD_NONE &&
        (self->is_woken || !iso__list_empty(self->base.ready)))
        iso__sys_wake_signal(&self->embedded);
    self->is_busy = false;
}

void iso__uring_touched(iso__uring *self)
{
    if (self->embedded.reader != ISO_FD_NONE) iso__uring_submit(self);
}

/* The ring's own descriptor does not tell of what has yet to be run for DEFER_TASKRUN, an eventfd
 * does. What is queued is submitted first: then the ring is this thread's. */
static iso_fd uring_descriptor(iso__driver *driver)
{
    iso__uring *self = iso__uring_of(driver);

    if (self->embedded.reader != ISO_FD_NONE) return self->embedded.reader;
    iso__uring_submit(self);
    if (iso__sys_wake_open(&self->embedded) != 0) return ISO_FD_NONE;
    if (tell_completions(self) != 0) {
        iso__sys_wake_close(&self->embedded);
        return ISO_FD_NONE;
    }
    iso__uring_submit(self); /* what came before */
    return self->embedded.reader;
}

static size_t uring_held(const iso__driver *driver)
{
    return ((const iso__uring *)driver)->held_count;
}

static void uring_cancel_held(iso__driver *driver)
{
    iso__uring *self = iso__uring_of(driver);
    iso__link *link;

    for (link = self->held.next; link != &self->held; link = link->next) {
        iso__request *request = ISO__CONTAINER(link, iso__request, link);

        if (request->channel != NULL) (void)iso__request_cancel(request);
    }
}

/* ---- taking up and giving up ---- */

static int uring_attach(iso__driver *driver, iso__io *io)
{
    iso__channel *channel;

    if (io->fd < 0 || io->fd > INT32_MAX) return ISO_EBADF;
    channel = iso__channel_new(iso__uring_of(driver), io);
    if (channel == NULL) return ISO_ENOMEM;
    io->node.link.next = NULL;
    io->node.link.prev = NULL;
    io->own.channel = channel;
    io->mode = ISO__IO_IDLE;
    return 0;
}

/* A request keeps its file open: to its peer a socket is closed, and a listener's address is free,
 * only when it has ended. Its owner may close the descriptor next, and not let the loop run again,
 * so it is ended now. What has ended by itself, as a receive that found the end, costs nothing. */
static void uring_detach(iso__driver *driver, iso__io *io)
{
    iso__uring *self = iso__uring_of(driver);
    iso__channel *channel = iso__channel_of(io);

    channel->busy++;
    iso__list_remove_if_in(&io->node.link);
    iso__list_remove_if_in(&channel->link);
    io->own.channel = NULL;
    io->mode = ISO__IO_IDLE;
    channel->io = NULL;
    channel->writer = NULL;
    iso__channel_drop_received(channel);
    iso__channel_drop_accepted(channel);
    (void)iso__request_cancel(&channel->in);
    (void)iso__request_cancel(&channel->out);
    if (channel->held > 0) iso__uring_submit(self);
    channel->busy--;
    iso__channel_free_if_over(channel);
}

static void uring_forget(iso__driver *driver, iso_fd fd)
{
    (void)driver; /* what was detached is cancelled */
    (void)fd;
}

/* ---- life ---- */

static void uring_close(iso__driver *driver)
{
    iso__uring *self = iso__uring_of(driver);

    iso__ring_close(&self->ring);
    if (self->embedded.reader != ISO_FD_NONE) iso__sys_wake_close(&self->embedded);
    iso__sys_wake_close(&self->wake);
    iso__uring_free_once(self);
    iso__buffers_free(self);
    iso__free(driver->allocator, self->large, ISO__URING_LARGE);
    iso__free(driver->allocator, self, sizeof(*self));
}

static const iso__driver_class uring_class = {
    .name = "io_uring",
    .sends_directly = false,
    .lends_to_kernel = true,
    .own_ios = 0,
    .pinned_bytes = 0,
    .close = uring_close,
    .held = uring_held,
    .cancel_held = uring_cancel_held,
    .turn = uring_turn,
    .wake = uring_wake,
    .descriptor = uring_descriptor,
    .attach = uring_attach,
    .detach = uring_detach,
    .forget = uring_forget,
    .recv_start = iso__uring_recv_start,
    .recv_stop = iso__uring_recv_stop,
    .accept_start = iso__uring_accept_start,
    .accept_stop = iso__uring_accept_stop,
    .recvfrom_start = iso__uring_recvfrom_start,
    .recvfrom_stop = iso__uring_recvfrom_stop,
    .watch = iso__uring_watch,
    .send = iso__uring_send,
    .sendto = iso__uring_sendto,
    .connect = iso__uring_connect,
    .sendfile = iso__uring_sendfile,
    .withdraw = iso__uring_withdraw,
};

int iso__uring_need_large(iso__uring *self)
{
    if (self->large == NULL) self->large = iso__alloc(self->base.allocator, ISO__URING_LARGE);
    return self->large != NULL ? 0 : ISO_ENOMEM;
}

static int open_ring(iso__uring *self)
{
    int rc = iso__ring_open(&self->ring, &self->sizes);

    if (rc != 0) return iso__sys_error(-rc);
    rc = iso__sys_wake_open(&self->wake);
    if (rc != 0) iso__ring_close(&self->ring);
    return rc;
}

static int uring_open(iso__driver **out, iso__engine *engine)
{
    iso__driver base;
    iso__uring *self;
    int rc;

    iso__driver_init(&base, &uring_class, engine);
    self = iso__alloc_zero(base.allocator, sizeof(*self));
    if (self == NULL) return ISO_ENOMEM;
    self->base = base;
    self->sizes = iso__uring_sizes_of_new;
    rc = open_ring(self);
    if (rc != 0) {
        iso__free(base.allocator, self, sizeof(*self));
        return rc;
    }
    iso__list_init(&self->idle);
    iso__list_init(&self->queued);
    iso__list_init(&self->cancels);
    iso__list_init(&self->held);
    self->embedded.reader = ISO_FD_NONE;
    self->wake_request.fill = fill_wake;
    self->wake_request.finished = woken;
    listen_for_wakes(self);
    *out = &self->base;
    return 0;
}

const iso__proactor iso__proactor_uring = {
    .name = "io_uring",
    .id = ISO__PROACTOR_URING,
    .open = uring_open,
    .missing = iso__uring_missing,
};
