/* SPDX-License-Identifier: MIT */
#include <isoloop.h>

static void wireup_once(void)
{
    iso_loop *loop;
    suite_check(iso_loop_new(&loop, NULL) == 0, "iso_loop_new");
    suite_check(iso_loop_run_once(loop, 0) >= 0, "iso_loop_run_once");
    suite_check(iso_loop_close(loop) == 0, "iso_loop_close");
    iso_loop_release(loop);
}
