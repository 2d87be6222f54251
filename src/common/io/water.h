/* SPDX-License-Identifier: MIT */
/* The water marks of what could not be sent yet: above `high` a protocol is asked to pause, at
 * `low` or below to go on, in pairs. Source: asyncio, _FlowControlMixin. */
#ifndef ISO_IO_WATER_H
#define ISO_IO_WATER_H

#include "isoloop/base.h"
#include "isoloop/error.h"

typedef struct iso__water {
    size_t high;
    size_t low;
} iso__water;

/* SIZE_MAX for either: derive it. Returns 0, or ISO_EINVAL unless high >= low. */
static inline int iso__water_set(iso__water *water, size_t high, size_t low)
{
    const size_t usual = 64 * 1024;
    const size_t share = 4;

    if (high == SIZE_MAX && low == SIZE_MAX)
        high = usual;
    else if (high == SIZE_MAX)
        high = low <= SIZE_MAX / share ? low * share : SIZE_MAX;
    if (low == SIZE_MAX) low = high / share;
    if (high < low) return ISO_EINVAL;
    water->high = high;
    water->low = low;
    return 0;
}

/* Whether it is to be asked to pause, so much being buffered; and to go on. */
static inline bool iso__water_rises(const iso__water *water, bool *is_paused, size_t size)
{
    if (*is_paused || size <= water->high) return false;
    *is_paused = true;
    return true;
}

static inline bool iso__water_falls(const iso__water *water, bool *is_paused, size_t size)
{
    if (!*is_paused || size > water->low) return false;
    *is_paused = false;
    return true;
}

#endif
