/* SPDX-License-Identifier: MIT */
/* The page docs/platforms.md, out of the table: nothing here depends on where it is printed. */
#include "limits_print.h"
#include "text.h"
#include <stdio.h>
#include <string.h>

/* A kind of loop, by the profile and the backend that mean it. */
typedef struct column {
    const char *title;
    const char *profile;
    const char *backend;
    uint64_t rows;
} column;

static column columns[] = {
    { "Linux: epoll", "linux", "selector:epoll", 0 },
    { "macOS, BSD: kqueue", "macos", "selector:kqueue", 0 },
    { "POSIX: poll", "linux", "selector:poll", 0 },
    { "POSIX: select", "linux", "selector:select", 0 },
    { "Windows: selector", "windows-selector", "selector:select", 0 },
    { "Windows: proactor", "windows-proactor", "proactor:iocp", 0 },
    { "OS X 10.6 to 10.8: kqueue", "macos-10.8", "selector:kqueue", 0 },
    { "OS X 10.5", "macos-10.5", "selector:kqueue", 0 },
};

enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

static uint64_t lifted;    /* the rows that "native" does not have, */
static uint64_t informing; /* and those that refuse nothing */

static void read_table(void)
{
    size_t count;
    const iso_limit *rows = iso_limits(&count);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].is_lifted) lifted |= (uint64_t)1 << i;
        if (rows[i].error == ISO_OK) informing |= (uint64_t)1 << i;
    }
    for (int i = 0; i < COLUMNS; i++)
        (void)iso_limits_rows(columns[i].profile, columns[i].backend, &columns[i].rows);
}

static const iso_limit *find_row(const column *it, const char *id, bool *is_lifted)
{
    size_t count;
    const iso_limit *rows = iso_limits(&count);
    for (size_t i = 0; i < count; i++) {
        if (!limits_has(it->rows, i) || strcmp(rows[i].id, id) != 0) continue;
        *is_lifted = rows[i].is_lifted;
        return &rows[i];
    }
    return NULL;
}

/* ---- the matrix ---- */

static void print_header(const char *first)
{
    printf("| %s |", first);
    for (int i = 0; i < COLUMNS; i++) printf(" %s |", columns[i].title);
    printf("\n|---|");
    for (int i = 0; i < COLUMNS; i++) printf("---|");
    printf("\n");
}

static const char *answer_of(const column *it, iso_capability capability)
{
    if (iso_limits_allow(it->rows, capability)) return "yes";
    if (iso_limits_allow(it->rows & ~informing, capability)) return "not advised";
    return iso_limits_allow(it->rows & ~lifted, capability) ? "native" : "**no**";
}

static void print_capabilities(void)
{
    print_header("what");
    for (int i = 0; iso_capability_name((iso_capability)i) != NULL; i++) {
        printf("| %s |", iso_capability_calls((iso_capability)i));
        for (int at = 0; at < COLUMNS; at++)
            printf(" %s |", answer_of(&columns[at], (iso_capability)i));
        printf("\n");
    }
}

/* One line of numbers: what the row `id` has, less `below`, and `none` where it does not apply. */
static void print_numbers(const char *what, const char *id, int below, const char *none)
{
    char text[TEXT_SIZE];
    printf("| %s |", what);
    for (int i = 0; i < COLUMNS; i++) {
        bool is_lifted = false;
        const iso_limit *row = find_row(&columns[i], id, &is_lifted);
        if (row == NULL)
            printf(" %s |", none);
        else
            printf(" %s%s |", text_count(text, (uint64_t)(row->limit - below)),
                   is_lifted ? "; native: any" : "");
    }
    printf("\n");
}

static void print_clock(void)
{
    char text[TEXT_SIZE];
    printf("| timers are due within |");
    for (int i = 0; i < COLUMNS; i++) {
        bool is_lifted = false;
        const iso_limit *row = find_row(&columns[i], "windows.clock", &is_lifted);
        printf(" %s |", row == NULL ? "the system's best" : text_span(text, row->limit));
    }
    printf("\n");
}

/* ---- the rest ---- */

static void print_capability_names(void)
{
    size_t count;
    const iso_limit *rows = iso_limits(&count);
    printf("| capability | calls | false by |\n|---|---|---|\n");
    for (int i = 0; iso_capability_name((iso_capability)i) != NULL; i++) {
        const char *comma = "";
        printf("| `%s` | %s | ", iso_capability_name((iso_capability)i),
               iso_capability_calls((iso_capability)i));
        for (size_t n = 0; n < count; n++) {
            if (iso_limits_allow((uint64_t)1 << n, (iso_capability)i)) continue;
            printf("%s`%s`", comma, rows[n].id);
            comma = ", ";
        }
        printf(" |\n");
    }
}

static void print_profiles(void)
{
    size_t count;
    const iso_limits_profile *profiles = iso_limits_profiles(&count);
    printf("| profile | whose rows |\n|---|---|\n");
    for (size_t i = 0; i < count; i++)
        printf("| `%s` | %s |\n", profiles[i].name, profiles[i].text);
}

static void print_row(const iso_limit *row)
{
    char text[TEXT_SIZE];
    printf("\n### `%s`\n\n> %s\n\n", row->id, row->text);
    printf("- where: %s\n", row->where);
    printf("- calls: %s\n", row->api);
    if (row->error != ISO_OK)
        printf("- answer: `%s`, %s\n", iso_error_name(row->error), iso_strerror(row->error));
    else
        printf("- answer: none, it informs\n");
    if (row->limit >= 1000000)
        printf("- number: %s\n", text_span(text, row->limit));
    else if (row->limit != 0)
        printf("- number: %s\n", text_count(text, (uint64_t)row->limit));
    if (row->instead[0] != '\0') printf("- asyncio: %s\n", row->instead);
    printf("- under `native`: %s\n", row->is_lifted ? "lifted" : "the same");
    printf("- source: %s\n", row->source);
}

static const char introduction[] =
    "# What works where\n"
    "\n"
    "Everything that this page does not name works on every platform and every kind of loop: TCP\n"
    "servers and connections, stream transports, `sock_` calls, `sendfile`, name look-up, timers,\n"
    "posts from other threads. What it names is limited somewhere, by the system or by the\n"
    "documents. [limits.md](limits.md) tells how a program meets a limit, and asks beforehand.\n"
    "\n"
    "`isoloop limits --markdown` prints this page out of the library's own table, and\n"
    "`cmake -P cmake/platforms.cmake` writes it here; a test fails when it is not the same.\n"
    "\n"
    "## By platform and kind of loop\n"
    "\n"
    "**no**: the call answers the error of a row below. native: the documents say no, and so does\n"
    "the library unless the profile is `native`; then it does it.\n"
    "\n";

static const char about_numbers[] =
    "\n"
    "Where devices can be watched, not every one can: epoll does not take /dev/null, nor kqueue\n"
    "/dev/tty besides (`kqueue.chardev`). The BSDs are as macOS is. On Windows a proactor loop "
    "has\n"
    "timers of 0.5 ms where the system has them; the profiles play the usual 15.6 ms.\n"
    "\n"
    "## Profiles\n"
    "\n"
    "`iso_loop_options.limits`, or the environment variable `ISOLOOP_LIMITS`, chooses which rows "
    "a\n"
    "loop enforces. One that speaks of another system brings its rows to this one: the same "
    "codes,\n"
    "the same sentences, the same numbers. What the own system truly cannot do stays.\n"
    "\n";

static const char about_capabilities[] =
    "\n"
    "## Capabilities\n"
    "\n"
    "`iso_loop_supports` asks for them, `iso_capability_name` has their names; the constant is\n"
    "`ISO_CAP_` and the name in capital letters.\n"
    "\n";

void limits_print_page(void)
{
    size_t count;
    const iso_limit *rows = iso_limits(&count);
    read_table();
    printf("%s", introduction);
    print_capabilities();
    printf("\n");
    print_header("how far");
    print_numbers("sockets registered at once", "windows.selector.max_sockets", 0, "any");
    print_numbers("the highest descriptor", "select.fd_setsize", 1, "any");
    print_clock();
    printf("%s", about_numbers);
    print_profiles();
    printf("%s", about_capabilities);
    print_capability_names();
    printf("\n## Every row\n");
    for (size_t i = 0; i < count; i++) print_row(&rows[i]);
}
