/* SPDX-License-Identifier: MIT */
/* Who makes a loop, and who gets it: in the main thread the policy makes one; another thread has
 * none until it makes one and says that it is the current one.
 *
 * After the test program in "IOLoop in multithreading program", the asyncio part of it. */
#include "support/thread.h"
#include <isoloop.h>
#include <stdio.h>

enum { THREADS = 4 };

typedef struct task {
    thread thread;
    int failures;
} task;

static int failed(const char *sentence)
{
    fprintf(stderr, "policy: %s\n", sentence);
    return 1;
}

static int non_main_thread_task(void)
{
    iso_loop *a_io_loop = NULL;
    iso_loop *ag_io_loop = NULL;
    int failures = 0;

    if (iso_get_event_loop(&ag_io_loop) != ISO_ENOLOOP)
        failures += failed("a new thread has a current loop.");

    if (iso_new_event_loop(&a_io_loop) != 0) return failed("no new loop could be made.");

    if (iso_get_event_loop(&ag_io_loop) != ISO_ENOLOOP)
        failures += failed("a loop became current just by being made.");

    if (iso_set_event_loop(a_io_loop) != 0) failures += failed("set_event_loop failed.");
    if (iso_get_event_loop(&ag_io_loop) != 0)
        failures += failed("there is no current loop after set_event_loop.");
    else if (ag_io_loop != a_io_loop)
        failures += failed("the current loop is not the one that was set.");

    /* Two references to give back: the policy's, and the one of new_event_loop. */
    if (iso_set_event_loop(NULL) != 0) failures += failed("set_event_loop(NULL) failed.");
    if (iso_loop_close(a_io_loop) != 0) failures += failed("the loop could not be closed.");
    iso_loop_release(a_io_loop);
    return failures;
}

static int main_thread_task(void)
{
    iso_loop *a_io_loop = NULL;
    iso_loop *again = NULL;
    if (iso_get_event_loop(&a_io_loop) != 0) return failed("the main thread got no loop.");
    if (iso_get_event_loop(&again) != 0 || again != a_io_loop)
        return failed("the main thread got another loop the second time.");
    return 0;
}

static void run_task(void *arg)
{
    task *it = arg;
    it->failures = non_main_thread_task();
}

int main(void)
{
    task tasks[THREADS] = { 0 };
    int started = 0;
    int failures = main_thread_task();

    while (started < THREADS &&
           thread_start(&tasks[started].thread, run_task, &tasks[started]) == 0)
        started++;
    if (started < THREADS) failures += failed("a thread could not be started.");
    for (int i = 0; i < started; i++) {
        thread_join(&tasks[i].thread);
        failures += tasks[i].failures;
    }

    /* The main thread's loop is the policy's: close it, and have it let go. */
    iso_loop *a_io_loop = NULL;
    if (iso_get_event_loop(&a_io_loop) != 0 || iso_loop_close(a_io_loop) != 0)
        failures += failed("the main thread's loop could not be closed.");
    if (iso_set_event_loop(NULL) != 0) failures += failed("set_event_loop(NULL) failed.");

    if (failures == 0) puts("Everything is ok...");
    return failures != 0;
}
