/* SPDX-License-Identifier: MIT */
/* Signals, brought from their handler to whoever waits for them. (The header is not called
 * signal.h, which is a name of the system's in a folder of this name.)
 *
 * Several sinks may want the same signal, and each gets it. The first that wants it installs a
 * handler, the last that does not any more puts back what was there before. A child of fork has
 * what was there before from its beginning, and no sink of its parent's gets a signal of the
 * child's. */
#ifndef ISO_SYS_SIGNALS_H
#define ISO_SYS_SIGNALS_H

#include "base/atomic.h"
#include "sys/wake.h"

/* Numbers are below this one on every system. Source: _SIG_MAXSIG of FreeBSD, _NSIG of Linux. */
enum { ISO__SIGNALS_END = 129 };

/* One that waits. It stays where it is from open to close. */
typedef struct iso__signal_sink {
    iso__wake wake;                           /* the reader is readable when a signal has come */
    iso__atomic_u32 states[ISO__SIGNALS_END]; /* unwanted, wanted, or come: signals.c */
    iso__atomic_ptr next;
} iso__signal_sink;

/* Whether the system has such a signal. Thread: any. Source: sigfillset, sigismember. */
bool iso__sys_signal_exists(int signum);

/* Make a sink that wants nothing yet. Returns 0; ISO_EMFILE, ISO_ENFILE, ISO_ENOMEM; ISO_ENOTSUP
 * (Windows). Thread: any.
 * Ownership: the caller's until close, after which no handler knows it; close gives up what it
 * still wants. */
int iso__sys_signals_open(iso__signal_sink *sink);
void iso__sys_signals_close(iso__signal_sink *sink);

/* Want a signal from here on, or not any more: one that came and was not taken is forgotten then.
 * What somebody else has put in the place of the handler meanwhile is left there by unwant; want,
 * also of one that is wanted already, takes the place again.
 * want returns 0, or ISO_EINVAL for one that cannot be caught. Thread: any, one at a time for a
 * sink. Source: sigaction, SA_RESTART: what is interrupted goes on. */
int iso__sys_signals_want(iso__signal_sink *sink, int signum);
void iso__sys_signals_unwant(iso__signal_sink *sink, int signum);

/* Before a round of take: the reader is not readable any more, but for signals from here on. */
void iso__sys_signals_drain(const iso__signal_sink *sink);

/* Whether this one has come since it was last taken, once or more often. Thread: any. */
bool iso__sys_signals_take(iso__signal_sink *sink, int signum);

#endif
