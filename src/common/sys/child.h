/* SPDX-License-Identifier: MIT */
/* Children that the program started by itself, known by their number. */
#ifndef ISO_SYS_CHILD_H
#define ISO_SYS_CHILD_H

#include "isoloop/base.h"

/* What *returncode is for a child that somebody else has reaped. Source: ThreadedChildWatcher. */
enum { ISO__CHILD_UNKNOWN = 255 };

/* Wait until a child ends, and reap it. *returncode: its code, or -n for signal n.
 * Returns 0; ISO_ENOENT: it is no child of this process, or was reaped, and *returncode is
 * ISO__CHILD_UNKNOWN; ISO_EINVAL (not the number of one process); ISO_ENOTSUP (Windows).
 * Thread: any; it blocks. Source: waitpid; asyncio, waitstatus_to_exitcode. */
int iso__sys_child_wait(int64_t pid, int *returncode);

/* Whether there is such a child of this process that nobody has reaped; false on Windows. It does
 * not wait. Thread: any. Source: waitid, WNOWAIT. */
bool iso__sys_child_exists(int64_t pid);

/* Wait for it in a thread of its own, all signals blocked, that is nobody's to join: `ended` is
 * called there once, with what iso__sys_child_wait returned and found, and is the last thing that
 * the thread does. Not in a child of fork, where the thread is not.
 * Returns 0; ISO_EINVAL, ISO_ENOTSUP; ISO_ENOMEM, ISO_EAGAIN: `ended` does not come then.
 * Thread: any. */
int iso__sys_child_watch(int64_t pid, void (*ended)(void *arg, int rc, int returncode), void *arg);

#endif
