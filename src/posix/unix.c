/* SPDX-License-Identifier: MIT */
#include "sys/unix.h"

#include "base/error.h"
#include "sys/descriptor.h"
#include "sys/error.h"
#include "sys/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>
#if defined(__FreeBSD__)
#include <sys/ucred.h>
#endif

_Static_assert(sizeof(((struct sockaddr_un *)0)->sun_path) <= ISO__SYS_UNIX_PATH_MAX,
               "an iso__unix_address holds every path");

/* The last byte is for the NUL of a path; an abstract name has none. */
enum { PATH_MOST = sizeof(((struct sockaddr_un *)0)->sun_path) };

#if defined(__linux__)
enum { HAS_ABSTRACT_NAMES = 1 };
#else
enum { HAS_ABSTRACT_NAMES = 0 };
#endif

#if defined(SOCK_CLOEXEC)
enum { NEW_SOCKET = SOCK_STREAM | SOCK_CLOEXEC };
#else
enum { NEW_SOCKET = SOCK_STREAM };
#endif

#if defined(MSG_NOSIGNAL)
enum { SEND_FLAGS = MSG_NOSIGNAL };
#else
enum { SEND_FLAGS = 0 };
#endif

#if defined(MSG_CMSG_CLOEXEC)
enum { RECV_FLAGS = MSG_CMSG_CLOEXEC };
#else
enum { RECV_FLAGS = 0 };
#endif

static int close_on_exec(int fd)
{
    return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ? 0 : iso__sys_error(errno);
}

int iso__sys_unix_availability(void)
{
    return 0;
}

/* ---- addresses ---- */

int iso__sys_unix_address(iso__unix_address *out, const char *path, size_t length)
{
    bool is_abstract = length > 0 && path[0] == '\0';
    size_t most = is_abstract ? (size_t)PATH_MOST : (size_t)PATH_MOST - 1;

    if (length == 0) return iso__error_set(ISO_EINVAL, "the path of a unix socket is empty");
    if (is_abstract && !HAS_ABSTRACT_NAMES)
        return iso__error_set(ISO_ENOTSUP, "only Linux has abstract names of unix sockets");
    if (length > most)
        return iso__error_set(ISO_EINVAL,
                              "the path of a unix socket has at most %zu bytes here, not %zu", most,
                              length);
    if (!is_abstract && memchr(path, '\0', length) != NULL)
        return iso__error_set(ISO_EINVAL, "the path of a unix socket has a NUL byte in it");
    memset(out, 0, sizeof(*out));
    memcpy(out->path, path, length);
    out->length = (uint32_t)length;
    return 0;
}

/* A path with its NUL, an abstract name without: all of its bytes count. */
static socklen_t make_native(struct sockaddr_un *native, const iso__unix_address *address)
{
    size_t size = address->length;

    memset(native, 0, sizeof(*native));
    native->sun_family = AF_UNIX;
    memcpy(native->sun_path, address->path, size);
    if (address->path[0] != '\0') size++;
    size += offsetof(struct sockaddr_un, sun_path);
#if !defined(__linux__)
    native->sun_len = (unsigned char)size;
#endif
    return (socklen_t)size;
}

/* A system may leave out the NUL behind a path, or count it. */
static int keep_name(iso__unix_address *out, const struct sockaddr_storage *native,
                     socklen_t length)
{
    const size_t offset = offsetof(struct sockaddr_un, sun_path);
    const char *path = (const char *)native + offset;
    size_t size = length > offset ? (size_t)length - offset : 0;

    if (native->ss_family != AF_UNIX) return ISO_EINVAL;
    if (size > sizeof(out->path)) size = sizeof(out->path);
    if (path[0] != '\0' || !HAS_ABSTRACT_NAMES) size = strnlen(path, size);
    memset(out, 0, sizeof(*out));
    memcpy(out->path, path, size);
    out->length = (uint32_t)size;
    return 0;
}

int iso__sys_unix_sockname(iso_fd fd, iso__unix_address *out)
{
    struct sockaddr_storage native;
    socklen_t length = sizeof(native);

    memset(&native, 0, sizeof(native));
    if (getsockname((int)fd, (struct sockaddr *)&native, &length) != 0)
        return iso__sys_error(errno);
    return keep_name(out, &native, length);
}

int iso__sys_unix_peername(iso_fd fd, iso__unix_address *out)
{
    struct sockaddr_storage native;
    socklen_t length = sizeof(native);

    memset(&native, 0, sizeof(native));
    if (getpeername((int)fd, (struct sockaddr *)&native, &length) != 0)
        return iso__sys_error(errno);
    return keep_name(out, &native, length);
}

/* ---- sockets ---- */

int iso__sys_unix_open(iso_fd *out)
{
    int fd = socket(AF_UNIX, NEW_SOCKET, 0);
    int rc;

    if (fd < 0) return iso__sys_error(errno);
    rc = close_on_exec(fd);
    if (rc == 0) rc = iso__sys_socket_adopt(fd);
    if (rc != 0) {
        (void)close(fd);
        return rc;
    }
    *out = fd;
    return 0;
}

int iso__sys_unix_require(iso_fd fd)
{
    iso__unix_address name;
    int type = 0;
    socklen_t size = sizeof(type);
    int rc = iso__sys_descriptor_require_socket(fd);

    if (rc == 0) rc = iso__sys_unix_sockname(fd, &name);
    if (rc != 0) return rc;
    if (getsockopt((int)fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0) return iso__sys_error(errno);
    return type == SOCK_STREAM ? 0 : ISO_EINVAL;
}

int iso__sys_unix_bind(iso_fd fd, const iso__unix_address *address)
{
    struct sockaddr_un native;
    socklen_t length = make_native(&native, address);

    return bind((int)fd, (struct sockaddr *)&native, length) == 0 ? 0 : iso__sys_error(errno);
}

/* To connect is all done in the call, but where a listener asks for more (LOCAL_CONNWAIT of the
 * BSDs), and for a signal in between; the next call tells then what came of it. */
int iso__sys_unix_connect(iso_fd fd, const iso__unix_address *address)
{
    struct sockaddr_un native;
    socklen_t length = make_native(&native, address);

    if (connect((int)fd, (struct sockaddr *)&native, length) == 0 || errno == EISCONN) return 0;
    return errno == EINTR ? ISO_EINPROGRESS : iso__sys_error(errno);
}

/* ---- files ---- */

/* lstat: what a link points to is not what is at the path. */
static int look(const iso__unix_address *address, struct stat *status)
{
    char path[ISO__SYS_UNIX_PATH_MAX + 1];

    if (address->path[0] == '\0') return ISO_ENOENT;
    memcpy(path, address->path, address->length);
    path[address->length] = '\0';
    if (lstat(path, status) != 0) return iso__sys_error(errno);
    return S_ISSOCK(status->st_mode) ? 0 : ISO_ENOENT;
}

static iso__unix_file file_of(const struct stat *status)
{
    iso__unix_file file;

    file.device = (uint64_t)status->st_dev;
    file.inode = (uint64_t)status->st_ino;
    return file;
}

int iso__sys_unix_identify(const iso__unix_address *address, iso__unix_file *out)
{
    struct stat status;
    int rc = look(address, &status);

    if (rc == 0) *out = file_of(&status);
    return rc;
}

int iso__sys_unix_remove(const iso__unix_address *address, const iso__unix_file *file)
{
    char path[ISO__SYS_UNIX_PATH_MAX + 1];
    struct stat status;
    int rc = look(address, &status);

    if (rc == 0 && file != NULL) {
        iso__unix_file there = file_of(&status);

        if (there.device != file->device || there.inode != file->inode) return 0;
    }
    if (rc != 0) return rc == ISO_ENOENT ? 0 : rc;
    memcpy(path, address->path, address->length);
    path[address->length] = '\0';
    return unlink(path) == 0 || errno == ENOENT ? 0 : iso__sys_error(errno);
}

/* ---- the peer ---- */

#if defined(__linux__)

static int ask_peer(int fd, iso_unix_credentials *out)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return iso__sys_error(errno);
    if (peer.pid == 0 && peer.uid == (uid_t)-1) return ISO_ENOTCONN; /* nobody yet: no error */
    out->pid = peer.pid;
    out->uid = peer.uid;
    out->gid = peer.gid;
    return 0;
}

#elif defined(__OpenBSD__)

static int ask_peer(int fd, iso_unix_credentials *out)
{
    struct sockpeercred peer;
    socklen_t size = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return iso__sys_error(errno);
    out->pid = peer.pid;
    out->uid = peer.uid;
    out->gid = peer.gid;
    return 0;
}

#else

/* The level of the options of unix sockets; not every header has the name. */
#if !defined(SOL_LOCAL)
#define SOL_LOCAL 0
#endif

static int64_t ask_peer_pid(int fd)
{
#if defined(__APPLE__)
    pid_t pid = -1;
    socklen_t size = sizeof(pid);

    return getsockopt(fd, SOL_LOCAL, LOCAL_PEERPID, &pid, &size) == 0 ? pid : -1;
#elif defined(__NetBSD__)
    struct unpcbid peer;
    socklen_t size = sizeof(peer);

    return getsockopt(fd, SOL_LOCAL, LOCAL_PEEREID, &peer, &size) == 0 ? peer.unp_pid : -1;
#elif defined(__FreeBSD__)
    struct xucred peer;
    socklen_t size = sizeof(peer);

    return getsockopt(fd, SOL_LOCAL, LOCAL_PEERCRED, &peer, &size) == 0 ? peer.cr_pid : -1;
#else
    (void)fd;
    return -1;
#endif
}

static int ask_peer(int fd, iso_unix_credentials *out)
{
    uid_t uid;
    gid_t gid;

    if (getpeereid(fd, &uid, &gid) != 0) return iso__sys_error(errno);
    out->pid = ask_peer_pid(fd);
    out->uid = uid;
    out->gid = gid;
    return 0;
}

#endif

int iso__sys_unix_peercred(iso_fd fd, iso_unix_credentials *out)
{
    return ask_peer((int)fd, out);
}

/* ---- descriptors ---- */

/* Room for as many descriptors as any system sends at once (macOS: 512), and for what else a
 * program may have asked for (SO_PASSCRED, SO_TIMESTAMP): where a list must be cut off, macOS
 * leaves the rest open in this process, and nobody knows which they are. What it holds must be
 * aligned as its header is. */
typedef union control {
    struct cmsghdr align;
    unsigned char bytes[512 * sizeof(int) + 256];
} control;

ptrdiff_t iso__sys_unix_send_fd(iso_fd sock, iso_fd fd, const void *data, size_t size)
{
    struct msghdr message;
    struct iovec piece;
    struct cmsghdr *header;
    control room;
    int number = (int)fd;
    ssize_t sent;

    if (fd < 0 || fd > INT_MAX) return ISO_EBADF;
    memset(&message, 0, sizeof(message));
    memset(&room, 0, sizeof(room));
    piece.iov_base = (void *)(uintptr_t)data;
    piece.iov_len = size;
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = room.bytes;
    message.msg_controllen = CMSG_SPACE(sizeof(number));
    header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(number));
    memcpy(CMSG_DATA(header), &number, sizeof(number));
    do {
        sent = sendmsg((int)sock, &message, SEND_FLAGS);
    } while (sent < 0 && errno == EINTR);
    return sent >= 0 ? sent : iso__sys_error(errno);
}

/* The first descriptor is kept in *kept if that is -1, every other one is closed. Answers how many
 * there were. */
static size_t take_descriptors(const unsigned char *list, size_t size, int *kept)
{
    size_t count = size / sizeof(int);
    size_t at;

    for (at = 0; at < count; at++) {
        int fd;

        memcpy(&fd, list + at * sizeof(fd), sizeof(fd));
        if (*kept < 0)
            *kept = fd;
        else
            (void)close(fd);
    }
    return count;
}

/* All that came. Not by CMSG_NXTHDR: a list that was cut off may claim to be longer than it is. */
static size_t take_all(const unsigned char *bytes, size_t size, int *kept)
{
    struct cmsghdr header;
    size_t count = 0;

    while (size >= sizeof(header)) {
        size_t length;
        size_t space;

        memcpy(&header, bytes, sizeof(header));
        length = (size_t)header.cmsg_len < size ? (size_t)header.cmsg_len : size;
        if (length < CMSG_LEN(0)) break;
        length -= CMSG_LEN(0);
        if (header.cmsg_level == SOL_SOCKET && header.cmsg_type == SCM_RIGHTS)
            count += take_descriptors(bytes + CMSG_LEN(0), length, kept);
        space = CMSG_SPACE(length);
        if (space >= size) break;
        bytes += space;
        size -= space;
    }
    return count;
}

/* The one descriptor that came, or -1. ISO_EMSGSIZE: there were more, here or left out by the
 * system, which does not say how many; or it has no number left for one: none stays open. */
static int take_one(const struct msghdr *message, int *out)
{
    int rc = 0;
    size_t count;

    *out = -1;
    count = take_all(message->msg_control, (size_t)message->msg_controllen, out);
    if (count > 1 || (message->msg_flags & MSG_CTRUNC) != 0) rc = ISO_EMSGSIZE;
    if (rc == 0 && count == 1 && RECV_FLAGS == 0) rc = close_on_exec(*out);
    if (rc != 0 && *out >= 0) (void)close(*out);
    return rc;
}

ptrdiff_t iso__sys_unix_recv_fd(iso_fd sock, void *data, size_t size, iso_fd *out)
{
    struct msghdr message;
    struct iovec piece;
    control room;
    ssize_t got;
    int fd;
    int rc;

    memset(&message, 0, sizeof(message));
    piece.iov_base = data;
    piece.iov_len = size;
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = room.bytes;
    message.msg_controllen = sizeof(room.bytes);
    do {
        got = recvmsg((int)sock, &message, RECV_FLAGS);
    } while (got < 0 && errno == EINTR);
    if (got < 0) return iso__sys_error(errno);
    rc = take_one(&message, &fd);
    if (rc != 0) return rc;
    *out = fd; /* -1 is ISO_FD_NONE */
    return got;
}
