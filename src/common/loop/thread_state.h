/* SPDX-License-Identifier: MIT */
/* What each thread has of its own: the loop that runs in it, and the policy's slot. */
#ifndef ISO_LOOP_THREAD_STATE_H
#define ISO_LOOP_THREAD_STATE_H

#include "isoloop/loop.h"

typedef struct iso__thread_state {
    iso_loop *running;
    iso_loop *current;   /* the default policy's; a reference */
    bool was_set;        /* iso_set_event_loop was called in this thread */
    unsigned fork_count; /* of the process that `running` belongs to */
} iso__thread_state;

/* This thread's, made at the first call; in a forked child nothing is running. It gives its loop
 * back when the thread ends. Returns 0 or ISO_ENOMEM. Thread: any. */
int iso__thread_state_get(iso__thread_state **out);

#endif
