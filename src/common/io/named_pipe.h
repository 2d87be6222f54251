/* SPDX-License-Identifier: MIT */
/* Pipes with a name: what both calls have in common. */
#ifndef ISO_IO_NAMED_PIPE_H
#define ISO_IO_NAMED_PIPE_H

#include "isoloop/pipe.h"

/* What start_serving_pipe and create_pipe_connection refuse: first what the loop or the platform
 * does not do. Returns 0, ISO_EINVAL, ISO_ENOTSUP (a limits row), ISO_ECLOSED, ISO_ETHREAD.
 * Thread: loop. */
int iso__named_pipe_check(iso_loop *loop, const iso_protocol *protocol, const char *address);

#endif
