/* SPDX-License-Identifier: MIT */
/* Pipes with a name: start_serving_pipe and create_pipe_connection. */
#include "io/recorder.h"
#include "loop/loop.h"
#include "sys/named_pipe.h"
#include "sys/pipe.h"

#include <stdio.h>
#include <string.h>

enum {
    INSTANCES = 4, /* that a server keeps waiting, as src/common/io/named_pipe.c has it */
    MANY = 24,
    LARGE = 3 * 1024 * 1024
};

/* ---- names ---- */

enum { NAME_BYTES = 128 };

typedef struct pipe_name {
    char text[NAME_BYTES];
} pipe_name;

/* No other run of this test has it: a thread has its number for itself. */
static pipe_name new_name(const char *end)
{
    static int count;
    pipe_name name;

    (void)snprintf(name.text, sizeof(name.text), "\\\\.\\pipe\\isoloop-test-%llu-%lld-%d%s",
                   (unsigned long long)iso__sys_thread_id(), (long long)kit_now(), ++count, end);
    return name;
}

/* ---- a house: an echo server, and what its connections do all together ---- */

typedef struct house house;
struct house {
    kit *k;
    iso_loop *loop;
    iso_server *server;
    pipe_name name;
    int made_count;
    int lost_count;
    int last_error;
    iso_transport *last; /* that was made; borrowed, NULL: lost */
    void (*when_made)(house *self, iso_transport *transport);
    void (*when_data)(house *self, iso_transport *transport);
};

static void house_made(iso_transport *transport, void *arg)
{
    house *self = arg;

    self->made_count++;
    self->last = transport;
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

    if (self->last == transport) self->last = NULL;
    self->lost_count++;
    self->last_error = error;
}

static const iso_protocol echo = {
    .connection_made = house_made,
    .data_received = house_data,
    .connection_lost = house_lost,
};

static iso_server *serve_pipe(kit *k, iso_loop *loop, const iso_protocol *protocol, void *arg,
                              const char *name)
{
    iso_future *future = NULL;
    void *server = NULL;

    REQUIRE_OK(iso_loop_start_serving_pipe(loop, protocol, arg, name, &future));
    REQUIRE_OK(kit_run(k, loop, future));
    REQUIRE_OK(iso_future_result(future, &server));
    iso_future_release(future);
    return server;
}

static void open_house(house *self, kit *k, iso_loop *loop)
{
    memset(self, 0, sizeof(*self));
    self->k = k;
    self->loop = loop;
    self->name = new_name("");
    self->server = serve_pipe(k, loop, &echo, self, self->name.text);
}

static void close_house(house *self)
{
    CHECK_OK(iso_server_abort_clients(self->server));
    CHECK_OK(iso_server_close(self->server));
    CHECK(run_until_idle(self->k, self->loop));
    CHECK_EQ(self->made_count, self->lost_count);
}

/* ---- clients ---- */

static void connect_to(recorder *self, iso_loop *loop, const pipe_name *name)
{
    iso_future *future = NULL;

    REQUIRE_OK(
        iso_loop_create_pipe_connection(loop, &recorder_protocol, self, name->text, &future));
    REQUIRE_OK(kit_run_release(self->k, loop, future));
    REQUIRE(self->made_count == 1);
}

/* What a connection to it ends with. */
static int try_to_connect(kit *k, iso_loop *loop, recorder *self, const pipe_name *name)
{
    iso_future *future = NULL;

    REQUIRE_OK(
        iso_loop_create_pipe_connection(loop, &recorder_protocol, self, name->text, &future));
    return kit_run_release(k, loop, future);
}

/* Turns until the bytes are there, or fail after a generous time. */
static bool run_until_received(recorder *self, iso_loop *loop, size_t size)
{
    iso_nsec end = kit_now() + ISO_S(30);

    while (self->received < size && CHECK(kit_now() < end))
        if (!CHECK_GE(iso_loop_run_once(loop, ISO_S(1)), 0)) break;
    return self->received >= size;
}

static bool does_echo(recorder *self, iso_loop *loop)
{
    unsigned char word[64];
    size_t before = self->received;

    self->is_patterned = true;
    pattern_fill(word, sizeof(word), before);
    CHECK_OK(iso_transport_write(self->transport, word, sizeof(word)));
    return run_until_received(self, loop, before + sizeof(word)) && CHECK_EQ(self->wrong_bytes, 0);
}

static void hang_up(recorder *self, iso_loop *loop)
{
    if (self->transport != NULL) CHECK_OK(iso_transport_close(self->transport));
    (void)kit_run_until(self->k, loop, &self->lost_count, 1);
}

/* ---- instances and clients that are no loop's ---- */

static iso_fd raw_instance(const pipe_name *name, bool is_first)
{
    iso_fd fd = ISO_FD_NONE;

    REQUIRE_OK(iso__sys_named_pipe_serve(&fd, name->text, is_first));
    return fd;
}

static iso_fd raw_client(const pipe_name *name)
{
    iso_fd fd = ISO_FD_NONE;

    REQUIRE_OK(iso__sys_named_pipe_connect(&fd, name->text));
    return fd;
}

static void raw_close(iso_fd fd)
{
    CHECK_OK(iso__sys_pipe_close(fd));
}

/* What a client that does not wait is answered. */
static int try_raw(const pipe_name *name)
{
    iso_fd fd = ISO_FD_NONE;
    int rc = iso__sys_named_pipe_connect(&fd, name->text);

    if (rc == 0) raw_close(fd);
    return rc;
}

/* ---- what the exception handler was told ---- */

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

/* ---- what is refused ---- */

static void refuses_both(iso_loop *loop, const char *limit_id)
{
    iso_future *future = NULL;
    pipe_name name = new_name("");

    CHECK_RC(iso_loop_start_serving_pipe(loop, &echo, NULL, name.text, &future), ISO_ENOTSUP);
    REQUIRE(iso_loop_last_limit(loop) != NULL);
    CHECK_STR(iso_loop_last_limit(loop)->id, limit_id);
    CHECK_RC(iso_loop_create_pipe_connection(loop, &echo, NULL, name.text, &future), ISO_ENOTSUP);
    CHECK_STR(iso_loop_last_limit(loop)->id, limit_id);
    /* the limit comes before what is wrong with the arguments */
    CHECK_RC(iso_loop_start_serving_pipe(loop, NULL, NULL, NULL, &future), ISO_ENOTSUP);
    CHECK_RC(iso_loop_create_pipe_connection(loop, &echo, NULL, "", NULL), ISO_ENOTSUP);
    CHECK_PTR(future, NULL);
    CHECK_EQ(kit_statistics(loop).objects, 0);
}

/* The mirror of the cases below: where they are skipped, this one demands the refusal. */
KIT_TEST(a_loop_that_has_none_refuses_by_its_row)
{
    iso_loop *loop = kit_loop(k);
    bool has_row = iso_loop_limit_enforced(loop, "windows.selector.pipes") ||
                   iso_loop_limit_enforced(loop, "posix.named_pipes");

    CHECK_EQ(iso_loop_supports(loop, ISO_CAP_NAMED_PIPES), !has_row);
    if (iso_loop_limit_enforced(loop, "windows.selector.pipes"))
        refuses_both(loop, "windows.selector.pipes");
    else if (has_row)
        refuses_both(loop, "posix.named_pipes");
}

KIT_TEST(a_profile_refuses_by_the_row_of_another_platform)
{
    iso_loop_options options = kit_options(k);

    options.limits = "windows-selector";
    refuses_both(kit_loop_with(k, &options), "windows.selector.pipes");
}

static int serve_name(iso_loop *loop, const char *name)
{
    return iso_loop_start_serving_pipe(loop, &echo, NULL, name, NULL);
}

static int connect_name(iso_loop *loop, const char *name)
{
    return iso_loop_create_pipe_connection(loop, &echo, NULL, name, NULL);
}

KIT_TEST(what_is_not_the_name_of_a_pipe_is_refused)
{
    static const char *const wrong[] = {
        "",
        "pipe",
        "\\\\.\\pipe",
        "\\\\.\\pipe\\",
        "\\\\.\\pipes\\name",
        "\\\\server\\pipe\\name",
        "//./pipe/name",
        "C:\\file",
        "\\\\.\\pipe\\..\\C:",
        "\\\\.\\pipe\\a\\..",
        "\\\\.\\pipe\\a/../../C:",
        "\\\\.\\pipe\\\\",
        "\\\\.\\pipe\\. .",
        "\\\\.\\pipe\\\xff\xfe", /* no UTF-8 */
    };
    iso_loop *loop;
    size_t at;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    for (at = 0; at < ISO__COUNT(wrong); at++) {
        if (!CHECK_RC(serve_name(loop, wrong[at]), ISO_EINVAL) ||
            !CHECK_RC(connect_name(loop, wrong[at]), ISO_EINVAL))
            printf("        %s\n", wrong[at]);
        CHECK_HAS(iso_error_detail(), "the name of a pipe");
    }
    CHECK_EQ(kit_statistics(loop).objects, 0);
}

KIT_TEST(a_name_has_256_characters_at_most)
{
    iso_loop *loop;
    char name[300];

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    memset(name, 'x', sizeof(name));
    memcpy(name, "\\\\.\\pipe\\", 9);
    name[257] = '\0';
    CHECK_RC(connect_name(loop, name), ISO_EINVAL);
    name[256] = '\0';
    CHECK_OK(iso__sys_named_pipe_check(name));
}

KIT_TEST(what_is_missing_is_refused)
{
    iso_loop *loop;
    iso_future *future = NULL;
    pipe_name name = new_name("");

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    CHECK_RC(iso_loop_start_serving_pipe(NULL, &echo, NULL, name.text, &future), ISO_EINVAL);
    CHECK_RC(iso_loop_start_serving_pipe(loop, NULL, NULL, name.text, &future), ISO_EINVAL);
    CHECK_RC(iso_loop_start_serving_pipe(loop, &echo, NULL, NULL, &future), ISO_EINVAL);
    CHECK_RC(iso_loop_create_pipe_connection(NULL, &echo, NULL, name.text, &future), ISO_EINVAL);
    CHECK_RC(iso_loop_create_pipe_connection(loop, NULL, NULL, name.text, &future), ISO_EINVAL);
    CHECK_RC(iso_loop_create_pipe_connection(loop, &echo, NULL, NULL, &future), ISO_EINVAL);
    CHECK_PTR(future, NULL);
}

KIT_TEST(a_closed_loop_is_refused)
{
    iso_loop *loop;
    pipe_name name = new_name("");

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    CHECK_OK(iso_loop_close(loop));
    CHECK_RC(serve_name(loop, name.text), ISO_ECLOSED);
    CHECK_RC(connect_name(loop, name.text), ISO_ECLOSED);
}

static void call_from_thread(void *arg)
{
    pipe_name name = new_name("");

    CHECK_RC(serve_name(arg, name.text), ISO_ETHREAD);
    CHECK_RC(connect_name(arg, name.text), ISO_ETHREAD);
}

KIT_TEST(another_thread_is_refused)
{
    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    kit_thread(k, call_from_thread, kit_loop(k));
    kit_join_all(k);
}

/* ---- serving ---- */

KIT_TEST(it_serves_from_the_call_on)
{
    iso_loop *loop;
    iso_future *future = NULL;
    void *server = NULL;
    house h;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    memset(&h, 0, sizeof(h));
    h.name = new_name("");
    REQUIRE_OK(iso_loop_start_serving_pipe(loop, &echo, &h, h.name.text, &future));
    REQUIRE(iso_future_done(future));
    REQUIRE_OK(iso_future_result(future, &server));
    iso_future_release(future);
    CHECK(iso_server_is_serving(server));
    CHECK_OK(iso_server_start_serving(server)); /* it does */
    CHECK_EQ(iso_server_address_count(server), 0);
    CHECK_RC(iso_server_address(server, 0, &(iso_address){ 0 }), ISO_ENOENT);
    CHECK_EQ(iso_server_client_count(server), 0);
    CHECK_PTR(iso_server_get_loop(server), loop);
    CHECK_OK(try_raw(&h.name));
    (void)iso_server_ref(server);
    CHECK_OK(iso_server_close(server));
    CHECK(!iso_server_is_serving(server));
    CHECK_RC(iso_server_start_serving(server), ISO_ECLOSED);
    iso_server_release(server);
    CHECK(run_until_idle(k, loop));
}

KIT_TEST(a_server_needs_no_future)
{
    iso_loop *loop;
    pipe_name name = new_name("");

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    REQUIRE_OK(iso_loop_start_serving_pipe(loop, &echo, NULL, name.text, NULL));
    CHECK_EQ(kit_statistics(loop).objects, 1);
    CHECK_OK(iso_loop_close(loop));
}

KIT_TEST(a_client_is_echoed)
{
    iso_loop *loop;
    recorder client;
    house h;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    open_house(&h, k, loop);
    recorder_init(&client, k, "");
    connect_to(&client, loop, &h.name);
    CHECK(does_echo(&client, loop));
    CHECK(does_echo(&client, loop));
    CHECK_EQ(h.made_count, 1);
    CHECK_EQ(iso_server_client_count(h.server), 1);
    hang_up(&client, loop);
    (void)kit_run_until(k, loop, &h.lost_count, 1);
    CHECK_OK(h.last_error);
    CHECK_EQ(iso_server_client_count(h.server), 0);
    CHECK_STR(kit_marks(k), "made data lost");
    close_house(&h);
}

KIT_TEST(the_result_is_the_transport_once_connection_made_was_called)
{
    iso_loop *loop;
    iso_future *future = NULL;
    void *transport = NULL;
    recorder client;
    house h;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    open_house(&h, k, loop);
    recorder_init(&client, k, NULL);
    REQUIRE_OK(
        iso_loop_create_pipe_connection(loop, &recorder_protocol, &client, h.name.text, &future));
    CHECK(!iso_future_done(future));
    CHECK_EQ(client.made_count, 0);
    CHECK_OK(kit_run(k, loop, future));
    CHECK_EQ(client.made_count, 1);
    CHECK_OK(iso_future_result(future, &transport));
    CHECK_PTR(transport, client.transport);
    iso_future_release(future);
    hang_up(&client, loop);
    close_house(&h);
}

KIT_TEST(a_connection_needs_no_future)
{
    iso_loop *loop;
    recorder client;
    house h;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    open_house(&h, k, loop);
    recorder_init(&client, k, NULL);
    REQUIRE_OK(
        iso_loop_create_pipe_connection(loop, &recorder_protocol, &client, h.name.text, NULL));
    (void)kit_run_until(k, loop, &client.made_count, 1);
    CHECK(does_echo(&client, loop));
    hang_up(&client, loop);
    close_house(&h);
}

KIT_TEST(names_are_utf_8_and_their_case_is_no_matter)
{
    iso_loop *loop;
    iso_server *server;
    recorder client;
    pipe_name name = new_name("-gr\xc3\xbc\xc3\x9f");
    house h;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    memset(&h, 0, sizeof(h));
    server = serve_pipe(k, loop, &echo, &h, name.text);
    memcpy(name.text, "\\\\.\\PIPE\\", 9);
    recorder_init(&client, k, NULL);
    connect_to(&client, loop, &name);
    CHECK(does_echo(&client, loop));
    hang_up(&client, loop);
    CHECK_OK(iso_server_close(server));
    CHECK(run_until_idle(k, loop));
}

KIT_TEST(a_transport_tells_that_it_is_a_pipe)
{
    iso_loop *loop;
    iso_extra_info info;
    recorder client;
    house h;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    open_house(&h, k, loop);
    recorder_init(&client, k, NULL);
    connect_to(&client, loop, &h.name);
    CHECK_OK(iso_transport_get_extra_info(client.transport, "pipe", &info));
    CHECK(info.fd != ISO_FD_NONE);
    CHECK_RC(iso_transport_get_extra_info(client.transport, "socket", &info), ISO_ENOENT);
    CHECK_RC(iso_transport_get_extra_info(client.transport, "peername", &info), ISO_ENOENT);
    (void)kit_run_until(k, loop, &h.made_count, 1);
    CHECK_OK(iso_transport_get_extra_info(h.last, "pipe", &info));
    hang_up(&client, loop);
    close_house(&h);
}

KIT_TEST(one_direction_cannot_be_ended_alone)
{
    iso_loop *loop;
    recorder client;
    house h;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    open_house(&h, k, loop);
    recorder_init(&client, k, NULL);
    connect_to(&client, loop, &h.name);
    CHECK(!iso_transport_can_write_eof(client.transport));
    CHECK_RC(iso_transport_write_eof(client.transport), ISO_ENOTSUP);
    CHECK_STR(iso_loop_last_limit(loop)->id, "proactor.pipe_write_eof");
    CHECK(does_echo(&client, loop)); /* it goes on as before */
    hang_up(&client, loop);
    close_house(&h);
}

KIT_TEST(many_clients_at_once_are_served)
{
    static recorder clients[MANY];
    iso_future *futures[MANY];
    iso_loop *loop;
    house h;
    int at;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    open_house(&h, k, loop);
    /* given many more than there are instances, in one turn */
    for (at = 0; at < MANY; at++) {
        recorder_init(&clients[at], k, NULL);
        REQUIRE_OK(iso_loop_create_pipe_connection(loop, &recorder_protocol, &clients[at],
                                                   h.name.text, &futures[at]));
    }
    for (at = 0; at < MANY; at++) CHECK_OK(kit_run_release(k, loop, futures[at]));
    (void)kit_run_until(k, loop, &h.made_count, MANY);
    CHECK_EQ(iso_server_client_count(h.server), MANY);
    /* then each has a connection of its own */
    for (at = 0; at < MANY; at++) CHECK(does_echo(&clients[at], loop));
    for (at = 0; at < MANY; at++) hang_up(&clients[at], loop);
    (void)kit_run_until(k, loop, &h.lost_count, MANY);
    CHECK_EQ(h.made_count, MANY);
    close_house(&h);
}

KIT_TEST(one_client_after_the_other_is_served)
{
    iso_loop *loop;
    recorder client;
    house h;
    int at;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    open_house(&h, k, loop);
    for (at = 0; at < 3 * INSTANCES; at++) {
        recorder_init(&client, k, NULL);
        connect_to(&client, loop, &h.name);
        CHECK(does_echo(&client, loop));
        hang_up(&client, loop);
    }
    (void)kit_run_until(k, loop, &h.lost_count, 3 * INSTANCES);
    close_house(&h);
}

KIT_TEST(so_many_instances_wait_while_the_loop_does_not_run)
{
    iso_fd clients[INSTANCES];
    iso_loop *loop;
    house h;
    int at;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    open_house(&h, k, loop);
    for (at = 0; at < INSTANCES; at++) clients[at] = raw_client(&h.name);
    CHECK_RC(try_raw(&h.name), ISO_EBUSY);
    (void)kit_run_until(k, loop, &h.made_count, INSTANCES);
    CHECK_OK(try_raw(&h.name)); /* new ones have come in their place */
    for (at = 0; at < INSTANCES; at++) raw_close(clients[at]);
    (void)kit_run_until(k, loop, &h.lost_count, INSTANCES);
    close_house(&h);
}

/* ---- data ---- */

/* One end that sends and receives LARGE bytes, as the other one lets it. */
typedef struct pump {
    recorder end;
    size_t sent;
} pump;

static void pump_on(recorder *self)
{
    static unsigned char piece[10000];
    pump *own = self->context;

    while (own->sent < LARGE && self->pause_count == self->resume_count) {
        size_t size = LARGE - own->sent < sizeof(piece) ? LARGE - own->sent : sizeof(piece);

        pattern_fill(piece, size, own->sent);
        own->sent += size;
        if (!CHECK_OK(iso_transport_write(self->transport, piece, size))) return;
    }
}

static void pump_init(pump *self, kit *k)
{
    recorder_init(&self->end, k, NULL);
    self->sent = 0;
    self->end.context = self;
    self->end.is_patterned = true;
    self->end.when_made = pump_on;
    self->end.when_resumed = pump_on;
}

KIT_TEST(much_goes_both_ways_at_once)
{
    static pump client;
    static pump server;
    iso_loop *loop;
    iso_server *serving;
    pipe_name name = new_name("");

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    pump_init(&client, k);
    pump_init(&server, k);
    serving = serve_pipe(k, loop, &recorder_protocol, &server.end, name.text);
    connect_to(&client.end, loop, &name);
    (void)run_until_received(&client.end, loop, LARGE);
    (void)run_until_received(&server.end, loop, LARGE);
    CHECK_EQ(client.end.received, LARGE);
    CHECK_EQ(server.end.received, LARGE);
    CHECK_EQ(client.end.wrong_bytes, 0);
    CHECK_EQ(server.end.wrong_bytes, 0);
    CHECK_GE(client.end.pause_count, 1);
    CHECK_GE(server.end.pause_count, 1);
    hang_up(&client.end, loop);
    (void)kit_run_until(k, loop, &server.end.lost_count, 1);
    CHECK_OK(server.end.error);
    CHECK_OK(iso_server_close(serving));
    CHECK(run_until_idle(k, loop));
}

static void pause_now(recorder *self)
{
    CHECK_OK(iso_transport_pause_reading(self->transport));
}

KIT_TEST(pause_reading_loses_nothing)
{
    static pump client;
    static recorder server;
    iso_loop *loop;
    iso_server *serving;
    pipe_name name = new_name("");
    size_t before;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    pump_init(&client, k);
    recorder_init(&server, k, NULL);
    server.is_patterned = true;
    server.when_data = pause_now;
    serving = serve_pipe(k, loop, &recorder_protocol, &server, name.text);
    connect_to(&client.end, loop, &name);
    /* when it pauses in every call, and resumes when there is nothing else to do */
    while (server.received < LARGE && !kit_has_failed(k)) {
        before = server.received;
        (void)run_until_received(&server, loop, before + 1);
        before = server.received;
        kit_settle(k, loop);
        CHECK_EQ(server.received, before); /* nothing comes meanwhile */
        CHECK_OK(iso_transport_resume_reading(server.transport));
    }
    CHECK_EQ(server.received, LARGE);
    CHECK_EQ(server.wrong_bytes, 0);
    hang_up(&client.end, loop);
    (void)kit_run_until(k, loop, &server.lost_count, 1);
    CHECK_OK(iso_server_close(serving));
    CHECK(run_until_idle(k, loop));
}

KIT_TEST(a_buffered_protocol_is_served)
{
    static unsigned char memory[700];
    static pump client;
    static recorder server;
    iso_loop *loop;
    iso_server *serving;
    pipe_name name = new_name("");

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    pump_init(&client, k);
    client.sent = LARGE - 100 * 1000; /* it is slow */
    client.end.is_patterned = false;
    recorder_init(&server, k, NULL);
    server.lent = memory;
    server.lent_size = sizeof(memory);
    serving = serve_pipe(k, loop, &recorder_buffered, &server, name.text);
    connect_to(&client.end, loop, &name);
    (void)run_until_received(&server, loop, 100 * 1000);
    CHECK_EQ(server.received, 100 * 1000);
    hang_up(&client.end, loop);
    (void)kit_run_until(k, loop, &server.lost_count, 1);
    CHECK_OK(iso_server_close(serving));
    CHECK(run_until_idle(k, loop));
}

KIT_TEST(close_sends_what_is_buffered_first)
{
    static pump client;
    static recorder server;
    iso_loop *loop;
    iso_server *serving;
    pipe_name name = new_name("");

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    pump_init(&client, k);
    client.end.when_resumed = NULL;
    recorder_init(&server, k, "");
    server.is_patterned = true;
    serving = serve_pipe(k, loop, &recorder_protocol, &server, name.text);
    connect_to(&client.end, loop, &name);
    CHECK(iso_transport_get_write_buffer_size(client.end.transport) > 0);
    hang_up(&client.end, loop);
    CHECK_OK(client.end.error);
    (void)kit_run_until(k, loop, &server.lost_count, 1);
    CHECK_EQ(server.received, client.sent);
    CHECK_EQ(server.wrong_bytes, 0);
    CHECK_STR(kit_marks(k), "made data eof lost");
    CHECK_OK(iso_server_close(serving));
    CHECK(run_until_idle(k, loop));
}

/* ---- those who go away ---- */

KIT_TEST(a_client_that_vanishes_is_lost)
{
    iso_loop *loop;
    iso_fd client;
    house h;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    open_house(&h, k, loop);
    client = raw_client(&h.name);
    (void)kit_run_until(k, loop, &h.made_count, 1);
    raw_close(client);
    (void)kit_run_until(k, loop, &h.lost_count, 1);
    CHECK_OK(h.last_error);
    close_house(&h);
}

KIT_TEST(a_client_that_came_and_went_does_not_stop_it)
{
    iso_loop *loop;
    recorder client;
    house h;
    int at;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    open_house(&h, k, loop);
    /* given clients that are gone before the server has seen them */
    for (at = 0; at < INSTANCES; at++) CHECK_OK(try_raw(&h.name));
    CHECK_RC(try_raw(&h.name), ISO_EBUSY);
    /* when it sees to them, then its instances are free again, every one */
    (void)kit_run_until(k, loop, &h.made_count, INSTANCES);
    (void)kit_run_until(k, loop, &h.lost_count, INSTANCES);
    CHECK_OK(h.last_error);
    for (at = 0; at < INSTANCES; at++) CHECK_OK(try_raw(&h.name));
    (void)kit_run_until(k, loop, &h.lost_count, 2 * INSTANCES);
    recorder_init(&client, k, NULL);
    connect_to(&client, loop, &h.name);
    CHECK(does_echo(&client, loop));
    hang_up(&client, loop);
    close_house(&h);
}

/* A driver that has something happen just before a server waits for a client: one comes, and stays
 * or goes, between the making of the instance and that; or there is no memory. */
typedef struct spoiler {
    iso__driver_class kind;
    const iso__driver_class *real;
    const char *name;
    int visits; /* to come, */
    bool stays; /* and whether the visitor does */
    iso_fd visitor;
    int refusals; /* to come */
} spoiler;

static spoiler spoil;

static int spoiled_connect(iso__driver *driver, iso__op *op, const iso_address *address)
{
    if (spoil.visits > 0) {
        spoil.visits--;
        CHECK_OK(iso__sys_named_pipe_connect(&spoil.visitor, spoil.name));
        if (!spoil.stays) raw_close(spoil.visitor);
    }
    if (spoil.refusals > 0) {
        spoil.refusals--;
        return ISO_ENOMEM;
    }
    return spoil.real->connect(driver, op, address);
}

static void begin_spoiling(iso_loop *loop)
{
    memset(&spoil, 0, sizeof(spoil));
    spoil.real = loop->engine.driver->kind;
    spoil.kind = *spoil.real;
    spoil.kind.connect = spoiled_connect;
    loop->engine.driver->kind = &spoil.kind;
}

static void end_spoiling(iso_loop *loop)
{
    loop->engine.driver->kind = spoil.real;
    CHECK_EQ(spoil.visits, 0);
    CHECK_EQ(spoil.refusals, 0);
}

/* ConnectNamedPipe answers ERROR_NO_DATA. */
KIT_TEST(an_instance_whose_client_went_before_it_waited_is_used_again)
{
    iso_loop *loop;
    recorder client;
    reports told;
    house h;
    int at;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    listen_to_reports(loop, &told);
    memset(&h, 0, sizeof(h));
    h.k = k;
    h.loop = loop;
    h.name = new_name("");
    begin_spoiling(loop);
    spoil.name = h.name.text;
    spoil.visits = 1;
    h.server = serve_pipe(k, loop, &echo, &h, h.name.text);
    kit_settle(k, loop);
    end_spoiling(loop);
    /* then it was no client, and there are as many instances as ever */
    CHECK_EQ(h.made_count, 0);
    for (at = 0; at < INSTANCES; at++) CHECK_OK(try_raw(&h.name));
    (void)kit_run_until(k, loop, &h.lost_count, INSTANCES);
    recorder_init(&client, k, NULL);
    connect_to(&client, loop, &h.name);
    CHECK(does_echo(&client, loop));
    hang_up(&client, loop);
    CHECK_EQ(told.count, 0);
    close_house(&h);
}

/* ConnectNamedPipe answers ERROR_PIPE_CONNECTED. */
KIT_TEST(a_client_that_came_before_the_instance_waited_is_served)
{
    iso_loop *loop;
    house h;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    memset(&h, 0, sizeof(h));
    h.k = k;
    h.loop = loop;
    h.name = new_name("");
    begin_spoiling(loop);
    spoil.name = h.name.text;
    spoil.visits = 1;
    spoil.stays = true;
    h.server = serve_pipe(k, loop, &echo, &h, h.name.text);
    (void)kit_run_until(k, loop, &h.made_count, 1);
    end_spoiling(loop);
    raw_close(spoil.visitor);
    (void)kit_run_until(k, loop, &h.lost_count, 1);
    close_house(&h);
}

enum { VISITS = 300 };

typedef struct crowd {
    iso_loop *loop;
    pipe_name name;
    int over_count;
} crowd;

static void come_and_go(void *arg)
{
    crowd *self = arg;
    iso_nsec end = kit_now() + ISO_S(30);
    int count = 0;

    while (count < VISITS && CHECK(kit_now() < end)) {
        int rc = try_raw(&self->name);

        if (rc == 0) count++;
        if (rc != ISO_EBUSY && !CHECK_OK(rc)) break;
    }
    CHECK_OK(iso_loop_call_soon_threadsafe(self->loop, kit_count, &self->over_count));
}

KIT_TEST(clients_that_come_and_go_all_the_time_do_not_stop_it)
{
    static crowd visitors;
    iso_loop *loop;
    recorder client;
    reports told;
    house h;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    listen_to_reports(loop, &told);
    open_house(&h, k, loop);
    visitors.loop = loop;
    visitors.name = h.name;
    visitors.over_count = 0;
    kit_thread(k, come_and_go, &visitors);
    recorder_init(&client, k, NULL);
    connect_to(&client, loop, &h.name); /* among them */
    CHECK(does_echo(&client, loop));
    (void)kit_run_until(k, loop, &visitors.over_count, 1);
    CHECK(does_echo(&client, loop));
    hang_up(&client, loop);
    kit_join_all(k);
    CHECK_EQ(told.count, 0);
    close_house(&h);
}

KIT_TEST(a_server_that_aborts_is_the_end_of_its_client)
{
    iso_loop *loop;
    recorder client;
    house h;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    open_house(&h, k, loop);
    recorder_init(&client, k, "");
    connect_to(&client, loop, &h.name);
    (void)kit_run_until(k, loop, &h.made_count, 1);
    CHECK_OK(iso_transport_abort(h.last));
    (void)kit_run_until(k, loop, &client.lost_count, 1);
    CHECK_OK(client.error);
    CHECK_STR(kit_marks(k), "made eof lost");
    close_house(&h);
}

KIT_TEST(writing_to_one_that_vanished_ends_the_connection)
{
    static pump server;
    iso_loop *loop;
    iso_server *serving;
    pipe_name name = new_name("");
    iso_fd client;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    pump_init(&server, k);
    serving = serve_pipe(k, loop, &recorder_protocol, &server.end, name.text);
    client = raw_client(&name);
    (void)kit_run_until(k, loop, &server.end.pause_count, 1); /* nobody reads */
    raw_close(client);
    (void)kit_run_until(k, loop, &server.end.lost_count, 1);
    CHECK(server.end.error == 0 || server.end.error == ISO_EPIPE); /* what is told first */
    CHECK_OK(iso_server_close(serving));
    CHECK(run_until_idle(k, loop));
}

/* ---- closing ---- */

KIT_TEST(close_leaves_the_connections_and_the_name_lives_as_long_as_they)
{
    iso_loop *loop;
    iso_future *late = NULL;
    recorder client;
    recorder other;
    house h;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    open_house(&h, k, loop);
    recorder_init(&client, k, NULL);
    recorder_init(&other, k, NULL);
    connect_to(&client, loop, &h.name);
    (void)kit_run_until(k, loop, &h.made_count, 1);
    /* given a closed server that has a client: that goes on */
    CHECK_OK(iso_server_close(h.server));
    CHECK(does_echo(&client, loop));
    /* when another one comes, then it finds the pipe busy, and tries again */
    REQUIRE_OK(
        iso_loop_create_pipe_connection(loop, &recorder_protocol, &other, h.name.text, &late));
    CHECK(does_echo(&client, loop));
    CHECK(!iso_future_done(late));
    /* until nothing is left of it */
    hang_up(&client, loop);
    CHECK_RC(kit_run_release(k, loop, late), ISO_ENOENT);
    CHECK_EQ(other.made_count, 0);
    CHECK(run_until_idle(k, loop));
    CHECK_EQ(h.lost_count, 1);
}

KIT_TEST(close_takes_the_instances_away)
{
    iso_loop *loop;
    iso_future *over = NULL;
    house h;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    open_house(&h, k, loop);
    CHECK_OK(iso_server_wait_closed(h.server, &over));
    kit_settle(k, loop);
    CHECK(!iso_future_done(over));
    CHECK_OK(iso_server_close(h.server));
    CHECK_OK(iso_server_close(h.server));
    CHECK_RC(try_raw(&h.name), ISO_ENOENT);
    CHECK(iso_future_done(over));
    CHECK_OK(kit_run_release(k, loop, over));
    CHECK(run_until_idle(k, loop));
    CHECK_EQ(h.made_count, 0);
}

KIT_TEST(a_client_that_nobody_has_seen_goes_with_the_server)
{
    iso_loop *loop;
    recorder client;
    house h;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    open_house(&h, k, loop);
    recorder_init(&client, k, NULL);
    REQUIRE_OK(
        iso_loop_create_pipe_connection(loop, &recorder_protocol, &client, h.name.text, NULL));
    CHECK_OK(iso_server_close(h.server));
    (void)kit_run_until(k, loop, &client.lost_count, 1);
    CHECK_OK(client.error);
    CHECK(run_until_idle(k, loop));
    CHECK_EQ(h.made_count, 0);
}

KIT_TEST(a_name_can_be_served_again_at_once)
{
    iso_loop *loop;
    recorder client;
    house h;
    int at;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    open_house(&h, k, loop);
    for (at = 0; at < 3; at++) {
        CHECK_OK(iso_server_close(h.server));
        h.server = serve_pipe(k, loop, &echo, &h, h.name.text);
        recorder_init(&client, k, NULL);
        connect_to(&client, loop, &h.name);
        CHECK(does_echo(&client, loop));
        hang_up(&client, loop);
        (void)kit_run_until(k, loop, &h.lost_count, at + 1);
    }
    close_house(&h);
}

KIT_TEST(close_clients_sends_what_is_buffered_and_abort_clients_does_not)
{
    static pump server;
    static recorder client;
    iso_loop *loop;
    iso_server *serving;
    pipe_name name = new_name("");
    int at;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    for (at = 0; at < 2; at++) {
        pump_init(&server, k);
        server.end.when_resumed = NULL;
        recorder_init(&client, k, NULL);
        client.when_made = pause_now;
        serving = serve_pipe(k, loop, &recorder_protocol, &server.end, name.text);
        connect_to(&client, loop, &name);
        (void)kit_run_until(k, loop, &server.end.pause_count, 1);
        CHECK_OK(at == 0 ? iso_server_close_clients(serving) : iso_server_abort_clients(serving));
        CHECK_OK(iso_server_close(serving));
        CHECK_OK(iso_transport_resume_reading(client.transport));
        CHECK(run_until_idle(k, loop));
        CHECK_EQ(client.lost_count, 1);
        CHECK_EQ(server.end.lost_count, 1);
        CHECK_EQ(client.received == server.sent, at == 0);
    }
}

KIT_TEST(wait_closed_waits_for_the_last_connection)
{
    iso_loop *loop;
    iso_future *over = NULL;
    recorder client;
    house h;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    open_house(&h, k, loop);
    recorder_init(&client, k, NULL);
    connect_to(&client, loop, &h.name);
    (void)kit_run_until(k, loop, &h.made_count, 1);
    CHECK_OK(iso_server_wait_closed(h.server, &over));
    CHECK_OK(iso_server_close(h.server));
    kit_settle(k, loop);
    CHECK(!iso_future_done(over));
    hang_up(&client, loop);
    CHECK_OK(kit_run_release(k, loop, over));
    CHECK_EQ(h.lost_count, 1);
    CHECK(run_until_idle(k, loop));
}

static void close_server(house *self, iso_transport *transport)
{
    (void)transport;
    if (self->server != NULL) CHECK_OK(iso_server_close(self->server));
    self->server = NULL;
}

static void abort_everybody(house *self, iso_transport *transport)
{
    iso_server *server = self->server;

    (void)transport;
    if (server == NULL) return;
    self->server = NULL;
    (void)iso_server_ref(server);
    CHECK_OK(iso_server_close(server));
    CHECK_OK(iso_server_abort_clients(server));
    iso_server_release(server);
}

KIT_TEST(connection_made_may_close_the_server)
{
    iso_loop *loop;
    recorder client;
    house h;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    open_house(&h, k, loop);
    h.when_made = close_server;
    recorder_init(&client, k, NULL);
    connect_to(&client, loop, &h.name);
    CHECK(does_echo(&client, loop));
    hang_up(&client, loop);
    CHECK(run_until_idle(k, loop));
    CHECK_EQ(h.lost_count, 1);
}

KIT_TEST(data_received_may_close_the_server_and_abort_everybody)
{
    static recorder clients[MANY];
    iso_loop *loop;
    house h;
    int at;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    open_house(&h, k, loop);
    h.when_data = abort_everybody;
    for (at = 0; at < MANY; at++) {
        recorder_init(&clients[at], k, NULL);
        connect_to(&clients[at], loop, &h.name);
    }
    (void)kit_run_until(k, loop, &h.made_count, MANY);
    for (at = 0; at < MANY; at++) CHECK_OK(iso_transport_write(clients[at].transport, "x", 1));
    CHECK(run_until_idle(k, loop));
    CHECK_EQ(h.lost_count, MANY);
    for (at = 0; at < MANY; at++) CHECK_EQ(clients[at].lost_count, 1);
}

KIT_TEST(a_closing_loop_ends_a_server_that_waits)
{
    iso_loop *loop;
    house h;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    open_house(&h, k, loop);
    CHECK_OK(iso_loop_close(loop));
    CHECK_RC(try_raw(&h.name), ISO_ENOENT);
}

KIT_TEST(a_closing_loop_ends_server_and_connections)
{
    static recorder clients[INSTANCES + 1];
    iso_loop *loop;
    iso_future *over = NULL;
    iso_fd unseen;
    house h;
    int at;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    open_house(&h, k, loop);
    for (at = 0; at < INSTANCES + 1; at++) {
        recorder_init(&clients[at], k, NULL);
        connect_to(&clients[at], loop, &h.name);
    }
    (void)kit_run_until(k, loop, &h.made_count, INSTANCES + 1);
    CHECK_OK(iso_server_wait_closed(h.server, &over));
    unseen = raw_client(&h.name);
    CHECK_OK(iso_loop_close(loop));
    CHECK_EQ(h.lost_count, INSTANCES + 1);
    CHECK_RC(h.last_error, ISO_ECLOSED);
    for (at = 0; at < INSTANCES + 1; at++) CHECK_RC(clients[at].error, ISO_ECLOSED);
    CHECK_RC(iso_future_error(over), ISO_ECANCELED);
    iso_future_release(over);
    raw_close(unseen);
    CHECK_RC(try_raw(&h.name), ISO_ENOENT);
}

KIT_TEST(a_closing_loop_ends_a_server_that_was_just_closed)
{
    iso_loop *loop;
    house h;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    open_house(&h, k, loop);
    CHECK_OK(iso_server_close(h.server)); /* the kernel still has the instances */
    CHECK_OK(iso_loop_close(loop));
}

/* ---- whose name it is ---- */

/* FILE_FLAG_FIRST_PIPE_INSTANCE; Wine does not look at it, and lets everybody add an instance. */
static void taken_is_refused(kit *k, iso_loop *loop, const pipe_name *name)
{
    iso_future *future = NULL;
    void *server = NULL;
    int rc = iso_loop_start_serving_pipe(loop, &echo, NULL, name->text, &future);

    if (!kit_is_wine()) {
        CHECK_RC(rc, ISO_EADDRINUSE);
        CHECK_PTR(future, NULL);
        return;
    }
    CHECK_OK(rc);
    CHECK_OK(kit_run(k, loop, future));
    CHECK_OK(iso_future_result(future, &server));
    CHECK_OK(iso_server_close(server));
    iso_future_release(future);
}

KIT_TEST(a_name_that_somebody_has_is_refused)
{
    iso_loop *loop;
    pipe_name name = new_name("");
    iso_fd instance;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    instance = raw_instance(&name, true);
    taken_is_refused(k, loop, &name);
    raw_close(instance);
    CHECK(run_until_idle(k, loop));
}

KIT_TEST(a_second_server_of_a_name_is_refused)
{
    iso_loop *loop;
    recorder client;
    house h;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    open_house(&h, k, loop);
    taken_is_refused(k, loop, &h.name);
    kit_settle(k, loop);
    recorder_init(&client, k, NULL);
    connect_to(&client, loop, &h.name); /* the first one goes on */
    CHECK(does_echo(&client, loop));
    hang_up(&client, loop);
    close_house(&h);
}

/* ---- connecting ---- */

KIT_TEST(a_name_that_nobody_serves_ends_the_future)
{
    iso_loop *loop;
    recorder client;
    pipe_name name = new_name("");

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    recorder_init(&client, k, NULL);
    CHECK_RC(try_to_connect(k, loop, &client, &name), ISO_ENOENT);
    CHECK_EQ(client.made_count, 0);
    CHECK_EQ(kit_statistics(loop).objects, 0);
}

KIT_TEST(a_failure_without_a_future_is_reported)
{
    iso_loop *loop;
    recorder client;
    reports told;
    pipe_name name = new_name("");

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    listen_to_reports(loop, &told);
    recorder_init(&client, k, NULL);
    REQUIRE_OK(iso_loop_create_pipe_connection(loop, &recorder_protocol, &client, name.text, NULL));
    CHECK(run_until_idle(k, loop));
    CHECK_EQ(told.count, 1);
    CHECK_RC(told.error, ISO_ENOENT);
}

/* An instance with a client: the next one finds it busy. */
typedef struct busy {
    pipe_name name;
    iso_fd instance;
    iso_fd client;
} busy;

static void make_busy(busy *self)
{
    self->name = new_name("");
    self->instance = raw_instance(&self->name, true);
    self->client = raw_client(&self->name);
}

static void end_busy(busy *self)
{
    raw_close(self->client);
    raw_close(self->instance);
}

/* After 1 ms, then after twice as long each time, up to 100 ms. Source: asyncio, connect_pipe. */
KIT_TEST(a_busy_pipe_is_tried_again_after_growing_delays)
{
    static const int delays[] = { 1, 2, 4, 8, 16, 32, 64, 100, 100, 100 };
    iso_loop *loop;
    iso_future *future = NULL;
    recorder client;
    iso_nsec expected;
    iso_fd another;
    busy b;
    size_t at;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_virtual_loop(k);
    make_busy(&b);
    recorder_init(&client, k, NULL);
    expected = iso_loop_time(loop);
    REQUIRE_OK(
        iso_loop_create_pipe_connection(loop, &recorder_protocol, &client, b.name.text, &future));
    for (at = 0; at < ISO__COUNT(delays); at++) {
        expected += ISO_MS(delays[at]);
        CHECK_EQ(kit_statistics(loop).timers, 1);
        CHECK_GE(iso_loop_run_once(loop, ISO_S(10)), 0); /* jumps to the timer */
        CHECK_EQ(iso_loop_time(loop), expected);
        CHECK(!iso_future_done(future));
    }
    another = raw_instance(&b.name, false);
    CHECK_OK(kit_run_release(k, loop, future));
    CHECK_EQ(iso_loop_time(loop), expected + ISO_MS(100));
    CHECK_EQ(client.made_count, 1);
    raw_close(another);
    (void)kit_run_until(k, loop, &client.lost_count, 1);
    end_busy(&b);
    CHECK(run_until_idle(k, loop));
}

KIT_TEST(a_busy_pipe_that_goes_away_ends_the_future)
{
    iso_loop *loop;
    iso_future *future = NULL;
    recorder client;
    busy b;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    make_busy(&b);
    recorder_init(&client, k, NULL);
    REQUIRE_OK(
        iso_loop_create_pipe_connection(loop, &recorder_protocol, &client, b.name.text, &future));
    CHECK(!iso_future_done(future));
    end_busy(&b);
    CHECK_RC(kit_run_release(k, loop, future), ISO_ENOENT);
}

KIT_TEST(a_connection_that_waits_can_be_cancelled)
{
    iso_loop *loop;
    iso_future *future = NULL;
    recorder client;
    busy b;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    make_busy(&b);
    recorder_init(&client, k, NULL);
    REQUIRE_OK(
        iso_loop_create_pipe_connection(loop, &recorder_protocol, &client, b.name.text, &future));
    CHECK_OK(iso_future_cancel(future));
    CHECK_RC(kit_run_release(k, loop, future), ISO_ECANCELED);
    CHECK_EQ(kit_statistics(loop).timers, 0);
    CHECK(run_until_idle(k, loop));
    CHECK_EQ(client.made_count, 0);
    end_busy(&b);
}

KIT_TEST(a_connection_that_waits_ends_with_its_loop)
{
    iso_loop *loop;
    iso_future *future = NULL;
    recorder client;
    busy b;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    make_busy(&b);
    recorder_init(&client, k, NULL);
    REQUIRE_OK(
        iso_loop_create_pipe_connection(loop, &recorder_protocol, &client, b.name.text, &future));
    CHECK_OK(iso_loop_close(loop));
    CHECK_RC(iso_future_error(future), ISO_ECANCELED);
    iso_future_release(future);
    end_busy(&b);
}

KIT_TEST(a_connection_that_is_not_made_yet_can_be_cancelled)
{
    iso_loop *loop;
    iso_future *future = NULL;
    recorder client;
    house h;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    open_house(&h, k, loop);
    recorder_init(&client, k, NULL);
    REQUIRE_OK(
        iso_loop_create_pipe_connection(loop, &recorder_protocol, &client, h.name.text, &future));
    CHECK_OK(iso_future_cancel(future));
    CHECK_RC(kit_run_release(k, loop, future), ISO_ECANCELED);
    (void)kit_run_until(k, loop, &h.lost_count, 1);
    CHECK_EQ(client.made_count, client.lost_count);
    close_house(&h);
}

KIT_TEST(a_connection_that_is_not_made_yet_ends_with_its_loop)
{
    iso_loop *loop;
    iso_future *future = NULL;
    recorder client;
    house h;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    open_house(&h, k, loop);
    recorder_init(&client, k, NULL);
    REQUIRE_OK(
        iso_loop_create_pipe_connection(loop, &recorder_protocol, &client, h.name.text, &future));
    CHECK_OK(iso_loop_close(loop));
    CHECK_RC(iso_future_error(future), ISO_ECANCELED);
    CHECK_EQ(client.made_count, 0);
    iso_future_release(future);
}

/* ---- want of memory ---- */

KIT_TEST(without_memory_it_rests_for_a_second_and_tells_once)
{
    iso_loop *loop;
    recorder client;
    reports told;
    iso_fd clients[INSTANCES];
    iso_handle timer;
    iso_nsec begin;
    house h;
    int at;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_virtual_loop(k);
    open_house(&h, k, loop);
    listen_to_reports(loop, &told);
    /* given a client for every instance, memory for timers, and none for any of them */
    REQUIRE_OK(iso_loop_call_later(loop, ISO_S(1), kit_nothing, NULL, &timer));
    CHECK_OK(iso_handle_cancel(loop, timer));
    for (at = 0; at < INSTANCES; at++) clients[at] = raw_client(&h.name);
    begin = iso_loop_time(loop);
    kit_fail_allocation(k, 1, true);
    while (told.count == 0 && !kit_has_failed(k)) CHECK_GE(iso_loop_run_once(loop, 0), 0);
    for (at = 0; at < 20; at++) CHECK_GE(iso_loop_run_once(loop, 0), 0);
    /* then that is told once, and they are thrown out */
    CHECK_EQ(told.count, 1);
    CHECK_RC(told.error, ISO_ENOMEM);
    CHECK_PTR(told.server, h.server);
    CHECK_EQ(kit_statistics(loop).timers, 1);
    CHECK(iso_server_is_serving(h.server));
    CHECK_EQ(h.made_count, 0);
    CHECK_RC(try_raw(&h.name), ISO_EBUSY); /* try again: it is not gone */
    for (at = 0; at < INSTANCES; at++) raw_close(clients[at]);
    /* and when there is memory it goes on, a second later */
    kit_fail_allocation(k, 0, false);
    recorder_init(&client, k, NULL);
    connect_to(&client, loop, &h.name);
    CHECK_LE(iso_loop_time(loop), begin + ISO_MS(1200));
    CHECK(does_echo(&client, loop));
    for (at = 0; at < INSTANCES; at++) CHECK_OK(try_raw(&h.name));
    CHECK_EQ(told.count, 1);
    hang_up(&client, loop);
    (void)kit_run_until(k, loop, &h.lost_count, INSTANCES + 1);
    close_house(&h);
}

/* One instance is missing while it rests; the others take their clients. */
KIT_TEST(while_it_rests_the_instances_that_are_left_are_used)
{
    iso_loop *loop;
    reports told;
    iso_nsec begin;
    house h;
    int at;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_virtual_loop(k);
    open_house(&h, k, loop);
    listen_to_reports(loop, &told);
    begin_spoiling(loop);
    spoil.refusals = 1;
    begin = iso_loop_time(loop);
    for (at = 0; at < INSTANCES; at++) CHECK_OK(try_raw(&h.name));
    while (h.made_count < INSTANCES && !kit_has_failed(k))
        CHECK_GE(iso_loop_run_once(loop, 0), 0); /* no time passes */
    CHECK_EQ(told.count, 1);
    CHECK_RC(told.error, ISO_ENOMEM);
    CHECK_EQ(iso_loop_time(loop), begin);
    CHECK_EQ(kit_statistics(loop).timers, 1);
    end_spoiling(loop);
    while (kit_statistics(loop).timers > 0 && !kit_has_failed(k))
        CHECK_GE(iso_loop_run_once(loop, ISO_S(10)), 0);
    CHECK_EQ(iso_loop_time(loop), begin + ISO_S(1));
    for (at = 0; at < INSTANCES; at++) CHECK_OK(try_raw(&h.name));
    CHECK_EQ(told.count, 1);
    (void)kit_run_until(k, loop, &h.lost_count, 2 * INSTANCES);
    close_house(&h);
}

/* A server in a loop that has never had a timer, and a client of it that finds no memory at all. */
static void starve(house *self, kit *k, iso_loop *loop, reports *told)
{
    iso_future *future = NULL;
    void *server = NULL;

    memset(self, 0, sizeof(*self));
    self->k = k;
    self->loop = loop;
    self->name = new_name("");
    REQUIRE_OK(iso_loop_start_serving_pipe(loop, &echo, self, self->name.text, &future));
    REQUIRE_OK(iso_future_result(future, &server));
    iso_future_release(future);
    self->server = server;
    listen_to_reports(loop, told);
    CHECK_OK(try_raw(&self->name));
    kit_fail_allocation(k, 1, true);
    while (told->count == 0 && !kit_has_failed(k)) CHECK_GE(iso_loop_run_once(loop, 0), 0);
    CHECK_EQ(kit_statistics(loop).timers, 0);
}

KIT_TEST(without_memory_for_a_timer_it_tries_in_every_turn_and_tells_once_a_second)
{
    iso_loop *loop;
    recorder client;
    reports told;
    house h;
    int at;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_virtual_loop(k);
    starve(&h, k, loop, &told);
    for (at = 0; at < 20; at++) CHECK_GE(iso_loop_run_once(loop, 0), 1);
    CHECK_EQ(told.count, 1);
    CHECK_RC(told.error, ISO_ENOMEM);
    kit_advance(k, ISO_S(1));
    CHECK_GE(iso_loop_run_once(loop, 0), 1);
    CHECK_EQ(told.count, 2);
    /* and as soon as there is some it goes on */
    kit_fail_allocation(k, 0, false);
    CHECK_EQ(kit_turn(k, loop), 1);
    for (at = 0; at < INSTANCES; at++) CHECK_OK(try_raw(&h.name));
    (void)kit_run_until(k, loop, &h.lost_count, INSTANCES);
    recorder_init(&client, k, NULL);
    connect_to(&client, loop, &h.name);
    CHECK(does_echo(&client, loop));
    hang_up(&client, loop);
    CHECK_EQ(told.count, 2);
    close_house(&h);
}

KIT_TEST(a_server_that_tries_in_every_turn_can_be_closed)
{
    iso_loop *loop;
    reports told;
    house h;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_virtual_loop(k);
    starve(&h, k, loop, &told);
    CHECK_OK(iso_server_close(h.server));
    kit_fail_allocation(k, 0, false);
    CHECK(run_until_idle(k, loop));
    CHECK_EQ(h.made_count, 0);
    CHECK_RC(try_raw(&h.name), ISO_ENOENT);
}

KIT_TEST(a_connection_without_memory_is_refused_and_leaves_nothing)
{
    iso_loop *loop;
    iso_future *future;
    recorder client;
    uint64_t nth = 0;
    house h;
    int rc;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    open_house(&h, k, loop);
    do {
        future = NULL;
        recorder_init(&client, k, NULL);
        kit_fail_allocation(k, ++nth, false);
        rc = iso_loop_create_pipe_connection(loop, &recorder_protocol, &client, h.name.text,
                                             &future);
        kit_fail_allocation(k, 0, false);
        if (rc == 0) break;
        CHECK_RC(rc, ISO_ENOMEM);
        CHECK_PTR(future, NULL);
        /* what the server has had of it goes away again */
        kit_settle(k, loop);
        (void)kit_run_until(k, loop, &h.lost_count, h.made_count);
        CHECK_EQ(kit_statistics(loop).objects, 1);
    } while (nth < 20 && !kit_has_failed(k));
    CHECK_GE(nth, 4);
    CHECK_OK(kit_run_release(k, loop, future));
    CHECK(does_echo(&client, loop));
    hang_up(&client, loop);
    close_house(&h);
}

KIT_TEST(serving_without_memory_is_refused_and_leaves_nothing)
{
    iso_loop *loop;
    iso_future *future;
    uint64_t nth = 0;
    house h;
    int rc;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_loop(k);
    memset(&h, 0, sizeof(h));
    h.name = new_name("");
    do {
        future = NULL;
        kit_fail_allocation(k, ++nth, false);
        rc = iso_loop_start_serving_pipe(loop, &echo, &h, h.name.text, &future);
        kit_fail_allocation(k, 0, false);
        if (rc == 0) break;
        CHECK_RC(rc, ISO_ENOMEM);
        CHECK_PTR(future, NULL);
        CHECK_RC(try_raw(&h.name), ISO_ENOENT); /* nor is the name taken */
        CHECK_EQ(kit_statistics(loop).objects, 0);
        kit_settle(k, loop);
    } while (nth < 50 && !kit_has_failed(k));
    CHECK_GE(nth, 10);
    iso_future_release(future);
    CHECK_OK(iso_loop_close(loop));
}

KIT_TEST(a_server_that_rests_can_be_closed)
{
    iso_loop *loop;
    reports told;
    house h;
    int at;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    loop = kit_virtual_loop(k);
    /* by the program, and by the exception handler that is told */
    for (at = 0; at < 2; at++) {
        open_house(&h, k, loop);
        listen_to_reports(loop, &told);
        if (at == 1) told.to_close = h.server;
        CHECK_OK(try_raw(&h.name));
        kit_fail_allocation(k, 1, true);
        while (told.count == 0 && !kit_has_failed(k)) CHECK_GE(iso_loop_run_once(loop, 0), 0);
        if (at == 0) CHECK_OK(iso_server_close(h.server));
        kit_fail_allocation(k, 0, false);
        CHECK_RC(try_raw(&h.name), ISO_ENOENT);
        CHECK(run_until_idle(k, loop));
        CHECK_EQ(kit_statistics(loop).timers, 0);
    }
}

/* A life of a loop, a server of a pipe and its clients; whatever allocation fails, each call
 * answers ISO_ENOMEM or does its work, what is made is lost, and nothing is left. */
enum { LIVES = 500, FEWEST = 20, LIFE_CLIENTS = INSTANCES + 2, PATIENCE = 3 };

typedef struct life {
    kit *k;
    iso_loop *loop;
    iso_server *server;
    uint64_t refused_before;
    int made;
    int lost;
    int echoed;
} life;

static bool was_refused(const life *self)
{
    return kit_memory_now(self->k).failures > self->refused_before;
}

/* Answers whether it was 0. */
static bool went_well(const life *self, int rc)
{
    if (rc == 0) return true;
    CHECK_RC(rc, ISO_ENOMEM);
    CHECK(was_refused(self));
    return false;
}

static void life_report(iso_loop *loop, const iso_exception_context *context, void *arg)
{
    (void)loop;
    (void)went_well(arg, context->error);
}

static void life_made(iso_transport *transport, void *arg)
{
    (void)transport;
    ((life *)arg)->made++;
}

static void life_client_made(iso_transport *transport, void *arg)
{
    life_made(transport, arg);
    if (!went_well(arg, iso_transport_write(transport, "hello", 5)))
        CHECK_OK(iso_transport_abort(transport));
}

static void life_data(iso_transport *transport, void *arg, const void *data, size_t size)
{
    if (!went_well(arg, iso_transport_write(transport, data, size)))
        CHECK_OK(iso_transport_abort(transport));
}

static void life_client_data(iso_transport *transport, void *arg, const void *data, size_t size)
{
    (void)data;
    (void)size;
    ((life *)arg)->echoed++;
    CHECK_OK(iso_transport_close(transport));
}

static void life_lost(iso_transport *transport, void *arg, int error)
{
    life *self = arg;

    (void)transport;
    self->lost++;
    if (error != 0) CHECK(was_refused(self) || error == ISO_ECLOSED);
}

static const iso_protocol life_server = {
    .connection_made = life_made,
    .data_received = life_data,
    .connection_lost = life_lost,
};

static const iso_protocol life_client = {
    .connection_made = life_client_made,
    .data_received = life_client_data,
    .connection_lost = life_lost,
};

/* Turns, the time of the loop passing, until nothing but `objects` is open, or patience ends.
 * Answers whether it was so. */
static bool live_until(life *self, uint32_t objects)
{
    iso_nsec end = iso_loop_time(self->loop) + ISO_S(PATIENCE);
    iso_nsec real_end = kit_now() + ISO_S(30);

    while (kit_statistics(self->loop).objects > objects) {
        int count = iso_loop_run_once(self->loop, ISO_MS(1));

        if (count < 0) (void)went_well(self, count);
        if (count == 0)
            kit_advance(self->k, was_refused(self) ? ISO_MS(100) : ISO_MS(1));
        else if (was_refused(self)) /* it may be the same turn after turn */
            kit_advance(self->k, ISO_MS(10));
        if (was_refused(self) && iso_loop_time(self->loop) > end) return false;
        if (!CHECK(kit_now() < real_end)) return false;
    }
    return true;
}

static void live(life *self)
{
    pipe_name name = new_name("");
    iso_future *future = NULL;
    iso_future *futures[LIFE_CLIENTS];
    void *server = NULL;
    int at;
    int rc;

    CHECK_OK(iso_loop_set_exception_handler(self->loop, life_report, self));
    rc = iso_loop_start_serving_pipe(self->loop, &life_server, self, name.text, &future);
    if (went_well(self, rc) && CHECK_OK(iso_future_result(future, &server))) {
        for (at = 0; at < LIFE_CLIENTS; at++) {
            futures[at] = NULL;
            rc = iso_loop_create_pipe_connection(self->loop, &life_client, self, name.text,
                                                 &futures[at]);
            (void)went_well(self, rc);
        }
        (void)live_until(self, 1);
        CHECK_OK(iso_server_close(server));
        (void)live_until(self, 0);
        for (at = 0; at < LIFE_CLIENTS; at++) {
            if (futures[at] != NULL && iso_future_done(futures[at])) {
                rc = iso_future_error(futures[at]);
                if (rc != ISO_ENOENT) (void)went_well(self, rc); /* the server was closed */
            }
        }
    }
    CHECK_OK(iso_loop_close(self->loop));
    CHECK_EQ(kit_statistics(self->loop).objects, 0);
    if (server != NULL) {
        for (at = 0; at < LIFE_CLIENTS; at++) iso_future_release(futures[at]);
    }
    iso_future_release(future);
    iso_loop_release(self->loop);
}

/* Answers whether there was something to refuse. */
static bool live_without(kit *k, uint64_t nth, bool is_hard)
{
    static life one;
    iso_loop_options options = kit_options(k);
    iso_clock clock = kit_virtual_clock(k);
    bool refused;

    memset(&one, 0, sizeof(one));
    one.k = k;
    one.refused_before = kit_memory_now(k).failures;
    options.clock = &clock;
    kit_fail_allocation(k, nth, is_hard);
    if (went_well(&one, iso_loop_new(&one.loop, &options))) live(&one);
    kit_fail_allocation(k, 0, false);
    refused = was_refused(&one);
    CHECK_EQ(one.made, one.lost);
    CHECK_EQ(kit_memory_now(k).blocks, 0);
    if (!refused) CHECK_EQ(one.echoed, LIFE_CLIENTS);
    if (kit_has_failed(k)) printf("        when allocation %d was refused\n", (int)nth);
    return refused;
}

static void fail_each(kit *k, bool is_hard)
{
    uint64_t nth = 1;

    if (!kit_needs(k, ISO_CAP_NAMED_PIPES)) return;
    while (nth < LIVES && live_without(k, nth, is_hard) && !kit_has_failed(k)) nth++;
    CHECK_GE(nth, FEWEST);
    CHECK_LE(nth, LIVES - 1);
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
    KIT_CASE(a_loop_that_has_none_refuses_by_its_row),
    KIT_CASE(a_profile_refuses_by_the_row_of_another_platform),
    KIT_CASE(what_is_not_the_name_of_a_pipe_is_refused),
    KIT_CASE(a_name_has_256_characters_at_most),
    KIT_CASE(what_is_missing_is_refused),
    KIT_CASE(a_closed_loop_is_refused),
    KIT_CASE(another_thread_is_refused),
    KIT_CASE(it_serves_from_the_call_on),
    KIT_CASE(a_server_needs_no_future),
    KIT_CASE(a_client_is_echoed),
    KIT_CASE(the_result_is_the_transport_once_connection_made_was_called),
    KIT_CASE(a_connection_needs_no_future),
    KIT_CASE(names_are_utf_8_and_their_case_is_no_matter),
    KIT_CASE(a_transport_tells_that_it_is_a_pipe),
    KIT_CASE(one_direction_cannot_be_ended_alone),
    KIT_CASE(many_clients_at_once_are_served),
    KIT_CASE(one_client_after_the_other_is_served),
    KIT_CASE(so_many_instances_wait_while_the_loop_does_not_run),
    KIT_CASE(much_goes_both_ways_at_once),
    KIT_CASE(pause_reading_loses_nothing),
    KIT_CASE(a_buffered_protocol_is_served),
    KIT_CASE(close_sends_what_is_buffered_first),
    KIT_CASE(a_client_that_vanishes_is_lost),
    KIT_CASE(a_client_that_came_and_went_does_not_stop_it),
    KIT_CASE(an_instance_whose_client_went_before_it_waited_is_used_again),
    KIT_CASE(a_client_that_came_before_the_instance_waited_is_served),
    KIT_CASE(clients_that_come_and_go_all_the_time_do_not_stop_it),
    KIT_CASE(a_server_that_aborts_is_the_end_of_its_client),
    KIT_CASE(writing_to_one_that_vanished_ends_the_connection),
    KIT_CASE(close_leaves_the_connections_and_the_name_lives_as_long_as_they),
    KIT_CASE(close_takes_the_instances_away),
    KIT_CASE(a_client_that_nobody_has_seen_goes_with_the_server),
    KIT_CASE(a_name_can_be_served_again_at_once),
    KIT_CASE(close_clients_sends_what_is_buffered_and_abort_clients_does_not),
    KIT_CASE(wait_closed_waits_for_the_last_connection),
    KIT_CASE(connection_made_may_close_the_server),
    KIT_CASE(data_received_may_close_the_server_and_abort_everybody),
    KIT_CASE(a_closing_loop_ends_a_server_that_waits),
    KIT_CASE(a_closing_loop_ends_server_and_connections),
    KIT_CASE(a_closing_loop_ends_a_server_that_was_just_closed),
    KIT_CASE(a_name_that_somebody_has_is_refused),
    KIT_CASE(a_second_server_of_a_name_is_refused),
    KIT_CASE(a_name_that_nobody_serves_ends_the_future),
    KIT_CASE(a_failure_without_a_future_is_reported),
    KIT_CASE(a_busy_pipe_is_tried_again_after_growing_delays),
    KIT_CASE(a_busy_pipe_that_goes_away_ends_the_future),
    KIT_CASE(a_connection_that_waits_can_be_cancelled),
    KIT_CASE(a_connection_that_waits_ends_with_its_loop),
    KIT_CASE(a_connection_that_is_not_made_yet_can_be_cancelled),
    KIT_CASE(a_connection_that_is_not_made_yet_ends_with_its_loop),
    KIT_CASE(without_memory_it_rests_for_a_second_and_tells_once),
    KIT_CASE(while_it_rests_the_instances_that_are_left_are_used),
    KIT_CASE(without_memory_for_a_timer_it_tries_in_every_turn_and_tells_once_a_second),
    KIT_CASE(a_server_that_tries_in_every_turn_can_be_closed),
    KIT_CASE(a_connection_without_memory_is_refused_and_leaves_nothing),
    KIT_CASE(serving_without_memory_is_refused_and_leaves_nothing),
    KIT_CASE(a_server_that_rests_can_be_closed),
    KIT_CASE(one_allocation_is_refused),
    KIT_CASE(one_allocation_is_refused_and_every_later_one),
};

KIT_MAIN(cases)
