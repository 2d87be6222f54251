/* SPDX-License-Identifier: MIT */
/* What other threads have for the loop: a lock-free stack that the loop takes whole and turns
 * round, so that posts come out in the order in which they went in. */
#ifndef ISO_ENGINE_INBOX_H
#define ISO_ENGINE_INBOX_H

#include "base/atomic.h"
#include "engine/op.h"
#include "isoloop/loop.h"
#include "sys/thread.h"

/* A callback posted by another thread. */
typedef struct iso__post {
    iso__node node;
    iso_callback callback;
    void *arg;
    uint32_t index;
    iso__atomic_u32 next_free; /* index + 1 of the next one on the free list, 0 at its end */
} iso__post;

enum {
    ISO__POST_CHUNKS = 20, /* the first of 64 posts, each twice as large as the one before */
    ISO__FIRST_POST_CHUNK = 64
};

typedef struct iso__inbox {
    iso__atomic_ptr top;       /* iso__node, linked through link.next */
    iso__atomic_u32 is_asleep; /* whether a post must wake the loop: see iso__inbox_push */
    iso__atomic_u64 free;      /* a count of changes (against ABA) above, index + 1 below */
    iso__atomic_ptr chunks[ISO__POST_CHUNKS];
    uint32_t chunk_count; /* under `lock` */
    iso__mutex lock;
    const iso_allocator *allocator;
} iso__inbox;

void iso__inbox_init(iso__inbox *inbox, const iso_allocator *allocator);
void iso__inbox_close(iso__inbox *inbox);

/* Put in a node of the caller's. Answers whether the loop must be woken now: it is told once for
 * any number of posts, and not at all while the loop is awake and will look by itself. Thread:
 * any. */
bool iso__inbox_push(iso__inbox *inbox, iso__node *node);

/* A post from the pool; NULL: out of memory. And back. Thread: any. */
iso__post *iso__inbox_new_post(iso__inbox *inbox);
void iso__inbox_free_post(iso__inbox *inbox, iso__post *post);

/* Move everything to the end of `ready`, in order. Thread: loop. */
void iso__inbox_take(iso__inbox *inbox, iso__link *ready);

bool iso__inbox_is_empty(const iso__inbox *inbox);

/* The loop looks into the inbox before its next wait by itself; or has done so and may wait.
 * Thread: loop. */
void iso__inbox_set_awake(iso__inbox *inbox);
void iso__inbox_set_asleep(iso__inbox *inbox);

#endif
