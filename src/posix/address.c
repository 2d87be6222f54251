/* SPDX-License-Identifier: MIT */
#include "isoloop/base.h"

#include "isoloop/error.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

_Static_assert(sizeof(struct sockaddr_in6) <= sizeof(((iso_address *)0)->storage),
               "an iso_address holds every internet address");

/* BSD's addresses begin with their length; two of them are compared byte by byte. */
#if defined(__linux__)
#define HAS_LENGTH(statement) ((void)0)
#else
#define HAS_LENGTH(statement) ((void)(statement))
#endif

static int keep(iso_address *out, const void *native, size_t size)
{
    memset(out, 0, sizeof(*out));
    memcpy(out->storage.bytes, native, size);
    out->length = (uint32_t)size;
    return 0;
}

static int parse_v4(iso_address *out, const char *host, uint16_t port)
{
    struct sockaddr_in native;

    memset(&native, 0, sizeof(native));
    native.sin_family = AF_INET;
    native.sin_port = htons(port);
    if (inet_pton(AF_INET, host, &native.sin_addr) != 1) return ISO_EINVAL;
    HAS_LENGTH(native.sin_len = sizeof(native));
    return keep(out, &native, sizeof(native));
}

/* The number of a zone: "eth0", or a number itself. RFC 4007, 11.2. */
static int parse_scope(const char *zone, uint32_t *out)
{
    char *end;
    unsigned long number = if_nametoindex(zone);

    if (number == 0) {
        number = strtoul(zone, &end, 10);
        /* strtoul takes blanks and signs before the digits, and nothing at all. */
        if (*zone < '0' || *zone > '9' || *end != '\0' || number > UINT32_MAX) return ISO_EINVAL;
    }
    *out = (uint32_t)number;
    return 0;
}

static int parse_v6(iso_address *out, const char *host, uint16_t port)
{
    struct sockaddr_in6 native;
    char digits[INET6_ADDRSTRLEN];
    const char *percent = strchr(host, '%');
    size_t length = percent == NULL ? strlen(host) : (size_t)(percent - host);

    if (length >= sizeof(digits)) return ISO_EINVAL;
    memcpy(digits, host, length);
    digits[length] = '\0';
    memset(&native, 0, sizeof(native));
    native.sin6_family = AF_INET6;
    native.sin6_port = htons(port);
    if (inet_pton(AF_INET6, digits, &native.sin6_addr) != 1) return ISO_EINVAL;
    if (percent != NULL && parse_scope(percent + 1, &native.sin6_scope_id) != 0) return ISO_EINVAL;
    HAS_LENGTH(native.sin6_len = sizeof(native));
    return keep(out, &native, sizeof(native));
}

int iso_address_parse(iso_address *out, const char *host, uint16_t port)
{
    if (out == NULL || host == NULL) return ISO_EINVAL;
    return strchr(host, ':') != NULL ? parse_v6(out, host, port) : parse_v4(out, host, port);
}

/* The storage is aligned for it (the union), and was written as one. */
static sa_family_t family_of(const iso_address *address)
{
    return address->length == 0
               ? (sa_family_t)AF_UNSPEC
               : ((const struct sockaddr *)(const void *)&address->storage)->sa_family;
}

int iso_address_version(const iso_address *address)
{
    switch (family_of(address)) {
    case AF_INET: return 4;
    case AF_INET6: return 6;
    default: return 0;
    }
}

uint16_t iso_address_port(const iso_address *address)
{
    const void *native = &address->storage;

    switch (iso_address_version(address)) {
    case 4: return ntohs(((const struct sockaddr_in *)native)->sin_port);
    case 6: return ntohs(((const struct sockaddr_in6 *)native)->sin6_port);
    default: return 0;
    }
}

static int append_scope(uint32_t scope, char *text, size_t size)
{
    size_t used = strlen(text);
    char name[IF_NAMESIZE];
    int added = if_indextoname(scope, name) != NULL
                    ? snprintf(text + used, size - used, "%%%s", name)
                    : snprintf(text + used, size - used, "%%%lu", (unsigned long)scope);

    return added < 0 || (size_t)added >= size - used ? ISO_ENOBUFS : 0;
}

int iso_address_host(const iso_address *address, char *text, size_t size)
{
    const struct sockaddr_in *v4 = (const void *)&address->storage;
    const struct sockaddr_in6 *v6 = (const void *)&address->storage;

    switch (iso_address_version(address)) {
    case 4:
        return inet_ntop(AF_INET, &v4->sin_addr, text, (socklen_t)size) != NULL ? 0 : ISO_ENOBUFS;
    case 6:
        if (inet_ntop(AF_INET6, &v6->sin6_addr, text, (socklen_t)size) == NULL) return ISO_ENOBUFS;
        return v6->sin6_scope_id == 0 ? 0 : append_scope(v6->sin6_scope_id, text, size);
    default: return ISO_EINVAL;
    }
}
