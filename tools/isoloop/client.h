/* SPDX-License-Identifier: MIT */
/* The clients of a trial: each sends a message of its own pattern, and compares what comes back. */
#ifndef CLIENT_H
#define CLIENT_H

#include "pattern.h"
#include <isoloop.h>

typedef struct client client;

/* What the clients of one trial have in common. */
typedef struct client_party {
    iso_loop *loop;
    pattern pattern;
    uint16_t port; /* of the server, at 127.0.0.1 */
    size_t size;   /* of a message */
    uint64_t made; /* connections, so far */
    uint64_t lost; /* of these; as many, in the end */
    /* A message is back, every byte as it was sent. */
    void (*echoed)(void *owner, client *from, iso_nsec latency);
    /* It is over for this client. `error` is a code of the library; ISO_OK when the server closed a
     * connection, or when bytes were wrong. `sentence` is borrowed. */
    void (*failed)(void *owner, client *from, const char *sentence, int error);
    void *owner;
} client_party;

struct client {
    client_party *party;
    iso_transport *transport; /* NULL before connection_made and after connection_lost */
    uint64_t index;           /* chooses its bytes */
    uint64_t position;        /* in its stream, of the message under way */
    size_t received;          /* of that message */
    uint64_t left;            /* messages still to be sent: for the owner's use */
    iso_nsec sent_at;
    bool dismissed; /* nothing is expected of it, and nothing is told about it */
};

/* Connect, and send a first message. Returns 0, or why it could not even begin. The client stays
 * where it is until its loop is closed. */
int client_connect(client *out, client_party *party, uint64_t index);

/* Send the next message; the one before must be back. */
void client_send(client *of);

/* Close the connection, or, if it is still being made, as soon as it is. No more is told. */
void client_dismiss(client *of);

#endif
