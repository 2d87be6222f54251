/* SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "sys/descriptor.h"
#include "sys/sock.h"

#include "sockets.h"

#include <limits.h>

/* ---- making ready ---- */

static int set_nonblocking(SOCKET sock)
{
    u_long on = 1;

    return ioctlsocket(sock, (long)FIONBIO, &on) == 0 ? 0 : iso__socket_error();
}

static BOOL CALLBACK start_winsock(PINIT_ONCE once, void *error, void **context)
{
    WSADATA data;

    (void)once;
    (void)context;
    *(int *)error = WSAStartup(MAKEWORD(2, 2), &data); /* answers its code, keeps none for later */
    return *(int *)error == 0;
}

/* There is no WSACleanup: sockets live as long as the process, and a program's own pairs are
 * counted. A start that failed is tried again by the next caller (InitOnceExecuteOnce). */
int iso__sys_socket_startup(void)
{
    static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    int error = 0;

    if (InitOnceExecuteOnce(&once, start_winsock, &error, NULL)) return 0;
    return iso__sys_error(error);
}

/* ---- opening, closing ---- */

static int open_new(iso_fd *out, int version, int type, int protocol)
{
    const DWORD flags = WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT; /* for IOCP; for us */
    SOCKET made;
    int rc = iso__sys_socket_startup();

    if (rc != 0) return rc;
    made = WSASocketW(version == 6 ? AF_INET6 : AF_INET, type, protocol, NULL, 0, flags);
    if (made == INVALID_SOCKET) return iso__socket_error();
    rc = set_nonblocking(made);
    if (rc != 0) {
        (void)closesocket(made);
        return rc;
    }
    *out = (iso_fd)made;
    return 0;
}

int iso__sys_socket_open(iso_fd *out, int version)
{
    return open_new(out, version, SOCK_STREAM, IPPROTO_TCP);
}

int iso__sys_datagram_open(iso_fd *out, int version)
{
    return open_new(out, version, SOCK_DGRAM, IPPROTO_UDP);
}

static void set_linger(SOCKET sock, u_short on, u_short seconds)
{
    struct linger linger;

    linger.l_onoff = on;
    linger.l_linger = seconds;
    (void)setsockopt(sock, SOL_SOCKET, SO_LINGER, (const char *)&linger, sizeof(linger));
}

int iso__sys_socket_close(iso_fd fd)
{
    if (closesocket((SOCKET)fd) == 0) return 0;
    if (WSAGetLastError() != WSAEWOULDBLOCK) return iso__socket_error();
    /* The one error that leaves it open: a caller's socket has a linger time. Source:
     * closesocket. */
    set_linger((SOCKET)fd, 0, 0);
    return closesocket((SOCKET)fd) == 0 ? 0 : iso__socket_error();
}

void iso__sys_socket_reset(iso_fd fd)
{
    set_linger((SOCKET)fd, 1, 0);
    (void)closesocket((SOCKET)fd);
}

/* ---- options ---- */

static int set_option(iso_fd fd, int level, int option)
{
    const DWORD on = 1;
    int rc = setsockopt((SOCKET)fd, level, option, (const char *)&on, sizeof(on));

    return rc == 0 ? 0 : iso__socket_error();
}

int iso__sys_socket_adopt(iso_fd fd)
{
    int rc = iso__sys_descriptor_require_socket(fd);

    return rc != 0 ? rc : set_nonblocking((SOCKET)fd);
}

/* ISO_EINVAL, with `detail`, unless a socket is of this type. */
static int require_type(iso_fd fd, int type, const char *detail)
{
    int is = 0;
    int size = sizeof(is);
    int rc = iso__sys_descriptor_require_socket(fd);

    if (rc != 0) return rc;
    if (getsockopt((SOCKET)fd, SOL_SOCKET, SO_TYPE, (char *)&is, &size) != 0)
        return iso__socket_error();
    return is == type ? 0 : iso__error_set(ISO_EINVAL, "%s", detail);
}

bool iso__sys_socket_is_stream(iso_fd fd)
{
    int is = 0;
    int size = sizeof(is);

    return getsockopt((SOCKET)fd, SOL_SOCKET, SO_TYPE, (char *)&is, &size) == 0 &&
           is == SOCK_STREAM;
}

int iso__sys_socket_require_stream(iso_fd fd)
{
    return require_type(fd, SOCK_STREAM, "sock is not a stream socket");
}

int iso__sys_socket_require_datagram(iso_fd fd)
{
    return require_type(fd, SOCK_DGRAM, "sock is not a datagram socket");
}

/* Source: Microsoft, "Using SO_REUSEADDR and SO_EXCLUSIVEADDRUSE". */
int iso__sys_socket_set_reuse_address(iso_fd fd, bool reuse)
{
    (void)reuse;
    return set_option(fd, SOL_SOCKET, SO_EXCLUSIVEADDRUSE);
}

int iso__sys_socket_set_reuse_port(iso_fd fd)
{
    (void)fd;
    return ISO_ENOTSUP;
}

int iso__sys_socket_set_v6only(iso_fd fd)
{
    return set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY);
}

void iso__sys_socket_set_nodelay(iso_fd fd)
{
    (void)set_option(fd, IPPROTO_TCP, TCP_NODELAY);
}

/* ---- names ---- */

static const struct sockaddr *native_of(const iso_address *address)
{
    return (const struct sockaddr *)(const void *)&address->storage;
}

int iso__sys_socket_bind(iso_fd fd, const iso_address *address)
{
    int rc = bind((SOCKET)fd, native_of(address), (int)address->length);

    return rc == 0 ? 0 : iso__socket_error();
}

int iso__sys_socket_listen(iso_fd fd, int backlog)
{
    return listen((SOCKET)fd, backlog) == 0 ? 0 : iso__socket_error();
}

int iso__sys_socket_sockname(iso_fd fd, iso_address *out)
{
    SOCKADDR_STORAGE native;
    int size = sizeof(native);

    if (getsockname((SOCKET)fd, (struct sockaddr *)&native, &size) != 0) return iso__socket_error();
    iso__address_keep(out, &native, size);
    return 0;
}

int iso__sys_socket_peername(iso_fd fd, iso_address *out)
{
    SOCKADDR_STORAGE native;
    int size = sizeof(native);

    if (getpeername((SOCKET)fd, (struct sockaddr *)&native, &size) != 0) return iso__socket_error();
    iso__address_keep(out, &native, size);
    return 0;
}

/* ---- connections ---- */

int iso__sys_socket_connect(iso_fd fd, const iso_address *address)
{
    if (connect((SOCKET)fd, native_of(address), (int)address->length) == 0) return 0;
    /* Where POSIX says EINPROGRESS; WSAEINPROGRESS is a word of Winsock 1. Source: connect. */
    return WSAGetLastError() == WSAEWOULDBLOCK ? ISO_EINPROGRESS : iso__socket_error();
}

int iso__sys_socket_connect_result(iso_fd fd)
{
    int error = 0;
    int size = sizeof(error);

    if (getsockopt((SOCKET)fd, SOL_SOCKET, SO_ERROR, (char *)&error, &size) != 0)
        return iso__socket_error();
    return error == 0 ? 0 : iso__sys_error(error);
}

/* What accept makes is as blocking as its listener, which may be the caller's, and inherited
 * always. */
static int set_up_accepted(SOCKET taken)
{
    if (!SetHandleInformation((HANDLE)taken, HANDLE_FLAG_INHERIT, 0))
        return iso__sys_error((int)GetLastError());
    return set_nonblocking(taken);
}

int iso__sys_socket_accept(iso_fd fd, iso_fd *out, iso_address *peer)
{
    SOCKADDR_STORAGE native;
    int size = sizeof(native);
    SOCKET taken = accept((SOCKET)fd, (struct sockaddr *)&native, &size);
    int rc;

    if (taken == INVALID_SOCKET) return iso__socket_error();
    rc = set_up_accepted(taken);
    if (rc != 0) {
        (void)closesocket(taken);
        return rc;
    }
    if (peer != NULL) iso__address_keep(peer, &native, size);
    *out = (iso_fd)taken;
    return 0;
}

/* "Terminated by the remote peer prior to accepting the call" is WSAECONNRESET (accept); for
 * AcceptEx it is ERROR_NETNAME_DELETED (CPython issue 93821), which has the same name here; Wine
 * says WSAENOTCONN, which a sound listener never is told. */
bool iso__sys_socket_accept_is_transient(int error)
{
    return error == ISO_ECONNRESET || error == ISO_ECONNABORTED || error == ISO_ENOTCONN;
}

/* ---- bytes ---- */

/* Winsock takes a send of any size whole while its buffer has room, into memory that cannot be
 * paged, or says WSAENOBUFS. So none is larger than this, as in Twisted and the JDK, and a
 * transport's water marks mean something. Source: Microsoft KB 214397; pika issue 14. */
enum { SEND_MAX = 128 * 1024 };

ptrdiff_t iso__sys_socket_recv(iso_fd fd, void *data, size_t size)
{
    int room = size < INT_MAX ? (int)size : INT_MAX;
    int got = recv((SOCKET)fd, data, room, 0);

    if (got >= 0) return got;
    /* A datagram, and cut off: its beginning is there. */
    return WSAGetLastError() == WSAEMSGSIZE ? room : iso__socket_error();
}

ptrdiff_t iso__sys_socket_send(iso_fd fd, const void *data, size_t size)
{
    int sent = send((SOCKET)fd, data, size < SEND_MAX ? (int)size : SEND_MAX, 0);

    return sent >= 0 ? sent : iso__socket_error();
}

DWORD iso__socket_pieces(WSABUF *pieces, const iso_buffer *list, size_t count)
{
    size_t room = SEND_MAX;
    DWORD used;

    for (used = 0; used < count && used < ISO__SYS_SENDV_MAX && room > 0; used++) {
        size_t size = list[used].size < room ? list[used].size : room;

        pieces[used].buf = (char *)(uintptr_t)list[used].data; /* WSASend only reads */
        pieces[used].len = (ULONG)size;
        room -= size;
    }
    return used;
}

ptrdiff_t iso__sys_socket_sendv(iso_fd fd, const iso_buffer *list, size_t count)
{
    WSABUF pieces[ISO__SYS_SENDV_MAX];
    DWORD used = iso__socket_pieces(pieces, list, count);
    DWORD sent = 0;

    if (used == 0) return 0;
    if (WSASend((SOCKET)fd, pieces, used, &sent, 0, NULL, NULL) != 0) return iso__socket_error();
    return (ptrdiff_t)sent;
}

int iso__sys_socket_shutdown_write(iso_fd fd)
{
    return shutdown((SOCKET)fd, SD_SEND) == 0 ? 0 : iso__socket_error();
}

/* ---- datagrams ---- */

int iso__sys_datagram_set_broadcast(iso_fd fd, bool on)
{
    const DWORD value = on ? 1 : 0;
    int rc = setsockopt((SOCKET)fd, SOL_SOCKET, SO_BROADCAST, (const char *)&value, sizeof(value));

    return rc == 0 ? 0 : iso__socket_error();
}

ptrdiff_t iso__sys_datagram_recv(iso_fd fd, void *data, size_t size, iso_address *from)
{
    SOCKADDR_STORAGE native;
    int length = sizeof(native);
    int got;
    int rc;

    native.ss_family = AF_UNSPEC;
    got = recvfrom((SOCKET)fd, data, size < INT_MAX ? (int)size : INT_MAX, 0,
                   (struct sockaddr *)&native, &length);
    rc = got < 0 ? iso__socket_error() : 0;
    if (rc == 0 || rc == ISO_EMSGSIZE) iso__address_keep(from, &native, length);
    return rc == 0 ? got : rc;
}

ptrdiff_t iso__sys_datagram_send(iso_fd fd, const iso_buffer *data, const iso_address *to)
{
    int size = data->size < INT_MAX ? (int)data->size : INT_MAX; /* too large in any case */
    int sent = to != NULL ? sendto((SOCKET)fd, data->data, size, 0, native_of(to), (int)to->length)
                          : send((SOCKET)fd, data->data, size, 0);

    return sent >= 0 ? sent : iso__socket_error();
}
