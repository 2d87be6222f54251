/* SPDX-License-Identifier: MIT */
/* What the policy does about child watchers. */
#ifndef ISO_LOOP_CHILD_WATCHER_H
#define ISO_LOOP_CHILD_WATCHER_H

#include "isoloop/child_watcher.h"
#include "loop/waited_child.h"

/* The current loop of the main thread is another one, or none: tell the watcher that was set.
 * Returns 0 or what it answers. Thread: any. Source: _UnixDefaultEventLoopPolicy.set_event_loop. */
int iso__child_watcher_attach(iso_loop *loop);

/* Whether there are child watchers here at all. There is no loop to ask: the one that runs in this
 * thread, or else is current in it, stands for it. Returns 0, ISO_ENOTSUP (the row, also as the
 * detail) or ISO_ENOMEM. Thread: any. */
int iso__child_watcher_check(void);

/* What the default policy does. Returns 0, ISO_EINVAL or ISO_ENOTSUP. Thread: any. */
int iso__child_watcher_get(const iso_child_watcher **out);
int iso__child_watcher_set(const iso_child_watcher *watcher);

/* The watcher that tells of a process which this loop starts: the policy's; where the loop's limits
 * know of none, the best one. Returns 0, or what the policy answers. Thread: loop.
 * Source: asyncio, _UnixSelectorEventLoop._make_subprocess_transport. */
int iso__child_watcher_for(const iso_loop *loop, const iso_child_watcher **out);

/* ---- the built-in ones: child_handler.c ---- */

/* The best that this system has. Thread: any. */
const iso_child_watcher *iso__child_watcher_best(void);

/* How it waits; NULL: it is not one of the built-in ones. Thread: any. */
const iso__child_kind *iso__child_kind_of(const iso_child_watcher *watcher);

/* 0; ISO_ENOTSUP: it is built in, and this system does not have it. Thread: any. */
int iso__child_watcher_check_system(const iso_child_watcher *watcher);

#endif
