/* SPDX-License-Identifier: MIT */
#include "engine/probe.h"

#include <string.h>

/* ---- what it is told ---- */

static void tell(probe *self, const char *what)
{
    self->told++;
    if (self->name != NULL) {
        kit_add_mark(self->k, self->name);
        kit_add_mark(self->k, what);
    }
    if (self->then != NULL) self->then(self);
}

void probe_fill(char *out, size_t size, size_t place)
{
    size_t at;

    for (at = 0; at < size; at++) out[at] = probe_byte(place + at);
}

static bool is_right(const probe *self, const char *data, size_t size)
{
    size_t at;

    for (at = 0; at < size; at++) {
        if (data[at] != probe_byte(self->total + at)) return false;
    }
    return true;
}

static void probe_received(iso__io *io, const void *data, ptrdiff_t size)
{
    probe *self = ISO__CONTAINER(io, probe, io);

    self->last = size;
    self->data = data;
    if (size > 0 && self->total < sizeof(self->bytes)) {
        size_t room = sizeof(self->bytes) - self->total;
        memcpy(self->bytes + self->total, data, (size_t)size < room ? (size_t)size : room);
    }
    if (size > 0 && self->is_checked) CHECK(is_right(self, data, (size_t)size));
    if (size > 0) self->total += (size_t)size;
    tell(self, size > 0 ? "r" : size == 0 ? "e" : "x");
}

static void probe_lend(iso__io *io, void **buffer, size_t *size)
{
    probe *self = ISO__CONTAINER(io, probe, io);

    *buffer = self->lent;
    *size = self->lent_size;
}

static bool probe_accepted(iso__io *io, int error, iso_fd fd, const iso_address *peer)
{
    probe *self = ISO__CONTAINER(io, probe, io);
    bool goes_on;

    self->last = error;
    if (error == 0) {
        self->accepted[self->accepted_count++ % PROBE_ACCEPTS] = kit_own(self->k, fd);
        self->peer = *peer;
    } else {
        CHECK_EQ(fd, ISO_FD_NONE);
    }
    goes_on = self->accepted_count < self->accept_most;
    tell(self, error == 0 ? "a" : "x");
    return goes_on;
}

static bool probe_datagram(iso__io *io, const void *data, ptrdiff_t size, const iso_address *from)
{
    probe *self = ISO__CONTAINER(io, probe, io);
    bool is_there = size >= 0 || size == ISO_EMSGSIZE;
    bool goes_on = !self->is_last_one;

    self->last = size;
    self->data = data;
    CHECK_EQ(data != NULL, is_there);
    CHECK_EQ(from != NULL, is_there);
    if (from != NULL) self->peer = *from;
    if (size > 0) memcpy(self->bytes, data, (size_t)size < 256 ? (size_t)size : 256);
    tell(self, is_there ? "t" : "x");
    return goes_on;
}

static void probe_ready(iso__io *io, unsigned events)
{
    probe *self = ISO__CONTAINER(io, probe, io);

    self->last = (ptrdiff_t)events;
    tell(self, events == READ ? "R" : events == WRITE ? "W" : "G");
}

static void probe_done(iso__op *op, ptrdiff_t result)
{
    probe *self = ISO__CONTAINER(op, probe, op);

    self->result = result;
    self->results++;
    tell(self, "d");
}

const iso__io_class probe_reading = { .received = probe_received };
const iso__io_class probe_lending = { .received = probe_received, .lend = probe_lend };
const iso__io_class probe_accepting = { .accepted = probe_accepted };
const iso__io_class probe_taking = { .datagram = probe_datagram };
const iso__io_class probe_taking_lent = { .datagram = probe_datagram, .lend = probe_lend };
const iso__io_class probe_watching = { .ready = probe_ready };

/* ---- its life ---- */

bool is_reactor(const iso__engine *engine)
{
    return strcmp(engine->driver->kind->name, "reactor") == 0;
}

void prepare(kit *k, iso__engine *engine, probe *self, iso_fd fd, const iso__io_class *kind)
{
    memset(self, 0, sizeof(*self));
    self->k = k;
    self->engine = engine;
    self->io.fd = fd;
    self->io.kind = kind;
    self->op.io = &self->io;
    self->op.done = probe_done;
    self->accept_most = 1000;
}

void attach(kit *k, iso__engine *engine, probe *self, iso_fd fd, const iso__io_class *kind)
{
    prepare(k, engine, self, fd, kind);
    REQUIRE_OK(iso__engine_attach(engine, &self->io));
}

void detach(probe *self)
{
    iso__engine_detach(self->engine, &self->io);
}

void detach_and_close(probe *self)
{
    detach(self);
    iso__engine_forget(self->engine, self->io.fd);
    kit_close(self->k, self->io.fd);
}

/* ---- the functions of the driver ---- */

int start_recv(probe *self)
{
    return driver_of(self)->kind->recv_start(driver_of(self), &self->io);
}

void stop_recv(probe *self)
{
    driver_of(self)->kind->recv_stop(driver_of(self), &self->io);
}

int start_accept(probe *self, int max)
{
    return driver_of(self)->kind->accept_start(driver_of(self), &self->io, max);
}

void stop_accept(probe *self)
{
    driver_of(self)->kind->accept_stop(driver_of(self), &self->io);
}

int start_recvfrom(probe *self)
{
    return driver_of(self)->kind->recvfrom_start(driver_of(self), &self->io);
}

void stop_recvfrom(probe *self)
{
    driver_of(self)->kind->recvfrom_stop(driver_of(self), &self->io);
}

int start_sendto(probe *self, const iso_buffer *data, const iso_address *to)
{
    self->op.what.send.list = data;
    self->op.what.send.count = 1;
    self->op.what.send.to = to;
    return driver_of(self)->kind->sendto(driver_of(self), &self->op);
}

int watch(probe *self, unsigned events)
{
    return driver_of(self)->kind->watch(driver_of(self), &self->io, events);
}

int start_send(probe *self, const iso_buffer *list, size_t count)
{
    self->op.what.send.list = list;
    self->op.what.send.count = count;
    return driver_of(self)->kind->send(driver_of(self), &self->op);
}

int start_connect(probe *self, const iso_address *address)
{
    return driver_of(self)->kind->connect(driver_of(self), &self->op, address);
}

int start_sendfile(probe *self, iso_fd file, uint64_t offset, size_t size)
{
    self->op.what.file.fd = file;
    self->op.what.file.offset = offset;
    self->op.what.file.size = size;
    return driver_of(self)->kind->sendfile(driver_of(self), &self->op);
}

bool withdraw(probe *self)
{
    return driver_of(self)->kind->withdraw(driver_of(self), &self->op);
}

/* ---- turns ---- */

#define GENEROUS ISO_S(20)

void turn(iso__engine *engine)
{
    CHECK_GE(iso__engine_turn(engine, 0), 0);
}

static void turn_while_below(probe *self, const int *count, int wanted)
{
    iso_nsec end = kit_now() + GENEROUS;

    while (*count < wanted && kit_now() < end)
        CHECK_GE(iso__engine_turn(self->engine, ISO_S(1)), 0);
    CHECK_GE(*count, wanted);
}

void turn_until(probe *self, int told)
{
    turn_while_below(self, &self->told, told);
}

void turn_until_done(probe *self, int results)
{
    turn_while_below(self, &self->results, results);
}

void told_exactly(probe *self, int told)
{
    turn_until(self, told);
    turn(self->engine);
    CHECK_EQ(self->told, told);
}

void let_arrive(probe *self)
{
    int left = 20;

    if (is_reactor(self->engine)) kit_await(self->k, self->io.fd, READ);
    while (left-- > 0) CHECK_GE(iso__engine_turn(self->engine, ISO_US(200)), 0);
}

void let_go(iso__engine *engine)
{
    iso__driver *driver = engine->driver;
    iso_nsec end = kit_now() + GENEROUS;

    while (driver->kind->held(driver) > 0 && kit_now() < end)
        CHECK_GE(iso__engine_turn(engine, ISO_MS(100)), 0);
    CHECK_EQ(driver->kind->held(driver), 0);
}

void finish(iso__engine *engine)
{
    turn(engine);
    let_go(engine);
    CHECK_EQ(engine->ios.count, engine->driver->kind->own_ios);
}
