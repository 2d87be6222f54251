/* SPDX-License-Identifier: MIT */
/* The words that every other header uses: time, descriptors, memory, messages. */
#ifndef ISOLOOP_BASE_H
#define ISOLOOP_BASE_H

#include "export.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

ISO_BEGIN_DECLS

#define ISO_VERSION_MAJOR 0
#define ISO_VERSION_MINOR 1
#define ISO_VERSION_PATCH 0

/* The version of the library that is linked, as "0.1.0". Thread: any. */
ISO_API const char *iso_version(void);

/* A time, or a span of time, in nanoseconds. Sums of times saturate at ISO_FOREVER. */
typedef int64_t iso_nsec;

#define ISO_FOREVER INT64_MAX
#define ISO_US(n) ((iso_nsec)(n)*1000)
#define ISO_MS(n) ((iso_nsec)(n)*1000000)
#define ISO_S(n) ((iso_nsec)(n)*1000000000)

/* What the system hands out: an int on POSIX, a SOCKET or a HANDLE on Windows. */
typedef intptr_t iso_fd;

#define ISO_FD_NONE ((iso_fd)-1)

/* One piece of memory to be written; a list of them is what writelines takes. */
typedef struct iso_buffer {
    const void *data;
    size_t size;
} iso_buffer;

/* Where all memory of a loop comes from: one function that makes, resizes and frees.
 * resize(context, NULL, 0, n) makes, resize(context, p, n, m) resizes and may move,
 * resize(context, p, n, 0) frees and answers NULL. NULL otherwise means that there is no memory,
 * and leaves p as it was. Called from every thread that posts to the loop, so it must be
 * thread-safe. */
typedef struct iso_allocator {
    void *(*resize)(void *context, void *pointer, size_t old_size, size_t new_size);
    void *context;
} iso_allocator;

/* A monotonic clock that takes the place of the system's, for simulations and tests.
 * now() answers the time since any fixed point, and never goes back. Thread: the loop's. */
typedef struct iso_clock {
    iso_nsec (*now)(void *context);
    iso_nsec resolution;
    void *context;
} iso_clock;

typedef enum iso_log_level {
    ISO_LOG_DEBUG = 0,
    ISO_LOG_WARNING = 1,
    ISO_LOG_ERROR = 2
} iso_log_level;

/* Takes what the library has to say; borrows `message`, one line without its end. Thread: any. */
typedef void (*iso_logger)(void *context, iso_log_level level, const char *message);

/* An internet address as the system writes it (a struct sockaddr); `length` 0 means none. */
typedef struct iso_address {
    uint32_t length;
    union {
        unsigned char bytes[28]; /* enough for a struct sockaddr_in6 */
        uint64_t align;
    } storage;
} iso_address;

/* Make an address out of a literal: "127.0.0.1", "::1", "fe80::1%eth0"; no name is looked up.
 * Returns 0, or ISO_EINVAL for what is not a literal. Thread: any. */
ISO_API int iso_address_parse(iso_address *out, const char *host, uint16_t port);

/* Write the host part, as a literal, into `text` (64 bytes hold every one).
 * Returns 0, ISO_EINVAL for an empty address, ISO_ENOBUFS when `size` is too small. Thread: any. */
ISO_API int iso_address_host(const iso_address *address, char *text, size_t size);

/* The port, in the order of this machine; 0 for an empty address. Thread: any. */
ISO_API uint16_t iso_address_port(const iso_address *address);

/* 4, 6, or 0 for an empty address. Thread: any. */
ISO_API int iso_address_version(const iso_address *address);

ISO_END_DECLS

#endif
