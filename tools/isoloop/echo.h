/* SPDX-License-Identifier: MIT */
/* The echo application: what comes in goes out again. `isoloop echo` and `isoloop demo` serve
 * it. */
#ifndef ECHO_H
#define ECHO_H

#include <isoloop.h>

/* What the connections of one server share; the protocol's `self`. */
typedef struct echo_service {
    iso_server *server;       /* to be closed after `max_connections`; may be NULL with that at 0 */
    uint64_t max_connections; /* 0: no end */
    uint64_t connections;     /* so far */
    uint64_t bytes;           /* that came in */
    uint64_t broken;          /* connections that ended with an error */
} echo_service;

extern const iso_protocol echo_protocol;

#endif
