/* SPDX-License-Identifier: MIT */
/* What a subprocess may be given besides its streams, and which watcher tells of its end. What only
 * POSIX has is seen closer by in test_spawn.c. */
#include "io/process_system.h"
#include "kit.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { BYTES = 300, PERIOD = 251 /* of what the child writes */, MANY = 50 };

/* ---- one that is run to its end ---- */

typedef struct told {
    iso_process *process;
    int returncode;
    int exit_count;
    int lost_count;
    int error;
} told;

static void made(iso_process *process, void *arg)
{
    ((told *)arg)->process = process;
}

static void exited(iso_process *process, void *arg)
{
    told *self = arg;

    self->exit_count++;
    CHECK_OK(iso_process_get_returncode(process, &self->returncode));
}

static void lost(iso_process *process, void *arg, int error)
{
    told *self = arg;

    (void)process;
    self->lost_count++;
    self->error = error;
}

static const iso_subprocess_protocol telling = { .connection_made = made,
                                                 .process_exited = exited,
                                                 .connection_lost = lost };

#define CHILD(...) ((const char *const[]){ CHILD_PROGRAM, __VA_ARGS__, NULL })

static iso_subprocess_options no_streams(void)
{
    iso_subprocess_options options = ISO_SUBPROCESS_OPTIONS_INIT;

    options.stdin_is = ISO_STDIO_NULL;
    options.stdout_is = ISO_STDIO_NULL;
    options.stderr_is = ISO_STDIO_NULL;
    return options;
}

static void start(kit *k, iso_loop *loop, told *self, const char *const *argv,
                  const iso_subprocess_options *options)
{
    iso_future *future = NULL;

    memset(self, 0, sizeof(*self));
    REQUIRE_OK(iso_loop_subprocess_exec(loop, &telling, self, argv, options, &future));
    REQUIRE_OK(kit_run_release(k, loop, future));
}

/* Answers its code. */
static int run(kit *k, iso_loop *loop, const char *const *argv,
               const iso_subprocess_options *options)
{
    told self;

    start(k, loop, &self, argv, options);
    CHECK(kit_run_until(k, loop, &self.lost_count, 1));
    CHECK_EQ(self.exit_count, 1);
    CHECK_OK(self.error);
    return self.returncode;
}

/* What the call answers; nothing is left of it. */
static int refusal(iso_loop *loop, const iso_subprocess_options *options)
{
    told self = { NULL, 0, 0, 0, 0 };
    iso_future *future = NULL;
    int rc = iso_loop_subprocess_exec(loop, &telling, &self, CHILD("exit", "0"), options, &future);

    CHECK_PTR(future, NULL);
    CHECK_EQ(kit_statistics(loop).objects, 0);
    CHECK(!process_system_has_children());
    return rc;
}

/* ---- descriptors ---- */

static void check_written(iso_fd file)
{
    unsigned char bytes[BYTES + 1];
    ptrdiff_t got = process_system_read_file(file, bytes, sizeof(bytes));
    ptrdiff_t at;

    CHECK_EQ(got, BYTES);
    for (at = 0; at < got && CHECK_EQ(bytes[at], at % PERIOD); at++) {}
}

static iso_fd new_file(kit *k)
{
    iso_fd file = ISO_FD_NONE;

    REQUIRE_OK(process_system_file(&file));
    return kit_own(k, file);
}

KIT_TEST(a_descriptor_is_passed_by_its_number)
{
    iso_subprocess_options options = no_streams();
    iso_pass_fd pass[2];
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    pass[0].number = 7;
    pass[0].fd = new_file(k);
    pass[1].number = 3;
    pass[1].fd = new_file(k);
    options.pass_fds = pass;
    options.pass_fd_count = 2;
    CHECK_EQ(run(k, loop, CHILD("write", "7", "300"), &options), 0);
    check_written(pass[0].fd);
    CHECK_EQ(run(k, loop, CHILD("write", "3", "300"), &options), 0);
    check_written(pass[1].fd);
    CHECK_EQ(run(k, loop, CHILD("write", "5", "300"), &options), 1); /* between them is nothing */
    kit_close(k, pass[0].fd);
    kit_close(k, pass[1].fd);
}

KIT_TEST(one_descriptor_may_have_several_numbers)
{
    iso_subprocess_options options = no_streams();
    iso_pass_fd pass[2];
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    pass[0].number = 3;
    pass[1].number = 4;
    pass[0].fd = pass[1].fd = new_file(k);
    options.pass_fds = pass;
    options.pass_fd_count = 2;
    CHECK_EQ(run(k, loop, CHILD("write", "4", "300"), &options), 0);
    check_written(pass[0].fd);
    kit_close(k, pass[0].fd);
}

KIT_TEST(numbers_that_can_not_be_are_refused)
{
    iso_subprocess_options options = no_streams();
    iso_pass_fd pass[2];
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    pass[0].fd = pass[1].fd = kit_regular_file(k);
    options.pass_fds = pass;
    options.pass_fd_count = 1;
    pass[0].number = 2;
    CHECK_RC(refusal(loop, &options), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "standard streams");
    pass[0].number = -1;
    CHECK_RC(refusal(loop, &options), ISO_EINVAL);
    pass[0].number = 1 << 30;
    CHECK_RC(refusal(loop, &options), ISO_EINVAL);
    pass[0].number = INT32_MAX; /* after which there is no number */
    CHECK_RC(refusal(loop, &options), ISO_EINVAL);
    pass[0].number = pass[1].number = 3;
    options.pass_fd_count = 2;
    CHECK_RC(refusal(loop, &options), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "twice");
}

KIT_TEST(a_descriptor_that_is_not_open_is_not_passed)
{
    iso_subprocess_options options = no_streams();
    iso_pass_fd pass = { 3, ISO_FD_NONE };
    iso_fd ends[2];
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    options.pass_fds = &pass;
    options.pass_fd_count = 1;
    CHECK_RC(refusal(loop, &options), ISO_EBADF);
    kit_pipe(k, ends);
    pass.fd = ends[0];
    kit_close(k, ends[0]);
    CHECK_RC(refusal(loop, &options), ISO_EBADF);
    CHECK_HAS(iso_error_detail(), "pass_fds");
}

/* ---- sessions, groups, users ---- */

KIT_TEST(a_program_may_have_a_session_of_its_own)
{
    iso_subprocess_options options = no_streams();
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    options.start_new_session = true;
    CHECK_EQ(run(k, loop, CHILD("exit", "7"), &options), 7);
}

KIT_TEST(a_program_may_lead_a_group)
{
    iso_subprocess_options options = no_streams();
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    options.process_group = 0;
    CHECK_EQ(run(k, loop, CHILD("exit", "7"), &options), 7);
}

/* By the call, before anything is opened; what Windows does not have at all, it says so of. */
KIT_TEST(a_user_that_there_is_not_is_refused)
{
    static const char *const groups[] = { "0", "isoloop-no-such-group", NULL };
    int error = process_system_here.has_users ? ISO_EINVAL : ISO_ENOTSUP;
    iso_subprocess_options options = no_streams();
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    options.user = "isoloop-no-such-user";
    CHECK_RC(refusal(loop, &options), error);
    CHECK_HAS(iso_error_detail(), "user");
    options.user = NULL;
    options.group = "";
    CHECK_RC(refusal(loop, &options), error);
    options.group = NULL;
    options.extra_groups = groups;
    CHECK_RC(refusal(loop, &options), error);
    options.extra_groups = NULL;
    options.user = "4294967295"; /* "as it is", to the system */
    CHECK_RC(refusal(loop, &options), error);
}

KIT_TEST(what_a_system_does_not_have_is_refused)
{
    iso_subprocess_options options = no_streams();
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    options.umask = 077;
    if (process_system_here.has_users)
        CHECK_EQ(run(k, loop, CHILD("exit", "7"), &options), 7);
    else
        CHECK_RC(refusal(loop, &options), ISO_ENOTSUP);
    options.umask = -1;
    options.process_group = INT64_C(1) << 40;
    CHECK_RC(refusal(loop, &options), process_system_here.has_users ? ISO_EINVAL : ISO_ENOTSUP);
}

/* A program that was built with an older header has shorter options. */
KIT_TEST(options_of_an_older_header_end_earlier)
{
    iso_subprocess_options options = no_streams();
    size_t old = offsetof(iso_subprocess_options, start_new_session);
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    loop = kit_loop(k);
    memset((char *)&options + old, 0x55, sizeof(options) - old);
    options.size = old;
    CHECK_EQ(run(k, loop, CHILD("exit", "7"), &options), 7);
}

/* ---- who tells of its end ---- */

static void end_watching(void)
{
    CHECK_OK(iso_set_child_watcher(NULL));
}

static void run_by(kit *k, const iso_child_watcher *watcher)
{
    iso_subprocess_options options = no_streams();
    iso_loop *loop = kit_loop(k);
    told many[MANY];
    int at;

    if (!watcher->is_active(watcher)) {
        CHECK_RC(iso_set_child_watcher(watcher), ISO_ENOTSUP);
        return;
    }
    CHECK_OK(iso_set_child_watcher(watcher));
    CHECK_EQ(run(k, loop, CHILD("exit", "7"), &options), 7);
    for (at = 0; at < MANY; at++) {
        char code[16];

        (void)snprintf(code, sizeof(code), "%d", at);
        start(k, loop, &many[at], CHILD("exit", code), &options);
    }
    for (at = 0; at < MANY; at++) {
        CHECK(kit_run_until(k, loop, &many[at].lost_count, 1));
        CHECK_EQ(many[at].returncode, at);
    }
    start(k, loop, &many[0], CHILD("hang"), &options);
    CHECK_OK(iso_loop_close(loop)); /* which kills it, and sees to it that it is reaped */
    CHECK_EQ(many[0].exit_count, 0);
    CHECK_RC(many[0].error, ISO_ECLOSED);
    while (process_system_has_children() && !kit_has_failed(k)) {}
    end_watching();
}

KIT_TEST(every_watcher_tells_of_the_end)
{
    if (!kit_needs(k, ISO_CAP_CHILD_WATCHER)) return;
    run_by(k, iso_pidfd_child_watcher());
    run_by(k, iso_kqueue_child_watcher());
    run_by(k, iso_threaded_child_watcher());
    run_by(k, iso_sigchld_child_watcher());
}

/* A watcher of the program's, which has one child at most. */
typedef struct own_watcher {
    iso_child_watcher watcher;
    bool is_inactive;
    int refusal;
    int64_t pid; /* 0: none */
    iso_child_callback callback;
    void *arg;
    int removed;
} own_watcher;

static int own_add(const iso_child_watcher *watcher, int64_t pid, iso_child_callback callback,
                   void *arg)
{
    own_watcher *self = watcher->context;

    self->pid = pid;
    self->callback = callback;
    self->arg = arg;
    return self->refusal;
}

static int own_remove(const iso_child_watcher *watcher, int64_t pid)
{
    own_watcher *self = watcher->context;

    CHECK_EQ(pid, self->pid);
    self->removed++;
    return 0;
}

static int own_attach(const iso_child_watcher *watcher, iso_loop *loop)
{
    (void)watcher;
    (void)loop;
    return 0;
}

static void own_close(const iso_child_watcher *watcher)
{
    (void)watcher;
}

static bool own_is_active(const iso_child_watcher *watcher)
{
    return !((own_watcher *)watcher->context)->is_inactive;
}

static void own_begin(own_watcher *self)
{
    memset(self, 0, sizeof(*self));
    self->watcher = (iso_child_watcher){ .name = "own",
                                         .add_child_handler = own_add,
                                         .remove_child_handler = own_remove,
                                         .attach_loop = own_attach,
                                         .close = own_close,
                                         .is_active = own_is_active,
                                         .context = self };
    CHECK_OK(iso_set_child_watcher(&self->watcher));
}

static void call_back(void *arg)
{
    own_watcher *self = arg;

    self->callback(self->pid, 42, self->arg);
}

/* From another thread, which the contract allows. */
KIT_TEST(a_watcher_of_ones_own_tells_of_the_end)
{
    iso_subprocess_options options = no_streams();
    own_watcher own;
    iso_loop *loop;
    told self;

    if (!kit_needs(k, ISO_CAP_CHILD_WATCHER)) return;
    loop = kit_loop(k);
    own_begin(&own);
    start(k, loop, &self, CHILD("hang"), &options);
    CHECK_EQ(own.pid, iso_process_get_pid(self.process));
    CHECK_OK(iso_process_kill(self.process));
    while (iso_process_kill(self.process) == 0) {} /* until it has ended */
    CHECK_EQ(self.exit_count, 0);
    kit_thread(k, call_back, &own);
    CHECK(kit_run_until(k, loop, &self.lost_count, 1));
    kit_join_all(k);
    CHECK_EQ(self.returncode, 42);
    CHECK_EQ(own.removed, 0);
    CHECK(process_system_has_children()); /* it is that watcher's to reap */
    process_system_reap(own.pid);
    end_watching();
}

/* It need not know of the loop, which may go while the watcher's thread is still in the call. */
KIT_TEST(a_loop_may_be_gone_before_a_watcher_of_ones_own_has_ended_telling)
{
    iso_subprocess_options options = no_streams();
    iso_loop *loop = NULL;
    own_watcher own;
    told self;

    if (!kit_needs(k, ISO_CAP_CHILD_WATCHER)) return;
    REQUIRE_OK(iso_loop_new(&loop, NULL));
    own_begin(&own);
    start(k, loop, &self, CHILD("exit", "0"), &options);
    process_system_reap(own.pid);
    kit_thread(k, call_back, &own);
    CHECK(kit_run_until(k, loop, &self.lost_count, 1));
    iso_loop_release(loop);
    kit_join_all(k);
    CHECK_EQ(self.returncode, 42);
    end_watching();
}

KIT_TEST(a_loop_that_closes_leaves_a_watcher_of_ones_own)
{
    iso_subprocess_options options = no_streams();
    own_watcher own;
    iso_loop *loop;
    told self;

    if (!kit_needs(k, ISO_CAP_CHILD_WATCHER)) return;
    loop = kit_loop(k);
    own_begin(&own);
    start(k, loop, &self, CHILD("hang"), &options);
    CHECK_OK(iso_loop_close(loop));
    CHECK_EQ(own.removed, 1);
    CHECK_RC(self.error, ISO_ECLOSED);
    while (process_system_has_children() && !kit_has_failed(k)) {}
    end_watching();
}

/* What it told is on its way then. */
KIT_TEST(a_loop_may_close_after_a_watcher_of_ones_own_has_told)
{
    iso_subprocess_options options = no_streams();
    own_watcher own;
    iso_loop *loop;
    told self;

    if (!kit_needs(k, ISO_CAP_CHILD_WATCHER)) return;
    loop = kit_loop(k);
    own_begin(&own);
    start(k, loop, &self, CHILD("hang"), &options);
    call_back(&own);
    CHECK_OK(iso_loop_close(loop));
    CHECK_EQ(self.exit_count, 0);
    CHECK_RC(self.error, ISO_ECLOSED);
    while (process_system_has_children() && !kit_has_failed(k)) {}
    end_watching();
}

/* A watcher that was closed is not called any more. */
KIT_TEST(a_watcher_that_is_not_set_any_more_is_left_alone)
{
    iso_subprocess_options options = no_streams();
    own_watcher own;
    iso_loop *loop;
    told self;

    if (!kit_needs(k, ISO_CAP_CHILD_WATCHER)) return;
    loop = kit_loop(k);
    own_begin(&own);
    start(k, loop, &self, CHILD("hang"), &options);
    end_watching();
    CHECK_OK(iso_loop_close(loop));
    CHECK_EQ(own.removed, 0);
    while (process_system_has_children() && !kit_has_failed(k)) {}
}

KIT_TEST(a_watcher_that_is_not_active_is_refused_before_anything_runs)
{
    iso_subprocess_options options = no_streams();
    own_watcher own;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_CHILD_WATCHER)) return;
    loop = kit_loop(k);
    own_begin(&own);
    own.is_inactive = true;
    CHECK_RC(refusal(loop, &options), ISO_EINVALIDSTATE);
    CHECK_HAS(iso_error_detail(), "own is not active");
    CHECK_EQ(own.pid, 0);
    end_watching();
}

/* It was started, and is killed. */
KIT_TEST(a_watcher_that_refuses_ends_what_was_started)
{
    iso_subprocess_options options = no_streams();
    iso_future *future = NULL;
    told self = { NULL, 0, 0, 0, 0 };
    own_watcher own;
    iso_loop *loop;

    if (!kit_needs(k, ISO_CAP_CHILD_WATCHER)) return;
    loop = kit_loop(k);
    own_begin(&own);
    own.refusal = ISO_EMFILE;
    CHECK_OK(iso_loop_subprocess_exec(loop, &telling, &self, CHILD("hang"), &options, &future));
    CHECK_RC(kit_run_release(k, loop, future), ISO_EMFILE);
    CHECK_PTR(self.process, NULL);
    CHECK_EQ(kit_statistics(loop).objects, 0);
    while (process_system_has_children() && !kit_has_failed(k)) {}
    end_watching();
}

/* The program's own waiting takes what the loop was to reap. */
KIT_TEST(a_process_that_is_reaped_elsewhere_is_255)
{
    const iso_child_watcher *watchers[] = { NULL, iso_threaded_child_watcher(),
                                            iso_sigchld_child_watcher() };
    iso_subprocess_options options = no_streams();
    iso_loop *loop;
    size_t at;

    if (!kit_needs(k, ISO_CAP_CHILD_WATCHER)) return;
    loop = kit_loop(k);
    for (at = 0; at < ISO__COUNT(watchers); at++) {
        told self;

        CHECK_OK(iso_set_child_watcher(watchers[at]));
        start(k, loop, &self, CHILD("hang"), &options);
        CHECK_OK(iso_process_kill(self.process));
        process_system_reap(iso_process_get_pid(self.process));
        CHECK_RC(iso_process_kill(self.process), ISO_ENOENT); /* its number is nobody's */
        CHECK(kit_run_until(k, loop, &self.lost_count, 1));
        CHECK_EQ(self.returncode, 255);
        CHECK(kit_logged(k, "reaped elsewhere"));
    }
    end_watching();
}

/* A hundred at once, and not one thread: the best watcher has descriptors, where there are such. */
KIT_TEST(children_need_no_threads)
{
    const iso_child_watcher *best = NULL;
    iso_subprocess_options options = no_streams();
    int before = process_system_count_threads();
    iso_loop *loop;
    told many[MANY];
    int at;

    if (!kit_needs(k, ISO_CAP_CHILD_WATCHER)) return;
    loop = kit_loop(k);
    CHECK_OK(iso_get_child_watcher(&best));
    for (at = 0; at < MANY; at++) start(k, loop, &many[at], CHILD("hang"), &options);
    if (before > 0 && best != iso_threaded_child_watcher())
        CHECK_EQ(process_system_count_threads(), before);
    for (at = 0; at < MANY; at++) CHECK_OK(iso_process_kill(many[at].process));
    for (at = 0; at < MANY; at++) CHECK(kit_run_until(k, loop, &many[at].lost_count, 1));
}

static const kit_case cases[] = {
    KIT_CASE(a_descriptor_is_passed_by_its_number),
    KIT_CASE(one_descriptor_may_have_several_numbers),
    KIT_CASE(numbers_that_can_not_be_are_refused),
    KIT_CASE(a_descriptor_that_is_not_open_is_not_passed),
    KIT_CASE(a_program_may_have_a_session_of_its_own),
    KIT_CASE(a_program_may_lead_a_group),
    KIT_CASE(a_user_that_there_is_not_is_refused),
    KIT_CASE(what_a_system_does_not_have_is_refused),
    KIT_CASE(options_of_an_older_header_end_earlier),
    KIT_CASE(every_watcher_tells_of_the_end),
    KIT_CASE(a_watcher_of_ones_own_tells_of_the_end),
    KIT_CASE(a_loop_may_be_gone_before_a_watcher_of_ones_own_has_ended_telling),
    KIT_CASE(a_loop_that_closes_leaves_a_watcher_of_ones_own),
    KIT_CASE(a_loop_may_close_after_a_watcher_of_ones_own_has_told),
    KIT_CASE(a_watcher_that_is_not_set_any_more_is_left_alone),
    KIT_CASE(a_watcher_that_is_not_active_is_refused_before_anything_runs),
    KIT_CASE(a_watcher_that_refuses_ends_what_was_started),
    KIT_CASE(a_process_that_is_reaped_elsewhere_is_255),
    KIT_CASE(children_need_no_threads),
};

KIT_MAIN(cases)
