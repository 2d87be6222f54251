/* SPDX-License-Identifier: MIT */
/* What the library sets on a socket and has no need to ask for: option_posix.c, option_win32.c. */
#ifndef ISO_TESTS_IO_OPTION_H
#define ISO_TESTS_IO_OPTION_H

#include "isoloop/base.h"

/* Whether TCP_NODELAY is on; false also for what is no TCP socket. */
bool option_is_nodelay(iso_fd fd);

#endif
