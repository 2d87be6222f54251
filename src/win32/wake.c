/* SPDX-License-Identifier: MIT */
#include "sys/wake.h"

#include "sys/sock.h"

enum { READER = 0, WRITER = 1 };

int iso__sys_wake_open(iso__wake *out)
{
    iso_fd ends[2];
    int rc = iso__sys_socketpair(ends);

    if (rc != 0) return rc;
    /* Else a second signal would wait until the first one's byte is acknowledged, up to 200 ms. */
    iso__sys_socket_set_nodelay(ends[WRITER]);
    out->reader = ends[READER];
    out->writer = ends[WRITER];
    return 0;
}

void iso__sys_wake_signal(const iso__wake *wake)
{
    /* ISO_EAGAIN means that it is full of signals, so readable already. */
    (void)iso__sys_socket_send(wake->writer, "", 1);
}

void iso__sys_wake_drain(const iso__wake *wake)
{
    char bytes[256];

    while (iso__sys_socket_recv(wake->reader, bytes, sizeof(bytes)) == (ptrdiff_t)sizeof(bytes)) {}
}

void iso__sys_wake_close(iso__wake *wake)
{
    (void)iso__sys_socket_close(wake->reader);
    (void)iso__sys_socket_close(wake->writer);
    wake->reader = ISO_FD_NONE;
    wake->writer = ISO_FD_NONE;
}
