/* SPDX-License-Identifier: MIT */
/* libev: ev_io, recv and send. */
#include "../support/suite.h"
#include <errno.h>
#include <ev.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct connection {
    ev_io io;
    char *rest; /* what the system did not take; NULL: nothing */
    size_t rest_size;
    size_t rest_sent;
} connection;

static char buffer[65536];

static void end(struct ev_loop *loop, connection *self)
{
    ev_io_stop(loop, &self->io);
    close(self->io.fd);
    free(self->rest);
    free(self);
}

static void want(struct ev_loop *loop, connection *self, int events)
{
    ev_io_stop(loop, &self->io);
    ev_io_set(&self->io, self->io.fd, events);
    ev_io_start(loop, &self->io);
}

static void keep(struct ev_loop *loop, connection *self, const char *data, size_t size)
{
    self->rest = malloc(size);
    suite_check(self->rest != NULL, "memory");
    memcpy(self->rest, data, size);
    self->rest_size = size;
    self->rest_sent = 0;
    want(loop, self, EV_WRITE);
}

static void send_rest(struct ev_loop *loop, connection *self)
{
    const ssize_t sent = send(self->io.fd, self->rest + self->rest_sent,
                              self->rest_size - self->rest_sent, MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) return;
    if (sent < 0) {
        end(loop, self);
        return;
    }
    self->rest_sent += (size_t)sent;
    if (self->rest_sent < self->rest_size) return;
    free(self->rest);
    self->rest = NULL;
    want(loop, self, EV_READ);
}

static void receive(struct ev_loop *loop, connection *self)
{
    const ssize_t size = recv(self->io.fd, buffer, sizeof(buffer), 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size <= 0) {
        end(loop, self);
        return;
    }
    ssize_t sent = send(self->io.fd, buffer, (size_t)size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) sent = 0;
    if (sent < 0)
        end(loop, self);
    else if (sent < size)
        keep(loop, self, buffer + sent, (size_t)(size - sent));
}

static void ready(struct ev_loop *loop, ev_io *io, int events)
{
    connection *self = (connection *)io;
    if ((events & EV_WRITE) != 0)
        send_rest(loop, self);
    else
        receive(loop, self);
}

static void accept_all(struct ev_loop *loop, ev_io *listener, int events)
{
    int fd;
    (void)events;
    while ((fd = suite_accept(listener->fd)) >= 0) {
        connection *made = calloc(1, sizeof(*made));
        suite_check(made != NULL, "memory");
        ev_io_init(&made->io, ready, fd, EV_READ);
        ev_io_start(loop, &made->io);
    }
}

int main(void)
{
    ev_io listener;
    suite_many_descriptors();
    struct ev_loop *loop = ev_loop_new(EVBACKEND_EPOLL);
    suite_check(loop != NULL, "ev_loop_new");
    ev_io_init(&listener, accept_all, suite_listen(), EV_READ);
    ev_io_start(loop, &listener);
    suite_serving(listener.fd);
    ev_run(loop, 0);
    return 0;
}
