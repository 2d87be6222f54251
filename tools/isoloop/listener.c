/* SPDX-License-Identifier: MIT */
#include "listener.h"

/* service->server is set before the first connection can come: that is why it is not serving
 * yet. */
static int keep_server(iso_future *ready, echo_service *service)
{
    void *server;
    int rc = iso_future_result(ready, &server);
    if (rc != 0) return rc;
    service->server = iso_server_ref(server);
    rc = iso_server_start_serving(service->server);
    if (rc == 0) return 0;
    (void)iso_server_close(service->server);
    iso_server_release(service->server);
    service->server = NULL;
    return rc;
}

int listener_open(iso_loop *loop, const char *host, uint16_t port, echo_service *service)
{
    iso_future *ready;
    iso_server_options at = ISO_SERVER_OPTIONS_INIT;
    at.host = host;
    at.port = port;
    at.start_serving = false;
    int rc = iso_loop_create_server(loop, &echo_protocol, service, &at, &ready);
    if (rc != 0) return rc;
    rc = iso_loop_run_until_complete(loop, ready);
    if (rc == 0) rc = keep_server(ready, service);
    iso_future_release(ready);
    return rc;
}

int listener_wait(iso_loop *loop, echo_service *service)
{
    iso_future *closed;
    int rc = iso_server_wait_closed(service->server, &closed);
    if (rc == 0) {
        rc = iso_loop_run_until_complete(loop, closed);
        iso_future_release(closed);
    }
    iso_server_release(service->server);
    service->server = NULL;
    return rc;
}
