/* SPDX-License-Identifier: MIT */
/* Callbacks for the signals of POSIX. asyncio's add_signal_handler is the model. */
#ifndef ISOLOOP_SIGNALS_H
#define ISOLOOP_SIGNALS_H

#include "loop.h"

ISO_BEGIN_DECLS

/* Have `callback` called by the loop, in a turn and never in the middle of something, when the
 * process gets the signal `signum`; a second call for the same signal replaces callback and
 * argument. A signal that comes several times before the loop gets to it is told at least once.
 * Several loops may have handlers for the same signal: each is called.
 *
 * What the signal did before, by default or by the program's sigaction, it does again once the last
 * handler for it is removed or its loop closed; a sigaction of the program's in between stays. It
 * does so at once in a child of fork, where the parent's handlers are not called. A blocked signal
 * stays blocked. System calls that a signal interrupts go on (SA_RESTART).
 *
 * Returns 0; ISO_ENOTSUP (a row of the limits table: Windows has none of this); ISO_EINVAL (no
 * callback; or no such signal, or one that cannot be caught: SIGKILL, SIGSTOP); ISO_ETHREAD (not
 * the loop's thread, or not the main thread: iso_error_detail tells which); ISO_EMFILE, ISO_ENOMEM,
 * ISO_ELIMIT, ISO_ECLOSED, ISO_EFORKED. A refusal leaves everything as it was.
 * Ownership: `arg` is lent until the handler is removed or replaced.
 * Source: loop.add_signal_handler; asyncio raises ValueError for the number and RuntimeError for
 * the thread, and has one loop for each signal. */
ISO_API int iso_loop_add_signal_handler(iso_loop *loop, int signum, iso_callback callback,
                                        void *arg);

/* Remove it; a callback that was due in this turn is not called. Thread: the loop's, also when that
 * is not the main thread any more.
 * Returns 0, ISO_ENOENT (there was none), ISO_EINVAL (no such signal), ISO_ENOTSUP (the same row),
 * ISO_ECLOSED, ISO_ETHREAD, ISO_EFORKED.
 * Source: loop.remove_signal_handler, which restores the default instead of what there was. */
ISO_API int iso_loop_remove_signal_handler(iso_loop *loop, int signum);

ISO_END_DECLS

#endif
