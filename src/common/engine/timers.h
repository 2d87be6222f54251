/* SPDX-License-Identifier: MIT */
/* Timers: a 4-ary heap whose entries carry the deadline, so that comparing chases no pointer. Equal
 * deadlines come out first in, first out. What is cancelled leaves at once: memory is proportional
 * to the most that waited lately, so that timers which come and go do not make it come and go
 * too. */
#ifndef ISO_ENGINE_TIMERS_H
#define ISO_ENGINE_TIMERS_H

#include "engine/calls.h"

typedef struct iso__timer {
    iso_nsec when;
    uint32_t order; /* among equal deadlines; compared by difference, so it may wrap */
    uint32_t slot;  /* of the call */
} iso__timer;

typedef struct iso__timers {
    iso__timer *heap;
    uint32_t count;
    uint32_t capacity;
    uint32_t next_order;
    uint32_t most;     /* that waited at once, lately: */
    uint32_t removals; /* since when `most` counts; at most `capacity` */
} iso__timers;

void iso__timers_init(iso__timers *timers);
void iso__timers_close(iso__timers *timers, const iso_allocator *allocator);

/* Have `call` wait until `when`. Returns 0 or ISO_ENOMEM. */
int iso__timers_add(iso__timers *timers, const iso_allocator *allocator, iso__calls *calls,
                    iso__call *call, iso_nsec when);

/* Take a waiting call out; memory that was far too much for a long time is given back. */
void iso__timers_remove(iso__timers *timers, const iso_allocator *allocator, iso__calls *calls,
                        iso__call *call);

/* When the next one is due; ISO_FOREVER when there is none. */
static inline iso_nsec iso__timers_next(const iso__timers *timers)
{
    return timers->count == 0 ? ISO_FOREVER : timers->heap[0].when;
}

/* Take out the next one that is due at `now`; NULL when none is. */
iso__call *iso__timers_pop(iso__timers *timers, const iso_allocator *allocator, iso__calls *calls,
                           iso_nsec now);

#endif
