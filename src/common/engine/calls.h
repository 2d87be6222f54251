/* SPDX-License-Identifier: MIT */
/* Callbacks that wait for a time: slots that are used again and again, so that call_later does not
 * allocate in a steady state, and a handle to a slot that has moved on is found out. */
#ifndef ISO_ENGINE_CALLS_H
#define ISO_ENGINE_CALLS_H

#include "base/compiler.h"
#include "engine/op.h"
#include "isoloop/loop.h"

/* One line of a cache. */
typedef struct iso__call {
    iso__node node;        /* linked when it is due */
    iso_callback callback; /* NULL: the slot is free */
    void *arg;
    iso_nsec when;
    uint32_t slot;
    uint32_t generation; /* never 0, so that a zeroed handle finds nothing */
    uint32_t order;      /* among equal times: the number of its last scheduling, */
    uint32_t entry;      /* and that which its entry among the timers bears */
} iso__call;

typedef struct iso__calls {
    iso__call **chunks; /* each of ISO__CALLS_PER_CHUNK */
    uint32_t chunk_count;
    uint32_t chunk_capacity;
    uint32_t *free; /* a stack of slots; there is room for all: giving one back can't fail */
    uint32_t free_count;
} iso__calls;

enum { ISO__CALLS_PER_CHUNK = 128 };

void iso__calls_init(iso__calls *calls);
void iso__calls_close(iso__calls *calls, const iso_allocator *allocator);

/* A new chunk, its slots free. Returns 0 or ISO_ENOMEM. */
int iso__calls_grow(iso__calls *calls, const iso_allocator *allocator);

/* The call of a handle; NULL when it ran or was cancelled. */
iso__call *iso__calls_find(const iso__calls *calls, iso_handle handle);

static inline iso__call *iso__calls_at(const iso__calls *calls, uint32_t slot)
{
    return &calls->chunks[slot / ISO__CALLS_PER_CHUNK][slot % ISO__CALLS_PER_CHUNK];
}

/* A free slot, the one that was freed last; NULL: without memory. The caller fills it. The next one
 * is fetched already: who takes one mostly takes more. */
static inline iso__call *iso__calls_take(iso__calls *calls, const iso_allocator *allocator)
{
    iso__call *call;

    if (ISO__UNLIKELY(calls->free_count == 0) && iso__calls_grow(calls, allocator) != 0)
        return NULL;
    call = iso__calls_at(calls, calls->free[--calls->free_count]);
    if (calls->free_count > 0)
        ISO__PREFETCH(iso__calls_at(calls, calls->free[calls->free_count - 1]));
    return call;
}

/* Make a slot free; handles to it are stale from here on. */
static inline void iso__calls_free(iso__calls *calls, iso__call *call)
{
    if (++call->generation == 0) call->generation = 1;
    call->callback = NULL;
    call->arg = NULL;
    calls->free[calls->free_count++] = call->slot;
}

#endif
