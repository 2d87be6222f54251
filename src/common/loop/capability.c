/* SPDX-License-Identifier: MIT */
/* What a loop can do and how far, asked beforehand. */
#include "loop/loop.h"
#include "sys/descriptor.h"

#include <string.h>

const char *iso_loop_limits_profile(const iso_loop *loop)
{
    return loop->engine.limits.profile;
}

const iso_limit *iso_loop_last_limit(const iso_loop *loop)
{
    return loop->engine.limits.last.id == NULL ? NULL : &loop->engine.limits.last;
}

static bool is_enforced(const iso_loop *loop, iso__limit_row row)
{
    return iso__limits_enforced(&loop->engine.limits, row);
}

bool iso_loop_supports(const iso_loop *loop, iso_capability capability)
{
    switch (capability) {
    case ISO_CAP_WATCH: return !is_enforced(loop, ISO__ROW_PROACTOR_WATCH);
    case ISO_CAP_WATCH_NONSOCKETS:
        return !is_enforced(loop, ISO__ROW_PROACTOR_WATCH) &&
               !is_enforced(loop, ISO__ROW_WINDOWS_SOCKETS_ONLY);
    case ISO_CAP_REUSE_PORT: return !is_enforced(loop, ISO__ROW_WINDOWS_REUSE_PORT);
    case ISO_CAP_SCALABLE: return !is_enforced(loop, ISO__ROW_TORNADO_SELECT_GRADE);
    case ISO_CAP_UNIX_SOCKETS: return !is_enforced(loop, ISO__ROW_WINDOWS_UNIX_SOCKETS);
    case ISO_CAP_SIGNALS: return !is_enforced(loop, ISO__ROW_WINDOWS_SIGNALS);
    case ISO_CAP_CHILD_WATCHER: return !is_enforced(loop, ISO__ROW_WINDOWS_CHILD_WATCHER);
    case ISO_CAP_PIPES: return !is_enforced(loop, ISO__ROW_WINDOWS_PIPES);
    case ISO_CAP_NAMED_PIPES:
        return !is_enforced(loop, ISO__ROW_WINDOWS_PIPES) &&
               !is_enforced(loop, ISO__ROW_POSIX_NAMED_PIPES);
    case ISO_CAP_SUBPROCESS: return !is_enforced(loop, ISO__ROW_WINDOWS_SUBPROCESS);
    case ISO_CAP_DATAGRAM: return !is_enforced(loop, ISO__ROW_PROACTOR_DATAGRAM);
    }
    return false;
}

static int64_t highest_descriptor(const iso_loop *loop)
{
    int64_t most = iso__sys_descriptor_limit();
    int64_t row = iso__limit_value(ISO__ROW_SELECT_FD_SETSIZE);

    if (is_enforced(loop, ISO__ROW_SELECT_FD_SETSIZE) && row < most) most = row;
    return most == INT64_MAX ? most : most - 1;
}

static int64_t most_sockets(const iso_loop *loop)
{
    return is_enforced(loop, ISO__ROW_WINDOWS_MAX_SOCKETS)
               ? iso__limit_value(ISO__ROW_WINDOWS_MAX_SOCKETS)
               : INT64_MAX;
}

/* The highest descriptor in use, from the table of what is registered. */
static int64_t highest_used(const iso_loop *loop)
{
    const iso__io *io;
    int64_t highest = 0;
    size_t at = 0;

    while ((io = iso__map_next(&loop->engine.ios, &at)) != NULL) {
        if (io->fd > highest) highest = io->fd;
    }
    return highest;
}

int iso_loop_limit_get(const iso_loop *loop, iso_limit_kind kind, int64_t *max, int64_t *used)
{
    int64_t most = 0;
    int64_t now = 0;

    switch (kind) {
    case ISO_LIMIT_SOCKETS:
        most = most_sockets(loop);
        now = iso__engine_socket_count(&loop->engine);
        break;
    case ISO_LIMIT_DESCRIPTOR:
        most = highest_descriptor(loop);
        now = highest_used(loop);
        break;
    default: return ISO_EINVAL;
    }
    if (max != NULL) *max = most;
    if (used != NULL) *used = now;
    return 0;
}

bool iso_loop_limit_enforced(const iso_loop *loop, const char *id)
{
    size_t count;
    const iso_limit *rows = iso_limits(&count);
    size_t row;

    for (row = 0; row < count; row++) {
        if (strcmp(rows[row].id, id) == 0) return is_enforced(loop, (iso__limit_row)row);
    }
    return false;
}
