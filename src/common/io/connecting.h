/* SPDX-License-Identifier: MIT */
/* A connection in the making: a future, and the transport that it will be of. What comes before
 * there is a descriptor is its maker's, whose struct begins with an iso__connecting: connect.c,
 * unix.c, pipe.c, connect_pipe.c. Thread: loop, throughout. */
#ifndef ISO_IO_CONNECTING_H
#define ISO_IO_CONNECTING_H

#include "io/stream.h"
#include "loop/future.h"

typedef struct iso__connecting iso__connecting;

struct iso__connecting {
    iso__object object;
    iso_future *future;
    const iso_protocol *protocol;
    void *self;
    iso_transport *transport; /* NULL: nothing is connected yet */
    /* It ends: stop what the maker has under way, if anything, and close what he has not given.
     * NULL: there is no such thing. */
    void (*stop)(iso__connecting *self);
};

/* The rest of the maker's iso__object_class, beside name and size. */
void iso__connecting_abandon(iso__object *object);
void iso__connecting_finish(iso__object *object);

/* Open what iso__object_new made, its protocol, self and stop filled in; from here on it is the
 * loop's. Returns 0, or what iso__future_start answers: it is gone then. */
int iso__connecting_open(iso__connecting *self);

/* There is a socket, or a pipe, or a socket that stands for one, and its uses: make the transport
 * of it. The future ends after connection_made. Return what iso__stream_new answers. */
int iso__connecting_use(iso__connecting *self, iso_fd fd);
int iso__connecting_use_pipe(iso__connecting *self, iso_fd fd, iso__medium medium, unsigned uses);

/* The same for a socket that the program made: ISO_EBADF, ISO_ENOTSOCK too. */
int iso__connecting_adopt(iso__connecting *self, iso_fd fd);

/* It is over: the future ends with the error. The last thing that its caller does: the exception
 * handler may be called. */
void iso__connecting_fail(iso__connecting *self, int error);

/* It never began: nobody has the future, and the call answers `rc`. */
int iso__connecting_refuse(iso__connecting *self, int rc);

#endif
