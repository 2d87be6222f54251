/* SPDX-License-Identifier: MIT */
/* One turn at a time: run_once, and a loop that lives in somebody else's selector. */
#include "kit.h"
#include "sys/sock.h"

#include <string.h>

/* ---- run_once ---- */

KIT_TEST(run_once_with_zero_does_not_wait)
{
    iso_loop *loop = kit_virtual_loop(k);
    iso_handle handle;

    CHECK_OK(iso_loop_call_later(loop, ISO_S(3600), kit_mark, "late", &handle));
    CHECK_EQ(iso_loop_run_once(loop, 0), 0);
    CHECK_EQ(kit_clock_of(k)->waits, 1);
    CHECK_EQ(kit_clock_of(k)->last_timeout, 0);
    CHECK_STR(kit_marks(k), "");
    CHECK_OK(iso_handle_cancel(loop, handle));
}

KIT_TEST(run_once_waits_as_long_as_it_is_told)
{
    iso_loop *loop = kit_virtual_loop(k);
    iso_nsec begin = iso_loop_time(loop);

    CHECK_EQ(iso_loop_run_once(loop, ISO_MS(50)), 0);
    CHECK_EQ(kit_clock_of(k)->waits, 1);
    CHECK_EQ(kit_clock_of(k)->last_timeout, ISO_MS(50));
    CHECK_EQ(iso_loop_time(loop) - begin, ISO_MS(50));
}

KIT_TEST(run_once_waits_in_real_time)
{
    iso_loop *loop = kit_loop(k);
    iso_nsec begin = kit_now();

    CHECK_EQ(iso_loop_run_once(loop, ISO_MS(20)), 0);
    CHECK_GE(kit_now() - begin, ISO_MS(20) - iso_loop_clock_resolution(loop));
}

KIT_TEST(run_once_waits_no_longer_than_for_the_next_timer)
{
    iso_loop *loop = kit_virtual_loop(k);

    CHECK_OK(iso_loop_call_later(loop, ISO_MS(20), kit_mark, "a", NULL));
    CHECK_EQ(iso_loop_run_once(loop, ISO_FOREVER), 1);
    CHECK_EQ(kit_clock_of(k)->last_timeout, ISO_MS(20));
    CHECK_STR(kit_marks(k), "a");
}

KIT_TEST(run_once_leaves_a_timer_that_is_due_later)
{
    iso_loop *loop = kit_virtual_loop(k);

    CHECK_OK(iso_loop_call_later(loop, ISO_MS(20), kit_mark, "a", NULL));
    CHECK_EQ(iso_loop_run_once(loop, ISO_MS(15)), 0);
    CHECK_STR(kit_marks(k), "");
    CHECK_EQ(iso_loop_run_once(loop, ISO_MS(15)), 1);
    CHECK_EQ(kit_clock_of(k)->last_timeout, ISO_MS(5));
    CHECK_STR(kit_marks(k), "a");
}

KIT_TEST(run_once_does_not_wait_when_something_is_ready)
{
    iso_loop *loop = kit_virtual_loop(k);

    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "a", NULL));
    CHECK_EQ(iso_loop_run_once(loop, ISO_FOREVER), 1);
    CHECK_EQ(kit_clock_of(k)->last_timeout, 0);
    CHECK_OK(iso_loop_call_soon_threadsafe(loop, kit_mark, "b"));
    CHECK_GE(iso_loop_run_once(loop, ISO_FOREVER), 1);
    CHECK_EQ(kit_clock_of(k)->last_timeout, 0);
    CHECK_STR(kit_marks(k), "ab");
}

KIT_TEST(a_negative_timeout_is_zero)
{
    iso_loop *loop = kit_virtual_loop(k);

    CHECK_EQ(iso_loop_run_once(loop, -1), 0);
    CHECK_EQ(iso_loop_run_once(loop, INT64_MIN), 0);
    CHECK_EQ(kit_clock_of(k)->last_timeout, 0);
}

static void mark_again(iso_loop *loop, void *text)
{
    kit_mark(loop, text);
    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "later ", NULL));
}

KIT_TEST(run_once_answers_how_many_ran_and_leaves_what_they_added)
{
    iso_loop *loop = kit_loop(k);

    CHECK_EQ(iso_loop_run_once(loop, 0), 0);
    CHECK_OK(iso_loop_call_soon(loop, mark_again, "a ", NULL));
    CHECK_OK(iso_loop_call_soon(loop, mark_again, "b ", NULL));
    CHECK_OK(iso_loop_call_later(loop, 0, kit_mark, "c ", NULL));
    CHECK_EQ(iso_loop_run_once(loop, 0), 3);
    CHECK_STR(kit_marks(k), "a b c ");
    CHECK_EQ(iso_loop_run_once(loop, 0), 2);
    CHECK_STR(kit_marks(k), "a b c later later ");
}

static void nest(iso_loop *loop, void *other)
{
    CHECK_RC(iso_loop_run_once(loop, 0), ISO_ERUNNING);
    CHECK_RC(iso_loop_run_once(other, 0), ISO_ERUNNING);
    CHECK(iso_loop_is_running(loop));
}

KIT_TEST(run_once_is_refused_where_running_is)
{
    iso_loop *loop = kit_loop(k);
    iso_loop *other = kit_loop(k);

    CHECK_OK(iso_loop_call_soon(loop, nest, other, NULL));
    CHECK_EQ(iso_loop_run_once(loop, 0), 1);
    CHECK(!iso_loop_is_running(loop));
    CHECK_EQ(iso_loop_run_once(other, 0), 0);
    CHECK_OK(iso_loop_close(loop));
    CHECK_RC(iso_loop_run_once(loop, 0), ISO_ECLOSED);
    CHECK_RC(iso_loop_run_once(NULL, 0), ISO_EINVAL);
}

/* ---- waits that another thread ends ---- */

typedef struct caller {
    iso_loop *loop;
    kit *k;
    kit_gate *gate;
    iso_fd fd;
    int posts;
} caller;

static void open_gate(iso_loop *loop, void *gate)
{
    (void)loop;
    kit_gate_open(gate);
}

static void post_once(void *arg)
{
    caller *self = arg;

    kit_gate_wait(self->gate);
    CHECK_OK(iso_loop_call_soon_threadsafe(self->loop, kit_mark, "posted"));
}

KIT_TEST(a_post_ends_a_run_once_without_end)
{
    caller self;

    self.loop = kit_loop(k);
    self.gate = kit_gate_new(k);
    kit_thread(k, post_once, &self);
    CHECK_OK(iso_loop_call_soon(self.loop, open_gate, self.gate, NULL));
    CHECK_EQ(iso_loop_run_once(self.loop, 0), 1);
    while (kit_marks(k)[0] == '\0') CHECK_GE(iso_loop_run_once(self.loop, ISO_FOREVER), 0);
    CHECK_STR(kit_marks(k), "posted");
}

static void stop_once(void *arg)
{
    caller *self = arg;

    kit_gate_wait(self->gate);
    CHECK_OK(iso_loop_stop_threadsafe(self->loop));
}

KIT_TEST(a_stop_from_another_thread_ends_a_run_once_without_end)
{
    caller self;

    self.loop = kit_loop(k);
    self.gate = kit_gate_new(k);
    kit_thread(k, stop_once, &self);
    CHECK_OK(iso_loop_call_soon(self.loop, open_gate, self.gate, NULL));
    CHECK_EQ(iso_loop_run_once(self.loop, 0), 1);
    CHECK_GE(iso_loop_run_once(self.loop, ISO_FOREVER), 0);
}

static void read_byte(iso_loop *loop, void *arg)
{
    caller *self = arg;
    char byte = '?';

    CHECK_EQ(iso__sys_socket_recv(self->fd, &byte, 1), 1);
    kit_mark(loop, "read ");
}

static void poke_once(void *arg)
{
    caller *self = arg;

    kit_gate_wait(self->gate);
    kit_poke(self->k, self->fd);
}

KIT_TEST(a_byte_ends_a_run_once_without_end)
{
    caller reader;
    caller writer;
    iso_fd ends[2];

    kit_pair(k, ends);
    reader.loop = kit_native_loop(k);
    reader.fd = ends[0];
    writer.k = k;
    writer.fd = ends[1];
    writer.gate = kit_gate_new(k);
    CHECK_OK(iso_loop_add_reader(reader.loop, ends[0], read_byte, &reader));
    kit_thread(k, poke_once, &writer);
    CHECK_OK(iso_loop_call_soon(reader.loop, open_gate, writer.gate, NULL));
    CHECK_EQ(iso_loop_run_once(reader.loop, 0), 1);
    while (kit_marks(k)[0] == '\0') CHECK_GE(iso_loop_run_once(reader.loop, ISO_FOREVER), 0);
    CHECK_STR(kit_marks(k), "read ");
    CHECK_OK(iso_loop_remove_reader(reader.loop, ends[0]));
}

/* ---- next_timeout ---- */

KIT_TEST(next_timeout_is_forever_when_nothing_waits)
{
    iso_loop *loop = kit_loop(k);

    CHECK_EQ(iso_loop_next_timeout(loop), ISO_FOREVER);
}

KIT_TEST(next_timeout_is_zero_when_something_is_ready)
{
    iso_loop *loop = kit_loop(k);
    iso_handle handle;

    CHECK_OK(iso_loop_call_soon(loop, kit_nothing, NULL, &handle));
    CHECK_EQ(iso_loop_next_timeout(loop), 0);
    CHECK_OK(iso_handle_cancel(loop, handle));
    CHECK_EQ(iso_loop_next_timeout(loop), ISO_FOREVER);
    CHECK_OK(iso_loop_call_soon_threadsafe(loop, kit_nothing, NULL));
    CHECK_EQ(iso_loop_next_timeout(loop), 0);
    CHECK_GE(kit_turn(k, loop), 1);
    CHECK_EQ(iso_loop_next_timeout(loop), ISO_FOREVER);
}

KIT_TEST(next_timeout_is_the_time_until_the_next_timer)
{
    iso_loop *loop = kit_virtual_loop(k);
    iso_handle handle;

    CHECK_OK(iso_loop_call_later(loop, ISO_S(2), kit_nothing, NULL, NULL));
    CHECK_OK(iso_loop_call_later(loop, ISO_S(1), kit_nothing, NULL, &handle));
    CHECK_EQ(iso_loop_next_timeout(loop), ISO_S(1));
    CHECK_OK(iso_handle_cancel(loop, handle));
    CHECK_EQ(iso_loop_next_timeout(loop), ISO_S(2));
    kit_advance(k, ISO_MS(500));
    CHECK_EQ(iso_loop_next_timeout(loop), ISO_MS(1500));
    kit_advance(k, ISO_S(10));
    CHECK_EQ(iso_loop_next_timeout(loop), 0); /* overdue, and not negative: that is an error */
    CHECK_EQ(kit_turn(k, loop), 1);
}

KIT_TEST(next_timeout_of_a_closed_loop_is_an_error)
{
    iso_loop *loop = kit_loop(k);
    iso_fd fd = ISO_FD_NONE;

    CHECK_OK(iso_loop_close(loop));
    CHECK_RC(iso_loop_next_timeout(loop), ISO_ECLOSED);
    CHECK_RC(iso_loop_fileno(loop, &fd), ISO_ECLOSED);
    CHECK_EQ(fd, ISO_FD_NONE);
}

static void ask_there(void *loop)
{
    iso_fd fd = ISO_FD_NONE;

    CHECK_RC(iso_loop_next_timeout(loop), ISO_ETHREAD);
    CHECK_RC(iso_loop_fileno(loop, &fd), ISO_ETHREAD);
}

KIT_TEST(fileno_and_next_timeout_are_not_for_other_threads)
{
    kit_thread(k, ask_there, kit_loop(k));
    kit_join_all(k);
}

/* ---- a loop in a selector of the test's ---- */

typedef struct embedding {
    kit *k;
    iso_loop *loop;
    iso_selector *outer;
    iso_fd fd;
} embedding;

static bool has_fileno(const kit *k)
{
    return strcmp(kit_backend(k), "selector:epoll") == 0 ||
           strcmp(kit_backend(k), "selector:kqueue") == 0 ||
           strcmp(kit_backend(k), "proactor:io_uring") == 0;
}

/* Answers false where there is nothing to embed, which the loop must say. */
static bool embed(embedding *self, kit *k)
{
    self->k = k;
    self->loop = kit_loop(k);
    self->fd = ISO_FD_NONE;
    if (!has_fileno(k)) {
        CHECK_RC(iso_loop_fileno(self->loop, &self->fd), ISO_ENOTSUP);
        CHECK_EQ(self->fd, ISO_FD_NONE);
        return false;
    }
    REQUIRE_OK(iso_loop_fileno(self->loop, &self->fd));
    REQUIRE_OK(iso_selector_new(&self->outer, NULL));
    REQUIRE_OK(iso_selector_register(self->outer, self->fd, ISO_EVENT_READ, self));
    return true;
}

static void end_embedding(embedding *self)
{
    CHECK_OK(iso_selector_unregister(self->outer, self->fd));
    iso_selector_close(self->outer);
}

/* What the program around it does: wait as long as the loop may, then let it have a turn. Answers
 * how many callbacks ran. */
static int outer_turn(embedding *self, iso_nsec most)
{
    iso_nsec timeout = iso_loop_next_timeout(self->loop);
    iso_selector_event event;
    int count;

    CHECK_GE(timeout, 0);
    count = iso_selector_select(self->outer, timeout < most ? timeout : most, &event, 1);
    CHECK_GE(count, 0);
    if (count == 1) CHECK_PTR(event.token, self);
    return iso_loop_run_once(self->loop, 0);
}

static bool is_readable(embedding *self)
{
    iso_selector_event event;

    CHECK_GE(iso_loop_next_timeout(self->loop), 0);
    return iso_selector_select(self->outer, 0, &event, 1) == 1;
}

/* Turns until the marks are these; the waits have an end that is never reached. */
static void outer_run(embedding *self, const char *marks)
{
    iso_nsec end = kit_now() + ISO_S(30);

    while (strcmp(kit_marks(self->k), marks) != 0 && CHECK(kit_now() < end))
        CHECK_GE(outer_turn(self, ISO_S(30)), 0);
    CHECK_STR(kit_marks(self->k), marks);
}

KIT_TEST(fileno_is_one_descriptor_or_documented_to_be_none)
{
    iso_loop *loop = kit_loop(k);
    iso_fd first = ISO_FD_NONE;
    iso_fd second = ISO_FD_NONE;

    CHECK_RC(iso_loop_fileno(loop, &first), has_fileno(k) ? 0 : ISO_ENOTSUP);
    CHECK_RC(iso_loop_fileno(loop, &second), has_fileno(k) ? 0 : ISO_ENOTSUP);
    CHECK_EQ(first, second);
    CHECK((first != ISO_FD_NONE) == has_fileno(k));
}

KIT_TEST(an_embedded_loop_with_nothing_to_do_is_not_readable)
{
    embedding self;

    if (!embed(&self, k)) return;
    CHECK(!is_readable(&self));
    CHECK_EQ(kit_turn(k, self.loop), 0);
    CHECK(!is_readable(&self));
    end_embedding(&self);
}

KIT_TEST(an_embedded_loop_runs_what_is_scheduled)
{
    embedding self;

    if (!embed(&self, k)) return;
    CHECK_OK(iso_loop_call_soon(self.loop, mark_again, "a ", NULL));
    CHECK_EQ(outer_turn(&self, ISO_S(30)), 1);
    CHECK_EQ(outer_turn(&self, ISO_S(30)), 1);
    CHECK_STR(kit_marks(k), "a later ");
    CHECK(!is_readable(&self));
    end_embedding(&self);
}

KIT_TEST(an_embedded_loop_sees_its_timers)
{
    embedding self;
    iso_nsec begin;

    if (!embed(&self, k)) return;
    begin = iso_loop_time(self.loop);
    CHECK_OK(iso_loop_call_later(self.loop, ISO_MS(10), kit_mark, "b", NULL));
    CHECK_OK(iso_loop_call_later(self.loop, ISO_MS(5), kit_mark, "a", NULL));
    outer_run(&self, "ab");
    CHECK_GE(iso_loop_time(self.loop) - begin, ISO_MS(10) - iso_loop_clock_resolution(self.loop));
    end_embedding(&self);
}

KIT_TEST(an_embedded_loop_sees_its_descriptors)
{
    embedding self;
    caller reader;
    iso_fd ends[2];

    if (!kit_needs(k, ISO_CAP_WATCH) || !embed(&self, k)) return;
    kit_pair(k, ends);
    reader.fd = ends[0];
    CHECK_OK(iso_loop_add_reader(self.loop, ends[0], read_byte, &reader));
    CHECK(!is_readable(&self));
    kit_poke(k, ends[1]);
    outer_run(&self, "read ");
    CHECK(!is_readable(&self));
    kit_poke(k, ends[1]);
    outer_run(&self, "read read ");
    CHECK_OK(iso_loop_remove_reader(self.loop, ends[0]));
    kit_poke(k, ends[1]);
    CHECK(!is_readable(&self));
    end_embedding(&self);
}

static void write_once(iso_loop *loop, void *arg)
{
    caller *self = arg;

    kit_mark(loop, "write ");
    CHECK_OK(iso_loop_remove_writer(loop, self->fd));
}

/* What is wanted besides is handed to the selector before a wait, which here is not the loop's. */
KIT_TEST(an_embedded_loop_sees_what_was_wanted_later)
{
    embedding self;
    caller both;
    iso_fd ends[2];

    if (!kit_needs(k, ISO_CAP_WATCH) || !embed(&self, k)) return;
    kit_pair(k, ends);
    both.fd = ends[0];
    CHECK_OK(iso_loop_add_reader(self.loop, ends[0], read_byte, &both));
    CHECK(!is_readable(&self));
    CHECK_OK(iso_loop_add_writer(self.loop, ends[0], write_once, &both));
    CHECK(is_readable(&self));
    outer_run(&self, "write ");
    kit_poke(k, ends[1]);
    outer_run(&self, "write read ");
    CHECK_OK(iso_loop_remove_reader(self.loop, ends[0]));
    end_embedding(&self);
}

static void post_many(void *arg)
{
    caller *self = arg;
    int at;

    for (at = 0; at < 3; at++)
        CHECK_OK(iso_loop_call_soon_threadsafe(self->loop, kit_count, &self->posts));
    CHECK_OK(iso_loop_call_soon_threadsafe(self->loop, kit_mark, "posted"));
}

KIT_TEST(an_embedded_loop_sees_posts_of_a_thread)
{
    embedding self;
    caller poster;

    if (!embed(&self, k)) return;
    poster.loop = self.loop;
    poster.posts = 0;
    kit_thread(k, post_many, &poster);
    outer_run(&self, "posted"); /* no timer would end the wait */
    CHECK_EQ(poster.posts, 3);
    kit_join_all(k);
    CHECK_EQ(kit_turn(k, self.loop), 0);
    CHECK(!is_readable(&self));
    end_embedding(&self);
}

KIT_TEST(an_embedded_loop_ends_its_operations)
{
    embedding self;
    iso_future *future;
    iso_fd ends[2];
    char bytes[4] = "";

    if (!embed(&self, k)) return;
    kit_pair(k, ends);
    REQUIRE_OK(iso_loop_sock_recv_into(self.loop, ends[0], bytes, 3, &future));
    CHECK_OK(iso_future_add_done_callback(future, kit_mark_future, "done"));
    CHECK(!is_readable(&self));
    kit_send(k, ends[1], "abc", 3);
    outer_run(&self, "done");
    CHECK_STR(bytes, "abc");
    iso_future_release(future);
    end_embedding(&self);
}

typedef struct crowd {
    embedding self;
    caller reader;
    iso_fd ends[2];
    int reads;
    int posts;
    int timers;
} crowd;

static void count_read(iso_loop *loop, void *arg)
{
    crowd *all = arg;
    char byte;

    (void)loop;
    CHECK_EQ(iso__sys_socket_recv(all->ends[0], &byte, 1), 1);
    all->reads++;
}

static void count_timer(iso_loop *loop, void *arg)
{
    crowd *all = arg;

    if (++all->timers < 10)
        CHECK_OK(iso_loop_call_later(loop, ISO_US(200), count_timer, all, NULL));
}

static void poke_and_post(void *arg)
{
    crowd *all = arg;
    int at;

    for (at = 0; at < 20; at++) {
        kit_poke(all->self.k, all->ends[1]);
        CHECK_OK(iso_loop_call_soon_threadsafe(all->self.loop, kit_count, &all->posts));
    }
}

KIT_TEST(an_embedded_loop_sees_all_of_it_at_once)
{
    crowd all = { .reads = 0 };
    iso_nsec end = kit_now() + ISO_S(30);

    if (!kit_needs(k, ISO_CAP_WATCH) || !embed(&all.self, k)) return;
    kit_pair(k, all.ends);
    CHECK_OK(iso_loop_add_reader(all.self.loop, all.ends[0], count_read, &all));
    CHECK_OK(iso_loop_call_later(all.self.loop, 0, count_timer, &all, NULL));
    kit_thread(k, poke_and_post, &all);
    while ((all.reads < 20 || all.posts < 20 || all.timers < 10) && CHECK(kit_now() < end))
        CHECK_GE(outer_turn(&all.self, ISO_S(30)), 0);
    CHECK_EQ(all.reads, 20);
    CHECK_EQ(all.posts, 20);
    CHECK_EQ(all.timers, 10);
    CHECK_OK(iso_loop_remove_reader(all.self.loop, all.ends[0]));
    end_embedding(&all.self);
}

static const kit_case cases[] = {
    KIT_CASE(run_once_with_zero_does_not_wait),
    KIT_CASE(run_once_waits_as_long_as_it_is_told),
    KIT_CASE(run_once_waits_in_real_time),
    KIT_CASE(run_once_waits_no_longer_than_for_the_next_timer),
    KIT_CASE(run_once_leaves_a_timer_that_is_due_later),
    KIT_CASE(run_once_does_not_wait_when_something_is_ready),
    KIT_CASE(a_negative_timeout_is_zero),
    KIT_CASE(run_once_answers_how_many_ran_and_leaves_what_they_added),
    KIT_CASE(run_once_is_refused_where_running_is),
    KIT_CASE(a_post_ends_a_run_once_without_end),
    KIT_CASE(a_stop_from_another_thread_ends_a_run_once_without_end),
    KIT_CASE(a_byte_ends_a_run_once_without_end),
    KIT_CASE(next_timeout_is_forever_when_nothing_waits),
    KIT_CASE(next_timeout_is_zero_when_something_is_ready),
    KIT_CASE(next_timeout_is_the_time_until_the_next_timer),
    KIT_CASE(next_timeout_of_a_closed_loop_is_an_error),
    KIT_CASE(fileno_and_next_timeout_are_not_for_other_threads),
    KIT_CASE(fileno_is_one_descriptor_or_documented_to_be_none),
    KIT_CASE(an_embedded_loop_with_nothing_to_do_is_not_readable),
    KIT_CASE(an_embedded_loop_runs_what_is_scheduled),
    KIT_CASE(an_embedded_loop_sees_its_timers),
    KIT_CASE(an_embedded_loop_sees_its_descriptors),
    KIT_CASE(an_embedded_loop_sees_what_was_wanted_later),
    KIT_CASE(an_embedded_loop_sees_posts_of_a_thread),
    KIT_CASE(an_embedded_loop_ends_its_operations),
    KIT_CASE(an_embedded_loop_sees_all_of_it_at_once),
};

KIT_MAIN(cases)
