/* SPDX-License-Identifier: MIT */
/* What a profile comes to, asked without a loop, and whether a loop agrees. */
#include "base/limits.h"
#include "kit.h"
#include "loop/loop.h"

#include <string.h>

static int find_row(const char *id)
{
    size_t count;
    const iso_limit *rows = iso_limits(&count);
    size_t at;

    for (at = 0; at < count; at++) {
        if (strcmp(rows[at].id, id) == 0) return (int)at;
    }
    REQUIRE(false);
    return -1;
}

static uint64_t rows_of(const char *profile, const char *backend)
{
    uint64_t rows = 0;

    CHECK_OK(iso_limits_rows(profile, backend, &rows));
    return rows;
}

static bool has(const char *profile, const char *backend, const char *id)
{
    return (rows_of(profile, backend) >> find_row(id) & 1u) != 0;
}

/* Every row of the profile's is enforced by the loop; what it enforces besides, its own system
 * truly can't do. Asked by the name, and by the environment. */
KIT_TEST(a_loop_enforces_what_its_profile_says)
{
    size_t count;
    const iso_limits_profile *list = iso_limits_profiles(&count);
    size_t row_count;
    const iso_limit *rows = iso_limits(&row_count);
    uint64_t native = rows_of("native", kit_backend(k));
    size_t at;
    size_t row;

    for (at = 0; at < count; at++) {
        uint64_t said = rows_of(list[at].name, kit_backend(k));
        iso_loop *loop;

        kit_setenv(k, "ISOLOOP_LIMITS", list[at].name);
        loop = kit_loop(k);
        CHECK_STR(iso_loop_limits_profile(loop), list[at].name);
        if (iso__platform == ISO__ON_WINDOWS && strcmp(list[at].name, "linux") == 0)
            said = rows_of("linux", "selector:epoll"); /* select is the best selector there */
        if (iso__platform == ISO__ON_WINDOWS && strncmp(list[at].name, "macos", 5) == 0)
            said = rows_of(list[at].name, "selector:kqueue");
        if (iso__platform == ISO__ON_WINDOWS) /* where descriptors are no small numbers */
            said &= ~((uint64_t)1 << ISO__ROW_SELECT_FD_SETSIZE);
        for (row = 0; row < row_count; row++) {
            bool is_enforced = iso_loop_limit_enforced(loop, rows[row].id);

            CHECK_EQ(is_enforced, ((said | native) >> row & 1u) != 0);
        }
        kit_release_loop(k, loop);
    }
}

KIT_TEST(a_loop_supports_what_its_rows_allow)
{
    uint64_t rows = rows_of("documented", kit_backend(k));
    iso_loop *loop = kit_loop(k);
    int at;

    for (at = -1; at < 64; at++)
        CHECK_EQ(iso_loop_supports(loop, (iso_capability)at),
                 iso_limits_allow(rows, (iso_capability)at));
}

/* Backends of every system can be asked about on each. */
KIT_TEST(other_systems_are_told_of_as_they_are_there)
{
    CHECK(has("macos-10.8", "selector:kqueue", "macos.chardev.kqueue"));
    CHECK(!has("macos-10.8", "selector:poll", "macos.chardev.kqueue"));
    CHECK(!has("macos-10.8", "selector:select", "macos.chardev.kqueue"));
    CHECK(has("macos-10.5", "selector:select", "macos.chardev.10_5"));
    CHECK(has("macos", "selector:select", "select.fd_setsize"));
    CHECK(!has("macos", "selector:kqueue", "macos.chardev.kqueue"));
    CHECK(has("linux", "selector:poll", "tornado.select_grade"));
    CHECK(!has("linux", "selector:epoll", "windows.unix_sockets"));
    CHECK(has("windows-selector", "selector:epoll", "windows.selector.max_sockets"));
    CHECK(!has("windows-selector", "selector:epoll", "posix.named_pipes"));
    CHECK(has("windows-proactor", "selector:epoll", "proactor.overlapped_only"));
    CHECK(!has("windows-proactor", "selector:select", "select.fd_setsize"));
}

KIT_TEST(without_a_name_it_is_documented_on_the_default_backend)
{
    const iso_backend *all;
    size_t at = iso_backends(&all);

    while (at-- > 0) {
        if (all[at].is_default) CHECK(rows_of(NULL, NULL) == rows_of("documented", all[at].name));
    }
}

KIT_TEST(every_backend_that_is_listed_can_be_asked_about)
{
    const iso_backend *all;
    size_t at = iso_backends(&all);

    while (at-- > 0) CHECK(rows_of("documented", all[at].name) != 0);
}

KIT_TEST(what_is_no_profile_and_no_backend_is_refused)
{
    uint64_t rows = 7;

    CHECK_RC(iso_limits_rows("amiga", NULL, &rows), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "amiga is not a limits profile; there are: documented");
    CHECK_RC(iso_limits_rows(NULL, "selector:abacus", &rows), ISO_ENOTSUP);
    CHECK_HAS(iso_error_detail(), "selector:abacus: not the name of a backend");
    CHECK_RC(iso_limits_rows(NULL, "selector", &rows), ISO_ENOTSUP); /* not an exact name */
    CHECK_RC(iso_limits_rows(NULL, NULL, NULL), ISO_EINVAL);
    CHECK_EQ(rows, 7);
}

static const kit_case cases[] = {
    KIT_CASE(a_loop_enforces_what_its_profile_says),
    KIT_CASE(a_loop_supports_what_its_rows_allow),
    KIT_CASE(other_systems_are_told_of_as_they_are_there),
    KIT_CASE(without_a_name_it_is_documented_on_the_default_backend),
    KIT_CASE(every_backend_that_is_listed_can_be_asked_about),
    KIT_CASE(what_is_no_profile_and_no_backend_is_refused),
};

KIT_MAIN(cases)
