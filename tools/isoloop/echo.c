/* SPDX-License-Identifier: MIT */
#include "echo.h"

static void echo_made(iso_transport *transport, void *self)
{
    echo_service *service = self;
    (void)transport;
    service->connections++;
    if (service->connections == service->max_connections) (void)iso_server_close(service->server);
}

static void echo_received(iso_transport *transport, void *self, const void *data, size_t size)
{
    echo_service *service = self;
    service->bytes += size;
    if (iso_transport_write(transport, data, size) != 0) (void)iso_transport_abort(transport);
}

/* A client that does not read must not fill our memory: nothing is read until it does. */
static void echo_pause(iso_transport *transport, void *self)
{
    (void)self;
    (void)iso_transport_pause_reading(transport);
}

static void echo_resume(iso_transport *transport, void *self)
{
    (void)self;
    if (iso_transport_resume_reading(transport) != 0) (void)iso_transport_abort(transport);
}

static void echo_lost(iso_transport *transport, void *self, int error)
{
    echo_service *service = self;
    (void)transport;
    if (error != 0) service->broken++;
}

/* No eof_received: at the end of a client's stream the transport sends what is left, and closes. */
const iso_protocol echo_protocol = {
    .connection_made = echo_made,
    .data_received = echo_received,
    .connection_lost = echo_lost,
    .pause_writing = echo_pause,
    .resume_writing = echo_resume,
};
