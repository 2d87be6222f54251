/* SPDX-License-Identifier: MIT */
/* A queue of bytes: what a transport could not send yet. It owns memory only while it holds
 * bytes. */
#ifndef ISO_BASE_BUFFER_H
#define ISO_BASE_BUFFER_H

#include "isoloop/base.h"

typedef struct iso__chunk iso__chunk;

typedef struct iso__byte_queue {
    iso__chunk *first;
    iso__chunk *last;
    size_t size; /* bytes in it */
} iso__byte_queue;

/* Copy all pieces, past the first `skip` bytes of them, to the end.
 * Returns 0, or ISO_ENOMEM with the queue as it was. */
int iso__byte_queue_append(iso__byte_queue *queue, const iso_allocator *allocator,
                           const iso_buffer *list, size_t count, size_t skip);

/* Show the first bytes in at most `max` pieces, without taking them. The pieces stay where they are
 * until they are taken, whatever is appended meanwhile. Returns how many pieces. */
size_t iso__byte_queue_peek(const iso__byte_queue *queue, iso_buffer *list, size_t max);

/* Take the first `size` bytes off. */
void iso__byte_queue_take(iso__byte_queue *queue, const iso_allocator *allocator, size_t size);

/* Take everything off. */
void iso__byte_queue_clear(iso__byte_queue *queue, const iso_allocator *allocator);

#endif
