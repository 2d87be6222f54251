/* SPDX-License-Identifier: MIT */
/* What was compiled in on this platform, the best first. */
#include "base/limits.h"
#include "engine/driver.h"
#include "engine/poller.h"

#if defined(__linux__)
const unsigned iso__platform = ISO__ON_LINUX;
#elif defined(__APPLE__)
const unsigned iso__platform = ISO__ON_MACOS;
#else
const unsigned iso__platform = ISO__ON_BSD;
#endif

const iso__poller *const iso__poller_table[] = {
#if defined(ISO__HAVE_EPOLL)
    &iso__poller_epoll,
#endif
#if defined(ISO__HAVE_KQUEUE)
    &iso__poller_kqueue,
#endif
    &iso__poller_poll,   &iso__poller_select, NULL,
};

const iso__proactor *const iso__proactor_table[] = {
#if defined(ISO__HAVE_IO_URING)
    &iso__proactor_uring,
#endif
    NULL,
};

/* clang-format off */
const iso_backend iso__backend_table[] = {
#if defined(ISO__HAVE_EPOLL)
    { "selector:epoll", "", true, true },
#else
    { "selector:epoll", "only Linux has epoll", false, false },
#endif
#if defined(ISO__HAVE_EPOLL) && defined(ISO__HAVE_KQUEUE)
    { "selector:kqueue", "", true, false },
#elif defined(ISO__HAVE_KQUEUE)
    { "selector:kqueue", "", true, true },
#else
    { "selector:kqueue", "only macOS and the BSDs have kqueue", false, false },
#endif
    { "selector:poll", "", true, false },
    { "selector:select", "", true, false },
    { "proactor:iocp", "only Windows has I/O completion ports", false, false },
#if defined(ISO__HAVE_IO_URING)
    { "proactor:io_uring", "", true, false },
#else
    { "proactor:io_uring", "only Linux has io_uring", false, false },
#endif
    { NULL, NULL, false, false },
};
/* clang-format on */
