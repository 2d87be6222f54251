/* SPDX-License-Identifier: MIT */
/* The standard streams that this process was started with. (Not "stdio.h": there is a <sys/stdio.h>
 * on macOS, which this file would hide.) */
#ifndef ISO_SYS_STANDARD_STREAM_H
#define ISO_SYS_STANDARD_STREAM_H

#include "isoloop/base.h"

/* The descriptor of standard input (0), output (1) or error (2) of this process; ISO_FD_NONE: it
 * has none. Borrowed. Thread: any. Source: subprocess.Popen(stdin=None). */
iso_fd iso__sys_standard_stream(int which);

#endif
