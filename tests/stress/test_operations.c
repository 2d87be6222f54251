/* SPDX-License-Identifier: MIT */
/* sock_recv, sock_recv_into, sock_sendall, sock_connect, sock_accept on 100 sockets at random:
 * begun, done, cancelled, and their sockets half-closed or closed in the next line, while the other
 * side goes on. Every byte that comes is the one that was sent at its place, a receive that is
 * cancelled loses none, what was sent whole arrives whole, memory that was lent is left alone once
 * a future has ended; and in the end nothing is left.
 *
 * The seed is printed; ISOLOOP_TEST_SEED in the environment gives one, to try the same again.
 * STRESS_SHARE, from the build: take only one step in so many, and say so. */
#include "kit.h"
#include "sys/sock.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if !defined(STRESS_SHARE)
#define STRESS_SHARE 1
#endif

enum {
    STEPS = 100000 / STRESS_SHARE,
    LINES = 40, /* connected pairs, */
    CALLS = 20, /* and sockets that connect */
    LARGEST_SEND = 100 * 1024,
    LARGEST_RECV = 4096,
    KNOCKS = 50 /* fewer than a backlog holds */
};

typedef struct chaos chaos;

/* One end of a line. */
typedef struct side {
    chaos *owner;
    struct side *other;
    iso_fd fd;
    iso_future *reading; /* NULL: none */
    iso_future *writing;
    size_t asked;     /* of `reading`, */
    size_t offered;   /* and of `writing` */
    size_t sent;      /* for certain, */
    size_t most_sent; /* and at most: a send was cancelled, if it is more */
    size_t received;
    bool is_shut;  /* it said that no more will come, */
    bool is_ended; /* and the other has heard it of this one */
    unsigned char into[LARGEST_RECV];
    unsigned char out[LARGEST_SEND];
} side;

typedef struct call {
    iso_fd fd;
    iso_future *future; /* NULL: this place is free */
    bool is_dead;       /* nobody listens there */
} call;

struct chaos {
    kit *k;
    iso_loop *loop;
    uint64_t random;
    iso_fd listener;
    iso_address there;
    iso_address dead;
    iso_future *accepting; /* NULL: nobody accepts */
    int knocks;            /* since all were let in */
    int lines;             /* in all */
    int received;
    int sent;
    int connected;
    int accepted;
    int cancelled;
    int ended;
    int64_t bytes;
    side sides[2 * LINES];
    call calls[CALLS];
};

/* ---- chance ---- */

/* xorshift64*, as the kit's. */
static uint32_t chance(chaos *self, uint32_t bound)
{
    self->random ^= self->random >> 12;
    self->random ^= self->random << 25;
    self->random ^= self->random >> 27;
    return (uint32_t)(((self->random * UINT64_C(0x2545F4914F6CDD1D) >> 32) * bound) >> 32);
}

static uint64_t choose_seed(void)
{
    const char *text = getenv("ISOLOOP_TEST_SEED");
    uint64_t seed;

    if (text != NULL && text[0] != '\0')
        seed = strtoull(text, NULL, 10);
    else
        seed = (uint64_t)kit_now();
    return seed != 0 ? seed : 1;
}

/* ---- bytes: each side of each line has others ---- */

static unsigned char byte_of(const side *sender, size_t place)
{
    size_t number = (size_t)(sender - sender->owner->sides);

    return (unsigned char)(place * 13 + (place >> 8) * 5 + number * 31);
}

static bool is_right(const side *receiver, const unsigned char *data, size_t size)
{
    size_t at;

    for (at = 0; at < size; at++) {
        if (data[at] != byte_of(receiver->other, receiver->received + at)) return false;
    }
    return true;
}

static bool is_untouched(const unsigned char *memory, size_t size)
{
    size_t at;

    for (at = 0; at < size; at++) {
        if (memory[at] != 0xDF) return false;
    }
    return true;
}

/* ---- ends of operations ---- */

/* A side whose sends were all told. */
static bool is_certain(const side *self)
{
    return self->writing == NULL && self->sent == self->most_sent;
}

/* What a receive ended with. */
static void take_received(side *self, intptr_t number, const unsigned char *data)
{
    if (number == 0) {
        CHECK(self->other->is_shut);
        if (is_certain(self->other)) CHECK_EQ(self->received, self->other->sent);
        self->is_ended = true;
        self->owner->ended++;
        return;
    }
    CHECK_LE(number, (intptr_t)self->asked);
    CHECK(!self->is_ended);
    CHECK(is_right(self, data, (size_t)number));
    self->received += (size_t)number;
    self->owner->bytes += number;
    self->owner->received++;
    CHECK_LE(self->received, self->other->most_sent);
}

static void settle_reading(side *self)
{
    iso_future *future = self->reading;
    intptr_t number = 0;
    void *data = NULL;

    if (future == NULL || !iso_future_done(future)) return;
    self->reading = NULL;
    if (CHECK_OK(iso_future_number(future, &number)) && CHECK_OK(iso_future_result(future, &data)))
        take_received(self, number, data != NULL ? data : self->into);
    memset(self->into, 0xDF, sizeof(self->into));
    iso_future_release(future);
}

static void settle_writing(side *self)
{
    iso_future *future = self->writing;

    if (future == NULL || !iso_future_done(future)) return;
    CHECK_OK(iso_future_error(future));
    self->writing = NULL;
    self->sent += self->offered;
    self->most_sent = self->sent;
    self->owner->sent++;
    memset(self->out, 0xDF, sizeof(self->out));
    iso_future_release(future);
}

static void settle_call(chaos *self, call *one)
{
    if (one->future == NULL || !iso_future_done(one->future)) return;
    CHECK_RC(iso_future_error(one->future), one->is_dead ? ISO_ECONNREFUSED : 0);
    iso_future_release(one->future);
    one->future = NULL;
    self->connected++;
    if (chance(self, 2) == 0)
        CHECK_OK(iso_socket_close(one->fd));
    else
        iso__sys_socket_reset(one->fd);
}

static void settle_accepting(chaos *self)
{
    iso_future *future = self->accepting;
    intptr_t fd;

    if (future == NULL || !iso_future_done(future)) return;
    self->accepting = NULL;
    /* who was reset meanwhile may be an error */
    if (iso_future_number(future, &fd) == 0) {
        CHECK_OK(iso_socket_close(fd));
        self->accepted++;
    } else {
        int error = iso_future_error(future);

        if (!iso__sys_socket_accept_is_transient(error)) CHECK_OK(error);
    }
    iso_future_release(future);
}

static void turn(chaos *self, iso_nsec timeout)
{
    int at;

    CHECK_GE(iso_loop_run_once(self->loop, timeout), 0);
    for (at = 0; at < 2 * LINES; at++) {
        settle_reading(&self->sides[at]);
        settle_writing(&self->sides[at]);
    }
    for (at = 0; at < CALLS; at++) settle_call(self, &self->calls[at]);
    settle_accepting(self);
}

/* ---- what is done ---- */

static void read_some(side *self)
{
    if (self->reading != NULL || self->is_ended) return;
    self->asked = chance(self->owner, LARGEST_RECV) + 1;
    memset(self->into, 0xDF, sizeof(self->into));
    if (chance(self->owner, 2) == 0)
        REQUIRE_OK(iso_loop_sock_recv(self->owner->loop, self->fd, self->asked, &self->reading));
    else
        REQUIRE_OK(iso_loop_sock_recv_into(self->owner->loop, self->fd, self->into, self->asked,
                                           &self->reading));
}

static void write_some(side *self)
{
    size_t at;

    if (self->is_shut || !is_certain(self)) return;
    self->offered = chance(self->owner, 8) == 0 ? chance(self->owner, LARGEST_SEND) + 1
                                                : chance(self->owner, 2000);
    for (at = 0; at < self->offered; at++) self->out[at] = byte_of(self, self->sent + at);
    self->most_sent = self->sent + self->offered;
    REQUIRE_OK(iso_loop_sock_sendall(self->owner->loop, self->fd, self->out, self->offered,
                                     &self->writing));
}

/* Cancelled, a future has ended at once, and its memory is the program's. */
static void cancel(chaos *self, iso_future **future)
{
    if (*future == NULL) return;
    if (!iso_future_done(*future)) {
        CHECK_OK(iso_future_cancel(*future));
        CHECK(iso_future_cancelled(*future));
        self->cancelled++;
    }
    iso_future_release(*future);
    *future = NULL;
}

static void cancel_reading(side *self)
{
    settle_reading(self);
    cancel(self->owner, &self->reading);
    CHECK(is_untouched(self->into, sizeof(self->into)));
}

/* Nobody knows how much of it was sent. */
static void cancel_writing(side *self)
{
    settle_writing(self);
    cancel(self->owner, &self->writing);
    memset(self->out, 0xDF, sizeof(self->out));
}

static void half_close(side *self)
{
    if (self->is_shut || self->writing != NULL) return;
    self->is_shut = true;
    CHECK_OK(iso__sys_socket_shutdown_write(self->fd));
}

static void begin_side(chaos *self, side *one, side *other, iso_fd fd)
{
    memset(one, 0, offsetof(side, into));
    memset(one->into, 0xDF, sizeof(one->into));
    one->owner = self;
    one->other = other;
    one->fd = fd;
}

static void begin_line(chaos *self, side *one)
{
    iso_fd pair[2];

    REQUIRE_OK(iso_socketpair(pair));
    begin_side(self, &one[0], &one[1], pair[0]);
    begin_side(self, &one[1], &one[0], pair[1]);
    self->lines++;
}

static void end_side(side *self)
{
    cancel_reading(self);
    cancel_writing(self);
    CHECK_OK(iso_socket_close(self->fd));
}

static void replace_line(chaos *self, side *one)
{
    end_side(&one[0]);
    end_side(&one[1]);
    begin_line(self, one);
}

static void let_all_in(chaos *self)
{
    iso_fd fd;
    int rc;

    settle_accepting(self);
    cancel(self, &self->accepting);
    while ((rc = iso__sys_socket_accept(self->listener, &fd, NULL)) != ISO_EAGAIN) {
        if (rc == 0) CHECK_OK(iso_socket_close(fd));
        if (!CHECK(rc == 0 || iso__sys_socket_accept_is_transient(rc))) return;
    }
    self->knocks = 0;
}

static void connect_one(chaos *self, call *one)
{
    if (one->future != NULL) return;
    if (self->knocks == KNOCKS) let_all_in(self);
    one->is_dead = chance(self, 4) == 0;
    if (!one->is_dead) self->knocks++;
    REQUIRE_OK(iso_socket_new(&one->fd, 4));
    REQUIRE_OK(iso_loop_sock_connect(self->loop, one->fd, one->is_dead ? &self->dead : &self->there,
                                     &one->future));
}

static void cancel_call(chaos *self, call *one)
{
    settle_call(self, one);
    if (one->future == NULL) return;
    cancel(self, &one->future);
    CHECK_OK(iso_socket_close(one->fd));
}

static void cancel_accepting(chaos *self)
{
    settle_accepting(self);
    cancel(self, &self->accepting);
}

static void accept_one(chaos *self)
{
    if (self->accepting != NULL) return;
    REQUIRE_OK(iso_loop_sock_accept(self->loop, self->listener, &self->accepting));
}

static void do_anything(chaos *self, side *one)
{
    uint32_t what = chance(self, 100);

    if (what < 40)
        read_some(one);
    else if (what < 75)
        write_some(one);
    else if (what < 90)
        cancel_reading(one);
    else if (what < 93)
        cancel_writing(one);
    else if (what < 97)
        half_close(one);
    else
        replace_line(self, one - (one - self->sides) % 2);
}

static void step(chaos *self)
{
    uint32_t what = chance(self, 100);

    if (what < 5)
        connect_one(self, &self->calls[chance(self, CALLS)]);
    else if (what < 7)
        cancel_call(self, &self->calls[chance(self, CALLS)]);
    else if (what < 12)
        accept_one(self);
    else if (what < 13)
        cancel_accepting(self);
    else if (what < 30)
        turn(self, 0);
    else
        do_anything(self, &self->sides[chance(self, 2 * LINES)]);
}

/* ---- the end ---- */

/* Whether something of it is still to come: what was sent, or the end that was said. */
static bool is_under_way(const side *self)
{
    const side *other = self->other;

    if (self->is_ended || self->other->sent != self->other->most_sent) return false;
    return other->writing != NULL || self->received < other->sent || other->is_shut;
}

/* All that was sent for certain arrives. */
static void receive_the_rest(chaos *self)
{
    iso_nsec end = kit_now() + ISO_S(30);
    bool is_any = true;

    while (is_any && !kit_has_failed(self->k) && CHECK(kit_now() < end)) {
        int at;

        is_any = false;
        turn(self, ISO_MS(1));
        for (at = 0; at < 2 * LINES; at++) {
            side *one = &self->sides[at];

            is_any = is_any || one->writing != NULL || is_under_way(one);
            if (!one->is_ended) read_some(one);
        }
    }
}

static void end_all(chaos *self)
{
    int at;

    receive_the_rest(self);
    for (at = 0; at < 2 * LINES; at++) end_side(&self->sides[at]);
    for (at = 0; at < CALLS; at++) cancel_call(self, &self->calls[at]);
    let_all_in(self);
    kit_close(self->k, self->listener);
    kit_settle(self->k, self->loop);
    CHECK_EQ(kit_statistics(self->loop).objects, 0);
}

static void tell(const chaos *self)
{
    printf("        %d steps: %d received, %d sent, %d to their end, %.1f MB on %d lines; %d "
           "connected, %d accepted; %d cancelled\n",
           STEPS, self->received, self->sent, self->ended, (double)self->bytes / 1e6, self->lines,
           self->connected, self->accepted, self->cancelled);
    if (STRESS_SHARE != 1)
        printf("        (1 step in %d: this build has STRESS_SHARE)\n", STRESS_SHARE);
}

KIT_TEST(operations_at_random)
{
    static chaos c;
    uint64_t seed = choose_seed();
    int at;

    printf("        ISOLOOP_TEST_SEED=%" PRIu64 "\n", seed);
    (void)fflush(stdout);
    memset(&c, 0, sizeof(c));
    c.k = k;
    c.random = seed;
    c.loop = kit_loop(k);
    c.listener = kit_listen(k, &c.there);
    kit_dead_address(k, &c.dead);
    for (at = 0; at < LINES; at++) begin_line(&c, &c.sides[2 * at]);

    for (at = 0; at < STEPS && !kit_has_failed(k); at++) step(&c);
    end_all(&c);

    CHECK_GE(c.received, STEPS / 100);
    CHECK_GE(c.sent, STEPS / 100);
    CHECK_GE(c.connected, STEPS / 1000);
    CHECK_GE(c.cancelled, STEPS / 100);
    CHECK_GE(c.ended, STEPS / 1000);
    tell(&c);
}

static const kit_case cases[] = {
    KIT_CASE(operations_at_random),
};

KIT_MAIN(cases)
