/* SPDX-License-Identifier: MIT */
/* Debug mode, and errors that no call can return. Time is virtual: a callback is slow when it says
 * so. */
#include "kit.h"
#include "sys/sock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static kit *kit_of_case; /* for callbacks that let time pass */

static iso_loop *debugging_loop(kit *k)
{
    iso_loop *loop;

    kit_setenv(k, "ISOLOOP_LIMITS", "native"); /* it watches */
    loop = kit_virtual_loop(k);
    kit_of_case = k;
    CHECK_OK(iso_loop_set_debug(loop, true));
    return loop;
}

/* Take as many nanoseconds as `arg` points to. */
static void take_time(iso_loop *loop, void *arg)
{
    (void)loop;
    kit_advance(kit_of_case, *(const iso_nsec *)arg);
}

static iso_nsec slow = ISO_MS(200);

/* ---- slow callbacks ---- */

KIT_TEST(a_slow_callback_is_told_with_its_origin)
{
    iso_loop *loop = debugging_loop(k);
    char origin[64];

    (void)snprintf(origin, sizeof(origin), "(at 0x%" PRIxPTR ")", (uintptr_t)take_time);
    CHECK_OK(iso_loop_call_soon(loop, take_time, &slow, NULL));
    CHECK_EQ(kit_turn(k, loop), 1);
    CHECK_EQ(kit_log_count(k, "a scheduled callback"), 1);
    CHECK_EQ(kit_log_count(k, origin), 1);
    CHECK_EQ(kit_log_count(k, "took 0.200 seconds"), 1);
    CHECK_EQ(kit_log_count(k, ""), 1);
}

KIT_TEST(a_slow_timer_is_told_with_its_origin)
{
    iso_loop *loop = debugging_loop(k);

    CHECK_OK(iso_loop_call_later(loop, ISO_S(5), take_time, &slow, NULL));
    CHECK_EQ(iso_loop_run_once(loop, ISO_FOREVER), 1);
    CHECK_EQ(kit_log_count(k, "a scheduled callback (at 0x"), 1);
    CHECK_EQ(kit_log_count(k, "took 0.200 seconds"), 1); /* the wait before it does not count */
}

KIT_TEST(a_slow_post_is_told_with_its_origin)
{
    iso_loop *loop = debugging_loop(k);

    CHECK_OK(iso_loop_call_soon_threadsafe(loop, take_time, &slow));
    CHECK_GE(kit_turn(k, loop), 1);
    CHECK_EQ(kit_log_count(k, "a callback from another thread (at 0x"), 1);
    CHECK_EQ(kit_log_count(k, ""), 1);
}

typedef struct watched {
    iso_fd fd;
    bool removes_itself;
} watched;

static void read_slowly(iso_loop *loop, void *arg)
{
    watched *self = arg;
    char byte;

    CHECK_EQ(iso__sys_socket_recv(self->fd, &byte, 1), 1);
    if (self->removes_itself) CHECK_OK(iso_loop_remove_reader(loop, self->fd));
    kit_advance(kit_of_case, slow);
}

static void write_slowly(iso_loop *loop, void *arg)
{
    watched *self = arg;

    CHECK_OK(iso_loop_remove_writer(loop, self->fd));
    kit_advance(kit_of_case, slow);
}

static void demand_line_of(kit *k, iso_fd fd, int count)
{
    char origin[64];

    (void)snprintf(origin, sizeof(origin), "on descriptor %lld took", (long long)fd);
    CHECK_EQ(kit_log_count(k, origin), count);
}

KIT_TEST(a_slow_reader_is_told_with_its_descriptor)
{
    iso_loop *loop = debugging_loop(k);
    watched self = { ISO_FD_NONE, false };
    iso_fd ends[2];

    kit_pair(k, ends);
    self.fd = ends[0];
    CHECK_OK(iso_loop_add_reader(loop, ends[0], read_slowly, &self));
    kit_poke(k, ends[1]);
    CHECK_EQ(iso_loop_run_once(loop, ISO_FOREVER), 1);
    demand_line_of(k, ends[0], 1);
    CHECK_EQ(kit_log_count(k, ""), 1);
    CHECK_OK(iso_loop_remove_reader(loop, ends[0]));
}

KIT_TEST(a_slow_reader_that_removes_itself_is_told_too)
{
    iso_loop *loop = debugging_loop(k);
    watched self = { ISO_FD_NONE, true };
    iso_fd ends[2];

    kit_pair(k, ends);
    self.fd = ends[0];
    CHECK_OK(iso_loop_add_reader(loop, ends[0], read_slowly, &self));
    kit_poke(k, ends[1]);
    CHECK_EQ(iso_loop_run_once(loop, ISO_FOREVER), 1);
    demand_line_of(k, ends[0], 1);
}

KIT_TEST(a_slow_reader_and_a_slow_writer_have_a_line_each)
{
    iso_loop *loop = debugging_loop(k);
    watched self = { ISO_FD_NONE, true };
    iso_fd ends[2];

    kit_pair(k, ends);
    self.fd = ends[0];
    kit_poke(k, ends[1]);
    kit_await(k, ends[0], ISO_EVENT_READ);
    CHECK_OK(iso_loop_add_reader(loop, ends[0], read_slowly, &self));
    CHECK_OK(iso_loop_add_writer(loop, ends[0], write_slowly, &self));
    kit_settle(k, loop);
    demand_line_of(k, ends[0], 2);
}

static void data_slowly(iso_transport *transport, void *self, const void *data, size_t size)
{
    (void)self;
    (void)data;
    (void)size;
    kit_advance(kit_of_case, slow);
    CHECK_OK(iso_transport_abort(transport));
}

KIT_TEST(a_slow_protocol_is_told_with_its_descriptor)
{
    static const iso_protocol protocol = { .data_received = data_slowly };
    iso_connection_options options = ISO_CONNECTION_OPTIONS_INIT;
    iso_loop *loop = debugging_loop(k);
    iso_nsec end = kit_now() + ISO_S(30);
    iso_fd ends[2];

    kit_pair(k, ends);
    options.sock = kit_give(k, ends[0]);
    REQUIRE_OK(iso_loop_create_connection(loop, &protocol, NULL, &options, NULL));
    kit_poke(k, ends[1]);
    while (kit_statistics(loop).objects > 0 && CHECK(kit_now() < end)) (void)kit_turn(k, loop);
    demand_line_of(k, ends[0], 1);
}

static void take_time_for(iso_future *future, void *arg)
{
    (void)future;
    take_time(NULL, arg);
}

KIT_TEST(a_slow_callback_of_a_future_is_told)
{
    iso_loop *loop = debugging_loop(k);
    iso_future *future;

    REQUIRE_OK(iso_loop_create_future(loop, &future));
    CHECK_OK(iso_future_add_done_callback(future, take_time_for, &slow));
    CHECK_OK(iso_future_set_result(future, NULL));
    iso_future_release(future); /* so that it is gone when the line is written */
    CHECK_EQ(kit_turn(k, loop), 1);
    CHECK_EQ(kit_log_count(k, "took 0.200 seconds"), 1);
}

KIT_TEST(each_slow_callback_has_its_line_and_the_others_have_none)
{
    iso_loop *loop = debugging_loop(k);
    iso_nsec more = ISO_S(3);
    int count = 0;

    CHECK_OK(iso_loop_call_soon(loop, kit_count, &count, NULL));
    CHECK_OK(iso_loop_call_soon(loop, take_time, &slow, NULL));
    CHECK_OK(iso_loop_call_soon(loop, kit_count, &count, NULL));
    CHECK_OK(iso_loop_call_soon(loop, take_time, &more, NULL));
    CHECK_EQ(kit_turn(k, loop), 4);
    CHECK_EQ(kit_log_count(k, "took 0.200 seconds"), 1);
    CHECK_EQ(kit_log_count(k, "took 3.000 seconds"), 1);
    CHECK_EQ(kit_log_count(k, ""), 2);
}

KIT_TEST(slow_is_100_ms_unless_the_options_say_otherwise)
{
    iso_loop *loop = debugging_loop(k);
    iso_nsec just_below = ISO_MS(100) - 1;
    iso_nsec just = ISO_MS(100);

    CHECK_OK(iso_loop_call_soon(loop, take_time, &just_below, NULL));
    CHECK_EQ(kit_turn(k, loop), 1);
    CHECK_EQ(kit_log_count(k, ""), 0);
    CHECK_OK(iso_loop_call_soon(loop, take_time, &just, NULL));
    CHECK_EQ(kit_turn(k, loop), 1);
    CHECK_EQ(kit_log_count(k, "took 0.100 seconds"), 1);
}

KIT_TEST(what_is_slow_can_be_chosen)
{
    iso_loop_options options = kit_options(k);
    iso_clock clock = kit_virtual_clock(k);
    iso_nsec below = ISO_MS(2) - 1;
    iso_nsec above = ISO_MS(2);
    iso_loop *loop;

    kit_of_case = k;
    options.clock = &clock;
    options.debug = true;
    options.slow_callback_duration = ISO_MS(2);
    loop = kit_loop_with(k, &options);
    CHECK(iso_loop_get_debug(loop));
    CHECK_OK(iso_loop_call_soon(loop, take_time, &below, NULL));
    CHECK_EQ(kit_turn(k, loop), 1);
    CHECK_EQ(kit_log_count(k, ""), 0);
    CHECK_OK(iso_loop_call_soon(loop, take_time, &above, NULL));
    CHECK_EQ(kit_turn(k, loop), 1);
    CHECK_EQ(kit_log_count(k, "took 0.002 seconds"), 1);
}

KIT_TEST(without_debug_mode_nothing_is_told)
{
    iso_loop *loop = kit_virtual_loop(k);

    kit_of_case = k;
    CHECK(!iso_loop_get_debug(loop));
    CHECK_OK(iso_loop_call_soon(loop, take_time, &slow, NULL));
    CHECK_EQ(kit_turn(k, loop), 1);
    CHECK_EQ(kit_log_count(k, ""), 0);
}

KIT_TEST(debug_mode_goes_on_and_off)
{
    iso_loop *loop = debugging_loop(k);

    CHECK(iso_loop_get_debug(loop));
    CHECK_OK(iso_loop_call_soon(loop, take_time, &slow, NULL));
    CHECK_EQ(kit_turn(k, loop), 1);
    CHECK_EQ(kit_log_count(k, "took"), 1);
    CHECK_OK(iso_loop_set_debug(loop, false));
    CHECK(!iso_loop_get_debug(loop));
    CHECK_OK(iso_loop_call_soon(loop, take_time, &slow, NULL));
    CHECK_EQ(kit_turn(k, loop), 1);
    CHECK_EQ(kit_log_count(k, "took"), 1);
}

KIT_TEST(the_environment_switches_debug_mode_on)
{
    static const struct {
        const char *value;
        bool is_on;
    } values[] = { { "1", true }, { "yes", true }, { "0", false }, { "", false }, { NULL, false } };
    size_t at;

    for (at = 0; at < ISO__COUNT(values); at++) {
        kit_setenv(k, "ISOLOOP_DEBUG", values[at].value);
        CHECK_EQ(iso_loop_get_debug(kit_loop(k)), values[at].is_on);
    }
}

static void set_there(void *loop)
{
    CHECK_RC(iso_loop_set_debug(loop, true), ISO_ETHREAD);
    CHECK_RC(iso_loop_set_exception_handler(loop, NULL, NULL), ISO_ETHREAD);
}

KIT_TEST(setting_is_not_for_other_threads)
{
    iso_loop *loop = kit_loop(k);

    kit_thread(k, set_there, loop);
    kit_join_all(k);
    CHECK(!iso_loop_get_debug(loop));
}

/* ---- what is open when the loop closes ---- */

static void note_loss(iso_transport *transport, void *self, int error)
{
    (void)transport;
    (void)self;
    CHECK_RC(error, ISO_ECLOSED);
    kit_add_mark(kit_of_case, "lost ");
}

static const iso_protocol losing = { .connection_lost = note_loss };

static void open_transport(kit *k, iso_loop *loop)
{
    iso_connection_options options = ISO_CONNECTION_OPTIONS_INIT;
    iso_future *future;
    iso_fd ends[2];

    kit_of_case = k;
    kit_pair(k, ends);
    options.sock = kit_give(k, ends[0]);
    REQUIRE_OK(iso_loop_create_connection(loop, &losing, NULL, &options, &future));
    CHECK_OK(kit_run_release(k, loop, future));
}

KIT_TEST(a_transport_that_is_open_when_the_loop_closes_is_told)
{
    iso_loop *loop = debugging_loop(k);

    open_transport(k, loop);
    CHECK_EQ(kit_log_count(k, ""), 0);
    CHECK_OK(iso_loop_close(loop));
    CHECK_EQ(kit_log_count(k, "the loop closes while a transport is still open"), 1);
    CHECK_EQ(kit_log_count(k, ""), 1);
    CHECK_STR(kit_marks(k), "lost ");
}

KIT_TEST(everything_that_is_open_when_the_loop_closes_has_a_line)
{
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    iso_loop *loop = debugging_loop(k);
    iso_fd ends[2];
    char byte;

    open_transport(k, loop);
    open_transport(k, loop);
    options.host = "127.0.0.1";
    REQUIRE_OK(iso_loop_create_server(loop, &losing, NULL, &options, NULL));
    kit_pair(k, ends);
    CHECK_OK(iso_loop_add_reader(loop, ends[0], kit_nothing, NULL));
    CHECK_OK(iso_loop_sock_recv_into(loop, ends[1], &byte, 1, NULL));
    CHECK_OK(iso_loop_close(loop));
    CHECK_EQ(kit_log_count(k, "while a transport is still open"), 2);
    CHECK_EQ(kit_log_count(k, "while a server is still open"), 1);
    CHECK_EQ(kit_log_count(k, "while a watched descriptor is still open"), 1);
    CHECK_EQ(kit_log_count(k, "operation on a socket is still open"), 1);
    CHECK_EQ(kit_log_count(k, ""), 5);
    CHECK_STR(kit_marks(k), "lost lost ");
}

KIT_TEST(a_connection_of_a_server_has_its_line_too)
{
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    iso_nsec end = kit_now() + ISO_S(30);
    iso_loop *loop = debugging_loop(k);
    void *server = NULL;
    iso_address address;
    iso_future *future;

    options.host = "127.0.0.1";
    REQUIRE_OK(iso_loop_create_server(loop, &losing, NULL, &options, &future));
    CHECK_OK(kit_run(k, loop, future));
    CHECK_OK(iso_future_result(future, &server));
    CHECK_OK(iso_server_address(server, 0, &address));
    (void)kit_connect(k, &address);
    while (iso_server_client_count(server) == 0 && CHECK(kit_now() < end)) (void)kit_turn(k, loop);
    kit_settle(k, loop);
    iso_future_release(future);
    CHECK_OK(iso_loop_close(loop));
    CHECK_EQ(kit_log_count(k, "while a transport is still open"), 1);
    CHECK_EQ(kit_log_count(k, "while a server is still open"), 1);
    CHECK_STR(kit_marks(k), "lost ");
}

KIT_TEST(without_debug_mode_what_is_open_has_no_line)
{
    iso_loop *loop = kit_loop(k);

    open_transport(k, loop);
    CHECK_OK(iso_loop_close(loop));
    CHECK_EQ(kit_log_count(k, ""), 0);
    CHECK_STR(kit_marks(k), "lost ");
}

KIT_TEST(with_nothing_open_closing_tells_nothing)
{
    iso_loop *loop = debugging_loop(k);

    CHECK_OK(iso_loop_call_soon(loop, kit_nothing, NULL, NULL));
    CHECK_OK(iso_loop_call_later(loop, ISO_S(1), kit_nothing, NULL, NULL));
    CHECK_OK(iso_loop_close(loop));
    CHECK_EQ(kit_log_count(k, ""), 0);
}

/* ---- the exception handler ---- */

typedef struct told {
    iso_loop *loop;
    iso_exception_context context;
    bool passes_on;
    int count;
} told;

static void take_down(iso_loop *loop, const iso_exception_context *context, void *arg)
{
    told *self = arg;

    self->loop = loop;
    self->context = *context;
    self->count++;
    if (self->passes_on) iso_loop_default_exception_handler(loop, context);
}

static const iso_exception_context something = { "something broke", ISO_EIO, NULL, NULL, NULL };

KIT_TEST(the_default_handler_writes_to_the_log)
{
    iso_loop *loop = kit_loop(k);
    iso_exception_context nameless = { NULL, ISO_EPIPE, NULL, NULL, NULL };

    iso_loop_call_exception_handler(loop, &something);
    CHECK_EQ(kit_log_count(k, "something broke: input or output failed (ISO_EIO)"), 1);
    iso_loop_default_exception_handler(loop, &nameless);
    CHECK_EQ(kit_log_count(k, "an error that nobody handled: "), 1);
    CHECK_EQ(kit_log_count(k, "(ISO_EPIPE)"), 1);
}

KIT_TEST(a_handler_of_ones_own_is_called_instead)
{
    told self = { NULL, { NULL, 0, NULL, NULL, NULL }, false, 0 };
    iso_loop *loop = kit_loop(k);

    CHECK_OK(iso_loop_set_exception_handler(loop, take_down, &self));
    iso_loop_call_exception_handler(loop, &something);
    CHECK_EQ(self.count, 1);
    CHECK_PTR(self.loop, loop);
    CHECK_STR(self.context.message, "something broke");
    CHECK_RC(self.context.error, ISO_EIO);
    CHECK_EQ(kit_log_count(k, ""), 0);
}

KIT_TEST(null_restores_the_default_handler)
{
    told self = { NULL, { NULL, 0, NULL, NULL, NULL }, false, 0 };
    iso_loop *loop = kit_loop(k);

    CHECK_OK(iso_loop_set_exception_handler(loop, take_down, &self));
    CHECK_OK(iso_loop_set_exception_handler(loop, NULL, &self));
    iso_loop_call_exception_handler(loop, &something);
    CHECK_EQ(self.count, 0);
    CHECK_EQ(kit_log_count(k, "something broke"), 1);
}

KIT_TEST(a_handler_may_pass_on_to_the_default_one)
{
    told self = { NULL, { NULL, 0, NULL, NULL, NULL }, true, 0 };
    iso_loop *loop = kit_loop(k);

    CHECK_OK(iso_loop_set_exception_handler(loop, take_down, &self));
    iso_loop_call_exception_handler(loop, &something);
    CHECK_EQ(self.count, 1);
    CHECK_EQ(kit_log_count(k, "something broke"), 1);
}

/* poll, select and a completion port see that a descriptor was closed while it was watched; the
 * others lose it silently. */
KIT_TEST(a_descriptor_that_was_closed_while_it_was_watched_is_told_or_forgotten)
{
    told self = { NULL, { NULL, 0, NULL, NULL, NULL }, false, 0 };
    iso_loop *loop = kit_native_loop(k);
    iso_fd ends[2];

    kit_pair(k, ends);
    CHECK_OK(iso_loop_set_exception_handler(loop, take_down, &self));
    CHECK_OK(iso_loop_add_reader(loop, ends[0], kit_mark, "never"));
    kit_close(k, ends[0]);
    kit_settle(k, loop);
    if (self.count == 0) {
        CHECK_OK(iso_loop_remove_reader(loop, ends[0]));
    } else {
        CHECK_EQ(self.count, 1);
        CHECK_RC(self.context.error, ISO_EBADF);
        CHECK_HAS(self.context.message, "closed while it was watched");
        CHECK_RC(iso_loop_remove_reader(loop, ends[0]), ISO_ENOENT);
    }
    CHECK_STR(kit_marks(k), "");
}

static const kit_case cases[] = {
    KIT_CASE(a_slow_callback_is_told_with_its_origin),
    KIT_CASE(a_slow_timer_is_told_with_its_origin),
    KIT_CASE(a_slow_post_is_told_with_its_origin),
    KIT_CASE(a_slow_reader_is_told_with_its_descriptor),
    KIT_CASE(a_slow_reader_that_removes_itself_is_told_too),
    KIT_CASE(a_slow_reader_and_a_slow_writer_have_a_line_each),
    KIT_CASE(a_slow_protocol_is_told_with_its_descriptor),
    KIT_CASE(a_slow_callback_of_a_future_is_told),
    KIT_CASE(each_slow_callback_has_its_line_and_the_others_have_none),
    KIT_CASE(slow_is_100_ms_unless_the_options_say_otherwise),
    KIT_CASE(what_is_slow_can_be_chosen),
    KIT_CASE(without_debug_mode_nothing_is_told),
    KIT_CASE(debug_mode_goes_on_and_off),
    KIT_CASE(the_environment_switches_debug_mode_on),
    KIT_CASE(setting_is_not_for_other_threads),
    KIT_CASE(a_transport_that_is_open_when_the_loop_closes_is_told),
    KIT_CASE(everything_that_is_open_when_the_loop_closes_has_a_line),
    KIT_CASE(a_connection_of_a_server_has_its_line_too),
    KIT_CASE(without_debug_mode_what_is_open_has_no_line),
    KIT_CASE(with_nothing_open_closing_tells_nothing),
    KIT_CASE(the_default_handler_writes_to_the_log),
    KIT_CASE(a_handler_of_ones_own_is_called_instead),
    KIT_CASE(null_restores_the_default_handler),
    KIT_CASE(a_handler_may_pass_on_to_the_default_one),
    KIT_CASE(a_descriptor_that_was_closed_while_it_was_watched_is_told_or_forgotten),
};

KIT_MAIN(cases)
