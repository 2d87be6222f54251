/* SPDX-License-Identifier: MIT */
#include "sys/pipe.h"

#include "handle.h"
#include "sys/descriptor.h"
#include "sys/error.h"
#include "sys/sock.h"

#include <windows.h>

#include <stdio.h>
#include <string.h>

enum {
    NAME_ROOM = 80,
    BUFFER_BYTES = 64 * 1024 /* of each direction, taken as it fills; libuv has the same */
};

/* <winternl.h> does not have this class. */
enum { FILE_ACCESS_INFORMATION_CLASS = 8 };

/* RtlGenRandom, which <ntsecapi.h> declares. In Microsoft's headers that and <winternl.h> can't
 * stand together: each defines UNICODE_STRING. */
BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG size);

static int last_error(void)
{
    return iso__sys_error((int)GetLastError());
}

/* ---- opening ---- */

/* A name that nobody can be waiting for. The number of the process is for whoever lists them. */
static int make_name(WCHAR *name)
{
    unsigned long random[4]; /* of 32 bits each, here */

    if (!SystemFunction036(random, sizeof(random))) return ISO_EUNKNOWN;
    (void)swprintf(name, NAME_ROOM, L"\\\\.\\pipe\\isoloop-%lu-%08lx%08lx%08lx%08lx",
                   (unsigned long)GetCurrentProcessId(), random[0], random[1], random[2],
                   random[3]);
    return 0;
}

/* A pipe without a name (CreatePipe) can't be used overlapped, so it is one with. Both directions,
 * though only one has bytes: a read that waits at the end that writes ends when the other end is
 * closed. Source: CreateNamedPipe; libuv, uv__create_pipe_pair. */
static HANDLE open_near_end(const WCHAR *name)
{
    const DWORD access = PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE;
    const DWORD mode = PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS;

    return CreateNamedPipeW(name, access, mode, 1, BUFFER_BYTES, BUFFER_BYTES, 0, NULL);
}

/* What a program expects of a standard stream, no more: it can't write to its input. The attributes
 * are for those that ask or set the mode of it (SetNamedPipeHandleState). */
static HANDLE open_far_end(const WCHAR *name, unsigned near_uses)
{
    DWORD access = 0;

    if ((near_uses & ISO__PIPE_WRITES) != 0) access |= GENERIC_READ | FILE_WRITE_ATTRIBUTES;
    if ((near_uses & ISO__PIPE_READS) != 0) access |= GENERIC_WRITE | FILE_READ_ATTRIBUTES;
    return CreateFileW(name, access, 0, NULL, OPEN_EXISTING,
                       SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);
}

int iso__sys_pipe_open(iso_fd *near_end, iso_fd *far_end, unsigned uses)
{
    WCHAR name[NAME_ROOM];
    HANDLE ours;
    HANDLE other;
    int rc = make_name(name);

    if (rc != 0) return rc;
    ours = open_near_end(name);
    if (ours == INVALID_HANDLE_VALUE) return last_error();
    other = open_far_end(name, uses);
    if (other == INVALID_HANDLE_VALUE) {
        rc = last_error();
        goto fail_other;
    }
    /* There is nothing to wait for, but this tells that there is a client. */
    if (!ConnectNamedPipe(ours, NULL) && GetLastError() != ERROR_PIPE_CONNECTED) {
        rc = last_error();
        goto fail_connect;
    }
    *near_end = (iso_fd)ours;
    *far_end = (iso_fd)other;
    return 0;

fail_connect:
    (void)CloseHandle(other);
fail_other:
    (void)CloseHandle(ours);
    return rc;
}

/* ---- taking over ---- */

/* Source: NtQueryInformationFile, FILE_ACCESS_INFORMATION. */
static unsigned uses_of(HANDLE handle)
{
    IO_STATUS_BLOCK status;
    ACCESS_MASK access = 0;

    if (NtQueryInformationFile(handle, &status, &access, sizeof(access),
                               (FILE_INFORMATION_CLASS)FILE_ACCESS_INFORMATION_CLASS) < 0)
        return ISO__PIPE_READS | ISO__PIPE_WRITES; /* nobody tells: what it can't do will fail */
    return ((access & FILE_READ_DATA) != 0 ? ISO__PIPE_READS : 0u) |
           ((access & FILE_WRITE_DATA) != 0 ? ISO__PIPE_WRITES : 0u);
}

int iso__sys_pipe_uses(iso_fd fd, unsigned *uses)
{
    iso__descriptor_kind kind = iso__sys_descriptor_kind(fd);

    if (kind == ISO__DESCRIPTOR_BAD) return ISO_EBADF;
    if (kind == ISO__DESCRIPTOR_FILE || kind == ISO__DESCRIPTOR_OTHER) return ISO_ENOTPIPE;
    if (!iso__handle_is_overlapped((HANDLE)fd)) return ISO_ENOTOVERLAPPED;
    *uses = uses_of((HANDLE)fd);
    return 0;
}

/* A pipe that reads whole messages would answer ERROR_MORE_DATA, and one that does not wait is no
 * good for overlapped use. An end that may not be asked, or changed, has to do as it is. Nobody can
 * ask a socket whether it blocks: it goes on without. */
int iso__sys_pipe_adopt(iso_fd fd, iso__pipe_before *before)
{
    HANDLE handle = (HANDLE)fd;
    DWORD wanted = PIPE_READMODE_BYTE | PIPE_WAIT;
    DWORD mode = wanted;
    iso__descriptor_kind kind = iso__sys_descriptor_kind(fd);

    before->original = ISO_FD_NONE;
    before->mode = 0;
    if (kind == ISO__DESCRIPTOR_SOCKET) return iso__sys_socket_adopt(fd);
    if (kind == ISO__DESCRIPTOR_PIPE) {
        (void)GetNamedPipeHandleStateW(handle, &mode, NULL, NULL, NULL, NULL, 0);
        (void)SetNamedPipeHandleState(handle, &wanted, NULL, NULL);
    }
    before->mode = (intptr_t)(mode & (PIPE_READMODE_MESSAGE | PIPE_NOWAIT));
    return 0;
}

void iso__sys_pipe_give_back(iso_fd fd, iso__pipe_before *before)
{
    DWORD mode = (DWORD)before->mode;

    if (iso__sys_descriptor_kind(fd) == ISO__DESCRIPTOR_PIPE)
        (void)SetNamedPipeHandleState((HANDLE)fd, &mode, NULL, NULL);
}

void iso__sys_pipe_keep(iso__pipe_before *before)
{
    (void)before; /* nothing was kept open */
}

/* ---- bytes ---- */

static ptrdiff_t read_error(DWORD error)
{
    switch (error) {
    case ERROR_BROKEN_PIPE:        /* the other end has closed, */
    case ERROR_PIPE_NOT_CONNECTED: /* or has thrown this one out (DisconnectNamedPipe) */
    case ERROR_HANDLE_EOF: return 0;
    case ERROR_OPERATION_ABORTED: return ISO_EAGAIN; /* taken back */
    default: return iso__sys_error((int)error);
    }
}

/* Finish a read that was not done at once: a device has nothing yet, or another read got what was
 * there. To wait for it could take for ever. */
static BOOL take_back(HANDLE handle, OVERLAPPED *read, DWORD *got)
{
    (void)CancelIoEx(handle, read);
    return GetOverlappedResult(handle, read, got, TRUE);
}

/* The low bit of the event keeps the end of it from the completion port. Source:
 * GetQueuedCompletionStatus, "Remarks". */
static ptrdiff_t read_now(HANDLE handle, void *data, DWORD size)
{
    OVERLAPPED read;
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    DWORD got = 0;
    DWORD error = 0;

    if (event == NULL) return last_error();
    memset(&read, 0, sizeof(read));
    read.hEvent = (HANDLE)((ULONG_PTR)event | 1);
    if (!ReadFile(handle, data, size, &got, &read)) error = GetLastError();
    if (error == ERROR_IO_PENDING) error = take_back(handle, &read, &got) ? 0 : GetLastError();
    (void)CloseHandle(event);
    /* The rest of a message can be had by the next read. */
    return error == 0 || error == ERROR_MORE_DATA ? (ptrdiff_t)got : read_error(error);
}

ptrdiff_t iso__sys_pipe_read(iso_fd fd, void *data, size_t size)
{
    HANDLE handle = (HANDLE)fd;
    DWORD available = 0;
    DWORD error;

    if (size == 0) return 0;
    if (size > MAXDWORD) size = MAXDWORD;
    if (PeekNamedPipe(handle, NULL, 0, NULL, &available, NULL)) {
        if (available == 0) return ISO_EAGAIN;
        return read_now(handle, data, size < available ? (DWORD)size : available);
    }
    error = GetLastError();
    /* A device does not tell what it has. */
    return GetFileType(handle) == FILE_TYPE_CHAR ? read_now(handle, data, (DWORD)size)
                                                 : read_error(error);
}

ptrdiff_t iso__sys_pipe_writev(iso_fd fd, const iso_buffer *list, size_t count)
{
    (void)fd;
    (void)list;
    (void)count;
    return ISO_EAGAIN;
}

int iso__sys_pipe_close(iso_fd fd)
{
    return CloseHandle((HANDLE)fd) ? 0 : last_error();
}
