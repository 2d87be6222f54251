/* SPDX-License-Identifier: MIT */
/* The monotonic clock of the system. */
#ifndef ISO_SYS_CLOCK_H
#define ISO_SYS_CLOCK_H

#include "isoloop/base.h"

/* The time since some fixed point; never goes back. Thread: any.
 * Source: clock_gettime(CLOCK_MONOTONIC); QueryPerformanceCounter. */
iso_nsec iso__sys_clock_now(void);

/* How finely a wait can be timed; at least 1. Thread: any.
 * Source: clock_getres; GetSystemTimeAdjustment (the timer tick, 15.6 ms as a rule: waits of
 * Windows end on a tick, whatever the clock itself can tell apart). */
iso_nsec iso__sys_clock_resolution(void);

#endif
