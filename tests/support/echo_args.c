/* SPDX-License-Identifier: MIT */
/* A program that tests start on Windows. Its first argument says what to do:
 *
 *     args A...     write each of the rest, its UTF-16 units as hexadecimal numbers, on a line
 *     exit N        end with N
 *     cwd           write the current folder
 *     environ       write the environment, a line for each variable, in the order of the block
 *     cat           copy the standard input to the standard output
 *     both          write "out" to the standard output, and then "err" to the standard error
 *     streams       write what GetFileType says of each standard stream, how many are open, and
 *                   whether output and error are the same handle
 *     signal H      signal the event with that handle, if it has one; end with 0 if it has
 *     break         write "ready"; end with 7 when CTRL_BREAK comes, with 0 at the end of its input
 *     console       write what sending CTRL_BREAK answers, for a child whose standard output is the
 *                   console; then for one without, and what that ended with
 *     parent 0|1    start itself with "cat" and its own streams, write its number; then wait for
 *                   ever; 1: the child dies with it
 *
 * The arguments are what the C runtime has made of the command line. */
#include "base/alloc.h"
#include "isoloop/error.h"
#include "sys/process.h"
#include "sys/standard_stream.h"

#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>

enum { PATH_ROOM = 4096 };

static int write_arguments(wchar_t **argv)
{
    const wchar_t *at;

    for (; *argv != NULL; argv++) {
        for (at = *argv; *at != L'\0'; at++) (void)printf("%04x", (unsigned)*at);
        (void)printf("\n");
    }
    return 0;
}

static int write_text(const wchar_t *text)
{
    char utf8[PATH_ROOM];

    if (WideCharToMultiByte(CP_UTF8, 0, text, -1, utf8, sizeof(utf8), NULL, NULL) == 0) return 1;
    (void)printf("%s\n", utf8);
    return 0;
}

static int write_folder(void)
{
    wchar_t folder[PATH_ROOM];
    DWORD length = GetCurrentDirectoryW(PATH_ROOM, folder);

    return length == 0 || length >= PATH_ROOM ? 1 : write_text(folder);
}

static int write_environment(void)
{
    wchar_t *block = GetEnvironmentStringsW();
    const wchar_t *at;
    int rc = 0;

    for (at = block; rc == 0 && *at != L'\0'; at += wcslen(at) + 1) rc = write_text(at);
    (void)FreeEnvironmentStringsW(block);
    return rc;
}

static int copy(void)
{
    char bytes[4096];
    int size;

    while ((size = _read(0, bytes, sizeof(bytes))) > 0) {
        if (_write(1, bytes, (unsigned)size) != size) return 1;
    }
    return size == 0 ? 0 : 1;
}

static int write_both(void)
{
    (void)fputs("out", stdout);
    (void)fflush(stdout);
    (void)fputs("err", stderr);
    (void)fflush(stderr);
    return 0;
}

static int write_streams(void)
{
    static const DWORD names[3] = { STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE };
    DWORD flags;
    int valid = 0;
    int at;

    for (at = 0; at < 3; at++) {
        HANDLE handle = GetStdHandle(names[at]);

        valid += GetHandleInformation(handle, &flags) ? 1 : 0;
        (void)printf("%lu ", (unsigned long)GetFileType(handle));
    }
    (void)printf("%d %s\n", valid,
                 GetStdHandle(STD_OUTPUT_HANDLE) == GetStdHandle(STD_ERROR_HANDLE) ? "same"
                                                                                   : "apart");
    return 0;
}

static int signal_event(const wchar_t *number)
{
    return SetEvent((HANDLE)(uintptr_t)wcstoull(number, NULL, 10)) ? 0 : 1;
}

static BOOL WINAPI end_by_break(DWORD event)
{
    if (event == CTRL_BREAK_EVENT) ExitProcess(7);
    return FALSE;
}

static int wait_for_break(void)
{
    if (!SetConsoleCtrlHandler(end_by_break, TRUE)) return 1;
    (void)printf("ready\n");
    (void)fflush(stdout);
    return copy();
}

/* This program's own path, UTF-8. */
static bool find_self(char *path)
{
    wchar_t wide[PATH_ROOM];
    DWORD length = GetModuleFileNameW(NULL, wide, PATH_ROOM);

    if (length == 0 || length >= PATH_ROOM) return false;
    return WideCharToMultiByte(CP_UTF8, 0, wide, -1, path, PATH_ROOM, NULL, NULL) != 0;
}

static int start_self(iso__process **out, const char *mode, const iso_fd *stdio, bool dies)
{
    char self[PATH_ROOM];
    const char *const argv[] = { self, mode, NULL };
    iso__spawn spawn = iso__spawn_default();

    if (!find_self(self)) return ISO_EUNKNOWN;
    spawn.argv = argv;
    spawn.dies_with_parent = dies;
    memcpy(spawn.stdio, stdio, sizeof(spawn.stdio));
    return iso__sys_process_spawn(out, &iso__default_allocator, &spawn);
}

static int be_parent(bool dies_with_parent)
{
    iso_fd stdio[3];
    iso__process *child;
    int which;

    for (which = 0; which < 3; which++) stdio[which] = iso__sys_standard_stream(which);
    if (start_self(&child, "cat", stdio, dies_with_parent) != 0) return 1;
    (void)printf("%lld\n", (long long)iso__sys_process_id(child));
    (void)fflush(stdout);
    Sleep(INFINITE);
    return 0;
}

/* The number is still its own, since it was not closed. */
static void await_end(int64_t id)
{
    HANDLE process = OpenProcess(SYNCHRONIZE, FALSE, (DWORD)id);

    (void)WaitForSingleObject(process, INFINITE);
    (void)CloseHandle(process);
}

/* What a child with this standard output is told by CTRL_BREAK; *code: what it ended with. */
static int break_child(iso_fd input, iso_fd output, HANDLE ready, int *code)
{
    const iso_fd stdio[3] = { input, output, output };
    iso__process *child;
    char text[8];
    DWORD got;
    int rc = start_self(&child, "break", stdio, true);

    if (rc != 0) return rc;
    if (ready != NULL) (void)ReadFile(ready, text, sizeof(text), &got, NULL);
    rc = iso__sys_process_signal(child, CTRL_BREAK_EVENT);
    if (rc != 0) (void)iso__sys_process_signal(child, 9);
    await_end(iso__sys_process_id(child));
    *code = iso__sys_process_returncode(child);
    iso__sys_process_close(child);
    return rc;
}

static int use_console(void)
{
    HANDLE console = CreateFileW(L"CONOUT$", GENERIC_READ | GENERIC_WRITE,
                                 FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
    HANDLE reader;
    HANDLE writer;
    int code = 0;
    int rc;

    if (console == INVALID_HANDLE_VALUE || !CreatePipe(&reader, &writer, NULL, 0)) return 1;
    rc = break_child(iso__sys_standard_stream(0), (iso_fd)console, NULL, &code);
    (void)printf("%s\n", iso_error_name(rc));
    rc = break_child(iso__sys_standard_stream(0), (iso_fd)writer, reader, &code);
    (void)printf("%s %d\n", iso_error_name(rc), code);
    return 0;
}

int wmain(int argc, wchar_t **argv)
{
    const wchar_t *what = argc > 1 ? argv[1] : L"";
    const wchar_t *more = argc > 2 ? argv[2] : L"";

    (void)_setmode(0, _O_BINARY);
    (void)_setmode(1, _O_BINARY);
    (void)_setmode(2, _O_BINARY);
    if (wcscmp(what, L"args") == 0) return write_arguments(argv + 2);
    if (wcscmp(what, L"exit") == 0) return (int)wcstoul(more, NULL, 10);
    if (wcscmp(what, L"cwd") == 0) return write_folder();
    if (wcscmp(what, L"environ") == 0) return write_environment();
    if (wcscmp(what, L"cat") == 0) return copy();
    if (wcscmp(what, L"both") == 0) return write_both();
    if (wcscmp(what, L"streams") == 0) return write_streams();
    if (wcscmp(what, L"signal") == 0) return signal_event(more);
    if (wcscmp(what, L"break") == 0) return wait_for_break();
    if (wcscmp(what, L"parent") == 0) return be_parent(wcscmp(more, L"1") == 0);
    if (wcscmp(what, L"console") == 0) return use_console();
    return 99;
}
