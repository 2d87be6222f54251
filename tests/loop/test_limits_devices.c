/* SPDX-License-Identifier: MIT */
/* Character devices where the documents of macOS have none: by profile, and on a macOS of that
 * version, which a seam of the library's puts in the place of this system. */
#include "base/limits.h"
#include "kit.h"
#include "loop/loop.h"

#include <string.h>

static const iso_protocol quiet = { .connection_made = NULL };

static iso_loop *loop_under(kit *k, const char *profile)
{
    iso_loop_options options = kit_options(k);

    options.limits = profile;
    return kit_loop_with(k, &options);
}

static iso_loop *loop_on(kit *k, unsigned platform, unsigned version)
{
    iso__system system = { platform, version };
    iso_loop *loop;

    iso__system_in_place = &system;
    loop = loop_under(k, "documented");
    iso__system_in_place = NULL;
    return loop;
}

static bool is_backend(const kit *k, const char *name)
{
    return strcmp(kit_backend(k), name) == 0;
}

/* Of POSIX, where poll and select are among several. */
static bool is_poll_or_select(const kit *k)
{
    return iso__platform != ISO__ON_WINDOWS &&
           (is_backend(k, "selector:poll") || is_backend(k, "selector:select"));
}

static void demand_row(const iso_loop *loop, const char *id)
{
    const iso_limit *last = iso_loop_last_limit(loop);

    if (!CHECK(last != NULL)) return;
    CHECK_STR(last->id, id);
    CHECK_RC(last->error, ISO_ENOTSUP);
    CHECK_EQ(last->limit, 0);
    CHECK_EQ(last->used, 0);
}

static void demand_untouched(const iso_loop *loop)
{
    CHECK_EQ(kit_statistics(loop).objects, 0);
    CHECK_EQ(kit_statistics(loop).registered, loop->engine.driver->kind->own_ios);
    CHECK_EQ(kit_statistics(loop).ready, 0);
}

/* Each call refuses it, by this row, before it does anything. */
static void demand_refused(kit *k, iso_loop *loop, const char *id)
{
    iso_fd device = kit_device(k);
    iso_future *future = NULL;

    CHECK(iso_loop_limit_enforced(loop, id));
    CHECK(!iso_loop_supports(loop, ISO_CAP_WATCH_DEVICES));
    CHECK(!iso_loop_supports(loop, ISO_CAP_PIPE_DEVICES));
    CHECK_RC(iso_loop_connect_read_pipe(loop, &quiet, NULL, device, &future), ISO_ENOTSUP);
    demand_row(loop, id);
    CHECK_RC(iso_loop_connect_write_pipe(loop, &quiet, NULL, device, &future), ISO_ENOTSUP);
    demand_row(loop, id);
    if (iso_loop_supports(loop, ISO_CAP_WATCH)) {
        CHECK_RC(iso_loop_add_reader(loop, device, kit_nothing, NULL), ISO_ENOTSUP);
        demand_row(loop, id);
        CHECK_RC(iso_loop_add_writer(loop, device, kit_nothing, NULL), ISO_ENOTSUP);
        demand_row(loop, id);
    }
    CHECK_PTR(future, NULL);
    demand_untouched(loop);
}

/* Whatever the selector says to this device, no row of macOS does. */
static void demand_no_row(kit *k, iso_loop *loop)
{
    iso_fd device = kit_device(k);
    const iso_limit *last;

    CHECK(!iso_loop_limit_enforced(loop, "macos.chardev.10_5"));
    CHECK(!iso_loop_limit_enforced(loop, "macos.chardev.kqueue"));
    if (iso_loop_add_reader(loop, device, kit_nothing, NULL) == 0)
        CHECK_OK(iso_loop_remove_reader(loop, device));
    last = iso_loop_last_limit(loop);
    CHECK(last == NULL || strncmp(last->id, "macos.", 6) != 0);
    demand_untouched(loop);
}

/* What is no device is what it was: watched, or refused for what it is. */
static void demand_others_as_ever(kit *k, iso_loop *loop)
{
    iso_fd ends[2];

    if (!iso_loop_supports(loop, ISO_CAP_WATCH)) return;
    kit_pair(k, ends);
    CHECK_OK(iso_loop_add_reader(loop, ends[0], kit_nothing, NULL));
    CHECK_OK(iso_loop_remove_reader(loop, ends[0]));
    CHECK_RC(iso_loop_add_reader(loop, kit_regular_file(k), kit_nothing, NULL), ISO_EREGULARFILE);
    kit_close(k, ends[0]);
    CHECK_RC(iso_loop_add_reader(loop, ends[0], kit_nothing, NULL), ISO_EBADF);
    kit_close(k, ends[1]);
}

/* ---- by profile ---- */

KIT_TEST(under_macos_10_5_no_loop_has_devices)
{
    iso_loop *loop = loop_under(k, "macos-10.5");

    demand_refused(k, loop, "macos.chardev.10_5");
    demand_others_as_ever(k, loop);
}

KIT_TEST(under_macos_10_8_kqueue_has_no_devices_and_poll_and_select_have)
{
    iso_loop *loop = loop_under(k, "macos-10.8");

    if (is_poll_or_select(k))
        demand_no_row(k, loop);
    else
        demand_refused(k, loop, "macos.chardev.kqueue");
    demand_others_as_ever(k, loop);
}

KIT_TEST(under_a_newer_macos_no_row_speaks_of_every_device)
{
    demand_no_row(k, loop_under(k, "macos"));
    demand_no_row(k, loop_under(k, "linux"));
}

/* What the documents tell a program to do there: a selector of its own choice. */
KIT_TEST(under_macos_10_8_a_device_is_watched_by_poll_or_select)
{
    iso_loop *loop = loop_under(k, "macos-10.8");
    iso_fd device = kit_device(k);
    int count = 0;

    if (!is_poll_or_select(k)) return;
    REQUIRE_OK(iso_loop_add_writer(loop, device, kit_count, &count));
    (void)kit_run_until(k, loop, &count, 1);
    CHECK_OK(iso_loop_remove_writer(loop, device));
    CHECK_PTR(iso_loop_last_limit(loop), NULL);
}

KIT_TEST(a_selector_of_ones_own_is_no_kqueue)
{
    iso_loop_options options = kit_options(k);
    iso_loop *loop;

    if (iso__platform == ISO__ON_WINDOWS) return; /* it has one selector, which is the best */
    REQUIRE_OK(iso_selector_new(&options.selector, "poll"));
    options.limits = "macos-10.8";
    loop = kit_loop_with(k, &options);
    CHECK(!iso_loop_limit_enforced(loop, "macos.chardev.kqueue"));
}

KIT_TEST(portable_refuses_devices_as_every_macos_does)
{
    iso_loop *loop = loop_under(k, "portable");
    iso_future *future = NULL;

    CHECK(iso_loop_limit_enforced(loop, "macos.chardev.kqueue"));
    CHECK_RC(iso_loop_connect_read_pipe(loop, &quiet, NULL, kit_device(k), &future), ISO_ENOTSUP);
    CHECK_PTR(future, NULL);
    demand_untouched(loop);
}

/* ---- by version ---- */

KIT_TEST(on_macos_10_5_no_loop_has_devices)
{
    demand_refused(k, loop_on(k, ISO__ON_MACOS, 1005), "macos.chardev.10_5");
    demand_refused(k, loop_on(k, ISO__ON_MACOS, 1004), "macos.chardev.10_5");
}

KIT_TEST(on_macos_10_6_to_10_8_kqueue_has_no_devices)
{
    static const unsigned versions[] = { 1006, 1007, 1008 };
    size_t at;

    for (at = 0; at < ISO__COUNT(versions); at++) {
        iso_loop *loop = loop_on(k, ISO__ON_MACOS, versions[at]);

        if (is_backend(k, "selector:kqueue"))
            demand_refused(k, loop, "macos.chardev.kqueue");
        else
            demand_no_row(k, loop);
    }
}

KIT_TEST(on_other_versions_and_systems_no_row_speaks_of_every_device)
{
    demand_no_row(k, loop_on(k, ISO__ON_MACOS, 1009));
    demand_no_row(k, loop_on(k, ISO__ON_MACOS, 1400));
    demand_no_row(k, loop_on(k, ISO__ON_MACOS, ISO__NEWEST_VERSION));
    demand_no_row(k, loop_on(k, ISO__ON_BSD, ISO__ANY_VERSION));
    demand_no_row(k, loop_on(k, ISO__ON_LINUX, ISO__ANY_VERSION));
    if (iso__platform != ISO__ON_MACOS) demand_no_row(k, loop_under(k, "documented"));
}

KIT_TEST(the_system_that_there_is_comes_back)
{
    (void)loop_on(k, ISO__ON_MACOS, 1005);
    CHECK_EQ(iso__loop_subject(ISO__WITH_POLL).platform, iso__platform);
}

static const kit_case cases[] = {
    KIT_CASE(under_macos_10_5_no_loop_has_devices),
    KIT_CASE(under_macos_10_8_kqueue_has_no_devices_and_poll_and_select_have),
    KIT_CASE(under_a_newer_macos_no_row_speaks_of_every_device),
    KIT_CASE(under_macos_10_8_a_device_is_watched_by_poll_or_select),
    KIT_CASE(a_selector_of_ones_own_is_no_kqueue),
    KIT_CASE(portable_refuses_devices_as_every_macos_does),
    KIT_CASE(on_macos_10_5_no_loop_has_devices),
    KIT_CASE(on_macos_10_6_to_10_8_kqueue_has_no_devices),
    KIT_CASE(on_other_versions_and_systems_no_row_speaks_of_every_device),
    KIT_CASE(the_system_that_there_is_comes_back),
};

KIT_MAIN(cases)
