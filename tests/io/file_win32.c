/* SPDX-License-Identifier: MIT */
#include "io/file.h"

#include "sys/error.h"

#include <windows.h>

#include <wchar.h>

static int last_error(void)
{
    return iso__sys_error((int)GetLastError());
}

/* A file of temporary use is gone when its last handle is closed. */
static HANDLE create(const wchar_t *name, file_use use)
{
    DWORD access = use == FILE_FOR_WRITING ? GENERIC_WRITE : GENERIC_READ | GENERIC_WRITE;
    DWORD flags = FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE;

    if (use == FILE_FOR_OVERLAPPED) flags |= FILE_FLAG_OVERLAPPED;
    return CreateFileW(name, access | DELETE,
                       FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, CREATE_ALWAYS,
                       flags, NULL);
}

int file_open(iso_fd *out, file_use use)
{
    wchar_t folder[MAX_PATH + 1];
    wchar_t name[MAX_PATH + 1];
    HANDLE handle;

    if (GetTempPathW(MAX_PATH + 1, folder) == 0) return last_error();
    if (GetTempFileNameW(folder, L"kit", 0, name) == 0) return last_error();
    handle = create(name, use);
    if (handle == INVALID_HANDLE_VALUE) return last_error();
    *out = (iso_fd)handle;
    return 0;
}

/* The place is given with the call, so that a position, if there is one, needs putting back. */
int file_write(iso_fd file, uint64_t offset, const void *data, size_t size)
{
    HANDLE handle = (HANDLE)file;
    uint64_t position = file_position(file);
    LARGE_INTEGER back;
    OVERLAPPED where = { 0 };
    DWORD written;

    where.Offset = (DWORD)offset;
    where.OffsetHigh = (DWORD)(offset >> 32);
    where.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (!WriteFile(handle, data, (DWORD)size, NULL, &where) && GetLastError() != ERROR_IO_PENDING)
        return last_error();
    if (!GetOverlappedResult(handle, &where, &written, TRUE)) return last_error();
    (void)CloseHandle(where.hEvent);
    back.QuadPart = (LONGLONG)position;
    (void)SetFilePointerEx(handle, back, NULL, FILE_BEGIN);
    return written == size ? 0 : ISO_EIO;
}

int file_cut(iso_fd file, uint64_t size)
{
    FILE_END_OF_FILE_INFO end;

    end.EndOfFile.QuadPart = (LONGLONG)size;
    if (SetFileInformationByHandle((HANDLE)file, FileEndOfFileInfo, &end, sizeof(end))) return 0;
    return last_error();
}

uint64_t file_position(iso_fd file)
{
    const LARGE_INTEGER nowhere = { 0 };
    LARGE_INTEGER position = { 0 };

    (void)SetFilePointerEx((HANDLE)file, nowhere, &position, FILE_CURRENT);
    return (uint64_t)position.QuadPart;
}

int file_open_directory(iso_fd *out)
{
    HANDLE handle = CreateFileW(L".", GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                                OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);

    if (handle == INVALID_HANDLE_VALUE) return last_error();
    *out = (iso_fd)handle;
    return 0;
}

void file_leave_signal(void)
{
}

bool file_take_signal(void)
{
    return true;
}
