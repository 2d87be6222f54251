/* SPDX-License-Identifier: MIT */
/* sock_recv, sock_sendall, sock_accept, sock_connect: operations on a program's own socket. */
#include "isoloop/sock.h"

#include "base/alloc.h"
#include "loop/future.h"
#include "loop/loan.h"
#include "loop/loop.h"
#include "sys/sock.h"

#include <string.h>

enum { COPY_MAX = 64 * 1024 };

typedef struct sock sock;

/* A sendall or a connect. Cancelled, it stays for as long as the kernel holds it. */
typedef struct writing {
    iso__op op;
    sock *owner;
    iso_loop *loop;
    iso_buffer rest;  /* of what sendall was given */
    iso_buffer piece; /* that is being sent, */
    void *copy;       /* from here, if the driver would lend it to the kernel: the caller has his */
    size_t copy_size; /*  memory back as soon as he cancels */
} writing;

/* A socket while an operation of each side, or of both, is under way on it. It is registered no
 * longer than that: the program may close its socket afterwards without a word. */
struct sock {
    iso__object object;
    iso__io io;
    iso_future *reading; /* recv or accept */
    unsigned char *into;
    size_t into_size;
    bool owns_into;     /* recv: the memory is to be the future's */
    iso_future *writer; /* sendall or connect, and what it works with: */
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

static void free_into(sock *self)
{
    if (self->owns_into)
        iso__free(iso__loop_allocator(self->object.loop), self->into, self->into_size);
    self->into = NULL;
    self->owns_into = false;
}

static iso_future *end_reading(sock *self)
{
    iso_future *future = self->reading;

    if (self->io.mode == ISO__IO_ACCEPT)
        driver_of(self)->kind->accept_stop(driver_of(self), &self->io);
    else
        driver_of(self)->kind->recv_stop(driver_of(self), &self->io);
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

    free_into(self);
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

/* ---- what the driver tells ---- */

static void finish_recv(sock *self, ptrdiff_t size)
{
    iso_future *future = end_reading(self);
    unsigned char *memory = self->into;
    bool owns = self->owns_into;
    size_t bytes = self->into_size;

    if (size < 0) free_into(self);
    drop_if_idle(self);
    if (size < 0)
        iso__future_end_error(future, (int)size);
    else if (owns)
        iso__future_end_memory(future, memory, bytes, (size_t)size);
    else
        iso__future_end_number(future, size);
}

static void sock_received(iso__io *io, const void *data, ptrdiff_t size)
{
    (void)data; /* it is in the memory that was lent */
    finish_recv(sock_of(io), size);
}

static void sock_lend(iso__io *io, void **buffer, size_t *size)
{
    *buffer = sock_of(io)->into;
    *size = sock_of(io)->into_size;
}

static bool sock_accepted(iso__io *io, int error, iso_fd fd, const iso_address *peer)
{
    sock *self = sock_of(io);
    iso_future *future = end_reading(self);

    (void)peer;
    drop_if_idle(self);
    if (error == 0 && !iso__future_is_awaited(future)) (void)iso__sys_socket_close(fd);
    if (error != 0)
        iso__future_end_error(future, error);
    else
        iso__future_end_number(future, fd);
    return false;
}

static const iso__io_class sock_io_class = {
    .received = sock_received,
    .lend = sock_lend,
    .accepted = sock_accepted,
};

static void finish_write(sock *self, int error)
{
    iso_future *future = end_writing(self);

    drop_if_idle(self);
    iso__future_end_error(future, error);
}

static void connect_done(iso__op *op, ptrdiff_t result)
{
    finish_write(ISO__CONTAINER(op, writing, op)->owner, (int)result);
}

/* Send what is left, or, where it must be copied, the first part of that. */
static int send_piece(writing *work)
{
    iso__driver *driver = work->loop->engine.driver;
    bool copies = driver->kind->lends_to_kernel && work->rest.size > 0;

    work->piece = work->rest;
    if (copies) {
        if (work->copy == NULL) {
            work->copy_size = work->rest.size < COPY_MAX ? work->rest.size : (size_t)COPY_MAX;
            work->copy = iso__alloc(iso__loop_allocator(work->loop), work->copy_size);
            if (work->copy == NULL) return ISO_ENOMEM;
        }
        if (work->piece.size > work->copy_size) work->piece.size = work->copy_size;
        memcpy(work->copy, work->rest.data, work->piece.size);
        work->piece.data = work->copy;
    }
    work->op.what.send.list = &work->piece;
    work->op.what.send.count = 1;
    return driver->kind->send(driver, &work->op);
}

static void send_done(iso__op *op, ptrdiff_t result)
{
    writing *work = ISO__CONTAINER(op, writing, op);
    int rc = result < 0 ? (int)result : 0;

    if (rc == 0) {
        work->rest.data = (const unsigned char *)work->rest.data + result;
        work->rest.size -= (size_t)result;
        if (work->rest.size > 0) {
            rc = send_piece(work);
            if (rc == 0) return;
        }
    }
    finish_write(work->owner, rc);
}

/* ---- beginning ---- */

/* The sock of a descriptor: the one that is there, or a new one. */
static int take(iso_loop *loop, iso_fd fd, sock **out)
{
    iso__io *io = iso__map_get(&loop->engine.ios, fd);
    sock *self;
    int rc;

    if (io != NULL) {
        if (io->kind != &sock_io_class) return ISO_EBUSY;
        *out = sock_of(io);
        return 0;
    }
    self = iso__object_new(loop, &sock_class);
    if (self == NULL) return ISO_ENOMEM;
    self->io.fd = fd;
    self->io.kind = &sock_io_class;
    rc = iso__sys_socket_adopt(fd);
    if (rc == 0) rc = iso__engine_attach(&loop->engine, &self->io);
    if (rc == 0) {
        iso__object_open(&self->object);
        *out = self;
    }
    iso__object_unref(&self->object);
    return rc;
}

static int take_for_reading(iso_loop *loop, iso_fd fd, sock **out)
{
    int rc = iso__loop_check(loop);

    if (rc == 0) rc = take(loop, fd, out);
    if (rc == 0 && (*out)->reading != NULL) return ISO_EBUSY;
    if (rc == 0) rc = iso__future_start(loop, cancel_reading, *out, &(*out)->reading);
    if (rc != 0 && *out != NULL) drop_if_idle(*out);
    return rc;
}

static int start_writing(sock *self, void (*done)(iso__op *op, ptrdiff_t result))
{
    iso_loop *loop = self->object.loop;
    writing *work = iso__alloc_zero(iso__loop_allocator(loop), sizeof(*work));
    int rc;

    if (work == NULL) return ISO_ENOMEM;
    work->owner = self;
    work->loop = loop;
    work->op.io = &self->io;
    work->op.done = done;
    rc = iso__future_start(loop, cancel_writing, self, &self->writer);
    if (rc != 0)
        free_writing(work);
    else
        self->work = work;
    return rc;
}

static bool is_written(const sock *self)
{
    return self->writer != NULL || self->loan != NULL;
}

static int take_for_writing(iso_loop *loop, iso_fd fd, void (*done)(iso__op *op, ptrdiff_t result),
                            sock **out)
{
    int rc = iso__loop_check(loop);

    if (rc == 0) rc = take(loop, fd, out);
    if (rc == 0 && is_written(*out)) return ISO_EBUSY;
    if (rc == 0) rc = start_writing(*out, done);
    if (rc != 0 && *out != NULL) drop_if_idle(*out);
    return rc;
}

/* The driver refused to begin: nothing is under way, and the call answers it. */
static int undo_reading(sock *self, int rc)
{
    iso_future *future = self->reading;

    self->reading = NULL;
    free_into(self);
    drop_if_idle(self);
    iso_future_release(future);
    return rc;
}

static int undo_writing(sock *self, int rc)
{
    iso_future *future = end_writing(self);

    drop_if_idle(self);
    iso_future_release(future);
    return rc;
}

static int begin_recv(sock *self, void *buffer, size_t size, bool owns, iso_future **out)
{
    int rc;

    self->into = buffer;
    self->into_size = size;
    self->owns_into = owns;
    rc = driver_of(self)->kind->recv_start(driver_of(self), &self->io);
    if (rc != 0) return undo_reading(self, rc);
    iso__future_give(self->reading, out);
    return 0;
}

int iso_loop_sock_recv_into(iso_loop *loop, iso_fd fd, void *buffer, size_t size, iso_future **out)
{
    sock *self = NULL;
    int rc;

    if (loop == NULL || buffer == NULL || size == 0) return ISO_EINVAL;
    rc = take_for_reading(loop, fd, &self);
    return rc != 0 ? rc : begin_recv(self, buffer, size, false, out);
}

int iso_loop_sock_recv(iso_loop *loop, iso_fd fd, size_t size, iso_future **out)
{
    sock *self = NULL;
    void *memory;
    int rc;

    if (loop == NULL || size == 0) return ISO_EINVAL;
    rc = take_for_reading(loop, fd, &self);
    if (rc != 0) return rc;
    memory = iso__alloc(iso__loop_allocator(loop), size);
    if (memory == NULL) return undo_reading(self, ISO_ENOMEM);
    return begin_recv(self, memory, size, true, out);
}

int iso_loop_sock_accept(iso_loop *loop, iso_fd fd, iso_future **out)
{
    sock *self = NULL;
    int rc;

    if (loop == NULL) return ISO_EINVAL;
    rc = take_for_reading(loop, fd, &self);
    if (rc != 0) return rc;
    rc = driver_of(self)->kind->accept_start(driver_of(self), &self->io, 1);
    if (rc != 0) return undo_reading(self, rc);
    iso__future_give(self->reading, out);
    return 0;
}

int iso_loop_sock_sendall(iso_loop *loop, iso_fd fd, const void *data, size_t size,
                          iso_future **out)
{
    sock *self = NULL;
    int rc;

    if (loop == NULL || (data == NULL && size > 0)) return ISO_EINVAL;
    rc = take_for_writing(loop, fd, send_done, &self);
    if (rc != 0) return rc;
    self->work->rest.data = data;
    self->work->rest.size = size;
    rc = send_piece(self->work);
    if (rc != 0) return undo_writing(self, rc);
    iso__future_give(self->writer, out);
    return 0;
}

int iso_loop_sock_connect(iso_loop *loop, iso_fd fd, const iso_address *address, iso_future **out)
{
    sock *self = NULL;
    int rc;

    if (loop == NULL || address == NULL || address->length == 0) return ISO_EINVAL;
    rc = take_for_writing(loop, fd, connect_done, &self);
    if (rc != 0) return rc;
    rc = driver_of(self)->kind->connect(driver_of(self), &self->work->op, address);
    if (rc != 0) return undo_writing(self, rc);
    iso__future_give(self->writer, out);
    return 0;
}

/* ---- lending ---- */

int iso__sock_borrow(iso_loop *loop, iso_fd fd, iso__loan *loan)
{
    sock *self = NULL;
    int rc = iso__loop_check(loop);

    if (rc == 0) rc = take(loop, fd, &self);
    if (rc != 0) return rc;
    if (is_written(self)) return ISO_EBUSY;
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
