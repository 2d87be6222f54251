/* SPDX-License-Identifier: MIT */
/* getaddrinfo and getnameinfo, and the threads that look names up, over a name service of the
 * tests' own. The system's is asked in test_resolve_system.c. */
#include "io/names.h"
#include "kit.h"
#include "loop/loop.h"
#include "loop/resolve.h"
#include "loop/thread_pool.h"

#include <stdio.h>
#include <string.h>

enum { AT_ONCE = 8, MANY = 20 };

static iso_loop *prepare(kit *k)
{
    names_clear();
    names_add("house", "127.0.0.1", 0);
    names_add("house", "::1", 0);
    return kit_loop(k);
}

static iso_addrinfo_options options_of(int family, int type, int protocol, unsigned flags)
{
    iso_addrinfo_options options = ISO_ADDRINFO_OPTIONS_INIT;

    options.family = family;
    options.type = type;
    options.protocol = protocol;
    options.flags = flags;
    return options;
}

/* "4s6:80 6d17:80": family, type, protocol and port of each. */
static const char *text_of(iso_future *future)
{
    static char text[512];
    void *result = NULL;
    intptr_t count = 0;
    const iso_addrinfo *at;
    size_t used = 0;

    text[0] = '\0';
    CHECK_OK(iso_future_result(future, &result));
    CHECK_OK(iso_future_number(future, &count));
    for (at = result; count-- > 0; at++) {
        CHECK_EQ(iso_address_version(&at->address), at->family);
        (void)snprintf(text + used, sizeof(text) - used, "%s%d%c%d:%u", used == 0 ? "" : " ",
                       at->family, "?sdr"[at->type], at -> protocol,
                       (unsigned)iso_address_port(&at->address));
        used = strlen(text);
    }
    return text;
}

static void check_names(kit *k, const char *host, const char *service,
                        const iso_addrinfo_options *options, const char *expected)
{
    iso_loop *loop = prepare(k);
    iso_future *future = NULL;

    REQUIRE_OK(iso_loop_getaddrinfo(loop, host, service, options, &future));
    CHECK_OK(kit_run(k, loop, future));
    CHECK_STR(text_of(future), expected);
    iso_future_release(future);
}

static void check_error(kit *k, const char *host, const char *service,
                        const iso_addrinfo_options *options, int error)
{
    iso_loop *loop = prepare(k);
    iso_future *future = NULL;

    REQUIRE_OK(iso_loop_getaddrinfo(loop, host, service, options, &future));
    CHECK_RC(kit_run_release(k, loop, future), error);
}

/* ---- names ---- */

KIT_TEST(a_name_has_streams_and_datagrams)
{
    check_names(k, "house", "80", NULL, "4s6:80 4d17:80 6s6:80 6d17:80");
}

KIT_TEST(type_and_family_choose)
{
    iso_addrinfo_options options = options_of(6, ISO_SOCK_DGRAM, 0, 0);

    check_names(k, "house", "53", &options, "6d17:53");
}

KIT_TEST(without_a_service_the_port_is_0)
{
    iso_addrinfo_options options = options_of(4, 0, 0, 0);

    check_names(k, "house", NULL, &options, "4s6:0 4d17:0");
    check_names(k, "house", "", &options, "4s6:0 4d17:0");
}

KIT_TEST(an_unknown_name_ends_the_future)
{
    check_error(k, "nowhere", "80", NULL, ISO_ENONAME);
}

KIT_TEST(the_canonical_name_is_the_firsts)
{
    iso_addrinfo_options options = options_of(0, 0, 0, ISO_AI_CANONNAME);
    iso_loop *loop = prepare(k);
    iso_future *future = NULL;
    void *result = NULL;

    REQUIRE_OK(iso_loop_getaddrinfo(loop, "house", "80", &options, &future));
    CHECK_OK(kit_run(k, loop, future));
    CHECK_OK(iso_future_result(future, &result));
    CHECK_STR(((const iso_addrinfo *)result)[0].canonname, "its.name");
    CHECK_STR(((const iso_addrinfo *)result)[1].canonname, "");
    iso_future_release(future);
}

KIT_TEST(a_scope_survives)
{
    iso_addrinfo_options options = options_of(6, ISO_SOCK_STREAM, 0, 0);
    iso_loop *loop = prepare(k);
    iso_future *future = NULL;
    void *result = NULL;
    iso_address wanted;

    names_add("link", "fe80::1%1", 0);
    REQUIRE_OK(iso_address_parse(&wanted, "fe80::1%1", 7));
    REQUIRE_OK(iso_loop_getaddrinfo(loop, "link", "7", &options, &future));
    CHECK_OK(kit_run(k, loop, future));
    CHECK_OK(iso_future_result(future, &result));
    CHECK(memcmp(&((const iso_addrinfo *)result)->address, &wanted, sizeof(wanted)) == 0);
    iso_future_release(future);
    /* in a literal, too */
    REQUIRE_OK(iso_loop_getaddrinfo(loop, "fe80::1%1", "7", &options, &future));
    CHECK_OK(iso_future_result(future, &result));
    CHECK(memcmp(&((const iso_addrinfo *)result)->address, &wanted, sizeof(wanted)) == 0);
    iso_future_release(future);
}

KIT_TEST(the_texts_may_go_after_the_call)
{
    iso_loop *loop = prepare(k);
    kit_gate *gate = kit_gate_new(k);
    iso_addrinfo_options options = options_of(4, ISO_SOCK_STREAM, 0, 0);
    iso_future *future = NULL;
    char host[8] = "house";
    char service[8] = "80";

    names_hold(gate);
    REQUIRE_OK(iso_loop_getaddrinfo(loop, host, service, &options, &future));
    memset(host, 'x', sizeof(host) - 1);
    memset(service, '1', sizeof(service) - 1);
    memset(&options, 0xFF, sizeof(options));
    kit_gate_open(gate);
    CHECK_OK(kit_run(k, loop, future));
    CHECK_STR(text_of(future), "4s6:80");
    iso_future_release(future);
}

KIT_TEST(nobody_needs_to_hold_the_future)
{
    iso_loop *loop = prepare(k);

    REQUIRE_OK(iso_loop_getaddrinfo(loop, "house", "80", NULL, NULL));
    REQUIRE_OK(iso_loop_getaddrinfo(loop, "127.0.0.1", "80", NULL, NULL));
    while (kit_statistics(loop).objects > 0 && CHECK_GE(iso_loop_run_once(loop, ISO_S(30)), 0)) {}
    CHECK_EQ(names_ended(), 1);
}

/* ---- literals ---- */

static void check_literal(kit *k, const char *host, const char *service,
                          const iso_addrinfo_options *options, const char *expected)
{
    iso_loop *loop = prepare(k);
    iso_future *future = NULL;

    REQUIRE_OK(iso_loop_getaddrinfo(loop, host, service, options, &future));
    CHECK(iso_future_done(future)); /* at once, */
    CHECK_STR(text_of(future), expected);
    CHECK_EQ(names_begun(), 0);             /* without a look-up, */
    CHECK(loop->executor_of_names == NULL); /* and without a thread */
    CHECK_OK(iso_future_add_done_callback(future, kit_mark_future, "f"));
    kit_settle(k, loop);
    CHECK_STR(kit_marks(k), "f");
    kit_clear_marks(k);
    iso_future_release(future);
}

KIT_TEST(a_literal_is_no_look_up)
{
    iso_addrinfo_options stream = options_of(0, ISO_SOCK_STREAM, 0, 0);
    iso_addrinfo_options datagram = options_of(6, ISO_SOCK_DGRAM, 0, ISO_AI_NUMERICHOST);
    iso_addrinfo_options tcp = options_of(0, 0, 6, 0);
    iso_addrinfo_options udp = options_of(4, 0, 17, ISO_AI_NUMERICSERV);

    check_literal(k, "127.0.0.1", "80", NULL, "4s6:80 4d17:80");
    check_literal(k, "::1", "65535", NULL, "6s6:65535 6d17:65535");
    check_literal(k, "127.0.0.1", NULL, &stream, "4s6:0");
    check_literal(k, "::1", "0053", &datagram, "6d17:53");
    check_literal(k, "127.0.0.1", "80", &tcp, "4s6:80");
    check_literal(k, "127.0.0.1", "80", &udp, "4d17:80");
}

KIT_TEST(a_literal_has_its_own_name)
{
    iso_addrinfo_options options = options_of(0, 0, 0, ISO_AI_CANONNAME);
    iso_loop *loop = prepare(k);
    iso_future *future = NULL;
    void *result = NULL;

    REQUIRE_OK(iso_loop_getaddrinfo(loop, "::1", "80", &options, &future));
    CHECK_OK(iso_future_result(future, &result));
    CHECK_STR(((const iso_addrinfo *)result)->canonname, "::1");
    iso_future_release(future);
}

/* Also without a look-up. */
static void check_refused(kit *k, const char *host, const char *service,
                          const iso_addrinfo_options *options, int error)
{
    iso_loop *loop = prepare(k);
    iso_future *future = NULL;

    REQUIRE_OK(iso_loop_getaddrinfo(loop, host, service, options, &future));
    CHECK(iso_future_done(future));
    CHECK_RC(iso_future_error(future), error);
    CHECK_EQ(names_begun(), 0);
    iso_future_release(future);
}

KIT_TEST(what_cannot_be_is_told_without_a_look_up)
{
    iso_addrinfo_options six = options_of(6, 0, 0, 0);

    check_refused(k, "127.0.0.1", "80", &six, ISO_ENONAME);
    check_refused(k, "", "80", NULL, ISO_ENONAME);
    check_refused(k, "house", "65536", NULL, ISO_ENOSERVICE);
    check_refused(k, "127.0.0.1", "99999999999999999999", NULL, ISO_ENOSERVICE);
    check_refused(k, NULL, "70000", NULL, ISO_ENOSERVICE);
}

static void check_asked(kit *k, const char *host, const char *service,
                        const iso_addrinfo_options *options)
{
    iso_loop *loop = prepare(k);
    iso_future *future = NULL;

    REQUIRE_OK(iso_loop_getaddrinfo(loop, host, service, options, &future));
    CHECK_RC(kit_run_release(k, loop, future), ISO_ENONAME); /* by the tests' service */
    CHECK_EQ(names_begun(), 1);
}

KIT_TEST(what_only_the_system_knows_is_looked_up)
{
    iso_addrinfo_options mapped = options_of(6, 0, 0, ISO_AI_V4MAPPED);
    iso_addrinfo_options raw = options_of(0, ISO_SOCK_RAW, 0, 0);
    iso_addrinfo_options sctp = options_of(0, ISO_SOCK_STREAM, 132, 0);

    check_asked(k, "127.0.0.1", "http", NULL);
    check_asked(k, "127.0.0.1", "-1", NULL);
    check_asked(k, "127.0.0.1", "80", &mapped);
    check_asked(k, "127.0.0.1", "80", &raw);
    check_asked(k, "127.0.0.1", "80", &sctp);
    check_asked(k, NULL, "80", NULL);
}

/* ---- back ---- */

KIT_TEST(an_address_has_a_name)
{
    iso_loop *loop = prepare(k);
    iso_future *future = NULL;
    const iso_nameinfo *info;
    void *result = NULL;
    iso_address address;

    REQUIRE_OK(iso_address_parse(&address, "127.0.0.1", 80));
    REQUIRE_OK(iso_loop_getnameinfo(loop, &address, 0, &future));
    memset(&address, 0xFF, sizeof(address)); /* it was borrowed for the call */
    CHECK(!iso_future_done(future));
    CHECK_OK(kit_run(k, loop, future));
    CHECK_OK(iso_future_result(future, &result));
    info = result;
    CHECK_STR(info->host, "house");
    CHECK_STR(info->service, "port80");
    iso_future_release(future);
}

KIT_TEST(an_address_may_have_none)
{
    iso_loop *loop = prepare(k);
    iso_future *future = NULL;
    iso_address address;

    REQUIRE_OK(iso_address_parse(&address, "192.0.2.1", 80));
    REQUIRE_OK(iso_loop_getnameinfo(loop, &address, ISO_NI_NAMEREQD, &future));
    CHECK_RC(kit_run_release(k, loop, future), ISO_ENONAME);
}

KIT_TEST(numbers_need_no_look_up)
{
    static const char *const literals[] = { "127.0.0.1", "::1", "2001:db8::7" };
    iso_loop *loop = prepare(k);
    size_t at;

    for (at = 0; at < ISO__COUNT(literals); at++) {
        iso_future *future = NULL;
        void *result = NULL;
        iso_address address;

        REQUIRE_OK(iso_address_parse(&address, literals[at], 8080));
        REQUIRE_OK(
            iso_loop_getnameinfo(loop, &address, ISO_NI_NUMERICHOST | ISO_NI_NUMERICSERV, &future));
        CHECK(iso_future_done(future));
        CHECK_OK(iso_future_result(future, &result));
        CHECK_STR(((const iso_nameinfo *)result)->host, literals[at]);
        CHECK_STR(((const iso_nameinfo *)result)->service, "8080");
        iso_future_release(future);
    }
    CHECK_EQ(names_begun(), 0);
}

/* ---- arguments ---- */

KIT_TEST(wrong_calls_are_refused)
{
    iso_addrinfo_options family = options_of(5, 0, 0, 0);
    iso_addrinfo_options type = options_of(0, 4, 0, 0);
    iso_addrinfo_options protocol = options_of(0, 0, -1, 0);
    iso_addrinfo_options flags = options_of(0, 0, 0, 128);
    iso_addrinfo_options stream = options_of(0, ISO_SOCK_STREAM, 17, 0);
    iso_addrinfo_options datagram = options_of(0, ISO_SOCK_DGRAM, 6, 0);
    iso_loop *loop = prepare(k);
    iso_future *future = NULL;
    iso_address address = { 0 };

    CHECK_RC(iso_loop_getaddrinfo(NULL, "x", NULL, NULL, &future), ISO_EINVAL);
    CHECK_RC(iso_loop_getaddrinfo(loop, NULL, NULL, NULL, &future), ISO_EINVAL);
    CHECK_RC(iso_loop_getaddrinfo(loop, NULL, "", NULL, &future), ISO_EINVAL);
    CHECK_RC(iso_loop_getaddrinfo(loop, "x", NULL, &family, &future), ISO_EINVAL);
    CHECK_RC(iso_loop_getaddrinfo(loop, "x", NULL, &type, &future), ISO_EINVAL);
    CHECK_RC(iso_loop_getaddrinfo(loop, "x", NULL, &protocol, &future), ISO_EINVAL);
    CHECK_RC(iso_loop_getaddrinfo(loop, "x", NULL, &flags, &future), ISO_EINVAL);
    CHECK_RC(iso_loop_getaddrinfo(loop, "::1", NULL, &stream, &future), ISO_EINVAL);
    CHECK_RC(iso_loop_getaddrinfo(loop, "::1", NULL, &datagram, &future), ISO_EINVAL);
    CHECK_RC(iso_loop_getnameinfo(loop, NULL, 0, &future), ISO_EINVAL);
    CHECK_RC(iso_loop_getnameinfo(loop, &address, 0, &future), ISO_EINVAL);
    CHECK_RC(iso_loop_getnameinfo(NULL, &address, 0, &future), ISO_EINVAL);
    CHECK_OK(iso_address_parse(&address, "127.0.0.1", 1));
    CHECK_RC(iso_loop_getnameinfo(loop, &address, 32, &future), ISO_EINVAL);
    CHECK_OK(iso_loop_close(loop));
    CHECK_RC(iso_loop_getaddrinfo(loop, "127.0.0.1", NULL, NULL, &future), ISO_ECLOSED);
    CHECK_RC(iso_loop_getnameinfo(loop, &address, 3, &future), ISO_ECLOSED);
    CHECK_PTR(future, NULL);
    CHECK_EQ(names_begun(), 0);
}

static void call_from_elsewhere(void *loop)
{
    iso_future *future = NULL;
    iso_address address;

    CHECK_OK(iso_address_parse(&address, "127.0.0.1", 1));
    CHECK_RC(iso_loop_getaddrinfo(loop, "127.0.0.1", NULL, NULL, &future), ISO_ETHREAD);
    CHECK_RC(iso_loop_getnameinfo(loop, &address, 3, &future), ISO_ETHREAD);
    CHECK_PTR(future, NULL);
}

KIT_TEST(only_the_loops_thread_may_call)
{
    kit_thread(k, call_from_elsewhere, prepare(k));
    kit_join_all(k);
}

/* ---- the threads ---- */

static int state_of(const iso_loop *loop, int which)
{
    iso__thread_pool_state state;

    REQUIRE(iso__thread_pool_look(loop->executor_of_names, &state));
    return which == 't' ? state.threads : state.waiting;
}

static void ask_many(iso_loop *loop, iso_future **futures)
{
    int at;

    for (at = 0; at < MANY; at++)
        REQUIRE_OK(iso_loop_getaddrinfo(loop, "house", "80", NULL, &futures[at]));
}

KIT_TEST(some_are_looked_up_at_once_and_no_more)
{
    iso_loop *loop = prepare(k);
    kit_gate *gate = kit_gate_new(k);
    iso_future *futures[MANY];
    int at;

    names_hold(gate);
    ask_many(loop, futures);
    names_await_begun(AT_ONCE);
    CHECK_EQ(state_of(loop, 't'), AT_ONCE);
    CHECK_EQ(state_of(loop, 'w'), MANY - AT_ONCE);
    CHECK_EQ(names_begun(), AT_ONCE);
    kit_gate_open(gate);
    for (at = 0; at < MANY; at++) {
        CHECK_OK(kit_run(k, loop, futures[at]));
        CHECK_STR(text_of(futures[at]), "4s6:80 4d17:80 6s6:80 6d17:80");
        iso_future_release(futures[at]);
    }
}

static int do_nothing(void *arg, void **result)
{
    (void)arg;
    (void)result;
    return 0;
}

KIT_TEST(slow_names_do_not_keep_work_back)
{
    iso_loop *loop = prepare(k);
    kit_gate *gate = kit_gate_new(k);
    iso_future *futures[MANY];
    iso_future *work = NULL;
    int at;

    names_hold(gate);
    ask_many(loop, futures);
    REQUIRE_OK(iso_loop_run_in_executor(loop, NULL, do_nothing, NULL, &work));
    CHECK_OK(kit_run_release(k, loop, work));
    CHECK_EQ(names_ended(), 0);
    kit_gate_open(gate);
    for (at = 0; at < MANY; at++) CHECK_OK(kit_run_release(k, loop, futures[at]));
}

static int wait_at(void *gate, void **result)
{
    (void)result;
    kit_gate_wait(gate);
    return 0;
}

KIT_TEST(slow_work_does_not_keep_names_back)
{
    iso_thread_pool_executor_options options = ISO_THREAD_POOL_EXECUTOR_OPTIONS_INIT;
    iso_loop *loop = prepare(k);
    kit_gate *gate = kit_gate_new(k);
    iso_executor *pool = NULL;
    iso_future *work[2];
    iso_future *future = NULL;

    options.max_workers = 1;
    REQUIRE_OK(iso_thread_pool_executor_new(&pool, &options));
    CHECK_OK(iso_loop_set_default_executor(loop, pool));
    REQUIRE_OK(iso_loop_run_in_executor(loop, NULL, wait_at, gate, &work[0]));
    REQUIRE_OK(iso_loop_run_in_executor(loop, NULL, wait_at, gate, &work[1]));
    REQUIRE_OK(iso_loop_getaddrinfo(loop, "house", "80", NULL, &future));
    CHECK_OK(kit_run_release(k, loop, future));
    CHECK(!iso_future_done(work[0]));
    kit_gate_open(gate);
    CHECK_OK(kit_run_release(k, loop, work[0]));
    CHECK_OK(kit_run_release(k, loop, work[1]));
    CHECK_OK(iso_executor_shutdown(pool, true, false));
    iso_executor_release(pool);
}

KIT_TEST(names_do_not_need_the_default_executor)
{
    iso_loop *loop = prepare(k);
    iso_future *future = NULL;

    CHECK_OK(iso_loop_shutdown_default_executor(loop, ISO_FOREVER, NULL));
    REQUIRE_OK(iso_loop_getaddrinfo(loop, "house", "80", NULL, &future));
    CHECK_OK(kit_run_release(k, loop, future));
}

/* ---- giving up ---- */

KIT_TEST(cancelled_before_it_begins_it_is_never_looked_up)
{
    iso_loop *loop = prepare(k);
    kit_gate *gate = kit_gate_new(k);
    iso_future *futures[MANY];
    int at;

    names_hold(gate);
    ask_many(loop, futures);
    names_await_begun(AT_ONCE);
    for (at = AT_ONCE; at < MANY; at++) CHECK_OK(iso_future_cancel(futures[at]));
    CHECK_EQ(state_of(loop, 'w'), 0);
    kit_gate_open(gate);
    for (at = 0; at < AT_ONCE; at++) CHECK_OK(kit_run(k, loop, futures[at]));
    CHECK_EQ(names_begun(), AT_ONCE);
    for (at = 0; at < MANY; at++) iso_future_release(futures[at]);
}

KIT_TEST(cancelled_in_flight_it_ends_at_once)
{
    iso_loop *loop = prepare(k);
    kit_gate *gate = kit_gate_new(k);
    iso_future *names = NULL;
    iso_future *future = NULL;
    iso_address address;

    names_hold(gate);
    REQUIRE_OK(iso_address_parse(&address, "127.0.0.1", 80));
    REQUIRE_OK(iso_loop_getaddrinfo(loop, "house", "80", NULL, &future));
    REQUIRE_OK(iso_loop_getnameinfo(loop, &address, 0, &names));
    names_await_begun(2);
    CHECK_OK(iso_future_cancel(future));
    CHECK_OK(iso_future_cancel(names));
    CHECK(iso_future_cancelled(future));
    CHECK_EQ(kit_statistics(loop).objects, 0);
    kit_gate_open(gate);
    names_await_ended(2);
    kit_settle(k, loop);
    iso_future_release(future);
    iso_future_release(names);
}

/* What the threads still have is memory of malloc's: to see it given back they must have ended. */
static void await_threads(iso_executor *executor)
{
    CHECK_OK(iso_executor_shutdown(executor, true, false));
    iso_executor_release(executor);
}

KIT_TEST(a_closing_loop_does_not_wait_for_names)
{
    iso_loop *loop = prepare(k);
    kit_gate *gate = kit_gate_new(k);
    iso_future *futures[MANY];
    iso_executor *threads;
    int at;

    names_hold(gate);
    ask_many(loop, futures);
    names_await_begun(AT_ONCE);
    threads = iso_executor_ref(loop->executor_of_names);
    CHECK_OK(iso_loop_close(loop));
    CHECK_EQ(names_ended(), 0);
    for (at = 0; at < MANY; at++) {
        CHECK(iso_future_cancelled(futures[at]));
        iso_future_release(futures[at]);
    }
    kit_release_loop(k, loop);
    kit_gate_open(gate);
    await_threads(threads);
    CHECK_EQ(names_begun(), AT_ONCE); /* those that waited were never looked up */
}

KIT_TEST(debug_mode_tells_of_names_under_way)
{
    iso_loop_options options = kit_options(k);
    kit_gate *gate = kit_gate_new(k);
    iso_loop *loop;

    (void)prepare(k);
    names_hold(gate);
    options.debug = true;
    loop = kit_loop_with(k, &options);
    REQUIRE_OK(iso_loop_getaddrinfo(loop, "house", "80", NULL, NULL));
    names_await_begun(1);
    CHECK_OK(iso_loop_close(loop));
    CHECK(kit_logged(k, "look-up of a name"));
    kit_gate_open(gate);
    names_await_ended(1);
}

KIT_TEST(loops_close_whatever_their_names_do)
{
    enum { ROUNDS = 60 };
    int round;
    int at;

    for (round = 0; round < ROUNDS; round++) {
        iso_loop *loop = prepare(k);
        iso_future *futures[MANY];
        iso_executor *threads;

        ask_many(loop, futures);
        for (at = 0; at < round % 4; at++) CHECK_GE(iso_loop_run_once(loop, 0), 0);
        for (at = 0; at < MANY; at += 3) (void)iso_future_cancel(futures[at]);
        threads = iso_executor_ref(loop->executor_of_names);
        CHECK_OK(iso_loop_close(loop));
        for (at = 0; at < MANY; at++) {
            CHECK(iso_future_done(futures[at]));
            iso_future_release(futures[at]);
        }
        kit_release_loop(k, loop);
        await_threads(threads);
    }
}

/* ---- memory ---- */

static void ask_once(kit *k, iso_loop *loop)
{
    iso_future *futures[4] = { NULL, NULL, NULL, NULL };
    iso_address address;
    int rcs[4];
    int at;

    REQUIRE_OK(iso_address_parse(&address, "127.0.0.1", 80));
    rcs[0] = iso_loop_getaddrinfo(loop, "house", "80", NULL, &futures[0]);
    rcs[1] = iso_loop_getaddrinfo(loop, "127.0.0.1", "80", NULL, &futures[1]);
    rcs[2] = iso_loop_getnameinfo(loop, &address, 0, &futures[2]);
    rcs[3] = iso_loop_getnameinfo(loop, &address, 3, &futures[3]);
    for (at = 0; at < 4; at++) {
        int rc = rcs[at];

        CHECK((rc == 0) == (futures[at] != NULL));
        /* not kit_run: it needs memory for its timer */
        while (rc == 0 && !iso_future_done(futures[at]))
            CHECK_GE(iso_loop_run_once(loop, ISO_S(30)), 0);
        if (rc == 0) rc = iso_future_error(futures[at]);
        if (rc != 0) CHECK_RC(rc, ISO_ENOMEM);
        iso_future_release(futures[at]);
    }
    kit_fail_allocation(k, 0, false);
}

KIT_TEST(every_allocation_may_fail)
{
    uint64_t nth = 1;
    uint64_t before;

    do {
        iso_loop *loop = prepare(k);

        before = kit_memory_now(k).failures;
        kit_fail_allocation(k, nth++, false);
        ask_once(k, loop);
        kit_release_loop(k, loop);
    } while (kit_memory_now(k).failures > before && !kit_has_failed(k) && nth < 100);
    CHECK_GE(nth, 8); /* of each a look-up, a future and what it ends with */
    CHECK_LE(nth, 40);
}

static const kit_case cases[] = {
    KIT_CASE(a_name_has_streams_and_datagrams),
    KIT_CASE(type_and_family_choose),
    KIT_CASE(without_a_service_the_port_is_0),
    KIT_CASE(an_unknown_name_ends_the_future),
    KIT_CASE(the_canonical_name_is_the_firsts),
    KIT_CASE(a_scope_survives),
    KIT_CASE(the_texts_may_go_after_the_call),
    KIT_CASE(nobody_needs_to_hold_the_future),
    KIT_CASE(a_literal_is_no_look_up),
    KIT_CASE(a_literal_has_its_own_name),
    KIT_CASE(what_cannot_be_is_told_without_a_look_up),
    KIT_CASE(what_only_the_system_knows_is_looked_up),
    KIT_CASE(an_address_has_a_name),
    KIT_CASE(an_address_may_have_none),
    KIT_CASE(numbers_need_no_look_up),
    KIT_CASE(wrong_calls_are_refused),
    KIT_CASE(only_the_loops_thread_may_call),
    KIT_CASE(some_are_looked_up_at_once_and_no_more),
    KIT_CASE(slow_names_do_not_keep_work_back),
    KIT_CASE(slow_work_does_not_keep_names_back),
    KIT_CASE(names_do_not_need_the_default_executor),
    KIT_CASE(cancelled_before_it_begins_it_is_never_looked_up),
    KIT_CASE(cancelled_in_flight_it_ends_at_once),
    KIT_CASE(a_closing_loop_does_not_wait_for_names),
    KIT_CASE(debug_mode_tells_of_names_under_way),
    KIT_CASE(loops_close_whatever_their_names_do),
    KIT_CASE(every_allocation_may_fail),
};

KIT_MAIN(cases)
