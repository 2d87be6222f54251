/* SPDX-License-Identifier: MIT */
#include "engine/soon.h"

#include "base/alloc.h"
#include "isoloop/error.h"

#include <string.h>

void iso__soon_init(iso__soon *soon, iso__link *ready,
                    void (*run)(iso__engine *engine, iso__node *node))
{
    memset(soon, 0, sizeof(*soon));
    soon->ready = ready;
    soon->run = run;
}

void iso__soon_close(iso__soon *soon, const iso_allocator *allocator)
{
    uint32_t at;

    for (at = 0; at < soon->count; at++) iso__free(allocator, soon->all[at], sizeof(**soon->all));
    iso__free(allocator, soon->all, soon->capacity * sizeof(*soon->all));
    iso__soon_init(soon, soon->ready, soon->run);
}

static int grow_directory(iso__soon *soon, const iso_allocator *allocator)
{
    uint32_t capacity = soon->capacity == 0 ? 8 : soon->capacity * 2;
    iso__soon_batch **all;

    if (capacity > ISO__SOON_HANDLE / ISO__SOON_PER_BATCH) return ISO_ENOMEM;
    all =
        iso__realloc(allocator, soon->all, soon->capacity * sizeof(*all), capacity * sizeof(*all));
    if (all == NULL) return ISO_ENOMEM;
    soon->all = all;
    soon->capacity = capacity;
    return 0;
}

static iso__soon_batch *new_batch(iso__soon *soon, const iso_allocator *allocator)
{
    iso__soon_batch *batch;

    if (soon->count == soon->capacity && grow_directory(soon, allocator) != 0) return NULL;
    batch = iso__alloc_zero(allocator, sizeof(*batch));
    if (batch == NULL) return NULL;
    batch->node.run = soon->run;
    batch->number = soon->count;
    batch->generation = 1;
    soon->all[soon->count++] = batch;
    return batch;
}

int iso__soon_open(iso__soon *soon, const iso_allocator *allocator)
{
    iso__soon_batch *batch = soon->free;

    if (batch != NULL)
        soon->free = batch->next_free;
    else
        batch = new_batch(soon, allocator);
    if (batch == NULL) return ISO_ENOMEM;
    batch->count = 0;
    batch->waiting = 0;
    iso__list_push(soon->ready, &batch->node.link);
    soon->open = &batch->node.link;
    return 0;
}

void iso__soon_give(iso__soon *soon, iso__soon_batch *batch)
{
    if (++batch->generation == 0) batch->generation = 1;
    batch->next_free = soon->free;
    soon->free = batch;
}

static iso__soon_batch *find_batch(const iso__soon *soon, iso_handle handle)
{
    uint32_t number = (handle.slot & ~ISO__SOON_HANDLE) / ISO__SOON_PER_BATCH;
    uint32_t at = handle.slot % ISO__SOON_PER_BATCH;
    iso__soon_batch *batch;

    if (number >= soon->count) return NULL;
    batch = soon->all[number];
    return batch->generation == handle.generation && at < batch->count &&
                   batch->entries[at].callback != NULL
               ? batch
               : NULL;
}

const iso__soon_entry *iso__soon_find(const iso__soon *soon, iso_handle handle)
{
    const iso__soon_batch *batch = find_batch(soon, handle);

    return batch != NULL ? &batch->entries[handle.slot % ISO__SOON_PER_BATCH] : NULL;
}

int iso__soon_cancel(iso__soon *soon, iso_handle handle)
{
    iso__soon_batch *batch = find_batch(soon, handle);

    if (batch == NULL) return ISO_ENOENT;
    batch->entries[handle.slot % ISO__SOON_PER_BATCH].callback = NULL;
    if (--batch->waiting > 0 || !iso__link_is_in(&batch->node.link)) return 0;
    iso__list_remove(&batch->node.link);
    iso__soon_give(soon, batch);
    return 0;
}
