/* SPDX-License-Identifier: MIT */
/* The ready queue: ready_LIBRARY [CALLBACKS]
 *
 * A callback has the next one called in the next turn, which does the same: DEPTH such chains at
 * once, 1000 and then 1, for CALLBACKS (20,000,000; a tenth for one chain) callbacks. Printed:
 * nanoseconds of processor time for each. */
#include "../support/suite.h"
#include <stddef.h>
#include <stdlib.h>

static void callback_ran(long chain);

/* What a library has for it:
 *     ready_open(chains), ready_close()
 *     ready_post(chain): callback_ran(chain) is called in the next turn
 *     ready_run(): until ready_stop() is called, once nothing is posted any more */
#include ADAPTOR

enum { CHAINS = 1000 };

static struct {
    long left; /* to post */
    long under_way;
} run;

static void callback_ran(long chain)
{
    if (run.left > 0) {
        run.left--;
        ready_post(chain);
    } else if (--run.under_way == 0) {
        ready_stop();
    }
}

static double measure(long chains, long callbacks)
{
    run.left = callbacks - chains;
    run.under_way = chains;
    const int64_t before = suite_cpu();
    for (long i = 0; i < chains; i++) ready_post(i);
    ready_run();
    suite_check(run.under_way == 0, "not every callback was called");
    return (double)(suite_cpu() - before) / (double)callbacks;
}

int main(int argc, char **argv)
{
    const long callbacks = suite_number(argc, argv, 1, 20000000);
    ready_open(CHAINS);
    (void)measure(CHAINS, callbacks / 10 + CHAINS);
    suite_figure("deep_ns", measure(CHAINS, callbacks));
    suite_figure("single_ns", measure(1, callbacks / 10));
    ready_close();
    return 0;
}
