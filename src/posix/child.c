/* SPDX-License-Identifier: MIT */
#include "sys/child.h"

#include "sys/error.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

int iso__sys_child_wait(int64_t pid, int *returncode)
{
    int status = 0;
    pid_t got;

    if (pid <= 0 || pid > INT_MAX) return ISO_EINVAL; /* to waitpid these mean several */
    do {
        got = waitpid((pid_t)pid, &status, 0);
    } while (got < 0 && errno == EINTR);
    if (got < 0) { /* ECHILD */
        *returncode = ISO__CHILD_UNKNOWN;
        return ISO_ENOENT;
    }
    *returncode = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
    return 0;
}

bool iso__sys_child_exists(int64_t pid)
{
    siginfo_t info;

    return pid > 0 && pid <= INT_MAX &&
           waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* ---- in a thread ---- */

typedef struct watch {
    int64_t pid;
    void (*ended)(void *arg, int rc, int returncode);
    void *arg;
} watch;

static void *wait_there(void *arg)
{
    watch *given = arg;
    watch mine = *given;
    int returncode = ISO__CHILD_UNKNOWN;
    int rc;

    free(given);
    rc = iso__sys_child_wait(mine.pid, &returncode);
    mine.ended(mine.arg, rc, returncode);
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

int iso__sys_child_watch(int64_t pid, void (*ended)(void *arg, int rc, int returncode), void *arg)
{
    watch *given;
    int rc;

    if (pid <= 0 || pid > INT_MAX) return ISO_EINVAL;
    given = malloc(sizeof(*given)); /* not a loop's memory: the thread may outlive it */
    if (given == NULL) return ISO_ENOMEM;
    given->pid = pid;
    given->ended = ended;
    given->arg = arg;
    rc = start_detached(wait_there, given);
    if (rc != 0) free(given);
    return rc;
}
