/* SPDX-License-Identifier: MIT */
#include <isoloop.h>

#define CLOCK_GRAIN 0

static iso_loop *loop;
static iso_handle *handles;

static void told(iso_loop *of, void *arg)
{
    (void)of;
    timer_fired((iso_handle *)arg - handles);
}

static void timers_open(long count)
{
    handles = calloc((size_t)count, sizeof(*handles));
    suite_check(handles != NULL && iso_loop_new(&loop, NULL) == 0, "iso_loop_new");
}

static void timers_update(void)
{
}

static void timer_start(long index, int64_t deadline)
{
    suite_check(iso_loop_call_at(loop, deadline, told, &handles[index], &handles[index]) == 0,
                "iso_loop_call_at");
}

static void timer_cancel(long index)
{
    suite_check(iso_handle_cancel(loop, handles[index]) == 0, "iso_handle_cancel");
}

static void timer_restart(long index, int64_t deadline)
{
    suite_check(iso_handle_reschedule(loop, handles[index], deadline) == 0,
                "iso_handle_reschedule");
}

static void timers_stop(void)
{
    (void)iso_loop_stop(loop);
}

static void timers_run(void)
{
    suite_check(iso_loop_run_forever(loop) == 0, "iso_loop_run_forever");
}

static void timers_close(void)
{
    (void)iso_loop_close(loop);
    iso_loop_release(loop);
    free(handles);
}
