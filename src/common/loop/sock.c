/* SPDX-License-Identifier: MIT */
/* sock_recv, sock_recvfrom, sock_sendall, sock_sendto, sock_accept, sock_connect: operations on a
 * program's own socket. */
#include "isoloop/sock.h"

#include "base/alloc.h"
#include "loop/future.h"
#include "loop/loan.h"
#include "loop/loop.h"
#include "sys/sock.h"

#include <string.h>

enum { COPY_MAX = 64 * 1024 };

/* More than any system counts in one datagram. */
enum { LARGEST = INT32_MAX };

typedef struct sock sock;

/* Where what is read goes: into the program's memory, or into the future's. */
typedef struct target {
    unsigned char *into;
    size_t size;
    void *memory; /* the future's to be, which frees it; NULL: the number says it all */
    size_t memory_size;
    bool is_datagram; /* recvfrom: the memory begins with an iso_datagram */
    bool is_stream;   /* recvfrom of a stream: read as recv reads it, from nobody */
} target;

/* A sendall, a sendto or a connect. Cancelled, it stays for as long as the kernel holds it. */
typedef struct writing {
    iso__op op;
    sock *owner;
    iso_loop *loop;
    iso_buffer rest;  /* of what is to be sent */
    iso_buffer piece; /* that is being sent, */
    void *copy;       /* from here, if the driver would lend it to the kernel: the caller has his */
    size_t copy_size; /*  memory back as soon as he cancels */
    iso_address to;   /* sendto; length 0: to whom it is connected */
    int read_error;   /* connect: what a read was told meanwhile; 0: nothing */
} writing;

/* A socket while an operation of each side, or of both, is under way on it. It is registered no
 * longer than that: the program may close its socket afterwards without a word. */
struct sock {
    iso__object object;
    iso__io io;
    iso_future *reading; /* recv, recvfrom or accept */
    target to;
    iso_future *writer; /* sendall, sendto or connect, and what it works with: */
    writing *work;
    iso__loan *loan; /* who has the writing side instead; NULL: nobody */
};

static sock *sock_of(iso__io *io)
{
    return ISO__CONTAINER(io, sock, io);
}

static iso__driver *driver_of(const sock *self)
{
    return self->object.loop->engine.driver;
}

/* ---- life ---- */

static void drop_if_idle(sock *self)
{
    if (self->reading != NULL || self->writer != NULL || self->loan != NULL) return;
    iso__engine_detach(&self->object.loop->engine, &self->io);
    iso__object_close(&self->object);
}

static void free_target(iso_loop *loop, const target *to)
{
    iso__free(iso__loop_allocator(loop), to->memory, to->memory_size);
}

static void stop_reading(sock *self)
{
    iso__driver *driver = driver_of(self);

    switch ((iso__io_mode)self->io.mode) {
    case ISO__IO_ACCEPT: driver->kind->accept_stop(driver, &self->io); return;
    case ISO__IO_RECVFROM: driver->kind->recvfrom_stop(driver, &self->io); return;
    case ISO__IO_RECV:
    case ISO__IO_WATCH:
    case ISO__IO_IDLE: driver->kind->recv_stop(driver, &self->io); return;
    }
}

static iso_future *end_reading(sock *self)
{
    iso_future *future = self->reading;

    stop_reading(self);
    self->reading = NULL;
    return future;
}

static void free_writing(writing *work)
{
    const iso_allocator *allocator = iso__loop_allocator(work->loop);

    iso__free(allocator, work->copy, work->copy_size);
    iso__free(allocator, work, sizeof(*work));
}

/* The kernel has let go of what was cancelled. */
static void orphan_done(iso__op *op, ptrdiff_t result)
{
    writing *work = ISO__CONTAINER(op, writing, op);
    iso_loop *loop = work->loop;

    (void)result;
    free_writing(work);
    iso__loop_uncount_memory(loop);
}

static iso_future *end_writing(sock *self)
{
    iso_future *future = self->writer;
    writing *work = self->work;

    self->writer = NULL;
    self->work = NULL;
    if (driver_of(self)->kind->withdraw(driver_of(self), &work->op)) {
        free_writing(work);
    } else {
        work->op.done = orphan_done;
        iso__loop_count_memory(work->loop);
    }
    return future;
}

static void cancel_reading(void *operation)
{
    sock *self = operation;
    iso_future *future = end_reading(self);

    free_target(self->object.loop, &self->to);
    drop_if_idle(self);
    iso__future_end_error(future, ISO_ECANCELED);
}

static void cancel_writing(void *operation)
{
    sock *self = operation;
    iso_future *future = end_writing(self);

    drop_if_idle(self);
    iso__future_end_error(future, ISO_ECANCELED);
}

static void revoke_loan(sock *self, int error)
{
    iso__loan *loan = self->loan;

    loan->revoked(loan, error);
    self->loan = NULL;
    drop_if_idle(self);
}

static void abandon_sock(iso__object *object)
{
    sock *self = (sock *)object;

    iso__object_ref(object);
    if (self->reading != NULL) iso__future_abandon(self->reading);
    if (self->writer != NULL) iso__future_abandon(self->writer);
    if (self->loan != NULL) revoke_loan(self, ISO_ECLOSED);
    iso__object_unref(object);
}

static void finish_sock(iso__object *object)
{
    (void)object;
}

static const iso__object_class sock_class = {
    .name = "operation on a socket",
    .abandon = abandon_sock,
    .finish = finish_sock,
    .size = sizeof(sock),
};

/* ---- results: each of these gives the future's reference back ---- */

/* `from` NULL: nobody is known. */
static void end_read(iso_loop *loop, const target *to, iso_future *future, ptrdiff_t got,
                     const iso_address *from)
{
    if (got < 0) {
        free_target(loop, to);
        iso__future_end_error(future, (int)got);
        return;
    }
    if (to->is_datagram) {
        iso_datagram *datagram = to->memory;

        memset(datagram, 0, sizeof(*datagram));
        datagram->data = to->into;
        datagram->size = (size_t)got;
        if (from != NULL) datagram->from = *from;
    }
    if (to->memory != NULL)
        iso__future_end_memory(future, to->memory, to->memory_size, (size_t)got);
    else
        iso__future_end_number(future, got);
}

static void end_accept(iso_future *future, int error, iso_fd fd)
{
    if (error == 0 && !iso__future_is_awaited(future)) (void)iso__sys_socket_close(fd);
    if (error != 0)
        iso__future_end_error(future, error);
    else
        iso__future_end_number(future, fd);
}

static void end_write(iso_future *future, ptrdiff_t result)
{
    if (result < 0)
        iso__future_end_error(future, (int)result);
    else
        iso__future_end_number(future, result);
}

/* ---- what the driver tells ---- */

/* An error that the socket holds is told once, to whoever asks first. */
static void note_read_error(sock *self, ptrdiff_t got)
{
    if (got < 0 && self->work != NULL) self->work->read_error = (int)got;
}

static void finish_read(sock *self, ptrdiff_t got, const iso_address *from)
{
    iso_loop *loop = self->object.loop;
    iso_future *future = end_reading(self);
    target to = self->to;

    note_read_error(self, got);
    drop_if_idle(self);
    end_read(loop, &to, future, got, from);
}

static void sock_received(iso__io *io, const void *data, ptrdiff_t size)
{
    (void)data; /* it is in the memory that was lent */
    finish_read(sock_of(io), size, NULL);
}

static void sock_lend(iso__io *io, void **buffer, size_t *size)
{
    *buffer = sock_of(io)->to.into;
    *size = sock_of(io)->to.size;
}

/* What is longer than the memory is cut off, as recvfrom does it. */
static ptrdiff_t cut(const target *to, ptrdiff_t got)
{
    return got == ISO_EMSGSIZE || got > (ptrdiff_t)to->size ? (ptrdiff_t)to->size : got;
}

static bool sock_datagram(iso__io *io, const void *data, ptrdiff_t size, const iso_address *from)
{
    sock *self = sock_of(io);
    ptrdiff_t got = cut(&self->to, size);

    if (got > 0 && data != self->to.into) memcpy(self->to.into, data, (size_t)got);
    finish_read(self, got, from);
    return false;
}

static bool sock_accepted(iso__io *io, int error, iso_fd fd, const iso_address *peer)
{
    sock *self = sock_of(io);
    iso_future *future = end_reading(self);

    (void)peer;
    drop_if_idle(self);
    end_accept(future, error, fd);
    return false;
}

static const iso__io_class sock_io_class = {
    .received = sock_received,
    .lend = sock_lend,
    .accepted = sock_accepted,
    .datagram = sock_datagram,
};

static void finish_write(sock *self, ptrdiff_t result)
{
    iso_future *future = end_writing(self);

    drop_if_idle(self);
    end_write(future, result);
}

static void write_done(iso__op *op, ptrdiff_t result)
{
    finish_write(ISO__CONTAINER(op, writing, op)->owner, result);
}

/* What the attempt met may have been told to a read: then the socket says that there was no error,
 * but it has no peer. */
static void connect_done(iso__op *op, ptrdiff_t result)
{
    writing *work = ISO__CONTAINER(op, writing, op);
    iso_address peer;

    if (result == 0 && work->read_error != 0 &&
        iso__sys_socket_peername(work->owner->io.fd, &peer) != 0)
        result = work->read_error;
    finish_write(work->owner, result);
}

/* What is sent next: all that is left, or, where it must be copied, at most `most` bytes of it. */
static int prepare_piece(writing *work, size_t most)
{
    iso__driver *driver = work->loop->engine.driver;

    work->piece = work->rest;
    work->op.what.send.list = &work->piece;
    work->op.what.send.count = 1;
    if (!driver->kind->lends_to_kernel || work->rest.size == 0) return 0;
    if (work->copy == NULL) {
        work->copy_size = work->rest.size < most ? work->rest.size : most;
        work->copy = iso__alloc(iso__loop_allocator(work->loop), work->copy_size);
        if (work->copy == NULL) return ISO_ENOMEM;
    }
    if (work->piece.size > work->copy_size) work->piece.size = work->copy_size;
    memcpy(work->copy, work->rest.data, work->piece.size);
    work->piece.data = work->copy;
    return 0;
}

static int send_piece(writing *work)
{
    iso__driver *driver = work->loop->engine.driver;
    int rc = prepare_piece(work, COPY_MAX);

    return rc != 0 ? rc : driver->kind->send(driver, &work->op);
}

static int send_datagram(writing *work)
{
    iso__driver *driver = work->loop->engine.driver;
    int rc = prepare_piece(work, SIZE_MAX);

    work->op.what.send.to = work->to.length != 0 ? &work->to : NULL;
    return rc != 0 ? rc : driver->kind->sendto(driver, &work->op);
}

static void take_sent(iso_buffer *rest, ptrdiff_t sent)
{
    rest->data = (const unsigned char *)rest->data + sent;
    rest->size -= (size_t)sent;
}

static void send_done(iso__op *op, ptrdiff_t result)
{
    writing *work = ISO__CONTAINER(op, writing, op);
    int rc = result < 0 ? (int)result : 0;

    if (rc == 0) {
        take_sent(&work->rest, result);
        if (work->rest.size > 0) {
            rc = send_piece(work);
            if (rc == 0) return;
        }
    }
    finish_write(work->owner, rc);
}

/* ---- beginning ----
 *
 * As in asyncio, an operation is tried at once, and the socket registered only if it has to wait.
 * The future is done then when its call returns, and its callbacks come from a turn, as always. A
 * driver that completes by itself is left to it, and so is the question whether it can have the
 * socket. */

typedef struct call {
    iso_loop *loop;
    iso_fd fd;
    sock *self; /* NULL: nothing is under way on the socket */
    iso_future *future;
} call;

static bool is_written(const sock *self)
{
    return self->writer != NULL || self->loan != NULL;
}

/* The sock of a descriptor, NULL: there is none. Returns 0, or ISO_EBUSY: it has another owner. */
static int find_sock(sock **out, const iso_loop *loop, iso_fd fd)
{
    iso__io *io = iso__map_get(&loop->engine.ios, fd);

    if (io != NULL && io->kind != &sock_io_class) return ISO_EBUSY;
    *out = io == NULL ? NULL : sock_of(io);
    return 0;
}

static int new_sock(sock **out, iso_loop *loop, iso_fd fd)
{
    sock *self = iso__object_new(loop, &sock_class);
    int rc;

    if (self == NULL) return ISO_ENOMEM;
    self->io.fd = fd;
    self->io.kind = &sock_io_class;
    rc = iso__engine_attach(&loop->engine, &self->io);
    if (rc == 0) {
        iso__object_open(&self->object);
        *out = self;
    }
    iso__object_unref(&self->object);
    return rc;
}

/* Whether an operation may begin, before anything is done; and its future. */
static int open_call(call *it, iso_loop *loop, iso_fd fd, bool writes)
{
    int rc = iso__loop_check(loop);

    it->loop = loop;
    it->fd = fd;
    if (rc == 0) rc = find_sock(&it->self, loop, fd);
    if (rc != 0) return rc;
    if (it->self != NULL && (writes ? is_written(it->self) : it->self->reading != NULL))
        return ISO_EBUSY;
    if (it->self == NULL) rc = iso__sys_socket_adopt(fd);
    if (rc == 0 && it->self == NULL) rc = iso__engine_admits(&loop->engine, fd);
    if (rc != 0) return rc;
    return iso__future_start(loop, writes ? cancel_writing : cancel_reading, NULL, &it->future);
}

static bool is_tried_first(const call *it)
{
    const iso__driver_class *kind = it->loop->engine.driver->kind;

    return kind->sends_directly && !kind->lends_to_kernel;
}

/* It has to wait. */
static int register_call(call *it)
{
    int rc = it->self != NULL ? 0 : new_sock(&it->self, it->loop, it->fd);

    if (rc == 0) it->future->operation = it->self;
    return rc;
}

/* Nothing is under way, and the call answers why. */
static int refuse_call(call *it, int rc)
{
    iso_future_release(it->future);
    return rc;
}

static int start_reading(call *it, iso__io_mode mode)
{
    iso__driver *driver = it->loop->engine.driver;
    iso__io *io = &it->self->io;
    int rc;

    if (mode == ISO__IO_ACCEPT)
        rc = driver->kind->accept_start(driver, io, 1);
    else if (mode == ISO__IO_RECVFROM)
        rc = driver->kind->recvfrom_start(driver, io);
    else
        rc = driver->kind->recv_start(driver, io);
    if (rc != 0) {
        it->self->reading = NULL;
        drop_if_idle(it->self);
    }
    return rc;
}

static int wait_to_read(call *it, const target *to, iso__io_mode mode, iso_future **out)
{
    int rc = register_call(it);

    if (rc == 0) {
        it->self->reading = it->future;
        it->self->to = *to;
        rc = start_reading(it, mode);
    }
    if (rc != 0) {
        free_target(it->loop, to);
        return refuse_call(it, rc);
    }
    iso__future_give(it->future, out);
    return 0;
}

static bool takes_datagram(const target *to)
{
    return to->is_datagram && !to->is_stream;
}

static ptrdiff_t try_read(const call *it, const target *to, iso_address *from)
{
    if (!is_tried_first(it)) return ISO_EAGAIN;
    if (!takes_datagram(to)) return iso__sys_socket_recv(it->fd, to->into, to->size);
    return cut(to, iso__sys_datagram_recv(it->fd, to->into, to->size, from));
}

static int begin_read(call *it, const target *to, iso_future **out)
{
    iso_address from = { 0 };
    ptrdiff_t got = try_read(it, to, &from);

    if (got == ISO_EAGAIN)
        return wait_to_read(it, to, takes_datagram(to) ? ISO__IO_RECVFROM : ISO__IO_RECV, out);
    if (it->self != NULL) note_read_error(it->self, got);
    iso__future_give(it->future, out);
    end_read(it->loop, to, it->future, got, &from);
    return 0;
}

/* A target within memory of the future's, which begins with `head` bytes of something else. */
static int new_target(target *to, const call *it, size_t head, size_t size)
{
    memset(to, 0, sizeof(*to));
    if (size > SIZE_MAX - head) return ISO_ENOMEM;
    to->memory = iso__alloc(iso__loop_allocator(it->loop), head + size);
    if (to->memory == NULL) return ISO_ENOMEM;
    to->memory_size = head + size;
    to->into = (unsigned char *)to->memory + head;
    to->size = size;
    return 0;
}

int iso_loop_sock_recv_into(iso_loop *loop, iso_fd fd, void *buffer, size_t size, iso_future **out)
{
    target to = { buffer, size, NULL, 0, false, false };
    call it;
    int rc;

    if (loop == NULL || buffer == NULL || size == 0) return ISO_EINVAL;
    rc = open_call(&it, loop, fd, false);
    return rc != 0 ? rc : begin_read(&it, &to, out);
}

int iso_loop_sock_recv(iso_loop *loop, iso_fd fd, size_t size, iso_future **out)
{
    target to;
    call it;
    int rc;

    if (loop == NULL || size == 0) return ISO_EINVAL;
    rc = open_call(&it, loop, fd, false);
    if (rc != 0) return rc;
    rc = new_target(&to, &it, 0, size);
    return rc != 0 ? refuse_call(&it, rc) : begin_read(&it, &to, out);
}

/* `buffer` NULL: into memory of the future's. */
static int recv_datagram(iso_loop *loop, iso_fd fd, void *buffer, size_t size, iso_future **out)
{
    target to;
    call it;
    int rc = open_call(&it, loop, fd, false);

    if (rc != 0) return rc;
    rc = new_target(&to, &it, sizeof(iso_datagram), buffer == NULL ? size : 0);
    if (rc != 0) return refuse_call(&it, rc);
    to.is_datagram = true;
    to.is_stream = iso__sys_socket_is_stream(fd);
    if (buffer != NULL) {
        to.into = buffer;
        to.size = size;
    }
    return begin_read(&it, &to, out);
}

int iso_loop_sock_recvfrom(iso_loop *loop, iso_fd fd, size_t size, iso_future **out)
{
    if (loop == NULL || size == 0) return ISO_EINVAL;
    return recv_datagram(loop, fd, NULL, size, out);
}

int iso_loop_sock_recvfrom_into(iso_loop *loop, iso_fd fd, void *buffer, size_t size,
                                iso_future **out)
{
    if (loop == NULL || buffer == NULL || size == 0) return ISO_EINVAL;
    return recv_datagram(loop, fd, buffer, size, out);
}

int iso_loop_sock_accept(iso_loop *loop, iso_fd fd, iso_future **out)
{
    const target none = { NULL, 0, NULL, 0, false, false };
    iso_fd taken = ISO_FD_NONE;
    call it;
    int rc;

    if (loop == NULL) return ISO_EINVAL;
    rc = open_call(&it, loop, fd, false);
    if (rc != 0) return rc;
    rc = is_tried_first(&it) ? iso__sys_socket_accept(fd, &taken, NULL) : ISO_EAGAIN;
    if (rc == ISO_EAGAIN) return wait_to_read(&it, &none, ISO__IO_ACCEPT, out);
    iso__future_give(it.future, out);
    end_accept(it.future, rc, taken);
    return 0;
}

/* What a call that writes needs to wait, `done` being told the end of each piece. */
static int wait_to_write(call *it, void (*done)(iso__op *op, ptrdiff_t result))
{
    writing *work = iso__alloc_zero(iso__loop_allocator(it->loop), sizeof(*work));
    int rc = work == NULL ? ISO_ENOMEM : register_call(it);

    if (rc != 0) {
        iso__free(iso__loop_allocator(it->loop), work, sizeof(*work));
        return rc;
    }
    work->owner = it->self;
    work->loop = it->loop;
    work->op.io = &it->self->io;
    work->op.done = done;
    it->self->writer = it->future;
    it->self->work = work;
    return 0;
}

static void undo_writing(sock *self)
{
    (void)end_writing(self);
    drop_if_idle(self);
}

/* It ended, well or not, when it was tried. */
static int end_at_once(call *it, ptrdiff_t result, iso_future **out)
{
    iso__future_give(it->future, out);
    end_write(it->future, result);
    return 0;
}

static int wait_to_send(call *it, const iso_buffer *rest)
{
    int rc = wait_to_write(it, send_done);

    if (rc != 0) return rc;
    it->self->work->rest = *rest;
    rc = send_piece(it->self->work);
    if (rc != 0) undo_writing(it->self);
    return rc;
}

int iso_loop_sock_sendall(iso_loop *loop, iso_fd fd, const void *data, size_t size,
                          iso_future **out)
{
    iso_buffer rest = { data, size };
    ptrdiff_t sent = ISO_EAGAIN;
    call it;
    int rc;

    if (loop == NULL || (data == NULL && size > 0)) return ISO_EINVAL;
    rc = open_call(&it, loop, fd, true);
    if (rc != 0) return rc;
    if (is_tried_first(&it)) sent = iso__sys_socket_send(fd, data, size);
    if (sent < 0 && sent != ISO_EAGAIN) return end_at_once(&it, sent, out);
    if (sent > 0) take_sent(&rest, sent);
    if (sent >= 0 && rest.size == 0) return end_at_once(&it, 0, out);
    rc = wait_to_send(&it, &rest);
    /* A part is on its way: who asks must learn that it ends there. */
    if (rc != 0) return sent > 0 ? end_at_once(&it, rc, out) : refuse_call(&it, rc);
    iso__future_give(it.future, out);
    return 0;
}

static int wait_to_sendto(call *it, const iso_buffer *data, const iso_address *to)
{
    int rc = wait_to_write(it, write_done);

    if (rc != 0) return rc;
    it->self->work->rest = *data;
    if (to != NULL) it->self->work->to = *to;
    rc = send_datagram(it->self->work);
    if (rc != 0) undo_writing(it->self);
    return rc;
}

int iso_loop_sock_sendto(iso_loop *loop, iso_fd fd, const void *data, size_t size,
                         const iso_address *to, iso_future **out)
{
    const iso_buffer whole = { data, size };
    ptrdiff_t sent = ISO_EAGAIN;
    call it;
    int rc;

    if (loop == NULL || (data == NULL && size > 0)) return ISO_EINVAL;
    if (to != NULL && to->length == 0) return ISO_EINVAL;
    rc = open_call(&it, loop, fd, true);
    if (rc != 0) return rc;
    if (size > LARGEST)
        sent = ISO_EMSGSIZE;
    else if (is_tried_first(&it))
        sent = iso__sys_datagram_send(fd, &whole, to);
    if (sent != ISO_EAGAIN) return end_at_once(&it, sent, out);
    rc = wait_to_sendto(&it, &whole, to);
    if (rc != 0) return refuse_call(&it, rc);
    iso__future_give(it.future, out);
    return 0;
}

int iso_loop_sock_connect(iso_loop *loop, iso_fd fd, const iso_address *address, iso_future **out)
{
    call it;
    int rc;

    if (loop == NULL || address == NULL || address->length == 0) return ISO_EINVAL;
    rc = open_call(&it, loop, fd, true);
    if (rc == 0) {
        rc = wait_to_write(&it, connect_done);
        if (rc != 0) return refuse_call(&it, rc);
        rc = driver_of(it.self)->kind->connect(driver_of(it.self), &it.self->work->op, address);
        if (rc != 0) {
            undo_writing(it.self);
            return refuse_call(&it, rc);
        }
        iso__future_give(it.future, out);
    }
    return rc;
}

/* ---- lending ---- */

int iso__sock_borrow(iso_loop *loop, iso_fd fd, iso__loan *loan)
{
    sock *self = NULL;
    int rc = iso__loop_check(loop);

    if (rc == 0) rc = find_sock(&self, loop, fd);
    if (rc != 0) return rc;
    if (self != NULL && is_written(self)) return ISO_EBUSY;
    if (self == NULL) rc = iso__sys_socket_adopt(fd);
    if (rc == 0 && self == NULL) rc = new_sock(&self, loop, fd);
    if (rc != 0) return rc;
    self->loan = loan;
    loan->io = &self->io;
    return 0;
}

void iso__sock_give_back(iso__loan *loan)
{
    sock *self = sock_of(loan->io);

    self->loan = NULL;
    drop_if_idle(self);
}

/* ---- sockets ---- */

int iso_socket_new(iso_fd *out, int version)
{
    int rc;

    if (out == NULL || (version != 4 && version != 6)) return ISO_EINVAL;
    rc = iso__sys_socket_startup();
    return rc != 0 ? rc : iso__sys_socket_open(out, version);
}

int iso_socket_new_datagram(iso_fd *out, int version)
{
    int rc;

    if (out == NULL || (version != 4 && version != 6)) return ISO_EINVAL;
    rc = iso__sys_socket_startup();
    return rc != 0 ? rc : iso__sys_datagram_open(out, version);
}

int iso_socket_close(iso_fd fd)
{
    return iso__sys_socket_close(fd);
}

int iso_socket_bind(iso_fd fd, const iso_address *address)
{
    return address == NULL || address->length == 0 ? ISO_EINVAL : iso__sys_socket_bind(fd, address);
}

int iso_socket_listen(iso_fd fd, int backlog)
{
    return iso__sys_socket_listen(fd, backlog);
}

int iso_socket_getsockname(iso_fd fd, iso_address *out)
{
    return out == NULL ? ISO_EINVAL : iso__sys_socket_sockname(fd, out);
}

int iso_socketpair(iso_fd out[2])
{
    int rc = out == NULL ? ISO_EINVAL : iso__sys_socket_startup();

    return rc != 0 ? rc : iso__sys_socketpair(out);
}
