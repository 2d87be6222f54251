/* SPDX-License-Identifier: MIT */
#include <uv.h>

static uv_loop_t loop;
static uv_poll_t **polls;

static void told(uv_poll_t *poll, int status, int events)
{
    suite_check(status == 0, "uv_poll");
    (void)events;
    pipe_readable((long)(intptr_t)poll->data);
}

static void closed(uv_handle_t *handle)
{
    free(handle);
}

static void pipes_open(long count)
{
    polls = calloc((size_t)count, sizeof(*polls));
    suite_check(polls != NULL && uv_loop_init(&loop) == 0, "uv_loop_init");
}

static void pipe_watch(long index, int fd)
{
    uv_poll_t *made = malloc(sizeof(*made));
    suite_check(made != NULL && uv_poll_init(&loop, made, fd) == 0, "uv_poll_init");
    made->data = (void *)(intptr_t)index;
    suite_check(uv_poll_start(made, UV_READABLE, told) == 0, "uv_poll_start");
    polls[index] = made;
}

static void pipe_forget(long index, int fd)
{
    (void)fd;
    uv_close((uv_handle_t *)polls[index], closed);
}

static void pipes_stop(void)
{
    uv_stop(&loop);
}

static void pipes_run(void)
{
    uv_run(&loop, UV_RUN_DEFAULT);
}
