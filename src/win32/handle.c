/* SPDX-License-Identifier: MIT */
#include "handle.h"

/* <winternl.h> has the function, and neither this class nor its bits. */
enum { FILE_MODE_INFORMATION_CLASS = 16 };
enum { SYNCHRONOUS_ALERT = 0x10, SYNCHRONOUS_NONALERT = 0x20 };

bool iso__handle_is_overlapped(HANDLE handle)
{
    IO_STATUS_BLOCK status;
    ULONG mode = 0;

    if (NtQueryInformationFile(handle, &status, &mode, sizeof(mode),
                               (FILE_INFORMATION_CLASS)FILE_MODE_INFORMATION_CLASS) < 0)
        return false;
    return (mode & (SYNCHRONOUS_ALERT | SYNCHRONOUS_NONALERT)) == 0;
}
