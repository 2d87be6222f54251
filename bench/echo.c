/* SPDX-License-Identifier: MIT */
/* Messages a second, and what each costs in processor time, through the stream transport:
 *
 *     echo [BACKEND [CONNECTIONS [MESSAGES [SIZE]]]]
 *
 * CONNECTIONS (100) clients send MESSAGES (2000) of SIZE (64) bytes each, one after the other, to a
 * server in the same loop. So what is counted is both sides: two writes and two reads for each
 * message. */
#include "support/cpu.h"
#include <isoloop.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct bench bench;

typedef struct client {
    bench *of;
    iso_transport *transport;
    size_t received;
    long left; /* messages still to come back */
} client;

struct bench {
    iso_loop *loop;
    iso_server *server;
    long connections;
    long messages;
    size_t size;
    char *message;
    client *clients;
    long made;
    long done;
    int error;
};

static void stop(bench *it, int error)
{
    if (it->error == 0) it->error = error;
    iso_loop_stop(it->loop);
}

/* ---- the server ----------------------------------------------------------------------------- */

static void echo(iso_transport *transport, void *self, const void *data, size_t size)
{
    int rc = iso_transport_write(transport, data, size);
    if (rc != 0) stop(self, rc);
}

static const iso_protocol echo_protocol = { .data_received = echo };

/* ---- the clients ---------------------------------------------------------------------------- */

static void client_send(client *from)
{
    bench *it = from->of;
    from->received = 0;
    int rc = iso_transport_write(from->transport, it->message, it->size);
    if (rc != 0) stop(it, rc);
}

static void client_made(iso_transport *transport, void *self)
{
    client *from = self;
    from->transport = transport;
    if (++from->of->made == from->of->connections) iso_loop_stop(from->of->loop);
}

static void client_received(iso_transport *transport, void *self, const void *data, size_t size)
{
    client *from = self;
    bench *it = from->of;
    (void)transport;
    (void)data;
    from->received += size;
    if (from->received < it->size) return;
    if (--from->left > 0)
        client_send(from);
    else if (++it->done == it->connections)
        iso_loop_stop(it->loop);
}

static void client_lost(iso_transport *transport, void *self, int error)
{
    client *from = self;
    (void)transport;
    from->transport = NULL;
    if (from->left > 0) stop(from->of, error != 0 ? error : ISO_ECONNABORTED);
}

static const iso_protocol client_protocol = {
    .connection_made = client_made,
    .data_received = client_received,
    .connection_lost = client_lost,
};

/* ---- the way of it -------------------------------------------------------------------------- */

static void on_exception(iso_loop *loop, const iso_exception_context *context, void *arg)
{
    (void)loop;
    fprintf(stderr, "echo: %s\n", context->message);
    stop(arg, context->error);
}

static int open_server(bench *it, iso_address *address)
{
    iso_server_options at = ISO_SERVER_OPTIONS_INIT;
    iso_future *ready;
    void *server;
    at.host = "127.0.0.1";
    at.backlog = 1024; /* they all come at once */
    int rc = iso_loop_create_server(it->loop, &echo_protocol, it, &at, &ready);
    if (rc != 0) return rc;
    rc = iso_loop_run_until_complete(it->loop, ready);
    if (rc == 0) rc = iso_future_result(ready, &server);
    if (rc == 0) it->server = iso_server_ref(server);
    iso_future_release(ready);
    return rc == 0 ? iso_server_address(it->server, 0, address) : rc;
}

/* What cannot be connected is told to the exception handler, as no future is asked for. */
static int connect_clients(bench *it, const iso_address *address)
{
    iso_connection_options to = ISO_CONNECTION_OPTIONS_INIT;
    to.host = "127.0.0.1";
    to.port = iso_address_port(address);
    int rc = 0;
    for (long i = 0; i < it->connections && rc == 0; i++) {
        it->clients[i] = (client){ it, NULL, 0, it->messages };
        rc = iso_loop_create_connection(it->loop, &client_protocol, &it->clients[i], &to, NULL);
    }
    if (rc == 0) rc = iso_loop_run_forever(it->loop);
    return rc != 0 ? rc : it->error;
}

static int measure(bench *it)
{
    const iso_nsec cpu_before = cpu_time();
    const iso_nsec before = iso_loop_time(it->loop);
    for (long i = 0; i < it->connections; i++) client_send(&it->clients[i]);
    int rc = iso_loop_run_forever(it->loop);
    if (rc == 0) rc = it->error;
    if (rc != 0) return rc;
    const double all = (double)it->connections * (double)it->messages;
    const double seconds = (double)(iso_loop_time(it->loop) - before) / 1e9;
    const double cpu = (double)(cpu_time() - cpu_before);
    printf("%s: %ld connections, %ld messages of %zu bytes each\n", iso_loop_backend(it->loop),
           it->connections, it->messages, it->size);
    printf("  %10.0f messages a second\n", all / seconds);
    printf("  %10.0f ns of processor for each, both sides\n", cpu / all);
    return 0;
}

static int run(bench *it)
{
    iso_address address;
    int rc = iso_loop_set_exception_handler(it->loop, on_exception, it);
    if (rc == 0) rc = open_server(it, &address);
    if (rc == 0) rc = connect_clients(it, &address);
    if (rc == 0) rc = measure(it);
    for (long i = 0; i < it->connections; i++) it->clients[i].left = 0;
    iso_server_release(it->server);
    return rc;
}

static long number(int argc, char **argv, int index, long otherwise)
{
    const long value = argc > index ? strtol(argv[index], NULL, 10) : otherwise;
    return value >= 1 && value <= 100000000 ? value : otherwise;
}

int main(int argc, char **argv)
{
    bench it = { .connections = number(argc, argv, 2, 100),
                 .messages = number(argc, argv, 3, 2000) };
    iso_loop_options options = ISO_LOOP_OPTIONS_INIT;
    options.backend = argc > 1 ? argv[1] : NULL;
    it.size = (size_t)number(argc, argv, 4, 64);
    it.clients = calloc((size_t)it.connections, sizeof(*it.clients));
    it.message = calloc(1, it.size);
    int rc =
        it.clients != NULL && it.message != NULL ? iso_loop_new(&it.loop, &options) : ISO_ENOMEM;
    if (rc == 0) {
        rc = run(&it);
        iso_loop_close(it.loop);
        iso_loop_release(it.loop);
    }
    if (rc != 0) fprintf(stderr, "echo: %s %s\n", iso_strerror(rc), iso_error_detail());
    free(it.message);
    free(it.clients);
    return rc != 0;
}
