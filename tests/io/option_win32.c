/* SPDX-License-Identifier: MIT */
#include "io/option.h"

#include <winsock2.h>
#include <ws2tcpip.h>

#include <iphlpapi.h>
#include <stdlib.h>

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

bool option_interface_name(uint32_t index, char *text, size_t size)
{
    ULONG bytes = 64 * 1024;
    IP_ADAPTER_ADDRESSES *list = malloc(bytes);
    const IP_ADAPTER_ADDRESSES *one = list;
    bool is_there = false;

    if (list == NULL) return false;
    if (GetAdaptersAddresses(AF_UNSPEC, 0, NULL, list, &bytes) != 0) one = NULL;
    while (one != NULL && one->IfIndex != index) one = one->Next;
    if (one != NULL)
        is_there =
            WideCharToMultiByte(CP_UTF8, 0, one->FriendlyName, -1, text, (int)size, NULL, NULL) > 0;
    free(list);
    return is_there;
}

static int number_of(iso_fd fd, int level, int name)
{
    DWORD value = 0;
    int size = sizeof(value);

    if (getsockopt((SOCKET)fd, level, name, (char *)&value, &size) != 0) return -1;
    return (int)value;
}

int option_multicast(iso_fd fd, int version, bool loop)
{
    if (version == 4) return number_of(fd, IPPROTO_IP, loop ? IP_MULTICAST_LOOP : IP_MULTICAST_TTL);
    return number_of(fd, IPPROTO_IPV6, loop ? IPV6_MULTICAST_LOOP : IPV6_MULTICAST_HOPS);
}

int option_ttl(iso_fd fd, int version)
{
    return version == 4 ? number_of(fd, IPPROTO_IP, IP_TTL)
                        : number_of(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS);
}
