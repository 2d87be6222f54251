/* SPDX-License-Identifier: MIT */
#include "sys/thread.h"

#include "base/atomic.h"
#include "sys/error.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
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

static int make_slot(void (*destructor)(void *pointer))
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    int rc = 0;

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

int iso__sys_thread_start(iso__thread *out, void (*run)(void *arg), void *arg)
{
    start *given = malloc(sizeof(*given)); /* not a loop's memory: it may outlive the call */
    sigset_t every;
    sigset_t before;
    pthread_t thread;
    int rc;

    if (given == NULL) return ISO_ENOMEM;
    given->run = run;
    given->arg = arg;
    (void)sigfillset(&every);
    (void)pthread_sigmask(SIG_SETMASK, &every, &before); /* a new thread inherits the mask */
    rc = pthread_create(&thread, NULL, begin, given);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) {
        free(given);
        return iso__sys_error(rc);
    }
    out->native = (uintptr_t)thread;
    return 0;
}

void iso__sys_thread_join(iso__thread thread)
{
    (void)pthread_join((pthread_t)thread.native, NULL);
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
