/* SPDX-License-Identifier: MIT */
/* call_soon, call_later, call_at, handles, and the clock. */
#include "kit.h"

enum { MANY = 1000 };

/* ---- call_soon ---- */

KIT_TEST(call_soon_runs_in_the_next_turn)
{
    iso_loop *loop = kit_loop(k);

    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "a", NULL));
    CHECK_STR(kit_marks(k), "");
    CHECK_EQ(kit_turn(k, loop), 1);
    CHECK_STR(kit_marks(k), "a");
    CHECK_EQ(kit_turn(k, loop), 0); /* once */
}

KIT_TEST(call_soon_is_first_in_first_out)
{
    iso_loop *loop = kit_loop(k);

    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "a", NULL));
    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "b", NULL));
    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "c", NULL));
    CHECK_EQ(kit_turn(k, loop), 3);
    CHECK_STR(kit_marks(k), "abc");
}

static void call_two_more(iso_loop *loop, void *arg)
{
    kit_mark(loop, arg);
    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "x", NULL));
    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "y", NULL));
}

KIT_TEST(exactly_what_was_ready_when_the_run_began_runs_in_a_turn)
{
    iso_loop *loop = kit_loop(k);

    CHECK_OK(iso_loop_call_soon(loop, call_two_more, "a", NULL));
    CHECK_OK(iso_loop_call_soon(loop, call_two_more, "b", NULL));
    CHECK_EQ(kit_turn(k, loop), 2);
    CHECK_STR(kit_marks(k), "ab");
    CHECK_EQ(kit_turn(k, loop), 4);
    CHECK_STR(kit_marks(k), "abxyxy");
}

static void check_loop(iso_loop *loop, void *arg)
{
    CHECK_PTR(loop, arg);
    kit_mark(loop, "a");
}

KIT_TEST(a_callback_is_handed_its_loop_and_argument)
{
    iso_loop *loop = kit_loop(k);

    CHECK_OK(iso_loop_call_soon(loop, check_loop, loop, NULL));
    kit_turn(k, loop);
    CHECK_STR(kit_marks(k), "a");
}

KIT_TEST(without_a_callback_it_is_refused)
{
    iso_loop *loop = kit_loop(k);

    CHECK_RC(iso_loop_call_soon(loop, NULL, NULL, NULL), ISO_EINVAL);
    CHECK_RC(iso_loop_call_soon_threadsafe(loop, NULL, NULL), ISO_EINVAL);
    CHECK_RC(iso_loop_call_later(loop, 0, NULL, NULL, NULL), ISO_EINVAL);
    CHECK_RC(iso_loop_call_at(loop, 0, NULL, NULL, NULL), ISO_EINVAL);
    CHECK_EQ(kit_turn(k, loop), 0);
}

KIT_TEST(without_memory_it_is_refused_and_the_others_run)
{
    iso_loop *loop = kit_loop(k);
    int runs = 0;
    int scheduled = 0;
    int refused = 0;

    while (refused == 0 && scheduled < 100000) {
        int rc;

        kit_fail_allocation(k, 1, true);
        rc = iso_loop_call_soon(loop, kit_count, &runs, NULL);
        kit_fail_allocation(k, 0, false);
        if (rc == 0)
            scheduled++;
        else if (CHECK_RC(rc, ISO_ENOMEM))
            refused++;
    }
    CHECK_OK(iso_loop_call_soon(loop, kit_count, &runs, NULL));
    CHECK_EQ(kit_turn(k, loop), scheduled + 1);
    CHECK_EQ(runs, scheduled + 1);
}

/* ---- call_later, call_at ---- */

static void mark_time(iso_loop *loop, void *arg)
{
    *(iso_nsec *)arg = iso_loop_time(loop);
}

KIT_TEST(call_later_waits_its_delay)
{
    iso_loop *loop = kit_virtual_loop(k);
    iso_nsec begin = iso_loop_time(loop);
    iso_nsec end = 0;

    CHECK_OK(iso_loop_call_later(loop, ISO_S(75), mark_time, &end, NULL));
    CHECK_OK(iso_loop_call_later(loop, ISO_S(80), kit_stop, NULL, NULL));
    CHECK_OK(iso_loop_run_forever(loop));
    CHECK_EQ(end - begin, ISO_S(75));
    CHECK_EQ(iso_loop_time(loop) - begin, ISO_S(80));
}

KIT_TEST(call_at_waits_for_its_time)
{
    iso_loop *loop = kit_virtual_loop(k);
    iso_nsec when = iso_loop_time(loop) + ISO_MS(123);
    iso_nsec end = 0;

    CHECK_OK(iso_loop_call_at(loop, when, mark_time, &end, NULL));
    CHECK_EQ(iso_loop_run_once(loop, ISO_FOREVER), 1);
    CHECK_EQ(end, when);
}

KIT_TEST(a_timer_that_is_not_due_does_not_run)
{
    iso_loop *loop = kit_virtual_loop(k);

    CHECK_OK(iso_loop_call_later(loop, 10, kit_mark, "a", NULL));
    kit_advance(k, 9);
    CHECK_EQ(kit_turn(k, loop), 0);
    kit_advance(k, 1);
    CHECK_EQ(kit_turn(k, loop), 1);
    CHECK_STR(kit_marks(k), "a");
}

KIT_TEST(a_negative_delay_means_now)
{
    iso_loop *loop = kit_virtual_loop(k);

    CHECK_OK(iso_loop_call_later(loop, -1, kit_mark, "a", NULL));
    CHECK_OK(iso_loop_call_later(loop, INT64_MIN, kit_mark, "b", NULL));
    CHECK_OK(iso_loop_call_at(loop, INT64_MIN, kit_mark, "c", NULL));
    CHECK_OK(iso_loop_call_at(loop, 0, kit_mark, "d", NULL));
    CHECK_EQ(kit_turn(k, loop), 4);
    CHECK_STR(kit_marks(k), "cbda"); /* by their times, which are all past */
}

KIT_TEST(timers_run_in_the_order_of_their_times)
{
    iso_loop *loop = kit_virtual_loop(k);

    CHECK_OK(iso_loop_call_later(loop, ISO_MS(30), kit_mark, "c", NULL));
    CHECK_OK(iso_loop_call_later(loop, ISO_MS(10), kit_mark, "a", NULL));
    CHECK_OK(iso_loop_call_later(loop, ISO_MS(20), kit_mark, "b", NULL));
    CHECK_OK(iso_loop_call_later(loop, ISO_MS(40), kit_stop, NULL, NULL));
    CHECK_OK(iso_loop_run_forever(loop));
    CHECK_STR(kit_marks(k), "abc");
    CHECK_EQ(kit_clock_of(k)->jumps, 4);
}

KIT_TEST(equal_times_are_first_in_first_out)
{
    static const char *names[] = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9" };
    iso_loop *loop = kit_virtual_loop(k);
    iso_nsec when = iso_loop_time(loop) + ISO_MS(10);
    int at;

    for (at = 0; at < 10; at++) {
        void *name = (void *)(uintptr_t)names[at];

        if (at % 2 == 0)
            CHECK_OK(iso_loop_call_later(loop, ISO_MS(10), kit_mark, name, NULL));
        else
            CHECK_OK(iso_loop_call_at(loop, when, kit_mark, name, NULL));
    }
    CHECK_EQ(iso_loop_run_once(loop, ISO_FOREVER), 10);
    CHECK_STR(kit_marks(k), "0123456789");
}

KIT_TEST(a_delay_for_ever_never_ends)
{
    iso_loop *loop = kit_virtual_loop(k);

    CHECK_OK(iso_loop_call_later(loop, ISO_FOREVER, kit_mark, "a", NULL));
    CHECK_OK(iso_loop_call_later(loop, ISO_FOREVER - 1, kit_mark, "b", NULL));
    CHECK_OK(iso_loop_call_at(loop, ISO_FOREVER, kit_mark, "c", NULL));
    CHECK_EQ(iso_loop_run_once(loop, ISO_S(86400) * 365 * 200), 0);
    CHECK_STR(kit_marks(k), "");
    CHECK_EQ(kit_statistics(loop).timers, 3);
}

static void call_later_again(iso_loop *loop, void *count)
{
    if (++*(int *)count < 100)
        CHECK_OK(iso_loop_call_later(loop, ISO_MS(10), call_later_again, count, NULL));
    else
        (void)iso_loop_stop(loop);
}

KIT_TEST(a_timer_may_be_made_again_in_its_callback)
{
    iso_loop *loop = kit_virtual_loop(k);
    iso_nsec begin = iso_loop_time(loop);
    int count = 0;

    CHECK_OK(iso_loop_call_later(loop, ISO_MS(10), call_later_again, &count, NULL));
    CHECK_OK(iso_loop_run_forever(loop));
    CHECK_EQ(count, 100);
    CHECK_EQ(iso_loop_time(loop) - begin, ISO_S(1));
}

/* In real time, by the real clock. */
typedef struct appointment {
    iso_nsec when;
    int *left;
} appointment;

static void keep_appointment(iso_loop *loop, void *arg)
{
    const appointment *it = arg;
    iso_nsec now = iso_loop_time(loop);

    CHECK_GE(now, it->when - iso_loop_clock_resolution(loop));
    CHECK_LE(now, it->when + ISO_S(10));
    if (--*it->left == 0) (void)iso_loop_stop(loop);
}

KIT_TEST(timers_are_never_early_in_real_time)
{
    enum { COUNT = 12 };
    iso_loop *loop = kit_loop(k);
    appointment them[COUNT];
    int left = COUNT;
    int at;

    for (at = 0; at < COUNT; at++) {
        iso_nsec delay = ISO_US(333) + at * ISO_US(2700);

        them[at].left = &left;
        them[at].when = iso_loop_time(loop) + delay;
        CHECK_OK(iso_loop_call_later(loop, delay, keep_appointment, &them[at], NULL));
    }
    CHECK_OK(iso_loop_run_forever(loop));
    CHECK_EQ(left, 0);
}

/* ---- handles ---- */

KIT_TEST(a_cancelled_callback_does_not_run)
{
    iso_loop *loop = kit_virtual_loop(k);
    iso_handle soon;
    iso_handle later;

    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "a", &soon));
    CHECK_OK(iso_loop_call_later(loop, 5, kit_mark, "b", &later));
    CHECK_OK(iso_loop_call_later(loop, 6, kit_mark, "c", NULL));
    CHECK_OK(iso_handle_cancel(loop, soon));
    CHECK_OK(iso_handle_cancel(loop, later));
    CHECK_EQ(iso_loop_run_once(loop, ISO_FOREVER), 1);
    CHECK_STR(kit_marks(k), "c");
}

KIT_TEST(cancelling_twice_finds_nothing_the_second_time)
{
    iso_loop *loop = kit_loop(k);
    iso_handle soon;
    iso_handle later;

    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "a", &soon));
    CHECK_OK(iso_loop_call_later(loop, ISO_S(60), kit_mark, "b", &later));
    CHECK_OK(iso_handle_cancel(loop, soon));
    CHECK_RC(iso_handle_cancel(loop, soon), ISO_ENOENT);
    CHECK_OK(iso_handle_cancel(loop, later));
    CHECK_RC(iso_handle_cancel(loop, later), ISO_ENOENT);
}

KIT_TEST(cancelling_what_ran_finds_nothing)
{
    iso_loop *loop = kit_loop(k);
    iso_handle handle;

    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "a", &handle));
    kit_turn(k, loop);
    CHECK_RC(iso_handle_cancel(loop, handle), ISO_ENOENT);
}

KIT_TEST(a_stale_handle_does_not_touch_the_next_user_of_its_slot)
{
    iso_loop *loop = kit_loop(k);
    iso_handle stale;
    iso_handle fresh;

    /* given a handle whose callback ran, and one that has its slot now */
    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "a", &stale));
    kit_turn(k, loop);
    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "b", &fresh));
    CHECK_EQ(fresh.slot, stale.slot);
    /* when the stale one is cancelled, then nothing happens */
    CHECK_RC(iso_handle_cancel(loop, stale), ISO_ENOENT);
    kit_turn(k, loop);
    CHECK_STR(kit_marks(k), "ab");
}

KIT_TEST(a_handle_that_never_was_finds_nothing)
{
    iso_loop *loop = kit_loop(k);
    iso_handle zero = { 0, 0 };
    iso_handle wild = { 4000000000u, 4000000000u };

    CHECK_RC(iso_handle_cancel(loop, zero), ISO_ENOENT);
    CHECK_RC(iso_handle_cancel(loop, wild), ISO_ENOENT);
}

typedef struct self_canceller {
    iso_handle handle;
    int rc;
} self_canceller;

static void cancel_oneself(iso_loop *loop, void *arg)
{
    self_canceller *it = arg;

    it->rc = iso_handle_cancel(loop, it->handle);
}

KIT_TEST(a_callback_that_cancels_itself_finds_nothing)
{
    iso_loop *loop = kit_loop(k);
    self_canceller it = { { 0, 0 }, 0 };

    CHECK_OK(iso_loop_call_soon(loop, cancel_oneself, &it, &it.handle));
    kit_turn(k, loop);
    CHECK_RC(it.rc, ISO_ENOENT);
}

static void cancel_other(iso_loop *loop, void *arg)
{
    CHECK_OK(iso_handle_cancel(loop, *(const iso_handle *)arg));
}

KIT_TEST(a_handle_of_the_same_batch_can_be_cancelled)
{
    iso_loop *loop = kit_loop(k);
    iso_handle victim = { 0, 0 };

    CHECK_OK(iso_loop_call_soon(loop, cancel_other, &victim, NULL));
    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "v", &victim));
    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "b", NULL));
    CHECK_EQ(kit_turn(k, loop), 2);
    CHECK_STR(kit_marks(k), "b");
}

KIT_TEST(handles_stay_good_however_many_there_are)
{
    static iso_handle handles[MANY];
    iso_loop *loop = kit_loop(k);
    int runs = 0;
    int at;

    for (at = 0; at < MANY; at++) {
        if (at % 2 == 0)
            CHECK_OK(iso_loop_call_soon(loop, kit_count, &runs, &handles[at]));
        else
            CHECK_OK(iso_loop_call_later(loop, ISO_S(60), kit_count, &runs, &handles[at]));
    }
    for (at = 0; at < MANY; at += 3) CHECK_OK(iso_handle_cancel(loop, handles[at]));
    kit_turn(k, loop);
    CHECK_EQ(runs, MANY / 2 - 167); /* 0, 6, 12, ... were cancelled */
    for (at = 0; at < MANY; at++)
        CHECK_RC(iso_handle_cancel(loop, handles[at]), at % 2 == 1 && at % 3 != 0 ? 0 : ISO_ENOENT);
    CHECK_EQ(kit_statistics(loop).timers, 0);
}

KIT_TEST(when_says_when_a_timer_is_due)
{
    iso_loop *loop = kit_virtual_loop(k);
    iso_nsec begin = iso_loop_time(loop);
    iso_nsec when = -1;
    iso_handle later;
    iso_handle soon;

    CHECK_OK(iso_loop_call_later(loop, ISO_S(3), kit_mark, "a", &later));
    CHECK_OK(iso_loop_call_later(loop, ISO_S(1), kit_nothing, NULL, NULL));
    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "b", &soon));
    CHECK_OK(iso_handle_when(loop, later, &when));
    CHECK_EQ(when, begin + ISO_S(3));
    CHECK_RC(iso_handle_when(loop, soon, &when), ISO_EINVAL);
    CHECK_OK(iso_handle_cancel(loop, later));
    CHECK_RC(iso_handle_when(loop, later, &when), ISO_ENOENT);
    CHECK_EQ(when, begin + ISO_S(3)); /* untouched */
    CHECK_OK(iso_handle_cancel(loop, soon));
    CHECK_RC(iso_handle_when(loop, soon, &when), ISO_ENOENT);
}

KIT_TEST(a_rescheduled_timer_is_due_at_its_new_time)
{
    iso_loop *loop = kit_virtual_loop(k);
    iso_nsec begin = iso_loop_time(loop);
    iso_handle later;
    iso_handle earlier;
    iso_nsec when = 0;

    CHECK_OK(iso_loop_call_at(loop, begin + 10, kit_mark, "l", &later));
    CHECK_OK(iso_loop_call_at(loop, begin + 50, kit_mark, "e", &earlier));
    CHECK_OK(iso_loop_call_at(loop, begin + 20, kit_mark, "m", NULL));
    CHECK_OK(iso_handle_reschedule(loop, later, begin + 30));
    CHECK_OK(iso_handle_reschedule(loop, earlier, begin + 5));
    CHECK_OK(iso_handle_when(loop, later, &when));
    CHECK_EQ(when, begin + 30);
    CHECK_EQ(iso_loop_run_once(loop, ISO_FOREVER), 1);
    CHECK_EQ(iso_loop_time(loop), begin + 5);
    CHECK_EQ(iso_loop_run_once(loop, ISO_FOREVER), 1);
    CHECK_EQ(iso_loop_run_once(loop, ISO_FOREVER), 1);
    CHECK_EQ(iso_loop_time(loop), begin + 30);
    CHECK_STR(kit_marks(k), "eml");
    CHECK_RC(iso_handle_reschedule(loop, later, begin + 99), ISO_ENOENT);
}

KIT_TEST(a_rescheduled_timer_comes_last_of_its_time)
{
    iso_loop *loop = kit_virtual_loop(k);
    iso_nsec then = iso_loop_time(loop) + 5;
    iso_handle first;

    CHECK_OK(iso_loop_call_at(loop, then, kit_mark, "a", &first));
    CHECK_OK(iso_loop_call_at(loop, then, kit_mark, "b", NULL));
    CHECK_OK(iso_handle_reschedule(loop, first, then));
    CHECK_EQ(iso_loop_run_once(loop, ISO_FOREVER), 2);
    CHECK_STR(kit_marks(k), "ba");
}

typedef struct put_off {
    iso_handle handle;
    iso_nsec when;
} put_off;

static void reschedule_other(iso_loop *loop, void *arg)
{
    const put_off *it = arg;

    CHECK_OK(iso_handle_reschedule(loop, it->handle, it->when));
}

KIT_TEST(a_timer_that_is_due_in_this_turn_can_be_put_off)
{
    iso_loop *loop = kit_virtual_loop(k);
    iso_nsec begin = iso_loop_time(loop);
    put_off it = { { 0, 0 }, begin + 50 };

    CHECK_OK(iso_loop_call_at(loop, begin + 5, reschedule_other, &it, NULL));
    CHECK_OK(iso_loop_call_at(loop, begin + 5, kit_mark, "a", &it.handle));
    CHECK_EQ(iso_loop_run_once(loop, ISO_FOREVER), 1);
    CHECK_STR(kit_marks(k), "");
    CHECK_EQ(iso_loop_run_once(loop, ISO_FOREVER), 1);
    CHECK_EQ(iso_loop_time(loop), begin + 50);
    CHECK_STR(kit_marks(k), "a");
}

KIT_TEST(only_timers_are_rescheduled)
{
    iso_loop *loop = kit_loop(k);
    iso_handle soon;
    iso_handle never = { 0, 0 };

    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "a", &soon));
    CHECK_RC(iso_handle_reschedule(loop, soon, 0), ISO_EINVAL);
    CHECK_RC(iso_handle_reschedule(loop, never, 0), ISO_ENOENT);
    kit_turn(k, loop);
    CHECK_RC(iso_handle_reschedule(loop, soon, 0), ISO_ENOENT);
    CHECK_STR(kit_marks(k), "a");
}

KIT_TEST(without_memory_a_timer_keeps_its_time)
{
    enum { MANY = 200 };
    iso_loop *loop = kit_virtual_loop(k);
    iso_nsec begin = iso_loop_time(loop);
    iso_handle handle;
    iso_nsec when = 0;
    int at;

    /* given a timer among as many as there is room for */
    CHECK_OK(iso_loop_call_at(loop, begin + 1000, kit_mark, "a", &handle));
    for (at = 1; at < 64; at++) CHECK_OK(iso_loop_call_at(loop, begin + at, kit_mark, "", NULL));
    /* when it is to be earlier, and there is no memory */
    kit_fail_allocation(k, 1, true);
    CHECK_RC(iso_handle_reschedule(loop, handle, begin + 500), ISO_ENOMEM);
    kit_fail_allocation(k, 0, false);
    /* then it is due when it was */
    CHECK_OK(iso_handle_when(loop, handle, &when));
    CHECK_EQ(when, begin + 1000);
    for (at = 0; at < MANY && kit_marks(k)[0] == '\0'; at++)
        CHECK_GE(iso_loop_run_once(loop, ISO_FOREVER), 0);
    CHECK_EQ(iso_loop_time(loop), begin + 1000);
}

KIT_TEST(cancelled_timers_do_not_pile_up)
{
    iso_loop *loop = kit_loop(k);
    kit_memory before;
    int round;

    CHECK_OK(iso_loop_call_later(loop, ISO_S(3600), kit_nothing, NULL, NULL));
    before = kit_memory_now(k);
    for (round = 0; round < 100000; round++) {
        iso_handle handle;

        CHECK_OK(iso_loop_call_later(loop, ISO_S(3600) + round, kit_nothing, NULL, &handle));
        CHECK_OK(iso_handle_cancel(loop, handle));
    }
    CHECK_EQ(kit_statistics(loop).timers, 1);
    CHECK_EQ(kit_memory_now(k).bytes, before.bytes);
    CHECK_EQ(kit_memory_now(k).peak_bytes, before.peak_bytes);
}

/* ---- the clock ---- */

KIT_TEST(time_never_goes_back)
{
    iso_loop *loop = kit_loop(k);
    iso_nsec before = iso_loop_time(loop);
    int round;

    for (round = 0; round < 1000; round++) {
        iso_nsec now = iso_loop_time(loop);

        CHECK_GE(now, before);
        before = now;
    }
}

KIT_TEST(the_clock_resolution_is_positive)
{
    CHECK_GE(iso_loop_clock_resolution(kit_loop(k)), 1);
    CHECK_LE(iso_loop_clock_resolution(kit_loop(k)), ISO_MS(20));
}

KIT_TEST(a_clock_of_ones_own_is_the_loops)
{
    iso_loop *loop = kit_virtual_loop(k);

    CHECK_EQ(iso_loop_time(loop), kit_clock_of(k)->now);
    kit_advance(k, 5);
    CHECK_EQ(iso_loop_time(loop), kit_clock_of(k)->now);
    CHECK_EQ(iso_loop_clock_resolution(loop), 1);
}

/* ---- numbers ---- */

KIT_TEST(statistics_count_what_happens)
{
    iso_loop *loop = kit_loop(k);
    iso_handle handle;

    CHECK_OK(iso_loop_call_soon(loop, kit_nothing, NULL, NULL));
    CHECK_OK(iso_loop_call_soon(loop, kit_nothing, NULL, NULL));
    CHECK_OK(iso_loop_call_later(loop, ISO_S(60), kit_nothing, NULL, &handle));
    CHECK_EQ(kit_statistics(loop).ready, 2);
    CHECK_EQ(kit_statistics(loop).timers, 1);
    CHECK_EQ(kit_statistics(loop).turns, 0);
    kit_turn(k, loop);
    CHECK_EQ(kit_statistics(loop).ready, 0);
    CHECK_EQ(kit_statistics(loop).turns, 1);
    CHECK_EQ(kit_statistics(loop).callbacks, 2);
    CHECK_OK(iso_handle_cancel(loop, handle));
    CHECK_EQ(kit_statistics(loop).timers, 0);
}

static const kit_case cases[] = {
    KIT_CASE(call_soon_runs_in_the_next_turn),
    KIT_CASE(call_soon_is_first_in_first_out),
    KIT_CASE(exactly_what_was_ready_when_the_run_began_runs_in_a_turn),
    KIT_CASE(a_callback_is_handed_its_loop_and_argument),
    KIT_CASE(without_a_callback_it_is_refused),
    KIT_CASE(without_memory_it_is_refused_and_the_others_run),
    KIT_CASE(call_later_waits_its_delay),
    KIT_CASE(call_at_waits_for_its_time),
    KIT_CASE(a_timer_that_is_not_due_does_not_run),
    KIT_CASE(a_negative_delay_means_now),
    KIT_CASE(timers_run_in_the_order_of_their_times),
    KIT_CASE(equal_times_are_first_in_first_out),
    KIT_CASE(a_delay_for_ever_never_ends),
    KIT_CASE(a_timer_may_be_made_again_in_its_callback),
    KIT_CASE(timers_are_never_early_in_real_time),
    KIT_CASE(a_cancelled_callback_does_not_run),
    KIT_CASE(cancelling_twice_finds_nothing_the_second_time),
    KIT_CASE(cancelling_what_ran_finds_nothing),
    KIT_CASE(a_stale_handle_does_not_touch_the_next_user_of_its_slot),
    KIT_CASE(a_handle_that_never_was_finds_nothing),
    KIT_CASE(a_callback_that_cancels_itself_finds_nothing),
    KIT_CASE(a_handle_of_the_same_batch_can_be_cancelled),
    KIT_CASE(handles_stay_good_however_many_there_are),
    KIT_CASE(when_says_when_a_timer_is_due),
    KIT_CASE(a_rescheduled_timer_is_due_at_its_new_time),
    KIT_CASE(a_rescheduled_timer_comes_last_of_its_time),
    KIT_CASE(a_timer_that_is_due_in_this_turn_can_be_put_off),
    KIT_CASE(only_timers_are_rescheduled),
    KIT_CASE(without_memory_a_timer_keeps_its_time),
    KIT_CASE(cancelled_timers_do_not_pile_up),
    KIT_CASE(time_never_goes_back),
    KIT_CASE(the_clock_resolution_is_positive),
    KIT_CASE(a_clock_of_ones_own_is_the_loops),
    KIT_CASE(statistics_count_what_happens),
};

KIT_MAIN(cases)
