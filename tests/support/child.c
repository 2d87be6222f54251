/* SPDX-License-Identifier: MIT */
/* A program that tests start: child MODE [argument...]. It ends with what its mode says, with 2 for
 * a mode that there is not. */
#include "support/child_os.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 64 * 1024, PERIOD = 251 };

static char piece[PIECE];

static int write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        long count = child_os_write(fd, data, size);

        if (count <= 0) return 1;
        data += count;
        size -= (size_t)count;
    }
    return 0;
}

static int say(int fd, const char *text)
{
    return write_all(fd, text, strlen(text));
}

/* exit CODE */
static int end_with(char **args)
{
    return args[0] != NULL ? atoi(args[0]) : 0;
}

/* cat: standard input to standard output, until its end */
static int echo(char **args)
{
    long count;

    (void)args;
    while ((count = child_os_read(0, piece, sizeof(piece))) > 0)
        if (write_all(1, piece, (size_t)count) != 0) return 1;
    return count == 0 ? 0 : 1;
}

/* write FD COUNT: so many bytes, 0, 1, 2 ... 250, 0 ... */
static int write_bytes(char **args)
{
    int fd = atoi(args[0]);
    size_t left = (size_t)atol(args[1]);
    size_t at;

    for (at = 0; at < PIECE; at++) piece[at] = (char)(unsigned char)(at % PERIOD);
    while (left > 0) {
        size_t part = PIECE / PERIOD * PERIOD;

        if (part > left) part = left;
        if (write_all(fd, piece, part) != 0) return 1;
        left -= part;
    }
    return 0;
}

/* args ...: a line for each, in angle brackets */
static int show_args(char **args)
{
    while (*args != NULL) {
        if (say(1, "<") != 0 || say(1, *args) != 0 || say(1, ">\n") != 0) return 1;
        args++;
    }
    return 0;
}

/* env NAME...: a line for each, its value or "-" */
static int show_environment(char **args)
{
    for (; *args != NULL; args++) {
        const char *value = child_os_getenv(*args);

        if (say(1, value != NULL ? value : "-") != 0 || say(1, "\n") != 0) return 1;
    }
    return 0;
}

/* has FILE: 0 if there is such a file, seen from here, else 1 */
static int has_file(char **args)
{
    FILE *file = fopen(args[0], "rb");

    if (file == NULL) return 1;
    (void)fclose(file);
    return 0;
}

/* both: "out" on standard output, "err" on standard error */
static int say_both(char **args)
{
    (void)args;
    return say(1, "out\n") + say(2, "err\n");
}

/* quiet CODE: closes its outputs, waits for the end of its input, and ends with the code */
static int be_quiet(char **args)
{
    child_os_close(1);
    child_os_close(2);
    while (child_os_read(0, piece, sizeof(piece)) > 0) {}
    return atoi(args[0]);
}

/* deaf: closes its input, says so, and hangs */
static int be_deaf(char **args)
{
    (void)args;
    child_os_close(0);
    (void)say(1, "deaf\n");
    child_os_hang();
    return 99;
}

/* hang: says that it is there, and then is, for a minute at most */
static int hang(char **args)
{
    (void)args;
    (void)say(1, "ready\n");
    child_os_hang();
    return 99;
}

/* stubborn: the same, without minding SIGTERM */
static int be_stubborn(char **args)
{
    (void)signal(SIGTERM, SIG_IGN);
    return hang(args);
}

/* leave: leaves another process behind that has its streams, and ends */
static int leave(char **args)
{
    (void)args;
    return child_os_start("linger");
}

/* linger: waits for the end of its input, then says "late" */
static int linger(char **args)
{
    (void)args;
    while (child_os_read(0, piece, sizeof(piece)) > 0) {}
    return say(1, "late\n");
}

/* descriptors: how many it has that it was not meant to have */
static int show_descriptors(char **args)
{
    char text[32];

    (void)args;
    (void)snprintf(text, sizeof(text), "%d\n", child_os_count_descriptors());
    return say(1, text);
}

static const struct {
    const char *name;
    int (*run)(char **args);
    int least; /* arguments */
} modes[] = {
    { "exit", end_with, 1 },        { "cat", echo, 0 },
    { "write", write_bytes, 2 },    { "args", show_args, 0 },
    { "env", show_environment, 0 }, { "has", has_file, 1 },
    { "both", say_both, 0 },        { "quiet", be_quiet, 1 },
    { "deaf", be_deaf, 0 },         { "hang", hang, 0 },
    { "stubborn", be_stubborn, 0 }, { "leave", leave, 0 },
    { "linger", linger, 0 },        { "descriptors", show_descriptors, 0 },
};

int main(int argc, char **argv)
{
    char **args = child_os_begin(argv);
    size_t at;

    if (argc < 2) return 2;
    for (at = 0; at < sizeof(modes) / sizeof(modes[0]); at++) {
        if (strcmp(modes[at].name, args[1]) == 0 && argc - 2 >= modes[at].least)
            return modes[at].run(args + 2);
    }
    return 2;
}
