/* SPDX-License-Identifier: MIT */
/* The system's error codes, in the library's words. */
#ifndef ISO_SYS_ERROR_H
#define ISO_SYS_ERROR_H

#include "isoloop/error.h"

/* The ISO_E code of an errno, a Win32 or a WSA code (ISO_ERROR_TABLE); ISO_EUNKNOWN for one that
 * the table does not know, and for 0. Thread: any. */
int iso__sys_error(int native);

#endif
