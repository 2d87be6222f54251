/* SPDX-License-Identifier: MIT */
/* Timers: those that are due soon in a 4-ary heap, whose entries carry the time, so that comparing
 * chases no pointer; the others, where there are many, in a wheel, until their millisecond comes.
 * They come out exactly by their times, equal ones first in, first out.
 *
 * An entry of a timer that was cancelled, or is scheduled anew, stays until it is met, or until
 * there are more such entries than others; the call that it is of tells. So memory is proportional
 * to the most that waited lately. */
#ifndef ISO_ENGINE_TIMERS_H
#define ISO_ENGINE_TIMERS_H

#include "engine/calls.h"
#include "engine/wheel.h"

typedef struct iso__timers {
    iso__timer *heap;  /* room for every entry there is: nothing that moves here can fail */
    iso__wheel *wheel; /* NULL: none was needed yet */
    iso__calls *calls;
    const iso_allocator *allocator;
    uint64_t base; /* the tick that the heap reaches, until there is a wheel */
    uint32_t heap_count;
    uint32_t capacity;
    uint32_t count; /* that wait */
    uint32_t stale; /* entries of which no timer is left */
    uint32_t next_order;
    uint32_t most;      /* entries at once, lately: */
    uint32_t removals;  /* since when `most` counts; at most `capacity` */
    bool is_next_known; /* nothing was cancelled since it was looked for */
} iso__timers;

/* `calls` and `allocator` are lent until close. */
void iso__timers_init(iso__timers *timers, iso__calls *calls, const iso_allocator *allocator);
void iso__timers_close(iso__timers *timers);

/* Tell what time it is, before the first one is added: it is sorted by how far it is from there. */
void iso__timers_begin(iso__timers *timers, iso_nsec now);

/* Have `call` wait until `when`. Returns 0 or ISO_ENOMEM. */
int iso__timers_add(iso__timers *timers, iso__call *call, iso_nsec when);

/* Have one that waits do so until `when`, as if it were added anew. Returns 0 or ISO_ENOMEM; it
 * waits as before then. */
int iso__timers_move(iso__timers *timers, iso__call *call, iso_nsec when);

/* Have one that waits do so no more, and free its slot. */
void iso__timers_cancel(iso__timers *timers, iso__call *call);

/* When the next one is due; ISO_FOREVER when there is none. Where many wait and some were cancelled
 * it may be too early. */
iso_nsec iso__timers_next(iso__timers *timers);

/* Take out the next one that is due at `now`; NULL when none is. Time goes forward. */
iso__call *iso__timers_pop(iso__timers *timers, iso_nsec now);

#endif
