/* SPDX-License-Identifier: MIT */
#include "io/names.h"

#include "sys/resolve.h"

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

void names_clear(void)
{
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

static iso_address with_port(const struct entry *entry, uint16_t port)
{
    iso_address address = entry->address;
    char literal[64];

    if (entry->has_port) return address;
    REQUIRE_OK(iso_address_host(&entry->address, literal, sizeof(literal)));
    REQUIRE_OK(iso_address_parse(&address, literal, port));
    return address;
}

/* In the place of src/posix/resolve.c and src/win32/resolve.c. */
int iso__sys_resolve(const char *host, uint16_t port, int version, bool passive, iso_address *out,
                     int max)
{
    int count = 0;
    int at;

    (void)passive;
    (void)iso__atomic_add_u32(&begun, 1);
    if (held != NULL) kit_gate_wait(held);
    for (at = 0; at < entry_count && count < max; at++) {
        const struct entry *entry = &entries[at];

        if (strcmp(entry->host, host) != 0) continue;
        if (version != 0 && iso_address_version(&entry->address) != version) continue;
        out[count++] = with_port(entry, port);
    }
    (void)iso__atomic_add_u32(&ended, 1);
    return count > 0 ? count : ISO_ENONAME;
}
