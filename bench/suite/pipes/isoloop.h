/* SPDX-License-Identifier: MIT */
#include <isoloop.h>

static iso_loop *loop;

static void told(iso_loop *of, void *arg)
{
    (void)of;
    pipe_readable((long)(intptr_t)arg);
}

static void pipes_open(long count)
{
    (void)count;
    suite_check(iso_loop_new(&loop, NULL) == 0, "iso_loop_new");
}

static void pipe_watch(long index, int fd)
{
    suite_check(iso_loop_add_reader(loop, fd, told, (void *)(intptr_t)index) == 0, "add_reader");
}

static void pipe_forget(long index, int fd)
{
    (void)index;
    suite_check(iso_loop_remove_reader(loop, fd) == 0, "remove_reader");
}

static void pipes_stop(void)
{
    (void)iso_loop_stop(loop);
}

static void pipes_run(void)
{
    suite_check(iso_loop_run_forever(loop) == 0, "iso_loop_run_forever");
}
