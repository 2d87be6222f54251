/* SPDX-License-Identifier: MIT */
/* What the calls of a row are for, done for real: where the row is not enforced it must work. Each
 * answers 0, or an error and a note. */
#ifndef PROBE_WORK_H
#define PROBE_WORK_H

#include "probe.h"

/* probe_talk.c: bytes that travel */
int work_unix(probe_stand *stand);
int work_reuse_port(probe_stand *stand);
int work_named_pipe(probe_stand *stand);
int work_pipe(probe_stand *stand);
int work_half_close(probe_stand *stand);
int work_datagram(probe_stand *stand);

/* probe_watch.c: descriptors that are watched */
int work_watch_pair(probe_stand *stand);
int work_watch_pipe(probe_stand *stand);
int work_watch_devices(probe_stand *stand);
int work_high(probe_stand *stand);
int work_shared_socket(probe_stand *stand);
int work_crowd(probe_stand *stand);
int work_grade(probe_stand *stand);

/* probe_host.c: signals, programs, clocks, other loops */
int work_signal(probe_stand *stand);
int work_child(probe_stand *stand);
int work_subprocess(probe_stand *stand);
int work_proactor(probe_stand *stand);
int work_clock(probe_stand *stand);
int work_descriptors(probe_stand *stand);

#endif
