/* SPDX-License-Identifier: MIT */
/* A server and a client that meet at the path of a file:
 *
 *     unix_echo [PATH]
 *
 * PATH is echo.sock in this folder unless told. The server knows who its client is, and its file
 * is gone when it closes. Where there are no unix sockets the program says what keeps it. */
#include <isoloop.h>
#include <stdio.h>

static const char greeting[] = "hello at a path";

typedef struct story {
    iso_server *server;
    size_t echoed; /* bytes that came back */
} story;

static int fail(const char *what, int rc)
{
    fprintf(stderr, "unix_echo: %s: %s %s\n", what, iso_strerror(rc), iso_error_detail());
    return 1;
}

/* ---- the server ------------------------------------------------------------------------------ */

static void client_came(iso_transport *transport, void *self)
{
    iso_extra_info info;
    iso_unix_credentials who;
    (void)self;
    if (iso_transport_get_extra_info(transport, "socket", &info) != 0) return;
    if (iso_unix_peercred(info.fd, &who) != 0) return;
    printf("a client of user %lld\n", (long long)who.uid);
}

static void client_said(iso_transport *transport, void *self, const void *data, size_t size)
{
    (void)self;
    if (iso_transport_write(transport, data, size) != 0) iso_transport_abort(transport);
}

static const iso_protocol server_protocol = {
    .connection_made = client_came,
    .data_received = client_said,
};

/* ---- the client ------------------------------------------------------------------------------ */

static void connected(iso_transport *transport, void *self)
{
    (void)self;
    if (iso_transport_write(transport, greeting, sizeof(greeting) - 1) != 0)
        iso_transport_abort(transport);
}

static void answered(iso_transport *transport, void *self, const void *data, size_t size)
{
    story *it = self;
    printf("echoed: %.*s\n", (int)size, (const char *)data);
    it->echoed += size;
    if (it->echoed >= sizeof(greeting) - 1) iso_transport_close(transport);
}

static void lost(iso_transport *transport, void *self, int error)
{
    story *it = self;
    (void)transport;
    (void)error;
    iso_server_close(it->server);
}

static const iso_protocol client_protocol = {
    .connection_made = connected,
    .data_received = answered,
    .connection_lost = lost,
};

/* ---- the program ----------------------------------------------------------------------------- */

static int serve(iso_loop *loop, const char *path, story *it)
{
    iso_unix_server_options at = ISO_UNIX_SERVER_OPTIONS_INIT;
    iso_future *ready;
    void *server;
    at.path = path;
    int rc = iso_loop_create_unix_server(loop, &server_protocol, it, &at, &ready);
    if (rc != 0) return rc;
    rc = iso_loop_run_until_complete(loop, ready);
    if (rc == 0) rc = iso_future_result(ready, &server);
    if (rc == 0) it->server = iso_server_ref(server);
    iso_future_release(ready);
    return rc;
}

/* Connect, and go on until the client has gone and the server is closed. */
static int visit(iso_loop *loop, const char *path, story *it)
{
    iso_unix_connection_options to = ISO_UNIX_CONNECTION_OPTIONS_INIT;
    iso_future *made;
    iso_future *closed;
    to.path = path;
    int rc = iso_loop_create_unix_connection(loop, &client_protocol, it, &to, &made);
    if (rc != 0) return rc;
    rc = iso_loop_run_until_complete(loop, made);
    iso_future_release(made);
    if (rc == 0) rc = iso_server_wait_closed(it->server, &closed);
    if (rc != 0) return rc;
    rc = iso_loop_run_until_complete(loop, closed);
    iso_future_release(closed);
    return rc;
}

int main(int argc, char **argv)
{
    iso_loop *loop;
    story it = { NULL, 0 };
    const char *path = argc > 1 ? argv[1] : "echo.sock";
    int rc = iso_loop_new(&loop, NULL);
    if (rc != 0) return fail("no loop", rc);
    rc = serve(loop, path, &it);
    if (rc == ISO_ENOTSUP && iso_loop_last_limit(loop) != NULL) {
        printf("%s: %s\n", iso_loop_last_limit(loop)->id, iso_loop_last_limit(loop)->text);
        rc = 0;
    } else if (rc == 0) {
        rc = visit(loop, path, &it);
        if (rc == 0 && it.echoed != sizeof(greeting) - 1) rc = ISO_EIO;
    }
    iso_server_release(it.server);
    iso_loop_close(loop);
    iso_loop_release(loop);
    return rc != 0 ? fail(path, rc) : 0;
}
