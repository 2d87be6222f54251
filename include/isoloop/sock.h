/* SPDX-License-Identifier: MIT */
/* Operations on a socket of one's own, as futures. asyncio's loop.sock_* are the models.
 *
 * The socket is made non-blocking, and must stay open until the future is done; one read (recv,
 * recvfrom or accept) and one write (sendall, sendto or connect) at a time. What can be done at
 * once may be done, and the future with it, when the call returns; its callbacks come from a turn
 * in any case. Each function returns 0; ISO_EBADF, ISO_ENOTSOCK, ISO_EINVAL; ISO_EBUSY (one of
 * its kind is under way, or the socket has a watcher or a transport); ISO_ELIMIT (a limits row),
 * ISO_ENOMEM, ISO_ECLOSED, ISO_ETHREAD. What the network answers ends the future; cancelling the
 * future ends the operation. `out` may be NULL. */
#ifndef ISOLOOP_SOCK_H
#define ISOLOOP_SOCK_H

#include "loop.h"

ISO_BEGIN_DECLS

/* Make a non-blocking socket of streams, or of datagrams, that programs started later do not
 * inherit; `version` 4 or 6. And close it; iso_socket_close returns 0 or what the system answers.
 * Thread: any. */
ISO_API int iso_socket_new(iso_fd *out, int version);
ISO_API int iso_socket_new_datagram(iso_fd *out, int version);
ISO_API int iso_socket_close(iso_fd sock);

/* Bind, and listen; what the system answers. Thread: any. */
ISO_API int iso_socket_bind(iso_fd sock, const iso_address *address);
ISO_API int iso_socket_listen(iso_fd sock, int backlog);
ISO_API int iso_socket_getsockname(iso_fd sock, iso_address *out);

/* Two stream sockets that are connected to each other, non-blocking. Thread: any.
 * Source: socket.socketpair. */
ISO_API int iso_socketpair(iso_fd out[2]);

/* Read up to `size` bytes; the future's number says how many, 0 at the end of the stream.
 * Ownership: `buffer` is lent until done. Source: loop.sock_recv_into. */
ISO_API int iso_loop_sock_recv_into(iso_loop *loop, iso_fd sock, void *buffer, size_t size,
                                    iso_future **out);

/* Read up to `size` bytes into memory of the future: its result points to the bytes, which are its
 * own, and its number says how many. Source: loop.sock_recv. */
ISO_API int iso_loop_sock_recv(iso_loop *loop, iso_fd sock, size_t size, iso_future **out);

/* Write all of it. ISO_ENOMEM and ISO_ELIMIT end the future if a part was sent already.
 * Ownership: `data` is lent until done. Source: loop.sock_sendall. */
ISO_API int iso_loop_sock_sendall(iso_loop *loop, iso_fd sock, const void *data, size_t size,
                                  iso_future **out);

/* What sock_recvfrom received. */
typedef struct iso_datagram {
    const void *data;
    size_t size;
    iso_address from; /* length 0: from nobody that has an internet address */
} iso_datagram;

/* Receive one datagram, which may be empty, of at most `size` bytes: what is longer is cut off
 * without a word, as recvfrom does it, on Windows too. The future's number says how many bytes
 * came; its result is an iso_datagram, its own, whose `data` points to `buffer`, or to memory of
 * the future. On every kind of loop: the documents refuse datagram endpoints to a proactor, not
 * these. Of a socket of streams it reads what is there, from nobody.
 * Ownership: `buffer` is lent until done. Source: loop.sock_recvfrom, sock_recvfrom_into. */
ISO_API int iso_loop_sock_recvfrom(iso_loop *loop, iso_fd sock, size_t size, iso_future **out);
ISO_API int iso_loop_sock_recvfrom_into(iso_loop *loop, iso_fd sock, void *buffer, size_t size,
                                        iso_future **out);

/* Send one datagram, which may be empty, to `to`, or, NULL, to whom the socket is connected; the
 * future's number is its size. Ownership: `data` is lent until done, `to` is borrowed.
 * Source: loop.sock_sendto. */
ISO_API int iso_loop_sock_sendto(iso_loop *loop, iso_fd sock, const void *data, size_t size,
                                 const iso_address *to, iso_future **out);

/* Accept one connection; the future's number is the new descriptor, non-blocking; the caller owns
 * it. When nobody holds the future, nor waits for it, the connection is closed. Source:
 * loop.sock_accept. */
ISO_API int iso_loop_sock_accept(iso_loop *loop, iso_fd sock, iso_future **out);

/* Connect. Source: loop.sock_connect. */
ISO_API int iso_loop_sock_connect(iso_loop *loop, iso_fd sock, const iso_address *address,
                                  iso_future **out);

ISO_END_DECLS

#endif
