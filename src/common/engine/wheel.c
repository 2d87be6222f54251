/* SPDX-License-Identifier: MIT */
#include "engine/wheel.h"

#include "base/alloc.h"
#include "base/bits.h"
#include "base/compiler.h"

enum { DIGIT_BITS = 6, SPARE_MOST = 8 };

/* ---- blocks ---- */

static iso__wheel_block *new_block(iso__wheel *wheel, const iso_allocator *allocator)
{
    iso__wheel_block *block = wheel->spare;

    if (block != NULL) {
        wheel->spare = block->next;
        wheel->spare_count--;
    } else {
        block = iso__alloc(allocator, sizeof(*block));
        if (block == NULL) return NULL;
    }
    block->count = 0;
    wheel->used++;
    return block;
}

/* As many are kept as are in use, so that timers which come and go in bursts find them again. */
void iso__wheel_give(iso__wheel *wheel, const iso_allocator *allocator, iso__wheel_block *block)
{
    wheel->used--;
    block->next = wheel->spare;
    wheel->spare = block;
    wheel->spare_count++;
    while (wheel->spare_count > wheel->used + SPARE_MOST) {
        iso__wheel_block *last = wheel->spare;

        wheel->spare = last->next;
        wheel->spare_count--;
        iso__free(allocator, last, sizeof(*last));
    }
}

static void free_blocks(const iso_allocator *allocator, iso__wheel_block *block)
{
    while (block != NULL) {
        iso__wheel_block *next = block->next;

        iso__free(allocator, block, sizeof(*block));
        block = next;
    }
}

void iso__wheel_close(iso__wheel *wheel, const iso_allocator *allocator)
{
    uint32_t level;
    uint32_t slot;

    for (level = 0; level < ISO__WHEEL_LEVELS; level++) {
        for (slot = 0; slot < ISO__WHEEL_SLOTS; slot++) {
            free_blocks(allocator, wheel->slots[level][slot].first);
            wheel->slots[level][slot].first = NULL;
        }
        wheel->occupied[level] = 0;
    }
    free_blocks(allocator, wheel->spare);
    wheel->spare = NULL;
    wheel->spare_count = 0;
    wheel->used = 0;
    wheel->levels = 0;
}

/* ---- slots ---- */

static uint32_t level_of(const iso__wheel *wheel, uint64_t tick)
{
    return iso__highest_bit(tick ^ wheel->base) / DIGIT_BITS;
}

static uint32_t digit_of(uint64_t tick, uint32_t level)
{
    return (uint32_t)(tick >> level * DIGIT_BITS) & (ISO__WHEEL_SLOTS - 1);
}

static void mark_empty(iso__wheel *wheel, uint32_t level, uint32_t digit)
{
    wheel->occupied[level] &= ~((uint64_t)1 << digit);
    if (wheel->occupied[level] == 0) wheel->levels &= ~(1u << level);
}

bool iso__wheel_put(iso__wheel *wheel, const iso_allocator *allocator, iso__timer timer)
{
    uint64_t tick = iso__wheel_tick(timer.when);
    uint32_t level = level_of(wheel, tick);
    uint32_t digit = digit_of(tick, level);
    iso__wheel_slot *slot = &wheel->slots[level][digit];
    iso__wheel_block *block = slot->first;

    if (ISO__UNLIKELY(block == NULL || block->count == ISO__WHEEL_BLOCK_TIMERS)) {
        block = new_block(wheel, allocator);
        if (block == NULL) return false;
        if (slot->first == NULL) {
            slot->least = ISO_FOREVER;
            wheel->occupied[level] |= (uint64_t)1 << digit;
            wheel->levels |= 1u << level;
        }
        block->next = slot->first;
        slot->first = block;
    }
    block->timers[block->count++] = timer;
    if (timer.when < slot->least) slot->least = timer.when;
    return true;
}

iso_nsec iso__wheel_least(const iso__wheel *wheel)
{
    uint32_t level;

    if (wheel->levels == 0) return ISO_FOREVER;
    level = iso__lowest_bit(wheel->levels);
    return wheel->slots[level][iso__lowest_bit(wheel->occupied[level])].least;
}

iso__wheel_block *iso__wheel_take(iso__wheel *wheel, uint64_t tick)
{
    iso__wheel_block *blocks;
    uint32_t level;
    uint32_t digit;
    uint64_t begin;

    if (wheel->levels == 0) {
        wheel->base = tick;
        return NULL;
    }
    level = iso__lowest_bit(wheel->levels);
    digit = iso__lowest_bit(wheel->occupied[level]);
    /* the digits above are those of base, the ones below are 0 */
    begin = wheel->base >> level * DIGIT_BITS;
    begin = (begin - digit_of(wheel->base, level) + digit) << level * DIGIT_BITS;
    if (begin > tick) {
        wheel->base = tick;
        return NULL;
    }
    wheel->base = begin;
    blocks = wheel->slots[level][digit].first;
    wheel->slots[level][digit].first = NULL;
    mark_empty(wheel, level, digit);
    return blocks;
}

/* ---- sweeping ---- */

/* Its timers are put back one by one. A block is copied and given back before its timers are put,
 * so that there always is one for them. */
static uint32_t sweep_slot(iso__wheel *wheel, const iso_allocator *allocator,
                           iso__wheel_question is_stale, const void *context, iso__wheel_slot *slot)
{
    iso__wheel_block *block = slot->first;
    uint32_t dropped = 0;

    slot->first = NULL;
    while (block != NULL) {
        iso__wheel_block copy = *block;
        uint64_t at;

        iso__wheel_give(wheel, allocator, block);
        for (at = 0; at < copy.count; at++) {
            if (is_stale(context, &copy.timers[at]))
                dropped++;
            else
                (void)iso__wheel_put(wheel, allocator, copy.timers[at]);
        }
        block = copy.next;
    }
    return dropped;
}

uint32_t iso__wheel_sweep(iso__wheel *wheel, const iso_allocator *allocator,
                          iso__wheel_question is_stale, const void *context)
{
    uint32_t dropped = 0;
    uint32_t level;
    uint32_t digit;

    for (level = 0; level < ISO__WHEEL_LEVELS; level++) {
        for (digit = 0; digit < ISO__WHEEL_SLOTS && wheel->occupied[level] != 0; digit++) {
            iso__wheel_slot *slot = &wheel->slots[level][digit];

            if (slot->first == NULL) continue;
            mark_empty(wheel, level, digit);
            dropped += sweep_slot(wheel, allocator, is_stale, context, slot);
        }
    }
    return dropped;
}

uint32_t iso__wheel_sweep_next(iso__wheel *wheel, const iso_allocator *allocator,
                               iso__wheel_question is_stale, const void *context)
{
    uint32_t dropped = 0;

    while (wheel->levels != 0) {
        uint32_t level = iso__lowest_bit(wheel->levels);
        uint32_t digit = iso__lowest_bit(wheel->occupied[level]);
        iso__wheel_slot *slot = &wheel->slots[level][digit];

        if (slot->first->next != NULL) break;
        mark_empty(wheel, level, digit);
        dropped += sweep_slot(wheel, allocator, is_stale, context, slot);
        if (slot->first != NULL) break;
    }
    return dropped;
}
