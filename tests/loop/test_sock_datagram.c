/* SPDX-License-Identifier: MIT */
/* sock_recvfrom, sock_recvfrom_into, sock_sendto: datagrams of a socket of one's own. */
#include "kit.h"
#include "loop/loop.h"
#include "sys/sock.h"

#include <string.h>

enum { LARGEST = 65507 };

/* ---- what the cases share ---- */

/* A socket that is bound to a free port of this machine; *at is where. */
static iso_fd bound(kit *k, const char *host, iso_address *at)
{
    iso_fd fd = ISO_FD_NONE;

    REQUIRE_OK(iso_address_parse(at, host, 0));
    REQUIRE_OK(iso_socket_new_datagram(&fd, iso_address_version(at)));
    REQUIRE_OK(iso_socket_bind(kit_own(k, fd), at));
    REQUIRE_OK(iso_socket_getsockname(fd, at));
    return fd;
}

static iso_future *recvfrom_some(iso_loop *loop, iso_fd fd, size_t size)
{
    iso_future *future = NULL;

    REQUIRE_OK(iso_loop_sock_recvfrom(loop, fd, size, &future));
    return future;
}

static void send_text(kit *k, iso_loop *loop, iso_fd fd, const char *text, const iso_address *to)
{
    iso_future *future = NULL;
    intptr_t sent = -1;

    REQUIRE_OK(iso_loop_sock_sendto(loop, fd, text, strlen(text), to, &future));
    CHECK_OK(kit_run(k, loop, future));
    CHECK_OK(iso_future_number(future, &sent));
    CHECK_EQ(sent, strlen(text));
    iso_future_release(future);
}

/* Run to the end: these bytes, from there. */
static void demand_text(kit *k, iso_loop *loop, iso_future *future, const char *text,
                        const iso_address *from)
{
    void *result = NULL;
    intptr_t size = -1;

    CHECK_OK(kit_run(k, loop, future));
    CHECK_OK(iso_future_number(future, &size));
    CHECK_OK(iso_future_result(future, &result));
    CHECK_EQ(size, strlen(text));
    if (result != NULL) {
        const iso_datagram *datagram = result;

        CHECK_EQ(datagram->size, size);
        CHECK(memcmp(datagram->data, text, strlen(text)) == 0);
        CHECK_EQ(iso_address_port(&datagram->from), iso_address_port(from));
        CHECK_EQ(iso_address_version(&datagram->from), iso_address_version(from));
    }
    iso_future_release(future);
}

static void demand_error(iso_future *future, int error)
{
    CHECK_RC(iso_future_error(future), error);
    iso_future_release(future);
}

/* A driver that asks the kernel for everything, and tries nothing at once. */
typedef struct patience {
    iso__driver_class kind;
    const iso__driver_class *real;
} patience;

static void be_patient(patience *it, iso_loop *loop)
{
    it->real = loop->engine.driver->kind;
    it->kind = *it->real;
    it->kind.sends_directly = false;
    loop->engine.driver->kind = &it->kind;
}

static void be_real(const patience *it, iso_loop *loop)
{
    loop->engine.driver->kind = it->real;
}

/* ---- receiving ---- */

static void exchange(kit *k, iso_loop *loop, const char *host)
{
    iso_address at[2];
    iso_fd one = bound(k, host, &at[0]);
    iso_fd two = bound(k, host, &at[1]);
    iso_future *early;

    send_text(k, loop, one, "it is there", &at[1]);
    demand_text(k, loop, recvfrom_some(loop, two, 100), "it is there", &at[0]);
    early = recvfrom_some(loop, one, 100);
    kit_settle(k, loop);
    CHECK(!iso_future_done(early));
    send_text(k, loop, two, "it comes", &at[0]);
    demand_text(k, loop, early, "it comes", &at[1]);
    CHECK_EQ(kit_statistics(loop).objects, 0);
}

KIT_TEST(what_is_sent_is_received_with_who_sent_it)
{
    exchange(k, kit_loop(k), "127.0.0.1");
}

KIT_TEST(and_so_it_is_over_ip_version_6)
{
    exchange(k, kit_loop(k), "::1");
}

/* The documents refuse create_datagram_endpoint to a proactor, and say nothing of these. */
KIT_TEST(the_row_about_datagram_endpoints_does_not_touch_it)
{
    iso_loop_options options = kit_options(k);
    iso_loop *loop;

    options.limits = "windows-proactor";
    loop = kit_loop_with(k, &options);
    CHECK(!iso_loop_supports(loop, ISO_CAP_DATAGRAM));
    exchange(k, loop, "127.0.0.1");
}

KIT_TEST(recvfrom_into_reads_into_the_programs_memory)
{
    iso_loop *loop = kit_loop(k);
    iso_address at[2];
    iso_fd one = bound(k, "127.0.0.1", &at[0]);
    iso_fd two = bound(k, "127.0.0.1", &at[1]);
    iso_future *future = NULL;
    char buffer[16] = "";
    void *result = NULL;
    int first;

    for (first = 0; first < 2; first++) { /* one comes before it is asked for, one after */
        memset(buffer, 0, sizeof(buffer));
        if (first == 1)
            REQUIRE_OK(iso_loop_sock_recvfrom_into(loop, two, buffer, sizeof(buffer), &future));
        kit_settle(k, loop);
        send_text(k, loop, one, "hello", &at[1]);
        if (first == 0)
            REQUIRE_OK(iso_loop_sock_recvfrom_into(loop, two, buffer, sizeof(buffer), &future));
        CHECK_OK(kit_run(k, loop, future));
        CHECK_OK(iso_future_result(future, &result));
        CHECK(((const iso_datagram *)result)->data == buffer);
        CHECK_STR(buffer, "hello");
        demand_text(k, loop, future, "hello", &at[0]);
    }
}

KIT_TEST(an_empty_one_is_received_as_such)
{
    iso_loop *loop = kit_loop(k);
    iso_address at[2];
    iso_fd one = bound(k, "127.0.0.1", &at[0]);
    iso_fd two = bound(k, "127.0.0.1", &at[1]);
    iso_future *early = recvfrom_some(loop, two, 100);
    iso_future *future = NULL;

    kit_settle(k, loop);
    REQUIRE_OK(iso_loop_sock_sendto(loop, one, NULL, 0, &at[1], &future));
    CHECK_OK(kit_run_release(k, loop, future));
    demand_text(k, loop, early, "", &at[0]);
    send_text(k, loop, one, "", &at[1]);
    demand_text(k, loop, recvfrom_some(loop, two, 100), "", &at[0]);
}

KIT_TEST(the_largest_arrives_whole)
{
    static unsigned char data[LARGEST];
    iso_loop *loop = kit_loop(k);
    iso_address at[2];
    iso_fd one = bound(k, "127.0.0.1", &at[0]);
    iso_fd two = bound(k, "127.0.0.1", &at[1]);
    iso_future *receiving = recvfrom_some(loop, two, 70000);
    iso_future *sending = NULL;
    intptr_t size = 0;
    void *result = NULL;

    memset(data, 'a', sizeof(data));
    REQUIRE_OK(iso_loop_sock_sendto(loop, one, data, sizeof(data), &at[1], &sending));
    CHECK_OK(kit_run(k, loop, receiving));
    CHECK_OK(iso_future_number(receiving, &size));
    CHECK_EQ(size, LARGEST);
    CHECK_OK(iso_future_result(receiving, &result));
    CHECK(memcmp(((const iso_datagram *)result)->data, data, sizeof(data)) == 0);
    CHECK_OK(kit_run_release(k, loop, sending));
    iso_future_release(receiving);
}

/* As recvfrom does it on POSIX, without a word; and recv too. */
KIT_TEST(what_is_longer_than_the_memory_is_cut_off_on_every_system)
{
    iso_loop *loop = kit_loop(k);
    iso_address at[2];
    iso_fd one = bound(k, "127.0.0.1", &at[0]);
    iso_fd two = bound(k, "127.0.0.1", &at[1]);
    iso_future *future;
    char buffer[4] = "...";
    intptr_t size = 0;

    send_text(k, loop, one, "a long one", &at[1]);
    demand_text(k, loop, recvfrom_some(loop, two, 6), "a long", &at[0]);
    future = recvfrom_some(loop, two, 1);
    kit_settle(k, loop);
    send_text(k, loop, one, "a long one", &at[1]);
    demand_text(k, loop, future, "a", &at[0]);

    send_text(k, loop, one, "another", &at[1]);
    REQUIRE_OK(iso_loop_sock_recv_into(loop, two, buffer, 2, &future));
    CHECK_OK(kit_run(k, loop, future));
    CHECK_OK(iso_future_number(future, &size));
    CHECK_EQ(size, 2);
    CHECK_STR(buffer, "an.");
    iso_future_release(future);

    send_text(k, loop, one, "the next", &at[1]);
    demand_text(k, loop, recvfrom_some(loop, two, 100), "the next", &at[0]);
}

/* As recvfrom has it: the bytes, and nobody who sent them. */
KIT_TEST(of_a_stream_it_reads_what_is_there)
{
    iso_loop *loop = kit_loop(k);
    iso_address address;
    iso_fd listener = kit_listen(k, &address);
    iso_fd client = kit_connect(k, &address);
    iso_fd server = kit_accept(k, listener);
    iso_address nobody;
    iso_future *future;

    memset(&nobody, 0, sizeof(nobody));
    kit_send(k, client, "at once", 7);
    kit_await(k, server, ISO_EVENT_READ);
    demand_text(k, loop, recvfrom_some(loop, server, 4), "at o", &nobody);
    demand_text(k, loop, recvfrom_some(loop, server, 100), "nce", &nobody);
    future = recvfrom_some(loop, server, 100);
    kit_settle(k, loop);
    kit_send(k, client, "later", 5);
    demand_text(k, loop, future, "later", &nobody);
}

static void note_text(iso_future *future, void *arg)
{
    void *result = NULL;

    CHECK_OK(iso_future_result(future, &result));
    *(char *)arg = *(const char *)((const iso_datagram *)result)->data;
}

KIT_TEST(what_it_brought_lives_as_long_as_the_future)
{
    iso_loop *loop = kit_loop(k);
    iso_address at[2];
    iso_fd one = bound(k, "127.0.0.1", &at[0]);
    iso_fd two = bound(k, "127.0.0.1", &at[1]);
    iso_future *future = recvfrom_some(loop, two, 100);
    void *result = NULL;
    char seen = 0;

    CHECK_OK(iso_future_add_done_callback(future, note_text, &seen));
    send_text(k, loop, one, "!", &at[1]);
    CHECK_OK(kit_run(k, loop, future));
    kit_settle(k, loop);
    CHECK_EQ(seen, '!');
    kit_release_loop(k, loop);
    CHECK_OK(iso_future_result(future, &result));
    CHECK_EQ(*(const char *)((const iso_datagram *)result)->data, '!');
    iso_future_release(future);
}

/* ---- sending ---- */

KIT_TEST(a_connected_one_sends_to_whom_it_is_connected)
{
    iso_loop *loop = kit_loop(k);
    iso_address at[2];
    iso_fd one = bound(k, "127.0.0.1", &at[0]);
    iso_fd two = bound(k, "127.0.0.1", &at[1]);
    iso_future *future = NULL;

    REQUIRE_OK(iso_loop_sock_sendto(loop, one, "x", 1, NULL, &future)); /* to nobody */
    CHECK_LE(kit_run_release(k, loop, future), -1);
    REQUIRE_OK(iso_loop_sock_connect(loop, one, &at[1], &future));
    CHECK_OK(kit_run_release(k, loop, future));
    send_text(k, loop, one, "hello", NULL);
    demand_text(k, loop, recvfrom_some(loop, two, 100), "hello", &at[0]);
}

KIT_TEST(one_that_is_too_long_ends_with_the_error)
{
    static unsigned char longer[70000];
    iso_loop *loop = kit_loop(k);
    iso_address at;
    iso_fd fd = bound(k, "127.0.0.1", &at);
    iso_future *future = NULL;

    REQUIRE_OK(iso_loop_sock_sendto(loop, fd, longer, sizeof(longer), &at, &future));
    CHECK_RC(kit_run_release(k, loop, future), ISO_EMSGSIZE);
    REQUIRE_OK(iso_loop_sock_sendto(loop, fd, longer, (size_t)INT32_MAX + 1, &at, &future));
    CHECK_RC(kit_run_release(k, loop, future), ISO_EMSGSIZE);
    send_text(k, loop, fd, "short", &at);
    demand_text(k, loop, recvfrom_some(loop, fd, 100), "short", &at);
}

KIT_TEST(one_that_waits_is_sent_and_leaves_the_other_side_alone)
{
    iso_loop *loop = kit_loop(k);
    iso_address at[2];
    iso_fd one = bound(k, "127.0.0.1", &at[0]);
    iso_fd two = bound(k, "127.0.0.1", &at[1]);
    iso_future *reading;
    iso_future *writing = NULL;
    patience it;

    be_patient(&it, loop);
    reading = recvfrom_some(loop, one, 100);
    REQUIRE_OK(iso_loop_sock_sendto(loop, one, "ping", 4, &at[1], &writing));
    CHECK(!iso_future_done(writing));
    CHECK_EQ(kit_statistics(loop).objects, 1); /* a socket counts once */
    CHECK_RC(iso_loop_sock_sendto(loop, one, "x", 1, &at[1], NULL), ISO_EBUSY);
    CHECK_OK(kit_run_release(k, loop, writing));
    CHECK(!iso_future_done(reading));
    demand_text(k, loop, recvfrom_some(loop, two, 100), "ping", &at[0]);
    send_text(k, loop, two, "pong", &at[0]);
    demand_text(k, loop, reading, "pong", &at[1]);
    be_real(&it, loop);
}

KIT_TEST(a_cancelled_sendto_is_over)
{
    iso_loop *loop = kit_loop(k);
    iso_address at;
    iso_fd fd = bound(k, "127.0.0.1", &at);
    iso_future *future = NULL;
    patience it;

    be_patient(&it, loop);
    REQUIRE_OK(iso_loop_sock_sendto(loop, fd, "x", 1, &at, &future));
    CHECK_OK(iso_future_cancel(future));
    demand_error(future, ISO_ECANCELED);
    CHECK_EQ(kit_statistics(loop).objects, 0);
    be_real(&it, loop);
    kit_settle(k, loop);
}

/* ---- cancelling a receive ---- */

KIT_TEST(a_cancelled_recvfrom_loses_nothing)
{
    iso_loop *loop = kit_loop(k);
    iso_address at[2];
    iso_fd one = bound(k, "127.0.0.1", &at[0]);
    iso_fd two = bound(k, "127.0.0.1", &at[1]);
    iso_future *future = recvfrom_some(loop, two, 100);
    iso_buffer piece = { "kept", 4 };

    kit_settle(k, loop);
    CHECK_EQ(iso__sys_datagram_send(one, &piece, &at[1]), 4);
    kit_await(k, two, ISO_EVENT_READ);
    CHECK_OK(iso_future_cancel(future));
    demand_error(future, ISO_ECANCELED);
    CHECK_EQ(kit_statistics(loop).objects, 0);
    demand_text(k, loop, recvfrom_some(loop, two, 100), "kept", &at[0]);
}

KIT_TEST(a_cancelled_recvfrom_into_leaves_the_memory_alone)
{
    iso_loop *loop = kit_loop(k);
    iso_address at[2];
    iso_fd one = bound(k, "127.0.0.1", &at[0]);
    iso_fd two = bound(k, "127.0.0.1", &at[1]);
    iso_future *future = NULL;
    char byte = 'a';

    REQUIRE_OK(iso_loop_sock_recvfrom_into(loop, two, &byte, 1, &future));
    kit_settle(k, loop);
    CHECK_OK(iso_future_cancel(future));
    demand_error(future, ISO_ECANCELED);
    send_text(k, loop, one, "b", &at[1]);
    kit_await(k, two, ISO_EVENT_READ);
    kit_settle(k, loop);
    CHECK_EQ(byte, 'a');
}

KIT_TEST(closing_the_loop_cancels_what_waits)
{
    static char byte;
    iso_loop *loop = kit_loop(k);
    iso_address at[3];
    iso_fd fds[3];
    iso_future *futures[3] = { NULL };
    patience it;
    int which;

    be_patient(&it, loop);
    for (which = 0; which < 3; which++) fds[which] = bound(k, "127.0.0.1", &at[which]);
    REQUIRE_OK(iso_loop_sock_recvfrom(loop, fds[0], 100, &futures[0]));
    REQUIRE_OK(iso_loop_sock_recvfrom_into(loop, fds[1], &byte, 1, &futures[1]));
    REQUIRE_OK(iso_loop_sock_sendto(loop, fds[2], "x", 1, &at[2], &futures[2]));
    CHECK_EQ(kit_statistics(loop).objects, 3);
    CHECK_OK(iso_loop_close(loop));
    for (which = 0; which < 3; which++) demand_error(futures[which], ISO_ECANCELED);
}

/* ---- errors ---- */

/* Under Wine select asks for the error itself, and a receive that is held does not hear of it. */
KIT_TEST(that_nobody_listens_ends_it_with_the_error_and_the_socket_is_sound)
{
    iso_loop *loop = kit_loop(k);
    iso_address at[2];
    iso_fd one = bound(k, "127.0.0.1", &at[0]);
    iso_fd two = bound(k, "127.0.0.1", &at[1]);
    iso_future *future = NULL;
    iso_address third;
    iso_fd three = bound(k, "127.0.0.1", &third);
    int rc;

    kit_close(k, two);
    REQUIRE_OK(iso_loop_sock_connect(loop, one, &at[1], &future));
    CHECK_OK(kit_run_release(k, loop, future));
    if (!kit_is_wine()) {
        future = recvfrom_some(loop, one, 100);
        send_text(k, loop, one, "nobody", NULL);
        rc = kit_run_release(k, loop, future);
        CHECK(rc == ISO_ECONNREFUSED || rc == ISO_ECONNRESET);
    }
    REQUIRE_OK(iso_loop_sock_connect(loop, one, &third, &future));
    CHECK_OK(kit_run_release(k, loop, future));
    send_text(k, loop, one, "somebody", NULL);
    demand_text(k, loop, recvfrom_some(loop, three, 100), "somebody", &at[0]);
}

/* ---- what is refused ---- */

KIT_TEST(one_read_at_a_time)
{
    iso_loop *loop = kit_loop(k);
    iso_address at;
    iso_fd fd = bound(k, "127.0.0.1", &at);
    iso_future *future = recvfrom_some(loop, fd, 100);
    iso_future *none = NULL;
    char byte;

    CHECK_RC(iso_loop_sock_recvfrom(loop, fd, 1, &none), ISO_EBUSY);
    CHECK_RC(iso_loop_sock_recvfrom_into(loop, fd, &byte, 1, &none), ISO_EBUSY);
    CHECK_RC(iso_loop_sock_recv(loop, fd, 1, &none), ISO_EBUSY);
    CHECK_PTR(none, NULL);
    send_text(k, loop, fd, "mine", &at);
    demand_text(k, loop, future, "mine", &at);
}

static void demand_refusal(iso_loop *loop, iso_fd fd, int error)
{
    iso_future *none = NULL;
    iso_address to;
    char byte;

    REQUIRE_OK(iso_address_parse(&to, "127.0.0.1", 9));
    CHECK_RC(iso_loop_sock_recvfrom(loop, fd, 1, &none), error);
    CHECK_RC(iso_loop_sock_recvfrom_into(loop, fd, &byte, 1, &none), error);
    CHECK_RC(iso_loop_sock_sendto(loop, fd, "x", 1, &to, &none), error);
    CHECK_PTR(none, NULL);
}

KIT_TEST(what_is_no_open_socket_is_refused)
{
    iso_loop *loop = kit_loop(k);
    iso_address at;
    iso_fd fd = bound(k, "127.0.0.1", &at);
    iso_fd pipe[2];

    kit_pipe(k, pipe);
    demand_refusal(loop, pipe[0], ISO_ENOTSOCK);
    kit_close(k, fd);
    CHECK_LE(iso_loop_sock_recvfrom(loop, fd, 1, NULL), -1);
    CHECK_LE(iso_loop_sock_sendto(loop, fd, "x", 1, &at, NULL), -1);
    CHECK_EQ(kit_statistics(loop).objects, 0);
}

KIT_TEST(arguments_that_make_no_sense_are_refused)
{
    iso_loop *loop = kit_loop(k);
    iso_address empty;
    iso_address at;
    iso_fd fd = bound(k, "127.0.0.1", &at);
    char byte;

    memset(&empty, 0, sizeof(empty));
    CHECK_RC(iso_loop_sock_recvfrom(NULL, fd, 1, NULL), ISO_EINVAL);
    CHECK_RC(iso_loop_sock_recvfrom(loop, fd, 0, NULL), ISO_EINVAL);
    CHECK_RC(iso_loop_sock_recvfrom(loop, fd, SIZE_MAX, NULL), ISO_ENOMEM);
    CHECK_RC(iso_loop_sock_recvfrom_into(NULL, fd, &byte, 1, NULL), ISO_EINVAL);
    CHECK_RC(iso_loop_sock_recvfrom_into(loop, fd, NULL, 1, NULL), ISO_EINVAL);
    CHECK_RC(iso_loop_sock_recvfrom_into(loop, fd, &byte, 0, NULL), ISO_EINVAL);
    CHECK_RC(iso_loop_sock_sendto(NULL, fd, "x", 1, &at, NULL), ISO_EINVAL);
    CHECK_RC(iso_loop_sock_sendto(loop, fd, NULL, 1, &at, NULL), ISO_EINVAL);
    CHECK_RC(iso_loop_sock_sendto(loop, fd, "x", 1, &empty, NULL), ISO_EINVAL);
    CHECK_RC(iso_socket_new_datagram(NULL, 4), ISO_EINVAL);
    CHECK_RC(iso_socket_new_datagram(&fd, 5), ISO_EINVAL);
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

KIT_TEST(another_thread_and_a_closed_loop_are_refused)
{
    iso_address at;
    stranger self;

    self.loop = kit_loop(k);
    self.fd = bound(k, "127.0.0.1", &at);
    kit_thread(k, try_there, &self);
    kit_join_all(k);
    CHECK_OK(iso_loop_close(self.loop));
    demand_refusal(self.loop, self.fd, ISO_ECLOSED);
}

/* ---- memory ---- */

typedef int (*trial)(iso_loop *loop, iso_fd fd, const iso_address *at, iso_future **out);

static int try_recvfrom(iso_loop *loop, iso_fd fd, const iso_address *at, iso_future **out)
{
    (void)at;
    return iso_loop_sock_recvfrom(loop, fd, 100, out);
}

static int try_recvfrom_into(iso_loop *loop, iso_fd fd, const iso_address *at, iso_future **out)
{
    static char byte;

    (void)at;
    return iso_loop_sock_recvfrom_into(loop, fd, &byte, 1, out);
}

static int try_sendto(iso_loop *loop, iso_fd fd, const iso_address *at, iso_future **out)
{
    return iso_loop_sock_sendto(loop, fd, "x", 1, at, out);
}

KIT_TEST(without_memory_each_is_refused_and_leaves_nothing)
{
    static const trial trials[] = { try_recvfrom, try_recvfrom_into, try_sendto };
    size_t which;

    for (which = 0; which < ISO__COUNT(trials); which++) {
        iso_loop *loop = kit_loop(k);
        iso_future *future = NULL;
        int rc = ISO_ENOMEM;
        uint64_t nth = 0;
        iso_address at;
        iso_fd fd = bound(k, "127.0.0.1", &at);
        patience it;

        be_patient(&it, loop);
        while (rc == ISO_ENOMEM && nth < 50) {
            kit_fail_allocation(k, ++nth, false);
            rc = trials[which](loop, fd, &at, &future);
            kit_fail_allocation(k, 0, false);
            if (rc == 0) break;
            CHECK_RC(rc, ISO_ENOMEM);
            CHECK_EQ(kit_statistics(loop).objects, 0);
        }
        REQUIRE_OK(rc);
        CHECK_GE(nth, 3);
        CHECK_OK(iso_future_cancel(future));
        demand_error(future, ISO_ECANCELED);
        be_real(&it, loop);
        kit_settle(k, loop);
    }
}

KIT_TEST(what_nobody_asks_about_is_done_and_freed)
{
    iso_loop *loop = kit_loop(k);
    iso_address at;
    iso_fd fd = bound(k, "127.0.0.1", &at);

    CHECK_OK(iso_loop_sock_recvfrom(loop, fd, 1000, NULL));
    CHECK_OK(iso_loop_sock_sendto(loop, fd, "x", 1, &at, NULL));
    while (kit_statistics(loop).objects > 0) CHECK_GE(iso_loop_run_once(loop, ISO_S(30)), 0);
    CHECK_OK(iso_loop_sock_sendto(loop, fd, "y", 1, &at, NULL));
    CHECK_OK(iso_loop_sock_recvfrom(loop, fd, 1000, NULL));
    while (kit_statistics(loop).objects > 0) CHECK_GE(iso_loop_run_once(loop, ISO_S(30)), 0);
}

static const kit_case cases[] = {
    KIT_CASE(what_is_sent_is_received_with_who_sent_it),
    KIT_CASE(and_so_it_is_over_ip_version_6),
    KIT_CASE(the_row_about_datagram_endpoints_does_not_touch_it),
    KIT_CASE(recvfrom_into_reads_into_the_programs_memory),
    KIT_CASE(an_empty_one_is_received_as_such),
    KIT_CASE(the_largest_arrives_whole),
    KIT_CASE(what_is_longer_than_the_memory_is_cut_off_on_every_system),
    KIT_CASE(of_a_stream_it_reads_what_is_there),
    KIT_CASE(what_it_brought_lives_as_long_as_the_future),
    KIT_CASE(a_connected_one_sends_to_whom_it_is_connected),
    KIT_CASE(one_that_is_too_long_ends_with_the_error),
    KIT_CASE(one_that_waits_is_sent_and_leaves_the_other_side_alone),
    KIT_CASE(a_cancelled_sendto_is_over),
    KIT_CASE(a_cancelled_recvfrom_loses_nothing),
    KIT_CASE(a_cancelled_recvfrom_into_leaves_the_memory_alone),
    KIT_CASE(closing_the_loop_cancels_what_waits),
    KIT_CASE(that_nobody_listens_ends_it_with_the_error_and_the_socket_is_sound),
    KIT_CASE(one_read_at_a_time),
    KIT_CASE(what_is_no_open_socket_is_refused),
    KIT_CASE(arguments_that_make_no_sense_are_refused),
    KIT_CASE(another_thread_and_a_closed_loop_are_refused),
    KIT_CASE(without_memory_each_is_refused_and_leaves_nothing),
    KIT_CASE(what_nobody_asks_about_is_done_and_freed),
};

KIT_MAIN(cases)
