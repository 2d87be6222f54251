/* SPDX-License-Identifier: MIT */
/* Requests and channels: what is asked of the kernel, what it holds, and for how long. */
#include "uring.h"

#include "base/alloc.h"
#include "base/compiler.h"

#include <errno.h>
#include <poll.h>

/* What a completion of a cancel is told by; requests are told by their address. */
enum { OF_A_CANCEL = 1 };

/* ---- requests ---- */

static iso__uring *driver_of(const iso__request *request)
{
    return request->channel->driver;
}

static void hold(iso__uring *self, iso__request *request)
{
    iso__list_push(&self->held, &request->link);
    request->state = ISO__REQUEST_HELD;
    if (request->channel == NULL) return;
    self->held_count++;
    request->channel->held++;
}

static void let_go(iso__uring *self, iso__request *request)
{
    iso__list_remove(&request->link);
    iso__list_remove_if_in(&request->cancel_link);
    request->state = ISO__REQUEST_IDLE;
    if (request->channel == NULL) return;
    self->held_count--;
    request->channel->held--;
}

static void queue(iso__uring *self, iso__request *request)
{
    iso__list_push(&self->queued, &request->link);
    request->state = ISO__REQUEST_QUEUED;
    request->is_cancelled = false;
}

void iso__request_begin(iso__request *request)
{
    queue(driver_of(request), request);
    iso__uring_touched(driver_of(request));
}

bool iso__request_cancel(iso__request *request)
{
    switch ((iso__request_state)request->state) {
    case ISO__REQUEST_IDLE: return true;
    case ISO__REQUEST_QUEUED:
        iso__list_remove(&request->link);
        request->state = ISO__REQUEST_IDLE;
        return true;
    case ISO__REQUEST_HELD: break;
    }
    request->is_cancelled = true;
    if (!iso__link_is_in(&request->cancel_link)) {
        iso__list_push(&driver_of(request)->cancels, &request->cancel_link);
        iso__uring_touched(driver_of(request));
    }
    return false;
}

/* Cancels go first: they are for what was submitted before, and make place. */
bool iso__requests_fill(iso__uring *self)
{
    while (!iso__list_empty(&self->cancels) || !iso__list_empty(&self->queued)) {
        iso__uring_sqe *sqe = iso__ring_entry(&self->ring);
        iso__link *link;

        if (sqe == NULL) return false;
        link = iso__list_pop(&self->cancels);
        if (link != NULL) {
            sqe->opcode = ISO__URING_OP_ASYNC_CANCEL;
            sqe->fd = -1;
            sqe->addr = (uintptr_t)ISO__CONTAINER(link, iso__request, cancel_link);
            sqe->user_data = OF_A_CANCEL;
        } else {
            iso__request *request =
                ISO__CONTAINER(iso__list_pop(&self->queued), iso__request, link);

            request->fill(request, sqe);
            sqe->user_data = (uintptr_t)request;
            hold(self, request);
        }
    }
    return true;
}

/* Whether a request ended for no reason of ours: a signal, a thread that submitted it and is gone
 * (without DEFER_TASKRUN), a worker of the kernel's that found nothing. */
static bool is_to_repeat(const iso__request *request, int result)
{
    if (request->is_cancelled) return false;
    return result == -ECANCELED || result == -EINTR || result == -EAGAIN;
}

bool iso__request_complete(iso__uring *self, const iso__uring_cqe *cqe)
{
    iso__request *request = (iso__request *)(uintptr_t)cqe->user_data;
    iso__channel *channel;
    bool is_last = (cqe->flags & ISO__URING_CQE_MORE) == 0;

    if (cqe->user_data == OF_A_CANCEL) return false;
    channel = request->channel;
    if (is_last) let_go(self, request);
    if (is_last && ISO__UNLIKELY(is_to_repeat(request, cqe->result))) {
        queue(self, request);
        self->is_woken = true;
        return true;
    }
    request->finished(request, cqe->result, cqe->flags);
    if (channel != NULL) iso__channel_free_if_over(channel);
    return true;
}

void iso__requests_restart(iso__uring *self)
{
    iso__link before;
    iso__link *link;

    iso__list_init(&before);
    iso__list_splice(&before, &self->held);
    while ((link = before.next) != &before) {
        iso__request *request = ISO__CONTAINER(link, iso__request, link);
        iso__channel *channel = request->channel;

        let_go(self, request);
        if (request->is_cancelled) {
            request->finished(request, -ECANCELED, 0);
            if (channel != NULL) iso__channel_free_if_over(channel);
        } else {
            queue(self, request);
        }
    }
}

/* ---- channels ---- */

void iso__channel_idle(iso__channel *channel)
{
    if (!iso__link_is_in(&channel->link)) iso__list_push(&channel->driver->idle, &channel->link);
    iso__uring_touched(channel->driver);
}

iso__channel *iso__channel_new(iso__uring *self, iso__io *io)
{
    iso__channel *channel = iso__alloc_zero(self->base.allocator, sizeof(*channel));

    if (channel == NULL) return NULL;
    channel->driver = self;
    channel->io = io;
    channel->fd = (int)io->fd;
    channel->is_pipe = io->medium == ISO__MEDIUM_PIPE;
    channel->first_buffer = -1;
    channel->last_buffer = -1;
    channel->in.channel = channel;
    channel->out.channel = channel;
    channel->out.finished = iso__channel_writable;
    return channel;
}

void iso__channel_free_if_over(iso__channel *channel)
{
    iso__uring *self = channel->driver;

    if (channel->io != NULL || channel->held > 0 || channel->busy > 0) return;
    iso__byte_queue_clear(&channel->kept, self->base.allocator);
    iso__channel_free_acceptor(channel);
    iso__free(self->base.allocator, channel, sizeof(*channel));
}

void iso__channel_unbusy(iso__channel *channel)
{
    channel->busy--;
    if (channel->io != NULL)
        iso__channel_idle(channel);
    else
        iso__channel_free_if_over(channel);
}

/* ---- polls ---- */

void iso__channel_fill_poll(const iso__channel *channel, iso__uring_sqe *sqe, uint32_t events)
{
    sqe->opcode = ISO__URING_OP_POLL_ADD;
    sqe->fd = channel->fd;
    sqe->op_flags = iso__uring_poll_word(events);
}

static void fill_in(iso__request *request, iso__uring_sqe *sqe)
{
    iso__channel_fill_poll(request->channel, sqe, request->channel->events);
}

static void fill_out(iso__request *request, iso__uring_sqe *sqe)
{
    iso__channel_fill_poll(request->channel, sqe, POLLOUT);
}

void iso__channel_poll(iso__channel *channel, uint32_t events,
                       void (*finished)(iso__request *request, int result, unsigned flags))
{
    channel->use = ISO__USE_POLL;
    channel->events = events;
    channel->in.fill = fill_in;
    channel->in.finished = finished;
    iso__request_begin(&channel->in);
}

void iso__channel_poll_out(iso__channel *channel)
{
    if (channel->out.state != ISO__REQUEST_IDLE) return;
    channel->out.fill = fill_out;
    iso__request_begin(&channel->out);
}
