/* SPDX-License-Identifier: MIT */
/* What a loop can do and how far, asked beforehand. */
#include "base/compiler.h"
#include "engine/poller.h"
#include "loop/loop.h"
#include "sys/descriptor.h"
#include "sys/system.h"
#include "sys/unix.h"

#include <string.h>

const iso__system *iso__system_in_place = NULL;

iso__limit_subject iso__loop_subject(unsigned loop)
{
    const iso__system *fake = iso__system_in_place;
    iso__limit_subject subject;

    subject.platform = fake != NULL ? fake->platform : iso__platform;
    subject.loop = loop;
    subject.version = fake != NULL ? fake->version : iso__sys_version();
    return subject;
}

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
    if (capability == ISO_CAP_UNIX_SOCKETS && iso__sys_unix_availability() != 0)
        return false; /* a system that has none, which no document speaks of */
    return iso_limits_allow(loop->engine.limits.enforced, capability);
}

/* ---- numbers ---- */

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
    case ISO_LIMIT_OPEN:
        most = iso__sys_descriptor_limit();
        if (used != NULL) now = iso__sys_descriptor_count();
        break;
    default: return ISO_EINVAL;
    }
    if (max != NULL) *max = most;
    if (used != NULL) *used = now;
    return 0;
}

/* ---- rows ---- */

bool iso_loop_limit_enforced(const iso_loop *loop, const char *id)
{
    size_t count;
    const iso_limit *rows = iso_limits(&count);
    size_t row;

    for (row = 0; row < count && id != NULL; row++) {
        if (strcmp(rows[row].id, id) == 0) return is_enforced(loop, (iso__limit_row)row);
    }
    return false;
}

int iso__loop_check_device(iso_loop *loop, iso_fd fd)
{
    static const iso__limit_row candidates[] = {
        ISO__ROW_MACOS_CHARDEV_10_5,
        ISO__ROW_MACOS_CHARDEV_KQUEUE,
    };
    size_t at;

    for (at = 0; at < ISO__COUNT(candidates); at++) {
        if (is_enforced(loop, candidates[at]) &&
            iso__sys_descriptor_kind(fd) == ISO__DESCRIPTOR_DEVICE)
            return iso__limits_refuse(&loop->engine.limits, candidates[at], 0);
    }
    return 0;
}

/* Who has met the limit of his process has all of it in use. */
int iso__loop_explain(iso_loop *loop, int error)
{
    iso_limit *last = &loop->engine.limits.last;
    int64_t most;

    if (ISO__LIKELY(error != ISO_EMFILE && error != ISO_ENFILE)) return error;
    if (!is_enforced(loop, ISO__ROW_PROCESS_DESCRIPTORS)) return error;
    most = iso__sys_descriptor_limit();
    (void)iso__limits_refuse(&loop->engine.limits, ISO__ROW_PROCESS_DESCRIPTORS,
                             error == ISO_EMFILE ? most : iso__sys_descriptor_count());
    last->error = (iso_error)error;
    last->limit = most;
    return error;
}

/* ---- profiles without a loop ---- */

static const struct backend {
    const char *name;
    unsigned loop;
} backends[] = {
    { "selector:epoll", ISO__WITH_EPOLL },   { "selector:kqueue", ISO__WITH_KQUEUE },
    { "selector:poll", ISO__WITH_POLL },     { "selector:select", ISO__WITH_SELECT },
    { "proactor:iocp", ISO__WITH_PROACTOR }, { "proactor:io_uring", ISO__WITH_URING },
};

static const char *default_backend(void)
{
    const iso_backend *all;
    size_t count = iso_backends(&all);

    while (count-- > 0 && !all[count].is_default) {}
    return all[count].name;
}

int iso_limits_rows(const char *profile, const char *backend, uint64_t *out)
{
    const char *name = backend != NULL ? backend : default_backend();
    uint32_t found;
    size_t at;
    int rc;

    if (out == NULL) return ISO_EINVAL;
    for (at = 0; strcmp(backends[at].name, name) != 0;) {
        if (++at == ISO__COUNT(backends))
            return iso__error_set(ISO_ENOTSUP, "%.64s: not the name of a backend", name);
    }
    rc = iso__limits_of_profile(&found, profile, iso__loop_subject(backends[at].loop));
    if (rc == 0) *out = found;
    return rc;
}
