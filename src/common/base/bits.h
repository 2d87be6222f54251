/* SPDX-License-Identifier: MIT */
/* The number of a bit. */
#ifndef ISO_BASE_BITS_H
#define ISO_BASE_BITS_H

#include <stdint.h>

#if defined(_MSC_VER)
/* As <intrin.h> has them. */
unsigned char _BitScanForward(unsigned long *index, unsigned long mask);
unsigned char _BitScanReverse(unsigned long *index, unsigned long mask);
#pragma intrinsic(_BitScanForward, _BitScanReverse)
#endif

/* Of the highest, or the lowest, bit that is set in `value`, which is not 0. */
static inline uint32_t iso__highest_bit(uint64_t value)
{
#if defined(_MSC_VER)
    unsigned long found;

    if (_BitScanReverse(&found, (unsigned long)(value >> 32))) return found + 32;
    (void)_BitScanReverse(&found, (unsigned long)value);
    return found;
#else
    return 63u - (uint32_t)__builtin_clzll(value);
#endif
}

static inline uint32_t iso__lowest_bit(uint64_t value)
{
#if defined(_MSC_VER)
    unsigned long found;

    if (_BitScanForward(&found, (unsigned long)value)) return found;
    (void)_BitScanForward(&found, (unsigned long)(value >> 32));
    return found + 32;
#else
    return (uint32_t)__builtin_ctzll(value);
#endif
}

#endif
