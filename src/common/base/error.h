/* SPDX-License-Identifier: MIT */
/* What a failing call has to add to its code. */
#ifndef ISO_BASE_ERROR_H
#define ISO_BASE_ERROR_H

#include "base/compiler.h"
#include "isoloop/error.h"

/* Keep a sentence for iso_error_detail, and answer `error`, so that a call can end with it.
 * Thread: any; the text is this thread's own. */
int iso__error_set(int error, const char *format, ...) ISO__PRINTF(2, 3);

#endif
