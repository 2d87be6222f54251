/* SPDX-License-Identifier: MIT */
/* Datagram transports, for those who make them. */
#ifndef ISO_IO_DATAGRAM_H
#define ISO_IO_DATAGRAM_H

#include "isoloop/datagram.h"
#include "loop/object.h"

/* Who made a transport, and wants to know once: that connection_made was called, or, when the loop
 * closes before that, that it will not be. */
typedef struct iso__datagram_owner {
    void (*made)(void *owner, iso__object *object);
    void (*lost)(void *owner);
} iso__datagram_owner;

typedef struct iso__datagram_source {
    iso_fd fd;
    iso_address remote; /* of one that is not connected: to whom all goes; length 0: to anybody */
    const iso_datagram_protocol *protocol;
    void *self;
    const iso__datagram_owner *owner_kind;
    void *owner;
} iso__datagram_source;

/* Make a transport of a datagram socket; connection_made comes in the next turn, then reading
 * starts. Returns and owns as iso__stream_new. Thread: loop. */
int iso__datagram_new(iso_datagram_transport **out, iso_loop *loop,
                      const iso__datagram_source *source);

/* Its owner has lost interest: neither of his functions is called again. */
void iso__datagram_disown(iso_datagram_transport *transport);

#endif
