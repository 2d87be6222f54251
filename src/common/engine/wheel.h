/* SPDX-License-Identifier: MIT */
/* A hierarchical timing wheel: where timers wait that are not due for a millisecond or more. A slot
 * is a list of arrays, read in sequence when its time comes, and in no order until then. The slots
 * of a level are 64 times as wide as those of the level below; the lowest are one tick, 2^20 ns.
 *
 * The base is the tick up to which the wheel has been read: all that is in it is of later ticks. An
 * entry stands in the level of the highest digit (of six bits) in which its tick differs from the
 * base, in the slot that this digit names: the first slot of the lowest level that has any is the
 * next one, and base moves on without touching the others. Source: Varghese and Lauck, 1987. */
#ifndef ISO_ENGINE_WHEEL_H
#define ISO_ENGINE_WHEEL_H

#include "isoloop/base.h"

typedef struct iso__timer {
    iso_nsec when;
    uint32_t order; /* among equal times; compared by difference, so it may wrap */
    uint32_t slot;  /* of the call */
} iso__timer;

enum { ISO__WHEEL_LEVELS = 8, ISO__WHEEL_SLOTS = 64, ISO__WHEEL_TICK_BITS = 20 };
enum { ISO__WHEEL_BLOCK_TIMERS = 31 };

/* 512 bytes. */
typedef struct iso__wheel_block {
    struct iso__wheel_block *next;
    uint64_t count;
    iso__timer timers[ISO__WHEEL_BLOCK_TIMERS];
} iso__wheel_block;

typedef struct iso__wheel_slot {
    iso__wheel_block *first; /* the one that has room, if any has */
    iso_nsec least;          /* no timer in it is earlier */
} iso__wheel_slot;

typedef struct iso__wheel {
    uint64_t base;
    uint32_t levels; /* bit n: level n has timers */
    uint32_t used;   /* blocks; */
    uint32_t spare_count;
    iso__wheel_block *spare;
    uint64_t occupied[ISO__WHEEL_LEVELS]; /* bit n: slot n has timers */
    iso__wheel_slot slots[ISO__WHEEL_LEVELS][ISO__WHEEL_SLOTS];
} iso__wheel;

/* The tick of a time, as a number that is never negative. */
static inline uint64_t iso__wheel_tick(iso_nsec when)
{
    return ((uint64_t)when ^ (uint64_t)1 << 63) >> ISO__WHEEL_TICK_BITS;
}

/* Free what it has; it may be used again. `wheel` is zeroed to begin with. */
void iso__wheel_close(iso__wheel *wheel, const iso_allocator *allocator);

static inline bool iso__wheel_is_empty(const iso__wheel *wheel)
{
    return wheel->levels == 0;
}

/* Take a timer of a later tick than base. Answers false without memory. */
bool iso__wheel_put(iso__wheel *wheel, const iso_allocator *allocator, iso__timer timer);

/* No timer in it is earlier; ISO_FOREVER: there is none. */
iso_nsec iso__wheel_least(const iso__wheel *wheel);

/* The blocks of the next slot if it begins at `tick` or before, base being at its beginning then;
 * else NULL, and base is `tick`. They go back one by one. */
iso__wheel_block *iso__wheel_take(iso__wheel *wheel, uint64_t tick);
void iso__wheel_give(iso__wheel *wheel, const iso_allocator *allocator, iso__wheel_block *block);

/* Drop every timer of which `is_stale` says so. Answers how many. */
typedef bool (*iso__wheel_question)(const void *context, const iso__timer *timer);
uint32_t iso__wheel_sweep(iso__wheel *wheel, const iso_allocator *allocator,
                          iso__wheel_question is_stale, const void *context);

/* The same for the next slot only, if that has one block: how early the next timer is, is known
 * exactly then. */
uint32_t iso__wheel_sweep_next(iso__wheel *wheel, const iso_allocator *allocator,
                               iso__wheel_question is_stale, const void *context);

#endif
