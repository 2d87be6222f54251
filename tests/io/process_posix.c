/* SPDX-License-Identifier: MIT */
#include "io/process_system.h"

#include "isoloop/error.h"
#include "sys/error.h"

#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_DESCRIPTORS = 4096 };

static const process_signal signals[] = {
    { SIGINT, -SIGINT },
    { SIGHUP, -SIGHUP },
    { SIGUSR1, -SIGUSR1 },
    { 0, 0 },
};

const process_system process_system_here = {
    .terminated = -SIGTERM,
    .killed = -SIGKILL,
    .broken = -SIGPIPE,
    .can_ignore_terminate = true,
    .signals = signals,
    .bad_signal = 12345,
    .not_a_program_error = ISO_EACCES,
    .folder_error = ISO_EACCES,
#if defined(__linux__) || defined(__FreeBSD__)
    .has_bound_children = true,
#else
    .has_bound_children = false,
#endif
    .has_users = true,
    .say_word = "echo $ISO_TEST_WORD",
    .line_end = "\n",
};

int process_system_file(iso_fd *out)
{
    char name[] = "process-XXXXXX"; /* where the test runs, and gone at once */
    int fd = mkstemp(name);

    if (fd < 0) return iso__sys_error(errno);
    (void)unlink(name);
    *out = fd;
    return 0;
}

ptrdiff_t process_system_read_file(iso_fd fd, void *data, size_t size)
{
    ssize_t count = pread((int)fd, data, size, 0);

    return count >= 0 ? count : iso__sys_error(errno);
}

void process_system_make_inheritable(iso_fd fd)
{
    (void)fcntl((int)fd, F_SETFD, 0);
}

int process_system_count_handles(void)
{
    int count = 0;
    int fd;

    for (fd = 0; fd < MOST_DESCRIPTORS; fd++) count += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
    return count;
}

bool process_system_has_children(void)
{
    siginfo_t info;

    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

void process_system_reap(int64_t pid)
{
    while (waitpid((pid_t)pid, NULL, 0) < 0 && errno == EINTR) {}
}

int process_system_count_threads(void)
{
    DIR *list = opendir("/proc/self/task"); /* Linux */
    const struct dirent *entry;
    int count = 0;

    if (list == NULL) return 0;
    while ((entry = readdir(list)) != NULL) count += entry->d_name[0] != '.' ? 1 : 0;
    (void)closedir(list);
    return count;
}
