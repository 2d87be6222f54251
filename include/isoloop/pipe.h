/* SPDX-License-Identifier: MIT */
/* Pipes, and on Windows pipes with a name.
 *
 * Where a kind of loop has none of these the calls answer ISO_ENOTSUP before anything else happens:
 * iso_loop_supports(ISO_CAP_PIPES, ISO_CAP_NAMED_PIPES) tells beforehand. */
#ifndef ISOLOOP_PIPE_H
#define ISOLOOP_PIPE_H

#include "tcp.h"

ISO_BEGIN_DECLS

/* Make a transport of the end of a pipe, a FIFO, a terminal or another character device, or of a
 * socket, to read from it, or to write to it: one of the two, whatever it can do. On Windows it
 * must have been opened with FILE_FLAG_OVERLAPPED; sockets are. The future's result is the
 * iso_transport, once connection_made has been called; cancelling it closes the pipe.
 * A reader ends with its writer: after eof_received comes connection_lost, whatever the former
 * answers. A writer is told by connection_lost when its reader has gone (0, or ISO_EPIPE when there
 * was output; not of a device); write_eof closes it once all is written. A pipe without a reader
 * raises no SIGPIPE. The descriptor becomes non-blocking, and stays so: with it every one of the
 * same open file, in other processes too. Only a terminal is opened anew for it, by its name, so
 * that the shell and the other standard streams, which have the same open file, go on blocking;
 * unless it has no name here (the user's side of a pseudo-terminal) or may not be opened. To keep
 * standard input after the transport has closed, give a duplicate of it.
 * A terminal that is hung up ends as the system has it: with eof_received, or
 * connection_lost(ISO_EIO); the user's side of a pseudo-terminal so, too, on Linux, when the last
 * program has closed the other one.
 * Return 0; ISO_EBADF, ISO_ENOTPIPE (a regular file, a directory), ISO_EREGULARFILE or ISO_ENOTSUP
 * (a device, to be read, that the selector does not wait for), ISO_ENOTOVERLAPPED,
 * ISO_EFOREIGNPORT, ISO_ENOTSUP, ISO_ELIMIT (rows of the limits table: iso_loop_last_limit);
 * ISO_EINVAL (a NULL; an end that can't be used so: iso_error_detail), ISO_EBUSY (it is in use in
 * this loop), ISO_ENOMEM, ISO_ECLOSED, ISO_ETHREAD. Ownership: `pipe` is given when the call
 * returns 0.
 * Source: loop.connect_read_pipe, connect_write_pipe. */
ISO_API int iso_loop_connect_read_pipe(iso_loop *loop, const iso_protocol *protocol, void *self,
                                       iso_fd pipe, iso_future **out);
ISO_API int iso_loop_connect_write_pipe(iso_loop *loop, const iso_protocol *protocol, void *self,
                                        iso_fd pipe, iso_future **out);

/* Connect to a pipe by its name, "\\.\pipe\name", UTF-8; while all of its instances are taken it is
 * tried again, after 1 ms, then after twice as long each time, up to 100 ms. The future's result is
 * the iso_transport, once connection_made has been called; or ISO_ENOENT (nobody serves that name),
 * ISO_EACCES, or what the system answers. Cancelling the future gives up. One direction cannot be
 * ended alone: write_eof is a limits row.
 * Returns 0; ISO_ENOTSUP, ISO_ELIMIT (limits rows); ISO_EINVAL (a NULL, not the name of a pipe),
 * ISO_ENOMEM, ISO_ECLOSED, ISO_ETHREAD.
 * Ownership: protocol is lent until the connection is lost; address is borrowed.
 * Source: ProactorEventLoop.create_pipe_connection. */
ISO_API int iso_loop_create_pipe_connection(iso_loop *loop, const iso_protocol *protocol,
                                            void *self, const char *address, iso_future **out);

/* Serve a pipe by its name, from this call on: the future's result is an iso_server without an
 * address. Several instances are kept listening. The name must be new, and no other user can add an
 * instance; clients come from this machine only, and from the same user. A closed server's name is
 * taken as long as one of its clients is left: others find it busy.
 * Returns 0; ISO_ENOTSUP (limits rows); ISO_EINVAL (a NULL, not the name of a pipe),
 * ISO_EADDRINUSE (somebody has that name), ISO_ENOMEM, ISO_ECLOSED, ISO_ETHREAD, or what the system
 * answers.
 * Ownership: protocol is lent until the server and its connections are closed; address is borrowed.
 * Source: ProactorEventLoop.start_serving_pipe. */
ISO_API int iso_loop_start_serving_pipe(iso_loop *loop, const iso_protocol *protocol, void *self,
                                        const char *address, iso_future **out);

ISO_END_DECLS

#endif
