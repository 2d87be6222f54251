/* SPDX-License-Identifier: MIT */
/* `isoloop demo`: the same echo application on every backend, and what came of it side by side. */
#include "args.h"
#include "backends.h"
#include "report.h"
#include "text.h"
#include "tool.h"
#include <stdio.h>
#include <stdlib.h>

/* Whole lines only, to standard error: fit for a terminal and for a log. */
static void print_progress(const char *backend, const char *doing, uint64_t done, uint64_t all)
{
    char part[TEXT_SIZE];
    char whole[TEXT_SIZE];
    fprintf(stderr, "  ... %s: %s of %s %s\n", backend, text_count(part, done),
            text_count(whole, all), doing);
}

/* Which backends: those that were asked for, else all that the library knows. */
static void choose_backends(args_list *chosen)
{
    const iso_backend *backends;
    const size_t count = iso_backends(&backends);
    if (chosen->count != 0) return;
    for (size_t i = 0; i < count && i < ARGS_LIST_MAX; i++)
        chosen->items[chosen->count++] = backends[i].name;
}

/* Whether the library knows the names on the command line; if not, say so. */
static bool check_names(const char *command, const trial_plan *plan, const args_list *asked)
{
    iso_loop *loop;
    iso_loop_options options = ISO_LOOP_OPTIONS_INIT;
    for (size_t i = 0; i < asked->count; i++) {
        if (backends_know(asked->items[i])) continue;
        args_complain(command, "'%s' is not the name of a backend; isoloop backends lists them",
                      asked->items[i]);
        return false;
    }
    if (plan->limits == NULL) return true;
    options.backend = "selector";
    options.limits = plan->limits;
    int rc = iso_loop_new(&loop, &options);
    if (rc == 0) iso_loop_release(loop);
    if (rc != ISO_EINVAL) return true;
    args_complain(command, "--limits: %s", iso_error_detail());
    return false;
}

/* A backend that is not here is a failure only for those who asked for it by name. */
static bool all_right(const trial_result *results, size_t count, bool by_name)
{
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        if (results[i].outcome == TRIAL_FAILED) return false;
        if (results[i].outcome == TRIAL_ABSENT && by_name) return false;
        any = any || results[i].outcome == TRIAL_RIGHT;
    }
    return any;
}

static tool_exit run_demo(const trial_plan *plan, args_list *backends, bool as_json)
{
    trial_result results[ARGS_LIST_MAX];
    const bool by_name = backends->count != 0;
    choose_backends(backends);
    if (!as_json) report_intro(plan);
    if (tool_flush() != TOOL_OK) return TOOL_FAILED;
    for (size_t i = 0; i < backends->count; i++) trial_run(&results[i], plan, backends->items[i]);
    const bool right = all_right(results, backends->count, by_name);
    if (as_json)
        report_json(plan, results, backends->count, right);
    else
        report_table(plan, results, backends->count);
    return right ? TOOL_OK : TOOL_FAILED;
}

static const char about[] =
    "Run one echo application, a server and its clients, on every backend in turn, compare\n"
    "every byte that comes back, and print what each backend made of it. If a documented\n"
    "limit refuses some of the connections, the demo goes on with the others and names it.\n";

static const char notes[] =
    "exit codes: 0 all right, also when a limit refused some of the connections; 1 a byte was\n"
    "wrong, a backend failed, or one that --backend names is not here; 2 wrong usage\n";

tool_exit command_demo(int argc, char **argv)
{
    bool as_json = false;
    int64_t seconds = 60;
    args_list backends = { 0 };
    trial_plan plan = {
        .connections = 100, .messages = 500, .size = 64, .progress = print_progress
    };
    const args_option options[] = {
        { "--connections", "N", "how many, all open at once (100)", ARGS_NUMBER,
          .to.number = &plan.connections, .min = 1, .max = 60000 },
        { "--messages", "N", "how many each connection sends (500)", ARGS_NUMBER,
          .to.number = &plan.messages, .min = 1, .max = 1000000000 },
        { "--size", "BYTES", "of a message (64)", ARGS_NUMBER, .to.number = &plan.size, .min = 1,
          .max = 1 << 20 },
        { "--backend", "NAME", "run this one only; may be given several times", ARGS_LIST,
          .to.list = &backends },
        { "--limits", "PROFILE", "run under the limits of another platform: windows-selector, ...",
          ARGS_TEXT, .to.text = &plan.limits },
        { "--timeout", "S", "give up a backend after so many seconds (60)", ARGS_NUMBER,
          .to.number = &seconds, .min = 1, .max = 86400 },
        { "--json", NULL, "print JSON instead of the table", ARGS_FLAG, .to.flag = &as_json },
    };
    const args_command command = {
        .name = "isoloop demo",
        .about = about,
        .notes = notes,
        .options = options,
        .option_count = sizeof(options) / sizeof(options[0]),
    };
    const args_answer answer = args_parse(&command, argc, argv);
    if (answer != ARGS_GO) return answer == ARGS_DONE ? TOOL_OK : TOOL_USAGE;
    if (!check_names(command.name, &plan, &backends)) return TOOL_USAGE;
    plan.timeout = ISO_S(seconds);
    return run_demo(&plan, &backends, as_json);
}
