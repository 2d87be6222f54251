/* SPDX-License-Identifier: MIT */
/* Windows has handles of processes, and no children: the row windows.child_watcher refuses before
 * anybody comes here, and sys/process.h tells of the end of a process by itself. */
#include "sys/child.h"

#include "isoloop/error.h"

iso__child_state iso__sys_child_look(int64_t pid)
{
    (void)pid;
    return ISO__CHILD_GONE;
}

const char *iso__sys_child_descriptor_name(void)
{
    return NULL;
}

int iso__sys_child_open(iso_fd *out, int64_t pid)
{
    (void)out;
    (void)pid;
    return ISO_ENOTSUP;
}

void iso__sys_child_close(iso_fd fd)
{
    (void)fd;
}

bool iso__sys_child_is_readable(iso_fd fd)
{
    (void)fd;
    return false;
}

int iso__sys_child_watch(int64_t pid, void (*ended)(void *arg), void *arg)
{
    (void)pid;
    (void)ended;
    (void)arg;
    return ISO_ENOTSUP;
}

int iso__sys_child_signal(void)
{
    return 0;
}

int iso__sys_child_reap(iso_fd fd, int64_t pid, int *returncode)
{
    (void)fd;
    (void)pid;
    *returncode = ISO__CHILD_UNKNOWN;
    return ISO_ENOENT;
}

void iso__sys_child_leave(int64_t pid)
{
    (void)pid;
}
