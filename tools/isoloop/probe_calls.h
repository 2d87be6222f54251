/* SPDX-License-Identifier: MIT */
/* The calls that break a row, each with what it needs. */
#ifndef PROBE_CALLS_H
#define PROBE_CALLS_H

#include "probe.h"

/* Undo what was prepared, but for the two descriptors. NULL loop: nothing was. */
void calls_dismiss(probe_stand *stand);

/* ---- what is prepared ----------------------------------------------------------------------- */

probe_ready prepare_pipe(probe_stand *stand);
probe_ready prepare_transport_pipe(probe_stand *stand);
probe_ready prepare_blocking_pipe(probe_stand *stand); /* not overlapped */
probe_ready prepare_pair(probe_stand *stand);
probe_ready prepare_file(probe_stand *stand);
probe_ready prepare_device(probe_stand *stand);
probe_ready prepare_closed(probe_stand *stand);
probe_ready prepare_high(probe_stand *stand);    /* from row->limit on */
probe_ready prepare_tied(probe_stand *stand);    /* to a completion port */
probe_ready prepare_current(probe_stand *stand); /* the loop is this thread's */
probe_ready prepare_crowd(probe_stand *stand);   /* row->limit sockets are registered */
probe_ready prepare_named(probe_stand *stand);   /* a pipe with a name, both of its ends */

/* Whether a byte still arrives on the first socket of the crowd. */
bool crowd_goes_on(probe_stand *stand);

/* ---- calls ---------------------------------------------------------------------------------- */

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

/* A name for a pipe that no other program serves, the same for one stand. */
const char *calls_pipe_name(probe_stand *stand);

#endif
