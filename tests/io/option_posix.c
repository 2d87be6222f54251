/* SPDX-License-Identifier: MIT */
#include "io/option.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

bool option_is_nodelay(iso_fd fd)
{
    int value = 0;
    socklen_t size = sizeof(value);

    return getsockopt((int)fd, IPPROTO_TCP, TCP_NODELAY, &value, &size) == 0 && value != 0;
}
