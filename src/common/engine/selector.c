/* SPDX-License-Identifier: MIT */
#include "engine/selector.h"

#include "base/alloc.h"
#include "base/error.h"

#include <stdio.h>
#include <string.h>

/* What register keeps: Python's SelectorKey. It is the poller's token. */
typedef struct selector_key {
    iso_fd fd;
    unsigned events;
    void *data;
} selector_key;

const iso__poller *iso__poller_find(const char *name)
{
    const iso__poller *const *at;

    for (at = iso__poller_table; *at != NULL; at++) {
        if (name == NULL || strcmp((*at)->name, name) == 0) return *at;
    }
    return NULL;
}

static int refuse_name(const char *name)
{
    char there[128] = "";
    const iso__poller *const *at;

    for (at = iso__poller_table; *at != NULL; at++) {
        size_t used = strlen(there);
        (void)snprintf(there + used, sizeof(there) - used, "%s%s", used == 0 ? "" : ", ",
                       (*at)->name);
    }
    return iso__error_set(ISO_ENOTSUP, "%.64s is not a selector of this platform; there are: %s",
                          name, there);
}

static iso_selector *new_selector(const iso_selector_class *kind, iso__poller_id id,
                                  const iso_allocator *allocator)
{
    iso_selector *selector = iso__alloc_zero(allocator, sizeof(*selector));

    if (selector == NULL) return NULL;
    selector->kind = kind;
    selector->id = id;
    selector->allocator = *allocator;
    iso__map_init(&selector->keys, &selector->allocator);
    return selector;
}

int iso__selector_open(iso_selector **out, const char *name, const iso_allocator *allocator)
{
    const iso__poller *poller = iso__poller_find(name);
    iso_selector *selector;
    int rc;

    if (poller == NULL) return refuse_name(name);
    selector = new_selector(poller->kind, poller->id, allocator);
    if (selector == NULL) return ISO_ENOMEM;
    rc = poller->open(&selector->self, &selector->allocator);
    if (rc != 0) {
        iso__free(allocator, selector, sizeof(*selector));
        return rc;
    }
    *out = selector;
    return 0;
}

int iso_selector_new(iso_selector **out, const char *name)
{
    if (out == NULL) return ISO_EINVAL;
    return iso__selector_open(out, name, &iso__default_allocator);
}

int iso_selector_new_custom(iso_selector **out, const iso_selector_class *kind, void *self)
{
    iso_selector *selector;

    if (out == NULL || kind == NULL || kind->name == NULL || kind->set == NULL ||
        kind->wait == NULL || kind->descriptor == NULL || kind->close == NULL)
        return ISO_EINVAL;
    selector = new_selector(kind, ISO__POLLER_CUSTOM, &iso__default_allocator);
    if (selector == NULL) return ISO_ENOMEM;
    selector->self = self;
    *out = selector;
    return 0;
}

const char *iso_selector_name(const iso_selector *selector)
{
    return selector->kind->name;
}

static bool are_events(unsigned events)
{
    return events != 0 && (events & ~(ISO_EVENT_READ | ISO_EVENT_WRITE)) == 0;
}

int iso_selector_register(iso_selector *selector, iso_fd fd, unsigned events, void *data)
{
    selector_key *key;
    int rc;

    if (!are_events(events)) return ISO_EINVAL;
    if (selector->is_taken) return ISO_EBUSY;
    if (iso__map_get(&selector->keys, fd) != NULL) return ISO_EEXIST;
    key = iso__alloc(&selector->allocator, sizeof(*key));
    if (key == NULL) return ISO_ENOMEM;
    key->fd = fd;
    key->events = events;
    key->data = data;
    rc = iso__map_set(&selector->keys, fd, key);
    if (rc != 0) goto fail_map;
    rc = selector->kind->set(selector->self, fd, 0, events, key);
    if (rc != 0) goto fail_set;
    return 0;
fail_set:
    (void)iso__map_remove(&selector->keys, fd);
fail_map:
    iso__free(&selector->allocator, key, sizeof(*key));
    return rc;
}

int iso_selector_modify(iso_selector *selector, iso_fd fd, unsigned events, void *data)
{
    selector_key *key = iso__map_get(&selector->keys, fd);
    int rc = 0;

    if (!are_events(events)) return ISO_EINVAL;
    if (key == NULL) return ISO_ENOENT;
    if (key->events != events)
        rc = selector->kind->set(selector->self, fd, key->events, events, key);
    if (rc != 0) return rc;
    key->events = events;
    key->data = data;
    return 0;
}

int iso_selector_unregister(iso_selector *selector, iso_fd fd)
{
    selector_key *key = iso__map_remove(&selector->keys, fd);

    if (key == NULL) return ISO_ENOENT;
    (void)selector->kind->set(selector->self, fd, key->events, 0, key);
    iso__free(&selector->allocator, key, sizeof(*key));
    return 0;
}

int iso_selector_select(iso_selector *selector, iso_nsec timeout, iso_selector_event *events,
                        int max)
{
    int count;
    int at;

    if (events == NULL || max <= 0) return ISO_EINVAL;
    if (selector->is_taken) return ISO_EBUSY;
    count = selector->kind->wait(selector->self, timeout < 0 ? 0 : timeout, events, max);
    for (at = 0; at < count; at++) {
        selector_key *key = events[at].token;

        events[at].token = key->data;
        if ((events[at].events & ISO_EVENT_GONE) != 0)
            key->events = 0; /* the poller has forgotten it: to modify it is to add it */
        else
            events[at].events &= key->events | ISO_EVENT_ERROR;
    }
    return count;
}

void iso_selector_close(iso_selector *selector)
{
    iso_allocator allocator;
    selector_key *key;
    size_t at = 0;

    if (selector == NULL) return;
    allocator = selector->allocator;
    selector->kind->close(selector->self);
    while ((key = iso__map_next(&selector->keys, &at)) != NULL)
        iso__free(&allocator, key, sizeof(*key));
    iso__map_close(&selector->keys);
    iso__free(&allocator, selector, sizeof(*selector));
}
