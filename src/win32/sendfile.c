/* SPDX-License-Identifier: MIT */
#include "sys/send_file.h"

#include "sockets.h"
#include "sys/descriptor.h"

/* What one ReadFile is asked for at most. */
#define LARGEST ((size_t)1 << 30)

/* TransmitFile is the completion port's: what it does to a socket that nobody waits for in a port
 * is to block. */
ptrdiff_t iso__sys_sendfile(iso_fd sock, iso_fd file, uint64_t offset, size_t size)
{
    (void)sock;
    (void)file;
    (void)offset;
    (void)size;
    return ISO_ENOTSUP;
}

/* ---- reading ---- */

/* Read and wait. A handle that was not opened for overlapped use reads at the place all the same,
 * and waits in ReadFile. Returns 0 or GetLastError. Source: ReadFile, "Considerations for working
 * with asynchronous file handles". */
static DWORD read_at(HANDLE file, OVERLAPPED *where, void *data, DWORD size, DWORD *got)
{
    DWORD error = ReadFile(file, data, size, NULL, where) ? ERROR_SUCCESS : GetLastError();

    if (error != ERROR_SUCCESS && error != ERROR_IO_PENDING) return error;
    return GetOverlappedResult(file, where, got, TRUE) ? ERROR_SUCCESS : GetLastError();
}

ptrdiff_t iso__sys_file_read(iso_fd file, uint64_t offset, void *data, size_t size)
{
    HANDLE handle = (HANDLE)file;
    const LARGE_INTEGER nowhere = { 0 };
    LARGE_INTEGER position;
    OVERLAPPED where = { 0 };
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    DWORD got = 0;
    DWORD error;
    bool has_position;

    if (event == NULL) return iso__sys_error((int)GetLastError());
    where.Offset = (DWORD)offset;
    where.OffsetHigh = (DWORD)(offset >> 32);
    /* The low bit keeps the packet from a port that the file may be tied to. Source:
     * GetQueuedCompletionStatus, "lpOverlapped". */
    where.hEvent = (HANDLE)((ULONG_PTR)event | 1);
    has_position = SetFilePointerEx(handle, nowhere, &position, FILE_CURRENT) != 0;
    error = read_at(handle, &where, data, (DWORD)(size < LARGEST ? size : LARGEST), &got);
    /* A handle for overlapped use has no position; of any other it has moved. */
    if (has_position) (void)SetFilePointerEx(handle, position, NULL, FILE_BEGIN);
    (void)CloseHandle(event);
    if (error == ERROR_HANDLE_EOF) return 0;
    return error == ERROR_SUCCESS ? (ptrdiff_t)got : iso__sys_error((int)error);
}

/* ---- the size and the position ---- */

/* 0 for what lies on a disk and is no directory; ISO_EBADF, ISO_EINVAL. */
static int require_file(iso_fd file)
{
    switch (iso__sys_descriptor_kind(file)) {
    case ISO__DESCRIPTOR_FILE: return 0;
    case ISO__DESCRIPTOR_BAD: return ISO_EBADF;
    case ISO__DESCRIPTOR_SOCKET:
    case ISO__DESCRIPTOR_PIPE:
    case ISO__DESCRIPTOR_DEVICE:
    case ISO__DESCRIPTOR_OTHER: break;
    }
    return ISO_EINVAL;
}

int iso__sys_file_size(iso_fd file, uint64_t *size)
{
    BY_HANDLE_FILE_INFORMATION known;
    int rc = require_file(file);

    if (rc != 0) return rc;
    if (!GetFileInformationByHandle((HANDLE)file, &known))
        return iso__sys_error((int)GetLastError());
    if ((known.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0) return ISO_EINVAL;
    *size = (uint64_t)known.nFileSizeHigh << 32 | known.nFileSizeLow;
    return 0;
}

int iso__sys_file_seek(iso_fd file, uint64_t position)
{
    LARGE_INTEGER to;

    to.QuadPart = (LONGLONG)position;
    if (SetFilePointerEx((HANDLE)file, to, NULL, FILE_BEGIN)) return 0;
    return iso__sys_error((int)GetLastError());
}
