/* SPDX-License-Identifier: MIT */
/* The system's own name service, asked for what every machine knows, with or without a network. */
#include "kit.h"

#include <string.h>

static iso_addrinfo_options options_of(int family, int type, int protocol, unsigned flags)
{
    iso_addrinfo_options options = ISO_ADDRINFO_OPTIONS_INIT;

    options.family = family;
    options.type = type;
    options.protocol = protocol;
    options.flags = flags;
    return options;
}

/* Whether one of them is this literal, of this type; -1: of any. */
static bool has(iso_future *future, const char *literal, int type, uint16_t port)
{
    void *result = NULL;
    intptr_t count = 0;
    const iso_addrinfo *at;

    if (iso_future_result(future, &result) != 0) return false;
    (void)iso_future_number(future, &count);
    for (at = result; count-- > 0; at++) {
        char text[64];

        CHECK_OK(iso_address_host(&at->address, text, sizeof(text)));
        CHECK_EQ(iso_address_port(&at->address), port);
        CHECK_EQ(at->protocol, at->type == ISO_SOCK_STREAM ? 6 : 17);
        if (strcmp(text, literal) == 0 && at->type == type) return true;
    }
    return false;
}

KIT_TEST(localhost_is_this_machine)
{
    iso_addrinfo_options options = options_of(4, 0, 0, ISO_AI_CANONNAME);
    iso_loop *loop = kit_loop(k);
    iso_future *future = NULL;
    void *result = NULL;

    REQUIRE_OK(iso_loop_getaddrinfo(loop, "localhost", "8080", &options, &future));
    CHECK_OK(kit_run(k, loop, future));
    CHECK(has(future, "127.0.0.1", ISO_SOCK_STREAM, 8080));
    CHECK(has(future, "127.0.0.1", ISO_SOCK_DGRAM, 8080));
    CHECK_OK(iso_future_result(future, &result));
    CHECK(((const iso_addrinfo *)result)->canonname[0] != '\0');
    iso_future_release(future);
}

static int ask(kit *k, const char *host, const char *service, iso_addrinfo_options options)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = NULL;
    int rc;

    REQUIRE_OK(iso_loop_getaddrinfo(loop, host, service, &options, &future));
    rc = kit_run_release(k, loop, future);
    kit_release_loop(k, loop);
    return rc;
}

/* RFC 6761, 6.4: nobody answers for it. Without a network the name service says that it can't. */
KIT_TEST(an_unknown_name_is_not_known)
{
    int rc = ask(k, "nowhere.invalid", "80", options_of(0, 0, 0, 0));

    CHECK(rc == ISO_ENONAME || rc == ISO_ETRYNAME || rc == ISO_EFAILNAME);
}

KIT_TEST(a_name_is_no_number)
{
    CHECK_RC(ask(k, "localhost", "80", options_of(0, 0, 0, ISO_AI_NUMERICHOST)), ISO_ENONAME);
}

KIT_TEST(what_cannot_be_a_name_is_not_known)
{
    char long_name[400];
    int rc;

    memset(long_name, 'a', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    rc = ask(k, long_name, "80", options_of(0, 0, 0, 0));
    CHECK(rc == ISO_ENONAME || rc == ISO_ETRYNAME || rc == ISO_EFAILNAME);
    rc = ask(k, "\xFF\xFE.invalid", "80", options_of(0, 0, 0, 0));
    CHECK(rc == ISO_ENONAME || rc == ISO_ETRYNAME || rc == ISO_EFAILNAME);
}

KIT_TEST(an_unknown_service_is_not_known)
{
    int rc = ask(k, "127.0.0.1", "nosuchservice", options_of(0, ISO_SOCK_STREAM, 0, 0));

    CHECK(rc == ISO_ENOSERVICE || rc == ISO_ENONAME); /* macOS has one answer for both */
}

KIT_TEST(a_service_has_a_port)
{
    iso_addrinfo_options options = options_of(4, ISO_SOCK_STREAM, 0, 0);
    iso_loop *loop = kit_loop(k);
    iso_future *future = NULL;
    int rc;

    REQUIRE_OK(iso_loop_getaddrinfo(loop, "127.0.0.1", "http", &options, &future));
    CHECK(!iso_future_done(future)); /* it is looked up */
    rc = kit_run(k, loop, future);
    if (rc == 0)
        CHECK(has(future, "127.0.0.1", ISO_SOCK_STREAM, 80));
    else
        CHECK(rc == ISO_ENOSERVICE || rc == ISO_ENONAME); /* a machine without /etc/services */
    iso_future_release(future);
}

KIT_TEST(no_host_is_this_machine_or_every_interface)
{
    static const unsigned flags[] = { 0, ISO_AI_PASSIVE };
    static const char *const literals[] = { "127.0.0.1", "0.0.0.0" };
    iso_loop *loop = kit_loop(k);
    size_t at;

    for (at = 0; at < ISO__COUNT(flags); at++) {
        iso_addrinfo_options options = options_of(4, ISO_SOCK_DGRAM, 0, flags[at]);
        iso_future *future = NULL;

        REQUIRE_OK(iso_loop_getaddrinfo(loop, NULL, "53", &options, &future));
        CHECK_OK(kit_run(k, loop, future));
        CHECK(has(future, literals[at], ISO_SOCK_DGRAM, 53));
        iso_future_release(future);
    }
}

/* ---- back ---- */

static void check_names(kit *k, const char *literal, unsigned flags, const char *host,
                        const char *service)
{
    iso_loop *loop = kit_loop(k);
    iso_future *future = NULL;
    void *result = NULL;
    const iso_nameinfo *info;
    iso_address address;

    REQUIRE_OK(iso_address_parse(&address, literal, 80));
    REQUIRE_OK(iso_loop_getnameinfo(loop, &address, flags, &future));
    CHECK_OK(kit_run(k, loop, future));
    REQUIRE_OK(iso_future_result(future, &result));
    info = result;
    if (host != NULL) CHECK_STR(info->host, host);
    if (service != NULL) CHECK_STR(info->service, service);
    CHECK(info->host[0] != '\0');
    CHECK(info->service[0] != '\0');
    iso_future_release(future);
}

KIT_TEST(this_machine_as_numbers)
{
    check_names(k, "127.0.0.1", ISO_NI_NUMERICHOST | ISO_NI_NUMERICSERV, "127.0.0.1", "80");
    check_names(k, "::1", ISO_NI_NUMERICHOST | ISO_NI_NUMERICSERV, "::1", "80");
}

KIT_TEST(this_machine_has_a_name)
{
    check_names(k, "127.0.0.1", ISO_NI_NUMERICSERV, NULL, "80");
    check_names(k, "127.0.0.1", ISO_NI_NUMERICHOST, "127.0.0.1", NULL);
    check_names(k, "127.0.0.1", ISO_NI_NUMERICHOST | ISO_NI_DGRAM, "127.0.0.1", NULL);
}

/* By the system's own code, which a request for both as numbers does not reach. Which of the flags
 * wins is the system's affair. */
KIT_TEST(a_literal_is_no_name_where_one_is_required)
{
    const unsigned flags = ISO_NI_NUMERICHOST | ISO_NI_NUMERICSERV | ISO_NI_NAMEREQD;
    iso_loop *loop = kit_loop(k);
    iso_future *future = NULL;
    iso_address address;
    int rc;

    REQUIRE_OK(iso_address_parse(&address, "127.0.0.1", 80));
    REQUIRE_OK(iso_loop_getnameinfo(loop, &address, flags, &future));
    CHECK(!iso_future_done(future));
    rc = kit_run_release(k, loop, future);
    CHECK(rc == 0 || rc == ISO_ENONAME);
}

static const kit_case cases[] = {
    KIT_CASE(localhost_is_this_machine),
    KIT_CASE(an_unknown_name_is_not_known),
    KIT_CASE(a_name_is_no_number),
    KIT_CASE(what_cannot_be_a_name_is_not_known),
    KIT_CASE(an_unknown_service_is_not_known),
    KIT_CASE(a_service_has_a_port),
    KIT_CASE(no_host_is_this_machine_or_every_interface),
    KIT_CASE(this_machine_as_numbers),
    KIT_CASE(this_machine_has_a_name),
    KIT_CASE(a_literal_is_no_name_where_one_is_required),
};

KIT_MAIN(cases)
