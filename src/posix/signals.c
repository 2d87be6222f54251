/* SPDX-License-Identifier: MIT */
/* A handler runs at any moment in any thread, and may hardly do anything: this one changes atomic
 * numbers and writes to a descriptor. It takes no lock, so that whoever takes a sink away waits
 * until no thread is in the handler any more. */
#include "sys/signals.h"

#include "sys/error.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

enum { UNWANTED = 0, WANTED, COME };

/* Read by the handler. */
static iso__atomic_ptr first_sink;
static iso__atomic_u32 in_handler; /* how many threads are */
static iso__atomic_u32 owner;      /* the process that the sinks are of */

/* Under the lock. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct installed {
    unsigned count; /* of the sinks that want it */
    struct sigaction before;
} installed[ISO__SIGNALS_END];

/* ---- the handler: async-signal-safe, all of it ---- */

static void on_signal(int signum)
{
    iso__signal_sink *sink;

    /* A child that never comes to forget_parent, as after vfork. */
    if ((uint32_t)getpid() != iso__atomic_load_u32(&owner)) return;
    /* Either this sees the list without a sink, or the one that took it out sees this: both write
     * first and read then, in one order for all. */
    (void)iso__atomic_add_u32(&in_handler, 1);
    for (sink = iso__atomic_load_ptr(&first_sink); sink != NULL;
         sink = iso__atomic_load_ptr(&sink->next)) {
        uint32_t state = WANTED;

        /* Whoever made it COME wakes; whoever takes drains before. */
        if (iso__atomic_cas_u32(&sink->states[signum], &state, COME))
            iso__sys_wake_signal(&sink->wake);
    }
    (void)iso__atomic_add_u32(&in_handler, UINT32_MAX);
}

/* It lasts a few instructions in whichever thread; a real sleep, not sched_yield, lets a thread of
 * lower priority come to an end too. */
static void wait_for_handlers(void)
{
    const struct timespec shortly = { 0, 20000 };

    while (iso__atomic_load_u32(&in_handler) != 0) (void)nanosleep(&shortly, NULL);
}

/* No signal comes to a thread that has the lock: a handler of the program's may fork, which takes
 * it. */
static void take_lock(sigset_t *before)
{
    sigset_t every;

    (void)sigfillset(&every);
    (void)pthread_sigmask(SIG_SETMASK, &every, before);
    (void)pthread_mutex_lock(&lock);
}

static void leave_lock(const sigset_t *before)
{
    (void)pthread_mutex_unlock(&lock);
    (void)pthread_sigmask(SIG_SETMASK, before, NULL);
}

/* ---- what is installed; under the lock ---- */

static int install(int signum)
{
    struct sigaction action = { 0 };

    action.sa_handler = on_signal;
    /* SA_ONSTACK, as Python (bpo-43390): a thread with a small stack may have another for these. */
    action.sa_flags = SA_RESTART | SA_ONSTACK;
    (void)sigfillset(&action.sa_mask); /* a handler of the program's that forks waits outside */
    return sigaction(signum, &action, &installed[signum].before) == 0 ? 0 : iso__sys_error(errno);
}

static bool is_ours(int signum)
{
    struct sigaction now;

    return sigaction(signum, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) == 0 &&
           now.sa_handler == on_signal;
}

static void put_back(int signum)
{
    if (is_ours(signum)) (void)sigaction(signum, &installed[signum].before, NULL);
}

/* ---- fork: the lock is free and the table whole in the child, and nothing in it is the child's.
 * A signal that comes to the child meanwhile waits until there is what was there before. ---- */

static sigset_t mask_before; /* of the thread that forks; under the lock */

static void before_fork(void)
{
    sigset_t before;

    take_lock(&before);
    mask_before = before;
}

static void after_fork(void)
{
    sigset_t before = mask_before;

    leave_lock(&before);
}

static void forget_parent(void)
{
    int signum;

    for (signum = 1; signum < ISO__SIGNALS_END; signum++) {
        if (installed[signum].count > 0) put_back(signum);
        installed[signum].count = 0;
    }
    iso__atomic_store_ptr(&first_sink, NULL);
    iso__atomic_store_u32(&in_handler, 0); /* of other threads, which are not here */
    after_fork();
}

static void watch_forks(void)
{
    (void)pthread_atfork(before_fork, after_fork, forget_parent);
}

/* ---- sinks ---- */

bool iso__sys_signal_exists(int signum)
{
    sigset_t every;

    /* The full set lacks those that the C library keeps for itself. */
    return signum > 0 && signum < ISO__SIGNALS_END && sigfillset(&every) == 0 &&
           sigismember(&every, signum) == 1;
}

int iso__sys_signals_open(iso__signal_sink *sink)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    sigset_t before;
    int signum;
    int rc = iso__sys_wake_open(&sink->wake);

    if (rc != 0) return rc;
    (void)pthread_once(&once, watch_forks);
    for (signum = 0; signum < ISO__SIGNALS_END; signum++)
        iso__atomic_store_u32(&sink->states[signum], UNWANTED);
    take_lock(&before);
    iso__atomic_store_u32(&owner, (uint32_t)getpid());
    iso__atomic_store_ptr(&sink->next, iso__atomic_load_ptr(&first_sink));
    iso__atomic_store_ptr(&first_sink, sink);
    leave_lock(&before);
    return 0;
}

static void unlink_sink(iso__signal_sink *sink)
{
    iso__atomic_ptr *at = &first_sink;

    while (iso__atomic_load_ptr(at) != sink)
        at = &((iso__signal_sink *)iso__atomic_load_ptr(at))->next;
    iso__atomic_store_ptr(at, iso__atomic_load_ptr(&sink->next));
}

void iso__sys_signals_close(iso__signal_sink *sink)
{
    sigset_t before;
    int signum;

    for (signum = 1; signum < ISO__SIGNALS_END; signum++) iso__sys_signals_unwant(sink, signum);
    take_lock(&before);
    unlink_sink(sink);
    wait_for_handlers();
    leave_lock(&before);
    iso__sys_wake_close(&sink->wake);
}

int iso__sys_signals_want(iso__signal_sink *sink, int signum)
{
    uint32_t state = UNWANTED;
    sigset_t before;
    bool is_new;
    int rc = 0;

    take_lock(&before);
    /* Before: the first one may come at once. */
    is_new = iso__atomic_cas_u32(&sink->states[signum], &state, WANTED);
    /* Also when the program has put a handler of its own in the place. */
    if (installed[signum].count == 0 || !is_ours(signum)) rc = install(signum);
    if (is_new && rc == 0)
        installed[signum].count++;
    else if (is_new)
        iso__atomic_store_u32(&sink->states[signum], UNWANTED);
    leave_lock(&before);
    return rc;
}

void iso__sys_signals_unwant(iso__signal_sink *sink, int signum)
{
    sigset_t before;

    take_lock(&before);
    if (iso__atomic_exchange_u32(&sink->states[signum], UNWANTED) != UNWANTED &&
        --installed[signum].count == 0)
        put_back(signum);
    leave_lock(&before);
}

void iso__sys_signals_drain(const iso__signal_sink *sink)
{
    iso__sys_wake_drain(&sink->wake);
}

bool iso__sys_signals_take(iso__signal_sink *sink, int signum)
{
    uint32_t state = COME;

    return iso__atomic_cas_u32(&sink->states[signum], &state, WANTED);
}
