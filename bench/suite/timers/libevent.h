/* SPDX-License-Identifier: MIT */
#include <event2/event.h>
#include <event2/event_struct.h>

#define CLOCK_GRAIN 1000000 /* its time is that of the turn's beginning */

static struct event_base *base;
static struct event *timers;

static void told(evutil_socket_t fd, short events, void *arg)
{
    (void)fd;
    (void)events;
    timer_fired((struct event *)arg - timers);
}

static struct timeval span(int64_t deadline)
{
    const int64_t delay = deadline - turn_began;
    return (struct timeval){ delay / 1000000000, delay % 1000000000 / 1000 };
}

/* It looks at the clock in every call outside a turn. */
static void timers_update(void)
{
}

static void timers_open(long count)
{
    struct event_config *config = event_config_new();
    suite_check(config != NULL, "event_config_new");
    event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
    base = event_base_new_with_config(config);
    event_config_free(config);
    timers = calloc((size_t)count, sizeof(*timers));
    suite_check(base != NULL && timers != NULL, "event_base_new");
    for (long i = 0; i < count; i++) evtimer_assign(&timers[i], base, told, &timers[i]);
}

static void timer_start(long index, int64_t deadline)
{
    const struct timeval to = span(deadline);
    suite_check(evtimer_add(&timers[index], &to) == 0, "evtimer_add");
}

static void timer_cancel(long index)
{
    (void)evtimer_del(&timers[index]);
}

static void timer_restart(long index, int64_t deadline)
{
    timer_start(index, deadline);
}

static void timers_stop(void)
{
    (void)event_base_loopbreak(base);
}

static void timers_run(void)
{
    (void)event_base_dispatch(base);
}

static void timers_close(void)
{
    event_base_free(base);
    free(timers);
}
