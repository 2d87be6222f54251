/* SPDX-License-Identifier: MIT */
/* Pipes with a name and instances (Windows). Where there are none each function answers
 * ISO_ENOTSUP; a row of the limits table comes before.
 *
 * Ownership: the caller's, who closes with iso__sys_pipe_close. Thread: any. */
#ifndef ISO_SYS_NAMED_PIPE_H
#define ISO_SYS_NAMED_PIPE_H

#include "isoloop/base.h"

/* Whether this is the name of a pipe of this machine: "\\.\pipe\" and something behind it, UTF-8,
 * 256 characters at most, and no way out of that folder. Returns 0 or ISO_EINVAL. */
int iso__sys_named_pipe_check(const char *name);

/* Make an instance that a client can connect to: duplex, bytes, for overlapped use, not inherited,
 * remote clients rejected, open to the user that this process runs as alone. `is_first`: the name
 * must be new.
 * Returns 0; ISO_EADDRINUSE (is_first: it exists; else: it is somebody else's); ISO_EINVAL,
 * ISO_ENOMEM, ISO_EMFILE, or what the system answers. Source: CreateNamedPipe. */
int iso__sys_named_pipe_serve(iso_fd *out, const char *name, bool is_first);

/* Connect to one, for overlapped use; the server can identify the client, not act for it.
 * Returns 0; ISO_EBUSY: all instances are taken, try again; ISO_ENOENT, ISO_EACCES, ISO_EINVAL, or
 * what the system answers. Source: CreateFile, SECURITY_IDENTIFICATION. */
int iso__sys_named_pipe_connect(iso_fd *out, const char *name);

/* Have the client of an instance, or what is left of it, go away, so that the instance can wait for
 * the next one. Returns 0, or what the system answers. Source: DisconnectNamedPipe. */
int iso__sys_named_pipe_disconnect(iso_fd fd);

#endif
