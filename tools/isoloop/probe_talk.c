/* SPDX-License-Identifier: MIT */
#include "probe_prepare.h"
#include "probe_os.h"
#include "probe_stand.h"
#include "probe_work.h"
#include <string.h>

/* ---- a question and its echo ---------------------------------------------------------------- */

/* The side that asks, or the one that only listens. */
typedef struct talk {
    int received; /* bytes */
    int ended;    /* eof_received */
    int lost;
    int error; /* of connection_lost */
    char byte;
} talk;

static void answer(iso_transport *transport, void *self, const void *data, size_t size)
{
    (void)self;
    (void)iso_transport_write(transport, data, size);
}

static void ask(iso_transport *transport, void *self)
{
    (void)self;
    (void)iso_transport_write(transport, "?", 1);
}

static void keep_byte(iso_transport *transport, void *self, const void *data, size_t size)
{
    talk *mine = self;
    (void)transport;
    memcpy(&mine->byte, data, 1);
    mine->received += (int)size;
}

static void hear_answer(iso_transport *transport, void *self, const void *data, size_t size)
{
    keep_byte(transport, self, data, size);
    (void)iso_transport_close(transport);
}

static bool keep_end(iso_transport *transport, void *self)
{
    (void)transport;
    ((talk *)self)->ended++;
    return true; /* stay open for writing */
}

static void keep_loss(iso_transport *transport, void *self, int error)
{
    talk *mine = self;
    (void)transport;
    mine->error = error;
    mine->lost++;
}

static const iso_protocol echoing = { .data_received = answer };
static const iso_protocol asking = {
    .connection_made = ask,
    .data_received = hear_answer,
    .connection_lost = keep_loss,
};
static const iso_protocol listening = {
    .data_received = keep_byte,
    .eof_received = keep_end,
    .connection_lost = keep_loss,
};

/* How the one that asks reaches the server. */
typedef int (*dial)(probe_stand *stand, const iso_server *server, talk *mine, iso_future **out);

static int converse(probe_stand *stand, const iso_server *server, dial reach)
{
    talk mine = { 0 };
    iso_future *future = NULL;
    int rc = reach(stand, server, &mine, &future);
    rc = stand_finish(stand, "the connection", rc, future, NULL);
    if (rc == 0) rc = stand_until(stand, &mine.lost, 1);
    iso_future_release(future);
    if (rc == 0) rc = mine.error;
    if (rc == 0 && (mine.received != 1 || mine.byte != '?')) rc = ISO_EIO;
    return rc == 0 ? 0 : stand_fail(stand, "the echo", rc);
}

/* One question to the server whose future a call gave. */
static int ask_server(probe_stand *stand, int rc, iso_future *serving, dial reach)
{
    void *server = NULL;
    rc = stand_finish(stand, "the server", rc, serving, &server);
    if (rc == 0) rc = converse(stand, server, reach);
    if (server != NULL) (void)iso_server_close(server);
    iso_future_release(serving);
    return rc == 0 ? stand_settle(stand) : rc;
}

static int dial_unix(probe_stand *stand, const iso_server *server, talk *mine, iso_future **out)
{
    iso_unix_connection_options options = ISO_UNIX_CONNECTION_OPTIONS_INIT;
    (void)server;
    options.path = stand->path;
    return iso_loop_create_unix_connection(stand->loop, &asking, mine, &options, out);
}

/* Where "native" lifts the row and the system is older than that: whether it truly can't. */
static bool is_beyond_system(probe_stand *stand, int error)
{
    probe_got got = { .used = -1 };
    if (error != ISO_ENOTSUP || iso_loop_last_limit(stand->loop) != NULL) return false;
    if (iso_loop_supports(stand->loop, ISO_CAP_UNIX_SOCKETS)) return false;
    if (!probe_os_system(stand->row, stand->backend, &got) || got.can) return false;
    stand_note(stand, "refused, but not by the row: %s", got.note);
    return true;
}

int work_unix(probe_stand *stand)
{
    iso_unix_server_options options = ISO_UNIX_SERVER_OPTIONS_INIT;
    iso_future *serving = NULL;
    probe_ready ready = probe_os_socket_path(stand->path, sizeof(stand->path));
    if (stand_want(stand, ready, "a folder for a socket") != PROBE_READY) return ISO_EUNKNOWN;
    options.path = stand->path;
    int rc = iso_loop_create_unix_server(stand->loop, &echoing, NULL, &options, &serving);
    if (rc != 0 && is_beyond_system(stand, rc)) return 0;
    rc = ask_server(stand, rc, serving, dial_unix);
    stand_note(stand, "a byte came back over a unix socket");
    return rc;
}

static int dial_name(probe_stand *stand, const iso_server *server, talk *mine, iso_future **out)
{
    (void)server;
    return iso_loop_create_pipe_connection(stand->loop, &asking, mine, prepare_pipe_name(stand),
                                           out);
}

int work_named_pipe(probe_stand *stand)
{
    iso_future *serving = NULL;
    const char *name = prepare_pipe_name(stand);
    int rc = iso_loop_start_serving_pipe(stand->loop, &echoing, NULL, name, &serving);
    rc = ask_server(stand, rc, serving, dial_name);
    stand_note(stand, "a byte came back over a pipe with a name");
    return rc;
}

static int dial_tcp(probe_stand *stand, const iso_server *server, talk *mine, iso_future **out)
{
    iso_connection_options options = ISO_CONNECTION_OPTIONS_INIT;
    iso_address address;
    int rc = iso_server_address(server, 0, &address);
    if (rc != 0) return rc;
    options.host = "127.0.0.1";
    options.port = iso_address_port(&address);
    return iso_loop_create_connection(stand->loop, &asking, mine, &options, out);
}

/* Serve on a port that others may share; 0: any. */
static int serve_port(probe_stand *stand, uint16_t port, iso_future **out)
{
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    options.host = "127.0.0.1";
    options.port = port;
    options.reuse_port = true;
    return iso_loop_create_server(stand->loop, &echoing, NULL, &options, out);
}

int work_reuse_port(probe_stand *stand)
{
    iso_future *first = NULL;
    iso_future *second = NULL;
    iso_address address = { 0 };
    void *server = NULL;
    int rc = serve_port(stand, 0, &first);
    rc = stand_finish(stand, "the first server", rc, first, &server);
    if (rc == 0) rc = iso_server_address(server, 0, &address);
    if (rc == 0) rc = serve_port(stand, iso_address_port(&address), &second);
    rc = stand_finish(stand, "the second server of the port", rc, second, NULL);
    if (rc == 0) rc = converse(stand, server, dial_tcp);
    if (server != NULL) (void)iso_server_close(server);
    iso_future_release(first);
    if (iso_future_done(second) && iso_future_result(second, &server) == 0)
        (void)iso_server_close(server);
    iso_future_release(second);
    if (rc == 0) rc = stand_settle(stand);
    stand_note(stand, "two servers shared a port, and a byte came back");
    return rc;
}

/* ---- pipes ---------------------------------------------------------------------------------- */

/* Write a byte into the one end, with a transport, and read it at the other. */
static int move_byte(probe_stand *stand, talk *mine, iso_future **reader, iso_future **writer)
{
    void *transport = NULL;
    int rc = iso_loop_connect_read_pipe(stand->loop, &listening, mine, stand->fds[0], reader);
    if (rc != 0) return stand_fail(stand, "connect_read_pipe", rc);
    stand->fds[0] = ISO_FD_NONE; /* given */
    rc = iso_loop_connect_write_pipe(stand->loop, &listening, mine, stand->fds[1], writer);
    if (rc != 0) return stand_fail(stand, "connect_write_pipe", rc);
    stand->fds[1] = ISO_FD_NONE;
    rc = stand_finish(stand, "the end to read", 0, *reader, NULL);
    if (rc == 0) rc = stand_finish(stand, "the end to write", 0, *writer, &transport);
    if (rc == 0) rc = iso_transport_write(transport, "p", 1);
    if (rc == 0) rc = stand_until(stand, &mine->received, 1);
    if (rc == 0) rc = iso_transport_close(transport);
    if (rc == 0) rc = stand_until(stand, &mine->lost, 2); /* each end is told */
    if (rc == 0 && mine->byte != 'p') rc = ISO_EIO;
    return rc == 0 ? 0 : stand_fail(stand, "the pipe", rc);
}

int work_pipe(probe_stand *stand)
{
    talk mine = { 0 };
    iso_future *reader = NULL;
    iso_future *writer = NULL;
    if (prepare_transport_pipe(stand) != PROBE_READY) return ISO_EUNKNOWN;
    int rc = move_byte(stand, &mine, &reader, &writer);
    iso_future_release(reader);
    iso_future_release(writer);
    if (rc == 0) rc = stand_settle(stand);
    stand_note(stand, "a pipe moved a byte");
    return rc;
}

/* ---- half a close --------------------------------------------------------------------------- */

static int adopt(probe_stand *stand, int side, talk *mine, iso_transport **out)
{
    iso_connection_options options = ISO_CONNECTION_OPTIONS_INIT;
    iso_future *future = NULL;
    void *transport = NULL;
    options.sock = stand->fds[side];
    int rc = iso_loop_create_connection(stand->loop, &listening, mine, &options, &future);
    if (rc == 0) stand->fds[side] = ISO_FD_NONE;
    rc = stand_finish(stand, "create_connection", rc, future, &transport);
    if (rc == 0) *out = iso_transport_ref(transport);
    iso_future_release(future);
    return rc;
}

/* The one says that it has said all, and still hears the other. */
static int end_one_side(probe_stand *stand, talk talks[2], iso_transport *ends[2])
{
    if (!iso_transport_can_write_eof(ends[0])) return ISO_ENOTSUP;
    int rc = iso_transport_write(ends[0], "a", 1);
    if (rc == 0) rc = iso_transport_write_eof(ends[0]);
    if (rc == 0) rc = stand_until(stand, &talks[1].ended, 1);
    if (rc == 0) rc = iso_transport_write(ends[1], "b", 1);
    if (rc == 0) rc = stand_until(stand, &talks[0].received, 1);
    if (rc == 0 && (talks[1].byte != 'a' || talks[0].byte != 'b')) rc = ISO_EIO;
    return rc;
}

int work_half_close(probe_stand *stand)
{
    talk talks[2] = { { 0 }, { 0 } };
    iso_transport *ends[2] = { NULL, NULL };
    if (prepare_pair(stand) != PROBE_READY) return ISO_EUNKNOWN;
    int rc = adopt(stand, 0, &talks[0], &ends[0]);
    if (rc == 0) rc = adopt(stand, 1, &talks[1], &ends[1]);
    if (rc == 0) rc = end_one_side(stand, talks, ends);
    if (rc != 0) (void)stand_fail(stand, "write_eof", rc);
    for (int i = 0; i < 2; i++) {
        if (ends[i] != NULL) (void)iso_transport_abort(ends[i]);
        iso_transport_release(ends[i]);
    }
    const int settled = stand_settle(stand);
    stand_note(stand, "a stream ended one direction, and the other went on");
    return rc == 0 ? settled : rc;
}

/* ---- datagrams ------------------------------------------------------------------------------ */

typedef struct letter {
    int received;
    int lost;
    char byte;
    bool answers;
} letter;

static void letter_received(iso_datagram_transport *transport, void *self, const void *data,
                            size_t size, const iso_address *from)
{
    letter *mine = self;
    if (size > 0) memcpy(&mine->byte, data, 1);
    mine->received++;
    if (mine->answers) (void)iso_datagram_transport_sendto(transport, data, size, from);
}

static void letter_lost(iso_datagram_transport *transport, void *self, int error)
{
    (void)transport;
    (void)error;
    ((letter *)self)->lost++;
}

static const iso_datagram_protocol correspondent = {
    .datagram_received = letter_received,
    .connection_lost = letter_lost,
};

static int open_endpoint(probe_stand *stand, letter *mine, iso_datagram_transport **out)
{
    iso_datagram_options options = ISO_DATAGRAM_OPTIONS_INIT;
    iso_future *future = NULL;
    void *transport = NULL;
    options.local_host = "127.0.0.1";
    int rc =
        iso_loop_create_datagram_endpoint(stand->loop, &correspondent, mine, &options, &future);
    rc = stand_finish(stand, "create_datagram_endpoint", rc, future, &transport);
    if (rc == 0) *out = iso_datagram_transport_ref(transport);
    iso_future_release(future);
    return rc;
}

static int send_letter(probe_stand *stand, letter letters[2], iso_datagram_transport *ends[2])
{
    iso_extra_info info;
    int rc = iso_datagram_transport_get_extra_info(ends[1], "sockname", &info);
    if (rc == 0) rc = iso_datagram_transport_sendto(ends[0], "d", 1, &info.address);
    if (rc == 0) rc = stand_until(stand, &letters[0].received, 1);
    if (rc == 0 && (letters[0].byte != 'd' || letters[1].byte != 'd')) rc = ISO_EIO;
    return rc == 0 ? 0 : stand_fail(stand, "a datagram there and back", rc);
}

int work_datagram(probe_stand *stand)
{
    letter letters[2] = { { .answers = false }, { .answers = true } };
    iso_datagram_transport *ends[2] = { NULL, NULL };
    int rc = open_endpoint(stand, &letters[0], &ends[0]);
    if (rc == 0) rc = open_endpoint(stand, &letters[1], &ends[1]);
    if (rc == 0) rc = send_letter(stand, letters, ends);
    for (int i = 0; i < 2; i++) {
        if (ends[i] != NULL) (void)iso_datagram_transport_close(ends[i]);
        iso_datagram_transport_release(ends[i]);
    }
    const int settled = stand_settle(stand);
    stand_note(stand, "a datagram went there and back");
    return rc == 0 ? settled : rc;
}
