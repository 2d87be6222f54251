/* SPDX-License-Identifier: MIT */
#include "io/option.h"

#include <winsock2.h>

bool option_is_nodelay(iso_fd fd)
{
    BOOL value = FALSE;
    int size = sizeof(value);

    return getsockopt((SOCKET)fd, IPPROTO_TCP, TCP_NODELAY, (char *)&value, &size) == 0 && value;
}

void option_keep_few(iso_fd fd)
{
    int bytes = 64 * 1024;

    (void)setsockopt((SOCKET)fd, SOL_SOCKET, SO_SNDBUF, (const char *)&bytes, sizeof(bytes));
    (void)setsockopt((SOCKET)fd, SOL_SOCKET, SO_RCVBUF, (const char *)&bytes, sizeof(bytes));
}

bool option_datagram_pair(iso_fd out[2])
{
    (void)out;
    return false;
}
