/* SPDX-License-Identifier: MIT */
/* Consoles: size, mode, and what is none. A console that nobody sees is had by a program that is
 * started with CREATE_NO_WINDOW, which this one does with itself. */
#include "isoloop/terminal.h"

#include "kit.h"

#include <windows.h>

#include <stdio.h>
#include <string.h>

enum { PATH_ROOM = 1024, LINE_ROOM = 1200, PATIENCE_MS = 30000 };

static const char in_console[] = "ISO_TEST_IN_CONSOLE";

/* Whether this is the program that has the console; if not, it runs the case there. */
static bool enter_console(kit *k, const char *name)
{
    STARTUPINFOA startup;
    PROCESS_INFORMATION process;
    char path[PATH_ROOM];
    char line[LINE_ROOM];
    DWORD code = 1;

    if (GetEnvironmentVariableA(in_console, NULL, 0) != 0) return true;
    kit_setenv(k, in_console, "1");
    REQUIRE(GetModuleFileNameA(NULL, path, sizeof(path)) != 0);
    (void)snprintf(line, sizeof(line), "\"%s\" %s", path, name);
    memset(&startup, 0, sizeof(startup));
    startup.cb = sizeof(startup);
    REQUIRE(CreateProcessA(path, line, NULL, NULL, TRUE, CREATE_NO_WINDOW, NULL, NULL, &startup,
                           &process));
    CHECK_EQ(WaitForSingleObject(process.hProcess, PATIENCE_MS), WAIT_OBJECT_0);
    CHECK(GetExitCodeProcess(process.hProcess, &code));
    CHECK_EQ(code, 0);
    (void)TerminateProcess(process.hProcess, 1);
    CHECK(CloseHandle(process.hThread));
    CHECK(CloseHandle(process.hProcess));
    return false;
}

static iso_fd open_device(const wchar_t *name)
{
    HANDLE handle = CreateFileW(name, GENERIC_READ | GENERIC_WRITE,
                                FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);

    REQUIRE(handle != INVALID_HANDLE_VALUE);
    return (iso_fd)handle;
}

static DWORD mode_of(iso_fd input)
{
    DWORD mode = 0;

    CHECK(GetConsoleMode((HANDLE)input, &mode));
    return mode;
}

KIT_TEST(both_ends_of_a_console_are_terminals_of_its_size)
{
    CONSOLE_SCREEN_BUFFER_INFO info;
    iso_terminal_size size = { -1, -1 };
    iso_fd input;
    iso_fd output;

    if (!enter_console(k, __func__)) return;
    input = open_device(L"CONIN$");
    output = open_device(L"CONOUT$");
    CHECK(iso_isatty(input));
    CHECK(iso_isatty(output));
    REQUIRE(GetConsoleScreenBufferInfo((HANDLE)output, &info));
    CHECK_OK(iso_get_terminal_size(output, &size));
    CHECK_EQ(size.columns, info.srWindow.Right - info.srWindow.Left + 1);
    CHECK_EQ(size.lines, info.srWindow.Bottom - info.srWindow.Top + 1);
    CHECK_GE(size.columns, 1);
    CHECK_GE(size.lines, 1);
    size.columns = size.lines = -1;
    CHECK_OK(iso_get_terminal_size(input, &size));
    CHECK_EQ(size.columns, info.srWindow.Right - info.srWindow.Left + 1);
    CHECK_EQ(size.lines, info.srWindow.Bottom - info.srWindow.Top + 1);
    CHECK(CloseHandle((HANDLE)input));
    CHECK(CloseHandle((HANDLE)output));
}

KIT_TEST(a_console_is_restored_from_every_mode)
{
    static const struct {
        iso_terminal_mode mode;
        DWORD flags;
    } all[] = {
        { ISO_TERMINAL_CBREAK, ENABLE_PROCESSED_INPUT },
        { ISO_TERMINAL_RAW, 0 },
        { ISO_TERMINAL_RAW_IO, 0 },
    };
    const DWORD ours = ENABLE_PROCESSED_INPUT | ENABLE_LINE_INPUT | ENABLE_ECHO_INPUT;
    iso_fd input;
    DWORD before;
    size_t at;

    if (!enter_console(k, __func__)) return;
    input = open_device(L"CONIN$");
    before = mode_of(input);
    CHECK_EQ(before & ours, ours);
    for (at = 0; at < ISO__COUNT(all); at++) {
        iso_terminal_state state;

        CHECK_OK(iso_terminal_set_mode(input, all[at].mode, &state));
        CHECK_EQ(mode_of(input) & ours, all[at].flags);
        CHECK_EQ(mode_of(input) & ~ours, before & ~ours);
        CHECK_OK(iso_terminal_restore(input, &state));
        CHECK_EQ(mode_of(input), before);
    }
    CHECK(CloseHandle((HANDLE)input));
}

KIT_TEST(a_mode_is_that_of_the_input)
{
    iso_terminal_state state = { 0 };
    iso_fd output;

    if (!enter_console(k, __func__)) return;
    output = open_device(L"CONOUT$");
    CHECK_RC(iso_terminal_set_mode(output, ISO_TERMINAL_RAW, &state), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "input");
    CHECK_EQ(state.length, 0);
    CHECK(CloseHandle((HANDLE)output));
}

/* It can't be opened for overlapped use, which is what a completion port takes. */
KIT_TEST(a_console_makes_no_transport)
{
    static const iso_protocol protocol = { .data_received = NULL };
    iso_loop_options options;
    iso_loop *loop;
    iso_fd input;

    if (!enter_console(k, __func__)) return;
    options = kit_options(k);
    options.backend = "proactor:iocp";
    loop = kit_loop_with(k, &options);
    input = open_device(L"CONIN$");
    CHECK_RC(iso_loop_connect_read_pipe(loop, &protocol, NULL, input, NULL), ISO_ENOTOVERLAPPED);
    REQUIRE(iso_loop_last_limit(loop) != NULL);
    CHECK_STR(iso_loop_last_limit(loop)->id, "proactor.overlapped_only");
    CHECK(CloseHandle((HANDLE)input));
}

KIT_TEST(what_is_no_console_has_neither_size_nor_mode)
{
    iso_terminal_size size = { -1, -1 };
    iso_terminal_state state = { 0 };
    iso_fd others[4];
    iso_fd pipe[2];
    iso_fd pair[2];
    size_t at;

    kit_pipe(k, pipe);
    kit_pair(k, pair);
    others[0] = pipe[0];
    others[1] = pair[0];
    others[2] = kit_regular_file(k);
    others[3] = kit_device(k);
    for (at = 0; at < ISO__COUNT(others); at++) {
        CHECK(!iso_isatty(others[at]));
        CHECK_RC(iso_get_terminal_size(others[at], &size), ISO_ENOTTY);
        CHECK_RC(iso_terminal_set_mode(others[at], ISO_TERMINAL_RAW, &state), ISO_ENOTTY);
    }
    kit_close(k, pipe[0]);
    CHECK(!iso_isatty(pipe[0]));
    CHECK_RC(iso_get_terminal_size(pipe[0], &size), ISO_EBADF);
    CHECK_RC(iso_terminal_set_mode(pipe[0], ISO_TERMINAL_RAW, &state), ISO_EBADF);
    CHECK_RC(iso_get_terminal_size(1, &size), ISO_EBADF); /* a descriptor of the C library */
    CHECK_EQ(size.columns, -1);
    CHECK_EQ(state.length, 0);
}

static const kit_case cases[] = {
    KIT_CASE(both_ends_of_a_console_are_terminals_of_its_size),
    KIT_CASE(a_console_is_restored_from_every_mode),
    KIT_CASE(a_mode_is_that_of_the_input),
    KIT_CASE(a_console_makes_no_transport),
    KIT_CASE(what_is_no_console_has_neither_size_nor_mode),
};

KIT_MAIN(cases)
