/* SPDX-License-Identifier: MIT */
/* Sums of times that stop at the end of time. */
#ifndef ISO_BASE_TIME_H
#define ISO_BASE_TIME_H

#include "isoloop/base.h"

static inline iso_nsec iso__time_add(iso_nsec a, iso_nsec b)
{
    if (b > 0 && a > ISO_FOREVER - b) return ISO_FOREVER;
    if (b < 0 && a < INT64_MIN - b) return INT64_MIN;
    return a + b;
}

/* From now until `deadline`: at least 0, and ISO_FOREVER stays for ever. */
static inline iso_nsec iso__time_until(iso_nsec deadline, iso_nsec now)
{
    if (deadline == ISO_FOREVER) return ISO_FOREVER;
    if (deadline <= now) return 0;
    return now < 0 && deadline > ISO_FOREVER + now ? ISO_FOREVER : deadline - now;
}

#endif
