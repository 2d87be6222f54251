/* SPDX-License-Identifier: MIT */
#include "base/limits.h"

#define ASYNCIO_PLATFORMS "asyncio, Platform support"

/* What the system truly can't do, in this library, whatever the profile says; the rest only
 * documents do. */
enum { LIFTED = 0, REAL = 1 };

/* clang-format off */
/*  X(row, id, where, api, text, source, error, limit, platforms, loops, REAL or LIFTED by
 * "native") */
#define LIMIT_TABLE(X)                                                                             \
    X(WINDOWS_UNIX_SOCKETS, "windows.unix_sockets", "Windows, every loop",                         \
      "create_unix_connection, create_unix_server",                                                \
      "the socket family AF_UNIX is specific to UNIX", ASYNCIO_PLATFORMS,                          \
      ISO_ENOTSUP, 0, ISO__ON_WINDOWS, ISO__WITH_ANY, LIFTED)                                      \
    X(WINDOWS_SIGNALS, "windows.signals", "Windows, every loop",                                   \
      "add_signal_handler, remove_signal_handler",                                                 \
      "loop.add_signal_handler and loop.remove_signal_handler are not supported", ASYNCIO_PLATFORMS,\
      ISO_ENOTSUP, 0, ISO__ON_WINDOWS, ISO__WITH_ANY, REAL)                                        \
    X(WINDOWS_CHILD_WATCHER, "windows.child_watcher", "Windows, every loop",                       \
      "get_child_watcher, set_child_watcher",                                                      \
      "child watchers are not supported; ProactorEventLoop has another way", ASYNCIO_PLATFORMS,    \
      ISO_ENOTSUP, 0, ISO__ON_WINDOWS, ISO__WITH_ANY, REAL)                                        \
    X(WINDOWS_REUSE_PORT, "windows.reuse_port", "Windows, every loop", "create_server(reuse_port)",\
      "SO_REUSEPORT does not exist on Windows", "asyncio source",                                  \
      ISO_ENOTSUP, 0, ISO__ON_WINDOWS, ISO__WITH_ANY, REAL)                                        \
    X(WINDOWS_CLOCK, "windows.clock", "Windows, every loop", "call_later, call_at",                \
      "the resolution of timed waits is usually 15.6 ms and 0.5 ms at best", ASYNCIO_PLATFORMS,    \
      ISO_OK, 15600000, ISO__ON_WINDOWS, ISO__WITH_ANY, REAL)                                      \
    X(WINDOWS_MAX_SOCKETS, "windows.selector.max_sockets", "Windows, SelectorEventLoop",           \
      "everything that registers a socket",                                                        \
      "select is limited to 512 sockets, the loop's own included", ASYNCIO_PLATFORMS,              \
      ISO_ELIMIT, 512, ISO__ON_WINDOWS, ISO__WITH_SELECT, LIFTED)                                  \
    X(WINDOWS_SOCKETS_ONLY, "windows.selector.sockets_only", "Windows, every loop that watches",   \
      "add_reader, add_writer", "only sockets are supported", ASYNCIO_PLATFORMS,                   \
      ISO_ENOTSOCK, 0, ISO__ON_WINDOWS, ISO__WITH_SELECT | ISO__WITH_PROACTOR, REAL)               \
    X(WINDOWS_PIPES, "windows.selector.pipes", "Windows, SelectorEventLoop",                       \
      "connect_read_pipe, connect_write_pipe, create_pipe_connection, start_serving_pipe",         \
      "pipes are not supported by SelectorEventLoop", ASYNCIO_PLATFORMS,                           \
      ISO_ENOTSUP, 0, ISO__ON_WINDOWS, ISO__WITH_SELECTOR, REAL)                                   \
    X(WINDOWS_SUBPROCESS, "windows.selector.subprocess", "Windows, SelectorEventLoop",             \
      "subprocess_exec, subprocess_shell",                                                         \
      "subprocesses are not supported by SelectorEventLoop", ASYNCIO_PLATFORMS,                    \
      ISO_ENOTSUP, 0, ISO__ON_WINDOWS, ISO__WITH_SELECTOR, REAL)                                   \
    X(POSIX_NAMED_PIPES, "posix.named_pipes", "not Windows, every loop",                           \
      "create_pipe_connection, start_serving_pipe",                                                \
      "pipes with a name and clients exist on Windows only", "asyncio source, windows_events.py",  \
      ISO_ENOTSUP, 0, ISO__ON_POSIX, ISO__WITH_ANY, REAL)                                          \
    X(PROACTOR_AVAILABILITY, "proactor.availability", "not Windows, ProactorEventLoop",            \
      "loop_new(backend = proactor)", "ProactorEventLoop: Availability: Windows",                  \
      ASYNCIO_PLATFORMS, ISO_ENOTSUP, 0, ISO__ON_POSIX, ISO__WITH_ANY, LIFTED)                     \
    X(PROACTOR_DATAGRAM, "proactor.datagram", "Windows, ProactorEventLoop",                        \
      "create_datagram_endpoint", "create_datagram_endpoint is not supported", ASYNCIO_PLATFORMS,  \
      ISO_ENOTSUP, 0, ISO__ON_WINDOWS, ISO__WITH_PROACTOR, LIFTED)                                 \
    X(PROACTOR_WATCH, "proactor.watch", "Windows, ProactorEventLoop",                              \
      "add_reader, add_writer, remove_reader, remove_writer",                                      \
      "add_reader and add_writer are not supported", ASYNCIO_PLATFORMS,                            \
      ISO_ENOTSUP, 0, ISO__ON_WINDOWS, ISO__WITH_PROACTOR, LIFTED)                                 \
    X(PROACTOR_OVERLAPPED_ONLY, "proactor.overlapped_only", "Windows, ProactorEventLoop",          \
      "connect_read_pipe, connect_write_pipe",                                                     \
      "the handle must have been opened with FILE_FLAG_OVERLAPPED",                                \
      "asyncio, connect_read_pipe", ISO_ENOTOVERLAPPED, 0, ISO__ON_WINDOWS,                        \
      ISO__WITH_PROACTOR, REAL)                                                                    \
    X(PROACTOR_PIPE_WRITE_EOF, "proactor.pipe_write_eof", "Windows, ProactorEventLoop",            \
      "write_eof on a duplex pipe", "a duplex pipe cannot end one direction alone",                \
      "asyncio source, proactor_events.py", ISO_ENOTSUP, 0, ISO__ON_WINDOWS,                       \
      ISO__WITH_PROACTOR, REAL)                                                                    \
    X(PROACTOR_FOREIGN_PORT, "proactor.foreign_port", "Windows, ProactorEventLoop",                \
      "everything that registers a handle",                                                        \
      "the handle is tied to another completion port already", "asyncio issue 122240",             \
      ISO_EFOREIGNPORT, 0, ISO__ON_WINDOWS, ISO__WITH_PROACTOR, REAL)                              \
    X(MACOS_CHARDEV_10_5, "macos.chardev.10_5", "Mac OS X 10.5 and older, every loop",             \
      "add_reader, add_writer, connect_read_pipe, connect_write_pipe on a character device",       \
      "character devices are not supported on Mac OS X 10.5 and older", ASYNCIO_PLATFORMS,         \
      ISO_ENOTSUP, 0, ISO__ON_MACOS, ISO__WITH_ANY, REAL)                                          \
    X(MACOS_CHARDEV_KQUEUE, "macos.chardev.kqueue", "Mac OS X 10.6 to 10.8, selector: kqueue",     \
      "add_reader, add_writer, connect_read_pipe, connect_write_pipe on a character device",       \
      "kqueue has no character devices before Mac OS X 10.9; select and poll do",                  \
      ASYNCIO_PLATFORMS, ISO_ENOTSUP, 0, ISO__ON_MACOS, ISO__WITH_KQUEUE, REAL)                    \
    X(KQUEUE_CHARDEV, "kqueue.chardev", "macOS and BSD, selector: kqueue",                         \
      "add_reader, add_writer on a device that kevent refuses",                                    \
      "kqueue does not watch this character device; select and poll do", "mio issue 1377",         \
      ISO_ENOTSUP, 0, ISO__ON_MACOS | ISO__ON_BSD | ISO__ON_LINUX, ISO__WITH_KQUEUE, REAL)         \
    X(ALL_REGULAR_FILE, "all.regular_file", "every platform, every loop that watches",             \
      "add_reader, add_writer", "a regular file is always ready and cannot be watched",            \
      "asyncio, Watching file descriptors",                                                        \
      ISO_EREGULARFILE, 0, ISO__ON_ANY, ISO__WITH_ANY, REAL)                                       \
    X(ALL_PIPE_KIND, "all.pipe_kind", "every platform, every loop",                                \
      "connect_read_pipe, connect_write_pipe",                                                     \
      "only pipes, sockets and character devices are taken as pipes", "asyncio source",            \
      ISO_ENOTPIPE, 0, ISO__ON_ANY, ISO__WITH_ANY, REAL)                                           \
    X(ALL_BAD_FD, "all.bad_fd", "every platform, every loop that watches",                         \
      "add_reader, add_writer", "the descriptor is not open", "POSIX, EBADF",                      \
      ISO_EBADF, 0, ISO__ON_ANY, ISO__WITH_ANY, REAL)                                              \
    X(SELECT_FD_SETSIZE, "select.fd_setsize", "POSIX, selector: select",                           \
      "everything that registers a descriptor",                                                    \
      "select takes no descriptor of FD_SETSIZE or above", "POSIX, select",                        \
      ISO_ELIMIT, 1024, ISO__ON_POSIX, ISO__WITH_SELECT, REAL)                                     \
    X(PROCESS_DESCRIPTORS, "process.descriptors", "POSIX, every loop",                             \
      "everything that opens a descriptor",                                                        \
      "a process may have RLIMIT_NOFILE descriptors open, and a system so many in all",            \
      "POSIX, getrlimit", ISO_EMFILE, 0, ISO__ON_POSIX, ISO__WITH_ANY, REAL)                       \
    X(TORNADO_SELECT_GRADE, "tornado.select_grade", "every platform, selector: select, poll",      \
      "advice", "thousands of connections at once want epoll or kqueue", "Tornado, tornado.ioloop",\
      ISO_OK, 0, ISO__ON_ANY, ISO__WITH_SELECT | ISO__WITH_POLL, REAL)
/* clang-format on */

/* What asyncio does where this library answers with the row; "" where it does the same, or the
 * documents do not tell. */
/* clang-format off */
#define INSTEAD_WINDOWS_UNIX_SOCKETS "NotImplementedError"
#define INSTEAD_WINDOWS_SIGNALS "NotImplementedError"
#define INSTEAD_WINDOWS_CHILD_WATCHER "NotImplementedError"
#define INSTEAD_WINDOWS_REUSE_PORT "ValueError"
#define INSTEAD_WINDOWS_CLOCK ""
#define INSTEAD_WINDOWS_MAX_SOCKETS "registers the socket, then ValueError in every turn"
#define INSTEAD_WINDOWS_SOCKETS_ONLY "registers it, then OSError 10038 in every turn"
#define INSTEAD_WINDOWS_PIPES "NotImplementedError, after the protocol was made"
#define INSTEAD_WINDOWS_SUBPROCESS "NotImplementedError"
#define INSTEAD_POSIX_NAMED_PIPES "AttributeError"
#define INSTEAD_PROACTOR_AVAILABILITY "AttributeError"
#define INSTEAD_PROACTOR_DATAGRAM "supports it since Python 3.8; its older documents say no"
#define INSTEAD_PROACTOR_WATCH "NotImplementedError"
#define INSTEAD_PROACTOR_OVERLAPPED_ONLY "OSError, WinError 6"
#define INSTEAD_PROACTOR_PIPE_WRITE_EOF "NotImplementedError"
#define INSTEAD_PROACTOR_FOREIGN_PORT "OSError, WinError 87"
#define INSTEAD_MACOS_CHARDEV_10_5 ""
#define INSTEAD_MACOS_CHARDEV_KQUEUE "OSError, EINVAL"
#define INSTEAD_KQUEUE_CHARDEV "OSError, EINVAL"
#define INSTEAD_ALL_REGULAR_FILE "epoll: PermissionError; poll and select take it"
#define INSTEAD_ALL_PIPE_KIND "ValueError"
#define INSTEAD_ALL_BAD_FD "epoll and kqueue: OSError; poll and select take it"
#define INSTEAD_SELECT_FD_SETSIZE "registers it, then ValueError in every turn"
#define INSTEAD_PROCESS_DESCRIPTORS "OSError, EMFILE or ENFILE"
#define INSTEAD_TORNADO_SELECT_GRADE ""

static const iso_limit rows[ISO__ROW_COUNT] = {
#define PUBLIC_ROW(row, id, where, api, text, source, error, limit, platforms, loops, real)        \
    [ISO__ROW_##row] = {                                                                           \
        id, where, api, text, source, error, limit, 0, INSTEAD_##row, (real) == LIFTED             \
    },
    LIMIT_TABLE(PUBLIC_ROW)
#undef PUBLIC_ROW
};
/* clang-format on */

static const struct rule {
    unsigned platforms;
    unsigned loops;
    bool is_real;
} rules[ISO__ROW_COUNT] = {
#define RULE(row, id, where, api, text, source, error, limit, platforms, loops, real)              \
    [ISO__ROW_##row] = { platforms, loops, (real) == REAL },
    LIMIT_TABLE(RULE)
#undef RULE
};

/* The versions of the system that a row speaks of, the first and the last; 0, 0: all of them. */
static const struct span {
    unsigned first;
    unsigned last;
} versions[ISO__ROW_COUNT] = {
    [ISO__ROW_MACOS_CHARDEV_10_5] = { 1, 1005 },
    [ISO__ROW_MACOS_CHARDEV_KQUEUE] = { 1006, 1008 },
};

static bool is_of_version(unsigned row, unsigned version)
{
    if (version == ISO__ANY_VERSION || versions[row].last == 0) return true;
    return version >= versions[row].first && version <= versions[row].last;
}

uint32_t iso__limits_true_of(iso__limit_subject subject, bool real_only)
{
    uint32_t found = 0;
    unsigned row;

    for (row = 0; row < ISO__ROW_COUNT; row++) {
        if ((rules[row].platforms & subject.platform) != 0 &&
            (rules[row].loops & subject.loop) != 0 && is_of_version(row, subject.version) &&
            (rules[row].is_real || !real_only))
            found |= (uint32_t)1 << row;
    }
    return found;
}

int64_t iso__limit_value(iso__limit_row row)
{
    return rows[row].limit;
}

iso_error iso__limit_error(iso__limit_row row)
{
    return rows[row].error;
}

int iso__limits_refuse(iso__limits *limits, iso__limit_row row, int64_t used)
{
    limits->last = rows[row];
    limits->last.used = used;
    return (int)rows[row].error;
}

int iso__limits_explain(iso__limits *limits, int error, const iso__limit_row *list, size_t count)
{
    size_t at;

    for (at = 0; at < count; at++) {
        if ((int)iso__limit_error(list[at]) == error && iso__limits_enforced(limits, list[at]))
            return iso__limits_refuse(limits, list[at], 0);
    }
    return error;
}

const iso_limit *iso_limits(size_t *count)
{
    if (count != NULL) *count = ISO__ROW_COUNT;
    return rows;
}
