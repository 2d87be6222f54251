/* SPDX-License-Identifier: MIT */
/* Timers: once, at a time, again and again, and cancelled. */
#include <isoloop.h>
#include <stdio.h>

typedef struct clockwork {
    iso_nsec began_at;
    int ticks;
    int failures;
} clockwork;

/* Say when it happens; a timer is never early by more than the clock can tell apart. */
static void tell(iso_loop *loop, clockwork *it, const char *what, iso_nsec due)
{
    const iso_nsec after = iso_loop_time(loop) - it->began_at;
    printf("%4lld ms  %s\n", (long long)(after / ISO_MS(1)), what);
    if (after + iso_loop_clock_resolution(loop) < due) it->failures++;
}

static void on_past(iso_loop *loop, void *arg)
{
    tell(loop, arg, "a delay below zero means: in the next turn", 0);
}

static void on_later(iso_loop *loop, void *arg)
{
    tell(loop, arg, "call_later(30 ms)", ISO_MS(30));
}

static void on_at(iso_loop *loop, void *arg)
{
    tell(loop, arg, "call_at(start + 60 ms)", ISO_MS(60));
}

static void on_never(iso_loop *loop, void *arg)
{
    clockwork *it = arg;
    (void)loop;
    puts("         this one was cancelled, and came all the same");
    it->failures++;
}

/* A timer is called once; one that repeats sets itself again. Counted from the start, it does not
 * drift. */
static void on_tick(iso_loop *loop, void *arg)
{
    clockwork *it = arg;
    it->ticks++;
    tell(loop, it, "tick", it->ticks * ISO_MS(40));
    if (it->ticks == 3) {
        iso_loop_stop(loop);
        return;
    }
    if (iso_loop_call_at(loop, it->began_at + (it->ticks + 1) * ISO_MS(40), on_tick, it, NULL) != 0)
        it->failures++;
}

static int set_timers(iso_loop *loop, clockwork *it)
{
    iso_handle never;
    it->began_at = iso_loop_time(loop);
    int rc = iso_loop_call_later(loop, ISO_MS(30), on_later, it, NULL);
    if (rc == 0) rc = iso_loop_call_at(loop, it->began_at + ISO_MS(60), on_at, it, NULL);
    if (rc == 0) rc = iso_loop_call_later(loop, -1, on_past, it, NULL);
    if (rc == 0) rc = iso_loop_call_later(loop, ISO_MS(40), on_tick, it, NULL);
    if (rc == 0) rc = iso_loop_call_later(loop, ISO_MS(10), on_never, it, &never);
    if (rc == 0) rc = iso_handle_cancel(loop, never);
    if (rc != 0) return rc;
    /* The handle is a value and stays harmless: to cancel again finds nothing. */
    return iso_handle_cancel(loop, never) == ISO_ENOENT ? 0 : ISO_EINVALIDSTATE;
}

int main(void)
{
    clockwork it = { 0, 0, 0 };
    iso_loop *loop;
    int rc = iso_loop_new(&loop, NULL);
    if (rc == 0) {
        rc = set_timers(loop, &it);
        if (rc == 0) rc = iso_loop_run_forever(loop);
        iso_loop_close(loop);
        iso_loop_release(loop);
    }
    if (rc != 0) fprintf(stderr, "timers: %s\n", iso_strerror(rc));
    return rc != 0 || it.failures != 0;
}
