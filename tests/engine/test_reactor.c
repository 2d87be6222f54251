/* SPDX-License-Identifier: MIT */
/* What holds of the reactor and of no other driver: after one turn all is told that was ready; and
 * the selector below it, its refusals, its descriptor, show. On the poller of the matrix. */
#include "engine/probe.h"
#include "loop/loop.h"
#include "sys/sock.h"

#include <string.h>

static iso__engine *begin(kit *k)
{
    iso_loop_options options = kit_options(k);

    options.selector = kit_selector(k);
    return &kit_loop_with(k, &options)->engine;
}

/* ---- one turn ---- */

KIT_TEST(what_can_be_read_is_told_in_one_turn)
{
    iso__engine *engine = begin(k);
    iso_fd pair[2];
    probe it;

    kit_pair(k, pair);
    kit_send(k, pair[1], "hello", 5);
    kit_await(k, pair[0], READ);
    attach(k, engine, &it, pair[0], &probe_reading);
    CHECK_OK(start_recv(&it));
    turn(engine);
    CHECK_EQ(it.told, 1);
    CHECK_STR(it.bytes, "hello");
    detach(&it);
    finish(engine);
}

KIT_TEST(what_can_be_written_is_written_in_one_turn)
{
    iso__engine *engine = begin(k);
    iso_buffer list[1] = { { "abc", 3 } };
    iso_fd pair[2];
    probe it;

    kit_pair(k, pair);
    attach(k, engine, &it, pair[0], &probe_reading);
    CHECK_OK(start_send(&it, list, 1));
    turn(engine);
    CHECK_EQ(it.results, 1);
    CHECK_EQ(it.result, 3);
    detach(&it);
    finish(engine);
}

KIT_TEST(an_operation_is_its_owners_again_as_soon_as_he_wants_it)
{
    iso__engine *engine = begin(k);
    iso_buffer list[1] = { { "abc", 3 } };
    iso_fd pair[2];
    probe it;

    kit_pair(k, pair);
    attach(k, engine, &it, pair[0], &probe_reading);
    CHECK_OK(start_send(&it, list, 1));
    CHECK(withdraw(&it));
    turn(engine);
    CHECK_EQ(it.results, 0);
    CHECK_EQ(engine->driver->kind->held(engine->driver), 0);
    CHECK(!engine->driver->kind->lends_to_kernel);
    detach(&it);
    finish(engine);
}

KIT_TEST(as_many_connections_as_asked_for_are_told_in_one_turn)
{
    iso__engine *engine = begin(k);
    iso_address address;
    iso_fd listener = kit_listen(k, &address);
    probe it;
    int at;

    for (at = 0; at < 5; at++) kit_await(k, kit_connect(k, &address), WRITE);
    kit_await(k, listener, READ);
    attach(k, engine, &it, listener, &probe_accepting);
    CHECK_OK(start_accept(&it, 2));
    turn(engine);
    CHECK_EQ(it.accepted_count, 2);
    turn(engine);
    CHECK_EQ(it.accepted_count, 4);
    turn_until(&it, 5);
    CHECK_EQ(it.accepted_count, 5);
    detach(&it);
    finish(engine);
}

KIT_TEST(reading_and_writing_are_told_in_one_turn)
{
    iso__engine *engine = begin(k);
    iso_fd pair[2];
    probe it;

    kit_pair(k, pair);
    kit_poke(k, pair[1]);
    kit_await(k, pair[0], READ);
    attach(k, engine, &it, pair[0], &probe_watching);
    it.name = "";
    CHECK_OK(watch(&it, READ | WRITE));
    turn(engine);
    CHECK_STR(kit_marks(k), "RW");
    turn(engine);
    CHECK_STR(kit_marks(k), "RWRW");
    detach(&it);
    finish(engine);
}

static void let_the_other_forget_its_reading(probe *self)
{
    CHECK_OK(watch(self->other, WRITE));
    CHECK_OK(watch(self->other, READ | WRITE));
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
        attach(k, engine, &its[at], pairs[at][0], &probe_watching);
        its[at].then = let_the_other_forget_its_reading;
        its[at].other = &its[1 - at];
        CHECK_OK(watch(&its[at], READ | WRITE));
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
    finish(engine);
}

/* ---- the selector ---- */

KIT_TEST(what_cannot_be_watched_is_refused_and_can_be_tried_again)
{
    iso__engine *engine = begin(k);
    iso_buffer list[1] = { { "abc", 3 } };
    probe it;

    attach(k, engine, &it, kit_regular_file(k), &probe_watching);
    CHECK_RC(watch(&it, READ), ISO_EREGULARFILE);
    CHECK_RC(watch(&it, WRITE), ISO_EREGULARFILE);
    CHECK_RC(start_recv(&it), ISO_EREGULARFILE);
    CHECK_RC(start_accept(&it, 1), ISO_EREGULARFILE);
    CHECK_RC(start_send(&it, list, 1), ISO_EREGULARFILE);
    turn(engine);
    CHECK_EQ(it.told, 0);
    detach(&it);
    finish(engine);
}

KIT_TEST(reading_needs_memory_once)
{
    iso__engine *engine = begin(k);
    iso_fd pair[2];
    probe it;

    kit_pair(k, pair);
    attach(k, engine, &it, pair[0], &probe_reading);
    kit_fail_allocation(k, 1, true);
    CHECK_RC(start_recv(&it), ISO_ENOMEM);
    kit_fail_allocation(k, 0, false);
    CHECK_OK(start_recv(&it));
    stop_recv(&it);
    kit_fail_allocation(k, 1, true);
    CHECK_OK(start_recv(&it));
    kit_fail_allocation(k, 0, false);
    detach(&it);
    finish(engine);
}

KIT_TEST(a_descriptor_that_was_closed_is_told_once_and_does_not_spin)
{
    iso__engine *engine = begin(k);
    const char *name = kit_poller(k)->name;
    iso_fd pair[2];
    probe it;
    int round;

    kit_pair(k, pair);
    attach(k, engine, &it, pair[0], &probe_watching);
    CHECK_OK(watch(&it, READ));
    kit_close(k, pair[0]);
    for (round = 0; round < 5; round++) turn(engine);
    /* epoll and kqueue do not let one see it */
    CHECK_EQ(it.told, strcmp(name, "poll") == 0 || strcmp(name, "select") == 0 ? 1 : 0);
    if (it.told > 0) CHECK_EQ(it.last, GONE);
    detach(&it);
    finish(engine);
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
    finish(engine);
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
    attach(k, engine, &it, pair[0], &probe_watching);
    it.name = "";
    CHECK_OK(watch(&it, READ));
    selector.refusal = ISO_ENOTSUP;
    /* when writing is wanted too, then the call says so, */
    CHECK_EQ(watch(&it, READ | WRITE), ISO_ENOTSUP);
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
    KIT_CASE(what_can_be_read_is_told_in_one_turn),
    KIT_CASE(what_can_be_written_is_written_in_one_turn),
    KIT_CASE(an_operation_is_its_owners_again_as_soon_as_he_wants_it),
    KIT_CASE(as_many_connections_as_asked_for_are_told_in_one_turn),
    KIT_CASE(reading_and_writing_are_told_in_one_turn),
    KIT_CASE(what_was_due_is_not_told_to_who_stopped_and_began_again),
    KIT_CASE(what_cannot_be_watched_is_refused_and_can_be_tried_again),
    KIT_CASE(reading_needs_memory_once),
    KIT_CASE(a_descriptor_that_was_closed_is_told_once_and_does_not_spin),
    KIT_CASE(its_own_descriptor_is_the_selectors),
    KIT_CASE(a_change_that_is_refused_is_told_by_the_call_and_leaves_all_as_it_was),
};

KIT_MAIN(cases)
