/* SPDX-License-Identifier: MIT */
/* What compilers spell differently. */
#ifndef ISO_BASE_COMPILER_H
#define ISO_BASE_COMPILER_H

#include <stddef.h>

#if defined(_MSC_VER)
#define ISO__THREAD_LOCAL __declspec(thread)
#define ISO__PRINTF(format_index, first_index)
#define ISO__LIKELY(condition) (condition)
#define ISO__UNLIKELY(condition) (condition)
#define ISO__PREFETCH(address) ((void)(address))
#else
#define ISO__THREAD_LOCAL _Thread_local
#if defined(__MINGW32__) && !defined(__clang__)
#define ISO__PRINTF(format_index, first_index)                                                     \
    __attribute__((format(gnu_printf, format_index, first_index)))
#else
#define ISO__PRINTF(format_index, first_index)                                                     \
    __attribute__((format(printf, format_index, first_index)))
#endif
#define ISO__LIKELY(condition) __builtin_expect(!!(condition), 1)
#define ISO__UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#define ISO__PREFETCH(address) __builtin_prefetch(address)
#endif

/* The object that a member is embedded in. */
#define ISO__CONTAINER(pointer, type, member)                                                      \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#define ISO__COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
