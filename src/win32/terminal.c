/* SPDX-License-Identifier: MIT */
#include "sys/terminal.h"

#include "base/error.h"
#include "sys/descriptor.h"
#include "sys/error.h"

#include <windows.h>

#include <string.h>

static int last_error(void)
{
    return iso__sys_error((int)GetLastError());
}

bool iso__sys_terminal_is(iso_fd fd)
{
    DWORD mode;

    return iso__sys_descriptor_is_open(fd) && GetConsoleMode((HANDLE)fd, &mode);
}

static int require_terminal(iso_fd fd)
{
    if (!iso__sys_descriptor_is_open(fd)) return ISO_EBADF;
    return iso__sys_terminal_is(fd) ? 0 : ISO_ENOTTY;
}

/* ---- size ---- */

/* The input of a console has no size, but its output has. */
static BOOL ask_output(CONSOLE_SCREEN_BUFFER_INFO *info)
{
    HANDLE output = CreateFileW(L"CONOUT$", GENERIC_READ | GENERIC_WRITE,
                                FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
    BOOL is_known;

    if (output == INVALID_HANDLE_VALUE) return FALSE;
    is_known = GetConsoleScreenBufferInfo(output, info);
    (void)CloseHandle(output);
    return is_known;
}

int iso__sys_terminal_size(iso_fd fd, iso_terminal_size *out)
{
    CONSOLE_SCREEN_BUFFER_INFO info;
    int rc = require_terminal(fd);

    if (rc != 0) return rc;
    if (!GetConsoleScreenBufferInfo((HANDLE)fd, &info) && !ask_output(&info)) return last_error();
    out->columns = info.srWindow.Right - info.srWindow.Left + 1;
    out->lines = info.srWindow.Bottom - info.srWindow.Top + 1;
    return 0;
}

/* ---- mode ---- */

static bool is_output(iso_fd fd)
{
    CONSOLE_SCREEN_BUFFER_INFO info;

    return GetConsoleScreenBufferInfo((HANDLE)fd, &info) != 0;
}

static int require_input(iso_fd fd)
{
    int rc = require_terminal(fd);

    if (rc == 0 && is_output(fd))
        return iso__error_set(ISO_EINVAL, "the mode of a console is that of its input");
    return rc;
}

int iso__sys_terminal_get(iso_fd fd, iso_terminal_state *out)
{
    DWORD mode;
    int rc = require_input(fd);

    if (rc != 0) return rc;
    if (!GetConsoleMode((HANDLE)fd, &mode)) return last_error();
    memset(out, 0, sizeof(*out));
    memcpy(out->storage.bytes, &mode, sizeof(mode));
    out->length = (uint32_t)sizeof(mode);
    return 0;
}

static int set(iso_fd fd, DWORD mode)
{
    return SetConsoleMode((HANDLE)fd, mode) ? 0 : last_error();
}

/* Source: SetConsoleMode; libuv, uv_tty_set_mode. */
int iso__sys_terminal_change(iso_fd fd, const iso_terminal_state *from, iso_terminal_mode mode)
{
    DWORD wanted;

    memcpy(&wanted, from->storage.bytes, sizeof(wanted));
    wanted &= ~(DWORD)(ENABLE_LINE_INPUT | ENABLE_ECHO_INPUT);
    if (mode == ISO_TERMINAL_CBREAK)
        wanted |= ENABLE_PROCESSED_INPUT;
    else
        wanted &= ~(DWORD)ENABLE_PROCESSED_INPUT;
    return set(fd, wanted);
}

int iso__sys_terminal_set(iso_fd fd, const iso_terminal_state *state)
{
    DWORD wanted;
    int rc = require_input(fd);

    if (rc != 0) return rc;
    if (state->length != sizeof(wanted)) return ISO_EINVAL;
    memcpy(&wanted, state->storage.bytes, sizeof(wanted));
    return set(fd, wanted);
}
