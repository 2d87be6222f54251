/* SPDX-License-Identifier: MIT */
#include "base/addrinfo.h"
#include "base/alloc.h"
#include "kit.h"

#include <string.h>

static iso_addrinfo piece_of(const char *literal, int type, int protocol)
{
    iso_addrinfo piece;

    memset(&piece, 0, sizeof(piece));
    REQUIRE_OK(iso_address_parse(&piece.address, literal, 80));
    piece.type = type;
    piece.protocol = protocol;
    return piece;
}

static void check_item(const iso__addrinfo_list *list, size_t at, int family, int type,
                       int protocol)
{
    REQUIRE(at < list->count);
    CHECK_EQ(list->items[at].family, family);
    CHECK_EQ(list->items[at].type, type);
    CHECK_EQ(list->items[at].protocol, protocol);
    CHECK_EQ(iso_address_port(&list->items[at].address), 80);
}

KIT_TEST(a_piece_of_every_type_is_a_stream_and_datagrams)
{
    iso_addrinfo piece = piece_of("127.0.0.1", 0, 0);
    iso__addrinfo_list list;

    REQUIRE_OK(iso__addrinfo_list_new(&list, kit_allocator(k), 1, NULL));
    iso__addrinfo_list_add(&list, 0, &piece);
    CHECK_EQ(list.count, 2);
    check_item(&list, 0, 4, ISO_SOCK_STREAM, ISO__PROTOCOL_TCP);
    check_item(&list, 1, 4, ISO_SOCK_DGRAM, ISO__PROTOCOL_UDP);
    iso__addrinfo_list_free(&list, kit_allocator(k));
}

KIT_TEST(a_protocol_says_which_of_the_two)
{
    iso_addrinfo tcp = piece_of("::1", 0, ISO__PROTOCOL_TCP);
    iso_addrinfo udp = piece_of("::1", 0, ISO__PROTOCOL_UDP);
    iso__addrinfo_list list;

    REQUIRE_OK(iso__addrinfo_list_new(&list, kit_allocator(k), 2, NULL));
    iso__addrinfo_list_add(&list, 0, &udp);
    iso__addrinfo_list_add(&list, 0, &tcp);
    CHECK_EQ(list.count, 2);
    check_item(&list, 0, 6, ISO_SOCK_DGRAM, ISO__PROTOCOL_UDP);
    check_item(&list, 1, 6, ISO_SOCK_STREAM, ISO__PROTOCOL_TCP);
    iso__addrinfo_list_free(&list, kit_allocator(k));
}

KIT_TEST(only_the_type_that_was_asked_for_is_taken)
{
    static const int wanted[] = { 0, ISO_SOCK_STREAM, ISO_SOCK_DGRAM, ISO_SOCK_RAW };
    static const size_t counts[] = { 2, 1, 1, 1 };
    iso_addrinfo pieces[4];
    size_t at;
    int type;

    for (type = 0; type < 4; type++) /* the last one has no name here */
        pieces[type] = piece_of("127.0.0.1", type < 3 ? type + 1 : -1, 0);
    for (at = 0; at < ISO__COUNT(wanted); at++) {
        iso__addrinfo_list list;

        REQUIRE_OK(iso__addrinfo_list_new(&list, kit_allocator(k), 4, NULL));
        for (type = 0; type < 4; type++) iso__addrinfo_list_add(&list, wanted[at], &pieces[type]);
        CHECK_EQ(list.count, counts[at]);
        if (wanted[at] != 0) CHECK_EQ(list.items[0].type, wanted[at]);
        iso__addrinfo_list_free(&list, kit_allocator(k));
    }
}

KIT_TEST(none_is_there_twice_and_none_without_an_address)
{
    iso_addrinfo piece = piece_of("127.0.0.1", ISO_SOCK_STREAM, 0);
    iso_addrinfo same = piece_of("127.0.0.1", ISO_SOCK_STREAM, ISO__PROTOCOL_TCP);
    iso_addrinfo other = piece_of("127.0.0.2", ISO_SOCK_STREAM, 0);
    iso_addrinfo none = piece;
    iso__addrinfo_list list;

    memset(&none.address, 0, sizeof(none.address));
    REQUIRE_OK(iso__addrinfo_list_new(&list, kit_allocator(k), 4, NULL));
    iso__addrinfo_list_add(&list, 0, &none);
    iso__addrinfo_list_add(&list, 0, &piece);
    iso__addrinfo_list_add(&list, 0, &same);
    iso__addrinfo_list_add(&list, 0, &other);
    CHECK_EQ(list.count, 2);
    iso__addrinfo_list_free(&list, kit_allocator(k));
}

KIT_TEST(the_first_has_the_name_and_a_copy_has_its_own)
{
    iso_addrinfo piece = piece_of("127.0.0.1", 0, 0);
    iso__addrinfo_list list;
    iso__addrinfo_list copy;

    REQUIRE_OK(iso__addrinfo_list_new(&list, kit_allocator(k), 1, "its.name"));
    iso__addrinfo_list_add(&list, 0, &piece);
    REQUIRE_OK(iso__addrinfo_list_copy(&copy, kit_allocator(k), &list));
    iso__addrinfo_list_free(&list, kit_allocator(k));
    CHECK_PTR(list.items, NULL);
    CHECK_EQ(copy.count, 2);
    CHECK_STR(copy.items[0].canonname, "its.name");
    CHECK_STR(copy.items[1].canonname, "");
    iso__addrinfo_list_free(&copy, kit_allocator(k));
}

KIT_TEST(without_a_name_it_is_empty)
{
    iso_addrinfo piece = piece_of("127.0.0.1", 0, 0);
    iso__addrinfo_list list;

    REQUIRE_OK(iso__addrinfo_list_new(&list, kit_allocator(k), 1, NULL));
    iso__addrinfo_list_add(&list, 0, &piece);
    CHECK_STR(list.items[0].canonname, "");
    iso__addrinfo_list_free(&list, kit_allocator(k));
}

KIT_TEST(without_memory_there_is_no_list)
{
    iso_addrinfo piece = piece_of("127.0.0.1", 0, 0);
    iso__addrinfo_list list;
    iso__addrinfo_list copy;

    kit_fail_allocation(k, 1, false);
    CHECK_RC(iso__addrinfo_list_new(&list, kit_allocator(k), 1, "x"), ISO_ENOMEM);
    CHECK_RC(iso__addrinfo_list_new(&list, kit_allocator(k), SIZE_MAX / 2, NULL), ISO_ENOMEM);
    REQUIRE_OK(iso__addrinfo_list_new(&list, kit_allocator(k), 1, "x"));
    iso__addrinfo_list_add(&list, 0, &piece);
    kit_fail_allocation(k, 1, false);
    CHECK_RC(iso__addrinfo_list_copy(&copy, kit_allocator(k), &list), ISO_ENOMEM);
    iso__addrinfo_list_free(&list, kit_allocator(k));
}

static const kit_case cases[] = {
    KIT_CASE(a_piece_of_every_type_is_a_stream_and_datagrams),
    KIT_CASE(a_protocol_says_which_of_the_two),
    KIT_CASE(only_the_type_that_was_asked_for_is_taken),
    KIT_CASE(none_is_there_twice_and_none_without_an_address),
    KIT_CASE(the_first_has_the_name_and_a_copy_has_its_own),
    KIT_CASE(without_a_name_it_is_empty),
    KIT_CASE(without_memory_there_is_no_list),
};

KIT_MAIN(cases)
