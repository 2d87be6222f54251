/* SPDX-License-Identifier: MIT */
#include "loop/child_watcher.h"

#include "base/alloc.h"
#include "engine/poller.h"
#include "loop/loop.h"
#include "loop/thread_state.h"
#include "sys/child.h"
#include "sys/thread.h"

/* ---- the threaded watcher ----
 *
 * A child has an object of the loop, and a thread, which may have to wait longer than the loop
 * lives. What lies between the two is memory of malloc's, which the last of them frees. */

typedef struct handler handler;

typedef struct vigil {
    iso__mutex lock;
    handler *handler; /* under `lock`; NULL: it was told, or its loop has closed */
    iso__atomic_u32 references;
} vigil;

struct handler {
    iso__object object;
    iso__node node; /* posted by the thread, and written before: */
    int returncode;
    bool is_known;
    bool has_ended; /* that it has posted; under the vigil's lock */
    vigil *vigil;
    int64_t pid;
    iso_child_callback callback; /* NULL: removed */
    void *arg;
};

static void let_go(vigil *self)
{
    if (iso__atomic_add_u32(&self->references, UINT32_MAX) != 1) return;
    iso__sys_mutex_close(&self->lock);
    iso__free(&iso__default_allocator, self, sizeof(*self));
}

/* In the thread. Under the lock the loop neither closes nor has done with the node. */
static void child_ended(void *arg, int rc, int returncode)
{
    vigil *self = arg;
    handler *told;

    iso__sys_mutex_lock(&self->lock);
    told = self->handler;
    if (told != NULL) {
        told->returncode = returncode;
        told->is_known = rc == 0;
        told->has_ended = true;
        iso__engine_post(&told->object.loop->engine, &told->node);
    }
    iso__sys_mutex_unlock(&self->lock);
    let_go(self);
}

/* Answers whether the thread has posted; it does not from here on, and is not about to. */
static bool part(handler *self)
{
    bool has_ended;

    iso__sys_mutex_lock(&self->vigil->lock);
    self->vigil->handler = NULL;
    has_ended = self->has_ended;
    iso__sys_mutex_unlock(&self->vigil->lock);
    return has_ended;
}

static void run_ended(iso__engine *engine, iso__node *node)
{
    handler *self = ISO__CONTAINER(node, handler, node);
    iso_child_callback callback = engine->is_closing ? NULL : self->callback;
    void *arg = self->arg;
    int64_t pid = self->pid;
    int returncode;

    (void)part(self);
    returncode = self->returncode;
    if (callback != NULL && !self->is_known)
        iso__log(&engine->logger, ISO_LOG_WARNING,
                 "child %lld is unknown, or was reaped elsewhere; its code is told as %d",
                 (long long)pid, returncode);
    iso__object_close(&self->object);
    iso__object_unref(&self->object); /* the node's */
    if (callback != NULL) callback(pid, returncode, arg);
}

/* A node that was posted is in the inbox, and runs while the engine closes. */
static void abandon_handler(iso__object *object)
{
    bool has_ended = part((handler *)object);

    iso__object_close(object);
    if (!has_ended) iso__object_unref(object);
}

static void finish_handler(iso__object *object)
{
    handler *self = (handler *)object;

    if (self->vigil != NULL) let_go(self->vigil);
}

static const iso__object_class handler_class = {
    .name = "child handler",
    .abandon = abandon_handler,
    .finish = finish_handler,
    .size = sizeof(handler),
};

static int begin_vigil(handler *self)
{
    vigil *made = iso__alloc_zero(&iso__default_allocator, sizeof(*made));
    int rc;

    if (made == NULL) return ISO_ENOMEM;
    iso__sys_mutex_init(&made->lock);
    made->handler = self;
    iso__atomic_store_u32(&made->references, 2);
    self->vigil = made;
    rc = iso__sys_child_watch(self->pid, child_ended, made);
    if (rc != 0) let_go(made);
    return rc;
}

static int add_new(iso_loop *loop, int64_t pid, iso_child_callback callback, void *arg)
{
    handler *self = iso__object_new(loop, &handler_class);
    int rc;

    if (self == NULL) return ISO_ENOMEM;
    self->node.run = run_ended;
    self->pid = pid;
    self->callback = callback;
    self->arg = arg;
    iso__object_open(&self->object);
    rc = begin_vigil(self);
    if (rc == 0) return 0;
    iso__object_close(&self->object);
    iso__object_unref(&self->object);
    return rc;
}

/* The newest: an older one has ended, and its number is another child's. */
static handler *find(const iso_loop *loop, int64_t pid)
{
    const iso__link *at;

    for (at = loop->objects.prev; at != &loop->objects; at = at->prev) {
        handler *self = (handler *)ISO__CONTAINER(at, iso__object, link);

        if (self->object.kind == &handler_class && self->pid == pid) return self;
    }
    return NULL;
}

/* The current loop, if it may be used from here and has child watchers. */
static int current_loop(iso_loop **out)
{
    iso_loop *loop = NULL;
    int rc = iso_get_event_loop(&loop);

    if (rc == 0) rc = iso__loop_check(loop);
    if (rc != 0) return rc;
    if (iso__limits_enforced(&loop->engine.limits, ISO__ROW_WINDOWS_CHILD_WATCHER))
        return iso__limits_refuse(&loop->engine.limits, ISO__ROW_WINDOWS_CHILD_WATCHER, 0);
    *out = loop;
    return 0;
}

/* The system may give the number of a child that was reaped, and is not told yet, to a new one. */
static bool is_another_now(handler *self)
{
    bool has_ended;

    iso__sys_mutex_lock(&self->vigil->lock);
    has_ended = self->has_ended;
    iso__sys_mutex_unlock(&self->vigil->lock);
    return has_ended && iso__sys_child_exists(self->pid);
}

static int threaded_add(const iso_child_watcher *watcher, int64_t pid, iso_child_callback callback,
                        void *arg)
{
    iso_loop *loop;
    handler *found;
    int rc = current_loop(&loop);

    (void)watcher;
    if (rc != 0) return rc;
    if (pid <= 0 || callback == NULL) return ISO_EINVAL;
    found = find(loop, pid);
    if (found == NULL || is_another_now(found)) return add_new(loop, pid, callback, arg);
    found->callback = callback;
    found->arg = arg;
    return 0;
}

static int threaded_remove(const iso_child_watcher *watcher, int64_t pid)
{
    iso_loop *loop;
    handler *found;
    int rc = current_loop(&loop);

    (void)watcher;
    if (rc != 0) return rc;
    found = find(loop, pid);
    if (found == NULL || found->callback == NULL) return ISO_ENOENT;
    found->callback = NULL;
    return 0;
}

static int threaded_attach(const iso_child_watcher *watcher, iso_loop *loop)
{
    (void)watcher;
    (void)loop;
    return 0;
}

static void threaded_close(const iso_child_watcher *watcher)
{
    (void)watcher;
}

static bool threaded_is_active(const iso_child_watcher *watcher)
{
    (void)watcher;
    return true;
}

static const iso_child_watcher threaded = {
    .name = "threaded",
    .add_child_handler = threaded_add,
    .remove_child_handler = threaded_remove,
    .attach_loop = threaded_attach,
    .close = threaded_close,
    .is_active = threaded_is_active,
    .context = NULL,
};

const iso_child_watcher *iso_threaded_child_watcher(void)
{
    return &threaded;
}

/* ---- the watcher of the process ---- */

static iso__atomic_ptr chosen_watcher; /* NULL: the threaded one */

int iso__child_watcher_check(void)
{
    const iso_limit *row = &iso_limits(NULL)[ISO__ROW_WINDOWS_CHILD_WATCHER];
    iso__thread_state *state;
    iso_loop *loop;
    int rc = iso__thread_state_get(&state);

    if (rc != 0) return rc;
    loop = state->running != NULL ? state->running : state->current;
    if (iso__platform != ISO__ON_WINDOWS &&
        (loop == NULL ||
         !iso__limits_enforced(&loop->engine.limits, ISO__ROW_WINDOWS_CHILD_WATCHER)))
        return 0;
    if (loop != NULL && iso__loop_check_thread(loop) == 0) /* it may run in another thread */
        (void)iso__limits_refuse(&loop->engine.limits, ISO__ROW_WINDOWS_CHILD_WATCHER, 0);
    return iso__error_set((int)row->error, "%s: %s", row->id, row->text);
}

int iso__child_watcher_get(const iso_child_watcher **out)
{
    const iso_child_watcher *chosen = iso__atomic_load_ptr(&chosen_watcher);

    *out = chosen != NULL ? chosen : &threaded;
    return 0;
}

static bool is_whole(const iso_child_watcher *watcher)
{
    return watcher->name != NULL && watcher->add_child_handler != NULL &&
           watcher->remove_child_handler != NULL && watcher->attach_loop != NULL &&
           watcher->close != NULL && watcher->is_active != NULL;
}

int iso__child_watcher_set(const iso_child_watcher *watcher)
{
    const iso_child_watcher *before;

    if (watcher != NULL && !is_whole(watcher))
        return iso__error_set(ISO_EINVAL, "a child watcher has a name, and no empty slot");
    before = iso__atomic_exchange_ptr(&chosen_watcher, (void *)(uintptr_t)watcher);
    if (before != NULL && before != watcher) before->close(before);
    return 0;
}

int iso__child_watcher_attach(iso_loop *loop)
{
    const iso_child_watcher *chosen = iso__atomic_load_ptr(&chosen_watcher);

    if (chosen == NULL || !iso__sys_is_main_thread()) return 0;
    return chosen->attach_loop(chosen, loop);
}
