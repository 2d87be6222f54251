/* SPDX-License-Identifier: MIT */
/* Wrong threads, and what any thread may do. */
#include "kit.h"

enum { PRODUCERS = 4, EACH = 3000 };

/* ---- wrong threads ---- */

/* A loop, and what another thread tries on it. */
typedef struct stranger {
    iso_loop *loop;
    iso_future *future;
    iso_handle handle;
    iso_fd fd;
    kit_gate *may_begin;
    kit_gate *has_ended;
    int run_answer; /* what running and closing it answers */
} stranger;

static void try_scheduling(const stranger *self)
{
    iso_nsec when;

    CHECK_RC(iso_loop_call_soon(self->loop, kit_nothing, NULL, NULL), ISO_ETHREAD);
    CHECK_RC(iso_loop_call_later(self->loop, 0, kit_nothing, NULL, NULL), ISO_ETHREAD);
    CHECK_RC(iso_loop_call_at(self->loop, 0, kit_nothing, NULL, NULL), ISO_ETHREAD);
    CHECK_RC(iso_handle_cancel(self->loop, self->handle), ISO_ETHREAD);
    CHECK_RC(iso_handle_when(self->loop, self->handle, &when), ISO_ETHREAD);
    CHECK_RC(iso_loop_stop(self->loop), ISO_ETHREAD);
}

static void try_asking(const stranger *self)
{
    iso_fd fd;

    CHECK_RC(iso_loop_fileno(self->loop, &fd), ISO_ETHREAD);
    CHECK_RC(iso_loop_next_timeout(self->loop), ISO_ETHREAD);
    CHECK_RC(iso_loop_set_debug(self->loop, true), ISO_ETHREAD);
    CHECK_RC(iso_loop_set_exception_handler(self->loop, NULL, NULL), ISO_ETHREAD);
}

static void try_watching(const stranger *self)
{
    CHECK_RC(iso_loop_add_reader(self->loop, self->fd, kit_nothing, NULL), ISO_ETHREAD);
    CHECK_RC(iso_loop_add_writer(self->loop, self->fd, kit_nothing, NULL), ISO_ETHREAD);
    CHECK_RC(iso_loop_remove_reader(self->loop, self->fd), ISO_ETHREAD);
    CHECK_RC(iso_loop_remove_writer(self->loop, self->fd), ISO_ETHREAD);
}

static void try_operations(const stranger *self)
{
    static const iso_protocol protocol = { .data_received = NULL };
    iso_server_options at = ISO_SERVER_OPTIONS_INIT;
    iso_connection_options to = ISO_CONNECTION_OPTIONS_INIT;
    iso_future *future = NULL;
    iso_address address;
    char byte;

    at.host = "127.0.0.1";
    to.host = "127.0.0.1";
    to.port = 1;
    CHECK_OK(iso_address_parse(&address, "127.0.0.1", 1));
    CHECK_RC(iso_loop_create_server(self->loop, &protocol, NULL, &at, &future), ISO_ETHREAD);
    CHECK_RC(iso_loop_create_connection(self->loop, &protocol, NULL, &to, &future), ISO_ETHREAD);
    CHECK_RC(iso_loop_sock_recv(self->loop, self->fd, 1, &future), ISO_ETHREAD);
    CHECK_RC(iso_loop_sock_recv_into(self->loop, self->fd, &byte, 1, &future), ISO_ETHREAD);
    CHECK_RC(iso_loop_sock_sendall(self->loop, self->fd, "x", 1, &future), ISO_ETHREAD);
    CHECK_RC(iso_loop_sock_accept(self->loop, self->fd, &future), ISO_ETHREAD);
    CHECK_RC(iso_loop_sock_connect(self->loop, self->fd, &address, &future), ISO_ETHREAD);
    CHECK_PTR(future, NULL);
}

static void try_futures(const stranger *self)
{
    iso_future *future = NULL;

    CHECK_RC(iso_loop_create_future(self->loop, &future), ISO_ETHREAD);
    CHECK_RC(iso_future_new(&future, self->loop), ISO_ETHREAD);
    CHECK_RC(iso_future_set_result(self->future, NULL), ISO_ETHREAD);
    CHECK_RC(iso_future_set_number(self->future, 1), ISO_ETHREAD);
    CHECK_RC(iso_future_set_error(self->future, ISO_EIO), ISO_ETHREAD);
    CHECK_RC(iso_future_cancel(self->future), ISO_ETHREAD);
    CHECK_RC(iso_future_add_done_callback(self->future, kit_mark_future, "f"), ISO_ETHREAD);
    CHECK_RC(iso_future_remove_done_callback(self->future, kit_mark_future, "f"), ISO_ETHREAD);
    CHECK(!iso_future_done(self->future));
    CHECK_PTR(future, NULL);
}

static void try_everything(void *arg)
{
    const stranger *self = arg;

    if (self->may_begin != NULL) kit_gate_wait(self->may_begin);
    try_scheduling(self);
    try_asking(self);
    try_watching(self);
    try_operations(self);
    try_futures(self);
    if (self->run_answer != 0) {
        CHECK_RC(iso_loop_run_forever(self->loop), self->run_answer);
        CHECK_RC(iso_loop_run_once(self->loop, 0), self->run_answer);
        CHECK_RC(iso_loop_run_until_complete(self->loop, self->future), self->run_answer);
        CHECK_RC(iso_loop_close(self->loop), self->run_answer);
    }
    if (self->has_ended != NULL) kit_gate_open(self->has_ended);
}

static void prepare(kit *k, stranger *self)
{
    iso_fd pair[2];

    kit_pair(k, pair);
    self->loop = kit_loop(k);
    self->fd = pair[0];
    self->may_begin = NULL;
    self->has_ended = NULL;
    self->run_answer = 0;
    self->future = NULL;
    REQUIRE_OK(iso_loop_create_future(self->loop, &self->future));
    CHECK_OK(iso_loop_call_later(self->loop, ISO_S(3600), kit_nothing, NULL, &self->handle));
}

KIT_TEST(a_loop_that_is_not_running_belongs_to_the_thread_that_made_it)
{
    stranger other;

    prepare(k, &other);
    kit_thread(k, try_everything, &other);
    kit_join_all(k);
    /* and in that one all is as it was */
    CHECK_OK(iso_handle_cancel(other.loop, other.handle));
    CHECK_EQ(kit_statistics(other.loop).objects, 0);
    iso_future_release(other.future);
}

static void let_the_stranger_try(iso_loop *loop, void *arg)
{
    stranger *other = arg;

    kit_gate_open(other->may_begin);
    kit_gate_wait(other->has_ended);
    (void)iso_loop_stop(loop);
}

KIT_TEST(a_running_loop_belongs_to_the_thread_that_runs_it)
{
    stranger other;

    prepare(k, &other);
    other.may_begin = kit_gate_new(k);
    other.has_ended = kit_gate_new(k);
    other.run_answer = ISO_ERUNNING;
    kit_thread(k, try_everything, &other);
    CHECK_OK(iso_loop_call_soon(other.loop, let_the_stranger_try, &other, NULL));
    CHECK_OK(iso_loop_run_forever(other.loop));
    kit_join_all(k);
    CHECK_OK(iso_handle_cancel(other.loop, other.handle));
    iso_future_release(other.future);
}

static void run_it_here(void *arg)
{
    iso_loop *loop = arg;
    iso_loop *running = loop;

    CHECK_EQ(iso_loop_run_once(loop, 0), 1);
    /* from then on it is this thread's */
    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "b", NULL));
    CHECK_EQ(iso_loop_run_once(loop, 0), 1);
    CHECK_RC(iso_get_running_loop(&running), ISO_ENOLOOP);
}

KIT_TEST(a_loop_goes_to_the_thread_that_runs_it)
{
    iso_loop *loop = kit_loop(k);

    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "a", NULL));
    kit_thread(k, run_it_here, loop);
    kit_join_all(k);
    CHECK_STR(kit_marks(k), "ab");
    CHECK_RC(iso_loop_call_soon(loop, kit_mark, "c", NULL), ISO_ETHREAD);
    /* and comes back */
    CHECK_EQ(iso_loop_run_once(loop, 0), 0);
    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "c", NULL));
    CHECK_EQ(iso_loop_run_once(loop, 0), 1);
}

static void ask_from_elsewhere(void *arg)
{
    stranger *self = arg;

    kit_gate_wait(self->may_begin);
    CHECK(iso_loop_is_running(self->loop));
    CHECK(!iso_loop_is_closed(self->loop));
    CHECK(iso_loop_backend(self->loop) != NULL);
    CHECK_STR(iso_loop_limits_profile(self->loop), "documented");
    CHECK_EQ(iso_loop_supports(self->loop, ISO_CAP_WATCH),
             !iso_loop_limit_enforced(self->loop, "proactor.watch"));
    CHECK(!iso_loop_limit_enforced(self->loop, "no.such.row"));
    iso_loop_release(iso_loop_ref(self->loop));
    kit_gate_open(self->has_ended);
}

KIT_TEST(any_thread_may_ask_what_does_not_change)
{
    stranger other;

    prepare(k, &other);
    other.may_begin = kit_gate_new(k);
    other.has_ended = kit_gate_new(k);
    kit_thread(k, ask_from_elsewhere, &other);
    CHECK_OK(iso_loop_call_soon(other.loop, let_the_stranger_try, &other, NULL));
    CHECK_OK(iso_loop_run_forever(other.loop));
    kit_join_all(k);
    iso_future_release(other.future);
}

/* ---- posting ---- */

KIT_TEST(posts_of_one_thread_run_in_their_order)
{
    iso_loop *loop = kit_loop(k);

    CHECK_OK(iso_loop_call_soon_threadsafe(loop, kit_mark, "a"));
    CHECK_OK(iso_loop_call_soon_threadsafe(loop, kit_mark, "b"));
    CHECK_OK(iso_loop_call_soon_threadsafe(loop, kit_mark, "c"));
    kit_turn(k, loop);
    CHECK_STR(kit_marks(k), "abc");
}

static void post_again(iso_loop *loop, void *mark)
{
    kit_mark(loop, mark);
    CHECK_OK(iso_loop_call_soon_threadsafe(loop, kit_mark, "b"));
}

KIT_TEST(what_is_posted_in_a_callback_runs_in_the_next_turn)
{
    iso_loop *loop = kit_loop(k);

    CHECK_OK(iso_loop_call_soon(loop, post_again, "a", NULL));
    kit_turn(k, loop);
    CHECK_STR(kit_marks(k), "a");
    kit_turn(k, loop);
    CHECK_STR(kit_marks(k), "ab");
}

static void post_a_stop(void *loop)
{
    CHECK_OK(iso_loop_call_soon_threadsafe(loop, kit_stop, NULL));
}

KIT_TEST(a_post_ends_a_wait)
{
    iso_loop *loop = kit_loop(k);

    kit_thread(k, post_a_stop, loop);
    CHECK_OK(iso_loop_run_forever(loop));
}

static void stop_it(void *loop)
{
    CHECK_OK(iso_loop_stop_threadsafe(loop));
}

KIT_TEST(stop_threadsafe_ends_a_wait)
{
    iso_loop *loop = kit_loop(k);
    iso_nsec before = kit_now();

    CHECK_OK(iso_loop_call_later(loop, ISO_S(3000), kit_nothing, NULL, NULL));
    kit_thread(k, stop_it, loop);
    CHECK_OK(iso_loop_run_forever(loop));
    CHECK_LE(kit_now() - before, ISO_S(20));
}

KIT_TEST(stop_threadsafe_before_run_forever_holds_too)
{
    iso_loop *loop = kit_loop(k);

    CHECK_OK(iso_loop_stop_threadsafe(loop));
    CHECK_OK(iso_loop_run_forever(loop));
}

/* A number of a thread, that must be the next one of it. */
typedef struct parcel {
    struct crowd *crowd;
    int producer;
    int number;
} parcel;

typedef struct crowd {
    iso_loop *loop;
    iso__atomic_u32 next_producer;
    int next[PRODUCERS];
    int left;
    parcel parcels[PRODUCERS][EACH];
} crowd;

static void receive_parcel(iso_loop *loop, void *arg)
{
    const parcel *it = arg;

    CHECK_EQ(it->number, it->crowd->next[it->producer]++);
    if (--it->crowd->left == 0) (void)iso_loop_stop(loop);
}

static void send_parcels(void *arg)
{
    crowd *self = arg;
    uint32_t mine = iso__atomic_add_u32(&self->next_producer, 1);
    int number;

    for (number = 0; number < EACH; number++) {
        parcel *it = &self->parcels[mine][number];

        it->crowd = self;
        it->producer = (int)mine;
        it->number = number;
        CHECK_OK(iso_loop_call_soon_threadsafe(self->loop, receive_parcel, it));
    }
}

KIT_TEST(no_post_of_several_threads_is_lost_or_out_of_order)
{
    static crowd all;
    int thread;

    all.loop = kit_loop(k);
    all.left = PRODUCERS * EACH;
    iso__atomic_store_u32(&all.next_producer, 0);
    for (thread = 0; thread < PRODUCERS; thread++) {
        all.next[thread] = 0;
        kit_thread(k, send_parcels, &all);
    }
    CHECK_OK(iso_loop_run_forever(all.loop));
    kit_join_all(k);
    for (thread = 0; thread < PRODUCERS; thread++) CHECK_EQ(all.next[thread], EACH);
    CHECK_LE(kit_statistics(all.loop).wakeups, PRODUCERS * EACH);
    CHECK_EQ(kit_turn(k, all.loop) <= 1, 1); /* at most a wake-up that came last */
}

/* To and fro: each waits for the other, so one lost wake-up would end it. */
typedef struct court {
    iso_loop *loops[2];
    kit_gate *is_made[2];
    int left;
} court;

static void hit_back(iso_loop *loop, void *arg);

static void hit(court *self, int side)
{
    CHECK_OK(iso_loop_call_soon_threadsafe(self->loops[side], hit_back, self));
}

static void hit_back(iso_loop *loop, void *arg)
{
    court *self = arg;
    int other = loop == self->loops[0] ? 1 : 0;

    if (--self->left > 0) {
        hit(self, other);
        return;
    }
    CHECK_OK(iso_loop_stop_threadsafe(self->loops[other]));
    (void)iso_loop_stop(loop);
}

static void play_the_other_side(void *arg)
{
    court *self = arg;

    kit_gate_open(self->is_made[1]);
    CHECK_OK(iso_loop_run_forever(self->loops[1]));
}

KIT_TEST(no_wake_up_is_lost_between_two_loops)
{
    court both;

    both.loops[0] = kit_loop(k);
    both.loops[1] = kit_loop(k);
    both.is_made[1] = kit_gate_new(k);
    both.left = 4001;
    kit_thread(k, play_the_other_side, &both);
    kit_gate_wait(both.is_made[1]);
    hit(&both, 0);
    CHECK_OK(iso_loop_run_forever(both.loops[0]));
    kit_join_all(k);
    CHECK_EQ(both.left, 0);
}

KIT_TEST(a_loop_that_is_awake_is_not_woken)
{
    iso_loop *loop = kit_loop(k);
    int round;

    for (round = 0; round < 100; round++)
        CHECK_OK(iso_loop_call_soon_threadsafe(loop, kit_nothing, NULL));
    CHECK_EQ(kit_statistics(loop).wakeups, 1); /* for all of them */
    kit_turn(k, loop);
}

/* ---- closing meanwhile ---- */

typedef struct siege {
    iso_loop *loop;
    kit_gate *has_begun;
} siege;

static void post_until_closed(void *arg)
{
    siege *self = arg;
    int posts = 0;
    int rc;

    do {
        rc = iso_loop_call_soon_threadsafe(self->loop, kit_nothing, NULL);
        if (++posts == 10) kit_gate_open(self->has_begun);
    } while (rc == 0 && posts < 100000);
    kit_gate_open(self->has_begun);
    if (rc != 0) CHECK_RC(rc, ISO_ECLOSED);
    CHECK_RC(posts < 100000 ? iso_loop_stop_threadsafe(self->loop) : ISO_ECLOSED, ISO_ECLOSED);
}

KIT_TEST(a_post_that_races_with_close_is_run_or_refused_and_leaves_nothing)
{
    int round;

    for (round = 0; round < 10 && !kit_has_failed(k); round++) {
        siege around;
        int thread;

        around.loop = kit_loop(k);
        around.has_begun = kit_gate_new(k);
        for (thread = 0; thread < 3; thread++) kit_thread(k, post_until_closed, &around);
        kit_gate_wait(around.has_begun);
        kit_turn(k, around.loop);
        CHECK_OK(iso_loop_close(around.loop));
        kit_join_all(k);
        kit_release_loop(k, around.loop);
        CHECK_EQ(kit_memory_now(k).blocks, 0);
    }
}

KIT_TEST(posts_without_memory_are_refused)
{
    iso_loop *loop = kit_loop(k);
    int posted = 0;
    int runs = 0;
    int rc = 0;

    kit_fail_allocation(k, 1, true);
    while (rc == 0 && posted < 100000) {
        rc = iso_loop_call_soon_threadsafe(loop, kit_count, &runs);
        if (rc == 0) posted++;
    }
    kit_fail_allocation(k, 0, false);
    CHECK_RC(rc, ISO_ENOMEM);
    CHECK_OK(iso_loop_call_soon_threadsafe(loop, kit_count, &runs));
    kit_turn(k, loop);
    CHECK_EQ(runs, posted + 1);
}

static const kit_case cases[] = {
    KIT_CASE(a_loop_that_is_not_running_belongs_to_the_thread_that_made_it),
    KIT_CASE(a_running_loop_belongs_to_the_thread_that_runs_it),
    KIT_CASE(a_loop_goes_to_the_thread_that_runs_it),
    KIT_CASE(any_thread_may_ask_what_does_not_change),
    KIT_CASE(posts_of_one_thread_run_in_their_order),
    KIT_CASE(what_is_posted_in_a_callback_runs_in_the_next_turn),
    KIT_CASE(a_post_ends_a_wait),
    KIT_CASE(stop_threadsafe_ends_a_wait),
    KIT_CASE(stop_threadsafe_before_run_forever_holds_too),
    KIT_CASE(no_post_of_several_threads_is_lost_or_out_of_order),
    KIT_CASE(no_wake_up_is_lost_between_two_loops),
    KIT_CASE(a_loop_that_is_awake_is_not_woken),
    KIT_CASE(a_post_that_races_with_close_is_run_or_refused_and_leaves_nothing),
    KIT_CASE(posts_without_memory_are_refused),
};

KIT_MAIN(cases)
