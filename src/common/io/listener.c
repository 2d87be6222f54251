/* SPDX-License-Identifier: MIT */
#include "io/listener.h"

#include "base/time.h"
#include "sys/sock.h"

enum { REST_SECONDS = 1 };

static iso__driver *driver_of(iso__listener *self)
{
    return self->loop->engine.driver;
}

/* ---- accepting ---- */

static int accept_on(iso__listener *self)
{
    return driver_of(self)->kind->accept_start(driver_of(self), &self->io, self->backlog);
}

static void begin_rest(iso__listener *self, const char *message, int error);

static void end_rest(iso_loop *loop, void *arg)
{
    iso__listener *self = arg;
    int rc = accept_on(self);

    (void)loop;
    if (rc != 0) begin_rest(self, "listening cannot go on yet", rc);
}

/* The system is out of something: what waits stays in the backlog. Without the rest the loop would
 * do nothing but fail. One report a rest. Source: asyncio,
 * BaseSelectorEventLoop._accept_connection. */
static void begin_rest(iso__listener *self, const char *message, int error)
{
    iso_nsec end = iso__time_add(iso__engine_time(&self->loop->engine), ISO_S(REST_SECONDS));

    if (iso__engine_call_at(&self->loop->engine, end, end_rest, self, &self->rest) == 0)
        driver_of(self)->kind->accept_stop(driver_of(self), &self->io);
    (void)iso__loop_explain(self->loop, error);
    self->owner_kind->failed(self->owner, message, error); /* may close the listener */
}

/* It was accepted and can't be kept: its peer learns at once. Told at most once a second. */
static bool refuse(iso__listener *self, iso_fd fd, int error)
{
    iso_nsec now = iso__engine_time(&self->loop->engine);

    (void)iso__sys_socket_close(fd);
    if (error == ISO_ENOMEM) {
        begin_rest(self, "a connection was refused for want of memory; listening rests", error);
        return false;
    }
    if (now < self->quiet_until) return true;
    self->quiet_until = iso__time_add(now, ISO_S(REST_SECONDS));
    self->owner_kind->failed(self->owner, "a connection was refused", error);
    return false;
}

static bool accepted(iso__io *io, int error, iso_fd fd, const iso_address *peer)
{
    iso__listener *self = ISO__CONTAINER(io, iso__listener, io);

    (void)peer;
    if (ISO__LIKELY(error == 0)) {
        error = self->owner_kind->connected(self->owner, fd);
        return error == 0 || refuse(self, fd, error);
    }
    if (iso__sys_socket_accept_is_transient(error)) return true; /* that one is gone; the next */
    begin_rest(self, "accepting failed; listening rests for a second", error);
    return false;
}

static const iso__io_class listener_io = { .accepted = accepted };

/* ---- life ---- */

int iso__listener_adopt(iso__listener *self, iso_fd fd, int backlog)
{
    int rc;

    self->io.fd = fd;
    self->io.kind = &listener_io;
    self->backlog = backlog;
    rc = iso__engine_attach(&self->loop->engine, &self->io);
    if (rc == 0) self->is_open = true;
    return rc;
}

int iso__listener_bind(iso__listener *self, const iso_address *address,
                       const iso__listener_options *options)
{
    int version = iso_address_version(address);
    iso_fd fd;
    int rc = iso__sys_socket_open(&fd, version);

    if (rc != 0) return rc;
    rc = iso__sys_socket_set_reuse_address(fd, !options->no_reuse_address);
    if (rc == 0 && options->reuse_port) rc = iso__sys_socket_set_reuse_port(fd);
    if (rc == 0 && version == 6) rc = iso__sys_socket_set_v6only(fd);
    if (rc == 0) rc = iso__sys_socket_bind(fd, address);
    if (rc == 0) rc = iso__listener_adopt(self, fd, options->backlog);
    if (rc != 0) (void)iso__sys_socket_close(fd);
    return rc;
}

int iso__listener_start(iso__listener *self)
{
    int rc;

    if (self->is_accepting) return 0;
    rc = iso__sys_socket_listen(self->io.fd, self->backlog);
    if (rc == 0) rc = accept_on(self);
    if (rc == 0) self->is_accepting = true;
    return rc;
}

void iso__listener_close(iso__listener *self)
{
    if (!self->is_open) return;
    self->is_open = false;
    (void)iso__engine_cancel(&self->loop->engine, self->rest); /* stale unless it rests */
    iso__engine_detach(&self->loop->engine, &self->io);
    iso__engine_forget(&self->loop->engine, self->io.fd);
    (void)iso__sys_socket_close(self->io.fd);
}
