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
    int64_t used; /* how much of it was in use when it was met; -1: the system does not tell */
    const char *instead; /* what asyncio does instead; "": the same, or the documents do not tell */
    bool is_lifted; /* the library can do it all the same, and does under the profile "native" */
} iso_limit;

/* What a loop can or can't do. More may follow: iso_capability_name tells where they end. */
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
    ISO_CAP_DATAGRAM,         /* create_datagram_endpoint */
    ISO_CAP_WATCH_DEVICES,    /* add_reader, add_writer on character devices: terminals */
    ISO_CAP_PIPE_DEVICES,     /* connect_read_pipe, connect_write_pipe on these */
    ISO_CAP_PLAIN_PIPES       /* the same on pipes that were not opened for overlapped use */
} iso_capability;

/* What a loop can count up to. */
typedef enum iso_limit_kind {
    ISO_LIMIT_SOCKETS = 0, /* descriptors registered at once, the loop's own wake socket included */
    ISO_LIMIT_DESCRIPTOR,  /* the highest descriptor that can be registered */
    ISO_LIMIT_OPEN         /* descriptors that the process has open at once: RLIMIT_NOFILE */
} iso_limit_kind;

/* The row that refused this loop's last refused call, or that its last operation to fail for want
 * of descriptors met (process.descriptors); NULL when none was yet.
 * Ownership: borrowed; the next refusal writes over it. Thread: loop. */
ISO_API const iso_limit *iso_loop_last_limit(const iso_loop *loop);

/* Whether the loop has a capability under its profile; false for an unknown one. Thread: any. */
ISO_API bool iso_loop_supports(const iso_loop *loop, iso_capability capability);

/* The name of a capability, "unix_sockets", and the calls that it is; NULL for a number from the
 * first unknown one on. Thread: any. Ownership: static. */
ISO_API const char *iso_capability_name(iso_capability capability);
ISO_API const char *iso_capability_calls(iso_capability capability);

/* A numeric limit: the highest value in *max (INT64_MAX: none), what is in use in *used (-1: this
 * system does not tell); either may be NULL. What many descriptors are in use is counted by the
 * call. Returns 0 or ISO_EINVAL (unknown kind). Thread: loop. */
ISO_API int iso_loop_limit_get(const iso_loop *loop, iso_limit_kind kind, int64_t *max,
                               int64_t *used);

/* The whole table; *count rows. Thread: any. Ownership: static. */
ISO_API const iso_limit *iso_limits(size_t *count);

/* Whether the loop's profile enforces the row with this id; false for an unknown id, and for NULL.
 * Thread: any. */
ISO_API bool iso_loop_limit_enforced(const iso_loop *loop, const char *id);

/* ---- profiles ------------------------------------------------------------------------------- */

typedef struct iso_limits_profile {
    const char *name; /* "windows-selector" */
    const char *text; /* whose rows it has */
} iso_limits_profile;

/* Every profile that there is; *count of them. Thread: any. Ownership: static. */
ISO_API const iso_limits_profile *iso_limits_profiles(size_t *count);

/* The rows of a profile, bit n of *rows being row n of iso_limits, as its documents have them for
 * this kind of loop. `profile` NULL: "documented"; `backend`: the exact name of one that the
 * library knows, here or not, NULL: the default of this platform. A profile of another system says
 * the same on every platform: a loop under it has these rows, and those of what its own system
 * truly can't do.
 * Returns 0; ISO_EINVAL (no such profile), ISO_ENOTSUP (no such backend), each with a detail.
 * Thread: any. */
ISO_API int iso_limits_rows(const char *profile, const char *backend, uint64_t *rows);

/* Whether who is subject to these rows has a capability; false for an unknown one. Thread: any. */
ISO_API bool iso_limits_allow(uint64_t rows, iso_capability capability);

ISO_END_DECLS

#endif
