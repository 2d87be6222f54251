/* SPDX-License-Identifier: MIT */
/* What the stand-in for kqueue promises, sentence by sentence. Source: kqueue(2) of macOS and
 * FreeBSD. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <sys/event.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(expression)                                                                          \
    do {                                                                                           \
        if (!(expression)) {                                                                       \
            (void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #expression);                 \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

enum {
    LONG = 10000,  /* ms; only a failure takes as long */
    WATCHDOG = 120 /* s */
};

#define MS INT64_C(1000000)
#define NOBODY 999999999 /* a descriptor and a process that are not there */

/* ---- the kit ---- */

static int kq;
static char a, b; /* tokens */

static int64_t now(void)
{
    struct timespec time;

    CHECK(clock_gettime(CLOCK_MONOTONIC, &time) == 0);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static struct kevent change_of(int ident, int filter, int flags, unsigned fflags, intptr_t data,
                               void *udata)
{
    struct kevent change;

    EV_SET(&change, ident, filter, flags, fflags, data, udata);
    return change;
}

/* Apply one change. Returns 0 or an errno. */
static int set_more(int ident, int filter, int flags, unsigned fflags, intptr_t data, void *udata)
{
    struct kevent change = change_of(ident, filter, flags, fflags, data, udata);
    int result = kevent(kq, &change, 1, NULL, 0, NULL);

    CHECK(result == 0 || result == -1);
    return result == 0 ? 0 : errno;
}

static int set(int ident, int filter, int flags)
{
    return set_more(ident, filter, flags, 0, 0, &a);
}

static int take(struct kevent *events, int max, int64_t milliseconds)
{
    struct timespec timeout = { milliseconds / 1000, milliseconds % 1000 * MS };

    return kevent(kq, NULL, 0, events, max, &timeout);
}

/* Wait for exactly one event. */
static struct kevent take_one(void)
{
    struct kevent events[4];

    CHECK(take(events, 4, LONG) == 1);
    return events[0];
}

static bool is_silent(void)
{
    struct kevent event;

    return take(&event, 1, 0) == 0;
}

/* Whether the queue's own descriptor says that there is something to take. */
static bool is_queue_readable(void)
{
    struct pollfd it = { kq, POLLIN, 0 };

    return poll(&it, 1, 0) == 1;
}

static void put(int fd, const char *text)
{
    CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

static void drain(int fd)
{
    char data[4096];
    ssize_t count;

    do {
        count = read(fd, data, sizeof(data));
    } while (count > 0);
    CHECK(count == 0 || errno == EAGAIN);
}

static void fill(int fd)
{
    char data[4096] = { 0 };
    ssize_t count;

    do {
        count = write(fd, data, sizeof(data));
    } while (count > 0);
    CHECK(errno == EAGAIN);
}

static void open_pipe(int ends[2])
{
    CHECK(pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0);
}

static void open_pair(int ends[2])
{
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
}

static void close_both(const int ends[2])
{
    CHECK(close(ends[0]) == 0);
    CHECK(close(ends[1]) == 0);
}

static int open_tcp(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    CHECK(fd >= 0);
    return fd;
}

/* Bind to a free loopback port, told in *address. */
static int open_bound(struct sockaddr_in *address)
{
    int fd = open_tcp();
    socklen_t size = sizeof(*address);

    memset(address, 0, sizeof(*address));
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(fd, (struct sockaddr *)address, size) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)address, &size) == 0);
    return fd;
}

static void wait_until_readable(int fd)
{
    struct pollfd it = { fd, POLLIN, 0 };

    CHECK(poll(&it, 1, LONG) == 1);
}

/* [0] connected, [1] accepted. */
static void open_connection(int ends[2])
{
    struct sockaddr_in address;
    int listener = open_bound(&address);

    CHECK(listen(listener, 1) == 0);
    ends[0] = open_tcp();
    CHECK(connect(ends[0], (struct sockaddr *)&address, sizeof(address)) == 0 ||
          errno == EINPROGRESS);
    wait_until_readable(listener);
    ends[1] = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    CHECK(ends[1] >= 0);
    CHECK(close(listener) == 0);
}

static void close_with_reset(int fd)
{
    struct linger linger = { 1, 0 };

    CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) == 0);
    CHECK(close(fd) == 0);
}

static int error_of(int fd)
{
    int error = 0;
    socklen_t size = sizeof(error);

    CHECK(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0);
    return error;
}

/* ---- level-triggered by default ---- */

static void an_event_is_told_for_as_long_as_it_holds(void)
{
    int ends[2];
    struct kevent event;

    open_pipe(ends);
    CHECK(set(ends[0], EVFILT_READ, EV_ADD) == 0);
    CHECK(is_silent());
    put(ends[1], "abc");
    event = take_one();
    CHECK(event.ident == (uintptr_t)ends[0]);
    CHECK(event.filter == EVFILT_READ);
    CHECK(event.data == 3);
    CHECK(event.udata == &a);
    CHECK((event.flags & (EV_EOF | EV_ERROR)) == 0);
    put(ends[1], "d");
    CHECK(take_one().data == 4);
    drain(ends[0]);
    CHECK(is_silent());
    close_both(ends);
}

static void what_held_before_it_was_added_is_told(void)
{
    int ends[2];

    open_pipe(ends);
    put(ends[1], "abc");
    CHECK(set(ends[0], EVFILT_READ, EV_ADD) == 0);
    CHECK(take_one().data == 3);
    close_both(ends);
}

static void what_no_longer_holds_when_it_is_taken_is_not_told(void)
{
    int ends[2];

    open_pipe(ends);
    CHECK(set(ends[0], EVFILT_READ, EV_ADD) == 0);
    put(ends[1], "abc");
    drain(ends[0]);
    CHECK(is_silent());
    close_both(ends);
}

static void write_is_told_while_there_is_room(void)
{
    int ends[2];
    struct kevent event;

    open_pair(ends);
    CHECK(set(ends[0], EVFILT_WRITE, EV_ADD) == 0);
    event = take_one();
    CHECK(event.filter == EVFILT_WRITE);
    CHECK(event.data > 0);
    fill(ends[0]);
    CHECK(is_silent());
    drain(ends[1]);
    CHECK(take_one().filter == EVFILT_WRITE);
    close_both(ends);
}

static void the_room_of_a_pipe_is_its_free_bytes(void)
{
    int ends[2];
    intptr_t size;

    open_pipe(ends);
    CHECK(set(ends[1], EVFILT_WRITE, EV_ADD) == 0);
    size = take_one().data;
    CHECK(size == fcntl(ends[1], F_GETPIPE_SZ));
    put(ends[1], "abc");
    CHECK(take_one().data == size - 3);
    close_both(ends);
}

static void read_and_write_of_one_descriptor_are_two_events(void)
{
    int ends[2];
    struct kevent events[4];

    open_pair(ends);
    put(ends[1], "abc");
    CHECK(set_more(ends[0], EVFILT_READ, EV_ADD, 0, 0, &a) == 0);
    CHECK(set_more(ends[0], EVFILT_WRITE, EV_ADD, 0, 0, &b) == 0);
    CHECK(take(events, 4, LONG) == 2);
    CHECK(events[0].filter != events[1].filter);
    CHECK(events[0].udata == (events[0].filter == EVFILT_READ ? &a : &b));
    CHECK(events[1].udata == (events[1].filter == EVFILT_READ ? &a : &b));
    CHECK(set(ends[0], EVFILT_WRITE, EV_DELETE) == 0);
    CHECK(take_one().filter == EVFILT_READ);
    CHECK(set(ends[0], EVFILT_READ, EV_DELETE) == 0);
    CHECK(is_silent());
    close_both(ends);
}

static void adding_again_replaces(void)
{
    int ends[2];

    open_pipe(ends);
    put(ends[1], "abc");
    CHECK(set_more(ends[0], EVFILT_READ, EV_ADD, 0, 0, &a) == 0);
    CHECK(set_more(ends[0], EVFILT_READ, EV_ADD, 0, 0, &b) == 0);
    CHECK(take_one().udata == &b);
    CHECK(set(ends[0], EVFILT_READ, EV_DELETE) == 0);
    CHECK(set(ends[0], EVFILT_READ, EV_DELETE) == ENOENT);
    close_both(ends);
}

/* ---- one event after the other, when there is little room ---- */

static void neither_filter_starves_the_other(void)
{
    int ends[2];
    struct kevent first;
    struct kevent second;

    open_pair(ends);
    put(ends[1], "abc");
    CHECK(set(ends[0], EVFILT_READ, EV_ADD) == 0);
    CHECK(set(ends[0], EVFILT_WRITE, EV_ADD) == 0);
    CHECK(take(&first, 1, LONG) == 1);
    CHECK(take(&second, 1, LONG) == 1);
    CHECK(first.filter != second.filter);
    close_both(ends);
}

static void no_descriptor_starves_the_others(void)
{
    enum { COUNT = 3 };
    int ends[COUNT][2];
    bool seen[COUNT] = { false };
    struct kevent event;
    int at;

    for (at = 0; at < COUNT; at++) {
        open_pipe(ends[at]);
        put(ends[at][1], "abc");
        CHECK(set_more(ends[at][0], EVFILT_READ, EV_ADD, 0, 0, &seen[at]) == 0);
    }
    for (at = 0; at < COUNT; at++) {
        CHECK(take(&event, 1, LONG) == 1);
        *(bool *)event.udata = true;
    }
    for (at = 0; at < COUNT; at++) {
        CHECK(seen[at]);
        close_both(ends[at]);
    }
}

static void what_there_was_no_room_for_comes_next(void)
{
    int ends[2][2];
    struct kevent events[2];
    int count[2] = { 0 };
    int at;

    for (at = 0; at < 2; at++) {
        open_pair(ends[at]);
        put(ends[at][1], "abc");
        CHECK(set_more(ends[at][0], EVFILT_READ, EV_ADD, 0, 0, &count[at]) == 0);
        CHECK(set_more(ends[at][0], EVFILT_WRITE, EV_ADD, 0, 0, &count[at]) == 0);
    }
    for (at = 0; at < 2; at++) {
        CHECK(take(events, 2, LONG) == 2);
        ++*(int *)events[0].udata;
        ++*(int *)events[1].udata;
    }
    CHECK(count[0] == 2 && count[1] == 2);
    for (at = 0; at < 2; at++) close_both(ends[at]);
}

static void as_many_as_there_is_room_for_come_at_once(void)
{
    enum { COUNT = 150 };
    static int ends[COUNT][2];
    static struct kevent events[COUNT];
    int at;

    for (at = 0; at < COUNT; at++) {
        open_pipe(ends[at]);
        put(ends[at][1], "abc");
        CHECK(set(ends[at][0], EVFILT_READ, EV_ADD) == 0);
    }
    CHECK(take(events, COUNT, LONG) == COUNT);
    CHECK(take(events, COUNT - 1, LONG) == COUNT - 1);
    for (at = 0; at < COUNT; at++) close_both(ends[at]);
}

/* ---- behaviours ---- */

static void a_oneshot_event_is_deleted_when_it_was_told(void)
{
    int ends[2];

    open_pipe(ends);
    put(ends[1], "abc");
    CHECK(set(ends[0], EVFILT_READ, EV_ADD | EV_ONESHOT) == 0);
    CHECK((take_one().flags & EV_ONESHOT) != 0);
    CHECK(is_silent());
    CHECK(set(ends[0], EVFILT_READ, EV_DELETE) == ENOENT);
    close_both(ends);
}

static void a_oneshot_event_leaves_its_neighbour_alone(void)
{
    int ends[2];
    struct kevent events[4];

    open_pair(ends);
    put(ends[1], "abc");
    CHECK(set(ends[0], EVFILT_READ, EV_ADD) == 0);
    CHECK(set(ends[0], EVFILT_WRITE, EV_ADD | EV_ONESHOT) == 0);
    CHECK(take(events, 4, LONG) == 2);
    CHECK(take_one().filter == EVFILT_READ);
    drain(ends[0]);
    CHECK(is_silent());
    put(ends[1], "abc");
    CHECK(take_one().filter == EVFILT_READ);
    close_both(ends);
}

static void a_clear_event_is_told_when_something_comes(void)
{
    int ends[2];

    open_pair(ends);
    put(ends[1], "abc");
    CHECK(set(ends[0], EVFILT_READ, EV_ADD | EV_CLEAR) == 0);
    CHECK(take_one().data == 3);
    CHECK(is_silent()); /* though it was not read */
    put(ends[1], "d");
    CHECK(take_one().data == 4);
    CHECK(is_silent());
    drain(ends[0]);
    put(ends[1], "efgh"); /* as many as were told before */
    CHECK(take_one().data == 4);
    CHECK(is_silent());
    close_both(ends);
}

static void a_clear_write_event_is_told_when_there_is_room_again(void)
{
    int ends[2];

    open_pair(ends);
    CHECK(set(ends[0], EVFILT_WRITE, EV_ADD | EV_CLEAR) == 0);
    CHECK(take_one().filter == EVFILT_WRITE);
    CHECK(is_silent());
    fill(ends[0]);
    CHECK(is_silent());
    drain(ends[1]);
    CHECK(take_one().filter == EVFILT_WRITE);
    close_both(ends);
}

static void a_dispatch_event_is_disabled_when_it_was_told(void)
{
    int ends[2];

    open_pipe(ends);
    put(ends[1], "abc");
    CHECK(set(ends[0], EVFILT_READ, EV_ADD | EV_DISPATCH) == 0);
    CHECK(take_one().data == 3);
    CHECK(is_silent());
    put(ends[1], "d");
    CHECK(is_silent());
    CHECK(set(ends[0], EVFILT_READ, EV_ENABLE) == 0);
    CHECK(take_one().data == 4);
    CHECK(is_silent());
    CHECK(set(ends[0], EVFILT_READ, EV_DELETE) == 0); /* it is there */
    close_both(ends);
}

static void a_disabled_event_is_not_told(void)
{
    int ends[2];

    open_pipe(ends);
    put(ends[1], "abc");
    CHECK(set(ends[0], EVFILT_READ, EV_ADD) == 0);
    CHECK(set(ends[0], EVFILT_READ, EV_DISABLE) == 0);
    CHECK(is_silent());
    CHECK(!is_queue_readable());
    CHECK(set(ends[0], EVFILT_READ, EV_ENABLE) == 0);
    CHECK(take_one().data == 3);
    close_both(ends);
}

static void an_event_can_be_added_disabled(void)
{
    int ends[2];

    open_pipe(ends);
    put(ends[1], "abc");
    CHECK(set(ends[0], EVFILT_READ, EV_ADD | EV_DISABLE) == 0);
    CHECK(is_silent());
    CHECK(set(ends[0], EVFILT_READ, EV_ADD) == 0); /* "implies enable" */
    CHECK(take_one().data == 3);
    close_both(ends);
}

static void a_disabled_descriptor_that_ends_keeps_nobody_awake(void)
{
    int ends[2];

    open_pipe(ends);
    CHECK(set(ends[0], EVFILT_READ, EV_ADD | EV_DISABLE) == 0);
    CHECK(close(ends[1]) == 0);
    CHECK(is_silent());
    CHECK(!is_queue_readable());
    CHECK(set(ends[0], EVFILT_READ, EV_ENABLE) == 0);
    CHECK((take_one().flags & EV_EOF) != 0);
    CHECK(close(ends[0]) == 0);
}

/* ---- receipts and errors ---- */

static void a_receipt_is_an_error_of_0_and_takes_no_event(void)
{
    int ends[2];
    struct kevent changes[2];
    struct kevent events[4];

    open_pair(ends);
    put(ends[1], "abc");
    changes[0] = change_of(ends[0], EVFILT_READ, EV_ADD | EV_RECEIPT, 0, 0, &a);
    changes[1] = change_of(ends[0], EVFILT_WRITE, EV_ADD | EV_RECEIPT, 0, 0, &b);
    CHECK(kevent(kq, changes, 2, events, 4, NULL) == 2);
    CHECK((events[0].flags & EV_ERROR) != 0 && events[0].data == 0);
    CHECK((events[1].flags & EV_ERROR) != 0 && events[1].data == 0);
    CHECK(events[0].ident == (uintptr_t)ends[0] && events[0].filter == EVFILT_READ);
    CHECK(events[1].udata == &b && events[1].filter == EVFILT_WRITE);
    CHECK(take(events, 4, LONG) == 2);
    close_both(ends);
}

static void each_change_has_its_own_receipt(void)
{
    int ends[2];
    struct kevent list[3]; /* "the same array may be used" */

    open_pipe(ends);
    put(ends[1], "abc");
    list[0] = change_of(ends[0], EVFILT_WRITE, EV_DELETE | EV_RECEIPT, 0, 0, NULL);
    list[1] = change_of(ends[0], EVFILT_READ, EV_ADD | EV_RECEIPT, 0, 0, &a);
    list[2] = change_of(NOBODY, EVFILT_READ, EV_ADD, 0, 0, &b);
    CHECK(kevent(kq, list, 3, list, 3, NULL) == 3);
    CHECK((list[0].flags & EV_ERROR) != 0 && list[0].data == ENOENT);
    CHECK((list[1].flags & EV_ERROR) != 0 && list[1].data == 0);
    CHECK((list[2].flags & EV_ERROR) != 0 && list[2].data == EBADF);
    CHECK(take_one().data == 3);
    close_both(ends);
}

static void an_error_without_room_ends_the_call(void)
{
    int ends[2];
    struct kevent changes[2];

    open_pipe(ends);
    put(ends[1], "abc");
    changes[0] = change_of(ends[0], EVFILT_WRITE, EV_DELETE, 0, 0, NULL);
    changes[1] = change_of(ends[0], EVFILT_READ, EV_ADD, 0, 0, &a);
    CHECK(kevent(kq, changes, 2, NULL, 0, NULL) == -1);
    CHECK(errno == ENOENT);
    CHECK(is_silent()); /* what came after it was not applied */
    close_both(ends);
}

static void a_receipt_without_room_ends_the_changes(void)
{
    int ends[2];
    struct kevent changes[2];

    open_pipe(ends);
    changes[0] = change_of(ends[0], EVFILT_READ, EV_ADD | EV_RECEIPT, 0, 0, &a);
    changes[1] = change_of(ends[1], EVFILT_WRITE, EV_ADD, 0, 0, &a);
    CHECK(kevent(kq, changes, 2, NULL, 0, NULL) == 0);
    CHECK(set(ends[0], EVFILT_READ, EV_DELETE) == 0);
    CHECK(set(ends[1], EVFILT_WRITE, EV_DELETE) == ENOENT);
    close_both(ends);
}

static void changes_are_applied_before_events_are_taken(void)
{
    int ends[2];
    struct kevent change;
    struct kevent event;

    open_pipe(ends);
    put(ends[1], "abc");
    change = change_of(ends[0], EVFILT_READ, EV_ADD, 0, 0, &a);
    CHECK(kevent(kq, &change, 1, &event, 1, NULL) == 1);
    CHECK((event.flags & EV_ERROR) == 0 && event.data == 3);
    close_both(ends);
}

static void what_is_not_there_can_not_be_changed(void)
{
    int ends[2];

    open_pipe(ends);
    CHECK(set(ends[0], EVFILT_READ, EV_DELETE) == ENOENT);
    CHECK(set(ends[0], EVFILT_READ, EV_ENABLE) == ENOENT);
    CHECK(set(ends[0], EVFILT_READ, EV_DISABLE) == ENOENT);
    CHECK(set(ends[0], EVFILT_READ, EV_ADD) == 0);
    CHECK(set(ends[0], EVFILT_WRITE, EV_DELETE) == ENOENT);
    CHECK(set(1, EVFILT_TIMER, EV_DELETE) == ENOENT);
    CHECK(set(1, EVFILT_USER, EV_ENABLE) == ENOENT);
    CHECK(set(SIGUSR1, EVFILT_SIGNAL, EV_DELETE) == ENOENT);
    CHECK(set(getpid(), EVFILT_PROC, EV_DELETE) == ENOENT);
    close_both(ends);
}

static void a_closed_descriptor_is_refused(void)
{
    int ends[2];

    open_pipe(ends);
    close_both(ends);
    CHECK(set(ends[0], EVFILT_READ, EV_ADD) == EBADF);
    CHECK(set(ends[1], EVFILT_WRITE, EV_ADD) == EBADF);
    CHECK(set(ends[0], EVFILT_READ, EV_DELETE) == EBADF);
    CHECK(set(-1, EVFILT_READ, EV_ADD) == EBADF);
}

static void what_is_no_queue_is_refused(void)
{
    int ends[2];
    struct timespec zero = { 0, 0 };
    struct kevent event;
    int other = kqueue();

    open_pipe(ends);
    CHECK(other >= 0);
    CHECK(close(other) == 0);
    CHECK(kevent(other, NULL, 0, &event, 1, &zero) == -1 && errno == EBADF);
    CHECK(kevent(ends[0], NULL, 0, &event, 1, &zero) == -1 && errno == EBADF);
    CHECK(kevent(-1, NULL, 0, &event, 1, &zero) == -1 && errno == EBADF);
    close_both(ends);
}

static void what_is_not_valid_is_refused(void)
{
    struct kevent event = change_of(0, EVFILT_USER, EV_ADD, 0, 0, NULL);
    struct timespec negative = { -1, 0 };
    struct timespec too_many = { 0, 1000000000 };

    CHECK(set(0, -99, EV_ADD) == EINVAL);
    CHECK(set(0, 0, EV_ADD) == EINVAL);
    CHECK(kevent(kq, &event, -1, NULL, 0, NULL) == -1 && errno == EINVAL);
    CHECK(kevent(kq, NULL, 0, &event, -1, NULL) == -1 && errno == EINVAL);
    CHECK(kevent(kq, NULL, 0, &event, 1, &negative) == -1 && errno == EINVAL);
    CHECK(kevent(kq, NULL, 0, &event, 1, &too_many) == -1 && errno == EINVAL);
}

/* ---- the end of pipes and sockets ---- */

static void a_pipe_without_a_writer_has_ended(void)
{
    int ends[2];
    struct kevent event;

    open_pipe(ends);
    CHECK(set(ends[0], EVFILT_READ, EV_ADD) == 0);
    put(ends[1], "abc");
    CHECK(close(ends[1]) == 0);
    event = take_one();
    CHECK((event.flags & EV_EOF) != 0);
    CHECK(event.fflags == 0);
    CHECK(event.data == 3); /* there may be data still */
    drain(ends[0]);
    event = take_one();
    CHECK((event.flags & EV_EOF) != 0 && event.data == 0);
    CHECK(close(ends[0]) == 0);
}

static void a_pipe_without_a_reader_has_ended(void)
{
    int ends[2];

    open_pipe(ends);
    fill(ends[1]);
    CHECK(set(ends[1], EVFILT_WRITE, EV_ADD) == 0);
    CHECK(set(ends[1], EVFILT_READ, EV_ADD) == 0); /* of a write end: only its end is told */
    CHECK(is_silent());
    CHECK(close(ends[0]) == 0);
    CHECK(set(ends[1], EVFILT_WRITE, EV_DISABLE) == 0);
    CHECK((take_one().flags & EV_EOF) != 0);
    CHECK(set(ends[1], EVFILT_WRITE, EV_ENABLE) == 0);
    CHECK(set(ends[1], EVFILT_READ, EV_DELETE) == 0);
    CHECK((take_one().flags & EV_EOF) != 0);
    CHECK(close(ends[1]) == 0);
}

static void a_pipe_that_lost_its_reader_before_is_refused(void)
{
    int ends[2];

    open_pipe(ends);
    CHECK(close(ends[0]) == 0);
    CHECK(set(ends[1], EVFILT_WRITE, EV_ADD) == EPIPE);
    CHECK(set(ends[1], EVFILT_WRITE, EV_DELETE) == ENOENT);
    CHECK(close(ends[1]) == 0);
}

static void half_a_close_ends_what_comes_in_only(void (*open_ends)(int ends[2]))
{
    int ends[2];
    struct kevent event;

    open_ends(ends);
    CHECK(set(ends[0], EVFILT_READ, EV_ADD) == 0);
    put(ends[1], "abc");
    CHECK(shutdown(ends[1], SHUT_WR) == 0);
    do { /* the data and the end can come apart */
        event = take_one();
    } while ((event.flags & EV_EOF) == 0);
    CHECK(event.fflags == 0 && event.data == 3);
    CHECK(set(ends[0], EVFILT_READ, EV_DELETE) == 0);
    CHECK(set(ends[0], EVFILT_WRITE, EV_ADD) == 0);
    event = take_one();
    CHECK((event.flags & EV_EOF) == 0 && event.data > 0);
    CHECK(set(ends[1], EVFILT_WRITE, EV_ADD) == 0); /* the one that said so can't write */
    CHECK(set(ends[0], EVFILT_WRITE, EV_DELETE) == 0);
    CHECK((take_one().flags & EV_EOF) != 0);
    close_both(ends);
}

static void half_a_close_of_a_socket_pair(void)
{
    half_a_close_ends_what_comes_in_only(open_pair);
}

static void half_a_close_of_a_connection(void)
{
    half_a_close_ends_what_comes_in_only(open_connection);
}

static void a_closed_socket_pair_has_ended_both_ways(void)
{
    int ends[2];
    struct kevent events[4];

    open_pair(ends);
    CHECK(set(ends[0], EVFILT_READ, EV_ADD) == 0);
    CHECK(set(ends[0], EVFILT_WRITE, EV_ADD) == 0);
    CHECK(close(ends[1]) == 0);
    CHECK(take(events, 4, LONG) == 2);
    CHECK((events[0].flags & EV_EOF) != 0 && events[0].fflags == 0);
    CHECK((events[1].flags & EV_EOF) != 0 && events[1].fflags == 0);
    CHECK(close(ends[0]) == 0);
}

static void a_reset_is_told_with_its_error(void)
{
    int ends[2];
    struct kevent event;

    open_connection(ends);
    CHECK(set(ends[1], EVFILT_READ, EV_ADD) == 0);
    close_with_reset(ends[0]);
    event = take_one();
    CHECK((event.flags & EV_EOF) != 0 && event.fflags == ECONNRESET);
    CHECK(set(ends[1], EVFILT_READ, EV_DELETE) == 0);
    CHECK(set(ends[1], EVFILT_WRITE, EV_ADD) == 0);
    event = take_one();
    CHECK((event.flags & EV_EOF) != 0 && event.fflags == ECONNRESET);
    CHECK(error_of(ends[1]) == ECONNRESET); /* and is there still for the program */
    event = take_one();
    CHECK((event.flags & EV_EOF) != 0 && event.fflags == 0);
    CHECK(close(ends[1]) == 0);
}

static void a_refused_connection_is_told_with_its_error(void)
{
    struct sockaddr_in address;
    int deaf = open_bound(&address);
    int fd = open_tcp();
    struct kevent event;

    CHECK(connect(fd, (struct sockaddr *)&address, sizeof(address)) == -1);
    CHECK(errno == EINPROGRESS);
    CHECK(set(fd, EVFILT_WRITE, EV_ADD) == 0);
    event = take_one();
    CHECK((event.flags & EV_EOF) != 0 && event.fflags == ECONNREFUSED);
    CHECK(error_of(fd) == ECONNREFUSED);
    CHECK(close(fd) == 0);
    CHECK(close(deaf) == 0);
}

static void a_socket_is_silent_until_it_is_connected(void)
{
    struct sockaddr_in address;
    int listener = open_bound(&address);
    int fd = open_tcp();

    CHECK(listen(listener, 1) == 0);
    CHECK(set(fd, EVFILT_READ, EV_ADD) == 0);
    CHECK(set(fd, EVFILT_WRITE, EV_ADD) == 0);
    CHECK(is_silent());
    CHECK(!is_queue_readable());
    CHECK(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 || errno == EINPROGRESS);
    CHECK(take_one().filter == EVFILT_WRITE);
    CHECK(close(fd) == 0);
    CHECK(close(listener) == 0);
}

static void a_listener_tells_how_many_wait(void)
{
    struct sockaddr_in address;
    int listener = open_bound(&address);
    int clients[2];
    int at;

    CHECK(listen(listener, 5) == 0);
    CHECK(set(listener, EVFILT_READ, EV_ADD) == 0);
    CHECK(is_silent());
    for (at = 0; at < 2; at++) {
        clients[at] = open_tcp();
        CHECK(connect(clients[at], (struct sockaddr *)&address, sizeof(address)) == 0 ||
              errno == EINPROGRESS);
    }
    while (take_one().data < 2) {} /* they can come apart */
    close_both(clients);
    CHECK(close(listener) == 0);
}

static void a_datagram_socket_tells_its_datagrams(void)
{
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    char data[8];

    memset(&address, 0, sizeof(address));
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(fd, (struct sockaddr *)&address, size) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&address, &size) == 0);
    CHECK(set(fd, EVFILT_READ, EV_ADD) == 0);
    CHECK(is_silent());
    CHECK(sendto(fd, "abc", 3, 0, (struct sockaddr *)&address, size) == 3);
    CHECK(take_one().data == 3);
    CHECK(recv(fd, data, sizeof(data), 0) == 3);
    CHECK(sendto(fd, "", 0, 0, (struct sockaddr *)&address, size) == 0);
    CHECK(take_one().data == 0); /* an empty one is one, too */
    CHECK(recv(fd, data, sizeof(data), 0) == 0);
    CHECK(is_silent());
    CHECK(set(fd, EVFILT_WRITE, EV_ADD) == 0);
    CHECK(take_one().filter == EVFILT_WRITE);
    CHECK(close(fd) == 0);
}

/* ---- close ---- */

static void closing_a_descriptor_removes_its_events(void)
{
    int ends[2];

    open_pair(ends);
    put(ends[1], "abc");
    CHECK(set(ends[0], EVFILT_READ, EV_ADD) == 0);
    CHECK(set(ends[0], EVFILT_WRITE, EV_ADD) == 0);
    CHECK(close(ends[0]) == 0);
    CHECK(!is_queue_readable());
    CHECK(is_silent());
    CHECK(set(ends[0], EVFILT_READ, EV_DELETE) == EBADF);
    CHECK(close(ends[1]) == 0);
}

static void a_duplicate_does_not_keep_the_events_of_a_closed_one(void)
{
    int ends[2];
    int twin;
    int64_t begin;
    struct kevent event;

    open_pipe(ends);
    CHECK(set(ends[0], EVFILT_READ, EV_ADD) == 0);
    twin = dup(ends[0]);
    CHECK(twin >= 0);
    CHECK(close(ends[0]) == 0);
    put(ends[1], "abc");
    begin = now();
    CHECK(take(&event, 1, 10) == 0);
    CHECK(now() - begin >= 10 * MS);
    CHECK(!is_queue_readable());
    CHECK(set(twin, EVFILT_READ, EV_ADD) == 0);
    CHECK(take_one().ident == (uintptr_t)twin);
    put(ends[1], "d"); /* the old registration hears of it, and is ignored */
    CHECK(take_one().ident == (uintptr_t)twin);
    CHECK(dup2(twin, ends[0]) == ends[0]);
    CHECK(set(ends[0], EVFILT_READ, EV_DELETE) == ENOENT);
    CHECK(set(ends[0], EVFILT_READ, EV_ADD) == 0);
    CHECK(set(twin, EVFILT_READ, EV_DELETE) == 0);
    CHECK(take_one().ident == (uintptr_t)ends[0]);
    CHECK(close(twin) == 0);
    CHECK(take_one().ident == (uintptr_t)ends[0]);
    close_both(ends);
}

static void a_number_that_is_used_again_begins_anew(void)
{
    int old[2];
    int ends[2];

    open_pair(old);
    CHECK(set_more(old[0], EVFILT_READ, EV_ADD, 0, 0, &a) == 0);
    CHECK(set_more(old[0], EVFILT_WRITE, EV_ADD, 0, 0, &a) == 0);
    open_pipe(ends);
    CHECK(dup2(ends[0], old[0]) == old[0]); /* closes it, and takes its number */
    CHECK(close(ends[0]) == 0);
    put(ends[1], "abc");
    CHECK(is_silent());
    CHECK(set(old[0], EVFILT_READ, EV_DELETE) == ENOENT);
    CHECK(set_more(old[0], EVFILT_READ, EV_ADD, 0, 0, &b) == 0);
    CHECK(take_one().udata == &b);
    CHECK(set(old[0], EVFILT_WRITE, EV_DELETE) == ENOENT);
    close_both(old);
    CHECK(close(ends[1]) == 0);
}

static void a_helper_can_take_the_number_of_a_closed_descriptor(void)
{
    int ends[2];

    open_pipe(ends);
    CHECK(set(ends[0], EVFILT_READ, EV_ADD) == 0);
    CHECK(set(ends[1], EVFILT_WRITE, EV_ADD) == 0);
    close_both(ends);
    CHECK(set_more(1, EVFILT_TIMER, EV_ADD, 0, 1, &b) == 0);
    CHECK(take_one().udata == &b);
    CHECK(set(ends[0], EVFILT_READ, EV_ADD) == EBADF);
    CHECK(set(ends[1], EVFILT_READ, EV_ADD) == EBADF);
    CHECK(set(1, EVFILT_TIMER, EV_DELETE) == 0);
}

static void *close_it(void *arg)
{
    CHECK(close(*(int *)arg) == 0);
    return NULL;
}

static void closing_tells_nobody_who_waits(void)
{
    int ends[2];
    pthread_t thread;
    struct kevent event;
    int64_t begin = now();

    open_pipe(ends);
    CHECK(set(ends[0], EVFILT_READ, EV_ADD) == 0);
    CHECK(pthread_create(&thread, NULL, close_it, &ends[0]) == 0);
    CHECK(take(&event, 1, 20) == 0);
    CHECK(now() - begin >= 20 * MS);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(close(ends[1]) == 0);
}

static int count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;

    CHECK(folder != NULL);
    while (readdir(folder) != NULL) count++;
    CHECK(closedir(folder) == 0);
    return count;
}

static void a_closed_queue_leaves_nothing(void)
{
    int before = count_descriptors();
    int saved = kq;
    int filler;

    kq = kqueue();
    CHECK(kq >= 0);
    CHECK(set_more(1, EVFILT_TIMER, EV_ADD, 0, 1000, NULL) == 0);
    CHECK(set(2, EVFILT_USER, EV_ADD) == 0);
    CHECK(set(SIGUSR1, EVFILT_SIGNAL, EV_ADD) == 0);
    CHECK(set_more(getpid(), EVFILT_PROC, EV_ADD, NOTE_EXIT, 0, NULL) == 0);
    CHECK(kqueue_standin_sweep() == 4);
    CHECK(close(kq) == 0);
    filler = dup(saved); /* an epoll too, under the number that the queue had */
    CHECK(filler >= 0);
    kq = kqueue(); /* which sweeps */
    CHECK(count_descriptors() == before + 2);
    CHECK(set(2, EVFILT_USER, EV_ADD) == 0);
    CHECK(close(kq) == 0);
    CHECK(close(filler) == 0);
    kq = saved;
    CHECK(kqueue_standin_sweep() == 0);
    CHECK(count_descriptors() == before);
}

static void a_queue_that_takes_the_number_of_a_closed_one_is_empty(void)
{
    int ends[2];
    int saved = kq;
    int old;

    open_pipe(ends);
    put(ends[1], "abc");
    kq = old = kqueue();
    CHECK(set(ends[0], EVFILT_READ, EV_ADD) == 0);
    CHECK(close(kq) == 0);
    kq = kqueue();
    CHECK(kq == old);
    CHECK(is_silent());
    CHECK(set(ends[0], EVFILT_READ, EV_DELETE) == ENOENT);
    CHECK(close(kq) == 0);
    kq = saved;
    close_both(ends);
}

/* ---- what else a descriptor can be ---- */

static void a_regular_file_is_ready_until_its_end(void)
{
    FILE *file = tmpfile();
    int fd;
    char data[8];

    CHECK(file != NULL);
    fd = fileno(file);
    put(fd, "abc");
    CHECK(set(fd, EVFILT_READ, EV_ADD) == 0);
    CHECK(is_silent());
    CHECK(lseek(fd, 1, SEEK_SET) == 1);
    CHECK(take_one().data == 2);
    CHECK(take_one().data == 2);
    CHECK(read(fd, data, sizeof(data)) == 2);
    CHECK(is_silent());
    CHECK(pwrite(fd, "d", 1, 3) == 1);
    CHECK(take_one().data == 1);
    CHECK(set(fd, EVFILT_WRITE, EV_ADD) == EINVAL);
    CHECK(set(fd, EVFILT_READ, EV_DISABLE) == 0);
    CHECK(is_silent());
    CHECK(set(fd, EVFILT_READ, EV_ENABLE) == 0);
    CHECK(take_one().data == 1);
    CHECK(fclose(file) == 0);
    CHECK(is_silent());
    CHECK(kqueue_standin_sweep() == 0); /* its helper went with it */
}

static void a_number_can_turn_from_a_file_into_a_pipe_and_back(void)
{
    FILE *file = tmpfile();
    int ends[2];
    int fd;

    CHECK(file != NULL);
    put(fileno(file), "abc");
    CHECK(lseek(fileno(file), 0, SEEK_SET) == 0);
    fd = dup(fileno(file));
    open_pipe(ends);
    CHECK(set(fd, EVFILT_READ, EV_ADD) == 0);
    CHECK(dup2(ends[0], fd) == fd);
    CHECK(is_silent());
    CHECK(set(fd, EVFILT_READ, EV_ADD) == 0);
    put(ends[1], "d");
    CHECK(take_one().data == 1);
    CHECK(dup2(fileno(file), fd) == fd);
    CHECK(is_silent());
    CHECK(set(fd, EVFILT_READ, EV_ADD) == 0);
    CHECK(take_one().data == 3);
    CHECK(close(fd) == 0);
    CHECK(fclose(file) == 0);
    close_both(ends);
    CHECK(is_silent());
}

static void a_device_that_can_not_be_waited_for_is_refused(void)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    CHECK(fd >= 0);
    CHECK(set(fd, EVFILT_READ, EV_ADD) == EINVAL);
    CHECK(set(fd, EVFILT_WRITE, EV_ADD) == EINVAL);
    CHECK(close(fd) == 0);
    fd = open("/dev/random", O_RDONLY | O_CLOEXEC); /* epoll would take it */
    CHECK(fd >= 0);
    CHECK(set(fd, EVFILT_READ, EV_ADD) == EINVAL);
    CHECK(close(fd) == 0);
}

static void a_terminal_can_be_waited_for(void)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);

    CHECK(fd >= 0);
    CHECK(set(fd, EVFILT_WRITE, EV_ADD) == 0);
    CHECK(take_one().filter == EVFILT_WRITE);
    CHECK(close(fd) == 0);
}

static void a_queue_is_readable_when_it_has_events(void)
{
    int ends[2];

    open_pair(ends);
    CHECK(!is_queue_readable());
    CHECK(set(ends[0], EVFILT_READ, EV_ADD) == 0);
    CHECK(!is_queue_readable());
    put(ends[1], "abc");
    CHECK(is_queue_readable());
    CHECK(take_one().data == 3);
    CHECK(is_queue_readable()); /* the event holds still */
    drain(ends[0]);
    CHECK(!is_queue_readable());
    CHECK(set(ends[0], EVFILT_WRITE, EV_ADD) == 0);
    CHECK(is_queue_readable());
    CHECK(take_one().filter == EVFILT_WRITE);
    CHECK(set(ends[0], EVFILT_WRITE, EV_DELETE) == 0);
    CHECK(!is_queue_readable());
    close_both(ends);
}

static void a_queue_can_wait_for_a_queue(void)
{
    int inner = kq;
    int outer = kqueue();

    CHECK(set(1, EVFILT_USER, EV_ADD | EV_CLEAR) == 0);
    kq = outer;
    CHECK(set(inner, EVFILT_READ, EV_ADD) == 0);
    CHECK(is_silent());
    kq = inner;
    CHECK(set_more(1, EVFILT_USER, 0, NOTE_TRIGGER, 0, &b) == 0);
    kq = outer;
    CHECK(take_one().ident == (uintptr_t)inner);
    kq = inner;
    CHECK(take_one().udata == &b);
    kq = outer;
    CHECK(is_silent());
    CHECK(close(outer) == 0);
    kq = inner;
    CHECK(set(1, EVFILT_USER, EV_DELETE) == 0);
}

/* ---- EVFILT_USER ---- */

static void a_user_event_happens_when_it_is_triggered(void)
{
    struct kevent event;

    CHECK(set_more(7, EVFILT_USER, EV_ADD, 0, 0, &a) == 0);
    CHECK(is_silent());
    CHECK(set_more(7, EVFILT_USER, 0, NOTE_TRIGGER, 42, &b) == 0);
    event = take_one();
    CHECK(event.ident == 7 && event.filter == EVFILT_USER);
    CHECK(event.data == 42 && event.udata == &b);
    CHECK(take_one().ident == 7); /* without EV_CLEAR it stays */
    CHECK(set_more(7, EVFILT_USER, EV_CLEAR, 0, 0, &b) == 0);
    CHECK(is_silent());
    CHECK(set(7, EVFILT_USER, EV_DELETE) == 0);
}

static void a_user_event_with_clear_happens_once_for_each_take(void)
{
    CHECK(set_more(7, EVFILT_USER, EV_ADD | EV_CLEAR, 0, 0, &a) == 0);
    CHECK(set_more(7, EVFILT_USER, 0, NOTE_TRIGGER, 0, &a) == 0);
    CHECK(set_more(7, EVFILT_USER, 0, NOTE_TRIGGER, 0, &a) == 0);
    CHECK(take_one().ident == 7);
    CHECK(is_silent());
    CHECK(!is_queue_readable());
    CHECK(set(7, EVFILT_USER, EV_ENABLE) == 0);
    CHECK(is_silent());
    CHECK(set(7, EVFILT_USER, EV_DELETE) == 0);
}

static void a_user_event_can_be_added_triggered(void)
{
    CHECK(set_more(7, EVFILT_USER, EV_ADD | EV_ONESHOT, NOTE_TRIGGER, 0, &a) == 0);
    CHECK(take_one().ident == 7);
    CHECK(set(7, EVFILT_USER, EV_DELETE) == ENOENT);
}

static void the_flags_of_a_user_event_are_changed_as_asked(void)
{
    CHECK(set_more(7, EVFILT_USER, EV_ADD, 0x0f, 0, &a) == 0);
    CHECK(set_more(7, EVFILT_USER, 0, NOTE_FFOR | 0xf0, 0, &a) == 0);
    CHECK(set_more(7, EVFILT_USER, 0, NOTE_FFNOP | 0xffff | NOTE_TRIGGER, 0, &a) == 0);
    CHECK(take_one().fflags == 0xff);
    CHECK(set_more(7, EVFILT_USER, 0, NOTE_FFAND | 0x3c, 0, &a) == 0);
    CHECK(take_one().fflags == 0x3c);
    CHECK(set_more(7, EVFILT_USER, 0, NOTE_FFCOPY | 0x123, 0, &a) == 0);
    CHECK(take_one().fflags == 0x123);
    CHECK(set(7, EVFILT_USER, EV_DELETE) == 0);
}

static void *trigger(void *arg)
{
    (void)arg;
    CHECK(set_more(7, EVFILT_USER, 0, NOTE_TRIGGER, 0, &a) == 0);
    return NULL;
}

static void another_thread_can_wake_the_one_that_waits(void)
{
    pthread_t thread;
    struct kevent event;

    CHECK(set_more(7, EVFILT_USER, EV_ADD | EV_CLEAR, 0, 0, &a) == 0);
    CHECK(pthread_create(&thread, NULL, trigger, NULL) == 0);
    CHECK(kevent(kq, NULL, 0, &event, 1, NULL) == 1);
    CHECK(event.ident == 7);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(set(7, EVFILT_USER, EV_DELETE) == 0);
}

/* ---- EVFILT_TIMER ---- */

static void a_timer_is_never_early_and_comes_again(void)
{
    int64_t begin = now();
    intptr_t count = 0;
    struct kevent event;

    CHECK(set_more(7, EVFILT_TIMER, EV_ADD, 0, 5, &a) == 0);
    while (count < 3) {
        event = take_one();
        CHECK(event.ident == 7 && event.filter == EVFILT_TIMER && event.udata == &a);
        CHECK(event.data >= 1);
        count += event.data;
        CHECK(now() - begin >= count * 5 * MS);
    }
    CHECK(set(7, EVFILT_TIMER, EV_DELETE) == 0);
    CHECK(is_silent());
}

static void a_oneshot_timer_comes_once(void)
{
    int64_t begin = now();
    struct kevent event;

    CHECK(set_more(7, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, 5, &a) == 0);
    CHECK(take_one().data == 1);
    CHECK(now() - begin >= 5 * MS);
    CHECK(take(&event, 1, 10) == 0);
    CHECK(set(7, EVFILT_TIMER, EV_DELETE) == ENOENT);
    CHECK(set_more(7, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, 0, &a) == 0);
    CHECK(take_one().data == 1);
}

static void a_timer_counts_in_the_unit_it_is_told(void)
{
    int64_t begin = now();
    struct kevent event;

    CHECK(set_more(1, EVFILT_TIMER, EV_ADD | EV_ONESHOT, NOTE_SECONDS, 1000, &a) == 0);
    CHECK(set_more(2, EVFILT_TIMER, EV_ADD | EV_ONESHOT, NOTE_USECONDS, 3000, &a) == 0);
    CHECK(take_one().ident == 2);
    CHECK(now() - begin >= 3 * MS);
    CHECK(set_more(3, EVFILT_TIMER, EV_ADD | EV_ONESHOT, NOTE_NSECONDS, 1000, &a) == 0);
    CHECK(take_one().ident == 3);
    CHECK(take(&event, 1, 5) == 0);
    CHECK(set(1, EVFILT_TIMER, EV_DELETE) == 0);
}

static void an_absolute_timer_is_of_the_calendar(void)
{
    struct timespec time;

    CHECK(clock_gettime(CLOCK_REALTIME, &time) == 0);
    CHECK(set_more(7, EVFILT_TIMER, EV_ADD, NOTE_SECONDS | NOTE_ABSOLUTE, time.tv_sec - 5, &a) ==
          0);
    CHECK(take_one().ident == 7);                     /* it has passed */
    CHECK(set(7, EVFILT_TIMER, EV_DELETE) == ENOENT); /* and is a oneshot */
    CHECK(set_more(7, EVFILT_TIMER, EV_ADD, NOTE_SECONDS | NOTE_ABSOLUTE, time.tv_sec + 500, &a) ==
          0);
    CHECK(is_silent());
    CHECK(set(7, EVFILT_TIMER, EV_DELETE) == 0);
}

static void a_timer_that_is_added_again_starts_anew(void)
{
    struct kevent event;

    CHECK(set_more(7, EVFILT_TIMER, EV_ADD, 0, 1, &a) == 0);
    CHECK(take_one().ident == 7);
    CHECK(set_more(7, EVFILT_TIMER, EV_ADD, NOTE_SECONDS, 1000, &b) == 0);
    CHECK(take(&event, 1, 5) == 0);
    CHECK(set_more(7, EVFILT_TIMER, EV_ADD, 0, -1, &a) == EINVAL);
    CHECK(set(7, EVFILT_TIMER, EV_DELETE) == 0); /* a refusal left it as it was */
    CHECK(set_more(7, EVFILT_TIMER, EV_ADD, 0, -1, &a) == EINVAL);
    CHECK(set_more(7, EVFILT_TIMER, EV_ADD, NOTE_SECONDS, INTPTR_MAX, &a) == EINVAL);
}

static void a_disabled_timer_counts_on(void)
{
    struct kevent event;

    CHECK(set_more(7, EVFILT_TIMER, EV_ADD | EV_DISABLE, 0, 1, &a) == 0);
    CHECK(take(&event, 1, 5) == 0);
    CHECK(set(7, EVFILT_TIMER, EV_ENABLE) == 0);
    CHECK(take_one().data >= 5);
    CHECK(set(7, EVFILT_TIMER, EV_DELETE) == 0);
}

/* ---- EVFILT_SIGNAL ---- */

static void a_signal_is_told_with_its_count(void)
{
    struct kevent event;

    CHECK(set(SIGUSR1, EVFILT_SIGNAL, EV_ADD) == 0);
    CHECK(is_silent());
    CHECK(kill(getpid(), SIGUSR1) == 0);
    event = take_one();
    CHECK(event.ident == SIGUSR1 && event.filter == EVFILT_SIGNAL && event.data == 1);
    CHECK(is_silent());
    CHECK(kill(getpid(), SIGUSR2) == 0);
    CHECK(is_silent());
    CHECK(set(SIGUSR2, EVFILT_SIGNAL, EV_ADD) == 0); /* it was pending */
    CHECK(take_one().ident == SIGUSR2);
    CHECK(set(SIGUSR1, EVFILT_SIGNAL, EV_DELETE) == 0);
    CHECK(set(SIGUSR2, EVFILT_SIGNAL, EV_DELETE) == 0);
    CHECK(set(0, EVFILT_SIGNAL, EV_ADD) == EINVAL);
    CHECK(set(1000, EVFILT_SIGNAL, EV_ADD) == EINVAL);
}

/* ---- EVFILT_PROC ---- */

/* A child that lives until the end of the pipe is closed, and then does as it is told. */
static pid_t start_child(int hold[2], int code, int signal)
{
    pid_t pid;

    CHECK(pipe2(hold, O_CLOEXEC) == 0);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        char unused;

        (void)close(hold[1]);
        (void)alarm(WATCHDOG);
        while (read(hold[0], &unused, 1) > 0) {}
        if (signal != 0) (void)kill(getpid(), signal);
        _exit(code);
    }
    return pid;
}

static void the_end_of_a_child_is_told_with_its_status(void)
{
    int hold[2];
    int status;
    pid_t pid = start_child(hold, 42, 0);
    struct kevent event;

    CHECK(set_more(pid, EVFILT_PROC, EV_ADD, NOTE_EXIT | NOTE_EXITSTATUS, 0, &b) == 0);
    CHECK(is_silent());
    close_both(hold);
    event = take_one();
    CHECK(event.ident == (uintptr_t)pid && event.filter == EVFILT_PROC && event.udata == &b);
    CHECK(event.fflags == (NOTE_EXIT | NOTE_EXITSTATUS));
    CHECK((event.flags & EV_EOF) != 0);
    CHECK(waitpid(pid, &status, 0) == pid); /* it is there still to be reaped */
    CHECK(event.data == status && WEXITSTATUS(status) == 42);
    CHECK(set(pid, EVFILT_PROC, EV_DELETE) == ENOENT);
}

static void the_end_of_a_child_is_told_through_a_queue_of_its_own(void)
{
    int hold[2];
    int outer = kq;
    int inner = kqueue();
    pid_t pid = start_child(hold, 42, 0);

    kq = inner;
    CHECK(set_more(pid, EVFILT_PROC, EV_ADD, NOTE_EXIT, 0, &b) == 0);
    kq = outer;
    CHECK(set(inner, EVFILT_READ, EV_ADD) == 0);
    CHECK(is_silent());
    close_both(hold);
    CHECK(take_one().ident == (uintptr_t)inner);
    CHECK(take_one().ident == (uintptr_t)inner); /* until somebody takes what is in it */
    CHECK(waitpid(pid, NULL, 0) == pid);
    CHECK(close(inner) == 0);
}

static void a_child_that_was_killed_is_told_so(void)
{
    int hold[2];
    int status;
    pid_t pid = start_child(hold, 0, SIGKILL);
    struct kevent event;

    CHECK(set_more(pid, EVFILT_PROC, EV_ADD, NOTE_EXIT | NOTE_EXITSTATUS, 0, &a) == 0);
    close_both(hold);
    event = take_one();
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(event.data == status && WTERMSIG((int)event.data) == SIGKILL);
}

static void the_status_is_told_to_those_who_ask(void)
{
    int hold[2];
    pid_t pid = start_child(hold, 42, 0);
    struct kevent event;

    CHECK(set_more(pid, EVFILT_PROC, EV_ADD, NOTE_EXIT, 0, &a) == 0);
    close_both(hold);
    event = take_one();
    CHECK(event.fflags == NOTE_EXIT && event.data == 0);
    CHECK(waitpid(pid, NULL, 0) == pid);
}

static void a_process_that_is_not_there_is_refused(void)
{
    int hold[2];
    siginfo_t info;
    pid_t pid = start_child(hold, 0, 0);

    close_both(hold);
    CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0);
    CHECK(set_more(pid, EVFILT_PROC, EV_ADD, NOTE_EXIT, 0, &a) == ESRCH); /* ended */
    CHECK(waitpid(pid, NULL, 0) == pid);
    CHECK(set_more(pid, EVFILT_PROC, EV_ADD, NOTE_EXIT, 0, &a) == ESRCH); /* and reaped */
    CHECK(set_more(NOBODY, EVFILT_PROC, EV_ADD, NOTE_EXIT, 0, &a) == ESRCH);
    CHECK(set_more(-1, EVFILT_PROC, EV_ADD, NOTE_EXIT, 0, &a) == ESRCH);
}

static void only_what_was_asked_of_a_process_is_told(void)
{
    int hold[2];
    siginfo_t info;
    pid_t pid = start_child(hold, 0, 0);

    CHECK(set_more(pid, EVFILT_PROC, EV_ADD, NOTE_FORK | NOTE_EXEC, 0, &a) == 0);
    close_both(hold);
    CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0);
    CHECK(is_silent());
    CHECK(waitpid(pid, NULL, 0) == pid);
    CHECK(set(pid, EVFILT_PROC, EV_DELETE) == 0);
}

/* ---- fork ---- */

static void a_child_has_no_queue(void)
{
    int ends[2];
    int status;
    pid_t pid;

    open_pipe(ends);
    CHECK(set(ends[0], EVFILT_READ, EV_ADD) == 0);
    CHECK(set_more(1, EVFILT_TIMER, EV_ADD, NOTE_SECONDS, 1000, &a) == 0);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        int parents = kq;

        (void)alarm(WATCHDOG);
        CHECK(set(ends[0], EVFILT_READ, EV_DELETE) == EBADF);
        CHECK(fcntl(parents, F_GETFD) == -1);
        CHECK(kqueue_standin_sweep() == 0);
        kq = kqueue();
        CHECK(set(ends[0], EVFILT_READ, EV_ADD) == 0);
        put(ends[1], "abc");
        CHECK(take_one().data == 3);
        drain(ends[0]);
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(is_silent());
    put(ends[1], "abcd");
    CHECK(take_one().data == 4);
    CHECK(set(1, EVFILT_TIMER, EV_DELETE) == 0);
    close_both(ends);
}

/* ---- time ---- */

static void a_wait_never_ends_early(void)
{
    static const long spans[] = { 1, 1000, 1500000, 5000000, 20000000 };
    struct kevent event;
    size_t at;

    for (at = 0; at < sizeof(spans) / sizeof(spans[0]); at++) {
        struct timespec timeout = { 0, spans[at] };
        int64_t begin = now();

        CHECK(kevent(kq, NULL, 0, &event, 1, &timeout) == 0);
        CHECK(now() - begin >= spans[at]);
    }
}

static void what_wakes_in_vain_does_not_end_a_wait(void)
{
    int ends[2];
    struct kevent event;
    int64_t begin = now();

    open_pipe(ends);
    CHECK(set(ends[0], EVFILT_READ, EV_ADD) == 0);
    put(ends[1], "abc");
    drain(ends[0]);
    CHECK(take(&event, 1, 10) == 0);
    CHECK(now() - begin >= 10 * MS);
    close_both(ends);
}

static void a_wait_can_be_as_long_as_one_likes(void)
{
    struct timespec timeout = { INT64_MAX, 999999999 };
    struct kevent event;

    CHECK(set_more(7, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, 1, &a) == 0);
    CHECK(kevent(kq, NULL, 0, &event, 1, &timeout) == 1);
    timeout.tv_sec = 1000000000;
    CHECK(set_more(7, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, 1, &a) == 0);
    CHECK(kevent(kq, NULL, 0, &event, 1, &timeout) == 1);
}

static void without_room_there_is_no_wait(void)
{
    struct timespec timeout = { LONG, 0 };
    int64_t begin = now();

    CHECK(kevent(kq, NULL, 0, NULL, 0, &timeout) == 0);
    CHECK(kevent(kq, NULL, 0, NULL, 0, NULL) == 0);
    CHECK(now() - begin < LONG * MS);
}

static void interrupt(int number)
{
    (void)number;
}

static void a_signal_interrupts_a_wait(void)
{
    struct sigaction action;
    struct sigaction before;
    struct itimerval often = { { 0, 2000 }, { 0, 2000 } };
    struct itimerval never = { { 0, 0 }, { 0, 0 } };
    struct kevent event;

    memset(&action, 0, sizeof(action));
    action.sa_handler = interrupt;
    CHECK(sigaction(SIGALRM, &action, &before) == 0);
    CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
    CHECK(kevent(kq, NULL, 0, &event, 1, NULL) == -1);
    CHECK(errno == EINTR);
    CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
    CHECK(sigaction(SIGALRM, &before, NULL) == 0);
    (void)alarm(WATCHDOG);
}

/* ---- threads ---- */

enum { ROUNDS = 200, TAKERS = 3 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int taken[ROUNDS];

static void *take_until_the_end(void *arg)
{
    (void)arg;
    for (;;) {
        struct kevent event;

        CHECK(kevent(kq, NULL, 0, &event, 1, NULL) == 1);
        if (event.ident == ROUNDS) return NULL; /* without EV_CLEAR: for all of them */
        CHECK(pthread_mutex_lock(&lock) == 0);
        taken[event.ident]++;
        CHECK(pthread_mutex_unlock(&lock) == 0);
    }
}

static void each_oneshot_event_goes_to_one_thread(void)
{
    pthread_t threads[TAKERS];
    int at;

    memset(taken, 0, sizeof(taken));
    for (at = 0; at < TAKERS; at++)
        CHECK(pthread_create(&threads[at], NULL, take_until_the_end, NULL) == 0);
    for (at = 0; at < ROUNDS; at++)
        CHECK(set_more(at, EVFILT_USER, EV_ADD | EV_ONESHOT, NOTE_TRIGGER, 0, NULL) == 0);
    for (at = 0; at < ROUNDS; at++) {
        while (set(at, EVFILT_USER, EV_ENABLE) == 0) {} /* until it was taken */
    }
    CHECK(set_more(ROUNDS, EVFILT_USER, EV_ADD, NOTE_TRIGGER, 0, NULL) == 0);
    for (at = 0; at < TAKERS; at++) CHECK(pthread_join(threads[at], NULL) == 0);
    for (at = 0; at < ROUNDS; at++) CHECK(taken[at] == 1);
    CHECK(set(ROUNDS, EVFILT_USER, EV_DELETE) == 0);
}

static void *open_and_close(void *arg)
{
    int at;

    for (at = 0; at < ROUNDS; at++) {
        int ends[2];

        open_pipe(ends);
        put(ends[1], "abc");
        CHECK(set_more(ends[0], EVFILT_READ, EV_ADD, 0, 0, &a) == 0);
        if (at % 2 == 0) CHECK(set(ends[0], EVFILT_READ, EV_DELETE) == 0);
        close_both(ends);
    }
    CHECK(set_more((int)(intptr_t)arg, EVFILT_USER, EV_ADD | EV_ONESHOT, NOTE_TRIGGER, 0, &b) == 0);
    return NULL;
}

static void others_can_change_a_queue_while_one_waits(void)
{
    pthread_t threads[2];
    int ended = 0;
    intptr_t at;

    for (at = 0; at < 2; at++)
        CHECK(pthread_create(&threads[at], NULL, open_and_close, (void *)at) == 0);
    while (ended < 2) {
        struct kevent events[4];
        int count = kevent(kq, NULL, 0, events, 4, NULL);

        CHECK(count > 0);
        while (count-- > 0) {
            CHECK(events[count].udata == (events[count].filter == EVFILT_USER ? &b : &a));
            if (events[count].filter == EVFILT_USER) ended++;
        }
    }
    for (at = 0; at < 2; at++) CHECK(pthread_join(threads[at], NULL) == 0);
    CHECK(is_silent());
}

/* ---- all of them ---- */

typedef struct test {
    const char *name;
    void (*run)(void);
} test;

/* clang-format off */
#define TEST(name) { #name, name }

static const test tests[] = {
    TEST(an_event_is_told_for_as_long_as_it_holds),
    TEST(what_held_before_it_was_added_is_told),
    TEST(what_no_longer_holds_when_it_is_taken_is_not_told),
    TEST(write_is_told_while_there_is_room),
    TEST(the_room_of_a_pipe_is_its_free_bytes),
    TEST(read_and_write_of_one_descriptor_are_two_events),
    TEST(adding_again_replaces),
    TEST(neither_filter_starves_the_other),
    TEST(no_descriptor_starves_the_others),
    TEST(what_there_was_no_room_for_comes_next),
    TEST(as_many_as_there_is_room_for_come_at_once),
    TEST(a_oneshot_event_is_deleted_when_it_was_told),
    TEST(a_oneshot_event_leaves_its_neighbour_alone),
    TEST(a_clear_event_is_told_when_something_comes),
    TEST(a_clear_write_event_is_told_when_there_is_room_again),
    TEST(a_dispatch_event_is_disabled_when_it_was_told),
    TEST(a_disabled_event_is_not_told),
    TEST(an_event_can_be_added_disabled),
    TEST(a_disabled_descriptor_that_ends_keeps_nobody_awake),
    TEST(a_receipt_is_an_error_of_0_and_takes_no_event),
    TEST(each_change_has_its_own_receipt),
    TEST(an_error_without_room_ends_the_call),
    TEST(a_receipt_without_room_ends_the_changes),
    TEST(changes_are_applied_before_events_are_taken),
    TEST(what_is_not_there_can_not_be_changed),
    TEST(a_closed_descriptor_is_refused),
    TEST(what_is_no_queue_is_refused),
    TEST(what_is_not_valid_is_refused),
    TEST(a_pipe_without_a_writer_has_ended),
    TEST(a_pipe_without_a_reader_has_ended),
    TEST(a_pipe_that_lost_its_reader_before_is_refused),
    TEST(half_a_close_of_a_socket_pair),
    TEST(half_a_close_of_a_connection),
    TEST(a_closed_socket_pair_has_ended_both_ways),
    TEST(a_reset_is_told_with_its_error),
    TEST(a_refused_connection_is_told_with_its_error),
    TEST(a_socket_is_silent_until_it_is_connected),
    TEST(a_listener_tells_how_many_wait),
    TEST(a_datagram_socket_tells_its_datagrams),
    TEST(closing_a_descriptor_removes_its_events),
    TEST(a_duplicate_does_not_keep_the_events_of_a_closed_one),
    TEST(a_number_that_is_used_again_begins_anew),
    TEST(a_helper_can_take_the_number_of_a_closed_descriptor),
    TEST(closing_tells_nobody_who_waits),
    TEST(a_closed_queue_leaves_nothing),
    TEST(a_queue_that_takes_the_number_of_a_closed_one_is_empty),
    TEST(a_regular_file_is_ready_until_its_end),
    TEST(a_number_can_turn_from_a_file_into_a_pipe_and_back),
    TEST(a_device_that_can_not_be_waited_for_is_refused),
    TEST(a_terminal_can_be_waited_for),
    TEST(a_queue_is_readable_when_it_has_events),
    TEST(a_queue_can_wait_for_a_queue),
    TEST(a_user_event_happens_when_it_is_triggered),
    TEST(a_user_event_with_clear_happens_once_for_each_take),
    TEST(a_user_event_can_be_added_triggered),
    TEST(the_flags_of_a_user_event_are_changed_as_asked),
    TEST(another_thread_can_wake_the_one_that_waits),
    TEST(a_timer_is_never_early_and_comes_again),
    TEST(a_oneshot_timer_comes_once),
    TEST(a_timer_counts_in_the_unit_it_is_told),
    TEST(an_absolute_timer_is_of_the_calendar),
    TEST(a_timer_that_is_added_again_starts_anew),
    TEST(a_disabled_timer_counts_on),
    TEST(a_signal_is_told_with_its_count),
    TEST(the_end_of_a_child_is_told_with_its_status),
    TEST(the_end_of_a_child_is_told_through_a_queue_of_its_own),
    TEST(a_child_that_was_killed_is_told_so),
    TEST(the_status_is_told_to_those_who_ask),
    TEST(a_process_that_is_not_there_is_refused),
    TEST(only_what_was_asked_of_a_process_is_told),
    TEST(a_child_has_no_queue),
    TEST(a_wait_never_ends_early),
    TEST(what_wakes_in_vain_does_not_end_a_wait),
    TEST(a_wait_can_be_as_long_as_one_likes),
    TEST(without_room_there_is_no_wait),
    TEST(a_signal_interrupts_a_wait),
    TEST(each_oneshot_event_goes_to_one_thread),
    TEST(others_can_change_a_queue_while_one_waits),
};
/* clang-format on */

/* Run the tests whose names have the first argument in them; all without one. */
int main(int argc, char **argv)
{
    sigset_t blocked;
    size_t at;

    (void)alarm(WATCHDOG);
    (void)signal(SIGPIPE, SIG_IGN);
    CHECK(sigemptyset(&blocked) == 0);
    CHECK(sigaddset(&blocked, SIGUSR1) == 0); /* as EVFILT_SIGNAL needs it here */
    CHECK(sigaddset(&blocked, SIGUSR2) == 0);
    CHECK(pthread_sigmask(SIG_BLOCK, &blocked, NULL) == 0);
    for (at = 0; at < sizeof(tests) / sizeof(tests[0]); at++) {
        int before = count_descriptors();

        if (argc > 1 && strstr(tests[at].name, argv[1]) == NULL) continue;
        (void)printf("%s\n", tests[at].name);
        (void)fflush(stdout);
        kq = kqueue();
        CHECK(kq >= 0);
        tests[at].run();
        CHECK(is_silent());
        CHECK(close(kq) == 0);
        CHECK(kqueue_standin_sweep() == 0);
        CHECK(count_descriptors() == before);
    }
    return 0;
}
