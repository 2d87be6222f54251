/* SPDX-License-Identifier: MIT */
/* 200 connections that open, write, half-close, close, abort, pause, resume and are cancelled at
 * random, both ends in one loop. Every byte that comes is the one that was sent at its place; a
 * stream that ends in order ends with the last byte that was sent; each connection_made has its
 * connection_lost; and in the end nothing is left.
 *
 * The seed is printed; ISOLOOP_TEST_SEED in the environment gives one, to try the same again.
 * STRESS_SHARE, from the build: take only one step in so many, and say so. */
#include "io/option.h"
#include "kit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if !defined(STRESS_SHARE)
#define STRESS_SHARE 1
#endif

enum {
    STEPS = 200000 / STRESS_SHARE,
    CONNECTIONS = 200,   /* at once, */
    CLIENTS = STEPS / 4, /* and in all: */
    CLIENT_KEYS = 1,
    SERVER_KEYS = CLIENT_KEYS + CLIENTS,
    PERIOD = 65521,             /* of the bytes that are sent */
    LARGEST_WRITE = 256 * 1024, /* more than the high mark and the system hold together */
    PIECES = 4,
    GREETING_BYTES = 4
};

typedef struct chaos chaos;

/* One end of a connection. */
typedef struct end {
    chaos *owner;
    struct end *other;                      /* whose bytes come; NULL: it has not said */
    iso_transport *transport;               /* NULL: not made, or lost */
    uint32_t key;                           /* what its bytes begin with; no other end has it */
    uint32_t place;                         /* among the live ones */
    unsigned char greeting[GREETING_BYTES]; /* of the other, */
    size_t greeted;                         /* and how much of it has come */
    size_t sent;                            /* besides it */
    size_t received;
    int pauses;
    bool is_client;
    bool is_counted; /* a client's: among the open ones, */
    bool is_made;    /* and no longer among those that connect */
    bool is_paused;  /* its writing */
    bool is_eof_written;
    bool is_closed;  /* by close, */
    bool is_aborted; /* by abort, or cancelled */
    bool stays;      /* what eof_received answers */
    bool is_eof_received;
    bool is_lost;
} end;

/* What a client was begun with. */
typedef struct beginning {
    end client;
    iso_future *future; /* of create_connection, held for cancelling; NULL: given back */
} beginning;

struct chaos {
    kit *k;
    iso_loop *loop;
    uint64_t random;
    uint16_t port;
    int made;
    int lost;
    int cancelled;
    int pauses;    /* of writing */
    int full_ends; /* streams that were seen to their last byte */
    int64_t bytes;
    int client_count;
    int server_count;
    int open_count;      /* clients that are begun and not over, */
    int connecting;      /* those of them that are not made yet, */
    uint32_t live_count; /* and all ends with a transport: */
    end *live[4 * CONNECTIONS];
    beginning clients[CLIENTS];
    end servers[CLIENTS];
};

/* ---- chance ---- */

/* xorshift64*, as the kit's. */
static uint32_t chance(chaos *self, uint32_t bound)
{
    self->random ^= self->random >> 12;
    self->random ^= self->random << 25;
    self->random ^= self->random >> 27;
    return (uint32_t)(((self->random * UINT64_C(0x2545F4914F6CDD1D) >> 32) * bound) >> 32);
}

static uint64_t choose_seed(void)
{
    const char *text = getenv("ISOLOOP_TEST_SEED");
    uint64_t seed;

    if (text != NULL && text[0] != '\0')
        seed = strtoull(text, NULL, 10);
    else
        seed = (uint64_t)kit_now();
    return seed != 0 ? seed : 1;
}

/* ---- bytes ---- */

static unsigned char pattern[PERIOD + LARGEST_WRITE];

static void make_pattern(void)
{
    size_t at;

    for (at = 0; at < sizeof(pattern); at++) {
        size_t place = at % PERIOD;
        pattern[at] = (unsigned char)(place * 37 + (place >> 8) * 11);
    }
}

/* Each end begins at another place of the pattern. */
static const unsigned char *bytes_of(const end *sender, size_t position)
{
    return pattern + ((size_t)sender->key * 7919 + position) % PERIOD;
}

static bool is_right(const end *self, const unsigned char *data, size_t size)
{
    size_t done = 0;

    while (done < size) {
        size_t part = size - done < LARGEST_WRITE ? size - done : (size_t)LARGEST_WRITE;

        if (memcmp(data + done, bytes_of(self->other, self->received + done), part) != 0)
            return false;
        done += part;
    }
    return true;
}

/* ---- ends ---- */

static void join_live(end *self)
{
    chaos *owner = self->owner;

    REQUIRE(owner->live_count < ISO__COUNT(owner->live));
    self->place = owner->live_count;
    owner->live[owner->live_count++] = self;
}

static void leave_live(end *self)
{
    chaos *owner = self->owner;
    end *last = owner->live[--owner->live_count];

    owner->live[self->place] = last;
    last->place = self->place;
}

/* Each end says at first who it is: its key. Ports would not tell: one that was reset is given out
 * again while the other side does not know of it yet. */
static void greet(end *self, iso_transport *transport)
{
    unsigned char greeting[GREETING_BYTES];
    size_t at;

    for (at = 0; at < GREETING_BYTES; at++) greeting[at] = (unsigned char)(self->key >> 8 * at);
    CHECK_OK(iso_transport_write(transport, greeting, GREETING_BYTES));
}

static void find_other(end *self)
{
    chaos *owner = self->owner;
    uint32_t key = 0;
    size_t at;

    for (at = 0; at < GREETING_BYTES; at++) key |= (uint32_t)self->greeting[at] << 8 * at;
    if (self->is_client) {
        REQUIRE(key >= SERVER_KEYS && key < SERVER_KEYS + (uint32_t)owner->server_count);
        self->other = &owner->servers[key - SERVER_KEYS];
    } else {
        REQUIRE(key >= CLIENT_KEYS && key < CLIENT_KEYS + (uint32_t)owner->client_count);
        self->other = &owner->clients[key - CLIENT_KEYS].client;
    }
    if (self->other->other != NULL) CHECK_PTR(self->other->other, self);
}

/* Take what belongs to the greeting. Answers how much that is. */
static size_t take_greeting(end *self, const unsigned char *data, size_t size)
{
    size_t part = GREETING_BYTES - self->greeted;

    if (part == 0) return 0;
    if (part > size) part = size;
    memcpy(self->greeting + self->greeted, data, part);
    self->greeted += part;
    if (self->greeted == GREETING_BYTES) find_other(self);
    return part;
}

static void become_live(end *self, iso_transport *transport)
{
    iso_extra_info info;

    self->transport = transport;
    if (iso_transport_get_extra_info(transport, "socket", &info) == 0) option_keep_few(info.fd);
    self->is_made = true;
    self->stays = chance(self->owner, 2) == 0;
    self->owner->made++;
    join_live(self);
    greet(self, transport);
}

static void end_received(iso_transport *transport, void *arg, const void *data, size_t size)
{
    end *self = arg;
    size_t part = take_greeting(self, data, size);
    const unsigned char *rest = (const unsigned char *)data + part;

    CHECK(!self->is_eof_received);
    CHECK(iso_transport_is_reading(transport));
    if (size == part) return;
    size -= part;
    CHECK(is_right(self, rest, size));
    self->received += size;
    self->owner->bytes += (int64_t)size;
}

/* Whether what it has sent ends with an end that nothing can be missing before. Who closes with
 * bytes unread resets the connection; that is an error to the other side, but Wine tells it as an
 * end. */
static bool is_in_order(const end *self)
{
    if (self->is_aborted || (kit_is_wine() && self->is_closed)) return false;
    CHECK(self->is_eof_written || self->is_closed);
    return true;
}

static bool end_eof(iso_transport *transport, void *arg)
{
    end *self = arg;

    (void)transport;
    CHECK(!self->is_eof_received);
    self->is_eof_received = true;
    if (self->other != NULL && is_in_order(self->other)) {
        CHECK_EQ(self->received, self->other->sent);
        self->owner->full_ends++;
    }
    if (!self->stays) self->is_closed = true;
    return self->stays;
}

static void uncount(end *self)
{
    if (self->is_counted) self->owner->open_count--;
    self->is_counted = false;
}

static void end_lost(iso_transport *transport, void *arg, int error)
{
    end *self = arg;

    CHECK(!self->is_lost);
    CHECK_PTR(transport, self->transport);
    if (error != 0) self->is_aborted = true; /* a reset; what it had to send is lost */
    if (!self->is_aborted) CHECK(!self->is_paused);
    self->owner->pauses += self->pauses;
    self->is_lost = true;
    self->transport = NULL;
    self->owner->lost++;
    uncount(self);
    leave_live(self);
}

static void end_paused(iso_transport *transport, void *arg)
{
    (void)transport;
    CHECK(!((end *)arg)->is_paused);
    ((end *)arg)->is_paused = true;
    ((end *)arg)->pauses++;
}

static void end_resumed(iso_transport *transport, void *arg)
{
    (void)transport;
    CHECK(((end *)arg)->is_paused);
    ((end *)arg)->is_paused = false;
}

static void client_made(iso_transport *transport, void *arg)
{
    end *self = arg;

    if (self->is_counted) self->owner->connecting--; /* else it was cancelled just now */
    become_live(self, transport);
}

static const iso_protocol end_protocol = {
    .connection_made = client_made,
    .data_received = end_received,
    .eof_received = end_eof,
    .connection_lost = end_lost,
    .pause_writing = end_paused,
    .resume_writing = end_resumed,
};

/* The server's: each connection gets an end of its own. */
static void server_made(iso_transport *transport, void *arg)
{
    chaos *self = arg;
    end *one = &self->servers[self->server_count++];

    REQUIRE(self->server_count <= CLIENTS);
    one->owner = self;
    one->key = SERVER_KEYS + (uint32_t)(one - self->servers);
    CHECK_OK(iso_transport_set_protocol(transport, &end_protocol, one));
    become_live(one, transport);
}

static const iso_protocol server_protocol = { .connection_made = server_made };

/* ---- what is done to them ---- */

static void open_one(chaos *self)
{
    iso_connection_options options = ISO_CONNECTION_OPTIONS_INIT;
    beginning *one = &self->clients[self->client_count];

    if (self->client_count == CLIENTS || self->open_count == CONNECTIONS ||
        (int)self->live_count + 2 * self->connecting > 2 * CONNECTIONS - 2)
        return;
    self->client_count++;
    self->open_count++;
    self->connecting++;
    one->client.owner = self;
    one->client.key = CLIENT_KEYS + (uint32_t)(one - self->clients);
    one->client.is_client = true;
    one->client.is_counted = true;
    options.host = "127.0.0.1";
    options.port = self->port;
    REQUIRE_OK(iso_loop_create_connection(self->loop, &end_protocol, &one->client, &options,
                                          &one->future));
}

/* Cancel the youngest one, if it is still being made. */
static void cancel_one(chaos *self)
{
    beginning *one = &self->clients[self->client_count > 0 ? self->client_count - 1 : 0];

    if (one->future == NULL || iso_future_cancel(one->future) != 0) return;
    self->cancelled++;
    one->client.is_aborted = true;
    if (!one->client.is_made) {
        self->connecting--;
        uncount(&one->client);
    }
    iso_future_release(one->future);
    one->future = NULL;
}

static void write_some(end *self)
{
    size_t size = chance(self->owner, 8) == 0 ? chance(self->owner, LARGEST_WRITE) + 1
                                              : chance(self->owner, 2000);
    const unsigned char *bytes = bytes_of(self, self->sent);

    if (self->is_paused) return;
    if (self->is_eof_written) {
        CHECK_RC(iso_transport_write(self->transport, bytes, size), ISO_EINVALIDSTATE);
        return;
    }
    if (!iso_transport_is_closing(self->transport)) self->sent += size;
    CHECK_OK(iso_transport_write(self->transport, bytes, size));
}

static void write_several(end *self)
{
    iso_buffer list[PIECES];
    size_t total = 0;
    size_t at;

    if (self->is_paused || self->is_eof_written) return;
    for (at = 0; at < PIECES; at++) {
        list[at].data = bytes_of(self, self->sent + total);
        list[at].size = chance(self->owner, 300);
        total += list[at].size;
    }
    if (!iso_transport_is_closing(self->transport)) self->sent += total;
    CHECK_OK(iso_transport_writelines(self->transport, list, PIECES));
}

static void half_close(end *self)
{
    if (!iso_transport_is_closing(self->transport)) self->is_eof_written = true;
    CHECK_OK(iso_transport_write_eof(self->transport));
}

static void close_it(end *self)
{
    self->is_closed = true;
    CHECK_OK(iso_transport_close(self->transport));
}

static void abort_it(end *self)
{
    self->is_aborted = true;
    CHECK_OK(iso_transport_abort(self->transport));
}

static void set_limits(end *self)
{
    size_t high = chance(self->owner, 100000);

    CHECK_OK(iso_transport_set_write_buffer_limits(self->transport, high, SIZE_MAX));
}

static void do_anything(end *self)
{
    uint32_t what = chance(self->owner, 100);

    if (what < 45)
        write_some(self);
    else if (what < 60)
        write_several(self);
    else if (what < 72)
        CHECK_OK(iso_transport_pause_reading(self->transport));
    else if (what < 90)
        CHECK_OK(iso_transport_resume_reading(self->transport));
    else if (what < 93)
        set_limits(self);
    else if (what < 96)
        half_close(self);
    else if (what < 98)
        close_it(self);
    else
        abort_it(self);
}

static void step(chaos *self)
{
    uint32_t what = chance(self, 100);

    if (what < 12)
        open_one(self);
    else if (what < 14)
        cancel_one(self);
    else if (what < 34)
        (void)kit_turn(self->k, self->loop);
    else if (self->live_count > 0)
        do_anything(self->live[chance(self, self->live_count)]);
}

/* ---- the end ---- */

static void give_futures_back(chaos *self)
{
    int at;

    for (at = 0; at < self->client_count; at++) {
        if (self->clients[at].future != NULL) CHECK_OK(iso_future_error(self->clients[at].future));
        iso_future_release(self->clients[at].future);
        self->clients[at].future = NULL;
    }
}

/* Have each end read, and say that it has no more to send. Answers whether there is any that goes
 * on by itself: two that are both closing, each with more to send than the system takes of it,
 * would wait for each other for ever. */
static bool end_in_order(chaos *self)
{
    bool is_any = self->connecting > 0;
    uint32_t at;

    for (at = 0; at < self->live_count; at++) {
        end *one = self->live[at];

        if (iso_transport_is_closing(one->transport)) continue;
        is_any = true;
        one->stays = false;
        CHECK_OK(iso_transport_resume_reading(one->transport));
        half_close(one);
        if (one->is_eof_received) close_it(one);
    }
    return is_any && !kit_has_failed(self->k);
}

/* A turn that waits, and never for half a minute. It may find nothing to do: what has come is not
 * wanted any more. */
static void wait_turn(chaos *self)
{
    iso_nsec end = kit_now() + ISO_S(30);

    CHECK_GE(iso_loop_run_once(self->loop, ISO_S(30)), 0);
    CHECK(kit_now() < end);
}

static void run_to_the_end(chaos *self, iso_server *server)
{
    while (end_in_order(self)) wait_turn(self);
    kit_settle(self->k, self->loop); /* the server takes those that still knock */
    while (end_in_order(self)) wait_turn(self);
    CHECK_OK(iso_server_close(server));
    while (kit_statistics(self->loop).objects > 0 && !kit_has_failed(self->k)) {
        uint32_t at;

        for (at = 0; at < self->live_count; at++) abort_it(self->live[at]);
        wait_turn(self);
    }
    give_futures_back(self);
}

static iso_server *serve(chaos *self)
{
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    iso_future *future = NULL;
    iso_address address;
    void *server = NULL;

    options.host = "127.0.0.1";
    REQUIRE_OK(iso_loop_create_server(self->loop, &server_protocol, self, &options, &future));
    REQUIRE_OK(kit_run(self->k, self->loop, future));
    REQUIRE_OK(iso_future_result(future, &server));
    REQUIRE_OK(iso_server_address(server, 0, &address));
    self->port = iso_address_port(&address);
    iso_future_release(future);
    return iso_server_ref(server);
}

static void tell(const chaos *self)
{
    printf(
        "        %d steps, %d connections, %d cancelled, %.1f MB, %d pauses, %d streams to their "
        "end\n",
        STEPS, self->made, self->cancelled, (double)self->bytes / 1e6, self->pauses,
        self->full_ends);
    if (STRESS_SHARE != 1)
        printf("        (1 step in %d: this build has STRESS_SHARE)\n", STRESS_SHARE);
}

KIT_TEST(connections_at_random)
{
    static chaos c;
    uint64_t seed = choose_seed();
    iso_server *server;
    int at;

    printf("        ISOLOOP_TEST_SEED=%" PRIu64 "\n", seed);
    (void)fflush(stdout);
    if (!kit_allow_descriptors(k, 4 * CONNECTIONS + 50)) return;
    memset(&c, 0, sizeof(c));
    make_pattern();
    c.k = k;
    c.random = seed;
    c.loop = kit_loop(k);
    server = serve(&c);

    for (at = 0; at < STEPS && !kit_has_failed(k); at++) step(&c);
    run_to_the_end(&c, server);

    CHECK_EQ(c.made, c.lost);
    CHECK_EQ(c.live_count, 0);
    CHECK_EQ(c.open_count, 0);
    CHECK_EQ(c.connecting, 0);
    CHECK_GE(c.made, CONNECTIONS);
    CHECK_GE(c.pauses, CONNECTIONS / 4);
    CHECK_GE(c.full_ends, CONNECTIONS / 4);
    tell(&c);
    (void)kit_logged(k, "a program goes on writing to a connection that is closed"); /* it may */
    iso_server_release(server);
}

static const kit_case cases[] = {
    KIT_CASE(connections_at_random),
};

KIT_MAIN(cases)
