/* SPDX-License-Identifier: MIT */
/* Objects with a life of their own: transports, servers, futures, operations under way. They are
 * counted, the loop holds one reference while they are open, and a loop's memory stays until the
 * last of them is gone. Thread: loop, throughout. */
#ifndef ISO_LOOP_OBJECT_H
#define ISO_LOOP_OBJECT_H

#include "base/list.h"
#include "isoloop/loop.h"

typedef struct iso__object iso__object;

typedef struct iso__object_class {
    const char *name;
    /* The loop closes: end what is under way, and give the loop's reference back. */
    void (*abandon)(iso__object *object);
    /* The last reference is gone: free what it owns, not the object itself. */
    void (*finish)(iso__object *object);
    size_t size; /* of the whole object */
} iso__object_class;

struct iso__object {
    iso__link link; /* among the open objects of the loop, or of a server */
    const iso__object_class *kind;
    iso_loop *loop;
    uint32_t references;
};

/* A zeroed object with one reference, the caller's; not open. NULL: out of memory. */
void *iso__object_new(iso_loop *loop, const iso__object_class *kind);

/* Open it: the loop holds a reference from here on; and close it again. */
void iso__object_open(iso__object *object);
void iso__object_close(iso__object *object);
static inline bool iso__object_is_open(const iso__object *object)
{
    return iso__link_is_in(&object->link);
}

void iso__object_ref(iso__object *object);
void iso__object_unref(iso__object *object);

#endif
