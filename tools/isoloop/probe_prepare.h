/* SPDX-License-Identifier: MIT */
/* What a call that breaks a row needs, or the work that the row is for. */
#ifndef PROBE_PREPARE_H
#define PROBE_PREPARE_H

#include "probe.h"

/* Undo what was prepared, but for the two descriptors. NULL loop: nothing was. */
void prepare_dismiss(probe_stand *stand);

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

/* The one end of the pipe with a name, or the other: borrowed. */
iso_transport *prepare_named_end(const probe_stand *stand, int side);

/* A name for a pipe that no other program serves, the same for one stand. */
const char *prepare_pipe_name(probe_stand *stand);

#endif
