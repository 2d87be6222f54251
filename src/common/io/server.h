/* SPDX-License-Identifier: MIT */
/* Servers, for create_server, and for those who accept otherwise than from a listening socket. */
#ifndef ISO_IO_SERVER_H
#define ISO_IO_SERVER_H

#include "io/listener.h"
#include "isoloop/tcp.h"

/* What hands a server its clients when no listening socket does: the instances of a named pipe. */
typedef struct iso__entrance iso__entrance;
struct iso__entrance {
    /* Stop at once, and free it. */
    void (*close)(iso__entrance *self);
};

/* A server without a listener; the caller owns the one reference. NULL: out of memory. */
iso_server *iso__server_new(iso_loop *loop, const iso_protocol *protocol, void *self);

/* Open: bind to every address (one that this system lacks is passed over, if another is left), or
 * take a bound socket, given when it returns 0. Returns 0, ISO_ELIMIT (a limits row), ISO_ENOMEM,
 * or what the system answers; nothing is open then. */
int iso__server_bind(iso_server *server, const iso_address *addresses, size_t count,
                     const iso__listener_options *options);
int iso__server_adopt(iso_server *server, iso_fd fd, int backlog);

/* Open, and serve: an entrance, given, has begun to accept. */
void iso__server_open(iso_server *server, iso__entrance *entrance);

/* For an entrance: a client, given when it returns 0. Returns what iso__stream_new does. */
int iso__server_take(iso_server *server, iso_fd fd, iso__medium medium);

/* For an entrance: tell the exception handler, which may close the server: it is the last thing
 * that an entrance does. */
void iso__server_report(iso_server *server, const char *message, int error);

/* Have `closing` called once, when the server closes, while its listeners are still open. For a
 * server that is open; one such function each. */
void iso__server_on_closing(iso_server *server, void (*closing)(void *arg), void *arg);

/* The socket of one of its listeners, borrowed. Returns 0 or ISO_ENOENT (no such index). */
int iso__server_socket(const iso_server *server, size_t index, iso_fd *out);

iso__object *iso__server_object(iso_server *server);

#endif
