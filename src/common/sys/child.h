/* SPDX-License-Identifier: MIT */
/* Children of this process, known by their number. A child that has ended keeps its number until it
 * is reaped. Windows has handles of processes, and no children: nothing here is called there, but
 * for leave. */
#ifndef ISO_SYS_CHILD_H
#define ISO_SYS_CHILD_H

#include "isoloop/base.h"

/* What *returncode is for a child that somebody else has reaped. Source: ThreadedChildWatcher. */
enum { ISO__CHILD_UNKNOWN = 255 };

typedef enum iso__child_state {
    ISO__CHILD_RUNS = 0, /* or has been stopped */
    ISO__CHILD_ENDED,    /* and waits to be reaped */
    ISO__CHILD_GONE      /* it is no child of this process, or was reaped */
} iso__child_state;

/* What has become of it. It does not wait, nor reap. Thread: any. Source: waitid, WNOWAIT. */
iso__child_state iso__sys_child_look(int64_t pid);

/* ---- learning that a child has ended: by a descriptor, by a thread, by a signal ---- */

/* The name of the descriptors below, "pidfd" or "kqueue"; NULL: this system has none, or forbids
 * them. Thread: any. Source: asyncio, can_use_pidfd. */
const char *iso__sys_child_descriptor_name(void);

/* A descriptor that is readable once the child has ended. It is not inherited.
 * Returns 0; ISO_ENOENT: it has ended already, or there is none; ISO_ENOTSUP, ISO_EMFILE,
 * ISO_ENFILE, ISO_ENOMEM, or what the system answers. Thread: any. Ownership: the caller's.
 * Source: pidfd_open; kqueue, EVFILT_PROC. */
int iso__sys_child_open(iso_fd *out, int64_t pid);
void iso__sys_child_close(iso_fd fd);

/* Whether it is readable. Thread: any. */
bool iso__sys_child_is_readable(iso_fd fd);

/* Have `ended` called once, when the child has ended or is gone, by a thread of its own, all
 * signals blocked, that is nobody's to join and ends then. The child stays to be reaped. Not in a
 * child of fork, where the thread is not.
 * Returns 0; ISO_ENOMEM, ISO_EAGAIN, ISO_ENOTSUP: `ended` does not come then. Thread: any. */
int iso__sys_child_watch(int64_t pid, void (*ended)(void *arg), void *arg);

/* The number of the signal that comes when a child ends: SIGCHLD; 0 where there is none. */
int iso__sys_child_signal(void);

/* ---- reaping ---- */

/* Reap a child of which it was learnt that it has ended. `fd`: its descriptor, by which it is told
 * from another one that has got its number since; ISO_FD_NONE. *returncode: its code, or -n for
 * signal n.
 * Returns 0; ISO_ENOENT, and *returncode is ISO__CHILD_UNKNOWN: it is gone; ISO_EAGAIN: it runs,
 * or it has ended and a debugger that has attached to it has not let go of it yet.
 * Thread: any. Source: waitpid, waitid(P_PIDFD); asyncio, waitstatus_to_exitcode. */
int iso__sys_child_reap(iso_fd fd, int64_t pid, int *returncode);

/* Nobody waits for it any more: reap it at once if it has ended, else by a thread when it does.
 * (For want of threads it is left as it is, until this process ends.) Thread: any. */
void iso__sys_child_leave(int64_t pid);

#endif
