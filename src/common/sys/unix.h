/* SPDX-License-Identifier: MIT */
/* Sockets with the path of a file for an address. Where there are none each function answers
 * ISO_ENOTSUP; a row of the limits table comes before.
 *
 * Each function returns 0, or a count, or the ISO_E code of what the system answered. Ownership:
 * the caller's. Thread: any. */
#ifndef ISO_SYS_UNIX_H
#define ISO_SYS_UNIX_H

#include "isoloop/unix.h"

/* As much as any system has room for (Linux); what this one takes, iso__sys_unix_address knows. */
enum { ISO__SYS_UNIX_PATH_MAX = 108 };

/* A path, or an abstract name, which begins with a NUL byte; length 0: no name. */
typedef struct iso__unix_address {
    uint32_t length;
    char path[ISO__SYS_UNIX_PATH_MAX];
} iso__unix_address;

/* Which file it is, so that another one at the same path can be told from it. */
typedef struct iso__unix_file {
    uint64_t device;
    uint64_t inode;
} iso__unix_file;

/* 0, or why this system has no such sockets. */
int iso__sys_unix_availability(void);

/* Make an address of a path of `length` bytes.
 * Returns 0; ISO_EINVAL (empty, too long, a NUL within) and ISO_ENOTSUP (an abstract name where
 * there is none), with a detail. */
int iso__sys_unix_address(iso__unix_address *out, const char *path, size_t length);

/* A stream socket, set up as one of iso__sys_socket_open. */
int iso__sys_unix_open(iso_fd *out);

/* 0 for a unix stream socket, ISO_EINVAL for another one, or ISO_EBADF, ISO_ENOTSOCK. */
int iso__sys_unix_require(iso_fd fd);

int iso__sys_unix_bind(iso_fd fd, const iso__unix_address *address);

/* Connect. 0: connected; ISO_EAGAIN (the backlog is full) or ISO_EINPROGRESS: call it again in a
 * while, on the same socket. */
int iso__sys_unix_connect(iso_fd fd, const iso__unix_address *address);

/* What a socket is bound to, and its peer. ISO_EINVAL: not a unix socket. */
int iso__sys_unix_sockname(iso_fd fd, iso__unix_address *out);
int iso__sys_unix_peername(iso_fd fd, iso__unix_address *out);

/* Which file a socket file is. Returns 0; ISO_ENOENT when there is none: nothing is at the path, or
 * something else, or it is an abstract name. */
int iso__sys_unix_identify(const iso__unix_address *address, iso__unix_file *out);

/* Remove a socket file, any that is there (`file` NULL), or this one. 0 also when it is not there:
 * what is no socket, or another one, stays. */
int iso__sys_unix_remove(const iso__unix_address *address, const iso__unix_file *file);

/* As iso_unix_peercred, iso_unix_send_fd and iso_unix_recv_fd, for a unix socket, with arguments
 * that can be. */
int iso__sys_unix_peercred(iso_fd fd, iso_unix_credentials *out);
ptrdiff_t iso__sys_unix_send_fd(iso_fd sock, iso_fd fd, const void *data, size_t size);
ptrdiff_t iso__sys_unix_recv_fd(iso_fd sock, void *data, size_t size, iso_fd *fd);

#endif
