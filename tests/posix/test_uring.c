/* SPDX-License-Identifier: MIT */
/* What is special about io_uring: rings that are full, buffers that run dry, a loop that goes to
 * another thread, a process that forks, a system that forbids it. The laws of a driver are in
 * engine/test_driver.c. */
#include "engine/probe.h"
#include "loop/loop.h"
#include "sys/sock.h"
#include "uring.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const iso__uring_sizes usual = {
    .sq_entries = 256,
    .cq_entries = 4096,
    .buffer_bytes = 8192,
    .first_buffers = 32,
    .buffer_entries = 2048,
    .without_defer = false,
};

static bool is_there(void)
{
    const iso_backend *backends;
    size_t count = iso_backends(&backends);
    size_t at;

    for (at = 0; at < count; at++) {
        if (strcmp(backends[at].name, "proactor:io_uring") == 0) return backends[at].available;
    }
    return false;
}

/* A loop over rings and buffers of these sizes; NULL: the case is skipped. */
static iso_loop *loop_of(kit *k, const iso__uring_sizes *sizes)
{
    iso_loop *loop;

    if (!is_there()) {
        (void)kit_skip(k, "proactor.availability");
        return NULL;
    }
    kit_setenv(k, "ISOLOOP_LOOP", "proactor:io_uring");
    iso__uring_sizes_of_new = *sizes;
    loop = kit_loop(k);
    iso__uring_sizes_of_new = usual;
    return loop;
}

static iso__uring *driver_in(const iso_loop *loop)
{
    return (iso__uring *)(void *)loop->engine.driver;
}

/* ---- many streams at once ---- */

enum { STREAMS = 40 };

typedef struct crowd {
    kit *k;
    iso__engine *engine;
    iso_fd far[STREAMS];
    probe its[STREAMS];
} crowd;

static void gather(crowd *self, kit *k, iso_loop *loop)
{
    int at;

    memset(self, 0, sizeof(*self));
    self->k = k;
    self->engine = &loop->engine;
    for (at = 0; at < STREAMS; at++) {
        iso_fd pair[2];

        kit_pair(k, pair);
        self->far[at] = pair[1];
        attach(k, self->engine, &self->its[at], pair[0], &probe_reading);
        self->its[at].is_checked = true;
        CHECK_OK(start_recv(&self->its[at]));
    }
}

/* Each of them is sent `size` bytes from `place` on, and then has them, and nothing more. */
static void demand_bytes(crowd *self, size_t place, size_t size)
{
    iso_nsec end = kit_now() + ISO_S(20);
    char bytes[4096];
    int at;

    REQUIRE(size <= sizeof(bytes));
    probe_fill(bytes, size, place);
    for (at = 0; at < STREAMS; at++) kit_send(self->k, self->far[at], bytes, size);
    for (at = 0; at < STREAMS; at++) {
        while (self->its[at].total < place + size && CHECK(kit_now() < end))
            CHECK_GE(iso__engine_turn(self->engine, ISO_MS(100)), 0);
        CHECK_EQ(self->its[at].total, place + size);
    }
    turn(self->engine);
    for (at = 0; at < STREAMS; at++) CHECK_EQ(self->its[at].total, place + size);
}

static void disperse(crowd *self)
{
    int at;

    for (at = 0; at < STREAMS; at++) detach(&self->its[at]);
    finish(self->engine);
}

static void demand_all_with(kit *k, const iso__uring_sizes *sizes)
{
    iso_loop *loop = loop_of(k, sizes);
    static crowd all;
    size_t place = 0;
    int round;

    if (loop == NULL) return;
    gather(&all, k, loop);
    for (round = 0; round < 5 && !kit_has_failed(k); round++) {
        size_t size = round % 2 == 0 ? 7 : 1500;

        demand_bytes(&all, place, size);
        place += size;
    }
    disperse(&all);
}

KIT_TEST(more_completions_than_the_ring_has_places_are_all_told)
{
    iso__uring_sizes sizes = usual;

    sizes.sq_entries = 2;
    sizes.cq_entries = 4;
    demand_all_with(k, &sizes);
}

KIT_TEST(more_requests_than_the_ring_has_places_are_all_submitted)
{
    iso__uring_sizes sizes = usual;

    sizes.sq_entries = 1;
    demand_all_with(k, &sizes);
}

/* One call runs 20 of what completions need. */
KIT_TEST(all_that_has_come_is_told_in_one_turn)
{
    iso__uring_sizes sizes = usual;
    iso_loop *loop;
    static crowd all;
    int at;

    sizes.first_buffers = 64;
    loop = loop_of(k, &sizes);
    if (loop == NULL) return;
    gather(&all, k, loop);
    turn(all.engine);
    for (at = 0; at < STREAMS; at++) kit_send(k, all.far[at], "", 1); /* probe_byte(0) */
    CHECK_EQ(iso__engine_turn(all.engine, 0), STREAMS);
    for (at = 0; at < STREAMS; at++) CHECK_EQ(all.its[at].total, 1);
    disperse(&all);
}

KIT_TEST(buffers_that_run_dry_become_more)
{
    iso__uring_sizes sizes = usual;
    iso_loop *loop;
    static crowd all;

    sizes.buffer_bytes = 64;
    sizes.first_buffers = 2;
    loop = loop_of(k, &sizes);
    if (loop == NULL) return;
    gather(&all, k, loop);
    demand_bytes(&all, 0, 4000);
    CHECK_GE(driver_in(loop)->buffers.count, 4);
    CHECK_LE(driver_in(loop)->buffers.count, 2048);
    disperse(&all);
}

KIT_TEST(buffers_that_run_dry_and_cannot_become_more_lose_nothing)
{
    iso__uring_sizes sizes = usual;

    sizes.buffer_bytes = 16;
    sizes.first_buffers = 2;
    sizes.buffer_entries = 2;
    demand_all_with(k, &sizes);
}

KIT_TEST(without_memory_for_more_buffers_nothing_is_lost)
{
    iso__uring_sizes sizes = usual;
    iso_loop *loop;
    static crowd all;

    sizes.buffer_bytes = 64;
    sizes.first_buffers = 2;
    loop = loop_of(k, &sizes);
    if (loop == NULL) return;
    gather(&all, k, loop);
    kit_fail_allocation(k, 1, true);
    demand_bytes(&all, 0, 1000);
    kit_fail_allocation(k, 0, false);
    CHECK_EQ(driver_in(loop)->buffers.count, 2);
    disperse(&all);
}

/* What nobody wants is kept elsewhere, so that the others have the buffers. */
static void demand_kept(kit *k, bool has_memory)
{
    iso__uring_sizes sizes = usual;
    iso_loop *loop;
    static crowd all;
    int at;

    sizes.buffer_bytes = 64;
    sizes.first_buffers = 4;
    sizes.buffer_entries = 4;
    loop = loop_of(k, &sizes);
    if (loop == NULL) return;
    gather(&all, k, loop);
    turn(all.engine);
    /* given many that have stopped to read, to whom something comes */
    for (at = 1; at < STREAMS; at++) {
        char bytes[500];

        stop_recv(&all.its[at]);
        probe_fill(bytes, sizeof(bytes), 0);
        kit_send(k, all.far[at], bytes, sizeof(bytes));
    }
    if (!has_memory) kit_fail_allocation(k, 1, true);
    for (at = 0; at < 10; at++) turn(all.engine);
    for (at = 1; at < STREAMS; at++) CHECK_EQ(all.its[at].told, 0);
    /* when something comes to one who reads, then he has it */
    kit_send(k, all.far[0], "", 1); /* probe_byte(0) */
    turn_until(&all.its[0], 1);
    kit_fail_allocation(k, 0, false);
    /* and when the others go on they have what they were sent */
    for (at = 1; at < STREAMS; at++) CHECK_OK(start_recv(&all.its[at]));
    for (at = 1; at < STREAMS; at++) {
        while (all.its[at].total < 500 && !kit_has_failed(k))
            turn_until(&all.its[at], all.its[at].told + 1);
        CHECK_EQ(all.its[at].total, 500);
    }
    disperse(&all);
}

KIT_TEST(those_who_stopped_to_read_take_no_buffers_from_the_others)
{
    demand_kept(k, true);
}

KIT_TEST(nor_do_they_without_memory)
{
    demand_kept(k, false);
}

KIT_TEST(an_idle_stream_pins_no_buffer)
{
    iso_loop *loop = loop_of(k, &usual);
    static crowd all;
    int at;

    if (loop == NULL) return;
    gather(&all, k, loop);
    demand_bytes(&all, 0, 3000);
    for (at = 0; at < (int)driver_in(loop)->buffers.count; at++)
        CHECK(!driver_in(loop)->buffers.all[at].is_out);
    CHECK_EQ(driver_in(loop)->held_count, STREAMS); /* though each has its receive */
    disperse(&all);
}

/* ---- another thread ---- */

typedef struct mover {
    kit *k;
    iso_loop *loop;
    crowd *all;
    size_t place;
} mover;

/* The loop is this thread's for as long. */
static void demand_bytes_here(void *arg)
{
    mover *self = arg;

    CHECK_GE(iso_loop_run_once(self->loop, 0), 0);
    demand_bytes(self->all, self->place, 700);
}

static void move_about(kit *k, const iso__uring_sizes *sizes)
{
    iso_loop *loop = loop_of(k, sizes);
    static crowd all;
    mover self = { k, loop, &all, 0 };
    int round;

    if (loop == NULL) return;
    gather(&all, k, loop);
    for (round = 0; round < 6 && !kit_has_failed(k); round++) {
        if (round % 2 == 0) {
            demand_bytes_here(&self);
        } else {
            kit_thread(k, demand_bytes_here, &self);
            kit_join_all(k); /* so that it is gone, too */
        }
        self.place += 700;
    }
    CHECK_GE(iso_loop_run_once(loop, 0), 0);
    disperse(&all);
}

KIT_TEST(a_loop_that_goes_to_another_thread_reads_on)
{
    move_about(k, &usual);
}

KIT_TEST(a_loop_that_goes_to_another_thread_reads_on_where_a_ring_belongs_to_none)
{
    iso__uring_sizes sizes = usual;

    sizes.without_defer = true;
    move_about(k, &sizes);
}

static void run_once_here(void *loop)
{
    CHECK_GE(iso_loop_run_once(loop, 0), 0);
}

static void take_all(kit *k, iso_fd fd, size_t filled, const char *then)
{
    static char sink[4096];
    char got[16] = "";

    while (filled > 0) {
        size_t part = filled < sizeof(sink) ? filled : sizeof(sink);

        REQUIRE(kit_recv(k, fd, sink, part) == (ptrdiff_t)part);
        filled -= part;
    }
    CHECK_EQ(kit_recv(k, fd, got, strlen(then)), strlen(then));
    CHECK_STR(got, then);
}

KIT_TEST(a_send_that_waits_when_the_loop_goes_to_another_thread_is_sent_once)
{
    iso_loop *loop = loop_of(k, &usual);
    iso_buffer list[1] = { { "abc", 3 } };
    iso_fd pair[2];
    size_t filled;
    char byte;
    probe it;

    if (loop == NULL) return;
    kit_pair(k, pair);
    filled = kit_fill(k, pair[0]);
    attach(k, &loop->engine, &it, pair[0], &probe_reading);
    CHECK_OK(start_send(&it, list, 1));
    turn(&loop->engine);
    kit_thread(k, run_once_here, loop);
    kit_join_all(k);
    CHECK_EQ(it.results, 0);
    CHECK_GE(iso_loop_run_once(loop, 0), 0);
    take_all(k, pair[1], filled - 1, "");
    CHECK_EQ(kit_recv(k, pair[1], &byte, 1), 1);
    turn_until_done(&it, 1);
    CHECK_EQ(it.result, 3);
    take_all(k, pair[1], 0, "abc");
    CHECK_RC(iso__sys_socket_recv(pair[1], &byte, 1), ISO_EAGAIN);
    detach(&it);
    finish(&loop->engine);
}

KIT_TEST(a_send_that_was_withdrawn_before_the_loop_goes_to_another_thread_is_told_as_answered)
{
    iso_loop *loop = loop_of(k, &usual);
    iso_buffer list[1] = { { "abc", 3 } };
    iso_fd pair[2];
    probe it;

    if (loop == NULL) return;
    kit_pair(k, pair);
    (void)kit_fill(k, pair[0]);
    attach(k, &loop->engine, &it, pair[0], &probe_reading);
    CHECK_OK(start_send(&it, list, 1));
    turn(&loop->engine);
    CHECK(!withdraw(&it));
    kit_thread(k, run_once_here, loop);
    kit_join_all(k);
    CHECK_EQ(it.results, 1);
    CHECK_RC(it.result, ISO_ECANCELED);
    CHECK_GE(iso_loop_run_once(loop, 0), 0);
    detach(&it);
    finish(&loop->engine);
}

KIT_TEST(a_wake_up_reaches_a_loop_that_went_to_another_thread)
{
    iso_loop *loop = loop_of(k, &usual);
    int round;

    if (loop == NULL) return;
    for (round = 0; round < 5; round++) {
        int posts = 0;

        kit_thread(k, run_once_here, loop);
        kit_join_all(k);
        CHECK_OK(iso_loop_call_soon_threadsafe(loop, kit_count, &posts));
        CHECK_GE(iso_loop_run_once(loop, ISO_FOREVER), 1);
        loop->engine.driver->kind->wake(loop->engine.driver);
        CHECK_GE(iso_loop_run_once(loop, ISO_FOREVER), 0);
        CHECK_EQ(posts, 1);
    }
}

KIT_TEST(a_loop_is_closed_by_another_thread_than_it_ran_in)
{
    iso_loop *loop = loop_of(k, &usual);
    static crowd all;
    int at;

    if (loop == NULL) return;
    gather(&all, k, loop);
    kit_thread(k, run_once_here, loop);
    kit_join_all(k);
    for (at = 0; at < STREAMS; at++) detach(&all.its[at]);
    kit_release_loop(k, loop);
}

/* ---- a forked child ---- */

/* Whether a page is mapped here. */
static bool is_mapped(const void *at)
{
    long page = sysconf(_SC_PAGESIZE);
    uintptr_t begin = (uintptr_t)at & ~((uintptr_t)page - 1);
    unsigned char answer;

    return mincore((void *)begin, (size_t)page, &answer) == 0;
}

static int look_in_child(const iso__uring *driver)
{
    bool is_visible = is_mapped(driver->ring.rings) || is_mapped(driver->ring.sqes) ||
                      is_mapped(driver->buffers.ring);

    return is_visible ? 1 : 0;
}

KIT_TEST(a_forked_child_has_no_rings_and_a_program_no_descriptor_of_them)
{
    iso_loop *loop = loop_of(k, &usual);
    const iso__uring *driver;
    static crowd all;
    int status = -1;
    pid_t child;

    if (loop == NULL) return;
    driver = driver_in(loop);
    gather(&all, k, loop);
    demand_bytes(&all, 0, 10);
    CHECK(is_mapped(driver->ring.rings));
    CHECK(is_mapped(driver->buffers.ring));
    child = fork();
    if (child == 0) _exit(look_in_child(driver));
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    CHECK((fcntl(driver->ring.fd, F_GETFD) & FD_CLOEXEC) != 0);
    demand_bytes(&all, 10, 10);
    disperse(&all);
}

/* ---- signals ---- */

static volatile sig_atomic_t signals;

static void count_signal(int number)
{
    (void)number;
    signals++;
}

static void send_signal(void *thread)
{
    CHECK_EQ(pthread_kill(*(pthread_t *)thread, SIGUSR1), 0);
}

KIT_TEST(a_signal_ends_a_wait_and_is_no_error)
{
    iso_loop *loop = loop_of(k, &usual);
    pthread_t self = pthread_self();
    struct sigaction before;
    struct sigaction action;
    int round;

    if (loop == NULL) return;
    memset(&action, 0, sizeof(action));
    action.sa_handler = count_signal;
    CHECK_EQ(sigaction(SIGUSR1, &action, &before), 0);
    signals = 0;
    for (round = 1; round <= 5; round++) {
        kit_thread(k, send_signal, &self);
        while (signals < round) CHECK_GE(iso_loop_run_once(loop, ISO_S(10)), 0);
        kit_join_all(k);
    }
    CHECK_EQ(sigaction(SIGUSR1, &before, NULL), 0);
}

/* ---- files are closed when they are closed ---- */

KIT_TEST(the_address_of_a_listener_is_free_as_soon_as_it_is_closed)
{
    iso_loop *loop = loop_of(k, &usual);
    int round;

    if (loop == NULL) return;
    for (round = 0; round < 3; round++) {
        int max = round == 0 ? 1 : 10;
        iso_address address;
        iso_fd listener = kit_listen(k, &address);
        iso_fd again = ISO_FD_NONE;
        probe it;

        attach(k, &loop->engine, &it, listener, &probe_accepting);
        CHECK_OK(start_accept(&it, max));
        turn(&loop->engine);
        if (round == 2) driver_of(&it)->kind->accept_stop(driver_of(&it), &it.io);
        detach_and_close(&it);
        REQUIRE_OK(iso__sys_socket_open(&again, 4));
        CHECK_OK(iso__sys_socket_bind(kit_own(k, again), &address));
        CHECK_OK(iso__sys_socket_listen(again, 1));
    }
    finish(&loop->engine);
}

KIT_TEST(a_stream_is_closed_to_its_peer_as_soon_as_it_is_closed)
{
    iso_loop *loop = loop_of(k, &usual);
    iso_fd pair[2];
    char byte;
    probe it;

    if (loop == NULL) return;
    kit_pair(k, pair);
    attach(k, &loop->engine, &it, pair[0], &probe_reading);
    CHECK_OK(start_recv(&it));
    turn(&loop->engine);
    detach_and_close(&it);
    CHECK_EQ(iso__sys_socket_recv(pair[1], &byte, 1), 0);
    finish(&loop->engine);
}

KIT_TEST(a_watched_socket_is_closed_to_its_peer_as_soon_as_its_program_closes_it)
{
    iso_loop *loop = loop_of(k, &usual);
    iso_fd pair[2];
    char byte;
    probe it;

    if (loop == NULL) return;
    kit_pair(k, pair);
    attach(k, &loop->engine, &it, pair[0], &probe_watching);
    CHECK_OK(watch(&it, READ));
    turn(&loop->engine);
    CHECK_OK(watch(&it, READ | WRITE));
    detach_and_close(&it);
    CHECK_EQ(iso__sys_socket_recv(pair[1], &byte, 1), 0);
    finish(&loop->engine);
}

/* ---- where it is forbidden ---- */

/* The calls of io_uring answer `error` from here on, in this process and all that come of it. */
static int forbid(int error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ISO__SYS_URING_SETUP, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ((unsigned)error & SECCOMP_RET_DATA)),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { 4, code };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

/* In a program of its own, since the answer is kept. */
static int run_forbidden(int error, const char *text)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        if (forbid(error) != 0 || setenv("URING_TEST_REASON", text, 1) != 0) _exit(3);
        (void)unsetenv("ISOLOOP_LOOP");
        (void)execl("/proc/self/exe", "test_posix_uring", "what_is_missing_is_said", (char *)NULL);
        _exit(4);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) return -1;
    return status;
}

static void demand_missing(kit *k, const char *reason)
{
    iso_loop_options options = kit_options(k);
    const iso_backend *backends;
    size_t count = iso_backends(&backends);
    iso_loop *loop = NULL;
    size_t at;

    CHECK(!is_there());
    for (at = 0; at < count; at++) {
        if (strcmp(backends[at].name, "proactor:io_uring") == 0)
            CHECK_HAS(backends[at].reason, reason);
    }
    options.backend = "proactor:io_uring";
    CHECK_RC(iso_loop_new(&loop, &options), ISO_ENOTSUP);
    CHECK_HAS(iso_error_detail(), reason);
    CHECK_HAS(iso_error_detail(), "there are: selector:epoll, ");
    CHECK_HAS(iso_error_detail(), "selector:poll, selector:select");
    options.backend = "proactor";
    options.limits = "native";
    CHECK_RC(iso_loop_new(&loop, &options), ISO_ENOTSUP);
    CHECK_HAS(iso_error_detail(), reason);
    CHECK_PTR(loop, NULL);
}

KIT_TEST(what_is_missing_is_said)
{
    const char *reason = getenv("URING_TEST_REASON");

    if (reason != NULL) {
        demand_missing(k, reason);
        return;
    }
    CHECK_EQ(run_forbidden(EPERM, "forbidden here"), 0);
    CHECK_EQ(run_forbidden(ENOSYS, "has no io_uring"), 0);
    CHECK_EQ(run_forbidden(EINVAL, "too old"), 0);
}

static const kit_case cases[] = {
    KIT_CASE(more_completions_than_the_ring_has_places_are_all_told),
    KIT_CASE(more_requests_than_the_ring_has_places_are_all_submitted),
    KIT_CASE(all_that_has_come_is_told_in_one_turn),
    KIT_CASE(buffers_that_run_dry_become_more),
    KIT_CASE(buffers_that_run_dry_and_cannot_become_more_lose_nothing),
    KIT_CASE(without_memory_for_more_buffers_nothing_is_lost),
    KIT_CASE(those_who_stopped_to_read_take_no_buffers_from_the_others),
    KIT_CASE(nor_do_they_without_memory),
    KIT_CASE(an_idle_stream_pins_no_buffer),
    KIT_CASE(a_loop_that_goes_to_another_thread_reads_on),
    KIT_CASE(a_loop_that_goes_to_another_thread_reads_on_where_a_ring_belongs_to_none),
    KIT_CASE(a_send_that_waits_when_the_loop_goes_to_another_thread_is_sent_once),
    KIT_CASE(a_send_that_was_withdrawn_before_the_loop_goes_to_another_thread_is_told_as_answered),
    KIT_CASE(a_wake_up_reaches_a_loop_that_went_to_another_thread),
    KIT_CASE(a_loop_is_closed_by_another_thread_than_it_ran_in),
    KIT_CASE(a_forked_child_has_no_rings_and_a_program_no_descriptor_of_them),
    KIT_CASE(a_signal_ends_a_wait_and_is_no_error),
    KIT_CASE(the_address_of_a_listener_is_free_as_soon_as_it_is_closed),
    KIT_CASE(a_stream_is_closed_to_its_peer_as_soon_as_it_is_closed),
    KIT_CASE(a_watched_socket_is_closed_to_its_peer_as_soon_as_its_program_closes_it),
    KIT_CASE(what_is_missing_is_said),
};

KIT_MAIN(cases)
