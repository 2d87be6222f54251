/* SPDX-License-Identifier: MIT */
/* Pipes, FIFOs, terminals: descriptors that are read and written and are no sockets.
 *
 * Each function returns 0, or a count, or the ISO_E code of what the system answered. A call that a
 * signal interrupts is made again. Ownership: the caller's, unless it says so. Thread: any. */
#ifndef ISO_SYS_PIPE_H
#define ISO_SYS_PIPE_H

#include "isoloop/base.h"

/* What a pipe can be used for. UNWATCHED: who only writes it must not read to learn that the other
 * end has gone; the bytes would be somebody else's: what is typed at a terminal, what a FIFO that
 * is open both ways holds for its reader. */
enum { ISO__PIPE_READS = 1, ISO__PIPE_WRITES = 2, ISO__PIPE_UNWATCHED = 4 };

/* A pipe for one loop's end and a child's other end, neither of which is inherited. The near end is
 * non-blocking, or opened for overlapped use; the far one is as a program expects its standard
 * stream to be: blocking. `uses`: what the near end does, ISO__PIPE_READS or ISO__PIPE_WRITES. */
int iso__sys_pipe_open(iso_fd *near_end, iso_fd *far_end, unsigned uses);

/* Take over a descriptor that the program opened: non-blocking; *uses: what it can be used for.
 * Windows: a handle for overlapped use, or else ISO_ENOTOVERLAPPED.
 * Returns 0, ISO_EBADF, ISO_ENOTPIPE (a regular file, a directory). */
int iso__sys_pipe_adopt(iso_fd fd, unsigned *uses);

/* Read, and write, what can be at once: a count (0 from read: the other end is closed), ISO_EAGAIN,
 * or an error (ISO_EPIPE from write: the other end is closed; no SIGPIPE). writev takes at most the
 * first ISO__SYS_SENDV_MAX pieces. Windows: an overlapped handle is written by a driver only, so
 * that writev answers ISO_EAGAIN. */
ptrdiff_t iso__sys_pipe_read(iso_fd fd, void *data, size_t size);
ptrdiff_t iso__sys_pipe_writev(iso_fd fd, const iso_buffer *list, size_t count);

/* Close. Closes even when it answers an error. */
int iso__sys_pipe_close(iso_fd fd);

#endif
