/* SPDX-License-Identifier: MIT */
/* An idle handle is what runs in every turn; a chain posts itself by starting its own. */
#include <uv.h>

static uv_loop_t loop;
static uv_idle_t *chains_of;

static void told(uv_idle_t *idle)
{
    uv_idle_stop(idle);
    callback_ran(idle - chains_of);
}

static void ready_open(long chains)
{
    chains_of = calloc((size_t)chains, sizeof(*chains_of));
    suite_check(chains_of != NULL && uv_loop_init(&loop) == 0, "uv_loop_init");
    for (long i = 0; i < chains; i++) uv_idle_init(&loop, &chains_of[i]);
}

static void ready_post(long chain)
{
    uv_idle_start(&chains_of[chain], told);
}

static void ready_stop(void)
{
    uv_stop(&loop);
}

static void ready_run(void)
{
    uv_run(&loop, UV_RUN_DEFAULT);
}

static void ready_close(void)
{
    free(chains_of); /* the process ends */
}
