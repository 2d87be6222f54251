/* SPDX-License-Identifier: MIT */
#include "base/limits.h"
#include "kit.h"

#include <string.h>

static const iso__limit_subject linux_epoll = { ISO__ON_LINUX, ISO__WITH_EPOLL, 0 };
static const iso__limit_subject linux_poll = { ISO__ON_LINUX, ISO__WITH_POLL, 0 };
static const iso__limit_subject linux_select = { ISO__ON_LINUX, ISO__WITH_SELECT, 0 };
static const iso__limit_subject linux_custom = { ISO__ON_LINUX, ISO__WITH_CUSTOM, 0 };
static const iso__limit_subject macos_kqueue = { ISO__ON_MACOS, ISO__WITH_KQUEUE, 1400 };
static const iso__limit_subject windows_select = { ISO__ON_WINDOWS, ISO__WITH_SELECT, 0 };
static const iso__limit_subject windows_proactor = { ISO__ON_WINDOWS, ISO__WITH_PROACTOR, 0 };

static const iso__limit_subject every_subject = { ISO__ON_ANY, ISO__WITH_ANY, ISO__ANY_VERSION };

#define BIT(row) ((uint32_t)1 << ISO__ROW_##row)

/* What is said of every loop that watches, of every loop of POSIX, and of every loop of Windows. */
enum { EVERY_WATCHER = BIT(ALL_REGULAR_FILE) | BIT(ALL_BAD_FD) };
enum {
    EVERY_POSIX = BIT(ALL_PIPE_KIND) | BIT(POSIX_NAMED_PIPES) | BIT(PROACTOR_AVAILABILITY) |
                  BIT(PROCESS_DESCRIPTORS)
};
enum {
    EVERY_WINDOWS = BIT(ALL_PIPE_KIND) | BIT(WINDOWS_UNIX_SOCKETS) | BIT(WINDOWS_SIGNALS) |
                    BIT(WINDOWS_CHILD_WATCHER) | BIT(WINDOWS_REUSE_PORT) | BIT(WINDOWS_CLOCK)
};

static uint32_t rows_of(const char *profile, iso__limit_subject subject)
{
    iso__limits limits;

    CHECK_OK(iso__limits_choose(&limits, profile, subject));
    return limits.enforced;
}

KIT_TEST(documented_is_what_is_true_of_epoll)
{
    CHECK_EQ(rows_of("documented", linux_epoll), EVERY_WATCHER | EVERY_POSIX);
}

KIT_TEST(documented_is_what_is_true_of_poll)
{
    CHECK_EQ(rows_of("documented", linux_poll),
             EVERY_WATCHER | EVERY_POSIX | BIT(TORNADO_SELECT_GRADE));
}

KIT_TEST(documented_is_what_is_true_of_select_on_posix)
{
    CHECK_EQ(rows_of("documented", linux_select),
             EVERY_WATCHER | EVERY_POSIX | BIT(SELECT_FD_SETSIZE) | BIT(TORNADO_SELECT_GRADE));
}

KIT_TEST(documented_is_what_is_true_of_kqueue)
{
    CHECK_EQ(rows_of("documented", macos_kqueue),
             EVERY_WATCHER | EVERY_POSIX | BIT(KQUEUE_CHARDEV));
}

/* The versions of macOS, as they come: 10.4 to 11. */
KIT_TEST(character_devices_depend_on_the_version_of_macos)
{
    static const struct {
        unsigned version;
        uint32_t kqueue;
        uint32_t others;
    } expected[] = {
        { 1000, BIT(MACOS_CHARDEV_10_5), BIT(MACOS_CHARDEV_10_5) },
        { 1004, BIT(MACOS_CHARDEV_10_5), BIT(MACOS_CHARDEV_10_5) },
        { 1005, BIT(MACOS_CHARDEV_10_5), BIT(MACOS_CHARDEV_10_5) },
        { 1006, BIT(MACOS_CHARDEV_KQUEUE), 0 },
        { 1007, BIT(MACOS_CHARDEV_KQUEUE), 0 },
        { 1008, BIT(MACOS_CHARDEV_KQUEUE), 0 },
        { 1009, 0, 0 },
        { 1015, 0, 0 },
        { 1100, 0, 0 },
        { ISO__NEWEST_VERSION, 0, 0 },
    };
    static const unsigned others[] = { ISO__WITH_POLL, ISO__WITH_SELECT, ISO__WITH_CUSTOM };
    uint32_t both = BIT(MACOS_CHARDEV_10_5) | BIT(MACOS_CHARDEV_KQUEUE);
    size_t at;
    size_t other;

    for (at = 0; at < ISO__COUNT(expected); at++) {
        iso__limit_subject subject = { ISO__ON_MACOS, ISO__WITH_KQUEUE, expected[at].version };

        CHECK_EQ(rows_of("documented", subject) & both, expected[at].kqueue);
        CHECK_EQ(rows_of("native", subject) & both, expected[at].kqueue);
        for (other = 0; other < ISO__COUNT(others); other++) {
            subject.loop = others[other];
            CHECK_EQ(rows_of("documented", subject) & both, expected[at].others);
        }
        subject.platform = ISO__ON_BSD; /* only macOS has such versions */
        subject.loop = ISO__WITH_KQUEUE;
        CHECK_EQ(rows_of("documented", subject) & both, 0);
    }
}

KIT_TEST(the_version_of_macos_is_that_of_its_darwin)
{
    CHECK_EQ(iso__macos_version(0), 1000);
    CHECK_EQ(iso__macos_version(8), 1004);
    CHECK_EQ(iso__macos_version(9), 1005);
    CHECK_EQ(iso__macos_version(10), 1006);
    CHECK_EQ(iso__macos_version(12), 1008);
    CHECK_EQ(iso__macos_version(13), 1009);
    CHECK_EQ(iso__macos_version(19), 1015);
    CHECK_EQ(iso__macos_version(20), 1100);
    CHECK_EQ(iso__macos_version(23), 1400);
}

KIT_TEST(documented_is_what_is_true_of_select_on_windows)
{
    CHECK_EQ(rows_of("documented", windows_select),
             EVERY_WATCHER | EVERY_WINDOWS | BIT(WINDOWS_MAX_SOCKETS) | BIT(WINDOWS_SOCKETS_ONLY) |
                 BIT(WINDOWS_PIPES) | BIT(WINDOWS_SUBPROCESS) | BIT(TORNADO_SELECT_GRADE));
}

KIT_TEST(documented_is_what_is_true_of_the_proactor_on_windows)
{
    CHECK_EQ(rows_of("documented", windows_proactor),
             EVERY_WATCHER | EVERY_WINDOWS | BIT(WINDOWS_SOCKETS_ONLY) | BIT(PROACTOR_DATAGRAM) |
                 BIT(PROACTOR_WATCH) | BIT(PROACTOR_OVERLAPPED_ONLY) |
                 BIT(PROACTOR_PIPE_WRITE_EOF) | BIT(PROACTOR_FOREIGN_PORT));
}

KIT_TEST(a_selector_of_ones_own_has_the_rows_of_every_selector)
{
    CHECK_EQ(rows_of("documented", linux_custom), EVERY_WATCHER | EVERY_POSIX);
}

KIT_TEST(no_profile_is_documented)
{
    iso__limits limits;

    CHECK_OK(iso__limits_choose(&limits, NULL, linux_select));
    CHECK_STR(limits.profile, "documented");
    CHECK_EQ(limits.enforced, rows_of("documented", linux_select));
}

KIT_TEST(native_lifts_what_only_documents_say)
{
    CHECK_EQ(rows_of("native", linux_epoll),
             EVERY_WATCHER | (EVERY_POSIX & ~BIT(PROACTOR_AVAILABILITY)));
    /* what the library does there, and the documents say that it doesn't */
    CHECK_EQ(rows_of("native", windows_proactor),
             rows_of("documented", windows_proactor) &
                 ~(BIT(PROACTOR_DATAGRAM) | BIT(PROACTOR_WATCH) | BIT(WINDOWS_UNIX_SOCKETS)));
    CHECK_EQ(rows_of("native", windows_select),
             rows_of("documented", windows_select) &
                 ~(BIT(WINDOWS_MAX_SOCKETS) | BIT(WINDOWS_UNIX_SOCKETS)));
}

KIT_TEST(windows_selector_brings_its_rows_to_every_platform)
{
    uint32_t windows = rows_of("documented", windows_select);

    CHECK_EQ(rows_of("windows-selector", windows_select), windows);
    CHECK_EQ(rows_of("windows-selector", linux_epoll) & windows, windows);
    CHECK_EQ(rows_of("windows-selector", macos_kqueue) & windows, windows);
}

KIT_TEST(windows_proactor_brings_its_rows_to_every_platform)
{
    uint32_t windows = rows_of("documented", windows_proactor);

    CHECK_EQ(rows_of("windows-proactor", linux_epoll) & windows, windows);
    CHECK_EQ(rows_of("windows-proactor", windows_proactor), windows);
}

static uint32_t played_by(const char *profile, iso__limit_subject subject)
{
    iso__limits limits;

    CHECK_OK(iso__limits_choose(&limits, profile, subject));
    CHECK_EQ(limits.played & ~limits.enforced, 0);
    return limits.played;
}

KIT_TEST(the_best_loop_of_a_platform_plays_the_best_one_of_macos)
{
    static const iso__limit_subject old_kqueue = { ISO__ON_MACOS, ISO__WITH_KQUEUE, 1008 };
    static const iso__limit_subject old_poll = { ISO__ON_MACOS, ISO__WITH_POLL, 1008 };
    uint32_t kqueue = rows_of("documented", old_kqueue);
    uint32_t poll = rows_of("documented", old_poll);

    CHECK((kqueue & BIT(MACOS_CHARDEV_KQUEUE)) != 0);
    CHECK_EQ(played_by("macos-10.8", linux_epoll), kqueue);
    CHECK_EQ(played_by("macos-10.8", macos_kqueue), kqueue);
    CHECK_EQ(played_by("macos-10.8", windows_proactor), kqueue);
    CHECK_EQ(played_by("macos-10.8", windows_select), kqueue);
    CHECK_EQ(played_by("macos-10.8", linux_poll), poll);
    CHECK_EQ(played_by("macos-10.8", linux_select), poll | BIT(SELECT_FD_SETSIZE));
    CHECK_EQ(played_by("macos", linux_epoll), rows_of("documented", macos_kqueue));
    CHECK_EQ(played_by("macos-10.5", linux_poll) & BIT(MACOS_CHARDEV_10_5),
             BIT(MACOS_CHARDEV_10_5));
}

KIT_TEST(the_best_loop_of_a_platform_plays_the_best_one_of_linux)
{
    uint32_t epoll = rows_of("documented", linux_epoll);

    CHECK_EQ(played_by("linux", windows_select), epoll);
    CHECK_EQ(played_by("linux", windows_proactor), epoll);
    CHECK_EQ(played_by("linux", macos_kqueue), epoll);
    CHECK_EQ(played_by("linux", linux_select), rows_of("documented", linux_select));
}

KIT_TEST(profiles_of_the_own_system_play_nothing)
{
    CHECK_EQ(played_by("documented", windows_select), 0);
    CHECK_EQ(played_by("native", windows_select), 0);
    CHECK_EQ(played_by("portable", linux_epoll), rows_of("portable", linux_epoll));
}

static uint32_t said_by(const char *profile, iso__limit_subject subject)
{
    uint32_t rows = 0;

    CHECK_OK(iso__limits_of_profile(&rows, profile, subject));
    return rows;
}

KIT_TEST(what_a_profile_says_by_itself_has_no_row_of_the_own_system)
{
    CHECK_EQ(said_by("documented", linux_select), rows_of("documented", linux_select));
    CHECK_EQ(said_by("native", windows_proactor), rows_of("native", windows_proactor));
    CHECK_EQ(said_by(NULL, windows_proactor), rows_of("documented", windows_proactor));
    CHECK_EQ(said_by("windows-selector", linux_select), rows_of("documented", windows_select));
    CHECK_EQ(said_by("windows-proactor", macos_kqueue), rows_of("documented", windows_proactor));
    CHECK_EQ(said_by("linux", windows_proactor), rows_of("documented", linux_epoll));
    CHECK_EQ(said_by("linux", windows_select), rows_of("documented", linux_select));
    CHECK_EQ(said_by("portable", linux_epoll), rows_of("portable", linux_epoll));
}

KIT_TEST(a_foreign_profile_keeps_what_this_system_cannot_do)
{
    uint32_t rows = rows_of("windows-selector", linux_select);

    CHECK((rows & BIT(SELECT_FD_SETSIZE)) != 0);
    CHECK((rows & BIT(ALL_BAD_FD)) != 0);
    CHECK((rows & BIT(PROACTOR_AVAILABILITY)) ==
          0); /* a document of POSIX, and this plays Windows */
}

/* A handle is no small number: the row could only be met by chance. */
KIT_TEST(portable_is_every_row_but_that_of_small_numbers_on_windows)
{
    uint32_t all = ((uint32_t)1 << ISO__ROW_COUNT) - 1;

    CHECK_EQ(rows_of("portable", linux_epoll), all);
    CHECK_EQ(rows_of("portable", windows_proactor), all & ~(uint32_t)BIT(SELECT_FD_SETSIZE));
    CHECK_EQ(rows_of("portable", windows_select), all & ~(uint32_t)BIT(SELECT_FD_SETSIZE));
    CHECK_EQ(rows_of("portable", macos_kqueue), all);
}

KIT_TEST(an_unknown_profile_is_refused_with_a_list)
{
    iso__limits limits;

    CHECK_RC(iso__limits_choose(&limits, "amiga", linux_epoll), ISO_EINVAL);
    CHECK_STR(iso_error_detail(),
              "amiga is not a limits profile; there are: documented, native, portable, "
              "windows-selector, windows-proactor, macos, macos-10.8, macos-10.5, linux");
    CHECK_RC(iso__limits_of_profile(&limits.enforced, "amiga", linux_epoll), ISO_EINVAL);
}

KIT_TEST(every_profile_that_is_listed_is_one)
{
    size_t count = 0;
    const iso_limits_profile *list = iso_limits_profiles(&count);
    iso__limits limits;
    size_t at;

    CHECK_PTR(iso_limits_profiles(NULL), list);
    CHECK_EQ(count, 9);
    for (at = 0; at < count; at++) {
        CHECK_OK(iso__limits_choose(&limits, list[at].name, linux_epoll));
        CHECK_STR(limits.profile, list[at].name);
        CHECK(strlen(list[at].text) > 4);
    }
}

/* What takes a capability away is a row; there is none that nothing takes away. */
KIT_TEST(every_capability_has_a_name_and_a_row)
{
    int count = 0;

    while (iso_capability_name((iso_capability)count) != NULL) {
        iso_capability capability = (iso_capability)count;

        CHECK(strlen(iso_capability_name(capability)) > 3);
        CHECK(strlen(iso_capability_calls(capability)) > 3);
        CHECK(iso_limits_allow(0, capability));
        CHECK(!iso_limits_allow(UINT64_MAX, capability));
        count++;
    }
    CHECK_EQ(count, ISO_CAP_PLAIN_PIPES + 1);
    CHECK_STR(iso_capability_name(ISO_CAP_UNIX_SOCKETS), "unix_sockets");
    CHECK_STR(iso_capability_calls(ISO_CAP_WATCH), "add_reader, add_writer");
    CHECK(!iso_limits_allow(0, (iso_capability)count));
    CHECK(!iso_limits_allow(0, (iso_capability)-1));
    CHECK_PTR(iso_capability_name((iso_capability)-1), NULL);
    CHECK_PTR(iso_capability_calls((iso_capability)count), NULL);
}

KIT_TEST(a_capability_is_taken_away_by_its_rows_alone)
{
    uint64_t pipes = BIT(WINDOWS_PIPES);
    uint64_t named = BIT(POSIX_NAMED_PIPES);

    CHECK(!iso_limits_allow(pipes, ISO_CAP_PIPES));
    CHECK(!iso_limits_allow(pipes, ISO_CAP_NAMED_PIPES));
    CHECK(!iso_limits_allow(pipes, ISO_CAP_PLAIN_PIPES));
    CHECK(iso_limits_allow(named, ISO_CAP_PIPES));
    CHECK(!iso_limits_allow(named, ISO_CAP_NAMED_PIPES));
    CHECK(!iso_limits_allow(BIT(MACOS_CHARDEV_KQUEUE), ISO_CAP_WATCH_DEVICES));
    CHECK(!iso_limits_allow(BIT(MACOS_CHARDEV_10_5), ISO_CAP_PIPE_DEVICES));
    CHECK(iso_limits_allow(BIT(MACOS_CHARDEV_10_5), ISO_CAP_WATCH_NONSOCKETS));
    CHECK(iso_limits_allow(~pipes & ~named, ISO_CAP_NAMED_PIPES));
}

KIT_TEST(a_refusal_is_kept_with_what_was_used)
{
    iso__limits limits;

    CHECK_OK(iso__limits_choose(&limits, "windows-selector", linux_epoll));
    CHECK_PTR(limits.last.id, NULL);
    CHECK_RC(iso__limits_refuse(&limits, ISO__ROW_WINDOWS_MAX_SOCKETS, 512), ISO_ELIMIT);
    CHECK_STR(limits.last.id, "windows.selector.max_sockets");
    CHECK_EQ(limits.last.limit, 512);
    CHECK_EQ(limits.last.used, 512);
    /* and the next one takes its place */
    CHECK_RC(iso__limits_refuse(&limits, ISO__ROW_ALL_BAD_FD, 0), ISO_EBADF);
    CHECK_STR(limits.last.id, "all.bad_fd");
    CHECK_EQ(limits.last.used, 0);
}

KIT_TEST(every_row_says_all_that_there_is_to_say)
{
    size_t count;
    const iso_limit *rows = iso_limits(&count);
    size_t a;
    size_t b;

    CHECK_EQ(count, ISO__ROW_COUNT);
    CHECK_PTR(iso_limits(NULL), rows);
    for (a = 0; a < count; a++) {
        CHECK(strlen(rows[a].id) > 3 && strchr(rows[a].id, '.') != NULL);
        CHECK(strlen(rows[a].where) > 3);
        CHECK(strlen(rows[a].api) > 3);
        CHECK(strlen(rows[a].text) > 10);
        CHECK(strlen(rows[a].source) > 3);
        CHECK_LE(rows[a].error, 0);
        CHECK(rows[a].instead != NULL);
        CHECK_EQ(rows[a].is_lifted, (iso__limits_true_of(every_subject, true) >> a & 1u) == 0);
        CHECK_EQ(rows[a].used, 0);
        for (b = 0; b < a; b++) CHECK(strcmp(rows[a].id, rows[b].id) != 0);
    }
}

/* The numbers that the documents give. */
KIT_TEST(the_numbers_of_the_rows)
{
    CHECK_EQ(iso__limit_value(ISO__ROW_WINDOWS_MAX_SOCKETS), 512);
    CHECK_EQ(iso__limit_value(ISO__ROW_SELECT_FD_SETSIZE), 1024);
    CHECK_EQ(iso__limit_value(ISO__ROW_WINDOWS_CLOCK), ISO_US(15600));
    CHECK_EQ(iso__limit_value(ISO__ROW_ALL_BAD_FD), 0);
}

static const kit_case cases[] = {
    KIT_CASE(documented_is_what_is_true_of_epoll),
    KIT_CASE(documented_is_what_is_true_of_poll),
    KIT_CASE(documented_is_what_is_true_of_select_on_posix),
    KIT_CASE(documented_is_what_is_true_of_kqueue),
    KIT_CASE(character_devices_depend_on_the_version_of_macos),
    KIT_CASE(the_version_of_macos_is_that_of_its_darwin),
    KIT_CASE(documented_is_what_is_true_of_select_on_windows),
    KIT_CASE(documented_is_what_is_true_of_the_proactor_on_windows),
    KIT_CASE(a_selector_of_ones_own_has_the_rows_of_every_selector),
    KIT_CASE(no_profile_is_documented),
    KIT_CASE(native_lifts_what_only_documents_say),
    KIT_CASE(windows_selector_brings_its_rows_to_every_platform),
    KIT_CASE(windows_proactor_brings_its_rows_to_every_platform),
    KIT_CASE(the_best_loop_of_a_platform_plays_the_best_one_of_macos),
    KIT_CASE(the_best_loop_of_a_platform_plays_the_best_one_of_linux),
    KIT_CASE(profiles_of_the_own_system_play_nothing),
    KIT_CASE(what_a_profile_says_by_itself_has_no_row_of_the_own_system),
    KIT_CASE(a_foreign_profile_keeps_what_this_system_cannot_do),
    KIT_CASE(portable_is_every_row_but_that_of_small_numbers_on_windows),
    KIT_CASE(an_unknown_profile_is_refused_with_a_list),
    KIT_CASE(every_profile_that_is_listed_is_one),
    KIT_CASE(every_capability_has_a_name_and_a_row),
    KIT_CASE(a_capability_is_taken_away_by_its_rows_alone),
    KIT_CASE(a_refusal_is_kept_with_what_was_used),
    KIT_CASE(every_row_says_all_that_there_is_to_say),
    KIT_CASE(the_numbers_of_the_rows),
};

KIT_MAIN(cases)
