/* SPDX-License-Identifier: MIT */
#include "sys/clock.h"

#include <time.h>

static iso_nsec from_timespec(const struct timespec *time)
{
    return (iso_nsec)time->tv_sec * 1000000000 + time->tv_nsec;
}

iso_nsec iso__sys_clock_now(void)
{
    struct timespec now = { 0, 0 };

    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
    return from_timespec(&now);
}

iso_nsec iso__sys_clock_resolution(void)
{
    struct timespec step = { 0, 1 };

    (void)clock_getres(CLOCK_MONOTONIC, &step);
    return from_timespec(&step) > 0 ? from_timespec(&step) : 1;
}
