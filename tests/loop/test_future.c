/* SPDX-License-Identifier: MIT */
/* Futures: how they end, who is told, and run_until_complete. */
#include "io/names.h"
#include "kit.h"

static iso_future *new_future(iso_loop *loop)
{
    iso_future *future = NULL;

    REQUIRE_OK(iso_loop_create_future(loop, &future));
    return future;
}

/* ---- making ---- */

KIT_TEST(a_new_future_is_pending)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = NULL;
    size_t count = 7;

    CHECK_OK(iso_loop_create_future(loop, &future));
    CHECK(!iso_future_done(future));
    CHECK(!iso_future_cancelled(future));
    CHECK_PTR(iso_future_get_loop(future), loop);
    CHECK_PTR(iso_future_attempts(future, &count), NULL);
    CHECK_EQ(count, 0);
    CHECK_PTR(iso_future_attempts(future, NULL), NULL);
    iso_future_release(future);
}

KIT_TEST(the_name_of_the_class_makes_one_too)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = NULL;

    CHECK_OK(iso_future_new(&future, loop));
    CHECK_PTR(iso_future_get_loop(future), loop);
    iso_future_release(future);
}

KIT_TEST(a_future_that_cannot_be_made_is_refused)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = NULL;

    CHECK_RC(iso_loop_create_future(NULL, &future), ISO_EINVAL);
    CHECK_RC(iso_loop_create_future(loop, NULL), ISO_EINVAL);
    CHECK_RC(iso_future_new(NULL, loop), ISO_EINVAL);
    kit_fail_allocation(k, 1, false);
    CHECK_RC(iso_loop_create_future(loop, &future), ISO_ENOMEM);
    CHECK_OK(iso_loop_close(loop));
    CHECK_RC(iso_loop_create_future(loop, &future), ISO_ECLOSED);
    CHECK_PTR(future, NULL);
}

/* ---- ending ---- */

KIT_TEST(a_pending_future_has_nothing_to_tell)
{
    iso_future *future = new_future(kit_loop(k));
    void *result = k;
    intptr_t number = 7;

    CHECK_RC(iso_future_result(future, &result), ISO_EINVALIDSTATE);
    CHECK_RC(iso_future_number(future, &number), ISO_EINVALIDSTATE);
    CHECK_RC(iso_future_error(future), ISO_EINVALIDSTATE);
    CHECK_PTR(result, k);
    CHECK_EQ(number, 7);
    iso_future_release(future);
}

KIT_TEST(a_result_is_the_pointer_that_was_set)
{
    iso_future *future = new_future(kit_loop(k));
    void *result = NULL;
    int thing = 0;

    CHECK_OK(iso_future_set_result(future, &thing));
    CHECK(iso_future_done(future));
    CHECK(!iso_future_cancelled(future));
    CHECK_OK(iso_future_result(future, &result));
    CHECK_PTR(result, &thing);
    CHECK_OK(iso_future_result(future, NULL));
    CHECK_OK(iso_future_error(future));
    iso_future_release(future);
}

KIT_TEST(no_result_is_a_result_too)
{
    iso_future *future = new_future(kit_loop(k));
    void *result = k;

    CHECK_OK(iso_future_set_result(future, NULL));
    CHECK_OK(iso_future_result(future, &result));
    CHECK_PTR(result, NULL);
    iso_future_release(future);
}

KIT_TEST(a_number_is_the_one_that_was_set)
{
    static const intptr_t numbers[] = { 0, 1, -1, INTPTR_MAX, INTPTR_MIN };
    iso_loop *loop = kit_loop(k);
    size_t at;

    for (at = 0; at < ISO__COUNT(numbers); at++) {
        iso_future *future = new_future(loop);
        intptr_t number = 7;

        CHECK_OK(iso_future_set_number(future, numbers[at]));
        CHECK_OK(iso_future_number(future, &number));
        CHECK(number == numbers[at]);
        CHECK_OK(iso_future_number(future, NULL));
        CHECK_OK(iso_future_error(future)); /* a negative one is no error */
        iso_future_release(future);
    }
}

KIT_TEST(an_error_is_what_every_question_answers)
{
    iso_future *future = new_future(kit_loop(k));
    void *result = k;
    intptr_t number = 7;

    CHECK_OK(iso_future_set_error(future, ISO_ECONNREFUSED));
    CHECK(iso_future_done(future));
    CHECK(!iso_future_cancelled(future));
    CHECK_RC(iso_future_error(future), ISO_ECONNREFUSED);
    CHECK_RC(iso_future_result(future, &result), ISO_ECONNREFUSED);
    CHECK_RC(iso_future_number(future, &number), ISO_ECONNREFUSED);
    CHECK_PTR(result, k);
    CHECK_EQ(number, 7);
    iso_future_release(future);
}

KIT_TEST(what_is_no_error_does_not_end_it)
{
    iso_future *future = new_future(kit_loop(k));

    CHECK_RC(iso_future_set_error(future, 0), ISO_EINVAL);
    CHECK_RC(iso_future_set_error(future, 5), ISO_EINVAL);
    CHECK(!iso_future_done(future));
    iso_future_release(future);
}

KIT_TEST(cancel_ends_it)
{
    iso_future *future = new_future(kit_loop(k));

    CHECK_OK(iso_future_cancel(future));
    CHECK(iso_future_done(future));
    CHECK(iso_future_cancelled(future));
    CHECK_RC(iso_future_error(future), ISO_ECANCELED);
    CHECK_RC(iso_future_result(future, NULL), ISO_ECANCELED);
    CHECK_RC(iso_future_number(future, NULL), ISO_ECANCELED);
    iso_future_release(future);
}

/* As in asyncio, where only cancel() makes a future a cancelled one. */
KIT_TEST(an_error_of_cancelling_is_not_a_cancel)
{
    iso_future *future = new_future(kit_loop(k));

    CHECK_OK(iso_future_set_error(future, ISO_ECANCELED));
    CHECK(!iso_future_cancelled(future));
    CHECK_RC(iso_future_error(future), ISO_ECANCELED);
    iso_future_release(future);
}

static void demand_no_other_end(iso_future *future)
{
    CHECK_RC(iso_future_set_result(future, future), ISO_EINVALIDSTATE);
    CHECK_RC(iso_future_set_number(future, 2), ISO_EINVALIDSTATE);
    CHECK_RC(iso_future_set_error(future, ISO_EIO), ISO_EINVALIDSTATE);
    CHECK_RC(iso_future_cancel(future), ISO_EINVALIDSTATE);
}

KIT_TEST(a_future_ends_once)
{
    iso_loop *loop = kit_loop(k);
    iso_future *with_result = new_future(loop);
    iso_future *with_number = new_future(loop);
    iso_future *with_error = new_future(loop);
    iso_future *cancelled = new_future(loop);
    void *result = NULL;
    intptr_t number = 0;

    CHECK_OK(iso_future_set_result(with_result, k));
    demand_no_other_end(with_result);
    CHECK_OK(iso_future_result(with_result, &result));
    CHECK_PTR(result, k);
    CHECK_OK(iso_future_set_number(with_number, 1));
    demand_no_other_end(with_number);
    CHECK_OK(iso_future_number(with_number, &number));
    CHECK_EQ(number, 1);
    CHECK_OK(iso_future_set_error(with_error, ISO_EPIPE));
    demand_no_other_end(with_error);
    CHECK_RC(iso_future_error(with_error), ISO_EPIPE);
    CHECK_OK(iso_future_cancel(cancelled));
    demand_no_other_end(cancelled);
    CHECK(iso_future_cancelled(cancelled));
    iso_future_release(with_result);
    iso_future_release(with_number);
    iso_future_release(with_error);
    iso_future_release(cancelled);
}

KIT_TEST(cancel_ends_the_operation_behind_it)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future;
    iso_fd ends[2];
    char byte = 'x';

    kit_pair(k, ends);
    REQUIRE_OK(iso_loop_sock_recv_into(loop, ends[0], &byte, 1, &future));
    CHECK_EQ(kit_statistics(loop).objects, 1);
    CHECK_OK(iso_future_cancel(future));
    CHECK_EQ(kit_statistics(loop).objects, 0);
    kit_poke(k, ends[1]);
    kit_settle(k, loop);
    CHECK_EQ(byte, 'x'); /* the memory is the caller's again */
    CHECK_RC(iso_future_error(future), ISO_ECANCELED);
    iso_future_release(future);
}

static void demand_not_settable(iso_future *future)
{
    CHECK_RC(iso_future_set_result(future, future), ISO_EINVALIDSTATE);
    CHECK_RC(iso_future_set_number(future, 42), ISO_EINVALIDSTATE);
    CHECK_RC(iso_future_set_error(future, ISO_EIO), ISO_EINVALIDSTATE);
    CHECK(!iso_future_done(future));
}

KIT_TEST(the_future_of_an_operation_is_not_ended_by_hand)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future;
    intptr_t number = 0;
    iso_fd ends[2];
    char byte;

    kit_pair(k, ends);
    REQUIRE_OK(iso_loop_sock_recv_into(loop, ends[0], &byte, 1, &future));
    demand_not_settable(future);
    kit_poke(k, ends[1]);
    CHECK_OK(kit_run(k, loop, future)); /* the operation goes on, and ends it */
    CHECK_OK(iso_future_number(future, &number));
    CHECK_EQ(number, 1);
    CHECK_EQ(kit_statistics(loop).objects, 0);
    iso_future_release(future);
}

KIT_TEST(attempts_are_those_that_failed)
{
    static const iso_protocol nothing = { .connection_made = NULL };
    iso_connection_options options = ISO_CONNECTION_OPTIONS_INIT;
    iso_loop *loop = kit_loop(k);
    const iso_attempt *attempts;
    iso_address dead;
    iso_future *future;
    size_t count = 0;

    kit_dead_address(k, &dead);
    options.host = "127.0.0.1";
    options.port = iso_address_port(&dead);
    REQUIRE_OK(iso_loop_create_connection(loop, &nothing, NULL, &options, &future));
    CHECK_RC(kit_run(k, loop, future), ISO_ECONNREFUSED);
    attempts = iso_future_attempts(future, &count);
    CHECK_EQ(count, 1);
    if (CHECK(attempts != NULL)) {
        CHECK_RC(attempts[0].error, ISO_ECONNREFUSED);
        CHECK_EQ(iso_address_port(&attempts[0].address), options.port);
    }
    iso_future_release(future);
}

/* ---- callbacks ---- */

KIT_TEST(a_callback_comes_in_the_turn_after_the_end)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = new_future(loop);

    CHECK_OK(iso_future_add_done_callback(future, kit_mark_future, "a"));
    CHECK_EQ(kit_turn(k, loop), 0);
    CHECK_OK(iso_future_set_result(future, NULL));
    CHECK_STR(kit_marks(k), "");
    CHECK_EQ(kit_turn(k, loop), 1);
    CHECK_STR(kit_marks(k), "a");
    CHECK_EQ(kit_turn(k, loop), 0); /* once */
    iso_future_release(future);
}

KIT_TEST(callbacks_come_for_every_sort_of_end)
{
    iso_loop *loop = kit_loop(k);
    iso_future *futures[4];
    size_t at;

    for (at = 0; at < ISO__COUNT(futures); at++) {
        futures[at] = new_future(loop);
        CHECK_OK(iso_future_add_done_callback(futures[at], kit_mark_future, "x"));
    }
    CHECK_OK(iso_future_set_result(futures[0], NULL));
    CHECK_OK(iso_future_set_number(futures[1], 1));
    CHECK_OK(iso_future_set_error(futures[2], ISO_EIO));
    CHECK_OK(iso_future_cancel(futures[3]));
    CHECK_EQ(kit_turn(k, loop), 4);
    CHECK_STR(kit_marks(k), "xxxx");
    CHECK_RC(iso_future_error(futures[2]), ISO_EIO);
    for (at = 0; at < ISO__COUNT(futures); at++) iso_future_release(futures[at]);
}

KIT_TEST(callbacks_come_in_the_order_of_adding)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = new_future(loop);

    CHECK_OK(iso_future_add_done_callback(future, kit_mark_future, "a"));
    CHECK_OK(iso_future_add_done_callback(future, kit_mark_future, "b"));
    CHECK_OK(iso_future_add_done_callback(future, kit_mark_future, "c"));
    CHECK_OK(iso_future_set_result(future, NULL));
    CHECK_OK(iso_future_add_done_callback(future, kit_mark_future, "d"));
    CHECK_EQ(kit_turn(k, loop), 4);
    CHECK_STR(kit_marks(k), "abcd");
    iso_future_release(future);
}

KIT_TEST(callbacks_stand_in_line_with_call_soon)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = new_future(loop);

    CHECK_OK(iso_future_add_done_callback(future, kit_mark_future, "b"));
    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "a", NULL));
    CHECK_OK(iso_future_set_result(future, NULL));
    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "c", NULL));
    CHECK_EQ(kit_turn(k, loop), 3);
    CHECK_STR(kit_marks(k), "abc");
    iso_future_release(future);
}

KIT_TEST(a_callback_added_after_the_end_comes_in_the_next_turn)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = new_future(loop);

    CHECK_OK(iso_future_set_result(future, NULL));
    CHECK_EQ(kit_turn(k, loop), 0);
    CHECK_OK(iso_future_add_done_callback(future, kit_mark_future, "a"));
    CHECK_STR(kit_marks(k), "");
    CHECK_EQ(kit_turn(k, loop), 1);
    CHECK_STR(kit_marks(k), "a");
    iso_future_release(future);
}

KIT_TEST(the_same_callback_added_twice_comes_twice)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = new_future(loop);

    CHECK_OK(iso_future_add_done_callback(future, kit_mark_future, "a"));
    CHECK_OK(iso_future_add_done_callback(future, kit_mark_future, "a"));
    CHECK_OK(iso_future_set_result(future, NULL));
    CHECK_EQ(kit_turn(k, loop), 2);
    CHECK_STR(kit_marks(k), "aa");
    iso_future_release(future);
}

KIT_TEST(a_removed_callback_does_not_come)
{
    static char a[] = "a";
    static char b[] = "b";
    iso_loop *loop = kit_loop(k);
    iso_future *future = new_future(loop);

    CHECK_OK(iso_future_add_done_callback(future, kit_mark_future, a));
    CHECK_OK(iso_future_add_done_callback(future, kit_mark_future, b));
    CHECK_OK(iso_future_add_done_callback(future, kit_mark_future, a));
    CHECK_EQ(iso_future_remove_done_callback(future, kit_mark_future, a), 2);
    CHECK_EQ(iso_future_remove_done_callback(future, kit_mark_future, a), 0);
    CHECK_EQ(iso_future_remove_done_callback(future, kit_mark_future, k), 0); /* another argument */
    CHECK_OK(iso_future_set_result(future, NULL));
    CHECK_EQ(kit_turn(k, loop), 1);
    CHECK_STR(kit_marks(k), "b");
    iso_future_release(future);
}

KIT_TEST(after_the_end_a_callback_is_on_its_way_and_not_removed)
{
    static char a[] = "a";
    iso_loop *loop = kit_loop(k);
    iso_future *future = new_future(loop);

    CHECK_OK(iso_future_add_done_callback(future, kit_mark_future, a));
    CHECK_OK(iso_future_set_result(future, NULL));
    CHECK_EQ(iso_future_remove_done_callback(future, kit_mark_future, a), 0);
    CHECK_EQ(kit_turn(k, loop), 1);
    CHECK_STR(kit_marks(k), "a");
    iso_future_release(future);
}

KIT_TEST(a_callback_that_cannot_be_added_is_refused)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = new_future(loop);

    CHECK_RC(iso_future_add_done_callback(future, NULL, NULL), ISO_EINVAL);
    kit_fail_allocation(k, 1, false);
    CHECK_RC(iso_future_add_done_callback(future, kit_mark_future, "a"), ISO_ENOMEM);
    CHECK_OK(iso_future_set_result(future, NULL));
    CHECK_EQ(kit_turn(k, loop), 0);
    iso_future_release(future);
}

/* Ending cannot fail for want of memory: what it needs was made when the callback was added. */
KIT_TEST(without_memory_a_future_still_ends_and_tells)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = new_future(loop);

    CHECK_OK(iso_future_add_done_callback(future, kit_mark_future, "a"));
    kit_fail_allocation(k, 1, true);
    CHECK_OK(iso_future_set_result(future, NULL));
    CHECK_EQ(kit_turn(k, loop), 1);
    kit_fail_allocation(k, 0, false);
    CHECK_STR(kit_marks(k), "a");
    iso_future_release(future);
}

static void release_it(iso_future *future, void *text)
{
    kit_mark_future(future, text);
    iso_future_release(future);
}

KIT_TEST(a_callback_may_give_the_last_reference_back)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = new_future(loop);

    CHECK_OK(iso_future_add_done_callback(future, release_it, "a"));
    CHECK_OK(iso_future_add_done_callback(future, kit_mark_future, "b"));
    CHECK_OK(iso_future_set_result(future, NULL));
    CHECK_EQ(kit_turn(k, loop), 2);
    CHECK_STR(kit_marks(k), "ab");
}

KIT_TEST(a_future_released_before_its_callbacks_come_is_there_for_them)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = new_future(loop);

    CHECK_OK(iso_future_add_done_callback(future, kit_mark_future, "a"));
    CHECK_OK(iso_future_set_result(future, NULL));
    iso_future_release(future);
    CHECK_EQ(kit_turn(k, loop), 1);
    CHECK_STR(kit_marks(k), "a");
}

KIT_TEST(a_pending_future_that_is_released_takes_its_callbacks_along)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = new_future(loop);

    CHECK_OK(iso_future_add_done_callback(future, kit_mark_future, "a"));
    CHECK_OK(iso_future_add_done_callback(future, kit_mark_future, "b"));
    iso_future_release(future);
    CHECK_EQ(kit_turn(k, loop), 0);
    CHECK_STR(kit_marks(k), "");
}

KIT_TEST(a_shared_future_lives_until_the_last_reference)
{
    iso_future *future = new_future(kit_loop(k));

    CHECK_PTR(iso_future_ref(future), future);
    iso_future_release(future);
    CHECK_OK(iso_future_set_number(future, 3));
    iso_future_release(future);
    iso_future_release(NULL); /* is fine */
}

static void cancel_the_other(iso_future *future, void *other)
{
    (void)future;
    CHECK_OK(iso_future_cancel(other));
}

KIT_TEST(a_callback_may_cancel_another_future)
{
    iso_loop *loop = kit_loop(k);
    iso_future *first = new_future(loop);
    iso_future *second = new_future(loop);

    CHECK_OK(iso_future_add_done_callback(first, cancel_the_other, second));
    CHECK_OK(iso_future_add_done_callback(second, kit_mark_future, "a"));
    CHECK_OK(iso_future_set_result(first, NULL));
    CHECK_EQ(kit_turn(k, loop), 1);
    CHECK(iso_future_cancelled(second));
    CHECK_STR(kit_marks(k), "");
    CHECK_EQ(kit_turn(k, loop), 1);
    CHECK_STR(kit_marks(k), "a");
    iso_future_release(first);
    iso_future_release(second);
}

static void cancel_itself(iso_future *future, void *unused)
{
    (void)unused;
    CHECK_RC(iso_future_cancel(future), ISO_EINVALIDSTATE);
}

KIT_TEST(a_callback_may_not_cancel_its_own_future_any_more)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = new_future(loop);

    CHECK_OK(iso_future_add_done_callback(future, cancel_itself, NULL));
    CHECK_OK(iso_future_set_result(future, NULL));
    CHECK_EQ(kit_turn(k, loop), 1);
    CHECK(!iso_future_cancelled(future));
    iso_future_release(future);
}

static void add_one_more(iso_future *future, void *text)
{
    kit_mark_future(future, "a");
    CHECK_OK(iso_future_add_done_callback(future, kit_mark_future, text));
}

KIT_TEST(what_a_callback_adds_comes_in_the_turn_after)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = new_future(loop);

    CHECK_OK(iso_future_add_done_callback(future, add_one_more, "b"));
    CHECK_OK(iso_future_set_result(future, NULL));
    CHECK_EQ(kit_turn(k, loop), 1);
    CHECK_STR(kit_marks(k), "a");
    CHECK_EQ(kit_turn(k, loop), 1);
    CHECK_STR(kit_marks(k), "ab");
    iso_future_release(future);
}

/* ---- errors that nobody asked for ---- */

typedef struct told {
    int count;
    int error;
    iso_future *future;
    iso_future *kept; /* the handler shares it */
    bool keeps;
    char message[80];
} told;

static void take_down(iso_loop *loop, const iso_exception_context *context, void *arg)
{
    told *self = arg;
    size_t at;

    (void)loop;
    self->count++;
    self->error = context->error;
    self->future = context->future;
    for (at = 0; at + 1 < sizeof(self->message) && context->message[at] != '\0'; at++)
        self->message[at] = context->message[at];
    self->message[at] = '\0';
    CHECK_PTR(context->transport, NULL);
    CHECK_PTR(context->server, NULL);
    if (self->keeps) self->kept = iso_future_ref(context->future);
}

static iso_loop *listening_loop(kit *k, told *self)
{
    static const told nothing = { 0, 0, NULL, NULL, false, "" };
    iso_loop *loop = kit_loop(k);

    *self = nothing;
    CHECK_OK(iso_loop_set_exception_handler(loop, take_down, self));
    return loop;
}

KIT_TEST(an_error_that_nobody_asked_for_is_told_with_the_last_release)
{
    told self;
    iso_loop *loop = listening_loop(k, &self);
    iso_future *future = new_future(loop);

    (void)iso_future_ref(future);
    CHECK_OK(iso_future_set_error(future, ISO_ECONNRESET));
    iso_future_release(future);
    CHECK_EQ(self.count, 0);
    iso_future_release(future);
    CHECK_EQ(self.count, 1);
    CHECK_RC(self.error, ISO_ECONNRESET);
    CHECK_PTR(self.future, future);
    CHECK_HAS(self.message, "never asked for");
}

KIT_TEST(an_error_that_nobody_asked_for_goes_to_the_log_by_itself)
{
    iso_future *future = new_future(kit_loop(k));

    CHECK_OK(iso_future_set_error(future, ISO_ECONNRESET));
    iso_future_release(future);
    CHECK_EQ(kit_log_count(k, "the error of a future was never asked for"), 1);
    CHECK_EQ(kit_log_count(k, "ISO_ECONNRESET"), 1);
}

KIT_TEST(an_error_that_somebody_asked_for_is_not_told)
{
    told self;
    iso_loop *loop = listening_loop(k, &self);
    iso_future *futures[4];
    size_t at;

    for (at = 0; at < ISO__COUNT(futures); at++) {
        futures[at] = new_future(loop);
        CHECK_OK(iso_future_set_error(futures[at], ISO_EIO));
    }
    CHECK_RC(iso_future_error(futures[0]), ISO_EIO);
    CHECK_RC(iso_future_result(futures[1], NULL), ISO_EIO);
    CHECK_RC(iso_future_number(futures[2], NULL), ISO_EIO);
    CHECK_RC(iso_loop_run_until_complete(loop, futures[3]), ISO_EIO);
    for (at = 0; at < ISO__COUNT(futures); at++) iso_future_release(futures[at]);
    CHECK_EQ(self.count, 0);
}

/* To ask before it has ended is not to have asked. */
KIT_TEST(a_question_that_came_too_early_does_not_count)
{
    told self;
    iso_loop *loop = listening_loop(k, &self);
    iso_future *future = new_future(loop);

    CHECK_RC(iso_future_error(future), ISO_EINVALIDSTATE);
    CHECK_OK(iso_future_set_error(future, ISO_EIO));
    iso_future_release(future);
    CHECK_EQ(self.count, 1);
}

KIT_TEST(results_and_cancels_and_what_never_ended_are_not_told)
{
    told self;
    iso_loop *loop = listening_loop(k, &self);
    iso_future *done = new_future(loop);
    iso_future *cancelled = new_future(loop);
    iso_future *pending = new_future(loop);

    CHECK_OK(iso_future_set_result(done, NULL));
    CHECK_OK(iso_future_cancel(cancelled));
    iso_future_release(done);
    iso_future_release(cancelled);
    iso_future_release(pending);
    CHECK_EQ(self.count, 0);
}

KIT_TEST(a_callback_that_does_not_ask_leaves_the_error_to_be_told)
{
    told self;
    iso_loop *loop = listening_loop(k, &self);
    iso_future *future = new_future(loop);

    CHECK_OK(iso_future_add_done_callback(future, kit_mark_future, "a"));
    CHECK_OK(iso_future_set_error(future, ISO_EIO));
    iso_future_release(future);
    CHECK_EQ(self.count, 0); /* the callback still holds it */
    CHECK_EQ(kit_turn(k, loop), 1);
    CHECK_EQ(self.count, 1);
    CHECK_STR(kit_marks(k), "a");
}

KIT_TEST(a_handler_that_keeps_the_future_is_told_once)
{
    told self;
    iso_loop *loop = listening_loop(k, &self);
    iso_future *future = new_future(loop);

    self.keeps = true;
    CHECK_OK(iso_future_set_error(future, ISO_EIO));
    iso_future_release(future);
    CHECK_EQ(self.count, 1);
    CHECK_PTR(self.kept, future);
    CHECK_RC(iso_future_error(self.kept), ISO_EIO);
    iso_future_release(self.kept);
    CHECK_EQ(self.count, 1);
}

/* ---- run_until_complete ---- */

static void end_with_result(iso_loop *loop, void *future)
{
    (void)loop;
    CHECK_OK(iso_future_set_result(future, NULL));
}

static void end_with_error(iso_loop *loop, void *future)
{
    (void)loop;
    CHECK_OK(iso_future_set_error(future, ISO_EPIPE));
}

static void end_by_cancel(iso_loop *loop, void *future)
{
    (void)loop;
    CHECK_OK(iso_future_cancel(future));
}

static int run_and_end(iso_loop *loop, iso_callback how)
{
    iso_future *future = new_future(loop);
    int rc;

    CHECK_OK(iso_loop_call_soon(loop, how, future, NULL));
    rc = iso_loop_run_until_complete(loop, future);
    CHECK(iso_future_done(future));
    CHECK(!iso_loop_is_running(loop));
    iso_future_release(future);
    return rc;
}

KIT_TEST(run_until_complete_answers_how_it_ended)
{
    iso_loop *loop = kit_loop(k);

    CHECK_OK(run_and_end(loop, end_with_result));
    CHECK_RC(run_and_end(loop, end_with_error), ISO_EPIPE);
    CHECK_RC(run_and_end(loop, end_by_cancel), ISO_ECANCELED);
}

KIT_TEST(run_until_complete_of_a_done_future_makes_one_turn)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = new_future(loop);

    CHECK_OK(iso_future_set_result(future, NULL));
    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "a", NULL));
    CHECK_OK(iso_loop_run_until_complete(loop, future));
    CHECK_STR(kit_marks(k), "a");
    CHECK_EQ(kit_statistics(loop).turns, 1);
    CHECK_OK(iso_loop_run_until_complete(loop, future)); /* and again */
    iso_future_release(future);
}

KIT_TEST(run_until_complete_stopped_before_the_end_says_so)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = new_future(loop);

    CHECK_OK(iso_loop_call_soon(loop, kit_stop, NULL, NULL));
    CHECK_RC(iso_loop_run_until_complete(loop, future), ISO_ESTOPPED);
    CHECK(!iso_future_done(future));
    /* it left nothing behind that would stop a later run when the future ends */
    CHECK_OK(iso_future_set_result(future, NULL));
    CHECK_EQ(kit_turn(k, loop), 0);
    iso_future_release(future);
}

static void stop_and_end(iso_loop *loop, void *future)
{
    CHECK_OK(iso_loop_stop(loop));
    CHECK_OK(iso_future_set_result(future, NULL));
}

static void mark_and_stop(iso_loop *loop, void *text)
{
    kit_mark(loop, text);
    CHECK_OK(iso_loop_stop(loop));
}

static void go_on_for_a_turn(iso_loop *loop, void *text)
{
    CHECK_OK(iso_loop_call_soon(loop, mark_and_stop, text, NULL));
}

/* A run that begins anew runs until it is stopped, whatever the one before left on its way. */
static void demand_a_whole_run(kit *k, iso_loop *loop)
{
    kit_clear_marks(k);
    CHECK_OK(iso_loop_call_soon(loop, go_on_for_a_turn, "whole", NULL));
    CHECK_OK(iso_loop_run_forever(loop));
    CHECK_STR(kit_marks(k), "whole");
    kit_settle(k, loop);
}

KIT_TEST(a_stop_in_the_turn_of_the_end_does_not_stop_the_next_run_too)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = new_future(loop);

    CHECK_OK(iso_loop_call_soon(loop, stop_and_end, future, NULL));
    CHECK_OK(iso_loop_run_until_complete(loop, future));
    demand_a_whole_run(k, loop);
    iso_future_release(future);
}

KIT_TEST(run_until_complete_is_for_futures_of_its_own_loop)
{
    iso_loop *loop = kit_loop(k);
    iso_future *others = new_future(kit_loop(k));

    CHECK_RC(iso_loop_run_until_complete(loop, others), ISO_EINVAL);
    CHECK_RC(iso_loop_run_until_complete(loop, NULL), ISO_EINVAL);
    CHECK_RC(iso_loop_run_until_complete(NULL, others), ISO_EINVAL);
    CHECK_EQ(kit_statistics(loop).turns, 0);
    iso_future_release(others);
}

typedef struct nesting {
    iso_loop *inner;
    iso_future *future;
} nesting;

static void run_within(iso_loop *loop, void *arg)
{
    nesting *self = arg;

    CHECK_RC(iso_loop_run_until_complete(self->inner, self->future), ISO_ERUNNING);
    CHECK_OK(iso_loop_stop(loop));
}

KIT_TEST(run_until_complete_within_a_running_loop_is_refused)
{
    nesting self;
    iso_loop *loop = kit_loop(k);

    self.inner = loop;
    self.future = new_future(loop);
    CHECK_OK(iso_loop_call_soon(loop, run_within, &self, NULL));
    CHECK_OK(iso_loop_run_forever(loop));
    demand_a_whole_run(k, loop);
    iso_future_release(self.future);
}

KIT_TEST(run_until_complete_of_a_second_loop_is_refused_and_leaves_it_as_it_was)
{
    nesting self;
    iso_loop *loop = kit_loop(k);

    self.inner = kit_loop(k);
    self.future = new_future(self.inner);
    CHECK_OK(iso_future_set_result(self.future, NULL));
    CHECK_OK(iso_loop_call_soon(loop, run_within, &self, NULL));
    CHECK_OK(iso_loop_run_forever(loop));
    CHECK_EQ(kit_statistics(self.inner).ready, 0);
    demand_a_whole_run(k, self.inner);
    iso_future_release(self.future);
}

KIT_TEST(a_callback_may_give_the_future_back_that_is_run_for)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = new_future(loop);

    CHECK_OK(iso_future_add_done_callback(future, release_it, "a"));
    CHECK_OK(iso_loop_call_soon(loop, end_with_error, future, NULL));
    CHECK_RC(iso_loop_run_until_complete(loop, future), ISO_EPIPE);
    CHECK_STR(kit_marks(k), "a");
}

KIT_TEST(run_until_complete_without_memory_runs_nothing)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = new_future(loop);

    kit_fail_allocation(k, 1, false);
    CHECK_RC(iso_loop_run_until_complete(loop, future), ISO_ENOMEM);
    CHECK_EQ(kit_statistics(loop).turns, 0);
    iso_future_release(future);
}

/* ---- other threads ---- */

static void touch(void *arg)
{
    iso_future *future = arg;
    iso_future *made = NULL;

    CHECK_RC(iso_future_set_result(future, NULL), ISO_ETHREAD);
    CHECK_RC(iso_future_set_number(future, 1), ISO_ETHREAD);
    CHECK_RC(iso_future_set_error(future, ISO_EIO), ISO_ETHREAD);
    CHECK_RC(iso_future_cancel(future), ISO_ETHREAD);
    CHECK_RC(iso_future_add_done_callback(future, kit_mark_future, "a"), ISO_ETHREAD);
    CHECK_RC(iso_future_remove_done_callback(future, kit_mark_future, "a"), ISO_ETHREAD);
    CHECK_RC(iso_loop_create_future(iso_future_get_loop(future), &made), ISO_ETHREAD);
    CHECK_PTR(made, NULL);
}

KIT_TEST(a_future_is_not_for_other_threads)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = new_future(loop);

    kit_thread(k, touch, future);
    kit_join_all(k);
    CHECK(!iso_future_done(future));
    CHECK_OK(iso_future_set_result(future, NULL));
    CHECK_EQ(kit_turn(k, loop), 0);
    iso_future_release(future);
}

static void run_there(void *arg)
{
    iso_future *future = arg;
    iso_loop *loop = iso_future_get_loop(future);

    CHECK_OK(iso_loop_call_soon_threadsafe(loop, end_with_result, future));
    CHECK_OK(iso_loop_run_until_complete(loop, future));
}

/* A loop that is not running goes to the thread that runs it, and its futures with it. */
KIT_TEST(a_future_goes_with_its_loop_to_another_thread)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = new_future(loop);

    kit_thread(k, run_there, future);
    kit_join_all(k);
    CHECK(iso_future_done(future));
    CHECK_EQ(kit_turn(k, loop), 0); /* and back */
    iso_future_release(future);
}

/* ---- after the loop ---- */

KIT_TEST(a_future_released_after_the_loop_was_closed)
{
    iso_loop *loop = kit_loop(k);
    iso_future *pending = new_future(loop);
    iso_future *failed = new_future(loop);

    CHECK_OK(iso_future_add_done_callback(pending, kit_mark_future, "never"));
    CHECK_OK(iso_future_add_done_callback(failed, kit_mark_future, "never"));
    CHECK_OK(iso_future_set_error(failed, ISO_EIO)); /* so that one is on the ready list */
    CHECK_OK(iso_loop_close(loop));
    CHECK_RC(iso_future_error(failed), ISO_EIO);
    iso_future_release(pending);
    iso_future_release(failed);
    CHECK_STR(kit_marks(k), "");
}

KIT_TEST(a_closed_loop_leaves_its_futures_to_be_asked_and_ended)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = new_future(loop);
    intptr_t number = 0;

    CHECK_OK(iso_future_add_done_callback(future, kit_mark_future, "never"));
    CHECK_OK(iso_loop_close(loop));
    CHECK(!iso_future_done(future));
    CHECK_RC(iso_future_add_done_callback(future, kit_mark_future, "never"), ISO_ECLOSED);
    CHECK_RC(iso_loop_run_until_complete(loop, future), ISO_ECLOSED);
    CHECK_OK(iso_future_set_number(future, 4));
    CHECK_OK(iso_future_number(future, &number));
    CHECK_EQ(number, 4);
    iso_future_release(future);
    CHECK_STR(kit_marks(k), "");
}

KIT_TEST(closing_ends_the_operations_of_futures_that_are_still_held)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future;
    iso_fd ends[2];
    char byte;

    kit_pair(k, ends);
    REQUIRE_OK(iso_loop_sock_recv_into(loop, ends[0], &byte, 1, &future));
    CHECK_OK(iso_future_add_done_callback(future, kit_mark_future, "never"));
    CHECK_OK(iso_loop_close(loop));
    CHECK(iso_future_done(future));
    CHECK_RC(iso_future_error(future), ISO_ECANCELED);
    iso_future_release(future);
    CHECK_STR(kit_marks(k), "");
}

KIT_TEST(closing_ends_the_operations_of_every_sort)
{
    static const iso_protocol nothing = { .connection_made = NULL };
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    iso_connection_options target = ISO_CONNECTION_OPTIONS_INIT;
    iso_loop *loop = kit_loop(k);
    iso_future *futures[3];
    iso_address address;
    iso_future *made;
    void *server;
    size_t at;

    options.host = "127.0.0.1";
    REQUIRE_OK(iso_loop_create_server(loop, &nothing, NULL, &options, &made));
    REQUIRE_OK(kit_run(k, loop, made));
    REQUIRE_OK(iso_future_result(made, &server));
    REQUIRE_OK(iso_server_address(server, 0, &address));
    target.host = "127.0.0.1";
    target.port = iso_address_port(&address);
    REQUIRE_OK(iso_server_wait_closed(server, &futures[0]));
    REQUIRE_OK(iso_loop_create_connection(loop, &nothing, NULL, &target, &futures[1]));
    names_clear();
    names_add("house", "127.0.0.1", 0);
    target.host = "house";
    REQUIRE_OK(iso_loop_create_connection(loop, &nothing, NULL, &target, &futures[2]));
    names_await_begun(1);
    for (at = 0; at < ISO__COUNT(futures); at++) demand_not_settable(futures[at]);

    CHECK_OK(iso_loop_close(loop));

    names_await_ended(1);
    CHECK_EQ(kit_statistics(loop).objects, 0);
    for (at = 0; at < ISO__COUNT(futures); at++) {
        CHECK(iso_future_cancelled(futures[at]));
        iso_future_release(futures[at]);
    }
    iso_future_release(made);
}

KIT_TEST(a_future_that_outlives_its_released_loop)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = new_future(loop);
    iso_future *other = new_future(loop);

    CHECK_OK(iso_future_add_done_callback(future, kit_mark_future, "never"));
    kit_release_loop(k, loop);
    CHECK_PTR(iso_future_get_loop(future), loop);
    CHECK(iso_loop_is_closed(iso_future_get_loop(future)));
    CHECK_RC(iso_future_add_done_callback(future, kit_mark_future, "never"), ISO_ECLOSED);
    CHECK_OK(iso_future_set_result(future, k));
    iso_future_release(other);
    CHECK_OK(iso_future_result(future, NULL));
    CHECK_GE(kit_memory_now(k).blocks, 1);
    iso_future_release(future); /* and the loop's memory with it */
    CHECK_EQ(kit_memory_now(k).blocks, 0);
    CHECK_STR(kit_marks(k), "");
}

static const kit_case cases[] = {
    KIT_CASE(a_new_future_is_pending),
    KIT_CASE(the_name_of_the_class_makes_one_too),
    KIT_CASE(a_future_that_cannot_be_made_is_refused),
    KIT_CASE(a_pending_future_has_nothing_to_tell),
    KIT_CASE(a_result_is_the_pointer_that_was_set),
    KIT_CASE(no_result_is_a_result_too),
    KIT_CASE(a_number_is_the_one_that_was_set),
    KIT_CASE(an_error_is_what_every_question_answers),
    KIT_CASE(what_is_no_error_does_not_end_it),
    KIT_CASE(cancel_ends_it),
    KIT_CASE(an_error_of_cancelling_is_not_a_cancel),
    KIT_CASE(a_future_ends_once),
    KIT_CASE(cancel_ends_the_operation_behind_it),
    KIT_CASE(the_future_of_an_operation_is_not_ended_by_hand),
    KIT_CASE(attempts_are_those_that_failed),
    KIT_CASE(a_callback_comes_in_the_turn_after_the_end),
    KIT_CASE(callbacks_come_for_every_sort_of_end),
    KIT_CASE(callbacks_come_in_the_order_of_adding),
    KIT_CASE(callbacks_stand_in_line_with_call_soon),
    KIT_CASE(a_callback_added_after_the_end_comes_in_the_next_turn),
    KIT_CASE(the_same_callback_added_twice_comes_twice),
    KIT_CASE(a_removed_callback_does_not_come),
    KIT_CASE(after_the_end_a_callback_is_on_its_way_and_not_removed),
    KIT_CASE(a_callback_that_cannot_be_added_is_refused),
    KIT_CASE(without_memory_a_future_still_ends_and_tells),
    KIT_CASE(a_callback_may_give_the_last_reference_back),
    KIT_CASE(a_future_released_before_its_callbacks_come_is_there_for_them),
    KIT_CASE(a_pending_future_that_is_released_takes_its_callbacks_along),
    KIT_CASE(a_shared_future_lives_until_the_last_reference),
    KIT_CASE(a_callback_may_cancel_another_future),
    KIT_CASE(a_callback_may_not_cancel_its_own_future_any_more),
    KIT_CASE(what_a_callback_adds_comes_in_the_turn_after),
    KIT_CASE(an_error_that_nobody_asked_for_is_told_with_the_last_release),
    KIT_CASE(an_error_that_nobody_asked_for_goes_to_the_log_by_itself),
    KIT_CASE(an_error_that_somebody_asked_for_is_not_told),
    KIT_CASE(a_question_that_came_too_early_does_not_count),
    KIT_CASE(results_and_cancels_and_what_never_ended_are_not_told),
    KIT_CASE(a_callback_that_does_not_ask_leaves_the_error_to_be_told),
    KIT_CASE(a_handler_that_keeps_the_future_is_told_once),
    KIT_CASE(run_until_complete_answers_how_it_ended),
    KIT_CASE(run_until_complete_of_a_done_future_makes_one_turn),
    KIT_CASE(run_until_complete_stopped_before_the_end_says_so),
    KIT_CASE(a_stop_in_the_turn_of_the_end_does_not_stop_the_next_run_too),
    KIT_CASE(run_until_complete_is_for_futures_of_its_own_loop),
    KIT_CASE(run_until_complete_within_a_running_loop_is_refused),
    KIT_CASE(run_until_complete_of_a_second_loop_is_refused_and_leaves_it_as_it_was),
    KIT_CASE(a_callback_may_give_the_future_back_that_is_run_for),
    KIT_CASE(run_until_complete_without_memory_runs_nothing),
    KIT_CASE(a_future_is_not_for_other_threads),
    KIT_CASE(a_future_goes_with_its_loop_to_another_thread),
    KIT_CASE(a_future_released_after_the_loop_was_closed),
    KIT_CASE(a_closed_loop_leaves_its_futures_to_be_asked_and_ended),
    KIT_CASE(closing_ends_the_operations_of_futures_that_are_still_held),
    KIT_CASE(closing_ends_the_operations_of_every_sort),
    KIT_CASE(a_future_that_outlives_its_released_loop),
};

KIT_MAIN(cases)
