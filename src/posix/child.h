/* SPDX-License-Identifier: MIT */
/* What the files about children have in common. */
#ifndef ISO_POSIX_CHILD_H
#define ISO_POSIX_CHILD_H

#include "isoloop/base.h"

/* Wait until it has ended or is gone; it stays to be reaped. Thread: any; it blocks. */
void iso__child_await(int64_t pid);

/* waitpid that does not wait. Returns as iso__sys_child_reap. */
int iso__child_reap_by_number(int64_t pid, int *returncode);

#endif
