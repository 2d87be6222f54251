/* SPDX-License-Identifier: MIT */
/* add_signal_handler. The signals are those that every C has: SIGINT and SIGTERM, the first of
 * which has the lower number everywhere. */
#include "kit.h"
#include "loop/child.h"

#include <limits.h>
#include <signal.h>

/* ---- what was there before a case ---- */

static volatile sig_atomic_t came_to_program;

static void note(int signum)
{
    (void)signum;
    came_to_program++;
}

/* Raised, SIGTERM comes to the program itself: nobody else has a handler. */
static void demand_the_programs(void)
{
    came_to_program = 0;
    CHECK_EQ(raise(SIGTERM), 0);
    CHECK_EQ(came_to_program, 1);
}

/* A loop, and SIGINT and SIGTERM as a program has them that takes them itself. NULL: this platform
 * has no signals. */
static iso_loop *begin(kit *k)
{
    if (!kit_needs(k, ISO_CAP_SIGNALS)) return NULL;
    (void)signal(SIGINT, note);
    (void)signal(SIGTERM, note);
    came_to_program = 0;
    return kit_loop(k);
}

static void send_self(int signum)
{
    CHECK_EQ(raise(signum), 0);
    CHECK_EQ(came_to_program, 0);
}

/* ---- telling ---- */

KIT_TEST(a_signal_is_told_in_a_turn)
{
    iso_loop *loop = begin(k);

    if (loop == NULL) return;
    CHECK_OK(iso_loop_add_signal_handler(loop, SIGTERM, kit_mark, "term "));
    CHECK_EQ(kit_turn(k, loop), 0);
    send_self(SIGTERM);
    CHECK_STR(kit_marks(k), ""); /* not in the middle of something */
    CHECK_GE(kit_turn(k, loop), 1);
    CHECK_STR(kit_marks(k), "term ");
    CHECK_EQ(kit_turn(k, loop), 0);
    CHECK_STR(kit_marks(k), "term ");
    CHECK_OK(iso_loop_remove_signal_handler(loop, SIGTERM));
}

KIT_TEST(a_signal_is_told_as_often_as_it_comes_in_another_turn)
{
    iso_loop *loop = begin(k);
    int told = 0;
    int at;

    if (loop == NULL) return;
    CHECK_OK(iso_loop_add_signal_handler(loop, SIGTERM, kit_count, &told));
    for (at = 1; at <= 100; at++) {
        send_self(SIGTERM);
        CHECK_GE(kit_turn(k, loop), 1);
        CHECK_EQ(told, at);
    }
    CHECK_OK(iso_loop_remove_signal_handler(loop, SIGTERM));
}

KIT_TEST(a_signal_that_comes_often_before_a_turn_is_told)
{
    iso_loop *loop = begin(k);
    int told = 0;
    int at;

    if (loop == NULL) return;
    CHECK_OK(iso_loop_add_signal_handler(loop, SIGTERM, kit_count, &told));
    for (at = 0; at < 1000; at++) send_self(SIGTERM);
    kit_settle(k, loop);
    CHECK_GE(told, 1);
    CHECK_OK(iso_loop_remove_signal_handler(loop, SIGTERM));
}

KIT_TEST(each_signal_has_a_handler_of_its_own)
{
    iso_loop *loop = begin(k);

    if (loop == NULL) return;
    CHECK_OK(iso_loop_add_signal_handler(loop, SIGTERM, kit_mark, "term "));
    CHECK_OK(iso_loop_add_signal_handler(loop, SIGINT, kit_mark, "int "));
    send_self(SIGTERM);
    kit_settle(k, loop);
    CHECK_STR(kit_marks(k), "term ");
    send_self(SIGTERM);
    send_self(SIGINT);
    kit_settle(k, loop);
    CHECK_HAS(kit_marks(k) + 5, "int ");
    CHECK_HAS(kit_marks(k) + 5, "term ");
    CHECK_OK(iso_loop_remove_signal_handler(loop, SIGTERM));
    send_self(SIGINT);
    kit_clear_marks(k);
    kit_settle(k, loop);
    CHECK_STR(kit_marks(k), "int ");
    CHECK_OK(iso_loop_remove_signal_handler(loop, SIGINT));
}

static void send_through(void *gate)
{
    kit_gate_wait(gate);
    child_signal_self(SIGTERM);
}

static void open_gate(iso_loop *loop, void *gate)
{
    (void)loop;
    kit_gate_open(gate);
}

KIT_TEST(a_signal_ends_the_wait_of_its_loop)
{
    iso_loop *loop = begin(k);
    kit_gate *gate = kit_gate_new(k);

    if (loop == NULL) return;
    CHECK_OK(iso_loop_add_signal_handler(loop, SIGTERM, kit_stop, NULL));
    kit_thread(k, send_through, gate);
    CHECK_OK(iso_loop_call_soon(loop, open_gate, gate, NULL));
    CHECK_OK(iso_loop_run_forever(loop)); /* which nothing else ends */
    kit_join_all(k);
    CHECK_OK(iso_loop_remove_signal_handler(loop, SIGTERM));
}

KIT_TEST(what_a_signal_interrupts_goes_on)
{
    iso_loop *loop = begin(k);

    if (loop == NULL) return;
    CHECK_OK(iso_loop_add_signal_handler(loop, SIGTERM, kit_nothing, NULL));
    CHECK(child_restarts(SIGTERM));
    CHECK_OK(iso_loop_remove_signal_handler(loop, SIGTERM));
}

/* ---- callbacks that do something about it ---- */

KIT_TEST(a_second_handler_replaces_the_first)
{
    iso_loop *loop = begin(k);

    if (loop == NULL) return;
    CHECK_OK(iso_loop_add_signal_handler(loop, SIGTERM, kit_mark, "first "));
    send_self(SIGTERM);
    CHECK_OK(iso_loop_add_signal_handler(loop, SIGTERM, kit_mark, "second "));
    kit_settle(k, loop);
    CHECK_STR(kit_marks(k), "second ");
    CHECK_OK(iso_loop_remove_signal_handler(loop, SIGTERM)); /* and one is all there is */
    CHECK_RC(iso_loop_remove_signal_handler(loop, SIGTERM), ISO_ENOENT);
}

/* As often as the program asks for it, as in asyncio. */
KIT_TEST(a_second_handler_takes_the_place_of_the_programs)
{
    iso_loop *loop = begin(k);

    if (loop == NULL) return;
    CHECK_OK(iso_loop_add_signal_handler(loop, SIGTERM, kit_mark, "first "));
    (void)signal(SIGTERM, note);
    CHECK_OK(iso_loop_add_signal_handler(loop, SIGTERM, kit_mark, "second "));
    send_self(SIGTERM);
    kit_settle(k, loop);
    CHECK_STR(kit_marks(k), "second ");
    CHECK_OK(iso_loop_remove_signal_handler(loop, SIGTERM));
    demand_the_programs();
}

static void remove_both(iso_loop *loop, void *text)
{
    kit_mark(loop, text);
    CHECK_OK(iso_loop_remove_signal_handler(loop, SIGINT));
    CHECK_OK(iso_loop_remove_signal_handler(loop, SIGTERM));
}

static void remove_other(iso_loop *loop, void *text)
{
    kit_mark(loop, text);
    CHECK_OK(iso_loop_remove_signal_handler(loop, SIGTERM));
}

KIT_TEST(a_handler_that_was_removed_in_this_turn_is_not_called)
{
    iso_loop *loop = begin(k);

    if (loop == NULL) return;
    CHECK_OK(iso_loop_add_signal_handler(loop, SIGINT, remove_other, "int "));
    CHECK_OK(iso_loop_add_signal_handler(loop, SIGTERM, kit_mark, "term "));
    send_self(SIGINT);
    send_self(SIGTERM);
    kit_settle(k, loop);
    CHECK_STR(kit_marks(k), "int ");
    CHECK_OK(iso_loop_remove_signal_handler(loop, SIGINT));
}

KIT_TEST(all_handlers_may_be_removed_in_a_handler)
{
    iso_loop *loop = begin(k);

    if (loop == NULL) return;
    CHECK_OK(iso_loop_add_signal_handler(loop, SIGINT, remove_both, "int "));
    CHECK_OK(iso_loop_add_signal_handler(loop, SIGTERM, kit_mark, "term "));
    send_self(SIGINT);
    send_self(SIGTERM);
    kit_settle(k, loop);
    CHECK_STR(kit_marks(k), "int ");
    CHECK_EQ(kit_statistics(loop).objects, 0);
    demand_the_programs();
}

KIT_TEST(a_signal_that_came_before_its_handler_was_removed_is_forgotten)
{
    iso_loop *loop = begin(k);

    if (loop == NULL) return;
    CHECK_OK(iso_loop_add_signal_handler(loop, SIGINT, kit_mark, "int "));
    CHECK_OK(iso_loop_add_signal_handler(loop, SIGTERM, kit_mark, "old "));
    send_self(SIGTERM);
    CHECK_OK(iso_loop_remove_signal_handler(loop, SIGTERM));
    CHECK_OK(iso_loop_add_signal_handler(loop, SIGTERM, kit_mark, "new "));
    kit_settle(k, loop);
    CHECK_STR(kit_marks(k), "");
    send_self(SIGTERM);
    kit_settle(k, loop);
    CHECK_STR(kit_marks(k), "new ");
    CHECK_OK(iso_loop_remove_signal_handler(loop, SIGTERM));
    CHECK_OK(iso_loop_remove_signal_handler(loop, SIGINT));
}

static void send_both_once(iso_loop *loop, void *text)
{
    static const char *const second = "again ";

    kit_mark(loop, text);
    if (text == (const void *)second) return;
    CHECK_OK(iso_loop_add_signal_handler(loop, SIGINT, send_both_once, (void *)(uintptr_t)second));
    send_self(SIGINT);
    send_self(SIGTERM);
}

KIT_TEST(a_signal_that_a_handler_sends_waits_for_the_next_turn)
{
    iso_loop *loop = begin(k);

    if (loop == NULL) return;
    CHECK_OK(iso_loop_add_signal_handler(loop, SIGINT, send_both_once, "int "));
    CHECK_OK(iso_loop_add_signal_handler(loop, SIGTERM, kit_mark, "term "));
    send_self(SIGINT);
    CHECK_EQ(kit_turn(k, loop), 1);
    CHECK_STR(kit_marks(k), "int ");
    CHECK_EQ(kit_turn(k, loop), 1);
    CHECK_STR(kit_marks(k), "int again term ");
    CHECK_EQ(kit_turn(k, loop), 0);
    CHECK_OK(iso_loop_remove_signal_handler(loop, SIGTERM));
    CHECK_OK(iso_loop_remove_signal_handler(loop, SIGINT));
}

/* ---- what was there before ---- */

KIT_TEST(removing_the_handler_restores_what_there_was)
{
    iso_loop *loop = begin(k);

    if (loop == NULL) return;
    demand_the_programs();
    came_to_program = 0;
    CHECK_OK(iso_loop_add_signal_handler(loop, SIGTERM, kit_mark, "term "));
    send_self(SIGTERM);
    CHECK_OK(iso_loop_remove_signal_handler(loop, SIGTERM));
    demand_the_programs();
    CHECK_EQ(kit_turn(k, loop), 0);
    CHECK_STR(kit_marks(k), "");
}

KIT_TEST(removing_the_handler_restores_the_default)
{
    iso_loop *loop = begin(k);

    if (loop == NULL) return;
    (void)signal(SIGTERM, SIG_DFL);
    CHECK_OK(iso_loop_add_signal_handler(loop, SIGTERM, kit_mark, "term "));
    CHECK_OK(iso_loop_remove_signal_handler(loop, SIGTERM));
    CHECK(signal(SIGTERM, note) == SIG_DFL);
}

KIT_TEST(closing_the_loop_restores_what_there_was)
{
    iso_loop *loop = begin(k);

    if (loop == NULL) return;
    CHECK_OK(iso_loop_add_signal_handler(loop, SIGTERM, kit_mark, "term "));
    CHECK_OK(iso_loop_add_signal_handler(loop, SIGINT, kit_mark, "int "));
    send_self(SIGTERM);
    CHECK_OK(iso_loop_close(loop));
    demand_the_programs();
    CHECK_STR(kit_marks(k), "");
}

KIT_TEST(a_handler_of_the_programs_own_in_between_stays)
{
    iso_loop *loop = begin(k);

    if (loop == NULL) return;
    (void)signal(SIGTERM, SIG_DFL);
    CHECK_OK(iso_loop_add_signal_handler(loop, SIGTERM, kit_mark, "term "));
    (void)signal(SIGTERM, note);
    CHECK_OK(iso_loop_remove_signal_handler(loop, SIGTERM));
    demand_the_programs();
}

KIT_TEST(nothing_is_registered_but_while_there_is_a_handler)
{
    iso_loop *loop = begin(k);
    uint32_t before;

    if (loop == NULL) return;
    before = kit_statistics(loop).registered;
    CHECK_OK(iso_loop_add_signal_handler(loop, SIGTERM, kit_nothing, NULL));
    CHECK_OK(iso_loop_add_signal_handler(loop, SIGINT, kit_nothing, NULL));
    CHECK_EQ(kit_statistics(loop).registered, before + 1);
    CHECK_EQ(kit_statistics(loop).objects, 1);
    CHECK_OK(iso_loop_remove_signal_handler(loop, SIGTERM));
    CHECK_OK(iso_loop_remove_signal_handler(loop, SIGINT));
    CHECK_EQ(kit_statistics(loop).registered, before);
    CHECK_EQ(kit_statistics(loop).objects, 0);
}

/* ---- several loops ---- */

KIT_TEST(every_loop_with_a_handler_is_told)
{
    iso_loop *one = begin(k);
    iso_loop *two;

    if (one == NULL) return;
    two = kit_loop(k);
    CHECK_OK(iso_loop_add_signal_handler(one, SIGTERM, kit_mark, "one "));
    CHECK_OK(iso_loop_add_signal_handler(two, SIGTERM, kit_mark, "two "));
    send_self(SIGTERM);
    kit_settle(k, one);
    CHECK_STR(kit_marks(k), "one ");
    kit_settle(k, two);
    CHECK_STR(kit_marks(k), "one two ");
    CHECK_OK(iso_loop_remove_signal_handler(one, SIGTERM));
    CHECK_OK(iso_loop_remove_signal_handler(two, SIGTERM));
}

KIT_TEST(the_last_loop_restores_what_there_was)
{
    iso_loop *one = begin(k);
    iso_loop *two;

    if (one == NULL) return;
    two = kit_loop(k);
    CHECK_OK(iso_loop_add_signal_handler(one, SIGTERM, kit_mark, "one "));
    CHECK_OK(iso_loop_add_signal_handler(two, SIGTERM, kit_mark, "two "));
    CHECK_OK(iso_loop_add_signal_handler(two, SIGINT, kit_mark, "int "));
    CHECK_OK(iso_loop_remove_signal_handler(one, SIGTERM));
    send_self(SIGTERM);
    kit_settle(k, one);
    kit_settle(k, two);
    CHECK_STR(kit_marks(k), "two ");
    CHECK_OK(iso_loop_close(two));
    demand_the_programs();
}

/* ---- refusals ---- */

static void demand_no_trace(kit *k, iso_loop *loop)
{
    CHECK_EQ(kit_statistics(loop).objects, 0);
    CHECK_EQ(kit_turn(k, loop), 0);
    demand_the_programs();
}

KIT_TEST(numbers_that_are_no_signals_are_refused)
{
    static const int numbers[] = { 0, -1, INT_MIN, INT_MAX, 129, 1000000 };
    iso_loop *loop = begin(k);
    size_t at;

    if (loop == NULL) return;
    for (at = 0; at < ISO__COUNT(numbers); at++) {
        CHECK_RC(iso_loop_add_signal_handler(loop, numbers[at], kit_nothing, NULL), ISO_EINVAL);
        CHECK_HAS(iso_error_detail(), "no signal");
        CHECK_RC(iso_loop_remove_signal_handler(loop, numbers[at]), ISO_EINVAL);
    }
    demand_no_trace(k, loop);
}

KIT_TEST(signals_that_cannot_be_caught_are_refused)
{
    iso_loop *loop = begin(k);
    const int *at;

    if (loop == NULL) return;
    for (at = child_uncatchable; *at != 0; at++) {
        CHECK_RC(iso_loop_add_signal_handler(loop, *at, kit_nothing, NULL), ISO_EINVAL);
        CHECK_HAS(iso_error_detail(), "cannot be caught");
        CHECK_RC(iso_loop_remove_signal_handler(loop, *at), ISO_ENOENT);
    }
    demand_no_trace(k, loop);
    CHECK_OK(iso_loop_add_signal_handler(loop, SIGINT, kit_mark, "int "));
    CHECK_RC(iso_loop_add_signal_handler(loop, child_uncatchable[0], kit_nothing, NULL),
             ISO_EINVAL);
    CHECK_EQ(raise(SIGINT), 0);
    kit_settle(k, loop);
    CHECK_STR(kit_marks(k), "int "); /* those that there are go on */
    CHECK_OK(iso_loop_remove_signal_handler(loop, SIGINT));
}

/* Answers how many of a program's own faults it hears of, and one more for SIGTERM. */
static int raise_faults(void *unused, void **result)
{
    static const int faults[] = { SIGSEGV, SIGFPE, SIGILL };
    size_t at;

    (void)unused;
    (void)result;
    for (at = 0; at < ISO__COUNT(faults); at++) CHECK_EQ(raise(faults[at]), 0);
    CHECK_EQ(raise(SIGTERM), 0);
    return (int)came_to_program;
}

/* A debugger's, or a crash reporter's, handler is called where the fault is. Others are for the
 * threads of the program. */
KIT_TEST(work_in_a_thread_hears_of_its_own_faults_and_nothing_else)
{
    iso_loop *loop = begin(k);
    iso_future *future = NULL;
    void (*before[3])(int signum);
    intptr_t number = -1;

    if (loop == NULL) return;
    before[0] = signal(SIGSEGV, note);
    before[1] = signal(SIGFPE, note);
    before[2] = signal(SIGILL, note);
    REQUIRE_OK(iso_loop_run_in_executor(loop, NULL, raise_faults, NULL, &future));
    CHECK_OK(kit_run(k, loop, future));
    CHECK_OK(iso_future_number(future, &number));
    CHECK_EQ(number, 3);
    iso_future_release(future);
    (void)signal(SIGSEGV, before[0]);
    (void)signal(SIGFPE, before[1]);
    (void)signal(SIGILL, before[2]);
}

KIT_TEST(a_handler_without_a_callback_is_refused)
{
    iso_loop *loop = begin(k);

    if (loop == NULL) return;
    CHECK_RC(iso_loop_add_signal_handler(loop, SIGTERM, NULL, NULL), ISO_EINVAL);
    demand_no_trace(k, loop);
}

KIT_TEST(removing_a_handler_that_is_not_there_is_told)
{
    iso_loop *loop = begin(k);

    if (loop == NULL) return;
    CHECK_RC(iso_loop_remove_signal_handler(loop, SIGTERM), ISO_ENOENT);
    CHECK_OK(iso_loop_add_signal_handler(loop, SIGINT, kit_nothing, NULL));
    CHECK_RC(iso_loop_remove_signal_handler(loop, SIGTERM), ISO_ENOENT);
    CHECK_OK(iso_loop_remove_signal_handler(loop, SIGINT));
    CHECK_RC(iso_loop_remove_signal_handler(loop, SIGINT), ISO_ENOENT);
}

KIT_TEST(a_closed_loop_refuses)
{
    iso_loop *loop = begin(k);

    if (loop == NULL) return;
    CHECK_OK(iso_loop_close(loop));
    CHECK_RC(iso_loop_add_signal_handler(loop, SIGTERM, kit_nothing, NULL), ISO_ECLOSED);
    CHECK_RC(iso_loop_remove_signal_handler(loop, SIGTERM), ISO_ECLOSED);
    demand_the_programs();
}

static void add_from_elsewhere(void *loop)
{
    CHECK_RC(iso_loop_add_signal_handler(loop, SIGTERM, kit_nothing, NULL), ISO_ETHREAD);
    CHECK_RC(iso_loop_remove_signal_handler(loop, SIGTERM), ISO_ETHREAD);
}

KIT_TEST(another_thread_is_refused)
{
    iso_loop *loop = begin(k);

    if (loop == NULL) return;
    kit_thread(k, add_from_elsewhere, loop);
    kit_join_all(k);
    demand_no_trace(k, loop);
}

static void add_to_ones_own(void *loop)
{
    CHECK_EQ(iso_loop_run_once(loop, 0), 0); /* it is this thread's */
    CHECK_RC(iso_loop_add_signal_handler(loop, SIGTERM, kit_nothing, NULL), ISO_ETHREAD);
    CHECK_HAS(iso_error_detail(), "main thread");
}

KIT_TEST(a_loop_of_another_thread_than_the_main_one_refuses)
{
    iso_loop *loop = begin(k);

    if (loop == NULL) return;
    kit_thread(k, add_to_ones_own, loop);
    kit_join_all(k);
    demand_no_trace(k, loop);
}

static void run_and_remove(void *loop)
{
    CHECK_EQ(iso_loop_run_once(loop, ISO_S(20)), 1);
    CHECK_OK(iso_loop_remove_signal_handler(loop, SIGTERM));
}

KIT_TEST(a_loop_that_moved_to_another_thread_is_told_there)
{
    iso_loop *loop = begin(k);

    if (loop == NULL) return;
    CHECK_OK(iso_loop_add_signal_handler(loop, SIGTERM, kit_mark, "term "));
    send_self(SIGTERM);
    kit_thread(k, run_and_remove, loop);
    kit_join_all(k);
    CHECK_STR(kit_marks(k), "term ");
    demand_no_trace(k, loop);
}

KIT_TEST(limits_of_windows_come_before_everything_else)
{
    static const char *const profiles[] = { "windows-selector", "windows-proactor", "portable" };
    size_t at;

    for (at = 0; at < ISO__COUNT(profiles); at++) {
        iso_loop_options options = kit_options(k);
        iso_loop *loop;

        options.limits = profiles[at];
        if (iso_loop_new(&loop, &options) == ISO_ENOTSUP) continue; /* a proactor, under portable */
        kit_adopt_loop(k, loop);
        CHECK(!iso_loop_supports(loop, ISO_CAP_SIGNALS));
        CHECK_RC(iso_loop_add_signal_handler(loop, SIGTERM, kit_nothing, NULL), ISO_ENOTSUP);
        REQUIRE(iso_loop_last_limit(loop) != NULL);
        CHECK_STR(iso_loop_last_limit(loop)->id, "windows.signals");
        CHECK_RC(iso_loop_add_signal_handler(loop, -1, NULL, NULL), ISO_ENOTSUP);
        CHECK_RC(iso_loop_remove_signal_handler(loop, SIGTERM), ISO_ENOTSUP);
        CHECK_EQ(kit_statistics(loop).objects, 0);
    }
}

/* The mirror of the cases that this platform may skip. */
KIT_TEST(a_loop_has_signals_or_refuses_them_by_a_row)
{
    iso_loop *loop = kit_loop(k);
    int rc = iso_loop_add_signal_handler(loop, SIGTERM, kit_nothing, NULL);

    CHECK_RC(rc, iso_loop_supports(loop, ISO_CAP_SIGNALS) ? 0 : ISO_ENOTSUP);
    CHECK_EQ(iso_loop_limit_enforced(loop, "windows.signals"), rc != 0);
    CHECK_RC(iso_loop_remove_signal_handler(loop, SIGTERM), rc);
}

/* ---- want ---- */

KIT_TEST(every_allocation_that_fails_leaves_no_trace)
{
    iso_loop *loop = begin(k);
    uint64_t nth;
    int rc = ISO_ENOMEM;

    if (loop == NULL) return;
    /* what a loop keeps once it has registered something */
    CHECK_OK(iso_loop_add_signal_handler(loop, SIGTERM, kit_nothing, NULL));
    CHECK_OK(iso_loop_remove_signal_handler(loop, SIGTERM));
    for (nth = 1; rc == ISO_ENOMEM && nth < 100; nth++) {
        kit_memory before = kit_memory_now(k);

        kit_fail_allocation(k, nth, true);
        rc = iso_loop_add_signal_handler(loop, SIGTERM, kit_nothing, NULL);
        kit_fail_allocation(k, 0, false);
        if (rc == 0) break;
        CHECK_RC(rc, ISO_ENOMEM);
        CHECK_EQ(kit_memory_now(k).blocks, before.blocks);
        demand_no_trace(k, loop);
    }
    CHECK_GE(nth, 2); /* one at least failed */
    CHECK_OK(iso_loop_remove_signal_handler(loop, SIGTERM));
}

KIT_TEST(without_a_free_descriptor_it_is_refused)
{
    iso_loop *loop = begin(k);

    if (loop == NULL) return;
    kit_settle(k, loop);
    if (!kit_exhaust(k)) return;
    CHECK_RC(iso_loop_add_signal_handler(loop, SIGTERM, kit_nothing, NULL), ISO_EMFILE);
    kit_replenish(k);
    demand_no_trace(k, loop);
    CHECK_OK(iso_loop_add_signal_handler(loop, SIGTERM, kit_nothing, NULL));
    CHECK_OK(iso_loop_remove_signal_handler(loop, SIGTERM));
}

/* ---- handlers that come and go while signals come ---- */

typedef struct storm {
    iso__atomic_u32 is_over;
    iso__atomic_u32 sent;
} storm;

static void send_storm(void *arg)
{
    storm *self = arg;

    child_unblock_signals();
    while (iso__atomic_load_u32(&self->is_over) == 0) {
        (void)raise(SIGTERM); /* this thread's handler, beside the others' */
        (void)iso__atomic_add_u32(&self->sent, 1);
    }
}

KIT_TEST(handlers_come_and_go_while_signals_come)
{
    static storm self;
    iso_loop *one = begin(k);
    iso_loop *two;
    int told = 0;
    int at;

    if (one == NULL) return;
    two = kit_loop(k);
    (void)signal(SIGTERM, SIG_IGN);
    iso__atomic_store_u32(&self.is_over, 0);
    kit_thread(k, send_storm, &self);
    kit_thread(k, send_storm, &self);
    for (at = 0; at < 200; at++) {
        CHECK_OK(iso_loop_add_signal_handler(one, SIGTERM, kit_count, &told));
        CHECK_OK(iso_loop_add_signal_handler(two, SIGTERM, kit_count, &told));
        (void)kit_turn(k, at % 2 == 0 ? one : two);
        CHECK_OK(iso_loop_remove_signal_handler(one, SIGTERM));
        CHECK_OK(iso_loop_remove_signal_handler(two, SIGTERM));
    }
    CHECK_OK(iso_loop_add_signal_handler(one, SIGTERM, kit_count, &told));
    (void)kit_run_until(k, one, &told, told + 20);
    iso__atomic_store_u32(&self.is_over, 1);
    kit_join_all(k);
    CHECK_GE(iso__atomic_load_u32(&self.sent), 1);
    CHECK_OK(iso_loop_remove_signal_handler(one, SIGTERM));
    CHECK(signal(SIGTERM, note) == SIG_IGN);
}

static const kit_case cases[] = {
    KIT_CASE(a_signal_is_told_in_a_turn),
    KIT_CASE(a_signal_is_told_as_often_as_it_comes_in_another_turn),
    KIT_CASE(a_signal_that_comes_often_before_a_turn_is_told),
    KIT_CASE(each_signal_has_a_handler_of_its_own),
    KIT_CASE(a_signal_ends_the_wait_of_its_loop),
    KIT_CASE(what_a_signal_interrupts_goes_on),
    KIT_CASE(a_second_handler_replaces_the_first),
    KIT_CASE(a_second_handler_takes_the_place_of_the_programs),
    KIT_CASE(a_handler_that_was_removed_in_this_turn_is_not_called),
    KIT_CASE(all_handlers_may_be_removed_in_a_handler),
    KIT_CASE(a_signal_that_came_before_its_handler_was_removed_is_forgotten),
    KIT_CASE(a_signal_that_a_handler_sends_waits_for_the_next_turn),
    KIT_CASE(removing_the_handler_restores_what_there_was),
    KIT_CASE(removing_the_handler_restores_the_default),
    KIT_CASE(closing_the_loop_restores_what_there_was),
    KIT_CASE(a_handler_of_the_programs_own_in_between_stays),
    KIT_CASE(nothing_is_registered_but_while_there_is_a_handler),
    KIT_CASE(every_loop_with_a_handler_is_told),
    KIT_CASE(the_last_loop_restores_what_there_was),
    KIT_CASE(numbers_that_are_no_signals_are_refused),
    KIT_CASE(signals_that_cannot_be_caught_are_refused),
    KIT_CASE(work_in_a_thread_hears_of_its_own_faults_and_nothing_else),
    KIT_CASE(a_handler_without_a_callback_is_refused),
    KIT_CASE(removing_a_handler_that_is_not_there_is_told),
    KIT_CASE(a_closed_loop_refuses),
    KIT_CASE(another_thread_is_refused),
    KIT_CASE(a_loop_of_another_thread_than_the_main_one_refuses),
    KIT_CASE(a_loop_that_moved_to_another_thread_is_told_there),
    KIT_CASE(limits_of_windows_come_before_everything_else),
    KIT_CASE(a_loop_has_signals_or_refuses_them_by_a_row),
    KIT_CASE(every_allocation_that_fails_leaves_no_trace),
    KIT_CASE(without_a_free_descriptor_it_is_refused),
    KIT_CASE(handlers_come_and_go_while_signals_come),
};

KIT_MAIN(cases)
