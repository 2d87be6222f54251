/* SPDX-License-Identifier: MIT */
#include "base/buffer.h"
#include "kit.h"

#include <string.h>

enum { MOST = 200000, PIECES = 8 };

/* The queue, and what must be in it: the bytes of a row that goes on for ever, from one to
 * another. */
typedef struct pair {
    iso__byte_queue queue;
    const iso_allocator *allocator;
    size_t begin;
    size_t end;
} pair;

static unsigned char row_at(size_t index)
{
    return (unsigned char)((index * 131 + index / 251) & 0xFF);
}

static void fill(unsigned char *bytes, size_t from, size_t size)
{
    size_t at;

    for (at = 0; at < size; at++) bytes[at] = row_at(from + at);
}

static pair new_pair(kit *k)
{
    pair both = { { NULL, NULL, 0 }, NULL, 0, 0 };

    both.allocator = kit_allocator(k);
    return both;
}

/* Append the next bytes of the row in pieces of random sizes, the first `skip` of which are not
 * meant. */
static int append(kit *k, pair *both, size_t size, size_t skip)
{
    static unsigned char bytes[MOST];
    iso_buffer list[PIECES];
    size_t done = 0;
    size_t count = 0;
    int rc;

    fill(bytes + skip, both->end, size);
    memset(bytes, 0xEE, skip);
    while (count < PIECES - 1) {
        size_t part = kit_random_below(k, (uint32_t)(size + skip - done) + 1);
        list[count].data = bytes + done;
        list[count++].size = part;
        done += part;
    }
    list[count].data = bytes + done;
    list[count++].size = size + skip - done;
    rc = iso__byte_queue_append(&both->queue, both->allocator, list, count, skip);
    if (rc == 0) both->end += size;
    return rc;
}

static void take(pair *both, size_t size)
{
    iso__byte_queue_take(&both->queue, both->allocator, size);
    both->begin += size;
}

/* Everything that peek shows is what is due. */
static void compare(const pair *both)
{
    iso_buffer list[64];
    size_t count = iso__byte_queue_peek(&both->queue, list, ISO__COUNT(list));
    size_t index = both->begin;
    size_t piece;
    size_t at;

    CHECK_EQ(both->queue.size, both->end - both->begin);
    CHECK_EQ(count == 0, both->begin == both->end);
    for (piece = 0; piece < count; piece++) {
        const unsigned char *bytes = list[piece].data;

        CHECK(list[piece].size > 0);
        for (at = 0; at < list[piece].size; at++) {
            if (bytes[at] == row_at(index++)) continue;
            CHECK(!"the byte is the one that is due");
            return;
        }
    }
    if (count < ISO__COUNT(list)) CHECK_EQ(index, both->end);
}

KIT_TEST(an_empty_queue_has_no_bytes_and_no_memory)
{
    pair both = new_pair(k);

    compare(&both);
    CHECK_EQ(kit_memory_now(k).blocks, 0);
}

KIT_TEST(bytes_come_out_as_they_went_in)
{
    pair both = new_pair(k);

    CHECK_OK(append(k, &both, 10, 0));
    compare(&both);
    take(&both, 4);
    compare(&both);
    CHECK_OK(append(k, &both, 100, 0));
    compare(&both);
    take(&both, 106);
    compare(&both);
}

KIT_TEST(it_has_no_memory_when_it_has_no_bytes)
{
    pair both = new_pair(k);

    CHECK_OK(append(k, &both, 10000, 0));
    CHECK(kit_memory_now(k).blocks > 0);
    take(&both, 10000);
    CHECK_EQ(kit_memory_now(k).blocks, 0);
}

KIT_TEST(small_pieces_share_memory)
{
    pair both = new_pair(k);
    int round;

    for (round = 0; round < 100; round++) CHECK_OK(append(k, &both, 10, 0));
    CHECK_EQ(kit_memory_now(k).blocks, 1);
    compare(&both);
    iso__byte_queue_clear(&both.queue, both.allocator);
}

KIT_TEST(the_skipped_beginning_is_left_out)
{
    size_t skip;

    for (skip = 0; skip < 60; skip++) {
        pair both = new_pair(k);

        CHECK_OK(append(k, &both, 50, skip));
        compare(&both);
        iso__byte_queue_clear(&both.queue, both.allocator);
    }
}

KIT_TEST(nothing_appended_changes_nothing)
{
    pair both = new_pair(k);

    CHECK_OK(append(k, &both, 0, 0));
    CHECK_OK(append(k, &both, 0, 20));
    compare(&both);
    CHECK_EQ(kit_memory_now(k).blocks, 0);
}

KIT_TEST(what_was_shown_stays_where_it_is_when_more_is_appended)
{
    pair both = new_pair(k);
    iso_buffer before[4];
    iso_buffer after[4];

    /* given pieces that the system may be reading from */
    CHECK_OK(append(k, &both, 3000, 0));
    CHECK_EQ(iso__byte_queue_peek(&both.queue, before, 4), 1);
    /* when more comes than fits behind them */
    CHECK_OK(append(k, &both, 50000, 0));
    /* then they have not moved */
    CHECK_GE(iso__byte_queue_peek(&both.queue, after, 4), 2);
    CHECK_PTR(after[0].data, before[0].data);
    CHECK(memcmp(before[0].data, after[0].data, before[0].size) == 0);
    compare(&both);
    iso__byte_queue_clear(&both.queue, both.allocator);
}

KIT_TEST(peek_shows_no_more_pieces_than_asked_for)
{
    pair both = new_pair(k);
    iso_buffer list[2];

    CHECK_OK(append(k, &both, 5000, 0));
    CHECK_OK(append(k, &both, 50000, 0));
    CHECK_EQ(iso__byte_queue_peek(&both.queue, list, 1), 1);
    CHECK_EQ(iso__byte_queue_peek(&both.queue, list, 0), 0);
    iso__byte_queue_clear(&both.queue, both.allocator);
}

static size_t random_size(kit *k)
{
    return kit_random_below(k, 10) == 0 ? kit_random_below(k, 20000) : kit_random_below(k, 300);
}

KIT_TEST(it_does_as_a_row_of_bytes_does)
{
    pair both = new_pair(k);
    int round;

    for (round = 0; round < 5000 && !kit_has_failed(k); round++) {
        if (kit_random_below(k, 2) == 0 || both.queue.size == 0)
            CHECK_OK(append(k, &both, random_size(k), kit_random_below(k, 3) * 7));
        else
            take(&both, kit_random_below(k, (uint32_t)both.queue.size + 1));
        compare(&both);
    }
    iso__byte_queue_clear(&both.queue, both.allocator);
    CHECK_EQ(both.queue.size, 0);
}

KIT_TEST(without_memory_it_stays_as_it_was)
{
    pair both = new_pair(k);
    int round;

    for (round = 0; round < 500 && !kit_has_failed(k); round++) {
        kit_fail_allocation(k, 1, false);
        if (append(k, &both, random_size(k), 5) != 0) CHECK_EQ(kit_memory_now(k).failures > 0, 1);
        kit_fail_allocation(k, 0, false);
        compare(&both);
        CHECK_OK(append(k, &both, random_size(k), 0));
        compare(&both);
        take(&both, kit_random_below(k, (uint32_t)both.queue.size + 1));
    }
    iso__byte_queue_clear(&both.queue, both.allocator);
}

KIT_TEST(lengths_that_no_memory_holds_are_refused)
{
    pair both = new_pair(k);
    iso_buffer list[2] = { { "abc", 3 }, { "abc", SIZE_MAX - 1 } };

    CHECK_RC(iso__byte_queue_append(&both.queue, both.allocator, list, 2, 0), ISO_ENOMEM);
    compare(&both);
}

static const kit_case cases[] = {
    KIT_CASE(an_empty_queue_has_no_bytes_and_no_memory),
    KIT_CASE(bytes_come_out_as_they_went_in),
    KIT_CASE(it_has_no_memory_when_it_has_no_bytes),
    KIT_CASE(small_pieces_share_memory),
    KIT_CASE(the_skipped_beginning_is_left_out),
    KIT_CASE(nothing_appended_changes_nothing),
    KIT_CASE(what_was_shown_stays_where_it_is_when_more_is_appended),
    KIT_CASE(peek_shows_no_more_pieces_than_asked_for),
    KIT_CASE(it_does_as_a_row_of_bytes_does),
    KIT_CASE(without_memory_it_stays_as_it_was),
    KIT_CASE(lengths_that_no_memory_holds_are_refused),
};

KIT_MAIN(cases)
