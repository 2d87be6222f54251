/* SPDX-License-Identifier: MIT */
#include "command_line.h"
#include "kit.h"
#include "win32/child.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <shellapi.h>

enum { ARGUMENTS_MAX = 60, ARGUMENT_ROOM = 64, RANDOM_VECTORS = 4000, LINE_UNITS_MAX = 32767 };

/* ---- arguments, as UTF-8 ---- */

static const char *const nasty[] = {
    "",
    " ",
    "\t",
    "\n",
    "\v",
    "a",
    "a b",
    "\"",
    "\"\"",
    "\"\"\"",
    "\\",
    "\\\\",
    "\\\"",
    "\\\\\"",
    "\\\\\\\"",
    "a\\",
    "a b\\",
    "a b\\\\",
    "a\\b",
    "a\\\\b c",
    "\"a b\"",
    "\"a\" \"b\"",
    "a\"b\\\"c\\\\\"d",
    "C:\\Program Files\\",
    "C:\\Program Files (x86)\\a.exe",
    "--name=\"a b\"",
    "*",
    "*.c",
    "?",
    "a*b?",
    "'",
    "'a b'",
    "`a`",
    "$(a)",
    "%PATH%",
    "^&|<>",
    "!a!",
    "@file",
    "-",
    "/?",
    "\x01\x1f\x7f",
    "\xc3\xa4\xc3\xb6\xc3\xbc",
    "\xe2\x80\x9c\xe2\x80\x9d",
    "\xef\xbc\x82",
    "\xc2\xa0",
    "\xf0\x9f\x98\x80 \xf0\x9f\x98\x80",
    "\xe3\x80\x80",
};

typedef struct vector {
    char texts[ARGUMENTS_MAX][ARGUMENT_ROOM];
    const char *argv[ARGUMENTS_MAX + 1];
    size_t count;
} vector;

static void vector_begin(vector *v)
{
    v->argv[0] = "program";
    v->argv[1] = NULL;
    v->count = 1;
}

static void vector_add(vector *v, const char *argument)
{
    v->argv[v->count++] = argument;
    v->argv[v->count] = NULL;
}

/* Of few characters, so that the ones that mean something meet often. */
static const char *random_argument(kit *k, char *text)
{
    static const char *const pieces[] = { "\\", "\\", "\"", "\"", " ",  "\t", "a",
                                          "b",  "*",  "'",  "%",  "\n", "=",  "\xc3\xa4" };
    uint32_t length = kit_random_below(k, 12);

    *text = '\0';
    for (; length > 0; length--) strcat(text, pieces[kit_random_below(k, ISO__COUNT(pieces))]);
    return text;
}

static void vector_randomise(kit *k, vector *v, size_t count)
{
    vector_begin(v);
    while (v->count < count) vector_add(v, random_argument(k, v->texts[v->count]));
}

static void check_unit_by_unit(const wchar_t *is, const char *should)
{
    wchar_t wide[1024];

    REQUIRE(MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, should, -1, wide, 1024) > 0);
    CHECK(wcscmp(is, wide) == 0);
}

/* ---- two that take a line apart ---- */

static void check_by_windows(const wchar_t *line, const vector *v)
{
    wchar_t **parsed;
    int count;
    int at;

    parsed = CommandLineToArgvW(line, &count);
    REQUIRE(parsed != NULL);
    if (CHECK_EQ(count, v->count)) {
        for (at = 0; at < count; at++) check_unit_by_unit(parsed[at], v->argv[at]);
    }
    (void)LocalFree(parsed);
}

/* The rules as they are written down. Source: Microsoft, "Parsing C command-line arguments". */
typedef struct parser {
    const wchar_t *at;
    wchar_t text[1024];
    size_t length;
    bool in_quotes;
} parser;

static void keep(parser *p, wchar_t unit, size_t times)
{
    for (; times > 0 && p->length < ISO__COUNT(p->text) - 1; times--) p->text[p->length++] = unit;
    p->text[p->length] = L'\0';
}

static void parse_backslashes(parser *p)
{
    size_t count = wcsspn(p->at, L"\\");

    p->at += count;
    if (*p->at != L'"') {
        keep(p, L'\\', count);
        return;
    }
    keep(p, L'\\', count / 2);
    if (count % 2 == 1) {
        keep(p, L'"', 1);
        p->at++;
    }
}

static void parse_quote(parser *p)
{
    p->at++;
    if (p->in_quotes && *p->at == L'"') {
        keep(p, L'"', 1);
        p->at++;
    } else {
        p->in_quotes = !p->in_quotes;
    }
}

static bool parse_argument(parser *p)
{
    p->at += wcsspn(p->at, L" \t");
    if (*p->at == L'\0') return false;
    p->length = 0;
    p->text[0] = L'\0';
    p->in_quotes = false;
    while (*p->at != L'\0' && (p->in_quotes || (*p->at != L' ' && *p->at != L'\t'))) {
        if (*p->at == L'\\')
            parse_backslashes(p);
        else if (*p->at == L'"')
            parse_quote(p);
        else
            keep(p, *p->at++, 1);
    }
    return true;
}

static void check_by_the_book(const wchar_t *line, const vector *v)
{
    parser p = { 0 };
    size_t at;

    p.at = line + wcscspn(line, L" ");
    for (at = 1; at < v->count; at++) {
        if (!CHECK(parse_argument(&p))) return;
        check_unit_by_unit(p.text, v->argv[at]);
    }
    CHECK(!parse_argument(&p));
}

static void check_line_of(kit *k, const vector *v)
{
    iso__wide line;

    iso__wide_init(&line, kit_allocator(k));
    REQUIRE_OK(iso__command_line_of(&line, v->argv));
    CHECK_EQ(line.length, wcslen(line.text));
    check_by_windows(line.text, v);
    check_by_the_book(line.text, v);
    iso__wide_free(&line);
}

/* ---- lines ---- */

KIT_TEST(each_nasty_argument_is_taken_apart_as_it_was)
{
    static vector v;
    size_t at;

    for (at = 0; at < ISO__COUNT(nasty); at++) {
        vector_begin(&v);
        vector_add(&v, nasty[at]);
        check_line_of(k, &v);
    }
}

KIT_TEST(nasty_arguments_do_not_touch_their_neighbours)
{
    static vector v;
    size_t left;
    size_t right;

    for (left = 0; left < ISO__COUNT(nasty); left++) {
        for (right = 0; right < ISO__COUNT(nasty) && !kit_has_failed(k); right++) {
            vector_begin(&v);
            vector_add(&v, nasty[left]);
            vector_add(&v, nasty[right]);
            check_line_of(k, &v);
        }
    }
}

KIT_TEST(random_arguments_are_taken_apart_as_they_were)
{
    static vector v;
    int round;

    for (round = 0; round < RANDOM_VECTORS && !kit_has_failed(k); round++) {
        vector_randomise(k, &v, 1 + kit_random_below(k, 6));
        check_line_of(k, &v);
    }
}

static void check_line(kit *k, const char *const *argv, const wchar_t *should)
{
    iso__wide line;

    iso__wide_init(&line, kit_allocator(k));
    CHECK_OK(iso__command_line_of(&line, argv));
    CHECK(wcscmp(line.text, should) == 0);
    iso__wide_free(&line);
}

KIT_TEST(what_needs_no_quotes_has_none)
{
    static const char *const argv[] = { "C:\\a.exe", "-x", "C:\\b\\", "a=b,c;d(e)", NULL };

    check_line(k, argv, L"C:\\a.exe -x C:\\b\\ a=b,c;d(e)");
}

KIT_TEST(the_name_of_a_program_is_quoted_without_backslashes)
{
    static const char *const argv[] = { "C:\\a b\\", "c", NULL };

    check_line(k, argv, L"\"C:\\a b\\\" c");
}

KIT_TEST(an_empty_name_of_a_program_is_kept)
{
    static const char *const argv[] = { "", NULL };

    check_line(k, argv, L"\"\"");
}

static void check_refused(kit *k, const char *const *argv, const char *detail)
{
    iso__wide line;

    iso__wide_init(&line, kit_allocator(k));
    CHECK_RC(iso__command_line_of(&line, argv), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), detail);
    iso__wide_free(&line);
}

KIT_TEST(a_quote_in_the_name_of_a_program_is_refused)
{
    static const char *const argv[] = { "a\"b", NULL };

    check_refused(k, argv, "no quote");
}

KIT_TEST(what_is_not_utf8_is_refused)
{
    static const char *const texts[] = {
        "\x80",                     /* begins with a continuation */
        "a\xff",                    /* never a part of UTF-8 */
        "\xc3",                     /* ends too early */
        "\xe2\x82",                 /* the same */
        "\xc0\x80",                 /* a zero, too long */
        "\xe0\x80\xaf",             /* a slash, too long */
        "\xed\xa0\x80",             /* half of a surrogate pair */
        "\xed\xa0\xbd\xed\xb8\x80", /* both halves */
        "\xf4\x90\x80\x80",         /* beyond Unicode */
        "\xf8\x88\x80\x80\x80",     /* five bytes */
    };
    size_t at;

    for (at = 0; at < ISO__COUNT(texts); at++) {
        const char *argv[] = { "a", texts[at], NULL };

        check_refused(k, argv, "an argument is not UTF-8");
    }
}

/* "a" and `count` units behind a space. */
static int build_long(kit *k, size_t count)
{
    char *text = malloc(count + 1);
    const char *argv[] = { "a", text, NULL };
    iso__wide line;
    int rc;

    REQUIRE(text != NULL);
    memset(text, 'x', count);
    text[count] = '\0';
    iso__wide_init(&line, kit_allocator(k));
    rc = iso__command_line_of(&line, argv);
    if (rc == 0) CHECK_EQ(line.length, count + 2);
    iso__wide_free(&line);
    free(text);
    return rc;
}

KIT_TEST(a_line_is_as_long_as_windows_takes_and_no_longer)
{
    CHECK_OK(build_long(k, LINE_UNITS_MAX - 1 - 2));
    CHECK_RC(build_long(k, LINE_UNITS_MAX - 2), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "32766");
}

KIT_TEST(a_line_without_memory_is_told_and_leaves_nothing)
{
    static const char *const argv[] = { "program", "a b", "c\"d", NULL };
    iso__wide line;
    uint64_t nth;
    int rc = ISO_ENOMEM;

    for (nth = 1; rc != 0 && nth < 50; nth++) {
        iso__wide_init(&line, kit_allocator(k));
        kit_fail_allocation(k, nth, false);
        rc = iso__command_line_of(&line, argv);
        kit_fail_allocation(k, 0, false);
        if (rc != 0) CHECK_RC(rc, ISO_ENOMEM);
        iso__wide_free(&line);
    }
    CHECK_OK(rc);
    CHECK_GE(nth, 3);
}

/* ---- a real program ---- */

static char *add_hexadecimal(char *out, const char *argument)
{
    wchar_t wide[1024];
    const wchar_t *at;

    REQUIRE(MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, argument, -1, wide, 1024) > 0);
    for (at = wide; *at != L'\0'; at++) out += sprintf(out, "%04x", (unsigned)*at);
    *out++ = '\n';
    *out = '\0';
    return out;
}

/* echo_args answers what the C runtime has made of the line. */
static void check_by_program(kit *k, const vector *v)
{
    static child it;
    static char should[ARGUMENTS_MAX * ARGUMENT_ROOM * 5];
    const char *argv[ARGUMENTS_MAX + 3];
    char *end = should;
    size_t at;

    *end = '\0';
    argv[0] = "args";
    for (at = 1; at < v->count; at++) {
        argv[at] = v->argv[at];
        end = add_hexadecimal(end, v->argv[at]);
    }
    argv[at] = NULL;
    child_echo(k, &it, false, argv);
    CHECK_EQ(child_run(&it), 0);
    CHECK_STR(it.text, should);
}

KIT_TEST(nasty_arguments_reach_a_program_as_they_are)
{
    static vector v;
    size_t at;

    vector_begin(&v);
    for (at = 0; at < ISO__COUNT(nasty); at++) vector_add(&v, nasty[at]);
    check_by_program(k, &v);
}

KIT_TEST(random_arguments_reach_a_program_as_they_are)
{
    static vector v;
    int round;

    for (round = 0; round < 40 && !kit_has_failed(k); round++) {
        vector_randomise(k, &v, ARGUMENTS_MAX - 1);
        check_by_program(k, &v);
    }
}

/* ---- batch files ---- */

KIT_TEST(batch_files_are_known_by_their_names)
{
    static const wchar_t *const batch[] = { L"C:\\a.bat",   L"C:\\a.CMD", L"C:\\a.Bat.",
                                            L"C:\\a.cmd .", L"C:\\.bat",  L"C:\\a.bat  " };
    static const wchar_t *const others[] = { L"C:\\a.exe",    L"C:\\abat", L"C:\\a.bat.exe",
                                             L"C:\\a.bat\\b", L"bat",      L"C:\\a.batx" };
    size_t at;

    for (at = 0; at < ISO__COUNT(batch); at++) CHECK(iso__command_line_is_batch(batch[at]));
    for (at = 0; at < ISO__COUNT(others); at++) CHECK(!iso__command_line_is_batch(others[at]));
}

static int build_batch(kit *k, const wchar_t *path, const char *argument, const wchar_t *should)
{
    const char *argv[] = { "a.bat", argument, NULL };
    iso__wide line;
    int rc;

    iso__wide_init(&line, kit_allocator(k));
    rc = iso__command_line_of_batch(&line, path, argv);
    if (rc == 0 && should != NULL) CHECK(wcscmp(line.text, should) == 0);
    iso__wide_free(&line);
    return rc;
}

KIT_TEST(safe_arguments_of_a_batch_file_are_in_quotes_where_cmd_would_split_them)
{
    static const struct {
        const char *argument;
        const wchar_t *line;
    } rows[] = {
        { "a", L"a" },
        { "-x/y:z", L"-x/y:z" },
        { "C:\\a\\", L"C:\\a\\" },
        { "", L"\"\"" },
        { "a b", L"\"a b\"" },
        { "a\tb", L"\"a\tb\"" },
        { "a=b", L"\"a=b\"" },
        { "a,b;c", L"\"a,b;c\"" },
        { "(x86)", L"\"(x86)\"" },
        { "C:\\a b\\c", L"\"C:\\a b\\c\"" },
        { "\xc3\xa4", L"\"\u00e4\"" },
    };
    wchar_t line[256];
    size_t at;

    for (at = 0; at < ISO__COUNT(rows); at++) {
        (void)swprintf(line, ISO__COUNT(line), L"%ls %ls\"",
                       L"cmd.exe /d /e:on /v:off /s /c \"\"C:\\p q\\a.bat\"", rows[at].line);
        CHECK_OK(build_batch(k, L"C:\\p q\\a.bat", rows[at].argument, line));
    }
}

KIT_TEST(arguments_that_cmd_would_take_apart_are_refused)
{
    static const char *const texts[] = {
        "\"",  "\"&calc.exe", "%PATH%", "%",   "100%", "!a!", "^",    "a^b",   "&",
        "a&b", "a|b",         "a<b",    "a>b", "a\nb", "a\r", "\x1a", "a\x7f", "\x01",
    };
    size_t at;

    for (at = 0; at < ISO__COUNT(texts); at++) {
        CHECK_RC(build_batch(k, L"C:\\a.bat", texts[at], NULL), ISO_EINVAL);
        CHECK_HAS(iso_error_detail(), texts[at]);
        CHECK_HAS(iso_error_detail(), "batch file");
    }
}

KIT_TEST(an_argument_of_a_batch_file_cannot_end_its_quotes_with_a_backslash)
{
    CHECK_RC(build_batch(k, L"C:\\a.bat", "C:\\a b\\", NULL), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "backslash");
}

KIT_TEST(a_batch_file_with_a_variable_in_its_path_is_refused)
{
    CHECK_RC(build_batch(k, L"C:\\%a%\\a.bat", "a", NULL), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "%");
}

KIT_TEST(a_line_for_cmd_is_as_long_as_it_takes_and_no_longer)
{
    char text[8192];
    size_t rest = 8190 - wcslen(L"cmd.exe /d /e:on /v:off /s /c \"\"C:\\a.bat\" \"");

    memset(text, 'x', sizeof(text));
    text[rest] = '\0';
    CHECK_OK(build_batch(k, L"C:\\a.bat", text, NULL));
    text[rest] = 'x';
    text[rest + 1] = '\0';
    CHECK_RC(build_batch(k, L"C:\\a.bat", text, NULL), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "8190");
}

KIT_TEST(a_line_for_the_shell_has_the_command_as_it_is)
{
    iso__wide line;

    iso__wide_init(&line, kit_allocator(k));
    CHECK_OK(iso__command_line_of_shell(&line, L"C:\\p q\\cmd.exe", "echo \"%A%\" & b"));
    CHECK(wcscmp(line.text, L"\"C:\\p q\\cmd.exe\" /d /s /c \"echo \"%A%\" & b\"") == 0);
    iso__wide_free(&line);
}

/* ---- environments ---- */

/* A block with '|' for each zero but the last, UTF-8. */
static void write_block(const wchar_t *block, char *text)
{
    char entry[1024];

    *text = '\0';
    for (; *block != L'\0'; block += wcslen(block) + 1) {
        if (_wcsnicmp(block, L"SYSTEMROOT=", 11) == 0) continue;
        REQUIRE(WideCharToMultiByte(CP_UTF8, 0, block, -1, entry, sizeof(entry), NULL, NULL) > 0);
        strcat(text, entry);
        strcat(text, "|");
    }
}

static void check_block(kit *k, const char *const *environment, const char *should)
{
    char text[4096];
    iso__wide block;

    iso__wide_init(&block, kit_allocator(k));
    REQUIRE_OK(iso__command_line_environment(&block, environment));
    write_block(block.text, text);
    CHECK_STR(text, should);
    iso__wide_free(&block);
}

KIT_TEST(a_block_is_sorted_by_name_whatever_the_case)
{
    static const char *const environment[] = { "b=1", "A=2",        "a_=3",      "C=", "AB=4",
                                               "Z=5", "\xc3\xa4=6", "=C:=C:\\x", NULL };

    check_block(k, environment, "=C:=C:\\x|A=2|AB=4|a_=3|b=1|C=|Z=5|\xc3\xa4=6|");
}

KIT_TEST(names_are_compared_and_not_what_stands_behind)
{
    static const char *const environment[] = { "A1=x", "A=y", NULL };

    /* As whole texts they would be the other way round: '1' is less than '='. */
    check_block(k, environment, "A=y|A1=x|");
}

KIT_TEST(of_equal_names_the_last_one_counts)
{
    static const char *const environment[] = { "Path=1", "a=x", "PATH=2", "path=3", "A=y", NULL };

    check_block(k, environment, "A=y|path=3|");
}

KIT_TEST(a_value_may_have_an_equals_sign_and_may_be_empty)
{
    static const char *const environment[] = { "A=b=c", "B=", "C==", NULL };

    check_block(k, environment, "A=b=c|B=|C==|");
}

static void check_system_root(kit *k, const char *const *environment, const char *should)
{
    const wchar_t *value;
    iso__wide block;

    iso__wide_init(&block, kit_allocator(k));
    REQUIRE_OK(iso__command_line_environment(&block, environment));
    value = iso__command_line_variable(block.text, L"systemroot");
    if (should == NULL)
        CHECK(value == NULL);
    else if (CHECK(value != NULL))
        check_unit_by_unit(value, should);
    iso__wide_free(&block);
}

KIT_TEST(the_root_of_the_system_is_added_where_it_lacks)
{
    static const char *const none[] = { NULL };
    static const char *const other[] = { "ZZ=1", NULL };
    static const char *const own[] = { "ZZ=1", "SystemRoot=X:\\y", NULL };

    check_system_root(k, none, getenv("SYSTEMROOT"));
    check_system_root(k, other, getenv("SYSTEMROOT"));
    check_system_root(k, own, "X:\\y");
}

KIT_TEST(an_empty_block_ends_with_two_zeros)
{
    static const char *const none[] = { NULL };
    iso__wide block;

    kit_setenv(k, "SYSTEMROOT", NULL);
    iso__wide_init(&block, kit_allocator(k));
    REQUIRE_OK(iso__command_line_environment(&block, none));
    if (CHECK_EQ(block.length, 2)) CHECK(block.text[0] == L'\0' && block.text[1] == L'\0');
    iso__wide_free(&block);
    check_system_root(k, none, NULL);
}

KIT_TEST(what_is_no_variable_is_refused)
{
    static const char *const texts[] = { "", "=", "A", "=A", "\xff=1" };
    size_t at;

    for (at = 0; at < ISO__COUNT(texts); at++) {
        const char *environment[] = { "B=1", texts[at], NULL };
        iso__wide block;

        iso__wide_init(&block, kit_allocator(k));
        CHECK_RC(iso__command_line_environment(&block, environment), ISO_EINVAL);
        iso__wide_free(&block);
    }
}

KIT_TEST(a_block_without_memory_is_told_and_leaves_nothing)
{
    static const char *const environment[] = { "B=1", "A=2", "B=3", NULL };
    iso__wide block;
    uint64_t nth;
    int rc = ISO_ENOMEM;

    for (nth = 1; rc != 0 && nth < 50; nth++) {
        iso__wide_init(&block, kit_allocator(k));
        kit_fail_allocation(k, nth, false);
        rc = iso__command_line_environment(&block, environment);
        kit_fail_allocation(k, 0, false);
        if (rc != 0) CHECK_RC(rc, ISO_ENOMEM);
        iso__wide_free(&block);
    }
    CHECK_OK(rc);
    CHECK_GE(nth, 4);
}

static const kit_case cases[] = {
    KIT_CASE(each_nasty_argument_is_taken_apart_as_it_was),
    KIT_CASE(nasty_arguments_do_not_touch_their_neighbours),
    KIT_CASE(random_arguments_are_taken_apart_as_they_were),
    KIT_CASE(what_needs_no_quotes_has_none),
    KIT_CASE(the_name_of_a_program_is_quoted_without_backslashes),
    KIT_CASE(an_empty_name_of_a_program_is_kept),
    KIT_CASE(a_quote_in_the_name_of_a_program_is_refused),
    KIT_CASE(what_is_not_utf8_is_refused),
    KIT_CASE(a_line_is_as_long_as_windows_takes_and_no_longer),
    KIT_CASE(a_line_without_memory_is_told_and_leaves_nothing),
    KIT_CASE(nasty_arguments_reach_a_program_as_they_are),
    KIT_CASE(random_arguments_reach_a_program_as_they_are),
    KIT_CASE(batch_files_are_known_by_their_names),
    KIT_CASE(safe_arguments_of_a_batch_file_are_in_quotes_where_cmd_would_split_them),
    KIT_CASE(arguments_that_cmd_would_take_apart_are_refused),
    KIT_CASE(an_argument_of_a_batch_file_cannot_end_its_quotes_with_a_backslash),
    KIT_CASE(a_batch_file_with_a_variable_in_its_path_is_refused),
    KIT_CASE(a_line_for_cmd_is_as_long_as_it_takes_and_no_longer),
    KIT_CASE(a_line_for_the_shell_has_the_command_as_it_is),
    KIT_CASE(a_block_is_sorted_by_name_whatever_the_case),
    KIT_CASE(names_are_compared_and_not_what_stands_behind),
    KIT_CASE(of_equal_names_the_last_one_counts),
    KIT_CASE(a_value_may_have_an_equals_sign_and_may_be_empty),
    KIT_CASE(the_root_of_the_system_is_added_where_it_lacks),
    KIT_CASE(an_empty_block_ends_with_two_zeros),
    KIT_CASE(what_is_no_variable_is_refused),
    KIT_CASE(a_block_without_memory_is_told_and_leaves_nothing),
};

KIT_MAIN(cases)
