/* SPDX-License-Identifier: MIT */
/* The event loop. asyncio's AbstractEventLoop is the model.
 *
 * A loop belongs to one thread: the one that made it, until another one runs or closes it while it
 * is not running. Every function is for that thread alone and answers ISO_ETHREAD elsewhere, but
 * for those whose comment says "Thread: any". In a forked child a loop of the parent answers
 * ISO_EFORKED. */
#ifndef ISOLOOP_LOOP_H
#define ISOLOOP_LOOP_H

#include "base.h"
#include "error.h"
#include "future.h"
#include "selector.h"

ISO_BEGIN_DECLS

typedef struct iso_transport iso_transport;
typedef struct iso_server iso_server;

/* What a loop calls. It must not block. It may call everything; closing the loop answers
 * ISO_ERUNNING. */
typedef void (*iso_callback)(iso_loop *loop, void *arg);

/* A scheduled callback. A value: nothing to free, and cancelling a stale one is harmless. */
typedef struct iso_handle {
    uint32_t slot;
    uint32_t generation;
} iso_handle;

/* ---- making and closing --------------------------------------------------------------------- */

typedef struct iso_loop_options {
    size_t size;            /* of this struct, for versions to come: use the macro */
    const char *backend;    /* "selector:epoll", "selector", ...; NULL: ISOLOOP_LOOP or best */
    const char *limits;     /* a profile; NULL: ISOLOOP_LIMITS or "documented" */
    iso_selector *selector; /* one of the caller's; the loop owns it from then on */
    const iso_allocator *allocator; /* NULL: malloc; copied */
    const iso_clock *clock;         /* NULL: the system's monotonic clock; copied */
    iso_logger logger;              /* NULL: standard error */
    void *logger_context;
    iso_nsec slow_callback_duration; /* what debug mode calls slow; 0: 100 ms */
    bool debug;                      /* also switched on by ISOLOOP_DEBUG=1 */
} iso_loop_options;

#define ISO_LOOP_OPTIONS_INIT                                                                      \
    {                                                                                              \
        sizeof(iso_loop_options), NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, false               \
    }

/* Make a loop; NULL options mean all defaults. It is not made current.
 * Returns 0; ISO_ENOTSUP (a backend that is not there: iso_error_detail lists what there is; or one
 * that a limit forbids), ISO_EINVAL (an unknown profile), ISO_EBUSY (a selector that has
 * descriptors or a loop already), ISO_ENOMEM, ISO_EMFILE. Thread: any.
 * Ownership: the caller owns one reference until iso_loop_release; `selector` is taken over only
 * when the call succeeds. */
ISO_API int iso_loop_new(iso_loop **out, const iso_loop_options *options);

/* asyncio.SelectorEventLoop(selector). NULL selector: the best of this platform. As
 * iso_loop_new. */
ISO_API int iso_selector_event_loop_new(iso_loop **out, iso_selector *selector);

/* Close the loop: what is scheduled is dropped, what is open is aborted (each connection_lost
 * comes, with ISO_ECLOSED). No thread is waited for: work in an executor, and host names, that have
 * not begun never do, and what has begun goes on without the loop, its end told to the `drop` of
 * iso_loop_submit. The default executor is shut down; to wait for what it does, await
 * iso_loop_shutdown_default_executor before. The loop stays there to be asked, and answers
 * ISO_ECLOSED. Returns 0, also the second time; ISO_ERUNNING for a loop that is running;
 * ISO_EFORKED. NULL is fine. Source: loop.close. */
ISO_API int iso_loop_close(iso_loop *loop);

/* Share it, and give a reference back; the last one closes the loop and frees it, as soon as it
 * does not run any more and the objects that a program still holds are released too. NULL is fine
 * for release. Thread: any for ref; for release that of iso_loop_close. */
ISO_API iso_loop *iso_loop_ref(iso_loop *loop);
ISO_API void iso_loop_release(iso_loop *loop);

ISO_API bool iso_loop_is_closed(const iso_loop *loop); /* Thread: any. */

/* The exact name of the backend, "selector:epoll"; a caller's selector: "selector:" and its name.
 * Thread: any. */
ISO_API const char *iso_loop_backend(const iso_loop *loop);

/* The name of the limits profile. Thread: any. */
ISO_API const char *iso_loop_limits_profile(const iso_loop *loop);

/* One backend that the library knows, there or not. All texts are static. */
typedef struct iso_backend {
    const char *name;   /* "selector:epoll" */
    const char *reason; /* why it is not there; "" when it is */
    bool available;
    bool is_default;
} iso_backend;

/* Every backend that the library knows. Returns how many; *out is static. Thread: any. */
ISO_API size_t iso_backends(const iso_backend **out);

/* ---- running -------------------------------------------------------------------------------- */

/* Run until iso_loop_stop. Called after a stop, it makes exactly one turn that does not wait.
 * Returns 0; ISO_ERUNNING (this loop, or another one of this thread, is running), ISO_ECLOSED,
 * ISO_EFORKED, or what the selector failed with. Source: loop.run_forever. */
ISO_API int iso_loop_run_forever(iso_loop *loop);

/* Run until the future is done. Returns 0 when it ended with a result, and its error when it ended
 * with one; else ISO_ESTOPPED (stopped before that), ISO_EINVAL (a future of another loop), or as
 * run_forever. iso_future_done tells the two apart.
 * Source: loop.run_until_complete. */
ISO_API int iso_loop_run_until_complete(iso_loop *loop, iso_future *future);

/* Make one turn: wait at most `timeout` for something to do (0: do not wait; ISO_FOREVER: no end),
 * then run what is ready. A stop, before it or in it, is spent by it. For embedding in another
 * loop, with the two functions below.
 * Returns how many callbacks ran, the loop's own among them, or an error as run_forever. */
ISO_API int iso_loop_run_once(iso_loop *loop, iso_nsec timeout);

/* The descriptor that is readable when a turn would find something to do, in *out. Call
 * iso_loop_next_timeout before each wait on it. Returns 0, or ISO_ENOTSUP where the backend has
 * none (poll and select). */
ISO_API int iso_loop_fileno(iso_loop *loop, iso_fd *out);

/* How long a wait from now on may last: 0 when something is ready, the time until the next timer,
 * ISO_FOREVER when there is none; or an error, as a negative number. */
ISO_API iso_nsec iso_loop_next_timeout(iso_loop *loop);

/* End run_forever after this turn. Silent on a closed loop. Returns 0 or ISO_ETHREAD.
 * Source: loop.stop. */
ISO_API int iso_loop_stop(iso_loop *loop);

/* The same from anywhere. Returns 0, ISO_ENOMEM, ISO_ECLOSED, ISO_EFORKED. Thread: any.
 * Source: loop.call_soon_threadsafe(loop.stop). */
ISO_API int iso_loop_stop_threadsafe(iso_loop *loop);

ISO_API bool iso_loop_is_running(const iso_loop *loop); /* Thread: any. */

/* ---- scheduling ----------------------------------------------------------------------------- */

/* The loop's clock, and what it can tell apart; a timer is never early by more than that. On
 * Windows it is how exact a wait can be: the system's tick, usually 15.6 ms, for a selector loop;
 * 0.5 ms for a proactor loop where the system has high-resolution timers. A limits profile that
 * speaks of Windows brings its 15.6 ms to every platform: timers are due on ticks then.
 * Source: loop.time, time.get_clock_info. */
ISO_API iso_nsec iso_loop_time(const iso_loop *loop);
ISO_API iso_nsec iso_loop_clock_resolution(const iso_loop *loop);

/* Have `callback` called in the next turn, first in first out. *handle, if not NULL, is for
 * cancelling.
 * Returns 0, ISO_EINVAL (no callback), ISO_ENOMEM, ISO_ECLOSED, ISO_ETHREAD, ISO_EFORKED.
 * Ownership: `arg` is lent until it was called or dropped. Source: loop.call_soon. */
ISO_API int iso_loop_call_soon(iso_loop *loop, iso_callback callback, void *arg,
                               iso_handle *handle);

/* The same from any thread; waits of the loop end. No handle: it could not be cancelled safely. The
 * caller sees to it that the loop is not freed meanwhile, by a reference of its own for instance.
 * Returns 0, ISO_EINVAL, ISO_ENOMEM, ISO_ECLOSED, ISO_EFORKED. Thread: any.
 * Source: loop.call_soon_threadsafe. */
ISO_API int iso_loop_call_soon_threadsafe(iso_loop *loop, iso_callback callback, void *arg);

/* Have it called `delay` ns from now, or at a time of iso_loop_time. What is past is due in the
 * next turn. Never early; equal times in the order of these calls. Returns as call_soon.
 * Source: loop.call_later, loop.call_at. */
ISO_API int iso_loop_call_later(iso_loop *loop, iso_nsec delay, iso_callback callback, void *arg,
                                iso_handle *handle);
ISO_API int iso_loop_call_at(iso_loop *loop, iso_nsec when, iso_callback callback, void *arg,
                             iso_handle *handle);

/* Drop a scheduled callback; one of this turn's that has not run yet, too.
 * Returns 0, or ISO_ENOENT (it ran, or was cancelled before), ISO_ETHREAD.
 * Source: Handle.cancel. */
ISO_API int iso_handle_cancel(iso_loop *loop, iso_handle handle);

/* Have a timer be due at another time of iso_loop_time, later or earlier; it counts as scheduled
 * last among equal times. Cheaper than to cancel it and schedule another, and its handle stays.
 * Returns 0; ISO_ENOENT (it ran, or was cancelled), ISO_EINVAL (not a timer), ISO_ENOMEM (it is due
 * as before then), ISO_ECLOSED, ISO_ETHREAD. Source: asyncio.Timeout.reschedule; libev,
 * ev_timer_again. */
ISO_API int iso_handle_reschedule(iso_loop *loop, iso_handle handle, iso_nsec when);

/* When a timer is due, in *when. Returns 0; ISO_ENOENT (not waiting any more), ISO_EINVAL (not a
 * timer). Source: TimerHandle.when. */
ISO_API int iso_handle_when(const iso_loop *loop, iso_handle handle, iso_nsec *when);

/* ---- watching descriptors ------------------------------------------------------------------- */

/* Have `callback` called in each turn in which `fd` can be read, or written, until it is removed; a
 * second call for the same descriptor replaces callback and argument.
 * Returns 0; ISO_EINVAL (no callback), ISO_EBADF, ISO_EREGULARFILE; ISO_EBUSY (a transport, or a
 * sock_ call, has it); ISO_ENOTSOCK, ISO_ENOTSUP or ISO_ELIMIT (a row of the limits table:
 * iso_loop_last_limit); ISO_ENOMEM, ISO_ECLOSED, ISO_ETHREAD. A refusal leaves everything as it
 * was.
 * A proactor on Windows watches under the profile native only, and sockets only, as a selector does
 * there; it may call once more for what somebody else has read, or filled, before the turn: a
 * socket that blocks would block then.
 * Ownership: `fd` is borrowed; remove it before you close it. Source: loop.add_reader,
 * add_writer. */
ISO_API int iso_loop_add_reader(iso_loop *loop, iso_fd fd, iso_callback callback, void *arg);
ISO_API int iso_loop_add_writer(iso_loop *loop, iso_fd fd, iso_callback callback, void *arg);

/* Stop it; a callback that was due in this turn is not called.
 * Returns 0, ISO_ENOENT (there was none), ISO_EBUSY (a transport or a sock_ call has it),
 * ISO_ENOTSUP (a limits row), ISO_ECLOSED, ISO_ETHREAD.
 * Source: loop.remove_reader, remove_writer. */
ISO_API int iso_loop_remove_reader(iso_loop *loop, iso_fd fd);
ISO_API int iso_loop_remove_writer(iso_loop *loop, iso_fd fd);

/* ---- errors that have no caller, and debug mode --------------------------------------------- */

/* What went wrong, and where: everything that does not apply is NULL or 0. Borrowed, all of it. */
typedef struct iso_exception_context {
    const char *message; /* a sentence */
    int error;
    iso_future *future;
    iso_transport *transport;
    iso_server *server;
} iso_exception_context;

typedef void (*iso_exception_handler)(iso_loop *loop, const iso_exception_context *context,
                                      void *arg);

/* Who is told of errors that no call can return; NULL: the default one, which writes to the log.
 * Returns 0 or ISO_ETHREAD. Source: loop.set_exception_handler. */
ISO_API int iso_loop_set_exception_handler(iso_loop *loop, iso_exception_handler handler,
                                           void *arg);

/* Source: loop.default_exception_handler, loop.call_exception_handler. */
ISO_API void iso_loop_default_exception_handler(iso_loop *loop,
                                                const iso_exception_context *context);
ISO_API void iso_loop_call_exception_handler(iso_loop *loop, const iso_exception_context *context);

/* Debug mode reports callbacks that take longer than slow_callback_duration, and transports that
 * are still open when the loop closes. Source: loop.get_debug, set_debug. */
ISO_API bool iso_loop_get_debug(const iso_loop *loop);
ISO_API int iso_loop_set_debug(iso_loop *loop, bool enabled);

/* What the loop has done so far, and what is alive in it. */
typedef struct iso_loop_statistics {
    uint64_t turns;
    uint64_t callbacks; /* of every sort */
    uint64_t events;    /* told by the selector */
    uint64_t wakeups;   /* system calls that other threads made to wake it */
    uint32_t timers;    /* waiting */
    uint32_t ready;     /* scheduled for the next turn */
    uint32_t objects;   /* transports, servers, watchers, operations */
    uint32_t registered;
} iso_loop_statistics;

ISO_API void iso_loop_get_statistics(const iso_loop *loop, iso_loop_statistics *out);

ISO_END_DECLS

#endif
