/* SPDX-License-Identifier: MIT */
#include <ev.h>

static void wireup_once(void)
{
    struct ev_loop *loop = ev_loop_new(EVBACKEND_EPOLL);
    suite_check(loop != NULL, "ev_loop_new");
    (void)ev_run(loop, EVRUN_NOWAIT);
    ev_loop_destroy(loop);
}
