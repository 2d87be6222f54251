/* SPDX-License-Identifier: MIT */
#include <uv.h>

static void wireup_once(void)
{
    uv_loop_t loop;
    suite_check(uv_loop_init(&loop) == 0, "uv_loop_init");
    (void)uv_run(&loop, UV_RUN_NOWAIT);
    suite_check(uv_loop_close(&loop) == 0, "uv_loop_close");
}
