/* SPDX-License-Identifier: MIT */
#include "probe_report.h"
#include "json.h"
#include "text.h"
#include <stdio.h>
#include <string.h>

static const char *verdict_name(probe_verdict verdict)
{
    switch (verdict) {
    case PROBE_OK: return "ok";
    case PROBE_FAILED: return "FAILED";
    case PROBE_NOT_TRIED: return "not tried";
    }
    return "?";
}

void probe_count_result(probe_totals *totals, const probe_result *result)
{
    switch (result->verdict) {
    case PROBE_OK: totals->agreed++; break;
    case PROBE_FAILED: totals->failed++; break;
    case PROBE_NOT_TRIED: totals->not_tried++; break;
    }
}

void probe_print_head(const char *profile)
{
    printf("Every row of the limits table, tried on this machine under the profile %s.\n", profile);
}

void probe_print_backend(const char *backend)
{
    printf("\n%s\n", backend);
}

void probe_print_result(const probe_result *result)
{
    printf("  %-9s  %-30s  %-10s  %s: ", verdict_name(result->verdict), result->row->id,
           result->profile, result->tried);
    switch (result->verdict) {
    case PROBE_OK:
        if (strncmp(result->expected, "refused", 7) == 0)
            printf("%s\n", result->expected);
        else
            printf("%s (%s)\n", result->expected, result->got);
        break;
    case PROBE_FAILED: printf("expected: %s; got: %s\n", result->expected, result->got); break;
    case PROBE_NOT_TRIED: printf("%s\n", result->got); break;
    }
}

void probe_print_summary(const probe_totals *totals)
{
    char agreed[TEXT_SIZE];
    char failed[TEXT_SIZE];
    char not_tried[TEXT_SIZE];
    printf("\n%s: %s agree, %s FAILED, %s not tried.\n",
           totals->failed == 0 ? "The table and the system agree"
                               : "The table and the system DISAGREE",
           text_count(agreed, totals->agreed), text_count(failed, totals->failed),
           text_count(not_tried, totals->not_tried));
}

static void write_result(json *out, const probe_result *result)
{
    json_open(out, NULL, '{');
    json_text(out, "backend", result->backend);
    json_text(out, "row", result->row->id);
    json_text(out, "under", result->profile);
    json_text(out, "tried", result->tried);
    json_text(out, "expected", result->expected);
    json_text(out, "got", result->got);
    json_text(out, "verdict", verdict_name(result->verdict));
    json_close(out, '}');
}

void probe_print_json(const char *profile, const probe_result *results, size_t count,
                      const iso_limit *unprobed)
{
    json out = JSON_INIT;
    probe_totals totals = { 0 };
    for (size_t i = 0; i < count; i++) probe_count_result(&totals, &results[i]);
    json_open(&out, NULL, '{');
    json_text(&out, "isoloop", iso_version());
    json_text(&out, "profile", profile);
    json_bool(&out, "agree", totals.failed == 0 && unprobed == NULL);
    json_count(&out, "agreed", totals.agreed);
    json_count(&out, "failed", totals.failed);
    json_count(&out, "not_tried", totals.not_tried);
    json_text(&out, "unprobed", unprobed != NULL ? unprobed->id : NULL);
    json_open(&out, "results", '[');
    for (size_t i = 0; i < count; i++) write_result(&out, &results[i]);
    json_close(&out, ']');
    json_close(&out, '}');
}

static void list_as_json(const iso_limit *rows, size_t count)
{
    json out = JSON_INIT;
    json_open(&out, NULL, '{');
    json_text(&out, "isoloop", iso_version());
    json_open(&out, "rows", '[');
    for (size_t i = 0; i < count; i++) {
        const probe *it = probe_find(rows[i].id);
        json_open(&out, NULL, '{');
        json_text(&out, "row", rows[i].id);
        json_text(&out, "where", rows[i].where);
        json_text(&out, "probe", it != NULL ? it->what : NULL);
        json_close(&out, '}');
    }
    json_close(&out, ']');
    json_close(&out, '}');
}

void probe_print_list(bool as_json)
{
    size_t count;
    const iso_limit *rows = iso_limits(&count);
    if (as_json) {
        list_as_json(rows, count);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const probe *it = probe_find(rows[i].id);
        printf("  %-30s  %-36s  %s\n", rows[i].id, it != NULL ? it->what : "NO PROBE",
               rows[i].where);
    }
}
