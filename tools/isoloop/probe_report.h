/* SPDX-License-Identifier: MIT */
/* What came of the probe, as text and as JSON. */
#ifndef PROBE_REPORT_H
#define PROBE_REPORT_H

#include "probe.h"

typedef struct probe_totals {
    uint64_t agreed;
    uint64_t failed;
    uint64_t not_tried;
} probe_totals;

void probe_count_result(probe_totals *totals, const probe_result *result);

/* One after another, as they come: what stands above, each result, and the summary. */
void probe_print_head(const char *profile);
void probe_print_backend(const char *backend);
void probe_print_result(const probe_result *result);
void probe_print_summary(const probe_totals *totals);

/* All of it; `unprobed` may be NULL. */
void probe_print_json(const char *profile, const probe_result *results, size_t count,
                      const iso_limit *unprobed);

/* The rows, and what is tried of each. */
void probe_print_list(bool as_json);

#endif
