/* SPDX-License-Identifier: MIT */
/* What the child of the process tests needs of the system and C11 does not have: child_posix.c,
 * child_win32.c. */
#ifndef ISO_TESTS_CHILD_OS_H
#define ISO_TESTS_CHILD_OS_H

#include <stddef.h>

/* The arguments in UTF-8, NULL at the end; and bytes go through the standard streams as they
 * are. */
char **child_os_begin(char **argv);

/* A variable of the environment in UTF-8; NULL: there is none. */
const char *child_os_getenv(const char *name);

/* Some bytes, 0 at the end, < 0: an error; and how many were written. */
long child_os_read(int fd, void *data, size_t size);
long child_os_write(int fd, const void *data, size_t size);
void child_os_close(int fd);

/* Be there for a minute: a test that fails leaves nothing behind for longer. */
void child_os_hang(void);

/* Start this program once more, in another mode, with the same standard streams. Returns 0, or
 * another number if it can't. */
int child_os_start(const char *mode);

/* How many descriptors are open besides 0, 1 and 2; on Windows, pipes that are no standard
 * stream. */
int child_os_count_descriptors(void);

#endif
