/* SPDX-License-Identifier: MIT */
/* Subprocesses. asyncio's SubprocessTransport and SubprocessProtocol are the models.
 *
 * A process is counted, and the loop holds one reference until connection_lost, which comes when
 * the process has ended and all of its pipes are closed. */
#ifndef ISOLOOP_PROCESS_H
#define ISOLOOP_PROCESS_H

#include "transport.h"

ISO_BEGIN_DECLS

typedef struct iso_future iso_future;
typedef struct iso_process iso_process;

/* What a process tells. Every slot may be NULL. `self` is what was given with the protocol. `fd` is
 * 0, 1 or 2: stdin, stdout, stderr as the child has them. connection_made comes first, then data
 * and the end of each pipe and of the process in the order in which they happen, connection_lost
 * last and exactly once. Each may call every function of its process. */
typedef struct iso_subprocess_protocol {
    void (*connection_made)(iso_process *process, void *self);
    void (*pipe_data_received)(iso_process *process, void *self, int fd, const void *data,
                               size_t size);
    /* A pipe is closed: error as in iso_protocol.connection_lost. The child, and every program that
     * it handed its end of the pipe on to, has closed it; or this program has. */
    void (*pipe_connection_lost)(iso_process *process, void *self, int fd, int error);
    /* It has ended: iso_process_get_returncode tells how. Data may still come. */
    void (*process_exited)(iso_process *process, void *self);
    /* It has ended and all pipes are closed: the last call. error: 0; ISO_ECLOSED when the loop
     * closes, in which case how it ended is not known, unless process_exited came before. */
    void (*connection_lost)(iso_process *process, void *self, int error);
    /* Flow control of the pipe to its standard input, as in iso_protocol. */
    void (*pause_writing)(iso_process *process, void *self);
    void (*resume_writing)(iso_process *process, void *self);
} iso_subprocess_protocol;

/* What a standard stream of the child is. */
typedef enum iso_stdio {
    ISO_STDIO_PIPE = 0, /* a pipe to this program */
    ISO_STDIO_INHERIT,  /* this program's own */
    ISO_STDIO_NULL,     /* the null device */
    ISO_STDIO_FD,       /* a descriptor of the caller's, borrowed for the call */
    ISO_STDIO_STDOUT    /* standard error only: where standard output goes */
} iso_stdio;

/* One more descriptor of this program that a child gets, and the number that it has there: 3 or
 * more. */
typedef struct iso_pass_fd {
    int number;
    iso_fd fd;
} iso_pass_fd;

/* An option that a system does not have is ISO_ENOTSUP there. The name of no user or group, or a
 * number that cannot be, is ISO_EINVAL; what this program may not do ends the future with
 * ISO_EPERM. Source: subprocess.Popen; pass_fds: libuv, uv_stdio_container_t. */
typedef struct iso_subprocess_options {
    size_t size;
    iso_stdio stdin_is;
    iso_stdio stdout_is;
    iso_stdio stderr_is;
    iso_fd stdin_fd; /* for ISO_STDIO_FD */
    iso_fd stdout_fd;
    iso_fd stderr_fd;
    const char *const *env; /* "NAME=value", NULL at the end; NULL: this program's own */
    const char *cwd;        /* the folder that it begins in; NULL: this program's own */
    bool dies_with_parent;  /* it does not outlive this program, however that ends */

    /* It leads a session of its own, without a terminal: setsid. Windows: it has no console, and
     * leads a process group (DETACHED_PROCESS). */
    bool start_new_session;
    /* Its process group: -1: this program's; 0: one of its own; else that one (POSIX). Windows:
     * with 0 it leads a group also where it shares this program's console. */
    int64_t process_group;
    /* POSIX: what it runs as, each a name, or a number in decimals. NULL: as this program. Nothing
     * else follows from a user: whoever gives rights up gives all three. */
    const char *user;
    const char *group;
    const char *const *extra_groups; /* NULL at the end; an empty list: none */
    int umask;                       /* POSIX: of the files that it makes; -1: this program's */
    /* Also the signals that this program ignores are as at first in it, all of them. (Handlers and
     * the mask are so always.) libuv does the same; Python restores SIGPIPE and SIGXFSZ alone and
     * keeps the mask: for a child that is to ignore SIGHUP as this program does, say false. */
    bool restore_signals;
    /* What it gets besides the standard streams. Borrowed for the call. Windows: the C runtime of
     * the child (not every one) has them by these numbers, at most 255. */
    const iso_pass_fd *pass_fds;
    size_t pass_fd_count;
} iso_subprocess_options;

#define ISO_SUBPROCESS_OPTIONS_INIT                                                                \
    {                                                                                              \
        sizeof(iso_subprocess_options), ISO_STDIO_PIPE, ISO_STDIO_PIPE, ISO_STDIO_PIPE,            \
            ISO_FD_NONE, ISO_FD_NONE, ISO_FD_NONE, NULL, NULL, false, false, -1, NULL, NULL, NULL, \
            -1, true, NULL, 0                                                                      \
    }

/* Start a program: argv[0], looked up in PATH (of `env`, when that is given, else
 * this program's own) if it names no folder, with its arguments, NULL at
 * the end, each handed over exactly as it is. It has its three standard streams and pass_fds, and
 * no other descriptor or handle of this program. NULL options mean all defaults: three pipes.
 * The future's result is the iso_process, once connection_made has been called; the future shares
 * it, and so does the loop until connection_lost. To cancel the future before connection_made kills
 * the process, and nothing of it is told. Of its end the policy's child watcher tells
 * (child_watcher.h); on Windows the system does.
 * Returns 0; ISO_ENOTSUP or ISO_ELIMIT (a row of the limits table: iso_loop_last_limit; ISO_ENOTSUP
 * too for an option that a system does not have); ISO_EINVAL (iso_error_detail says what: an
 * argument that cmd.exe would take apart for a .bat or .cmd file among others), ISO_EBADF (for
 * ISO_STDIO_FD and pass_fds), ISO_EINVALIDSTATE (the child watcher is not active), ISO_ENOMEM,
 * ISO_ECLOSED, ISO_ETHREAD: nothing was started. That the program can't be started ends the future:
 * ISO_ENOENT (no such program, or folder to begin in), ISO_EACCES, ISO_EPERM, ISO_EMFILE, and
 * others of the system's.
 * Ownership: everything is borrowed for the call, but `protocol` and `self`, which are lent until
 * connection_lost. Source: loop.subprocess_exec. */
ISO_API int iso_loop_subprocess_exec(iso_loop *loop, const iso_subprocess_protocol *protocol,
                                     void *self, const char *const *argv,
                                     const iso_subprocess_options *options, iso_future **out);

/* The same for a line of the system's shell: /bin/sh -c, cmd.exe /c. What is not known to be safe
 * has no place in it. Source: loop.subprocess_shell. */
ISO_API int iso_loop_subprocess_shell(iso_loop *loop, const iso_subprocess_protocol *protocol,
                                      void *self, const char *command,
                                      const iso_subprocess_options *options, iso_future **out);

/* Its number. Source: SubprocessTransport.get_pid. */
ISO_API int64_t iso_process_get_pid(const iso_process *process);

/* How it ended, in *out: its code, or -n for signal n; 255 when somebody else reaped it. On Windows
 * all 32 bits of its code, so that what the system ended it with is below zero, too.
 * Returns 0, or ISO_EINVALIDSTATE while it runs. Source: SubprocessTransport.get_returncode. */
ISO_API int iso_process_get_returncode(const iso_process *process, int *out);

/* A future whose result is that number (iso_future_number), when the process has ended. Its pipes
 * may still be open then. Cancelling it ends the waiting, not the process.
 * Returns 0, ISO_EINVAL (no `out`), ISO_ENOMEM, ISO_ECLOSED or ISO_ETHREAD.
 * Source: asyncio.subprocess.Process.wait. */
ISO_API int iso_process_wait(iso_process *process, iso_future **out);

/* The transport of a pipe, borrowed; NULL when that stream is no pipe, or its pipe is closed: after
 * pipe_connection_lost. Source: SubprocessTransport.get_pipe_transport. */
ISO_API iso_transport *iso_process_get_pipe_transport(const iso_process *process, int fd);

/* Send a signal, by the number that <signal.h> has here; ask it to end (SIGTERM); end it (SIGKILL).
 * On Windows the last two, and SIGTERM, are TerminateProcess; CTRL_C_EVENT (0) and CTRL_BREAK_EVENT
 * (1) go to its console group, unless it shares this program's console (ISO_EINVAL), and the leader
 * of a group hears the first only if it asks to (SetConsoleCtrlHandler); there is no other.
 * Return 0, ISO_ENOENT (it has ended: ProcessLookupError), ISO_EINVAL (no such signal),
 * ISO_ETHREAD, or what the system answers. Source: SubprocessTransport.send_signal, terminate,
 * kill. */
ISO_API int iso_process_send_signal(iso_process *process, int signum);
ISO_API int iso_process_terminate(iso_process *process);
ISO_API int iso_process_kill(iso_process *process);

/* Close its pipes, dropping what is not written yet, and kill it if it runs. What that brings about
 * is told as ever. Twice is fine. Returns 0 or ISO_ETHREAD. Source: SubprocessTransport.close. */
ISO_API int iso_process_close(iso_process *process);
ISO_API bool iso_process_is_closing(const iso_process *process);

/* As iso_transport_set_protocol, iso_transport_get_protocol. Source: BaseTransport.set_protocol,
 * get_protocol. */
ISO_API int iso_process_set_protocol(iso_process *process, const iso_subprocess_protocol *protocol,
                                     void *self);
ISO_API const iso_subprocess_protocol *iso_process_get_protocol(const iso_process *process,
                                                                void **self);

ISO_API iso_loop *iso_process_get_loop(const iso_process *process);

/* Share it, to ask it after connection_lost, and give the reference back. NULL is fine for release.
 * Thread: loop. */
ISO_API iso_process *iso_process_ref(iso_process *process);
ISO_API void iso_process_release(iso_process *process);

ISO_END_DECLS

#endif
