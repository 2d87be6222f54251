/* SPDX-License-Identifier: MIT */
#include "engine/timers.h"

#include "base/alloc.h"
#include "isoloop/error.h"

enum { CHILDREN = 4, SMALLEST = 64 };

void iso__timers_init(iso__timers *timers)
{
    timers->heap = NULL;
    timers->count = 0;
    timers->capacity = 0;
    timers->next_order = 0;
    timers->most = 0;
    timers->removals = 0;
}

void iso__timers_close(iso__timers *timers, const iso_allocator *allocator)
{
    iso__free(allocator, timers->heap, timers->capacity * sizeof(*timers->heap));
    iso__timers_init(timers);
}

static bool is_before(const iso__timer *a, const iso__timer *b)
{
    if (a->when != b->when) return a->when < b->when;
    return (int32_t)(a->order - b->order) < 0;
}

static void put(iso__timers *timers, iso__calls *calls, uint32_t at, iso__timer timer)
{
    timers->heap[at] = timer;
    iso__calls_at(calls, timer.slot)->heap_index = at;
}

static void sift_up(iso__timers *timers, iso__calls *calls, uint32_t at, iso__timer timer)
{
    while (at > 0) {
        uint32_t parent = (at - 1) / CHILDREN;

        if (!is_before(&timer, &timers->heap[parent])) break;
        put(timers, calls, at, timers->heap[parent]);
        at = parent;
    }
    put(timers, calls, at, timer);
}

static uint32_t first_child(const iso__timers *timers, uint32_t at)
{
    uint32_t child = at * CHILDREN + 1;
    uint32_t best = child;
    uint32_t end = timers->count - child < CHILDREN ? timers->count : child + CHILDREN;

    while (++child < end) {
        if (is_before(&timers->heap[child], &timers->heap[best])) best = child;
    }
    return best;
}

static void sift_down(iso__timers *timers, iso__calls *calls, uint32_t at, iso__timer timer)
{
    while (at * CHILDREN + 1 < timers->count) {
        uint32_t child = first_child(timers, at);

        if (!is_before(&timers->heap[child], &timer)) break;
        put(timers, calls, at, timers->heap[child]);
        at = child;
    }
    put(timers, calls, at, timer);
}

static int resize(iso__timers *timers, const iso_allocator *allocator, uint32_t capacity)
{
    iso__timer *heap = iso__realloc(allocator, timers->heap, timers->capacity * sizeof(*heap),
                                    capacity * sizeof(*heap));

    if (heap == NULL) return ISO_ENOMEM;
    timers->heap = heap;
    timers->capacity = capacity;
    return 0;
}

int iso__timers_add(iso__timers *timers, const iso_allocator *allocator, iso__calls *calls,
                    iso__call *call, iso_nsec when)
{
    iso__timer timer;

    if (timers->count == timers->capacity) {
        int rc;

        if (timers->capacity > UINT32_MAX / 8) return ISO_ENOMEM;
        rc = resize(timers, allocator, timers->capacity == 0 ? SMALLEST : timers->capacity * 2);
        if (rc != 0) return rc;
    }
    timer.when = when;
    timer.order = timers->next_order++;
    timer.slot = call->slot;
    sift_up(timers, calls, timers->count++, timer);
    if (timers->count > timers->most) timers->most = timers->count;
    return 0;
}

/* As many as there is room for have come and gone: look whether so much room is needed. */
static void give_back(iso__timers *timers, const iso_allocator *allocator)
{
    if (timers->capacity > SMALLEST && timers->most < timers->capacity / 8)
        (void)resize(timers, allocator, timers->capacity / 2); /* if not, it stays large */
    timers->most = timers->count;
    timers->removals = 0;
}

/* The last one fills the hole, and finds its place from there. */
static void take_out(iso__timers *timers, const iso_allocator *allocator, iso__calls *calls,
                     uint32_t at)
{
    iso__timer last = timers->heap[--timers->count];

    if (at < timers->count) {
        if (at > 0 && is_before(&last, &timers->heap[(at - 1) / CHILDREN]))
            sift_up(timers, calls, at, last);
        else
            sift_down(timers, calls, at, last);
    }
    if (++timers->removals >= timers->capacity) give_back(timers, allocator);
}

void iso__timers_remove(iso__timers *timers, const iso_allocator *allocator, iso__calls *calls,
                        iso__call *call)
{
    uint32_t at = call->heap_index;

    call->heap_index = ISO__CALL_NO_TIMER;
    take_out(timers, allocator, calls, at);
}

iso__call *iso__timers_pop(iso__timers *timers, const iso_allocator *allocator, iso__calls *calls,
                           iso_nsec now)
{
    iso__call *call;

    if (timers->count == 0 || timers->heap[0].when > now) return NULL;
    call = iso__calls_at(calls, timers->heap[0].slot);
    iso__timers_remove(timers, allocator, calls, call);
    return call;
}
