/* SPDX-License-Identifier: MIT */
/* The wheel by itself, against a plain list of what is in it. */
#include "engine/wheel.h"
#include "kit.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 600 };

#define TICK ((iso_nsec)1 << ISO__WHEEL_TICK_BITS)

typedef struct bench {
    iso__wheel wheel;
    const iso_allocator *allocator;
    iso__timer in[MOST]; /* `slot` is no call's: who is odd is stale when it is swept */
    uint32_t count;
    uint32_t numbers;
    bool no_more_is_stale;
} bench;

static bench *begin(kit *k, iso_nsec now)
{
    bench *self = calloc(1, sizeof(*self));

    REQUIRE(self != NULL);
    self->allocator = kit_allocator(k);
    self->wheel.base = iso__wheel_tick(now);
    return self;
}

static void end(bench *self)
{
    iso__wheel_close(&self->wheel, self->allocator);
    free(self);
}

static bool put(bench *self, iso_nsec when)
{
    iso__timer timer;

    REQUIRE(self->count < MOST);
    timer.when = when;
    timer.order = self->numbers;
    timer.slot = self->numbers++;
    if (!iso__wheel_put(&self->wheel, self->allocator, timer)) return false;
    self->in[self->count++] = timer;
    return true;
}

/* Of the list, which must have it. */
static void forget(bench *self, const iso__timer *timer)
{
    uint32_t at = 0;

    while (at < self->count && self->in[at].order != timer->order) at++;
    REQUIRE(at < self->count);
    CHECK_EQ(self->in[at].when, timer->when);
    self->in[at] = self->in[--self->count];
}

static iso_nsec least(const bench *self)
{
    iso_nsec found = ISO_FOREVER;
    uint32_t at;

    for (at = 0; at < self->count; at++) {
        if (self->in[at].when < found) found = self->in[at].when;
    }
    return found;
}

/* What its own words say: where an entry stands, what is marked, and what is least. */
static void audit_slot(const bench *self, uint32_t level, uint32_t digit, uint32_t *entries)
{
    const iso__wheel_slot *slot = &self->wheel.slots[level][digit];
    const iso__wheel_block *block;
    iso_nsec first = ISO_FOREVER;
    uint64_t at;

    for (block = slot->first; block != NULL; block = block->next) {
        CHECK_GE(block->count, 1);
        CHECK(block == slot->first || block->count == ISO__WHEEL_BLOCK_TIMERS);
        for (at = 0; at < block->count; at++) {
            uint64_t tick = iso__wheel_tick(block->timers[at].when);

            CHECK(tick > self->wheel.base);
            CHECK_EQ((tick ^ self->wheel.base) >> 6 * level >> 6, 0);
            CHECK_EQ(tick >> 6 * level & 63, digit);
            CHECK((self->wheel.base >> 6 * level & 63) < digit);
            if (block->timers[at].when < first) first = block->timers[at].when;
        }
        *entries += (uint32_t)block->count;
    }
    CHECK_EQ(self->wheel.occupied[level] >> digit & 1, slot->first != NULL);
    if (slot->first != NULL) CHECK_EQ(slot->least, first);
}

static void audit(const bench *self)
{
    uint32_t entries = 0;
    uint32_t level;
    uint32_t digit;

    for (level = 0; level < ISO__WHEEL_LEVELS; level++) {
        for (digit = 0; digit < ISO__WHEEL_SLOTS; digit++) audit_slot(self, level, digit, &entries);
        CHECK_EQ(self->wheel.levels >> level & 1, self->wheel.occupied[level] != 0);
    }
    CHECK_EQ(entries, self->count);
    CHECK_EQ(iso__wheel_is_empty(&self->wheel), self->count == 0);
    CHECK_EQ(iso__wheel_least(&self->wheel), least(self));
    CHECK_LE(self->wheel.spare_count, self->wheel.used + 8);
}

/* What is of the tick that base is at is taken out; the others go back. */
static void read_block(bench *self, iso__wheel_block *block)
{
    uint64_t at;

    for (at = 0; at < block->count; at++) {
        iso__timer timer = block->timers[at];

        CHECK(iso__wheel_tick(timer.when) >= self->wheel.base);
        if (iso__wheel_tick(timer.when) == self->wheel.base ||
            !iso__wheel_put(&self->wheel, self->allocator, timer))
            forget(self, &timer);
    }
}

static void read_until(bench *self, uint64_t tick)
{
    iso__wheel_block *block;

    while (self->wheel.base < tick && (block = iso__wheel_take(&self->wheel, tick)) != NULL) {
        CHECK(self->wheel.base <= tick);
        while (block != NULL) {
            iso__wheel_block *next = block->next;

            read_block(self, block);
            iso__wheel_give(&self->wheel, self->allocator, block);
            block = next;
        }
    }
    CHECK(self->wheel.base == tick);
}

static bool is_stale(const void *context, const iso__timer *timer)
{
    const bench *self = context;

    return !self->no_more_is_stale && timer->slot % 2 != 0;
}

/* The list does as the whole wheel should. */
static uint32_t sweep_list(bench *self)
{
    uint32_t kept = 0;
    uint32_t before = self->count;
    uint32_t at;

    for (at = 0; at < before; at++) {
        if (!is_stale(self, &self->in[at])) self->in[kept++] = self->in[at];
    }
    self->count = kept;
    return before - kept;
}

/* ---- the tests ---- */

KIT_TEST(an_empty_one_has_no_least_and_goes_where_it_is_told)
{
    bench *self = begin(k, 0);

    audit(self);
    CHECK_EQ(iso__wheel_least(&self->wheel), ISO_FOREVER);
    CHECK_PTR(iso__wheel_take(&self->wheel, self->wheel.base + 12345), NULL);
    CHECK_EQ(self->wheel.base, iso__wheel_tick(0) + 12345);
    end(self);
}

KIT_TEST(ticks_grow_with_the_times_through_zero)
{
    (void)k;
    CHECK_EQ(iso__wheel_tick(INT64_MIN), 0);
    CHECK_EQ(iso__wheel_tick(0), iso__wheel_tick(-1) + 1);
    CHECK_EQ(iso__wheel_tick(TICK - 1), iso__wheel_tick(0));
    CHECK_EQ(iso__wheel_tick(TICK), iso__wheel_tick(0) + 1);
    CHECK_EQ(iso__wheel_tick(INT64_MAX) >> 44, 0);
}

/* Around the edges of every level, each slot is read at its tick, not before. */
KIT_TEST(one_timer_comes_out_at_its_tick_on_every_level)
{
    bench *self = begin(k, INT64_MIN);
    uint32_t bit;

    for (bit = 0; bit < 44; bit++) {
        uint64_t tick;

        self->wheel.base = 0;
        tick = (uint64_t)1 << bit;
        CHECK(put(self, (iso_nsec)((tick << ISO__WHEEL_TICK_BITS) ^ (uint64_t)1 << 63)));
        audit(self);
        read_until(self, tick - 1);
        CHECK_EQ(self->count, 1);
        audit(self);
        read_until(self, tick);
        CHECK_EQ(self->count, 0);
    }
    end(self);
}

static iso_nsec some_span(kit *k)
{
    uint64_t bits = (uint64_t)kit_random(k) << 32 | kit_random(k);

    return (iso_nsec)(bits >> (1 + kit_random_below(k, 43)));
}

/* A tick after base, and not past the end of time. */
static void put_some(kit *k, bench *self)
{
    iso_nsec now =
        (iso_nsec)((self->wheel.base << ISO__WHEEL_TICK_BITS) ^ (uint64_t)1 << 63) + TICK - 1;
    iso_nsec span = 1 + some_span(k);

    if (now > ISO_FOREVER - span) return;
    if (kit_random_below(k, 2) == 0) span = 1 + (iso_nsec)kit_random_below(k, 3) * TICK;
    CHECK(put(self, now > ISO_FOREVER - span ? ISO_FOREVER : now + span));
}

static void sweep_some(kit *k, bench *self)
{
    uint32_t before = self->count;
    uint32_t dropped;

    self->no_more_is_stale = kit_random_below(k, 4) == 0;
    kit_fail_allocation(k, 1, true); /* no timer is lost for want of memory */
    dropped = iso__wheel_sweep(&self->wheel, self->allocator, is_stale, self);
    kit_fail_allocation(k, 0, false);
    CHECK_EQ(dropped, sweep_list(self));
    CHECK_EQ(self->count, before - dropped);
}

static void wander(kit *k, iso_nsec from, int rounds)
{
    bench *self = begin(k, from);
    int round;

    for (round = 0; round < rounds && !kit_has_failed(k); round++) {
        uint32_t what = kit_random_below(k, 100);
        uint64_t last = iso__wheel_tick(ISO_FOREVER);
        uint64_t ahead = (uint64_t)some_span(k) >> ISO__WHEEL_TICK_BITS;

        if (what < 90 && self->count < MOST)
            put_some(k, self);
        else if (what < 98)
            read_until(self, self->wheel.base + (ahead < last - self->wheel.base ? ahead : 0));
        else
            sweep_some(k, self);
        audit(self);
        if (self->wheel.base > last - 1000 && self->count == 0) self->wheel.base = 0;
    }
    read_until(self, iso__wheel_tick(ISO_FOREVER));
    CHECK_EQ(self->count, 0);
    end(self);
}

KIT_TEST(it_does_as_a_list_does)
{
    wander(k, 0, 3000);
}

KIT_TEST(it_does_as_a_list_does_from_the_beginning_of_time)
{
    wander(k, INT64_MIN, 3000);
}

KIT_TEST(the_next_slot_is_swept_until_something_is_left)
{
    bench *self = begin(k, 0);
    uint32_t number;

    /* given three slots; of the first only one is left that is not stale, of the second none */
    for (number = 0; number < 9; number++) CHECK(put(self, (1 + number / 3) * TICK));
    for (number = 0; number < 6; number++)
        self->wheel.slots[0][1 + number / 3].first->timers[number % 3].slot = number == 2 ? 2 : 1;
    /* when the next is swept, then the first stays and is what is least */
    CHECK_EQ(iso__wheel_sweep_next(&self->wheel, self->allocator, is_stale, self), 2);
    CHECK_EQ(iso__wheel_least(&self->wheel), TICK);
    CHECK_EQ(iso__wheel_sweep_next(&self->wheel, self->allocator, is_stale, self), 0);
    /* and when nothing is left of it, the second goes, too */
    self->wheel.slots[0][1].first->timers[0].slot = 1;
    (void)iso__wheel_sweep_next(&self->wheel, self->allocator, is_stale, self);
    CHECK_EQ(iso__wheel_least(&self->wheel), 3 * TICK);
    end(self);
}

KIT_TEST(without_memory_a_timer_is_not_taken_and_the_others_stay)
{
    bench *self = begin(k, 0);

    kit_fail_allocation(k, 1, true);
    CHECK(!put(self, TICK));
    audit(self);
    kit_fail_allocation(k, 0, false);
    CHECK(put(self, TICK));
    kit_fail_allocation(k, 1, true);
    CHECK(!put(self, 2 * TICK)); /* a slot of its own */
    while (self->count < ISO__WHEEL_BLOCK_TIMERS) CHECK(put(self, TICK + 5));
    CHECK(!put(self, TICK + 6)); /* the block is full */
    kit_fail_allocation(k, 0, false);
    audit(self);
    end(self);
}

KIT_TEST(blocks_go_back_when_much_less_is_in_it)
{
    bench *self = begin(k, 0);
    int64_t before = 0;

    while (self->count < MOST) CHECK(put(self, TICK * (1 + self->count % 50)));
    CHECK_GE(self->wheel.used, 50);
    before = (int64_t)self->wheel.used;
    read_until(self, iso__wheel_tick(TICK * 60));
    CHECK_EQ(self->wheel.used, 0);
    CHECK_LE(self->wheel.spare_count, 8);
    CHECK(before > self->wheel.spare_count);
    end(self);
}

KIT_TEST(it_can_be_used_again_when_it_was_closed)
{
    bench *self = begin(k, 0);

    while (self->count < 100) CHECK(put(self, TICK * self->count * 1000 + TICK));
    iso__wheel_close(&self->wheel, self->allocator);
    self->count = 0;
    audit(self);
    CHECK(put(self, 5 * TICK));
    audit(self);
    end(self);
}

static const kit_case cases[] = {
    KIT_CASE(an_empty_one_has_no_least_and_goes_where_it_is_told),
    KIT_CASE(ticks_grow_with_the_times_through_zero),
    KIT_CASE(one_timer_comes_out_at_its_tick_on_every_level),
    KIT_CASE(it_does_as_a_list_does),
    KIT_CASE(it_does_as_a_list_does_from_the_beginning_of_time),
    KIT_CASE(the_next_slot_is_swept_until_something_is_left),
    KIT_CASE(without_memory_a_timer_is_not_taken_and_the_others_stay),
    KIT_CASE(blocks_go_back_when_much_less_is_in_it),
    KIT_CASE(it_can_be_used_again_when_it_was_closed),
};

KIT_MAIN(cases)
