/* SPDX-License-Identifier: MIT */
#include "sys/resolve.h"

#include "base/alloc.h"
#include "base/compiler.h"
#include "sockets.h"
#include "sys/sock.h"

#include <string.h>

/* A name of the DNS has 253 characters, an address with its zone fewer; a service 15. Source: RFC
 * 1035, 2.3.4; RFC 6335, 5.1. */
enum { NAME_SIZE = 256, SERVICE_SIZE = 64 };

/* The answers of GetAddrInfoW are WSA codes (EAI_NONAME is WSAHOST_NOT_FOUND, and so on). One that
 * speaks of the arguments means the name: flags and family were checked before. */
static int error_of(int answer)
{
    int error = iso__sys_error(answer);

    switch (answer) {
    case WSAEINVAL: return ISO_ENONAME;
    case WSAESOCKTNOSUPPORT: return ISO_EINVAL;
    default: break;
    }
    switch (error) {
    case ISO_ENONAME:
    case ISO_ETRYNAME:
    case ISO_EFAILNAME:
    case ISO_ENOSERVICE:
    case ISO_EAFNOSUPPORT:
    case ISO_ENOBUFS:
    case ISO_ENOMEM: return error;
    default: return ISO_EUNKNOWN;
    }
}

/* ---- flags and types: those of types are ours, by number ---- */

_Static_assert(ISO_SOCK_STREAM == SOCK_STREAM && ISO_SOCK_DGRAM == SOCK_DGRAM &&
                   ISO_SOCK_RAW == SOCK_RAW,
               "a type of Winsock's is one of this library's");

typedef struct pair {
    unsigned ours;
    int native;
} pair;

static const pair address_flags[] = {
    { ISO_AI_PASSIVE, AI_PASSIVE },         { ISO_AI_CANONNAME, AI_CANONNAME },
    { ISO_AI_NUMERICHOST, AI_NUMERICHOST }, { ISO_AI_NUMERICSERV, AI_NUMERICSERV },
    { ISO_AI_V4MAPPED, AI_V4MAPPED },       { ISO_AI_ALL, AI_ALL },
    { ISO_AI_ADDRCONFIG, AI_ADDRCONFIG },
};

static const pair name_flags[] = {
    { ISO_NI_NUMERICHOST, NI_NUMERICHOST },
    { ISO_NI_NUMERICSERV, NI_NUMERICSERV },
    { ISO_NI_NOFQDN, NI_NOFQDN },
    { ISO_NI_NAMEREQD, NI_NAMEREQD },
    { ISO_NI_DGRAM, NI_DGRAM },
};

static int flags_of(unsigned ours, const pair *list, size_t count)
{
    int native = 0;
    size_t at;

    for (at = 0; at < count; at++) {
        if ((ours & list[at].ours) != 0) native |= list[at].native;
    }
    return native;
}

/* ---- texts ---- */

/* An empty name would mean this machine's own addresses; nobody asks for those by mistake but by an
 * empty configuration. Source: Microsoft, GetAddrInfoW: pNodeName. */
static int widen(const char *text, WCHAR *out, int size)
{
    if (*text == '\0') return ISO_ENONAME;
    return MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, out, size) > 0
               ? 0
               : ISO_ENONAME; /* not UTF-8, or longer than a name can be */
}

static int narrow(const WCHAR *text, char *out, int size)
{
    return WideCharToMultiByte(CP_UTF8, 0, text, -1, out, size, NULL, NULL) > 0 ? 0 : ISO_ENOBUFS;
}

/* ---- both ways ---- */

static size_t count_answers(const ADDRINFOW *found)
{
    size_t count = 0;

    for (; found != NULL; found = found->ai_next) count++;
    return count;
}

static void add_answer(iso__addrinfo_list *list, int wanted, const ADDRINFOW *found)
{
    iso_addrinfo piece;

    memset(&piece, 0, sizeof(piece));
    iso__address_keep(&piece.address, found->ai_addr, (int)found->ai_addrlen);
    piece.type = found->ai_socktype;
    piece.protocol = found->ai_protocol;
    iso__addrinfo_list_add(list, wanted, &piece);
}

static int collect(const ADDRINFOW *found, int wanted, iso__addrinfo_list *out)
{
    char canonname[4 * NAME_SIZE];
    bool has_name = found->ai_canonname != NULL &&
                    narrow(found->ai_canonname, canonname, (int)sizeof(canonname)) == 0;
    int rc = iso__addrinfo_list_new(out, &iso__default_allocator, count_answers(found),
                                    has_name ? canonname : NULL);

    if (rc != 0) return rc;
    for (; found != NULL; found = found->ai_next) add_answer(out, wanted, found);
    if (out->count > 0) return 0;
    iso__addrinfo_list_free(out, &iso__default_allocator);
    return ISO_ENONAME;
}

int iso__sys_getaddrinfo(const iso__name_query *query, iso__addrinfo_list *out)
{
    WCHAR host[NAME_SIZE];
    WCHAR service[SERVICE_SIZE] = L"0"; /* a NULL host needs one */
    ADDRINFOW hints;
    ADDRINFOW *found = NULL;
    int rc;

    if (iso__sys_socket_startup() != 0) return ISO_EUNKNOWN;
    if (query->host != NULL && widen(query->host, host, NAME_SIZE) != 0) return ISO_ENONAME;
    if (query->service != NULL && widen(query->service, service, SERVICE_SIZE) != 0)
        return ISO_ENOSERVICE;
    memset(&hints, 0, sizeof(hints));
    hints.ai_family = query->family == 4 ? AF_INET : query->family == 6 ? AF_INET6 : AF_UNSPEC;
    hints.ai_socktype = query->type;
    hints.ai_protocol = query->protocol;
    hints.ai_flags = flags_of(query->flags, address_flags, ISO__COUNT(address_flags));
    rc = GetAddrInfoW(query->host == NULL ? NULL : host, service, &hints, &found);
    if (rc != 0) return error_of(rc);
    if (found == NULL) return ISO_ENONAME;
    rc = collect(found, query->type, out);
    FreeAddrInfoW(found);
    return rc;
}

int iso__sys_getnameinfo(const iso_address *address, unsigned flags, iso__name_texts *out)
{
    WCHAR host[NI_MAXHOST];
    WCHAR service[SERVICE_SIZE];
    int rc;

    if (iso__sys_socket_startup() != 0) return ISO_EUNKNOWN;
    rc = GetNameInfoW((const SOCKADDR *)(const void *)&address->storage, (socklen_t)address->length,
                      host, NI_MAXHOST, service, SERVICE_SIZE,
                      flags_of(flags, name_flags, ISO__COUNT(name_flags)));
    if (rc != 0) return error_of(rc);
    rc = narrow(host, out->host, (int)sizeof(out->host));
    return rc != 0 ? rc : narrow(service, out->service, (int)sizeof(out->service));
}
