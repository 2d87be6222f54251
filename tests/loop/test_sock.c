/* SPDX-License-Identifier: MIT */
/* sock_recv, sock_recv_into, sock_sendall, sock_accept, sock_connect: operations on a socket of
 * one's own. */
#include "kit.h"

#include "sys/sock.h"

#include <string.h>

enum { MEGABYTE = 1024 * 1024 };

/* ---- what the cases share ---- */

static unsigned char pattern(size_t position)
{
    return (unsigned char)(position * 131 + (position >> 9) * 7);
}

static void fill(unsigned char *bytes, size_t size)
{
    size_t at;

    for (at = 0; at < size; at++) bytes[at] = pattern(at);
}

static size_t count_wrong(const unsigned char *bytes, size_t size, size_t position)
{
    size_t wrong = 0;
    size_t at;

    for (at = 0; at < size; at++) wrong += bytes[at] != pattern(position + at) ? 1u : 0u;
    return wrong;
}

static iso_future *recv_into(iso_loop *loop, iso_fd fd, void *buffer, size_t size)
{
    iso_future *future = NULL;

    REQUIRE_OK(iso_loop_sock_recv_into(loop, fd, buffer, size, &future));
    return future;
}

static iso_future *sendall(iso_loop *loop, iso_fd fd, const void *data, size_t size)
{
    iso_future *future = NULL;

    REQUIRE_OK(iso_loop_sock_sendall(loop, fd, data, size, &future));
    return future;
}

static iso_future *start_accept(iso_loop *loop, iso_fd fd)
{
    iso_future *future = NULL;

    REQUIRE_OK(iso_loop_sock_accept(loop, fd, &future));
    return future;
}

/* Run to the end; answers the number that it ended with, or its error. */
static intptr_t number_of(kit *k, iso_loop *loop, iso_future *future)
{
    intptr_t number = 0;
    int rc = kit_run(k, loop, future);

    if (rc == 0) CHECK_OK(iso_future_number(future, &number));
    iso_future_release(future);
    return rc == 0 ? number : rc;
}

/* A future that has ended, or must not have. */
static void demand_error(iso_future *future, int error)
{
    CHECK_RC(iso_future_error(future), error);
    iso_future_release(future);
}

static void demand_idle(iso_loop *loop, uint32_t registered)
{
    CHECK_EQ(kit_statistics(loop).objects, 0);
    CHECK_EQ(kit_statistics(loop).registered, registered);
}

static iso_fd new_socket(kit *k)
{
    iso_fd fd = ISO_FD_NONE;

    REQUIRE_OK(iso_socket_new(&fd, 4));
    return kit_own(k, fd);
}

/* What a connection ends with when its peer does away with it. Wine tells a reset that came before
 * the read as a clean end. */
static bool is_broken(intptr_t error)
{
    return error == ISO_ECONNRESET || error == ISO_ECONNABORTED || error == ISO_EPIPE ||
           (kit_is_wine() && error == 0);
}

typedef struct told {
    int count;
    int error;
    bool has_future;
} told;

static void note(iso_loop *loop, const iso_exception_context *context, void *arg)
{
    told *self = arg;

    (void)loop;
    self->count++;
    self->error = context->error;
    self->has_future = context->future != NULL;
}

/* ---- recv ---- */

KIT_TEST(recv_into_ends_with_how_much_came)
{
    iso_loop *loop = kit_loop(k);
    iso_fd ends[2];
    char buffer[16] = "";

    kit_pair(k, ends);
    kit_send(k, ends[1], "hello", 5);

    CHECK_EQ(number_of(k, loop, recv_into(loop, ends[0], buffer, sizeof(buffer))), 5);
    CHECK_STR(buffer, "hello");
}

KIT_TEST(recv_ends_with_bytes_of_its_own)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = NULL;
    void *bytes = NULL;
    intptr_t size = 0;
    iso_fd ends[2];

    kit_pair(k, ends);
    kit_send(k, ends[1], "hello", 5);

    REQUIRE_OK(iso_loop_sock_recv(loop, ends[0], 1000, &future));
    CHECK_OK(kit_run(k, loop, future));

    CHECK_OK(iso_future_result(future, &bytes));
    CHECK_OK(iso_future_number(future, &size));
    CHECK_EQ(size, 5);
    CHECK(memcmp(bytes, "hello", 5) == 0);
    iso_future_release(future);
}

KIT_TEST(recv_takes_no_more_than_was_asked_for)
{
    iso_loop *loop = kit_loop(k);
    iso_fd ends[2];
    char buffer[8] = "";

    kit_pair(k, ends);
    kit_send(k, ends[1], "abcdef", 6);

    CHECK_EQ(number_of(k, loop, recv_into(loop, ends[0], buffer, 4)), 4);
    CHECK_STR(buffer, "abcd");
    CHECK_EQ(number_of(k, loop, recv_into(loop, ends[0], buffer, 4)), 2);
    CHECK_STR(buffer, "efcd");
}

KIT_TEST(recv_waits_until_something_comes)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future;
    iso_fd ends[2];
    char byte = 0;

    kit_pair(k, ends);
    future = recv_into(loop, ends[0], &byte, 1);
    kit_settle(k, loop);
    CHECK(!iso_future_done(future));

    kit_poke(k, ends[1]);

    CHECK_EQ(number_of(k, loop, future), 1);
    CHECK_EQ(byte, '!');
}

static void count(iso_future *future, void *number)
{
    (void)future;
    ++*(int *)number;
}

/* As in asyncio, and without registering anything, where a driver waits for readiness. */
KIT_TEST(what_can_be_done_at_once_is_and_its_callback_comes_from_a_turn)
{
    iso_loop *loop = kit_loop(k);
    bool is_at_once = strncmp(kit_backend(k), "selector:", 9) == 0;
    iso_address address;
    iso_fd listener = kit_listen(k, &address);
    iso_future *futures[3];
    int counts[3] = { 0, 0, 0 };
    intptr_t taken = ISO_FD_NONE;
    iso_fd ends[2];
    char byte = 0;
    size_t at;

    (void)kit_connect(k, &address);
    kit_await(k, listener, ISO_EVENT_READ); /* that the client is connected is too early */
    kit_pair(k, ends);
    kit_poke(k, ends[1]);
    kit_await(k, ends[0], ISO_EVENT_READ);
    futures[0] = recv_into(loop, ends[0], &byte, 1);
    futures[1] = sendall(loop, ends[0], "answer", 6);
    futures[2] = start_accept(loop, listener);
    if (is_at_once) CHECK_EQ(kit_statistics(loop).objects, 0);
    for (at = 0; at < ISO__COUNT(futures); at++) {
        if (is_at_once) CHECK(iso_future_done(futures[at]));
        CHECK_OK(iso_future_add_done_callback(futures[at], count, &counts[at]));
        CHECK_EQ(counts[at], 0);
    }
    for (at = 0; at < ISO__COUNT(futures); at++) {
        (void)kit_run_until(k, loop, &counts[at], 1);
        CHECK_OK(iso_future_error(futures[at]));
    }
    CHECK_EQ(byte, '!');
    CHECK_OK(iso_future_number(futures[2], &taken));
    (void)kit_own(k, taken);
    for (at = 0; at < ISO__COUNT(futures); at++) iso_future_release(futures[at]);
}

/* What fails at once is told no other way than what fails later. */
KIT_TEST(what_fails_at_once_ends_the_future)
{
    iso_loop *loop = kit_loop(k);
    iso_fd fd = new_socket(k);

    CHECK_LE(number_of(k, loop, sendall(loop, fd, "x", 1)), -1); /* it is not connected */
    CHECK_EQ(kit_statistics(loop).objects, 0);
}

KIT_TEST(recv_ends_with_0_when_the_peer_has_closed)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = NULL;
    intptr_t size = -1;
    iso_fd ends[2];
    char byte;

    kit_pair(k, ends);
    kit_close(k, ends[1]);

    CHECK_EQ(number_of(k, loop, recv_into(loop, ends[0], &byte, 1)), 0);
    REQUIRE_OK(iso_loop_sock_recv(loop, ends[0], 16, &future));
    CHECK_OK(kit_run(k, loop, future));
    CHECK_OK(iso_future_number(future, &size));
    CHECK_EQ(size, 0);
    iso_future_release(future);
}

KIT_TEST(recv_under_way_ends_with_0_when_the_peer_closes)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future;
    iso_fd ends[2];
    char byte;

    kit_pair(k, ends);
    future = recv_into(loop, ends[0], &byte, 1);
    kit_settle(k, loop);
    kit_close(k, ends[1]);
    CHECK_EQ(number_of(k, loop, future), 0);
}

KIT_TEST(what_came_before_the_end_is_received_before_it)
{
    iso_loop *loop = kit_loop(k);
    iso_fd ends[2];
    char buffer[16] = "";

    kit_pair(k, ends);
    kit_send(k, ends[1], "last words", 10);
    kit_close(k, ends[1]);

    CHECK_EQ(number_of(k, loop, recv_into(loop, ends[0], buffer, sizeof(buffer))), 10);
    CHECK_STR(buffer, "last words");
    CHECK_EQ(number_of(k, loop, recv_into(loop, ends[0], buffer, sizeof(buffer))), 0);
}

KIT_TEST(recv_of_a_connection_that_is_reset_ends_with_the_error)
{
    iso_loop *loop = kit_loop(k);
    iso_address address;
    iso_fd listener = kit_listen(k, &address);
    iso_fd client = kit_connect(k, &address);
    iso_fd server = kit_accept(k, listener);
    iso_future *future = NULL;

    REQUIRE_OK(iso_loop_sock_recv(loop, server, 100, &future));
    kit_settle(k, loop);
    iso__sys_socket_reset(kit_give(k, client));

    CHECK(is_broken(number_of(k, loop, future)));
}

KIT_TEST(the_bytes_of_recv_live_as_long_as_its_future)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = NULL;
    size_t before = kit_memory_now(k).bytes;
    iso_fd ends[2];
    void *bytes = NULL;

    kit_pair(k, ends);
    kit_poke(k, ends[1]);
    REQUIRE_OK(iso_loop_sock_recv(loop, ends[0], 10 * MEGABYTE, &future));
    CHECK_OK(kit_run(k, loop, future));
    CHECK_GE(kit_memory_now(k).bytes, before + 10 * MEGABYTE);
    CHECK_OK(iso_future_result(future, &bytes));
    CHECK_EQ(*(const char *)bytes, '!');

    iso_future_release(future);

    CHECK_LE(kit_memory_now(k).bytes, before + MEGABYTE);
}

KIT_TEST(the_bytes_of_recv_outlive_the_loop)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = NULL;
    void *bytes = NULL;
    iso_fd ends[2];

    kit_pair(k, ends);
    kit_poke(k, ends[1]);
    REQUIRE_OK(iso_loop_sock_recv(loop, ends[0], 100, &future));
    CHECK_OK(kit_run(k, loop, future));
    kit_release_loop(k, loop);
    CHECK_OK(iso_future_result(future, &bytes));
    CHECK_EQ(*(const char *)bytes, '!');
    iso_future_release(future);
}

KIT_TEST(one_recv_can_follow_another_from_its_callback_on)
{
    iso_loop *loop = kit_loop(k);
    uint32_t registered = kit_statistics(loop).registered;
    iso_fd ends[2];
    char byte;
    int at;

    kit_pair(k, ends);
    for (at = 0; at < 100; at++) {
        kit_poke(k, ends[1]);
        CHECK_EQ(number_of(k, loop, recv_into(loop, ends[0], &byte, 1)), 1);
        demand_idle(loop, registered); /* between two of them the socket is the program's alone */
    }
}

/* ---- sendall ---- */

KIT_TEST(sendall_sends)
{
    iso_loop *loop = kit_loop(k);
    iso_fd ends[2];
    char buffer[5];

    kit_pair(k, ends);
    CHECK_OK(kit_run_release(k, loop, sendall(loop, ends[0], "hello", 5)));
    CHECK_EQ(kit_recv(k, ends[1], buffer, 5), 5);
    CHECK(memcmp(buffer, "hello", 5) == 0);
}

KIT_TEST(sendall_of_nothing_ends_well)
{
    iso_loop *loop = kit_loop(k);
    iso_fd ends[2];
    char byte;

    kit_pair(k, ends);
    CHECK_OK(kit_run_release(k, loop, sendall(loop, ends[0], NULL, 0)));
    CHECK_OK(kit_run_release(k, loop, sendall(loop, ends[0], "", 0)));
    CHECK_EQ(iso__sys_socket_recv(ends[1], &byte, 1), ISO_EAGAIN);
}

KIT_TEST(sendall_waits_for_a_peer_that_does_not_read)
{
    static unsigned char data[MEGABYTE];
    static unsigned char taken[MEGABYTE];
    iso_loop *loop = kit_loop(k);
    iso_future *future;
    iso_fd ends[2];
    size_t filled;

    kit_pair(k, ends);
    filled = kit_fill(k, ends[0]);
    fill(data, sizeof(data));
    future = sendall(loop, ends[0], data, 1000);
    kit_settle(k, loop);
    CHECK(!iso_future_done(future));

    while (filled > 0) {
        size_t part = filled < sizeof(taken) ? filled : sizeof(taken);
        REQUIRE(kit_recv(k, ends[1], taken, part) == (ptrdiff_t)part);
        filled -= part;
    }

    CHECK_OK(kit_run_release(k, loop, future));
    CHECK_EQ(kit_recv(k, ends[1], taken, 1000), 1000);
    CHECK_EQ(count_wrong(taken, 1000, 0), 0);
}

/* Reads a piece at a time, each asked for from the callback of the one before. */
typedef struct reader {
    iso_loop *loop;
    iso_fd fd;
    size_t piece;
    size_t wanted;
    size_t received;
    size_t wrong;
    int done;
    unsigned char buffer[64 * 1024];
} reader;

static void read_next(reader *self);

static void take(iso_future *future, void *arg)
{
    reader *self = arg;
    intptr_t size = 0;

    CHECK_OK(iso_future_number(future, &size));
    self->wrong += count_wrong(self->buffer, (size_t)size, self->received);
    self->received += (size_t)size;
    if (size > 0 && self->received < self->wanted)
        read_next(self);
    else
        self->done = 1;
}

static void read_next(reader *self)
{
    iso_future *future = recv_into(self->loop, self->fd, self->buffer, self->piece);

    CHECK_OK(iso_future_add_done_callback(future, take, self));
    iso_future_release(future);
}

static void begin_reader(reader *self, iso_loop *loop, iso_fd fd, size_t piece, size_t wanted)
{
    memset(self, 0, sizeof(*self));
    self->loop = loop;
    self->fd = fd;
    self->piece = piece;
    self->wanted = wanted;
    read_next(self);
}

static void demand_all(kit *k, reader *self)
{
    (void)kit_run_until(k, self->loop, &self->done, 1);
    CHECK_EQ(self->received, self->wanted);
    CHECK_EQ(self->wrong, 0);
}

KIT_TEST(sendall_of_megabytes_to_a_slow_reader)
{
    static unsigned char data[4 * MEGABYTE];
    static reader slow;
    iso_loop *loop = kit_loop(k);
    iso_future *future;
    iso_fd ends[2];

    kit_pair(k, ends);
    fill(data, sizeof(data));
    future = sendall(loop, ends[0], data, sizeof(data));
    begin_reader(&slow, loop, ends[1], 3001, sizeof(data)); /* a turn or two for each 3001 bytes */

    demand_all(k, &slow);

    CHECK_OK(kit_run_release(k, loop, future));
}

KIT_TEST(sendall_to_a_peer_that_has_closed_ends_with_the_error)
{
    static const unsigned char data[MEGABYTE];
    iso_loop *loop = kit_loop(k);
    iso_address address;
    iso_fd listener = kit_listen(k, &address);
    iso_fd client = kit_connect(k, &address);
    iso_fd server = kit_accept(k, listener);
    iso_future *future;

    (void)kit_fill(k, server);
    future = sendall(loop, server, data, sizeof(data));
    kit_settle(k, loop);
    iso__sys_socket_reset(kit_give(k, client));

    CHECK(is_broken(number_of(k, loop, future)));
}

/* ---- both directions ---- */

KIT_TEST(both_directions_of_one_socket_at_once)
{
    static unsigned char data[2 * MEGABYTE];
    static reader readers[2];
    iso_loop *loop = kit_loop(k);
    uint32_t registered = kit_statistics(loop).registered;
    iso_future *sends[2];
    iso_fd ends[2];
    int at;

    kit_pair(k, ends);
    fill(data, sizeof(data));
    for (at = 0; at < 2; at++) {
        begin_reader(&readers[at], loop, ends[at], sizeof(readers[at].buffer), sizeof(data));
        sends[at] = sendall(loop, ends[at], data, sizeof(data));
    }
    CHECK_EQ(kit_statistics(loop).registered, registered + 2); /* a socket counts once */

    for (at = 0; at < 2; at++) demand_all(k, &readers[at]);

    for (at = 0; at < 2; at++) CHECK_OK(kit_run_release(k, loop, sends[at]));
    demand_idle(loop, registered);
}

KIT_TEST(the_end_of_one_direction_leaves_the_other_under_way)
{
    iso_loop *loop = kit_loop(k);
    iso_future *reading;
    iso_fd ends[2];
    char byte;

    kit_pair(k, ends);
    reading = recv_into(loop, ends[0], &byte, 1);
    CHECK_OK(kit_run_release(k, loop, sendall(loop, ends[0], "x", 1)));
    CHECK(!iso_future_done(reading));
    CHECK_EQ(kit_statistics(loop).objects, 1);

    kit_poke(k, ends[1]);

    CHECK_EQ(number_of(k, loop, reading), 1);
}

/* ---- accept ---- */

KIT_TEST(accept_ends_with_a_connected_descriptor)
{
    iso_loop *loop = kit_loop(k);
    iso_address address;
    iso_fd listener = kit_listen(k, &address);
    iso_fd client = kit_connect(k, &address);
    intptr_t taken = number_of(k, loop, start_accept(loop, listener));
    char byte = 0;

    REQUIRE(taken >= 0);
    (void)kit_own(k, taken);
    CHECK_EQ(iso__sys_socket_recv(taken, &byte, 1), ISO_EAGAIN); /* and it does not block */
    kit_poke(k, client);
    CHECK_EQ(kit_recv(k, taken, &byte, 1), 1);
    CHECK_EQ(byte, '!');
}

KIT_TEST(accept_waits_until_somebody_comes)
{
    iso_loop *loop = kit_loop(k);
    iso_address address;
    iso_fd listener = kit_listen(k, &address);
    iso_future *future = start_accept(loop, listener);
    intptr_t taken;

    kit_settle(k, loop);
    CHECK(!iso_future_done(future));

    (void)kit_connect(k, &address);

    taken = number_of(k, loop, future);
    if (CHECK(taken >= 0)) (void)kit_own(k, taken);
}

KIT_TEST(each_accept_takes_one_connection)
{
    iso_loop *loop = kit_loop(k);
    iso_address address;
    iso_fd listener = kit_listen(k, &address);
    int at;

    for (at = 0; at < 5; at++) (void)kit_connect(k, &address);
    for (at = 0; at < 5; at++) {
        intptr_t taken = number_of(k, loop, start_accept(loop, listener));
        if (CHECK(taken >= 0)) (void)kit_own(k, taken);
    }
    CHECK_EQ(iso__sys_socket_accept(listener, &(iso_fd){ 0 }, NULL), ISO_EAGAIN);
}

/* ---- connect ---- */

KIT_TEST(connect_ends_when_it_is_connected)
{
    iso_loop *loop = kit_loop(k);
    iso_address address;
    iso_fd listener = kit_listen(k, &address);
    iso_fd client = new_socket(k);
    iso_future *future = NULL;
    iso_fd server;
    char byte;

    REQUIRE_OK(iso_loop_sock_connect(loop, client, &address, &future));
    CHECK_OK(kit_run_release(k, loop, future));

    server = kit_accept(k, listener);
    CHECK_OK(kit_run_release(k, loop, sendall(loop, client, "!", 1)));
    CHECK_EQ(number_of(k, loop, recv_into(loop, server, &byte, 1)), 1);
}

KIT_TEST(connect_does_not_end_within_the_call)
{
    iso_loop *loop = kit_loop(k);
    iso_address address;
    iso_fd client = new_socket(k);
    iso_future *future = NULL;

    (void)kit_listen(k, &address);
    REQUIRE_OK(iso_loop_sock_connect(loop, client, &address, &future));
    CHECK(!iso_future_done(future));
    CHECK_OK(kit_run_release(k, loop, future));
}

KIT_TEST(connect_where_nobody_listens_is_refused)
{
    iso_loop *loop = kit_loop(k);
    uint32_t registered = kit_statistics(loop).registered;
    iso_address address;
    iso_fd client = new_socket(k);
    iso_future *future = NULL;

    kit_dead_address(k, &address);
    REQUIRE_OK(iso_loop_sock_connect(loop, client, &address, &future));
    CHECK_RC(kit_run_release(k, loop, future), ISO_ECONNREFUSED);
    demand_idle(loop, registered);
}

/* Who reads meanwhile is told the error that the attempt met, and the system keeps it no longer;
 * or, under Wine, that there is nothing to be read. */
KIT_TEST(a_refused_connect_fails_though_somebody_reads_as_well)
{
    iso_loop *loop = kit_loop(k);
    uint32_t registered = kit_statistics(loop).registered;
    iso_address address;
    iso_fd client = new_socket(k);
    iso_future *connecting = NULL;
    iso_future *reading;
    char byte;

    kit_dead_address(k, &address);
    REQUIRE_OK(iso_loop_sock_connect(loop, client, &address, &connecting));
    reading = recv_into(loop, client, &byte, 1);
    CHECK_LE(kit_run_release(k, loop, connecting), -1);
    CHECK_LE(number_of(k, loop, reading), 0);
    demand_idle(loop, registered);
}

KIT_TEST(connect_to_an_address_of_another_family_ends_with_the_error)
{
    iso_loop *loop = kit_loop(k);
    uint32_t registered = kit_statistics(loop).registered;
    iso_address address;
    iso_fd client = new_socket(k); /* of IPv4 */
    iso_future *future = NULL;

    REQUIRE_OK(iso_address_parse(&address, "::1", 9));
    REQUIRE_OK(iso_loop_sock_connect(loop, client, &address, &future));
    CHECK_EQ(kit_statistics(loop).objects, 1); /* it is told from a turn, not by the call */
    CHECK(kit_run_release(k, loop, future) < 0);
    demand_idle(loop, registered);
}

/* ---- cancel ---- */

/* Cancelled, it is over at once. */
static void demand_over(iso_loop *loop, iso_future *future, uint32_t registered)
{
    CHECK_OK(iso_future_cancel(future));
    CHECK(iso_future_cancelled(future));
    demand_error(future, ISO_ECANCELED);
    demand_idle(loop, registered);
}

/* And its socket is free for whatever comes. */
static void demand_cancelled(iso_loop *loop, iso_fd fd, iso_future *future, uint32_t registered)
{
    iso_future *next = NULL;

    demand_over(loop, future, registered);
    CHECK_OK(iso_loop_add_writer(loop, fd, kit_nothing, NULL));
    CHECK_OK(iso_loop_remove_writer(loop, fd));
    CHECK_OK(iso_loop_sock_recv(loop, fd, 1, &next));
    if (iso_future_done(next)) { /* one that is not connected: it failed at once */
        CHECK_LE(iso_future_error(next), -1);
        iso_future_release(next);
    } else {
        CHECK_OK(iso_future_cancel(next));
        demand_error(next, ISO_ECANCELED);
    }
    demand_idle(loop, registered);
}

KIT_TEST(a_cancelled_recv_loses_nothing)
{
    iso_loop *loop = kit_native_loop(k);
    uint32_t registered = kit_statistics(loop).registered;
    iso_future *future = NULL;
    iso_fd ends[2];
    char buffer[4] = "";

    kit_pair(k, ends);
    REQUIRE_OK(iso_loop_sock_recv(loop, ends[0], 4, &future));
    kit_settle(k, loop);
    kit_send(k, ends[1], "abc", 3);
    kit_await(k, ends[0], ISO_EVENT_READ);
    demand_over(loop, future, registered);
    CHECK_EQ(number_of(k, loop, recv_into(loop, ends[0], buffer, 3)), 3);
    CHECK_STR(buffer, "abc");
}

KIT_TEST(a_cancelled_recv_into_leaves_the_memory_alone)
{
    iso_loop *loop = kit_native_loop(k);
    uint32_t registered = kit_statistics(loop).registered;
    iso_fd ends[2];
    char byte = 'a';

    kit_pair(k, ends);
    demand_cancelled(loop, ends[0], recv_into(loop, ends[0], &byte, 1), registered);
    kit_poke(k, ends[1]);
    kit_await(k, ends[0], ISO_EVENT_READ);
    kit_settle(k, loop);
    CHECK_EQ(byte, 'a');
}

KIT_TEST(a_cancelled_sendall_is_over)
{
    static const char data[1000];
    iso_loop *loop = kit_native_loop(k);
    uint32_t registered = kit_statistics(loop).registered;
    iso_future *future;
    iso_fd ends[2];

    kit_pair(k, ends);
    (void)kit_fill(k, ends[0]);
    future = sendall(loop, ends[0], data, sizeof(data));
    kit_settle(k, loop);
    demand_cancelled(loop, ends[0], future, registered);
}

static uint16_t port_of(int (*name)(iso_fd fd, iso_address *out), iso_fd fd)
{
    iso_address address;

    REQUIRE_OK(name(fd, &address));
    return iso_address_port(&address);
}

/* Where the connection was taken already, by a driver that completes, it is closed, and the next
 * one is the next. */
KIT_TEST(a_cancelled_accept_leaves_the_connection_to_the_next_or_closes_it)
{
    iso_loop *loop = kit_loop(k);
    uint32_t registered = kit_statistics(loop).registered;
    iso_address address;
    iso_fd listener = kit_listen(k, &address);
    iso_future *future = start_accept(loop, listener);
    iso_fd clients[2];
    iso_fd accepted;
    uint16_t peer;
    char byte;

    kit_settle(k, loop);
    clients[0] = kit_connect(k, &address);
    kit_await(k, clients[0], ISO_EVENT_WRITE);
    CHECK_OK(iso_future_cancel(future));
    demand_error(future, ISO_ECANCELED);
    demand_idle(loop, registered);
    clients[1] = kit_connect(k, &address);
    accepted = (iso_fd)number_of(k, loop, start_accept(loop, listener));
    peer = port_of(iso__sys_socket_peername, kit_own(k, accepted));
    if (peer == port_of(iso__sys_socket_sockname, clients[0])) return;
    CHECK(strncmp(kit_backend(k), "proactor:", 9) == 0);
    CHECK_EQ(peer, port_of(iso__sys_socket_sockname, clients[1]));
    CHECK_LE(kit_recv(k, clients[0], &byte, 1), 0);
}

KIT_TEST(a_cancelled_connect_is_over)
{
    iso_loop *loop = kit_native_loop(k);
    uint32_t registered = kit_statistics(loop).registered;
    iso_address address;
    iso_fd client = new_socket(k);
    iso_future *future = NULL;

    (void)kit_listen(k, &address);
    REQUIRE_OK(iso_loop_sock_connect(loop, client, &address, &future));
    demand_cancelled(loop, client, future, registered);
    kit_settle(k, loop);
}

KIT_TEST(a_connect_that_failed_at_once_can_still_be_cancelled)
{
    iso_loop *loop = kit_loop(k);
    uint32_t registered = kit_statistics(loop).registered;
    iso_address address;
    iso_fd client = new_socket(k);
    iso_future *future = NULL;

    REQUIRE_OK(iso_address_parse(&address, "::1", 9)); /* of another family */
    REQUIRE_OK(iso_loop_sock_connect(loop, client, &address, &future));
    CHECK_OK(iso_future_cancel(future));
    demand_error(future, ISO_ECANCELED);
    demand_idle(loop, registered);
    kit_settle(k, loop);
}

KIT_TEST(cancelling_one_direction_leaves_the_other_under_way)
{
    iso_loop *loop = kit_loop(k);
    iso_future *reading;
    iso_future *writing;
    iso_fd ends[2];
    char byte;

    kit_pair(k, ends);
    (void)kit_fill(k, ends[0]);
    reading = recv_into(loop, ends[0], &byte, 1);
    writing = sendall(loop, ends[0], "x", 1);
    kit_settle(k, loop);

    CHECK_OK(iso_future_cancel(writing));

    demand_error(writing, ISO_ECANCELED);
    CHECK(!iso_future_done(reading));
    kit_poke(k, ends[1]);
    CHECK_EQ(number_of(k, loop, reading), 1);
}

static void cancel_other(iso_future *future, void *other)
{
    (void)future;
    CHECK_OK(iso_future_cancel(other));
}

KIT_TEST(a_recv_may_be_cancelled_while_what_it_waited_for_is_there)
{
    iso_loop *loop = kit_loop(k);
    iso_future *first;
    iso_future *second;
    iso_fd pairs[2][2];
    char bytes[2] = { 0, 0 };

    kit_pair(k, pairs[0]);
    kit_pair(k, pairs[1]);
    first = recv_into(loop, pairs[0][0], &bytes[0], 1);
    second = recv_into(loop, pairs[1][0], &bytes[1], 1);
    CHECK_OK(iso_future_add_done_callback(first, cancel_other, second));
    kit_poke(k, pairs[0][1]);
    CHECK_EQ(number_of(k, loop, first), 1);
    demand_error(second, ISO_ECANCELED);
    kit_poke(k, pairs[1][1]);
    CHECK_EQ(number_of(k, loop, recv_into(loop, pairs[1][0], &bytes[1], 1)), 1);
}

KIT_TEST(only_cancelling_ends_what_is_under_way)
{
    iso_loop *loop = kit_loop(k);
    iso_address address;
    iso_fd listener = kit_listen(k, &address);
    iso_future *future = start_accept(loop, listener);
    intptr_t taken;

    CHECK_RC(iso_future_set_number(future, 7), ISO_EINVALIDSTATE);
    CHECK_RC(iso_future_set_result(future, k), ISO_EINVALIDSTATE);
    CHECK_RC(iso_future_set_error(future, ISO_EIO), ISO_EINVALIDSTATE);
    CHECK(!iso_future_done(future));

    (void)kit_connect(k, &address);

    taken = number_of(k, loop, future);
    if (CHECK(taken >= 0)) (void)kit_own(k, taken);
}

/* ---- what is refused ---- */

KIT_TEST(one_operation_of_each_side_at_a_time)
{
    iso_loop *loop = kit_loop(k);
    iso_address address;
    iso_future *reading;
    iso_future *writing;
    iso_future *none = NULL;
    iso_fd ends[2];
    char byte;

    kit_dead_address(k, &address);
    kit_pair(k, ends);
    (void)kit_fill(k, ends[0]);
    reading = recv_into(loop, ends[0], &byte, 1);
    writing = sendall(loop, ends[0], "x", 1);

    CHECK_RC(iso_loop_sock_recv_into(loop, ends[0], &byte, 1, &none), ISO_EBUSY);
    CHECK_RC(iso_loop_sock_recv(loop, ends[0], 1, &none), ISO_EBUSY);
    CHECK_RC(iso_loop_sock_accept(loop, ends[0], &none), ISO_EBUSY);
    CHECK_RC(iso_loop_sock_sendall(loop, ends[0], "y", 1, &none), ISO_EBUSY);
    CHECK_RC(iso_loop_sock_connect(loop, ends[0], &address, &none), ISO_EBUSY);

    CHECK_PTR(none, NULL);
    CHECK(!iso_future_done(writing));
    CHECK_OK(iso_future_cancel(writing));
    iso_future_release(writing);
    kit_poke(k, ends[1]);
    CHECK_EQ(number_of(k, loop, reading), 1); /* what was refused has not harmed it */
}

/* Every call of them on `fd`; each must answer `error`, and leave nothing. */
static void demand_refusal(iso_loop *loop, iso_fd fd, int error)
{
    iso_loop_statistics before = kit_statistics(loop);
    iso_future *none = NULL;
    iso_address address;
    char byte = 0;

    REQUIRE_OK(iso_address_parse(&address, "127.0.0.1", 9));
    CHECK_RC(iso_loop_sock_recv(loop, fd, 1, &none), error);
    CHECK_RC(iso_loop_sock_recv_into(loop, fd, &byte, 1, &none), error);
    CHECK_RC(iso_loop_sock_sendall(loop, fd, &byte, 1, &none), error);
    CHECK_RC(iso_loop_sock_accept(loop, fd, &none), error);
    CHECK_RC(iso_loop_sock_connect(loop, fd, &address, &none), error);
    CHECK_PTR(none, NULL);
    CHECK_EQ(kit_statistics(loop).objects, before.objects);
    CHECK_EQ(kit_statistics(loop).registered, before.registered);
}

KIT_TEST(what_is_not_open_is_refused)
{
    iso_loop *loop = kit_loop(k);
    iso_fd closed = new_socket(k);

    kit_close(k, closed);
    demand_refusal(loop, closed, ISO_EBADF);
    demand_refusal(loop, ISO_FD_NONE, ISO_EBADF);
}

KIT_TEST(what_is_not_a_socket_is_refused)
{
    iso_loop *loop = kit_loop(k);
    iso_fd ends[2];

    kit_pipe(k, ends);
    demand_refusal(loop, ends[0], ISO_ENOTSOCK);
    demand_refusal(loop, ends[1], ISO_ENOTSOCK);
    demand_refusal(loop, kit_regular_file(k), ISO_ENOTSOCK);
    demand_refusal(loop, kit_device(k), ISO_ENOTSOCK);
}

KIT_TEST(arguments_that_make_no_sense_are_refused)
{
    iso_loop *loop = kit_loop(k);
    iso_address empty;
    iso_future *none = NULL;
    iso_fd ends[2];
    char byte;

    memset(&empty, 0, sizeof(empty));
    kit_pair(k, ends);
    CHECK_RC(iso_loop_sock_recv(NULL, ends[0], 1, &none), ISO_EINVAL);
    CHECK_RC(iso_loop_sock_recv_into(NULL, ends[0], &byte, 1, &none), ISO_EINVAL);
    CHECK_RC(iso_loop_sock_sendall(NULL, ends[0], "x", 1, &none), ISO_EINVAL);
    CHECK_RC(iso_loop_sock_accept(NULL, ends[0], &none), ISO_EINVAL);
    CHECK_RC(iso_loop_sock_connect(NULL, ends[0], &empty, &none), ISO_EINVAL);
    CHECK_RC(iso_loop_sock_recv(loop, ends[0], 0, &none), ISO_EINVAL);
    CHECK_RC(iso_loop_sock_recv_into(loop, ends[0], &byte, 0, &none), ISO_EINVAL);
    CHECK_RC(iso_loop_sock_recv_into(loop, ends[0], NULL, 1, &none), ISO_EINVAL);
    CHECK_RC(iso_loop_sock_sendall(loop, ends[0], NULL, 1, &none), ISO_EINVAL);
    CHECK_RC(iso_loop_sock_connect(loop, ends[0], NULL, &none), ISO_EINVAL);
    CHECK_RC(iso_loop_sock_connect(loop, ends[0], &empty, &none), ISO_EINVAL);
    CHECK_PTR(none, NULL);
}

KIT_TEST(a_closed_loop_refuses)
{
    iso_loop *loop = kit_loop(k);
    iso_fd ends[2];

    kit_pair(k, ends);
    CHECK_OK(iso_loop_close(loop));
    demand_refusal(loop, ends[0], ISO_ECLOSED);
}

typedef struct stranger {
    iso_loop *loop;
    iso_fd fd;
} stranger;

static void try_there(void *arg)
{
    stranger *self = arg;

    demand_refusal(self->loop, self->fd, ISO_ETHREAD);
}

KIT_TEST(another_thread_is_refused)
{
    stranger self;
    iso_fd ends[2];

    kit_pair(k, ends);
    self.loop = kit_loop(k);
    self.fd = ends[0];
    kit_thread(k, try_there, &self);
    kit_join_all(k);
}

/* The nth allocation of a call fails, for every n that it makes; answers how many those were. */
static int fail_each(kit *k, iso_loop *loop, int (*call)(iso_loop *loop, iso_fd fd, void *arg),
                     iso_fd fd, void *arg)
{
    uint32_t registered = kit_statistics(loop).registered;
    size_t blocks = kit_memory_now(k).blocks;
    int nth;

    for (nth = 1; nth < 100; nth++) {
        int rc;

        kit_fail_allocation(k, (uint64_t)nth, false);
        rc = call(loop, fd, arg);
        kit_fail_allocation(k, 0, false);
        if (rc == 0) break;
        CHECK_RC(rc, ISO_ENOMEM);
        demand_idle(loop, registered);
        CHECK_LE(kit_memory_now(k).blocks, blocks + 4); /* tables that grew may stay */
    }
    return nth - 1;
}

static int try_recv(iso_loop *loop, iso_fd fd, void *future)
{
    return iso_loop_sock_recv(loop, fd, 100, future);
}

static int try_recv_into(iso_loop *loop, iso_fd fd, void *future)
{
    static char byte;

    return iso_loop_sock_recv_into(loop, fd, &byte, 1, future);
}

static int try_sendall(iso_loop *loop, iso_fd fd, void *future)
{
    return iso_loop_sock_sendall(loop, fd, "x", 1, future);
}

static int try_accept(iso_loop *loop, iso_fd fd, void *future)
{
    return iso_loop_sock_accept(loop, fd, future);
}

static int try_connect(iso_loop *loop, iso_fd fd, void *future)
{
    iso_address address;

    REQUIRE_OK(iso_address_parse(&address, "127.0.0.1", 9));
    return iso_loop_sock_connect(loop, fd, &address, future);
}

KIT_TEST(without_memory_each_is_refused_and_leaves_nothing)
{
    static int (*const calls[])(iso_loop *, iso_fd, void *) = {
        try_recv, try_recv_into, try_sendall, try_accept, try_connect,
    };
    size_t at;

    for (at = 0; at < ISO__COUNT(calls); at++) {
        iso_loop *loop = kit_loop(k);
        iso_fd ends[2];
        iso_future *future = NULL;
        iso_fd fd;

        kit_pair(k, ends);
        (void)kit_fill(k, ends[0]); /* so that each has to wait */
        fd = calls[at] == try_accept ? kit_listen(k, NULL) : ends[0];
        if (calls[at] == try_connect) fd = new_socket(k);
        CHECK_GE(fail_each(k, loop, calls[at], fd, &future), 2);
        REQUIRE(future != NULL);
        CHECK_OK(iso_future_cancel(future));
        iso_future_release(future);
    }
}

/* It can't be refused any more: the peer may have read it. */
KIT_TEST(a_sendall_that_has_begun_and_cannot_go_on_ends_with_the_error)
{
    static const unsigned char data[4 * MEGABYTE];
    int nth;
    int ended = 0;

    for (nth = 1; nth < 20; nth++) {
        iso_loop *loop = kit_loop(k);
        uint32_t registered = kit_statistics(loop).registered;
        iso_future *future = NULL;
        iso_fd ends[2];
        int rc;

        kit_pair(k, ends);
        kit_fail_allocation(k, (uint64_t)nth, false);
        rc = iso_loop_sock_sendall(loop, ends[0], data, sizeof(data), &future);
        kit_fail_allocation(k, 0, false);
        if (rc == 0 && !iso_future_done(future)) {
            CHECK_OK(iso_future_cancel(future));
            demand_error(future, ISO_ECANCELED);
            break;
        }
        if (rc == 0) {
            demand_error(future, ISO_ENOMEM);
            ended++;
        } else {
            CHECK_RC(rc, ISO_ENOMEM);
            CHECK_EQ(iso__sys_socket_recv(ends[1], &(char){ 0 }, 1), ISO_EAGAIN);
        }
        demand_idle(loop, registered);
    }
    CHECK_LE(nth, 19);
    CHECK_GE(ended, strncmp(kit_backend(k), "selector:", 9) == 0 ? 2 : 0);
}

/* ---- others that want the socket ---- */

KIT_TEST(while_an_operation_is_under_way_nobody_watches)
{
    iso_loop *loop = kit_native_loop(k);
    iso_future *future;
    iso_fd ends[2];
    char byte;
    int calls = 0;

    kit_pair(k, ends);
    future = recv_into(loop, ends[0], &byte, 1);

    CHECK_RC(iso_loop_add_reader(loop, ends[0], kit_count, &calls), ISO_EBUSY);
    CHECK_RC(iso_loop_add_writer(loop, ends[0], kit_count, &calls), ISO_EBUSY);

    kit_poke(k, ends[1]);
    CHECK_EQ(number_of(k, loop, future), 1);
    CHECK_EQ(calls, 0);
    CHECK_OK(iso_loop_add_reader(loop, ends[0], kit_count, &calls)); /* and afterwards one may */
    CHECK_OK(iso_loop_remove_reader(loop, ends[0]));
}

KIT_TEST(while_somebody_watches_no_operation_begins)
{
    iso_loop *loop = kit_native_loop(k);
    iso_fd ends[2];
    char byte;
    int calls = 0;

    kit_pair(k, ends);
    CHECK_OK(iso_loop_add_reader(loop, ends[0], kit_count, &calls));

    demand_refusal(loop, ends[0], ISO_EBUSY);

    kit_poke(k, ends[1]);
    (void)kit_run_until(k, loop, &calls, 1); /* what was refused has not harmed it */
    CHECK_OK(iso_loop_remove_reader(loop, ends[0]));
    CHECK_EQ(number_of(k, loop, recv_into(loop, ends[0], &byte, 1)), 1);
}

KIT_TEST(the_socket_of_a_transport_is_busy_and_so_is_one_under_way_for_a_transport)
{
    static const iso_protocol nothing = { .connection_made = NULL };
    iso_connection_options options = ISO_CONNECTION_OPTIONS_INIT;
    iso_loop *loop = kit_loop(k);
    iso_future *reading;
    iso_future *made = NULL;
    void *transport = NULL;
    iso_fd ends[2];
    char byte;

    kit_pair(k, ends);
    options.sock = ends[0];
    reading = recv_into(loop, ends[0], &byte, 1);
    CHECK_RC(iso_loop_create_connection(loop, &nothing, NULL, &options, &made), ISO_EBUSY);
    CHECK_OK(iso_future_cancel(reading));
    iso_future_release(reading);

    REQUIRE_OK(iso_loop_create_connection(loop, &nothing, NULL, &options, &made));
    (void)kit_give(k, ends[0]);
    CHECK_OK(kit_run(k, loop, made));
    demand_refusal(loop, ends[0], ISO_EBUSY);

    CHECK_OK(iso_future_result(made, &transport));
    CHECK_OK(iso_transport_abort(transport));
    iso_future_release(made);
    kit_settle(k, loop);
}

/* ---- the loop closes ---- */

KIT_TEST(closing_the_loop_cancels_what_is_under_way)
{
    iso_loop *loop = kit_loop(k);
    iso_address address;
    iso_fd listener = kit_listen(k, &address);
    iso_fd client = new_socket(k);
    iso_future *futures[5] = { NULL };
    iso_fd others[2];
    iso_fd ends[2];
    char bytes[2];
    size_t at;

    kit_pair(k, ends);
    kit_pair(k, others);
    (void)kit_fill(k, ends[0]);
    REQUIRE_OK(iso_loop_sock_recv_into(loop, ends[0], bytes, 1, &futures[0]));
    REQUIRE_OK(iso_loop_sock_sendall(loop, ends[0], "x", 1, &futures[1]));
    REQUIRE_OK(iso_loop_sock_recv(loop, others[1], 0x10000, &futures[2]));
    REQUIRE_OK(iso_loop_sock_accept(loop, listener, &futures[3]));
    REQUIRE_OK(iso_loop_sock_connect(loop, client, &address, &futures[4]));
    CHECK_EQ(kit_statistics(loop).objects, 4);

    CHECK_OK(iso_loop_close(loop));

    CHECK_EQ(kit_statistics(loop).objects, 0);
    for (at = 0; at < ISO__COUNT(futures); at++) {
        CHECK(iso_future_cancelled(futures[at]));
        demand_error(futures[at], ISO_ECANCELED);
    } /* and the sockets are open yet: the kit would miss one */
}

/* ---- nobody holds the future ---- */

KIT_TEST(an_operation_that_nobody_asks_about_is_done_all_the_same)
{
    iso_loop *loop = kit_loop(k);
    iso_fd ends[2];
    char byte = 0;

    kit_pair(k, ends);
    CHECK_OK(iso_loop_sock_sendall(loop, ends[0], "!", 1, NULL));
    CHECK_OK(iso_loop_sock_recv_into(loop, ends[1], &byte, 1, NULL));
    while (kit_statistics(loop).objects > 0) CHECK_GE(iso_loop_run_once(loop, ISO_S(30)), 0);
    CHECK_EQ(byte, '!');
}

KIT_TEST(bytes_that_nobody_asks_about_are_freed)
{
    iso_loop *loop = kit_loop(k);
    iso_fd ends[2];
    size_t bytes;

    kit_pair(k, ends);
    kit_poke(k, ends[1]);
    CHECK_EQ(number_of(k, loop, recv_into(loop, ends[0], &(char){ 0 }, 1)), 1);
    bytes = kit_memory_now(k).bytes;
    kit_poke(k, ends[1]);
    CHECK_OK(iso_loop_sock_recv(loop, ends[0], 1000, NULL));
    while (kit_statistics(loop).objects > 0) CHECK_GE(iso_loop_run_once(loop, ISO_S(30)), 0);
    CHECK_EQ(kit_memory_now(k).bytes, bytes);
}

KIT_TEST(a_failure_that_nobody_asks_about_goes_to_the_exception_handler)
{
    iso_loop *loop = kit_loop(k);
    iso_address address;
    told failure = { 0, 0, false };

    kit_dead_address(k, &address);
    CHECK_OK(iso_loop_set_exception_handler(loop, note, &failure));
    CHECK_OK(iso_loop_sock_connect(loop, new_socket(k), &address, NULL));
    (void)kit_run_until(k, loop, &failure.count, 1);
    CHECK_RC(failure.error, ISO_ECONNREFUSED);
    CHECK(failure.has_future);
    kit_settle(k, loop);
    CHECK_EQ(failure.count, 1);
}

KIT_TEST(a_failure_that_somebody_asks_about_does_not)
{
    iso_loop *loop = kit_loop(k);
    iso_address address;
    iso_future *future = NULL;
    told failure = { 0, 0, false };

    kit_dead_address(k, &address);
    CHECK_OK(iso_loop_set_exception_handler(loop, note, &failure));
    REQUIRE_OK(iso_loop_sock_connect(loop, new_socket(k), &address, &future));
    CHECK_RC(kit_run_release(k, loop, future), ISO_ECONNREFUSED);
    kit_settle(k, loop);
    CHECK_EQ(failure.count, 0);
}

KIT_TEST(the_loop_closes_what_nobody_asks_about_without_a_word)
{
    iso_loop *loop = kit_loop(k);
    told failure = { 0, 0, false };
    iso_fd ends[2];

    kit_pair(k, ends);
    CHECK_OK(iso_loop_set_exception_handler(loop, note, &failure));
    CHECK_OK(iso_loop_sock_recv(loop, ends[0], 10, NULL));
    CHECK_OK(iso_loop_close(loop));
    CHECK_EQ(failure.count, 0);
    CHECK_EQ(kit_statistics(loop).objects, 0);
}

/* Nobody would ever close it. */
KIT_TEST(a_connection_that_nobody_asks_about_is_closed)
{
    iso_loop *loop = kit_loop(k);
    iso_address address;
    iso_fd listener = kit_listen(k, &address);
    iso_fd client = kit_connect(k, &address);
    char byte;

    CHECK_OK(iso_loop_sock_accept(loop, listener, NULL));
    CHECK_LE(number_of(k, loop, recv_into(loop, client, &byte, 1)), 0);
}

static void own_it(iso_future *future, void *arg)
{
    intptr_t taken = 0;

    if (CHECK_OK(iso_future_number(future, &taken))) (void)kit_own(arg, taken);
}

KIT_TEST(a_connection_that_only_a_callback_waits_for_is_the_callbacks)
{
    iso_loop *loop = kit_loop(k);
    iso_address address;
    iso_fd listener = kit_listen(k, &address);
    iso_fd client = kit_connect(k, &address);
    iso_future *future = start_accept(loop, listener);
    char byte;

    CHECK_OK(iso_future_add_done_callback(future, own_it, k));
    iso_future_release(future);
    while (kit_statistics(loop).objects > 0) CHECK_GE(iso_loop_run_once(loop, ISO_S(30)), 0);
    kit_settle(k, loop);
    CHECK_EQ(iso__sys_socket_recv(client, &byte, 1), ISO_EAGAIN); /* it is open yet */
}

/* ---- sockets ---- */

KIT_TEST(a_new_socket_can_be_bound_and_listen)
{
    iso_loop *loop = kit_loop(k);
    iso_address address;
    iso_address actual;
    iso_fd listener = new_socket(k);
    intptr_t taken;

    REQUIRE_OK(iso_address_parse(&address, "127.0.0.1", 0));
    CHECK_OK(iso_socket_bind(listener, &address));
    CHECK_OK(iso_socket_listen(listener, 5));
    CHECK_OK(iso_socket_getsockname(listener, &actual));
    CHECK(iso_address_port(&actual) != 0);

    CHECK_OK(iso_loop_sock_connect(loop, new_socket(k), &actual, NULL));
    taken = number_of(k, loop, start_accept(loop, listener));
    if (CHECK(taken >= 0)) (void)kit_own(k, taken);
    while (kit_statistics(loop).objects > 0) CHECK_GE(iso_loop_run_once(loop, ISO_S(30)), 0);
}

KIT_TEST(a_pair_of_sockets_is_connected)
{
    iso_loop *loop = kit_loop(k);
    iso_fd ends[2] = { ISO_FD_NONE, ISO_FD_NONE };
    char byte;

    REQUIRE_OK(iso_socketpair(ends));
    CHECK_OK(kit_run_release(k, loop, sendall(loop, ends[0], "!", 1)));
    CHECK_EQ(number_of(k, loop, recv_into(loop, ends[1], &byte, 1)), 1);
    CHECK_OK(iso_socket_close(ends[0]));
    CHECK_EQ(number_of(k, loop, recv_into(loop, ends[1], &byte, 1)), 0);
    CHECK_OK(iso_socket_close(ends[1]));
}

KIT_TEST(sockets_refuse_what_makes_no_sense)
{
    iso_address empty;
    iso_fd fd = new_socket(k);

    memset(&empty, 0, sizeof(empty));
    CHECK_RC(iso_socket_new(NULL, 4), ISO_EINVAL);
    CHECK_RC(iso_socket_new(&fd, 5), ISO_EINVAL);
    CHECK_RC(iso_socketpair(NULL), ISO_EINVAL);
    CHECK_RC(iso_socket_bind(fd, NULL), ISO_EINVAL);
    CHECK_RC(iso_socket_bind(fd, &empty), ISO_EINVAL);
    CHECK_RC(iso_socket_getsockname(fd, NULL), ISO_EINVAL);
}

static const kit_case cases[] = {
    KIT_CASE(recv_into_ends_with_how_much_came),
    KIT_CASE(recv_ends_with_bytes_of_its_own),
    KIT_CASE(recv_takes_no_more_than_was_asked_for),
    KIT_CASE(recv_waits_until_something_comes),
    KIT_CASE(what_can_be_done_at_once_is_and_its_callback_comes_from_a_turn),
    KIT_CASE(what_fails_at_once_ends_the_future),
    KIT_CASE(recv_ends_with_0_when_the_peer_has_closed),
    KIT_CASE(recv_under_way_ends_with_0_when_the_peer_closes),
    KIT_CASE(what_came_before_the_end_is_received_before_it),
    KIT_CASE(recv_of_a_connection_that_is_reset_ends_with_the_error),
    KIT_CASE(the_bytes_of_recv_live_as_long_as_its_future),
    KIT_CASE(the_bytes_of_recv_outlive_the_loop),
    KIT_CASE(one_recv_can_follow_another_from_its_callback_on),
    KIT_CASE(sendall_sends),
    KIT_CASE(sendall_of_nothing_ends_well),
    KIT_CASE(sendall_waits_for_a_peer_that_does_not_read),
    KIT_CASE(sendall_of_megabytes_to_a_slow_reader),
    KIT_CASE(sendall_to_a_peer_that_has_closed_ends_with_the_error),
    KIT_CASE(both_directions_of_one_socket_at_once),
    KIT_CASE(the_end_of_one_direction_leaves_the_other_under_way),
    KIT_CASE(accept_ends_with_a_connected_descriptor),
    KIT_CASE(accept_waits_until_somebody_comes),
    KIT_CASE(each_accept_takes_one_connection),
    KIT_CASE(connect_ends_when_it_is_connected),
    KIT_CASE(connect_does_not_end_within_the_call),
    KIT_CASE(connect_where_nobody_listens_is_refused),
    KIT_CASE(a_refused_connect_fails_though_somebody_reads_as_well),
    KIT_CASE(connect_to_an_address_of_another_family_ends_with_the_error),
    KIT_CASE(a_cancelled_recv_loses_nothing),
    KIT_CASE(a_cancelled_recv_into_leaves_the_memory_alone),
    KIT_CASE(a_cancelled_sendall_is_over),
    KIT_CASE(a_cancelled_accept_leaves_the_connection_to_the_next_or_closes_it),
    KIT_CASE(a_cancelled_connect_is_over),
    KIT_CASE(a_connect_that_failed_at_once_can_still_be_cancelled),
    KIT_CASE(cancelling_one_direction_leaves_the_other_under_way),
    KIT_CASE(a_recv_may_be_cancelled_while_what_it_waited_for_is_there),
    KIT_CASE(only_cancelling_ends_what_is_under_way),
    KIT_CASE(one_operation_of_each_side_at_a_time),
    KIT_CASE(what_is_not_open_is_refused),
    KIT_CASE(what_is_not_a_socket_is_refused),
    KIT_CASE(arguments_that_make_no_sense_are_refused),
    KIT_CASE(a_closed_loop_refuses),
    KIT_CASE(another_thread_is_refused),
    KIT_CASE(without_memory_each_is_refused_and_leaves_nothing),
    KIT_CASE(a_sendall_that_has_begun_and_cannot_go_on_ends_with_the_error),
    KIT_CASE(while_an_operation_is_under_way_nobody_watches),
    KIT_CASE(while_somebody_watches_no_operation_begins),
    KIT_CASE(the_socket_of_a_transport_is_busy_and_so_is_one_under_way_for_a_transport),
    KIT_CASE(closing_the_loop_cancels_what_is_under_way),
    KIT_CASE(an_operation_that_nobody_asks_about_is_done_all_the_same),
    KIT_CASE(bytes_that_nobody_asks_about_are_freed),
    KIT_CASE(a_failure_that_nobody_asks_about_goes_to_the_exception_handler),
    KIT_CASE(a_failure_that_somebody_asks_about_does_not),
    KIT_CASE(the_loop_closes_what_nobody_asks_about_without_a_word),
    KIT_CASE(a_connection_that_nobody_asks_about_is_closed),
    KIT_CASE(a_connection_that_only_a_callback_waits_for_is_the_callbacks),
    KIT_CASE(a_new_socket_can_be_bound_and_listen),
    KIT_CASE(a_pair_of_sockets_is_connected),
    KIT_CASE(sockets_refuse_what_makes_no_sense),
};

KIT_MAIN(cases)
