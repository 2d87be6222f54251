/* SPDX-License-Identifier: MIT */
/* One listening socket: it accepts, and rests when the system has nothing left to accept with. */
#ifndef ISO_IO_LISTENER_H
#define ISO_IO_LISTENER_H

#include "loop/loop.h"

typedef struct iso__listener iso__listener;

/* Who listens. */
typedef struct iso__listener_owner {
    /* A connection, given with its descriptor. Returns 0, or why it was not taken: it is closed
     * then. */
    int (*connected)(void *owner, iso_fd fd);
    /* Something to tell the exception handler; it may do anything to the server. */
    void (*failed)(void *owner, const char *message, int error);
} iso__listener_owner;

struct iso__listener {
    iso__io io;
    iso_loop *loop;
    const iso__listener_owner *owner_kind;
    void *owner;
    iso_handle rest;      /* the timer that ends a rest */
    iso_nsec quiet_until; /* no report of refused connections before */
    int backlog;
    bool is_open;
    bool is_accepting;
};

typedef struct iso__listener_options {
    bool no_reuse_address;
    bool reuse_port;
    int backlog;
} iso__listener_options;

/* Bind a new socket to an address. `self` is zeroed, with loop, owner and owner_kind set.
 * Returns 0, ISO_ELIMIT (a limits row), or what the system answers; everything is as before
 * then. */
int iso__listener_bind(iso__listener *self, const iso_address *address,
                       const iso__listener_options *options);

/* The same for a socket that is bound already; given when it returns 0. */
int iso__listener_adopt(iso__listener *self, iso_fd fd, int backlog);

/* Listen and accept. Returns 0, or what the system answers. */
int iso__listener_start(iso__listener *self);

/* Close the socket. One that is not open is left alone. */
void iso__listener_close(iso__listener *self);

#endif
