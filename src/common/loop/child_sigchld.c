/* SPDX-License-Identifier: MIT */
/* Children by SIGCHLD: each time it comes, every child of the loop's that is waited for in this way
 * is looked at, and no other is. The loop has a sink of its own for it, beside what handlers the
 * program has, and in every thread. Source: asyncio, SafeChildWatcher. */
#include "loop/waited_child.h"

#include "loop/loop.h"
#include "sys/child.h"
#include "sys/signals.h"

/* Of one loop; it is there while there is a child. */
struct iso__child_signal {
    iso__object object;
    iso__io io;
    iso__signal_sink sink;
    iso__link children;
};

static void drop(iso__child_signal *self)
{
    iso__engine *engine = &self->object.loop->engine;

    self->object.loop->child_signal = NULL;
    iso__engine_detach(engine, &self->io);
    iso__engine_forget(engine, self->io.fd);
    iso__sys_signals_close(&self->sink);
    iso__object_close(&self->object);
}

static iso__child *child_of(iso__link *link)
{
    return ISO__CONTAINER(link, iso__child, by.link);
}

/* The loop closes; those who wait will leave. */
static void abandon_signal(iso__object *object)
{
    iso__child_signal *self = (iso__child_signal *)object;

    while (iso__list_pop(&self->children) != NULL) {}
    drop(self);
}

static void finish_signal(iso__object *object)
{
    (void)object;
}

static const iso__object_class signal_class = {
    .name = "child signal",
    .abandon = abandon_signal,
    .finish = finish_signal,
    .size = sizeof(iso__child_signal),
};

static void look_at(iso__child *child)
{
    if (iso__sys_child_look(child->pid) != ISO__CHILD_RUNS)
        iso__engine_ready(&child->loop->engine, &child->node);
}

static void signal_ready(iso__io *io, unsigned events)
{
    iso__child_signal *self = ISO__CONTAINER(io, iso__child_signal, io);
    iso__link *at;

    (void)events;
    iso__sys_signals_drain(&self->sink);
    if (!iso__sys_signals_take(&self->sink, iso__sys_child_signal())) return;
    for (at = self->children.next; at != &self->children; at = at->next) look_at(child_of(at));
}

static const iso__io_class signal_io_class = { .ready = signal_ready };

static int open_signal(iso__child_signal *self)
{
    iso__engine *engine = &self->object.loop->engine;
    int rc = iso__sys_signals_open(&self->sink);

    if (rc != 0) return rc;
    iso__list_init(&self->children);
    self->io.fd = self->sink.wake.reader;
    self->io.kind = &signal_io_class;
    rc = iso__engine_attach(engine, &self->io);
    if (rc == 0) rc = engine->driver->kind->watch(engine->driver, &self->io, ISO_EVENT_READ);
    if (rc == 0) rc = iso__sys_signals_want(&self->sink, iso__sys_child_signal());
    if (rc == 0) {
        iso__object_open(&self->object);
        self->object.loop->child_signal = self;
        return 0;
    }
    iso__engine_detach(engine, &self->io);
    iso__engine_forget(engine, self->io.fd);
    iso__sys_signals_close(&self->sink);
    return rc;
}

static int require_signal(iso_loop *loop)
{
    iso__child_signal *self;
    int rc;

    if (loop->child_signal != NULL) return 0;
    self = iso__object_new(loop, &signal_class);
    if (self == NULL) return ISO_ENOMEM;
    rc = open_signal(self);
    iso__object_unref(&self->object); /* the loop's reference keeps it */
    return rc;
}

static const char *lack(void)
{
    return iso__sys_child_signal() != 0 ? NULL : "this system has no such signal";
}

/* It may have ended before the signal was wanted. */
static int begin(iso__child *self)
{
    int rc = require_signal(self->loop);

    if (rc != 0) return rc;
    iso__list_push(&self->loop->child_signal->children, &self->by.link);
    look_at(self);
    return 0;
}

static bool stop(iso__child *self)
{
    iso__child_signal *signal = self->loop->child_signal;

    if (!iso__link_is_in(&self->by.link)) return false;
    iso__list_remove(&self->by.link);
    if (iso__list_empty(&signal->children)) drop(signal);
    return false;
}

static bool is_due(const iso__child *self)
{
    return iso__link_is_in(&self->node.link);
}

const iso__child_kind iso__child_by_signal = {
    .name = "sigchld",
    .lack = lack,
    .begin = begin,
    .stop = stop,
    .is_due = is_due,
};
