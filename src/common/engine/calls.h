/* SPDX-License-Identifier: MIT */
/* Scheduled callbacks: slots that are used again and again, so that call_soon and call_later do not
 * allocate in a steady state, and a handle to a slot that has moved on is found out. */
#ifndef ISO_ENGINE_CALLS_H
#define ISO_ENGINE_CALLS_H

#include "engine/op.h"
#include "isoloop/loop.h"

enum { ISO__CALL_NO_TIMER = INT32_MAX };

typedef struct iso__call {
    iso__node node;
    iso_callback callback; /* NULL: the slot is free */
    void *arg;
    uint32_t slot;
    uint32_t generation; /* never 0, so that a zeroed handle finds nothing */
    uint32_t heap_index; /* its place among the timers, or ISO__CALL_NO_TIMER */
} iso__call;

typedef struct iso__calls {
    iso__call **chunks; /* each of ISO__CALLS_PER_CHUNK */
    uint32_t chunk_count;
    uint32_t chunk_capacity;
    iso__call *free; /* linked through node.link.next; the last one freed comes first */
} iso__calls;

enum { ISO__CALLS_PER_CHUNK = 128 };

void iso__calls_init(iso__calls *calls);
void iso__calls_close(iso__calls *calls, const iso_allocator *allocator);

/* A new chunk on the free list. Returns 0 or ISO_ENOMEM. */
int iso__calls_grow(iso__calls *calls, const iso_allocator *allocator);

/* The call of a handle; NULL when it ran or was cancelled. */
iso__call *iso__calls_find(const iso__calls *calls, iso_handle handle);

static inline iso__call *iso__calls_at(const iso__calls *calls, uint32_t slot)
{
    return &calls->chunks[slot / ISO__CALLS_PER_CHUNK][slot % ISO__CALLS_PER_CHUNK];
}

/* Make a slot free; handles to it are stale from here on. */
static inline void iso__calls_free(iso__calls *calls, iso__call *call)
{
    if (++call->generation == 0) call->generation = 1;
    call->callback = NULL;
    call->arg = NULL;
    call->node.link.next = (iso__link *)(void *)calls->free;
    calls->free = call;
}

#endif
