/* SPDX-License-Identifier: MIT */
/* loop.sendfile and loop.sock_sendfile: by the driver's own operation, or by copying. */
#include "isoloop/sendfile.h"

#include "base/alloc.h"
#include "io/stream.h"
#include "loop/future.h"
#include "loop/loop.h"
#include "sys/send_file.h"
#include "sys/sock.h"

/* One operation moves no more, so that a peer as fast as the disk does not keep the loop from its
 * other work (nginx, sendfile_max_chunk); and how much is copied at once. */
enum { PART_MAX = 2 * 1024 * 1024, COPY_BYTES = 64 * 1024 };

/* One file under way. Cancelled, it stays for as long as the kernel holds its operation. */
typedef struct sending {
    iso__op op;
    iso__loan loan;
    iso__node start; /* the first step, when nothing is before it */
    iso_loop *loop;
    iso_transport *transport; /* NULL: a socket of the program's own */
    iso_future *future;
    iso_fd file;
    uint64_t offset; /* of the first byte; */
    uint64_t count;  /* how many at most, */
    uint64_t sent;   /* and how many were sent */
    bool may_copy;
    bool has_loan;
    unsigned char *copy; /* NULL: not copying */
    iso_buffer piece;    /* what is not sent yet of the copy */
} sending;

static iso__driver *driver_of(const sending *self)
{
    return self->loop->engine.driver;
}

/* ---- ending ---- */

static void free_sending(sending *self)
{
    const iso_allocator *allocator = iso__loop_allocator(self->loop);

    iso__free(allocator, self->copy, COPY_BYTES);
    iso__free(allocator, self, sizeof(*self));
}

/* The kernel has let go of what was cancelled. */
static void orphan_done(iso__op *op, ptrdiff_t result)
{
    sending *self = ISO__CONTAINER(op, sending, op);
    iso_loop *loop = self->loop;

    (void)result;
    free_sending(self);
    iso__loop_uncount_memory(loop);
}

/* It has nothing more to do: the file is the program's again, and the writing side its lender's.
 * Answers the future, which is to be ended. */
static iso_future *take_apart(sending *self)
{
    iso_future *future = self->future;
    ptrdiff_t untold = iso__op_untold(&self->op);
    bool is_ours = driver_of(self)->kind->withdraw(driver_of(self), &self->op);

    if (untold > 0) self->sent += (uint64_t)untold; /* the peer gets that all the same */
    iso__list_remove_if_in(&self->start.link);
    /* A file that was closed against the rules has no position. */
    (void)iso__sys_file_seek(self->file, self->offset + self->sent);
    if (self->has_loan && self->transport != NULL)
        iso__stream_give_back(&self->loan);
    else if (self->has_loan)
        iso__sock_give_back(&self->loan);
    if (is_ours) {
        free_sending(self);
    } else {
        self->op.done = orphan_done;
        iso__loop_count_memory(self->loop);
    }
    return future;
}

static void finish(sending *self)
{
    intptr_t number = self->sent < INTPTR_MAX ? (intptr_t)self->sent : INTPTR_MAX;

    iso__future_end_number(take_apart(self), number);
}

static void fail(sending *self, int error)
{
    iso__future_end_error(take_apart(self), error);
}

static void cancel_sending(void *operation)
{
    fail(operation, ISO_ECANCELED); /* the future has ended by then */
}

static void revoked(iso__loan *loan, int error)
{
    sending *self = ISO__CONTAINER(loan, sending, loan);

    self->has_loan = false;
    if (iso_loop_is_closed(self->loop))
        iso__future_abandon(self->future); /* as every other that a closing loop ends */
    else
        fail(self, error);
}

/* macOS says so of a connection whose peer has gone, where others say EPIPE. Source: asyncio,
 * _sock_sendfile_native_impl. */
static int connection_error(const sending *self, int error)
{
    bool was_connected = self->transport != NULL || self->sent > 0;

    return error == ISO_ENOTCONN && was_connected ? ISO_EPIPE : error;
}

/* What was under way failed. If the file can't be read it is that (but ISO_EINVAL may be of this
 * one byte only); else it is the connection, which a transport loses, as when a write fails. */
static void fail_operation(sending *self, int error)
{
    unsigned char byte;
    ptrdiff_t got = iso__sys_file_read(self->file, self->offset + self->sent, &byte, 1);

    if (got < 0 && got != ISO_EINVAL)
        fail(self, (int)got);
    else if (error == ISO_ENOTSUP || self->transport == NULL)
        fail(self, connection_error(self, error));
    else /* which revokes the loan */
        iso__stream_break(self->transport, connection_error(self, error));
}

/* ---- sending ---- */

/* How much the next operation may take: 0 at the end of the file, or of what was asked for. The
 * file may have grown, or shrunk, since the last one. */
static int next_size(const sending *self, size_t most, size_t *out)
{
    uint64_t at = self->offset + self->sent;
    uint64_t left = self->count - self->sent;
    uint64_t size;
    int rc = iso__sys_file_size(self->file, &size);

    if (rc != 0) return rc;
    size = at < size ? size - at : 0;
    if (size > left) size = left;
    *out = size < most ? (size_t)size : most;
    return 0;
}

static int send_piece(sending *self)
{
    self->op.what.send.list = &self->piece;
    self->op.what.send.count = 1;
    return driver_of(self)->kind->send(driver_of(self), &self->op);
}

static void send_natively(sending *self, size_t size);

/* Read the next piece, and send it. */
static void send_copy(sending *self, size_t size)
{
    ptrdiff_t got = iso__sys_file_read(self->file, self->offset + self->sent, self->copy, size);
    int rc;

    if (got == 0) {
        finish(self);
        return;
    }
    if (got < 0) {
        fail(self, (int)got);
        return;
    }
    self->piece.data = self->copy;
    self->piece.size = (size_t)got;
    rc = send_piece(self);
    if (rc != 0) fail(self, rc);
}

/* The next step of it, from a turn, nothing being under way. */
static void step(sending *self)
{
    size_t most = self->copy != NULL ? COPY_BYTES : PART_MAX;
    size_t size;
    int rc = next_size(self, most, &size);

    if (rc != 0)
        fail(self, rc);
    else if (size == 0)
        finish(self);
    else if (self->copy != NULL)
        send_copy(self, size);
    else
        send_natively(self, size);
}

/* There is no native way, for this file and this connection: copy from here on. */
static void begin_copying(sending *self)
{
    if (!self->may_copy) {
        fail_operation(self, ISO_ENOTSUP);
        return;
    }
    self->copy = iso__alloc(iso__loop_allocator(self->loop), COPY_BYTES);
    if (self->copy == NULL)
        fail(self, ISO_ENOMEM);
    else
        step(self);
}

/* Only a socket can be joined to a file. */
static void send_natively(sending *self, size_t size)
{
    int rc = ISO_ENOTSUP;

    self->op.what.file.fd = self->file;
    self->op.what.file.offset = self->offset + self->sent;
    self->op.what.file.size = size;
    if (self->loan.io->medium == ISO__MEDIUM_SOCKET)
        rc = driver_of(self)->kind->sendfile(driver_of(self), &self->op);
    if (rc == ISO_ENOTSUP)
        begin_copying(self);
    else if (rc != 0)
        fail(self, rc); /* it did not begin: the connection is as it was */
}

static void piece_done(sending *self, size_t size)
{
    int rc;

    self->piece.data = (const unsigned char *)self->piece.data + size;
    self->piece.size -= size;
    if (self->piece.size == 0) {
        step(self);
        return;
    }
    rc = send_piece(self);
    if (rc != 0) fail(self, rc);
}

static void sending_done(iso__op *op, ptrdiff_t result)
{
    sending *self = ISO__CONTAINER(op, sending, op);

    if (result == ISO_ENOTSUP && self->copy == NULL) {
        begin_copying(self);
        return;
    }
    if (result < 0) {
        fail_operation(self, (int)result);
        return;
    }
    self->sent += (uint64_t)result;
    if (self->copy != NULL)
        piece_done(self, (size_t)result);
    else if (result == 0)
        finish(self); /* it was cut off meanwhile */
    else
        step(self);
}

/* ---- beginning ---- */

static void granted(iso__loan *loan)
{
    step(ISO__CONTAINER(loan, sending, loan));
}

static void run_start(iso__engine *engine, iso__node *node)
{
    (void)engine;
    step(ISO__CONTAINER(node, sending, start));
}

/* A file that was not opened for reading is found out here: Wine's TransmitFile takes one. */
static int check_file(iso_fd file, const iso_sendfile_options *options)
{
    unsigned char byte;
    uint64_t size;
    ptrdiff_t got;
    int rc;

    if (options->offset > INT64_MAX || options->count > INT64_MAX)
        return iso__error_set(ISO_EINVAL, "sendfile: the offset or the count is out of range");
    rc = iso__sys_file_size(file, &size);
    if (rc == ISO_EINVAL) return iso__error_set(rc, "sendfile: this is no regular file");
    if (rc != 0) return rc;
    got = iso__sys_file_read(file, options->offset < size ? options->offset : 0, &byte, 1);
    /* Another error may be of this byte's only: with O_DIRECT none can be read alone. */
    return got == ISO_EBADF || got == ISO_EACCES ? (int)got : 0;
}

static int new_sending(sending **out, iso_loop *loop, iso_fd file,
                       const iso_sendfile_options *given)
{
    iso_sendfile_options options = ISO_SENDFILE_OPTIONS_INIT;
    sending *self;
    int rc;

    if (given != NULL) iso__options_copy(&options, sizeof(options), given, given->size);
    rc = check_file(file, &options);
    if (rc != 0) return rc;
    self = iso__alloc_zero(iso__loop_allocator(loop), sizeof(*self));
    if (self == NULL) return ISO_ENOMEM;
    rc = iso__future_start(loop, cancel_sending, self, &self->future);
    if (rc != 0) {
        iso__free(iso__loop_allocator(loop), self, sizeof(*self));
        return rc;
    }
    self->op.done = sending_done;
    self->loan.granted = granted;
    self->loan.revoked = revoked;
    self->start.run = run_start;
    self->loop = loop;
    self->file = file;
    self->offset = options.offset;
    self->count = (uint64_t)INT64_MAX - options.offset; /* no file is longer */
    if (options.count != 0 && options.count < self->count) self->count = options.count;
    self->may_copy = options.fallback;
    *out = self;
    return 0;
}

/* The loan's lender has answered. */
static int begin(sending *self, int rc, iso_future **out)
{
    iso_future *future = self->future;

    if (rc != 0 && rc != ISO_EINPROGRESS) {
        free_sending(self);
        iso_future_release(future);
        return rc;
    }
    self->has_loan = true;
    self->op.io = self->loan.io;
    if (rc == 0) iso__engine_ready(&self->loop->engine, &self->start);
    iso__future_give(future, out);
    return 0;
}

int iso_loop_sendfile(iso_loop *loop, iso_transport *transport, iso_fd file,
                      const iso_sendfile_options *options, iso_future **out)
{
    sending *self;
    int rc;

    if (loop == NULL || transport == NULL) return ISO_EINVAL;
    rc = iso__loop_check(loop);
    if (rc != 0) return rc;
    if (iso_transport_get_loop(transport) != loop) return ISO_EINVAL;
    rc = new_sending(&self, loop, file, options);
    if (rc != 0) return rc;
    self->transport = transport;
    return begin(self, iso__stream_borrow(transport, &self->loan), out);
}

int iso_loop_sock_sendfile(iso_loop *loop, iso_fd sock, iso_fd file,
                           const iso_sendfile_options *options, iso_future **out)
{
    sending *self;
    int rc;

    if (loop == NULL) return ISO_EINVAL;
    rc = iso__loop_check(loop);
    if (rc == 0) rc = iso__sys_socket_require_stream(sock);
    if (rc == 0) rc = new_sending(&self, loop, file, options);
    if (rc != 0) return rc;
    return begin(self, iso__sock_borrow(loop, sock, &self->loan), out);
}
