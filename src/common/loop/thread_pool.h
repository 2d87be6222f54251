/* SPDX-License-Identifier: MIT */
/* The pool of threads, as tests see it. */
#ifndef ISO_LOOP_THREAD_POOL_H
#define ISO_LOOP_THREAD_POOL_H

#include "isoloop/executor.h"

/* What there is of a pool now: threads, those of them that have nothing to do, and jobs that wait.
 * Answers false for an executor of another kind. Thread: any. */
typedef struct iso__thread_pool_state {
    int threads;
    int idle;
    int waiting;
    int max_workers;
    bool is_shut;
} iso__thread_pool_state;

bool iso__thread_pool_look(const iso_executor *executor, iso__thread_pool_state *out);

#endif
