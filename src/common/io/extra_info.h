/* SPDX-License-Identifier: MIT */
/* What get_extra_info knows of a socket. Source: asyncio, BaseTransport.get_extra_info. */
#ifndef ISO_IO_EXTRA_INFO_H
#define ISO_IO_EXTRA_INFO_H

#include "isoloop/error.h"
#include "isoloop/transport.h"
#include "sys/sock.h"

#include <string.h>

/* "peername", "sockname" or "socket", in *out, whose fd is set. Returns 0, ISO_ENOENT (no such
 * name), or what the system answers. Thread: loop. */
static inline int iso__extra_info_of_socket(const char *name, iso_extra_info *out)
{
    if (strcmp(name, "peername") == 0) return iso__sys_socket_peername(out->fd, &out->address);
    if (strcmp(name, "sockname") == 0) return iso__sys_socket_sockname(out->fd, &out->address);
    return strcmp(name, "socket") == 0 ? 0 : ISO_ENOENT;
}

#endif
