/* SPDX-License-Identifier: MIT */
/* Choosing a backend by name. */
#ifndef ISO_LOOP_BACKENDS_H
#define ISO_LOOP_BACKENDS_H

#include "engine/driver.h"
#include "engine/selector.h"

/* One of the three. */
typedef struct iso__backend_choice {
    const iso__proactor *proactor;
    const iso__poller *poller;
    iso_selector *selector; /* the caller's own */
} iso__backend_choice;

/* Find what `backend` names (NULL: ISOLOOP_LOOP, else the best). `is_native`: documents do not
 * count, only what the system can do. Returns 0, or ISO_ENOTSUP with a detail that lists what there
 * is. */
int iso__backend_choose(iso__backend_choice *out, const char *backend, bool is_native);

#endif
