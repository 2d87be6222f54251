/* SPDX-License-Identifier: MIT */
/* One turn: what runs, in which order, and for how long it waits. */
#include "engine/engine.h"
#include "kit.h"
#include "loop/loop.h"

#include <stdlib.h>

static iso__engine *begin(kit *k)
{
    return &kit_virtual_loop(k)->engine;
}

static void soon(iso__engine *engine, const char *mark)
{
    CHECK_OK(iso__engine_call_soon(engine, kit_mark, (void *)(uintptr_t)mark, NULL));
}

static void later(iso__engine *engine, iso_nsec delay, const char *mark)
{
    CHECK_OK(iso__engine_call_at(engine, iso__engine_time(engine) + delay, kit_mark,
                                 (void *)(uintptr_t)mark, NULL));
}

static void post(iso__engine *engine, const char *mark)
{
    CHECK_OK(iso__engine_post_callback(engine, kit_mark, (void *)(uintptr_t)mark));
}

/* ---- what runs ---- */

KIT_TEST(what_is_ready_runs_in_the_order_in_which_it_became_so)
{
    iso__engine *engine = begin(k);

    soon(engine, "a");
    soon(engine, "b");
    soon(engine, "c");
    CHECK_EQ(iso__engine_turn(engine, 0), 3);
    CHECK_STR(kit_marks(k), "abc");
    CHECK_EQ(iso__engine_turn(engine, 0), 0);
}

static void again(iso_loop *loop, void *mark)
{
    kit_mark(loop, mark);
    CHECK_OK(iso_loop_call_soon(loop, again, mark, NULL));
}

KIT_TEST(what_a_callback_schedules_waits_for_the_next_turn)
{
    iso__engine *engine = begin(k);

    CHECK_OK(iso__engine_call_soon(engine, again, "a", NULL));
    soon(engine, "b");
    CHECK_EQ(iso__engine_turn(engine, 0), 2);
    CHECK_STR(kit_marks(k), "ab");
    CHECK_EQ(iso__engine_turn(engine, 0), 1);
    CHECK_STR(kit_marks(k), "aba");
    CHECK_EQ(iso__engine_turn(engine, 0), 1);
    CHECK_STR(kit_marks(k), "abaa");
}

static void due_at_once(iso_loop *loop, void *mark)
{
    CHECK_OK(iso_loop_call_later(loop, 0, kit_mark, mark, NULL));
}

KIT_TEST(a_timer_that_is_due_at_once_waits_for_the_next_turn)
{
    iso__engine *engine = begin(k);

    CHECK_OK(iso__engine_call_soon(engine, due_at_once, "t", NULL));
    CHECK_EQ(iso__engine_turn(engine, 0), 1);
    CHECK_STR(kit_marks(k), "");
    CHECK_EQ(iso__engine_turn(engine, 0), 1);
    CHECK_STR(kit_marks(k), "t");
}

/* ---- order ---- */

static void write_r(iso_loop *loop, void *arg)
{
    (void)arg;
    kit_mark(loop, "r");
}

static void write_w(iso_loop *loop, void *arg)
{
    (void)arg;
    kit_mark(loop, "w");
}

KIT_TEST(earlier_call_soon_comes_before_reader_and_writer_and_these_before_due_timers)
{
    iso_loop *loop;
    iso__engine *engine;
    iso_fd pair[2];

    kit_setenv(k, "ISOLOOP_LIMITS", "native"); /* it watches */
    loop = kit_virtual_loop(k);
    engine = &loop->engine;

    /* given a descriptor that can be read and written, a timer that is due, and a callback */
    kit_pair(k, pair);
    kit_poke(k, pair[1]);
    kit_await(k, pair[0], ISO_EVENT_READ);
    later(engine, 0, "t");
    later(engine, -5, "s");
    CHECK_OK(iso_loop_add_writer(loop, pair[0], write_w, NULL));
    CHECK_OK(iso_loop_add_reader(loop, pair[0], write_r, NULL));
    soon(engine, "a");
    soon(engine, "b");
    /* then the callback comes first, then reader and writer, then the timers by their times */
    CHECK_EQ(iso__engine_turn(engine, 0), 6);
    CHECK_STR(kit_marks(k), "abrwst");
    CHECK_OK(iso_loop_remove_reader(loop, pair[0]));
    CHECK_OK(iso_loop_remove_writer(loop, pair[0]));
}

static void received(iso__io *io, const void *data, ptrdiff_t size)
{
    (void)io;
    (void)data;
    CHECK_EQ(size, 1);
    kit_mark(NULL, (void *)(uintptr_t) "r");
}

static const iso__io_class receiving = { .received = received };

KIT_TEST(earlier_call_soon_comes_before_what_was_received_and_that_before_due_timers)
{
    iso__engine *engine = begin(k);
    iso__driver *driver = engine->driver;
    iso__io io = { .kind = &receiving };
    iso_fd pair[2];

    /* given bytes that have arrived, a timer that is due, and a callback */
    kit_pair(k, pair);
    kit_poke(k, pair[1]);
    kit_await(k, pair[0], ISO_EVENT_READ);
    io.fd = pair[0];
    REQUIRE_OK(iso__engine_attach(engine, &io));
    CHECK_OK(driver->kind->recv_start(driver, &io));
    later(engine, 0, "t");
    soon(engine, "a");
    /* then that is the order */
    CHECK_EQ(iso__engine_turn(engine, 0), 3);
    CHECK_STR(kit_marks(k), "art");
    iso__engine_detach(engine, &io);
    while (driver->kind->held(driver) > 0) CHECK_GE(iso__engine_turn(engine, ISO_MS(100)), 0);
}

KIT_TEST(posts_run_in_order_in_the_turn_that_finds_them)
{
    iso__engine *engine = begin(k);

    post(engine, "x");
    post(engine, "y");
    soon(engine, "a");
    /* with that of the wake-up, where a socket is woken */
    CHECK_EQ(iso__engine_turn(engine, 0), 3 + engine->driver->kind->own_ios);
    CHECK_STR(kit_marks(k), "axy");
}

static void post_to(iso_loop *loop, void *mark)
{
    CHECK_OK(iso_loop_call_soon_threadsafe(loop, kit_mark, mark));
}

KIT_TEST(a_post_from_a_callback_runs_in_the_next_turn_without_a_wake_up)
{
    iso__engine *engine = begin(k);

    CHECK_OK(iso__engine_call_soon(engine, post_to, "p", NULL));
    CHECK_EQ(iso__engine_turn(engine, ISO_FOREVER), 1);
    CHECK_STR(kit_marks(k), "");
    CHECK_EQ(iso__engine_turn(engine, ISO_FOREVER), 1);
    CHECK_STR(kit_marks(k), "p");
    CHECK_EQ(iso__atomic_load_u32(&engine->wakeups), 0);
}

KIT_TEST(due_timers_run_by_time_and_equal_ones_in_the_order_of_adding)
{
    iso__engine *engine = begin(k);

    later(engine, 30, "3");
    later(engine, 10, "1");
    later(engine, 20, "a");
    later(engine, 20, "b");
    kit_advance(k, 100);
    CHECK_EQ(iso__engine_turn(engine, 0), 4);
    CHECK_STR(kit_marks(k), "1ab3");
}

/* ---- waiting ---- */

KIT_TEST(with_something_ready_a_turn_does_not_wait)
{
    iso__engine *engine = begin(k);

    soon(engine, "a");
    CHECK_EQ(iso__engine_patience(engine), 0);
    CHECK_EQ(iso__engine_turn(engine, ISO_FOREVER), 1);
    CHECK_EQ(kit_clock_of(k)->last_timeout, 0);
}

KIT_TEST(with_a_post_a_turn_does_not_wait)
{
    iso__engine *engine = begin(k);

    post(engine, "p");
    CHECK_EQ(iso__engine_patience(engine), 0);
    CHECK_GE(iso__engine_turn(engine, ISO_FOREVER), 1);
    CHECK_EQ(kit_clock_of(k)->last_timeout, 0);
    CHECK_STR(kit_marks(k), "p");
}

KIT_TEST(a_turn_waits_until_the_next_timer)
{
    iso__engine *engine = begin(k);

    later(engine, ISO_S(50), "b");
    later(engine, ISO_S(5), "a");
    CHECK_EQ(iso__engine_patience(engine), ISO_S(5));
    CHECK_EQ(iso__engine_turn(engine, ISO_FOREVER), 1);
    CHECK_EQ(kit_clock_of(k)->last_timeout, ISO_S(5));
    CHECK_STR(kit_marks(k), "a");
    CHECK_EQ(iso__engine_turn(engine, ISO_FOREVER), 1);
    CHECK_EQ(kit_clock_of(k)->last_timeout, ISO_S(45));
    CHECK_STR(kit_marks(k), "ab");
}

KIT_TEST(a_turn_waits_no_longer_than_it_may)
{
    iso__engine *engine = begin(k);

    later(engine, ISO_S(5), "a");
    CHECK_EQ(iso__engine_turn(engine, ISO_S(2)), 0);
    CHECK_EQ(kit_clock_of(k)->last_timeout, ISO_S(2));
    CHECK_EQ(iso__engine_turn(engine, ISO_S(20)), 1);
    CHECK_EQ(kit_clock_of(k)->last_timeout, ISO_S(3));
}

KIT_TEST(with_nothing_to_wait_for_patience_has_no_end)
{
    iso__engine *engine = begin(k);

    CHECK_EQ(iso__engine_patience(engine), ISO_FOREVER);
    later(engine, ISO_FOREVER - iso__engine_time(engine), "never");
    CHECK_EQ(iso__engine_patience(engine), ISO_FOREVER);
    CHECK_EQ(iso__engine_turn(engine, 10), 0);
    CHECK_STR(kit_marks(k), "");
}

KIT_TEST(a_turn_that_stops_does_not_wait)
{
    iso__engine *engine = begin(k);

    engine->is_stopping = true;
    CHECK_EQ(iso__engine_patience(engine), 0);
    CHECK_EQ(iso__engine_turn(engine, ISO_FOREVER), 0);
    CHECK_EQ(kit_clock_of(k)->last_timeout, 0);
    engine->is_stopping = false;
}

KIT_TEST(a_cancelled_timer_is_not_waited_for)
{
    iso__engine *engine = begin(k);
    iso_handle handle;

    CHECK_OK(iso__engine_call_at(engine, iso__engine_time(engine) + 10, kit_mark, "a", &handle));
    later(engine, 500, "b");
    CHECK_OK(iso__engine_cancel(engine, handle));
    CHECK_EQ(iso__engine_patience(engine), 500);
    CHECK_EQ(iso__engine_turn(engine, ISO_FOREVER), 1);
    CHECK_STR(kit_marks(k), "b");
}

KIT_TEST(timers_that_are_made_before_the_first_turn_are_sorted_at_once)
{
    iso__engine *engine = begin(k);
    int number;

    /* a wheel that takes them for equally far away would have to sort them all in that turn */
    for (number = 0; number < 300; number++) later(engine, ISO_MS(10) * (1 + number), "");
    REQUIRE(engine->timers.wheel != NULL);
    CHECK_EQ(engine->timers.wheel->base, iso__wheel_tick(iso__engine_time(engine)));
    CHECK(engine->timers.wheel->levels != 0 && engine->timers.wheel->levels < 8);
}

/* ---- cancelling ---- */

static iso_handle victim;

static void cancel_the_victim(iso_loop *loop, void *mark)
{
    kit_mark(loop, mark);
    CHECK_OK(iso_handle_cancel(loop, victim));
}

KIT_TEST(one_of_the_same_batch_can_be_cancelled)
{
    iso__engine *engine = begin(k);

    CHECK_OK(iso__engine_call_soon(engine, cancel_the_victim, "a", NULL));
    CHECK_OK(iso__engine_call_soon(engine, kit_mark, "v", &victim));
    soon(engine, "b");
    CHECK_EQ(iso__engine_turn(engine, 0), 2);
    CHECK_STR(kit_marks(k), "ab");
}

KIT_TEST(a_timer_that_is_due_in_the_same_batch_can_be_cancelled)
{
    iso__engine *engine = begin(k);

    CHECK_OK(iso__engine_call_soon(engine, cancel_the_victim, "a", NULL));
    CHECK_OK(iso__engine_call_at(engine, iso__engine_time(engine), kit_mark, "v", &victim));
    later(engine, 0, "b");
    CHECK_EQ(iso__engine_turn(engine, 0), 2);
    CHECK_STR(kit_marks(k), "ab");
}

/* ---- many, that schedule and cancel each other ---- */

enum { CROWD = 20000 };

typedef enum fate { WAITS, RAN, CANCELLED } fate;

typedef struct member {
    iso_handle handle;
    uint64_t turn; /* of its scheduling */
    fate fate;
} member;

static struct {
    kit *k;
    iso__engine *engine;
    member *all;
    uint32_t count;
    uint32_t waiting;
    uint32_t others;
    uint32_t last; /* that ran; they run in the order of their scheduling */
} crowd;

static void member_ran(iso_loop *loop, void *arg);

static void crowd_add(void)
{
    member *self = &crowd.all[crowd.count];

    if (crowd.count == CROWD) return;
    self->turn = crowd.engine->turns;
    self->fate = WAITS;
    crowd.waiting++;
    CHECK_OK(iso__engine_call_soon(crowd.engine, member_ran, (void *)(uintptr_t)crowd.count,
                                   &self->handle));
    crowd.count++;
}

/* One of the last few: mostly of this batch, or of the next. */
static void crowd_cancel(void)
{
    uint32_t back = kit_random_below(crowd.k, 100);
    member *self = &crowd.all[back < crowd.count ? crowd.count - 1 - back : 0];
    bool waits = self->fate == WAITS;

    CHECK_RC(iso__engine_reschedule(crowd.engine, self->handle, 0),
             waits ? ISO_EINVAL : ISO_ENOENT);
    CHECK_RC(iso__engine_cancel(crowd.engine, self->handle), waits ? 0 : ISO_ENOENT);
    if (!waits) return;
    self->fate = CANCELLED;
    crowd.waiting--;
}

static void other_ran(iso_loop *loop, void *arg)
{
    (void)loop;
    (void)arg;
    crowd.others--;
}

/* Something else becomes ready in between. */
static void crowd_interrupt(void)
{
    crowd.others++;
    CHECK_OK(iso__engine_post_callback(crowd.engine, other_ran, NULL));
    iso__inbox_take(&crowd.engine->inbox, &crowd.engine->ready);
}

static void crowd_act(void)
{
    uint32_t more = kit_random_below(crowd.k, crowd.waiting < 150 ? 4 : 2);

    while (more-- > 0) crowd_add();
    if (crowd.count > 0 && kit_random_below(crowd.k, 3) == 0) crowd_cancel();
    if (kit_random_below(crowd.k, 40) == 0) crowd_interrupt();
}

static void member_ran(iso_loop *loop, void *arg)
{
    uint32_t number = (uint32_t)(uintptr_t)arg;
    member *self = &crowd.all[number];

    CHECK_EQ(self->fate, WAITS);
    CHECK(self->turn < crowd.engine->turns);
    CHECK(number >= crowd.last);
    crowd.last = number;
    self->fate = RAN;
    crowd.waiting--;
    CHECK_RC(iso__engine_cancel(crowd.engine, self->handle), ISO_ENOENT);
    CHECK_RC(iso_loop_run_once(loop, 0), ISO_ERUNNING);
    crowd_act();
}

static void run_crowd(kit *k, bool is_debug)
{
    iso_loop *loop = kit_virtual_loop(k);
    uint32_t ended = 0; /* those before it did */

    crowd.k = k;
    crowd.engine = &loop->engine;
    crowd.all = calloc(CROWD, sizeof(*crowd.all));
    REQUIRE(crowd.all != NULL);
    crowd.count = crowd.waiting = crowd.others = crowd.last = 0;
    CHECK_OK(iso_loop_set_debug(loop, is_debug));
    while ((crowd.count < CROWD || crowd.waiting + crowd.others > 0) && !kit_has_failed(k)) {
        uint32_t before = crowd.count;
        int round;

        for (round = 0; round < 3; round++) crowd_act();
        if (crowd.count < before + 3) crowd_add();
        before = crowd.count;
        CHECK_EQ(kit_statistics(loop).ready, crowd.waiting + crowd.others);
        crowd.engine->turns++; /* what was scheduled between two turns is of the one before */
        CHECK_GE(iso_loop_run_once(loop, 0), 0);
        for (; ended < before; ended++) CHECK(crowd.all[ended].fate != WAITS);
    }
    free(crowd.all);
}

KIT_TEST(each_runs_once_in_order_and_in_the_next_turn_whatever_others_do)
{
    run_crowd(k, false);
}

KIT_TEST(each_runs_once_in_order_in_debug_mode_too)
{
    run_crowd(k, true);
}

/* ---- a selector that fails ---- */

typedef struct failing {
    int answer;
    int waits;
} failing;

static int failing_set(void *self, iso_fd fd, unsigned was, unsigned events, void *token)
{
    (void)self;
    (void)fd;
    (void)was;
    (void)events;
    (void)token;
    return 0;
}

static int failing_wait(void *self, iso_nsec timeout, iso_selector_event *events, int max)
{
    failing *it = self;

    (void)timeout;
    (void)events;
    (void)max;
    it->waits++;
    return it->answer;
}

static iso_fd failing_fileno(void *self)
{
    (void)self;
    return ISO_FD_NONE;
}

static void failing_close(void *self)
{
    (void)self;
}

static const iso_selector_class failing_class = {
    .name = "failing",
    .set = failing_set,
    .wait = failing_wait,
    .descriptor = failing_fileno,
    .close = failing_close,
};

KIT_TEST(a_wait_that_fails_is_answered_and_the_callbacks_ran)
{
    static failing selector;
    iso_loop_options options = kit_options(k);
    iso_loop *loop;

    selector.answer = ISO_ENOMEM;
    selector.waits = 0;
    CHECK_OK(iso_selector_new_custom(&options.selector, &failing_class, &selector));
    loop = kit_loop_with(k, &options);
    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "a", NULL));
    CHECK_RC(iso_loop_run_forever(loop), ISO_ENOMEM);
    CHECK_STR(kit_marks(k), "a");
    /* and the loop can be run again */
    CHECK(!iso_loop_is_running(loop));
    selector.answer = 0;
    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "b", NULL));
    CHECK_EQ(iso_loop_run_once(loop, 0), 1);
    CHECK_STR(kit_marks(k), "ab");
    CHECK_EQ(selector.waits, 2);
}

/* ---- closing ---- */

KIT_TEST(what_is_scheduled_when_it_closes_is_dropped)
{
    iso__engine *engine = begin(k);

    soon(engine, "a");
    later(engine, 0, "t");
    post(engine, "p");
    iso_loop_close(engine->loop);
    CHECK_STR(kit_marks(k), "");
}

static const kit_case cases[] = {
    KIT_CASE(what_is_ready_runs_in_the_order_in_which_it_became_so),
    KIT_CASE(what_a_callback_schedules_waits_for_the_next_turn),
    KIT_CASE(a_timer_that_is_due_at_once_waits_for_the_next_turn),
    KIT_CASE(earlier_call_soon_comes_before_what_was_received_and_that_before_due_timers),
    KIT_CASE(earlier_call_soon_comes_before_reader_and_writer_and_these_before_due_timers),
    KIT_CASE(posts_run_in_order_in_the_turn_that_finds_them),
    KIT_CASE(a_post_from_a_callback_runs_in_the_next_turn_without_a_wake_up),
    KIT_CASE(due_timers_run_by_time_and_equal_ones_in_the_order_of_adding),
    KIT_CASE(with_something_ready_a_turn_does_not_wait),
    KIT_CASE(with_a_post_a_turn_does_not_wait),
    KIT_CASE(a_turn_waits_until_the_next_timer),
    KIT_CASE(a_turn_waits_no_longer_than_it_may),
    KIT_CASE(with_nothing_to_wait_for_patience_has_no_end),
    KIT_CASE(a_turn_that_stops_does_not_wait),
    KIT_CASE(a_cancelled_timer_is_not_waited_for),
    KIT_CASE(timers_that_are_made_before_the_first_turn_are_sorted_at_once),
    KIT_CASE(one_of_the_same_batch_can_be_cancelled),
    KIT_CASE(a_timer_that_is_due_in_the_same_batch_can_be_cancelled),
    KIT_CASE(each_runs_once_in_order_and_in_the_next_turn_whatever_others_do),
    KIT_CASE(each_runs_once_in_order_in_debug_mode_too),
    KIT_CASE(a_wait_that_fails_is_answered_and_the_callbacks_ran),
    KIT_CASE(what_is_scheduled_when_it_closes_is_dropped),
};

KIT_MAIN(cases)
