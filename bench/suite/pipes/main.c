/* SPDX-License-Identifier: MIT */
/* The chain of pipes that libevent and libev were measured with in 2003 and after:
 *
 *     pipes_LIBRARY [PIPES [ACTIVE [ROUNDS]]]
 *
 * PIPES (1000) socket pairs are watched; a byte written to ACTIVE (1) of them is read and written
 * on to the next pair, PIPES times in all. ROUNDS (50) such rounds, in each of which every pair is
 * registered anew. Printed, for a round: microseconds of processor time to register all of them,
 * and for each byte that was passed on nanoseconds of it, registering left out.
 *
 * What a library has for it:
 *     pipes_open(count)
 *     pipe_watch(index, fd): from now on pipe_readable(index) is called when there is something
 *     pipe_forget(index, fd)
 *     pipes_run(): until pipes_stop() is called */
#include "../support/suite.h"
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void pipe_readable(long index);

#include ADAPTOR

static struct {
    long count;
    long active;
    int (*pairs)[2]; /* read, write */
    long to_write;
    long to_read;
} run;

static void pipe_readable(long index)
{
    char byte;
    if (recv(run.pairs[index][0], &byte, 1, MSG_DONTWAIT) != 1) return;
    if (run.to_write > 0) {
        run.to_write--;
        suite_check(send(run.pairs[(index + 1) % run.count][1], "e", 1, 0) == 1, "send");
    }
    if (--run.to_read == 0) pipes_stop();
}

static int64_t watch_all(void)
{
    const int64_t before = suite_cpu();
    for (long i = 0; i < run.count; i++) pipe_watch(i, run.pairs[i][0]);
    return suite_cpu() - before;
}

static int64_t pass_bytes(void)
{
    const long apart = run.count / run.active;
    run.to_write = run.count;
    run.to_read = run.count + run.active;
    for (long i = 0; i < run.active; i++)
        suite_check(send(run.pairs[i * apart][1], "e", 1, 0) == 1, "send");
    const int64_t before = suite_cpu();
    pipes_run();
    suite_check(run.to_read == 0 && run.to_write == 0, "bytes were lost");
    return suite_cpu() - before;
}

int main(int argc, char **argv)
{
    int64_t watching = 0;
    int64_t passing = 0;
    run.count = suite_number(argc, argv, 1, 1000);
    run.active = suite_number(argc, argv, 2, 1);
    const long rounds = suite_number(argc, argv, 3, 50);
    suite_check(run.active <= run.count, "more active than there are");
    suite_many_descriptors();
    run.pairs = calloc((size_t)run.count, sizeof(*run.pairs));
    suite_check(run.pairs != NULL, "memory");
    for (long i = 0; i < run.count; i++)
        suite_check(socketpair(AF_UNIX, SOCK_STREAM, 0, run.pairs[i]) == 0, "socketpair");
    pipes_open(run.count);
    for (long i = 0; i < rounds; i++) {
        const int64_t watched = watch_all();
        const int64_t passed = pass_bytes();
        if (i > 0) { /* the first one warms up */
            watching += watched;
            passing += passed;
        }
        for (long pair = 0; pair < run.count; pair++) pipe_forget(pair, run.pairs[pair][0]);
    }
    suite_check(rounds > 1, "one round only warms up");
    suite_figure("add_us", (double)watching / 1000 / (double)(rounds - 1));
    suite_figure("dispatch_ns",
                 (double)passing / (double)(run.count + run.active) / (double)(rounds - 1));
    return 0;
}
