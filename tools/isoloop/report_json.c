/* SPDX-License-Identifier: MIT */
#include "json.h"
#include "report.h"

static const char *outcome_name(trial_outcome outcome)
{
    switch (outcome) {
    case TRIAL_RIGHT: return "right";
    case TRIAL_ABSENT: return "absent";
    case TRIAL_FAILED: return "failed";
    }
    return "?";
}

static void write_limit(json *out, const trial_result *result)
{
    if (result->refused == 0) return;
    json_open(out, "limit", '{');
    json_text(out, "id", result->limit.id);
    if (result->limit.limit > 0) json_count(out, "limit", (uint64_t)result->limit.limit);
    json_text(out, "text", result->limit.text);
    json_text(out, "source", result->limit.source);
    json_close(out, '}');
}

static void write_numbers(json *out, const trial_result *result)
{
    json_count(out, "connections", result->connections);
    json_count(out, "messages", result->messages);
    json_real(out, "seconds", (double)result->elapsed / 1e9);
    json_real(out, "messages_per_second", trial_rate(result));
    json_real(out, "median_us", (double)result->median / 1e3);
    json_real(out, "p99_us", (double)result->p99 / 1e3);
    json_count(out, "turns", result->turns);
    json_count(out, "refused", result->refused);
    write_limit(out, result);
}

static void write_result(json *out, const trial_result *result)
{
    json_open(out, NULL, '{');
    json_text(out, "backend", result->backend);
    json_bool(out, "default", result->is_default);
    json_text(out, "outcome", outcome_name(result->outcome));
    if (result->outcome == TRIAL_RIGHT)
        write_numbers(out, result);
    else
        json_text(out, "reason", result->trouble);
    json_close(out, '}');
}

void report_json(const trial_plan *plan, const trial_result *results, size_t count, bool right)
{
    json out = JSON_INIT;
    json_open(&out, NULL, '{');
    json_text(&out, "isoloop", iso_version());
    json_open(&out, "asked", '{');
    json_count(&out, "connections", (uint64_t)plan->connections);
    json_count(&out, "messages", (uint64_t)plan->messages);
    json_count(&out, "size", (uint64_t)plan->size);
    json_text(&out, "limits", plan->limits);
    json_close(&out, '}');
    json_bool(&out, "right", right);
    json_open(&out, "backends", '[');
    for (size_t i = 0; i < count; i++) write_result(&out, &results[i]);
    json_close(&out, ']');
    json_close(&out, '}');
}
