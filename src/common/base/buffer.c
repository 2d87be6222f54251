/* SPDX-License-Identifier: MIT */
#include "base/buffer.h"

#include "base/alloc.h"
#include "isoloop/error.h"

#include <string.h>

struct iso__chunk {
    iso__chunk *next;
    size_t capacity;
    size_t begin;
    size_t end;
    unsigned char bytes[];
};

/* Small writes share a chunk; a large one has a chunk of its own size. */
enum { SMALLEST_CHUNK = 4096 - sizeof(iso__chunk) };

static size_t chunk_bytes(size_t capacity)
{
    return sizeof(iso__chunk) + capacity;
}

static size_t room_in_last(const iso__byte_queue *queue)
{
    return queue->last == NULL ? 0 : queue->last->capacity - queue->last->end;
}

static int add_chunk(iso__byte_queue *queue, const iso_allocator *allocator, size_t size)
{
    size_t capacity = size < SMALLEST_CHUNK ? (size_t)SMALLEST_CHUNK : size;
    iso__chunk *chunk;

    if (capacity > SIZE_MAX - sizeof(iso__chunk)) return ISO_ENOMEM;
    chunk = iso__alloc(allocator, chunk_bytes(capacity));
    if (chunk == NULL) return ISO_ENOMEM;
    chunk->next = NULL;
    chunk->capacity = capacity;
    chunk->begin = 0;
    chunk->end = 0;
    if (queue->last == NULL)
        queue->first = chunk;
    else
        queue->last->next = chunk;
    queue->last = chunk;
    return 0;
}

/* The copy goes to the end of `at`, and on in the chunk behind it. */
static iso__chunk *copy_in(iso__chunk *at, const unsigned char *data, size_t size)
{
    while (size > 0) {
        size_t room = at->capacity - at->end;
        size_t part = size < room ? size : room;

        memcpy(at->bytes + at->end, data, part);
        at->end += part;
        data += part;
        size -= part;
        if (size > 0) at = at->next;
    }
    return at;
}

static size_t total_of(const iso_buffer *list, size_t count)
{
    size_t total = 0;
    size_t at;

    for (at = 0; at < count; at++) {
        if (list[at].size > SIZE_MAX - total) return SIZE_MAX;
        total += list[at].size;
    }
    return total;
}

int iso__byte_queue_append(iso__byte_queue *queue, const iso_allocator *allocator,
                           const iso_buffer *list, size_t count, size_t skip)
{
    size_t size = total_of(list, count) - skip;
    size_t room = room_in_last(queue);
    iso__chunk *to = queue->last;
    size_t at;

    if (size == 0) return 0;
    if (size > room) {
        int rc = add_chunk(queue, allocator, size - room);
        if (rc != 0) return rc;
        if (to == NULL) to = queue->first;
    }
    for (at = 0; at < count; at++) {
        size_t passed = skip < list[at].size ? skip : list[at].size;

        skip -= passed;
        if (passed == list[at].size) continue;
        to = copy_in(to, (const unsigned char *)list[at].data + passed, list[at].size - passed);
    }
    queue->size += size;
    return 0;
}

size_t iso__byte_queue_peek(const iso__byte_queue *queue, iso_buffer *list, size_t max)
{
    const iso__chunk *chunk;
    size_t count = 0;

    for (chunk = queue->first; chunk != NULL && count < max; chunk = chunk->next) {
        list[count].data = chunk->bytes + chunk->begin;
        list[count].size = chunk->end - chunk->begin;
        count++;
    }
    return count;
}

static void drop_first(iso__byte_queue *queue, const iso_allocator *allocator)
{
    iso__chunk *chunk = queue->first;

    queue->first = chunk->next;
    if (queue->first == NULL) queue->last = NULL;
    iso__free(allocator, chunk, chunk_bytes(chunk->capacity));
}

void iso__byte_queue_take(iso__byte_queue *queue, const iso_allocator *allocator, size_t size)
{
    queue->size -= size;
    while (size > 0) {
        iso__chunk *chunk = queue->first;
        size_t there = chunk->end - chunk->begin;

        if (size < there) {
            chunk->begin += size;
            return;
        }
        size -= there;
        drop_first(queue, allocator);
    }
}

void iso__byte_queue_clear(iso__byte_queue *queue, const iso_allocator *allocator)
{
    while (queue->first != NULL) drop_first(queue, allocator);
    queue->size = 0;
}
