/* SPDX-License-Identifier: MIT */
/* Programs that this one starts. */
#ifndef ISO_SYS_PROCESS_H
#define ISO_SYS_PROCESS_H

#include "isoloop/process.h"

typedef struct iso__process iso__process;

/* What to start, and with what. All of it is borrowed for the call. */
typedef struct iso__spawn {
    /* The program, looked up in PATH if it names no folder, and its arguments, UTF-8, NULL at the
     * end; or a line for the system's shell (/bin/sh -c; cmd.exe /c). One of the two is NULL. */
    const char *const *argv;
    const char *command;
    const char *const *environment; /* "NAME=value", NULL at the end; NULL: this process's own */
    const char *cwd;                /* NULL: this process's own */
    iso_fd stdio[3];       /* what the child gets as 0, 1, 2; ISO_FD_NONE: the null device */
    bool dies_with_parent; /* it does not outlive this process, however that ends */

    /* As in iso_subprocess_options. */
    bool start_new_session;
    bool restore_signals;
    int64_t process_group; /* -1: as this process */
    const char *user;
    const char *group;
    const char *const *extra_groups;
    int umask;               /* -1: as this process */
    const iso_pass_fd *pass; /* each number 3 or more, and once */
    size_t pass_count;
} iso__spawn;

/* All of it as this process has it, but for the three standard streams, which are none. */
static inline iso__spawn iso__spawn_default(void)
{
    iso__spawn plan = { 0 };

    plan.stdio[0] = ISO_FD_NONE;
    plan.stdio[1] = ISO_FD_NONE;
    plan.stdio[2] = ISO_FD_NONE;
    plan.process_group = -1;
    plan.umask = -1;
    plan.restore_signals = true;
    return plan;
}

/* Start it. The child has the three standard streams, what it is passed, and no other descriptor or
 * handle of this process; they stay the caller's here.
 * Returns 0; ISO_ENOENT (no such program or folder), ISO_EACCES, ISO_EINVAL (an argument that the
 * system would not hand over as it is, or not safely: iso_error_detail says which), ISO_ENOTSUP
 * (what the system does not have), ISO_EPERM, ISO_EMFILE, ISO_ENOMEM, ISO_EAGAIN, or what the
 * system answers: nothing runs then. Thread: any.
 * Ownership: *out is the caller's, with memory of `allocator`, until iso__sys_process_close. */
int iso__sys_process_spawn(iso__process **out, const iso_allocator *allocator,
                           const iso__spawn *spawn);

int64_t iso__sys_process_id(const iso__process *process);

/* Whether the system tells of the end of a process by itself. Else it is a child of this process,
 * known by its number, and the two below are not called (sys/child.h). */
bool iso__sys_process_tells_end(void);

/* Have `exited` called once, from any thread, when the process has ended: its returncode is known
 * then. Called once for a process. Returns 0, ISO_ENOMEM, ISO_EAGAIN or what the system answers;
 * `exited` does not come then. Source: RegisterWaitForSingleObject. */
int iso__sys_process_watch(iso__process *process, void (*exited)(void *arg), void *arg);

/* What it ended with. After `exited`. */
int iso__sys_process_returncode(const iso__process *process);

/* Send it a signal, by the number that <signal.h> of this system has; Windows: SIGTERM, and 9, end
 * it by TerminateProcess; CTRL_C_EVENT (0) and CTRL_BREAK_EVENT (1) are sent to its group.
 * Returns 0, ISO_ENOENT (it has ended), ISO_EINVAL (a signal that the system does not have), or
 * what the system answers. A process that was reaped is not signalled: its number may be
 * another's. Thread: the loop's. */
int iso__sys_process_signal(iso__process *process, int signum);

/* Let go of it: `exited` is not called any more once this returns. The process runs on; a child is
 * whose who waits for it. NULL is fine. */
void iso__sys_process_close(iso__process *process);

#endif
