/* SPDX-License-Identifier: MIT */
/* Terminals: transports of them, their size and their mode, a signal that tells of the former, and
 * programs that run in one. Each is a pseudo-terminal: what a program has, and its user's side. */
#include "isoloop/terminal.h"

#include "io/recorder.h"
#include "loop/child.h"
#include "sys/pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

enum { MUCH = 256 * 1024, MOST_ALLOCATIONS = 50 };

typedef int (*connect_call)(iso_loop *loop, const iso_protocol *protocol, void *self, iso_fd pipe,
                            iso_future **out);

typedef struct terminal {
    iso_fd program; /* the terminal, */
    iso_fd user;    /* and who sits before it: what he types, and what he sees */
} terminal;

static terminal open_terminal(kit *k)
{
    terminal it;

    it.user = posix_openpt(O_RDWR | O_NOCTTY);
    REQUIRE(it.user >= 0);
    (void)kit_own(k, it.user);
    REQUIRE(grantpt((int)it.user) == 0 && unlockpt((int)it.user) == 0);
    it.program = open(ptsname((int)it.user), O_RDWR | O_NOCTTY);
    REQUIRE(it.program >= 0);
    (void)kit_own(k, it.program);
    return it;
}

/* One that hands on what it gets, as it is. */
static terminal open_raw_terminal(kit *k)
{
    terminal it = open_terminal(k);

    REQUIRE_OK(iso_terminal_set_mode(it.program, ISO_TERMINAL_RAW_IO, NULL));
    return it;
}

/* The same open file under another number. */
static iso_fd duplicate(kit *k, iso_fd fd)
{
    int other = dup((int)fd);

    REQUIRE(other >= 0);
    return kit_own(k, other);
}

static void type(iso_fd user, const char *text)
{
    REQUIRE(write((int)user, text, strlen(text)) == (ssize_t)strlen(text));
}

static void open_as(recorder *r, iso_loop *loop, iso_fd fd, connect_call call)
{
    iso_future *future = NULL;

    REQUIRE_OK(call(loop, &recorder_protocol, r, kit_give(r->k, fd), &future));
    REQUIRE_OK(kit_run_release(r->k, loop, future));
    REQUIRE(r->made_count == 1);
}

static void end_and_settle(recorder *r, iso_loop *loop)
{
    if (r->transport != NULL) CHECK_OK(iso_transport_abort(r->transport));
    (void)run_until_idle(r->k, loop);
    CHECK_EQ(r->lost_count, 1);
}

static bool blocks(iso_fd fd)
{
    return (fcntl((int)fd, F_GETFL) & O_NONBLOCK) == 0;
}

/* Whether a flag of the one open file is seen in the other's. */
static bool are_one_file(iso_fd one, iso_fd other)
{
    int flags = fcntl((int)one, F_GETFL);
    bool is_seen;

    REQUIRE(fcntl((int)one, F_SETFL, flags ^ O_NONBLOCK) == 0);
    is_seen = blocks(one) == blocks(other);
    REQUIRE(fcntl((int)one, F_SETFL, flags) == 0);
    return is_seen && blocks(one) == blocks(other);
}

/* The user waits for so many bytes, and reads them. */
static const char *see(kit *k, iso_fd user, size_t size)
{
    static char text[64];
    size_t count = 0;

    REQUIRE(size < sizeof(text));
    while (count < size) {
        ptrdiff_t got;

        kit_await(k, user, ISO_EVENT_READ);
        got = iso__sys_pipe_read(user, text + count, size - count);
        if (!CHECK(got > 0)) break;
        count += (size_t)got;
    }
    text[count] = '\0';
    return text;
}

/* ---- reading ---- */

KIT_TEST(a_line_is_received_when_it_is_whole)
{
    iso_loop *loop = kit_loop(k);
    terminal it = open_terminal(k);
    recorder r;

    recorder_init(&r, k, "");
    open_as(&r, loop, it.program, iso_loop_connect_read_pipe);
    type(it.user, "tye\177ped"); /* with a correction */
    CHECK_STR(see(k, it.user, 4), "tye\b");
    kit_settle(k, loop);
    CHECK_EQ(r.data_count, 0);
    type(it.user, "\n");
    CHECK(kit_run_until(k, loop, &r.data_count, 1));
    CHECK_STR(r.text, "typed\n");
    end_and_settle(&r, loop);
}

KIT_TEST(several_lines_are_received_in_order)
{
    iso_loop *loop = kit_loop(k);
    terminal it = open_terminal(k);
    recorder r;

    recorder_init(&r, k, "");
    open_as(&r, loop, it.program, iso_loop_connect_read_pipe);
    type(it.user, "one\ntwo\nthree\n");
    while (r.received < 14 && !kit_has_failed(k))
        CHECK(kit_run_until(k, loop, &r.data_count, r.data_count + 1));
    CHECK_STR(r.text, "one\ntwo\nthree\n");
    end_and_settle(&r, loop);
}

KIT_TEST(control_d_is_the_end)
{
    iso_loop *loop = kit_loop(k);
    terminal it = open_terminal(k);
    recorder r;

    recorder_init(&r, k, "");
    open_as(&r, loop, it.program, iso_loop_connect_read_pipe);
    type(it.user, "the last\n\004");
    CHECK(run_until_idle(k, loop));
    CHECK_STR(r.text, "the last\n");
    CHECK_STR(kit_marks(k), "made data eof lost");
}

KIT_TEST(a_terminal_can_be_read_again_after_its_end)
{
    iso_loop *loop = kit_loop(k);
    terminal it = open_terminal(k);
    iso_fd kept = duplicate(k, it.program);
    recorder r;

    recorder_init(&r, k, "first");
    open_as(&r, loop, it.program, iso_loop_connect_read_pipe);
    type(it.user, "\004");
    CHECK(run_until_idle(k, loop));
    recorder_init(&r, k, "then");
    open_as(&r, loop, kept, iso_loop_connect_read_pipe);
    type(it.user, "more\n");
    CHECK(kit_run_until(k, loop, &r.data_count, 1));
    CHECK_STR(r.text, "more\n");
    CHECK_STR(kit_marks(k), "first:made first:eof first:lost then:made then:data");
    end_and_settle(&r, loop);
}

/* ---- hang-up ---- */

/* It ends once, as the system has it. */
static void expect_hang_up(const recorder *r)
{
    CHECK_EQ(r->lost_count, 1);
    if (r->eof_count == 0)
        CHECK_RC(r->error, ISO_EIO);
    else
        CHECK_OK(r->error);
}

KIT_TEST(a_reader_ends_when_its_user_has_gone)
{
    iso_loop *loop = kit_loop(k);
    terminal it = open_terminal(k);
    recorder r;

    recorder_init(&r, k, "");
    open_as(&r, loop, it.program, iso_loop_connect_read_pipe);
    kit_close(k, it.user);
    CHECK(run_until_idle(k, loop));
    expect_hang_up(&r);
}

KIT_TEST(a_terminal_whose_user_had_gone_before_ends)
{
    iso_loop *loop = kit_loop(k);
    terminal it = open_terminal(k);
    recorder r;

    recorder_init(&r, k, "");
    kit_close(k, it.user);
    open_as(&r, loop, it.program, iso_loop_connect_read_pipe);
    CHECK(run_until_idle(k, loop));
    expect_hang_up(&r);
}

KIT_TEST(a_writer_learns_by_writing_that_its_user_has_gone)
{
    iso_loop *loop = kit_loop(k);
    terminal it = open_terminal(k);
    recorder r;

    recorder_init(&r, k, "");
    open_as(&r, loop, it.program, iso_loop_connect_write_pipe);
    kit_close(k, it.user);
    kit_settle(k, loop);
    CHECK_STR(kit_marks(k), "made");
    CHECK_OK(iso_transport_write(r.transport, "to nobody", 9));
    CHECK(run_until_idle(k, loop));
    CHECK_STR(kit_marks(k), "made lost(ISO_EIO)");
}

KIT_TEST(output_that_nobody_will_see_is_an_error)
{
    iso_loop *loop = kit_loop(k);
    terminal it = open_raw_terminal(k);
    recorder r;

    recorder_init(&r, k, "");
    open_as(&r, loop, it.program, iso_loop_connect_write_pipe);
    (void)stuff(r.transport, 0);
    kit_close(k, it.user);
    CHECK(run_until_idle(k, loop));
    CHECK_RC(r.error, ISO_EIO);
}

KIT_TEST(the_user_sees_all_before_the_end)
{
    iso_loop *loop = kit_loop(k);
    terminal it = open_raw_terminal(k);
    recorder r;

    recorder_init(&r, k, "");
    open_as(&r, loop, it.user, iso_loop_connect_read_pipe);
    type(it.program, "goodbye");
    kit_close(k, it.program);
    CHECK(run_until_idle(k, loop));
    CHECK_STR(r.text, "goodbye");
    expect_hang_up(&r);
}

/* ---- writing ---- */

/* The user looks at so much of the pattern, the loop running meanwhile. Answers how much there
 * was. */
static size_t look(iso_loop *loop, iso_fd user, size_t size)
{
    static char piece[4096];
    iso_nsec end = kit_now() + ISO_S(30);
    size_t count = 0;

    while (count < size && CHECK(kit_now() < end)) {
        ptrdiff_t got = iso__sys_pipe_read(user, piece, sizeof(piece));

        if (got == ISO_EAGAIN) {
            (void)iso_loop_run_once(loop, ISO_MS(1));
            continue;
        }
        if (!CHECK(got > 0)) break;
        CHECK_EQ(pattern_wrong(piece, (size_t)got, count), 0);
        count += (size_t)got;
    }
    return count;
}

KIT_TEST(who_does_not_look_pauses_the_writer)
{
    static char piece[MUCH];
    iso_loop *loop = kit_loop(k);
    terminal it = open_raw_terminal(k);
    recorder r;

    recorder_init(&r, k, "");
    REQUIRE(fcntl((int)it.user, F_SETFL, O_NONBLOCK) == 0);
    open_as(&r, loop, it.program, iso_loop_connect_write_pipe);
    pattern_fill(piece, sizeof(piece), 0);
    CHECK_OK(iso_transport_write(r.transport, piece, sizeof(piece)));
    kit_settle(k, loop);
    CHECK_STR(kit_marks(k), "made paused");
    CHECK_GE(iso_transport_get_write_buffer_size(r.transport), 64 * 1024 + 1);
    CHECK_EQ(look(loop, it.user, sizeof(piece)), sizeof(piece));
    kit_settle(k, loop);
    CHECK_STR(kit_marks(k), "made paused resumed");
    CHECK_OK(iso_transport_close(r.transport));
    CHECK(run_until_idle(k, loop));
    CHECK_STR(kit_marks(k), "made paused resumed lost");
}

KIT_TEST(a_terminal_is_read_and_written_at_once)
{
    iso_loop *loop = kit_loop(k);
    terminal it = open_raw_terminal(k);
    recorder in;
    recorder out;

    recorder_init(&in, k, NULL);
    recorder_init(&out, k, NULL);
    open_as(&in, loop, duplicate(k, it.program), iso_loop_connect_read_pipe);
    open_as(&out, loop, it.program, iso_loop_connect_write_pipe);
    type(it.user, "a question");
    CHECK(kit_run_until(k, loop, &in.data_count, 1));
    CHECK_STR(in.text, "a question");
    CHECK_OK(iso_transport_write(out.transport, "an answer", 9));
    kit_settle(k, loop);
    CHECK_STR(see(k, it.user, 9), "an answer");
    CHECK_OK(iso_transport_abort(in.transport)); /* the other one goes on */
    kit_settle(k, loop);
    CHECK_OK(iso_transport_write(out.transport, "and more", 8));
    CHECK_STR(see(k, it.user, 8), "and more");
    end_and_settle(&out, loop);
}

/* ---- the open file ---- */

KIT_TEST(who_shares_a_terminal_goes_on_blocking)
{
    static const connect_call calls[] = { iso_loop_connect_read_pipe, iso_loop_connect_write_pipe };
    iso_loop *loop = kit_loop(k);
    size_t at;

    for (at = 0; at < ISO__COUNT(calls); at++) {
        terminal it = open_terminal(k);
        iso_fd other = duplicate(k, it.program);
        int flags = fcntl((int)other, F_GETFL);
        recorder r;

        recorder_init(&r, k, NULL);
        open_as(&r, loop, it.program, calls[at]);
        CHECK(!blocks(it.program));
        CHECK_EQ(fcntl((int)other, F_GETFL), flags);
        end_and_settle(&r, loop);
        CHECK_EQ(fcntl((int)other, F_GETFL), flags);
    }
}

KIT_TEST(it_is_inherited_as_before)
{
    iso_loop *loop = kit_loop(k);
    int flag;

    for (flag = 0; flag <= FD_CLOEXEC; flag += FD_CLOEXEC) {
        terminal it = open_terminal(k);
        recorder r;

        REQUIRE(fcntl((int)it.program, F_SETFD, flag) == 0);
        recorder_init(&r, k, NULL);
        open_as(&r, loop, it.program, iso_loop_connect_read_pipe);
        CHECK_EQ(fcntl((int)it.program, F_GETFD) & FD_CLOEXEC, flag);
        end_and_settle(&r, loop);
    }
}

/* The user's side has no name that it could be opened by. */
KIT_TEST(the_side_of_the_user_stays_the_same_open_file)
{
    iso_loop *loop = kit_loop(k);
    terminal it = open_raw_terminal(k);
    iso_fd other = duplicate(k, it.user);
    recorder r;

    recorder_init(&r, k, "");
    open_as(&r, loop, it.user, iso_loop_connect_read_pipe);
    CHECK(!blocks(other));
    type(it.program, "shown");
    CHECK(kit_run_until(k, loop, &r.data_count, 1));
    CHECK_STR(r.text, "shown");
    end_and_settle(&r, loop);
}

/* ---- a refusal leaves everything as it was ---- */

KIT_TEST(an_end_that_can_not_be_used_so_is_left_as_it_was)
{
    iso_loop *loop = kit_loop(k);
    iso_fd fd = open_terminal(k).program;
    iso_fd reader = kit_own(k, open(ttyname((int)fd), O_RDONLY | O_NOCTTY));
    iso_fd other = duplicate(k, reader);
    recorder r;

    recorder_init(&r, k, NULL);
    CHECK_RC(iso_loop_connect_write_pipe(loop, &recorder_protocol, &r, reader, NULL), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "can only be read");
    CHECK(blocks(reader));
    CHECK(are_one_file(reader, other));
}

KIT_TEST(a_pipe_that_can_not_be_used_so_goes_on_blocking)
{
    iso_loop *loop = kit_loop(k);
    iso_fd ends[2];
    recorder r;

    recorder_init(&r, k, NULL);
    kit_pipe(k, ends);
    REQUIRE(fcntl((int)ends[0], F_SETFL, 0) == 0);
    if ((fcntl((int)ends[0], F_GETFL) & O_ACCMODE) != O_RDONLY) return; /* goes both ways here */
    CHECK_RC(iso_loop_connect_write_pipe(loop, &recorder_protocol, &r, ends[0], NULL), ISO_EINVAL);
    CHECK(blocks(ends[0]));
}

KIT_TEST(a_terminal_that_is_in_use_is_left_as_it_was)
{
    iso_loop *loop = kit_loop(k);
    terminal it = open_terminal(k);
    recorder r;
    recorder second;

    recorder_init(&r, k, NULL);
    recorder_init(&second, k, NULL);
    open_as(&r, loop, it.program, iso_loop_connect_read_pipe);
    CHECK_RC(iso_loop_connect_write_pipe(loop, &recorder_protocol, &second, it.program, NULL),
             ISO_EBUSY);
    CHECK(!blocks(it.program));
    type(it.user, "still here\n");
    CHECK(kit_run_until(k, loop, &r.data_count, 1));
    end_and_settle(&r, loop);
}

KIT_TEST(without_memory_a_terminal_or_a_pipe_is_left_as_it_was)
{
    iso_loop *loop = kit_loop(k);
    terminal it = open_terminal(k);
    iso_fd ends[2];
    iso_fd all[2];
    size_t at;

    kit_pipe(k, ends);
    REQUIRE(fcntl((int)ends[0], F_SETFL, 0) == 0);
    all[0] = it.program;
    all[1] = ends[0];
    for (at = 0; at < ISO__COUNT(all); at++) {
        iso_fd other = duplicate(k, all[at]);
        int flags = fcntl((int)other, F_GETFL);
        iso_future *future = NULL;
        int rc = ISO_ENOMEM;
        recorder r;
        uint64_t nth;

        recorder_init(&r, k, NULL);
        for (nth = 1; rc == ISO_ENOMEM && nth < MOST_ALLOCATIONS; nth++) {
            kit_fail_allocation(k, nth, false);
            rc = iso_loop_connect_read_pipe(loop, &recorder_protocol, &r, all[at], &future);
            kit_fail_allocation(k, 0, false);
            if (rc == 0) break;
            CHECK_RC(rc, ISO_ENOMEM);
            CHECK_EQ(fcntl((int)all[at], F_GETFL), flags);
            CHECK(are_one_file(all[at], other));
        }
        CHECK_GE(nth, 2);
        REQUIRE_OK(rc);
        (void)kit_give(k, all[at]);
        CHECK_OK(kit_run_release(k, loop, future));
        end_and_settle(&r, loop);
    }
}

KIT_TEST(without_descriptors_a_terminal_is_left_as_it_was)
{
    iso_loop *loop = kit_loop(k);
    terminal it = open_terminal(k);
    iso_fd other = duplicate(k, it.program);
    recorder r;

    recorder_init(&r, k, NULL);
    if (!kit_exhaust(k)) return;
    CHECK_RC(iso_loop_connect_read_pipe(loop, &recorder_protocol, &r, it.program, NULL),
             ISO_EMFILE);
    kit_replenish(k);
    CHECK(blocks(it.program));
    CHECK(are_one_file(it.program, other));
    CHECK_EQ(kit_statistics(loop).objects, 0);
}

/* ---- size ---- */

static void resize(iso_fd fd, int columns, int lines)
{
    struct winsize size;

    memset(&size, 0, sizeof(size));
    size.ws_col = (unsigned short)columns;
    size.ws_row = (unsigned short)lines;
    REQUIRE(ioctl((int)fd, TIOCSWINSZ, &size) == 0);
}

KIT_TEST(the_size_is_that_of_the_window)
{
    terminal it = open_terminal(k);
    iso_terminal_size size = { -1, -1 };

    CHECK_OK(iso_get_terminal_size(it.program, &size));
    CHECK_EQ(size.columns, 0); /* nobody has told it */
    CHECK_EQ(size.lines, 0);
    resize(it.user, 132, 43);
    CHECK_OK(iso_get_terminal_size(it.program, &size));
    CHECK_EQ(size.columns, 132);
    CHECK_EQ(size.lines, 43);
}

KIT_TEST(what_is_no_terminal_has_no_size)
{
    iso_terminal_size size = { -1, -1 };
    iso_fd pair[2];
    iso_fd ends[2];

    kit_pair(k, pair);
    kit_pipe(k, ends);
    CHECK_RC(iso_get_terminal_size(ends[0], &size), ISO_ENOTTY);
    CHECK_RC(iso_get_terminal_size(pair[0], &size), ISO_ENOTTY);
    CHECK_RC(iso_get_terminal_size(kit_regular_file(k), &size), ISO_ENOTTY);
    CHECK_RC(iso_get_terminal_size(kit_device(k), &size), ISO_ENOTTY);
    CHECK_RC(iso_get_terminal_size(open_terminal(k).program, NULL), ISO_EINVAL);
    kit_close(k, ends[0]);
    CHECK_RC(iso_get_terminal_size(ends[0], &size), ISO_EBADF);
    CHECK_RC(iso_get_terminal_size(ISO_FD_NONE, &size), ISO_EBADF);
    CHECK_EQ(size.columns, -1);
    CHECK_EQ(size.lines, -1);
}

KIT_TEST(a_terminal_is_one_and_nothing_else_is)
{
    terminal it = open_terminal(k);
    iso_fd ends[2];

    kit_pipe(k, ends);
    CHECK(iso_isatty(it.program));
    CHECK(!iso_isatty(ends[0]));
    CHECK(!iso_isatty(kit_device(k)));
    CHECK(!iso_isatty(ISO_FD_NONE));
    CHECK(!iso_isatty((iso_fd)INT32_MAX + 1));
    kit_close(k, it.program);
    CHECK(!iso_isatty(it.program));
}

/* ---- mode ---- */

KIT_TEST(in_cbreak_mode_a_character_comes_at_once_and_is_not_shown)
{
    iso_loop *loop = kit_loop(k);
    terminal it = open_terminal(k);
    recorder r;

    CHECK_OK(iso_terminal_set_mode(it.program, ISO_TERMINAL_CBREAK, NULL));
    recorder_init(&r, k, NULL);
    open_as(&r, loop, duplicate(k, it.program), iso_loop_connect_read_pipe);
    type(it.user, "q\r");
    while (r.received < 2 && !kit_has_failed(k))
        CHECK(kit_run_until(k, loop, &r.data_count, r.data_count + 1));
    CHECK_STR(r.text, "q\n");
    type(it.program, "\n");
    CHECK_STR(see(k, it.user, 2), "\r\n"); /* it comes first: nothing was shown */
    end_and_settle(&r, loop);
}

KIT_TEST(in_raw_mode_every_key_is_a_character)
{
    iso_loop *loop = kit_loop(k);
    terminal it = open_terminal(k);
    recorder r;

    CHECK_OK(iso_terminal_set_mode(it.program, ISO_TERMINAL_RAW, NULL));
    recorder_init(&r, k, NULL);
    open_as(&r, loop, duplicate(k, it.program), iso_loop_connect_read_pipe);
    type(it.user, "\003\004\r\177");
    while (r.received < 4 && !kit_has_failed(k))
        CHECK(kit_run_until(k, loop, &r.data_count, r.data_count + 1));
    CHECK_STR(r.text, "\003\004\r\177");
    type(it.program, "\n");
    CHECK_STR(see(k, it.user, 2), "\r\n");
    end_and_settle(&r, loop);
}

KIT_TEST(in_raw_io_mode_what_is_written_is_not_changed)
{
    terminal it = open_terminal(k);

    CHECK_OK(iso_terminal_set_mode(it.program, ISO_TERMINAL_RAW_IO, NULL));
    type(it.program, "\nx");
    CHECK_STR(see(k, it.user, 2), "\nx");
}

KIT_TEST(a_terminal_is_restored_from_every_mode)
{
    static const iso_terminal_mode modes[] = { ISO_TERMINAL_CBREAK, ISO_TERMINAL_RAW,
                                               ISO_TERMINAL_RAW_IO };
    terminal it = open_terminal(k);
    struct termios before;
    struct termios now;
    size_t at;

    memset(&before, 0, sizeof(before));
    memset(&now, 0, sizeof(now));
    REQUIRE(tcgetattr((int)it.program, &before) == 0);
    for (at = 0; at < ISO__COUNT(modes); at++) {
        iso_terminal_state state;

        CHECK_OK(iso_terminal_set_mode(it.program, modes[at], &state));
        REQUIRE(tcgetattr((int)it.program, &now) == 0);
        CHECK_EQ(now.c_lflag & (tcflag_t)(ECHO | ICANON), 0);
        CHECK_OK(iso_terminal_restore(it.program, &state));
        REQUIRE(tcgetattr((int)it.program, &now) == 0);
        CHECK_EQ(now.c_iflag, before.c_iflag);
        CHECK_EQ(now.c_oflag, before.c_oflag);
        CHECK_EQ(now.c_cflag, before.c_cflag);
        CHECK_EQ(now.c_lflag, before.c_lflag);
        CHECK(memcmp(now.c_cc, before.c_cc, sizeof(now.c_cc)) == 0);
    }
}

KIT_TEST(what_was_typed_before_is_not_dropped)
{
    iso_loop *loop = kit_loop(k);
    terminal it = open_terminal(k);
    recorder r;

    type(it.user, "early\n");
    CHECK_STR(see(k, it.user, 7), "early\r\n"); /* the terminal has it */
    CHECK_OK(iso_terminal_set_mode(it.program, ISO_TERMINAL_RAW, NULL));
    recorder_init(&r, k, NULL);
    open_as(&r, loop, it.program, iso_loop_connect_read_pipe);
    while (r.received < 6 && !kit_has_failed(k))
        CHECK(kit_run_until(k, loop, &r.data_count, r.data_count + 1));
    CHECK_STR(r.text, "early\n");
    end_and_settle(&r, loop);
}

KIT_TEST(what_is_no_terminal_has_no_mode)
{
    iso_terminal_state state = { 0 };
    iso_terminal_state known;
    iso_fd terminal_fd = open_terminal(k).program;
    iso_fd ends[2];

    kit_pipe(k, ends);
    CHECK_RC(iso_terminal_set_mode(ends[0], ISO_TERMINAL_RAW, &state), ISO_ENOTTY);
    CHECK_RC(iso_terminal_set_mode(ISO_FD_NONE, ISO_TERMINAL_RAW, &state), ISO_EBADF);
    CHECK_RC(iso_terminal_set_mode(terminal_fd, (iso_terminal_mode)0, &state), ISO_EINVAL);
    CHECK_RC(iso_terminal_set_mode(terminal_fd, (iso_terminal_mode)99, &state), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "99");
    CHECK_EQ(state.length, 0);
    CHECK_RC(iso_terminal_restore(terminal_fd, &state), ISO_EINVAL);
    CHECK_RC(iso_terminal_restore(terminal_fd, NULL), ISO_EINVAL);
    CHECK_OK(iso_terminal_set_mode(terminal_fd, ISO_TERMINAL_RAW, &known));
    CHECK_RC(iso_terminal_restore(ends[0], &known), ISO_ENOTTY);
    kit_close(k, ends[0]);
    CHECK_RC(iso_terminal_restore(ends[0], &known), ISO_EBADF);
    known.length--;
    CHECK_RC(iso_terminal_restore(terminal_fd, &known), ISO_EINVAL);
}

/* A handler of a signal may call it, and whom that has interrupted must not notice. */
KIT_TEST(restoring_leaves_errno_alone)
{
    iso_fd terminal_fd = open_terminal(k).program;
    iso_terminal_state known;
    iso_fd ends[2];

    kit_pipe(k, ends);
    CHECK_OK(iso_terminal_set_mode(terminal_fd, ISO_TERMINAL_RAW, &known));
    errno = EINPROGRESS;
    CHECK_RC(iso_terminal_restore(ends[0], &known), ISO_ENOTTY);
    CHECK_EQ(errno, EINPROGRESS);
    CHECK_RC(iso_terminal_restore(ISO_FD_NONE, &known), ISO_EBADF);
    CHECK_EQ(errno, EINPROGRESS);
    CHECK_OK(iso_terminal_restore(terminal_fd, &known));
    CHECK_EQ(errno, EINPROGRESS);
}

/* ---- programs in a terminal ---- */

/* The user's side, in a process whose terminal, and whose standard streams, are the other one. */
static iso_fd enter_terminal(kit *k)
{
    terminal it = open_terminal(k);
    int which;

    REQUIRE(setsid() >= 0);
    REQUIRE(ioctl((int)it.program, TIOCSCTTY, 0) == 0);
    for (which = 0; which <= 2; which++) REQUIRE(dup2((int)it.program, which) == which);
    kit_close(k, it.program);
    return it.user;
}

typedef struct window {
    int changes;
    iso_terminal_size size;
} window;

static void window_changed(iso_loop *loop, void *arg)
{
    window *it = arg;

    (void)loop;
    CHECK_OK(iso_get_terminal_size(iso_standard_stream(1), &it->size));
    it->changes++;
}

static void watch_window(kit *k, void *arg)
{
    window it = { 0, { 0, 0 } };
    iso_fd user = enter_terminal(k);
    iso_loop *loop = kit_loop(k);

    (void)arg;
    CHECK_OK(iso_loop_add_signal_handler(loop, SIGWINCH, window_changed, &it));
    resize(user, 100, 30);
    CHECK(kit_run_until(k, loop, &it.changes, 1));
    CHECK_EQ(it.size.columns, 100);
    CHECK_EQ(it.size.lines, 30);
    CHECK_OK(iso_loop_remove_signal_handler(loop, SIGWINCH));
    kit_release_loop(k, loop);
}

KIT_TEST(a_change_of_the_size_is_a_signal)
{
    child_run(k, watch_window, NULL);
}

/* Three standard streams are one open file, as a shell gives them. */
static void serve_user(kit *k, void *arg)
{
    iso_fd user = enter_terminal(k);
    iso_loop *loop = kit_loop(k);
    recorder in;
    recorder out;

    (void)arg;
    recorder_init(&in, k, NULL);
    recorder_init(&out, k, NULL);
    open_as(&in, loop, kit_own(k, iso_standard_stream(0)), iso_loop_connect_read_pipe);
    open_as(&out, loop, kit_own(k, iso_standard_stream(1)), iso_loop_connect_write_pipe);
    CHECK(!blocks(0));
    CHECK(!blocks(1));
    CHECK(blocks(2)); /* the messages of the C library can't be lost */
    type(user, "name?\n");
    CHECK(kit_run_until(k, loop, &in.data_count, 1));
    CHECK_STR(in.text, "name?\n");
    CHECK_OK(iso_transport_write(out.transport, "isoloop\n", 8));
    CHECK_STR(see(k, user, 7 + 9), "name?\r\nisoloop\r\n");
    CHECK_OK(iso_transport_abort(in.transport));
    CHECK(kit_run_until(k, loop, &in.lost_count, 1));
    CHECK(blocks(2));
    CHECK_EQ(iso_standard_stream(0), ISO_FD_NONE);
    end_and_settle(&out, loop);
    CHECK(blocks(2));
    kit_release_loop(k, loop);
}

KIT_TEST(standard_streams_are_transports_apart_from_the_open_file)
{
    child_run(k, serve_user, NULL);
}

KIT_TEST(there_are_three_standard_streams)
{
    CHECK_EQ(iso_standard_stream(0), 0);
    CHECK_EQ(iso_standard_stream(2), 2);
    CHECK_EQ(iso_standard_stream(3), ISO_FD_NONE);
    CHECK_EQ(iso_standard_stream(-1), ISO_FD_NONE);
}

typedef struct run {
    int exited;
    int code;
} run;

static void program_ended(iso_process *process, void *self)
{
    run *it = self;

    CHECK_OK(iso_process_get_returncode(process, &it->code));
    it->exited++;
}

KIT_TEST(a_subprocess_runs_in_a_terminal)
{
    static const iso_subprocess_protocol protocol = { .process_exited = program_ended };
    static const char script[] = "read line; echo \"<$line>\"; test -t 0 && test -t 1 && test -t 2";
    static const char *const argv[] = { "/bin/sh", "-c", script, NULL };
    iso_subprocess_options options = ISO_SUBPROCESS_OPTIONS_INIT;
    iso_loop *loop = kit_loop(k);
    terminal it = open_terminal(k);
    iso_future *started = NULL;
    static run r;

    memset(&r, 0, sizeof(r));
    options.stdin_is = options.stdout_is = options.stderr_is = ISO_STDIO_FD;
    options.stdin_fd = options.stdout_fd = options.stderr_fd = it.program;
    REQUIRE_OK(iso_loop_subprocess_exec(loop, &protocol, &r, argv, &options, &started));
    CHECK_OK(kit_run_release(k, loop, started));
    type(it.user, "hello\n");
    CHECK(kit_run_until(k, loop, &r.exited, 1));
    CHECK_EQ(r.code, 0);
    CHECK_STR(see(k, it.user, 7 + 9), "hello\r\n<hello>\r\n");
    CHECK(run_until_idle(k, loop));
    CHECK(blocks(it.program));
}

static const kit_case cases[] = {
    KIT_CASE(a_line_is_received_when_it_is_whole),
    KIT_CASE(several_lines_are_received_in_order),
    KIT_CASE(control_d_is_the_end),
    KIT_CASE(a_terminal_can_be_read_again_after_its_end),
    KIT_CASE(a_reader_ends_when_its_user_has_gone),
    KIT_CASE(a_terminal_whose_user_had_gone_before_ends),
    KIT_CASE(a_writer_learns_by_writing_that_its_user_has_gone),
    KIT_CASE(output_that_nobody_will_see_is_an_error),
    KIT_CASE(the_user_sees_all_before_the_end),
    KIT_CASE(who_does_not_look_pauses_the_writer),
    KIT_CASE(a_terminal_is_read_and_written_at_once),
    KIT_CASE(who_shares_a_terminal_goes_on_blocking),
    KIT_CASE(it_is_inherited_as_before),
    KIT_CASE(the_side_of_the_user_stays_the_same_open_file),
    KIT_CASE(an_end_that_can_not_be_used_so_is_left_as_it_was),
    KIT_CASE(a_pipe_that_can_not_be_used_so_goes_on_blocking),
    KIT_CASE(a_terminal_that_is_in_use_is_left_as_it_was),
    KIT_CASE(without_memory_a_terminal_or_a_pipe_is_left_as_it_was),
    KIT_CASE(without_descriptors_a_terminal_is_left_as_it_was),
    KIT_CASE(the_size_is_that_of_the_window),
    KIT_CASE(what_is_no_terminal_has_no_size),
    KIT_CASE(a_terminal_is_one_and_nothing_else_is),
    KIT_CASE(in_cbreak_mode_a_character_comes_at_once_and_is_not_shown),
    KIT_CASE(in_raw_mode_every_key_is_a_character),
    KIT_CASE(in_raw_io_mode_what_is_written_is_not_changed),
    KIT_CASE(a_terminal_is_restored_from_every_mode),
    KIT_CASE(what_was_typed_before_is_not_dropped),
    KIT_CASE(what_is_no_terminal_has_no_mode),
    KIT_CASE(restoring_leaves_errno_alone),
    KIT_CASE(a_change_of_the_size_is_a_signal),
    KIT_CASE(standard_streams_are_transports_apart_from_the_open_file),
    KIT_CASE(there_are_three_standard_streams),
    KIT_CASE(a_subprocess_runs_in_a_terminal),
};

KIT_MAIN(cases)
