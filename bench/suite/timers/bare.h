/* SPDX-License-Identifier: MIT */
/* The limit: a 4-ary heap with the deadline in its entries, and epoll_pwait2. A later deadline is
 * only noted, and the entry moves when it has come to the top. */
#include <errno.h>
#include <sys/epoll.h>
#include <time.h>

#define CLOCK_GRAIN 0

typedef struct bare_timer {
    int64_t deadline;
    long at; /* in the heap; -1: not */
} bare_timer;

typedef struct entry {
    int64_t key;
    bare_timer *timer;
} entry;

static bare_timer *timers;
static entry *heap;
static long heap_count;
static int epoll;
static int is_stopped;

static void put(long at, entry it)
{
    heap[at] = it;
    it.timer->at = at;
}

static void sift_up(long at, entry it)
{
    while (at > 0) {
        const long above = (at - 1) / 4;
        if (heap[above].key <= it.key) break;
        put(at, heap[above]);
        at = above;
    }
    put(at, it);
}

static void sift_down(long at, entry it)
{
    for (;;) {
        const long first = at * 4 + 1;
        const long end = first + 4 < heap_count ? first + 4 : heap_count;
        long least = first;
        if (first >= heap_count) break;
        for (long i = first + 1; i < end; i++) {
            if (heap[i].key < heap[least].key) least = i;
        }
        if (heap[least].key >= it.key) break;
        put(at, heap[least]);
        at = least;
    }
    put(at, it);
}

static void timers_open(long count)
{
    timers = calloc((size_t)count, sizeof(*timers));
    heap = calloc((size_t)count, sizeof(*heap));
    epoll = epoll_create1(EPOLL_CLOEXEC);
    suite_check(timers != NULL && heap != NULL && epoll >= 0, "epoll_create1");
}

static void timers_update(void)
{
}

static void timer_start(long index, int64_t deadline)
{
    bare_timer *self = &timers[index];
    self->deadline = deadline;
    sift_up(heap_count++, (entry){ self->deadline, self });
}

static void remove_at(long at)
{
    const entry last = heap[--heap_count];
    if (at == heap_count) return;
    if (at > 0 && heap[(at - 1) / 4].key > last.key)
        sift_up(at, last);
    else
        sift_down(at, last);
}

static void timer_cancel(long index)
{
    remove_at(timers[index].at);
    timers[index].at = -1;
}

static void timer_restart(long index, int64_t deadline)
{
    timers[index].deadline = deadline;
}

static void timers_stop(void)
{
    is_stopped = 1;
}

static void run_due(int64_t now)
{
    while (heap_count > 0 && heap[0].key <= now && !is_stopped) {
        bare_timer *self = heap[0].timer;
        if (self->deadline > heap[0].key) {
            sift_down(0, (entry){ self->deadline, self });
            continue;
        }
        remove_at(0);
        timer_fired(self - timers);
    }
}

static void timers_run(void)
{
    while (!is_stopped) {
        struct epoll_event event;
        const int64_t wait = heap[0].key - suite_time();
        const struct timespec until = { wait > 0 ? wait / 1000000000 : 0,
                                        wait > 0 ? wait % 1000000000 : 0 };
        const int count = epoll_pwait2(epoll, &event, 1, &until, NULL);
        suite_check(count >= 0 || errno == EINTR, "epoll_pwait2");
        run_due(suite_time());
    }
}

static void timers_close(void)
{
    free(timers);
    free(heap);
}
