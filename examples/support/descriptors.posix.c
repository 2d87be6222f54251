/* SPDX-License-Identifier: MIT */
#include "descriptors.h"
#include <sys/resource.h>

bool allow_descriptors(int count)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
    if (limit.rlim_cur >= (rlim_t)count) return true;
    limit.rlim_cur = (rlim_t)count;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}
