/* SPDX-License-Identifier: MIT */
/* The laws of a driver under random timing: what is begun is stopped, withdrawn, detached or closed
 * at any moment, thousands of times, while the other side does or does not do its part. No byte and
 * nobody who connects is lost or comes twice, everything is told as often as it was promised, and
 * in the end the kernel holds nothing. ISOLOOP_TEST_SEED chooses another course. */
#include "engine/probe.h"
#include "loop/loop.h"
#include "sys/sock.h"

#include <stdlib.h>
#include <string.h>

static iso__engine *begin(kit *k)
{
    return &kit_loop(k)->engine;
}

static bool one_in(kit *k, uint32_t bound)
{
    return kit_random_below(k, bound) == 0;
}

/* A few turns, or none. */
static void turn_at_random(kit *k, iso__engine *engine)
{
    uint32_t left = kit_random_below(k, 3);

    while (left-- > 0) turn(engine);
}

/* ---- receiving: one stream, that goes on through all of it ---- */

enum { IN_FLIGHT = 16 * 1024, LARGEST_MESSAGE = 3000 };

typedef struct stream {
    iso_fd pair[2];
    size_t sent;
    probe it;
    probe spare; /* takes turns with the other */
    char memory[64];
} stream;

/* The other side sends something, if not too much is under way. */
static void send_some(kit *k, stream *self, size_t received)
{
    char bytes[LARGEST_MESSAGE];
    size_t size =
        one_in(k, 4) ? kit_random_below(k, LARGEST_MESSAGE) + 1 : kit_random_below(k, 20) + 1;

    if (self->sent - received + size > IN_FLIGHT) return;
    probe_fill(bytes, size, self->sent);
    kit_send(k, self->pair[1], bytes, size);
    self->sent += size;
}

static void begin_stream(kit *k, iso__engine *engine, stream *self)
{
    memset(self, 0, sizeof(*self));
    kit_pair(k, self->pair);
    attach(k, engine, &self->it, self->pair[0], &probe_reading);
    self->it.is_checked = true;
    self->it.lent = self->memory;
    self->it.lent_size = 7;
}

/* All that was sent has come, and nothing more. */
static void end_stream(stream *self)
{
    iso_nsec end = kit_now() + ISO_S(20);

    CHECK_OK(start_recv(&self->it));
    while (self->it.total < self->sent && CHECK(kit_now() < end))
        CHECK_GE(iso__engine_turn(self->it.engine, ISO_MS(100)), 0);
    CHECK_EQ(self->it.total, self->sent);
    turn(self->it.engine);
    CHECK_EQ(self->it.total, self->sent);
    detach(&self->it);
}

KIT_TEST(pausing_and_resuming_loses_no_byte)
{
    enum { ROUNDS = 3000 };
    iso__engine *engine = begin(k);
    static stream s;
    int told = -1; /* since it was stopped; -1: it reads */
    int round;

    begin_stream(k, engine, &s);
    for (round = 0; round < ROUNDS && !kit_has_failed(k); round++) {
        send_some(k, &s, s.it.total);
        turn_at_random(k, engine);
        if (told >= 0) CHECK_EQ(s.it.told, told);
        if (one_in(k, 2)) {
            CHECK_OK(start_recv(&s.it));
            told = -1;
        } else {
            stop_recv(&s.it);
            told = s.it.told;
        }
        turn_at_random(k, engine);
    }
    CHECK_GE(s.sent, 100000);
    end_stream(&s);
    finish(engine);
}

KIT_TEST(an_owner_that_changes_how_it_reads_gets_every_byte_once)
{
    enum { ROUNDS = 3000 };
    iso__engine *engine = begin(k);
    static stream s;
    int round;

    /* given a receive that is under way, or full, or stopped, when the owner begins to lend memory,
     * or ends to */
    begin_stream(k, engine, &s);
    CHECK_OK(start_recv(&s.it));
    for (round = 0; round < ROUNDS && !kit_has_failed(k); round++) {
        send_some(k, &s, s.it.total);
        turn_at_random(k, engine);
        s.it.io.kind = one_in(k, 2) ? &probe_lending : &probe_reading;
        s.it.lent_size = kit_random_below(k, sizeof(s.memory)) + 1;
        turn_at_random(k, engine);
        if (one_in(k, 4)) stop_recv(&s.it);
        turn_at_random(k, engine);
        CHECK_OK(start_recv(&s.it));
    }
    CHECK_GE(s.sent, 50000);
    end_stream(&s);
    finish(engine);
}

/* The socket goes to another owner that lends memory, as one sock_recv does after the other. */
static void hand_over(stream *self)
{
    size_t total = self->it.total;

    detach(&self->it);
    memset(&self->it.io, 0xDF, sizeof(self->it.io)); /* nobody looks at it any more */
    self->spare = self->it;
    attach(self->it.k, self->it.engine, &self->it, self->pair[0], &probe_lending);
    self->it.total = total;
    self->it.is_checked = true;
    self->it.lent = self->memory;
    self->it.lent_size = sizeof(self->memory);
}

KIT_TEST(receives_that_are_cancelled_lose_no_byte)
{
    enum { ROUNDS = 6000 };
    iso__engine *engine = begin(k);
    static stream s;
    int round;

    begin_stream(k, engine, &s);
    s.it.io.kind = &probe_lending;
    for (round = 0; round < ROUNDS && !kit_has_failed(k); round++) {
        CHECK_OK(start_recv(&s.it));
        if (one_in(k, 2)) send_some(k, &s, s.it.total);
        turn_at_random(k, engine);
        if (one_in(k, 4)) stop_recv(&s.it);
        if (one_in(k, 2)) send_some(k, &s, s.it.total);
        if (one_in(k, 4)) turn(engine);
        if (one_in(k, 2)) stop_recv(&s.it);
        hand_over(&s);
        if (one_in(k, 4)) turn(engine);
    }
    CHECK_GE(s.sent, 100000);
    end_stream(&s);
    finish(engine);
}

KIT_TEST(receives_are_cancelled_by_closing)
{
    enum { ROUNDS = 1500, HELD = 8 };
    iso__engine *engine = begin(k);
    iso_fd others[HELD];
    int round;
    int at;

    for (at = 0; at < HELD; at++) others[at] = ISO_FD_NONE;
    for (round = 0; round < ROUNDS && !kit_has_failed(k); round++) {
        probe *it = malloc(sizeof(*it));
        iso_fd pair[2];

        REQUIRE(it != NULL);
        kit_pair(k, pair);
        attach(k, engine, it, pair[0], &probe_reading);
        it->is_checked = true;
        CHECK_OK(start_recv(it));
        turn_at_random(k, engine);
        if (one_in(k, 2)) kit_send(k, pair[1], "", 1); /* probe_byte(0) */
        if (one_in(k, 4)) CHECK_OK(iso__sys_socket_shutdown_write(pair[1]));
        turn_at_random(k, engine);
        if (one_in(k, 4)) stop_recv(it);
        detach_and_close(it);
        memset(it, 0xDF, sizeof(*it));
        free(it);
        /* the other side closes some time later, or at once */
        at = (int)kit_random_below(k, HELD);
        if (others[at] != ISO_FD_NONE) kit_close(k, others[at]);
        others[at] = pair[1];
    }
    finish(engine);
}

/* ---- sending ---- */

enum { LARGEST_SEND = 40000 };

/* A stream that is sent; while `known`, what was sent is known to the byte. */
typedef struct outflow {
    probe it;
    iso_fd other;
    size_t sent;
    size_t most; /* that may have been sent */
    size_t received;
    iso_buffer piece;
    char bytes[LARGEST_SEND]; /* lent to the operation */
} outflow;

static void begin_outflow(kit *k, iso__engine *engine, outflow *self)
{
    iso_fd pair[2];

    kit_pair(k, pair);
    attach(k, engine, &self->it, pair[0], &probe_reading);
    self->other = pair[1];
    self->sent = 0;
    self->most = 0;
    self->received = 0;
}

static void take_some(outflow *self)
{
    char bytes[8192];
    ptrdiff_t got;
    ptrdiff_t at;

    while ((got = iso__sys_socket_recv(self->other, bytes, sizeof(bytes))) > 0) {
        for (at = 0; at < got; at++) CHECK(bytes[at] == probe_byte(self->received + (size_t)at));
        self->received += (size_t)got;
    }
}

/* The end of it: what was told to be sent arrives, and not more than may have been. */
static void end_outflow(outflow *self)
{
    iso_nsec end = kit_now() + ISO_S(20);

    detach_and_close(&self->it);
    while (self->received < self->sent && CHECK(kit_now() < end)) {
        kit_await(self->it.k, self->other, READ);
        take_some(self);
    }
    take_some(self);
    CHECK_GE(self->received, self->sent);
    CHECK_LE(self->received, self->most);
    kit_close(self->it.k, self->other);
}

static void count_result(outflow *self)
{
    CHECK_LE(self->it.result, (ptrdiff_t)self->piece.size);
    if (self->it.result > 0) self->sent += (size_t)self->it.result;
    self->most = self->sent;
}

/* Begin to send; withdraw at some moment. Answers whether it is still known what was sent. */
static bool send_and_withdraw(kit *k, outflow *self)
{
    iso__engine *engine = self->it.engine;
    int before = self->it.results;
    bool is_ours;

    self->piece.size = kit_random_below(k, LARGEST_SEND) + 1;
    self->piece.data = self->bytes;
    probe_fill(self->bytes, self->piece.size, self->sent);
    CHECK_OK(start_send(&self->it, &self->piece, 1));
    turn_at_random(k, engine);
    if (one_in(k, 3)) take_some(self);
    turn_at_random(k, engine);
    if (self->it.results > before) {
        CHECK_GE(self->it.result, 1);
        count_result(self);
        return true;
    }
    is_ours = withdraw(&self->it);
    if (is_ours && is_reactor(engine)) {
        turn(engine);
        CHECK_EQ(self->it.results, before);
        return true;
    }
    /* another driver may have sent it before, and not told yet */
    self->most = self->sent + self->piece.size;
    if (!is_ours) {
        turn_until_done(&self->it, before + 1);
        if (self->it.result > 0) self->sent += (size_t)self->it.result;
    }
    memset(self->bytes, 0xDF, sizeof(self->bytes)); /* it is ours again */
    turn(engine);
    CHECK_EQ(self->it.results, is_ours ? before : before + 1);
    return false;
}

KIT_TEST(sends_are_withdrawn_and_what_was_sent_is_right)
{
    enum { ROUNDS = 5000 };
    iso__engine *engine = begin(k);
    static outflow s;
    int round;

    begin_outflow(k, engine, &s);
    for (round = 0; round < ROUNDS && !kit_has_failed(k); round++) {
        if (send_and_withdraw(k, &s) && !one_in(k, 200)) continue;
        end_outflow(&s);
        begin_outflow(k, engine, &s);
    }
    CHECK_EQ(round, ROUNDS);
    end_outflow(&s);
    finish(engine);
}

/* ---- operations of which the kernel keeps hold ---- */

enum { PLACES = 16 };

/* Some of them at a time: withdrawn ones stay where they are until they are told. */
typedef struct places {
    outflow all[PLACES];
    bool is_out[PLACES]; /* withdraw has answered false, and it was not told yet */
    int lent;
} places;

static int told_late;

static void count_late(probe *self)
{
    (void)self;
    told_late++;
}

static void begin_places(places *self)
{
    memset(self, 0, sizeof(*self));
    told_late = 0;
}

/* The next place; what the kernel still holds of it is waited for. */
static outflow *take_place(places *self, int round)
{
    outflow *one = &self->all[round % PLACES];

    if (self->is_out[round % PLACES]) turn_until_done(&one->it, 1);
    self->is_out[round % PLACES] = false;
    return one;
}

/* Withdraw, if it is not over, and detach, and close, without a turn in between. */
static void give_place_up(places *self, outflow *one)
{
    if (one->it.results == 0 && !withdraw(&one->it)) {
        self->is_out[one - self->all] = true;
        self->lent++;
        one->it.then = count_late;
    }
    detach_and_close(&one->it);
}

static void end_places(places *self, iso__engine *engine)
{
    let_go(engine);
    turn(engine);
    turn(engine);
    CHECK_EQ(told_late, self->lent);
    finish(engine);
}

KIT_TEST(sends_are_cancelled_by_closing)
{
    enum { ROUNDS = 1000 };
    iso__engine *engine = begin(k);
    static places all;
    int round;

    begin_places(&all);
    for (round = 0; round < ROUNDS && !kit_has_failed(k); round++) {
        outflow *one = take_place(&all, round);
        iso_fd pair[2];

        kit_pair(k, pair);
        attach(k, engine, &one->it, pair[0], &probe_reading);
        one->piece.data = one->bytes;
        one->piece.size = sizeof(one->bytes);
        if (one_in(k, 2)) (void)kit_fill(k, pair[0]);
        if (one_in(k, 2)) CHECK_OK(start_recv(&one->it));
        CHECK_OK(start_send(&one->it, &one->piece, 1));
        turn_at_random(k, engine);
        if (one_in(k, 2))
            iso__sys_socket_reset(kit_give(k, pair[1]));
        else
            kit_close(k, pair[1]);
        turn_at_random(k, engine);
        give_place_up(&all, one);
    }
    end_places(&all, engine);
}

static iso_fd open_socket(kit *k)
{
    iso_fd fd = ISO_FD_NONE;

    REQUIRE_OK(iso__sys_socket_open(&fd, 4));
    return kit_own(k, fd);
}

/* Take all who wait, and close without a rest. */
static void turn_away(iso_fd listener)
{
    iso_fd fd;
    int rc;

    while ((rc = iso__sys_socket_accept(listener, &fd, NULL)) != ISO_EAGAIN) {
        if (rc == 0) iso__sys_socket_reset(fd);
    }
}

KIT_TEST(connections_are_withdrawn_by_closing)
{
    enum { ROUNDS = 1500 };
    iso__engine *engine = begin(k);
    static places all;
    iso_address there;
    iso_address dead;
    iso_fd listener = kit_listen(k, &there);
    int round;

    kit_dead_address(k, &dead);
    begin_places(&all);
    for (round = 0; round < ROUNDS && !kit_has_failed(k); round++) {
        outflow *one = take_place(&all, round);
        bool is_there = !one_in(k, 4);

        attach(k, engine, &one->it, open_socket(k), &probe_reading);
        CHECK_OK(start_connect(&one->it, is_there ? &there : &dead));
        turn_at_random(k, engine);
        if (one_in(k, 4)) turn_until_done(&one->it, 1);
        if (one_in(k, 2)) turn_away(listener);
        if (one->it.results > 0) CHECK_RC(one->it.result, is_there ? 0 : ISO_ECONNREFUSED);
        give_place_up(&all, one);
    }
    turn_away(listener);
    end_places(&all, engine);
}

/* ---- accepting ---- */

enum { CALLERS = 600, CALLERS_AT_ONCE = 20 };

typedef struct caller {
    iso_fd fd;
    uint16_t port;
    int accepted; /* how often */
    bool is_over; /* accepted, and closed on both sides */
} caller;

typedef struct hall {
    probe it;
    iso_fd listener;
    iso_address address;
    int begun;
    int waiting; /* for being accepted */
    int accepted;
    caller callers[CALLERS];
} hall;

static void take_caller(probe *self)
{
    hall *all = (hall *)(void *)self; /* its first member */
    uint16_t port = iso_address_port(&self->peer);
    iso_fd fd = self->accepted[(self->accepted_count - 1) % PROBE_ACCEPTS];
    int at;

    CHECK_OK((int)self->last);
    for (at = all->begun - 1; at >= 0; at--) {
        caller *one = &all->callers[at];

        if (one->port != port || one->is_over) continue;
        CHECK_EQ(++one->accepted, 1);
        one->is_over = true;
        all->accepted++;
        all->waiting--;
        iso__sys_socket_reset(kit_give(self->k, fd));
        kit_close(self->k, one->fd);
        return;
    }
    CHECK(!"whoever was accepted had called");
    kit_close(self->k, fd);
}

static void call(kit *k, hall *self)
{
    caller *one = &self->callers[self->begun];
    iso_address mine;

    if (self->begun == CALLERS || self->waiting == CALLERS_AT_ONCE) return;
    one->fd = kit_connect(k, &self->address);
    kit_await(k, one->fd, WRITE);
    REQUIRE_OK(iso__sys_socket_sockname(one->fd, &mine));
    one->port = iso_address_port(&mine);
    self->begun++;
    self->waiting++;
}

static void attach_hall(kit *k, iso__engine *engine, hall *self)
{
    attach(k, engine, &self->it, self->listener, &probe_accepting);
    self->it.accept_most = 1000000;
    self->it.then = take_caller;
}

static void begin_hall(kit *k, iso__engine *engine, hall *self)
{
    memset(self, 0, sizeof(*self));
    self->listener = kit_listen(k, &self->address);
    attach_hall(k, engine, self);
}

KIT_TEST(accepting_that_is_stopped_and_goes_on_loses_nobody)
{
    iso__engine *engine = begin(k);
    static hall all;
    iso_nsec end = kit_now() + ISO_S(60);
    int told = -1; /* since it was stopped; -1: it accepts */

    begin_hall(k, engine, &all);
    while (all.begun < CALLERS && !kit_has_failed(k) && CHECK(kit_now() < end)) {
        call(k, &all);
        turn_at_random(k, engine);
        if (told >= 0) CHECK_EQ(all.it.told, told);
        if (one_in(k, 2)) {
            CHECK_OK(start_accept(&all.it, (int)kit_random_below(k, 10) + 1));
            told = -1;
        } else {
            stop_accept(&all.it);
            told = all.it.told;
        }
        turn_at_random(k, engine);
    }
    CHECK_OK(start_accept(&all.it, 10));
    while (all.waiting > 0 && CHECK(kit_now() < end))
        CHECK_GE(iso__engine_turn(engine, ISO_MS(100)), 0);
    CHECK_EQ(all.accepted, CALLERS);
    detach_and_close(&all.it);
    finish(engine);
}

KIT_TEST(accepting_that_is_given_up_tells_everybody)
{
    iso__engine *engine = begin(k);
    static hall all;
    iso_nsec end = kit_now() + ISO_S(60);
    int given_up = 0;
    int at;

    begin_hall(k, engine, &all);
    while (all.begun < CALLERS && !kit_has_failed(k) && CHECK(kit_now() < end)) {
        if (one_in(k, 2)) CHECK_OK(start_accept(&all.it, (int)kit_random_below(k, 10) + 1));
        call(k, &all);
        if (one_in(k, 2)) CHECK_OK(start_accept(&all.it, (int)kit_random_below(k, 10) + 1));
        turn_at_random(k, engine);
        if (one_in(k, 4)) stop_accept(&all.it);
        if (!one_in(k, 8) && all.waiting < CALLERS_AT_ONCE) continue;
        /* the listener goes, with all who wait */
        detach_and_close(&all.it);
        let_go(engine);
        for (at = 0; at < all.begun; at++) {
            char byte;

            if (all.callers[at].is_over) continue;
            CHECK_LE(kit_recv(k, all.callers[at].fd, &byte, 1), 0);
            kit_close(k, all.callers[at].fd);
            all.callers[at].is_over = true;
            all.waiting--;
            given_up++;
        }
        all.listener = kit_listen(k, &all.address);
        attach_hall(k, engine, &all);
    }
    CHECK_EQ(all.accepted + given_up + all.waiting, CALLERS);
    CHECK_GE(all.accepted, CALLERS / 100);
    CHECK_GE(given_up, CALLERS / 100);
    detach_and_close(&all.it);
    finish(engine);
}

/* ---- watching: more of them than one handle of the driver's serves ---- */

enum { WATCHED = 80 };

typedef struct watched {
    probe it;
    iso_fd peer;
    unsigned wants;
} watched;

static void demand_wanted(probe *self)
{
    const watched *one = ISO__CONTAINER(self, watched, it);

    CHECK_EQ((unsigned)self->last & ~one->wants, 0);
}

static void begin_watched(kit *k, iso__engine *engine, watched *self)
{
    iso_fd pair[2];

    kit_pair(k, pair);
    attach(k, engine, &self->it, pair[0], &probe_watching);
    self->it.then = demand_wanted;
    self->peer = pair[1];
    self->wants = 0;
}

static void want(watched *self, unsigned events)
{
    self->wants = events;
    CHECK_OK(watch(&self->it, events));
}

/* Take what there is, so that it is not readable any more, if it will. */
static void take_all(iso_fd fd)
{
    char bytes[64];

    while (iso__sys_socket_recv(fd, bytes, sizeof(bytes)) > 0) {}
}

static void disturb(kit *k, iso__engine *engine, watched *self)
{
    switch (kit_random_below(k, 8)) {
    case 0:
    case 1:
    case 2: want(self, kit_random_below(k, 4)); break;
    case 3: kit_poke(k, self->peer); break;
    case 4: take_all(self->it.io.fd); break;
    case 5: /* somebody else watches it */
        detach(&self->it);
        attach(k, engine, &self->it, self->it.io.fd, &probe_watching);
        self->it.then = demand_wanted;
        self->wants = 0;
        break;
    case 6:
        detach_and_close(&self->it);
        kit_close(k, self->peer);
        begin_watched(k, engine, self);
        break;
    default: turn_at_random(k, engine);
    }
}

KIT_TEST(watching_that_changes_at_random_tells_what_is_wanted_and_misses_nothing)
{
    enum { ROUNDS = 6000 };
    iso__engine *engine = &kit_native_loop(k)->engine;
    static watched all[WATCHED];
    int at;

    for (at = 0; at < WATCHED; at++) begin_watched(k, engine, &all[at]);
    for (at = 0; at < ROUNDS && !kit_has_failed(k); at++)
        disturb(k, engine, &all[kit_random_below(k, WATCHED)]);
    /* in the end each is told of what there is, and of nothing more */
    for (at = 0; at < WATCHED; at++) {
        take_all(all[at].it.io.fd);
        want(&all[at], READ);
    }
    for (at = 0; at < 3; at++) turn(engine);
    for (at = 0; at < WATCHED; at++) {
        watched *one = &all[at];

        one->it.told = 0;
        turn(engine);
        CHECK_EQ(one->it.told, 0);
        kit_poke(k, one->peer);
        turn_until(&one->it, 1);
        want(one, WRITE);
        turn_until(&one->it, one->it.told + 1);
        want(one, 0);
    }
    for (at = 0; at < WATCHED; at++) detach_and_close(&all[at].it);
    finish(engine);
}

static const kit_case cases[] = {
    KIT_CASE(pausing_and_resuming_loses_no_byte),
    KIT_CASE(an_owner_that_changes_how_it_reads_gets_every_byte_once),
    KIT_CASE(receives_that_are_cancelled_lose_no_byte),
    KIT_CASE(receives_are_cancelled_by_closing),
    KIT_CASE(sends_are_withdrawn_and_what_was_sent_is_right),
    KIT_CASE(sends_are_cancelled_by_closing),
    KIT_CASE(connections_are_withdrawn_by_closing),
    KIT_CASE(accepting_that_is_stopped_and_goes_on_loses_nobody),
    KIT_CASE(accepting_that_is_given_up_tells_everybody),
    KIT_CASE(watching_that_changes_at_random_tells_what_is_wanted_and_misses_nothing),
};

KIT_MAIN(cases)
