/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

static ISO__THREAD_LOCAL char detail[512];

const char *iso_strerror(int error)
{
    if (error >= 0) return "no error";
    switch ((iso_error)error) {
#define SENTENCE(name, number, sentence, posix, windows)                                           \
    case ISO_##name: return sentence;
        ISO_ERROR_TABLE(SENTENCE)
#undef SENTENCE
    case ISO_OK: break;
    }
    return "not an error of this library";
}

const char *iso_error_name(int error)
{
    if (error >= 0) return "ISO_OK";
    switch ((iso_error)error) {
#define NAME(name, number, sentence, posix, windows)                                               \
    case ISO_##name: return "ISO_" #name;
        ISO_ERROR_TABLE(NAME)
#undef NAME
    case ISO_OK: break;
    }
    return "ISO_E?";
}

const char *iso_error_detail(void)
{
    return detail;
}

int iso__error_set(int error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(detail, sizeof(detail), format, arguments);
    va_end(arguments);
    return error;
}
