/* SPDX-License-Identifier: MIT */
/* `isoloop limits`: the table of documented limits, as a profile enforces it on this machine. */
#include "limits_print.h"
#include "args.h"
#include "backends.h"
#include "json.h"
#include "text.h"
#include "tool.h"
#include <stdio.h>
#include <string.h>

typedef struct request {
    const char *profile; /* NULL: ISOLOOP_LIMITS, or documented */
    const char *backend; /* NULL: ISOLOOP_LOOP, or the default */
    args_list diff;
    bool as_json;
    bool as_page;
} request;

/* A number that a loop has a limit of. */
static const struct {
    iso_limit_kind kind;
    const char *key;
    const char *text;
} numbers[] = {
    { ISO_LIMIT_SOCKETS, "sockets", "sockets registered at once" },
    { ISO_LIMIT_DESCRIPTOR, "descriptor", "the highest descriptor" },
    { ISO_LIMIT_OPEN, "open", "descriptors open in the process" },
};

enum { NUMBERS = sizeof(numbers) / sizeof(numbers[0]) };

/* ---- as JSON ---- */

static void print_number(json *out, const char *name, int64_t value, int64_t none)
{
    if (value == none)
        json_text(out, name, NULL);
    else
        json_count(out, name, (uint64_t)value);
}

static void print_row_json(json *out, const iso_limit *row, bool enforced)
{
    json_open(out, NULL, '{');
    json_text(out, "id", row->id);
    json_text(out, "where", row->where);
    json_text(out, "api", row->api);
    json_text(out, "text", row->text);
    json_text(out, "error", row->error == ISO_OK ? NULL : iso_error_name(row->error));
    print_number(out, "limit", row->limit, 0);
    json_text(out, "source", row->source);
    json_text(out, "asyncio", row->instead[0] == '\0' ? NULL : row->instead);
    json_bool(out, "lifted_by_native", row->is_lifted);
    json_bool(out, "enforced", enforced);
    json_close(out, '}');
}

static void print_json(const iso_loop *loop)
{
    size_t count;
    const iso_limit *rows = iso_limits(&count);
    json out = JSON_INIT;
    json_open(&out, NULL, '{');
    json_text(&out, "isoloop", iso_version());
    json_text(&out, "backend", iso_loop_backend(loop));
    json_text(&out, "profile", iso_loop_limits_profile(loop));
    json_open(&out, "rows", '[');
    for (size_t i = 0; i < count; i++)
        print_row_json(&out, &rows[i], iso_loop_limit_enforced(loop, rows[i].id));
    json_close(&out, ']');
    json_open(&out, "capabilities", '{');
    for (int i = 0; iso_capability_name((iso_capability)i) != NULL; i++)
        json_bool(&out, iso_capability_name((iso_capability)i),
                  iso_loop_supports(loop, (iso_capability)i));
    json_close(&out, '}');
    json_open(&out, "numbers", '{');
    for (int i = 0; i < NUMBERS; i++) {
        int64_t max = 0;
        int64_t used = 0;
        (void)iso_loop_limit_get(loop, numbers[i].kind, &max, &used);
        json_open(&out, numbers[i].key, '{');
        print_number(&out, "max", max, INT64_MAX);
        print_number(&out, "used", used, -1);
        json_close(&out, '}');
    }
    json_count(&out, "clock_ns", (uint64_t)iso_loop_clock_resolution(loop));
    json_close(&out, '}');
    json_close(&out, '}');
}

/* ---- as a table ---- */

static void print_rows(const iso_loop *loop)
{
    size_t count;
    const iso_limit *rows = iso_limits(&count);
    printf("  %-9s %-30s %-20s %s\n", "enforced", "row", "answer", "where");
    for (size_t i = 0; i < count; i++)
        printf("  %-9s %-30s %-20s %s\n", iso_loop_limit_enforced(loop, rows[i].id) ? "yes" : "-",
               rows[i].id, rows[i].error == ISO_OK ? "informs" : iso_error_name(rows[i].error),
               rows[i].where);
}

static void print_capabilities(const iso_loop *loop)
{
    printf("\nWhat it can do:\n\n");
    for (int i = 0; iso_capability_name((iso_capability)i) != NULL; i++)
        printf("  %-9s %-30s %s\n", iso_loop_supports(loop, (iso_capability)i) ? "yes" : "no",
               iso_capability_name((iso_capability)i), iso_capability_calls((iso_capability)i));
}

static void print_numbers(const iso_loop *loop)
{
    char text[TEXT_SIZE];
    printf("\nHow far:\n\n");
    for (int i = 0; i < NUMBERS; i++) {
        int64_t max = 0;
        int64_t used = 0;
        (void)iso_loop_limit_get(loop, numbers[i].kind, &max, &used);
        printf("  %-40s %s", numbers[i].text,
               max == INT64_MAX ? "no limit" : text_count(text, (uint64_t)max));
        if (used >= 0) printf(", %s in use", text_count(text, (uint64_t)used));
        printf("\n");
    }
    printf("  %-40s %s\n", "the resolution of timers",
           text_span(text, iso_loop_clock_resolution(loop)));
}

static void print_table(const iso_loop *loop)
{
    printf("The documented limits, on %s under the profile %s:\n\n", iso_loop_backend(loop),
           iso_loop_limits_profile(loop));
    print_rows(loop);
    print_capabilities(loop);
    print_numbers(loop);
    printf("\nEach row has a sentence, a source and more in docs/platforms.md, and in --json.\n");
}

/* ---- the command ---- */

static tool_exit show(const request *it)
{
    iso_loop *loop;
    iso_loop_options options = ISO_LOOP_OPTIONS_INIT;
    options.backend = it->backend;
    options.limits = it->profile;
    int rc = iso_loop_new(&loop, &options);
    if (rc != 0) {
        const char *detail = iso_error_detail();
        fprintf(stderr, "isoloop limits: no loop: %s%s%s\n", iso_strerror(rc),
                detail[0] != '\0' ? ": " : "", detail);
        return TOOL_FAILED;
    }
    if (it->as_json)
        print_json(loop);
    else
        print_table(loop);
    iso_loop_release(loop);
    return TOOL_OK;
}

static bool check_profile(const char *command, const char *option, const char *name)
{
    uint64_t rows;
    if (name == NULL || iso_limits_rows(name, NULL, &rows) == 0) return true;
    args_complain(command, "%s: %s", option, iso_error_detail());
    return false;
}

static bool check_backend(const char *command, const request *it)
{
    if (it->backend == NULL) return true;
    if (it->diff.count > 0 ? backends_find(it->backend) != NULL : backends_know(it->backend))
        return true;
    args_complain(command, "'%s' is not the %sname of a backend; isoloop backends lists them",
                  it->backend, it->diff.count > 0 ? "exact " : "");
    return false;
}

static bool check(const char *command, const request *it)
{
    if (it->as_page &&
        (it->as_json || it->diff.count > 0 || it->profile != NULL || it->backend != NULL)) {
        args_complain(command, "--markdown goes with no other option");
        return false;
    }
    if (it->diff.count > 0 && it->profile != NULL) {
        args_complain(command, "--profile and --diff contradict each other");
        return false;
    }
    for (size_t i = 0; i < it->diff.count; i++) {
        if (!check_profile(command, "--diff", it->diff.items[i])) return false;
    }
    return check_profile(command, "--profile", it->profile) && check_backend(command, it);
}

/* The profiles, as the library tells them. */
static void write_notes(char *out, size_t size)
{
    size_t count;
    const iso_limits_profile *profiles = iso_limits_profiles(&count);
    size_t used = (size_t)snprintf(out, size, "profiles:\n");
    for (size_t i = 0; i < count && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "  %-20s  %s\n", profiles[i].name,
                                 profiles[i].text);
}

tool_exit command_limits(int argc, char **argv)
{
    request it = { 0 };
    char notes[1024];
    const args_option options[] = {
        { "--profile", "P", "the profile to look at; else ISOLOOP_LIMITS, or documented", ARGS_TEXT,
          .to.text = &it.profile },
        { "--backend", "NAME", "the backend to look at; else ISOLOOP_LOOP, or the default",
          ARGS_TEXT, .to.text = &it.backend },
        { "--diff", "P Q", "print only what tells two profiles apart", ARGS_PAIR,
          .to.list = &it.diff },
        { "--json", NULL, "print JSON", ARGS_FLAG, .to.flag = &it.as_json },
        { "--markdown", NULL, "print the page docs/platforms.md", ARGS_FLAG,
          .to.flag = &it.as_page },
    };
    const args_command command = {
        .name = "isoloop limits",
        .about =
            "List the documented limits of every platform and kind of loop, and which of them a\n"
            "profile enforces on a backend of this machine.\n",
        .notes = notes,
        .options = options,
        .option_count = sizeof(options) / sizeof(options[0]),
    };
    write_notes(notes, sizeof(notes));
    const args_answer answer = args_parse(&command, argc, argv);
    if (answer != ARGS_GO) return answer == ARGS_DONE ? TOOL_OK : TOOL_USAGE;
    if (!check(command.name, &it)) return TOOL_USAGE;
    if (it.as_page)
        limits_print_page();
    else if (it.diff.count > 0)
        limits_print_diff(it.diff.items, it.backend, it.as_json);
    else
        return show(&it);
    return TOOL_OK;
}
