/* SPDX-License-Identifier: MIT */
#include "sys/descriptor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

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

#if defined(__OpenBSD__)

int64_t iso__sys_descriptor_count(void)
{
    return getdtablecount();
}

#elif defined(__linux__) || defined(__APPLE__)

#if defined(__linux__)
#define OWN_DESCRIPTORS "/proc/self/fd"
#else
#define OWN_DESCRIPTORS "/dev/fd"
#endif

/* Each is a name in a folder. Without a free one the folder can't be opened: then it is all of
 * them. */
int64_t iso__sys_descriptor_count(void)
{
    DIR *folder = opendir(OWN_DESCRIPTORS);
    const struct dirent *entry;
    int64_t count = -1; /* the folder's own is among them */

    if (folder == NULL) return errno == EMFILE ? iso__sys_descriptor_limit() : -1;
    while ((entry = readdir(folder)) != NULL) count += entry->d_name[0] != '.';
    (void)closedir(folder);
    return count;
}

#else /* the folder of FreeBSD and NetBSD has three names, whatever is open */

int64_t iso__sys_descriptor_count(void)
{
    return -1;
}

#endif
