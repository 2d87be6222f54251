/* SPDX-License-Identifier: MIT */
/* The one table of documented platform limits: who is subject to a row, and which rows a profile
 * enforces. The calls that a row touches test one bit; nobody else knows what a platform can't
 * do. */
#ifndef ISO_BASE_LIMITS_H
#define ISO_BASE_LIMITS_H

#include "isoloop/limits.h"

#include <limits.h>

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
    ISO__ROW_MACOS_CHARDEV_10_5,
    ISO__ROW_MACOS_CHARDEV_KQUEUE,
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
    ISO__WITH_URING = 64, /* what documents say of a proactor speaks of Windows' */
    ISO__WITH_ANY = 127
};

/* Versions of macOS: 1008 is 10.8, 1100 is 11. Other systems have none that a row asks for. */
#define ISO__ANY_VERSION 0u
#define ISO__NEWEST_VERSION UINT_MAX

/* The version of macOS that has this version of Darwin. Source: Apple, "Darwin version history":
 * 10.5 is Darwin 9, 10.15 is 19, 11 is 20. */
static inline unsigned iso__macos_version(unsigned darwin)
{
    if (darwin < 4) return 1000;
    return darwin < 20 ? 1000 + darwin - 4 : (darwin - 9) * 100;
}

typedef struct iso__limit_subject {
    unsigned platform;
    unsigned loop;
    unsigned version;
} iso__limit_subject;

/* What one loop is subject to. */
typedef struct iso__limits {
    const char *profile; /* static */
    uint32_t enforced;   /* bit n: row n */
    uint32_t played;     /* of these: the ones that the profile has of another system */
    iso_limit last;      /* the row that was met last; id NULL: none */
} iso__limits;

/* The rows that are true of a subject, or of these the ones that "native" does not lift. */
uint32_t iso__limits_true_of(iso__limit_subject subject, bool real_only);

/* Choose the rows: what the profile says, and what the subject truly can't do. `profile` NULL means
 * "documented". Returns 0, or ISO_EINVAL with a detail that lists the profiles. */
int iso__limits_choose(iso__limits *out, const char *profile, iso__limit_subject subject);

/* What the profile says by itself, in *out: of one of another system the platform of the subject
 * does not matter. As iso__limits_choose. */
int iso__limits_of_profile(uint32_t *out, const char *profile, iso__limit_subject subject);

static inline bool iso__limits_enforced(const iso__limits *limits, iso__limit_row row)
{
    return (limits->enforced >> row & 1u) != 0;
}

/* Whether the profile plays another system that has the row. */
static inline bool iso__limits_played(const iso__limits *limits, iso__limit_row row)
{
    return (limits->played >> row & 1u) != 0;
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
