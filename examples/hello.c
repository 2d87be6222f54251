/* SPDX-License-Identifier: MIT */
/* The smallest program: one callback, which ends the loop. */
#include <isoloop.h>
#include <stdio.h>

static void hello_world(iso_loop *loop, void *arg)
{
    (void)arg;
    puts("Hello World");
    iso_loop_stop(loop);
}

int main(void)
{
    iso_loop *loop = NULL;
    int rc = iso_get_event_loop(&loop); /* main thread: the policy makes one */
    if (rc == 0) rc = iso_loop_call_soon(loop, hello_world, NULL, NULL);
    if (rc == 0) rc = iso_loop_run_forever(loop);
    if (rc != 0) fprintf(stderr, "hello: %s\n", iso_strerror(rc));
    iso_loop_close(loop);
    return rc != 0;
}
