/* SPDX-License-Identifier: MIT */
#include "io/paths.h"

#include "sys/sock.h"

#include "isoloop/error.h"

#include <winsock2.h>

#include <windows.h>

#include <stdio.h>

static int answer(BOOL result)
{
    return result ? 0 : ISO_EUNKNOWN;
}

int paths_make_folder(char folder[PATHS_FOLDER_BYTES])
{
    static int made;
    char root[MAX_PATH + 1];
    DWORD length = GetTempPathA(sizeof(root), root);

    if (length == 0 || length > PATHS_FOLDER_BYTES / 2) return ISO_EUNKNOWN;
    (void)snprintf(folder, PATHS_FOLDER_BYTES, "%sisoloop.%lu.%lu.%d", root, GetCurrentProcessId(),
                   GetTickCount(), made++);
    return answer(CreateDirectoryA(folder, NULL));
}

int paths_remove_folder(const char *folder)
{
    return answer(RemoveDirectoryA(folder));
}

int paths_make_file(const char *path)
{
    HANDLE file =
        CreateFileA(path, GENERIC_WRITE, 0, NULL, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, NULL);

    return file == INVALID_HANDLE_VALUE ? ISO_EUNKNOWN : answer(CloseHandle(file));
}

/* It would want a privilege. */
int paths_make_link(const char *path, const char *target)
{
    (void)path;
    (void)target;
    return ISO_ENOTSUP;
}

int paths_remove(const char *path)
{
    return answer(DeleteFileA(path));
}

bool paths_protect(const char *folder)
{
    (void)folder;
    return false;
}

void paths_unprotect(const char *folder)
{
    (void)folder;
}

enum { SOCKET_TAG_LOW = 0x23 }; /* of 0x80000023, IO_REPARSE_TAG_AF_UNIX */

/* What FindFirstFile answers of a reparse point is the point itself. */
paths_kind paths_look(const char *path)
{
    WIN32_FIND_DATAA found;
    HANDLE search = FindFirstFileA(path, &found);

    if (search == INVALID_HANDLE_VALUE) return PATHS_NOTHING;
    (void)FindClose(search);
    if ((found.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0)
        return (found.dwReserved0 & 0xFFFF) == SOCKET_TAG_LOW ? PATHS_SOCKET : PATHS_LINK;
    return (found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) == 0 ? PATHS_FILE : PATHS_OTHER;
}

bool paths_has_unix_sockets(void)
{
    SOCKET sock;

    if (iso__sys_socket_startup() != 0) return false;
    sock = socket(AF_UNIX, SOCK_STREAM, 0);
    return sock != INVALID_SOCKET && closesocket(sock) == 0;
}

bool paths_has_abstract_names(void)
{
    return false;
}

bool paths_waits_for_a_full_backlog(void)
{
    return false;
}

size_t paths_longest(void)
{
    return 107;
}

iso_unix_credentials paths_self(void)
{
    iso_unix_credentials self = { -1, -1, -1 };

    self.pid = GetCurrentProcessId();
    return self;
}

bool paths_is_inherited(iso_fd fd)
{
    DWORD flags = 0;

    return GetHandleInformation((HANDLE)fd, &flags) && (flags & HANDLE_FLAG_INHERIT) != 0;
}

int paths_send_many(iso_fd sock, iso_fd fd, int count)
{
    (void)sock;
    (void)fd;
    (void)count;
    return ISO_ENOTSUP;
}

void paths_pass_credentials(iso_fd sock)
{
    (void)sock;
}

void paths_make_blocking(iso_fd fd)
{
    u_long off = 0;

    (void)ioctlsocket((SOCKET)fd, (long)FIONBIO, &off);
}

int paths_open_datagram(iso_fd *out)
{
    return iso__sys_datagram_open(out, 4);
}
