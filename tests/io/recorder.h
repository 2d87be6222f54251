/* SPDX-License-Identifier: MIT */
/* What the tests of this room share: a protocol that writes down what it is told and does what the
 * case asks of it, and connections to try it on. */
#ifndef ISO_TESTS_IO_RECORDER_H
#define ISO_TESTS_IO_RECORDER_H

#include "kit.h"

typedef struct recorder recorder;
typedef void (*recorder_act)(recorder *self);

enum { RECORDER_TEXT_BYTES = 256 };

/* Everything below `name` may be set by a case before, or while, the connection is there. */
struct recorder {
    kit *k;
    const char *name;         /* its marks: "made", or "name:made"; NULL: it makes none */
    iso_transport *transport; /* borrowed, from connection_made to the end of connection_lost */

    /* What it does when it is told; NULL: nothing. */
    recorder_act when_made;
    recorder_act when_data;
    recorder_act when_eof;
    recorder_act when_lost;
    recorder_act when_paused;
    recorder_act when_resumed;
    recorder_act when_lending; /* buffered: in get_buffer */
    void *context;             /* of these */
    bool stays;                /* what eof_received answers */
    bool is_patterned;         /* what comes should be pattern_byte after pattern_byte */

    int made_count;
    int data_count;
    int eof_count;
    int lost_count;
    int pause_count;
    int resume_count;
    int error;        /* of connection_lost */
    size_t received;  /* bytes, */
    size_t last_size; /* and those of the last call */
    const void *last_data;
    size_t wrong_bytes;
    char text[RECORDER_TEXT_BYTES]; /* the first bytes that came */

    void *lent; /* buffered: what get_buffer hands out */
    size_t lent_size;
};

void recorder_init(recorder *self, kit *k, const char *name);

/* Every slot but those of a buffered protocol; and every slot but data_received. Their marks are
 * "made", "data" (once, however many pieces come one after another), "eof", "paused", "resumed",
 * and "lost", or "lost(ISO_E...)", with a space between them. */
extern const iso_protocol recorder_protocol;
extern const iso_protocol recorder_buffered;

/* Make a transport of a socket of the kit's, and run until it is made. */
void recorder_open(recorder *self, iso_loop *loop, iso_fd fd);
void recorder_open_as(recorder *self, iso_loop *loop, iso_fd fd, const iso_protocol *protocol);

/* Two connected TCP sockets, of the kit's. */
void tcp_pair(kit *k, iso_fd out[2]);

/* A server on 127.0.0.1, at a port that was free; *address, if not NULL, is where. The loop's:
 * close it before the case ends. And the future of create_server, waited for and released. */
iso_server *serve(kit *k, iso_loop *loop, const iso_protocol *protocol, void *self,
                  iso_address *address);
iso_server *serve_with(kit *k, iso_loop *loop, const iso_protocol *protocol, void *self,
                       const iso_server_options *options);

/* Run turns until nothing is open in the loop any more, or fail after a generous time. */
bool run_until_idle(kit *k, iso_loop *loop);

/* Bytes that differ from their neighbours, and from those a buffer or a segment later. */
unsigned char pattern_byte(size_t position);
void pattern_fill(void *out, size_t size, size_t position);
size_t pattern_wrong(const void *data, size_t size, size_t position);

/* Write until the system takes no more at once: something stays in the transport's buffer, so that
 * a later write joins it. What is written is the pattern from `position` on; answers where it
 * ends. */
size_t stuff(iso_transport *transport, size_t position);

/* Read from a socket of the kit's, running the loop meanwhile, until `size` bytes came, or the end,
 * or a reset: answers how many. Bytes that are not the pattern, from `position` on, are
 * failures. */
size_t drain(kit *k, iso_loop *loop, iso_fd fd, size_t position, size_t size);

/* Whether an error is what a connection ends with when its peer resets it. */
bool is_reset(int error);

#endif
