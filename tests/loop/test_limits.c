/* SPDX-License-Identifier: MIT */
/* The mirror of the limits table: every row is walked, and the documented error demanded from the
 * calls that the row names, on every backend, under the profile that enforces it. */
#include "base/limits.h"
#include "kit.h"
#include "loop/loop.h"
#include "sys/descriptor.h"
#include "sys/sock.h"

#include <signal.h>
#include <string.h>

#define PIPE_NAME "\\\\.\\pipe\\isoloop-test-limits"

static const iso_protocol quiet = { .connection_made = NULL };

static iso_loop *loop_under(kit *k, const char *profile)
{
    iso_loop_options options = kit_options(k);

    options.limits = profile;
    return kit_loop_with(k, &options);
}

static bool is_backend(const kit *k, const char *name)
{
    return strcmp(kit_backend(k), name) == 0;
}

/* How many sockets of its own a loop has registered. One that needs none counts one all the same,
 * where the limit is Windows's. */
static int own_count(const iso_loop *loop)
{
    return loop->engine.driver->kind->own_ios;
}

/* The call was refused by this row, and says how much was used. */
static void demand_row(const iso_loop *loop, const char *id, int64_t limit, int64_t used)
{
    const iso_limit *last = iso_loop_last_limit(loop);

    if (!CHECK(last != NULL)) return;
    CHECK_STR(last->id, id);
    CHECK_EQ(last->limit, limit);
    CHECK_EQ(last->used, used);
    CHECK(iso_loop_limit_enforced(loop, id));
}

/* ---- a selector of the program's own ---- */

/* It is one of the build's, but that it refuses devices, as kqueue does some. */
typedef struct refusing {
    const iso_selector_class *inner;
    void *inner_self;
} refusing;

static int refusing_set(void *self, iso_fd fd, unsigned was, unsigned events, void *token)
{
    const refusing *selector = self;

    if (iso__sys_descriptor_kind(fd) == ISO__DESCRIPTOR_DEVICE && events != 0) return ISO_ENOTSUP;
    return selector->inner->set(selector->inner_self, fd, was, events, token);
}

static int refusing_wait(void *self, iso_nsec timeout, iso_selector_event *events, int max)
{
    const refusing *selector = self;

    return selector->inner->wait(selector->inner_self, timeout, events, max);
}

static iso_fd refusing_fileno(void *self)
{
    (void)self;
    return ISO_FD_NONE;
}

static void refusing_close(void *self)
{
    const refusing *selector = self;

    selector->inner->close(selector->inner_self);
}

static const iso_selector_class refusing_class = {
    .name = "refusing",
    .set = refusing_set,
    .wait = refusing_wait,
    .descriptor = refusing_fileno,
    .close = refusing_close,
};

/* The loop over it: to be released while `self` is there. */
static iso_loop *refusing_loop(kit *k, refusing *self)
{
    iso_loop_options options = kit_options(k);

    self->inner = kit_poller(k)->kind;
    REQUIRE_OK(kit_poller(k)->open(&self->inner_self, kit_allocator(k)));
    REQUIRE_OK(iso_selector_new_custom(&options.selector, &refusing_class, self));
    return kit_loop_with(k, &options);
}

/* ---- the 512 sockets ---- */

enum { MOST = 512, DESCRIPTORS_WANTED = 1200 };

typedef struct crowd crowd;

typedef struct member {
    crowd *all;
    iso_fd fd;
} member;

/* A loop under windows-selector, and 256 pairs of sockets; the first `watched` sockets have
 * readers. The loop's own wake socket counts, so 511 more have a place. */
struct crowd {
    kit *k;
    iso_loop *loop;
    int watched;
    int reads;
    member members[MOST];
    iso_fd idle[2];      /* a pair that nobody watches, for operations */
    iso_address address; /* where `listener` listens */
    iso_fd listener;
    char byte;
};

static void read_byte(iso_loop *loop, void *arg)
{
    const member *self = arg;
    char byte;

    (void)loop;
    CHECK_EQ(iso__sys_socket_recv(self->fd, &byte, 1), 1);
    self->all->reads++;
}

static int watch_next(crowd *self)
{
    member *next = &self->members[self->watched];
    int rc = iso_loop_add_reader(self->loop, next->fd, read_byte, next);

    if (rc == 0) self->watched++;
    return rc;
}

static void unwatch_last(crowd *self)
{
    CHECK_OK(iso_loop_remove_reader(self->loop, self->members[--self->watched].fd));
}

/* Answers false where so many sockets are not to be had. */
static bool gather(crowd *self, kit *k, const char *profile)
{
    int at;

    if (!kit_allow_descriptors(k, DESCRIPTORS_WANTED)) return false;
    memset(self, 0, sizeof(*self));
    self->k = k;
    self->loop = loop_under(k, profile);
    self->listener = kit_listen(k, &self->address);
    kit_pair(k, self->idle);
    for (at = 0; at < MOST; at += 2) {
        iso_fd ends[2];

        kit_pair(k, ends);
        self->members[at].all = self;
        self->members[at].fd = ends[0];
        self->members[at + 1].all = self;
        self->members[at + 1].fd = ends[1];
    }
    return true;
}

/* Until there is room for `room` more. */
static void fill(crowd *self, int room)
{
    int64_t used = 0;

    CHECK_OK(iso_loop_limit_get(self->loop, ISO_LIMIT_SOCKETS, NULL, &used));
    while (used + room < MOST && CHECK_OK(watch_next(self)))
        CHECK_OK(iso_loop_limit_get(self->loop, ISO_LIMIT_SOCKETS, NULL, &used));
}

static void disperse(crowd *self)
{
    while (self->watched > 0) unwatch_last(self);
}

/* The first pair has its turn as ever. */
static void demand_going_on(crowd *self)
{
    int before = self->reads;

    kit_poke(self->k, self->members[1].fd);
    (void)kit_run_until(self->k, self->loop, &self->reads, before + 1);
}

static void demand_full(crowd *self)
{
    iso_loop_statistics now = kit_statistics(self->loop);

    demand_row(self->loop, "windows.selector.max_sockets", MOST, MOST);
    CHECK_EQ(now.registered, MOST - 1 + own_count(self->loop));
    CHECK_EQ(now.objects, self->watched);
}

/* Something that takes a place: how it begins, and how it ends. */
typedef struct act {
    int (*begin)(crowd *self, iso_future **out);
    void (*end)(crowd *self, iso_future *future);
} act;

static int begin_reader(crowd *self, iso_future **out)
{
    (void)out;
    return iso_loop_add_reader(self->loop, self->listener, kit_nothing, NULL);
}

static void end_reader(crowd *self, iso_future *future)
{
    (void)future;
    CHECK_OK(iso_loop_remove_reader(self->loop, self->listener));
}

static int begin_writer(crowd *self, iso_future **out)
{
    (void)out;
    return iso_loop_add_writer(self->loop, self->listener, kit_nothing, NULL);
}

static void end_writer(crowd *self, iso_future *future)
{
    (void)future;
    CHECK_OK(iso_loop_remove_writer(self->loop, self->listener));
}

static int begin_recv(crowd *self, iso_future **out)
{
    return iso_loop_sock_recv(self->loop, self->idle[0], 1, out);
}

static int begin_recv_into(crowd *self, iso_future **out)
{
    return iso_loop_sock_recv_into(self->loop, self->idle[0], &self->byte, 1, out);
}

static int begin_sendall(crowd *self, iso_future **out)
{
    return iso_loop_sock_sendall(self->loop, self->idle[0], "a", 1, out);
}

static int begin_accept(crowd *self, iso_future **out)
{
    return iso_loop_sock_accept(self->loop, self->listener, out);
}

static int begin_connect(crowd *self, iso_future **out)
{
    iso_fd fd = ISO_FD_NONE;
    int rc;

    REQUIRE_OK(iso_socket_new(&fd, 4));
    (void)kit_own(self->k, fd);
    rc = iso_loop_sock_connect(self->loop, fd, &self->address, out);
    return rc;
}

static void end_operation(crowd *self, iso_future *future)
{
    if (!iso_future_done(future)) CHECK_OK(iso_future_cancel(future));
    kit_settle(self->k, self->loop);
    iso_future_release(future);
}

static int begin_connection(crowd *self, iso_future **out)
{
    iso_connection_options options = ISO_CONNECTION_OPTIONS_INIT;

    options.host = "127.0.0.1";
    options.port = iso_address_port(&self->address);
    return iso_loop_create_connection(self->loop, &quiet, NULL, &options, out);
}

static int begin_connection_of_a_socket(crowd *self, iso_future **out)
{
    iso_connection_options options = ISO_CONNECTION_OPTIONS_INIT;
    int rc;

    options.sock = self->idle[0];
    rc = iso_loop_create_connection(self->loop, &quiet, NULL, &options, out);
    if (rc == 0) (void)kit_give(self->k, options.sock);
    return rc;
}

static void end_connection(crowd *self, iso_future *future)
{
    void *transport = NULL;

    CHECK_OK(kit_run(self->k, self->loop, future));
    if (CHECK_OK(iso_future_result(future, &transport))) CHECK_OK(iso_transport_abort(transport));
    kit_settle(self->k, self->loop);
    iso_future_release(future);
}

static int begin_server(crowd *self, iso_future **out)
{
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;

    options.host = "127.0.0.1";
    return iso_loop_create_server(self->loop, &quiet, NULL, &options, out);
}

static int begin_server_of_a_socket(crowd *self, iso_future **out)
{
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    int rc;

    options.sock = self->listener;
    rc = iso_loop_create_server(self->loop, &quiet, NULL, &options, out);
    if (rc == 0) (void)kit_give(self->k, options.sock);
    return rc;
}

static void end_server(crowd *self, iso_future *future)
{
    void *server = NULL;

    CHECK_OK(kit_run(self->k, self->loop, future));
    if (CHECK_OK(iso_future_result(future, &server))) CHECK_OK(iso_server_close(server));
    iso_future_release(future);
}

static const act add_reader = { begin_reader, end_reader };
static const act add_writer = { begin_writer, end_writer };
static const act sock_recv = { begin_recv, end_operation };
static const act sock_recv_into = { begin_recv_into, end_operation };
static const act sock_sendall = { begin_sendall, end_operation };
static const act sock_accept = { begin_accept, end_operation };
static const act sock_connect = { begin_connect, end_operation };
static const act create_connection = { begin_connection, end_connection };
static const act create_connection_sock = { begin_connection_of_a_socket, end_connection };
static const act create_server = { begin_server, end_server };
static const act create_server_sock = { begin_server_of_a_socket, end_server };

/* Below the limit it works, at the limit it is refused and nothing else changes, and with room
 * again it works again. */
static void refuse_the_513th(kit *k, const act *what)
{
    crowd self;
    iso_future *future = NULL;

    if (!gather(&self, k, "windows-selector")) return;
    fill(&self, 0);
    CHECK_EQ(self.watched, MOST - 1);
    CHECK_RC(what->begin(&self, &future), ISO_ELIMIT);
    CHECK_PTR(future, NULL);
    demand_full(&self);
    demand_going_on(&self);
    CHECK_RC(what->begin(&self, &future), ISO_ELIMIT); /* every time */
    demand_full(&self);
    unwatch_last(&self);
    if (CHECK_OK(what->begin(&self, &future))) what->end(&self, future);
    CHECK_OK(watch_next(&self)); /* the place was given back */
    demand_going_on(&self);
    disperse(&self);
}

#define REFUSED(call)                                                                              \
    KIT_TEST(the_513th_socket_is_refused_by_##call)                                                \
    {                                                                                              \
        refuse_the_513th(k, &call);                                                                \
    }

REFUSED(add_reader)
REFUSED(add_writer)
REFUSED(sock_recv)
REFUSED(sock_recv_into)
REFUSED(sock_sendall)
REFUSED(sock_accept)
REFUSED(sock_connect)
REFUSED(create_connection)
REFUSED(create_connection_sock)
REFUSED(create_server)
REFUSED(create_server_sock)

KIT_TEST(the_other_side_of_a_watched_socket_takes_no_place)
{
    crowd self;

    if (!gather(&self, k, "windows-selector")) return;
    fill(&self, 0);
    CHECK_OK(iso_loop_add_writer(self.loop, self.members[0].fd, kit_nothing, NULL));
    CHECK_OK(iso_loop_add_reader(self.loop, self.members[0].fd, read_byte, &self.members[0]));
    CHECK_EQ(kit_statistics(self.loop).registered, MOST - 1 + own_count(self.loop));
    CHECK_OK(iso_loop_remove_writer(self.loop, self.members[0].fd));
    demand_going_on(&self);
    disperse(&self);
}

/* A name is looked up first, so the call cannot answer: its future does. */
KIT_TEST(the_513th_socket_of_a_name_is_refused_by_the_future)
{
    iso_connection_options options = ISO_CONNECTION_OPTIONS_INIT;
    iso_future *future = NULL;
    crowd self;

    if (!gather(&self, k, "windows-selector")) return;
    fill(&self, 0);
    options.host = "localhost";
    options.family = 4;
    options.port = iso_address_port(&self.address);
    REQUIRE_OK(iso_loop_create_connection(self.loop, &quiet, NULL, &options, &future));
    CHECK_RC(kit_run_release(k, self.loop, future), ISO_ELIMIT);
    demand_full(&self);
    demand_going_on(&self);
    disperse(&self);
}

KIT_TEST(a_server_with_room_for_one_address_of_two_has_none)
{
    static const char *const hosts[] = { "127.0.0.1", "::1" };
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    iso_future *future = NULL;
    crowd self;

    if (!gather(&self, k, "windows-selector")) return;
    fill(&self, 1);
    options.hosts = hosts;
    options.host_count = 2;
    if (iso_loop_create_server(self.loop, &quiet, NULL, &options, &future) == 0) {
        end_server(&self, future); /* a machine without IPv6 */
    } else {
        demand_row(self.loop, "windows.selector.max_sockets", MOST, MOST);
        CHECK_PTR(future, NULL);
    }
    CHECK_EQ(kit_statistics(self.loop).registered, MOST - 2 + own_count(self.loop));
    disperse(&self);
}

typedef struct told {
    int count;
    int error;
    iso_server *server;
} told;

static void take_down(iso_loop *loop, const iso_exception_context *context, void *arg)
{
    told *self = arg;

    (void)loop;
    self->count++;
    self->error = context->error;
    self->server = context->server;
}

static iso_server *server_of(crowd *self, iso_address *address)
{
    iso_future *future = NULL;
    void *server = NULL;

    REQUIRE_OK(begin_server(self, &future));
    REQUIRE_OK(kit_run(self->k, self->loop, future));
    REQUIRE_OK(iso_future_result(future, &server));
    iso_future_release(future);
    REQUIRE_OK(iso_server_address(server, 0, address));
    return server;
}

static void run_until_clients(crowd *self, iso_server *server, size_t count)
{
    iso_nsec end = kit_now() + ISO_S(30);

    while (iso_server_client_count(server) != count && CHECK(kit_now() < end))
        CHECK_GE(iso_loop_run_once(self->loop, ISO_MS(50)), 0);
}

KIT_TEST(a_connection_that_a_full_loop_accepts_is_closed_and_told)
{
    told report = { 0, 0, NULL };
    iso_server *server;
    iso_address address;
    crowd self;
    iso_fd refused;
    char byte;

    if (!gather(&self, k, "windows-selector")) return;
    CHECK_OK(iso_loop_set_exception_handler(self.loop, take_down, &report));
    server = server_of(&self, &address);
    fill(&self, 0);
    refused = kit_connect(k, &address);
    (void)kit_run_until(k, self.loop, &report.count, 1);
    CHECK_RC(report.error, ISO_ELIMIT);
    CHECK_PTR(report.server, server);
    demand_row(self.loop, "windows.selector.max_sockets", MOST, MOST);
    CHECK_LE(kit_recv(k, refused, &byte, 1), 0); /* the end of the stream, or a reset */
    CHECK_EQ(iso_server_client_count(server), 0);
    demand_going_on(&self);

    unwatch_last(&self); /* and the server still listens */
    (void)kit_connect(k, &address);
    run_until_clients(&self, server, 1);
    CHECK_EQ(report.count, 1);
    CHECK_OK(iso_server_abort_clients(server));
    run_until_clients(&self, server, 0);
    CHECK_OK(iso_server_close(server));
    kit_settle(k, self.loop);
    disperse(&self);
}

KIT_TEST(a_transport_that_ends_makes_room)
{
    iso_future *future = NULL;
    void *transport = NULL;
    crowd self;

    if (!gather(&self, k, "windows-selector")) return;
    REQUIRE_OK(begin_connection(&self, &future));
    REQUIRE_OK(kit_run(k, self.loop, future));
    REQUIRE_OK(iso_future_result(future, &transport));
    fill(&self, 0);
    CHECK_RC(watch_next(&self), ISO_ELIMIT);
    CHECK_OK(iso_transport_close(transport));
    CHECK_RC(watch_next(&self), ISO_ELIMIT); /* it has not ended yet */
    kit_settle(k, self.loop);
    CHECK_OK(watch_next(&self));
    iso_future_release(future);
    disperse(&self);
}

/* The limit is Windows's: where the system has none, and the documents are not asked, there is
 * none. */
KIT_TEST(where_no_row_says_so_there_are_more_than_512_sockets)
{
    crowd self;
    iso_fd ends[2];

    if (!gather(&self, k, "native")) return;
    if (iso_loop_limit_enforced(self.loop, "windows.selector.max_sockets")) {
        (void)kit_skip(k, "windows.selector.max_sockets");
        return;
    }
    while (self.watched < MOST && CHECK_OK(watch_next(&self))) {}
    CHECK_EQ(kit_statistics(self.loop).registered, MOST + own_count(self.loop));
    kit_pair(k, ends);
    CHECK_OK(iso_loop_add_reader(self.loop, ends[0], kit_nothing, NULL));
    demand_going_on(&self);
    CHECK_PTR(iso_loop_last_limit(self.loop), NULL);
    CHECK_OK(iso_loop_remove_reader(self.loop, ends[0]));
    disperse(&self);
}

/* ---- descriptors of FD_SETSIZE and above ---- */

/* A socket with a high number, and its other end; false where the system chooses the numbers. */
static bool high_pair(kit *k, iso_fd out[2])
{
    iso_fd ends[2];

    if (!kit_allow_descriptors(k, DESCRIPTORS_WANTED)) return false;
    kit_pair(k, ends);
    out[0] = kit_duplicate_above(k, ends[0], 1024);
    out[1] = ends[1];
    return out[0] != ISO_FD_NONE || kit_skip(k, "select.fd_setsize");
}

KIT_TEST(a_high_descriptor_cannot_be_watched_by_select_and_can_by_others)
{
    bool is_select = is_backend(k, "selector:select");
    iso_loop *loop = loop_under(k, "documented");
    int wanted = is_select ? ISO_ELIMIT : 0;
    int count = 0;
    iso_fd ends[2];

    if (!high_pair(k, ends)) return;
    CHECK_RC(iso_loop_add_reader(loop, ends[0], kit_count, &count), wanted);
    CHECK_RC(iso_loop_add_writer(loop, ends[0], kit_nothing, NULL), wanted);
    if (is_select) {
        demand_row(loop, "select.fd_setsize", 1024, ends[0]);
        CHECK_EQ(kit_statistics(loop).registered, own_count(loop));
        CHECK_RC(iso_loop_remove_reader(loop, ends[0]), ISO_ENOENT);
        return;
    }
    kit_poke(k, ends[1]);
    (void)kit_run_until(k, loop, &count, 1);
    CHECK_PTR(iso_loop_last_limit(loop), NULL);
    CHECK_OK(iso_loop_remove_reader(loop, ends[0]));
    CHECK_OK(iso_loop_remove_writer(loop, ends[0]));
}

/* The documents do not know a selector of the program's own: what it refuses is no row of the
 * table. */
KIT_TEST(a_high_descriptor_that_a_selector_of_ones_own_refuses)
{
    refusing self;
    iso_loop *loop = refusing_loop(k, &self);
    iso_fd ends[2];

    if (!high_pair(k, ends)) {
        kit_release_loop(k, loop);
        return;
    }
    if (strcmp(kit_poller(k)->name, "select") != 0) {
        CHECK_OK(iso_loop_add_reader(loop, ends[0], kit_nothing, NULL));
        CHECK_OK(iso_loop_remove_reader(loop, ends[0]));
    } else {
        CHECK_RC(iso_loop_add_reader(loop, ends[0], kit_nothing, NULL), ISO_ELIMIT);
        CHECK_PTR(iso_loop_last_limit(loop), NULL);
        CHECK_EQ(kit_statistics(loop).registered, own_count(loop));
    }
    kit_release_loop(k, loop);
}

KIT_TEST(a_high_descriptor_is_refused_by_every_call_of_a_portable_loop)
{
    iso_connection_options connection = ISO_CONNECTION_OPTIONS_INIT;
    iso_server_options server = ISO_SERVER_OPTIONS_INIT;
    iso_loop *loop = loop_under(k, "portable");
    iso_future *future = NULL;
    iso_fd ends[2];
    char byte;

    if (!high_pair(k, ends)) return;
    CHECK_RC(iso_loop_sock_recv(loop, ends[0], 1, &future), ISO_ELIMIT);
    demand_row(loop, "select.fd_setsize", 1024, ends[0]);
    CHECK_RC(iso_loop_sock_recv_into(loop, ends[0], &byte, 1, &future), ISO_ELIMIT);
    CHECK_RC(iso_loop_sock_sendall(loop, ends[0], "a", 1, &future), ISO_ELIMIT);
    CHECK_RC(iso_loop_sock_accept(loop, ends[0], &future), ISO_ELIMIT);
    connection.sock = ends[0];
    CHECK_RC(iso_loop_create_connection(loop, &quiet, NULL, &connection, &future), ISO_ELIMIT);
    server.sock = kit_duplicate_above(k, kit_listen(k, NULL), 1024);
    CHECK_RC(iso_loop_create_server(loop, &quiet, NULL, &server, &future), ISO_ELIMIT);
    demand_row(loop, "select.fd_setsize", 1024, server.sock);
    CHECK_PTR(future, NULL);
    CHECK_EQ(kit_statistics(loop).registered, own_count(loop));
    CHECK_EQ(kit_statistics(loop).objects, 0);
}

/* ---- the rest of what is refused ---- */

static void demand_refused_watch(iso_loop *loop, iso_fd fd, int error, const char *id)
{
    CHECK_RC(iso_loop_add_reader(loop, fd, kit_nothing, NULL), error);
    demand_row(loop, id, 0, 0);
    CHECK_RC(iso_loop_add_writer(loop, fd, kit_nothing, NULL), error);
    demand_row(loop, id, 0, 0);
    CHECK_EQ(kit_statistics(loop).registered, own_count(loop));
    CHECK_EQ(kit_statistics(loop).objects, 0);
}

/* The first is not one of them on a proactor. */
static const char *const watching_profiles[] = { "documented", "native", "windows-selector" };

KIT_TEST(a_regular_file_cannot_be_watched)
{
    iso_fd file = kit_regular_file(k);
    size_t at;

    for (at = is_backend(k, "proactor:iocp") ? 1 : 0; at < ISO__COUNT(watching_profiles); at++)
        demand_refused_watch(loop_under(k, watching_profiles[at]), file, ISO_EREGULARFILE,
                             "all.regular_file");
}

KIT_TEST(a_closed_descriptor_cannot_be_watched)
{
    size_t at;
    iso_fd ends[2];

    for (at = is_backend(k, "proactor:iocp") ? 1 : 0; at < ISO__COUNT(watching_profiles); at++) {
        iso_loop *loop = loop_under(k, watching_profiles[at]);

        kit_pair(k, ends);
        kit_close(k, ends[0]);
        demand_refused_watch(loop, ends[0], ISO_EBADF, "all.bad_fd");
        demand_refused_watch(loop, ISO_FD_NONE, ISO_EBADF, "all.bad_fd");
        kit_close(k, ends[1]);
    }
}

KIT_TEST(under_windows_selector_only_sockets_are_watched)
{
    iso_loop *loop = loop_under(k, "windows-selector");
    iso_fd pipe[2];
    iso_fd pair[2];

    kit_pipe(k, pipe);
    demand_refused_watch(loop, pipe[0], ISO_ENOTSOCK, "windows.selector.sockets_only");
    demand_refused_watch(loop, pipe[1], ISO_ENOTSOCK, "windows.selector.sockets_only");
    demand_refused_watch(loop, kit_device(k), ISO_ENOTSOCK, "windows.selector.sockets_only");
    kit_pair(k, pair);
    CHECK_OK(iso_loop_add_reader(loop, pair[0], kit_nothing, NULL));
    CHECK_OK(iso_loop_remove_reader(loop, pair[0]));
}

static void demand_no_watching(kit *k, const char *profile)
{
    iso_loop *loop = loop_under(k, profile);
    iso_future *future = NULL;
    iso_fd ends[2];
    char byte;

    kit_pair(k, ends);
    demand_refused_watch(loop, ends[0], ISO_ENOTSUP, "proactor.watch");
    CHECK_RC(iso_loop_remove_reader(loop, ends[0]), ISO_ENOTSUP);
    CHECK_RC(iso_loop_remove_writer(loop, ends[0]), ISO_ENOTSUP);
    demand_row(loop, "proactor.watch", 0, 0);
    /* operations are what a proactor is for */
    REQUIRE_OK(iso_loop_sock_recv_into(loop, ends[0], &byte, 1, &future));
    kit_poke(k, ends[1]);
    CHECK_OK(kit_run_release(k, loop, future));
}

KIT_TEST(under_windows_proactor_nothing_is_watched)
{
    demand_no_watching(k, "windows-proactor");
}

KIT_TEST(under_portable_nothing_is_watched)
{
    demand_no_watching(k, "portable");
}

static int serve_on_a_shared_port(iso_loop *loop, iso_future **out)
{
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;

    options.host = "127.0.0.1";
    options.reuse_port = true;
    return iso_loop_create_server(loop, &quiet, NULL, &options, out);
}

KIT_TEST(under_the_profiles_of_windows_no_port_is_shared)
{
    static const char *const profiles[] = { "windows-selector", "windows-proactor", "portable" };
    size_t at;

    for (at = 0; at < ISO__COUNT(profiles); at++) {
        iso_loop *loop = loop_under(k, profiles[at]);
        iso_future *future = NULL;

        CHECK_RC(serve_on_a_shared_port(loop, &future), ISO_ENOTSUP);
        demand_row(loop, "windows.reuse_port", 0, 0);
        CHECK_PTR(future, NULL);
        CHECK_EQ(kit_statistics(loop).objects, 0);
    }
}

/* ---- rows that a call without a loop meets ---- */

static int new_proactor(kit *k, const char *profile, iso_loop **out)
{
    iso_loop_options options = kit_options(k);

    options.backend = "proactor";
    options.limits = profile;
    return iso_loop_new(out, &options);
}

KIT_TEST(off_windows_there_is_no_proactor_event_loop)
{
    static const char *const profiles[] = { NULL, "documented", "portable", "windows-selector" };
    iso_loop *loop = NULL;
    size_t at;

    if (iso__platform == ISO__ON_WINDOWS) {
        (void)kit_skip(k, "proactor.availability");
        return;
    }
    for (at = 0; at < ISO__COUNT(profiles); at++) {
        CHECK_RC(new_proactor(k, profiles[at], &loop), ISO_ENOTSUP);
        CHECK_HAS(iso_error_detail(), "proactor.availability");
        CHECK_HAS(iso_error_detail(), "selector:poll"); /* what there is */
    }
    CHECK_PTR(loop, NULL);
}

static bool is_there(const char *name)
{
    const iso_backend *backends;
    size_t count = iso_backends(&backends);
    size_t at;

    for (at = 0; at < count; at++) {
        if (strcmp(backends[at].name, name) == 0) return backends[at].available;
    }
    return false;
}

/* Under "native" the document is not asked, and what counts is what there is. */
KIT_TEST(off_windows_a_native_proactor_is_io_uring_where_there_is_one)
{
    iso_loop *loop = NULL;

    if (iso__platform == ISO__ON_WINDOWS) {
        (void)kit_skip(k, "proactor.availability");
        return;
    }
    if (is_there("proactor:io_uring")) {
        CHECK_OK(new_proactor(k, "native", &loop));
        CHECK_STR(iso_loop_backend(loop), "proactor:io_uring");
        kit_adopt_loop(k, loop);
        return;
    }
    CHECK_RC(new_proactor(k, "native", &loop), ISO_ENOTSUP);
    CHECK(strstr(iso_error_detail(), "proactor.availability") == NULL);
    CHECK_PTR(loop, NULL);
}

KIT_TEST(an_unknown_profile_is_refused_with_a_list)
{
    iso_loop_options options = kit_options(k);
    iso_loop *loop = NULL;

    options.limits = "amiga";
    CHECK_RC(iso_loop_new(&loop, &options), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "amiga is not a limits profile");
    CHECK_HAS(
        iso_error_detail(),
        "documented, native, portable, windows-selector, windows-proactor, macos, macos-10.8, "
        "macos-10.5, linux");
    options.limits = NULL;
    kit_setenv(k, "ISOLOOP_LIMITS", "Documented");
    CHECK_RC(iso_loop_new(&loop, &options), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "Documented is not");
    CHECK_PTR(loop, NULL);
}

KIT_TEST(the_profile_is_chosen_by_option_then_environment_then_documented)
{
    kit_setenv(k, "ISOLOOP_LIMITS", NULL);
    CHECK_STR(iso_loop_limits_profile(loop_under(k, NULL)), "documented");
    kit_setenv(k, "ISOLOOP_LIMITS", "");
    CHECK_STR(iso_loop_limits_profile(loop_under(k, NULL)), "documented");
    kit_setenv(k, "ISOLOOP_LIMITS", "portable");
    CHECK_STR(iso_loop_limits_profile(loop_under(k, NULL)), "portable");
    CHECK_STR(iso_loop_limits_profile(loop_under(k, "native")), "native");
}

KIT_TEST(without_descriptors_the_system_answers_and_the_loop_goes_on)
{
    iso_loop *loop = kit_loop(k);
    iso_loop *other = NULL;
    iso_loop_options options = kit_options(k);
    iso_fd fd = ISO_FD_NONE;
    int count = 0;

    if (!kit_exhaust(k)) return;
    CHECK_RC(iso_socket_new(&fd, 4), ISO_EMFILE);
    CHECK_RC(iso_loop_new(&other, &options), ISO_EMFILE);
    CHECK_OK(iso_loop_call_soon(loop, kit_count, &count, NULL));
    CHECK_EQ(kit_turn(k, loop), 1);
    CHECK_PTR(iso_loop_last_limit(loop), NULL);
    kit_replenish(k);
    CHECK_PTR(other, NULL);
    CHECK_OK(iso_socket_new(&fd, 4));
    CHECK_OK(iso_socket_close(fd));
}

/* ---- asking beforehand ---- */

KIT_TEST(no_limit_was_met_at_first)
{
    CHECK_PTR(iso_loop_last_limit(kit_loop(k)), NULL);
}

KIT_TEST(the_last_limit_is_that_of_the_last_refusal)
{
    iso_loop *loop = loop_under(k, "windows-selector");
    iso_future *future;
    iso_fd pipe[2];

    kit_pipe(k, pipe);
    CHECK_RC(iso_loop_add_reader(loop, pipe[0], kit_nothing, NULL), ISO_ENOTSOCK);
    CHECK_STR(iso_loop_last_limit(loop)->id, "windows.selector.sockets_only");
    CHECK_RC(serve_on_a_shared_port(loop, &future), ISO_ENOTSUP);
    CHECK_STR(iso_loop_last_limit(loop)->id, "windows.reuse_port");
    /* what goes well, or is refused for another reason, leaves it */
    CHECK_OK(iso_loop_call_soon(loop, kit_nothing, NULL, NULL));
    CHECK_EQ(kit_turn(k, loop), 1);
    CHECK_RC(iso_loop_add_reader(loop, pipe[0], NULL, NULL), ISO_EINVAL);
    CHECK_STR(iso_loop_last_limit(loop)->id, "windows.reuse_port");
}

static bool can(const iso_loop *loop, iso_capability capability)
{
    return iso_loop_supports(loop, capability);
}

KIT_TEST(supports_says_what_the_profiles_say)
{
    static const iso_capability of_windows[] = {
        ISO_CAP_WATCH_NONSOCKETS, ISO_CAP_REUSE_PORT,    ISO_CAP_UNIX_SOCKETS,
        ISO_CAP_SIGNALS,          ISO_CAP_CHILD_WATCHER,
    };
    iso_loop *selector = loop_under(k, "windows-selector");
    iso_loop *proactor = loop_under(k, "windows-proactor");
    iso_loop *portable = loop_under(k, "portable");
    iso_loop *native = loop_under(k, "native");

    size_t at;

    CHECK_EQ(can(selector, ISO_CAP_WATCH), can(native, ISO_CAP_WATCH));
    CHECK_EQ(can(proactor, ISO_CAP_PIPES), can(native, ISO_CAP_PIPES));
    CHECK_EQ(can(proactor, ISO_CAP_NAMED_PIPES), can(native, ISO_CAP_NAMED_PIPES));
    CHECK_EQ(can(proactor, ISO_CAP_SUBPROCESS), can(native, ISO_CAP_SUBPROCESS));
    CHECK_EQ(can(selector, ISO_CAP_DATAGRAM), can(native, ISO_CAP_DATAGRAM));
    for (at = 0; at < ISO__COUNT(of_windows); at++) {
        CHECK(!can(selector, of_windows[at]));
        CHECK(!can(proactor, of_windows[at]));
    }
    CHECK(!can(selector, ISO_CAP_SCALABLE));
    CHECK(!can(selector, ISO_CAP_PIPES));
    CHECK(!can(selector, ISO_CAP_NAMED_PIPES));
    CHECK(!can(selector, ISO_CAP_SUBPROCESS));
    CHECK(!can(proactor, ISO_CAP_WATCH));
    CHECK(!can(proactor, ISO_CAP_DATAGRAM));
    for (at = 0; at <= ISO_CAP_PLAIN_PIPES; at++) CHECK(!can(portable, (iso_capability)at));
    CHECK(!can(portable, (iso_capability)99));
}

static bool is_watched(iso_loop *loop, iso_fd fd)
{
    if (iso_loop_add_reader(loop, fd, kit_nothing, NULL) != 0) return false;
    CHECK_OK(iso_loop_remove_reader(loop, fd));
    return true;
}

static bool is_shared(kit *k, iso_loop *loop)
{
    iso_future *future = NULL;
    void *server = NULL;

    if (serve_on_a_shared_port(loop, &future) != 0) return false;
    CHECK_OK(kit_run(k, loop, future));
    CHECK_OK(iso_future_result(future, &server));
    CHECK_OK(iso_server_close(server));
    kit_settle(k, loop); /* the loop lets go of it in the next turn */
    iso_future_release(future);
    return true;
}

/* Calls that a row refuses first, and that are refused for what they ask for else. */
static bool takes_signals(iso_loop *loop)
{
    return iso_loop_add_signal_handler(loop, -1, kit_nothing, NULL) == ISO_EINVAL;
}

static bool takes_unix_sockets(iso_loop *loop)
{
    iso_unix_server_options options = ISO_UNIX_SERVER_OPTIONS_INIT; /* neither path nor sock */

    return iso_loop_create_unix_server(loop, &quiet, NULL, &options, NULL) == ISO_EINVAL;
}

static bool takes_pipes(iso_loop *loop, iso_fd file)
{
    return iso_loop_connect_read_pipe(loop, &quiet, NULL, file, NULL) == ISO_ENOTPIPE;
}

static bool takes_named_pipes(iso_loop *loop)
{
    return iso_loop_start_serving_pipe(loop, &quiet, NULL, "no name", NULL) == ISO_EINVAL;
}

static bool takes_programs(iso_loop *loop)
{
    static const iso_subprocess_protocol nothing = { .connection_made = NULL };

    return iso_loop_subprocess_exec(loop, &nothing, NULL, NULL, NULL, NULL) == ISO_EINVAL;
}

static bool takes_datagrams(iso_loop *loop)
{
    static const iso_datagram_protocol nothing = { .connection_made = NULL };
    iso_datagram_options options = ISO_DATAGRAM_OPTIONS_INIT; /* neither address nor family */

    return iso_loop_create_datagram_endpoint(loop, &nothing, NULL, &options, NULL) == ISO_EINVAL;
}

KIT_TEST(supports_says_what_the_calls_do)
{
    static const char *const profiles[] = { "documented", "native", "portable", "windows-selector",
                                            "windows-proactor" };
    iso_fd file = kit_regular_file(k);
    iso_fd pair[2];
    iso_fd pipe[2];
    size_t at;

    kit_pair(k, pair);
    kit_pipe(k, pipe);
    for (at = 0; at < ISO__COUNT(profiles); at++) {
        iso_loop *loop = loop_under(k, profiles[at]);

        CHECK_EQ(can(loop, ISO_CAP_WATCH), is_watched(loop, pair[0]));
        CHECK_EQ(can(loop, ISO_CAP_WATCH_NONSOCKETS), is_watched(loop, pipe[0]));
        CHECK_EQ(can(loop, ISO_CAP_REUSE_PORT), is_shared(k, loop));
        CHECK_EQ(can(loop, ISO_CAP_UNIX_SOCKETS), takes_unix_sockets(loop));
        CHECK_EQ(can(loop, ISO_CAP_SIGNALS), takes_signals(loop));
        CHECK_EQ(can(loop, ISO_CAP_PIPES), takes_pipes(loop, file));
        CHECK_EQ(can(loop, ISO_CAP_NAMED_PIPES), takes_named_pipes(loop));
        CHECK_EQ(can(loop, ISO_CAP_SUBPROCESS), takes_programs(loop));
        CHECK_EQ(can(loop, ISO_CAP_DATAGRAM), takes_datagrams(loop));
    }
}

KIT_TEST(poll_and_select_are_not_scalable_and_the_others_are)
{
    bool is_scalable = !is_backend(k, "selector:poll") && !is_backend(k, "selector:select");

    CHECK_EQ(can(loop_under(k, "documented"), ISO_CAP_SCALABLE), is_scalable);
    CHECK_EQ(can(loop_under(k, "native"), ISO_CAP_SCALABLE), is_scalable);
}

KIT_TEST(limit_get_counts_the_sockets)
{
    iso_loop *loop = loop_under(k, "windows-selector");
    int64_t max = 0;
    int64_t used = 0;
    iso_fd ends[2];

    CHECK_OK(iso_loop_limit_get(loop, ISO_LIMIT_SOCKETS, &max, &used));
    CHECK_EQ(max, MOST);
    CHECK_EQ(used, 1); /* as if the loop had one of its own, whether it has or not */
    kit_pair(k, ends);
    CHECK_OK(iso_loop_add_reader(loop, ends[0], kit_nothing, NULL));
    CHECK_OK(iso_loop_add_writer(loop, ends[0], kit_nothing, NULL));
    CHECK_OK(iso_loop_limit_get(loop, ISO_LIMIT_SOCKETS, NULL, &used));
    CHECK_EQ(used, 2);
    CHECK_OK(iso_loop_remove_reader(loop, ends[0]));
    CHECK_OK(iso_loop_remove_writer(loop, ends[0]));
    CHECK_OK(iso_loop_limit_get(loop, ISO_LIMIT_SOCKETS, NULL, &used));
    CHECK_EQ(used, 1);
}

KIT_TEST(limit_get_without_a_limit_is_the_highest_number)
{
    iso_loop *loop = loop_under(k, "native");
    int64_t max = 0;

    if (iso_loop_limit_enforced(loop, "windows.selector.max_sockets")) {
        (void)kit_skip(k, "windows.selector.max_sockets");
        return;
    }
    CHECK_OK(iso_loop_limit_get(loop, ISO_LIMIT_SOCKETS, &max, NULL));
    CHECK(max == INT64_MAX);
}

KIT_TEST(limit_get_knows_the_highest_descriptor)
{
    iso_loop *portable = loop_under(k, "portable");
    iso_loop *loop = loop_under(k, "native");
    int64_t most = iso__sys_descriptor_limit();
    int64_t max = 0;
    int64_t before = 0;
    int64_t used = 0;
    iso_fd ends[2];

    CHECK_OK(iso_loop_limit_get(portable, ISO_LIMIT_DESCRIPTOR, &max, NULL));
    if (iso_loop_limit_enforced(portable, "select.fd_setsize"))
        CHECK_EQ(max, most < 1024 ? most - 1 : 1023);
    else
        CHECK(max == INT64_MAX); /* Windows */
    CHECK_OK(iso_loop_limit_get(loop, ISO_LIMIT_DESCRIPTOR, &max, &before));
    if (iso_loop_limit_enforced(loop, "select.fd_setsize"))
        CHECK_LE(max, 1023);
    else
        CHECK(max == (most == INT64_MAX ? most : most - 1));
    CHECK_GE(before, 0);
    kit_pair(k, ends);
    CHECK_OK(iso_loop_add_reader(loop, ends[0], kit_nothing, NULL));
    CHECK_OK(iso_loop_limit_get(loop, ISO_LIMIT_DESCRIPTOR, NULL, &used));
    CHECK_EQ(used, ends[0] > before ? ends[0] : before);
    CHECK_OK(iso_loop_remove_reader(loop, ends[0]));
    CHECK_OK(iso_loop_limit_get(loop, ISO_LIMIT_DESCRIPTOR, NULL, &used));
    CHECK_EQ(used, before);
}

KIT_TEST(limit_get_of_what_there_is_not)
{
    iso_loop *loop = kit_loop(k);
    int64_t max = 7;

    CHECK_RC(iso_loop_limit_get(loop, (iso_limit_kind)99, &max, NULL), ISO_EINVAL);
    CHECK_EQ(max, 7);
    CHECK_OK(iso_loop_limit_get(loop, ISO_LIMIT_SOCKETS, NULL, NULL));
}

KIT_TEST(no_unknown_row_is_enforced)
{
    iso_loop *loop = loop_under(k, "portable");

    CHECK(!iso_loop_limit_enforced(loop, "amiga.memory"));
    CHECK(!iso_loop_limit_enforced(loop, ""));
    CHECK(!iso_loop_limit_enforced(loop, NULL));
    CHECK(iso_loop_limit_enforced(loop, "all.bad_fd"));
}

/* ---- the walk ---- */

/* Where a row can be met: on every backend, under a profile that enforces it, or not on all. */
typedef enum place {
    EVERYWHERE = 0,
    WITH_PIPES,    /* select says on Windows that there are none, first */
    WITH_THE_BEST, /* the others play what they are */
    OFF_WINDOWS,
    WITHOUT_A_LOOP,
    WITH_IOCP,
    IN_ITS_OWN_CASE
} place;

/* Meet the row on a loop that enforces it, and answer what the call answered. */
typedef struct meeting {
    const char *id;
    const char *profile;
    place where;
    int (*meet)(kit *k, iso_loop *loop);
} meeting;

/* Several calls that a row refuses: what all of them answer. */
static int demand_same(const iso_loop *loop, int rc, int other)
{
    CHECK_RC(other, rc);
    CHECK(iso_loop_last_limit(loop) != NULL);
    return rc;
}

static int read_pipe(iso_loop *loop, iso_fd fd)
{
    return iso_loop_connect_read_pipe(loop, &quiet, NULL, fd, NULL);
}

static int write_pipe(iso_loop *loop, iso_fd fd)
{
    return iso_loop_connect_write_pipe(loop, &quiet, NULL, fd, NULL);
}

static int meet_reuse_port(kit *k, iso_loop *loop)
{
    iso_future *future;

    (void)k;
    return serve_on_a_shared_port(loop, &future);
}

static int meet_max_sockets(kit *k, iso_loop *loop)
{
    iso_fd added[MOST + 1];
    iso_address any;
    int count = 0;
    int rc;

    if (!kit_allow_descriptors(k, DESCRIPTORS_WANTED)) return ISO_ELIMIT;
    REQUIRE_OK(iso_address_parse(&any, "127.0.0.1", 0));
    do { /* of datagrams: one of streams that is not connected would not wait */
        REQUIRE_OK(iso_socket_new_datagram(&added[count], 4));
        REQUIRE_OK(iso_socket_bind(kit_own(k, added[count]), &any));
        rc = iso_loop_sock_recv(loop, added[count], 1, NULL);
    } while (rc == 0 && count++ < MOST);
    CHECK_EQ(count, MOST - 1); /* a loop without a socket of its own counts one, too */
    CHECK_OK(iso_loop_close(loop));
    while (count >= 0) kit_close(k, added[count--]);
    return rc;
}

static int meet_sockets_only(kit *k, iso_loop *loop)
{
    iso_fd pipe[2];

    kit_pipe(k, pipe);
    return iso_loop_add_reader(loop, pipe[0], kit_nothing, NULL);
}

static int meet_availability(kit *k, iso_loop *loop)
{
    iso_loop *made = NULL;

    (void)loop;
    return new_proactor(k, "portable", &made);
}

static int meet_watch(kit *k, iso_loop *loop)
{
    iso_fd ends[2];

    kit_pair(k, ends);
    return iso_loop_add_reader(loop, ends[0], kit_nothing, NULL);
}

/* No reader, no writer and no pipe. Where nothing is watched, that is told first. */
static int meet_device(kit *k, iso_loop *loop)
{
    iso_fd device = kit_device(k);
    int rc = demand_same(loop, read_pipe(loop, device), write_pipe(loop, device));

    CHECK(!iso_loop_supports(loop, ISO_CAP_WATCH_DEVICES));
    CHECK(!iso_loop_supports(loop, ISO_CAP_PIPE_DEVICES));
    if (!iso_loop_supports(loop, ISO_CAP_WATCH)) return rc;
    (void)demand_same(loop, rc, iso_loop_add_reader(loop, device, kit_nothing, NULL));
    return demand_same(loop, rc, iso_loop_add_writer(loop, device, kit_nothing, NULL));
}

static int meet_regular_file(kit *k, iso_loop *loop)
{
    return iso_loop_add_reader(loop, kit_regular_file(k), kit_nothing, NULL);
}

static int meet_bad_fd(kit *k, iso_loop *loop)
{
    (void)k;
    return iso_loop_add_reader(loop, ISO_FD_NONE, kit_nothing, NULL);
}

static int meet_fd_setsize(kit *k, iso_loop *loop)
{
    iso_future *future;
    iso_fd ends[2];
    iso_fd high;

    if (!kit_allow_descriptors(k, DESCRIPTORS_WANTED)) return ISO_ELIMIT;
    kit_pair(k, ends);
    high = kit_duplicate_above(k, ends[0], 1024); /* on Windows the system chooses */
    return iso_loop_sock_recv(loop, high, 1, &future);
}

/* Nothing is made where nothing can be served. */
static const char socket_path[] = "no-folder/of-this-name/s";

static int meet_unix_sockets(kit *k, iso_loop *loop)
{
    iso_unix_server_options server = ISO_UNIX_SERVER_OPTIONS_INIT;
    iso_unix_connection_options connection = ISO_UNIX_CONNECTION_OPTIONS_INIT;
    int rc;

    (void)k;
    CHECK(!iso_loop_supports(loop, ISO_CAP_UNIX_SOCKETS));
    server.path = socket_path;
    connection.path = socket_path;
    rc = iso_loop_create_unix_server(loop, &quiet, NULL, &server, NULL);
    return demand_same(loop, rc,
                       iso_loop_create_unix_connection(loop, &quiet, NULL, &connection, NULL));
}

static int meet_signals(kit *k, iso_loop *loop)
{
    int rc = iso_loop_add_signal_handler(loop, SIGINT, kit_nothing, NULL);

    (void)k;
    CHECK(!iso_loop_supports(loop, ISO_CAP_SIGNALS));
    return demand_same(loop, rc, iso_loop_remove_signal_handler(loop, SIGINT));
}

/* The calls are no loop's: that of the thread is asked. */
static int meet_child_watcher(kit *k, iso_loop *loop)
{
    const iso_child_watcher *watcher = NULL;
    int rc;

    (void)k;
    CHECK(!iso_loop_supports(loop, ISO_CAP_CHILD_WATCHER));
    CHECK_OK(iso_set_event_loop(loop));
    rc = iso_get_child_watcher(&watcher);
    CHECK_PTR(watcher, NULL);
    CHECK_HAS(iso_error_detail(), "windows.child_watcher");
    (void)demand_same(loop, rc, iso_set_child_watcher(NULL));
    CHECK_HAS(iso_error_detail(), "windows.child_watcher");
    CHECK_OK(iso_set_event_loop(NULL));
    return rc;
}

static int connect_name(iso_loop *loop)
{
    return iso_loop_create_pipe_connection(loop, &quiet, NULL, PIPE_NAME, NULL);
}

static int serve_name(iso_loop *loop)
{
    return iso_loop_start_serving_pipe(loop, &quiet, NULL, PIPE_NAME, NULL);
}

static int meet_pipes(kit *k, iso_loop *loop)
{
    iso_fd pipe[2];
    int rc;

    CHECK(!iso_loop_supports(loop, ISO_CAP_PIPES));
    CHECK(!iso_loop_supports(loop, ISO_CAP_NAMED_PIPES));
    kit_pipe(k, pipe);
    rc = demand_same(loop, read_pipe(loop, pipe[0]), write_pipe(loop, pipe[1]));
    return demand_same(loop, demand_same(loop, rc, connect_name(loop)), serve_name(loop));
}

static int meet_named_pipes(kit *k, iso_loop *loop)
{
    (void)k;
    CHECK(!iso_loop_supports(loop, ISO_CAP_NAMED_PIPES));
    return demand_same(loop, connect_name(loop), serve_name(loop));
}

static int meet_pipe_kind(kit *k, iso_loop *loop)
{
    iso_fd file = kit_regular_file(k);

    return demand_same(loop, read_pipe(loop, file), write_pipe(loop, file));
}

static int meet_subprocess(kit *k, iso_loop *loop)
{
    static const iso_subprocess_protocol nothing = { .connection_made = NULL };
    static const char *const argv[] = { "a program", NULL };
    int rc = iso_loop_subprocess_exec(loop, &nothing, NULL, argv, NULL, NULL);

    (void)k;
    CHECK(!iso_loop_supports(loop, ISO_CAP_SUBPROCESS));
    return demand_same(loop, rc, iso_loop_subprocess_shell(loop, &nothing, NULL, "x", NULL, NULL));
}

static int meet_datagram(kit *k, iso_loop *loop)
{
    static const iso_datagram_protocol nothing = { .connection_made = NULL };
    iso_datagram_options options = ISO_DATAGRAM_OPTIONS_INIT;

    (void)k;
    CHECK(!iso_loop_supports(loop, ISO_CAP_DATAGRAM));
    options.local_host = "127.0.0.1";
    return iso_loop_create_datagram_endpoint(loop, &nothing, NULL, &options, NULL);
}

/* The kit's pipes are not opened for overlapped use. */
static int meet_overlapped_only(kit *k, iso_loop *loop)
{
    iso_fd pipe[2];

    kit_pipe(k, pipe);
    return demand_same(loop, read_pipe(loop, pipe[0]), write_pipe(loop, pipe[1]));
}

static void remember_transport(iso_transport *transport, void *self)
{
    *(iso_transport **)self = iso_transport_ref(transport);
}

/* Both ends of a pipe with a name are duplex. */
static int meet_pipe_write_eof(kit *k, iso_loop *loop)
{
    static const iso_protocol remembering = { .connection_made = remember_transport };
    iso_future *served = NULL;
    iso_future *connected = NULL;
    iso_transport *ends[2] = { NULL, NULL };
    void *server = NULL;
    int rc;

    REQUIRE_OK(iso_loop_start_serving_pipe(loop, &remembering, &ends[0], PIPE_NAME, &served));
    REQUIRE_OK(kit_run(k, loop, served));
    REQUIRE_OK(iso_future_result(served, &server));
    REQUIRE_OK(
        iso_loop_create_pipe_connection(loop, &remembering, &ends[1], PIPE_NAME, &connected));
    REQUIRE_OK(kit_run_release(k, loop, connected));
    while (ends[0] == NULL && CHECK_GE(iso_loop_run_once(loop, ISO_S(30)), 0)) {}
    CHECK(!iso_transport_can_write_eof(ends[0]));
    CHECK(!iso_transport_can_write_eof(ends[1]));
    rc = demand_same(loop, iso_transport_write_eof(ends[0]), iso_transport_write_eof(ends[1]));
    CHECK(!iso_transport_is_closing(ends[0]));
    CHECK_OK(iso_transport_abort(ends[0]));
    CHECK_OK(iso_transport_abort(ends[1]));
    CHECK_OK(iso_server_close(server));
    iso_transport_release(ends[0]);
    iso_transport_release(ends[1]);
    iso_future_release(served);
    while (kit_statistics(loop).objects > 0 && CHECK_GE(iso_loop_run_once(loop, ISO_S(30)), 0)) {}
    return rc;
}

static int meet_foreign_port(kit *k, iso_loop *loop)
{
    iso_connection_options connection = ISO_CONNECTION_OPTIONS_INIT;
    iso_server_options server = ISO_SERVER_OPTIONS_INIT;
    iso_fd listener = kit_listen(k, NULL);
    iso_fd pair[2];
    char byte;
    int rc;

    kit_pair(k, pair);
    CHECK(kit_tie_to_a_port(k, pair[0]));
    CHECK(kit_tie_to_a_port(k, listener));
    rc = iso_loop_sock_recv_into(loop, pair[0], &byte, 1, NULL);
    (void)demand_same(loop, rc, iso_loop_sock_sendall(loop, pair[0], "a", 1, NULL));
    (void)demand_same(loop, rc, iso_loop_sock_accept(loop, listener, NULL));
    connection.sock = pair[0];
    (void)demand_same(loop, rc, iso_loop_create_connection(loop, &quiet, NULL, &connection, NULL));
    server.sock = listener;
    (void)demand_same(loop, rc, iso_loop_create_server(loop, &quiet, NULL, &server, NULL));
    /* the sockets are as good as ever, for others */
    kit_send(k, pair[0], "b", 1);
    CHECK_EQ(kit_recv(k, pair[1], &byte, 1), 1);
    return rc;
}

/* The rows that only inform: what they speak of is not refused. */

static int meet_clock(kit *k, iso_loop *loop)
{
    int64_t row = iso__limit_value(ISO__ROW_WINDOWS_CLOCK);
    int count = 0;
    int rc = iso_loop_call_later(loop, ISO_US(10), kit_count, &count, NULL);

    CHECK_EQ(row, ISO_US(15600));
    CHECK_GE(iso_loop_clock_resolution(loop), row);
    CHECK_LE(iso_loop_clock_resolution(loop), row + ISO_US(100)); /* Windows: 15.625 ms */
    (void)kit_run_until(k, loop, &count, 1);
    return rc;
}

static int meet_descriptors(kit *k, iso_loop *loop)
{
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    iso_future *future = NULL;
    int64_t max = 0;
    int rc;

    options.host = "127.0.0.1";
    if (!kit_exhaust(k)) return ISO_EMFILE;
    rc = iso_loop_create_server(loop, &quiet, NULL, &options, &future);
    if (rc == 0) rc = iso_future_error(future);
    CHECK_OK(iso_loop_limit_get(loop, ISO_LIMIT_OPEN, &max, NULL));
    kit_replenish(k);
    demand_row(loop, "process.descriptors", max, max);
    iso_future_release(future);
    kit_settle(k, loop);
    return rc;
}

static int meet_select_grade(kit *k, iso_loop *loop)
{
    iso_future *future = NULL;
    iso_fd ends[2];
    int rc;

    CHECK(!can(loop, ISO_CAP_SCALABLE));
    kit_pair(k, ends);
    rc = iso_loop_sock_recv(loop, ends[0], 1, &future);
    if (rc == 0) {
        CHECK_OK(iso_future_cancel(future));
        iso_future_release(future);
    }
    return rc;
}

static const meeting meetings[] = {
    { "windows.unix_sockets", "windows-selector", EVERYWHERE, meet_unix_sockets },
    { "windows.signals", "windows-selector", EVERYWHERE, meet_signals },
    { "windows.child_watcher", "windows-selector", EVERYWHERE, meet_child_watcher },
    { "windows.reuse_port", "windows-selector", EVERYWHERE, meet_reuse_port },
    { "windows.clock", "windows-selector", EVERYWHERE, meet_clock },
    { "windows.selector.max_sockets", "windows-selector", EVERYWHERE, meet_max_sockets },
    { "windows.selector.sockets_only", "windows-selector", EVERYWHERE, meet_sockets_only },
    { "windows.selector.pipes", "windows-selector", EVERYWHERE, meet_pipes },
    { "windows.selector.subprocess", "windows-selector", EVERYWHERE, meet_subprocess },
    { "posix.named_pipes", "documented", OFF_WINDOWS, meet_named_pipes },
    { "proactor.availability", "portable", WITHOUT_A_LOOP, meet_availability },
    { "proactor.datagram", "windows-proactor", EVERYWHERE, meet_datagram },
    { "proactor.watch", "windows-proactor", EVERYWHERE, meet_watch },
    { "proactor.overlapped_only", "windows-proactor", WITH_IOCP, meet_overlapped_only },
    { "proactor.pipe_write_eof", "windows-proactor", WITH_IOCP, meet_pipe_write_eof },
    { "proactor.foreign_port", "windows-proactor", WITH_IOCP, meet_foreign_port },
    { "macos.chardev.10_5", "macos-10.5", EVERYWHERE, meet_device },
    { "macos.chardev.kqueue", "macos-10.8", WITH_THE_BEST, meet_device },
    { "kqueue.chardev", NULL, IN_ITS_OWN_CASE, NULL },
    { "all.regular_file", "native", EVERYWHERE, meet_regular_file },
    { "all.pipe_kind", "documented", WITH_PIPES, meet_pipe_kind },
    { "all.bad_fd", "native", EVERYWHERE, meet_bad_fd },
    { "select.fd_setsize", "portable", OFF_WINDOWS, meet_fd_setsize },
    { "process.descriptors", "portable", OFF_WINDOWS, meet_descriptors },
    { "tornado.select_grade", "portable", EVERYWHERE, meet_select_grade },
};

static const meeting *meeting_of(const char *id)
{
    size_t at;

    for (at = 0; at < ISO__COUNT(meetings); at++) {
        if (strcmp(meetings[at].id, id) == 0) return &meetings[at];
    }
    return NULL;
}

static bool is_here(const kit *k, place where)
{
    bool is_iocp = is_backend(k, "proactor:iocp");

    switch (where) {
    case EVERYWHERE: return true;
    case WITH_PIPES: return is_iocp || iso__platform != ISO__ON_WINDOWS;
    case WITH_THE_BEST:
        return iso__platform == ISO__ON_WINDOWS ||
               (!is_backend(k, "selector:poll") && !is_backend(k, "selector:select"));
    case OFF_WINDOWS: return iso__platform != ISO__ON_WINDOWS;
    case WITHOUT_A_LOOP: return true;
    case WITH_IOCP: return is_iocp;
    case IN_ITS_OWN_CASE: return false;
    }
    return false;
}

static void meet_row(kit *k, const iso_limit *row)
{
    const meeting *found = meeting_of(row->id);
    iso_loop *loop;

    if (found == NULL) {
        CHECK_STR(row->id, "a row that this test meets");
        return;
    }
    if (!is_here(k, found->where)) return;
    loop = loop_under(k, found->profile);
    CHECK(iso_loop_limit_enforced(loop, row->id));
    if (!CHECK_RC(found->meet(k, loop), row->error)) CHECK_STR(row->id, "met");
    if (iso_loop_last_limit(loop) != NULL) {
        CHECK(row->error != ISO_OK);
        CHECK_STR(iso_loop_last_limit(loop)->id, row->id);
        CHECK_RC(iso_loop_last_limit(loop)->error, row->error);
    } else { /* one that only informs, or there was no loop to ask */
        CHECK(row->error == ISO_OK || found->where == WITHOUT_A_LOOP);
    }
    CHECK_EQ(kit_statistics(loop).objects, 0);
    if (!iso_loop_is_closed(loop)) CHECK_EQ(kit_statistics(loop).registered, own_count(loop));
    kit_release_loop(k, loop);
}

KIT_TEST(every_row_of_the_table_is_met)
{
    size_t count;
    const iso_limit *rows = iso_limits(&count);
    size_t at;

    CHECK_EQ(count, ISO__ROW_COUNT);
    CHECK_EQ(ISO__COUNT(meetings), count); /* nothing is met that is no row */
    for (at = 0; at < count; at++) meet_row(k, &rows[at]);
}

KIT_TEST(a_device_that_kqueue_refuses_is_a_row)
{
    refusing self;
    iso_loop *loop = refusing_loop(k, &self);

    /* it is kqueue, so far as the table is concerned */
    loop->engine.limits.enforced |= (uint32_t)1 << ISO__ROW_KQUEUE_CHARDEV;
    demand_refused_watch(loop, kit_device(k), ISO_ENOTSUP, "kqueue.chardev");
    kit_release_loop(k, loop);
}

KIT_TEST(a_device_that_another_selector_refuses_is_none)
{
    refusing self;
    iso_loop *loop = refusing_loop(k, &self);

    CHECK_RC(iso_loop_add_reader(loop, kit_device(k), kit_nothing, NULL), ISO_ENOTSUP);
    CHECK_PTR(iso_loop_last_limit(loop), NULL);
    kit_release_loop(k, loop);
}

/* Which devices kevent refuses differs between the systems. */
KIT_TEST(a_device_is_watched_or_refused_by_a_row)
{
    iso_loop *loop = loop_under(k, "documented");
    iso_fd device = kit_device(k);
    int rc;

    if (!kit_needs(k, ISO_CAP_WATCH_NONSOCKETS)) return;
    rc = iso_loop_add_reader(loop, device, kit_nothing, NULL);
    if (rc == 0) {
        CHECK_OK(iso_loop_remove_reader(loop, device));
    } else if (CHECK(iso_loop_last_limit(loop) != NULL)) {
        CHECK_RC(iso_loop_last_limit(loop)->error, rc);
        CHECK_EQ(kit_statistics(loop).registered, own_count(loop));
    }
}

static const kit_case cases[] = {
    KIT_CASE(the_513th_socket_is_refused_by_add_reader),
    KIT_CASE(the_513th_socket_is_refused_by_add_writer),
    KIT_CASE(the_513th_socket_is_refused_by_sock_recv),
    KIT_CASE(the_513th_socket_is_refused_by_sock_recv_into),
    KIT_CASE(the_513th_socket_is_refused_by_sock_sendall),
    KIT_CASE(the_513th_socket_is_refused_by_sock_accept),
    KIT_CASE(the_513th_socket_is_refused_by_sock_connect),
    KIT_CASE(the_513th_socket_is_refused_by_create_connection),
    KIT_CASE(the_513th_socket_is_refused_by_create_connection_sock),
    KIT_CASE(the_513th_socket_is_refused_by_create_server),
    KIT_CASE(the_513th_socket_is_refused_by_create_server_sock),
    KIT_CASE(the_other_side_of_a_watched_socket_takes_no_place),
    KIT_CASE(the_513th_socket_of_a_name_is_refused_by_the_future),
    KIT_CASE(a_server_with_room_for_one_address_of_two_has_none),
    KIT_CASE(a_connection_that_a_full_loop_accepts_is_closed_and_told),
    KIT_CASE(a_transport_that_ends_makes_room),
    KIT_CASE(where_no_row_says_so_there_are_more_than_512_sockets),
    KIT_CASE(a_high_descriptor_cannot_be_watched_by_select_and_can_by_others),
    KIT_CASE(a_high_descriptor_that_a_selector_of_ones_own_refuses),
    KIT_CASE(a_high_descriptor_is_refused_by_every_call_of_a_portable_loop),
    KIT_CASE(a_regular_file_cannot_be_watched),
    KIT_CASE(a_closed_descriptor_cannot_be_watched),
    KIT_CASE(under_windows_selector_only_sockets_are_watched),
    KIT_CASE(under_windows_proactor_nothing_is_watched),
    KIT_CASE(under_portable_nothing_is_watched),
    KIT_CASE(under_the_profiles_of_windows_no_port_is_shared),
    KIT_CASE(off_windows_there_is_no_proactor_event_loop),
    KIT_CASE(off_windows_a_native_proactor_is_io_uring_where_there_is_one),
    KIT_CASE(an_unknown_profile_is_refused_with_a_list),
    KIT_CASE(the_profile_is_chosen_by_option_then_environment_then_documented),
    KIT_CASE(without_descriptors_the_system_answers_and_the_loop_goes_on),
    KIT_CASE(no_limit_was_met_at_first),
    KIT_CASE(the_last_limit_is_that_of_the_last_refusal),
    KIT_CASE(supports_says_what_the_profiles_say),
    KIT_CASE(supports_says_what_the_calls_do),
    KIT_CASE(poll_and_select_are_not_scalable_and_the_others_are),
    KIT_CASE(limit_get_counts_the_sockets),
    KIT_CASE(limit_get_without_a_limit_is_the_highest_number),
    KIT_CASE(limit_get_knows_the_highest_descriptor),
    KIT_CASE(limit_get_of_what_there_is_not),
    KIT_CASE(no_unknown_row_is_enforced),
    KIT_CASE(every_row_of_the_table_is_met),
    KIT_CASE(a_device_that_kqueue_refuses_is_a_row),
    KIT_CASE(a_device_that_another_selector_refuses_is_none),
    KIT_CASE(a_device_is_watched_or_refused_by_a_row),
};

KIT_MAIN(cases)
