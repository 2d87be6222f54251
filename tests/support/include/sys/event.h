/* SPDX-License-Identifier: MIT */
/* A stand-in for kqueue on Linux: test code, so that the kqueue poller can be run where there is
 * none. Names, numbers and struct kevent are those of macOS; what it does is said in kqueue.c.
 * Source: kqueue(2) of macOS and FreeBSD. */
#ifndef ISO_TESTS_SYS_EVENT_H
#define ISO_TESTS_SYS_EVENT_H

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EVFILT_READ (-1)
#define EVFILT_WRITE (-2)
#define EVFILT_PROC (-5)
#define EVFILT_SIGNAL (-6)
#define EVFILT_TIMER (-7)
#define EVFILT_USER (-10)

/* What to do. */
#define EV_ADD 0x0001
#define EV_DELETE 0x0002
#define EV_ENABLE 0x0004
#define EV_DISABLE 0x0008

/* How an event behaves. */
#define EV_ONESHOT 0x0010
#define EV_CLEAR 0x0020
#define EV_RECEIPT 0x0040
#define EV_DISPATCH 0x0080

/* What is told. */
#define EV_ERROR 0x4000
#define EV_EOF 0x8000

/* EVFILT_USER: how the lower 24 bits of fflags change, and whether the event happens. */
#define NOTE_FFNOP 0x00000000u
#define NOTE_TRIGGER 0x01000000u
#define NOTE_FFAND 0x40000000u
#define NOTE_FFOR 0x80000000u
#define NOTE_FFCOPY 0xc0000000u
#define NOTE_FFCTRLMASK 0xc0000000u
#define NOTE_FFLAGSMASK 0x00ffffffu

/* EVFILT_TIMER: the unit of data; milliseconds without one. */
#define NOTE_SECONDS 0x00000001u
#define NOTE_USECONDS 0x00000002u
#define NOTE_NSECONDS 0x00000004u
#define NOTE_ABSOLUTE 0x00000008u

/* EVFILT_PROC; NOTE_FORK and NOTE_EXEC are taken and never happen. */
#define NOTE_EXIT 0x80000000u
#define NOTE_FORK 0x40000000u
#define NOTE_EXEC 0x20000000u
#define NOTE_EXITSTATUS 0x04000000u

struct kevent {
    uintptr_t ident;
    int16_t filter;
    uint16_t flags;
    uint32_t fflags;
    intptr_t data;
    void *udata;
};

#define EV_SET(kevp, a, b, c, d, e, f)                                                             \
    do {                                                                                           \
        struct kevent *ev_set_ = (kevp);                                                           \
        ev_set_->ident = (uintptr_t)(a);                                                           \
        ev_set_->filter = (int16_t)(b);                                                            \
        ev_set_->flags = (uint16_t)(c);                                                            \
        ev_set_->fflags = (uint32_t)(d);                                                           \
        ev_set_->data = (intptr_t)(e);                                                             \
        ev_set_->udata = (f);                                                                      \
    } while (0)

/* Make a queue: a descriptor that close() ends. Returns it, or -1 and errno. Thread: any. */
int kqueue(void);

/* Apply `changes`, then wait at most `timeout` (NULL: no end) for at most `nevents` events.
 * Returns how many, or -1 and errno. Thread: any. */
int kevent(int kq, const struct kevent *changes, int nchanges, struct kevent *events, int nevents,
           const struct timespec *timeout);

/* Not of kqueue: give back what closed queues left behind, as every call of kqueue() does. A
 * program that counts its descriptors calls it first.
 * Returns how many descriptors of its own the stand-in still needs for queues that are open.
 * Thread: any. */
int kqueue_standin_sweep(void);

#ifdef __cplusplus
}
#endif

#endif
