/* SPDX-License-Identifier: MIT */
/* The probe of each row, by its id. */
#include "probe_calls.h"
#include "probe_prepare.h"
#include "probe_work.h"
#include <string.h>

static const probe probes[] = {
    { "windows.unix_sockets", "a unix socket, and an echo over it", NULL, calls_unix, work_unix,
      NULL },
    { "windows.signals", "a signal handler, and a signal", NULL, calls_signals, work_signal, NULL },
    { "windows.child_watcher", "a child watcher, and a child", prepare_current, calls_child_watcher,
      work_child, NULL },
    { "windows.reuse_port", "two servers of one port", NULL, calls_reuse_port, work_reuse_port,
      NULL },
    { "windows.clock", "a wait of 2 ms", NULL, NULL, work_clock, NULL },
    { "windows.selector.max_sockets", "one socket too many, or 600 of them", prepare_crowd,
      calls_crowd, work_crowd, crowd_goes_on },
    { "windows.selector.sockets_only", "a pipe that is watched", prepare_pipe, calls_watch,
      work_watch_pipe, NULL },
    { "windows.selector.pipes", "transports of a pipe", prepare_pipe, calls_pipes, work_pipe,
      NULL },
    { "windows.selector.subprocess", "a program, and what it prints", NULL, calls_subprocess,
      work_subprocess, NULL },
    { "posix.named_pipes", "a pipe with a name, and an echo over it", NULL, calls_named,
      work_named_pipe, NULL },
    { "proactor.availability", "a loop of the kind proactor", NULL, calls_availability,
      work_proactor, NULL },
    { "proactor.datagram", "a datagram, there and back", NULL, calls_datagram, work_datagram,
      NULL },
    { "proactor.watch", "a socket that is watched", prepare_pair, calls_watch_only, work_watch_pair,
      NULL },
    { "proactor.overlapped_only", "transports of an anonymous pipe", prepare_blocking_pipe,
      calls_adopt, work_pipe, NULL },
    { "proactor.pipe_write_eof", "half a close", prepare_named, calls_write_eof, work_half_close,
      NULL },
    { "proactor.foreign_port", "a socket that another loop has had", prepare_tied, calls_foreign,
      work_shared_socket, NULL },
    { "macos.chardev.10_5", "a character device", prepare_device, calls_device, work_watch_devices,
      NULL },
    { "macos.chardev.kqueue", "a character device", prepare_device, calls_device,
      work_watch_devices, NULL },
    { "kqueue.chardev", "the character devices", NULL, NULL, work_watch_devices, NULL },
    { "all.regular_file", "a regular file that is watched", prepare_file, calls_watch, NULL, NULL },
    { "all.pipe_kind", "transports of a regular file", prepare_file, calls_adopt_file, NULL, NULL },
    { "all.bad_fd", "a closed descriptor that is watched", prepare_closed, calls_watch, NULL,
      NULL },
    { "select.fd_setsize", "a descriptor of FD_SETSIZE or above", prepare_high, calls_high,
      work_high, NULL },
    { "process.descriptors", "a socket when no descriptor is left", NULL, NULL, work_descriptors,
      NULL },
    { "tornado.select_grade", "a turn with 400 idle sockets", NULL, NULL, work_grade, NULL },
};

const probe *probe_find(const char *id)
{
    for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
        if (strcmp(probes[i].id, id) == 0) return &probes[i];
    }
    return NULL;
}

const iso_limit *probe_find_unprobed(const iso_limit *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (probe_find(rows[i].id) == NULL) return &rows[i];
    }
    return NULL;
}
