/* SPDX-License-Identifier: MIT */
/* An echo that changes byte 1000 of its third connection, to see whether the demo sees it. */
#include "echo.h"
#include <stdlib.h>
#include <string.h>

#define LYING_CONNECTION 3
#define LYING_POSITION 1000

static iso_transport *victim;
static uint64_t position;

static void liar_made(iso_transport *transport, void *self)
{
    echo_service *service = self;
    service->connections++;
    if (service->connections == LYING_CONNECTION) {
        victim = transport;
        position = 0;
    }
}

static void liar_received(iso_transport *transport, void *self, const void *data, size_t size)
{
    unsigned char *copy = malloc(size);
    (void)self;
    if (copy == NULL) abort();
    memcpy(copy, data, size);
    if (transport == victim) {
        if (position <= LYING_POSITION && LYING_POSITION - position < size)
            copy[LYING_POSITION - position] ^= 0x20;
        position += size;
    }
    (void)iso_transport_write(transport, copy, size);
    free(copy);
}

const iso_protocol echo_protocol = {
    .connection_made = liar_made,
    .data_received = liar_received,
};
