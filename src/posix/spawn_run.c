/* SPDX-License-Identifier: MIT */
/* In the child, between fork and exec. After vfork its memory is the parent's: only what a signal
 * handler may call is called, and nothing is written that the parent still needs. */
#include "base/compiler.h"
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/prctl.h>
#elif defined(__FreeBSD__)
#include <sys/procctl.h>
#endif

#if defined(_SIG_MAXSIG) /* FreeBSD: NSIG leaves the realtime signals out */
enum { SIGNAL_END = _SIG_MAXSIG + 1 };
#else
enum { SIGNAL_END = NSIG };
#endif

enum { CANNOT_RUN = 127 };

/* Each of these answers an errno. */

static int copy_above(int *fd, int lowest)
{
    int copy = fcntl(*fd, F_DUPFD_CLOEXEC, lowest);

    if (copy < 0) return errno;
    *fd = copy;
    return 0;
}

/* Whatever their sources are: first those go out of the way that lie where another one belongs. */
static int set_descriptors(const iso__spawn_plan *self)
{
    int above = self->numbers[self->count];
    int native = 0;
    size_t at;

    for (at = 0; at < self->count; at++) {
        if (self->sources[at] < 0) self->sources[at] = open("/dev/null", O_RDWR);
        if (self->sources[at] < 0) return errno;
    }
    for (at = 0; native == 0 && at < self->count; at++) {
        if (self->sources[at] < above && self->sources[at] != self->numbers[at])
            native = copy_above(&self->sources[at], above);
    }
    for (at = 0; native == 0 && at < self->count; at++) {
        int from = self->sources[at];
        int to = self->numbers[at];

        if ((from == to ? fcntl(to, F_SETFD, 0) : dup2(from, to)) < 0) native = errno;
    }
    return native;
}

/* The report goes to the place that is kept for it; everything else is closed. */
static int close_others(const iso__spawn_plan *self, int *report)
{
    int place = self->numbers[self->count];

    if (*report != place && dup2(*report, place) < 0) return errno;
    *report = place;
    if (fcntl(place, F_SETFD, FD_CLOEXEC) != 0) return errno;
    iso__close_all_but(self->numbers, self->count + 1);
    return 0;
}

static int enter_folder(const iso__spawn *spawn)
{
    if (spawn->umask >= 0) (void)umask((mode_t)spawn->umask);
    return spawn->cwd == NULL || chdir(spawn->cwd) == 0 ? 0 : errno;
}

/* The groups first: afterwards there may be no right to change them. Source: Python, child_exec. */
static int change_identity(const iso__identity *self)
{
    if (self->has_groups) {
#if defined(__linux__) || defined(__sun)
        if (setgroups(self->group_count, self->groups) != 0) return errno;
#else
        if (setgroups((int)self->group_count, self->groups) != 0) return errno;
#endif
    }
    if (self->has_gid && setregid(self->gid, self->gid) != 0) return errno;
    if (self->has_uid && setreuid(self->uid, self->uid) != 0) return errno;
    return 0;
}

/* The end of the parent ends the child; it may have come already. A change of identity would undo
 * it: prctl(2). */
static int tie_to_parent(const iso__spawn_plan *self)
{
#if defined(__linux__)
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return errno;
#elif defined(__FreeBSD__) && defined(PROC_PDEATHSIG_CTL)
    int number = SIGKILL;

    if (procctl(P_PID, 0, PROC_PDEATHSIG_CTL, &number) != 0) return errno;
#endif
    return getppid() == self->parent ? 0 : ESRCH;
}

static bool is_ignored(int number)
{
    struct sigaction now;

    return sigaction(number, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) == 0 &&
           now.sa_handler == SIG_IGN;
}

/* exec keeps what is ignored, and the mask. A handler must not run here on the parent's memory, so
 * all are off before anything is let through. */
static void reset_signals(bool restore)
{
    struct sigaction by_default;
    sigset_t none;
    int number;

    memset(&by_default, 0, sizeof(by_default));
    by_default.sa_handler = SIG_DFL;
    (void)sigemptyset(&by_default.sa_mask);
    for (number = 1; number < SIGNAL_END; number++) {
        if (restore || !is_ignored(number)) (void)sigaction(number, &by_default, NULL);
    }
    (void)sigemptyset(&none);
    (void)pthread_sigmask(SIG_SETMASK, &none, NULL);
}

/* Of several that can't be run the first that is there tells why. Source: Python, child_exec. */
static int execute(const iso__spawn_plan *self)
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

static int perform(const iso__spawn_plan *self, iso__spawn_step step, int *report)
{
    const iso__spawn *spawn = self->spawn;
    int native;

    switch (step) {
    case ISO__SPAWN_DESCRIPTORS:
        native = set_descriptors(self);
        return native != 0 ? native : close_others(self, report);
    case ISO__SPAWN_FOLDER: return enter_folder(spawn);
    case ISO__SPAWN_SESSION: return !spawn->start_new_session || setsid() >= 0 ? 0 : errno;
    case ISO__SPAWN_GROUP:
        return spawn->process_group < 0 || setpgid(0, (pid_t)spawn->process_group) == 0 ? 0 : errno;
    case ISO__SPAWN_IDENTITY: return change_identity(&self->identity);
    case ISO__SPAWN_TIE: return spawn->dies_with_parent ? tie_to_parent(self) : 0;
    case ISO__SPAWN_EXEC: break;
    }
    reset_signals(spawn->restore_signals);
    return execute(self);
}

_Noreturn void iso__spawn_run(const iso__spawn_plan *self)
{
    int report = self->report;
    iso__spawn_failure failed = { 0, 0 };

    while (failed.error == 0) failed.error = perform(self, (iso__spawn_step)++failed.step, &report);
    while (write(report, &failed, sizeof(failed)) < 0 && errno == EINTR) {}
    _exit(CANNOT_RUN);
}
