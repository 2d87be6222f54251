/* SPDX-License-Identifier: MIT */
/* Selectors: waiting until descriptors are ready. Python's `selectors` module is the model.
 *
 * A selector can be used by itself, or be handed to a loop (iso_loop_options.selector). A program
 * can bring its own kind: iso_selector_class is the table that the built-in ones fill as well. */
#ifndef ISOLOOP_SELECTOR_H
#define ISOLOOP_SELECTOR_H

#include "base.h"

ISO_BEGIN_DECLS

/* What to wait for, and what came. ERROR is never asked for: it comes with READ and WRITE when a
 * descriptor is in error or hung up, and GONE when it was closed while it was registered. */
#define ISO_EVENT_READ 1u
#define ISO_EVENT_WRITE 2u
#define ISO_EVENT_ERROR 4u
#define ISO_EVENT_GONE 8u

typedef struct iso_selector iso_selector;

typedef struct iso_selector_event {
    void *token;
    unsigned events;
} iso_selector_event;

/* What a kind of selector does. It returns data and calls nobody; one thread uses it at a time.
 * Every slot is filled; `name` is what iso_selector_name answers. */
typedef struct iso_selector_class {
    const char *name;
    /* Wait for `events` (READ, WRITE, both, or 0 = forget) of `fd`, level-triggered; `token` comes
     * back with them and may change with every call. `was` is what this fd was last set to, 0 when
     * it is new.
     * Returns 0, or a refusal that leaves everything as it was: ISO_EBADF for a closed descriptor,
     * ISO_EREGULARFILE, ISO_ENOTSOCK or ISO_ENOTSUP for what it can't wait for, ISO_ELIMIT where it
     * has no place left, ISO_ENOMEM. Forgetting (events == 0) always succeeds. */
    int (*set)(void *self, iso_fd fd, unsigned was, unsigned events, void *token);
    /* Wait at most `timeout` ns (0: look only; ISO_FOREVER: no end) and write at most `max` events.
     * Never returns early but for events, a signal, or the end of a day; a descriptor that was
     * closed meanwhile is forgotten, and told as READ|WRITE|ERROR|GONE where the system lets one
     * see it. One descriptor may be told of twice, once for READ and once for WRITE (kqueue).
     * Returns how many, 0 for none, or ISO_ENOMEM and the like. */
    int (*wait)(void *self, iso_nsec timeout, iso_selector_event *events, int max);
    /* A descriptor that is readable when wait would have something to tell, for use in another
     * loop; ISO_FD_NONE when this kind has none. (Python's fileno is a macro in some <stdio.h>.) */
    iso_fd (*descriptor)(void *self);
    /* Free everything. The registered descriptors stay open. */
    void (*close)(void *self);
} iso_selector_class;

/* Make a selector: "epoll", "kqueue", "poll", "select", or NULL for the best of this platform.
 * Returns 0, ISO_ENOTSUP (the name is not one of this platform's: iso_error_detail lists them),
 * ISO_ENOMEM or ISO_EMFILE. Thread: any; then one at a time.
 * Ownership: the caller owns *out until iso_selector_close, or until a loop takes it over.
 * Source: Python selectors.DefaultSelector, EpollSelector, ... */
ISO_API int iso_selector_new(iso_selector **out, const char *name);

/* Make a selector of the caller's own kind. `self` is handed to every function of `kind` and is
 * given to the selector: its close frees it.
 * Returns 0, ISO_EINVAL (an empty slot), ISO_ENOMEM (`self` is still the caller's). Thread: any. */
ISO_API int iso_selector_new_custom(iso_selector **out, const iso_selector_class *kind, void *self);

/* The name of its kind. Thread: any. */
ISO_API const char *iso_selector_name(const iso_selector *selector);

/* Register `fd` for `events`; `data` comes back with them.
 * Returns 0, ISO_EEXIST (registered already), ISO_EBUSY (a loop has the selector), ISO_EINVAL (no
 * or unknown events), or a refusal of the class. Source: selectors.BaseSelector.register. */
ISO_API int iso_selector_register(iso_selector *selector, iso_fd fd, unsigned events, void *data);

/* Change what a registered `fd` waits for.
 * Returns 0, ISO_ENOENT (not registered), ISO_EINVAL, or a refusal of the class.
 * Source: selectors.BaseSelector.modify. */
ISO_API int iso_selector_modify(iso_selector *selector, iso_fd fd, unsigned events, void *data);

/* Forget `fd`. Returns 0 or ISO_ENOENT. Source: selectors.BaseSelector.unregister. */
ISO_API int iso_selector_unregister(iso_selector *selector, iso_fd fd);

/* Wait at most `timeout` ns and write at most `max` events.
 * Returns how many, 0 when the time is over, ISO_EBUSY (a loop has it), or an error. Source:
 * selectors.BaseSelector.select. */
ISO_API int iso_selector_select(iso_selector *selector, iso_nsec timeout,
                                iso_selector_event *events, int max);

/* Free the selector; NULL is fine. Not for one that a loop has taken over. */
ISO_API void iso_selector_close(iso_selector *selector);

ISO_END_DECLS

#endif
