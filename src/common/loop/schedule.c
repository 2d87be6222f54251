/* SPDX-License-Identifier: MIT */
/* call_soon, call_later, call_at, from this thread and from others. */
#include "base/time.h"
#include "loop/loop.h"

iso_nsec iso_loop_time(const iso_loop *loop)
{
    return iso__engine_time(&loop->engine);
}

iso_nsec iso_loop_clock_resolution(const iso_loop *loop)
{
    return loop->engine.clock.resolution;
}

int iso_loop_call_soon(iso_loop *loop, iso_callback callback, void *arg, iso_handle *handle)
{
    int rc = iso__loop_check(loop);

    if (rc != 0) return rc;
    if (callback == NULL) return ISO_EINVAL;
    return iso__engine_call_soon(&loop->engine, callback, arg, handle);
}

int iso_loop_call_soon_threadsafe(iso_loop *loop, iso_callback callback, void *arg)
{
    if (callback == NULL) return ISO_EINVAL;
    if (iso__loop_is_forked(loop)) return ISO_EFORKED;
    if (iso_loop_is_closed(loop)) return ISO_ECLOSED;
    return iso__engine_post_callback(&loop->engine, callback, arg);
}

int iso_loop_call_at(iso_loop *loop, iso_nsec when, iso_callback callback, void *arg,
                     iso_handle *handle)
{
    int rc = iso__loop_check(loop);

    if (rc != 0) return rc;
    if (callback == NULL) return ISO_EINVAL;
    return iso__engine_call_at(&loop->engine, when, callback, arg, handle);
}

int iso_loop_call_later(iso_loop *loop, iso_nsec delay, iso_callback callback, void *arg,
                        iso_handle *handle)
{
    int rc = iso__loop_check(loop);

    if (rc != 0) return rc;
    if (callback == NULL) return ISO_EINVAL;
    return iso__engine_call_at(&loop->engine, iso__time_add(iso__engine_time(&loop->engine), delay),
                               callback, arg, handle);
}

int iso_handle_cancel(iso_loop *loop, iso_handle handle)
{
    int rc = iso__loop_check_thread(loop);

    return rc != 0 ? rc : iso__engine_cancel(&loop->engine, handle);
}

int iso_handle_when(const iso_loop *loop, iso_handle handle, iso_nsec *when)
{
    int rc = iso__loop_check_thread(loop);

    return rc != 0 ? rc : iso__engine_when(&loop->engine, handle, when);
}

int iso_handle_reschedule(iso_loop *loop, iso_handle handle, iso_nsec when)
{
    int rc = iso__loop_check(loop);

    return rc != 0 ? rc : iso__engine_reschedule(&loop->engine, handle, when);
}
