/* SPDX-License-Identifier: MIT */
#include "loop/executor.h"

#include "base/alloc.h"
#include "loop/future.h"
#include "loop/loop.h"

/* ---- executors ---- */

struct iso_executor {
    const iso_executor_class *kind;
    void *self;
    iso_allocator allocator;
    iso__atomic_u32 references; /* of the program's, of loops, and one of each job */
    unsigned fork_count;        /* of the process that made it */
};

int iso__executor_new(iso_executor **out, const iso_executor_class *kind, void *self,
                      const iso_allocator *allocator)
{
    iso_executor *executor = iso__alloc_zero(allocator, sizeof(*executor));

    if (executor == NULL) return ISO_ENOMEM;
    executor->kind = kind;
    executor->self = self;
    executor->allocator = *allocator;
    executor->fork_count = iso__sys_fork_count();
    iso__atomic_store_u32(&executor->references, 1);
    *out = executor;
    return 0;
}

int iso_executor_new_custom(iso_executor **out, const iso_executor_class *kind, void *self)
{
    if (out == NULL || kind == NULL || kind->name == NULL || kind->submit == NULL ||
        kind->shutdown == NULL || kind->close == NULL)
        return iso__error_set(ISO_EINVAL, "an executor has a name, and no empty slot but withdraw");
    return iso__executor_new(out, kind, self, &iso__default_allocator);
}

void *iso__executor_self(const iso_executor *executor, const iso_executor_class *kind)
{
    return executor->kind == kind ? executor->self : NULL;
}

/* Its threads are the parent's, and so may be whoever has its lock. */
static bool is_forked(const iso_executor *executor)
{
    return executor->fork_count != iso__sys_fork_count();
}

iso_executor *iso_executor_ref(iso_executor *executor)
{
    (void)iso__atomic_add_u32(&executor->references, 1);
    return executor;
}

void iso_executor_release(iso_executor *executor)
{
    iso_allocator allocator;

    if (executor == NULL || is_forked(executor)) return;
    if (iso__atomic_add_u32(&executor->references, UINT32_MAX) != 1) return;
    allocator = executor->allocator;
    executor->kind->close(executor->self);
    iso__free(&allocator, executor, sizeof(*executor));
}

int iso_executor_shutdown(iso_executor *executor, bool wait, bool cancel_futures)
{
    if (executor == NULL) return ISO_EINVAL;
    if (is_forked(executor)) return ISO_EFORKED;
    return executor->kind->shutdown(executor->self, wait, cancel_futures);
}

/* ---- jobs ----
 *
 * A job is freed by the executor's side when the loop has forgotten it, or has closed; else by the
 * loop, when its node runs, or when it took it out of the queue. */

static void free_job(iso_job *job, bool is_dropped)
{
    iso_executor *executor = job->executor;
    iso__port *port = job->port;
    iso_work_drop drop = is_dropped ? job->drop : NULL;
    void *arg = job->arg;
    void *result = job->result;

    iso__free(&executor->allocator, job, sizeof(*job));
    iso__port_release(port);
    iso_executor_release(executor);
    if (drop != NULL) drop(arg, result);
}

static void run_job(iso__engine *engine, iso__node *node)
{
    iso_job *job = ISO__CONTAINER(node, iso_job, node);
    iso__errand *errand = job->errand;
    iso__outcome outcome;
    bool is_taken = false;

    (void)engine;
    outcome.is_cancelled = iso__atomic_load_u32(&job->state) == ISO__JOB_REFUSED;
    outcome.rc = job->rc;
    outcome.result = job->result;
    if (errand != NULL) {
        errand->job = NULL;
        is_taken = errand->told(errand, &outcome);
    }
    free_job(job, !is_taken);
}

static void deliver(iso_job *job)
{
    if (!iso__port_post(job->port, &job->node)) free_job(job, true);
}

static bool leave_waiting(iso_job *job, iso__job_state state)
{
    uint32_t waiting = ISO__JOB_WAITING;

    return iso__atomic_cas_u32(&job->state, &waiting, (uint32_t)state);
}

bool iso_job_begin(iso_job *job)
{
    if (leave_waiting(job, ISO__JOB_BEGUN)) return true;
    free_job(job, false);
    return false;
}

iso_work iso_job_work(const iso_job *job)
{
    return job->work;
}

void *iso_job_arg(const iso_job *job)
{
    return job->arg;
}

void iso_job_end(iso_job *job, int rc, void *result)
{
    job->rc = rc;
    job->result = result;
    deliver(job);
}

void iso_job_run(iso_job *job)
{
    void *result = NULL;
    int rc;

    if (!iso_job_begin(job)) return;
    rc = job->work(job->arg, &result);
    iso_job_end(job, rc, result);
}

void iso_job_cancel(iso_job *job)
{
    if (leave_waiting(job, ISO__JOB_REFUSED))
        deliver(job);
    else
        free_job(job, false);
}

/* ---- errands ---- */

static int new_job(iso_job **out, iso_loop *loop, iso_executor *executor,
                   const iso_work_options *work)
{
    iso_job *job = iso__alloc_zero(&executor->allocator, sizeof(*job));
    int rc;

    if (job == NULL) return ISO_ENOMEM;
    rc = iso__port_of(loop, &job->port);
    if (rc != 0) {
        iso__free(&executor->allocator, job, sizeof(*job));
        return rc;
    }
    job->node.run = run_job;
    job->executor = iso_executor_ref(executor);
    job->work = work->work;
    job->drop = work->drop;
    job->arg = work->arg;
    *out = job;
    return 0;
}

int iso__errand_start(iso__errand *self, iso_executor *executor, const iso_work_options *work)
{
    iso_job *job;
    int rc;

    if (is_forked(executor)) return ISO_EFORKED;
    rc = new_job(&job, self->object.loop, executor, work);
    if (rc != 0) return rc;
    self->job = job;
    job->errand = self; /* before: it may be done at once */
    rc = executor->kind->submit(executor->self, job);
    if (rc == 0) return 0;
    self->job = NULL;
    free_job(job, false);
    return rc;
}

void iso__errand_cancel(iso__errand *self)
{
    iso_job *job = self->job;
    const iso_executor *executor;
    iso_work_drop drop;
    void *arg;

    if (job == NULL) return;
    self->job = NULL;
    job->errand = NULL;
    executor = job->executor;
    if (executor->kind->withdraw != NULL && executor->kind->withdraw(executor->self, job)) {
        free_job(job, true);
        return;
    }
    drop = job->drop;
    arg = job->arg;
    /* If it waits still, it is the executor's to free, at any moment. If not, its node comes. */
    if (leave_waiting(job, ISO__JOB_FORGOTTEN) && drop != NULL) drop(arg, NULL);
}

/* ---- a loop's own ---- */

static int make_pool(iso_executor **out, const char *name, int max_workers)
{
    iso_thread_pool_executor_options options = ISO_THREAD_POOL_EXECUTOR_OPTIONS_INIT;

    if (*out != NULL) return 0;
    options.thread_name_prefix = name;
    options.max_workers = max_workers;
    return iso_thread_pool_executor_new(out, &options);
}

/* Names that are slow must not keep back other work, nor the other way round. Who waits for a name
 * service waits for seconds, and takes no processor meanwhile. */
int iso__executor_of_names(iso_loop *loop, iso_executor **out)
{
    enum { NAMES_AT_ONCE = 8 };
    int rc = make_pool(&loop->executor_of_names, "iso-names", NAMES_AT_ONCE);

    if (rc == 0) *out = loop->executor_of_names;
    return rc;
}

static int default_executor(iso_loop *loop, iso_executor **out)
{
    int rc;

    if (loop->is_executor_shut)
        return iso__error_set(ISO_ECLOSED, "the default executor was shut down");
    rc = make_pool(&loop->executor, NULL, 0);
    if (rc == 0) *out = loop->executor;
    return rc;
}

int iso_loop_set_default_executor(iso_loop *loop, iso_executor *executor)
{
    iso_executor *before;
    int rc;

    if (loop == NULL || executor == NULL) return ISO_EINVAL;
    rc = iso__loop_check(loop);
    if (rc == 0 && is_forked(executor)) rc = ISO_EFORKED;
    if (rc != 0) return rc;
    before = loop->executor;
    loop->executor = iso_executor_ref(executor);
    iso_executor_release(before);
    return 0;
}

void iso__executors_close(iso_loop *loop)
{
    iso_executor *executor = loop->executor;
    iso_executor *of_names = loop->executor_of_names;

    loop->executor = NULL;
    loop->executor_of_names = NULL;
    if (executor != NULL) (void)iso_executor_shutdown(executor, false, false);
    iso_executor_release(executor);
    iso_executor_release(of_names);
}

/* ---- run_in_executor ---- */

typedef struct order {
    iso__errand errand;
    iso_future *future;
} order;

static void cancel_order(void *operation)
{
    order *self = operation;
    iso_future *future = self->future;

    self->future = NULL;
    iso__object_ref(&self->errand.object);
    iso__object_close(&self->errand.object);
    iso__future_end_error(future, ISO_ECANCELED);
    iso__errand_cancel(&self->errand); /* last: it may call `drop` */
    iso__object_unref(&self->errand.object);
}

static void abandon_order(iso__object *object)
{
    iso__future_abandon(((order *)object)->future);
}

static void finish_order(iso__object *object)
{
    (void)object; /* the job goes its own way */
}

static const iso__object_class order_class = {
    .name = "work in an executor",
    .abandon = abandon_order,
    .finish = finish_order,
    .size = sizeof(order),
};

static bool order_told(iso__errand *errand, const iso__outcome *outcome)
{
    order *self = (order *)errand;
    iso_future *future = self->future;
    bool is_taken = iso__future_is_awaited(future);

    if (outcome->is_cancelled) {
        iso__future_abandon(future);
        return false;
    }
    self->future = NULL;
    iso__object_close(&errand->object);
    if (outcome->rc < 0)
        iso__future_end_error(future, outcome->rc);
    else
        iso__future_end_result(future, outcome->rc, outcome->result);
    return is_taken;
}

static int start_order(iso_loop *loop, iso_executor *executor, const iso_work_options *work,
                       iso_future **out)
{
    order *self = iso__object_new(loop, &order_class);
    int rc;

    if (self == NULL) return ISO_ENOMEM;
    self->errand.told = order_told;
    rc = iso__future_start(loop, cancel_order, self, &self->future);
    if (rc == 0) rc = iso__errand_start(&self->errand, executor, work);
    if (rc == 0) {
        iso__object_open(&self->errand.object);
        iso__future_give(self->future, out);
    } else {
        iso_future_release(self->future);
    }
    iso__object_unref(&self->errand.object); /* the loop's reference keeps it */
    return rc;
}

int iso_loop_submit(iso_loop *loop, iso_executor *executor, const iso_work_options *given,
                    iso_future **out)
{
    iso_work_options options = ISO_WORK_OPTIONS_INIT;
    int rc;

    if (loop == NULL || given == NULL) return ISO_EINVAL;
    rc = iso__loop_check(loop);
    if (rc != 0) return rc;
    iso__options_copy(&options, sizeof(options), given, given->size);
    if (options.work == NULL) return ISO_EINVAL;
    if (executor == NULL) rc = default_executor(loop, &executor);
    return rc != 0 ? rc : start_order(loop, executor, &options, out);
}

int iso_loop_run_in_executor(iso_loop *loop, iso_executor *executor, iso_work work, void *arg,
                             iso_future **out)
{
    iso_work_options options = ISO_WORK_OPTIONS_INIT;

    options.work = work;
    options.arg = arg;
    return iso_loop_submit(loop, executor, &options, out);
}
