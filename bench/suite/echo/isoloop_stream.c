/* SPDX-License-Identifier: MIT */
/* Through the stream transport: isoloop_stream [BACKEND] */
#include "../support/suite.h"
#include <isoloop.h>
#include <stdio.h>
#include <stdlib.h>

static void echo(iso_transport *transport, void *self, const void *data, size_t size)
{
    (void)self;
    if (iso_transport_write(transport, data, size) != 0) iso_transport_abort(transport);
}

static const iso_protocol echo_protocol = { .data_received = echo };

static void must(int rc, const char *what)
{
    if (rc == 0) return;
    fprintf(stderr, "%s: %s %s\n", what, iso_strerror(rc), iso_error_detail());
    exit(1);
}

int main(int argc, char **argv)
{
    iso_loop_options options = ISO_LOOP_OPTIONS_INIT;
    iso_server_options at = ISO_SERVER_OPTIONS_INIT;
    iso_loop *loop;
    iso_future *ready;
    void *server;
    iso_address address;
    suite_many_descriptors();
    options.backend = argc > 1 ? argv[1] : NULL;
    must(iso_loop_new(&loop, &options), "loop_new");
    at.host = "127.0.0.1";
    at.backlog = 4096;
    must(iso_loop_create_server(loop, &echo_protocol, NULL, &at, &ready), "create_server");
    must(iso_loop_run_until_complete(loop, ready), "create_server");
    must(iso_future_result(ready, &server), "create_server");
    must(iso_server_address(server, 0, &address), "address");
    suite_serving_port(iso_address_port(&address));
    must(iso_loop_run_forever(loop), "run_forever");
    return 0;
}
