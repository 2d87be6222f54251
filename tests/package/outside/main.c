/* SPDX-License-Identifier: MIT */
/* The least that a program does with the library, from outside its repository. */
#include <isoloop.h>
#include <stdio.h>

static void stop(iso_loop *loop, void *arg)
{
    *(int *)arg += 1;
    iso_loop_stop(loop);
}

int main(void)
{
    iso_loop *loop;
    int calls = 0;
    int rc = iso_loop_new(&loop, NULL);

    if (rc != 0) return 1;
    rc = iso_loop_call_soon(loop, stop, &calls, NULL);
    if (rc == 0) rc = iso_loop_run_forever(loop);
    if (rc == 0) rc = iso_loop_close(loop);
    iso_loop_release(loop);
    if (rc != 0 || calls != 1) {
        printf("%s, %d calls\n", iso_strerror(rc), calls);
        return 1;
    }
    printf("isoloop %s\n", iso_version());
    return 0;
}
