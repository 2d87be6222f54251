/* SPDX-License-Identifier: MIT */
/* Winsock, as the files of this room use it: the system's headers in the order they need, and
 * the few lines that turn its words into the library's. */
#ifndef ISO_WIN32_SOCKETS_H
#define ISO_WIN32_SOCKETS_H

/* winsock2.h comes before windows.h, which may bring in the first version of Winsock. */
#include <winsock2.h>
#include <ws2tcpip.h>

#include <windows.h>

#include "sys/error.h"

#include "isoloop/base.h"

/* What Winsock last answered in this thread. */
static inline int iso__socket_error(void)
{
    return iso__sys_error(WSAGetLastError());
}

/* As many pieces of a list, and as much of the last one, as go into one send; at most
 * ISO__SYS_SENDV_MAX. Returns how many. Thread: any. */
DWORD iso__socket_pieces(WSABUF *pieces, const iso_buffer *list, size_t count);

/* Keep a sockaddr as an iso_address whose unused bytes are zero, so that equal ones compare
 * equal; one that is no internet address leaves it empty. Thread: any. */
void iso__address_keep(iso_address *out, const void *native, int length);

#endif
