/* SPDX-License-Identifier: MIT */
/* Starting a program: fork in the calling thread, all signals blocked so that no handler of this
 * program runs in the child, and exec.
 *
 * Why not posix_spawn: it can't change who the program is nor tie it to its parent, nor say which
 * step failed; and on most systems it neither changes the folder nor closes what must not be
 * inherited. On Linux vfork has its speed, whatever the size of this process, and needs no memory
 * that could be refused. Elsewhere vfork is fork, or is going to be taken away, so it is fork. */
#include "sys/process.h"

#include "base/alloc.h"
#include "base/atomic.h"
#include "base/compiler.h"
#include "base/error.h"
#include "child.h"
#include "spawn.h"
#include "sys/child.h"
#include "sys/descriptor.h"
#include "sys/error.h"
#include "sys/pipe.h"
#include "sys/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__FreeBSD__)
#include <sys/procctl.h>
#elif defined(__APPLE__)
#include <crt_externs.h>
#endif

#if defined(__linux__) || (defined(__FreeBSD__) && defined(PROC_PDEATHSIG_CTL))
enum { CAN_DIE_WITH_PARENT = 1 };
#else
enum { CAN_DIE_WITH_PARENT = 0 };
#endif

enum { STREAMS = 3 };

/* ---- the plan ---- */

static char *const *own_environment(void)
{
    static char *const nothing[] = { NULL }; /* what clearenv leaves is not even a list */
#if defined(__APPLE__)
    char **own = *_NSGetEnviron(); /* a shared library has no `environ` */
#else
    extern char **environ;
    char **own = environ;
#endif

    return own != NULL ? own : nothing;
}

static int refuse_descriptor(iso_fd fd)
{
    return iso__error_set(ISO_EBADF, "a descriptor for a program is not open: %ld", (long)fd);
}

/* What is not open now could be a descriptor of the library's own a moment later. A standard stream
 * that this process has closed itself is the null device: the program would take the next file that
 * it opens for it. */
static int add_streams(iso__spawn_plan *self)
{
    int at;

    for (at = 0; at < STREAMS; at++) {
        iso_fd fd = self->spawn->stdio[at];
        bool is_open = fd == ISO_FD_NONE || fcntl((int)fd, F_GETFD) >= 0;

        if (!is_open && fd != at) return refuse_descriptor(fd);
        self->numbers[at] = at;
        self->sources[at] = is_open ? (int)fd : -1;
    }
    self->count = STREAMS;
    return 0;
}

/* In the order of the numbers. */
static int add_passed(iso__spawn_plan *self, const iso_pass_fd *passed)
{
    size_t at = self->count;

    if (fcntl((int)passed->fd, F_GETFD) < 0) return refuse_descriptor(passed->fd);
    for (; self->numbers[at - 1] > passed->number; at--) {
        self->numbers[at] = self->numbers[at - 1];
        self->sources[at] = self->sources[at - 1];
    }
    self->numbers[at] = passed->number;
    self->sources[at] = (int)passed->fd;
    self->count++;
    return 0;
}

static int list_descriptors(iso__spawn_plan *self, const iso_allocator *allocator)
{
    const iso__spawn *spawn = self->spawn;
    size_t room = STREAMS + spawn->pass_count + 1;
    size_t at;
    int last;
    int rc;

    self->numbers = iso__alloc(allocator, 2 * room * sizeof(int));
    if (self->numbers == NULL) return ISO_ENOMEM;
    self->sources = self->numbers + room;
    rc = add_streams(self);
    for (at = 0; rc == 0 && at < spawn->pass_count; at++) rc = add_passed(self, &spawn->pass[at]);
    if (rc != 0) return rc;
    last = self->numbers[self->count - 1];
    /* One for the report, and one to move something out of the way. */
    if (last > INT_MAX - 2 || last + 2 >= iso__sys_descriptor_limit())
        return iso__error_set(ISO_EINVAL, "a program can't have a descriptor with the number %d",
                              last);
    self->numbers[self->count] = last + 1;
    return 0;
}

static void free_plan(iso__spawn_plan *self, const iso_allocator *allocator)
{
    size_t room = STREAMS + self->spawn->pass_count + 1;

    iso__free(allocator, self->numbers, 2 * room * sizeof(int));
    iso__free(allocator, self->programs, self->bytes);
    iso__identity_close(&self->identity, allocator);
}

static int check_spawn(const iso__spawn *spawn)
{
    if (spawn->dies_with_parent && !CAN_DIE_WITH_PARENT)
        return iso__error_set(ISO_ENOTSUP,
                              "this system does not end a program together with its parent");
    if (spawn->process_group > INT_MAX)
        return iso__error_set(ISO_EINVAL, "there is no process group with this number");
    return 0;
}

static int make_plan(iso__spawn_plan *self, const iso_allocator *allocator, const iso__spawn *spawn)
{
    int rc;

    memset(self, 0, sizeof(*self));
    self->spawn = spawn;
    self->shell_argv[0] = "/bin/sh";
    self->shell_argv[1] = "-c";
    self->shell_argv[2] = spawn->command;
    self->argv = (char *const *)(spawn->command != NULL ? self->shell_argv : spawn->argv);
    self->environment =
        spawn->environment != NULL ? (char *const *)spawn->environment : own_environment();
    self->parent = getpid();
    if (self->argv == NULL || self->argv[0] == NULL)
        return iso__error_set(ISO_EINVAL, "a program to start has a name, argv[0]");
    rc = check_spawn(spawn);
    if (rc == 0) rc = list_descriptors(self, allocator);
    if (rc == 0) rc = iso__spawn_list_programs(self, allocator);
    if (rc == 0) rc = iso__identity_open(&self->identity, allocator, spawn);
    if (rc != 0) free_plan(self, allocator);
    return rc;
}

/* ---- fork ---- */

/* A child that changes who it is while it has the memory of its parent would have the parent taken
 * for a program that has changed, too (its core dumps, its /proc); and the C library would have all
 * of the parent's threads change. Source: CPython, do_fork_exec. */
#if defined(__linux__)

static pid_t fork_child(const iso__spawn_plan *plan)
{
    bool is_own = iso__identity_is_own(&plan->identity);
    pid_t pid = is_own ? vfork() : fork();

    if (pid == 0) iso__spawn_run(plan);
    return pid;
}

#else

static pid_t fork_child(const iso__spawn_plan *plan)
{
    pid_t pid = fork();

    if (pid == 0) iso__spawn_run(plan);
    return pid;
}

#endif

/* Wait for the end of the pipe, which is there once the child is another program. */
static int read_failure(iso_fd fd, iso__spawn_failure *out)
{
    ptrdiff_t got = iso__sys_pipe_read(fd, out, sizeof(*out));

    if (got < 0) return (int)got;
    if (got == 0) out->step = 0;
    return got == 0 || got == (ptrdiff_t)sizeof(*out) ? 0 : ISO_EIO;
}

/* The pipe of the failures: out of the way of the numbers that the child is to have. */
static int open_report(iso_fd *reader, int *writer, int lowest)
{
    iso_fd mine;
    int rc = iso__sys_pipe_open(&mine, reader, ISO__PIPE_WRITES);

    if (rc != 0) return rc;
    *writer = (int)mine;
    if (mine >= lowest) return 0;
    *writer = fcntl((int)mine, F_DUPFD_CLOEXEC, lowest);
    if (*writer < 0) {
        rc = iso__sys_error(errno == EINVAL ? EMFILE : errno); /* the limit was lowered just now */
        (void)close((int)*reader);
    }
    (void)close((int)mine);
    return rc;
}

/* It ends by itself. */
static void reap(pid_t pid)
{
    int unused;

    iso__child_await(pid);
    (void)iso__child_reap_by_number(pid, &unused);
}

/* Start it. *pid is the child's; or else *failed says what that said, or an error is answered. */
static int launch(iso__spawn_plan *plan, pid_t *pid, iso__spawn_failure *failed)
{
    sigset_t every;
    sigset_t before;
    iso_fd reader;
    int rc = open_report(&reader, &plan->report, plan->numbers[plan->count]);

    if (rc != 0) return rc;
    (void)sigfillset(&every);
    (void)pthread_sigmask(SIG_SETMASK, &every, &before);
    *pid = fork_child(plan);
    if (*pid < 0) rc = iso__sys_error(errno);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)close(plan->report);
    if (rc == 0) {
        rc = read_failure(reader, failed);
        if (rc != 0 || failed->step != 0) reap(*pid);
    }
    (void)close((int)reader);
    return rc;
}

/* ---- a thread that keeps a child ----
 *
 * Linux kills a child that dies with its parent when the thread that made it ends (prctl(2),
 * PR_SET_PDEATHSIG). So a thread is made for it, which lives as long. */

typedef struct keeper {
    iso__atomic_u32 references; /* the thread's, and the caller's */
    pthread_mutex_t lock;       /* of all that follows */
    pthread_cond_t changed;
    iso__spawn_plan *plan; /* lent until it is started */
    bool is_started;       /* or has failed to */
    pid_t pid;
    iso__spawn_failure failed;
    int error;
} keeper;

static void let_go(keeper *self)
{
    if (iso__atomic_add_u32(&self->references, UINT32_MAX) != 1) return;
    (void)pthread_cond_destroy(&self->changed);
    (void)pthread_mutex_destroy(&self->lock);
    free(self);
}

static void keep_child(void *arg)
{
    keeper *self = arg;
    iso__spawn_failure failed = { 0, 0 };
    pid_t pid = -1;
    int rc;

    (void)pthread_detach(pthread_self()); /* nobody can wait for as long as a child may run */
    rc = launch(self->plan, &pid, &failed);
    (void)pthread_mutex_lock(&self->lock);
    self->pid = pid;
    self->failed = failed;
    self->error = rc;
    self->is_started = true;
    (void)pthread_cond_signal(&self->changed);
    (void)pthread_mutex_unlock(&self->lock);
    let_go(self);
    if (rc == 0 && failed.step == 0) iso__child_await(pid);
}

static keeper *new_keeper(iso__spawn_plan *plan)
{
    keeper *self = calloc(1, sizeof(*self)); /* not a loop's memory: the thread may outlive it */

    if (self == NULL) return NULL;
    iso__atomic_store_u32(&self->references, 2);
    (void)pthread_mutex_init(&self->lock, NULL);
    (void)pthread_cond_init(&self->changed, NULL);
    self->plan = plan;
    return self;
}

static int launch_in_thread(iso__spawn_plan *plan, pid_t *pid, iso__spawn_failure *failed)
{
    keeper *self = new_keeper(plan);
    iso__thread thread;
    int rc;

    if (self == NULL) return ISO_ENOMEM;
    rc = iso__sys_thread_start(&thread, keep_child, self);
    if (rc != 0) {
        let_go(self);
        let_go(self);
        return rc;
    }
    (void)pthread_mutex_lock(&self->lock);
    while (!self->is_started) (void)pthread_cond_wait(&self->changed, &self->lock);
    *pid = self->pid;
    *failed = self->failed;
    rc = self->error;
    (void)pthread_mutex_unlock(&self->lock);
    let_go(self);
    return rc;
}

/* ---- the contract ---- */

struct iso__process {
    iso_allocator allocator;
    pid_t pid;
};

/* What exec and chdir say besides what every call may say. */
static int error_of(int native)
{
    switch (native) {
    case ENOTDIR:
    case ELOOP: return ISO_ENOENT;
    case EISDIR: return ISO_EACCES;
    case ETXTBSY: return ISO_EBUSY;
    case ENOEXEC:
    case E2BIG:
    case ENAMETOOLONG: return ISO_EINVAL;
    default: return iso__sys_error(native);
    }
}

static int explain(const iso__spawn_plan *self, const iso__spawn_failure *failed)
{
    int rc = error_of(failed->error);
    const char *why = iso_strerror(rc);

    if (failed->error == ENOEXEC) why = "it is not a program that this system can run";
    if (failed->error == E2BIG) why = "its arguments and its environment are too long";
    if (failed->error == ENAMETOOLONG) why = "its name is too long";
    switch ((iso__spawn_step)failed->step) {
    case ISO__SPAWN_DESCRIPTORS: return iso__error_set(rc, "the descriptors of a program: %s", why);
    case ISO__SPAWN_FOLDER:
        return iso__error_set(rc, "the folder %.150s can't be entered: %s", self->spawn->cwd, why);
    case ISO__SPAWN_SESSION: return iso__error_set(rc, "a session for a program: %s", why);
    case ISO__SPAWN_GROUP:
        return iso__error_set(rc, "a program in process group %lld: %s",
                              (long long)self->spawn->process_group, why);
    case ISO__SPAWN_IDENTITY:
        return iso__error_set(rc, "a program that runs as another user, or group: %s", why);
    case ISO__SPAWN_TIE: return iso__error_set(rc, "a program that dies with its parent: %s", why);
    case ISO__SPAWN_EXEC: break;
    }
    return iso__error_set(rc, "%.150s can't be started: %s", self->argv[0], why);
}

int iso__sys_process_spawn(iso__process **out, const iso_allocator *allocator,
                           const iso__spawn *spawn)
{
    iso__process *self = NULL;
    iso__spawn_failure failed = { 0, 0 };
    iso__spawn_plan plan;
    int rc = make_plan(&plan, allocator, spawn);

    if (rc != 0) return rc;
    rc = ISO_ENOMEM;
    self = iso__alloc(allocator, sizeof(*self));
    if (self == NULL) goto done;
    self->allocator = *allocator;
    rc = spawn->dies_with_parent ? launch_in_thread(&plan, &self->pid, &failed)
                                 : launch(&plan, &self->pid, &failed);
    if (rc == 0 && failed.step != 0) rc = explain(&plan, &failed);
    if (rc == 0)
        *out = self;
    else
        iso__free(allocator, self, sizeof(*self));
done:
    free_plan(&plan, allocator);
    return rc;
}

int64_t iso__sys_process_id(const iso__process *process)
{
    return process->pid;
}

bool iso__sys_process_tells_end(void)
{
    return false;
}

int iso__sys_process_watch(iso__process *process, void (*exited)(void *arg), void *arg)
{
    (void)process;
    (void)exited;
    (void)arg;
    return ISO_ENOTSUP;
}

int iso__sys_process_returncode(const iso__process *process)
{
    (void)process;
    return ISO__CHILD_UNKNOWN;
}

int iso__sys_process_signal(iso__process *process, int signum)
{
    if (iso__sys_child_look(process->pid) != ISO__CHILD_RUNS) return ISO_ENOENT;
    if (kill(process->pid, signum) == 0) return 0;
    return errno == ESRCH ? ISO_ENOENT : iso__sys_error(errno);
}

void iso__sys_process_close(iso__process *process)
{
    iso_allocator allocator;

    if (process == NULL) return;
    allocator = process->allocator;
    iso__free(&allocator, process, sizeof(*process));
}
