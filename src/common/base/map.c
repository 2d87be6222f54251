/* SPDX-License-Identifier: MIT */
#include "base/map.h"

#include "base/alloc.h"
#include "isoloop/error.h"

enum { FIRST_CAPACITY = 16 };

/* Descriptors are small and close together on POSIX, multiples of four on Windows: one odd factor
 * spreads both (Fibonacci hashing, Knuth 6.4). */
static size_t home_of(const iso__map *map, iso_fd key)
{
    uint64_t hash = (uint64_t)key * UINT64_C(0x9E3779B97F4A7C15);

    return (size_t)(hash >> 32) & (map->capacity - 1);
}

static size_t find(const iso__map *map, iso_fd key)
{
    size_t at = home_of(map, key);

    while (map->entries[at].value != NULL && map->entries[at].key != key)
        at = (at + 1) & (map->capacity - 1);
    return at;
}

static int grow(iso__map *map)
{
    iso__map old = *map;
    size_t at = 0;

    map->capacity = old.capacity == 0 ? FIRST_CAPACITY : old.capacity * 2;
    map->entries = iso__alloc_zero(map->allocator, map->capacity * sizeof(*map->entries));
    if (map->entries == NULL) {
        *map = old;
        return ISO_ENOMEM;
    }
    for (at = 0; at < old.capacity; at++) {
        if (old.entries[at].value != NULL)
            map->entries[find(map, old.entries[at].key)] = old.entries[at];
    }
    iso__free(old.allocator, old.entries, old.capacity * sizeof(*old.entries));
    return 0;
}

void iso__map_init(iso__map *map, const iso_allocator *allocator)
{
    map->entries = NULL;
    map->capacity = 0;
    map->count = 0;
    map->allocator = allocator;
}

void iso__map_close(iso__map *map)
{
    iso__free(map->allocator, map->entries, map->capacity * sizeof(*map->entries));
    iso__map_init(map, map->allocator);
}

void *iso__map_get(const iso__map *map, iso_fd key)
{
    return map->count == 0 ? NULL : map->entries[find(map, key)].value;
}

int iso__map_set(iso__map *map, iso_fd key, void *value)
{
    size_t at;

    if (map->capacity == 0 || (map->count + 1) * 4 > map->capacity * 3) {
        int rc = grow(map);
        if (rc != 0) return rc;
    }
    at = find(map, key);
    if (map->entries[at].value == NULL) map->count++;
    map->entries[at].key = key;
    map->entries[at].value = value;
    return 0;
}

void *iso__map_remove(iso__map *map, iso_fd key)
{
    size_t mask = map->capacity - 1;
    size_t hole;
    size_t at;
    void *value;

    if (map->count == 0) return NULL;
    hole = find(map, key);
    value = map->entries[hole].value;
    if (value == NULL) return NULL;
    /* Move back each later entry of the run whose home is not between the hole and itself. */
    for (at = (hole + 1) & mask; map->entries[at].value != NULL; at = (at + 1) & mask) {
        if (((at - home_of(map, map->entries[at].key)) & mask) >= ((at - hole) & mask)) {
            map->entries[hole] = map->entries[at];
            hole = at;
        }
    }
    map->entries[hole].value = NULL;
    map->count--;
    return value;
}

void *iso__map_next(const iso__map *map, size_t *at)
{
    while (*at < map->capacity) {
        void *value = map->entries[(*at)++].value;
        if (value != NULL) return value;
    }
    return NULL;
}
