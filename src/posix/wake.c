/* SPDX-License-Identifier: MIT */
#include "sys/wake.h"

#include "sys/error.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#if defined(__linux__)

#include <sys/eventfd.h>

int iso__sys_wake_open(iso__wake *out)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

    if (fd < 0) return iso__sys_error(errno);
    out->reader = fd;
    out->writer = fd;
    return 0;
}

#else

static int set_flags(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) return -1;
    return fcntl(fd, F_SETFD, FD_CLOEXEC);
}

int iso__sys_wake_open(iso__wake *out)
{
    int ends[2];

    if (pipe(ends) != 0) return iso__sys_error(errno); /* macOS has no pipe2 */
    if (set_flags(ends[0]) != 0 || set_flags(ends[1]) != 0) {
        int rc = iso__sys_error(errno);
        (void)close(ends[0]);
        (void)close(ends[1]);
        return rc;
    }
    out->reader = ends[0];
    out->writer = ends[1];
    return 0;
}

#endif

void iso__sys_wake_signal(const iso__wake *wake)
{
    const uint64_t one = 1; /* eventfd takes eight bytes; to a pipe any number will do */
    int before = errno;

    while (write((int)wake->writer, &one, sizeof(one)) < 0 && errno == EINTR) {}
    errno = before; /* a signal handler may have called; EAGAIN: it is readable already */
}

void iso__sys_wake_drain(const iso__wake *wake)
{
    char bytes[256];
    ssize_t got;

    do {
        got = read((int)wake->reader, bytes, sizeof(bytes));
    } while (got == (ssize_t)sizeof(bytes) || (got < 0 && errno == EINTR));
}

void iso__sys_wake_close(iso__wake *wake)
{
    (void)close((int)wake->reader);
    if (wake->writer != wake->reader) (void)close((int)wake->writer);
    wake->reader = ISO_FD_NONE;
    wake->writer = ISO_FD_NONE;
}
