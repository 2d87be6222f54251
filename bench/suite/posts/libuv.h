/* SPDX-License-Identifier: MIT */
/* uv_async_send for each post, which makes one system call for many itself. */
#include <uv.h>

#include "queue.h"

static uv_loop_t loops[2];
static uv_async_t wakers[2];
static post_queue queues[2];

static void woken(uv_async_t *waker)
{
    const int loop = waker == &wakers[1];
    queue_tell(&queues[loop], loop);
}

static void posts_open(long count)
{
    for (int i = 0; i < 2; i++) {
        suite_check(uv_loop_init(&loops[i]) == 0, "uv_loop_init");
        suite_check(uv_async_init(&loops[i], &wakers[i], woken) == 0, "uv_async_init");
        queue_open(&queues[i], count);
    }
}

static void posts_send(int loop, long number)
{
    if (queue_put(&queues[loop], number)) uv_async_send(&wakers[loop]);
}

static void posts_stop(int loop)
{
    uv_stop(&loops[loop]);
}

static void posts_run(int loop)
{
    uv_run(&loops[loop], UV_RUN_DEFAULT);
}
