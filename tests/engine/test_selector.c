/* SPDX-License-Identifier: MIT */
/* The public iso_selector, over the poller of the matrix and over one of the program's own. */
#include "engine/selector.h"
#include "kit.h"

#include <stdio.h>

enum { READ = ISO_EVENT_READ, WRITE = ISO_EVENT_WRITE };

static unsigned select_once(iso_selector *selector, const void *data)
{
    iso_selector_event events[16];
    int count = iso_selector_select(selector, ISO_S(10), events, 16);
    unsigned found = 0;
    int at;

    CHECK_GE(count, 0);
    for (at = 0; at < count; at++) {
        if (events[at].token == data) found |= events[at].events;
    }
    return found;
}

/* ---- making ---- */

KIT_TEST(each_poller_is_made_by_its_name)
{
    const iso__poller *const *at;

    for (at = iso__poller_table; *at != NULL; at++) {
        iso_selector *selector = NULL;

        CHECK_OK(iso_selector_new(&selector, (*at)->name));
        CHECK_STR(iso_selector_name(selector), (*at)->name);
        iso_selector_close(selector);
    }
}

KIT_TEST(no_name_is_the_best_of_this_platform)
{
    iso_selector *selector = NULL;

    CHECK_OK(iso_selector_new(&selector, NULL));
    CHECK_STR(iso_selector_name(selector), iso__poller_table[0]->name);
    iso_selector_close(selector);
}

KIT_TEST(an_unknown_name_is_refused_with_a_list)
{
    iso_selector *selector = (iso_selector *)(void *)k;
    const iso__poller *const *at;

    CHECK_RC(iso_selector_new(&selector, "devpoll"), ISO_ENOTSUP);
    CHECK_PTR(selector, k);
    CHECK_HAS(iso_error_detail(), "devpoll");
    for (at = iso__poller_table; *at != NULL; at++) CHECK_HAS(iso_error_detail(), (*at)->name);
}

KIT_TEST(nowhere_to_put_it_is_refused)
{
    CHECK_RC(iso_selector_new(NULL, NULL), ISO_EINVAL);
}

KIT_TEST(closing_nothing_is_fine)
{
    iso_selector_close(NULL);
}

KIT_TEST(closing_with_something_registered_gives_all_back)
{
    iso_selector *selector = kit_selector(k);
    iso_fd pair[2];

    kit_pair(k, pair);
    CHECK_OK(iso_selector_register(selector, pair[0], READ, NULL));
    CHECK_OK(iso_selector_register(selector, pair[1], READ, NULL));
    iso_selector_close(selector);
}

/* ---- registering ---- */

KIT_TEST(what_is_registered_comes_back_with_its_data)
{
    iso_selector *selector = kit_selector(k);
    iso_fd pair[2];

    kit_pair(k, pair);
    CHECK_OK(iso_selector_register(selector, pair[0], READ, pair));
    kit_poke(k, pair[1]);
    CHECK_EQ(select_once(selector, pair), READ);
    iso_selector_close(selector);
}

KIT_TEST(registering_twice_is_refused)
{
    iso_selector *selector = kit_selector(k);
    iso_fd pair[2];

    kit_pair(k, pair);
    CHECK_OK(iso_selector_register(selector, pair[0], WRITE, pair));
    CHECK_RC(iso_selector_register(selector, pair[0], READ, NULL), ISO_EEXIST);
    CHECK_EQ(select_once(selector, pair), WRITE); /* as it was */
    iso_selector_close(selector);
}

KIT_TEST(events_must_be_reading_or_writing)
{
    iso_selector *selector = kit_selector(k);
    iso_fd pair[2];

    kit_pair(k, pair);
    CHECK_RC(iso_selector_register(selector, pair[0], 0, NULL), ISO_EINVAL);
    CHECK_RC(iso_selector_register(selector, pair[0], ISO_EVENT_ERROR, NULL), ISO_EINVAL);
    CHECK_RC(iso_selector_register(selector, pair[0], READ | ISO_EVENT_GONE, NULL), ISO_EINVAL);
    CHECK_OK(iso_selector_register(selector, pair[0], READ, NULL));
    CHECK_RC(iso_selector_modify(selector, pair[0], 0, NULL), ISO_EINVAL);
    CHECK_RC(iso_selector_modify(selector, pair[0], 16, NULL), ISO_EINVAL);
    iso_selector_close(selector);
}

KIT_TEST(a_refusal_leaves_nothing_behind)
{
    iso_selector *selector = kit_selector(k);
    iso_fd file = kit_regular_file(k);

    CHECK_RC(iso_selector_register(selector, ISO_FD_NONE, READ, NULL), ISO_EBADF);
    CHECK_RC(iso_selector_unregister(selector, ISO_FD_NONE), ISO_ENOENT);
    CHECK_RC(iso_selector_register(selector, file, READ, NULL), ISO_EREGULARFILE);
    CHECK_RC(iso_selector_register(selector, file, READ, NULL), ISO_EREGULARFILE); /* not EEXIST */
    iso_selector_close(selector);
}

KIT_TEST(without_memory_registering_is_refused)
{
    iso_selector *selector = kit_selector(k);
    iso_fd pair[2];
    uint64_t nth;
    int rc = ISO_ENOMEM;

    kit_pair(k, pair);
    for (nth = 1; rc != 0 && nth < 20; nth++) {
        kit_fail_allocation(k, nth, false);
        rc = iso_selector_register(selector, pair[0], WRITE, pair);
        if (rc != 0) CHECK_RC(rc, ISO_ENOMEM);
    }
    kit_fail_allocation(k, 0, false);
    CHECK_OK(rc);
    CHECK_GE(nth, 3); /* the key and the map, at least */
    CHECK_EQ(select_once(selector, pair), WRITE);
    iso_selector_close(selector);
}

/* ---- modifying, unregistering ---- */

KIT_TEST(modify_changes_events_and_data)
{
    iso_selector *selector = kit_selector(k);
    iso_fd pair[2];
    int other;

    kit_pair(k, pair);
    CHECK_OK(iso_selector_register(selector, pair[0], READ, pair));
    CHECK_OK(iso_selector_modify(selector, pair[0], WRITE, pair));
    CHECK_EQ(select_once(selector, pair), WRITE);
    CHECK_OK(iso_selector_modify(selector, pair[0], WRITE, &other));
    CHECK_EQ(select_once(selector, &other), WRITE);
    iso_selector_close(selector);
}

KIT_TEST(modifying_what_is_not_registered_is_refused)
{
    iso_selector *selector = kit_selector(k);
    iso_fd pair[2];

    kit_pair(k, pair);
    CHECK_RC(iso_selector_modify(selector, pair[0], READ, NULL), ISO_ENOENT);
    iso_selector_close(selector);
}

KIT_TEST(unregistering_forgets_and_the_second_time_finds_nothing)
{
    iso_selector *selector = kit_selector(k);
    iso_selector_event event;
    iso_fd pair[2];

    kit_pair(k, pair);
    CHECK_OK(iso_selector_register(selector, pair[0], WRITE, NULL));
    CHECK_OK(iso_selector_unregister(selector, pair[0]));
    CHECK_RC(iso_selector_unregister(selector, pair[0]), ISO_ENOENT);
    CHECK_EQ(iso_selector_select(selector, 0, &event, 1), 0);
    CHECK_OK(iso_selector_register(selector, pair[0], WRITE, pair));
    CHECK_EQ(select_once(selector, pair), WRITE);
    iso_selector_close(selector);
}

KIT_TEST(a_closed_descriptor_can_be_unregistered)
{
    iso_selector *selector = kit_selector(k);
    iso_fd pair[2];

    kit_pair(k, pair);
    CHECK_OK(iso_selector_register(selector, pair[0], WRITE, NULL));
    kit_close(k, pair[0]);
    CHECK_OK(iso_selector_unregister(selector, pair[0]));
    iso_selector_close(selector);
}

/* ---- selecting ---- */

KIT_TEST(select_needs_a_place_for_events)
{
    iso_selector *selector = kit_selector(k);
    iso_selector_event event;

    CHECK_RC(iso_selector_select(selector, 0, NULL, 1), ISO_EINVAL);
    CHECK_RC(iso_selector_select(selector, 0, &event, 0), ISO_EINVAL);
    CHECK_RC(iso_selector_select(selector, 0, &event, -1), ISO_EINVAL);
    iso_selector_close(selector);
}

KIT_TEST(a_negative_timeout_only_looks)
{
    iso_selector *selector = kit_selector(k);
    iso_selector_event event;

    CHECK_EQ(iso_selector_select(selector, -5, &event, 1), 0);
    iso_selector_close(selector);
}

KIT_TEST(a_timeout_is_not_over_early)
{
    iso_selector *selector = kit_selector(k);
    iso_selector_event event;
    iso_nsec before = kit_now();

    CHECK_EQ(iso_selector_select(selector, ISO_MS(20), &event, 1), 0);
    CHECK_GE(kit_now() - before, ISO_MS(20));
    iso_selector_close(selector);
}

KIT_TEST(only_what_was_asked_for_is_told_and_errors)
{
    iso_selector *selector = kit_selector(k);
    iso_fd pair[2];
    unsigned events;

    /* given a peer that is gone, of which a poller tells READ, WRITE and ERROR */
    kit_pair(k, pair);
    CHECK_OK(iso_selector_register(selector, pair[0], READ, pair));
    kit_close(k, pair[1]);
    events = select_once(selector, pair);
    CHECK((events & READ) != 0);
    CHECK((events & WRITE) == 0);
    iso_selector_close(selector);
}

KIT_TEST(what_was_closed_can_be_modified_when_its_number_is_anothers)
{
    iso_selector *selector = kit_selector(k);
    iso_selector_event event;
    iso_fd pair[2];

    kit_pair(k, pair);
    CHECK_OK(iso_selector_register(selector, pair[0], READ, pair));
    kit_close(k, pair[0]);
    if (iso_selector_select(selector, 0, &event, 1) == 1) {
        CHECK_PTR(event.token, pair);
        CHECK((event.events & ISO_EVENT_GONE) != 0);
        CHECK_RC(iso_selector_modify(selector, pair[0], READ, pair), ISO_EBADF);
    }
    CHECK_OK(iso_selector_unregister(selector, pair[0]));
    iso_selector_close(selector);
}

/* ---- one of the program's own ---- */

typedef struct recorder {
    kit *k;
    void *token;
    int answer; /* to set, and to wait if negative */
    bool is_closed;
} recorder;

static int recorder_set(void *self, iso_fd fd, unsigned was, unsigned events, void *token)
{
    recorder *it = self;
    char text[64];

    (void)snprintf(text, sizeof(text), "set(%d,%u,%u) ", (int)fd, was, events);
    kit_add_mark(it->k, text);
    if (it->answer == 0 && events != 0) it->token = token;
    return events == 0 ? 0 : it->answer;
}

static int recorder_wait(void *self, iso_nsec timeout, iso_selector_event *events, int max)
{
    recorder *it = self;

    CHECK_EQ(max, 7);
    CHECK_EQ(timeout, ISO_MS(3));
    if (it->answer < 0) return it->answer;
    events[0].token = it->token;
    events[0].events = READ | WRITE | ISO_EVENT_ERROR;
    return 1;
}

static iso_fd recorder_fileno(void *self)
{
    (void)self;
    return ISO_FD_NONE;
}

static void recorder_close(void *self)
{
    ((recorder *)self)->is_closed = true;
}

static const iso_selector_class recorder_class = {
    .name = "recorder",
    .set = recorder_set,
    .wait = recorder_wait,
    .descriptor = recorder_fileno,
    .close = recorder_close,
};

KIT_TEST(a_selector_of_ones_own_is_told_what_each_descriptor_was_set_to)
{
    recorder it = { k, NULL, 0, false };
    iso_selector *selector = NULL;

    CHECK_OK(iso_selector_new_custom(&selector, &recorder_class, &it));
    CHECK_STR(iso_selector_name(selector), "recorder");
    CHECK_OK(iso_selector_register(selector, 5, READ, NULL));
    CHECK_OK(iso_selector_modify(selector, 5, READ | WRITE, NULL));
    CHECK_OK(iso_selector_modify(selector, 5, READ | WRITE, k)); /* data is the selector's affair */
    CHECK_OK(iso_selector_unregister(selector, 5));
    CHECK_STR(kit_marks(k), "set(5,0,1) set(5,1,3) set(5,3,0) ");
    iso_selector_close(selector);
    CHECK(it.is_closed);
}

KIT_TEST(its_refusals_are_passed_on)
{
    recorder it = { k, NULL, ISO_ELIMIT, false };
    iso_selector *selector = NULL;

    CHECK_OK(iso_selector_new_custom(&selector, &recorder_class, &it));
    CHECK_RC(iso_selector_register(selector, 5, READ, NULL), ISO_ELIMIT);
    CHECK_RC(iso_selector_unregister(selector, 5), ISO_ENOENT);
    it.answer = 0;
    CHECK_OK(iso_selector_register(selector, 5, READ, NULL));
    it.answer = ISO_EBADF;
    CHECK_RC(iso_selector_modify(selector, 5, WRITE, k), ISO_EBADF);
    it.answer = 0;
    CHECK_OK(iso_selector_modify(selector, 5, WRITE, NULL)); /* from READ, as it still was */
    CHECK_HAS(kit_marks(k), "set(5,1,2) set(5,1,2) ");
    iso_selector_close(selector);
}

KIT_TEST(its_waits_are_passed_on)
{
    recorder it = { k, NULL, 0, false };
    iso_selector *selector = NULL;
    iso_selector_event events[7];

    CHECK_OK(iso_selector_new_custom(&selector, &recorder_class, &it));
    CHECK_OK(iso_selector_register(selector, 5, WRITE, &it));
    CHECK_EQ(iso_selector_select(selector, ISO_MS(3), events, 7), 1);
    CHECK_PTR(events[0].token, &it);
    CHECK_EQ(events[0].events, WRITE | ISO_EVENT_ERROR);
    it.answer = ISO_ENOMEM;
    CHECK_RC(iso_selector_select(selector, ISO_MS(3), events, 7), ISO_ENOMEM);
    it.answer = 0;
    iso_selector_close(selector);
}

KIT_TEST(a_class_with_an_empty_slot_is_refused)
{
    iso_selector_class kind = recorder_class;
    iso_selector *selector = NULL;

    kind.wait = NULL;
    CHECK_RC(iso_selector_new_custom(&selector, &kind, k), ISO_EINVAL);
    kind = recorder_class;
    kind.set = NULL;
    CHECK_RC(iso_selector_new_custom(&selector, &kind, k), ISO_EINVAL);
    kind = recorder_class;
    kind.descriptor = NULL;
    CHECK_RC(iso_selector_new_custom(&selector, &kind, k), ISO_EINVAL);
    kind = recorder_class;
    kind.close = NULL;
    CHECK_RC(iso_selector_new_custom(&selector, &kind, k), ISO_EINVAL);
    kind = recorder_class;
    kind.name = NULL;
    CHECK_RC(iso_selector_new_custom(&selector, &kind, k), ISO_EINVAL);
    CHECK_RC(iso_selector_new_custom(&selector, NULL, k), ISO_EINVAL);
    CHECK_RC(iso_selector_new_custom(NULL, &recorder_class, k), ISO_EINVAL);
    CHECK_PTR(selector, NULL);
}

static const kit_case cases[] = {
    KIT_CASE(each_poller_is_made_by_its_name),
    KIT_CASE(no_name_is_the_best_of_this_platform),
    KIT_CASE(an_unknown_name_is_refused_with_a_list),
    KIT_CASE(nowhere_to_put_it_is_refused),
    KIT_CASE(closing_nothing_is_fine),
    KIT_CASE(closing_with_something_registered_gives_all_back),
    KIT_CASE(what_is_registered_comes_back_with_its_data),
    KIT_CASE(registering_twice_is_refused),
    KIT_CASE(events_must_be_reading_or_writing),
    KIT_CASE(a_refusal_leaves_nothing_behind),
    KIT_CASE(without_memory_registering_is_refused),
    KIT_CASE(modify_changes_events_and_data),
    KIT_CASE(modifying_what_is_not_registered_is_refused),
    KIT_CASE(unregistering_forgets_and_the_second_time_finds_nothing),
    KIT_CASE(a_closed_descriptor_can_be_unregistered),
    KIT_CASE(select_needs_a_place_for_events),
    KIT_CASE(a_negative_timeout_only_looks),
    KIT_CASE(a_timeout_is_not_over_early),
    KIT_CASE(only_what_was_asked_for_is_told_and_errors),
    KIT_CASE(what_was_closed_can_be_modified_when_its_number_is_anothers),
    KIT_CASE(a_selector_of_ones_own_is_told_what_each_descriptor_was_set_to),
    KIT_CASE(its_refusals_are_passed_on),
    KIT_CASE(its_waits_are_passed_on),
    KIT_CASE(a_class_with_an_empty_slot_is_refused),
};

KIT_MAIN(cases)
