/* SPDX-License-Identifier: MIT */
/* run_forever, run_until_complete, run_once, stop. */
#include "kit.h"

static iso_future *new_future(iso_loop *loop)
{
    iso_future *future = NULL;

    REQUIRE_OK(iso_loop_create_future(loop, &future));
    return future;
}

static void set_result(iso_loop *loop, void *future)
{
    (void)loop;
    CHECK_OK(iso_future_set_result(future, NULL));
}

/* ---- run_forever and stop ---- */

KIT_TEST(run_forever_ends_with_stop)
{
    iso_loop *loop = kit_loop(k);

    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "a", NULL));
    CHECK_OK(iso_loop_call_later(loop, ISO_MS(2), kit_stop, NULL, NULL));
    CHECK_OK(iso_loop_run_forever(loop));
    CHECK_STR(kit_marks(k), "a");
}

static void mark_soon_and_stop(iso_loop *loop, void *mark)
{
    CHECK_OK(iso_loop_call_soon(loop, kit_mark, mark, NULL));
    CHECK_OK(iso_loop_stop(loop));
}

KIT_TEST(stop_finishes_the_batch_and_what_was_added_stays_for_the_next_run)
{
    iso_loop *loop = kit_loop(k);

    CHECK_OK(iso_loop_call_soon(loop, mark_soon_and_stop, "x", NULL));
    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "a", NULL));
    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "b", NULL));
    CHECK_OK(iso_loop_run_forever(loop));
    CHECK_STR(kit_marks(k), "ab");
    CHECK_EQ(kit_statistics(loop).turns, 1);
    CHECK_OK(iso_loop_call_soon(loop, kit_stop, NULL, NULL));
    CHECK_OK(iso_loop_run_forever(loop));
    CHECK_STR(kit_marks(k), "abx");
}

KIT_TEST(stop_before_run_forever_is_exactly_one_turn_that_does_not_wait)
{
    iso_loop *loop = kit_virtual_loop(k);

    CHECK_OK(iso_loop_call_soon(loop, mark_soon_and_stop, "x", NULL));
    CHECK_OK(iso_loop_call_later(loop, ISO_S(1), kit_mark, "t", NULL));
    CHECK_OK(iso_loop_stop(loop));
    CHECK_OK(iso_loop_run_forever(loop));
    CHECK_EQ(kit_statistics(loop).turns, 1);
    CHECK_EQ(kit_clock_of(k)->jumps, 0);
    CHECK_STR(kit_marks(k), "");
}

KIT_TEST(stop_before_run_forever_with_nothing_to_do_returns_at_once)
{
    iso_loop *loop = kit_loop(k);

    CHECK_OK(iso_loop_stop(loop));
    CHECK_OK(iso_loop_run_forever(loop));
    CHECK_EQ(kit_statistics(loop).turns, 1);
}

KIT_TEST(stop_holds_for_one_run)
{
    iso_loop *loop = kit_virtual_loop(k);

    CHECK_OK(iso_loop_stop(loop));
    CHECK_OK(iso_loop_stop(loop)); /* twice is once */
    CHECK_OK(iso_loop_run_forever(loop));
    CHECK_OK(iso_loop_call_later(loop, ISO_S(1), kit_mark, "t", NULL));
    CHECK_OK(iso_loop_call_later(loop, ISO_S(2), kit_stop, NULL, NULL));
    CHECK_OK(iso_loop_run_forever(loop));
    CHECK_STR(kit_marks(k), "t");
}

static void check_running(iso_loop *loop, void *arg)
{
    iso_loop *running = NULL;

    (void)arg;
    CHECK(iso_loop_is_running(loop));
    CHECK_OK(iso_get_running_loop(&running));
    CHECK_PTR(running, loop);
    (void)iso_loop_stop(loop);
}

KIT_TEST(it_is_running_while_it_runs)
{
    iso_loop *loop = kit_loop(k);
    iso_loop *running = loop;

    CHECK(!iso_loop_is_running(loop));
    CHECK_RC(iso_get_running_loop(&running), ISO_ENOLOOP);
    CHECK_OK(iso_loop_call_soon(loop, check_running, NULL, NULL));
    CHECK_OK(iso_loop_run_forever(loop));
    CHECK(!iso_loop_is_running(loop));
    CHECK_RC(iso_get_running_loop(&running), ISO_ENOLOOP);
}

KIT_TEST(nothing_to_run_is_refused)
{
    CHECK_RC(iso_loop_run_forever(NULL), ISO_EINVAL);
    CHECK_RC(iso_loop_run_once(NULL, 0), ISO_EINVAL);
}

/* ---- a loop in a loop ---- */

static void run_again(iso_loop *loop, void *future)
{
    CHECK_RC(iso_loop_run_forever(loop), ISO_ERUNNING);
    CHECK_RC(iso_loop_run_once(loop, 0), ISO_ERUNNING);
    CHECK_RC(iso_loop_run_until_complete(loop, future), ISO_ERUNNING);
    CHECK(iso_loop_is_running(loop));
    kit_mark(loop, "a");
    (void)iso_loop_stop(loop);
}

KIT_TEST(running_a_running_loop_is_refused)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = new_future(loop);

    CHECK_OK(iso_loop_call_soon(loop, run_again, future, NULL));
    CHECK_OK(iso_loop_run_forever(loop));
    CHECK_STR(kit_marks(k), "a");
    iso_future_release(future);
}

static void run_the_other(iso_loop *loop, void *arg)
{
    iso_loop *other = arg;
    iso_future *future = new_future(other);

    CHECK_RC(iso_loop_run_forever(other), ISO_ERUNNING);
    CHECK_RC(iso_loop_run_once(other, 0), ISO_ERUNNING);
    CHECK_RC(iso_loop_run_until_complete(other, future), ISO_ERUNNING);
    CHECK(!iso_loop_is_running(other));
    iso_future_release(future);
    (void)iso_loop_stop(loop);
}

KIT_TEST(running_a_second_loop_in_a_thread_that_runs_one_is_refused)
{
    iso_loop *loop = kit_loop(k);
    iso_loop *other = kit_loop(k);

    CHECK_OK(iso_loop_call_soon(other, kit_mark, "o", NULL));
    CHECK_OK(iso_loop_call_soon(loop, run_the_other, other, NULL));
    CHECK_OK(iso_loop_run_forever(loop));
    CHECK_STR(kit_marks(k), "");
    /* afterwards it can be run */
    CHECK_EQ(kit_turn(k, other), 1);
    CHECK_STR(kit_marks(k), "o");
}

typedef struct visitor {
    iso_loop *others;
    int rc;
} visitor;

static void try_to_run(iso_loop *loop, void *arg)
{
    visitor *self = arg;

    self->rc = iso_loop_run_once(self->others, 0);
    (void)iso_loop_stop(loop);
}

static void run_a_loop_that_runs_the_others(void *arg)
{
    iso_loop *mine = NULL;

    REQUIRE_OK(iso_loop_new(&mine, NULL));
    CHECK_OK(iso_loop_call_soon(mine, try_to_run, arg, NULL));
    CHECK_OK(iso_loop_run_forever(mine));
    iso_loop_release(mine);
}

KIT_TEST(a_run_that_is_refused_does_not_take_the_loop_away_from_its_thread)
{
    iso_loop *loop = kit_loop(k);
    visitor other = { loop, 0 };

    /* given another thread that runs a loop, and tries to run this one within it */
    kit_thread(k, run_a_loop_that_runs_the_others, &other);
    kit_join_all(k);
    CHECK_RC(other.rc, ISO_ERUNNING);
    /* then it is still this thread's */
    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "a", NULL));
    CHECK_EQ(kit_turn(k, loop), 1);
}

/* ---- run_until_complete ---- */

KIT_TEST(run_until_complete_ends_with_the_future)
{
    iso_loop *loop = kit_virtual_loop(k);
    iso_future *future = new_future(loop);

    CHECK_OK(iso_loop_call_later(loop, ISO_S(5), set_result, future, NULL));
    CHECK_OK(iso_loop_call_later(loop, ISO_S(6), kit_mark, "late", NULL));
    CHECK_OK(iso_loop_run_until_complete(loop, future));
    CHECK(iso_future_done(future));
    CHECK_STR(kit_marks(k), "");
    iso_future_release(future);
}

static void set_error(iso_loop *loop, void *future)
{
    (void)loop;
    CHECK_OK(iso_future_set_error(future, ISO_ECONNREFUSED));
}

KIT_TEST(run_until_complete_answers_the_error_of_the_future)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = new_future(loop);

    CHECK_OK(iso_loop_call_soon(loop, set_error, future, NULL));
    CHECK_RC(iso_loop_run_until_complete(loop, future), ISO_ECONNREFUSED);
    iso_future_release(future); /* and it counts as asked for */
}

static void cancel_future(iso_loop *loop, void *future)
{
    (void)loop;
    CHECK_OK(iso_future_cancel(future));
}

KIT_TEST(run_until_complete_answers_that_it_was_cancelled)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = new_future(loop);

    CHECK_OK(iso_loop_call_soon(loop, cancel_future, future, NULL));
    CHECK_RC(iso_loop_run_until_complete(loop, future), ISO_ECANCELED);
    iso_future_release(future);
}

KIT_TEST(run_until_complete_of_one_that_is_done_ends_at_once)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = new_future(loop);

    CHECK_OK(iso_future_set_result(future, NULL));
    CHECK_OK(iso_loop_run_until_complete(loop, future));
    CHECK_OK(iso_loop_run_until_complete(loop, future)); /* and again */
    iso_future_release(future);
}

KIT_TEST(run_until_complete_that_is_stopped_says_so)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = new_future(loop);

    CHECK_OK(iso_loop_call_soon(loop, kit_stop, NULL, NULL));
    CHECK_RC(iso_loop_run_until_complete(loop, future), ISO_ESTOPPED);
    CHECK(!iso_future_done(future));
    iso_future_release(future);
}

KIT_TEST(run_until_complete_that_was_stopped_leaves_nothing_behind)
{
    iso_loop *loop = kit_virtual_loop(k);
    iso_future *future = new_future(loop);

    /* given a run that was stopped before its future was done */
    CHECK_OK(iso_loop_call_soon(loop, kit_stop, NULL, NULL));
    CHECK_RC(iso_loop_run_until_complete(loop, future), ISO_ESTOPPED);
    /* when the future ends in a later run, then it does not end that run */
    CHECK_OK(iso_loop_call_later(loop, ISO_S(1), set_result, future, NULL));
    CHECK_OK(iso_loop_call_later(loop, ISO_S(2), kit_mark, "a", NULL));
    CHECK_OK(iso_loop_call_later(loop, ISO_S(3), kit_stop, NULL, NULL));
    CHECK_OK(iso_loop_run_forever(loop));
    CHECK_STR(kit_marks(k), "a");
    iso_future_release(future);
}

static void set_result_and_stop(iso_loop *loop, void *future)
{
    CHECK_OK(iso_future_set_result(future, NULL));
    (void)iso_loop_stop(loop);
}

KIT_TEST(run_until_complete_that_is_stopped_as_its_future_ends_leaves_nothing_behind)
{
    iso_loop *loop = kit_virtual_loop(k);
    iso_future *future = new_future(loop);

    /* given a run that ends with the turn in which its future was done */
    CHECK_OK(iso_loop_call_soon(loop, set_result_and_stop, future, NULL));
    CHECK_OK(iso_loop_run_until_complete(loop, future));
    /* then the next run is not ended by what was scheduled for that one */
    CHECK_OK(iso_loop_call_later(loop, ISO_S(1), kit_mark, "a", NULL));
    CHECK_OK(iso_loop_call_later(loop, ISO_S(2), kit_stop, NULL, NULL));
    CHECK_OK(iso_loop_run_forever(loop));
    CHECK_STR(kit_marks(k), "a");
    iso_future_release(future);
}

KIT_TEST(run_until_complete_of_another_loops_future_is_refused)
{
    iso_loop *loop = kit_loop(k);
    iso_loop *other = kit_loop(k);
    iso_future *future = new_future(other);

    CHECK_RC(iso_loop_run_until_complete(loop, future), ISO_EINVAL);
    CHECK_RC(iso_loop_run_until_complete(loop, NULL), ISO_EINVAL);
    CHECK_RC(iso_loop_run_until_complete(NULL, future), ISO_EINVAL);
    iso_future_release(future);
}

KIT_TEST(run_until_complete_without_memory_is_refused)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = new_future(loop);

    kit_fail_allocation(k, 1, true);
    CHECK_RC(iso_loop_run_until_complete(loop, future), ISO_ENOMEM);
    kit_fail_allocation(k, 0, false);
    CHECK(!iso_loop_is_running(loop));
    iso_future_release(future);
}

/* ---- run_once ---- */

KIT_TEST(run_once_makes_one_turn_and_says_how_many_ran)
{
    iso_loop *loop = kit_loop(k);

    CHECK_EQ(iso_loop_run_once(loop, 0), 0);
    CHECK_OK(iso_loop_call_soon(loop, mark_soon_and_stop, "x", NULL));
    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "a", NULL));
    CHECK_EQ(iso_loop_run_once(loop, ISO_FOREVER), 2);
    CHECK_STR(kit_marks(k), "a");
    CHECK_EQ(iso_loop_run_once(loop, ISO_FOREVER), 1);
    CHECK_STR(kit_marks(k), "ax");
}

KIT_TEST(run_once_waits_no_longer_than_it_may)
{
    iso_loop *loop = kit_loop(k);
    iso_nsec before = kit_now();

    CHECK_EQ(iso_loop_run_once(loop, ISO_MS(20)), 0);
    CHECK_GE(kit_now() - before, ISO_MS(20));
    CHECK_LE(kit_now() - before, ISO_S(20));
}

KIT_TEST(run_once_with_a_negative_timeout_only_looks)
{
    iso_loop *loop = kit_virtual_loop(k);

    CHECK_OK(iso_loop_call_later(loop, ISO_S(5), kit_mark, "a", NULL));
    CHECK_EQ(iso_loop_run_once(loop, -1), 0);
    CHECK_EQ(iso_loop_run_once(loop, INT64_MIN), 0);
    CHECK_EQ(kit_clock_of(k)->jumps, 0);
}

KIT_TEST(a_stop_within_run_once_is_over_with_it)
{
    iso_loop *loop = kit_virtual_loop(k);

    CHECK_OK(iso_loop_call_soon(loop, kit_stop, NULL, NULL));
    CHECK_EQ(iso_loop_run_once(loop, 0), 1);
    CHECK_OK(iso_loop_call_later(loop, ISO_S(5), kit_mark, "a", NULL));
    CHECK_EQ(iso_loop_run_once(loop, ISO_FOREVER), 1);
    CHECK_STR(kit_marks(k), "a");
}

static const kit_case cases[] = {
    KIT_CASE(run_forever_ends_with_stop),
    KIT_CASE(stop_finishes_the_batch_and_what_was_added_stays_for_the_next_run),
    KIT_CASE(stop_before_run_forever_is_exactly_one_turn_that_does_not_wait),
    KIT_CASE(stop_before_run_forever_with_nothing_to_do_returns_at_once),
    KIT_CASE(stop_holds_for_one_run),
    KIT_CASE(it_is_running_while_it_runs),
    KIT_CASE(nothing_to_run_is_refused),
    KIT_CASE(running_a_running_loop_is_refused),
    KIT_CASE(running_a_second_loop_in_a_thread_that_runs_one_is_refused),
    KIT_CASE(a_run_that_is_refused_does_not_take_the_loop_away_from_its_thread),
    KIT_CASE(run_until_complete_ends_with_the_future),
    KIT_CASE(run_until_complete_answers_the_error_of_the_future),
    KIT_CASE(run_until_complete_answers_that_it_was_cancelled),
    KIT_CASE(run_until_complete_of_one_that_is_done_ends_at_once),
    KIT_CASE(run_until_complete_that_is_stopped_says_so),
    KIT_CASE(run_until_complete_that_was_stopped_leaves_nothing_behind),
    KIT_CASE(run_until_complete_that_is_stopped_as_its_future_ends_leaves_nothing_behind),
    KIT_CASE(run_until_complete_of_another_loops_future_is_refused),
    KIT_CASE(run_until_complete_without_memory_is_refused),
    KIT_CASE(run_once_makes_one_turn_and_says_how_many_ran),
    KIT_CASE(run_once_waits_no_longer_than_it_may),
    KIT_CASE(run_once_with_a_negative_timeout_only_looks),
    KIT_CASE(a_stop_within_run_once_is_over_with_it),
};

KIT_MAIN(cases)
