/* SPDX-License-Identifier: MIT */
/* Windows has the family AF_UNIX from 10, version 1803, on: streams at the path of a file, in
 * UTF-8. There are no abstract names, no socketpair, no descriptors to hand over, and of the peer
 * its process only. What stands here follows Microsoft, "AF_UNIX comes to Windows", and what Go and
 * .NET do with it, which have it in use. */
#include "sys/unix.h"

#include "base/error.h"
#include "sockets.h"
#include "sys/descriptor.h"
#include "sys/sock.h"

#include <string.h>

/* As in <afunix.h>, which not every kit of headers has. */
enum { PATH_MOST = 108 };

typedef struct unix_address {
    u_short family;
    char path[PATH_MOST];
} unix_address;

_Static_assert((size_t)PATH_MOST <= (size_t)ISO__SYS_UNIX_PATH_MAX,
               "an iso__unix_address holds every path");
_Static_assert(sizeof(unix_address) <= sizeof(SOCKADDR_STORAGE), "it is an address like another");

#define GET_PEER_PID _WSAIOR(IOC_VENDOR, 256) /* SIO_AF_UNIX_GETPEERPID */
#define SOCKET_FILE_TAG 0x80000023            /* IO_REPARSE_TAG_AF_UNIX */

/* ---- whether there are any ---- */

static int open_socket(SOCKET *out)
{
    const DWORD flags = WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT;
    int rc = iso__sys_socket_startup();

    if (rc != 0) return rc;
    *out = WSASocketW(AF_UNIX, SOCK_STREAM, 0, NULL, 0, flags);
    return *out != INVALID_SOCKET ? 0 : iso__socket_error();
}

int iso__sys_unix_availability(void)
{
    SOCKET sock;
    int rc = open_socket(&sock);

    if (rc == 0) (void)closesocket(sock);
    return rc == ISO_EAFNOSUPPORT ? rc : 0;
}

/* ---- addresses ---- */

int iso__sys_unix_address(iso__unix_address *out, const char *path, size_t length)
{
    if (length == 0) return iso__error_set(ISO_EINVAL, "the path of a unix socket is empty");
    if (path[0] == '\0')
        return iso__error_set(ISO_ENOTSUP, "only Linux has abstract names of unix sockets");
    if (length > PATH_MOST - 1)
        return iso__error_set(ISO_EINVAL,
                              "the path of a unix socket has at most %d bytes here, not %llu",
                              PATH_MOST - 1, (unsigned long long)length);
    if (memchr(path, '\0', length) != NULL)
        return iso__error_set(ISO_EINVAL, "the path of a unix socket has a NUL byte in it");
    memset(out, 0, sizeof(*out));
    memcpy(out->path, path, length);
    out->length = (uint32_t)length;
    return 0;
}

static unix_address native_of(const iso__unix_address *address)
{
    unix_address native;

    memset(&native, 0, sizeof(native));
    native.family = AF_UNIX;
    memcpy(native.path, address->path, address->length);
    return native;
}

static void keep_name(iso__unix_address *out, const unix_address *native)
{
    memset(out, 0, sizeof(*out));
    while (out->length < PATH_MOST - 1 && native->path[out->length] != '\0') out->length++;
    memcpy(out->path, native->path, out->length);
}

/* The protocol of a socket: what it is, whether it has a name or not. */
static int ask_protocol(iso_fd fd, WSAPROTOCOL_INFOW *out)
{
    int size = sizeof(*out);
    int rc = iso__sys_descriptor_require_socket(fd);

    if (rc != 0) return rc;
    if (getsockopt((SOCKET)fd, SOL_SOCKET, SO_PROTOCOL_INFOW, (char *)out, &size) != 0)
        return iso__socket_error();
    if (out->iAddressFamily == AF_UNIX) return 0;
    return iso__sys_unix_availability() == 0 ? ISO_EINVAL : ISO_ENOTSUP;
}

/* A room that is cleared before: how long an empty name is differs. */
typedef union name_room {
    unix_address native;
    SOCKADDR_STORAGE storage;
} name_room;

/* WSAEINVAL: it is not bound. Source: Microsoft, getsockname. */
int iso__sys_unix_sockname(iso_fd fd, iso__unix_address *out)
{
    WSAPROTOCOL_INFOW protocol;
    name_room room;
    int size = sizeof(room);
    int rc = ask_protocol(fd, &protocol);

    if (rc != 0) return rc;
    memset(&room, 0, sizeof(room));
    if (getsockname((SOCKET)fd, (struct sockaddr *)(void *)&room, &size) != 0 &&
        WSAGetLastError() != WSAEINVAL)
        return iso__socket_error();
    keep_name(out, &room.native);
    return 0;
}

int iso__sys_unix_peername(iso_fd fd, iso__unix_address *out)
{
    WSAPROTOCOL_INFOW protocol;
    name_room room;
    int size = sizeof(room);
    int rc = ask_protocol(fd, &protocol);

    if (rc != 0) return rc;
    memset(&room, 0, sizeof(room));
    if (getpeername((SOCKET)fd, (struct sockaddr *)(void *)&room, &size) != 0)
        return iso__socket_error();
    keep_name(out, &room.native);
    return 0;
}

/* ---- files ---- */

/* Answers false for bytes that are no UTF-8. */
static bool widen(wchar_t wide[PATH_MOST], const iso__unix_address *address)
{
    char path[PATH_MOST];

    memcpy(path, address->path, address->length);
    path[address->length] = '\0';
    return MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, wide, PATH_MOST) > 0;
}

/* Why there is nothing at a path: 0 (there is something), or ERROR_PATH_NOT_FOUND (nor is there a
 * folder) and the like. */
static DWORD why_nothing(const iso__unix_address *address)
{
    wchar_t path[PATH_MOST];

    if (!widen(path, address)) return ERROR_NO_UNICODE_TRANSLATION;
    return GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES ? 0 : GetLastError();
}

/* A socket file is a reparse point that leads nowhere, so it is opened itself, as a link is. */
static int look(const iso__unix_address *address, iso__unix_file *out)
{
    const DWORD share = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
    const DWORD flags = FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS;
    FILE_ATTRIBUTE_TAG_INFO tag;
    BY_HANDLE_FILE_INFORMATION about;
    wchar_t path[PATH_MOST];
    HANDLE file;
    int rc = 0;

    if (!widen(path, address)) return ISO_EINVAL;
    file = CreateFileW(path, FILE_READ_ATTRIBUTES, share, NULL, OPEN_EXISTING, flags, NULL);
    if (file == INVALID_HANDLE_VALUE) return iso__sys_error((int)GetLastError());
    if (!GetFileInformationByHandleEx(file, FileAttributeTagInfo, &tag, sizeof(tag)) ||
        !GetFileInformationByHandle(file, &about))
        rc = iso__sys_error((int)GetLastError());
    (void)CloseHandle(file);
    if (rc != 0) return rc;
    if ((tag.FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) == 0 ||
        tag.ReparseTag != SOCKET_FILE_TAG)
        return ISO_ENOENT;
    out->device = about.dwVolumeSerialNumber;
    out->inode = (uint64_t)about.nFileIndexHigh << 32 | about.nFileIndexLow;
    return 0;
}

int iso__sys_unix_identify(const iso__unix_address *address, iso__unix_file *out)
{
    iso__unix_file there;
    int rc = look(address, &there);

    if (rc == 0) *out = there;
    return rc;
}

int iso__sys_unix_remove(const iso__unix_address *address, const iso__unix_file *file)
{
    iso__unix_file there;
    wchar_t path[PATH_MOST];
    int rc = look(address, &there);

    if (rc != 0) return rc == ISO_ENOENT ? 0 : rc;
    if (file != NULL && (there.device != file->device || there.inode != file->inode)) return 0;
    if (!widen(path, address)) return ISO_EINVAL;
    if (DeleteFileW(path)) return 0;
    rc = iso__sys_error((int)GetLastError());
    return rc == ISO_ENOENT ? 0 : rc;
}

/* ---- sockets ---- */

int iso__sys_unix_open(iso_fd *out)
{
    SOCKET sock;
    int rc = open_socket(&sock);

    if (rc != 0) return rc;
    rc = iso__sys_socket_adopt((iso_fd)sock);
    if (rc != 0) {
        (void)closesocket(sock);
        return rc;
    }
    *out = (iso_fd)sock;
    return 0;
}

int iso__sys_unix_require(iso_fd fd)
{
    WSAPROTOCOL_INFOW protocol;
    int rc = ask_protocol(fd, &protocol);

    if (rc != 0) return rc;
    return protocol.iSocketType == SOCK_STREAM ? 0 : ISO_EINVAL;
}

/* Where there is no folder, or nothing at the path of a server, Windows says that the network is
 * down (Go issue 44797). */
int iso__sys_unix_bind(iso_fd fd, const iso__unix_address *address)
{
    unix_address native = native_of(address);
    int rc;

    if (bind((SOCKET)fd, (struct sockaddr *)(void *)&native, sizeof(native)) == 0) return 0;
    rc = iso__socket_error();
    return why_nothing(address) == ERROR_PATH_NOT_FOUND ? ISO_ENOENT : rc;
}

static int explain_connect(int rc, const iso__unix_address *address)
{
    DWORD why = why_nothing(address);

    return why == ERROR_FILE_NOT_FOUND || why == ERROR_PATH_NOT_FOUND ? ISO_ENOENT : rc;
}

/* What has come of an attempt to connect: 0, an error, or ISO_EINPROGRESS: nothing yet, or there
 * was none. Source: Microsoft, connect, on sockets that do not block: select tells. */
static int ask_attempt(SOCKET sock)
{
    struct timeval now = { 0, 0 };
    fd_set done;
    fd_set failed;
    int rc;

    FD_ZERO(&done);
    FD_ZERO(&failed);
    FD_SET(sock, &done);
    FD_SET(sock, &failed);
    if (select(0, NULL, &done, &failed, &now) < 0) return iso__socket_error();
    if (failed.fd_count > 0) {
        rc = iso__sys_socket_connect_result((iso_fd)sock);
        return rc != 0 ? rc : ISO_ECONNREFUSED;
    }
    return done.fd_count > 0 ? 0 : ISO_EINPROGRESS;
}

/* The call itself would begin anew, after an attempt that has failed. */
int iso__sys_unix_connect(iso_fd fd, const iso__unix_address *address)
{
    unix_address native = native_of(address);
    SOCKET sock = (SOCKET)fd;
    int rc = ask_attempt(sock);

    if (rc == ISO_EINPROGRESS) {
        if (connect(sock, (struct sockaddr *)(void *)&native, sizeof(native)) == 0) return 0;
        switch (WSAGetLastError()) {
        case WSAEISCONN: return 0;
        case WSAEWOULDBLOCK:
        case WSAEALREADY: rc = ask_attempt(sock); break;
        default: rc = iso__socket_error();
        }
    }
    return rc == 0 || rc == ISO_EINPROGRESS ? rc : explain_connect(rc, address);
}

/* ---- the peer ---- */

int iso__sys_unix_peercred(iso_fd fd, iso_unix_credentials *out)
{
    iso__unix_address peer;
    ULONG pid = 0;
    DWORD bytes;                                /* which stays 0 (WSL issue 4676) */
    int rc = iso__sys_unix_peername(fd, &peer); /* ISO_ENOTCONN */

    if (rc != 0) return rc;
    if (WSAIoctl((SOCKET)fd, GET_PEER_PID, NULL, 0, &pid, sizeof(pid), &bytes, NULL, NULL) != 0)
        return iso__socket_error();
    out->pid = pid;
    out->uid = -1;
    out->gid = -1;
    return 0;
}

ptrdiff_t iso__sys_unix_send_fd(iso_fd sock, iso_fd fd, const void *data, size_t size)
{
    (void)sock;
    (void)fd;
    (void)data;
    (void)size;
    return ISO_ENOTSUP;
}

ptrdiff_t iso__sys_unix_recv_fd(iso_fd sock, void *data, size_t size, iso_fd *fd)
{
    (void)sock;
    (void)data;
    (void)size;
    (void)fd;
    return ISO_ENOTSUP;
}
