/* SPDX-License-Identifier: MIT */
#include "io/names.h"

#include "base/alloc.h"
#include "sys/resolve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 64 };

/* Written by the case, and read by look-ups that it starts afterwards. */
static struct entry {
    const char *host;
    iso_address address;
    bool has_port;
} entries[MOST];

static int entry_count;
static kit_gate *held;
static iso__atomic_u32 begun;
static iso__atomic_u32 ended;

/* Never closed: they are the program's. */
static iso__mutex lock;
static iso__cond has_changed;
static bool is_ready;

void names_clear(void)
{
    if (!is_ready) {
        iso__sys_mutex_init(&lock);
        iso__sys_cond_init(&has_changed);
        is_ready = true;
    }
    entry_count = 0;
    held = NULL;
    iso__atomic_store_u32(&begun, 0);
    iso__atomic_store_u32(&ended, 0);
}

void names_add(const char *host, const char *literal, uint16_t port)
{
    REQUIRE(entry_count < MOST);
    entries[entry_count].host = host;
    entries[entry_count].has_port = port != 0;
    REQUIRE_OK(iso_address_parse(&entries[entry_count].address, literal, port));
    entry_count++;
}

void names_add_address(const char *host, const iso_address *address)
{
    REQUIRE(entry_count < MOST);
    entries[entry_count].host = host;
    entries[entry_count].has_port = true;
    entries[entry_count].address = *address;
    entry_count++;
}

void names_hold(kit_gate *gate)
{
    held = gate;
}

int names_begun(void)
{
    return (int)iso__atomic_load_u32(&begun);
}

int names_ended(void)
{
    return (int)iso__atomic_load_u32(&ended);
}

static void await(int (*counted)(void), int count)
{
    bool in_time = true;

    iso__sys_mutex_lock(&lock);
    while (counted() < count && in_time)
        in_time = iso__sys_cond_wait_for(&has_changed, &lock, ISO_S(30));
    iso__sys_mutex_unlock(&lock);
    REQUIRE(counted() >= count);
}

void names_await_begun(int count)
{
    await(names_begun, count);
}

void names_await_ended(int count)
{
    await(names_ended, count);
}

static iso_address with_port(const struct entry *entry, uint16_t port)
{
    iso_address address = entry->address;
    char literal[64];

    if (entry->has_port) return address;
    REQUIRE_OK(iso_address_host(&entry->address, literal, sizeof(literal)));
    REQUIRE_OK(iso_address_parse(&address, literal, port));
    return address;
}

static void count(iso__atomic_u32 *number)
{
    iso__sys_mutex_lock(&lock);
    (void)iso__atomic_add_u32(number, 1);
    iso__sys_cond_wake_all(&has_changed);
    iso__sys_mutex_unlock(&lock);
}

static void begin_look_up(void)
{
    kit_gate *gate = held;

    count(&begun);
    if (gate != NULL) kit_gate_wait(gate);
}

/* The last that a look-up does with what is here. */
static void end_look_up(void)
{
    count(&ended);
}

static int add_addresses(const iso__name_query *query, iso__addrinfo_list *out)
{
    uint16_t port = query->service == NULL ? 0 : (uint16_t)strtol(query->service, NULL, 10);
    int at;

    for (at = 0; at < entry_count; at++) {
        const struct entry *entry = &entries[at];
        iso_addrinfo piece;

        if (query->host == NULL || strcmp(entry->host, query->host) != 0) continue;
        memset(&piece, 0, sizeof(piece));
        piece.address = with_port(entry, port);
        if (query->family != 0 && iso_address_version(&piece.address) != query->family) continue;
        piece.protocol = query->protocol;
        piece.type = query->type;
        piece.family = iso_address_version(&piece.address);
        if (query->protocol == 0 && query->type != 0)
            piece.protocol = query->type == ISO_SOCK_STREAM ? ISO__PROTOCOL_TCP : ISO__PROTOCOL_UDP;
        piece.canonname = "";
        if (query->type == 0)
            iso__addrinfo_list_add(out, 0, &piece);
        else
            out->items[out->count++] = piece; /* twice the same, if the case wants it */
    }
    return out->count > 0 ? 0 : ISO_ENONAME;
}

/* In the place of src/posix/resolve.c and src/win32/resolve.c. */
int iso__sys_getaddrinfo(const iso__name_query *query, iso__addrinfo_list *out)
{
    iso__addrinfo_list list;
    int rc;

    begin_look_up();
    REQUIRE_OK(iso__addrinfo_list_new(&list, &iso__default_allocator, MOST,
                                      (query->flags & ISO_AI_CANONNAME) != 0 ? "its.name" : NULL));
    rc = add_addresses(query, &list);
    if (rc == 0)
        *out = list;
    else
        iso__addrinfo_list_free(&list, &iso__default_allocator);
    end_look_up();
    return rc;
}

static const char *name_of(const iso_address *address)
{
    char wanted[64];
    char literal[64];
    int at;

    REQUIRE_OK(iso_address_host(address, wanted, sizeof(wanted)));
    for (at = 0; at < entry_count; at++) {
        REQUIRE_OK(iso_address_host(&entries[at].address, literal, sizeof(literal)));
        if (strcmp(literal, wanted) == 0) return entries[at].host;
    }
    return NULL;
}

int iso__sys_getnameinfo(const iso_address *address, unsigned flags, iso__name_texts *out)
{
    const char *name;

    (void)flags;
    begin_look_up();
    name = name_of(address);
    if (name != NULL) {
        (void)snprintf(out->host, sizeof(out->host), "%s", name);
        (void)snprintf(out->service, sizeof(out->service), "port%u",
                       (unsigned)iso_address_port(address));
    }
    end_look_up();
    return name != NULL ? 0 : ISO_ENONAME;
}
