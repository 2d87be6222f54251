/* SPDX-License-Identifier: MIT */
/* Host names into addresses. */
#ifndef ISO_SYS_RESOLVE_H
#define ISO_SYS_RESOLVE_H

#include "isoloop/base.h"

/* Look up `host` for stream sockets and write at most `max` addresses, with `port`, in the system's
 * order (RFC 6724), none twice. version: 0 any, 4 or 6; passive: for binding, where a NULL host
 * means every interface. Blocks for as long as the name service takes.
 * Returns how many, ISO_ENONAME, ISO_ETRYNAME, ISO_ENOMEM or ISO_EUNKNOWN. Thread: any.
 * Source: getaddrinfo, RFC 3493. */
int iso__sys_resolve(const char *host, uint16_t port, int version, bool passive, iso_address *out,
                     int max);

#endif
