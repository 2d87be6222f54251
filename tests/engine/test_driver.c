/* SPDX-License-Identifier: MIT */
/* The laws of a driver (engine/driver.h), on the driver of the backend that the matrix names. What
 * only holds of waiting for readiness is in test_reactor.c; the laws under random timing are in
 * test_race.c. */
#include "engine/probe.h"
#include "loop/loop.h"
#include "sys/descriptor.h"
#include "sys/sock.h"

#include <stdlib.h>
#include <string.h>

static iso__engine *begin(kit *k)
{
    return &kit_loop(k)->engine;
}

/* Of a loop that watches, whatever the documents say. */
static iso__engine *begin_natively(kit *k)
{
    return &kit_native_loop(k)->engine;
}

static iso_fd socket_of(kit *k)
{
    iso_fd fd = ISO_FD_NONE;

    REQUIRE_OK(iso__sys_socket_open(&fd, 4));
    return kit_own(k, fd);
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
    attach(k, engine, &it, pair[0], &probe_reading);
    CHECK_OK(start_recv(&it));
    CHECK_EQ(it.told, 0);
    told_exactly(&it, 1);
    CHECK_EQ(it.last, 5);
    CHECK_STR(it.bytes, "hello");
    detach(&it);
    finish(engine);
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
    attach(k, engine, &it, listener, &probe_accepting);
    CHECK_OK(start_accept(&it, 10));
    CHECK_EQ(it.told, 0);
    told_exactly(&it, 1);
    CHECK_EQ(it.accepted_count, 1);
    /* with the address of the other side */
    CHECK_OK(iso__sys_socket_sockname(client, &mine));
    CHECK_EQ(iso_address_port(&it.peer), iso_address_port(&mine));
    CHECK_EQ(iso_address_version(&it.peer), 4);
    detach(&it);
    finish(engine);
}

KIT_TEST(sending_tells_nothing_before_the_turn)
{
    iso__engine *engine = begin(k);
    iso_buffer list[3] = { { "ab", 2 }, { "", 0 }, { "cde", 3 } };
    iso_fd pair[2];
    char got[6] = "";
    probe it;

    kit_pair(k, pair);
    attach(k, engine, &it, pair[0], &probe_reading);
    CHECK_OK(start_send(&it, list, 3));
    CHECK_EQ(it.results, 0);
    told_exactly(&it, 1);
    CHECK_EQ(it.result, 5);
    CHECK_EQ(kit_recv(k, pair[1], got, 5), 5);
    CHECK_STR(got, "abcde");
    detach(&it);
    finish(engine);
}

KIT_TEST(a_connection_that_fails_at_once_tells_nothing_before_the_turn)
{
    iso__engine *engine = begin(k);
    iso_address address;
    probe it;

    kit_dead_address(k, &address);
    attach(k, engine, &it, socket_of(k), &probe_reading);
    CHECK_OK(start_connect(&it, &address));
    CHECK_EQ(it.results, 0);
    told_exactly(&it, 1);
    CHECK_RC(it.result, ISO_ECONNREFUSED);
    detach(&it);
    finish(engine);
}

KIT_TEST(a_connection_is_told_when_it_is_there)
{
    iso__engine *engine = begin(k);
    iso_address address;
    iso_fd listener = kit_listen(k, &address);
    iso_address peer;
    iso_fd accepted;
    char got[3];
    probe it;

    attach(k, engine, &it, socket_of(k), &probe_reading);
    CHECK_OK(start_connect(&it, &address));
    CHECK_EQ(it.results, 0);
    told_exactly(&it, 1);
    CHECK_OK(it.result);
    /* and it is one: it has a peer, and carries bytes both ways */
    CHECK_OK(iso__sys_socket_peername(it.io.fd, &peer));
    CHECK_EQ(iso_address_port(&peer), iso_address_port(&address));
    accepted = kit_accept(k, listener);
    kit_send(k, it.io.fd, "abc", 3);
    CHECK_EQ(kit_recv(k, accepted, got, 3), 3);
    kit_send(k, accepted, "defg", 4);
    CHECK_OK(start_recv(&it));
    turn_until(&it, 2);
    CHECK_EQ(it.last, 4);
    detach(&it);
    finish(engine);
}

/* ---- law 2: what arrives is borrowed, or in the owner's memory ---- */

KIT_TEST(what_arrives_goes_straight_into_memory_that_was_lent)
{
    iso__engine *engine = begin(k);
    char memory[4];
    iso_fd pair[2];
    probe it;

    kit_pair(k, pair);
    attach(k, engine, &it, pair[0], &probe_lending);
    it.lent = memory;
    it.lent_size = sizeof(memory);
    CHECK_OK(start_recv(&it));
    kit_send(k, pair[1], "123456", 6);
    turn_until(&it, 1);
    CHECK_PTR(it.data, memory);
    CHECK_LE(it.last, 4);
    /* what it had no place for comes later */
    while (it.total < 6 && !kit_has_failed(k)) turn_until(&it, it.told + 1);
    CHECK_PTR(it.data, memory);
    CHECK_EQ(it.total, 6);
    CHECK_STR(it.bytes, "123456");
    detach(&it);
    finish(engine);
}

KIT_TEST(memory_that_was_lent_is_left_alone_once_reading_has_stopped)
{
    iso__engine *engine = begin(k);
    char memory[64];
    char nothing[64];
    iso_fd pair[2];
    probe it;

    /* given an owner that has lent memory, and stops to read, and gives up his memory */
    kit_pair(k, pair);
    attach(k, engine, &it, pair[0], &probe_lending);
    it.lent = memory;
    it.lent_size = sizeof(memory);
    CHECK_OK(start_recv(&it));
    turn(engine);
    stop_recv(&it);
    memset(memory, 0xDF, sizeof(memory));
    memset(nothing, 0xDF, sizeof(nothing));
    /* when something comes, then it is not there */
    kit_send(k, pair[1], "kept", 4);
    let_arrive(&it);
    CHECK_EQ(it.told, 0);
    CHECK(memcmp(memory, nothing, sizeof(memory)) == 0);
    /* but comes when he lends other memory */
    it.lent = it.bytes;
    it.lent_size = sizeof(it.bytes);
    CHECK_OK(start_recv(&it));
    turn_until(&it, 1);
    CHECK_EQ(it.total, 4);
    CHECK_PTR(it.data, it.bytes);
    CHECK(memcmp(it.bytes, "kept", 4) == 0);
    CHECK(memcmp(memory, nothing, sizeof(memory)) == 0);
    detach(&it);
    finish(engine);
}

KIT_TEST(memory_that_was_lent_is_left_alone_after_detach)
{
    iso__engine *engine = begin(k);
    char memory[64];
    char nothing[64];
    iso_fd pair[2];
    probe it;

    kit_pair(k, pair);
    attach(k, engine, &it, pair[0], &probe_lending);
    it.lent = memory;
    it.lent_size = sizeof(memory);
    CHECK_OK(start_recv(&it));
    turn(engine);
    detach(&it);
    memset(memory, 0xDF, sizeof(memory));
    memset(nothing, 0xDF, sizeof(nothing));
    kit_send(k, pair[1], "nobody's", 8);
    let_arrive(&it);
    let_go(engine);
    CHECK(memcmp(memory, nothing, sizeof(memory)) == 0);
    CHECK_EQ(it.told, 0);
    finish(engine);
}

KIT_TEST(the_end_of_the_stream_is_zero_bytes)
{
    iso__engine *engine = begin(k);
    iso_fd pair[2];
    probe it;

    kit_pair(k, pair);
    attach(k, engine, &it, pair[0], &probe_reading);
    it.last = -1;
    CHECK_OK(start_recv(&it));
    CHECK_OK(iso__sys_socket_shutdown_write(pair[1]));
    turn_until(&it, 1);
    CHECK_EQ(it.last, 0);
    detach(&it);
    finish(engine);
}

KIT_TEST(a_broken_stream_is_an_error)
{
    iso__engine *engine = begin(k);
    iso_address address;
    iso_fd listener = kit_listen(k, &address);
    iso_fd client = kit_connect(k, &address);
    iso_fd accepted = kit_accept(k, listener);
    probe it;

    attach(k, engine, &it, client, &probe_reading);
    CHECK_OK(start_recv(&it));
    iso__sys_socket_reset(kit_give(k, accepted));
    turn_until(&it, 1);
    /* Wine tells a reset that came before the read as a clean end. */
    CHECK_EQ(it.last, kit_is_wine() && it.last == 0 ? 0 : ISO_ECONNRESET);
    detach(&it);
    finish(engine);
}

KIT_TEST(much_data_arrives_whole_in_pieces_of_any_size)
{
    enum { SIZE = 300000 };
    iso__engine *engine = begin(k);
    char *sent = malloc(SIZE);
    size_t done = 0;
    iso_fd pair[2];
    probe it;

    REQUIRE(sent != NULL);
    probe_fill(sent, SIZE, 0);
    kit_pair(k, pair);
    attach(k, engine, &it, pair[0], &probe_reading);
    it.is_checked = true;
    CHECK_OK(start_recv(&it));
    while (it.total < SIZE && !kit_has_failed(k)) {
        ptrdiff_t part = iso__sys_socket_send(pair[1], sent + done, SIZE - done);
        if (part > 0) done += (size_t)part;
        if (it.total < done) turn_until(&it, it.told + 1);
    }
    CHECK_EQ(it.total, SIZE);
    free(sent);
    detach(&it);
    finish(engine);
}

/* ---- law 3: withdrawing, and stopping without loss ---- */

/* An operation that was withdrawn: after false `done` comes, once; after true it does not. */
static void demand_told_as_answered(probe *self, bool was_answered)
{
    if (!was_answered) turn_until_done(self, 1);
    let_go(self->engine);
    turn(self->engine);
    turn(self->engine);
    CHECK_EQ(self->results, was_answered ? 0 : 1);
}

KIT_TEST(a_send_that_was_withdrawn_is_told_as_withdraw_answers)
{
    iso__engine *engine = begin(k);
    iso_buffer list[1] = { { "abc", 3 } };
    iso_fd pair[2];
    bool is_ours;
    probe it;

    kit_pair(k, pair);
    attach(k, engine, &it, pair[0], &probe_reading);
    CHECK_OK(start_send(&it, list, 1));
    is_ours = withdraw(&it);
    demand_told_as_answered(&it, is_ours);
    if (is_reactor(engine)) CHECK(is_ours);
    /* and can be begun again */
    it.results = 0;
    CHECK_OK(start_send(&it, list, 1));
    turn_until_done(&it, 1);
    CHECK_EQ(it.result, 3);
    detach(&it);
    finish(engine);
}

KIT_TEST(an_operation_that_is_not_under_way_is_withdrawn)
{
    iso__engine *engine = begin(k);
    iso_buffer list[1] = { { "abc", 3 } };
    iso_fd pair[2];
    probe it;

    kit_pair(k, pair);
    attach(k, engine, &it, pair[0], &probe_reading);
    CHECK(withdraw(&it)); /* never begun */
    CHECK_OK(start_send(&it, list, 1));
    turn_until(&it, 1);
    CHECK(withdraw(&it)); /* over */
    turn(engine);
    CHECK_EQ(it.results, 1);
    detach(&it);
    finish(engine);
}

/* The owner detaches and closes its descriptor as soon as withdraw has answered. */
static void withdraw_and_close(probe *self)
{
    bool is_ours = withdraw(self);

    CHECK_EQ(self->results, 0);
    detach_and_close(self);
    CHECK_EQ(self->results, 0);
    demand_told_as_answered(self, is_ours);
}

KIT_TEST(a_send_that_waits_is_withdrawn_and_its_descriptor_closed_right_away)
{
    iso__engine *engine = begin(k);
    iso_buffer list[1] = { { "abc", 3 } };
    iso_fd pair[2];
    probe it;

    kit_pair(k, pair);
    (void)kit_fill(k, pair[0]);
    attach(k, engine, &it, pair[0], &probe_reading);
    CHECK_OK(start_send(&it, list, 1));
    turn(engine);
    withdraw_and_close(&it);
    finish(engine);
}

KIT_TEST(a_send_beside_a_receive_is_withdrawn_and_its_descriptor_closed_right_away)
{
    iso__engine *engine = begin(k);
    iso_buffer list[1] = { { "abc", 3 } };
    iso_fd pair[2];
    probe it;

    kit_pair(k, pair);
    (void)kit_fill(k, pair[0]);
    attach(k, engine, &it, pair[0], &probe_reading);
    CHECK_OK(start_recv(&it));
    CHECK_OK(start_send(&it, list, 1));
    turn(engine);
    kit_poke(k, pair[1]);
    withdraw_and_close(&it);
    CHECK_LE(it.told, 1); /* of nothing but the send */
    finish(engine);
}

KIT_TEST(a_send_that_is_over_and_not_told_is_withdrawn_and_its_descriptor_closed_right_away)
{
    iso__engine *engine = begin(k);
    iso_buffer list[1] = { { "abc", 3 } };
    iso_fd pair[2];
    probe it;

    kit_pair(k, pair);
    attach(k, engine, &it, pair[0], &probe_reading);
    CHECK_OK(start_send(&it, list, 1));
    CHECK_GE(engine->driver->kind->turn(engine->driver, 0), 0); /* but nothing is run */
    withdraw_and_close(&it);
    finish(engine);
}

KIT_TEST(a_connection_is_withdrawn_and_its_descriptor_closed_right_away)
{
    iso__engine *engine = begin(k);
    iso_address there;
    iso_address dead;
    probe it;

    (void)kit_listen(k, &there);
    kit_dead_address(k, &dead);
    attach(k, engine, &it, socket_of(k), &probe_reading);
    CHECK_OK(start_connect(&it, &there));
    withdraw_and_close(&it);
    attach(k, engine, &it, socket_of(k), &probe_reading);
    CHECK_OK(start_connect(&it, &dead));
    withdraw_and_close(&it);
    finish(engine);
}

KIT_TEST(many_operations_are_withdrawn_at_once)
{
    enum { MANY = 50 };
    iso__engine *engine = begin(k);
    iso_buffer list[1] = { { "abc", 3 } };
    static probe its[MANY];
    int lent = 0;
    int told = 0;
    int at;

    for (at = 0; at < MANY; at++) {
        iso_fd pair[2];

        kit_pair(k, pair);
        (void)kit_fill(k, pair[0]);
        attach(k, engine, &its[at], pair[0], &probe_reading);
        CHECK_OK(start_send(&its[at], list, 1));
    }
    turn(engine);
    for (at = 0; at < MANY; at++) {
        if (!withdraw(&its[at])) lent++;
        detach_and_close(&its[at]);
    }
    let_go(engine);
    turn(engine);
    for (at = 0; at < MANY; at++) told += its[at].results;
    CHECK_EQ(told, lent);
    finish(engine);
}

KIT_TEST(stopping_to_read_keeps_what_comes)
{
    iso__engine *engine = begin(k);
    iso_fd pair[2];
    probe it;

    kit_pair(k, pair);
    attach(k, engine, &it, pair[0], &probe_reading);
    CHECK_OK(start_recv(&it));
    turn(engine);
    stop_recv(&it);
    kit_send(k, pair[1], "kept", 4);
    let_arrive(&it);
    CHECK_EQ(it.told, 0);
    CHECK_OK(start_recv(&it));
    CHECK_EQ(it.told, 0);
    turn_until(&it, 1);
    CHECK_STR(it.bytes, "kept");
    detach(&it);
    finish(engine);
}

KIT_TEST(stopping_to_read_keeps_the_end_of_the_stream)
{
    iso__engine *engine = begin(k);
    iso_fd pair[2];
    probe it;

    kit_pair(k, pair);
    attach(k, engine, &it, pair[0], &probe_reading);
    CHECK_OK(start_recv(&it));
    turn(engine);
    stop_recv(&it);
    kit_send(k, pair[1], "last", 4);
    CHECK_OK(iso__sys_socket_shutdown_write(pair[1]));
    let_arrive(&it);
    CHECK_EQ(it.told, 0);
    CHECK_OK(start_recv(&it));
    turn_until(&it, 2);
    CHECK_EQ(it.total, 4);
    CHECK_EQ(it.last, 0);
    detach(&it);
    finish(engine);
}

static void stop_the_other(probe *self)
{
    stop_recv(self->other);
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
        attach(k, engine, &its[at], pairs[at][0], &probe_reading);
        its[at].then = stop_the_other;
        its[at].other = &its[1 - at];
        CHECK_OK(start_recv(&its[at]));
    }
    while (its[0].told + its[1].told == 0 && !kit_has_failed(k))
        CHECK_GE(iso__engine_turn(engine, ISO_S(20)), 1);
    turn(engine);
    turn(engine);
    CHECK_EQ(its[0].told + its[1].told, 1);
    /* when the other is started again, then nothing was lost */
    at = its[0].told == 0 ? 0 : 1;
    CHECK_OK(start_recv(&its[at]));
    turn_until(&its[at], 1);
    CHECK_EQ(its[at].total, 1);
    detach(&its[0]);
    detach(&its[1]);
    finish(engine);
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
    attach(k, engine, &it, pair[0], &probe_reading);
    it.then = stop_recv;
    for (round = 0; round < 20; round++) {
        char byte = (char)('a' + round);

        text[round] = byte;
        kit_send(k, pair[1], &byte, 1);
        if (round % 3 == 0) turn(engine); /* an event that nobody wants */
        CHECK_OK(start_recv(&it));
        turn_until(&it, round + 1);
    }
    CHECK_STR(it.bytes, text);
    detach(&it);
    finish(engine);
}

/* ---- law 4: after detach ---- */

KIT_TEST(nothing_is_told_after_detach_and_the_descriptor_is_open)
{
    iso__engine *engine = begin(k);
    probe *it = malloc(sizeof(*it));
    iso_fd pair[2];

    REQUIRE(it != NULL);
    kit_pair(k, pair);
    attach(k, engine, it, pair[0], &probe_reading);
    CHECK_OK(start_recv(it));
    kit_poke(k, pair[1]);
    if (is_reactor(engine)) kit_await(k, pair[0], READ);
    detach(it);
    free(it); /* nobody looks at it any more */
    turn(engine);
    let_go(engine);
    CHECK_EQ(iso__sys_descriptor_kind(pair[0]), ISO__DESCRIPTOR_SOCKET);
    /* it is as good as ever for writing */
    kit_poke(k, pair[0]);
    kit_await(k, pair[1], READ);
    finish(engine);
}

KIT_TEST(a_receive_is_under_way_when_its_owner_detaches_and_closes)
{
    iso__engine *engine = begin(k);
    int round;

    for (round = 0; round < 100; round++) {
        probe *it = malloc(sizeof(*it));
        iso_fd pair[2];

        REQUIRE(it != NULL);
        kit_pair(k, pair);
        attach(k, engine, it, pair[0], &probe_reading);
        CHECK_OK(start_recv(it));
        if (round % 4 == 1) turn(engine);
        if (round % 4 == 2) kit_poke(k, pair[1]);
        if (round % 4 == 3) kit_close(k, pair[1]);
        detach_and_close(it);
        memset(it, 0xDF, sizeof(*it));
        free(it);
        if (round % 4 != 3) kit_close(k, pair[1]);
    }
    finish(engine);
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
        attach(k, engine, &its[at], pairs[at][0], &probe_reading);
        its[at].then = detach_both;
        its[at].other = &its[1 - at];
        CHECK_OK(start_recv(&its[at]));
    }
    while (its[0].told + its[1].told == 0 && !kit_has_failed(k))
        CHECK_GE(iso__engine_turn(engine, ISO_S(20)), 1);
    turn(engine);
    turn(engine);
    CHECK_EQ(its[0].told + its[1].told, 1);
    finish(engine);
}

static void detach_itself(probe *self)
{
    detach(self);
    memset(&self->io, 0xDF, sizeof(self->io));
    self->io.is_attached = false;
}

KIT_TEST(an_owner_that_detaches_in_done_is_left_alone)
{
    iso__engine *engine = begin(k);
    iso_buffer list[1] = { { "abc", 3 } };
    iso_fd pair[2];
    probe it;

    kit_pair(k, pair);
    attach(k, engine, &it, pair[0], &probe_reading);
    it.then = detach_itself;
    kit_poke(k, pair[1]);
    kit_await(k, pair[0], READ);
    CHECK_OK(start_send(&it, list, 1));
    told_exactly(&it, 1);
    finish(engine);
}

KIT_TEST(an_owner_that_detaches_and_closes_when_it_reads_is_left_alone)
{
    iso__engine *engine = begin(k);
    iso_fd pair[2];
    probe it;

    kit_pair(k, pair);
    attach(k, engine, &it, pair[0], &probe_reading);
    it.then = detach_and_close;
    CHECK_OK(start_recv(&it));
    kit_send(k, pair[1], "some", 4);
    told_exactly(&it, 1);
    finish(engine);
}

KIT_TEST(a_number_can_be_attached_again)
{
    iso__engine *engine = begin(k);
    iso_fd pair[2];
    probe first;
    probe second;

    kit_pair(k, pair);
    attach(k, engine, &first, pair[0], &probe_reading);
    CHECK_OK(start_recv(&first));
    detach(&first);
    attach(k, engine, &second, pair[0], &probe_reading);
    CHECK_OK(start_recv(&second));
    kit_poke(k, pair[1]);
    turn_until(&second, 1);
    CHECK_EQ(first.told, 0);
    detach(&second);
    finish(engine);
}

/* Of one who reads into a driver's memory it may be lost: a transport that detaches closes. */
KIT_TEST(what_comes_between_two_owners_that_lend_memory_is_the_second_ones)
{
    iso__engine *engine = begin(k);
    char memory[64];
    iso_fd pair[2];
    probe first;
    probe second;

    /* given one who stopped to read, and something that comes to nobody */
    kit_pair(k, pair);
    attach(k, engine, &first, pair[0], &probe_lending);
    first.lent = memory;
    first.lent_size = sizeof(memory);
    CHECK_OK(start_recv(&first));
    turn(engine);
    stop_recv(&first);
    kit_send(k, pair[1], "one", 3);
    let_arrive(&first);
    detach(&first);
    memset(&first.io, 0xDF, sizeof(first.io));
    kit_send(k, pair[1], "two", 3);
    turn(engine);
    /* when another takes the socket over, as one sock_recv does after the other */
    attach(k, engine, &second, pair[0], &probe_reading);
    CHECK_OK(start_recv(&second));
    while (second.total < 6 && !kit_has_failed(k)) turn_until(&second, second.told + 1);
    CHECK_STR(second.bytes, "onetwo");
    CHECK_EQ(first.told, 0);
    detach(&second);
    finish(engine);
}

/* A program closes its own socket without a word to the loop, and the system gives its number out
 * again. What the first one brought is not the second one's. */
KIT_TEST(a_number_that_comes_again_begins_anew)
{
    enum { TRIES = 20 };
    iso__engine *engine = begin(k);
    iso_fd pair[2];
    int round;

    for (round = 0; round < TRIES; round++) {
        iso_fd again[2];
        probe it;

        kit_pair(k, pair);
        attach(k, engine, &it, pair[0], &probe_reading);
        CHECK_OK(start_recv(&it));
        turn(engine);
        stop_recv(&it);
        kit_send(k, pair[1], "old", 3);
        let_arrive(&it);
        detach(&it);
        kit_close(k, pair[1]);
        kit_close(k, pair[0]);
        kit_pair(k, again);
        attach(k, engine, &it, again[0], &probe_reading);
        CHECK_OK(start_recv(&it));
        kit_send(k, again[1], "new", 3);
        turn_until(&it, 1);
        CHECK_STR(it.bytes, "new");
        detach(&it);
        kit_close(k, again[0]);
        kit_close(k, again[1]);
    }
    finish(engine);
}

KIT_TEST(detaching_twice_is_fine)
{
    iso__engine *engine = begin(k);
    iso_fd pair[2];
    probe it;

    kit_pair(k, pair);
    attach(k, engine, &it, pair[0], &probe_reading);
    detach(&it);
    detach(&it);
    finish(engine);
}

KIT_TEST(a_descriptor_can_be_forgotten_that_was_never_attached)
{
    iso__engine *engine = begin(k);
    iso_fd pair[2];

    kit_pair(k, pair);
    iso__engine_forget(engine, pair[0]);
    iso__engine_forget(engine, pair[0]);
    kit_close(k, pair[0]);
    finish(engine);
}

/* ---- law 5: a refusal leaves everything as it was ---- */

KIT_TEST(a_second_io_of_one_descriptor_is_refused)
{
    iso__engine *engine = begin(k);
    iso_fd pair[2];
    probe it;
    probe second;

    kit_pair(k, pair);
    attach(k, engine, &it, pair[0], &probe_reading);
    CHECK_OK(start_recv(&it));
    prepare(k, engine, &second, pair[0], &probe_watching);
    CHECK_RC(iso__engine_attach(engine, &second.io), ISO_EBUSY);
    kit_poke(k, pair[1]);
    turn_until(&it, 1);
    detach(&it);
    finish(engine);
}

KIT_TEST(attaching_without_memory_is_refused)
{
    enum { MANY = 20 };
    iso__engine *engine = begin(k);
    static probe its[MANY];
    int refused = 0;
    int at;

    for (at = 0; at < MANY; at++) {
        size_t before = engine->ios.count;
        iso_fd pair[2];
        int rc;

        kit_pair(k, pair);
        prepare(k, engine, &its[at], pair[0], &probe_reading);
        kit_fail_allocation(k, 1, true);
        rc = iso__engine_attach(engine, &its[at].io);
        kit_fail_allocation(k, 0, false);
        if (rc == 0) continue;
        refused++;
        CHECK_RC(rc, ISO_ENOMEM);
        CHECK_EQ(engine->ios.count, before);
        CHECK(!its[at].io.is_attached);
        CHECK_OK(iso__engine_attach(engine, &its[at].io));
    }
    CHECK_GE(refused, 1);
    for (at = 0; at < MANY; at++) detach(&its[at]);
    finish(engine);
}

/* Begin something with each allocation refused in turn, and demand that it is refused so until it
 * is not. */
static void demand_refusal(probe *self, int (*start)(probe *self))
{
    uint64_t nth = 0;
    int rc = ISO_ENOMEM;

    while (rc != 0 && !kit_has_failed(self->k)) {
        CHECK_LE(++nth, 20);
        kit_fail_allocation(self->k, nth, true);
        rc = start(self);
        kit_fail_allocation(self->k, 0, false);
        if (rc == 0) return;
        CHECK_RC(rc, ISO_ENOMEM);
        turn(self->engine);
        CHECK_EQ(self->told, 0);
    }
}

KIT_TEST(reading_without_memory_is_refused)
{
    iso__engine *engine = begin(k);
    iso_fd pair[2];
    probe it;

    kit_pair(k, pair);
    attach(k, engine, &it, pair[0], &probe_reading);
    kit_poke(k, pair[1]);
    demand_refusal(&it, start_recv);
    turn_until(&it, 1);
    CHECK_EQ(it.total, 1);
    detach(&it);
    finish(engine);
}

static int accept_some(probe *self)
{
    return start_accept(self, 10);
}

KIT_TEST(accepting_without_memory_is_refused)
{
    iso__engine *engine = begin(k);
    iso_address address;
    iso_fd listener = kit_listen(k, &address);
    probe it;

    (void)kit_connect(k, &address);
    attach(k, engine, &it, listener, &probe_accepting);
    demand_refusal(&it, accept_some);
    turn_until(&it, 1);
    CHECK_EQ(it.accepted_count, 1);
    detach(&it);
    finish(engine);
}

static int send_abc(probe *self)
{
    static const iso_buffer list[1] = { { "abc", 3 } };

    return start_send(self, list, 1);
}

KIT_TEST(sending_without_memory_is_refused)
{
    iso__engine *engine = begin(k);
    iso_fd pair[2];
    char got[4] = "";
    probe it;

    kit_pair(k, pair);
    attach(k, engine, &it, pair[0], &probe_reading);
    demand_refusal(&it, send_abc);
    turn_until(&it, 1);
    CHECK_EQ(it.result, 3);
    CHECK_EQ(kit_recv(k, pair[1], got, 3), 3);
    CHECK_STR(got, "abc");
    detach(&it);
    finish(engine);
}

static iso_address destination;

static int connect_to_destination(probe *self)
{
    return start_connect(self, &destination);
}

KIT_TEST(connecting_without_memory_is_refused)
{
    iso__engine *engine = begin(k);
    probe it;

    (void)kit_listen(k, &destination);
    attach(k, engine, &it, socket_of(k), &probe_reading);
    demand_refusal(&it, connect_to_destination);
    turn_until(&it, 1);
    CHECK_OK(it.result);
    detach(&it);
    finish(engine);
}

/* ---- accepting ---- */

/* They are connected as far as they are concerned. */
static void connect_many(kit *k, const iso_address *address, int count)
{
    int at;

    for (at = 0; at < count; at++) kit_await(k, kit_connect(k, address), WRITE);
}

KIT_TEST(no_more_connections_a_turn_than_asked_for_are_told)
{
    iso__engine *engine = begin(k);
    iso_address address;
    iso_fd listener = kit_listen(k, &address);
    iso_nsec end = kit_now() + ISO_S(20);
    probe it;

    connect_many(k, &address, 5);
    kit_await(k, listener, READ);
    attach(k, engine, &it, listener, &probe_accepting);
    CHECK_OK(start_accept(&it, 2));
    CHECK_OK(start_accept(&it, 2)); /* what is started stays started */
    while (it.accepted_count < 5 && CHECK(kit_now() < end)) {
        int before = it.accepted_count;

        CHECK_GE(iso__engine_turn(engine, ISO_S(1)), 0);
        CHECK_LE(it.accepted_count, before + 2);
    }
    told_exactly(&it, 5);
    detach(&it);
    finish(engine);
}

static void detach_after_two(probe *self)
{
    if (self->accepted_count < 2) return;
    self->accept_most = 0;
    detach_itself(self);
}

KIT_TEST(an_owner_that_says_stop_may_be_gone)
{
    iso__engine *engine = begin(k);
    iso_address address;
    iso_fd listener = kit_listen(k, &address);
    probe it;

    connect_many(k, &address, 4);
    kit_await(k, listener, READ);
    attach(k, engine, &it, listener, &probe_accepting);
    it.then = detach_after_two;
    it.accept_most = 2;
    CHECK_OK(start_accept(&it, 100));
    turn_until(&it, 2);
    CHECK_EQ(it.accepted_count, 2);
    turn(engine);
    turn(engine);
    CHECK_EQ(it.accepted_count, 2);
    finish(engine);
}

KIT_TEST(accepting_can_stop_and_go_on)
{
    iso__engine *engine = begin(k);
    iso_address address;
    iso_fd listener = kit_listen(k, &address);
    probe it;

    attach(k, engine, &it, listener, &probe_accepting);
    CHECK_OK(start_accept(&it, 10));
    stop_accept(&it);
    connect_many(k, &address, 3);
    let_arrive(&it);
    CHECK_EQ(it.told, 0);
    CHECK_OK(start_accept(&it, 10));
    CHECK_EQ(it.told, 0);
    told_exactly(&it, 3);
    CHECK_EQ(it.accepted_count, 3);
    detach(&it);
    finish(engine);
}

/* What a driver has accepted and not told is closed, so that the other side learns of it; or it
 * waits for whoever accepts next. */
KIT_TEST(who_was_accepted_and_not_told_is_not_forgotten_at_detach)
{
    enum { MANY = 5 };
    iso__engine *engine = begin(k);
    iso_address address;
    iso_fd listener = kit_listen(k, &address);
    iso_fd clients[MANY];
    char byte;
    probe it;
    int at;

    attach(k, engine, &it, listener, &probe_accepting);
    CHECK_OK(start_accept(&it, 10));
    turn(engine);
    stop_accept(&it);
    for (at = 0; at < MANY; at++) {
        clients[at] = kit_connect(k, &address);
        kit_await(k, clients[at], WRITE);
    }
    let_arrive(&it);
    detach_and_close(&it);
    let_go(engine);
    CHECK_EQ(it.told, 0);
    for (at = 0; at < MANY; at++) CHECK_LE(kit_recv(k, clients[at], &byte, 1), 0);
    finish(engine);
}

static void stop_after_one(probe *self)
{
    self->accept_most = 0;
    detach_itself(self);
}

KIT_TEST(accepting_one_after_the_other_loses_nobody)
{
    enum { MANY = 20 };
    iso__engine *engine = begin(k);
    iso_address address;
    iso_fd listener = kit_listen(k, &address);
    int accepted = 0;
    probe it;

    /* given an owner for each connection, as one sock_accept after the other is */
    connect_many(k, &address, MANY);
    while (accepted < MANY && !kit_has_failed(k)) {
        attach(k, engine, &it, listener, &probe_accepting);
        it.accept_most = 1;
        it.then = stop_after_one;
        CHECK_OK(start_accept(&it, 1));
        told_exactly(&it, 1);
        accepted += it.accepted_count;
    }
    CHECK_EQ(accepted, MANY);
    finish(engine);
}

static void demand_transient(probe *self)
{
    int error = (int)self->last;

    if (error != 0 && !iso__sys_socket_accept_is_transient(error)) CHECK_OK(error);
}

/* The systems differ in whether they tell of those at all. */
KIT_TEST(who_was_reset_before_it_was_accepted_does_not_stop_the_others)
{
    enum { MANY = 5 };
    iso__engine *engine = begin(k);
    iso_nsec end = kit_now() + ISO_S(20);
    iso_address address;
    iso_fd listener = kit_listen(k, &address);
    iso_address last = { 0 };
    iso_fd client;
    probe it;
    int at;

    for (at = 0; at < MANY; at++) {
        client = kit_connect(k, &address);
        kit_await(k, client, WRITE);
        iso__sys_socket_reset(kit_give(k, client));
    }
    client = kit_connect(k, &address);
    kit_await(k, client, WRITE);
    CHECK_OK(iso__sys_socket_sockname(client, &last));
    attach(k, engine, &it, listener, &probe_accepting);
    it.then = demand_transient;
    CHECK_OK(start_accept(&it, 10));
    while (iso_address_port(&it.peer) != iso_address_port(&last) && CHECK(kit_now() < end))
        CHECK_GE(iso__engine_turn(engine, ISO_S(1)), 0);
    CHECK_LE(it.told, MANY + 1);
    detach(&it);
    finish(engine);
}

KIT_TEST(an_error_of_accepting_is_told)
{
    iso__engine *engine = begin(k);
    iso_address address;
    iso_fd listener = kit_listen(k, &address);
    probe it;

    connect_many(k, &address, 1);
    kit_await(k, listener, READ);
    attach(k, engine, &it, listener, &probe_accepting);
    CHECK_OK(start_accept(&it, 1));
    if (kit_exhaust(k)) {
        turn_until(&it, 1);
        CHECK_RC(it.last, ISO_EMFILE);
        kit_replenish(k);
        it.told = 0;
        turn_until(&it, 1);
        CHECK_EQ(it.accepted_count, 1);
    }
    detach(&it);
    finish(engine);
}

/* ---- watching ---- */

/* Turns until there are so many marks. */
static void turn_until_marked(probe *self, const char *marks)
{
    turn_until(self, (int)strlen(marks));
    CHECK_STR(kit_marks(self->k), marks);
}

KIT_TEST(who_watches_is_told_of_reading_then_of_writing)
{
    iso__engine *engine = begin_natively(k);
    iso_fd pair[2];
    probe it;

    kit_pair(k, pair);
    kit_poke(k, pair[1]);
    kit_await(k, pair[0], READ);
    attach(k, engine, &it, pair[0], &probe_watching);
    it.name = "";
    CHECK_OK(watch(&it, READ | WRITE));
    CHECK_EQ(it.told, 0);
    turn_until_marked(&it, "RW");
    turn_until_marked(&it, "RWRW");
    detach(&it);
    finish(engine);
}

KIT_TEST(watching_takes_the_events_that_are_wanted_from_now_on)
{
    iso__engine *engine = begin_natively(k);
    iso_fd pair[2];
    probe it;

    kit_pair(k, pair);
    kit_poke(k, pair[1]);
    kit_await(k, pair[0], READ);
    attach(k, engine, &it, pair[0], &probe_watching);
    it.name = "";
    CHECK_OK(watch(&it, READ));
    turn_until_marked(&it, "R");
    CHECK_OK(watch(&it, WRITE));
    turn_until_marked(&it, "RW");
    CHECK_OK(watch(&it, 0));
    turn(engine);
    turn(engine);
    CHECK_STR(kit_marks(k), "RW");
    CHECK_OK(watch(&it, READ | WRITE));
    turn_until_marked(&it, "RWRW");
    detach(&it);
    finish(engine);
}

/* A probe that watches, and a byte that it can read, or a buffer that it can't write to. */
static void begin_watching(kit *k, iso__engine *engine, probe *it, iso_fd pair[2])
{
    kit_pair(k, pair);
    attach(k, engine, it, pair[0], &probe_watching);
    it->name = "";
}

KIT_TEST(more_is_wanted_of_what_is_waited_for)
{
    iso__engine *engine = begin_natively(k);
    iso_fd pair[2];
    probe it;

    begin_watching(k, engine, &it, pair);
    CHECK_OK(watch(&it, READ));
    turn(engine);
    CHECK_OK(watch(&it, READ | WRITE));
    turn_until_marked(&it, "W");
    (void)kit_fill(k, pair[0]);
    CHECK_OK(watch(&it, WRITE));
    turn(engine);
    turn(engine);
    CHECK_OK(watch(&it, READ | WRITE));
    kit_poke(k, pair[1]);
    kit_await(k, pair[0], READ);
    it.told = 0;
    kit_clear_marks(k);
    turn_until_marked(&it, "R");
    detach(&it);
    finish(engine);
}

KIT_TEST(what_is_not_wanted_any_more_is_not_told)
{
    iso__engine *engine = begin_natively(k);
    iso_fd pair[2];
    probe it;
    int left;

    begin_watching(k, engine, &it, pair);
    (void)kit_fill(k, pair[0]);
    CHECK_OK(watch(&it, READ | WRITE));
    turn(engine);
    CHECK_OK(watch(&it, WRITE));
    kit_poke(k, pair[1]);
    kit_await(k, pair[0], READ);
    for (left = 5; left > 0; left--) turn(engine);
    CHECK_STR(kit_marks(k), "");
    /* and it is not what a wait ends for, again and again */
    CHECK_EQ(iso__engine_turn(engine, ISO_MS(5)), 0);
    CHECK_OK(watch(&it, 0));
    turn(engine);
    CHECK_OK(watch(&it, READ));
    turn_until_marked(&it, "R");
    detach(&it);
    finish(engine);
}

KIT_TEST(who_watches_is_detached_while_it_is_waited_for_and_another_comes)
{
    iso__engine *engine = begin_natively(k);
    iso_fd pair[2];
    probe its[2];
    int round;

    begin_watching(k, engine, &its[0], pair);
    for (round = 0; round < 20; round++) {
        probe *old = &its[round % 2];
        probe *new = &its[(round + 1) % 2];

        CHECK_OK(watch(old, READ));
        turn(engine);
        detach(old);
        attach(k, engine, new, pair[0], &probe_watching);
        if (round % 3 == 0) turn(engine);
    }
    its[0].name = "";
    CHECK_OK(watch(&its[0], READ));
    turn(engine);
    kit_poke(k, pair[1]);
    turn_until_marked(&its[0], "R");
    CHECK_EQ(its[1].told, 0);
    detach(&its[0]);
    finish(engine);
}

/* The events of a socket are told by the state it is in, not by what was told before. */
KIT_TEST(what_was_not_read_is_told_again_and_nothing_else)
{
    iso__engine *engine = begin_natively(k);
    iso_fd pair[2];
    char byte;
    probe it;

    begin_watching(k, engine, &it, pair);
    CHECK_OK(watch(&it, READ));
    turn(engine);
    kit_send(k, pair[1], "ab", 2);
    turn_until_marked(&it, "R");
    CHECK_EQ(kit_recv(k, pair[0], &byte, 1), 1);
    turn_until_marked(&it, "RR");
    CHECK_EQ(kit_recv(k, pair[0], &byte, 1), 1);
    CHECK_EQ(iso__engine_turn(engine, ISO_MS(5)), 0);
    CHECK_STR(kit_marks(k), "RR");
    kit_close(k, pair[1]);
    turn_until_marked(&it, "RRR"); /* the end */
    turn_until_marked(&it, "RRRR");
    detach(&it);
    finish(engine);
}

static void watch_no_writing(probe *self)
{
    CHECK_OK(watch(self, READ));
}

KIT_TEST(a_reader_can_do_away_with_the_writer_of_the_same_turn)
{
    iso__engine *engine = begin_natively(k);
    iso_fd pair[2];
    probe it;

    kit_pair(k, pair);
    kit_poke(k, pair[1]);
    kit_await(k, pair[0], READ);
    attach(k, engine, &it, pair[0], &probe_watching);
    it.name = "";
    it.then = watch_no_writing;
    CHECK_OK(watch(&it, READ | WRITE));
    turn_until_marked(&it, "R");
    turn_until_marked(&it, "RR");
    detach(&it);
    finish(engine);
}

KIT_TEST(who_watches_may_detach_itself_and_another_of_the_same_turn)
{
    iso__engine *engine = begin_natively(k);
    iso_fd pairs[2][2];
    probe its[2];
    int at;

    for (at = 0; at < 2; at++) {
        kit_pair(k, pairs[at]);
        kit_poke(k, pairs[at][1]);
        kit_await(k, pairs[at][0], READ);
        attach(k, engine, &its[at], pairs[at][0], &probe_watching);
        its[at].then = detach_both;
        its[at].other = &its[1 - at];
        CHECK_OK(watch(&its[at], READ | WRITE));
    }
    while (its[0].told + its[1].told == 0 && !kit_has_failed(k))
        CHECK_GE(iso__engine_turn(engine, ISO_S(20)), 1);
    turn(engine);
    turn(engine);
    CHECK_EQ(its[0].told + its[1].told, 1);
    finish(engine);
}

/* ---- a send, and a receive, at once ---- */

static void drain(kit *k, iso_fd fd, size_t size)
{
    static char sink[65536];

    while (size > 0) {
        size_t part = size < sizeof(sink) ? size : sizeof(sink);

        REQUIRE(kit_recv(k, fd, sink, part) == (ptrdiff_t)part);
        size -= part;
    }
}

KIT_TEST(a_send_that_finds_no_place_waits_for_it)
{
    iso__engine *engine = begin(k);
    iso_buffer list[1] = { { "abc", 3 } };
    iso_fd pair[2];
    char got[4] = "";
    size_t filled;
    probe it;

    /* given a stream that takes no more */
    kit_pair(k, pair);
    filled = kit_fill(k, pair[0]);
    attach(k, engine, &it, pair[0], &probe_reading);
    CHECK_OK(start_recv(&it));
    CHECK_OK(start_send(&it, list, 1));
    turn(engine);
    turn(engine);
    CHECK_EQ(it.results, 0);
    /* when the other side reads */
    drain(k, pair[1], filled);
    /* then it goes on */
    turn_until(&it, 1);
    CHECK_EQ(it.result, 3);
    CHECK_EQ(kit_recv(k, pair[1], got, 3), 3);
    CHECK_STR(got, "abc");
    detach(&it);
    finish(engine);
}

KIT_TEST(a_receive_goes_on_beside_a_send_that_waits)
{
    iso__engine *engine = begin(k);
    iso_buffer list[1] = { { "abc", 3 } };
    iso_fd pair[2];
    bool is_ours;
    probe it;

    kit_pair(k, pair);
    (void)kit_fill(k, pair[0]);
    attach(k, engine, &it, pair[0], &probe_reading);
    CHECK_OK(start_send(&it, list, 1));
    CHECK_OK(start_recv(&it));
    kit_send(k, pair[1], "hello", 5);
    while (it.total < 5 && !kit_has_failed(k)) turn_until(&it, it.told + 1);
    CHECK_STR(it.bytes, "hello");
    CHECK_EQ(it.results, 0);
    is_ours = withdraw(&it);
    detach_and_close(&it);
    demand_told_as_answered(&it, is_ours);
    finish(engine);
}

KIT_TEST(sending_into_a_stream_that_is_gone_is_an_error)
{
    iso__engine *engine = begin(k);
    iso_buffer list[1] = { { "abc", 3 } };
    iso_fd pair[2];
    probe it;
    int round;

    kit_pair(k, pair);
    attach(k, engine, &it, pair[0], &probe_reading);
    kit_close(k, pair[1]);
    for (round = 0; round < 100 && it.result >= 0; round++) { /* TCP finds out with a later one */
        CHECK_OK(start_send(&it, list, 1));
        turn_until(&it, it.told + 1);
    }
    CHECK(it.result == ISO_EPIPE || it.result == ISO_ECONNRESET || it.result == ISO_ECONNABORTED);
    detach(&it);
    finish(engine);
}

/* ---- sending a file ---- */

enum { FILE_BYTES = 300000 };

typedef struct sending {
    probe it;
    iso_fd file;
    iso_fd other; /* where it arrives */
    uint64_t sent;
    uint64_t received;
} sending;

static iso_fd file_of_bytes(kit *k)
{
    char *bytes = malloc(FILE_BYTES);
    iso_fd file;

    REQUIRE(bytes != NULL);
    probe_fill(bytes, FILE_BYTES, 0);
    file = kit_file(k, bytes, FILE_BYTES);
    free(bytes);
    return file;
}

/* Between TCP sockets: there are systems that join no others so. */
static void connect_sending(kit *k, iso__engine *engine, sending *self)
{
    iso_address address;
    iso_fd listener = kit_listen(k, &address);
    iso_fd client = kit_connect(k, &address);

    self->file = file_of_bytes(k);
    self->other = kit_accept(k, listener);
    self->sent = 0;
    self->received = 0;
    attach(k, engine, &self->it, client, &probe_reading);
}

/* Take what has arrived; it is the file, from its `begin` on. */
static void take_arrived(sending *self, uint64_t begin)
{
    char bytes[8192];
    ptrdiff_t got;
    ptrdiff_t at;

    while ((got = iso__sys_socket_recv(self->other, bytes, sizeof(bytes))) > 0) {
        for (at = 0; at < got; at++)
            CHECK(bytes[at] == probe_byte((size_t)(begin + self->received) + (size_t)at));
        self->received += (uint64_t)got;
    }
    CHECK_RC(got, ISO_EAGAIN);
}

/* Whether the driver can do it: one that waits for readiness may leave it to a copy. */
static bool can_sendfile(sending *self)
{
    int rc = start_sendfile(&self->it, self->file, 0, 1);

    CHECK_EQ(self->it.results, 0); /* told later, whatever it is */
    if (rc == ISO_ENOTSUP) {
        CHECK(is_reactor(self->it.engine));
        return false;
    }
    CHECK_OK(rc);
    turn_until_done(&self->it, 1);
    CHECK_EQ(self->it.result, 1);
    kit_await(self->it.k, self->other, READ);
    take_arrived(self, 0);
    CHECK_EQ(self->received, 1);
    self->received = 0;
    return true;
}

/* Send [begin, end) of the file in as many operations as it takes. */
static void send_part(sending *self, uint64_t begin, uint64_t end)
{
    iso_nsec deadline = kit_now() + ISO_S(20);

    self->sent = begin;
    while (self->sent < end && CHECK(kit_now() < deadline)) {
        int before = self->it.results;

        CHECK_OK(start_sendfile(&self->it, self->file, self->sent, (size_t)(end - self->sent)));
        while (self->it.results == before && CHECK(kit_now() < deadline)) {
            CHECK_GE(iso__engine_turn(self->it.engine, ISO_MS(1)), 0);
            take_arrived(self, begin);
        }
        if (!CHECK_GE(self->it.result, 1)) return;
        self->sent += (uint64_t)self->it.result;
        CHECK_LE(self->sent, end);
    }
    while (self->received < end - begin && CHECK(kit_now() < deadline)) {
        kit_await(self->it.k, self->other, READ);
        take_arrived(self, begin);
    }
    CHECK_EQ(self->received, end - begin);
}

KIT_TEST(a_file_is_sent_whole_and_its_end_is_zero_bytes)
{
    iso__engine *engine = begin(k);
    sending s;

    connect_sending(k, engine, &s);
    if (can_sendfile(&s)) {
        send_part(&s, 0, FILE_BYTES);
        s.it.results = 0;
        CHECK_OK(start_sendfile(&s.it, s.file, FILE_BYTES, 100));
        CHECK_EQ(s.it.results, 0);
        turn_until_done(&s.it, 1);
        CHECK_EQ(s.it.result, 0);
    }
    detach(&s.it);
    finish(engine);
}

KIT_TEST(a_part_of_a_file_is_sent)
{
    iso__engine *engine = begin(k);
    sending s;

    connect_sending(k, engine, &s);
    if (can_sendfile(&s)) {
        send_part(&s, 12345, 54321);
        s.received = 0;
        send_part(&s, 0, 1);
    }
    detach(&s.it);
    finish(engine);
}

KIT_TEST(more_of_a_file_than_it_has_is_what_it_has)
{
    iso__engine *engine = begin(k);
    sending s;

    connect_sending(k, engine, &s);
    if (can_sendfile(&s)) {
        s.it.results = 0;
        CHECK_OK(start_sendfile(&s.it, s.file, FILE_BYTES - 10, 1000));
        turn_until_done(&s.it, 1);
        CHECK_EQ(s.it.result, 10);
    }
    detach(&s.it);
    finish(engine);
}

KIT_TEST(a_file_that_waits_for_a_place_is_withdrawn_and_its_descriptors_closed_right_away)
{
    iso__engine *engine = begin(k);
    bool is_ours;
    sending s;

    connect_sending(k, engine, &s);
    if (can_sendfile(&s)) {
        (void)kit_fill(k, s.it.io.fd);
        s.it.results = 0;
        CHECK_OK(start_sendfile(&s.it, s.file, 0, FILE_BYTES));
        turn(engine);
        CHECK_EQ(s.it.results, 0);
        is_ours = withdraw(&s.it);
        detach_and_close(&s.it);
        kit_close(k, s.file);
        demand_told_as_answered(&s.it, is_ours);
    } else {
        detach(&s.it);
    }
    finish(engine);
}

KIT_TEST(what_cannot_be_sent_as_a_file_is_refused_or_told_and_the_stream_goes_on)
{
    iso__engine *engine = begin(k);
    iso_fd pair[2];
    iso_fd pipe[2];
    char got[4] = "";
    probe it;
    int rc;

    /* given a pipe, which is no regular file */
    kit_pair(k, pair);
    kit_pipe(k, pipe);
    attach(k, engine, &it, pair[0], &probe_reading);
    rc = start_sendfile(&it, pipe[0], 0, 10);
    CHECK_EQ(it.results, 0);
    if (rc == 0) {
        turn_until_done(&it, 1);
        CHECK_LE(it.result, -1);
    }
    it.results = 0;
    CHECK_OK(send_abc(&it));
    turn_until_done(&it, 1);
    CHECK_EQ(kit_recv(k, pair[1], got, 3), 3);
    CHECK_STR(got, "abc");
    detach(&it);
    finish(engine);
}

/* ---- wake, held, descriptor ---- */

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
    finish(engine);
}

static void wake_it(void *arg)
{
    iso__engine *engine = arg;

    engine->driver->kind->wake(engine->driver);
}

KIT_TEST(a_wake_up_of_another_thread_ends_a_wait)
{
    iso__engine *engine = begin(k);
    int round;

    for (round = 0; round < 20; round++) {
        kit_thread(k, wake_it, engine);
        CHECK_GE(iso__engine_turn(engine, ISO_FOREVER), 0);
        kit_join_all(k);
    }
    finish(engine);
}

enum { WAKE_UPS = 2000 };

static void wake_it_often(void *arg)
{
    iso__engine *engine = arg;
    int left;

    for (left = WAKE_UPS; left > 0; left--) engine->driver->kind->wake(engine->driver);
}

KIT_TEST(thousands_of_wake_ups_are_over_in_some_turns)
{
    enum { MOST_TURNS = 100 };
    iso__engine *engine = begin(k);
    iso_nsec before;
    int turns = 0;
    int at;

    for (at = 0; at < 4; at++) kit_thread(k, wake_it_often, engine);
    kit_join_all(k);
    /* the first of them ends a wait, */
    CHECK_GE(iso__engine_turn(engine, ISO_FOREVER), 0);
    /* and a while later none is left to end another */
    do {
        before = kit_now();
        CHECK_GE(iso__engine_turn(engine, ISO_MS(50)), 0);
    } while (kit_now() - before < ISO_MS(49) && CHECK_LE(++turns, MOST_TURNS));
    finish(engine);
}

KIT_TEST(no_wake_up_is_lost_while_the_loop_takes_others)
{
    iso__engine *engine = begin(k);
    int at;

    /* given wake-ups while the loop turns */
    for (at = 0; at < 4; at++) kit_thread(k, wake_it_often, engine);
    for (at = 0; at < 200; at++) turn(engine);
    kit_join_all(k);
    for (at = 0; at < 3; at++) turn(engine);
    /* then one more still ends a wait */
    engine->driver->kind->wake(engine->driver);
    CHECK_GE(iso__engine_turn(engine, ISO_FOREVER), 0);
    finish(engine);
}

KIT_TEST(nothing_is_held_of_a_driver_that_does_nothing)
{
    iso__engine *engine = begin(k);
    iso_fd pair[2];
    probe it;

    CHECK_EQ(engine->driver->kind->held(engine->driver), 0);
    kit_pair(k, pair);
    attach(k, engine, &it, pair[0], &probe_reading);
    CHECK_EQ(engine->driver->kind->held(engine->driver), 0);
    detach(&it);
    finish(engine);
}

KIT_TEST(its_descriptor_if_it_has_one_is_readable_when_there_is_something)
{
    iso__engine *engine = begin(k);
    iso_fd own = engine->driver->kind->descriptor(engine->driver);

    if (own != ISO_FD_NONE) {
        engine->driver->kind->wake(engine->driver);
        kit_await(k, own, READ);
    }
    CHECK_EQ(engine->driver->kind->descriptor(engine->driver), own);
    finish(engine);
}

/* What is under way when a loop closes is cancelled, and waited for. */
KIT_TEST(a_loop_that_closes_waits_for_what_the_kernel_holds)
{
    iso_loop *loop = kit_loop(k);
    iso__engine *engine = &loop->engine;
    iso_buffer list[1] = { { "abc", 3 } };
    iso_fd pair[2];
    bool is_ours;
    probe it;

    kit_pair(k, pair);
    (void)kit_fill(k, pair[0]);
    attach(k, engine, &it, pair[0], &probe_reading);
    CHECK_OK(start_recv(&it));
    CHECK_OK(start_send(&it, list, 1));
    turn(engine);
    is_ours = withdraw(&it);
    detach(&it);
    kit_release_loop(k, loop);
    CHECK_EQ(it.results, is_ours ? 0 : 1);
    CHECK_EQ(it.told, it.results);
}

/* ---- datagrams ---- */

/* A socket that is bound to a free port of this machine; *at is where. */
static iso_fd bound(kit *k, iso_address *at)
{
    iso_fd fd = ISO_FD_NONE;

    REQUIRE_OK(iso_address_parse(at, "127.0.0.1", 0));
    REQUIRE_OK(iso__sys_datagram_open(&fd, 4));
    REQUIRE_OK(iso__sys_socket_bind(kit_own(k, fd), at));
    REQUIRE_OK(iso__sys_socket_sockname(fd, at));
    return fd;
}

static void send_one(iso_fd fd, const char *text, const iso_address *to)
{
    iso_buffer piece = { text, strlen(text) };

    CHECK_EQ(iso__sys_datagram_send(fd, &piece, to), strlen(text));
}

KIT_TEST(datagrams_are_told_one_by_one_with_who_sent_them_and_not_before_the_turn)
{
    iso__engine *engine = begin(k);
    iso_address at;
    iso_address from;
    iso_fd sender = bound(k, &from);
    probe it;

    attach(k, engine, &it, bound(k, &at), &probe_taking);
    send_one(sender, "abc", &at);
    send_one(sender, "", &at);
    send_one(sender, "defg", &at);
    kit_await(k, it.io.fd, READ);
    CHECK_OK(start_recvfrom(&it));
    CHECK_OK(start_recvfrom(&it)); /* once more is fine */
    CHECK_EQ(it.told, 0);
    turn_until(&it, 3);
    CHECK_EQ(it.last, 4);
    CHECK_EQ(iso_address_port(&it.peer), iso_address_port(&from));
    send_one(sender, "hi", &at);
    turn_until(&it, 4);
    CHECK_EQ(it.last, 2);
    turn(engine);
    CHECK_EQ(it.told, 4);
    detach(&it);
    finish(engine);
}

static void stop_itself(probe *self)
{
    stop_recvfrom(self);
}

KIT_TEST(who_stops_at_a_datagram_is_told_the_next_one_after_it_starts_again)
{
    iso__engine *engine = begin(k);
    iso_address at;
    iso_fd sender;
    probe it;

    sender = bound(k, &at);
    attach(k, engine, &it, bound(k, &at), &probe_taking);
    it.is_last_one = true;
    it.then = stop_itself;
    CHECK_OK(start_recvfrom(&it));
    send_one(sender, "1", &at);
    send_one(sender, "2", &at);
    turn_until(&it, 1);
    let_arrive(&it);
    turn(engine);
    CHECK_EQ(it.told, 1);
    CHECK_EQ(it.bytes[0], '1');
    CHECK_OK(start_recvfrom(&it));
    turn_until(&it, 2);
    CHECK_EQ(it.bytes[0], '2');
    detach(&it);
    finish(engine);
}

/* Nothing of the io may be touched any more. */
static void detach_and_spoil(probe *self)
{
    detach(self);
    memset(&self->io, 0xDF, sizeof(self->io));
}

KIT_TEST(who_detaches_at_a_datagram_is_told_no_more)
{
    iso__engine *engine = begin(k);
    iso_address at;
    iso_fd sender;
    probe it;

    sender = bound(k, &at);
    attach(k, engine, &it, bound(k, &at), &probe_taking);
    it.is_last_one = true;
    it.then = detach_and_spoil;
    send_one(sender, "1", &at);
    send_one(sender, "2", &at);
    send_one(sender, "3", &at);
    CHECK_OK(start_recvfrom(&it));
    told_exactly(&it, 1);
    finish(engine);
}

KIT_TEST(a_datagram_goes_straight_into_memory_that_was_lent)
{
    iso__engine *engine = begin(k);
    iso_address at;
    iso_address from;
    iso_fd sender = bound(k, &from);
    char memory[4] = "...";
    probe it;

    attach(k, engine, &it, bound(k, &at), &probe_taking_lent);
    it.lent = memory;
    it.lent_size = 2;
    CHECK_OK(start_recvfrom(&it));
    turn(engine);
    send_one(sender, "ab", &at);
    turn_until(&it, 1);
    CHECK_EQ(it.last, 2);
    CHECK_PTR(it.data, memory);
    CHECK_STR(memory, "ab.");
    send_one(sender, "cdef", &at); /* longer than that: its beginning is there, and it is told */
    turn_until(&it, 2);
    CHECK_RC(it.last, ISO_EMSGSIZE);
    CHECK_STR(memory, "cd.");
    CHECK_EQ(iso_address_port(&it.peer), iso_address_port(&from));
    send_one(sender, "g", &at);
    turn_until(&it, 3);
    CHECK_EQ(it.last, 1);
    CHECK_STR(memory, "gd.");
    detach(&it);
    finish(engine);
}

KIT_TEST(what_would_come_into_lent_memory_stays_for_who_attaches_next)
{
    iso__engine *engine = begin(k);
    iso_address at;
    iso_fd sender;
    char memory[4] = "...";
    probe it;

    sender = bound(k, &at);
    attach(k, engine, &it, bound(k, &at), &probe_taking_lent);
    it.lent = memory;
    it.lent_size = 3;
    CHECK_OK(start_recvfrom(&it));
    turn(engine);
    send_one(sender, "abc", &at);
    kit_await(k, it.io.fd, READ);
    detach(&it);
    let_go(engine);
    CHECK_STR(memory, "...");
    CHECK_OK(iso__engine_attach(engine, &it.io));
    CHECK_OK(start_recvfrom(&it));
    turn_until(&it, 1);
    CHECK_STR(memory, "abc");
    detach(&it);
    finish(engine);
}

KIT_TEST(a_datagram_is_sent_and_its_end_told_in_a_turn)
{
    static char longer[70000];
    iso__engine *engine = begin(k);
    iso_buffer data = { "hello", 5 };
    iso_buffer empty = { "", 0 };
    iso_buffer too_long = { longer, sizeof(longer) };
    iso_address at;
    iso_address from;
    iso_address peer;
    iso_fd receiver = bound(k, &at);
    char got[8] = "";
    probe it;

    attach(k, engine, &it, bound(k, &from), &probe_taking);
    CHECK_OK(start_sendto(&it, &data, &at));
    CHECK_EQ(it.results, 0);
    turn_until_done(&it, 1);
    CHECK_EQ(it.result, 5);
    kit_await(k, receiver, READ);
    CHECK_EQ(iso__sys_datagram_recv(receiver, got, sizeof(got), &peer), 5);
    CHECK_EQ(iso_address_port(&peer), iso_address_port(&from));
    CHECK_OK(start_sendto(&it, &too_long, &at));
    turn_until_done(&it, 2);
    CHECK_RC(it.result, ISO_EMSGSIZE);
    CHECK_OK(start_sendto(&it, &empty, &at));
    turn_until_done(&it, 3);
    CHECK_EQ(it.result, 0);
    kit_await(k, receiver, READ);
    CHECK_EQ(iso__sys_datagram_recv(receiver, got, sizeof(got), &peer), 0);
    detach(&it);
    finish(engine);
}

static const kit_case cases[] = {
    KIT_CASE(starting_to_read_what_is_there_tells_nothing_before_the_turn),
    KIT_CASE(starting_to_accept_who_waits_tells_nothing_before_the_turn),
    KIT_CASE(sending_tells_nothing_before_the_turn),
    KIT_CASE(a_connection_that_fails_at_once_tells_nothing_before_the_turn),
    KIT_CASE(a_connection_is_told_when_it_is_there),
    KIT_CASE(what_arrives_goes_straight_into_memory_that_was_lent),
    KIT_CASE(memory_that_was_lent_is_left_alone_once_reading_has_stopped),
    KIT_CASE(memory_that_was_lent_is_left_alone_after_detach),
    KIT_CASE(the_end_of_the_stream_is_zero_bytes),
    KIT_CASE(a_broken_stream_is_an_error),
    KIT_CASE(much_data_arrives_whole_in_pieces_of_any_size),
    KIT_CASE(a_send_that_was_withdrawn_is_told_as_withdraw_answers),
    KIT_CASE(an_operation_that_is_not_under_way_is_withdrawn),
    KIT_CASE(a_send_that_waits_is_withdrawn_and_its_descriptor_closed_right_away),
    KIT_CASE(a_send_beside_a_receive_is_withdrawn_and_its_descriptor_closed_right_away),
    KIT_CASE(a_send_that_is_over_and_not_told_is_withdrawn_and_its_descriptor_closed_right_away),
    KIT_CASE(a_connection_is_withdrawn_and_its_descriptor_closed_right_away),
    KIT_CASE(many_operations_are_withdrawn_at_once),
    KIT_CASE(stopping_to_read_keeps_what_comes),
    KIT_CASE(stopping_to_read_keeps_the_end_of_the_stream),
    KIT_CASE(one_that_is_stopped_by_another_of_the_same_turn_is_not_told),
    KIT_CASE(one_read_after_the_other_loses_nothing),
    KIT_CASE(nothing_is_told_after_detach_and_the_descriptor_is_open),
    KIT_CASE(a_receive_is_under_way_when_its_owner_detaches_and_closes),
    KIT_CASE(an_owner_may_detach_itself_and_another_of_the_same_turn),
    KIT_CASE(an_owner_that_detaches_in_done_is_left_alone),
    KIT_CASE(an_owner_that_detaches_and_closes_when_it_reads_is_left_alone),
    KIT_CASE(a_number_can_be_attached_again),
    KIT_CASE(what_comes_between_two_owners_that_lend_memory_is_the_second_ones),
    KIT_CASE(a_number_that_comes_again_begins_anew),
    KIT_CASE(detaching_twice_is_fine),
    KIT_CASE(a_descriptor_can_be_forgotten_that_was_never_attached),
    KIT_CASE(a_second_io_of_one_descriptor_is_refused),
    KIT_CASE(attaching_without_memory_is_refused),
    KIT_CASE(reading_without_memory_is_refused),
    KIT_CASE(accepting_without_memory_is_refused),
    KIT_CASE(sending_without_memory_is_refused),
    KIT_CASE(connecting_without_memory_is_refused),
    KIT_CASE(no_more_connections_a_turn_than_asked_for_are_told),
    KIT_CASE(an_owner_that_says_stop_may_be_gone),
    KIT_CASE(accepting_can_stop_and_go_on),
    KIT_CASE(who_was_accepted_and_not_told_is_not_forgotten_at_detach),
    KIT_CASE(accepting_one_after_the_other_loses_nobody),
    KIT_CASE(who_was_reset_before_it_was_accepted_does_not_stop_the_others),
    KIT_CASE(an_error_of_accepting_is_told),
    KIT_CASE(who_watches_is_told_of_reading_then_of_writing),
    KIT_CASE(watching_takes_the_events_that_are_wanted_from_now_on),
    KIT_CASE(more_is_wanted_of_what_is_waited_for),
    KIT_CASE(what_is_not_wanted_any_more_is_not_told),
    KIT_CASE(who_watches_is_detached_while_it_is_waited_for_and_another_comes),
    KIT_CASE(what_was_not_read_is_told_again_and_nothing_else),
    KIT_CASE(a_reader_can_do_away_with_the_writer_of_the_same_turn),
    KIT_CASE(who_watches_may_detach_itself_and_another_of_the_same_turn),
    KIT_CASE(a_send_that_finds_no_place_waits_for_it),
    KIT_CASE(a_receive_goes_on_beside_a_send_that_waits),
    KIT_CASE(sending_into_a_stream_that_is_gone_is_an_error),
    KIT_CASE(a_file_is_sent_whole_and_its_end_is_zero_bytes),
    KIT_CASE(a_part_of_a_file_is_sent),
    KIT_CASE(more_of_a_file_than_it_has_is_what_it_has),
    KIT_CASE(a_file_that_waits_for_a_place_is_withdrawn_and_its_descriptors_closed_right_away),
    KIT_CASE(what_cannot_be_sent_as_a_file_is_refused_or_told_and_the_stream_goes_on),
    KIT_CASE(datagrams_are_told_one_by_one_with_who_sent_them_and_not_before_the_turn),
    KIT_CASE(who_stops_at_a_datagram_is_told_the_next_one_after_it_starts_again),
    KIT_CASE(who_detaches_at_a_datagram_is_told_no_more),
    KIT_CASE(a_datagram_goes_straight_into_memory_that_was_lent),
    KIT_CASE(what_would_come_into_lent_memory_stays_for_who_attaches_next),
    KIT_CASE(a_datagram_is_sent_and_its_end_told_in_a_turn),
    KIT_CASE(a_wake_up_lets_the_next_turn_not_wait),
    KIT_CASE(a_wake_up_of_another_thread_ends_a_wait),
    KIT_CASE(thousands_of_wake_ups_are_over_in_some_turns),
    KIT_CASE(no_wake_up_is_lost_while_the_loop_takes_others),
    KIT_CASE(nothing_is_held_of_a_driver_that_does_nothing),
    KIT_CASE(its_descriptor_if_it_has_one_is_readable_when_there_is_something),
    KIT_CASE(a_loop_that_closes_waits_for_what_the_kernel_holds),
};

KIT_MAIN(cases)
