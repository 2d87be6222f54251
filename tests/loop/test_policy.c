/* SPDX-License-Identifier: MIT */
/* The running loop, the current loop, and policies. What a thread has set stays set as long as it
 * lives, so each case begins in a main thread that has forgotten: forget(). */
#include "kit.h"
#include "loop/thread_state.h"

/* As a process that has just begun: no loop, no policy, and iso_set_event_loop was never called. */
static void forget(void)
{
    iso__thread_state *state;

    iso_set_event_loop_policy(NULL);
    REQUIRE_OK(iso_set_event_loop(NULL));
    REQUIRE_OK(iso__thread_state_get(&state));
    state->was_set = false;
}

static iso_loop *current_loop(void)
{
    iso_loop *loop = NULL;

    CHECK_OK(iso_get_event_loop(&loop));
    CHECK(loop != NULL);
    return loop;
}

static void demand_no_loop(void)
{
    iso_loop *untouched = NULL;

    CHECK_RC(iso_get_event_loop(&untouched), ISO_ENOLOOP);
    CHECK_PTR(untouched, NULL);
}

static void demand_none_running(void)
{
    iso_loop *untouched = NULL;

    CHECK_RC(iso_get_running_loop(&untouched), ISO_ENOLOOP);
    CHECK_PTR(untouched, NULL);
}

/* ---- the default policy ---- */

KIT_TEST(the_main_thread_gets_a_loop_by_itself)
{
    iso_loop *loop;
    int count = 0;

    forget();
    loop = current_loop();
    CHECK(!iso_loop_is_running(loop));
    demand_none_running();
    CHECK_OK(iso_loop_call_soon(loop, kit_count, &count, NULL));
    CHECK_EQ(iso_loop_run_once(loop, 0), 1);
    CHECK_EQ(count, 1);
    forget();
}

KIT_TEST(the_main_thread_gets_the_same_loop_every_time)
{
    iso_loop *loop;

    forget();
    loop = current_loop();
    CHECK_PTR(current_loop(), loop);
    CHECK_PTR(current_loop(), loop);
    forget();
}

KIT_TEST(set_null_ends_the_automatic_making)
{
    forget();
    CHECK_OK(iso_set_event_loop(NULL));
    demand_no_loop();
    demand_no_loop();
    forget();
}

KIT_TEST(a_loop_that_was_made_by_itself_and_taken_away_is_not_made_again)
{
    forget();
    (void)current_loop();
    CHECK_OK(iso_set_event_loop(NULL));
    demand_no_loop();
    forget();
}

KIT_TEST(once_a_loop_was_set_none_is_made_any_more)
{
    iso_loop *loop = kit_loop(k);

    forget();
    CHECK_OK(iso_set_event_loop(loop));
    CHECK_PTR(current_loop(), loop);
    CHECK_OK(iso_set_event_loop(NULL));
    demand_no_loop();
    forget();
}

KIT_TEST(making_a_loop_does_not_end_the_automatic_making)
{
    iso_loop *made;

    forget();
    CHECK_OK(iso_new_event_loop(&made));
    CHECK(current_loop() != made);
    iso_loop_release(made);
    forget();
}

KIT_TEST(new_event_loop_does_not_make_it_current)
{
    iso_loop *made = NULL;

    forget();
    CHECK_OK(iso_set_event_loop(NULL));
    CHECK_OK(iso_new_event_loop(&made));
    demand_no_loop();
    iso_loop_release(made);
    demand_no_loop();
    forget();
}

KIT_TEST(new_event_loop_makes_another_one_each_time)
{
    iso_loop *first = NULL;
    iso_loop *second = NULL;

    forget();
    REQUIRE_OK(iso_new_event_loop(&first));
    REQUIRE_OK(iso_new_event_loop(&second));
    CHECK(first != second);
    iso_loop_release(first);
    CHECK_EQ(iso_loop_run_once(second, 0), 0); /* on its own */
    iso_loop_release(second);
}

KIT_TEST(set_event_loop_shares_the_loop)
{
    iso_loop *loop = kit_loop(k);

    forget();
    CHECK_OK(iso_set_event_loop(loop));
    kit_forget_loop(k, loop);
    iso_loop_release(loop);
    CHECK_PTR(current_loop(), loop);
    CHECK(!iso_loop_is_closed(loop));
    CHECK_EQ(iso_loop_run_once(loop, 0), 0);
    CHECK_OK(iso_set_event_loop(NULL)); /* the last reference: the kit finds nothing left */
    forget();
}

KIT_TEST(setting_another_loop_gives_the_one_before_back_and_closes_nothing)
{
    iso_loop *first = kit_loop(k);
    iso_loop *second = kit_loop(k);

    forget();
    CHECK_OK(iso_set_event_loop(first));
    CHECK_OK(iso_set_event_loop(second));
    CHECK_PTR(current_loop(), second);
    CHECK(!iso_loop_is_closed(first));
    kit_release_loop(k, first); /* which was its last reference */
    forget();
}

KIT_TEST(setting_the_current_loop_again_is_fine)
{
    iso_loop *loop = kit_loop(k);

    forget();
    CHECK_OK(iso_set_event_loop(loop));
    CHECK_OK(iso_set_event_loop(loop));
    CHECK_PTR(current_loop(), loop);
    forget();
    CHECK_EQ(kit_turn(k, loop), 0);
}

KIT_TEST(a_closed_loop_stays_the_current_one)
{
    iso_loop *loop = kit_loop(k);

    forget();
    CHECK_OK(iso_set_event_loop(loop));
    CHECK_OK(iso_loop_close(loop));
    CHECK_PTR(current_loop(), loop);
    forget();
}

KIT_TEST(nowhere_to_put_the_answer_is_refused)
{
    forget();
    CHECK_RC(iso_get_event_loop(NULL), ISO_EINVAL);
    CHECK_RC(iso_get_running_loop(NULL), ISO_EINVAL);
    CHECK_RC(iso_new_event_loop(NULL), ISO_EINVAL);
}

/* ---- other threads ---- */

static void ask_in_vain(void *arg)
{
    (void)arg;
    demand_no_loop();
    demand_none_running();
}

KIT_TEST(another_thread_gets_no_loop_by_itself)
{
    forget();
    kit_thread(k, ask_in_vain, NULL);
    kit_join_all(k);
    forget();
}

KIT_TEST(the_loop_of_the_main_thread_is_not_another_threads)
{
    iso_loop *loop = kit_loop(k);

    forget();
    CHECK_OK(iso_set_event_loop(loop));
    kit_thread(k, ask_in_vain, NULL);
    kit_join_all(k);
    forget();
}

static void set_and_ask(void *arg)
{
    CHECK_OK(iso_set_event_loop(arg));
    CHECK_PTR(current_loop(), arg);
    CHECK_OK(iso_set_event_loop(NULL));
    demand_no_loop();
}

KIT_TEST(what_another_thread_sets_is_its_own)
{
    iso_loop *loop = kit_loop(k);
    iso_loop *others = kit_loop(k);

    forget();
    CHECK_OK(iso_set_event_loop(loop));
    kit_thread(k, set_and_ask, others);
    kit_join_all(k);
    CHECK_PTR(current_loop(), loop);
    forget();
}

/* What another thread does with its slot does not end the making in the main thread. */
KIT_TEST(a_set_in_another_thread_leaves_the_automatic_making_here)
{
    iso_loop *others = kit_loop(k);

    forget();
    kit_thread(k, set_and_ask, others);
    kit_join_all(k);
    (void)current_loop();
    forget();
}

static void leave_a_loop_behind(void *arg)
{
    iso_loop_options options = kit_options(arg);
    iso_loop *loop = NULL;

    REQUIRE_OK(iso_loop_new(&loop, &options));
    CHECK_OK(iso_set_event_loop(loop));
    iso_loop_release(loop);
    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "never", NULL));
    CHECK_OK(iso_loop_call_later(loop, ISO_S(1), kit_mark, "never", NULL));
    CHECK_OK(iso_loop_call_soon_threadsafe(loop, kit_mark, "never"));
}

KIT_TEST(the_end_of_a_thread_gives_its_loop_back)
{
    forget();
    kit_thread(k, leave_a_loop_behind, k);
    kit_join_all(k);
    CHECK_EQ(kit_memory_now(k).blocks, 0);
    CHECK_EQ(kit_memory_now(k).bytes, 0);
    CHECK_GE(kit_memory_now(k).allocations, 1);
    CHECK_STR(kit_marks(k), "");
}

static void leave_the_arg_current(void *loop)
{
    CHECK_OK(iso_set_event_loop(loop));
}

KIT_TEST(the_end_of_a_thread_leaves_a_loop_that_others_share)
{
    iso_loop *loop = kit_loop(k);

    forget();
    kit_thread(k, leave_the_arg_current, loop);
    kit_join_all(k);
    CHECK(!iso_loop_is_closed(loop));
    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "a", NULL));
    CHECK_EQ(kit_turn(k, loop), 1);
    CHECK_STR(kit_marks(k), "a");
}

/* The program of the seed, its asyncio half: four threads at once beside a main thread with a
 * loop. */
typedef struct crew {
    kit_gate *start;
    iso__atomic_u32 done;
} crew;

static void be_seed_000(void *arg)
{
    crew *self = arg;
    iso_loop *loop = NULL;
    int count = 0;

    kit_gate_wait(self->start);
    demand_no_loop();
    REQUIRE_OK(iso_new_event_loop(&loop));
    demand_no_loop();
    CHECK_OK(iso_set_event_loop(loop));
    CHECK_PTR(current_loop(), loop);
    CHECK_OK(iso_loop_call_soon(loop, kit_count, &count, NULL));
    CHECK_EQ(iso_loop_run_once(loop, 0), 1);
    CHECK_EQ(count, 1);
    iso_loop_release(loop);
    (void)iso__atomic_add_u32(&self->done, 1);
}

KIT_TEST(seed_000_four_threads_at_once)
{
    enum { THREADS = 4 };
    crew self;
    iso_loop *loop;
    int at;

    forget();
    self.start = kit_gate_new(k);
    iso__atomic_store_u32(&self.done, 0);
    loop = current_loop(); /* the main thread's, by itself */
    for (at = 0; at < THREADS; at++) kit_thread(k, be_seed_000, &self);
    kit_gate_open(self.start);
    kit_join_all(k);
    CHECK_EQ(iso__atomic_load_u32(&self.done), THREADS);
    CHECK_PTR(current_loop(), loop);
    forget();
}

/* ---- the running loop ---- */

static void demand_running(iso_loop *loop, void *text)
{
    iso_loop *running = NULL;

    CHECK_OK(iso_get_running_loop(&running));
    CHECK_PTR(running, loop);
    CHECK_PTR(current_loop(), loop);
    kit_mark(loop, text);
}

static void demand_running_and_end(iso_loop *loop, void *future)
{
    demand_running(loop, "end ");
    CHECK_OK(iso_future_set_result(future, NULL));
}

static void demand_running_and_stop(iso_loop *loop, void *unused)
{
    (void)unused;
    demand_running(loop, "stop ");
    CHECK_OK(iso_loop_stop(loop));
}

KIT_TEST(a_callback_sees_its_loop_running_however_it_is_run)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future;

    forget();
    demand_none_running();
    CHECK_OK(iso_loop_call_soon(loop, demand_running, "once ", NULL));
    CHECK_EQ(iso_loop_run_once(loop, 0), 1);
    demand_none_running();
    CHECK_OK(iso_loop_call_soon(loop, demand_running_and_stop, NULL, NULL));
    CHECK_OK(iso_loop_run_forever(loop));
    demand_none_running();
    REQUIRE_OK(iso_loop_create_future(loop, &future));
    CHECK_OK(iso_loop_call_soon(loop, demand_running_and_end, future, NULL));
    CHECK_OK(iso_loop_run_until_complete(loop, future));
    demand_none_running();
    iso_future_release(future);
    CHECK_STR(kit_marks(k), "once stop end ");
}

KIT_TEST(a_callback_gets_the_running_loop_though_another_is_current)
{
    iso_loop *loop = kit_loop(k);
    iso_loop *other = kit_loop(k);

    forget();
    CHECK_OK(iso_set_event_loop(other));
    CHECK_OK(iso_loop_call_soon(loop, demand_running, "a", NULL));
    CHECK_EQ(kit_turn(k, loop), 1);
    CHECK_PTR(current_loop(), other);
    CHECK_STR(kit_marks(k), "a");
    forget();
}

KIT_TEST(a_callback_gets_the_running_loop_where_there_is_none_to_get)
{
    iso_loop *loop = kit_loop(k);

    forget();
    CHECK_OK(iso_set_event_loop(NULL));
    CHECK_OK(iso_loop_call_soon(loop, demand_running, "a", NULL));
    CHECK_EQ(kit_turn(k, loop), 1);
    demand_no_loop();
    CHECK_STR(kit_marks(k), "a");
    forget();
}

static void ask_meanwhile(iso_loop *loop, void *arg)
{
    (void)loop;
    kit_thread(arg, ask_in_vain, NULL);
    kit_join_all(arg);
}

KIT_TEST(a_loop_that_runs_here_does_not_run_in_another_thread)
{
    iso_loop *loop = kit_loop(k);

    forget();
    CHECK_OK(iso_loop_call_soon(loop, ask_meanwhile, k, NULL));
    CHECK_EQ(kit_turn(k, loop), 1);
}

typedef struct meeting {
    kit *k;
    kit_gate *arrived[2];
    iso__atomic_u32 turn;
} meeting;

/* Both are inside a callback at once. */
static void meet(iso_loop *loop, void *arg)
{
    meeting *self = arg;
    uint32_t mine = iso__atomic_add_u32(&self->turn, 1);
    iso_loop *running = NULL;

    kit_gate_open(self->arrived[mine]);
    kit_gate_wait(self->arrived[1 - mine]);
    CHECK_OK(iso_get_running_loop(&running));
    CHECK_PTR(running, loop);
}

static void run_and_meet(void *arg)
{
    meeting *self = arg;
    iso_loop_options options = kit_options(self->k);
    iso_loop *loop = NULL;

    REQUIRE_OK(iso_loop_new(&loop, &options));
    CHECK_OK(iso_loop_call_soon(loop, meet, self, NULL));
    CHECK_EQ(iso_loop_run_once(loop, 0), 1);
    iso_loop_release(loop);
}

KIT_TEST(each_thread_has_its_running_loop)
{
    meeting self;

    forget();
    self.k = k;
    self.arrived[0] = kit_gate_new(k);
    self.arrived[1] = kit_gate_new(k);
    iso__atomic_store_u32(&self.turn, 0);
    kit_thread(k, run_and_meet, &self);
    run_and_meet(&self);
    kit_join_all(k);
}

/* ---- policies ---- */

/* A policy that writes down what it is asked, and answers what it was told to. */
typedef struct notes {
    kit *k;
    iso_loop *answer;
    int rc;
    iso_loop *was_set;
} notes;

static int noting_get(const iso_event_loop_policy *self, iso_loop **out)
{
    notes *to = self->context;

    kit_add_mark(to->k, "get ");
    *out = to->answer;
    return to->rc;
}

static int noting_set(const iso_event_loop_policy *self, iso_loop *loop)
{
    notes *to = self->context;

    kit_add_mark(to->k, loop != NULL ? "set " : "unset ");
    to->was_set = loop;
    return to->rc;
}

static int noting_new(const iso_event_loop_policy *self, iso_loop **out)
{
    notes *to = self->context;
    iso_loop_options options = kit_options(to->k);

    kit_add_mark(to->k, "new ");
    return to->rc != 0 ? to->rc : iso_loop_new(out, &options);
}

KIT_TEST(the_default_policy_is_there_and_null_restores_it)
{
    static const iso_event_loop_policy nothing = { NULL, NULL, NULL, NULL, NULL, NULL };

    forget();
    CHECK(iso_default_event_loop_policy() != NULL);
    CHECK_PTR(iso_get_event_loop_policy(), iso_default_event_loop_policy());
    iso_set_event_loop_policy(&nothing);
    CHECK_PTR(iso_get_event_loop_policy(), &nothing);
    iso_set_event_loop_policy(NULL);
    CHECK_PTR(iso_get_event_loop_policy(), iso_default_event_loop_policy());
}

KIT_TEST(every_slot_of_the_default_policy_is_filled)
{
    const iso_event_loop_policy *policy = iso_default_event_loop_policy();

    CHECK(policy->get_event_loop != NULL);
    CHECK(policy->set_event_loop != NULL);
    CHECK(policy->new_event_loop != NULL);
    CHECK(policy->get_child_watcher != NULL);
    CHECK(policy->set_child_watcher != NULL);
}

KIT_TEST(an_empty_policy_does_what_the_default_one_does)
{
    static const iso_event_loop_policy nothing = { NULL, NULL, NULL, NULL, NULL, NULL };
    iso_loop *made = NULL;
    iso_loop *loop;

    forget();
    iso_set_event_loop_policy(&nothing);
    loop = current_loop(); /* by itself */
    CHECK_OK(iso_new_event_loop(&made));
    CHECK(made != loop);
    CHECK_OK(iso_set_event_loop(made));
    CHECK_PTR(current_loop(), made);
    CHECK_OK(iso_set_event_loop(NULL));
    demand_no_loop();
    iso_loop_release(made);
    forget();
}

KIT_TEST(a_policy_of_ones_own_answers_get_event_loop)
{
    notes to = { k, NULL, 0, NULL };
    iso_event_loop_policy policy = { noting_get, NULL, NULL, &to, NULL, NULL };

    forget();
    to.answer = kit_loop(k);
    iso_set_event_loop_policy(&policy);
    CHECK_PTR(current_loop(), to.answer);
    CHECK_OK(iso_set_event_loop(NULL)); /* the default one's, and not asked for */
    CHECK_PTR(current_loop(), to.answer);
    CHECK_STR(kit_marks(k), "get get ");
    forget();
}

KIT_TEST(a_policy_of_ones_own_is_told_set_event_loop)
{
    notes to = { k, NULL, 0, NULL };
    iso_event_loop_policy policy = { NULL, noting_set, NULL, &to, NULL, NULL };
    iso_loop *loop = kit_loop(k);

    forget();
    iso_set_event_loop_policy(&policy);
    CHECK_OK(iso_set_event_loop(loop));
    CHECK_PTR(to.was_set, loop);
    CHECK_OK(iso_set_event_loop(NULL));
    CHECK_PTR(to.was_set, NULL);
    to.rc = ISO_ENOMEM;
    CHECK_RC(iso_set_event_loop(loop), ISO_ENOMEM);
    CHECK_STR(kit_marks(k), "set unset set ");
    forget();
}

KIT_TEST(a_policy_of_ones_own_makes_the_loops)
{
    notes to = { k, NULL, 0, NULL };
    iso_event_loop_policy policy = { NULL, NULL, noting_new, &to, NULL, NULL };
    iso_loop *made = NULL;

    forget();
    CHECK_OK(iso_set_event_loop(NULL));
    iso_set_event_loop_policy(&policy);
    CHECK_OK(iso_new_event_loop(&made));
    CHECK_GE(kit_memory_now(k).blocks, 1); /* with its own options */
    demand_no_loop();
    iso_loop_release(made);
    to.rc = ISO_EMFILE;
    CHECK_RC(iso_new_event_loop(&made), ISO_EMFILE);
    CHECK_STR(kit_marks(k), "new new ");
    forget();
}

KIT_TEST(the_loop_that_the_main_thread_gets_by_itself_is_made_by_the_policy)
{
    notes to = { k, NULL, 0, NULL };
    iso_event_loop_policy policy = { NULL, NULL, noting_new, &to, NULL, NULL };
    iso_loop *loop;

    forget();
    iso_set_event_loop_policy(&policy);
    loop = current_loop();
    CHECK_PTR(current_loop(), loop);
    CHECK_STR(kit_marks(k), "new ");
    CHECK_GE(kit_memory_now(k).blocks, 1);
    forget();
    CHECK_EQ(kit_memory_now(k).blocks, 0);
}

KIT_TEST(a_loop_that_cannot_be_made_is_the_answer_of_get_event_loop)
{
    notes to = { k, NULL, ISO_EMFILE, NULL };
    iso_event_loop_policy policy = { NULL, NULL, noting_new, &to, NULL, NULL };
    iso_loop *loop = NULL;

    forget();
    iso_set_event_loop_policy(&policy);
    CHECK_RC(iso_get_event_loop(&loop), ISO_EMFILE);
    CHECK_PTR(loop, NULL);
    to.rc = 0; /* the next one asks again */
    CHECK(current_loop() != NULL);
    CHECK_STR(kit_marks(k), "new new ");
    forget();
}

static int new_that_makes_none(const iso_event_loop_policy *self, iso_loop **out)
{
    (void)self;
    *out = NULL;
    return 0;
}

static int get_of_the_default(const iso_event_loop_policy *self, iso_loop **out)
{
    const iso_event_loop_policy *standard = iso_default_event_loop_policy();
    notes *to = self->context;

    kit_add_mark(to->k, "get ");
    return standard->get_event_loop(standard, out);
}

static int set_of_the_default(const iso_event_loop_policy *self, iso_loop *loop)
{
    const iso_event_loop_policy *standard = iso_default_event_loop_policy();
    notes *to = self->context;

    kit_add_mark(to->k, loop != NULL ? "set " : "unset ");
    return standard->set_event_loop(standard, loop);
}

static int new_of_the_default(const iso_event_loop_policy *self, iso_loop **out)
{
    const iso_event_loop_policy *standard = iso_default_event_loop_policy();
    notes *to = self->context;

    kit_add_mark(to->k, "new ");
    return standard->new_event_loop(standard, out);
}

KIT_TEST(a_policy_may_call_the_default_one_for_what_it_keeps)
{
    notes to = { k, NULL, 0, NULL };
    iso_event_loop_policy policy = {
        get_of_the_default, set_of_the_default, new_of_the_default, &to, NULL, NULL
    };
    iso_loop *loop;

    forget();
    iso_set_event_loop_policy(&policy);
    loop = current_loop(); /* which asks the policy for a loop, and tells it that it is current */
    CHECK_STR(kit_marks(k), "get new set ");
    CHECK_PTR(current_loop(), loop);
    CHECK_OK(iso_set_event_loop(NULL));
    demand_no_loop();
    CHECK_STR(kit_marks(k), "get new set get unset get ");
    forget();
}

KIT_TEST(get_event_loop_never_answers_0_with_null)
{
    notes to = { k, NULL, 0, NULL };
    iso_event_loop_policy answers_null = { noting_get, NULL, NULL, &to, NULL, NULL };
    iso_event_loop_policy makes_none = { NULL, NULL, new_that_makes_none, &to, NULL, NULL };

    forget();
    iso_set_event_loop_policy(&answers_null);
    demand_no_loop();
    forget();
    iso_set_event_loop_policy(&makes_none);
    demand_no_loop();
    demand_no_loop();
    forget();
}

KIT_TEST(the_error_of_a_policy_is_the_answer)
{
    notes to = { k, NULL, ISO_EACCES, NULL };
    iso_event_loop_policy policy = { noting_get, NULL, NULL, &to, NULL, NULL };
    iso_loop *loop = NULL;

    forget();
    to.answer = kit_loop(k); /* which does not count */
    iso_set_event_loop_policy(&policy);
    CHECK_RC(iso_get_event_loop(&loop), ISO_EACCES);
    CHECK_PTR(loop, NULL);
    forget();
}

KIT_TEST(a_callback_gets_the_running_loop_whatever_the_policy_says)
{
    notes to = { k, NULL, 0, NULL };
    iso_event_loop_policy policy = { noting_get, NULL, NULL, &to, NULL, NULL };
    iso_loop *loop = kit_loop(k);

    forget();
    to.answer = kit_loop(k);
    iso_set_event_loop_policy(&policy);
    CHECK_OK(iso_loop_call_soon(loop, demand_running, "a ", NULL));
    CHECK_EQ(kit_turn(k, loop), 1);
    to.rc = ISO_EACCES;
    CHECK_OK(iso_loop_call_soon(loop, demand_running, "b ", NULL));
    CHECK_EQ(kit_turn(k, loop), 1);
    CHECK_STR(kit_marks(k), "a b "); /* and it is not even asked */
    forget();
}

static void ask_the_policy(void *arg)
{
    notes *to = arg;

    CHECK_PTR(current_loop(), to->answer);
}

KIT_TEST(the_policy_is_that_of_every_thread)
{
    notes to = { k, NULL, 0, NULL };
    iso_event_loop_policy policy = { noting_get, NULL, NULL, &to, NULL, NULL };

    forget();
    to.answer = kit_loop(k);
    iso_set_event_loop_policy(&policy);
    kit_thread(k, ask_the_policy, &to);
    kit_join_all(k);
    CHECK_STR(kit_marks(k), "get ");
    forget();
}

KIT_TEST(restoring_the_default_policy_finds_what_it_kept)
{
    notes to = { k, NULL, 0, NULL };
    iso_event_loop_policy policy = { noting_get, noting_set, NULL, &to, NULL, NULL };
    iso_loop *loop = kit_loop(k);

    forget();
    CHECK_OK(iso_set_event_loop(loop));
    iso_set_event_loop_policy(&policy);
    CHECK_OK(iso_set_event_loop(NULL)); /* which only the policy hears */
    demand_no_loop();
    iso_set_event_loop_policy(NULL);
    CHECK_PTR(current_loop(), loop);
    forget();
}

static const kit_case cases[] = {
    KIT_CASE(the_main_thread_gets_a_loop_by_itself),
    KIT_CASE(the_main_thread_gets_the_same_loop_every_time),
    KIT_CASE(set_null_ends_the_automatic_making),
    KIT_CASE(a_loop_that_was_made_by_itself_and_taken_away_is_not_made_again),
    KIT_CASE(once_a_loop_was_set_none_is_made_any_more),
    KIT_CASE(making_a_loop_does_not_end_the_automatic_making),
    KIT_CASE(new_event_loop_does_not_make_it_current),
    KIT_CASE(new_event_loop_makes_another_one_each_time),
    KIT_CASE(set_event_loop_shares_the_loop),
    KIT_CASE(setting_another_loop_gives_the_one_before_back_and_closes_nothing),
    KIT_CASE(setting_the_current_loop_again_is_fine),
    KIT_CASE(a_closed_loop_stays_the_current_one),
    KIT_CASE(nowhere_to_put_the_answer_is_refused),
    KIT_CASE(another_thread_gets_no_loop_by_itself),
    KIT_CASE(the_loop_of_the_main_thread_is_not_another_threads),
    KIT_CASE(what_another_thread_sets_is_its_own),
    KIT_CASE(a_set_in_another_thread_leaves_the_automatic_making_here),
    KIT_CASE(the_end_of_a_thread_gives_its_loop_back),
    KIT_CASE(the_end_of_a_thread_leaves_a_loop_that_others_share),
    KIT_CASE(seed_000_four_threads_at_once),
    KIT_CASE(a_callback_sees_its_loop_running_however_it_is_run),
    KIT_CASE(a_callback_gets_the_running_loop_though_another_is_current),
    KIT_CASE(a_callback_gets_the_running_loop_where_there_is_none_to_get),
    KIT_CASE(a_loop_that_runs_here_does_not_run_in_another_thread),
    KIT_CASE(each_thread_has_its_running_loop),
    KIT_CASE(the_default_policy_is_there_and_null_restores_it),
    KIT_CASE(every_slot_of_the_default_policy_is_filled),
    KIT_CASE(an_empty_policy_does_what_the_default_one_does),
    KIT_CASE(a_policy_of_ones_own_answers_get_event_loop),
    KIT_CASE(a_policy_of_ones_own_is_told_set_event_loop),
    KIT_CASE(a_policy_of_ones_own_makes_the_loops),
    KIT_CASE(the_loop_that_the_main_thread_gets_by_itself_is_made_by_the_policy),
    KIT_CASE(a_loop_that_cannot_be_made_is_the_answer_of_get_event_loop),
    KIT_CASE(a_policy_may_call_the_default_one_for_what_it_keeps),
    KIT_CASE(get_event_loop_never_answers_0_with_null),
    KIT_CASE(the_error_of_a_policy_is_the_answer),
    KIT_CASE(a_callback_gets_the_running_loop_whatever_the_policy_says),
    KIT_CASE(the_policy_is_that_of_every_thread),
    KIT_CASE(restoring_the_default_policy_finds_what_it_kept),
};

KIT_MAIN(cases)
