/* SPDX-License-Identifier: MIT */
#include <event2/event.h>

static void wireup_once(void)
{
    struct event_base *base = event_base_new();
    suite_check(base != NULL, "event_base_new");
    (void)event_base_loop(base, EVLOOP_NONBLOCK);
    event_base_free(base);
}
