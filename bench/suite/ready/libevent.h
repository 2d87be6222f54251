/* SPDX-License-Identifier: MIT */
#include <event2/event.h>
#include <event2/event_struct.h>

static struct event_base *base;
static struct event *chains_of;

static void told(evutil_socket_t fd, short events, void *arg)
{
    (void)fd;
    (void)events;
    callback_ran((struct event *)arg - chains_of);
}

static void ready_open(long chains)
{
    base = event_base_new();
    chains_of = calloc((size_t)chains, sizeof(*chains_of));
    suite_check(base != NULL && chains_of != NULL, "event_base_new");
    for (long i = 0; i < chains; i++) event_assign(&chains_of[i], base, -1, 0, told, &chains_of[i]);
}

static void ready_post(long chain)
{
    event_active(&chains_of[chain], EV_TIMEOUT, 1);
}

static void ready_stop(void)
{
    (void)event_base_loopbreak(base);
}

/* Without a descriptor or a time-out it counts as having nothing to do only when nothing is
 * active. */
static void ready_run(void)
{
    (void)event_base_loop(base, 0);
}

static void ready_close(void)
{
    event_base_free(base);
    free(chains_of);
}
