/* SPDX-License-Identifier: MIT */
/* Threads, and what belongs to one; locks, and waiting under one. */
#ifndef ISO_SYS_THREAD_H
#define ISO_SYS_THREAD_H

#include "isoloop/base.h"

/* A number that no other living thread of this process has, and that a forked child does not share
 * with its parent; never 0. A few instructions. Thread: any. */
uintptr_t iso__sys_thread_id(void);

/* Whether this is the thread that main() runs in; in a forked child, the one that called fork.
 * Thread: any. */
bool iso__sys_is_main_thread(void);

/* How often this process, and those that it was forked from, forked since the library first asked;
 * always 0 where there is no fork. A plain load once it was called. Thread: any. */
unsigned iso__sys_fork_count(void);

/* This thread's own slot: one pointer, NULL at first. The slot's destructor runs at the end of a
 * thread whose pointer is not NULL (not for the main thread at exit).
 * set returns 0 or ISO_ENOMEM; every call in a process names the same destructor. Thread: any. */
void *iso__sys_tls_get(void);
int iso__sys_tls_set(void *pointer, void (*destructor)(void *pointer));

/* A thread of the library's own, all signals blocked in it but those of its own faults.
 * start returns 0, ISO_EAGAIN or ISO_ENOMEM; *out is joined exactly once. Thread: any. */
typedef struct iso__thread {
    uintptr_t native;
} iso__thread;

int iso__sys_thread_start(iso__thread *out, void (*run)(void *arg), void *arg);
void iso__sys_thread_join(iso__thread thread);

/* The same with a stack of at least so many bytes; 0: as large as the system makes it. */
int iso__sys_thread_start_sized(iso__thread *out, void (*run)(void *arg), void *arg,
                                size_t stack_bytes);

/* Instead of joining it: it goes away by itself. A thread may do that to itself. */
void iso__sys_thread_detach(iso__thread thread);

/* A name for this thread, that debuggers show; at most ISO__THREAD_NAME_MAX characters of it, which
 * is what Linux takes. A system that has none for threads goes without. */
enum { ISO__THREAD_NAME_MAX = 15 };
void iso__sys_thread_set_name(const char *name);

/* How many processors there are to run threads; at least 1. Thread: any. */
int iso__sys_cpu_count(void);

/* A lock that needs no freeing. Zero-initialised is unlocked (SRWLOCK; PTHREAD_MUTEX_INITIALIZER is
 * set by init where it is not all zero). Not recursive. */
typedef struct iso__mutex {
    union {
        void *pointer;
        uint64_t bytes[8];
    } native;
} iso__mutex;

void iso__sys_mutex_init(iso__mutex *mutex);
void iso__sys_mutex_lock(iso__mutex *mutex);
void iso__sys_mutex_unlock(iso__mutex *mutex);
void iso__sys_mutex_close(iso__mutex *mutex);

/* Waiting for what other threads do under a lock. A wait gives the lock up and has it again when it
 * ends, which may be for no reason: look again. wait_for answers false when the time is over, by a
 * clock that nobody sets; a day at most, ISO_FOREVER has no end. close: nobody waits any more. */
typedef struct iso__cond {
    union {
        void *pointer;
        uint64_t bytes[8];
    } native;
} iso__cond;

void iso__sys_cond_init(iso__cond *cond);
void iso__sys_cond_wait(iso__cond *cond, iso__mutex *mutex);
bool iso__sys_cond_wait_for(iso__cond *cond, iso__mutex *mutex, iso_nsec timeout);
void iso__sys_cond_wake_one(iso__cond *cond);
void iso__sys_cond_wake_all(iso__cond *cond);
void iso__sys_cond_close(iso__cond *cond);

#endif
