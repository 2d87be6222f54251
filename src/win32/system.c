/* SPDX-License-Identifier: MIT */
#include "sys/system.h"

#include "base/limits.h"

unsigned iso__sys_version(void)
{
    return ISO__ANY_VERSION;
}
