/* SPDX-License-Identifier: MIT */
#include "loop/waiters.h"

#include "base/alloc.h"
#include "loop/future.h"
#include "loop/loop.h"

typedef struct waiter {
    iso__link link;
    iso_future *future;
} waiter;

static iso_future *drop_waiter(waiter *one)
{
    iso_future *future = one->future;

    iso__list_remove(&one->link);
    iso__free(iso__loop_allocator(future->object.loop), one, sizeof(*one));
    return future;
}

static void cancel_waiter(void *operation)
{
    iso__future_end_error(drop_waiter(operation), ISO_ECANCELED);
}

int iso__waiters_add(iso__link *waiters, iso_loop *loop, iso_future **out)
{
    waiter *one;
    int rc = iso__loop_check(loop);

    if (rc != 0) return rc;
    one = iso__alloc_zero(iso__loop_allocator(loop), sizeof(*one));
    if (one == NULL) return ISO_ENOMEM;
    rc = iso__future_start(loop, cancel_waiter, one, &one->future);
    if (rc != 0) {
        iso__free(iso__loop_allocator(loop), one, sizeof(*one));
        return rc;
    }
    iso__list_push(waiters, &one->link);
    iso__future_give(one->future, out);
    return 0;
}

void iso__waiters_end(iso__link *waiters, intptr_t number)
{
    while (!iso__list_empty(waiters))
        iso__future_end_number(drop_waiter(ISO__CONTAINER(waiters->next, waiter, link)), number);
}

void iso__waiters_abandon(iso__link *waiters)
{
    while (!iso__list_empty(waiters))
        iso__future_abandon(ISO__CONTAINER(waiters->next, waiter, link)->future);
}
