/* SPDX-License-Identifier: MIT */
#include "probe.h"
#include "probe_os.h"
#include "probe_stand.h"
#include <stdio.h>
#include <string.h>

static const iso_limit *find_row(const char *id)
{
    size_t count;
    const iso_limit *rows = iso_limits(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].id, id) == 0) return &rows[i];
    }
    return NULL;
}

static probe_result *begin(probe_result *out, const iso_limit *row, const char *backend,
                           const char *profile)
{
    *out = (probe_result){ .row = row, .profile = profile };
    snprintf(out->backend, sizeof(out->backend), "%s", backend);
    return out;
}

static void append(char *text, const char *separator, const char *more)
{
    const size_t used = strlen(text);
    snprintf(text + used, PROBE_TEXT_SIZE - used, "%s%s", separator, more);
}

/* ---- one try --------------------------------------------------------------------------------- */

static void take_word(probe_got *got, const probe_stand *stand)
{
    const iso_limit *met = iso_loop_last_limit(stand->loop);
    if (met != NULL) got->met = *met;
    if (stand->is_named) got->met = *stand->row;
    got->used = stand->used;
    got->wrote_out = stand->wrote_out;
    got->ready = stand->ready;
    memcpy(got->note, stand->note, sizeof(got->note));
}

/* Close the stand, and see what is left. */
static void leave(probe_got *got, probe_stand *stand, int descriptors)
{
    stand_close(stand);
    got->left_open = probe_os_count_descriptors() - descriptors;
    got->may_lack_things = !stand->is_own;
}

/* Under a profile of another system a row may stand in the way of what another one needs. */
static void excuse(probe_got *got, const probe_stand *stand)
{
    const bool is_other = got->met.id != NULL && strcmp(got->met.id, stand->row->id) != 0;
    if (is_other && !stand->is_own) got->ready = PROBE_ABSENT;
}

static void make_call(probe_got *got, probe_stand *stand, const probe *it, const probe_call *call)
{
    if (it->prepare != NULL && it->prepare(stand) != PROBE_READY) {
        if (stand->ready == PROBE_READY) stand->ready = PROBE_BROKEN;
        take_word(got, stand);
        excuse(got, stand);
        return;
    }
    got->before = stand_count_all(stand);
    got->error = call->make(stand);
    got->after = stand_count_all(stand);
    take_word(got, stand);
    got->goes_on = stand_goes_on(stand) && (it->goes_on == NULL || it->goes_on(stand));
}

/* What the work made for itself is closed with the stand, and counted then. */
static void do_work(probe_got *got, probe_stand *stand, const probe *it)
{
    got->before = stand->idle;
    got->error = it->work(stand);
    got->after = stand_count(stand);
    take_word(got, stand);
    got->goes_on = stand_goes_on(stand);
    if (got->error == 0 && stand->reports != 0) got->error = ISO_EUNKNOWN;
    if (got->error < 0) excuse(got, stand);
}

/* `call` NULL: the work. */
static void try_once(probe_got *got, const probe_result *result, const probe *it,
                     const probe_call *call)
{
    probe_stand stand;
    const int descriptors = probe_os_count_descriptors();
    *got = (probe_got){ .used = -1 };
    got->error = stand_open(&stand, result->row, result->backend, result->profile);
    if (got->error != 0) {
        memcpy(got->note, stand.note, sizeof(got->note));
        return;
    }
    if (call != NULL)
        make_call(got, &stand, it, call);
    else
        do_work(got, &stand, it);
    leave(got, &stand, descriptors);
}

/* What the first time opens for good, the second time finds open: a leak leaves something each
 * time. */
static void try_twice(probe_got *got, const probe_result *result, const probe *it,
                      const probe_call *call)
{
    try_once(got, result, it, call);
    if (got->left_open > 0) try_once(got, result, it, call);
}

/* ---- a row, one way -------------------------------------------------------------------------- */

static bool is_enforced(const char *backend, const char *profile, const char *id)
{
    iso_loop *loop = NULL;
    iso_loop_options options = ISO_LOOP_OPTIONS_INIT;
    options.backend = backend;
    options.limits = profile;
    if (iso_loop_new(&loop, &options) != 0) return false;
    const bool answer = iso_loop_limit_enforced(loop, id);
    iso_loop_release(loop);
    return answer;
}

/* The row that a call meets first; NULL: none of those. */
static const iso_limit *first_met(const probe_result *result, const probe_call *call)
{
    for (int i = 0; call->first != NULL && call->first[i] != NULL; i++) {
        if (strcmp(call->first[i], result->row->id) != 0 &&
            is_enforced(result->backend, result->profile, call->first[i]))
            return find_row(call->first[i]);
    }
    return NULL;
}

static void name_call(probe_result *result, const probe_call *call, const iso_limit *other)
{
    const bool is_first = result->tried[0] == '\0';
    append(result->tried, is_first ? "" : ", ", call->name);
    if (is_first) {
        const iso_limit *row = other != NULL ? other : result->row;
        append(result->expected, "", other != NULL ? "refused by " : "refused: ");
        if (other != NULL) append(result->expected, "", other->id);
        append(result->expected, other != NULL ? ": " : "", iso_error_name(row->error));
    } else if (other != NULL && strstr(result->expected, other->id) == NULL) {
        append(result->tried, " by ", other->id);
    }
}

/* Every call, refused by the row, or by one that it meets before; `only_others`: the row itself is
 * not enforced. The first failure is told. */
static void try_calls(probe_result *result, const probe *it, bool only_others)
{
    result->verdict = PROBE_OK;
    for (const probe_call *call = it->calls; call->name != NULL; call++) {
        const iso_limit *other = first_met(result, call);
        probe_got got;
        if (other == NULL && only_others) continue;
        name_call(result, call, other);
        try_twice(&got, result, it, call);
        if (other != NULL) got.used = -1; /* it speaks of something else */
        result->verdict =
            probe_judge(PROBE_REFUSED, other != NULL ? other : result->row, &got, result->got);
        if (result->verdict != PROBE_OK) return;
    }
}

static void try_work(probe_result *result, const probe *it)
{
    probe_got got;
    append(result->tried, "", it->what);
    append(result->expected, "", "works");
    try_twice(&got, result, it, NULL);
    result->verdict = probe_judge(PROBE_WORKS, result->row, &got, result->got);
}

static void skip(probe_result *result, const probe *it, const char *why)
{
    append(result->tried, "", it->what);
    append(result->expected, "", "-");
    append(result->got, "", why);
    result->verdict = PROBE_NOT_TRIED;
}

/* The row is not enforced: its work is done, unless another row stands in the way. */
static void try_unenforced(probe_result *result, const probe *it)
{
    if (it->calls != NULL && first_met(result, it->calls) != NULL)
        try_calls(result, it, true);
    else if (it->work != NULL)
        try_work(result, it);
    else
        skip(result, it, "the row says nothing of this kind of loop");
}

static void try_loop(probe_result *result, const probe *it, bool enforced)
{
    const bool is_own =
        strcmp(result->profile, "documented") == 0 || strcmp(result->profile, "native") == 0;
    if (!enforced && !is_own)
        skip(result, it, "not a row of this profile");
    else if (it->calls == NULL)
        try_work(result, it);
    else if (enforced)
        try_calls(result, it, false);
    else
        try_unenforced(result, it);
}

/* Returns whether there is a result: a row that only informs may have nothing to be tried, and work
 * without calls has looked at the system itself. */
static bool try_system(probe_result *result, const probe *it)
{
    probe_got got = { .used = -1 };
    append(result->tried, "", "the system itself");
    append(result->expected, "", result->row->error == ISO_OK ? "as the row says" : "can't");
    if (!probe_os_system(result->row, result->backend, &got)) {
        if (it->calls == NULL) return false;
        got.ready = PROBE_BROKEN;
        snprintf(got.note, sizeof(got.note), "the probe has no way to try it");
    }
    result->verdict = probe_judge(PROBE_SYSTEM, result->row, &got, result->got);
    return true;
}

/* Whether another row came first, and "native" lifts that one. */
static bool is_uncovered(const probe_result *documented, const probe *it)
{
    probe_result native = *documented;
    native.profile = "native";
    return it->calls != NULL && first_met(documented, it->calls) != NULL &&
           first_met(&native, it->calls) == NULL;
}

/* ---- a row ----------------------------------------------------------------------------------- */

size_t probe_row(probe_result *out, const iso_limit *row, const char *backend, const char *profile)
{
    const probe *it = probe_find(row->id);
    const bool enforced = is_enforced(backend, profile, row->id);
    size_t count = 1;
    begin(out, row, backend, profile);
    if (it == NULL) {
        append(out->expected, "", "a probe");
        append(out->got, "", "no probe for this row");
        out->verdict = PROBE_FAILED;
        return 1;
    }
    try_loop(out, it, enforced);
    if (!enforced || strcmp(profile, "documented") != 0) return 1;
    if (!is_enforced(backend, "native", row->id)) {
        try_unenforced(begin(out + count++, row, backend, "native"), it);
        return count;
    }
    if (is_uncovered(out, it)) try_calls(begin(out + count++, row, backend, "native"), it, false);
    if (try_system(begin(out + count, row, backend, "system"), it)) count++;
    return count;
}
