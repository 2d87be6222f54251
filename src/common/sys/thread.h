/* SPDX-License-Identifier: MIT */
/* Threads, and what belongs to one; locks. */
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

/* A thread of the library's own, all signals blocked in it.
 * start returns 0, ISO_EAGAIN or ISO_ENOMEM; *out is joined exactly once. Thread: any. */
typedef struct iso__thread {
    uintptr_t native;
} iso__thread;

int iso__sys_thread_start(iso__thread *out, void (*run)(void *arg), void *arg);
void iso__sys_thread_join(iso__thread thread);

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

#endif
