/* SPDX-License-Identifier: MIT */
/* Windows has no socketpair: two ends meet at a listener on the loopback interface, which any
 * process of this machine can reach as well, so both ends must be shown to be ours. */
#include "sys/sock.h"

#include "sockets.h"

#include <string.h>

enum { BACKLOG = 8, STRANGERS_MAX = 64, PATIENCE_SECONDS = 5 };

static int open_listener(iso_fd *out, iso_address *at)
{
    iso_fd listener;
    int rc = iso__sys_socket_open(&listener, 4);

    if (rc != 0) return rc;
    rc = iso__sys_socket_set_reuse_address(listener, false);
    if (rc == 0) rc = iso_address_parse(at, "127.0.0.1", 0);
    if (rc == 0) rc = iso__sys_socket_bind(listener, at);
    if (rc == 0) rc = iso__sys_socket_listen(listener, BACKLOG);
    if (rc == 0) rc = iso__sys_socket_sockname(listener, at);
    if (rc != 0) {
        (void)iso__sys_socket_close(listener);
        return rc;
    }
    *out = listener;
    return 0;
}

/* Wait until `fd` is readable, writable or in error, but not for ever: a firewall can swallow
 * what goes through the loopback interface, and the caller blocks here. */
static int wait_for(iso_fd fd)
{
    struct timeval patience = { PATIENCE_SECONDS, 0 };
    fd_set reads;
    fd_set writes;
    fd_set errors;
    int found;

    reads.fd_count = 1;
    reads.fd_array[0] = (SOCKET)fd;
    writes = reads;
    errors = reads;
    found = select(0, &reads, &writes, &errors, &patience);
    if (found < 0) return iso__socket_error();
    return found > 0 ? 0 : ISO_ETIMEDOUT;
}

static int open_client(iso_fd *out, const iso_address *to)
{
    iso_fd client;
    int rc = iso__sys_socket_open(&client, 4);

    if (rc != 0) return rc;
    rc = iso__sys_socket_connect(client, to);
    if (rc == ISO_EINPROGRESS) {
        rc = wait_for(client);
        if (rc == 0) rc = iso__sys_socket_connect_result(client);
    }
    if (rc != 0) {
        (void)iso__sys_socket_close(client);
        return rc;
    }
    *out = client;
    return 0;
}

/* Take one connection. The client is connected, so its own is among them, and a stranger's that was
 * reset meanwhile is nothing to give up for. */
static int take_one(iso_fd listener, iso_fd *out, iso_address *peer)
{
    int rc;

    do {
        rc = wait_for(listener);
        if (rc == 0) rc = iso__sys_socket_accept(listener, out, peer);
    } while (rc == ISO_EAGAIN || iso__sys_socket_accept_is_transient(rc));
    return rc;
}

/* The one whose far end is our client's near end: no two sockets of a machine can have that. */
static int take_from(iso_fd listener, iso_fd client, iso_fd *out)
{
    iso_address ours;
    iso_address theirs;
    int strangers;
    int rc = iso__sys_socket_sockname(client, &ours);

    for (strangers = 0; rc == 0 && strangers < STRANGERS_MAX; strangers++) {
        rc = take_one(listener, out, &theirs);
        if (rc != 0) return rc;
        if (memcmp(&ours, &theirs, sizeof(ours)) == 0) return 0;
        iso__sys_socket_reset(*out);
    }
    return rc != 0 ? rc : ISO_ECONNABORTED;
}

int iso__sys_socketpair(iso_fd out[2])
{
    iso_address meeting_point;
    iso_fd listener;
    iso_fd client;
    iso_fd server;
    int rc = open_listener(&listener, &meeting_point);

    if (rc != 0) return rc;
    rc = open_client(&client, &meeting_point);
    if (rc != 0) goto fail_client;
    rc = take_from(listener, client, &server);
    if (rc != 0) goto fail_server;
    (void)iso__sys_socket_close(listener);
    out[0] = server;
    out[1] = client;
    return 0;

fail_server:
    (void)iso__sys_socket_close(client);
fail_client:
    (void)iso__sys_socket_close(listener);
    return rc;
}
