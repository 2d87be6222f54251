/* SPDX-License-Identifier: MIT */
/* A child of a test: tests/support/echo_args.c, which lies beside the test program, with pipes. */
#ifndef ISO_TESTS_WIN32_CHILD_H
#define ISO_TESTS_WIN32_CHILD_H

#include "kit.h"
#include "sys/process.h"

enum { CHILD_PATH_ROOM = 4096, CHILD_OUTPUT_ROOM = 256 * 1024 };

typedef struct child {
    kit *k;
    iso__process *process;
    iso_fd input;  /* this program's end; ISO_FD_NONE: it has the null device */
    iso_fd output; /* this program's end */
    void *ended;   /* an event, set when it has */
    char text[CHILD_OUTPUT_ROOM + 1];
} child;

/* The folder of this program and of echo_args, UTF-8; and the path of echo_args. */
const char *child_folder(void);
const char *child_program(void);

/* Start one. `spawn` says all but standard output and error, which go into one pipe, and standard
 * input, which is a pipe if `has_input`. Returns what iso__sys_process_spawn does. */
int child_start(kit *k, child *out, const iso__spawn *spawn, bool has_input);

/* Start echo_args with the arguments up to a NULL; it must work. */
void child_echo(kit *k, child *out, bool has_input, const char *const *arguments);

/* Read until `text` ends with a line, or until the end. */
void child_read_line(child *it);
void child_read_all(child *it);

/* Close its input. */
void child_end_input(child *it);

/* Wait until it has ended and let go of it; answers what it ended with. Its output was read. */
int child_finish(child *it);

/* Read all, and finish. */
int child_run(child *it);

#endif
