/* SPDX-License-Identifier: MIT */
/* Unix sockets: servers and connections at a path, the file that belongs to a server, abstract
 * names, who the peer is, descriptors that are handed over; and what the documents, or a system,
 * say that there is none of it. */
#include "base/limits.h"
#include "io/paths.h"
#include "io/recorder.h"
#include "sys/descriptor.h"
#include "sys/sock.h"
#include "sys/unix.h"

#include <stdio.h>
#include <string.h>

/* Whether the system has them. Loops that are made from here on are native, for on Windows the
 * documents deny them. */
static bool has_unix_sockets(kit *k)
{
    kit_setenv(k, "ISOLOOP_LIMITS", "native");
    return paths_has_unix_sockets() || kit_skip(k, "windows.unix_sockets");
}

/* The same for what Windows has not, or has in a way of its own. */
static bool has_more_of_them(kit *k)
{
    if (!has_unix_sockets(k)) return false;
    return iso__platform != ISO__ON_WINDOWS || kit_skip(k, "windows.unix_sockets");
}

/* Two connected ones; there is no socketpair of them on Windows. */
static void unix_pair(kit *k, iso_fd ends[2])
{
    char path[PATHS_BYTES];
    char folder[PATHS_FOLDER_BYTES];
    iso__unix_address address;
    iso_fd listener;
    int rc;

    REQUIRE_OK(paths_make_folder(folder));
    (void)snprintf(path, sizeof(path), "%s/p", folder);
    REQUIRE_OK(iso__sys_unix_address(&address, path, strlen(path)));
    REQUIRE_OK(iso__sys_unix_open(&listener));
    REQUIRE_OK(iso__sys_unix_bind(listener, &address));
    REQUIRE_OK(iso_socket_listen(listener, 1));
    REQUIRE_OK(iso__sys_unix_open(&ends[0]));
    (void)kit_own(k, ends[0]);
    do {
        rc = iso__sys_unix_connect(ends[0], &address);
    } while (rc == ISO_EINPROGRESS);
    REQUIRE_OK(rc);
    kit_await(k, listener, ISO_EVENT_READ);
    REQUIRE_OK(iso__sys_socket_accept(listener, &ends[1], NULL));
    (void)kit_own(k, ends[1]);
    CHECK_OK(iso_socket_close(listener));
    CHECK_OK(paths_remove(path));
    CHECK_OK(paths_remove_folder(folder));
}

/* ---- an echo server at a path ---- */

enum { HOUSE_CLIENTS = 64 };

typedef struct house {
    kit *k;
    iso_loop *loop;
    char folder[PATHS_FOLDER_BYTES];
    char path[PATHS_BYTES];
    iso_unix_server_options options;
    iso_server *server;
    int made_count;
    int lost_count;
    iso_transport *clients[HOUSE_CLIENTS]; /* borrowed; of the first made_count */
} house;

static void house_made(iso_transport *transport, void *arg)
{
    house *self = arg;

    REQUIRE(self->made_count < HOUSE_CLIENTS);
    self->clients[self->made_count++] = transport;
}

static void house_data(iso_transport *transport, void *arg, const void *data, size_t size)
{
    (void)arg;
    CHECK_OK(iso_transport_write(transport, data, size));
}

static void house_lost(iso_transport *transport, void *arg, int error)
{
    house *self = arg;

    (void)transport;
    (void)error;
    self->lost_count++;
}

static const iso_protocol echo = {
    .connection_made = house_made,
    .data_received = house_data,
    .connection_lost = house_lost,
};

static void join_path(char path[PATHS_BYTES], const char *folder, const char *name)
{
    REQUIRE(strlen(folder) + 1 + strlen(name) < PATHS_BYTES);
    (void)snprintf(path, PATHS_BYTES, "%s/%s", folder, name);
}

static void prepare_with(house *self, kit *k, iso_loop *loop)
{
    const iso_unix_server_options none = ISO_UNIX_SERVER_OPTIONS_INIT;

    memset(self, 0, sizeof(*self));
    self->k = k;
    self->loop = loop;
    REQUIRE_OK(paths_make_folder(self->folder));
    join_path(self->path, self->folder, "s");
    self->options = none;
    self->options.path = self->path;
}

static void prepare(house *self, kit *k)
{
    prepare_with(self, k, kit_loop(k));
}

/* A server with these options: 0 and *out, or what the future ended with. */
static int try_to_open(house *self, const iso_unix_server_options *options, iso_server **out)
{
    iso_future *future = NULL;
    void *server = NULL;
    int rc;

    REQUIRE_OK(iso_loop_create_unix_server(self->loop, &echo, self, options, &future));
    rc = kit_run(self->k, self->loop, future);
    if (rc == 0) CHECK_OK(iso_future_result(future, &server));
    iso_future_release(future);
    *out = server;
    return rc;
}

static void open_house(house *self)
{
    REQUIRE_OK(try_to_open(self, &self->options, &self->server));
}

/* Close and abort everything; the folder is empty then. */
static void end_house(house *self)
{
    if (self->server != NULL) {
        CHECK_OK(iso_server_abort_clients(self->server));
        CHECK_OK(iso_server_close(self->server));
    }
    CHECK(run_until_idle(self->k, self->loop));
    CHECK_EQ(self->made_count, self->lost_count);
    CHECK_EQ(kit_statistics(self->loop).timers, 0);
    CHECK_OK(paths_remove_folder(self->folder));
}

/* ---- its clients ---- */

/* Begin to connect; the caller owns the future. */
static iso_future *begin_call(house *self, recorder *client, const char *path, size_t length)
{
    iso_unix_connection_options options = ISO_UNIX_CONNECTION_OPTIONS_INIT;
    iso_future *future = NULL;

    recorder_init(client, self->k, NULL);
    options.path = path;
    options.path_length = length;
    REQUIRE_OK(
        iso_loop_create_unix_connection(self->loop, &recorder_protocol, client, &options, &future));
    return future;
}

/* What the future of a connection ends with. */
static int call_at(house *self, recorder *client, const char *path, size_t length)
{
    return kit_run_release(self->k, self->loop, begin_call(self, client, path, length));
}

static int call(house *self, recorder *client)
{
    return call_at(self, client, self->path, 0);
}

static bool does_echo(house *self, recorder *client, const char *word)
{
    int wanted = (int)(client->received + strlen(word));

    CHECK_OK(iso_transport_write(client->transport, word, strlen(word)));
    while ((int)client->received < wanted && !kit_has_failed(self->k))
        (void)kit_run_until(self->k, self->loop, &client->data_count, client->data_count + 1);
    return CHECK_STR(client->text + wanted - (int)strlen(word), word);
}

static void hang_up(recorder *client)
{
    if (client->transport != NULL) CHECK_OK(iso_transport_abort(client->transport));
}

/* ---- talking ---- */

KIT_TEST(a_server_and_its_clients_talk_at_a_path)
{
    enum { CLIENTS = 20 };
    recorder clients[CLIENTS];
    house h;
    int at;

    if (!has_unix_sockets(k)) return;
    prepare(&h, k);
    open_house(&h);
    CHECK(iso_server_is_serving(h.server));
    CHECK_EQ(paths_look(h.path), PATHS_SOCKET);
    for (at = 0; at < CLIENTS; at++) CHECK_OK(call(&h, &clients[at]));
    for (at = 0; at < CLIENTS; at++) CHECK(does_echo(&h, &clients[at], "hello"));
    CHECK_EQ(iso_server_client_count(h.server), CLIENTS);
    for (at = 0; at < CLIENTS; at++) hang_up(&clients[at]);
    end_house(&h);
}

KIT_TEST(a_connection_is_a_transport_like_another)
{
    static unsigned char big[256 * 1024];
    recorder client;
    house h;
    int turns = 0;

    if (!has_unix_sockets(k)) return;
    prepare(&h, k);
    open_house(&h);
    CHECK_OK(call(&h, &client));

    /* when it sends more than the system keeps, and says that there is no more */
    client.is_patterned = true;
    pattern_fill(big, sizeof(big), 0);
    CHECK_OK(iso_transport_write(client.transport, big, sizeof(big)));
    CHECK(iso_transport_can_write_eof(client.transport));
    CHECK_OK(iso_transport_write_eof(client.transport));

    /* then all of it comes back, and then the end */
    while (client.lost_count == 0 && turns++ < 100000) (void)iso_loop_run_once(h.loop, ISO_S(30));
    CHECK_EQ(client.received, sizeof(big));
    CHECK_EQ(client.wrong_bytes, 0);
    CHECK_EQ(client.eof_count, 1);
    CHECK_OK(client.error);
    end_house(&h);
}

KIT_TEST(nobody_is_served_before_start_serving)
{
    recorder client;
    house h;

    if (!has_unix_sockets(k)) return;
    prepare(&h, k);
    h.options.start_serving = false;
    open_house(&h);
    CHECK(!iso_server_is_serving(h.server));
    CHECK_RC(call(&h, &client), ISO_ECONNREFUSED);
    CHECK_OK(iso_server_start_serving(h.server));
    CHECK_OK(call(&h, &client));
    CHECK(does_echo(&h, &client, "now"));
    hang_up(&client);
    end_house(&h);
}

KIT_TEST(a_socket_that_is_connected_becomes_a_transport)
{
    iso_unix_connection_options options = ISO_UNIX_CONNECTION_OPTIONS_INIT;
    iso_future *future = NULL;
    iso_fd ends[2];
    recorder client;
    char word[3];
    house h;

    if (!has_unix_sockets(k)) return;
    prepare(&h, k);
    unix_pair(k, ends);
    recorder_init(&client, k, NULL);
    options.sock = kit_give(k, ends[0]);
    REQUIRE_OK(
        iso_loop_create_unix_connection(h.loop, &recorder_protocol, &client, &options, &future));
    CHECK_OK(kit_run_release(k, h.loop, future));
    CHECK_OK(iso_transport_write(client.transport, "yes", 3));
    CHECK_EQ(kit_recv(k, ends[1], word, 3), 3);
    hang_up(&client);
    end_house(&h);
}

KIT_TEST(a_socket_that_is_bound_becomes_a_server)
{
    iso__unix_address address;
    recorder client;
    iso_fd fd;
    house h;

    /* given a socket of the program's, bound and listening */
    if (!has_unix_sockets(k)) return;
    prepare(&h, k);
    REQUIRE_OK(iso__sys_unix_open(&fd));
    REQUIRE_OK(iso__sys_unix_address(&address, h.path, strlen(h.path)));
    REQUIRE_OK(iso__sys_unix_bind(fd, &address));
    CHECK_OK(iso_socket_listen(fd, 5));

    /* when it is given to a server */
    h.options.path = NULL;
    h.options.sock = fd;
    open_house(&h);

    /* then that serves it, and its file is the server's */
    CHECK_OK(call(&h, &client));
    CHECK(does_echo(&h, &client, "mine"));
    hang_up(&client);
    CHECK_OK(iso_server_close(h.server));
    CHECK_EQ(paths_look(h.path), PATHS_NOTHING);
    end_house(&h);
}

KIT_TEST(a_socket_that_can_not_listen_ends_the_future)
{
    iso_server *server;
    iso_fd ends[2];
    house h;

    if (!has_unix_sockets(k)) return;
    prepare(&h, k);
    unix_pair(k, ends);
    h.options.path = NULL;
    h.options.sock = kit_give(k, ends[0]); /* it is connected */
    CHECK(try_to_open(&h, &h.options, &server) < 0);
    end_house(&h);
}

KIT_TEST(a_server_that_closes_leaves_its_clients)
{
    iso_future *closed = NULL;
    recorder client;
    recorder late;
    house h;

    if (!has_unix_sockets(k)) return;
    prepare(&h, k);
    open_house(&h);
    CHECK_OK(call(&h, &client));
    CHECK(does_echo(&h, &client, "before"));
    CHECK_OK(iso_server_close(h.server));
    CHECK_OK(iso_server_wait_closed(h.server, &closed));
    CHECK_RC(call(&h, &late), ISO_ENOENT);
    CHECK(does_echo(&h, &client, "after"));
    CHECK(!iso_future_done(closed));
    h.server = NULL; /* it goes with its last client */
    hang_up(&client);
    CHECK_OK(kit_run_release(k, h.loop, closed));
    end_house(&h);
}

KIT_TEST(a_loop_that_closes_ends_all_of_it)
{
    recorder client;
    recorder late;
    iso_future *future;
    house h;

    if (!has_unix_sockets(k)) return;
    prepare(&h, k);
    open_house(&h);
    CHECK_OK(call(&h, &client));
    (void)kit_run_until(k, h.loop, &h.made_count, 1);
    future = begin_call(&h, &late, h.path, 0); /* and this one has not been told yet */
    CHECK_OK(iso_loop_close(h.loop));
    CHECK_RC(iso_future_error(future), ISO_ECANCELED);
    iso_future_release(future);
    CHECK_RC(client.error, ISO_ECLOSED);
    CHECK_EQ(late.made_count, 0);
    CHECK_EQ(h.made_count, h.lost_count);
    CHECK_EQ(paths_look(h.path), PATHS_NOTHING);
    CHECK_OK(paths_remove_folder(h.folder));
    CHECK_RC(iso_loop_create_unix_server(h.loop, &echo, &h, &h.options, NULL), ISO_ECLOSED);
}

/* ---- connections that come to nothing ---- */

KIT_TEST(a_path_without_a_server_ends_the_future)
{
    recorder client;
    house h;

    if (!has_unix_sockets(k)) return;
    prepare(&h, k);
    CHECK_RC(call(&h, &client), ISO_ENOENT);

    /* a socket file whose server has gone */
    h.options.keep_socket = true;
    open_house(&h);
    CHECK_OK(iso_server_close(h.server));
    h.server = NULL;
    CHECK_RC(call(&h, &client), ISO_ECONNREFUSED);
    CHECK_OK(paths_remove(h.path));
    end_house(&h);
}

KIT_TEST(an_error_without_a_future_is_reported)
{
    iso_unix_connection_options to = ISO_UNIX_CONNECTION_OPTIONS_INIT;
    recorder client;
    house h;

    if (!has_unix_sockets(k)) return;
    prepare(&h, k);
    recorder_init(&client, k, NULL);
    to.path = h.path;
    CHECK_OK(iso_loop_create_unix_connection(h.loop, &recorder_protocol, &client, &to, NULL));
    CHECK(run_until_idle(k, h.loop));
    CHECK_EQ(kit_log_count(k, "ISO_ENOENT"), 1);
    CHECK(kit_logged(k, "ISO_ENOENT"));

    CHECK_OK(paths_make_file(h.path));
    CHECK_OK(iso_loop_create_unix_server(h.loop, &echo, &h, &h.options, NULL));
    CHECK(run_until_idle(k, h.loop));
    CHECK_EQ(kit_log_count(k, "ISO_EADDRINUSE"), 1);
    CHECK(kit_logged(k, "ISO_EADDRINUSE"));
    CHECK_OK(paths_remove(h.path));
    end_house(&h);
}

KIT_TEST(a_connection_can_be_cancelled_before_it_is_made)
{
    iso_future *future;
    recorder client;
    house h;

    if (!has_unix_sockets(k)) return;
    prepare(&h, k);
    open_house(&h);
    future = begin_call(&h, &client, h.path, 0);
    CHECK_OK(iso_future_cancel(future));
    CHECK_RC(iso_future_error(future), ISO_ECANCELED);
    iso_future_release(future);
    (void)kit_run_until(k, h.loop, &h.lost_count, 1); /* the server sees somebody come and go */
    CHECK_EQ(client.made_count, client.lost_count);
    end_house(&h);
}

/* A socket that listens and is not served, its backlog full; and connections that wait for it. */
enum { WAITERS = 6 };

typedef struct queue {
    iso_fd listener;
    iso_future *futures[WAITERS];
    recorder clients[WAITERS];
    int waiting;
    int refused;
    int made;
} queue;

/* Ask how each is; the refused ones are let go. */
static void count_queue(queue *self)
{
    int at;

    self->waiting = 0;
    self->made = 0;
    for (at = 0; at < WAITERS; at++) {
        iso_future *future = self->futures[at];

        if (future == NULL) continue;
        if (!iso_future_done(future)) {
            self->waiting++;
        } else if (iso_future_error(future) == 0) {
            self->made++;
        } else {
            CHECK_RC(iso_future_error(future), ISO_ECONNREFUSED);
            self->refused++;
            iso_future_release(future);
            self->futures[at] = NULL;
        }
    }
}

static void fill_queue(queue *self, house *h)
{
    iso__unix_address address;
    int at;

    memset(self, 0, sizeof(*self));
    REQUIRE_OK(iso__sys_unix_open(&self->listener));
    REQUIRE_OK(iso__sys_unix_address(&address, h->path, strlen(h->path)));
    REQUIRE_OK(iso__sys_unix_bind(self->listener, &address));
    REQUIRE_OK(iso_socket_listen(self->listener, 1));
    (void)kit_own(h->k, self->listener);
    for (at = 0; at < WAITERS; at++)
        self->futures[at] = begin_call(h, &self->clients[at], h->path, 0);
    for (at = 0; at < 20; at++) (void)iso_loop_run_once(h->loop, ISO_FOREVER);
    count_queue(self);
    CHECK_EQ(self->waiting + self->refused + self->made, WAITERS);
    CHECK(self->made > 0);
    CHECK_EQ(paths_waits_for_a_full_backlog() ? self->refused : self->waiting, 0);
    CHECK(self->waiting + self->refused > 0);
}

static void end_queue(queue *self, house *h)
{
    int at;

    for (at = 0; at < WAITERS; at++) {
        if (self->futures[at] != NULL && !iso_future_done(self->futures[at]))
            CHECK_OK(iso_future_cancel(self->futures[at]));
        iso_future_release(self->futures[at]);
        hang_up(&self->clients[at]);
    }
    CHECK_OK(paths_remove(h->path));
    end_house(h);
}

KIT_TEST(a_connection_waits_while_the_backlog_is_full)
{
    queue q;
    house h;
    iso_fd fd;
    int turns = 0;

    /* given a backlog that is full, and a clock that jumps from one try to the next */
    if (!has_more_of_them(k)) return;
    prepare_with(&h, k, kit_virtual_loop(k));
    fill_queue(&q, &h);

    /* when they are accepted after all, then the rest get through too */
    while (q.waiting > 0 && turns++ < 10000) {
        while (iso__sys_socket_accept(q.listener, &fd, NULL) == 0) CHECK_OK(iso_socket_close(fd));
        (void)iso_loop_run_once(h.loop, ISO_FOREVER);
        count_queue(&q);
    }
    CHECK_EQ(q.made + q.refused, WAITERS);
    end_queue(&q, &h);
}

KIT_TEST(a_connection_that_waits_is_tried_less_and_less_often)
{
    iso_nsec begin;
    queue q;
    house h;

    /* given some that wait for ten seconds */
    if (!has_more_of_them(k)) return;
    prepare_with(&h, k, kit_virtual_loop(k));
    fill_queue(&q, &h);
    begin = iso_loop_time(h.loop);
    kit_clock_of(k)->jumps = 0;
    while (q.waiting > 0 && iso_loop_time(h.loop) < begin + ISO_S(10))
        (void)iso_loop_run_once(h.loop, ISO_FOREVER);

    /* then each has tried about ten times a second */
    count_queue(&q);
    CHECK_LE(kit_clock_of(k)->jumps, q.waiting * 120);
    CHECK_GE(kit_clock_of(k)->jumps, q.waiting > 0 ? 90 : 0);
    end_queue(&q, &h);
}

KIT_TEST(a_connection_that_waits_can_be_cancelled)
{
    queue q;
    house h;

    if (!has_more_of_them(k)) return;
    prepare_with(&h, k, kit_virtual_loop(k));
    fill_queue(&q, &h);
    end_queue(&q, &h); /* which cancels them */
}

KIT_TEST(a_connection_that_waits_learns_that_the_server_has_gone)
{
    queue q;
    house h;
    int waited;
    int turns = 0;

    if (!has_more_of_them(k)) return;
    prepare_with(&h, k, kit_virtual_loop(k));
    fill_queue(&q, &h);
    waited = q.waiting;
    kit_close(k, q.listener);
    while (q.waiting > 0 && turns++ < 10000) {
        (void)iso_loop_run_once(h.loop, ISO_FOREVER);
        count_queue(&q);
    }
    CHECK_EQ(q.waiting, 0);
    CHECK_GE(q.refused, waited);
    end_queue(&q, &h);
}

/* ---- the file ---- */

KIT_TEST(the_file_goes_when_the_server_closes)
{
    house h;

    if (!has_unix_sockets(k)) return;
    prepare(&h, k);
    open_house(&h);
    CHECK_EQ(paths_look(h.path), PATHS_SOCKET);
    CHECK_OK(iso_server_close(h.server));
    CHECK_EQ(paths_look(h.path), PATHS_NOTHING);
    end_house(&h); /* closes it once more */
}

KIT_TEST(the_file_stays_if_it_is_to_be_kept)
{
    house h;

    if (!has_unix_sockets(k)) return;
    prepare(&h, k);
    h.options.keep_socket = true;
    open_house(&h);
    CHECK_OK(iso_server_close(h.server));
    CHECK_EQ(paths_look(h.path), PATHS_SOCKET);
    CHECK_OK(paths_remove(h.path));
    end_house(&h);
}

KIT_TEST(a_stale_socket_file_is_removed_first)
{
    iso_server *stale;
    recorder client;
    house h;

    if (!has_unix_sockets(k)) return;
    prepare(&h, k);
    h.options.keep_socket = true;
    REQUIRE_OK(try_to_open(&h, &h.options, &stale));
    CHECK_OK(iso_server_close(stale));
    CHECK_EQ(paths_look(h.path), PATHS_SOCKET);
    h.options.keep_socket = false;
    open_house(&h);
    CHECK_OK(call(&h, &client));
    CHECK(does_echo(&h, &client, "fresh"));
    hang_up(&client);
    end_house(&h);
}

KIT_TEST(a_file_that_is_another_servers_by_now_stays)
{
    iso_server *first;
    recorder client;
    house h;

    /* given a server that took the path of another one */
    if (!has_unix_sockets(k)) return;
    prepare(&h, k);
    REQUIRE_OK(try_to_open(&h, &h.options, &first));
    open_house(&h);

    /* when the first one closes, then the second is still there */
    CHECK_OK(iso_server_close(first));
    CHECK_EQ(paths_look(h.path), PATHS_SOCKET);
    CHECK_OK(call(&h, &client));
    CHECK(does_echo(&h, &client, "second"));
    hang_up(&client);
    end_house(&h);
}

KIT_TEST(a_file_that_somebody_put_in_its_place_stays)
{
    house h;

    if (!has_unix_sockets(k)) return;
    prepare(&h, k);
    open_house(&h);
    CHECK_OK(paths_remove(h.path));
    CHECK_OK(paths_make_file(h.path));
    CHECK_OK(iso_server_close(h.server));
    CHECK_EQ(paths_look(h.path), PATHS_FILE);
    CHECK_OK(paths_remove(h.path));
    end_house(&h);
}

KIT_TEST(a_file_that_has_gone_is_no_error)
{
    house h;

    if (!has_unix_sockets(k)) return;
    prepare(&h, k);
    open_house(&h);
    CHECK_OK(paths_remove(h.path));
    end_house(&h);
    CHECK_EQ(kit_log_count(k, ""), 0);
}

KIT_TEST(a_file_that_can_not_be_removed_is_told)
{
    iso_server *second;
    bool is_protected;
    int rc = ISO_EADDRINUSE;
    house h;

    /* given a server in a folder that has become read-only */
    if (!has_unix_sockets(k)) return;
    prepare(&h, k);
    open_house(&h);
    is_protected = paths_protect(h.folder);

    /* when another one wants the path, and the first closes */
    if (is_protected) {
        rc = try_to_open(&h, &h.options, &second);
        CHECK_OK(iso_server_close(h.server));
    }
    paths_unprotect(h.folder);

    /* then the one learns why not, and the log has what the other could not do */
    CHECK_RC(rc, ISO_EADDRINUSE);
    if (is_protected) {
        CHECK(kit_logged(k, "could not be removed"));
        CHECK_EQ(paths_look(h.path), PATHS_SOCKET);
        CHECK_OK(paths_remove(h.path));
    }
    end_house(&h);
}

KIT_TEST(a_regular_file_in_the_way_is_not_removed)
{
    iso_server *server;
    house h;

    if (!has_unix_sockets(k)) return;
    prepare(&h, k);
    CHECK_OK(paths_make_file(h.path));
    CHECK_RC(try_to_open(&h, &h.options, &server), ISO_EADDRINUSE);
    CHECK_HAS(iso_error_detail(), h.path);
    CHECK_EQ(paths_look(h.path), PATHS_FILE);
    CHECK_OK(paths_remove(h.path));
    end_house(&h);
}

KIT_TEST(a_link_to_a_socket_in_the_way_is_not_removed)
{
    char link[PATHS_BYTES];
    iso_unix_server_options options;
    iso_server *server;
    house h;

    if (!has_unix_sockets(k)) return;
    prepare(&h, k);
    open_house(&h);
    join_path(link, h.folder, "link");
    if (paths_make_link(link, h.path) == ISO_ENOTSUP) { /* nobody may make links */
        end_house(&h);
        return;
    }
    options = h.options;
    options.path = link;
    CHECK_RC(try_to_open(&h, &options, &server), ISO_EADDRINUSE);
    CHECK_EQ(paths_look(link), PATHS_LINK);
    CHECK_EQ(paths_look(h.path), PATHS_SOCKET);
    CHECK_OK(paths_remove(link));
    end_house(&h);
}

KIT_TEST(a_folder_that_is_not_there_ends_the_future)
{
    char path[PATHS_BYTES];
    iso_server *server;
    house h;

    if (!has_unix_sockets(k)) return;
    prepare(&h, k);
    join_path(path, h.folder, "none/s");
    h.options.path = path;
    CHECK_RC(try_to_open(&h, &h.options, &server), ISO_ENOENT);
    end_house(&h);
}

/* ---- arguments ---- */

static int server_rc(house *h, const char *path, size_t length, iso_fd sock)
{
    iso_unix_server_options options = ISO_UNIX_SERVER_OPTIONS_INIT;
    iso_future *future = NULL;
    int rc;

    options.path = path;
    options.path_length = length;
    options.sock = sock;
    rc = iso_loop_create_unix_server(h->loop, &echo, h, &options, &future);
    CHECK(rc == 0 || future == NULL);
    iso_future_release(future);
    return rc;
}

static int connection_rc(house *h, const char *path, size_t length, iso_fd sock)
{
    iso_unix_connection_options options = ISO_UNIX_CONNECTION_OPTIONS_INIT;
    iso_future *future = NULL;
    int rc;

    options.path = path;
    options.path_length = length;
    options.sock = sock;
    rc = iso_loop_create_unix_connection(h->loop, &echo, h, &options, &future);
    CHECK(rc == 0 || future == NULL);
    iso_future_release(future);
    return rc;
}

/* What both answer. */
static void check_both(house *h, const char *path, size_t length, iso_fd sock, int rc)
{
    CHECK_RC(server_rc(h, path, length, sock), rc);
    CHECK_RC(connection_rc(h, path, length, sock), rc);
    CHECK_EQ(kit_statistics(h->loop).objects, 0);
}

KIT_TEST(a_path_or_a_socket_is_needed_and_not_both)
{
    iso_unix_connection_options to = ISO_UNIX_CONNECTION_OPTIONS_INIT;
    iso_fd ends[2];
    house h;

    if (!has_unix_sockets(k)) return;
    prepare(&h, k);
    unix_pair(k, ends);
    check_both(&h, NULL, 0, ISO_FD_NONE, ISO_EINVAL);
    check_both(&h, h.path, 0, ends[0], ISO_EINVAL);
    check_both(&h, "", 0, ISO_FD_NONE, ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "empty");
    check_both(&h, "a\0b", 3, ISO_FD_NONE, ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "NUL");
    h.options.backlog = -1;
    CHECK_RC(iso_loop_create_unix_server(h.loop, &echo, &h, &h.options, NULL), ISO_EINVAL);
    CHECK_RC(iso_loop_create_unix_server(h.loop, &echo, &h, NULL, NULL), ISO_EINVAL);
    CHECK_RC(iso_loop_create_unix_server(h.loop, NULL, &h, &h.options, NULL), ISO_EINVAL);
    to.path = h.path;
    CHECK_RC(iso_loop_create_unix_connection(h.loop, NULL, &h, &to, NULL), ISO_EINVAL);
    CHECK_RC(iso_loop_create_unix_connection(h.loop, &echo, &h, NULL, NULL), ISO_EINVAL);
    end_house(&h);
}

KIT_TEST(a_path_that_is_too_long_is_refused)
{
    char path[ISO_UNIX_PATH_BYTES];
    size_t most = paths_longest();
    recorder client;
    char limit[16];
    house h;

    /* given the longest path that this system has room for */
    if (!has_unix_sockets(k)) return;
    prepare(&h, k);
    memset(path, 'x', sizeof(path));
    memcpy(path, h.path, strlen(h.path));
    REQUIRE(most + 1 < sizeof(path));

    /* one byte more is refused, with a number */
    (void)snprintf(limit, sizeof(limit), "%d", (int)most);
    check_both(&h, path, most + 1, ISO_FD_NONE, ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), limit);

    /* and the longest can be used */
    path[most] = '\0';
    h.options.path = path;
    open_house(&h);
    CHECK_OK(call_at(&h, &client, path, 0));
    CHECK(does_echo(&h, &client, "far"));
    hang_up(&client);
    CHECK_OK(iso_server_close(h.server));
    CHECK_EQ(paths_look(path), PATHS_NOTHING);
    end_house(&h);
}

KIT_TEST(a_path_need_not_end_with_a_nul)
{
    recorder client;
    house h;

    if (!has_unix_sockets(k)) return;
    prepare(&h, k);
    h.options.path_length = strlen(h.path);
    h.path[h.options.path_length] = '?';
    open_house(&h);
    CHECK_OK(call_at(&h, &client, h.path, h.options.path_length));
    CHECK(does_echo(&h, &client, "cut"));
    hang_up(&client);
    end_house(&h);
}

KIT_TEST(a_socket_that_is_no_unix_stream_is_refused_and_stays_the_callers)
{
    iso_address address;
    iso_fd datagram;
    iso_fd pipe[2];
    house h;

    if (!has_unix_sockets(k)) return;
    prepare(&h, k);
    kit_pipe(k, pipe);
    REQUIRE_OK(paths_open_datagram(&datagram));
    (void)kit_own(k, datagram);
    check_both(&h, NULL, 0, kit_listen(k, &address), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "unix stream socket");
    check_both(&h, NULL, 0, datagram, ISO_EINVAL);
    check_both(&h, NULL, 0, pipe[0], ISO_ENOTSOCK);
    CHECK_EQ(iso__sys_descriptor_kind(datagram), ISO__DESCRIPTOR_SOCKET);
    kit_close(k, datagram);
    check_both(&h, NULL, 0, datagram, ISO_EBADF);
    end_house(&h);
}

static void ignore_fd(iso_loop *loop, void *arg)
{
    (void)loop;
    (void)arg;
}

KIT_TEST(a_socket_that_is_in_use_is_refused)
{
    iso_fd ends[2];
    house h;

    if (!has_unix_sockets(k)) return;
    prepare(&h, k);
    unix_pair(k, ends);
    REQUIRE_OK(iso_loop_add_reader(h.loop, ends[0], ignore_fd, NULL));
    CHECK_RC(server_rc(&h, NULL, 0, ends[0]), ISO_EBUSY);
    CHECK_RC(connection_rc(&h, NULL, 0, ends[0]), ISO_EBUSY);
    CHECK_GE(iso_loop_remove_reader(h.loop, ends[0]), 0);
    end_house(&h);
}

/* ---- names ---- */

KIT_TEST(the_ends_of_a_connection_have_names)
{
    char text[ISO_UNIX_PATH_BYTES] = "?";
    iso_extra_info info;
    size_t length = 99;
    recorder client;
    house h;

    if (!has_unix_sockets(k)) return;
    prepare(&h, k);
    open_house(&h);
    CHECK_OK(iso_server_unix_path(h.server, text, sizeof(text), &length));
    CHECK_STR(text, h.path);
    CHECK_EQ(length, strlen(h.path));
    CHECK_OK(call(&h, &client));
    REQUIRE_OK(iso_transport_get_extra_info(client.transport, "socket", &info));
    CHECK_OK(iso_unix_getpeername(info.fd, text, sizeof(text), NULL));
    CHECK_STR(text, h.path);
    CHECK_OK(iso_unix_getsockname(info.fd, text, sizeof(text), &length));
    CHECK_STR(text, "");
    CHECK_EQ(length, 0);
    CHECK_RC(iso_unix_getpeername(info.fd, text, strlen(h.path), NULL), ISO_ENOBUFS);
    CHECK_RC(iso_unix_getpeername(info.fd, NULL, 0, NULL), ISO_EINVAL);
    CHECK_RC(iso_unix_getsockname(ISO_FD_NONE, text, sizeof(text), NULL), ISO_EBADF);
    hang_up(&client);
    CHECK_OK(iso_server_close(h.server));
    CHECK_RC(iso_server_unix_path(h.server, text, sizeof(text), &length), ISO_ENOENT);
    end_house(&h);
}

KIT_TEST(they_have_no_internet_address)
{
    static const char *const names[] = { "peername", "sockname" };
    iso_extra_info info;
    iso_address address;
    recorder client;
    house h;
    size_t at;

    if (!has_unix_sockets(k)) return;
    prepare(&h, k);
    open_house(&h);
    CHECK_EQ(iso_server_address_count(h.server), 1);
    CHECK_OK(iso_server_address(h.server, 0, &address));
    CHECK_EQ(iso_address_version(&address), 0);
    CHECK_OK(call(&h, &client));
    (void)kit_run_until(k, h.loop, &h.made_count, 1);
    for (at = 0; at < ISO__COUNT(names); at++) {
        CHECK_OK(iso_transport_get_extra_info(client.transport, names[at], &info));
        CHECK_EQ(info.address.length, 0);
        CHECK_OK(iso_transport_get_extra_info(h.clients[0], names[at], &info));
        CHECK_EQ(info.address.length, 0);
    }
    hang_up(&client);
    end_house(&h);
}

KIT_TEST(a_tcp_socket_has_no_path)
{
    char text[ISO_UNIX_PATH_BYTES];
    iso_address address;
    iso_server *server;
    recorder r;
    house h;

    if (!has_unix_sockets(k)) return;
    prepare(&h, k);
    recorder_init(&r, k, NULL);
    server = serve(k, h.loop, &recorder_protocol, &r, &address);
    CHECK_RC(iso_server_unix_path(server, text, sizeof(text), NULL), ISO_EINVAL);
    CHECK_OK(iso_server_close(server));
    end_house(&h);
}

/* ---- abstract names ---- */

/* A name that nobody else has: that of the folder, behind a NUL byte. Answers its length. */
static size_t abstract_name(const house *h, char name[PATHS_BYTES])
{
    (void)snprintf(name, PATHS_BYTES, "?%s", h->folder);
    name[0] = '\0';
    return 1 + strlen(h->folder);
}

KIT_TEST(an_abstract_name_is_no_file)
{
    char text[ISO_UNIX_PATH_BYTES];
    char name[PATHS_BYTES];
    recorder client;
    size_t length;
    size_t found = 0;
    house h;

    if (!has_unix_sockets(k)) return;
    prepare(&h, k);
    length = abstract_name(&h, name);
    if (!paths_has_abstract_names()) {
        check_both(&h, name, length, ISO_FD_NONE, ISO_ENOTSUP);
        end_house(&h);
        return;
    }
    h.options.path = name;
    h.options.path_length = length;
    open_house(&h);
    CHECK_OK(iso_server_unix_path(h.server, text, sizeof(text), &found));
    CHECK_EQ(found, length);
    CHECK(memcmp(text, name, length) == 0);
    CHECK_OK(call_at(&h, &client, name, length));
    CHECK(does_echo(&h, &client, "abstract"));
    CHECK_OK(paths_remove_folder(h.folder)); /* there is nothing in it */
    CHECK_OK(paths_make_folder(h.folder));
    hang_up(&client);
    end_house(&h);
}

KIT_TEST(an_abstract_name_that_is_in_use_stays_with_its_server)
{
    char name[PATHS_BYTES];
    iso_server *second;
    recorder client;
    recorder late;
    house h;

    if (!has_unix_sockets(k)) return;
    prepare(&h, k);
    h.options.path_length = abstract_name(&h, name);
    h.options.path = name;
    if (!paths_has_abstract_names()) {
        CHECK_RC(iso_loop_create_unix_server(h.loop, &echo, &h, &h.options, NULL), ISO_ENOTSUP);
        end_house(&h);
        return;
    }
    open_house(&h);
    CHECK_RC(try_to_open(&h, &h.options, &second), ISO_EADDRINUSE);
    CHECK_HAS(iso_error_detail(), "@");
    CHECK_HAS(iso_error_detail(), h.folder);
    CHECK_OK(call_at(&h, &client, name, h.options.path_length));
    CHECK(does_echo(&h, &client, "mine"));
    hang_up(&client);
    CHECK_OK(iso_server_close(h.server));
    CHECK_RC(call_at(&h, &late, name, h.options.path_length), ISO_ECONNREFUSED);
    end_house(&h);
}

/* ---- who is there ---- */

static void check_is_self(iso_transport *transport)
{
    iso_unix_credentials self = paths_self();
    iso_unix_credentials peer = { 0, 0, 0 };
    iso_extra_info info;

    REQUIRE_OK(iso_transport_get_extra_info(transport, "socket", &info));
    CHECK_OK(iso_unix_peercred(info.fd, &peer));
    if (peer.pid != -1) CHECK_EQ(peer.pid, self.pid);
    CHECK_EQ(peer.uid, self.uid);
    CHECK_EQ(peer.gid, self.gid);
}

KIT_TEST(both_ends_can_ask_who_the_other_is)
{
    recorder client;
    house h;

    if (!has_unix_sockets(k)) return;
    prepare(&h, k);
    open_house(&h);
    CHECK_OK(call(&h, &client));
    (void)kit_run_until(k, h.loop, &h.made_count, 1);
    check_is_self(client.transport);
    check_is_self(h.clients[0]);
    hang_up(&client);
    end_house(&h);
}

KIT_TEST(nobody_is_at_the_other_end_of_a_socket_that_is_not_connected)
{
    iso_unix_credentials peer = { 1, 2, 3 };
    iso_fd fd;

    if (!has_unix_sockets(k)) return;
    REQUIRE_OK(iso__sys_unix_open(&fd));
    (void)kit_own(k, fd);
    CHECK_RC(iso_unix_peercred(fd, &peer), ISO_ENOTCONN);
    CHECK_EQ(peer.uid, 2);
    CHECK_RC(iso_unix_peercred(kit_listen(k, NULL), &peer), ISO_EINVAL);
    CHECK_RC(iso_unix_peercred(fd, NULL), ISO_EINVAL);
    kit_close(k, fd);
    CHECK_RC(iso_unix_peercred(fd, &peer), ISO_EBADF);
}

/* ---- descriptors ---- */

static bool is_open(iso_fd fd)
{
    return iso__sys_descriptor_kind(fd) != ISO__DESCRIPTOR_BAD;
}

/* What is written to `writer` comes out of `reader`. */
static bool is_same_pipe(kit *k, iso_fd writer, iso_fd reader)
{
    kit_poke(k, writer);
    kit_await(k, reader, ISO_EVENT_READ);
    return true;
}

KIT_TEST(a_descriptor_is_handed_over)
{
    iso_fd ends[2];
    iso_fd pipe[2];
    iso_fd got = ISO_FD_NONE;
    char text[16] = "";

    /* given a pipe whose writing end is sent, and then closed */
    if (!has_more_of_them(k)) return;
    unix_pair(k, ends);
    kit_pipe(k, pipe);
    CHECK_EQ(iso_unix_send_fd(ends[0], pipe[1], "here", 4), 4);
    kit_close(k, pipe[1]);

    /* when it is received, then it is that end, and nobody inherits it */
    CHECK_EQ(iso_unix_recv_fd(ends[1], text, sizeof(text), &got), 4);
    CHECK_STR(text, "here");
    if (!CHECK(got != ISO_FD_NONE)) return;
    (void)kit_own(k, got);
    CHECK(!paths_is_inherited(got));
    CHECK(is_same_pipe(k, got, pipe[0]));
}

KIT_TEST(bytes_come_without_a_descriptor_too)
{
    iso_fd ends[2];
    iso_fd got = 7;
    char text[16] = "";

    if (!has_more_of_them(k)) return;
    unix_pair(k, ends);
    CHECK_RC(iso_unix_recv_fd(ends[1], text, sizeof(text), &got), ISO_EAGAIN);
    CHECK_EQ(got, 7);
    kit_send(k, ends[0], "bare", 4);
    CHECK_EQ(iso_unix_recv_fd(ends[1], text, sizeof(text), &got), 4);
    CHECK_EQ(got, ISO_FD_NONE);
    kit_close(k, ends[0]);
    CHECK_EQ(iso_unix_recv_fd(ends[1], text, sizeof(text), &got), 0);
    CHECK_EQ(got, ISO_FD_NONE);
}

KIT_TEST(the_socket_that_hands_over_does_not_wait)
{
    iso_fd ends[2];
    iso_fd got = 7;
    char byte;

    if (!has_more_of_them(k)) return;
    unix_pair(k, ends);
    paths_make_blocking(ends[1]);
    CHECK_RC(iso_unix_recv_fd(ends[1], &byte, 1, &got), ISO_EAGAIN);
    CHECK(kit_fill(k, ends[0]) > 0);
    paths_make_blocking(ends[0]);
    CHECK_RC(iso_unix_send_fd(ends[0], ends[1], "x", 1), ISO_EAGAIN);
}

KIT_TEST(each_descriptor_comes_with_its_own_bytes)
{
    iso_fd ends[2];
    iso_fd first[2];
    iso_fd second[2];
    iso_fd got[2] = { ISO_FD_NONE, ISO_FD_NONE };
    char text[16];

    if (!has_more_of_them(k)) return;
    unix_pair(k, ends);
    kit_pipe(k, first);
    kit_pipe(k, second);
    CHECK_EQ(iso_unix_send_fd(ends[0], first[1], "1", 1), 1);
    CHECK_EQ(iso_unix_send_fd(ends[0], second[1], "2", 1), 1);
    CHECK_EQ(iso_unix_recv_fd(ends[1], text, 1, &got[0]), 1);
    CHECK_EQ(iso_unix_recv_fd(ends[1], text + 1, 1, &got[1]), 1);
    (void)kit_own(k, got[0]);
    (void)kit_own(k, got[1]);
    CHECK(memcmp(text, "12", 2) == 0);
    CHECK(is_same_pipe(k, got[0], first[0]));
    CHECK(is_same_pipe(k, got[1], second[0]));
}

KIT_TEST(a_descriptor_comes_beside_credentials)
{
    iso_fd ends[2];
    iso_fd pipe[2];
    iso_fd got = ISO_FD_NONE;
    char byte;

    if (!has_more_of_them(k)) return;
    unix_pair(k, ends);
    kit_pipe(k, pipe);
    paths_pass_credentials(ends[1]);
    CHECK_EQ(iso_unix_send_fd(ends[0], pipe[1], "c", 1), 1);
    CHECK_EQ(iso_unix_recv_fd(ends[1], &byte, 1, &got), 1);
    if (!CHECK(got != ISO_FD_NONE)) return;
    (void)kit_own(k, got);
    CHECK(is_same_pipe(k, got, pipe[0]));
}

/* The kit counts the descriptors at the end of the case. */
KIT_TEST(too_many_descriptors_are_all_closed)
{
    static const int counts[] = { 2, 3, 30, 100 };
    iso_fd ends[2];
    iso_fd pipe[2];
    iso_fd got = 7;
    char byte;
    size_t at;

    if (!has_more_of_them(k)) return;
    unix_pair(k, ends);
    kit_pipe(k, pipe);
    for (at = 0; at < ISO__COUNT(counts); at++) {
        CHECK_OK(paths_send_many(ends[0], pipe[1], counts[at]));
        CHECK_RC(iso_unix_recv_fd(ends[1], &byte, 1, &got), ISO_EMSGSIZE);
        CHECK_EQ(got, 7);
    }
    CHECK_EQ(iso_unix_send_fd(ends[0], pipe[1], "x", 1), 1); /* and it goes on */
    CHECK_EQ(iso_unix_recv_fd(ends[1], &byte, 1, &got), 1);
    (void)kit_own(k, got);
    kit_close(k, got);
    kit_close(k, pipe[1]);
    kit_await(k, pipe[0], ISO_EVENT_READ); /* the end: nobody has the other side any more */
}

KIT_TEST(a_descriptor_without_a_place_is_told)
{
    iso_fd ends[2];
    iso_fd pipe[2];
    iso_fd got = 7;
    char byte;
    ptrdiff_t count;

    if (!has_more_of_them(k)) return;
    unix_pair(k, ends);
    kit_pipe(k, pipe);
    CHECK_EQ(iso_unix_send_fd(ends[0], pipe[1], "x", 1), 1);
    if (!kit_exhaust(k)) return;
    count = iso_unix_recv_fd(ends[1], &byte, 1, &got);
    kit_replenish(k);
    CHECK_RC(count, ISO_EMSGSIZE);
    CHECK_EQ(got, 7);
}

KIT_TEST(a_descriptor_that_can_not_be_sent_is_told)
{
    iso_address address;
    iso_fd ends[2];
    iso_fd pipe[2];
    iso_fd got;
    char byte;

    if (!has_more_of_them(k)) return;
    unix_pair(k, ends);
    kit_pipe(k, pipe);
    CHECK_RC(iso_unix_send_fd(ends[0], pipe[1], NULL, 1), ISO_EINVAL);
    CHECK_RC(iso_unix_send_fd(ends[0], pipe[1], "x", 0), ISO_EINVAL);
    CHECK_RC(iso_unix_send_fd(ends[0], ISO_FD_NONE, "x", 1), ISO_EBADF);
    CHECK_RC(iso_unix_send_fd(kit_listen(k, &address), pipe[1], "x", 1), ISO_EINVAL);
    CHECK_RC(iso_unix_send_fd(pipe[1], pipe[1], "x", 1), ISO_ENOTSOCK);
    CHECK_RC(iso_unix_recv_fd(pipe[0], &byte, 1, &got), ISO_ENOTSOCK);
    CHECK_RC(iso_unix_recv_fd(ends[0], &byte, 0, &got), ISO_EINVAL);
    CHECK_RC(iso_unix_recv_fd(ends[0], &byte, 1, NULL), ISO_EINVAL);
    CHECK(kit_fill(k, ends[0]) > 0);
    CHECK_RC(iso_unix_send_fd(ends[0], pipe[1], "x", 1), ISO_EAGAIN);
    kit_close(k, ends[1]);
    CHECK_RC(iso_unix_send_fd(ends[0], pipe[1], "x", 1), ISO_EPIPE); /* and no signal */
    CHECK(is_open(pipe[1]));
    kit_close(k, ends[0]);
    CHECK_RC(iso_unix_send_fd(ends[0], pipe[1], "x", 1), ISO_EBADF);
}

/* A socket of one's own in a loop: it is watched, and a descriptor taken when there is one. */
typedef struct taker {
    iso_fd sock;
    iso_fd got;
    int count;
} taker;

static void take_fd(iso_loop *loop, void *arg)
{
    taker *self = arg;
    char byte;

    CHECK_EQ(iso_unix_recv_fd(self->sock, &byte, 1, &self->got), 1);
    CHECK_GE(iso_loop_remove_reader(loop, self->sock), 0);
    self->count++;
}

KIT_TEST(a_loop_watches_for_descriptors)
{
    iso_loop *loop = kit_native_loop(k);
    taker t = { ISO_FD_NONE, ISO_FD_NONE, 0 };
    iso_fd ends[2];
    iso_fd pipe[2];

    if (!has_more_of_them(k)) return;
    unix_pair(k, ends);
    kit_pipe(k, pipe);
    t.sock = ends[1];
    REQUIRE_OK(iso_loop_add_reader(loop, ends[1], take_fd, &t));
    kit_settle(k, loop);
    CHECK_EQ(t.count, 0);
    CHECK_EQ(iso_unix_send_fd(ends[0], pipe[1], "x", 1), 1);
    CHECK(kit_run_until(k, loop, &t.count, 1));
    if (!CHECK(t.got != ISO_FD_NONE)) return;
    (void)kit_own(k, t.got);
    CHECK(is_same_pipe(k, t.got, pipe[0]));
}

/* ---- want of descriptors, and of memory ---- */

KIT_TEST(without_a_descriptor_nothing_begins)
{
    iso_unix_connection_options to = ISO_UNIX_CONNECTION_OPTIONS_INIT;
    iso_future *serving = NULL;
    iso_future *connecting = NULL;
    iso_server *stale;
    recorder client;
    house h;

    /* given a stale socket file, and no descriptor left */
    if (!has_unix_sockets(k)) return;
    prepare(&h, k);
    h.options.keep_socket = true;
    REQUIRE_OK(try_to_open(&h, &h.options, &stale));
    CHECK_OK(iso_server_close(stale));
    CHECK(run_until_idle(k, h.loop));
    recorder_init(&client, k, NULL);
    to.path = h.path;
    if (!kit_exhaust(k)) return;

    /* when a server and a connection are asked for */
    CHECK_OK(iso_loop_create_unix_server(h.loop, &echo, &h, &h.options, &serving));
    CHECK_OK(
        iso_loop_create_unix_connection(h.loop, &recorder_protocol, &client, &to, &connecting));
    kit_replenish(k);

    /* then both say so, and the file has not been touched */
    CHECK_RC(kit_run_release(k, h.loop, serving), ISO_EMFILE);
    CHECK_RC(kit_run_release(k, h.loop, connecting), ISO_EMFILE);
    CHECK_EQ(paths_look(h.path), PATHS_SOCKET);
    CHECK_OK(paths_remove(h.path));
    end_house(&h);
}

/* A call answered it: 0, or ISO_ENOMEM because memory was refused. Answers whether it was 0. */
static bool went_well(kit *k, uint64_t refused_before, int rc)
{
    if (rc == 0) return true;
    CHECK_RC(rc, ISO_ENOMEM);
    CHECK(kit_memory_now(k).failures > refused_before);
    return false;
}

/* What wants no memory may go wrong when somebody else's did: accepting, for one. */
static void ignore_reports(iso_loop *loop, const iso_exception_context *context, void *arg)
{
    (void)loop;
    (void)arg;
    CHECK_RC(context->error, ISO_ENOMEM);
}

/* A server, and a client that says something, and whatever the client is told that it is over.
 * Answers whether memory was refused. */
static bool live_without(kit *k, uint64_t nth)
{
    iso_unix_connection_options to = ISO_UNIX_CONNECTION_OPTIONS_INIT;
    uint64_t before = kit_memory_now(k).failures;
    iso_future *serving = NULL;
    iso_future *connecting = NULL;
    recorder client;
    bool refused;
    house h;

    prepare(&h, k);
    CHECK_OK(iso_loop_set_exception_handler(h.loop, ignore_reports, NULL));
    recorder_init(&client, k, NULL);
    to.path = h.path;
    kit_fail_allocation(k, nth, false);
    if (went_well(k, before,
                  iso_loop_create_unix_server(h.loop, &echo, &h, &h.options, &serving)) &&
        went_well(k, before, iso_future_error(serving)))
        (void)went_well(
            k, before,
            iso_loop_create_unix_connection(h.loop, &recorder_protocol, &client, &to, &connecting));
    kit_settle(k, h.loop);
    if (client.transport != NULL) (void)iso_transport_write(client.transport, "hello", 5);
    kit_settle(k, h.loop);
    refused = kit_memory_now(k).failures > before;
    kit_fail_allocation(k, 0, false);
    if (!refused) CHECK_STR(client.text, "hello");
    if (connecting != NULL) (void)went_well(k, before, iso_future_error(connecting));
    iso_future_release(connecting);
    CHECK_EQ(paths_look(h.path),
             serving != NULL && iso_future_error(serving) == 0 ? PATHS_SOCKET : PATHS_NOTHING);
    iso_future_release(serving);
    CHECK_OK(iso_loop_close(h.loop));
    CHECK_EQ(client.made_count, client.lost_count);
    CHECK_EQ(h.made_count, h.lost_count);
    CHECK_OK(paths_remove_folder(h.folder)); /* which has nothing in it any more */
    kit_release_loop(k, h.loop);
    return refused;
}

KIT_TEST(whatever_allocation_is_refused_nothing_is_left)
{
    uint64_t nth = 1;

    if (!has_unix_sockets(k)) return;
    while (nth < 100 && live_without(k, nth) && !kit_has_failed(k)) nth++;
    CHECK_GE(nth, 8);
    CHECK_LE(nth, 99);
}

KIT_TEST(a_socket_that_was_not_taken_for_want_of_memory_is_still_the_callers)
{
    iso_fd ends[2];
    uint64_t nth = 1;
    house h;

    if (!has_unix_sockets(k)) return;
    prepare(&h, k);
    unix_pair(k, ends);
    for (nth = 1; nth <= 3; nth++) {
        kit_fail_allocation(k, nth, true);
        CHECK_RC(server_rc(&h, NULL, 0, ends[0]), ISO_ENOMEM);
        kit_fail_allocation(k, nth, true);
        CHECK_RC(connection_rc(&h, NULL, 0, ends[0]), ISO_ENOMEM);
        kit_fail_allocation(k, 0, false);
        CHECK(is_open(ends[0]));
    }
    end_house(&h);
}

/* ---- where there are none ---- */

/* Under its limits no file is made, no socket taken, whatever the arguments. */
static void check_refusal(kit *k, iso_loop *loop)
{
    iso_fd ends[2];
    house h;

    prepare_with(&h, k, loop);
    kit_pair(k, ends);
    CHECK(!iso_loop_supports(loop, ISO_CAP_UNIX_SOCKETS));
    check_both(&h, h.path, 0, ISO_FD_NONE, ISO_ENOTSUP);
    check_both(&h, NULL, 0, ends[0], ISO_ENOTSUP);
    check_both(&h, NULL, 0, ISO_FD_NONE, ISO_ENOTSUP);
    CHECK_EQ(paths_look(h.path), PATHS_NOTHING);
    end_house(&h);
}

KIT_TEST(a_loop_without_unix_sockets_says_so_before_anything_else)
{
    static const char *const profiles[] = { "windows-selector", "windows-proactor", "portable" };
    iso_loop_options options = kit_options(k);
    size_t at;

    for (at = 0; at < ISO__COUNT(profiles); at++) {
        iso_loop *loop;

        options.limits = profiles[at];
        loop = kit_loop_with(k, &options);
        check_refusal(k, loop);
        CHECK_STR(iso_loop_last_limit(loop)->id, "windows.unix_sockets");
    }
}

KIT_TEST(the_documents_deny_them_on_windows_and_nowhere_else)
{
    iso_loop *loop = kit_loop(k);

    if (iso__platform != ISO__ON_WINDOWS) {
        CHECK(iso_loop_supports(loop, ISO_CAP_UNIX_SOCKETS));
        return;
    }
    check_refusal(k, loop);
    CHECK_STR(iso_loop_last_limit(loop)->id, "windows.unix_sockets");
}

/* The system is asked, and nobody else. */
KIT_TEST(a_native_loop_has_them_if_the_system_has)
{
    iso_loop *loop = kit_native_loop(k);
    char text[ISO_UNIX_PATH_BYTES];
    iso_unix_credentials peer;
    iso_fd ends[2];
    iso_fd got;

    CHECK_EQ(iso_loop_supports(loop, ISO_CAP_UNIX_SOCKETS), paths_has_unix_sockets());
    if (paths_has_unix_sockets()) return;
    check_refusal(k, loop);
    CHECK_HAS(iso_error_detail(), "this system has no unix sockets");
    CHECK_HAS(iso_error_detail(), iso_strerror(ISO_EAFNOSUPPORT));
    CHECK_PTR(iso_loop_last_limit(loop), NULL);
    kit_pair(k, ends);
    CHECK_RC(iso_unix_getsockname(ends[0], text, sizeof(text), NULL), ISO_ENOTSUP);
    CHECK_RC(iso_unix_getpeername(ends[0], text, sizeof(text), NULL), ISO_ENOTSUP);
    CHECK_RC(iso_unix_peercred(ends[0], &peer), ISO_ENOTSUP);
    CHECK_RC(iso_unix_send_fd(ends[0], ends[1], "x", 1), ISO_ENOTSUP);
    CHECK_RC(iso_unix_recv_fd(ends[0], text, 1, &got), ISO_ENOTSUP);
}

KIT_TEST(windows_hands_no_descriptors_over)
{
    iso_fd ends[2];
    iso_fd got = 7;
    char byte;

    if (!has_unix_sockets(k) || iso__platform != ISO__ON_WINDOWS) return;
    unix_pair(k, ends);
    CHECK_RC(iso_unix_send_fd(ends[0], ends[1], "x", 1), ISO_ENOTSUP);
    CHECK_RC(iso_unix_recv_fd(ends[0], &byte, 1, &got), ISO_ENOTSUP);
    CHECK_EQ(got, 7);
}

static const kit_case cases[] = {
    KIT_CASE(a_server_and_its_clients_talk_at_a_path),
    KIT_CASE(a_connection_is_a_transport_like_another),
    KIT_CASE(nobody_is_served_before_start_serving),
    KIT_CASE(a_socket_that_is_connected_becomes_a_transport),
    KIT_CASE(a_socket_that_is_bound_becomes_a_server),
    KIT_CASE(a_socket_that_can_not_listen_ends_the_future),
    KIT_CASE(a_server_that_closes_leaves_its_clients),
    KIT_CASE(a_loop_that_closes_ends_all_of_it),
    KIT_CASE(a_path_without_a_server_ends_the_future),
    KIT_CASE(an_error_without_a_future_is_reported),
    KIT_CASE(a_connection_can_be_cancelled_before_it_is_made),
    KIT_CASE(a_connection_waits_while_the_backlog_is_full),
    KIT_CASE(a_connection_that_waits_is_tried_less_and_less_often),
    KIT_CASE(a_connection_that_waits_can_be_cancelled),
    KIT_CASE(a_connection_that_waits_learns_that_the_server_has_gone),
    KIT_CASE(the_file_goes_when_the_server_closes),
    KIT_CASE(the_file_stays_if_it_is_to_be_kept),
    KIT_CASE(a_stale_socket_file_is_removed_first),
    KIT_CASE(a_file_that_is_another_servers_by_now_stays),
    KIT_CASE(a_file_that_somebody_put_in_its_place_stays),
    KIT_CASE(a_file_that_has_gone_is_no_error),
    KIT_CASE(a_file_that_can_not_be_removed_is_told),
    KIT_CASE(a_regular_file_in_the_way_is_not_removed),
    KIT_CASE(a_link_to_a_socket_in_the_way_is_not_removed),
    KIT_CASE(a_folder_that_is_not_there_ends_the_future),
    KIT_CASE(a_path_or_a_socket_is_needed_and_not_both),
    KIT_CASE(a_path_that_is_too_long_is_refused),
    KIT_CASE(a_path_need_not_end_with_a_nul),
    KIT_CASE(a_socket_that_is_no_unix_stream_is_refused_and_stays_the_callers),
    KIT_CASE(a_socket_that_is_in_use_is_refused),
    KIT_CASE(the_ends_of_a_connection_have_names),
    KIT_CASE(they_have_no_internet_address),
    KIT_CASE(a_tcp_socket_has_no_path),
    KIT_CASE(an_abstract_name_is_no_file),
    KIT_CASE(an_abstract_name_that_is_in_use_stays_with_its_server),
    KIT_CASE(both_ends_can_ask_who_the_other_is),
    KIT_CASE(nobody_is_at_the_other_end_of_a_socket_that_is_not_connected),
    KIT_CASE(a_descriptor_is_handed_over),
    KIT_CASE(bytes_come_without_a_descriptor_too),
    KIT_CASE(the_socket_that_hands_over_does_not_wait),
    KIT_CASE(each_descriptor_comes_with_its_own_bytes),
    KIT_CASE(a_descriptor_comes_beside_credentials),
    KIT_CASE(too_many_descriptors_are_all_closed),
    KIT_CASE(a_descriptor_without_a_place_is_told),
    KIT_CASE(a_descriptor_that_can_not_be_sent_is_told),
    KIT_CASE(a_loop_watches_for_descriptors),
    KIT_CASE(without_a_descriptor_nothing_begins),
    KIT_CASE(whatever_allocation_is_refused_nothing_is_left),
    KIT_CASE(a_socket_that_was_not_taken_for_want_of_memory_is_still_the_callers),
    KIT_CASE(a_loop_without_unix_sockets_says_so_before_anything_else),
    KIT_CASE(the_documents_deny_them_on_windows_and_nowhere_else),
    KIT_CASE(a_native_loop_has_them_if_the_system_has),
    KIT_CASE(windows_hands_no_descriptors_over),
};

KIT_MAIN(cases)
