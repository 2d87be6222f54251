/* SPDX-License-Identifier: MIT */
/* The system's own pipe. isoloop makes a transport of an end that the program has; on Windows that
 * must have been opened for overlapped use, which a pipe of CreatePipe is not. */
#ifndef SUPPORT_PIPE_H
#define SUPPORT_PIPE_H

#include <isoloop.h>

/* The end that is read, then the one that is written; false when that can't be had. */
bool pipe_open(iso_fd ends[2]);
void pipe_close(iso_fd end);

#endif
