/* SPDX-License-Identifier: MIT */
#include "base/time.h"
#include "kit.h"

KIT_TEST(sums_are_sums)
{
    CHECK_EQ(iso__time_add(ISO_MS(2), ISO_US(500)), 2500000);
    CHECK_EQ(iso__time_add(10, -3), 7);
    CHECK_EQ(iso__time_add(-10, 3), -7);
    CHECK_EQ(iso__time_add(0, 0), 0);
}

KIT_TEST(sums_stop_at_the_end_of_time)
{
    CHECK_EQ(iso__time_add(ISO_FOREVER, 1), ISO_FOREVER);
    CHECK_EQ(iso__time_add(1, ISO_FOREVER), ISO_FOREVER);
    CHECK_EQ(iso__time_add(ISO_FOREVER, ISO_FOREVER), ISO_FOREVER);
    CHECK_EQ(iso__time_add(ISO_FOREVER - 5, 5), ISO_FOREVER);
    CHECK_EQ(iso__time_add(ISO_FOREVER - 5, 4), ISO_FOREVER - 1);
}

KIT_TEST(sums_stop_at_the_beginning_of_time)
{
    CHECK_EQ(iso__time_add(INT64_MIN, -1), INT64_MIN);
    CHECK_EQ(iso__time_add(-1, INT64_MIN), INT64_MIN);
    CHECK_EQ(iso__time_add(INT64_MIN, INT64_MIN), INT64_MIN);
    CHECK_EQ(iso__time_add(INT64_MIN, ISO_FOREVER), -1);
}

KIT_TEST(until_is_what_is_left)
{
    CHECK_EQ(iso__time_until(100, 30), 70);
    CHECK_EQ(iso__time_until(100, 100), 0);
    CHECK_EQ(iso__time_until(100, 101), 0);
    CHECK_EQ(iso__time_until(INT64_MIN, 0), 0);
}

KIT_TEST(until_for_ever_is_for_ever)
{
    CHECK_EQ(iso__time_until(ISO_FOREVER, 1000), ISO_FOREVER);
    CHECK_EQ(iso__time_until(ISO_FOREVER, INT64_MIN), ISO_FOREVER);
}

KIT_TEST(until_from_before_zero_does_not_overflow)
{
    CHECK_EQ(iso__time_until(10, -5), 15);
    CHECK_EQ(iso__time_until(ISO_FOREVER - 1, -5), ISO_FOREVER);
    CHECK_EQ(iso__time_until(ISO_FOREVER - 5, -5), ISO_FOREVER);
    CHECK_EQ(iso__time_until(ISO_FOREVER - 6, -5), ISO_FOREVER - 1);
    CHECK_EQ(iso__time_until(0, INT64_MIN + 1), ISO_FOREVER);
    CHECK_EQ(iso__time_until(1, INT64_MIN), ISO_FOREVER);
}

KIT_TEST(units_are_what_they_say)
{
    CHECK_EQ(ISO_US(1), 1000);
    CHECK_EQ(ISO_MS(1), 1000000);
    CHECK_EQ(ISO_S(1), 1000000000);
    CHECK_EQ(ISO_S(60 * 60 * 24 * 365), INT64_C(31536000000000000)); /* an int does not hold it */
}

static const kit_case cases[] = {
    KIT_CASE(sums_are_sums),
    KIT_CASE(sums_stop_at_the_end_of_time),
    KIT_CASE(sums_stop_at_the_beginning_of_time),
    KIT_CASE(until_is_what_is_left),
    KIT_CASE(until_for_ever_is_for_ever),
    KIT_CASE(until_from_before_zero_does_not_overflow),
    KIT_CASE(units_are_what_they_say),
};

KIT_MAIN(cases)
