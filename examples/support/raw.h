/* SPDX-License-Identifier: MIT */
/* The system's own recv and send. isoloop watches a descriptor for add_reader; reading from it is
 * the program's own business, and has another header on each system. */
#ifndef SUPPORT_RAW_H
#define SUPPORT_RAW_H

#include <isoloop.h>

/* How many bytes; 0 at the end of the stream; -1 when there is nothing to read, or no room to
 * write. */
int raw_recv(iso_fd sock, void *buffer, size_t size);
int raw_send(iso_fd sock, const void *data, size_t size);

#endif
