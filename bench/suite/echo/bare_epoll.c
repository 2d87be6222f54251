/* SPDX-License-Identifier: MIT */
/* The limit: an echo server of epoll_wait, recv and send, and nothing else. */
#include "../support/suite.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 1024, BUFFER = 65536 };

typedef struct connection {
    int fd;
    char *rest; /* what the system did not take; NULL: nothing */
    size_t rest_size;
    size_t rest_sent;
} connection;

static int epoll;
static char buffer[BUFFER];

static void watch(connection *self, int verb, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = self };
    suite_check(epoll_ctl(epoll, verb, self->fd, &event) == 0, "epoll_ctl");
}

static void end(connection *self)
{
    close(self->fd);
    free(self->rest);
    free(self);
}

static void keep(connection *self, const char *data, size_t size)
{
    self->rest = malloc(size);
    suite_check(self->rest != NULL, "memory");
    memcpy(self->rest, data, size);
    self->rest_size = size;
    self->rest_sent = 0;
    watch(self, EPOLL_CTL_MOD, EPOLLOUT);
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
    watch(self, EPOLL_CTL_MOD, EPOLLIN);
}

static void accept_all(int listener)
{
    int fd;
    while ((fd = suite_accept(listener)) >= 0) {
        connection *made = calloc(1, sizeof(*made));
        suite_check(made != NULL, "memory");
        made->fd = fd;
        watch(made, EPOLL_CTL_ADD, EPOLLIN);
    }
}

int main(void)
{
    struct epoll_event events[EVENTS];
    suite_many_descriptors();
    connection listener = { .fd = suite_listen() };
    epoll = epoll_create1(EPOLL_CLOEXEC);
    suite_check(epoll >= 0, "epoll_create1");
    watch(&listener, EPOLL_CTL_ADD, EPOLLIN);
    suite_serving(listener.fd);
    for (;;) {
        const int count = epoll_wait(epoll, events, EVENTS, -1);
        suite_check(count >= 0 || errno == EINTR, "epoll_wait");
        for (int i = 0; i < count; i++) {
            connection *self = events[i].data.ptr;
            if (self == &listener)
                accept_all(listener.fd);
            else if ((events[i].events & EPOLLOUT) != 0)
                send_rest(self);
            else
                receive(self);
        }
    }
}
