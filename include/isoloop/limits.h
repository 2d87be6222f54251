/* SPDX-License-Identifier: MIT */
/* The documented limits of each platform and kind of loop, met as errors at the call that breaks
 * them.
 *
 * Which of them a loop enforces is chosen by profile when it is made: iso_loop_options.limits, or
 * the environment variable ISOLOOP_LIMITS. docs/limits.md lists the profiles and the rows. */
#ifndef ISOLOOP_LIMITS_H
#define ISOLOOP_LIMITS_H

#include "base.h"
#include "error.h"

ISO_BEGIN_DECLS

typedef struct iso_loop iso_loop;

/* One row of the table. All texts are static. */
typedef struct iso_limit {
    const char *id;     /* "windows.selector.max_sockets" */
    const char *where;  /* the platforms and kinds of loop that it speaks of */
    const char *api;    /* the calls that it touches */
    const char *text;   /* the sentence */
    const char *source; /* who says so */
    iso_error error;    /* what the call answers; ISO_OK for a row that only informs */
    int64_t limit;      /* the number, where it has one; else 0 */
    int64_t used;       /* how much of it was in use when it was met */
} iso_limit;

/* What a loop can or can't do. */
typedef enum iso_capability {
    ISO_CAP_WATCH = 0,        /* add_reader, add_writer */
    ISO_CAP_WATCH_NONSOCKETS, /* the same on pipes, terminals and the like */
    ISO_CAP_REUSE_PORT,       /* the reuse_port option of servers */
    ISO_CAP_SCALABLE,         /* thousands of connections at once */
    ISO_CAP_UNIX_SOCKETS,     /* create_unix_connection, create_unix_server */
    ISO_CAP_SIGNALS,          /* add_signal_handler */
    ISO_CAP_CHILD_WATCHER,    /* get_child_watcher, set_child_watcher */
    ISO_CAP_PIPES,            /* connect_read_pipe, connect_write_pipe */
    ISO_CAP_NAMED_PIPES,      /* create_pipe_connection, start_serving_pipe */
    ISO_CAP_SUBPROCESS,       /* subprocess_exec, subprocess_shell */
    ISO_CAP_DATAGRAM          /* create_datagram_endpoint */
} iso_capability;

/* What a loop can count up to. */
typedef enum iso_limit_kind {
    ISO_LIMIT_SOCKETS = 0, /* descriptors registered at once, the loop's own wake socket included */
    ISO_LIMIT_DESCRIPTOR   /* the highest descriptor that can be registered */
} iso_limit_kind;

/* The row that refused this loop's last refused call; NULL when none was yet.
 * Ownership: borrowed; the next refusal writes over it. Thread: loop. */
ISO_API const iso_limit *iso_loop_last_limit(const iso_loop *loop);

/* Whether the loop has a capability under its profile. Thread: any. */
ISO_API bool iso_loop_supports(const iso_loop *loop, iso_capability capability);

/* A numeric limit: the highest value in *max (INT64_MAX: none), what is in use in *used; either may
 * be NULL. Returns 0 or ISO_EINVAL (unknown kind). Thread: loop. */
ISO_API int iso_loop_limit_get(const iso_loop *loop, iso_limit_kind kind, int64_t *max,
                               int64_t *used);

/* The whole table; *count rows. Thread: any. Ownership: static. */
ISO_API const iso_limit *iso_limits(size_t *count);

/* Whether the loop's profile enforces the row with this id; false for an unknown id. Thread:
 * any. */
ISO_API bool iso_loop_limit_enforced(const iso_loop *loop, const char *id);

ISO_END_DECLS

#endif
