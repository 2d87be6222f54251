/* SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "kit.h"

#include <string.h>

static void use_all_of_it(const iso_allocator *allocator)
{
    char *bytes = iso__alloc(allocator, 10);
    char *more;

    REQUIRE(bytes != NULL);
    memcpy(bytes, "123456789", 10);
    more = iso__realloc(allocator, bytes, 10, 10000);
    REQUIRE(more != NULL);
    CHECK_STR(more, "123456789");
    bytes = iso__realloc(allocator, more, 10000, 5);
    REQUIRE(bytes != NULL);
    CHECK(memcmp(bytes, "12345", 5) == 0);
    iso__free(allocator, bytes, 5);
}

KIT_TEST(the_default_one_makes_resizes_and_frees)
{
    use_all_of_it(&iso__default_allocator);
}

KIT_TEST(a_programs_own_is_told_the_sizes)
{
    use_all_of_it(kit_allocator(k)); /* which checks them */
    CHECK_EQ(kit_memory_now(k).allocations, 3);
}

KIT_TEST(zeroed_memory_is_zero)
{
    char *bytes = iso__alloc_zero(kit_allocator(k), 1000);
    int at;

    REQUIRE(bytes != NULL);
    for (at = 0; at < 1000; at++) CHECK_EQ(bytes[at], 0);
    iso__free(kit_allocator(k), bytes, 1000);
}

KIT_TEST(freeing_nothing_is_fine)
{
    iso__free(kit_allocator(k), NULL, 0);
    iso__free(&iso__default_allocator, NULL, 0);
    CHECK_EQ(kit_memory_now(k).blocks, 0);
}

KIT_TEST(a_resize_without_memory_leaves_all_as_it_was)
{
    char *bytes = iso__alloc(kit_allocator(k), 4);

    REQUIRE(bytes != NULL);
    memcpy(bytes, "abc", 4);
    kit_fail_allocation(k, 1, false);
    CHECK_PTR(iso__realloc(kit_allocator(k), bytes, 4, 1000), NULL);
    CHECK_STR(bytes, "abc");
    iso__free(kit_allocator(k), bytes, 4);
}

KIT_TEST(a_string_is_copied_with_its_end)
{
    char *copy = iso__alloc_string(kit_allocator(k), "a name");

    CHECK_STR(copy, "a name");
    iso__free(kit_allocator(k), copy, strlen("a name") + 1);
}

KIT_TEST(without_memory_the_answer_is_null)
{
    kit_fail_allocation(k, 1, true);
    CHECK_PTR(iso__alloc(kit_allocator(k), 1), NULL);
    CHECK_PTR(iso__alloc_zero(kit_allocator(k), 1), NULL);
    CHECK_PTR(iso__alloc_string(kit_allocator(k), "a name"), NULL);
    CHECK_EQ(kit_memory_now(k).failures, 3);
}

static const kit_case cases[] = {
    KIT_CASE(the_default_one_makes_resizes_and_frees),
    KIT_CASE(a_programs_own_is_told_the_sizes),
    KIT_CASE(zeroed_memory_is_zero),
    KIT_CASE(freeing_nothing_is_fine),
    KIT_CASE(a_resize_without_memory_leaves_all_as_it_was),
    KIT_CASE(a_string_is_copied_with_its_end),
    KIT_CASE(without_memory_the_answer_is_null),
};

KIT_MAIN(cases)
