/* SPDX-License-Identifier: MIT */
/* Programs started a second, and what each costs this one in processor time:
 *
 *     spawn [BACKEND [COUNT [MEBIBYTES]]]
 *
 * COUNT (1000) times /bin/true, one after the other, by subprocess_exec, and by what the system
 * offers itself, in turns of 50 so that a busy moment meets all alike. MEBIBYTES (0) of memory
 * belong to this program meanwhile, and are touched: what fork has to copy the tables of. */
#include "support/cpu.h"
#include "support/spawner.h"
#include <isoloop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TURN = 50, MOST_WAYS = 8 };

typedef struct way {
    const char *name;
    const iso_child_watcher *watcher;     /* of subprocess_exec, */
    int (*bare)(const char *const *argv); /* or else this */
    iso_nsec time;
    iso_nsec cpu;
} way;

typedef struct bench {
    iso_loop *loop;
    const char *argv[3];
    long count;
    way ways[MOST_WAYS];
    int way_count;
    int code;
} bench;

/* ---- one ------------------------------------------------------------------------------------ */

static void exited(iso_process *process, void *self)
{
    bench *it = self;
    iso_process_get_returncode(process, &it->code);
}

static void lost(iso_process *process, void *self, int error)
{
    bench *it = self;
    (void)process;
    (void)error;
    iso_loop_stop(it->loop);
}

static const iso_subprocess_protocol protocol = { .process_exited = exited,
                                                  .connection_lost = lost };

static int run_by_loop(bench *it)
{
    iso_subprocess_options options = ISO_SUBPROCESS_OPTIONS_INIT;
    options.stdin_is = ISO_STDIO_INHERIT;
    options.stdout_is = ISO_STDIO_INHERIT;
    options.stderr_is = ISO_STDIO_INHERIT;
    it->code = -1;
    int rc = iso_loop_subprocess_exec(it->loop, &protocol, it, it->argv, &options, NULL);
    if (rc == 0) rc = iso_loop_run_forever(it->loop);
    return rc == 0 && it->code != 0 ? ISO_EIO : rc;
}

/* ---- all ------------------------------------------------------------------------------------ */

static int run_turn(bench *it, way *by, long times)
{
    int rc = by->watcher != NULL ? iso_set_child_watcher(by->watcher) : 0;
    const iso_nsec cpu_before = cpu_time();
    const iso_nsec before = iso_loop_time(it->loop);
    for (long i = 0; i < times && rc == 0; i++) {
        if (by->bare != NULL)
            rc = by->bare(it->argv) ? 0 : ISO_EIO;
        else
            rc = run_by_loop(it);
    }
    by->time += iso_loop_time(it->loop) - before;
    by->cpu += cpu_time() - cpu_before;
    return rc;
}

static void add_watcher(bench *it, const iso_child_watcher *watcher)
{
    if (watcher->is_active(watcher))
        it->ways[it->way_count++] = (way){ watcher->name, watcher, NULL, 0, 0 };
}

static void list_ways(bench *it)
{
    if (iso_loop_supports(it->loop, ISO_CAP_CHILD_WATCHER)) {
        add_watcher(it, iso_pidfd_child_watcher());
        add_watcher(it, iso_kqueue_child_watcher());
        add_watcher(it, iso_sigchld_child_watcher());
        add_watcher(it, iso_threaded_child_watcher());
    } else {
        it->ways[it->way_count++] = (way){ "subprocess_exec", NULL, NULL, 0, 0 };
    }
    for (const spawner *bare = spawners; bare->name != NULL; bare++)
        it->ways[it->way_count++] = (way){ bare->name, NULL, bare->run, 0, 0 };
}

static int measure(bench *it, long mebibytes)
{
    int rc = 0;
    for (long done = 0; done < it->count && rc == 0; done += TURN) {
        const long left = it->count - done;
        for (int i = 0; i < it->way_count && rc == 0; i++)
            rc = run_turn(it, &it->ways[i], left < TURN ? left : TURN);
    }
    if (rc != 0) return rc;
    printf("%s: %ld programs by each, %ld MiB of memory here\n", iso_loop_backend(it->loop),
           it->count, mebibytes);
    for (int i = 0; i < it->way_count; i++) {
        const way *by = &it->ways[i];
        printf("  %-12s%-16s %7.0f a second, %7.1f us of processor here for each\n",
               by->watcher != NULL ? "isoloop," : "", by->name,
               (double)it->count * 1e9 / (double)by->time,
               (double)by->cpu / 1e3 / (double)it->count);
    }
    return 0;
}

static long number(int argc, char **argv, int index, long otherwise)
{
    const long value = argc > index ? strtol(argv[index], NULL, 10) : otherwise;
    return value >= 0 && value <= 1000000 ? value : otherwise;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--end") == 0) return 0; /* the program that does nothing */
    bench it = { .argv = { spawner_program() }, .count = number(argc, argv, 2, 1000) };
    const long mebibytes = number(argc, argv, 3, 0);
    iso_loop_options options = ISO_LOOP_OPTIONS_INIT;
    options.backend = argc > 1 ? argv[1] : NULL;
    if (it.argv[0] == NULL) {
        it.argv[0] = argv[0];
        it.argv[1] = "--end";
    }
    char *ballast = malloc((size_t)mebibytes * 1024 * 1024 + 1);
    int rc = ballast != NULL ? iso_loop_new(&it.loop, &options) : ISO_ENOMEM;
    if (rc == 0) {
        memset(ballast, 1, (size_t)mebibytes * 1024 * 1024 + 1);
        list_ways(&it);
        rc = measure(&it, mebibytes);
        if (iso_loop_supports(it.loop, ISO_CAP_CHILD_WATCHER)) iso_set_child_watcher(NULL);
        iso_loop_close(it.loop);
        iso_loop_release(it.loop);
    }
    if (rc != 0) fprintf(stderr, "spawn: %s %s\n", iso_strerror(rc), iso_error_detail());
    free(ballast);
    return rc != 0;
}
