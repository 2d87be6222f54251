/* SPDX-License-Identifier: MIT */
/* Buffered protocols, which are read into directly, and protocols that change on the way. */
#include "io/recorder.h"
#include "sys/sock.h"

#include <string.h>

typedef struct fixture {
    kit *k;
    iso_loop *loop;
    iso_fd peer;
    recorder r;
    unsigned char memory[4096]; /* lent to the library */
} fixture;

static void prepare(fixture *self, kit *k, size_t lent)
{
    memset(self, 0, sizeof(*self));
    self->k = k;
    self->loop = kit_loop(k);
    recorder_init(&self->r, k, "");
    self->r.lent = self->memory;
    self->r.lent_size = lent;
}

static void open_as(fixture *self, kit *k, size_t lent, const iso_protocol *protocol)
{
    iso_fd ends[2];

    prepare(self, k, lent);
    kit_pair(k, ends);
    self->peer = ends[1];
    recorder_open_as(&self->r, self->loop, ends[0], protocol);
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

/* ---- reading straight into the program's memory ---- */

KIT_TEST(a_buffered_protocol_is_read_into)
{
    fixture f;

    open_as(&f, k, sizeof(f.memory), &recorder_buffered);
    kit_send(k, f.peer, "hello", 5);
    run_until_received(&f, 5);
    CHECK_STR(f.r.text, "hello");
    CHECK(memcmp(f.memory, "hello", 5) == 0);
    CHECK_EQ(f.memory[5], 0); /* not a byte more */
    end_and_settle(&f);
}

KIT_TEST(a_small_buffer_gets_everything_in_pieces)
{
    static unsigned char sent[1000];
    fixture f;

    open_as(&f, k, 3, &recorder_buffered);
    f.r.is_patterned = true;
    pattern_fill(sent, sizeof(sent), 0);
    kit_send(k, f.peer, sent, sizeof(sent));
    run_until_received(&f, sizeof(sent));
    CHECK_EQ(f.r.wrong_bytes, 0);
    CHECK_GE(f.r.data_count, 334);
    CHECK_EQ(f.memory[3], 0);
    end_and_settle(&f);
}

KIT_TEST(a_buffered_protocol_sees_the_end)
{
    fixture f;

    open_as(&f, k, 16, &recorder_buffered);
    kit_send(k, f.peer, "x", 1);
    kit_close(k, f.peer);
    (void)kit_run_until(k, f.loop, &f.r.lost_count, 1);
    CHECK_STR(kit_marks(k), "made data eof lost");
}

KIT_TEST(a_buffered_protocol_needs_no_buffer_updated)
{
    iso_protocol deaf = recorder_buffered;
    fixture f;

    deaf.buffer_updated = NULL;
    open_as(&f, k, 16, &deaf);
    kit_send(k, f.peer, "unheard", 7);
    kit_close(k, f.peer);
    (void)kit_run_until(k, f.loop, &f.r.lost_count, 1);
    CHECK_STR(kit_marks(k), "made eof lost");
}

KIT_TEST(an_empty_buffer_is_an_error)
{
    fixture f;

    open_as(&f, k, 0, &recorder_buffered);
    kit_send(k, f.peer, "x", 1);
    (void)kit_run_until(k, f.loop, &f.r.lost_count, 1);
    CHECK_STR(kit_marks(k), "made lost(ISO_ENOBUFS)");
}

KIT_TEST(no_buffer_is_an_error)
{
    fixture f;

    open_as(&f, k, 16, &recorder_buffered);
    f.r.lent = NULL;
    kit_send(k, f.peer, "x", 1);
    (void)kit_run_until(k, f.loop, &f.r.lost_count, 1);
    CHECK_STR(kit_marks(k), "made lost(ISO_ENOBUFS)");
}

/* ---- get_buffer may do anything ---- */

static void do_pause(recorder *r)
{
    CHECK_OK(iso_transport_pause_reading(r->transport));
}

static void do_close(recorder *r)
{
    CHECK_OK(iso_transport_close(r->transport));
}

static void do_abort(recorder *r)
{
    CHECK_OK(iso_transport_abort(r->transport));
}

KIT_TEST(pause_in_get_buffer_reads_nothing_and_loses_nothing)
{
    fixture f;

    open_as(&f, k, 16, &recorder_buffered);
    f.r.when_lending = do_pause;
    kit_send(k, f.peer, "later", 5);
    while (iso_transport_is_reading(f.r.transport) && !kit_has_failed(k))
        (void)iso_loop_run_once(f.loop, ISO_MS(50));
    kit_settle(k, f.loop);
    CHECK_EQ(f.r.received, 0);

    f.r.when_lending = NULL;
    CHECK_OK(iso_transport_resume_reading(f.r.transport));
    run_until_received(&f, 5);
    CHECK_STR(f.r.text, "later");
    end_and_settle(&f);
}

KIT_TEST(close_in_get_buffer)
{
    fixture f;

    open_as(&f, k, 16, &recorder_buffered);
    f.r.when_lending = do_close;
    kit_send(k, f.peer, "x", 1);
    (void)kit_run_until(k, f.loop, &f.r.lost_count, 1);
    CHECK_STR(kit_marks(k), "made lost");
}

KIT_TEST(abort_in_get_buffer)
{
    fixture f;

    open_as(&f, k, 16, &recorder_buffered);
    f.r.when_lending = do_abort;
    kit_send(k, f.peer, "x", 1);
    (void)kit_run_until(k, f.loop, &f.r.lost_count, 1);
    CHECK_STR(kit_marks(k), "made lost");
}

KIT_TEST(pause_in_buffer_updated_holds_back_the_rest)
{
    fixture f;

    open_as(&f, k, 2, &recorder_buffered);
    f.r.when_data = do_pause;
    kit_send(k, f.peer, "abcd", 4);
    (void)kit_run_until(k, f.loop, &f.r.data_count, 1);
    kit_settle(k, f.loop);
    CHECK_STR(f.r.text, "ab");
    CHECK_OK(iso_transport_resume_reading(f.r.transport));
    (void)kit_run_until(k, f.loop, &f.r.data_count, 2);
    CHECK_STR(f.r.text, "abcd");
    end_and_settle(&f);
}

/* ---- changing the protocol ---- */

KIT_TEST(set_protocol_hands_the_rest_to_another)
{
    fixture f;
    recorder second;
    void *self = NULL;

    open_as(&f, k, 16, &recorder_protocol);
    CHECK_PTR(iso_transport_get_protocol(f.r.transport, &self), &recorder_protocol);
    CHECK_PTR(self, &f.r);

    recorder_init(&second, k, "second");
    second.made_count = 1; /* it takes over from one that was made */
    second.transport = f.r.transport;
    CHECK_OK(iso_transport_set_protocol(f.r.transport, &recorder_buffered, &second));
    CHECK_PTR(iso_transport_get_protocol(f.r.transport, &self), &recorder_buffered);
    CHECK_PTR(self, &second);
    CHECK_PTR(iso_transport_get_protocol(f.r.transport, NULL), &recorder_buffered);

    second.lent = f.memory;
    second.lent_size = sizeof(f.memory);
    kit_send(k, f.peer, "hello", 5);
    kit_close(k, f.peer);
    (void)kit_run_until(k, f.loop, &second.lost_count, 1);
    CHECK_STR(second.text, "hello");
    CHECK_STR(kit_marks(k), "made second:data second:eof second:lost");
}

KIT_TEST(set_protocol_refuses_none)
{
    fixture f;

    open_as(&f, k, 16, &recorder_protocol);
    CHECK_RC(iso_transport_set_protocol(f.r.transport, NULL, NULL), ISO_EINVAL);
    kit_send(k, f.peer, "x", 1);
    run_until_received(&f, 1);
    end_and_settle(&f);
}

/* A protocol that is plain and buffered by turns, changing with every piece that comes. */
static void change_sides(recorder *r)
{
    bool is_plain = iso_transport_get_protocol(r->transport, NULL)->data_received != NULL;

    CHECK_OK(iso_transport_set_protocol(r->transport,
                                        is_plain ? &recorder_buffered : &recorder_protocol, r));
    ++*(int *)r->context;
}

KIT_TEST(switching_within_data_received_loses_nothing)
{
    static unsigned char sent[300 * 1024];
    fixture f;
    int changes = 0;
    size_t at = 0;

    open_as(&f, k, 1000, &recorder_protocol);
    f.r.name = NULL;
    f.r.is_patterned = true;
    f.r.when_data = change_sides;
    f.r.context = &changes;
    pattern_fill(sent, sizeof(sent), 0);
    while (at < sizeof(sent) && !kit_has_failed(k)) {
        ptrdiff_t got = iso__sys_socket_send(f.peer, sent + at, sizeof(sent) - at);

        if (got > 0) at += (size_t)got;
        (void)iso_loop_run_once(f.loop, ISO_MS(1));
    }
    run_until_received(&f, sizeof(sent));
    CHECK_EQ(f.r.wrong_bytes, 0);
    CHECK_GE(changes, 8); /* a plain one is given 64 KiB at most, a buffered one 1000 bytes */
    end_and_settle(&f);
}

static void become_plain(recorder *r)
{
    CHECK_OK(iso_transport_set_protocol(r->transport, &recorder_protocol, r));
}

KIT_TEST(switching_within_get_buffer_brings_the_data_to_the_new_one)
{
    fixture f;

    open_as(&f, k, 16, &recorder_buffered);
    f.r.when_lending = become_plain;
    kit_send(k, f.peer, "hello", 5);
    run_until_received(&f, 5);
    CHECK_STR(f.r.text, "hello");
    end_and_settle(&f);
}

static void become_buffered(recorder *r)
{
    CHECK_OK(iso_transport_set_protocol(r->transport, &recorder_buffered, r));
}

KIT_TEST(switching_within_connection_made)
{
    fixture f;
    iso_connection_options options = ISO_CONNECTION_OPTIONS_INIT;
    iso_fd ends[2];

    prepare(&f, k, 4);
    f.r.when_made = become_buffered;
    kit_pair(k, ends);
    kit_send(k, ends[1], "hello", 5);
    options.sock = kit_give(k, ends[0]);
    REQUIRE_OK(iso_loop_create_connection(f.loop, &recorder_protocol, &f.r, &options, NULL));
    (void)kit_run_until(k, f.loop, &f.r.data_count, 2);
    CHECK_STR(f.r.text, "hello");
    CHECK_PTR(f.r.last_data, f.memory);
    end_and_settle(&f);
}

/* ---- much ---- */

KIT_TEST(megabytes_into_buffers_of_every_size_arrive_whole)
{
    static unsigned char sent[50000];
    fixture f;
    iso_fd ends[2];
    size_t total = 0;

    prepare(&f, k, 1);
    f.r.name = NULL;
    f.r.is_patterned = true;
    tcp_pair(k, ends);
    recorder_open_as(&f.r, f.loop, ends[0], &recorder_buffered);
    while (total < 2 * 1024 * 1024 && !kit_has_failed(k)) {
        size_t part = 1 + kit_random_below(k, sizeof(sent));
        ptrdiff_t got;

        f.r.lent_size = 1 + kit_random_below(k, sizeof(f.memory));
        pattern_fill(sent, part, total);
        got = iso__sys_socket_send(ends[1], sent, part);
        if (got > 0) total += (size_t)got;
        (void)iso_loop_run_once(f.loop, ISO_MS(1));
    }
    run_until_received(&f, total);
    CHECK_EQ(f.r.wrong_bytes, 0);
    end_and_settle(&f);
}

static const kit_case cases[] = {
    KIT_CASE(a_buffered_protocol_is_read_into),
    KIT_CASE(a_small_buffer_gets_everything_in_pieces),
    KIT_CASE(a_buffered_protocol_sees_the_end),
    KIT_CASE(a_buffered_protocol_needs_no_buffer_updated),
    KIT_CASE(an_empty_buffer_is_an_error),
    KIT_CASE(no_buffer_is_an_error),
    KIT_CASE(pause_in_get_buffer_reads_nothing_and_loses_nothing),
    KIT_CASE(close_in_get_buffer),
    KIT_CASE(abort_in_get_buffer),
    KIT_CASE(pause_in_buffer_updated_holds_back_the_rest),
    KIT_CASE(set_protocol_hands_the_rest_to_another),
    KIT_CASE(set_protocol_refuses_none),
    KIT_CASE(switching_within_data_received_loses_nothing),
    KIT_CASE(switching_within_get_buffer_brings_the_data_to_the_new_one),
    KIT_CASE(switching_within_connection_made),
    KIT_CASE(megabytes_into_buffers_of_every_size_arrive_whole),
};

KIT_MAIN(cases)
