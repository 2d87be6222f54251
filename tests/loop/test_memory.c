/* SPDX-License-Identifier: MIT */
/* Memory: none is asked for in a steady state, and an allocation that fails leaves nothing
 * behind. */
#include "kit.h"

enum { ROUNDS = 100, EACH = 100 };

/* ---- the steady state ---- */

static uint64_t allocations(kit *k)
{
    return kit_memory_now(k).allocations;
}

static void schedule_many(iso_loop *loop, int *runs)
{
    int at;

    for (at = 0; at < EACH; at++) CHECK_OK(iso_loop_call_soon(loop, kit_count, runs, NULL));
}

KIT_TEST(ten_thousand_call_soon_ask_for_no_memory)
{
    iso_loop *loop = kit_loop(k);
    uint64_t before;
    int runs = 0;
    int round;

    schedule_many(loop, &runs);
    kit_turn(k, loop);
    before = allocations(k);
    for (round = 0; round < ROUNDS; round++) {
        schedule_many(loop, &runs);
        kit_turn(k, loop);
    }
    CHECK_EQ(runs, EACH * (ROUNDS + 1));
    CHECK_EQ(allocations(k), before);
}

static void time_many(kit *k, iso_loop *loop, int *runs)
{
    int at;

    for (at = 0; at < EACH; at++) {
        iso_handle handle;

        CHECK_OK(iso_loop_call_later(loop, kit_random_below(k, 1000), kit_count, runs, &handle));
        if (at % 4 == 0) CHECK_OK(iso_handle_cancel(loop, handle));
    }
}

KIT_TEST(ten_thousand_call_later_ask_for_no_memory)
{
    iso_loop *loop = kit_virtual_loop(k);
    uint64_t before;
    int runs = 0;
    int round;

    time_many(k, loop, &runs);
    kit_advance(k, 1000);
    kit_turn(k, loop);
    before = allocations(k);
    for (round = 0; round < ROUNDS; round++) {
        time_many(k, loop, &runs);
        kit_advance(k, 1000);
        kit_turn(k, loop);
    }
    CHECK_EQ(runs, (EACH - EACH / 4) * (ROUNDS + 1));
    CHECK_EQ(allocations(k), before);
}

static void post_many(iso_loop *loop, int *runs)
{
    int at;

    for (at = 0; at < EACH; at++) CHECK_OK(iso_loop_call_soon_threadsafe(loop, kit_count, runs));
}

KIT_TEST(ten_thousand_posts_ask_for_no_memory)
{
    iso_loop *loop = kit_loop(k);
    uint64_t before;
    int runs = 0;
    int round;

    post_many(loop, &runs);
    kit_turn(k, loop);
    before = allocations(k);
    for (round = 0; round < ROUNDS; round++) {
        post_many(loop, &runs);
        kit_turn(k, loop);
    }
    CHECK_EQ(runs, EACH * (ROUNDS + 1));
    CHECK_EQ(allocations(k), before);
}

KIT_TEST(turns_with_io_ask_for_no_memory)
{
    iso_loop *loop = kit_native_loop(k);
    uint64_t before;
    iso_fd pair[2];
    int writes = 0;
    int round;

    kit_pair(k, pair);
    CHECK_OK(iso_loop_add_writer(loop, pair[0], kit_count, &writes));
    kit_turn(k, loop);
    before = allocations(k);
    for (round = 0; round < 1000; round++) kit_turn(k, loop);
    CHECK_EQ(writes, 1001);
    /* nor does a change of what a descriptor waits for */
    for (round = 0; round < 1000; round++) {
        CHECK_OK(iso_loop_add_reader(loop, pair[0], kit_count, &writes));
        kit_turn(k, loop);
        CHECK_OK(iso_loop_remove_reader(loop, pair[0]));
    }
    CHECK_EQ(allocations(k), before);
    CHECK_OK(iso_loop_remove_writer(loop, pair[0]));
}

/* ---- every allocation of a scenario fails once, and from then on ---- */

typedef int (*scenario)(kit *k, iso_loop *loop, iso_fd pair[2]);

static int schedule_all_sorts(kit *k, iso_loop *loop, iso_fd pair[2])
{
    iso_handle handle;
    int runs = 0;
    int rc = 0;
    int at;

    (void)pair;
    for (at = 0; rc == 0 && at < 300; at++) {
        rc = iso_loop_call_soon(loop, kit_count, &runs, NULL);
        if (rc == 0) rc = iso_loop_call_later(loop, at % 7, kit_count, &runs, &handle);
        if (rc == 0 && at % 3 == 0) CHECK_OK(iso_handle_cancel(loop, handle));
        if (rc == 0) rc = iso_loop_call_soon_threadsafe(loop, kit_count, &runs);
    }
    CHECK_GE(iso_loop_run_once(loop, 0), 0);
    if (rc == 0) CHECK_GE(runs, 600); /* the timers of this moment may not be due yet */
    (void)k;
    return rc;
}

static int watch_a_pair(kit *k, iso_loop *loop, iso_fd pair[2])
{
    int runs = 0;
    int rc = iso_loop_add_reader(loop, pair[0], kit_count, &runs);

    if (rc == 0) rc = iso_loop_add_writer(loop, pair[0], kit_count, &runs);
    if (rc == 0) rc = iso_loop_add_writer(loop, pair[1], kit_count, &runs);
    if (rc == 0) CHECK_GE(kit_turn(k, loop), 2);
    (void)iso_loop_remove_reader(loop, pair[0]);
    (void)iso_loop_remove_writer(loop, pair[0]);
    (void)iso_loop_remove_writer(loop, pair[1]);
    return rc;
}

static void end_future(iso_loop *loop, void *future)
{
    (void)loop;
    CHECK_OK(iso_future_set_result(future, NULL));
}

static int wait_for_a_future(kit *k, iso_loop *loop, iso_fd pair[2])
{
    iso_future *future = NULL;
    int rc = iso_loop_create_future(loop, &future);

    (void)k;
    (void)pair;
    if (rc != 0) return rc;
    rc = iso_future_add_done_callback(future, kit_mark_future, "f");
    if (rc == 0) rc = iso_loop_call_soon(loop, end_future, future, NULL);
    if (rc == 0) rc = iso_loop_run_until_complete(loop, future);
    if (!iso_future_done(future))
        (void)iso_loop_run_once(loop, 0); /* end_future may be scheduled */
    iso_future_release(future);
    return rc;
}

static int send_and_receive(kit *k, iso_loop *loop, iso_fd pair[2])
{
    iso_future *received = NULL;
    iso_future *sent = NULL;
    char bytes[8];
    int rc = iso_loop_sock_recv_into(loop, pair[0], bytes, sizeof(bytes), &received);

    (void)k;
    if (rc == 0) rc = iso_loop_sock_sendall(loop, pair[1], "hello", 5, &sent);
    if (rc == 0) rc = iso_loop_run_until_complete(loop, received);
    if (rc == 0) rc = iso_loop_run_until_complete(loop, sent);
    if (received != NULL && !iso_future_done(received)) CHECK_OK(iso_future_cancel(received));
    if (sent != NULL && !iso_future_done(sent)) CHECK_OK(iso_future_cancel(sent));
    if (received != NULL) (void)iso_future_error(received);
    if (sent != NULL) (void)iso_future_error(sent);
    iso_future_release(received);
    iso_future_release(sent);
    return rc;
}

/* One run of a scenario with a loop of its own; answers what it ended with. */
static int run_one(kit *k, scenario play)
{
    iso_loop_options options = kit_options(k);
    iso_loop *loop = NULL;
    iso_fd pair[2];
    int rc;

    options.limits = "native";
    kit_pair(k, pair);
    rc = iso_loop_new(&loop, &options);
    if (rc == 0) rc = play(k, loop, pair);
    iso_loop_release(loop);
    kit_close(k, pair[0]);
    kit_close(k, pair[1]);
    return rc;
}

static void fail_each(kit *k, scenario play, bool from_then_on)
{
    uint64_t nth = 0;
    uint64_t failures;
    int rc;

    do {
        failures = kit_memory_now(k).failures;
        kit_fail_allocation(k, ++nth, from_then_on);
        rc = run_one(k, play);
        kit_fail_allocation(k, 0, false);
        if (rc != 0) CHECK_RC(rc, ISO_ENOMEM);
        CHECK_EQ(kit_memory_now(k).blocks, 0);
        CHECK_EQ(kit_memory_now(k).bytes, 0);
    } while (kit_memory_now(k).failures > failures && nth < 1000 && !kit_has_failed(k));
    CHECK_OK(rc); /* nothing failed any more */
    CHECK_GE(nth, 5);
}

static void fail_each_way(kit *k, scenario play)
{
    fail_each(k, play, false);
    fail_each(k, play, true);
    CHECK_EQ(kit_log_count(k, ""), kit_log_count(k, "never asked for"));
}

KIT_TEST(scheduling_survives_every_failed_allocation)
{
    fail_each_way(k, schedule_all_sorts);
}

KIT_TEST(watching_survives_every_failed_allocation)
{
    fail_each_way(k, watch_a_pair);
}

KIT_TEST(futures_survive_every_failed_allocation)
{
    fail_each_way(k, wait_for_a_future);
}

KIT_TEST(sock_calls_survive_every_failed_allocation)
{
    fail_each_way(k, send_and_receive);
}

static const kit_case cases[] = {
    KIT_CASE(ten_thousand_call_soon_ask_for_no_memory),
    KIT_CASE(ten_thousand_call_later_ask_for_no_memory),
    KIT_CASE(ten_thousand_posts_ask_for_no_memory),
    KIT_CASE(turns_with_io_ask_for_no_memory),
    KIT_CASE(scheduling_survives_every_failed_allocation),
    KIT_CASE(watching_survives_every_failed_allocation),
    KIT_CASE(futures_survive_every_failed_allocation),
    KIT_CASE(sock_calls_survive_every_failed_allocation),
};

KIT_MAIN(cases)
