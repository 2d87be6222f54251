/* SPDX-License-Identifier: MIT */
/* What the library has no need to ask or to set: option_posix.c, option_win32.c. */
#ifndef ISO_TESTS_IO_OPTION_H
#define ISO_TESTS_IO_OPTION_H

#include "isoloop/base.h"

/* Whether TCP_NODELAY is on; false also for what is no TCP socket. */
bool option_is_nodelay(iso_fd fd);

/* Have the system keep few bytes of a socket, so that a transport soon has to keep some itself. */
void option_keep_few(iso_fd fd);

/* Two unix sockets of datagrams that are connected to each other, and block; false where there are
 * none. */
bool option_datagram_pair(iso_fd out[2]);

/* The name of an interface; what was set for datagrams to a group, a time to live (`loop` false)
 * or whether they are heard here, and for others; -1: the system does not say. */
bool option_interface_name(uint32_t index, char *text, size_t size);
int option_multicast(iso_fd fd, int version, bool loop);
int option_ttl(iso_fd fd, int version);

#endif
