/* SPDX-License-Identifier: MIT */
/* Unix domain sockets: stream servers and connections by the path of a file. asyncio's
 * create_unix_server and create_unix_connection are the models.
 *
 * On Windows both calls answer ISO_ENOTSUP before anything else happens (iso_loop_supports,
 * ISO_CAP_UNIX_SOCKETS), but on a loop of the profile native where the system has such sockets
 * (Windows 10, 1803): its paths are UTF-8, of its peers only the process is known, and no
 * descriptors are handed over. Where it has none the functions below that take a socket answer
 * ISO_ENOTSUP, too.
 *
 * A path ends with its NUL, or is `path_length` bytes long if that is not 0. Such a one may begin
 * with a NUL byte: it is an abstract name then, which is no file, and which Linux alone has.
 * Otherwise no NUL is in it. The systems take about a hundred bytes: 107 on Linux and Windows, 103
 * elsewhere; ISO_EINVAL for a longer one, and iso_error_detail says what is wrong.
 *
 * What these transports answer for "peername" and "sockname" is an empty address, and so is a
 * server's: iso_address has room for internet addresses only. Ask iso_unix_getpeername and
 * iso_unix_getsockname about their "socket". */
#ifndef ISOLOOP_UNIX_H
#define ISOLOOP_UNIX_H

#include "tcp.h"

ISO_BEGIN_DECLS

/* ---- servers -------------------------------------------------------------------------------- */

typedef struct iso_unix_server_options {
    size_t size; /* of this struct: use the macro */
    const char *path;
    size_t path_length; /* 0: up to the NUL */
    int backlog;        /* 0: 100 */
    bool start_serving; /* false: iso_server_start_serving does it later */
    bool keep_socket;   /* leave the file where it is when the server closes */
    iso_fd sock;        /* a bound unix stream socket instead of a path; given to the server */
} iso_unix_server_options;

#define ISO_UNIX_SERVER_OPTIONS_INIT                                                               \
    {                                                                                              \
        sizeof(iso_unix_server_options), NULL, 0, 0, true, false, ISO_FD_NONE                      \
    }

/* Listen at a path; otherwise as iso_loop_create_server. A socket that is there already is removed
 * first, whoever made it; anything else is not, and the address is in use. When the server closes
 * it removes its own socket file, if that is still the one at the path.
 * Returns 0; ISO_ENOTSUP (a limits row; an abstract name where there is none); ISO_EINVAL (no
 * protocol, a path that can't be, both path and sock, a sock that is no unix stream socket),
 * ISO_ELIMIT (a limits row), ISO_EBADF, ISO_ENOTSOCK, ISO_EBUSY (`sock`), ISO_ENOMEM, ISO_ECLOSED,
 * ISO_ETHREAD. What the system answers ends the future: ISO_EADDRINUSE, with a detail, ISO_ENOENT
 * (no such folder), ISO_EACCES, ISO_EMFILE and others.
 * Ownership: protocol is lent until the server and its connections are closed; `sock` is given once
 * the call returned 0; options are borrowed. Source: loop.create_unix_server. */
ISO_API int iso_loop_create_unix_server(iso_loop *loop, const iso_protocol *protocol, void *self,
                                        const iso_unix_server_options *options, iso_future **out);

/* ---- connections ---------------------------------------------------------------------------- */

typedef struct iso_unix_connection_options {
    size_t size; /* of this struct: use the macro */
    const char *path;
    size_t path_length; /* 0: up to the NUL */
    iso_fd sock;        /* a connected unix stream socket instead; given to the transport */
} iso_unix_connection_options;

#define ISO_UNIX_CONNECTION_OPTIONS_INIT                                                           \
    {                                                                                              \
        sizeof(iso_unix_connection_options), NULL, 0, ISO_FD_NONE                                  \
    }

/* Connect to the server at a path. Where the system says that its backlog is full (Linux; the
 * others refuse) it is tried again, until the future is cancelled. *out, if not NULL, is a future
 * of an iso_transport, done after connection_made.
 * Returns 0; ISO_ENOTSUP (a limits row; an abstract name where there is none); ISO_EINVAL (no
 * protocol, neither path nor sock, or both, a path that can't be, a sock that is no unix stream
 * socket), ISO_ELIMIT (a limits row), ISO_EBADF, ISO_ENOTSOCK, ISO_EBUSY (`sock`), ISO_ENOMEM,
 * ISO_ECLOSED, ISO_ETHREAD. What the system answers ends the future: ISO_ENOENT, ISO_ECONNREFUSED
 * (nobody listens there), ISO_EACCES, ISO_EMFILE and others.
 * Ownership: protocol is lent until the connection is lost; `sock` is given once the call returned
 * 0; options are borrowed. Source: loop.create_unix_connection. */
ISO_API int iso_loop_create_unix_connection(iso_loop *loop, const iso_protocol *protocol,
                                            void *self, const iso_unix_connection_options *options,
                                            iso_future **out);

/* ---- a socket's names, and who is at the other end ------------------------------------------- */

/* Enough for every path, and the NUL that is put behind it. */
enum { ISO_UNIX_PATH_BYTES = 128 };

/* The path that a server listens at; that a socket is bound to; that its peer is bound to. *length,
 * unless it is NULL, is how long it is: 0 for a socket that has no name, as a client's. An abstract
 * name begins with a NUL byte.
 * Return 0; ISO_ENOBUFS (`size` is too small), ISO_EINVAL (not a unix socket), ISO_ENOENT (the
 * server is closed), ISO_ENOTSUP, or what the system answers. Thread: the server's loop; any.
 * Source: socket.getsockname, getpeername; asyncio, Server.sockets. */
ISO_API int iso_server_unix_path(const iso_server *server, char *path, size_t size, size_t *length);
ISO_API int iso_unix_getsockname(iso_fd sock, char *path, size_t size, size_t *length);
ISO_API int iso_unix_getpeername(iso_fd sock, char *path, size_t size, size_t *length);

/* A process, as the system knows it. */
typedef struct iso_unix_credentials {
    int64_t pid; /* -1: this system does not tell */
    int64_t uid; /* -1, and the next, too: users are no numbers (Windows) */
    int64_t gid;
} iso_unix_credentials;

/* Who connected, or, for a client, who listened, when that happened: the effective user and group.
 * Of a transport's "socket" for example.
 * Returns 0; ISO_ENOTCONN, ISO_EINVAL (not a unix socket), ISO_ENOTSUP, or what the system answers.
 * Thread: any. Source: unix(7), SO_PEERCRED; getpeereid; LOCAL_PEERCRED. */
ISO_API int iso_unix_peercred(iso_fd sock, iso_unix_credentials *out);

/* ---- handing descriptors over ---------------------------------------------------------------- */

/* Send some bytes, at least one, and a descriptor with the first of them. The socket is one's own,
 * a unix stream socket that no transport has; it is made non-blocking, and sends what it can at
 * once. Both stay the caller's: the other side gets a copy, and `fd` may be closed right away.
 * Returns how many bytes went, the descriptor with them; ISO_EAGAIN: nothing did;
 * ISO_EINVAL (no byte; not a unix socket), ISO_EBADF, ISO_ENOTSOCK, ISO_ENOTSUP, or what the system
 * answers. Thread: any. Source: unix(7), SCM_RIGHTS; socket.send_fds. */
ISO_API ptrdiff_t iso_unix_send_fd(iso_fd sock, iso_fd fd, const void *data, size_t size);

/* Receive some bytes, and in *fd the descriptor that came with them, or ISO_FD_NONE. It is not
 * inherited by programs that are started, and the caller owns it.
 * Returns how many bytes, 0 at the end of the stream; ISO_EAGAIN: there is nothing yet;
 * ISO_EMSGSIZE: more than one descriptor came at once, or this process has none left: none of them
 * stays open, and the bytes are lost; ISO_EINVAL (no room; not a unix socket), ISO_EBADF,
 * ISO_ENOTSOCK, ISO_ENOTSUP, or what the system answers. *fd is untouched then. Thread: any.
 * Source: unix(7), MSG_CTRUNC; socket.recv_fds. */
ISO_API ptrdiff_t iso_unix_recv_fd(iso_fd sock, void *data, size_t size, iso_fd *fd);

ISO_END_DECLS

#endif
