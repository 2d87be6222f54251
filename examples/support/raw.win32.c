/* SPDX-License-Identifier: MIT */
#include "raw.h"
#include <winsock2.h>

int raw_recv(iso_fd sock, void *buffer, size_t size)
{
    return recv((SOCKET)sock, buffer, (int)size, 0);
}

int raw_send(iso_fd sock, const void *data, size_t size)
{
    return send((SOCKET)sock, data, (int)size, 0);
}
