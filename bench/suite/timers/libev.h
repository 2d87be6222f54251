/* SPDX-License-Identifier: MIT */
#include <ev.h>

#define CLOCK_GRAIN 1000000 /* its time is that of the turn's beginning */

static struct ev_loop *loop;
static ev_timer *timers;

static void told(struct ev_loop *of, ev_timer *timer, int events)
{
    (void)of;
    (void)events;
    timer_fired(timer - timers);
}

static void timers_open(long count)
{
    loop = ev_loop_new(EVBACKEND_EPOLL);
    timers = calloc((size_t)count, sizeof(*timers));
    suite_check(loop != NULL && timers != NULL, "ev_loop_new");
    for (long i = 0; i < count; i++) ev_timer_init(&timers[i], told, 0, 0);
}

static void timers_update(void)
{
    ev_now_update(loop);
}

static double span(int64_t deadline)
{
    return (double)(deadline - turn_began) / 1e9;
}

static void timer_start(long index, int64_t deadline)
{
    ev_timer_set(&timers[index], span(deadline), 0);
    ev_timer_start(loop, &timers[index]);
}

static void timer_cancel(long index)
{
    ev_timer_stop(loop, &timers[index]);
}

static void timer_restart(long index, int64_t deadline)
{
    timers[index].repeat = span(deadline);
    ev_timer_again(loop, &timers[index]);
}

static void timers_stop(void)
{
    ev_break(loop, EVBREAK_ALL);
}

static void timers_run(void)
{
    ev_run(loop, 0);
}

static void timers_close(void)
{
    ev_loop_destroy(loop);
    free(timers);
}
