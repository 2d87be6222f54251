/* SPDX-License-Identifier: MIT */
#include "cpu.h"
#include <windows.h>

static iso_nsec span_of(FILETIME time)
{
    const uint64_t hundreds = ((uint64_t)time.dwHighDateTime << 32) | time.dwLowDateTime;
    return (iso_nsec)hundreds * 100;
}

iso_nsec cpu_time(void)
{
    FILETIME began, ended, kernel, user;
    if (!GetProcessTimes(GetCurrentProcess(), &began, &ended, &kernel, &user)) return 0;
    return span_of(kernel) + span_of(user);
}

iso_nsec cpu_user_time(void)
{
    FILETIME began, ended, kernel, user;
    if (!GetProcessTimes(GetCurrentProcess(), &began, &ended, &kernel, &user)) return 0;
    return span_of(user);
}
