/* SPDX-License-Identifier: MIT */
/* What stream transports write: order, buffering, watermarks, writelines, refusals, want of
 * memory. */
#include "io/recorder.h"
#include "sys/sock.h"

#include <stdlib.h>
#include <string.h>

typedef struct fixture {
    kit *k;
    iso_loop *loop;
    iso_fd peer;
    recorder r;
} fixture;

static void open_ends(fixture *self, kit *k, const iso_fd ends[2])
{
    self->k = k;
    self->loop = kit_loop(k);
    self->peer = ends[1];
    recorder_init(&self->r, k, "");
    recorder_open(&self->r, self->loop, ends[0]);
    kit_clear_marks(k);
}

static void open_pair(fixture *self, kit *k)
{
    iso_fd ends[2];

    kit_pair(k, ends);
    open_ends(self, k, ends);
}

static void open_tcp(fixture *self, kit *k)
{
    iso_fd ends[2];

    tcp_pair(k, ends);
    open_ends(self, k, ends);
}

static void end_and_settle(fixture *self)
{
    if (self->r.transport != NULL) CHECK_OK(iso_transport_abort(self->r.transport));
    kit_settle(self->k, self->loop);
    CHECK_EQ(self->r.lost_count, 1);
}

static size_t buffered(const fixture *self)
{
    return iso_transport_get_write_buffer_size(self->r.transport);
}

/* Write `size` bytes of the pattern from `position` on. */
static int write_pattern(fixture *self, size_t position, size_t size)
{
    static unsigned char bytes[1024 * 1024];

    REQUIRE(size <= sizeof(bytes));
    pattern_fill(bytes, size, position);
    return iso_transport_write(self->r.transport, bytes, size);
}

static void do_close(recorder *r)
{
    CHECK_OK(iso_transport_close(r->transport));
}

/* ---- write ---- */

KIT_TEST(write_sends_at_once_when_nothing_is_buffered)
{
    fixture f;
    char text[6] = "";

    open_pair(&f, k);
    CHECK_OK(iso_transport_write(f.r.transport, "hello", 5));
    CHECK_EQ(buffered(&f), 0);
    CHECK_EQ(kit_recv(k, f.peer, text, 5), 5); /* without a turn of the loop */
    CHECK_STR(text, "hello");
    end_and_settle(&f);
}

KIT_TEST(write_copies_what_the_system_does_not_take)
{
    fixture f;
    size_t size;
    unsigned char bytes[1000];

    open_pair(&f, k);
    size = stuff(f.r.transport, 0);
    pattern_fill(bytes, sizeof(bytes), size);
    CHECK_OK(iso_transport_write(f.r.transport, bytes, sizeof(bytes)));
    memset(bytes, 0, sizeof(bytes)); /* borrowed for the call and no longer */
    size += sizeof(bytes);
    CHECK_EQ(drain(k, f.loop, f.peer, 0, size), size);
    end_and_settle(&f);
}

KIT_TEST(writes_of_every_size_arrive_in_order)
{
    fixture f;
    size_t sent = 0;
    size_t read = 0;
    int at;

    open_tcp(&f, k);
    for (at = 0; at < 400; at++) {
        size_t size = 1 + kit_random_below(k, at % 20 == 0 ? 300000 : 3000);

        CHECK_OK(write_pattern(&f, sent, size));
        sent += size;
        if (at % 3 == 0) read += drain(k, f.loop, f.peer, read, (sent - read) / 2);
    }
    read += drain(k, f.loop, f.peer, read, sent - read);
    CHECK_EQ(read, sent);
    CHECK_EQ(buffered(&f), 0);
    end_and_settle(&f);
}

KIT_TEST(write_of_nothing_is_nothing)
{
    fixture f;
    size_t before;

    open_pair(&f, k);
    CHECK_OK(iso_transport_write(f.r.transport, NULL, 0));
    CHECK_OK(iso_transport_write(f.r.transport, "", 0));
    CHECK_EQ(buffered(&f), 0);
    (void)stuff(f.r.transport, 0);
    before = buffered(&f);
    CHECK_OK(iso_transport_write(f.r.transport, "", 0));
    CHECK_EQ(buffered(&f), before);
    end_and_settle(&f);
}

KIT_TEST(write_of_no_memory_is_refused)
{
    fixture f;

    open_pair(&f, k);
    CHECK_RC(iso_transport_write(f.r.transport, NULL, 1), ISO_EINVAL);
    CHECK(!iso_transport_is_closing(f.r.transport));
    end_and_settle(&f);
}

KIT_TEST(write_after_write_eof_is_refused)
{
    static const iso_buffer one = { "x", 1 };
    fixture f;
    char text[4] = "";

    open_pair(&f, k);
    CHECK_OK(iso_transport_write(f.r.transport, "end", 3));
    CHECK_OK(iso_transport_write_eof(f.r.transport));
    CHECK_RC(iso_transport_write(f.r.transport, "x", 1), ISO_EINVALIDSTATE);
    CHECK_RC(iso_transport_writelines(f.r.transport, &one, 1), ISO_EINVALIDSTATE);
    CHECK_EQ(iso_transport_writes_dropped(f.r.transport), 0);
    CHECK_EQ(kit_recv(k, f.peer, text, 4), 3);
    CHECK_STR(text, "end");
    end_and_settle(&f);
}

KIT_TEST(write_after_write_eof_is_refused_while_more_is_buffered)
{
    fixture f;
    size_t size;

    open_pair(&f, k);
    size = stuff(f.r.transport, 0);
    CHECK_OK(iso_transport_write_eof(f.r.transport));
    CHECK_RC(write_pattern(&f, size, 1), ISO_EINVALIDSTATE);
    CHECK_EQ(drain(k, f.loop, f.peer, 0, SIZE_MAX), size);
    end_and_settle(&f);
}

KIT_TEST(write_after_close_is_dropped_and_counted)
{
    static const iso_buffer one = { "x", 1 };
    fixture f;
    size_t size;

    open_pair(&f, k);
    size = stuff(f.r.transport, 0);
    CHECK_EQ(iso_transport_writes_dropped(f.r.transport), 0);
    do_close(&f.r);
    CHECK_OK(write_pattern(&f, size, 10));
    CHECK_OK(iso_transport_writelines(f.r.transport, &one, 1));
    CHECK_EQ(iso_transport_writes_dropped(f.r.transport), 2);
    CHECK_EQ(drain(k, f.loop, f.peer, 0, SIZE_MAX), size);
    kit_settle(k, f.loop);
    CHECK_EQ(f.r.lost_count, 1);
}

KIT_TEST(write_after_loss_is_dropped_and_told_in_the_log_once)
{
    fixture f;
    iso_transport *transport;
    int at;

    open_pair(&f, k);
    transport = iso_transport_ref(f.r.transport);
    end_and_settle(&f);
    for (at = 0; at < 4; at++) CHECK_OK(iso_transport_write(transport, "x", 1));
    CHECK_EQ(kit_log_count(k, ""), 0);
    for (at = 0; at < 6; at++) CHECK_OK(iso_transport_write(transport, "x", 1));
    CHECK_EQ(kit_log_count(k, "goes on writing to a connection that is closed"), 1);
    CHECK_EQ(iso_transport_writes_dropped(transport), 10);
    iso_transport_release(transport);
}

KIT_TEST(a_broken_connection_is_told_by_connection_lost_not_by_write)
{
    fixture f;

    open_tcp(&f, k);
    iso__sys_socket_reset(kit_give(k, f.peer));
    while (f.r.lost_count == 0 && !kit_has_failed(k)) {
        CHECK_OK(iso_transport_write(f.r.transport, "hello", 5));
        CHECK_EQ(f.r.lost_count, 0);
        (void)iso_loop_run_once(f.loop, ISO_MS(1));
    }
    kit_settle(k, f.loop);
    CHECK(is_reset(f.r.error));
    (void)kit_log_count(k, "goes on writing"); /* where the reset is slow to come */
}

static void say(recorder *r, const char *word)
{
    CHECK_OK(iso_transport_write(r->transport, word, strlen(word)));
}

static void say_made(recorder *r)
{
    say(r, "made ");
}

static void say_data(recorder *r)
{
    say(r, "data ");
}

static void say_eof(recorder *r)
{
    say(r, "eof ");
}

static void say_lost(recorder *r)
{
    say(r, "lost ");
    CHECK_EQ(iso_transport_writes_dropped(r->transport), 1);
}

KIT_TEST(every_callback_may_write)
{
    iso_connection_options options = ISO_CONNECTION_OPTIONS_INIT;
    fixture f;
    iso_fd ends[2];
    char text[32] = "";

    kit_pair(k, ends);
    f.loop = kit_loop(k);
    recorder_init(&f.r, k, NULL);
    f.r.when_made = say_made;
    f.r.when_data = say_data;
    f.r.when_eof = say_eof;
    f.r.when_lost = say_lost;
    kit_send(k, ends[1], "x", 1);
    REQUIRE_OK(iso__sys_socket_shutdown_write(ends[1]));
    options.sock = kit_give(k, ends[0]);
    REQUIRE_OK(iso_loop_create_connection(f.loop, &recorder_protocol, &f.r, &options, NULL));
    (void)kit_run_until(k, f.loop, &f.r.lost_count, 1);
    CHECK_GE(kit_recv(k, ends[1], text, sizeof(text) - 1), 0);
    CHECK_STR(text, "made data eof ");
    kit_settle(k, f.loop);
}

/* ---- closing ---- */

enum { MEGABYTES = 3 * 1024 * 1024 };

KIT_TEST(close_sends_megabytes_to_a_slow_reader_first)
{
    fixture f;
    size_t sent = 0;

    open_tcp(&f, k);
    for (sent = 0; sent < 4 * (size_t)MEGABYTES; sent += 1024 * 1024)
        CHECK_OK(write_pattern(&f, sent, 1024 * 1024));
    do_close(&f.r);
    kit_settle(k, f.loop);
    CHECK_EQ(f.r.lost_count, 0);
    CHECK(buffered(&f) > 0);
    CHECK_EQ(drain(k, f.loop, f.peer, 0, sent), sent);
    (void)kit_run_until(k, f.loop, &f.r.lost_count, 1);
    CHECK_EQ(f.r.error, 0);
    CHECK_EQ(drain(k, f.loop, f.peer, sent, 1), 0); /* and then the end */
}

KIT_TEST(abort_drops_what_is_buffered)
{
    fixture f;
    size_t size;

    open_pair(&f, k);
    size = stuff(f.r.transport, 0);
    CHECK_OK(iso_transport_abort(f.r.transport));
    CHECK_EQ(buffered(&f), 0);
    CHECK_GE(kit_turn(k, f.loop), 1);
    CHECK_STR(kit_marks(k), "lost");
    CHECK(drain(k, f.loop, f.peer, 0, SIZE_MAX) < size);
}

KIT_TEST(abort_after_close_drops_the_rest)
{
    fixture f;
    size_t size;

    open_pair(&f, k);
    size = stuff(f.r.transport, 0);
    do_close(&f.r);
    kit_settle(k, f.loop);
    CHECK_EQ(f.r.lost_count, 0);
    CHECK_OK(iso_transport_abort(f.r.transport));
    CHECK_GE(kit_turn(k, f.loop), 1);
    CHECK_STR(kit_marks(k), "lost");
    CHECK(drain(k, f.loop, f.peer, 0, SIZE_MAX) < size);
}

KIT_TEST(close_after_write_eof_sends_what_is_buffered)
{
    fixture f;
    size_t size;

    open_pair(&f, k);
    size = stuff(f.r.transport, 0);
    CHECK_OK(iso_transport_write_eof(f.r.transport));
    do_close(&f.r);
    CHECK_EQ(drain(k, f.loop, f.peer, 0, SIZE_MAX), size);
    kit_settle(k, f.loop);
    CHECK_STR(kit_marks(k), "lost");
}

/* ---- watermarks ---- */

static void check_limits(fixture *f, size_t high, size_t low)
{
    size_t is_high = 0;
    size_t is_low = 0;

    iso_transport_get_write_buffer_limits(f->r.transport, &is_high, &is_low);
    CHECK_EQ(is_high, high);
    CHECK_EQ(is_low, low);
    iso_transport_get_write_buffer_limits(f->r.transport, NULL, NULL);
}

KIT_TEST(watermarks_are_64_and_16_kib_at_first)
{
    fixture f;

    open_pair(&f, k);
    check_limits(&f, 65536, 16384);
    CHECK_OK(iso_transport_set_write_buffer_limits(f.r.transport, 10, 1));
    CHECK_OK(iso_transport_set_write_buffer_limits(f.r.transport, SIZE_MAX, SIZE_MAX));
    check_limits(&f, 65536, 16384);
    end_and_settle(&f);
}

KIT_TEST(low_is_a_quarter_of_high)
{
    fixture f;

    open_pair(&f, k);
    CHECK_OK(iso_transport_set_write_buffer_limits(f.r.transport, 1000, SIZE_MAX));
    check_limits(&f, 1000, 250);
    CHECK_OK(iso_transport_set_write_buffer_limits(f.r.transport, 3, SIZE_MAX));
    check_limits(&f, 3, 0);
    CHECK_OK(iso_transport_set_write_buffer_limits(f.r.transport, 0, SIZE_MAX));
    check_limits(&f, 0, 0);
    end_and_settle(&f);
}

KIT_TEST(high_is_four_times_low)
{
    fixture f;

    open_pair(&f, k);
    CHECK_OK(iso_transport_set_write_buffer_limits(f.r.transport, SIZE_MAX, 1000));
    check_limits(&f, 4000, 1000);
    CHECK_OK(iso_transport_set_write_buffer_limits(f.r.transport, SIZE_MAX, 0));
    check_limits(&f, 0, 0);
    CHECK_OK(iso_transport_set_write_buffer_limits(f.r.transport, SIZE_MAX, SIZE_MAX / 2));
    check_limits(&f, SIZE_MAX, SIZE_MAX / 2);
    end_and_settle(&f);
}

KIT_TEST(high_below_low_is_refused)
{
    fixture f;

    open_pair(&f, k);
    CHECK_OK(iso_transport_set_write_buffer_limits(f.r.transport, 100, 50));
    CHECK_RC(iso_transport_set_write_buffer_limits(f.r.transport, 10, 11), ISO_EINVAL);
    check_limits(&f, 100, 50);
    CHECK_OK(iso_transport_set_write_buffer_limits(f.r.transport, 10, 10));
    check_limits(&f, 10, 10);
    end_and_settle(&f);
}

KIT_TEST(pause_writing_comes_in_the_write_that_passes_high)
{
    fixture f;
    size_t base;
    size_t end;

    open_pair(&f, k);
    end = stuff(f.r.transport, 0);
    base = buffered(&f);
    CHECK_OK(iso_transport_set_write_buffer_limits(f.r.transport, base + 1000, base));
    CHECK_OK(write_pattern(&f, end, 1000)); /* at high, and not above */
    CHECK_EQ(buffered(&f), base + 1000);
    CHECK_EQ(f.r.pause_count, 0);
    CHECK_OK(write_pattern(&f, end + 1000, 1));
    CHECK_EQ(f.r.pause_count, 1);
    CHECK_STR(kit_marks(k), "paused"); /* no turn of the loop was needed */
    CHECK_OK(write_pattern(&f, end + 1001, 5000));
    CHECK_EQ(f.r.pause_count, 1); /* not again */
    end_and_settle(&f);
}

KIT_TEST(writelines_that_passes_high_pauses)
{
    static const iso_buffer list[2] = { { "12345", 5 }, { "67890", 5 } };
    fixture f;

    open_pair(&f, k);
    (void)stuff(f.r.transport, 0);
    CHECK_OK(iso_transport_set_write_buffer_limits(f.r.transport, buffered(&f) + 9, 0));
    CHECK_OK(iso_transport_writelines(f.r.transport, list, 2));
    CHECK_EQ(f.r.pause_count, 1);
    end_and_settle(&f);
}

KIT_TEST(limits_below_what_is_buffered_pause_now)
{
    fixture f;

    open_pair(&f, k);
    (void)stuff(f.r.transport, 0);
    CHECK_EQ(f.r.pause_count, 0);
    CHECK_OK(iso_transport_set_write_buffer_limits(f.r.transport, buffered(&f) - 1, SIZE_MAX));
    CHECK_EQ(f.r.pause_count, 1);
    end_and_settle(&f);
}

/* How much was buffered when resume_writing came. */
static void note_buffered(recorder *r)
{
    *(size_t *)r->context = iso_transport_get_write_buffer_size(r->transport);
}

KIT_TEST(resume_writing_comes_at_low_and_not_before)
{
    fixture f;
    size_t when_resumed = SIZE_MAX;
    size_t end;
    size_t low;
    size_t read = 0;

    open_pair(&f, k);
    f.r.context = &when_resumed;
    f.r.when_resumed = note_buffered;
    end = stuff(f.r.transport, 0);
    CHECK_OK(write_pattern(&f, end, 1024 * 1024));
    end += 1024 * 1024;
    CHECK_EQ(f.r.pause_count, 1);
    low = 300 * 1024;
    CHECK_OK(iso_transport_set_write_buffer_limits(f.r.transport, 700 * 1024, low));
    while (f.r.resume_count == 0 && read < end && !kit_has_failed(k)) {
        CHECK(buffered(&f) > low);
        read += drain(k, f.loop, f.peer, read, 4096);
    }
    CHECK_EQ(f.r.resume_count, 1);
    CHECK_LE(when_resumed, low);
    CHECK(when_resumed > 0);
    CHECK_EQ(drain(k, f.loop, f.peer, read, end - read), end - read);
    CHECK_EQ(f.r.resume_count, 1);
    CHECK_STR(kit_marks(k), "paused resumed");
    end_and_settle(&f);
}

KIT_TEST(limits_of_zero_pause_for_every_byte_that_waits)
{
    fixture f;
    size_t size;

    open_pair(&f, k);
    CHECK_OK(iso_transport_set_write_buffer_limits(f.r.transport, 0, 0));
    CHECK_OK(iso_transport_write(f.r.transport, "x", 1)); /* taken at once: nothing waits */
    CHECK_EQ(f.r.pause_count, 0);
    {
        char byte;
        CHECK_EQ(kit_recv(k, f.peer, &byte, 1), 1);
    }
    size = stuff(f.r.transport, 0);
    CHECK_EQ(f.r.pause_count, 1);
    CHECK_EQ(drain(k, f.loop, f.peer, 0, size), size);
    (void)kit_run_until(k, f.loop, &f.r.resume_count, 1);
    CHECK_EQ(buffered(&f), 0);
    end_and_settle(&f);
}

/* A program that writes as long as it may. */
static void produce(recorder *r)
{
    static unsigned char piece[20000];
    size_t *written = r->context;

    while (r->pause_count == r->resume_count && r->pause_count < 50) {
        pattern_fill(piece, sizeof(piece), *written);
        *written += sizeof(piece);
        CHECK_OK(iso_transport_write(r->transport, piece, sizeof(piece)));
    }
}

KIT_TEST(pause_and_resume_come_in_pairs)
{
    fixture f;
    size_t written = 0;
    size_t read = 0;

    open_pair(&f, k);
    f.r.name = NULL;
    f.r.context = &written;
    f.r.when_resumed = produce;
    produce(&f.r);
    while (f.r.resume_count < 50 && !kit_has_failed(k))
        read += drain(k, f.loop, f.peer, read, 10000);
    CHECK_EQ(f.r.pause_count, 50);
    read += drain(k, f.loop, f.peer, read, written - read);
    CHECK_EQ(read, written);
    end_and_settle(&f);
}

KIT_TEST(writing_goes_on_although_it_is_paused)
{
    fixture f;
    size_t end;

    open_pair(&f, k);
    end = stuff(f.r.transport, 0);
    CHECK_OK(write_pattern(&f, end, 200000));
    CHECK_EQ(f.r.pause_count, 1);
    CHECK_OK(write_pattern(&f, end + 200000, 200000)); /* advice, as with asyncio */
    end += 400000;
    CHECK_EQ(drain(k, f.loop, f.peer, 0, end), end);
    end_and_settle(&f);
}

static void write_more_and_close(recorder *r)
{
    size_t *written = r->context;
    unsigned char piece[100];

    r->when_resumed = NULL;
    pattern_fill(piece, sizeof(piece), *written);
    *written += sizeof(piece);
    CHECK_OK(iso_transport_write(r->transport, piece, sizeof(piece)));
    CHECK_OK(iso_transport_close(r->transport));
}

KIT_TEST(what_resume_writing_writes_is_sent_before_its_close)
{
    fixture f;
    size_t written;
    size_t read;

    open_pair(&f, k);
    CHECK_OK(iso_transport_set_write_buffer_limits(f.r.transport, 0, 0));
    written = stuff(f.r.transport, 0);
    f.r.context = &written;
    f.r.when_resumed = write_more_and_close;
    read = drain(k, f.loop, f.peer, 0, SIZE_MAX);
    CHECK_EQ(read, written);
    kit_settle(k, f.loop);
    CHECK_EQ(f.r.lost_count, 1);
    CHECK_EQ(f.r.error, 0);
}

static void write_more_and_eof(recorder *r)
{
    size_t *written = r->context;
    unsigned char piece[100];

    r->when_resumed = NULL;
    pattern_fill(piece, sizeof(piece), *written);
    *written += sizeof(piece);
    CHECK_OK(iso_transport_write(r->transport, piece, sizeof(piece)));
    CHECK_OK(iso_transport_write_eof(r->transport));
}

KIT_TEST(what_resume_writing_writes_is_sent_before_its_eof)
{
    fixture f;
    size_t written;
    size_t read;

    open_pair(&f, k);
    CHECK_OK(iso_transport_set_write_buffer_limits(f.r.transport, 0, 0));
    written = stuff(f.r.transport, 0);
    f.r.context = &written;
    f.r.when_resumed = write_more_and_eof;
    read = drain(k, f.loop, f.peer, 0, SIZE_MAX);
    CHECK_EQ(read, written);
    CHECK_EQ(f.r.lost_count, 0);
    end_and_settle(&f);
}

/* ---- writelines ---- */

/* The pattern from `position` on, in `count` pieces of which every seventh is empty. */
static size_t cut(iso_buffer *list, size_t count, const unsigned char *bytes, size_t piece)
{
    size_t used = 0;
    size_t at;

    for (at = 0; at < count; at++) {
        list[at].data = at % 7 == 3 ? NULL : bytes + used;
        list[at].size = at % 7 == 3 ? 0 : piece + at;
        used += list[at].size;
    }
    return used;
}

enum { MOST_PIECES = 200 };
static unsigned char cuttable[MOST_PIECES * 50000];

/* Write them, with an empty buffer and with something in it, and read it all. */
static void write_pieces(kit *k, size_t count, size_t piece)
{
    iso_buffer list[MOST_PIECES];
    fixture f;
    size_t size;
    size_t position;

    open_pair(&f, k);
    f.r.name = NULL;
    size = cut(list, count, cuttable, piece);
    pattern_fill(cuttable, size, 0);
    CHECK_OK(iso_transport_writelines(f.r.transport, list, count));
    CHECK_EQ(drain(k, f.loop, f.peer, 0, size), size);
    CHECK_EQ(buffered(&f), 0);

    position = stuff(f.r.transport, size);
    pattern_fill(cuttable, size, position);
    CHECK_OK(iso_transport_writelines(f.r.transport, list, count));
    position += size;
    CHECK_EQ(drain(k, f.loop, f.peer, size, position - size), position - size);
    end_and_settle(&f);
}

KIT_TEST(writelines_of_no_piece)
{
    fixture f;

    open_pair(&f, k);
    CHECK_OK(iso_transport_writelines(f.r.transport, NULL, 0));
    CHECK_EQ(buffered(&f), 0);
    end_and_settle(&f);
}

KIT_TEST(writelines_of_one_piece)
{
    write_pieces(k, 1, 10);
}

KIT_TEST(writelines_of_16_pieces)
{
    write_pieces(k, 16, 10);
}

KIT_TEST(writelines_of_17_pieces)
{
    write_pieces(k, 17, 10);
}

KIT_TEST(writelines_of_200_pieces)
{
    write_pieces(k, 200, 1);
}

KIT_TEST(writelines_of_200_large_pieces_is_sent_in_parts)
{
    write_pieces(k, 200, 40000);
}

KIT_TEST(writelines_of_17_large_pieces_is_sent_in_parts)
{
    write_pieces(k, 17, 49000);
}

/* Reads the pattern, in a thread of its own, so that there is room again at any moment. */
typedef struct reader {
    kit *k;
    iso_fd fd;
    size_t wanted;
    size_t wrong_bytes;
} reader;

static void read_all(void *arg)
{
    static unsigned char piece[8192];
    reader *self = arg;
    size_t count = 0;

    while (count < self->wanted) {
        size_t left = self->wanted - count;
        ptrdiff_t got =
            kit_recv(self->k, self->fd, piece, left < sizeof(piece) ? left : sizeof(piece));

        if (!CHECK(got > 0)) return;
        self->wrong_bytes += pattern_wrong(piece, (size_t)got, count);
        count += (size_t)got;
    }
}

KIT_TEST(writelines_keeps_its_order_while_somebody_reads)
{
    enum { ROUNDS = 40, PIECES = 40 };
    iso_buffer list[PIECES];
    size_t position = 0;
    size_t size;
    reader other;
    fixture f;
    int at;

    open_pair(&f, k);
    f.r.name = NULL;
    size = cut(list, PIECES, cuttable, 9000);
    other.k = k;
    other.fd = f.peer;
    other.wanted = size * ROUNDS;
    other.wrong_bytes = 0;
    kit_thread(k, read_all, &other);
    for (at = 0; at < ROUNDS && !kit_has_failed(k); at++) {
        pattern_fill(cuttable, size, position);
        CHECK_OK(iso_transport_writelines(f.r.transport, list, PIECES));
        position += size;
        while (buffered(&f) > 0) (void)iso_loop_run_once(f.loop, ISO_MS(50));
    }
    kit_join_all(k);
    CHECK_EQ(other.wrong_bytes, 0);
    end_and_settle(&f);
}

KIT_TEST(writelines_of_empty_pieces_is_nothing)
{
    iso_buffer list[40];
    fixture f;
    size_t at;

    open_pair(&f, k);
    for (at = 0; at < ISO__COUNT(list); at++) {
        list[at].data = at % 2 == 0 ? NULL : "";
        list[at].size = 0;
    }
    CHECK_OK(iso_transport_writelines(f.r.transport, list, ISO__COUNT(list)));
    CHECK_EQ(buffered(&f), 0);
    CHECK(!iso_transport_is_closing(f.r.transport));
    end_and_settle(&f);
}

KIT_TEST(writelines_refuses_what_is_no_memory)
{
    iso_buffer list[2] = { { "x", 1 }, { NULL, 1 } };
    fixture f;

    open_pair(&f, k);
    CHECK_RC(iso_transport_writelines(f.r.transport, NULL, 1), ISO_EINVAL);
    CHECK_RC(iso_transport_writelines(f.r.transport, list, 2), ISO_EINVAL);
    list[1].data = "";
    list[1].size = SIZE_MAX;
    CHECK_RC(iso_transport_writelines(f.r.transport, list, 2), ISO_EINVAL);
    CHECK_EQ(buffered(&f), 0);
    kit_send(k, f.peer, "alive", 5);
    (void)kit_run_until(k, f.loop, &f.r.data_count, 1);
    end_and_settle(&f);
}

/* ---- want of memory ---- */

KIT_TEST(write_without_memory_sends_nothing_and_goes_on)
{
    fixture f;
    size_t end;
    size_t before;

    open_pair(&f, k);
    end = stuff(f.r.transport, 0);
    before = buffered(&f);

    kit_fail_allocation(k, 1, false);
    CHECK_RC(write_pattern(&f, end, 100000), ISO_ENOMEM);
    CHECK_EQ(buffered(&f), before);
    CHECK(!iso_transport_is_closing(f.r.transport));

    CHECK_OK(write_pattern(&f, end, 100000));
    end += 100000;
    CHECK_EQ(drain(k, f.loop, f.peer, 0, end), end);
    end_and_settle(&f);
}

KIT_TEST(the_first_buffered_write_without_memory_goes_on)
{
    iso_fd ends[2];
    fixture f;
    size_t filled;
    uint64_t nth;
    unsigned char *bytes = cuttable;

    kit_pair(k, ends);
    filled = kit_fill(k, ends[0]);
    open_ends(&f, k, ends);
    for (nth = 1; nth <= 2; nth++) { /* the two allocations that it takes */
        int rc;
        kit_fail_allocation(k, nth, false);
        rc = iso_transport_write(f.r.transport, "nothing of it", 13);
        kit_fail_allocation(k, 0, false);
        if (rc == 0) break; /* where the system has taken it meanwhile */
        CHECK_RC(rc, ISO_ENOMEM);
        CHECK_EQ(buffered(&f), 0);
        CHECK(!iso_transport_is_closing(f.r.transport));
    }
    CHECK_EQ(kit_recv(k, f.peer, bytes, filled < sizeof(cuttable) ? filled : sizeof(cuttable)),
             filled < sizeof(cuttable) ? filled : sizeof(cuttable));
    CHECK_OK(iso_transport_write(f.r.transport, "x", 1));
    end_and_settle(&f);
}

KIT_TEST(half_a_message_without_memory_for_the_rest_ends_the_connection)
{
    fixture f;
    const size_t size = 1024 * 1024;
    size_t accepted = 0;
    size_t read;
    int rc = 0;

    open_pair(&f, k);
    while (rc == 0) { /* some systems take any size as long as they take anything */
        kit_fail_allocation(k, 1, false);
        rc = write_pattern(&f, accepted, size);
        if (rc == 0) accepted += size;
    }
    kit_fail_allocation(k, 0, false);
    CHECK_RC(rc, ISO_ENOMEM);
    if (iso_transport_is_closing(f.r.transport)) {
        CHECK_EQ(f.r.lost_count, 0); /* not within the write */
        CHECK_EQ(kit_turn(k, f.loop), 1);
        CHECK_STR(kit_marks(k), "lost(ISO_ENOMEM)");
        read = drain(k, f.loop, f.peer, 0, SIZE_MAX);
        CHECK(read > accepted);
        CHECK(read < accepted + size);
    } else {
        unsigned char byte;

        CHECK_EQ(drain(k, f.loop, f.peer, 0, accepted), accepted);
        CHECK_EQ(iso__sys_socket_recv(f.peer, &byte, 1), ISO_EAGAIN); /* nothing of it was sent */
        end_and_settle(&f);
    }
}

KIT_TEST(writelines_without_memory_sends_nothing_and_goes_on)
{
    iso_buffer list[20];
    fixture f;
    size_t end;
    size_t size;
    size_t before;

    open_pair(&f, k);
    end = stuff(f.r.transport, 0);
    before = buffered(&f);
    size = cut(list, ISO__COUNT(list), cuttable, 10000);
    pattern_fill(cuttable, size, end);
    kit_fail_allocation(k, 1, false);
    CHECK_RC(iso_transport_writelines(f.r.transport, list, ISO__COUNT(list)), ISO_ENOMEM);
    CHECK_EQ(buffered(&f), before);
    CHECK_OK(iso_transport_writelines(f.r.transport, list, ISO__COUNT(list)));
    end += size;
    CHECK_EQ(drain(k, f.loop, f.peer, 0, end), end);
    end_and_settle(&f);
}

/* A selector that now and then has no memory to wait for more than it waits for already. */
typedef struct poor {
    const iso_selector_class *inner;
    void *inner_self;
    int refusals; /* to come */
} poor;

static int poor_set(void *arg, iso_fd fd, unsigned was, unsigned events, void *token)
{
    poor *self = arg;

    if (was != 0 && (events & ~was) != 0 && self->refusals > 0) {
        self->refusals--;
        return ISO_ENOMEM;
    }
    return self->inner->set(self->inner_self, fd, was, events, token);
}

static int poor_wait(void *arg, iso_nsec timeout, iso_selector_event *events, int max)
{
    poor *self = arg;

    return self->inner->wait(self->inner_self, timeout, events, max);
}

static iso_fd poor_descriptor(void *arg)
{
    poor *self = arg;

    return self->inner->descriptor(self->inner_self);
}

static void poor_close(void *arg)
{
    poor *self = arg;

    self->inner->close(self->inner_self);
    free(self);
}

static const iso_selector_class poor_class = {
    .name = "poor",
    .set = poor_set,
    .wait = poor_wait,
    .descriptor = poor_descriptor,
    .close = poor_close,
};

KIT_TEST(a_selector_without_memory_ends_the_connection)
{
    iso_loop_options options = kit_options(k);
    poor *selector = calloc(1, sizeof(*selector)); /* the loop outlives the case */
    fixture f;
    iso_fd ends[2];

    REQUIRE(selector != NULL);
    selector->inner = kit_poller(k)->kind;
    REQUIRE_OK(kit_poller(k)->open(&selector->inner_self, kit_allocator(k)));
    REQUIRE_OK(iso_selector_new_custom(&options.selector, &poor_class, selector));
    kit_pair(k, ends);
    f.k = k;
    f.peer = ends[1];
    f.loop = kit_loop_with(k, &options);
    recorder_init(&f.r, k, NULL);
    recorder_open(&f.r, f.loop, ends[0]);

    /* given a selector that refuses, once, to wait until something can be written */
    selector->refusals = 1;

    /* when more is written than the system takes */
    (void)stuff(f.r.transport, 0);

    /* then that is told at once, and not by a connection that hangs */
    CHECK(iso_transport_is_closing(f.r.transport));
    CHECK_EQ(f.r.lost_count, 0);
    CHECK_EQ(kit_turn(k, f.loop), 1);
    CHECK_EQ(f.r.lost_count, 1);
    CHECK_RC(f.r.error, ISO_ENOMEM);
    CHECK_EQ(selector->refusals, 0);
}

KIT_TEST(a_flushed_transport_has_no_memory_for_output)
{
    fixture f;
    kit_memory before;
    size_t begin;
    size_t end;

    open_pair(&f, k);
    end = stuff(f.r.transport, 0); /* the first time makes what all share */
    CHECK_EQ(drain(k, f.loop, f.peer, 0, end), end);
    kit_settle(k, f.loop);
    before = kit_memory_now(k);
    begin = end;
    end = stuff(f.r.transport, begin);
    CHECK_OK(write_pattern(&f, end, 500000));
    end += 500000;
    CHECK(kit_memory_now(k).bytes > before.bytes + 500000 - 1);
    CHECK_EQ(drain(k, f.loop, f.peer, begin, end - begin), end - begin);
    kit_settle(k, f.loop);
    CHECK_EQ(kit_memory_now(k).bytes, before.bytes);
    end_and_settle(&f);
}

static const kit_case cases[] = {
    KIT_CASE(write_sends_at_once_when_nothing_is_buffered),
    KIT_CASE(write_copies_what_the_system_does_not_take),
    KIT_CASE(writes_of_every_size_arrive_in_order),
    KIT_CASE(write_of_nothing_is_nothing),
    KIT_CASE(write_of_no_memory_is_refused),
    KIT_CASE(write_after_write_eof_is_refused),
    KIT_CASE(write_after_write_eof_is_refused_while_more_is_buffered),
    KIT_CASE(write_after_close_is_dropped_and_counted),
    KIT_CASE(write_after_loss_is_dropped_and_told_in_the_log_once),
    KIT_CASE(a_broken_connection_is_told_by_connection_lost_not_by_write),
    KIT_CASE(every_callback_may_write),
    KIT_CASE(close_sends_megabytes_to_a_slow_reader_first),
    KIT_CASE(abort_drops_what_is_buffered),
    KIT_CASE(abort_after_close_drops_the_rest),
    KIT_CASE(close_after_write_eof_sends_what_is_buffered),
    KIT_CASE(watermarks_are_64_and_16_kib_at_first),
    KIT_CASE(low_is_a_quarter_of_high),
    KIT_CASE(high_is_four_times_low),
    KIT_CASE(high_below_low_is_refused),
    KIT_CASE(pause_writing_comes_in_the_write_that_passes_high),
    KIT_CASE(writelines_that_passes_high_pauses),
    KIT_CASE(limits_below_what_is_buffered_pause_now),
    KIT_CASE(resume_writing_comes_at_low_and_not_before),
    KIT_CASE(limits_of_zero_pause_for_every_byte_that_waits),
    KIT_CASE(pause_and_resume_come_in_pairs),
    KIT_CASE(writing_goes_on_although_it_is_paused),
    KIT_CASE(what_resume_writing_writes_is_sent_before_its_close),
    KIT_CASE(what_resume_writing_writes_is_sent_before_its_eof),
    KIT_CASE(writelines_of_no_piece),
    KIT_CASE(writelines_of_one_piece),
    KIT_CASE(writelines_of_16_pieces),
    KIT_CASE(writelines_of_17_pieces),
    KIT_CASE(writelines_of_200_pieces),
    KIT_CASE(writelines_of_200_large_pieces_is_sent_in_parts),
    KIT_CASE(writelines_of_17_large_pieces_is_sent_in_parts),
    KIT_CASE(writelines_keeps_its_order_while_somebody_reads),
    KIT_CASE(writelines_of_empty_pieces_is_nothing),
    KIT_CASE(writelines_refuses_what_is_no_memory),
    KIT_CASE(write_without_memory_sends_nothing_and_goes_on),
    KIT_CASE(the_first_buffered_write_without_memory_goes_on),
    KIT_CASE(half_a_message_without_memory_for_the_rest_ends_the_connection),
    KIT_CASE(writelines_without_memory_sends_nothing_and_goes_on),
    KIT_CASE(a_selector_without_memory_ends_the_connection),
    KIT_CASE(a_flushed_transport_has_no_memory_for_output),
};

KIT_MAIN(cases)
