/* SPDX-License-Identifier: MIT */
#include "file.h"
#include <windows.h>

iso_fd file_open(const char *path)
{
    HANDLE file = CreateFileA(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING,
                              FILE_FLAG_SEQUENTIAL_SCAN, NULL);
    return file != INVALID_HANDLE_VALUE ? (iso_fd)file : ISO_FD_NONE;
}

void file_close(iso_fd file)
{
    CloseHandle((HANDLE)file);
}
