/* SPDX-License-Identifier: MIT */
/* One program, unchanged on every system and every kind of loop. Each step uses one thing, and says
 * what came of it: what happened, or which row of the table of limits refused it, and why.
 *
 *     portable                                     what this system can do
 *     ISOLOOP_LOOP=selector portable               what another kind of loop can do here
 *     ISOLOOP_LIMITS=windows-proactor portable     what it will be told on Windows, today
 *
 * The last one prints the same lines as the program does on Windows: examples/expected/ has them.
 * ("portable child" is the other program of the step "subprocess".) */
#include "support/descriptors.h"
#include "support/pipe.h"
#include <isoloop.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { HEARD_SIZE = 40, SAID_SIZE = 100, MANY_SOCKETS = 600, EXIT_CHILD = 7 };

static const char greeting[] = "hello";
static const char *own_path; /* of this program: what the step "subprocess" starts */

/* Run the loop until a future is done, and give its result, if that is wanted. */
static int await(iso_loop *loop, iso_future *future, void **result)
{
    int rc = iso_loop_run_until_complete(loop, future);
    if (rc == 0 && result != NULL) rc = iso_future_result(future, result);
    iso_future_release(future);
    return rc;
}

/* ---- what each step is given ----------------------------------------------------------------- */

typedef struct listener {
    char heard[HEARD_SIZE]; /* by its callbacks; */
    size_t size;
    int code;             /* of a subprocess; */
    iso_future *over;     /* done when there is no more to hear; */
    char said[SAID_SIZE]; /* what the step says in the end */
} listener;

static void note(listener *it, const void *data, size_t size)
{
    const char *text = data;
    for (size_t at = 0; at < size; at++)
        if (it->size < HEARD_SIZE - 1) it->heard[it->size++] = text[at];
}

/* ---- timers ---------------------------------------------------------------------------------- */

static void first(iso_loop *loop, void *arg)
{
    (void)loop;
    note(arg, "first, ", 7);
}

static void second(iso_loop *loop, void *arg)
{
    listener *it = arg;
    (void)loop;
    note(it, "second", 6);
    iso_future_set_result(it->over, NULL);
}

static int use_timers(iso_loop *loop, listener *it)
{
    int rc = iso_loop_call_later(loop, ISO_MS(100), second, it, NULL);
    if (rc == 0) rc = iso_loop_call_later(loop, ISO_MS(10), first, it, NULL);
    if (rc == 0) rc = iso_loop_run_until_complete(loop, it->over);
    if (rc == 0) snprintf(it->said, SAID_SIZE, "%s", it->heard);
    return rc;
}

/* ---- servers: an echo, and a client that says hello ------------------------------------------ */

static void echo(iso_transport *transport, void *self, const void *data, size_t size)
{
    (void)self;
    if (iso_transport_write(transport, data, size) != 0) iso_transport_abort(transport);
}

static void greet(iso_transport *transport, void *self)
{
    (void)self;
    if (iso_transport_write(transport, greeting, strlen(greeting)) != 0)
        iso_transport_abort(transport);
}

static void hear(iso_transport *transport, void *self, const void *data, size_t size)
{
    listener *it = self;
    note(it, data, size);
    if (it->size == strlen(greeting)) iso_transport_close(transport);
}

static void leave(iso_transport *transport, void *self, int error)
{
    listener *it = self;
    (void)transport;
    if (error == 0)
        iso_future_set_result(it->over, NULL);
    else
        iso_future_set_error(it->over, error);
}

static const iso_protocol echo_protocol = { .data_received = echo };
static const iso_protocol client_protocol = {
    .connection_made = greet,
    .data_received = hear,
    .connection_lost = leave,
};

/* The client is on its way: wait until it has heard its echo. */
static int hear_echo(iso_loop *loop, listener *it, iso_future *connected)
{
    int rc = await(loop, connected, NULL);
    if (rc == 0) rc = iso_loop_run_until_complete(loop, it->over);
    if (rc == 0) snprintf(it->said, SAID_SIZE, "\"%s\" came back", it->heard);
    return rc;
}

static int serve(iso_loop *loop, const iso_server_options *at, listener *it)
{
    iso_connection_options to = ISO_CONNECTION_OPTIONS_INIT;
    iso_future *future;
    iso_address address;
    void *server;
    int rc = iso_loop_create_server(loop, &echo_protocol, NULL, at, &future);
    if (rc == 0) rc = await(loop, future, &server);
    if (rc != 0) return rc;
    rc = iso_server_address(server, 0, &address);
    to.host = "127.0.0.1";
    to.port = iso_address_port(&address);
    if (rc == 0) rc = iso_loop_create_connection(loop, &client_protocol, it, &to, &future);
    if (rc == 0) rc = hear_echo(loop, it, future);
    iso_server_close(server);
    return rc;
}

static int use_server(iso_loop *loop, listener *it)
{
    iso_server_options at = ISO_SERVER_OPTIONS_INIT;
    at.host = "127.0.0.1";
    return serve(loop, &at, it);
}

static int use_shared_port(iso_loop *loop, listener *it)
{
    iso_server_options at = ISO_SERVER_OPTIONS_INIT;
    at.host = "127.0.0.1";
    at.reuse_port = true;
    return serve(loop, &at, it);
}

static int use_unix_socket(iso_loop *loop, listener *it)
{
    iso_unix_server_options at = ISO_UNIX_SERVER_OPTIONS_INIT;
    iso_unix_connection_options to = ISO_UNIX_CONNECTION_OPTIONS_INIT;
    iso_future *future;
    void *server;
    at.path = to.path = "portable.sock"; /* in this folder; gone when the server closes */
    int rc = iso_loop_create_unix_server(loop, &echo_protocol, NULL, &at, &future);
    if (rc == 0) rc = await(loop, future, &server);
    if (rc != 0) return rc;
    rc = iso_loop_create_unix_connection(loop, &client_protocol, it, &to, &future);
    if (rc == 0) rc = hear_echo(loop, it, future);
    iso_server_close(server);
    return rc;
}

/* ---- datagrams ------------------------------------------------------------------------------- */

static void return_datagram(iso_datagram_transport *transport, void *self, const void *data,
                            size_t size, const iso_address *from)
{
    (void)self;
    iso_datagram_transport_sendto(transport, data, size, from);
}

static void hear_datagram(iso_datagram_transport *transport, void *self, const void *data,
                          size_t size, const iso_address *from)
{
    listener *it = self;
    (void)from;
    note(it, data, size);
    iso_datagram_transport_close(transport);
    iso_future_set_result(it->over, NULL);
}

static const iso_datagram_protocol echo_datagrams = { .datagram_received = return_datagram };
static const iso_datagram_protocol hear_datagrams = { .datagram_received = hear_datagram };

static int exchange_datagram(iso_loop *loop, iso_datagram_transport *server, listener *it)
{
    iso_datagram_options to = ISO_DATAGRAM_OPTIONS_INIT;
    iso_extra_info info;
    iso_future *future;
    void *client;
    int rc = iso_datagram_transport_get_extra_info(server, "sockname", &info);
    if (rc != 0) return rc;
    to.remote_host = "127.0.0.1";
    to.remote_port = iso_address_port(&info.address);
    rc = iso_loop_create_datagram_endpoint(loop, &hear_datagrams, it, &to, &future);
    if (rc == 0) rc = await(loop, future, &client);
    if (rc == 0) rc = iso_datagram_transport_sendto(client, greeting, strlen(greeting), NULL);
    if (rc == 0) rc = iso_loop_run_until_complete(loop, it->over);
    if (rc == 0) snprintf(it->said, SAID_SIZE, "\"%s\" came back", it->heard);
    return rc;
}

static int use_datagrams(iso_loop *loop, listener *it)
{
    iso_datagram_options at = ISO_DATAGRAM_OPTIONS_INIT;
    iso_future *future;
    void *server;
    at.local_host = "127.0.0.1";
    int rc = iso_loop_create_datagram_endpoint(loop, &echo_datagrams, NULL, &at, &future);
    if (rc == 0) rc = await(loop, future, &server);
    if (rc != 0) return rc;
    rc = exchange_datagram(loop, server, it);
    iso_datagram_transport_close(server);
    return rc;
}

/* ---- many sockets: more than select takes on Windows ----------------------------------------- */

static int use_many_sockets(iso_loop *loop, listener *it)
{
    static iso_fd pairs[MANY_SOCKETS / 2][2];
    static iso_future *reads[MANY_SOCKETS];
    int pair_count = 0;
    int read_count = 0;
    int rc = allow_descriptors(MANY_SOCKETS + 100) ? 0 : ISO_EMFILE;
    while (rc == 0 && read_count < MANY_SOCKETS) {
        if (read_count % 2 == 0) {
            rc = iso_socketpair(pairs[pair_count]);
            if (rc != 0) break;
            pair_count++;
        }
        rc = iso_loop_sock_recv(loop, pairs[read_count / 2][read_count % 2], 1, &reads[read_count]);
        if (rc == 0) read_count++;
    }
    if (rc == 0) snprintf(it->said, SAID_SIZE, "%d are waited for at once", read_count);
    for (int i = 0; i < read_count; i++) {
        iso_future_cancel(reads[i]);
        iso_future_release(reads[i]);
    }
    for (int i = 0; i < pair_count; i++) {
        iso_socket_close(pairs[i][0]);
        iso_socket_close(pairs[i][1]);
    }
    return rc;
}

/* ---- descriptors of one's own, watched ------------------------------------------------------- */

static void happened(iso_loop *loop, void *arg)
{
    listener *it = arg;
    (void)loop;
    if (!iso_future_done(it->over)) iso_future_set_result(it->over, NULL);
}

static int watch(iso_loop *loop, iso_fd fd, listener *it)
{
    int rc = iso_loop_add_reader(loop, fd, happened, it);
    if (rc != 0) return rc;
    rc = iso_loop_run_until_complete(loop, it->over);
    iso_loop_remove_reader(loop, fd);
    if (rc == 0) snprintf(it->said, SAID_SIZE, "it can be read");
    return rc;
}

static int watch_socket(iso_loop *loop, listener *it)
{
    iso_fd pair[2];
    int rc = iso_socketpair(pair);
    if (rc != 0) return rc;
    rc = iso_socket_close(pair[1]); /* so that there is something to be told: the end */
    if (rc == 0) rc = watch(loop, pair[0], it);
    iso_socket_close(pair[0]);
    return rc;
}

static int watch_pipe(iso_loop *loop, listener *it)
{
    iso_fd ends[2];
    if (!pipe_open(ends)) return ISO_EMFILE;
    pipe_close(ends[1]);
    int rc = watch(loop, ends[0], it);
    pipe_close(ends[0]);
    return rc;
}

/* ---- pipes ----------------------------------------------------------------------------------- */

static void greet_and_end(iso_transport *transport, void *self)
{
    greet(transport, self);
    if (iso_transport_write_eof(transport) != 0) iso_transport_abort(transport);
}

static void hear_all(iso_transport *transport, void *self, const void *data, size_t size)
{
    (void)transport;
    note(self, data, size);
}

static const iso_protocol writer_protocol = { .connection_made = greet_and_end };
static const iso_protocol reader_protocol = { .data_received = hear_all, .connection_lost = leave };

static int use_pipe(iso_loop *loop, listener *it)
{
    iso_fd ends[2];
    if (!pipe_open(ends)) return ISO_EMFILE;
    int rc = iso_loop_connect_read_pipe(loop, &reader_protocol, it, ends[0], NULL);
    if (rc != 0) pipe_close(ends[0]); /* it was not taken */
    if (rc == 0) rc = iso_loop_connect_write_pipe(loop, &writer_protocol, NULL, ends[1], NULL);
    if (rc != 0) {
        pipe_close(ends[1]);
        return rc;
    }
    rc = iso_loop_run_until_complete(loop, it->over);
    if (rc == 0) snprintf(it->said, SAID_SIZE, "\"%s\" came through", it->heard);
    return rc;
}

/* ---- a subprocess: this program, with an argument -------------------------------------------- */

static int be_child(void)
{
    printf("hello from the child");
    return EXIT_CHILD;
}

static void child_said(iso_process *process, void *self, int fd, const void *data, size_t size)
{
    (void)process;
    (void)fd;
    note(self, data, size);
}

static void child_ended(iso_process *process, void *self)
{
    listener *it = self;
    iso_process_get_returncode(process, &it->code);
}

static void child_gone(iso_process *process, void *self, int error)
{
    listener *it = self;
    (void)process;
    (void)error;
    iso_future_set_result(it->over, NULL);
}

static const iso_subprocess_protocol child_protocol = {
    .pipe_data_received = child_said,
    .process_exited = child_ended,
    .connection_lost = child_gone, /* it has ended, and its pipes are closed */
};

static int use_subprocess(iso_loop *loop, listener *it)
{
    const char *const argv[] = { own_path, "child", NULL };
    iso_subprocess_options options = ISO_SUBPROCESS_OPTIONS_INIT;
    iso_future *started;
    options.stdin_is = ISO_STDIO_NULL;
    int rc = iso_loop_subprocess_exec(loop, &child_protocol, it, argv, &options, &started);
    if (rc == 0) rc = await(loop, started, NULL);
    if (rc == 0) rc = iso_loop_run_until_complete(loop, it->over);
    if (rc == 0)
        snprintf(it->said, SAID_SIZE, "it said \"%s\" and ended with %d", it->heard, it->code);
    return rc;
}

static int use_child_watcher(iso_loop *loop, listener *it)
{
    const iso_child_watcher *watcher;
    (void)loop; /* the current one: see main */
    int rc = iso_get_child_watcher(&watcher);
    if (rc == 0) /* its name is the system's: pidfd, kqueue, threaded */
        snprintf(it->said, SAID_SIZE, watcher->is_active(watcher) ? "there is one" : "not active");
    return rc;
}

/* ---- a signal -------------------------------------------------------------------------------- */

static int use_signal(iso_loop *loop, listener *it)
{
    int rc = iso_loop_add_signal_handler(loop, SIGINT, happened, it);
    if (rc != 0) return rc;
    if (raise(SIGINT) != 0) rc = ISO_EIO; /* what Ctrl-C does */
    if (rc == 0) rc = iso_loop_run_until_complete(loop, it->over);
    iso_loop_remove_signal_handler(loop, SIGINT);
    if (rc == 0) snprintf(it->said, SAID_SIZE, "SIGINT was handled by a callback");
    return rc;
}

/* ---- the program ----------------------------------------------------------------------------- */

enum { NO_LIMITS = -1 };

/* Each writes a few words into `said` if it worked; else it answers the error. */
static const struct step {
    const char *name;
    int (*run)(iso_loop *loop, listener *it);
    int capability; /* an iso_capability: whether it will work can be asked beforehand */
} steps[] = {
    { "timers", use_timers, NO_LIMITS },
    { "server", use_server, NO_LIMITS },
    { "server with reuse_port", use_shared_port, ISO_CAP_REUSE_PORT },
    { "unix socket", use_unix_socket, ISO_CAP_UNIX_SOCKETS },
    { "datagrams", use_datagrams, ISO_CAP_DATAGRAM },
    { "600 sockets", use_many_sockets, NO_LIMITS }, /* iso_loop_limit_get tells of these */
    { "watch a socket", watch_socket, ISO_CAP_WATCH },
    { "watch a pipe", watch_pipe, ISO_CAP_WATCH_NONSOCKETS },
    { "pipe", use_pipe, ISO_CAP_PIPES },
    { "subprocess", use_subprocess, ISO_CAP_SUBPROCESS },
    { "child watcher", use_child_watcher, ISO_CAP_CHILD_WATCHER },
    { "signal", use_signal, ISO_CAP_SIGNALS },
};

/* A refusal is a row of the table; the loop goes on as if nothing had been asked. */
static bool explain(const iso_loop *loop, const char *name, int rc)
{
    const iso_limit *limit = iso_loop_last_limit(loop);
    if (limit == NULL || (int)limit->error != rc) return false;
    printf("%s: refused: %s: %s", name, limit->id, limit->text);
    if (limit->limit != 0)
        printf(" (%lld of %lld in use)", (long long)limit->used, (long long)limit->limit);
    puts("");
    return true;
}

static int run_step(iso_loop *loop, const struct step *step, listener *it, int *refused)
{
    iso_future_release(it->over);
    memset(it, 0, sizeof(*it));
    int rc = iso_loop_create_future(loop, &it->over);
    if (rc == 0) rc = step->run(loop, it);
    if (step->capability != NO_LIMITS &&
        iso_loop_supports(loop, (iso_capability)step->capability) != (rc == 0))
        fprintf(stderr, "%s: iso_loop_supports says otherwise\n", step->name);
    if (rc == 0) {
        printf("%s: %s\n", step->name, it->said);
    } else if (explain(loop, step->name, rc)) {
        ++*refused;
        rc = 0;
    } else {
        fprintf(stderr, "%s: %s %s\n", step->name, iso_strerror(rc), iso_error_detail());
    }
    return rc;
}

int main(int argc, char **argv)
{
    const int count = (int)(sizeof(steps) / sizeof(steps[0]));
    static listener it;
    int refused = 0;
    iso_loop *loop;
    own_path = argv[0];
    if (argc > 1 && strcmp(argv[1], "child") == 0) return be_child();
    int rc = iso_loop_new(&loop, NULL);
    if (rc != 0) {
        fprintf(stderr, "portable: %s %s\n", iso_strerror(rc), iso_error_detail());
        return 1;
    }
    rc = iso_set_event_loop(loop);
    for (int i = 0; rc == 0 && i < count; i++) rc = run_step(loop, &steps[i], &it, &refused);
    if (rc == 0) printf("%d steps, %d of them refused\n", count, refused);
    iso_set_event_loop(NULL);
    iso_loop_close(loop); /* what a failure left open tells the listener now */
    iso_future_release(it.over);
    iso_loop_release(loop);
    return rc != 0;
}
