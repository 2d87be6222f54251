/* SPDX-License-Identifier: MIT */
/* libevent's bufferevent. */
#include "../support/suite.h"
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stddef.h>

static struct event_base *base;

static void received(struct bufferevent *event, void *arg)
{
    (void)arg;
    suite_check(evbuffer_add_buffer(bufferevent_get_output(event), bufferevent_get_input(event)) ==
                    0,
                "evbuffer_add_buffer");
}

static void told(struct bufferevent *event, short what, void *arg)
{
    (void)arg;
    if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0) bufferevent_free(event);
}

static void accept_all(evutil_socket_t listener, short events, void *arg)
{
    int fd;
    (void)events;
    (void)arg;
    while ((fd = suite_accept(listener)) >= 0) {
        struct bufferevent *made = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
        suite_check(made != NULL, "bufferevent_socket_new");
        bufferevent_setcb(made, received, NULL, told, NULL);
        suite_check(bufferevent_enable(made, EV_READ | EV_WRITE) == 0, "bufferevent_enable");
    }
}

int main(void)
{
    suite_many_descriptors();
    const int listener = suite_listen();
    base = event_base_new();
    suite_check(base != NULL, "event_base_new");
    struct event *event = event_new(base, listener, EV_READ | EV_PERSIST, accept_all, NULL);
    suite_check(event != NULL && event_add(event, NULL) == 0, "event_add");
    suite_serving(listener);
    return event_base_dispatch(base);
}
