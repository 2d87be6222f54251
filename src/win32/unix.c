/* SPDX-License-Identifier: MIT */
/* Windows 10 has the family AF_UNIX, without credentials and descriptors. asyncio leaves it out,
 * and the limits table says so before a loop comes here. */
#include "sys/unix.h"

#include "isoloop/error.h"

int iso__sys_unix_address(iso__unix_address *out, const char *path, size_t length)
{
    (void)out;
    (void)path;
    (void)length;
    return ISO_ENOTSUP;
}

int iso__sys_unix_open(iso_fd *out)
{
    (void)out;
    return ISO_ENOTSUP;
}

int iso__sys_unix_require(iso_fd fd)
{
    (void)fd;
    return ISO_ENOTSUP;
}

int iso__sys_unix_bind(iso_fd fd, const iso__unix_address *address)
{
    (void)fd;
    (void)address;
    return ISO_ENOTSUP;
}

int iso__sys_unix_connect(iso_fd fd, const iso__unix_address *address)
{
    (void)fd;
    (void)address;
    return ISO_ENOTSUP;
}

int iso__sys_unix_sockname(iso_fd fd, iso__unix_address *out)
{
    (void)fd;
    (void)out;
    return ISO_ENOTSUP;
}

int iso__sys_unix_peername(iso_fd fd, iso__unix_address *out)
{
    (void)fd;
    (void)out;
    return ISO_ENOTSUP;
}

int iso__sys_unix_identify(const iso__unix_address *address, iso__unix_file *out)
{
    (void)address;
    (void)out;
    return ISO_ENOTSUP;
}

int iso__sys_unix_remove(const iso__unix_address *address, const iso__unix_file *file)
{
    (void)address;
    (void)file;
    return ISO_ENOTSUP;
}

int iso__sys_unix_peercred(iso_fd fd, iso_unix_credentials *out)
{
    (void)fd;
    (void)out;
    return ISO_ENOTSUP;
}

ptrdiff_t iso__sys_unix_send_fd(iso_fd sock, iso_fd fd, const void *data, size_t size)
{
    (void)sock;
    (void)fd;
    (void)data;
    (void)size;
    return ISO_ENOTSUP;
}

ptrdiff_t iso__sys_unix_recv_fd(iso_fd sock, void *data, size_t size, iso_fd *fd)
{
    (void)sock;
    (void)data;
    (void)size;
    (void)fd;
    return ISO_ENOTSUP;
}
