/* SPDX-License-Identifier: MIT */
#include "sys/system.h"

#include "base/limits.h"

#if defined(__APPLE__)

#include <stdlib.h>
#include <sys/utsname.h>

unsigned iso__sys_version(void)
{
    struct utsname name;
    unsigned long darwin;

    if (uname(&name) != 0) return ISO__NEWEST_VERSION;
    darwin = strtoul(name.release, NULL, 10);
    return darwin > 0 && darwin < 10000 ? iso__macos_version((unsigned)darwin)
                                        : ISO__NEWEST_VERSION;
}

#else

unsigned iso__sys_version(void)
{
    return ISO__ANY_VERSION;
}

#endif
