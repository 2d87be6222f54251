/* SPDX-License-Identifier: MIT */
/* start_serving_pipe: a server whose clients come from the instances of a pipe with a name.
 * Source: asyncio, windows_events.py, PipeServer; libuv, pipe.c. */
#include "io/named_pipe.h"

#include "base/alloc.h"
#include "base/time.h"
#include "io/server.h"
#include "io/stream.h"
#include "loop/future.h"
#include "sys/named_pipe.h"
#include "sys/pipe.h"

#include <string.h>

enum {
    INSTANCES = 4, /* that wait for a client; libuv has as many */
    REST_SECONDS = 1
};

/* ---- instances ---- */

typedef struct pipe_entrance pipe_entrance;

/* The place of one instance. Its handle goes with the client, and the next one comes in its place;
 * a client that can't be kept leaves the handle behind. */
typedef struct instance {
    iso__io io; /* fd: ISO_FD_NONE while there is none */
    iso__op op; /* waits for the client */
    pipe_entrance *owner;
    iso_loop *loop;
    bool is_listening;
} instance;

struct pipe_entrance {
    iso__entrance base;
    iso_loop *loop;
    iso_server *server;
    char *name;
    iso_handle rest;      /* the timer that ends a rest; or, if there was no memory for one, */
    iso__node retry;      /*  what ends it in the next turn */
    iso_nsec quiet_until; /* no report before */
    bool is_resting;
    instance *instances[INSTANCES];
};

static iso__driver *driver_of(const iso_loop *loop)
{
    return loop->engine.driver;
}

static void close_handle(iso_loop *loop, iso_fd fd)
{
    iso__engine_forget(&loop->engine, fd);
    (void)iso__sys_pipe_close(fd);
}

static void drop_handle(instance *one)
{
    if (one->io.fd == ISO_FD_NONE) return;
    iso__engine_detach(&one->loop->engine, &one->io);
    close_handle(one->loop, one->io.fd);
    one->io.fd = ISO_FD_NONE;
}

/* The kernel has let go of an instance that was closed. */
static void orphan_done(iso__op *op, ptrdiff_t result)
{
    instance *one = ISO__CONTAINER(op, instance, op);
    iso_loop *loop = one->loop;

    (void)result;
    iso__free(iso__loop_allocator(loop), one, sizeof(*one));
    iso__loop_uncount_memory(loop);
}

static void drop_instance(instance *one)
{
    iso__driver *driver = driver_of(one->loop);
    bool is_ours = driver->kind->withdraw(driver, &one->op);

    drop_handle(one);
    if (is_ours) {
        iso__free(iso__loop_allocator(one->loop), one, sizeof(*one));
    } else {
        one->op.done = orphan_done;
        iso__loop_count_memory(one->loop);
    }
}

/* ---- listening ---- */

/* Nothing of the server's holds the name any more, neither an instance nor a client: it may be
 * somebody else's by now, and another's instances would be open to whom he likes. */
static bool has_lost_name(const pipe_entrance *self)
{
    int at;

    for (at = 0; at < INSTANCES; at++) {
        if (self->instances[at]->io.fd != ISO_FD_NONE) return false;
    }
    return iso_server_client_count(self->server) == 0;
}

/* Whatever is missing. What fails is tried again from there. */
static int listen_with(instance *one)
{
    iso__driver *driver = driver_of(one->loop);
    pipe_entrance *self = one->owner;
    int rc = 0;

    if (one->is_listening) return 0;
    if (one->io.fd == ISO_FD_NONE)
        rc = iso__sys_named_pipe_serve(&one->io.fd, self->name, has_lost_name(self));
    if (rc == 0 && !one->io.is_attached) rc = iso__engine_attach(&one->loop->engine, &one->io);
    if (rc == 0) rc = driver->kind->connect(driver, &one->op, NULL);
    if (rc == 0) one->is_listening = true;
    return rc;
}

static int listen_with_all(pipe_entrance *self)
{
    int rc = 0;
    int at;

    for (at = 0; rc == 0 && at < INSTANCES; at++) rc = listen_with(self->instances[at]);
    return rc;
}

/* Last: the exception handler may close the server. */
static void tell(pipe_entrance *self, const char *message, int error)
{
    iso_nsec now = iso__engine_time(&self->loop->engine);

    if (now < self->quiet_until) return;
    self->quiet_until = iso__time_add(now, ISO_S(REST_SECONDS));
    iso__server_report(self->server, message, error);
}

static void go_on(pipe_entrance *self);

static void end_rest(iso_loop *loop, void *arg)
{
    pipe_entrance *self = arg;

    (void)loop;
    self->is_resting = false;
    go_on(self);
}

static void run_retry(iso__engine *engine, iso__node *node)
{
    end_rest(engine->loop, ISO__CONTAINER(node, pipe_entrance, retry));
}

/* The system is out of something. The instances that are left still take their clients, but none
 * comes in their place before the rest is over: clients find the pipe busy, and try again. */
static void begin_rest(pipe_entrance *self, const char *message, int error)
{
    iso__engine *engine = &self->loop->engine;
    iso_nsec end = iso__time_add(iso__engine_time(engine), ISO_S(REST_SECONDS));

    if (self->is_resting) return;
    self->is_resting = true;
    if (iso__engine_call_at(engine, end, end_rest, self, &self->rest) != 0)
        iso__engine_ready(engine, &self->retry);
    tell(self, message, error);
}

static void go_on(pipe_entrance *self)
{
    int rc = self->is_resting ? 0 : listen_with_all(self);

    if (rc != 0) begin_rest(self, "a pipe cannot be listened on; listening rests", rc);
}

/* The client came and went, or its connection broke: that is no reason to rest. */
static bool is_clients_fault(int error)
{
    return error == ISO_EPIPE || error == ISO_ECONNRESET || error == ISO_ECONNABORTED ||
           error == ISO_ENOTCONN;
}

/* Make a client of the instance; the handle stays if that fails. */
static int hand_over(instance *one)
{
    int rc;

    iso__engine_detach(&one->loop->engine, &one->io);
    rc = iso__server_take(one->owner->server, one->io.fd, ISO__MEDIUM_PIPE);
    if (rc == 0) one->io.fd = ISO_FD_NONE;
    return rc;
}

static void instance_done(iso__op *op, ptrdiff_t result)
{
    instance *one = ISO__CONTAINER(op, instance, op);
    pipe_entrance *self = one->owner;
    int rc = (int)result;

    one->is_listening = false;
    if (rc == 0) rc = hand_over(one);
    if (rc != 0 && iso__sys_named_pipe_disconnect(one->io.fd) != 0) drop_handle(one);
    if (rc == 0 || is_clients_fault(rc))
        go_on(self);
    else
        begin_rest(self, "a client of a pipe was refused; listening rests", rc);
}

/* ---- serving ---- */

static void close_entrance(iso__entrance *base)
{
    pipe_entrance *self = ISO__CONTAINER(base, pipe_entrance, base);
    const iso_allocator *allocator = iso__loop_allocator(self->loop);
    int at;

    (void)iso__engine_cancel(&self->loop->engine, self->rest); /* stale unless it rests */
    iso__list_remove_if_in(&self->retry.link);
    for (at = 0; at < INSTANCES; at++) {
        if (self->instances[at] != NULL) drop_instance(self->instances[at]);
    }
    if (self->name != NULL) iso__free(allocator, self->name, strlen(self->name) + 1);
    iso__free(allocator, self, sizeof(*self));
}

static const iso__io_class instance_io = { .received = NULL };

static instance *new_instance(pipe_entrance *owner)
{
    instance *one = iso__alloc_zero(iso__loop_allocator(owner->loop), sizeof(*one));

    if (one == NULL) return NULL;
    one->owner = owner;
    one->loop = owner->loop;
    one->io.fd = ISO_FD_NONE;
    one->io.kind = &instance_io;
    one->io.medium = ISO__MEDIUM_PIPE;
    one->op.io = &one->io;
    one->op.done = instance_done;
    return one;
}

static int fill_entrance(pipe_entrance *self, const char *name)
{
    int at;

    self->name = iso__alloc_string(iso__loop_allocator(self->loop), name);
    if (self->name == NULL) return ISO_ENOMEM;
    for (at = 0; at < INSTANCES; at++) {
        self->instances[at] = new_instance(self);
        if (self->instances[at] == NULL) return ISO_ENOMEM;
    }
    return listen_with_all(self);
}

static int open_entrance(iso_server *server, iso_loop *loop, const char *name)
{
    pipe_entrance *self = iso__alloc_zero(iso__loop_allocator(loop), sizeof(*self));
    int rc;

    if (self == NULL) return ISO_ENOMEM;
    self->base.close = close_entrance;
    self->loop = loop;
    self->server = server;
    self->retry.run = run_retry;
    rc = fill_entrance(self, name);
    if (rc == 0)
        iso__server_open(server, &self->base);
    else
        close_entrance(&self->base);
    return rc;
}

int iso__named_pipe_check(iso_loop *loop, const iso_protocol *protocol, const char *address)
{
    iso__limits *limits;
    int rc;

    if (loop == NULL) return ISO_EINVAL;
    rc = iso__loop_check(loop);
    if (rc != 0) return rc;
    limits = &loop->engine.limits;
    if (iso__limits_enforced(limits, ISO__ROW_WINDOWS_PIPES))
        return iso__limits_refuse(limits, ISO__ROW_WINDOWS_PIPES, 0);
    if (iso__limits_enforced(limits, ISO__ROW_POSIX_NAMED_PIPES))
        return iso__limits_refuse(limits, ISO__ROW_POSIX_NAMED_PIPES, 0);
    if (protocol == NULL || address == NULL) return ISO_EINVAL;
    rc = iso__sys_named_pipe_check(address);
    if (rc == ISO_EINVAL)
        return iso__error_set(rc, "the name of a pipe is \\\\.\\pipe\\ and something behind it, "
                                  "in UTF-8, 256 characters at most");
    return rc;
}

int iso_loop_start_serving_pipe(iso_loop *loop, const iso_protocol *protocol, void *self,
                                const char *address, iso_future **out)
{
    iso_server *server;
    iso_future *future;
    int rc = iso__named_pipe_check(loop, protocol, address);

    if (rc != 0) return rc;
    rc = iso_loop_create_future(loop, &future);
    if (rc != 0) return rc;
    server = iso__server_new(loop, protocol, self);
    rc = server == NULL ? ISO_ENOMEM : open_entrance(server, loop, address);
    if (rc == 0) {
        iso__future_give(future, out);
        iso__future_end_object(future, iso__server_object(server));
    } else {
        iso_future_release(future);
    }
    iso_server_release(server); /* the loop's reference keeps it */
    return rc;
}
