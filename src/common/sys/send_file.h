/* SPDX-License-Identifier: MIT */
/* From a file to a socket, without the bytes coming by; and the little else of files that sending
 * one takes. Offsets, and an offset and a size together, are at most INT64_MAX.
 *
 * Ownership: descriptors are borrowed for the call. Thread: any. */
#ifndef ISO_SYS_SEND_FILE_H
#define ISO_SYS_SEND_FILE_H

#include "isoloop/base.h"

/* Send, of at most `size` bytes (not 0) of a regular file from `offset` on, what can be sent at
 * once. The file's own position stays as it is. A connection that is closed is ISO_EPIPE or
 * ISO_ECONNRESET, never a signal.
 * Returns how many, 0 at the end of the file, ISO_EAGAIN, ISO_ENOTSUP (this file and this socket
 * can't be joined so, or this system has no such call: copy), or what the system answers; nothing
 * was sent then. Source: sendfile(2) of Linux, macOS, FreeBSD. */
ptrdiff_t iso__sys_sendfile(iso_fd sock, iso_fd file, uint64_t offset, size_t size);

/* Read at most `size` bytes of a regular file from `offset` on, waiting for the disk; its own
 * position stays as it is. On Windows the handle may be one for overlapped use or not, and tied to
 * a completion port: no packet comes.
 * Returns how many, 0 at its end, ISO_EBADF (not open, or, on POSIX, not for reading), or what the
 * system answers. Source: pread(2), ReadFile. */
ptrdiff_t iso__sys_file_read(iso_fd file, uint64_t offset, void *data, size_t size);

/* The size of a regular file, in *size; and move its position.
 * Return 0, ISO_EBADF, file_size ISO_EINVAL (no regular file), or what the system answers.
 * Source: fstat, lseek; GetFileInformationByHandle, SetFilePointerEx. */
int iso__sys_file_size(iso_fd file, uint64_t *size);
int iso__sys_file_seek(iso_fd file, uint64_t position);

#endif
