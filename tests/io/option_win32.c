/* SPDX-License-Identifier: MIT */
#include "io/option.h"

#include <winsock2.h>

bool option_is_nodelay(iso_fd fd)
{
    BOOL value = FALSE;
    int size = sizeof(value);

    return getsockopt((SOCKET)fd, IPPROTO_TCP, TCP_NODELAY, (char *)&value, &size) == 0 && value;
}
