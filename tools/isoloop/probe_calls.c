/* SPDX-License-Identifier: MIT */
#include "probe_calls.h"
#include "probe_os.h"
#include "probe_stand.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const iso_protocol quiet = { .connection_made = NULL };
static const iso_subprocess_protocol quiet_process = { .connection_made = NULL };
static const iso_datagram_protocol quiet_datagram = { .connection_made = NULL };

/* ---- what is prepared: descriptors ---------------------------------------------------------- */

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

const char *calls_pipe_name(probe_stand *stand)
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
    const char *name = calls_pipe_name(stand);
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

void calls_dismiss(probe_stand *stand)
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

/* ---- calls: rows that come first ------------------------------------------------------------ */

static const char *const after_watch[] = { "proactor.watch", NULL };
static const char *const after_device[] = { "proactor.watch", "macos.chardev.10_5", NULL };
static const char *const after_old[] = { "macos.chardev.10_5", NULL };
static const char *const after_pipes[] = { "windows.selector.pipes", NULL };
static const char *const after_datagram[] = { "proactor.datagram", NULL };

/* What a call with a future answered. Where it was not refused, contrary to what was expected, what
 * it was given is the library's. */
static int refused(probe_stand *stand, int rc, iso_future *future)
{
    stand->wrote_out = rc != 0 && future != NULL;
    if (rc != 0) return rc;
    stand->close_fd = NULL;
    iso_future_release(future);
    return 0;
}

static void nothing(iso_loop *loop, void *arg)
{
    (void)loop;
    (void)arg;
}

/* ---- calls: sockets by path, signals, children, ports ---------------------------------------- */

/* Nothing is made where nothing can be served. */
static const char nowhere[] = "no-folder/of-this-name/s";

static int call_unix_server(probe_stand *stand)
{
    iso_unix_server_options options = ISO_UNIX_SERVER_OPTIONS_INIT;
    iso_future *future = NULL;
    options.path = nowhere;
    int rc = iso_loop_create_unix_server(stand->loop, &quiet, NULL, &options, &future);
    return refused(stand, rc, future);
}

static int call_unix_connection(probe_stand *stand)
{
    iso_unix_connection_options options = ISO_UNIX_CONNECTION_OPTIONS_INIT;
    iso_future *future = NULL;
    options.path = nowhere;
    int rc = iso_loop_create_unix_connection(stand->loop, &quiet, NULL, &options, &future);
    return refused(stand, rc, future);
}

const probe_call calls_unix[] = {
    { "create_unix_server", call_unix_server, NULL },
    { "create_unix_connection", call_unix_connection, NULL },
    { NULL, NULL, NULL },
};

static int call_add_signal_handler(probe_stand *stand)
{
    return iso_loop_add_signal_handler(stand->loop, SIGTERM, nothing, NULL);
}

static int call_remove_signal_handler(probe_stand *stand)
{
    return iso_loop_remove_signal_handler(stand->loop, SIGTERM);
}

const probe_call calls_signals[] = {
    { "add_signal_handler", call_add_signal_handler, NULL },
    { "remove_signal_handler", call_remove_signal_handler, NULL },
    { NULL, NULL, NULL },
};

static int call_get_child_watcher(probe_stand *stand)
{
    const iso_child_watcher *watcher = NULL;
    int rc = iso_get_child_watcher(&watcher);
    stand->wrote_out = rc != 0 && watcher != NULL;
    return rc;
}

static int call_set_child_watcher(probe_stand *stand)
{
    (void)stand;
    return iso_set_child_watcher(NULL);
}

const probe_call calls_child_watcher[] = {
    { "get_child_watcher", call_get_child_watcher, NULL },
    { "set_child_watcher", call_set_child_watcher, NULL },
    { NULL, NULL, NULL },
};

static int call_server_reuse_port(probe_stand *stand)
{
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    iso_future *future = NULL;
    options.host = "127.0.0.1";
    options.reuse_port = true;
    int rc = iso_loop_create_server(stand->loop, &quiet, NULL, &options, &future);
    return refused(stand, rc, future);
}

static int call_datagram_reuse_port(probe_stand *stand)
{
    iso_datagram_options options = ISO_DATAGRAM_OPTIONS_INIT;
    iso_future *future = NULL;
    options.local_host = "127.0.0.1";
    options.reuse_port = true;
    int rc =
        iso_loop_create_datagram_endpoint(stand->loop, &quiet_datagram, NULL, &options, &future);
    return refused(stand, rc, future);
}

const probe_call calls_reuse_port[] = {
    { "create_server(reuse_port)", call_server_reuse_port, NULL },
    { "create_datagram_endpoint(reuse_port)", call_datagram_reuse_port, after_datagram },
    { NULL, NULL, NULL },
};

static int call_datagram(probe_stand *stand)
{
    iso_datagram_options options = ISO_DATAGRAM_OPTIONS_INIT;
    iso_future *future = NULL;
    options.local_host = "127.0.0.1";
    int rc =
        iso_loop_create_datagram_endpoint(stand->loop, &quiet_datagram, NULL, &options, &future);
    return refused(stand, rc, future);
}

const probe_call calls_datagram[] = {
    { "create_datagram_endpoint", call_datagram, NULL },
    { NULL, NULL, NULL },
};

/* ---- calls: what registers a socket ---------------------------------------------------------- */

static int call_sock_recv(probe_stand *stand)
{
    iso_future *future = NULL;
    int rc = iso_loop_sock_recv(stand->loop, stand->fds[0], 1, &future);
    return refused(stand, rc, future);
}

static int call_sock_sendall(probe_stand *stand)
{
    iso_future *future = NULL;
    int rc = iso_loop_sock_sendall(stand->loop, stand->fds[0], "x", 1, &future);
    return refused(stand, rc, future);
}

static int call_connection_of_a_socket(probe_stand *stand)
{
    iso_connection_options options = ISO_CONNECTION_OPTIONS_INIT;
    iso_future *future = NULL;
    options.sock = stand->fds[0];
    int rc = iso_loop_create_connection(stand->loop, &quiet, NULL, &options, &future);
    return refused(stand, rc, future);
}

static int call_server(probe_stand *stand)
{
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    iso_future *future = NULL;
    options.host = "127.0.0.1";
    int rc = iso_loop_create_server(stand->loop, &quiet, NULL, &options, &future);
    return refused(stand, rc, future);
}

static int call_add_reader(probe_stand *stand)
{
    return iso_loop_add_reader(stand->loop, stand->fds[0], nothing, NULL);
}

static int call_add_writer(probe_stand *stand)
{
    return iso_loop_add_writer(stand->loop, stand->fds[0], nothing, NULL);
}

static int call_remove_reader(probe_stand *stand)
{
    return iso_loop_remove_reader(stand->loop, stand->fds[0]);
}

static int call_remove_writer(probe_stand *stand)
{
    return iso_loop_remove_writer(stand->loop, stand->fds[0]);
}

/* Each fills a loop of its own first, which takes time: tests/loop/test_limits.c has more calls. */
const probe_call calls_crowd[] = {
    { "sock_recv", call_sock_recv, NULL },
    { "create_server", call_server, NULL },
    { "add_reader", call_add_reader, after_watch },
    { NULL, NULL, NULL },
};

const probe_call calls_high[] = {
    { "sock_recv", call_sock_recv, NULL },
    { "create_connection", call_connection_of_a_socket, NULL },
    { "add_reader", call_add_reader, after_watch },
    { "add_writer", call_add_writer, after_watch },
    { NULL, NULL, NULL },
};

const probe_call calls_foreign[] = {
    { "sock_recv", call_sock_recv, NULL },
    { "sock_sendall", call_sock_sendall, NULL },
    { "create_connection", call_connection_of_a_socket, NULL },
    { NULL, NULL, NULL },
};

const probe_call calls_watch_only[] = {
    { "add_reader", call_add_reader, NULL },
    { "add_writer", call_add_writer, NULL },
    { "remove_reader", call_remove_reader, NULL },
    { "remove_writer", call_remove_writer, NULL },
    { NULL, NULL, NULL },
};

const probe_call calls_watch[] = {
    { "add_reader", call_add_reader, after_watch },
    { "add_writer", call_add_writer, after_watch },
    { NULL, NULL, NULL },
};

/* ---- calls: pipes and programs --------------------------------------------------------------- */

static int read_end(probe_stand *stand, iso_fd fd)
{
    iso_future *future = NULL;
    int rc = iso_loop_connect_read_pipe(stand->loop, &quiet, NULL, fd, &future);
    return refused(stand, rc, future);
}

static int write_end(probe_stand *stand, iso_fd fd)
{
    iso_future *future = NULL;
    int rc = iso_loop_connect_write_pipe(stand->loop, &quiet, NULL, fd, &future);
    return refused(stand, rc, future);
}

static int call_read_pipe(probe_stand *stand)
{
    return read_end(stand, stand->fds[0]);
}

static int call_write_pipe(probe_stand *stand)
{
    return write_end(stand, stand->fds[1]);
}

static int call_write_file(probe_stand *stand)
{
    return write_end(stand, stand->fds[0]);
}

static int call_pipe_connection(probe_stand *stand)
{
    iso_future *future = NULL;
    int rc =
        iso_loop_create_pipe_connection(stand->loop, &quiet, NULL, calls_pipe_name(stand), &future);
    return refused(stand, rc, future);
}

static int call_serving_pipe(probe_stand *stand)
{
    iso_future *future = NULL;
    int rc =
        iso_loop_start_serving_pipe(stand->loop, &quiet, NULL, calls_pipe_name(stand), &future);
    return refused(stand, rc, future);
}

const probe_call calls_pipes[] = {
    { "connect_read_pipe", call_read_pipe, NULL },
    { "connect_write_pipe", call_write_pipe, NULL },
    { "create_pipe_connection", call_pipe_connection, NULL },
    { "start_serving_pipe", call_serving_pipe, NULL },
    { NULL, NULL, NULL },
};

const probe_call calls_adopt[] = {
    { "connect_read_pipe", call_read_pipe, after_pipes },
    { "connect_write_pipe", call_write_pipe, after_pipes },
    { NULL, NULL, NULL },
};

const probe_call calls_device[] = {
    { "add_reader", call_add_reader, after_device },
    { "add_writer", call_add_writer, after_device },
    { "connect_read_pipe", call_read_pipe, after_old },
    { "connect_write_pipe", call_write_file, after_old },
    { NULL, NULL, NULL },
};

const probe_call calls_adopt_file[] = {
    { "connect_read_pipe", call_read_pipe, after_pipes },
    { "connect_write_pipe", call_write_file, after_pipes },
    { NULL, NULL, NULL },
};

const probe_call calls_named[] = {
    { "create_pipe_connection", call_pipe_connection, after_pipes },
    { "start_serving_pipe", call_serving_pipe, after_pipes },
    { NULL, NULL, NULL },
};

static int end_writing(iso_transport *end)
{
    return iso_transport_can_write_eof(end) ? 0 : iso_transport_write_eof(end);
}

static int call_write_eof_of_server(probe_stand *stand)
{
    return end_writing(stand->named->ends[0]);
}

static int call_write_eof_of_client(probe_stand *stand)
{
    return end_writing(stand->named->ends[1]);
}

const probe_call calls_write_eof[] = {
    { "write_eof of one end", call_write_eof_of_server, NULL },
    { "write_eof of the other", call_write_eof_of_client, NULL },
    { NULL, NULL, NULL },
};

static int call_exec(probe_stand *stand)
{
    static const char *const argv[] = { "no-program-of-this-name", NULL };
    iso_future *future = NULL;
    int rc = iso_loop_subprocess_exec(stand->loop, &quiet_process, NULL, argv, NULL, &future);
    return refused(stand, rc, future);
}

static int call_shell(probe_stand *stand)
{
    iso_future *future = NULL;
    int rc = iso_loop_subprocess_shell(stand->loop, &quiet_process, NULL, "exit", NULL, &future);
    return refused(stand, rc, future);
}

const probe_call calls_subprocess[] = {
    { "subprocess_exec", call_exec, NULL },
    { "subprocess_shell", call_shell, NULL },
    { NULL, NULL, NULL },
};

/* There is no loop to ask which row it was: the detail has its id. */
static int call_new_proactor(probe_stand *stand)
{
    iso_loop_options options = ISO_LOOP_OPTIONS_INIT;
    iso_loop *loop = NULL;
    options.backend = "proactor";
    options.limits = stand->profile;
    int rc = iso_loop_new(&loop, &options);
    if (rc == 0) iso_loop_release(loop);
    stand->is_named = rc != 0 && strstr(iso_error_detail(), stand->row->id) != NULL;
    stand->wrote_out = rc != 0 && loop != NULL;
    return rc;
}

const probe_call calls_availability[] = {
    { "loop_new(proactor)", call_new_proactor, NULL },
    { NULL, NULL, NULL },
};
