/* SPDX-License-Identifier: MIT */
#include "engine/soon.h"
#include "kit.h"

typedef struct bench {
    iso__link ready;
    iso__soon soon;
    const iso_allocator *allocator;
} bench;

static void run_nothing(iso__engine *engine, iso__node *node)
{
    (void)engine;
    (void)node;
}

static void begin(kit *k, bench *self)
{
    self->allocator = kit_allocator(k);
    iso__list_init(&self->ready);
    iso__soon_init(&self->soon, &self->ready, run_nothing);
}

static void end(bench *self)
{
    iso__soon_close(&self->soon, self->allocator);
}

static iso_handle add(bench *self)
{
    iso__soon_entry entry = { kit_nothing, NULL };
    iso_handle handle = { 0, 0 };

    CHECK_OK(iso__soon_add(&self->soon, self->allocator, entry, &handle));
    return handle;
}

static int batches(const bench *self)
{
    const iso__link *at;
    int count = 0;

    for (at = self->ready.next; at != &self->ready; at = at->next) count++;
    return count;
}

/* As the turn does: out of the list, and given back. */
static void run_first(bench *self)
{
    iso__link *link = iso__list_pop(&self->ready);

    REQUIRE(link != NULL);
    iso__soon_give(&self->soon, iso__soon_batch_of(ISO__CONTAINER(link, iso__node, link)));
}

KIT_TEST(callbacks_in_a_row_share_a_batch)
{
    bench self;
    int number;

    begin(k, &self);
    for (number = 0; number < ISO__SOON_PER_BATCH; number++) (void)add(&self);
    CHECK_EQ(batches(&self), 1);
    (void)add(&self);
    CHECK_EQ(batches(&self), 2);
    end(&self);
}

KIT_TEST(what_becomes_ready_in_between_stays_in_between)
{
    bench self;
    iso__node other = { { NULL, NULL }, run_nothing };

    begin(k, &self);
    (void)add(&self);
    iso__list_push(&self.ready, &other.link);
    (void)add(&self);
    CHECK_EQ(batches(&self), 3);
    CHECK_PTR(self.ready.next->next, &other.link);
    end(&self);
}

KIT_TEST(a_batch_that_runs_takes_no_more)
{
    bench self;

    begin(k, &self);
    (void)add(&self);
    CHECK(iso__list_pop(&self.ready) != NULL); /* it runs */
    (void)add(&self);
    CHECK_EQ(batches(&self), 1);
    CHECK_EQ(self.soon.count, 2);
    end(&self);
}

KIT_TEST(batches_are_used_again_before_there_are_more)
{
    bench self;
    uint64_t allocations;
    int round;

    begin(k, &self);
    (void)add(&self);
    run_first(&self);
    allocations = kit_memory_now(k).allocations;
    for (round = 0; round < 1000; round++) {
        (void)add(&self);
        run_first(&self);
    }
    CHECK_EQ(kit_memory_now(k).allocations, allocations);
    end(&self);
}

KIT_TEST(a_handle_finds_its_callback_until_it_ran)
{
    bench self;
    iso_handle first;
    iso_handle second;

    begin(k, &self);
    first = add(&self);
    second = add(&self);
    CHECK(iso__soon_find(&self.soon, first) != NULL);
    CHECK(iso__soon_find(&self.soon, second) != iso__soon_find(&self.soon, first));
    run_first(&self);
    CHECK_PTR(iso__soon_find(&self.soon, first), NULL);
    /* not even when its place is another's */
    (void)add(&self);
    CHECK_PTR(iso__soon_find(&self.soon, first), NULL);
    end(&self);
}

KIT_TEST(a_batch_of_which_all_is_cancelled_is_ready_no_more)
{
    bench self;
    iso_handle first;
    iso_handle second;

    begin(k, &self);
    first = add(&self);
    second = add(&self);
    CHECK_OK(iso__soon_cancel(&self.soon, first));
    CHECK_RC(iso__soon_cancel(&self.soon, first), ISO_ENOENT);
    CHECK_EQ(batches(&self), 1);
    CHECK_OK(iso__soon_cancel(&self.soon, second));
    CHECK_EQ(batches(&self), 0);
    (void)add(&self);
    CHECK_EQ(batches(&self), 1);
    CHECK_EQ(self.soon.count, 1);
    end(&self);
}

KIT_TEST(a_handle_that_never_was_finds_nothing)
{
    bench self;
    iso_handle far_away = { UINT32_MAX, 1 };
    iso_handle not_yet = { ISO__SOON_HANDLE | 5, 1 };

    begin(k, &self);
    CHECK_PTR(iso__soon_find(&self.soon, far_away), NULL);
    (void)add(&self);
    CHECK_PTR(iso__soon_find(&self.soon, far_away), NULL);
    CHECK_PTR(iso__soon_find(&self.soon, not_yet), NULL);
    end(&self);
}

KIT_TEST(the_generation_goes_round_and_is_never_zero)
{
    bench self;

    begin(k, &self);
    (void)add(&self);
    self.soon.all[0]->generation = UINT32_MAX;
    run_first(&self);
    CHECK_EQ(self.soon.all[0]->generation, 1);
    end(&self);
}

KIT_TEST(without_memory_it_is_refused_and_the_others_stay)
{
    bench self;
    iso__soon_entry entry = { kit_nothing, NULL };
    iso_handle first;
    uint64_t nth;

    begin(k, &self);
    for (nth = 1; nth <= 2; nth++) { /* the directory, and the batch */
        kit_fail_allocation(k, nth, false);
        CHECK_RC(iso__soon_add(&self.soon, self.allocator, entry, NULL), ISO_ENOMEM);
        CHECK_EQ(batches(&self), 0);
    }
    kit_fail_allocation(k, 0, false);
    first = add(&self);
    CHECK(iso__soon_find(&self.soon, first) != NULL);
    end(&self);
}

static const kit_case cases[] = {
    KIT_CASE(callbacks_in_a_row_share_a_batch),
    KIT_CASE(what_becomes_ready_in_between_stays_in_between),
    KIT_CASE(a_batch_that_runs_takes_no_more),
    KIT_CASE(batches_are_used_again_before_there_are_more),
    KIT_CASE(a_handle_finds_its_callback_until_it_ran),
    KIT_CASE(a_batch_of_which_all_is_cancelled_is_ready_no_more),
    KIT_CASE(a_handle_that_never_was_finds_nothing),
    KIT_CASE(the_generation_goes_round_and_is_never_zero),
    KIT_CASE(without_memory_it_is_refused_and_the_others_stay),
};

KIT_MAIN(cases)
