/* SPDX-License-Identifier: MIT */
/* The buffers that receives choose from: the kernel takes one when there is something to put in, so
 * that a connection that idles pins none. They are few at first, and twice as many whenever they
 * ran dry. */
#include "uring.h"

#include "base/alloc.h"

#include <string.h>
#include <sys/mman.h>

static size_t ring_bytes(const iso__uring_buffers *self)
{
    return self->entries * sizeof(iso__uring_buf);
}

/* ---- making ---- */

static int add_chunk(iso__uring *driver, uint32_t count)
{
    iso__uring_buffers *self = &driver->buffers;
    const iso_allocator *allocator = driver->base.allocator;
    size_t bytes = (size_t)count * self->bytes;
    size_t before = self->count * sizeof(*self->all);
    unsigned char *memory = iso__alloc(allocator, bytes);
    iso__uring_buffer *all;
    uint32_t at;

    if (memory == NULL) return ISO_ENOMEM;
    all = iso__realloc(allocator, self->all, before, before + count * sizeof(*all));
    if (all == NULL) {
        iso__free(allocator, memory, bytes);
        return ISO_ENOMEM;
    }
    self->all = all;
    self->chunks[self->chunk_count].memory = memory;
    self->chunks[self->chunk_count].bytes = bytes;
    self->chunk_count++;
    for (at = 0; at < count; at++) {
        int32_t index = (int32_t)self->count++;

        all[index].data = memory + (size_t)at * self->bytes;
        all[index].is_out = true;
        iso__buffers_give(driver, index);
    }
    return 0;
}

/* The ring is memory of its own: the kernel pins its pages, so that a forked child must not have
 * them. */
int iso__buffers_open(iso__uring *driver)
{
    iso__uring_buffers *self = &driver->buffers;
    void *at;
    int rc;

    if (self->ring != NULL) return 0;
    self->bytes = driver->sizes.buffer_bytes;
    self->entries = driver->sizes.buffer_entries;
    at = mmap(NULL, ring_bytes(self), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) return ISO_ENOMEM;
    (void)madvise(at, ring_bytes(self), MADV_DONTFORK);
    self->ring = at;
    rc = add_chunk(driver, driver->sizes.first_buffers);
    if (rc != 0) iso__buffers_free(driver);
    return rc;
}

static void put(iso__uring_buffers *self, int32_t index)
{
    iso__uring_buf *entry = &self->ring[self->tail & (self->entries - 1)];

    entry->addr = (uint64_t)(uintptr_t)self->all[index].data;
    entry->len = self->bytes;
    entry->bid = (uint16_t)index;
    self->tail++;
    atomic_store_explicit(&self->ring[0].tail, self->tail, memory_order_release);
}

/* A ring that is registered anew begins at its first place, whatever an older one had consumed. */
bool iso__buffers_register(iso__uring *driver)
{
    iso__uring_buffers *self = &driver->buffers;
    iso__uring_buf_reg reg;
    uint32_t at;

    if (self->is_registered) return true;
    if (iso__buffers_open(driver) != 0) return false;
    memset(&reg, 0, sizeof(reg));
    reg.ring_addr = (uint64_t)(uintptr_t)self->ring;
    reg.ring_entries = self->entries;
    if (iso__ring_register(&driver->ring, ISO__URING_REGISTER_PBUF_RING, &reg, 1) != 0)
        return false;
    self->is_registered = true;
    self->tail = 0;
    for (at = 0; at < self->count; at++) {
        if (!self->all[at].is_out) put(self, (int32_t)at);
    }
    return true;
}

bool iso__buffers_grow(iso__uring *driver)
{
    iso__uring_buffers *self = &driver->buffers;

    if (self->count * 2 > self->entries || self->chunk_count == ISO__BUFFER_CHUNKS) return false;
    return add_chunk(driver, self->count) == 0;
}

void iso__buffers_give(iso__uring *driver, int32_t index)
{
    iso__uring_buffers *self = &driver->buffers;

    self->all[index].is_out = false;
    if (self->is_registered) put(self, index);
}

void iso__buffers_free(iso__uring *driver)
{
    iso__uring_buffers *self = &driver->buffers;
    const iso_allocator *allocator = driver->base.allocator;

    if (self->ring == NULL) return;
    while (self->chunk_count > 0) {
        self->chunk_count--;
        iso__free(allocator, self->chunks[self->chunk_count].memory,
                  self->chunks[self->chunk_count].bytes);
    }
    iso__free(allocator, self->all, self->count * sizeof(*self->all));
    (void)munmap(self->ring, ring_bytes(self));
    memset(self, 0, sizeof(*self));
}
