/* SPDX-License-Identifier: MIT */
/* Host names into addresses, and back. */
#ifndef ISO_SYS_RESOLVE_H
#define ISO_SYS_RESOLVE_H

#include "base/addrinfo.h"

typedef struct iso__name_query {
    const char *host;    /* NULL: this machine, or every interface */
    const char *service; /* NULL: port 0 */
    int family;          /* and these as in iso_addrinfo_options */
    int type;
    int protocol;
    unsigned flags;
} iso__name_query;

/* Look up. Blocks for as long as the name service takes. The list, at least one, is memory of
 * malloc's.
 * Returns 0; ISO_ENONAME, ISO_ETRYNAME, ISO_EFAILNAME, ISO_ENOSERVICE, ISO_EAFNOSUPPORT,
 * ISO_EINVAL, ISO_ENOTSUP, ISO_ENOMEM or what the system met. Thread: any.
 * Source: getaddrinfo, RFC 3493. */
int iso__sys_getaddrinfo(const iso__name_query *query, iso__addrinfo_list *out);

/* NI_MAXHOST and NI_MAXSERV of BSD, and more than a name of the DNS can have. */
typedef struct iso__name_texts {
    char host[1025];
    char service[64];
} iso__name_texts;

/* The names of an address. Blocks likewise. Returns 0, ISO_ENONAME, ISO_ETRYNAME, ISO_EFAILNAME,
 * ISO_ENOBUFS, ISO_ENOMEM or what the system met. Thread: any. Source: getnameinfo, RFC 3493. */
int iso__sys_getnameinfo(const iso_address *address, unsigned flags, iso__name_texts *out);

#endif
