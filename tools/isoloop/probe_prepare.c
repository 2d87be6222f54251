/* SPDX-License-Identifier: MIT */
#include "probe_prepare.h"
#include "probe_os.h"
#include "probe_stand.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- descriptors ---------------------------------------------------------------------------- */

static int close_other(iso_fd fd)
{
    probe_os_close(fd);
    return 0;
}

static probe_ready keep(probe_stand *stand, probe_ready ready, int (*close_fd)(iso_fd fd),
                        const char *what)
{
    if (ready == PROBE_READY) stand->close_fd = close_fd;
    return stand_want(stand, ready, what);
}

probe_ready prepare_pipe(probe_stand *stand)
{
    return keep(stand, probe_os_pipe(stand->fds), close_other, "a pipe");
}

probe_ready prepare_transport_pipe(probe_stand *stand)
{
    return keep(stand, probe_os_transport_pipe(stand->fds), close_other, "a pipe");
}

probe_ready prepare_blocking_pipe(probe_stand *stand)
{
    if (!probe_os_has_ports()) return stand_want(stand, PROBE_ABSENT, "overlapped handles");
    return prepare_pipe(stand);
}

probe_ready prepare_pair(probe_stand *stand)
{
    int rc = iso_socketpair(stand->fds);
    if (rc == 0) return keep(stand, PROBE_READY, iso_socket_close, "");
    (void)stand_fail(stand, "socketpair", rc);
    return PROBE_BROKEN;
}

probe_ready prepare_file(probe_stand *stand)
{
    return keep(stand, probe_os_file(&stand->fds[0]), close_other, "a regular file");
}

probe_ready prepare_device(probe_stand *stand)
{
    probe_device device = { NULL, ISO_FD_NONE, ISO_FD_NONE };
    probe_ready ready = PROBE_ABSENT;
    for (int i = 0; i < PROBE_DEVICES && ready == PROBE_ABSENT; i++)
        ready = probe_os_device(i, &device);
    stand->fds[0] = device.fd;
    stand->fds[1] = device.poke;
    return keep(stand, ready, close_other, "a character device");
}

probe_ready prepare_closed(probe_stand *stand)
{
    probe_ready ready = prepare_pair(stand);
    if (ready != PROBE_READY) return ready;
    stand->close_fd = NULL; /* but the numbers stay */
    (void)iso_socket_close(stand->fds[1]);
    (void)iso_socket_close(stand->fds[0]);
    return PROBE_READY;
}

probe_ready prepare_high(probe_stand *stand)
{
    const iso_fd lowest = (iso_fd)stand->row->limit;
    probe_ready ready = probe_os_high_pair(lowest, stand->fds);
    stand->used = ready == PROBE_READY ? stand->fds[0] : -1;
    return keep(stand, ready, iso_socket_close, "a descriptor as high as that");
}

probe_ready prepare_tied(probe_stand *stand)
{
    if (strncmp(stand->backend, "proactor:", 9) != 0)
        return stand_want(stand, PROBE_ABSENT, "a completion port of the loop's");
    return keep(stand, probe_os_tied_pair(stand->fds), iso_socket_close, "a completion port");
}

probe_ready prepare_current(probe_stand *stand)
{
    int rc = iso_set_event_loop(stand->loop);
    stand->is_current = rc == 0;
    if (rc == 0) return PROBE_READY;
    (void)stand_fail(stand, "set_event_loop", rc);
    return PROBE_BROKEN;
}

/* ---- the crowd ------------------------------------------------------------------------------ */

enum { CROWD_MAX = 1024, DESCRIPTORS_WANTED = 1200 };

/* Sockets of which each waits for a byte. The first two are connected, and nothing comes to the
 * others. */
struct probe_crowd {
    size_t count;
    size_t waiting; /* those that the loop took */
    iso_fd fds[CROWD_MAX];
    iso_future *futures[CROWD_MAX];
    char bytes[CROWD_MAX];
};

static int crowd_make(probe_crowd *crowd)
{
    if (crowd->count == 0) {
        int rc = iso_socketpair(crowd->fds);
        if (rc == 0) crowd->count = 2;
        return rc;
    }
    if (probe_os_idle_socket(&crowd->fds[crowd->count]) != PROBE_READY) return ISO_EUNKNOWN;
    crowd->count++;
    return 0;
}

static int crowd_add(probe_crowd *crowd, iso_loop *loop)
{
    const size_t at = crowd->waiting;
    int rc = crowd->count <= at ? crowd_make(crowd) : 0;
    if (rc == 0)
        rc = iso_loop_sock_recv_into(loop, crowd->fds[at], &crowd->bytes[at], 1,
                                     &crowd->futures[at]);
    if (rc == 0) crowd->waiting++;
    return rc;
}

/* To the last place, and a pair for which there is none. */
static int crowd_fill(probe_stand *stand)
{
    probe_crowd *crowd = stand->crowd;
    int64_t max = 0;
    int64_t used = 0;
    int rc = iso_loop_limit_get(stand->loop, ISO_LIMIT_SOCKETS, &max, &used);
    while (rc == 0 && used < max && crowd->waiting < CROWD_MAX - 4) {
        rc = crowd_add(crowd, stand->loop);
        if (rc == 0) rc = iso_loop_limit_get(stand->loop, ISO_LIMIT_SOCKETS, NULL, &used);
    }
    stand->used = used;
    return rc == 0 ? iso_socketpair(stand->fds) : rc;
}

probe_ready prepare_crowd(probe_stand *stand)
{
    probe_ready ready = probe_os_allow_descriptors(DESCRIPTORS_WANTED);
    if (ready != PROBE_READY) return stand_want(stand, ready, "1,200 descriptors");
    stand->crowd = calloc(1, sizeof(*stand->crowd));
    int rc = stand->crowd != NULL ? crowd_fill(stand) : ISO_ENOMEM;
    if (rc == 0) return keep(stand, PROBE_READY, iso_socket_close, "");
    (void)stand_fail(stand, "filling the loop with sockets", rc);
    return stand->ready = PROBE_BROKEN;
}

bool crowd_goes_on(probe_stand *stand)
{
    probe_crowd *crowd = stand->crowd;
    if (crowd->waiting == 0 || !probe_os_send(crowd->fds[1], "x", 1)) return false;
    return stand_wait(stand, crowd->futures[0]) == 0 && crowd->bytes[0] == 'x';
}

static void crowd_dismiss(probe_crowd *crowd)
{
    for (size_t i = 0; i < crowd->waiting; i++) {
        (void)iso_future_cancel(crowd->futures[i]);
        iso_future_release(crowd->futures[i]);
    }
    for (size_t i = 0; i < crowd->count; i++) (void)iso_socket_close(crowd->fds[i]);
    free(crowd);
}

/* ---- a pipe with a name --------------------------------------------------------------------- */

struct probe_named {
    iso_future *serving;
    iso_future *connecting;
    iso_server *server;
    iso_transport *ends[2];
    int made;
};

const char *prepare_pipe_name(probe_stand *stand)
{
    if (stand->pipe_name[0] == '\0')
        snprintf(stand->pipe_name, sizeof(stand->pipe_name), "\\\\.\\pipe\\isoloop-probe-%llx",
                 (unsigned long long)iso_loop_time(stand->loop));
    return stand->pipe_name;
}

static void named_made(iso_transport *transport, void *self)
{
    probe_named *named = self;
    if (named->made < 2) named->ends[named->made] = iso_transport_ref(transport);
    named->made++;
}

static int named_open(probe_stand *stand, probe_named *named)
{
    static const iso_protocol protocol = { .connection_made = named_made };
    void *server = NULL;
    const char *name = prepare_pipe_name(stand);
    int rc = iso_loop_start_serving_pipe(stand->loop, &protocol, named, name, &named->serving);
    rc = stand_finish(stand, "start_serving_pipe", rc, named->serving, &server);
    if (rc != 0) return rc;
    named->server = server;
    rc = iso_loop_create_pipe_connection(stand->loop, &protocol, named, name, &named->connecting);
    rc = stand_finish(stand, "create_pipe_connection", rc, named->connecting, NULL);
    return rc == 0 ? stand_until(stand, &named->made, 2) : rc;
}

probe_ready prepare_named(probe_stand *stand)
{
    stand->named = calloc(1, sizeof(*stand->named));
    int rc = stand->named != NULL ? named_open(stand, stand->named) : ISO_ENOMEM;
    if (rc == 0) return PROBE_READY;
    /* Only where the row speaks of another platform may there be no such pipes. */
    (void)stand_fail(stand, "a pipe with a name", rc);
    return stand->ready = rc == ISO_ENOTSUP ? PROBE_ABSENT : PROBE_BROKEN;
}

iso_transport *prepare_named_end(const probe_stand *stand, int side)
{
    return stand->named->ends[side];
}

static void named_dismiss(probe_stand *stand)
{
    probe_named *named = stand->named;
    for (int i = 0; i < 2; i++) {
        if (named->ends[i] != NULL) (void)iso_transport_abort(named->ends[i]);
    }
    if (named->server != NULL) (void)iso_server_close(named->server);
    (void)stand_settle(stand);
    for (int i = 0; i < 2; i++) iso_transport_release(named->ends[i]);
    iso_future_release(named->serving);
    iso_future_release(named->connecting);
    free(named);
}

void prepare_dismiss(probe_stand *stand)
{
    if (stand->loop == NULL) return;
    if (stand->crowd != NULL) {
        crowd_dismiss(stand->crowd);
        (void)stand_settle(stand);
    }
    if (stand->named != NULL) named_dismiss(stand);
    if (stand->is_current) (void)iso_set_event_loop(NULL);
    stand->crowd = NULL;
    stand->named = NULL;
}
