/* SPDX-License-Identifier: MIT */
/* The limit: what any loop that can be woken has, and one wait. */
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void wireup_once(void)
{
    struct epoll_event event = { .events = EPOLLIN };
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    const int wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    suite_check(epoll >= 0 && wake >= 0, "eventfd");
    suite_check(epoll_ctl(epoll, EPOLL_CTL_ADD, wake, &event) == 0, "epoll_ctl");
    suite_check(epoll_wait(epoll, &event, 1, 0) == 0, "epoll_wait");
    close(wake);
    close(epoll);
}
