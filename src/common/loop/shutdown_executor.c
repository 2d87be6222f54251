/* SPDX-License-Identifier: MIT */
/* shutdown_default_executor: a thread of its own waits for the executor, so that the loop need
 * not. */
#include "base/alloc.h"
#include "base/time.h"
#include "loop/executor.h"
#include "loop/future.h"
#include "loop/loop.h"

typedef struct waiting waiting;

/* The thread's, which may wait longer than the loop lives; in its turn the loop's. */
typedef struct watch {
    iso__node node;
    iso__port *port;
    iso_executor *executor;
    waiting *owner; /* the loop's thread's alone; NULL: nobody waits any more */
} watch;

struct waiting {
    iso__object object;
    iso_future *future;
    watch *watch;     /* NULL: it has come */
    iso_handle timer; /* stale without a timeout */
};

static void free_watch(watch *self)
{
    iso__port_release(self->port);
    iso_executor_release(self->executor);
    iso__free(&iso__default_allocator, self, sizeof(*self));
}

static void wait_for_end(void *arg)
{
    watch *self = arg;

    (void)iso_executor_shutdown(self->executor, true, false);
    if (!iso__port_post(self->port, &self->node)) free_watch(self);
}

/* ---- the loop's side ---- */

static iso_future *close_waiting(waiting *self)
{
    iso_future *future = self->future;

    self->future = NULL;
    if (self->watch != NULL) self->watch->owner = NULL;
    self->watch = NULL;
    (void)iso__engine_cancel(&self->object.loop->engine, self->timer);
    iso__object_close(&self->object);
    return future;
}

static void cancel_waiting(void *operation)
{
    iso__future_end_error(close_waiting(operation), ISO_ECANCELED);
}

static void abandon_waiting(iso__object *object)
{
    iso__future_abandon(((waiting *)object)->future);
}

static void finish_waiting(iso__object *object)
{
    (void)object;
}

static const iso__object_class waiting_class = {
    .name = "shutdown of an executor",
    .abandon = abandon_waiting,
    .finish = finish_waiting,
    .size = sizeof(waiting),
};

static void run_ended(iso__engine *engine, iso__node *node)
{
    watch *self = ISO__CONTAINER(node, watch, node);
    waiting *owner = self->owner;

    (void)engine;
    if (owner != NULL) iso__future_end_number(close_waiting(owner), 1);
    free_watch(self);
}

/* As CPython: what the threads do goes on, and they end by themselves. */
static void time_is_over(iso_loop *loop, void *arg)
{
    iso__log(&loop->engine.logger, ISO_LOG_WARNING,
             "the threads of the default executor did not end in the time that they had");
    iso__future_end_number(close_waiting(arg), 0);
}

/* ---- the call ---- */

static int start_watch(waiting *self, iso_executor *executor)
{
    watch *made = iso__alloc_zero(&iso__default_allocator, sizeof(*made));
    iso__thread thread;
    int rc;

    if (made == NULL) return ISO_ENOMEM;
    rc = iso__port_of(self->object.loop, &made->port);
    if (rc != 0) goto fail_port;
    made->node.run = run_ended;
    made->executor = iso_executor_ref(executor);
    made->owner = self;
    rc = iso__sys_thread_start(&thread, wait_for_end, made);
    if (rc != 0) goto fail_start;
    iso__sys_thread_detach(thread);
    self->watch = made;
    return 0;
fail_start:
    iso_executor_release(executor);
    iso__port_release(made->port);
fail_port:
    iso__free(&iso__default_allocator, made, sizeof(*made));
    return rc;
}

static int start_timer(waiting *self, iso_nsec timeout)
{
    iso__engine *engine = &self->object.loop->engine;

    if (timeout == ISO_FOREVER) return 0;
    return iso__engine_call_at(engine, iso__time_add(iso__engine_time(engine), timeout),
                               time_is_over, self, &self->timer);
}

static int start_waiting(iso_loop *loop, iso_nsec timeout, iso_future **out)
{
    waiting *self = iso__object_new(loop, &waiting_class);
    int rc;

    if (self == NULL) return ISO_ENOMEM;
    rc = iso__future_start(loop, cancel_waiting, self, &self->future);
    if (rc != 0) goto fail_future;
    rc = start_timer(self, timeout);
    if (rc != 0) goto fail_timer;
    rc = start_watch(self, loop->executor);
    if (rc != 0) goto fail_watch;
    iso__object_open(&self->object);
    iso__object_unref(&self->object); /* the loop's reference keeps it */
    iso__future_give(self->future, out);
    return 0;
fail_watch:
    (void)iso__engine_cancel(&loop->engine, self->timer);
fail_timer:
    iso_future_release(self->future);
fail_future:
    iso__object_unref(&self->object);
    return rc;
}

/* There never was one. */
static int end_at_once(iso_loop *loop, iso_future **out)
{
    iso_future *future;
    int rc = iso_loop_create_future(loop, &future);

    if (rc != 0) return rc;
    iso__future_give(future, out);
    iso__future_end_number(future, 1);
    return 0;
}

int iso_loop_shutdown_default_executor(iso_loop *loop, iso_nsec timeout, iso_future **out)
{
    int rc;

    if (loop == NULL) return ISO_EINVAL;
    rc = iso__loop_check(loop);
    if (rc != 0) return rc;
    rc = loop->executor == NULL ? end_at_once(loop, out) : start_waiting(loop, timeout, out);
    if (rc != 0) return rc;
    loop->is_executor_shut = true;
    if (loop->executor != NULL) (void)iso_executor_shutdown(loop->executor, false, false);
    return 0;
}
