/* SPDX-License-Identifier: MIT */
/* iso_address, written and read. */
#include "kit.h"

#include <string.h>

enum { TEXT_BYTES = 64 };

static const char *host_of(const iso_address *address)
{
    static char text[TEXT_BYTES];

    text[0] = '\0';
    CHECK_OK(iso_address_host(address, text, sizeof(text)));
    return text;
}

static void read_back(const char *host, const char *written, int version)
{
    iso_address address;

    if (!CHECK_OK(iso_address_parse(&address, host, 8080))) return;
    CHECK_STR(host_of(&address), written);
    CHECK_EQ(iso_address_port(&address), 8080);
    CHECK_EQ(iso_address_version(&address), version);
}

static void refuse(const char *host)
{
    iso_address address;

    memset(&address, 0xEE, sizeof(address));
    CHECK_RC(iso_address_parse(&address, host, 1), ISO_EINVAL);
    CHECK_EQ(address.length, 0xEEEEEEEE); /* untouched */
}

KIT_TEST(literals_of_version_4_are_read_and_written)
{
    read_back("127.0.0.1", "127.0.0.1", 4);
    read_back("0.0.0.0", "0.0.0.0", 4);
    read_back("255.255.255.255", "255.255.255.255", 4);
}

KIT_TEST(literals_of_version_6_are_read_and_written)
{
    read_back("::1", "::1", 6);
    read_back("::", "::", 6);
    read_back("2001:DB8:0:0:0:0:0:1", "2001:db8::1", 6);
    read_back("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
              6);
    read_back("::ffff:1.2.3.4", "::ffff:1.2.3.4", 6);
}

/* As a name where the interface has one, else as a number: it comes back as the same address. */
KIT_TEST(a_scope_is_kept)
{
    iso_address address;
    iso_address again;

    CHECK_OK(iso_address_parse(&address, "fe80::1%1", 5));
    CHECK_HAS(host_of(&address), "fe80::1%");
    CHECK_OK(iso_address_parse(&again, host_of(&address), 5));
    CHECK(memcmp(&again, &address, sizeof(again)) == 0);
    CHECK_OK(iso_address_parse(&again, "fe80::1%2", 5));
    CHECK(memcmp(&again, &address, sizeof(again)) != 0);
}

KIT_TEST(what_is_no_literal_is_refused)
{
    refuse("");
    refuse("localhost");
    refuse("example.org");
    refuse("1.2.3");
    refuse("1.2.3.4.5");
    refuse("1.2.3.256");
    refuse(" 1.2.3.4");
    refuse("1.2.3.4 ");
    refuse("127.0.0.1:80");
    refuse("1:2:3");
    refuse(":::");
    refuse("[::1]");
    refuse("1:2:3:4:5:6:7:8:9");
    refuse("11111111111111111111111111111111111111111111111111111111111111:");
}

KIT_TEST(what_is_no_scope_is_refused)
{
    refuse("fe80::1%");
    refuse("fe80::1%no_such_interface");
    refuse("fe80::1%99999999999");
    refuse("fe80::1%-1");
    refuse("fe80::1% 1");
    refuse("fe80::1%1x");
}

KIT_TEST(nothing_to_read_or_to_write_is_refused)
{
    iso_address address;

    CHECK_RC(iso_address_parse(NULL, "::1", 1), ISO_EINVAL);
    CHECK_RC(iso_address_parse(&address, NULL, 1), ISO_EINVAL);
}

KIT_TEST(equal_addresses_have_equal_bytes)
{
    iso_address a;
    iso_address b;

    memset(&a, 0x11, sizeof(a));
    memset(&b, 0x22, sizeof(b));
    CHECK_OK(iso_address_parse(&a, "1.2.3.4", 5));
    CHECK_OK(iso_address_parse(&b, "1.2.3.4", 5));
    CHECK(memcmp(&a, &b, sizeof(a)) == 0);
    CHECK_OK(iso_address_parse(&b, "1.2.3.4", 6));
    CHECK(memcmp(&a, &b, sizeof(a)) != 0);
}

KIT_TEST(an_empty_address_has_nothing_to_say)
{
    iso_address none;
    char text[TEXT_BYTES];

    memset(&none, 0, sizeof(none));
    CHECK_EQ(iso_address_version(&none), 0);
    CHECK_EQ(iso_address_port(&none), 0);
    CHECK_RC(iso_address_host(&none, text, sizeof(text)), ISO_EINVAL);
}

KIT_TEST(a_text_that_does_not_fit_is_refused)
{
    iso_address address;
    char text[TEXT_BYTES];

    CHECK_OK(iso_address_parse(&address, "127.0.0.1", 1));
    CHECK_RC(iso_address_host(&address, text, 9), ISO_ENOBUFS);
    CHECK_OK(iso_address_host(&address, text, 10));
    CHECK_STR(text, "127.0.0.1");
    CHECK_OK(iso_address_parse(&address, "fe80::1%1", 1));
    CHECK_RC(iso_address_host(&address, text, 8), ISO_ENOBUFS); /* no room for the scope */
    CHECK_RC(iso_address_host(&address, text, 3), ISO_ENOBUFS);
    CHECK_RC(iso_address_host(&address, text, 0), ISO_ENOBUFS);
}

static const kit_case cases[] = {
    KIT_CASE(literals_of_version_4_are_read_and_written),
    KIT_CASE(literals_of_version_6_are_read_and_written),
    KIT_CASE(a_scope_is_kept),
    KIT_CASE(what_is_no_literal_is_refused),
    KIT_CASE(what_is_no_scope_is_refused),
    KIT_CASE(nothing_to_read_or_to_write_is_refused),
    KIT_CASE(equal_addresses_have_equal_bytes),
    KIT_CASE(an_empty_address_has_nothing_to_say),
    KIT_CASE(a_text_that_does_not_fit_is_refused),
};

KIT_MAIN(cases)
