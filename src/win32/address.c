/* SPDX-License-Identifier: MIT */
#include "isoloop/base.h"

#include "isoloop/error.h"
#include "sockets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct sockaddr_in6) <= sizeof(((iso_address *)0)->storage),
               "an iso_address holds every internet address");

/* Enough for any literal of IPv6 with a number for its zone. */
enum { LITERAL_SIZE = INET6_ADDRSTRLEN + sizeof("%4294967295") };

static void keep_v4(iso_address *out, const struct sockaddr_in *native)
{
    struct sockaddr_in clean;

    memset(&clean, 0, sizeof(clean)); /* nobody promises that sin_zero is */
    clean.sin_family = AF_INET;
    clean.sin_port = native->sin_port;
    clean.sin_addr = native->sin_addr;
    memset(out, 0, sizeof(*out));
    memcpy(out->storage.bytes, &clean, sizeof(clean));
    out->length = sizeof(clean);
}

static void keep_v6(iso_address *out, const struct sockaddr_in6 *native)
{
    memset(out, 0, sizeof(*out));
    memcpy(out->storage.bytes, native, sizeof(*native));
    out->length = sizeof(*native);
}

void iso__address_keep(iso_address *out, const void *native, int length)
{
    const struct sockaddr *any = native;

    memset(out, 0, sizeof(*out));
    if (length >= (int)sizeof(struct sockaddr_in) && any->sa_family == AF_INET) {
        keep_v4(out, native);
    } else if (length >= (int)sizeof(struct sockaddr_in6) && any->sa_family == AF_INET6) {
        keep_v6(out, native);
    }
}

static int parse_v4(iso_address *out, const char *host, uint16_t port)
{
    struct sockaddr_in native;
    char back[INET_ADDRSTRLEN];

    memset(&native, 0, sizeof(native));
    native.sin_family = AF_INET;
    native.sin_port = htons(port);
    if (inet_pton(AF_INET, host, &native.sin_addr) != 1) return ISO_EINVAL;
    /* Only what would be written so: "010.0.0.1" is another address here than elsewhere (RFC 6943,
     * 3.1.1), and POSIX's inet_pton refuses it. */
    if (inet_ntop(AF_INET, &native.sin_addr, back, sizeof(back)) == NULL) return ISO_EINVAL;
    if (strcmp(back, host) != 0) return ISO_EINVAL;
    keep_v4(out, &native);
    return 0;
}

/* The number of a zone, which is all that Windows itself takes and writes: "%12".
 * Source: RFC 4007, 11.2; Microsoft, RtlIpv6StringToAddressEx. */
static int parse_scope(const char *zone, ULONG *out)
{
    unsigned long long number;

    if (*zone == '\0' || zone[strspn(zone, "0123456789")] != '\0') return ISO_EINVAL;
    number = strtoull(zone, NULL, 10);
    if (number > UINT32_MAX) return ISO_EINVAL;
    *out = (ULONG)number;
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
    keep_v6(out, &native);
    return 0;
}

int iso_address_parse(iso_address *out, const char *host, uint16_t port)
{
    if (out == NULL || host == NULL) return ISO_EINVAL;
    return strchr(host, ':') != NULL ? parse_v6(out, host, port) : parse_v4(out, host, port);
}

int iso_address_version(const iso_address *address)
{
    struct sockaddr native;

    if (address->length == 0) return 0;
    memcpy(&native, address->storage.bytes, sizeof(native));
    switch (native.sa_family) {
    case AF_INET: return 4;
    case AF_INET6: return 6;
    default: return 0;
    }
}

/* Both kinds of address have the port at the same place (Microsoft, sockaddr_in and
 * sockaddr_in6). */
uint16_t iso_address_port(const iso_address *address)
{
    struct sockaddr_in native;

    if (iso_address_version(address) == 0) return 0;
    memcpy(&native, address->storage.bytes, sizeof(native));
    return ntohs(native.sin_port);
}

static bool write_v4(const iso_address *address, char *text, size_t size)
{
    struct sockaddr_in native;

    memcpy(&native, address->storage.bytes, sizeof(native));
    return inet_ntop(AF_INET, &native.sin_addr, text, size) != NULL;
}

static bool write_v6(const iso_address *address, char *text, size_t size)
{
    struct sockaddr_in6 native;
    size_t used;

    memcpy(&native, address->storage.bytes, sizeof(native));
    if (inet_ntop(AF_INET6, &native.sin6_addr, text, size) == NULL) return false;
    if (native.sin6_scope_id == 0) return true;
    used = strlen(text);
    return snprintf(text + used, size - used, "%%%lu", (unsigned long)native.sin6_scope_id) > 0;
}

int iso_address_host(const iso_address *address, char *text, size_t size)
{
    char literal[LITERAL_SIZE];
    int version = iso_address_version(address);

    if (version == 0) return ISO_EINVAL;
    if (!(version == 4 ? write_v4(address, literal, sizeof(literal))
                       : write_v6(address, literal, sizeof(literal))))
        return ISO_EUNKNOWN; /* not for an address of this library's making */
    if (strlen(literal) >= size) return ISO_ENOBUFS;
    memcpy(text, literal, strlen(literal) + 1);
    return 0;
}
