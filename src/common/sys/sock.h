/* SPDX-License-Identifier: MIT */
/* Sockets, as every backend needs them: non-blocking, not inherited, never a SIGPIPE. (The header
 * is not called socket.h, which is a name of the system's in a folder of this name.)
 *
 * Each function returns 0, or a count, or the ISO_E code of what the system answered. A call that a
 * signal interrupts is made again. Ownership: the caller's, unless it says so. Thread: any. */
#ifndef ISO_SYS_SOCK_H
#define ISO_SYS_SOCK_H

#include "isoloop/base.h"

/* Make the process ready for sockets (WSAStartup); cheap the second time. Returns 0 or an error. */
int iso__sys_socket_startup(void);

/* A stream socket for addresses of this version, 4 or 6. On macOS with SO_NOSIGPIPE. */
int iso__sys_socket_open(iso_fd *out, int version);

/* Two connected ones (socketpair; a loopback TCP pair on Windows, its peer checked). */
int iso__sys_socketpair(iso_fd out[2]);

/* Close; what is unsent goes on in the background. Closes even when it answers an error. */
int iso__sys_socket_close(iso_fd fd);

/* Close so that the peer sees a reset (SO_LINGER, 0 s). */
void iso__sys_socket_reset(iso_fd fd);

/* Take over a socket that the program made: non-blocking, no SIGPIPE; what is no socket is refused.
 * Returns 0, ISO_EBADF, ISO_ENOTSOCK or what the system answers. */
int iso__sys_socket_adopt(iso_fd fd);

/* Returns 0 for a socket of streams, or of datagrams; ISO_EINVAL, with a detail, for another one;
 * ISO_EBADF, ISO_ENOTSOCK or what the system answers. Source: asyncio, "A Stream Socket was
 * expected". */
int iso__sys_socket_require_stream(iso_fd fd);
int iso__sys_socket_require_datagram(iso_fd fd);

/* Whether it is a socket of streams; false for what is none. */
bool iso__sys_socket_is_stream(iso_fd fd);

int iso__sys_socket_bind(iso_fd fd, const iso_address *address);
int iso__sys_socket_listen(iso_fd fd, int backlog);
int iso__sys_socket_sockname(iso_fd fd, iso_address *out);
int iso__sys_socket_peername(iso_fd fd, iso_address *out);

/* For a listening socket before bind: SO_REUSEADDR on POSIX if `reuse` (on Windows it would let a
 * stranger take the port: SO_EXCLUSIVEADDRUSE instead, whatever `reuse` says). */
int iso__sys_socket_set_reuse_address(iso_fd fd, bool reuse);

/* SO_REUSEPORT. ISO_ENOTSUP where there is none. */
int iso__sys_socket_set_reuse_port(iso_fd fd);

/* IPV6_V6ONLY on. */
int iso__sys_socket_set_v6only(iso_fd fd);

/* TCP_NODELAY on; an error is not told: a socket that is no TCP socket has no delay. */
void iso__sys_socket_set_nodelay(iso_fd fd);

/* Begin to connect. 0: connected; ISO_EINPROGRESS: wait until it is writable, then ask for the
 * result (SO_ERROR), which is 0 or what went wrong. */
int iso__sys_socket_connect(iso_fd fd, const iso_address *address);
int iso__sys_socket_connect_result(iso_fd fd);

/* Take one connection, set up like one of socket_open. *peer may be NULL.
 * Returns 0, ISO_EAGAIN when there is none, ISO_ECONNABORTED and the like for one that has gone,
 * ISO_EMFILE, ISO_ENFILE, ISO_ENOBUFS, ISO_ENOMEM. */
int iso__sys_socket_accept(iso_fd fd, iso_fd *out, iso_address *peer);

/* Whether an error of accept speaks of that one connection only, and the listener is sound.
 * Source: accept(2) "Error handling"; WSAAccept. */
bool iso__sys_socket_accept_is_transient(int error);

/* Read, and write, what can be at once: a count (0 from recv: the stream has ended), ISO_EAGAIN, or
 * an error. Of a datagram recv reads the beginning, and the rest is gone. sendv takes at most the
 * first ISO__SYS_SENDV_MAX pieces in one call. */
#define ISO__SYS_SENDV_MAX 16
ptrdiff_t iso__sys_socket_recv(iso_fd fd, void *data, size_t size);
ptrdiff_t iso__sys_socket_send(iso_fd fd, const void *data, size_t size);
ptrdiff_t iso__sys_socket_sendv(iso_fd fd, const iso_buffer *list, size_t count);

/* Tell the peer that no more will come (SHUT_WR, SD_SEND). */
int iso__sys_socket_shutdown_write(iso_fd fd);

/* A datagram socket, and whether it may send to every host of a network (SO_BROADCAST). */
int iso__sys_datagram_open(iso_fd *out, int version);
int iso__sys_datagram_set_broadcast(iso_fd fd, bool on);

/* Take one datagram, and who sent it (of a unix socket, nobody): its size, which may be 0;
 * ISO_EAGAIN; ISO_EMSGSIZE for one that is larger than `size`: its beginning, and who sent it, are
 * there, and the rest of it is gone; or an error that an earlier send met (ISO_ECONNREFUSED and the
 * like), after which the socket is sound. Not of a stream, whose bytes Linux would throw away
 * (tcp(7), MSG_TRUNC). */
ptrdiff_t iso__sys_datagram_recv(iso_fd fd, void *data, size_t size, iso_address *from);

/* Send one datagram; `to` NULL: to whom the socket is connected. Its size, ISO_EAGAIN,
 * ISO_EMSGSIZE, or what the system answers. */
ptrdiff_t iso__sys_datagram_send(iso_fd fd, const iso_buffer *data, const iso_address *to);

#endif
