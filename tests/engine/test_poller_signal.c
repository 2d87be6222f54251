/* SPDX-License-Identifier: MIT */
/* POSIX: a signal ends a wait, and nothing else. */
#include "kit.h"

#include <signal.h>
#include <string.h>
#include <sys/time.h>

static volatile sig_atomic_t signals;

static void count_signal(int number)
{
    (void)number;
    signals++;
}

/* An alarm of this process's own clock, again and again, so that one is sure to come in the
 * wait. */
static void begin_alarms(struct sigaction *before)
{
    struct itimerval soon = { { 0, 20000 }, { 0, 20000 } };
    struct sigaction action;

    memset(&action, 0, sizeof(action));
    action.sa_handler = count_signal;
    (void)sigemptyset(&action.sa_mask);
    signals = 0;
    REQUIRE(sigaction(SIGALRM, &action, before) == 0);
    REQUIRE(setitimer(ITIMER_REAL, &soon, NULL) == 0);
}

static void end_alarms(const struct sigaction *before)
{
    struct itimerval never = { { 0, 0 }, { 0, 0 } };

    (void)setitimer(ITIMER_REAL, &never, NULL);
    (void)sigaction(SIGALRM, before, NULL);
}

KIT_TEST(a_signal_ends_a_wait_without_an_event)
{
    const iso_selector_class *kind = kit_poller(k)->kind;
    struct sigaction before;
    iso_selector_event event;
    void *self;

    REQUIRE_OK(kit_poller(k)->open(&self, kit_allocator(k)));
    begin_alarms(&before);
    CHECK_EQ(kind->wait(self, ISO_FOREVER, &event, 1), 0); /* which nothing else ends */
    CHECK_EQ(kind->wait(self, ISO_S(1000), &event, 1), 0);
    end_alarms(&before);
    CHECK_GE(signals, 1);
    kind->close(self);
}

KIT_TEST(timers_of_a_loop_are_not_early_for_signals)
{
    iso_loop_options options = kit_options(k);
    struct sigaction before;
    iso_loop *loop;
    iso_nsec begin;

    /* given a loop that waits for a timer */
    options.selector = kit_selector(k);
    loop = kit_loop_with(k, &options);
    begin = iso_loop_time(loop);
    CHECK_OK(iso_loop_call_later(loop, ISO_MS(150), kit_stop, NULL, NULL));
    /* when signals interrupt its wait */
    begin_alarms(&before);
    CHECK_OK(iso_loop_run_forever(loop));
    /* then it goes on waiting */
    CHECK_GE(iso_loop_time(loop) - begin, ISO_MS(150));
    CHECK_GE(kit_statistics(loop).turns, 3);
    end_alarms(&before);
    CHECK_GE(signals, 2);
}

static const kit_case cases[] = {
    KIT_CASE(a_signal_ends_a_wait_without_an_event),
    KIT_CASE(timers_of_a_loop_are_not_early_for_signals),
};

KIT_MAIN(cases)
