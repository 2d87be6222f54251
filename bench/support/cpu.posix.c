/* SPDX-License-Identifier: MIT */
#include "cpu.h"
#include <sys/resource.h>
#include <sys/time.h>

iso_nsec cpu_time(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
    return ISO_S(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           ISO_US(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

iso_nsec cpu_user_time(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
    return ISO_S(usage.ru_utime.tv_sec) + ISO_US(usage.ru_utime.tv_usec);
}
