/* SPDX-License-Identifier: MIT */
/* The contract of a poller (iso_selector_class in isoloop/selector.h), sentence by sentence, on the
 * one that the matrix names. */
#include "base/limits.h"
#include "engine/poller.h"
#include "kit.h"
#include "sys/clock.h"
#include "sys/descriptor.h"
#include "sys/sock.h"

#include <string.h>

enum {
    READ = ISO_EVENT_READ,
    WRITE = ISO_EVENT_WRITE,
    ERROR_BIT = ISO_EVENT_ERROR,
    GONE = ISO_EVENT_GONE,
    MOST = 128
};

typedef struct rig {
    kit *k;
    const iso_selector_class *kind;
    void *self;
} rig;

static rig begin(kit *k)
{
    rig it = { k, kit_poller(k)->kind, NULL };

    REQUIRE_OK(kit_poller(k)->open(&it.self, kit_allocator(k)));
    return it;
}

static void end(const rig *it)
{
    it->kind->close(it->self);
}

static int set(const rig *it, iso_fd fd, unsigned was, unsigned events, const void *token)
{
    return it->kind->set(it->self, fd, was, events, (void *)(uintptr_t)token);
}

/* Everything that one wait tells of a token: kqueue tells reading and writing apart. */
static unsigned events_of(const iso_selector_event *events, int count, const void *token)
{
    unsigned found = 0;
    int at;

    for (at = 0; at < count; at++) {
        if (events[at].token == token) found |= events[at].events;
    }
    return found;
}

/* What a wait of this length tells of a token. */
static unsigned wait_for(const rig *it, iso_nsec timeout, const void *token)
{
    iso_selector_event events[MOST];
    int count = it->kind->wait(it->self, timeout, events, MOST);

    CHECK_GE(count, 0);
    return events_of(events, count, token);
}

static bool is_poller(const rig *it, const char *name)
{
    return strcmp(it->kind->name, name) == 0;
}

/* ---- set: what to wait for ---- */

KIT_TEST(nothing_is_told_of_what_is_not_ready)
{
    rig it = begin(k);
    iso_fd pair[2];

    kit_pair(k, pair);
    CHECK_OK(set(&it, pair[0], 0, READ, &it));
    CHECK_EQ(wait_for(&it, 0, &it), 0);
    end(&it);
}

KIT_TEST(what_can_be_read_is_told)
{
    rig it = begin(k);
    iso_fd pair[2];

    kit_pair(k, pair);
    CHECK_OK(set(&it, pair[0], 0, READ, &it));
    kit_poke(k, pair[1]);
    CHECK_EQ(wait_for(&it, ISO_S(10), &it), READ);
    end(&it);
}

KIT_TEST(what_can_be_written_is_told)
{
    rig it = begin(k);
    iso_fd pair[2];

    kit_pair(k, pair);
    CHECK_OK(set(&it, pair[0], 0, WRITE, &it));
    CHECK_EQ(wait_for(&it, ISO_S(10), &it), WRITE);
    end(&it);
}

KIT_TEST(what_cannot_be_written_is_not_told)
{
    rig it = begin(k);
    iso_fd pair[2];

    kit_pair(k, pair);
    CHECK_OK(set(&it, pair[0], 0, READ | WRITE, &it));
    (void)kit_fill(k, pair[0]);
    CHECK_EQ(wait_for(&it, 0, &it), 0);
    end(&it);
}

KIT_TEST(both_are_told_of_one_descriptor)
{
    rig it = begin(k);
    iso_fd pair[2];

    kit_pair(k, pair);
    CHECK_OK(set(&it, pair[0], 0, READ | WRITE, &it));
    kit_poke(k, pair[1]);
    kit_await(k, pair[0], READ);
    CHECK_EQ(wait_for(&it, ISO_S(10), &it), READ | WRITE);
    end(&it);
}

KIT_TEST(it_is_told_again_until_it_was_read)
{
    rig it = begin(k);
    iso_fd pair[2];
    char byte;
    int round;

    /* given one byte */
    kit_pair(k, pair);
    CHECK_OK(set(&it, pair[0], 0, READ, &it));
    kit_poke(k, pair[1]);
    /* then every wait tells of it */
    for (round = 0; round < 3; round++) CHECK_EQ(wait_for(&it, ISO_S(10), &it), READ);
    /* until it is gone */
    CHECK_EQ(kit_recv(k, pair[0], &byte, 1), 1);
    CHECK_EQ(wait_for(&it, 0, &it), 0);
    end(&it);
}

KIT_TEST(interest_can_change)
{
    rig it = begin(k);
    iso_fd pair[2];

    kit_pair(k, pair);
    kit_poke(k, pair[1]);
    kit_await(k, pair[0], READ);
    CHECK_OK(set(&it, pair[0], 0, READ, &it));
    CHECK_EQ(wait_for(&it, 0, &it), READ);
    CHECK_OK(set(&it, pair[0], READ, WRITE, &it));
    CHECK_EQ(wait_for(&it, 0, &it), WRITE);
    CHECK_OK(set(&it, pair[0], WRITE, READ | WRITE, &it));
    CHECK_EQ(wait_for(&it, 0, &it), READ | WRITE);
    CHECK_OK(set(&it, pair[0], READ | WRITE, READ, &it));
    CHECK_EQ(wait_for(&it, 0, &it), READ);
    end(&it);
}

KIT_TEST(the_token_changes_with_every_call)
{
    rig it = begin(k);
    iso_fd pair[2];
    int one = 0;
    int other = 0;

    kit_pair(k, pair);
    kit_poke(k, pair[1]);
    kit_await(k, pair[0], READ);
    CHECK_OK(set(&it, pair[0], 0, READ, &one));
    CHECK_EQ(wait_for(&it, 0, &one), READ);
    /* the same events, and another token */
    CHECK_OK(set(&it, pair[0], READ, READ, &other));
    CHECK_EQ(wait_for(&it, 0, &one), 0);
    CHECK_EQ(wait_for(&it, 0, &other), READ);
    /* more events, and another token for all of them */
    CHECK_OK(set(&it, pair[0], READ, READ | WRITE, &one));
    CHECK_EQ(wait_for(&it, 0, &one), READ | WRITE);
    CHECK_EQ(wait_for(&it, 0, &other), 0);
    end(&it);
}

/* ---- set: forgetting ---- */

KIT_TEST(what_is_forgotten_is_not_told)
{
    rig it = begin(k);
    iso_fd pair[2];

    kit_pair(k, pair);
    kit_poke(k, pair[1]);
    kit_await(k, pair[0], READ);
    CHECK_OK(set(&it, pair[0], 0, READ | WRITE, &it));
    CHECK_OK(set(&it, pair[0], READ | WRITE, 0, NULL));
    CHECK_EQ(wait_for(&it, 0, &it), 0);
    /* and can be waited for again */
    CHECK_OK(set(&it, pair[0], 0, READ, &it));
    CHECK_EQ(wait_for(&it, 0, &it), READ);
    end(&it);
}

KIT_TEST(forgetting_always_succeeds)
{
    rig it = begin(k);
    iso_fd pair[2];

    kit_pair(k, pair);
    CHECK_OK(set(&it, pair[0], 0, 0, NULL)); /* never registered */
    CHECK_OK(set(&it, pair[0], READ, 0, NULL));
    CHECK_OK(set(&it, ISO_FD_NONE, 0, 0, NULL));
    CHECK_OK(set(&it, 1000000, 0, 0, NULL));
    CHECK_OK(set(&it, INTPTR_MAX, READ | WRITE, 0, NULL));
    CHECK_OK(set(&it, pair[0], 0, READ | WRITE, &it));
    kit_close(k, pair[0]); /* closed meanwhile */
    CHECK_OK(set(&it, pair[0], READ | WRITE, 0, NULL));
    CHECK_EQ(wait_for(&it, 0, &it), 0);
    end(&it);
}

KIT_TEST(forgetting_one_leaves_the_others)
{
    rig it = begin(k);
    iso_fd pairs[5][2];
    int at;

    for (at = 0; at < 5; at++) {
        kit_pair(k, pairs[at]);
        CHECK_OK(set(&it, pairs[at][0], 0, WRITE, &pairs[at]));
    }
    CHECK_OK(set(&it, pairs[1][0], WRITE, 0, NULL));
    CHECK_OK(set(&it, pairs[4][0], WRITE, 0, NULL));
    for (at = 0; at < 5; at++)
        CHECK_EQ(wait_for(&it, 0, &pairs[at]), at == 1 || at == 4 ? 0 : WRITE);
    end(&it);
}

/* ---- set: refusals ---- */

/* What was registered before goes on. */
static void refuse(const rig *it, iso_fd fd, int error)
{
    iso_fd pair[2];
    char byte;

    kit_pair(it->k, pair);
    CHECK_OK(set(it, pair[0], 0, READ, pair));
    CHECK_RC(set(it, fd, 0, READ, &fd), error);
    CHECK_RC(set(it, fd, 0, WRITE, &fd), error);
    CHECK_RC(set(it, fd, 0, READ | WRITE, &fd), error);
    CHECK_EQ(wait_for(it, 0, &fd), 0);
    kit_poke(it->k, pair[1]);
    CHECK_EQ(wait_for(it, ISO_S(10), pair), READ);
    CHECK_EQ(kit_recv(it->k, pair[0], &byte, 1), 1);
    CHECK_OK(set(it, pair[0], READ, 0, NULL));
}

KIT_TEST(a_closed_descriptor_is_refused)
{
    rig it = begin(k);
    iso_fd pair[2];
    iso_fd high;

    refuse(&it, ISO_FD_NONE, ISO_EBADF);
    refuse(&it, -12345, ISO_EBADF);
    kit_pair(k, pair);
    high = kit_duplicate_above(k, pair[0], 200); /* which nobody else will get at once */
    if (high != ISO_FD_NONE) {
        kit_close(k, high);
        refuse(&it, high, ISO_EBADF);
    }
    refuse(&it, 1000000, ISO_EBADF);
    refuse(&it, INTPTR_MAX, ISO_EBADF);
    end(&it);
}

KIT_TEST(a_regular_file_is_refused)
{
    rig it = begin(k);

    refuse(&it, kit_regular_file(k), ISO_EREGULARFILE);
    end(&it);
}

KIT_TEST(a_pipe_is_waited_for_or_refused_as_no_socket)
{
    rig it = begin(k);
    iso_fd pipe[2];

    kit_pipe(k, pipe);
    if (iso__platform == ISO__ON_WINDOWS) {
        refuse(&it, pipe[0], ISO_ENOTSOCK);
    } else {
        CHECK_OK(set(&it, pipe[0], 0, READ, pipe));
        CHECK_EQ(wait_for(&it, 0, pipe), 0);
        kit_poke(k, pipe[1]);
        CHECK_EQ(wait_for(&it, ISO_S(10), pipe), READ);
    }
    end(&it);
}

/* Of a device that has nothing to wait for select and poll say that it is ready. */
KIT_TEST(the_null_device_is_ready_or_refused)
{
    rig it = begin(k);
    iso_fd device = kit_device(k);

    if (is_poller(&it, "epoll")) {
        refuse(&it, device, ISO_EREGULARFILE);
    } else if (is_poller(&it, "kqueue")) {
        refuse(&it, device, ISO_ENOTSUP);
    } else if (iso__platform == ISO__ON_WINDOWS) {
        refuse(&it, device, ISO_ENOTSOCK);
    } else {
        CHECK_OK(set(&it, device, 0, READ | WRITE, &it));
        CHECK_EQ(wait_for(&it, 0, &it), READ | WRITE);
    }
    end(&it);
}

KIT_TEST(a_descriptor_above_what_select_takes_is_refused_by_select)
{
    rig it = begin(k);
    iso_fd pair[2];
    iso_fd high;

    kit_pair(k, pair);
    high = kit_duplicate_above(k, pair[0], (iso_fd)iso__limit_value(ISO__ROW_SELECT_FD_SETSIZE));
    if (high == ISO_FD_NONE) {
        CHECK_EQ(iso__platform,
                 ISO__ON_WINDOWS); /* where numbers do not count: see the next case */
    } else if (is_poller(&it, "select")) {
        refuse(&it, high, ISO_ELIMIT);
    } else {
        CHECK_OK(set(&it, high, 0, WRITE, &high));
        CHECK_EQ(wait_for(&it, 0, &high), WRITE);
    }
    end(&it);
}

/* What the documents say of select on Windows is for a loop to say. */
KIT_TEST(five_hundred_and_twelve_sockets_are_not_all)
{
    enum { PAIRS = 300 };
    rig it = begin(k);
    static iso_fd pairs[PAIRS][2];
    int told[2];
    int at;

    for (at = 0; at < PAIRS; at++) {
        kit_pair(k, pairs[at]);
        CHECK_OK(set(&it, pairs[at][0], 0, READ | WRITE, &it));
        CHECK_OK(set(&it, pairs[at][1], 0, READ, told));
    }
    for (at = 0; at < PAIRS; at++) CHECK_OK(set(&it, pairs[at][0], READ | WRITE, READ, &it));
    for (at = 0; at < PAIRS; at += PAIRS - 1) {
        char byte;

        CHECK_EQ(wait_for(&it, 0, told), 0);
        kit_poke(k, pairs[at][0]);
        CHECK_EQ(wait_for(&it, ISO_S(10), told), READ);
        CHECK_EQ(kit_recv(k, pairs[at][1], &byte, 1), 1);
    }
    end(&it);
}

KIT_TEST(without_memory_it_is_refused_or_done)
{
    rig it = begin(k);
    static iso_fd pairs[100][2];
    int at;
    int other = 0;

    for (at = 0; at < 100 && !kit_has_failed(k); at++) {
        int rc;

        kit_pair(k, pairs[at]);
        kit_fail_allocation(k, 1, true);
        rc = set(&it, pairs[at][0], 0, WRITE, &pairs[at]);
        kit_fail_allocation(k, 0, false);
        /* then the others are as they were */
        if (rc != 0) {
            CHECK_RC(rc, ISO_ENOMEM);
            CHECK_EQ(wait_for(&it, 0, &pairs[at]), 0);
            CHECK_OK(set(&it, pairs[at][0], 0, WRITE, &pairs[at]));
        }
        for (other = 0; other <= at; other += 9) CHECK_EQ(wait_for(&it, 0, &pairs[other]), WRITE);
    }
    end(&it);
}

KIT_TEST(opening_without_memory_is_refused)
{
    void *self = k;

    kit_fail_allocation(k, 1, true);
    CHECK_RC(kit_poller(k)->open(&self, kit_allocator(k)), ISO_ENOMEM);
    CHECK_PTR(self, k); /* untouched */
}

KIT_TEST(opening_without_a_descriptor_is_refused_or_needs_none)
{
    void *self = NULL;
    int rc;

    if (!kit_exhaust(k)) return;
    rc = kit_poller(k)->open(&self, kit_allocator(k));
    kit_replenish(k);
    if (rc == 0) {
        CHECK_EQ(kit_poller(k)->kind->descriptor(self), ISO_FD_NONE);
        kit_poller(k)->kind->close(self);
    } else {
        CHECK_RC(rc, ISO_EMFILE);
    }
}

/* ---- wait: time ---- */

KIT_TEST(a_wait_of_nothing_only_looks)
{
    rig it = begin(k);
    iso_selector_event event;
    iso_nsec before = kit_now();

    CHECK_EQ(it.kind->wait(it.self, 0, &event, 1), 0);
    CHECK_LE(kit_now() - before, ISO_S(10));
    end(&it);
}

static void wait_out(const rig *it, iso_nsec span)
{
    iso_selector_event event;
    iso_nsec before = kit_now();

    CHECK_EQ(it->kind->wait(it->self, span, &event, 1), 0);
    CHECK_GE(kit_now() - before, span);
    CHECK_LE(kit_now() - before, span + ISO_S(10));
}

KIT_TEST(a_wait_never_ends_early)
{
    rig it = begin(k);
    iso_fd pair[2];

    kit_pair(k, pair);
    CHECK_OK(set(&it, pair[0], 0, READ, &it));
    wait_out(&it, 1);
    wait_out(&it, ISO_US(50));
    wait_out(&it, ISO_MS(1) + 1);
    wait_out(&it, ISO_US(2900));
    wait_out(&it, ISO_MS(17));
    wait_out(&it, ISO_MS(40) - 1);
    end(&it);
}

KIT_TEST(a_wait_never_ends_early_with_nothing_registered)
{
    rig it = begin(k);

    wait_out(&it, ISO_US(1500));
    wait_out(&it, ISO_MS(20));
    end(&it);
}

KIT_TEST(a_long_wait_ends_with_an_event)
{
    rig it = begin(k);
    iso_fd pair[2];
    iso_nsec before = kit_now();

    kit_pair(k, pair);
    CHECK_OK(set(&it, pair[0], 0, WRITE, &it));
    CHECK_EQ(wait_for(&it, ISO_FOREVER, &it), WRITE);
    CHECK_EQ(wait_for(&it, ISO_FOREVER - 1, &it), WRITE); /* and no overflow turns it round */
    CHECK_EQ(wait_for(&it, ISO_S(86400) * 400, &it), WRITE);
    CHECK_LE(kit_now() - before, ISO_S(10));
    end(&it);
}

static void poke_from_another_thread(void *arg)
{
    CHECK_EQ(iso__sys_socket_send(*(const iso_fd *)arg, "!", 1), 1);
}

KIT_TEST(a_wait_for_ever_ends_when_something_comes)
{
    rig it = begin(k);
    iso_fd pair[2];

    kit_pair(k, pair);
    CHECK_OK(set(&it, pair[0], 0, READ, &it));
    kit_thread(k, poke_from_another_thread, &pair[1]);
    CHECK_EQ(wait_for(&it, ISO_FOREVER, &it), READ);
    end(&it);
}

/* ---- wait: how many ---- */

KIT_TEST(no_more_events_than_asked_for_are_written)
{
    rig it = begin(k);
    iso_selector_event events[4];
    iso_fd pairs[10][2];
    int at;

    for (at = 0; at < 10; at++) {
        kit_pair(k, pairs[at]);
        CHECK_OK(set(&it, pairs[at][0], 0, WRITE, &pairs[at]));
    }
    memset(events, 0, sizeof(events));
    events[3].token = &it;
    CHECK_EQ(it.kind->wait(it.self, ISO_S(10), events, 3), 3);
    CHECK_PTR(events[3].token, &it);
    CHECK_EQ(events[3].events, 0);
    end(&it);
}

KIT_TEST(one_that_is_always_ready_starves_no_other)
{
    enum { COUNT = 40, MAX = 4 };
    rig it = begin(k);
    iso_selector_event events[MAX];
    iso_fd pairs[COUNT][2];
    bool told[COUNT] = { false };
    int round;
    int at;

    /* given many that are always ready, and place for a few */
    for (at = 0; at < COUNT; at++) {
        kit_pair(k, pairs[at]);
        CHECK_OK(set(&it, pairs[at][0], 0, WRITE, &told[at]));
    }
    /* when there are twice as many places as it takes for each to be told once */
    for (round = 0; round < 2 * COUNT / MAX; round++) {
        int count = it.kind->wait(it.self, ISO_S(10), events, MAX);

        CHECK_EQ(count, MAX);
        for (at = 0; at < count; at++) *(bool *)events[at].token = true;
    }
    /* then each was */
    for (at = 0; at < COUNT; at++) CHECK(told[at]);
    end(&it);
}

KIT_TEST(many_descriptors_are_told_at_once)
{
    enum { COUNT = 100 };
    rig it = begin(k);
    iso_selector_event events[MOST];
    static iso_fd pairs[COUNT][2];
    int count;
    int at;

    for (at = 0; at < COUNT; at++) {
        kit_pair(k, pairs[at]);
        CHECK_OK(set(&it, pairs[at][0], 0, WRITE, &pairs[at]));
    }
    count = it.kind->wait(it.self, ISO_S(10), events, MOST);
    CHECK_EQ(count, COUNT);
    for (at = 0; at < COUNT; at++) CHECK_EQ(events_of(events, count, &pairs[at]), WRITE);
    end(&it);
}

/* ---- wait: what was closed, and what went wrong ---- */

/* epoll and kqueue forget it without a word. */
static bool sees_closed(const rig *it)
{
    return is_poller(it, "poll") || is_poller(it, "select");
}

KIT_TEST(a_descriptor_that_was_closed_is_told_once_and_forgotten)
{
    rig it = begin(k);
    iso_fd pair[2];
    iso_fd others[2];

    kit_pair(k, others);
    kit_pair(k, pair);
    CHECK_OK(set(&it, pair[0], 0, READ, &it));
    CHECK_OK(set(&it, others[0], 0, READ, others));
    kit_close(k, pair[0]);
    CHECK_EQ(wait_for(&it, 0, &it),
             sees_closed(&it) ? READ | WRITE | (unsigned)ERROR_BIT | GONE : 0);
    /* then it is as if it had never been, and the others go on */
    CHECK_EQ(wait_for(&it, 0, &it), 0);
    kit_poke(k, others[1]);
    CHECK_EQ(wait_for(&it, ISO_S(10), others), READ);
    end(&it);
}

KIT_TEST(several_that_were_closed_are_told_each)
{
    rig it = begin(k);
    iso_fd pairs[6][2];
    int told[6] = { 0 };
    int round;
    int at;

    for (at = 0; at < 6; at++) {
        kit_pair(k, pairs[at]);
        CHECK_OK(set(&it, pairs[at][0], 0, READ, &told[at]));
    }
    for (at = 0; at < 6; at += 2) kit_close(k, pairs[at][0]);
    /* when there is place for one at a time */
    for (round = 0; round < 6; round++) {
        iso_selector_event event;

        if (it.kind->wait(it.self, 0, &event, 1) == 1) {
            CHECK((event.events & GONE) != 0);
            ++*(int *)event.token;
        }
    }
    for (at = 0; at < 6; at++) CHECK_EQ(told[at], at % 2 == 0 && sees_closed(&it) ? 1 : 0);
    end(&it);
}

KIT_TEST(a_number_that_was_closed_and_is_anothers_is_waited_for_anew)
{
    rig it = begin(k);
    iso_fd pair[2];
    iso_fd others[2];
    int old_token = 0;
    int new_token = 0;

    /* given a descriptor that was closed while it was registered, and a new one, perhaps of its
     * number */
    kit_pair(k, pair);
    CHECK_OK(set(&it, pair[0], 0, READ, &old_token));
    kit_close(k, pair[0]);
    kit_close(k, pair[1]);
    kit_pair(k, others);
    /* when that is registered as new */
    CHECK_OK(set(&it, others[0], 0, READ | WRITE, &new_token));
    CHECK_OK(set(&it, others[1], 0, READ | WRITE, &new_token));
    /* then it is told with its own token */
    CHECK_EQ(wait_for(&it, ISO_S(10), &new_token), WRITE);
    kit_poke(k, others[0]);
    kit_poke(k, others[1]);
    kit_await(k, others[0], READ);
    kit_await(k, others[1], READ);
    CHECK_EQ(wait_for(&it, ISO_S(10), &new_token), READ | WRITE);
    end(&it);
}

KIT_TEST(the_end_of_a_stream_can_be_read)
{
    rig it = begin(k);
    iso_fd pair[2];

    kit_pair(k, pair);
    CHECK_OK(set(&it, pair[0], 0, READ, &it));
    CHECK_OK(iso__sys_socket_shutdown_write(pair[1]));
    CHECK((wait_for(&it, ISO_S(10), &it) & READ) != 0);
    end(&it);
}

/* ERROR comes with READ and WRITE; select cannot see it, and says that one can read. */
KIT_TEST(a_peer_that_is_gone_can_be_read)
{
    rig it = begin(k);
    iso_fd pair[2];
    unsigned events;

    kit_pair(k, pair);
    CHECK_OK(set(&it, pair[0], 0, READ, &it));
    kit_close(k, pair[1]);
    events = wait_for(&it, ISO_S(10), &it);
    CHECK((events & READ) != 0);
    CHECK((events & GONE) == 0);
    if ((events & ERROR_BIT) != 0) CHECK_EQ(events, READ | WRITE | ERROR_BIT);
    end(&it);
}

KIT_TEST(a_reset_is_told_to_who_reads)
{
    rig it = begin(k);
    iso_address address;
    iso_fd listener = kit_listen(k, &address);
    iso_fd client = kit_connect(k, &address);
    iso_fd accepted = kit_accept(k, listener);
    unsigned events;

    CHECK_OK(set(&it, client, 0, READ, &it));
    iso__sys_socket_reset(kit_give(k, accepted));
    events = wait_for(&it, ISO_S(10), &it);
    CHECK((events & READ) != 0);
    if ((events & ERROR_BIT) != 0) CHECK_EQ(events, READ | WRITE | ERROR_BIT);
    end(&it);
}

KIT_TEST(a_connection_can_be_written_when_it_is_there)
{
    rig it = begin(k);
    iso_address address;
    iso_fd client;

    (void)kit_listen(k, &address);
    client = kit_connect(k, &address);
    CHECK_OK(set(&it, client, 0, WRITE, &it));
    CHECK_EQ(wait_for(&it, ISO_S(10), &it), WRITE);
    CHECK_OK(iso__sys_socket_connect_result(client));
    end(&it);
}

KIT_TEST(a_connection_that_is_refused_is_told_to_who_writes)
{
    rig it = begin(k);
    iso_address address;
    iso_fd client = ISO_FD_NONE;
    int rc;

    kit_dead_address(k, &address);
    REQUIRE_OK(iso__sys_socket_open(&client, 4));
    (void)kit_own(k, client);
    rc = iso__sys_socket_connect(client, &address);
    if (rc == ISO_EINPROGRESS) {
        CHECK_OK(set(&it, client, 0, WRITE, &it));
        CHECK((wait_for(&it, ISO_S(10), &it) & WRITE) != 0);
        rc = iso__sys_socket_connect_result(client);
    }
    CHECK_RC(rc, ISO_ECONNREFUSED);
    end(&it);
}

KIT_TEST(a_listener_can_be_read_when_someone_connects)
{
    rig it = begin(k);
    iso_address address;
    iso_fd listener = kit_listen(k, &address);

    CHECK_OK(set(&it, listener, 0, READ, &it));
    CHECK_EQ(wait_for(&it, 0, &it), 0);
    (void)kit_connect(k, &address);
    CHECK_EQ(wait_for(&it, ISO_S(10), &it), READ);
    end(&it);
}

/* ---- fileno ---- */

static bool is_readable(iso_fd fd)
{
    iso_selector *selector;
    iso_selector_event event;
    int count;

    REQUIRE_OK(iso_selector_new(&selector, NULL));
    REQUIRE_OK(iso_selector_register(selector, fd, READ, NULL));
    count = iso_selector_select(selector, 0, &event, 1);
    iso_selector_close(selector);
    return count == 1;
}

KIT_TEST(its_own_descriptor_is_readable_when_there_is_something_to_tell)
{
    rig it = begin(k);
    iso_fd own = it.kind->descriptor(it.self);
    iso_fd pair[2];
    char byte;

    kit_pair(k, pair);
    CHECK_OK(set(&it, pair[0], 0, READ, &it));
    CHECK_EQ(own != ISO_FD_NONE, is_poller(&it, "epoll") || is_poller(&it, "kqueue"));
    if (own != ISO_FD_NONE) {
        CHECK(!is_readable(own));
        kit_poke(k, pair[1]);
        kit_await(k, own, READ);
        CHECK_EQ(wait_for(&it, 0, &it), READ);
        CHECK(is_readable(own)); /* for it was not read */
        CHECK_EQ(kit_recv(k, pair[0], &byte, 1), 1);
        CHECK_EQ(wait_for(&it, 0, &it), 0);
        CHECK(!is_readable(own));
    }
    end(&it);
}

/* ---- close ---- */

KIT_TEST(closing_leaves_the_descriptors_open)
{
    rig it = begin(k);
    iso_fd pair[2];

    kit_pair(k, pair);
    CHECK_OK(set(&it, pair[0], 0, READ, &it));
    end(&it);
    CHECK_EQ(iso__sys_descriptor_kind(pair[0]), ISO__DESCRIPTOR_SOCKET);
}

KIT_TEST(the_name_of_the_class_is_the_name_of_the_poller)
{
    CHECK_STR(kit_poller(k)->kind->name, kit_poller(k)->name);
}

/* ---- everything at once, against a model ---- */

enum { SOCKETS = 24 };

typedef struct model {
    iso_fd pair[2];
    unsigned interest;
    bool has_data;
} model;

static void change_one(const rig *it, model *one)
{
    unsigned events = kit_random_below(it->k, 4); /* 0 forgets */
    char byte;

    switch (kit_random_below(it->k, 3)) {
    case 0:
        CHECK_OK(set(it, one->pair[0], one->interest, events, one));
        one->interest = events;
        break;
    case 1:
        if (one->has_data) break;
        kit_poke(it->k, one->pair[1]);
        kit_await(it->k, one->pair[0], READ);
        one->has_data = true;
        break;
    case 2:
        if (!one->has_data) break;
        CHECK_EQ(kit_recv(it->k, one->pair[0], &byte, 1), 1);
        one->has_data = false;
        break;
    }
}

KIT_TEST(it_tells_what_a_model_says)
{
    static model models[SOCKETS];
    iso_selector_event events[MOST];
    rig it = begin(k);
    int round;
    int at;

    for (at = 0; at < SOCKETS; at++) {
        kit_pair(k, models[at].pair);
        models[at].interest = 0;
        models[at].has_data = false;
    }
    for (round = 0; round < 1000 && !kit_has_failed(k); round++) {
        int count;

        change_one(&it, &models[kit_random_below(k, SOCKETS)]);
        count = it.kind->wait(it.self, 0, events, MOST);
        for (at = 0; at < SOCKETS; at++)
            CHECK_EQ(events_of(events, count, &models[at]),
                     models[at].interest & (WRITE | (models[at].has_data ? (unsigned)READ : 0u)));
    }
    end(&it);
}

static const kit_case cases[] = {
    KIT_CASE(nothing_is_told_of_what_is_not_ready),
    KIT_CASE(what_can_be_read_is_told),
    KIT_CASE(what_can_be_written_is_told),
    KIT_CASE(what_cannot_be_written_is_not_told),
    KIT_CASE(both_are_told_of_one_descriptor),
    KIT_CASE(it_is_told_again_until_it_was_read),
    KIT_CASE(interest_can_change),
    KIT_CASE(the_token_changes_with_every_call),
    KIT_CASE(what_is_forgotten_is_not_told),
    KIT_CASE(forgetting_always_succeeds),
    KIT_CASE(forgetting_one_leaves_the_others),
    KIT_CASE(a_closed_descriptor_is_refused),
    KIT_CASE(a_regular_file_is_refused),
    KIT_CASE(a_pipe_is_waited_for_or_refused_as_no_socket),
    KIT_CASE(the_null_device_is_ready_or_refused),
    KIT_CASE(a_descriptor_above_what_select_takes_is_refused_by_select),
    KIT_CASE(five_hundred_and_twelve_sockets_are_not_all),
    KIT_CASE(without_memory_it_is_refused_or_done),
    KIT_CASE(opening_without_memory_is_refused),
    KIT_CASE(opening_without_a_descriptor_is_refused_or_needs_none),
    KIT_CASE(a_wait_of_nothing_only_looks),
    KIT_CASE(a_wait_never_ends_early),
    KIT_CASE(a_wait_never_ends_early_with_nothing_registered),
    KIT_CASE(a_long_wait_ends_with_an_event),
    KIT_CASE(a_wait_for_ever_ends_when_something_comes),
    KIT_CASE(no_more_events_than_asked_for_are_written),
    KIT_CASE(one_that_is_always_ready_starves_no_other),
    KIT_CASE(many_descriptors_are_told_at_once),
    KIT_CASE(a_descriptor_that_was_closed_is_told_once_and_forgotten),
    KIT_CASE(several_that_were_closed_are_told_each),
    KIT_CASE(a_number_that_was_closed_and_is_anothers_is_waited_for_anew),
    KIT_CASE(the_end_of_a_stream_can_be_read),
    KIT_CASE(a_peer_that_is_gone_can_be_read),
    KIT_CASE(a_reset_is_told_to_who_reads),
    KIT_CASE(a_connection_can_be_written_when_it_is_there),
    KIT_CASE(a_connection_that_is_refused_is_told_to_who_writes),
    KIT_CASE(a_listener_can_be_read_when_someone_connects),
    KIT_CASE(its_own_descriptor_is_readable_when_there_is_something_to_tell),
    KIT_CASE(closing_leaves_the_descriptors_open),
    KIT_CASE(the_name_of_the_class_is_the_name_of_the_poller),
    KIT_CASE(it_tells_what_a_model_says),
};

KIT_MAIN(cases)
