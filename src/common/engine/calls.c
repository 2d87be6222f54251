/* SPDX-License-Identifier: MIT */
#include "engine/calls.h"

#include "base/alloc.h"
#include "isoloop/error.h"

void iso__calls_init(iso__calls *calls)
{
    calls->chunks = NULL;
    calls->chunk_count = 0;
    calls->chunk_capacity = 0;
    calls->free = NULL;
}

void iso__calls_close(iso__calls *calls, const iso_allocator *allocator)
{
    uint32_t at;

    for (at = 0; at < calls->chunk_count; at++)
        iso__free(allocator, calls->chunks[at], ISO__CALLS_PER_CHUNK * sizeof(iso__call));
    iso__free(allocator, calls->chunks, calls->chunk_capacity * sizeof(*calls->chunks));
    iso__calls_init(calls);
}

static int grow_directory(iso__calls *calls, const iso_allocator *allocator)
{
    uint32_t capacity = calls->chunk_capacity == 0 ? 8 : calls->chunk_capacity * 2;
    iso__call **chunks;

    if (capacity > UINT32_MAX / ISO__CALLS_PER_CHUNK) return ISO_ENOMEM;
    chunks = iso__realloc(allocator, calls->chunks, calls->chunk_capacity * sizeof(*chunks),
                          capacity * sizeof(*chunks));
    if (chunks == NULL) return ISO_ENOMEM;
    calls->chunks = chunks;
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
