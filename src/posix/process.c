/* SPDX-License-Identifier: MIT */
/* A thread for each child, which forks, waits for the end, and reaps.
 *
 * Why a thread of its own forks: Linux kills a child that dies with its parent when the thread that
 * made it ends (prctl(2), PR_SET_PDEATHSIG), and this one lives as long as the child. It also has
 * every signal blocked, so that no handler of the program runs in the child.
 *
 * Why not posix_spawn: it can't tie a child to its parent, nor say which step failed; and on most
 * systems it neither changes the folder nor closes what must not be inherited. On Linux vfork has
 * its speed, whatever the size of this process, and needs no memory that could be refused.
 * Elsewhere vfork is fork, or is going to be taken away, so it is fork. */
#include "sys/process.h"

#include "base/alloc.h"
#include "base/atomic.h"
#include "base/compiler.h"
#include "base/error.h"
#include "sys/child.h"
#include "sys/error.h"
#include "sys/pipe.h"
#include "sys/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/prctl.h>
#include <sys/syscall.h>
#elif defined(__FreeBSD__)
#include <sys/procctl.h>
#elif defined(__APPLE__)
#include <crt_externs.h>
#include <libproc.h>
#endif

#if defined(__linux__) || (defined(__FreeBSD__) && defined(PROC_PDEATHSIG_CTL))
enum { CAN_DIE_WITH_PARENT = 1 };
#else
enum { CAN_DIE_WITH_PARENT = 0 };
#endif

#if defined(_SIG_MAXSIG) /* FreeBSD: NSIG leaves the realtime signals out */
enum { SIGNAL_END = _SIG_MAXSIG + 1 };
#else
enum { SIGNAL_END = NSIG };
#endif

enum {
    REPORT_FD = 3, /* what the child keeps beside 0, 1 and 2 until it is another program */
    CANNOT_RUN = 127
};

static const char default_path[] = "/bin:/usr/bin"; /* Python, os.defpath */

/* ---- what is made ready before the fork: afterwards only what a signal handler may call ---- */

typedef enum step { STEP_STDIO = 1, STEP_TIE, STEP_FOLDER, STEP_EXEC } step;

/* What the child says when it can't become the program. */
typedef struct failure {
    int step;
    int error; /* an errno */
} failure;

typedef struct plan {
    const iso__spawn *spawn;
    char *const *argv;
    char *const *environment;
    const char *shell_argv[4];
    char **programs; /* the names to try, NULL at the end, */
    size_t bytes;    /* in one piece of memory of this size */
    iso_fd stdio[3];
    pid_t parent;
    int report; /* the end of a pipe that tells the parent of a failure */
} plan;

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

/* Where a program is looked for: PATH of the environment that it will have. Source: Python,
 * os.get_exec_path. */
static const char *search_path(char *const *environment)
{
    for (; *environment != NULL; environment++) {
        if (strncmp(*environment, "PATH=", 5) == 0) return *environment + 5;
    }
    return default_path;
}

static size_t count_folders(const char *path)
{
    size_t count = 1;

    for (; *path != '\0'; path++) count += *path == ':' ? 1 : 0;
    return count;
}

/* "folder/name"; an empty folder is the one that the program begins in. Answers the byte after. */
static char *write_name(char *out, const char *folder, size_t length, const char *name)
{
    size_t size = strlen(name) + 1;

    memcpy(out, folder, length);
    if (length > 0) out[length++] = '/';
    memcpy(out + length, name, size);
    return out + length + size;
}

static int list_programs(plan *self, const iso_allocator *allocator)
{
    const char *name = self->argv[0];
    const char *path = strchr(name, '/') != NULL ? "" : search_path(self->environment);
    size_t count = count_folders(path);
    size_t at;
    char *next;

    self->bytes = (count + 1) * sizeof(char *) + strlen(path) + count * (strlen(name) + 2);
    self->programs = iso__alloc(allocator, self->bytes);
    if (self->programs == NULL) return ISO_ENOMEM;
    next = (char *)(self->programs + count + 1);
    for (at = 0; at < count; at++) {
        size_t length = strcspn(path, ":");

        self->programs[at] = next;
        next = write_name(next, path, length, name);
        path += length + 1;
    }
    self->programs[count] = NULL;
    return 0;
}

/* What is not open now could be a descriptor of the library's own a moment later. A standard stream
 * that this process has closed itself is the null device: the program would take the next file that
 * it opens for it. */
static int check_stdio(plan *self)
{
    int at;

    for (at = 0; at < 3; at++) {
        iso_fd fd = self->spawn->stdio[at];

        self->stdio[at] = fd;
        if (fd == ISO_FD_NONE || fcntl((int)fd, F_GETFD) >= 0) continue;
        if (fd != at)
            return iso__error_set(ISO_EBADF, "a standard stream of a program is not open: %ld",
                                  (long)fd);
        self->stdio[at] = ISO_FD_NONE;
    }
    return 0;
}

static int make_plan(plan *self, const iso_allocator *allocator, const iso__spawn *spawn)
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
    if (spawn->dies_with_parent && !CAN_DIE_WITH_PARENT)
        return iso__error_set(ISO_ENOTSUP,
                              "this system does not end a program together with its parent");
    rc = check_stdio(self);
    return rc != 0 ? rc : list_programs(self, allocator);
}

/* ---- in the child ---- */

/* 0, 1 and 2, whatever their sources are. Answers an errno. */
static int set_stdio(const iso_fd wanted[3])
{
    int from[3];
    int at;

    for (at = 0; at < 3; at++) {
        from[at] = wanted[at] == ISO_FD_NONE ? open("/dev/null", O_RDWR) : (int)wanted[at];
        if (from[at] < 0) return errno;
    }
    for (at = 0; at < 3; at++) { /* out of the way of those that come before */
        if (from[at] < 3 && from[at] != at) from[at] = fcntl(from[at], F_DUPFD_CLOEXEC, 3);
        if (from[at] < 0) return errno;
    }
    for (at = 0; at < 3; at++) {
        int rc = from[at] == at ? fcntl(at, F_SETFD, 0) : dup2(from[at], at);

        if (rc < 0) return errno;
    }
    return 0;
}

#if defined(__linux__) || defined(__APPLE__)

/* The last resort. A process may have descriptors above a limit that was lowered later. */
static void close_up_to_limit(int lowest)
{
    enum { MOST = 1 << 20 };
    struct rlimit limit;
    int end = MOST;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < (rlim_t)MOST)
        end = (int)limit.rlim_cur;
    while (lowest < end) (void)close(lowest++);
}

#endif

#if defined(__linux__)

/* A directory entry as the system call writes it: the library's readdir would allocate. */
typedef struct native_entry {
    uint64_t inode;
    int64_t offset;
    uint16_t size;
    unsigned char type;
    char name[1];
} native_entry;

static int number_of(const char *name)
{
    int number = 0;

    if (*name < '0' || *name > '9') return -1;
    for (; *name >= '0' && *name <= '9'; name++) number = number * 10 + (*name - '0');
    return number;
}

/* Answers whether there is such a list. Source: Python, _close_open_fds_safe. */
static bool close_listed(int lowest)
{
    union {
        char bytes[4096];
        uint64_t align;
    } buffer;
    int list = open("/proc/self/fd", O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    long got;

    if (list < 0) return false;
    while ((got = syscall(SYS_getdents64, list, buffer.bytes, sizeof(buffer.bytes))) > 0) {
        long at = 0;

        while (at < got) {
            const native_entry *entry = (const native_entry *)(const void *)(buffer.bytes + at);
            int fd = number_of(entry->name);

            if (fd >= lowest && fd != list) (void)close(fd);
            at += entry->size;
        }
    }
    (void)close(list);
    return got == 0;
}

static void close_from(int lowest)
{
#if defined(SYS_close_range)
    if (syscall(SYS_close_range, (unsigned)lowest, ~0u, 0u) == 0) return; /* Linux 5.9 */
#endif
    if (!close_listed(lowest)) close_up_to_limit(lowest);
}

#elif defined(__APPLE__)

/* A batch after the other: what is closed is not in the next one. */
static void close_from(int lowest)
{
    struct proc_fdinfo list[256];
    bool is_done = false;

    while (!is_done) {
        int got = proc_pidinfo(getpid(), PROC_PIDLISTFDS, 0, list, (int)sizeof(list));
        int count = got / (int)sizeof(list[0]);
        int at;

        if (got <= 0) {
            close_up_to_limit(lowest);
            return;
        }
        is_done = true;
        for (at = 0; at < count; at++) {
            if (list[at].proc_fd < lowest) continue;
            (void)close(list[at].proc_fd);
            is_done = false;
        }
    }
}

#else

static void close_from(int lowest)
{
    (void)closefrom(lowest);
}

#endif

/* A program's own descriptors need not be FD_CLOEXEC. */
static int close_others(int report)
{
    if (report != REPORT_FD && dup2(report, REPORT_FD) < 0) return errno;
    if (fcntl(REPORT_FD, F_SETFD, FD_CLOEXEC) != 0) return errno;
    close_from(REPORT_FD + 1);
    return 0;
}

/* The end of the parent ends the child; it may have come already. */
static int tie_to_parent(const plan *self)
{
#if defined(__linux__)
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return errno;
#elif defined(__FreeBSD__) && defined(PROC_PDEATHSIG_CTL)
    int number = SIGKILL;

    if (procctl(P_PID, 0, PROC_PDEATHSIG_CTL, &number) != 0) return errno;
#endif
    return getppid() == self->parent ? 0 : ESRCH;
}

/* exec keeps what is ignored, and the mask. A handler must not run here on the parent's memory, so
 * all are off before anything is let through. */
static void reset_signals(void)
{
    struct sigaction by_default;
    sigset_t none;
    int number;

    memset(&by_default, 0, sizeof(by_default));
    by_default.sa_handler = SIG_DFL;
    (void)sigemptyset(&by_default.sa_mask);
    for (number = 1; number < SIGNAL_END; number++) (void)sigaction(number, &by_default, NULL);
    (void)sigemptyset(&none);
    (void)pthread_sigmask(SIG_SETMASK, &none, NULL);
}

/* Of several that can't be run the first that is there tells why. Source: Python, child_exec. */
static int execute(const plan *self)
{
    int found = 0;
    int last = ENOENT;
    char **program;

    for (program = self->programs; *program != NULL; program++) {
        (void)execve(*program, self->argv, self->environment);
        last = errno;
        if (found == 0 && last != ENOENT && last != ENOTDIR) found = last;
    }
    return found != 0 ? found : last;
}

static failure become(const plan *self, int *report)
{
    const iso__spawn *spawn = self->spawn;
    failure failed = { STEP_TIE, 0 };

    if (spawn->dies_with_parent) failed.error = tie_to_parent(self);
    if (failed.error != 0) return failed;
    failed.step = STEP_STDIO;
    failed.error = set_stdio(self->stdio);
    if (failed.error == 0) failed.error = close_others(*report);
    if (failed.error != 0) return failed;
    *report = REPORT_FD;
    failed.step = STEP_FOLDER;
    if (spawn->cwd != NULL && chdir(spawn->cwd) != 0) {
        failed.error = errno;
        return failed;
    }
    reset_signals();
    failed.step = STEP_EXEC;
    failed.error = execute(self);
    return failed;
}

static _Noreturn void run_child(const plan *self)
{
    int report = self->report;
    failure failed = become(self, &report);

    while (write(report, &failed, sizeof(failed)) < 0 && errno == EINTR) {}
    _exit(CANNOT_RUN);
}

/* ---- in the parent: a child, shared by its thread and its owner ---- */

/* From malloc, not the loop's memory: a child that was let go of may outlive the loop. */
typedef struct child {
    iso__atomic_u32 references;
    pthread_mutex_t lock; /* of all that follows; also: no signal while it is being reaped */
    pthread_cond_t changed;
    const plan *plan; /* lent until it is started */
    pid_t pid;
    bool is_started; /* or has failed to: */
    int start_error; /* an ISO_E code; or else, if not 0, */
    failure failed;  /* what the child said */
    bool is_closed;  /* nobody wants to know any more */
    bool is_reaped;
    int returncode;
    void (*exited)(void *arg);
    void *arg;
} child;

struct iso__process {
    iso_allocator allocator;
    child *child;
};

static child *new_child(const plan *given)
{
    child *self = calloc(1, sizeof(*self));

    if (self == NULL) return NULL;
    iso__atomic_store_u32(&self->references, 1);
    (void)pthread_mutex_init(&self->lock, NULL);
    (void)pthread_cond_init(&self->changed, NULL);
    self->plan = given;
    return self;
}

static void release_child(child *self)
{
    if (iso__atomic_add_u32(&self->references, UINT32_MAX) != 1) return;
    (void)pthread_cond_destroy(&self->changed);
    (void)pthread_mutex_destroy(&self->lock);
    free(self);
}

#if defined(__linux__)

static pid_t fork_child(const plan *self)
{
    pid_t pid = vfork();

    if (pid == 0) run_child(self);
    return pid;
}

#else

static pid_t fork_child(const plan *self)
{
    pid_t pid = fork();

    if (pid == 0) run_child(self);
    return pid;
}

#endif

/* Wait for the end of the pipe, which is there once the child is another program. */
static int read_failure(iso_fd fd, failure *out)
{
    ptrdiff_t got = iso__sys_pipe_read(fd, out, sizeof(*out));

    if (got < 0) return (int)got;
    if (got == 0) out->step = 0;
    return got == 0 || got == (ptrdiff_t)sizeof(*out) ? 0 : ISO_EIO;
}

/* The pipe of the failures: out of the way of 0, 1 and 2. */
static int open_report(iso_fd *reader, int *writer)
{
    iso_fd mine;
    int rc = iso__sys_pipe_open(&mine, reader, ISO__PIPE_WRITES);

    if (rc != 0) return rc;
    *writer = (int)mine;
    if (mine >= REPORT_FD) return 0;
    *writer = fcntl((int)mine, F_DUPFD_CLOEXEC, REPORT_FD);
    if (*writer < 0) {
        rc = iso__sys_error(errno);
        (void)close((int)*reader);
    }
    (void)close((int)mine);
    return rc;
}

static void reap(child *self)
{
    (void)iso__sys_child_wait(self->pid, &self->returncode);
    self->is_reaped = true;
}

static int launch(child *self)
{
    plan mine = *self->plan;
    iso_fd reader;
    int rc = open_report(&reader, &mine.report);

    if (rc != 0) return rc;
    self->pid = fork_child(&mine);
    if (self->pid < 0) rc = iso__sys_error(errno);
    (void)close(mine.report);
    if (rc == 0) {
        rc = read_failure(reader, &self->failed);
        if (rc != 0 || self->failed.step != 0) reap(self); /* it ends by itself */
    }
    (void)close((int)reader);
    return rc;
}

/* ---- its thread ---- */

typedef enum fate { RUNS, HAS_ENDED, IS_GONE } fate;

/* What has become of a child, which stays to be reaped. Without WNOHANG: wait until it has ended,
 * but for macOS, which may answer that it has been stopped. Others give a child that somebody else
 * reaped no other answer than that there is none. */
static fate look(pid_t pid, int options)
{
    siginfo_t info;
    int rc;

    memset(&info, 0, sizeof(info));
    do {
        rc = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | options);
    } while (rc != 0 && errno == EINTR);
    if (rc != 0) return IS_GONE;
    if ((options & WNOHANG) != 0 && info.si_pid == 0) return RUNS;
    return info.si_code == CLD_STOPPED ? RUNS : HAS_ENDED;
}

static fate await_end(pid_t pid)
{
    const struct timespec pause = { 0, 10 * 1000 * 1000 };
    fate now = look(pid, 0);

    while (now == RUNS) {
        (void)nanosleep(&pause, NULL); /* macOS: it has been stopped */
        now = look(pid, 0);
    }
    return now;
}

static bool start_child(child *self)
{
    int rc = launch(self);
    bool runs = rc == 0 && self->failed.step == 0;

    (void)pthread_mutex_lock(&self->lock);
    self->start_error = rc;
    self->is_started = true;
    (void)pthread_cond_signal(&self->changed);
    (void)pthread_mutex_unlock(&self->lock);
    return runs;
}

/* Nobody is told after close, for which the lock is there; and nothing is reaped before somebody
 * wants it: a program may have a way of its own to wait for its children. */
static void end_child(child *self, fate how)
{
    (void)pthread_mutex_lock(&self->lock);
    if (how == IS_GONE) {
        self->is_reaped = true;
        self->returncode = ISO__CHILD_UNKNOWN;
    }
    while (self->exited == NULL && !self->is_closed)
        (void)pthread_cond_wait(&self->changed, &self->lock);
    if (!self->is_reaped) reap(self);
    if (!self->is_closed) self->exited(self->arg);
    (void)pthread_mutex_unlock(&self->lock);
}

static void mind_child(void *arg)
{
    child *self = arg;

    (void)pthread_detach(pthread_self()); /* nobody can wait for as long as a child may run */
    if (start_child(self)) end_child(self, await_end(self->pid));
    release_child(self);
}

/* ---- the contract ---- */

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

static int explain(const plan *self, const failure *failed)
{
    int rc = error_of(failed->error);
    const char *why = iso_strerror(rc);

    if (failed->error == ENOEXEC) why = "it is not a program that this system can run";
    if (failed->error == E2BIG) why = "its arguments and its environment are too long";
    if (failed->error == ENAMETOOLONG) why = "its name is too long";
    switch ((step)failed->step) {
    case STEP_STDIO: return iso__error_set(rc, "the standard streams of a program: %s", why);
    case STEP_TIE: return iso__error_set(rc, "a program that dies with its parent: %s", why);
    case STEP_FOLDER:
        return iso__error_set(rc, "the folder %.150s can't be entered: %s", self->spawn->cwd, why);
    case STEP_EXEC: break;
    }
    return iso__error_set(rc, "%.150s can't be started: %s", self->argv[0], why);
}

/* Start the thread, and wait until it has started the program. */
static int start_thread(child *self)
{
    iso__thread thread;
    int rc;

    iso__atomic_store_u32(&self->references, 2);
    rc = iso__sys_thread_start(&thread, mind_child, self);
    if (rc != 0) {
        iso__atomic_store_u32(&self->references, 1);
        return rc;
    }
    (void)pthread_mutex_lock(&self->lock);
    while (!self->is_started) (void)pthread_cond_wait(&self->changed, &self->lock);
    rc = self->start_error;
    (void)pthread_mutex_unlock(&self->lock);
    return rc;
}

int iso__sys_process_spawn(iso__process **out, const iso_allocator *allocator,
                           const iso__spawn *spawn)
{
    iso__process *self = NULL;
    plan given;
    int rc = make_plan(&given, allocator, spawn);

    if (rc != 0) return rc;
    rc = ISO_ENOMEM;
    self = iso__alloc(allocator, sizeof(*self));
    if (self == NULL) goto done;
    self->allocator = *allocator;
    self->child = new_child(&given);
    if (self->child == NULL) goto fail_child;
    rc = start_thread(self->child);
    if (rc == 0 && self->child->failed.step != 0) rc = explain(&given, &self->child->failed);
    if (rc != 0) goto fail_start;
    *out = self;
    goto done;
fail_start:
    release_child(self->child);
fail_child:
    iso__free(allocator, self, sizeof(*self));
done:
    iso__free(allocator, given.programs, given.bytes);
    return rc;
}

int64_t iso__sys_process_id(const iso__process *process)
{
    return process->child->pid;
}

int iso__sys_process_watch(iso__process *process, void (*exited)(void *arg), void *arg)
{
    child *self = process->child;

    (void)pthread_mutex_lock(&self->lock);
    self->arg = arg;
    self->exited = exited;
    (void)pthread_cond_signal(&self->changed);
    (void)pthread_mutex_unlock(&self->lock);
    return 0;
}

int iso__sys_process_returncode(const iso__process *process)
{
    return process->child->returncode;
}

static int send_signal(const child *self, int signum)
{
    if (self->is_reaped || look(self->pid, WNOHANG) != RUNS) return ISO_ENOENT;
    if (kill(self->pid, signum) == 0) return 0;
    return errno == ESRCH ? ISO_ENOENT : iso__sys_error(errno);
}

int iso__sys_process_signal(iso__process *process, int signum)
{
    child *self = process->child;
    int rc;

    (void)pthread_mutex_lock(&self->lock);
    rc = send_signal(self, signum);
    (void)pthread_mutex_unlock(&self->lock);
    return rc;
}

void iso__sys_process_close(iso__process *process)
{
    child *self;
    iso_allocator allocator;

    if (process == NULL) return;
    self = process->child;
    allocator = process->allocator;
    (void)pthread_mutex_lock(&self->lock);
    self->is_closed = true;
    (void)pthread_cond_signal(&self->changed);
    (void)pthread_mutex_unlock(&self->lock);
    release_child(self);
    iso__free(&allocator, process, sizeof(*process));
}
