/* SPDX-License-Identifier: MIT */
/* The clock of Windows, which the profiles that speak of it bring to every platform: timers are
 * due on ticks of 15.6 ms. */
#include "base/limits.h"
#include "kit.h"
#include "loop/loop.h"

#include <string.h>

#define TICK ISO_US(15600)

static const char *const profiles[] = { "windows-selector", "windows-proactor", "portable" };

static iso_loop *real_loop(kit *k, const char *profile)
{
    iso_loop_options options = kit_options(k);

    options.limits = profile;
    return kit_loop_with(k, &options);
}

/* It begins on a tick, at 0. */
static iso_loop *virtual_loop(kit *k, const char *profile)
{
    kit_clock_of(k)->now = 0;
    kit_setenv(k, "ISOLOOP_LIMITS", profile);
    return kit_virtual_loop(k);
}

static void mark_later(iso_loop *loop, iso_nsec delay, const char *mark)
{
    CHECK_OK(iso_loop_call_later(loop, delay, kit_mark, (void *)(uintptr_t)mark, NULL));
}

/* One turn that waits as long as it likes. */
static void turn(iso_loop *loop)
{
    CHECK_GE(iso_loop_run_once(loop, ISO_FOREVER), 0);
}

KIT_TEST(the_resolution_is_that_of_windows)
{
    size_t at;

    for (at = 0; at < ISO__COUNT(profiles); at++) {
        CHECK_EQ(iso_loop_clock_resolution(virtual_loop(k, profiles[at])), TICK);
        /* select of Windows itself: 15.625 ms, and nothing is added */
        CHECK_GE(iso_loop_clock_resolution(real_loop(k, profiles[at])), TICK);
        CHECK_LE(iso_loop_clock_resolution(real_loop(k, profiles[at])), TICK + ISO_US(100));
    }
}

KIT_TEST(other_profiles_leave_the_clock_alone)
{
    static const char *const others[] = { "documented", "native",     "macos",
                                          "macos-10.8", "macos-10.5", "linux" };
    size_t at;

    for (at = 0; at < ISO__COUNT(others); at++) {
        iso_loop *loop = virtual_loop(k, others[at]);

        CHECK_EQ(iso_loop_clock_resolution(loop), 1);
        CHECK_EQ(loop->engine.tick, 0);
        CHECK_EQ(real_loop(k, others[at])->engine.tick, 0);
    }
}

KIT_TEST(a_short_timer_is_due_on_the_next_tick)
{
    size_t at;

    for (at = 0; at < ISO__COUNT(profiles); at++) {
        iso_loop *loop = virtual_loop(k, profiles[at]);
        kit_clock *clock = kit_clock_of(k);

        kit_clear_marks(k);
        mark_later(loop, ISO_MS(1), "a");
        CHECK_EQ(iso_loop_next_timeout(loop), TICK);
        turn(loop);
        CHECK_STR(kit_marks(k), "a");
        CHECK_EQ(clock->now, TICK);
        CHECK_EQ(clock->last_timeout, TICK);
        kit_release_loop(k, loop);
    }
}

KIT_TEST(a_timer_is_never_early)
{
    iso_loop *loop = virtual_loop(k, "windows-selector");
    kit_clock *clock = kit_clock_of(k);
    int round;

    for (round = 0; round < 1000 && !kit_has_failed(k); round++) {
        iso_nsec delay = (iso_nsec)kit_random_below(k, 100 * 1000 * 1000);
        iso_nsec due = clock->now + delay;

        kit_clear_marks(k);
        mark_later(loop, delay, "a");
        while (kit_marks(k)[0] == '\0' && !kit_has_failed(k)) turn(loop);
        CHECK_GE(clock->now, due);
        CHECK_LE(clock->now, due + TICK - 1);
        CHECK(clock->now == due || clock->now % TICK == 0);
        kit_advance(k, (iso_nsec)kit_random_below(k, 1000 * 1000 * 1000));
    }
}

/* A loop that is busy does not find it sooner. */
KIT_TEST(between_two_ticks_nothing_is_due)
{
    iso_loop *loop = virtual_loop(k, "windows-selector");

    mark_later(loop, ISO_MS(1), "a");
    kit_advance(k, ISO_MS(2));
    CHECK_EQ(kit_turn(k, loop), 0);
    kit_advance(k, ISO_MS(13));
    CHECK_EQ(kit_turn(k, loop), 0);
    CHECK_EQ(iso_loop_next_timeout(loop), TICK - ISO_MS(15));
    kit_advance(k, ISO_US(600) - 1);
    CHECK_EQ(kit_turn(k, loop), 0);
    kit_advance(k, 1);
    CHECK_EQ(kit_turn(k, loop), 1);
    CHECK_STR(kit_marks(k), "a");
}

KIT_TEST(a_timer_on_a_tick_is_due_on_it)
{
    iso_loop *loop = virtual_loop(k, "windows-selector");

    mark_later(loop, TICK, "a");
    mark_later(loop, 2 * TICK, "b");
    mark_later(loop, 2 * TICK + 1, "c");
    turn(loop);
    CHECK_STR(kit_marks(k), "a");
    CHECK_EQ(kit_clock_of(k)->now, TICK);
    turn(loop);
    CHECK_STR(kit_marks(k), "ab");
    CHECK_EQ(kit_clock_of(k)->now, 2 * TICK);
    turn(loop);
    CHECK_STR(kit_marks(k), "abc");
    CHECK_EQ(kit_clock_of(k)->now, 3 * TICK);
}

KIT_TEST(timers_of_one_tick_run_by_deadline_and_equal_ones_in_the_order_of_adding)
{
    iso_loop *loop = virtual_loop(k, "windows-selector");

    mark_later(loop, ISO_MS(9), "c");
    mark_later(loop, ISO_MS(3), "a");
    mark_later(loop, ISO_MS(9), "d");
    mark_later(loop, ISO_MS(16), "f"); /* of the next one */
    mark_later(loop, ISO_MS(3), "b");
    mark_later(loop, TICK, "e");
    turn(loop);
    CHECK_STR(kit_marks(k), "abcde");
    turn(loop);
    CHECK_STR(kit_marks(k), "abcdef");
}

KIT_TEST(what_is_due_already_waits_for_no_tick)
{
    iso_loop *loop = virtual_loop(k, "windows-selector");

    CHECK_OK(iso_loop_call_at(loop, iso_loop_time(loop), kit_mark, "a", NULL));
    mark_later(loop, -ISO_S(1), "b");
    CHECK_OK(iso_loop_call_at(loop, INT64_MIN, kit_mark, "c", NULL));
    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "d", NULL));
    CHECK_EQ(kit_turn(k, loop), 4);
    CHECK_STR(kit_marks(k), "dcba");
    CHECK_EQ(kit_clock_of(k)->now, 0);
}

/* Nothing else is ready that would keep the loop from waiting; nor is there a tick before it. */
KIT_TEST(the_beginning_of_time_waits_for_no_tick)
{
    iso_loop *loop = virtual_loop(k, "windows-selector");

    mark_later(loop, INT64_MIN, "a");
    CHECK_EQ(iso_loop_next_timeout(loop), 0);
    turn(loop);
    CHECK_STR(kit_marks(k), "a");
    kit_clock_of(k)->now = INT64_MIN + 5;
    CHECK_OK(iso_loop_call_at(loop, INT64_MIN + 3, kit_mark, "b", NULL));
    CHECK_EQ(iso_loop_next_timeout(loop), -(INT64_MIN % TICK) - 5);
    turn(loop);
    CHECK_STR(kit_marks(k), "ab");
}

KIT_TEST(a_negative_time_has_ticks_too)
{
    iso_loop *loop = virtual_loop(k, "windows-selector");
    kit_clock *clock = kit_clock_of(k);

    clock->now = -ISO_MS(20);
    mark_later(loop, ISO_MS(1), "a"); /* at -19 ms: the tick is at -15.6 ms */
    CHECK_EQ(iso_loop_next_timeout(loop), ISO_US(4400));
    turn(loop);
    CHECK_STR(kit_marks(k), "a");
    CHECK_EQ(clock->now, -TICK);
    mark_later(loop, ISO_MS(1), "b");
    turn(loop);
    CHECK_STR(kit_marks(k), "ab");
    CHECK_EQ(clock->now, 0);
}

KIT_TEST(the_end_of_time_is_no_tick)
{
    iso_loop *loop = virtual_loop(k, "windows-selector");
    iso_handle handle;

    CHECK_OK(iso_loop_call_at(loop, ISO_FOREVER, kit_mark, "a", &handle));
    CHECK(iso_loop_next_timeout(loop) == ISO_FOREVER);
    CHECK_OK(iso_handle_cancel(loop, handle));
    CHECK_OK(iso_loop_call_at(loop, ISO_FOREVER - 1, kit_mark, "a", &handle));
    CHECK(iso_loop_next_timeout(loop) == ISO_FOREVER);
    CHECK_EQ(kit_turn(k, loop), 0);
    CHECK_OK(iso_handle_cancel(loop, handle));
}

/* ---- many timers ---- */

enum { CROWD = 300, ROUNDS = 20000 };

static struct crowd {
    kit *k;
    iso_handle handles[CROWD];
    iso_nsec when[CROWD];
    iso_nsec last; /* deadline that ran in this turn */
    uint64_t turn;
    int ran;
} crowd;

static void crowd_ran(iso_loop *loop, void *arg);

static void crowd_start(iso_loop *loop, uintptr_t at)
{
    static const iso_nsec spans[] = { ISO_MS(1), ISO_MS(50), ISO_S(3), ISO_S(300), ISO_S(40000) };
    iso_nsec span = spans[kit_random_below(crowd.k, ISO__COUNT(spans))];

    crowd.when[at] =
        iso_loop_time(loop) + (iso_nsec)((uint64_t)kit_random(crowd.k) * (uint64_t)span >> 32);
    CHECK_OK(iso_loop_call_at(loop, crowd.when[at], crowd_ran, (void *)at, &crowd.handles[at]));
}

/* One is put off, or is to come earlier, or is another. */
static void crowd_change(iso_loop *loop)
{
    uintptr_t at = kit_random_below(crowd.k, CROWD);
    iso_nsec when = iso_loop_time(loop) + kit_random_below(crowd.k, 2000) * ISO_MS(1);
    int rc = iso_handle_reschedule(loop, crowd.handles[at], when);

    if (rc == 0) crowd.when[at] = when;
    if (kit_random_below(crowd.k, 2) == 0) return;
    if (iso_handle_cancel(loop, crowd.handles[at]) == 0) crowd_start(loop, at);
}

static void crowd_ran(iso_loop *loop, void *arg)
{
    uintptr_t at = (uintptr_t)arg;
    iso_nsec now = iso_loop_time(loop);

    CHECK_EQ(now % TICK, 0);
    CHECK_LE(crowd.when[at], now);
    CHECK(now - crowd.when[at] < TICK);
    if (crowd.turn != loop->engine.turns) crowd.last = INT64_MIN;
    CHECK_LE(crowd.last, crowd.when[at]);
    crowd.last = crowd.when[at];
    crowd.turn = loop->engine.turns;
    crowd.ran++;
    crowd_start(loop, at);
    crowd_change(loop);
}

/* The clock jumps to where the loop would wait for: one that is told too late is late. */
KIT_TEST(many_timers_are_due_on_the_next_tick_whatever_becomes_of_others)
{
    iso_loop *loop = virtual_loop(k, "windows-proactor");
    uintptr_t at;
    int turns = 0;

    memset(&crowd, 0, sizeof(crowd));
    crowd.k = k;
    for (at = 0; at < CROWD; at++) crowd_start(loop, at);
    for (; crowd.ran < ROUNDS && !kit_has_failed(k); turns++) turn(loop);
    /* and few of the turns were for nothing */
    CHECK_LE(turns, 2 * crowd.ran);
    for (at = 0; at < CROWD; at++) CHECK_OK(iso_handle_cancel(loop, crowd.handles[at]));
}

/* The clock itself is as fine as ever; only waits are not. */
KIT_TEST(the_time_does_not_step)
{
    iso_loop *loop = virtual_loop(k, "windows-selector");
    iso_handle handle;
    iso_nsec when = 0;

    kit_advance(k, 12345);
    CHECK_EQ(iso_loop_time(loop), 12345);
    CHECK_OK(iso_loop_call_later(loop, 5, kit_nothing, NULL, &handle));
    CHECK_OK(iso_handle_when(loop, handle, &when));
    CHECK_EQ(when, 12350);
}

static iso_nsec coarse_now(void *context)
{
    return *(iso_nsec *)context;
}

/* Nothing is played where waits are as coarse as that by themselves. */
KIT_TEST(a_clock_that_is_coarser_stays_as_it_is)
{
    static iso_nsec now;
    iso_loop_options options = kit_options(k);
    iso_clock clock = { coarse_now, ISO_MS(20), &now };
    iso_loop *loop;

    options.clock = &clock;
    options.limits = "windows-selector";
    loop = kit_loop_with(k, &options);
    CHECK_EQ(iso_loop_clock_resolution(loop), ISO_MS(20));
    mark_later(loop, ISO_MS(1), "a");
    now += ISO_MS(1);
    CHECK_EQ(kit_turn(k, loop), 1);
}

KIT_TEST(in_real_time_a_timer_is_not_early_and_comes)
{
    iso_loop *loop = real_loop(k, "windows-selector");
    int count = 0;
    int round;

    for (round = 0; round < 5; round++) {
        iso_nsec due = iso_loop_time(loop) + ISO_MS(1);

        CHECK_OK(iso_loop_call_at(loop, due, kit_count, &count, NULL));
        (void)kit_run_until(k, loop, &count, round + 1);
        CHECK_GE(iso_loop_time(loop), due);
    }
}

/* What is ready, posted or has come does not wait for a tick. */
KIT_TEST(only_timers_wait_for_ticks)
{
    iso_loop *loop = virtual_loop(k, "windows-selector");

    mark_later(loop, ISO_MS(1), "c");
    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "a", NULL));
    CHECK_OK(iso_loop_call_soon_threadsafe(loop, kit_mark, "b"));
    turn(loop);
    CHECK_STR(kit_marks(k), "ab");
    CHECK_EQ(kit_clock_of(k)->now, 0);
}

static const kit_case cases[] = {
    KIT_CASE(the_resolution_is_that_of_windows),
    KIT_CASE(other_profiles_leave_the_clock_alone),
    KIT_CASE(a_short_timer_is_due_on_the_next_tick),
    KIT_CASE(a_timer_is_never_early),
    KIT_CASE(between_two_ticks_nothing_is_due),
    KIT_CASE(a_timer_on_a_tick_is_due_on_it),
    KIT_CASE(timers_of_one_tick_run_by_deadline_and_equal_ones_in_the_order_of_adding),
    KIT_CASE(what_is_due_already_waits_for_no_tick),
    KIT_CASE(the_beginning_of_time_waits_for_no_tick),
    KIT_CASE(a_negative_time_has_ticks_too),
    KIT_CASE(the_end_of_time_is_no_tick),
    KIT_CASE(many_timers_are_due_on_the_next_tick_whatever_becomes_of_others),
    KIT_CASE(the_time_does_not_step),
    KIT_CASE(a_clock_that_is_coarser_stays_as_it_is),
    KIT_CASE(in_real_time_a_timer_is_not_early_and_comes),
    KIT_CASE(only_timers_wait_for_ticks),
};

KIT_MAIN(cases)
