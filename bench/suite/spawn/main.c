/* SPDX-License-Identifier: MIT */
/* Processes started: spawn_LIBRARY [COUNT [RESIDENT]]
 *
 * COUNT (500) times /bin/true, one after the other, with pipes for its three streams, until it has
 * ended and the pipes have too; RESIDENT (0) megabytes of memory are in use meanwhile. Printed: how
 * many a second, and microseconds of this process's own processor time for each.
 *
 * What a library has for it: spawn_open(), and spawn_start(); it calls spawn_ended(code) when all
 * of one is over; spawn_run() until spawn_stop(). */
#include "../support/suite.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static void spawn_ended(int code);

#include ADAPTOR

static long left;

static void spawn_ended(int code)
{
    suite_check(code == 0, "the child has failed");
    if (--left > 0)
        spawn_start();
    else
        spawn_stop();
}

int main(int argc, char **argv)
{
    const long count = suite_number(argc, argv, 1, 500);
    const long resident = argc > 2 ? suite_number(argc, argv, 2, 1) : 0;
    char *memory = malloc((size_t)resident * 1024 * 1024 + 1);
    suite_check(memory != NULL, "memory");
    memset(memory, 1, (size_t)resident * 1024 * 1024 + 1);
    left = count;
    spawn_open();
    const int64_t cpu_before = suite_cpu();
    const int64_t before = suite_time();
    spawn_start();
    spawn_run();
    suite_check(left == 0, "not every child was told");
    suite_figure("per_second", (double)count * 1e9 / (double)(suite_time() - before));
    suite_figure("cpu_us", (double)(suite_cpu() - cpu_before) / 1000 / (double)count);
    free(memory);
    return 0;
}
