/* SPDX-License-Identifier: MIT */
/* The command line: a table of options per command, from which parsing and --help both come. */
#ifndef ARGS_H
#define ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARGS_LIST_MAX 16

/* The values of an option that may be given several times, or that takes two. */
typedef struct args_list {
    size_t count;
    const char *items[ARGS_LIST_MAX];
} args_list;

typedef enum args_kind { ARGS_FLAG, ARGS_NUMBER, ARGS_TEXT, ARGS_LIST, ARGS_PAIR } args_kind;

typedef struct args_option {
    const char *name;  /* "--connections" */
    const char *value; /* what the help calls its value, "N"; NULL for a flag */
    const char *help;  /* one line */
    args_kind kind;
    union {
        bool *flag;
        int64_t *number;
        const char **text;
        args_list *list;
    } to;
    int64_t min; /* of a number */
    int64_t max;
} args_option;

typedef struct args_command {
    const char *name;  /* "isoloop demo" */
    const char *about; /* what stands above the options in the help */
    const char *notes; /* and below them */
    const args_option *options;
    size_t option_count;
} args_command;

typedef enum args_answer {
    ARGS_GO,   /* everything is in its place: carry on */
    ARGS_DONE, /* the help was asked for, and printed */
    ARGS_WRONG /* a sentence about what is wrong was printed to standard error */
} args_answer;

/* Read "--name value" and "--name=value" into what the options point to; argv[0] is skipped. What
 * an option points to is untouched when it is not given. The texts point into argv. */
args_answer args_parse(const args_command *command, int argc, char **argv);

/* Print a sentence about a wrong command line to standard error, and where help is to be had. */
void args_complain(const char *command, const char *format, ...);

#endif
