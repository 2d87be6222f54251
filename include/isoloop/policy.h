/* SPDX-License-Identifier: MIT */
/* Which loop is the current one. asyncio's event loop policies are the model. */
#ifndef ISOLOOP_POLICY_H
#define ISOLOOP_POLICY_H

#include "loop.h"

ISO_BEGIN_DECLS

/* The loop that runs in this thread of this process, in *out.
 * Returns 0 or ISO_ENOLOOP. Thread: any. Ownership: borrowed. Source: asyncio.get_running_loop. */
ISO_API int iso_get_running_loop(iso_loop **out);

/* The running loop, else the policy's answer. The default policy makes a loop by itself only in the
 * main thread, when it has none and iso_set_event_loop was never called there.
 * Returns 0 and never NULL in *out, or ISO_ENOLOOP, or what making a loop failed with.
 * Thread: any. Ownership: borrowed from the policy. Source: asyncio.get_event_loop. */
ISO_API int iso_get_event_loop(iso_loop **out);

/* Make `loop` this thread's current one; NULL: none. The policy shares it: the reference of the one
 * before is given back. In the main thread a child watcher that was set (child_watcher.h) is told,
 * after that, by its attach_loop.
 * Returns 0, ISO_ENOMEM, or what attach_loop answered. Thread: any. Source: asyncio.set_event_loop,
 * _UnixDefaultEventLoopPolicy. */
ISO_API int iso_set_event_loop(iso_loop *loop);

/* A new loop by the policy's rules; it is not made current.
 * Returns as iso_loop_new. Thread: any. Ownership: the caller's. Source: asyncio.new_event_loop. */
ISO_API int iso_new_event_loop(iso_loop **out);

typedef struct iso_child_watcher iso_child_watcher;

/* A policy. A slot that is NULL does what the default policy does; a function of one's own may call
 * the default policy's for what it keeps (iso_default_event_loop_policy). */
typedef struct iso_event_loop_policy iso_event_loop_policy;
struct iso_event_loop_policy {
    int (*get_event_loop)(const iso_event_loop_policy *self, iso_loop **out);
    int (*set_event_loop)(const iso_event_loop_policy *self, iso_loop *loop);
    int (*new_event_loop)(const iso_event_loop_policy *self, iso_loop **out);
    void *context;
    /* What iso_get_child_watcher and iso_set_child_watcher answer (child_watcher.h), where the
     * limits have not refused. */
    int (*get_child_watcher)(const iso_event_loop_policy *self, const iso_child_watcher **out);
    int (*set_child_watcher)(const iso_event_loop_policy *self, const iso_child_watcher *watcher);
};

/* The policy of this process; NULL restores the default one.
 * Thread: any. Ownership: `policy` is lent until another one is set.
 * Source: asyncio.set_event_loop_policy, get_event_loop_policy, DefaultEventLoopPolicy. */
ISO_API void iso_set_event_loop_policy(const iso_event_loop_policy *policy);
ISO_API const iso_event_loop_policy *iso_get_event_loop_policy(void);
ISO_API const iso_event_loop_policy *iso_default_event_loop_policy(void);

ISO_END_DECLS

#endif
