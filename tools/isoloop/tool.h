/* SPDX-License-Identifier: MIT */
/* What every command of the tool agrees on. */
#ifndef TOOL_H
#define TOOL_H

typedef enum tool_exit {
    TOOL_OK = 0,
    TOOL_FAILED = 1, /* a byte was wrong, a backend failed, the output could not be written */
    TOOL_USAGE = 2   /* the command line is wrong */
} tool_exit;

/* Flush what was printed. Returns TOOL_OK, or TOOL_FAILED with a sentence on standard error when
 * the output could not be written: a full disk must not look like a success. */
tool_exit tool_flush(void);

/* How this program was called: "isoloop", or with a path. */
const char *tool_path(void);

/* The commands; argv[0] is the command's own name. */
tool_exit command_backends(int argc, char **argv);
tool_exit command_demo(int argc, char **argv);
tool_exit command_echo(int argc, char **argv);
tool_exit command_limits(int argc, char **argv);
tool_exit command_probe(int argc, char **argv);

#endif
