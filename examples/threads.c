/* SPDX-License-Identifier: MIT */
/* Threads that post to a loop. A loop belongs to one thread; call_soon_threadsafe is the way in
 * from all others. What is posted runs in the loop's thread, so it needs no lock. */
#include "support/thread.h"
#include <isoloop.h>
#include <stdio.h>

enum { THREADS = 4, POSTS = 1000 };

/* What the loop's thread counts: nobody else touches it. */
typedef struct tally {
    int posts;
    int wrong;
} tally;

typedef struct worker worker;

typedef struct post {
    worker *from;
    int number;
} post;

struct worker {
    thread thread;
    iso_loop *loop;
    tally *all;
    int seen;  /* the loop's thread: how many of its posts ran */
    int error; /* its own thread; read after thread_join */
    post posts[POSTS];
};

/* In the loop's thread. The posts of one thread come in the order in which it made them. */
static void on_post(iso_loop *loop, void *arg)
{
    const post *it = arg;
    worker *from = it->from;
    iso_loop *running;
    if (it->number != from->seen) from->all->wrong++;
    if (iso_get_running_loop(&running) != 0 || running != loop) from->all->wrong++;
    from->seen++;
    from->all->posts++;
    if (from->all->posts == THREADS * POSTS) iso_loop_stop(loop);
}

/* In a thread of its own. A post is lent until it ran. If one fails the count is never reached, so
 * the loop is told to stop. */
static void work(void *arg)
{
    worker *it = arg;
    for (int i = 0; i < POSTS && it->error == 0; i++) {
        it->posts[i] = (post){ it, i };
        it->error = iso_loop_call_soon_threadsafe(it->loop, on_post, &it->posts[i]);
    }
    if (it->error != 0) iso_loop_stop_threadsafe(it->loop);
}

static int run_workers(iso_loop *loop, tally *all)
{
    static worker workers[THREADS];
    int started = 0;
    int rc = 0;
    for (; started < THREADS && rc == 0; started++) {
        worker *it = &workers[started];
        it->loop = loop;
        it->all = all;
        rc = thread_start(&it->thread, work, it) == 0 ? 0 : ISO_ENOMEM;
        if (rc != 0) break;
    }
    if (rc == 0) rc = iso_loop_run_forever(loop);
    for (int i = 0; i < started; i++) {
        thread_join(&workers[i].thread);
        if (rc == 0) rc = workers[i].error;
    }
    return rc;
}

int main(void)
{
    iso_loop *loop;
    tally all = { 0, 0 };
    iso_loop_statistics statistics = { 0 };
    int rc = iso_loop_new(&loop, NULL);
    if (rc == 0) {
        rc = run_workers(loop, &all);
        iso_loop_get_statistics(loop, &statistics);
        iso_loop_close(loop);
        iso_loop_release(loop);
    }
    if (rc != 0) fprintf(stderr, "threads: %s\n", iso_strerror(rc));
    printf("%d posts of %d threads, %d of them wrong; %llu turns, woken %llu times\n", all.posts,
           (int)THREADS, all.wrong, (unsigned long long)statistics.turns,
           (unsigned long long)statistics.wakeups);
    return rc != 0 || all.wrong != 0 || all.posts != THREADS * POSTS;
}
