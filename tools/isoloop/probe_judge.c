/* SPDX-License-Identifier: MIT */
#include "probe_judge.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static probe_verdict answer(char *text, probe_verdict verdict, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(text, PROBE_TEXT_SIZE, format, list);
    va_end(list);
    return verdict;
}

/* The loop's word of the row that it met must be that of the table. */
static probe_verdict judge_row(const iso_limit *row, const probe_got *got, char *text)
{
    const iso_limit *met = &got->met;
    if (met->id == NULL)
        return answer(text, PROBE_FAILED, "%s, but no row was named", iso_error_name(got->error));
    if (strcmp(met->id, row->id) != 0)
        return answer(text, PROBE_FAILED, "the row %s was named", met->id);
    if (met->error != row->error || met->limit != row->limit || strcmp(met->text, row->text) != 0 ||
        strcmp(met->source, row->source) != 0 || strcmp(met->where, row->where) != 0)
        return answer(text, PROBE_FAILED, "the row that was named is not as in the table: %s",
                      met->text);
    if (got->used >= 0 && met->used != got->used)
        return answer(text, PROBE_FAILED, "the row said that %lld are used, not %lld",
                      (long long)met->used, (long long)got->used);
    return PROBE_OK;
}

/* Nothing is left of a try, and the loop is as good as before. */
static probe_verdict judge_remains(const probe_got *got, char *text)
{
    const probe_count *before = &got->before;
    const probe_count *after = &got->after;
    if (got->wrote_out) return answer(text, PROBE_FAILED, "the call failed, and wrote its result");
    if (after->objects != before->objects)
        return answer(text, PROBE_FAILED, "%u objects are open, not %u", (unsigned)after->objects,
                      (unsigned)before->objects);
    if (after->registered != before->registered)
        return answer(text, PROBE_FAILED, "%u descriptors are registered, not %u",
                      (unsigned)after->registered, (unsigned)before->registered);
    if (after->descriptors != before->descriptors)
        return answer(text, PROBE_FAILED, "%d descriptors are open, not %d", after->descriptors,
                      before->descriptors);
    if (!got->goes_on) return answer(text, PROBE_FAILED, "the loop does not go on");
    if (got->left_open != 0)
        return answer(text, PROBE_FAILED, "%d descriptors more are open after the loop was closed",
                      got->left_open);
    return PROBE_OK;
}

static probe_verdict judge_refused(const iso_limit *row, const probe_got *got, char *text)
{
    probe_verdict verdict;
    if (got->error >= 0) return answer(text, PROBE_FAILED, "it was not refused");
    if (got->error != (int)row->error)
        return answer(text, PROBE_FAILED, "%s%s%s", iso_error_name(got->error),
                      got->note[0] != '\0' ? ": " : "", got->note);
    verdict = judge_row(row, got, text);
    if (verdict == PROBE_OK) verdict = judge_remains(got, text);
    if (verdict == PROBE_OK) return answer(text, PROBE_OK, "%s", iso_error_name(got->error));
    return verdict;
}

static probe_verdict judge_works(const probe_got *got, char *text)
{
    const char *detail = got->note[0] != '\0' ? ": " : "";
    probe_verdict verdict;
    if (got->error < 0 && got->met.id != NULL)
        return answer(text, PROBE_FAILED, "%s by the row %s%s%s", iso_error_name(got->error),
                      got->met.id, detail, got->note);
    if (got->error < 0)
        return answer(text, PROBE_FAILED, "%s%s%s", iso_error_name(got->error), detail, got->note);
    verdict = judge_remains(got, text);
    if (verdict == PROBE_OK) return answer(text, PROBE_OK, "%s", got->note);
    return verdict;
}

static probe_verdict judge_system(const probe_got *got, char *text)
{
    if (!got->can) return answer(text, PROBE_OK, "%s", got->note);
    return answer(text, PROBE_FAILED, "the system can do more than the table says: %s", got->note);
}

/* What could not be tried for want of something. */
static probe_verdict judge_want(const probe_got *got, char *text)
{
    const bool is_fair =
        got->ready == PROBE_SCANT || (got->ready == PROBE_ABSENT && got->may_lack_things);
    return answer(text, is_fair ? PROBE_NOT_TRIED : PROBE_FAILED, "%s", got->note);
}

probe_verdict probe_judge(probe_way way, const iso_limit *row, const probe_got *got, char *text)
{
    if (got->ready != PROBE_READY) return judge_want(got, text);
    switch (way) {
    case PROBE_REFUSED: return judge_refused(row, got, text);
    case PROBE_WORKS: return judge_works(got, text);
    case PROBE_SYSTEM: return judge_system(got, text);
    }
    return answer(text, PROBE_FAILED, "?");
}
