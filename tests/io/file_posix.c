/* SPDX-License-Identifier: MIT */
#include "io/file.h"

#include "sys/error.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

int file_open(iso_fd *out, file_use use)
{
    char name[] = "kit-XXXXXX"; /* where the test runs, and gone at once */
    int fd = mkstemp(name);
    int other = fd;

    if (fd < 0) return iso__sys_error(errno);
    if (use == FILE_FOR_WRITING) {
        other = open(name, O_WRONLY);
        (void)close(fd);
    }
    (void)unlink(name);
    if (other < 0) return ISO_EUNKNOWN;
    *out = other;
    return 0;
}

int file_write(iso_fd file, uint64_t offset, const void *data, size_t size)
{
    return pwrite((int)file, data, size, (off_t)offset) == (ssize_t)size ? 0
                                                                         : iso__sys_error(errno);
}

int file_cut(iso_fd file, uint64_t size)
{
    return ftruncate((int)file, (off_t)size) == 0 ? 0 : iso__sys_error(errno);
}

uint64_t file_position(iso_fd file)
{
    return (uint64_t)lseek((int)file, 0, SEEK_CUR);
}

int file_open_directory(iso_fd *out)
{
    int fd = open(".", O_RDONLY);

    if (fd < 0) return iso__sys_error(errno);
    *out = fd;
    return 0;
}

static void only_sigpipe(sigset_t *set)
{
    (void)sigemptyset(set);
    (void)sigaddset(set, SIGPIPE);
}

void file_leave_signal(void)
{
    sigset_t set;

    only_sigpipe(&set);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    (void)pthread_kill(pthread_self(), SIGPIPE);
}

bool file_take_signal(void)
{
    sigset_t set;
    sigset_t pending;
    int number = 0;

    only_sigpipe(&set);
    (void)sigpending(&pending);
    if (sigismember(&pending, SIGPIPE) == 1) (void)sigwait(&set, &number);
    (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    return number == SIGPIPE;
}
