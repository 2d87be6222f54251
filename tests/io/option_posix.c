/* SPDX-License-Identifier: MIT */
#include "io/option.h"

#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
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

bool option_interface_name(uint32_t index, char *text, size_t size)
{
    char name[IF_NAMESIZE];

    if (if_indextoname(index, name) == NULL) return false;
    return snprintf(text, size, "%s", name) < (int)size;
}

static int number_of(iso_fd fd, int level, int name)
{
    int value = 0;
    socklen_t size = sizeof(value);

    return getsockopt((int)fd, level, name, &value, &size) == 0 ? value : -1;
}

static int byte_of(iso_fd fd, int level, int name)
{
    unsigned char value = 0;
    socklen_t size = sizeof(value);

    return getsockopt((int)fd, level, name, &value, &size) == 0 ? value : -1;
}

int option_multicast(iso_fd fd, int version, bool loop)
{
    if (version == 4) return byte_of(fd, IPPROTO_IP, loop ? IP_MULTICAST_LOOP : IP_MULTICAST_TTL);
    return number_of(fd, IPPROTO_IPV6, loop ? IPV6_MULTICAST_LOOP : IPV6_MULTICAST_HOPS);
}

int option_ttl(iso_fd fd, int version)
{
    return version == 4 ? number_of(fd, IPPROTO_IP, IP_TTL)
                        : number_of(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS);
}
