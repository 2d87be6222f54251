/* SPDX-License-Identifier: MIT */
/* Timers: timers_LIBRARY [COUNT]
 *
 * COUNT (1,000,000) are created with deadlines that are far away, and cancelled in another order;
 * then as many are created to come due within two seconds, in a random order, and fire; then
 * timers among 10,000 are restarted with a later deadline, as time-outs of connections are.
 * Printed: nanoseconds of processor time for each; how many fired out of order or, of every
 * sixteenth, early (beyond what the library's clock can tell apart); and how late the latest of
 * those was, in milliseconds. */
#include "../support/suite.h"
#include <stddef.h>
#include <stdlib.h>

static void timer_fired(long index);

/* When a library that counts from the beginning of a turn was last told the time. */
static int64_t turn_began;

/* What a library has for it:
 *     timers_open(count), timers_close()
 *     timers_update(): have it look at the clock, if it does so once a turn only
 *     timer_start(index, deadline), timer_cancel(index), timer_restart(index, deadline)
 *     timers_run(): until timers_stop() is called
 *     CLOCK_GRAIN: what its clock can tell apart, in nanoseconds */
#include ADAPTOR

enum { RESTARTED = 10000, FAR = 3600, SAMPLED = 16 };

#define SECOND INT64_C(1000000000)

static struct {
    long count;
    long fired;
    long early;
    long disordered;
    int64_t latest;
    int64_t last; /* deadline that fired */
    int64_t *deadlines;
} run;

static uint64_t seed = 88172645463325252u;

static uint64_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static void timer_fired(long index)
{
    const int64_t deadline = run.deadlines[index];
    if (run.last - deadline > CLOCK_GRAIN) run.disordered++;
    run.last = deadline;
    if (run.fired % SAMPLED == 0) {
        const int64_t late = suite_time() - deadline;
        if (-late > CLOCK_GRAIN) run.early++;
        if (late > run.latest) run.latest = late;
    }
    if (++run.fired == run.count) timers_stop();
}

static void look_at_the_clock(void)
{
    timers_update();
    turn_began = suite_time();
}

/* Every index once, in a random order. */
static long *shuffled(long count)
{
    long *order = malloc((size_t)count * sizeof(*order));
    suite_check(order != NULL, "memory");
    for (long i = 0; i < count; i++) order[i] = i;
    for (long i = count - 1; i > 0; i--) {
        const long other = (long)(next_random() % (uint64_t)(i + 1));
        const long kept = order[i];
        order[i] = order[other];
        order[other] = kept;
    }
    return order;
}

/* The first time is not counted: then a library finds the memory that some have from the program,
 * and others from the system. */
static void create_and_cancel(int is_counted)
{
    long *order = shuffled(run.count);
    look_at_the_clock();
    for (long i = 0; i < run.count; i++)
        run.deadlines[i] =
            turn_began + FAR * SECOND + (int64_t)(next_random() % (uint64_t)(FAR * SECOND));
    int64_t before = suite_cpu();
    for (long i = 0; i < run.count; i++) timer_start(i, run.deadlines[i]);
    const int64_t created = suite_cpu() - before;
    before = suite_cpu();
    for (long i = 0; i < run.count; i++) timer_cancel(order[i]);
    const int64_t cancelled = suite_cpu() - before;
    free(order);
    if (!is_counted) return;
    suite_figure("create_ns", (double)created / (double)run.count);
    suite_figure("cancel_ns", (double)cancelled / (double)run.count);
}

/* The first comes due when all are made, so that none is late for that. */
static void fire(void)
{
    look_at_the_clock();
    for (long i = 0; i < run.count; i++) {
        run.deadlines[i] = turn_began + SECOND + (int64_t)(next_random() % (uint64_t)(2 * SECOND));
        timer_start(i, run.deadlines[i]);
    }
    const int64_t before = suite_cpu();
    timers_run();
    suite_figure("fire_ns", (double)(suite_cpu() - before) / (double)run.count);
    suite_check(run.fired == run.count, "not every timer has fired");
    suite_figure("early", (double)run.early);
    suite_figure("disordered", (double)run.disordered);
    suite_figure("latest_ms", (double)run.latest / 1e6);
}

static void restart(void)
{
    const long times = 10 * run.count;
    const long among = run.count < RESTARTED ? run.count : RESTARTED;
    look_at_the_clock();
    const int64_t deadline = turn_began + FAR * SECOND;
    for (long i = 0; i < among; i++) timer_start(i, deadline);
    const int64_t before = suite_cpu();
    for (long i = 0; i < times; i++)
        timer_restart((long)(next_random() % (uint64_t)among), deadline + i * 100);
    suite_figure("restart_ns", (double)(suite_cpu() - before) / (double)times);
    for (long i = 0; i < among; i++) timer_cancel(i);
}

int main(int argc, char **argv)
{
    run.count = suite_number(argc, argv, 1, 1000000);
    run.deadlines = calloc((size_t)run.count, sizeof(*run.deadlines));
    suite_check(run.deadlines != NULL, "memory");
    timers_open(run.count);
    create_and_cancel(0);
    create_and_cancel(1);
    fire();
    restart();
    timers_close();
    free(run.deadlines);
    return 0;
}
