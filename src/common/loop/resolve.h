/* SPDX-License-Identifier: MIT */
/* Host names looked up in threads, literals at once. */
#ifndef ISO_LOOP_RESOLVE_H
#define ISO_LOOP_RESOLVE_H

#include "isoloop/loop.h"
#include "loop/executor.h"
#include "sys/resolve.h"

/* ---- for what connects and binds ---- */

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

/* `done` will not be called. If its thread asks the name service already, that goes on until there
 * is an answer, and nobody waits for it. */
void iso__resolve_cancel(iso__resolve *resolve);

/* An address without a look-up: a literal of the right version, or, for binding, NULL and "" for
 * every interface of both versions. Returns how many were written (at most 2); 0 for what must be
 * looked up; ISO_ENONAME for a literal of the other version. */
int iso__resolve_literal(const char *host, uint16_t port, int version, bool passive,
                         iso_address *out);

/* ---- a question, and the answer that a thread finds: memory of malloc's, which may outlive the
 * loop. Freed by whoever has it last ---- */

typedef struct iso__question {
    iso__name_query query;
    char *host; /* these two are its own; NULL: there is none */
    char *service;
    iso__addrinfo_list found;
} iso__question;

/* A copy of `query`. Returns 0 or ISO_ENOMEM. */
int iso__question_new(iso__question **out, const iso__name_query *query);
void iso__question_free(iso__question *question);

/* Have it answered; `question` is the errand's from a call that returns 0 until it is told with an
 * outcome that it takes. Returns 0, ISO_ENOMEM, or what the system answers when a thread is
 * wanted. */
int iso__question_ask(iso__question *question, iso__errand *errand);

#endif
