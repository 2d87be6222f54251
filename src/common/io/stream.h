/* SPDX-License-Identifier: MIT */
/* Stream transports, for those who make them: servers and connections. */
#ifndef ISO_IO_STREAM_H
#define ISO_IO_STREAM_H

#include "engine/op.h"
#include "isoloop/transport.h"
#include "loop/loan.h"
#include "loop/object.h"

/* Who made a transport, and wants to know when its connection_made and its connection_lost have
 * been called; the latter exactly once, even if the former never was. */
typedef struct iso__stream_owner {
    void (*made)(void *owner, iso_transport *transport);
    void (*lost)(void *owner, iso_transport *transport);
} iso__stream_owner;

/* What a stream is made of: a connected socket, or a pipe that is read, written, or both. */
typedef struct iso__stream_source {
    iso_fd fd;
    iso__medium medium;
    unsigned uses; /* ISO__PIPE_READS, ISO__PIPE_WRITES, ISO__PIPE_UNWATCHED; 0: a socket's, both */
    const iso_protocol *protocol;
    void *self;
    const iso__stream_owner *owner_kind;
    void *owner;
} iso__stream_source;

/* Make a transport; connection_made comes in the next turn, then reading starts.
 * Returns 0, ISO_ENOMEM, ISO_ELIMIT and other rows of the limits table, ISO_EBUSY, and the
 * descriptor is still the caller's; 0: it is given. The transport is open: *out is borrowed from
 * the loop. */
int iso__stream_new(iso_transport **out, iso_loop *loop, const iso__stream_source *source);

/* The object of a transport, to share it; and the transport of one of a loop's open objects, NULL
 * when it is something else. */
iso__object *iso__stream_object(iso_transport *transport);
iso_transport *iso__stream_of_object(iso__object *object);

/* Who made it; NULL: nobody who is interested any more. */
void *iso__stream_owner_of(const iso_transport *transport);

/* Borrow the writing side: writing answers ISO_EBUSY from here on, and reading is paused.
 * Returns 0: granted; ISO_EINPROGRESS: `granted` is called once what is buffered is sent;
 * ISO_ECLOSED (closing), ISO_EINVALIDSTATE (write_eof was called, or it can't be written),
 * ISO_EBUSY (lent already), and nothing is lent. close, abort and the connection's loss revoke it.
 * And give it back: reading goes on, unless the program has paused it meanwhile. */
int iso__stream_borrow(iso_transport *transport, iso__loan *loan);
void iso__stream_give_back(iso__loan *loan);

/* It broke while a borrower wrote: connection_lost(error) comes, and the loan is revoked. */
void iso__stream_break(iso_transport *transport, int error);

/* Its owner has lost interest: neither of his functions is called again. */
void iso__stream_disown(iso_transport *transport);

#endif
