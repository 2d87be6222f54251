/* SPDX-License-Identifier: MIT */
#include <ev.h>

static struct ev_loop *loop;
static ev_io *watchers;

static void told(struct ev_loop *of, ev_io *io, int events)
{
    (void)of;
    (void)events;
    pipe_readable(io - watchers);
}

static void pipes_open(long count)
{
    loop = ev_loop_new(EVBACKEND_EPOLL);
    watchers = calloc((size_t)count, sizeof(*watchers));
    suite_check(loop != NULL && watchers != NULL, "ev_loop_new");
}

static void pipe_watch(long index, int fd)
{
    ev_io_init(&watchers[index], told, fd, EV_READ);
    ev_io_start(loop, &watchers[index]);
}

static void pipe_forget(long index, int fd)
{
    (void)fd;
    ev_io_stop(loop, &watchers[index]);
}

static void pipes_stop(void)
{
    ev_break(loop, EVBREAK_ALL);
}

static void pipes_run(void)
{
    ev_run(loop, 0);
}
