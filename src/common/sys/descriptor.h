/* SPDX-License-Identifier: MIT */
/* What a descriptor is. */
#ifndef ISO_SYS_DESCRIPTOR_H
#define ISO_SYS_DESCRIPTOR_H

#include "isoloop/base.h"

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

/* How many descriptors this process may have open, at least; INT64_MAX when it can't be said.
 * Source: getrlimit(RLIMIT_NOFILE). Thread: any. */
int64_t iso__sys_descriptor_limit(void);

#endif
