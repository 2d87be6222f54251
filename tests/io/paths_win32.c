/* SPDX-License-Identifier: MIT */
/* As far as a test comes where there are no unix sockets. */
#include "io/paths.h"

#include "isoloop/error.h"

#include <windows.h>

#include <stdio.h>

static int answer(BOOL result)
{
    return result ? 0 : ISO_EUNKNOWN;
}

int paths_make_folder(char folder[PATHS_FOLDER_BYTES])
{
    char root[MAX_PATH + 1];
    DWORD length = GetTempPathA(sizeof(root), root);

    if (length == 0 || length > PATHS_FOLDER_BYTES / 2) return ISO_EUNKNOWN;
    (void)snprintf(folder, PATHS_FOLDER_BYTES, "%sisoloop.%lu.%lu", root, GetCurrentProcessId(),
                   GetTickCount());
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

paths_kind paths_look(const char *path)
{
    DWORD attributes = GetFileAttributesA(path);

    if (attributes == INVALID_FILE_ATTRIBUTES) return PATHS_NOTHING;
    return (attributes & FILE_ATTRIBUTE_DIRECTORY) == 0 ? PATHS_FILE : PATHS_OTHER;
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
    return 0;
}

iso_unix_credentials paths_self(void)
{
    iso_unix_credentials self = { -1, -1, -1 };

    return self;
}

bool paths_is_inherited(iso_fd fd)
{
    (void)fd;
    return false;
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
    (void)fd;
}

int paths_open_datagram(iso_fd *out)
{
    (void)out;
    return ISO_ENOTSUP;
}
