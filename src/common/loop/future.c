/* SPDX-License-Identifier: MIT */
#include "loop/future.h"

#include "base/alloc.h"
#include "loop/loop.h"

/* A callback of add_done_callback. It is made when it is added, so that ending a future needs no
 * memory and cannot fail; from then on it waits in the ready list and shares the future. */
typedef struct future_callback {
    iso__node node;
    iso_future *future;
    iso_future_callback callback;
    void *arg;
} future_callback;

static void finish_future(iso__object *object)
{
    iso_future *future = (iso_future *)object;
    const iso_allocator *allocator = iso__loop_allocator(object->loop);
    iso__link *link;

    while ((link = iso__list_pop(&future->callbacks)) != NULL)
        iso__free(allocator, ISO__CONTAINER(link, future_callback, node.link),
                  sizeof(future_callback));
    if (future->owned != NULL) iso__object_unref(future->owned);
    if (future->owned_bytes != 0) iso__free(allocator, future->result, future->owned_bytes);
    iso__free(allocator, future->attempts, future->attempt_capacity * sizeof(iso_attempt));
}

static void abandon_future(iso__object *object)
{
    (void)object; /* a future is never open: its operation is */
}

static const iso__object_class future_class = {
    .name = "future",
    .abandon = abandon_future,
    .finish = finish_future,
    .size = sizeof(iso_future),
};

int iso_loop_create_future(iso_loop *loop, iso_future **out)
{
    iso_future *future;
    int rc;

    if (loop == NULL || out == NULL) return ISO_EINVAL;
    rc = iso__loop_check(loop);
    if (rc != 0) return rc;
    future = iso__object_new(loop, &future_class);
    if (future == NULL) return ISO_ENOMEM;
    iso__list_init(&future->callbacks);
    *out = future;
    return 0;
}

int iso_future_new(iso_future **out, iso_loop *loop)
{
    return iso_loop_create_future(loop, out);
}

iso_future *iso_future_ref(iso_future *future)
{
    iso__object_ref(&future->object);
    return future;
}

/* Nobody holds it any more, and nobody asked how it ended. */
static void tell_unasked(iso_future *future)
{
    iso_exception_context context = { NULL, 0, NULL, NULL, NULL };

    if (iso__loop_check(future->object.loop) != 0) return;
    context.message = "the error of a future was never asked for";
    context.error = future->error;
    context.future = future;
    future->is_asked = true;
    iso__loop_report(future->object.loop, &context);
}

void iso_future_release(iso_future *future)
{
    if (future == NULL) return;
    if (future->object.references == 1 && future->state == ISO__FUTURE_ERROR && !future->is_asked)
        tell_unasked(future);
    iso__object_unref(&future->object);
}

/* ---- ending ---- */

static void run_callback(iso__engine *engine, iso__node *node)
{
    future_callback entry = *ISO__CONTAINER(node, future_callback, node);

    iso__free(&engine->allocator, ISO__CONTAINER(node, future_callback, node), sizeof(entry));
    if (!engine->is_closing) entry.callback(entry.future, entry.arg);
    iso_future_release(entry.future);
}

static void schedule(iso_future *future, future_callback *entry)
{
    iso__object_ref(&future->object);
    iso__list_push(&future->object.loop->engine.ready, &entry->node.link);
}

static void end(iso_future *future, iso__future_state state, int error)
{
    iso__link *link;

    future->state = state;
    future->error = error;
    if (iso__atomic_load_u32(&future->object.loop->is_closed) != 0) return;
    while ((link = iso__list_pop(&future->callbacks)) != NULL)
        schedule(future, ISO__CONTAINER(link, future_callback, node.link));
}

static int check_pending(const iso_future *future)
{
    int rc = iso__loop_check_thread(future->object.loop);

    if (rc != 0) return rc;
    return future->state == ISO__FUTURE_PENDING ? 0 : ISO_EINVALIDSTATE;
}

/* The future of an operation is the operation's to end: only cancelling ends both. */
static int check_settable(const iso_future *future)
{
    int rc = check_pending(future);

    return rc == 0 && future->cancel != NULL ? ISO_EINVALIDSTATE : rc;
}

int iso_future_set_result(iso_future *future, void *result)
{
    int rc = check_settable(future);

    if (rc != 0) return rc;
    future->result = result;
    end(future, ISO__FUTURE_RESULT, 0);
    return 0;
}

int iso_future_set_number(iso_future *future, intptr_t number)
{
    int rc = check_settable(future);

    if (rc != 0) return rc;
    future->number = number;
    end(future, ISO__FUTURE_RESULT, 0);
    return 0;
}

int iso_future_set_error(iso_future *future, int error)
{
    int rc = check_settable(future);

    if (rc != 0) return rc;
    if (error >= 0) return ISO_EINVAL;
    end(future, ISO__FUTURE_ERROR, error);
    return 0;
}

int iso_future_cancel(iso_future *future)
{
    int rc = check_pending(future);

    if (rc == 0) iso__future_abandon(future);
    return rc;
}

/* ---- asking ---- */

bool iso_future_done(const iso_future *future)
{
    return future->state != ISO__FUTURE_PENDING;
}

bool iso_future_cancelled(const iso_future *future)
{
    return future->state == ISO__FUTURE_CANCELLED;
}

int iso_future_error(iso_future *future)
{
    if (future->state == ISO__FUTURE_PENDING) return ISO_EINVALIDSTATE;
    future->is_asked = true;
    return future->error;
}

int iso_future_result(iso_future *future, void **out)
{
    int rc = iso_future_error(future);

    if (rc == 0 && out != NULL) *out = future->result;
    return rc;
}

int iso_future_number(iso_future *future, intptr_t *out)
{
    int rc = iso_future_error(future);

    if (rc == 0 && out != NULL) *out = future->number;
    return rc;
}

const iso_attempt *iso_future_attempts(const iso_future *future, size_t *count)
{
    if (count != NULL) *count = future->attempt_count;
    return future->attempt_count == 0 ? NULL : future->attempts;
}

iso_loop *iso_future_get_loop(const iso_future *future)
{
    return future->object.loop;
}

/* ---- callbacks ---- */

int iso_future_add_done_callback(iso_future *future, iso_future_callback callback, void *arg)
{
    future_callback *entry;
    int rc = iso__loop_check(future->object.loop);

    if (rc != 0) return rc;
    if (callback == NULL) return ISO_EINVAL;
    entry = iso__alloc_zero(iso__loop_allocator(future->object.loop), sizeof(*entry));
    if (entry == NULL) return ISO_ENOMEM;
    entry->node.run = run_callback;
    entry->future = future;
    entry->callback = callback;
    entry->arg = arg;
    if (future->state == ISO__FUTURE_PENDING)
        iso__list_push(&future->callbacks, &entry->node.link);
    else
        schedule(future, entry);
    return 0;
}

static bool is_callback(const iso__link *link, const iso_future *future,
                        iso_future_callback callback, const void *arg)
{
    const future_callback *entry = ISO__CONTAINER(link, const future_callback, node.link);

    return entry->node.run == run_callback && entry->future == future &&
           entry->callback == callback && entry->arg == arg;
}

/* Take such callbacks off a list. Returns how many. */
static int take_off(iso__link *list, const iso_future *future, iso_future_callback callback,
                    const void *arg)
{
    iso__link *link = list->next;
    int count = 0;

    while (link != list) {
        iso__link *next = link->next;

        if (is_callback(link, future, callback, arg)) {
            iso__list_remove(link);
            iso__free(iso__loop_allocator(future->object.loop),
                      ISO__CONTAINER(link, future_callback, node.link), sizeof(future_callback));
            count++;
        }
        link = next;
    }
    return count;
}

int iso_future_remove_done_callback(iso_future *future, iso_future_callback callback, void *arg)
{
    int rc = iso__loop_check_thread(future->object.loop);

    return rc != 0 ? rc : take_off(&future->callbacks, future, callback, arg);
}

void iso__future_withdraw_callback(iso_future *future, iso_future_callback callback, void *arg)
{
    int count;

    (void)take_off(&future->callbacks, future, callback, arg);
    count = take_off(&future->object.loop->engine.ready, future, callback, arg);
    while (count-- > 0) iso__object_unref(&future->object); /* each one shared it there */
}

/* ---- for operations ---- */

void iso__future_abandon(iso_future *future)
{
    end(future, ISO__FUTURE_CANCELLED, ISO_ECANCELED);
    if (future->cancel != NULL)
        future->cancel(future->operation); /* may give back the last reference but the user's */
}

bool iso__future_is_awaited(const iso_future *future)
{
    return future->object.references > 1 || !iso__list_empty(&future->callbacks);
}

int iso__future_start(iso_loop *loop, void (*cancel)(void *operation), void *operation,
                      iso_future **out)
{
    int rc = iso_loop_create_future(loop, out);

    if (rc != 0) return rc;
    (*out)->cancel = cancel;
    (*out)->operation = operation;
    return 0;
}

void iso__future_give(iso_future *future, iso_future **out)
{
    if (out != NULL) *out = iso_future_ref(future);
}

void iso__future_end_object(iso_future *future, iso__object *result)
{
    if (future->state == ISO__FUTURE_PENDING) {
        iso__object_ref(result);
        future->owned = result;
        future->result = result;
        end(future, ISO__FUTURE_RESULT, 0);
    }
    iso_future_release(future);
}

void iso__future_end_memory(iso_future *future, void *memory, size_t bytes, size_t used)
{
    future->result = memory;
    future->owned_bytes = bytes;
    iso__future_end_number(future, (intptr_t)used);
}

void iso__future_end_number(iso_future *future, intptr_t number)
{
    if (future->state == ISO__FUTURE_PENDING) {
        future->number = number;
        end(future, ISO__FUTURE_RESULT, 0);
    }
    iso_future_release(future);
}

void iso__future_end_result(iso_future *future, intptr_t number, void *result)
{
    if (future->state == ISO__FUTURE_PENDING) future->result = result;
    iso__future_end_number(future, number);
}

void iso__future_end_error(iso_future *future, int error)
{
    if (future->state == ISO__FUTURE_PENDING) {
        (void)iso__loop_explain(future->object.loop, error);
        end(future, error == 0 ? ISO__FUTURE_RESULT : ISO__FUTURE_ERROR, error);
    }
    iso_future_release(future);
}

static int grow_attempts(iso_future *future)
{
    size_t wanted = future->attempt_capacity == 0 ? 4 : future->attempt_capacity * 2;
    iso_attempt *attempts =
        iso__realloc(iso__loop_allocator(future->object.loop), future->attempts,
                     future->attempt_capacity * sizeof(*attempts), wanted * sizeof(*attempts));

    if (attempts == NULL) return ISO_ENOMEM;
    future->attempts = attempts;
    future->attempt_capacity = wanted;
    return 0;
}

void iso__future_add_attempt(iso_future *future, const iso_address *address, int error)
{
    if (future->attempt_count == future->attempt_capacity && grow_attempts(future) != 0) return;
    future->attempts[future->attempt_count].address = *address;
    future->attempts[future->attempt_count].error = error;
    future->attempt_count++;
}
