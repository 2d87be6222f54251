/* SPDX-License-Identifier: MIT */
#include <uv.h>

#define CLOCK_GRAIN 2000000 /* milliseconds, of the turn's beginning */

static uv_loop_t loop;
static uv_timer_t *timers;

static void told(uv_timer_t *timer)
{
    timer_fired(timer - timers);
}

/* Rounded up, as its users do who must not be early. */
static uint64_t milliseconds(int64_t deadline)
{
    return (uint64_t)((deadline - turn_began + 999999) / 1000000);
}

static void timers_update(void)
{
    uv_update_time(&loop);
}

static void timers_open(long count)
{
    timers = calloc((size_t)count, sizeof(*timers));
    suite_check(timers != NULL && uv_loop_init(&loop) == 0, "uv_loop_init");
    for (long i = 0; i < count; i++) uv_timer_init(&loop, &timers[i]);
}

static void timer_start(long index, int64_t deadline)
{
    uv_timer_start(&timers[index], told, milliseconds(deadline), 0);
}

static void timer_cancel(long index)
{
    uv_timer_stop(&timers[index]);
}

static void timer_restart(long index, int64_t deadline)
{
    uv_timer_start(&timers[index], told, milliseconds(deadline), 0);
}

static void timers_stop(void)
{
    uv_stop(&loop);
}

static void timers_run(void)
{
    uv_run(&loop, UV_RUN_DEFAULT);
}

static void timers_close(void)
{
    free(timers); /* the process ends */
}
