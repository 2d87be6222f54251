/* SPDX-License-Identifier: MIT */
#include <event2/event.h>
#include <event2/thread.h>

#include "queue.h"

static struct event_base *loops[2];
static struct event *wakers[2];
static post_queue queues[2];

static void woken(evutil_socket_t fd, short events, void *arg)
{
    const int loop = (int)(intptr_t)arg;
    (void)fd;
    (void)events;
    queue_tell(&queues[loop], loop);
}

static void posts_open(long count)
{
    suite_check(evthread_use_pthreads() == 0, "evthread_use_pthreads");
    for (int i = 0; i < 2; i++) {
        loops[i] = event_base_new();
        suite_check(loops[i] != NULL, "event_base_new");
        wakers[i] = event_new(loops[i], -1, EV_PERSIST, woken, (void *)(intptr_t)i);
        suite_check(wakers[i] != NULL && event_add(wakers[i], NULL) == 0, "event_new");
        queue_open(&queues[i], count);
    }
}

static void posts_send(int loop, long number)
{
    if (queue_put(&queues[loop], number)) event_active(wakers[loop], EV_TIMEOUT, 1);
}

static void posts_stop(int loop)
{
    (void)event_base_loopbreak(loops[loop]);
}

static void posts_run(int loop)
{
    (void)event_base_loop(loops[loop], EVLOOP_NO_EXIT_ON_EMPTY);
}
