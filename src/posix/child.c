/* SPDX-License-Identifier: MIT */
#include "child.h"

#include "sys/child.h"
#include "sys/error.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

/* To waitpid other numbers mean several. */
static bool is_number(int64_t pid)
{
    return pid > 0 && pid <= INT_MAX;
}

/* macOS may answer that it has been stopped. Others give a child that somebody else has reaped no
 * other answer than that there is none. */
static iso__child_state look(int64_t pid, int options)
{
    siginfo_t info;
    int rc;

    memset(&info, 0, sizeof(info));
    do {
        rc = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | options);
    } while (rc != 0 && errno == EINTR);
    if (rc != 0) return ISO__CHILD_GONE;
    if ((options & WNOHANG) != 0 && info.si_pid == 0) return ISO__CHILD_RUNS;
    return info.si_code == CLD_STOPPED ? ISO__CHILD_RUNS : ISO__CHILD_ENDED;
}

iso__child_state iso__sys_child_look(int64_t pid)
{
    return is_number(pid) ? look(pid, WNOHANG) : ISO__CHILD_GONE;
}

void iso__child_await(int64_t pid)
{
    const struct timespec pause = { 0, 10 * 1000 * 1000 };

    while (look(pid, 0) == ISO__CHILD_RUNS) (void)nanosleep(&pause, NULL); /* it was stopped */
}

bool iso__sys_child_is_readable(iso_fd fd)
{
    struct pollfd it = { (int)fd, POLLIN, 0 };

    return poll(&it, 1, 0) > 0;
}

int iso__sys_child_signal(void)
{
    return SIGCHLD;
}

/* ---- reaping ---- */

int iso__child_reap_by_number(int64_t pid, int *returncode)
{
    int status = 0;
    pid_t got;

    do {
        got = waitpid((pid_t)pid, &status, WNOHANG);
    } while (got < 0 && errno == EINTR);
    if (got == 0) return ISO_EAGAIN;
    if (got < 0) { /* ECHILD */
        *returncode = ISO__CHILD_UNKNOWN;
        return ISO_ENOENT;
    }
    *returncode = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
    return 0;
}

static void reap(void *pid)
{
    int unused;

    (void)iso__child_reap_by_number((int64_t)(intptr_t)pid, &unused);
}

void iso__sys_child_leave(int64_t pid)
{
    int unused;

    if (is_number(pid) && iso__child_reap_by_number(pid, &unused) == ISO_EAGAIN)
        (void)iso__sys_child_watch(pid, reap, (void *)(intptr_t)pid);
}

/* ---- in a thread ---- */

typedef struct watch {
    int64_t pid;
    void (*ended)(void *arg);
    void *arg;
} watch;

static void *wait_there(void *arg)
{
    watch *given = arg;
    watch mine = *given;

    free(given);
    iso__child_await(mine.pid);
    mine.ended(mine.arg);
    return NULL;
}

static int start_detached(void *(*run)(void *arg), void *arg)
{
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t every;
    sigset_t before;
    int rc = pthread_attr_init(&attributes);

    if (rc != 0) return iso__sys_error(rc);
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    (void)sigfillset(&every);
    (void)pthread_sigmask(SIG_SETMASK, &every, &before); /* a new thread inherits the mask */
    rc = pthread_create(&thread, &attributes, run, arg);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attributes);
    return rc == 0 ? 0 : iso__sys_error(rc);
}

int iso__sys_child_watch(int64_t pid, void (*ended)(void *arg), void *arg)
{
    watch *given;
    int rc;

    given = malloc(sizeof(*given)); /* not a loop's memory: the thread may outlive it */
    if (given == NULL) return ISO_ENOMEM;
    given->pid = pid;
    given->ended = ended;
    given->arg = arg;
    rc = start_detached(wait_there, given);
    if (rc != 0) free(given);
    return rc;
}
