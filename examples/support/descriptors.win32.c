/* SPDX-License-Identifier: MIT */
#include "descriptors.h"

bool allow_descriptors(int count)
{
    (void)count; /* there is no such limit */
    return true;
}
