/* SPDX-License-Identifier: MIT */
/* libevent: persistent events, recv and send. */
#include "../support/suite.h"
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct connection {
    struct event *event;
    char *rest; /* what the system did not take; NULL: nothing */
    size_t rest_size;
    size_t rest_sent;
    int fd;
} connection;

static struct event_base *base;
static char buffer[65536];

static void end(connection *self)
{
    event_free(self->event);
    close(self->fd);
    free(self->rest);
    free(self);
}

static void ready(evutil_socket_t fd, short events, void *arg);

static void want(connection *self, short events)
{
    if (self->event != NULL) event_free(self->event);
    self->event = event_new(base, self->fd, (short)(events | EV_PERSIST), ready, self);
    suite_check(self->event != NULL && event_add(self->event, NULL) == 0, "event_add");
}

static void keep(connection *self, const char *data, size_t size)
{
    self->rest = malloc(size);
    suite_check(self->rest != NULL, "memory");
    memcpy(self->rest, data, size);
    self->rest_size = size;
    self->rest_sent = 0;
    want(self, EV_WRITE);
}

static void send_rest(connection *self)
{
    const ssize_t sent = send(self->fd, self->rest + self->rest_sent,
                              self->rest_size - self->rest_sent, MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) return;
    if (sent < 0) {
        end(self);
        return;
    }
    self->rest_sent += (size_t)sent;
    if (self->rest_sent < self->rest_size) return;
    free(self->rest);
    self->rest = NULL;
    want(self, EV_READ);
}

static void receive(connection *self)
{
    const ssize_t size = recv(self->fd, buffer, sizeof(buffer), 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size <= 0) {
        end(self);
        return;
    }
    ssize_t sent = send(self->fd, buffer, (size_t)size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) sent = 0;
    if (sent < 0)
        end(self);
    else if (sent < size)
        keep(self, buffer + sent, (size_t)(size - sent));
}

static void ready(evutil_socket_t fd, short events, void *arg)
{
    (void)fd;
    if ((events & EV_WRITE) != 0)
        send_rest(arg);
    else
        receive(arg);
}

static void accept_all(evutil_socket_t listener, short events, void *arg)
{
    int fd;
    (void)events;
    (void)arg;
    while ((fd = suite_accept(listener)) >= 0) {
        connection *made = calloc(1, sizeof(*made));
        suite_check(made != NULL, "memory");
        made->fd = fd;
        want(made, EV_READ);
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
