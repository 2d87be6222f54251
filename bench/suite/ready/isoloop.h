/* SPDX-License-Identifier: MIT */
#include <isoloop.h>

static iso_loop *loop;

static void told(iso_loop *of, void *arg)
{
    (void)of;
    callback_ran((long)(intptr_t)arg);
}

static void ready_open(long chains)
{
    (void)chains;
    suite_check(iso_loop_new(&loop, NULL) == 0, "iso_loop_new");
}

static void ready_post(long chain)
{
    suite_check(iso_loop_call_soon(loop, told, (void *)(intptr_t)chain, NULL) == 0,
                "iso_loop_call_soon");
}

static void ready_stop(void)
{
    (void)iso_loop_stop(loop);
}

static void ready_run(void)
{
    suite_check(iso_loop_run_forever(loop) == 0, "iso_loop_run_forever");
}

static void ready_close(void)
{
    (void)iso_loop_close(loop);
    iso_loop_release(loop);
}
