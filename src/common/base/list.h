/* SPDX-License-Identifier: MIT */
/* A doubly linked ring whose links are embedded in the objects: nothing is allocated, and any
 * member is taken out in one step. The head is a link itself. A link that is in no list points to
 * NULL. */
#ifndef ISO_BASE_LIST_H
#define ISO_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

typedef struct iso__link iso__link;
struct iso__link {
    iso__link *next;
    iso__link *prev;
};

static inline void iso__list_init(iso__link *head)
{
    head->next = head;
    head->prev = head;
}

static inline bool iso__list_empty(const iso__link *head)
{
    return head->next == head;
}

static inline bool iso__link_is_in(const iso__link *link)
{
    return link->next != NULL;
}

static inline void iso__list_insert(iso__link *before, iso__link *link)
{
    link->next = before;
    link->prev = before->prev;
    before->prev->next = link;
    before->prev = link;
}

/* At the end. */
static inline void iso__list_push(iso__link *head, iso__link *link)
{
    iso__list_insert(head, link);
}

/* At the beginning. */
static inline void iso__list_push_front(iso__link *head, iso__link *link)
{
    iso__list_insert(head->next, link);
}

static inline void iso__list_remove(iso__link *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    link->next = NULL;
    link->prev = NULL;
}

/* Take out a link that may be in no list. */
static inline void iso__list_remove_if_in(iso__link *link)
{
    if (iso__link_is_in(link)) iso__list_remove(link);
}

/* The first one, taken out; NULL when there is none. */
static inline iso__link *iso__list_pop(iso__link *head)
{
    iso__link *link = head->next;

    if (link == head) return NULL;
    iso__list_remove(link);
    return link;
}

/* Move everything in `from` to the end of `to`. */
static inline void iso__list_splice(iso__link *to, iso__link *from)
{
    if (iso__list_empty(from)) return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    iso__list_init(from);
}

#endif
