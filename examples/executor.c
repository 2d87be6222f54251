/* SPDX-License-Identifier: MIT */
/* Work that blocks, in threads: the loop goes on while a file is read and a sum is made. First in
 * the loop's default executor, then in a pool of one's own. The program of asyncio's
 * documentation of run_in_executor. */
#include <inttypes.h>
#include <isoloop.h>
#include <stdio.h>
#include <stdlib.h>

enum { BYTES = 100, NUMBERS = 1000000 };

/* In a thread. File operations can block the event loop. What it read is the future's result, and
 * how much of it the future's number. */
static int blocking_io(void *arg, void **result)
{
    FILE *file = fopen(arg, "rb");
    unsigned char *bytes = malloc(BYTES);
    size_t count = file != NULL && bytes != NULL ? fread(bytes, 1, BYTES, file) : 0;
    if (file != NULL) fclose(file);
    if (count == 0) {
        free(bytes);
        return file == NULL ? ISO_ENOENT : ISO_EIO;
    }
    *result = bytes;
    return (int)count;
}

/* The result, if nobody gets it: the work was cancelled, or the loop closed. */
static void drop_bytes(void *arg, void *result)
{
    (void)arg;
    free(result);
}

/* In a thread. Operations that take the processor for long block the loop as well. */
static int cpu_bound(void *arg, void **result)
{
    uint64_t sum = 0;
    (void)result;
    for (uint64_t i = 0; i < NUMBERS; i++) sum += i * i;
    *(uint64_t *)arg = sum;
    return 0;
}

/* What is there to be done meanwhile: a timer again and again. */
static void on_tick(iso_loop *loop, void *arg)
{
    ++*(int *)arg;
    if (iso_loop_call_later(loop, ISO_MS(1), on_tick, arg, NULL) != 0) iso_loop_stop(loop);
}

static int read_in(iso_loop *loop, iso_executor *executor, const char *name, char *path)
{
    iso_work_options options = ISO_WORK_OPTIONS_INIT;
    iso_future *future;
    intptr_t count = 0;
    void *bytes = NULL;
    int rc;
    options.work = blocking_io;
    options.arg = path;
    options.drop = drop_bytes;
    rc = iso_loop_submit(loop, executor, &options, &future);
    if (rc != 0) return rc;
    rc = iso_loop_run_until_complete(loop, future);
    if (rc == 0) rc = iso_future_result(future, &bytes);
    if (rc == 0) rc = iso_future_number(future, &count);
    if (rc == 0) printf("%s: %d bytes\n", name, (int)count);
    free(bytes);
    iso_future_release(future);
    return rc;
}

static int sum_in(iso_loop *loop, iso_executor *executor, uint64_t *sum)
{
    iso_future *future;
    int rc = iso_loop_run_in_executor(loop, executor, cpu_bound, sum, &future);
    if (rc != 0) return rc;
    rc = iso_loop_run_until_complete(loop, future);
    iso_future_release(future);
    return rc;
}

static int use_own_pool(iso_loop *loop, char *path, uint64_t *sum)
{
    iso_thread_pool_executor_options options = ISO_THREAD_POOL_EXECUTOR_OPTIONS_INIT;
    iso_executor *pool;
    int rc;
    options.max_workers = 2;
    options.thread_name_prefix = "example";
    rc = iso_thread_pool_executor_new(&pool, &options);
    if (rc != 0) return rc;
    rc = read_in(loop, pool, "custom thread pool", path);
    if (rc == 0) rc = sum_in(loop, pool, sum);
    iso_executor_shutdown(pool, true, false); /* as the end of Python's with */
    iso_executor_release(pool);
    return rc;
}

/* As asyncio.run does at the end: nothing runs any more when the loop closes. */
static int shut_down(iso_loop *loop)
{
    iso_future *future;
    int rc = iso_loop_shutdown_default_executor(loop, ISO_S(10), &future);
    if (rc != 0) return rc;
    rc = iso_loop_run_until_complete(loop, future);
    iso_future_release(future);
    return rc;
}

int main(int argc, char **argv)
{
    iso_loop *loop;
    uint64_t sum = 0;
    int ticks = 0;
    int rc = iso_loop_new(&loop, NULL);
    (void)argc;
    if (rc == 0) {
        rc = iso_loop_call_soon(loop, on_tick, &ticks, NULL);
        if (rc == 0) rc = read_in(loop, NULL, "default thread pool", argv[0]);
        if (rc == 0) rc = use_own_pool(loop, argv[0], &sum);
        if (rc == 0) rc = shut_down(loop);
        iso_loop_release(loop);
    }
    if (rc != 0) fprintf(stderr, "executor: %s. %s\n", iso_strerror(rc), iso_error_detail());
    printf("the sum of the squares below %d is %" PRIu64 "; the loop ticked %s meanwhile\n",
           (int)NUMBERS, sum, ticks > 0 ? "on" : "not at all");
    return rc != 0 || sum != UINT64_C(333332833333500000) || ticks == 0;
}
