/* SPDX-License-Identifier: MIT */
/* The built-in child watchers: one text, over each way to wait for a child. A child that is watched
 * is an object of the loop that was current when its handler was added. */
#include "loop/waited_child.h"
#include "loop/child_watcher.h"
#include "loop/loop.h"
#include "sys/child.h"

#include <string.h>

typedef struct handler {
    iso__object object;
    iso__child child;
    iso_child_callback callback; /* NULL: removed */
    void *arg;
} handler;

static void child_ended(iso__child *child, bool is_known, int returncode)
{
    handler *self = ISO__CONTAINER(child, handler, child);
    iso_child_callback callback = self->callback;
    void *arg = self->arg;
    int64_t pid = child->pid;

    if (callback != NULL && !is_known) iso__child_tell_unknown(child);
    iso__object_close(&self->object);
    if (callback != NULL) callback(pid, returncode, arg);
}

static void abandon_handler(iso__object *object)
{
    iso__child_leave(&((handler *)object)->child);
    iso__object_close(object);
}

static void finish_handler(iso__object *object)
{
    (void)object;
}

static const iso__object_class handler_class = {
    .name = "child handler",
    .abandon = abandon_handler,
    .finish = finish_handler,
    .size = sizeof(handler),
};

static int add_new(iso_loop *loop, const iso__child_kind *kind, int64_t pid,
                   iso_child_callback callback, void *arg)
{
    handler *self = iso__object_new(loop, &handler_class);
    int rc;

    if (self == NULL) return ISO_ENOMEM;
    self->child.pid = pid;
    self->child.ended = child_ended;
    self->callback = callback;
    self->arg = arg;
    rc = iso__child_watch(&self->child, kind, loop);
    if (rc == 0) iso__object_open(&self->object);
    iso__object_unref(&self->object); /* the loop's reference keeps it; or nothing does */
    return rc;
}

/* The newest: an older one has ended, and its number is another child's. */
static handler *find(const iso_loop *loop, int64_t pid)
{
    const iso__link *at;

    for (at = loop->objects.prev; at != &loop->objects; at = at->prev) {
        handler *self = (handler *)ISO__CONTAINER(at, iso__object, link);

        if (self->object.kind == &handler_class && self->child.pid == pid) return self;
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

/* Why this system does not have it; NULL: it has. A descriptor is a pidfd or a kqueue. */
static const char *why_not(const iso_child_watcher *watcher)
{
    const iso__child_kind *kind = watcher->context;
    const char *why = kind->lack();

    if (why != NULL || kind != &iso__child_by_descriptor) return why;
    return strcmp(watcher->name, iso__sys_child_descriptor_name()) == 0 ? NULL
                                                                        : "it is another system's";
}

/* ---- the slots ---- */

static int add(const iso_child_watcher *watcher, int64_t pid, iso_child_callback callback,
               void *arg)
{
    iso_loop *loop;
    handler *found;
    int rc = current_loop(&loop);

    if (rc == 0) rc = iso__child_watcher_check_system(watcher);
    if (rc != 0) return rc;
    if (pid <= 0 || pid > INT32_MAX || callback == NULL) return ISO_EINVAL;
    found = find(loop, pid);
    if (found == NULL || iso__child_is_another_now(&found->child))
        return add_new(loop, iso__child_kind_of(watcher), pid, callback, arg);
    found->callback = callback;
    found->arg = arg;
    return 0;
}

/* The child is waited for still, since nobody else would reap it. */
static int remove_handler(const iso_child_watcher *watcher, int64_t pid)
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

static int attach(const iso_child_watcher *watcher, iso_loop *loop)
{
    (void)watcher;
    (void)loop;
    return 0;
}

static void shut(const iso_child_watcher *watcher)
{
    (void)watcher;
}

static bool is_active(const iso_child_watcher *watcher)
{
    return why_not(watcher) == NULL;
}

/* ---- the watchers ---- */

#define WATCHER(called, way)                                                                       \
    {                                                                                              \
        .name = (called), .add_child_handler = add, .remove_child_handler = remove_handler,        \
        .attach_loop = attach, .close = shut, .is_active = is_active,                              \
        .context = (void *)(uintptr_t) & (way)                                                     \
    }

static const iso_child_watcher pidfd = WATCHER("pidfd", iso__child_by_descriptor);
static const iso_child_watcher kqueue = WATCHER("kqueue", iso__child_by_descriptor);
static const iso_child_watcher sigchld = WATCHER("sigchld", iso__child_by_signal);
static const iso_child_watcher threaded = WATCHER("threaded", iso__child_by_thread);

const iso__child_kind *iso__child_kind_of(const iso_child_watcher *watcher)
{
    return watcher->add_child_handler == add ? watcher->context : NULL;
}

int iso__child_watcher_check_system(const iso_child_watcher *watcher)
{
    const char *why = iso__child_kind_of(watcher) != NULL ? why_not(watcher) : NULL;

    if (why == NULL) return 0;
    return iso__error_set(ISO_ENOTSUP, "the child watcher %s: %s", watcher->name, why);
}

const iso_child_watcher *iso__child_watcher_best(void)
{
    const char *name = iso__sys_child_descriptor_name();

    if (name == NULL) return &threaded;
    return strcmp(name, kqueue.name) == 0 ? &kqueue : &pidfd;
}

const iso_child_watcher *iso_pidfd_child_watcher(void)
{
    return &pidfd;
}

const iso_child_watcher *iso_kqueue_child_watcher(void)
{
    return &kqueue;
}

const iso_child_watcher *iso_sigchld_child_watcher(void)
{
    return &sigchld;
}

const iso_child_watcher *iso_threaded_child_watcher(void)
{
    return &threaded;
}
