/* SPDX-License-Identifier: MIT */
/* The system's own open and close of a file. isoloop sends a file that the program has open;
 * opening one is the program's own business, and is another call on each system. */
#ifndef SUPPORT_FILE_H
#define SUPPORT_FILE_H

#include <isoloop.h>

/* Open for reading; ISO_FD_NONE when that can't be done. */
iso_fd file_open(const char *path);
void file_close(iso_fd file);

#endif
