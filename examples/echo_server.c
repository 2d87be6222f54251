/* SPDX-License-Identifier: MIT */
/* An echo server, its backend chosen by the user:
 *
 *     echo_server [BACKEND [PORT [CONNECTIONS]]]
 *
 * BACKEND is a name as in "selector:poll", or "" for the best of this platform; PORT is 8888 unless
 * told, and 0 takes a free one; after CONNECTIONS of them have come and gone it ends, without that
 * never. Talk to it with echo_client 127.0.0.1 8888. */
#include <isoloop.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct service {
    iso_server *server;
    long connections; /* still to come; 0: no end */
} service;

/* ---- the protocol: what happens on a connection --------------------------------------------- */

static void made(iso_transport *transport, void *self)
{
    service *it = self;
    (void)transport;
    if (it->connections > 0 && --it->connections == 0) iso_server_close(it->server);
}

static void received(iso_transport *transport, void *self, const void *data, size_t size)
{
    (void)self;
    if (iso_transport_write(transport, data, size) != 0) iso_transport_abort(transport);
}

/* A client that sends and does not read: take no more from it until it does. */
static void pause_client(iso_transport *transport, void *self)
{
    (void)self;
    iso_transport_pause_reading(transport);
}

static void resume_client(iso_transport *transport, void *self)
{
    (void)self;
    iso_transport_resume_reading(transport);
}

static const iso_protocol echo_protocol = {
    .connection_made = made,
    .data_received = received,
    .pause_writing = pause_client,
    .resume_writing = resume_client,
};

/* ---- the program ---------------------------------------------------------------------------- */

static int fail(const char *what, int rc)
{
    fprintf(stderr, "echo_server: %s: %s %s\n", what, iso_strerror(rc), iso_error_detail());
    return 1;
}

/* Run the loop until the future is done, and release it. */
static int wait_for(iso_loop *loop, iso_future *future)
{
    int rc = iso_loop_run_until_complete(loop, future);
    iso_future_release(future);
    return rc;
}

/* One server listens on every address of its host; 127.0.0.1 has but one. */
static int print_address(const iso_server *server, const char *backend)
{
    iso_address address;
    char host[64];
    int rc = iso_server_address(server, 0, &address);
    if (rc == 0) rc = iso_address_host(&address, host, sizeof(host));
    if (rc != 0) return rc;
    printf("listening on %s:%u (%s)\n", host, (unsigned)iso_address_port(&address), backend);
    fflush(stdout);
    return 0;
}

/* The server starts serving only when it.server is known to the protocol. */
static int open_server(iso_loop *loop, uint16_t port, service *it)
{
    iso_server_options at = ISO_SERVER_OPTIONS_INIT;
    iso_future *ready;
    void *server;
    at.host = "127.0.0.1";
    at.port = port;
    at.start_serving = false;
    int rc = iso_loop_create_server(loop, &echo_protocol, it, &at, &ready);
    if (rc != 0) return rc;
    rc = iso_loop_run_until_complete(loop, ready);
    if (rc == 0) rc = iso_future_result(ready, &server);
    if (rc == 0) it->server = iso_server_ref(server); /* the future goes, the server stays */
    iso_future_release(ready);
    return rc;
}

static int serve(iso_loop *loop, service *it)
{
    iso_future *closed;
    int rc = iso_server_start_serving(it->server);
    if (rc == 0) rc = print_address(it->server, iso_loop_backend(loop));
    if (rc == 0) rc = iso_server_wait_closed(it->server, &closed);
    if (rc == 0) rc = wait_for(loop, closed); /* closed, and the last client gone */
    return rc;
}

int main(int argc, char **argv)
{
    iso_loop *loop;
    iso_loop_options options = ISO_LOOP_OPTIONS_INIT;
    service it = { NULL, argc > 3 ? strtol(argv[3], NULL, 10) : 0 };
    const long port = argc > 2 ? strtol(argv[2], NULL, 10) : 8888;
    options.backend = argc > 1 && argv[1][0] != '\0' ? argv[1] : NULL;
    if (port < 0 || port > 65535) return fail("the port", ISO_EINVAL);

    int rc = iso_loop_new(&loop, &options);
    if (rc != 0) return fail("no loop", rc);
    rc = open_server(loop, (uint16_t)port, &it);
    if (rc == 0) rc = serve(loop, &it);
    iso_server_release(it.server);
    iso_loop_close(loop);
    iso_loop_release(loop);
    return rc != 0 ? fail("no server", rc) : 0;
}
