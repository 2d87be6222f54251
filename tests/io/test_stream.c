/* SPDX-License-Identifier: MIT */
/* Stream transports: the order of their callbacks, their ends, reading and pausing, and what they
 * tell of themselves. What they write is in test_writing.c, buffered protocols are in
 * test_buffered.c. */
#include "io/option.h"
#include "io/recorder.h"
#include "sys/sock.h"

#include <string.h>

/* One transport, and the other end of its connection as a bare socket. */
typedef struct fixture {
    kit *k;
    iso_loop *loop;
    iso_fd peer;
    recorder r;
} fixture;

static void prepare(fixture *self, kit *k)
{
    self->k = k;
    self->loop = kit_loop(k);
    recorder_init(&self->r, k, "");
}

static void open_pair(fixture *self, kit *k)
{
    iso_fd ends[2];

    prepare(self, k);
    kit_pair(k, ends);
    self->peer = ends[1];
    recorder_open(&self->r, self->loop, ends[0]);
}

static void open_tcp(fixture *self, kit *k)
{
    iso_fd ends[2];

    prepare(self, k);
    tcp_pair(k, ends);
    self->peer = ends[1];
    recorder_open(&self->r, self->loop, ends[0]);
}

static void run_until_lost(fixture *self)
{
    (void)kit_run_until(self->k, self->loop, &self->r.lost_count, 1);
    kit_settle(self->k, self->loop);
}

static void end_and_settle(fixture *self)
{
    if (self->r.transport != NULL) CHECK_OK(iso_transport_abort(self->r.transport));
    kit_settle(self->k, self->loop);
    CHECK_EQ(self->r.lost_count, 1);
}

static void run_until_received(fixture *self, size_t size)
{
    iso_nsec end = kit_now() + ISO_S(30);

    while (self->r.received < size && CHECK(kit_now() < end))
        (void)iso_loop_run_once(self->loop, ISO_MS(50));
    CHECK_EQ(self->r.received, size);
}

static void do_close(recorder *r)
{
    CHECK_OK(iso_transport_close(r->transport));
}

static void do_abort(recorder *r)
{
    CHECK_OK(iso_transport_abort(r->transport));
}

static void do_pause_reading(recorder *r)
{
    CHECK_OK(iso_transport_pause_reading(r->transport));
}

/* ---- the order ---- */

KIT_TEST(connection_made_comes_in_a_turn_and_before_the_data)
{
    fixture f;
    iso_connection_options options = ISO_CONNECTION_OPTIONS_INIT;
    iso_future *future;
    iso_fd ends[2];

    prepare(&f, k);
    kit_pair(k, ends);
    kit_send(k, ends[1], "early", 5);

    options.sock = kit_give(k, ends[0]);
    REQUIRE_OK(iso_loop_create_connection(f.loop, &recorder_protocol, &f.r, &options, &future));

    CHECK_STR(kit_marks(k), "");
    CHECK_OK(kit_run_release(k, f.loop, future));
    run_until_received(&f, 5);
    CHECK_STR(kit_marks(k), "made data");
    CHECK_STR(f.r.text, "early");
    end_and_settle(&f);
}

KIT_TEST(callbacks_come_in_order)
{
    fixture f;

    open_pair(&f, k);
    kit_send(k, f.peer, "hello", 5);
    REQUIRE_OK(iso__sys_socket_shutdown_write(f.peer));

    run_until_lost(&f);

    CHECK_STR(kit_marks(k), "made data eof lost");
    CHECK_STR(f.r.text, "hello");
}

KIT_TEST(a_protocol_without_any_slot_is_fine)
{
    static const iso_protocol nothing = { .connection_made = NULL };
    iso_loop *loop = kit_loop(k);
    iso_connection_options options = ISO_CONNECTION_OPTIONS_INIT;
    iso_future *future;
    iso_fd ends[2];

    kit_pair(k, ends);
    options.sock = kit_give(k, ends[0]);
    REQUIRE_OK(iso_loop_create_connection(loop, &nothing, NULL, &options, &future));
    CHECK_OK(kit_run_release(k, loop, future));

    kit_send(k, ends[1], "nobody reads it", 15);
    REQUIRE_OK(iso__sys_socket_shutdown_write(ends[1]));

    CHECK(run_until_idle(k, loop)); /* the end of the stream has closed it */
}

KIT_TEST(connection_lost_comes_once_however_often_it_is_closed)
{
    fixture f;

    open_pair(&f, k);

    do_close(&f.r);
    do_close(&f.r);
    do_abort(&f.r);
    do_abort(&f.r);
    do_close(&f.r);

    kit_settle(k, f.loop);
    CHECK_STR(kit_marks(k), "made lost");
}

KIT_TEST(connection_lost_comes_in_the_next_turn_after_close)
{
    fixture f;

    open_pair(&f, k);
    do_close(&f.r);
    CHECK_STR(kit_marks(k), "made");
    CHECK_EQ(kit_turn(k, f.loop), 1);
    CHECK_STR(kit_marks(k), "made lost");
}

KIT_TEST(connection_lost_comes_in_the_next_turn_after_abort)
{
    fixture f;

    open_pair(&f, k);
    do_abort(&f.r);
    CHECK_STR(kit_marks(k), "made");
    CHECK_EQ(kit_turn(k, f.loop), 1);
    CHECK_STR(kit_marks(k), "made lost");
}

KIT_TEST(abort_within_a_callback_ends_in_the_turn_after_it)
{
    fixture f;

    open_pair(&f, k);
    f.r.when_data = do_abort;
    kit_send(k, f.peer, "x", 1);
    (void)kit_run_until(k, f.loop, &f.r.data_count, 1);
    CHECK_STR(kit_marks(k), "made data");
    (void)kit_turn(k, f.loop);
    CHECK_STR(kit_marks(k), "made data lost");
}

KIT_TEST(nothing_comes_after_connection_lost)
{
    fixture f;

    open_pair(&f, k);
    kit_send(k, f.peer, "too late", 8);
    REQUIRE_OK(iso__sys_socket_shutdown_write(f.peer));
    do_abort(&f.r);
    kit_settle(k, f.loop);
    CHECK_STR(kit_marks(k), "made lost");
}

KIT_TEST(close_stops_reading_at_once)
{
    fixture f;

    open_pair(&f, k);
    (void)stuff(f.r.transport, 0); /* so that close has something to wait for */
    kit_send(k, f.peer, "too late", 8);
    do_close(&f.r);
    kit_settle(k, f.loop);
    CHECK_STR(kit_marks(k), "made");
    CHECK(!iso_transport_is_reading(f.r.transport));
    end_and_settle(&f);
}

KIT_TEST(is_closing_is_true_from_close_on)
{
    fixture f;

    open_pair(&f, k);
    CHECK(!iso_transport_is_closing(f.r.transport));
    do_close(&f.r);
    CHECK(iso_transport_is_closing(f.r.transport));
    kit_settle(k, f.loop);
}

/* ---- close and abort in every callback ---- */

/* The connection is made to live through every callback there is, the chosen one ends it. */
static void end_in(kit *k, size_t when, recorder_act how)
{
    fixture f;
    iso_connection_options options = ISO_CONNECTION_OPTIONS_INIT;
    iso_fd ends[2];
    recorder_act *slot;

    prepare(&f, k);
    f.r.name = NULL;
    slot = (recorder_act *)(void *)((char *)&f.r + when);
    *slot = how;
    kit_pair(k, ends);
    options.sock = kit_give(k, ends[0]);
    REQUIRE_OK(iso_loop_create_connection(f.loop, &recorder_protocol, &f.r, &options, NULL));
    (void)kit_run_until(k, f.loop, &f.r.made_count, 1);
    if (f.r.transport != NULL && !iso_transport_is_closing(f.r.transport)) {
        CHECK_OK(iso_transport_set_write_buffer_limits(f.r.transport, 0, 0));
        (void)stuff(f.r.transport, 0);
        CHECK_EQ(f.r.pause_count, 1);
    }
    (void)iso__sys_socket_send(ends[1], "data", 4); /* which may be too late already */
    (void)iso__sys_socket_shutdown_write(ends[1]);
    while (f.r.lost_count == 0 && !kit_has_failed(k)) (void)drain(k, f.loop, ends[1], 0, SIZE_MAX);
    kit_settle(k, f.loop);
    CHECK_EQ(f.r.lost_count, 1);
    CHECK_EQ(f.r.error, 0);
}

#define END_IN(callback)                                                                           \
    KIT_TEST(close_in_##callback)                                                                  \
    {                                                                                              \
        end_in(k, offsetof(recorder, callback), do_close);                                         \
    }                                                                                              \
    KIT_TEST(abort_in_##callback)                                                                  \
    {                                                                                              \
        end_in(k, offsetof(recorder, callback), do_abort);                                         \
    }

END_IN(when_made)
END_IN(when_data)
END_IN(when_eof)
END_IN(when_lost)
END_IN(when_paused)
END_IN(when_resumed)

KIT_TEST(close_in_connection_made_reads_nothing)
{
    fixture f;
    iso_connection_options options = ISO_CONNECTION_OPTIONS_INIT;
    iso_fd ends[2];

    prepare(&f, k);
    f.r.when_made = do_close;
    kit_pair(k, ends);
    kit_send(k, ends[1], "early", 5);
    options.sock = kit_give(k, ends[0]);
    REQUIRE_OK(iso_loop_create_connection(f.loop, &recorder_protocol, &f.r, &options, NULL));
    run_until_lost(&f);
    CHECK_STR(kit_marks(k), "made lost");
}

/* ---- the end of the stream ---- */

KIT_TEST(eof_received_false_closes)
{
    fixture f;

    open_pair(&f, k);
    f.r.stays = false;
    REQUIRE_OK(iso__sys_socket_shutdown_write(f.peer));
    run_until_lost(&f);
    CHECK_STR(kit_marks(k), "made eof lost");
}

KIT_TEST(eof_received_true_stays_open_for_writing)
{
    fixture f;
    char answer[7] = "";

    open_pair(&f, k);
    f.r.stays = true;
    REQUIRE_OK(iso__sys_socket_shutdown_write(f.peer));
    (void)kit_run_until(k, f.loop, &f.r.eof_count, 1);
    kit_settle(k, f.loop);
    CHECK_STR(kit_marks(k), "made eof");
    CHECK(!iso_transport_is_closing(f.r.transport));

    CHECK_OK(iso_transport_write(f.r.transport, "answer", 6));
    CHECK_EQ(kit_recv(k, f.peer, answer, 6), 6);
    CHECK_STR(answer, "answer");
    do_close(&f.r);
    kit_settle(k, f.loop);
    CHECK_STR(kit_marks(k), "made eof lost");
}

KIT_TEST(eof_comes_once_even_after_pause_and_resume)
{
    fixture f;

    open_pair(&f, k);
    f.r.stays = true;
    REQUIRE_OK(iso__sys_socket_shutdown_write(f.peer));
    (void)kit_run_until(k, f.loop, &f.r.eof_count, 1);
    CHECK_OK(iso_transport_pause_reading(f.r.transport));
    CHECK_OK(iso_transport_resume_reading(f.r.transport));
    kit_settle(k, f.loop);
    CHECK_EQ(f.r.eof_count, 1);
    end_and_settle(&f);
}

KIT_TEST(an_end_that_nobody_reads_does_not_spin)
{
    fixture f;
    int at;

    open_pair(&f, k);
    f.r.stays = true;
    REQUIRE_OK(iso__sys_socket_shutdown_write(f.peer));
    (void)kit_run_until(k, f.loop, &f.r.eof_count, 1);
    kit_close(k, f.peer); /* hung up: selectors tell that whether it is asked for or not */
    for (at = 0; at < 10; at++) (void)kit_turn(k, f.loop);
    CHECK_EQ(kit_turn(k, f.loop), 0);
    end_and_settle(&f);
}

KIT_TEST(write_eof_ends_the_other_sides_stream_and_reading_goes_on)
{
    fixture f;
    char text[12] = "";

    open_pair(&f, k);
    CHECK_OK(iso_transport_write(f.r.transport, "last words", 10));
    CHECK_OK(iso_transport_write_eof(f.r.transport));
    CHECK_EQ(kit_recv(k, f.peer, text, 11), 10);
    CHECK_STR(text, "last words");

    kit_send(k, f.peer, "still here", 10);
    run_until_received(&f, 10);
    CHECK_STR(f.r.text, "still here");
    REQUIRE_OK(iso__sys_socket_shutdown_write(f.peer));
    run_until_lost(&f);
    CHECK_STR(kit_marks(k), "made data eof lost");
}

KIT_TEST(write_eof_waits_for_what_is_buffered)
{
    fixture f;
    size_t size;

    open_pair(&f, k);
    size = stuff(f.r.transport, 0);
    CHECK_OK(iso_transport_write_eof(f.r.transport));
    CHECK_EQ(drain(k, f.loop, f.peer, 0, SIZE_MAX), size);
    CHECK(!iso_transport_is_closing(f.r.transport));
    kit_send(k, f.peer, "x", 1);
    run_until_received(&f, 1);
    end_and_settle(&f);
}

KIT_TEST(write_eof_is_fine_twice_and_after_close)
{
    fixture f;

    open_pair(&f, k);
    CHECK(iso_transport_can_write_eof(f.r.transport));
    CHECK_OK(iso_transport_write_eof(f.r.transport));
    CHECK_OK(iso_transport_write_eof(f.r.transport));
    do_close(&f.r);
    CHECK_OK(iso_transport_write_eof(f.r.transport));
    kit_settle(k, f.loop);
    CHECK_STR(kit_marks(k), "made lost");
}

static void do_write_eof(recorder *r)
{
    CHECK_OK(iso_transport_write_eof(r->transport));
}

KIT_TEST(write_eof_in_connection_made)
{
    fixture f;
    iso_connection_options options = ISO_CONNECTION_OPTIONS_INIT;
    iso_fd ends[2];
    char byte;

    prepare(&f, k);
    f.r.when_made = do_write_eof;
    kit_pair(k, ends);
    options.sock = kit_give(k, ends[0]);
    REQUIRE_OK(iso_loop_create_connection(f.loop, &recorder_protocol, &f.r, &options, NULL));
    (void)kit_run_until(k, f.loop, &f.r.made_count, 1);
    CHECK_EQ(kit_recv(k, ends[1], &byte, 1), 0);
    kit_close(k, ends[1]);
    run_until_lost(&f);
    CHECK_STR(kit_marks(k), "made eof lost");
}

KIT_TEST(both_sides_half_close)
{
    fixture f;
    char text[4] = "";

    open_tcp(&f, k);
    f.r.stays = true;
    REQUIRE_OK(iso__sys_socket_shutdown_write(f.peer));
    (void)kit_run_until(k, f.loop, &f.r.eof_count, 1);
    CHECK_OK(iso_transport_write(f.r.transport, "bye", 3));
    CHECK_OK(iso_transport_write_eof(f.r.transport));
    CHECK_EQ(kit_recv(k, f.peer, text, 4), 3);
    CHECK_STR(text, "bye");
    CHECK(!iso_transport_is_closing(f.r.transport)); /* the program says when, as with asyncio */
    do_close(&f.r);
    kit_settle(k, f.loop);
    CHECK_STR(kit_marks(k), "made eof lost");
}

KIT_TEST(data_comes_before_the_end_of_the_stream)
{
    fixture f;
    size_t size = 300 * 1024;
    size_t sent = 0;
    unsigned char piece[1024];

    open_tcp(&f, k);
    f.r.is_patterned = true;
    while (sent < size) { /* the kit's send waits, so the loop has to read meanwhile */
        ptrdiff_t got;
        pattern_fill(piece, sizeof(piece), sent);
        got = iso__sys_socket_send(f.peer, piece, sizeof(piece));
        if (got > 0) sent += (size_t)got;
        if (got != (ptrdiff_t)sizeof(piece)) (void)iso_loop_run_once(f.loop, ISO_MS(1));
    }
    kit_close(k, f.peer);
    run_until_lost(&f);
    CHECK_EQ(f.r.received, sent);
    CHECK_EQ(f.r.wrong_bytes, 0);
    CHECK_STR(kit_marks(k), "made data eof lost");
}

/* ---- errors ---- */

KIT_TEST(a_reset_by_the_peer_is_told)
{
    fixture f;

    open_tcp(&f, k);
    iso__sys_socket_reset(kit_give(k, f.peer));
    run_until_lost(&f);
    CHECK(is_reset(f.r.error));
}

KIT_TEST(a_reset_while_reading_is_paused_is_found_by_the_next_write)
{
    fixture f;

    open_tcp(&f, k);
    do_pause_reading(&f.r);
    iso__sys_socket_reset(kit_give(k, f.peer));
    while (f.r.lost_count == 0 && !kit_has_failed(k)) {
        CHECK_OK(iso_transport_write(f.r.transport, "anybody there", 13));
        CHECK_EQ(f.r.lost_count, 0); /* not within write */
        (void)iso_loop_run_once(f.loop, ISO_MS(1));
    }
    kit_settle(k, f.loop);
    CHECK_EQ(f.r.lost_count, 1);
    CHECK(f.r.error == ISO_EPIPE || f.r.error == ISO_ECONNRESET || f.r.error == ISO_ECONNABORTED);
}

KIT_TEST(a_reset_while_much_is_buffered_is_told_once)
{
    fixture f;

    open_tcp(&f, k);
    (void)stuff(f.r.transport, 0);
    iso__sys_socket_reset(kit_give(k, f.peer));
    run_until_lost(&f);
    CHECK_EQ(f.r.lost_count, 1);
    CHECK(is_reset(f.r.error));
}

KIT_TEST(a_reset_while_closing_is_told)
{
    fixture f;

    open_tcp(&f, k);
    (void)stuff(f.r.transport, 0);
    do_close(&f.r);
    iso__sys_socket_reset(kit_give(k, f.peer));
    run_until_lost(&f);
    CHECK(is_reset(f.r.error));
}

/* ---- pausing ---- */

KIT_TEST(pause_reading_holds_the_data_back_and_resume_brings_it)
{
    fixture f;

    open_pair(&f, k);
    CHECK(iso_transport_is_reading(f.r.transport));
    CHECK_OK(iso_transport_pause_reading(f.r.transport));
    CHECK(!iso_transport_is_reading(f.r.transport));
    kit_send(k, f.peer, "later", 5);
    kit_settle(k, f.loop);
    CHECK_EQ(f.r.received, 0);

    CHECK_OK(iso_transport_resume_reading(f.r.transport));
    CHECK(iso_transport_is_reading(f.r.transport));
    run_until_received(&f, 5);
    CHECK_STR(f.r.text, "later");
    end_and_settle(&f);
}

KIT_TEST(pause_and_resume_are_fine_twice)
{
    fixture f;

    open_pair(&f, k);
    CHECK_OK(iso_transport_pause_reading(f.r.transport));
    CHECK_OK(iso_transport_pause_reading(f.r.transport));
    CHECK_OK(iso_transport_resume_reading(f.r.transport)); /* they are not counted */
    CHECK(iso_transport_is_reading(f.r.transport));
    CHECK_OK(iso_transport_resume_reading(f.r.transport));
    kit_send(k, f.peer, "x", 1);
    run_until_received(&f, 1);
    end_and_settle(&f);
}

KIT_TEST(pause_within_data_received_holds_back_what_is_in_flight)
{
    fixture f;
    size_t size;

    open_pair(&f, k);
    f.r.is_patterned = true;
    f.r.when_data = do_pause_reading;
    {
        static unsigned char big[128 * 1024]; /* more than one read takes */
        ptrdiff_t sent;
        pattern_fill(big, sizeof(big), 0);
        sent = iso__sys_socket_send(f.peer, big, sizeof(big));
        REQUIRE(sent > 1);
        size = (size_t)sent;
    }
    (void)kit_run_until(k, f.loop, &f.r.data_count, 1);
    kit_settle(k, f.loop);
    CHECK_EQ(f.r.data_count, 1);

    while (f.r.received < size && !kit_has_failed(k)) {
        int before = f.r.data_count;
        CHECK_OK(iso_transport_resume_reading(f.r.transport));
        (void)kit_run_until(k, f.loop, &f.r.data_count, before + 1);
        kit_settle(k, f.loop);
        CHECK_EQ(f.r.data_count, before + 1); /* one piece each time, then pause again */
    }
    CHECK_EQ(f.r.wrong_bytes, 0);
    end_and_settle(&f);
}

static void do_pause_and_resume(recorder *r)
{
    CHECK_OK(iso_transport_pause_reading(r->transport));
    CHECK_OK(iso_transport_resume_reading(r->transport));
}

KIT_TEST(pause_and_resume_within_data_received_loses_nothing)
{
    fixture f;
    unsigned char byte;
    int at;

    open_pair(&f, k);
    f.r.is_patterned = true;
    f.r.when_data = do_pause_and_resume;
    for (at = 0; at < 100; at++) {
        byte = pattern_byte((size_t)at);
        kit_send(k, f.peer, &byte, 1);
        (void)kit_turn(k, f.loop);
    }
    run_until_received(&f, 100);
    CHECK_EQ(f.r.wrong_bytes, 0);
    end_and_settle(&f);
}

KIT_TEST(pause_in_connection_made_holds_back_the_first_byte)
{
    fixture f;
    iso_connection_options options = ISO_CONNECTION_OPTIONS_INIT;
    iso_fd ends[2];

    prepare(&f, k);
    f.r.when_made = do_pause_reading;
    kit_pair(k, ends);
    kit_send(k, ends[1], "early", 5);
    options.sock = kit_give(k, ends[0]);
    REQUIRE_OK(iso_loop_create_connection(f.loop, &recorder_protocol, &f.r, &options, NULL));
    (void)kit_run_until(k, f.loop, &f.r.made_count, 1);
    kit_settle(k, f.loop);
    CHECK_STR(kit_marks(k), "made");
    CHECK_OK(iso_transport_resume_reading(f.r.transport));
    run_until_received(&f, 5);
    end_and_settle(&f);
}

KIT_TEST(a_paused_transport_does_not_see_the_end)
{
    fixture f;

    open_pair(&f, k);
    CHECK_OK(iso_transport_pause_reading(f.r.transport));
    kit_send(k, f.peer, "x", 1);
    kit_close(k, f.peer);
    kit_settle(k, f.loop);
    CHECK_STR(kit_marks(k), "made");
    CHECK_OK(iso_transport_resume_reading(f.r.transport));
    run_until_lost(&f);
    CHECK_STR(kit_marks(k), "made data eof lost");
}

KIT_TEST(a_paused_transport_does_not_spin)
{
    fixture f;
    int at;

    open_pair(&f, k);
    CHECK_OK(iso_transport_pause_reading(f.r.transport));
    kit_send(k, f.peer, "x", 1);
    for (at = 0; at < 10; at++) (void)kit_turn(k, f.loop);
    CHECK_EQ(kit_turn(k, f.loop), 0);
    CHECK_EQ(iso_loop_next_timeout(f.loop), ISO_FOREVER);
    end_and_settle(&f);
}

KIT_TEST(a_paused_transport_writes)
{
    fixture f;
    size_t size;

    open_pair(&f, k);
    CHECK_OK(iso_transport_pause_reading(f.r.transport));
    size = stuff(f.r.transport, 0);
    CHECK_EQ(drain(k, f.loop, f.peer, 0, size), size);
    CHECK_EQ(iso_transport_get_write_buffer_size(f.r.transport), 0);
    end_and_settle(&f);
}

KIT_TEST(pause_and_resume_on_a_closing_transport_are_fine)
{
    fixture f;
    iso_transport *transport;

    open_pair(&f, k);
    transport = iso_transport_ref(f.r.transport);
    (void)stuff(transport, 0);
    do_close(&f.r);
    CHECK_OK(iso_transport_pause_reading(transport));
    CHECK_OK(iso_transport_resume_reading(transport));
    CHECK(!iso_transport_is_reading(transport));
    do_abort(&f.r);
    CHECK_OK(iso_transport_pause_reading(transport));
    CHECK_OK(iso_transport_resume_reading(transport));
    kit_settle(k, f.loop);
    CHECK_OK(iso_transport_resume_reading(transport));
    CHECK_EQ(f.r.lost_count, 1);
    iso_transport_release(transport);
}

KIT_TEST(a_stream_paused_at_random_is_whole)
{
    fixture f;
    size_t size = 256 * 1024;
    size_t sent = 0;
    unsigned char piece[3000];

    open_tcp(&f, k);
    f.r.is_patterned = true;
    f.r.name = NULL;
    while ((sent < size || f.r.received < sent) && !kit_has_failed(k)) {
        size_t part = 1 + kit_random_below(k, sizeof(piece));
        ptrdiff_t got = 0;

        if (sent < size) {
            pattern_fill(piece, part, sent);
            got = iso__sys_socket_send(f.peer, piece, part);
            if (got > 0) sent += (size_t)got;
        }
        if (kit_random_below(k, 2) == 0)
            CHECK_OK(iso_transport_pause_reading(f.r.transport));
        else
            CHECK_OK(iso_transport_resume_reading(f.r.transport));
        (void)iso_loop_run_once(f.loop, sent < size ? 0 : ISO_MS(1));
    }
    CHECK_EQ(f.r.received, sent);
    CHECK_EQ(f.r.wrong_bytes, 0);
    end_and_settle(&f);
}

/* ---- asking, sharing ---- */

KIT_TEST(extra_info_tells_both_addresses_and_the_socket)
{
    fixture f;
    iso_extra_info info;
    iso_address peers;
    iso_fd ends[2];

    prepare(&f, k);
    tcp_pair(k, ends);
    f.peer = ends[1];
    REQUIRE_OK(iso_socket_getsockname(f.peer, &peers));
    recorder_open(&f.r, f.loop, ends[0]);

    CHECK_OK(iso_transport_get_extra_info(f.r.transport, "peername", &info));
    CHECK_EQ(iso_address_version(&info.address), 4);
    CHECK_EQ(iso_address_port(&info.address), iso_address_port(&peers));
    CHECK_OK(iso_transport_get_extra_info(f.r.transport, "sockname", &info));
    CHECK_EQ(iso_address_version(&info.address), 4);
    CHECK(iso_address_port(&info.address) != 0);
    CHECK(iso_address_port(&info.address) != iso_address_port(&peers));
    CHECK_OK(iso_transport_get_extra_info(f.r.transport, "socket", &info));
    CHECK_EQ(info.fd, ends[0]);
    end_and_settle(&f);
}

KIT_TEST(extra_info_refuses_unknown_names)
{
    fixture f;
    iso_extra_info info;

    open_pair(&f, k);
    CHECK_RC(iso_transport_get_extra_info(f.r.transport, "cipher", &info), ISO_ENOENT);
    CHECK_RC(iso_transport_get_extra_info(f.r.transport, "", &info), ISO_ENOENT);
    CHECK_RC(iso_transport_get_extra_info(f.r.transport, NULL, &info), ISO_EINVAL);
    CHECK_RC(iso_transport_get_extra_info(f.r.transport, "socket", NULL), ISO_EINVAL);
    end_and_settle(&f);
}

static void look_at_socket(recorder *r)
{
    iso_extra_info info;

    CHECK_OK(iso_transport_get_extra_info(r->transport, "socket", &info));
    *(iso_fd *)r->context = info.fd;
}

KIT_TEST(extra_info_is_there_until_connection_lost_is_over)
{
    fixture f;
    iso_transport *transport;
    iso_extra_info info;
    iso_fd seen = ISO_FD_NONE;

    open_pair(&f, k);
    f.r.context = &seen;
    f.r.when_lost = look_at_socket;
    transport = iso_transport_ref(f.r.transport);
    end_and_settle(&f);
    CHECK(seen != ISO_FD_NONE);
    CHECK_RC(iso_transport_get_extra_info(transport, "socket", &info), ISO_ECLOSED);
    iso_transport_release(transport);
}

KIT_TEST(a_shared_transport_can_be_asked_after_connection_lost)
{
    fixture f;
    iso_transport *transport;
    size_t high = 0;
    size_t low = 0;
    void *self = NULL;

    open_pair(&f, k);
    transport = iso_transport_ref(f.r.transport);
    end_and_settle(&f);

    CHECK(iso_transport_is_closing(transport));
    CHECK(!iso_transport_is_reading(transport));
    CHECK_EQ(iso_transport_get_write_buffer_size(transport), 0);
    iso_transport_get_write_buffer_limits(transport, &high, &low);
    CHECK_EQ(high, 64 * 1024);
    CHECK_PTR(iso_transport_get_protocol(transport, &self), &recorder_protocol);
    CHECK_PTR(self, &f.r);
    CHECK_PTR(iso_transport_get_loop(transport), f.loop);
    CHECK_OK(iso_transport_close(transport));
    CHECK_OK(iso_transport_abort(transport));
    CHECK_OK(iso_transport_write_eof(transport));
    CHECK_OK(iso_transport_set_write_buffer_limits(transport, 10, 5));
    kit_settle(k, f.loop);
    CHECK_EQ(f.r.lost_count, 1);
    iso_transport_release(transport);
}

KIT_TEST(a_shared_transport_outlives_its_loop)
{
    fixture f;
    iso_transport *transport;

    open_pair(&f, k);
    transport = iso_transport_ref(f.r.transport);
    end_and_settle(&f);
    kit_release_loop(k, f.loop);
    CHECK(iso_transport_is_closing(transport));
    CHECK(kit_memory_now(k).blocks > 0);
    iso_transport_release(transport);
    CHECK_EQ(kit_memory_now(k).blocks, 0);
    iso_transport_release(NULL);
}

KIT_TEST(nodelay_is_on)
{
    fixture f;
    iso_extra_info info;
    iso_fd ends[2];

    prepare(&f, k);
    tcp_pair(k, ends);
    f.peer = ends[1];
    CHECK(!option_is_nodelay(ends[0]));
    recorder_open(&f.r, f.loop, ends[0]);
    CHECK_OK(iso_transport_get_extra_info(f.r.transport, "socket", &info));
    CHECK(option_is_nodelay(info.fd));
    end_and_settle(&f);
}

/* ---- threads ---- */

static void use_from_elsewhere(void *arg)
{
    static const iso_buffer one = { "x", 1 };
    iso_transport *transport = arg;

    CHECK_RC(iso_transport_write(transport, "x", 1), ISO_ETHREAD);
    CHECK_RC(iso_transport_writelines(transport, &one, 1), ISO_ETHREAD);
    CHECK_RC(iso_transport_write_eof(transport), ISO_ETHREAD);
    CHECK_RC(iso_transport_set_write_buffer_limits(transport, 2, 1), ISO_ETHREAD);
    CHECK_RC(iso_transport_pause_reading(transport), ISO_ETHREAD);
    CHECK_RC(iso_transport_resume_reading(transport), ISO_ETHREAD);
    CHECK_RC(iso_transport_set_protocol(transport, &recorder_protocol, NULL), ISO_ETHREAD);
    CHECK_RC(iso_transport_close(transport), ISO_ETHREAD);
    CHECK_RC(iso_transport_abort(transport), ISO_ETHREAD);
}

KIT_TEST(another_thread_is_refused_and_changes_nothing)
{
    fixture f;
    size_t high;
    size_t low;

    open_pair(&f, k);
    kit_thread(k, use_from_elsewhere, f.r.transport);
    kit_join_all(k);

    CHECK(!iso_transport_is_closing(f.r.transport));
    CHECK(iso_transport_is_reading(f.r.transport));
    iso_transport_get_write_buffer_limits(f.r.transport, &high, &low);
    CHECK_EQ(high, 64 * 1024);
    CHECK_EQ(low, 16 * 1024);
    end_and_settle(&f);
}

/* ---- the loop closes ---- */

KIT_TEST(a_closing_loop_ends_its_connections)
{
    fixture f;

    open_pair(&f, k);
    (void)stuff(f.r.transport, 0);
    CHECK_OK(iso_loop_close(f.loop));
    CHECK_STR(kit_marks(k), "made lost(ISO_ECLOSED)");
}

KIT_TEST(a_closing_loop_leaves_an_aborted_connection_its_reason)
{
    fixture f;

    open_pair(&f, k);
    do_abort(&f.r);
    CHECK_OK(iso_loop_close(f.loop));
    CHECK_STR(kit_marks(k), "made lost");
}

KIT_TEST(a_connection_that_was_never_made_is_never_lost)
{
    fixture f;
    iso_connection_options options = ISO_CONNECTION_OPTIONS_INIT;
    iso_fd ends[2];

    prepare(&f, k);
    kit_pair(k, ends);
    options.sock = kit_give(k, ends[0]);
    REQUIRE_OK(iso_loop_create_connection(f.loop, &recorder_protocol, &f.r, &options, NULL));
    CHECK_OK(iso_loop_close(f.loop));
    CHECK_STR(kit_marks(k), "");
}

static recorder *other;

static void abort_the_other(recorder *r)
{
    (void)r;
    if (other->transport != NULL) CHECK_OK(iso_transport_abort(other->transport));
}

KIT_TEST(connection_lost_of_a_closing_loop_may_abort_another)
{
    fixture f;
    recorder second;
    iso_fd ends[2];

    open_pair(&f, k);
    recorder_init(&second, k, "second");
    kit_pair(k, ends);
    recorder_open(&second, f.loop, ends[0]);
    other = &second;
    f.r.when_lost = abort_the_other;
    CHECK_OK(iso_loop_close(f.loop));
    CHECK_EQ(f.r.lost_count, 1);
    CHECK_EQ(second.lost_count, 1);
}

KIT_TEST(debug_mode_tells_of_connections_that_are_left_open)
{
    fixture f;

    open_pair(&f, k);
    CHECK_OK(iso_loop_set_debug(f.loop, true));
    CHECK_OK(iso_loop_close(f.loop));
    CHECK(kit_logged(k, "transport is still open"));
}

/* ---- both ways at once ---- */

enum { BOTH_WAYS_BYTES = 8 * 1024 * 1024 };

/* Writes the pattern until it is told to pause, and goes on when it may. */
static void pump(recorder *r)
{
    static unsigned char piece[24 * 1024];
    size_t *written = r->context;

    while (r->pause_count == r->resume_count && *written < BOTH_WAYS_BYTES) {
        size_t part = BOTH_WAYS_BYTES - *written;

        if (part > sizeof(piece)) part = sizeof(piece);
        pattern_fill(piece, part, *written);
        *written += part;
        CHECK_OK(iso_transport_write(r->transport, piece, part));
    }
    if (*written == BOTH_WAYS_BYTES) CHECK_OK(iso_transport_write_eof(r->transport));
}

KIT_TEST(megabytes_both_ways_at_once_arrive_whole)
{
    iso_loop *loop = kit_loop(k);
    recorder sides[2];
    size_t written[2] = { 0, 0 };
    iso_fd ends[2];
    int at;

    tcp_pair(k, ends);
    for (at = 0; at < 2; at++) {
        recorder_init(&sides[at], k, NULL);
        sides[at].context = &written[at];
        sides[at].is_patterned = true;
        sides[at].stays = true;
        sides[at].when_resumed = pump;
        recorder_open(&sides[at], loop, ends[at]);
    }
    for (at = 0; at < 2; at++) pump(&sides[at]);
    for (at = 0; at < 2; at++) (void)kit_run_until(k, loop, &sides[at].eof_count, 1);

    for (at = 0; at < 2; at++) {
        CHECK_EQ(sides[at].received, BOTH_WAYS_BYTES);
        CHECK_EQ(sides[at].wrong_bytes, 0);
        CHECK(sides[at].pause_count > 0);
        CHECK_EQ(sides[at].pause_count, sides[at].resume_count);
        do_close(&sides[at]);
    }
    CHECK(run_until_idle(k, loop));
}

static const kit_case cases[] = {
    KIT_CASE(connection_made_comes_in_a_turn_and_before_the_data),
    KIT_CASE(callbacks_come_in_order),
    KIT_CASE(a_protocol_without_any_slot_is_fine),
    KIT_CASE(connection_lost_comes_once_however_often_it_is_closed),
    KIT_CASE(connection_lost_comes_in_the_next_turn_after_close),
    KIT_CASE(connection_lost_comes_in_the_next_turn_after_abort),
    KIT_CASE(abort_within_a_callback_ends_in_the_turn_after_it),
    KIT_CASE(nothing_comes_after_connection_lost),
    KIT_CASE(close_stops_reading_at_once),
    KIT_CASE(is_closing_is_true_from_close_on),
    KIT_CASE(close_in_when_made),
    KIT_CASE(abort_in_when_made),
    KIT_CASE(close_in_when_data),
    KIT_CASE(abort_in_when_data),
    KIT_CASE(close_in_when_eof),
    KIT_CASE(abort_in_when_eof),
    KIT_CASE(close_in_when_lost),
    KIT_CASE(abort_in_when_lost),
    KIT_CASE(close_in_when_paused),
    KIT_CASE(abort_in_when_paused),
    KIT_CASE(close_in_when_resumed),
    KIT_CASE(abort_in_when_resumed),
    KIT_CASE(close_in_connection_made_reads_nothing),
    KIT_CASE(eof_received_false_closes),
    KIT_CASE(eof_received_true_stays_open_for_writing),
    KIT_CASE(eof_comes_once_even_after_pause_and_resume),
    KIT_CASE(an_end_that_nobody_reads_does_not_spin),
    KIT_CASE(write_eof_ends_the_other_sides_stream_and_reading_goes_on),
    KIT_CASE(write_eof_waits_for_what_is_buffered),
    KIT_CASE(write_eof_is_fine_twice_and_after_close),
    KIT_CASE(write_eof_in_connection_made),
    KIT_CASE(both_sides_half_close),
    KIT_CASE(data_comes_before_the_end_of_the_stream),
    KIT_CASE(a_reset_by_the_peer_is_told),
    KIT_CASE(a_reset_while_reading_is_paused_is_found_by_the_next_write),
    KIT_CASE(a_reset_while_much_is_buffered_is_told_once),
    KIT_CASE(a_reset_while_closing_is_told),
    KIT_CASE(pause_reading_holds_the_data_back_and_resume_brings_it),
    KIT_CASE(pause_and_resume_are_fine_twice),
    KIT_CASE(pause_within_data_received_holds_back_what_is_in_flight),
    KIT_CASE(pause_and_resume_within_data_received_loses_nothing),
    KIT_CASE(pause_in_connection_made_holds_back_the_first_byte),
    KIT_CASE(a_paused_transport_does_not_see_the_end),
    KIT_CASE(a_paused_transport_does_not_spin),
    KIT_CASE(a_paused_transport_writes),
    KIT_CASE(pause_and_resume_on_a_closing_transport_are_fine),
    KIT_CASE(a_stream_paused_at_random_is_whole),
    KIT_CASE(extra_info_tells_both_addresses_and_the_socket),
    KIT_CASE(extra_info_refuses_unknown_names),
    KIT_CASE(extra_info_is_there_until_connection_lost_is_over),
    KIT_CASE(a_shared_transport_can_be_asked_after_connection_lost),
    KIT_CASE(a_shared_transport_outlives_its_loop),
    KIT_CASE(nodelay_is_on),
    KIT_CASE(another_thread_is_refused_and_changes_nothing),
    KIT_CASE(a_closing_loop_ends_its_connections),
    KIT_CASE(a_closing_loop_leaves_an_aborted_connection_its_reason),
    KIT_CASE(a_connection_that_was_never_made_is_never_lost),
    KIT_CASE(connection_lost_of_a_closing_loop_may_abort_another),
    KIT_CASE(debug_mode_tells_of_connections_that_are_left_open),
    KIT_CASE(megabytes_both_ways_at_once_arrive_whole),
};

KIT_MAIN(cases)
