/* SPDX-License-Identifier: MIT */
/* Datagram endpoints. On a proactor they run under the profile "native": the documents have none
 * there, and the library does. */
#include "io/names.h"
#include "io/option.h"
#include "kit.h"
#include "loop/loop.h"
#include "sys/sock.h"

#include <string.h>

enum { LARGEST = 65507, MANY = 400, BURST = 1000, AT_ONCE = 50 };

typedef struct endpoint {
    kit *k;
    iso_datagram_transport *transport;
    int made;
    int received;
    size_t bytes;
    int errors;
    int last_error;
    int lost;
    int lost_error;
    int paused;
    int resumed;
    int out_of_order;
    iso_address from;
    size_t last_size;
    unsigned char last[64];
    void (*then)(struct endpoint *self);
} endpoint;

static void on_made(iso_datagram_transport *transport, void *self)
{
    endpoint *it = self;

    CHECK_EQ(it->made++, 0);
    it->transport = transport;
}

static void on_datagram(iso_datagram_transport *transport, void *self, const void *data,
                        size_t size, const iso_address *from)
{
    endpoint *it = self;

    CHECK(it->transport == transport);
    CHECK_EQ(it->lost, 0);
    it->received++;
    it->bytes += size;
    it->last_size = size;
    it->from = *from;
    if (size > 0) memcpy(it->last, data, size < sizeof(it->last) ? size : sizeof(it->last));
    if (it->then != NULL) it->then(it);
}

static void on_error(iso_datagram_transport *transport, void *self, int error)
{
    endpoint *it = self;

    (void)transport;
    CHECK_LE(error, -1);
    it->errors++;
    it->last_error = error;
}

static void on_lost(iso_datagram_transport *transport, void *self, int error)
{
    endpoint *it = self;

    (void)transport;
    CHECK_EQ(it->lost++, 0);
    it->lost_error = error;
}

static void on_pause(iso_datagram_transport *transport, void *self)
{
    (void)transport;
    ((endpoint *)self)->paused++;
}

static void on_resume(iso_datagram_transport *transport, void *self)
{
    (void)transport;
    ((endpoint *)self)->resumed++;
}

static const iso_datagram_protocol recorder = {
    .connection_made = on_made,
    .datagram_received = on_datagram,
    .error_received = on_error,
    .connection_lost = on_lost,
    .pause_writing = on_pause,
    .resume_writing = on_resume,
};

static iso_loop *datagram_loop(kit *k)
{
    iso_loop_options options = kit_options(k);

    options.limits = "native";
    return kit_loop_with(k, &options);
}

static void make_with(kit *k, iso_loop *loop, endpoint *it, const iso_datagram_options *options)
{
    iso_future *future = NULL;
    void *result = NULL;

    memset(it, 0, sizeof(*it));
    it->k = k;
    REQUIRE_OK(iso_loop_create_datagram_endpoint(loop, &recorder, it, options, &future));
    CHECK_EQ(it->made, 0);
    REQUIRE_OK(kit_run(k, loop, future));
    REQUIRE_OK(iso_future_result(future, &result));
    CHECK(result == it->transport);
    CHECK_EQ(it->made, 1);
    iso_future_release(future);
}

/* An address of a transport. */
static int get_address(const iso_datagram_transport *transport, const char *name, iso_address *out)
{
    iso_extra_info info;
    int rc = iso_datagram_transport_get_extra_info(transport, name, &info);

    if (rc == 0) *out = info.address;
    return rc;
}

/* One that is bound to a free port of this machine; *address is where. */
static void make_bound(kit *k, iso_loop *loop, endpoint *it, const char *host, iso_address *address)
{
    iso_datagram_options options = ISO_DATAGRAM_OPTIONS_INIT;

    options.local_host = host;
    make_with(k, loop, it, &options);
    REQUIRE_OK(get_address(it->transport, "sockname", address));
    CHECK(iso_address_port(address) != 0);
}

static void make_connected(kit *k, iso_loop *loop, endpoint *it, const iso_address *to)
{
    iso_datagram_options options = ISO_DATAGRAM_OPTIONS_INIT;
    char host[64];

    REQUIRE_OK(iso_address_host(to, host, sizeof(host)));
    options.remote_host = host;
    options.remote_port = iso_address_port(to);
    make_with(k, loop, it, &options);
}

static void end(kit *k, iso_loop *loop, endpoint *it)
{
    CHECK_OK(iso_datagram_transport_close(it->transport));
    CHECK(kit_run_until(k, loop, &it->lost, 1));
    CHECK_EQ(it->lost_error, 0);
}

/* ---- sending and receiving ---- */

static void exchange(kit *k, const char *host)
{
    iso_loop *loop = datagram_loop(k);
    iso_address server_at;
    iso_address client_at;
    endpoint server;
    endpoint client;

    make_bound(k, loop, &server, host, &server_at);
    make_bound(k, loop, &client, host, &client_at);
    CHECK_OK(iso_datagram_transport_sendto(client.transport, "ping", 4, &server_at));
    CHECK(kit_run_until(k, loop, &server.received, 1));
    CHECK_EQ(server.last_size, 4);
    CHECK(memcmp(server.last, "ping", 4) == 0);
    CHECK_EQ(iso_address_port(&server.from), iso_address_port(&client_at));
    CHECK_OK(iso_datagram_transport_sendto(server.transport, "pong!", 5, &server.from));
    CHECK(kit_run_until(k, loop, &client.received, 1));
    CHECK_EQ(client.last_size, 5);
    end(k, loop, &server);
    end(k, loop, &client);
}

KIT_TEST(a_datagram_goes_there_and_its_answer_back)
{
    exchange(k, "127.0.0.1");
}

KIT_TEST(and_so_it_does_over_ip_version_6)
{
    exchange(k, "::1");
}

KIT_TEST(an_empty_datagram_is_sent_and_received)
{
    iso_loop *loop = datagram_loop(k);
    iso_address at;
    endpoint server;
    endpoint client;

    make_bound(k, loop, &server, "127.0.0.1", &at);
    make_connected(k, loop, &client, &at);
    CHECK_OK(iso_datagram_transport_sendto(client.transport, NULL, 0, NULL));
    CHECK_OK(iso_datagram_transport_sendto(client.transport, "x", 1, NULL));
    CHECK(kit_run_until(k, loop, &server.received, 2));
    CHECK_EQ(server.bytes, 1);
    CHECK_EQ(server.errors, 0);
    end(k, loop, &server);
    end(k, loop, &client);
}

KIT_TEST(a_large_datagram_arrives_whole)
{
    static unsigned char large[LARGEST];
    iso_loop *loop = datagram_loop(k);
    iso_address at;
    endpoint server;
    endpoint client;

    make_bound(k, loop, &server, "127.0.0.1", &at);
    make_connected(k, loop, &client, &at);
    CHECK_OK(iso_datagram_transport_sendto(client.transport, large, sizeof(large), NULL));
    CHECK(kit_run_until(k, loop, &server.received, 1));
    CHECK_EQ(server.last_size, LARGEST);
    end(k, loop, &server);
    end(k, loop, &client);
}

static void answer_next(endpoint *self)
{
    iso_address from = self->from;

    if (self->received < MANY)
        CHECK_OK(iso_datagram_transport_sendto(self->transport, "next", 4, &from));
}

static void note_order(endpoint *self)
{
    int number;

    memcpy(&number, self->last, sizeof(number));
    if (number != self->received - 1) self->out_of_order++;
}

KIT_TEST(hundreds_go_back_and_forth)
{
    iso_loop *loop = datagram_loop(k);
    iso_address server_at;
    iso_address client_at;
    endpoint server;
    endpoint client;

    make_bound(k, loop, &server, "127.0.0.1", &server_at);
    make_bound(k, loop, &client, "127.0.0.1", &client_at);
    server.then = answer_next;
    client.then = answer_next;
    CHECK_OK(iso_datagram_transport_sendto(client.transport, "next", 4, &server_at));
    CHECK(kit_run_until(k, loop, &server.received, MANY));
    end(k, loop, &server);
    end(k, loop, &client);
}

KIT_TEST(one_that_was_never_bound_sends_and_hears_the_answer)
{
    iso_loop *loop = datagram_loop(k);
    iso_datagram_options options = ISO_DATAGRAM_OPTIONS_INIT;
    iso_address at;
    endpoint server;
    endpoint client;

    make_bound(k, loop, &server, "127.0.0.1", &at);
    options.family = 4;
    make_with(k, loop, &client, &options);
    kit_settle(k, loop);
    CHECK_EQ(client.errors, 0);
    CHECK_OK(iso_datagram_transport_sendto(client.transport, "ask", 3, &at));
    CHECK(kit_run_until(k, loop, &server.received, 1));
    CHECK_OK(iso_datagram_transport_sendto(server.transport, "answer", 6, &server.from));
    CHECK(kit_run_until(k, loop, &client.received, 1));
    CHECK_EQ(client.errors, 0);
    end(k, loop, &server);
    end(k, loop, &client);
}

/* As many at once as any system keeps for a socket, so that none is lost. */
KIT_TEST(a_thousand_arrive_in_order)
{
    iso_loop *loop = datagram_loop(k);
    iso_address at;
    endpoint server;
    endpoint client;
    int sent = 0;

    make_bound(k, loop, &server, "127.0.0.1", &at);
    make_connected(k, loop, &client, &at);
    server.then = note_order;
    while (sent < BURST && !kit_has_failed(k)) {
        int until = sent + AT_ONCE;

        for (; sent < until; sent++)
            CHECK_OK(iso_datagram_transport_sendto(client.transport, &sent, sizeof(sent), NULL));
        CHECK(kit_run_until(k, loop, &server.received, sent));
    }
    CHECK_EQ(server.received, BURST);
    CHECK_EQ(server.bytes, BURST * sizeof(sent));
    CHECK_EQ(server.out_of_order, 0);
    end(k, loop, &server);
    end(k, loop, &client);
}

/* The socket of a program's own, without a transport. */
KIT_TEST(sock_connect_sendall_and_recv_take_datagrams_whole)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = NULL;
    iso_address at;
    intptr_t size;
    void *data;
    iso_fd ends[2];
    int first;

    REQUIRE_OK(iso__sys_datagram_open(&ends[0], 4));
    REQUIRE_OK(iso__sys_datagram_open(&ends[1], 4));
    REQUIRE_OK(iso_address_parse(&at, "127.0.0.1", 0));
    REQUIRE_OK(iso__sys_socket_bind(kit_own(k, ends[0]), &at));
    REQUIRE_OK(iso__sys_socket_sockname(ends[0], &at));
    REQUIRE_OK(iso_loop_sock_connect(loop, kit_own(k, ends[1]), &at, &future));
    CHECK_OK(kit_run_release(k, loop, future));
    for (first = 0; first < 2; first++) { /* one comes before it is asked for, one after */
        iso_future *receiving = NULL;

        if (first == 1) REQUIRE_OK(iso_loop_sock_recv(loop, ends[0], 100, &receiving));
        kit_settle(k, loop);
        REQUIRE_OK(iso_loop_sock_sendall(loop, ends[1], "hello", 5, &future));
        CHECK_OK(kit_run_release(k, loop, future));
        if (first == 0) REQUIRE_OK(iso_loop_sock_recv(loop, ends[0], 100, &receiving));
        CHECK_OK(kit_run(k, loop, receiving));
        CHECK_OK(iso_future_number(receiving, &size));
        CHECK_EQ(size, 5);
        CHECK_OK(iso_future_result(receiving, &data));
        CHECK(memcmp(data, "hello", 5) == 0);
        iso_future_release(receiving);
    }
}

/* ---- whom it is connected to ---- */

KIT_TEST(a_connected_one_takes_its_own_address_and_no_other)
{
    iso_loop *loop = datagram_loop(k);
    iso_address at;
    iso_address other;
    iso_address peer;
    endpoint server;
    endpoint client;

    make_bound(k, loop, &server, "127.0.0.1", &at);
    make_connected(k, loop, &client, &at);
    CHECK_OK(get_address(client.transport, "peername", &peer));
    CHECK_EQ(iso_address_port(&peer), iso_address_port(&at));
    REQUIRE_OK(iso_address_parse(&other, "127.0.0.1", 9));
    CHECK_RC(iso_datagram_transport_sendto(client.transport, "x", 1, &other), ISO_EINVAL);
    CHECK_OK(iso_datagram_transport_sendto(client.transport, "x", 1, &at));
    CHECK(kit_run_until(k, loop, &server.received, 1));
    CHECK_RC(iso_datagram_transport_sendto(server.transport, "x", 1, NULL), ISO_EINVAL);
    CHECK(get_address(server.transport, "peername", &peer) < 0);
    end(k, loop, &server);
    end(k, loop, &client);
}

/* Whoever answers a broadcast is somebody else. */
KIT_TEST(one_that_may_broadcast_sends_to_one_address_and_hears_everybody)
{
    iso_loop *loop = datagram_loop(k);
    iso_datagram_options options = ISO_DATAGRAM_OPTIONS_INIT;
    iso_address at;
    iso_address other_at;
    iso_address peer;
    endpoint server;
    endpoint other;
    endpoint client;

    make_bound(k, loop, &server, "127.0.0.1", &at);
    make_bound(k, loop, &other, "127.0.0.1", &other_at);
    options.remote_host = "127.0.0.1";
    options.remote_port = iso_address_port(&at);
    options.allow_broadcast = true;
    make_with(k, loop, &client, &options);
    CHECK(get_address(client.transport, "peername", &peer) < 0);
    CHECK_RC(iso_datagram_transport_sendto(client.transport, "x", 1, &other_at), ISO_EINVAL);
    CHECK_OK(iso_datagram_transport_sendto(client.transport, "x", 1, NULL));
    CHECK(kit_run_until(k, loop, &server.received, 1));
    CHECK_OK(iso_datagram_transport_sendto(other.transport, "y", 1, &server.from));
    CHECK(kit_run_until(k, loop, &client.received, 1));
    CHECK_EQ(iso_address_port(&client.from), iso_address_port(&other_at));
    CHECK_OK(iso_datagram_transport_sendto(client.transport, "z", 1, &at));
    CHECK(kit_run_until(k, loop, &server.received, 2));
    end(k, loop, &server);
    end(k, loop, &other);
    end(k, loop, &client);
}

KIT_TEST(one_that_may_not_broadcast_is_told_and_goes_on)
{
    iso_loop *loop = datagram_loop(k);
    iso_address everybody;
    iso_address at;
    endpoint it;

    make_bound(k, loop, &it, "127.0.0.1", &at);
    REQUIRE_OK(iso_address_parse(&everybody, "255.255.255.255", iso_address_port(&at)));
    CHECK_OK(iso_datagram_transport_sendto(it.transport, "x", 1, &everybody));
    CHECK(kit_run_until(k, loop, &it.errors, 1));
    CHECK_RC(it.last_error, ISO_EACCES);
    CHECK_OK(iso_datagram_transport_sendto(it.transport, "x", 1, &at));
    CHECK(kit_run_until(k, loop, &it.received, 1));
    CHECK_EQ(it.errors, 1);
    end(k, loop, &it);
}

/* Wine's select asks for a socket's error itself, and has it then: nobody else is told. */
static bool is_told(const kit *k)
{
    return !kit_is_wine() || strcmp(kit_backend(k), "selector:select") != 0;
}

KIT_TEST(that_nobody_listens_is_told_and_the_endpoint_goes_on)
{
    iso_loop *loop = datagram_loop(k);
    iso_address at;
    endpoint server;
    endpoint client;
    int tries;

    make_bound(k, loop, &server, "127.0.0.1", &at);
    make_connected(k, loop, &client, &at);
    end(k, loop, &server);
    for (tries = 0; tries < 30 && client.errors == 0; tries++) {
        CHECK_OK(iso_datagram_transport_sendto(client.transport, "x", 1, NULL));
        CHECK_GE(iso_loop_run_once(loop, ISO_MS(100)), 0);
    }
    if (is_told(k)) CHECK_GE(client.errors, 1);
    if (client.errors > 0)
        CHECK(client.last_error == ISO_ECONNREFUSED || client.last_error == ISO_ECONNRESET);
    CHECK_EQ(client.lost, 0);
    end(k, loop, &client);
}

KIT_TEST(one_that_is_too_long_is_told_and_the_endpoint_goes_on)
{
    static unsigned char longer[70000];
    iso_loop *loop = datagram_loop(k);
    iso_address at;
    endpoint server;
    endpoint client;

    make_bound(k, loop, &server, "127.0.0.1", &at);
    make_connected(k, loop, &client, &at);
    CHECK_OK(iso_datagram_transport_sendto(client.transport, longer, sizeof(longer), NULL));
    CHECK(kit_run_until(k, loop, &client.errors, 1));
    CHECK_EQ(client.last_error, ISO_EMSGSIZE);
    CHECK_OK(iso_datagram_transport_sendto(client.transport, "x", 1, NULL));
    CHECK(kit_run_until(k, loop, &server.received, 1));
    end(k, loop, &server);
    end(k, loop, &client);
}

/* Under Wine a receive that the kernel holds does not hear of the error, nor of anything later. */
static bool goes_on(const kit *k)
{
    return !kit_is_wine() || strcmp(kit_backend(k), "proactor:iocp") != 0;
}

/* What came before it and what comes after it is heard all the same. */
KIT_TEST(an_error_among_datagrams_takes_none_of_them_along)
{
    iso_loop *loop = datagram_loop(k);
    iso_datagram_options again = ISO_DATAGRAM_OPTIONS_INIT;
    iso_address at;
    iso_address client_at;
    endpoint server;
    endpoint client;

    make_bound(k, loop, &server, "127.0.0.1", &at);
    make_connected(k, loop, &client, &at);
    REQUIRE_OK(get_address(client.transport, "sockname", &client_at));
    CHECK_OK(iso_datagram_transport_sendto(server.transport, "1", 1, &client_at));
    CHECK_OK(iso_datagram_transport_close(server.transport));
    (void)kit_run_until(k, loop, &server.lost, 1);
    CHECK_OK(iso_datagram_transport_sendto(client.transport, "nobody", 6, NULL));
    again.local_host = "127.0.0.1";
    again.local_port = iso_address_port(&at);
    make_with(k, loop, &server, &again);
    CHECK_OK(iso_datagram_transport_sendto(server.transport, "2", 1, &client_at));
    if (goes_on(k)) {
        CHECK(kit_run_until(k, loop, &client.received, 2));
        CHECK_EQ(client.last[0], '2');
    } else {
        CHECK(kit_run_until(k, loop, &client.received, 1));
    }
    if (client.errors > 0)
        CHECK(client.last_error == ISO_ECONNREFUSED || client.last_error == ISO_ECONNRESET);
    end(k, loop, &server);
    end(k, loop, &client);
}

/* ---- unix sockets: what is said of no address, and of more than 64 KiB ---- */

KIT_TEST(a_connected_pair_without_addresses_talks)
{
    iso_loop *loop = datagram_loop(k);
    iso_datagram_options options = ISO_DATAGRAM_OPTIONS_INIT;
    iso_fd ends[2];
    iso_address some;
    endpoint one;
    endpoint two;

    if (!kit_needs(k, ISO_CAP_UNIX_SOCKETS)) return;
    REQUIRE(option_datagram_pair(ends));
    options.sock = ends[0];
    make_with(k, loop, &one, &options);
    options.sock = ends[1];
    make_with(k, loop, &two, &options);
    REQUIRE_OK(iso_address_parse(&some, "127.0.0.1", 9));
    CHECK_RC(iso_datagram_transport_sendto(one.transport, "x", 1, &some), ISO_EINVAL);
    CHECK_OK(iso_datagram_transport_sendto(one.transport, "ping", 4, NULL));
    CHECK(kit_run_until(k, loop, &two.received, 1));
    CHECK_EQ(two.last_size, 4);
    CHECK_EQ(two.from.length, 0);
    end(k, loop, &one);
    end(k, loop, &two);
}

KIT_TEST(one_that_came_cut_off_is_an_error_and_the_next_one_is_whole)
{
    static unsigned char longer[100000];
    iso_loop *loop = datagram_loop(k);
    iso_datagram_options options = ISO_DATAGRAM_OPTIONS_INIT;
    iso_fd ends[2];
    endpoint one;
    endpoint two;

    if (!kit_needs(k, ISO_CAP_UNIX_SOCKETS)) return;
    REQUIRE(option_datagram_pair(ends));
    options.sock = ends[0];
    make_with(k, loop, &one, &options);
    options.sock = ends[1];
    make_with(k, loop, &two, &options);
    CHECK_OK(iso_datagram_transport_sendto(one.transport, longer, sizeof(longer), NULL));
    CHECK_OK(iso_datagram_transport_sendto(one.transport, "next", 4, NULL));
    CHECK(kit_run_until(k, loop, &two.received, 1));
    CHECK_EQ(two.last_size, 4);
    CHECK_EQ(one.errors + two.errors, 1); /* where so much is not even sent, its sender is told */
    CHECK_RC(one.errors > 0 ? one.last_error : two.last_error, ISO_EMSGSIZE);
    end(k, loop, &one);
    end(k, loop, &two);
}

/* ---- closing ---- */

static void close_it(endpoint *self)
{
    CHECK_OK(iso_datagram_transport_close(self->transport));
}

static void abort_it(endpoint *self)
{
    CHECK_OK(iso_datagram_transport_abort(self->transport));
}

static void end_within(kit *k, void (*then)(endpoint *self))
{
    iso_loop *loop = datagram_loop(k);
    iso_address at;
    endpoint server;
    endpoint client;

    make_bound(k, loop, &server, "127.0.0.1", &at);
    make_connected(k, loop, &client, &at);
    server.then = then;
    CHECK_OK(iso_datagram_transport_sendto(client.transport, "1", 1, NULL));
    CHECK_OK(iso_datagram_transport_sendto(client.transport, "2", 1, NULL));
    CHECK(kit_run_until(k, loop, &server.lost, 1));
    CHECK_EQ(server.received, 1);
    CHECK_EQ(server.lost_error, 0);
    end(k, loop, &client);
}

KIT_TEST(one_that_closes_in_its_callback_hears_no_more)
{
    end_within(k, close_it);
}

KIT_TEST(one_that_aborts_in_its_callback_hears_no_more)
{
    end_within(k, abort_it);
}

KIT_TEST(what_is_sent_after_close_is_dropped)
{
    iso_loop *loop = datagram_loop(k);
    iso_address at;
    endpoint it;

    make_bound(k, loop, &it, "127.0.0.1", &at);
    CHECK(!iso_datagram_transport_is_closing(it.transport));
    CHECK_OK(iso_datagram_transport_close(it.transport));
    CHECK(iso_datagram_transport_is_closing(it.transport));
    CHECK_OK(iso_datagram_transport_sendto(it.transport, "x", 1, &at));
    CHECK_OK(iso_datagram_transport_close(it.transport));
    CHECK(kit_run_until(k, loop, &it.lost, 1));
    CHECK_EQ(it.received, 0);
}

KIT_TEST(a_transport_that_is_held_outlives_its_end)
{
    iso_loop *loop = datagram_loop(k);
    iso_datagram_transport *held;
    iso_address at;
    iso_extra_info info;
    endpoint it;

    make_bound(k, loop, &it, "127.0.0.1", &at);
    held = iso_datagram_transport_ref(it.transport);
    CHECK_OK(iso_datagram_transport_get_extra_info(held, "socket", &info));
    CHECK(info.fd != ISO_FD_NONE);
    CHECK_RC(iso_datagram_transport_get_extra_info(held, "pipe", &info), ISO_ENOENT);
    CHECK_RC(iso_datagram_transport_get_extra_info(held, NULL, &info), ISO_EINVAL);
    end(k, loop, &it);
    CHECK_RC(get_address(held, "sockname", &at), ISO_ECLOSED);
    CHECK_RC(iso_datagram_transport_get_extra_info(held, "socket", &info), ISO_ECLOSED);
    CHECK(iso_datagram_transport_get_loop(held) == loop);
    iso_datagram_transport_release(held);
}

KIT_TEST(closing_the_loop_ends_it)
{
    static endpoint it;
    iso_loop *loop = datagram_loop(k);
    iso_address at;

    make_bound(k, loop, &it, "127.0.0.1", &at);
    CHECK_OK(iso_datagram_transport_sendto(it.transport, "x", 1, &at));
    CHECK_OK(iso_loop_close(loop));
    CHECK_EQ(it.lost, 1);
    CHECK_EQ(it.lost_error, ISO_ECLOSED);
}

KIT_TEST(cancelling_the_call_leaves_nothing)
{
    iso_loop *loop = datagram_loop(k);
    iso_datagram_options options = ISO_DATAGRAM_OPTIONS_INIT;
    iso_future *future = NULL;
    endpoint it;

    memset(&it, 0, sizeof(it));
    options.local_host = "127.0.0.1";
    REQUIRE_OK(iso_loop_create_datagram_endpoint(loop, &recorder, &it, &options, &future));
    CHECK_OK(iso_future_cancel(future));
    CHECK_RC(iso_future_error(future), ISO_ECANCELED);
    iso_future_release(future);
    kit_settle(k, loop);
    CHECK_EQ(kit_statistics(loop).objects, 0);
}

/* ---- flow control: a driver that takes nothing for a while ---- */

KIT_TEST(what_the_system_does_not_take_is_sent_later_in_order)
{
    iso_loop *loop = datagram_loop(k);
    iso__driver_class patient = *loop->engine.driver->kind;
    const iso__driver_class *real = loop->engine.driver->kind;
    iso_address at;
    endpoint server;
    endpoint client;
    size_t high;
    size_t low;
    int sent;

    make_bound(k, loop, &server, "127.0.0.1", &at);
    make_connected(k, loop, &client, &at);
    patient.sends_directly = false;
    loop->engine.driver->kind = &patient;
    CHECK_OK(iso_datagram_transport_set_write_buffer_limits(client.transport, 50, 20));
    iso_datagram_transport_get_write_buffer_limits(client.transport, &high, &low);
    CHECK_EQ(high, 50);
    CHECK_EQ(low, 20);
    for (sent = 0; sent < 20; sent++) {
        unsigned char byte = (unsigned char)sent;

        CHECK_OK(iso_datagram_transport_sendto(client.transport, &byte, 1, NULL));
    }
    /* each counts 8 bytes besides its own, so that empty ones are counted */
    CHECK_EQ(iso_datagram_transport_get_write_buffer_size(client.transport), 20 * 9);
    CHECK_EQ(client.paused, 1);
    CHECK(kit_run_until(k, loop, &server.received, 20));
    CHECK_EQ(server.last[0], 19);
    CHECK(kit_run_until(k, loop, &client.resumed, 1));
    CHECK_EQ(client.paused, 1);
    loop->engine.driver->kind = real;
    end(k, loop, &server);
    end(k, loop, &client);
}

/* As asyncio does: room for one is room for more, and not one a turn. */
KIT_TEST(what_waited_goes_out_several_a_turn)
{
    iso_loop *loop = datagram_loop(k);
    iso__driver_class patient = *loop->engine.driver->kind;
    const iso__driver_class *real = loop->engine.driver->kind;
    iso_address at;
    endpoint server;
    endpoint client;
    int sent;

    make_bound(k, loop, &server, "127.0.0.1", &at);
    make_connected(k, loop, &client, &at);
    patient.sends_directly = false;
    loop->engine.driver->kind = &patient;
    for (sent = 0; sent < AT_ONCE; sent++)
        CHECK_OK(iso_datagram_transport_sendto(client.transport, &sent, sizeof(sent), NULL));
    loop->engine.driver->kind = real;
    if (real->sends_directly) {
        for (sent = 0; sent < 4; sent++) (void)kit_turn(k, loop);
        CHECK_EQ(iso_datagram_transport_get_write_buffer_size(client.transport), 0);
    }
    server.then = note_order;
    CHECK(kit_run_until(k, loop, &server.received, AT_ONCE));
    CHECK_EQ(client.errors, 0);
    end(k, loop, &server);
    end(k, loop, &client);
}

/* The second of three that wait is refused, and its owner ends it all. */
static void abort_on_error(iso_datagram_transport *transport, void *self, int error)
{
    on_error(transport, self, error);
    CHECK_OK(iso_datagram_transport_abort(transport));
}

KIT_TEST(one_that_aborts_because_of_an_error_sends_no_more)
{
    static unsigned char longer[70000];
    iso_loop *loop = datagram_loop(k);
    iso__driver_class patient = *loop->engine.driver->kind;
    const iso__driver_class *real = loop->engine.driver->kind;
    iso_datagram_protocol impatient = recorder;
    const iso_datagram_protocol *protocol;
    void *self = NULL;
    iso_address at;
    endpoint server;
    endpoint client;

    make_bound(k, loop, &server, "127.0.0.1", &at);
    make_connected(k, loop, &client, &at);
    impatient.error_received = abort_on_error;
    CHECK_OK(iso_datagram_transport_set_protocol(client.transport, &impatient, &client));
    CHECK_RC(iso_datagram_transport_set_protocol(client.transport, NULL, NULL), ISO_EINVAL);
    protocol = iso_datagram_transport_get_protocol(client.transport, &self);
    CHECK(protocol == &impatient);
    CHECK_PTR(self, &client);
    patient.sends_directly = false;
    loop->engine.driver->kind = &patient;
    CHECK_OK(iso_datagram_transport_sendto(client.transport, "1", 1, NULL));
    CHECK_OK(iso_datagram_transport_sendto(client.transport, longer, sizeof(longer), NULL));
    CHECK_OK(iso_datagram_transport_sendto(client.transport, "3", 1, NULL));
    loop->engine.driver->kind = real;
    CHECK(kit_run_until(k, loop, &client.lost, 1));
    CHECK_EQ(client.errors, 1);
    CHECK_RC(client.last_error, ISO_EMSGSIZE);
    CHECK(kit_run_until(k, loop, &server.received, 1));
    kit_settle(k, loop);
    CHECK_EQ(server.received, 1);
    CHECK_EQ(server.last[0], '1');
    end(k, loop, &server);
}

KIT_TEST(without_memory_what_would_wait_is_refused_and_the_endpoint_goes_on)
{
    iso_loop *loop = datagram_loop(k);
    iso__driver_class patient = *loop->engine.driver->kind;
    const iso__driver_class *real = loop->engine.driver->kind;
    iso_address at;
    endpoint server;
    endpoint client;
    int rc = ISO_ENOMEM;
    uint64_t nth;

    make_bound(k, loop, &server, "127.0.0.1", &at);
    make_connected(k, loop, &client, &at);
    patient.sends_directly = false;
    loop->engine.driver->kind = &patient;
    /* of its own, of the first one that waits, and, of some drivers, of what the kernel is lent */
    for (nth = 1; rc == ISO_ENOMEM && nth < 10; nth++) {
        kit_fail_allocation(k, nth, false);
        rc = iso_datagram_transport_sendto(client.transport, "y", 1, NULL);
        kit_fail_allocation(k, 0, false);
        if (rc == 0) break;
        CHECK_RC(rc, ISO_ENOMEM);
        CHECK_EQ(iso_datagram_transport_get_write_buffer_size(client.transport), 0);
        CHECK(!iso_datagram_transport_is_closing(client.transport));
    }
    CHECK_OK(rc);
    CHECK_GE(nth, 3);
    CHECK(kit_run_until(k, loop, &server.received, 1));
    CHECK_EQ(server.last[0], 'y');
    loop->engine.driver->kind = real;
    end(k, loop, &server);
    end(k, loop, &client);
}

KIT_TEST(close_flushes_and_abort_drops)
{
    iso_loop *loop = datagram_loop(k);
    iso__driver_class patient = *loop->engine.driver->kind;
    const iso__driver_class *real = loop->engine.driver->kind;
    iso_address at;
    endpoint server;
    endpoint closing;
    endpoint aborting;

    make_bound(k, loop, &server, "127.0.0.1", &at);
    make_connected(k, loop, &closing, &at);
    make_connected(k, loop, &aborting, &at);
    patient.sends_directly = false;
    loop->engine.driver->kind = &patient;
    CHECK_OK(iso_datagram_transport_sendto(closing.transport, "c", 1, NULL));
    CHECK_OK(iso_datagram_transport_sendto(closing.transport, "c", 1, NULL));
    CHECK_OK(iso_datagram_transport_close(closing.transport));
    CHECK_OK(iso_datagram_transport_sendto(aborting.transport, "a", 1, NULL));
    CHECK_OK(iso_datagram_transport_sendto(aborting.transport, "a", 1, NULL));
    CHECK_OK(iso_datagram_transport_abort(aborting.transport));
    CHECK(kit_run_until(k, loop, &closing.lost, 1));
    CHECK(kit_run_until(k, loop, &aborting.lost, 1));
    CHECK(kit_run_until(k, loop, &server.received, 2));
    loop->engine.driver->kind = real;
    end(k, loop, &server);
}

/* ---- making one ---- */

KIT_TEST(a_socket_of_ones_own_can_be_given)
{
    iso_loop *loop = datagram_loop(k);
    iso_datagram_options options = ISO_DATAGRAM_OPTIONS_INIT;
    iso_address at;
    iso_fd fd;
    endpoint it;

    REQUIRE_OK(iso__sys_datagram_open(&fd, 4));
    REQUIRE_OK(iso_address_parse(&at, "127.0.0.1", 0));
    REQUIRE_OK(iso__sys_socket_bind(fd, &at));
    options.sock = fd;
    make_with(k, loop, &it, &options);
    REQUIRE_OK(get_address(it.transport, "sockname", &at));
    CHECK_OK(iso_datagram_transport_sendto(it.transport, "me", 2, &at));
    CHECK(kit_run_until(k, loop, &it.received, 1));
    end(k, loop, &it);
}

static int create(iso_loop *loop, const iso_datagram_options *options)
{
    iso_future *future = NULL;
    int rc = iso_loop_create_datagram_endpoint(loop, &recorder, NULL, options, &future);

    CHECK(future == NULL);
    return rc;
}

KIT_TEST(options_that_make_no_sense_are_refused)
{
    iso_loop *loop = datagram_loop(k);
    const iso_datagram_options none = ISO_DATAGRAM_OPTIONS_INIT;
    iso_datagram_options options = none;

    CHECK_RC(create(loop, NULL), ISO_EINVAL);
    CHECK_RC(create(NULL, &none), ISO_EINVAL);
    CHECK_RC(create(loop, &none), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "family");
    options.family = 5;
    CHECK_RC(create(loop, &options), ISO_EINVAL);
    options = none;
    options.remote_host = "127.0.0.1";
    CHECK_RC(create(loop, &options), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "remote_port");
    options = none;
    options.sock = 3;
    options.local_port = 1;
    CHECK_RC(create(loop, &options), ISO_EINVAL);
    options = none;
    options.sock = 3;
    options.allow_broadcast = true;
    CHECK_RC(create(loop, &options), ISO_EINVAL);
}

KIT_TEST(a_socket_that_is_closed_is_refused)
{
    iso_loop *loop = datagram_loop(k);
    iso_datagram_options options = ISO_DATAGRAM_OPTIONS_INIT;

    REQUIRE_OK(iso__sys_datagram_open(&options.sock, 4));
    REQUIRE_OK(iso__sys_socket_close(options.sock));
    CHECK(create(loop, &options) < 0);
    CHECK_EQ(kit_statistics(loop).objects, 0);
}

KIT_TEST(a_socket_of_streams_is_refused)
{
    iso_loop *loop = datagram_loop(k);
    iso_datagram_options options = ISO_DATAGRAM_OPTIONS_INIT;

    REQUIRE_OK(iso__sys_socket_open(&options.sock, 4));
    CHECK_RC(create(loop, &options), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "datagram");
    CHECK_OK(iso__sys_socket_close(options.sock));
    CHECK_EQ(kit_statistics(loop).objects, 0);
}

KIT_TEST(two_families_have_no_pair)
{
    iso_loop *loop = datagram_loop(k);
    iso_datagram_options options = ISO_DATAGRAM_OPTIONS_INIT;
    iso_future *future = NULL;

    options.local_host = "127.0.0.1";
    options.remote_host = "::1";
    options.remote_port = 9;
    REQUIRE_OK(iso_loop_create_datagram_endpoint(loop, &recorder, NULL, &options, &future));
    CHECK_RC(kit_run_release(k, loop, future), ISO_EADDRNOTAVAIL);
}

KIT_TEST(a_port_that_is_taken_is_an_error)
{
    iso_loop *loop = datagram_loop(k);
    iso_datagram_options options = ISO_DATAGRAM_OPTIONS_INIT;
    iso_future *future = NULL;
    iso_address at;
    endpoint it;

    make_bound(k, loop, &it, "127.0.0.1", &at);
    options.local_host = "127.0.0.1";
    options.local_port = iso_address_port(&at);
    REQUIRE_OK(iso_loop_create_datagram_endpoint(loop, &recorder, NULL, &options, &future));
    CHECK_RC(kit_run_release(k, loop, future), ISO_EADDRINUSE);
    end(k, loop, &it);
}

KIT_TEST(of_several_addresses_the_first_error_counts)
{
    iso_loop *loop = datagram_loop(k);
    iso_datagram_options options = ISO_DATAGRAM_OPTIONS_INIT;
    iso_future *future = NULL;
    iso_address at;
    endpoint it;

    make_bound(k, loop, &it, "127.0.0.1", &at);
    names_clear();
    names_add("several", "127.0.0.1", iso_address_port(&at)); /* taken */
    names_add("several", "203.0.113.9", 0);                   /* of no interface here */
    options.local_host = "several";
    options.local_port = iso_address_port(&at);
    REQUIRE_OK(iso_loop_create_datagram_endpoint(loop, &recorder, NULL, &options, &future));
    CHECK_RC(kit_run_release(k, loop, future), ISO_EADDRINUSE);
    end(k, loop, &it);
}

KIT_TEST(without_memory_it_is_refused_and_leaves_nothing)
{
    iso_loop *loop = datagram_loop(k);
    iso_datagram_options options = ISO_DATAGRAM_OPTIONS_INIT;
    uint64_t nth;
    int rc = ISO_ENOMEM;

    options.local_host = "127.0.0.1";
    for (nth = 1; rc == ISO_ENOMEM && nth < 50; nth++) {
        static endpoint it;
        iso_future *future = NULL;

        memset(&it, 0, sizeof(it));
        kit_fail_allocation(k, nth, true);
        rc = iso_loop_create_datagram_endpoint(loop, &recorder, &it, &options, &future);
        kit_settle(k, loop);
        kit_fail_allocation(k, 0, false);
        if (rc != 0) continue;
        iso_future_release(future);
        if (it.lost == 0) CHECK_OK(iso_datagram_transport_abort(it.transport));
        kit_settle(k, loop);
        if (it.lost_error == ISO_ENOMEM) rc = ISO_ENOMEM; /* it was made, and could not read */
    }
    CHECK_OK(rc);
    CHECK_GE(nth, 4);
    CHECK_EQ(kit_statistics(loop).objects, 0);
}

KIT_TEST(the_documented_limit_comes_before_anything_else)
{
    iso_loop_options options = kit_options(k);
    iso_datagram_options at = ISO_DATAGRAM_OPTIONS_INIT;
    iso_loop *loop;

    options.limits = "windows-proactor";
    loop = kit_loop_with(k, &options);
    at.local_host = "127.0.0.1";
    CHECK(!iso_loop_supports(loop, ISO_CAP_DATAGRAM));
    CHECK_RC(create(loop, &at), ISO_ENOTSUP);
    CHECK_STR(iso_loop_last_limit(loop)->id, "proactor.datagram");
    CHECK_EQ(kit_statistics(loop).objects, 0);
}

static const kit_case cases[] = {
    KIT_CASE(a_datagram_goes_there_and_its_answer_back),
    KIT_CASE(and_so_it_does_over_ip_version_6),
    KIT_CASE(an_empty_datagram_is_sent_and_received),
    KIT_CASE(a_large_datagram_arrives_whole),
    KIT_CASE(hundreds_go_back_and_forth),
    KIT_CASE(a_thousand_arrive_in_order),
    KIT_CASE(one_that_was_never_bound_sends_and_hears_the_answer),
    KIT_CASE(sock_connect_sendall_and_recv_take_datagrams_whole),
    KIT_CASE(a_connected_one_takes_its_own_address_and_no_other),
    KIT_CASE(one_that_may_broadcast_sends_to_one_address_and_hears_everybody),
    KIT_CASE(one_that_may_not_broadcast_is_told_and_goes_on),
    KIT_CASE(that_nobody_listens_is_told_and_the_endpoint_goes_on),
    KIT_CASE(one_that_is_too_long_is_told_and_the_endpoint_goes_on),
    KIT_CASE(an_error_among_datagrams_takes_none_of_them_along),
    KIT_CASE(a_connected_pair_without_addresses_talks),
    KIT_CASE(one_that_came_cut_off_is_an_error_and_the_next_one_is_whole),
    KIT_CASE(one_that_closes_in_its_callback_hears_no_more),
    KIT_CASE(one_that_aborts_in_its_callback_hears_no_more),
    KIT_CASE(what_is_sent_after_close_is_dropped),
    KIT_CASE(a_transport_that_is_held_outlives_its_end),
    KIT_CASE(closing_the_loop_ends_it),
    KIT_CASE(cancelling_the_call_leaves_nothing),
    KIT_CASE(what_the_system_does_not_take_is_sent_later_in_order),
    KIT_CASE(what_waited_goes_out_several_a_turn),
    KIT_CASE(one_that_aborts_because_of_an_error_sends_no_more),
    KIT_CASE(without_memory_what_would_wait_is_refused_and_the_endpoint_goes_on),
    KIT_CASE(close_flushes_and_abort_drops),
    KIT_CASE(a_socket_of_ones_own_can_be_given),
    KIT_CASE(options_that_make_no_sense_are_refused),
    KIT_CASE(a_socket_that_is_closed_is_refused),
    KIT_CASE(a_socket_of_streams_is_refused),
    KIT_CASE(two_families_have_no_pair),
    KIT_CASE(a_port_that_is_taken_is_an_error),
    KIT_CASE(of_several_addresses_the_first_error_counts),
    KIT_CASE(without_memory_it_is_refused_and_leaves_nothing),
    KIT_CASE(the_documented_limit_comes_before_anything_else),
};

KIT_MAIN(cases)
