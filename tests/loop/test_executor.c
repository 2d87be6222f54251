/* SPDX-License-Identifier: MIT */
/* Work in threads: run_in_executor, the pool, executors of one's own. */
#include "kit.h"
#include "loop/thread_pool.h"

#include <string.h>

/* One piece of work, and what came of it. */
typedef struct task {
    kit_gate *begun; /* opened when it begins; NULL: nobody wants to know */
    kit_gate *go;    /* waited for before it ends */
    int rc;
    void *result;
    iso__atomic_u32 runs;
    uintptr_t thread;
    iso__atomic_u32 drops;
    void *dropped_result;
    uintptr_t dropped_in;
} task;

static int do_task(void *arg, void **result)
{
    task *self = arg;

    CHECK_PTR(*result, NULL);
    (void)iso__atomic_add_u32(&self->runs, 1);
    self->thread = iso__sys_thread_id();
    if (self->begun != NULL) kit_gate_open(self->begun);
    if (self->go != NULL) kit_gate_wait(self->go);
    *result = self->result;
    return self->rc;
}

static void drop_task(void *arg, void *result)
{
    task *self = arg;

    self->dropped_result = result;
    self->dropped_in = iso__sys_thread_id();
    (void)iso__atomic_add_u32(&self->drops, 1);
}

static int runs(const task *self)
{
    return (int)iso__atomic_load_u32(&self->runs);
}

static int drops(const task *self)
{
    return (int)iso__atomic_load_u32(&self->drops);
}

static int submit(iso_loop *loop, iso_executor *executor, task *self, iso_future **out)
{
    iso_work_options options = ISO_WORK_OPTIONS_INIT;

    options.work = do_task;
    options.arg = self;
    options.drop = drop_task;
    return iso_loop_submit(loop, executor, &options, out);
}

static iso_executor *new_pool(kit *k, int max_workers)
{
    iso_thread_pool_executor_options options = ISO_THREAD_POOL_EXECUTOR_OPTIONS_INIT;
    iso_executor *pool = NULL;

    options.max_workers = max_workers;
    options.allocator = kit_allocator(k);
    REQUIRE_OK(iso_thread_pool_executor_new(&pool, &options));
    return pool;
}

/* Its threads, and its memory, are gone then. */
static void end_pool(iso_executor *pool)
{
    CHECK_OK(iso_executor_shutdown(pool, true, false));
    iso_executor_release(pool);
}

static iso__thread_pool_state look(const iso_executor *pool)
{
    iso__thread_pool_state now = { 0, 0, 0, 0, false };

    CHECK(iso__thread_pool_look(pool, &now));
    return now;
}

/* A thread tells of its work before it looks for more. */
static void await_idle(iso_executor *pool, int wanted)
{
    iso_nsec begin = kit_now();

    while (look(pool).idle != wanted && kit_now() - begin < ISO_S(30)) {}
    CHECK_EQ(look(pool).idle, wanted);
}

/* It is started before it takes its first. */
static void await_waiting(iso_executor *pool, int wanted)
{
    iso_nsec begin = kit_now();

    while (look(pool).waiting != wanted && kit_now() - begin < ISO_S(30)) {}
    CHECK_EQ(look(pool).waiting, wanted);
}

static void await_end(iso_executor *pool)
{
    iso_nsec begin = kit_now();

    while (look(pool).threads > 0 && kit_now() - begin < ISO_S(30)) {}
    CHECK_EQ(look(pool).threads, 0);
}

static void await_shut(iso_executor *pool)
{
    iso_nsec begin = kit_now();

    while (!look(pool).is_shut && kit_now() - begin < ISO_S(30)) {}
    CHECK(look(pool).is_shut);
}

/* A worker that is busy until the gate is opened. */
static void block(kit *k, iso_loop *loop, iso_executor *pool, task *self, iso_future **out)
{
    self->begun = kit_gate_new(k);
    self->go = kit_gate_new(k);
    REQUIRE_OK(submit(loop, pool, self, out));
    kit_gate_wait(self->begun);
}

/* ---- what comes of it ---- */

KIT_TEST(the_result_of_the_work_is_the_futures)
{
    static task t;
    iso_loop *loop = kit_loop(k);
    iso_future *future = NULL;
    void *result = NULL;
    intptr_t number = -1;

    memset(&t, 0, sizeof(t));
    t.result = &t;
    t.rc = 17;
    REQUIRE_OK(iso_loop_run_in_executor(loop, NULL, do_task, &t, &future));
    CHECK(!iso_future_done(future));
    CHECK_EQ(kit_statistics(loop).objects, 1);
    CHECK_OK(kit_run(k, loop, future));
    CHECK_OK(iso_future_result(future, &result));
    CHECK_PTR(result, &t);
    CHECK_OK(iso_future_number(future, &number));
    CHECK_EQ(number, 17);
    CHECK_EQ(runs(&t), 1);
    CHECK(t.thread != iso__sys_thread_id());
    iso_future_release(future);
}

KIT_TEST(the_error_of_the_work_is_the_futures)
{
    static task t;
    iso_loop *loop = kit_loop(k);
    iso_future *future = NULL;

    memset(&t, 0, sizeof(t));
    t.rc = ISO_EACCES;
    t.result = &t;
    REQUIRE_OK(submit(loop, NULL, &t, &future));
    CHECK_RC(kit_run(k, loop, future), ISO_EACCES);
    CHECK(!iso_future_cancelled(future));
    CHECK_EQ(drops(&t), 0); /* it was told */
    iso_future_release(future);
}

KIT_TEST(the_loop_goes_on_meanwhile)
{
    static task t;
    iso_loop *loop = kit_loop(k);
    iso_future *future = NULL;

    memset(&t, 0, sizeof(t));
    block(k, loop, NULL, &t, &future);
    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "a", NULL));
    kit_settle(k, loop);
    CHECK_STR(kit_marks(k), "a");
    CHECK(!iso_future_done(future));
    kit_gate_open(t.go);
    CHECK_OK(kit_run_release(k, loop, future));
}

KIT_TEST(only_the_work_and_cancel_end_its_future)
{
    static task t;
    iso_loop *loop = kit_loop(k);
    iso_future *future = NULL;

    memset(&t, 0, sizeof(t));
    block(k, loop, NULL, &t, &future);
    CHECK_RC(iso_future_set_result(future, NULL), ISO_EINVALIDSTATE);
    kit_gate_open(t.go);
    CHECK_OK(kit_run_release(k, loop, future));
}

typedef struct step {
    kit *k;
    char text[2];
} step;

/* By one thread only. */
static int mark_step(void *arg, void **result)
{
    step *self = arg;

    (void)result;
    kit_add_mark(self->k, self->text);
    return 0;
}

KIT_TEST(work_begins_in_the_order_of_the_calls)
{
    enum { STEPS = 20 };
    static step steps[STEPS];
    iso_loop *loop = kit_loop(k);
    iso_executor *pool = new_pool(k, 1);
    iso_future *last = NULL;
    int at;

    for (at = 0; at < STEPS; at++) {
        steps[at].k = k;
        steps[at].text[0] = (char)('a' + at);
        CHECK_OK(iso_loop_run_in_executor(loop, pool, mark_step, &steps[at],
                                          at == STEPS - 1 ? &last : NULL));
    }
    CHECK_OK(kit_run_release(k, loop, last));
    CHECK_STR(kit_marks(k), "abcdefghijklmnopqrst");
    end_pool(pool);
}

KIT_TEST(one_wake_up_is_enough_for_many_results)
{
    enum { TASKS = 100 };
    static task tasks[TASKS];
    iso_loop *loop = kit_loop(k);
    iso_executor *pool = new_pool(k, 4);
    uint64_t before = kit_statistics(loop).wakeups;
    int at;

    memset(tasks, 0, sizeof(tasks));
    for (at = 0; at < TASKS; at++) REQUIRE_OK(submit(loop, pool, &tasks[at], NULL));
    CHECK_OK(iso_executor_shutdown(pool, true, false)); /* all of it was done */
    CHECK_EQ(kit_statistics(loop).wakeups - before, 1);
    CHECK_GE(kit_turn(k, loop), TASKS);
    for (at = 0; at < TASKS; at++) CHECK_EQ(runs(&tasks[at]), 1);
    iso_executor_release(pool);
}

/* ---- when nobody is told ---- */

KIT_TEST(a_result_that_nobody_waits_for_is_dropped)
{
    static task t;
    iso_loop *loop = kit_loop(k);

    memset(&t, 0, sizeof(t));
    t.result = &t;
    REQUIRE_OK(submit(loop, NULL, &t, NULL));
    while (drops(&t) == 0 && CHECK_GE(iso_loop_run_once(loop, ISO_S(30)), 0)) {}
    CHECK_EQ(runs(&t), 1);
    CHECK_PTR(t.dropped_result, &t);
    CHECK_EQ(t.dropped_in, iso__sys_thread_id());
}

static void note_error(iso_loop *loop, const iso_exception_context *context, void *arg)
{
    (void)loop;
    *(int *)arg = context->error;
}

KIT_TEST(an_error_that_nobody_waits_for_is_reported)
{
    static task t;
    iso_loop *loop = kit_loop(k);
    int error = 0;

    memset(&t, 0, sizeof(t));
    t.rc = ISO_EIO;
    CHECK_OK(iso_loop_set_exception_handler(loop, note_error, &error));
    REQUIRE_OK(submit(loop, NULL, &t, NULL));
    while (drops(&t) == 0 && CHECK_GE(iso_loop_run_once(loop, ISO_S(30)), 0)) {}
    CHECK_RC(error, ISO_EIO);
    CHECK_OK(iso_loop_set_exception_handler(loop, NULL, NULL));
}

KIT_TEST(a_result_whose_future_was_released_is_dropped)
{
    static task t;
    iso_loop *loop = kit_loop(k);
    iso_future *future = NULL;

    memset(&t, 0, sizeof(t));
    t.result = &t;
    block(k, loop, NULL, &t, &future);
    iso_future_release(future);
    kit_gate_open(t.go);
    while (drops(&t) == 0 && CHECK_GE(iso_loop_run_once(loop, ISO_S(30)), 0)) {}
    CHECK_PTR(t.dropped_result, &t);
}

/* ---- cancelling ---- */

KIT_TEST(cancelled_before_it_begins_it_never_runs)
{
    static task first;
    static task second;
    iso_loop *loop = kit_loop(k);
    iso_executor *pool = new_pool(k, 1);
    iso_future *blocked = NULL;
    iso_future *future = NULL;

    memset(&first, 0, sizeof(first));
    memset(&second, 0, sizeof(second));
    block(k, loop, pool, &first, &blocked);
    REQUIRE_OK(submit(loop, pool, &second, &future));
    CHECK_EQ(look(pool).waiting, 1);
    CHECK_OK(iso_future_add_done_callback(future, kit_mark_future, "f"));
    CHECK_OK(iso_future_cancel(future));
    CHECK_EQ(look(pool).waiting, 0); /* it has left the queue */
    CHECK_EQ(drops(&second), 1);
    CHECK_PTR(second.dropped_result, NULL);
    CHECK(iso_future_cancelled(future));
    kit_settle(k, loop);
    CHECK_STR(kit_marks(k), "f");
    kit_gate_open(first.go);
    CHECK_OK(kit_run_release(k, loop, blocked));
    iso_future_release(future);
    end_pool(pool);
    CHECK_EQ(runs(&second), 0);
}

KIT_TEST(cancelled_while_it_runs_its_result_is_dropped)
{
    static task t;
    iso_loop *loop = kit_loop(k);
    iso_executor *pool = new_pool(k, 1);
    iso_future *future = NULL;

    memset(&t, 0, sizeof(t));
    t.result = &t;
    block(k, loop, pool, &t, &future);
    CHECK_OK(iso_future_cancel(future));
    CHECK_RC(iso_future_error(future), ISO_ECANCELED);
    CHECK_EQ(kit_statistics(loop).objects, 0);
    CHECK_EQ(drops(&t), 0); /* it is at work still */
    kit_gate_open(t.go);
    end_pool(pool);
    CHECK_EQ(drops(&t), 0);
    kit_turn(k, loop);
    CHECK_EQ(drops(&t), 1);
    CHECK_PTR(t.dropped_result, &t);
    CHECK_EQ(t.dropped_in, iso__sys_thread_id());
    iso_future_release(future);
}

KIT_TEST(cancelled_between_its_end_and_the_turn_it_is_dropped)
{
    static task t;
    iso_loop *loop = kit_loop(k);
    iso_executor *pool = new_pool(k, 1);
    iso_future *future = NULL;

    memset(&t, 0, sizeof(t));
    REQUIRE_OK(submit(loop, pool, &t, &future));
    end_pool(pool); /* it has ended, and the loop does not know */
    CHECK_OK(iso_future_cancel(future));
    kit_turn(k, loop);
    CHECK_EQ(drops(&t), 1);
    CHECK_EQ(runs(&t), 1);
    iso_future_release(future);
}

/* ---- threads ---- */

KIT_TEST(there_is_no_thread_before_there_is_work)
{
    iso_executor *pool = new_pool(k, 8);

    CHECK_EQ(look(pool).threads, 0);
    end_pool(pool);
}

KIT_TEST(an_idle_thread_is_used_again)
{
    iso_loop *loop = kit_loop(k);
    iso_executor *pool = new_pool(k, 8);
    int at;

    for (at = 0; at < 20; at++) {
        static task t;
        iso_future *future = NULL;

        memset(&t, 0, sizeof(t));
        REQUIRE_OK(submit(loop, pool, &t, &future));
        CHECK_OK(kit_run_release(k, loop, future));
        await_idle(pool, 1);
        CHECK_EQ(look(pool).threads, 1);
    }
    end_pool(pool);
}

KIT_TEST(there_are_as_many_threads_as_work_and_no_more_than_allowed)
{
    enum { WORKERS = 3, TASKS = 7 };
    static task tasks[TASKS];
    iso_future *futures[TASKS];
    iso_loop *loop = kit_loop(k);
    iso_executor *pool = new_pool(k, WORKERS);
    kit_gate *go = kit_gate_new(k);
    int at;

    memset(tasks, 0, sizeof(tasks));
    for (at = 0; at < TASKS; at++) {
        tasks[at].go = go;
        REQUIRE_OK(submit(loop, pool, &tasks[at], &futures[at]));
        CHECK_EQ(look(pool).threads, at < WORKERS ? at + 1 : WORKERS);
    }
    await_waiting(pool, TASKS - WORKERS);
    kit_gate_open(go);
    for (at = 0; at < TASKS; at++) CHECK_OK(kit_run_release(k, loop, futures[at]));
    end_pool(pool);
}

KIT_TEST(a_pool_has_as_many_workers_as_pythons)
{
    iso_executor *pool = new_pool(k, 0);
    int usual = iso__sys_cpu_count() + 4;

    CHECK_EQ(look(pool).max_workers, usual < 32 ? usual : 32);
    end_pool(pool);
}

KIT_TEST(a_thread_that_cannot_be_started_is_told)
{
    static task t;
    iso_thread_pool_executor_options options = ISO_THREAD_POOL_EXECUTOR_OPTIONS_INIT;
    iso_loop *loop = kit_loop(k);
    iso_executor *pool = NULL;
    iso_future *future = NULL;
    int rc;

    memset(&t, 0, sizeof(t));
    options.stack_bytes = SIZE_MAX / 2;
    options.allocator = kit_allocator(k);
    REQUIRE_OK(iso_thread_pool_executor_new(&pool, &options));
    rc = submit(loop, pool, &t, &future);
    CHECK(rc == ISO_EAGAIN || rc == ISO_ENOMEM || rc == ISO_EINVAL);
    CHECK_PTR(future, NULL);
    CHECK_EQ(drops(&t), 0); /* it is still the caller's */
    CHECK_EQ(kit_statistics(loop).objects, 0);
    end_pool(pool);
}

/* ---- initializers ---- */

typedef struct beginning {
    iso__atomic_u32 count;
    int rc;
    kit_gate *wait;
} beginning;

static int begin_thread(void *arg)
{
    beginning *self = arg;

    (void)iso__atomic_add_u32(&self->count, 1);
    if (self->wait != NULL) kit_gate_wait(self->wait);
    return self->rc;
}

static iso_executor *pool_with(kit *k, beginning *initializer, int max_workers)
{
    iso_thread_pool_executor_options options = ISO_THREAD_POOL_EXECUTOR_OPTIONS_INIT;
    iso_executor *pool = NULL;

    options.max_workers = max_workers;
    options.initializer = begin_thread;
    options.initializer_arg = initializer;
    options.thread_name_prefix = "a-name-that-is-too-long";
    options.stack_bytes = 1 << 20;
    options.allocator = kit_allocator(k);
    REQUIRE_OK(iso_thread_pool_executor_new(&pool, &options));
    return pool;
}

KIT_TEST(the_initializer_is_called_once_in_each_thread)
{
    static task tasks[3];
    static beginning b;
    iso_future *futures[3];
    iso_loop *loop = kit_loop(k);
    iso_executor *pool = pool_with(k, &b, 2);
    int at;

    memset(tasks, 0, sizeof(tasks));
    iso__atomic_store_u32(&b.count, 0);
    block(k, loop, pool, &tasks[0], &futures[0]);
    block(k, loop, pool, &tasks[1], &futures[1]);
    REQUIRE_OK(submit(loop, pool, &tasks[2], &futures[2]));
    CHECK_EQ(iso__atomic_load_u32(&b.count), 2);
    kit_gate_open(tasks[0].go);
    kit_gate_open(tasks[1].go);
    for (at = 0; at < 3; at++) CHECK_OK(kit_run_release(k, loop, futures[at]));
    end_pool(pool);
    CHECK_EQ(iso__atomic_load_u32(&b.count), 2);
}

KIT_TEST(an_initializer_that_fails_breaks_the_pool)
{
    static task tasks[3];
    static beginning b;
    iso_future *futures[3];
    iso_loop *loop = kit_loop(k);
    iso_executor *pool;
    int at;

    memset(tasks, 0, sizeof(tasks));
    b.rc = ISO_EACCES;
    b.wait = kit_gate_new(k);
    pool = pool_with(k, &b, 1);
    for (at = 0; at < 3; at++) REQUIRE_OK(submit(loop, pool, &tasks[at], &futures[at]));
    CHECK_OK(iso_future_cancel(futures[2]));
    kit_gate_open(b.wait);
    CHECK_RC(kit_run_release(k, loop, futures[0]), ISO_EBROKENPOOL);
    CHECK_RC(kit_run_release(k, loop, futures[1]), ISO_EBROKENPOOL);
    iso_future_release(futures[2]);
    CHECK_RC(submit(loop, pool, &tasks[0], &futures[0]), ISO_EBROKENPOOL);
    CHECK_HAS(iso_error_detail(), iso_strerror(ISO_EACCES));
    for (at = 0; at < 3; at++) CHECK_EQ(runs(&tasks[at]), 0);
    CHECK_EQ(drops(&tasks[0]), 0); /* its future told the rest */
    CHECK_EQ(drops(&tasks[2]), 1);
    end_pool(pool);
}

/* ---- shutting a pool down ---- */

KIT_TEST(after_a_shutdown_no_work_is_taken)
{
    static task t;
    iso_loop *loop = kit_loop(k);
    iso_executor *pool = new_pool(k, 1);
    iso_future *future = NULL;

    memset(&t, 0, sizeof(t));
    CHECK_OK(iso_executor_shutdown(pool, false, false));
    CHECK_RC(submit(loop, pool, &t, &future), ISO_ECLOSED);
    CHECK_HAS(iso_error_detail(), "shut down");
    CHECK(!iso_loop_is_closed(loop));
    CHECK_OK(iso_executor_shutdown(pool, true, true));
    CHECK_OK(iso_executor_shutdown(pool, true, false));
    iso_executor_release(pool);
}

typedef struct ender {
    iso_executor *pool;
    kit_gate *ended;
} ender;

static void shut_and_wait(void *arg)
{
    ender *self = arg;

    CHECK_OK(iso_executor_shutdown(self->pool, true, false));
    kit_gate_open(self->ended);
}

KIT_TEST(a_shutdown_waits_for_what_runs_and_what_waits)
{
    static task tasks[2];
    iso_future *futures[2];
    iso_loop *loop = kit_loop(k);
    ender one;
    ender other;

    memset(tasks, 0, sizeof(tasks));
    one.pool = other.pool = new_pool(k, 1);
    one.ended = kit_gate_new(k);
    other.ended = kit_gate_new(k);
    block(k, loop, one.pool, &tasks[0], &futures[0]);
    REQUIRE_OK(submit(loop, one.pool, &tasks[1], &futures[1]));
    kit_thread(k, shut_and_wait, &one);
    kit_thread(k, shut_and_wait, &other);
    await_shut(one.pool);
    kit_gate_open(tasks[0].go);
    kit_gate_wait(one.ended);
    kit_gate_wait(other.ended);
    CHECK_EQ(runs(&tasks[0]), 1);
    CHECK_EQ(runs(&tasks[1]), 1);
    CHECK_EQ(look(one.pool).threads, 0);
    CHECK_OK(kit_run_release(k, loop, futures[0]));
    CHECK_OK(kit_run_release(k, loop, futures[1]));
    kit_join_all(k);
    iso_executor_release(one.pool);
}

KIT_TEST(cancel_futures_cancels_what_has_not_begun)
{
    static task tasks[3];
    iso_future *futures[3];
    iso_loop *loop = kit_loop(k);
    iso_executor *pool = new_pool(k, 1);
    int at;

    memset(tasks, 0, sizeof(tasks));
    block(k, loop, pool, &tasks[0], &futures[0]);
    REQUIRE_OK(submit(loop, pool, &tasks[1], &futures[1]));
    REQUIRE_OK(submit(loop, pool, &tasks[2], &futures[2]));
    CHECK_OK(iso_executor_shutdown(pool, false, true));
    /* told by a turn, unless the program cancels before */
    CHECK(!iso_future_done(futures[1]));
    CHECK_OK(iso_future_cancel(futures[2]));
    CHECK_EQ(drops(&tasks[2]), 0);
    CHECK_RC(kit_run(k, loop, futures[1]), ISO_ECANCELED);
    CHECK(iso_future_cancelled(futures[1]));
    kit_gate_open(tasks[0].go);
    CHECK_OK(kit_run(k, loop, futures[0]));
    end_pool(pool);
    for (at = 1; at < 3; at++) {
        CHECK_EQ(runs(&tasks[at]), 0);
        CHECK_EQ(drops(&tasks[at]), 1);
        CHECK_PTR(tasks[at].dropped_result, NULL);
    }
    for (at = 0; at < 3; at++) iso_future_release(futures[at]);
}

static int shut_own_pool(void *arg, void **result)
{
    (void)result;
    return iso_executor_shutdown(arg, true, false);
}

KIT_TEST(a_thread_of_the_pool_does_not_wait_for_itself)
{
    iso_loop *loop = kit_loop(k);
    iso_executor *pool = new_pool(k, 1);
    iso_future *future = NULL;

    REQUIRE_OK(iso_loop_run_in_executor(loop, pool, shut_own_pool, pool, &future));
    CHECK_RC(kit_run_release(k, loop, future), ISO_EINVALIDSTATE);
    end_pool(pool);
}

KIT_TEST(after_the_last_release_what_waits_is_done)
{
    static task tasks[3];
    iso_future *futures[3];
    iso_loop *loop = kit_loop(k);
    iso_executor *pool = NULL;
    int at;

    memset(tasks, 0, sizeof(tasks));
    REQUIRE_OK(iso_thread_pool_executor_new(&pool, NULL)); /* of malloc: it ends when it ends */
    CHECK_PTR(iso_executor_ref(pool), pool);
    iso_executor_release(pool);
    for (at = 0; at < 3; at++) REQUIRE_OK(submit(loop, pool, &tasks[at], &futures[at]));
    iso_executor_release(pool);
    for (at = 0; at < 3; at++) {
        CHECK_OK(kit_run_release(k, loop, futures[at]));
        CHECK_EQ(runs(&tasks[at]), 1);
    }
    iso_executor_release(NULL);
}

KIT_TEST(a_pool_that_was_shut_down_and_released_leaves_nothing)
{
    static task t;
    iso_loop *loop = kit_loop(k);
    iso_executor *pool = new_pool(k, 4);
    iso_future *future = NULL;

    memset(&t, 0, sizeof(t));
    REQUIRE_OK(submit(loop, pool, &t, &future));
    CHECK_OK(kit_run_release(k, loop, future));
    CHECK_OK(iso_executor_shutdown(pool, false, false)); /* nobody waits: release joins */
    await_end(pool);
    iso_executor_release(pool);
}

/* ---- the default executor ---- */

KIT_TEST(without_a_default_executor_its_shutdown_is_done_at_once)
{
    static task t;
    iso_loop *loop = kit_loop(k);
    iso_future *future = NULL;
    intptr_t number = 0;

    memset(&t, 0, sizeof(t));
    REQUIRE_OK(iso_loop_shutdown_default_executor(loop, ISO_FOREVER, &future));
    CHECK(iso_future_done(future));
    CHECK_OK(iso_future_number(future, &number));
    CHECK_EQ(number, 1);
    iso_future_release(future);
    CHECK_RC(submit(loop, NULL, &t, &future), ISO_ECLOSED);
    CHECK_HAS(iso_error_detail(), "default executor");
    CHECK_OK(iso_loop_shutdown_default_executor(loop, ISO_FOREVER, NULL));
}

KIT_TEST(its_shutdown_waits_without_blocking_the_loop)
{
    static task tasks[2];
    iso_future *futures[2];
    iso_loop *loop = kit_loop(k);
    iso_future *end = NULL;
    intptr_t number = 0;

    memset(tasks, 0, sizeof(tasks));
    block(k, loop, NULL, &tasks[0], &futures[0]);
    REQUIRE_OK(submit(loop, NULL, &tasks[1], &futures[1]));
    REQUIRE_OK(iso_loop_shutdown_default_executor(loop, ISO_S(3600), &end));
    CHECK_RC(submit(loop, NULL, &tasks[1], NULL), ISO_ECLOSED);
    CHECK_OK(kit_run_release(k, loop, futures[1]));
    CHECK(!iso_future_done(end));
    kit_gate_open(tasks[0].go);
    CHECK_OK(kit_run(k, loop, end));
    CHECK_OK(iso_future_number(end, &number));
    CHECK_EQ(number, 1);
    CHECK(iso_future_done(futures[0])); /* it came before */
    CHECK_EQ(kit_statistics(loop).timers, 0);
    iso_future_release(futures[0]);
    iso_future_release(end);
}

KIT_TEST(its_shutdown_ends_when_the_time_is_over)
{
    static task t;
    iso_loop *loop = kit_virtual_loop(k);
    iso_executor *pool = NULL;
    iso_future *future = NULL;
    iso_future *end = NULL;
    intptr_t number = 1;

    memset(&t, 0, sizeof(t));
    REQUIRE_OK(iso_thread_pool_executor_new(&pool, NULL));
    CHECK_OK(iso_loop_set_default_executor(loop, pool));
    block(k, loop, NULL, &t, &future);
    REQUIRE_OK(iso_loop_shutdown_default_executor(loop, ISO_S(5), &end));
    CHECK_OK(kit_run(k, loop, end));
    CHECK_OK(iso_future_number(end, &number));
    CHECK_EQ(number, 0);
    CHECK(kit_logged(k, "did not end"));
    CHECK(!iso_future_done(future));
    kit_gate_open(t.go);
    end_pool(pool);
    kit_settle(k, loop);
    CHECK_OK(iso_future_error(future)); /* what ran is told nevertheless */
    iso_future_release(future);
    iso_future_release(end);
}

KIT_TEST(its_shutdown_can_be_cancelled)
{
    static task t;
    iso_loop *loop = kit_loop(k);
    iso_executor *pool = NULL;
    iso_future *future = NULL;
    iso_future *end = NULL;

    memset(&t, 0, sizeof(t));
    REQUIRE_OK(iso_thread_pool_executor_new(&pool, NULL));
    CHECK_OK(iso_loop_set_default_executor(loop, pool));
    block(k, loop, NULL, &t, &future);
    REQUIRE_OK(iso_loop_shutdown_default_executor(loop, ISO_S(3600), &end));
    CHECK_OK(iso_future_cancel(end));
    CHECK_EQ(kit_statistics(loop).timers, 0);
    CHECK_EQ(kit_statistics(loop).objects, 1);
    kit_gate_open(t.go);
    CHECK_OK(kit_run_release(k, loop, future));
    end_pool(pool);
    iso_future_release(end);
}

KIT_TEST(a_loop_may_close_during_the_shutdown)
{
    static task t;
    iso_loop *loop = kit_loop(k);
    iso_executor *pool = NULL;
    iso_future *future = NULL;
    iso_future *end = NULL;

    memset(&t, 0, sizeof(t));
    REQUIRE_OK(iso_thread_pool_executor_new(&pool, NULL));
    CHECK_OK(iso_loop_set_default_executor(loop, pool));
    block(k, loop, NULL, &t, &future);
    REQUIRE_OK(iso_loop_shutdown_default_executor(loop, ISO_FOREVER, &end));
    CHECK_OK(iso_loop_close(loop));
    CHECK_RC(iso_future_error(end), ISO_ECANCELED);
    CHECK_RC(iso_future_error(future), ISO_ECANCELED);
    iso_future_release(end);
    iso_future_release(future);
    kit_release_loop(k, loop);
    kit_gate_open(t.go);
    end_pool(pool);
    CHECK_EQ(drops(&t), 1);
}

KIT_TEST(another_executor_can_be_the_default_one)
{
    static task tasks[2];
    iso_loop *loop = kit_loop(k);
    iso_executor *first = new_pool(k, 1);
    iso_executor *second = new_pool(k, 1);
    iso_future *future = NULL;

    memset(tasks, 0, sizeof(tasks));
    CHECK_RC(iso_loop_set_default_executor(loop, NULL), ISO_EINVAL);
    CHECK_OK(iso_loop_set_default_executor(loop, first));
    REQUIRE_OK(submit(loop, NULL, &tasks[0], &future));
    CHECK_OK(kit_run_release(k, loop, future));
    CHECK_EQ(look(first).threads, 1);
    CHECK_OK(iso_loop_set_default_executor(loop, second));
    REQUIRE_OK(submit(loop, NULL, &tasks[1], &future));
    CHECK_OK(kit_run_release(k, loop, future));
    CHECK_EQ(look(second).threads, 1);
    CHECK_OK(iso_loop_close(loop));
    /* the loop shuts down the one that it has, and that one alone */
    loop = kit_loop(k);
    CHECK_RC(submit(loop, second, &tasks[0], &future), ISO_ECLOSED);
    REQUIRE_OK(submit(loop, first, &tasks[0], &future));
    CHECK_OK(kit_run_release(k, loop, future));
    end_pool(first);
    end_pool(second);
}

/* ---- closing the loop ---- */

KIT_TEST(a_loop_that_closes_drops_what_waits_and_lets_go_of_what_runs)
{
    static task tasks[3];
    iso_future *futures[3];
    iso_loop *loop = kit_loop(k);
    iso_executor *pool = new_pool(k, 1);
    int at;

    memset(tasks, 0, sizeof(tasks));
    tasks[0].result = &tasks[0];
    block(k, loop, pool, &tasks[0], &futures[0]);
    for (at = 1; at < 3; at++) REQUIRE_OK(submit(loop, pool, &tasks[at], &futures[at]));
    CHECK_OK(iso_loop_close(loop)); /* and does not wait */
    for (at = 0; at < 3; at++) {
        CHECK(iso_future_cancelled(futures[at]));
        iso_future_release(futures[at]);
    }
    CHECK_EQ(look(pool).waiting, 0);
    CHECK_EQ(drops(&tasks[0]), 0);
    CHECK_EQ(drops(&tasks[1]), 1);
    CHECK_EQ(drops(&tasks[2]), 1);
    kit_release_loop(k, loop);
    /* the thread goes on without the loop */
    kit_gate_open(tasks[0].go);
    end_pool(pool);
    CHECK_EQ(drops(&tasks[0]), 1);
    CHECK_PTR(tasks[0].dropped_result, &tasks[0]);
    CHECK(tasks[0].dropped_in == tasks[0].thread);
    CHECK_EQ(runs(&tasks[1]) + runs(&tasks[2]), 0);
}

KIT_TEST(a_loop_that_closes_drops_what_has_ended_and_was_not_told)
{
    static task t;
    iso_loop *loop = kit_loop(k);
    iso_executor *pool = new_pool(k, 1);
    iso_future *future = NULL;

    memset(&t, 0, sizeof(t));
    t.result = &t;
    REQUIRE_OK(submit(loop, pool, &t, &future));
    CHECK_OK(iso_executor_shutdown(pool, true, false));
    CHECK_OK(iso_loop_close(loop));
    CHECK_EQ(drops(&t), 1);
    CHECK_PTR(t.dropped_result, &t);
    CHECK_RC(iso_future_error(future), ISO_ECANCELED);
    iso_future_release(future);
    iso_executor_release(pool);
}

KIT_TEST(work_outlives_its_loop_and_the_default_executor)
{
    static task t;
    iso_loop *loop = kit_loop(k);
    iso_future *future = NULL;

    memset(&t, 0, sizeof(t));
    block(k, loop, NULL, &t, &future);
    iso_future_release(future);
    CHECK_OK(iso_loop_close(loop));
    kit_release_loop(k, loop);
    kit_gate_open(t.go);
    /* when it has ended it is dropped, in its thread */
    while (drops(&t) == 0) {}
    CHECK(t.dropped_in == t.thread);
}

KIT_TEST(debug_mode_tells_of_work_under_way)
{
    static task t;
    iso_loop_options options = kit_options(k);
    iso_executor *pool = new_pool(k, 1);
    iso_future *future = NULL;
    iso_loop *loop;

    memset(&t, 0, sizeof(t));
    options.debug = true;
    loop = kit_loop_with(k, &options);
    block(k, loop, pool, &t, &future);
    CHECK_OK(iso_loop_close(loop));
    CHECK(kit_logged(k, "work in an executor"));
    iso_future_release(future);
    kit_gate_open(t.go);
    end_pool(pool);
}

/* ---- arguments ---- */

KIT_TEST(wrong_calls_are_refused)
{
    iso_thread_pool_executor_options negative = ISO_THREAD_POOL_EXECUTOR_OPTIONS_INIT;
    iso_work_options nothing = ISO_WORK_OPTIONS_INIT;
    iso_loop *loop = kit_loop(k);
    iso_executor *pool = NULL;
    iso_future *future = NULL;

    negative.max_workers = -1;
    CHECK_RC(iso_thread_pool_executor_new(&pool, &negative), ISO_EINVAL);
    CHECK_RC(iso_thread_pool_executor_new(NULL, NULL), ISO_EINVAL);
    CHECK_PTR(pool, NULL);
    CHECK_RC(iso_executor_shutdown(NULL, true, true), ISO_EINVAL);
    CHECK_RC(iso_loop_run_in_executor(loop, NULL, NULL, NULL, &future), ISO_EINVAL);
    CHECK_RC(iso_loop_run_in_executor(NULL, NULL, do_task, NULL, &future), ISO_EINVAL);
    CHECK_RC(iso_loop_submit(loop, NULL, &nothing, &future), ISO_EINVAL);
    CHECK_RC(iso_loop_submit(loop, NULL, NULL, &future), ISO_EINVAL);
    CHECK_RC(iso_loop_shutdown_default_executor(NULL, 0, &future), ISO_EINVAL);
    CHECK_PTR(future, NULL);
    CHECK_OK(iso_loop_close(loop));
    CHECK_RC(iso_loop_run_in_executor(loop, NULL, do_task, NULL, &future), ISO_ECLOSED);
    CHECK_RC(iso_loop_shutdown_default_executor(loop, 0, &future), ISO_ECLOSED);
    CHECK_PTR(future, NULL);
}

static void call_from_elsewhere(void *arg)
{
    static task t;
    iso_loop *loop = arg;
    iso_executor *pool = NULL;
    iso_future *future = NULL;

    REQUIRE_OK(iso_thread_pool_executor_new(&pool, NULL));
    CHECK_RC(submit(loop, NULL, &t, &future), ISO_ETHREAD);
    CHECK_RC(iso_loop_set_default_executor(loop, pool), ISO_ETHREAD);
    CHECK_RC(iso_loop_shutdown_default_executor(loop, 0, &future), ISO_ETHREAD);
    CHECK_PTR(future, NULL);
    iso_executor_release(pool);
}

KIT_TEST(only_the_loops_thread_may_call)
{
    iso_loop *loop = kit_loop(k);

    kit_thread(k, call_from_elsewhere, loop);
    kit_join_all(k);
}

/* ---- executors of one's own ---- */

enum { KEPT = 8 };

/* Keeps its jobs until the test wants them done. */
typedef struct keeper {
    iso_job *jobs[KEPT];
    int count;
    int refuse; /* what submit answers; 0: it takes the job */
    bool at_once;
    int withdrawn;
    int closed;
    int shut;
} keeper;

static int keeper_submit(void *arg, iso_job *job)
{
    keeper *self = arg;

    if (self->refuse != 0) return self->refuse;
    if (self->at_once)
        iso_job_run(job);
    else
        self->jobs[self->count++] = job;
    return 0;
}

static bool keeper_withdraw(void *arg, iso_job *job)
{
    keeper *self = arg;
    int at;

    self->withdrawn++;
    for (at = 0; at < self->count; at++) {
        if (self->jobs[at] != job) continue;
        self->jobs[at] = self->jobs[--self->count];
        return true;
    }
    return false;
}

static int keeper_shutdown(void *arg, bool wait, bool cancel_futures)
{
    keeper *self = arg;

    (void)wait;
    self->shut++;
    while (cancel_futures && self->count > 0) iso_job_cancel(self->jobs[--self->count]);
    return 0;
}

static void keeper_close(void *arg)
{
    ((keeper *)arg)->closed++;
}

static const iso_executor_class keeper_class = {
    .name = "keeper",
    .submit = keeper_submit,
    .withdraw = NULL,
    .shutdown = keeper_shutdown,
    .close = keeper_close,
};

static const iso_executor_class taker_class = {
    .name = "keeper that gives back",
    .submit = keeper_submit,
    .withdraw = keeper_withdraw,
    .shutdown = keeper_shutdown,
    .close = keeper_close,
};

static iso_executor *new_keeper(keeper *self, const iso_executor_class *kind)
{
    iso_executor *executor = NULL;

    memset(self, 0, sizeof(*self));
    REQUIRE_OK(iso_executor_new_custom(&executor, kind, self));
    return executor;
}

KIT_TEST(an_executor_of_ones_own_does_the_work_when_it_likes)
{
    static task t;
    static keeper own;
    iso_loop *loop = kit_loop(k);
    iso_executor *executor = new_keeper(&own, &keeper_class);
    iso_future *future = NULL;
    void *result = NULL;

    memset(&t, 0, sizeof(t));
    REQUIRE_OK(submit(loop, executor, &t, &future));
    kit_settle(k, loop);
    CHECK_EQ(runs(&t), 0);
    /* in steps: the work could be done by another process */
    CHECK(iso_job_begin(own.jobs[0]));
    CHECK(iso_job_work(own.jobs[0]) == do_task);
    CHECK_PTR(iso_job_arg(own.jobs[0]), &t);
    iso_job_end(own.jobs[0], 0, &own);
    CHECK(!iso_future_done(future)); /* a turn tells */
    CHECK_OK(kit_run(k, loop, future));
    CHECK_OK(iso_future_result(future, &result));
    CHECK_PTR(result, &own);
    iso_future_release(future);
    iso_executor_release(executor);
    CHECK_EQ(own.closed, 1);
}

KIT_TEST(an_executor_of_ones_own_may_do_it_at_once)
{
    static task t;
    static keeper own;
    iso_loop *loop = kit_loop(k);
    iso_executor *executor = new_keeper(&own, &keeper_class);
    iso_future *future = NULL;

    memset(&t, 0, sizeof(t));
    own.at_once = true;
    REQUIRE_OK(submit(loop, executor, &t, &future));
    CHECK_EQ(runs(&t), 1);
    CHECK(!iso_future_done(future));
    CHECK_OK(kit_run_release(k, loop, future));
    iso_executor_release(executor);
}

KIT_TEST(what_an_executor_of_ones_own_refuses_is_the_callers)
{
    static task t;
    static keeper own;
    iso_loop *loop = kit_loop(k);
    iso_executor *executor = new_keeper(&own, &keeper_class);
    iso_future *future = NULL;

    memset(&t, 0, sizeof(t));
    own.refuse = ISO_EBUSY;
    CHECK_RC(submit(loop, executor, &t, &future), ISO_EBUSY);
    CHECK_PTR(future, NULL);
    CHECK_EQ(drops(&t), 0);
    iso_executor_release(executor);
    CHECK_EQ(own.closed, 1);
}

KIT_TEST(a_job_that_was_cancelled_is_not_begun)
{
    static task t;
    static keeper own;
    iso_loop *loop = kit_loop(k);
    iso_executor *executor = new_keeper(&own, &keeper_class);
    iso_future *future = NULL;

    memset(&t, 0, sizeof(t));
    REQUIRE_OK(submit(loop, executor, &t, &future));
    CHECK_OK(iso_future_cancel(future));
    CHECK_EQ(drops(&t), 1);
    iso_future_release(future);
    iso_executor_release(executor);
    CHECK_EQ(own.closed, 0); /* it has a job */
    iso_job_run(own.jobs[0]);
    CHECK_EQ(runs(&t), 0);
    CHECK_EQ(drops(&t), 1);
    CHECK_EQ(own.closed, 1);
}

KIT_TEST(a_job_may_be_given_back)
{
    static task tasks[2];
    static keeper own;
    iso_loop *loop = kit_loop(k);
    iso_executor *executor = new_keeper(&own, &taker_class);
    iso_future *futures[2];

    memset(tasks, 0, sizeof(tasks));
    REQUIRE_OK(submit(loop, executor, &tasks[0], &futures[0]));
    REQUIRE_OK(submit(loop, executor, &tasks[1], &futures[1]));
    CHECK_OK(iso_future_cancel(futures[0]));
    CHECK_EQ(own.count, 1);
    CHECK_EQ(own.withdrawn, 1);
    CHECK_EQ(drops(&tasks[0]), 1);
    CHECK_OK(iso_executor_shutdown(executor, true, true));
    CHECK_RC(kit_run(k, loop, futures[1]), ISO_ECANCELED);
    CHECK_EQ(drops(&tasks[1]), 1);
    iso_future_release(futures[0]);
    iso_future_release(futures[1]);
    iso_executor_release(executor);
    CHECK_EQ(own.closed, 1);
}

KIT_TEST(a_job_whose_loop_has_closed_is_dropped)
{
    static task t;
    static keeper own;
    iso_loop *loop = kit_loop(k);
    iso_executor *executor = new_keeper(&own, &keeper_class);
    iso_future *future = NULL;

    memset(&t, 0, sizeof(t));
    REQUIRE_OK(submit(loop, executor, &t, &future));
    CHECK(iso_job_begin(own.jobs[0]));
    CHECK_OK(iso_loop_set_default_executor(loop, executor));
    CHECK_OK(iso_loop_close(loop));
    CHECK_EQ(own.shut, 1);
    iso_future_release(future);
    kit_release_loop(k, loop);
    CHECK_EQ(drops(&t), 0);
    iso_job_end(own.jobs[0], 0, &t);
    CHECK_EQ(drops(&t), 1);
    CHECK_PTR(t.dropped_result, &t);
    iso_executor_release(executor);
    CHECK_EQ(own.closed, 1);
}

KIT_TEST(an_executor_with_an_empty_slot_is_refused)
{
    static const iso_executor_class no_submit = { "x", NULL, NULL, keeper_shutdown, keeper_close };
    static const iso_executor_class no_shutdown = { "x", keeper_submit, NULL, NULL, keeper_close };
    static const iso_executor_class no_close = { "x", keeper_submit, NULL, keeper_shutdown, NULL };
    iso_executor *executor = NULL;

    CHECK_RC(iso_executor_new_custom(&executor, &no_submit, NULL), ISO_EINVAL);
    CHECK_RC(iso_executor_new_custom(&executor, &no_shutdown, NULL), ISO_EINVAL);
    CHECK_RC(iso_executor_new_custom(&executor, &no_close, NULL), ISO_EINVAL);
    CHECK_RC(iso_executor_new_custom(&executor, NULL, NULL), ISO_EINVAL);
    CHECK_RC(iso_executor_new_custom(NULL, &keeper_class, NULL), ISO_EINVAL);
    CHECK_PTR(executor, NULL);
}

/* ---- several loops, several threads ---- */

KIT_TEST(two_loops_share_a_pool)
{
    static task tasks[2];
    iso_loop *loops[2];
    iso_future *futures[2];
    iso_executor *pool = new_pool(k, 1);
    int at;

    memset(tasks, 0, sizeof(tasks));
    for (at = 0; at < 2; at++) {
        loops[at] = kit_loop(k);
        REQUIRE_OK(submit(loops[at], pool, &tasks[at], &futures[at]));
    }
    CHECK_OK(kit_run_release(k, loops[1], futures[1]));
    CHECK(!iso_future_done(futures[0])); /* done, but told by its own loop */
    CHECK_EQ(runs(&tasks[0]), 1);
    CHECK_OK(kit_run_release(k, loops[0], futures[0]));
    end_pool(pool);
}

enum { PROGRAMS = 4, ORDERS = 400 };

typedef struct program program;

typedef struct order {
    program *owner;
    iso_future *future;
    iso__atomic_u32 ends; /* with its future, or dropped: once */
} order;

/* A thread with a loop of its own, which has work done by the pool that all share. */
struct program {
    kit *k;
    iso_executor *pool;
    uint32_t random;
    bool runs_to_its_end;
    int told;
    order orders[ORDERS];
};

static int do_order(void *arg, void **result)
{
    *result = arg;
    return 0;
}

static void drop_order(void *arg, void *result)
{
    order *self = arg;

    CHECK(result == NULL || result == arg);
    (void)iso__atomic_add_u32(&self->ends, 1);
}

static void order_done(iso_future *future, void *arg)
{
    (void)future;
    ((order *)arg)->owner->told++;
}

static void place_order(program *self, iso_loop *loop, order *one)
{
    iso_work_options options = ISO_WORK_OPTIONS_INIT;

    one->owner = self;
    options.work = do_order;
    options.arg = one;
    options.drop = drop_order;
    REQUIRE_OK(iso_loop_submit(loop, self->pool, &options, &one->future));
    REQUIRE_OK(iso_future_add_done_callback(one->future, order_done, one));
    self->random = self->random * 1664525u + 1013904223u;
    if (self->random >> 30 == 0) CHECK_OK(iso_future_cancel(one->future));
}

static void run_program(void *arg)
{
    program *self = arg;
    iso_loop_options options = kit_options(self->k);
    iso_loop *loop = NULL;
    int at;

    REQUIRE_OK(iso_loop_new(&loop, &options));
    for (at = 0; at < ORDERS; at++) {
        place_order(self, loop, &self->orders[at]);
        if (at % 16 == 15) CHECK_GE(iso_loop_run_once(loop, 0), 0);
    }
    while (self->runs_to_its_end && self->told < ORDERS) {
        if (!CHECK_GE(iso_loop_run_once(loop, ISO_S(30)), 0)) break;
    }
    CHECK_OK(iso_loop_close(loop));
    for (at = 0; at < ORDERS; at++) {
        order *one = &self->orders[at];

        if (iso_future_error(one->future) == 0) (void)iso__atomic_add_u32(&one->ends, 1);
        iso_future_release(one->future);
    }
    iso_loop_release(loop);
}

KIT_TEST(many_threads_and_loops_share_a_pool)
{
    static program programs[PROGRAMS];
    iso_executor *pool = new_pool(k, 3);
    int at;
    int order_at;

    memset(programs, 0, sizeof(programs));
    for (at = 0; at < PROGRAMS; at++) {
        programs[at].k = k;
        programs[at].pool = pool;
        programs[at].random = kit_random(k);
        programs[at].runs_to_its_end = at % 2 == 0;
        kit_thread(k, run_program, &programs[at]);
    }
    kit_join_all(k);
    end_pool(pool);
    for (at = 0; at < PROGRAMS; at++) {
        for (order_at = 0; order_at < ORDERS && !kit_has_failed(k); order_at++)
            CHECK_EQ(iso__atomic_load_u32(&programs[at].orders[order_at].ends), 1);
    }
}

static void shut_soon(void *arg)
{
    CHECK_OK(iso_executor_shutdown(arg, true, true));
}

/* Each is told, or dropped, once, whoever comes first: the thread, the shutdown, or the loop. */
KIT_TEST(a_pool_is_shut_down_while_work_comes_in)
{
    enum { ROUNDS = 50, TASKS = 20 };
    static task tasks[TASKS];
    iso_loop *loop = kit_loop(k);
    int round;
    int at;

    for (round = 0; round < ROUNDS; round++) {
        iso_executor *pool = new_pool(k, 2);
        iso_future *futures[TASKS];
        int count = 0;

        memset(tasks, 0, sizeof(tasks));
        for (at = 0; at < TASKS; at++) {
            int rc = submit(loop, pool, &tasks[at], &futures[count]);

            if (at == TASKS / 2) kit_thread(k, shut_soon, pool);
            if (rc == 0)
                count++;
            else
                CHECK_RC(rc, ISO_ECLOSED);
            if (rc == 0 && at % 5 == 4) (void)iso_future_cancel(futures[count - 1]);
        }
        kit_join_all(k);
        kit_settle(k, loop);
        for (at = 0; at < count; at++) {
            CHECK(iso_future_done(futures[at]));
            CHECK_EQ(drops(&tasks[at]), iso_future_cancelled(futures[at]) ? 1 : 0);
            iso_future_release(futures[at]);
        }
        iso_executor_release(pool);
    }
}

/* ---- memory ---- */

/* Everything once, with what is refused left out. */
static void live_once(kit *k, uint64_t nth)
{
    static task tasks[2];
    iso_thread_pool_executor_options options = ISO_THREAD_POOL_EXECUTOR_OPTIONS_INIT;
    iso_loop_options loop_options = kit_options(k);
    iso_executor *pool = NULL;
    iso_future *futures[2] = { NULL, NULL };
    iso_future *end = NULL;
    iso_loop *loop = NULL;
    int at;

    memset(tasks, 0, sizeof(tasks));
    REQUIRE_OK(iso_loop_new(&loop, &loop_options));
    options.allocator = kit_allocator(k);
    options.max_workers = 2;
    kit_fail_allocation(k, nth, false);
    if (iso_thread_pool_executor_new(&pool, &options) != 0) {
        CHECK_PTR(pool, NULL);
    } else {
        for (at = 0; at < 2; at++) {
            int rc = submit(loop, pool, &tasks[at], &futures[at]);

            if (rc != 0) CHECK_RC(rc, ISO_ENOMEM);
            CHECK((rc == 0) == (futures[at] != NULL));
        }
        CHECK_OK(iso_loop_set_default_executor(loop, pool));
        at = iso_loop_shutdown_default_executor(loop, ISO_S(3600), &end);
        if (at != 0) CHECK_RC(at, ISO_ENOMEM);
        kit_fail_allocation(k, 0, false);
        for (at = 0; at < 2; at++) {
            if (futures[at] == NULL) continue;
            CHECK_OK(kit_run_release(k, loop, futures[at]));
            CHECK_EQ(runs(&tasks[at]), 1);
        }
        if (end != NULL) CHECK_OK(kit_run_release(k, loop, end));
        end_pool(pool);
    }
    kit_fail_allocation(k, 0, false);
    iso_loop_release(loop);
}

KIT_TEST(every_allocation_may_fail)
{
    uint64_t nth = 1;
    uint64_t before;

    do {
        before = kit_memory_now(k).failures;
        live_once(k, nth++);
        CHECK_EQ(kit_memory_now(k).blocks, 0);
    } while (kit_memory_now(k).failures > before && !kit_has_failed(k) && nth < 100);
    CHECK_GE(nth, 10); /* two of the pool, and four of each piece of work */
    CHECK_LE(nth, 40);
}

static const kit_case cases[] = {
    KIT_CASE(the_result_of_the_work_is_the_futures),
    KIT_CASE(the_error_of_the_work_is_the_futures),
    KIT_CASE(the_loop_goes_on_meanwhile),
    KIT_CASE(only_the_work_and_cancel_end_its_future),
    KIT_CASE(work_begins_in_the_order_of_the_calls),
    KIT_CASE(one_wake_up_is_enough_for_many_results),
    KIT_CASE(a_result_that_nobody_waits_for_is_dropped),
    KIT_CASE(an_error_that_nobody_waits_for_is_reported),
    KIT_CASE(a_result_whose_future_was_released_is_dropped),
    KIT_CASE(cancelled_before_it_begins_it_never_runs),
    KIT_CASE(cancelled_while_it_runs_its_result_is_dropped),
    KIT_CASE(cancelled_between_its_end_and_the_turn_it_is_dropped),
    KIT_CASE(there_is_no_thread_before_there_is_work),
    KIT_CASE(an_idle_thread_is_used_again),
    KIT_CASE(there_are_as_many_threads_as_work_and_no_more_than_allowed),
    KIT_CASE(a_pool_has_as_many_workers_as_pythons),
    KIT_CASE(a_thread_that_cannot_be_started_is_told),
    KIT_CASE(the_initializer_is_called_once_in_each_thread),
    KIT_CASE(an_initializer_that_fails_breaks_the_pool),
    KIT_CASE(after_a_shutdown_no_work_is_taken),
    KIT_CASE(a_shutdown_waits_for_what_runs_and_what_waits),
    KIT_CASE(cancel_futures_cancels_what_has_not_begun),
    KIT_CASE(a_thread_of_the_pool_does_not_wait_for_itself),
    KIT_CASE(after_the_last_release_what_waits_is_done),
    KIT_CASE(a_pool_that_was_shut_down_and_released_leaves_nothing),
    KIT_CASE(without_a_default_executor_its_shutdown_is_done_at_once),
    KIT_CASE(its_shutdown_waits_without_blocking_the_loop),
    KIT_CASE(its_shutdown_ends_when_the_time_is_over),
    KIT_CASE(its_shutdown_can_be_cancelled),
    KIT_CASE(a_loop_may_close_during_the_shutdown),
    KIT_CASE(another_executor_can_be_the_default_one),
    KIT_CASE(a_loop_that_closes_drops_what_waits_and_lets_go_of_what_runs),
    KIT_CASE(a_loop_that_closes_drops_what_has_ended_and_was_not_told),
    KIT_CASE(work_outlives_its_loop_and_the_default_executor),
    KIT_CASE(debug_mode_tells_of_work_under_way),
    KIT_CASE(wrong_calls_are_refused),
    KIT_CASE(only_the_loops_thread_may_call),
    KIT_CASE(an_executor_of_ones_own_does_the_work_when_it_likes),
    KIT_CASE(an_executor_of_ones_own_may_do_it_at_once),
    KIT_CASE(what_an_executor_of_ones_own_refuses_is_the_callers),
    KIT_CASE(a_job_that_was_cancelled_is_not_begun),
    KIT_CASE(a_job_may_be_given_back),
    KIT_CASE(a_job_whose_loop_has_closed_is_dropped),
    KIT_CASE(an_executor_with_an_empty_slot_is_refused),
    KIT_CASE(two_loops_share_a_pool),
    KIT_CASE(many_threads_and_loops_share_a_pool),
    KIT_CASE(a_pool_is_shut_down_while_work_comes_in),
    KIT_CASE(every_allocation_may_fail),
};

KIT_MAIN(cases)
