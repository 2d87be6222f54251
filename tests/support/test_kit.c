/* SPDX-License-Identifier: MIT */
/* The kit itself: each of its demands is broken once, and must be found out. What it prints of
 * those cases is the proof, not a failure; the program answers 0 when all was as it must be. */
#include "kit.h"
#include "sys/sock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a case left behind, so that it can be given back, and no leak checker minds. */
static struct rest {
    const iso_allocator *allocator;
    void *block;
    iso_fd fd;
    iso_future *future;
} rest;

/* ---- cases that must fail ---- */

KIT_TEST(a_check_that_does_not_hold)
{
    CHECK(1 + 1 == 3);
}

KIT_TEST(a_number_that_is_another_one)
{
    CHECK_EQ(kit_random_below(k, 1), 1);
}

KIT_TEST(a_text_that_is_another_one)
{
    CHECK_STR(kit_marks(k), "a");
}

KIT_TEST(an_error_that_is_another_one)
{
    CHECK_RC(iso_loop_new(NULL, NULL), ISO_ENOMEM);
}

static void check_in_a_thread(void *arg)
{
    CHECK_PTR(arg, NULL);
}

KIT_TEST(a_check_of_another_thread)
{
    kit_thread(k, check_in_a_thread, k);
}

KIT_TEST(memory_that_is_kept)
{
    rest.allocator = kit_allocator(k);
    rest.block = rest.allocator->resize(rest.allocator->context, NULL, 0, 10);
}

KIT_TEST(memory_that_is_freed_with_another_size)
{
    const iso_allocator *allocator = kit_allocator(k);
    void *block = allocator->resize(allocator->context, NULL, 0, 10);

    (void)allocator->resize(allocator->context, block, 11, 0);
}

KIT_TEST(a_descriptor_that_is_kept)
{
    REQUIRE_OK(iso__sys_socket_open(&rest.fd, 4));
}

KIT_TEST(a_descriptor_of_the_kits_that_is_closed_behind_its_back)
{
    iso_fd pair[2];

    kit_pair(k, pair);
    (void)iso__sys_socket_close(pair[0]);
}

KIT_TEST(a_future_that_is_kept)
{
    REQUIRE_OK(iso_loop_create_future(kit_loop(k), &rest.future));
}

static char byte;

KIT_TEST(an_operation_that_is_still_open)
{
    iso_fd pair[2];

    kit_pair(k, pair);
    REQUIRE_OK(iso_loop_sock_recv_into(kit_loop(k), pair[0], &byte, 1, NULL));
}

KIT_TEST(a_line_in_the_log_that_nobody_asked_for)
{
    iso_exception_context context = { "it went wrong", ISO_EIO, NULL, NULL, NULL };

    iso_loop_call_exception_handler(kit_loop(k), &context);
}

static const kit_case liars[] = {
    KIT_CASE(a_check_that_does_not_hold),
    KIT_CASE(a_number_that_is_another_one),
    KIT_CASE(a_text_that_is_another_one),
    KIT_CASE(an_error_that_is_another_one),
    KIT_CASE(a_check_of_another_thread),
    KIT_CASE(memory_that_is_kept),
    KIT_CASE(memory_that_is_freed_with_another_size),
    KIT_CASE(a_descriptor_that_is_kept),
    KIT_CASE(a_descriptor_of_the_kits_that_is_closed_behind_its_back),
    KIT_CASE(a_future_that_is_kept),
    KIT_CASE(an_operation_that_is_still_open),
    KIT_CASE(a_line_in_the_log_that_nobody_asked_for),
};

/* ---- cases that must not ---- */

KIT_TEST(a_line_in_the_log_that_was_asked_for)
{
    iso_exception_context context = { "it went wrong", ISO_EIO, NULL, NULL, NULL };

    iso_loop_call_exception_handler(kit_loop(k), &context);
    CHECK(kit_logged(k, "it went wrong"));
    CHECK_EQ(kit_log_count(k, "wrong"), 1);
}

KIT_TEST(everything_that_the_kit_makes)
{
    iso_address address;
    iso_fd pair[2];
    iso_fd fd;

    (void)kit_virtual_loop(k);
    kit_pair(k, pair);
    kit_pipe(k, pair);
    (void)kit_regular_file(k);
    (void)kit_device(k);
    fd = kit_listen(k, &address);
    (void)kit_connect(k, &address);
    (void)kit_accept(k, fd);
    kit_dead_address(k, &address);
    kit_gate_open(kit_gate_new(k));
    kit_setenv(k, "ISOLOOP_KIT_TEST", "there");
    CHECK_STR(getenv("ISOLOOP_KIT_TEST"), "there");
}

KIT_TEST(an_environment_that_is_as_it_was)
{
    CHECK_PTR(getenv("ISOLOOP_KIT_TEST"), NULL);
}

KIT_TEST(an_allocation_that_fails_when_it_was_to)
{
    const iso_allocator *allocator = kit_allocator(k);
    void *first;

    kit_fail_allocation(k, 2, false);
    first = allocator->resize(allocator->context, NULL, 0, 10);
    CHECK(first != NULL);
    CHECK_PTR(allocator->resize(allocator->context, first, 10, 20), NULL);
    CHECK_EQ(kit_memory_now(k).failures, 1);
    first = allocator->resize(allocator->context, first, 10, 20);
    CHECK_EQ(kit_memory_now(k).peak_bytes, 30); /* both, for a moment */
    (void)allocator->resize(allocator->context, first, 20, 0);
}

static void mark_time(iso_loop *loop, void *arg)
{
    *(iso_nsec *)arg = iso_loop_time(loop);
}

KIT_TEST(virtual_time_that_jumps)
{
    iso_loop *loop = kit_virtual_loop(k);
    iso_nsec begin = iso_loop_time(loop);
    iso_nsec real = kit_now();
    iso_nsec end = 0;

    CHECK_OK(iso_loop_call_later(loop, ISO_S(86400), mark_time, &end, NULL));
    CHECK_EQ(iso_loop_run_once(loop, ISO_FOREVER), 1);
    CHECK_EQ(end - begin, ISO_S(86400));
    CHECK_LE(kit_now() - real, ISO_S(20));
    CHECK_EQ(kit_clock_of(k)->jumps, 1);
}

static const kit_case honest[] = {
    KIT_CASE(a_line_in_the_log_that_was_asked_for),
    KIT_CASE(everything_that_the_kit_makes),
    KIT_CASE(an_environment_that_is_as_it_was),
    KIT_CASE(an_allocation_that_fails_when_it_was_to),
    KIT_CASE(virtual_time_that_jumps),
};

/* ---- cases that are skipped ---- */

KIT_TEST(what_a_row_of_the_limits_table_forbids)
{
    (void)kit_skip(k, "proactor.watch");
}

KIT_TEST(what_no_row_forbids)
{
    (void)kit_skip(k, "no.such.row");
}

static const kit_case skipped[] = {
    KIT_CASE(what_a_row_of_the_limits_table_forbids),
};

static const kit_case skipped_for_nothing[] = {
    KIT_CASE(what_no_row_forbids),
};

/* ---- what the programs answer ---- */

static int mistakes;

static void demand(int answer, const char *name, const kit_case *cases, size_t count)
{
    char program[] = "kit";
    char filter[128];
    char *argv[3] = { program, filter, NULL };
    int is;

    (void)snprintf(filter, sizeof(filter), "%s", name);
    is = kit_main(name[0] == '\0' ? 1 : 2, argv, cases, count);
    if (is == answer) return;
    printf("MISTAKE the kit answered %d to \"%s\", and not %d\n", is, name, answer);
    mistakes++;
}

static void give_back_the_rest(void)
{
    if (rest.block != NULL)
        (void)rest.allocator->resize(rest.allocator->context, rest.block, 10, 0);
    if (rest.fd != 0) (void)iso__sys_socket_close(rest.fd);
    iso_future_release(rest.future);
    memset(&rest, 0, sizeof(rest));
}

int main(void)
{
    size_t at;

    printf("Each of these must be told as FAILED:\n");
    for (at = 0; at < ISO__COUNT(liars); at++) {
        demand(EXIT_FAILURE, liars[at].name, liars, ISO__COUNT(liars));
        give_back_the_rest();
    }
    demand(EXIT_FAILURE, "", skipped_for_nothing, ISO__COUNT(skipped_for_nothing));
    demand(EXIT_FAILURE, "a name that no case has", honest, ISO__COUNT(honest));
    printf("And none of these:\n");
    demand(EXIT_SUCCESS, "", honest, ISO__COUNT(honest));
    demand(77, "", skipped, ISO__COUNT(skipped));
    if (mistakes == 0) printf("The kit found everything.\n");
    return mistakes == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
