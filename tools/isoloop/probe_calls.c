/* SPDX-License-Identifier: MIT */
#include "probe_calls.h"
#include "probe_prepare.h"
#include <signal.h>
#include <string.h>

static const iso_protocol quiet = { .connection_made = NULL };
static const iso_subprocess_protocol quiet_process = { .connection_made = NULL };
static const iso_datagram_protocol quiet_datagram = { .connection_made = NULL };

/* ---- rows that come first ------------------------------------------------------------ */

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

/* ---- sockets by path, signals, children, ports ---------------------------------------- */

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

/* ---- what registers a socket ---------------------------------------------------------- */

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

/* ---- pipes and programs --------------------------------------------------------------- */

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
    int rc = iso_loop_create_pipe_connection(stand->loop, &quiet, NULL, prepare_pipe_name(stand),
                                             &future);
    return refused(stand, rc, future);
}

static int call_serving_pipe(probe_stand *stand)
{
    iso_future *future = NULL;
    int rc =
        iso_loop_start_serving_pipe(stand->loop, &quiet, NULL, prepare_pipe_name(stand), &future);
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
    return end_writing(prepare_named_end(stand, 0));
}

static int call_write_eof_of_client(probe_stand *stand)
{
    return end_writing(prepare_named_end(stand, 1));
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
