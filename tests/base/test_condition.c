/* SPDX-License-Identifier: MIT */
/* Conditions, names and stacks of threads (sys/thread.h). */
#include "kit.h"

enum { ROUNDS = 1000, WAITERS = 4 };

typedef struct shared {
    iso__mutex lock;
    iso__cond changed;
    int number;
    int woken;
} shared;

static void init(shared *self)
{
    iso__sys_mutex_init(&self->lock);
    iso__sys_cond_init(&self->changed);
    self->number = 0;
    self->woken = 0;
}

static void end(shared *self)
{
    iso__sys_cond_close(&self->changed);
    iso__sys_mutex_close(&self->lock);
}

/* Makes every odd number even. */
static void answer(void *arg)
{
    shared *self = arg;

    iso__sys_mutex_lock(&self->lock);
    while (self->number < 2 * ROUNDS) {
        while (self->number % 2 == 0 && self->number < 2 * ROUNDS)
            iso__sys_cond_wait(&self->changed, &self->lock);
        if (self->number % 2 == 1) self->number++;
        iso__sys_cond_wake_one(&self->changed);
    }
    iso__sys_mutex_unlock(&self->lock);
}

KIT_TEST(two_threads_take_turns)
{
    shared s;

    init(&s);
    kit_thread(k, answer, &s);
    iso__sys_mutex_lock(&s.lock);
    while (s.number < 2 * ROUNDS) {
        CHECK_EQ(s.number % 2, 0);
        s.number++;
        iso__sys_cond_wake_one(&s.changed);
        while (s.number % 2 == 1) iso__sys_cond_wait(&s.changed, &s.lock);
    }
    iso__sys_mutex_unlock(&s.lock);
    kit_join_all(k);
    CHECK_EQ(s.number, 2 * ROUNDS);
    end(&s);
}

static void wait_for_one(void *arg)
{
    shared *self = arg;

    iso__sys_mutex_lock(&self->lock);
    while (self->number == 0) iso__sys_cond_wait(&self->changed, &self->lock);
    self->woken++;
    iso__sys_mutex_unlock(&self->lock);
}

KIT_TEST(wake_all_wakes_all)
{
    shared s;
    int at;

    init(&s);
    for (at = 0; at < WAITERS; at++) kit_thread(k, wait_for_one, &s);
    iso__sys_mutex_lock(&s.lock);
    s.number = 1;
    iso__sys_cond_wake_all(&s.changed);
    iso__sys_mutex_unlock(&s.lock);
    kit_join_all(k); /* those that came later did not wait */
    CHECK_EQ(s.woken, WAITERS);
    end(&s);
}

KIT_TEST(a_wait_ends_with_its_time_and_has_the_lock)
{
    shared s;
    iso_nsec begin = kit_now();
    bool in_time = true;

    init(&s);
    iso__sys_mutex_lock(&s.lock);
    while (in_time && kit_now() - begin < ISO_S(30))
        in_time = iso__sys_cond_wait_for(&s.changed, &s.lock, ISO_MS(20));
    CHECK(!in_time);
    CHECK_GE(kit_now() - begin, ISO_MS(15)); /* Windows' tick is not that of the clock */
    CHECK(!iso__sys_cond_wait_for(&s.changed, &s.lock, 0));
    CHECK(!iso__sys_cond_wait_for(&s.changed, &s.lock, -1));
    iso__sys_mutex_unlock(&s.lock);
    end(&s);
}

static void set_number(void *arg)
{
    shared *self = arg;

    iso__sys_mutex_lock(&self->lock);
    self->number = 1;
    iso__sys_cond_wake_one(&self->changed);
    iso__sys_mutex_unlock(&self->lock);
}

KIT_TEST(a_wait_with_a_time_is_woken)
{
    static const iso_nsec times[] = { ISO_S(20), ISO_FOREVER, ISO_FOREVER - 1 };
    size_t at;

    for (at = 0; at < ISO__COUNT(times); at++) {
        shared s;
        bool in_time = true;

        init(&s);
        iso__sys_mutex_lock(&s.lock);
        kit_thread(k, set_number, &s);
        while (s.number == 0 && in_time)
            in_time = iso__sys_cond_wait_for(&s.changed, &s.lock, times[at]);
        CHECK_EQ(s.number, 1);
        iso__sys_mutex_unlock(&s.lock);
        kit_join_all(k);
        end(&s);
    }
}

/* ---- threads ---- */

enum { LARGE = 3 << 20 };

static void use_stack(void *arg)
{
    volatile char bytes[LARGE];
    size_t at;

    for (at = 0; at < LARGE; at += 1024) bytes[at] = (char)at;
    *(char *)arg = bytes[1024 * 5];
}

KIT_TEST(a_thread_has_the_stack_that_was_asked_for)
{
    iso__thread thread;
    char got = 1;

    REQUIRE_OK(iso__sys_thread_start_sized(&thread, use_stack, &got, 2 * (size_t)LARGE));
    iso__sys_thread_join(thread);
    CHECK_EQ(got, (char)(1024 * 5));
}

static void mark(void *arg)
{
    iso__sys_thread_set_name("a name that is too long for most");
    kit_gate_open(arg);
}

KIT_TEST(a_small_stack_is_made_large_enough)
{
    kit_gate *ran = kit_gate_new(k);
    iso__thread thread;

    REQUIRE_OK(iso__sys_thread_start_sized(&thread, mark, ran, 1));
    iso__sys_thread_join(thread);
    kit_gate_wait(ran);
}

KIT_TEST(a_stack_that_no_machine_has_is_refused)
{
    static const size_t sizes[] = { SIZE_MAX / 2, SIZE_MAX };
    size_t at;

    for (at = 0; at < ISO__COUNT(sizes); at++) {
        iso__thread thread;
        int rc = iso__sys_thread_start_sized(&thread, mark, NULL, sizes[at]);

        CHECK(rc == ISO_ENOMEM || rc == ISO_EAGAIN || rc == ISO_EINVAL);
    }
}

static iso__atomic_u32 detached_runs;

static void count_run(void *arg)
{
    (void)arg;
    (void)iso__atomic_add_u32(&detached_runs, 1);
}

KIT_TEST(a_detached_thread_runs_and_goes)
{
    iso_nsec begin = kit_now();
    iso__thread thread;

    iso__atomic_store_u32(&detached_runs, 0);
    REQUIRE_OK(iso__sys_thread_start(&thread, count_run, NULL));
    iso__sys_thread_detach(thread);
    while (iso__atomic_load_u32(&detached_runs) == 0 && kit_now() - begin < ISO_S(30)) {}
    CHECK_EQ(iso__atomic_load_u32(&detached_runs), 1);
}

KIT_TEST(there_is_a_processor)
{
    CHECK_GE(iso__sys_cpu_count(), 1);
}

static const kit_case cases[] = {
    KIT_CASE(two_threads_take_turns),
    KIT_CASE(wake_all_wakes_all),
    KIT_CASE(a_wait_ends_with_its_time_and_has_the_lock),
    KIT_CASE(a_wait_with_a_time_is_woken),
    KIT_CASE(a_thread_has_the_stack_that_was_asked_for),
    KIT_CASE(a_small_stack_is_made_large_enough),
    KIT_CASE(a_stack_that_no_machine_has_is_refused),
    KIT_CASE(a_detached_thread_runs_and_goes),
    KIT_CASE(there_is_a_processor),
};

KIT_MAIN(cases)
