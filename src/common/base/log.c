/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

static const char *level_name(iso_log_level level)
{
    switch (level) {
    case ISO_LOG_DEBUG: return "debug";
    case ISO_LOG_WARNING: return "warning";
    case ISO_LOG_ERROR: return "error";
    }
    return "log";
}

void iso__log_to_stderr(void *context, iso_log_level level, const char *message)
{
    (void)context;
    (void)fprintf(stderr, "isoloop: %s: %s\n", level_name(level), message);
}

void iso__log(const iso__logger *log, iso_log_level level, const char *format, ...)
{
    char line[512];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    log->logger(log->context, level, line);
}
