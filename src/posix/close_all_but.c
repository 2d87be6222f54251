/* SPDX-License-Identifier: MIT */
/* Closing what a child is not to have: a program's own descriptors need not be FD_CLOEXEC. Called
 * between fork and exec: nothing here may allocate. */
#include "spawn.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/syscall.h>
#elif defined(__APPLE__)
#include <libproc.h>
#endif

#if defined(__linux__) || defined(__APPLE__)

static bool is_kept(int fd, const int *kept, size_t count)
{
    size_t at;

    for (at = 0; at < count; at++) {
        if (kept[at] == fd) return true;
    }
    return false;
}

/* The last resort. A process may have descriptors above a limit that was lowered later. */
static void close_up_to_limit(const int *kept, size_t count)
{
    enum { MOST = 1 << 20 };
    struct rlimit limit;
    int end = MOST;
    int fd;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < (rlim_t)MOST)
        end = (int)limit.rlim_cur;
    for (fd = 0; fd < end; fd++) {
        if (!is_kept(fd, kept, count)) (void)close(fd);
    }
}

#endif

#if defined(__linux__)

/* A directory entry as the system call writes it: the library's readdir would allocate. */
typedef struct native_entry {
    uint64_t inode;
    int64_t offset;
    uint16_t size;
    unsigned char type;
    char name[1];
} native_entry;

static int number_of(const char *name)
{
    int number = 0;

    if (*name < '0' || *name > '9') return -1;
    for (; *name >= '0' && *name <= '9'; name++) number = number * 10 + (*name - '0');
    return number;
}

/* Answers whether there is such a list. Source: Python, _close_open_fds_safe. */
static bool close_listed(const int *kept, size_t count)
{
    union {
        char bytes[4096];
        uint64_t align;
    } buffer;
    int list = open("/proc/self/fd", O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    long got;

    if (list < 0) return false;
    while ((got = syscall(SYS_getdents64, list, buffer.bytes, sizeof(buffer.bytes))) > 0) {
        long at = 0;

        while (at < got) {
            const native_entry *entry = (const native_entry *)(const void *)(buffer.bytes + at);
            int fd = number_of(entry->name);

            if (fd >= 0 && fd != list && !is_kept(fd, kept, count)) (void)close(fd);
            at += entry->size;
        }
    }
    (void)close(list);
    return got == 0;
}

/* From Linux 5.9 on. */
static bool close_range_native(unsigned first, unsigned last)
{
#if defined(SYS_close_range)
    return syscall(SYS_close_range, first, last, 0u) == 0;
#else
    (void)first;
    (void)last;
    return false;
#endif
}

/* What lies between those that are kept, and above. */
static bool close_ranges(const int *kept, size_t count)
{
    size_t at;

    for (at = 1; at < count; at++) {
        if (kept[at] > kept[at - 1] + 1 &&
            !close_range_native((unsigned)kept[at - 1] + 1, (unsigned)kept[at] - 1))
            return false;
    }
    return close_range_native((unsigned)kept[count - 1] + 1, ~0u);
}

void iso__close_all_but(const int *kept, size_t count)
{
    if (!close_ranges(kept, count) && !close_listed(kept, count)) close_up_to_limit(kept, count);
}

#elif defined(__APPLE__)

/* A batch after the other: what is closed is not in the next one, and what is kept at the most. */
void iso__close_all_but(const int *kept, size_t count)
{
    struct proc_fdinfo list[256];
    bool is_done = false;

    while (!is_done) {
        int got = proc_pidinfo(getpid(), PROC_PIDLISTFDS, 0, list, (int)sizeof(list));
        int found = got / (int)sizeof(list[0]);
        int at;

        if (got <= 0 || count >= sizeof(list) / sizeof(list[0])) {
            close_up_to_limit(kept, count);
            return;
        }
        is_done = true;
        for (at = 0; at < found; at++) {
            if (is_kept(list[at].proc_fd, kept, count)) continue;
            (void)close(list[at].proc_fd);
            is_done = false;
        }
    }
}

#else

void iso__close_all_but(const int *kept, size_t count)
{
    size_t at;
    int fd;

    for (at = 1; at < count; at++) {
        for (fd = kept[at - 1] + 1; fd < kept[at]; fd++) (void)close(fd);
    }
    (void)closefrom(kept[count - 1] + 1);
}

#endif
