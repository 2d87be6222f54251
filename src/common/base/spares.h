/* SPDX-License-Identifier: MIT */
/* Blocks of one size that are used again and again: a few that are free are kept, so that a steady
 * state allocates none. */
#ifndef ISO_BASE_SPARES_H
#define ISO_BASE_SPARES_H

#include "base/alloc.h"

typedef struct iso__spares {
    void *first; /* each begins with the next */
    size_t bytes;
    unsigned count;
    unsigned most; /* that are kept; 0: none */
} iso__spares;

/* `bytes` is at least the size of a pointer. */
static inline void iso__spares_init(iso__spares *spares, size_t bytes, unsigned most)
{
    spares->first = NULL;
    spares->bytes = bytes;
    spares->count = 0;
    spares->most = most;
}

/* A block, NULL: out of memory; and back. */
static inline void *iso__spares_take(iso__spares *spares, const iso_allocator *allocator)
{
    void **block = spares->first;

    if (block == NULL) return iso__alloc(allocator, spares->bytes);
    spares->first = *block;
    spares->count--;
    return block;
}

static inline void iso__spares_give(iso__spares *spares, const iso_allocator *allocator,
                                    void *block)
{
    if (spares->count == spares->most) {
        iso__free(allocator, block, spares->bytes);
        return;
    }
    *(void **)block = spares->first;
    spares->first = block;
    spares->count++;
}

static inline void iso__spares_close(iso__spares *spares, const iso_allocator *allocator)
{
    spares->most = 0;
    while (spares->first != NULL) {
        void *block = iso__spares_take(spares, allocator);

        iso__free(allocator, block, spares->bytes);
    }
}

#endif
