/* SPDX-License-Identifier: MIT */
/* Callbacks for the next turn. Those that are scheduled one after the other, with nothing else made
 * ready in between, share a batch: an array, linked on the ready list as one node. So the order of
 * everything that is ready stays, and a callback costs two words. Batches are used again and again;
 * a handle names the batch, the place in it and the batch's generation. */
#ifndef ISO_ENGINE_SOON_H
#define ISO_ENGINE_SOON_H

#include "base/compiler.h"
#include "engine/op.h"
#include "isoloop/loop.h"

enum { ISO__SOON_PER_BATCH = 32 };

/* What marks the slot of a handle as one of a batch, not of a timer. */
#define ISO__SOON_HANDLE 0x80000000u

typedef struct iso__soon_entry {
    iso_callback callback; /* NULL: it ran or was cancelled */
    void *arg;
} iso__soon_entry;

typedef struct iso__soon_batch {
    iso__node node;
    struct iso__soon_batch *next_free;
    uint32_t number;     /* of the batch */
    uint32_t generation; /* never 0, so that a zeroed handle finds nothing */
    uint32_t count;      /* entries, cancelled ones among them */
    uint32_t waiting;    /* without those */
    iso__soon_entry entries[ISO__SOON_PER_BATCH];
} iso__soon_batch;

typedef struct iso__soon {
    iso__link *ready;      /* the engine's list */
    const iso__link *open; /* the batch that takes more while it is the last one that is ready */
    iso__soon_batch *free; /* the one that was used last comes first */
    iso__soon_batch **all; /* by number */
    uint32_t count;
    uint32_t capacity;
    void (*run)(iso__engine *engine, iso__node *node); /* of every batch's node */
} iso__soon;

/* `ready` is lent until close; `run` gives a batch back without running it. */
void iso__soon_init(iso__soon *soon, iso__link *ready,
                    void (*run)(iso__engine *engine, iso__node *node));
void iso__soon_close(iso__soon *soon, const iso_allocator *allocator);

/* Take a batch back that is on no list any more; handles to it are stale from here on. */
void iso__soon_give(iso__soon *soon, iso__soon_batch *batch);

/* The entry that a handle names; NULL when it ran or was cancelled. */
const iso__soon_entry *iso__soon_find(const iso__soon *soon, iso_handle handle);

/* Have it not called. A batch of which nothing is left is ready no more.
 * Returns 0, or ISO_ENOENT for a stale handle. */
int iso__soon_cancel(iso__soon *soon, iso_handle handle);

/* Link an empty batch at the end of the ready list. Returns 0 or ISO_ENOMEM. */
int iso__soon_open(iso__soon *soon, const iso_allocator *allocator);

static inline iso__soon_batch *iso__soon_batch_of(const iso__node *node)
{
    return ISO__CONTAINER(node, iso__soon_batch, node);
}

/* Have it called in the next turn. *handle may be NULL. Returns 0 or ISO_ENOMEM. */
static inline int iso__soon_add(iso__soon *soon, const iso_allocator *allocator,
                                iso__soon_entry entry, iso_handle *handle)
{
    const iso__link *last = soon->ready->prev;
    iso__soon_batch *batch = ISO__CONTAINER(last, iso__soon_batch, node.link);

    if (ISO__UNLIKELY(last != soon->open || batch->count == ISO__SOON_PER_BATCH)) {
        int rc = iso__soon_open(soon, allocator);

        if (rc != 0) return rc;
        batch = ISO__CONTAINER(soon->open, iso__soon_batch, node.link);
    }
    if (handle != NULL) {
        handle->slot = ISO__SOON_HANDLE | (batch->number * ISO__SOON_PER_BATCH + batch->count);
        handle->generation = batch->generation;
    }
    batch->entries[batch->count++] = entry;
    batch->waiting++;
    return 0;
}

#endif
