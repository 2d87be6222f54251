/* SPDX-License-Identifier: MIT */
#include "engine/inbox.h"
#include "kit.h"
#include "sys/wake.h"

enum { PRODUCERS = 4, EACH = 5000 };

typedef struct letter {
    iso__node node;
    int producer;
    int number;
} letter;

static letter letters[PRODUCERS][EACH];

static letter *letter_of(iso__link *link)
{
    return ISO__CONTAINER(link, letter, node.link);
}

KIT_TEST(posts_come_out_in_the_order_in_which_they_went_in)
{
    iso__inbox inbox;
    iso__link ready;
    int number;

    iso__inbox_init(&inbox, kit_allocator(k));
    iso__list_init(&ready);
    for (number = 0; number < 10; number++) {
        letters[0][number].number = number;
        (void)iso__inbox_push(&inbox, &letters[0][number].node);
    }
    iso__inbox_take(&inbox, &ready);
    for (number = 0; number < 10; number++)
        CHECK_EQ(letter_of(iso__list_pop(&ready))->number, number);
    CHECK(iso__list_empty(&ready));
    iso__inbox_close(&inbox);
}

KIT_TEST(what_is_taken_comes_behind_what_was_ready)
{
    iso__inbox inbox;
    iso__link ready;

    iso__inbox_init(&inbox, kit_allocator(k));
    iso__list_init(&ready);
    iso__list_push(&ready, &letters[0][0].node.link);
    (void)iso__inbox_push(&inbox, &letters[0][1].node);
    iso__inbox_take(&inbox, &ready);
    CHECK_PTR(iso__list_pop(&ready), &letters[0][0].node.link);
    CHECK_PTR(iso__list_pop(&ready), &letters[0][1].node.link);
    iso__inbox_close(&inbox);
}

KIT_TEST(it_is_empty_until_a_post_and_after_the_taking)
{
    iso__inbox inbox;
    iso__link ready;

    iso__inbox_init(&inbox, kit_allocator(k));
    iso__list_init(&ready);
    CHECK(iso__inbox_is_empty(&inbox));
    iso__inbox_take(&inbox, &ready);
    CHECK(iso__list_empty(&ready));
    (void)iso__inbox_push(&inbox, &letters[0][0].node);
    CHECK(!iso__inbox_is_empty(&inbox));
    iso__inbox_take(&inbox, &ready);
    CHECK(iso__inbox_is_empty(&inbox));
    iso__inbox_close(&inbox);
}

KIT_TEST(a_loop_that_sleeps_is_woken_once_for_any_number_of_posts)
{
    iso__inbox inbox;

    iso__inbox_init(&inbox, kit_allocator(k));
    iso__inbox_set_asleep(&inbox);
    CHECK(iso__inbox_push(&inbox, &letters[0][0].node));
    CHECK(!iso__inbox_push(&inbox, &letters[0][1].node));
    CHECK(!iso__inbox_push(&inbox, &letters[0][2].node));
    iso__inbox_close(&inbox);
}

KIT_TEST(a_loop_that_is_awake_is_not_woken)
{
    iso__inbox inbox;

    iso__inbox_init(&inbox, kit_allocator(k));
    iso__inbox_set_awake(&inbox);
    CHECK(!iso__inbox_push(&inbox, &letters[0][0].node));
    iso__inbox_set_asleep(&inbox);
    CHECK(iso__inbox_push(&inbox, &letters[0][1].node));
    iso__inbox_close(&inbox);
}

KIT_TEST(a_new_one_is_asleep)
{
    iso__inbox inbox;

    iso__inbox_init(&inbox, kit_allocator(k));
    CHECK(iso__inbox_push(&inbox, &letters[0][0].node));
    iso__inbox_close(&inbox);
}

/* ---- several threads ---- */

typedef struct rig {
    iso__inbox inbox;
    iso__wake wake;
    iso__atomic_u32 next_producer;
    iso__atomic_u32 wakeups;
    kit_gate *begin;
} rig;

static void produce(void *arg)
{
    rig *self = arg;
    uint32_t mine = iso__atomic_add_u32(&self->next_producer, 1);
    int number;

    kit_gate_wait(self->begin);
    for (number = 0; number < EACH; number++) {
        letters[mine][number].producer = (int)mine;
        letters[mine][number].number = number;
        if (!iso__inbox_push(&self->inbox, &letters[mine][number].node)) continue;
        iso__sys_wake_signal(&self->wake);
        (void)iso__atomic_add_u32(&self->wakeups, 1);
    }
}

/* What the turn of a loop does with its inbox. The wait ends by a wake-up, or kit_await ends the
 * case. */
static void wait_and_take(kit *k, rig *self, iso__link *ready)
{
    if (iso__inbox_is_empty(&self->inbox)) kit_await(k, self->wake.reader, ISO_EVENT_READ);
    iso__inbox_set_awake(&self->inbox);
    iso__sys_wake_drain(&self->wake);
    iso__inbox_take(&self->inbox, ready);
    iso__inbox_set_asleep(&self->inbox);
}

KIT_TEST(no_post_of_several_threads_is_lost_or_out_of_order)
{
    rig self = { .next_producer = { 0 } };
    int next[PRODUCERS] = { 0 };
    int left = PRODUCERS * EACH;
    int producer;
    iso__link ready;

    /* given several threads that post as fast as they can, and a loop that sleeps when there is
     * nothing */
    iso__inbox_init(&self.inbox, kit_allocator(k));
    iso__list_init(&ready);
    REQUIRE_OK(iso__sys_wake_open(&self.wake));
    self.begin = kit_gate_new(k);
    for (producer = 0; producer < PRODUCERS; producer++) kit_thread(k, produce, &self);
    kit_gate_open(self.begin);
    /* then everything comes, each thread's own in order */
    while (left > 0 && !kit_has_failed(k)) {
        iso__link *link;

        wait_and_take(k, &self, &ready);
        while ((link = iso__list_pop(&ready)) != NULL) {
            const letter *got = letter_of(link);
            CHECK_EQ(got->number, next[got->producer]++);
            left--;
        }
    }
    kit_join_all(k);
    CHECK(iso__inbox_is_empty(&self.inbox));
    CHECK_LE(iso__atomic_load_u32(&self.wakeups), PRODUCERS * EACH);
    iso__sys_wake_close(&self.wake);
    iso__inbox_close(&self.inbox);
}

/* One post, one wake-up, one taking: the closest that the two sides can come to missing each
 * other. */
static void produce_one_by_one(void *arg)
{
    rig *self = arg;
    int number;

    for (number = 0; number < EACH; number++) {
        if (iso__inbox_push(&self->inbox, &letters[0][number].node))
            iso__sys_wake_signal(&self->wake);
        while (iso__atomic_load_u32(&self->wakeups) <= (uint32_t)number) {}
    }
}

KIT_TEST(no_wake_up_is_lost)
{
    rig self = { .next_producer = { 0 } };
    uint32_t taken = 0;
    iso__link ready;

    iso__inbox_init(&self.inbox, kit_allocator(k));
    iso__list_init(&ready);
    REQUIRE_OK(iso__sys_wake_open(&self.wake));
    kit_thread(k, produce_one_by_one, &self);
    while (taken < EACH) {
        wait_and_take(k, &self, &ready);
        while (iso__list_pop(&ready) != NULL) iso__atomic_store_u32(&self.wakeups, ++taken);
    }
    kit_join_all(k);
    iso__sys_wake_close(&self.wake);
    iso__inbox_close(&self.inbox);
}

/* ---- the pool of posts ---- */

KIT_TEST(a_post_that_was_given_back_is_used_again)
{
    iso__inbox inbox;
    iso__post *post;
    uint64_t allocations;
    int round;

    iso__inbox_init(&inbox, kit_allocator(k));
    post = iso__inbox_new_post(&inbox);
    iso__inbox_free_post(&inbox, post);
    allocations = kit_memory_now(k).allocations;
    for (round = 0; round < 1000; round++) {
        post = iso__inbox_new_post(&inbox);
        CHECK(post != NULL);
        iso__inbox_free_post(&inbox, post);
    }
    CHECK_EQ(kit_memory_now(k).allocations, allocations);
    iso__inbox_close(&inbox);
}

KIT_TEST(every_post_that_is_out_is_one_of_its_own)
{
    static iso__post *out[3000];
    iso__inbox inbox;
    int number;

    iso__inbox_init(&inbox, kit_allocator(k));
    for (number = 0; number < 3000; number++) {
        out[number] = iso__inbox_new_post(&inbox);
        REQUIRE(out[number] != NULL);
        out[number]->arg = out[number];
    }
    for (number = 0; number < 3000; number++) {
        CHECK_PTR(out[number]->arg, out[number]);
        iso__inbox_free_post(&inbox, out[number]);
    }
    iso__inbox_close(&inbox);
}

KIT_TEST(without_memory_there_is_no_post)
{
    iso__inbox inbox;
    iso__post *post;

    iso__inbox_init(&inbox, kit_allocator(k));
    kit_fail_allocation(k, 1, false);
    CHECK_PTR(iso__inbox_new_post(&inbox), NULL);
    post = iso__inbox_new_post(&inbox);
    CHECK(post != NULL);
    iso__inbox_close(&inbox);
}

/* A post that two threads had at once would be marked by both. */
static void take_and_give_back(void *arg)
{
    rig *self = arg;
    iso__post *mine[8];
    int round;
    int at;

    for (round = 0; round < 3000; round++) {
        for (at = 0; at < 8; at++) {
            mine[at] = iso__inbox_new_post(&self->inbox);
            REQUIRE(mine[at] != NULL);
            mine[at]->arg = &mine[at];
        }
        for (at = 0; at < 8; at++) {
            CHECK_PTR(mine[at]->arg, &mine[at]);
            iso__inbox_free_post(&self->inbox, mine[at]);
        }
    }
}

KIT_TEST(threads_never_get_the_same_post)
{
    rig self = { .next_producer = { 0 } };
    int thread;

    iso__inbox_init(&self.inbox, kit_allocator(k));
    for (thread = 0; thread < PRODUCERS; thread++) kit_thread(k, take_and_give_back, &self);
    kit_join_all(k);
    CHECK_LE(self.inbox.chunk_count, 3); /* a few are out at a time, so there are few */
    iso__inbox_close(&self.inbox);
}

static const kit_case cases[] = {
    KIT_CASE(posts_come_out_in_the_order_in_which_they_went_in),
    KIT_CASE(what_is_taken_comes_behind_what_was_ready),
    KIT_CASE(it_is_empty_until_a_post_and_after_the_taking),
    KIT_CASE(a_loop_that_sleeps_is_woken_once_for_any_number_of_posts),
    KIT_CASE(a_loop_that_is_awake_is_not_woken),
    KIT_CASE(a_new_one_is_asleep),
    KIT_CASE(no_post_of_several_threads_is_lost_or_out_of_order),
    KIT_CASE(no_wake_up_is_lost),
    KIT_CASE(a_post_that_was_given_back_is_used_again),
    KIT_CASE(every_post_that_is_out_is_one_of_its_own),
    KIT_CASE(without_memory_there_is_no_post),
    KIT_CASE(threads_never_get_the_same_post),
};

KIT_MAIN(cases)
