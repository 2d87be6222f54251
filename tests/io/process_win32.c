/* SPDX-License-Identifier: MIT */
#include "io/process_system.h"

#include "isoloop/error.h"
#include "sys/error.h"

#include <windows.h>

#include <stdio.h>

enum { HIGHEST_HANDLE = 0x4000 };

/* CTRL_C_EVENT and CTRL_BREAK_EVENT need a console, which a test may not have. */
static const process_signal signals[] = { { 0, 0 } };

const process_system process_system_here = {
    .terminated = 1,
    .killed = 1,
    .broken = 1,
    .can_ignore_terminate = false,
    .signals = signals,
    .bad_signal = 12345,
    .not_a_program_error = ISO_EACCES,
    .folder_error = ISO_ENOENT,
    .has_bound_children = true,
    .has_users = false,
    .say_word = "echo %ISO_TEST_WORD%",
    .line_end = "\r\n",
};

int process_system_file(iso_fd *out)
{
    static int number;
    wchar_t name[64];
    HANDLE file;

    (void)swprintf(name, 64, L"process-%lu-%d.tmp", GetCurrentProcessId(), number++);
    file = CreateFileW(name, GENERIC_READ | GENERIC_WRITE | DELETE,
                       FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, CREATE_ALWAYS,
                       FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE, NULL);
    if (file == INVALID_HANDLE_VALUE) return iso__sys_error((int)GetLastError());
    *out = (iso_fd)file;
    return 0;
}

ptrdiff_t process_system_read_file(iso_fd fd, void *data, size_t size)
{
    DWORD count = 0;

    if (SetFilePointer((HANDLE)fd, 0, NULL, FILE_BEGIN) == INVALID_SET_FILE_POINTER ||
        !ReadFile((HANDLE)fd, data, (DWORD)size, &count, NULL))
        return iso__sys_error((int)GetLastError());
    return (ptrdiff_t)count;
}

void process_system_make_inheritable(iso_fd fd)
{
    (void)SetHandleInformation((HANDLE)fd, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
}

int process_system_count_handles(void)
{
    uintptr_t at; /* one after the other: Wine's GetProcessHandleCount answers 0 */
    DWORD flags;
    int count = 0;

    for (at = 4; at < HIGHEST_HANDLE; at += 4)
        count += GetHandleInformation((HANDLE)at, &flags) ? 1 : 0;
    return count;
}

bool process_system_has_children(void)
{
    return false;
}

void process_system_reap(int64_t pid)
{
    (void)pid;
}

int process_system_count_threads(void)
{
    return 0;
}
