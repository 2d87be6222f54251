/* SPDX-License-Identifier: MIT */
/* The limit: two arrays that change places, and one epoll_wait that does not wait each turn. */
#include <sys/epoll.h>

static struct batch {
    long *chains;
    long count;
} halves[2];

static struct batch *next_turn = &halves[0];
static int epoll;
static int is_stopped;

static void ready_open(long chains)
{
    for (int i = 0; i < 2; i++) halves[i].chains = calloc((size_t)chains, sizeof(long));
    epoll = epoll_create1(EPOLL_CLOEXEC);
    suite_check(halves[0].chains != NULL && halves[1].chains != NULL && epoll >= 0, "memory");
}

static void ready_post(long chain)
{
    next_turn->chains[next_turn->count++] = chain;
}

static void ready_stop(void)
{
    is_stopped = 1;
}

static void ready_run(void)
{
    is_stopped = 0;
    while (!is_stopped) {
        struct epoll_event event;
        struct batch *now = next_turn;
        suite_check(epoll_wait(epoll, &event, 1, 0) == 0, "epoll_wait");
        next_turn = now == &halves[0] ? &halves[1] : &halves[0];
        for (long i = 0; i < now->count; i++) callback_ran(now->chains[i]);
        now->count = 0;
    }
}

static void ready_close(void)
{
    free(halves[0].chains);
    free(halves[1].chains);
}
