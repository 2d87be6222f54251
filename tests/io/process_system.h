/* SPDX-License-Identifier: MIT */
/* How the processes of each system differ, as far as tests see it: process_posix.c,
 * process_win32.c. */
#ifndef ISO_TESTS_IO_PROCESS_SYSTEM_H
#define ISO_TESTS_IO_PROCESS_SYSTEM_H

#include "isoloop/base.h"

typedef struct process_signal {
    int number; /* 0 at the end */
    int code;   /* what a program ends with that it is sent to */
} process_signal;

typedef struct process_system {
    int terminated; /* what a program ends with that terminate, or kill, has ended */
    int killed;
    int broken; /* what one ends with that writes to a pipe which nobody reads */
    bool can_ignore_terminate;
    const process_signal *signals; /* others that end it */
    int bad_signal;                /* what no signal has as its number */
    int not_a_program_error;       /* running a file that is none */
    int folder_error;              /* running a folder */
    bool has_bound_children;       /* dies_with_parent */
    bool has_users;                /* user, group, umask, a process group that is joined */
    const char *say_word;          /* for the shell: the variable ISO_TEST_WORD */
    const char *line_end;          /* of what the shell says */
} process_system;

extern const process_system process_system_here;

/* A new file, of the kit's: gone when it is closed; and what is in it, from its beginning. */
int process_system_file(iso_fd *out);
ptrdiff_t process_system_read_file(iso_fd fd, void *data, size_t size);

/* Let a child have it if it is given everything that can be. */
void process_system_make_inheritable(iso_fd fd);

/* How many descriptors, or handles of every kind, this process has. Some of those come and go with
 * the system's own threads. */
int process_system_count_handles(void);

/* Whether this process has children that it has not waited for. */
bool process_system_has_children(void);

/* Wait for a child to end, and reap it. */
void process_system_reap(int64_t pid);

/* How many threads this process has; 0: that can't be said here. */
int process_system_count_threads(void);

#endif
