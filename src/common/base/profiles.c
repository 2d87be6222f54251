/* SPDX-License-Identifier: MIT */
/* Profiles, which choose among the rows of the limits table, and capabilities, which rows take
 * away. */
#include "base/compiler.h"
#include "base/error.h"
#include "base/limits.h"

#include <stdio.h>
#include <string.h>

#define BIT(row) ((uint32_t)1 << ISO__ROW_##row)

/* ---- profiles ---- */

/* clang-format off */
/*  X(name, text, whether documents do not count, the platform, loop and version that it speaks of;
 * platform 0: the own one; loop 0: what the own loop is there) */
#define PROFILE_TABLE(X)                                                                           \
    X("documented", "what the documents say of this platform and this kind of loop",               \
      false, 0, 0, 0)                                                                              \
    X("native", "only what this system truly cannot do, and not what documents alone say",         \
      true, 0, 0, 0)                                                                               \
    X("portable", "every row there is: a program that passes runs everywhere",                     \
      false, ISO__ON_ANY, ISO__WITH_ANY, ISO__ANY_VERSION)                                         \
    X("windows-selector", "a selector loop on Windows",                                            \
      false, ISO__ON_WINDOWS, ISO__WITH_SELECT, ISO__ANY_VERSION)                                  \
    X("windows-proactor", "a proactor loop on Windows",                                            \
      false, ISO__ON_WINDOWS, ISO__WITH_PROACTOR, ISO__ANY_VERSION)                                \
    X("macos", "macOS 10.9 and later, and the BSDs", false, ISO__ON_MACOS, 0, ISO__NEWEST_VERSION) \
    X("macos-10.8", "Mac OS X 10.6 to 10.8", false, ISO__ON_MACOS, 0, 1008)                        \
    X("macos-10.5", "Mac OS X 10.5 and older", false, ISO__ON_MACOS, 0, 1005)                      \
    X("linux", "Linux", false, ISO__ON_LINUX, 0, ISO__ANY_VERSION)
/* clang-format on */

static const iso_limits_profile names[] = {
#define PUBLIC_PROFILE(name, text, is_native, platform, loop, version) { name, text },
    PROFILE_TABLE(PUBLIC_PROFILE)
#undef PUBLIC_PROFILE
};

typedef struct profile {
    bool is_native;
    iso__limit_subject other;
} profile;

static const profile profiles[] = {
#define PROFILE(name, text, is_native, platform, loop, version)                                    \
    { is_native, { platform, loop, version } },
    PROFILE_TABLE(PROFILE)
#undef PROFILE
};

const iso_limits_profile *iso_limits_profiles(size_t *count)
{
    if (count != NULL) *count = ISO__COUNT(names);
    return names;
}

static int refuse_profile(const char *name)
{
    char list[256] = "";
    size_t used = 0;
    size_t at;

    for (at = 0; at < ISO__COUNT(names); at++) {
        (void)snprintf(list + used, sizeof(list) - used, "%s%s", at == 0 ? "" : ", ",
                       names[at].name);
        used = strlen(list);
    }
    return iso__error_set(ISO_EINVAL, "%.64s is not a limits profile; there are: %s", name, list);
}

static int find_profile(const char *name, size_t *out)
{
    size_t at;

    for (at = 0; at < ISO__COUNT(names); at++) {
        if (strcmp(names[at].name, name == NULL ? "documented" : name) != 0) continue;
        *out = at;
        return 0;
    }
    return refuse_profile(name);
}

/* The best loop of one platform plays the best one of the other; poll and select are what they
 * are. */
static unsigned loop_played(unsigned platform, unsigned loop)
{
    unsigned best = platform == ISO__ON_LINUX ? ISO__WITH_EPOLL : ISO__WITH_KQUEUE;

    return (loop & (ISO__WITH_POLL | ISO__WITH_SELECT | ISO__WITH_CUSTOM)) != 0 ? loop : best;
}

/* The rows of the system that a profile speaks of, on a loop of this kind. */
static uint32_t rows_of_other(const profile *it, unsigned loop)
{
    iso__limit_subject subject = it->other;

    if (subject.loop == 0) subject.loop = loop_played(subject.platform, loop);
    return subject.platform == 0 ? 0 : iso__limits_true_of(subject, false);
}

int iso__limits_choose(iso__limits *out, const char *name, iso__limit_subject subject)
{
    size_t at;
    int rc = find_profile(name, &at);

    if (rc != 0) return rc;
    memset(out, 0, sizeof(*out));
    out->profile = names[at].name;
    /* Windows has no other selector than select: it is the best one there. */
    out->played = rows_of_other(&profiles[at], subject.platform == ISO__ON_WINDOWS
                                                   ? (unsigned)ISO__WITH_PROACTOR
                                                   : subject.loop);
    out->enforced =
        out->played |
        iso__limits_true_of(subject, profiles[at].is_native || profiles[at].other.platform != 0);
    /* The number of a handle says nothing of how many there are: those of Windows are above it
     * soon. */
    if (subject.platform == ISO__ON_WINDOWS) out->enforced &= ~BIT(SELECT_FD_SETSIZE);
    out->played &= out->enforced;
    return 0;
}

int iso__limits_of_profile(uint32_t *out, const char *name, iso__limit_subject subject)
{
    size_t at;
    int rc = find_profile(name, &at);

    if (rc != 0) return rc;
    *out = profiles[at].other.platform != 0 ? rows_of_other(&profiles[at], subject.loop)
                                            : iso__limits_true_of(subject, profiles[at].is_native);
    return 0;
}

/* ---- capabilities ---- */

/* A name, the calls, and the rows that take it away. */
static const struct capability {
    const char *name;
    const char *calls;
    uint32_t rows;
} capabilities[] = {
    [ISO_CAP_WATCH] = { "watch", "add_reader, add_writer", BIT(PROACTOR_WATCH) },
    [ISO_CAP_WATCH_NONSOCKETS] = { "watch_nonsockets",
                                   "add_reader, add_writer on pipes and the like",
                                   BIT(PROACTOR_WATCH) | BIT(WINDOWS_SOCKETS_ONLY) },
    [ISO_CAP_REUSE_PORT] = { "reuse_port", "create_server with reuse_port",
                             BIT(WINDOWS_REUSE_PORT) },
    [ISO_CAP_SCALABLE] = { "scalable", "thousands of connections at once",
                           BIT(TORNADO_SELECT_GRADE) },
    [ISO_CAP_UNIX_SOCKETS] = { "unix_sockets", "create_unix_connection, create_unix_server",
                               BIT(WINDOWS_UNIX_SOCKETS) },
    [ISO_CAP_SIGNALS] = { "signals", "add_signal_handler, remove_signal_handler",
                          BIT(WINDOWS_SIGNALS) },
    [ISO_CAP_CHILD_WATCHER] = { "child_watcher", "get_child_watcher, set_child_watcher",
                                BIT(WINDOWS_CHILD_WATCHER) },
    [ISO_CAP_PIPES] = { "pipes", "connect_read_pipe, connect_write_pipe", BIT(WINDOWS_PIPES) },
    [ISO_CAP_NAMED_PIPES] = { "named_pipes", "create_pipe_connection, start_serving_pipe",
                              BIT(WINDOWS_PIPES) | BIT(POSIX_NAMED_PIPES) },
    [ISO_CAP_SUBPROCESS] = { "subprocess", "subprocess_exec, subprocess_shell",
                             BIT(WINDOWS_SUBPROCESS) },
    [ISO_CAP_DATAGRAM] = { "datagram", "create_datagram_endpoint", BIT(PROACTOR_DATAGRAM) },
    [ISO_CAP_WATCH_DEVICES] = { "watch_devices", "add_reader, add_writer on character devices",
                                BIT(PROACTOR_WATCH) | BIT(WINDOWS_SOCKETS_ONLY) |
                                    BIT(MACOS_CHARDEV_10_5) | BIT(MACOS_CHARDEV_KQUEUE) },
    [ISO_CAP_PIPE_DEVICES] = { "pipe_devices",
                               "connect_read_pipe, connect_write_pipe on character devices",
                               BIT(WINDOWS_PIPES) | BIT(PROACTOR_OVERLAPPED_ONLY) |
                                   BIT(MACOS_CHARDEV_10_5) | BIT(MACOS_CHARDEV_KQUEUE) },
    [ISO_CAP_PLAIN_PIPES] = { "plain_pipes",
                              "connect_read_pipe, connect_write_pipe on pipes without overlapped "
                              "use",
                              BIT(WINDOWS_PIPES) | BIT(PROACTOR_OVERLAPPED_ONLY) },
};

static const struct capability *find_capability(iso_capability capability)
{
    return (size_t)capability < ISO__COUNT(capabilities) ? &capabilities[capability] : NULL;
}

const char *iso_capability_name(iso_capability capability)
{
    const struct capability *found = find_capability(capability);

    return found == NULL ? NULL : found->name;
}

const char *iso_capability_calls(iso_capability capability)
{
    const struct capability *found = find_capability(capability);

    return found == NULL ? NULL : found->calls;
}

bool iso_limits_allow(uint64_t enforced, iso_capability capability)
{
    const struct capability *found = find_capability(capability);

    return found != NULL && (enforced & found->rows) == 0;
}
