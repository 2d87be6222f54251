/* SPDX-License-Identifier: MIT */
#include "sys/sock.h"

#include "base/error.h"
#include "sys/descriptor.h"
#include "sys/error.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* A send to a closed connection must be an error, not a signal. Each system has one of the two. */
#if defined(MSG_NOSIGNAL)
enum { SEND_FLAGS = MSG_NOSIGNAL };
#else
enum { SEND_FLAGS = 0 };
#endif

/* What one call sends at most: macOS refuses more than an int counts. */
#define LARGEST ((size_t)1 << 30)

int iso__sys_socket_startup(void)
{
    return 0;
}

static int set_option(iso_fd fd, int level, int name, int value)
{
    int rc = setsockopt((int)fd, level, name, &value, sizeof(value));

    return rc == 0 ? 0 : iso__sys_error(errno);
}

static int set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0) return iso__sys_error(errno);
    if ((flags & O_NONBLOCK) != 0) return 0;
    return fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 ? 0 : iso__sys_error(errno);
}

static int refuse_sigpipe(int fd)
{
#if defined(SO_NOSIGPIPE)
    return set_option(fd, SOL_SOCKET, SO_NOSIGPIPE, 1);
#else
    (void)fd;
    return 0;
#endif
}

int iso__sys_socket_adopt(iso_fd fd)
{
    int rc = iso__sys_descriptor_require_socket(fd);

    if (rc == 0) rc = set_nonblocking((int)fd);
    return rc != 0 ? rc : refuse_sigpipe((int)fd);
}

/* ISO_EINVAL, with `detail`, unless a socket is of this type. */
static int require_type(iso_fd fd, int type, const char *detail)
{
    int is = 0;
    socklen_t size = sizeof(is);
    int rc = iso__sys_descriptor_require_socket(fd);

    if (rc != 0) return rc;
    if (getsockopt((int)fd, SOL_SOCKET, SO_TYPE, &is, &size) != 0) return iso__sys_error(errno);
    return is == type ? 0 : iso__error_set(ISO_EINVAL, "%s", detail);
}

bool iso__sys_socket_is_stream(iso_fd fd)
{
    int is = 0;
    socklen_t size = sizeof(is);

    return getsockopt((int)fd, SOL_SOCKET, SO_TYPE, &is, &size) == 0 && is == SOCK_STREAM;
}

int iso__sys_socket_require_stream(iso_fd fd)
{
    return require_type(fd, SOCK_STREAM, "sock is not a stream socket");
}

int iso__sys_socket_require_datagram(iso_fd fd)
{
    return require_type(fd, SOCK_DGRAM, "sock is not a datagram socket");
}

/* What SOCK_NONBLOCK and SOCK_CLOEXEC do where there are such. */
static int prepare(int fd)
{
    int rc = set_nonblocking(fd);

    if (rc == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) rc = iso__sys_error(errno);
    return rc;
}

#if defined(SOCK_NONBLOCK) && defined(SOCK_CLOEXEC)
enum { NEW_FLAGS = SOCK_NONBLOCK | SOCK_CLOEXEC, HAS_SOCKET_FLAGS = 1 };
#else
enum { NEW_FLAGS = 0, HAS_SOCKET_FLAGS = 0 };
#endif

/* The last steps that every new socket takes; it is closed when one fails. */
static int finish_new(int fd, iso_fd *out)
{
    int rc = HAS_SOCKET_FLAGS ? 0 : prepare(fd);

    if (rc == 0) rc = refuse_sigpipe(fd);
    if (rc != 0) {
        (void)close(fd);
        return rc;
    }
    *out = fd;
    return 0;
}

static int open_new(iso_fd *out, int version, int type)
{
    int fd = socket(version == 6 ? AF_INET6 : AF_INET, type | NEW_FLAGS, 0);

    return fd < 0 ? iso__sys_error(errno) : finish_new(fd, out);
}

int iso__sys_socket_open(iso_fd *out, int version)
{
    return open_new(out, version, SOCK_STREAM);
}

int iso__sys_datagram_open(iso_fd *out, int version)
{
    return open_new(out, version, SOCK_DGRAM);
}

int iso__sys_socketpair(iso_fd out[2])
{
    int ends[2];
    int rc;

    if (socketpair(AF_UNIX, SOCK_STREAM | NEW_FLAGS, 0, ends) != 0) return iso__sys_error(errno);
    rc = finish_new(ends[0], &out[0]);
    if (rc != 0) {
        (void)close(ends[1]);
        return rc;
    }
    rc = finish_new(ends[1], &out[1]);
    if (rc != 0) (void)close(ends[0]);
    return rc;
}

int iso__sys_socket_close(iso_fd fd)
{
    /* Not again after EINTR: the descriptor is gone, or in doubt (POSIX 2024, close). */
    return close((int)fd) == 0 || errno == EINTR ? 0 : iso__sys_error(errno);
}

void iso__sys_socket_reset(iso_fd fd)
{
    struct linger now = { 1, 0 };

    (void)setsockopt((int)fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    (void)close((int)fd);
}

static const struct sockaddr *native_of(const iso_address *address)
{
    return (const struct sockaddr *)(const void *)&address->storage;
}

int iso__sys_socket_bind(iso_fd fd, const iso_address *address)
{
    int rc = bind((int)fd, native_of(address), (socklen_t)address->length);

    return rc == 0 ? 0 : iso__sys_error(errno);
}

int iso__sys_socket_listen(iso_fd fd, int backlog)
{
    return listen((int)fd, backlog) == 0 ? 0 : iso__sys_error(errno);
}

/* Keep what the system wrote, if it is an internet address; another family is none. */
static void keep_address(iso_address *out, const struct sockaddr_storage *native, socklen_t length)
{
    memset(out, 0, sizeof(*out));
    /* Nothing was written: macOS' accept, of a peer that is gone. */
    if (length < (socklen_t)(offsetof(struct sockaddr_storage, ss_family) + sizeof(sa_family_t)))
        return;
    if (native->ss_family != AF_INET && native->ss_family != AF_INET6) return;
    if (length > (socklen_t)sizeof(out->storage)) return;
    memcpy(out->storage.bytes, native, length);
    out->length = (uint32_t)length;
}

int iso__sys_socket_sockname(iso_fd fd, iso_address *out)
{
    struct sockaddr_storage native;
    socklen_t length = sizeof(native);

    if (getsockname((int)fd, (struct sockaddr *)&native, &length) != 0)
        return iso__sys_error(errno);
    keep_address(out, &native, length);
    return 0;
}

int iso__sys_socket_peername(iso_fd fd, iso_address *out)
{
    struct sockaddr_storage native;
    socklen_t length = sizeof(native);

    if (getpeername((int)fd, (struct sockaddr *)&native, &length) != 0)
        return iso__sys_error(errno);
    keep_address(out, &native, length);
    return 0;
}

int iso__sys_socket_set_reuse_address(iso_fd fd, bool reuse)
{
    return set_option(fd, SOL_SOCKET, SO_REUSEADDR, reuse ? 1 : 0);
}

int iso__sys_socket_set_reuse_port(iso_fd fd)
{
#if defined(SO_REUSEPORT)
    return set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
#else
    (void)fd;
    return ISO_ENOTSUP;
#endif
}

int iso__sys_socket_set_v6only(iso_fd fd)
{
    return set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
}

void iso__sys_socket_set_nodelay(iso_fd fd)
{
    (void)set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

int iso__sys_socket_connect(iso_fd fd, const iso_address *address)
{
    if (connect((int)fd, native_of(address), (socklen_t)address->length) == 0) return 0;
    /* An interrupted connect goes on by itself (POSIX, connect). */
    return errno == EINTR ? ISO_EINPROGRESS : iso__sys_error(errno);
}

int iso__sys_socket_connect_result(iso_fd fd)
{
    int error = 0;
    socklen_t size = sizeof(error);

    if (getsockopt((int)fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return iso__sys_error(errno);
    return error == 0 ? 0 : iso__sys_error(error);
}

static int accept_native(int fd, struct sockaddr_storage *native, socklen_t *length)
{
    struct sockaddr *address = (struct sockaddr *)native;
    int got;

    do {
#if defined(__APPLE__)
        got = accept(fd, address, length);
#else
        got = accept4(fd, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
#endif
    } while (got < 0 && errno == EINTR);
    return got;
}

int iso__sys_socket_accept(iso_fd fd, iso_fd *out, iso_address *peer)
{
    struct sockaddr_storage native;
    socklen_t length = sizeof(native);
    int got = accept_native((int)fd, &native, &length);

    if (got < 0) return iso__sys_error(errno);
    if (peer != NULL) keep_address(peer, &native, length);
    return finish_new(got, out);
}

bool iso__sys_socket_accept_is_transient(int error)
{
    switch (error) {
    case ISO_ECONNABORTED:
    case ISO_ECONNRESET:
    case ISO_EPERM: /* a firewall's rule; and pending network errors, as accept(2) has them: */
    case ISO_ETIMEDOUT:
    case ISO_ENETUNREACH:
    case ISO_EHOSTUNREACH:
    case ISO_ECONNREFUSED: return true;
    default: return false;
    }
}

ptrdiff_t iso__sys_socket_recv(iso_fd fd, void *data, size_t size)
{
    ssize_t got;

    do {
        got = recv((int)fd, data, size, 0);
    } while (got < 0 && errno == EINTR);
    return got >= 0 ? got : iso__sys_error(errno);
}

ptrdiff_t iso__sys_socket_send(iso_fd fd, const void *data, size_t size)
{
    size_t part = size < LARGEST ? size : LARGEST;
    ssize_t sent;

    do {
        sent = send((int)fd, data, part, SEND_FLAGS);
    } while (sent < 0 && errno == EINTR);
    return sent >= 0 ? sent : iso__sys_error(errno);
}

ptrdiff_t iso__sys_socket_sendv(iso_fd fd, const iso_buffer *list, size_t count)
{
    struct iovec pieces[ISO__SYS_SENDV_MAX];
    struct msghdr message;
    size_t room = LARGEST;
    ssize_t sent;
    size_t at;

    memset(&message, 0, sizeof(message));
    message.msg_iov = pieces;
    for (at = 0; at < count && at < ISO__SYS_SENDV_MAX && room > 0; at++) {
        pieces[at].iov_base = (void *)(uintptr_t)list[at].data;
        pieces[at].iov_len = list[at].size < room ? list[at].size : room;
        room -= pieces[at].iov_len;
        message.msg_iovlen++; /* an int here, a size_t there */
    }
    do {
        sent = sendmsg((int)fd, &message, SEND_FLAGS);
    } while (sent < 0 && errno == EINTR);
    return sent >= 0 ? sent : iso__sys_error(errno);
}

int iso__sys_socket_shutdown_write(iso_fd fd)
{
    return shutdown((int)fd, SHUT_WR) == 0 ? 0 : iso__sys_error(errno);
}

/* ---- datagrams ---- */

int iso__sys_datagram_set_broadcast(iso_fd fd, bool on)
{
    return set_option(fd, SOL_SOCKET, SO_BROADCAST, on ? 1 : 0);
}

/* One that is longer than `size` must be told from one that is not. Asked so, Linux answers how
 * long it was; elsewhere recvmsg says that it was cut off, which costs a third more than recvfrom.
 *
 * Many a call (recvmmsg, sendmmsg) are not worth it. bench/datagram.c has measured, in processor
 * time of one a call: to receive, 1.04 where there is one, 0.9 to 1.1 for 2 to 16, 1.0 for more,
 * with memory for 16 of 64 KiB each, so that none is ever cut off; to send, 1.07 for one and 0.94
 * for 16 and more. What costs is behind the call. */
#if defined(__linux__)
ptrdiff_t iso__sys_datagram_recv(iso_fd fd, void *data, size_t size, iso_address *from)
{
    struct sockaddr_storage native;
    socklen_t length;
    ssize_t got;

    native.ss_family = AF_UNSPEC;
    do {
        length = sizeof(native);
        got = recvfrom((int)fd, data, size, MSG_TRUNC, (struct sockaddr *)&native, &length);
    } while (got < 0 && errno == EINTR);
    if (got < 0) return iso__sys_error(errno);
    keep_address(from, &native, length);
    return (size_t)got > size ? ISO_EMSGSIZE : got;
}
#else
ptrdiff_t iso__sys_datagram_recv(iso_fd fd, void *data, size_t size, iso_address *from)
{
    struct sockaddr_storage native;
    struct msghdr message;
    struct iovec piece;
    ssize_t got;

    piece.iov_base = data;
    piece.iov_len = size;
    memset(&message, 0, sizeof(message));
    message.msg_name = &native;
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    native.ss_family = AF_UNSPEC;
    do {
        message.msg_namelen = sizeof(native);
        got = recvmsg((int)fd, &message, 0);
    } while (got < 0 && errno == EINTR);
    if (got < 0) return iso__sys_error(errno);
    keep_address(from, &native, message.msg_namelen);
    return (message.msg_flags & MSG_TRUNC) != 0 ? ISO_EMSGSIZE : got;
}
#endif

ptrdiff_t iso__sys_datagram_send(iso_fd fd, const iso_buffer *data, const iso_address *to)
{
    const struct sockaddr *native = to != NULL ? native_of(to) : NULL;
    socklen_t length = to != NULL ? (socklen_t)to->length : 0;
    ssize_t sent;

    do {
        sent = sendto((int)fd, data->data, data->size, SEND_FLAGS, native, length);
    } while (sent < 0 && errno == EINTR);
    return sent >= 0 ? sent : iso__sys_error(errno);
}
