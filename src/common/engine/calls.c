/* SPDX-License-Identifier: MIT */
#include "engine/calls.h"

#include "base/alloc.h"
#include "isoloop/error.h"

#include <string.h>

void iso__calls_init(iso__calls *calls)
{
    memset(calls, 0, sizeof(*calls));
}

void iso__calls_close(iso__calls *calls, const iso_allocator *allocator)
{
    uint32_t at;

    for (at = 0; at < calls->chunk_count; at++)
        iso__free(allocator, calls->chunks[at], ISO__CALLS_PER_CHUNK * sizeof(iso__call));
    iso__free(allocator, calls->chunks, calls->chunk_capacity * sizeof(*calls->chunks));
    iso__free(allocator, calls->free,
              calls->chunk_capacity * ISO__CALLS_PER_CHUNK * sizeof(*calls->free));
    iso__calls_init(calls);
}

/* Room for more chunks, and for their slots on the stack. */
static int grow_directory(iso__calls *calls, const iso_allocator *allocator)
{
    uint32_t capacity = calls->chunk_capacity == 0 ? 8 : calls->chunk_capacity * 2;
    iso__call **chunks;
    uint32_t *slots;

    if (capacity > INT32_MAX / ISO__CALLS_PER_CHUNK)
        return ISO_ENOMEM; /* the highest bit is not ours */
    chunks = iso__alloc(allocator, capacity * sizeof(*chunks));
    if (chunks == NULL) return ISO_ENOMEM;
    slots = iso__realloc(allocator, calls->free,
                         calls->chunk_capacity * ISO__CALLS_PER_CHUNK * sizeof(*slots),
                         capacity * ISO__CALLS_PER_CHUNK * sizeof(*slots));
    if (slots == NULL) {
        iso__free(allocator, chunks, capacity * sizeof(*chunks));
        return ISO_ENOMEM;
    }
    if (calls->chunk_count > 0) memcpy(chunks, calls->chunks, calls->chunk_count * sizeof(*chunks));
    iso__free(allocator, calls->chunks, calls->chunk_capacity * sizeof(*chunks));
    calls->chunks = chunks;
    calls->free = slots;
    calls->chunk_capacity = capacity;
    return 0;
}

int iso__calls_grow(iso__calls *calls, const iso_allocator *allocator)
{
    iso__call *chunk;
    uint32_t at;

    if (calls->chunk_count == calls->chunk_capacity) {
        int rc = grow_directory(calls, allocator);
        if (rc != 0) return rc;
    }
    chunk = iso__alloc_zero(allocator, ISO__CALLS_PER_CHUNK * sizeof(*chunk));
    if (chunk == NULL) return ISO_ENOMEM;
    calls->chunks[calls->chunk_count] = chunk;
    for (at = ISO__CALLS_PER_CHUNK; at-- > 0;) { /* so that the first slot is taken first */
        chunk[at].slot = calls->chunk_count * ISO__CALLS_PER_CHUNK + at;
        iso__calls_free(calls, &chunk[at]);
    }
    calls->chunk_count++;
    return 0;
}

iso__call *iso__calls_find(const iso__calls *calls, iso_handle handle)
{
    iso__call *call;

    if (handle.slot / ISO__CALLS_PER_CHUNK >= calls->chunk_count) return NULL;
    call = iso__calls_at(calls, handle.slot);
    return call->generation == handle.generation && call->callback != NULL ? call : NULL;
}
