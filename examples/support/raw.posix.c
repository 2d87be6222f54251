/* SPDX-License-Identifier: MIT */
#include "raw.h"
#include <sys/socket.h>
#include <sys/types.h>

int raw_recv(iso_fd sock, void *buffer, size_t size)
{
    return (int)recv((int)sock, buffer, size, 0);
}

int raw_send(iso_fd sock, const void *data, size_t size)
{
    return (int)send((int)sock, data, size, 0);
}
