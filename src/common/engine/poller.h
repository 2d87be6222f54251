/* SPDX-License-Identifier: MIT */
/* Seam 1: pollers. Readiness only: a poller returns data and calls nobody.
 *
 * The contract of a poller is iso_selector_class in the public selector.h, so that a program can
 * bring one of its own; tests/engine/test_poller.c runs it, sentence by sentence, on every poller
 * there is. This header says which ones were compiled in. */
#ifndef ISO_ENGINE_POLLER_H
#define ISO_ENGINE_POLLER_H

#include "isoloop/loop.h"
#include "isoloop/selector.h"

/* Which selector rows of the limits table a poller is subject to. */
typedef enum iso__poller_id {
    ISO__POLLER_CUSTOM = 0, /* a caller's own */
    ISO__POLLER_EPOLL,
    ISO__POLLER_KQUEUE,
    ISO__POLLER_POLL,
    ISO__POLLER_SELECT
} iso__poller_id;

/* One poller of this build. open returns 0 and gives *self, or ISO_ENOMEM, ISO_EMFILE, ISO_ENFILE,
 * or ISO_ENOTSUP where the running system lacks it. */
typedef struct iso__poller {
    const char *name;
    iso__poller_id id;
    const iso_selector_class *kind;
    int (*open)(void **self, const iso_allocator *allocator);
} iso__poller;

/* The pollers of this build, the best first, NULL at the end: src/posix/table.c,
 * src/win32/table.c. */
extern const iso__poller *const iso__poller_table[];

extern const iso__poller iso__poller_epoll;
extern const iso__poller iso__poller_kqueue;
extern const iso__poller iso__poller_poll;
extern const iso__poller iso__poller_select;

/* Every backend that the library knows, compiled in or not; `name` NULL at the end. In the same
 * files. Whether the running system has what a proactor needs, iso__proactor.missing says. */
extern const iso_backend iso__backend_table[];

/* The platform that this build is for, as a bit that the rows of the limits table name. */
extern const unsigned iso__platform;

#endif
