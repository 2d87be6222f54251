/* SPDX-License-Identifier: MIT */
/* Stream transports, for those who make them: servers and connections. */
#ifndef ISO_IO_STREAM_H
#define ISO_IO_STREAM_H

#include "isoloop/transport.h"
#include "loop/object.h"

/* Who made a transport, and wants to know when its connection_made and its connection_lost have
 * been called; the latter exactly once, even if the former never was. */
typedef struct iso__stream_owner {
    void (*made)(void *owner, iso_transport *transport);
    void (*lost)(void *owner, iso_transport *transport);
} iso__stream_owner;

/* Make a transport of a connected socket; connection_made comes in the next turn, then reading
 * starts.
 * Returns 0, ISO_ENOMEM, ISO_ELIMIT (a limits row), ISO_EBUSY, and the socket is still the
 * caller's; 0: it is given. The transport is open: *out is borrowed from the loop. */
int iso__stream_new(iso_transport **out, iso_loop *loop, iso_fd fd, const iso_protocol *protocol,
                    void *self, const iso__stream_owner *owner_kind, void *owner);

/* The object of a transport, to share it; and the transport of one of a loop's open objects, NULL
 * when it is something else. */
iso__object *iso__stream_object(iso_transport *transport);
iso_transport *iso__stream_of_object(iso__object *object);

/* Who made it; NULL: nobody who is interested any more. */
void *iso__stream_owner_of(const iso_transport *transport);

/* Its owner has lost interest: neither of his functions is called again. */
void iso__stream_disown(iso_transport *transport);

#endif
