/* SPDX-License-Identifier: MIT */
/* Child watchers: who tells that a child which the program started by itself has ended. asyncio's
 * AbstractChildWatcher is the model. iso_loop_subprocess_exec and iso_loop_subprocess_shell see to
 * their children by themselves, and ask no watcher.
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
    /* The callback is not called any more. Returns 0, or ISO_ENOENT (there was none). */
    int (*remove_child_handler)(const iso_child_watcher *self, int64_t pid);
    /* The loop that it is to work with from here on; NULL: none. iso_set_event_loop in the main
     * thread calls it. Returns 0 or an error. */
    int (*attach_loop)(const iso_child_watcher *self, iso_loop *loop);
    /* Another watcher takes its place: free what it has. */
    void (*close)(const iso_child_watcher *self);
    /* Whether it is ready to tell of a child. */
    bool (*is_active)(const iso_child_watcher *self);
    void *context; /* the watcher's own */
};

/* The policy's watcher, in *out. That of the default policy is one for the process: the one that
 * was set, else the one below.
 * Returns 0; ISO_ENOTSUP (Windows, or the limits of the loop that runs in this thread, else of the
 * one that iso_set_event_loop set here: iso_error_detail has the row), ISO_EINVAL, ISO_ENOMEM.
 * Thread: any. Ownership: borrowed. Source: asyncio.get_child_watcher. */
ISO_API int iso_get_child_watcher(const iso_child_watcher **out);

/* Set another one; NULL: the one below again. The one before is closed, if it is another one.
 * What a policy of one's own does, it says itself.
 * Returns 0; ISO_EINVAL (an empty slot); ISO_ENOTSUP, ISO_ENOMEM as above. Thread: any.
 * Ownership: `watcher` is lent until it is closed. Source: asyncio.set_child_watcher. */
ISO_API int iso_set_child_watcher(const iso_child_watcher *watcher);

/* The built-in one, "threaded": a thread for each child waits for it and reaps it. Each callback is
 * called by the loop that iso_get_event_loop answered to add_child_handler, in a turn; a loop that
 * closes drops its callbacks, and the children are reaped all the same. A child that somebody else
 * has reaped is told with 255, and a warning in the log. add_child_handler, for a child that the
 * same loop does not watch yet, starts the thread; remove_child_handler is for the children of that
 * loop, and leaves the thread to reap. attach_loop and close do nothing: it is always active.
 * add_child_handler returns 0; ISO_EINVAL (not the number of one process, no callback),
 * ISO_ENOTSUP (as above), ISO_ENOLOOP, ISO_ENOMEM, ISO_EAGAIN (no thread left), ISO_ECLOSED,
 * ISO_ETHREAD, ISO_EFORKED.
 * Thread: any, and the slots for the thread of that loop. Ownership: static.
 * Source: asyncio.ThreadedChildWatcher. */
ISO_API const iso_child_watcher *iso_threaded_child_watcher(void);

ISO_END_DECLS

#endif
