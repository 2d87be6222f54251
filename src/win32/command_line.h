/* SPDX-License-Identifier: MIT */
/* What Windows wants to be told of a program that is to be started: one line instead of a list of
 * arguments, one block instead of a list of variables, in UTF-16. */
#ifndef ISO_WIN32_COMMAND_LINE_H
#define ISO_WIN32_COMMAND_LINE_H

#include "isoloop/base.h"

#include <windows.h>

/* A text that grows, with a zero behind it once something was added. Memory that was lacking once
 * makes `failed` true for good: what is added then is dropped, and iso__wide_check tells. */
typedef struct iso__wide {
    const iso_allocator *allocator;
    WCHAR *text;   /* NULL: nothing was ever added */
    size_t length; /* without that zero */
    size_t room;
    bool failed;
} iso__wide;

void iso__wide_init(iso__wide *out, const iso_allocator *allocator);
void iso__wide_free(iso__wide *text);

/* Begin again, with "". */
void iso__wide_clear(iso__wide *text);

/* Make room for so many units more, and a zero. Answers false for want of memory. */
bool iso__wide_reserve(iso__wide *text, size_t count);

/* Add one unit, some of them, or all up to a zero. Thread: the owner's, as for all of these. */
void iso__wide_push(iso__wide *text, WCHAR unit);
void iso__wide_add(iso__wide *text, const WCHAR *units, size_t count);
void iso__wide_append(iso__wide *text, const WCHAR *units);

/* Add what UTF-8 stands for. Returns 0; ISO_EINVAL: it is not UTF-8 (a lone surrogate is not), with
 * a detail that calls it `name`. */
int iso__wide_add_utf8(iso__wide *text, const char *utf8, const char *name);

/* Add a variable of this process's environment. Answers whether there is one. */
bool iso__wide_add_variable(iso__wide *text, const WCHAR *name);

/* Returns 0, or ISO_ENOMEM. */
int iso__wide_check(const iso__wide *text);

/* The line that CommandLineToArgvW and the C runtime of Microsoft take apart into exactly `argv`,
 * NULL at the end.
 * Returns 0, ISO_ENOMEM; ISO_EINVAL, with a detail: not UTF-8, a quote in argv[0], which no line
 * can have there, or more than a line can hold.
 * Source: Microsoft, "Parsing C command-line arguments"; CommandLineToArgvW. */
int iso__command_line_of(iso__wide *out, const char *const *argv);

/* Whether the program of that name, an absolute path, is not run but read by cmd.exe. */
bool iso__command_line_is_batch(const WCHAR *path);

/* The line for cmd.exe that runs the batch file `path` with the arguments behind argv[0]. Each
 * arrives as it is, in quotes where cmd.exe would else take it apart.
 * Returns 0, ISO_ENOMEM; ISO_EINVAL, with a detail: what cmd.exe would read as more than an
 * argument or could not hand on, not UTF-8, or more than cmd.exe takes.
 * Source: CVE-2024-24576; cmd /?. */
int iso__command_line_of_batch(iso__wide *out, const WCHAR *path, const char *const *argv);

/* The line for the shell at `path` that has it run `command`, which is the caller's to have right.
 * Returns as the last one. Source: cmd /?; Node.js, child_process, "shell". */
int iso__command_line_of_shell(iso__wide *out, const WCHAR *path, const char *command);

/* The block of "NAME=value" entries, NULL at the end: sorted as Windows wants it, of names that are
 * equal but for case the last one only, and SYSTEMROOT of this process if there is none.
 * Returns 0, ISO_ENOMEM; ISO_EINVAL, with a detail: not UTF-8, or an entry without a name and '='.
 * A name may begin with '=': "=C:=C:\folder" is how the folders of the drives are handed on.
 * Source: CreateProcess, "Changing environment variables". */
int iso__command_line_environment(iso__wide *out, const char *const *environment);

/* The value of a variable in such a block, whatever the case of its name; NULL: it has none. */
const WCHAR *iso__command_line_variable(const WCHAR *block, const WCHAR *name);

#endif
