/* SPDX-License-Identifier: MIT */
/* What the unix sockets of Windows do with paths and files: no socket is needed for it. */
#include "io/paths.h"
#include "kit.h"
#include "sys/sock.h"
#include "sys/unix.h"

#include <stdio.h>
#include <string.h>

static iso__unix_address address_of(const char *path)
{
    iso__unix_address address;

    REQUIRE_OK(iso__sys_unix_address(&address, path, strlen(path)));
    return address;
}

/* It is no socket, and stays. */
static void demand_left_alone(const char *path, paths_kind kind)
{
    iso__unix_address address = address_of(path);
    iso__unix_file file = { 7, 7 };

    CHECK_RC(iso__sys_unix_identify(&address, &file), ISO_ENOENT);
    CHECK_EQ(file.inode, 7);
    CHECK_OK(iso__sys_unix_remove(&address, NULL));
    CHECK_OK(iso__sys_unix_remove(&address, &file));
    CHECK_EQ(paths_look(path), kind);
}

KIT_TEST(what_is_no_socket_is_left_alone)
{
    char folder[PATHS_FOLDER_BYTES];
    char path[PATHS_BYTES];

    REQUIRE_OK(paths_make_folder(folder));
    demand_left_alone(folder, PATHS_OTHER);
    (void)snprintf(path, sizeof(path), "%s/f", folder);
    demand_left_alone(path, PATHS_NOTHING);
    CHECK_OK(paths_make_file(path));
    demand_left_alone(path, PATHS_FILE);
    CHECK_OK(paths_remove(path));
    CHECK_OK(paths_remove_folder(folder));
    demand_left_alone(path, PATHS_NOTHING); /* nor is there a folder now */
}

KIT_TEST(a_path_that_is_not_utf_8_names_nothing)
{
    iso__unix_address address = address_of("\xff\xfe");
    iso__unix_file file;

    CHECK_RC(iso__sys_unix_identify(&address, &file), ISO_EINVAL);
    CHECK_RC(iso__sys_unix_remove(&address, NULL), ISO_EINVAL);
}

KIT_TEST(an_address_has_at_most_107_bytes_and_none_is_nul)
{
    iso__unix_address address;
    char path[PATHS_BYTES];

    memset(path, 'x', sizeof(path));
    CHECK_OK(iso__sys_unix_address(&address, path, 107));
    CHECK_EQ(address.length, 107);
    CHECK_RC(iso__sys_unix_address(&address, path, 108), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "107");
    CHECK_RC(iso__sys_unix_address(&address, path, 0), ISO_EINVAL);
    CHECK_RC(iso__sys_unix_address(&address, "a\0b", 3), ISO_EINVAL);
    CHECK_RC(iso__sys_unix_address(&address, "\0b", 2), ISO_ENOTSUP);
}

/* Whether the system has unix sockets or not. */
KIT_TEST(other_sockets_are_none)
{
    int other = paths_has_unix_sockets() ? ISO_EINVAL : ISO_ENOTSUP;
    iso__unix_address name;
    iso_fd pair[2];

    CHECK_EQ(iso__sys_unix_availability() == 0, paths_has_unix_sockets());
    kit_pair(k, pair);
    CHECK_RC(iso__sys_unix_require(pair[0]), other);
    CHECK_RC(iso__sys_unix_sockname(pair[0], &name), other);
    CHECK_RC(iso__sys_unix_peername(pair[0], &name), other);
    kit_close(k, pair[0]);
    CHECK_RC(iso__sys_unix_require(pair[0]), ISO_EBADF);
}

static const kit_case cases[] = {
    KIT_CASE(what_is_no_socket_is_left_alone),
    KIT_CASE(a_path_that_is_not_utf_8_names_nothing),
    KIT_CASE(an_address_has_at_most_107_bytes_and_none_is_nul),
    KIT_CASE(other_sockets_are_none),
};

KIT_MAIN(cases)
