/* SPDX-License-Identifier: MIT */
/* libuv, with uv_write; "libuv try": with uv_try_write first, uv_write for the rest. */
#include "../support/suite.h"
#include <stdlib.h>
#include <string.h>
#include <uv.h>

typedef struct write_request {
    uv_write_t request;
    char data[];
} write_request;

static int tries_first;
static char buffer[65536];

static void must(int rc, const char *what)
{
    if (rc < 0) {
        fprintf(stderr, "%s: %s\n", what, uv_strerror(rc));
        exit(1);
    }
}

static void lend(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    (void)handle;
    (void)suggested;
    *out = uv_buf_init(buffer, sizeof(buffer));
}

static void closed(uv_handle_t *handle)
{
    free(handle);
}

static void written(uv_write_t *request, int status)
{
    (void)status; /* a connection that is gone is read as gone */
    free(request);
}

static void write_copy(uv_stream_t *stream, const char *data, size_t size)
{
    write_request *made = malloc(sizeof(*made) + size);
    suite_check(made != NULL, "memory");
    memcpy(made->data, data, size);
    uv_buf_t part = uv_buf_init(made->data, (unsigned)size);
    must(uv_write(&made->request, stream, &part, 1, written), "uv_write");
}

static void received(uv_stream_t *stream, ssize_t size, const uv_buf_t *data)
{
    if (size < 0) {
        uv_close((uv_handle_t *)stream, closed);
        return;
    }
    ssize_t sent = 0;
    if (tries_first) {
        uv_buf_t part = uv_buf_init(data->base, (unsigned)size);
        sent = uv_try_write(stream, &part, 1);
        if (sent == UV_EAGAIN) sent = 0;
        must((int)sent, "uv_try_write");
    }
    if (sent < size) write_copy(stream, data->base + sent, (size_t)(size - sent));
}

static void connected(uv_stream_t *server, int status)
{
    must(status, "connection");
    uv_tcp_t *made = malloc(sizeof(*made));
    suite_check(made != NULL, "memory");
    must(uv_tcp_init(server->loop, made), "uv_tcp_init");
    must(uv_accept(server, (uv_stream_t *)made), "uv_accept");
    must(uv_tcp_nodelay(made, 1), "uv_tcp_nodelay");
    must(uv_read_start((uv_stream_t *)made, lend, received), "uv_read_start");
}

int main(int argc, char **argv)
{
    uv_loop_t loop;
    uv_tcp_t server;
    tries_first = argc > 1 && strcmp(argv[1], "try") == 0;
    suite_many_descriptors();
    const int listener = suite_listen();
    must(uv_loop_init(&loop), "uv_loop_init");
    must(uv_tcp_init(&loop, &server), "uv_tcp_init");
    must(uv_tcp_open(&server, listener), "uv_tcp_open");
    must(uv_listen((uv_stream_t *)&server, 4096, connected), "uv_listen");
    suite_serving(listener);
    return uv_run(&loop, UV_RUN_DEFAULT);
}
