/* SPDX-License-Identifier: MIT */
/* The limit: a lock-free list, taken whole and turned round, and an eventfd that is written when
 * the list was empty. */
#include <errno.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

typedef struct post {
    struct post *next;
    long number;
} post;

static struct bare_loop {
    _Atomic(post *) newest;
    int epoll;
    int wake;
    int is_stopped;
    post *posts; /* by their numbers */
} loops[2];

static void posts_open(long count)
{
    for (int i = 0; i < 2; i++) {
        struct epoll_event event = { .events = EPOLLIN };
        loops[i].epoll = epoll_create1(EPOLL_CLOEXEC);
        loops[i].wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        suite_check(loops[i].epoll >= 0 && loops[i].wake >= 0, "eventfd");
        suite_check(epoll_ctl(loops[i].epoll, EPOLL_CTL_ADD, loops[i].wake, &event) == 0,
                    "epoll_ctl");
        loops[i].posts = calloc((size_t)count + 1, sizeof(post));
        suite_check(loops[i].posts != NULL, "memory");
    }
}

static void posts_send(int loop, long number)
{
    const uint64_t one = 1;
    post *made = &loops[loop].posts[number];
    made->number = number;
    made->next = atomic_load_explicit(&loops[loop].newest, memory_order_relaxed);
    while (!atomic_compare_exchange_weak(&loops[loop].newest, &made->next, made)) continue;
    if (made->next == NULL) suite_check(write(loops[loop].wake, &one, 8) == 8, "write");
}

static void posts_stop(int loop)
{
    loops[loop].is_stopped = 1;
}

static void tell_all(int loop)
{
    post *at = atomic_exchange(&loops[loop].newest, NULL);
    post *oldest = NULL;
    while (at != NULL) {
        post *next = at->next;
        at->next = oldest;
        oldest = at;
        at = next;
    }
    while (oldest != NULL) {
        post *next = oldest->next;
        posts_told(loop, oldest->number);
        oldest = next;
    }
}

static void posts_run(int loop)
{
    loops[loop].is_stopped = 0;
    while (!loops[loop].is_stopped) {
        struct epoll_event event;
        uint64_t posted;
        const int count = epoll_wait(loops[loop].epoll, &event, 1, -1);
        suite_check(count > 0 || errno == EINTR, "epoll_wait");
        if (count > 0) suite_check(read(loops[loop].wake, &posted, 8) == 8, "read");
        tell_all(loop);
    }
}
