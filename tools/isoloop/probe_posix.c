/* SPDX-License-Identifier: MIT */
#include "probe_os.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#if defined(PROBE_HAVE_EPOLL)
#include <sys/epoll.h>
#endif
#if defined(PROBE_HAVE_KQUEUE)
#include <sys/event.h>
#include <sys/time.h>
#endif

/* Above it no number is looked for: the tries make theirs below. */
enum { HIGHEST = 4096, PATH_BYTES = 4096 };

static char error_text[96];

const char *probe_os_error(void)
{
    return error_text;
}

static probe_ready broken(const char *what)
{
    snprintf(error_text, sizeof(error_text), "%s: %s", what, strerror(errno));
    return PROBE_BROKEN;
}

/* ---- descriptors ---------------------------------------------------------------------------- */

int probe_os_count_descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < HIGHEST; fd++) count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

probe_ready probe_os_allow_descriptors(int count)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return broken("getrlimit");
    if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= (rlim_t)count) return PROBE_READY;
    limit.rlim_cur = (rlim_t)count;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? PROBE_READY : PROBE_SCANT;
}

probe_ready probe_os_pipe(iso_fd out[2])
{
    int ends[2];
    if (pipe(ends) != 0) return broken("pipe");
    out[0] = ends[0];
    out[1] = ends[1];
    return PROBE_READY;
}

probe_ready probe_os_transport_pipe(iso_fd out[2])
{
    return probe_os_pipe(out);
}

static const char *temporary_folder(void)
{
    const char *folder = getenv("TMPDIR");
    const bool is_usable = folder != NULL && folder[0] == '/' && access(folder, W_OK | X_OK) == 0;
    return is_usable ? folder : "/tmp";
}

probe_ready probe_os_file(iso_fd *out)
{
    char name[PATH_BYTES];
    snprintf(name, sizeof(name), "%s/isoloop-probe-XXXXXX", temporary_folder());
    int fd = mkstemp(name);
    if (fd < 0) return broken("mkstemp");
    (void)unlink(name);
    if (write(fd, "file", 4) != 4) {
        (void)close(fd);
        return broken("write");
    }
    *out = fd;
    return PROBE_READY;
}

/* A terminal of our own: who writes a line to its other side makes it ready. */
static probe_ready open_terminal(probe_device *out)
{
    int other = posix_openpt(O_RDWR | O_NOCTTY);
    if (other < 0) return PROBE_ABSENT;
    const char *name = grantpt(other) == 0 && unlockpt(other) == 0 ? ptsname(other) : NULL;
    int fd = name != NULL ? open(name, O_RDWR | O_NOCTTY) : -1;
    if (fd < 0) {
        (void)close(other);
        return PROBE_ABSENT;
    }
    out->fd = fd;
    out->poke = other;
    return PROBE_READY;
}

probe_ready probe_os_device(int index, probe_device *out)
{
    static const char *const names[PROBE_DEVICES] = { "a terminal", "/dev/null", "/dev/zero" };
    *out = (probe_device){ names[index], ISO_FD_NONE, ISO_FD_NONE };
    if (index == 0) return open_terminal(out);
    int fd = open(names[index], O_RDWR);
    if (fd < 0) return PROBE_ABSENT;
    out->fd = fd;
    return PROBE_READY;
}

probe_ready probe_os_high_pair(iso_fd lowest, iso_fd out[2])
{
    probe_ready ready = probe_os_allow_descriptors((int)lowest + 64);
    if (ready != PROBE_READY) return ready;
    if (iso_socketpair(out) != 0) return broken("socketpair");
    int high = fcntl((int)out[0], F_DUPFD, (int)lowest);
    if (high < 0) {
        (void)broken("fcntl(F_DUPFD)");
        (void)iso_socket_close(out[1]);
    }
    (void)iso_socket_close(out[0]);
    out[0] = high;
    return high >= 0 ? PROBE_READY : PROBE_BROKEN;
}

probe_ready probe_os_idle_socket(iso_fd *out)
{
    struct sockaddr_in any = { .sin_family = AF_INET };
    int sock = socket(AF_INET, SOCK_DGRAM, 0);
    if (sock < 0) return broken("socket");
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(sock, (const struct sockaddr *)&any, sizeof(any)) != 0) {
        (void)broken("bind");
        (void)close(sock);
        return PROBE_BROKEN;
    }
    *out = sock;
    return PROBE_READY;
}

bool probe_os_has_ports(void)
{
    return false;
}

probe_ready probe_os_tied_pair(iso_fd out[2])
{
    (void)out;
    return PROBE_ABSENT;
}

void probe_os_close(iso_fd fd)
{
    (void)close((int)fd);
}

bool probe_os_read(iso_fd fd, void *data, size_t size)
{
    return read((int)fd, data, size) == (ssize_t)size;
}

bool probe_os_write(iso_fd fd, const void *data, size_t size)
{
    return write((int)fd, data, size) == (ssize_t)size;
}

bool probe_os_receive(iso_fd sock, void *data, size_t size)
{
    return recv((int)sock, data, size, 0) == (ssize_t)size;
}

bool probe_os_send(iso_fd sock, const void *data, size_t size)
{
    return send((int)sock, data, size, 0) == (ssize_t)size;
}

/* ---- programs and paths --------------------------------------------------------------------- */

probe_ready probe_os_child(int code, int64_t *pid)
{
    pid_t child = fork();
    if (child < 0) return broken("fork");
    if (child == 0) _exit(code);
    *pid = child;
    return PROBE_READY;
}

const char *const *probe_os_shell(const char *line)
{
    static const char *argv[] = { "/bin/sh", "-c", NULL, NULL };
    argv[2] = line;
    return argv;
}

/* A long TMPDIR leaves no room for a socket's name. */
probe_ready probe_os_socket_path(char *path, size_t size)
{
    char folder[80];
    const char *parent = strlen(temporary_folder()) < 50 ? temporary_folder() : "/tmp";
    snprintf(folder, sizeof(folder), "%s/isoloop-probe-XXXXXX", parent);
    if (mkdtemp(folder) == NULL) return broken("mkdtemp");
    snprintf(path, size, "%s/s", folder);
    return PROBE_READY;
}

void probe_os_remove_socket_path(const char *path)
{
    char folder[PATH_BYTES];
    (void)unlink(path);
    snprintf(folder, sizeof(folder), "%s", path);
    folder[strlen(folder) - 2] = '\0'; /* "/s" */
    (void)rmdir(folder);
}

/* ---- no descriptor left --------------------------------------------------------------------- */

static struct rlimit limit_before;
static int fillers[HIGHEST];
static int filler_count;

/* The limit goes down to just above the highest open descriptor, and the holes below are filled. */
probe_ready probe_os_exhaust(void)
{
    struct rlimit limit;
    int highest = HIGHEST - 1;
    if (getrlimit(RLIMIT_NOFILE, &limit_before) != 0) return broken("getrlimit");
    while (highest > 2 && fcntl(highest, F_GETFD) < 0) highest--;
    limit = limit_before;
    if ((rlim_t)highest < limit.rlim_cur) limit.rlim_cur = (rlim_t)highest + 1;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return broken("setrlimit");
    while (filler_count < HIGHEST) {
        const int fd = open("/dev/null", O_RDONLY);
        if (fd < 0) break;
        fillers[filler_count++] = fd;
    }
    return PROBE_READY;
}

void probe_os_replenish(void)
{
    while (filler_count > 0) (void)close(fillers[--filler_count]);
    (void)setrlimit(RLIMIT_NOFILE, &limit_before);
}

/* ---- the calls that wait -------------------------------------------------------------------- */

static const char *name_of(int native)
{
    switch (native) {
    case EPERM: return "EPERM";
    case EBADF: return "EBADF";
    case EINVAL: return "EINVAL";
    case ENODEV: return "ENODEV";
    case ENXIO: return "ENXIO";
    case ENOTSUP: return "ENOTSUP";
    case EMFILE: return "EMFILE";
    default: return strerror(native);
    }
}

static probe_ready say(probe_wait *out, const char *call, int native)
{
    out->is_taken = native == 0;
    snprintf(out->text, sizeof(out->text), "%s: %s", call,
             native != 0     ? name_of(native)
             : out->is_ready ? "ready"
                             : "not ready");
    return PROBE_READY;
}

static probe_ready wait_by_poll(int fd, unsigned event, probe_wait *out)
{
    struct pollfd it = { fd, event == ISO_EVENT_READ ? POLLIN : POLLOUT, 0 };
    if (poll(&it, 1, 0) < 0) return say(out, "poll", errno);
    out->is_ready = (it.revents & (POLLIN | POLLOUT)) != 0;
    return say(out, "poll", (it.revents & POLLNVAL) != 0 ? EBADF : 0);
}

static probe_ready wait_by_select(int fd, unsigned event, probe_wait *out)
{
    struct timeval none = { 0, 0 };
    fd_set set;
    if (fd < 0 || fd >= FD_SETSIZE) return say(out, "select", EINVAL);
    FD_ZERO(&set);
    FD_SET(fd, &set);
    const bool reads = event == ISO_EVENT_READ;
    const int fired = select(fd + 1, reads ? &set : NULL, reads ? NULL : &set, NULL, &none);
    out->is_ready = fired > 0;
    return say(out, "select", fired < 0 ? errno : 0);
}

#if defined(PROBE_HAVE_EPOLL)
static probe_ready wait_by_epoll(int fd, unsigned event, probe_wait *out)
{
    struct epoll_event wanted = { .events = event == ISO_EVENT_READ ? EPOLLIN : EPOLLOUT };
    struct epoll_event got;
    int queue = epoll_create1(EPOLL_CLOEXEC);
    if (queue < 0) return broken("epoll_create1");
    const int native = epoll_ctl(queue, EPOLL_CTL_ADD, fd, &wanted) == 0 ? 0 : errno;
    out->is_ready = native == 0 && epoll_wait(queue, &got, 1, 0) > 0;
    (void)close(queue);
    return say(out, "epoll_ctl", native);
}
#endif

#if defined(PROBE_HAVE_KQUEUE)
static probe_ready wait_by_kqueue(int fd, unsigned event, probe_wait *out)
{
    struct kevent change;
    struct kevent got;
    struct timespec none = { 0, 0 };
    int queue = kqueue();
    if (queue < 0) return broken("kqueue");
    memset(&change, 0, sizeof(change));
    change.ident = (uintptr_t)fd;
    change.filter = event == ISO_EVENT_READ ? EVFILT_READ : EVFILT_WRITE;
    change.flags = EV_ADD;
    const int native = kevent(queue, &change, 1, NULL, 0, NULL) == 0 ? 0 : errno;
    out->is_ready = native == 0 && kevent(queue, NULL, 0, &got, 1, &none) > 0;
    (void)close(queue);
    return say(out, "kevent", native);
}
#endif

#if !defined(PROBE_HAVE_KQUEUE)
/* One that can't be called from here: by its selector, without a loop. */
static probe_ready wait_by_selector(const char *name, int fd, unsigned event, probe_wait *out)
{
    iso_selector *selector = NULL;
    iso_selector_event got;
    int rc = iso_selector_new(&selector, name);
    if (rc != 0) return PROBE_ABSENT;
    rc = iso_selector_register(selector, fd, event, NULL);
    out->is_taken = rc == 0;
    out->is_ready = rc == 0 && iso_selector_select(selector, 0, &got, 1) > 0;
    snprintf(out->text, sizeof(out->text), "%s: %s", name, iso_error_name(rc));
    iso_selector_close(selector);
    return PROBE_READY;
}
#endif

probe_ready probe_os_wait(const char *backend, iso_fd fd, unsigned event, probe_wait *out)
{
    *out = (probe_wait){ .is_taken = false };
#if defined(PROBE_HAVE_EPOLL)
    if (strcmp(backend, "selector:epoll") == 0) return wait_by_epoll((int)fd, event, out);
#endif
#if defined(PROBE_HAVE_KQUEUE)
    if (strcmp(backend, "selector:kqueue") == 0) return wait_by_kqueue((int)fd, event, out);
#else
    if (strcmp(backend, "selector:kqueue") == 0)
        return wait_by_selector("kqueue", (int)fd, event, out);
#endif
    if (strcmp(backend, "selector:select") == 0) return wait_by_select((int)fd, event, out);
    return wait_by_poll((int)fd, event, out);
}

/* ---- the system itself ---------------------------------------------------------------------- */

static void note(probe_got *got, bool can, const char *text)
{
    got->can = can;
    snprintf(got->note, sizeof(got->note), "%s", text);
}

static void note_broken(probe_got *got)
{
    got->ready = PROBE_BROKEN;
    note(got, false, error_text);
}

/* A FIFO has a name, too; but all who write to it share one stream, and its reader can't tell them
 * apart, nor answer. */
static void try_named_pipes(const iso_limit *row, const char *backend, probe_got *got)
{
    char path[128];
    char text[4] = "";
    int ends[3] = { -1, -1, -1 };
    (void)row;
    (void)backend;
    if (probe_os_socket_path(path, sizeof(path)) != PROBE_READY) {
        note_broken(got);
        return;
    }
    if (mkfifo(path, S_IRUSR | S_IWUSR) == 0) {
        ends[0] = open(path, O_RDONLY | O_NONBLOCK);
        for (int i = 1; i < 3; i++) ends[i] = open(path, O_WRONLY | O_NONBLOCK);
    }
    const bool wrote = ends[2] >= 0 && write(ends[1], "1", 1) == 1 && write(ends[2], "2", 1) == 1;
    const bool is_one_stream = wrote && read(ends[0], text, 3) == 2 && strcmp(text, "12") == 0;
    for (int i = 0; i < 3; i++) {
        if (ends[i] >= 0) (void)close(ends[i]);
    }
    probe_os_remove_socket_path(path);
    if (wrote)
        note(got, !is_one_stream, "a FIFO mingles what its clients write");
    else
        note(got, false, "there is no FIFO either");
}

/* That it is ready to be written, always, is no waiting. kevent, of all, tells of reading when a
 * file grows; the library, as its model, makes no use of it. */
static void try_regular_file(const iso_limit *row, const char *backend, probe_got *got)
{
    probe_wait reading;
    probe_wait writing;
    iso_fd fd = ISO_FD_NONE;
    (void)row;
    probe_ready ready = probe_os_file(&fd);
    if (ready == PROBE_READY) {
        ready = probe_os_wait(backend, fd, ISO_EVENT_READ, &reading);
        if (ready == PROBE_READY) ready = probe_os_wait(backend, fd, ISO_EVENT_WRITE, &writing);
        probe_os_close(fd);
    }
    if (ready != PROBE_READY) {
        note_broken(got);
        return;
    }
    note(got, writing.is_taken && !writing.is_ready, writing.text);
    if (strcmp(backend, "selector:kqueue") != 0 && reading.is_taken && !reading.is_ready)
        note(got, true, reading.text);
}

/* A pipe that is empty has nothing yet; a file at its end has ended. */
static void try_pipe_kind(const iso_limit *row, const char *backend, probe_got *got)
{
    char byte;
    iso_fd fd = ISO_FD_NONE;
    (void)row;
    (void)backend;
    if (probe_os_file(&fd) != PROBE_READY) {
        note_broken(got);
        return;
    }
    const bool is_set = fcntl((int)fd, F_SETFL, O_NONBLOCK) == 0;
    const ssize_t count = read((int)fd, &byte, 1);
    probe_os_close(fd);
    note(got, is_set && count < 0, "a non-blocking read at the end of a file answers 0, the end");
}

/* What the wait opens gets the lower number. */
static void try_bad_fd(const iso_limit *row, const char *backend, probe_got *got)
{
    probe_wait wait;
    int lower = open("/dev/null", O_RDONLY);
    int fd = dup(lower);
    (void)row;
    (void)close(fd);
    (void)close(lower);
    if (probe_os_wait(backend, fd, ISO_EVENT_READ, &wait) == PROBE_READY)
        note(got, wait.is_taken, wait.text);
    else
        note_broken(got);
}

/* To set a bit that an fd_set does not have is undefined; that it has none can be seen. */
static void try_fd_setsize(const iso_limit *row, const char *backend, probe_got *got)
{
    (void)backend;
    const int64_t bits = (int64_t)sizeof(fd_set) * 8;
    got->can = bits > row->limit;
    snprintf(got->note, sizeof(got->note), "an fd_set has %lld bits", (long long)bits);
    if (bits >= row->limit) return;
    got->ready = PROBE_BROKEN; /* fewer: the library would write beyond it */
}

static void try_descriptors(const iso_limit *row, const char *backend, probe_got *got)
{
    (void)row;
    (void)backend;
    probe_ready ready = probe_os_exhaust();
    int fd = ready == PROBE_READY ? open("/dev/null", O_RDONLY) : -1;
    const int native = fd < 0 ? errno : 0;
    if (fd >= 0) (void)close(fd);
    probe_os_replenish();
    if (ready == PROBE_READY)
        note(got, fd >= 0 || native != EMFILE, fd >= 0 ? "open: 0" : name_of(native));
    else
        note_broken(got);
}

static void try_device(const iso_limit *row, const char *backend, probe_got *got)
{
    probe_device device;
    probe_wait wait;
    (void)row;
    got->ready = probe_os_device(0, &device);
    note(got, false, "a terminal");
    if (got->ready != PROBE_READY) return;
    got->ready = probe_os_wait(backend, device.fd, ISO_EVENT_READ, &wait);
    probe_os_close(device.fd);
    probe_os_close(device.poke);
    note(got, wait.is_taken, wait.text);
}

static const struct {
    const char *id;
    void (*attempt)(const iso_limit *row, const char *backend, probe_got *got);
} tries[] = {
    { "posix.named_pipes", try_named_pipes }, { "all.regular_file", try_regular_file },
    { "macos.chardev.10_5", try_device },     { "macos.chardev.kqueue", try_device },
    { "all.pipe_kind", try_pipe_kind },       { "all.bad_fd", try_bad_fd },
    { "select.fd_setsize", try_fd_setsize },  { "process.descriptors", try_descriptors },
};

bool probe_os_system(const iso_limit *row, const char *backend, probe_got *got)
{
    for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
        if (strcmp(tries[i].id, row->id) != 0) continue;
        tries[i].attempt(row, backend, got);
        return true;
    }
    return false;
}
