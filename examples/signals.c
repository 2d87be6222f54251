/* SPDX-License-Identifier: MIT */
/* Signals: a program that is told to end, and ends in order.
 *
 * It plays the user itself, with raise, so that it ends by itself; Ctrl-C and kill do the same. The
 * handlers are callbacks like any other, and may call everything. Windows has no signals: the call
 * says so there, and which row of the limits table it is. */
#include <isoloop.h>
#include <signal.h>
#include <stdio.h>

typedef struct program {
    int reloads;
    int failures;
} program;

/* SIGINT, here: something to do, and the program goes on. */
static void on_interrupt(iso_loop *loop, void *arg)
{
    program *it = arg;
    it->reloads++;
    printf("SIGINT: number %d, and on it goes\n", it->reloads);
    if (it->reloads < 2) return;
    /* From now on the signal does what it did before. */
    if (iso_loop_remove_signal_handler(loop, SIGINT) != 0) it->failures++;
}

/* SIGTERM: the last turn. What is open is closed after run_forever, not in here. */
static void on_terminate(iso_loop *loop, void *arg)
{
    (void)arg;
    puts("SIGTERM: the loop stops");
    iso_loop_stop(loop);
}

/* What somebody in front of the program would do. */
static void play_user(iso_loop *loop, void *arg)
{
    program *it = arg;
    if (raise(it->reloads < 2 ? SIGINT : SIGTERM) != 0) it->failures++;
    puts("a signal was sent; its handler comes in a later turn");
    if (iso_loop_call_later(loop, ISO_MS(20), play_user, it, NULL) != 0) it->failures++;
}

static int run(iso_loop *loop, program *it)
{
    int rc = iso_loop_add_signal_handler(loop, SIGINT, on_interrupt, it);
    if (rc == ISO_ENOTSUP) {
        const iso_limit *limit = iso_loop_last_limit(loop);
        printf("%s: %s\n", limit->id, limit->text);
        return 0;
    }
    if (rc == 0) rc = iso_loop_add_signal_handler(loop, SIGTERM, on_terminate, it);
    if (rc == 0) rc = iso_loop_call_soon(loop, play_user, it, NULL);
    if (rc == 0) rc = iso_loop_run_forever(loop);
    if (rc == 0 && it->reloads != 2) rc = ISO_EINVALIDSTATE;
    return rc;
}

int main(void)
{
    program it = { 0, 0 };
    iso_loop *loop;
    int rc = iso_loop_new(&loop, NULL);
    if (rc == 0) {
        rc = run(loop, &it);
        iso_loop_close(loop); /* which removes the handlers that are left */
        iso_loop_release(loop);
    }
    if (rc != 0) fprintf(stderr, "signals: %s %s\n", iso_strerror(rc), iso_error_detail());
    return rc != 0 || it.failures != 0;
}
