/* SPDX-License-Identifier: MIT */
/* create_connection: names and literals, one address after the other and staggered, giving up at
 * every stage. */
#include "io/names.h"
#include "io/recorder.h"
#include "sys/sock.h"

#include <stdlib.h>
#include <string.h>

typedef struct fixture {
    kit *k;
    iso_loop *loop;
    iso_address live; /* somebody listens there, */
    iso_fd listener;
    iso_address dead; /* and here nobody does */
    iso_connection_options options;
    recorder r;
    iso_future *future;
} fixture;

static void prepare_with(fixture *self, kit *k, iso_loop *loop)
{
    const iso_connection_options none = ISO_CONNECTION_OPTIONS_INIT;

    names_clear();
    self->k = k;
    self->loop = loop;
    self->listener = kit_listen(k, &self->live);
    kit_dead_address(k, &self->dead);
    self->options = none;
    self->future = NULL;
    recorder_init(&self->r, k, "");
}

static void prepare(fixture *self, kit *k)
{
    prepare_with(self, k, kit_loop(k));
}

static void begin(fixture *self)
{
    REQUIRE_OK(iso_loop_create_connection(self->loop, &recorder_protocol, &self->r, &self->options,
                                          &self->future));
}

static int finish(fixture *self)
{
    return kit_run(self->k, self->loop, self->future);
}

static int connect_now(fixture *self)
{
    begin(self);
    return finish(self);
}

/* Give everything back. */
static void end(fixture *self)
{
    if (self->r.transport != NULL) CHECK_OK(iso_transport_abort(self->r.transport));
    iso_future_release(self->future);
    CHECK(run_until_idle(self->k, self->loop));
    CHECK_EQ(self->r.made_count, self->r.lost_count);
    CHECK_EQ(kit_statistics(self->loop).timers, 0);
}

static void use_host(fixture *self, const char *host)
{
    self->options.host = host;
    self->options.port = iso_address_port(&self->live);
}

static bool is_same(const iso_address *one, const iso_address *other)
{
    return memcmp(one, other, sizeof(*one)) == 0;
}

static bool is_connected_to(const recorder *r, const iso_address *address)
{
    iso_extra_info info;

    if (r->transport == NULL) return false;
    REQUIRE_OK(iso_transport_get_extra_info(r->transport, "peername", &info));
    return iso_address_port(&info.address) == iso_address_port(address);
}

static void check_attempt(const fixture *self, size_t index, const iso_address *address, int error)
{
    size_t count;
    const iso_attempt *attempts = iso_future_attempts(self->future, &count);

    if (!CHECK(index < count)) return;
    CHECK(is_same(&attempts[index].address, address));
    CHECK_RC(attempts[index].error, error);
}

static size_t count_attempts(const fixture *self)
{
    size_t count;

    CHECK((iso_future_attempts(self->future, &count) == NULL) == (count == 0));
    return count;
}

/* ---- literals and names ---- */

KIT_TEST(a_literal_is_connected_to_without_a_look_up)
{
    fixture f;
    void *transport = NULL;

    prepare(&f, k);
    use_host(&f, "127.0.0.1");
    begin(&f);
    CHECK(!iso_future_done(f.future));
    CHECK_OK(finish(&f));
    CHECK_EQ(names_begun(), 0);
    CHECK_OK(iso_future_result(f.future, &transport));
    CHECK_PTR(transport, f.r.transport);
    CHECK(is_connected_to(&f.r, &f.live));
    CHECK_EQ(count_attempts(&f), 0);
    end(&f);
}

KIT_TEST(the_future_is_done_after_connection_made)
{
    fixture f;

    prepare(&f, k);
    use_host(&f, "127.0.0.1");
    begin(&f);
    CHECK_OK(iso_future_add_done_callback(f.future, kit_mark_future, " done"));
    CHECK_OK(finish(&f));
    kit_settle(k, f.loop);
    CHECK_STR(kit_marks(k), "made done");
    end(&f);
}

KIT_TEST(a_name_is_looked_up_by_a_thread)
{
    fixture f;
    kit_gate *gate = kit_gate_new(k);

    prepare(&f, k);
    names_add("house", "127.0.0.1", 0);
    names_hold(gate);
    use_host(&f, "house");
    begin(&f);
    kit_settle(k, f.loop); /* the loop does not wait for it */
    CHECK(!iso_future_done(f.future));
    kit_gate_open(gate);
    CHECK_OK(finish(&f));
    CHECK(is_connected_to(&f.r, &f.live));
    CHECK_EQ(names_ended(), 1);
    end(&f);
}

KIT_TEST(an_unknown_name_ends_the_future)
{
    fixture f;

    prepare(&f, k);
    use_host(&f, "nowhere");
    CHECK_RC(connect_now(&f), ISO_ENONAME);
    CHECK_EQ(count_attempts(&f), 0);
    CHECK_EQ(f.r.made_count, 0);
    end(&f);
}

KIT_TEST(family_chooses_among_the_addresses_of_a_name)
{
    fixture f;

    prepare(&f, k);
    names_add("house", "::1", 0);
    names_add("house", "127.0.0.1", 0);
    use_host(&f, "house");
    f.options.family = 4;
    CHECK_OK(connect_now(&f));
    CHECK_EQ(count_attempts(&f), 0); /* the other one was not tried */
    end(&f);
}

KIT_TEST(a_literal_of_the_other_family_is_not_known)
{
    fixture f;

    prepare(&f, k);
    use_host(&f, "127.0.0.1");
    f.options.family = 6;
    CHECK_RC(connect_now(&f), ISO_ENONAME);
    end(&f);
}

KIT_TEST(it_connects_by_ipv6)
{
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    recorder theirs;
    iso_future *future;
    iso_address address;
    void *server;
    fixture f;

    prepare(&f, k);
    recorder_init(&theirs, k, "theirs");
    options.host = "::1";
    REQUIRE_OK(iso_loop_create_server(f.loop, &recorder_protocol, &theirs, &options, &future));
    if (iso_future_error(future) != 0) { /* this system has no IPv6: then no connection either */
        iso_future_release(future);
        use_host(&f, "::1");
        CHECK(connect_now(&f) != 0);
        end(&f);
        return;
    }
    REQUIRE_OK(iso_future_result(future, &server));
    CHECK_OK(iso_server_address(server, 0, &address));
    f.options.host = "::1";
    f.options.port = iso_address_port(&address);
    CHECK_OK(connect_now(&f));
    CHECK(is_connected_to(&f.r, &address));
    (void)kit_run_until(k, f.loop, &theirs.made_count, 1);
    CHECK_OK(iso_server_abort_clients(server));
    CHECK_OK(iso_server_close(server));
    iso_future_release(future);
    end(&f);
}

/* ---- one address after the other ---- */

KIT_TEST(every_address_is_tried_in_turn)
{
    iso_address also_dead;
    fixture f;

    prepare(&f, k);
    kit_dead_address(k, &also_dead);
    names_add_address("house", &f.dead);
    names_add_address("house", &also_dead);
    names_add_address("house", &f.live);
    f.options.host = "house";
    CHECK_OK(connect_now(&f));
    CHECK(is_connected_to(&f.r, &f.live));
    CHECK_EQ(count_attempts(&f), 2);
    check_attempt(&f, 0, &f.dead, ISO_ECONNREFUSED);
    check_attempt(&f, 1, &also_dead, ISO_ECONNREFUSED);
    end(&f);
}

KIT_TEST(no_address_is_tried_after_the_one_that_answers)
{
    iso_address other;
    iso_fd listener = kit_listen(k, &other);
    iso_fd fd;
    fixture f;

    prepare(&f, k);
    names_add_address("house", &f.live);
    names_add_address("house", &other);
    f.options.host = "house";
    CHECK_OK(connect_now(&f));
    CHECK(is_connected_to(&f.r, &f.live));
    CHECK_RC(iso__sys_socket_accept(listener, &fd, NULL), ISO_EAGAIN);
    end(&f);
}

KIT_TEST(when_all_fail_the_last_error_ends_the_future)
{
    iso_address odd;
    size_t count;
    const iso_attempt *attempts;
    fixture f;

    prepare(&f, k);
    REQUIRE_OK(iso_address_parse(&odd, "255.255.255.255", 9)); /* fails in a way of its own */
    names_add_address("house", &odd);
    names_add_address("house", &f.dead);
    f.options.host = "house";
    CHECK_RC(connect_now(&f), ISO_ECONNREFUSED);
    attempts = iso_future_attempts(f.future, &count);
    CHECK_EQ(count, 2);
    CHECK(is_same(&attempts[0].address, &odd));
    CHECK(attempts[0].error < 0);
    check_attempt(&f, 1, &f.dead, ISO_ECONNREFUSED);
    CHECK_EQ(f.r.made_count, 0);
    end(&f);
}

KIT_TEST(a_refused_port_ends_the_future)
{
    fixture f;

    prepare(&f, k);
    f.options.host = "127.0.0.1";
    f.options.port = iso_address_port(&f.dead);
    CHECK_RC(connect_now(&f), ISO_ECONNREFUSED);
    CHECK_EQ(count_attempts(&f), 1);
    check_attempt(&f, 0, &f.dead, ISO_ECONNREFUSED);
    end(&f);
}

KIT_TEST(an_error_without_a_future_is_reported)
{
    fixture f;

    prepare(&f, k);
    f.options.host = "127.0.0.1";
    f.options.port = iso_address_port(&f.dead);
    CHECK_OK(iso_loop_create_connection(f.loop, &recorder_protocol, &f.r, &f.options, NULL));
    CHECK(run_until_idle(k, f.loop));
    CHECK_EQ(kit_log_count(k, "ISO_ECONNREFUSED"), 1);
    end(&f);
}

KIT_TEST(a_connection_needs_no_future)
{
    fixture f;

    prepare(&f, k);
    use_host(&f, "127.0.0.1");
    CHECK_OK(iso_loop_create_connection(f.loop, &recorder_protocol, &f.r, &f.options, NULL));
    (void)kit_run_until(k, f.loop, &f.r.made_count, 1);
    end(&f);
}

KIT_TEST(a_name_may_have_dozens_of_addresses)
{
    fixture f;
    int at;

    prepare(&f, k);
    /* Nobody can listen at port 0, and to fail there takes no system long. */
    for (at = 0; at < 31; at++) names_add("house", "127.0.0.1", 0);
    names_add_address("house", &f.live);
    f.options.host = "house";
    f.options.port = 0;
    CHECK_OK(connect_now(&f));
    CHECK_EQ(count_attempts(&f), 31);
    end(&f);
}

/* ---- one's own address ---- */

KIT_TEST(a_local_address_is_bound_to)
{
    iso_extra_info info;
    char host[64] = "";
    fixture f;

    prepare(&f, k);
    use_host(&f, "127.0.0.1");
    f.options.local_host = "127.0.0.1";
    CHECK_OK(connect_now(&f));
    CHECK_OK(iso_transport_get_extra_info(f.r.transport, "sockname", &info));
    CHECK_OK(iso_address_host(&info.address, host, sizeof(host)));
    CHECK_STR(host, "127.0.0.1");
    end(&f);
}

KIT_TEST(a_local_port_is_bound_to)
{
    fixture f;

    prepare(&f, k);
    use_host(&f, "127.0.0.1");
    f.options.local_host = "127.0.0.1";
    f.options.local_port = iso_address_port(&f.dead); /* the kit has it, so it can't be had */
    CHECK_RC(connect_now(&f), ISO_EADDRINUSE);
    check_attempt(&f, 0, &f.live, ISO_EADDRINUSE);
    end(&f);
}

KIT_TEST(a_local_address_of_the_other_family_fails_the_attempt)
{
    fixture f;

    prepare(&f, k);
    use_host(&f, "127.0.0.1");
    f.options.local_host = "::1";
    CHECK(connect_now(&f) < 0);
    CHECK_EQ(count_attempts(&f), 1);
    end(&f);
}

/* ---- happy eyeballs: a selector that keeps the answer to some connects to itself ---- */

enum { DEAF_MOST = 8 };

/* The nth socket that waits to be connected is not told of as long as `held` has the bit n. */
typedef struct deaf {
    const iso_selector_class *inner;
    void *inner_self;
    unsigned held;
    int connects; /* that waited so far */
    iso_fd fds[DEAF_MOST];
    void *tokens[DEAF_MOST];
} deaf;

static int deaf_set(void *arg, iso_fd fd, unsigned was, unsigned events, void *token)
{
    deaf *self = arg;
    int at;

    for (at = 0; at < self->connects; at++) {
        if (events == 0 && self->fds[at] == fd && (self->held >> at & 1u) != 0) {
            self->fds[at] = ISO_FD_NONE;
            return 0; /* the inner one never knew it */
        }
    }
    if (was == 0 && events == ISO_EVENT_WRITE) {
        at = self->connects++;
        REQUIRE(at < DEAF_MOST);
        self->fds[at] = fd;
        self->tokens[at] = token;
        if ((self->held >> at & 1u) != 0) return 0;
    }
    return self->inner->set(self->inner_self, fd, was, events, token);
}

/* The clock stands still, so no time-out would end a wait. */
static int deaf_wait(void *arg, iso_nsec timeout, iso_selector_event *events, int max)
{
    deaf *self = arg;

    return self->inner->wait(self->inner_self, timeout < ISO_MS(5) ? timeout : ISO_MS(5), events,
                             max);
}

static iso_fd deaf_descriptor(void *arg)
{
    deaf *self = arg;

    return self->inner->descriptor(self->inner_self);
}

static void deaf_close(void *arg)
{
    deaf *self = arg;

    self->inner->close(self->inner_self);
    free(self);
}

static const iso_selector_class deaf_class = {
    .name = "deaf",
    .set = deaf_set,
    .wait = deaf_wait,
    .descriptor = deaf_descriptor,
    .close = deaf_close,
};

/* The nth connect is told of from here on. */
static void deaf_release(deaf *self, int nth)
{
    self->held &= ~(1u << nth);
    REQUIRE_OK(
        self->inner->set(self->inner_self, self->fds[nth], 0, ISO_EVENT_WRITE, self->tokens[nth]));
}

/* A loop over it, whose clock goes by kit_advance only. */
static void prepare_deaf(fixture *self, deaf **out, kit *k, unsigned held)
{
    iso_loop_options options = kit_options(k);
    iso_clock clock = kit_virtual_clock(k);
    deaf *selector = calloc(1, sizeof(*selector)); /* the loop outlives the case */

    REQUIRE(selector != NULL);
    selector->held = held;
    selector->inner = kit_poller(k)->kind;
    REQUIRE_OK(kit_poller(k)->open(&selector->inner_self, kit_allocator(k)));
    REQUIRE_OK(iso_selector_new_custom(&options.selector, &deaf_class, selector));
    options.clock = &clock;
    prepare_with(self, k, kit_loop_with(k, &options));
    self->options.host = "house";
    self->options.happy_eyeballs_delay = ISO_MS(250);
    *out = selector;
}

/* Some turns, each with time for the system; whatever could happen, happens. */
static void let_happen(fixture *self)
{
    int at;

    for (at = 0; at < 4; at++) (void)iso_loop_run_once(self->loop, ISO_FOREVER);
}

KIT_TEST(the_next_address_is_tried_after_the_delay)
{
    deaf *selector;
    fixture f;
    iso_address slow;

    /* given two addresses, the first of which does not answer */
    prepare_deaf(&f, &selector, k, 1);
    (void)kit_listen(k, &slow);
    names_add_address("house", &slow);
    names_add_address("house", &f.live);
    begin(&f);
    (void)kit_run_until(k, f.loop, &selector->connects, 1);

    /* when a moment less than the delay has passed */
    kit_advance(k, ISO_MS(250) - 1);
    let_happen(&f);
    CHECK_EQ(selector->connects, 1);

    /* and then the delay, then the second one is tried and answers */
    kit_advance(k, 1);
    CHECK_OK(finish(&f));
    CHECK_EQ(selector->connects, 2);
    CHECK(is_connected_to(&f.r, &f.live));
    CHECK_EQ(count_attempts(&f), 0); /* the slow one was dropped, it did not fail */
    end(&f);
}

KIT_TEST(each_address_has_its_delay)
{
    deaf *selector;
    fixture f;
    iso_address slow;
    int at;

    prepare_deaf(&f, &selector, k, 7);
    for (at = 0; at < 3; at++) {
        (void)kit_listen(k, &slow);
        names_add_address("house", &slow);
    }
    names_add_address("house", &f.live);
    begin(&f);
    for (at = 1; at <= 3; at++) {
        (void)kit_run_until(k, f.loop, &selector->connects, at);
        let_happen(&f);
        CHECK_EQ(selector->connects, at);
        kit_advance(k, ISO_MS(250));
    }
    CHECK_OK(finish(&f));
    CHECK(is_connected_to(&f.r, &f.live));
    end(&f);
}

KIT_TEST(an_address_that_fails_is_followed_at_once)
{
    deaf *selector;
    fixture f;

    prepare_deaf(&f, &selector, k, 0);
    names_add_address("house", &f.dead);
    names_add_address("house", &f.live);
    begin(&f);
    CHECK_OK(finish(&f)); /* no time has passed */
    CHECK(is_connected_to(&f.r, &f.live));
    CHECK_EQ(count_attempts(&f), 1);
    check_attempt(&f, 0, &f.dead, ISO_ECONNREFUSED);
    end(&f);
}

KIT_TEST(the_first_address_may_still_win)
{
    deaf *selector;
    fixture f;
    iso_address other;

    prepare_deaf(&f, &selector, k, 3);
    (void)kit_listen(k, &other);
    names_add_address("house", &f.live);
    names_add_address("house", &other);
    begin(&f);
    (void)kit_run_until(k, f.loop, &selector->connects, 1);
    kit_advance(k, ISO_MS(250));
    (void)kit_run_until(k, f.loop, &selector->connects, 2);
    deaf_release(selector, 0);
    CHECK_OK(finish(&f));
    CHECK(is_connected_to(&f.r, &f.live));
    end(&f);
}

KIT_TEST(two_that_answer_in_the_same_turn_make_one_connection)
{
    deaf *selector;
    fixture f;
    iso_address other;

    prepare_deaf(&f, &selector, k, 3);
    (void)kit_listen(k, &other);
    names_add_address("house", &f.live);
    names_add_address("house", &other);
    begin(&f);
    (void)kit_run_until(k, f.loop, &selector->connects, 1);
    kit_advance(k, ISO_MS(250));
    (void)kit_run_until(k, f.loop, &selector->connects, 2);
    kit_await(k, selector->fds[0], ISO_EVENT_WRITE);
    kit_await(k, selector->fds[1], ISO_EVENT_WRITE);
    deaf_release(selector, 0);
    deaf_release(selector, 1);
    CHECK_OK(finish(&f));
    let_happen(&f);
    CHECK_EQ(f.r.made_count, 1);
    CHECK_EQ(kit_statistics(f.loop).registered, 2); /* the loop's own, and the connection */
    end(&f);
}

KIT_TEST(a_failure_while_another_is_under_way_is_not_the_end)
{
    deaf *selector;
    fixture f;

    prepare_deaf(&f, &selector, k, 1);
    names_add_address("house", &f.live);
    names_add_address("house", &f.dead);
    begin(&f);
    (void)kit_run_until(k, f.loop, &selector->connects, 1);
    kit_advance(k, ISO_MS(250));
    while (count_attempts(&f) == 0 && !kit_has_failed(k))
        (void)iso_loop_run_once(f.loop, ISO_FOREVER);
    CHECK(!iso_future_done(f.future));
    deaf_release(selector, 0);
    CHECK_OK(finish(&f));
    CHECK(is_connected_to(&f.r, &f.live));
    end(&f);
}

KIT_TEST(when_all_that_are_under_way_fail_it_ends)
{
    deaf *selector;
    fixture f;
    iso_address also_dead;

    prepare_deaf(&f, &selector, k, 3);
    kit_dead_address(k, &also_dead);
    names_add_address("house", &f.dead);
    names_add_address("house", &also_dead);
    begin(&f);
    (void)kit_run_until(k, f.loop, &selector->connects, 1);
    kit_advance(k, ISO_MS(250));
    (void)kit_run_until(k, f.loop, &selector->connects, 2);
    deaf_release(selector, 1);
    while (count_attempts(&f) == 0 && !kit_has_failed(k))
        (void)iso_loop_run_once(f.loop, ISO_FOREVER);
    CHECK(!iso_future_done(f.future));
    deaf_release(selector, 0);
    CHECK_RC(finish(&f), ISO_ECONNREFUSED);
    CHECK_EQ(count_attempts(&f), 2);
    check_attempt(&f, 0, &also_dead, ISO_ECONNREFUSED); /* in the order in which they failed */
    check_attempt(&f, 1, &f.dead, ISO_ECONNREFUSED);
    end(&f);
}

KIT_TEST(without_a_delay_an_address_that_hangs_is_waited_for)
{
    deaf *selector;
    fixture f;
    iso_address slow;

    prepare_deaf(&f, &selector, k, 1);
    f.options.happy_eyeballs_delay = 0;
    (void)kit_listen(k, &slow);
    names_add_address("house", &slow);
    names_add_address("house", &f.live);
    begin(&f);
    (void)kit_run_until(k, f.loop, &selector->connects, 1);
    kit_advance(k, ISO_S(3600));
    let_happen(&f);
    CHECK_EQ(selector->connects, 1);
    deaf_release(selector, 0);
    CHECK_OK(finish(&f));
    CHECK(is_connected_to(&f.r, &slow));
    end(&f);
}

/* ---- the order of families ---- */

/* "6a 6b 4a": addresses of which each attempt fails at once, and the order in which they were
 * tried. */
static void check_order(kit *k, const char *given, int interleave, iso_nsec delay,
                        const char *should)
{
    char order[64] = "";
    const iso_attempt *attempts;
    size_t count;
    size_t at;
    fixture f;

    prepare(&f, k);
    for (at = 0; given[at] != '\0'; at += given[at + 2] == ' ' ? 3 : 2) {
        char literal[] = "127.0.0.a";

        if (given[at] == '6') memcpy(literal, "::1", sizeof("::1"));
        literal[given[at] == '6' ? 2 : 8] = (char)('1' + given[at + 1] - 'a');
        names_add("house", literal, 0);
    }
    f.options.host = "house";
    f.options.port = 9;
    f.options.local_host = "203.0.113.77"; /* nobody's (RFC 5737): no attempt gets beyond bind */
    f.options.interleave = interleave;
    f.options.happy_eyeballs_delay = delay;
    CHECK(connect_now(&f) < 0);
    attempts = iso_future_attempts(f.future, &count);
    for (at = 0; at < count && at < 16; at++) {
        char host[64] = "?";
        size_t size;

        CHECK_OK(iso_address_host(&attempts[at].address, host, sizeof(host)));
        size = strlen(host);
        if (at > 0) order[3 * at - 1] = ' ';
        order[3 * at] = (char)('0' + iso_address_version(&attempts[at].address));
        order[3 * at + 1] = (char)('a' + host[size - 1] - '1');
    }
    CHECK_STR(order, should);
    end(&f);
}

KIT_TEST(without_interleave_the_order_is_the_name_services)
{
    check_order(k, "6a 6b 6c 4a 4b", 0, 0, "6a 6b 6c 4a 4b");
}

KIT_TEST(interleave_alternates_families)
{
    check_order(k, "6a 6b 6c 4a 4b", 1, 0, "6a 4a 6b 4b 6c");
}

KIT_TEST(interleave_begins_with_as_many_of_the_first_family)
{
    check_order(k, "6a 6b 6c 4a 4b", 2, 0, "6a 6b 4a 6c 4b");
}

KIT_TEST(interleave_may_ask_for_more_than_there_are)
{
    check_order(k, "6a 6b 4a 4b 4c", 9, 0, "6a 6b 4a 4b 4c");
}

KIT_TEST(interleave_takes_the_family_that_comes_first)
{
    check_order(k, "4a 4b 4c 6a", 1, 0, "4a 6a 4b 4c");
}

KIT_TEST(interleave_of_one_family_changes_nothing)
{
    check_order(k, "4a 4b 4c", 1, 0, "4a 4b 4c");
}

KIT_TEST(interleave_sorts_what_is_mixed)
{
    check_order(k, "6a 4a 4b 4c 6b 6c", 1, 0, "6a 4a 6b 4b 6c 4c");
}

KIT_TEST(happy_eyeballs_interleave_by_themselves)
{
    check_order(k, "6a 6b 4a 4b", 0, ISO_S(3600), "6a 4a 6b 4b");
}

/* ---- giving up ---- */

KIT_TEST(cancel_while_the_name_is_looked_up)
{
    fixture f;
    kit_gate *gate = kit_gate_new(k);

    prepare(&f, k);
    names_add("house", "127.0.0.1", 0);
    names_hold(gate);
    use_host(&f, "house");
    begin(&f);
    names_await_begun(1);
    CHECK_OK(iso_future_cancel(f.future));
    CHECK_RC(finish(&f), ISO_ECANCELED);
    CHECK(iso_future_cancelled(f.future));
    kit_gate_open(gate);
    names_await_ended(1);
    end(&f); /* nothing comes of it */
    CHECK_EQ(f.r.made_count, 0);
}

KIT_TEST(cancel_while_it_connects)
{
    deaf *selector;
    fixture f;

    prepare_deaf(&f, &selector, k, 3);
    names_add_address("house", &f.live);
    names_add_address("house", &f.live);
    begin(&f);
    (void)kit_run_until(k, f.loop, &selector->connects, 1);
    kit_advance(k, ISO_MS(250));
    (void)kit_run_until(k, f.loop, &selector->connects, 2);
    CHECK_OK(iso_future_cancel(f.future));
    CHECK_EQ(kit_statistics(f.loop).registered, 1); /* at once: the loop's own */
    CHECK_RC(finish(&f), ISO_ECANCELED);
    end(&f);
    CHECK_EQ(f.r.made_count, 0);
}

KIT_TEST(cancel_while_it_waits_for_the_delay)
{
    deaf *selector;
    fixture f;

    prepare_deaf(&f, &selector, k, 1);
    names_add_address("house", &f.live);
    names_add_address("house", &f.live);
    begin(&f);
    (void)kit_run_until(k, f.loop, &selector->connects, 1);
    CHECK_EQ(kit_statistics(f.loop).timers, 1);
    CHECK_OK(iso_future_cancel(f.future));
    CHECK_EQ(kit_statistics(f.loop).timers, 0);
    end(&f);
}

/* Run until the transport is there and connection_made was not called. */
static void run_until_unmade(fixture *self)
{
    while (kit_statistics(self->loop).objects < 2 && !kit_has_failed(self->k))
        (void)iso_loop_run_once(self->loop, ISO_FOREVER);
    CHECK_EQ(self->r.made_count, 0);
}

KIT_TEST(cancel_between_connect_and_connection_made)
{
    fixture f;

    prepare(&f, k);
    use_host(&f, "127.0.0.1");
    begin(&f);
    run_until_unmade(&f);
    CHECK_OK(iso_future_cancel(f.future));
    end(&f);
    CHECK_EQ(f.r.error, 0); /* if it was made, it was lost as by abort: asyncio does that */
}

static void cancel_it(recorder *r)
{
    CHECK_OK(iso_future_cancel(*(iso_future **)r->context));
}

KIT_TEST(cancel_within_connection_made)
{
    fixture f;

    prepare(&f, k);
    use_host(&f, "127.0.0.1");
    f.r.context = &f.future;
    f.r.when_made = cancel_it;
    begin(&f);
    CHECK_RC(finish(&f), ISO_ECANCELED);
    CHECK(run_until_idle(k, f.loop));
    CHECK_STR(kit_marks(k), "made lost");
    end(&f);
}

KIT_TEST(cancel_is_too_late_after_connection_made)
{
    fixture f;

    prepare(&f, k);
    use_host(&f, "127.0.0.1");
    CHECK_OK(connect_now(&f));
    CHECK_RC(iso_future_cancel(f.future), ISO_EINVALIDSTATE);
    kit_settle(k, f.loop);
    CHECK_EQ(f.r.lost_count, 0);
    end(&f);
}

static void close_it(recorder *r)
{
    CHECK_OK(iso_transport_close(r->transport));
}

KIT_TEST(close_within_connection_made_still_ends_the_future_well)
{
    fixture f;
    void *transport = NULL;

    prepare(&f, k);
    use_host(&f, "127.0.0.1");
    f.r.when_made = close_it;
    CHECK_OK(connect_now(&f));
    CHECK(run_until_idle(k, f.loop));
    CHECK_STR(kit_marks(k), "made lost");
    CHECK_OK(iso_future_result(f.future, &transport)); /* the future shares it */
    CHECK(iso_transport_is_closing(transport));
    end(&f);
}

/* ---- the loop closes ---- */

KIT_TEST(a_closing_loop_does_not_wait_for_the_look_up)
{
    fixture f;
    kit_gate *gate = kit_gate_new(k);

    prepare(&f, k);
    names_add("house", "127.0.0.1", 0);
    names_hold(gate);
    use_host(&f, "house");
    begin(&f);
    names_await_begun(1);
    CHECK_OK(iso_loop_close(f.loop));
    CHECK_EQ(names_ended(), 0);
    CHECK_RC(iso_future_error(f.future), ISO_ECANCELED);
    iso_future_release(f.future);
    kit_release_loop(k, f.loop);
    kit_gate_open(gate);
    names_await_ended(1); /* without the loop */
}

KIT_TEST(a_closing_loop_ends_attempts)
{
    deaf *selector;
    fixture f;

    prepare_deaf(&f, &selector, k, 1);
    names_add_address("house", &f.live);
    names_add_address("house", &f.live);
    begin(&f);
    (void)kit_run_until(k, f.loop, &selector->connects, 1);
    CHECK_OK(iso_loop_close(f.loop));
    CHECK_RC(iso_future_error(f.future), ISO_ECANCELED);
    CHECK_EQ(f.r.made_count, 0);
    iso_future_release(f.future);
}

KIT_TEST(a_closing_loop_ends_a_connection_before_it_is_made)
{
    fixture f;

    prepare(&f, k);
    use_host(&f, "127.0.0.1");
    begin(&f);
    run_until_unmade(&f);
    CHECK_OK(iso_loop_close(f.loop));
    CHECK_STR(kit_marks(k), "");
    CHECK_RC(iso_future_error(f.future), ISO_ECANCELED);
    iso_future_release(f.future);
}

KIT_TEST(a_closing_loop_ends_a_connection)
{
    fixture f;

    prepare(&f, k);
    use_host(&f, "127.0.0.1");
    CHECK_OK(connect_now(&f));
    CHECK_OK(iso_loop_close(f.loop));
    CHECK_STR(kit_marks(k), "made lost(ISO_ECLOSED)");
    CHECK_OK(iso_future_error(f.future));
    iso_future_release(f.future);
}

/* ---- a socket of the program's own ---- */

KIT_TEST(a_connected_socket_can_be_given)
{
    fixture f;
    iso_fd ends[2];

    prepare(&f, k);
    tcp_pair(k, ends);
    f.options.sock = kit_give(k, ends[0]);
    CHECK_OK(connect_now(&f));
    kit_send(k, ends[1], "hello", 5);
    (void)kit_run_until(k, f.loop, &f.r.data_count, 1);
    CHECK_STR(f.r.text, "hello");
    end(&f);
}

KIT_TEST(cancel_before_a_given_socket_is_made)
{
    fixture f;
    iso_fd ends[2];
    char byte;

    prepare(&f, k);
    kit_pair(k, ends);
    f.options.sock = kit_give(k, ends[0]);
    begin(&f);
    CHECK_OK(iso_future_cancel(f.future));
    end(&f);
    CHECK_EQ(kit_recv(k, ends[1], &byte, 1), 0); /* it was given, so it is closed */
}

static int create_now(iso_loop *loop, const iso_protocol *protocol,
                      const iso_connection_options *options)
{
    iso_future *future = NULL;
    int rc = iso_loop_create_connection(loop, protocol, NULL, options, &future);

    CHECK((rc == 0) == (future != NULL));
    iso_future_release(future);
    return rc;
}

KIT_TEST(a_socket_that_is_watched_is_refused_and_stays_the_callers)
{
    fixture f;
    iso_fd ends[2];

    prepare_with(&f, k, kit_native_loop(k));
    kit_pair(k, ends);
    CHECK_OK(iso_loop_add_reader(f.loop, ends[0], kit_nothing, NULL));
    f.options.sock = ends[0];
    CHECK_RC(create_now(f.loop, &recorder_protocol, &f.options), ISO_EBUSY);
    CHECK_OK(iso_loop_remove_reader(f.loop, ends[0]));
    end(&f);
}

KIT_TEST(a_socket_that_has_a_transport_is_refused)
{
    fixture f;
    iso_fd ends[2];

    prepare(&f, k);
    kit_pair(k, ends);
    f.options.sock = kit_give(k, ends[0]);
    CHECK_OK(connect_now(&f));
    CHECK_RC(create_now(f.loop, &recorder_protocol, &f.options), ISO_EBUSY);
    CHECK_EQ(f.r.lost_count, 0);
    end(&f);
}

KIT_TEST(a_socket_that_is_closed_is_refused)
{
    fixture f;
    iso_fd fd;

    prepare(&f, k);
    REQUIRE_OK(iso_socket_new(&fd, 4));
    REQUIRE_OK(iso_socket_close(fd));
    f.options.sock = fd;
    CHECK(create_now(f.loop, &recorder_protocol, &f.options) < 0);
    end(&f);
}

/* ---- what is refused ---- */

KIT_TEST(options_that_contradict_each_other_are_refused)
{
    const iso_connection_options none = ISO_CONNECTION_OPTIONS_INIT;
    iso_connection_options options;
    fixture f;
    iso_fd ends[2];

    prepare(&f, k);
    kit_pair(k, ends);
    use_host(&f, "127.0.0.1");
    CHECK_RC(create_now(NULL, &recorder_protocol, &f.options), ISO_EINVAL);
    CHECK_RC(create_now(f.loop, NULL, &f.options), ISO_EINVAL);
    CHECK_RC(create_now(f.loop, &recorder_protocol, NULL), ISO_EINVAL);
    CHECK_RC(create_now(f.loop, &recorder_protocol, &none), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "sock");
    options = none;
    options.host = "";
    CHECK_RC(create_now(f.loop, &recorder_protocol, &options), ISO_EINVAL);
    options = f.options;
    options.sock = ends[0];
    CHECK_RC(create_now(f.loop, &recorder_protocol, &options), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "sock");
    options = f.options;
    options.family = 5;
    CHECK_RC(create_now(f.loop, &recorder_protocol, &options), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "family");
    options = f.options;
    options.happy_eyeballs_delay = -1;
    CHECK_RC(create_now(f.loop, &recorder_protocol, &options), ISO_EINVAL);
    options = f.options;
    options.interleave = -1;
    CHECK_RC(create_now(f.loop, &recorder_protocol, &options), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "interleave");
    options = f.options;
    options.local_host = "localhost";
    CHECK_RC(create_now(f.loop, &recorder_protocol, &options), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "local_host");
    end(&f);
}

static void connect_from_elsewhere(void *arg)
{
    fixture *self = arg;

    CHECK_RC(create_now(self->loop, &recorder_protocol, &self->options), ISO_ETHREAD);
}

KIT_TEST(another_thread_is_refused)
{
    fixture f;

    prepare(&f, k);
    use_host(&f, "127.0.0.1");
    kit_thread(k, connect_from_elsewhere, &f);
    kit_join_all(k);
    end(&f);
}

KIT_TEST(a_closed_loop_is_refused)
{
    fixture f;

    prepare(&f, k);
    use_host(&f, "127.0.0.1");
    CHECK_OK(iso_loop_close(f.loop));
    CHECK_RC(create_now(f.loop, &recorder_protocol, &f.options), ISO_ECLOSED);
}

/* ---- limits ---- */

KIT_TEST(the_513th_socket_is_refused_by_the_call)
{
    iso_loop_options options = kit_options(k);
    int64_t used = 0;
    iso_address any;
    fixture f;
    int at;

    options.limits = "windows-selector";
    prepare_with(&f, k, kit_loop_with(k, &options));
    REQUIRE_OK(iso_address_parse(&any, "127.0.0.1", 0));
    CHECK_OK(iso_loop_limit_get(f.loop, ISO_LIMIT_SOCKETS, NULL, &used));
    for (at = (int)used; at < 512; at++) {
        iso_fd fd;

        /* of datagrams: one of streams that is not connected would not wait */
        REQUIRE_OK(iso_socket_new_datagram(&fd, 4));
        REQUIRE_OK(iso_socket_bind(kit_own(k, fd), &any));
        CHECK_OK(iso_loop_sock_recv(f.loop, fd, 1, NULL));
    }
    use_host(&f, "127.0.0.1");
    CHECK_RC(create_now(f.loop, &recorder_protocol, &f.options), ISO_ELIMIT);
    REQUIRE(iso_loop_last_limit(f.loop) != NULL);
    CHECK_STR(iso_loop_last_limit(f.loop)->id, "windows.selector.max_sockets");
    CHECK_OK(iso_loop_limit_get(f.loop, ISO_LIMIT_SOCKETS, NULL, &used));
    CHECK_EQ(used, 512);
    CHECK_OK(iso_loop_close(f.loop));
}

KIT_TEST(select_refuses_a_descriptor_beyond_its_set)
{
    fixture f;
    iso_fd ends[2];
    iso_fd high;

    prepare(&f, k);
    if (!iso_loop_limit_enforced(f.loop, "select.fd_setsize")) {
        (void)kit_skip(k, "select.fd_setsize");
        end(&f);
        return;
    }
    kit_pair(k, ends);
    high = kit_duplicate_above(k, ends[0], 1024);
    f.options.sock = high;
    CHECK_RC(create_now(f.loop, &recorder_protocol, &f.options), ISO_ELIMIT);
    REQUIRE(iso_loop_last_limit(f.loop) != NULL);
    CHECK_STR(iso_loop_last_limit(f.loop)->id, "select.fd_setsize");
    kit_close(k, high); /* it stayed the caller's */
    end(&f);
}

KIT_TEST(without_memory_the_call_says_so_and_leaves_nothing)
{
    fixture f;
    uint64_t nth;
    int rc = ISO_ENOMEM;

    prepare(&f, k);
    use_host(&f, "127.0.0.1");
    for (nth = 1; rc == ISO_ENOMEM && nth < 50; nth++) {
        kit_fail_allocation(k, nth, false);
        rc = iso_loop_create_connection(f.loop, &recorder_protocol, &f.r, &f.options, &f.future);
        kit_fail_allocation(k, 0, false);
        if (rc != 0) CHECK_EQ(kit_statistics(f.loop).objects, 0);
    }
    CHECK_OK(rc);
    CHECK_GE(nth, 3);
    CHECK_OK(finish(&f));
    end(&f);
}

KIT_TEST(without_memory_a_given_socket_stays_the_callers)
{
    fixture f;
    iso_fd ends[2];
    uint64_t nth;
    int rc = ISO_ENOMEM;

    prepare(&f, k);
    kit_pair(k, ends);
    f.options.sock = ends[0];
    for (nth = 1; rc == ISO_ENOMEM && nth < 50; nth++) {
        kit_fail_allocation(k, nth, false);
        rc = iso_loop_create_connection(f.loop, &recorder_protocol, &f.r, &f.options, &f.future);
        kit_fail_allocation(k, 0, false);
        if (rc == 0) break;
        CHECK_EQ(kit_statistics(f.loop).objects, 0);
        CHECK_EQ(iso__sys_socket_send(ends[0], "x", 1), 1); /* open */
    }
    CHECK_OK(rc);
    (void)kit_give(k, ends[0]);
    CHECK_OK(finish(&f));
    end(&f);
}

static const kit_case cases[] = {
    KIT_CASE(a_literal_is_connected_to_without_a_look_up),
    KIT_CASE(the_future_is_done_after_connection_made),
    KIT_CASE(a_name_is_looked_up_by_a_thread),
    KIT_CASE(an_unknown_name_ends_the_future),
    KIT_CASE(family_chooses_among_the_addresses_of_a_name),
    KIT_CASE(a_literal_of_the_other_family_is_not_known),
    KIT_CASE(it_connects_by_ipv6),
    KIT_CASE(every_address_is_tried_in_turn),
    KIT_CASE(no_address_is_tried_after_the_one_that_answers),
    KIT_CASE(when_all_fail_the_last_error_ends_the_future),
    KIT_CASE(a_refused_port_ends_the_future),
    KIT_CASE(an_error_without_a_future_is_reported),
    KIT_CASE(a_connection_needs_no_future),
    KIT_CASE(a_name_may_have_dozens_of_addresses),
    KIT_CASE(a_local_address_is_bound_to),
    KIT_CASE(a_local_port_is_bound_to),
    KIT_CASE(a_local_address_of_the_other_family_fails_the_attempt),
    KIT_CASE(the_next_address_is_tried_after_the_delay),
    KIT_CASE(each_address_has_its_delay),
    KIT_CASE(an_address_that_fails_is_followed_at_once),
    KIT_CASE(the_first_address_may_still_win),
    KIT_CASE(two_that_answer_in_the_same_turn_make_one_connection),
    KIT_CASE(a_failure_while_another_is_under_way_is_not_the_end),
    KIT_CASE(when_all_that_are_under_way_fail_it_ends),
    KIT_CASE(without_a_delay_an_address_that_hangs_is_waited_for),
    KIT_CASE(without_interleave_the_order_is_the_name_services),
    KIT_CASE(interleave_alternates_families),
    KIT_CASE(interleave_begins_with_as_many_of_the_first_family),
    KIT_CASE(interleave_may_ask_for_more_than_there_are),
    KIT_CASE(interleave_takes_the_family_that_comes_first),
    KIT_CASE(interleave_of_one_family_changes_nothing),
    KIT_CASE(interleave_sorts_what_is_mixed),
    KIT_CASE(happy_eyeballs_interleave_by_themselves),
    KIT_CASE(cancel_while_the_name_is_looked_up),
    KIT_CASE(cancel_while_it_connects),
    KIT_CASE(cancel_while_it_waits_for_the_delay),
    KIT_CASE(cancel_between_connect_and_connection_made),
    KIT_CASE(cancel_within_connection_made),
    KIT_CASE(cancel_is_too_late_after_connection_made),
    KIT_CASE(close_within_connection_made_still_ends_the_future_well),
    KIT_CASE(a_closing_loop_does_not_wait_for_the_look_up),
    KIT_CASE(a_closing_loop_ends_attempts),
    KIT_CASE(a_closing_loop_ends_a_connection_before_it_is_made),
    KIT_CASE(a_closing_loop_ends_a_connection),
    KIT_CASE(a_connected_socket_can_be_given),
    KIT_CASE(cancel_before_a_given_socket_is_made),
    KIT_CASE(a_socket_that_is_watched_is_refused_and_stays_the_callers),
    KIT_CASE(a_socket_that_has_a_transport_is_refused),
    KIT_CASE(a_socket_that_is_closed_is_refused),
    KIT_CASE(options_that_contradict_each_other_are_refused),
    KIT_CASE(another_thread_is_refused),
    KIT_CASE(a_closed_loop_is_refused),
    KIT_CASE(the_513th_socket_is_refused_by_the_call),
    KIT_CASE(select_refuses_a_descriptor_beyond_its_set),
    KIT_CASE(without_memory_the_call_says_so_and_leaves_nothing),
    KIT_CASE(without_memory_a_given_socket_stays_the_callers),
};

KIT_MAIN(cases)
