/* SPDX-License-Identifier: MIT */
/* Through add_reader and add_writer, the system's recv and send: isoloop_reader [BACKEND] */
#include "../support/suite.h"
#include <errno.h>
#include <isoloop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct connection {
    int fd;
    char *rest; /* what the system did not take; NULL: nothing */
    size_t rest_size;
    size_t rest_sent;
} connection;

static char buffer[65536];

static void must(int rc, const char *what)
{
    if (rc == 0) return;
    fprintf(stderr, "%s: %s %s\n", what, iso_strerror(rc), iso_error_detail());
    exit(1);
}

static void end(iso_loop *loop, connection *self)
{
    (void)iso_loop_remove_reader(loop, self->fd);
    (void)iso_loop_remove_writer(loop, self->fd);
    close(self->fd);
    free(self->rest);
    free(self);
}

static void receive(iso_loop *loop, void *arg);

static void send_rest(iso_loop *loop, void *arg)
{
    connection *self = arg;
    const ssize_t sent = send(self->fd, self->rest + self->rest_sent,
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
    must(iso_loop_add_reader(loop, self->fd, receive, self), "add_reader");
    must(iso_loop_remove_writer(loop, self->fd), "remove_writer");
}

static void keep(iso_loop *loop, connection *self, const char *data, size_t size)
{
    self->rest = malloc(size);
    suite_check(self->rest != NULL, "memory");
    memcpy(self->rest, data, size);
    self->rest_size = size;
    self->rest_sent = 0;
    must(iso_loop_add_writer(loop, self->fd, send_rest, self), "add_writer");
    must(iso_loop_remove_reader(loop, self->fd), "remove_reader");
}

static void receive(iso_loop *loop, void *arg)
{
    connection *self = arg;
    const ssize_t size = recv(self->fd, buffer, sizeof(buffer), 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size <= 0) {
        end(loop, self);
        return;
    }
    ssize_t sent = send(self->fd, buffer, (size_t)size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) sent = 0;
    if (sent < 0)
        end(loop, self);
    else if (sent < size)
        keep(loop, self, buffer + sent, (size_t)(size - sent));
}

static void accept_all(iso_loop *loop, void *arg)
{
    const int *listener = arg;
    int fd;
    while ((fd = suite_accept(*listener)) >= 0) {
        connection *made = calloc(1, sizeof(*made));
        suite_check(made != NULL, "memory");
        made->fd = fd;
        must(iso_loop_add_reader(loop, fd, receive, made), "add_reader");
    }
}

int main(int argc, char **argv)
{
    iso_loop_options options = ISO_LOOP_OPTIONS_INIT;
    iso_loop *loop;
    suite_many_descriptors();
    int listener = suite_listen();
    options.backend = argc > 1 ? argv[1] : NULL;
    must(iso_loop_new(&loop, &options), "loop_new");
    must(iso_loop_add_reader(loop, listener, accept_all, &listener), "add_reader");
    suite_serving(listener);
    must(iso_loop_run_forever(loop), "run_forever");
    return 0;
}
