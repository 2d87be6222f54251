/* SPDX-License-Identifier: MIT */
#include "sys/descriptor.h"

#include "sockets.h"
#include "sys/sock.h"

static bool is_socket(iso_fd fd)
{
    int type;
    int size = sizeof(type);

    /* Without WSAStartup Winsock knows no socket at all, a caller's neither. */
    if (iso__sys_socket_startup() != 0) return false;
    return getsockopt((SOCKET)fd, SOL_SOCKET, SO_TYPE, (char *)&type, &size) == 0;
}

/* Below zero are pseudo-handles: GetFileType would take -10 for the standard input. The kernel
 * ignores the two low bits of a handle, so that 5, a descriptor of the C library, would name the
 * stranger that handle 4 is. Source: Raymond Chen, "Why are HANDLE values always a multiple of
 * four?" */
static bool is_number(iso_fd fd)
{
    return fd > 0 && (fd & 3) == 0;
}

bool iso__sys_descriptor_is_open(iso_fd fd)
{
    DWORD flags;

    return is_number(fd) && GetHandleInformation((HANDLE)fd, &flags);
}

iso__descriptor_kind iso__sys_descriptor_kind(iso_fd fd)
{
    HANDLE handle = (HANDLE)fd;

    if (!is_number(fd)) return ISO__DESCRIPTOR_BAD;
    if (is_socket(fd)) return ISO__DESCRIPTOR_SOCKET; /* which GetFileType calls a pipe */
    switch (GetFileType(handle)) {
    case FILE_TYPE_PIPE: return ISO__DESCRIPTOR_PIPE;
    case FILE_TYPE_CHAR: return ISO__DESCRIPTOR_DEVICE;
    case FILE_TYPE_DISK: return ISO__DESCRIPTOR_FILE;
    /* An event, a process and the like are no files, but can be waited for.
     * Source: Microsoft, GetFileType: "Remarks" on FILE_TYPE_UNKNOWN. */
    default: return iso__sys_descriptor_is_open(fd) ? ISO__DESCRIPTOR_OTHER : ISO__DESCRIPTOR_BAD;
    }
}

int64_t iso__sys_descriptor_limit(void)
{
    return INT64_MAX; /* handles end where the kernel's memory does */
}

int64_t iso__sys_descriptor_count(void)
{
    DWORD count = 0;

    /* No process has none: Wine only says so. */
    if (!GetProcessHandleCount(GetCurrentProcess(), &count) || count == 0) return -1;
    return count;
}
