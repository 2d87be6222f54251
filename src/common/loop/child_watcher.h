/* SPDX-License-Identifier: MIT */
/* What the policy does about child watchers. */
#ifndef ISO_LOOP_CHILD_WATCHER_H
#define ISO_LOOP_CHILD_WATCHER_H

#include "isoloop/child_watcher.h"

/* The current loop of the main thread is another one, or none: tell the watcher that was set.
 * Returns 0 or what it answers. Thread: any. Source: _UnixDefaultEventLoopPolicy.set_event_loop. */
int iso__child_watcher_attach(iso_loop *loop);

/* Whether there are child watchers here at all. There is no loop to ask: the one that runs in this
 * thread, or else is current in it, stands for it. Returns 0, ISO_ENOTSUP (the row, also as the
 * detail) or ISO_ENOMEM. Thread: any. */
int iso__child_watcher_check(void);

/* What the default policy does. Returns 0 or ISO_EINVAL. Thread: any. */
int iso__child_watcher_get(const iso_child_watcher **out);
int iso__child_watcher_set(const iso_child_watcher *watcher);

#endif
