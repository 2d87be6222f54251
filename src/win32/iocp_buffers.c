/* SPDX-License-Identifier: MIT */
/* The memory that receives are lent. A few buffers of each size are kept, so that a steady state
 * allocates nothing; what is more goes back to the allocator. */
#include "iocp.h"

#include "base/alloc.h"

#include <string.h>

/* What is kept of free ones at most. */
enum { KEPT_BYTES = 1024 * 1024 };

unsigned iso__buffer_level(size_t bytes)
{
    unsigned level = 0;

    while (level + 1 < ISO__BUFFER_LEVELS && iso__buffer_size(level) < bytes) level++;
    return level;
}

unsigned char *iso__buffer_take(iso__iocp *self, unsigned level)
{
    unsigned char *buffer = self->buffers[level];

    if (buffer == NULL) return iso__alloc(self->base.allocator, iso__buffer_size(level));
    memcpy(&self->buffers[level], buffer, sizeof(self->buffers[level]));
    self->buffer_bytes -= iso__buffer_size(level);
    return buffer;
}

void iso__buffer_give(iso__iocp *self, unsigned char *buffer, unsigned level)
{
    if (buffer == NULL) return;
    if (self->buffer_bytes + iso__buffer_size(level) > KEPT_BYTES) {
        iso__free(self->base.allocator, buffer, iso__buffer_size(level));
        return;
    }
    memcpy(buffer, &self->buffers[level], sizeof(self->buffers[level]));
    self->buffers[level] = buffer;
    self->buffer_bytes += iso__buffer_size(level);
}

void iso__buffers_free(iso__iocp *self)
{
    unsigned level;

    for (level = 0; level < ISO__BUFFER_LEVELS; level++) {
        while (self->buffers[level] != NULL)
            iso__free(self->base.allocator, iso__buffer_take(self, level), iso__buffer_size(level));
    }
}
