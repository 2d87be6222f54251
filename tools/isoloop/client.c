/* SPDX-License-Identifier: MIT */
#include "client.h"
#include <inttypes.h>
#include <stdio.h>

static void fail(client *of, const char *sentence, int error)
{
    if (of->dismissed) return;
    client_dismiss(of);
    of->party->failed(of->party->owner, of, sentence, error);
}

static void fail_at_byte(client *of, uint64_t position, unsigned sent, unsigned got)
{
    char sentence[160];
    snprintf(sentence, sizeof(sentence),
             "wrong byte: connection %" PRIu64 ", byte %" PRIu64
             " of its stream: sent 0x%02x, got back 0x%02x",
             of->index + 1, position, sent, got);
    fail(of, sentence, ISO_OK);
}

void client_send(client *of)
{
    client_party *party = of->party;
    of->received = 0;
    of->sent_at = iso_loop_time(party->loop);
    int rc = iso_transport_write(of->transport,
                                 pattern_at(&party->pattern, of->index, of->position), party->size);
    if (rc != 0) fail(of, "a message could not be sent", rc);
}

void client_dismiss(client *of)
{
    of->dismissed = true;
    if (of->transport != NULL) (void)iso_transport_close(of->transport);
}

/* ---- the protocol --------------------------------------------------------------------------- */

static void client_made(iso_transport *transport, void *self)
{
    client *of = self;
    of->transport = transport;
    of->party->made++;
    if (of->dismissed)
        (void)iso_transport_close(transport);
    else
        client_send(of);
}

static void client_received(iso_transport *transport, void *self, const void *data, size_t size)
{
    client *of = self;
    client_party *party = of->party;
    (void)transport;
    if (of->dismissed) return;
    if (size > party->size - of->received) {
        fail(of, "more bytes came back than were sent", ISO_OK);
        return;
    }
    const uint64_t position = of->position + of->received;
    const unsigned char *expected = pattern_at(&party->pattern, of->index, of->position);
    const size_t wrong = pattern_compare(expected + of->received, data, size);
    if (wrong < size) {
        const unsigned char *got = data;
        fail_at_byte(of, position + wrong, expected[of->received + wrong], got[wrong]);
        return;
    }
    of->received += size;
    if (of->received < party->size) return;
    of->position += party->size;
    party->echoed(party->owner, of, iso_loop_time(party->loop) - of->sent_at);
}

static void client_lost(iso_transport *transport, void *self, int error)
{
    client *of = self;
    (void)transport;
    of->transport = NULL;
    of->party->lost++;
    fail(of, "the server closed a connection", error);
}

static const iso_protocol client_protocol = {
    .connection_made = client_made,
    .data_received = client_received,
    .connection_lost = client_lost,
};

/* ---- connecting ----------------------------------------------------------------------------- */

static void on_connected(iso_future *future, void *arg)
{
    int error = iso_future_error(future);
    if (error != 0) fail(arg, "a connection could not be made", error);
}

int client_connect(client *out, client_party *party, uint64_t index)
{
    iso_future *connected;
    iso_connection_options to = ISO_CONNECTION_OPTIONS_INIT;
    to.host = "127.0.0.1";
    to.port = party->port;
    *out = (client){ .party = party, .index = index };
    int rc = iso_loop_create_connection(party->loop, &client_protocol, out, &to, &connected);
    if (rc != 0) return rc;
    rc = iso_future_add_done_callback(connected, on_connected, out);
    if (rc != 0) client_dismiss(out);
    iso_future_release(connected);
    return rc;
}
