/* SPDX-License-Identifier: MIT */
/* The limit: epoll_ctl and epoll_wait. */
#include <errno.h>
#include <sys/epoll.h>

static int epoll;
static int is_stopped;

static void pipes_open(long count)
{
    (void)count;
    epoll = epoll_create1(EPOLL_CLOEXEC);
    suite_check(epoll >= 0, "epoll_create1");
}

static void pipe_watch(long index, int fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data.u64 = (uint64_t)index };
    suite_check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
}

static void pipe_forget(long index, int fd)
{
    (void)index;
    suite_check(epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL) == 0, "epoll_ctl");
}

static void pipes_stop(void)
{
    is_stopped = 1;
}

static void pipes_run(void)
{
    is_stopped = 0;
    while (!is_stopped) {
        struct epoll_event events[1024];
        const int count = epoll_wait(epoll, events, 1024, -1);
        suite_check(count >= 0 || errno == EINTR, "epoll_wait");
        for (int i = 0; i < count; i++) pipe_readable((long)events[i].data.u64);
    }
}
