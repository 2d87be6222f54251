/* SPDX-License-Identifier: MIT */
/* Work that blocks, in threads of an executor. asyncio's loop.run_in_executor and
 * concurrent.futures are the models.
 *
 *     static int read_config(void *arg, void **result) { ...; *result = config; return 0; }
 *     ...
 *     rc = iso_loop_run_in_executor(loop, NULL, read_config, path, &future); */
#ifndef ISOLOOP_EXECUTOR_H
#define ISOLOOP_EXECUTOR_H

#include "loop.h"

ISO_BEGIN_DECLS

typedef struct iso_executor iso_executor;

/* Work, called once, in a thread of the executor's. It may block; it must not touch a loop but by
 * what any thread may call. On POSIX a pool's threads have all signals blocked but those of their
 * own faults (SIGSEGV and the like), and so has a program that the work starts by itself, unless it
 * changes the mask. It writes *result, if it has one (NULL before), and returns 0 or a
 * count, or a negative ISO_E code: the future ends with that. */
typedef int (*iso_work)(void *arg, void **result);

/* Called once if nobody was told what came of the work: it was cancelled, or its loop closed, or
 * nobody held the future when it ended. `result` is what it wrote; NULL if it never ran. Called
 * when the library is done with `arg`: in a turn of the loop, in the call that cancelled or closed,
 * or, when the work was under way then, in the thread that did it; there the loop may be gone. */
typedef void (*iso_work_drop)(void *arg, void *result);

/* ---- in a loop ------------------------------------------------------------------------------ */

/* Have `work` called in a thread of `executor`; NULL: the loop's default one, a pool of threads
 * that is made when it is first wanted. *out, if not NULL, ends with what the work answers: its
 * result (iso_future_result) and its count (iso_future_number), or its error. An executor that
 * breaks ends it with ISO_EBROKENPOOL. Work begins in the order of the calls.
 *
 * Cancelling the future takes back work that has not begun, which never runs then; work that has
 * begun goes on, and what it answers is dropped. A loop that closes does the same with all of its
 * work, and waits for none: to wait, shut the executor down before.
 * Returns 0; ISO_EINVAL (no work), ISO_ECLOSED (the loop is closed, or the executor was shut down),
 * ISO_EBROKENPOOL, ISO_EAGAIN (no thread can be started), ISO_ENOMEM, ISO_ETHREAD, ISO_EFORKED (a
 * loop, or an executor, of the parent's: a child has none of its threads).
 * Ownership: `arg` is lent until the future is done. When that was by cancelling, or by closing the
 * loop, work that had begun still uses it: where that may be, use iso_loop_submit, whose `drop`
 * tells the end in every case. Source: loop.run_in_executor. */
ISO_API int iso_loop_run_in_executor(iso_loop *loop, iso_executor *executor, iso_work work,
                                     void *arg, iso_future **out);

typedef struct iso_work_options {
    size_t size; /* of this struct: use the macro */
    iso_work work;
    void *arg;
    iso_work_drop drop; /* NULL: nothing is to be freed */
} iso_work_options;

#define ISO_WORK_OPTIONS_INIT                                                                      \
    {                                                                                              \
        sizeof(iso_work_options), NULL, NULL, NULL                                                 \
    }

/* The same for work that has an owner: `arg` is given to the library by a call that returns 0, and
 * comes back exactly once: through `drop`, with the result, if there is one, when the future was
 * cancelled, its loop closed, or nobody held it when it ended; else with the future, which has the
 * result (also when the loop closes before it calls the future's callbacks). So neither is lost.
 * Returns as above. Ownership: options are borrowed. Source: Executor.submit. */
ISO_API int iso_loop_submit(iso_loop *loop, iso_executor *executor, const iso_work_options *options,
                            iso_future **out);

/* Have the loop use `executor` by default. The one before is let go of: if it was the loop's own,
 * its threads end when they have done what they have.
 * Returns 0, ISO_EINVAL (NULL), ISO_ECLOSED, ISO_ETHREAD, ISO_EFORKED.
 * Ownership: shared by the loop, which shuts it down when it closes, whoever made it, as asyncio
 * does. Source: loop.set_default_executor. */
ISO_API int iso_loop_set_default_executor(iso_loop *loop, iso_executor *executor);

/* Shut the default executor down: no work is taken for it from here on (ISO_ECLOSED), and the
 * future is done when all that it has was done and its threads have ended. After `timeout` (by the
 * loop's clock; ISO_FOREVER: no end) it is done nevertheless, a warning goes to the log, and the
 * threads end by themselves; the future's number says whether they did in time: 1 or 0. The loop is
 * not blocked meanwhile. Host names are looked up by other threads, and still are.
 * Returns 0, ISO_ENOMEM, ISO_EAGAIN (no thread can be started), ISO_ECLOSED, ISO_ETHREAD,
 * ISO_EFORKED. Source: loop.shutdown_default_executor; the timeout: CPython 3.12. */
ISO_API int iso_loop_shutdown_default_executor(iso_loop *loop, iso_nsec timeout, iso_future **out);

/* ---- executors ------------------------------------------------------------------------------ */

typedef struct iso_thread_pool_executor_options {
    size_t size;                    /* of this struct: use the macro */
    int max_workers;                /* 0: as many as processors and 4 more, at most 32 */
    const char *thread_name_prefix; /* NULL: "iso-pool"; a debugger shows "prefix_0" */
    size_t stack_bytes;             /* of each thread, at least; 0: as the system has it */
    int (*initializer)(void *arg);  /* called first in each thread; < 0: the pool is broken */
    void *initializer_arg;
    const iso_allocator *allocator; /* NULL: malloc; copied */
} iso_thread_pool_executor_options;

#define ISO_THREAD_POOL_EXECUTOR_OPTIONS_INIT                                                      \
    {                                                                                              \
        sizeof(iso_thread_pool_executor_options), 0, NULL, 0, NULL, NULL, NULL                     \
    }

/* Make a pool of threads; NULL options mean all defaults. A thread is started when there is work
 * and none is idle, and stays until the pool is shut down. Several loops may use one pool. If the
 * initializer of a thread fails, the pool is broken: what waits ends with ISO_EBROKENPOOL, and no
 * more work is taken.
 * Returns 0, ISO_EINVAL (max_workers < 0), ISO_ENOMEM. Thread: any.
 * Ownership: the caller owns one reference; the allocator's memory is in use until the threads have
 * ended, and the futures of its work are done. Source: concurrent.futures.ThreadPoolExecutor. */
ISO_API int iso_thread_pool_executor_new(iso_executor **out,
                                         const iso_thread_pool_executor_options *options);

/* Share it, and give a reference back. After the last one its threads do what waits, and end.
 * NULL is fine for release, which leaves an executor of the parent's of a forked child alone.
 * Thread: any. */
ISO_API iso_executor *iso_executor_ref(iso_executor *executor);
ISO_API void iso_executor_release(iso_executor *executor);

/* Take no more work. cancel_futures: what has not begun never runs, and its futures are cancelled;
 * else it is done first. wait: return when all work was done and the threads have ended. Several
 * times is fine.
 * Returns 0, ISO_EINVALIDSTATE (a thread of the pool would wait for itself), ISO_EFORKED.
 * Thread: any. Source: Executor.shutdown. */
ISO_API int iso_executor_shutdown(iso_executor *executor, bool wait, bool cancel_futures);

/* ---- executors of one's own ----------------------------------------------------------------- */

/* One piece of work, in the hands of an executor. */
typedef struct iso_job iso_job;

/* What a kind of executor does. Each function may be called from any thread, several at a time. */
typedef struct iso_executor_class {
    const char *name;
    /* Take a job, and see to it that one of iso_job_run, iso_job_end (after iso_job_begin) and
     * iso_job_cancel is called for it, here or later, in whatever thread. Returns 0, or an error:
     * then the job is not taken. */
    int (*submit)(void *self, iso_job *job);
    /* Give back a job that was cancelled: true if it was not begun and is touched no more, false if
     * it is on its way. NULL: jobs stay until their turn comes, and iso_job_begin answers false. */
    bool (*withdraw)(void *self, iso_job *job);
    /* As iso_executor_shutdown. */
    int (*shutdown)(void *self, bool wait, bool cancel_futures);
    /* The last reference has gone, and no job is there any more: free everything. It may be called
     * by iso_job_end, in a thread of the executor's own. */
    void (*close)(void *self);
} iso_executor_class;

/* Make an executor of the caller's own kind. `self` is handed to every function of `kind`, and is
 * given to the executor: its close frees it.
 * Returns 0, ISO_EINVAL (an empty slot but withdraw), ISO_ENOMEM (`self` is still the caller's).
 * Thread: any. */
ISO_API int iso_executor_new_custom(iso_executor **out, const iso_executor_class *kind, void *self);

/* Do it: begin, call the work, end. For executors that work in this process. Thread: any. */
ISO_API void iso_job_run(iso_job *job);

/* The same in steps. begin answers whether it is still wanted; if not, the job is gone. Then the
 * work, to be called somewhere; and end gives its answer, and the job is gone. Thread: any. */
ISO_API bool iso_job_begin(iso_job *job);
ISO_API iso_work iso_job_work(const iso_job *job);
ISO_API void *iso_job_arg(const iso_job *job);
ISO_API void iso_job_end(iso_job *job, int rc, void *result);

/* Instead of begin: it never runs, its future is cancelled, and the job is gone. Thread: any. */
ISO_API void iso_job_cancel(iso_job *job);

ISO_END_DECLS

#endif
