/* SPDX-License-Identifier: MIT */
#include <isoloop.h>

static iso_loop *loops[2];

static void first_told(iso_loop *loop, void *arg)
{
    (void)loop;
    posts_told(0, (long)(intptr_t)arg);
}

static void second_told(iso_loop *loop, void *arg)
{
    (void)loop;
    posts_told(1, (long)(intptr_t)arg);
}

static void posts_open(long count)
{
    (void)count;
    for (int i = 0; i < 2; i++) suite_check(iso_loop_new(&loops[i], NULL) == 0, "iso_loop_new");
}

static void posts_send(int loop, long number)
{
    suite_check(iso_loop_call_soon_threadsafe(loops[loop], loop == 0 ? first_told : second_told,
                                              (void *)(intptr_t)number) == 0,
                "iso_loop_call_soon_threadsafe");
}

static void posts_stop(int loop)
{
    (void)iso_loop_stop(loops[loop]);
}

static void posts_run(int loop)
{
    suite_check(iso_loop_run_forever(loops[loop]) == 0, "iso_loop_run_forever");
}
