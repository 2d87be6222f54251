/* SPDX-License-Identifier: MIT */
/* What a descriptor is. */
#ifndef ISO_SYS_DESCRIPTOR_H
#define ISO_SYS_DESCRIPTOR_H

#include "isoloop/base.h"
#include "isoloop/error.h"

typedef enum iso__descriptor_kind {
    ISO__DESCRIPTOR_BAD = 0, /* not open */
    ISO__DESCRIPTOR_SOCKET,
    ISO__DESCRIPTOR_PIPE,
    ISO__DESCRIPTOR_DEVICE, /* a character device: terminals, /dev/null */
    ISO__DESCRIPTOR_FILE,   /* a regular file, a directory, a block device */
    ISO__DESCRIPTOR_OTHER   /* what can be waited for and is none of these: eventfd, kqueue, ... */
} iso__descriptor_kind;

/* Thread: any. Source: fstat; getsockopt(SO_TYPE), GetFileType. */
iso__descriptor_kind iso__sys_descriptor_kind(iso_fd fd);

/* Whether it is open. It answers at once; to ask what kind it is waits, on Windows, while another
 * thread reads from a handle that is not overlapped. Thread: any.
 * Source: fcntl(F_GETFD); GetHandleInformation. */
bool iso__sys_descriptor_is_open(iso_fd fd);

/* 0 for a socket; ISO_EBADF, or ISO_ENOTSOCK. Thread: any. */
static inline int iso__sys_descriptor_require_socket(iso_fd fd)
{
    switch (iso__sys_descriptor_kind(fd)) {
    case ISO__DESCRIPTOR_SOCKET: return 0;
    case ISO__DESCRIPTOR_BAD: return ISO_EBADF;
    case ISO__DESCRIPTOR_PIPE:
    case ISO__DESCRIPTOR_DEVICE:
    case ISO__DESCRIPTOR_FILE:
    case ISO__DESCRIPTOR_OTHER: break;
    }
    return ISO_ENOTSOCK;
}

/* 0 for what a selector can wait for; ISO_EBADF; ISO_EREGULARFILE. Thread: any. */
static inline int iso__sys_descriptor_require_waitable(iso_fd fd)
{
    switch (iso__sys_descriptor_kind(fd)) {
    case ISO__DESCRIPTOR_BAD: return ISO_EBADF;
    case ISO__DESCRIPTOR_FILE: return ISO_EREGULARFILE;
    case ISO__DESCRIPTOR_SOCKET:
    case ISO__DESCRIPTOR_PIPE:
    case ISO__DESCRIPTOR_DEVICE:
    case ISO__DESCRIPTOR_OTHER: break;
    }
    return 0;
}

/* How many descriptors this process may have open, at least; INT64_MAX when it can't be said.
 * Source: getrlimit(RLIMIT_NOFILE). Thread: any. */
int64_t iso__sys_descriptor_limit(void);

/* How many this process has open; -1 where the system does not tell. On Windows: handles of every
 * sort. Thread: any. Source: /proc/self/fd, /dev/fd of macOS, getdtablecount of OpenBSD;
 * GetProcessHandleCount. */
int64_t iso__sys_descriptor_count(void);

#endif
