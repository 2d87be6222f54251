/* SPDX-License-Identifier: MIT */
/* Running a loop, to the end, until a future is done, or for one turn. */
#include "loop/future.h"
#include "loop/loop.h"
#include "loop/thread_state.h"

/* This thread's from here to end_run. The reference keeps a loop whose last owner lets go of it in
 * a callback, as iso_set_event_loop does. */
static int begin_run(iso_loop *loop)
{
    iso__thread_state *state;
    int rc;

    if (loop == NULL) return ISO_EINVAL;
    if (iso_loop_is_closed(loop)) return ISO_ECLOSED;
    rc = iso__thread_state_get(&state);
    if (rc != 0) return rc;
    if (state->running != NULL) return ISO_ERUNNING;
    rc = iso__loop_claim(loop);
    if (rc != 0) return rc;
    state->running = iso_loop_ref(loop);
    return 0;
}

static void end_run(iso_loop *loop)
{
    iso__thread_state *state;

    if (iso__thread_state_get(&state) == 0) state->running = NULL;
    iso__loop_unclaim(loop);
    iso_loop_release(loop);
}

/* The child of a fork in a callback shares the selector with its parent, and must not wait on
 * it. */
static int refuse_forked(const iso_loop *loop, int rc)
{
    return ISO__UNLIKELY(iso__loop_is_forked(loop)) ? ISO_EFORKED : rc;
}

static int run_turns(iso_loop *loop)
{
    int rc;

    do {
        rc = refuse_forked(loop, iso__engine_turn(&loop->engine, ISO_FOREVER));
    } while (rc >= 0 && !loop->engine.is_stopping);
    loop->engine.is_stopping = false;
    return rc < 0 ? rc : 0;
}

int iso_loop_run_forever(iso_loop *loop)
{
    int rc = begin_run(loop);

    if (rc != 0) return rc;
    rc = run_turns(loop);
    end_run(loop);
    return rc;
}

int iso_loop_run_once(iso_loop *loop, iso_nsec timeout)
{
    int rc = begin_run(loop);

    if (rc != 0) return rc;
    rc = refuse_forked(loop, iso__engine_turn(&loop->engine, timeout < 0 ? 0 : timeout));
    loop->engine.is_stopping = false;
    end_run(loop);
    return rc;
}

static void stop_when_done(iso_future *future, void *was_called)
{
    *(bool *)was_called = true;
    (void)iso_loop_stop(iso_future_get_loop(future));
}

static int run_until_done(iso_loop *loop, iso_future *future)
{
    bool was_called = false;
    int rc = iso_future_add_done_callback(future, stop_when_done, &was_called);

    if (rc != 0) return rc;
    rc = run_turns(loop);
    if (!was_called) iso__future_withdraw_callback(future, stop_when_done, &was_called);
    if (rc != 0) return rc;
    return iso_future_done(future) ? iso_future_error(future) : ISO_ESTOPPED;
}

int iso_loop_run_until_complete(iso_loop *loop, iso_future *future)
{
    int rc;

    if (loop == NULL || future == NULL || iso_future_get_loop(future) != loop) return ISO_EINVAL;
    rc = begin_run(loop);
    if (rc != 0) return rc;
    (void)iso_future_ref(future); /* a callback may give the caller's reference back */
    rc = run_until_done(loop, future);
    iso_future_release(future);
    end_run(loop);
    return rc;
}

int iso_loop_fileno(iso_loop *loop, iso_fd *out)
{
    int rc = iso__loop_check(loop);
    iso_fd fd;

    if (rc != 0) return rc;
    fd = loop->engine.driver->kind->descriptor(loop->engine.driver);
    if (fd == ISO_FD_NONE) return ISO_ENOTSUP;
    *out = fd;
    return 0;
}

iso_nsec iso_loop_next_timeout(iso_loop *loop)
{
    int rc = iso__loop_check(loop);

    if (rc != 0) return rc;
    return iso__engine_patience(&loop->engine);
}

int iso_loop_stop(iso_loop *loop)
{
    int rc = iso__loop_check_thread(loop);

    if (rc == 0) loop->engine.is_stopping = true;
    return rc;
}

static void stop_posted(iso_loop *loop, void *arg)
{
    (void)arg;
    loop->engine.is_stopping = true;
}

int iso_loop_stop_threadsafe(iso_loop *loop)
{
    return iso_loop_call_soon_threadsafe(loop, stop_posted, NULL);
}
