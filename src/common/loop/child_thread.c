/* SPDX-License-Identifier: MIT */
/* A thread for each child, which may have to wait longer than the loop lives. What lies between the
 * two is memory of malloc's, which the last of them frees.
 * Source: asyncio, ThreadedChildWatcher. */
#include "loop/waited_child.h"

#include "base/alloc.h"
#include "loop/loop.h"
#include "sys/child.h"
#include "sys/thread.h"

struct iso__child_vigil {
    iso__mutex lock;
    iso__child *child; /* under `lock`; NULL: it was left */
    bool has_posted;   /* under `lock`: that it has ended; the node holds the loop's reference */
    iso__node node;
    int64_t pid;
    iso__atomic_u32 references; /* the thread's, and the loop's */
};

static void let_go(iso__child_vigil *self)
{
    if (iso__atomic_add_u32(&self->references, UINT32_MAX) != 1) return;
    iso__sys_mutex_close(&self->lock);
    iso__free(&iso__default_allocator, self, sizeof(*self));
}

/* In the thread. Under the lock the loop neither closes nor leaves the child. */
static void child_ended(void *arg)
{
    iso__child_vigil *self = arg;
    bool is_left;

    iso__sys_mutex_lock(&self->lock);
    is_left = self->child == NULL;
    if (!is_left) {
        self->has_posted = true;
        iso__engine_post(&self->child->loop->engine, &self->node);
    }
    iso__sys_mutex_unlock(&self->lock);
    if (is_left) iso__sys_child_leave(self->pid);
    let_go(self);
}

static void run_posted(iso__engine *engine, iso__node *node)
{
    iso__child_vigil *self = ISO__CONTAINER(node, iso__child_vigil, node);
    iso__child *child;

    iso__sys_mutex_lock(&self->lock);
    child = self->child;
    self->child = NULL;
    iso__sys_mutex_unlock(&self->lock);
    let_go(self);
    if (child == NULL) return;
    child->by.vigil = NULL;
    child->node.run(engine, &child->node);
}

static const char *lack(void)
{
    return NULL;
}

static int begin(iso__child *child)
{
    iso__child_vigil *self = iso__alloc_zero(&iso__default_allocator, sizeof(*self));
    int rc;

    if (self == NULL) return ISO_ENOMEM;
    iso__sys_mutex_init(&self->lock);
    self->child = child;
    self->node.run = run_posted;
    self->pid = child->pid;
    iso__atomic_store_u32(&self->references, 2);
    rc = iso__sys_child_watch(child->pid, child_ended, self);
    if (rc != 0) {
        iso__sys_mutex_close(&self->lock);
        iso__free(&iso__default_allocator, self, sizeof(*self));
        return rc;
    }
    child->by.vigil = self;
    return 0;
}

static bool stop(iso__child *child)
{
    iso__child_vigil *self = child->by.vigil;
    bool has_posted;

    if (self == NULL) return false;
    child->by.vigil = NULL;
    iso__sys_mutex_lock(&self->lock);
    self->child = NULL;
    has_posted = self->has_posted;
    iso__sys_mutex_unlock(&self->lock);
    if (!has_posted) let_go(self); /* else the inbox has it, until the engine closes */
    return !has_posted;
}

static bool is_due(const iso__child *child)
{
    iso__child_vigil *self = child->by.vigil;
    bool has_posted;

    if (self == NULL) return iso__link_is_in(&child->node.link);
    iso__sys_mutex_lock(&self->lock);
    has_posted = self->has_posted;
    iso__sys_mutex_unlock(&self->lock);
    return has_posted;
}

const iso__child_kind iso__child_by_thread = {
    .name = "thread",
    .lack = lack,
    .begin = begin,
    .stop = stop,
    .is_due = is_due,
};
