/* SPDX-License-Identifier: MIT */
/* What the kit needs of the system and the library does not: kit_posix.c, kit_win32.c. Each
 * function that returns an int returns 0 or an ISO_E code. */
#ifndef ISO_TESTS_KIT_OS_H
#define ISO_TESTS_KIT_OS_H

#include "isoloop/base.h"

/* Before the first case. */
void kit_os_begin(void);

/* How many descriptors are open: all on POSIX, the sockets on Windows. */
int kit_os_count_descriptors(void);

int kit_os_pipe(iso_fd out[2]);
int kit_os_open_regular_file(iso_fd *out);
int kit_os_open_device(iso_fd *out);

/* Close what is no socket; write to it; go to the beginning of a file. */
void kit_os_close(iso_fd fd);
int kit_os_write(iso_fd fd, const void *data, size_t size);
int kit_os_rewind(iso_fd fd);

/* To a completion port of nobody's; ISO_ENOTSUP where there are none. */
int kit_os_tie_to_a_port(iso_fd fd);

/* ISO_ENOTSUP where the system chooses the numbers. */
int kit_os_duplicate_above(iso_fd fd, iso_fd lowest, iso_fd *out);

/* Raise the limit of open descriptors to `count`, if it is lower. */
int kit_os_allow_descriptors(int count);

/* Use every descriptor up; ISO_ENOTSUP where there is no end to them. And give them back. */
int kit_os_exhaust(void);
void kit_os_replenish(void);

/* NULL: not in the environment. */
void kit_os_setenv(const char *name, const char *value);

bool kit_os_is_wine(void);

/* A gate: new is shut, NULL for want of memory; wait answers whether it was open within
 * `timeout`. */
typedef struct kit_os_gate kit_os_gate;

kit_os_gate *kit_os_gate_new(void);
void kit_os_gate_free(kit_os_gate *gate);
void kit_os_gate_open(kit_os_gate *gate);
bool kit_os_gate_wait(kit_os_gate *gate, iso_nsec timeout);

/* Codes of the system, and the errors that they must become; native 0 at the end. */
typedef struct kit_os_code {
    int native;
    int error;
} kit_os_code;

extern const kit_os_code kit_os_codes[];

#endif
