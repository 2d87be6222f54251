/* SPDX-License-Identifier: MIT */
#include "base/atomic.h"
#include "kit.h"

enum { THREADS = 4, ROUNDS = 20000 };

static iso__atomic_u32 sum;
static iso__atomic_u64 wide_sum;
static iso__atomic_ptr holder;

KIT_TEST(a_word_is_loaded_stored_exchanged_and_added_to)
{
    iso__atomic_u32 word;

    iso__atomic_store_u32(&word, 7);
    CHECK_EQ(iso__atomic_load_u32(&word), 7);
    CHECK_EQ(iso__atomic_exchange_u32(&word, UINT32_MAX), 7);
    CHECK_EQ(iso__atomic_add_u32(&word, 2), UINT32_MAX); /* answers what was */
    CHECK_EQ(iso__atomic_load_u32(&word), 1);
}

KIT_TEST(compare_and_swap_says_what_it_found)
{
    iso__atomic_u32 word;
    uint32_t expected = 5;

    iso__atomic_store_u32(&word, 6);
    CHECK(!iso__atomic_cas_u32(&word, &expected, 9));
    CHECK_EQ(expected, 6);
    CHECK(iso__atomic_cas_u32(&word, &expected, 9));
    CHECK_EQ(iso__atomic_load_u32(&word), 9);
}

KIT_TEST(the_same_for_wide_words)
{
    iso__atomic_u64 word = { 0 };
    uint64_t expected = UINT64_C(0x100000000);

    CHECK(!iso__atomic_cas_u64(&word, &expected, 9));
    CHECK_EQ(expected, 0);
    CHECK(iso__atomic_cas_u64(&word, &expected, UINT64_C(0x123456789ABCDEF0)));
    CHECK_EQ(iso__atomic_load_u64(&word), UINT64_C(0x123456789ABCDEF0));
}

KIT_TEST(the_same_for_pointers)
{
    int a;
    int b;
    iso__atomic_ptr pointer;
    void *expected = &b;

    iso__atomic_store_ptr(&pointer, &a);
    CHECK(!iso__atomic_cas_ptr(&pointer, &expected, NULL));
    CHECK_PTR(expected, &a);
    CHECK(iso__atomic_cas_ptr(&pointer, &expected, &b));
    CHECK_PTR(iso__atomic_exchange_ptr(&pointer, NULL), &b);
    CHECK_PTR(iso__atomic_load_ptr(&pointer), NULL);
}

static void add_many(void *arg)
{
    int round;

    (void)arg;
    for (round = 0; round < ROUNDS; round++) {
        uint64_t before = iso__atomic_load_u64(&wide_sum);

        (void)iso__atomic_add_u32(&sum, 1);
        while (!iso__atomic_cas_u64(&wide_sum, &before, before + UINT64_C(0x100000001))) {}
    }
}

KIT_TEST(threads_lose_no_addition)
{
    int thread;
    uint64_t zero = iso__atomic_load_u64(&wide_sum);

    iso__atomic_store_u32(&sum, 0);
    (void)iso__atomic_cas_u64(&wide_sum, &zero, 0);
    for (thread = 0; thread < THREADS; thread++) kit_thread(k, add_many, NULL);
    kit_join_all(k);
    CHECK_EQ(iso__atomic_load_u32(&sum), THREADS * ROUNDS);
    CHECK_EQ(iso__atomic_load_u64(&wide_sum), UINT64_C(0x100000001) * THREADS * ROUNDS);
}

/* Whoever takes the pointer out has what it points to for himself. */
static void add_to_what_is_held(void *arg)
{
    int round;

    (void)arg;
    for (round = 0; round < ROUNDS; round++) {
        int *mine;

        while ((mine = iso__atomic_exchange_ptr(&holder, NULL)) == NULL) {}
        ++*mine;
        iso__atomic_store_ptr(&holder, mine);
    }
}

KIT_TEST(what_was_written_before_a_store_is_seen_after_it)
{
    int number = 0;
    int thread;

    iso__atomic_store_ptr(&holder, &number);
    for (thread = 0; thread < 2; thread++) kit_thread(k, add_to_what_is_held, NULL);
    kit_join_all(k);
    CHECK_EQ(number, 2 * ROUNDS);
}

static const kit_case cases[] = {
    KIT_CASE(a_word_is_loaded_stored_exchanged_and_added_to),
    KIT_CASE(compare_and_swap_says_what_it_found),
    KIT_CASE(the_same_for_wide_words),
    KIT_CASE(the_same_for_pointers),
    KIT_CASE(threads_lose_no_addition),
    KIT_CASE(what_was_written_before_a_store_is_seen_after_it),
};

KIT_MAIN(cases)
