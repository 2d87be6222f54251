/* SPDX-License-Identifier: MIT */
/* `isoloop backends`: every backend that the library knows. */
#include "backends.h"
#include "args.h"
#include "json.h"
#include "tool.h"
#include <isoloop.h>
#include <stdio.h>
#include <string.h>

const iso_backend *backends_find(const char *name)
{
    const iso_backend *backends;
    const size_t count = iso_backends(&backends);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(backends[i].name, name) == 0) return &backends[i];
    }
    return NULL;
}

bool backends_know(const char *name)
{
    return backends_find(name) != NULL || strcmp(name, "selector") == 0 ||
           strcmp(name, "proactor") == 0;
}

static void print_json(const iso_backend *backends, size_t count)
{
    json out = JSON_INIT;
    json_open(&out, NULL, '{');
    json_text(&out, "isoloop", iso_version());
    json_open(&out, "backends", '[');
    for (size_t i = 0; i < count; i++) {
        json_open(&out, NULL, '{');
        json_text(&out, "backend", backends[i].name);
        json_bool(&out, "available", backends[i].available);
        json_bool(&out, "default", backends[i].is_default);
        json_text(&out, "reason", backends[i].available ? NULL : backends[i].reason);
        json_close(&out, '}');
    }
    json_close(&out, ']');
    json_close(&out, '}');
}

static void print_table(const iso_backend *backends, size_t count)
{
    printf("The event loops that isoloop %s knows, on this machine:\n\n", iso_version());
    for (size_t i = 0; i < count; i++) {
        const iso_backend *it = &backends[i];
        if (it->available)
            printf("  %-20s  yes%s\n", it->name, it->is_default ? ", the default" : "");
        else
            printf("  %-20s  no: %s\n", it->name, it->reason);
    }
    printf(
        "\nA program chooses one by name, in iso_loop_options.backend or with ISOLOOP_LOOP in its\n"
        "environment. Compare them at work: isoloop demo\n");
}

tool_exit command_backends(int argc, char **argv)
{
    bool as_json = false;
    const args_option options[] = {
        { "--json", NULL, "print JSON", ARGS_FLAG, .to.flag = &as_json },
    };
    const args_command command = {
        .name = "isoloop backends",
        .about = "List every backend that the library knows: whether it is available on this\n"
                 "machine, or why not, and which one is the default.\n",
        .options = options,
        .option_count = sizeof(options) / sizeof(options[0]),
    };
    const iso_backend *backends;
    const args_answer answer = args_parse(&command, argc, argv);
    if (answer != ARGS_GO) return answer == ARGS_DONE ? TOOL_OK : TOOL_USAGE;
    const size_t count = iso_backends(&backends);
    if (as_json)
        print_json(backends, count);
    else
        print_table(backends, count);
    return TOOL_OK;
}
