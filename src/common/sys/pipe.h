/* SPDX-License-Identifier: MIT */
/* Pipes, FIFOs, terminals: descriptors that are read and written and are no sockets; and what it
 * takes for a socket to stand for one.
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

/* What a descriptor that the program opened can be used for, in *uses. Changes nothing.
 * Returns 0, ISO_EBADF, ISO_ENOTPIPE (a regular file, a directory), on Windows ISO_ENOTOVERLAPPED
 * for a handle that is not for overlapped use. */
int iso__sys_pipe_uses(iso_fd fd, unsigned *uses);

/* What was before a descriptor was taken over. */
typedef struct iso__pipe_before {
    iso_fd original; /* a terminal: the open file that its number was of; else none */
    intptr_t mode;   /* of the open file, or of the handle */
} iso__pipe_before;

/* Take over what iso__sys_pipe_uses has a use for: it does not block from here on. A terminal is
 * opened anew, by its name, and gets the number `fd`, for O_NONBLOCK belongs to the open file,
 * which the shell and the other standard streams have too; one that can't be opened so, and
 * everything else, is made non-blocking as it is.
 * Returns 0, ISO_EBADF, ISO_EMFILE, or what the system answers, and all is as it was. After 0 one
 * of the two has to be called: drop it and have everything as before, or go on with it.
 * Source: libuv, uv_tty_init. */
int iso__sys_pipe_adopt(iso_fd fd, iso__pipe_before *before);
void iso__sys_pipe_give_back(iso_fd fd, iso__pipe_before *before);
void iso__sys_pipe_keep(iso__pipe_before *before);

/* Read, and write, what can be at once: a count (0 from read: the other end is closed), ISO_EAGAIN,
 * or an error (ISO_EPIPE from write: the other end is closed; no SIGPIPE). writev takes at most the
 * first ISO__SYS_SENDV_MAX pieces. Not of a socket, which sys/sock.h has calls for. Windows: an
 * overlapped handle is written by a driver only, so that writev answers ISO_EAGAIN. */
ptrdiff_t iso__sys_pipe_read(iso_fd fd, void *data, size_t size);
ptrdiff_t iso__sys_pipe_writev(iso_fd fd, const iso_buffer *list, size_t count);

/* Close. Closes even when it answers an error. */
int iso__sys_pipe_close(iso_fd fd);

#endif
