/* SPDX-License-Identifier: MIT */
/* iso__sys_process_spawn of POSIX, without a loop: what test_process.c does not see through one. */
#include "isoloop/process.h"
#include "kit.h"
#include "loop/child.h"
#include "sys/child.h"
#include "sys/pipe.h"
#include "sys/process.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- children ---- */

typedef struct running {
    iso__process *process;
} running;

static iso__spawn plan_of(const char *const *argv, const char *command)
{
    iso__spawn plan = iso__spawn_default();
    int at;

    plan.argv = argv;
    plan.command = command;
    for (at = 0; at < 3; at++) plan.stdio[at] = at;
    return plan;
}

static void start(running *self, kit *k, const iso__spawn *plan)
{
    REQUIRE_OK(iso__sys_process_spawn(&self->process, kit_allocator(k), plan));
}

/* It has no stream of this program: one that a failed test leaves behind would hold the pipe that
 * CTest reads to its end. */
static iso__spawn plan_of_sleeper(void)
{
    static const char *const argv[] = { "sleep", "60", NULL };
    iso__spawn plan = plan_of(argv, NULL);
    int at;

    for (at = 0; at < 3; at++) plan.stdio[at] = ISO_FD_NONE;
    return plan;
}

static void start_sleeper(running *self, kit *k)
{
    iso__spawn plan = plan_of_sleeper();

    start(self, k, &plan);
}

static pid_t pid_of(const running *self)
{
    return (pid_t)iso__sys_process_id(self->process);
}

/* Wait for the end; answers the code. */
static int finish(running *self)
{
    siginfo_t info;
    int code = 0;

    while (waitid(P_PID, (id_t)pid_of(self), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {}
    CHECK_RC(iso__sys_process_signal(self->process, SIGTERM), ISO_ENOENT); /* a zombie */
    (void)iso__sys_child_reap(ISO_FD_NONE, pid_of(self), &code);
    CHECK_RC(iso__sys_process_signal(self->process, SIGTERM), ISO_ENOENT);
    iso__sys_process_close(self->process);
    return code;
}

/* Run it to its end; answers what it wrote to its standard output. */
static const char *output_of(kit *k, iso__spawn *plan)
{
    static char text[4096];
    size_t count = 0;
    ptrdiff_t got;
    running child;
    iso_fd mine;

    REQUIRE_OK(iso__sys_pipe_open(&mine, &plan->stdio[1], ISO__PIPE_READS));
    start(&child, k, plan);
    (void)iso__sys_pipe_close(plan->stdio[1]);
    (void)fcntl((int)mine, F_SETFL, 0);
    do {
        got = iso__sys_pipe_read(mine, text + count, sizeof(text) - 1 - count);
        if (got > 0) count += (size_t)got;
    } while (got > 0);
    text[count] = '\0';
    (void)iso__sys_pipe_close(mine);
    CHECK_EQ(finish(&child), 0);
    return text;
}

static void expect_failure(kit *k, const iso__spawn *plan, int error, const char *detail)
{
    iso__process *process = NULL;

    CHECK_RC(iso__sys_process_spawn(&process, kit_allocator(k), plan), error);
    CHECK_PTR(process, NULL);
    CHECK_HAS(iso_error_detail(), detail);
    CHECK_EQ(waitpid(-1, NULL, WNOHANG), -1); /* no zombie is left */
    CHECK_EQ(errno, ECHILD);
}

/* Whether a process is gone altogether, after a generous time. */
static bool vanishes(pid_t pid)
{
    iso_nsec end = kit_now() + ISO_S(30);

    while (kill(pid, 0) == 0 && kit_now() < end) (void)usleep(1000);
    return kill(pid, 0) != 0 && errno == ESRCH;
}

/* ---- the program ---- */

KIT_TEST(a_program_is_looked_up_in_the_path_that_it_will_have)
{
    static const char *const argv[] = { "true", NULL };
    static const char *const nowhere[] = { "PATH=/nowhere", NULL };
    static const char *const without[] = { "A=b", NULL };
    static const char *const nothing[] = { NULL };
    iso__spawn plan = plan_of(argv, NULL);
    running child;

    plan.environment = nowhere;
    expect_failure(k, &plan, ISO_ENOENT, "true can't be started");
    plan.environment = without; /* /bin and /usr/bin */
    start(&child, k, &plan);
    CHECK_EQ(finish(&child), 0);
    plan.environment = nothing;
    start(&child, k, &plan);
    CHECK_EQ(finish(&child), 0);
}

/* A script in a folder of its own, where the test runs. */
static void write_script(char *folder, size_t size, const char *text)
{
    char name[64];
    FILE *file;

    (void)snprintf(folder, size, "kit-spawn-%ld", (long)getpid());
    REQUIRE(mkdir(folder, 0700) == 0);
    (void)snprintf(name, sizeof(name), "%s/script", folder);
    file = fopen(name, "w");
    REQUIRE(file != NULL);
    (void)fputs(text, file);
    REQUIRE(fclose(file) == 0);
    REQUIRE(chmod(name, 0700) == 0);
}

static void remove_script(const char *folder)
{
    char name[64];

    (void)snprintf(name, sizeof(name), "%s/script", folder);
    CHECK_EQ(unlink(name), 0);
    CHECK_EQ(rmdir(folder), 0);
}

KIT_TEST(a_relative_name_is_looked_up_where_the_program_begins)
{
    static const char *const here[] = { "./script", NULL };
    static const char *const by_path[] = { "script", NULL };
    static const char *const path[] = { "PATH=/nowhere::/bin:/usr/bin", NULL };
    iso__spawn plan = plan_of(here, NULL);
    char folder[32];

    write_script(folder, sizeof(folder), "#!/bin/sh\necho ran\n");
    plan.cwd = folder;
    CHECK_STR(output_of(k, &plan), "ran\n");
    plan = plan_of(by_path, NULL); /* an empty folder in PATH */
    plan.cwd = folder;
    plan.environment = path;
    CHECK_STR(output_of(k, &plan), "ran\n");
    remove_script(folder);
}

KIT_TEST(what_can_not_be_run_is_told_apart)
{
    static const char *const no_format[] = { "./script", NULL };
    static const char *const no_program[] = { "/bin/sh/no", NULL };
    static const char *const no_right[] = { "/etc/passwd", NULL };
    static const char *const no_folder[] = { "true", NULL };
    static const char *const nothing[] = { NULL };
    iso__spawn plan = plan_of(no_format, NULL);
    char folder[32];

    write_script(folder, sizeof(folder), "echo without a first line\n");
    plan.cwd = folder;
    expect_failure(k, &plan, ISO_EINVAL, "not a program that this system can run");
    remove_script(folder);
    plan = plan_of(no_program, NULL);
    expect_failure(k, &plan, ISO_ENOENT, "/bin/sh/no can't be started");
    plan = plan_of(no_right, NULL);
    expect_failure(k, &plan, ISO_EACCES, "/etc/passwd can't be started");
    plan = plan_of(no_folder, NULL);
    plan.cwd = "/nowhere";
    expect_failure(k, &plan, ISO_ENOENT, "the folder /nowhere can't be entered");
    plan = plan_of(nothing, NULL);
    expect_failure(k, &plan, ISO_EINVAL, "argv[0]");
}

KIT_TEST(arguments_beyond_the_systems_limit_are_refused)
{
    static char large[8 * 1024 * 1024];
    static const char *const argv[] = { "true", large, NULL };
    iso__spawn plan = plan_of(argv, NULL);

    memset(large, 'x', sizeof(large) - 1);
    expect_failure(k, &plan, ISO_EINVAL, "too long");
}

KIT_TEST(of_several_the_first_that_is_there_tells_why)
{
    static const char *const argv[] = { "passwd", NULL };
    static const char *const path[] = { "PATH=/nowhere:/etc:/elsewhere", NULL };
    iso__spawn plan = plan_of(argv, NULL);

    plan.environment = path;
    expect_failure(k, &plan, ISO_EACCES, "passwd can't be started");
}

KIT_TEST(without_descriptors_nothing_is_started)
{
    static const char *const argv[] = { "true", NULL };
    iso__spawn plan = plan_of(argv, NULL);
    iso__process *process = NULL;

    if (!kit_exhaust(k)) return;
    CHECK_RC(iso__sys_process_spawn(&process, kit_allocator(k), &plan), ISO_EMFILE);
    kit_replenish(k);
    CHECK_PTR(process, NULL);
}

KIT_TEST(want_of_memory_starts_nothing)
{
    enum { MOST = 30 };
    static const char *const argv[] = { "true", NULL };
    static const char *const groups[] = { "0", NULL };
    iso__spawn plan = plan_of(argv, NULL);
    iso_pass_fd pass = { 3, 0 };
    iso__process *process = NULL;
    uint64_t nth = 0;
    int rc;

    plan.user = "root";
    plan.group = "0";
    plan.extra_groups = groups;
    plan.pass = &pass;
    plan.pass_count = 1;
    do {
        kit_fail_allocation(k, ++nth, false);
        rc = iso__sys_process_spawn(&process, kit_allocator(k), &plan);
        kit_fail_allocation(k, 0, false);
        if (rc == ISO_ENOMEM) CHECK_PTR(process, NULL);
    } while (rc == ISO_ENOMEM && nth < MOST);
    CHECK_GE(nth, 8); /* two lists, three look-ups, the groups, itself: and then nothing */
    CHECK_LE(nth, MOST - 1);
    if (process == NULL) {
        CHECK_RC(rc, ISO_EPERM); /* for who is not root */
    } else {
        running child = { process };
        CHECK_EQ(finish(&child), 0);
    }
}

/* ---- the standard streams ---- */

static const char *content_of(iso_fd fd)
{
    static char text[64];
    ssize_t got = pread((int)fd, text, sizeof(text) - 1, 0);

    text[got > 0 ? got : 0] = '\0';
    return text;
}

KIT_TEST(streams_may_change_places)
{
    iso__spawn plan = plan_of(NULL, "echo out; echo err >&2");
    iso_fd one = kit_regular_file(k);
    iso_fd two = kit_regular_file(k);
    int before[3];
    running child;

    before[1] = dup(1);
    before[2] = dup(2);
    REQUIRE(dup2((int)one, 1) == 1 && dup2((int)two, 2) == 2);
    plan.stdio[1] = 2;
    plan.stdio[2] = 1;
    start(&child, k, &plan);
    (void)dup2(before[1], 1);
    (void)dup2(before[2], 2);
    (void)close(before[1]);
    (void)close(before[2]);
    CHECK_EQ(finish(&child), 0);
    CHECK_STR(content_of(one), "err\n");
    CHECK_STR(content_of(two), "out\n");
}

KIT_TEST(one_descriptor_may_be_all_three)
{
    iso__spawn plan = plan_of(NULL, "echo out; echo err >&2; echo in >&0");
    iso_fd one = kit_regular_file(k);
    running child;
    int at;

    for (at = 0; at < 3; at++) plan.stdio[at] = one;
    start(&child, k, &plan);
    CHECK_EQ(finish(&child), 0);
    CHECK_STR(content_of(one), "out\nerr\nin\n");
}

KIT_TEST(a_stream_that_this_process_has_closed_is_the_null_device)
{
    iso__spawn plan = plan_of(NULL, "cat && echo here >&0 && echo there >&2");
    iso_fd file = kit_regular_file(k);
    int before[3];
    running child;

    plan.stdio[1] = file;
    before[0] = dup(0);
    before[2] = dup(2);
    (void)close(0);
    (void)close(2);
    start(&child, k, &plan);
    REQUIRE(dup2(before[0], 0) == 0 && dup2(before[2], 2) == 2);
    (void)close(before[0]);
    (void)close(before[2]);
    CHECK_EQ(finish(&child), 0);
    CHECK_STR(content_of(file), "");
}

KIT_TEST(a_stream_that_is_not_open_is_refused)
{
    static const char *const argv[] = { "true", NULL };
    iso__spawn plan = plan_of(argv, NULL);
    iso_fd ends[2];

    kit_pipe(k, ends);
    plan.stdio[2] = ends[0];
    kit_close(k, ends[0]);
    expect_failure(k, &plan, ISO_EBADF, "not open");
}

KIT_TEST(no_descriptor_of_the_program_is_left_to_it)
{
    /* The shell's own, and those of the library that it is linked with, are below. */
    iso__spawn plan = plan_of(NULL, "for n in 3 4 5 6 7 8 9; do"
                                    " (eval \": <&$n\") 2>/dev/null && echo $n; done; true");
    iso_fd file = kit_regular_file(k);

    (void)kit_duplicate_above(k, file, 3);
    (void)kit_duplicate_above(k, file, 4);
    (void)kit_duplicate_above(k, file, 9);
    CHECK_STR(output_of(k, &plan), "");
}

static void note_loss(iso_process *process, void *arg, int error)
{
    (void)process;
    (void)error;
    *(int *)arg += 1;
}

static void end_input(iso_process *process, void *arg)
{
    (void)arg;
    (void)iso_transport_write_eof(iso_process_get_pipe_transport(process, 0));
}

/* The pipe to it has the numbers of the two then: as its output it would keep itself alive. */
KIT_TEST(a_stream_that_this_process_has_closed_is_not_inherited_from_a_new_pipe)
{
    static const iso_subprocess_protocol protocol = { .connection_made = end_input,
                                                      .connection_lost = note_loss };
    static const char *const argv[] = { "cat", NULL };
    iso_subprocess_options options = ISO_SUBPROCESS_OPTIONS_INIT;
    iso_loop *loop = kit_loop(k);
    int lost = 0;
    int before[2];
    int at;
    int rc;

    options.stdout_is = ISO_STDIO_INHERIT;
    options.stderr_is = ISO_STDIO_NULL;
    for (at = 0; at < 2; at++) before[at] = dup(at);
    for (at = 0; at < 2; at++) (void)close(at);
    rc = iso_loop_subprocess_exec(loop, &protocol, &lost, argv, &options, NULL);
    if (rc == 0) (void)kit_run_until(k, loop, &lost, 1);
    (void)iso_loop_close(loop); /* if it failed, 0 and 1 are its own still */
    for (at = 0; at < 2; at++) {
        (void)dup2(before[at], at);
        (void)close(before[at]);
    }
    CHECK_OK(rc);
    CHECK_EQ(lost, 1);
}

/* ---- signals ---- */

KIT_TEST(a_child_has_every_signal_as_it_was_at_first)
{
    /* Ignored in the shell, it would not end it; blocked, neither. */
    static const char *const commands[] = { "kill -PIPE $$; exit 1", "kill -USR1 $$; exit 1",
                                            "kill -TERM $$; exit 1" };
    static const int numbers[] = { SIGPIPE, SIGUSR1, SIGTERM };
    sigset_t every;
    sigset_t before;
    size_t at;

    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGUSR1, SIG_IGN);
    (void)sigfillset(&every);
    (void)pthread_sigmask(SIG_SETMASK, &every, &before);
    for (at = 0; at < ISO__COUNT(commands); at++) {
        iso__spawn plan = plan_of(NULL, commands[at]);
        running child;

        start(&child, k, &plan);
        CHECK_EQ(finish(&child), -numbers[at]);
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)signal(SIGUSR1, SIG_DFL);
}

KIT_TEST(a_child_that_is_stopped_has_not_ended)
{
    running child;
    int status;

    start_sleeper(&child, k);
    CHECK_OK(iso__sys_process_signal(child.process, SIGSTOP));
    CHECK_EQ(waitpid(pid_of(&child), &status, WUNTRACED), pid_of(&child));
    CHECK_EQ(iso__sys_child_look(pid_of(&child)), ISO__CHILD_RUNS);
    CHECK_OK(iso__sys_process_signal(child.process, 0));
    CHECK_OK(iso__sys_process_signal(child.process, SIGKILL));
    CHECK_EQ(finish(&child), -SIGKILL);
}

KIT_TEST(a_number_that_is_no_signal_is_refused)
{
    running child;

    start_sleeper(&child, k);
    CHECK_RC(iso__sys_process_signal(child.process, 12345), ISO_EINVAL);
    CHECK_RC(iso__sys_process_signal(child.process, -1), ISO_EINVAL);
    CHECK_OK(iso__sys_process_signal(child.process, SIGKILL));
    CHECK_EQ(finish(&child), -SIGKILL);
}

/* ---- the end ---- */

KIT_TEST(a_child_that_is_left_runs_on_and_is_reaped)
{
    running child;
    pid_t pid;

    start_sleeper(&child, k);
    pid = pid_of(&child);
    iso__sys_process_close(child.process);
    iso__sys_child_leave(pid);
    CHECK_EQ(kill(pid, 0), 0); /* it runs on, */
    CHECK_EQ(kill(pid, SIGKILL), 0);
    CHECK(vanishes(pid)); /* and is reaped all the same */
}

KIT_TEST(a_child_that_nobody_waits_for_can_be_waited_for_by_the_program)
{
    running child;
    pid_t pid;
    int status = 0;

    start_sleeper(&child, k);
    pid = pid_of(&child);
    CHECK_OK(iso__sys_process_signal(child.process, SIGKILL));
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFSIGNALED(status));
    CHECK_RC(iso__sys_process_signal(child.process, SIGKILL), ISO_ENOENT);
    iso__sys_process_close(child.process);
}

KIT_TEST(a_child_that_has_ended_is_reaped_at_once_when_it_is_left)
{
    running child;
    siginfo_t info;
    pid_t pid;

    start_sleeper(&child, k);
    pid = pid_of(&child);
    CHECK_OK(iso__sys_process_signal(child.process, SIGKILL));
    CHECK_EQ(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    iso__sys_process_close(child.process);
    iso__sys_child_leave(pid);
    CHECK_EQ(iso__sys_child_look(pid), ISO__CHILD_GONE);
}

KIT_TEST(what_another_has_reaped_is_255)
{
    running child;

    start_sleeper(&child, k);
    CHECK_OK(iso__sys_process_signal(child.process, SIGKILL));
    CHECK_EQ(waitpid(pid_of(&child), NULL, 0), pid_of(&child));
    CHECK_EQ(finish(&child), 255);
}

KIT_TEST(what_the_system_has_reaped_is_255)
{
    static const char *const argv[] = { "true", NULL };
    iso__spawn plan = plan_of(argv, NULL);
    running child;

    (void)signal(SIGCHLD, SIG_IGN);
    start(&child, k, &plan);
    CHECK_EQ(finish(&child), 255);
    (void)signal(SIGCHLD, SIG_DFL);
}

KIT_TEST(many_children_end_in_any_order)
{
    enum { MANY = 40 };
    static running children[MANY];
    int at;

    for (at = 0; at < MANY; at++) {
        char command[32];
        iso__spawn plan = plan_of(NULL, command);

        (void)snprintf(command, sizeof(command), "exit %d", at);
        start(&children[at], k, &plan);
    }
    for (at = MANY - 1; at >= 0; at--) CHECK_EQ(finish(&children[at]), at);
}

/* ---- more descriptors ---- */

KIT_TEST(descriptors_may_change_places)
{
    iso__spawn plan = plan_of(NULL, "echo one >&3; echo two >&4; echo three >&9");
    iso_pass_fd pass[3];
    iso_fd files[3];
    running child;
    size_t at;

    for (at = 0; at < ISO__COUNT(files); at++) files[at] = kit_regular_file(k);
    pass[0].number = 9; /* in no order, and each where another one is, if the numbers are so */
    pass[0].fd = files[0];
    pass[1].number = (int)files[0] < 9 ? 3 : 4;
    pass[1].fd = files[1];
    pass[2].number = 7 - pass[1].number;
    pass[2].fd = files[2];
    plan.pass = pass;
    plan.pass_count = ISO__COUNT(pass);
    start(&child, k, &plan);
    CHECK_EQ(finish(&child), 0);
    CHECK_STR(content_of(files[0]), "three\n");
    CHECK_STR(content_of(files[1]), pass[1].number == 3 ? "one\n" : "two\n");
    CHECK_STR(content_of(files[2]), pass[2].number == 3 ? "one\n" : "two\n");
}

/* Sources and targets are the same numbers, in a ring. */
KIT_TEST(descriptors_may_go_round_in_a_ring)
{
    enum { RING = 3, LOWEST = 100 };
    iso__spawn plan = plan_of(NULL, "exit 0");
    iso_pass_fd pass[RING];
    char command[128];
    iso_fd files[RING];
    running child;
    int at;

    for (at = 0; at < RING; at++) files[at] = kit_duplicate_above(k, kit_regular_file(k), LOWEST);
    for (at = 0; at < RING; at++) {
        pass[at].number = (int)files[(at + 1) % RING];
        pass[at].fd = files[at];
    }
    (void)snprintf(command, sizeof(command),
                   "for n in %ld %ld %ld; do printf %%s $n > /proc/self/fd/$n || exit 3; done",
                   (long)files[0], (long)files[1], (long)files[2]);
    if (access("/proc/self/fd", F_OK) == 0) plan.command = command;
    plan.pass = pass;
    plan.pass_count = RING;
    start(&child, k, &plan);
    CHECK_EQ(finish(&child), 0);
    for (at = 0; plan.command == command && at < RING; at++) {
        char number[16];

        (void)snprintf(number, sizeof(number), "%d", pass[at].number);
        CHECK_STR(content_of(files[at]), number);
    }
}

KIT_TEST(nothing_is_left_between_the_numbers_that_are_passed)
{
    iso__spawn plan = plan_of(NULL, "for n in 3 4 5 6 7 8 9; do"
                                    " (eval \": <&$n\") 2>/dev/null && echo $n; done; true");
    iso_pass_fd pass[2];
    iso_fd file = kit_regular_file(k);
    int lowest;

    for (lowest = 3; lowest < 9; lowest++) (void)kit_duplicate_above(k, file, lowest);
    pass[0].number = 8;
    pass[1].number = 5;
    pass[0].fd = pass[1].fd = file;
    plan.pass = pass;
    plan.pass_count = ISO__COUNT(pass);
    CHECK_STR(output_of(k, &plan), "5\n8\n");
}

KIT_TEST(a_number_beyond_the_limit_is_refused)
{
    static const char *const argv[] = { "true", NULL };
    iso__spawn plan = plan_of(argv, NULL);
    iso_pass_fd pass = { 1 << 30, 0 };

    plan.pass = &pass;
    plan.pass_count = 1;
    expect_failure(k, &plan, ISO_EINVAL, "1073741824");
}

/* ---- who it is ---- */

KIT_TEST(a_child_may_lead_a_session)
{
    iso__spawn plan = plan_of_sleeper();
    running child;

    plan.start_new_session = true;
    start(&child, k, &plan);
    CHECK_EQ(getsid(pid_of(&child)), pid_of(&child));
    CHECK_EQ(getpgid(pid_of(&child)), pid_of(&child));
    CHECK_OK(iso__sys_process_signal(child.process, SIGKILL));
    CHECK_EQ(finish(&child), -SIGKILL);
}

KIT_TEST(a_child_may_lead_a_group_or_join_one)
{
    iso__spawn plan = plan_of_sleeper();
    running leader;
    running other;

    plan.process_group = 0;
    start(&leader, k, &plan);
    CHECK_EQ(getpgid(pid_of(&leader)), pid_of(&leader));
    CHECK_EQ(getsid(pid_of(&leader)), getsid(0));
    plan.process_group = pid_of(&leader);
    start(&other, k, &plan);
    CHECK_EQ(getpgid(pid_of(&other)), pid_of(&leader));
    CHECK_EQ(kill(-pid_of(&leader), SIGKILL), 0);
    CHECK_EQ(finish(&other), -SIGKILL);
    CHECK_EQ(finish(&leader), -SIGKILL);
}

KIT_TEST(a_group_that_can_not_be_joined_is_told)
{
    static const char *const argv[] = { "true", NULL };
    iso__spawn plan = plan_of(argv, NULL);

    plan.process_group = INT32_MAX; /* nobody's */
    expect_failure(k, &plan, ISO_EPERM, "process group 2147483647");
}

KIT_TEST(a_child_has_the_umask_that_it_is_given)
{
    iso__spawn plan = plan_of(NULL, "umask");

    plan.umask = 027;
    CHECK_HAS(output_of(k, &plan), "027\n");
    plan.umask = 0;
    CHECK_HAS(output_of(k, &plan), "000\n");
}

KIT_TEST(signals_that_are_ignored_may_stay_so)
{
    iso__spawn plan = plan_of(NULL, "kill -USR1 $$; exit 1");
    running child;

    (void)signal(SIGUSR1, SIG_IGN);
    plan.restore_signals = false;
    start(&child, k, &plan);
    CHECK_EQ(finish(&child), 1);
    (void)signal(SIGUSR1, SIG_DFL);
}

static void become_somebody(kit *k)
{
    static const char *const groups[] = { "1234", "1235", NULL };
    static const char *const none[] = { NULL };
    iso__spawn plan = plan_of(NULL, "id -u; id -g; id -G");

    plan.user = "1111";
    plan.group = "2222";
    plan.extra_groups = groups;
    CHECK_STR(output_of(k, &plan), "1111\n2222\n2222 1234 1235\n");
    plan.extra_groups = none;
    CHECK_STR(output_of(k, &plan), "1111\n2222\n2222\n");
    plan = plan_of(NULL, "id -u");
    plan.user = "nobody"; /* there is one everywhere */
    CHECK(strcmp(output_of(k, &plan), "0\n") != 0);
}

/* Also what would be harmless. */
static void expect_no_right(kit *k, void *unused)
{
    static const char *const argv[] = { "true", NULL };
    static const char *const none[] = { NULL };
    iso__spawn plan = plan_of(argv, NULL);

    (void)unused;
    if (getuid() == 0) REQUIRE(setgid(4321) == 0 && setuid(4321) == 0);
    plan.user = "0";
    expect_failure(k, &plan, ISO_EPERM, "another user");
    plan.user = NULL;
    plan.group = "0";
    expect_failure(k, &plan, ISO_EPERM, "another user");
    plan.group = NULL;
    plan.extra_groups = none;
    expect_failure(k, &plan, ISO_EPERM, "another user");
}

/* For the first one has to be root, which the second gives up, in a child. */
KIT_TEST(a_child_may_be_another_user_if_this_program_may)
{
    if (getuid() == 0) become_somebody(k);
    child_run(k, expect_no_right, NULL);
}

KIT_TEST(a_user_that_there_is_not_is_refused)
{
    static const char *const argv[] = { "true", NULL };
    static const char *const groups[] = { "0", "isoloop-no-group", NULL };
    iso__spawn plan = plan_of(argv, NULL);

    plan.user = "isoloop-no-user";
    expect_failure(k, &plan, ISO_EINVAL, "isoloop-no-user");
    plan.user = "99999999999";
    expect_failure(k, &plan, ISO_EINVAL, "99999999999");
    plan.user = NULL;
    plan.extra_groups = groups;
    expect_failure(k, &plan, ISO_EINVAL, "isoloop-no-group");
}

/* ---- a child that dies with its parent ---- */

typedef struct short_life {
    kit *k;
    running child;
    int rc;
} short_life;

static void start_and_end(void *arg)
{
    short_life *self = arg;
    iso__spawn plan = plan_of_sleeper();

    plan.dies_with_parent = true;
    self->rc = iso__sys_process_spawn(&self->child.process, kit_allocator(self->k), &plan);
}

/* Linux sends the signal when the thread that forked ends: that must not be the caller's. */
KIT_TEST(a_child_that_dies_with_its_parent_outlives_the_thread_that_started_it)
{
    static short_life life;

    memset(&life, 0, sizeof(life));
    life.k = k;
    kit_thread(k, start_and_end, &life);
    kit_join_all(k);
    if (life.rc != 0) { /* the contract: where the system has no such thing */
        CHECK_RC(life.rc, ISO_ENOTSUP);
        return;
    }
    CHECK_OK(iso__sys_process_signal(life.child.process, 0));
    CHECK_OK(iso__sys_process_signal(life.child.process, SIGTERM)); /* not SIGKILL, yet */
    CHECK_EQ(finish(&life.child), -SIGTERM);
}

static const kit_case cases[] = {
    KIT_CASE(a_program_is_looked_up_in_the_path_that_it_will_have),
    KIT_CASE(a_relative_name_is_looked_up_where_the_program_begins),
    KIT_CASE(what_can_not_be_run_is_told_apart),
    KIT_CASE(arguments_beyond_the_systems_limit_are_refused),
    KIT_CASE(of_several_the_first_that_is_there_tells_why),
    KIT_CASE(without_descriptors_nothing_is_started),
    KIT_CASE(want_of_memory_starts_nothing),
    KIT_CASE(streams_may_change_places),
    KIT_CASE(one_descriptor_may_be_all_three),
    KIT_CASE(a_stream_that_this_process_has_closed_is_the_null_device),
    KIT_CASE(a_stream_that_is_not_open_is_refused),
    KIT_CASE(a_stream_that_this_process_has_closed_is_not_inherited_from_a_new_pipe),
    KIT_CASE(no_descriptor_of_the_program_is_left_to_it),
    KIT_CASE(a_child_has_every_signal_as_it_was_at_first),
    KIT_CASE(a_child_that_is_stopped_has_not_ended),
    KIT_CASE(a_number_that_is_no_signal_is_refused),
    KIT_CASE(a_child_that_is_left_runs_on_and_is_reaped),
    KIT_CASE(a_child_that_nobody_waits_for_can_be_waited_for_by_the_program),
    KIT_CASE(a_child_that_has_ended_is_reaped_at_once_when_it_is_left),
    KIT_CASE(what_another_has_reaped_is_255),
    KIT_CASE(what_the_system_has_reaped_is_255),
    KIT_CASE(many_children_end_in_any_order),
    KIT_CASE(descriptors_may_change_places),
    KIT_CASE(descriptors_may_go_round_in_a_ring),
    KIT_CASE(nothing_is_left_between_the_numbers_that_are_passed),
    KIT_CASE(a_number_beyond_the_limit_is_refused),
    KIT_CASE(a_child_may_lead_a_session),
    KIT_CASE(a_child_may_lead_a_group_or_join_one),
    KIT_CASE(a_group_that_can_not_be_joined_is_told),
    KIT_CASE(a_child_has_the_umask_that_it_is_given),
    KIT_CASE(signals_that_are_ignored_may_stay_so),
    KIT_CASE(a_child_may_be_another_user_if_this_program_may),
    KIT_CASE(a_user_that_there_is_not_is_refused),
    KIT_CASE(a_child_that_dies_with_its_parent_outlives_the_thread_that_started_it),
};

KIT_MAIN(cases)
