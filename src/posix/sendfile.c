/* SPDX-License-Identifier: MIT */
/* A 32-bit Linux has an off_t for large files only where this asks for it. */
#define _FILE_OFFSET_BITS 64

#include "sys/send_file.h"

#include "sigpipe.h"
#include "sys/error.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/sendfile.h>
#elif defined(__APPLE__) || defined(__FreeBSD__) || defined(__DragonFly__)
#include <sys/socket.h>
#include <sys/uio.h>
#endif

/* What one call moves at most: some systems refuse more than an int counts. */
#define LARGEST ((size_t)1 << 30)

static bool is_number(iso_fd fd)
{
    return fd >= 0 && fd <= INT_MAX;
}

/* ---- the system's call: a count, or -1 and errno ---- */

#if defined(__linux__)

static ssize_t send_some(int sock, int file, off_t offset, size_t size)
{
    return sendfile(sock, file, &offset, size);
}

#elif defined(__APPLE__)

/* "When using a socket marked for non-blocking I/O, sendfile() may send fewer bytes than requested.
 * In this case, the number of bytes successfully written is returned in *len, and the error EAGAIN
 * is returned." An interrupted one is the same. Source: sendfile(2) of macOS. */
static ssize_t send_some(int sock, int file, off_t offset, size_t size)
{
    off_t sent = (off_t)size;

    if (sendfile(file, sock, offset, &sent, NULL, 0) == 0) return (ssize_t)sent;
    return (errno == EAGAIN || errno == EINTR) && sent > 0 ? (ssize_t)sent : -1;
}

#elif defined(__FreeBSD__) || defined(__DragonFly__)

/* As above, with the count apart. Source: sendfile(2) of FreeBSD, of DragonFly. */
static ssize_t send_some(int sock, int file, off_t offset, size_t size)
{
    off_t sent = 0;

    if (sendfile(file, sock, offset, size, NULL, &sent, 0) == 0) return (ssize_t)sent;
    return (errno == EAGAIN || errno == EINTR) && sent > 0 ? (ssize_t)sent : -1;
}

#else

static ssize_t send_some(int sock, int file, off_t offset, size_t size)
{
    (void)sock;
    (void)file;
    (void)offset;
    (void)size;
    errno = ENOSYS;
    return -1;
}

#endif

/* Whether an error says that these two can't be joined: then reading the one and sending to the
 * other may well work, or tells better what is wrong. Source: sendfile(2); libuv, uv__fs_sendfile,
 * for EIO, which some file systems answer. */
static bool is_unsuitable(int error)
{
    return error == EINVAL || error == ENOSYS || error == EIO || error == ENOTSOCK ||
           error == EOVERFLOW || error == ESPIPE;
}

ptrdiff_t iso__sys_sendfile(iso_fd sock, iso_fd file, uint64_t offset, size_t size)
{
    size_t part = size < LARGEST ? size : LARGEST;
    iso__sigpipe guard;
    ssize_t sent;

    iso__sigpipe_hold(&guard); /* there is no MSG_NOSIGNAL here */
    do {
        sent = send_some((int)sock, (int)file, (off_t)offset, part);
    } while (sent < 0 && errno == EINTR);
    iso__sigpipe_release(&guard, sent < 0 && errno == EPIPE);
    if (sent >= 0) return sent;
    return is_unsuitable(errno) ? ISO_ENOTSUP : iso__sys_error(errno);
}

/* ---- files ---- */

ptrdiff_t iso__sys_file_read(iso_fd file, uint64_t offset, void *data, size_t size)
{
    size_t part = size < LARGEST ? size : LARGEST;
    ssize_t got;

    if (!is_number(file)) return ISO_EBADF;
    do {
        got = pread((int)file, data, part, (off_t)offset);
    } while (got < 0 && errno == EINTR);
    return got >= 0 ? got : iso__sys_error(errno);
}

int iso__sys_file_size(iso_fd file, uint64_t *size)
{
    struct stat status;

    if (!is_number(file)) return ISO_EBADF;
    if (fstat((int)file, &status) != 0) return iso__sys_error(errno);
    if (!S_ISREG(status.st_mode)) return ISO_EINVAL;
    *size = (uint64_t)status.st_size;
    return 0;
}

int iso__sys_file_seek(iso_fd file, uint64_t position)
{
    if (!is_number(file)) return ISO_EBADF;
    return lseek((int)file, (off_t)position, SEEK_SET) >= 0 ? 0 : iso__sys_error(errno);
}
