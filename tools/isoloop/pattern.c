/* SPDX-License-Identifier: MIT */
#include "pattern.h"
#include <isoloop.h>
#include <stdlib.h>
#include <string.h>

/* Primes: no two connections below PERIOD begin at the same place, and messages do not repeat. */
#define PERIOD 65521u
#define STRIDE 7919u

int pattern_make(pattern *out, size_t size)
{
    unsigned char *bytes = malloc(PERIOD + size);
    if (bytes == NULL) return ISO_ENOMEM;
    uint32_t state = 2463534242u; /* Marsaglia's xorshift, the same bytes in every run */
    for (size_t i = 0; i < PERIOD; i++) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        bytes[i] = (unsigned char)(state >> 11);
    }
    for (size_t i = 0; i < size; i++) bytes[PERIOD + i] = bytes[i];
    out->bytes = bytes;
    return 0;
}

void pattern_free(pattern *of)
{
    free(of->bytes);
    of->bytes = NULL;
}

const unsigned char *pattern_at(const pattern *of, uint64_t connection, uint64_t position)
{
    return of->bytes + (connection * STRIDE + position % PERIOD) % PERIOD;
}

size_t pattern_compare(const unsigned char *expected, const unsigned char *got, size_t size)
{
    size_t i = 0;
    if (memcmp(expected, got, size) == 0) return size;
    while (expected[i] == got[i]) i++;
    return i;
}
