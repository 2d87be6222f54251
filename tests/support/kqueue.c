/* SPDX-License-Identifier: MIT */
/* kqueue for Linux, over epoll, timerfd, eventfd, signalfd and pidfd: test code, which lets the
 * kqueue poller run where there is no kqueue. It keeps what kqueue(2) of macOS and FreeBSD
 * promises; where the two differ it does what is harder for a program.
 *
 * A queue is a real epoll descriptor, with a table beside it. What epoll watches is a `source`:
 * a caller's descriptor, for which the READ and the WRITE note share one registration, or a
 * helper of ours (timerfd, ...) that carries one note. Every registration is edge-triggered, so
 * epoll only ever says "look again"; whether a note is told is decided by looking at the
 * descriptor itself, as a kernel runs its filter once more when the event is taken. A source
 * that is still ready for a level-triggered note is put back in line with EPOLL_CTL_MOD, which
 * also keeps the queue's own descriptor readable.
 *
 * Where it falls short of a kernel:
 * - A descriptor that was closed is noticed when it is next looked at, by the number and the
 *   open file behind it. If the same open file is back under the same number by then, its
 *   notes live on.
 * - Helpers of a queue that was closed are closed by the next kqueue() or
 *   kqueue_standin_sweep().
 * - A note with EV_CLEAR can be told once more than needed when its neighbour, on the same
 *   descriptor, changes.
 * - A pending error of a socket can't be read without taking it away from the program, so fflags
 *   is worked out: ECONNREFUSED if it never was connected, else ECONNRESET.
 * - A regular file that grows is noticed by the next kevent(), not by one that sleeps.
 * - EVFILT_SIGNAL sees signals that every thread blocks, and takes them.
 *
 * Source: kqueue(2) of macOS and FreeBSD; epoll(7), epoll_ctl(2), pidfd_open(2), signalfd(2). */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <sys/event.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOTES = 2 }; /* of a source: READ, or its only one, and WRITE */

enum { FEW = 64 }; /* as many events need no memory */

#define NO_END INT64_MAX
#define SECOND INT64_C(1000000000)

/* What a program may ask of an event's behaviour; fixed by its first EV_ADD, as in the kernels. */
#define BEHAVIOUR (EV_ONESHOT | EV_CLEAR | EV_RECEIPT | EV_DISPATCH)

typedef enum kind {
    DESCRIPTOR, /* the caller's own, watched itself */
    VNODE,      /* a regular file or a directory: always asked, and epoll refuses it */
    TIMER,
    USER,
    SIGNAL,
    PROC
} kind;

typedef struct note {
    bool used;
    bool disabled;
    uint16_t flags;
    uint32_t fflags;
    intptr_t data;
    void *udata;
} note;

typedef struct source {
    kind kind;
    uintptr_t ident; /* what the caller calls it */
    int fd;          /* what epoll watches: ident itself, or a helper of ours */
    uint32_t id;     /* tells its events from those of an earlier one on the same number */
    mode_t type;     /* DESCRIPTOR: S_IFSOCK, ... */
    dev_t device;    /* VNODE: which file it was */
    ino_t inode;
    int first;  /* the note that is looked at first, so that neither starves the other */
    bool again; /* it goes to the end of the line once all have been looked at */
    note notes[NOTES];
} source;

typedef struct queue {
    struct queue *next;
    int fd;
    uint32_t last_id;
    size_t vnode_count;
    size_t capacity;
    source **sources; /* by source.fd */
} queue;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of everything here; never held asleep */
static queue *queues;

/* ---- the caller's descriptors, while another thread may close them, as kqueue allows ----
 * Without the wrappers of the C library, in which ThreadSanitizer would take that for a race. */

static int control(const queue *q, int operation, int fd, struct epoll_event *event)
{
    return (int)syscall(SYS_epoll_ctl, q->fd, operation, fd, event);
}

static bool get_status(uintptr_t fd, struct stat *out)
{
    return fstatat((int)fd, "", out, AT_EMPTY_PATH) == 0;
}

static intptr_t get_count(int fd, unsigned long request)
{
    int count = 0;

    return syscall(SYS_ioctl, fd, request, &count) == 0 ? count : 0;
}

static bool send_nothing(int fd)
{
    return syscall(SYS_sendto, fd, "", 0, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0) == 0;
}

/* ---- sources in their table ---- */

static bool is_helper(const source *it)
{
    return it->kind != DESCRIPTOR;
}

static source *source_at(const queue *q, uintptr_t fd)
{
    return fd < q->capacity ? q->sources[fd] : NULL;
}

static uint64_t word_of(const source *it)
{
    return (uint64_t)it->id << 32 | (uint32_t)it->fd;
}

/* NULL when the event speaks of a registration that is gone. */
static source *source_of_word(const queue *q, uint64_t word)
{
    source *it = source_at(q, (uintptr_t)(word & UINT32_MAX));

    return it != NULL && it->id == word >> 32 ? it : NULL;
}

static void drop_source(queue *q, source *it)
{
    (void)control(q, EPOLL_CTL_DEL, it->fd, NULL); /* fails when it was closed: gone */
    q->sources[it->fd] = NULL;
    if (it->kind == VNODE) q->vnode_count--;
    if (is_helper(it)) (void)close(it->fd);
    free(it);
}

static int grow_table(queue *q, int fd)
{
    size_t wanted = q->capacity == 0 ? 64 : q->capacity;
    source **grown;

    while (wanted <= (size_t)fd) wanted *= 2;
    if (wanted == q->capacity) return 0;
    grown = realloc(q->sources, wanted * sizeof(*grown));
    if (grown == NULL) return ENOMEM;
    memset(grown + q->capacity, 0, (wanted - q->capacity) * sizeof(*grown));
    q->sources = grown;
    q->capacity = wanted;
    return 0;
}

/* Enter a source for `fd`, which becomes ours if it is a helper, even on failure. Returns 0 or
 * an errno. */
static int make_source(queue *q, kind what, uintptr_t ident, int fd, source **out)
{
    source *it = calloc(1, sizeof(*it));

    if (it == NULL || grow_table(q, fd) != 0) {
        free(it);
        if (what != DESCRIPTOR) (void)close(fd);
        return ENOMEM;
    }
    it->kind = what;
    it->ident = ident;
    it->fd = fd;
    it->id = ++q->last_id;
    if (q->sources[fd] != NULL) drop_source(q, q->sources[fd]); /* was closed: a number reused */
    q->sources[fd] = it;
    if (what == VNODE) q->vnode_count++;
    *out = it;
    return 0;
}

/* ---- what epoll is told ---- */

static bool is_wanted(const source *it, int at)
{
    return it->notes[at].used && !it->notes[at].disabled;
}

/* (Re)register the source for what its notes want; it is in line afterwards if it is ready.
 * Returns 0 or an errno. */
static int tell_epoll(queue *q, source *it, int operation)
{
    struct epoll_event event;

    memset(&event, 0, sizeof(event));
    event.events = EPOLLET | (is_wanted(it, 0) ? EPOLLIN | EPOLLRDHUP : 0u) |
                   (is_wanted(it, 1) ? EPOLLOUT : 0u);
    event.data.u64 = word_of(it);
    if (control(q, operation, it->fd, &event) == 0) return 0;
    if (operation == EPOLL_CTL_ADD && errno == EEXIST)
        return tell_epoll(q, it, EPOLL_CTL_MOD); /* a duplicate kept it registered after a close */
    return errno;
}

static void update(queue *q, source *it)
{
    (void)tell_epoll(q, it, EPOLL_CTL_MOD);
}

/* Whether the caller's descriptor is still what was registered. epoll knows its registrations by
 * the number and the open file behind it: adding one anew fails with EEXIST exactly when it is
 * there. */
static bool is_current(queue *q, const source *it)
{
    struct epoll_event nothing;
    struct stat status;

    switch (it->kind) {
    case DESCRIPTOR:
        memset(&nothing, 0, sizeof(nothing));
        if (control(q, EPOLL_CTL_ADD, it->fd, &nothing) != 0) return errno == EEXIST;
        (void)control(q, EPOLL_CTL_DEL, it->fd, NULL);
        return false;
    case VNODE:
        return get_status(it->ident, &status) && status.st_dev == it->device &&
               status.st_ino == it->inode;
    case TIMER:
    case USER:
    case SIGNAL:
    case PROC: break;
    }
    return true;
}

/* ---- queues ---- */

/* Whether the number is still that of an epoll descriptor. */
static bool is_open(const queue *q)
{
    static const char epoll[] = "anon_inode:[eventpoll]";
    char path[64];
    char target[sizeof(epoll)];
    ssize_t length;

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", q->fd);
    length = readlink(path, target, sizeof(target));
    return length == sizeof(epoll) - 1 && memcmp(target, epoll, sizeof(epoll) - 1) == 0;
}

/* Free a queue that was closed. */
static void drop_queue(queue **link)
{
    queue *q = *link;
    size_t at;

    for (at = 0; at < q->capacity; at++) {
        if (q->sources[at] == NULL) continue;
        if (is_helper(q->sources[at])) (void)close(q->sources[at]->fd);
        free(q->sources[at]);
    }
    *link = q->next;
    free(q->sources);
    free(q);
}

/* Whether an epoll has a helper of this queue, which shows that it is the same one. */
static bool has_its_helpers(const queue *q)
{
    struct epoll_event nothing;
    size_t at = 0;

    while (at < q->capacity && (q->sources[at] == NULL || !is_helper(q->sources[at]))) at++;
    if (at == q->capacity) return true; /* there is none: nothing to tell, and nothing to lose */
    memset(&nothing, 0, sizeof(nothing));
    if (control(q, EPOLL_CTL_ADD, (int)at, &nothing) != 0) return errno == EEXIST;
    (void)control(q, EPOLL_CTL_DEL, (int)at, NULL);
    return false;
}

static void sweep(void)
{
    queue **link = &queues;

    while (*link != NULL) {
        if (is_open(*link) && has_its_helpers(*link)) {
            link = &(*link)->next;
        } else {
            drop_queue(link);
        }
    }
}

static queue **find_queue(int fd)
{
    queue **link = &queues;

    while (*link != NULL && (*link)->fd != fd) link = &(*link)->next;
    return link;
}

/* The queue of this descriptor; NULL if it is none, or was closed. */
static queue *open_queue(int fd)
{
    queue **link = find_queue(fd);

    if (*link != NULL && !is_open(*link)) drop_queue(link);
    return *link != NULL && (*link)->fd == fd ? *link : NULL;
}

/* A child has no queue of its parent's: kqueue(2), "not inherited". */
static void before_fork(void)
{
    (void)pthread_mutex_lock(&lock);
}

static void after_fork_in_parent(void)
{
    (void)pthread_mutex_unlock(&lock);
}

static void after_fork_in_child(void)
{
    while (queues != NULL) {
        if (is_open(queues)) (void)close(queues->fd);
        drop_queue(&queues);
    }
    (void)pthread_mutex_unlock(&lock);
}

static void watch_forks(void)
{
    (void)pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

int kqueue(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    queue *q = calloc(1, sizeof(*q));
    queue **stale;

    (void)pthread_once(&once, watch_forks);
    if (q == NULL) {
        errno = ENOMEM;
        return -1;
    }
    (void)pthread_mutex_lock(&lock);
    sweep();
    q->fd = epoll_create1(0);
    if (q->fd < 0) {
        int error = errno;
        (void)pthread_mutex_unlock(&lock);
        free(q);
        errno = error;
        return -1;
    }
    stale = find_queue(q->fd); /* closed between the sweep and now */
    if (*stale != NULL) drop_queue(stale);
    q->next = queues;
    queues = q;
    (void)pthread_mutex_unlock(&lock);
    return q->fd;
}

int kqueue_standin_sweep(void)
{
    int count = 0;
    const queue *q;
    size_t at;

    (void)pthread_mutex_lock(&lock);
    sweep();
    for (q = queues; q != NULL; q = q->next) {
        for (at = 0; at < q->capacity; at++) {
            if (q->sources[at] != NULL && is_helper(q->sources[at])) count++;
        }
    }
    (void)pthread_mutex_unlock(&lock);
    return count;
}

/* ---- the filters: whether an event holds now, and what it says ---- */

static short state_of(int fd)
{
    struct pollfd it = { fd, POLLIN | POLLOUT | POLLRDHUP, 0 };

    return poll(&it, 1, 0) > 0 ? it.revents : 0;
}

static int option_of(int fd, int name)
{
    int value = 0;
    socklen_t size = sizeof(value);

    return getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : 0;
}

static bool ask_tcp(int fd, struct tcp_info *out)
{
    socklen_t size = sizeof(*out);

    memset(out, 0, sizeof(*out));
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, out, &size) == 0;
}

/* See the top of the file. The round trip of a TCP connection is known once it was one. */
static uint32_t pending_error(int fd, short state)
{
    struct tcp_info tcp;

    if ((state & POLLERR) == 0) return 0;
    if (ask_tcp(fd, &tcp) && tcp.tcpi_rtt == 0) return ECONNREFUSED;
    return option_of(fd, SO_TYPE) == SOCK_DGRAM ? ECONNREFUSED : ECONNRESET;
}

/* Whether no more can be sent because this side said so; poll doesn't tell. */
static bool has_shut_write(int fd)
{
    struct tcp_info tcp;

    if (ask_tcp(fd, &tcp)) {
        return tcp.tcpi_state == TCP_FIN_WAIT1 || tcp.tcpi_state == TCP_FIN_WAIT2 ||
               tcp.tcpi_state == TCP_CLOSING || tcp.tcpi_state == TCP_LAST_ACK ||
               tcp.tcpi_state == TCP_TIME_WAIT;
    }
    return option_of(fd, SO_DOMAIN) == AF_UNIX && option_of(fd, SO_TYPE) == SOCK_STREAM &&
           !send_nothing(fd) && errno == EPIPE;
}

static bool read_listener(int fd, short state, struct kevent *event)
{
    struct tcp_info tcp;

    if ((state & POLLIN) == 0) return false;
    event->data = ask_tcp(fd, &tcp) ? (intptr_t)tcp.tcpi_unacked : 1; /* how many wait */
    return true;
}

static bool read_socket(int fd, short state, struct kevent *event)
{
    if (option_of(fd, SO_ACCEPTCONN) != 0) return read_listener(fd, state, event);
    event->data = get_count(fd, FIONREAD);
    if ((state & POLLRDHUP) != 0) {
        event->flags |= EV_EOF;
        event->fflags = pending_error(fd, state);
        return true;
    }
    return (state & (POLLIN | POLLERR)) != 0;
}

static bool write_socket(int fd, short state, struct kevent *event)
{
    bool ended = (state & POLLHUP) != 0 && (state & POLLRDHUP) != 0;

    if ((state & POLLHUP) != 0 && !ended) return false; /* not connected yet */
    event->data = option_of(fd, SO_SNDBUF) - get_count(fd, TIOCOUTQ);
    if (event->data < 0) event->data = 0;
    if (ended || has_shut_write(fd)) {
        event->flags |= EV_EOF;
        event->fflags = pending_error(fd, state);
        return true;
    }
    return (state & (POLLOUT | POLLERR)) != 0;
}

/* Of the end that does not do what the filter is about, only the pipe's death is told. */
static bool look_at_pipe(int fd, short state, int16_t filter, struct kevent *event)
{
    intptr_t held = get_count(fd, FIONREAD);
    bool ended = (state & (POLLHUP | POLLERR)) != 0;

    if (filter == EVFILT_WRITE) {
        int size = fcntl(fd, F_GETPIPE_SZ);
        event->data = (state & POLLOUT) != 0 && !ended ? size - held : 0;
    } else {
        event->data = (state & POLLIN) != 0 ? held : 0;
    }
    if (ended) event->flags |= EV_EOF;
    return ended || (state & (filter == EVFILT_WRITE ? POLLOUT : POLLIN)) != 0;
}

/* Terminals, and what Linux has besides. */
static bool look_at_other(int fd, short state, int16_t filter, struct kevent *event)
{
    bool ready = (state & (filter == EVFILT_WRITE ? POLLOUT : POLLIN)) != 0;

    event->data = filter == EVFILT_READ ? get_count(fd, FIONREAD) : 0;
    if (event->data == 0 && ready) event->data = 1;
    if ((state & POLLHUP) != 0) event->flags |= EV_EOF;
    return ready || (state & (POLLHUP | POLLERR)) != 0;
}

static bool look_at_descriptor(const source *it, int16_t filter, struct kevent *event)
{
    short state = state_of(it->fd);

    if (it->type == S_IFIFO) return look_at_pipe(it->fd, state, filter, event);
    if (it->type != S_IFSOCK) return look_at_other(it->fd, state, filter, event);
    return filter == EVFILT_WRITE ? write_socket(it->fd, state, event)
                                  : read_socket(it->fd, state, event);
}

static bool look_at_vnode(const source *it, struct kevent *event)
{
    struct stat status;
    off_t offset = lseek((int)it->ident, 0, SEEK_CUR);

    if (!get_status(it->ident, &status)) return false;
    event->data = (intptr_t)(status.st_size - (offset < 0 ? 0 : offset));
    return event->data != 0;
}

/* eventfd and timerfd: the count since the last time, which is taken. */
static bool take_count(int fd, struct kevent *event)
{
    uint64_t count = 0;

    if (read(fd, &count, sizeof(count)) != (ssize_t)sizeof(count)) return false;
    event->data = (intptr_t)count;
    return true;
}

static bool take_signals(int fd, struct kevent *event)
{
    struct signalfd_siginfo info;

    event->data = 0;
    while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) event->data++;
    return event->data > 0;
}

/* The status of a child as wait(2) would give it; the child stays for a wait to reap. */
static intptr_t exit_status(int pidfd)
{
    siginfo_t info;

    memset(&info, 0, sizeof(info));
    if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG | WNOWAIT) != 0) return 0;
    if (info.si_code == CLD_EXITED) return (info.si_status & 0xff) << 8;
    return info.si_status | (info.si_code == CLD_DUMPED ? 0x80 : 0);
}

static bool look_at_process(const source *it, struct kevent *event)
{
    uint32_t wanted = it->notes[0].fflags;

    if ((wanted & NOTE_EXIT) == 0 || (state_of(it->fd) & POLLIN) == 0) return false;
    event->flags |= EV_EOF | EV_ONESHOT;
    event->fflags = wanted & (NOTE_EXIT | NOTE_EXITSTATUS);
    event->data = (wanted & NOTE_EXITSTATUS) != 0 ? exit_status(it->fd) : 0;
    return true;
}

static int16_t filter_of(const source *it, int at)
{
    switch (it->kind) {
    case DESCRIPTOR:
    case VNODE: return at == 0 ? EVFILT_READ : EVFILT_WRITE;
    case TIMER: return EVFILT_TIMER;
    case USER: return EVFILT_USER;
    case SIGNAL: return EVFILT_SIGNAL;
    case PROC: break;
    }
    return EVFILT_PROC;
}

/* Run the filter of a note; true if *event is to be told. */
static bool look(const source *it, int at, struct kevent *event)
{
    const note *about = &it->notes[at];
    int16_t filter = filter_of(it, at);

    EV_SET(event, it->ident, filter, about->flags, 0, 0, about->udata);
    switch (it->kind) {
    case DESCRIPTOR: return look_at_descriptor(it, filter, event);
    case VNODE: return look_at_vnode(it, event);
    case TIMER: return take_count(it->fd, event);
    case SIGNAL: return take_signals(it->fd, event);
    case PROC: return look_at_process(it, event);
    case USER: break;
    }
    event->fflags = about->fflags;
    event->data = about->data;
    return (state_of(it->fd) & POLLIN) != 0;
}

/* ---- telling events ---- */

/* What becomes of a note that was told. Returns whether its source must be looked at again. */
static bool settle(source *it, int at, const struct kevent *told)
{
    note *about = &it->notes[at];
    struct kevent unused;

    if ((told->flags & EV_ONESHOT) != 0) {
        about->used = false;
        return true;
    }
    if ((about->flags & EV_DISPATCH) != 0) about->disabled = true;
    if ((about->flags & EV_CLEAR) == 0) return true;
    if (it->kind == USER) {
        (void)take_count(it->fd, &unused);
        about->fflags = 0;
        about->data = 0;
    }
    return about->disabled;
}

/* Tell the notes of a source that hold. Returns how many. */
static int tell_source(queue *q, source *it, struct kevent *events, int room)
{
    int told = 0;
    int turn;
    int first = it->first;

    for (turn = 0; turn < NOTES; turn++) {
        int at = (first + turn) % NOTES;

        if (!is_wanted(it, at)) continue;
        if (told == room) {
            it->again = true; /* there may be more to tell, next time */
        } else if (look(it, at, &events[told])) {
            it->again = settle(it, at, &events[told]) || it->again;
            it->first = (at + 1) % NOTES;
            told++;
        }
    }
    if (!it->notes[0].used && !it->notes[1].used) drop_source(q, it);
    return told;
}

static int tell(queue *q, const struct epoll_event *raw, int count, struct kevent *events, int room)
{
    int told = 0;
    int at;

    for (at = 0; at < count; at++) {
        source *it = source_of_word(q, raw[at].data.u64);

        if (it == NULL) continue;
        if (!is_current(q, it)) {
            drop_source(q, it);
        } else if (told == room) {
            update(q, it);
        } else {
            told += tell_source(q, it, events + told, room - told);
        }
    }
    for (at = 0; at < count; at++) { /* behind those for which there was no room */
        source *it = source_of_word(q, raw[at].data.u64);

        if (it == NULL || !it->again) continue;
        it->again = false;
        update(q, it);
    }
    return told;
}

/* Files say nothing when they grow: ask them. */
static void look_at_vnodes_again(queue *q)
{
    size_t at;

    for (at = 0; q->vnode_count > 0 && at < q->capacity; at++) {
        if (q->sources[at] != NULL && q->sources[at]->kind == VNODE) update(q, q->sources[at]);
    }
}

/* ---- waiting ---- */

static int64_t now(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * SECOND + time.tv_nsec;
}

static int64_t deadline_after(const struct timespec *timeout)
{
    int64_t begin = now();

    if (timeout == NULL || timeout->tv_sec >= (NO_END - begin) / SECOND - 1) return NO_END;
    return begin + timeout->tv_sec * SECOND + timeout->tv_nsec;
}

static int64_t time_left(int64_t deadline)
{
    int64_t left;

    if (deadline == NO_END) return NO_END;
    left = deadline - now();
    return left > 0 ? left : 0;
}

/* epoll_wait in nanoseconds, or else in milliseconds, rounded up. */
static int wait_for_epoll(int fd, struct epoll_event *raw, int max, int64_t left)
{
    int milliseconds = -1;
#if defined(SYS_epoll_pwait2) && LONG_MAX > INT_MAX
    static atomic_bool is_missing;
    struct timespec span = { left / SECOND, left % SECOND };

    if (left != NO_END && !atomic_load(&is_missing)) {
        long count = syscall(SYS_epoll_pwait2, fd, raw, max, &span, NULL, 0);
        if (count >= 0 || errno != ENOSYS) return (int)count;
        atomic_store(&is_missing, true);
    }
#endif
    if (left > INT_MAX * INT64_C(1000000) - 1000000) left = NO_END;
    if (left != NO_END) milliseconds = (int)((left + 999999) / 1000000);
    return epoll_wait(fd, raw, max, milliseconds);
}

static int wait_for_events(int fd, struct epoll_event *raw, struct kevent *events, int nevents,
                           int64_t deadline)
{
    for (;;) {
        int count = wait_for_epoll(fd, raw, nevents, time_left(deadline));
        int told = -1;
        queue *q;

        if (count < 0) return -1;
        (void)pthread_mutex_lock(&lock);
        q = open_queue(fd);
        if (q != NULL) told = tell(q, raw, count, events, nevents);
        (void)pthread_mutex_unlock(&lock);
        if (q == NULL) errno = EBADF;
        if (told != 0 || (count == 0 && time_left(deadline) == 0)) return told;
    }
}

/* ---- changes ---- */

static bool is_about_descriptor(const struct kevent *change)
{
    return change->filter == EVFILT_READ || change->filter == EVFILT_WRITE;
}

/* False for a filter that the stand-in does not have. */
static bool helper_kind(int16_t filter, kind *out)
{
    switch (filter) {
    case EVFILT_TIMER: *out = TIMER; break;
    case EVFILT_USER: *out = USER; break;
    case EVFILT_SIGNAL: *out = SIGNAL; break;
    case EVFILT_PROC: *out = PROC; break;
    default: return false;
    }
    return true;
}

static source *find_helper(const queue *q, kind what, uintptr_t ident)
{
    size_t at;

    for (at = 0; at < q->capacity; at++) {
        source *it = q->sources[at];

        if (it != NULL && it->kind == what && it->ident == ident) return it;
    }
    return NULL;
}

/* The source of a caller's descriptor; one that was closed is forgotten here. */
static source *find_descriptor(queue *q, uintptr_t fd)
{
    source *it = source_at(q, fd);

    if (it != NULL && is_helper(it)) it = NULL;
    if (it == NULL && q->vnode_count > 0) it = find_helper(q, VNODE, fd);
    if (it != NULL && !is_current(q, it)) {
        drop_source(q, it);
        return NULL;
    }
    return it;
}

/* Terminals; macOS refuses other devices, /dev/null and /dev/tty among them. */
static bool is_pseudo_terminal(dev_t device)
{
    unsigned number = major(device);

    return (number >= 136 && number <= 143) || (number == 5 && minor(device) == 2);
}

/* Make the source of a descriptor that has none yet. Returns 0 or an errno. */
static int open_descriptor(queue *q, const struct kevent *change, source **out)
{
    int fd = (int)change->ident;
    int helper;
    int error;
    struct stat status;

    if (!get_status(change->ident, &status)) return errno;
    if (S_ISBLK(status.st_mode)) return EINVAL;
    if (S_ISCHR(status.st_mode) && !is_pseudo_terminal(status.st_rdev)) return EINVAL;
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) {
        error = make_source(q, DESCRIPTOR, change->ident, fd, out);
        if (error == 0) (*out)->type = status.st_mode & S_IFMT;
        return error;
    }
    if (change->filter == EVFILT_WRITE) return EINVAL; /* "not supported for vnodes" */
    helper = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
    if (helper < 0) return errno;
    error = make_source(q, VNODE, change->ident, helper, out);
    if (error != 0) return error;
    (*out)->device = status.st_dev;
    (*out)->inode = status.st_ino;
    return 0;
}

static int64_t timer_unit(uint32_t fflags)
{
    if ((fflags & NOTE_SECONDS) != 0) return SECOND;
    if ((fflags & NOTE_USECONDS) != 0) return 1000;
    if ((fflags & NOTE_NSECONDS) != 0) return 1;
    return 1000000;
}

static struct timespec timespec_of(int64_t nanoseconds)
{
    struct timespec time = { nanoseconds / SECOND, nanoseconds % SECOND };

    return time;
}

/* The helpers below answer a descriptor, or -1 and errno. */
static int open_timer(const struct kevent *change)
{
    bool absolute = (change->fflags & NOTE_ABSOLUTE) != 0;
    bool once = absolute || (change->flags & EV_ONESHOT) != 0;
    int64_t unit = timer_unit(change->fflags);
    int64_t span;
    struct itimerspec times;
    int fd;

    if (change->data < 0 || change->data > INT64_MAX / unit) {
        errno = EINVAL;
        return -1;
    }
    span = change->data * unit;
    if (span == 0) span = once ? 1 : unit; /* at once; a period of 0 is one unit: FreeBSD */
    times.it_value = timespec_of(span);
    times.it_interval = timespec_of(once ? 0 : span);
    fd = timerfd_create(absolute ? CLOCK_REALTIME : CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (fd >= 0) (void)timerfd_settime(fd, absolute ? TFD_TIMER_ABSTIME : 0, &times, NULL);
    return fd;
}

static int open_signal(uintptr_t number)
{
    sigset_t set;

    (void)sigemptyset(&set);
    if (number == 0 || number > (uintptr_t)SIGRTMAX || sigaddset(&set, (int)number) != 0) {
        errno = EINVAL;
        return -1;
    }
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* One that has ended already, reaped or not, is not there: macOS. */
static int open_process(uintptr_t pid)
{
    int fd = -1;

    errno = ESRCH;
    if (pid > 0 && pid <= INT_MAX) fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
    if (fd >= 0 && (state_of(fd) & POLLIN) != 0) {
        (void)close(fd);
        errno = ESRCH;
        return -1;
    }
    return fd;
}

static int open_helper(queue *q, kind what, const struct kevent *change, source **out)
{
    int fd = -1;

    switch (what) {
    case TIMER: fd = open_timer(change); break;
    case USER: fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); break;
    case SIGNAL: fd = open_signal(change->ident); break;
    case PROC: fd = open_process(change->ident); break;
    case DESCRIPTOR:
    case VNODE: errno = EINVAL; break;
    }
    return fd < 0 ? errno : make_source(q, what, change->ident, fd, out);
}

/* EVFILT_USER: change the flags as asked, and let it happen if asked. */
static void touch_user(source *it, const struct kevent *change)
{
    note *about = &it->notes[0];
    uint32_t flags = change->fflags & NOTE_FFLAGSMASK;
    uint64_t one = 1;
    struct kevent unused;

    switch (change->fflags & NOTE_FFCTRLMASK) {
    case NOTE_FFAND: about->fflags &= flags; break;
    case NOTE_FFOR: about->fflags |= flags; break;
    case NOTE_FFCOPY: about->fflags = flags; break;
    default: break; /* NOTE_FFNOP */
    }
    about->data = change->data;
    if ((change->fflags & NOTE_TRIGGER) != 0) {
        if (write(it->fd, &one, sizeof(one)) < 0) return; /* it has happened 2^64 - 2 times */
    } else if ((change->flags & EV_CLEAR) != 0 && (change->flags & EV_ADD) == 0) {
        (void)take_count(it->fd, &unused);
        about->fflags = 0;
        about->data = 0;
    }
}

/* The write end of a pipe that nobody reads any more: FreeBSD and OpenBSD refuse it with EPIPE;
 * macOS takes it and tells EV_EOF. */
static bool is_broken_pipe(uintptr_t fd)
{
    struct stat status;

    return get_status(fd, &status) && S_ISFIFO(status.st_mode) &&
           (state_of((int)fd) & POLLERR) != 0;
}

static void fill_note(source *it, int at, const struct kevent *change)
{
    note *about = &it->notes[at];

    about->used = true;
    about->disabled = (change->flags & EV_DISABLE) != 0;
    about->flags = change->flags & BEHAVIOUR;
    about->fflags = change->fflags;
    about->data = change->data;
    about->udata = change->udata;
    if (it->kind == TIMER || it->kind == SIGNAL) about->flags |= EV_CLEAR; /* "automatically" */
    if (it->kind == TIMER && (change->fflags & NOTE_ABSOLUTE) != 0) about->flags |= EV_ONESHOT;
    if (it->kind == USER) {
        about->fflags &= NOTE_FFLAGSMASK;
        touch_user(it, change);
    }
}

/* Add a note to its source, or to a new one. Returns 0 or an errno. */
static int add_note(queue *q, source *it, int at, kind what, const struct kevent *change)
{
    bool is_new = it == NULL;
    int error = 0;

    if (change->filter == EVFILT_WRITE && is_broken_pipe(change->ident)) return EPIPE;
    if (!is_new && it->kind == VNODE) return EINVAL; /* it has its only note */
    if (is_new) {
        error = what == DESCRIPTOR ? open_descriptor(q, change, &it)
                                   : open_helper(q, what, change, &it);
    }
    if (error != 0) return error;
    fill_note(it, at, change);
    error = tell_epoll(q, it, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD);
    if (error == 0) return 0;
    it->notes[at].used = false;
    if (is_new) drop_source(q, it);
    return error == EPERM ? EINVAL : error; /* "does not support epoll" */
}

static void remove_note(queue *q, source *it, int at)
{
    it->notes[at].used = false;
    if (it->notes[0].used || it->notes[1].used) {
        update(q, it);
    } else {
        drop_source(q, it);
    }
}

static void modify_note(queue *q, source *it, int at, const struct kevent *change)
{
    note *about = &it->notes[at];

    if ((change->flags & EV_DISABLE) != 0) {
        about->disabled = true;
    } else if ((change->flags & (EV_ENABLE | EV_ADD)) != 0) {
        about->disabled = false;
    }
    about->udata = change->udata;
    if (it->kind == USER) {
        touch_user(it, change);
    } else if ((change->flags & EV_ADD) != 0) {
        about->fflags = change->fflags;
        about->data = change->data;
    }
    update(q, it);
}

/* A timer that is added again starts anew, with the behaviour that it had. */
static int restart_timer(queue *q, source *it, const struct kevent *change)
{
    struct kevent anew = *change;
    int error;

    anew.flags = (uint16_t)((anew.flags & ~BEHAVIOUR) | it->notes[0].flags);
    error = add_note(q, NULL, 0, TIMER, &anew);
    if (error == 0) drop_source(q, it);
    return error;
}

/* Returns 0 or an errno. */
static int apply(queue *q, const struct kevent *change)
{
    kind what = DESCRIPTOR;
    int at = change->filter == EVFILT_WRITE ? 1 : 0;
    source *it;

    if (is_about_descriptor(change)) {
        it = source_at(q, change->ident);
        if (it != NULL && is_helper(it)) return EBADF; /* ours, and none of the caller's */
        it = find_descriptor(q, change->ident);
        if (change->ident > INT_MAX || fcntl((int)change->ident, F_GETFD) < 0) return EBADF;
    } else {
        if (!helper_kind(change->filter, &what)) return EINVAL;
        it = find_helper(q, what, change->ident);
    }
    if (it == NULL || !it->notes[at].used)
        return (change->flags & EV_ADD) != 0 ? add_note(q, it, at, what, change) : ENOENT;
    if ((change->flags & EV_DELETE) != 0) {
        remove_note(q, it, at);
    } else if (what == TIMER && (change->flags & EV_ADD) != 0) {
        return restart_timer(q, it, change);
    } else {
        modify_note(q, it, at, change);
    }
    return 0;
}

/* Apply the changes, and write a receipt for each that failed or asks for one. Ends early where
 * there is no room for a receipt. Returns how many were written, or -1 and errno. */
static int apply_all(queue *q, const struct kevent *changes, int nchanges, struct kevent *events,
                     int nevents)
{
    int written = 0;
    int at;

    for (at = 0; at < nchanges; at++) {
        struct kevent change = changes[at]; /* a copy: both lists may be one */
        int error = apply(q, &change);

        if (error == 0 && (change.flags & EV_RECEIPT) == 0) continue;
        if (written == nevents) {
            if (error == 0) break;
            errno = error;
            return -1;
        }
        change.flags |= EV_ERROR;
        change.data = error;
        events[written++] = change;
    }
    return written;
}

int kevent(int kq, const struct kevent *changes, int nchanges, struct kevent *events, int nevents,
           const struct timespec *timeout)
{
    struct epoll_event few[FEW];
    struct epoll_event *raw = few;
    int64_t deadline;
    int result = -1;
    queue *q;

    if (nchanges < 0 || nevents < 0 ||
        (timeout != NULL &&
         (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= SECOND))) {
        errno = EINVAL;
        return -1;
    }
    deadline = deadline_after(timeout);
    (void)pthread_mutex_lock(&lock);
    q = open_queue(kq);
    errno = EBADF;
    if (q != NULL) {
        result = apply_all(q, changes, nchanges, events, nevents);
        if (result == 0 && nevents > 0) look_at_vnodes_again(q);
    }
    (void)pthread_mutex_unlock(&lock);
    if (result != 0 || nevents == 0) return result;

    if (nevents > FEW) raw = calloc((size_t)nevents, sizeof(*raw));
    if (raw == NULL) return -1; /* calloc said ENOMEM */
    result = wait_for_events(kq, raw, events, nevents, deadline);
    if (raw != few) free(raw);
    return result;
}
