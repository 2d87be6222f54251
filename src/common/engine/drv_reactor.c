/* SPDX-License-Identifier: MIT */
/* The reactor: the driver over any poller, on every platform.
 *
 * What an io `wants` and what the selector has `registered` may differ. What is wanted besides is
 * registered at once, so that the call which asked for it can be refused. What is not wanted any
 * more stays registered until an event comes that nobody wants, so that pausing and resuming, or
 * one receive after the other, costs no registration. */
#include "engine/reactor.h"

#include "base/alloc.h"
#include "engine/medium.h"
#include "sys/send_file.h"
#include "sys/sock.h"
#include "sys/wake.h"

enum {
    BUFFER_BYTES = 64 * 1024, /* the largest datagram, too */
    BATCH = 512,
    DATAGRAMS_PER_TURN = 16
};

typedef struct reactor {
    iso__driver base;
    const iso_selector_class *poller; /* of `selector`, and its self: */
    void *poller_self;
    unsigned char *buffer; /* what is read goes here, and lives until its callback returns */
    iso_selector *selector;
    iso__wake wake;
    iso__io wake_io;
    iso_selector_event events[BATCH];
} reactor;

static reactor *reactor_of(iso__driver *driver)
{
    return (reactor *)driver;
}

/* ---- registration ---- */

static int set(reactor *self, iso__io *io, unsigned events)
{
    int rc = self->poller->set(self->poller_self, io->fd, io->registered, events, io);

    if (rc == 0) io->registered = (uint8_t)events;
    return rc;
}

static int want(reactor *self, iso__io *io, unsigned events)
{
    unsigned wants = io->wants | events;

    if ((wants & ~(unsigned)io->registered) != 0) {
        int rc = set(self, io, wants);
        if (rc != 0) return rc;
    }
    io->wants = (uint8_t)wants;
    return 0;
}

static void unwant(iso__io *io, unsigned events)
{
    io->wants &= (uint8_t)~events;
    io->fired &= (uint8_t)~events;
}

static void fire(reactor *self, iso__io *io, unsigned events)
{
    io->fired |= (uint8_t)events;
    iso__engine_ready(self->base.engine, &io->node);
}

/* ---- a turn ---- */

static void dispatch(reactor *self, const iso_selector_event *event)
{
    iso__io *io = event->token;
    unsigned wanted = event->events & io->wants;
    unsigned unwanted = event->events & io->registered & (unsigned)~io->wants;

    if (ISO__UNLIKELY((event->events & ISO_EVENT_GONE) != 0)) {
        io->registered = 0; /* the selector has forgotten it */
        fire(self, io, wanted | ISO_EVENT_GONE);
        return;
    }
    if (wanted != 0) fire(self, io, wanted);
    if (ISO__UNLIKELY(unwanted != 0))
        (void)set(self, io, io->wants); /* to wait for less is never refused */
}

static int reactor_turn(iso__driver *driver, iso_nsec timeout)
{
    reactor *self = reactor_of(driver);
    int count;
    int at;

    count = self->poller->wait(self->poller_self, timeout, self->events, BATCH);
    for (at = 0; at < count; at++) dispatch(self, &self->events[at]);
    return count;
}

/* ---- performing: each of these ends with a call of the owner's ---- */

static void perform_recv(reactor *self, iso__io *io)
{
    void *buffer = self->buffer;
    size_t size = BUFFER_BYTES;
    ptrdiff_t got;

    if (io->kind->lend != NULL) {
        io->kind->lend(io, &buffer, &size);
        if (io->mode != ISO__IO_RECV || (io->wants & ISO_EVENT_READ) == 0) return;
    }
    got = iso__io_recv(io, buffer, size);
    if (got != ISO_EAGAIN) io->kind->received(io, buffer, got);
}

static void perform_accept(iso__io *io)
{
    int left = io->accepts_per_turn;
    bool go_on = true;

    while (go_on && left-- > 0) {
        iso_address peer;
        iso_fd fd = ISO_FD_NONE;
        int rc = iso__sys_socket_accept(io->fd, &fd, &peer);

        if (rc == ISO_EAGAIN) return;
        go_on = io->kind->accepted(io, rc, fd, &peer);
    }
}

static void perform_recvfrom(reactor *self, iso__io *io)
{
    void *buffer = self->buffer;
    size_t size = BUFFER_BYTES;
    int left = DATAGRAMS_PER_TURN;
    bool go_on = true;

    while (go_on && left-- > 0) {
        iso_address from;
        ptrdiff_t got;

        if (io->kind->lend != NULL) {
            io->kind->lend(io, &buffer, &size);
            if (io->mode != ISO__IO_RECVFROM || (io->wants & ISO_EVENT_READ) == 0) return;
        }
        got = iso__sys_datagram_recv(io->fd, buffer, size, &from);
        if (got == ISO_EAGAIN) return;
        go_on = got < 0 && got != ISO_EMSGSIZE ? io->kind->datagram(io, NULL, got, NULL)
                                               : io->kind->datagram(io, buffer, got, &from);
    }
}

static ptrdiff_t try_op(const iso__op *op)
{
    switch (op->verb) {
    case ISO__OP_SENDTO:
        return iso__sys_datagram_send(op->io->fd, op->what.send.list, op->what.send.to);
    case ISO__OP_SEND: return iso__io_sendv(op->io, op->what.send.list, op->what.send.count);
    case ISO__OP_CONNECT: return iso__sys_socket_connect_result(op->io->fd);
    case ISO__OP_SENDFILE:
        return iso__sys_sendfile(op->io->fd, op->what.file.fd, op->what.file.offset,
                                 op->what.file.size);
    }
    return ISO_EINVAL;
}

static void perform_op(iso__io *io)
{
    iso__op *op = io->own.writer;
    ptrdiff_t result = try_op(op);

    if (result == ISO_EAGAIN) return;
    io->own.writer = NULL;
    unwant(io, ISO_EVENT_WRITE);
    op->done(op, result);
}

static void perform_read(reactor *self, iso__io *io)
{
    switch ((iso__io_mode)io->mode) {
    case ISO__IO_RECV: perform_recv(self, io); return;
    case ISO__IO_ACCEPT: perform_accept(io); return;
    case ISO__IO_RECVFROM: perform_recvfrom(self, io); return;
    case ISO__IO_WATCH: io->kind->ready(io, ISO_EVENT_READ); return;
    case ISO__IO_IDLE: return;
    }
}

static void perform_write(iso__io *io)
{
    if (io->own.writer != NULL)
        perform_op(io);
    else if (io->mode == ISO__IO_WATCH)
        io->kind->ready(io, ISO_EVENT_WRITE);
}

/* A reader, then a writer, of which the first may do away with the second. */
static void perform(reactor *self, iso__io *io, unsigned fired)
{
    if ((fired & ISO_EVENT_READ) == 0) {
        if ((fired & ISO_EVENT_WRITE) != 0) perform_write(io);
        return;
    }
    if ((fired & ISO_EVENT_WRITE) != 0) {
        io->fired = ISO_EVENT_WRITE;
        iso__driver_again(&self->base, &io->node);
    }
    perform_read(self, io);
}

static void run_io(iso__engine *engine, iso__node *node)
{
    iso__io *io = ISO__CONTAINER(node, iso__io, node);
    unsigned fired = io->fired;

    io->fired = 0;
    /* It was closed while it was registered. The owner of an operation learns it by trying. */
    if (ISO__UNLIKELY((fired & ISO_EVENT_GONE) != 0) && io->mode == ISO__IO_WATCH)
        io->kind->ready(io, ISO_EVENT_GONE);
    else
        perform(reactor_of(engine->driver), io, fired & io->wants);
}

/* ---- the functions of the driver ---- */

static int reactor_attach(iso__driver *driver, iso__io *io)
{
    (void)driver;
    io->node.run = run_io;
    io->node.link.next = NULL;
    io->node.link.prev = NULL;
    io->own.writer = NULL;
    io->mode = ISO__IO_IDLE;
    io->wants = 0;
    io->registered = 0;
    io->fired = 0;
    return 0;
}

static void reactor_detach(iso__driver *driver, iso__io *io)
{
    iso__list_remove_if_in(&io->node.link);
    if (io->registered != 0) (void)set(reactor_of(driver), io, 0);
    io->wants = 0;
    io->mode = ISO__IO_IDLE;
}

static int start_reading(reactor *self, iso__io *io, iso__io_mode mode)
{
    int rc = want(self, io, ISO_EVENT_READ);

    if (rc == 0) io->mode = (uint8_t)mode;
    return rc;
}

static void stop_reading(iso__io *io)
{
    unwant(io, ISO_EVENT_READ);
    io->mode = ISO__IO_IDLE;
}

static int start_receiving(reactor *self, iso__io *io, iso__io_mode mode)
{
    if (self->buffer == NULL) {
        self->buffer = iso__alloc(self->base.allocator, BUFFER_BYTES);
        if (self->buffer == NULL) return ISO_ENOMEM;
    }
    return start_reading(self, io, mode);
}

static int reactor_recv_start(iso__driver *driver, iso__io *io)
{
    return start_receiving(reactor_of(driver), io, ISO__IO_RECV);
}

static int reactor_recvfrom_start(iso__driver *driver, iso__io *io)
{
    return start_receiving(reactor_of(driver), io, ISO__IO_RECVFROM);
}

static void reactor_recvfrom_stop(iso__driver *driver, iso__io *io)
{
    (void)driver;
    stop_reading(io);
}

static void reactor_recv_stop(iso__driver *driver, iso__io *io)
{
    (void)driver;
    stop_reading(io);
}

static int reactor_accept_start(iso__driver *driver, iso__io *io, int max)
{
    io->accepts_per_turn = (uint16_t)(max < UINT16_MAX ? max : UINT16_MAX);
    return start_reading(reactor_of(driver), io, ISO__IO_ACCEPT);
}

static void reactor_accept_stop(iso__driver *driver, iso__io *io)
{
    (void)driver;
    stop_reading(io);
}

static int reactor_watch(iso__driver *driver, iso__io *io, unsigned events)
{
    int rc = want(reactor_of(driver), io, events);

    if (rc != 0) return rc;
    unwant(io, (ISO_EVENT_READ | ISO_EVENT_WRITE) & ~events);
    io->mode = events == 0 ? ISO__IO_IDLE : ISO__IO_WATCH;
    return 0;
}

static void reactor_forget(iso__driver *driver, iso_fd fd)
{
    (void)driver; /* what was detached is not registered any more */
    (void)fd;
}

static size_t reactor_held(const iso__driver *driver)
{
    (void)driver; /* readiness holds nothing */
    return 0;
}

static void reactor_cancel_held(iso__driver *driver)
{
    (void)driver;
}

static void run_done(iso__engine *engine, iso__node *node)
{
    iso__op *op = ISO__CONTAINER(node, iso__op, node);

    (void)engine;
    op->done(op, op->result);
}

static int begin_op(reactor *self, iso__op *op, iso__op_verb verb)
{
    int rc = want(self, op->io, ISO_EVENT_WRITE);

    if (rc != 0) return rc;
    op->verb = verb;
    op->node.link.next = NULL;
    op->node.link.prev = NULL;
    op->io->own.writer = op;
    return 0;
}

static int reactor_send(iso__driver *driver, iso__op *op)
{
    return begin_op(reactor_of(driver), op, ISO__OP_SEND);
}

static int reactor_sendto(iso__driver *driver, iso__op *op)
{
    return begin_op(reactor_of(driver), op, ISO__OP_SENDTO);
}

static void end_at_once(iso__driver *driver, iso__op *op)
{
    op->node.run = run_done;
    iso__list_push(driver->ready, &op->node.link);
}

static int reactor_connect(iso__driver *driver, iso__op *op, const iso_address *address)
{
    int rc = iso__sys_socket_connect(op->io->fd, address);

    if (rc == ISO_EINPROGRESS) return begin_op(reactor_of(driver), op, ISO__OP_CONNECT);
    op->verb = ISO__OP_CONNECT;
    op->result = rc;
    end_at_once(driver, op);
    return 0;
}

/* What can't be sent so is told at once: nothing has begun, and it can be copied. */
static int reactor_sendfile(iso__driver *driver, iso__op *op)
{
    op->verb = ISO__OP_SENDFILE;
    op->result = try_op(op);
    if (op->result == ISO_ENOTSUP) return ISO_ENOTSUP;
    if (op->result == ISO_EAGAIN) return begin_op(reactor_of(driver), op, ISO__OP_SENDFILE);
    end_at_once(driver, op);
    return 0;
}

static bool reactor_withdraw(iso__driver *driver, iso__op *op)
{
    (void)driver;
    if (op->io->own.writer == op) {
        op->io->own.writer = NULL;
        unwant(op->io, ISO_EVENT_WRITE);
    }
    iso__list_remove_if_in(&op->node.link);
    return true;
}

static void reactor_wake(iso__driver *driver)
{
    iso__sys_wake_signal(&reactor_of(driver)->wake);
}

static iso_fd reactor_fileno(iso__driver *driver)
{
    reactor *self = reactor_of(driver);

    return self->poller->descriptor(self->poller_self);
}

static void drain_wake(iso__io *io, unsigned events)
{
    (void)events;
    iso__sys_wake_drain(&ISO__CONTAINER(io, reactor, wake_io)->wake);
}

static const iso__io_class wake_class = { .ready = drain_wake };

static void reactor_close(iso__driver *driver)
{
    reactor *self = reactor_of(driver);

    iso__engine_detach(driver->engine, &self->wake_io);
    iso__sys_wake_close(&self->wake);
    iso_selector_close(self->selector);
    iso__free(&driver->engine->allocator, self->buffer, BUFFER_BYTES);
    iso__free(&driver->engine->allocator, self, sizeof(*self));
}

static const iso__driver_class reactor_class = {
    .name = "reactor",
    .sends_directly = true,
    .lends_to_kernel = false,
    .own_ios = 1,
    .pinned_bytes = 0,
    .close = reactor_close,
    .held = reactor_held,
    .cancel_held = reactor_cancel_held,
    .turn = reactor_turn,
    .wake = reactor_wake,
    .descriptor = reactor_fileno,
    .attach = reactor_attach,
    .detach = reactor_detach,
    .forget = reactor_forget,
    .recv_start = reactor_recv_start,
    .recv_stop = reactor_recv_stop,
    .accept_start = reactor_accept_start,
    .accept_stop = reactor_accept_stop,
    .recvfrom_start = reactor_recvfrom_start,
    .recvfrom_stop = reactor_recvfrom_stop,
    .watch = reactor_watch,
    .send = reactor_send,
    .sendto = reactor_sendto,
    .connect = reactor_connect,
    .sendfile = reactor_sendfile,
    .withdraw = reactor_withdraw,
};

int iso__reactor_open(iso__engine *engine, iso_selector *selector)
{
    reactor *self = iso__alloc_zero(&engine->allocator, sizeof(*self));
    int rc;

    if (self == NULL) return ISO_ENOMEM;
    iso__driver_init(&self->base, &reactor_class, engine);
    self->selector = selector;
    self->poller = selector->kind;
    self->poller_self = selector->self;
    engine->driver = &self->base;
    rc = iso__sys_wake_open(&self->wake);
    if (rc != 0) goto fail_wake;
    self->wake_io.fd = self->wake.reader;
    self->wake_io.kind = &wake_class;
    rc = iso__engine_attach(engine, &self->wake_io);
    if (rc != 0) goto fail_attach;
    rc = reactor_watch(&self->base, &self->wake_io, ISO_EVENT_READ);
    if (rc != 0) goto fail_watch;
    selector->is_taken = true;
    return 0;
fail_watch:
    iso__engine_detach(engine, &self->wake_io);
fail_attach:
    iso__sys_wake_close(&self->wake);
fail_wake:
    engine->driver = NULL;
    iso__free(&engine->allocator, self, sizeof(*self));
    return rc;
}
