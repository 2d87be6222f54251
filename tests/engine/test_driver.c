/* SPDX-License-Identifier: MIT */
/* The laws of a driver (engine/driver.h), on the reactor over the poller that the matrix names. */
#include "engine/driver.h"
#include "kit.h"
#include "loop/loop.h"
#include "sys/descriptor.h"
#include "sys/sock.h"

#include <stdlib.h>
#include <string.h>

enum { READ = ISO_EVENT_READ, WRITE = ISO_EVENT_WRITE, GONE = ISO_EVENT_GONE };

/* ---- an owner of a descriptor, that writes down what it is told ---- */

typedef struct probe {
    iso__io io;
    iso__op op;
    kit *k;
    iso__engine *engine;
    const char *name;
    int told; /* how often, of anything */
    ptrdiff_t last;
    ptrdiff_t result; /* of the operation */
    int results;
    size_t total;
    char bytes[256]; /* the first ones that came */
    const void *data;
    char *lent; /* memory to read into */
    size_t lent_size;
    iso_fd accepted[8];
    int accepted_count;
    int accept_most; /* then it says stop */
    iso_address peer;
    void (*then)(struct probe *self);
    struct probe *other;
} probe;

static iso__driver *driver_of(const probe *self)
{
    return self->engine->driver;
}

static void tell(probe *self, const char *what)
{
    self->told++;
    if (self->name != NULL) {
        kit_add_mark(self->k, self->name);
        kit_add_mark(self->k, what);
    }
    if (self->then != NULL) self->then(self);
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
        self->accepted[self->accepted_count++ % 8] = kit_own(self->k, fd);
        self->peer = *peer;
    } else {
        CHECK_EQ(fd, ISO_FD_NONE);
    }
    goes_on = self->accepted_count < self->accept_most;
    tell(self, error == 0 ? "a" : "x");
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

static const iso__io_class reading = { .received = probe_received };
static const iso__io_class lending = { .received = probe_received, .lend = probe_lend };
static const iso__io_class accepting = { .accepted = probe_accepted };
static const iso__io_class watching = { .ready = probe_ready };

/* ---- the rig ---- */

static iso__engine *begin(kit *k)
{
    iso_loop_options options = kit_options(k);

    options.selector = kit_selector(k);
    return &kit_loop_with(k, &options)->engine;
}

static void attach(kit *k, iso__engine *engine, probe *self, iso_fd fd, const iso__io_class *kind)
{
    memset(self, 0, sizeof(*self));
    self->k = k;
    self->engine = engine;
    self->io.fd = fd;
    self->io.kind = kind;
    self->op.io = &self->io;
    self->op.done = probe_done;
    self->accept_most = 1000;
    REQUIRE_OK(iso__engine_attach(engine, &self->io));
}

static void detach(probe *self)
{
    iso__engine_detach(self->engine, &self->io);
}

static void turn(iso__engine *engine)
{
    CHECK_GE(iso__engine_turn(engine, 0), 0);
}

/* Turns until the probe was told this often. */
static void turn_until(probe *self, int told)
{
    iso_nsec end = kit_now() + ISO_S(20);

    while (self->told < told && kit_now() < end)
        CHECK_GE(iso__engine_turn(self->engine, ISO_S(1)), 0);
    CHECK_GE(self->told, told);
}

/* ---- law 1: it calls nobody ---- */

KIT_TEST(starting_to_read_what_is_there_tells_nothing_before_the_turn)
{
    iso__engine *engine = begin(k);
    iso_fd pair[2];
    probe it;

    kit_pair(k, pair);
    kit_send(k, pair[1], "hello", 5);
    kit_await(k, pair[0], READ);
    attach(k, engine, &it, pair[0], &reading);
    CHECK_OK(driver_of(&it)->kind->recv_start(driver_of(&it), &it.io));
    CHECK_EQ(it.told, 0);
    turn(engine);
    CHECK_EQ(it.told, 1);
    CHECK_EQ(it.last, 5);
    CHECK_STR(it.bytes, "hello");
    detach(&it);
}

KIT_TEST(starting_to_accept_who_waits_tells_nothing_before_the_turn)
{
    iso__engine *engine = begin(k);
    iso_address address;
    iso_fd listener = kit_listen(k, &address);
    iso_fd client = kit_connect(k, &address);
    iso_address mine;
    probe it;

    kit_await(k, listener, READ);
    attach(k, engine, &it, listener, &accepting);
    CHECK_OK(driver_of(&it)->kind->accept_start(driver_of(&it), &it.io, 10));
    CHECK_EQ(it.told, 0);
    turn(engine);
    CHECK_EQ(it.accepted_count, 1);
    /* with the address of the other side */
    CHECK_OK(iso__sys_socket_sockname(client, &mine));
    CHECK_EQ(iso_address_port(&it.peer), iso_address_port(&mine));
    CHECK_EQ(iso_address_version(&it.peer), 4);
    detach(&it);
}

KIT_TEST(sending_tells_nothing_before_the_turn)
{
    iso__engine *engine = begin(k);
    iso_buffer list[3] = { { "ab", 2 }, { "", 0 }, { "cde", 3 } };
    iso_fd pair[2];
    char got[6] = "";
    probe it;

    kit_pair(k, pair);
    attach(k, engine, &it, pair[0], &reading);
    it.op.list = list;
    it.op.count = 3;
    CHECK_OK(driver_of(&it)->kind->send(driver_of(&it), &it.op));
    CHECK_EQ(it.results, 0);
    turn_until(&it, 1);
    CHECK_EQ(it.result, 5);
    CHECK_EQ(kit_recv(k, pair[1], got, 5), 5);
    CHECK_STR(got, "abcde");
    detach(&it);
}

KIT_TEST(a_connection_that_fails_at_once_tells_nothing_before_the_turn)
{
    iso__engine *engine = begin(k);
    iso_address address;
    iso_fd fd = ISO_FD_NONE;
    probe it;

    REQUIRE_OK(iso__sys_socket_open(&fd, 4));
    (void)kit_own(k, fd);
    kit_dead_address(k, &address);
    attach(k, engine, &it, fd, &reading);
    CHECK_OK(driver_of(&it)->kind->connect(driver_of(&it), &it.op, &address));
    CHECK_EQ(it.results, 0);
    turn_until(&it, 1);
    CHECK_RC(it.result, ISO_ECONNREFUSED);
    CHECK_EQ(it.results, 1);
    detach(&it);
}

KIT_TEST(a_connection_is_told_when_it_is_there)
{
    iso__engine *engine = begin(k);
    iso_address address;
    iso_fd fd = ISO_FD_NONE;
    probe it;

    (void)kit_listen(k, &address);
    REQUIRE_OK(iso__sys_socket_open(&fd, 4));
    (void)kit_own(k, fd);
    attach(k, engine, &it, fd, &reading);
    CHECK_OK(driver_of(&it)->kind->connect(driver_of(&it), &it.op, &address));
    CHECK_EQ(it.results, 0);
    turn_until(&it, 1);
    CHECK_OK(it.result);
    turn(engine);
    CHECK_EQ(it.results, 1); /* once */
    detach(&it);
}

/* ---- law 2: what arrives is borrowed, or in the owner's memory ---- */

KIT_TEST(what_arrives_goes_straight_into_memory_that_was_lent)
{
    iso__engine *engine = begin(k);
    char memory[4];
    iso_fd pair[2];
    probe it;

    kit_pair(k, pair);
    attach(k, engine, &it, pair[0], &lending);
    it.lent = memory;
    it.lent_size = sizeof(memory);
    CHECK_OK(driver_of(&it)->kind->recv_start(driver_of(&it), &it.io));
    kit_send(k, pair[1], "123456", 6);
    turn_until(&it, 1);
    CHECK_PTR(it.data, memory);
    CHECK_EQ(it.last, 4);
    /* what it had no place for comes in the next turn */
    turn_until(&it, 2);
    CHECK_EQ(it.total, 6);
    CHECK_STR(it.bytes, "123456");
    detach(&it);
}

KIT_TEST(the_end_of_the_stream_is_zero_bytes)
{
    iso__engine *engine = begin(k);
    iso_fd pair[2];
    probe it;

    kit_pair(k, pair);
    attach(k, engine, &it, pair[0], &reading);
    it.last = -1;
    CHECK_OK(driver_of(&it)->kind->recv_start(driver_of(&it), &it.io));
    CHECK_OK(iso__sys_socket_shutdown_write(pair[1]));
    turn_until(&it, 1);
    CHECK_EQ(it.last, 0);
    detach(&it);
}

KIT_TEST(a_broken_stream_is_an_error)
{
    iso__engine *engine = begin(k);
    iso_address address;
    iso_fd listener = kit_listen(k, &address);
    iso_fd client = kit_connect(k, &address);
    iso_fd accepted = kit_accept(k, listener);
    probe it;

    attach(k, engine, &it, client, &reading);
    CHECK_OK(driver_of(&it)->kind->recv_start(driver_of(&it), &it.io));
    iso__sys_socket_reset(kit_give(k, accepted));
    turn_until(&it, 1);
    /* Wine tells a reset that came before the read as a clean end. */
    CHECK_EQ(it.last, kit_is_wine() && it.last == 0 ? 0 : ISO_ECONNRESET);
    detach(&it);
}

KIT_TEST(much_data_arrives_whole_in_pieces_of_any_size)
{
    enum { SIZE = 300000 };
    iso__engine *engine = begin(k);
    char *sent = malloc(SIZE);
    size_t done = 0;
    iso_fd pair[2];
    probe it;
    int at;

    REQUIRE(sent != NULL);
    for (at = 0; at < SIZE; at++) sent[at] = (char)at;
    kit_pair(k, pair);
    attach(k, engine, &it, pair[0], &reading);
    CHECK_OK(driver_of(&it)->kind->recv_start(driver_of(&it), &it.io));
    while (it.total < SIZE && !kit_has_failed(k)) {
        ptrdiff_t part = iso__sys_socket_send(pair[1], sent + done, SIZE - done);
        if (part > 0) done += (size_t)part;
        if (it.total < done) turn_until(&it, it.told + 1);
    }
    CHECK_EQ(it.total, SIZE);
    CHECK(memcmp(it.bytes, sent, sizeof(it.bytes)) == 0);
    free(sent);
    detach(&it);
}

/* ---- law 3: withdrawing, and stopping without loss ---- */

KIT_TEST(an_operation_that_was_withdrawn_is_not_told)
{
    iso__engine *engine = begin(k);
    iso_buffer list[1] = { { "abc", 3 } };
    iso_fd pair[2];
    probe it;

    kit_pair(k, pair);
    attach(k, engine, &it, pair[0], &reading);
    it.op.list = list;
    it.op.count = 1;
    CHECK_OK(driver_of(&it)->kind->send(driver_of(&it), &it.op));
    CHECK(driver_of(&it)->kind->withdraw(driver_of(&it), &it.op));
    turn(engine);
    turn(engine);
    CHECK_EQ(it.results, 0);
    /* and can be begun again */
    CHECK_OK(driver_of(&it)->kind->send(driver_of(&it), &it.op));
    turn_until(&it, 1);
    CHECK_EQ(it.result, 3);
    detach(&it);
}

KIT_TEST(a_connection_that_was_withdrawn_is_not_told)
{
    iso__engine *engine = begin(k);
    iso_address address;
    iso_fd fd = ISO_FD_NONE;
    probe it;

    kit_dead_address(k, &address);
    REQUIRE_OK(iso__sys_socket_open(&fd, 4));
    (void)kit_own(k, fd);
    attach(k, engine, &it, fd, &reading);
    CHECK_OK(driver_of(&it)->kind->connect(driver_of(&it), &it.op, &address));
    CHECK(driver_of(&it)->kind->withdraw(driver_of(&it), &it.op));
    turn(engine);
    CHECK_EQ(it.results, 0);
    detach(&it);
}

KIT_TEST(stopping_to_read_keeps_what_comes)
{
    iso__engine *engine = begin(k);
    iso_fd pair[2];
    probe it;

    kit_pair(k, pair);
    attach(k, engine, &it, pair[0], &reading);
    CHECK_OK(driver_of(&it)->kind->recv_start(driver_of(&it), &it.io));
    driver_of(&it)->kind->recv_stop(driver_of(&it), &it.io);
    kit_send(k, pair[1], "kept", 4);
    kit_await(k, pair[0], READ);
    turn(engine);
    turn(engine);
    CHECK_EQ(it.told, 0);
    CHECK_OK(driver_of(&it)->kind->recv_start(driver_of(&it), &it.io));
    turn_until(&it, 1);
    CHECK_STR(it.bytes, "kept");
    detach(&it);
}

static void stop_the_other(probe *self)
{
    driver_of(self)->kind->recv_stop(driver_of(self), &self->other->io);
}

KIT_TEST(one_that_is_stopped_by_another_of_the_same_turn_is_not_told)
{
    iso__engine *engine = begin(k);
    iso_fd pairs[2][2];
    probe its[2];
    int at;

    /* given two that can be read at once, the first of which stops the other */
    for (at = 0; at < 2; at++) {
        kit_pair(k, pairs[at]);
        kit_poke(k, pairs[at][1]);
        kit_await(k, pairs[at][0], READ);
        attach(k, engine, &its[at], pairs[at][0], &reading);
        its[at].then = stop_the_other;
        its[at].other = &its[1 - at];
        CHECK_OK(driver_of(&its[at])->kind->recv_start(driver_of(&its[at]), &its[at].io));
    }
    turn(engine);
    CHECK_EQ(its[0].told + its[1].told, 1);
    /* when the other is started again, then nothing was lost */
    at = its[0].told == 0 ? 0 : 1;
    CHECK_OK(driver_of(&its[at])->kind->recv_start(driver_of(&its[at]), &its[at].io));
    turn_until(&its[at], 1);
    CHECK_EQ(its[at].total, 1);
    detach(&its[0]);
    detach(&its[1]);
}

static void stop_itself(probe *self)
{
    driver_of(self)->kind->recv_stop(driver_of(self), &self->io);
}

KIT_TEST(one_read_after_the_other_loses_nothing)
{
    iso__engine *engine = begin(k);
    char text[40] = "";
    iso_fd pair[2];
    probe it;
    int round;

    /* given an owner that stops with each read, as a one-shot receive does */
    kit_pair(k, pair);
    attach(k, engine, &it, pair[0], &reading);
    it.then = stop_itself;
    for (round = 0; round < 20; round++) {
        char byte = (char)('a' + round);

        text[round] = byte;
        kit_send(k, pair[1], &byte, 1);
        if (round % 3 == 0) turn(engine); /* an event that nobody wants */
        CHECK_OK(driver_of(&it)->kind->recv_start(driver_of(&it), &it.io));
        turn_until(&it, round + 1);
    }
    CHECK_STR(it.bytes, text);
    detach(&it);
}

/* ---- law 4: after detach ---- */

KIT_TEST(nothing_is_told_after_detach_and_the_descriptor_is_open)
{
    iso__engine *engine = begin(k);
    probe *it = malloc(sizeof(*it));
    iso_fd pair[2];

    REQUIRE(it != NULL);
    kit_pair(k, pair);
    attach(k, engine, it, pair[0], &reading);
    CHECK_OK(driver_of(it)->kind->recv_start(driver_of(it), &it->io));
    kit_poke(k, pair[1]);
    kit_await(k, pair[0], READ);
    detach(it);
    free(it); /* nobody looks at it any more */
    turn(engine);
    CHECK_EQ(iso__sys_descriptor_kind(pair[0]), ISO__DESCRIPTOR_SOCKET);
}

static void detach_both(probe *self)
{
    detach(self->other);
    detach(self);
    memset(&self->other->io, 0xDF, sizeof(self->other->io));
    memset(&self->io, 0xDF, sizeof(self->io));
    self->io.is_attached = false;
    self->other->io.is_attached = false;
}

KIT_TEST(an_owner_may_detach_itself_and_another_of_the_same_turn)
{
    iso__engine *engine = begin(k);
    iso_fd pairs[2][2];
    probe its[2];
    int at;

    for (at = 0; at < 2; at++) {
        kit_pair(k, pairs[at]);
        kit_poke(k, pairs[at][1]);
        kit_await(k, pairs[at][0], READ);
        attach(k, engine, &its[at], pairs[at][0], &watching);
        its[at].then = detach_both;
        its[at].other = &its[1 - at];
        CHECK_OK(driver_of(&its[at])->kind->watch(driver_of(&its[at]), &its[at].io, READ | WRITE));
    }
    turn(engine);
    turn(engine);
    CHECK_EQ(its[0].told + its[1].told, 1);
}

static void detach_itself(probe *self)
{
    detach(self);
}

KIT_TEST(an_owner_that_detaches_in_done_is_left_alone)
{
    iso__engine *engine = begin(k);
    iso_buffer list[1] = { { "abc", 3 } };
    iso_fd pair[2];
    probe it;

    kit_pair(k, pair);
    attach(k, engine, &it, pair[0], &reading);
    it.op.list = list;
    it.op.count = 1;
    it.then = detach_itself;
    kit_poke(k, pair[1]);
    kit_await(k, pair[0], READ);
    CHECK_OK(driver_of(&it)->kind->send(driver_of(&it), &it.op));
    turn_until(&it, 1);
    turn(engine);
    CHECK_EQ(it.told, 1);
}

KIT_TEST(a_number_can_be_attached_again)
{
    iso__engine *engine = begin(k);
    iso_fd pair[2];
    probe first;
    probe second;

    kit_pair(k, pair);
    attach(k, engine, &first, pair[0], &reading);
    CHECK_OK(driver_of(&first)->kind->recv_start(driver_of(&first), &first.io));
    detach(&first);
    attach(k, engine, &second, pair[0], &reading);
    CHECK_OK(driver_of(&second)->kind->recv_start(driver_of(&second), &second.io));
    kit_poke(k, pair[1]);
    turn_until(&second, 1);
    CHECK_EQ(first.told, 0);
    detach(&second);
}

KIT_TEST(detaching_twice_is_fine)
{
    iso__engine *engine = begin(k);
    iso_fd pair[2];
    probe it;

    kit_pair(k, pair);
    attach(k, engine, &it, pair[0], &reading);
    detach(&it);
    detach(&it);
    CHECK_EQ(engine->ios.count, 1); /* that of the wake-up */
}

/* ---- law 5: a refusal leaves everything as it was ---- */

KIT_TEST(a_second_io_of_one_descriptor_is_refused)
{
    iso__engine *engine = begin(k);
    iso_fd pair[2];
    probe it;
    probe second;

    kit_pair(k, pair);
    attach(k, engine, &it, pair[0], &reading);
    CHECK_OK(driver_of(&it)->kind->recv_start(driver_of(&it), &it.io));
    memset(&second, 0, sizeof(second));
    second.io.fd = pair[0];
    second.io.kind = &watching;
    CHECK_RC(iso__engine_attach(engine, &second.io), ISO_EBUSY);
    kit_poke(k, pair[1]);
    turn_until(&it, 1);
    detach(&it);
}

KIT_TEST(what_cannot_be_watched_is_refused_and_can_be_tried_again)
{
    iso__engine *engine = begin(k);
    probe it;

    attach(k, engine, &it, kit_regular_file(k), &watching);
    CHECK_RC(driver_of(&it)->kind->watch(driver_of(&it), &it.io, READ), ISO_EREGULARFILE);
    CHECK_RC(driver_of(&it)->kind->watch(driver_of(&it), &it.io, WRITE), ISO_EREGULARFILE);
    CHECK_RC(driver_of(&it)->kind->recv_start(driver_of(&it), &it.io), ISO_EREGULARFILE);
    CHECK_RC(driver_of(&it)->kind->accept_start(driver_of(&it), &it.io, 1), ISO_EREGULARFILE);
    CHECK_RC(driver_of(&it)->kind->send(driver_of(&it), &it.op), ISO_EREGULARFILE);
    turn(engine);
    CHECK_EQ(it.told, 0);
    detach(&it);
}

KIT_TEST(attaching_without_memory_is_refused)
{
    iso__engine *engine = begin(k);
    iso_fd pairs[20][2];
    static probe its[20];
    int at;

    for (at = 0; at < 20; at++) {
        int rc;

        kit_pair(k, pairs[at]);
        memset(&its[at], 0, sizeof(its[at]));
        its[at].engine = engine;
        its[at].io.fd = pairs[at][0];
        its[at].io.kind = &watching;
        kit_fail_allocation(k, 1, true);
        rc = iso__engine_attach(engine, &its[at].io);
        kit_fail_allocation(k, 0, false);
        if (rc == 0) continue;
        CHECK_RC(rc, ISO_ENOMEM);
        CHECK_EQ(engine->ios.count, at + 1);
        CHECK_OK(iso__engine_attach(engine, &its[at].io));
    }
    for (at = 0; at < 20; at++) detach(&its[at]);
}

KIT_TEST(reading_without_memory_is_refused)
{
    iso__engine *engine = begin(k);
    iso_fd pair[2];
    probe it;

    kit_pair(k, pair);
    attach(k, engine, &it, pair[0], &reading);
    kit_poke(k, pair[1]);
    kit_fail_allocation(k, 1, true);
    CHECK_RC(driver_of(&it)->kind->recv_start(driver_of(&it), &it.io), ISO_ENOMEM);
    kit_fail_allocation(k, 0, false);
    turn(engine);
    CHECK_EQ(it.told, 0);
    CHECK_OK(driver_of(&it)->kind->recv_start(driver_of(&it), &it.io));
    turn_until(&it, 1);
    detach(&it);
}

/* ---- accepting ---- */

static void connect_many(kit *k, const iso_address *address, iso_fd listener, int count)
{
    int at;

    for (at = 0; at < count; at++) kit_await(k, kit_connect(k, address), WRITE);
    kit_await(k, listener, READ);
}

KIT_TEST(no_more_connections_a_turn_than_asked_for_are_told)
{
    iso__engine *engine = begin(k);
    iso_address address;
    iso_fd listener = kit_listen(k, &address);
    probe it;

    connect_many(k, &address, listener, 5);
    attach(k, engine, &it, listener, &accepting);
    CHECK_OK(driver_of(&it)->kind->accept_start(driver_of(&it), &it.io, 2));
    turn(engine);
    CHECK_EQ(it.accepted_count, 2);
    turn(engine);
    CHECK_EQ(it.accepted_count, 4);
    turn_until(&it, 5);
    CHECK_EQ(it.accepted_count, 5);
    detach(&it);
}

static void free_itself(probe *self)
{
    if (self->accepted_count < 2) return;
    self->accept_most = 0;
    detach(self);
    memset(&self->io, 0xDF, sizeof(self->io));
}

KIT_TEST(an_owner_that_says_stop_may_be_gone)
{
    iso__engine *engine = begin(k);
    iso_address address;
    iso_fd listener = kit_listen(k, &address);
    probe it;

    connect_many(k, &address, listener, 4);
    attach(k, engine, &it, listener, &accepting);
    it.then = free_itself;
    it.accept_most = 2;
    CHECK_OK(driver_of(&it)->kind->accept_start(driver_of(&it), &it.io, 100));
    turn(engine);
    CHECK_EQ(it.accepted_count, 2);
    turn(engine);
    CHECK_EQ(it.accepted_count, 2);
}

KIT_TEST(accepting_can_stop_and_go_on)
{
    iso__engine *engine = begin(k);
    iso_address address;
    iso_fd listener = kit_listen(k, &address);
    probe it;

    attach(k, engine, &it, listener, &accepting);
    CHECK_OK(driver_of(&it)->kind->accept_start(driver_of(&it), &it.io, 10));
    driver_of(&it)->kind->accept_stop(driver_of(&it), &it.io);
    connect_many(k, &address, listener, 1);
    turn(engine);
    turn(engine);
    CHECK_EQ(it.told, 0);
    CHECK_OK(driver_of(&it)->kind->accept_start(driver_of(&it), &it.io, 10));
    turn_until(&it, 1);
    CHECK_EQ(it.accepted_count, 1);
    detach(&it);
}

KIT_TEST(an_error_of_accepting_is_told)
{
    iso__engine *engine = begin(k);
    iso_address address;
    iso_fd listener = kit_listen(k, &address);
    probe it;

    connect_many(k, &address, listener, 1);
    attach(k, engine, &it, listener, &accepting);
    CHECK_OK(driver_of(&it)->kind->accept_start(driver_of(&it), &it.io, 1));
    if (kit_exhaust(k)) {
        turn(engine);
        CHECK_RC(it.last, ISO_EMFILE);
        kit_replenish(k);
        it.told = 0;
        turn_until(&it, 1);
        CHECK_EQ(it.accepted_count, 1);
    }
    detach(&it);
}

/* ---- watching ---- */

KIT_TEST(who_watches_is_told_of_reading_then_of_writing)
{
    iso__engine *engine = begin(k);
    iso_fd pair[2];
    probe it;

    kit_pair(k, pair);
    kit_poke(k, pair[1]);
    kit_await(k, pair[0], READ);
    attach(k, engine, &it, pair[0], &watching);
    it.name = "";
    CHECK_OK(driver_of(&it)->kind->watch(driver_of(&it), &it.io, READ | WRITE));
    turn(engine);
    CHECK_STR(kit_marks(k), "RW");
    turn(engine);
    CHECK_STR(kit_marks(k), "RWRW");
    detach(&it);
}

KIT_TEST(watching_takes_the_events_that_are_wanted_from_now_on)
{
    iso__engine *engine = begin(k);
    iso_fd pair[2];
    probe it;

    kit_pair(k, pair);
    kit_poke(k, pair[1]);
    kit_await(k, pair[0], READ);
    attach(k, engine, &it, pair[0], &watching);
    it.name = "";
    CHECK_OK(driver_of(&it)->kind->watch(driver_of(&it), &it.io, READ));
    turn(engine);
    CHECK_OK(driver_of(&it)->kind->watch(driver_of(&it), &it.io, WRITE));
    turn(engine);
    CHECK_OK(driver_of(&it)->kind->watch(driver_of(&it), &it.io, 0));
    turn(engine);
    turn(engine);
    CHECK_STR(kit_marks(k), "RW");
    CHECK_OK(driver_of(&it)->kind->watch(driver_of(&it), &it.io, READ | WRITE));
    turn(engine);
    CHECK_STR(kit_marks(k), "RWRW");
    detach(&it);
}

static void watch_no_writing(probe *self)
{
    CHECK_OK(driver_of(self)->kind->watch(driver_of(self), &self->io, READ));
}

KIT_TEST(a_reader_can_do_away_with_the_writer_of_the_same_turn)
{
    iso__engine *engine = begin(k);
    iso_fd pair[2];
    probe it;

    kit_pair(k, pair);
    kit_poke(k, pair[1]);
    kit_await(k, pair[0], READ);
    attach(k, engine, &it, pair[0], &watching);
    it.name = "";
    it.then = watch_no_writing;
    CHECK_OK(driver_of(&it)->kind->watch(driver_of(&it), &it.io, READ | WRITE));
    turn(engine);
    CHECK_STR(kit_marks(k), "R");
    detach(&it);
}

static void let_the_other_forget_its_reading(probe *self)
{
    iso__io *other = &self->other->io;

    CHECK_OK(driver_of(self)->kind->watch(driver_of(self), other, WRITE));
    CHECK_OK(driver_of(self)->kind->watch(driver_of(self), other, READ | WRITE));
}

KIT_TEST(what_was_due_is_not_told_to_who_stopped_and_began_again)
{
    iso__engine *engine = begin(k);
    iso_fd pairs[2][2];
    probe its[2];
    int at;

    /* given two that can be read and written, the first of which stops the reading of the other */
    for (at = 0; at < 2; at++) {
        kit_pair(k, pairs[at]);
        kit_poke(k, pairs[at][1]);
        kit_await(k, pairs[at][0], READ);
        attach(k, engine, &its[at], pairs[at][0], &watching);
        its[at].then = let_the_other_forget_its_reading;
        its[at].other = &its[1 - at];
        CHECK_OK(driver_of(&its[at])->kind->watch(driver_of(&its[at]), &its[at].io, READ | WRITE));
    }
    turn(engine);
    /* then that one is told of its writing only */
    CHECK_EQ(its[0].told + its[1].told, 3);
    /* and of its reading in the next turn */
    its[0].then = NULL;
    its[1].then = NULL;
    turn(engine);
    CHECK_EQ(its[0].told + its[1].told, 7);
    detach(&its[0]);
    detach(&its[1]);
}

KIT_TEST(a_descriptor_that_was_closed_is_told_once_and_does_not_spin)
{
    iso__engine *engine = begin(k);
    const char *name = kit_poller(k)->name;
    iso_fd pair[2];
    probe it;
    int round;

    kit_pair(k, pair);
    attach(k, engine, &it, pair[0], &watching);
    CHECK_OK(driver_of(&it)->kind->watch(driver_of(&it), &it.io, READ));
    kit_close(k, pair[0]);
    for (round = 0; round < 5; round++) turn(engine);
    /* epoll and kqueue do not let one see it */
    CHECK_EQ(it.told, strcmp(name, "poll") == 0 || strcmp(name, "select") == 0 ? 1 : 0);
    if (it.told > 0) CHECK_EQ(it.last, GONE);
    detach(&it);
}

/* ---- a send, and a receive, at once ---- */

KIT_TEST(a_send_that_finds_no_place_waits_for_it)
{
    iso__engine *engine = begin(k);
    iso_buffer list[1] = { { "abc", 3 } };
    static char sink[65536];
    iso_fd pair[2];
    size_t filled;
    probe it;

    /* given a stream that takes no more */
    kit_pair(k, pair);
    filled = kit_fill(k, pair[0]);
    attach(k, engine, &it, pair[0], &reading);
    CHECK_OK(driver_of(&it)->kind->recv_start(driver_of(&it), &it.io));
    it.op.list = list;
    it.op.count = 1;
    CHECK_OK(driver_of(&it)->kind->send(driver_of(&it), &it.op));
    turn(engine);
    CHECK_EQ(it.results, 0);
    /* when the other side reads */
    while (filled > 0) {
        size_t part = filled < sizeof(sink) ? filled : sizeof(sink);
        REQUIRE(kit_recv(k, pair[1], sink, part) == (ptrdiff_t)part);
        filled -= part;
    }
    /* then it goes on */
    turn_until(&it, 1);
    CHECK_EQ(it.result, 3);
    CHECK_EQ(kit_recv(k, pair[1], sink, 3), 3);
    CHECK(memcmp(sink, "abc", 3) == 0);
    detach(&it);
}

KIT_TEST(sending_into_a_stream_that_is_gone_is_an_error)
{
    iso__engine *engine = begin(k);
    iso_buffer list[1] = { { "abc", 3 } };
    iso_fd pair[2];
    probe it;
    int round;

    kit_pair(k, pair);
    attach(k, engine, &it, pair[0], &reading);
    kit_close(k, pair[1]);
    it.op.list = list;
    it.op.count = 1;
    for (round = 0; round < 100 && it.result >= 0; round++) { /* TCP finds out with a later one */
        CHECK_OK(driver_of(&it)->kind->send(driver_of(&it), &it.op));
        turn_until(&it, it.told + 1);
    }
    CHECK(it.result == ISO_EPIPE || it.result == ISO_ECONNRESET || it.result == ISO_ECONNABORTED);
    detach(&it);
}

/* ---- wake, fileno ---- */

KIT_TEST(a_wake_up_lets_the_next_turn_not_wait)
{
    iso__engine *engine = begin(k);
    iso_nsec before = kit_now();

    engine->driver->kind->wake(engine->driver);
    engine->driver->kind->wake(engine->driver);
    CHECK_GE(iso__engine_turn(engine, ISO_FOREVER), 0);
    CHECK_LE(kit_now() - before, ISO_S(10));
    /* and that is over with it */
    CHECK_EQ(iso__engine_turn(engine, 0), 0);
}

static void wake_it(void *arg)
{
    iso__engine *engine = arg;

    engine->driver->kind->wake(engine->driver);
}

KIT_TEST(a_wake_up_of_another_thread_ends_a_wait)
{
    iso__engine *engine = begin(k);

    kit_thread(k, wake_it, engine);
    CHECK_GE(iso__engine_turn(engine, ISO_FOREVER), 0);
}

KIT_TEST(its_own_descriptor_is_the_selectors)
{
    iso__engine *engine = begin(k);
    iso_fd own = engine->driver->kind->descriptor(engine->driver);

    CHECK_EQ(own != ISO_FD_NONE, strcmp(kit_poller(k)->name, "epoll") == 0 ||
                                     strcmp(kit_poller(k)->name, "kqueue") == 0);
    if (own != ISO_FD_NONE) {
        engine->driver->kind->wake(engine->driver);
        kit_await(k, own, READ);
    }
}

/* ---- a selector that refuses what is collected ---- */

typedef struct refuser {
    kit *k;
    const iso_selector_class *inner;
    void *self;
    int refusal; /* of what changes a registration */
    int refused;
} refuser;

static int refuser_set(void *self, iso_fd fd, unsigned was, unsigned events, void *token)
{
    refuser *it = self;

    if (it->refusal != 0 && was != 0 && events != 0) {
        it->refused++;
        return it->refusal;
    }
    return it->inner->set(it->self, fd, was, events, token);
}

static int refuser_wait(void *self, iso_nsec timeout, iso_selector_event *events, int max)
{
    refuser *it = self;

    return it->inner->wait(it->self, timeout, events, max);
}

static iso_fd refuser_fileno(void *self)
{
    (void)self;
    return ISO_FD_NONE;
}

static void refuser_close(void *self)
{
    refuser *it = self;

    it->inner->close(it->self);
}

static const iso_selector_class refuser_class = {
    .name = "refuser",
    .set = refuser_set,
    .wait = refuser_wait,
    .descriptor = refuser_fileno,
    .close = refuser_close,
};

static iso__engine *begin_with_refuser(kit *k, refuser *it)
{
    iso_loop_options options = kit_options(k);

    it->k = k;
    it->inner = kit_poller(k)->kind;
    it->refusal = 0;
    it->refused = 0;
    REQUIRE_OK(kit_poller(k)->open(&it->self, kit_allocator(k)));
    REQUIRE_OK(iso_selector_new_custom(&options.selector, &refuser_class, it));
    return &kit_loop_with(k, &options)->engine;
}

KIT_TEST(a_change_that_is_refused_is_told_by_the_call_and_leaves_all_as_it_was)
{
    static refuser selector; /* the loop outlives this function */
    iso__engine *engine = begin_with_refuser(k, &selector);
    iso_fd pair[2];
    probe it;
    int round;

    /* given a watched reader, and a selector that refuses to wait for more */
    kit_pair(k, pair);
    attach(k, engine, &it, pair[0], &watching);
    it.name = "";
    CHECK_OK(driver_of(&it)->kind->watch(driver_of(&it), &it.io, READ));
    selector.refusal = ISO_ENOTSUP;
    /* when writing is wanted too, then the call says so, */
    CHECK_EQ(driver_of(&it)->kind->watch(driver_of(&it), &it.io, READ | WRITE), ISO_ENOTSUP);
    /* nothing is told, nothing spins, */
    for (round = 0; round < 4; round++) turn(engine);
    CHECK_STR(kit_marks(k), "");
    CHECK_EQ(selector.refused, 1);
    /* and the reader goes on */
    kit_send(k, pair[1], "x", 1);
    kit_await(k, pair[0], READ);
    turn(engine);
    CHECK_EQ(it.last, READ);
    selector.refusal = 0;
    detach(&it);
}

static const kit_case cases[] = {
    KIT_CASE(starting_to_read_what_is_there_tells_nothing_before_the_turn),
    KIT_CASE(starting_to_accept_who_waits_tells_nothing_before_the_turn),
    KIT_CASE(sending_tells_nothing_before_the_turn),
    KIT_CASE(a_connection_that_fails_at_once_tells_nothing_before_the_turn),
    KIT_CASE(a_connection_is_told_when_it_is_there),
    KIT_CASE(what_arrives_goes_straight_into_memory_that_was_lent),
    KIT_CASE(the_end_of_the_stream_is_zero_bytes),
    KIT_CASE(a_broken_stream_is_an_error),
    KIT_CASE(much_data_arrives_whole_in_pieces_of_any_size),
    KIT_CASE(an_operation_that_was_withdrawn_is_not_told),
    KIT_CASE(a_connection_that_was_withdrawn_is_not_told),
    KIT_CASE(stopping_to_read_keeps_what_comes),
    KIT_CASE(one_that_is_stopped_by_another_of_the_same_turn_is_not_told),
    KIT_CASE(one_read_after_the_other_loses_nothing),
    KIT_CASE(nothing_is_told_after_detach_and_the_descriptor_is_open),
    KIT_CASE(an_owner_may_detach_itself_and_another_of_the_same_turn),
    KIT_CASE(an_owner_that_detaches_in_done_is_left_alone),
    KIT_CASE(a_number_can_be_attached_again),
    KIT_CASE(detaching_twice_is_fine),
    KIT_CASE(a_second_io_of_one_descriptor_is_refused),
    KIT_CASE(what_cannot_be_watched_is_refused_and_can_be_tried_again),
    KIT_CASE(attaching_without_memory_is_refused),
    KIT_CASE(reading_without_memory_is_refused),
    KIT_CASE(no_more_connections_a_turn_than_asked_for_are_told),
    KIT_CASE(an_owner_that_says_stop_may_be_gone),
    KIT_CASE(accepting_can_stop_and_go_on),
    KIT_CASE(an_error_of_accepting_is_told),
    KIT_CASE(who_watches_is_told_of_reading_then_of_writing),
    KIT_CASE(watching_takes_the_events_that_are_wanted_from_now_on),
    KIT_CASE(a_reader_can_do_away_with_the_writer_of_the_same_turn),
    KIT_CASE(what_was_due_is_not_told_to_who_stopped_and_began_again),
    KIT_CASE(a_descriptor_that_was_closed_is_told_once_and_does_not_spin),
    KIT_CASE(a_send_that_finds_no_place_waits_for_it),
    KIT_CASE(sending_into_a_stream_that_is_gone_is_an_error),
    KIT_CASE(a_wake_up_lets_the_next_turn_not_wait),
    KIT_CASE(a_wake_up_of_another_thread_ends_a_wait),
    KIT_CASE(its_own_descriptor_is_the_selectors),
    KIT_CASE(a_change_that_is_refused_is_told_by_the_call_and_leaves_all_as_it_was),
};

KIT_MAIN(cases)
