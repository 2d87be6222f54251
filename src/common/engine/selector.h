/* SPDX-License-Identifier: MIT */
/* The inside of the public iso_selector: a poller that somebody opened. */
#ifndef ISO_ENGINE_SELECTOR_H
#define ISO_ENGINE_SELECTOR_H

#include "base/map.h"
#include "engine/poller.h"

struct iso_selector {
    const iso_selector_class *kind;
    void *self;
    iso__poller_id id;
    iso_allocator allocator;
    iso__map keys; /* of what was registered by iso_selector_register */
    bool is_taken; /* by a loop: the public functions leave it alone */
};

/* As iso_selector_new, with memory from an allocator. */
int iso__selector_open(iso_selector **out, const char *name, const iso_allocator *allocator);

/* The poller with this name; NULL name: the best one; NULL: this build has none of that name. */
const iso__poller *iso__poller_find(const char *name);

#endif
