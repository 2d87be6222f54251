/* SPDX-License-Identifier: MIT */
#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

static void *default_resize(void *context, void *pointer, size_t old_size, size_t new_size)
{
    (void)context;
    (void)old_size;
    if (new_size == 0) {
        free(pointer);
        return NULL;
    }
    return realloc(pointer, new_size);
}

const iso_allocator iso__default_allocator = { default_resize, NULL };

void *iso__alloc(const iso_allocator *allocator, size_t size)
{
    return allocator->resize(allocator->context, NULL, 0, size);
}

void *iso__alloc_zero(const iso_allocator *allocator, size_t size)
{
    void *pointer = iso__alloc(allocator, size);

    if (pointer != NULL) memset(pointer, 0, size);
    return pointer;
}

void *iso__realloc(const iso_allocator *allocator, void *pointer, size_t old_size, size_t new_size)
{
    return allocator->resize(allocator->context, pointer, old_size, new_size);
}

void iso__free(const iso_allocator *allocator, void *pointer, size_t size)
{
    if (pointer != NULL) allocator->resize(allocator->context, pointer, size, 0);
}

char *iso__alloc_string(const iso_allocator *allocator, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = iso__alloc(allocator, size);

    if (copy != NULL) memcpy(copy, text, size);
    return copy;
}
