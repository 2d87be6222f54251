/* SPDX-License-Identifier: MIT */
#include "support/child_os.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { MOST_DESCRIPTORS = 4096, A_MINUTE = 60 };

static char *own_name;

char **child_os_begin(char **argv)
{
    own_name = argv[0];
    return argv;
}

const char *child_os_getenv(const char *name)
{
    return getenv(name);
}

long child_os_read(int fd, void *data, size_t size)
{
    return (long)read(fd, data, size);
}

long child_os_write(int fd, const void *data, size_t size)
{
    return (long)write(fd, data, size);
}

void child_os_close(int fd)
{
    (void)close(fd);
}

void child_os_hang(void)
{
    unsigned left = A_MINUTE;

    while (left > 0) left = sleep(left); /* a signal that is ignored does not end it */
}

int child_os_start(const char *mode)
{
    char words[64];
    char *argv[] = { own_name, words, NULL };
    size_t at;
    pid_t pid;

    for (at = 0; at < sizeof(words) - 1 && mode[at] != '\0'; at++) words[at] = mode[at];
    words[at] = '\0';
    pid = fork();
    if (pid != 0) return pid > 0 ? 0 : 1;
    (void)execv(own_name, argv);
    _exit(1);
}

int child_os_count_descriptors(void)
{
    int count = 0;
    int fd;

    for (fd = 3; fd < MOST_DESCRIPTORS; fd++) count += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
    return count;
}
