/* SPDX-License-Identifier: MIT */
/* What closing does, and what a closed loop answers. */
#include "kit.h"

static const iso_protocol no_protocol = { .data_received = NULL };

KIT_TEST(closing_twice_is_fine)
{
    iso_loop *loop = kit_loop(k);

    CHECK(!iso_loop_is_closed(loop));
    CHECK_OK(iso_loop_close(loop));
    CHECK(iso_loop_is_closed(loop));
    CHECK_OK(iso_loop_close(loop));
    CHECK(iso_loop_is_closed(loop));
}

KIT_TEST(closing_nothing_is_fine)
{
    CHECK_OK(iso_loop_close(NULL));
}

static void try_to_close(iso_loop *loop, void *mark)
{
    CHECK_RC(iso_loop_close(loop), ISO_ERUNNING);
    CHECK(!iso_loop_is_closed(loop));
    kit_mark(loop, mark);
    (void)iso_loop_stop(loop);
}

KIT_TEST(closing_a_running_loop_is_refused_and_it_goes_on)
{
    iso_loop *loop = kit_loop(k);

    CHECK_OK(iso_loop_call_soon(loop, try_to_close, "a", NULL));
    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "b", NULL));
    CHECK_OK(iso_loop_run_forever(loop));
    CHECK_STR(kit_marks(k), "ab");
    CHECK_OK(iso_loop_close(loop));
}

KIT_TEST(what_is_scheduled_is_dropped)
{
    iso_loop *loop = kit_virtual_loop(k);

    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "a", NULL));
    CHECK_OK(iso_loop_call_later(loop, -1, kit_mark, "b", NULL));
    CHECK_OK(iso_loop_call_later(loop, ISO_S(1), kit_mark, "c", NULL));
    CHECK_OK(iso_loop_call_soon_threadsafe(loop, kit_mark, "d"));
    CHECK_OK(iso_loop_close(loop));
    CHECK_STR(kit_marks(k), "");
    CHECK_EQ(kit_statistics(loop).timers, 0);
    CHECK_EQ(kit_statistics(loop).ready, 0);
}

KIT_TEST(scheduling_on_a_closed_loop_is_refused)
{
    iso_loop *loop = kit_loop(k);

    CHECK_OK(iso_loop_close(loop));
    CHECK_RC(iso_loop_call_soon(loop, kit_nothing, NULL, NULL), ISO_ECLOSED);
    CHECK_RC(iso_loop_call_later(loop, 1, kit_nothing, NULL, NULL), ISO_ECLOSED);
    CHECK_RC(iso_loop_call_at(loop, 1, kit_nothing, NULL, NULL), ISO_ECLOSED);
    CHECK_RC(iso_loop_call_soon_threadsafe(loop, kit_nothing, NULL), ISO_ECLOSED);
    CHECK_RC(iso_loop_stop_threadsafe(loop), ISO_ECLOSED);
}

KIT_TEST(running_a_closed_loop_is_refused)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = NULL;

    CHECK_OK(iso_loop_create_future(loop, &future));
    CHECK_OK(iso_loop_close(loop));
    CHECK_RC(iso_loop_run_forever(loop), ISO_ECLOSED);
    CHECK_RC(iso_loop_run_once(loop, 0), ISO_ECLOSED);
    CHECK_RC(iso_loop_run_until_complete(loop, future), ISO_ECLOSED);
    CHECK(!iso_loop_is_running(loop));
    iso_future_release(future);
}

KIT_TEST(watching_with_a_closed_loop_is_refused)
{
    iso_loop *loop = kit_loop(k);
    iso_fd pair[2];

    kit_pair(k, pair);
    CHECK_OK(iso_loop_close(loop));
    CHECK_RC(iso_loop_add_reader(loop, pair[0], kit_nothing, NULL), ISO_ECLOSED);
    CHECK_RC(iso_loop_add_writer(loop, pair[0], kit_nothing, NULL), ISO_ECLOSED);
    CHECK_RC(iso_loop_remove_reader(loop, pair[0]), ISO_ECLOSED);
    CHECK_RC(iso_loop_remove_writer(loop, pair[0]), ISO_ECLOSED);
}

KIT_TEST(operations_of_a_closed_loop_are_refused)
{
    iso_server_options at = ISO_SERVER_OPTIONS_INIT;
    iso_connection_options to = ISO_CONNECTION_OPTIONS_INIT;
    iso_loop *loop = kit_loop(k);
    iso_future *future = NULL;
    iso_address address;
    iso_fd pair[2];
    iso_fd fd;
    char byte;

    kit_pair(k, pair);
    at.host = "127.0.0.1";
    to.host = "127.0.0.1";
    to.port = 1;
    CHECK_OK(iso_address_parse(&address, "127.0.0.1", 1));
    CHECK_OK(iso_loop_close(loop));
    CHECK_RC(iso_loop_create_future(loop, &future), ISO_ECLOSED);
    CHECK_RC(iso_loop_create_server(loop, &no_protocol, NULL, &at, &future), ISO_ECLOSED);
    CHECK_RC(iso_loop_create_connection(loop, &no_protocol, NULL, &to, &future), ISO_ECLOSED);
    CHECK_RC(iso_loop_sock_recv(loop, pair[0], 1, &future), ISO_ECLOSED);
    CHECK_RC(iso_loop_sock_recv_into(loop, pair[0], &byte, 1, &future), ISO_ECLOSED);
    CHECK_RC(iso_loop_sock_sendall(loop, pair[0], "x", 1, &future), ISO_ECLOSED);
    CHECK_RC(iso_loop_sock_accept(loop, pair[0], &future), ISO_ECLOSED);
    CHECK_RC(iso_loop_sock_connect(loop, pair[0], &address, &future), ISO_ECLOSED);
    CHECK_PTR(future, NULL);
    CHECK_RC(iso_loop_fileno(loop, &fd), ISO_ECLOSED);
    CHECK_RC(iso_loop_next_timeout(loop), ISO_ECLOSED);
}

KIT_TEST(stop_of_a_closed_loop_is_silent)
{
    iso_loop *loop = kit_loop(k);

    CHECK_OK(iso_loop_close(loop));
    CHECK_OK(iso_loop_stop(loop));
}

KIT_TEST(handles_of_a_closed_loop_find_nothing)
{
    iso_loop *loop = kit_loop(k);
    iso_handle soon;
    iso_handle later;
    iso_nsec when;

    CHECK_OK(iso_loop_call_soon(loop, kit_nothing, NULL, &soon));
    CHECK_OK(iso_loop_call_later(loop, 1, kit_nothing, NULL, &later));
    CHECK_OK(iso_loop_close(loop));
    CHECK_RC(iso_handle_cancel(loop, soon), ISO_ENOENT);
    CHECK_RC(iso_handle_cancel(loop, later), ISO_ENOENT);
    CHECK_RC(iso_handle_when(loop, later, &when), ISO_ENOENT);
}

KIT_TEST(a_closed_loop_can_be_asked)
{
    iso_loop *loop = kit_loop(k);
    iso_nsec before = iso_loop_time(loop);
    int64_t max;
    int64_t used = -1;

    CHECK_OK(iso_loop_call_soon(loop, kit_nothing, NULL, NULL));
    kit_turn(k, loop);
    CHECK_OK(iso_loop_close(loop));
    CHECK_STR(iso_loop_backend(loop), kit_backend(k));
    CHECK_STR(iso_loop_limits_profile(loop), "documented");
    CHECK(!iso_loop_is_running(loop));
    CHECK_GE(iso_loop_time(loop), before);
    CHECK_GE(iso_loop_clock_resolution(loop), 1);
    CHECK_EQ(kit_statistics(loop).callbacks, 1);
    CHECK_EQ(kit_statistics(loop).registered, 0);
    CHECK_PTR(iso_loop_last_limit(loop), NULL);
    CHECK_OK(iso_loop_limit_get(loop, ISO_LIMIT_SOCKETS, &max, &used));
    CHECK_EQ(used, 0);
    CHECK(!iso_loop_get_debug(loop));
    CHECK_OK(iso_loop_set_debug(loop, false));
    CHECK_OK(iso_loop_set_exception_handler(loop, NULL, NULL));
}

KIT_TEST(closing_gives_descriptors_and_memory_back)
{
    iso_loop *loop = kit_loop(k);
    size_t bytes;
    int number;

    for (number = 0; number < 1000; number++)
        CHECK_OK(iso_loop_call_later(loop, ISO_S(number), kit_nothing, NULL, NULL));
    bytes = kit_memory_now(k).bytes;
    CHECK_OK(iso_loop_close(loop));
    CHECK_LE(kit_memory_now(k).bytes, bytes - 1000 * sizeof(iso_handle));
}

/* ---- what a program still holds ---- */

KIT_TEST(a_future_of_a_closed_loop_can_be_ended_and_tells_nobody)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = NULL;

    CHECK_OK(iso_loop_create_future(loop, &future));
    CHECK_OK(iso_future_add_done_callback(future, kit_mark_future, "f"));
    CHECK_OK(iso_loop_close(loop));
    CHECK_RC(iso_future_add_done_callback(future, kit_mark_future, "g"), ISO_ECLOSED);
    CHECK(!iso_future_done(future));
    CHECK_OK(iso_future_set_result(future, NULL));
    CHECK(iso_future_done(future));
    CHECK_STR(kit_marks(k), "");
    iso_future_release(future);
}

KIT_TEST(a_done_callback_that_was_due_is_dropped)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = NULL;

    CHECK_OK(iso_loop_create_future(loop, &future));
    CHECK_OK(iso_future_add_done_callback(future, kit_mark_future, "f"));
    CHECK_OK(iso_future_set_result(future, NULL));
    CHECK_OK(iso_loop_close(loop));
    CHECK_STR(kit_marks(k), "");
    iso_future_release(future);
}

KIT_TEST(an_operation_under_way_is_cancelled_with_the_loop)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = NULL;
    iso_fd pair[2];
    char byte;

    kit_pair(k, pair);
    CHECK_OK(iso_loop_sock_recv_into(loop, pair[0], &byte, 1, &future));
    CHECK_OK(iso_loop_close(loop));
    CHECK(iso_future_done(future));
    CHECK_RC(iso_future_error(future), ISO_ECANCELED);
    iso_future_release(future);
}

KIT_TEST(what_a_program_holds_keeps_the_memory_of_a_released_loop)
{
    iso_loop_options options = kit_options(k);
    iso_loop *loop = NULL;
    iso_future *future = NULL;

    CHECK_OK(iso_loop_new(&loop, &options));
    CHECK_OK(iso_loop_create_future(loop, &future));
    iso_loop_release(loop);
    CHECK_GE(kit_memory_now(k).blocks, 2);
    CHECK(!iso_future_done(future));
    CHECK(iso_loop_is_closed(iso_future_get_loop(future)));
    iso_future_release(future);
    CHECK_EQ(kit_memory_now(k).blocks, 0);
}

KIT_TEST(the_last_release_closes)
{
    iso_loop_options options = kit_options(k);
    iso_loop *loop = NULL;
    iso_fd pair[2];

    kit_pair(k, pair);
    CHECK_OK(iso_loop_new(&loop, &options));
    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "a", NULL));
    (void)iso_loop_add_reader(loop, pair[0], kit_nothing, NULL);
    iso_loop_release(loop);
    CHECK_STR(kit_marks(k), "");
    CHECK_EQ(kit_memory_now(k).blocks, 0);
}

static void close_it(void *loop)
{
    CHECK_OK(iso_loop_close(loop));
}

KIT_TEST(another_thread_may_close_a_loop_that_is_not_running)
{
    iso_loop *loop = kit_loop(k);

    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "a", NULL));
    kit_thread(k, close_it, loop);
    kit_join_all(k);
    CHECK(iso_loop_is_closed(loop));
    CHECK_STR(kit_marks(k), "");
}

static const kit_case cases[] = {
    KIT_CASE(closing_twice_is_fine),
    KIT_CASE(closing_nothing_is_fine),
    KIT_CASE(closing_a_running_loop_is_refused_and_it_goes_on),
    KIT_CASE(what_is_scheduled_is_dropped),
    KIT_CASE(scheduling_on_a_closed_loop_is_refused),
    KIT_CASE(running_a_closed_loop_is_refused),
    KIT_CASE(watching_with_a_closed_loop_is_refused),
    KIT_CASE(operations_of_a_closed_loop_are_refused),
    KIT_CASE(stop_of_a_closed_loop_is_silent),
    KIT_CASE(handles_of_a_closed_loop_find_nothing),
    KIT_CASE(a_closed_loop_can_be_asked),
    KIT_CASE(closing_gives_descriptors_and_memory_back),
    KIT_CASE(a_future_of_a_closed_loop_can_be_ended_and_tells_nobody),
    KIT_CASE(a_done_callback_that_was_due_is_dropped),
    KIT_CASE(an_operation_under_way_is_cancelled_with_the_loop),
    KIT_CASE(what_a_program_holds_keeps_the_memory_of_a_released_loop),
    KIT_CASE(the_last_release_closes),
    KIT_CASE(another_thread_may_close_a_loop_that_is_not_running),
};

KIT_MAIN(cases)
