/* SPDX-License-Identifier: MIT */
/* Groups of receivers, and what else is set of a socket of datagrams. `version` is that of the
 * socket, 4 or 6.
 *
 * Each function returns 0 or the ISO_E code of what the system answered. Thread: any. */
#ifndef ISO_SYS_MULTICAST_H
#define ISO_SYS_MULTICAST_H

#include "isoloop/base.h"

/* 4 or 6; 0 for a socket of another family. */
int iso__sys_socket_version(iso_fd fd, int *out);

/* Whether it is the address of a group: 224.0.0.0/4, ff00::/8. */
bool iso__sys_address_is_group(const iso_address *address);

/* An interface: IPv6 knows it by its number, IPv4 by an address that it has. All zero: the
 * system's choice. */
typedef struct iso__interface {
    uint32_t index;
    iso_address address;
} iso__interface;

/* Find one by an address that it has, its number or its name. NULL, 0.0.0.0 and ::: the system's
 * choice. Returns 0; with a detail ISO_ENOENT (no such interface), ISO_EADDRNOTAVAIL (none has the
 * address; it has none of this version), ISO_EAFNOSUPPORT (an address of the other version); or
 * ISO_ENOMEM. */
int iso__sys_interface_find(iso__interface *out, const char *text, int version);

typedef struct iso__membership {
    iso_address group;
    iso_address source; /* length 0: whoever sends to the group */
    iso__interface via;
} iso__membership;

/* Join or leave. Returns 0; ISO_EADDRINUSE (joined already), ISO_EADDRNOTAVAIL (to leave what was
 * not joined), ISO_ENETUNREACH (no interface was named and the system has none for it), ISO_ENOTSUP
 * (no sources on this system), ISO_ENOBUFS (too many). */
int iso__sys_multicast_join(iso_fd fd, const iso__membership *one);
int iso__sys_multicast_leave(iso_fd fd, const iso__membership *one);

/* Out of which interface to send to a group; how far, 0 to 255; whether this machine hears it. */
int iso__sys_multicast_set_interface(iso_fd fd, int version, const iso__interface *via);
int iso__sys_multicast_set_ttl(iso_fd fd, int version, int ttl);
int iso__sys_multicast_set_loop(iso_fd fd, int version, bool on);

/* How many routers may pass on what goes to one address, 1 to 255. */
int iso__sys_datagram_set_ttl(iso_fd fd, int version, int ttl);

#endif
