/* SPDX-License-Identifier: MIT */
/* A loop made and closed: wireup_LIBRARY [TIMES]
 *
 * Printed: microseconds of processor time for each of TIMES (20,000) loops, each of which makes one
 * turn.
 *
 * What a library has for it: wireup_once(). */
#include "../support/suite.h"
#include <stddef.h>
#include <stdlib.h>
#include ADAPTOR

int main(int argc, char **argv)
{
    const long times = suite_number(argc, argv, 1, 20000);
    wireup_once();
    const int64_t before = suite_cpu();
    for (long i = 0; i < times; i++) wireup_once();
    suite_figure("loop_us", (double)(suite_cpu() - before) / 1000 / (double)times);
    return 0;
}
