/* SPDX-License-Identifier: MIT */
/* The log hook. */
#ifndef ISO_BASE_LOG_H
#define ISO_BASE_LOG_H

#include "base/compiler.h"
#include "isoloop/base.h"

typedef struct iso__logger {
    iso_logger logger;
    void *context;
} iso__logger;

/* The default logger: standard error. */
void iso__log_to_stderr(void *context, iso_log_level level, const char *message);

/* Format one line and hand it to the logger. Thread: any that the logger is safe for. */
void iso__log(const iso__logger *log, iso_log_level level, const char *format, ...)
    ISO__PRINTF(3, 4);

#endif
