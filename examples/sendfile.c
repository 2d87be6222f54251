/* SPDX-License-Identifier: MIT */
/* A file into a connection, without its bytes passing through the program:
 *
 *     sendfile [FILE]
 *
 * sends FILE, or else itself, to a connection of its own that counts what comes. */
#include "support/file.h"
#include <isoloop.h>
#include <stdio.h>

typedef struct delivery {
    long long received;
    iso_future *over; /* done when the receiving end is closed */
} delivery;

/* ---- the receiving end ---------------------------------------------------------------------- */

static void received(iso_transport *transport, void *self, const void *data, size_t size)
{
    delivery *it = self;
    (void)transport;
    (void)data;
    it->received += (long long)size;
}

static void lost(iso_transport *transport, void *self, int error)
{
    delivery *it = self;
    (void)transport;
    if (error == 0)
        iso_future_set_result(it->over, NULL);
    else
        iso_future_set_error(it->over, error);
}

static const iso_protocol receiver = { .data_received = received, .connection_lost = lost };
static const iso_protocol sender = { .connection_made = NULL }; /* nothing to be told */

/* ---- the program ---------------------------------------------------------------------------- */

/* Make a transport of one end; the loop keeps it until it is closed. */
static int open_end(iso_loop *loop, const iso_protocol *protocol, delivery *it, iso_fd sock,
                    iso_transport **out)
{
    iso_connection_options options = ISO_CONNECTION_OPTIONS_INIT;
    iso_future *connected;
    void *transport = NULL;
    options.sock = sock;
    int rc = iso_loop_create_connection(loop, protocol, it, &options, &connected);
    if (rc != 0) {
        iso_socket_close(sock); /* it was not taken */
        return rc;
    }
    rc = iso_loop_run_until_complete(loop, connected);
    if (rc == 0) rc = iso_future_result(connected, &transport);
    if (rc == 0) *out = transport;
    iso_future_release(connected);
    return rc;
}

static int open_pair(iso_loop *loop, delivery *it, iso_transport **out)
{
    iso_fd pair[2];
    iso_transport *peer;
    int rc = iso_socketpair(pair);
    if (rc != 0) return rc;
    rc = open_end(loop, &receiver, it, pair[1], &peer);
    if (rc != 0) {
        iso_socket_close(pair[0]);
        return rc;
    }
    return open_end(loop, &sender, NULL, pair[0], out);
}

/* NULL options: all of it, by the system's own call where there is one, else by copying. */
static int send_all(iso_loop *loop, iso_transport *transport, iso_fd file, long long *size)
{
    iso_future *sent;
    intptr_t number = 0;
    int rc = iso_loop_sendfile(loop, transport, file, NULL, &sent);
    if (rc != 0) return rc;
    rc = iso_loop_run_until_complete(loop, sent);
    if (rc == 0) rc = iso_future_number(sent, &number);
    iso_future_release(sent);
    *size = number;
    return rc;
}

static int deliver(iso_loop *loop, iso_fd file, delivery *it)
{
    iso_transport *transport;
    long long size = 0;
    int rc = iso_loop_create_future(loop, &it->over);
    if (rc == 0) rc = open_pair(loop, it, &transport);
    if (rc == 0) rc = send_all(loop, transport, file, &size);
    if (rc == 0) rc = iso_transport_close(transport);
    if (rc == 0) rc = iso_loop_run_until_complete(loop, it->over);
    if (rc != 0) return rc;
    printf("sent %lld bytes, received %lld (%s)\n", size, it->received, iso_loop_backend(loop));
    return it->received == size ? 0 : ISO_EIO;
}

int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : argv[0];
    delivery it = { 0, NULL };
    iso_loop *loop = NULL;
    iso_fd file = file_open(path);
    int rc = file != ISO_FD_NONE ? iso_loop_new(&loop, NULL) : ISO_ENOENT;
    if (rc == 0) rc = deliver(loop, file, &it);
    if (rc != 0) fprintf(stderr, "sendfile: %s: %s\n", path, iso_strerror(rc));
    if (loop != NULL) iso_loop_close(loop); /* first the loop, which borrows it, then the file */
    if (file != ISO_FD_NONE) file_close(file);
    iso_future_release(it.over);
    iso_loop_release(loop);
    return rc != 0;
}
