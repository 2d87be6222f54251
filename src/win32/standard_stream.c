/* SPDX-License-Identifier: MIT */
#include "sys/standard_stream.h"

#include <windows.h>

iso_fd iso__sys_standard_stream(int which)
{
    static const DWORD names[3] = { STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE };
    HANDLE handle = GetStdHandle(names[which]);

    return handle == NULL || handle == INVALID_HANDLE_VALUE ? ISO_FD_NONE : (iso_fd)handle;
}
