/* SPDX-License-Identifier: MIT */
#include "support/child_os.h"

#include <windows.h>

#include <fcntl.h>
#include <io.h>
#include <shellapi.h>
#include <stdlib.h>
#include <wchar.h>

enum { HIGHEST_HANDLE = 0x4000, A_MINUTE_IN_MS = 60000 };

static char *to_utf8(const wchar_t *text)
{
    int size = WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL);
    char *out = size > 0 ? malloc((size_t)size) : NULL;

    if (out == NULL) exit(EXIT_FAILURE);
    (void)WideCharToMultiByte(CP_UTF8, 0, text, -1, out, size, NULL, NULL);
    return out;
}

/* main has them in the code page of the system. */
char **child_os_begin(char **argv)
{
    int count = 0;
    wchar_t **wide = CommandLineToArgvW(GetCommandLineW(), &count);
    char **out = calloc((size_t)count + 1, sizeof(*out));
    int at;

    (void)argv;
    if (wide == NULL || out == NULL) exit(EXIT_FAILURE);
    for (at = 0; at < count; at++) out[at] = to_utf8(wide[at]);
    for (at = 0; at < 3; at++) (void)_setmode(at, _O_BINARY);
    return out;
}

const char *child_os_getenv(const char *name)
{
    wchar_t wide_name[64];
    wchar_t value[256];

    if (MultiByteToWideChar(CP_UTF8, 0, name, -1, wide_name, 64) == 0) return NULL;
    return GetEnvironmentVariableW(wide_name, value, 256) == 0 ? NULL : to_utf8(value);
}

long child_os_read(int fd, void *data, size_t size)
{
    return _read(fd, data, (unsigned)size);
}

long child_os_write(int fd, const void *data, size_t size)
{
    return _write(fd, data, (unsigned)size);
}

void child_os_close(int fd)
{
    (void)_close(fd);
}

void child_os_hang(void)
{
    Sleep(A_MINUTE_IN_MS);
}

int child_os_start(const char *mode)
{
    wchar_t program[MAX_PATH];
    wchar_t line[MAX_PATH + 64];
    STARTUPINFOW startup = { 0 };
    PROCESS_INFORMATION made;

    startup.cb = sizeof(startup);
    if (GetModuleFileNameW(NULL, program, MAX_PATH) == 0) return 1;
    (void)swprintf(line, MAX_PATH + 64, L"child %hs", mode);
    if (!CreateProcessW(program, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &made)) return 1;
    (void)CloseHandle(made.hThread);
    (void)CloseHandle(made.hProcess);
    return 0;
}

static int is_standard(HANDLE handle)
{
    return handle == GetStdHandle(STD_INPUT_HANDLE) || handle == GetStdHandle(STD_OUTPUT_HANDLE) ||
           handle == GetStdHandle(STD_ERROR_HANDLE);
}

int child_os_count_descriptors(void)
{
    uintptr_t at;
    int count = 0;

    for (at = 4; at < HIGHEST_HANDLE; at += 4)
        count += GetFileType((HANDLE)at) == FILE_TYPE_PIPE && !is_standard((HANDLE)at) ? 1 : 0;
    return count;
}
