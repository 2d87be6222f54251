/* SPDX-License-Identifier: MIT */
/* The executor that asyncio has by default: threads that take jobs from one queue. */
#include "loop/thread_pool.h"

#include "base/alloc.h"
#include "base/error.h"
#include "loop/executor.h"
#include "sys/thread.h"

#include <stdio.h>
#include <string.h>

/* CPython's ThreadPoolExecutor: work that blocks wants more threads than there are processors, but
 * not hundreds of them. */
enum { MOST_BY_DEFAULT = 32, MORE_THAN_PROCESSORS = 4 };

typedef struct pool pool;

/* A thread, from its start until somebody has joined it. */
typedef struct worker {
    iso__link link; /* among those that live, or those that have ended */
    pool *owner;
    iso__thread thread;
    uintptr_t id; /* 0: it has not begun yet */
    unsigned number;
} worker;

/* Everything from `jobs` on is under the lock. Threads end when the pool is shut down, and wait to
 * be joined: by whoever waits for the shutdown, by the last release, or, when that comes before
 * their end, by the last of them, which then frees the pool. */
struct pool {
    iso_allocator allocator;
    int (*initializer)(void *arg);
    void *initializer_arg;
    size_t stack_bytes;
    int max_workers;
    char name[ISO__THREAD_NAME_MAX + 1];

    iso__mutex lock;
    iso__cond has_work; /* a job, or the end */
    iso__cond has_ended;
    iso__link jobs;
    int waiting; /* so many jobs, */
    int idle;    /* and so many threads that will look for one */
    int living;
    int joining; /* threads that have ended and are being joined */
    iso__link workers;
    iso__link ended;
    unsigned next_number;
    int broken; /* 0, or what the initializer failed with */
    bool is_shut;
    bool is_abandoned; /* the last reference has gone */
};

/* ---- threads ---- */

static iso_job *next_job(pool *self)
{
    while (iso__list_empty(&self->jobs)) {
        if (self->is_shut || self->broken != 0) return NULL;
        iso__sys_cond_wait(&self->has_work, &self->lock);
    }
    self->waiting--;
    return ISO__CONTAINER(iso__list_pop(&self->jobs), iso_job, node.link);
}

static void do_jobs(pool *self)
{
    iso_job *job;

    while ((job = next_job(self)) != NULL) {
        job->is_queued = false;
        self->idle--;
        iso__sys_mutex_unlock(&self->lock);
        iso_job_run(job);
        iso__sys_mutex_lock(&self->lock);
        self->idle++;
    }
}

/* Under the lock: what waits, which is the caller's from here on. A loop that wants one of them
 * back finds it begun, or cancels it before the caller does. */
static void take_jobs(pool *self, iso__link *out)
{
    iso__link *link;

    iso__list_init(out);
    iso__list_splice(out, &self->jobs);
    for (link = out->next; link != out; link = link->next)
        ISO__CONTAINER(link, iso_job, node.link)->is_queued = false;
    self->waiting = 0;
}

static void break_pool(pool *self, int rc)
{
    iso__link jobs;
    iso__link *link;

    iso__sys_mutex_lock(&self->lock);
    if (self->broken == 0) self->broken = rc;
    take_jobs(self, &jobs);
    iso__sys_cond_wake_all(&self->has_work);
    iso__sys_mutex_unlock(&self->lock);
    while ((link = iso__list_pop(&jobs)) != NULL) {
        iso_job *job = ISO__CONTAINER(link, iso_job, node.link);

        if (iso_job_begin(job)) iso_job_end(job, ISO_EBROKENPOOL, NULL);
    }
}

static void join_worker(pool *self, worker *one)
{
    iso__sys_thread_join(one->thread);
    iso__free(&self->allocator, one, sizeof(*one));
}

/* Nobody else knows it any more. */
static void free_pool(pool *self)
{
    iso_allocator allocator = self->allocator;
    iso__link *link;

    while ((link = iso__list_pop(&self->ended)) != NULL)
        join_worker(self, ISO__CONTAINER(link, worker, link));
    iso__sys_cond_close(&self->has_ended);
    iso__sys_cond_close(&self->has_work);
    iso__sys_mutex_close(&self->lock);
    iso__free(&allocator, self, sizeof(*self));
}

/* The last thing that a thread does. Under the lock, which is given up. */
static void leave(worker *self)
{
    pool *owner = self->owner;
    bool is_last;

    owner->idle--;
    owner->living--;
    is_last = owner->is_abandoned && owner->living == 0;
    iso__list_remove(&self->link);
    if (!is_last) iso__list_push(&owner->ended, &self->link);
    iso__sys_cond_wake_all(&owner->has_ended);
    iso__sys_mutex_unlock(&owner->lock);
    if (!is_last) return;
    iso__sys_thread_detach(self->thread);
    iso__free(&owner->allocator, self, sizeof(*self));
    free_pool(owner);
}

/* "iso-pool_7", short enough for the system without losing the number. */
static void name_thread(const worker *self)
{
    char number[12];
    char name[ISO__THREAD_NAME_MAX + 1];
    int left;

    (void)snprintf(number, sizeof(number), "_%u", self->number);
    left = ISO__THREAD_NAME_MAX - (int)strlen(number);
    (void)snprintf(name, sizeof(name), "%.*s%s", left, self->owner->name, number);
    iso__sys_thread_set_name(name);
}

static void live(void *arg)
{
    worker *self = arg;
    pool *owner = self->owner;
    int rc;

    iso__sys_mutex_lock(&owner->lock);
    self->id = iso__sys_thread_id();
    iso__sys_mutex_unlock(&owner->lock);
    name_thread(self);
    rc = owner->initializer != NULL ? owner->initializer(owner->initializer_arg) : 0;
    if (rc < 0) break_pool(owner, rc);
    iso__sys_mutex_lock(&owner->lock);
    do_jobs(owner);
    leave(self);
}

/* Under the lock, which the thread waits for: so it finds what is written here. */
static int add_worker(pool *self)
{
    worker *one = iso__alloc_zero(&self->allocator, sizeof(*one));
    int rc;

    if (one == NULL) return ISO_ENOMEM;
    one->owner = self;
    one->number = self->next_number;
    rc = iso__sys_thread_start_sized(&one->thread, live, one, self->stack_bytes);
    if (rc != 0) {
        iso__free(&self->allocator, one, sizeof(*one));
        return rc;
    }
    iso__list_push(&self->workers, &one->link);
    self->next_number++;
    self->living++;
    self->idle++;
    return 0;
}

/* ---- the class ---- */

static int refuse(const pool *self)
{
    if (self->is_shut) return iso__error_set(ISO_ECLOSED, "the executor was shut down");
    if (self->broken != 0)
        return iso__error_set(ISO_EBROKENPOOL, "the initializer of a thread failed: %s",
                              iso_strerror(self->broken));
    return 0;
}

/* A thread that is started, or was woken, and has no job yet counts as idle: so there are never
 * more threads than jobs. Without a new one the job waits for those that there are. */
static int take_job(pool *self, iso_job *job)
{
    int rc = refuse(self);

    if (rc != 0) return rc;
    if (self->waiting >= self->idle && self->living < self->max_workers) {
        rc = add_worker(self);
        if (rc != 0 && self->living == 0) return rc;
    }
    iso__list_push(&self->jobs, &job->node.link);
    job->is_queued = true;
    self->waiting++;
    iso__sys_cond_wake_one(&self->has_work);
    return 0;
}

static int submit(void *arg, iso_job *job)
{
    pool *self = arg;
    int rc;

    iso__sys_mutex_lock(&self->lock);
    rc = take_job(self, job);
    iso__sys_mutex_unlock(&self->lock);
    return rc;
}

static bool withdraw(void *arg, iso_job *job)
{
    pool *self = arg;
    bool is_ours;

    iso__sys_mutex_lock(&self->lock);
    is_ours = job->is_queued;
    if (is_ours) {
        iso__list_remove(&job->node.link);
        job->is_queued = false;
        self->waiting--;
    }
    iso__sys_mutex_unlock(&self->lock);
    return is_ours;
}

/* Under the lock. */
static bool is_own_thread(const pool *self)
{
    uintptr_t id = iso__sys_thread_id();
    const iso__link *at;

    for (at = self->workers.next; at != &self->workers; at = at->next) {
        if (ISO__CONTAINER(at, const worker, link)->id == id) return true;
    }
    return false;
}

/* Under the lock, but while it waits. */
static void join_all(pool *self)
{
    while (self->living > 0 || self->joining > 0 || !iso__list_empty(&self->ended)) {
        iso__link *link = iso__list_pop(&self->ended);

        if (link == NULL) {
            iso__sys_cond_wait(&self->has_ended, &self->lock);
            continue;
        }
        self->joining++;
        iso__sys_mutex_unlock(&self->lock);
        join_worker(self, ISO__CONTAINER(link, worker, link));
        iso__sys_mutex_lock(&self->lock);
        self->joining--;
        iso__sys_cond_wake_all(&self->has_ended);
    }
}

static int wait_for_threads(pool *self)
{
    int rc = 0;

    iso__sys_mutex_lock(&self->lock);
    if (is_own_thread(self))
        rc = iso__error_set(ISO_EINVALIDSTATE, "a thread of the pool cannot wait for its own end");
    else
        join_all(self);
    iso__sys_mutex_unlock(&self->lock);
    return rc;
}

static int shut_down(void *arg, bool wait, bool cancel_futures)
{
    pool *self = arg;
    iso__link jobs;
    iso__link *link;

    iso__list_init(&jobs);
    iso__sys_mutex_lock(&self->lock);
    self->is_shut = true;
    if (cancel_futures) take_jobs(self, &jobs);
    iso__sys_cond_wake_all(&self->has_work);
    iso__sys_mutex_unlock(&self->lock);
    while ((link = iso__list_pop(&jobs)) != NULL)
        iso_job_cancel(ISO__CONTAINER(link, iso_job, node.link));
    return wait ? wait_for_threads(self) : 0;
}

static void close_pool(void *arg)
{
    pool *self = arg;
    bool is_alive;

    iso__sys_mutex_lock(&self->lock);
    self->is_shut = true;
    self->is_abandoned = true;
    is_alive = self->living > 0;
    iso__sys_cond_wake_all(&self->has_work);
    iso__sys_mutex_unlock(&self->lock);
    if (!is_alive) free_pool(self);
}

static const iso_executor_class thread_pool_class = {
    .name = "thread pool",
    .submit = submit,
    .withdraw = withdraw,
    .shutdown = shut_down,
    .close = close_pool,
};

/* ---- making ---- */

static int choose_max(int wanted)
{
    int by_default;

    if (wanted > 0) return wanted;
    by_default = iso__sys_cpu_count() + MORE_THAN_PROCESSORS;
    return by_default < MOST_BY_DEFAULT ? by_default : MOST_BY_DEFAULT;
}

static pool *new_pool(const iso_thread_pool_executor_options *options,
                      const iso_allocator *allocator)
{
    const char *prefix = options->thread_name_prefix;
    pool *self = iso__alloc_zero(allocator, sizeof(*self));

    if (self == NULL) return NULL;
    self->allocator = *allocator;
    self->initializer = options->initializer;
    self->initializer_arg = options->initializer_arg;
    self->stack_bytes = options->stack_bytes;
    self->max_workers = choose_max(options->max_workers);
    (void)snprintf(self->name, sizeof(self->name), "%s", prefix != NULL ? prefix : "iso-pool");
    iso__sys_mutex_init(&self->lock);
    iso__sys_cond_init(&self->has_work);
    iso__sys_cond_init(&self->has_ended);
    iso__list_init(&self->jobs);
    iso__list_init(&self->workers);
    iso__list_init(&self->ended);
    return self;
}

int iso_thread_pool_executor_new(iso_executor **out, const iso_thread_pool_executor_options *given)
{
    iso_thread_pool_executor_options options = ISO_THREAD_POOL_EXECUTOR_OPTIONS_INIT;
    const iso_allocator *allocator = &iso__default_allocator;
    pool *self;
    int rc;

    if (out == NULL) return ISO_EINVAL;
    if (given != NULL)
        memcpy(&options, given, given->size < sizeof(options) ? given->size : sizeof(options));
    if (options.max_workers < 0)
        return iso__error_set(ISO_EINVAL, "a pool of threads: max_workers is not negative");
    if (options.allocator != NULL) allocator = options.allocator;
    self = new_pool(&options, allocator);
    if (self == NULL) return ISO_ENOMEM;
    rc = iso__executor_new(out, &thread_pool_class, self, allocator);
    if (rc != 0) free_pool(self);
    return rc;
}

bool iso__thread_pool_look(const iso_executor *executor, iso__thread_pool_state *out)
{
    pool *self = iso__executor_self(executor, &thread_pool_class);

    if (self == NULL) return false;
    iso__sys_mutex_lock(&self->lock);
    out->threads = self->living;
    out->idle = self->idle;
    out->waiting = self->waiting;
    out->max_workers = self->max_workers;
    out->is_shut = self->is_shut;
    iso__sys_mutex_unlock(&self->lock);
    return true;
}
