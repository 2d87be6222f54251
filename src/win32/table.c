/* SPDX-License-Identifier: MIT */
/* What was compiled in on this platform, the best first. */
#include "base/limits.h"
#include "engine/driver.h"
#include "engine/poller.h"

const unsigned iso__platform = ISO__ON_WINDOWS;

/* WSAPoll is not here: before Windows 10 2004 it kept quiet about a refused connect, and it takes
 * nothing that select does not. Source: Microsoft, WSAPoll, "Remarks". */
const iso__poller *const iso__poller_table[] = {
    &iso__poller_select,
    NULL,
};

const iso__proactor *const iso__proactor_table[] = { &iso__proactor_iocp, NULL };

/* clang-format off */
const iso_backend iso__backend_table[] = {
    { "selector:epoll", "only Linux has epoll", false, false },
    { "selector:kqueue", "only macOS and the BSDs have kqueue", false, false },
    { "selector:poll", "Windows has no poll; select takes its place", false, false },
    { "selector:select", "", true, false },
    { "proactor:iocp", "", true, true },
    { "proactor:io_uring", "only Linux has io_uring", false, false },
    { NULL, NULL, false, false },
};
/* clang-format on */
