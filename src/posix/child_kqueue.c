/* SPDX-License-Identifier: MIT */
/* A descriptor of a child: a kqueue of its own, which is readable when the one event in it has
 * come. Source: kqueue(2), EVFILT_PROC. */
#include "child.h"
#include "sys/child.h"
#include "sys/error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/types.h> /* before sys/event.h, as the BSDs ask */

#include <sys/event.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

const char *iso__sys_child_descriptor_name(void)
{
    return "kqueue";
}

/* Answers an errno. ESRCH is also that of a child which has ended: there is no event of that. */
static int want_exit(int queue, int64_t pid)
{
    struct kevent change;

    memset(&change, 0, sizeof(change));
    change.ident = (uintptr_t)pid;
    change.filter = EVFILT_PROC;
    change.flags = EV_ADD;
    change.fflags = NOTE_EXIT;
    return kevent(queue, &change, 1, NULL, 0, NULL) == 0 ? 0 : errno;
}

int iso__sys_child_open(iso_fd *out, int64_t pid)
{
    int queue = kqueue();
    int native;

    if (queue < 0) return iso__sys_error(errno);
    (void)fcntl(queue, F_SETFD, FD_CLOEXEC);
    native = want_exit(queue, pid);
    if (native == 0) {
        *out = queue;
        return 0;
    }
    (void)close(queue);
    return native == ESRCH ? ISO_ENOENT : iso__sys_error(native);
}

void iso__sys_child_close(iso_fd fd)
{
    (void)close((int)fd);
}

/* The event may come a moment before there is something to reap (macOS: libuv, uv__wait_children).
 * What still runs after that is a debugger's for now, or, if this program has reaped it by itself,
 * another one, which has the number since. */
int iso__sys_child_reap(iso_fd fd, int64_t pid, int *returncode)
{
    enum { TRIES = 100 };
    const struct timespec moment = { 0, 100 * 1000 };
    int rc = iso__child_reap_by_number(pid, returncode);
    int left;

    for (left = TRIES; fd != ISO_FD_NONE && rc == ISO_EAGAIN && left > 0; left--) {
        (void)nanosleep(&moment, NULL);
        rc = iso__child_reap_by_number(pid, returncode);
    }
    return rc;
}
