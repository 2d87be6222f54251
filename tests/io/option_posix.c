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

void option_keep_few(iso_fd fd)
{
    int bytes = 64 * 1024;

    (void)setsockopt((int)fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    (void)setsockopt((int)fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

bool option_datagram_pair(iso_fd out[2])
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) != 0) return false;
    out[0] = ends[0];
    out[1] = ends[1];
    return true;
}
