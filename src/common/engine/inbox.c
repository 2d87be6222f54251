/* SPDX-License-Identifier: MIT */
#include "engine/inbox.h"

#include "base/alloc.h"
#include "isoloop/error.h"

#include <string.h>

void iso__inbox_init(iso__inbox *inbox, const iso_allocator *allocator)
{
    memset(inbox, 0, sizeof(*inbox));
    inbox->allocator = allocator;
    iso__atomic_store_u32(&inbox->is_asleep, 1);
    iso__sys_mutex_init(&inbox->lock);
}

static size_t chunk_bytes(uint32_t chunk)
{
    return ((size_t)ISO__FIRST_POST_CHUNK << chunk) * sizeof(iso__post);
}

void iso__inbox_close(iso__inbox *inbox)
{
    uint32_t at;

    for (at = 0; at < inbox->chunk_count; at++)
        iso__free(inbox->allocator, iso__atomic_load_ptr(&inbox->chunks[at]), chunk_bytes(at));
    inbox->chunk_count = 0;
    iso__sys_mutex_close(&inbox->lock);
}

/* ---- the free list ---- */

static iso__post *post_at(const iso__inbox *inbox, uint32_t index)
{
    uint32_t chunk = 0;
    uint32_t size = ISO__FIRST_POST_CHUNK;

    while (index >= size) {
        index -= size;
        size *= 2;
        chunk++;
    }
    return (iso__post *)iso__atomic_load_ptr(&inbox->chunks[chunk]) + index;
}

static uint64_t next_head(uint64_t head, uint32_t first)
{
    return (head & UINT64_C(0xFFFFFFFF00000000)) + (UINT64_C(1) << 32) + first;
}

void iso__inbox_free_post(iso__inbox *inbox, iso__post *post)
{
    uint64_t head = iso__atomic_load_u64(&inbox->free);

    do {
        iso__atomic_store_u32(&post->next_free, (uint32_t)head);
    } while (!iso__atomic_cas_u64(&inbox->free, &head, next_head(head, post->index + 1)));
}

static iso__post *take_free(iso__inbox *inbox)
{
    uint64_t head = iso__atomic_load_u64(&inbox->free);

    while ((uint32_t)head != 0) {
        iso__post *post = post_at(inbox, (uint32_t)head - 1);

        if (iso__atomic_cas_u64(&inbox->free, &head,
                                next_head(head, iso__atomic_load_u32(&post->next_free))))
            return post;
    }
    return NULL;
}

/* Under the lock. All of a new chunk but its first post goes on the free list; that one is
 * answered. */
static iso__post *add_chunk(iso__inbox *inbox)
{
    uint32_t chunk = inbox->chunk_count;
    uint32_t size = (uint32_t)ISO__FIRST_POST_CHUNK << chunk;
    uint32_t first = size - ISO__FIRST_POST_CHUNK; /* 64 + 128 + ... before it */
    iso__post *posts;
    uint32_t at;

    if (chunk == ISO__POST_CHUNKS) return NULL;
    posts = iso__alloc_zero(inbox->allocator, chunk_bytes(chunk));
    if (posts == NULL) return NULL;
    iso__atomic_store_ptr(&inbox->chunks[chunk], posts);
    inbox->chunk_count++;
    for (at = 0; at < size; at++) posts[at].index = first + at;
    for (at = size - 1; at > 0; at--) iso__inbox_free_post(inbox, &posts[at]);
    return &posts[0];
}

iso__post *iso__inbox_new_post(iso__inbox *inbox)
{
    iso__post *post = take_free(inbox);

    if (post != NULL) return post;
    iso__sys_mutex_lock(&inbox->lock);
    post = take_free(inbox); /* another thread may have added a chunk meanwhile */
    if (post == NULL) post = add_chunk(inbox);
    iso__sys_mutex_unlock(&inbox->lock);
    return post;
}

/* ---- the stack ---- */

bool iso__inbox_push(iso__inbox *inbox, iso__node *node)
{
    void *top = iso__atomic_load_ptr(&inbox->top);

    do {
        node->link.next = top;
    } while (!iso__atomic_cas_ptr(&inbox->top, &top, &node->link));
    /* Either the loop sees the node when it looks before it waits, or this sees that it is asleep:
     * both write first and read then, in one order for all (Dekker). The first to see it wakes
     * it. */
    return iso__atomic_load_u32(&inbox->is_asleep) != 0 &&
           iso__atomic_exchange_u32(&inbox->is_asleep, 0) != 0;
}

void iso__inbox_take(iso__inbox *inbox, iso__link *ready)
{
    iso__link *at = iso__atomic_load_ptr(&inbox->top);
    iso__link *first = NULL;

    if (at == NULL) return;
    at = iso__atomic_exchange_ptr(&inbox->top, NULL);
    while (at != NULL) { /* the last one in lies on top */
        iso__link *below = at->next;

        at->next = first;
        first = at;
        at = below;
    }
    while (first != NULL) {
        iso__link *next = first->next;

        iso__list_push(ready, first);
        first = next;
    }
}

bool iso__inbox_is_empty(const iso__inbox *inbox)
{
    return iso__atomic_load_ptr(&inbox->top) == NULL;
}

void iso__inbox_set_awake(iso__inbox *inbox)
{
    iso__atomic_store_u32(&inbox->is_asleep, 0);
}

void iso__inbox_set_asleep(iso__inbox *inbox)
{
    iso__atomic_store_u32(&inbox->is_asleep, 1);
}
