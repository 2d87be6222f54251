/* SPDX-License-Identifier: MIT */
/* Child watchers: the built-in ones, by each of which the same cases run, and watchers of one's
 * own. */
#include "kit.h"
#include "loop/child.h"
#include "loop/thread_state.h"

enum { CHILDREN = 20, SIGNAL_KILL = 9 };

/* As in a process that has set no loop yet. */
static void forget(void)
{
    iso__thread_state *state;

    CHECK_OK(iso_set_event_loop(NULL));
    REQUIRE_OK(iso__thread_state_get(&state));
    state->was_set = false;
}

/* The one that this system has if none is set. */
static const iso_child_watcher *best(void)
{
    const iso_child_watcher *pidfd = iso_pidfd_child_watcher();
    const iso_child_watcher *kqueue = iso_kqueue_child_watcher();

    if (pidfd->is_active(pidfd)) return pidfd;
    return kqueue->is_active(kqueue) ? kqueue : iso_threaded_child_watcher();
}

/* What the cases are run with; NULL: the best. */
static const iso_child_watcher *tested;

/* A loop that is the current one, until `end`. NULL: this platform has no child watchers. */
static iso_loop *begin(kit *k)
{
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_CHILD_WATCHER)) return NULL;
    loop = kit_loop(k);
    CHECK_OK(iso_set_event_loop(loop));
    CHECK_OK(iso_set_child_watcher(tested));
    return loop;
}

static void end(void)
{
    CHECK_OK(iso_set_child_watcher(NULL));
    forget();
}

/* A case by each watcher. What this system does not have, it refuses; see below. */
static void run_with(kit *k, const iso_child_watcher *watcher, void (*body)(kit *k))
{
    tested = watcher;
    body(k);
    tested = NULL;
}

#define EACH(body)                                                                                 \
    static void body##_by_the_best(kit *k)                                                         \
    {                                                                                              \
        run_with(k, NULL, body);                                                                   \
    }                                                                                              \
    static void body##_by_a_thread(kit *k)                                                         \
    {                                                                                              \
        run_with(k, iso_threaded_child_watcher(), body);                                           \
    }                                                                                              \
    static void body##_by_sigchld(kit *k)                                                          \
    {                                                                                              \
        run_with(k, iso_sigchld_child_watcher(), body);                                            \
    }
/* clang-format off */
#define EACH_CASE(body)                                                                            \
    KIT_CASE(body##_by_the_best), KIT_CASE(body##_by_a_thread), KIT_CASE(body##_by_sigchld)
/* clang-format on */

/* What a callback was told. */
typedef struct told {
    int64_t pid;
    int returncode;
    int count;
} told;

static void tell(int64_t pid, int returncode, void *arg)
{
    told *self = arg;

    self->pid = pid;
    self->returncode = returncode;
    self->count++;
}

static int add(int64_t pid, iso_child_callback callback, void *arg)
{
    const iso_child_watcher *watcher = NULL;
    int rc = iso_get_child_watcher(&watcher);

    return rc != 0 ? rc : watcher->add_child_handler(watcher, pid, callback, arg);
}

static int drop(int64_t pid)
{
    const iso_child_watcher *watcher = NULL;
    int rc = iso_get_child_watcher(&watcher);

    return rc != 0 ? rc : watcher->remove_child_handler(watcher, pid);
}

/* ---- which one ---- */

static void demand_lack(const iso_child_watcher *watcher)
{
    told self = { 0, 0, 0 };

    CHECK(!watcher->is_active(watcher));
    CHECK_RC(iso_set_child_watcher(watcher), ISO_ENOTSUP);
    CHECK_HAS(iso_error_detail(), watcher->name);
    CHECK_RC(watcher->add_child_handler(watcher, 1, tell, &self), ISO_ENOTSUP);
}

/* Answers how many of the two are there. */
static int demand_or_lack(const iso_child_watcher *watcher)
{
    const iso_child_watcher *best = NULL;

    CHECK_OK(iso_get_child_watcher(&best));
    if (best != watcher) {
        demand_lack(watcher);
        return 0;
    }
    CHECK(watcher->is_active(watcher));
    CHECK_OK(iso_set_child_watcher(watcher));
    CHECK_OK(iso_set_child_watcher(NULL));
    return 1;
}

KIT_TEST(the_best_watcher_is_there_unless_another_is_set)
{
    const iso_child_watcher *watcher = NULL;

    if (begin(k) == NULL) return;
    CHECK_OK(iso_get_child_watcher(&watcher));
    CHECK(watcher->is_active(watcher));
    CHECK_RC(iso_get_child_watcher(NULL), ISO_EINVAL);
    if (demand_or_lack(iso_pidfd_child_watcher()) + demand_or_lack(iso_kqueue_child_watcher()) == 0)
        CHECK_PTR(watcher, iso_threaded_child_watcher());
    end();
}

KIT_TEST(each_watcher_has_its_name)
{
    CHECK_STR(iso_pidfd_child_watcher()->name, "pidfd");
    CHECK_STR(iso_kqueue_child_watcher()->name, "kqueue");
    CHECK_STR(iso_threaded_child_watcher()->name, "threaded");
    CHECK_STR(iso_sigchld_child_watcher()->name, "sigchld");
}

KIT_TEST(every_posix_system_has_threads_and_signals)
{
    const iso_child_watcher *got = NULL;

    if (begin(k) == NULL) return;
    CHECK_OK(iso_set_child_watcher(iso_threaded_child_watcher()));
    CHECK_OK(iso_get_child_watcher(&got));
    CHECK_PTR(got, iso_threaded_child_watcher());
    CHECK(got->is_active(got));
    CHECK_OK(iso_set_child_watcher(iso_sigchld_child_watcher()));
    CHECK_OK(iso_get_child_watcher(&got));
    CHECK_PTR(got, iso_sigchld_child_watcher());
    CHECK(got->is_active(got));
    end();
}

/* ---- the built-in watchers ---- */

KIT_TEST(the_code_of_a_child_is_told_in_a_turn)
{
    iso_loop *loop = begin(k);
    told self = { 0, 0, 0 };
    child one;

    if (loop == NULL) return;
    child_start(k, &one, 7);
    CHECK_OK(add(one.pid, tell, &self));
    CHECK_EQ(kit_turn(k, loop), 0);
    CHECK_EQ(self.count, 0);
    child_release(k, &one);
    (void)kit_run_until(k, loop, &self.count, 1);
    CHECK_EQ(self.pid, one.pid);
    CHECK_EQ(self.returncode, 7);
    kit_settle(k, loop);
    CHECK_EQ(self.count, 1);
    CHECK(!child_reap(&one)); /* it was */
    end();
}
EACH(the_code_of_a_child_is_told_in_a_turn)

KIT_TEST(a_child_that_ended_before_is_told_too)
{
    iso_loop *loop = begin(k);
    told self = { 0, 0, 0 };
    child one;

    if (loop == NULL) return;
    child_start(k, &one, 0);
    child_release(k, &one);
    CHECK_OK(add(one.pid, tell, &self));
    (void)kit_run_until(k, loop, &self.count, 1);
    CHECK_EQ(self.returncode, 0);
    end();
}
EACH(a_child_that_ended_before_is_told_too)

KIT_TEST(a_signal_that_ended_a_child_is_told_below_zero)
{
    iso_loop *loop = begin(k);
    told self = { 0, 0, 0 };
    child one;

    if (loop == NULL) return;
    child_start(k, &one, 7);
    CHECK_OK(add(one.pid, tell, &self));
    child_kill(&one, SIGNAL_KILL);
    (void)kit_run_until(k, loop, &self.count, 1);
    CHECK_EQ(self.returncode, -SIGNAL_KILL);
    end();
}
EACH(a_signal_that_ended_a_child_is_told_below_zero)

KIT_TEST(many_children_are_each_told_once)
{
    iso_loop *loop = begin(k);
    told tolds[CHILDREN] = { { 0, 0, 0 } };
    child children[CHILDREN];
    int at;

    if (loop == NULL) return;
    for (at = 0; at < CHILDREN; at++) {
        child_start(k, &children[at], at);
        CHECK_OK(add(children[at].pid, tell, &tolds[at]));
    }
    /* A child that is forked later holds the pipes of those before: the last goes first. */
    for (at = CHILDREN - 1; at >= 0; at--) child_release(k, &children[at]);
    for (at = 0; at < CHILDREN; at++) (void)kit_run_until(k, loop, &tolds[at].count, 1);
    kit_settle(k, loop);
    for (at = 0; at < CHILDREN; at++) {
        CHECK_EQ(tolds[at].count, 1);
        CHECK_EQ(tolds[at].pid, children[at].pid);
        CHECK_EQ(tolds[at].returncode, at);
    }
    end();
}
EACH(many_children_are_each_told_once)

KIT_TEST(a_child_that_somebody_else_reaped_is_told_as_255)
{
    iso_loop *loop = begin(k);
    told self = { 0, 0, 0 };
    child one;

    if (loop == NULL) return;
    child_start(k, &one, 7);
    child_release(k, &one);
    CHECK(child_reap(&one));
    CHECK_OK(add(one.pid, tell, &self));
    (void)kit_run_until(k, loop, &self.count, 1);
    CHECK_EQ(self.returncode, 255);
    CHECK(kit_logged(k, "reaped elsewhere"));
    end();
}
EACH(a_child_that_somebody_else_reaped_is_told_as_255)

KIT_TEST(what_is_no_child_is_told_as_255)
{
    iso_loop *loop = begin(k);
    told self = { 0, 0, 0 };

    if (loop == NULL) return;
    CHECK_OK(add(child_own_number(), tell, &self));
    (void)kit_run_until(k, loop, &self.count, 1);
    CHECK_EQ(self.returncode, 255);
    CHECK(kit_logged(k, "is unknown"));
    end();
}
EACH(what_is_no_child_is_told_as_255)

KIT_TEST(a_second_handler_for_a_child_replaces_the_first)
{
    iso_loop *loop = begin(k);
    told first = { 0, 0, 0 };
    told second = { 0, 0, 0 };
    uint32_t objects;
    child one;

    if (loop == NULL) return;
    child_start(k, &one, 7);
    CHECK_OK(add(one.pid, tell, &first));
    objects = kit_statistics(loop).objects;
    CHECK_OK(add(one.pid, tell, &second));
    CHECK_EQ(kit_statistics(loop).objects, objects);
    child_release(k, &one);
    (void)kit_run_until(k, loop, &second.count, 1);
    CHECK_EQ(second.returncode, 7);
    CHECK_EQ(first.count, 0);
    end();
}
EACH(a_second_handler_for_a_child_replaces_the_first)

KIT_TEST(a_handler_that_was_removed_is_not_called_and_the_child_is_reaped)
{
    iso_loop *loop = begin(k);
    told self = { 0, 0, 0 };
    child one;

    if (loop == NULL) return;
    child_start(k, &one, 7);
    CHECK_RC(drop(one.pid), ISO_ENOENT);
    CHECK_OK(add(one.pid, tell, &self));
    CHECK_OK(drop(one.pid));
    CHECK_RC(drop(one.pid), ISO_ENOENT);
    child_release(k, &one);
    while (kit_statistics(loop).objects != 0 && !kit_has_failed(k))
        CHECK_GE(iso_loop_run_once(loop, ISO_S(20)), 0);
    CHECK_EQ(self.count, 0);
    CHECK(!child_reap(&one)); /* it was */
    end();
}
EACH(a_handler_that_was_removed_is_not_called_and_the_child_is_reaped)

KIT_TEST(a_handler_that_was_removed_can_be_added_again)
{
    iso_loop *loop = begin(k);
    told self = { 0, 0, 0 };
    child one;

    if (loop == NULL) return;
    child_start(k, &one, 7);
    CHECK_OK(add(one.pid, tell, &self));
    CHECK_OK(drop(one.pid));
    CHECK_OK(add(one.pid, tell, &self));
    child_release(k, &one);
    (void)kit_run_until(k, loop, &self.count, 1);
    CHECK_EQ(self.returncode, 7);
    end();
}
EACH(a_handler_that_was_removed_can_be_added_again)

KIT_TEST(a_loop_that_closes_tells_no_more_and_the_child_is_reaped)
{
    iso_loop *loop = begin(k);
    told self = { 0, 0, 0 };
    child one;

    if (loop == NULL) return;
    child_start(k, &one, 7);
    CHECK_OK(add(one.pid, tell, &self));
    end();
    CHECK_OK(iso_loop_close(loop));
    kit_release_loop(k, loop);
    child_release(k, &one);
    child_await_reaped(&one);
    CHECK_EQ(self.count, 0);
}
EACH(a_loop_that_closes_tells_no_more_and_the_child_is_reaped)

KIT_TEST(a_loop_that_closes_does_not_tell_what_came_already)
{
    iso_loop *loop = begin(k);
    told self = { 0, 0, 0 };
    child one;

    if (loop == NULL) return;
    child_start(k, &one, 7);
    CHECK_OK(add(one.pid, tell, &self));
    child_release(k, &one);
    child_await_ended(&one);
    end();
    CHECK_OK(iso_loop_close(loop));
    kit_release_loop(k, loop);
    child_await_reaped(&one);
    CHECK_EQ(self.count, 0);
}
EACH(a_loop_that_closes_does_not_tell_what_came_already)

/* Whether the thread or the loop comes first is left to chance. */
KIT_TEST(children_end_while_their_loop_closes)
{
    told self = { 0, 0, 0 };
    int at;

    if (!kit_needs(k, ISO_CAP_CHILD_WATCHER)) return;
    for (at = 0; at < CHILDREN; at++) {
        iso_loop *loop = begin(k);
        child one;

        child_start(k, &one, 7);
        CHECK_OK(add(one.pid, tell, &self));
        end();
        child_kill(&one, SIGNAL_KILL);
        CHECK_OK(iso_loop_close(loop));
        kit_release_loop(k, loop);
        child_await_reaped(&one);
    }
    CHECK_EQ(self.count, 0);
}
EACH(children_end_while_their_loop_closes)

typedef struct elsewhere {
    iso_loop *loop;
    child child;
    told told;
} elsewhere;

static void watch_there(void *arg)
{
    elsewhere *self = arg;

    CHECK_EQ(iso_loop_run_once(self->loop, 0), 0); /* it is this thread's */
    CHECK_OK(iso_set_event_loop(self->loop));
    CHECK_OK(add(self->child.pid, tell, &self->told));
    while (self->told.count == 0) CHECK_GE(iso_loop_run_once(self->loop, ISO_FOREVER), 0);
    CHECK_OK(iso_set_event_loop(NULL));
}

KIT_TEST(a_child_is_told_to_the_loop_that_was_current)
{
    iso_loop *loop = begin(k);
    elsewhere self = { 0 };

    if (loop == NULL) return;
    self.loop = kit_loop(k);
    child_start(k, &self.child, 7);
    child_release(k, &self.child);
    kit_thread(k, watch_there, &self);
    kit_join_all(k);
    CHECK_EQ(self.told.returncode, 7);
    CHECK_EQ(kit_turn(k, loop), 0);
    end();
}
EACH(a_child_is_told_to_the_loop_that_was_current)

static void watch_without_a_loop(void *unused)
{
    told self = { 0, 0, 0 };

    (void)unused;
    CHECK_RC(add(1, tell, &self), ISO_ENOLOOP);
    CHECK_RC(drop(1), ISO_ENOLOOP);
}

static void watch_with_anothers(void *loop)
{
    told self = { 0, 0, 0 };

    CHECK_OK(iso_set_event_loop(loop));
    CHECK_RC(add(1, tell, &self), ISO_ETHREAD);
    CHECK_RC(drop(1), ISO_ETHREAD);
    CHECK_OK(iso_set_event_loop(NULL));
}

KIT_TEST(a_thread_needs_a_loop_of_its_own)
{
    iso_loop *loop = begin(k);

    if (loop == NULL) return;
    kit_thread(k, watch_without_a_loop, NULL);
    kit_thread(k, watch_with_anothers, loop);
    kit_join_all(k);
    end();
}
EACH(a_thread_needs_a_loop_of_its_own)

KIT_TEST(numbers_that_are_not_of_one_process_are_refused)
{
    iso_loop *loop = begin(k);
    told self = { 0, 0, 0 };

    if (loop == NULL) return;
    CHECK_RC(add(0, tell, &self), ISO_EINVAL); /* to waitpid: the whole group */
    CHECK_RC(add(-1, tell, &self), ISO_EINVAL);
    CHECK_RC(add(INT64_C(1) << 40, tell, &self), ISO_EINVAL);
    CHECK_RC(add(1, NULL, NULL), ISO_EINVAL);
    CHECK_RC(drop(-1), ISO_ENOENT);
    CHECK_EQ(kit_statistics(loop).objects, 0);
    end();
}
EACH(numbers_that_are_not_of_one_process_are_refused)

KIT_TEST(a_closed_loop_watches_no_child)
{
    iso_loop *loop = begin(k);
    told self = { 0, 0, 0 };

    if (loop == NULL) return;
    CHECK_OK(iso_loop_close(loop));
    CHECK_RC(add(1, tell, &self), ISO_ECLOSED);
    CHECK_RC(drop(1), ISO_ECLOSED);
    end();
}
EACH(a_closed_loop_watches_no_child)

static void watch_in_child(kit *k, void *unused)
{
    told self = { 0, 0, 0 };

    (void)k;
    (void)unused;
    CHECK_RC(add(1, tell, &self), ISO_EFORKED);
    CHECK_RC(drop(1), ISO_EFORKED);
}

KIT_TEST(the_loop_of_a_parent_watches_no_grandchild)
{
    if (begin(k) == NULL) return;
    child_run(k, watch_in_child, NULL);
    end();
}
EACH(the_loop_of_a_parent_watches_no_grandchild)

/* Answers whether it was added all the same. */
static bool add_in_want(kit *k, iso_loop *loop, const child *one, told *self, uint64_t nth)
{
    kit_memory before = kit_memory_now(k);
    int rc;

    kit_fail_allocation(k, nth, false);
    rc = add(one->pid, tell, self);
    kit_fail_allocation(k, 0, false);
    if (rc == 0) return true;
    CHECK_RC(rc, ISO_ENOMEM);
    CHECK_EQ(kit_memory_now(k).blocks, before.blocks);
    CHECK_EQ(kit_statistics(loop).objects, 0);
    return false;
}

KIT_TEST(every_allocation_that_fails_leaves_no_trace)
{
    iso_loop *loop = begin(k);
    told self = { 0, 0, 0 };
    uint64_t nth = 1;
    iso_fd pair[2];
    child one;

    if (loop == NULL) return;
    kit_pair(k, pair); /* what a loop keeps once it has registered something */
    CHECK_OK(iso_loop_add_reader(loop, pair[0], kit_nothing, NULL));
    CHECK_OK(iso_loop_remove_reader(loop, pair[0]));
    child_start(k, &one, 7);
    CHECK(!add_in_want(k, loop, &one, &self, nth));
    while (nth < 20 && !add_in_want(k, loop, &one, &self, ++nth)) {}
    CHECK_LE(nth, 19);
    kit_fail_allocation(k, 1, true); /* nothing more is needed to tell it */
    child_release(k, &one);
    while (self.count == 0 && !kit_has_failed(k)) CHECK_GE(iso_loop_run_once(loop, ISO_S(20)), 0);
    kit_fail_allocation(k, 0, false);
    CHECK_EQ(self.returncode, 7);
    end();
}
EACH(every_allocation_that_fails_leaves_no_trace)

KIT_TEST(a_child_that_is_reaped_elsewhere_while_it_is_watched_is_told_as_255)
{
    iso_loop *loop = begin(k);
    told self = { 0, 0, 0 };
    child one;

    if (loop == NULL) return;
    child_start(k, &one, 7);
    CHECK_OK(add(one.pid, tell, &self));
    child_release(k, &one);
    CHECK(child_reap(&one));
    (void)kit_run_until(k, loop, &self.count, 1);
    CHECK_EQ(self.returncode, 255);
    CHECK(kit_logged(k, "reaped elsewhere"));
    end();
}
EACH(a_child_that_is_reaped_elsewhere_while_it_is_watched_is_told_as_255)

/* It has ended, and is not there to be reaped yet. */
KIT_TEST(a_child_that_a_debugger_has_is_told_when_that_lets_go)
{
    enum { TURNS = 10 };
    iso_loop *loop = begin(k);
    told self = { 0, 0, 0 };
    child_debugger debugger;
    int turns;
    child one;

    if (loop == NULL) return;
    child_start(k, &one, 7);
    child_debug(k, &debugger, &one);
    CHECK_OK(add(one.pid, tell, &self));
    child_release(k, &one);
    child_debug_await_ended(&debugger);
    for (turns = 0; debugger.has_it && turns < TURNS; turns++)
        CHECK_GE(iso_loop_run_once(loop, 0), 0);
    CHECK(!debugger.has_it || self.count == 0);
    child_debug_end(k, &debugger);
    (void)kit_run_until(k, loop, &self.count, 1);
    CHECK_EQ(self.returncode, 7);
    end();
}
EACH(a_child_that_a_debugger_has_is_told_when_that_lets_go)

/* Its number is the same child's: what is added last counts, once. */
KIT_TEST(a_handler_may_be_added_again_for_a_child_that_has_ended)
{
    iso_loop *loop = begin(k);
    told first = { 0, 0, 0 };
    told second = { 0, 0, 0 };
    child one;

    if (loop == NULL) return;
    child_start(k, &one, 7);
    CHECK_OK(add(one.pid, tell, &first));
    child_release(k, &one);
    child_await_ended(&one);
    CHECK_OK(add(one.pid, tell, &second));
    (void)kit_run_until(k, loop, &second.count, 1);
    CHECK_EQ(second.returncode, 7);
    CHECK_EQ(first.count, 0);
    end();
}
EACH(a_handler_may_be_added_again_for_a_child_that_has_ended)

typedef struct again {
    kit *k;
    child next;
    told told;
    int count;
} again;

static void watch_next(int64_t pid, int returncode, void *arg)
{
    again *self = arg;

    (void)pid;
    CHECK_EQ(returncode, 7);
    self->count++;
    CHECK_OK(add(self->next.pid, tell, &self->told));
    child_release(self->k, &self->next);
}

KIT_TEST(a_callback_may_add_a_handler)
{
    iso_loop *loop = begin(k);
    again self = { 0 };
    child one;

    if (loop == NULL) return;
    self.k = k;
    child_start(k, &self.next, 8);
    child_start(k, &one, 7);
    CHECK_OK(add(one.pid, watch_next, &self));
    child_release(k, &one);
    (void)kit_run_until(k, loop, &self.told.count, 1);
    CHECK_EQ(self.count, 1);
    CHECK_EQ(self.told.returncode, 8);
    end();
}
EACH(a_callback_may_add_a_handler)

static void close_loop_in_turn(int64_t pid, int returncode, void *arg)
{
    (void)pid;
    (void)returncode;
    CHECK_RC(iso_loop_close(arg), ISO_ERUNNING);
}

KIT_TEST(a_loop_that_runs_cannot_be_closed_by_a_callback)
{
    iso_loop *loop = begin(k);
    told self = { 0, 0, 0 };
    child one;
    child two;

    if (loop == NULL) return;
    child_start(k, &one, 0);
    child_start(k, &two, 0);
    CHECK_OK(add(one.pid, close_loop_in_turn, loop));
    CHECK_OK(add(two.pid, tell, &self));
    child_release(k, &two); /* which holds the pipe of the first */
    child_release(k, &one);
    while (kit_statistics(loop).objects != 0 && !kit_has_failed(k))
        CHECK_GE(iso_loop_run_once(loop, ISO_S(20)), 0);
    CHECK_EQ(self.count, 1);
    end();
}
EACH(a_loop_that_runs_cannot_be_closed_by_a_callback)

/* ---- where one way is barred ---- */

/* A child that is known by a descriptor can do without. */
KIT_TEST(without_descriptors_a_child_has_a_thread)
{
    iso_loop *loop = begin(k);
    told self = { 0, 0, 0 };
    child one;

    if (loop == NULL) return;
    child_start(k, &one, 7);
    if (!kit_exhaust(k)) return;
    CHECK_OK(add(one.pid, tell, &self));
    CHECK_EQ(kit_statistics(loop).objects, 1);
    kit_replenish(k);
    child_release(k, &one);
    (void)kit_run_until(k, loop, &self.count, 1);
    CHECK_EQ(self.returncode, 7);
    end();
}

KIT_TEST(without_descriptors_sigchld_is_refused)
{
    const iso_child_watcher *watcher = iso_sigchld_child_watcher();
    iso_loop *loop = begin(k);
    told self = { 0, 0, 0 };
    child one;

    if (loop == NULL) return;
    child_start(k, &one, 7);
    if (!kit_exhaust(k)) return;
    CHECK_RC(watcher->add_child_handler(watcher, one.pid, tell, &self), ISO_EMFILE);
    kit_replenish(k);
    CHECK_EQ(kit_statistics(loop).objects, 0);
    child_release(k, &one);
    CHECK(child_reap(&one));
    end();
}

/* select takes no descriptor from 1024 on. */
KIT_TEST(a_descriptor_that_the_selector_refuses_is_nobodys_concern)
{
    enum { BEYOND = 1030 };
    iso_fd ends[2];
    iso_loop *loop;
    told self = { 0, 0, 0 };
    iso_fd last = 0;
    child one;

    if (!kit_needs(k, ISO_CAP_CHILD_WATCHER) || !kit_allow_descriptors(k, BEYOND + 100)) return;
    loop = begin(k);
    child_start(k, &one, 7);
    kit_pipe(k, ends);
    while (last < BEYOND) last = kit_duplicate_above(k, ends[0], 3);
    CHECK_OK(add(one.pid, tell, &self));
    CHECK_PTR(iso_loop_last_limit(loop), NULL);
    child_release(k, &one);
    (void)kit_run_until(k, loop, &self.count, 1);
    CHECK_EQ(self.returncode, 7);
    end();
}

/* ---- a handler of the program's ---- */

KIT_TEST(sigchld_does_not_disturb_a_signal_handler)
{
    iso_loop *loop = begin(k);
    told self = { 0, 0, 0 };
    int signals = 0;
    child one;

    if (loop == NULL) return;
    CHECK_OK(iso_loop_add_signal_handler(loop, child_signal_number, kit_count, &signals));
    CHECK_OK(iso_set_child_watcher(iso_sigchld_child_watcher()));
    child_start(k, &one, 7);
    CHECK_OK(add(one.pid, tell, &self));
    child_release(k, &one);
    (void)kit_run_until(k, loop, &self.count, 1);
    (void)kit_run_until(k, loop, &signals, 1);
    CHECK_EQ(self.returncode, 7);
    CHECK_EQ(kit_statistics(loop).objects, 1);
    CHECK_OK(iso_loop_remove_signal_handler(loop, child_signal_number));
    end();
}

/* ---- watchers of one's own ---- */

static int note_add(const iso_child_watcher *self, int64_t pid, iso_child_callback callback,
                    void *arg)
{
    kit_add_mark(self->context, "add ");
    callback(pid, 42, arg);
    return 0;
}

static int note_remove(const iso_child_watcher *self, int64_t pid)
{
    (void)pid;
    kit_add_mark(self->context, "remove ");
    return ISO_ENOENT;
}

static int note_attach(const iso_child_watcher *self, iso_loop *loop)
{
    kit_add_mark(self->context, loop != NULL ? "attach " : "detach ");
    return 0;
}

static void note_close(const iso_child_watcher *self)
{
    kit_add_mark(self->context, "close ");
}

static bool is_never_active(const iso_child_watcher *self)
{
    (void)self;
    return false;
}

static iso_child_watcher noting(kit *k)
{
    iso_child_watcher watcher = { .name = "noting",
                                  .add_child_handler = note_add,
                                  .remove_child_handler = note_remove,
                                  .attach_loop = note_attach,
                                  .close = note_close,
                                  .is_active = is_never_active,
                                  .context = k };

    return watcher;
}

KIT_TEST(a_watcher_of_ones_own_is_asked)
{
    iso_child_watcher watcher = noting(k);
    const iso_child_watcher *got = NULL;
    told self = { 0, 0, 0 };

    if (begin(k) == NULL) return;
    CHECK_OK(iso_set_child_watcher(&watcher));
    CHECK_OK(iso_get_child_watcher(&got));
    CHECK_PTR(got, &watcher);
    CHECK_OK(add(5, tell, &self));
    CHECK_EQ(self.pid, 5);
    CHECK_EQ(self.returncode, 42);
    CHECK_RC(drop(5), ISO_ENOENT);
    CHECK_STR(kit_marks(k), "add remove ");
    end();
}

KIT_TEST(a_watcher_is_closed_when_another_is_set)
{
    iso_child_watcher one = noting(k);
    iso_child_watcher two = noting(k);
    const iso_child_watcher *got = NULL;

    if (begin(k) == NULL) return;
    CHECK_OK(iso_set_child_watcher(&one));
    CHECK_OK(iso_set_child_watcher(&one));
    CHECK_STR(kit_marks(k), "");
    CHECK_OK(iso_set_child_watcher(&two));
    CHECK_STR(kit_marks(k), "close ");
    CHECK_OK(iso_set_child_watcher(NULL));
    CHECK_STR(kit_marks(k), "close close ");
    CHECK_OK(iso_get_child_watcher(&got));
    CHECK_PTR(got, best());
    CHECK_OK(iso_set_child_watcher(iso_threaded_child_watcher()));
    end();
}

static void set_in_thread(void *loop)
{
    CHECK_OK(iso_set_event_loop(loop));
    CHECK_OK(iso_set_event_loop(NULL));
}

KIT_TEST(the_current_loop_of_the_main_thread_is_attached)
{
    iso_child_watcher watcher = noting(k);
    iso_loop *loop = begin(k);

    if (loop == NULL) return;
    CHECK_OK(iso_set_child_watcher(&watcher));
    CHECK_STR(kit_marks(k), "");
    CHECK_OK(iso_set_event_loop(loop));
    CHECK_STR(kit_marks(k), "attach ");
    CHECK_OK(iso_set_event_loop(NULL));
    CHECK_STR(kit_marks(k), "attach detach ");
    kit_thread(k, set_in_thread, loop);
    kit_join_all(k);
    CHECK_STR(kit_marks(k), "attach detach ");
    end();
}

static int refuse_attach(const iso_child_watcher *self, iso_loop *loop)
{
    (void)self;
    return loop != NULL ? ISO_EBUSY : 0;
}

KIT_TEST(the_error_of_attach_is_that_of_set_event_loop)
{
    iso_child_watcher watcher = noting(k);
    iso_loop *loop = begin(k);

    if (loop == NULL) return;
    watcher.attach_loop = refuse_attach;
    CHECK_OK(iso_set_child_watcher(&watcher));
    CHECK_RC(iso_set_event_loop(loop), ISO_EBUSY);
    end();
}

static void demand_refused(const iso_child_watcher *watcher)
{
    const iso_child_watcher *got = NULL;

    CHECK_RC(iso_set_child_watcher(watcher), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "no empty slot");
    CHECK_OK(iso_get_child_watcher(&got));
    CHECK_PTR(got, best());
}

KIT_TEST(a_watcher_with_an_empty_slot_is_refused)
{
    iso_child_watcher tries[6];
    size_t at;

    if (begin(k) == NULL) return;
    for (at = 0; at < ISO__COUNT(tries); at++) tries[at] = noting(k);
    tries[0].name = NULL;
    tries[1].add_child_handler = NULL;
    tries[2].remove_child_handler = NULL;
    tries[3].attach_loop = NULL;
    tries[4].close = NULL;
    tries[5].is_active = NULL;
    for (at = 0; at < ISO__COUNT(tries); at++) demand_refused(&tries[at]);
    CHECK_STR(kit_marks(k), "");
    end();
}

/* ---- policies ---- */

static int policy_get(const iso_event_loop_policy *self, const iso_child_watcher **out)
{
    kit_add_mark(self->context, "get ");
    return iso_default_event_loop_policy()->get_child_watcher(iso_default_event_loop_policy(), out);
}

static int policy_set(const iso_event_loop_policy *self, const iso_child_watcher *watcher)
{
    (void)watcher;
    kit_add_mark(self->context, "set ");
    return ISO_EBUSY;
}

KIT_TEST(a_policy_of_ones_own_chooses_the_watcher)
{
    iso_event_loop_policy policy = { .context = k,
                                     .get_child_watcher = policy_get,
                                     .set_child_watcher = policy_set };
    const iso_child_watcher *got = NULL;

    if (begin(k) == NULL) return;
    iso_set_event_loop_policy(&policy);
    CHECK_OK(iso_get_child_watcher(&got));
    CHECK_PTR(got, best());
    CHECK_RC(iso_get_child_watcher(NULL), ISO_EINVAL);
    CHECK_RC(iso_set_child_watcher(NULL), ISO_EBUSY);
    CHECK_STR(kit_marks(k), "get set ");
    iso_set_event_loop_policy(NULL);
    end();
}

KIT_TEST(an_empty_policy_has_the_watcher_of_the_default_one)
{
    static const iso_event_loop_policy nothing = { .context = NULL };
    const iso_child_watcher *got = NULL;

    if (begin(k) == NULL) return;
    iso_set_event_loop_policy(&nothing);
    CHECK_OK(iso_set_child_watcher(NULL));
    CHECK_OK(iso_get_child_watcher(&got));
    CHECK_PTR(got, best());
    iso_set_event_loop_policy(NULL);
    end();
}

/* ---- Windows, and its limits elsewhere ---- */

static void demand_the_row(iso_child_watcher *watcher)
{
    const iso_child_watcher *got = NULL;

    CHECK_RC(iso_get_child_watcher(&got), ISO_ENOTSUP);
    CHECK_HAS(iso_error_detail(), "windows.child_watcher");
    CHECK_PTR(got, NULL);
    CHECK_RC(iso_set_child_watcher(watcher), ISO_ENOTSUP);
    CHECK_RC(iso_set_child_watcher(NULL), ISO_ENOTSUP);
    CHECK_RC(iso_get_child_watcher(NULL), ISO_ENOTSUP); /* before everything else */
}

/* Whether the row's last meeting is this loop's; and it is forgotten. */
static void demand_last_limit(iso_loop *loop)
{
    const iso_limit *last = iso_loop_last_limit(loop);

    REQUIRE(last != NULL);
    CHECK_STR(last->id, "windows.child_watcher");
}

static void demand_the_row_in_callback(iso_loop *loop, void *watcher)
{
    demand_the_row(watcher);
    demand_last_limit(loop);
}

KIT_TEST(limits_of_the_current_loop_are_met)
{
    static const char *const profiles[] = { "windows-selector", "windows-proactor", "portable" };
    const iso_child_watcher *threaded = iso_threaded_child_watcher();
    iso_child_watcher watcher = noting(k);
    size_t at;

    for (at = 0; at < ISO__COUNT(profiles); at++) {
        iso_loop_options options = kit_options(k);
        told self = { 0, 0, 0 };
        iso_loop *loop;

        options.limits = profiles[at];
        if (iso_loop_new(&loop, &options) == ISO_ENOTSUP) continue; /* a proactor, under portable */
        kit_adopt_loop(k, loop);
        CHECK(!iso_loop_supports(loop, ISO_CAP_CHILD_WATCHER));
        CHECK_OK(iso_set_event_loop(loop));
        demand_the_row(&watcher);
        demand_last_limit(loop);
        CHECK_RC(threaded->add_child_handler(threaded, 1, tell, &self), ISO_ENOTSUP);
        CHECK_RC(threaded->remove_child_handler(threaded, 1), ISO_ENOTSUP);
        forget();
    }
    CHECK_STR(kit_marks(k), "");
}

KIT_TEST(limits_of_the_running_loop_are_met_before_those_of_the_current_one)
{
    iso_loop_options options = kit_options(k);
    iso_child_watcher watcher = noting(k);
    iso_loop *current = kit_loop(k);
    iso_loop *loop;

    options.limits = "windows-selector";
    loop = kit_loop_with(k, &options);
    CHECK_OK(iso_set_event_loop(current));
    CHECK_OK(iso_loop_call_soon(loop, demand_the_row_in_callback, &watcher, NULL));
    CHECK_EQ(kit_turn(k, loop), 1);
    forget();
}

static void demand_the_row_there(void *loop)
{
    CHECK_OK(iso_set_event_loop(loop));
    demand_the_row(NULL);
    CHECK_OK(iso_set_event_loop(NULL));
}

KIT_TEST(limits_of_a_current_loop_that_is_another_threads_are_met_and_not_noted_in_it)
{
    iso_loop_options options = kit_options(k);
    iso_loop *loop;

    options.limits = "windows-selector";
    loop = kit_loop_with(k, &options);
    kit_thread(k, demand_the_row_there, loop);
    kit_join_all(k);
    CHECK_PTR(iso_loop_last_limit(loop), NULL);
}

/* The mirror of the cases that this platform may skip. */
KIT_TEST(a_platform_has_child_watchers_or_refuses_them_by_the_row)
{
    iso_loop *loop = kit_loop(k);
    bool has = iso_loop_supports(loop, ISO_CAP_CHILD_WATCHER);
    const iso_child_watcher *got = NULL;

    CHECK_EQ(iso_loop_limit_enforced(loop, "windows.child_watcher"), !has);
    CHECK_RC(iso_get_child_watcher(&got), has ? 0 : ISO_ENOTSUP); /* there is no current loop */
    if (!has) demand_the_row(NULL);
    CHECK_OK(iso_set_event_loop(loop));
    CHECK_RC(iso_get_child_watcher(&got), has ? 0 : ISO_ENOTSUP);
    if (!has) demand_last_limit(loop);
    forget();
}

static const kit_case cases[] = {
    KIT_CASE(the_best_watcher_is_there_unless_another_is_set),
    KIT_CASE(each_watcher_has_its_name),
    KIT_CASE(every_posix_system_has_threads_and_signals),
    EACH_CASE(the_code_of_a_child_is_told_in_a_turn),
    EACH_CASE(a_child_that_ended_before_is_told_too),
    EACH_CASE(a_signal_that_ended_a_child_is_told_below_zero),
    EACH_CASE(many_children_are_each_told_once),
    EACH_CASE(a_child_that_somebody_else_reaped_is_told_as_255),
    EACH_CASE(what_is_no_child_is_told_as_255),
    EACH_CASE(a_second_handler_for_a_child_replaces_the_first),
    EACH_CASE(a_handler_that_was_removed_is_not_called_and_the_child_is_reaped),
    EACH_CASE(a_handler_that_was_removed_can_be_added_again),
    EACH_CASE(a_loop_that_closes_tells_no_more_and_the_child_is_reaped),
    EACH_CASE(a_loop_that_closes_does_not_tell_what_came_already),
    EACH_CASE(children_end_while_their_loop_closes),
    EACH_CASE(a_child_is_told_to_the_loop_that_was_current),
    EACH_CASE(a_thread_needs_a_loop_of_its_own),
    EACH_CASE(numbers_that_are_not_of_one_process_are_refused),
    EACH_CASE(a_closed_loop_watches_no_child),
    EACH_CASE(the_loop_of_a_parent_watches_no_grandchild),
    EACH_CASE(every_allocation_that_fails_leaves_no_trace),
    EACH_CASE(a_child_that_is_reaped_elsewhere_while_it_is_watched_is_told_as_255),
    EACH_CASE(a_child_that_a_debugger_has_is_told_when_that_lets_go),
    EACH_CASE(a_handler_may_be_added_again_for_a_child_that_has_ended),
    EACH_CASE(a_callback_may_add_a_handler),
    EACH_CASE(a_loop_that_runs_cannot_be_closed_by_a_callback),
    KIT_CASE(without_descriptors_a_child_has_a_thread),
    KIT_CASE(without_descriptors_sigchld_is_refused),
    KIT_CASE(a_descriptor_that_the_selector_refuses_is_nobodys_concern),
    KIT_CASE(sigchld_does_not_disturb_a_signal_handler),
    KIT_CASE(a_watcher_of_ones_own_is_asked),
    KIT_CASE(a_watcher_is_closed_when_another_is_set),
    KIT_CASE(the_current_loop_of_the_main_thread_is_attached),
    KIT_CASE(the_error_of_attach_is_that_of_set_event_loop),
    KIT_CASE(a_watcher_with_an_empty_slot_is_refused),
    KIT_CASE(a_policy_of_ones_own_chooses_the_watcher),
    KIT_CASE(an_empty_policy_has_the_watcher_of_the_default_one),
    KIT_CASE(limits_of_the_current_loop_are_met),
    KIT_CASE(limits_of_the_running_loop_are_met_before_those_of_the_current_one),
    KIT_CASE(limits_of_a_current_loop_that_is_another_threads_are_met_and_not_noted_in_it),
    KIT_CASE(a_platform_has_child_watchers_or_refuses_them_by_the_row),
};

KIT_MAIN(cases)
