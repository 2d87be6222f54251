/* SPDX-License-Identifier: MIT */
#include "base/bits.h"
#include "kit.h"

KIT_TEST(the_highest_bit_is_found_whatever_is_below)
{
    uint32_t bit;

    for (bit = 0; bit < 64; bit++) {
        CHECK_EQ(iso__highest_bit((uint64_t)1 << bit), bit);
        CHECK_EQ(iso__highest_bit(UINT64_MAX >> (63 - bit)), bit);
    }
}

KIT_TEST(the_lowest_bit_is_found_whatever_is_above)
{
    uint32_t bit;

    for (bit = 0; bit < 64; bit++) {
        CHECK_EQ(iso__lowest_bit((uint64_t)1 << bit), bit);
        CHECK_EQ(iso__lowest_bit(UINT64_MAX << bit), bit);
    }
}

static const kit_case cases[] = {
    KIT_CASE(the_highest_bit_is_found_whatever_is_below),
    KIT_CASE(the_lowest_bit_is_found_whatever_is_above),
};

KIT_MAIN(cases)
