/* SPDX-License-Identifier: MIT */
#include "report.h"
#include "text.h"
#include "tool.h"
#include <stdio.h>
#include <string.h>

enum { BACKEND, CONNECTIONS, MESSAGES, RATE, MEDIAN, P99, TURNS, REFUSED, COLUMNS };

typedef struct row {
    char cells[COLUMNS][80];
} row;

static const row headings = { { "backend", "connections", "messages", "messages/s", "median", "p99",
                                "turns", "refused by a limit" } };

/* ---- the table ------------------------------------------------------------------------------ */

static void fill_connections(char *cell, size_t size, const trial_result *result)
{
    char open[TEXT_SIZE];
    char asked[TEXT_SIZE];
    text_count(open, result->connections);
    text_count(asked, result->connections + result->refused);
    if (result->refused == 0)
        snprintf(cell, size, "%s", open);
    else
        snprintf(cell, size, "%s of %s", open, asked);
}

static void fill_refused(char *cell, size_t size, const trial_result *result)
{
    char refused[TEXT_SIZE];
    if (result->refused == 0)
        snprintf(cell, size, "none");
    else
        snprintf(cell, size, "%s by %s", text_count(refused, result->refused), result->limit.id);
}

/* Only the name, for a backend that has no numbers: its sentence takes the place of the cells. */
static void fill_row(row *out, const trial_result *result)
{
    const size_t size = sizeof(out->cells[0]);
    memset(out, 0, sizeof(*out));
    snprintf(out->cells[BACKEND], size, "%s%s", result->backend, result->is_default ? " *" : "");
    if (result->outcome != TRIAL_RIGHT) return;
    fill_connections(out->cells[CONNECTIONS], size, result);
    text_count(out->cells[MESSAGES], result->messages);
    text_count(out->cells[RATE], (uint64_t)(trial_rate(result) + 0.5));
    text_span(out->cells[MEDIAN], result->median);
    text_span(out->cells[P99], result->p99);
    text_count(out->cells[TURNS], result->turns);
    fill_refused(out->cells[REFUSED], size, result);
}

static void widen(int *widths, const row *by)
{
    for (int i = 0; i < COLUMNS; i++) {
        const int width = (int)strlen(by->cells[i]);
        if (width > widths[i]) widths[i] = width;
    }
}

/* Words to the left, numbers to the right. */
static void print_row(const row *it, const int *widths)
{
    printf("  %-*s", widths[BACKEND], it->cells[BACKEND]);
    for (int i = CONNECTIONS; i < REFUSED; i++) printf("  %*s", widths[i], it->cells[i]);
    printf("  %s\n", it->cells[REFUSED]);
}

static void print_rule(const int *widths)
{
    static const char dashes[] = "--------------------------------------------------------------"
                                 "------------------";
    printf("  ");
    for (int i = 0; i < COLUMNS; i++)
        printf("%.*s%s", widths[i], dashes, i + 1 < COLUMNS ? "  " : "\n");
}

static void print_result(const trial_result *result, const int *widths)
{
    row cells;
    fill_row(&cells, result);
    switch (result->outcome) {
    case TRIAL_RIGHT: print_row(&cells, widths); break;
    case TRIAL_ABSENT:
        printf("  %-*s  not here: %s\n", widths[BACKEND], cells.cells[BACKEND], result->trouble);
        break;
    case TRIAL_FAILED:
        printf("  %-*s  FAILED: %s\n", widths[BACKEND], cells.cells[BACKEND], result->trouble);
        break;
    }
}

static void print_cells(const trial_result *results, size_t count)
{
    int widths[COLUMNS] = { 0 };
    row cells;
    widen(widths, &headings);
    for (size_t i = 0; i < count; i++) {
        fill_row(&cells, &results[i]);
        widen(widths, &cells);
    }
    print_row(&headings, widths);
    print_rule(widths);
    for (size_t i = 0; i < count; i++) print_result(&results[i], widths);
}

/* ---- what it means -------------------------------------------------------------------------- */

static void print_limit(const iso_limit *limit)
{
    char number[TEXT_SIZE];
    printf("  %s", limit->id);
    if (limit->limit > 0) printf(" = %s", text_count(number, (uint64_t)limit->limit));
    printf(": %s (%s).\n", limit->text, limit->source);
}

/* Each limit once, however many backends met it. */
static void print_limits(const trial_result *results, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool told = results[i].refused == 0;
        for (size_t j = 0; j < i && !told; j++)
            told = results[j].refused != 0 && strcmp(results[j].limit.id, results[i].limit.id) == 0;
        if (told) continue;
        print_limit(&results[i].limit);
    }
}

static size_t count_of(const trial_result *results, size_t count, trial_outcome outcome)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) found += results[i].outcome == outcome;
    return found;
}

static bool any_refused(const trial_result *results, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (results[i].refused != 0) return true;
    }
    return false;
}

static bool any_with_windows_limits(const trial_result *results, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (results[i].has_windows_limits) return true;
    }
    return false;
}

static void print_notes(const trial_result *results, size_t count)
{
    printf(
        "\n"
        "  *            the one that a program gets when it does not choose\n"
        "  messages/s   each message counted once, there and back\n"
        "  median, p99  from sending a message to having it back, one of each connection at once\n"
        "  turns        of the loop: each waits once, then calls everything that is ready\n");
    if (!any_refused(results, count)) return;
    printf("\nA limit is no failure: the loop refused those connections by name, and went on.\n");
    print_limits(results, count);
}

static void print_verdict(const trial_result *results, size_t count)
{
    const size_t right = count_of(results, count, TRIAL_RIGHT);
    const size_t failed = count_of(results, count, TRIAL_FAILED);
    if (failed != 0)
        printf("\nFAILED on %zu of %zu backends.\n", failed, failed + right);
    else if (right == 0)
        printf("\nNothing could be shown: none of these backends is here.\n");
    else
        printf("\nAll right: every byte came back unchanged, on %zu backend%s.\n", right,
               right == 1 ? "" : "s");
}

/* As it was called, so that the line can be copied. */
static void print_hint(const char *what, const char *arguments)
{
    printf("  %s\n      %s %s\n", what, tool_path(), arguments);
}

static void print_hints(const trial_plan *plan, const trial_result *results, size_t count)
{
    printf("\nTry next:\n");
    if (plan->connections < 1000)
        print_hint("more connections than every backend takes", "demo --connections 1000");
    if (plan->limits == NULL && !any_with_windows_limits(results, count))
        print_hint("what the same program would meet on Windows",
                   "demo --connections 1000 --limits windows-selector");
    print_hint("a server to talk to, with nc 127.0.0.1 8888", "echo --port 8888");
    print_hint("all that can be changed", "demo --help");
}

void report_intro(const trial_plan *plan)
{
    char connections[TEXT_SIZE];
    char messages[TEXT_SIZE];
    char size[TEXT_SIZE];
    printf("isoloop %s: one echo application, the same on every event loop of this machine.\n"
           "%s connections at once; each sends %s messages of %s bytes, one after the other, and\n"
           "compares every byte that comes back. Server and clients share a loop and a thread.\n\n",
           iso_version(), text_count(connections, (uint64_t)plan->connections),
           text_count(messages, (uint64_t)plan->messages), text_count(size, (uint64_t)plan->size));
}

void report_table(const trial_plan *plan, const trial_result *results, size_t count)
{
    print_cells(results, count);
    if (count_of(results, count, TRIAL_RIGHT) != 0) print_notes(results, count);
    print_verdict(results, count);
    print_hints(plan, results, count);
}
