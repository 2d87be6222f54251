/* SPDX-License-Identifier: MIT */
/* Servers, for create_server. */
#ifndef ISO_IO_SERVER_H
#define ISO_IO_SERVER_H

#include "io/listener.h"
#include "isoloop/tcp.h"

/* A server without a listener; the caller owns the one reference. NULL: out of memory. */
iso_server *iso__server_new(iso_loop *loop, const iso_protocol *protocol, void *self);

/* Open: bind to every address (one that this system lacks is passed over, if another is left), or
 * take a bound socket, given when it returns 0. Returns 0, ISO_ELIMIT (a limits row), ISO_ENOMEM,
 * or what the system answers; nothing is open then. */
int iso__server_bind(iso_server *server, const iso_address *addresses, size_t count,
                     const iso__listener_options *options);
int iso__server_adopt(iso_server *server, iso_fd fd, int backlog);

iso__object *iso__server_object(iso_server *server);

#endif
