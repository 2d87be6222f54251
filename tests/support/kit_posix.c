/* SPDX-License-Identifier: MIT */
#include "support/kit_os.h"

#include "isoloop/error.h"
#include "sys/error.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#if defined(KIT_KQUEUE_STANDIN)
#include <sys/event.h>
#endif

enum { MOST = 65536 };

/* ---- descriptors ---- */

static int highest_possible(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > MOST) return MOST;
    return (int)limit.rlim_cur;
}

void kit_os_begin(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur <= MOST) return;
    limit.rlim_cur = MOST;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static bool is_open_number(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

int kit_os_count_descriptors(void)
{
    int end = highest_possible();
    int count = 0;
    int fd;

#if defined(KIT_KQUEUE_STANDIN)
    (void)kqueue_standin_sweep(); /* a queue that was closed has left what stood in for a kernel */
#endif
    for (fd = 0; fd < end; fd++) count += is_open_number(fd) ? 1 : 0;
    return count;
}

int kit_os_pipe(iso_fd out[2])
{
    int ends[2];

    if (pipe(ends) != 0) return iso__sys_error(errno);
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    (void)fcntl(ends[1], F_SETFL, O_NONBLOCK);
    out[0] = ends[0];
    out[1] = ends[1];
    return 0;
}

int kit_os_open_regular_file(iso_fd *out)
{
    char name[] = "kit-XXXXXX"; /* where the test runs, and gone at once */
    int fd = mkstemp(name);

    if (fd < 0) return iso__sys_error(errno);
    (void)unlink(name);
    *out = fd;
    return 0;
}

int kit_os_open_device(iso_fd *out)
{
    int fd = open("/dev/null", O_RDWR);

    if (fd < 0) return iso__sys_error(errno);
    *out = fd;
    return 0;
}

void kit_os_close(iso_fd fd)
{
    (void)close((int)fd);
}

int kit_os_write(iso_fd fd, const void *data, size_t size)
{
    return write((int)fd, data, size) == (ssize_t)size ? 0 : iso__sys_error(errno);
}

int kit_os_rewind(iso_fd fd)
{
    return lseek((int)fd, 0, SEEK_SET) == 0 ? 0 : iso__sys_error(errno);
}

int kit_os_tie_to_a_port(iso_fd fd)
{
    (void)fd;
    return ISO_ENOTSUP;
}

int kit_os_duplicate_above(iso_fd fd, iso_fd lowest, iso_fd *out)
{
    int made = fcntl((int)fd, F_DUPFD, (int)lowest);

    if (made < 0) return iso__sys_error(errno);
    *out = made;
    return 0;
}

int kit_os_allow_descriptors(int count)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return iso__sys_error(errno);
    if (limit.rlim_cur >= (rlim_t)count) return 0;
    limit.rlim_cur = (rlim_t)count;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? 0 : iso__sys_error(errno);
}

/* ---- no descriptor left ---- */

static int fillers[MOST];
static int filler_count;

/* All of them are taken. (To lower the limit would be less work, and not be enough: an accept that
 * an io_uring has had for a while goes by the limit of when it was begun.) */
int kit_os_exhaust(void)
{
    while (filler_count < MOST && (fillers[filler_count] = dup(0)) >= 0) filler_count++;
    return filler_count < MOST && errno == EMFILE ? 0 : ISO_ENOTSUP;
}

void kit_os_replenish(void)
{
    while (filler_count > 0) (void)close(fillers[--filler_count]);
}

/* ---- the rest ---- */

void kit_os_setenv(const char *name, const char *value)
{
    if (value != NULL)
        (void)setenv(name, value, 1);
    else
        (void)unsetenv(name);
}

bool kit_os_is_wine(void)
{
    return false;
}

struct kit_os_gate {
    pthread_mutex_t lock;
    pthread_cond_t opened;
    bool is_open;
};

kit_os_gate *kit_os_gate_new(void)
{
    kit_os_gate *gate = calloc(1, sizeof(*gate));

    if (gate == NULL) return NULL;
    (void)pthread_mutex_init(&gate->lock, NULL);
    (void)pthread_cond_init(&gate->opened, NULL);
    return gate;
}

void kit_os_gate_free(kit_os_gate *gate)
{
    (void)pthread_cond_destroy(&gate->opened);
    (void)pthread_mutex_destroy(&gate->lock);
    free(gate);
}

void kit_os_gate_open(kit_os_gate *gate)
{
    (void)pthread_mutex_lock(&gate->lock);
    gate->is_open = true;
    (void)pthread_cond_broadcast(&gate->opened);
    (void)pthread_mutex_unlock(&gate->lock);
}

/* By the clock of the wall: macOS has no condition that goes by the monotonic one. */
bool kit_os_gate_wait(kit_os_gate *gate, iso_nsec timeout)
{
    struct timespec end;
    bool is_open;

    (void)clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += (time_t)(timeout / 1000000000);
    end.tv_nsec += (long)(timeout % 1000000000);
    if (end.tv_nsec >= 1000000000) {
        end.tv_sec++;
        end.tv_nsec -= 1000000000;
    }
    (void)pthread_mutex_lock(&gate->lock);
    while (!gate->is_open &&
           pthread_cond_timedwait(&gate->opened, &gate->lock, &end) != ETIMEDOUT) {}
    is_open = gate->is_open;
    (void)pthread_mutex_unlock(&gate->lock);
    return is_open;
}

/* ---- codes ---- */

const kit_os_code kit_os_codes[] = {
    { EINVAL, ISO_EINVAL },
    { ENOMEM, ISO_ENOMEM },
    { EBADF, ISO_EBADF },
    { ENOTSOCK, ISO_ENOTSOCK },
    { EAGAIN, ISO_EAGAIN },
    { EWOULDBLOCK, ISO_EAGAIN },
    { EINPROGRESS, ISO_EINPROGRESS },
    { EALREADY, ISO_EINPROGRESS },
    { EINTR, ISO_EINTR },
    { EMFILE, ISO_EMFILE },
    { ENFILE, ISO_ENFILE },
    { ENOBUFS, ISO_ENOBUFS },
    { EACCES, ISO_EACCES },
    { EROFS, ISO_EACCES },
    { EPERM, ISO_EPERM },
    { EADDRINUSE, ISO_EADDRINUSE },
    { EADDRNOTAVAIL, ISO_EADDRNOTAVAIL },
    { EAFNOSUPPORT, ISO_EAFNOSUPPORT },
    { ECONNREFUSED, ISO_ECONNREFUSED },
    { ECONNRESET, ISO_ECONNRESET },
    { ECONNABORTED, ISO_ECONNABORTED },
    { EPIPE, ISO_EPIPE },
    { ENOTCONN, ISO_ENOTCONN },
    { EISCONN, ISO_EISCONN },
    { EHOSTUNREACH, ISO_EHOSTUNREACH },
    { ENETUNREACH, ISO_ENETUNREACH },
    { EMSGSIZE, ISO_EMSGSIZE },
    { EEXIST, ISO_EEXIST },
    { EIO, ISO_EIO },
    { ENOENT, ISO_ENOENT },
    { ENOTDIR, ISO_ENOENT },
    { EBUSY, ISO_EBUSY },
    { ETIMEDOUT, ISO_ETIMEDOUT },
    { ECANCELED, ISO_ECANCELED },
    { ENOTSUP, ISO_ENOTSUP },
    { EOPNOTSUPP, ISO_ENOTSUP },
    { 0, 0 },
};
