/* SPDX-License-Identifier: MIT */
/* Sends, connections, files: operations of the owner's that end once. A send of a socket is the
 * kernel's, with the memory that it sends. What else waits until it can be written waits with a
 * poll, and is tried then: a connection, whose result is asked for; a file, for which the kernel
 * has no such request; a pipe, since a write to one that nobody reads would raise SIGPIPE. */
#include "uring.h"

#include "base/alloc.h"
#include "sys/error.h"
#include "sys/pipe.h"
#include "sys/send_file.h"
#include "sys/sock.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* What one request sends at most. */
#define LARGEST ((size_t)1 << 30)

typedef struct once {
    iso__request request;
    iso__op *op;
    struct once *next_free;
    struct msghdr message;
    struct iovec pieces[ISO__SYS_SENDV_MAX];
} once;

static void run_done(iso__engine *engine, iso__node *node)
{
    iso__op *op = ISO__CONTAINER(node, iso__op, node);

    (void)engine;
    op->done(op, op->result);
}

static void prepare(iso__op *op, iso__op_verb verb)
{
    op->verb = verb;
    op->request = NULL;
    op->node.run = run_done;
    op->node.link.next = NULL;
    op->node.link.prev = NULL;
}

static void end(iso__uring *driver, iso__op *op, ptrdiff_t result)
{
    op->result = result;
    iso__driver_ready(&driver->base, &op->node);
}

/* ---- what the kernel sends ---- */

static void give_back(once *self)
{
    iso__uring *driver = self->request.channel->driver;

    self->next_free = driver->free_once;
    driver->free_once = self;
}

static void sent(iso__request *request, int result, unsigned flags)
{
    once *self = ISO__CONTAINER(request, once, request);
    iso__op *op = self->op;

    (void)flags;
    op->request = NULL;
    end(request->channel->driver, op, result >= 0 ? result : iso__sys_error(-result));
    give_back(self);
}

static void fill_send(iso__request *request, iso__uring_sqe *sqe)
{
    const iso_buffer *data = ISO__CONTAINER(request, once, request)->op->what.send.list;

    sqe->opcode = ISO__URING_OP_SEND;
    sqe->fd = request->channel->fd;
    sqe->addr = (uintptr_t)data->data;
    sqe->len = (uint32_t)(data->size < LARGEST ? data->size : LARGEST);
    sqe->op_flags = MSG_NOSIGNAL;
}

static void add_pieces(once *self)
{
    const iso_buffer *list = self->op->what.send.list;
    size_t count = self->op->what.send.count;
    size_t room = LARGEST;
    size_t at;

    for (at = 0; at < count && at < ISO__SYS_SENDV_MAX && room > 0; at++) {
        self->pieces[at].iov_base = (void *)(uintptr_t)list[at].data;
        self->pieces[at].iov_len = list[at].size < room ? list[at].size : room;
        room -= self->pieces[at].iov_len;
        self->message.msg_iovlen++; /* an int here, a size_t there */
    }
    self->message.msg_iov = self->pieces;
}

static void fill_message(iso__request *request, iso__uring_sqe *sqe)
{
    once *self = ISO__CONTAINER(request, once, request);
    const iso__op *op = self->op;
    const iso_address *to = op->verb == ISO__OP_SENDTO ? op->what.send.to : NULL;

    memset(&self->message, 0, sizeof(self->message));
    if (op->verb == ISO__OP_SEND) {
        add_pieces(self);
    } else { /* one datagram */
        self->pieces[0].iov_base = (void *)(uintptr_t)op->what.send.list->data;
        self->pieces[0].iov_len = op->what.send.list->size;
        self->message.msg_iov = self->pieces;
        self->message.msg_iovlen = 1;
    }
    if (to != NULL) {
        self->message.msg_name = (void *)(uintptr_t)&to->storage;
        self->message.msg_namelen = to->length;
    }
    sqe->opcode = ISO__URING_OP_SENDMSG;
    sqe->fd = request->channel->fd;
    sqe->addr = (uintptr_t)&self->message;
    sqe->len = 1;
    sqe->op_flags = MSG_NOSIGNAL;
}

static int begin_send(iso__op *op, iso__op_verb verb)
{
    iso__channel *channel = iso__channel_of(op->io);
    iso__uring *driver = channel->driver;
    once *self = driver->free_once;

    if (self != NULL)
        driver->free_once = self->next_free;
    else
        self = iso__alloc(driver->base.allocator, sizeof(*self));
    if (self == NULL) return ISO_ENOMEM;
    prepare(op, verb);
    memset(&self->request, 0, sizeof(self->request));
    self->request.channel = channel;
    self->request.fill =
        verb == ISO__OP_SEND && op->what.send.count == 1 ? fill_send : fill_message;
    self->request.finished = sent;
    self->op = op;
    op->request = self;
    iso__request_begin(&self->request);
    return 0;
}

/* ---- what is tried when it can be written ---- */

static ptrdiff_t try_op(const iso__channel *self, const iso__op *op)
{
    switch (op->verb) {
    case ISO__OP_SEND:
        return iso__sys_pipe_writev(self->fd, op->what.send.list, op->what.send.count);
    case ISO__OP_CONNECT: return iso__sys_socket_connect_result(self->fd);
    case ISO__OP_SENDFILE:
        return iso__sys_sendfile(self->fd, op->what.file.fd, op->what.file.offset,
                                 op->what.file.size);
    case ISO__OP_SENDTO: break;
    }
    return ISO_EINVAL;
}

static void wait_to_write(iso__op *op)
{
    iso__channel *channel = iso__channel_of(op->io);

    channel->writer = op;
    iso__channel_poll_out(channel);
}

void iso__channel_writable(iso__request *request, int result, unsigned flags)
{
    iso__channel *self = request->channel;
    iso__op *op = self->writer;
    ptrdiff_t got;

    (void)result; /* of an error trying tells more */
    (void)flags;
    if (op == NULL) return;
    got = try_op(self, op);
    if (got == ISO_EAGAIN) {
        iso__channel_poll_out(self);
        return;
    }
    self->writer = NULL;
    end(self->driver, op, got);
}

/* ---- the functions of the driver ---- */

int iso__uring_send(iso__driver *driver, iso__op *op)
{
    (void)driver;
    if (!iso__channel_of(op->io)->is_pipe) return begin_send(op, ISO__OP_SEND);
    prepare(op, ISO__OP_SEND);
    wait_to_write(op);
    return 0;
}

int iso__uring_sendto(iso__driver *driver, iso__op *op)
{
    (void)driver;
    return begin_send(op, ISO__OP_SENDTO);
}

int iso__uring_connect(iso__driver *driver, iso__op *op, const iso_address *address)
{
    int rc = iso__sys_socket_connect(op->io->fd, address);

    prepare(op, ISO__OP_CONNECT);
    if (rc == ISO_EINPROGRESS)
        wait_to_write(op);
    else
        end(iso__uring_of(driver), op, rc);
    return 0;
}

/* What can't be sent so is told at once: nothing has begun, and it can be copied. */
int iso__uring_sendfile(iso__driver *driver, iso__op *op)
{
    ptrdiff_t got;

    prepare(op, ISO__OP_SENDFILE);
    got = try_op(iso__channel_of(op->io), op);
    if (got == ISO_ENOTSUP) return ISO_ENOTSUP;
    if (got == ISO_EAGAIN)
        wait_to_write(op);
    else
        end(iso__uring_of(driver), op, got);
    return 0;
}

bool iso__uring_withdraw(iso__driver *driver, iso__op *op)
{
    once *self = op->request;

    (void)driver;
    if (self == NULL) {
        iso__channel *channel = op->io->is_attached ? iso__channel_of(op->io) : NULL;

        iso__list_remove_if_in(&op->node.link);
        if (channel != NULL && channel->writer == op) channel->writer = NULL;
        return true;
    }
    if (!iso__request_cancel(&self->request)) return false;
    op->request = NULL;
    give_back(self);
    return true;
}

void iso__uring_free_once(iso__uring *self)
{
    while (self->free_once != NULL) {
        once *one = self->free_once;

        self->free_once = one->next_free;
        iso__free(self->base.allocator, one, sizeof(*one));
    }
}
