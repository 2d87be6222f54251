/* SPDX-License-Identifier: MIT */
#include "sys/resolve.h"

#include "base/alloc.h"
#include "base/compiler.h"
#include "sys/error.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* What some systems lack; a flag of 0 is one that is refused. */
#if !defined(AI_V4MAPPED)
#define AI_V4MAPPED 0
#endif
#if !defined(AI_ALL)
#define AI_ALL 0
#endif
#if !defined(AI_ADDRCONFIG)
#define AI_ADDRCONFIG 0
#endif

/* Not a switch: where a system has no name of its own for an answer, two are one number. */
static const struct answer {
    int native;
    int error;
} answers[] = {
    { EAI_NONAME, ISO_ENONAME },
#if defined(EAI_NODATA)
    { EAI_NODATA, ISO_ENONAME },
#endif
#if defined(EAI_ADDRFAMILY)
    { EAI_ADDRFAMILY, ISO_ENONAME },
#endif
    { EAI_AGAIN, ISO_ETRYNAME },      { EAI_FAIL, ISO_EFAILNAME },  { EAI_SERVICE, ISO_ENOSERVICE },
    { EAI_FAMILY, ISO_EAFNOSUPPORT }, { EAI_SOCKTYPE, ISO_EINVAL }, { EAI_BADFLAGS, ISO_EINVAL },
#if defined(EAI_BADHINTS)
    { EAI_BADHINTS, ISO_EINVAL },
#endif
#if defined(EAI_PROTOCOL)
    { EAI_PROTOCOL, ISO_EINVAL },
#endif
#if defined(EAI_OVERFLOW)
    { EAI_OVERFLOW, ISO_ENOBUFS },
#endif
    { EAI_MEMORY, ISO_ENOMEM },
};

static int error_of(int native)
{
    size_t at;

    if (native == EAI_SYSTEM) return iso__sys_error(errno);
    for (at = 0; at < ISO__COUNT(answers); at++) {
        if (answers[at].native == native) return answers[at].error;
    }
    return ISO_EUNKNOWN;
}

/* ---- flags and types ---- */

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

static int flags_of(unsigned ours, const pair *list, size_t count, int *out)
{
    size_t at;

    *out = 0;
    for (at = 0; at < count; at++) {
        if ((ours & list[at].ours) == 0) continue;
        if (list[at].native == 0) return ISO_ENOTSUP;
        *out |= list[at].native;
    }
    return 0;
}

static const pair types[] = {
    { ISO_SOCK_STREAM, SOCK_STREAM },
    { ISO_SOCK_DGRAM, SOCK_DGRAM },
    { ISO_SOCK_RAW, SOCK_RAW },
};

static int native_type(int ours)
{
    size_t at;

    for (at = 0; at < ISO__COUNT(types); at++) {
        if ((int)types[at].ours == ours) return types[at].native;
    }
    return 0;
}

/* One that has no name here is passed over. */
static int type_of(int native)
{
    size_t at;

    for (at = 0; at < ISO__COUNT(types); at++) {
        if (types[at].native == native) return (int)types[at].ours;
    }
    return native == 0 ? 0 : -1;
}

/* ---- both ways ---- */

static size_t count_answers(const struct addrinfo *found)
{
    size_t count = 0;

    for (; found != NULL; found = found->ai_next) count++;
    return count;
}

static void add_answer(iso__addrinfo_list *list, int wanted, const struct addrinfo *found)
{
    iso_addrinfo piece;

    memset(&piece, 0, sizeof(piece));
    if (found->ai_addrlen > sizeof(piece.address.storage)) return;
    memcpy(piece.address.storage.bytes, found->ai_addr, found->ai_addrlen);
    piece.address.length = (uint32_t)found->ai_addrlen;
    piece.type = type_of(found->ai_socktype);
    piece.protocol = found->ai_protocol;
    iso__addrinfo_list_add(list, wanted, &piece);
}

static int collect(const struct addrinfo *found, int wanted, iso__addrinfo_list *out)
{
    int rc = iso__addrinfo_list_new(out, &iso__default_allocator, count_answers(found),
                                    found->ai_canonname);

    if (rc != 0) return rc;
    for (; found != NULL; found = found->ai_next) add_answer(out, wanted, found);
    if (out->count > 0) return 0;
    iso__addrinfo_list_free(out, &iso__default_allocator);
    return ISO_ENONAME;
}

int iso__sys_getaddrinfo(const iso__name_query *query, iso__addrinfo_list *out)
{
    struct addrinfo hints;
    struct addrinfo *found = NULL;
    int rc;

    memset(&hints, 0, sizeof(hints));
    hints.ai_family = query->family == 4 ? AF_INET : query->family == 6 ? AF_INET6 : AF_UNSPEC;
    hints.ai_socktype = native_type(query->type);
    hints.ai_protocol = query->protocol;
    rc = flags_of(query->flags, address_flags, ISO__COUNT(address_flags), &hints.ai_flags);
    if (rc != 0) return rc;
    rc = getaddrinfo(query->host, query->service, &hints, &found);
    if (rc != 0) return error_of(rc);
    if (found == NULL) return ISO_ENONAME;
    rc = collect(found, query->type, out);
    freeaddrinfo(found);
    return rc;
}

int iso__sys_getnameinfo(const iso_address *address, unsigned flags, iso__name_texts *out)
{
    int native = 0;
    int rc = flags_of(flags, name_flags, ISO__COUNT(name_flags), &native);

    if (rc != 0) return rc;
    rc = getnameinfo((const struct sockaddr *)(const void *)&address->storage,
                     (socklen_t)address->length, out->host, sizeof(out->host), out->service,
                     sizeof(out->service), native);
    return rc == 0 ? 0 : error_of(rc);
}
