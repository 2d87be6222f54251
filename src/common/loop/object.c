/* SPDX-License-Identifier: MIT */
#include "loop/object.h"

#include "base/alloc.h"
#include "loop/loop.h"

void *iso__object_new(iso_loop *loop, const iso__object_class *kind)
{
    iso__object *object = iso__alloc_zero(iso__loop_allocator(loop), kind->size);

    if (object == NULL) return NULL;
    object->kind = kind;
    object->loop = loop;
    object->references = 1;
    iso__loop_count_memory(loop);
    return object;
}

void iso__object_open(iso__object *object)
{
    object->references++;
    object->loop->object_count++;
    iso__list_push(&object->loop->objects, &object->link);
}

void iso__object_close(iso__object *object)
{
    if (!iso__object_is_open(object)) return;
    iso__list_remove(&object->link);
    object->loop->object_count--;
    iso__object_unref(object);
}

void iso__object_ref(iso__object *object)
{
    object->references++;
}

void iso__object_unref(iso__object *object)
{
    iso_loop *loop = object->loop;

    if (--object->references != 0) return;
    object->kind->finish(object);
    iso__free(iso__loop_allocator(loop), object, object->kind->size);
    iso__loop_uncount_memory(loop);
}
