/* SPDX-License-Identifier: MIT */
/* Threads, for the examples that need some: isoloop has none in its API, and C11's <threads.h> is
 * missing on macOS. A program of your own uses whatever it has. */
#ifndef SUPPORT_THREAD_H
#define SUPPORT_THREAD_H

typedef struct thread {
    void *handle;
    void (*run)(void *arg);
    void *arg;
} thread;

/* Start run(arg) in a new thread; *out must stay where it is until thread_join.
 * Returns 0, or -1 when the system has no thread left. */
int thread_start(thread *out, void (*run)(void *arg), void *arg);

/* Wait for its end. */
void thread_join(thread *it);

#endif
