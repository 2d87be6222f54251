/* SPDX-License-Identifier: MIT */
/* isoloop, the command line tool: shows what the library does on this machine. */
#include "args.h"
#include "tool.h"
#include <isoloop.h>
#include <stdio.h>
#include <string.h>

typedef struct command {
    const char *name;
    const char *summary;
    tool_exit (*run)(int argc, char **argv);
} command;

static const command commands[] = {
    { "demo", "serve one echo application on every backend here, and compare them", command_demo },
    { "backends", "list the backends: which are here, and why the others are not",
      command_backends },
    { "limits", "list the documented limits: what a profile enforces, and where platforms differ",
      command_limits },
    { "echo", "run an echo server, for nc or a load generator to talk to", command_echo },
    { "probe", "try every row of the limits table on this machine", command_probe },
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

static const char *path = "isoloop";

const char *tool_path(void)
{
    return path;
}

static void print_help(void)
{
    printf("usage: isoloop COMMAND [options]\n\n"
           "isoloop is one event loop API over every backend of the system. This tool shows it at\n"
           "work.\n\ncommands:\n");
    for (int i = 0; i < COMMAND_COUNT; i++)
        printf("  %-20s  %s\n", commands[i].name, commands[i].summary);
    printf("  %-20s  print this; after a command, its options\n", "--help");
    printf("  %-20s  print the version\n", "--version");
    printf("\nBegin with: isoloop demo\n");
}

tool_exit tool_flush(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) return TOOL_OK;
    fprintf(stderr, "isoloop: the output could not be written\n");
    return TOOL_FAILED;
}

static tool_exit run_command(int argc, char **argv)
{
    for (int i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(argv[0], commands[i].name) == 0) return commands[i].run(argc, argv);
    }
    args_complain("isoloop", "'%s' is not one of its commands", argv[0]);
    return TOOL_USAGE;
}

static tool_exit run(int argc, char **argv)
{
    if (argc > 0 && argv[0][0] != '\0') path = argv[0];
    if (argc < 2) {
        args_complain("isoloop", "a command is missing: demo, backends, limits, echo or probe");
        return TOOL_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help();
        return TOOL_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("isoloop %s\n", iso_version());
        return TOOL_OK;
    }
    return run_command(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    const tool_exit result = run(argc, argv);
    const tool_exit written = tool_flush();
    return (int)(result != TOOL_OK ? result : written);
}
