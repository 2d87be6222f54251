/* SPDX-License-Identifier: MIT */
/* connect_read_pipe and connect_write_pipe: a loop at one end of a pipe, the case at the other. */
#include "io/recorder.h"
#include "loop/loop.h"
#include "support/kit_os.h"
#include "sys/pipe.h"

#include <signal.h>
#include <string.h>

enum { LARGE = 1024 * 1024 };

typedef struct fixture {
    kit *k;
    iso_loop *loop;
    iso_fd near_end; /* the loop's, once it is connected */
    iso_fd far_end;  /* the case's */
    recorder r;
} fixture;

typedef int (*connect_call)(iso_loop *loop, const iso_protocol *protocol, void *self, iso_fd pipe,
                            iso_future **out);

/* Two ends, both the kit's. What the far end reads comes at once, or ISO_EAGAIN. */
static void open_ends(fixture *self, kit *k, unsigned near_uses)
{
    iso__pipe_before before;

    self->k = k;
    REQUIRE_OK(iso__sys_pipe_open(&self->near_end, &self->far_end, near_uses));
    (void)kit_own(k, self->near_end);
    (void)kit_own(k, self->far_end);
    if ((near_uses & ISO__PIPE_WRITES) == 0) return;
    REQUIRE_OK(iso__sys_pipe_adopt(self->far_end, &before));
    iso__sys_pipe_keep(&before);
}

static void prepare(fixture *self, kit *k, unsigned near_uses)
{
    self->loop = kit_loop(k);
    recorder_init(&self->r, k, "");
    open_ends(self, k, near_uses);
}

static void connect_near(fixture *self, connect_call call, const iso_protocol *protocol)
{
    iso_future *future = NULL;
    void *transport = NULL;

    REQUIRE_OK(call(self->loop, protocol, &self->r, kit_give(self->k, self->near_end), &future));
    CHECK_EQ(self->r.made_count, 0);
    REQUIRE_OK(kit_run(self->k, self->loop, future));
    REQUIRE(self->r.made_count == 1);
    CHECK_OK(iso_future_result(future, &transport));
    CHECK_PTR(transport, self->r.transport);
    iso_future_release(future);
}

static void open_reader(fixture *self, kit *k)
{
    prepare(self, k, ISO__PIPE_READS);
    connect_near(self, iso_loop_connect_read_pipe, &recorder_protocol);
}

static void open_writer(fixture *self, kit *k)
{
    prepare(self, k, ISO__PIPE_WRITES);
    connect_near(self, iso_loop_connect_write_pipe, &recorder_protocol);
}

static void far_write(fixture *self, const char *text)
{
    REQUIRE_OK(kit_os_write(self->far_end, text, strlen(text)));
}

static void far_close(fixture *self)
{
    kit_close(self->k, self->far_end);
}

static void end_and_settle(fixture *self)
{
    if (self->r.transport != NULL) CHECK_OK(iso_transport_abort(self->r.transport));
    (void)run_until_idle(self->k, self->loop);
    CHECK_EQ(self->r.lost_count, 1);
}

/* Read at the far end, the loop running meanwhile, until so much came, or the end: answers how
 * much. It should be the pattern. */
static size_t far_read(fixture *self, size_t size)
{
    static unsigned char piece[64 * 1024];
    iso_nsec end = kit_now() + ISO_S(30);
    size_t count = 0;

    while (count < size) {
        size_t part = size - count < sizeof(piece) ? size - count : sizeof(piece);
        ptrdiff_t got = iso__sys_pipe_read(self->far_end, piece, part);

        if (got == 0) break;
        if (got == ISO_EAGAIN) {
            if (!CHECK(kit_now() < end)) break;
            (void)iso_loop_run_once(self->loop, ISO_MS(1));
            continue;
        }
        if (!CHECK(got > 0)) break;
        CHECK_EQ(pattern_wrong(piece, (size_t)got, count), 0);
        count += (size_t)got;
        (void)kit_turn(self->k, self->loop);
    }
    return count;
}

/* More than any pipe holds, and what a driver lends to the kernel. */
static void overfill(fixture *self)
{
    static unsigned char bytes[LARGE];

    pattern_fill(bytes, sizeof(bytes), 0);
    CHECK_OK(iso_transport_write(self->r.transport, bytes, sizeof(bytes)));
}

/* ---- reading ---- */

KIT_TEST(what_is_written_to_a_pipe_is_received)
{
    fixture f;

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    open_reader(&f, k);
    far_write(&f, "hello");
    CHECK(kit_run_until(k, f.loop, &f.r.data_count, 1));
    CHECK_STR(f.r.text, "hello");
    CHECK_STR(kit_marks(k), "made data");
    end_and_settle(&f);
}

KIT_TEST(what_was_there_before_is_received)
{
    fixture f;

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    prepare(&f, k, ISO__PIPE_READS);
    far_write(&f, "early");
    far_close(&f);
    connect_near(&f, iso_loop_connect_read_pipe, &recorder_protocol);
    CHECK(run_until_idle(k, f.loop));
    CHECK_STR(f.r.text, "early");
    CHECK_STR(kit_marks(k), "made data eof lost");
}

KIT_TEST(the_end_of_the_writer_is_the_end_of_the_reader)
{
    fixture f;

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    open_reader(&f, k);
    far_close(&f);
    CHECK(run_until_idle(k, f.loop));
    CHECK_STR(kit_marks(k), "made eof lost");
}

/* Staying open for writing, which eof_received may ask for, is nothing for a pipe. */
KIT_TEST(a_pipe_that_is_read_does_not_outlive_its_end)
{
    fixture f;

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    open_reader(&f, k);
    f.r.stays = true;
    far_close(&f);
    CHECK(run_until_idle(k, f.loop));
    CHECK_STR(kit_marks(k), "made eof lost");
}

typedef struct far_writer {
    iso_fd fd;
    int rc;
} far_writer;

static void write_large(void *arg)
{
    static unsigned char bytes[LARGE];
    far_writer *self = arg;

    pattern_fill(bytes, sizeof(bytes), 0);
    self->rc = kit_os_write(self->fd, bytes, sizeof(bytes));
}

KIT_TEST(much_is_received_in_order)
{
    static far_writer writer;
    fixture f;

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    open_reader(&f, k);
    f.r.is_patterned = true;
    writer.fd = f.far_end;
    kit_thread(k, write_large, &writer);
    while (f.r.received < LARGE && !kit_has_failed(k))
        (void)kit_run_until(k, f.loop, &f.r.data_count, f.r.data_count + 1);
    kit_join_all(k);
    CHECK_OK(writer.rc);
    CHECK_EQ(f.r.received, LARGE);
    CHECK_EQ(f.r.wrong_bytes, 0);
    end_and_settle(&f);
}

KIT_TEST(a_buffered_protocol_is_read_into)
{
    static char lent[4];
    fixture f;

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    prepare(&f, k, ISO__PIPE_READS);
    f.r.lent = lent;
    f.r.lent_size = sizeof(lent);
    connect_near(&f, iso_loop_connect_read_pipe, &recorder_buffered);
    far_write(&f, "seven!!");
    far_close(&f);
    CHECK(run_until_idle(k, f.loop));
    CHECK_STR(f.r.text, "seven!!");
    CHECK_GE(f.r.data_count, 2);
}

KIT_TEST(pausing_keeps_what_comes)
{
    fixture f;

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    open_reader(&f, k);
    CHECK(iso_transport_is_reading(f.r.transport));
    CHECK_OK(iso_transport_pause_reading(f.r.transport));
    CHECK(!iso_transport_is_reading(f.r.transport));
    far_write(&f, "patience");
    kit_settle(k, f.loop);
    CHECK_EQ(f.r.data_count, 0);
    CHECK_OK(iso_transport_resume_reading(f.r.transport));
    CHECK(kit_run_until(k, f.loop, &f.r.data_count, 1));
    CHECK_STR(f.r.text, "patience");
    end_and_settle(&f);
}

KIT_TEST(pausing_keeps_the_end_too)
{
    fixture f;

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    open_reader(&f, k);
    CHECK_OK(iso_transport_pause_reading(f.r.transport));
    far_write(&f, "last words");
    far_close(&f);
    kit_settle(k, f.loop);
    CHECK_STR(kit_marks(k), "made");
    CHECK_OK(iso_transport_resume_reading(f.r.transport));
    CHECK(run_until_idle(k, f.loop));
    CHECK_STR(kit_marks(k), "made data eof lost");
}

KIT_TEST(a_reader_can_not_write)
{
    fixture f;

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    open_reader(&f, k);
    CHECK_RC(iso_transport_write(f.r.transport, "x", 1), ISO_EINVALIDSTATE);
    CHECK_RC(iso_transport_write_eof(f.r.transport), ISO_EINVALIDSTATE);
    CHECK(!iso_transport_can_write_eof(f.r.transport));
    CHECK_OK(iso_transport_close(f.r.transport));
    CHECK(run_until_idle(k, f.loop));
    CHECK_STR(kit_marks(k), "made lost");
}

/* ---- writing ---- */

KIT_TEST(what_is_written_arrives)
{
    static unsigned char bytes[100];
    fixture f;

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    open_writer(&f, k);
    pattern_fill(bytes, sizeof(bytes), 0);
    CHECK_OK(iso_transport_write(f.r.transport, bytes, 60));
    CHECK_OK(iso_transport_write(f.r.transport, bytes + 60, 40));
    CHECK_EQ(far_read(&f, sizeof(bytes)), sizeof(bytes));
    CHECK_STR(kit_marks(k), "made");
    end_and_settle(&f);
}

KIT_TEST(a_writer_does_not_read)
{
    fixture f;

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    open_writer(&f, k);
    CHECK(!iso_transport_is_reading(f.r.transport));
    CHECK_OK(iso_transport_resume_reading(f.r.transport));
    CHECK(!iso_transport_is_reading(f.r.transport));
    CHECK_OK(iso_transport_pause_reading(f.r.transport));
    far_close(&f); /* which it learns all the same */
    CHECK(run_until_idle(k, f.loop));
    CHECK_STR(kit_marks(k), "made lost");
}

KIT_TEST(a_full_pipe_pauses_and_an_empty_one_resumes)
{
    fixture f;
    size_t size = 0;

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    open_writer(&f, k);
    CHECK_OK(iso_transport_set_write_buffer_limits(f.r.transport, 1000, 100));
    while (f.r.pause_count == 0 && !kit_has_failed(k)) {
        unsigned char piece[777];

        pattern_fill(piece, sizeof(piece), size);
        CHECK_OK(iso_transport_write(f.r.transport, piece, sizeof(piece)));
        size += sizeof(piece);
    }
    CHECK_EQ(f.r.resume_count, 0);
    CHECK_EQ(far_read(&f, size), size);
    CHECK(kit_run_until(k, f.loop, &f.r.resume_count, 1));
    CHECK_STR(kit_marks(k), "made paused resumed");
    CHECK_EQ(iso_transport_get_write_buffer_size(f.r.transport), 0);
    end_and_settle(&f);
}

KIT_TEST(much_is_written_in_order)
{
    static unsigned char bytes[LARGE];
    fixture f;
    iso_buffer list[3];

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    open_writer(&f, k);
    pattern_fill(bytes, sizeof(bytes), 0);
    list[0].data = bytes;
    list[0].size = 1;
    list[1].data = bytes + 1;
    list[1].size = LARGE / 2;
    list[2].data = bytes + 1 + LARGE / 2;
    list[2].size = LARGE / 2 - 1;
    CHECK_OK(iso_transport_writelines(f.r.transport, list, 3));
    memset(bytes, 0, sizeof(bytes)); /* they were copied */
    CHECK_EQ(far_read(&f, LARGE), LARGE);
    end_and_settle(&f);
}

/* ---- the reader goes away ---- */

KIT_TEST(a_writer_with_nothing_to_say_is_told_that_its_reader_has_gone)
{
    fixture f;

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    open_writer(&f, k);
    far_close(&f);
    CHECK(run_until_idle(k, f.loop));
    CHECK_STR(kit_marks(k), "made lost");
}

KIT_TEST(output_that_nobody_will_read_is_a_broken_pipe)
{
    fixture f;

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    open_writer(&f, k);
    overfill(&f);
    far_close(&f);
    CHECK(run_until_idle(k, f.loop));
    CHECK_RC(f.r.error, ISO_EPIPE);
}

KIT_TEST(writing_to_nobody_is_an_error_and_no_signal)
{
    fixture f;

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
#if defined(SIGPIPE)
    CHECK(signal(SIGPIPE, SIG_DFL) != SIG_ERR); /* it would end the program */
#endif
    open_writer(&f, k);
    far_close(&f);
    CHECK_OK(iso_transport_write(f.r.transport, "x", 1));
    CHECK_OK(iso_transport_write(f.r.transport, "y", 1));
    CHECK(run_until_idle(k, f.loop));
    CHECK_STR(kit_marks(k), "made lost(ISO_EPIPE)");
}

KIT_TEST(a_pipe_that_was_broken_before_is_told_as_one)
{
    fixture f;

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    prepare(&f, k, ISO__PIPE_WRITES);
    far_close(&f);
    connect_near(&f, iso_loop_connect_write_pipe, &recorder_protocol);
    CHECK(run_until_idle(k, f.loop));
    CHECK_STR(kit_marks(k), "made lost");
}

/* ---- ending ---- */

KIT_TEST(close_flushes)
{
    fixture f;

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    open_writer(&f, k);
    overfill(&f);
    CHECK_OK(iso_transport_close(f.r.transport));
    CHECK(iso_transport_is_closing(f.r.transport));
    kit_settle(k, f.loop);
    CHECK_EQ(f.r.lost_count, 0);
    CHECK_EQ(far_read(&f, LARGE + 1), LARGE); /* and then the end */
    CHECK(run_until_idle(k, f.loop));
    CHECK_RC(f.r.error, 0);
}

KIT_TEST(abort_drops)
{
    fixture f;

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    open_writer(&f, k);
    overfill(&f);
    CHECK_OK(iso_transport_abort(f.r.transport));
    CHECK(run_until_idle(k, f.loop));
    CHECK_RC(f.r.error, 0);
    CHECK(far_read(&f, LARGE) < LARGE);
}

KIT_TEST(write_eof_closes_after_the_flush)
{
    fixture f;

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    open_writer(&f, k);
    CHECK(iso_transport_can_write_eof(f.r.transport));
    overfill(&f);
    CHECK_OK(iso_transport_write_eof(f.r.transport));
    CHECK_RC(iso_transport_write(f.r.transport, "x", 1), ISO_EINVALIDSTATE);
    kit_settle(k, f.loop);
    CHECK_EQ(f.r.lost_count, 0);
    CHECK_EQ(far_read(&f, LARGE + 1), LARGE);
    CHECK(run_until_idle(k, f.loop));
    CHECK_RC(f.r.error, 0);
}

KIT_TEST(write_eof_with_nothing_left_closes_at_once)
{
    fixture f;

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    open_writer(&f, k);
    CHECK_OK(iso_transport_write_eof(f.r.transport));
    CHECK(run_until_idle(k, f.loop));
    CHECK_STR(kit_marks(k), "made lost");
    CHECK_EQ(far_read(&f, 1), 0);
}

KIT_TEST(a_loop_that_closes_ends_its_pipes)
{
    static recorder r;
    fixture f;

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    open_writer(&f, k);
    overfill(&f);
    recorder_init(&r, k, NULL);
    CHECK_OK(iso_transport_set_protocol(f.r.transport, &recorder_protocol, &r));
    r.made_count = 1;
    CHECK_OK(iso_loop_close(f.loop));
    CHECK_EQ(r.lost_count, 1);
    CHECK_RC(r.error, ISO_ECLOSED);
}

KIT_TEST(a_pipe_that_was_never_made_is_closed_with_the_loop)
{
    fixture f;
    iso_future *future = NULL;

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    prepare(&f, k, ISO__PIPE_WRITES);
    REQUIRE_OK(iso_loop_connect_write_pipe(f.loop, &recorder_protocol, &f.r,
                                           kit_give(k, f.near_end), &future));
    CHECK_OK(iso_loop_close(f.loop));
    CHECK_EQ(f.r.made_count, f.r.lost_count);
    CHECK(iso_future_cancelled(future));
    iso_future_release(future);
    CHECK_EQ(far_read(&f, 1), 0);
}

KIT_TEST(cancelling_closes_the_pipe)
{
    fixture f;
    iso_future *future = NULL;

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    prepare(&f, k, ISO__PIPE_WRITES);
    REQUIRE_OK(iso_loop_connect_write_pipe(f.loop, &recorder_protocol, &f.r,
                                           kit_give(k, f.near_end), &future));
    CHECK_OK(iso_future_cancel(future));
    CHECK(run_until_idle(k, f.loop));
    CHECK(iso_future_cancelled(future));
    iso_future_release(future);
    CHECK_EQ(f.r.made_count, f.r.lost_count);
    CHECK_EQ(far_read(&f, 1), 0);
}

KIT_TEST(nobody_needs_to_take_the_future)
{
    fixture f;

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    prepare(&f, k, ISO__PIPE_READS);
    REQUIRE_OK(iso_loop_connect_read_pipe(f.loop, &recorder_protocol, &f.r, kit_give(k, f.near_end),
                                          NULL));
    CHECK(kit_run_until(k, f.loop, &f.r.made_count, 1));
    end_and_settle(&f);
}

/* ---- a socket that stands for a pipe: used in one direction ---- */

static void open_socket(fixture *self, kit *k, connect_call call)
{
    iso_fd pair[2];

    self->k = k;
    self->loop = kit_loop(k);
    recorder_init(&self->r, k, "");
    kit_pair(k, pair);
    self->near_end = pair[0];
    self->far_end = pair[1];
    connect_near(self, call, &recorder_protocol);
}

KIT_TEST(a_socket_is_read_as_a_pipe)
{
    iso_extra_info info;
    fixture f;

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    open_socket(&f, k, iso_loop_connect_read_pipe);
    CHECK_OK(iso_transport_get_extra_info(f.r.transport, "pipe", &info));
    CHECK_EQ(info.fd, f.near_end);
    CHECK_RC(iso_transport_get_extra_info(f.r.transport, "peername", &info), ISO_ENOENT);
    CHECK_RC(iso_transport_write(f.r.transport, "x", 1), ISO_EINVALIDSTATE);
    CHECK(!iso_transport_can_write_eof(f.r.transport));
    kit_send(k, f.far_end, "hello", 5);
    far_close(&f);
    CHECK(run_until_idle(k, f.loop));
    CHECK_STR(f.r.text, "hello");
    CHECK_STR(kit_marks(k), "made data eof lost");
}

KIT_TEST(a_socket_is_written_as_a_pipe)
{
    char text[8] = "";
    fixture f;

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    open_socket(&f, k, iso_loop_connect_write_pipe);
    CHECK(!iso_transport_is_reading(f.r.transport));
    CHECK(iso_transport_can_write_eof(f.r.transport));
    CHECK_OK(iso_transport_write(f.r.transport, "hello", 5));
    CHECK_OK(iso_transport_write_eof(f.r.transport)); /* which closes a pipe */
    CHECK(run_until_idle(k, f.loop));
    CHECK_STR(kit_marks(k), "made lost");
    CHECK_EQ(kit_recv(k, f.far_end, text, sizeof(text)), 5);
    CHECK_STR(text, "hello");
}

KIT_TEST(who_writes_a_socket_is_told_that_its_reader_has_gone)
{
    fixture f;

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    open_socket(&f, k, iso_loop_connect_write_pipe);
    kit_send(k, f.far_end, "unheard", 7);
    kit_settle(k, f.loop);
    CHECK_STR(kit_marks(k), "made");
    far_close(&f);
    CHECK(run_until_idle(k, f.loop));
    CHECK_STR(kit_marks(k), "made lost");
}

/* ---- what it is asked ---- */

KIT_TEST(a_pipe_tells_its_descriptor_and_has_no_address)
{
    fixture f;
    iso_extra_info info;

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    open_reader(&f, k);
    CHECK_OK(iso_transport_get_extra_info(f.r.transport, "pipe", &info));
    CHECK_EQ(info.fd, f.near_end);
    CHECK_EQ(info.address.length, 0);
    CHECK_RC(iso_transport_get_extra_info(f.r.transport, "socket", &info), ISO_ENOENT);
    CHECK_RC(iso_transport_get_extra_info(f.r.transport, "peername", &info), ISO_ENOENT);
    CHECK_RC(iso_transport_get_extra_info(f.r.transport, "sockname", &info), ISO_ENOENT);
    end_and_settle(&f);
}

/* ---- what is refused; the pipe stays the caller's, whose kit closes it ---- */

static void expect_refusal(kit *k, iso_loop *loop, iso_fd fd, int error, const char *row)
{
    static const connect_call calls[] = { iso_loop_connect_read_pipe, iso_loop_connect_write_pipe };
    size_t at;

    for (at = 0; at < ISO__COUNT(calls); at++) {
        iso_future *future = NULL;
        recorder r;

        recorder_init(&r, k, NULL);
        CHECK_RC(calls[at](loop, &recorder_protocol, &r, fd, &future), error);
        CHECK_PTR(future, NULL);
        kit_settle(k, loop);
        CHECK_EQ(r.made_count, 0);
        CHECK_EQ(kit_statistics(loop).objects, 0);
        if (row == NULL) continue;
        REQUIRE(iso_loop_last_limit(loop) != NULL);
        CHECK_STR(iso_loop_last_limit(loop)->id, row);
    }
}

KIT_TEST(a_regular_file_is_no_pipe)
{
    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    expect_refusal(k, kit_loop(k), kit_regular_file(k), ISO_ENOTPIPE, "all.pipe_kind");
}

/* CreatePipe makes such. */
KIT_TEST(what_is_not_for_overlapped_use_is_refused_where_that_matters)
{
    iso_loop *loop = kit_loop(k);
    iso_fd ends[2];
    unsigned uses = 0;

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    kit_pipe(k, ends);
    if (iso__limits_enforced(&loop->engine.limits, ISO__ROW_PROACTOR_OVERLAPPED_ONLY))
        expect_refusal(k, loop, ends[0], ISO_ENOTOVERLAPPED, "proactor.overlapped_only");
    else
        CHECK_OK(iso__sys_pipe_uses(ends[0], &uses));
}

KIT_TEST(a_closed_descriptor_is_refused)
{
    iso_loop *loop = kit_loop(k);
    iso_fd ends[2];

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    kit_pipe(k, ends);
    kit_close(k, ends[0]);
    expect_refusal(k, loop, ends[0], ISO_EBADF, NULL);
    expect_refusal(k, loop, ISO_FD_NONE, ISO_EBADF, NULL);
}

KIT_TEST(an_end_is_used_as_it_can_be)
{
    iso_loop *loop = kit_loop(k);
    unsigned use;

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    for (use = ISO__PIPE_READS; use <= ISO__PIPE_WRITES; use++) {
        connect_call wrong =
            use == ISO__PIPE_READS ? iso_loop_connect_write_pipe : iso_loop_connect_read_pipe;
        fixture f;
        unsigned uses = 0;

        open_ends(&f, k, use);
        recorder_init(&f.r, k, NULL);
        REQUIRE_OK(iso__sys_pipe_uses(f.near_end, &uses));
        CHECK((uses & use) != 0);
        if (uses != use) continue; /* pipes of some systems go both ways */
        CHECK_RC(wrong(loop, &recorder_protocol, &f.r, f.near_end, NULL), ISO_EINVAL);
        CHECK_HAS(iso_error_detail(), "can only be");
    }
}

KIT_TEST(an_end_has_one_transport)
{
    fixture f;

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    open_reader(&f, k);
    CHECK_RC(iso_loop_connect_read_pipe(f.loop, &recorder_protocol, &f.r, f.near_end, NULL),
             ISO_EBUSY);
    far_write(&f, "still there");
    CHECK(kit_run_until(k, f.loop, &f.r.data_count, 1));
    end_and_settle(&f);
}

KIT_TEST(nothing_is_taken_for_null)
{
    fixture f;

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    prepare(&f, k, ISO__PIPE_READS);
    CHECK_RC(iso_loop_connect_read_pipe(NULL, &recorder_protocol, &f.r, f.near_end, NULL),
             ISO_EINVAL);
    CHECK_RC(iso_loop_connect_read_pipe(f.loop, NULL, &f.r, f.near_end, NULL), ISO_EINVAL);
    CHECK_RC(iso_loop_connect_write_pipe(NULL, &recorder_protocol, &f.r, f.near_end, NULL),
             ISO_EINVAL);
    CHECK_RC(iso_loop_connect_write_pipe(f.loop, NULL, &f.r, f.near_end, NULL), ISO_EINVAL);
}

KIT_TEST(a_closed_loop_takes_no_pipe)
{
    fixture f;

    prepare(&f, k, ISO__PIPE_READS);
    CHECK_OK(iso_loop_close(f.loop));
    CHECK_RC(iso_loop_connect_read_pipe(f.loop, &recorder_protocol, &f.r, f.near_end, NULL),
             ISO_ECLOSED);
    CHECK_RC(iso_loop_connect_write_pipe(f.loop, &recorder_protocol, &f.r, f.near_end, NULL),
             ISO_ECLOSED);
}

typedef struct stranger {
    iso_loop *loop;
    iso_fd fd;
    int rc;
} stranger;

static void call_from_outside(void *arg)
{
    stranger *self = arg;

    self->rc = iso_loop_connect_read_pipe(self->loop, &recorder_protocol, NULL, self->fd, NULL);
}

KIT_TEST(another_thread_is_refused)
{
    static stranger s;
    fixture f;

    prepare(&f, k, ISO__PIPE_READS);
    s.loop = f.loop;
    s.fd = f.near_end;
    kit_thread(k, call_from_outside, &s);
    kit_join_all(k);
    CHECK_RC(s.rc, ISO_ETHREAD);
}

KIT_TEST(where_pipes_are_not_supported_the_row_says_so)
{
    iso_loop_options options = kit_options(k);
    iso_loop *loop;
    fixture f;

    options.limits = "windows-selector";
    loop = kit_loop_with(k, &options);
    CHECK(!iso_loop_supports(loop, ISO_CAP_PIPES));
    open_ends(&f, k, ISO__PIPE_READS);
    expect_refusal(k, loop, f.near_end, ISO_ENOTSUP, "windows.selector.pipes");
    expect_refusal(k, loop, ISO_FD_NONE, ISO_ENOTSUP, "windows.selector.pipes"); /* above all */
}

/* ---- want of memory ---- */

/* Connect, write more than the pipe holds, and close. Answers what was refused, or 0. */
static int write_much(fixture *self)
{
    static char bytes[256 * 1024];
    iso_future *future = NULL;
    int rc = iso_loop_connect_write_pipe(self->loop, &recorder_protocol, &self->r, self->near_end,
                                         &future);

    if (rc != 0) {
        kit_close(self->k, self->near_end); /* it was not given */
        return rc;
    }
    (void)kit_give(self->k, self->near_end);
    kit_settle(self->k, self->loop);
    CHECK(iso_future_done(future));
    iso_future_release(future);
    if (self->r.transport == NULL || iso_transport_is_closing(self->r.transport)) return ISO_ENOMEM;
    pattern_fill(bytes, sizeof(bytes), 0);
    rc = iso_transport_write(self->r.transport, bytes, sizeof(bytes));
    CHECK_OK(iso_transport_close(self->r.transport));
    return rc;
}

/* The nth allocation fails. Answers whether there was one. */
static bool live_with_failure(kit *k, uint64_t nth)
{
    uint64_t before = kit_memory_now(k).failures;
    fixture f;
    int rc;

    prepare(&f, k, ISO__PIPE_WRITES);
    f.r.name = NULL;
    kit_fail_allocation(k, nth, false);
    rc = write_much(&f);
    (void)far_read(&f, SIZE_MAX);
    kit_fail_allocation(k, 0, false);
    CHECK(run_until_idle(k, f.loop));
    CHECK_EQ(f.r.made_count, f.r.lost_count);
    if (rc != 0) {
        CHECK_RC(rc, ISO_ENOMEM);
        CHECK_GE(kit_memory_now(k).failures, before + 1);
    }
    kit_release_loop(k, f.loop);
    kit_close(k, f.far_end);
    return kit_memory_now(k).failures > before;
}

KIT_TEST(every_allocation_may_fail)
{
    uint64_t nth = 1;

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    while (nth < 100 && live_with_failure(k, nth)) nth++;
    (void)kit_logged(k, "");
    CHECK_GE(nth, 4);
    CHECK(nth < 100);
}

static const kit_case cases[] = {
    KIT_CASE(what_is_written_to_a_pipe_is_received),
    KIT_CASE(what_was_there_before_is_received),
    KIT_CASE(the_end_of_the_writer_is_the_end_of_the_reader),
    KIT_CASE(a_pipe_that_is_read_does_not_outlive_its_end),
    KIT_CASE(much_is_received_in_order),
    KIT_CASE(a_buffered_protocol_is_read_into),
    KIT_CASE(pausing_keeps_what_comes),
    KIT_CASE(pausing_keeps_the_end_too),
    KIT_CASE(a_reader_can_not_write),
    KIT_CASE(what_is_written_arrives),
    KIT_CASE(a_writer_does_not_read),
    KIT_CASE(a_full_pipe_pauses_and_an_empty_one_resumes),
    KIT_CASE(much_is_written_in_order),
    KIT_CASE(a_writer_with_nothing_to_say_is_told_that_its_reader_has_gone),
    KIT_CASE(output_that_nobody_will_read_is_a_broken_pipe),
    KIT_CASE(writing_to_nobody_is_an_error_and_no_signal),
    KIT_CASE(a_pipe_that_was_broken_before_is_told_as_one),
    KIT_CASE(close_flushes),
    KIT_CASE(abort_drops),
    KIT_CASE(write_eof_closes_after_the_flush),
    KIT_CASE(write_eof_with_nothing_left_closes_at_once),
    KIT_CASE(a_loop_that_closes_ends_its_pipes),
    KIT_CASE(a_pipe_that_was_never_made_is_closed_with_the_loop),
    KIT_CASE(cancelling_closes_the_pipe),
    KIT_CASE(nobody_needs_to_take_the_future),
    KIT_CASE(a_socket_is_read_as_a_pipe),
    KIT_CASE(a_socket_is_written_as_a_pipe),
    KIT_CASE(who_writes_a_socket_is_told_that_its_reader_has_gone),
    KIT_CASE(a_pipe_tells_its_descriptor_and_has_no_address),
    KIT_CASE(a_regular_file_is_no_pipe),
    KIT_CASE(what_is_not_for_overlapped_use_is_refused_where_that_matters),
    KIT_CASE(a_closed_descriptor_is_refused),
    KIT_CASE(an_end_is_used_as_it_can_be),
    KIT_CASE(an_end_has_one_transport),
    KIT_CASE(nothing_is_taken_for_null),
    KIT_CASE(a_closed_loop_takes_no_pipe),
    KIT_CASE(another_thread_is_refused),
    KIT_CASE(where_pipes_are_not_supported_the_row_says_so),
    KIT_CASE(every_allocation_may_fail),
};

KIT_MAIN(cases)
