/* SPDX-License-Identifier: MIT */
/* Host names into addresses, and back. loop.getaddrinfo and loop.getnameinfo are the models.
 *
 * Names are looked up in threads of the loop's own, a few at a time, which other work does not
 * share; cancelling a future ends it at once, and takes back a look-up that has not begun. Closing
 * the loop waits for none. Errors that end a future: ISO_ENONAME (there is no such name, or it has
 * no such address), ISO_ETRYNAME (no name service answers just now), ISO_EFAILNAME (it has failed),
 * ISO_ENOSERVICE, ISO_EAFNOSUPPORT, ISO_EINVAL (options that do not go together), ISO_ENOTSUP (a
 * flag that this system lacks), ISO_ENOMEM. */
#ifndef ISOLOOP_RESOLVE_H
#define ISOLOOP_RESOLVE_H

#include "loop.h"

ISO_BEGIN_DECLS

/* What a socket is for. The numbers are this library's. */
#define ISO_SOCK_STREAM 1
#define ISO_SOCK_DGRAM 2
#define ISO_SOCK_RAW 3

/* The flags of getaddrinfo, RFC 3493, 6.1. The numbers are this library's. */
#define ISO_AI_PASSIVE 1u     /* for bind: no host is every interface, not this machine itself */
#define ISO_AI_CANONNAME 2u   /* tell the name's own name */
#define ISO_AI_NUMERICHOST 4u /* the host is a literal, or an error */
#define ISO_AI_NUMERICSERV 8u /* the service is a number, or an error */
#define ISO_AI_V4MAPPED 16u   /* family 6: IPv4 addresses as IPv6 ones, if there are no others */
#define ISO_AI_ALL 32u        /* with V4MAPPED: beside the others, too */
#define ISO_AI_ADDRCONFIG 64u /* only families that this machine has addresses of */

typedef struct iso_addrinfo_options {
    size_t size;    /* of this struct: use the macro */
    int family;     /* 0: every one; 4 or 6: that one alone */
    int type;       /* ISO_SOCK_...; 0: streams and datagrams */
    int protocol;   /* a number of IANA's, 6 for TCP; 0: that of the type */
    unsigned flags; /* ISO_AI_... */
} iso_addrinfo_options;

#define ISO_ADDRINFO_OPTIONS_INIT                                                                  \
    {                                                                                              \
        sizeof(iso_addrinfo_options), 0, 0, 0, 0                                                   \
    }

/* One thing that a name stands for. */
typedef struct iso_addrinfo {
    int family;            /* 4 or 6 */
    int type;              /* ISO_SOCK_... */
    int protocol;          /* a number of IANA's */
    const char *canonname; /* of the first one, if it was asked for; else "" */
    iso_address address;   /* with port, and with scope */
} iso_addrinfo;

/* What `host` and `service` stand for, in the system's order (RFC 6724), none twice. `host` is a
 * name, in UTF-8, or a literal; NULL: this machine. `service` is a name or a number, "http" or
 * "80"; NULL and "": port 0. A literal with a number is no look-up: the future is done at once.
 * NULL options mean all defaults. *out, if not NULL, ends with a result that points to the first
 * iso_addrinfo of an array, and a number that says how many there are.
 * Returns 0; ISO_EINVAL (neither host nor service; an unknown family, type or flag; TCP for
 * datagrams, UDP for streams), ISO_ENOMEM, ISO_EAGAIN (no thread can be started), ISO_ECLOSED, ISO_ETHREAD, ISO_EFORKED.
 * Ownership: host, service and options are borrowed; the array is the future's.
 * Source: loop.getaddrinfo; getaddrinfo, RFC 3493. */
ISO_API int iso_loop_getaddrinfo(iso_loop *loop, const char *host, const char *service,
                                 const iso_addrinfo_options *options, iso_future **out);

/* The flags of getnameinfo, RFC 3493, 6.2. The numbers are this library's. */
#define ISO_NI_NUMERICHOST 1u /* the host as a literal: nobody is asked */
#define ISO_NI_NUMERICSERV 2u /* the service as a number */
#define ISO_NI_NOFQDN 4u      /* of hosts of the own domain only the first part */
#define ISO_NI_NAMEREQD 8u    /* an address without a name is an error, not a literal */
#define ISO_NI_DGRAM 16u      /* the service that datagrams have at this port */

typedef struct iso_nameinfo {
    const char *host;
    const char *service;
} iso_nameinfo;

/* The names of an address and its port; literals where there is none. *out, if not NULL, ends with
 * a result that points to an iso_nameinfo. With both numeric it is done at once.
 * Returns 0; ISO_EINVAL (no address, or an empty one; an unknown flag), ISO_ENOMEM, ISO_EAGAIN,
 * ISO_ECLOSED, ISO_ETHREAD, ISO_EFORKED.
 * Ownership: the address is borrowed; the texts are the future's. Source: loop.getnameinfo. */
ISO_API int iso_loop_getnameinfo(iso_loop *loop, const iso_address *address, unsigned flags,
                                 iso_future **out);

ISO_END_DECLS

#endif
