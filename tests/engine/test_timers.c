/* SPDX-License-Identifier: MIT */
#include "base/time.h"
#include "engine/timers.h"
#include "kit.h"

#include <stdlib.h>

enum { MOST = 4000 };

/* The timers, and a plain list of those that wait, in the order of adding. */
typedef struct bench {
    iso__timers timers;
    iso__calls calls;
    const iso_allocator *allocator;
    iso__call *waiting[MOST];
    iso_nsec when[MOST];
    int count;
    bool is_starved; /* nothing but a call finds memory */
} bench;

static void begin(kit *k, bench *self)
{
    self->allocator = kit_allocator(k);
    iso__calls_init(&self->calls);
    iso__timers_init(&self->timers, &self->calls, self->allocator);
    self->count = 0;
}

static void end(bench *self)
{
    iso__timers_close(&self->timers);
    iso__calls_close(&self->calls, self->allocator);
}

static iso__call *take_call(bench *self)
{
    iso__call *call = iso__calls_take(&self->calls, self->allocator);

    REQUIRE(call != NULL);
    call->callback = kit_nothing;
    return call;
}

static iso__call *add(bench *self, iso_nsec when)
{
    iso__call *call = take_call(self);

    REQUIRE(self->count < MOST);
    REQUIRE_OK(iso__timers_add(&self->timers, call, when));
    self->waiting[self->count] = call;
    self->when[self->count] = when;
    self->count++;
    return call;
}

static void forget(bench *self, int at)
{
    self->count--;
    for (; at < self->count; at++) { /* the order of adding is kept */
        self->waiting[at] = self->waiting[at + 1];
        self->when[at] = self->when[at + 1];
    }
}

static void remove_at(bench *self, int at)
{
    iso__timers_cancel(&self->timers, self->waiting[at]);
    forget(self, at);
}

/* The one that must come out next: the first of those with the earliest time. */
static int next_of(const bench *self)
{
    int best = 0;
    int at;

    for (at = 1; at < self->count; at++) {
        if (self->when[at] < self->when[best]) best = at;
    }
    return best;
}

static iso_nsec pop(bench *self)
{
    int next = next_of(self);
    iso_nsec when = self->when[next];

    CHECK_LE(iso__timers_next(&self->timers), when);
    if (self->timers.wheel == NULL) CHECK_EQ(iso__timers_next(&self->timers), when);
    CHECK_PTR(iso__timers_pop(&self->timers, when - 1), NULL);
    CHECK_PTR(iso__timers_pop(&self->timers, when), self->waiting[next]);
    iso__calls_free(&self->calls, self->waiting[next]);
    forget(self, next);
    return when;
}

/* One that was moved counts as added last. */
static void move(kit *k, bench *self, iso_nsec when)
{
    int at = (int)kit_random_below(k, (uint32_t)self->count);
    iso__call *moved = self->waiting[at];

    CHECK_OK(iso__timers_move(&self->timers, moved, when));
    forget(self, at);
    self->waiting[self->count] = moved;
    self->when[self->count] = when;
    self->count++;
}

KIT_TEST(with_none_the_next_is_never)
{
    bench self;

    begin(k, &self);
    CHECK_EQ(iso__timers_next(&self.timers), ISO_FOREVER);
    CHECK_PTR(iso__timers_pop(&self.timers, ISO_FOREVER), NULL);
    end(&self);
}

KIT_TEST(they_come_out_in_the_order_of_their_times)
{
    bench self;

    begin(k, &self);
    (void)add(&self, 30);
    (void)add(&self, 10);
    (void)add(&self, 20);
    while (self.count > 0) pop(&self);
    end(&self);
}

KIT_TEST(equal_times_come_out_first_in_first_out)
{
    bench self;
    int number;

    begin(k, &self);
    for (number = 0; number < 100; number++) (void)add(&self, 7);
    while (self.count > 0) pop(&self);
    end(&self);
}

KIT_TEST(equal_times_keep_their_order_when_others_come_and_go)
{
    bench self;
    int number;

    begin(k, &self);
    for (number = 0; number < 200; number++) (void)add(&self, number % 3 == 0 ? 5 : 9);
    for (number = 0; number < 60; number++)
        remove_at(&self, (int)kit_random_below(k, (uint32_t)self.count));
    for (number = 0; number < 50; number++) (void)add(&self, 5);
    while (self.count > 0) pop(&self);
    end(&self);
}

KIT_TEST(the_order_goes_on_when_its_number_wraps)
{
    bench self;
    int number;

    /* given a counter that is about to begin again at 0 */
    begin(k, &self);
    self.timers.next_order = UINT32_MAX - 20;
    for (number = 0; number < 50; number++) (void)add(&self, number % 2);
    CHECK_LE(self.timers.next_order, 50);
    /* then the ties still come out in the order of adding */
    while (self.count > 0) pop(&self);
    end(&self);
}

KIT_TEST(one_that_is_not_due_stays)
{
    bench self;
    iso__call *call;

    begin(k, &self);
    call = add(&self, 100);
    CHECK_PTR(iso__timers_pop(&self.timers, 99), NULL);
    CHECK_EQ(self.timers.count, 1);
    CHECK_PTR(iso__timers_pop(&self.timers, 100), call);
    end(&self);
}

KIT_TEST(times_before_zero_and_at_the_end_of_time_are_times)
{
    bench self;

    begin(k, &self);
    (void)add(&self, ISO_FOREVER);
    (void)add(&self, 0);
    (void)add(&self, -5);
    (void)add(&self, INT64_MIN + 1);
    while (self.count > 0) pop(&self);
    end(&self);
}

/* Random adding, removing and popping against the list. */
static void wander(kit *k, uint32_t different_times, iso_nsec apart, int rounds)
{
    bench *self = malloc(sizeof(*self));
    iso_nsec now = 0;
    int round;

    REQUIRE(self != NULL);
    begin(k, self);
    for (round = 0; round < rounds && !kit_has_failed(k); round++) {
        uint32_t what = kit_random_below(k, 100);

        if (self->count == 0 || (what < 50 && self->count < 700))
            (void)add(self, now + kit_random_below(k, different_times) * apart);
        else if (what < 60)
            move(k, self, now + kit_random_below(k, different_times) * apart);
        else if (what < 80)
            remove_at(self, (int)kit_random_below(k, (uint32_t)self->count));
        else
            now = pop(self);
        CHECK_EQ(self->timers.count, self->count);
    }
    while (self->count > 0 && !kit_has_failed(k)) pop(self);
    end(self);
    free(self);
}

KIT_TEST(they_do_as_a_sorted_list_does)
{
    wander(k, 1000000, 1, 20000);
}

/* Seconds apart, and within the same milliseconds; hours; and the whole range of the wheel. */
KIT_TEST(they_do_as_a_sorted_list_does_over_seconds)
{
    wander(k, 2000000000, 3, 20000);
}

KIT_TEST(they_do_as_a_sorted_list_does_over_milliseconds)
{
    wander(k, 40, ISO_US(100), 20000);
}

KIT_TEST(they_do_as_a_sorted_list_does_over_hours)
{
    wander(k, 1000, ISO_S(37), 20000);
}

KIT_TEST(they_do_as_a_sorted_list_does_over_years)
{
    wander(k, 1000, ISO_S(3600) * 24, 2000);
}

KIT_TEST(they_do_as_a_sorted_list_does_with_many_ties)
{
    wander(k, 5, 1, 20000);
}

/* ---- against a sorted list, with time that jumps ---- */

/* The numbers agree with what is there, and the wheel has each entry where it belongs. */
static void audit(const bench *self)
{
    const iso__timers *timers = &self->timers;
    uint64_t entries = timers->heap_count;
    uint32_t level;
    uint32_t slot;

    CHECK_EQ(timers->count, self->count);
    for (level = 0; timers->wheel != NULL && level < ISO__WHEEL_LEVELS; level++) {
        for (slot = 0; slot < ISO__WHEEL_SLOTS; slot++) {
            const iso__wheel_block *block = timers->wheel->slots[level][slot].first;

            CHECK_EQ(timers->wheel->occupied[level] >> slot & 1, block != NULL);
            for (; block != NULL; block = block->next) entries += block->count;
        }
    }
    CHECK_EQ(entries, (uint64_t)timers->count + timers->stale);
    CHECK_LE(timers->stale, timers->count + 16);
    CHECK_LE(entries, timers->capacity);
}

/* As near or as far as nanoseconds go, each magnitude as likely as the others. */
static iso_nsec some_span(kit *k)
{
    uint64_t bits = (uint64_t)kit_random(k) << 32 | kit_random(k);

    return (iso_nsec)(bits >> (1 + kit_random_below(k, 63)));
}

static iso_nsec some_time(kit *k, iso_nsec now)
{
    switch (kit_random_below(k, 40)) {
    case 0: return INT64_MIN;
    case 1: return ISO_FOREVER;
    case 2: return ISO_FOREVER - 1;
    case 3: return now;
    case 4:
    case 5:
    case 6: return iso__time_add(now, -some_span(k));
    case 7:
    case 8:
    case 9: return iso__time_add(now, ISO_S(30)); /* time-outs of the same length */
    case 10:
    case 11: return iso__time_add(now & ~0xfffff, (iso_nsec)kit_random_below(k, 4) << 20);
    default: return iso__time_add(now, some_span(k));
    }
}

/* With memory for the call, but perhaps for nothing else: then nothing has changed. */
static void add_call(kit *k, bench *self, iso__call *call, iso_nsec when)
{
    int rc;

    kit_fail_allocation(k, self->is_starved ? 1 : 0, self->is_starved);
    rc = iso__timers_add(&self->timers, call, when);
    if (rc == 0) {
        self->waiting[self->count] = call;
        self->when[self->count] = when;
        self->count++;
    } else {
        CHECK_RC(rc, ISO_ENOMEM);
        iso__calls_free(&self->calls, call);
    }
    kit_fail_allocation(k, 0, false);
}

static void move_some(kit *k, bench *self, iso_nsec when)
{
    int at = (int)kit_random_below(k, (uint32_t)self->count);
    iso__call *moved = self->waiting[at];
    int rc;

    kit_fail_allocation(k, self->is_starved ? 1 : 0, self->is_starved);
    rc = iso__timers_move(&self->timers, moved, when);
    kit_fail_allocation(k, 0, false);
    if (rc != 0) {
        CHECK_RC(rc, ISO_ENOMEM);
        return;
    }
    forget(self, at);
    self->waiting[self->count] = moved;
    self->when[self->count] = when;
    self->count++;
}

/* Everything that is due comes out, in order and nothing else; what is next then is later. */
static void run_until(kit *k, bench *self, iso_nsec now)
{
    iso__call *call;

    kit_fail_allocation(k, self->is_starved ? 1 : 0, self->is_starved);
    while (!kit_has_failed(k) && (call = iso__timers_pop(&self->timers, now)) != NULL) {
        int next = next_of(self);

        REQUIRE(self->count > 0);
        CHECK_PTR(call, self->waiting[next]);
        CHECK_LE(self->when[next], now);
        CHECK_EQ(call->when, self->when[next]);
        forget(self, next);
        if (now < ISO_FOREVER - 1 && kit_random_below(k, 8) == 0)
            add_call(k, self, call, now + 1); /* it waits again */
        else
            iso__calls_free(&self->calls, call);
    }
    kit_fail_allocation(k, 0, false);
    if (kit_has_failed(k)) return;
    if (self->count > 0) CHECK(self->when[next_of(self)] > now);
    if (now != ISO_FOREVER) CHECK(iso__timers_next(&self->timers) > now);
}

static void check_next(bench *self)
{
    iso_nsec next = iso__timers_next(&self->timers);

    if (self->count == 0)
        CHECK_EQ(next, ISO_FOREVER);
    else
        CHECK_LE(next, self->when[next_of(self)]);
}

/* Time-outs that are put off all the time, as of idle connections. */
static void put_off(kit *k, bench *self, iso_nsec when)
{
    int number;

    for (number = 0; number < 30 && self->count > 0; number++) move_some(k, self, when);
}

static iso_nsec step(kit *k, bench *self, iso_nsec now)
{
    uint32_t what = kit_random_below(k, 100);

    self->is_starved = kit_random_below(k, 8) == 0;
    if (self->count == 0 || (what < 55 && self->count < 400))
        add_call(k, self, take_call(self), some_time(k, now));
    else if (what < 65)
        move_some(k, self, some_time(k, now));
    else if (what < 66)
        put_off(k, self, iso__time_add(now, ISO_S(30)));
    else if (what < 80)
        remove_at(self, (int)kit_random_below(k, (uint32_t)self->count));
    else if (what < 81)
        while (self->count > 3) remove_at(self, (int)kit_random_below(k, (uint32_t)self->count));
    else if (what < 90) /* as a loop does: asleep until the next, be it too early */
        now = iso__timers_next(&self->timers) > now ? iso__timers_next(&self->timers) : now;
    else if (what < 98)
        now = iso__time_add(now, some_span(k));
    else if (what < 99) /* a clock of a program's own that is set back */
        now = iso__time_add(now, -some_span(k));
    check_next(self);
    if (what >= 80) run_until(k, self, now);
    return now;
}

static void roam(kit *k, iso_nsec begin_at, int rounds)
{
    bench *self = malloc(sizeof(*self));
    int round;

    REQUIRE(self != NULL);
    for (round = 0; round < rounds && !kit_has_failed(k); round++) {
        iso_nsec now = begin_at;
        int number;

        begin(k, self);
        self->timers.next_order = UINT32_MAX - kit_random_below(k, 600);
        for (number = 0; number < 600 && !kit_has_failed(k); number++) {
            now = step(k, self, now);
            check_next(self);
            audit(self);
        }
        run_until(k, self, ISO_FOREVER);
        CHECK_EQ(self->count, 0);
        end(self);
    }
    free(self);
}

KIT_TEST(they_do_as_a_sorted_list_does_when_time_jumps)
{
    roam(k, ISO_S(1000), 60);
}

KIT_TEST(they_do_as_a_sorted_list_does_from_the_beginning_of_time)
{
    roam(k, INT64_MIN, 60);
    roam(k, -ISO_S(1), 30);
}

KIT_TEST(they_do_as_a_sorted_list_does_at_the_end_of_time)
{
    roam(k, ISO_FOREVER - ISO_S(60), 30);
}

/* ---- what is not done for nothing ---- */

KIT_TEST(the_wheel_is_not_looked_through_while_the_heap_has_an_earlier_one)
{
    bench self;
    int number;

    /* given as many far timers as the heap takes, others in the wheel, and one that is near */
    begin(k, &self);
    (void)add(&self, 5);
    for (number = 0; number < 64 + 10; number++) (void)add(&self, ISO_S(60) - number);
    CHECK(self.timers.wheel != NULL && !iso__wheel_is_empty(self.timers.wheel));
    /* when the first ones of the wheel are cancelled, then the near one is the next as before */
    for (number = 0; number < 4; number++) remove_at(&self, self.count - 1);
    CHECK_EQ(iso__timers_next(&self.timers), 5);
    CHECK_EQ(self.timers.stale, 4);
    /* and when it is gone, what is next is exact */
    CHECK_EQ(pop(&self), 5);
    CHECK_EQ(iso__timers_next(&self.timers), ISO_S(60) - 69);
    CHECK_EQ(self.timers.stale, 0);
    end(&self);
}

/* One more comes and goes, again and again. */
static void come_and_go(bench *self, int rounds)
{
    while (rounds-- > 0) {
        (void)add(self, rounds);
        remove_at(self, self->count - 1);
    }
}

KIT_TEST(memory_shrinks_when_much_less_waits_for_long)
{
    bench *self = malloc(sizeof(*self));

    /* given many timers, almost all of which are cancelled */
    REQUIRE(self != NULL);
    begin(k, self);
    while (self->count < MOST) (void)add(self, self->count);
    CHECK_GE(self->timers.capacity, MOST);
    while (self->count > 5) remove_at(self, self->count - 1);
    /* when a few go on coming and going */
    come_and_go(self, 4 * MOST);
    /* then almost all of the memory is back */
    CHECK_LE(self->timers.capacity, 64);
    while (self->count > 0) pop(self);
    end(self);
    free(self);
}

KIT_TEST(timers_that_come_and_go_in_bursts_ask_for_no_memory)
{
    bench *self = malloc(sizeof(*self));
    uint64_t before = 0;
    int round;

    REQUIRE(self != NULL);
    begin(k, self);
    for (round = 0; round < 50; round++) {
        while (self->count < 300) (void)add(self, self->count % 7);
        while (self->count > 0) pop(self);
        if (round == 0) before = kit_memory_now(k).allocations;
    }
    CHECK_EQ(kit_memory_now(k).allocations, before);
    end(self);
    free(self);
}

KIT_TEST(a_shrink_that_finds_no_memory_is_put_off)
{
    bench *self = malloc(sizeof(*self));

    REQUIRE(self != NULL);
    begin(k, self);
    while (self->count < 1000) (void)add(self, self->count);
    while (self->count > 5) remove_at(self, self->count - 1);
    kit_fail_allocation(k, 1, true);
    come_and_go(self, 5000);
    kit_fail_allocation(k, 0, false);
    CHECK_GE(kit_memory_now(k).failures, 1);
    CHECK_EQ(self->timers.capacity, 1024);
    come_and_go(self, 5000);
    CHECK_LE(self->timers.capacity, 64);
    while (self->count > 0) pop(self);
    end(self);
    free(self);
}

KIT_TEST(without_memory_adding_is_refused_and_the_others_wait_on)
{
    bench self;
    iso__call *call;

    /* given a heap that is full */
    begin(k, &self);
    while (self.timers.count == 0 || self.timers.count < self.timers.capacity)
        (void)add(&self, 1000 - self.count);
    call = take_call(&self);
    /* when one more finds no memory */
    kit_fail_allocation(k, 1, false);
    CHECK_RC(iso__timers_add(&self.timers, call, 5), ISO_ENOMEM);
    /* then the others come out as they would have */
    while (self.count > 0) pop(&self);
    end(&self);
}

static const kit_case cases[] = {
    KIT_CASE(with_none_the_next_is_never),
    KIT_CASE(they_come_out_in_the_order_of_their_times),
    KIT_CASE(equal_times_come_out_first_in_first_out),
    KIT_CASE(equal_times_keep_their_order_when_others_come_and_go),
    KIT_CASE(the_order_goes_on_when_its_number_wraps),
    KIT_CASE(one_that_is_not_due_stays),
    KIT_CASE(times_before_zero_and_at_the_end_of_time_are_times),
    KIT_CASE(they_do_as_a_sorted_list_does),
    KIT_CASE(they_do_as_a_sorted_list_does_over_seconds),
    KIT_CASE(they_do_as_a_sorted_list_does_over_milliseconds),
    KIT_CASE(they_do_as_a_sorted_list_does_over_hours),
    KIT_CASE(they_do_as_a_sorted_list_does_over_years),
    KIT_CASE(they_do_as_a_sorted_list_does_with_many_ties),
    KIT_CASE(they_do_as_a_sorted_list_does_when_time_jumps),
    KIT_CASE(they_do_as_a_sorted_list_does_from_the_beginning_of_time),
    KIT_CASE(they_do_as_a_sorted_list_does_at_the_end_of_time),
    KIT_CASE(the_wheel_is_not_looked_through_while_the_heap_has_an_earlier_one),
    KIT_CASE(memory_shrinks_when_much_less_waits_for_long),
    KIT_CASE(timers_that_come_and_go_in_bursts_ask_for_no_memory),
    KIT_CASE(a_shrink_that_finds_no_memory_is_put_off),
    KIT_CASE(without_memory_adding_is_refused_and_the_others_wait_on),
};

KIT_MAIN(cases)
