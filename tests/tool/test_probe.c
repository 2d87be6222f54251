/* SPDX-License-Identifier: MIT */
/* That the probe can fail: what disagrees with a row is told, and a row that is not as the library
 * has it, too. */
#include "probe.h"
#include <stdio.h>
#include <string.h>

static int failures;

static const iso_limit fake = {
    .id = "amiga.memory",
    .where = "Amiga",
    .api = "all",
    .text = "there is no memory left",
    .source = "a book",
    .error = ISO_ELIMIT,
    .limit = 512,
};

static void expect(const char *what, probe_verdict got, probe_verdict wanted, const char *text,
                   const char *part)
{
    if (got == wanted && strstr(text, part) != NULL) return;
    fprintf(stderr, "%s: verdict %d, not %d; \"%s\"\n", what, (int)got, (int)wanted, text);
    failures++;
}

static void judge(const char *what, probe_way way, const probe_got *got, probe_verdict wanted,
                  const char *part)
{
    char text[PROBE_TEXT_SIZE] = "";
    const probe_verdict verdict = probe_judge(way, &fake, got, text);
    expect(what, verdict, wanted, text, part);
}

/* A call that was refused as it should be. */
static probe_got refused(void)
{
    return (probe_got){
        .error = ISO_ELIMIT,
        .met = fake,
        .used = -1,
        .before = { 3, 2, 10 },
        .after = { 3, 2, 10 },
        .goes_on = true,
    };
}

static probe_got worked(void)
{
    return (probe_got){ .used = -1, .goes_on = true, .note = "a byte came" };
}

static void a_right_refusal_agrees(void)
{
    probe_got got = refused();
    judge("a right refusal", PROBE_REFUSED, &got, PROBE_OK, "ISO_ELIMIT");
    got.met.used = 512;
    got.used = 512;
    judge("with its number", PROBE_REFUSED, &got, PROBE_OK, "");
}

static void each_flaw_of_a_refusal_is_told(void)
{
    probe_got got = refused();
    got.error = 0;
    judge("a call that works", PROBE_REFUSED, &got, PROBE_FAILED, "it was not refused");
    got.error = 7;
    judge("a count", PROBE_REFUSED, &got, PROBE_FAILED, "it was not refused");
    got.error = ISO_EPERM;
    judge("another error", PROBE_REFUSED, &got, PROBE_FAILED, "ISO_EPERM");
    got = refused();
    got.met.id = NULL;
    judge("no row", PROBE_REFUSED, &got, PROBE_FAILED, "no row was named");
    got = refused();
    got.met.id = "amiga.disk";
    judge("another row", PROBE_REFUSED, &got, PROBE_FAILED, "amiga.disk was named");
    got = refused();
    got.met.text = "there is memory left";
    judge("another sentence", PROBE_REFUSED, &got, PROBE_FAILED, "not as in the table");
    got = refused();
    got.met.source = "another book";
    judge("another source", PROBE_REFUSED, &got, PROBE_FAILED, "not as in the table");
    got = refused();
    got.met.where = "Atari";
    judge("another place", PROBE_REFUSED, &got, PROBE_FAILED, "not as in the table");
    got = refused();
    got.met.error = ISO_ENOTSUP;
    judge("another code in the row", PROBE_REFUSED, &got, PROBE_FAILED, "not as in the table");
    got = refused();
    got.met.limit = 1024;
    judge("another limit", PROBE_REFUSED, &got, PROBE_FAILED, "not as in the table");
    got = refused();
    got.used = 512;
    got.met.used = 511;
    judge("another number", PROBE_REFUSED, &got, PROBE_FAILED, "511 are used, not 512");
}

/* The same of a refusal and of work. */
static void expect_remains(const char *what, probe_got got, const char *part)
{
    judge(what, PROBE_REFUSED, &got, PROBE_FAILED, part);
    got.error = 0;
    got.met.id = NULL;
    judge(what, PROBE_WORKS, &got, PROBE_FAILED, part);
}

static void what_is_left_is_told(void)
{
    probe_got got = refused();
    got.after.objects++;
    expect_remains("an object", got, "4 objects are open, not 3");
    got = refused();
    got.after.registered--;
    expect_remains("a registration", got, "1 descriptors are registered, not 2");
    got = refused();
    got.after.descriptors++;
    expect_remains("a descriptor", got, "11 descriptors are open, not 10");
    got = refused();
    got.left_open = 1;
    expect_remains("a descriptor at the end", got, "after the loop was closed");
    got = refused();
    got.left_open = -1;
    expect_remains("one closed that is another's", got, "after the loop was closed");
    got = refused();
    got.goes_on = false;
    expect_remains("a dead loop", got, "does not go on");
    got = refused();
    got.wrote_out = true;
    expect_remains("a result", got, "wrote its result");
}

static void work_is_told(void)
{
    probe_got got = worked();
    judge("work", PROBE_WORKS, &got, PROBE_OK, "a byte came");
    got.error = ISO_EPIPE;
    judge("no work", PROBE_WORKS, &got, PROBE_FAILED, "ISO_EPIPE: a byte came");
    got.met = fake;
    got.error = ISO_ELIMIT;
    judge("refused work", PROBE_WORKS, &got, PROBE_FAILED, "by the row amiga.memory");
}

static void the_system_is_told(void)
{
    probe_got got = { .used = -1, .note = "memory: none" };
    judge("a system that can't", PROBE_SYSTEM, &got, PROBE_OK, "memory: none");
    got.can = true;
    judge("a system that can", PROBE_SYSTEM, &got, PROBE_FAILED,
          "the system can do more than the table says: memory: none");
}

static void a_want_is_no_agreement(void)
{
    probe_got got = { .ready = PROBE_SCANT, .note = "1,200 descriptors" };
    judge("too few", PROBE_REFUSED, &got, PROBE_NOT_TRIED, "1,200");
    got.ready = PROBE_ABSENT;
    judge("none, on the row's own system", PROBE_REFUSED, &got, PROBE_FAILED, "1,200");
    got.may_lack_things = true;
    judge("none, on another system", PROBE_REFUSED, &got, PROBE_NOT_TRIED, "1,200");
    got.ready = PROBE_BROKEN;
    judge("broken", PROBE_SYSTEM, &got, PROBE_FAILED, "1,200");
}

/* ---- with a loop ---------------------------------------------------------------------------- */

static const iso_limit *find(const char *id)
{
    size_t count;
    const iso_limit *rows = iso_limits(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].id, id) == 0) return &rows[i];
    }
    return NULL;
}

static void probe_as(const char *what, const iso_limit *row, probe_verdict wanted, const char *part)
{
    probe_result results[PROBE_RESULTS];
    if (probe_row(results, row, "selector:select", "windows-selector") != 1) failures++;
    expect(what, results[0].verdict, wanted, results[0].got, part);
}

/* Every platform has select, and this profile. */
static void a_doctored_row_disagrees(void)
{
    const iso_limit *row = find("windows.reuse_port");
    iso_limit doctored = *row;
    probe_as("the row itself", row, PROBE_OK, "");
    doctored.error = ISO_EPERM;
    probe_as("another error", &doctored, PROBE_FAILED, "ISO_ENOTSUP");
    doctored = *row;
    doctored.text = "SO_REUSEPORT exists";
    probe_as("another sentence", &doctored, PROBE_FAILED, "not as in the table");
    doctored = *row;
    doctored.limit = 1;
    probe_as("another limit", &doctored, PROBE_FAILED, "not as in the table");
    row = find("windows.clock");
    doctored = *row;
    doctored.limit = -ISO_S(1);
    probe_as("a clock", row, PROBE_OK, "the resolution is");
    probe_as("a finer clock than there is", &doctored, PROBE_FAILED, "the resolution is");
}

static void a_row_without_a_probe_fails(void)
{
    size_t count;
    const iso_limit *rows = iso_limits(&count);
    const iso_limit *unprobed = probe_find_unprobed(rows, count);
    probe_as("a row without a probe", &fake, PROBE_FAILED, "no probe for this row");
    if (probe_find_unprobed(&fake, 1) != &fake) failures++;
    if (unprobed == NULL) return;
    fprintf(stderr, "no probe for the row %s\n", unprobed->id);
    failures++;
}

int main(void)
{
    a_right_refusal_agrees();
    each_flaw_of_a_refusal_is_told();
    what_is_left_is_told();
    work_is_told();
    the_system_is_told();
    a_want_is_no_agreement();
    a_doctored_row_disagrees();
    a_row_without_a_probe_fails();
    return failures != 0;
}
