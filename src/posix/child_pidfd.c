/* SPDX-License-Identifier: MIT */
/* A descriptor of a child: Linux' pidfd; elsewhere none. Source: pidfd_open(2), waitid(2). */
#include "base/atomic.h"
#include "child.h"
#include "sys/child.h"
#include "sys/error.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/syscall.h>
#endif

enum { BY_PIDFD = 3 }; /* P_PIDFD, which not every <sys/wait.h> has */

/* Answers as the system call, which came with Linux 5.3. */
static int open_pidfd(pid_t pid)
{
#if defined(SYS_pidfd_open)
    return (int)syscall(SYS_pidfd_open, pid, 0u); /* always close-on-exec */
#else
    (void)pid;
    errno = ENOSYS;
    return -1;
#endif
}

/* A sandbox may forbid it. */
static bool is_there(void)
{
    int fd = open_pidfd(getpid());

    if (fd < 0) return errno == EMFILE || errno == ENFILE || errno == ENOMEM;
    (void)close(fd);
    return true;
}

const char *iso__sys_child_descriptor_name(void)
{
    enum { UNASKED = 0, YES, NO };
    static iso__atomic_u32 answer;

    if (iso__atomic_load_u32(&answer) == UNASKED)
        iso__atomic_store_u32(&answer, is_there() ? YES : NO);
    return iso__atomic_load_u32(&answer) == YES ? "pidfd" : NULL;
}

int iso__sys_child_open(iso_fd *out, int64_t pid)
{
    int fd = open_pidfd((pid_t)pid);

    if (fd >= 0) {
        *out = fd;
        return 0;
    }
    switch (errno) {
    case ESRCH: return ISO_ENOENT;
    case ENOSYS:
    case EPERM: return ISO_ENOTSUP;
    default: return iso__sys_error(errno);
    }
}

void iso__sys_child_close(iso_fd fd)
{
    (void)close((int)fd);
}

int iso__sys_child_reap(iso_fd fd, int64_t pid, int *returncode)
{
    siginfo_t info;
    int rc;

    if (fd == ISO_FD_NONE) return iso__child_reap_by_number(pid, returncode);
    memset(&info, 0, sizeof(info));
    do {
        rc = waitid((idtype_t)BY_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG);
    } while (rc != 0 && errno == EINTR);
    if (rc != 0 && errno == EINVAL) return iso__child_reap_by_number(pid, returncode); /* 5.3 */
    if (rc != 0) {                                                                     /* ECHILD */
        *returncode = ISO__CHILD_UNKNOWN;
        return ISO_ENOENT;
    }
    if (info.si_pid == 0) return ISO_EAGAIN;
    *returncode = info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
    return 0;
}
