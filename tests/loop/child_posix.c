/* SPDX-License-Identifier: MIT */
#include "loop/child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/prctl.h>
#include <sys/ptrace.h>
#endif

enum { CHILD_SECONDS = 30, PATIENCE_SECONDS = 20 };

const int child_signal_number = SIGCHLD;
const int child_uncatchable[] = { SIGKILL, SIGSTOP, 0 };

void child_run(kit *k, void (*body)(kit *k, void *arg), void *arg)
{
    int status = -1;
    pid_t pid;

    (void)fflush(stdout);
    pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        (void)alarm(CHILD_SECONDS); /* the watchdog stayed with the parent */
        body(k, arg);
        (void)fflush(stdout);
        _exit(kit_has_failed(k) ? CHILD_CODE_FAILED : 0);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 0);
}

/* Some systems let a program be debugged by its ancestors alone, unless it says otherwise. */
static void allow_debugger(void)
{
#if defined(PR_SET_PTRACER)
    (void)prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
#endif
}

void child_start(kit *k, child *out, int code)
{
    char byte;
    int ends[2];
    pid_t pid;

    REQUIRE(pipe(ends) == 0);
    pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        (void)alarm(CHILD_SECONDS);
        (void)close(ends[1]);
        allow_debugger();
        while (read(ends[0], &byte, 1) < 0 && errno == EINTR) {}
        _exit(code);
    }
    (void)close(ends[0]);
    out->pid = pid;
    out->hold = kit_own(k, ends[1]);
}

void child_release(kit *k, child *self)
{
    kit_close(k, self->hold);
    self->hold = ISO_FD_NONE;
}

void child_kill(const child *self, int signum)
{
    CHECK_EQ(kill((pid_t)self->pid, signum), 0);
}

void child_await_ended(const child *self)
{
    siginfo_t info;

    while (waitid(P_PID, (id_t)self->pid, &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {}
}

bool child_reap(const child *self)
{
    return waitpid((pid_t)self->pid, NULL, 0) == (pid_t)self->pid;
}

void child_await_reaped(const child *self)
{
    const struct timespec shortly = { 0, 1000000 };
    iso_nsec end = kit_now() + ISO_S(PATIENCE_SECONDS);

    while (kill((pid_t)self->pid, 0) == 0 && kit_now() < end) (void)nanosleep(&shortly, NULL);
    CHECK(kill((pid_t)self->pid, 0) < 0 && errno == ESRCH);
}

/* Other systems make a debugger the parent meanwhile, and stop the child. */
static bool attach_to(int64_t pid)
{
#if defined(__linux__)
    return ptrace(PTRACE_SEIZE, (pid_t)pid, NULL, NULL) == 0;
#else
    (void)pid;
    return false;
#endif
}

static _Noreturn void debug(const child *of, int says, int hold)
{
    char byte = attach_to(of->pid) ? 1 : 0;
    bool is_attached = byte == 1;

    (void)alarm(CHILD_SECONDS);
    (void)close((int)of->hold);
    if (write(says, &byte, 1) == 1 && is_attached) {
        child_await_ended(of);
        (void)!write(says, &byte, 1);
    }
    while (read(hold, &byte, 1) < 0 && errno == EINTR) {}
    if (is_attached) (void)waitpid((pid_t)of->pid, NULL, 0);
    _exit(0);
}

void child_debug(kit *k, child_debugger *out, const child *of)
{
    int says[2];
    int hold[2];
    char byte = 0;
    pid_t pid;

    REQUIRE(pipe(says) == 0 && pipe(hold) == 0);
    pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        (void)close(says[0]);
        (void)close(hold[1]);
        debug(of, says[1], hold[0]);
    }
    (void)close(says[1]);
    (void)close(hold[0]);
    out->pid = pid;
    out->says = kit_own(k, says[0]);
    out->hold = kit_own(k, hold[1]);
    while (read(says[0], &byte, 1) < 0 && errno == EINTR) {}
    out->has_it = byte == 1;
}

void child_debug_await_ended(const child_debugger *self)
{
    char byte;

    while (self->has_it && read((int)self->says, &byte, 1) < 0 && errno == EINTR) {}
}

void child_debug_end(kit *k, child_debugger *self)
{
    kit_close(k, self->hold);
    kit_close(k, self->says);
    while (waitpid((pid_t)self->pid, NULL, 0) < 0 && errno == EINTR) {}
}

int64_t child_own_number(void)
{
    return getpid();
}

void child_signal_self(int signum)
{
    (void)kill(getpid(), signum);
}

void child_unblock_signals(void)
{
    sigset_t none;

    (void)sigemptyset(&none);
    (void)pthread_sigmask(SIG_SETMASK, &none, NULL);
}

bool child_restarts(int signum)
{
    struct sigaction now;

    return sigaction(signum, NULL, &now) == 0 && (now.sa_flags & SA_RESTART) != 0;
}
