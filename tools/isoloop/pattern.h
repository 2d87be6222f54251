/* SPDX-License-Identifier: MIT */
/* The bytes that a connection sends, and must get back.
 *
 * All connections read from one ring of random-looking bytes, each from a place of its own, and
 * each message goes on where the one before ended. So a byte that is lost, doubled, changed, out of
 * order, or another connection's is seen, and no connection needs memory for what it sent. */
#ifndef PATTERN_H
#define PATTERN_H

#include <stddef.h>
#include <stdint.h>

typedef struct pattern {
    unsigned char *bytes;
} pattern;

/* Make the ring, so that messages of up to `size` bytes can be read from it in one piece.
 * Returns 0 or ISO_ENOMEM. The caller owns it until pattern_free. */
int pattern_make(pattern *out, size_t size);
void pattern_free(pattern *of);

/* The bytes of a connection from `position` of its stream on. Borrowed. */
const unsigned char *pattern_at(const pattern *of, uint64_t connection, uint64_t position);

/* The place of the first byte that is not as expected; `size` when all are. */
size_t pattern_compare(const unsigned char *expected, const unsigned char *got, size_t size);

#endif
