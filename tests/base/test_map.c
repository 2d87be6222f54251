/* SPDX-License-Identifier: MIT */
#include "base/map.h"
#include "kit.h"

enum { KEYS = 512 };

/* A map beside an array that says what must be in it. */
typedef struct pair {
    iso__map map;
    void *model[KEYS];
    size_t count;
} pair;

static int values[KEYS];

/* As descriptors are: dense on POSIX, multiples of four on Windows. */
static iso_fd key_of(uint32_t number, iso_fd step)
{
    return (iso_fd)number * step;
}

static void compare(const pair *both, iso_fd step)
{
    uint32_t number;

    CHECK_EQ(both->map.count, both->count);
    for (number = 0; number < KEYS; number++)
        CHECK_PTR(iso__map_get(&both->map, key_of(number, step)), both->model[number]);
}

static void set(pair *both, uint32_t number, iso_fd step)
{
    void *value = &values[(number * 7) % KEYS];

    CHECK_OK(iso__map_set(&both->map, key_of(number, step), value));
    if (both->model[number] == NULL) both->count++;
    both->model[number] = value;
}

static void remove_key(pair *both, uint32_t number, iso_fd step)
{
    CHECK_PTR(iso__map_remove(&both->map, key_of(number, step)), both->model[number]);
    if (both->model[number] != NULL) both->count--;
    both->model[number] = NULL;
}

static void wander(kit *k, iso_fd step, uint32_t keys)
{
    pair both = { { NULL, 0, 0, NULL }, { NULL }, 0 };
    int round;

    iso__map_init(&both.map, kit_allocator(k));
    for (round = 0; round < 20000 && !kit_has_failed(k); round++) {
        uint32_t number = kit_random_below(k, keys);

        if (kit_random_below(k, 2) == 0)
            set(&both, number, step);
        else
            remove_key(&both, number, step);
        if (round % 100 == 0) compare(&both, step);
    }
    compare(&both, step);
    iso__map_close(&both.map);
}

KIT_TEST(it_does_as_an_array_does_with_dense_keys)
{
    wander(k, 1, KEYS);
}

KIT_TEST(it_does_as_an_array_does_with_multiples_of_four)
{
    wander(k, 4, KEYS);
}

KIT_TEST(it_does_as_an_array_does_with_few_keys)
{
    wander(k, 1, 13); /* a small table, so runs wrap round its end */
}

/* Keys whose places collide: what comes behind a hole moves back, or it would not be found. */
KIT_TEST(removing_from_a_run_leaves_the_others_to_be_found)
{
    uint32_t gone;
    uint32_t number;

    for (gone = 0; gone < 12; gone++) {
        pair both = { { NULL, 0, 0, NULL }, { NULL }, 0 };

        iso__map_init(&both.map, kit_allocator(k));
        for (number = 0; number < 12; number++) set(&both, number, 1); /* of 16 places */
        remove_key(&both, gone, 1);
        compare(&both, 1);
        remove_key(&both, (gone + 5) % 12, 1);
        compare(&both, 1);
        iso__map_close(&both.map);
    }
}

KIT_TEST(an_empty_map_has_nothing_and_no_memory)
{
    iso__map map;
    size_t at = 0;

    iso__map_init(&map, kit_allocator(k));
    CHECK_PTR(iso__map_get(&map, 3), NULL);
    CHECK_PTR(iso__map_remove(&map, 3), NULL);
    CHECK_PTR(iso__map_next(&map, &at), NULL);
    CHECK_EQ(kit_memory_now(k).blocks, 0);
    iso__map_close(&map);
}

KIT_TEST(a_value_takes_the_place_of_the_one_before)
{
    iso__map map;

    iso__map_init(&map, kit_allocator(k));
    CHECK_OK(iso__map_set(&map, 3, &values[0]));
    CHECK_OK(iso__map_set(&map, 3, &values[1]));
    CHECK_EQ(map.count, 1);
    CHECK_PTR(iso__map_get(&map, 3), &values[1]);
    iso__map_close(&map);
}

KIT_TEST(next_visits_each_value_once)
{
    int visits[KEYS] = { 0 };
    iso__map map;
    size_t at = 0;
    void *value;
    int number;

    iso__map_init(&map, kit_allocator(k));
    for (number = 0; number < 100; number++) CHECK_OK(iso__map_set(&map, number, &values[number]));
    while ((value = iso__map_next(&map, &at)) != NULL) visits[(int *)value - values]++;
    for (number = 0; number < KEYS; number++) CHECK_EQ(visits[number], number < 100 ? 1 : 0);
    iso__map_close(&map);
}

KIT_TEST(negative_and_large_keys_are_keys)
{
    iso__map map;

    iso__map_init(&map, kit_allocator(k));
    CHECK_OK(iso__map_set(&map, -1, &values[1]));
    CHECK_OK(iso__map_set(&map, INTPTR_MAX, &values[2]));
    CHECK_OK(iso__map_set(&map, INTPTR_MIN, &values[3]));
    CHECK_PTR(iso__map_get(&map, -1), &values[1]);
    CHECK_PTR(iso__map_get(&map, INTPTR_MAX), &values[2]);
    CHECK_PTR(iso__map_get(&map, INTPTR_MIN), &values[3]);
    iso__map_close(&map);
}

KIT_TEST(without_memory_it_stays_as_it_was)
{
    pair both = { { NULL, 0, 0, NULL }, { NULL }, 0 };
    uint32_t number;

    /* given a map at three quarters */
    iso__map_init(&both.map, kit_allocator(k));
    for (number = 0; number < 12; number++) set(&both, number, 1);
    /* when the one more finds no memory */
    kit_fail_allocation(k, 1, false);
    CHECK_RC(iso__map_set(&both.map, 12, &values[12]), ISO_ENOMEM);
    /* then the others are all there, and it goes in once there is some */
    compare(&both, 1);
    set(&both, 12, 1);
    compare(&both, 1);
    iso__map_close(&both.map);
}

static const kit_case cases[] = {
    KIT_CASE(it_does_as_an_array_does_with_dense_keys),
    KIT_CASE(it_does_as_an_array_does_with_multiples_of_four),
    KIT_CASE(it_does_as_an_array_does_with_few_keys),
    KIT_CASE(removing_from_a_run_leaves_the_others_to_be_found),
    KIT_CASE(an_empty_map_has_nothing_and_no_memory),
    KIT_CASE(a_value_takes_the_place_of_the_one_before),
    KIT_CASE(next_visits_each_value_once),
    KIT_CASE(negative_and_large_keys_are_keys),
    KIT_CASE(without_memory_it_stays_as_it_was),
};

KIT_MAIN(cases)
