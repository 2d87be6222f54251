/* SPDX-License-Identifier: MIT */
#include "base/limits.h"
#include "kit.h"

#include <string.h>

static const iso__limit_subject linux_epoll = { ISO__ON_LINUX, ISO__WITH_EPOLL };
static const iso__limit_subject linux_poll = { ISO__ON_LINUX, ISO__WITH_POLL };
static const iso__limit_subject linux_select = { ISO__ON_LINUX, ISO__WITH_SELECT };
static const iso__limit_subject linux_custom = { ISO__ON_LINUX, ISO__WITH_CUSTOM };
static const iso__limit_subject macos_kqueue = { ISO__ON_MACOS, ISO__WITH_KQUEUE };
static const iso__limit_subject windows_select = { ISO__ON_WINDOWS, ISO__WITH_SELECT };
static const iso__limit_subject windows_proactor = { ISO__ON_WINDOWS, ISO__WITH_PROACTOR };

#define BIT(row) ((uint32_t)1 << ISO__ROW_##row)

/* What is said of every selector, of every loop of POSIX, and of every loop of Windows. */
enum { EVERY_SELECTOR = BIT(ALL_REGULAR_FILE) | BIT(ALL_BAD_FD) };
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
    CHECK_EQ(rows_of("documented", linux_epoll), EVERY_SELECTOR | EVERY_POSIX);
}

KIT_TEST(documented_is_what_is_true_of_poll)
{
    CHECK_EQ(rows_of("documented", linux_poll),
             EVERY_SELECTOR | EVERY_POSIX | BIT(TORNADO_SELECT_GRADE));
}

KIT_TEST(documented_is_what_is_true_of_select_on_posix)
{
    CHECK_EQ(rows_of("documented", linux_select),
             EVERY_SELECTOR | EVERY_POSIX | BIT(SELECT_FD_SETSIZE) | BIT(TORNADO_SELECT_GRADE));
}

KIT_TEST(documented_is_what_is_true_of_kqueue)
{
    CHECK_EQ(rows_of("documented", macos_kqueue),
             EVERY_SELECTOR | EVERY_POSIX | BIT(KQUEUE_CHARDEV));
}

KIT_TEST(documented_is_what_is_true_of_select_on_windows)
{
    CHECK_EQ(rows_of("documented", windows_select),
             EVERY_SELECTOR | EVERY_WINDOWS | BIT(WINDOWS_MAX_SOCKETS) | BIT(WINDOWS_SOCKETS_ONLY) |
                 BIT(WINDOWS_PIPES) | BIT(WINDOWS_SUBPROCESS) | BIT(TORNADO_SELECT_GRADE));
}

KIT_TEST(documented_is_what_is_true_of_the_proactor_on_windows)
{
    CHECK_EQ(rows_of("documented", windows_proactor),
             EVERY_WINDOWS | BIT(PROACTOR_DATAGRAM) | BIT(PROACTOR_WATCH) |
                 BIT(PROACTOR_OVERLAPPED_ONLY) | BIT(PROACTOR_PIPE_WRITE_EOF) |
                 BIT(PROACTOR_FOREIGN_PORT));
}

KIT_TEST(a_selector_of_ones_own_has_the_rows_of_every_selector)
{
    CHECK_EQ(rows_of("documented", linux_custom), EVERY_SELECTOR | EVERY_POSIX);
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
             EVERY_SELECTOR | (EVERY_POSIX & ~BIT(PROACTOR_AVAILABILITY)));
    /* datagrams are all that the library does there, and the documents say that it doesn't */
    CHECK_EQ(rows_of("native", windows_proactor),
             rows_of("documented", windows_proactor) & ~BIT(PROACTOR_DATAGRAM));
    CHECK_EQ(rows_of("native", windows_select), rows_of("documented", windows_select));
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
    CHECK_HAS(iso_error_detail(), "amiga");
    CHECK_HAS(iso_error_detail(), "documented");
    CHECK_HAS(iso_error_detail(), "native");
    CHECK_HAS(iso_error_detail(), "portable");
    CHECK_HAS(iso_error_detail(), "windows-selector");
    CHECK_HAS(iso_error_detail(), "windows-proactor");
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
    KIT_CASE(documented_is_what_is_true_of_select_on_windows),
    KIT_CASE(documented_is_what_is_true_of_the_proactor_on_windows),
    KIT_CASE(a_selector_of_ones_own_has_the_rows_of_every_selector),
    KIT_CASE(no_profile_is_documented),
    KIT_CASE(native_lifts_what_only_documents_say),
    KIT_CASE(windows_selector_brings_its_rows_to_every_platform),
    KIT_CASE(windows_proactor_brings_its_rows_to_every_platform),
    KIT_CASE(a_foreign_profile_keeps_what_this_system_cannot_do),
    KIT_CASE(portable_is_every_row_but_that_of_small_numbers_on_windows),
    KIT_CASE(an_unknown_profile_is_refused_with_a_list),
    KIT_CASE(a_refusal_is_kept_with_what_was_used),
    KIT_CASE(every_row_says_all_that_there_is_to_say),
    KIT_CASE(the_numbers_of_the_rows),
};

KIT_MAIN(cases)
