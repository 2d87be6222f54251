/* SPDX-License-Identifier: MIT */
/* The loop that a try stands on, and waiting in it, each wait for ten seconds at most. */
#ifndef PROBE_STAND_H
#define PROBE_STAND_H

#include "probe.h"

/* Make the loop. Returns 0, or an error and a note. */
int stand_open(probe_stand *stand, const iso_limit *row, const char *backend, const char *profile);

/* Close what was made for the call, and the loop. */
void stand_close(probe_stand *stand);

/* What is open in the loop just now; to count the descriptors of the process, too, takes time on
 * Windows. */
probe_count stand_count(const probe_stand *stand);
probe_count stand_count_all(const probe_stand *stand);

/* Whether a callback is still called. */
bool stand_goes_on(probe_stand *stand);

/* Say what went wrong, unless something was said before; answers the error. */
int stand_fail(probe_stand *stand, const char *what, int error);

/* Say what went well. */
void stand_note(probe_stand *stand, const char *format, ...);

/* Say why something could not be tried; answers `ready`. */
probe_ready stand_want(probe_stand *stand, probe_ready ready, const char *what);

/* Wait until the future is done, and answer how it ended; or until *count is `least`, answering 0;
 * or until the loop has nothing open but what it had at first. ISO_ETIMEDOUT when that does not
 * come. */
int stand_wait(probe_stand *stand, iso_future *future);
int stand_until(probe_stand *stand, const int *count, int least);
int stand_settle(probe_stand *stand);

/* Wait for the future that a call gave, whose answer is `rc`. *out is its result, if it is not
 * NULL; the future is released by whoever has it. */
int stand_finish(probe_stand *stand, const char *what, int rc, iso_future *future, void **out);

#endif
