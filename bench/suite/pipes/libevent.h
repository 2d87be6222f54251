/* SPDX-License-Identifier: MIT */
#include <event2/event.h>
#include <event2/event_struct.h>

static struct event_base *base;
static struct event *events;

static void told(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    pipe_readable((struct event *)arg - events);
}

static void pipes_open(long count)
{
    base = event_base_new();
    events = calloc((size_t)count, sizeof(*events));
    suite_check(base != NULL && events != NULL, "event_base_new");
}

static void pipe_watch(long index, int fd)
{
    event_assign(&events[index], base, fd, EV_READ | EV_PERSIST, told, &events[index]);
    suite_check(event_add(&events[index], NULL) == 0, "event_add");
}

static void pipe_forget(long index, int fd)
{
    (void)fd;
    suite_check(event_del(&events[index]) == 0, "event_del");
}

static void pipes_stop(void)
{
    (void)event_base_loopbreak(base);
}

static void pipes_run(void)
{
    (void)event_base_dispatch(base);
}
