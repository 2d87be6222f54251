/* SPDX-License-Identifier: MIT */
#include "io/paths.h"

#include "sys/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

static int answer(int result)
{
    return result >= 0 ? 0 : iso__sys_error(errno);
}

int paths_make_folder(char folder[PATHS_FOLDER_BYTES])
{
    const char *root = getenv("TMPDIR");

    if (root == NULL || strlen(root) > PATHS_FOLDER_BYTES / 2) root = "/tmp";
    (void)snprintf(folder, PATHS_FOLDER_BYTES, "%s/isoloop.XXXXXX", root);
    return mkdtemp(folder) != NULL ? 0 : iso__sys_error(errno);
}

int paths_remove_folder(const char *folder)
{
    return answer(rmdir(folder));
}

int paths_make_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    return fd < 0 ? iso__sys_error(errno) : answer(close(fd));
}

int paths_make_link(const char *path, const char *target)
{
    return answer(symlink(target, path));
}

int paths_remove(const char *path)
{
    return answer(unlink(path));
}

enum { SUPERUSER = 0, NOBODY = 65534 };

bool paths_protect(const char *folder)
{
    if (chmod(folder, 0555) != 0) return false;
    return geteuid() != SUPERUSER || seteuid(NOBODY) == 0;
}

void paths_unprotect(const char *folder)
{
    if (getuid() == SUPERUSER && seteuid(SUPERUSER) != 0) return;
    (void)chmod(folder, 0700);
}

paths_kind paths_look(const char *path)
{
    struct stat status;

    if (lstat(path, &status) != 0) return errno == ENOENT ? PATHS_NOTHING : PATHS_OTHER;
    if (S_ISSOCK(status.st_mode)) return PATHS_SOCKET;
    if (S_ISREG(status.st_mode)) return PATHS_FILE;
    return S_ISLNK(status.st_mode) ? PATHS_LINK : PATHS_OTHER;
}

#if defined(__linux__)
enum { IS_LINUX = 1 };
#else
enum { IS_LINUX = 0 };
#endif

bool paths_has_unix_sockets(void)
{
    return true;
}

bool paths_has_abstract_names(void)
{
    return IS_LINUX;
}

bool paths_waits_for_a_full_backlog(void)
{
    return IS_LINUX;
}

size_t paths_longest(void)
{
    return sizeof(((struct sockaddr_un *)0)->sun_path) - 1;
}

iso_unix_credentials paths_self(void)
{
    iso_unix_credentials self;

    self.pid = getpid();
    self.uid = geteuid();
    self.gid = getegid();
    return self;
}

bool paths_is_inherited(iso_fd fd)
{
    return (fcntl((int)fd, F_GETFD) & FD_CLOEXEC) == 0;
}

int paths_send_many(iso_fd sock, iso_fd fd, int count)
{
    union {
        struct cmsghdr align;
        unsigned char bytes[1024];
    } room;
    unsigned char *next;
    char byte = 'm';
    struct iovec piece = { &byte, 1 };
    struct msghdr message;
    struct cmsghdr *header;
    int number = (int)fd;
    size_t size = (size_t)count * sizeof(number);

    if (CMSG_SPACE(size) > sizeof(room)) return ISO_EINVAL;
    memset(&message, 0, sizeof(message));
    memset(&room, 0, sizeof(room));
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = room.bytes;
    message.msg_controllen = (socklen_t)CMSG_SPACE(size); /* a size_t here and there */
    header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = (socklen_t)CMSG_LEN(size);
    for (next = CMSG_DATA(header); count > 0; count--, next += sizeof(number))
        memcpy(next, &number, sizeof(number));
    return sendmsg((int)sock, &message, 0) == 1 ? 0 : iso__sys_error(errno);
}

void paths_pass_credentials(iso_fd sock)
{
#if defined(SO_PASSCRED)
    int on = 1;

    (void)setsockopt((int)sock, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
#else
    (void)sock;
#endif
}

void paths_make_blocking(iso_fd fd)
{
    (void)fcntl((int)fd, F_SETFL, fcntl((int)fd, F_GETFL) & ~O_NONBLOCK);
}

int paths_open_datagram(iso_fd *out)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    if (fd < 0) return iso__sys_error(errno);
    *out = fd;
    return 0;
}
