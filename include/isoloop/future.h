/* SPDX-License-Identifier: MIT */
/* Futures: a result that is not there yet. asyncio.Future is the model.
 *
 * A future is counted: whoever is given one releases it. It belongs to its loop's thread. */
#ifndef ISOLOOP_FUTURE_H
#define ISOLOOP_FUTURE_H

#include "base.h"

ISO_BEGIN_DECLS

typedef struct iso_loop iso_loop;
typedef struct iso_future iso_future;

/* Called from a turn of the loop once the future is done; borrows it. */
typedef void (*iso_future_callback)(iso_future *future, void *arg);

/* Make a future of this loop, pending. The caller owns one reference.
 * Returns 0, ISO_ENOMEM, ISO_ECLOSED or ISO_ETHREAD. Source: loop.create_future. */
ISO_API int iso_loop_create_future(iso_loop *loop, iso_future **out);

/* The same under the name of the class. Source: asyncio.Future(loop=...). */
ISO_API int iso_future_new(iso_future **out, iso_loop *loop);

/* Share it, and give a reference back; the last one frees it. A future that ends with an error
 * which nobody asked for is told to the exception handler then. NULL is fine for release. Thread:
 * loop. */
ISO_API iso_future *iso_future_ref(iso_future *future);
ISO_API void iso_future_release(iso_future *future);

/* End it with a result: a pointer, or a number (a count, a descriptor). Nothing is done with the
 * pointer. Returns 0, ISO_EINVALIDSTATE (done already, or the future of an operation of the
 * library's, which only iso_future_cancel ends), or ISO_ETHREAD. Source: Future.set_result. */
ISO_API int iso_future_set_result(iso_future *future, void *result);
ISO_API int iso_future_set_number(iso_future *future, intptr_t number);

/* End it with an error, a negative ISO_E code. Returns 0, ISO_EINVALIDSTATE, ISO_EINVAL (not an
 * error) or ISO_ETHREAD, as set_result. Source: Future.set_exception. */
ISO_API int iso_future_set_error(iso_future *future, int error);

/* End it with ISO_ECANCELED, and the operation behind it too.
 * Returns 0, ISO_EINVALIDSTATE (done already) or ISO_ETHREAD. Source: Future.cancel. */
ISO_API int iso_future_cancel(iso_future *future);

/* Whether it has ended, and whether by cancel. Source: Future.done, Future.cancelled. */
ISO_API bool iso_future_done(const iso_future *future);
ISO_API bool iso_future_cancelled(const iso_future *future);

/* The result. Each returns 0 and writes *out (which may be NULL); or the future's error;
 * or ISO_EINVALIDSTATE while it is pending. An object in *out is borrowed from the future.
 * Source: Future.result. */
ISO_API int iso_future_result(iso_future *future, void **out);
ISO_API int iso_future_number(iso_future *future, intptr_t *out);

/* The error: 0 for a result, ISO_EINVALIDSTATE while it is pending. Source: Future.exception. */
ISO_API int iso_future_error(iso_future *future);

/* Where an operation tried several addresses, each attempt that failed, in order. */
typedef struct iso_attempt {
    iso_address address;
    int error;
} iso_attempt;

/* The failed attempts behind a future; *count of them, NULL when there are none.
 * Ownership: borrowed from the future. Source: create_connection(all_errors=True). */
ISO_API const iso_attempt *iso_future_attempts(const iso_future *future, size_t *count);

/* Have `callback` called by call_soon when the future is done: at once when it is already.
 * Several are called in the order of adding. Returns 0, ISO_EINVAL (no callback), ISO_ENOMEM,
 * ISO_ECLOSED or ISO_ETHREAD. Source: Future.add_done_callback. */
ISO_API int iso_future_add_done_callback(iso_future *future, iso_future_callback callback,
                                         void *arg);

/* Take every such pair of callback and argument off a pending future again. Returns how many.
 * Source: Future.remove_done_callback. */
ISO_API int iso_future_remove_done_callback(iso_future *future, iso_future_callback callback,
                                            void *arg);

/* The loop that it belongs to. Source: Future.get_loop. */
ISO_API iso_loop *iso_future_get_loop(const iso_future *future);

ISO_END_DECLS

#endif
