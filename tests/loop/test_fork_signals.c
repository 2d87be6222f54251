/* SPDX-License-Identifier: MIT */
/* Signals of a child of fork, and the handlers of its parent's loop. For systems that fork; apart
 * from test_signals.c because ThreadSanitizer delivers no signal in a child of several threads. */
#include "kit.h"
#include "loop/child.h"
#include "sys/child.h"

#include <signal.h>

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

/* A loop with a handler for SIGTERM, beside one of the program's. */
static iso_loop *begin(kit *k, const char *mark)
{
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SIGNALS)) return NULL;
    (void)signal(SIGTERM, note);
    loop = kit_loop(k);
    CHECK_OK(iso_loop_add_signal_handler(loop, SIGTERM, kit_mark, (void *)(uintptr_t)mark));
    return loop;
}

static void end(iso_loop *loop)
{
    CHECK_OK(iso_loop_remove_signal_handler(loop, SIGTERM));
    demand_the_programs();
}

static void demand_the_programs_in_child(kit *k, void *loop)
{
    (void)k;
    demand_the_programs();
    CHECK_RC(iso_loop_add_signal_handler(loop, SIGTERM, kit_nothing, NULL), ISO_EFORKED);
    CHECK_RC(iso_loop_remove_signal_handler(loop, SIGTERM), ISO_EFORKED);
    iso_loop_release(loop);
    demand_the_programs();
}

KIT_TEST(a_signal_of_a_child_is_not_told_to_its_parent)
{
    iso_loop *loop = begin(k, "term ");

    if (loop == NULL) return;
    child_run(k, demand_the_programs_in_child, loop);
    CHECK_EQ(kit_turn(k, loop), 0);
    CHECK_EQ(raise(SIGTERM), 0); /* and the parent's come as before */
    kit_settle(k, loop);
    CHECK_STR(kit_marks(k), "term ");
    end(loop);
}

KIT_TEST(a_child_is_ended_by_a_signal_that_its_parent_handles)
{
    iso_loop *loop;
    int returncode = 0;
    child one;

    if (!kit_needs(k, ISO_CAP_SIGNALS)) return;
    (void)signal(SIGTERM, SIG_DFL);
    loop = kit_loop(k);
    CHECK_OK(iso_loop_add_signal_handler(loop, SIGTERM, kit_mark, "term "));
    child_start(k, &one, 7);
    child_kill(&one, SIGTERM);
    child_await_ended(&one);
    CHECK_OK(iso__sys_child_reap(ISO_FD_NONE, one.pid, &returncode));
    CHECK_EQ(returncode, -SIGTERM);
    CHECK_EQ(kit_turn(k, loop), 0);
    CHECK_OK(iso_loop_remove_signal_handler(loop, SIGTERM));
    CHECK(signal(SIGTERM, note) == SIG_DFL);
}

static void use_ones_own(kit *k, void *unused)
{
    iso_loop *loop = kit_loop(k);

    (void)unused;
    CHECK_OK(iso_loop_add_signal_handler(loop, SIGTERM, kit_mark, "child "));
    CHECK_EQ(raise(SIGTERM), 0);
    kit_settle(k, loop);
    CHECK_STR(kit_marks(k), "child ");
    CHECK_OK(iso_loop_close(loop));
    demand_the_programs();
}

KIT_TEST(a_child_has_handlers_of_its_own)
{
    iso_loop *loop = begin(k, "parent ");

    if (loop == NULL) return;
    child_run(k, use_ones_own, NULL);
    CHECK_EQ(kit_turn(k, loop), 0);
    end(loop);
}

static void fork_again(kit *k, void *parents)
{
    use_ones_own(k, NULL);
    kit_clear_marks(k);
    child_run(k, use_ones_own, NULL);
    demand_the_programs_in_child(k, parents);
}

KIT_TEST(a_grandchild_has_handlers_of_its_own)
{
    iso_loop *loop = begin(k, "parent ");

    if (loop == NULL) return;
    child_run(k, fork_again, loop);
    CHECK_EQ(kit_turn(k, loop), 0);
    end(loop);
}

enum { STORM_THREADS = 3, STORM_CHILDREN = 60, STORM_LOOPS = 12 };

typedef struct storm {
    iso__atomic_u32 is_over;
} storm;

static void send_storm(void *arg)
{
    storm *self = arg;

    child_unblock_signals();
    while (iso__atomic_load_u32(&self->is_over) == 0) (void)raise(SIGTERM);
}

/* The child has no thread that could be in the handler, but was made in the middle of one: the more
 * loops there are to tell, the likelier. */
KIT_TEST(a_child_that_was_forked_while_signals_came_has_handlers_of_its_own)
{
    static storm self;
    iso_loop *loops[STORM_LOOPS];
    int at;

    loops[0] = begin(k, "");
    if (loops[0] == NULL) return;
    for (at = 1; at < STORM_LOOPS; at++) {
        loops[at] = kit_loop(k);
        CHECK_OK(iso_loop_add_signal_handler(loops[at], SIGTERM, kit_mark, ""));
    }
    iso__atomic_store_u32(&self.is_over, 0);
    for (at = 0; at < STORM_THREADS; at++) kit_thread(k, send_storm, &self);
    for (at = 0; at < STORM_CHILDREN && !kit_has_failed(k); at++) {
        kit_settle(k, loops[at % STORM_LOOPS]);
        child_run(k, use_ones_own, NULL);
    }
    iso__atomic_store_u32(&self.is_over, 1);
    kit_join_all(k);
    for (at = 0; at < STORM_LOOPS; at++)
        CHECK_OK(iso_loop_remove_signal_handler(loops[at], SIGTERM));
    demand_the_programs();
}

static const kit_case cases[] = {
    KIT_CASE(a_signal_of_a_child_is_not_told_to_its_parent),
    KIT_CASE(a_child_is_ended_by_a_signal_that_its_parent_handles),
    KIT_CASE(a_child_has_handlers_of_its_own),
    KIT_CASE(a_grandchild_has_handlers_of_its_own),
    KIT_CASE(a_child_that_was_forked_while_signals_came_has_handlers_of_its_own),
};

KIT_MAIN(cases)
