/* SPDX-License-Identifier: MIT */
/* The one table of documented platform limits: who is subject to a row, and which rows a profile
 * enforces. The calls that a row touches test one bit; nobody else knows what a platform can't
 * do. */
#ifndef ISO_BASE_LIMITS_H
#define ISO_BASE_LIMITS_H

#include "isoloop/limits.h"

typedef enum iso__limit_row {
    ISO__ROW_WINDOWS_UNIX_SOCKETS = 0,
    ISO__ROW_WINDOWS_SIGNALS,
    ISO__ROW_WINDOWS_CHILD_WATCHER,
    ISO__ROW_WINDOWS_REUSE_PORT,
    ISO__ROW_WINDOWS_CLOCK,
    ISO__ROW_WINDOWS_MAX_SOCKETS,
    ISO__ROW_WINDOWS_SOCKETS_ONLY,
    ISO__ROW_WINDOWS_PIPES,
    ISO__ROW_WINDOWS_SUBPROCESS,
    ISO__ROW_POSIX_NAMED_PIPES,
    ISO__ROW_PROACTOR_AVAILABILITY,
    ISO__ROW_PROACTOR_DATAGRAM,
    ISO__ROW_PROACTOR_WATCH,
    ISO__ROW_PROACTOR_OVERLAPPED_ONLY,
    ISO__ROW_PROACTOR_PIPE_WRITE_EOF,
    ISO__ROW_PROACTOR_FOREIGN_PORT,
    ISO__ROW_KQUEUE_CHARDEV,
    ISO__ROW_ALL_REGULAR_FILE,
    ISO__ROW_ALL_PIPE_KIND,
    ISO__ROW_ALL_BAD_FD,
    ISO__ROW_SELECT_FD_SETSIZE,
    ISO__ROW_PROCESS_DESCRIPTORS,
    ISO__ROW_TORNADO_SELECT_GRADE,
    ISO__ROW_COUNT
} iso__limit_row;

/* Who a row speaks of; a subject is one bit of each. */
enum {
    ISO__ON_LINUX = 1,
    ISO__ON_MACOS = 2,
    ISO__ON_BSD = 4,
    ISO__ON_WINDOWS = 8,
    ISO__ON_POSIX = ISO__ON_LINUX | ISO__ON_MACOS | ISO__ON_BSD,
    ISO__ON_ANY = ISO__ON_POSIX | ISO__ON_WINDOWS
};
enum {
    ISO__WITH_PROACTOR = 1,
    ISO__WITH_EPOLL = 2,
    ISO__WITH_KQUEUE = 4,
    ISO__WITH_POLL = 8,
    ISO__WITH_SELECT = 16,
    ISO__WITH_CUSTOM = 32, /* a selector of the program's own */
    ISO__WITH_SELECTOR = 62,
    ISO__WITH_ANY = 63
};

typedef struct iso__limit_subject {
    unsigned platform;
    unsigned loop;
} iso__limit_subject;

/* What one loop is subject to. */
typedef struct iso__limits {
    const char *profile; /* static */
    uint32_t enforced;   /* bit n: row n */
    iso_limit last;      /* the row that was met last; id NULL: none */
} iso__limits;

/* Choose the rows. `profile` NULL means "documented".
 * Returns 0, or ISO_EINVAL with a detail that lists the profiles. */
int iso__limits_choose(iso__limits *out, const char *profile, iso__limit_subject subject);

static inline bool iso__limits_enforced(const iso__limits *limits, iso__limit_row row)
{
    return (limits->enforced >> row & 1u) != 0;
}

/* The number of a row: 512, FD_SETSIZE; 0 for a row that has none. */
int64_t iso__limit_value(iso__limit_row row);

/* What a row answers. */
iso_error iso__limit_error(iso__limit_row row);

/* Keep the row as the last one met, and answer its error. */
int iso__limits_refuse(iso__limits *limits, iso__limit_row row, int64_t used);

/* The same for an error that the system answered, by the first row of the list that has it and is
 * enforced; without such a row, just the error. */
int iso__limits_explain(iso__limits *limits, int error, const iso__limit_row *list, size_t count);

#endif
