/* SPDX-License-Identifier: MIT */
/* Latencies: counted in buckets, so that a billion of them take no more memory than one.
 *
 * Each power of two is cut into 64 buckets, so a percentile is right to 0.8 %. */
#ifndef LATENCY_H
#define LATENCY_H

#include <isoloop.h>

#define LATENCY_BUCKETS (58 * 64)

typedef struct latency {
    uint64_t count;
    iso_nsec worst;
    uint64_t buckets[LATENCY_BUCKETS];
} latency;

/* Count one; what is negative counts as 0. A latency that is all zeroes is empty. */
void latency_add(latency *of, iso_nsec span);

/* The span that `part` of them, from 0.0 to 1.0, did not exceed: 0.5 is the median. 0 when
 * empty. */
iso_nsec latency_percentile(const latency *of, double part);

#endif
