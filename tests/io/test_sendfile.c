/* SPDX-License-Identifier: MIT */
/* sendfile and sock_sendfile: what arrives, in which order, what it tells, how it ends. Most cases
 * run twice: as the driver would do it, and with a driver that has no native way, so that the bytes
 * are copied. */
#include "io/file.h"
#include "io/recorder.h"
#include "loop/loop.h"
#include "sys/pipe.h"
#include "sys/send_file.h"
#include "sys/sock.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { KILO = 1024, MEGA = 1024 * 1024, PART_MAX = 2 * MEGA, NEVER = INT_MAX };

/* ---- a driver that is watched, and says that there is no native way from some call on ---- */

static struct {
    iso__driver_class kind;
    const iso__driver_class *real;
    int calls;
    int refused_from;
    bool refuses_late; /* by `done` */
    size_t largest;
} watched;

static void run_refused(iso__engine *engine, iso__node *node)
{
    iso__op *op = ISO__CONTAINER(node, iso__op, node);

    (void)engine;
    op->done(op, ISO_ENOTSUP);
}

static int watched_sendfile(iso__driver *driver, iso__op *op)
{
    watched.calls++;
    if (op->what.file.size > watched.largest) watched.largest = op->what.file.size;
    if (watched.calls <= watched.refused_from) return watched.real->sendfile(driver, op);
    if (!watched.refuses_late) return ISO_ENOTSUP;
    op->verb = ISO__OP_SENDFILE;
    op->node.run = run_refused;
    iso__driver_ready(driver, &op->node);
    return 0;
}

static void watch_driver(iso_loop *loop, int refused_from)
{
    memset(&watched, 0, sizeof(watched));
    watched.real = loop->engine.driver->kind;
    watched.kind = *watched.real;
    watched.kind.sendfile = watched_sendfile;
    watched.refused_from = refused_from;
    loop->engine.driver->kind = &watched.kind;
}

/* ---- what the cases share ---- */

typedef struct fixture {
    kit *k;
    iso_loop *loop;
    iso_fd peer;
    iso_fd file;
    recorder r;
    iso_future *future;
} fixture;

static iso_fd new_file(kit *k, file_use use, size_t size)
{
    static unsigned char piece[MEGA];
    iso_fd file = ISO_FD_NONE;
    size_t at;

    REQUIRE_OK(file_open(&file, use));
    (void)kit_own(k, file);
    for (at = 0; at < size; at += sizeof(piece)) {
        pattern_fill(piece, sizeof(piece), at);
        REQUIRE_OK(
            file_write(file, at, piece, size - at < sizeof(piece) ? size - at : sizeof(piece)));
    }
    return file;
}

static void open_loop(fixture *f, kit *k, int refused_from)
{
    memset(f, 0, sizeof(*f));
    f->k = k;
    f->loop = kit_loop(k);
    watch_driver(f->loop, refused_from);
}

static void open_transport(fixture *f, kit *k, int refused_from)
{
    iso_fd ends[2];

    open_loop(f, k, refused_from);
    kit_pair(k, ends);
    f->peer = ends[1];
    recorder_init(&f->r, k, "");
    recorder_open(&f->r, f->loop, ends[0]);
    kit_clear_marks(k);
}

static void end_and_settle(fixture *f)
{
    if (f->r.transport != NULL) CHECK_OK(iso_transport_abort(f->r.transport));
    if (!iso_loop_is_closed(f->loop)) kit_settle(f->k, f->loop);
    CHECK_EQ(f->r.lost_count, 1);
    kit_release_loop(f->k, f->loop);
}

/* A case for either way. */
static void both_ways(kit *k, size_t size, void (*run)(fixture *f))
{
    fixture f;

    open_transport(&f, k, NEVER);
    f.file = new_file(k, FILE_FOR_BOTH, size);
    run(&f);
    end_and_settle(&f);
    if (kit_has_failed(k)) return;

    open_transport(&f, k, 0);
    f.file = new_file(k, FILE_FOR_BOTH, size);
    run(&f);
    end_and_settle(&f);
    if (kit_has_failed(k)) printf("        when it was copied\n");
}

static int send_file(fixture *f, uint64_t offset, uint64_t count)
{
    iso_sendfile_options options = ISO_SENDFILE_OPTIONS_INIT;

    options.offset = offset;
    options.count = count;
    f->future = NULL;
    return iso_loop_sendfile(f->loop, f->r.transport, f->file, &options, &f->future);
}

/* Begin, and go on until nothing moves any more without the peer. */
static void send_and_settle(fixture *f)
{
    REQUIRE_OK(send_file(f, 0, 0));
    kit_settle(f->k, f->loop);
    CHECK(!iso_future_done(f->future));
}

/* Run to the end; answers the number that it ended with, or its error. */
static intptr_t outcome(fixture *f)
{
    intptr_t number = 0;
    int rc = kit_run(f->k, f->loop, f->future);

    if (rc == 0) CHECK_OK(iso_future_number(f->future, &number));
    iso_future_release(f->future);
    f->future = NULL;
    return rc == 0 ? number : rc;
}

static size_t read_peer(fixture *f, size_t position, size_t size)
{
    return drain(f->k, f->loop, f->peer, position, size);
}

/* Close, and demand that no byte of the file is left to come. */
static void demand_no_more(fixture *f)
{
    CHECK_OK(iso_transport_close(f->r.transport));
    CHECK_EQ(read_peer(f, 0, 1), 0);
}

static void demand_idle(fixture *f)
{
    CHECK_EQ(kit_statistics(f->loop).objects, 0);
}

static bool is_selector(const kit *k)
{
    return strncmp(kit_backend(k), "selector:", 9) == 0;
}

/* Whether this system and this kind of loop can do it natively. */
static bool has_native_way(kit *k)
{
    iso_fd ends[2];
    iso_fd file;
    bool has;

    if (strcmp(kit_backend(k), "proactor:iocp") == 0) return true;
    kit_pair(k, ends);
    file = new_file(k, FILE_FOR_BOTH, 1);
    has = iso__sys_sendfile(ends[0], file, 0, 1) == 1;
    kit_close(k, file);
    kit_close(k, ends[0]);
    kit_close(k, ends[1]);
    return has;
}

/* ---- what arrives ---- */

static void whole_file(fixture *f)
{
    CHECK_OK(send_file(f, 0, 0));
    CHECK(!iso_future_done(f->future));

    CHECK_EQ(read_peer(f, 0, 100 * KILO), 100 * KILO);
    CHECK_EQ(outcome(f), 100 * KILO);

    CHECK_EQ(file_position(f->file), 100 * KILO);
    demand_no_more(f);
}

KIT_TEST(a_whole_file_arrives)
{
    both_ways(k, 100 * KILO, whole_file);
}

static void a_part(fixture *f)
{
    CHECK_OK(send_file(f, 12345, 54321));

    CHECK_EQ(read_peer(f, 12345, 54321), 54321);
    CHECK_EQ(outcome(f), 54321);

    CHECK_EQ(file_position(f->file), 12345 + 54321);
    demand_no_more(f);
}

KIT_TEST(offset_and_count_say_which_part_arrives)
{
    both_ways(k, 100 * KILO, a_part);
}

static void past_the_end(fixture *f)
{
    CHECK_OK(send_file(f, 90 * KILO, 20 * KILO));

    CHECK_EQ(read_peer(f, 90 * KILO, 10 * KILO), 10 * KILO);
    CHECK_EQ(outcome(f), 10 * KILO);

    CHECK_EQ(file_position(f->file), 100 * KILO);
    demand_no_more(f);
}

KIT_TEST(a_count_past_the_end_sends_what_there_is)
{
    both_ways(k, 100 * KILO, past_the_end);
}

static void largest_numbers(fixture *f)
{
    CHECK_OK(send_file(f, 1, INT64_MAX));
    CHECK_EQ(read_peer(f, 1, KILO - 1), KILO - 1);
    CHECK_EQ(outcome(f), KILO - 1);

    CHECK_OK(send_file(f, INT64_MAX, INT64_MAX));
    CHECK_EQ(outcome(f), 0);
}

KIT_TEST(the_largest_offset_and_count_do_no_harm)
{
    both_ways(k, KILO, largest_numbers);
}

static void from_past_the_end(fixture *f)
{
    CHECK_OK(send_file(f, 2 * KILO, 0));

    CHECK_EQ(outcome(f), 0);

    CHECK_EQ(file_position(f->file), 2 * KILO);
    demand_no_more(f);
}

KIT_TEST(an_offset_past_the_end_sends_nothing)
{
    both_ways(k, KILO, from_past_the_end);
}

static void empty_file(fixture *f)
{
    CHECK_OK(send_file(f, 0, 0));
    CHECK(!iso_future_done(f->future));

    CHECK_EQ(outcome(f), 0);

    demand_no_more(f);
}

KIT_TEST(an_empty_file_is_sent_at_once)
{
    both_ways(k, 0, empty_file);
}

static void large_file(fixture *f)
{
    CHECK_OK(send_file(f, 0, 0));

    CHECK_EQ(read_peer(f, 0, 8 * MEGA), 8 * MEGA); /* each byte is compared */
    CHECK_EQ(outcome(f), 8 * MEGA);

    CHECK_EQ(file_position(f->file), 8 * MEGA);
    demand_no_more(f);
}

KIT_TEST(eight_megabytes_arrive_at_a_slow_reader)
{
    both_ways(k, 8 * MEGA, large_file);
}

KIT_TEST(one_operation_moves_two_megabytes_at_most)
{
    fixture f;

    open_transport(&f, k, NEVER);
    f.file = new_file(k, FILE_FOR_BOTH, 5 * MEGA);
    CHECK_OK(send_file(&f, 0, 0));
    CHECK_EQ(read_peer(&f, 0, 5 * MEGA), 5 * MEGA);
    CHECK_EQ(outcome(&f), 5 * MEGA);
    CHECK_GE(watched.calls, has_native_way(k) ? 3 : 1);
    CHECK_EQ(watched.largest, PART_MAX);
    end_and_settle(&f);
}

KIT_TEST(a_file_arrives_over_tcp)
{
    fixture f;
    iso_fd ends[2];

    open_loop(&f, k, NEVER);
    tcp_pair(k, ends);
    f.peer = ends[1];
    recorder_init(&f.r, k, "");
    recorder_open(&f.r, f.loop, ends[0]);
    f.file = new_file(k, FILE_FOR_BOTH, 3 * MEGA);
    CHECK_OK(send_file(&f, 0, 0));
    CHECK_EQ(read_peer(&f, 0, 3 * MEGA), 3 * MEGA);
    CHECK_EQ(outcome(&f), 3 * MEGA);
    end_and_settle(&f);
}

static void without_options(fixture *f)
{
    CHECK_OK(iso_loop_sendfile(f->loop, f->r.transport, f->file, NULL, &f->future));
    CHECK_EQ(outcome(f), KILO);
    CHECK_EQ(read_peer(f, 0, KILO), KILO);

    CHECK_OK(iso_loop_sendfile(f->loop, f->r.transport, f->file, NULL, NULL));
    CHECK_EQ(read_peer(f, 0, KILO), KILO);
}

KIT_TEST(neither_options_nor_a_future_are_needed)
{
    both_ways(k, KILO, without_options);
}

static void again(fixture *f)
{
    int round;

    for (round = 0; round < 5; round++) {
        CHECK_OK(send_file(f, 0, 0));
        CHECK_EQ(read_peer(f, 0, 10 * KILO), 10 * KILO);
        CHECK_EQ(outcome(f), 10 * KILO);
        CHECK_OK(iso_transport_write(f->r.transport, "\0", 1)); /* the pattern begins with it */
        CHECK_EQ(read_peer(f, 0, 1), 1);
    }
}

KIT_TEST(one_file_follows_another)
{
    both_ways(k, 10 * KILO, again);
}

KIT_TEST(a_file_for_overlapped_use_can_be_sent)
{
    fixture f;
    int refused_from;

    for (refused_from = 0; refused_from <= 1; refused_from++) {
        open_transport(&f, k, refused_from == 0 ? 0 : NEVER);
        f.file = new_file(k, FILE_FOR_OVERLAPPED, 300 * KILO);
        CHECK_OK(send_file(&f, 1, 0));
        CHECK_EQ(read_peer(&f, 1, 300 * KILO - 1), 300 * KILO - 1);
        CHECK_EQ(outcome(&f), 300 * KILO - 1);
        end_and_settle(&f);
    }
}

static void growing(fixture *f)
{
    unsigned char piece[KILO];

    send_and_settle(f);
    pattern_fill(piece, sizeof(piece), 4 * MEGA);
    CHECK_OK(file_write(f->file, 4 * MEGA, piece, sizeof(piece)));

    CHECK_EQ(read_peer(f, 0, 4 * MEGA + KILO), 4 * MEGA + KILO);
    CHECK_EQ(outcome(f), 4 * MEGA + KILO);
}

KIT_TEST(a_file_that_grows_is_sent_to_its_new_end)
{
    both_ways(k, 4 * MEGA, growing);
}

static void shrinking(fixture *f)
{
    intptr_t sent;

    send_and_settle(f);
    CHECK_OK(file_cut(f->file, 5 * MEGA));

    CHECK_EQ(read_peer(f, 0, 5 * MEGA), 5 * MEGA);
    sent = outcome(f);
    CHECK_EQ(sent, 5 * MEGA);
    CHECK_EQ(file_position(f->file), 5 * MEGA);
    demand_no_more(f);
}

KIT_TEST(a_file_that_is_cut_off_ends_there)
{
    both_ways(k, 8 * MEGA, shrinking);
}

/* ---- native or copied ---- */

KIT_TEST(without_fallback_only_the_native_way_is_gone)
{
    iso_sendfile_options options = ISO_SENDFILE_OPTIONS_INIT;
    bool is_native = has_native_way(k);
    fixture f;

    open_transport(&f, k, NEVER);
    f.file = new_file(k, FILE_FOR_BOTH, KILO);
    options.fallback = false;
    CHECK_OK(iso_loop_sendfile(f.loop, f.r.transport, f.file, &options, &f.future));
    CHECK_EQ(outcome(&f), is_native ? KILO : ISO_ENOTSUP);
    CHECK_EQ(read_peer(&f, 0, is_native ? KILO : 0), is_native ? KILO : 0);
    demand_no_more(&f);
    end_and_settle(&f);
}

KIT_TEST(without_fallback_and_without_a_native_way_nothing_is_sent)
{
    iso_sendfile_options options = ISO_SENDFILE_OPTIONS_INIT;
    fixture f;

    open_transport(&f, k, 0);
    f.file = new_file(k, FILE_FOR_BOTH, KILO);
    options.fallback = false;
    options.offset = 10;
    CHECK_OK(iso_loop_sendfile(f.loop, f.r.transport, f.file, &options, &f.future));

    CHECK_RC(outcome(&f), ISO_ENOTSUP);

    CHECK_EQ(file_position(f.file), 10);
    CHECK(!iso_transport_is_closing(f.r.transport));
    CHECK(iso_transport_is_reading(f.r.transport));
    demand_no_more(&f);
    end_and_settle(&f);
}

static void refuse_the_second(kit *k, bool late)
{
    fixture f;

    open_transport(&f, k, 1);
    watched.refuses_late = late;
    f.file = new_file(k, FILE_FOR_BOTH, 5 * MEGA);
    CHECK_OK(send_file(&f, 100, 0));
    CHECK_EQ(read_peer(&f, 100, 5 * MEGA - 100), 5 * MEGA - 100);
    CHECK_EQ(outcome(&f), 5 * MEGA - 100);
    CHECK_EQ(watched.calls, has_native_way(k) ? 2 : 1);
    end_and_settle(&f);
}

KIT_TEST(where_the_native_way_ends_copying_goes_on)
{
    refuse_the_second(k, false);
    refuse_the_second(k, true);
}

KIT_TEST(a_native_way_that_is_refused_late_is_one_that_there_is_not)
{
    iso_sendfile_options options = ISO_SENDFILE_OPTIONS_INIT;
    fixture f;

    open_transport(&f, k, 0);
    watched.refuses_late = true;
    f.file = new_file(k, FILE_FOR_BOTH, KILO);
    options.fallback = false;
    CHECK_OK(iso_loop_sendfile(f.loop, f.r.transport, f.file, &options, &f.future));
    CHECK_RC(outcome(&f), ISO_ENOTSUP);
    CHECK(!iso_transport_is_closing(f.r.transport));
    demand_no_more(&f);
    end_and_settle(&f);
}

static void open_pipe(fixture *f, kit *k, iso_fd *far_end)
{
    iso_future *future = NULL;
    iso__pipe_before before;
    iso_fd near_end;

    open_loop(f, k, NEVER);
    REQUIRE_OK(iso__sys_pipe_open(&near_end, far_end, ISO__PIPE_WRITES));
    (void)kit_own(k, *far_end);
    REQUIRE_OK(iso__sys_pipe_adopt(*far_end, &before)); /* it does not block */
    iso__sys_pipe_keep(&before);
    recorder_init(&f->r, k, "");
    REQUIRE_OK(iso_loop_connect_write_pipe(f->loop, &recorder_protocol, &f->r, near_end, &future));
    REQUIRE_OK(kit_run_release(k, f->loop, future));
    f->file = new_file(k, FILE_FOR_BOTH, MEGA);
}

KIT_TEST(into_a_pipe_it_is_copied)
{
    static unsigned char piece[64 * KILO];
    iso_nsec end = kit_now() + ISO_S(30);
    size_t received = 0;
    fixture f;
    iso_fd far_end;

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    open_pipe(&f, k, &far_end);
    CHECK_OK(send_file(&f, 0, 0));
    while (received < MEGA && CHECK(kit_now() < end)) {
        ptrdiff_t got = iso__sys_pipe_read(far_end, piece, sizeof(piece));

        if (got == ISO_EAGAIN) {
            (void)iso_loop_run_once(f.loop, ISO_MS(1));
            continue;
        }
        if (!CHECK(got > 0)) break;
        CHECK_EQ(pattern_wrong(piece, (size_t)got, received), 0);
        received += (size_t)got;
    }
    CHECK_EQ(received, MEGA);
    CHECK_EQ(outcome(&f), MEGA);
    CHECK_EQ(watched.calls, 0);
    end_and_settle(&f);
}

KIT_TEST(into_a_pipe_there_is_no_native_way)
{
    iso_sendfile_options options = ISO_SENDFILE_OPTIONS_INIT;
    fixture f;
    iso_fd far_end;

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    open_pipe(&f, k, &far_end);
    options.fallback = false;
    CHECK_OK(iso_loop_sendfile(f.loop, f.r.transport, f.file, &options, &f.future));
    CHECK_RC(outcome(&f), ISO_ENOTSUP);
    CHECK(!iso_transport_is_closing(f.r.transport));
    end_and_settle(&f);
}

KIT_TEST(a_pipe_whose_reader_has_gone_is_an_error)
{
    fixture f;
    iso_fd far_end;

    if (!kit_needs(k, ISO_CAP_PIPES)) return;
    open_pipe(&f, k, &far_end);
    CHECK_OK(send_file(&f, 0, 0));
    kit_settle(k, f.loop);
    CHECK(!iso_future_done(f.future));
    kit_close(k, far_end);
    CHECK_RC(outcome(&f), ISO_EPIPE);
    (void)kit_run_until(k, f.loop, &f.r.lost_count, 1);
    CHECK_RC(f.r.error, ISO_EPIPE);
    end_and_settle(&f);
}

/* ---- what is before it, and beside it ---- */

static void after_output(fixture *f)
{
    size_t before = stuff(f->r.transport, 0);
    unsigned char rest[100];

    CHECK_OK(send_file(f, before, 0)); /* what was written ends where the file begins */
    kit_settle(f->k, f->loop);
    CHECK_EQ(read_peer(f, 0, 8 * MEGA), 8 * MEGA);
    CHECK_EQ(outcome(f), (intptr_t)(8 * MEGA - before));

    pattern_fill(rest, sizeof(rest), 8 * MEGA);
    CHECK_OK(iso_transport_write(f->r.transport, rest, sizeof(rest)));
    CHECK_EQ(read_peer(f, 8 * MEGA, sizeof(rest)), sizeof(rest));
    demand_no_more(f);
}

KIT_TEST(a_file_comes_after_what_was_written_before_it)
{
    both_ways(k, 8 * MEGA, after_output);
}

static void busy_writes(fixture *f)
{
    static const iso_buffer list[] = { { "abc", 3 }, { "de", 2 } };
    iso_future *other = NULL;

    CHECK_RC(iso_transport_write(f->r.transport, "abc", 3), ISO_EBUSY);
    CHECK_RC(iso_transport_write(f->r.transport, "", 0), ISO_EBUSY);
    CHECK_RC(iso_transport_writelines(f->r.transport, list, 2), ISO_EBUSY);
    CHECK_RC(iso_transport_write_eof(f->r.transport), ISO_EBUSY);
    CHECK_RC(iso_loop_sendfile(f->loop, f->r.transport, f->file, NULL, &other), ISO_EBUSY);
    CHECK(other == NULL);
}

static void writing_meanwhile(fixture *f)
{
    REQUIRE_OK(send_file(f, 0, 0));
    busy_writes(f); /* before the first byte */
    kit_settle(f->k, f->loop);
    busy_writes(f); /* and in the middle */

    CHECK_EQ(read_peer(f, 0, 4 * MEGA), 4 * MEGA);
    CHECK_EQ(outcome(f), 4 * MEGA);
    CHECK_OK(iso_transport_write(f->r.transport, "", 0));
    CHECK_OK(iso_transport_write_eof(f->r.transport));
    CHECK_EQ(read_peer(f, 0, 1), 0);
}

KIT_TEST(writing_meanwhile_is_refused)
{
    both_ways(k, 4 * MEGA, writing_meanwhile);
}

static void write_while_resumed(recorder *r)
{
    CHECK_RC(iso_transport_write(r->transport, "x", 1), ISO_EBUSY);
}

static void waiting_for_output(fixture *f)
{
    size_t before;

    CHECK_OK(iso_transport_set_write_buffer_limits(f->r.transport, 1, 0));
    before = stuff(f->r.transport, 0);
    CHECK_EQ(f->r.pause_count, 1);
    f->r.when_resumed = write_while_resumed;
    CHECK_OK(send_file(f, before, 0));
    busy_writes(f);
    CHECK_EQ(read_peer(f, 0, 8 * MEGA), 8 * MEGA);
    CHECK_EQ(outcome(f), (intptr_t)(8 * MEGA - before));
    CHECK_EQ(f->r.resume_count, 1);
}

KIT_TEST(writing_is_refused_from_the_call_on)
{
    both_ways(k, 8 * MEGA, waiting_for_output);
}

/* ---- reading ---- */

static void reading_stops(fixture *f)
{
    send_and_settle(f);
    CHECK(!iso_transport_is_reading(f->r.transport));
    kit_send(f->k, f->peer, "hello", 5);
    kit_settle(f->k, f->loop);
    CHECK_EQ(f->r.received, 0);

    CHECK_EQ(read_peer(f, 0, 4 * MEGA), 4 * MEGA);
    CHECK_EQ(outcome(f), 4 * MEGA);

    CHECK(iso_transport_is_reading(f->r.transport));
    (void)kit_run_until(f->k, f->loop, &f->r.data_count, 1);
    CHECK_STR(f->r.text, "hello");
}

KIT_TEST(reading_is_paused_meanwhile_and_goes_on_afterwards)
{
    both_ways(k, 4 * MEGA, reading_stops);
}

static void reading_was_paused(fixture *f)
{
    CHECK_OK(iso_transport_pause_reading(f->r.transport));
    CHECK_OK(send_file(f, 0, 0));
    CHECK_EQ(read_peer(f, 0, KILO), KILO);
    CHECK_EQ(outcome(f), KILO);

    CHECK(!iso_transport_is_reading(f->r.transport));
    kit_send(f->k, f->peer, "hello", 5);
    kit_settle(f->k, f->loop);
    CHECK_EQ(f->r.received, 0);
    CHECK_OK(iso_transport_resume_reading(f->r.transport));
    (void)kit_run_until(f->k, f->loop, &f->r.data_count, 1);
}

KIT_TEST(reading_that_was_paused_stays_so)
{
    both_ways(k, KILO, reading_was_paused);
}

static void reading_is_paused(fixture *f)
{
    send_and_settle(f);
    CHECK_OK(iso_transport_pause_reading(f->r.transport));
    CHECK_EQ(read_peer(f, 0, 4 * MEGA), 4 * MEGA);
    CHECK_EQ(outcome(f), 4 * MEGA);
    CHECK(!iso_transport_is_reading(f->r.transport));
}

KIT_TEST(reading_that_is_paused_meanwhile_stays_so)
{
    both_ways(k, 4 * MEGA, reading_is_paused);
}

static void reading_is_resumed(fixture *f)
{
    send_and_settle(f);
    CHECK_OK(iso_transport_resume_reading(f->r.transport));
    CHECK(iso_transport_is_reading(f->r.transport));
    kit_send(f->k, f->peer, "hello", 5);
    (void)kit_run_until(f->k, f->loop, &f->r.data_count, 1);
    CHECK(!iso_future_done(f->future));
    CHECK_EQ(read_peer(f, 0, 4 * MEGA), 4 * MEGA);
    CHECK_EQ(outcome(f), 4 * MEGA);
    CHECK(iso_transport_is_reading(f->r.transport));
}

KIT_TEST(the_program_can_read_meanwhile)
{
    both_ways(k, 4 * MEGA, reading_is_resumed);
}

/* ---- how it ends otherwise ---- */

static void closed(fixture *f)
{
    send_and_settle(f);
    CHECK_OK(iso_transport_close(f->r.transport));
    CHECK_RC(outcome(f), ISO_ECLOSED);
    CHECK_LE(file_position(f->file), 8 * MEGA - 1);
    kit_settle(f->k, f->loop);
    CHECK_EQ(f->r.lost_count, 1);
    CHECK_OK(f->r.error);
}

KIT_TEST(closing_the_transport_ends_it)
{
    both_ways(k, 8 * MEGA, closed);
}

static void aborted(fixture *f)
{
    send_and_settle(f);
    CHECK_OK(iso_transport_abort(f->r.transport));
    CHECK_RC(outcome(f), ISO_ECLOSED);
    kit_settle(f->k, f->loop);
    CHECK_EQ(f->r.lost_count, 1);
    CHECK_OK(f->r.error);
}

KIT_TEST(aborting_the_transport_ends_it)
{
    both_ways(k, 8 * MEGA, aborted);
}

static void aborted_at_once(fixture *f)
{
    CHECK_OK(send_file(f, 0, 0));
    CHECK_OK(iso_transport_abort(f->r.transport));
    CHECK_RC(outcome(f), ISO_ECLOSED);
    CHECK_EQ(watched.calls, 0);
}

KIT_TEST(aborting_before_the_first_byte_ends_it)
{
    both_ways(k, KILO, aborted_at_once);
}

static void closed_while_waiting(fixture *f)
{
    size_t before = stuff(f->r.transport, 0);

    CHECK_OK(send_file(f, 0, 0));
    CHECK_OK(iso_transport_close(f->r.transport));
    CHECK_RC(outcome(f), ISO_ECLOSED);
    CHECK_EQ(file_position(f->file), 0);
    CHECK_EQ(read_peer(f, 0, before + 1), before); /* what was written still comes, and no more */
    kit_settle(f->k, f->loop);
    CHECK_EQ(f->r.lost_count, 1);
}

KIT_TEST(closing_before_its_turn_sends_what_was_written)
{
    both_ways(k, KILO, closed_while_waiting);
}

static void peer_gone(fixture *f)
{
    int error;

    send_and_settle(f);
    kit_close(f->k, f->peer);
    error = (int)outcome(f);
    CHECK(is_reset(error));
    (void)kit_run_until(f->k, f->loop, &f->r.lost_count, 1);
    CHECK_RC(f->r.error, error);
}

KIT_TEST(a_peer_that_vanishes_is_told_by_the_future_and_by_connection_lost)
{
    both_ways(k, 8 * MEGA, peer_gone);
}

typedef struct told {
    int count;
    int error;
    const iso_future *future;
} told;

static void note(iso_loop *loop, const iso_exception_context *context, void *arg)
{
    told *it = arg;

    (void)loop;
    it->count++;
    it->error = context->error;
    it->future = context->future;
}

static void peer_gone_unheard(fixture *f)
{
    told it = { 0, 0, NULL };

    CHECK_OK(iso_loop_set_exception_handler(f->loop, note, &it));
    CHECK_OK(iso_loop_sendfile(f->loop, f->r.transport, f->file, NULL, NULL));
    kit_settle(f->k, f->loop);
    kit_close(f->k, f->peer);
    (void)kit_run_until(f->k, f->loop, &it.count, 1);
    CHECK(is_reset(it.error));
    CHECK(it.future != NULL);
    (void)kit_run_until(f->k, f->loop, &f->r.lost_count, 1);
    CHECK_OK(iso_loop_set_exception_handler(f->loop, NULL, NULL));
}

KIT_TEST(an_error_that_nobody_asks_for_goes_to_the_exception_handler)
{
    both_ways(k, 8 * MEGA, peer_gone_unheard);
}

/* What the kernel held, when it was cancelled, may go on to be sent: only a selector loop knows
 * exactly. */
static void cancelled(fixture *f)
{
    uint64_t position;

    send_and_settle(f);
    CHECK_OK(iso_future_cancel(f->future));
    CHECK_RC(outcome(f), ISO_ECANCELED);
    position = file_position(f->file);
    CHECK_LE(position, 8 * MEGA - 1);
    CHECK(!iso_transport_is_closing(f->r.transport));
    CHECK(iso_transport_is_reading(f->r.transport));
    if (!is_selector(f->k)) return;
    CHECK_GE(position, 1);
    CHECK_EQ(read_peer(f, 0, (size_t)position), position);
    CHECK_OK(iso_transport_write(f->r.transport, "\0", 1));
    CHECK_EQ(read_peer(f, 0, 1), 1);
    demand_no_more(f);
}

KIT_TEST(cancelling_the_future_ends_it_and_leaves_the_connection)
{
    both_ways(k, 8 * MEGA, cancelled);
}

/* Here the driver has sent it all, and nobody was told yet. */
static void cancelled_untold(fixture *f)
{
    CHECK_OK(send_file(f, 0, 0));
    (void)kit_turn(f->k, f->loop);
    CHECK_OK(iso_future_cancel(f->future));
    CHECK_RC(outcome(f), ISO_ECANCELED);
    CHECK_LE(file_position(f->file), KILO);
    if (!is_selector(f->k)) return;
    CHECK_EQ(read_peer(f, 0, (size_t)file_position(f->file)), file_position(f->file));
    demand_no_more(f);
}

KIT_TEST(cancelling_before_it_is_told_counts_what_was_sent)
{
    both_ways(k, KILO, cancelled_untold);
}

static void end_all(iso_loop *loop, const iso_exception_context *context, void *arg)
{
    (void)context;
    CHECK_OK(iso_loop_close(loop));
    ++*(int *)arg;
}

static void handler_closes(fixture *f)
{
    int count = 0;

    CHECK_OK(iso_loop_set_exception_handler(f->loop, end_all, &count));
    CHECK_OK(iso_loop_sendfile(f->loop, f->r.transport, f->file, NULL, NULL));
    kit_settle(f->k, f->loop);
    CHECK_OK(iso_transport_close(f->r.transport));
    CHECK_EQ(count, 1);
    f->r.transport = NULL;
}

KIT_TEST(an_exception_handler_may_close_the_loop_when_the_transport_is_closed)
{
    both_ways(k, 8 * MEGA, handler_closes);
}

static void cancelled_at_once(fixture *f)
{
    CHECK_OK(send_file(f, 3, 0));
    CHECK_OK(iso_future_cancel(f->future));
    CHECK_RC(outcome(f), ISO_ECANCELED);
    CHECK_EQ(file_position(f->file), 3);
    CHECK_EQ(watched.calls, 0);
    demand_no_more(f);
}

KIT_TEST(cancelling_before_the_first_byte_sends_nothing)
{
    both_ways(k, KILO, cancelled_at_once);
}

static void cancelled_while_waiting(fixture *f)
{
    size_t before = stuff(f->r.transport, 0);
    unsigned char rest[100];

    CHECK_OK(send_file(f, 0, 0));
    kit_settle(f->k, f->loop);
    CHECK_OK(iso_future_cancel(f->future));
    CHECK_RC(outcome(f), ISO_ECANCELED);
    pattern_fill(rest, sizeof(rest), before);
    CHECK_OK(iso_transport_write(f->r.transport, rest, sizeof(rest)));
    CHECK_EQ(read_peer(f, 0, before + sizeof(rest)), before + sizeof(rest));
    demand_no_more(f);
}

KIT_TEST(cancelling_before_its_turn_lets_the_program_write_on)
{
    both_ways(k, KILO, cancelled_while_waiting);
}

static void file_closed(fixture *f)
{
    static unsigned char piece[64 * KILO];
    iso_nsec end = kit_now() + ISO_S(30);

    send_and_settle(f);
    kit_close(f->k, f->file);
    while (!iso_future_done(f->future) && CHECK(kit_now() < end)) {
        (void)iso__sys_socket_recv(f->peer, piece, sizeof(piece));
        (void)kit_turn(f->k, f->loop);
    }
    CHECK_RC(outcome(f), ISO_EBADF);
    CHECK(!iso_transport_is_closing(f->r.transport));
}

KIT_TEST(a_file_that_is_closed_meanwhile_is_an_error)
{
    both_ways(k, 8 * MEGA, file_closed);
}

static void loop_closed(fixture *f)
{
    send_and_settle(f);
    CHECK_OK(iso_loop_close(f->loop));
    CHECK(iso_future_cancelled(f->future));
    CHECK_RC(iso_future_error(f->future), ISO_ECANCELED);
    CHECK_LE(file_position(f->file), 8 * MEGA - 1);
    iso_future_release(f->future);
    CHECK_EQ(f->r.lost_count, 1);
}

KIT_TEST(a_loop_that_closes_cancels_it)
{
    both_ways(k, 8 * MEGA, loop_closed);
}

/* ---- what is refused ---- */

static int try_file(fixture *f, iso_fd file)
{
    iso_future *future = NULL;
    int rc = iso_loop_sendfile(f->loop, f->r.transport, file, NULL, &future);

    CHECK(future == NULL);
    CHECK(iso_transport_is_reading(f->r.transport));
    CHECK_OK(iso_transport_write(f->r.transport, "", 0)); /* it is not busy */
    CHECK_RC(iso_loop_sock_sendfile(f->loop, f->peer, file, NULL, &future), rc);
    CHECK(future == NULL);
    return rc;
}

KIT_TEST(only_a_regular_file_is_taken)
{
    fixture f;
    iso_fd pipe[2];
    iso_fd folder = ISO_FD_NONE;

    open_transport(&f, k, NEVER);
    kit_pipe(k, pipe);
    REQUIRE_OK(file_open_directory(&folder));
    (void)kit_own(k, folder);
    CHECK_RC(try_file(&f, pipe[0]), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "regular file");
    CHECK_RC(try_file(&f, folder), ISO_EINVAL);
    CHECK_RC(try_file(&f, f.peer), ISO_EINVAL);
    CHECK_RC(try_file(&f, kit_device(k)), ISO_EINVAL);
    end_and_settle(&f);
}

KIT_TEST(a_bad_descriptor_is_refused)
{
    fixture f;
    iso_fd gone;

    open_transport(&f, k, NEVER);
    gone = new_file(k, FILE_FOR_BOTH, 1);
    kit_close(k, gone);
    CHECK_RC(try_file(&f, gone), ISO_EBADF);
    CHECK_RC(try_file(&f, ISO_FD_NONE), ISO_EBADF);
    CHECK_RC(try_file(&f, -2), ISO_EBADF);
    end_and_settle(&f);
}

KIT_TEST(a_file_that_is_not_open_for_reading_is_refused)
{
    fixture f;
    int rc;

    open_transport(&f, k, NEVER);
    rc = try_file(&f, new_file(k, FILE_FOR_WRITING, KILO));
    CHECK(rc == ISO_EBADF || rc == ISO_EACCES);
    end_and_settle(&f);
}

KIT_TEST(numbers_that_are_out_of_range_are_refused)
{
    fixture f;

    open_transport(&f, k, NEVER);
    f.file = new_file(k, FILE_FOR_BOTH, 1);
    CHECK_RC(send_file(&f, (uint64_t)INT64_MAX + 1, 0), ISO_EINVAL);
    CHECK_RC(send_file(&f, (uint64_t)-1, 0), ISO_EINVAL);
    CHECK_RC(send_file(&f, 0, (uint64_t)-1), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "out of range");
    CHECK_EQ(file_position(f.file), 0);
    end_and_settle(&f);
}

KIT_TEST(a_transport_that_is_closing_is_refused)
{
    fixture f;
    iso_transport *transport;

    open_transport(&f, k, NEVER);
    f.file = new_file(k, FILE_FOR_BOTH, KILO);
    transport = iso_transport_ref(f.r.transport);
    (void)stuff(transport, 0);
    CHECK_OK(iso_transport_close(transport));
    CHECK_RC(send_file(&f, 0, 0), ISO_ECLOSED);
    CHECK_OK(iso_transport_abort(transport));
    kit_settle(k, f.loop);
    CHECK_RC(iso_loop_sendfile(f.loop, transport, f.file, NULL, NULL), ISO_ECLOSED); /* lost */
    iso_transport_release(transport);
    end_and_settle(&f);
}

KIT_TEST(after_write_eof_it_is_refused)
{
    fixture f;

    open_transport(&f, k, NEVER);
    f.file = new_file(k, FILE_FOR_BOTH, KILO);
    CHECK_OK(iso_transport_write_eof(f.r.transport));
    CHECK_RC(send_file(&f, 0, 0), ISO_EINVALIDSTATE);
    CHECK(iso_transport_is_reading(f.r.transport));
    end_and_settle(&f);
}

static void call_from_elsewhere(void *arg)
{
    fixture *f = arg;

    CHECK_RC(send_file(f, 0, 0), ISO_ETHREAD);
    CHECK_RC(iso_loop_sock_sendfile(f->loop, f->peer, f->file, NULL, NULL), ISO_ETHREAD);
}

KIT_TEST(what_belongs_to_another_is_refused)
{
    fixture f;
    iso_loop *other;

    open_transport(&f, k, NEVER);
    f.file = new_file(k, FILE_FOR_BOTH, KILO);
    other = kit_loop(k);
    CHECK_RC(iso_loop_sendfile(other, f.r.transport, f.file, NULL, NULL), ISO_EINVAL);
    CHECK_RC(iso_loop_sendfile(NULL, f.r.transport, f.file, NULL, NULL), ISO_EINVAL);
    CHECK_RC(iso_loop_sendfile(f.loop, NULL, f.file, NULL, NULL), ISO_EINVAL);
    CHECK_RC(iso_loop_sock_sendfile(NULL, f.peer, f.file, NULL, NULL), ISO_EINVAL);
    kit_thread(k, call_from_elsewhere, &f);
    kit_join_all(k);
    CHECK_OK(iso_loop_close(other));
    CHECK_RC(iso_loop_sock_sendfile(other, f.peer, f.file, NULL, NULL), ISO_ECLOSED);
    end_and_settle(&f);
}

/* ---- want of memory ---- */

/* Turns until it is done, none of which needs memory of its own. */
static void run_until_done(fixture *f)
{
    iso_nsec end = kit_now() + ISO_S(30);

    while (!iso_future_done(f->future) && CHECK(kit_now() < end))
        (void)iso_loop_run_once(f->loop, ISO_MS(1));
}

/* Send, the nth allocation refused. Answers whether there was something to refuse. */
static bool send_without(fixture *f, uint64_t nth)
{
    uint64_t before = kit_memory_now(f->k).failures;
    bool refused;
    int rc;

    kit_fail_allocation(f->k, nth, false);
    rc = send_file(f, 0, 0);
    if (rc == 0) run_until_done(f);
    kit_fail_allocation(f->k, 0, false);
    refused = kit_memory_now(f->k).failures > before;
    if (rc == 0) rc = (int)outcome(f);
    CHECK_EQ(rc, refused ? ISO_ENOMEM : 10 * KILO);
    CHECK(!iso_transport_is_closing(f->r.transport));
    CHECK(iso_transport_is_reading(f->r.transport));
    return refused;
}

static void starved(fixture *f)
{
    uint64_t nth = 1;

    while (nth < 20 && send_without(f, nth) && !kit_has_failed(f->k)) nth++;
    CHECK_GE(nth, 3); /* the record and the future, and the copy, if there is one */
    CHECK_LE(nth, 19);
    CHECK_EQ(read_peer(f, 0, 10 * KILO), 10 * KILO);
    demand_no_more(f);
}

KIT_TEST(want_of_memory_is_an_error_and_nothing_else)
{
    both_ways(k, 10 * KILO, starved);
}

/* ---- over a socket of one's own ---- */

typedef struct own {
    fixture f;
    iso_fd sock;
} own;

static void open_own(own *it, kit *k, int refused_from, size_t size)
{
    iso_fd ends[2];

    open_loop(&it->f, k, refused_from);
    kit_pair(k, ends);
    it->sock = ends[0];
    it->f.peer = ends[1];
    it->f.file = new_file(k, FILE_FOR_BOTH, size);
}

/* Wine's CancelIoEx overlooks an operation that is about to go on; with no peer it ends. */
static void end_own(own *it)
{
    if (it->f.peer != ISO_FD_NONE) kit_close(it->f.k, it->f.peer);
    if (!iso_loop_is_closed(it->f.loop)) kit_settle(it->f.k, it->f.loop);
    demand_idle(&it->f);
    kit_release_loop(it->f.k, it->f.loop);
}

static void both_ways_own(kit *k, size_t size, void (*run)(own *it))
{
    own it;

    open_own(&it, k, NEVER, size);
    run(&it);
    end_own(&it);
    if (kit_has_failed(k)) return;

    open_own(&it, k, 0, size);
    run(&it);
    end_own(&it);
    if (kit_has_failed(k)) printf("        when it was copied\n");
}

static int send_own(own *it, uint64_t offset, uint64_t count)
{
    iso_sendfile_options options = ISO_SENDFILE_OPTIONS_INIT;

    options.offset = offset;
    options.count = count;
    it->f.future = NULL;
    return iso_loop_sock_sendfile(it->f.loop, it->sock, it->f.file, &options, &it->f.future);
}

static void own_whole(own *it)
{
    CHECK_OK(send_own(it, 0, 0));
    CHECK(!iso_future_done(it->f.future));
    CHECK_EQ(read_peer(&it->f, 0, 5 * MEGA), 5 * MEGA);
    CHECK_EQ(outcome(&it->f), 5 * MEGA);
    CHECK_EQ(file_position(it->f.file), 5 * MEGA);
    demand_idle(&it->f);

    CHECK_OK(send_own(it, 777, 88));
    CHECK_EQ(read_peer(&it->f, 777, 88), 88);
    CHECK_EQ(outcome(&it->f), 88);
    CHECK_EQ(file_position(it->f.file), 777 + 88);
}

KIT_TEST(sock_sendfile_sends_a_file)
{
    both_ways_own(k, 5 * MEGA, own_whole);
}

static void own_beside_recv(own *it)
{
    iso_future *reading = NULL;
    iso_future *writing = NULL;
    char text[8] = "";

    CHECK_OK(iso_loop_sock_recv_into(it->f.loop, it->sock, text, 5, &reading));
    CHECK_OK(send_own(it, 0, 0));
    kit_settle(it->f.k, it->f.loop);
    CHECK_RC(iso_loop_sock_sendall(it->f.loop, it->sock, "x", 1, &writing), ISO_EBUSY);
    CHECK_RC(iso_loop_sock_sendfile(it->f.loop, it->sock, it->f.file, NULL, &writing), ISO_EBUSY);
    CHECK(writing == NULL);
    kit_send(it->f.k, it->f.peer, "hello", 5);
    CHECK_OK(kit_run_release(it->f.k, it->f.loop, reading));
    CHECK_STR(text, "hello");
    CHECK(!iso_future_done(it->f.future));

    CHECK_EQ(read_peer(&it->f, 0, 5 * MEGA), 5 * MEGA);
    CHECK_EQ(outcome(&it->f), 5 * MEGA);
    CHECK_OK(iso_loop_sock_sendall(it->f.loop, it->sock, "\0", 1, &writing));
    CHECK_OK(kit_run_release(it->f.k, it->f.loop, writing));
    CHECK_EQ(read_peer(&it->f, 0, 1), 1);
}

KIT_TEST(sock_sendfile_leaves_reading_alone_and_refuses_another_writer)
{
    both_ways_own(k, 5 * MEGA, own_beside_recv);
}

static void own_after_sendall(own *it)
{
    static unsigned char bytes[8 * MEGA];
    iso_future *writing = NULL;

    pattern_fill(bytes, sizeof(bytes), 0);
    CHECK_OK(iso_loop_sock_sendall(it->f.loop, it->sock, bytes, sizeof(bytes), &writing));
    CHECK_RC(send_own(it, 0, 0), ISO_EBUSY);
    CHECK_EQ(read_peer(&it->f, 0, sizeof(bytes)), sizeof(bytes));
    CHECK_OK(kit_run_release(it->f.k, it->f.loop, writing));
}

KIT_TEST(sock_sendfile_waits_for_nobody)
{
    both_ways_own(k, KILO, own_after_sendall);
}

static void own_cancelled(own *it)
{
    uint64_t position;

    CHECK_OK(send_own(it, 0, 0));
    kit_settle(it->f.k, it->f.loop);
    CHECK(!iso_future_done(it->f.future));
    CHECK_OK(iso_future_cancel(it->f.future));
    CHECK_RC(outcome(&it->f), ISO_ECANCELED);
    demand_idle(&it->f);
    position = file_position(it->f.file);
    CHECK_LE(position, 8 * MEGA - 1);
    if (!is_selector(it->f.k)) return;
    CHECK_EQ(read_peer(&it->f, 0, (size_t)position), position);
    CHECK_EQ(iso__sys_socket_recv(it->f.peer, &position, 1), ISO_EAGAIN);
}

KIT_TEST(sock_sendfile_is_cancelled_by_its_future)
{
    both_ways_own(k, 8 * MEGA, own_cancelled);
}

static void own_peer_gone(own *it)
{
    CHECK_OK(send_own(it, 0, 0));
    kit_settle(it->f.k, it->f.loop);
    kit_close(it->f.k, it->f.peer);
    it->f.peer = ISO_FD_NONE;
    CHECK(is_reset((int)outcome(&it->f)));
    CHECK_LE(file_position(it->f.file), 8 * MEGA - 1);
}

KIT_TEST(sock_sendfile_tells_that_the_peer_has_gone)
{
    both_ways_own(k, 8 * MEGA, own_peer_gone);
}

static void own_loop_closed(own *it)
{
    CHECK_OK(send_own(it, 0, 0));
    kit_settle(it->f.k, it->f.loop);
    if (kit_is_wine()) { /* see end_own */
        kit_close(it->f.k, it->f.peer);
        it->f.peer = ISO_FD_NONE;
    }
    CHECK_OK(iso_loop_close(it->f.loop));
    CHECK(iso_future_cancelled(it->f.future));
    iso_future_release(it->f.future);
    demand_idle(&it->f);
}

KIT_TEST(sock_sendfile_ends_with_its_loop)
{
    both_ways_own(k, 8 * MEGA, own_loop_closed);
}

static void own_starved(own *it)
{
    uint64_t nth;
    bool refused = true;

    for (nth = 1; nth < 20 && refused; nth++) {
        uint64_t before = kit_memory_now(it->f.k).failures;
        int rc;

        kit_fail_allocation(it->f.k, nth, false);
        rc = send_own(it, 0, 0);
        if (rc == 0) run_until_done(&it->f);
        kit_fail_allocation(it->f.k, 0, false);
        refused = kit_memory_now(it->f.k).failures > before;
        if (rc == 0) rc = (int)outcome(&it->f);
        CHECK_EQ(rc, refused ? ISO_ENOMEM : 10 * KILO);
        demand_idle(&it->f);
    }
    CHECK_GE(nth, 5);
    CHECK_LE(nth, 19);
    CHECK_EQ(read_peer(&it->f, 0, 10 * KILO), 10 * KILO);
}

KIT_TEST(sock_sendfile_tells_want_of_memory)
{
    both_ways_own(k, 10 * KILO, own_starved);
}

KIT_TEST(sock_sendfile_refuses_what_is_no_free_socket)
{
    iso_fd ends[2];
    iso_fd pipe[2];
    iso_extra_info info;
    fixture f;

    open_transport(&f, k, NEVER);
    f.file = new_file(k, FILE_FOR_BOTH, KILO);
    kit_pipe(k, pipe);
    kit_pair(k, ends);
    kit_close(k, ends[0]);
    CHECK_OK(iso_transport_get_extra_info(f.r.transport, "socket", &info));
    CHECK_RC(iso_loop_sock_sendfile(f.loop, info.fd, f.file, NULL, NULL), ISO_EBUSY);
    CHECK_RC(iso_loop_sock_sendfile(f.loop, ends[0], f.file, NULL, NULL), ISO_EBADF);
    CHECK_RC(iso_loop_sock_sendfile(f.loop, pipe[1], f.file, NULL, NULL), ISO_ENOTSOCK);
    CHECK_EQ(kit_statistics(f.loop).objects, 1);
    end_and_settle(&f);
}

/* ---- what the system is asked ---- */

KIT_TEST(reading_a_file_leaves_its_position)
{
    iso_fd file = new_file(k, FILE_FOR_BOTH, 10 * KILO);
    unsigned char bytes[KILO];
    uint64_t size = 0;

    CHECK_OK(iso__sys_file_seek(file, 7));
    CHECK_EQ(iso__sys_file_read(file, 5000, bytes, sizeof(bytes)), sizeof(bytes));
    CHECK_EQ(pattern_wrong(bytes, sizeof(bytes), 5000), 0);
    CHECK_EQ(iso__sys_file_read(file, 10 * KILO - 10, bytes, sizeof(bytes)), 10);
    CHECK_EQ(iso__sys_file_read(file, 10 * KILO, bytes, sizeof(bytes)), 0);
    CHECK_EQ(iso__sys_file_read(file, INT64_MAX - KILO, bytes, sizeof(bytes)), 0);
    CHECK_EQ(file_position(file), 7);
    CHECK_OK(iso__sys_file_size(file, &size));
    CHECK_EQ(size, 10 * KILO);
}

KIT_TEST(sending_to_a_socket_that_is_closed_raises_no_signal)
{
    iso_fd file = new_file(k, FILE_FOR_BOTH, 10 * KILO);
    iso_fd ends[2];

    bool has_call = strcmp(kit_backend(k), "proactor:iocp") != 0 && has_native_way(k);
    int error = has_call ? ISO_EPIPE : ISO_ENOTSUP;

    kit_pair(k, ends);
    kit_close(k, ends[1]);
    CHECK_RC(iso__sys_sendfile(ends[0], file, 0, 10), error); /* or this is the end of us */
    CHECK_EQ(file_position(file), 0);

    file_leave_signal(); /* one that is the program's own stays */
    CHECK_RC(iso__sys_sendfile(ends[0], file, 0, 10), error);
    CHECK(file_take_signal());
    CHECK_RC(iso__sys_sendfile(ends[0], file, 0, 10), error);
}

static const kit_case cases[] = {
    KIT_CASE(a_whole_file_arrives),
    KIT_CASE(offset_and_count_say_which_part_arrives),
    KIT_CASE(a_count_past_the_end_sends_what_there_is),
    KIT_CASE(the_largest_offset_and_count_do_no_harm),
    KIT_CASE(an_offset_past_the_end_sends_nothing),
    KIT_CASE(an_empty_file_is_sent_at_once),
    KIT_CASE(eight_megabytes_arrive_at_a_slow_reader),
    KIT_CASE(one_operation_moves_two_megabytes_at_most),
    KIT_CASE(a_file_arrives_over_tcp),
    KIT_CASE(neither_options_nor_a_future_are_needed),
    KIT_CASE(one_file_follows_another),
    KIT_CASE(a_file_for_overlapped_use_can_be_sent),
    KIT_CASE(a_file_that_grows_is_sent_to_its_new_end),
    KIT_CASE(a_file_that_is_cut_off_ends_there),
    KIT_CASE(without_fallback_only_the_native_way_is_gone),
    KIT_CASE(without_fallback_and_without_a_native_way_nothing_is_sent),
    KIT_CASE(where_the_native_way_ends_copying_goes_on),
    KIT_CASE(a_native_way_that_is_refused_late_is_one_that_there_is_not),
    KIT_CASE(into_a_pipe_it_is_copied),
    KIT_CASE(into_a_pipe_there_is_no_native_way),
    KIT_CASE(a_pipe_whose_reader_has_gone_is_an_error),
    KIT_CASE(a_file_comes_after_what_was_written_before_it),
    KIT_CASE(writing_meanwhile_is_refused),
    KIT_CASE(writing_is_refused_from_the_call_on),
    KIT_CASE(reading_is_paused_meanwhile_and_goes_on_afterwards),
    KIT_CASE(reading_that_was_paused_stays_so),
    KIT_CASE(reading_that_is_paused_meanwhile_stays_so),
    KIT_CASE(the_program_can_read_meanwhile),
    KIT_CASE(closing_the_transport_ends_it),
    KIT_CASE(aborting_the_transport_ends_it),
    KIT_CASE(aborting_before_the_first_byte_ends_it),
    KIT_CASE(closing_before_its_turn_sends_what_was_written),
    KIT_CASE(a_peer_that_vanishes_is_told_by_the_future_and_by_connection_lost),
    KIT_CASE(an_error_that_nobody_asks_for_goes_to_the_exception_handler),
    KIT_CASE(cancelling_the_future_ends_it_and_leaves_the_connection),
    KIT_CASE(cancelling_before_it_is_told_counts_what_was_sent),
    KIT_CASE(an_exception_handler_may_close_the_loop_when_the_transport_is_closed),
    KIT_CASE(cancelling_before_the_first_byte_sends_nothing),
    KIT_CASE(cancelling_before_its_turn_lets_the_program_write_on),
    KIT_CASE(a_file_that_is_closed_meanwhile_is_an_error),
    KIT_CASE(a_loop_that_closes_cancels_it),
    KIT_CASE(only_a_regular_file_is_taken),
    KIT_CASE(a_bad_descriptor_is_refused),
    KIT_CASE(a_file_that_is_not_open_for_reading_is_refused),
    KIT_CASE(numbers_that_are_out_of_range_are_refused),
    KIT_CASE(a_transport_that_is_closing_is_refused),
    KIT_CASE(after_write_eof_it_is_refused),
    KIT_CASE(what_belongs_to_another_is_refused),
    KIT_CASE(want_of_memory_is_an_error_and_nothing_else),
    KIT_CASE(sock_sendfile_sends_a_file),
    KIT_CASE(sock_sendfile_leaves_reading_alone_and_refuses_another_writer),
    KIT_CASE(sock_sendfile_waits_for_nobody),
    KIT_CASE(sock_sendfile_is_cancelled_by_its_future),
    KIT_CASE(sock_sendfile_tells_that_the_peer_has_gone),
    KIT_CASE(sock_sendfile_ends_with_its_loop),
    KIT_CASE(sock_sendfile_tells_want_of_memory),
    KIT_CASE(sock_sendfile_refuses_what_is_no_free_socket),
    KIT_CASE(reading_a_file_leaves_its_position),
    KIT_CASE(sending_to_a_socket_that_is_closed_raises_no_signal),
};

KIT_MAIN(cases)
