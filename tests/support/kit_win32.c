/* SPDX-License-Identifier: MIT */
#include "support/kit_os.h"

#include "isoloop/error.h"
#include "sys/error.h"
#include "sys/sock.h"

#include <winsock2.h>
#include <windows.h>

#include <stdlib.h>

enum { HIGHEST_HANDLE = 4 * 2048 };

/* ---- descriptors ---- */

static bool is_socket(uintptr_t value)
{
    int type;
    int size = sizeof(type);

    return getsockopt((SOCKET)value, SOL_SOCKET, SO_TYPE, (char *)&type, &size) == 0;
}

/* The system gives out low handles first, and each is a multiple of four. */
void kit_os_begin(void)
{
}

int kit_os_count_descriptors(void)
{
    uintptr_t value;
    int count = 0;

    (void)iso__sys_socket_startup();
    for (value = 4; value <= HIGHEST_HANDLE; value += 4) count += is_socket(value) ? 1 : 0;
    return count;
}

int kit_os_pipe(iso_fd out[2])
{
    HANDLE reader;
    HANDLE writer;

    if (!CreatePipe(&reader, &writer, NULL, 0)) return iso__sys_error((int)GetLastError());
    out[0] = (iso_fd)reader;
    out[1] = (iso_fd)writer;
    return 0;
}

/* In the folder where the test runs, and gone when it is closed. */
int kit_os_open_regular_file(iso_fd *out)
{
    wchar_t name[MAX_PATH];
    HANDLE handle;

    if (GetTempFileNameW(L".", L"kit", 0, name) == 0) return iso__sys_error((int)GetLastError());
    handle = CreateFileW(name, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ, NULL, CREATE_ALWAYS,
                         FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE, NULL);
    if (handle == INVALID_HANDLE_VALUE) return iso__sys_error((int)GetLastError());
    *out = (iso_fd)handle;
    return 0;
}

int kit_os_open_device(iso_fd *out)
{
    HANDLE handle = CreateFileW(L"NUL", GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING,
                                FILE_ATTRIBUTE_NORMAL, NULL);

    if (handle == INVALID_HANDLE_VALUE) return iso__sys_error((int)GetLastError());
    *out = (iso_fd)handle;
    return 0;
}

void kit_os_close(iso_fd fd)
{
    (void)CloseHandle((HANDLE)fd);
}

int kit_os_write(iso_fd fd, const void *data, size_t size)
{
    DWORD written;

    if (!WriteFile((HANDLE)fd, data, (DWORD)size, &written, NULL))
        return iso__sys_error((int)GetLastError());
    return 0;
}

int kit_os_rewind(iso_fd fd)
{
    return SetFilePointer((HANDLE)fd, 0, NULL, FILE_BEGIN) == 0
               ? 0
               : iso__sys_error((int)GetLastError());
}

/* A handle keeps its port alive, and can have no other. */
int kit_os_tie_to_a_port(iso_fd fd)
{
    HANDLE port = CreateIoCompletionPort((HANDLE)fd, NULL, 0, 1);

    if (port == NULL) return iso__sys_error((int)GetLastError());
    (void)CloseHandle(port);
    return 0;
}

int kit_os_duplicate_above(iso_fd fd, iso_fd lowest, iso_fd *out)
{
    (void)fd;
    (void)lowest;
    (void)out;
    return ISO_ENOTSUP;
}

int kit_os_allow_descriptors(int count)
{
    (void)count;
    return 0;
}

int kit_os_exhaust(void)
{
    return ISO_ENOTSUP;
}

void kit_os_replenish(void)
{
}

/* ---- the rest ---- */

void kit_os_setenv(const char *name, const char *value)
{
    (void)_putenv_s(name, value != NULL ? value : ""); /* "" takes it out */
}

bool kit_os_is_wine(void)
{
    return GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "wine_get_version") != NULL;
}

struct kit_os_gate {
    HANDLE event;
};

kit_os_gate *kit_os_gate_new(void)
{
    kit_os_gate *gate = malloc(sizeof(*gate));

    if (gate == NULL) return NULL;
    gate->event = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (gate->event == NULL) {
        free(gate);
        return NULL;
    }
    return gate;
}

void kit_os_gate_free(kit_os_gate *gate)
{
    (void)CloseHandle(gate->event);
    free(gate);
}

void kit_os_gate_open(kit_os_gate *gate)
{
    (void)SetEvent(gate->event);
}

bool kit_os_gate_wait(kit_os_gate *gate, iso_nsec timeout)
{
    return WaitForSingleObject(gate->event, (DWORD)(timeout / 1000000)) == WAIT_OBJECT_0;
}

/* ---- codes ---- */

const kit_os_code kit_os_codes[] = {
    { WSAEINVAL, ISO_EINVAL },
    { ERROR_INVALID_PARAMETER, ISO_EINVAL },
    { ERROR_NOT_ENOUGH_MEMORY, ISO_ENOMEM },
    { WSAEBADF, ISO_EBADF },
    { ERROR_INVALID_HANDLE, ISO_EBADF },
    { WSAENOTSOCK, ISO_ENOTSOCK },
    { WSAEWOULDBLOCK, ISO_EAGAIN },
    { WSAEINPROGRESS, ISO_EINPROGRESS },
    { WSAEINTR, ISO_EINTR },
    { WSAEMFILE, ISO_EMFILE },
    { ERROR_TOO_MANY_OPEN_FILES, ISO_EMFILE },
    { WSAENOBUFS, ISO_ENOBUFS },
    { WSAEACCES, ISO_EACCES },
    { ERROR_ACCESS_DENIED, ISO_EACCES },
    { WSAEADDRINUSE, ISO_EADDRINUSE },
    { WSAEADDRNOTAVAIL, ISO_EADDRNOTAVAIL },
    { WSAEAFNOSUPPORT, ISO_EAFNOSUPPORT },
    { WSAECONNREFUSED, ISO_ECONNREFUSED },
    { ERROR_CONNECTION_REFUSED, ISO_ECONNREFUSED },
    { WSAECONNRESET, ISO_ECONNRESET },
    { ERROR_NETNAME_DELETED, ISO_ECONNRESET },
    { WSAECONNABORTED, ISO_ECONNABORTED },
    { ERROR_UNEXP_NET_ERR, ISO_ECONNABORTED },
    { ERROR_BROKEN_PIPE, ISO_EPIPE },
    { ERROR_NO_DATA, ISO_EPIPE },
    { ERROR_PIPE_NOT_CONNECTED, ISO_EPIPE },
    { ERROR_HANDLE_EOF, ISO_EPIPE },
    { ERROR_PIPE_BUSY, ISO_EBUSY },
    { ERROR_SHARING_VIOLATION, ISO_EBUSY },
    { ERROR_PORT_UNREACHABLE, ISO_ECONNREFUSED },
    { WSAENOTCONN, ISO_ENOTCONN },
    { WSAEISCONN, ISO_EISCONN },
    { WSAEHOSTUNREACH, ISO_EHOSTUNREACH },
    { WSAENETUNREACH, ISO_ENETUNREACH },
    { WSAEMSGSIZE, ISO_EMSGSIZE },
    { ERROR_ALREADY_EXISTS, ISO_EEXIST },
    { ERROR_FILE_NOT_FOUND, ISO_ENOENT },
    { WSAETIMEDOUT, ISO_ETIMEDOUT },
    { ERROR_OPERATION_ABORTED, ISO_ECANCELED },
    { ERROR_NOT_SUPPORTED, ISO_ENOTSUP },
    { WSAEOPNOTSUPP, ISO_ENOTSUP },
    { WSAHOST_NOT_FOUND, ISO_ENONAME },
    { WSATRY_AGAIN, ISO_ETRYNAME },
    { 0, 0 },
};
