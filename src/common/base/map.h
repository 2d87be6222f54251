/* SPDX-License-Identifier: MIT */
/* A map from descriptors to pointers: open addressing, linear probing, deletion by shifting back,
 * so that it never fills with tombstones. It grows at three quarters and does not shrink. */
#ifndef ISO_BASE_MAP_H
#define ISO_BASE_MAP_H

#include "isoloop/base.h"

typedef struct iso__map_entry {
    iso_fd key;
    void *value; /* NULL: a free place */
} iso__map_entry;

typedef struct iso__map {
    iso__map_entry *entries;
    size_t capacity; /* 0, or a power of two */
    size_t count;
    const iso_allocator *allocator;
} iso__map;

void iso__map_init(iso__map *map, const iso_allocator *allocator);
void iso__map_close(iso__map *map);

/* The value, or NULL. */
void *iso__map_get(const iso__map *map, iso_fd key);

/* Set a value that is not NULL, in the place of an older one. Returns 0 or ISO_ENOMEM. */
int iso__map_set(iso__map *map, iso_fd key, void *value);

/* The value taken out, or NULL when there was none. Never allocates. */
void *iso__map_remove(iso__map *map, iso_fd key);

/* The first value at or after place *at, and *at behind it; NULL at the end. Start with 0; the map
 * may not change meanwhile. */
void *iso__map_next(const iso__map *map, size_t *at);

#endif
