/* SPDX-License-Identifier: MIT */
/* The system's own name service, asked for the one name that every machine knows. The other tests
 * of names bring a service of their own (names.h). */
#include "io/recorder.h"

KIT_TEST(a_server_and_a_client_meet_at_localhost)
{
    iso_server_options at = ISO_SERVER_OPTIONS_INIT;
    iso_connection_options to = ISO_CONNECTION_OPTIONS_INIT;
    iso_loop *loop = kit_loop(k);
    iso_future *future;
    iso_address address;
    iso_server *server;
    recorder theirs;
    recorder ours;

    /* given a server at the name, as IPv4: which of the two a system prefers is its own affair */
    recorder_init(&theirs, k, NULL);
    recorder_init(&ours, k, NULL);
    at.host = "localhost";
    at.family = 4;
    server = serve_with(k, loop, &recorder_protocol, &theirs, &at);
    CHECK_OK(iso_server_address(server, 0, &address));

    /* when a client asks for the name, of whatever family */
    to.host = "localhost";
    to.port = iso_address_port(&address);
    REQUIRE_OK(iso_loop_create_connection(loop, &recorder_protocol, &ours, &to, &future));
    CHECK(!iso_future_done(future)); /* a thread looks it up */
    CHECK_OK(kit_run_release(k, loop, future));

    /* then they are connected */
    CHECK_OK(iso_transport_write(ours.transport, "hello", 5));
    (void)kit_run_until(k, loop, &theirs.data_count, 1);
    CHECK_STR(theirs.text, "hello");
    CHECK_OK(iso_transport_abort(ours.transport));
    CHECK_OK(iso_server_abort_clients(server));
    CHECK_OK(iso_server_close(server));
    CHECK(run_until_idle(k, loop));
}

static const kit_case cases[] = {
    KIT_CASE(a_server_and_a_client_meet_at_localhost),
};

KIT_MAIN(cases)
