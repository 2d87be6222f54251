/* SPDX-License-Identifier: MIT */
/* create_pipe_connection: from the name of a pipe to a transport.
 * Source: asyncio, windows_events.py, IocpProactor.connect_pipe. */
#include "base/alloc.h"
#include "base/time.h"
#include "io/connecting.h"
#include "io/named_pipe.h"
#include "loop/loop.h"
#include "sys/named_pipe.h"
#include "sys/pipe.h"

#include <string.h>

/* Until a busy pipe is tried again, doubled each time up to the longest. */
enum { FIRST_DELAY_MS = 1, LONGEST_DELAY_MS = 100 };

typedef struct knocking {
    iso__connecting base;
    char *address;
    iso_handle retry; /* the timer of the next try, */
    iso_nsec delay;   /* and how long that takes */
} knocking;

static void stop_knocking(iso__connecting *base)
{
    knocking *self = (knocking *)base;

    (void)iso__engine_cancel(&base->object.loop->engine, self->retry); /* stale unless it waits */
}

static void finish_knocking(iso__object *object)
{
    knocking *self = (knocking *)object;

    if (self->address != NULL)
        iso__free(iso__loop_allocator(object->loop), self->address, strlen(self->address) + 1);
}

static const iso__object_class knocking_class = {
    .name = "connection to a pipe in the making",
    .abandon = iso__connecting_abandon,
    .finish = finish_knocking,
    .size = sizeof(knocking),
};

static int try_to_connect(knocking *self);

static void try_again(iso_loop *loop, void *arg)
{
    int rc = try_to_connect(arg);

    (void)loop;
    if (rc != 0) iso__connecting_fail(arg, rc);
}

/* Waiting for an instance to be free (WaitNamedPipe) would block. */
static int wait_while_busy(knocking *self)
{
    iso__engine *engine = &self->base.object.loop->engine;
    iso_nsec when = iso__time_add(iso__engine_time(engine), self->delay);

    self->delay *= 2;
    if (self->delay > ISO_MS(LONGEST_DELAY_MS)) self->delay = ISO_MS(LONGEST_DELAY_MS);
    return iso__engine_call_at(engine, when, try_again, self, &self->retry);
}

/* Answers 0 when it is connected, or will be tried again. */
static int try_to_connect(knocking *self)
{
    iso_fd fd;
    int rc = iso__sys_named_pipe_connect(&fd, self->address);

    if (rc == ISO_EBUSY) return wait_while_busy(self);
    if (rc != 0) return rc;
    rc = iso__connecting_use_pipe(&self->base, fd, ISO__MEDIUM_PIPE,
                                  ISO__PIPE_READS | ISO__PIPE_WRITES);
    if (rc == 0) return 0;
    iso__engine_forget(&self->base.object.loop->engine, fd);
    (void)iso__sys_pipe_close(fd);
    return rc;
}

static int new_knocking(knocking **out, iso_loop *loop, const char *address)
{
    knocking *self = iso__object_new(loop, &knocking_class);

    if (self == NULL) return ISO_ENOMEM;
    self->base.stop = stop_knocking;
    self->delay = ISO_MS(FIRST_DELAY_MS);
    self->address = iso__alloc_string(iso__loop_allocator(loop), address);
    if (self->address == NULL) {
        iso__object_unref(&self->base.object);
        return ISO_ENOMEM;
    }
    *out = self;
    return iso__connecting_open(&self->base);
}

int iso_loop_create_pipe_connection(iso_loop *loop, const iso_protocol *protocol, void *arg,
                                    const char *address, iso_future **out)
{
    knocking *self;
    int rc = iso__named_pipe_check(loop, protocol, address);

    if (rc == 0) rc = new_knocking(&self, loop, address);
    if (rc != 0) return rc;
    self->base.protocol = protocol;
    self->base.self = arg;
    rc = try_to_connect(self);
    if (rc == ISO_ELIMIT || rc == ISO_ENOMEM) return iso__connecting_refuse(&self->base, rc);
    iso__future_give(self->base.future, out);
    if (rc != 0) iso__connecting_fail(&self->base, rc);
    return 0;
}
