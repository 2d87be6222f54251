/* SPDX-License-Identifier: MIT */
#include "sys/thread.h"

#include "base/atomic.h"
#include "base/compiler.h"
#include "sys/error.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/syscall.h>
#elif defined(__NetBSD__)
#include <lwp.h>
#elif !defined(__APPLE__)
#include <pthread_np.h>
#endif

_Static_assert(sizeof(pthread_t) <= sizeof(uintptr_t), "a pthread_t fits an iso__thread");
_Static_assert(sizeof(pthread_mutex_t) <= sizeof(iso__mutex), "a lock fits an iso__mutex");
_Static_assert(sizeof(pthread_cond_t) <= sizeof(iso__cond), "a condition fits an iso__cond");

bool iso__sys_is_main_thread(void)
{
#if defined(__linux__)
    return syscall(SYS_gettid) == getpid();
#elif defined(__NetBSD__)
    return _lwp_self() == 1;
#else
    return pthread_main_np() == 1;
#endif
}

/* ---- fork ---- */

static unsigned fork_count;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

static void count_fork(void)
{
    fork_count++;
}

static void watch_forks(void)
{
    (void)pthread_atfork(NULL, NULL, count_fork);
}

unsigned iso__sys_fork_count(void)
{
    (void)pthread_once(&fork_once, watch_forks);
    return fork_count;
}

/* Threads lie at least a cache line apart, so the sum is another one's only after 64 forks in a
 * row. */
uintptr_t iso__sys_thread_id(void)
{
    return (uintptr_t)pthread_self() + fork_count;
}

/* ---- a thread's own slot ---- */

static pthread_key_t slot_key;
static iso__atomic_u32 slot_is_made;

/* Once it is there nobody takes the lock, which a child of fork may find locked for ever. */
static int make_slot(void (*destructor)(void *pointer))
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    int rc = 0;

    if (iso__atomic_load_u32(&slot_is_made) != 0) return 0;
    (void)pthread_mutex_lock(&lock);
    if (iso__atomic_load_u32(&slot_is_made) == 0) {
        rc = pthread_key_create(&slot_key, destructor);
        if (rc == 0) iso__atomic_store_u32(&slot_is_made, 1);
    }
    (void)pthread_mutex_unlock(&lock);
    return rc == 0 ? 0 : ISO_ENOMEM;
}

void *iso__sys_tls_get(void)
{
    return iso__atomic_load_u32(&slot_is_made) == 0 ? NULL : pthread_getspecific(slot_key);
}

int iso__sys_tls_set(void *pointer, void (*destructor)(void *pointer))
{
    int rc = make_slot(destructor);

    if (rc != 0) return rc;
    return pthread_setspecific(slot_key, pointer) == 0 ? 0 : ISO_ENOMEM;
}

/* ---- threads ---- */

typedef struct start {
    void (*run)(void *arg);
    void *arg;
} start;

static void *begin(void *arg)
{
    start *given = arg;
    start mine = *given;

    free(given);
    mine.run(mine.arg);
    return NULL;
}

/* Whole pages, and no fewer than the system asks for; `attributes` are the caller's to destroy.
 * Returns 0, or what the system answers. */
static int set_stack(pthread_attr_t *attributes, size_t bytes)
{
    long asked = sysconf(_SC_PAGESIZE);
    size_t page = asked > 0 ? (size_t)asked : 4096;

    if (bytes < (size_t)PTHREAD_STACK_MIN) bytes = (size_t)PTHREAD_STACK_MIN;
    if (bytes > SIZE_MAX - page) return ENOMEM;
    return pthread_attr_setstacksize(attributes, (bytes + page - 1) / page * page);
}

static int create(pthread_t *out, start *given, size_t stack_bytes)
{
    pthread_attr_t attributes;
    int rc;

    if (stack_bytes == 0) return pthread_create(out, NULL, begin, given);
    rc = pthread_attr_init(&attributes);
    if (rc != 0) return rc;
    rc = set_stack(&attributes, stack_bytes);
    if (rc == 0) rc = pthread_create(out, &attributes, begin, given);
    (void)pthread_attr_destroy(&attributes);
    return rc;
}

/* What the program has handlers for is for its own threads. But a thread may run the program's own
 * code, and hears of its faults: one that is blocked ends the process, whatever handler there is.
 * Source: POSIX, sigaction; pthread_sigmask. */
static void block_signals(sigset_t *before)
{
    static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS };
    sigset_t most;
    size_t at;

    (void)sigfillset(&most);
    for (at = 0; at < ISO__COUNT(faults); at++) (void)sigdelset(&most, faults[at]);
    (void)pthread_sigmask(SIG_SETMASK, &most, before);
}

int iso__sys_thread_start_sized(iso__thread *out, void (*run)(void *arg), void *arg,
                                size_t stack_bytes)
{
    start *given = malloc(sizeof(*given)); /* not a loop's memory: it may outlive the call */
    sigset_t before;
    pthread_t thread;
    int rc;

    if (given == NULL) return ISO_ENOMEM;
    given->run = run;
    given->arg = arg;
    block_signals(&before); /* a new thread inherits the mask */
    rc = create(&thread, given, stack_bytes);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) {
        free(given);
        return iso__sys_error(rc);
    }
    out->native = (uintptr_t)thread;
    return 0;
}

int iso__sys_thread_start(iso__thread *out, void (*run)(void *arg), void *arg)
{
    return iso__sys_thread_start_sized(out, run, arg, 0);
}

void iso__sys_thread_join(iso__thread thread)
{
    (void)pthread_join((pthread_t)thread.native, NULL);
}

void iso__sys_thread_detach(iso__thread thread)
{
    (void)pthread_detach((pthread_t)thread.native);
}

void iso__sys_thread_set_name(const char *name)
{
    char text[ISO__THREAD_NAME_MAX + 1];

    (void)snprintf(text, sizeof(text), "%s", name);
#if defined(__APPLE__)
    (void)pthread_setname_np(text);
#elif defined(__NetBSD__)
    (void)pthread_setname_np(pthread_self(), "%s", text);
#elif defined(__linux__)
    (void)pthread_setname_np(pthread_self(), text);
#else
    pthread_set_name_np(pthread_self(), text);
#endif
}

int iso__sys_cpu_count(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);

    return count < 1 ? 1 : count > INT_MAX ? INT_MAX : (int)count;
}

/* ---- locks ---- */

static pthread_mutex_t *native_of(iso__mutex *mutex)
{
    return (pthread_mutex_t *)(void *)&mutex->native;
}

void iso__sys_mutex_init(iso__mutex *mutex)
{
    (void)pthread_mutex_init(native_of(mutex), NULL);
}

void iso__sys_mutex_lock(iso__mutex *mutex)
{
    (void)pthread_mutex_lock(native_of(mutex));
}

void iso__sys_mutex_unlock(iso__mutex *mutex)
{
    (void)pthread_mutex_unlock(native_of(mutex));
}

void iso__sys_mutex_close(iso__mutex *mutex)
{
    (void)pthread_mutex_destroy(native_of(mutex));
}

/* ---- conditions ---- */

enum { NS_PER_SECOND = 1000000000 };

static const iso_nsec longest_wait = (iso_nsec)24 * 3600 * NS_PER_SECOND;

static pthread_cond_t *native_cond(iso__cond *cond)
{
    return (pthread_cond_t *)(void *)&cond->native;
}

#if defined(__APPLE__)

/* Which has no pthread_condattr_setclock, and a wait for a span of time instead. */
void iso__sys_cond_init(iso__cond *cond)
{
    (void)pthread_cond_init(native_cond(cond), NULL);
}

static int wait_for(iso__cond *cond, iso__mutex *mutex, iso_nsec timeout)
{
    struct timespec span;

    span.tv_sec = (time_t)(timeout / NS_PER_SECOND);
    span.tv_nsec = (long)(timeout % NS_PER_SECOND);
    return pthread_cond_timedwait_relative_np(native_cond(cond), native_of(mutex), &span);
}

#else

void iso__sys_cond_init(iso__cond *cond)
{
    pthread_condattr_t attributes;

    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(native_cond(cond), &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

static int wait_for(iso__cond *cond, iso__mutex *mutex, iso_nsec timeout)
{
    struct timespec when;
    iso_nsec rest;

    (void)clock_gettime(CLOCK_MONOTONIC, &when);
    rest = timeout % NS_PER_SECOND + when.tv_nsec;
    when.tv_sec += (time_t)(timeout / NS_PER_SECOND + rest / NS_PER_SECOND);
    when.tv_nsec = (long)(rest % NS_PER_SECOND);
    return pthread_cond_timedwait(native_cond(cond), native_of(mutex), &when);
}

#endif

void iso__sys_cond_wait(iso__cond *cond, iso__mutex *mutex)
{
    (void)pthread_cond_wait(native_cond(cond), native_of(mutex));
}

bool iso__sys_cond_wait_for(iso__cond *cond, iso__mutex *mutex, iso_nsec timeout)
{
    if (timeout == ISO_FOREVER) {
        iso__sys_cond_wait(cond, mutex);
        return true;
    }
    if (timeout < 0) timeout = 0;
    return wait_for(cond, mutex, timeout < longest_wait ? timeout : longest_wait) != ETIMEDOUT;
}

void iso__sys_cond_wake_one(iso__cond *cond)
{
    (void)pthread_cond_signal(native_cond(cond));
}

void iso__sys_cond_wake_all(iso__cond *cond)
{
    (void)pthread_cond_broadcast(native_cond(cond));
}

void iso__sys_cond_close(iso__cond *cond)
{
    (void)pthread_cond_destroy(native_cond(cond));
}
