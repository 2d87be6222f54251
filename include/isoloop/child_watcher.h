/* SPDX-License-Identifier: MIT */
/* Child watchers: who tells that a child has ended. asyncio's AbstractChildWatcher is the model. A
 * program asks one for the children that it started by itself, with fork;
 * iso_loop_subprocess_exec and iso_loop_subprocess_shell ask the policy's.
 *
 * Windows has none (the row windows.child_watcher of the limits table). */
#ifndef ISOLOOP_CHILD_WATCHER_H
#define ISOLOOP_CHILD_WATCHER_H

#include "policy.h"

ISO_BEGIN_DECLS

/* The child `pid` has ended: its code, or -n by signal n, or 255 when somebody else has reaped it.
 * Thread: whose, the watcher says. */
typedef void (*iso_child_callback)(int64_t pid, int returncode, void *arg);

/* A watcher. Every slot is filled; each is called with the watcher itself.
 *
 *     const iso_child_watcher *watcher;
 *     int rc = iso_get_child_watcher(&watcher);
 *     if (rc == 0) rc = watcher->add_child_handler(watcher, pid, on_exit, NULL); */
typedef struct iso_child_watcher iso_child_watcher;
struct iso_child_watcher {
    const char *name;
    /* Have `callback` called once when the child has ended; a second call for the same child
     * replaces callback and argument. Returns 0 or an error. */
    int (*add_child_handler)(const iso_child_watcher *self, int64_t pid,
                             iso_child_callback callback, void *arg);
    /* The callback is not called any more, nor under way in another thread, once this returns.
     * Returns 0, or ISO_ENOENT (there was none). */
    int (*remove_child_handler)(const iso_child_watcher *self, int64_t pid);
    /* The loop that it is to work with from here on; NULL: none. iso_set_event_loop in the main
     * thread calls it. Returns 0 or an error. */
    int (*attach_loop)(const iso_child_watcher *self, iso_loop *loop);
    /* Another watcher takes its place: free what it has, and call nothing any more. */
    void (*close)(const iso_child_watcher *self);
    /* Whether it is ready to tell of a child. */
    bool (*is_active)(const iso_child_watcher *self);
    void *context; /* the watcher's own */
};

/* The policy's watcher, in *out. That of the default policy is one for the process: the one that
 * was set, else the best of those below that this system has.
 * Returns 0; ISO_ENOTSUP (Windows, or the limits of the loop that runs in this thread, else of the
 * one that iso_set_event_loop set here: iso_error_detail has the row), ISO_EINVAL, ISO_ENOMEM.
 * Thread: any. Ownership: borrowed. Source: asyncio.get_child_watcher. */
ISO_API int iso_get_child_watcher(const iso_child_watcher **out);

/* Set another one; NULL: the best one again. The one before is closed, if it is another one, and
 * tells nothing more: also of what iso_loop_subprocess_exec has started. (The built-in ones go on
 * with the children that they have.) What a policy of one's own does, it says itself.
 * Returns 0; ISO_EINVAL (an empty slot); ISO_ENOTSUP: one of those below that this system does not
 * have (iso_error_detail says why), or as above; ISO_ENOMEM. Thread: any.
 * Ownership: `watcher` is lent until it is closed. Source: asyncio.set_child_watcher. */
ISO_API int iso_set_child_watcher(const iso_child_watcher *watcher);

/* The built-in ones. They differ in how they learn that a child has ended:
 *
 *   pidfd     a descriptor of the child, which the loop watches. Linux 5.3
 *   kqueue    the same: a kqueue of the child's own. macOS and the BSDs
 *   threaded  a thread for each child. Every system but Windows
 *   sigchld   the signal SIGCHLD, at which every child that is watched is looked at: the more there
 *             are, the longer. Every system but Windows; never chosen by itself
 *
 * The best is the first that is there; a sandbox may forbid the first. Where pidfd or kqueue get no
 * descriptor for a child, or the loop's selector does not take it (select, a number of 1024 or
 * more), that child has a thread. sigchld takes the place of a handler that the program has set
 * with sigaction, but not that of add_signal_handler.
 *
 * For all of them: each callback is called by the loop that iso_get_event_loop answered to
 * add_child_handler, in a turn, in which the child is reaped too. A loop that closes drops its
 * callbacks, and the children are reaped all the same. A child that somebody else has reaped is
 * told with 255, and a warning in the log. remove_child_handler is for the children of that loop,
 * which still reaps them. attach_loop and close do nothing. is_active: this system has it.
 * add_child_handler returns 0; ISO_EINVAL (not the number of one process, no callback),
 * ISO_ENOTSUP (as above), ISO_ENOLOOP, ISO_ENOMEM, ISO_EAGAIN (no thread left), ISO_EMFILE
 * (sigchld), ISO_ECLOSED, ISO_ETHREAD, ISO_EFORKED.
 * Thread: any, and the slots for the thread of that loop. Ownership: static.
 * Source: asyncio.PidfdChildWatcher, ThreadedChildWatcher, SafeChildWatcher; libuv, for kqueue. */
ISO_API const iso_child_watcher *iso_pidfd_child_watcher(void);
ISO_API const iso_child_watcher *iso_kqueue_child_watcher(void);
ISO_API const iso_child_watcher *iso_threaded_child_watcher(void);
ISO_API const iso_child_watcher *iso_sigchld_child_watcher(void);

ISO_END_DECLS

#endif
