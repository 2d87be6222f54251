/* SPDX-License-Identifier: MIT */
/* Servers: where they listen, what they accept and what they can't, how they end. */
#include "io/names.h"
#include "io/recorder.h"
#include "loop/loop.h"
#include "sys/sock.h"

#include <stdio.h>
#include <string.h>

/* An echo server: what its connections do all together. */
enum { HOUSE_CLIENTS = 640 };

typedef struct house house;
struct house {
    kit *k;
    iso_server *server;
    int made_count;
    int lost_count;
    int last_error;
    iso_transport *clients[HOUSE_CLIENTS]; /* borrowed; NULL: lost */
    void (*when_made)(house *self, iso_transport *transport);
    void (*when_data)(house *self, iso_transport *transport);
    void (*when_lost)(house *self, iso_transport *transport);
};

static void house_made(iso_transport *transport, void *arg)
{
    house *self = arg;

    REQUIRE(self->made_count < HOUSE_CLIENTS);
    self->clients[self->made_count++] = transport;
    if (self->when_made != NULL) self->when_made(self, transport);
}

static void house_data(iso_transport *transport, void *arg, const void *data, size_t size)
{
    house *self = arg;

    CHECK_OK(iso_transport_write(transport, data, size));
    if (self->when_data != NULL) self->when_data(self, transport);
}

static void house_lost(iso_transport *transport, void *arg, int error)
{
    house *self = arg;
    int at;

    for (at = 0; at < self->made_count; at++) {
        if (self->clients[at] == transport) self->clients[at] = NULL;
    }
    self->lost_count++;
    self->last_error = error;
    if (self->when_lost != NULL) self->when_lost(self, transport);
}

static const iso_protocol echo = {
    .connection_made = house_made,
    .data_received = house_data,
    .connection_lost = house_lost,
};

static void house_init(house *self, kit *k)
{
    memset(self, 0, sizeof(*self));
    self->k = k;
    names_clear();
}

/* What the exception handler was told. */
typedef struct reports {
    int count;
    int error; /* of the last one */
    const iso_server *server;
    char message[128];
    iso_server *to_close;
} reports;

static void take_report(iso_loop *loop, const iso_exception_context *context, void *arg)
{
    reports *self = arg;

    (void)loop;
    self->count++;
    self->error = context->error;
    self->server = context->server;
    (void)snprintf(self->message, sizeof(self->message), "%s", context->message);
    if (self->to_close != NULL) CHECK_OK(iso_server_close(self->to_close));
}

static void listen_to_reports(iso_loop *loop, reports *self)
{
    memset(self, 0, sizeof(*self));
    REQUIRE_OK(iso_loop_set_exception_handler(loop, take_report, self));
}

/* A connection of the kit's to the server, and accepted by it. */
static iso_fd call(house *self, iso_loop *loop, const iso_address *address)
{
    int wanted = self->made_count + 1;
    iso_fd fd = kit_connect(self->k, address);

    (void)kit_run_until(self->k, loop, &self->made_count, wanted);
    kit_await(self->k, fd, ISO_EVENT_WRITE);
    return fd;
}

static bool does_echo(kit *k, iso_loop *loop, iso_fd fd)
{
    unsigned char word[8];

    pattern_fill(word, sizeof(word), 0);
    kit_send(k, fd, word, sizeof(word));
    return drain(k, loop, fd, 0, sizeof(word)) == sizeof(word);
}

/* Whether the other side has ended it, cleanly or not. */
static bool has_ended(kit *k, iso_fd fd)
{
    char byte;

    return kit_recv(k, fd, &byte, 1) <= 0;
}

/* What a connection to it is answered: 0, or an error. */
static int try_to_connect(kit *k, const iso_address *address)
{
    iso_fd fd = ISO_FD_NONE;
    int rc;

    REQUIRE_OK(iso_socket_new(&fd, iso_address_version(address)));
    rc = iso__sys_socket_connect(fd, address);
    if (rc == ISO_EINPROGRESS) {
        kit_await(k, fd, ISO_EVENT_WRITE);
        rc = iso__sys_socket_connect_result(fd);
    }
    REQUIRE_OK(iso_socket_close(fd));
    return rc;
}

static int create(kit *k, iso_loop *loop, house *self, const iso_server_options *options)
{
    iso_future *future = NULL;

    REQUIRE_OK(iso_loop_create_server(loop, &echo, self, options, &future));
    return kit_run_release(k, loop, future);
}

static void close_all(house *self, iso_loop *loop)
{
    CHECK_OK(iso_server_abort_clients(self->server));
    CHECK_OK(iso_server_close(self->server)); /* and this may be the last of it */
    CHECK(run_until_idle(self->k, loop));
    CHECK_EQ(self->made_count, self->lost_count);
}

/* ---- where it listens ---- */

KIT_TEST(port_0_is_a_free_port_that_can_be_asked_for)
{
    iso_loop *loop = kit_loop(k);
    iso_address address;
    house h;

    house_init(&h, k);
    h.server = serve(k, loop, &echo, &h, &address);
    CHECK_EQ(iso_server_address_count(h.server), 1);
    CHECK(iso_address_port(&address) != 0);
    CHECK(does_echo(k, loop, call(&h, loop, &address)));
    close_all(&h, loop);
}

KIT_TEST(several_hosts_each_have_their_port)
{
    static const char *const hosts[] = { "127.0.0.1", "0.0.0.0" };
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    iso_loop *loop = kit_loop(k);
    iso_address first;
    iso_address second;
    house h;

    house_init(&h, k);
    options.hosts = hosts;
    options.host_count = 2;
    h.server = serve_with(k, loop, &echo, &h, &options);
    CHECK_EQ(iso_server_address_count(h.server), 2);
    CHECK_OK(iso_server_address(h.server, 0, &first));
    CHECK_OK(iso_server_address(h.server, 1, &second));
    CHECK(iso_address_port(&first) != iso_address_port(&second));
    CHECK(does_echo(k, loop, call(&h, loop, &first)));
    REQUIRE_OK(iso_address_parse(&second, "127.0.0.1", iso_address_port(&second)));
    CHECK(does_echo(k, loop, call(&h, loop, &second)));
    close_all(&h, loop);
}

KIT_TEST(every_address_of_a_name_is_listened_on)
{
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    iso_loop *loop = kit_loop(k);
    house h;

    house_init(&h, k);
    names_add("house", "127.0.0.1", 0);
    names_add("house", "0.0.0.0", 0);
    names_add("house", "127.0.0.1", 0); /* once is enough */
    options.host = "house";
    h.server = serve_with(k, loop, &echo, &h, &options);
    CHECK_EQ(iso_server_address_count(h.server), 2);
    CHECK_EQ(names_begun(), 1);
    close_all(&h, loop);
}

KIT_TEST(names_and_literals_may_stand_side_by_side)
{
    static const char *const hosts[] = { "127.0.0.1", "house", "garden" };
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    iso_loop *loop = kit_loop(k);
    iso_future *future;
    house h;

    house_init(&h, k);
    names_add("garden", "0.0.0.0", 0);
    names_add("house", "127.0.0.1", 0); /* known by its literal */
    options.hosts = hosts;
    options.host_count = 3;
    REQUIRE_OK(iso_loop_create_server(loop, &echo, &h, &options, &future));
    CHECK(!iso_future_done(future)); /* a thread looks it up */
    CHECK_OK(kit_run(k, loop, future));
    CHECK_EQ(names_begun(), 2);
    {
        void *server;
        REQUIRE_OK(iso_future_result(future, &server));
        h.server = server;
    }
    iso_future_release(future);
    CHECK_EQ(iso_server_address_count(h.server), 2);
    close_all(&h, loop);
}

KIT_TEST(a_literal_needs_no_turn)
{
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    iso_loop *loop = kit_loop(k);
    iso_future *future;
    void *server;
    house h;

    house_init(&h, k);
    options.host = "127.0.0.1";
    REQUIRE_OK(iso_loop_create_server(loop, &echo, &h, &options, &future));
    CHECK(iso_future_done(future));
    REQUIRE_OK(iso_future_result(future, &server));
    h.server = server;
    iso_future_release(future);
    CHECK(iso_server_is_serving(h.server));
    CHECK_PTR(iso_server_get_loop(h.server), loop);
    close_all(&h, loop);
    CHECK_EQ(names_begun(), 0);
}

KIT_TEST(no_host_is_every_interface)
{
    iso_loop *loop = kit_loop(k);
    iso_address address;
    house h;

    house_init(&h, k);
    h.server = serve_with(k, loop, &echo, &h, NULL);
    CHECK_GE(iso_server_address_count(h.server), 1);
    CHECK_LE(iso_server_address_count(h.server), 2);
    CHECK_OK(iso_server_address(h.server, 0, &address));
    CHECK_EQ(iso_address_version(&address), 4);
    REQUIRE_OK(iso_address_parse(&address, "127.0.0.1", iso_address_port(&address)));
    CHECK(does_echo(k, loop, call(&h, loop, &address)));
    close_all(&h, loop);
}

KIT_TEST(an_empty_host_is_every_interface_of_the_family)
{
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    iso_loop *loop = kit_loop(k);
    iso_address address;
    char host[64] = "";
    house h;

    house_init(&h, k);
    options.host = "";
    options.family = 4;
    h.server = serve_with(k, loop, &echo, &h, &options);
    CHECK_EQ(iso_server_address_count(h.server), 1);
    CHECK_OK(iso_server_address(h.server, 0, &address));
    CHECK_OK(iso_address_host(&address, host, sizeof(host)));
    CHECK_STR(host, "0.0.0.0");
    close_all(&h, loop);
}

KIT_TEST(addresses_end_where_the_list_ends)
{
    iso_loop *loop = kit_loop(k);
    iso_address address;
    house h;

    house_init(&h, k);
    h.server = serve(k, loop, &echo, &h, NULL);
    CHECK_RC(iso_server_address(h.server, 1, &address), ISO_ENOENT);
    CHECK_RC(iso_server_address(h.server, 0, NULL), ISO_EINVAL);
    (void)iso_server_ref(h.server);
    close_all(&h, loop);
    CHECK_EQ(iso_server_address_count(h.server), 0);
    CHECK_RC(iso_server_address(h.server, 0, &address), ISO_ENOENT);
    iso_server_release(h.server);
}

/* ---- IPv6 ---- */

/* Whether this system has it: what the tests below expect depends on it, they are not skipped. */
static bool has_ipv6(void)
{
    iso_address loopback;
    iso_fd fd;
    int rc;

    REQUIRE_OK(iso_address_parse(&loopback, "::1", 0));
    if (iso_socket_new(&fd, 6) != 0) return false;
    rc = iso_socket_bind(fd, &loopback);
    REQUIRE_OK(iso_socket_close(fd));
    return rc == 0;
}

KIT_TEST(it_serves_ipv6)
{
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    iso_loop *loop = kit_loop(k);
    iso_address address;
    house h;

    house_init(&h, k);
    options.host = "::1";
    if (!has_ipv6()) {
        CHECK(create(k, loop, &h, &options) != 0);
        return;
    }
    h.server = serve_with(k, loop, &echo, &h, &options);
    CHECK_OK(iso_server_address(h.server, 0, &address));
    CHECK_EQ(iso_address_version(&address), 6);
    CHECK(does_echo(k, loop, call(&h, loop, &address)));
    close_all(&h, loop);
}

/* IPV6_V6ONLY is on: "::" at a port leaves "0.0.0.0" at the same port to others. */
KIT_TEST(ipv4_and_ipv6_share_a_port)
{
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    iso_loop *loop = kit_loop(k);
    iso_address address;
    bool is_shared = false;
    int tries = 50; /* some other program may have the port */
    house h;

    house_init(&h, k);
    while (has_ipv6() && !is_shared && tries-- > 0) {
        iso_server *v6;

        options.host = "::";
        options.port = 0;
        v6 = serve_with(k, loop, &echo, &h, &options);
        CHECK_OK(iso_server_address(v6, 0, &address));
        options.host = "0.0.0.0";
        options.port = iso_address_port(&address);
        if (create(k, loop, &h, &options) == 0) is_shared = true;
        CHECK_OK(iso_loop_close(loop));
        kit_release_loop(k, loop);
        loop = kit_loop(k);
    }
    CHECK(is_shared || !has_ipv6());
}

KIT_TEST(family_chooses_among_the_addresses_of_a_name)
{
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    iso_loop *loop = kit_loop(k);
    iso_address address;
    house h;

    house_init(&h, k);
    names_add("house", "::1", 0);
    names_add("house", "127.0.0.1", 0);
    options.host = "house";
    options.family = 4;
    h.server = serve_with(k, loop, &echo, &h, &options);
    CHECK_EQ(iso_server_address_count(h.server), 1);
    CHECK_OK(iso_server_address(h.server, 0, &address));
    CHECK_EQ(iso_address_version(&address), 4);
    close_all(&h, loop);
}

KIT_TEST(a_literal_of_the_other_family_is_not_known)
{
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    iso_loop *loop = kit_loop(k);
    house h;

    house_init(&h, k);
    options.host = "127.0.0.1";
    options.family = 6;
    CHECK_RC(create(k, loop, &h, &options), ISO_ENONAME);
}

/* ---- what can't be ---- */

KIT_TEST(an_unknown_name_ends_the_future)
{
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    iso_loop *loop = kit_loop(k);
    house h;

    house_init(&h, k);
    options.host = "nowhere";
    CHECK_RC(create(k, loop, &h, &options), ISO_ENONAME);
    CHECK_EQ(kit_statistics(loop).objects, 0);
}

KIT_TEST(an_address_in_use_ends_the_future_and_leaves_nothing_open)
{
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    iso_loop *loop = kit_loop(k);
    iso_loop_statistics before;
    iso_address address;
    house h;

    house_init(&h, k);
    h.server = serve(k, loop, &echo, &h, &address);
    before = kit_statistics(loop);
    names_add("house", "0.0.0.0", 0); /* another port: free */
    names_add_address("house", &address);
    options.host = "house";
    CHECK_RC(create(k, loop, &h, &options), ISO_EADDRINUSE);
    CHECK_EQ(kit_statistics(loop).registered, before.registered);
    CHECK_EQ(kit_statistics(loop).objects, before.objects);
    CHECK(does_echo(k, loop, call(&h, loop, &address))); /* the one that has it goes on */
    close_all(&h, loop);
}

KIT_TEST(a_failure_without_a_future_is_reported)
{
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    iso_loop *loop = kit_loop(k);
    iso_address address;
    reports told;
    house h;

    house_init(&h, k);
    listen_to_reports(loop, &told);
    h.server = serve(k, loop, &echo, &h, &address);
    options.host = "127.0.0.1";
    options.port = iso_address_port(&address);
    CHECK_OK(iso_loop_create_server(loop, &echo, &h, &options, NULL));
    kit_settle(k, loop);
    CHECK_EQ(told.count, 1);
    CHECK_RC(told.error, ISO_EADDRINUSE);
    close_all(&h, loop);
}

KIT_TEST(a_success_needs_no_future)
{
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    iso_loop *loop = kit_loop(k);
    house h;

    house_init(&h, k);
    options.host = "127.0.0.1";
    CHECK_OK(iso_loop_create_server(loop, &echo, &h, &options, NULL));
    kit_settle(k, loop);
    CHECK_EQ(kit_statistics(loop).objects, 1);
    CHECK_OK(iso_loop_close(loop));
}

static int create_now(iso_loop *loop, const iso_protocol *protocol,
                      const iso_server_options *options)
{
    iso_future *future = NULL;
    int rc = iso_loop_create_server(loop, protocol, NULL, options, &future);

    CHECK(rc != 0 || future != NULL);
    CHECK(rc == 0 || future == NULL);
    iso_future_release(future);
    return rc;
}

KIT_TEST(options_that_contradict_each_other_are_refused)
{
    static const char *const hosts[] = { "127.0.0.1" };
    const iso_server_options none = ISO_SERVER_OPTIONS_INIT;
    iso_server_options options = none;
    iso_loop *loop = kit_loop(k);
    iso_fd sock = kit_listen(k, NULL);

    CHECK_RC(create_now(loop, NULL, &options), ISO_EINVAL);
    CHECK_RC(create_now(NULL, &echo, &options), ISO_EINVAL);
    options.family = 5;
    CHECK_RC(create_now(loop, &echo, &options), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "family");
    options = none;
    options.backlog = -1;
    CHECK_RC(create_now(loop, &echo, &options), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "backlog");
    options = none;
    options.hosts = hosts;
    CHECK_RC(create_now(loop, &echo, &options), ISO_EINVAL);
    options.host_count = 1;
    options.host = "127.0.0.1";
    CHECK_RC(create_now(loop, &echo, &options), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "hosts");
    options = none;
    options.sock = sock;
    options.host = "127.0.0.1";
    CHECK_RC(create_now(loop, &echo, &options), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "sock");
    options.host = NULL;
    options.port = 80;
    CHECK_RC(create_now(loop, &echo, &options), ISO_EINVAL);
    CHECK_EQ(kit_statistics(loop).objects, 0);
}

static void create_from_elsewhere(void *arg)
{
    iso_server *server = arg;
    iso_future *future;

    CHECK_RC(create_now(iso_server_get_loop(server), &echo, NULL), ISO_ETHREAD);
    CHECK_RC(iso_server_close(server), ISO_ETHREAD);
    CHECK_RC(iso_server_start_serving(server), ISO_ETHREAD);
    CHECK_RC(iso_server_close_clients(server), ISO_ETHREAD);
    CHECK_RC(iso_server_abort_clients(server), ISO_ETHREAD);
    CHECK_RC(iso_server_wait_closed(server, &future), ISO_ETHREAD);
}

KIT_TEST(another_thread_is_refused)
{
    iso_loop *loop = kit_loop(k);
    house h;

    house_init(&h, k);
    h.server = serve(k, loop, &echo, &h, NULL);
    kit_thread(k, create_from_elsewhere, h.server);
    kit_join_all(k);
    CHECK(iso_server_is_serving(h.server));
    close_all(&h, loop);
}

KIT_TEST(a_closed_loop_is_refused)
{
    iso_loop *loop = kit_loop(k);

    CHECK_OK(iso_loop_close(loop));
    CHECK_RC(create_now(loop, &echo, NULL), ISO_ECLOSED);
}

/* ---- a socket of the program's own ---- */

static iso_fd bound_socket(kit *k, iso_address *address)
{
    iso_fd fd;

    REQUIRE_OK(iso_socket_new(&fd, 4));
    REQUIRE_OK(iso_address_parse(address, "127.0.0.1", 0));
    REQUIRE_OK(iso_socket_bind(fd, address));
    REQUIRE_OK(iso_socket_getsockname(fd, address));
    return kit_own(k, fd);
}

KIT_TEST(a_bound_socket_can_be_given)
{
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    iso_loop *loop = kit_loop(k);
    iso_address address;
    iso_address is;
    house h;

    house_init(&h, k);
    options.sock = kit_give(k, bound_socket(k, &address));
    h.server = serve_with(k, loop, &echo, &h, &options);
    CHECK_OK(iso_server_address(h.server, 0, &is));
    CHECK_EQ(iso_address_port(&is), iso_address_port(&address));
    CHECK(does_echo(k, loop, call(&h, loop, &address)));
    close_all(&h, loop);
}

KIT_TEST(a_socket_that_is_watched_is_refused_and_stays_the_callers)
{
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    iso_loop *loop = kit_native_loop(k);
    iso_fd fd = kit_listen(k, NULL);

    CHECK_OK(iso_loop_add_reader(loop, fd, kit_nothing, NULL));
    options.sock = fd;
    CHECK_RC(create_now(loop, &echo, &options), ISO_EBUSY);
    CHECK_OK(iso_loop_remove_reader(loop, fd));
}

KIT_TEST(a_socket_that_is_closed_is_refused)
{
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    iso_loop *loop = kit_loop(k);
    iso_fd fd;

    REQUIRE_OK(iso_socket_new(&fd, 4));
    REQUIRE_OK(iso_socket_close(fd));
    options.sock = fd;
    CHECK(create_now(loop, &echo, &options) < 0);
    CHECK_EQ(kit_statistics(loop).objects, 0);
}

/* ---- when it serves ---- */

KIT_TEST(it_serves_from_start_serving_on)
{
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    iso_loop *loop = kit_loop(k);
    iso_address address;
    house h;

    house_init(&h, k);
    options.host = "127.0.0.1";
    options.start_serving = false;
    h.server = serve_with(k, loop, &echo, &h, &options);
    CHECK(!iso_server_is_serving(h.server));
    CHECK_OK(iso_server_address(h.server, 0, &address));
    CHECK_RC(try_to_connect(k, &address), ISO_ECONNREFUSED);

    CHECK_OK(iso_server_start_serving(h.server));
    CHECK(iso_server_is_serving(h.server));
    CHECK_OK(iso_server_start_serving(h.server));
    CHECK(does_echo(k, loop, call(&h, loop, &address)));
    close_all(&h, loop);
}

KIT_TEST(a_closed_server_does_not_serve_again)
{
    iso_loop *loop = kit_loop(k);
    house h;

    house_init(&h, k);
    h.server = iso_server_ref(serve(k, loop, &echo, &h, NULL));
    CHECK_OK(iso_server_close(h.server));
    CHECK(!iso_server_is_serving(h.server));
    CHECK_RC(iso_server_start_serving(h.server), ISO_ECLOSED);
    CHECK_OK(iso_server_close(h.server)); /* twice is fine */
    CHECK(run_until_idle(k, loop));
    iso_server_release(h.server);
    iso_server_release(NULL);
}

/* What connected since the last turn. */
static int most_at_once(iso_loop *loop, const house *h, int wanted)
{
    iso_nsec end = kit_now() + ISO_S(30);
    int most = 0;

    while (h->made_count < wanted && CHECK(kit_now() < end)) {
        int before = h->made_count;

        (void)iso_loop_run_once(loop, ISO_MS(50));
        if (h->made_count - before > most) most = h->made_count - before;
    }
    return most;
}

KIT_TEST(a_turn_accepts_a_backlog_at_most)
{
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    iso_loop *loop = kit_loop(k);
    iso_address address;
    iso_fd listener = kit_listen(k, &address);
    house h;
    int at;

    house_init(&h, k);
    options.sock = kit_give(k, listener);
    options.backlog = 3;
    h.server = serve_with(k, loop, &echo, &h, &options);
    (void)iso_socket_listen(listener, 100); /* so that the system lets more than three wait */
    for (at = 0; at < 10; at++) kit_await(k, kit_connect(k, &address), ISO_EVENT_WRITE);
    CHECK_LE(most_at_once(loop, &h, 10), 3);
    CHECK_EQ(h.made_count, 10);
    close_all(&h, loop);
}

KIT_TEST(a_hundred_at_once_are_served)
{
    iso_loop *loop = kit_loop(k);
    iso_address address;
    iso_fd fds[100];
    house h;
    int at;

    house_init(&h, k);
    h.server = serve(k, loop, &echo, &h, &address);
    for (at = 0; at < 100; at++) fds[at] = kit_connect(k, &address);
    (void)kit_run_until(k, loop, &h.made_count, 100);
    CHECK_EQ(iso_server_client_count(h.server), 100);
    for (at = 0; at < 100; at++) CHECK(does_echo(k, loop, fds[at]));
    close_all(&h, loop);
}

/* Besides what the driver lends to the kernel for it. */
KIT_TEST(an_idle_connection_costs_less_than_a_kib)
{
    iso_loop *loop = kit_loop(k);
    iso_address address;
    size_t before;
    house h;
    int at;

    house_init(&h, k);
    h.server = serve(k, loop, &echo, &h, &address);
    (void)call(&h, loop, &address); /* the first one makes what all share */
    before = kit_memory_now(k).bytes;
    for (at = 0; at < 100; at++) (void)call(&h, loop, &address);
    CHECK_LE(kit_memory_now(k).bytes - before,
             100 * (1024 + loop->engine.driver->kind->pinned_bytes));
    close_all(&h, loop);
}

/* ---- what goes wrong while it accepts ---- */

KIT_TEST(a_reset_before_accept_does_not_stop_it)
{
    iso_loop *loop = kit_loop(k);
    iso_address address;
    reports told;
    house h;
    int at;

    house_init(&h, k);
    listen_to_reports(loop, &told);
    h.server = serve(k, loop, &echo, &h, &address);
    for (at = 0; at < 3; at++) {
        iso_fd fd = kit_connect(k, &address);

        kit_await(k, fd, ISO_EVENT_WRITE);
        iso__sys_socket_reset(kit_give(k, fd));
    }
    {
        int before = h.made_count;
        iso_fd fd = kit_connect(k, &address);

        (void)kit_run_until(k, loop, &h.made_count, before + 1);
        kit_await(k, fd, ISO_EVENT_WRITE);
        CHECK(does_echo(k, loop, fd));
    }
    CHECK(iso_server_is_serving(h.server));
    CHECK_EQ(told.count, 0);
    close_all(&h, loop);
}

/* Somebody calls when the process has no descriptor any more: not before, for a kernel that accepts
 * by itself needs no turn for it. */
static bool call_without_a_descriptor(kit *k, const iso_address *address)
{
    iso_fd fd = ISO_FD_NONE;
    int rc;

    REQUIRE_OK(iso__sys_socket_open(&fd, 4));
    (void)kit_own(k, fd);
    if (!kit_exhaust(k)) return false;
    rc = iso__sys_socket_connect(fd, address);
    return CHECK(rc == 0 || rc == ISO_EINPROGRESS);
}

/* A server in virtual time whose first caller finds the process without a descriptor. */
static bool run_out(kit *k, iso_loop *loop, house *h, reports *told)
{
    iso_address address;

    listen_to_reports(loop, told);
    h->server = serve(k, loop, &echo, h, &address);
    if (!call_without_a_descriptor(k, &address)) return false;
    kit_clock_of(k)->patience = ISO_S(5);
    (void)kit_run_until(k, loop, &told->count, 1);
    kit_clock_of(k)->patience = 0;
    CHECK_RC(told->error, ISO_EMFILE);
    CHECK_PTR(told->server, h->server);
    CHECK_HAS(told->message, "rests");
    return true;
}

KIT_TEST(without_a_descriptor_it_rests_for_a_second)
{
    iso_loop *loop = kit_virtual_loop(k);
    iso_nsec begin;
    reports told;
    house h;

    house_init(&h, k);
    if (!run_out(k, loop, &h, &told)) {
        CHECK_OK(iso_loop_close(loop));
        return;
    }
    begin = kit_clock_of(k)->now;
    CHECK_EQ(kit_turn(k, loop), 0); /* it does not try in vain */
    CHECK_EQ(kit_turn(k, loop), 0);
    CHECK_EQ(iso_loop_next_timeout(loop), ISO_S(1));
    CHECK(iso_server_is_serving(h.server));
    kit_replenish(k);
    CHECK_EQ(h.made_count, 0);

    (void)kit_run_until(k, loop, &h.made_count, 1);
    CHECK_EQ(kit_clock_of(k)->now - begin, ISO_S(1));
    CHECK_EQ(told.count, 1);
    close_all(&h, loop);
}

KIT_TEST(each_rest_is_reported_once)
{
    iso_loop *loop = kit_virtual_loop(k);
    iso_nsec begin;
    reports told;
    house h;

    house_init(&h, k);
    if (!run_out(k, loop, &h, &told)) {
        CHECK_OK(iso_loop_close(loop));
        return;
    }
    begin = kit_clock_of(k)->now;
    (void)kit_run_until(k, loop, &told.count, 2);
    CHECK_EQ(kit_clock_of(k)->now - begin, ISO_S(1));
    (void)kit_run_until(k, loop, &told.count, 3);
    CHECK_EQ(kit_clock_of(k)->now - begin, ISO_S(2));
    kit_replenish(k);
    (void)kit_run_until(k, loop, &h.made_count, 1);
    CHECK_EQ(told.count, 3);
    close_all(&h, loop);
}

KIT_TEST(a_server_that_rests_can_be_closed)
{
    iso_loop *loop = kit_virtual_loop(k);
    reports told;
    house h;

    house_init(&h, k);
    if (run_out(k, loop, &h, &told)) {
        CHECK_OK(iso_server_close(h.server));
        CHECK_EQ(kit_statistics(loop).timers, 0);
        CHECK(run_until_idle(k, loop));
        return;
    }
    CHECK_OK(iso_loop_close(loop));
}

KIT_TEST(the_exception_handler_may_close_the_server)
{
    iso_loop *loop = kit_virtual_loop(k);
    iso_address address;
    reports told;
    house h;

    house_init(&h, k);
    listen_to_reports(loop, &told);
    h.server = serve(k, loop, &echo, &h, &address);
    told.to_close = h.server;
    if (!call_without_a_descriptor(k, &address)) {
        CHECK_OK(iso_loop_close(loop));
        return;
    }
    kit_clock_of(k)->patience = ISO_S(5);
    (void)kit_run_until(k, loop, &told.count, 1);
    kit_clock_of(k)->patience = 0;
    CHECK_EQ(kit_statistics(loop).timers, 0);
    CHECK(run_until_idle(k, loop));
    CHECK_EQ(h.made_count, 0);
}

KIT_TEST(without_memory_it_refuses_one_and_rests)
{
    iso_loop *loop = kit_virtual_loop(k);
    iso_address address;
    iso_nsec begin;
    reports told;
    iso_fd fd;
    house h;

    house_init(&h, k);
    listen_to_reports(loop, &told);
    h.server = serve(k, loop, &echo, &h, &address);
    fd = kit_connect(k, &address);
    kit_await(k, fd, ISO_EVENT_WRITE);
    begin = kit_clock_of(k)->now;
    kit_fail_allocation(k, 1, false);
    while (told.count == 0 && !kit_has_failed(k)) (void)kit_turn(k, loop);
    CHECK_RC(told.error, ISO_ENOMEM);
    CHECK(has_ended(k, fd)); /* its peer learns at once */
    CHECK_EQ(kit_turn(k, loop), 0);

    fd = kit_connect(k, &address);
    (void)kit_run_until(k, loop, &h.made_count, 1);
    CHECK_EQ(kit_clock_of(k)->now - begin, ISO_S(1));
    CHECK_EQ(told.count, 1);
    close_all(&h, loop);
}

/* A client whose descriptor is out of the way: select takes the low numbers only. */
static iso_fd connect_high(kit *k, const iso_address *address)
{
    iso_fd fd = kit_connect(k, address);
    iso_fd high = kit_duplicate_above(k, fd, 2000);

    if (high == ISO_FD_NONE) return fd;
    kit_close(k, fd);
    return high;
}

KIT_TEST(the_513th_socket_is_refused_and_the_others_go_on)
{
    iso_loop_options options = kit_options(k);
    iso_clock clock = kit_virtual_clock(k); /* it stands still: no second passes */
    static iso_fd fds[512];
    iso_address address;
    int64_t max = 0;
    int64_t used = 0;
    reports told;
    iso_loop *loop;
    house h;
    iso_fd fd;
    int count;
    int at;

    /* given a loop with as many sockets as Windows' select can take, the loop's own and the
     * listener's included */
    options.limits = "windows-selector";
    options.clock = &clock;
    loop = kit_loop_with(k, &options);
    house_init(&h, k);
    listen_to_reports(loop, &told);
    h.server = serve(k, loop, &echo, &h, &address);
    CHECK_OK(iso_loop_limit_get(loop, ISO_LIMIT_SOCKETS, &max, &used));
    CHECK_EQ(max, 512);
    CHECK_EQ(used, 2);
    count = (int)(max - used);
    for (at = 0; at < count; at++) {
        fds[at] = connect_high(k, &address);
        if (!kit_run_until(k, loop, &h.made_count, at + 1)) return;
    }
    CHECK_EQ(told.count, 0);

    /* when one more calls */
    fd = connect_high(k, &address);
    (void)kit_run_until(k, loop, &told.count, 1);

    /* then it is refused, by the row that says so */
    CHECK_RC(told.error, ISO_ELIMIT);
    CHECK_PTR(told.server, h.server);
    REQUIRE(iso_loop_last_limit(loop) != NULL);
    CHECK_STR(iso_loop_last_limit(loop)->id, "windows.selector.max_sockets");
    CHECK_EQ(iso_loop_last_limit(loop)->used, 512);
    CHECK(has_ended(k, fd));
    CHECK_EQ(h.made_count, count);

    /* and the others do not notice */
    for (at = 0; at < count; at++) CHECK(does_echo(k, loop, fds[at]));

    /* and it is told once a second at most */
    fd = connect_high(k, &address);
    kit_await(k, fd, ISO_EVENT_WRITE);
    do {
        (void)kit_turn(k, loop);
        kit_await(k, fd, ISO_EVENT_WRITE);
    } while (iso__sys_socket_recv(fd, &max, 1) == ISO_EAGAIN);
    CHECK_EQ(told.count, 1);
    kit_advance(k, ISO_S(1));
    (void)connect_high(k, &address);
    (void)kit_run_until(k, loop, &told.count, 2);

    /* and a place that becomes free is taken */
    kit_close(k, fds[0]);
    (void)kit_run_until(k, loop, &h.lost_count, 1);
    fd = connect_high(k, &address);
    (void)kit_run_until(k, loop, &h.made_count, count + 1);
    CHECK(does_echo(k, loop, fd));
    close_all(&h, loop);
}

/* ---- its connections ---- */

static iso_transport *taken_over;
static recorder *new_owner;

static void hand_over(house *self, iso_transport *transport)
{
    (void)self;
    taken_over = transport;
    new_owner->made_count = 1;
    new_owner->transport = transport;
    CHECK_OK(iso_transport_set_protocol(transport, &recorder_protocol, new_owner));
}

KIT_TEST(connection_made_may_give_each_connection_its_own_protocol)
{
    iso_loop *loop = kit_loop(k);
    iso_address address;
    recorder own;
    house h;
    iso_fd fd;

    house_init(&h, k);
    recorder_init(&own, k, "own");
    new_owner = &own;
    h.when_made = hand_over;
    h.server = serve(k, loop, &echo, &h, &address);
    fd = call(&h, loop, &address);
    kit_send(k, fd, "hello", 5);
    kit_close(k, fd);
    (void)kit_run_until(k, loop, &own.lost_count, 1);
    CHECK_STR(kit_marks(k), "own:data own:eof own:lost");
    CHECK_STR(own.text, "hello");
    CHECK_EQ(h.lost_count, 0);
    h.lost_count = 1;
    close_all(&h, loop);
}

KIT_TEST(client_count_counts_from_accept_to_connection_lost)
{
    iso_loop *loop = kit_loop(k);
    iso_address address;
    iso_fd fds[3];
    house h;
    int at;

    house_init(&h, k);
    h.server = serve(k, loop, &echo, &h, &address);
    CHECK_EQ(iso_server_client_count(h.server), 0);
    for (at = 0; at < 3; at++) {
        fds[at] = call(&h, loop, &address);
        CHECK_EQ(iso_server_client_count(h.server), at + 1);
    }
    for (at = 0; at < 3; at++) {
        kit_close(k, fds[at]);
        (void)kit_run_until(k, loop, &h.lost_count, at + 1);
        CHECK_EQ(iso_server_client_count(h.server), 2 - at);
    }
    close_all(&h, loop);
}

/* ---- closing ---- */

KIT_TEST(close_stops_listening_and_leaves_the_connections)
{
    iso_loop *loop = kit_loop(k);
    iso_address address;
    house h;
    iso_fd fd;

    house_init(&h, k);
    h.server = serve(k, loop, &echo, &h, &address);
    fd = call(&h, loop, &address);
    CHECK_OK(iso_server_close(h.server));
    CHECK_EQ(iso_server_address_count(h.server), 0);
    CHECK(try_to_connect(k, &address) != 0);
    CHECK_EQ(iso_server_client_count(h.server), 1);
    CHECK(does_echo(k, loop, fd));
    kit_close(k, fd);
    CHECK(run_until_idle(k, loop)); /* the server goes with its last connection */
    CHECK_EQ(h.lost_count, 1);
}

static int read_to_the_end(kit *k, iso_loop *loop, iso_fd fd)
{
    return (int)drain(k, loop, fd, 0, SIZE_MAX);
}

KIT_TEST(close_clients_sends_what_is_buffered_first)
{
    iso_loop *loop = kit_loop(k);
    iso_address address;
    iso_fd fds[3];
    size_t sizes[3];
    house h;
    int at;

    house_init(&h, k);
    h.server = serve(k, loop, &echo, &h, &address);
    for (at = 0; at < 3; at++) {
        fds[at] = call(&h, loop, &address);
        sizes[at] = stuff(h.clients[at], 0);
    }
    CHECK_OK(iso_server_close_clients(h.server));
    CHECK(iso_server_is_serving(h.server)); /* that is the other half */
    for (at = 0; at < 3; at++) CHECK_EQ(read_to_the_end(k, loop, fds[at]), (int)sizes[at]);
    (void)kit_run_until(k, loop, &h.lost_count, 3);
    CHECK_EQ(h.last_error, 0);
    CHECK_EQ(iso_server_client_count(h.server), 0);
    close_all(&h, loop);
}

KIT_TEST(abort_clients_drops_what_is_buffered)
{
    iso_loop *loop = kit_loop(k);
    iso_address address;
    house h;
    int at;

    house_init(&h, k);
    h.server = serve(k, loop, &echo, &h, &address);
    for (at = 0; at < 3; at++) {
        (void)call(&h, loop, &address);
        (void)stuff(h.clients[at], 0);
    }
    CHECK_OK(iso_server_abort_clients(h.server));
    CHECK_EQ(h.lost_count, 0);
    CHECK_GE(kit_turn(k, loop), 3);
    CHECK_EQ(h.lost_count, 3);
    CHECK_EQ(h.last_error, 0);
    close_all(&h, loop);
}

KIT_TEST(close_clients_leaves_those_of_others_alone)
{
    iso_loop *loop = kit_loop(k);
    iso_address address;
    iso_fd fd;
    house mine;
    house other;

    house_init(&mine, k);
    house_init(&other, k);
    other.server = serve(k, loop, &echo, &other, &address);
    fd = call(&other, loop, &address);
    mine.server = serve(k, loop, &echo, &mine, &address);
    (void)call(&mine, loop, &address);
    CHECK_OK(iso_server_abort_clients(mine.server));
    CHECK_OK(iso_server_close_clients(mine.server));
    (void)kit_run_until(k, loop, &mine.lost_count, 1);
    CHECK_EQ(other.lost_count, 0);
    CHECK(does_echo(k, loop, fd));
    CHECK_OK(iso_server_close(mine.server));
    close_all(&other, loop);
}

static void close_server(house *self, iso_transport *transport)
{
    (void)transport;
    if (self->server != NULL) CHECK_OK(iso_server_close(self->server));
    self->server = NULL;
}

static void close_server_and_abort(house *self, iso_transport *transport)
{
    iso_server *server = self->server;

    (void)transport;
    self->server = NULL;
    if (server == NULL) return;
    (void)iso_server_ref(server);
    CHECK_OK(iso_server_close(server));
    CHECK_OK(iso_server_abort_clients(server));
    iso_server_release(server);
}

KIT_TEST(connection_made_may_close_the_server)
{
    iso_loop *loop = kit_loop(k);
    iso_address address;
    house h;
    iso_fd fd;

    house_init(&h, k);
    h.when_made = close_server;
    h.server = serve(k, loop, &echo, &h, &address);
    fd = call(&h, loop, &address);
    CHECK(does_echo(k, loop, fd));
    kit_close(k, fd);
    CHECK(run_until_idle(k, loop));
}

KIT_TEST(connection_made_may_close_the_server_and_abort_everybody)
{
    iso_loop *loop = kit_loop(k);
    iso_address address;
    house h;
    int at;

    house_init(&h, k);
    h.when_made = close_server_and_abort;
    h.server = serve(k, loop, &echo, &h, &address);
    for (at = 0; at < 5; at++) kit_await(k, kit_connect(k, &address), ISO_EVENT_WRITE);
    CHECK(run_until_idle(k, loop));
    CHECK_GE(h.made_count, 1);
    CHECK_EQ(h.made_count, h.lost_count);
}

KIT_TEST(data_received_may_close_the_server_and_abort_everybody)
{
    iso_loop *loop = kit_loop(k);
    iso_address address;
    iso_fd fds[5];
    house h;
    int at;

    house_init(&h, k);
    h.when_data = close_server_and_abort;
    h.server = serve(k, loop, &echo, &h, &address);
    for (at = 0; at < 5; at++) fds[at] = call(&h, loop, &address);
    for (at = 0; at < 5; at++) kit_send(k, fds[at], "x", 1);
    CHECK(run_until_idle(k, loop));
    CHECK_EQ(h.lost_count, 5);
}

KIT_TEST(connection_lost_may_close_the_server)
{
    iso_loop *loop = kit_loop(k);
    iso_address address;
    house h;

    house_init(&h, k);
    h.when_lost = close_server;
    h.server = serve(k, loop, &echo, &h, &address);
    kit_close(k, call(&h, loop, &address));
    CHECK(run_until_idle(k, loop));
    CHECK_EQ(h.lost_count, 1);
}

KIT_TEST(a_port_can_be_listened_on_again_at_once)
{
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    iso_loop *loop = kit_loop(k);
    iso_address address;
    house h;
    iso_fd fd;

    house_init(&h, k);
    h.server = serve(k, loop, &echo, &h, &address);
    fd = call(&h, loop, &address);
    CHECK_OK(iso_server_close_clients(h.server)); /* first, so that the port stays in TIME_WAIT */
    CHECK_EQ(drain(k, loop, fd, 0, SIZE_MAX), 0);
    kit_close(k, fd);
    close_all(&h, loop);

    options.host = "127.0.0.1";
    options.port = iso_address_port(&address);
    h.server = serve_with(k, loop, &echo, &h, &options);
    CHECK(does_echo(k, loop, call(&h, loop, &address)));
    close_all(&h, loop);
}

/* ---- wait_closed ---- */

KIT_TEST(wait_closed_waits_for_close_and_for_the_last_connection)
{
    iso_loop *loop = kit_loop(k);
    iso_address address;
    iso_future *over;
    house h;
    iso_fd fd;

    house_init(&h, k);
    h.server = serve(k, loop, &echo, &h, &address);
    fd = call(&h, loop, &address);
    CHECK_OK(iso_server_wait_closed(h.server, &over));
    kit_settle(k, loop);
    CHECK(!iso_future_done(over));
    CHECK_OK(iso_server_close(h.server));
    kit_settle(k, loop);
    CHECK(!iso_future_done(over)); /* one connection is left */
    kit_close(k, fd);
    CHECK_OK(kit_run_release(k, loop, over));
    CHECK_EQ(h.lost_count, 1);
}

KIT_TEST(wait_closed_is_not_over_while_it_listens)
{
    iso_loop *loop = kit_loop(k);
    iso_address address;
    iso_future *over;
    house h;

    house_init(&h, k);
    h.server = serve(k, loop, &echo, &h, &address);
    kit_close(k, call(&h, loop, &address));
    (void)kit_run_until(k, loop, &h.lost_count, 1);
    CHECK_OK(iso_server_wait_closed(h.server, &over));
    kit_settle(k, loop);
    CHECK(!iso_future_done(over)); /* no connection, but another may come */
    CHECK_OK(iso_server_close(h.server));
    CHECK_OK(kit_run_release(k, loop, over));
}

KIT_TEST(wait_closed_of_what_is_over_is_done)
{
    iso_loop *loop = kit_loop(k);
    iso_future *over;
    house h;

    house_init(&h, k);
    h.server = iso_server_ref(serve(k, loop, &echo, &h, NULL));
    CHECK_OK(iso_server_close(h.server));
    CHECK_OK(iso_server_wait_closed(h.server, &over));
    CHECK(iso_future_done(over));
    CHECK_OK(kit_run_release(k, loop, over));
    CHECK_RC(iso_server_wait_closed(h.server, NULL), ISO_EINVAL);
    iso_server_release(h.server);
}

KIT_TEST(a_borrowed_server_can_be_closed_and_then_waited_for)
{
    iso_loop *loop = kit_loop(k);
    iso_future *over;
    house h;

    /* given a server that only the loop holds */
    house_init(&h, k);
    h.server = serve(k, loop, &echo, &h, NULL);
    /* when it is closed, and asked once more in the same turn, as in asyncio */
    CHECK_OK(iso_server_close(h.server));
    CHECK_OK(iso_server_abort_clients(h.server));
    CHECK_OK(iso_server_wait_closed(h.server, &over));
    /* then it is still there to answer, and gone a turn later (the kit counts) */
    CHECK(iso_future_done(over));
    CHECK_OK(kit_run_release(k, loop, over));
}

KIT_TEST(several_may_wait_closed_and_one_may_give_up)
{
    iso_loop *loop = kit_loop(k);
    iso_future *over[3];
    house h;
    int at;

    house_init(&h, k);
    h.server = serve(k, loop, &echo, &h, NULL);
    for (at = 0; at < 3; at++) CHECK_OK(iso_server_wait_closed(h.server, &over[at]));
    CHECK_OK(iso_future_add_done_callback(over[0], kit_mark_future, "a"));
    CHECK_OK(iso_future_add_done_callback(over[1], kit_mark_future, "b"));
    CHECK_OK(iso_future_add_done_callback(over[2], kit_mark_future, "c"));
    CHECK_OK(iso_future_cancel(over[1]));
    kit_settle(k, loop);
    CHECK_STR(kit_marks(k), "b");
    CHECK(iso_server_is_serving(h.server));
    CHECK_OK(iso_server_close(h.server));
    kit_settle(k, loop);
    CHECK_STR(kit_marks(k), "bac");
    CHECK_OK(iso_future_error(over[0]));
    CHECK_RC(iso_future_error(over[1]), ISO_ECANCELED);
    CHECK_OK(iso_future_error(over[2]));
    for (at = 0; at < 3; at++) iso_future_release(over[at]);
}

KIT_TEST(wait_closed_without_memory)
{
    iso_loop *loop = kit_loop(k);
    iso_future *over = NULL;
    house h;
    uint64_t nth;

    house_init(&h, k);
    h.server = serve(k, loop, &echo, &h, NULL);
    for (nth = 1; nth <= 2; nth++) {
        kit_fail_allocation(k, nth, false);
        CHECK_RC(iso_server_wait_closed(h.server, &over), ISO_ENOMEM);
        CHECK_PTR(over, NULL);
    }
    close_all(&h, loop);
}

/* ---- sharing a port between processes ---- */

KIT_TEST(reuse_port_lets_two_listen_on_one_port)
{
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    iso_loop *loop;
    iso_address address;
    iso_server *second;
    house h;

    if (!kit_needs(k, ISO_CAP_REUSE_PORT)) return;
    loop = kit_loop(k);
    house_init(&h, k);
    options.host = "127.0.0.1";
    options.reuse_port = true;
    h.server = serve_with(k, loop, &echo, &h, &options);
    CHECK_OK(iso_server_address(h.server, 0, &address));
    options.port = iso_address_port(&address);
    second = serve_with(k, loop, &echo, &h, &options);
    CHECK(does_echo(k, loop, call(&h, loop, &address)));
    CHECK_OK(iso_server_abort_clients(second));
    CHECK_OK(iso_server_close(second));
    close_all(&h, loop);
}

KIT_TEST(reuse_port_is_refused_where_documents_say_so)
{
    iso_loop_options loop_options = kit_options(k);
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    iso_loop *loop;

    loop_options.limits = "windows-selector";
    loop = kit_loop_with(k, &loop_options);
    options.host = "127.0.0.1";
    options.reuse_port = true;
    CHECK_RC(create_now(loop, &echo, &options), ISO_ENOTSUP);
    REQUIRE(iso_loop_last_limit(loop) != NULL);
    CHECK_STR(iso_loop_last_limit(loop)->id, "windows.reuse_port");
    CHECK(!iso_loop_supports(loop, ISO_CAP_REUSE_PORT));
}

/* ---- the end of the loop ---- */

KIT_TEST(a_closing_loop_ends_server_and_connections)
{
    iso_loop *loop = kit_loop(k);
    iso_address address;
    iso_future *over;
    house h;
    int at;

    house_init(&h, k);
    h.server = serve(k, loop, &echo, &h, &address);
    for (at = 0; at < 4; at++) (void)call(&h, loop, &address);
    CHECK_OK(iso_server_wait_closed(h.server, &over));
    CHECK_OK(iso_loop_close(loop));
    CHECK_EQ(h.lost_count, 4);
    CHECK_RC(h.last_error, ISO_ECLOSED);
    CHECK_RC(iso_future_error(over), ISO_ECANCELED);
    iso_future_release(over);
    CHECK(try_to_connect(k, &address) != 0);
}

KIT_TEST(a_closing_loop_ends_a_closed_server_that_has_connections)
{
    iso_loop *loop = kit_loop(k);
    iso_address address;
    house h;

    house_init(&h, k);
    h.server = serve(k, loop, &echo, &h, &address);
    (void)call(&h, loop, &address);
    CHECK_OK(iso_server_close(h.server));
    CHECK_OK(iso_loop_close(loop));
    CHECK_EQ(h.lost_count, 1);
}

KIT_TEST(a_closing_loop_lets_connection_lost_close_the_server)
{
    iso_loop *loop = kit_loop(k);
    iso_address address;
    house h;
    int at;

    house_init(&h, k);
    h.when_lost = close_server_and_abort;
    h.server = serve(k, loop, &echo, &h, &address);
    (void)iso_server_ref(h.server);
    {
        iso_server *shared = h.server;
        for (at = 0; at < 3; at++) (void)call(&h, loop, &address);
        CHECK_OK(iso_loop_close(loop));
        CHECK_EQ(h.lost_count, 3);
        iso_server_release(shared);
    }
}

KIT_TEST(a_server_in_the_making_ends_with_its_loop)
{
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    iso_loop *loop = kit_loop(k);
    kit_gate *gate = kit_gate_new(k);
    iso_future *future;
    house h;

    house_init(&h, k);
    names_add("house", "127.0.0.1", 0);
    names_hold(gate);
    options.host = "house";
    REQUIRE_OK(iso_loop_create_server(loop, &echo, &h, &options, &future));
    names_await_begun(1);
    CHECK_OK(iso_loop_close(loop));
    CHECK_RC(iso_future_error(future), ISO_ECANCELED);
    iso_future_release(future);
    kit_gate_open(gate);
    names_await_ended(1); /* nobody waited for it */
}

KIT_TEST(a_server_in_the_making_can_be_cancelled)
{
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    iso_loop *loop = kit_loop(k);
    kit_gate *gate = kit_gate_new(k);
    iso_future *future;
    house h;

    house_init(&h, k);
    names_add("house", "127.0.0.1", 0);
    names_hold(gate);
    options.host = "house";
    REQUIRE_OK(iso_loop_create_server(loop, &echo, &h, &options, &future));
    names_await_begun(1);
    CHECK_OK(iso_future_cancel(future));
    CHECK_RC(kit_run_release(k, loop, future), ISO_ECANCELED);
    kit_gate_open(gate);
    names_await_ended(1);
    CHECK(run_until_idle(k, loop)); /* nothing comes of it */
}

static const kit_case cases[] = {
    KIT_CASE(port_0_is_a_free_port_that_can_be_asked_for),
    KIT_CASE(several_hosts_each_have_their_port),
    KIT_CASE(every_address_of_a_name_is_listened_on),
    KIT_CASE(names_and_literals_may_stand_side_by_side),
    KIT_CASE(a_literal_needs_no_turn),
    KIT_CASE(no_host_is_every_interface),
    KIT_CASE(an_empty_host_is_every_interface_of_the_family),
    KIT_CASE(addresses_end_where_the_list_ends),
    KIT_CASE(it_serves_ipv6),
    KIT_CASE(ipv4_and_ipv6_share_a_port),
    KIT_CASE(family_chooses_among_the_addresses_of_a_name),
    KIT_CASE(a_literal_of_the_other_family_is_not_known),
    KIT_CASE(an_unknown_name_ends_the_future),
    KIT_CASE(an_address_in_use_ends_the_future_and_leaves_nothing_open),
    KIT_CASE(a_failure_without_a_future_is_reported),
    KIT_CASE(a_success_needs_no_future),
    KIT_CASE(options_that_contradict_each_other_are_refused),
    KIT_CASE(another_thread_is_refused),
    KIT_CASE(a_closed_loop_is_refused),
    KIT_CASE(a_bound_socket_can_be_given),
    KIT_CASE(a_socket_that_is_watched_is_refused_and_stays_the_callers),
    KIT_CASE(a_socket_that_is_closed_is_refused),
    KIT_CASE(it_serves_from_start_serving_on),
    KIT_CASE(a_closed_server_does_not_serve_again),
    KIT_CASE(a_turn_accepts_a_backlog_at_most),
    KIT_CASE(a_hundred_at_once_are_served),
    KIT_CASE(an_idle_connection_costs_less_than_a_kib),
    KIT_CASE(a_reset_before_accept_does_not_stop_it),
    KIT_CASE(without_a_descriptor_it_rests_for_a_second),
    KIT_CASE(each_rest_is_reported_once),
    KIT_CASE(a_server_that_rests_can_be_closed),
    KIT_CASE(the_exception_handler_may_close_the_server),
    KIT_CASE(without_memory_it_refuses_one_and_rests),
    KIT_CASE(the_513th_socket_is_refused_and_the_others_go_on),
    KIT_CASE(connection_made_may_give_each_connection_its_own_protocol),
    KIT_CASE(client_count_counts_from_accept_to_connection_lost),
    KIT_CASE(close_stops_listening_and_leaves_the_connections),
    KIT_CASE(close_clients_sends_what_is_buffered_first),
    KIT_CASE(abort_clients_drops_what_is_buffered),
    KIT_CASE(close_clients_leaves_those_of_others_alone),
    KIT_CASE(connection_made_may_close_the_server),
    KIT_CASE(connection_made_may_close_the_server_and_abort_everybody),
    KIT_CASE(data_received_may_close_the_server_and_abort_everybody),
    KIT_CASE(connection_lost_may_close_the_server),
    KIT_CASE(a_port_can_be_listened_on_again_at_once),
    KIT_CASE(wait_closed_waits_for_close_and_for_the_last_connection),
    KIT_CASE(wait_closed_is_not_over_while_it_listens),
    KIT_CASE(wait_closed_of_what_is_over_is_done),
    KIT_CASE(a_borrowed_server_can_be_closed_and_then_waited_for),
    KIT_CASE(several_may_wait_closed_and_one_may_give_up),
    KIT_CASE(wait_closed_without_memory),
    KIT_CASE(reuse_port_lets_two_listen_on_one_port),
    KIT_CASE(reuse_port_is_refused_where_documents_say_so),
    KIT_CASE(a_closing_loop_ends_server_and_connections),
    KIT_CASE(a_closing_loop_ends_a_closed_server_that_has_connections),
    KIT_CASE(a_closing_loop_lets_connection_lost_close_the_server),
    KIT_CASE(a_server_in_the_making_ends_with_its_loop),
    KIT_CASE(a_server_in_the_making_can_be_cancelled),
};

KIT_MAIN(cases)
