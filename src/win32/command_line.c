/* SPDX-License-Identifier: MIT */
#include "command_line.h"

#include "base/alloc.h"
#include "base/error.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

enum {
    FIRST_ROOM = 128,
    /* With the zero. Source: CreateProcess, lpCommandLine. */
    LINE_MAX_UNITS = 32767,
    /* Source: Microsoft, "Command prompt (Cmd.exe) command-line string limitation". */
    SHELL_MAX_UNITS = 8191
};

/* ---- texts ---- */

void iso__wide_init(iso__wide *out, const iso_allocator *allocator)
{
    memset(out, 0, sizeof(*out));
    out->allocator = allocator;
}

void iso__wide_free(iso__wide *text)
{
    iso__free(text->allocator, text->text, text->room * sizeof(WCHAR));
    iso__wide_init(text, text->allocator);
}

bool iso__wide_reserve(iso__wide *text, size_t count)
{
    size_t wanted = text->length + count + 1;
    size_t room = text->room > 0 ? text->room : FIRST_ROOM;
    WCHAR *grown;

    if (text->failed) return false;
    if (wanted <= text->room) return true;
    while (room < wanted) room *= 2;
    grown =
        iso__realloc(text->allocator, text->text, text->room * sizeof(WCHAR), room * sizeof(WCHAR));
    if (grown == NULL) {
        text->failed = true;
        return false;
    }
    text->text = grown;
    text->room = room;
    return true;
}

void iso__wide_add(iso__wide *text, const WCHAR *units, size_t count)
{
    if (!iso__wide_reserve(text, count)) return;
    memcpy(text->text + text->length, units, count * sizeof(WCHAR));
    text->length += count;
    text->text[text->length] = L'\0';
}

void iso__wide_push(iso__wide *text, WCHAR unit)
{
    iso__wide_add(text, &unit, 1);
}

void iso__wide_append(iso__wide *text, const WCHAR *units)
{
    iso__wide_add(text, units, wcslen(units));
}

void iso__wide_clear(iso__wide *text)
{
    text->length = 0;
    iso__wide_append(text, L"");
}

int iso__wide_check(const iso__wide *text)
{
    return text->failed ? ISO_ENOMEM : 0;
}

int iso__wide_add_utf8(iso__wide *text, const char *utf8, const char *name)
{
    size_t size = strlen(utf8);
    int units = 0;

    if (size < INT_MAX)
        units = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, utf8, (int)size + 1, NULL, 0);
    if (units <= 0) return iso__error_set(ISO_EINVAL, "%s is not UTF-8", name);
    if (!iso__wide_reserve(text, (size_t)units - 1)) return 0; /* iso__wide_check tells */
    (void)MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, utf8, (int)size + 1,
                              text->text + text->length, units);
    text->length += (size_t)units - 1;
    return 0;
}

/* Another thread may make it longer in between. */
bool iso__wide_add_variable(iso__wide *text, const WCHAR *name)
{
    DWORD room = 0;
    DWORD length = GetEnvironmentVariableW(name, NULL, 0); /* with the zero, as long as it lacks */

    while (length > room && iso__wide_reserve(text, length)) {
        room = length;
        length = GetEnvironmentVariableW(name, text->text + text->length, room);
    }
    if (length == 0 || text->failed) return false;
    text->length += length;
    return true;
}

/* ---- lines for programs ---- */

static int check_length(const iso__wide *line, size_t most)
{
    if (line->failed) return ISO_ENOMEM;
    if (line->length < most) return 0;
    return iso__error_set(ISO_EINVAL,
                          "the arguments make a line of %zu characters, and %zu is the most that "
                          "this program can be given",
                          line->length, most - 1);
}

/* The name of a program stands in quotes or ends at a space; no character in it means anything
 * else, so that there is no way to write a quote. All below the space is taken for one there. */
static int add_program(iso__wide *line, const WCHAR *name)
{
    const WCHAR *at;
    bool in_quotes = *name == L'\0';

    for (at = name; *at != L'\0'; at++) {
        if (*at == L'"')
            return iso__error_set(ISO_EINVAL, "the name of a program can have no quote in it");
        in_quotes = in_quotes || *at <= L' ';
    }
    if (in_quotes) iso__wide_push(line, L'"');
    iso__wide_append(line, name);
    if (in_quotes) iso__wide_push(line, L'"');
    return 0;
}

/* Spaces and tabs end an argument. Wildcards would be expanded in a program that is linked with
 * setargv.obj, and some runtimes end an argument at other white space: quotes hinder both. */
static bool needs_quotes(const WCHAR *argument)
{
    const WCHAR *at;

    if (*argument == L'\0') return true;
    for (at = argument; *at != L'\0'; at++) {
        if (*at <= L' ' || *at == L'"' || *at == L'*' || *at == L'?') return true;
    }
    return false;
}

static void add_backslashes(iso__wide *line, size_t count)
{
    for (; count > 0; count--) iso__wide_push(line, L'\\');
}

/* A backslash means itself, but for those in front of a quote: two of them mean one, and an odd one
 * makes the quote mean itself. */
static void add_quoted(iso__wide *line, const WCHAR *argument)
{
    size_t backslashes = 0;
    const WCHAR *at;

    iso__wide_push(line, L'"');
    for (at = argument; *at != L'\0'; at++) {
        if (*at == L'"') add_backslashes(line, backslashes + 1);
        backslashes = *at == L'\\' ? backslashes + 1 : 0;
        iso__wide_push(line, *at);
    }
    add_backslashes(line, backslashes);
    iso__wide_push(line, L'"');
}

static void add_argument(iso__wide *line, const WCHAR *argument)
{
    if (needs_quotes(argument))
        add_quoted(line, argument);
    else
        iso__wide_append(line, argument);
}

/* One of argv as a text of its own, over what was in `out`. */
static int widen_argument(iso__wide *out, const char *argument)
{
    int rc;

    iso__wide_clear(out);
    rc = iso__wide_add_utf8(out, argument, "an argument");
    return rc != 0 ? rc : iso__wide_check(out);
}

int iso__command_line_of(iso__wide *out, const char *const *argv)
{
    iso__wide one;
    size_t at;
    int rc;

    iso__wide_init(&one, out->allocator);
    rc = widen_argument(&one, argv[0]);
    if (rc == 0) rc = add_program(out, one.text);
    for (at = 1; rc == 0 && argv[at] != NULL; at++) {
        rc = widen_argument(&one, argv[at]);
        if (rc != 0) break;
        iso__wide_push(out, L' ');
        add_argument(out, one.text);
    }
    iso__wide_free(&one);
    return rc != 0 ? rc : check_length(out, LINE_MAX_UNITS);
}

/* ---- lines for cmd.exe ---- */

/* CreateProcess looks at the last four characters; Windows has dropped dots and spaces behind them
 * when it opens the file. Source: CVE-2024-43402. */
bool iso__command_line_is_batch(const WCHAR *path)
{
    size_t length = wcslen(path);

    while (length > 0 && (path[length - 1] == L'.' || path[length - 1] == L' ')) length--;
    if (length < 4) return false;
    return _wcsnicmp(path + length - 4, L".bat", 4) == 0 ||
           _wcsnicmp(path + length - 4, L".cmd", 4) == 0;
}

/* What no quotes keep cmd.exe from reading: a quote ends them, percent and exclamation marks make
 * variables, and the end of a line is the end of the command. The others mean nothing in quotes,
 * but a batch file that has %~1 takes these off, and its `call` doubles a caret in them. */
static bool is_unsafe(WCHAR unit)
{
    return (unit < L' ' && unit != L'\t') || unit == 0x7F || wcschr(L"\"%!^&|<>", unit) != NULL;
}

/* What is one argument without quotes: cmd.exe ends one at ',', ';' and '=' too. */
static bool is_plain(WCHAR unit)
{
    return (unit >= L'0' && unit <= L'9') || (unit >= L'A' && unit <= L'Z') ||
           (unit >= L'a' && unit <= L'z') || wcschr(L"#$+-./:@\\_", unit) != NULL;
}

static int refuse_argument(const char *argument, const char *why)
{
    return iso__error_set(ISO_EINVAL, "the argument \"%.120s\" can't be given to a batch file: %s",
                          argument, why);
}

/* `argument` is `original` as UTF-16. */
static int add_batch_argument(iso__wide *line, const WCHAR *argument, const char *original)
{
    bool in_quotes = *argument == L'\0';
    const WCHAR *at;

    for (at = argument; *at != L'\0'; at++) {
        if (is_unsafe(*at))
            return refuse_argument(original, "cmd.exe would read it as more than an argument");
        in_quotes = in_quotes || !is_plain(*at);
    }
    /* To cmd.exe the backslash means itself, to the program that it is handed on to it would make
     * the quote mean itself. No line says the same to both. */
    if (in_quotes && at > argument && at[-1] == L'\\')
        return refuse_argument(original, "it needs quotes, and ends with a backslash");
    iso__wide_push(line, L' ');
    if (in_quotes) iso__wide_push(line, L'"');
    iso__wide_append(line, argument);
    if (in_quotes) iso__wide_push(line, L'"');
    return 0;
}

/* Its own way of starting a batch file would leave to CreateProcess, and to the registry, with what
 * options: extensions are on, delayed expansion and AutoRun are off. /s: the outer quotes are taken
 * off, and nothing else. */
int iso__command_line_of_batch(iso__wide *out, const WCHAR *path, const char *const *argv)
{
    iso__wide one;
    size_t at;
    int rc = 0;

    if (wcschr(path, L'%') != NULL)
        return iso__error_set(ISO_EINVAL, "the path of a batch file can have no %% in it");
    iso__wide_init(&one, out->allocator);
    iso__wide_append(out, L"cmd.exe /d /e:on /v:off /s /c \"\"");
    iso__wide_append(out, path);
    iso__wide_push(out, L'"');
    for (at = 1; rc == 0 && argv[at] != NULL; at++) {
        rc = widen_argument(&one, argv[at]);
        if (rc == 0) rc = add_batch_argument(out, one.text, argv[at]);
    }
    iso__wide_push(out, L'"');
    iso__wide_free(&one);
    return rc != 0 ? rc : check_length(out, SHELL_MAX_UNITS);
}

int iso__command_line_of_shell(iso__wide *out, const WCHAR *path, const char *command)
{
    int rc = add_program(out, path);

    if (rc != 0) return rc;
    iso__wide_append(out, L" /d /s /c \"");
    rc = iso__wide_add_utf8(out, command, "the command");
    iso__wide_push(out, L'"');
    return rc != 0 ? rc : check_length(out, SHELL_MAX_UNITS);
}

/* ---- the environment ---- */

typedef struct variable {
    const WCHAR *text; /* "NAME=value" */
    int name;          /* the length of the name */
} variable;

static int compare_names(const variable *a, const variable *b)
{
    return CompareStringOrdinal(a->text, a->name, b->text, b->name, TRUE) - CSTR_EQUAL;
}

/* Entries with the same name stay in their order, which is that of their texts in memory. */
static int compare_variables(const void *left, const void *right)
{
    const variable *a = left;
    const variable *b = right;
    int order = compare_names(a, b);

    if (order != 0) return order;
    return a->text < b->text ? -1 : a->text > b->text;
}

static int name_length(const WCHAR *text)
{
    const WCHAR *end = *text == L'\0' ? NULL : wcschr(text + 1, L'=');

    return end == NULL ? 0 : (int)(end - text);
}

/* SYSTEMROOT=..., without which Winsock and the side-by-side loader don't start. It is the first:
 * what the program itself has stands behind it, and wins. */
static void add_system_root(iso__wide *texts)
{
    static const WCHAR name[] = L"SYSTEMROOT";

    iso__wide_append(texts, name);
    iso__wide_push(texts, L'=');
    if (iso__wide_add_variable(texts, name))
        iso__wide_push(texts, L'\0');
    else
        texts->length = 0;
}

/* All the texts, each with its zero, and how many they are. */
static int collect_texts(iso__wide *texts, const char *const *environment, size_t *count)
{
    size_t before;
    size_t at;
    int rc;

    add_system_root(texts);
    *count = texts->length > 0 ? 1 : 0;
    for (at = 0; environment[at] != NULL; at++) {
        before = texts->length;
        rc = iso__wide_add_utf8(texts, environment[at], "a variable of the environment");
        if (rc != 0) return rc;
        iso__wide_push(texts, L'\0');
        if (texts->failed) return ISO_ENOMEM;
        if (name_length(texts->text + before) == 0)
            return iso__error_set(ISO_EINVAL, "\"%.120s\" is not NAME=value", environment[at]);
        *count += 1;
    }
    return iso__wide_check(texts);
}

static void add_block(iso__wide *out, const variable *list, size_t count)
{
    size_t at;

    for (at = 0; at < count; at++) {
        if (at + 1 < count && compare_names(&list[at], &list[at + 1]) == 0) continue;
        iso__wide_add(out, list[at].text, wcslen(list[at].text) + 1);
    }
    if (out->length == 0) iso__wide_push(out, L'\0'); /* an empty block has two zeros as well */
    iso__wide_push(out, L'\0');
}

int iso__command_line_environment(iso__wide *out, const char *const *environment)
{
    iso__wide texts;
    variable *list = NULL;
    const WCHAR *next;
    size_t count = 0;
    size_t at;
    int rc;

    iso__wide_init(&texts, out->allocator);
    rc = collect_texts(&texts, environment, &count);
    if (rc != 0) goto done;
    list = iso__alloc(out->allocator, (count + 1) * sizeof(*list)); /* an empty one too */
    if (list == NULL) {
        rc = ISO_ENOMEM;
        goto done;
    }
    for (at = 0, next = texts.text; at < count; at++, next += wcslen(next) + 1) {
        list[at].text = next;
        list[at].name = name_length(next);
    }
    if (count > 1) qsort(list, count, sizeof(*list), compare_variables);
    add_block(out, list, count);
    rc = iso__wide_check(out);
done:
    iso__free(out->allocator, list, (count + 1) * sizeof(*list));
    iso__wide_free(&texts);
    return rc;
}

const WCHAR *iso__command_line_variable(const WCHAR *block, const WCHAR *name)
{
    variable wanted;
    variable one;

    wanted.text = name;
    wanted.name = (int)wcslen(name);
    for (; *block != L'\0'; block += wcslen(block) + 1) {
        one.text = block;
        one.name = name_length(block);
        if (compare_names(&wanted, &one) == 0) return block + one.name + 1;
    }
    return NULL;
}
