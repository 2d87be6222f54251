/* SPDX-License-Identifier: MIT */
/* The main job at full size: 2,000 connections, all open at once, each sending 500 messages of 64
 * bytes and getting every byte of them back. Both ends live in one loop. Where the limits table
 * says that the loop takes no 4,000 sockets it is as many connections as it takes.
 *
 * STRESS_SHARE, from the build: send only one message in so many, for a sanitizer or an emulator;
 * and of those one in three where Wine plays Windows, which takes thousands a second, not hundreds
 * of thousands. The test says so when it is not all of them. */
#include "kit.h"
#include "support/kit_os.h"

#include <stdio.h>
#include <string.h>

#if !defined(STRESS_SHARE)
#define STRESS_SHARE 1
#endif

enum {
    MOST_CONNECTIONS = 2000,
    MOST_MESSAGES = 500,
    WINE_SHARE = 3,
    MESSAGE_BYTES = 64,
    BEGUN_AT_ONCE = 50, /* fewer than a backlog holds */
    SPARE_DESCRIPTORS = 50
};

typedef struct stress stress;

typedef struct client {
    stress *owner;
    iso_transport *transport;
    int number;
    int received; /* bytes */
    bool is_wrong;
} client;

struct stress {
    iso_loop *loop;
    uint16_t port;
    int messages; /* of each connection */
    int wanted;   /* connections, */
    int begun;
    int made;
    int served; /* on the server's side, */
    int64_t served_bytes;
    int lost; /* and on both */
    int failed;
    iso_nsec start; /* of the messages */
    client clients[MOST_CONNECTIONS];
};

/* ---- messages: no two of them are the same ---- */

static void compose(unsigned char *out, int connection, int message)
{
    uint32_t word = (uint32_t)connection * 1000u + (uint32_t)message;
    int at;

    for (at = 0; at < MESSAGE_BYTES; at++) {
        word = word * 1664525u + 1013904223u; /* Numerical Recipes, 7.1: its upper bits are good */
        out[at] = (unsigned char)(word >> 24);
    }
}

/* Check bytes from a place in a connection's stream on. */
static bool is_right(int connection, int position, const unsigned char *data, size_t size)
{
    unsigned char message[MESSAGE_BYTES];

    while (size > 0) {
        size_t begin = (size_t)(position % MESSAGE_BYTES);
        size_t part = MESSAGE_BYTES - begin < size ? MESSAGE_BYTES - begin : size;

        compose(message, connection, position / MESSAGE_BYTES);
        if (memcmp(data, message + begin, part) != 0) return false;
        position += (int)part;
        data += part;
        size -= part;
    }
    return true;
}

/* ---- the server ---- */

static void server_made(iso_transport *transport, void *arg)
{
    (void)transport;
    ((stress *)arg)->served++;
}

static void server_data(iso_transport *transport, void *arg, const void *data, size_t size)
{
    ((stress *)arg)->served_bytes += (int64_t)size;
    CHECK_OK(iso_transport_write(transport, data, size));
}

static void server_lost(iso_transport *transport, void *arg, int error)
{
    (void)transport;
    CHECK_OK(error);
    ((stress *)arg)->lost++;
}

static const iso_protocol server_protocol = {
    .connection_made = server_made,
    .data_received = server_data,
    .connection_lost = server_lost,
};

/* ---- the clients ---- */

static void begin_next(stress *self);

static void send_message(client *self, int message)
{
    unsigned char bytes[MESSAGE_BYTES];

    compose(bytes, self->number, message);
    CHECK_OK(iso_transport_write(self->transport, bytes, sizeof(bytes)));
}

static void client_made(iso_transport *transport, void *arg)
{
    client *self = arg;

    self->transport = transport;
    self->owner->made++;
    begin_next(self->owner);
}

static void client_data(iso_transport *transport, void *arg, const void *data, size_t size)
{
    client *self = arg;

    if (!is_right(self->number, self->received, data, size)) self->is_wrong = true;
    self->received += (int)size;
    if (self->received % MESSAGE_BYTES != 0) return;
    if (self->received < self->owner->messages * MESSAGE_BYTES)
        send_message(self, self->received / MESSAGE_BYTES);
    else
        CHECK_OK(iso_transport_close(transport));
}

static void client_lost(iso_transport *transport, void *arg, int error)
{
    client *self = arg;

    (void)transport;
    CHECK_OK(error);
    self->owner->lost++;
}

static const iso_protocol client_protocol = {
    .connection_made = client_made,
    .data_received = client_data,
    .connection_lost = client_lost,
};

/* ---- the stress ---- */

static void note_failure(iso_loop *loop, const iso_exception_context *context, void *arg)
{
    (void)loop;
    CHECK_STR(context->message, "nothing fails");
    CHECK_OK(context->error);
    ((stress *)arg)->failed++;
}

static void begin_next(stress *self)
{
    iso_connection_options options = ISO_CONNECTION_OPTIONS_INIT;
    client *one;

    if (self->begun == self->wanted) return;
    one = &self->clients[self->begun];
    one->owner = self;
    one->number = self->begun++;
    options.host = "127.0.0.1";
    options.port = self->port;
    REQUIRE_OK(iso_loop_create_connection(self->loop, &client_protocol, one, &options, NULL));
}

static iso_server *serve(kit *k, stress *self)
{
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    iso_future *future = NULL;
    iso_address address;
    void *server = NULL;

    options.host = "127.0.0.1";
    REQUIRE_OK(iso_loop_create_server(self->loop, &server_protocol, self, &options, &future));
    REQUIRE_OK(kit_run(k, self->loop, future));
    REQUIRE_OK(iso_future_result(future, &server));
    REQUIRE_OK(iso_server_address(server, 0, &address));
    self->port = iso_address_port(&address);
    iso_future_release(future);
    return server;
}

/* As many connections, two sockets each, as the limits let this loop have besides the server. */
static int most_connections(const stress *self)
{
    int64_t sockets = 0;
    int64_t used = 0;
    int64_t descriptors = 0;
    int64_t most = MOST_CONNECTIONS;

    REQUIRE_OK(iso_loop_limit_get(self->loop, ISO_LIMIT_SOCKETS, &sockets, &used));
    REQUIRE_OK(iso_loop_limit_get(self->loop, ISO_LIMIT_DESCRIPTOR, &descriptors, NULL));
    if ((sockets - used) / 2 < most) most = (sockets - used) / 2;
    /* The system hands out the lowest number that is free, and the highest one may be used. */
    descriptors -= kit_os_count_descriptors() - 1;
    if (descriptors / 2 < most) most = descriptors / 2;
    if (!iso_loop_limit_enforced(self->loop, "windows.selector.max_sockets") &&
        !iso_loop_limit_enforced(self->loop, "select.fd_setsize"))
        CHECK_EQ(most, MOST_CONNECTIONS);
    CHECK_GE(most, 200);
    return (int)most;
}

/* Turns until a count is complete; none of them ever waits for half a minute. */
static void run_until(kit *k, stress *self, const int *count, int wanted)
{
    while (*count < wanted && !kit_has_failed(k)) {
        iso_nsec end = kit_now() + ISO_S(30);

        CHECK_GE(iso_loop_run_once(self->loop, ISO_S(30)), 0);
        CHECK(kit_now() < end);
    }
    CHECK_EQ(*count, wanted);
}

static void connect_all(kit *k, stress *self)
{
    int at;

    for (at = 0; at < BEGUN_AT_ONCE; at++) begin_next(self);
    run_until(k, self, &self->made, self->wanted);
    run_until(k, self, &self->served, self->wanted);
}

static void talk(kit *k, stress *self)
{
    int at;

    self->start = kit_now();
    for (at = 0; at < self->wanted; at++) send_message(&self->clients[at], 0);
    run_until(k, self, &self->lost, 2 * self->wanted);
}

static void demand_all(const stress *self)
{
    int bytes = self->messages * MESSAGE_BYTES;
    int wrong = 0;
    int incomplete = 0;
    int at;

    for (at = 0; at < self->wanted; at++) {
        wrong += self->clients[at].is_wrong ? 1 : 0;
        incomplete += self->clients[at].received != bytes ? 1 : 0;
    }
    CHECK_EQ(wrong, 0);
    CHECK_EQ(incomplete, 0);
    CHECK_EQ(self->served_bytes, (int64_t)self->wanted * bytes);
    CHECK_EQ(self->failed, 0);
}

static void tell(kit *k, const stress *self)
{
    double seconds = (double)(kit_now() - self->start) / 1e9;

    printf(
        "        %s: %d connections x %d messages of %d bytes in %.1f s, %.0f messages a second\n",
        kit_backend(k), self->wanted, self->messages, MESSAGE_BYTES, seconds,
        (double)self->wanted * (double)self->messages / seconds);
    if (self->messages != MOST_MESSAGES)
        printf("        (of %d messages: STRESS_SHARE of this build is %d%s)\n", MOST_MESSAGES,
               STRESS_SHARE, kit_is_wine() ? ", and this is Wine" : "");
}

KIT_TEST(two_thousand_connections_at_once_get_every_message_back)
{
    static stress s;
    iso_server *server;

    if (!kit_allow_descriptors(k, 2 * MOST_CONNECTIONS + SPARE_DESCRIPTORS)) return;
    memset(&s, 0, sizeof(s));
    s.loop = kit_loop(k);
    CHECK_OK(iso_loop_set_exception_handler(s.loop, note_failure, &s));
    server = serve(k, &s);
    s.wanted = most_connections(&s);
    s.messages = MOST_MESSAGES / STRESS_SHARE / (kit_is_wine() ? WINE_SHARE : 1);

    connect_all(k, &s);
    CHECK_EQ(iso_server_client_count(server), s.wanted);
    talk(k, &s);

    demand_all(&s);
    tell(k, &s);
    CHECK_OK(iso_server_close(server));
    kit_settle(k, s.loop); /* the loop lets go of it in the next turn */
}

static const kit_case cases[] = {
    KIT_CASE(two_thousand_connections_at_once_get_every_message_back),
};

KIT_MAIN(cases)
