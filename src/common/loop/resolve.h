/* SPDX-License-Identifier: MIT */
/* Host names looked up in a thread, literals at once. */
#ifndef ISO_LOOP_RESOLVE_H
#define ISO_LOOP_RESOLVE_H

#include "isoloop/loop.h"

enum {
    ISO__ADDRESSES_MAX = 32 /* of one name */
};

typedef struct iso__resolve iso__resolve;

/* What was found: `count` addresses, or an error. Borrowed. Called from a turn. */
typedef void (*iso__resolved)(void *arg, const iso_address *addresses, int count);

/* Begin to look up. The look-up is the caller's until `done` was called or it is cancelled.
 * Returns 0, ISO_ENOMEM, or what the system answers when a thread is wanted. */
int iso__resolve_start(iso__resolve **out, iso_loop *loop, const char *host, uint16_t port,
                       int version, bool passive, iso__resolved done, void *arg);

/* `done` will not be called. The thread goes on until the name service answers; closing the loop
 * waits for it. */
void iso__resolve_cancel(iso__resolve *resolve);

/* An address without a look-up: a literal of the right version, or, for binding, NULL and "" for
 * every interface of both versions. Returns how many were written (at most 2); 0 for what must be
 * looked up; ISO_ENONAME for a literal of the other version. */
int iso__resolve_literal(const char *host, uint16_t port, int version, bool passive,
                         iso_address *out);

#endif
