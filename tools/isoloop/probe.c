/* SPDX-License-Identifier: MIT */
/* `isoloop probe`: try every row of the limits table on this machine. */
#include "probe.h"
#include "args.h"
#include "backends.h"
#include "probe_report.h"
#include "tool.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct plan {
    const char *profile;
    args_list rows;     /* none: all */
    args_list backends; /* none: all that are here */
    bool as_json;
    bool as_list;
} plan;

/* ---- the command line ------------------------------------------------------------------------ */

static bool is_row(const char *id)
{
    size_t count;
    const iso_limit *rows = iso_limits(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].id, id) == 0) return true;
    }
    return false;
}

static bool is_profile(const char *name)
{
    iso_loop *loop = NULL;
    iso_loop_options options = ISO_LOOP_OPTIONS_INIT;
    options.backend = "selector";
    options.limits = name;
    int rc = iso_loop_new(&loop, &options);
    if (rc == 0) iso_loop_release(loop);
    return rc != ISO_EINVAL;
}

/* Whether all names are known; if not, say which is not. */
static bool check_names(const char *command, const plan *asked)
{
    for (size_t i = 0; i < asked->backends.count; i++) {
        if (backends_know(asked->backends.items[i])) continue;
        args_complain(command, "'%s' is not the name of a backend; isoloop backends lists them",
                      asked->backends.items[i]);
        return false;
    }
    for (size_t i = 0; i < asked->rows.count; i++) {
        if (is_row(asked->rows.items[i])) continue;
        args_complain(command,
                      "'%s' is not a row of the limits table; isoloop probe --list lists "
                      "them",
                      asked->rows.items[i]);
        return false;
    }
    if (is_profile(asked->profile)) return true;
    args_complain(command, "--profile: %s", iso_error_detail());
    return false;
}

/* ---- the probe ------------------------------------------------------------------------------- */

typedef struct progress {
    const plan *asked;
    probe_result *results;
    size_t count;
    probe_totals totals;
} progress;

static bool is_asked(const plan *asked, const char *id)
{
    for (size_t i = 0; i < asked->rows.count; i++) {
        if (strcmp(asked->rows.items[i], id) == 0) return true;
    }
    return asked->rows.count == 0;
}

static void probe_backend(progress *at, const char *backend)
{
    size_t count;
    const iso_limit *rows = iso_limits(&count);
    if (!at->asked->as_json) probe_print_backend(backend);
    for (size_t i = 0; i < count; i++) {
        if (!is_asked(at->asked, rows[i].id)) continue;
        probe_result *results = &at->results[at->count];
        const size_t found = probe_row(results, &rows[i], backend, at->asked->profile);
        for (size_t k = 0; k < found; k++) {
            probe_count_result(&at->totals, &results[k]);
            if (!at->asked->as_json) probe_print_result(&results[k]);
        }
        at->count += found;
    }
}

/* The exact name of a backend that is here; NULL, with a sentence, for one that is not. Making a
 * loop opens what the library keeps for good, so that it is not taken for something left open. */
static const char *find_backend(const char *name)
{
    static char found[64];
    iso_loop *loop = NULL;
    iso_loop_options options = ISO_LOOP_OPTIONS_INIT;
    options.backend = name;
    options.limits = "native";
    int rc = iso_loop_new(&loop, &options);
    if (rc != 0) {
        fprintf(stderr, "isoloop probe: %s: %s. %s\n", name, iso_strerror(rc), iso_error_detail());
        return NULL;
    }
    snprintf(found, sizeof(found), "%s", iso_loop_backend(loop));
    iso_loop_release(loop);
    return found;
}

static void choose_backends(args_list *chosen)
{
    const iso_backend *backends;
    const size_t count = iso_backends(&backends);
    if (chosen->count != 0) return;
    for (size_t i = 0; i < count && chosen->count < ARGS_LIST_MAX; i++) {
        if (backends[i].available) chosen->items[chosen->count++] = backends[i].name;
    }
}

static const iso_limit *find_unprobed(void)
{
    size_t count;
    const iso_limit *rows = iso_limits(&count);
    return probe_find_unprobed(rows, count);
}

static tool_exit run_probe(plan *asked)
{
    size_t rows;
    progress at = { .asked = asked };
    bool are_here = true;
    (void)iso_limits(&rows);
    choose_backends(&asked->backends);
    at.results = calloc(rows * asked->backends.count * PROBE_RESULTS, sizeof(*at.results));
    if (at.results == NULL) {
        fprintf(stderr, "isoloop probe: %s\n", iso_strerror(ISO_ENOMEM));
        return TOOL_FAILED;
    }
    if (!asked->as_json) probe_print_head(asked->profile);
    for (size_t i = 0; i < asked->backends.count; i++) {
        const char *backend = find_backend(asked->backends.items[i]);
        if (backend != NULL)
            probe_backend(&at, backend);
        else
            are_here = false;
        (void)fflush(stdout);
    }
    if (asked->as_json)
        probe_print_json(asked->profile, at.results, at.count, find_unprobed());
    else
        probe_print_summary(&at.totals);
    free(at.results);
    return at.totals.failed == 0 && are_here ? TOOL_OK : TOOL_FAILED;
}

/* ---- the command ----------------------------------------------------------------------------- */

static const char about[] =
    "Try every row of the limits table on this machine, on every backend that is here. Where a\n"
    "row is enforced the calls that break it must be refused by it, and leave nothing; where it\n"
    "is not, they must do what they are for; and where the row says that the system can't, the\n"
    "system itself is tried.\n";

static const char notes[] =
    "exit codes: 0 the table and the system agree; 1 they do not, a row has no probe, or a\n"
    "backend that --backend names is not here; 2 wrong usage\n";

static tool_exit run(plan *asked)
{
    const iso_limit *unprobed = find_unprobed();
    tool_exit result = TOOL_OK;
    if (asked->as_list)
        probe_print_list(asked->as_json);
    else
        result = run_probe(asked);
    if (unprobed == NULL) return result;
    fprintf(stderr, "isoloop probe: no probe for the row %s\n", unprobed->id);
    return TOOL_FAILED;
}

tool_exit command_probe(int argc, char **argv)
{
    plan asked = { .profile = "documented" };
    const args_option options[] = {
        { "--row", "ID", "try this one only; may be given several times", ARGS_LIST,
          .to.list = &asked.rows },
        { "--backend", "NAME", "on this one only; may be given several times", ARGS_LIST,
          .to.list = &asked.backends },
        { "--profile", "PROFILE", "the rows of this profile (documented)", ARGS_TEXT,
          .to.text = &asked.profile },
        { "--list", NULL, "list the rows, and what is tried of each", ARGS_FLAG,
          .to.flag = &asked.as_list },
        { "--json", NULL, "print JSON", ARGS_FLAG, .to.flag = &asked.as_json },
    };
    const args_command command = {
        .name = "isoloop probe",
        .about = about,
        .notes = notes,
        .options = options,
        .option_count = sizeof(options) / sizeof(options[0]),
    };
    const args_answer answer = args_parse(&command, argc, argv);
    if (answer != ARGS_GO) return answer == ARGS_DONE ? TOOL_OK : TOOL_USAGE;
    if (!check_names(command.name, &asked)) return TOOL_USAGE;
    return run(&asked);
}
