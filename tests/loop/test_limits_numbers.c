/* SPDX-License-Identifier: MIT */
/* The descriptors of the process: how many there are, and what the calls of a loop's answer when
 * there is none left. */
#include "base/limits.h"
#include "kit.h"
#include "loop/loop.h"
#include "sys/descriptor.h"

#include <signal.h>
#include <string.h>

static const iso_protocol quiet = { .connection_made = NULL };

static int64_t open_count(const iso_loop *loop)
{
    int64_t used = 0;

    CHECK_OK(iso_loop_limit_get(loop, ISO_LIMIT_OPEN, NULL, &used));
    return used;
}

KIT_TEST(the_open_descriptors_are_counted_where_the_system_tells)
{
    iso_loop *loop = kit_loop(k);
    int64_t max = 0;
    int64_t before = open_count(loop);
    iso_fd ends[2];

    CHECK_OK(iso_loop_limit_get(loop, ISO_LIMIT_OPEN, &max, NULL));
    CHECK(max == iso__sys_descriptor_limit());
    if (before == -1) return; /* FreeBSD, NetBSD, Wine */
    CHECK_GE(before, 3);
    kit_pair(k, ends);
    if (iso__platform == ISO__ON_WINDOWS) {
        CHECK_GE(open_count(loop), before + 2); /* handles of other threads come and go */
        return;
    }
    CHECK_EQ(open_count(loop), before + 2);
    CHECK_EQ(open_count(loop), before + 2); /* and counting takes none */
    kit_close(k, ends[0]);
    CHECK_EQ(open_count(loop), before + 1);
}

KIT_TEST(without_a_descriptor_all_are_in_use)
{
    iso_loop *loop = kit_loop(k);
    int64_t max = 0;
    int64_t used = 0;

    if (open_count(loop) == -1 || !kit_exhaust(k)) return;
    CHECK_OK(iso_loop_limit_get(loop, ISO_LIMIT_OPEN, &max, &used));
    CHECK_EQ(used, max);
}

/* ---- no descriptor left ---- */

static void demand_row(const iso_loop *loop, int error, int64_t limit)
{
    const iso_limit *last = iso_loop_last_limit(loop);

    if (!CHECK(last != NULL)) return;
    CHECK_STR(last->id, "process.descriptors");
    CHECK_RC(last->error, error);
    CHECK_EQ(last->limit, limit);
    CHECK_EQ(last->used, limit);
}

/* A call, and what its future, if it made one, has ended with by then. */
static int outcome(kit *k, iso_loop *loop, int rc, iso_future *future)
{
    if (rc != 0) return rc;
    if (!iso_future_done(future)) kit_settle(k, loop);
    rc = iso_future_error(future);
    iso_future_release(future);
    return rc;
}

static int try_server(kit *k, iso_loop *loop)
{
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    iso_future *future = NULL;
    int rc;

    options.host = "127.0.0.1";
    rc = iso_loop_create_server(loop, &quiet, NULL, &options, &future);
    return outcome(k, loop, rc, future);
}

static int try_connection(kit *k, iso_loop *loop)
{
    iso_connection_options options = ISO_CONNECTION_OPTIONS_INIT;
    iso_future *future = NULL;
    int rc;

    options.host = "127.0.0.1";
    options.port = 9;
    rc = iso_loop_create_connection(loop, &quiet, NULL, &options, &future);
    return outcome(k, loop, rc, future);
}

static int try_datagram(kit *k, iso_loop *loop)
{
    static const iso_datagram_protocol nothing = { .connection_made = NULL };
    iso_datagram_options options = ISO_DATAGRAM_OPTIONS_INIT;
    iso_future *future = NULL;
    int rc;

    options.local_host = "127.0.0.1";
    rc = iso_loop_create_datagram_endpoint(loop, &nothing, NULL, &options, &future);
    return outcome(k, loop, rc, future);
}

static int try_unix_server(kit *k, iso_loop *loop)
{
    iso_unix_server_options options = ISO_UNIX_SERVER_OPTIONS_INIT;
    iso_future *future = NULL;
    int rc;

    options.path = "no-folder/of-this-name/s";
    rc = iso_loop_create_unix_server(loop, &quiet, NULL, &options, &future);
    return outcome(k, loop, rc, future);
}

static int try_process(kit *k, iso_loop *loop)
{
    static const iso_subprocess_protocol nothing = { .connection_made = NULL };
    static const char *const argv[] = { "a program", NULL };
    iso_future *future = NULL;
    int rc = iso_loop_subprocess_exec(loop, &nothing, NULL, argv, NULL, &future);

    return outcome(k, loop, rc, future);
}

static int try_signal(kit *k, iso_loop *loop)
{
    (void)k;
    return iso_loop_add_signal_handler(loop, SIGTERM, kit_nothing, NULL);
}

KIT_TEST(every_call_that_opens_a_descriptor_names_the_row)
{
    static int (*const tries[])(kit * k, iso_loop * loop) = {
        try_server, try_connection, try_datagram, try_unix_server, try_process, try_signal,
    };
    int64_t max = 0;
    size_t at;

    for (at = 0; at < ISO__COUNT(tries); at++) {
        iso_loop *loop = kit_loop(k);

        if (!kit_exhaust(k)) return;
        CHECK_OK(iso_loop_limit_get(loop, ISO_LIMIT_OPEN, &max, NULL));
        CHECK_RC(tries[at](k, loop), ISO_EMFILE);
        kit_replenish(k);
        demand_row(loop, ISO_EMFILE, max);
        CHECK_EQ(kit_statistics(loop).objects, 0);
        kit_release_loop(k, loop);
    }
}

/* The peer waits in the backlog, which needs no descriptor of this process's. */
KIT_TEST(sock_accept_names_the_row)
{
    iso_loop *loop = kit_loop(k);
    iso_address address;
    iso_fd listener = kit_listen(k, &address);
    iso_future *future = NULL;
    int64_t max = 0;

    (void)kit_connect(k, &address);
    if (!kit_exhaust(k)) return;
    CHECK_OK(iso_loop_limit_get(loop, ISO_LIMIT_OPEN, &max, NULL));
    REQUIRE_OK(iso_loop_sock_accept(loop, listener, &future));
    CHECK_RC(kit_run_release(k, loop, future), ISO_EMFILE);
    kit_replenish(k);
    demand_row(loop, ISO_EMFILE, max);
}

static void take_down(iso_loop *loop, const iso_exception_context *context, void *arg)
{
    const iso_limit *last = iso_loop_last_limit(loop);

    CHECK_RC(context->error, ISO_EMFILE);
    if (CHECK(last != NULL)) CHECK_STR(last->id, "process.descriptors");
    ++*(int *)arg;
}

/* The exception handler finds it already. */
KIT_TEST(a_server_that_cannot_accept_names_the_row)
{
    iso_loop *loop = kit_loop(k);
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    iso_future *future = NULL;
    iso_address address;
    void *server = NULL;
    int told = 0;

    CHECK_OK(iso_loop_set_exception_handler(loop, take_down, &told));
    options.host = "127.0.0.1";
    REQUIRE_OK(iso_loop_create_server(loop, &quiet, NULL, &options, &future));
    REQUIRE_OK(kit_run(k, loop, future));
    REQUIRE_OK(iso_future_result(future, &server));
    REQUIRE_OK(iso_server_address(server, 0, &address));
    (void)kit_connect(k, &address);
    if (kit_exhaust(k)) {
        (void)kit_run_until(k, loop, &told, 1);
        kit_replenish(k);
    }
    CHECK_OK(iso_server_close(server));
    CHECK_OK(iso_server_abort_clients(server));
    iso_future_release(future);
    kit_settle(k, loop);
}

KIT_TEST(a_system_without_descriptors_is_the_same_row)
{
    iso_loop *loop = kit_loop(k);
    const iso_limit *last;

    if (!iso_loop_limit_enforced(loop, "process.descriptors")) {
        (void)kit_skip(k, "process.descriptors");
        return;
    }
    CHECK_RC(iso__loop_explain(loop, ISO_ENFILE), ISO_ENFILE);
    last = iso_loop_last_limit(loop);
    REQUIRE(last != NULL);
    CHECK_STR(last->id, "process.descriptors");
    CHECK_RC(last->error, ISO_ENFILE);
    CHECK(last->limit == iso__sys_descriptor_limit());
    CHECK_EQ(last->used, open_count(loop)); /* of the process: there may be many more free */
}

KIT_TEST(other_errors_name_no_row)
{
    iso_loop *loop = kit_loop(k);

    CHECK_RC(iso__loop_explain(loop, ISO_ECONNREFUSED), ISO_ECONNREFUSED);
    CHECK_OK(iso__loop_explain(loop, 0));
    CHECK_PTR(iso_loop_last_limit(loop), NULL);
}

/* What a program sets by itself is no limit of anybody's. */
KIT_TEST(a_future_of_the_programs_names_no_row)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = NULL;

    REQUIRE_OK(iso_loop_create_future(loop, &future));
    CHECK_OK(iso_future_set_error(future, ISO_EMFILE));
    CHECK_RC(kit_run_release(k, loop, future), ISO_EMFILE);
    CHECK_PTR(iso_loop_last_limit(loop), NULL);
}

static const kit_case cases[] = {
    KIT_CASE(the_open_descriptors_are_counted_where_the_system_tells),
    KIT_CASE(without_a_descriptor_all_are_in_use),
    KIT_CASE(every_call_that_opens_a_descriptor_names_the_row),
    KIT_CASE(sock_accept_names_the_row),
    KIT_CASE(a_server_that_cannot_accept_names_the_row),
    KIT_CASE(a_system_without_descriptors_is_the_same_row),
    KIT_CASE(other_errors_name_no_row),
    KIT_CASE(a_future_of_the_programs_names_no_row),
};

KIT_MAIN(cases)
