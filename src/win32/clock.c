/* SPDX-License-Identifier: MIT */
#include "sys/clock.h"

#include <windows.h>

enum { NS_PER_SECOND = 1000000000, NS_PER_FILETIME_UNIT = 100 };

/* The tick of a machine that would not tell: 64 to the second, the usual one. */
static const iso_nsec usual_tick = 15625000;

iso_nsec iso__sys_clock_now(void)
{
    LARGE_INTEGER per_second;
    LARGE_INTEGER count;

    /* Neither can fail since Windows XP, and both are read without entering the kernel.
     * Source: Microsoft, "Acquiring high-resolution time stamps". */
    (void)QueryPerformanceFrequency(&per_second);
    (void)QueryPerformanceCounter(&count);
    /* The count times a thousand million overflows after 15 minutes at 10 MHz; seconds and the rest
     * apart do not, for any frequency below 9.2 GHz. */
    return count.QuadPart / per_second.QuadPart * NS_PER_SECOND +
           count.QuadPart % per_second.QuadPart * NS_PER_SECOND / per_second.QuadPart;
}

iso_nsec iso__sys_clock_resolution(void)
{
    DWORD adjustment;
    DWORD tick = 0; /* in the unit of FILETIME */
    BOOL disabled;

    if (!GetSystemTimeAdjustment(&adjustment, &tick, &disabled) || tick == 0) return usual_tick;
    return (iso_nsec)tick * NS_PER_FILETIME_UNIT;
}
