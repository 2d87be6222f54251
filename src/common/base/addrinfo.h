/* SPDX-License-Identifier: MIT */
/* What a look-up finds: a list in one block of memory, with the canonical name behind it. */
#ifndef ISO_BASE_ADDRINFO_H
#define ISO_BASE_ADDRINFO_H

#include "isoloop/resolve.h"

enum { ISO__PROTOCOL_TCP = 6, ISO__PROTOCOL_UDP = 17 };

typedef struct iso__addrinfo_list {
    iso_addrinfo *items; /* of the allocator's; NULL: there is none */
    size_t count;
    size_t capacity;
    size_t bytes; /* of the block */
} iso__addrinfo_list;

/* Room for what a system answers in `answers` pieces; `canonname`, copied, is that of the first;
 * NULL: none. Returns 0 or ISO_ENOMEM. */
int iso__addrinfo_list_new(iso__addrinfo_list *out, const iso_allocator *allocator, size_t answers,
                           const char *canonname);

/* Add a piece, unless it is there already, has no address, or is of another type than `wanted`
 * (0: stream and datagram). A piece of type 0 stands for both of these. */
void iso__addrinfo_list_add(iso__addrinfo_list *list, int wanted, const iso_addrinfo *piece);

/* The same list in memory of another allocator. Returns 0 or ISO_ENOMEM. */
int iso__addrinfo_list_copy(iso__addrinfo_list *out, const iso_allocator *allocator,
                            const iso__addrinfo_list *list);

void iso__addrinfo_list_free(iso__addrinfo_list *list, const iso_allocator *allocator);

#endif
