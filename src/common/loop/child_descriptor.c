/* SPDX-License-Identifier: MIT */
/* A child by its descriptor, which the loop watches like any other.
 * Source: asyncio, PidfdChildWatcher; libuv, src/unix/process.c, for kqueue. */
#include "loop/waited_child.h"

#include "loop/loop.h"
#include "sys/child.h"

static const char *lack(void)
{
    return iso__sys_child_descriptor_name() != NULL
               ? NULL
               : "this system has no descriptor of a child, or forbids it";
}

static bool stop(iso__child *self)
{
    iso__engine *engine = &self->loop->engine;
    iso__io *io = &self->by.io;

    if (io->fd == ISO_FD_NONE) return false;
    iso__engine_detach(engine, io);
    iso__engine_forget(engine, io->fd);
    iso__sys_child_close(io->fd);
    io->fd = ISO_FD_NONE;
    return false;
}

/* The other way; what is left of this one is not. */
static int begin_thread(iso__child *self)
{
    (void)stop(self);
    self->by.vigil = NULL;
    self->kind = &iso__child_by_thread;
    return self->kind->begin(self);
}

static void ready(iso__io *io, unsigned events)
{
    iso__child *self = ISO__CONTAINER(io, iso__child, by.io);

    (void)events;
    self->node.run(&self->loop->engine, &self->node);
}

static const iso__io_class child_io_class = { .ready = ready };

/* A limit that is met here is nobody's concern. */
static int watch(iso__child *self)
{
    iso__engine *engine = &self->loop->engine;
    iso_limit last = engine->limits.last;
    int rc;

    self->by.io.kind = &child_io_class;
    rc = iso__engine_attach(engine, &self->by.io);
    if (rc == 0) rc = engine->driver->kind->watch(engine->driver, &self->by.io, ISO_EVENT_READ);
    if (rc != 0) engine->limits.last = last;
    return rc;
}

static int begin(iso__child *self)
{
    int rc = iso__sys_child_open(&self->by.io.fd, self->pid);

    if (rc == ISO_ENOENT && iso__sys_child_look(self->pid) != ISO__CHILD_RUNS) {
        iso__engine_ready(&self->loop->engine, &self->node); /* in this moment */
        return 0;
    }
    if (rc == 0) rc = watch(self);
    return rc == 0 ? 0 : begin_thread(self);
}

/* A descriptor is readable when the child has ended, whoever is to have it first; a thread waits
 * until it is this process's turn, as it does for all of asyncio's watchers. */
static bool wait_on(iso__child *self)
{
    return self->by.io.fd != ISO_FD_NONE && begin_thread(self) == 0;
}

static bool is_due(const iso__child *self)
{
    return iso__link_is_in(&self->node.link) ||
           (self->by.io.fd != ISO_FD_NONE && iso__sys_child_is_readable(self->by.io.fd));
}

const iso__child_kind iso__child_by_descriptor = {
    .name = "descriptor",
    .lack = lack,
    .begin = begin,
    .stop = stop,
    .wait_on = wait_on,
    .is_due = is_due,
};
