/* SPDX-License-Identifier: MIT */
#include "base/addrinfo.h"

#include "base/alloc.h"
#include "isoloop/error.h"

#include <string.h>

/* One piece of the system's may become two of the list's. */
enum { MOST_OF_ONE = 2 };

static const char *name_behind(const iso__addrinfo_list *list)
{
    return (const char *)(list->items + list->capacity);
}

int iso__addrinfo_list_new(iso__addrinfo_list *out, const iso_allocator *allocator, size_t answers,
                           const char *canonname)
{
    size_t length = canonname == NULL ? 0 : strlen(canonname);

    memset(out, 0, sizeof(*out));
    if (answers > SIZE_MAX / 2 / MOST_OF_ONE / sizeof(*out->items)) return ISO_ENOMEM;
    out->capacity = answers * MOST_OF_ONE;
    out->bytes = out->capacity * sizeof(*out->items) + length + 1;
    out->items = iso__alloc_zero(allocator, out->bytes);
    if (out->items == NULL) return ISO_ENOMEM;
    if (length > 0) memcpy(out->items + out->capacity, canonname, length);
    return 0;
}

static bool is_among(const iso__addrinfo_list *list, const iso_addrinfo *piece)
{
    size_t at;

    for (at = 0; at < list->count; at++) {
        const iso_addrinfo *other = &list->items[at];

        if (other->type == piece->type && other->protocol == piece->protocol &&
            memcmp(&other->address, &piece->address, sizeof(piece->address)) == 0)
            return true;
    }
    return false;
}

static void add_typed(iso__addrinfo_list *list, const iso_addrinfo *piece, int type)
{
    iso_addrinfo whole = *piece;

    whole.type = type;
    whole.family = iso_address_version(&piece->address);
    if (whole.protocol == 0 && type == ISO_SOCK_STREAM) whole.protocol = ISO__PROTOCOL_TCP;
    if (whole.protocol == 0 && type == ISO_SOCK_DGRAM) whole.protocol = ISO__PROTOCOL_UDP;
    /* The name lies behind all of the list, and ends in the zero that the block does. */
    whole.canonname = list->count == 0 ? name_behind(list) : "";
    if (whole.family == 0 || list->count == list->capacity || is_among(list, &whole)) return;
    list->items[list->count++] = whole;
}

void iso__addrinfo_list_add(iso__addrinfo_list *list, int wanted, const iso_addrinfo *piece)
{
    if (piece->type != 0) {
        bool is_usual = piece->type == ISO_SOCK_STREAM || piece->type == ISO_SOCK_DGRAM;

        if (wanted == 0 ? is_usual : piece->type == wanted) add_typed(list, piece, piece->type);
        return;
    }
    if (wanted != 0) {
        add_typed(list, piece, wanted);
        return;
    }
    if (piece->protocol != ISO__PROTOCOL_UDP) add_typed(list, piece, ISO_SOCK_STREAM);
    if (piece->protocol != ISO__PROTOCOL_TCP) add_typed(list, piece, ISO_SOCK_DGRAM);
}

int iso__addrinfo_list_copy(iso__addrinfo_list *out, const iso_allocator *allocator,
                            const iso__addrinfo_list *list)
{
    iso__addrinfo_list made = *list;

    made.items = iso__alloc(allocator, list->bytes);
    if (made.items == NULL) return ISO_ENOMEM;
    memcpy(made.items, list->items, list->bytes);
    if (made.count > 0) made.items[0].canonname = name_behind(&made);
    *out = made;
    return 0;
}

void iso__addrinfo_list_free(iso__addrinfo_list *list, const iso_allocator *allocator)
{
    iso__free(allocator, list->items, list->bytes);
    memset(list, 0, sizeof(*list));
}
