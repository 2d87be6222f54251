/* SPDX-License-Identifier: MIT */
#include <ev.h>

#include "queue.h"

static struct ev_loop *loops[2];
static ev_async wakers[2];
static post_queue queues[2];

static void woken(struct ev_loop *of, ev_async *waker, int events)
{
    const int loop = waker == &wakers[1];
    (void)of;
    (void)events;
    queue_tell(&queues[loop], loop);
}

static void posts_open(long count)
{
    for (int i = 0; i < 2; i++) {
        loops[i] = ev_loop_new(EVBACKEND_EPOLL);
        suite_check(loops[i] != NULL, "ev_loop_new");
        ev_async_init(&wakers[i], woken);
        ev_async_start(loops[i], &wakers[i]);
        queue_open(&queues[i], count);
    }
}

static void posts_send(int loop, long number)
{
    if (queue_put(&queues[loop], number)) ev_async_send(loops[loop], &wakers[loop]);
}

static void posts_stop(int loop)
{
    ev_break(loops[loop], EVBREAK_ALL);
}

static void posts_run(int loop)
{
    ev_run(loops[loop], 0);
}
