/* SPDX-License-Identifier: MIT */
/* Futures that wait for one event of an object's: the list is the object's, and is empty before
 * that goes. Thread: loop, throughout. */
#ifndef ISO_LOOP_WAITERS_H
#define ISO_LOOP_WAITERS_H

#include "base/list.h"
#include "isoloop/future.h"

/* One more, in *out, which the caller owns a reference of; cancelling it takes it off. Returns 0,
 * ISO_ENOMEM, ISO_ECLOSED or ISO_ETHREAD. */
int iso__waiters_add(iso__link *waiters, iso_loop *loop, iso_future **out);

/* It came: all end with this number. */
void iso__waiters_end(iso__link *waiters, intptr_t number);

/* It will not come: the loop closes. */
void iso__waiters_abandon(iso__link *waiters);

#endif
