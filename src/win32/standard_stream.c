/* SPDX-License-Identifier: MIT */
#include "sys/standard_stream.h"

#include "sys/descriptor.h"

#include <windows.h>

/* What is noted there may have been closed since: FreeConsole, or a C library that closes its
 * descriptors 0, 1 and 2 in a program without a console, leaves it as it is. */
iso_fd iso__sys_standard_stream(int which)
{
    static const DWORD names[3] = { STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE };
    iso_fd fd = (iso_fd)GetStdHandle(names[which]);

    return iso__sys_descriptor_is_open(fd) ? fd : ISO_FD_NONE;
}
