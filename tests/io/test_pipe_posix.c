/* SPDX-License-Identifier: MIT */
/* What only POSIX has for connect_read_pipe and connect_write_pipe: terminals, FIFOs, the null
 * device; and the signal that a write to a broken pipe must not raise. */
#include "io/recorder.h"
#include "sys/pipe.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

typedef int (*connect_call)(iso_loop *loop, const iso_protocol *protocol, void *self, iso_fd pipe,
                            iso_future **out);

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

/* What a descriptor that does not block has just now. */
static const char *read_text(iso_fd fd)
{
    static char text[64];
    ptrdiff_t got = iso__sys_pipe_read(fd, text, sizeof(text) - 1);

    text[got > 0 ? got : 0] = '\0';
    return text;
}

static void write_text(iso_fd fd, const char *text)
{
    REQUIRE(write((int)fd, text, strlen(text)) == (ssize_t)strlen(text));
}

/* The same open file, which does not go with the transport. */
static iso_fd keep(kit *k, iso_fd fd)
{
    return kit_own(k, dup((int)fd));
}

/* ---- terminals ---- */

/* A terminal that hands on what it gets, as it is: the program's side, and the user's. */
static void open_terminal(kit *k, iso_fd *program, iso_fd *user)
{
    struct termios mode;

    *user = posix_openpt(O_RDWR | O_NOCTTY);
    REQUIRE(*user >= 0);
    (void)kit_own(k, *user);
    REQUIRE(grantpt((int)*user) == 0 && unlockpt((int)*user) == 0);
    *program = open(ptsname((int)*user), O_RDWR | O_NOCTTY);
    REQUIRE(*program >= 0);
    (void)kit_own(k, *program);
    REQUIRE(tcgetattr((int)*program, &mode) == 0);
    mode.c_lflag &= (tcflag_t) ~(tcflag_t)(ECHO | ICANON | ISIG);
    mode.c_oflag &= (tcflag_t) ~(tcflag_t)OPOST;
    REQUIRE(tcsetattr((int)*program, TCSANOW, &mode) == 0);
}

KIT_TEST(what_is_typed_is_received)
{
    iso_loop *loop = kit_loop(k);
    iso_fd program;
    iso_fd user;
    recorder r;

    open_terminal(k, &program, &user);
    recorder_init(&r, k, "");
    open_as(&r, loop, program, iso_loop_connect_read_pipe);
    write_text(user, "typed");
    CHECK(kit_run_until(k, loop, &r.data_count, 1));
    CHECK_STR(r.text, "typed");
    end_and_settle(&r, loop);
}

KIT_TEST(who_writes_to_a_terminal_leaves_what_is_typed_to_others)
{
    iso_loop *loop = kit_loop(k);
    iso_fd program;
    iso_fd other;
    iso_fd user;
    recorder r;

    open_terminal(k, &program, &user);
    other = keep(k, program);
    recorder_init(&r, k, "");
    open_as(&r, loop, program, iso_loop_connect_write_pipe);
    write_text(user, "typed");
    kit_await(k, other, ISO_EVENT_READ);
    kit_settle(k, loop);
    REQUIRE(r.transport != NULL);
    CHECK_OK(iso_transport_write(r.transport, "shown", 5));
    kit_await(k, user, ISO_EVENT_READ);
    kit_settle(k, loop);
    CHECK_STR(read_text(user), "shown");
    CHECK_STR(read_text(other), "typed");
    CHECK_STR(kit_marks(k), "made");
    end_and_settle(&r, loop);
}

/* ---- devices ---- */

KIT_TEST(the_null_device_takes_everything)
{
    iso_loop *loop = kit_loop(k);
    recorder r;

    recorder_init(&r, k, "");
    open_as(&r, loop, kit_device(k), iso_loop_connect_write_pipe);
    kit_settle(k, loop);
    REQUIRE(r.transport != NULL);
    CHECK_OK(iso_transport_write(r.transport, "into the void", 13));
    CHECK_EQ(iso_transport_get_write_buffer_size(r.transport), 0);
    kit_settle(k, loop);
    CHECK_STR(kit_marks(k), "made");
    CHECK_OK(iso_transport_close(r.transport));
    CHECK(run_until_idle(k, loop));
    CHECK_STR(kit_marks(k), "made lost");
}

/* epoll and kqueue don't wait for it, and say so when it is registered: in the call. */
KIT_TEST(a_device_that_can_not_be_waited_for_is_refused_in_the_call)
{
    iso_loop *loop = kit_loop(k);
    bool waits = strcmp(kit_backend(k), "selector:poll") == 0 ||
                 strcmp(kit_backend(k), "selector:select") == 0;
    iso_fd fd = kit_device(k);
    recorder r;
    int rc;

    recorder_init(&r, k, "");
    rc = iso_loop_connect_read_pipe(loop, &recorder_protocol, &r, fd, NULL);
    if (!waits && rc != 0) {
        CHECK(rc == ISO_EREGULARFILE || rc == ISO_ENOTSUP);
        REQUIRE(iso_loop_last_limit(loop) != NULL);
        CHECK_EQ(iso_loop_last_limit(loop)->error, rc);
        CHECK_EQ(kit_statistics(loop).objects, 0);
        return;
    }
    CHECK_OK(rc);
    (void)kit_give(k, fd);
    CHECK(run_until_idle(k, loop));
    CHECK_STR(kit_marks(k), "made eof lost");
}

KIT_TEST(a_folder_is_no_pipe)
{
    iso_loop *loop = kit_loop(k);
    iso_fd fd = kit_own(k, open(".", O_RDONLY));
    recorder r;

    recorder_init(&r, k, NULL);
    CHECK_RC(iso_loop_connect_read_pipe(loop, &recorder_protocol, &r, fd, NULL), ISO_ENOTPIPE);
    REQUIRE(iso_loop_last_limit(loop) != NULL);
    CHECK_STR(iso_loop_last_limit(loop)->id, "all.pipe_kind");
    CHECK_EQ(fcntl((int)fd, F_GETFL) & O_NONBLOCK, 0);
}

/* ---- FIFOs ---- */

/* A FIFO, open as `flags` say, and once more to read. */
static void open_fifo(kit *k, int flags, iso_fd *fd, iso_fd *reader)
{
    char folder[] = "kit-XXXXXX"; /* where the test runs, and gone at once */
    char name[32];

    REQUIRE(mkdtemp(folder) != NULL);
    (void)snprintf(name, sizeof(name), "%s/fifo", folder);
    REQUIRE(mkfifo(name, 0600) == 0);
    *reader = open(name, O_RDONLY | O_NONBLOCK);
    *fd = open(name, flags | O_NONBLOCK);
    REQUIRE(*reader >= 0 && *fd >= 0);
    (void)kit_own(k, *reader);
    (void)kit_own(k, *fd);
    (void)unlink(name);
    (void)rmdir(folder);
}

KIT_TEST(a_fifo_is_a_pipe)
{
    iso_loop *loop = kit_loop(k);
    iso_fd fd;
    iso_fd reader;
    recorder r;

    open_fifo(k, O_WRONLY, &fd, &reader);
    recorder_init(&r, k, "");
    open_as(&r, loop, fd, iso_loop_connect_write_pipe);
    CHECK_OK(iso_transport_write(r.transport, "first in", 8));
    kit_settle(k, loop);
    CHECK_STR(read_text(reader), "first in");
    kit_close(k, reader);
    CHECK(run_until_idle(k, loop));
    CHECK_STR(kit_marks(k), "made lost");
}

KIT_TEST(who_writes_to_a_fifo_does_not_read_it)
{
    iso_loop *loop = kit_loop(k);
    iso_fd fd;
    iso_fd reader;
    recorder r;

    open_fifo(k, O_RDWR, &fd, &reader);
    recorder_init(&r, k, "");
    open_as(&r, loop, fd, iso_loop_connect_write_pipe);
    CHECK_OK(iso_transport_write(r.transport, "for others", 10));
    kit_settle(k, loop);
    CHECK_STR(read_text(reader), "for others");
    end_and_settle(&r, loop);
}

/* ---- the open file ---- */

KIT_TEST(the_open_file_stays_non_blocking)
{
    iso_loop *loop = kit_loop(k);
    iso_fd ends[2];
    iso_fd other;
    recorder r;

    kit_pipe(k, ends);
    REQUIRE(fcntl((int)ends[0], F_SETFL, 0) == 0);
    other = keep(k, ends[0]);
    recorder_init(&r, k, NULL);
    open_as(&r, loop, ends[0], iso_loop_connect_read_pipe);
    end_and_settle(&r, loop);
    CHECK((fcntl((int)other, F_GETFL) & O_NONBLOCK) != 0);
}

KIT_TEST(the_far_end_blocks_and_neither_is_inherited)
{
    unsigned use;

    for (use = ISO__PIPE_READS; use <= ISO__PIPE_WRITES; use++) {
        iso_fd mine;
        iso_fd other;

        REQUIRE_OK(iso__sys_pipe_open(&mine, &other, use));
        (void)kit_own(k, mine);
        (void)kit_own(k, other);
        CHECK((fcntl((int)mine, F_GETFL) & O_NONBLOCK) != 0);
        CHECK_EQ(fcntl((int)other, F_GETFL) & O_NONBLOCK, 0);
        CHECK((fcntl((int)mine, F_GETFD) & FD_CLOEXEC) != 0);
        CHECK((fcntl((int)other, F_GETFD) & FD_CLOEXEC) != 0);
        write_text(use == ISO__PIPE_READS ? other : mine, "through");
        CHECK_STR(read_text(use == ISO__PIPE_READS ? mine : other), "through");
    }
}

KIT_TEST(without_descriptors_there_is_no_pipe)
{
    iso_fd mine = ISO_FD_NONE;
    iso_fd other = ISO_FD_NONE;

    if (!kit_exhaust(k)) return;
    CHECK_RC(iso__sys_pipe_open(&mine, &other, ISO__PIPE_READS), ISO_EMFILE);
    kit_replenish(k);
    CHECK_EQ(mine, ISO_FD_NONE);
    CHECK_EQ(other, ISO_FD_NONE);
}

/* ---- SIGPIPE ---- */

static volatile sig_atomic_t signals;

static void count_signal(int number)
{
    (void)number;
    signals = signals + 1;
}

/* The end of a pipe that nobody reads. */
static iso_fd broken_pipe(kit *k)
{
    iso_fd mine;
    iso_fd other;

    REQUIRE_OK(iso__sys_pipe_open(&mine, &other, ISO__PIPE_WRITES));
    REQUIRE_OK(iso__sys_pipe_close(other));
    return kit_own(k, mine);
}

static bool is_pending(void)
{
    sigset_t pending;

    (void)sigpending(&pending);
    return sigismember(&pending, SIGPIPE) == 1;
}

static void write_to_nobody(iso_fd fd)
{
    iso_buffer list[2] = { { "one", 3 }, { "two", 3 } };

    CHECK_RC((int)iso__sys_pipe_writev(fd, list, 2), ISO_EPIPE);
}

static void set_blocked(bool is_blocked)
{
    sigset_t sigpipe;

    (void)sigemptyset(&sigpipe);
    (void)sigaddset(&sigpipe, SIGPIPE);
    REQUIRE(pthread_sigmask(is_blocked ? SIG_BLOCK : SIG_UNBLOCK, &sigpipe, NULL) == 0);
}

KIT_TEST(a_broken_pipe_calls_no_handler)
{
    iso_fd fd = broken_pipe(k);
    sigset_t mask;

    signals = 0;
    REQUIRE(signal(SIGPIPE, count_signal) != SIG_ERR);
    write_to_nobody(fd);
    CHECK_EQ(signals, 0);
    CHECK(!is_pending());
    (void)pthread_sigmask(SIG_BLOCK, NULL, &mask);
    CHECK_EQ(sigismember(&mask, SIGPIPE), 0);
    (void)raise(SIGPIPE); /* others still come */
    CHECK_EQ(signals, 1);
    (void)signal(SIGPIPE, SIG_DFL);
}

KIT_TEST(a_broken_pipe_leaves_no_signal_waiting)
{
    iso_fd fd = broken_pipe(k);

    set_blocked(true);
    write_to_nobody(fd);
    CHECK(!is_pending());
    set_blocked(false);
}

KIT_TEST(a_signal_that_waited_before_goes_on_waiting)
{
    iso_fd fd = broken_pipe(k);

    signals = 0;
    REQUIRE(signal(SIGPIPE, count_signal) != SIG_ERR);
    set_blocked(true);
    (void)raise(SIGPIPE);
    CHECK(is_pending());
    write_to_nobody(fd);
    CHECK(is_pending());
    set_blocked(false);
    CHECK_EQ(signals, 1);
    (void)signal(SIGPIPE, SIG_DFL);
}

KIT_TEST(who_ignores_it_gets_the_error)
{
    iso_fd fd = broken_pipe(k);

    REQUIRE(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    write_to_nobody(fd);
    CHECK(!is_pending());
    (void)signal(SIGPIPE, SIG_DFL);
}

static const kit_case cases[] = {
    KIT_CASE(what_is_typed_is_received),
    KIT_CASE(who_writes_to_a_terminal_leaves_what_is_typed_to_others),
    KIT_CASE(the_null_device_takes_everything),
    KIT_CASE(a_device_that_can_not_be_waited_for_is_refused_in_the_call),
    KIT_CASE(a_folder_is_no_pipe),
    KIT_CASE(a_fifo_is_a_pipe),
    KIT_CASE(who_writes_to_a_fifo_does_not_read_it),
    KIT_CASE(the_open_file_stays_non_blocking),
    KIT_CASE(the_far_end_blocks_and_neither_is_inherited),
    KIT_CASE(without_descriptors_there_is_no_pipe),
    KIT_CASE(a_broken_pipe_calls_no_handler),
    KIT_CASE(a_broken_pipe_leaves_no_signal_waiting),
    KIT_CASE(a_signal_that_waited_before_goes_on_waiting),
    KIT_CASE(who_ignores_it_gets_the_error),
};

KIT_MAIN(cases)
