/* SPDX-License-Identifier: MIT */
/* Subprocesses. What they run is tests/support/child.c. */
#include "io/process_system.h"
#include "io/recorder.h"
#include "io/stream.h"
#include "kit.h"
#include "sys/pipe.h"

#include <stdio.h>
#include <string.h>

enum { STREAMS = 3, TEXT_BYTES = 4096, MEBIBYTE = 1024 * 1024, PERIOD = 251 };

/* ---- a protocol that writes down what it is told ---- */

typedef struct observer observer;
typedef void (*observer_act)(observer *self);

struct observer {
    kit *k;
    iso_loop *loop;
    iso_process *process; /* borrowed, from connection_made to the end of connection_lost */

    /* What it does when it is told; NULL: nothing. */
    observer_act when_made;
    observer_act when_data;
    observer_act when_pipe_lost;
    observer_act when_exited;
    observer_act when_lost;
    observer_act when_paused;
    observer_act when_resumed;

    int made_count;
    int exit_count;
    int lost_count;
    int pause_count;
    int resume_count;
    int data_count;
    int pipes_lost; /* of all */
    int pipe_lost_count[STREAMS];
    int pipe_error[STREAMS];
    int error;
    int returncode;
    bool is_marking;
    iso_future *starting; /* for a case that cancels it */
    size_t sent;          /* by a case that writes much */
    size_t received[STREAMS];
    size_t wrong_bytes; /* that are not those of recorder's pattern */
    bool is_patterned;
    char text[STREAMS][TEXT_BYTES];
};

static void mark(observer *self, const char *what)
{
    if (!self->is_marking) return;
    if (kit_marks(self->k)[0] != '\0') kit_add_mark(self->k, " ");
    kit_add_mark(self->k, what);
}

static void act(observer *self, observer_act what)
{
    if (what != NULL) what(self);
}

static void made(iso_process *process, void *arg)
{
    observer *self = arg;

    self->process = process;
    self->made_count++;
    CHECK_EQ(self->made_count, 1);
    mark(self, "made");
    act(self, self->when_made);
}

static void data_received(iso_process *process, void *arg, int fd, const void *data, size_t size)
{
    observer *self = arg;
    size_t room;

    CHECK_PTR(process, self->process);
    REQUIRE(fd == 1 || fd == 2);
    CHECK(size > 0);
    CHECK_EQ(self->pipe_lost_count[fd], 0);
    if (self->is_patterned) self->wrong_bytes += pattern_wrong(data, size, self->received[fd]);
    room = TEXT_BYTES - 1 -
           (self->received[fd] < TEXT_BYTES - 1 ? self->received[fd] : (size_t)TEXT_BYTES - 1);
    memcpy(self->text[fd] + (TEXT_BYTES - 1 - room), data, size < room ? size : room);
    self->received[fd] += size;
    self->data_count++;
    act(self, self->when_data);
}

static void pipe_lost(iso_process *process, void *arg, int fd, int error)
{
    observer *self = arg;

    CHECK_PTR(process, self->process);
    REQUIRE(fd >= 0 && fd < STREAMS);
    CHECK_EQ(self->lost_count, 0);
    self->pipe_lost_count[fd]++;
    CHECK_EQ(self->pipe_lost_count[fd], 1);
    self->pipe_error[fd] = error;
    self->pipes_lost++;
    mark(self, fd == 0 ? "lost0" : fd == 1 ? "lost1" : "lost2");
    act(self, self->when_pipe_lost);
}

static void exited(iso_process *process, void *arg)
{
    observer *self = arg;

    CHECK_PTR(process, self->process);
    CHECK_EQ(self->lost_count, 0);
    self->exit_count++;
    CHECK_EQ(self->exit_count, 1);
    CHECK_OK(iso_process_get_returncode(process, &self->returncode));
    mark(self, "exited");
    act(self, self->when_exited);
}

static void lost(iso_process *process, void *arg, int error)
{
    observer *self = arg;

    CHECK_PTR(process, self->process);
    self->lost_count++;
    CHECK_EQ(self->lost_count, 1);
    CHECK(iso_process_is_closing(process));
    self->error = error;
    mark(self, "lost");
    act(self, self->when_lost);
    self->process = NULL;
}

static void paused(iso_process *process, void *arg)
{
    observer *self = arg;

    (void)process;
    self->pause_count++;
    act(self, self->when_paused);
}

static void resumed(iso_process *process, void *arg)
{
    observer *self = arg;

    (void)process;
    self->resume_count++;
    act(self, self->when_resumed);
}

static const iso_subprocess_protocol observing = {
    .connection_made = made,
    .pipe_data_received = data_received,
    .pipe_connection_lost = pipe_lost,
    .process_exited = exited,
    .connection_lost = lost,
    .pause_writing = paused,
    .resume_writing = resumed,
};

/* One that is told nothing. */
static const iso_subprocess_protocol silent = { .connection_made = NULL };

static void observer_init(observer *self, kit *k, iso_loop *loop)
{
    memset(self, 0, sizeof(*self));
    self->k = k;
    self->loop = loop;
}

/* ---- running one ---- */

#define CHILD(...) ((const char *const[]){ CHILD_PROGRAM, __VA_ARGS__, NULL })
#define PARENT(...) ((const char *const[]){ PARENT_PROGRAM, __VA_ARGS__, NULL })

static iso_subprocess_options no_streams(void)
{
    iso_subprocess_options options = ISO_SUBPROCESS_OPTIONS_INIT;

    options.stdin_is = ISO_STDIO_NULL;
    options.stdout_is = ISO_STDIO_NULL;
    options.stderr_is = ISO_STDIO_NULL;
    return options;
}

/* Start it and run until it is made. */
static void start_with(observer *self, const char *const *argv,
                       const iso_subprocess_options *options)
{
    iso_future *future = NULL;

    REQUIRE_OK(iso_loop_subprocess_exec(self->loop, &observing, self, argv, options, &future));
    REQUIRE_OK(kit_run_release(self->k, self->loop, future));
    REQUIRE(self->made_count == 1);
}

static void start(observer *self, const char *const *argv)
{
    start_with(self, argv, NULL);
}

/* Run until it is lost. */
static bool finish(observer *self)
{
    return kit_run_until(self->k, self->loop, &self->lost_count, 1);
}

static int run_with(observer *self, const char *const *argv, const iso_subprocess_options *options)
{
    start_with(self, argv, options);
    (void)finish(self);
    CHECK_EQ(self->exit_count, 1);
    CHECK_OK(self->error);
    return self->returncode;
}

static int run(observer *self, const char *const *argv)
{
    return run_with(self, argv, NULL);
}

/* What starting ends with, when nothing is started. */
static int start_error(kit *k, iso_loop *loop, const char *const *argv,
                       const iso_subprocess_options *options)
{
    iso_future *future = NULL;
    observer self;
    int rc;

    observer_init(&self, k, loop);
    rc = iso_loop_subprocess_exec(loop, &observing, &self, argv, options, &future);
    if (rc == 0) rc = kit_run_release(k, loop, future);
    CHECK_EQ(self.made_count, 0);
    CHECK_EQ(kit_statistics(loop).objects, 0);
    return rc;
}

static void write_text(observer *self, const char *text)
{
    iso_transport *transport = iso_process_get_pipe_transport(self->process, 0);

    REQUIRE(transport != NULL);
    CHECK_OK(iso_transport_write(transport, text, strlen(text)));
}

static void end_input(observer *self)
{
    iso_transport *transport = iso_process_get_pipe_transport(self->process, 0);

    REQUIRE(transport != NULL);
    CHECK_OK(iso_transport_write_eof(transport));
}

static void close_it(observer *self)
{
    CHECK_OK(iso_process_close(self->process));
}

static void kill_it(observer *self)
{
    CHECK_OK(iso_process_kill(self->process));
}

/* Nothing that this program has started is there any more, soon. */
static void no_children(kit *k)
{
    iso_nsec end = kit_now() + ISO_S(30);

    (void)k;
    while (process_system_has_children() && kit_now() < end) {}
    CHECK(!process_system_has_children());
}

/* The near end of a pipe as a transport, by itself: a child has the far one. */

static void reader_made(void *owner, iso_transport *transport)
{
    (void)owner;
    (void)transport;
}

static const iso__stream_owner reader_owner = { .made = reader_made, .lost = reader_made };

static iso_fd open_reader(recorder *self, iso_loop *loop)
{
    iso__stream_source source = { 0 };
    iso_transport *transport = NULL;
    iso_fd far_end = ISO_FD_NONE;

    REQUIRE_OK(iso__sys_pipe_open(&source.fd, &far_end, ISO__PIPE_READS));
    source.medium = ISO__MEDIUM_PIPE;
    source.uses = ISO__PIPE_READS;
    source.protocol = &recorder_protocol;
    source.self = self;
    source.owner_kind = &reader_owner;
    REQUIRE_OK(iso__stream_new(&transport, loop, &source));
    return far_end;
}

/* ---- what is told, and in which order ---- */

KIT_TEST(connection_made_comes_first_and_connection_lost_last)
{
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    self.is_marking = true;
    CHECK_EQ(run(&self, CHILD("both")), 0);
    CHECK_STR(self.text[1], "out\n");
    CHECK_STR(self.text[2], "err\n");
    CHECK(strncmp(kit_marks(k), "made ", 5) == 0);
    CHECK_STR(strrchr(kit_marks(k), ' '), " lost");
    CHECK_HAS(kit_marks(k), " exited");
    CHECK_EQ(self.pipe_lost_count[0], 1);
    CHECK_EQ(self.pipe_lost_count[1], 1);
    CHECK_EQ(self.pipe_lost_count[2], 1);
    CHECK_OK(self.pipe_error[0]);
    CHECK_OK(self.pipe_error[1]);
    CHECK_OK(self.pipe_error[2]);
    no_children(k);
}

KIT_TEST(the_exit_code_is_the_childs)
{
    static const char *const texts[] = { "0", "1", "3", "127", "255" };
    static const int codes[] = { 0, 1, 3, 127, 255 };
    observer self;
    iso_loop *loop;
    size_t at;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    for (at = 0; at < ISO__COUNT(texts); at++) {
        observer_init(&self, k, loop);
        CHECK_EQ(run(&self, CHILD("exit", texts[at])), codes[at]);
    }
    no_children(k);
}

KIT_TEST(the_future_is_done_once_connection_made_was_called)
{
    iso_future *future = NULL;
    void *process = NULL;
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    REQUIRE_OK(iso_loop_subprocess_exec(loop, &observing, &self, CHILD("cat"), NULL, &future));
    CHECK_EQ(self.made_count, 0);
    CHECK(!iso_future_done(future));
    CHECK_OK(kit_run(k, loop, future));
    CHECK_EQ(self.made_count, 1);
    CHECK_OK(iso_future_result(future, &process));
    CHECK_PTR(process, self.process);
    CHECK_PTR(iso_process_get_loop(process), loop);
    iso_future_release(future);
    end_input(&self);
    CHECK(finish(&self));
}

KIT_TEST(a_process_without_pipes_is_told_of_too)
{
    iso_subprocess_options options = no_streams();
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    self.is_marking = true;
    CHECK_EQ(run_with(&self, CHILD("exit", "7"), &options), 7);
    CHECK_STR(kit_marks(k), "made exited lost");
}

KIT_TEST(every_slot_of_a_protocol_may_be_null)
{
    iso_future *future = NULL;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    REQUIRE_OK(iso_loop_subprocess_exec(loop, &silent, NULL, CHILD("both"), NULL, &future));
    CHECK_OK(kit_run_release(k, loop, future));
    CHECK(run_until_idle(k, loop));
}

KIT_TEST(nobody_needs_to_take_the_future)
{
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    REQUIRE_OK(iso_loop_subprocess_exec(loop, &observing, &self, CHILD("both"), NULL, NULL));
    CHECK(finish(&self));
    CHECK_STR(self.text[1], "out\n");
}

static void check_running(observer *self)
{
    int code = -1234;

    CHECK_RC(iso_process_get_returncode(self->process, &code), ISO_EINVALIDSTATE);
    CHECK_EQ(code, -1234);
    CHECK(iso_process_get_pid(self->process) > 0);
    CHECK(!iso_process_is_closing(self->process));
}

KIT_TEST(a_process_can_be_asked_while_it_runs_and_after_its_end)
{
    iso_process *process;
    observer self;
    iso_loop *loop;
    int64_t pid;
    int code = -1;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    self.when_made = check_running;
    start(&self, CHILD("quiet", "5"));
    process = iso_process_ref(self.process);
    pid = iso_process_get_pid(process);
    end_input(&self);
    CHECK(finish(&self));
    CHECK_OK(iso_process_get_returncode(process, &code));
    CHECK_EQ(code, 5);
    CHECK_OK(iso_process_get_returncode(process, NULL));
    CHECK_EQ(iso_process_get_pid(process), pid);
    CHECK(iso_process_is_closing(process));
    CHECK_PTR(iso_process_get_pipe_transport(process, 0), NULL);
    CHECK_OK(iso_process_close(process));
    iso_process_release(process);
    iso_process_release(NULL);
}

KIT_TEST(the_protocol_can_be_replaced)
{
    void *arg = NULL;
    observer first;
    observer second;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&first, k, loop);
    observer_init(&second, k, loop);
    start(&first, CHILD("cat"));
    CHECK_PTR(iso_process_get_protocol(first.process, &arg), &observing);
    CHECK_PTR(arg, &first);
    CHECK_RC(iso_process_set_protocol(first.process, NULL, &second), ISO_EINVAL);
    CHECK_OK(iso_process_set_protocol(first.process, &observing, &second));
    second.process = first.process;
    write_text(&first, "hello");
    end_input(&first);
    CHECK(finish(&second));
    CHECK_STR(second.text[1], "hello");
    CHECK_EQ(first.data_count, 0);
    CHECK_EQ(first.lost_count, 0);
}

/* ---- data ---- */

KIT_TEST(what_is_written_is_echoed)
{
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    start(&self, CHILD("cat"));
    write_text(&self, "one, ");
    CHECK(kit_run_until(k, loop, &self.data_count, 1));
    write_text(&self, "two");
    end_input(&self);
    CHECK(finish(&self));
    CHECK_STR(self.text[1], "one, two");
    CHECK_EQ(self.returncode, 0);
}

/* Write the pattern, until it is told to pause or all is written. */
static void pour(observer *self)
{
    static unsigned char piece[10007];
    iso_transport *transport = iso_process_get_pipe_transport(self->process, 0);

    while (self->pause_count == self->resume_count && self->sent < MEBIBYTE) {
        size_t part = MEBIBYTE - self->sent < sizeof(piece) ? MEBIBYTE - self->sent : sizeof(piece);

        pattern_fill(piece, part, self->sent);
        self->sent += part;
        CHECK_OK(iso_transport_write(transport, piece, part));
    }
    if (self->sent == MEBIBYTE && self->pause_count == self->resume_count)
        CHECK_OK(iso_transport_write_eof(transport));
}

KIT_TEST(a_mebibyte_is_echoed_under_flow_control)
{
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    self.is_patterned = true;
    self.when_made = pour;
    self.when_resumed = pour;
    CHECK_EQ(run(&self, CHILD("cat")), 0);
    CHECK_EQ(self.received[1], MEBIBYTE);
    CHECK_EQ(self.wrong_bytes, 0);
    CHECK_GE(self.pause_count, 1);
    CHECK_EQ(self.pause_count, self.resume_count);
}

KIT_TEST(reading_can_be_paused_beyond_the_end_of_the_process)
{
    iso_transport *output;
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    start(&self, CHILD("write", "1", "3000"));
    output = iso_process_get_pipe_transport(self.process, 1);
    REQUIRE(output != NULL);
    CHECK_OK(iso_transport_pause_reading(output));
    CHECK(kit_run_until(k, loop, &self.exit_count, 1));
    kit_settle(k, loop);
    CHECK_EQ(self.lost_count, 0);
    CHECK_OK(iso_transport_resume_reading(output));
    CHECK(finish(&self));
    CHECK_EQ(self.received[1], 3000);
    CHECK_EQ((unsigned char)self.text[1][2999], 2999 % PERIOD);
}

KIT_TEST(both_outputs_are_read_at_once)
{
    observer first;
    observer second;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&first, k, loop);
    observer_init(&second, k, loop);
    start(&first, CHILD("write", "1", "1048576"));
    start(&second, CHILD("write", "2", "1048576"));
    CHECK(finish(&first));
    CHECK(finish(&second));
    CHECK_EQ(first.received[1], MEBIBYTE);
    CHECK_EQ(first.received[2], 0);
    CHECK_EQ(second.received[1], 0);
    CHECK_EQ(second.received[2], MEBIBYTE);
}

KIT_TEST(standard_error_goes_where_standard_output_goes)
{
    iso_subprocess_options options = ISO_SUBPROCESS_OPTIONS_INIT;
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    options.stderr_is = ISO_STDIO_STDOUT;
    CHECK_EQ(run_with(&self, CHILD("both"), &options), 0);
    CHECK_STR(self.text[1], "out\nerr\n");
    CHECK_EQ(self.received[2], 0);
    CHECK_EQ(self.pipe_lost_count[2], 0);
}

/* ---- pipes that end before the process, and after it ---- */

/* Wine starts a process for the console of a child that has none, and hands it the streams of the
 * child: then what the child closes is not closed before it ends. */
static void await_lost_pipes(observer *self, int count)
{
    if (!kit_is_wine()) CHECK(kit_run_until(self->k, self->loop, &self->pipes_lost, count));
}

KIT_TEST(a_child_that_closes_its_outputs_runs_on)
{
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    start(&self, CHILD("quiet", "4"));
    await_lost_pipes(&self, 2);
    CHECK_EQ(self.pipe_lost_count[0], 0);
    CHECK_EQ(self.exit_count, 0);
    if (!kit_is_wine()) CHECK_PTR(iso_process_get_pipe_transport(self.process, 1), NULL);
    CHECK(iso_process_get_pipe_transport(self.process, 0) != NULL);
    end_input(&self);
    CHECK(finish(&self));
    CHECK_EQ(self.returncode, 4);
}

static void check_pipe_is_there(observer *self)
{
    int fd = self->pipe_lost_count[1] > 0 ? 1 : 0;

    if (self->pipes_lost == 1) CHECK(iso_process_get_pipe_transport(self->process, fd) != NULL);
}

KIT_TEST(a_pipe_that_is_lost_can_still_be_asked_in_pipe_connection_lost)
{
    iso_subprocess_options options = no_streams();
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    options.stdout_is = ISO_STDIO_PIPE;
    self.when_pipe_lost = check_pipe_is_there;
    CHECK_EQ(run_with(&self, CHILD("both"), &options), 0);
    CHECK_EQ(self.pipes_lost, 1);
}

KIT_TEST(a_child_that_closes_its_input_is_told_of)
{
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    start(&self, CHILD("deaf"));
    CHECK(kit_run_until(k, loop, &self.data_count, 1));
    await_lost_pipes(&self, 1);
    CHECK_EQ(self.exit_count, 0);
    kill_it(&self);
    CHECK(finish(&self));
    CHECK_EQ(self.pipe_lost_count[0], 1);
    CHECK_EQ(self.returncode, process_system_here.killed);
}

static void abort_output(observer *self)
{
    iso_transport *output = iso_process_get_pipe_transport(self->process, 1);

    CHECK_OK(iso_transport_abort(output));
}

KIT_TEST(a_child_may_find_that_nobody_reads_its_output)
{
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    self.when_data = abort_output;
    CHECK_EQ(run(&self, CHILD("write", "1", "100000000")), process_system_here.broken);
    CHECK_EQ(self.data_count, 1);
}

static void flood(observer *self)
{
    static const char zeros[256 * 1024];

    CHECK_OK(iso_transport_write(iso_process_get_pipe_transport(self->process, 0), zeros,
                                 sizeof(zeros)));
}

KIT_TEST(what_a_child_does_not_read_before_it_ends_is_dropped)
{
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    self.when_made = flood;
    CHECK_EQ(run(&self, CHILD("exit", "0")), 0);
    CHECK_RC(self.pipe_error[0], ISO_EPIPE);
}

KIT_TEST(a_process_that_is_left_behind_keeps_the_pipes_open)
{
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    self.is_marking = true;
    start(&self, CHILD("leave"));
    CHECK(kit_run_until(k, loop, &self.exit_count, 1));
    kit_settle(k, loop);
    CHECK_STR(kit_marks(k), "made exited");
    CHECK_RC(iso_process_kill(self.process), ISO_ENOENT);
    CHECK(!iso_process_is_closing(self.process));
    end_input(&self);
    CHECK(finish(&self));
    CHECK_STR(self.text[1], "late\n");
    CHECK_EQ(self.pipes_lost, 3);
}

KIT_TEST(closing_lets_go_of_pipes_that_a_process_left_behind_has)
{
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    self.when_made = flood; /* nobody reads that: it is not waited for */
    self.when_exited = close_it;
    start(&self, CHILD("leave"));
    CHECK(finish(&self));
    CHECK_EQ(self.exit_count, 1);
    CHECK_EQ(self.pipes_lost, 3);
}

/* ---- what a child gets ---- */

KIT_TEST(the_null_device_is_empty_and_takes_everything)
{
    iso_subprocess_options options = no_streams();
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    CHECK_EQ(run_with(&self, CHILD("cat"), &options), 0);
    observer_init(&self, k, loop);
    CHECK_EQ(run_with(&self, CHILD("both"), &options), 0);
    CHECK_EQ(self.data_count, 0);
}

KIT_TEST(a_file_can_be_a_standard_stream)
{
    iso_subprocess_options options = no_streams();
    char text[64] = "";
    iso_fd file = ISO_FD_NONE;
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    REQUIRE_OK(process_system_file(&file));
    (void)kit_own(k, file);
    options.stdout_is = ISO_STDIO_FD;
    options.stdout_fd = file;
    options.stderr_is = ISO_STDIO_STDOUT;
    options.stdin_is = ISO_STDIO_FD;
    options.stdin_fd = kit_device(k);
    CHECK_EQ(run_with(&self, CHILD("cat"), &options), 0);
    observer_init(&self, k, loop);
    CHECK_EQ(run_with(&self, CHILD("both"), &options), 0);
    CHECK_EQ(process_system_read_file(file, text, sizeof(text) - 1), 8);
    CHECK_STR(text, "out\nerr\n");
}

KIT_TEST(a_pipe_of_the_program_can_be_a_standard_stream)
{
    iso_subprocess_options options = no_streams();
    recorder reader;
    observer self;
    iso_loop *loop;
    iso_fd far_end;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    recorder_init(&reader, k, NULL);
    far_end = open_reader(&reader, loop);
    options.stdout_is = ISO_STDIO_FD;
    options.stderr_is = ISO_STDIO_FD;
    options.stdout_fd = far_end;
    options.stderr_fd = far_end;
    CHECK_EQ(run_with(&self, CHILD("both"), &options), 0);
    CHECK_EQ(reader.lost_count, 0); /* the call has borrowed it */
    CHECK_OK(iso__sys_pipe_close(far_end));
    CHECK(kit_run_until(k, loop, &reader.lost_count, 1));
    CHECK_STR(reader.text, "out\nerr\n");
}

KIT_TEST(streams_are_inherited)
{
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    start(&self, PARENT("inherit", CHILD_PROGRAM, "cat"));
    write_text(&self, "through");
    end_input(&self);
    CHECK(finish(&self));
    CHECK_STR(self.text[1], "through");
    CHECK_EQ(self.returncode, 0);

    observer_init(&self, k, loop);
    CHECK_EQ(run(&self, PARENT("inherit", CHILD_PROGRAM, "both")), 0);
    CHECK_STR(self.text[1], "out\n");
    CHECK_STR(self.text[2], "err\n");
    observer_init(&self, k, loop);
    CHECK_EQ(run(&self, PARENT("inherit", CHILD_PROGRAM, "exit", "42")), 42);
}

KIT_TEST(arguments_arrive_as_they_are)
{
    static const char *const argv[] = {
        CHILD_PROGRAM,
        "args",
        "plain",
        "",
        "two words",
        "a \"quoted\" word",
        "\"",
        "\\",
        "back\\slash",
        "ends in a backslash\\",
        "two\\\\",
        "\\\"",
        "a\\\\\"b c\\\\",
        "'single'",
        "tab\there",
        "%PATH%",
        "$HOME",
        "*",
        "^&|<>()!",
        "-o=x; rm",
        "gr\xC3\xBC\xC3\x9F dich, \xE4\xBD\xA0\xE5\xA5\xBD \xF0\x9F\x90\x99",
        "last",
        NULL,
    };
    char wanted[TEXT_BYTES] = "";
    observer self;
    iso_loop *loop;
    size_t at;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    for (at = 2; argv[at] != NULL; at++) {
        size_t used = strlen(wanted);
        (void)snprintf(wanted + used, sizeof(wanted) - used, "<%s>\n", argv[at]);
    }
    observer_init(&self, k, loop);
    CHECK_EQ(run(&self, argv), 0);
    CHECK_STR(self.text[1], wanted);
}

KIT_TEST(the_environment_is_this_programs_or_what_is_given)
{
    static const char *const given[] = { "ISO_TEST_ONE=1", "ISO_TEST_WORD=\xC3\xBC = x", NULL };
    static const char *const nothing[] = { NULL };
    const char *const *argv = CHILD("env", "ISO_TEST_ONE", "ISO_TEST_WORD", "ISO_TEST_OWN");
    iso_subprocess_options options = ISO_SUBPROCESS_OPTIONS_INIT;
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    kit_setenv(k, "ISO_TEST_OWN", "own");
    observer_init(&self, k, loop);
    CHECK_EQ(run(&self, argv), 0);
    CHECK_STR(self.text[1], "-\n-\nown\n");

    options.env = given;
    observer_init(&self, k, loop);
    CHECK_EQ(run_with(&self, argv, &options), 0);
    CHECK_STR(self.text[1], "1\n\xC3\xBC = x\n-\n");

    options.env = nothing;
    observer_init(&self, k, loop);
    CHECK_EQ(run_with(&self, argv, &options), 0);
    CHECK_STR(self.text[1], "-\n-\n-\n");
}

KIT_TEST(it_begins_in_the_folder_that_is_given)
{
    iso_subprocess_options options = ISO_SUBPROCESS_OPTIONS_INIT;
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    options.cwd = CHILD_FOLDER;
    observer_init(&self, k, loop);
    CHECK_EQ(run_with(&self, CHILD("has", CHILD_NAME), &options), 0);
    options.cwd = CHILD_FOLDER "/..";
    observer_init(&self, k, loop);
    CHECK_EQ(run_with(&self, CHILD("has", CHILD_NAME), &options), 1);
    options.cwd = CHILD_FOLDER "/there-is-no-such-folder";
    CHECK_RC(start_error(k, loop, CHILD("has", CHILD_NAME), &options), ISO_ENOENT);
}

/* What a child could get by mistake. */
static void show_descriptors(kit *k, iso_loop *loop)
{
    observer self;

    observer_init(&self, k, loop);
    CHECK_EQ(run(&self, CHILD("descriptors")), 0);
    CHECK_STR(self.text[1], "0\n");
}

KIT_TEST(no_descriptor_leaks_into_a_child)
{
    observer other;
    iso_loop *loop;
    iso_fd pipe[2];

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    kit_pipe(k, pipe);
    process_system_make_inheritable(pipe[0]);
    process_system_make_inheritable(pipe[1]);
    show_descriptors(k, loop);
    observer_init(&other, k, loop);
    start(&other, CHILD("cat"));
    show_descriptors(k, loop);
    end_input(&other);
    CHECK(finish(&other)); /* which it would not be, if a child had its pipe */
}

/* ---- the shell ---- */

static int run_shell(observer *self, const char *command, const iso_subprocess_options *options)
{
    REQUIRE_OK(iso_loop_subprocess_shell(self->loop, &observing, self, command, options, NULL));
    (void)finish(self);
    CHECK_EQ(self->exit_count, 1);
    return self->returncode;
}

KIT_TEST(the_shell_runs_a_line)
{
    char expected[64];
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    CHECK_EQ(run_shell(&self, "exit 3", NULL), 3);
    kit_setenv(k, "ISO_TEST_WORD", "a word");
    observer_init(&self, k, loop);
    CHECK_EQ(run_shell(&self, process_system_here.say_word, NULL), 0);
    (void)snprintf(expected, sizeof(expected), "a word%s", process_system_here.line_end);
    CHECK_STR(self.text[1], expected);
}

KIT_TEST(the_shell_runs_a_pipeline_of_quoted_programs)
{
    char line[2048];
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    (void)snprintf(line, sizeof(line), "\"%s\" args \"a b\" c | \"%s\" cat", CHILD_PROGRAM,
                   CHILD_PROGRAM);
    observer_init(&self, k, loop);
    CHECK_EQ(run_shell(&self, line, NULL), 0);
    CHECK_STR(self.text[1], "<a b>\n<c>\n");
}

KIT_TEST(the_shell_says_that_there_is_no_such_program)
{
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    CHECK(run_shell(&self, "there-is-no-such-program", NULL) != 0);
    CHECK_GE(self.received[2], 1);
}

/* ---- signals ---- */

KIT_TEST(kill_ends_it)
{
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    self.when_data = kill_it;
    CHECK_EQ(run(&self, CHILD("hang")), process_system_here.killed);
}

static void terminate_it(observer *self)
{
    CHECK_OK(iso_process_terminate(self->process));
}

KIT_TEST(terminate_ends_it)
{
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    self.when_data = terminate_it;
    CHECK_EQ(run(&self, CHILD("hang")), process_system_here.terminated);
}

static void terminate_then_kill(observer *self)
{
    CHECK_OK(iso_process_terminate(self->process));
    CHECK_OK(iso_process_kill(self->process));
}

KIT_TEST(a_child_that_does_not_mind_terminate_can_be_killed)
{
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    self.when_data = process_system_here.can_ignore_terminate ? terminate_then_kill : kill_it;
    CHECK_EQ(run(&self, CHILD("stubborn")), process_system_here.killed);
}

static int signal_to_send;

static void send_signal(observer *self)
{
    CHECK_OK(iso_process_send_signal(self->process, signal_to_send));
}

KIT_TEST(a_signal_that_ends_it_is_its_negative_code)
{
    const process_signal *at = process_system_here.signals;
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    for (; at->number != 0; at++) {
        signal_to_send = at->number;
        observer_init(&self, k, loop);
        self.when_data = send_signal;
        CHECK_EQ(run(&self, CHILD("hang")), at->code);
    }
    signal_to_send = 15;
    observer_init(&self, k, loop);
    self.when_data = send_signal;
    CHECK_EQ(run(&self, CHILD("hang")), process_system_here.terminated);
}

KIT_TEST(a_number_that_is_no_signal_is_refused)
{
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    start(&self, CHILD("cat"));
    CHECK_RC(iso_process_send_signal(self.process, process_system_here.bad_signal), ISO_EINVAL);
    CHECK_RC(iso_process_send_signal(self.process, -1), ISO_EINVAL);
    end_input(&self);
    CHECK(finish(&self));
    CHECK_EQ(self.returncode, 0);
}

static void check_no_signal(observer *self)
{
    CHECK_RC(iso_process_send_signal(self->process, 15), ISO_ENOENT);
    CHECK_RC(iso_process_terminate(self->process), ISO_ENOENT);
    CHECK_RC(iso_process_kill(self->process), ISO_ENOENT);
}

KIT_TEST(a_process_that_has_ended_takes_no_signal)
{
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    self.when_exited = check_no_signal;
    self.when_lost = check_no_signal;
    CHECK_EQ(run(&self, CHILD("exit", "1")), 1);
}

/* ---- closing ---- */

KIT_TEST(close_kills_it_and_tells_so)
{
    iso_process *process;
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    start(&self, CHILD("hang"));
    process = iso_process_ref(self.process);
    CHECK_OK(iso_process_close(process));
    CHECK(iso_process_is_closing(process));
    CHECK_EQ(self.pipes_lost, 0); /* not in the call */
    CHECK_OK(iso_process_close(process));
    CHECK(finish(&self));
    CHECK_EQ(self.exit_count, 1);
    CHECK_EQ(self.returncode, process_system_here.killed);
    CHECK_EQ(self.pipes_lost, 3);
    CHECK_OK(self.pipe_error[1]);
    CHECK_OK(self.error);
    iso_process_release(process);
    no_children(k);
}

static void close_and_flood(observer *self)
{
    iso_transport *transport = iso_process_get_pipe_transport(self->process, 0);

    flood(self);
    CHECK_OK(iso_process_close(self->process));
    CHECK_OK(iso_transport_write(transport, "more", 4));
    CHECK_EQ(iso_transport_writes_dropped(transport), 1);
}

KIT_TEST(close_drops_what_is_not_written_yet)
{
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    self.when_made = close_and_flood;
    CHECK_EQ(run(&self, CHILD("hang")), process_system_here.killed);
}

KIT_TEST(every_callback_may_close_it)
{
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    self.when_made = close_it;
    self.when_data = close_it;
    self.when_pipe_lost = close_it;
    self.when_exited = close_it;
    self.when_lost = close_it;
    CHECK_EQ(run(&self, CHILD("hang")), process_system_here.killed);
    observer_init(&self, k, loop);
    self.when_data = close_it;
    CHECK_EQ(run(&self, CHILD("hang")), process_system_here.killed);
    observer_init(&self, k, loop);
    self.when_pipe_lost = close_it;
    start(&self, CHILD("quiet", "0")); /* which may be killed, or end */
    end_input(&self);
    CHECK(finish(&self));
    CHECK_EQ(self.exit_count, 1);
}

/* ---- the end of the loop ---- */

/* A process that hangs, and a transport of another loop that ends when that process does. */
static void start_watched(observer *self, recorder *reader, iso_loop *other)
{
    iso_subprocess_options options = ISO_SUBPROCESS_OPTIONS_INIT;
    iso_fd far_end;

    recorder_init(reader, self->k, NULL);
    far_end = open_reader(reader, other);
    options.stdout_is = ISO_STDIO_FD;
    options.stdout_fd = far_end;
    start_with(self, CHILD("hang"), &options);
    CHECK_OK(iso__sys_pipe_close(far_end));
    CHECK(kit_run_until(self->k, other, &reader->data_count, 1));
}

KIT_TEST(a_loop_that_closes_kills_what_runs)
{
    recorder reader;
    observer self;
    iso_loop *other;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    other = kit_loop(k);
    observer_init(&self, k, loop);
    self.is_marking = true;
    start_watched(&self, &reader, other);
    CHECK_OK(iso_loop_close(loop));
    CHECK_STR(kit_marks(k), "made lost0 lost2 lost");
    CHECK_RC(self.error, ISO_ECLOSED);
    CHECK_RC(self.pipe_error[0], ISO_ECLOSED);
    CHECK(kit_run_until(k, other, &reader.lost_count, 1));
    no_children(k);
}

KIT_TEST(a_loop_may_close_before_connection_made)
{
    iso_subprocess_options options = ISO_SUBPROCESS_OPTIONS_INIT;
    iso_future *future = NULL;
    recorder reader;
    observer self;
    iso_loop *other;
    iso_loop *loop;
    iso_fd far_end;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    other = kit_loop(k);
    observer_init(&self, k, loop);
    self.is_marking = true;
    recorder_init(&reader, k, NULL);
    far_end = open_reader(&reader, other);
    options.stdout_is = ISO_STDIO_FD;
    options.stdout_fd = far_end;
    REQUIRE_OK(iso_loop_subprocess_exec(loop, &observing, &self, CHILD("hang"), &options, &future));
    CHECK_OK(iso__sys_pipe_close(far_end));
    CHECK_OK(iso_loop_close(loop));
    CHECK_STR(kit_marks(k), "");
    CHECK(iso_future_cancelled(future));
    iso_future_release(future);
    CHECK(kit_run_until(k, other, &reader.lost_count, 1));
    no_children(k);
}

KIT_TEST(a_loop_may_close_while_the_exit_is_on_its_way)
{
    iso_subprocess_options options = no_streams();
    iso_nsec end = kit_now() + ISO_S(2); /* who posts while the loop is awake wakes nobody */
    iso_process *process;
    observer self;
    iso_loop *loop;
    uint64_t wakeups;
    int code;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    options.stdin_is = ISO_STDIO_PIPE;
    start_with(&self, CHILD("quiet", "0"), &options);
    process = iso_process_ref(self.process);
    wakeups = kit_statistics(loop).wakeups;
    end_input(&self); /* a pipe ends so in the next turn, */
    CHECK_GE(iso_loop_run_once(loop, 0), 0);
    while (kit_statistics(loop).wakeups == wakeups && self.exit_count == 0 && kit_now() < end) {}
    CHECK_OK(iso_loop_close(loop)); /* and the exit was posted, as a rule, and is not told */
    CHECK_EQ(self.lost_count, 1);
    if (self.exit_count == 0) {
        CHECK_RC(self.error, ISO_ECLOSED);
        CHECK_RC(iso_process_get_returncode(process, &code), ISO_EINVALIDSTATE);
        CHECK_RC(iso_process_kill(process), ISO_ENOENT);
    }
    iso_process_release(process);
    no_children(k);
}

KIT_TEST(a_loop_may_close_when_only_a_pipe_is_left)
{
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    start(&self, CHILD("leave"));
    CHECK(kit_run_until(k, loop, &self.exit_count, 1));
    CHECK_OK(iso_loop_close(loop));
    CHECK_EQ(self.pipes_lost, 3);
    CHECK_RC(self.error, ISO_ECLOSED);
    CHECK_EQ(self.lost_count, 1);
}

KIT_TEST(a_process_may_outlive_the_memory_of_its_callers_loop)
{
    iso_process *process;
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    start(&self, CHILD("hang"));
    process = iso_process_ref(self.process);
    kit_forget_loop(k, loop);
    iso_loop_release(loop);
    CHECK_EQ(self.lost_count, 1);
    CHECK(iso_process_get_pid(process) > 0);
    iso_process_release(process);
    no_children(k);
}

/* ---- waiting ---- */

KIT_TEST(wait_ends_with_the_code)
{
    iso_future *futures[3];
    intptr_t code = -1;
    observer self;
    iso_loop *loop;
    size_t at;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    start(&self, CHILD("quiet", "9"));
    for (at = 0; at < 3; at++) CHECK_OK(iso_process_wait(self.process, &futures[at]));
    CHECK_RC(iso_process_wait(self.process, NULL), ISO_EINVAL);
    CHECK_OK(iso_future_cancel(futures[1]));
    end_input(&self);
    CHECK_OK(kit_run(k, loop, futures[0]));
    CHECK_OK(iso_future_number(futures[0], &code));
    CHECK_EQ(code, 9);
    CHECK_OK(iso_future_number(futures[2], &code));
    CHECK(iso_future_cancelled(futures[1]));
    for (at = 0; at < 3; at++) iso_future_release(futures[at]);
    if (self.lost_count == 0) CHECK(finish(&self));
}

KIT_TEST(wait_is_over_at_once_after_the_end)
{
    iso_subprocess_options options = no_streams();
    iso_future *future = NULL;
    iso_process *process;
    intptr_t code = -1;
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    options.stdin_is = ISO_STDIO_PIPE;
    start_with(&self, CHILD("quiet", "6"), &options);
    process = iso_process_ref(self.process);
    end_input(&self);
    CHECK(finish(&self));
    CHECK_OK(iso_process_wait(process, &future));
    CHECK_OK(iso_future_number(future, &code));
    CHECK_EQ(code, 6);
    iso_future_release(future);
    iso_process_release(process);
}

KIT_TEST(wait_is_cancelled_by_a_loop_that_closes)
{
    iso_future *future = NULL;
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    start(&self, CHILD("hang"));
    CHECK_OK(iso_process_wait(self.process, &future));
    CHECK_OK(iso_loop_close(loop));
    CHECK(iso_future_cancelled(future));
    iso_future_release(future);
}

/* ---- cancelling ---- */

KIT_TEST(cancelling_before_connection_made_kills_it_and_tells_nothing)
{
    iso_future *future = NULL;
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    self.is_marking = true;
    REQUIRE_OK(iso_loop_subprocess_exec(loop, &observing, &self, CHILD("hang"), NULL, &future));
    CHECK_OK(iso_future_cancel(future));
    CHECK(iso_future_cancelled(future));
    iso_future_release(future);
    CHECK(run_until_idle(k, loop));
    CHECK_STR(kit_marks(k), "");
    no_children(k);
}

static void cancel_first(observer *self)
{
    CHECK_OK(iso_future_cancel(self->starting));
}

KIT_TEST(cancelling_in_connection_made_closes_it)
{
    iso_future *future = NULL;
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    self.when_made = cancel_first;
    REQUIRE_OK(iso_loop_subprocess_exec(loop, &observing, &self, CHILD("hang"), NULL, &future));
    self.starting = future;
    CHECK(finish(&self));
    CHECK(iso_future_cancelled(future));
    iso_future_release(future);
    CHECK_EQ(self.exit_count, 1);
    CHECK_EQ(self.pipes_lost, 3);
}

/* ---- what can't be started ---- */

KIT_TEST(a_program_that_is_not_there_ends_the_future)
{
    static const char *const by_name[] = { "isoloop-has-no-such-program", NULL };
    static const char *const by_path[] = { CHILD_FOLDER "/isoloop-has-no-such-program", NULL };
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    CHECK_RC(start_error(k, loop, by_name, NULL), ISO_ENOENT);
    CHECK_RC(start_error(k, loop, by_path, NULL), ISO_ENOENT);
    no_children(k);
}

KIT_TEST(what_is_no_program_ends_the_future)
{
    static const char *const folder[] = { CHILD_FOLDER, NULL };
    const char *file[] = { NULL, NULL };
    iso_loop *loop;
    char name[64];
    FILE *made;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    /* its own: the other backends' tests may run in the same folder at the same time */
    (void)snprintf(name, sizeof(name), "./no-program-%llx.txt", (unsigned long long)kit_now());
    file[0] = name;
    loop = kit_loop(k);
    CHECK_RC(start_error(k, loop, folder, NULL), process_system_here.folder_error);
    made = fopen(file[0], "wb");
    REQUIRE(made != NULL);
    (void)fputs("some text\n", made);
    (void)fclose(made);
    CHECK_RC(start_error(k, loop, file, NULL), process_system_here.not_a_program_error);
    CHECK_EQ(remove(file[0]), 0);
    no_children(k);
}

KIT_TEST(a_failure_that_nobody_waits_for_is_told_to_the_exception_handler)
{
    static const char *const argv[] = { "isoloop-has-no-such-program", NULL };
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    CHECK_OK(iso_loop_subprocess_exec(loop, &silent, NULL, argv, NULL, NULL));
    CHECK(kit_logged(k, "ISO_ENOENT"));
    CHECK_EQ(kit_statistics(loop).objects, 0);
}

KIT_TEST(wrong_arguments_are_refused_by_the_call)
{
    static const char *const nothing[] = { NULL };
    static const char *const no_name[] = { "", NULL };
    iso_subprocess_options options = ISO_SUBPROCESS_OPTIONS_INIT;
    const char *const *argv = CHILD("exit", "0");
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    CHECK_RC(iso_loop_subprocess_exec(NULL, &silent, NULL, argv, NULL, NULL), ISO_EINVAL);
    CHECK_RC(iso_loop_subprocess_exec(loop, NULL, NULL, argv, NULL, NULL), ISO_EINVAL);
    CHECK_RC(iso_loop_subprocess_exec(loop, &silent, NULL, NULL, NULL, NULL), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "argv");
    CHECK_RC(iso_loop_subprocess_exec(loop, &silent, NULL, nothing, NULL, NULL), ISO_EINVAL);
    CHECK_RC(iso_loop_subprocess_exec(loop, &silent, NULL, no_name, NULL, NULL), ISO_EINVAL);
    CHECK_RC(iso_loop_subprocess_shell(loop, &silent, NULL, NULL, NULL, NULL), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "command");
    CHECK_RC(iso_loop_subprocess_shell(NULL, &silent, NULL, "", NULL, NULL), ISO_EINVAL);
    CHECK_RC(iso_loop_subprocess_shell(loop, NULL, NULL, "", NULL, NULL), ISO_EINVAL);

    options.stdin_is = ISO_STDIO_STDOUT;
    CHECK_RC(start_error(k, loop, argv, &options), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "stderr");
    options.stdin_is = ISO_STDIO_PIPE;
    options.stdout_is = ISO_STDIO_STDOUT;
    CHECK_RC(start_error(k, loop, argv, &options), ISO_EINVAL);
    options.stdout_is = (iso_stdio)17;
    CHECK_RC(start_error(k, loop, argv, &options), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "stdout");
    options.stdout_is = ISO_STDIO_FD; /* and stdout_fd is none */
    CHECK_RC(start_error(k, loop, argv, &options), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "stdout_fd");
}

KIT_TEST(a_descriptor_that_is_not_open_is_refused)
{
    iso_subprocess_options options = no_streams();
    iso_fd pipe[2];
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    kit_pipe(k, pipe);
    options.stdout_is = ISO_STDIO_FD;
    options.stdout_fd = pipe[1];
    kit_close(k, pipe[1]);
    CHECK_RC(start_error(k, loop, CHILD("exit", "0"), &options), ISO_EBADF);
    no_children(k);
}

KIT_TEST(a_closed_loop_starts_nothing)
{
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    CHECK_OK(iso_loop_close(loop));
    CHECK_RC(iso_loop_subprocess_exec(loop, &silent, NULL, CHILD("cat"), NULL, NULL), ISO_ECLOSED);
    CHECK_RC(iso_loop_subprocess_shell(loop, &silent, NULL, "", NULL, NULL), ISO_ECLOSED);
}

/* ---- threads ---- */

static void use_from_another_thread(void *arg)
{
    observer *self = arg;
    iso_future *future = NULL;

    CHECK_RC(iso_loop_subprocess_exec(self->loop, &silent, NULL, CHILD("cat"), NULL, NULL),
             ISO_ETHREAD);
    CHECK_RC(iso_loop_subprocess_shell(self->loop, &silent, NULL, "exit", NULL, NULL), ISO_ETHREAD);
    CHECK_RC(iso_process_kill(self->process), ISO_ETHREAD);
    CHECK_RC(iso_process_terminate(self->process), ISO_ETHREAD);
    CHECK_RC(iso_process_send_signal(self->process, 15), ISO_ETHREAD);
    CHECK_RC(iso_process_close(self->process), ISO_ETHREAD);
    CHECK_RC(iso_process_set_protocol(self->process, &silent, NULL), ISO_ETHREAD);
    CHECK_RC(iso_process_wait(self->process, &future), ISO_ETHREAD);
}

KIT_TEST(another_thread_is_refused)
{
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    observer_init(&self, k, loop);
    start(&self, CHILD("cat"));
    kit_thread(k, use_from_another_thread, &self);
    kit_join_all(k);
    end_input(&self);
    CHECK(finish(&self));
    CHECK_EQ(self.returncode, 0);
}

/* ---- many ---- */

enum { MANY = 100 };

KIT_TEST(a_hundred_at_once)
{
    static observer all[MANY];
    iso_loop *loop;
    char text[16];
    size_t at;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    if (!kit_allow_descriptors(k, 1000)) return;
    loop = kit_loop(k);
    for (at = 0; at < MANY; at++) {
        observer_init(&all[at], k, loop);
        start(&all[at], CHILD("cat"));
    }
    for (at = 0; at < MANY; at++) {
        (void)snprintf(text, sizeof(text), "%d", (int)at);
        write_text(&all[at], text);
        end_input(&all[at]);
    }
    for (at = 0; at < MANY; at++) {
        (void)snprintf(text, sizeof(text), "%d", (int)at);
        if (all[at].lost_count == 0) CHECK(finish(&all[at]));
        CHECK_STR(all[at].text[1], text);
        CHECK_EQ(all[at].returncode, 0);
    }
    no_children(k);
}

enum { ROUNDS = 40 };

/* One that ends, one that is killed, one that does not even begin. */
static void live_and_die(kit *k, iso_loop *loop)
{
    static const char *const nothing[] = { CHILD_FOLDER "/isoloop-has-no-such-program", NULL };
    observer self;

    observer_init(&self, k, loop);
    CHECK_EQ(run(&self, CHILD("both")), 0);
    observer_init(&self, k, loop);
    self.when_made = close_it;
    CHECK_EQ(run(&self, CHILD("hang")), process_system_here.killed);
    CHECK_RC(start_error(k, loop, nothing, NULL), ISO_ENOENT);
}

KIT_TEST(no_handle_is_left_when_processes_are_gone)
{
    iso_loop *loop;
    int before;
    int at;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    live_and_die(k, loop); /* what the system makes once is there then */
    before = process_system_count_handles();
    CHECK_GE(before, 1);
    for (at = 0; at < ROUNDS; at++) live_and_die(k, loop);
    CHECK_LE(process_system_count_handles(), before + ROUNDS / 2);
}

/* ---- limits ---- */

KIT_TEST(a_limit_refuses_before_anything_happens)
{
    iso_loop_options options = kit_options(k);
    uint64_t allocations;
    observer self;
    iso_loop *loop;

    options.limits = "windows-selector";
    loop = kit_loop_with(k, &options);
    observer_init(&self, k, loop);
    allocations = kit_memory_now(k).allocations;
    CHECK_RC(iso_loop_subprocess_exec(loop, &observing, &self, CHILD("cat"), NULL, NULL),
             ISO_ENOTSUP);
    CHECK_STR(iso_loop_last_limit(loop)->id, "windows.selector.subprocess");
    CHECK_RC(iso_loop_subprocess_exec(loop, &observing, &self, NULL, NULL, NULL), ISO_ENOTSUP);
    CHECK_RC(iso_loop_subprocess_shell(loop, &observing, &self, "exit", NULL, NULL), ISO_ENOTSUP);
    CHECK_EQ(kit_memory_now(k).allocations, allocations);
    CHECK_EQ(self.made_count, 0);
}

enum { MORE_THAN_SELECT_TAKES = 1100 };

KIT_TEST(a_pipe_that_the_selector_refuses_is_refused_by_the_call)
{
    iso_loop *loop;
    int at;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    if (!kit_allow_descriptors(k, MORE_THAN_SELECT_TAKES + 100)) return;
    loop = kit_loop(k);
    for (at = 0; at < MORE_THAN_SELECT_TAKES; at++) (void)kit_device(k);
    if (iso_loop_limit_enforced(loop, "select.fd_setsize")) {
        CHECK_RC(start_error(k, loop, CHILD("cat"), NULL), ISO_ELIMIT);
        CHECK_STR(iso_loop_last_limit(loop)->id, "select.fd_setsize");
    } else {
        show_descriptors(k, loop);
    }
    no_children(k);
}

/* ---- want of descriptors and of memory ---- */

enum { MOST_SPARE = 24 };

/* With so many descriptors left. */
static int start_with_spare(kit *k, iso_loop *loop, int spare)
{
    iso_fd fds[MOST_SPARE];
    iso_future *future = NULL;
    observer self;
    int at;
    int rc;

    observer_init(&self, k, loop);
    for (at = 0; at < spare; at++) fds[at] = kit_device(k);
    REQUIRE(kit_exhaust(k));
    for (at = 0; at < spare; at++) kit_close(k, fds[at]);
    rc = iso_loop_subprocess_exec(loop, &observing, &self, CHILD("exit", "0"), NULL, &future);
    CHECK_OK(rc); /* such an error is the future's */
    rc = iso_future_done(future) ? iso_future_error(future) : 0;
    kit_replenish(k);
    iso_future_release(future);
    if (rc == 0) CHECK(finish(&self));
    CHECK_EQ(self.made_count, rc == 0 ? 1 : 0);
    CHECK_EQ(kit_statistics(loop).objects, 0);
    return rc;
}

KIT_TEST(want_of_descriptors_ends_the_future)
{
    iso_loop *loop;
    int spare = 0;
    int rc;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    if (!kit_exhaust(k)) return;
    kit_replenish(k);
    loop = kit_loop(k);
    do {
        rc = start_with_spare(k, loop, spare);
        if (rc != 0) CHECK_RC(rc, ISO_EMFILE);
    } while (rc != 0 && ++spare < MOST_SPARE && !kit_has_failed(k));
    CHECK_OK(rc);
    CHECK_GE(spare, 6); /* three pipes have as many ends */
    no_children(k);
}

static void note_failure(iso_loop *loop, const iso_exception_context *context, void *arg)
{
    (void)loop;
    (void)arg;
    CHECK_RC(context->error, ISO_ENOMEM);
}

enum { FEWEST_ALLOCATIONS = 10, MOST_ALLOCATIONS = 300 };

/* Something starts, is waited for, writes, and ends. A pipe may be lost for want of memory: then
 * its child finds it closed, and ends all the same. */
static void talk(observer *self)
{
    iso_transport *input = iso_process_get_pipe_transport(self->process, 0);
    int rc = input != NULL ? iso_transport_write(input, "hello", 5) : 0;

    if (rc != 0) CHECK_RC(rc, ISO_ENOMEM);
    if (input != NULL) CHECK_OK(iso_transport_write_eof(input));
    while (self->lost_count == 0 && !kit_has_failed(self->k))
        CHECK_GE(iso_loop_run_once(self->loop, ISO_S(30)), 0);
    CHECK_EQ(self->exit_count, 1);
}

static void live(kit *k, iso_loop *loop)
{
    iso_future *started = NULL;
    iso_future *ended = NULL;
    observer self;
    int rc;

    observer_init(&self, k, loop);
    rc = iso_loop_subprocess_exec(loop, &observing, &self, CHILD("cat"), NULL, &started);
    if (rc == 0) rc = iso_loop_run_until_complete(loop, started);
    if (rc == 0) {
        rc = iso_process_wait(self.process, &ended);
        talk(&self);
    }
    if (rc != 0) CHECK_RC(rc, ISO_ENOMEM);
    CHECK_OK(iso_loop_close(loop)); /* it may run still, if there was no memory to wait for it */
    CHECK_EQ(self.lost_count, self.made_count);
    iso_future_release(ended);
    iso_future_release(started);
}

/* One life, its nth allocation refused, and all later ones too if it is to be hard. Answers whether
 * there was something to refuse. */
static bool live_without(kit *k, uint64_t nth, bool is_hard)
{
    iso_loop_options options = kit_options(k);
    uint64_t failures = kit_memory_now(k).failures;
    iso_loop *loop = NULL;
    int rc;

    kit_fail_allocation(k, nth, is_hard);
    rc = iso_loop_new(&loop, &options);
    if (rc == 0) {
        CHECK_OK(iso_loop_set_exception_handler(loop, note_failure, NULL));
        live(k, loop);
        iso_loop_release(loop);
    } else {
        CHECK_RC(rc, ISO_ENOMEM);
    }
    kit_fail_allocation(k, 0, false);
    CHECK_EQ(kit_memory_now(k).blocks, 0);
    if (kit_has_failed(k)) printf("        when allocation %d was refused\n", (int)nth);
    return kit_memory_now(k).failures > failures;
}

static void fail_each(kit *k, bool is_hard)
{
    uint64_t nth = 1;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    while (nth < MOST_ALLOCATIONS && live_without(k, nth, is_hard) && !kit_has_failed(k)) nth++;
    CHECK_GE(nth, FEWEST_ALLOCATIONS);
    CHECK_LE(nth, MOST_ALLOCATIONS - 1);
    no_children(k);
}

KIT_TEST(one_allocation_is_refused)
{
    fail_each(k, false);
}

KIT_TEST(one_allocation_is_refused_and_every_later_one)
{
    fail_each(k, true);
}

/* ---- dying with the parent ---- */

KIT_TEST(a_bound_child_does_not_outlive_its_parent)
{
    iso_subprocess_options options = no_streams();
    observer self;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    options.dies_with_parent = true;
    if (!process_system_here.has_bound_children) {
        CHECK_RC(start_error(k, loop, CHILD("exit", "0"), &options), ISO_ENOTSUP);
        return;
    }
    observer_init(&self, k, loop);
    CHECK_EQ(run_with(&self, CHILD("exit", "8"), &options), 8);

    observer_init(&self, k, loop);
    self.when_data = kill_it; /* the parent, when its child says that it is there */
    start(&self, PARENT("bound", CHILD_PROGRAM, "hang"));
    CHECK(finish(&self)); /* whose pipes the child has: so it is gone */
    CHECK_STR(self.text[1], "ready\n");
    CHECK_EQ(self.returncode, process_system_here.killed);
}

static const kit_case cases[] = {
    KIT_CASE(connection_made_comes_first_and_connection_lost_last),
    KIT_CASE(the_exit_code_is_the_childs),
    KIT_CASE(the_future_is_done_once_connection_made_was_called),
    KIT_CASE(a_process_without_pipes_is_told_of_too),
    KIT_CASE(every_slot_of_a_protocol_may_be_null),
    KIT_CASE(nobody_needs_to_take_the_future),
    KIT_CASE(a_process_can_be_asked_while_it_runs_and_after_its_end),
    KIT_CASE(the_protocol_can_be_replaced),
    KIT_CASE(what_is_written_is_echoed),
    KIT_CASE(a_mebibyte_is_echoed_under_flow_control),
    KIT_CASE(reading_can_be_paused_beyond_the_end_of_the_process),
    KIT_CASE(both_outputs_are_read_at_once),
    KIT_CASE(standard_error_goes_where_standard_output_goes),
    KIT_CASE(a_child_that_closes_its_outputs_runs_on),
    KIT_CASE(a_pipe_that_is_lost_can_still_be_asked_in_pipe_connection_lost),
    KIT_CASE(a_child_that_closes_its_input_is_told_of),
    KIT_CASE(a_child_may_find_that_nobody_reads_its_output),
    KIT_CASE(what_a_child_does_not_read_before_it_ends_is_dropped),
    KIT_CASE(a_process_that_is_left_behind_keeps_the_pipes_open),
    KIT_CASE(closing_lets_go_of_pipes_that_a_process_left_behind_has),
    KIT_CASE(the_null_device_is_empty_and_takes_everything),
    KIT_CASE(a_file_can_be_a_standard_stream),
    KIT_CASE(a_pipe_of_the_program_can_be_a_standard_stream),
    KIT_CASE(streams_are_inherited),
    KIT_CASE(arguments_arrive_as_they_are),
    KIT_CASE(the_environment_is_this_programs_or_what_is_given),
    KIT_CASE(it_begins_in_the_folder_that_is_given),
    KIT_CASE(no_descriptor_leaks_into_a_child),
    KIT_CASE(the_shell_runs_a_line),
    KIT_CASE(the_shell_runs_a_pipeline_of_quoted_programs),
    KIT_CASE(the_shell_says_that_there_is_no_such_program),
    KIT_CASE(kill_ends_it),
    KIT_CASE(terminate_ends_it),
    KIT_CASE(a_child_that_does_not_mind_terminate_can_be_killed),
    KIT_CASE(a_signal_that_ends_it_is_its_negative_code),
    KIT_CASE(a_number_that_is_no_signal_is_refused),
    KIT_CASE(a_process_that_has_ended_takes_no_signal),
    KIT_CASE(close_kills_it_and_tells_so),
    KIT_CASE(close_drops_what_is_not_written_yet),
    KIT_CASE(every_callback_may_close_it),
    KIT_CASE(a_loop_that_closes_kills_what_runs),
    KIT_CASE(a_loop_may_close_before_connection_made),
    KIT_CASE(a_loop_may_close_while_the_exit_is_on_its_way),
    KIT_CASE(a_loop_may_close_when_only_a_pipe_is_left),
    KIT_CASE(a_process_may_outlive_the_memory_of_its_callers_loop),
    KIT_CASE(wait_ends_with_the_code),
    KIT_CASE(wait_is_over_at_once_after_the_end),
    KIT_CASE(wait_is_cancelled_by_a_loop_that_closes),
    KIT_CASE(cancelling_before_connection_made_kills_it_and_tells_nothing),
    KIT_CASE(cancelling_in_connection_made_closes_it),
    KIT_CASE(a_program_that_is_not_there_ends_the_future),
    KIT_CASE(what_is_no_program_ends_the_future),
    KIT_CASE(a_failure_that_nobody_waits_for_is_told_to_the_exception_handler),
    KIT_CASE(wrong_arguments_are_refused_by_the_call),
    KIT_CASE(a_descriptor_that_is_not_open_is_refused),
    KIT_CASE(a_closed_loop_starts_nothing),
    KIT_CASE(another_thread_is_refused),
    KIT_CASE(a_hundred_at_once),
    KIT_CASE(no_handle_is_left_when_processes_are_gone),
    KIT_CASE(a_limit_refuses_before_anything_happens),
    KIT_CASE(a_pipe_that_the_selector_refuses_is_refused_by_the_call),
    KIT_CASE(want_of_descriptors_ends_the_future),
    KIT_CASE(one_allocation_is_refused),
    KIT_CASE(one_allocation_is_refused_and_every_later_one),
    KIT_CASE(a_bound_child_does_not_outlive_its_parent),
};

KIT_MAIN(cases)
