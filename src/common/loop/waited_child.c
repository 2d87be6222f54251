/* SPDX-License-Identifier: MIT */
#include "loop/waited_child.h"

#include "loop/loop.h"
#include "sys/child.h"

/* That it runs although it was learnt that there is something to reap means that somebody else has
 * done that, and another one has its number. */
static void run_ended(iso__engine *engine, iso__node *node)
{
    iso__child *self = ISO__CONTAINER(node, iso__child, node);
    bool has_descriptor = self->kind == &iso__child_by_descriptor;
    int returncode = ISO__CHILD_UNKNOWN;
    int rc =
        iso__sys_child_reap(has_descriptor ? self->by.io.fd : ISO_FD_NONE, self->pid, &returncode);

    (void)engine; /* one that closes has left every child */
    if (rc == ISO_EAGAIN && self->kind->wait_on != NULL && self->kind->wait_on(self)) return;
    (void)self->kind->stop(self);
    self->ended(self, rc == 0, rc == 0 ? returncode : ISO__CHILD_UNKNOWN);
}

int iso__child_watch(iso__child *self, const iso__child_kind *kind, iso_loop *loop)
{
    self->node.run = run_ended;
    self->kind = kind;
    self->loop = loop;
    if (kind == &iso__child_by_descriptor) self->by.io.fd = ISO_FD_NONE;
    if (iso__sys_child_look(self->pid) == ISO__CHILD_RUNS) return kind->begin(self);
    iso__engine_ready(&loop->engine, &self->node);
    return 0;
}

void iso__child_leave(iso__child *self)
{
    iso__list_remove_if_in(&self->node.link);
    if (!self->kind->stop(self)) iso__sys_child_leave(self->pid);
}

bool iso__child_is_another_now(const iso__child *self)
{
    return self->kind->is_due(self) && iso__sys_child_look(self->pid) == ISO__CHILD_RUNS;
}

void iso__child_tell_unknown(const iso__child *self)
{
    iso__log(&self->loop->engine.logger, ISO_LOG_WARNING,
             "child %lld is unknown, or was reaped elsewhere; its code is told as %d",
             (long long)self->pid, ISO__CHILD_UNKNOWN);
}
