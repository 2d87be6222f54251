/* SPDX-License-Identifier: MIT */
/* connect_read_pipe and connect_write_pipe: a transport of a descriptor that the program has.
 * Source: asyncio, BaseEventLoop.connect_read_pipe, _UnixReadPipeTransport. */
#include "isoloop/pipe.h"

#include "base/compiler.h"
#include "io/connecting.h"
#include "loop/loop.h"
#include "sys/descriptor.h"
#include "sys/pipe.h"

static const iso__object_class piping_class = {
    .name = "pipe in the making",
    .abandon = iso__connecting_abandon,
    .finish = iso__connecting_finish,
    .size = sizeof(iso__connecting),
};

/* ---- what is refused ---- */

/* The row of the table that an error is, if it is enforced. */
static int refuse(iso_loop *loop, int error)
{
    static const iso__limit_row candidates[] = {
        ISO__ROW_ALL_PIPE_KIND,    ISO__ROW_PROACTOR_OVERLAPPED_ONLY, ISO__ROW_ALL_BAD_FD,
        ISO__ROW_ALL_REGULAR_FILE, ISO__ROW_KQUEUE_CHARDEV,
    };

    return iso__limits_explain(&loop->engine.limits, error, candidates, ISO__COUNT(candidates));
}

static const iso__io_class trial_io = { .received = NULL };

/* A selector does not wait for every device: epoll and kqueue not for /dev/null. Only registering
 * it tells, and it is better told in this call than by connection_lost. */
static int try_device(iso_loop *loop, iso_fd fd)
{
    iso__driver *driver = loop->engine.driver;
    iso__io io = { 0 };
    int rc;

    if (driver->kind->lends_to_kernel) return 0; /* it does not wait for readiness */
    if (iso__sys_descriptor_kind(fd) != ISO__DESCRIPTOR_DEVICE) return 0;
    io.fd = fd;
    io.kind = &trial_io;
    io.medium = ISO__MEDIUM_PIPE;
    rc = iso__engine_attach(&loop->engine, &io);
    if (rc != 0) return rc;
    rc = driver->kind->watch(driver, &io, ISO_EVENT_READ);
    iso__engine_detach(&loop->engine, &io);
    return rc == 0 ? 0 : refuse(loop, rc);
}

/* *use: ISO__PIPE_READS or ISO__PIPE_WRITES, and UNWATCHED then, if it is. */
static int check_pipe(iso_loop *loop, iso_fd fd, unsigned *use)
{
    unsigned wanted = *use;
    unsigned uses = 0;
    int rc = iso__loop_check_device(loop, fd);

    if (rc != 0) return rc;
    if (iso__limits_enforced(&loop->engine.limits, ISO__ROW_WINDOWS_PIPES))
        return iso__limits_refuse(&loop->engine.limits, ISO__ROW_WINDOWS_PIPES, 0);
    rc = wanted == ISO__PIPE_READS ? try_device(loop, fd) : 0;
    if (rc == 0) rc = iso__sys_pipe_uses(fd, &uses);
    if (rc != 0) return refuse(loop, rc);
    if ((uses & wanted) == 0)
        return iso__error_set(ISO_EINVAL, wanted == ISO__PIPE_READS
                                              ? "connect_read_pipe: this end can only be written"
                                              : "connect_write_pipe: this end can only be read");
    *use |= uses & ISO__PIPE_UNWATCHED;
    /* Before it is taken over: the number of a terminal is not moved while it is watched. */
    return iso__map_get(&loop->engine.ios, fd) == NULL ? 0 : ISO_EBUSY;
}

/* The last thing that can be refused, and the only one that changes something. */
static int take_over(iso__connecting *self, iso_fd fd, unsigned uses)
{
    bool is_socket = iso__sys_descriptor_kind(fd) == ISO__DESCRIPTOR_SOCKET;
    iso__pipe_before before;
    int rc = iso__sys_pipe_adopt(fd, &before);

    if (rc != 0) return rc;
    rc =
        iso__connecting_use_pipe(self, fd, is_socket ? ISO__MEDIUM_SOCKET : ISO__MEDIUM_PIPE, uses);
    if (rc == 0)
        iso__sys_pipe_keep(&before);
    else
        iso__sys_pipe_give_back(fd, &before);
    return rc;
}

/* ---- the calls ---- */

/* A socket, too, is used in one direction, as the pipe that it stands for. */
static int connect_pipe(iso_loop *loop, const iso__stream_source *wanted, iso_future **out)
{
    unsigned uses = wanted->uses;
    iso__connecting *self;
    int rc;

    if (loop == NULL || wanted->protocol == NULL) return ISO_EINVAL;
    rc = iso__loop_check(loop);
    if (rc == 0) rc = check_pipe(loop, wanted->fd, &uses);
    if (rc != 0) return rc;
    self = iso__object_new(loop, &piping_class);
    if (self == NULL) return ISO_ENOMEM;
    self->protocol = wanted->protocol;
    self->self = wanted->self;
    rc = iso__connecting_open(self);
    if (rc != 0) return rc;
    rc = take_over(self, wanted->fd, uses);
    if (rc != 0) return iso__connecting_refuse(self, rc); /* the pipe is still the caller's */
    iso__future_give(self->future, out);
    return 0;
}

int iso_loop_connect_read_pipe(iso_loop *loop, const iso_protocol *protocol, void *self,
                               iso_fd pipe, iso_future **out)
{
    iso__stream_source wanted = { 0 };

    wanted.fd = pipe;
    wanted.uses = ISO__PIPE_READS;
    wanted.protocol = protocol;
    wanted.self = self;
    return connect_pipe(loop, &wanted, out);
}

int iso_loop_connect_write_pipe(iso_loop *loop, const iso_protocol *protocol, void *self,
                                iso_fd pipe, iso_future **out)
{
    iso__stream_source wanted = { 0 };

    wanted.fd = pipe;
    wanted.uses = ISO__PIPE_WRITES;
    wanted.protocol = protocol;
    wanted.self = self;
    return connect_pipe(loop, &wanted, out);
}
