/* SPDX-License-Identifier: MIT */
#include "engine/engine.h"

#include "base/alloc.h"

enum { PATIENCE_MS = 200, TELL_AFTER = 10 };

/* A batch of scheduled callbacks, while the engine closes. */
static void drop_soon(iso__engine *engine, iso__node *node)
{
    iso__soon_give(&engine->soon, iso__soon_batch_of(node));
}

void iso__engine_init(iso__engine *engine)
{
    iso__list_init(&engine->ready);
    iso__list_init(&engine->batch);
    iso__soon_init(&engine->soon, &engine->ready, drop_soon);
    iso__calls_init(&engine->calls);
    iso__timers_init(&engine->timers, &engine->calls, &engine->allocator);
    iso__timers_begin(&engine->timers, iso__engine_time(engine));
    iso__inbox_init(&engine->inbox, &engine->allocator);
    iso__map_init(&engine->ios, &engine->allocator);
}

void iso__driver_init(iso__driver *driver, const iso__driver_class *kind, iso__engine *engine)
{
    driver->kind = kind;
    driver->engine = engine;
    driver->ready = &engine->ready;
    driver->batch = &engine->batch;
    driver->allocator = &engine->allocator;
    driver->limits = &engine->limits;
    driver->logger = &engine->logger;
    driver->resolution = 0;
}

/* Run what only gives back what it holds. */
static void drain(iso__engine *engine)
{
    iso__link *link;

    while ((link = iso__list_pop(&engine->ready)) != NULL) {
        iso__node *node = ISO__CONTAINER(link, iso__node, link);
        node->run(engine, node);
    }
}

/* Everything was cancelled; what the kernel still holds comes back by itself, soon. */
static void wait_for_kernel(iso__engine *engine)
{
    iso__driver *driver = engine->driver;
    int idle = 0;

    while (driver->kind->held(driver) > 0) {
        if (driver->kind->turn(driver, ISO_MS(PATIENCE_MS)) <= 0) {
            driver->kind->cancel_held(driver);
            if (++idle == TELL_AFTER)
                iso__log(&engine->logger, ISO_LOG_WARNING,
                         "a loop that closes waits for %llu operations of the kernel's",
                         (unsigned long long)driver->kind->held(driver));
        }
        drain(engine);
    }
}

void iso__engine_close(iso__engine *engine)
{

    iso__sys_mutex_lock(&engine->inbox.lock);
    iso__atomic_store_u32(&engine->is_closed, 1);
    iso__sys_mutex_unlock(&engine->inbox.lock);
    engine->is_closing = true;
    iso__inbox_take(&engine->inbox, &engine->ready);
    drain(engine);
    if (engine->driver != NULL) {
        wait_for_kernel(engine);
        engine->driver->kind->close(engine->driver);
    }
    engine->driver = NULL;
    iso__timers_close(&engine->timers);
    iso__soon_close(&engine->soon, &engine->allocator);
    iso__calls_close(&engine->calls, &engine->allocator);
    iso__map_close(&engine->ios);
}

void iso__engine_free(iso__engine *engine)
{
    iso__inbox_close(&engine->inbox);
}

/* ---- scheduled callbacks ---- */

static void run_call(iso__engine *engine, iso__node *node)
{
    iso__call *call = ISO__CONTAINER(node, iso__call, node);
    iso_callback callback = call->callback;
    void *arg = call->arg;

    iso__calls_free(&engine->calls, call); /* before: the callback may want the slot */
    if (ISO__LIKELY(!engine->is_closing)) callback(engine->loop, arg);
}

int iso__engine_call_at(iso__engine *engine, iso_nsec when, iso_callback callback, void *arg,
                        iso_handle *handle)
{
    iso__call *call = iso__calls_take(&engine->calls, &engine->allocator);
    int rc;

    if (call == NULL) return ISO_ENOMEM;
    call->node.run = run_call;
    call->callback = callback;
    call->arg = arg;
    rc = iso__timers_add(&engine->timers, call, when);
    if (rc != 0) {
        iso__calls_free(&engine->calls, call);
        return rc;
    }
    if (handle != NULL) {
        handle->slot = call->slot;
        handle->generation = call->generation;
    }
    return 0;
}

int iso__engine_cancel(iso__engine *engine, iso_handle handle)
{
    iso__call *call;

    if ((handle.slot & ISO__SOON_HANDLE) != 0) return iso__soon_cancel(&engine->soon, handle);
    call = iso__calls_find(&engine->calls, handle);
    if (call == NULL) return ISO_ENOENT;
    if (!iso__link_is_in(&call->node.link)) {
        iso__timers_cancel(&engine->timers, call);
        return 0;
    }
    iso__list_remove(&call->node.link); /* it is due already */
    iso__calls_free(&engine->calls, call);
    return 0;
}

int iso__engine_reschedule(iso__engine *engine, iso_handle handle, iso_nsec when)
{
    iso__call *call;
    int rc;

    if ((handle.slot & ISO__SOON_HANDLE) != 0)
        return iso__soon_find(&engine->soon, handle) != NULL ? ISO_EINVAL : ISO_ENOENT;
    call = iso__calls_find(&engine->calls, handle);
    if (call == NULL) return ISO_ENOENT;
    if (!iso__link_is_in(&call->node.link)) return iso__timers_move(&engine->timers, call, when);
    rc = iso__timers_add(&engine->timers, call, when); /* it is due already, and waits again */
    if (rc == 0) iso__list_remove(&call->node.link);
    return rc;
}

int iso__engine_when(const iso__engine *engine, iso_handle handle, iso_nsec *when)
{
    const iso__call *call;

    if ((handle.slot & ISO__SOON_HANDLE) != 0)
        return iso__soon_find(&engine->soon, handle) != NULL ? ISO_EINVAL : ISO_ENOENT;
    call = iso__calls_find(&engine->calls, handle);
    if (call == NULL) return ISO_ENOENT;
    *when = call->when;
    return 0;
}

/* ---- other threads ---- */

static void wake(iso__engine *engine)
{
    iso__sys_mutex_lock(&engine->inbox.lock);
    if (iso__atomic_load_u32(&engine->is_closed) == 0) engine->driver->kind->wake(engine->driver);
    iso__sys_mutex_unlock(&engine->inbox.lock);
    (void)iso__atomic_add_u32(&engine->wakeups, 1);
}

void iso__engine_post(iso__engine *engine, iso__node *node)
{
    if (iso__inbox_push(&engine->inbox, node)) wake(engine);
}

static void run_post(iso__engine *engine, iso__node *node)
{
    iso__post *post = ISO__CONTAINER(node, iso__post, node);
    iso_callback callback = post->callback;
    void *arg = post->arg;

    iso__inbox_free_post(&engine->inbox, post);
    if (ISO__LIKELY(!engine->is_closing)) callback(engine->loop, arg);
}

int iso__engine_post_callback(iso__engine *engine, iso_callback callback, void *arg)
{
    iso__post *post = iso__inbox_new_post(&engine->inbox);

    if (post == NULL) return ISO_ENOMEM;
    post->node.run = run_post;
    post->callback = callback;
    post->arg = arg;
    iso__engine_post(engine, &post->node);
    return 0;
}

/* ---- descriptors ---- */

/* Where the documents count the loop's own wake socket, a loop that needs none counts one too: the
 * limits of another platform are met at the same socket. */
int64_t iso__engine_socket_count(const iso__engine *engine)
{
    int64_t count = (int64_t)engine->ios.count;

    if (!iso__limits_enforced(&engine->limits, ISO__ROW_WINDOWS_MAX_SOCKETS) ||
        engine->driver == NULL)
        return count;
    return count + 1 - engine->driver->kind->own_ios;
}

int iso__engine_admits(iso__engine *engine, iso_fd fd)
{
    int64_t count = iso__engine_socket_count(engine);

    if (iso__limits_enforced(&engine->limits, ISO__ROW_WINDOWS_MAX_SOCKETS) &&
        count >= iso__limit_value(ISO__ROW_WINDOWS_MAX_SOCKETS))
        return iso__limits_refuse(&engine->limits, ISO__ROW_WINDOWS_MAX_SOCKETS, count);
    if (iso__limits_enforced(&engine->limits, ISO__ROW_SELECT_FD_SETSIZE) &&
        fd >= iso__limit_value(ISO__ROW_SELECT_FD_SETSIZE))
        return iso__limits_refuse(&engine->limits, ISO__ROW_SELECT_FD_SETSIZE, fd);
    return 0;
}

int iso__engine_attach(iso__engine *engine, iso__io *io)
{
    int rc = 0;

    if (iso__map_get(&engine->ios, io->fd) != NULL) return ISO_EBUSY;
    rc = iso__engine_admits(engine, io->fd);
    if (rc == 0) rc = iso__map_set(&engine->ios, io->fd, io);
    if (rc != 0) return rc;
    rc = engine->driver->kind->attach(engine->driver, io);
    if (rc != 0) {
        (void)iso__map_remove(&engine->ios, io->fd);
        return rc;
    }
    io->is_attached = true;
    return 0;
}

void iso__engine_detach(iso__engine *engine, iso__io *io)
{
    if (!io->is_attached) return;
    engine->driver->kind->detach(engine->driver, io);
    (void)iso__map_remove(&engine->ios, io->fd);
    io->is_attached = false;
}

void iso__engine_forget(iso__engine *engine, iso_fd fd)
{
    engine->driver->kind->forget(engine->driver, fd);
}

/* ---- debug mode ---- */

iso__origin iso__engine_origin(const iso__engine *engine, const iso__node *node)
{
    iso__origin origin = { "an operation", NULL, ISO_FD_NONE };
    const iso__io *io = ISO__CONTAINER(node, const iso__io, node);
    size_t at = 0;

    if (node->run == run_call) {
        origin.what = ISO__SCHEDULED;
        origin.callback = ISO__CONTAINER(node, const iso__call, node)->callback;
    } else if (node->run == run_post) {
        origin.what = "a callback from another thread";
        origin.callback = ISO__CONTAINER(node, const iso__post, node)->callback;
    }
    /* Which nodes are embedded in an io, only the ios know. Debug mode has the time to look. */
    while (origin.callback == NULL && at < engine->ios.capacity) {
        if (iso__map_next(&engine->ios, &at) != (const void *)io) continue;
        origin.what = "what was read or written";
        origin.fd = io->fd;
        break;
    }
    return origin;
}

void iso__engine_tell_slow(const iso__engine *engine, iso__origin origin, iso_nsec taken)
{
    double seconds = (double)taken / 1e9;

    if (origin.callback != NULL)
        iso__log(&engine->logger, ISO_LOG_WARNING, "%s (at 0x%llx) took %.3f seconds", origin.what,
                 (unsigned long long)(uintptr_t)origin.callback, seconds);
    else if (origin.fd != ISO_FD_NONE)
        iso__log(&engine->logger, ISO_LOG_WARNING, "%s on descriptor %lld took %.3f seconds",
                 origin.what, (long long)origin.fd, seconds);
    else
        iso__log(&engine->logger, ISO_LOG_WARNING, "%s took %.3f seconds", origin.what, seconds);
}
