/* SPDX-License-Identifier: MIT */
/* What tells two profiles apart. */
#include "json.h"
#include "limits_print.h"
#include <stdio.h>

typedef struct diff {
    const char *profiles[2];
    uint64_t rows[2];
} diff;

static bool can(const diff *it, int which, int capability)
{
    return iso_limits_allow(it->rows[which], (iso_capability)capability);
}

static bool row_differs(const diff *it, size_t n)
{
    return limits_has(it->rows[0], n) != limits_has(it->rows[1], n);
}

static bool capability_differs(const diff *it, int capability)
{
    return can(it, 0, capability) != can(it, 1, capability);
}

static void print_json(const diff *it)
{
    size_t count;
    const iso_limit *rows = iso_limits(&count);
    json out = JSON_INIT;
    json_open(&out, NULL, '{');
    json_text(&out, "isoloop", iso_version());
    json_text(&out, "first", it->profiles[0]);
    json_text(&out, "second", it->profiles[1]);
    json_open(&out, "rows", '[');
    for (size_t i = 0; i < count; i++) {
        if (!row_differs(it, i)) continue;
        json_open(&out, NULL, '{');
        json_text(&out, "id", rows[i].id);
        json_bool(&out, "first", limits_has(it->rows[0], i));
        json_bool(&out, "second", limits_has(it->rows[1], i));
        json_close(&out, '}');
    }
    json_close(&out, ']');
    json_open(&out, "capabilities", '[');
    for (int i = 0; iso_capability_name((iso_capability)i) != NULL; i++) {
        if (!capability_differs(it, i)) continue;
        json_open(&out, NULL, '{');
        json_text(&out, "name", iso_capability_name((iso_capability)i));
        json_bool(&out, "first", can(it, 0, i));
        json_bool(&out, "second", can(it, 1, i));
        json_close(&out, '}');
    }
    json_close(&out, ']');
    json_close(&out, '}');
}

static const char *mark(bool is_there)
{
    return is_there ? "yes" : "-";
}

static int print_rows(const diff *it)
{
    size_t count;
    const iso_limit *rows = iso_limits(&count);
    int printed = 0;
    for (size_t i = 0; i < count; i++) {
        if (!row_differs(it, i)) continue;
        if (printed++ == 0)
            printf("  %-30s %-17s %-17s %s\n", "row", it->profiles[0], it->profiles[1], "calls");
        printf("  %-30s %-17s %-17s %s\n", rows[i].id, mark(limits_has(it->rows[0], i)),
               mark(limits_has(it->rows[1], i)), rows[i].api);
    }
    return printed;
}

static void print_capabilities(const diff *it)
{
    int printed = 0;
    for (int i = 0; iso_capability_name((iso_capability)i) != NULL; i++) {
        if (!capability_differs(it, i)) continue;
        if (printed++ == 0)
            printf("\n  %-30s %-17s %-17s %s\n", "can do", it->profiles[0], it->profiles[1],
                   "calls");
        printf("  %-30s %-17s %-17s %s\n", iso_capability_name((iso_capability)i),
               can(it, 0, i) ? "yes" : "no", can(it, 1, i) ? "yes" : "no",
               iso_capability_calls((iso_capability)i));
    }
}

void limits_print_diff(const char *profiles[2], const char *backend, bool as_json)
{
    diff it = { { profiles[0], profiles[1] }, { 0, 0 } };
    for (int i = 0; i < 2; i++) (void)iso_limits_rows(profiles[i], backend, &it.rows[i]);
    if (as_json) {
        print_json(&it);
        return;
    }
    if (it.rows[0] == it.rows[1]) {
        printf("%s and %s have the same rows.\n", profiles[0], profiles[1]);
        return;
    }
    printf("What tells %s and %s apart:\n\n", profiles[0], profiles[1]);
    (void)print_rows(&it);
    print_capabilities(&it);
    printf("\nA loop has besides the rows of what its own system truly cannot do: see isoloop\n"
           "limits --profile %s.\n",
           profiles[0]);
}
