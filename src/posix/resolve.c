/* SPDX-License-Identifier: MIT */
#include "sys/resolve.h"

#include "sys/error.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static int error_of(int answer)
{
    switch (answer) {
    case EAI_NONAME:
    case EAI_FAMILY: return ISO_ENONAME;
#if defined(EAI_NODATA) && EAI_NODATA != EAI_NONAME
    case EAI_NODATA: return ISO_ENONAME;
#endif
#if defined(EAI_ADDRFAMILY)
    case EAI_ADDRFAMILY: return ISO_ENONAME;
#endif
    case EAI_AGAIN: return ISO_ETRYNAME;
    case EAI_MEMORY: return ISO_ENOMEM;
    case EAI_SYSTEM: return iso__sys_error(errno);
    default: return ISO_EUNKNOWN;
    }
}

static bool is_among(const iso_address *address, const iso_address *list, int count)
{
    int at;

    for (at = 0; at < count; at++) {
        if (memcmp(&list[at], address, sizeof(*address)) == 0) return true;
    }
    return false;
}

static int collect(const struct addrinfo *found, iso_address *out, int max)
{
    int count = 0;

    for (; found != NULL && count < max; found = found->ai_next) {
        iso_address one;

        if (found->ai_addrlen > sizeof(one.storage)) continue;
        memset(&one, 0, sizeof(one));
        memcpy(one.storage.bytes, found->ai_addr, found->ai_addrlen);
        one.length = (uint32_t)found->ai_addrlen;
        if (iso_address_version(&one) != 0 && !is_among(&one, out, count)) out[count++] = one;
    }
    return count;
}

int iso__sys_resolve(const char *host, uint16_t port, int version, bool passive, iso_address *out,
                     int max)
{
    struct addrinfo hints;
    struct addrinfo *found = NULL;
    char service[8];
    int count;
    int rc;

    memset(&hints, 0, sizeof(hints));
    hints.ai_family = version == 4 ? AF_INET : version == 6 ? AF_INET6 : AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV | (passive ? AI_PASSIVE : 0);
    (void)snprintf(service, sizeof(service), "%u", (unsigned)port);
    rc = getaddrinfo(host, service, &hints, &found);
    if (rc != 0) return error_of(rc);
    count = collect(found, out, max);
    freeaddrinfo(found);
    return count > 0 ? count : ISO_ENONAME;
}
