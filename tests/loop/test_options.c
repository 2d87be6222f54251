/* SPDX-License-Identifier: MIT */
/* Making a loop: options, backends by name, the environment, who owns what. */
#include "kit.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static int new_by_name(kit *k, iso_loop **out, const char *backend)
{
    iso_loop_options options = kit_options(k);

    options.backend = backend;
    return iso_loop_new(out, &options);
}

static const iso_backend *default_backend(void)
{
    const iso_backend *backends;
    size_t count = iso_backends(&backends);
    size_t at;

    for (at = 0; at < count; at++) {
        if (backends[at].is_default) return &backends[at];
    }
    return NULL;
}

/* ---- backends ---- */

KIT_TEST(the_backends_are_listed_with_one_default)
{
    const iso_backend *backends = NULL;
    size_t count = iso_backends(&backends);
    int defaults = 0;
    size_t a;
    size_t b;

    CHECK_GE(count, 6);
    CHECK_EQ(iso_backends(NULL), count);
    for (a = 0; a < count; a++) {
        CHECK_EQ(backends[a].available, backends[a].reason[0] == '\0');
        if (backends[a].is_default) CHECK(backends[a].available);
        defaults += backends[a].is_default ? 1 : 0;
        for (b = 0; b < a; b++) CHECK(strcmp(backends[a].name, backends[b].name) != 0);
    }
    CHECK_EQ(defaults, 1);
}

KIT_TEST(every_backend_of_the_list_is_made_or_refused_with_its_reason)
{
    const iso_backend *backends;
    size_t count = iso_backends(&backends);
    size_t at;
    size_t other;

    for (at = 0; at < count; at++) {
        iso_loop *loop = NULL;
        int rc = new_by_name(k, &loop, backends[at].name);

        if (backends[at].available) {
            CHECK_OK(rc);
            CHECK_STR(iso_loop_backend(loop), backends[at].name);
            iso_loop_release(loop);
            continue;
        }
        CHECK_RC(rc, ISO_ENOTSUP);
        CHECK_PTR(loop, NULL);
        CHECK_HAS(iso_error_detail(), backends[at].name);
        CHECK_HAS(iso_error_detail(), backends[at].reason);
        for (other = 0; other < count; other++)
            if (backends[other].available) CHECK_HAS(iso_error_detail(), backends[other].name);
    }
}

KIT_TEST(an_unknown_backend_is_refused_with_a_list)
{
    iso_loop *loop = NULL;

    CHECK_RC(new_by_name(k, &loop, "selector:devpoll"), ISO_ENOTSUP);
    CHECK_PTR(loop, NULL);
    CHECK_HAS(iso_error_detail(), "selector:devpoll");
    CHECK_HAS(iso_error_detail(), default_backend()->name);
    CHECK_RC(new_by_name(k, &loop, "epoll"), ISO_ENOTSUP); /* names are whole */
    CHECK_RC(new_by_name(k, &loop, "Selector"), ISO_ENOTSUP);
    CHECK_RC(new_by_name(k, &loop, "selector:"), ISO_ENOTSUP);
}

KIT_TEST(selector_alone_is_the_best_selector)
{
    iso_loop *loop = NULL;
    char name[64];

    CHECK_OK(new_by_name(k, &loop, "selector"));
    (void)snprintf(name, sizeof(name), "selector:%s", iso__poller_table[0]->name);
    CHECK_STR(iso_loop_backend(loop), name);
    iso_loop_release(loop);
}

KIT_TEST(proactor_alone_meets_its_documented_limit_off_windows)
{
    iso_loop *loop = NULL;
    int rc = new_by_name(k, &loop, "proactor");

    if (rc == 0) { /* where it is the platform's own */
        CHECK_STR(iso_loop_backend(loop), "proactor:iocp");
        iso_loop_release(loop);
        return;
    }
    CHECK_RC(rc, ISO_ENOTSUP);
    CHECK_HAS(iso_error_detail(), "proactor");
}

KIT_TEST(no_backend_is_what_the_environment_says)
{
    iso_loop *loop = NULL;

    CHECK_OK(new_by_name(k, &loop, NULL));
    CHECK_STR(iso_loop_backend(loop), kit_backend(k));
    iso_loop_release(loop);
}

KIT_TEST(no_backend_and_no_environment_is_the_default)
{
    iso_loop *loop = NULL;

    kit_setenv(k, "ISOLOOP_LOOP", NULL);
    CHECK_OK(new_by_name(k, &loop, NULL));
    CHECK_STR(iso_loop_backend(loop), default_backend()->name);
    iso_loop_release(loop);
    kit_setenv(k, "ISOLOOP_LOOP", "");
    CHECK_OK(new_by_name(k, &loop, NULL));
    CHECK_STR(iso_loop_backend(loop), default_backend()->name);
    iso_loop_release(loop);
}

KIT_TEST(a_wrong_environment_is_never_a_silent_fallback)
{
    iso_loop *loop = NULL;

    kit_setenv(k, "ISOLOOP_LOOP", "selector:nonsense");
    CHECK_RC(new_by_name(k, &loop, NULL), ISO_ENOTSUP);
    CHECK_HAS(iso_error_detail(), "selector:nonsense");
    CHECK_PTR(loop, NULL);
    /* but what the program itself says goes first */
    CHECK_OK(new_by_name(k, &loop, "selector"));
    iso_loop_release(loop);
}

/* ---- the struct ---- */

KIT_TEST(no_options_are_all_defaults)
{
    iso_loop *loop = NULL;

    CHECK_OK(iso_loop_new(&loop, NULL));
    CHECK_STR(iso_loop_backend(loop), kit_backend(k));
    CHECK(!iso_loop_get_debug(loop));
    iso_loop_release(loop);
}

KIT_TEST(nowhere_to_put_it_is_refused)
{
    CHECK_RC(iso_loop_new(NULL, NULL), ISO_EINVAL);
}

KIT_TEST(options_of_an_older_header_leave_the_rest_at_its_default)
{
    iso_loop_options options = kit_options(k);
    iso_loop *loop = NULL;

    /* given a program that knows no more than backend and limits, and rubbish behind them */
    options.backend = "selector";
    options.limits = "native";
    options.size = offsetof(iso_loop_options, selector);
    memset((char *)&options + options.size, 0xEE, sizeof(options) - options.size);
    CHECK_OK(iso_loop_new(&loop, &options));
    CHECK_STR(iso_loop_limits_profile(loop), "native");
    CHECK_EQ(kit_memory_now(k).blocks, 0); /* its allocator was not looked at */
    iso_loop_release(loop);
}

KIT_TEST(options_of_a_newer_header_are_read_as_far_as_they_are_known)
{
    struct {
        iso_loop_options known;
        char unknown[64];
    } options;
    iso_loop *loop = NULL;

    memset(&options, 0xEE, sizeof(options));
    options.known = kit_options(k);
    options.known.size = sizeof(options);
    options.known.limits = "native";
    CHECK_OK(iso_loop_new(&loop, &options.known));
    CHECK_STR(iso_loop_limits_profile(loop), "native");
    iso_loop_release(loop);
}

KIT_TEST(options_without_a_size_are_all_defaults)
{
    iso_loop_options options;
    iso_loop *loop = NULL;

    memset(&options, 0xEE, sizeof(options));
    options.size = 0;
    CHECK_OK(iso_loop_new(&loop, &options));
    iso_loop_release(loop);
}

/* ---- limits ---- */

KIT_TEST(the_profile_is_documented_unless_said)
{
    kit_setenv(k, "ISOLOOP_LIMITS", NULL);
    CHECK_STR(iso_loop_limits_profile(kit_loop(k)), "documented");
    kit_setenv(k, "ISOLOOP_LIMITS", "");
    CHECK_STR(iso_loop_limits_profile(kit_loop(k)), "documented");
}

KIT_TEST(the_environment_chooses_the_profile)
{
    kit_setenv(k, "ISOLOOP_LIMITS", "windows-selector");
    CHECK_STR(iso_loop_limits_profile(kit_loop(k)), "windows-selector");
}

KIT_TEST(options_choose_the_profile_before_the_environment)
{
    iso_loop_options options = kit_options(k);

    kit_setenv(k, "ISOLOOP_LIMITS", "windows-selector");
    options.limits = "native";
    CHECK_STR(iso_loop_limits_profile(kit_loop_with(k, &options)), "native");
}

KIT_TEST(an_unknown_profile_is_refused_with_a_list)
{
    iso_loop_options options = kit_options(k);
    iso_loop *loop = NULL;

    options.limits = "amiga";
    CHECK_RC(iso_loop_new(&loop, &options), ISO_EINVAL);
    CHECK_PTR(loop, NULL);
    CHECK_HAS(iso_error_detail(), "amiga");
    CHECK_HAS(iso_error_detail(), "documented");
    kit_setenv(k, "ISOLOOP_LIMITS", "atari");
    options.limits = NULL;
    CHECK_RC(iso_loop_new(&loop, &options), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "atari");
}

/* ---- debug ---- */

KIT_TEST(debug_is_switched_on_by_option_and_by_environment)
{
    iso_loop_options options = kit_options(k);

    kit_setenv(k, "ISOLOOP_DEBUG", NULL);
    CHECK(!iso_loop_get_debug(kit_loop_with(k, &options)));
    kit_setenv(k, "ISOLOOP_DEBUG", "0");
    CHECK(!iso_loop_get_debug(kit_loop_with(k, &options)));
    kit_setenv(k, "ISOLOOP_DEBUG", "1");
    CHECK(iso_loop_get_debug(kit_loop_with(k, &options)));
    kit_setenv(k, "ISOLOOP_DEBUG", NULL);
    options.debug = true;
    CHECK(iso_loop_get_debug(kit_loop_with(k, &options)));
}

/* ---- a selector of one's own ---- */

static int own_set(void *self, iso_fd fd, unsigned was, unsigned events, void *token)
{
    (void)fd;
    (void)was;
    (void)events;
    (void)token;
    return *(int *)self;
}

static int own_wait(void *self, iso_nsec timeout, iso_selector_event *events, int max)
{
    (void)self;
    (void)timeout;
    (void)events;
    (void)max;
    return 0;
}

static iso_fd own_fileno(void *self)
{
    (void)self;
    return ISO_FD_NONE;
}

static void own_close(void *self)
{
    *(int *)self = 1;
}

static const iso_selector_class own_class = {
    .name = "mine",
    .set = own_set,
    .wait = own_wait,
    .descriptor = own_fileno,
    .close = own_close,
};

KIT_TEST(a_selector_of_ones_own_is_the_loops_from_then_on)
{
    iso_loop_options options = kit_options(k);
    iso_loop *loop = NULL;
    int is_closed = 0;

    CHECK_OK(iso_selector_new_custom(&options.selector, &own_class, &is_closed));
    CHECK_OK(iso_loop_new(&loop, &options));
    CHECK_STR(iso_loop_backend(loop), "selector:mine");
    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "a", NULL));
    CHECK_EQ(iso_loop_run_once(loop, 0), 1);
    CHECK_EQ(is_closed, 0);
    CHECK_OK(iso_loop_close(loop));
    CHECK_EQ(is_closed, 1);
    iso_loop_release(loop);
}

KIT_TEST(a_selector_is_still_the_callers_when_the_loop_is_refused)
{
    iso_loop_options options = kit_options(k);
    iso_loop *loop = NULL;
    int answer = ISO_ELIMIT; /* to the registration of the loop's own wake-up */

    CHECK_OK(iso_selector_new_custom(&options.selector, &own_class, &answer));
    CHECK_RC(iso_loop_new(&loop, &options), ISO_ELIMIT);
    CHECK_PTR(loop, NULL);
    CHECK_EQ(answer, ISO_ELIMIT); /* not closed */
    iso_selector_close(options.selector);
    CHECK_EQ(answer, 1);
}

KIT_TEST(a_selector_and_a_backend_exclude_each_other)
{
    iso_loop_options options = kit_options(k);
    iso_loop *loop = NULL;

    options.selector = kit_selector(k);
    options.backend = "selector";
    CHECK_RC(iso_loop_new(&loop, &options), ISO_EINVAL);
    iso_selector_close(options.selector);
}

KIT_TEST(a_selector_that_serves_somebody_else_is_refused)
{
    iso_loop_options options = kit_options(k);
    iso_loop *loop = NULL;
    iso_fd pair[2];

    /* with descriptors of the caller's, */
    kit_pair(k, pair);
    options.selector = kit_selector(k);
    CHECK_OK(iso_selector_register(options.selector, pair[0], ISO_EVENT_READ, NULL));
    CHECK_RC(iso_loop_new(&loop, &options), ISO_EBUSY);
    CHECK_OK(iso_selector_unregister(options.selector, pair[0]));
    /* or with a loop already */
    (void)kit_loop_with(k, &options);
    CHECK_RC(iso_loop_new(&loop, &options), ISO_EBUSY);
    CHECK_PTR(loop, NULL);
}

KIT_TEST(a_selector_goes_before_the_environment)
{
    iso_loop_options options = kit_options(k);

    kit_setenv(k, "ISOLOOP_LOOP", "selector:nonsense");
    CHECK_OK(iso_selector_new(&options.selector, "select"));
    CHECK_STR(iso_loop_backend(kit_loop_with(k, &options)), "selector:select");
}

KIT_TEST(selector_event_loop_takes_a_selector)
{
    iso_selector *selector = NULL;
    iso_loop *loop = NULL;

    CHECK_OK(iso_selector_new(&selector, "select"));
    CHECK_OK(iso_selector_event_loop_new(&loop, selector));
    CHECK_STR(iso_loop_backend(loop), "selector:select");
    iso_loop_release(loop);
}

KIT_TEST(selector_event_loop_without_one_is_the_best)
{
    iso_loop *loop = NULL;
    char name[64];

    kit_setenv(k, "ISOLOOP_LOOP",
               "selector:nonsense"); /* which asyncio's class does not ask either */
    CHECK_OK(iso_selector_event_loop_new(&loop, NULL));
    (void)snprintf(name, sizeof(name), "selector:%s", iso__poller_table[0]->name);
    CHECK_STR(iso_loop_backend(loop), name);
    iso_loop_release(loop);
}

/* ---- memory and descriptors ---- */

KIT_TEST(all_memory_comes_from_the_programs_allocator)
{
    iso_allocator allocator = *kit_allocator(k);
    iso_loop_options options = kit_options(k);
    iso_loop *loop = NULL;
    size_t bytes;

    options.allocator = &allocator;
    CHECK_OK(iso_loop_new(&loop, &options));
    memset(&allocator, 0, sizeof(allocator)); /* it was copied */
    bytes = kit_memory_now(k).bytes;
    CHECK_GE(bytes, 1000);
    CHECK_OK(iso_loop_call_soon(loop, kit_nothing, NULL, NULL));
    CHECK_OK(iso_loop_call_soon_threadsafe(loop, kit_nothing, NULL));
    CHECK_GE(kit_memory_now(k).bytes, bytes + 1000);
    iso_loop_release(loop);
    CHECK_EQ(kit_memory_now(k).bytes, 0);
}

KIT_TEST(a_clock_is_copied)
{
    iso_clock clock = kit_virtual_clock(k);
    iso_loop_options options = kit_options(k);
    iso_loop *loop;

    options.clock = &clock;
    loop = kit_loop_with(k, &options);
    memset(&clock, 0, sizeof(clock));
    CHECK_EQ(iso_loop_time(loop), kit_clock_of(k)->now);
    CHECK_EQ(iso_loop_clock_resolution(loop), 1);
}

KIT_TEST(without_memory_no_loop_is_made_and_nothing_is_left)
{
    iso_loop_options options = kit_options(k);
    iso_loop *loop = NULL;
    uint64_t nth = 0;
    int rc;

    do {
        kit_fail_allocation(k, ++nth, false);
        rc = iso_loop_new(&loop, &options);
        kit_fail_allocation(k, 0, false);
        if (rc == 0) break;
        CHECK_RC(rc, ISO_ENOMEM);
        CHECK_PTR(loop, NULL);
        CHECK_EQ(kit_memory_now(k).blocks, 0);
    } while (nth < 100 && !kit_has_failed(k));
    CHECK_OK(rc);
    /* the loop, and its driver; the selector, and what is attached to it, ... */
    CHECK_GE(nth, strncmp(kit_backend(k), "selector:", 9) == 0 ? 4 : 3);
    iso_loop_release(loop);
}

KIT_TEST(without_a_descriptor_no_loop_is_made_and_nothing_is_left)
{
    iso_loop_options options = kit_options(k);
    iso_loop *loop = NULL;

    if (!kit_exhaust(k)) return;
    CHECK_RC(iso_loop_new(&loop, &options), ISO_EMFILE);
    kit_replenish(k);
    CHECK_PTR(loop, NULL);
    CHECK_EQ(kit_memory_now(k).blocks, 0);
}

KIT_TEST(a_loop_is_counted)
{
    iso_loop *loop = NULL;

    CHECK_OK(new_by_name(k, &loop, NULL));
    CHECK_PTR(iso_loop_ref(loop), loop);
    iso_loop_release(loop);
    CHECK(!iso_loop_is_closed(loop));
    CHECK_OK(iso_loop_call_soon(loop, kit_nothing, NULL, NULL));
    iso_loop_release(loop);
    CHECK_EQ(kit_memory_now(k).blocks, 0);
    iso_loop_release(NULL); /* is fine */
}

KIT_TEST(the_version_is_that_of_the_header)
{
    char version[32];

    (void)snprintf(version, sizeof(version), "%d.%d.%d", ISO_VERSION_MAJOR, ISO_VERSION_MINOR,
                   ISO_VERSION_PATCH);
    CHECK_STR(iso_version(), version);
}

static const kit_case cases[] = {
    KIT_CASE(the_backends_are_listed_with_one_default),
    KIT_CASE(every_backend_of_the_list_is_made_or_refused_with_its_reason),
    KIT_CASE(an_unknown_backend_is_refused_with_a_list),
    KIT_CASE(selector_alone_is_the_best_selector),
    KIT_CASE(proactor_alone_meets_its_documented_limit_off_windows),
    KIT_CASE(no_backend_is_what_the_environment_says),
    KIT_CASE(no_backend_and_no_environment_is_the_default),
    KIT_CASE(a_wrong_environment_is_never_a_silent_fallback),
    KIT_CASE(no_options_are_all_defaults),
    KIT_CASE(nowhere_to_put_it_is_refused),
    KIT_CASE(options_of_an_older_header_leave_the_rest_at_its_default),
    KIT_CASE(options_of_a_newer_header_are_read_as_far_as_they_are_known),
    KIT_CASE(options_without_a_size_are_all_defaults),
    KIT_CASE(the_profile_is_documented_unless_said),
    KIT_CASE(the_environment_chooses_the_profile),
    KIT_CASE(options_choose_the_profile_before_the_environment),
    KIT_CASE(an_unknown_profile_is_refused_with_a_list),
    KIT_CASE(debug_is_switched_on_by_option_and_by_environment),
    KIT_CASE(a_selector_of_ones_own_is_the_loops_from_then_on),
    KIT_CASE(a_selector_is_still_the_callers_when_the_loop_is_refused),
    KIT_CASE(a_selector_and_a_backend_exclude_each_other),
    KIT_CASE(a_selector_that_serves_somebody_else_is_refused),
    KIT_CASE(a_selector_goes_before_the_environment),
    KIT_CASE(selector_event_loop_takes_a_selector),
    KIT_CASE(selector_event_loop_without_one_is_the_best),
    KIT_CASE(all_memory_comes_from_the_programs_allocator),
    KIT_CASE(a_clock_is_copied),
    KIT_CASE(without_memory_no_loop_is_made_and_nothing_is_left),
    KIT_CASE(without_a_descriptor_no_loop_is_made_and_nothing_is_left),
    KIT_CASE(a_loop_is_counted),
    KIT_CASE(the_version_is_that_of_the_header),
};

KIT_MAIN(cases)
