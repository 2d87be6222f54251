/* SPDX-License-Identifier: MIT */
/* An event that is fed is pending until the loop invokes it, in this turn if it is fed in one: a
 * callback that feeds itself would keep the turn from ending, so chains change between two halves,
 * of which a prepare watcher feeds what was posted. */
#include <ev.h>

static struct ev_loop *loop;
static ev_prepare *chains_of;
static ev_idle awake;
static ev_prepare feeder;
static long *posted;
static long posted_count;

static void told(struct ev_loop *of, ev_prepare *watcher, int events)
{
    (void)of;
    (void)events;
    callback_ran(watcher - chains_of);
}

static void feed_posted(struct ev_loop *of, ev_prepare *watcher, int events)
{
    (void)watcher;
    (void)events;
    for (long i = 0; i < posted_count; i++) ev_feed_event(of, &chains_of[posted[i]], EV_CUSTOM);
    posted_count = 0;
}

static void stay_awake(struct ev_loop *of, ev_idle *watcher, int events)
{
    (void)of;
    (void)watcher;
    (void)events;
}

static void ready_open(long chains)
{
    loop = ev_loop_new(EVBACKEND_EPOLL);
    chains_of = calloc((size_t)chains, sizeof(*chains_of));
    posted = calloc((size_t)chains, sizeof(*posted));
    suite_check(loop != NULL && chains_of != NULL && posted != NULL, "ev_loop_new");
    for (long i = 0; i < chains; i++) ev_prepare_init(&chains_of[i], told);
    ev_prepare_init(&feeder, feed_posted);
    ev_prepare_start(loop, &feeder);
    ev_idle_init(&awake, stay_awake);
    ev_idle_start(loop, &awake);
}

static void ready_post(long chain)
{
    posted[posted_count++] = chain;
}

static void ready_stop(void)
{
    ev_break(loop, EVBREAK_ALL);
}

static void ready_run(void)
{
    ev_run(loop, 0);
}

static void ready_close(void)
{
    ev_loop_destroy(loop);
    free(chains_of);
    free(posted);
}
