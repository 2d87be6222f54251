/* SPDX-License-Identifier: MIT */
/* The inside of a loop. */
#ifndef ISO_LOOP_LOOP_H
#define ISO_LOOP_LOOP_H

#include "base/error.h"
#include "base/spares.h"
#include "engine/engine.h"
#include "loop/object.h"

enum { ISO__BACKEND_NAME_BYTES = 64 };

typedef struct iso__signals iso__signals;
typedef struct iso__child_signal iso__child_signal;
typedef struct iso__port iso__port;
typedef struct iso_executor iso_executor;

struct iso_loop {
    iso__engine engine;
    iso__atomic_ptr owner; /* iso__sys_thread_id of the thread that it belongs to */
    iso__link objects;     /* that are open */
    uint32_t object_count; /* of those that are open, a server's clients among them, */
    uint32_t memory_count; /* and of all that have memory */
    unsigned fork_count;   /* of the process that made it */
    iso__atomic_u32 references;
    iso__atomic_u32 is_running;
    iso__atomic_u32 is_closed;
    iso_exception_handler exception_handler;
    void *exception_arg;
    iso__signals *signals;           /* among `objects` while there are handlers; else NULL */
    iso__child_signal *child_signal; /* the same, while children are waited for by it */
    iso__port *port;                 /* these are made when they are first wanted */
    iso_executor *executor;
    iso_executor *executor_of_names;
    bool is_executor_shut;
    iso__spares outputs; /* of io/output.c */
    char backend[ISO__BACKEND_NAME_BYTES];
};

/* Whether a function of the loop's may go on: 0, or ISO_ETHREAD, ISO_EFORKED. */
int iso__loop_refuse_thread(const iso_loop *loop);
static inline int iso__loop_check_thread(const iso_loop *loop)
{
    return ISO__LIKELY(iso__atomic_load_ptr(&loop->owner) == (void *)iso__sys_thread_id())
               ? 0
               : iso__loop_refuse_thread(loop);
}

/* The same, and that it is open: 0, ISO_ETHREAD, ISO_EFORKED, ISO_ECLOSED. */
static inline int iso__loop_check(const iso_loop *loop)
{
    int rc = iso__loop_check_thread(loop);

    return rc == 0 && iso__atomic_load_u32(&loop->is_closed) != 0 ? ISO_ECLOSED : rc;
}

/* Whether the loop was made by the parent of this process. Thread: any. */
bool iso__loop_is_forked(const iso_loop *loop);

/* A loop that is not running goes to the thread that runs or closes it, and counts as running until
 * that thread lets go of it. Returns 0, ISO_EFORKED or ISO_ERUNNING. Thread: any. */
int iso__loop_claim(iso_loop *loop);
void iso__loop_unclaim(iso_loop *loop);

/* Memory of the loop's allocator. */
static inline const iso_allocator *iso__loop_allocator(const iso_loop *loop)
{
    return &loop->engine.allocator;
}

/* Count, or uncount, something that has memory; the last one frees a released loop. Thread:
 * loop. */
void iso__loop_count_memory(iso_loop *loop);
void iso__loop_uncount_memory(iso_loop *loop);

/* Who is subject to the limits table on a loop of this kind (ISO__WITH_...): the system that there
 * is, or the one that a test has put in its place. Thread: any. */
typedef struct iso__system {
    unsigned platform;
    unsigned version;
} iso__system;

extern const iso__system *iso__system_in_place; /* NULL but in a test */
iso__limit_subject iso__loop_subject(unsigned loop);

/* Whether a reader, a writer or a pipe of the loop's may be this descriptor, if it is a character
 * device: 0, or ISO_ENOTSUP (a limits row). Thread: loop. */
int iso__loop_check_device(iso_loop *loop, iso_fd fd);

/* An error that an operation of the loop's ends with, on its way to the program: where the process
 * or the system has no descriptor left, process.descriptors is the row that was met last. Answers
 * `error`. Thread: loop. */
int iso__loop_explain(iso_loop *loop, int error);

/* Tell the exception handler; `context` borrowed. */
void iso__loop_report(iso_loop *loop, const iso_exception_context *context);

/* Copy the options that a caller of an older or newer version of the header gave over the defaults
 * in `out`, both beginning with their size. */
void iso__options_copy(void *out, size_t out_size, const void *given, size_t given_size);

#endif
