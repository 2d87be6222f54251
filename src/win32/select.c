/* SPDX-License-Identifier: MIT */
/* select, for sockets and nothing else. A socket of Windows is any number, and its fd_set a list of
 * them, so the registered ones stand in an array in ascending order: short enough to insert into,
 * quick to find in, and with a natural place to go on from. The lists are as long as they have to
 * be: FD_SETSIZE is the length of the struct's own, and select does not ask for it. How many
 * sockets a loop may have is for the limits table to say. Source: Microsoft, select. */
#include "base/alloc.h"
#include "base/time.h"
#include "engine/poller.h"
#include "sockets.h"
#include "sys/clock.h"
#include "sys/descriptor.h"
#include "sys/sock.h"

#include <stddef.h>
#include <string.h>

enum { FIRST_ROOM = 64 };

enum {
    BROKEN = ISO_EVENT_READ | ISO_EVENT_WRITE | ISO_EVENT_ERROR,
    GONE = BROKEN | ISO_EVENT_GONE
};

typedef struct entry {
    SOCKET sock;
    void *token;
    unsigned interest;
    unsigned found; /* by the wait under way */
    bool connected; /* so what select takes for an error is urgent data */
} entry;

/* An fd_set of another length. */
typedef struct socket_set {
    u_int count;
    SOCKET sockets[];
} socket_set;

_Static_assert(offsetof(socket_set, sockets) == offsetof(fd_set, fd_array) &&
                   sizeof(((fd_set *)0)->fd_count) == sizeof(u_int),
               "a socket_set begins as an fd_set does");

typedef struct select_poller {
    const iso_allocator *allocator;
    size_t count;
    size_t room; /* in each of these: */
    SOCKET last; /* that was told of: the next wait begins behind it, so that no socket starves */
    entry *entries; /* one block, with the sets behind them */
    socket_set *readers;
    socket_set *writers;
    socket_set *errors;
} select_poller;

/* ---- memory ---- */

static size_t set_bytes(size_t room)
{
    return offsetof(socket_set, sockets) + room * sizeof(SOCKET);
}

static size_t block_bytes(size_t room)
{
    return room * sizeof(entry) + 3 * set_bytes(room);
}

/* Room for `room` sockets; what is in the sets is lost. */
static int make_room(select_poller *poller, size_t room)
{
    unsigned char *block = iso__alloc(poller->allocator, block_bytes(room));
    unsigned char *sets;

    if (block == NULL) return ISO_ENOMEM;
    if (poller->room > 0) {
        memcpy(block, poller->entries, poller->count * sizeof(entry));
        iso__free(poller->allocator, poller->entries, block_bytes(poller->room));
    }
    sets = block + room * sizeof(entry);
    poller->entries = (entry *)(void *)block;
    poller->readers = (socket_set *)(void *)sets;
    poller->writers = (socket_set *)(void *)(sets + set_bytes(room));
    poller->errors = (socket_set *)(void *)(sets + 2 * set_bytes(room));
    poller->room = room;
    return 0;
}

static int select_open(void **self, const iso_allocator *allocator)
{
    select_poller *poller;
    int rc = iso__sys_socket_startup();

    if (rc != 0) return rc;
    poller = iso__alloc_zero(allocator, sizeof(*poller));
    if (poller == NULL) return ISO_ENOMEM;
    poller->allocator = allocator;
    rc = make_room(poller, FIRST_ROOM);
    if (rc != 0) {
        iso__free(allocator, poller, sizeof(*poller));
        return rc;
    }
    *self = poller;
    return 0;
}

static void select_shut(void *self)
{
    select_poller *poller = self;

    iso__free(poller->allocator, poller->entries, block_bytes(poller->room));
    iso__free(poller->allocator, poller, sizeof(*poller));
}

static iso_fd select_fileno(void *self)
{
    (void)self;
    return ISO_FD_NONE;
}

/* ---- the registered ones ---- */

/* The place of the first one that is not below `sock`. */
static size_t place_of(const select_poller *poller, SOCKET sock)
{
    size_t low = 0;
    size_t high = poller->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (poller->entries[middle].sock < sock) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static int insert(select_poller *poller, size_t at, SOCKET sock)
{
    int rc = poller->count == poller->room ? make_room(poller, 2 * poller->room) : 0;

    if (rc != 0) return rc;
    memmove(&poller->entries[at + 1], &poller->entries[at],
            (poller->count - at) * sizeof(*poller->entries));
    poller->entries[at].sock = sock;
    poller->count++;
    return 0;
}

static void forget(select_poller *poller, size_t at)
{
    poller->count--;
    memmove(&poller->entries[at], &poller->entries[at + 1],
            (poller->count - at) * sizeof(*poller->entries));
}

static int check(iso_fd fd)
{
    switch (iso__sys_descriptor_kind(fd)) {
    case ISO__DESCRIPTOR_SOCKET: return 0;
    case ISO__DESCRIPTOR_BAD: return ISO_EBADF;
    case ISO__DESCRIPTOR_FILE: return ISO_EREGULARFILE; /* which no selector takes anywhere */
    case ISO__DESCRIPTOR_PIPE:
    case ISO__DESCRIPTOR_DEVICE:
    case ISO__DESCRIPTOR_OTHER: break;
    }
    return ISO_ENOTSOCK;
}

/* `was` is not looked at: one that was found closed is forgotten here, and the caller need not
 * know. */
static int select_set(void *self, iso_fd fd, unsigned was, unsigned events, void *token)
{
    select_poller *poller = self;
    SOCKET sock = (SOCKET)fd;
    size_t at = place_of(poller, sock);
    bool is_known = at < poller->count && poller->entries[at].sock == sock;
    int rc;

    (void)was;
    if (events == 0) {
        if (is_known) forget(poller, at);
        return 0;
    }
    rc = check(fd); /* a known one, too: it may have been closed, and its number be another's now */
    if (rc == 0 && !is_known) rc = insert(poller, at, sock);
    if (rc != 0) return rc;
    poller->entries[at].token = token;
    poller->entries[at].interest = events;
    poller->entries[at].connected = false;
    return 0;
}

/* ---- waiting ---- */

static void add(socket_set *set, SOCKET sock)
{
    set->sockets[set->count++] = sock; /* FD_SET would look for it among the others first */
}

static fd_set *native_of(socket_set *set)
{
    return (fd_set *)(void *)set;
}

/* Who waits for writing is asked for errors as well: a connect that fails is an error, and never
 * writable. Source: Microsoft, select: exceptfds. */
static void fill_sets(select_poller *poller)
{
    entry *one = poller->entries;
    entry *end = one + poller->count;

    poller->readers->count = 0;
    poller->writers->count = 0;
    poller->errors->count = 0;
    for (; one < end; one++) {
        bool writes = (one->interest & ISO_EVENT_WRITE) != 0;

        one->found = 0;
        if ((one->interest & ISO_EVENT_READ) != 0) add(poller->readers, one->sock);
        if (writes) add(poller->writers, one->sock);
        if (writes && !one->connected) add(poller->errors, one->sock);
    }
}

/* Returns how many places in the sets, 0 when the time is over (for a wait of days: when a day
 * is), or an error. */
static int select_once(select_poller *poller, iso_nsec timeout)
{
    const iso_nsec day = ISO_S(24 * 60 * 60);
    iso_nsec span = timeout < day ? timeout : day;
    struct timeval limit;
    int found;

    if (poller->count == 0) { /* select refuses three empty sets; milliseconds, rounded up */
        if (span > 0) Sleep((DWORD)((span + 999999) / 1000000));
        return 0;
    }
    span = (span + 999) / 1000; /* microseconds, rounded up */
    limit.tv_sec = (long)(span / 1000000);
    limit.tv_usec = (long)(span % 1000000);
    fill_sets(poller);
    found = select(0, native_of(poller->readers), native_of(poller->writers),
                   native_of(poller->errors), timeout == ISO_FOREVER ? NULL : &limit);
    return found >= 0 ? found : iso__socket_error();
}

/* ---- what was found ---- */

static void mark(select_poller *poller, const socket_set *set, unsigned event)
{
    unsigned at;

    for (at = 0; at < set->count; at++)
        poller->entries[place_of(poller, set->sockets[at])].found |= event;
}

/* Urgent data of the peer's looks like a failed connect, and would again at once, for nobody
 * here reads it: a socket that has a peer is not asked for errors any more. (Not SO_ERROR: that
 * is the caller's to ask, once.) */
static void mark_errors(select_poller *poller)
{
    unsigned at;

    for (at = 0; at < poller->errors->count; at++) {
        SOCKET sock = poller->errors->sockets[at];
        entry *one = &poller->entries[place_of(poller, sock)];
        SOCKADDR_STORAGE peer;
        int size = sizeof(peer);

        one->connected = getpeername(sock, (struct sockaddr *)&peer, &size) == 0;
        if (!one->connected) one->found |= BROKEN;
    }
}

/* select only says that there is a socket which is none. Returns whether it was found. */
static bool mark_gone(select_poller *poller)
{
    bool is_any = false;
    size_t at;

    for (at = 0; at < poller->count; at++) {
        bool is_gone = check((iso_fd)poller->entries[at].sock) != 0;

        poller->entries[at].found = is_gone ? GONE : 0;
        is_any = is_any || is_gone;
    }
    return is_any;
}

static int tell(select_poller *poller, iso_selector_event *events, int max)
{
    size_t at = place_of(poller, poller->last + 1);
    size_t left = poller->count;
    int told = 0;

    for (; left > 0 && told < max; left--) {
        entry *one = &poller->entries[at < poller->count ? at : 0];

        at = (size_t)(one - poller->entries) + 1;
        if (one->found == 0) continue;
        events[told].token = one->token;
        events[told].events = one->found;
        told++;
        poller->last = one->sock;
        if (one->found == GONE) forget(poller, --at); /* the next one is in its place now */
    }
    return told;
}

static int select_await(void *self, iso_nsec timeout, iso_selector_event *events, int max)
{
    select_poller *poller = self;
    iso_nsec deadline = timeout <= 0 ? 0 : iso__time_add(iso__sys_clock_now(), timeout);

    /* Windows counts from the last tick of its clock, so a wait can end before its time by as
     * much as a tick: it is then continued. Each goes on until a tick at least, so this does not
     * spin. */
    for (;; timeout = iso__time_until(deadline, iso__sys_clock_now())) {
        int found = select_once(poller, timeout > 0 ? timeout : 0);
        int told = 0;

        if (found < 0 && mark_gone(poller)) return tell(poller, events, max);
        if (found < 0) return found;
        if (found > 0) {
            mark(poller, poller->readers, ISO_EVENT_READ);
            mark(poller, poller->writers, ISO_EVENT_WRITE);
            mark_errors(poller);
            told = tell(poller, events, max);
        }
        if (told > 0 || timeout <= 0) return told;
    }
}

static const iso_selector_class select_class = {
    .name = "select",
    .set = select_set,
    .wait = select_await,
    .descriptor = select_fileno,
    .close = select_shut,
};

const iso__poller iso__poller_select = {
    .name = "select",
    .id = ISO__POLLER_SELECT,
    .kind = &select_class,
    .open = select_open,
};
