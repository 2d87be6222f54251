/* SPDX-License-Identifier: MIT */
#include "engine/timers.h"

#include "base/alloc.h"
#include "isoloop/error.h"

#include <string.h>

enum {
    CHILDREN = 4,
    SMALLEST = 64, /* room of the heap */
    FEW = 64,      /* wait in the heap, whenever they are due */
    STALE_ALLOWED = 16,
    AHEAD = 8 /* how far ahead calls are fetched */
};

void iso__timers_init(iso__timers *timers, iso__calls *calls, const iso_allocator *allocator)
{
    memset(timers, 0, sizeof(*timers));
    timers->calls = calls;
    timers->allocator = allocator;
    timers->is_next_known = true;
}

void iso__timers_close(iso__timers *timers)
{
    iso__free(timers->allocator, timers->heap, timers->capacity * sizeof(*timers->heap));
    if (timers->wheel != NULL) {
        iso__wheel_close(timers->wheel, timers->allocator);
        iso__free(timers->allocator, timers->wheel, sizeof(*timers->wheel));
    }
    iso__timers_init(timers, timers->calls, timers->allocator);
}

static iso__call *call_of(const iso__timers *timers, const iso__timer *entry)
{
    return iso__calls_at(timers->calls, entry->slot);
}

/* Whether no timer is left that this is the entry of. */
static bool is_stale(const void *context, const iso__timer *entry)
{
    const iso__call *call = call_of(context, entry);

    return call->entry != entry->order || call->callback == NULL ||
           iso__link_is_in(&call->node.link);
}

/* ---- the heap ---- */

static bool is_before(const iso__timer *a, const iso__timer *b)
{
    if (a->when != b->when) return a->when < b->when;
    return (int32_t)(a->order - b->order) < 0;
}

static void sift_up(iso__timers *timers, uint32_t at, iso__timer timer)
{
    iso__timer *heap = timers->heap;

    while (at > 0) {
        uint32_t parent = (at - 1) / CHILDREN;

        if (!is_before(&timer, &heap[parent])) break;
        heap[at] = heap[parent];
        at = parent;
    }
    heap[at] = timer;
}

static uint32_t first_child(const iso__timers *timers, uint32_t at)
{
    uint32_t child = at * CHILDREN + 1;
    uint32_t best = child;
    uint32_t end = timers->heap_count - child < CHILDREN ? timers->heap_count : child + CHILDREN;

    while (++child < end) {
        if (is_before(&timers->heap[child], &timers->heap[best])) best = child;
    }
    return best;
}

static void sift_down(iso__timers *timers, uint32_t at, iso__timer timer)
{
    iso__timer *heap = timers->heap;

    while (at * CHILDREN + 1 < timers->heap_count) {
        uint32_t child = first_child(timers, at);

        if (!is_before(&heap[child], &timer)) break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = timer;
}

static void drop_top(iso__timers *timers)
{
    iso__timer last = timers->heap[--timers->heap_count];

    if (timers->heap_count > 0) sift_down(timers, 0, last);
}

/* ---- memory ---- */

static int resize(iso__timers *timers, uint32_t capacity)
{
    iso__timer *heap = iso__realloc(timers->allocator, timers->heap,
                                    timers->capacity * sizeof(*heap), capacity * sizeof(*heap));

    if (heap == NULL) return ISO_ENOMEM;
    timers->heap = heap;
    timers->capacity = capacity;
    return 0;
}

/* Room for one entry more. */
static int reserve(iso__timers *timers)
{
    uint32_t entries = timers->count + timers->stale + 1;

    if (entries > timers->most) timers->most = entries;
    if (ISO__LIKELY(entries <= timers->capacity)) return 0;
    if (timers->capacity > UINT32_MAX / 8) return ISO_ENOMEM;
    return resize(timers, timers->capacity == 0 ? SMALLEST : timers->capacity * 2);
}

/* As many as there is room for have come and gone: look whether so much room is needed. */
static void give_back(iso__timers *timers)
{
    if (timers->capacity > SMALLEST && timers->most < timers->capacity / 4)
        (void)resize(timers, timers->capacity / 2); /* if not, it stays large */
    timers->most = timers->count + timers->stale;
    timers->removals = 0;
}

static void count_removal(iso__timers *timers)
{
    if (++timers->removals >= timers->capacity) give_back(timers);
}

/* ---- entries ---- */

static bool make_wheel(iso__timers *timers)
{
    timers->wheel = iso__alloc_zero(timers->allocator, sizeof(*timers->wheel));
    if (timers->wheel != NULL) timers->wheel->base = timers->base;
    return timers->wheel != NULL;
}

/* Without memory for the wheel the heap takes what the wheel should. */
static void place(iso__timers *timers, iso__timer timer)
{
    uint64_t base = timers->wheel != NULL ? timers->wheel->base : timers->base;

    if (timers->heap_count < FEW || iso__wheel_tick(timer.when) <= base ||
        (timers->wheel == NULL && !make_wheel(timers)) ||
        !iso__wheel_put(timers->wheel, timers->allocator, timer))
        sift_up(timers, timers->heap_count++, timer);
}

/* Place the entry of one that was moved where it belongs by now. */
static void place_again(iso__timers *timers, iso__call *call)
{
    iso__timer timer;

    timer.when = call->when;
    timer.order = call->order;
    timer.slot = call->slot;
    call->entry = call->order;
    place(timers, timer);
}

/* What a slot of the wheel held goes on: to finer slots, or to the heap. */
static void spill(iso__timers *timers, iso__wheel_block *block)
{
    while (block != NULL) {
        iso__wheel_block *next = block->next;
        uint64_t at;

        for (at = 0; at < block->count; at++) {
            const iso__timer *timer = &block->timers[at];
            iso__call *call;

            if (iso__wheel_tick(timer->when) > timers->wheel->base) {
                place(timers, *timer);
                continue;
            }
            if (at + AHEAD < block->count) ISO__PREFETCH(call_of(timers, timer + AHEAD));
            call = call_of(timers, timer);
            if (is_stale(timers, timer))
                timers->stale--;
            else if (call->order != timer->order)
                place_again(timers, call);
            else
                sift_up(timers, timers->heap_count++, *timer);
        }
        iso__wheel_give(timers->wheel, timers->allocator, block);
        block = next;
    }
}

static void sweep_heap(iso__timers *timers)
{
    uint32_t kept = 0;
    uint32_t at;

    for (at = 0; at < timers->heap_count; at++) {
        if (is_stale(timers, &timers->heap[at]))
            timers->stale--;
        else
            timers->heap[kept++] = timers->heap[at];
    }
    timers->heap_count = kept;
    for (at = kept / CHILDREN + 1; at-- > 0 && kept > 1;) {
        if (at < kept) sift_down(timers, at, timers->heap[at]);
    }
}

static void sweep(iso__timers *timers)
{
    sweep_heap(timers);
    if (timers->wheel != NULL)
        timers->stale -= iso__wheel_sweep(timers->wheel, timers->allocator, is_stale, timers);
}

static void sweep_if_many(iso__timers *timers)
{
    if (ISO__UNLIKELY(timers->stale > timers->count + STALE_ALLOWED)) sweep(timers);
}

static void count_stale(iso__timers *timers)
{
    timers->is_next_known = false;
    timers->stale++;
    sweep_if_many(timers);
}

/* ---- what others call ---- */

void iso__timers_begin(iso__timers *timers, iso_nsec now)
{
    timers->base = iso__wheel_tick(now);
}

int iso__timers_add(iso__timers *timers, iso__call *call, iso_nsec when)
{
    int rc = reserve(timers);

    if (rc != 0) return rc;
    call->when = when;
    call->order = timers->next_order++;
    timers->count++;
    place_again(timers, call);
    return 0;
}

int iso__timers_move(iso__timers *timers, iso__call *call, iso_nsec when)
{
    int rc;

    if (when >= call->when) { /* its entry is met before, and is placed again then */
        call->when = when;
        call->order = timers->next_order++;
        timers->is_next_known = false;
        return 0;
    }
    rc = reserve(timers);
    if (rc != 0) return rc;
    call->when = when;
    call->order = timers->next_order++;
    place_again(timers, call);
    count_stale(timers);
    return 0;
}

void iso__timers_cancel(iso__timers *timers, iso__call *call)
{
    iso__calls_free(timers->calls, call);
    timers->count--;
    count_removal(timers);
    count_stale(timers);
}

/* Make the first of the heap one that waits, and for what it says. */
static void clean_top(iso__timers *timers)
{
    while (timers->heap_count > 0) {
        iso__timer top = timers->heap[0];
        iso__call *call = call_of(timers, &top);

        if (is_stale(timers, &top)) {
            drop_top(timers);
            timers->stale--;
        } else if (call->order != top.order) {
            drop_top(timers);
            place_again(timers, call);
        } else {
            return;
        }
    }
}

/* Sweeping the next slot of the wheel tells exactly when its next timer is due. Where the heap has
 * an earlier one it does not matter, and a slot is not swept in each turn for nothing. */
static void clean_next(iso__timers *timers)
{
    clean_top(timers);
    if (timers->wheel == NULL) return;
    if (timers->heap_count > 0 && timers->heap[0].when <= iso__wheel_least(timers->wheel)) return;
    timers->stale -= iso__wheel_sweep_next(timers->wheel, timers->allocator, is_stale, timers);
}

iso_nsec iso__timers_next(iso__timers *timers)
{
    iso_nsec least;

    if (timers->count == 0) return ISO_FOREVER;
    if (!timers->is_next_known) {
        clean_next(timers);
        timers->is_next_known = true;
    }
    least = timers->wheel != NULL ? iso__wheel_least(timers->wheel) : ISO_FOREVER;
    return timers->heap_count > 0 && timers->heap[0].when < least ? timers->heap[0].when : least;
}

static void reach(iso__timers *timers, uint64_t tick)
{
    iso__wheel_block *blocks;

    if (timers->wheel == NULL) {
        if (tick > timers->base) timers->base = tick;
        return;
    }
    while (timers->wheel->base < tick && (blocks = iso__wheel_take(timers->wheel, tick)) != NULL)
        spill(timers, blocks);
}

iso__call *iso__timers_pop(iso__timers *timers, iso_nsec now)
{
    iso__call *call;

    reach(timers, iso__wheel_tick(now));
    clean_top(timers);
    if (timers->heap_count == 0 || timers->heap[0].when > now) return NULL;
    call = call_of(timers, &timers->heap[0]);
    drop_top(timers);
    timers->is_next_known = false;
    timers->count--;
    count_removal(timers);
    sweep_if_many(timers);
    return call;
}
