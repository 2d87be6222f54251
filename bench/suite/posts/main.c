/* SPDX-License-Identifier: MIT */
/* Posts from another thread: posts_LIBRARY [POSTS]
 *
 * One thread posts POSTS (2,000,000) callbacks, as fast as it can, to a loop that runs in another;
 * each is called once, in order. Then two loops in two threads send one callback to and fro,
 * a hundredth as often. Printed: nanoseconds of the clock for each post from the first to the last
 * callback, of processor time of both threads, and microseconds of a round trip.
 *
 * What a library has for it:
 *     posts_open(count): two loops, 0 and 1, and memory for so many posts where that is the
 *     program's to bring
 *     posts_send(loop, number): from any thread; posts_told(loop, number) is called in the loop's
 *     posts_run(loop): until posts_stop(loop) is called in its thread */
#include "../support/suite.h"
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

static void posts_told(int loop, long number);

#include ADAPTOR

static struct {
    long count;
    long next;         /* the number that is to come */
    int is_round_trip; /* what is told goes back */
} run;

static void posts_told(int loop, long number)
{
    if (run.is_round_trip) {
        if (number < run.count) posts_send(1 - loop, number + 1);
        if (number >= run.count - 1) posts_stop(loop);
        return;
    }
    suite_check(number == run.next, "posts came out of order");
    if (++run.next == run.count) posts_stop(loop);
}

static void *produce(void *arg)
{
    (void)arg;
    for (long i = 0; i < run.count; i++) posts_send(0, i);
    return NULL;
}

static void *run_other(void *arg)
{
    (void)arg;
    posts_run(1);
    return NULL;
}

static void with_thread(void *(*body)(void *), void (*meanwhile)(void))
{
    pthread_t thread;
    suite_check(pthread_create(&thread, NULL, body, NULL) == 0, "pthread_create");
    meanwhile();
    suite_check(pthread_join(thread, NULL) == 0, "pthread_join");
}

static void run_first(void)
{
    posts_run(0);
}

static void start_and_run_first(void)
{
    posts_send(0, 0);
    posts_run(0);
}

int main(int argc, char **argv)
{
    const long count = suite_number(argc, argv, 1, 2000000);
    posts_open(count);
    run.count = count;
    int64_t before = suite_time();
    int64_t cpu_before = suite_cpu();
    with_thread(produce, run_first);
    suite_figure("post_ns", (double)(suite_time() - before) / (double)count);
    suite_figure("post_cpu_ns", (double)(suite_cpu() - cpu_before) / (double)count);
    run.is_round_trip = 1;
    run.count = count / 100;
    before = suite_time();
    with_thread(run_other, start_and_run_first);
    suite_figure("round_trip_us", (double)(suite_time() - before) / 1000 / ((double)run.count / 2));
    return 0;
}
