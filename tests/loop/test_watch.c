/* SPDX-License-Identifier: MIT */
/* add_reader, add_writer, remove_reader, remove_writer. */
#include "kit.h"
#include "sys/sock.h"

#include <string.h>

enum { READ = ISO_EVENT_READ, WRITE = ISO_EVENT_WRITE };

/* A pair whose first end can be read. */
static void readable_pair(kit *k, iso_fd out[2])
{
    kit_pair(k, out);
    kit_poke(k, out[1]);
    kit_await(k, out[0], READ);
}

static bool is_backend(const iso_loop *loop, const char *name)
{
    return strcmp(iso_loop_backend(loop), name) == 0;
}

/* ---- being called ---- */

KIT_TEST(a_reader_is_called_in_each_turn_in_which_it_can_be_read)
{
    iso_loop *loop = kit_native_loop(k);
    iso_fd pair[2];
    char byte;

    kit_pair(k, pair);
    CHECK_OK(iso_loop_add_reader(loop, pair[0], kit_mark, "r"));
    CHECK_EQ(kit_turn(k, loop), 0);
    kit_poke(k, pair[1]);
    kit_await(k, pair[0], READ);
    CHECK_EQ(kit_turn(k, loop), 1);
    CHECK_EQ(kit_turn(k, loop), 1);
    CHECK_STR(kit_marks(k), "rr");
    /* until nothing is left to read */
    CHECK_EQ(kit_recv(k, pair[0], &byte, 1), 1);
    CHECK_EQ(kit_turn(k, loop), 0);
    CHECK_OK(iso_loop_remove_reader(loop, pair[0]));
}

KIT_TEST(a_writer_is_called_in_each_turn_in_which_it_can_be_written)
{
    iso_loop *loop = kit_native_loop(k);
    iso_fd pair[2];

    kit_pair(k, pair);
    CHECK_OK(iso_loop_add_writer(loop, pair[0], kit_mark, "w"));
    CHECK_EQ(kit_turn(k, loop), 1);
    CHECK_EQ(kit_turn(k, loop), 1);
    (void)kit_fill(k, pair[0]);
    CHECK_EQ(kit_turn(k, loop), 0);
    CHECK_STR(kit_marks(k), "ww");
    CHECK_OK(iso_loop_remove_writer(loop, pair[0]));
}

KIT_TEST(of_one_descriptor_the_reader_comes_before_the_writer)
{
    iso_loop *loop = kit_native_loop(k);
    iso_fd pair[2];

    readable_pair(k, pair);
    CHECK_OK(iso_loop_add_writer(loop, pair[0], kit_mark, "w"));
    CHECK_OK(iso_loop_add_reader(loop, pair[0], kit_mark, "r"));
    kit_turn(k, loop);
    kit_turn(k, loop);
    CHECK_STR(kit_marks(k), "rwrw");
    CHECK_OK(iso_loop_remove_reader(loop, pair[0]));
    CHECK_OK(iso_loop_remove_writer(loop, pair[0]));
}

KIT_TEST(a_waiting_loop_wakes_up_for_a_reader)
{
    iso_loop *loop = kit_native_loop(k);
    iso_fd pair[2];

    readable_pair(k, pair);
    CHECK_OK(iso_loop_add_reader(loop, pair[0], kit_stop, NULL));
    CHECK_OK(iso_loop_run_forever(loop));
    CHECK_OK(iso_loop_remove_reader(loop, pair[0]));
}

KIT_TEST(the_end_of_a_stream_can_be_read)
{
    iso_loop *loop = kit_native_loop(k);
    iso_fd pair[2];
    int reads = 0;

    kit_pair(k, pair);
    CHECK_OK(iso_loop_add_reader(loop, pair[0], kit_count, &reads));
    kit_close(k, pair[1]);
    kit_run_until(k, loop, &reads, 1);
    CHECK_OK(iso_loop_remove_reader(loop, pair[0]));
}

KIT_TEST(a_connection_that_fails_can_be_written)
{
    iso_loop *loop = kit_native_loop(k);
    iso_address address;
    iso_fd fd = ISO_FD_NONE;
    int writes = 0;

    kit_dead_address(k, &address);
    REQUIRE_OK(iso__sys_socket_open(&fd, 4));
    (void)kit_own(k, fd);
    if (iso__sys_socket_connect(fd, &address) != ISO_EINPROGRESS) return; /* it failed at once */
    CHECK_OK(iso_loop_add_writer(loop, fd, kit_count, &writes));
    kit_run_until(k, loop, &writes, 1);
    CHECK_OK(iso_loop_remove_writer(loop, fd));
}

KIT_TEST(a_connection_that_is_there_can_be_written)
{
    iso_loop *loop = kit_native_loop(k);
    iso_address address;
    iso_fd listener = kit_listen(k, &address);
    iso_fd fd = ISO_FD_NONE;
    int writes = 0;
    int rc;

    REQUIRE_OK(iso__sys_socket_open(&fd, 4));
    (void)kit_own(k, fd);
    rc = iso__sys_socket_connect(fd, &address);
    CHECK(rc == 0 || rc == ISO_EINPROGRESS);
    CHECK_OK(iso_loop_add_writer(loop, fd, kit_count, &writes));
    kit_run_until(k, loop, &writes, 1);
    CHECK_OK(iso__sys_socket_connect_result(fd));
    CHECK_OK(iso_loop_remove_writer(loop, fd));
    (void)kit_accept(k, listener);
}

KIT_TEST(a_listener_can_be_read_while_somebody_waits)
{
    iso_loop *loop = kit_native_loop(k);
    iso_address address;
    iso_fd listener = kit_listen(k, &address);
    int reads = 0;

    CHECK_OK(iso_loop_add_reader(loop, listener, kit_count, &reads));
    CHECK_EQ(kit_turn(k, loop), 0);
    (void)kit_connect(k, &address);
    kit_run_until(k, loop, &reads, 1);
    kit_run_until(k, loop, &reads, 2);
    (void)kit_accept(k, listener);
    CHECK_EQ(kit_turn(k, loop), 0);
    CHECK_OK(iso_loop_remove_reader(loop, listener));
}

KIT_TEST(a_reset_is_told_to_readers_and_writers)
{
    iso_loop *loop = kit_native_loop(k);
    iso_fd pair[2];
    int reads = 0;
    int writes = 0;
    char byte;

    kit_pair(k, pair);
    (void)kit_fill(k, pair[0]);
    CHECK_OK(iso_loop_add_reader(loop, pair[0], kit_count, &reads));
    CHECK_EQ(kit_turn(k, loop), 0);
    CHECK_OK(iso_loop_add_writer(loop, pair[0], kit_count, &writes));
    CHECK_EQ(kit_turn(k, loop), 0);
    iso__sys_socket_reset(kit_give(k, pair[1]));
    kit_run_until(k, loop, &reads, 1);
    kit_run_until(k, loop, &writes, 1);
    CHECK_LE(iso__sys_socket_recv(pair[0], &byte, 1), 0);
    CHECK_OK(iso_loop_remove_reader(loop, pair[0]));
    CHECK_OK(iso_loop_remove_writer(loop, pair[0]));
}

KIT_TEST(a_datagram_can_be_read)
{
    iso_loop *loop = kit_native_loop(k);
    iso_buffer word = { "word", 4 };
    iso_address address;
    iso_fd ends[2];
    char bytes[8];
    int reads = 0;
    int at;

    for (at = 0; at < 2; at++) {
        REQUIRE_OK(iso__sys_datagram_open(&ends[at], 4));
        (void)kit_own(k, ends[at]);
    }
    REQUIRE_OK(iso_address_parse(&address, "127.0.0.1", 0));
    REQUIRE_OK(iso__sys_socket_bind(ends[0], &address));
    REQUIRE_OK(iso__sys_socket_sockname(ends[0], &address));
    CHECK_OK(iso_loop_add_reader(loop, ends[0], kit_count, &reads));
    CHECK_EQ(kit_turn(k, loop), 0);
    CHECK_EQ(iso__sys_datagram_send(ends[1], &word, &address), 4);
    kit_run_until(k, loop, &reads, 1);
    CHECK_EQ(iso__sys_datagram_recv(ends[0], bytes, sizeof(bytes), &address), 4);
    CHECK_EQ(kit_turn(k, loop), 0);
    CHECK_OK(iso_loop_remove_reader(loop, ends[0]));
}

KIT_TEST(many_descriptors_are_watched_at_once)
{
    enum { COUNT = 150 };
    static iso_fd pairs[COUNT][2];
    static int writes[COUNT];
    iso_loop *loop = kit_native_loop(k);
    int at;

    memset(writes, 0, sizeof(writes));
    for (at = 0; at < COUNT; at++) {
        kit_pair(k, pairs[at]);
        CHECK_OK(iso_loop_add_writer(loop, pairs[at][0], kit_count, &writes[at]));
    }
    CHECK_EQ(kit_turn(k, loop), COUNT);
    for (at = 0; at < COUNT; at++) {
        CHECK_EQ(writes[at], 1);
        CHECK_OK(iso_loop_remove_writer(loop, pairs[at][0]));
    }
}

/* ---- replacing and removing ---- */

KIT_TEST(a_second_reader_replaces_the_first)
{
    iso_loop *loop = kit_native_loop(k);
    iso_fd pair[2];

    readable_pair(k, pair);
    CHECK_OK(iso_loop_add_reader(loop, pair[0], kit_mark, "a"));
    CHECK_OK(iso_loop_add_reader(loop, pair[0], kit_mark, "b"));
    CHECK_EQ(kit_statistics(loop).objects, 1);
    CHECK_EQ(kit_turn(k, loop), 1);
    CHECK_STR(kit_marks(k), "b");
    CHECK_OK(iso_loop_remove_reader(loop, pair[0]));
    CHECK_RC(iso_loop_remove_reader(loop, pair[0]), ISO_ENOENT);
}

KIT_TEST(a_second_writer_replaces_the_first)
{
    iso_loop *loop = kit_native_loop(k);
    iso_fd pair[2];

    kit_pair(k, pair);
    CHECK_OK(iso_loop_add_writer(loop, pair[0], kit_mark, "a"));
    CHECK_OK(iso_loop_add_writer(loop, pair[0], kit_mark, "b"));
    kit_turn(k, loop);
    CHECK_STR(kit_marks(k), "b");
    CHECK_OK(iso_loop_remove_writer(loop, pair[0]));
}

KIT_TEST(what_was_removed_is_not_called)
{
    iso_loop *loop = kit_native_loop(k);
    iso_fd pair[2];

    readable_pair(k, pair);
    CHECK_OK(iso_loop_add_reader(loop, pair[0], kit_mark, "r"));
    CHECK_OK(iso_loop_remove_reader(loop, pair[0]));
    CHECK_EQ(kit_turn(k, loop), 0);
    CHECK_EQ(kit_statistics(loop).objects, 0);
}

KIT_TEST(removing_what_is_not_there_finds_nothing)
{
    iso_loop *loop = kit_native_loop(k);
    iso_fd pair[2];

    kit_pair(k, pair);
    CHECK_RC(iso_loop_remove_reader(loop, pair[0]), ISO_ENOENT);
    CHECK_RC(iso_loop_remove_writer(loop, pair[0]), ISO_ENOENT);
    CHECK_RC(iso_loop_remove_reader(loop, ISO_FD_NONE), ISO_ENOENT);
    CHECK_OK(iso_loop_add_reader(loop, pair[0], kit_nothing, NULL));
    CHECK_RC(iso_loop_remove_writer(loop, pair[0]), ISO_ENOENT);
    CHECK_OK(iso_loop_remove_reader(loop, pair[0]));
}

KIT_TEST(removing_one_leaves_the_other)
{
    iso_loop *loop = kit_native_loop(k);
    iso_fd pair[2];

    readable_pair(k, pair);
    CHECK_OK(iso_loop_add_reader(loop, pair[0], kit_mark, "r"));
    CHECK_OK(iso_loop_add_writer(loop, pair[0], kit_mark, "w"));
    CHECK_OK(iso_loop_remove_reader(loop, pair[0]));
    kit_turn(k, loop);
    CHECK_STR(kit_marks(k), "w");
    CHECK_OK(iso_loop_add_reader(loop, pair[0], kit_mark, "r"));
    CHECK_OK(iso_loop_remove_writer(loop, pair[0]));
    kit_turn(k, loop);
    CHECK_STR(kit_marks(k), "wr");
    CHECK_OK(iso_loop_remove_reader(loop, pair[0]));
}

/* What a callback works on. */
static struct scene {
    iso_fd fd;
    iso_fd other;
} scene;

static void remove_own_reader(iso_loop *loop, void *mark)
{
    kit_mark(loop, mark);
    CHECK_OK(iso_loop_remove_reader(loop, scene.fd));
}

KIT_TEST(a_reader_may_remove_itself)
{
    iso_loop *loop = kit_native_loop(k);
    iso_fd pair[2];

    readable_pair(k, pair);
    scene.fd = pair[0];
    CHECK_OK(iso_loop_add_reader(loop, pair[0], remove_own_reader, "r"));
    kit_turn(k, loop);
    kit_turn(k, loop);
    CHECK_STR(kit_marks(k), "r");
}

KIT_TEST(a_reader_that_removes_itself_leaves_the_writer_of_the_turn)
{
    iso_loop *loop = kit_native_loop(k);
    iso_fd pair[2];

    readable_pair(k, pair);
    scene.fd = pair[0];
    CHECK_OK(iso_loop_add_reader(loop, pair[0], remove_own_reader, "r"));
    CHECK_OK(iso_loop_add_writer(loop, pair[0], kit_mark, "w"));
    kit_turn(k, loop);
    CHECK_STR(kit_marks(k), "rw");
    CHECK_OK(iso_loop_remove_writer(loop, pair[0]));
}

static void remove_both(iso_loop *loop, void *mark)
{
    kit_mark(loop, mark);
    CHECK_OK(iso_loop_remove_writer(loop, scene.fd));
    CHECK_OK(iso_loop_remove_reader(loop, scene.fd));
}

KIT_TEST(a_writer_that_is_removed_by_the_reader_is_not_called_in_this_turn)
{
    iso_loop *loop = kit_native_loop(k);
    iso_fd pair[2];

    readable_pair(k, pair);
    scene.fd = pair[0];
    CHECK_OK(iso_loop_add_reader(loop, pair[0], remove_both, "r"));
    CHECK_OK(iso_loop_add_writer(loop, pair[0], kit_mark, "w"));
    kit_turn(k, loop);
    CHECK_STR(kit_marks(k), "r");
}

/* Whichever of the two comes first removes both. */
static void remove_two(iso_loop *loop, void *mark)
{
    kit_mark(loop, mark);
    CHECK_OK(iso_loop_remove_reader(loop, scene.fd));
    CHECK_OK(iso_loop_remove_reader(loop, scene.other));
}

KIT_TEST(a_reader_of_another_descriptor_that_is_removed_is_not_called_in_this_turn)
{
    iso_loop *loop = kit_native_loop(k);
    iso_fd a[2];
    iso_fd b[2];

    readable_pair(k, a);
    readable_pair(k, b);
    scene.fd = a[0];
    scene.other = b[0];
    CHECK_OK(iso_loop_add_reader(loop, a[0], remove_two, "x"));
    CHECK_OK(iso_loop_add_reader(loop, b[0], remove_two, "x"));
    kit_turn(k, loop);
    kit_turn(k, loop);
    CHECK_STR(kit_marks(k), "x");
}

static void replace_oneself(iso_loop *loop, void *mark)
{
    kit_mark(loop, mark);
    CHECK_OK(iso_loop_add_reader(loop, scene.fd, kit_mark, "b"));
}

KIT_TEST(a_reader_may_replace_itself)
{
    iso_loop *loop = kit_native_loop(k);
    iso_fd pair[2];

    readable_pair(k, pair);
    scene.fd = pair[0];
    CHECK_OK(iso_loop_add_reader(loop, pair[0], replace_oneself, "a"));
    kit_turn(k, loop);
    kit_turn(k, loop);
    CHECK_STR(kit_marks(k), "ab");
    CHECK_OK(iso_loop_remove_reader(loop, pair[0]));
}

static void remove_and_add(iso_loop *loop, void *mark)
{
    kit_mark(loop, mark);
    CHECK_OK(iso_loop_remove_reader(loop, scene.fd));
    CHECK_OK(iso_loop_add_reader(loop, scene.fd, kit_mark, "b"));
}

KIT_TEST(a_reader_may_be_removed_and_added_in_its_callback)
{
    iso_loop *loop = kit_native_loop(k);
    iso_fd pair[2];

    readable_pair(k, pair);
    scene.fd = pair[0];
    CHECK_OK(iso_loop_add_reader(loop, pair[0], remove_and_add, "a"));
    kit_turn(k, loop);
    kit_turn(k, loop);
    CHECK_STR(kit_marks(k), "ab");
    CHECK_OK(iso_loop_remove_reader(loop, pair[0]));
}

KIT_TEST(a_number_that_was_removed_and_closed_can_be_anothers)
{
    iso_loop *loop = kit_native_loop(k);
    int round;

    for (round = 0; round < 10; round++) {
        iso_fd pair[2];

        readable_pair(k, pair);
        CHECK_OK(iso_loop_add_reader(loop, pair[0], kit_mark, "r"));
        CHECK_OK(iso_loop_add_writer(loop, pair[1], kit_mark, "w"));
        CHECK_EQ(kit_turn(k, loop), 2);
        CHECK_OK(iso_loop_remove_reader(loop, pair[0]));
        CHECK_OK(iso_loop_remove_writer(loop, pair[1]));
        kit_close(k, pair[0]);
        kit_close(k, pair[1]);
    }
    CHECK_EQ(strlen(kit_marks(k)), 20);
}

/* ---- refusals: the same on every selector, and the loop unharmed ---- */

static int add_reader(iso_loop *loop, iso_fd fd)
{
    return iso_loop_add_reader(loop, fd, kit_mark, "never");
}

static int add_writer(iso_loop *loop, iso_fd fd)
{
    return iso_loop_add_writer(loop, fd, kit_mark, "never");
}

static void refuse(kit *k, iso_fd fd, int error, const char *row)
{
    iso_loop *loop = kit_native_loop(k);
    iso_loop_statistics before;
    iso_fd pair[2];

    /* given a loop that watches something else */
    readable_pair(k, pair);
    CHECK_OK(iso_loop_add_reader(loop, pair[0], kit_mark, "r"));
    before = kit_statistics(loop);
    /* when this is added, then it is refused, each time */
    CHECK_RC(add_reader(loop, fd), error);
    CHECK_RC(add_writer(loop, fd), error);
    CHECK_RC(add_reader(loop, fd), error);
    if (CHECK(iso_loop_last_limit(loop) != NULL)) {
        CHECK_STR(iso_loop_last_limit(loop)->id, row);
        CHECK_RC(iso_loop_last_limit(loop)->error, error);
    }
    /* and all is as it was */
    CHECK_EQ(kit_statistics(loop).objects, before.objects);
    CHECK_EQ(kit_statistics(loop).registered, before.registered);
    CHECK_RC(iso_loop_remove_reader(loop, fd), ISO_ENOENT);
    kit_clear_marks(k);
    CHECK_EQ(kit_turn(k, loop), 1);
    CHECK_STR(kit_marks(k), "r");
    CHECK_OK(iso_loop_remove_reader(loop, pair[0]));
}

KIT_TEST(a_bad_descriptor_is_refused)
{
    iso_fd pair[2];
    iso_fd high;

    refuse(k, ISO_FD_NONE, ISO_EBADF, "all.bad_fd");
    refuse(k, -77, ISO_EBADF, "all.bad_fd");
    kit_pair(k, pair);
    high = kit_duplicate_above(k, pair[0], 300); /* which nobody else gets at once */
    if (high == ISO_FD_NONE) return;
    kit_close(k, high);
    refuse(k, high, ISO_EBADF, "all.bad_fd");
}

KIT_TEST(a_regular_file_is_refused)
{
    refuse(k, kit_regular_file(k), ISO_EREGULARFILE, "all.regular_file");
}

KIT_TEST(without_a_callback_it_is_refused)
{
    iso_loop *loop = kit_native_loop(k);
    iso_fd pair[2];

    kit_pair(k, pair);
    CHECK_RC(iso_loop_add_reader(loop, pair[0], NULL, NULL), ISO_EINVAL);
    CHECK_RC(iso_loop_add_writer(loop, pair[0], NULL, NULL), ISO_EINVAL);
    CHECK_EQ(kit_statistics(loop).objects, 0);
}

KIT_TEST(a_descriptor_that_a_sock_call_has_is_refused)
{
    iso_loop *loop = kit_native_loop(k);
    iso_future *future = NULL;
    iso_fd pair[2];
    char byte;

    kit_pair(k, pair);
    REQUIRE_OK(iso_loop_sock_recv_into(loop, pair[0], &byte, 1, &future));
    CHECK_RC(add_reader(loop, pair[0]), ISO_EBUSY);
    CHECK_RC(add_writer(loop, pair[0]), ISO_EBUSY);
    CHECK_RC(iso_loop_remove_reader(loop, pair[0]), ISO_EBUSY);
    /* and the call goes on */
    kit_poke(k, pair[1]);
    CHECK_OK(kit_run_release(k, loop, future));
    CHECK_EQ(byte, '!');
}

KIT_TEST(a_pipe_is_watched_where_selectors_take_it)
{
    iso_loop *loop = kit_native_loop(k);
    iso_fd pipe[2];
    int reads = 0;

    if (!kit_needs(k, ISO_CAP_WATCH_NONSOCKETS)) return;
    kit_pipe(k, pipe);
    CHECK_OK(iso_loop_add_reader(loop, pipe[0], kit_count, &reads));
    CHECK_EQ(kit_turn(k, loop), 0);
    kit_poke(k, pipe[1]);
    kit_run_until(k, loop, &reads, 1);
    CHECK_OK(iso_loop_remove_reader(loop, pipe[0]));
    CHECK_OK(iso_loop_add_writer(loop, pipe[1], kit_count, &reads));
    kit_run_until(k, loop, &reads, 2);
    CHECK_OK(iso_loop_remove_writer(loop, pipe[1]));
}

KIT_TEST(without_memory_it_is_refused_and_nothing_is_left)
{
    iso_loop *loop = kit_native_loop(k);
    iso_fd pairs[60][2];
    int at;
    int refused = 0;

    for (at = 0; at < 60; at++) {
        uint64_t nth = 1;
        int rc;

        kit_pair(k, pairs[at]);
        do {
            uint32_t before = kit_statistics(loop).objects;

            kit_fail_allocation(k, nth++, false);
            rc = iso_loop_add_writer(loop, pairs[at][0], kit_mark, "w");
            kit_fail_allocation(k, 0, false);
            if (rc == 0) break;
            CHECK_RC(rc, ISO_ENOMEM);
            CHECK_EQ(kit_statistics(loop).objects, before);
            refused++;
        } while (nth < 10);
        CHECK_OK(rc);
    }
    CHECK_GE(refused, 60);
    CHECK_EQ(kit_turn(k, loop), 60);
    for (at = 0; at < 60; at++) CHECK_OK(iso_loop_remove_writer(loop, pairs[at][0]));
}

/* ---- a descriptor that was closed while it was watched ---- */

typedef struct witness {
    int told;
    int error;
} witness;

static void note_exception(iso_loop *loop, const iso_exception_context *context, void *arg)
{
    witness *self = arg;

    (void)loop;
    CHECK(context->message != NULL);
    self->told++;
    self->error = context->error;
}

/* epoll and kqueue forget it without a word, poll, select and the proactors tell. */
static bool sees_closed(const iso_loop *loop)
{
    return is_backend(loop, "selector:poll") || is_backend(loop, "selector:select") ||
           is_backend(loop, "proactor:iocp") || is_backend(loop, "proactor:io_uring");
}

KIT_TEST(a_descriptor_closed_while_it_is_watched_does_not_spin)
{
    iso_loop *loop = kit_native_loop(k);
    witness seen = { 0, 0 };
    iso_fd pair[2];
    iso_fd other[2];
    iso_nsec before;
    int round;

    kit_pair(k, other);
    readable_pair(k, pair);
    CHECK_OK(iso_loop_set_exception_handler(loop, note_exception, &seen));
    CHECK_OK(iso_loop_add_reader(loop, other[0], kit_mark, "o"));
    CHECK_OK(iso_loop_add_reader(loop, pair[0], kit_mark, "r"));
    kit_close(k, pair[0]);
    for (round = 0; round < 5; round++) kit_turn(k, loop);
    /* then the loop waits again */
    before = kit_now();
    CHECK_EQ(iso_loop_run_once(loop, ISO_MS(20)), 0);
    CHECK_GE(kit_now() - before, ISO_MS(20));
    /* where the system lets one see it, somebody was told, once; and the others go on */
    CHECK_EQ(seen.told, sees_closed(loop) ? 1 : 0);
    if (seen.told > 0) CHECK_RC(seen.error, ISO_EBADF);
    kit_clear_marks(k);
    kit_poke(k, other[1]);
    kit_await(k, other[0], READ);
    kit_turn(k, loop);
    CHECK_STR(kit_marks(k), "o");
    (void)iso_loop_remove_reader(loop, pair[0]);
    CHECK_OK(iso_loop_remove_reader(loop, other[0]));
    CHECK_OK(iso_loop_set_exception_handler(loop, NULL, NULL));
}

KIT_TEST(a_descriptor_closed_while_the_loop_waits_for_it_does_not_spin)
{
    iso_loop *loop = kit_native_loop(k);
    witness seen = { 0, 0 };
    iso_fd pair[2];
    int round;

    kit_pair(k, pair);
    CHECK_OK(iso_loop_set_exception_handler(loop, note_exception, &seen));
    CHECK_OK(iso_loop_add_reader(loop, pair[0], kit_mark, "r"));
    CHECK_EQ(kit_turn(k, loop), 0); /* it is waited for now, */
    kit_close(k, pair[0]);          /* and this tells, or the next turn finds out */
    for (round = 0; round < 5; round++) (void)iso_loop_run_once(loop, ISO_MS(2));
    /* an io_uring has it open still, until it is given up */
    CHECK_EQ(seen.told, sees_closed(loop) && !is_backend(loop, "proactor:io_uring") ? 1 : 0);
    CHECK_EQ(iso_loop_run_once(loop, ISO_MS(2)), 0);
    CHECK_STR(kit_marks(k), "");
    (void)iso_loop_remove_reader(loop, pair[0]);
    CHECK_OK(iso_loop_set_exception_handler(loop, NULL, NULL));
}

/* On a proactor, too: watching has no need of its port. */
KIT_TEST(a_socket_that_was_watched_is_any_loops)
{
    iso_loop *loops[2] = { kit_native_loop(k), kit_native_loop(k) };
    iso_fd pair[2];
    int reads = 0;
    int at;

    kit_pair(k, pair);
    kit_poke(k, pair[1]);
    for (at = 0; at < 2; at++) {
        CHECK_OK(iso_loop_add_reader(loops[at], pair[0], kit_count, &reads));
        kit_run_until(k, loops[at], &reads, at + 1);
        CHECK_OK(iso_loop_remove_reader(loops[at], pair[0]));
    }
    (void)kit_tie_to_a_port(k, pair[0]); /* nor does it matter that it has another one */
    CHECK_OK(iso_loop_add_reader(loops[0], pair[0], kit_count, &reads));
    kit_run_until(k, loops[0], &reads, 3);
    CHECK_OK(iso_loop_remove_reader(loops[0], pair[0]));
}

KIT_TEST(a_writer_added_to_what_was_closed_is_refused_or_told_once_and_does_not_spin)
{
    iso_loop *loop = kit_native_loop(k);
    witness seen = { 0, 0 };
    iso_fd pair[2];
    int round;
    int rc;

    kit_pair(k, pair);
    CHECK_OK(iso_loop_set_exception_handler(loop, note_exception, &seen));
    CHECK_OK(iso_loop_add_reader(loop, pair[0], kit_mark, "r"));
    kit_close(k, pair[0]);
    rc = add_writer(loop, pair[0]);
    for (round = 0; round < 5; round++) kit_turn(k, loop);
    CHECK_EQ(iso_loop_run_once(loop, ISO_MS(2)), 0);
    CHECK_STR(kit_marks(k), "");
    /* poll and select of POSIX take it, and tell; epoll and kqueue refuse it, those of Windows do
     * both */
    CHECK_LE(seen.told, 1);
    if (rc != 0)
        CHECK_RC(rc, ISO_EBADF);
    else
        CHECK_EQ(seen.told, 1);
    (void)iso_loop_remove_reader(loop, pair[0]);
    (void)iso_loop_remove_writer(loop, pair[0]);
    CHECK_OK(iso_loop_set_exception_handler(loop, NULL, NULL));
}

KIT_TEST(a_number_that_was_closed_while_it_was_watched_can_be_watched_again)
{
    iso_loop *loop = kit_native_loop(k);
    witness seen = { 0, 0 };
    iso_fd pair[2];
    int round;

    /* given a descriptor that was removed only after it was closed */
    CHECK_OK(iso_loop_set_exception_handler(loop, note_exception, &seen));
    for (round = 0; round < 4; round++) {
        readable_pair(k, pair);
        CHECK_OK(iso_loop_add_reader(loop, pair[0], kit_mark, "r"));
        kit_clear_marks(k);
        CHECK_EQ(kit_turn(k, loop), 1);
        CHECK_STR(kit_marks(k), "r");
        kit_close(k, pair[0]);
        kit_close(k, pair[1]);
        if (round % 2 == 0) kit_turn(k, loop);
        (void)iso_loop_remove_reader(loop, pair[0]);
    }
    CHECK_EQ(kit_statistics(loop).objects, 0);
    CHECK_OK(iso_loop_set_exception_handler(loop, NULL, NULL));
}

/* ---- with the loop ---- */

KIT_TEST(what_the_loop_waits_for_when_it_closes_is_given_up_and_stays_open)
{
    enum { COUNT = 40 };
    iso_loop *loop = kit_native_loop(k);
    iso_fd pairs[COUNT][2];
    int at;

    for (at = 0; at < COUNT; at++) {
        kit_pair(k, pairs[at]);
        CHECK_OK(iso_loop_add_reader(loop, pairs[at][0], kit_mark, "r"));
    }
    CHECK_EQ(kit_turn(k, loop), 0);
    CHECK_OK(iso_loop_close(loop));
    CHECK_EQ(kit_statistics(loop).objects, 0);
    CHECK_STR(kit_marks(k), "");
    for (at = 0; at < COUNT; at++) {
        char byte;

        kit_poke(k, pairs[at][1]);
        CHECK_EQ(kit_recv(k, pairs[at][0], &byte, 1), 1);
    }
}

KIT_TEST(what_is_watched_when_the_loop_closes_is_given_up_and_stays_open)
{
    iso_loop *loop = kit_native_loop(k);
    iso_fd pair[2];
    char byte;

    readable_pair(k, pair);
    CHECK_OK(iso_loop_add_reader(loop, pair[0], kit_mark, "r"));
    CHECK_OK(iso_loop_add_writer(loop, pair[0], kit_mark, "w"));
    CHECK_OK(iso_loop_close(loop));
    CHECK_EQ(kit_statistics(loop).objects, 0);
    CHECK_STR(kit_marks(k), "");
    CHECK_EQ(kit_recv(k, pair[0], &byte, 1), 1);
}

KIT_TEST(statistics_count_what_is_watched)
{
    iso_loop *loop = kit_native_loop(k);
    iso_loop_statistics before = kit_statistics(loop);
    iso_fd pair[2];

    kit_pair(k, pair);
    CHECK_OK(iso_loop_add_writer(loop, pair[0], kit_nothing, NULL));
    CHECK_OK(iso_loop_add_reader(loop, pair[0], kit_nothing, NULL));
    CHECK_OK(iso_loop_add_reader(loop, pair[1], kit_nothing, NULL));
    CHECK_EQ(kit_statistics(loop).objects, 2);
    CHECK_EQ(kit_statistics(loop).registered, before.registered + 2);
    kit_turn(k, loop);
    CHECK_EQ(kit_statistics(loop).events, before.events + 1);
    CHECK_OK(iso_loop_remove_writer(loop, pair[0]));
    CHECK_OK(iso_loop_remove_reader(loop, pair[0]));
    CHECK_OK(iso_loop_remove_reader(loop, pair[1]));
    CHECK_EQ(kit_statistics(loop).registered, before.registered);
}

static const kit_case cases[] = {
    KIT_CASE(a_reader_is_called_in_each_turn_in_which_it_can_be_read),
    KIT_CASE(a_writer_is_called_in_each_turn_in_which_it_can_be_written),
    KIT_CASE(of_one_descriptor_the_reader_comes_before_the_writer),
    KIT_CASE(a_waiting_loop_wakes_up_for_a_reader),
    KIT_CASE(the_end_of_a_stream_can_be_read),
    KIT_CASE(a_connection_that_fails_can_be_written),
    KIT_CASE(a_connection_that_is_there_can_be_written),
    KIT_CASE(a_listener_can_be_read_while_somebody_waits),
    KIT_CASE(a_reset_is_told_to_readers_and_writers),
    KIT_CASE(a_datagram_can_be_read),
    KIT_CASE(many_descriptors_are_watched_at_once),
    KIT_CASE(a_second_reader_replaces_the_first),
    KIT_CASE(a_second_writer_replaces_the_first),
    KIT_CASE(what_was_removed_is_not_called),
    KIT_CASE(removing_what_is_not_there_finds_nothing),
    KIT_CASE(removing_one_leaves_the_other),
    KIT_CASE(a_reader_may_remove_itself),
    KIT_CASE(a_reader_that_removes_itself_leaves_the_writer_of_the_turn),
    KIT_CASE(a_writer_that_is_removed_by_the_reader_is_not_called_in_this_turn),
    KIT_CASE(a_reader_of_another_descriptor_that_is_removed_is_not_called_in_this_turn),
    KIT_CASE(a_reader_may_replace_itself),
    KIT_CASE(a_reader_may_be_removed_and_added_in_its_callback),
    KIT_CASE(a_number_that_was_removed_and_closed_can_be_anothers),
    KIT_CASE(a_bad_descriptor_is_refused),
    KIT_CASE(a_regular_file_is_refused),
    KIT_CASE(without_a_callback_it_is_refused),
    KIT_CASE(a_descriptor_that_a_sock_call_has_is_refused),
    KIT_CASE(a_pipe_is_watched_where_selectors_take_it),
    KIT_CASE(without_memory_it_is_refused_and_nothing_is_left),
    KIT_CASE(a_descriptor_closed_while_it_is_watched_does_not_spin),
    KIT_CASE(a_descriptor_closed_while_the_loop_waits_for_it_does_not_spin),
    KIT_CASE(a_socket_that_was_watched_is_any_loops),
    KIT_CASE(a_writer_added_to_what_was_closed_is_refused_or_told_once_and_does_not_spin),
    KIT_CASE(a_number_that_was_closed_while_it_was_watched_can_be_watched_again),
    KIT_CASE(what_the_loop_waits_for_when_it_closes_is_given_up_and_stays_open),
    KIT_CASE(what_is_watched_when_the_loop_closes_is_given_up_and_stays_open),
    KIT_CASE(statistics_count_what_is_watched),
};

KIT_MAIN(cases)
