/* SPDX-License-Identifier: MIT */
/* Memory, from the allocator that the program chose. */
#ifndef ISO_BASE_ALLOC_H
#define ISO_BASE_ALLOC_H

#include "isoloop/base.h"

/* malloc, realloc and free of the C library. */
extern const iso_allocator iso__default_allocator;

/* `size` bytes, or NULL. The sizes of what is freed or resized are the caller's to know.
 * Thread: any that the allocator is safe for. */
void *iso__alloc(const iso_allocator *allocator, size_t size);

/* The same, all zero. */
void *iso__alloc_zero(const iso_allocator *allocator, size_t size);

/* Resize; NULL leaves `pointer` as it was. */
void *iso__realloc(const iso_allocator *allocator, void *pointer, size_t old_size, size_t new_size);

/* Free; NULL is fine. */
void iso__free(const iso_allocator *allocator, void *pointer, size_t size);

/* A copy of a string, or NULL; free it with strlen + 1. */
char *iso__alloc_string(const iso_allocator *allocator, const char *text);

#endif
