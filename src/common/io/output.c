/* SPDX-License-Identifier: MIT */
#include "io/output.h"

#include "loop/loop.h"

#include <stddef.h>
#include <string.h>

/* So many of a driver that makes one for each write are kept. */
enum { KEPT = 64 };

static iso__spares *spares_of(iso_loop *loop)
{
    iso__spares *spares = &loop->outputs;

    if (spares->bytes == 0)
        iso__spares_init(spares, sizeof(iso__output),
                         loop->engine.driver->kind->sends_directly ? 0 : KEPT);
    return spares;
}

iso__output *iso__output_new(iso_loop *loop)
{
    iso__output *self = iso__spares_take(spares_of(loop), iso__loop_allocator(loop));

    if (self == NULL) return NULL;
    memset(self, 0, offsetof(iso__output, pieces));
    self->loop = loop;
    return self;
}

void iso__output_free(iso__output *self)
{
    iso_loop *loop = self->loop;
    const iso_allocator *allocator = iso__loop_allocator(loop);

    iso__byte_queue_clear(&self->queue, allocator);
    iso__spares_give(spares_of(loop), allocator, self);
}

static size_t total_of(const iso_buffer *list, size_t count)
{
    size_t total = 0;
    size_t at;

    for (at = 0; at < count; at++) {
        if (list[at].size > SIZE_MAX - total) return SIZE_MAX;
        total += list[at].size;
    }
    return total;
}

static void copy_in(iso__output *self, const iso_buffer *list, size_t count, size_t skip)
{
    size_t at;

    for (at = 0; at < count; at++) {
        size_t passed = skip < list[at].size ? skip : list[at].size;

        skip -= passed;
        if (passed == list[at].size) continue;
        memcpy(self->small + self->end, (const unsigned char *)list[at].data + passed,
               list[at].size - passed);
        self->end += list[at].size - passed;
    }
}

int iso__output_append(iso__output *self, const iso_buffer *list, size_t count, size_t skip)
{
    if (self->queue.size == 0 && total_of(list, count) - skip <= sizeof(self->small) - self->end) {
        copy_in(self, list, count, skip);
        return 0;
    }
    return iso__byte_queue_append(&self->queue, iso__loop_allocator(self->loop), list, count, skip);
}

void iso__output_aim(iso__output *self)
{
    size_t count = 0;

    if (self->begin < self->end) {
        self->pieces[0].data = self->small + self->begin;
        self->pieces[0].size = self->end - self->begin;
        count = 1;
    }
    count += iso__byte_queue_peek(&self->queue, self->pieces + count, ISO__SYS_SENDV_MAX - count);
    self->op.what.send.list = self->pieces;
    self->op.what.send.count = count;
}

void iso__output_take(iso__output *self, size_t size)
{
    size_t there = self->end - self->begin;
    size_t part = size < there ? size : there;

    self->begin += part;
    if (self->begin == self->end) {
        self->begin = 0;
        self->end = 0;
    }
    if (size > part)
        iso__byte_queue_take(&self->queue, iso__loop_allocator(self->loop), size - part);
}
