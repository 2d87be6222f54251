/* SPDX-License-Identifier: MIT */
/* Files for the tests of sendfile, and what the library has no need to do to a file: file_posix.c,
 * file_win32.c. A file has no name that outlives it. Each int is 0 or an ISO_E code. */
#ifndef ISO_TESTS_IO_FILE_H
#define ISO_TESTS_IO_FILE_H

#include "isoloop/base.h"

typedef enum file_use {
    FILE_FOR_BOTH = 0, /* reading and writing */
    FILE_FOR_WRITING,
    FILE_FOR_OVERLAPPED /* where there is such a thing; it has no position then */
} file_use;

/* An empty one. */
int file_open(iso_fd *out, file_use use);
int file_write(iso_fd file, uint64_t offset, const void *data, size_t size);
int file_cut(iso_fd file, uint64_t size);
uint64_t file_position(iso_fd file);

/* A directory, open for reading. */
int file_open_directory(iso_fd *out);

/* Have a SIGPIPE wait for this thread; and whether there is one: it is taken away. Where there are
 * no signals: nothing, true. */
void file_leave_signal(void);
bool file_take_signal(void);

#endif
