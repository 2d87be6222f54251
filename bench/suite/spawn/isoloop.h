/* SPDX-License-Identifier: MIT */
#include <isoloop.h>

static iso_loop *loop;

/* The pipe to its standard input is closed by whoever sees first that it is over. */
static void exited(iso_process *process, void *self)
{
    iso_transport *input = iso_process_get_pipe_transport(process, 0);
    (void)self;
    if (input != NULL) iso_transport_close(input);
}

static void lost(iso_process *process, void *self, int error)
{
    (void)self;
    int code = -1;
    (void)self;
    suite_check(error == 0 && iso_process_get_returncode(process, &code) == 0, "connection_lost");
    spawn_ended(code);
}

static const iso_subprocess_protocol protocol = { .process_exited = exited,
                                                  .connection_lost = lost };

static void spawn_open(void)
{
    suite_check(iso_loop_new(&loop, NULL) == 0, "iso_loop_new");
}

static void spawn_start(void)
{
    static const char *const arguments[] = { "/bin/true", NULL };
    suite_check(iso_loop_subprocess_exec(loop, &protocol, NULL, arguments, NULL, NULL) == 0,
                "iso_loop_subprocess_exec");
}

static void spawn_stop(void)
{
    (void)iso_loop_stop(loop);
}

static void spawn_run(void)
{
    suite_check(iso_loop_run_forever(loop) == 0, "iso_loop_run_forever");
}
