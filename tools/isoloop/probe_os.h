/* SPDX-License-Identifier: MIT */
/* What the probe needs of the system and the library does not give, and the system itself, asked
 * without the library: probe_posix.c, probe_win32.c. */
#ifndef PROBE_OS_H
#define PROBE_OS_H

#include "probe_judge.h"

/* What the system said last when one of these functions answered PROBE_BROKEN: a sentence. */
const char *probe_os_error(void);

/* How many descriptors of the process are open; on Windows handles of files, pipes, devices and
 * sockets. */
int probe_os_count_descriptors(void);

/* Have leave for `count` descriptors: PROBE_SCANT when the system gives none. */
probe_ready probe_os_allow_descriptors(int count);

/* A pipe as programs get one: the end to read, the end to write. And one as transports of every
 * kind of loop take it; on Windows its handles are overlapped. */
probe_ready probe_os_pipe(iso_fd out[2]);
probe_ready probe_os_transport_pipe(iso_fd out[2]);

/* A regular file of a few bytes, read to its end, which is gone when it is closed. */
probe_ready probe_os_file(iso_fd *out);

/* Character devices that can be read, one after another: PROBE_ABSENT for one that is not here.
 * *poke is what makes it ready to be read, by a line written to it, or ISO_FD_NONE: it is so
 * always. Both are to be closed. */
typedef struct probe_device {
    const char *name;
    iso_fd fd;
    iso_fd poke;
} probe_device;
enum { PROBE_DEVICES = 3 };
probe_ready probe_os_device(int index, probe_device *out);

/* Two connected sockets, of which the first is a number of `lowest` or above, or is tied to a
 * completion port of nobody's. */
probe_ready probe_os_high_pair(iso_fd lowest, iso_fd out[2]);
probe_ready probe_os_tied_pair(iso_fd out[2]);

/* A socket that nothing comes to, to be closed by iso_socket_close. */
probe_ready probe_os_idle_socket(iso_fd *out);

/* Whether there are completion ports here, and handles that can or can't be used with one. */
bool probe_os_has_ports(void);

/* Close what is no socket; read, write what is none; the same of sockets. Whether that was all of
 * it. */
void probe_os_close(iso_fd fd);
bool probe_os_read(iso_fd fd, void *data, size_t size);
bool probe_os_write(iso_fd fd, const void *data, size_t size);
bool probe_os_receive(iso_fd sock, void *data, size_t size);
bool probe_os_send(iso_fd sock, const void *data, size_t size);

/* Start a child that ends with this code, not by the library. */
probe_ready probe_os_child(int code, int64_t *pid);

/* A program, and its arguments, that runs a line of the shell. Static. */
const char *const *probe_os_shell(const char *line);

/* A path for a socket in a folder of its own; and remove both. */
probe_ready probe_os_socket_path(char *path, size_t size);
void probe_os_remove_socket_path(const char *path);

/* Use every descriptor up: PROBE_ABSENT where there is no end to them. And give them back. */
probe_ready probe_os_exhaust(void);
void probe_os_replenish(void);

/* Wait for a descriptor to be ready without delay, by the call that stands behind a backend. */
typedef struct probe_wait {
    bool is_taken; /* the system waits for it, */
    bool is_ready; /* and says that it is ready */
    char text[80]; /* "epoll_ctl: EPERM" */
} probe_wait;
probe_ready probe_os_wait(const char *backend, iso_fd fd, unsigned event, probe_wait *out);

/* Try, without the library, what a row says that the system can't do on a backend. got->can and
 * got->note say what came of it. False: there is no such try for this row on this system. */
bool probe_os_system(const iso_limit *row, const char *backend, probe_got *got);

#endif
