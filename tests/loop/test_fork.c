/* SPDX-License-Identifier: MIT */
/* A child of fork, and the loops of its parent. For systems that fork. */
#include "kit.h"
#include "loop/thread_state.h"
#include "sys/sock.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILD_SECONDS = 30 };

typedef void (*child_body)(kit *k, void *arg);

/* Let `body` run in a child: what fails in it fails here. Called from callbacks too, so that the
 * child never comes back from this. */
static void in_child(kit *k, child_body body, void *arg)
{
    int status = -1;
    pid_t child;

    (void)fflush(stdout);
    child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        (void)alarm(CHILD_SECONDS); /* the watchdog stayed with the parent */
        body(k, arg);
        (void)fflush(stdout);
        _exit(kit_has_failed(k) ? EXIT_FAILURE : EXIT_SUCCESS);
    }
    while (waitpid(child, &status, 0) < 0) {}
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), EXIT_SUCCESS);
}

/* As in a process that has set no loop yet. */
static void forget(void)
{
    iso__thread_state *state;

    REQUIRE_OK(iso_set_event_loop(NULL));
    REQUIRE_OK(iso__thread_state_get(&state));
    state->was_set = false;
}

/* ---- the parent's loop is not the child's ---- */

static void demand_efork_of_calls(kit *k, void *arg)
{
    iso_loop *loop = arg;
    iso_handle handle = { 0, 1 };
    iso_nsec when = 0;
    iso_fd fd = ISO_FD_NONE;

    (void)k;
    CHECK_RC(iso_loop_run_forever(loop), ISO_EFORKED);
    CHECK_RC(iso_loop_run_once(loop, 0), ISO_EFORKED);
    CHECK_RC(iso_loop_stop(loop), ISO_EFORKED);
    CHECK_RC(iso_loop_stop_threadsafe(loop), ISO_EFORKED);
    CHECK_RC(iso_loop_fileno(loop, &fd), ISO_EFORKED);
    CHECK_RC(iso_loop_next_timeout(loop), ISO_EFORKED);
    CHECK_RC(iso_loop_close(loop), ISO_EFORKED);
    CHECK_RC(iso_loop_call_soon(loop, kit_nothing, NULL, &handle), ISO_EFORKED);
    CHECK_RC(iso_loop_call_soon_threadsafe(loop, kit_nothing, NULL), ISO_EFORKED);
    CHECK_RC(iso_loop_call_later(loop, 0, kit_nothing, NULL, &handle), ISO_EFORKED);
    CHECK_RC(iso_loop_call_at(loop, 0, kit_nothing, NULL, &handle), ISO_EFORKED);
    CHECK_RC(iso_handle_cancel(loop, handle), ISO_EFORKED);
    CHECK_RC(iso_handle_when(loop, handle, &when), ISO_EFORKED);
    CHECK_RC(iso_loop_set_exception_handler(loop, NULL, NULL), ISO_EFORKED);
    CHECK_RC(iso_loop_set_debug(loop, true), ISO_EFORKED);
    CHECK(!iso_loop_is_closed(loop));
}

KIT_TEST(in_a_child_scheduling_and_running_are_refused)
{
    iso_loop *loop = kit_loop(k);

    in_child(k, demand_efork_of_calls, loop);
    CHECK_EQ(kit_turn(k, loop), 0); /* and nothing of it came here */
    CHECK(!iso_loop_get_debug(loop));
}

typedef struct holdings {
    iso_loop *loop;
    iso_future *future;
    iso_transport *transport;
    iso_server *server;
    iso_fd spare; /* a socket that the loop does not know */
} holdings;

static void demand_efork_of_io(kit *k, void *arg)
{
    static const iso_protocol nothing = { .connection_made = NULL };
    iso_connection_options connection = ISO_CONNECTION_OPTIONS_INIT;
    iso_server_options server = ISO_SERVER_OPTIONS_INIT;
    const holdings *self = arg;
    iso_future *future = NULL;
    iso_address address;
    char byte = 'x';

    (void)k;
    CHECK_RC(iso_loop_add_reader(self->loop, self->spare, kit_nothing, NULL), ISO_EFORKED);
    CHECK_RC(iso_loop_add_writer(self->loop, self->spare, kit_nothing, NULL), ISO_EFORKED);
    CHECK_RC(iso_loop_remove_reader(self->loop, self->spare), ISO_EFORKED);
    CHECK_RC(iso_loop_remove_writer(self->loop, self->spare), ISO_EFORKED);
    CHECK_RC(iso_loop_sock_recv_into(self->loop, self->spare, &byte, 1, &future), ISO_EFORKED);
    CHECK_RC(iso_loop_sock_recv(self->loop, self->spare, 1, &future), ISO_EFORKED);
    CHECK_RC(iso_loop_sock_sendall(self->loop, self->spare, &byte, 1, &future), ISO_EFORKED);
    CHECK_RC(iso_loop_sock_accept(self->loop, self->spare, &future), ISO_EFORKED);
    CHECK_OK(iso_address_parse(&address, "127.0.0.1", 1));
    CHECK_RC(iso_loop_sock_connect(self->loop, self->spare, &address, &future), ISO_EFORKED);
    connection.sock = self->spare;
    CHECK_RC(iso_loop_create_connection(self->loop, &nothing, NULL, &connection, &future),
             ISO_EFORKED);
    server.host = "127.0.0.1";
    CHECK_RC(iso_loop_create_server(self->loop, &nothing, NULL, &server, &future), ISO_EFORKED);
    CHECK_PTR(future, NULL);
}

static void demand_efork_of_futures(kit *k, void *arg)
{
    const holdings *self = arg;
    iso_future *made = NULL;

    (void)k;
    CHECK_RC(iso_loop_create_future(self->loop, &made), ISO_EFORKED);
    CHECK_RC(iso_future_new(&made, self->loop), ISO_EFORKED);
    CHECK_RC(iso_loop_run_until_complete(self->loop, self->future), ISO_EFORKED);
    CHECK_RC(iso_future_set_result(self->future, NULL), ISO_EFORKED);
    CHECK_RC(iso_future_set_number(self->future, 1), ISO_EFORKED);
    CHECK_RC(iso_future_set_error(self->future, ISO_EIO), ISO_EFORKED);
    CHECK_RC(iso_future_cancel(self->future), ISO_EFORKED);
    CHECK_RC(iso_future_add_done_callback(self->future, kit_mark_future, "a"), ISO_EFORKED);
    CHECK_RC(iso_future_remove_done_callback(self->future, kit_mark_future, "a"), ISO_EFORKED);
    CHECK(!iso_future_done(self->future));
}

static void demand_efork_of_transports(kit *k, void *arg)
{
    static const iso_protocol nothing = { .connection_made = NULL };
    const holdings *self = arg;
    iso_buffer piece = { "a", 1 };
    iso_future *future = NULL;

    (void)k;
    CHECK_RC(iso_transport_write(self->transport, "a", 1), ISO_EFORKED);
    CHECK_RC(iso_transport_writelines(self->transport, &piece, 1), ISO_EFORKED);
    CHECK_RC(iso_transport_write_eof(self->transport), ISO_EFORKED);
    CHECK_RC(iso_transport_set_write_buffer_limits(self->transport, 2, 1), ISO_EFORKED);
    CHECK_RC(iso_transport_pause_reading(self->transport), ISO_EFORKED);
    CHECK_RC(iso_transport_resume_reading(self->transport), ISO_EFORKED);
    CHECK_RC(iso_transport_set_protocol(self->transport, &nothing, NULL), ISO_EFORKED);
    CHECK_RC(iso_transport_close(self->transport), ISO_EFORKED);
    CHECK_RC(iso_transport_abort(self->transport), ISO_EFORKED);
    CHECK(!iso_transport_is_closing(self->transport));
    CHECK_RC(iso_server_start_serving(self->server), ISO_EFORKED);
    CHECK_RC(iso_server_close_clients(self->server), ISO_EFORKED);
    CHECK_RC(iso_server_abort_clients(self->server), ISO_EFORKED);
    CHECK_RC(iso_server_wait_closed(self->server, &future), ISO_EFORKED);
    CHECK_RC(iso_server_close(self->server), ISO_EFORKED);
    CHECK(iso_server_is_serving(self->server));
}

static const iso_protocol quiet = { .connection_made = NULL };

/* A loop that has one of everything. */
static void hold(holdings *self, kit *k)
{
    iso_connection_options connection = ISO_CONNECTION_OPTIONS_INIT;
    iso_server_options server = ISO_SERVER_OPTIONS_INIT;
    iso_future *future;
    void *result = NULL;
    iso_fd ends[2];

    self->loop = kit_loop(k);
    REQUIRE_OK(iso_loop_create_future(self->loop, &self->future));
    kit_pair(k, ends);
    self->spare = ends[1];
    connection.sock = kit_give(k, ends[0]);
    REQUIRE_OK(iso_loop_create_connection(self->loop, &quiet, NULL, &connection, &future));
    REQUIRE_OK(kit_run(k, self->loop, future));
    REQUIRE_OK(iso_future_result(future, &result));
    self->transport = iso_transport_ref(result);
    iso_future_release(future);
    server.host = "127.0.0.1";
    REQUIRE_OK(iso_loop_create_server(self->loop, &quiet, NULL, &server, &future));
    REQUIRE_OK(kit_run(k, self->loop, future));
    REQUIRE_OK(iso_future_result(future, &result));
    self->server = iso_server_ref(result);
    iso_future_release(future);
}

static void let_go(holdings *self, kit *k)
{
    CHECK_OK(iso_transport_abort(self->transport));
    CHECK_OK(iso_server_close(self->server));
    kit_settle(k, self->loop);
    iso_transport_release(self->transport);
    iso_server_release(self->server);
    iso_future_release(self->future);
}

KIT_TEST(in_a_child_io_on_the_parents_loop_is_refused)
{
    holdings self;

    hold(&self, k);
    in_child(k, demand_efork_of_io, &self);
    let_go(&self, k);
}

KIT_TEST(in_a_child_the_parents_futures_are_refused)
{
    holdings self;

    hold(&self, k);
    in_child(k, demand_efork_of_futures, &self);
    CHECK(!iso_future_done(self.future));
    let_go(&self, k);
}

KIT_TEST(in_a_child_the_parents_transports_and_servers_are_refused)
{
    holdings self;

    hold(&self, k);
    in_child(k, demand_efork_of_transports, &self);
    CHECK(!iso_transport_is_closing(self.transport));
    CHECK(iso_server_is_serving(self.server));
    let_go(&self, k);
}

static void call_in_vain(void *loop)
{
    CHECK_RC(iso_loop_call_soon_threadsafe(loop, kit_nothing, NULL), ISO_EFORKED);
    CHECK_RC(iso_loop_call_soon(loop, kit_nothing, NULL, NULL), ISO_EFORKED);
    CHECK_RC(iso_loop_run_once(loop, 0), ISO_EFORKED);
}

static void call_from_a_thread(kit *k, void *loop)
{
    kit_thread(k, call_in_vain, loop);
    kit_join_all(k);
}

KIT_TEST(in_a_thread_of_a_child_the_parents_loop_is_refused_too)
{
    iso_loop *loop = kit_loop(k);

    in_child(k, call_from_a_thread, loop);
    CHECK_EQ(kit_turn(k, loop), 0);
}

/* ---- a loop that runs while its process forks ---- */

static void demand_none_runs(kit *k, void *arg)
{
    const holdings *self = arg;
    iso_loop *running = NULL;

    (void)k;
    CHECK_RC(iso_get_running_loop(&running), ISO_ENOLOOP);
    CHECK_PTR(running, NULL);
    CHECK_RC(iso_loop_run_forever(self->loop), ISO_EFORKED);
    CHECK_RC(iso_loop_run_once(self->loop, 0), ISO_EFORKED);
    CHECK_RC(iso_loop_run_until_complete(self->loop, self->future), ISO_EFORKED);
    CHECK_RC(iso_loop_close(self->loop), ISO_EFORKED);
}

static void use_a_loop_of_ones_own(kit *k, void *unused);

typedef struct forking {
    kit *k;
    child_body body;
    void *arg;
} forking;

static void fork_here(iso_loop *loop, void *arg)
{
    const forking *self = arg;
    iso_loop *running = NULL;

    in_child(self->k, self->body, self->arg);
    CHECK_OK(iso_get_running_loop(&running)); /* in the parent nothing has changed */
    CHECK_PTR(running, loop);
}

KIT_TEST(in_a_child_of_a_callback_no_loop_is_running)
{
    holdings self;
    forking plan = { k, demand_none_runs, &self };

    self.loop = kit_loop(k);
    REQUIRE_OK(iso_loop_create_future(self.loop, &self.future));
    CHECK_OK(iso_loop_call_soon(self.loop, fork_here, &plan, NULL));
    CHECK_EQ(kit_turn(k, self.loop), 1);
    iso_future_release(self.future);
}

KIT_TEST(in_a_child_of_a_callback_a_loop_of_ones_own_runs)
{
    iso_loop *loop = kit_loop(k);
    forking plan = { k, use_a_loop_of_ones_own, NULL };

    CHECK_OK(iso_loop_call_soon(loop, fork_here, &plan, NULL));
    CHECK_EQ(kit_turn(k, loop), 1);
}

/* ---- releasing in the child ---- */

static void release_loop(kit *k, void *loop)
{
    kit_forget_loop(k, loop);
    iso_loop_release(loop);
}

typedef struct listening {
    iso_fd fd;
    int count;
} listening;

static void read_byte(iso_loop *loop, void *arg)
{
    listening *self = arg;
    char byte;

    (void)loop;
    CHECK_EQ(iso__sys_socket_recv(self->fd, &byte, 1), 1);
    self->count++;
}

/* The child's descriptors are the parent's open files: an epoll or kqueue that the child changed
 * would be changed here. */
static void demand_undisturbed(kit *k, iso_loop *loop, listening *reader, iso_fd peer)
{
    int posts = 0;
    int timers = 0;

    kit_poke(k, peer);
    (void)kit_run_until(k, loop, &reader->count, reader->count + 1);
    CHECK_OK(iso_loop_call_soon_threadsafe(loop, kit_count, &posts));
    (void)kit_run_until(k, loop, &posts, 1);
    CHECK_OK(iso_loop_call_later(loop, 0, kit_count, &timers, NULL));
    (void)kit_run_until(k, loop, &timers, 1);
}

static void fork_beside_a_reader(kit *k, child_body body)
{
    iso_loop *loop = kit_loop(k);
    uint32_t before = kit_statistics(loop).registered;
    listening reader = { ISO_FD_NONE, 0 };
    iso_fd ends[2];

    kit_pair(k, ends);
    reader.fd = ends[0];
    CHECK_OK(iso_loop_add_reader(loop, ends[0], read_byte, &reader));
    demand_undisturbed(k, loop, &reader, ends[1]);
    in_child(k, body, loop);
    demand_undisturbed(k, loop, &reader, ends[1]);
    CHECK_EQ(kit_statistics(loop).registered, before + 1);
    CHECK_OK(iso_loop_remove_reader(loop, ends[0]));
}

KIT_TEST(releasing_a_loop_in_a_child_leaves_the_parents_registrations)
{
    fork_beside_a_reader(k, release_loop);
}

static void try_to_close(kit *k, void *loop)
{
    CHECK_RC(iso_loop_close(loop), ISO_EFORKED);
    release_loop(k, loop);
}

KIT_TEST(closing_a_loop_in_a_child_leaves_the_parents_registrations)
{
    fork_beside_a_reader(k, try_to_close);
}

static void release_and_use_ones_own(kit *k, void *loop)
{
    release_loop(k, loop);
    use_a_loop_of_ones_own(k, NULL);
}

KIT_TEST(a_loop_of_the_childs_own_leaves_the_parents_registrations)
{
    fork_beside_a_reader(k, release_and_use_ones_own);
}

static void release_everything(kit *k, void *arg)
{
    holdings *self = arg;

    iso_transport_release(self->transport);
    iso_server_release(self->server);
    iso_future_release(self->future);
    release_loop(k, self->loop);
}

KIT_TEST(releasing_the_objects_in_a_child_leaves_the_parents)
{
    holdings self;
    char byte = 0;

    hold(&self, k);
    in_child(k, release_everything, &self);
    CHECK_OK(iso_transport_write(self.transport, "a", 1));
    CHECK_EQ(kit_recv(k, self.spare, &byte, 1), 1);
    CHECK_EQ(byte, 'a');
    CHECK(iso_server_is_serving(self.server));
    let_go(&self, k);
}

/* ---- a loop of the child's own ---- */

/* Calls, a timer, a post from a thread, and I/O. */
static void post_there(void *loop)
{
    CHECK_OK(iso_loop_call_soon_threadsafe(loop, kit_mark, "post "));
}

static void exercise(kit *k, iso_loop *loop)
{
    listening reader = { ISO_FD_NONE, 0 };
    int timers = 0;
    iso_fd ends[2];

    kit_clear_marks(k);
    CHECK_OK(iso_loop_call_soon(loop, kit_mark, "soon ", NULL));
    CHECK_GE(iso_loop_run_once(loop, 0), 1);
    CHECK_STR(kit_marks(k), "soon ");
    kit_thread(k, post_there, loop);
    while (kit_marks(k)[5] == '\0') CHECK_GE(iso_loop_run_once(loop, ISO_FOREVER), 0);
    kit_join_all(k);
    CHECK_STR(kit_marks(k), "soon post ");
    CHECK_OK(iso_loop_call_later(loop, ISO_MS(1), kit_count, &timers, NULL));
    (void)kit_run_until(k, loop, &timers, 1);
    kit_pair(k, ends);
    reader.fd = ends[0];
    CHECK_OK(iso_loop_add_reader(loop, ends[0], read_byte, &reader));
    kit_poke(k, ends[1]);
    (void)kit_run_until(k, loop, &reader.count, 1);
    CHECK_OK(iso_loop_remove_reader(loop, ends[0]));
}

static void use_a_loop_of_ones_own(kit *k, void *unused)
{
    iso_loop *loop = kit_loop(k);

    (void)unused;
    exercise(k, loop);
    kit_release_loop(k, loop);
}

KIT_TEST(a_child_makes_and_runs_a_loop_of_its_own)
{
    iso_loop *loop = kit_loop(k);

    in_child(k, use_a_loop_of_ones_own, NULL);
    CHECK_EQ(kit_turn(k, loop), 0);
}

/* The child's thread is its main thread, wherever it was in the parent. */
static void get_one_by_itself(kit *k, void *unused)
{
    iso_loop *loop = NULL;

    (void)unused;
    REQUIRE_OK(iso_get_event_loop(&loop));
    exercise(k, loop);
    CHECK_OK(iso_set_event_loop(NULL));
}

KIT_TEST(a_child_gets_a_loop_by_itself)
{
    forget();
    in_child(k, get_one_by_itself, NULL);
}

static void fork_there(void *arg)
{
    in_child(arg, get_one_by_itself, NULL);
}

KIT_TEST(a_child_of_another_thread_gets_a_loop_by_itself)
{
    iso_loop *loop = NULL;

    forget();
    kit_thread(k, fork_there, k);
    kit_join_all(k);
    REQUIRE_OK(iso_get_event_loop(&loop)); /* and the main thread is still the parent's */
    forget();
}

static void replace_the_parents(kit *k, void *parents)
{
    iso_loop *loop = NULL;

    CHECK_OK(iso_get_event_loop(&loop)); /* the slot is as it was: what is in it is of no use */
    CHECK_PTR(loop, parents);
    CHECK_RC(iso_loop_run_once(loop, 0), ISO_EFORKED);
    REQUIRE_OK(iso_new_event_loop(&loop));
    CHECK_OK(iso_set_event_loop(loop));
    exercise(k, loop);
    iso_loop_release(loop);
    CHECK_OK(iso_set_event_loop(NULL));
}

KIT_TEST(a_child_replaces_the_current_loop_of_its_parent)
{
    iso_loop *loop = kit_loop(k);
    iso_loop *current = NULL;

    CHECK_OK(iso_set_event_loop(loop));
    in_child(k, replace_the_parents, loop);
    CHECK_OK(iso_get_event_loop(&current));
    CHECK_PTR(current, loop);
    CHECK_EQ(kit_turn(k, loop), 0);
    forget();
}

static void fork_again(kit *k, void *parents)
{
    iso_loop *own = kit_loop(k);

    in_child(k, demand_efork_of_calls, parents);
    in_child(k, demand_efork_of_calls, own);
    in_child(k, use_a_loop_of_ones_own, NULL);
    CHECK_EQ(kit_turn(k, own), 0);
}

KIT_TEST(a_grandchild_has_neither_loop)
{
    iso_loop *loop = kit_loop(k);

    in_child(k, fork_again, loop);
    CHECK_EQ(kit_turn(k, loop), 0);
}

KIT_TEST(a_parent_that_forks_often_keeps_its_loop)
{
    iso_loop *loop = kit_loop(k);
    int at;

    for (at = 0; at < 8; at++) in_child(k, demand_efork_of_calls, loop);
    exercise(k, loop);
}

/* ---- executors ---- */

static int do_nothing(void *arg, void **result)
{
    (void)arg;
    (void)result;
    return 0;
}

static void demand_efork_of_executors(kit *k, void *arg)
{
    iso_executor *pool = arg;
    iso_loop *loop = kit_loop(k);
    iso_future *future = NULL;

    /* the parent's has no threads here, */
    CHECK_RC(iso_loop_run_in_executor(loop, pool, do_nothing, NULL, &future), ISO_EFORKED);
    CHECK_RC(iso_loop_set_default_executor(loop, pool), ISO_EFORKED);
    CHECK_RC(iso_executor_shutdown(pool, true, true), ISO_EFORKED);
    iso_executor_release(pool);
    CHECK_PTR(future, NULL);
    /* and one of the child's own is like any other */
    CHECK_OK(iso_loop_run_in_executor(loop, NULL, do_nothing, NULL, &future));
    CHECK_OK(kit_run_release(k, loop, future));
    CHECK_OK(iso_loop_getaddrinfo(loop, "localhost", "80", NULL, &future));
    CHECK_OK(kit_run_release(k, loop, future));
    iso_loop_release(loop);
    kit_forget_loop(k, loop);
}

KIT_TEST(in_a_child_the_parents_executors_are_refused)
{
    iso_loop *loop = kit_loop(k);
    iso_executor *pool = NULL;
    iso_future *future = NULL;

    REQUIRE_OK(iso_thread_pool_executor_new(&pool, NULL));
    REQUIRE_OK(iso_loop_run_in_executor(loop, pool, do_nothing, NULL, &future));
    CHECK_OK(kit_run_release(k, loop, future));
    in_child(k, demand_efork_of_executors, pool);
    REQUIRE_OK(iso_loop_run_in_executor(loop, pool, do_nothing, NULL, &future));
    CHECK_OK(kit_run_release(k, loop, future));
    CHECK_OK(iso_executor_shutdown(pool, true, false));
    iso_executor_release(pool);
}

static void demand_efork_of_work(kit *k, void *arg)
{
    iso_future *future = NULL;
    iso_address address;

    (void)k;
    CHECK_OK(iso_address_parse(&address, "127.0.0.1", 1));
    CHECK_RC(iso_loop_run_in_executor(arg, NULL, do_nothing, NULL, &future), ISO_EFORKED);
    CHECK_RC(iso_loop_shutdown_default_executor(arg, 0, &future), ISO_EFORKED);
    CHECK_RC(iso_loop_getaddrinfo(arg, "localhost", NULL, NULL, &future), ISO_EFORKED);
    CHECK_RC(iso_loop_getnameinfo(arg, &address, 0, &future), ISO_EFORKED);
    CHECK_PTR(future, NULL);
}

KIT_TEST(in_a_child_work_of_the_parents_loop_is_refused)
{
    iso_loop *loop = kit_loop(k);

    in_child(k, demand_efork_of_work, loop);
}

static const kit_case cases[] = {
    KIT_CASE(in_a_child_scheduling_and_running_are_refused),
    KIT_CASE(in_a_child_io_on_the_parents_loop_is_refused),
    KIT_CASE(in_a_child_the_parents_futures_are_refused),
    KIT_CASE(in_a_child_the_parents_transports_and_servers_are_refused),
    KIT_CASE(in_a_thread_of_a_child_the_parents_loop_is_refused_too),
    KIT_CASE(in_a_child_of_a_callback_no_loop_is_running),
    KIT_CASE(in_a_child_of_a_callback_a_loop_of_ones_own_runs),
    KIT_CASE(releasing_a_loop_in_a_child_leaves_the_parents_registrations),
    KIT_CASE(closing_a_loop_in_a_child_leaves_the_parents_registrations),
    KIT_CASE(a_loop_of_the_childs_own_leaves_the_parents_registrations),
    KIT_CASE(releasing_the_objects_in_a_child_leaves_the_parents),
    KIT_CASE(a_child_makes_and_runs_a_loop_of_its_own),
    KIT_CASE(a_child_gets_a_loop_by_itself),
    KIT_CASE(a_child_of_another_thread_gets_a_loop_by_itself),
    KIT_CASE(a_child_replaces_the_current_loop_of_its_parent),
    KIT_CASE(a_grandchild_has_neither_loop),
    KIT_CASE(a_parent_that_forks_often_keeps_its_loop),
    KIT_CASE(in_a_child_the_parents_executors_are_refused),
    KIT_CASE(in_a_child_work_of_the_parents_loop_is_refused),
};

KIT_MAIN(cases)
