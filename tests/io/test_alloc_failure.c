/* SPDX-License-Identifier: MIT */
/* A whole life of a loop, a server and its clients, again and again: the first allocation fails,
 * then the second, and so on until there are no more to fail. Whatever fails, each call answers
 * ISO_ENOMEM or does its work, what is made is lost, and nothing is left. Source: SQLite, "How
 * SQLite Is Tested", 3.1. */
#include "io/names.h"
#include "io/option.h"
#include "kit.h"

#include <stdio.h>
#include <string.h>

enum {
    PERIOD = 65521,    /* of the bytes that go round */
    PIECE = 64 * 1024, /* what the flooder writes at once */
    ROUNDS = 3,        /* of the talker */
    PATIENCE = 60,     /* seconds of the loop's time, once something was refused */
    FEWEST = 30,       /* allocations that such a life takes for certain */
    MOST = 1000
};

typedef enum client_kind {
    TALKER = 0, /* says something, waits for the echo, says the next; then write_eof */
    LISTER,     /* sends several pieces at once, and closes when they are back */
    FLOODER,    /* writes and does not read, until the server has had to pause */
    STAYER,     /* stays until the server closes its clients */
    LEFT        /* is there, with much to send, when the loop closes */
} client_kind;

/* One of each, and talkers enough to make every table grow while they connect and are accepted. */
enum {
    THE_LISTER = 0,
    THE_FLOODER,
    THE_STAYER,
    THE_LEFT_ONE,
    FIRST_TALKER,
    CLIENTS = FIRST_TALKER + 10
};

typedef struct scenario scenario;

typedef struct client {
    scenario *owner;
    client_kind kind;
    iso_future *future;       /* of create_connection; NULL: refused */
    iso_transport *transport; /* NULL: not made yet, or lost */
    size_t sent;
    size_t received;
    int rounds;
    int error;
    bool is_paused;
    bool is_lost;
} client;

struct scenario {
    kit *k;
    iso_loop *loop;
    iso_future *serving;
    iso_server *server;
    uint64_t refused_before;
    int made;
    int lost;
    bool server_has_paused;
    client clients[CLIENTS];
};

/* ---- bytes ---- */

static unsigned char pattern[PERIOD + PIECE];

static void make_pattern(void)
{
    size_t at;

    for (at = 0; at < sizeof(pattern); at++) {
        size_t place = at % PERIOD;
        pattern[at] = (unsigned char)(place * 31 + (place >> 8) * 17);
    }
}

static bool is_pattern(const unsigned char *bytes, size_t size, size_t position)
{
    while (size > 0) {
        size_t part = size < PIECE ? size : (size_t)PIECE;

        if (memcmp(bytes, pattern + position % PERIOD, part) != 0) return false;
        bytes += part;
        size -= part;
        position += part;
    }
    return true;
}

/* ---- what is allowed ---- */

static bool was_refused(const scenario *self)
{
    return kit_memory_now(self->k).failures > self->refused_before;
}

/* A call answered it: 0, or ISO_ENOMEM and there was no memory. Answers whether it was 0. */
static bool went_well(const scenario *self, int rc)
{
    if (rc == 0) return true;
    CHECK_RC(rc, ISO_ENOMEM);
    CHECK(was_refused(self));
    return false;
}

static void note(iso_loop *loop, const iso_exception_context *context, void *arg)
{
    (void)loop;
    (void)went_well(arg, context->error);
}

/* A program that can't go on with a connection does away with it. */
static void go_on_or_abort(const scenario *self, iso_transport *transport, int rc)
{
    if (!went_well(self, rc)) CHECK_OK(iso_transport_abort(transport));
}

/* A write that is refused has sent nothing, or the connection ends: so it may be tried again. */
static void send_list(const scenario *self, iso_transport *transport, const iso_buffer *list,
                      size_t count)
{
    if (went_well(self, iso_transport_writelines(transport, list, count))) return;
    if (iso_transport_is_closing(transport)) return;
    go_on_or_abort(self, transport, iso_transport_writelines(transport, list, count));
}

static void send_bytes(const scenario *self, iso_transport *transport, const void *data,
                       size_t size)
{
    if (went_well(self, iso_transport_write(transport, data, size))) return;
    if (iso_transport_is_closing(transport)) return;
    go_on_or_abort(self, transport, iso_transport_write(transport, data, size));
}

static void keep_few(iso_transport *transport)
{
    iso_extra_info info;

    if (iso_transport_get_extra_info(transport, "socket", &info) == 0) option_keep_few(info.fd);
}

/* ---- the server ---- */

static void server_made(iso_transport *transport, void *arg)
{
    keep_few(transport);
    ((scenario *)arg)->made++;
}

static void server_data(iso_transport *transport, void *arg, const void *data, size_t size)
{
    send_bytes(arg, transport, data, size);
}

static void server_lost(iso_transport *transport, void *arg, int error)
{
    scenario *self = arg;

    (void)transport;
    self->lost++;
    if (error != 0) CHECK(was_refused(self));
}

static void end_flood(client *self);

static void server_paused(iso_transport *transport, void *arg)
{
    scenario *self = arg;

    CHECK_OK(iso_transport_pause_reading(transport));
    self->server_has_paused = true;
    end_flood(&self->clients[THE_FLOODER]);
}

static void server_resumed(iso_transport *transport, void *arg)
{
    go_on_or_abort(arg, transport, iso_transport_resume_reading(transport));
}

static const iso_protocol server_protocol = {
    .connection_made = server_made,
    .data_received = server_data,
    .connection_lost = server_lost,
    .pause_writing = server_paused,
    .resume_writing = server_resumed,
};

/* ---- the clients ---- */

static void say(client *self, size_t size)
{
    const unsigned char *bytes = pattern + self->sent % PERIOD;

    self->sent += size;
    send_bytes(self->owner, self->transport, bytes, size);
}

static void say_list(client *self)
{
    iso_buffer list[3];
    size_t at;

    for (at = 0; at < ISO__COUNT(list); at++) {
        list[at].data = pattern + self->sent;
        list[at].size = 1000 * at;
        self->sent += list[at].size;
    }
    send_list(self->owner, self->transport, list, ISO__COUNT(list));
}

static void flood(client *self)
{
    while (!self->is_paused && !self->owner->server_has_paused &&
           !iso_transport_is_closing(self->transport))
        say(self, PIECE);
}

static void end_flood(client *self)
{
    if (self->transport == NULL) return;
    go_on_or_abort(self->owner, self->transport, iso_transport_resume_reading(self->transport));
    CHECK_OK(iso_transport_write_eof(self->transport));
}

static void client_made(iso_transport *transport, void *arg)
{
    client *self = arg;

    self->transport = transport;
    self->owner->made++;
    keep_few(transport);
    switch (self->kind) {
    case TALKER: say(self, 100); break;
    case LISTER: say_list(self); break;
    case FLOODER:
        CHECK_OK(iso_transport_pause_reading(transport));
        flood(self);
        break;
    case STAYER: say(self, 10); break;
    case LEFT: break;
    }
}

static void client_data(iso_transport *transport, void *arg, const void *data, size_t size)
{
    client *self = arg;

    CHECK(is_pattern(data, size, self->received));
    self->received += size;
    CHECK(self->received <= self->sent);
    if (self->received < self->sent) return;
    if (self->kind == LISTER) CHECK_OK(iso_transport_close(transport));
    if (self->kind != TALKER) return;
    if (++self->rounds < ROUNDS)
        say(self, 100);
    else
        CHECK_OK(iso_transport_write_eof(transport));
}

static void client_lost(iso_transport *transport, void *arg, int error)
{
    client *self = arg;

    (void)transport;
    self->owner->lost++;
    self->transport = NULL;
    self->is_lost = true;
    self->error = error;
}

static void client_paused(iso_transport *transport, void *arg)
{
    (void)transport;
    ((client *)arg)->is_paused = true;
}

static void client_resumed(iso_transport *transport, void *arg)
{
    client *self = arg;

    (void)transport;
    self->is_paused = false;
    if (self->kind == FLOODER) flood(self);
}

static const iso_protocol client_protocol = {
    .connection_made = client_made,
    .data_received = client_data,
    .connection_lost = client_lost,
    .pause_writing = client_paused,
    .resume_writing = client_resumed,
};

/* ---- running ---- */

/* Turns until it is done, which takes some time at most. */
static bool run_until(scenario *self, bool (*is_done)(const scenario *self))
{
    iso_nsec end = kit_now() + ISO_S(30);

    while (!is_done(self) && CHECK(kit_now() < end)) {
        int count = iso_loop_run_once(self->loop, ISO_S(30));

        if (count < 0) (void)went_well(self, count);
    }
    return is_done(self);
}

/* The same, but once something was refused it may never be done: then time passes whenever nothing
 * happens, so that a listener's rest ends, and in the end patience. Answers whether it was done. */
static bool run_with_patience(scenario *self, bool (*is_done)(const scenario *self))
{
    iso_nsec end = iso_loop_time(self->loop) + ISO_S(PATIENCE);
    iso_nsec real_end = kit_now() + ISO_S(30);

    while (!is_done(self)) {
        bool may_hang = was_refused(self);
        int count = iso_loop_run_once(self->loop, may_hang ? ISO_MS(1) : ISO_S(30));

        if (count < 0) (void)went_well(self, count);
        if (!CHECK(may_hang || kit_now() < real_end)) return false;
        if (count > 0 || !may_hang) continue;
        kit_advance(self->k, ISO_S(1));
        if (iso_loop_time(self->loop) > end) return false;
    }
    return true;
}

static bool is_server_made(const scenario *self)
{
    return iso_future_done(self->serving);
}

static bool is_over(const client *self)
{
    if (self->future == NULL || self->is_lost) return true;
    if (iso_future_done(self->future) && iso_future_error(self->future) != 0) return true;
    if (self->kind == STAYER) return self->sent > 0 && self->received == self->sent;
    return self->kind == LEFT && self->transport != NULL;
}

static bool are_clients_over(const scenario *self)
{
    size_t at;

    for (at = 0; at < CLIENTS; at++) {
        if (at != THE_LEFT_ONE && !is_over(&self->clients[at])) return false;
    }
    return true;
}

static bool is_nothing_open(const scenario *self)
{
    return kit_statistics(self->loop).objects == 0;
}

static bool is_left_one_made(const scenario *self)
{
    return is_over(&self->clients[THE_LEFT_ONE]);
}

/* ---- the steps ---- */

static bool begin_server(scenario *self)
{
    static const char *const hosts[] = { "127.0.0.1", "here" };
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    void *server = NULL;
    int rc;

    options.hosts = hosts;
    options.host_count = ISO__COUNT(hosts);
    rc = iso_loop_create_server(self->loop, &server_protocol, self, &options, &self->serving);
    if (!went_well(self, rc)) return false;
    REQUIRE(run_until(self, is_server_made)); /* however it ends: it ends */
    if (!went_well(self, iso_future_result(self->serving, &server))) return false;
    self->server = server;
    return true;
}

static void begin_client(scenario *self, size_t at, uint16_t port)
{
    client *one = &self->clients[at];
    iso_connection_options options = ISO_CONNECTION_OPTIONS_INIT;

    /* a name of two addresses, the first one dead; or an address */
    options.host = one->kind == LISTER ? "there" : "127.0.0.1";
    options.port = port;
    options.happy_eyeballs_delay = ISO_S(10);
    (void)went_well(self, iso_loop_create_connection(self->loop, &client_protocol, one, &options,
                                                     &one->future));
}

static void begin_clients(scenario *self)
{
    iso_address address;
    size_t at;

    REQUIRE_OK(iso_server_address(self->server, 0, &address));
    for (at = 0; at < CLIENTS; at++) {
        if (at != THE_LEFT_ONE) begin_client(self, at, iso_address_port(&address));
    }
}

/* It has waited for longer than it wants to. */
static void give_up(client *self)
{
    if (self->transport != NULL)
        CHECK_OK(iso_transport_abort(self->transport));
    else if (self->future != NULL && !iso_future_done(self->future))
        CHECK_OK(iso_future_cancel(self->future));
}

static void give_all_up(scenario *self)
{
    size_t at;

    for (at = 0; at < CLIENTS; at++) give_up(&self->clients[at]);
}

static void end_server(scenario *self)
{
    iso_future *closed = NULL;

    CHECK_OK(iso_server_close(self->server));
    (void)went_well(self, iso_server_wait_closed(self->server, &closed));
    CHECK_OK(iso_server_close_clients(self->server));
    if (!run_with_patience(self, is_nothing_open)) {
        CHECK_OK(iso_server_abort_clients(self->server));
        give_all_up(self);
        (void)run_until(self, is_nothing_open); /* that is told, if it does not come */
    }
    CHECK_EQ(iso_server_client_count(self->server), 0);
    if (closed != NULL) CHECK_OK(iso_future_error(closed));
    iso_future_release(closed);
}

/* One that is there when the loop closes. */
static void begin_left_one(scenario *self, iso_fd *peer)
{
    iso_connection_options options = ISO_CONNECTION_OPTIONS_INIT;
    client *one = &self->clients[THE_LEFT_ONE];
    iso_fd ends[2];
    int rc;

    REQUIRE_OK(iso_socketpair(ends));
    *peer = ends[1];
    options.sock = ends[0];
    rc = iso_loop_create_connection(self->loop, &client_protocol, one, &options, &one->future);
    if (!went_well(self, rc)) {
        CHECK_OK(iso_socket_close(ends[0])); /* it is still ours */
        return;
    }
    CHECK(run_until(self, is_left_one_made));
    while (one->transport != NULL && !one->is_paused && !iso_transport_is_closing(one->transport))
        say(one, PIECE);
}

static void live(scenario *self)
{
    iso_fd peer = ISO_FD_NONE;
    size_t at;

    CHECK_OK(iso_loop_set_exception_handler(self->loop, note, self));
    if (begin_server(self)) {
        begin_clients(self);
        if (!run_with_patience(self, are_clients_over)) give_all_up(self);
        end_server(self);
    }
    begin_left_one(self, &peer);
    CHECK_OK(iso_loop_close(self->loop));
    CHECK_OK(iso_socket_close(peer));
    CHECK_EQ(kit_statistics(self->loop).objects, 0);
    for (at = 0; at < CLIENTS; at++) {
        if (self->clients[at].future != NULL) (void)iso_future_error(self->clients[at].future);
        iso_future_release(self->clients[at].future);
    }
    iso_future_release(self->serving);
    iso_loop_release(self->loop);
}

/* Nothing was refused, so everything has gone well. */
static void demand_all(const scenario *self)
{
    size_t at;

    CHECK_EQ(self->made, 2 * (CLIENTS - 1) + 1);
    CHECK(self->server_has_paused);
    for (at = 0; at < CLIENTS; at++) {
        if (at == THE_LEFT_ONE) continue;
        CHECK_OK(self->clients[at].error);
        CHECK(self->clients[at].sent > 0);
        CHECK_EQ(self->clients[at].received, self->clients[at].sent);
    }
    CHECK_RC(self->clients[THE_LEFT_ONE].error, ISO_ECLOSED);
}

/* One life, its nth allocation refused, and all later ones too if it is to be hard. Answers whether
 * there was something to refuse. */
static bool live_without(kit *k, uint64_t nth, bool is_hard)
{
    static scenario s;
    iso_loop_options options = kit_options(k);
    iso_clock clock = kit_virtual_clock(k);
    size_t at;
    bool refused;

    memset(&s, 0, sizeof(s));
    s.k = k;
    s.refused_before = kit_memory_now(k).failures;
    for (at = 0; at < CLIENTS; at++) {
        s.clients[at].owner = &s;
        s.clients[at].kind = TALKER;
    }
    s.clients[THE_LISTER].kind = LISTER;
    s.clients[THE_FLOODER].kind = FLOODER;
    s.clients[THE_STAYER].kind = STAYER;
    s.clients[THE_LEFT_ONE].kind = LEFT;
    options.clock = &clock;
    kit_fail_allocation(k, nth, is_hard);
    if (went_well(&s, iso_loop_new(&s.loop, &options))) live(&s);
    kit_fail_allocation(k, 0, false);

    refused = was_refused(&s);
    CHECK_EQ(s.made, s.lost);
    CHECK_EQ(kit_memory_now(k).blocks, 0);
    if (!refused) demand_all(&s);
    if (kit_has_failed(k)) printf("        when allocation %d was refused\n", (int)nth);
    return refused;
}

static void fail_each(kit *k, bool is_hard)
{
    iso_address dead;
    uint64_t nth = 1;

    make_pattern();
    kit_dead_address(k, &dead);
    names_clear();
    names_add("here", "127.0.0.1", 0);
    names_add_address("there", &dead);
    names_add("there", "127.0.0.1", 0);
    while (nth < MOST && live_without(k, nth, is_hard) && !kit_has_failed(k)) nth++;
    CHECK_GE(nth, FEWEST);
    CHECK_LE(nth, MOST - 1);
    printf("        %d allocations, each refused in its turn\n", (int)nth - 1);
}

KIT_TEST(one_allocation_is_refused)
{
    fail_each(k, false);
}

KIT_TEST(one_allocation_is_refused_and_every_later_one)
{
    fail_each(k, true);
}

static const kit_case cases[] = {
    KIT_CASE(one_allocation_is_refused),
    KIT_CASE(one_allocation_is_refused_and_every_later_one),
};

KIT_MAIN(cases)
