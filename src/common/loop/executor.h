/* SPDX-License-Identifier: MIT */
/* The loop's side of work in an executor. An errand is what the loop waits with; the job is what
 * goes through the executor's threads, and it may outlive the loop. The job is freed by one side,
 * and which, its state decides: see executor.c. */
#ifndef ISO_LOOP_EXECUTOR_H
#define ISO_LOOP_EXECUTOR_H

#include "base/atomic.h"
#include "engine/op.h"
#include "isoloop/executor.h"
#include "loop/object.h"
#include "loop/port.h"

typedef struct iso__errand iso__errand;

typedef enum iso__job_state {
    ISO__JOB_WAITING = 0, /* for the executor to begin; from here to one of these: */
    ISO__JOB_BEGUN,
    ISO__JOB_REFUSED,  /* the executor cancelled it */
    ISO__JOB_FORGOTTEN /* the loop cancelled it, and touches it no more */
} iso__job_state;

struct iso_job {
    iso__node node;        /* in the queue of a pool, then in the inbox of the loop */
    iso__atomic_u32 state; /* an iso__job_state */
    bool is_queued;        /* under the lock of the pool */
    iso__errand *errand;   /* the loop's thread's alone; NULL: nobody waits for it */
    iso_executor *executor;
    iso__port *port;
    iso_work work;
    iso_work_drop drop;
    void *arg;
    int rc; /* these two are written before it is posted */
    void *result;
};

/* What a job came back with. */
typedef struct iso__outcome {
    bool is_cancelled; /* the executor will not do it */
    int rc;
    void *result;
} iso__outcome;

/* Begins the struct of whoever has work done. The caller makes the object, with a class of its own,
 * and sets `told`, which is called from a turn once the work is done. Answers whether the outcome
 * is taken: else the work's `drop` is called with the result. The errand is over by then. */
struct iso__errand {
    iso__object object;
    iso_job *job; /* NULL: nothing is under way */
    bool (*told)(iso__errand *self, const iso__outcome *outcome);
};

/* Begin. Returns 0, or what iso_loop_submit answers. Thread: loop. */
int iso__errand_start(iso__errand *self, iso_executor *executor, const iso_work_options *work);

/* `told` will not be called. What has not begun never runs. `drop` may be called from here; it is
 * the last thing that is done with the errand. Thread: loop. */
void iso__errand_cancel(iso__errand *self);

/* What an executor is made of, for the kinds that are the library's. `allocator` has the memory of
 * the executor and of its jobs. */
int iso__executor_new(iso_executor **out, const iso_executor_class *kind, void *self,
                      const iso_allocator *allocator);

/* The `self` of an executor of this kind; NULL for one of another. */
void *iso__executor_self(const iso_executor *executor, const iso_executor_class *kind);

/* The pool in which host names are looked up; made when it is first wanted, borrowed. Returns 0 or
 * ISO_ENOMEM. Thread: loop. */
int iso__executor_of_names(iso_loop *loop, iso_executor **out);

/* The loop closes, its errands are over: let go of its executors. Thread: loop. */
void iso__executors_close(iso_loop *loop);

#endif
