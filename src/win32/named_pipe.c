/* SPDX-License-Identifier: MIT */
#include "sys/named_pipe.h"

#include "sys/error.h"

#include <windows.h>

#include <wchar.h>

enum {
    NAME_CHARACTERS_MAX = 256, /* Source: Microsoft, CreateNamedPipe, lpName */
    PREFIX_CHARACTERS = 9,     /* of "\\.\pipe\" */
    BUFFER_BYTES = 64 * 1024   /* of each direction, taken as it fills; libuv has the same */
};

typedef struct wide_name {
    WCHAR text[NAME_CHARACTERS_MAX + 1];
} wide_name;

/* ---- names ---- */

static bool is_separator(WCHAR character)
{
    return character == L'\\' || character == L'/';
}

/* Win32 takes dots and spaces off the end: something must be left. Source: Microsoft, "Naming
 * Files, Paths, and Namespaces". */
static bool is_empty(const WCHAR *rest)
{
    return rest[wcsspn(rest, L". ")] == L'\0' || is_separator(*rest);
}

/* And it resolves ".." in these names too: "\\.\pipe\..\C:" would be a disk. */
static bool climbs(const WCHAR *rest)
{
    const WCHAR *at;

    for (at = rest; *at != L'\0'; at++) {
        bool begins = at == rest || is_separator(at[-1]);

        if (begins && at[0] == L'.' && at[1] == L'.' && (at[2] == L'\0' || is_separator(at[2])))
            return true;
    }
    return false;
}

static int widen(wide_name *out, const char *name)
{
    static const WCHAR prefix[] = L"\\\\.\\pipe\\";
    const WCHAR *rest;

    if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, name, -1, out->text,
                            NAME_CHARACTERS_MAX + 1) == 0)
        return ISO_EINVAL;
    if (_wcsnicmp(out->text, prefix, PREFIX_CHARACTERS) != 0) return ISO_EINVAL;
    rest = out->text + PREFIX_CHARACTERS;
    return is_empty(rest) || climbs(rest) ? ISO_EINVAL : 0;
}

int iso__sys_named_pipe_check(const char *name)
{
    wide_name wide;

    return widen(&wide, name);
}

/* ---- who may connect ---- */

/* What lets one user in and nobody else. It points into itself. */
typedef struct guard {
    SECURITY_DESCRIPTOR descriptor;
    union {
        ACL acl;
        BYTE bytes[sizeof(ACL) + sizeof(ACCESS_ALLOWED_ACE) + SECURITY_MAX_SID_SIZE];
    } list;
} guard;

typedef union user {
    TOKEN_USER head;
    BYTE bytes[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
} user;

static BOOL ask_user(user *out)
{
    HANDLE token;
    DWORD size;
    BOOL told;

    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) return FALSE;
    told = GetTokenInformation(token, TokenUser, out, sizeof(*out), &size);
    (void)CloseHandle(token);
    return told;
}

/* Without a descriptor of its own a pipe can be read by everybody, and by the anonymous user.
 * Source: Microsoft, "Named Pipe Security and Access Rights". */
static BOOL make_guard(guard *out)
{
    user one;

    return ask_user(&one) && InitializeAcl(&out->list.acl, sizeof(out->list), ACL_REVISION) &&
           AddAccessAllowedAce(&out->list.acl, ACL_REVISION, FILE_ALL_ACCESS, one.head.User.Sid) &&
           InitializeSecurityDescriptor(&out->descriptor, SECURITY_DESCRIPTOR_REVISION) &&
           SetSecurityDescriptorDacl(&out->descriptor, TRUE, &out->list.acl, FALSE);
}

/* ---- the pipe ---- */

static int error_of_name(DWORD code)
{
    switch (code) {
    case ERROR_INVALID_NAME:
    case ERROR_BAD_PATHNAME:
    case ERROR_FILENAME_EXCED_RANGE: return ISO_EINVAL;
    default: return iso__sys_error((int)code);
    }
}

/* Another process has the name: it is not new, or not open to us, or its parameters differ. */
static int error_of_serve(DWORD code)
{
    switch (code) {
    case ERROR_ACCESS_DENIED:
    case ERROR_INVALID_PARAMETER:
    case ERROR_PIPE_BUSY: return ISO_EADDRINUSE;
    default: return error_of_name(code);
    }
}

int iso__sys_named_pipe_serve(iso_fd *out, const char *name, bool is_first)
{
    DWORD access = PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED;
    DWORD mode = PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS;
    SECURITY_ATTRIBUTES attributes = { sizeof(attributes), NULL, FALSE };
    guard only_user;
    wide_name wide;
    HANDLE handle;
    int rc = widen(&wide, name);

    if (rc != 0) return rc;
    if (!make_guard(&only_user)) return iso__sys_error((int)GetLastError());
    attributes.lpSecurityDescriptor = &only_user.descriptor;
    if (is_first) access |= FILE_FLAG_FIRST_PIPE_INSTANCE;
    handle = CreateNamedPipeW(wide.text, access, mode, PIPE_UNLIMITED_INSTANCES, BUFFER_BYTES,
                              BUFFER_BYTES, 0, &attributes);
    if (handle == INVALID_HANDLE_VALUE) return error_of_serve(GetLastError());
    *out = (iso_fd)handle;
    return 0;
}

int iso__sys_named_pipe_connect(iso_fd *out, const char *name)
{
    DWORD flags = FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION;
    wide_name wide;
    HANDLE handle;
    int rc = widen(&wide, name);

    if (rc != 0) return rc;
    handle =
        CreateFileW(wide.text, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, flags, NULL);
    if (handle == INVALID_HANDLE_VALUE) return error_of_name(GetLastError());
    *out = (iso_fd)handle;
    return 0;
}

int iso__sys_named_pipe_disconnect(iso_fd fd)
{
    return DisconnectNamedPipe((HANDLE)fd) ? 0 : iso__sys_error((int)GetLastError());
}
