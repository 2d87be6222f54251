/* SPDX-License-Identifier: MIT */
#include "sys/descriptor.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/resource.h>
#include <sys/stat.h>

iso__descriptor_kind iso__sys_descriptor_kind(iso_fd fd)
{
    struct stat status;

    if (fd < 0 || fd > INT_MAX || fstat((int)fd, &status) != 0) return ISO__DESCRIPTOR_BAD;
    if (S_ISSOCK(status.st_mode)) return ISO__DESCRIPTOR_SOCKET;
    if (S_ISFIFO(status.st_mode)) return ISO__DESCRIPTOR_PIPE;
    if (S_ISCHR(status.st_mode)) return ISO__DESCRIPTOR_DEVICE;
    if (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode) || S_ISBLK(status.st_mode))
        return ISO__DESCRIPTOR_FILE;
    return ISO__DESCRIPTOR_OTHER;
}

bool iso__sys_descriptor_is_open(iso_fd fd)
{
    return fd >= 0 && fd <= INT_MAX && fcntl((int)fd, F_GETFD) >= 0;
}

int64_t iso__sys_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return INT64_MAX;
    return (int64_t)limit.rlim_cur;
}
