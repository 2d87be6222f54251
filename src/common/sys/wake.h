/* SPDX-License-Identifier: MIT */
/* A descriptor that one thread waits on and any other can make readable. */
#ifndef ISO_SYS_WAKE_H
#define ISO_SYS_WAKE_H

#include "isoloop/base.h"

/* Both may be one and the same (eventfd), or two ends (pipe, socket pair). */
typedef struct iso__wake {
    iso_fd reader; /* to wait on */
    iso_fd writer;
} iso__wake;

/* Open it, non-blocking and not inherited. On Windows the reader is a socket, since select takes no
 * other: a pair of loopback TCP sockets, closed to strangers (the peer's address is checked).
 * Returns 0, ISO_EMFILE, ISO_ENFILE, ISO_ENOMEM or what the system answers. Thread: any. */
int iso__sys_wake_open(iso__wake *out);

/* Make it readable; harmless when it is already. Thread: any, and a signal handler. */
void iso__sys_wake_signal(const iso__wake *wake);

/* Make it not readable again. Thread: the one that waits. */
void iso__sys_wake_drain(const iso__wake *wake);

void iso__sys_wake_close(iso__wake *wake);

#endif
