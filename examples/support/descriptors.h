/* SPDX-License-Identifier: MIT */
/* How many descriptors the program may have open. Systems begin with few, 256 on macOS, and let a
 * program ask for more. */
#ifndef SUPPORT_DESCRIPTORS_H
#define SUPPORT_DESCRIPTORS_H

#include <stdbool.h>

/* See to it that it may have so many; false when it may not. */
bool allow_descriptors(int count);

#endif
