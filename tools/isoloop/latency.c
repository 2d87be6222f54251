/* SPDX-License-Identifier: MIT */
#include "latency.h"

/* Where the highest bit is; value is not 0. */
static unsigned highest_bit(uint64_t value)
{
    unsigned bit = 0;
    for (unsigned step = 32; step > 0; step /= 2) {
        if (value >> step != 0) {
            value >>= step;
            bit += step;
        }
    }
    return bit;
}

/* Below 64 each value has its bucket; above, the six bits after the highest one choose it. */
static size_t bucket_of(uint64_t value)
{
    if (value < 64) return (size_t)value;
    const unsigned bit = highest_bit(value);
    return (size_t)(bit - 5) * 64 + (size_t)((value >> (bit - 6)) & 63);
}

/* The middle of a bucket. */
static uint64_t value_of(size_t bucket)
{
    if (bucket < 64) return bucket;
    const unsigned shift = (unsigned)(bucket / 64) - 1;
    const uint64_t low = (uint64_t)(64 + bucket % 64) << shift;
    return low + ((uint64_t)1 << shift) / 2;
}

void latency_add(latency *of, iso_nsec span)
{
    const iso_nsec value = span > 0 ? span : 0;
    of->count++;
    of->buckets[bucket_of((uint64_t)value)]++;
    if (value > of->worst) of->worst = value;
}

iso_nsec latency_percentile(const latency *of, double part)
{
    const double rank = part * (double)of->count;
    uint64_t seen = 0;
    for (size_t i = 0; i < LATENCY_BUCKETS; i++) {
        seen += of->buckets[i];
        if (seen > 0 && (double)seen >= rank) {
            const iso_nsec value = (iso_nsec)value_of(i);
            return value < of->worst ? value : of->worst;
        }
    }
    return of->worst;
}
