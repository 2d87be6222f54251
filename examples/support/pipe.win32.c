/* SPDX-License-Identifier: MIT */
#include "pipe.h"
#include <stdio.h>
#include <windows.h>

bool pipe_open(iso_fd ends[2])
{
    static int number;
    char name[80];
    (void)snprintf(name, sizeof(name), "\\\\.\\pipe\\isoloop-example-%lu-%d",
                   (unsigned long)GetCurrentProcessId(), number++);
    HANDLE reader = CreateNamedPipeA(
        name, PIPE_ACCESS_INBOUND | FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE,
        PIPE_TYPE_BYTE | PIPE_REJECT_REMOTE_CLIENTS, 1, 0, 4096, 0, NULL);
    if (reader == INVALID_HANDLE_VALUE) return false;
    HANDLE writer = CreateFileA(name, GENERIC_WRITE | FILE_READ_ATTRIBUTES, 0, NULL, OPEN_EXISTING,
                                FILE_FLAG_OVERLAPPED, NULL);
    if (writer == INVALID_HANDLE_VALUE) {
        (void)CloseHandle(reader);
        return false;
    }
    ends[0] = (iso_fd)reader;
    ends[1] = (iso_fd)writer;
    return true;
}

void pipe_close(iso_fd end)
{
    (void)CloseHandle((HANDLE)end);
}
