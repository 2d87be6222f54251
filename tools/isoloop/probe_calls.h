/* SPDX-License-Identifier: MIT */
/* The calls that break a row. Each list ends with a call without a name. */
#ifndef PROBE_CALLS_H
#define PROBE_CALLS_H

#include "probe.h"

extern const probe_call calls_unix[];
extern const probe_call calls_signals[];
extern const probe_call calls_child_watcher[];
extern const probe_call calls_reuse_port[];
extern const probe_call calls_crowd[];
extern const probe_call calls_watch[];      /* fds[0] */
extern const probe_call calls_watch_only[]; /* the same, and the removal */
extern const probe_call calls_device[];     /* and what connects a pipe */
extern const probe_call calls_pipes[];      /* fds[0] to read, fds[1] to write, and by name */
extern const probe_call calls_adopt[];      /* fds[0] to read, fds[1] to write */
extern const probe_call calls_adopt_file[]; /* fds[0] both ways */
extern const probe_call calls_subprocess[];
extern const probe_call calls_named[];
extern const probe_call calls_availability[];
extern const probe_call calls_datagram[];
extern const probe_call calls_write_eof[];
extern const probe_call calls_foreign[];
extern const probe_call calls_high[];

#endif
