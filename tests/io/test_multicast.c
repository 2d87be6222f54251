/* SPDX-License-Identifier: MIT */
/* Groups of receivers, on the loopback interface alone. Each case has a group of its own: a system
 * may hand to a socket what another one has joined. */
#include "io/option.h"
#include "kit.h"
#include "sys/multicast.h"
#include "sys/sock.h"

#include <stdio.h>
#include <string.h>

#define NOBODY "203.0.113.9" /* an address of no interface. RFC 5737. */

typedef struct endpoint {
    iso_datagram_transport *transport;
    uint16_t port;
    iso_fd fd;
    int received;
    int errors;
    int last_error;
    int lost;
    char last[16];
} endpoint;

static void on_made(iso_datagram_transport *transport, void *self)
{
    iso_extra_info info;
    endpoint *it = self;

    it->transport = transport;
    REQUIRE_OK(iso_datagram_transport_get_extra_info(transport, "sockname", &info));
    it->port = iso_address_port(&info.address);
    it->fd = info.fd;
}

static void on_datagram(iso_datagram_transport *transport, void *self, const void *data,
                        size_t size, const iso_address *from)
{
    endpoint *it = self;

    (void)transport;
    (void)from;
    it->received++;
    memset(it->last, 0, sizeof(it->last));
    memcpy(it->last, data, size < sizeof(it->last) ? size : sizeof(it->last) - 1);
}

static void on_error(iso_datagram_transport *transport, void *self, int error)
{
    endpoint *it = self;

    (void)transport;
    it->errors++;
    it->last_error = error;
}

static void on_lost(iso_datagram_transport *transport, void *self, int error)
{
    (void)transport;
    CHECK_OK(error);
    ((endpoint *)self)->lost++;
}

static const iso_datagram_protocol recorder = {
    .connection_made = on_made,
    .datagram_received = on_datagram,
    .error_received = on_error,
    .connection_lost = on_lost,
};

static iso_loop *datagram_loop(kit *k)
{
    iso_loop_options options = kit_options(k);

    options.limits = "native";
    return kit_loop_with(k, &options);
}

static void make(kit *k, iso_loop *loop, endpoint *it, const char *host)
{
    iso_datagram_options options = ISO_DATAGRAM_OPTIONS_INIT;
    iso_future *future = NULL;

    memset(it, 0, sizeof(*it));
    options.local_host = host;
    REQUIRE_OK(iso_loop_create_datagram_endpoint(loop, &recorder, it, &options, &future));
    REQUIRE_OK(kit_run_release(k, loop, future));
}

static void end(kit *k, iso_loop *loop, endpoint *it)
{
    CHECK_OK(iso_datagram_transport_close(it->transport));
    CHECK(kit_run_until(k, loop, &it->lost, 1));
}

/* A receiver of its own port, and who sends; and a group that no other case uses now. */
typedef struct scene {
    kit *k;
    iso_loop *loop;
    endpoint receiver;
    endpoint sender;
    char group[32];
} scene;

static void begin(kit *k, scene *it)
{
    it->k = k;
    it->loop = datagram_loop(k);
    make(k, it->loop, &it->receiver, "0.0.0.0");
    make(k, it->loop, &it->sender, "127.0.0.1");
    CHECK_OK(iso_datagram_transport_set_multicast_interface(it->sender.transport, "127.0.0.1"));
    CHECK_OK(iso_datagram_transport_set_multicast_ttl(it->sender.transport, 0));
    (void)snprintf(it->group, sizeof(it->group), "239.255.%d.%d", it->receiver.port >> 8,
                   it->receiver.port & 255);
}

static void finish(scene *it)
{
    end(it->k, it->loop, &it->receiver);
    end(it->k, it->loop, &it->sender);
}

static void send_to(scene *it, const char *host, const char *text)
{
    iso_address to;

    REQUIRE_OK(iso_address_parse(&to, host, it->receiver.port));
    CHECK_OK(iso_datagram_transport_sendto(it->sender.transport, text, strlen(text), &to));
}

/* What goes to the group is heard; or, by the next thing that is heard, is not. */
static void demand_heard(scene *it)
{
    int before = it->receiver.received;

    send_to(it, it->group, "to all");
    CHECK(kit_run_until(it->k, it->loop, &it->receiver.received, before + 1));
    CHECK_STR(it->receiver.last, "to all");
    CHECK_EQ(it->sender.errors, 0);
}

static void demand_unheard(scene *it)
{
    int before = it->receiver.received;

    send_to(it, it->group, "to all");
    send_to(it, "127.0.0.1", "to you");
    CHECK(kit_run_until(it->k, it->loop, &it->receiver.received, before + 1));
    CHECK_STR(it->receiver.last, "to you");
}

/* ---- joining and leaving ---- */

KIT_TEST(a_member_hears_what_goes_to_its_group)
{
    scene it;

    begin(k, &it);
    CHECK_OK(iso_datagram_transport_join_group(it.receiver.transport, it.group, "127.0.0.1"));
    demand_heard(&it);
    demand_heard(&it);
    finish(&it);
}

KIT_TEST(who_is_no_member_hears_nothing)
{
    scene it;

    begin(k, &it);
    demand_unheard(&it);
    finish(&it);
}

KIT_TEST(who_has_left_hears_nothing_more_and_may_join_again)
{
    scene it;

    begin(k, &it);
    CHECK_OK(iso_datagram_transport_join_group(it.receiver.transport, it.group, "127.0.0.1"));
    demand_heard(&it);
    CHECK_OK(iso_datagram_transport_leave_group(it.receiver.transport, it.group, "127.0.0.1"));
    demand_unheard(&it);
    CHECK_OK(iso_datagram_transport_join_group(it.receiver.transport, it.group, "127.0.0.1"));
    demand_heard(&it);
    finish(&it);
}

static void join_by(kit *k, const char *via)
{
    scene it;

    begin(k, &it);
    CHECK_OK(iso_datagram_transport_set_multicast_interface(it.sender.transport, via));
    CHECK_OK(iso_datagram_transport_join_group(it.receiver.transport, it.group, via));
    demand_heard(&it);
    CHECK_OK(iso_datagram_transport_leave_group(it.receiver.transport, it.group, via));
    demand_unheard(&it);
    finish(&it);
}

static uint32_t loopback_index(void)
{
    iso__interface one;

    REQUIRE_OK(iso__sys_interface_find(&one, "127.0.0.1", 4));
    CHECK(one.index != 0);
    return one.index;
}

KIT_TEST(an_interface_has_a_number)
{
    char number[16];

    (void)snprintf(number, sizeof(number), "%lu", (unsigned long)loopback_index());
    join_by(k, number);
}

KIT_TEST(an_interface_has_a_name)
{
    char name[256];

    REQUIRE(option_interface_name(loopback_index(), name, sizeof(name)));
    join_by(k, name);
}

KIT_TEST(to_join_twice_is_refused_and_so_is_to_leave_what_was_not_joined)
{
    scene it;

    begin(k, &it);
    CHECK_RC(iso_datagram_transport_leave_group(it.receiver.transport, it.group, "127.0.0.1"),
             ISO_EADDRNOTAVAIL);
    CHECK_HAS(iso_error_detail(), "not joined");
    CHECK_OK(iso_datagram_transport_join_group(it.receiver.transport, it.group, "127.0.0.1"));
    CHECK_RC(iso_datagram_transport_join_group(it.receiver.transport, it.group, "127.0.0.1"),
             ISO_EADDRINUSE);
    CHECK_HAS(iso_error_detail(), "joined already");
    demand_heard(&it);
    CHECK_OK(iso_datagram_transport_leave_group(it.receiver.transport, it.group, "127.0.0.1"));
    CHECK_RC(iso_datagram_transport_leave_group(it.receiver.transport, it.group, "127.0.0.1"),
             ISO_EADDRNOTAVAIL);
    finish(&it);
}

/* What a group is, and of which version, is found out before anything is done. */
static void demand_refused(endpoint *it, const char *group, const char *via, int error)
{
    CHECK_RC(iso_datagram_transport_join_group(it->transport, group, via), error);
    CHECK_RC(iso_datagram_transport_leave_group(it->transport, group, via), error);
    CHECK_RC(iso_datagram_transport_join_source_group(it->transport, group, "127.0.0.1", via),
             error);
    CHECK_RC(iso_datagram_transport_leave_source_group(it->transport, group, "127.0.0.1", via),
             error);
}

KIT_TEST(what_is_no_group_is_refused)
{
    iso_loop *loop = datagram_loop(k);
    endpoint it;

    make(k, loop, &it, "0.0.0.0");
    demand_refused(&it, "127.0.0.1", NULL, ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "not the address of a group");
    demand_refused(&it, "223.255.255.255", NULL, ISO_EINVAL);
    demand_refused(&it, "240.0.0.0", NULL, ISO_EINVAL);
    demand_refused(&it, "somebody", NULL, ISO_EINVAL);
    demand_refused(&it, "", NULL, ISO_EINVAL);
    demand_refused(&it, NULL, NULL, ISO_EINVAL);
    demand_refused(&it, "ff02::114", NULL, ISO_EAFNOSUPPORT);
    end(k, loop, &it);
}

KIT_TEST(what_is_no_group_of_version_6_is_refused)
{
    iso_loop *loop = datagram_loop(k);
    endpoint it;

    make(k, loop, &it, "::");
    demand_refused(&it, "fe80::1", NULL, ISO_EINVAL);
    demand_refused(&it, "239.255.0.1", NULL, ISO_EAFNOSUPPORT);
    CHECK_HAS(iso_error_detail(), "version");
    end(k, loop, &it);
}

KIT_TEST(what_is_no_interface_is_refused)
{
    iso_loop *loop = datagram_loop(k);
    endpoint it;

    make(k, loop, &it, "0.0.0.0");
    demand_refused(&it, "239.255.0.1", NOBODY, ISO_EADDRNOTAVAIL);
    CHECK_HAS(iso_error_detail(), NOBODY);
    demand_refused(&it, "239.255.0.1", "there is no such one", ISO_ENOENT);
    CHECK_HAS(iso_error_detail(), "no such one");
    demand_refused(&it, "239.255.0.1", "400000000", ISO_ENOENT);
    demand_refused(&it, "239.255.0.1", "0", ISO_ENOENT);
    demand_refused(&it, "239.255.0.1", "", ISO_ENOENT);
    demand_refused(&it, "239.255.0.1", "::1", ISO_EAFNOSUPPORT);
    CHECK_RC(iso_datagram_transport_set_multicast_interface(it.transport, NOBODY),
             ISO_EADDRNOTAVAIL);
    CHECK_RC(iso_datagram_transport_set_multicast_interface(it.transport, "::1"), ISO_EAFNOSUPPORT);
    CHECK_OK(iso_datagram_transport_set_multicast_interface(it.transport, "127.0.0.1"));
    CHECK_OK(iso_datagram_transport_set_multicast_interface(it.transport, NULL));
    end(k, loop, &it);
}

/* ---- sources ---- */

/* False where a system has no sources, and says so. */
static bool join_source(endpoint *it, const char *group, const char *source)
{
    int rc = iso_datagram_transport_join_source_group(it->transport, group, source, "127.0.0.1");

    if (rc != ISO_ENOTSUP) return CHECK_OK(rc);
    CHECK_HAS(iso_error_detail(), "no sources");
    return false;
}

KIT_TEST(a_member_of_a_source_hears_that_source)
{
    scene it;

    begin(k, &it);
    if (join_source(&it.receiver, it.group, "127.0.0.1")) {
        demand_heard(&it);
        CHECK_RC(iso_datagram_transport_join_source_group(it.receiver.transport, it.group,
                                                          "127.0.0.1", "127.0.0.1"),
                 ISO_EADDRINUSE);
        if (!kit_is_wine()) /* which leaves whichever there is */
            CHECK_RC(iso_datagram_transport_leave_source_group(it.receiver.transport, it.group,
                                                               "127.0.0.2", "127.0.0.1"),
                     ISO_EADDRNOTAVAIL);
        CHECK_OK(iso_datagram_transport_leave_source_group(it.receiver.transport, it.group,
                                                           "127.0.0.1", "127.0.0.1"));
        demand_unheard(&it);
    }
    finish(&it);
}

KIT_TEST(and_no_other)
{
    scene it;

    begin(k, &it);
    if (join_source(&it.receiver, it.group, "127.0.0.2")) demand_unheard(&it);
    finish(&it);
}

KIT_TEST(a_source_is_one_address_of_the_same_version)
{
    iso_loop *loop = datagram_loop(k);
    endpoint it;

    make(k, loop, &it, "0.0.0.0");
    CHECK_RC(iso_datagram_transport_join_source_group(it.transport, "239.255.0.1", NULL, NULL),
             ISO_EINVAL);
    CHECK_RC(iso_datagram_transport_join_source_group(it.transport, "239.255.0.1", "::1", NULL),
             ISO_EAFNOSUPPORT);
    CHECK_RC(
        iso_datagram_transport_join_source_group(it.transport, "239.255.0.1", "239.255.0.1", NULL),
        ISO_EINVAL);
    end(k, loop, &it);
}

/* ---- version 6 ---- */

/* Many systems have no route for groups on the loopback interface. Then the sender is told, and
 * that is all that there is to see. */
static void demand_heard_or_told(scene *it)
{
    int turns = 0;

    send_to(it, it->group, "to all");
    while (it->receiver.received + it->sender.errors == 0 && turns++ < 300)
        CHECK_GE(iso_loop_run_once(it->loop, ISO_MS(100)), 0);
    CHECK_EQ(it->receiver.received + it->sender.errors, 1);
    if (it->sender.errors > 0)
        CHECK(it->sender.last_error == ISO_ENETUNREACH ||
              it->sender.last_error == ISO_EADDRNOTAVAIL);
    else
        CHECK_STR(it->receiver.last, "to all");
}

static void begin_v6(kit *k, scene *it)
{
    it->k = k;
    it->loop = datagram_loop(k);
    make(k, it->loop, &it->receiver, "::");
    make(k, it->loop, &it->sender, "::1");
    CHECK_OK(iso_datagram_transport_set_multicast_interface(it->sender.transport, "::1"));
    (void)snprintf(it->group, sizeof(it->group), "ff01::%x", (unsigned)it->receiver.port);
}

KIT_TEST(a_member_of_version_6_hears_its_group_or_the_sender_is_told_why_not)
{
    scene it;

    begin_v6(k, &it);
    CHECK_OK(iso_datagram_transport_join_group(it.receiver.transport, it.group, "::1"));
    demand_heard_or_told(&it);
    finish(&it);
}

KIT_TEST(of_version_6_too_nobody_joins_twice_and_leaves_twice)
{
    char number[16];
    char zoned[64];
    scene it;

    begin_v6(k, &it);
    (void)snprintf(number, sizeof(number), "%lu", (unsigned long)loopback_index());
    (void)snprintf(zoned, sizeof(zoned), "%s%%%s", it.group, number);
    CHECK_OK(iso_datagram_transport_join_group(it.receiver.transport, it.group, number));
    CHECK_RC(iso_datagram_transport_join_group(it.receiver.transport, it.group, "::1"),
             ISO_EADDRINUSE); /* the same interface */
    CHECK_RC(iso_datagram_transport_join_group(it.receiver.transport, zoned, NULL),
             ISO_EADDRINUSE); /* and again */
    CHECK_OK(iso_datagram_transport_leave_group(it.receiver.transport, zoned, NULL));
    CHECK_RC(iso_datagram_transport_leave_group(it.receiver.transport, it.group, number),
             ISO_EADDRNOTAVAIL);
    finish(&it);
}

KIT_TEST(a_source_of_version_6_is_joined_or_there_are_none)
{
    scene it;
    int rc;

    begin_v6(k, &it);
    rc = iso_datagram_transport_join_source_group(it.receiver.transport, it.group, "::1", "::1");
    if (rc == ISO_ENOTSUP) {
        CHECK_HAS(iso_error_detail(), "no sources");
    } else if (CHECK_OK(rc)) {
        demand_heard_or_told(&it);
        CHECK_OK(iso_datagram_transport_leave_source_group(it.receiver.transport, it.group, "::1",
                                                           "::1"));
    }
    finish(&it);
}

/* ---- what is set ---- */

static void set_all(kit *k, const char *host, int version)
{
    iso_loop *loop = datagram_loop(k);
    endpoint it;

    make(k, loop, &it, host);
    CHECK_EQ(option_multicast(it.fd, version, false), 1);
    CHECK_EQ(option_multicast(it.fd, version, true), 1);
    CHECK_OK(iso_datagram_transport_set_multicast_ttl(it.transport, 255));
    CHECK_EQ(option_multicast(it.fd, version, false), 255);
    CHECK_OK(iso_datagram_transport_set_multicast_ttl(it.transport, 0));
    CHECK_EQ(option_multicast(it.fd, version, false), 0);
    CHECK_OK(iso_datagram_transport_set_multicast_loop(it.transport, false));
    CHECK_EQ(option_multicast(it.fd, version, true), 0);
    CHECK_OK(iso_datagram_transport_set_multicast_loop(it.transport, true));
    CHECK_EQ(option_multicast(it.fd, version, true), 1);
    CHECK_OK(iso_datagram_transport_set_ttl(it.transport, 255));
    CHECK_EQ(option_ttl(it.fd, version), 255);
    CHECK_OK(iso_datagram_transport_set_ttl(it.transport, 1));
    CHECK_EQ(option_ttl(it.fd, version), 1);
    CHECK_RC(iso_datagram_transport_set_multicast_ttl(it.transport, -1), ISO_EINVAL);
    CHECK_RC(iso_datagram_transport_set_multicast_ttl(it.transport, 256), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "256");
    CHECK_RC(iso_datagram_transport_set_ttl(it.transport, 0), ISO_EINVAL);
    CHECK_RC(iso_datagram_transport_set_ttl(it.transport, 256), ISO_EINVAL);
    CHECK_EQ(option_multicast(it.fd, version, false), 0);
    CHECK_EQ(option_ttl(it.fd, version), 1);
    end(k, loop, &it);
}

KIT_TEST(what_is_set_is_what_the_system_has)
{
    set_all(k, "127.0.0.1", 4);
}

KIT_TEST(and_of_version_6_too)
{
    set_all(k, "::1", 6);
}

KIT_TEST(leave_to_broadcast_can_be_given_later_and_taken)
{
    iso_loop *loop = datagram_loop(k);
    iso_address everybody;
    endpoint it;

    make(k, loop, &it, "127.0.0.1");
    REQUIRE_OK(iso_address_parse(&everybody, "255.255.255.255", 9));
    CHECK_OK(iso_datagram_transport_set_broadcast(it.transport, true));
    CHECK_OK(iso_datagram_transport_set_broadcast(it.transport, false));
    CHECK_OK(iso_datagram_transport_sendto(it.transport, "x", 1, &everybody));
    CHECK(kit_run_until(k, loop, &it.errors, 1));
    CHECK_RC(it.last_error, ISO_EACCES);
    end(k, loop, &it);
}

/* ---- of what is closed, of another thread, of another family ---- */

static void demand_all(iso_datagram_transport *it, int error)
{
    CHECK_RC(iso_datagram_transport_join_group(it, "239.255.0.1", NULL), error);
    CHECK_RC(iso_datagram_transport_leave_group(it, "239.255.0.1", NULL), error);
    CHECK_RC(iso_datagram_transport_join_source_group(it, "239.255.0.1", "127.0.0.1", NULL), error);
    CHECK_RC(iso_datagram_transport_leave_source_group(it, "239.255.0.1", "127.0.0.1", NULL),
             error);
    CHECK_RC(iso_datagram_transport_set_multicast_interface(it, NULL), error);
    CHECK_RC(iso_datagram_transport_set_multicast_ttl(it, 1), error);
    CHECK_RC(iso_datagram_transport_set_multicast_loop(it, true), error);
    CHECK_RC(iso_datagram_transport_set_ttl(it, 1), error);
    CHECK_RC(iso_datagram_transport_set_broadcast(it, true), error);
}

static void try_there(void *transport)
{
    demand_all(transport, ISO_ETHREAD);
}

KIT_TEST(another_thread_and_one_that_is_lost_are_refused)
{
    iso_loop *loop = datagram_loop(k);
    iso_datagram_transport *held;
    endpoint it;

    make(k, loop, &it, "127.0.0.1");
    held = iso_datagram_transport_ref(it.transport);
    kit_thread(k, try_there, held);
    kit_join_all(k);
    end(k, loop, &it);
    demand_all(held, ISO_ECLOSED);
    iso_datagram_transport_release(held);
}

KIT_TEST(a_unix_socket_has_no_groups)
{
    iso_loop *loop = datagram_loop(k);
    iso_datagram_options options = ISO_DATAGRAM_OPTIONS_INIT;
    iso_future *future = NULL;
    iso_fd ends[2];
    endpoint it;

    if (!kit_needs(k, ISO_CAP_UNIX_SOCKETS)) return;
    REQUIRE(option_datagram_pair(ends));
    (void)kit_own(k, ends[1]);
    memset(&it, 0, sizeof(it));
    options.sock = ends[0];
    REQUIRE_OK(iso_loop_create_datagram_endpoint(loop, &recorder, &it, &options, &future));
    REQUIRE_OK(kit_run_release(k, loop, future));
    demand_all(it.transport, ISO_EAFNOSUPPORT);
    end(k, loop, &it);
}

static const kit_case cases[] = {
    KIT_CASE(a_member_hears_what_goes_to_its_group),
    KIT_CASE(who_is_no_member_hears_nothing),
    KIT_CASE(who_has_left_hears_nothing_more_and_may_join_again),
    KIT_CASE(an_interface_has_a_number),
    KIT_CASE(an_interface_has_a_name),
    KIT_CASE(to_join_twice_is_refused_and_so_is_to_leave_what_was_not_joined),
    KIT_CASE(what_is_no_group_is_refused),
    KIT_CASE(what_is_no_group_of_version_6_is_refused),
    KIT_CASE(what_is_no_interface_is_refused),
    KIT_CASE(a_member_of_a_source_hears_that_source),
    KIT_CASE(and_no_other),
    KIT_CASE(a_source_is_one_address_of_the_same_version),
    KIT_CASE(a_member_of_version_6_hears_its_group_or_the_sender_is_told_why_not),
    KIT_CASE(of_version_6_too_nobody_joins_twice_and_leaves_twice),
    KIT_CASE(a_source_of_version_6_is_joined_or_there_are_none),
    KIT_CASE(what_is_set_is_what_the_system_has),
    KIT_CASE(and_of_version_6_too),
    KIT_CASE(leave_to_broadcast_can_be_given_later_and_taken),
    KIT_CASE(another_thread_and_one_that_is_lost_are_refused),
    KIT_CASE(a_unix_socket_has_no_groups),
};

KIT_MAIN(cases)
