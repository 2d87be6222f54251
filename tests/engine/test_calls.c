/* SPDX-License-Identifier: MIT */
#include "engine/calls.h"
#include "kit.h"

static iso__call *take(iso__calls *calls, const iso_allocator *allocator)
{
    iso__call *call = iso__calls_take(calls, allocator);

    REQUIRE(call != NULL);
    call->callback = kit_nothing;
    return call;
}

static iso_handle handle_of(const iso__call *call)
{
    iso_handle handle;

    handle.slot = call->slot;
    handle.generation = call->generation;
    return handle;
}

KIT_TEST(a_call_is_found_by_its_handle)
{
    iso__calls calls;
    iso__call *call;

    iso__calls_init(&calls);
    call = take(&calls, kit_allocator(k));
    CHECK_PTR(iso__calls_find(&calls, handle_of(call)), call);
    iso__calls_close(&calls, kit_allocator(k));
}

KIT_TEST(a_stale_handle_finds_nothing)
{
    iso__calls calls;
    iso__call *call;
    iso_handle stale;

    iso__calls_init(&calls);
    call = take(&calls, kit_allocator(k));
    stale = handle_of(call);
    iso__calls_free(&calls, call);
    CHECK_PTR(iso__calls_find(&calls, stale), NULL);
    /* not even when its slot is another call's */
    CHECK_PTR(take(&calls, kit_allocator(k)), call);
    CHECK_PTR(iso__calls_find(&calls, stale), NULL);
    CHECK_PTR(iso__calls_find(&calls, handle_of(call)), call);
    iso__calls_close(&calls, kit_allocator(k));
}

KIT_TEST(a_handle_that_never_was_finds_nothing)
{
    iso__calls calls;
    iso_handle zero = { 0, 0 };
    iso_handle far_away = { UINT32_MAX, 1 };
    iso_handle free_slot = { 5, 1 };

    iso__calls_init(&calls);
    CHECK_PTR(iso__calls_find(&calls, zero), NULL); /* nor before there is any slot */
    CHECK_PTR(iso__calls_find(&calls, far_away), NULL);
    (void)take(&calls, kit_allocator(k));
    CHECK_PTR(iso__calls_find(&calls, zero), NULL);
    CHECK_PTR(iso__calls_find(&calls, far_away), NULL);
    CHECK_PTR(iso__calls_find(&calls, free_slot), NULL);
    iso__calls_close(&calls, kit_allocator(k));
}

KIT_TEST(the_generation_goes_round_and_is_never_zero)
{
    iso__calls calls;
    iso__call *call;

    iso__calls_init(&calls);
    call = take(&calls, kit_allocator(k));
    call->generation = UINT32_MAX;
    iso__calls_free(&calls, call);
    CHECK_EQ(call->generation, 1);
    iso__calls_close(&calls, kit_allocator(k));
}

KIT_TEST(slots_are_used_again_before_there_are_more)
{
    iso__calls calls;
    uint64_t allocations;
    int round;

    iso__calls_init(&calls);
    iso__calls_free(&calls, take(&calls, kit_allocator(k)));
    allocations = kit_memory_now(k).allocations;
    for (round = 0; round < 1000; round++) iso__calls_free(&calls, take(&calls, kit_allocator(k)));
    CHECK_EQ(kit_memory_now(k).allocations, allocations);
    iso__calls_close(&calls, kit_allocator(k));
}

KIT_TEST(every_slot_of_many_chunks_is_one_of_its_own)
{
    enum { MANY = 20 * ISO__CALLS_PER_CHUNK };
    iso__calls calls;
    uint32_t number;

    iso__calls_init(&calls);
    for (number = 0; number < MANY; number++) {
        iso__call *call = take(&calls, kit_allocator(k));

        CHECK_EQ(call->slot, number);
        CHECK_PTR(iso__calls_at(&calls, number), call);
        call->arg = call;
    }
    for (number = 0; number < MANY; number++)
        CHECK_PTR(iso__calls_at(&calls, number)->arg, iso__calls_at(&calls, number));
    iso__calls_close(&calls, kit_allocator(k));
}

KIT_TEST(a_call_stays_where_it_is_when_there_are_more)
{
    iso__calls calls;
    iso__call *first;
    int number;

    iso__calls_init(&calls);
    first = take(&calls, kit_allocator(k));
    for (number = 0; number < 2000; number++) (void)take(&calls, kit_allocator(k));
    CHECK_PTR(iso__calls_at(&calls, 0), first);
    iso__calls_close(&calls, kit_allocator(k));
}

KIT_TEST(without_memory_growing_is_refused_and_all_is_as_it_was)
{
    iso__calls calls;
    iso__call *call;
    uint64_t nth;

    iso__calls_init(&calls);
    for (nth = 1; nth <= 3; nth++) { /* the directory, the stack and the chunk */
        kit_fail_allocation(k, nth, false);
        CHECK_RC(iso__calls_grow(&calls, kit_allocator(k)), ISO_ENOMEM);
        CHECK_EQ(calls.chunk_count, 0);
        CHECK_EQ(calls.free_count, 0);
    }
    kit_fail_allocation(k, 0, false);
    call = take(&calls, kit_allocator(k));
    CHECK_PTR(iso__calls_find(&calls, handle_of(call)), call);
    iso__calls_close(&calls, kit_allocator(k));
}

static const kit_case cases[] = {
    KIT_CASE(a_call_is_found_by_its_handle),
    KIT_CASE(a_stale_handle_finds_nothing),
    KIT_CASE(a_handle_that_never_was_finds_nothing),
    KIT_CASE(the_generation_goes_round_and_is_never_zero),
    KIT_CASE(slots_are_used_again_before_there_are_more),
    KIT_CASE(every_slot_of_many_chunks_is_one_of_its_own),
    KIT_CASE(a_call_stays_where_it_is_when_there_are_more),
    KIT_CASE(without_memory_growing_is_refused_and_all_is_as_it_was),
};

KIT_MAIN(cases)
