/* SPDX-License-Identifier: MIT */
/* How much processor this process has used: clock() answers that on POSIX only. */
#ifndef SUPPORT_CPU_H
#define SUPPORT_CPU_H

#include <isoloop.h>

/* In user and in system mode, of all threads, since the process began. */
iso_nsec cpu_time(void);

/* In user mode alone, as well as the system knows. */
iso_nsec cpu_user_time(void);

#endif
