/* SPDX-License-Identifier: MIT */
/* The engine of one loop: what is ready, what waits for a time, what other threads posted, and the
 * driver that does I/O. It knows nothing of futures, transports or policies.
 *
 * Thread: every function here is the loop's thread's, but for iso__engine_post and
 * iso__engine_wake. */
#ifndef ISO_ENGINE_ENGINE_H
#define ISO_ENGINE_ENGINE_H

#include "base/limits.h"
#include "base/log.h"
#include "base/map.h"
#include "engine/calls.h"
#include "engine/driver.h"
#include "engine/inbox.h"
#include "engine/soon.h"
#include "engine/timers.h"
#include "isoloop/loop.h"

struct iso__engine {
    /* what a turn touches */
    iso__link ready; /* nodes to run in the next turn, and what is left of those of this one: */
    iso__link batch;
    iso__driver *driver;
    iso__soon soon;
    iso__calls calls;
    iso__timers timers;
    bool is_stopping; /* the next turn does not wait */
    bool is_closing;  /* what runs only gives back what it holds */
    bool is_debug;
    iso_loop *loop; /* what callbacks are handed */
    iso_clock clock;
    iso_nsec tick; /* timers are due on multiples of it only; 0: at any time */
    iso__inbox inbox;
    iso_nsec slow_callback_duration;

    /* what registering touches */
    iso__map ios; /* every attached io, by descriptor */
    iso__limits limits;

    /* cold */
    iso_allocator allocator;
    iso__logger logger;
    uint64_t turns;
    uint64_t callbacks;
    uint64_t events;
    iso__atomic_u32 wakeups;
    iso__atomic_u32 is_closed; /* changed under inbox.lock: nobody wakes a driver that is gone */
};

/* Make it ready for a driver, which its maker puts into `driver`. `engine` is zeroed; allocator,
 * clock, logger, limits and loop are set. */
void iso__engine_init(iso__engine *engine);

/* Drop everything that is scheduled, wait for what the kernel holds, and close the driver; nothing
 * is attached any more but what is the driver's own. Memory that another thread may still look at
 * stays until iso__engine_free. */
void iso__engine_close(iso__engine *engine);
void iso__engine_free(iso__engine *engine);

/* The time of the loop's clock. */
static inline iso_nsec iso__engine_time(const iso__engine *engine)
{
    return engine->clock.now(engine->clock.context);
}

/* Link a node at the end of the ready list; one that is on it already stays where it is. */
static inline void iso__engine_ready(iso__engine *engine, iso__node *node)
{
    if (!iso__link_is_in(&node->link)) iso__list_push(&engine->ready, &node->link);
}

/* Schedule a callback now, or at a time. *handle may be NULL. Returns 0 or ISO_ENOMEM. */
static inline int iso__engine_call_soon(iso__engine *engine, iso_callback callback, void *arg,
                                        iso_handle *handle)
{
    iso__soon_entry entry;

    entry.callback = callback;
    entry.arg = arg;
    return iso__soon_add(&engine->soon, &engine->allocator, entry, handle);
}
int iso__engine_call_at(iso__engine *engine, iso_nsec when, iso_callback callback, void *arg,
                        iso_handle *handle);

/* Returns 0, or ISO_ENOENT for a stale handle. */
int iso__engine_cancel(iso__engine *engine, iso_handle handle);

/* Have a timer wait until another time, or tell its time. Return 0; ISO_ENOENT for a stale handle,
 * ISO_EINVAL for one of call_soon; reschedule ISO_ENOMEM, and the timer waits as before then. */
int iso__engine_reschedule(iso__engine *engine, iso_handle handle, iso_nsec when);
int iso__engine_when(const iso__engine *engine, iso_handle handle, iso_nsec *when);

/* Hand a node, or a callback, to the loop from any thread, and wake it if it waits. post_callback
 * returns 0 or ISO_ENOMEM. Thread: any. */
void iso__engine_post(iso__engine *engine, iso__node *node);
int iso__engine_post_callback(iso__engine *engine, iso_callback callback, void *arg);

/* What the limits table says to one more io of this descriptor, for who asks before he does what
 * cannot be undone: 0, or ISO_ELIMIT. */
int iso__engine_admits(iso__engine *engine, iso_fd fd);

/* Take an io up and count it against the limits.
 * Returns 0; ISO_EBUSY: its descriptor has an io already; ISO_ELIMIT: a limits row; ISO_ENOMEM; or
 * what the driver answers. Everything is as it was then. */
int iso__engine_attach(iso__engine *engine, iso__io *io);

/* How many sockets are registered, the loop's own included. */
int64_t iso__engine_socket_count(const iso__engine *engine);

/* Give an io up: nothing more is told of it. One that is not attached is left alone. */
void iso__engine_detach(iso__engine *engine, iso__io *io);

/* Before the library closes a descriptor that was attached: its number may come again. */
void iso__engine_forget(iso__engine *engine, iso_fd fd);

/* One turn: wait at most `timeout` for something to do, then run exactly what is ready.
 * Returns how many ran, or what the wait failed with. */
int iso__engine_turn(iso__engine *engine, iso_nsec timeout);

/* Where a node comes from, for debug mode: what it is, and its callback or its descriptor. */
typedef struct iso__origin {
    const char *what;
    iso_callback callback;
    iso_fd fd;
} iso__origin;

#define ISO__SCHEDULED "a scheduled callback"

/* The origin of a node that is about to run; and a line in the log about one that took too long. */
iso__origin iso__engine_origin(const iso__engine *engine, const iso__node *node);
void iso__engine_tell_slow(const iso__engine *engine, iso__origin origin, iso_nsec taken);

/* How long the next wait may last: 0 when something is ready, ISO_FOREVER when nothing is
 * waiting. */
iso_nsec iso__engine_patience(iso__engine *engine);

#endif
