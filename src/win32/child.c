/* SPDX-License-Identifier: MIT */
/* Windows has handles of processes, and no children: the row windows.child_watcher refuses before
 * anybody comes here. */
#include "sys/child.h"

#include "isoloop/error.h"

int iso__sys_child_wait(int64_t pid, int *returncode)
{
    (void)pid;
    (void)returncode;
    return ISO_ENOTSUP;
}

bool iso__sys_child_exists(int64_t pid)
{
    (void)pid;
    return false;
}

int iso__sys_child_watch(int64_t pid, void (*ended)(void *arg, int rc, int returncode), void *arg)
{
    (void)pid;
    (void)ended;
    (void)arg;
    return ISO_ENOTSUP;
}
