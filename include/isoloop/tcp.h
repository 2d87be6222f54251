/* SPDX-License-Identifier: MIT */
/* TCP servers and connections. asyncio's create_server, Server and create_connection are the
 * models. */
#ifndef ISOLOOP_TCP_H
#define ISOLOOP_TCP_H

#include "loop.h"
#include "transport.h"

ISO_BEGIN_DECLS

/* ---- servers -------------------------------------------------------------------------------- */

typedef struct iso_server_options {
    size_t size;              /* of this struct: use the macro */
    const char *host;         /* a name or a literal; NULL and "": every interface */
    const char *const *hosts; /* several of them, instead of `host` */
    size_t host_count;
    uint16_t port;         /* 0: one that is free, for each address its own */
    int family;            /* 0: every one; 4 or 6: that one alone */
    int backlog;           /* 0: 100 */
    bool reuse_port;       /* several processes share the port; not on Windows */
    bool start_serving;    /* false: iso_server_start_serving does it later */
    iso_fd sock;           /* a bound socket instead of host and port; given to the server */
    bool no_reuse_address; /* POSIX: leave SO_REUSEADDR off */
} iso_server_options;

#define ISO_SERVER_OPTIONS_INIT                                                                    \
    {                                                                                              \
        sizeof(iso_server_options), NULL, NULL, 0, 0, 0, 0, false, true, ISO_FD_NONE, false        \
    }

/* Listen; each connection gets `protocol` and `self` (connection_made may give it its own, with
 * iso_transport_set_protocol). *out, if not NULL, is a future of an iso_server.
 * Returns 0; ISO_EINVAL (no protocol, both host and sock, an unknown family, a sock that is no
 * stream socket), ISO_ENOTSUP (a limits row: reuse_port), ISO_ELIMIT (another), ISO_EBADF,
 * ISO_ENOTSOCK, ISO_EBUSY (`sock`), ISO_ENOMEM, ISO_ECLOSED, ISO_ETHREAD. What the system answers
 * to bind and listen, and a name that is not found, end the future; if one address fails, none
 * stays open, but one that this system lacks (no IPv6) is passed over.
 * Ownership: protocol is lent until the server and its connections are closed; `sock` is given once
 * the call returned 0; options are borrowed. Source: loop.create_server. */
ISO_API int iso_loop_create_server(iso_loop *loop, const iso_protocol *protocol, void *self,
                                   const iso_server_options *options, iso_future **out);

/* Begin to accept. Returns 0, also the second time; ISO_ECLOSED, or what listen failed with.
 * Source: Server.start_serving, is_serving. */
ISO_API int iso_server_start_serving(iso_server *server);
ISO_API bool iso_server_is_serving(const iso_server *server);

/* Stop listening now; connections stay. Twice is fine. Without connections the loop lets go of the
 * server in the next turn. Source: Server.close. */
ISO_API int iso_server_close(iso_server *server);

/* Close, or abort, every connection that it accepted. Source: Server.close_clients,
 * abort_clients. */
ISO_API int iso_server_close_clients(iso_server *server);
ISO_API int iso_server_abort_clients(iso_server *server);

/* A future that is done when the server is closed and its last connection lost.
 * Returns 0, ISO_ENOMEM, ISO_ETHREAD, ISO_ECLOSED (the loop). Source: Server.wait_closed. */
ISO_API int iso_server_wait_closed(iso_server *server, iso_future **out);

/* The addresses that it listens on: how many, and each. 0 once it is closed.
 * iso_server_address returns 0, ISO_ENOENT (no such index), or what the system answers.
 * Source: Server.sockets. */
ISO_API size_t iso_server_address_count(const iso_server *server);
ISO_API int iso_server_address(const iso_server *server, size_t index, iso_address *out);

/* How many connections it has. */
ISO_API size_t iso_server_client_count(const iso_server *server);

ISO_API iso_loop *iso_server_get_loop(const iso_server *server);

/* Share it, and give the reference back. The loop holds one while it listens or has connections.
 * NULL is fine for release. Thread: loop. */
ISO_API iso_server *iso_server_ref(iso_server *server);
ISO_API void iso_server_release(iso_server *server);

/* ---- connections ---------------------------------------------------------------------------- */

typedef struct iso_connection_options {
    size_t size;      /* of this struct: use the macro */
    const char *host; /* a name or a literal */
    uint16_t port;
    int family;                    /* 0: every one; 4 or 6: that one alone */
    const char *local_host;        /* a literal to bind to; NULL: the system chooses */
    uint16_t local_port;           /* for local_host */
    iso_nsec happy_eyeballs_delay; /* until the next address is tried too; 0: one after another */
    int interleave; /* so many of the first family, then by turns; 0: 1, if there is a delay */
    iso_fd sock;    /* a connected socket instead; given to the transport */
} iso_connection_options;

#define ISO_CONNECTION_OPTIONS_INIT                                                                \
    {                                                                                              \
        sizeof(iso_connection_options), NULL, 0, 0, NULL, 0, 0, 0, ISO_FD_NONE                     \
    }

/* Connect to the first address that answers, all of them tried in turn; a name is looked up in a
 * thread, a literal at once. *out, if not NULL, is a future of an iso_transport, done after
 * connection_made. Cancelling the future gives up.
 * Returns 0; ISO_EINVAL (no protocol, no host and no sock, or both; a local_host that is no
 * literal; a sock that is no stream socket), ISO_ELIMIT (a limits row), ISO_EBADF, ISO_ENOTSOCK,
 * ISO_EBUSY (`sock`), ISO_ENOMEM, ISO_ECLOSED, ISO_ETHREAD. What the network answers ends
 * the future: the last error; iso_future_attempts has all of them.
 * Ownership: protocol is lent until the connection is lost; `sock` is given once the call returned
 * 0; options are borrowed. Source: loop.create_connection, RFC 8305 (happy eyeballs). */
ISO_API int iso_loop_create_connection(iso_loop *loop, const iso_protocol *protocol, void *self,
                                       const iso_connection_options *options, iso_future **out);

ISO_END_DECLS

#endif
