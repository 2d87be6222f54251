/* SPDX-License-Identifier: MIT */
/* What a demo has to show: the table for people, and the same as JSON. */
#ifndef REPORT_H
#define REPORT_H

#include "trial.h"

/* What is about to be shown; printed before the first trial. */
void report_intro(const trial_plan *plan);

/* The table, what its refusals mean, the verdict, and what to try next. */
void report_table(const trial_plan *plan, const trial_result *results, size_t count);

/* All of it as one object; `right` is the verdict. */
void report_json(const trial_plan *plan, const trial_result *results, size_t count, bool right);

#endif
