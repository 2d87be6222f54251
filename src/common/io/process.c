/* SPDX-License-Identifier: MIT */
/* Subprocesses. Source: asyncio, base_subprocess.BaseSubprocessTransport. */
#include "sys/process.h"

#include "io/stream.h"
#include "isoloop/process.h"
#include "loop/child_watcher.h"
#include "loop/future.h"
#include "loop/loop.h"
#include "loop/port.h"
#include "loop/waiters.h"
#include "sys/child.h"
#include "sys/descriptor.h"
#include "sys/pipe.h"
#include "sys/standard_stream.h"

enum {
    STREAMS = 3,
    KILL_SIGNAL = 9, /* the same everywhere. Source: POSIX, kill */
    TERMINATE_SIGNAL = 15
};

/* One standard stream of the child. */
typedef struct child_pipe {
    iso_process *process;
    iso_transport *transport; /* NULL: it is no pipe, or is closed */
} child_pipe;

struct iso_process {
    iso__object object;
    iso__node made;            /* tells connection_made, then ends the future */
    iso__node ended;           /* posted when it has ended, */
    iso__atomic_u32 is_posted; /* which was done: by the system, or by a watcher of the program's */
    iso__process *native;      /* NULL: not started yet, has ended, or the loop was closed */
    iso__child child;          /* waits for it where a built-in watcher is in charge: */
    const iso_child_watcher *watcher; /* NULL: none is, the system tells */
    iso__port *port;                  /* where one of the program's tells; NULL: it is none */
    bool is_watched;
    const iso_subprocess_protocol *protocol;
    void *self;
    iso_future *future; /* of subprocess_exec; NULL: it has ended */
    child_pipe pipes[STREAMS];
    int pipe_count; /* those that are open */
    iso__link waiters;
    bool is_made; /* connection_made was called */
    bool has_exited;
    bool is_closing;
    bool is_over; /* connection_lost was called */
    int error;    /* for connection_lost */
    int returncode;
    int64_t pid;
};

/* ---- waiting ---- */

int iso_process_wait(iso_process *self, iso_future **out)
{
    int rc = out == NULL ? ISO_EINVAL : iso__waiters_add(&self->waiters, self->object.loop, out);

    if (rc == 0 && self->has_exited) iso__waiters_end(&self->waiters, self->returncode);
    return rc;
}

/* ---- ending ---- */

static void kill_if_running(iso_process *self)
{
    if (self->native != NULL) (void)iso__sys_process_signal(self->native, KILL_SIGNAL);
}

static void forget_native(iso_process *self)
{
    iso__sys_process_close(self->native);
    self->native = NULL;
}

/* Nobody will read what is still to be written, so it is not waited for: a program that the child
 * has left behind, and that holds the other end, could make that last for ever. */
static void shut(iso_process *self)
{
    size_t at;

    if (self->is_closing) return;
    self->is_closing = true;
    for (at = 0; at < STREAMS; at++) {
        if (self->pipes[at].transport != NULL) (void)iso_transport_abort(self->pipes[at].transport);
    }
    kill_if_running(self);
}

static void end(iso_process *self)
{
    if (self->is_over) return;
    self->is_over = true;
    self->is_closing = true;
    if (self->is_made && self->protocol->connection_lost != NULL)
        self->protocol->connection_lost(self, self->self, self->error);
    iso__object_close(&self->object);
}

static void end_if_over(iso_process *self)
{
    if (self->has_exited && self->pipe_count == 0) end(self);
}

static void has_ended(iso_process *self, int returncode)
{
    self->is_watched = false;
    self->returncode = returncode;
    self->has_exited = true;
    forget_native(self);
    iso__waiters_end(&self->waiters, self->returncode);
    if (self->is_made && self->protocol->process_exited != NULL)
        self->protocol->process_exited(self, self->self);
    end_if_over(self);
}

/* ---- who tells of the end ----
 *
 * The system, on Windows. Elsewhere the policy's child watcher: a built-in one is asked for this
 * loop, and not for the current one, and tells in a turn. One of the program's tells where and when
 * it likes, so that what it tells is posted. */

static void child_ended(iso__child *child, bool is_known, int returncode)
{
    iso_process *self = ISO__CONTAINER(child, iso_process, child);

    if (!is_known) iso__child_tell_unknown(child);
    has_ended(self, returncode);
}

/* A thread of the system's, which forget_native waits for. */
static void post_end(void *arg)
{
    iso_process *self = arg;

    iso__atomic_store_u32(&self->is_posted, 1);
    iso__engine_post(&self->object.loop->engine, &self->ended);
}

/* The loop may take it up at once, and be gone before this returns; hence the port. */
static void watcher_told(int64_t pid, int returncode, void *arg)
{
    iso_process *self = arg;

    (void)pid;
    self->returncode = returncode;
    iso__atomic_store_u32(&self->is_posted, 1);
    (void)iso__port_post(self->port, &self->ended); /* it was told to stop before the loop closed */
}

static void run_ended(iso__engine *engine, iso__node *node)
{
    iso_process *self = ISO__CONTAINER(node, iso_process, ended);

    if (engine->is_closing) {
        iso__object_unref(&self->object); /* see abandon_process */
        return;
    }
    has_ended(self,
              self->watcher == NULL ? iso__sys_process_returncode(self->native) : self->returncode);
}

/* Before anything is started. Source: asyncio, _make_subprocess_transport. */
static int choose_watcher(iso_process *self)
{
    int rc;

    if (iso__sys_process_tells_end()) return 0;
    rc = iso__child_watcher_for(self->object.loop, &self->watcher);
    if (rc != 0) return rc;
    if (!self->watcher->is_active(self->watcher))
        return iso__error_set(ISO_EINVALIDSTATE, "subprocess: the child watcher %s is not active",
                              self->watcher->name);
    return iso__child_kind_of(self->watcher) != NULL ? 0
                                                     : iso__port_of(self->object.loop, &self->port);
}

static int watch(iso_process *self)
{
    const iso__child_kind *kind;
    int rc;

    if (self->watcher == NULL) return iso__sys_process_watch(self->native, post_end, self);
    kind = iso__child_kind_of(self->watcher);
    self->child.pid = self->pid;
    self->child.ended = child_ended;
    rc = kind != NULL
             ? iso__child_watch(&self->child, kind, self->object.loop)
             : self->watcher->add_child_handler(self->watcher, self->pid, watcher_told, self);
    self->is_watched = rc == 0;
    return rc;
}

/* From here on nothing is posted. The child is reaped when it has ended. A watcher that is not the
 * policy's any more is closed, and calls nothing. */
static void unwatch(iso_process *self)
{
    const iso_child_watcher *now = NULL;

    if (self->watcher == NULL) return;
    if (self->is_watched && iso__child_kind_of(self->watcher) != NULL) {
        iso__child_leave(&self->child);
    } else {
        if (self->is_watched && iso__child_watcher_for(self->object.loop, &now) == 0 &&
            now == self->watcher)
            (void)now->remove_child_handler(now, self->pid);
        iso__sys_child_leave(self->pid);
    }
    self->is_watched = false;
}

/* ---- its pipes ---- */

static int number_of(const child_pipe *one)
{
    return (int)(one - one->process->pipes);
}

static void pipe_received(iso_transport *transport, void *arg, const void *data, size_t size)
{
    iso_process *self = ((child_pipe *)arg)->process;

    (void)transport;
    if (self->protocol->pipe_data_received != NULL)
        self->protocol->pipe_data_received(self, self->self, number_of(arg), data, size);
}

static void pipe_lost(iso_transport *transport, void *arg, int error)
{
    iso_process *self = ((child_pipe *)arg)->process;

    (void)transport;
    if (self->is_made && self->protocol->pipe_connection_lost != NULL)
        self->protocol->pipe_connection_lost(self, self->self, number_of(arg), error);
}

static void pipe_paused(iso_transport *transport, void *arg)
{
    iso_process *self = ((child_pipe *)arg)->process;

    (void)transport;
    if (self->protocol->pause_writing != NULL) self->protocol->pause_writing(self, self->self);
}

static void pipe_resumed(iso_transport *transport, void *arg)
{
    iso_process *self = ((child_pipe *)arg)->process;

    (void)transport;
    if (self->protocol->resume_writing != NULL) self->protocol->resume_writing(self, self->self);
}

static const iso_protocol reader_protocol = {
    .data_received = pipe_received,
    .connection_lost = pipe_lost,
};

static const iso_protocol writer_protocol = {
    .connection_lost = pipe_lost,
    .pause_writing = pipe_paused,
    .resume_writing = pipe_resumed,
};

static void pipe_made(void *owner, iso_transport *transport)
{
    (void)owner;
    (void)transport;
}

static void pipe_ended(void *owner, iso_transport *transport)
{
    child_pipe *one = owner;

    (void)transport;
    one->transport = NULL;
    one->process->pipe_count--;
    end_if_over(one->process);
}

static const iso__stream_owner pipe_owner = { .made = pipe_made, .lost = pipe_ended };

/* At once, with ISO_ECLOSED. */
static void drop_pipes(iso_process *self)
{
    size_t at;

    for (at = 0; at < STREAMS; at++) {
        if (self->pipes[at].transport != NULL) {
            iso__object *object = iso__stream_object(self->pipes[at].transport);
            object->kind->abandon(object);
        }
    }
}

/* ---- the object ---- */

/* Before connection_made nobody knows of the process, and nothing of it is told. */
static void cancel_process(void *operation)
{
    iso_process *self = operation;
    iso_future *future = self->future;

    self->future = NULL;
    iso__list_remove_if_in(&self->made.link);
    shut(self);
    iso__future_end_error(future, ISO_ECANCELED);
}

/* The loop closes: the exit is not waited for. It may have been posted already, and be in the
 * inbox: then that holds a reference, until the engine has emptied it. */
static void abandon_process(iso__object *object)
{
    iso_process *self = (iso_process *)object;

    iso__object_ref(object);
    if (self->future != NULL) iso__future_abandon(self->future);
    self->error = ISO_ECLOSED;
    self->is_closing = true;
    if (self->native != NULL) {
        kill_if_running(self);
        unwatch(self);
        forget_native(self); /* from here on it is not posted */
        if (iso__atomic_load_u32(&self->is_posted) != 0) iso__object_ref(object);
    }
    iso__waiters_abandon(&self->waiters);
    drop_pipes(self);
    end(self);
    iso__object_unref(object);
}

/* All else that it owned went when it ended. */
static void finish_process(iso__object *object)
{
    iso_process *self = (iso_process *)object;

    if (self->port != NULL) iso__port_release(self->port);
}

static const iso__object_class process_class = {
    .name = "process",
    .abandon = abandon_process,
    .finish = finish_process,
    .size = sizeof(iso_process),
};

/* ---- starting ---- */

/* What the child gets, and what is closed here once it has it. */
typedef struct launch {
    iso__spawn spawn;
    struct {
        iso_stdio is;
        iso_fd fd;
    } choices[STREAMS];
    iso_fd far_ends[STREAMS];
} launch;

static int open_pipe(iso_process *self, launch *it, size_t which)
{
    iso__stream_source source = { 0 };
    int rc;

    source.medium = ISO__MEDIUM_PIPE;
    source.uses = which == 0 ? ISO__PIPE_WRITES : ISO__PIPE_READS;
    source.protocol = which == 0 ? &writer_protocol : &reader_protocol;
    source.self = &self->pipes[which];
    source.owner_kind = &pipe_owner;
    source.owner = &self->pipes[which];
    rc = iso__sys_pipe_open(&source.fd, &it->far_ends[which], source.uses);
    if (rc != 0) return rc;
    it->spawn.stdio[which] = it->far_ends[which];
    rc = iso__stream_new(&self->pipes[which].transport, self->object.loop, &source);
    if (rc != 0) {
        (void)iso__sys_pipe_close(source.fd);
        return rc;
    }
    self->pipe_count++;
    return 0;
}

static int open_stream(iso_process *self, launch *it, size_t which)
{
    iso_fd *out = &it->spawn.stdio[which];

    switch (it->choices[which].is) {
    case ISO_STDIO_PIPE: return open_pipe(self, it, which);
    case ISO_STDIO_NULL: *out = ISO_FD_NONE; break;
    case ISO_STDIO_INHERIT:
    case ISO_STDIO_FD: *out = it->choices[which].fd; break;
    case ISO_STDIO_STDOUT: *out = it->spawn.stdio[1]; break;
    }
    return 0;
}

static void close_far_ends(launch *it)
{
    size_t at;

    for (at = 0; at < STREAMS; at++)
        if (it->far_ends[at] != ISO_FD_NONE) (void)iso__sys_pipe_close(it->far_ends[at]);
}

/* The transports come before the process: what refuses one of them refuses while nothing runs
 * yet. They are on the ready list before `made` is, and it before the exit, so connection_made is
 * told first. */
static int start(iso_process *self, launch *it)
{
    size_t at;
    int rc;

    for (at = 0; at < STREAMS; at++) it->far_ends[at] = ISO_FD_NONE;
    rc = choose_watcher(self);
    for (at = 0; rc == 0 && at < STREAMS; at++) rc = open_stream(self, it, at);
    if (rc == 0)
        rc = iso__sys_process_spawn(&self->native, iso__loop_allocator(self->object.loop),
                                    &it->spawn);
    close_far_ends(it);
    if (rc != 0) return rc;
    self->pid = iso__sys_process_id(self->native);
    iso__engine_ready(&self->object.loop->engine, &self->made);
    return watch(self);
}

/* Nothing of it was told, and nothing is left. */
static void undo_start(iso_process *self)
{
    iso__list_remove_if_in(&self->made.link);
    kill_if_running(self);
    if (self->native != NULL) unwatch(self);
    forget_native(self);
    drop_pipes(self);
    end(self);
}

static void run_made(iso__engine *engine, iso__node *node)
{
    iso_process *self = ISO__CONTAINER(node, iso_process, made);
    iso_future *future;

    (void)engine;
    self->is_made = true;
    if (self->protocol->connection_made != NULL) self->protocol->connection_made(self, self->self);
    future = self->future; /* NULL: it was cancelled just now */
    self->future = NULL;
    if (future != NULL) iso__future_end_object(future, &self->object);
}

/* ---- the calls ---- */

/* Before anything is opened: a pipe may get the number of a descriptor, or of a standard stream,
 * that is closed. */
static int check_stream(launch *it, size_t which)
{
    static const char *const names[STREAMS] = { "stdin", "stdout", "stderr" };
    iso_stdio is = it->choices[which].is;

    if ((unsigned)is > (unsigned)ISO_STDIO_STDOUT)
        return iso__error_set(ISO_EINVAL, "subprocess: %s_is is no iso_stdio", names[which]);
    if (is == ISO_STDIO_STDOUT && which != 2)
        return iso__error_set(ISO_EINVAL, "subprocess: only stderr can go where stdout goes");
    if (is == ISO_STDIO_INHERIT) it->choices[which].fd = iso__sys_standard_stream((int)which);
    if (is != ISO_STDIO_FD) return 0;
    if (it->choices[which].fd == ISO_FD_NONE)
        return iso__error_set(ISO_EINVAL, "subprocess: %s is ISO_STDIO_FD, and %s_fd is none",
                              names[which], names[which]);
    if (!iso__sys_descriptor_is_open(it->choices[which].fd))
        return iso__error_set(ISO_EBADF, "subprocess: %s_fd is not open", names[which]);
    return 0;
}

static int check_passed(const iso__spawn *spawn)
{
    size_t at;
    size_t before;

    for (at = 0; at < spawn->pass_count; at++) {
        const iso_pass_fd *one = &spawn->pass[at];

        if (one->number < STREAMS)
            return iso__error_set(ISO_EINVAL,
                                  "subprocess: pass_fds has the number %d, which is "
                                  "not above those of the standard streams",
                                  one->number);
        for (before = 0; before < at; before++) {
            if (spawn->pass[before].number == one->number)
                return iso__error_set(ISO_EINVAL, "subprocess: pass_fds has the number %d twice",
                                      one->number);
        }
        if (one->fd == ISO_FD_NONE || !iso__sys_descriptor_is_open(one->fd))
            return iso__error_set(ISO_EBADF, "subprocess: a descriptor of pass_fds is not open");
    }
    return 0;
}

static void use_rest(iso__spawn *spawn, const iso_subprocess_options *options)
{
    spawn->environment = options->env;
    spawn->cwd = options->cwd;
    spawn->dies_with_parent = options->dies_with_parent;
    spawn->start_new_session = options->start_new_session;
    spawn->process_group = options->process_group < 0 ? -1 : options->process_group;
    spawn->user = options->user;
    spawn->group = options->group;
    spawn->extra_groups = options->extra_groups;
    spawn->umask = options->umask < 0 ? -1 : options->umask;
    spawn->restore_signals = options->restore_signals;
    spawn->pass = options->pass_fds;
    spawn->pass_count = options->pass_fds != NULL ? options->pass_fd_count : 0;
}

static int use_options(launch *it, const iso_subprocess_options *given)
{
    iso_subprocess_options options = ISO_SUBPROCESS_OPTIONS_INIT;
    size_t at;
    int rc = 0;

    if (given != NULL) iso__options_copy(&options, sizeof(options), given, given->size);
    it->choices[0].is = options.stdin_is;
    it->choices[0].fd = options.stdin_fd;
    it->choices[1].is = options.stdout_is;
    it->choices[1].fd = options.stdout_fd;
    it->choices[2].is = options.stderr_is;
    it->choices[2].fd = options.stderr_fd;
    use_rest(&it->spawn, &options);
    for (at = 0; rc == 0 && at < STREAMS; at++) rc = check_stream(it, at);
    return rc == 0 ? check_passed(&it->spawn) : rc;
}

/* What must be refused before anything happens. */
static int check_call(iso_loop *loop, const iso_subprocess_protocol *protocol)
{
    int rc;

    if (loop == NULL || protocol == NULL) return ISO_EINVAL;
    rc = iso__loop_check(loop);
    if (rc != 0) return rc;
    if (iso__limits_enforced(&loop->engine.limits, ISO__ROW_WINDOWS_SUBPROCESS))
        return iso__limits_refuse(&loop->engine.limits, ISO__ROW_WINDOWS_SUBPROCESS, 0);
    return 0;
}

static int new_process(iso_process **out, iso_loop *loop, const iso_subprocess_protocol *protocol,
                       void *arg)
{
    iso_process *self = iso__object_new(loop, &process_class);
    size_t at;
    int rc;

    if (self == NULL) return ISO_ENOMEM;
    self->protocol = protocol;
    self->self = arg;
    self->made.run = run_made;
    self->ended.run = run_ended;
    iso__list_init(&self->waiters);
    for (at = 0; at < STREAMS; at++) self->pipes[at].process = self;
    rc = iso__future_start(loop, cancel_process, self, &self->future);
    if (rc == 0) iso__object_open(&self->object); /* before its pipes: it is abandoned first */
    iso__object_unref(&self->object); /* the loop's reference keeps it; or nothing does */
    if (rc == 0) *out = self;
    return rc;
}

/* Whether the call itself answers an error of starting; else the future does. */
static bool is_of_call(int error)
{
    return error == ISO_ENOMEM || error == ISO_EINVAL || error == ISO_ELIMIT ||
           error == ISO_ENOTSUP || error == ISO_EINVALIDSTATE;
}

static int launch_process(iso_process *self, launch *it, iso_future **out)
{
    iso_future *future = self->future;
    int rc = start(self, it);

    if (rc == 0) {
        iso__future_give(future, out);
        return 0;
    }
    self->future = NULL;
    undo_start(self);
    if (is_of_call(rc)) {
        iso_future_release(future);
        return rc;
    }
    iso__future_give(future, out);
    iso__future_end_error(future, rc); /* last: it may call the exception handler */
    return 0;
}

int iso_loop_subprocess_exec(iso_loop *loop, const iso_subprocess_protocol *protocol, void *arg,
                             const char *const *argv, const iso_subprocess_options *options,
                             iso_future **out)
{
    iso_process *self;
    launch it = { 0 };
    int rc = check_call(loop, protocol);

    if (rc != 0) return rc;
    if (argv == NULL || argv[0] == NULL || argv[0][0] == '\0')
        return iso__error_set(ISO_EINVAL, "subprocess_exec: there is no program in argv");
    it.spawn = iso__spawn_default();
    it.spawn.argv = argv;
    rc = use_options(&it, options);
    if (rc == 0) rc = new_process(&self, loop, protocol, arg);
    return rc != 0 ? rc : launch_process(self, &it, out);
}

int iso_loop_subprocess_shell(iso_loop *loop, const iso_subprocess_protocol *protocol, void *arg,
                              const char *command, const iso_subprocess_options *options,
                              iso_future **out)
{
    iso_process *self;
    launch it = { 0 };
    int rc = check_call(loop, protocol);

    if (rc != 0) return rc;
    if (command == NULL) return iso__error_set(ISO_EINVAL, "subprocess_shell: there is no command");
    it.spawn = iso__spawn_default();
    it.spawn.command = command;
    rc = use_options(&it, options);
    if (rc == 0) rc = new_process(&self, loop, protocol, arg);
    return rc != 0 ? rc : launch_process(self, &it, out);
}

/* ---- the rest of a process ---- */

int64_t iso_process_get_pid(const iso_process *self)
{
    return self->pid;
}

int iso_process_get_returncode(const iso_process *self, int *out)
{
    if (!self->has_exited) return ISO_EINVALIDSTATE;
    if (out != NULL) *out = self->returncode;
    return 0;
}

iso_transport *iso_process_get_pipe_transport(const iso_process *self, int fd)
{
    return fd < 0 || fd >= STREAMS ? NULL : self->pipes[fd].transport;
}

int iso_process_send_signal(iso_process *self, int signum)
{
    int rc = iso__loop_check_thread(self->object.loop);

    if (rc != 0) return rc;
    return self->native == NULL ? ISO_ENOENT : iso__sys_process_signal(self->native, signum);
}

int iso_process_terminate(iso_process *self)
{
    return iso_process_send_signal(self, TERMINATE_SIGNAL);
}

int iso_process_kill(iso_process *self)
{
    return iso_process_send_signal(self, KILL_SIGNAL);
}

int iso_process_close(iso_process *self)
{
    int rc = iso__loop_check_thread(self->object.loop);

    if (rc == 0) shut(self);
    return rc;
}

bool iso_process_is_closing(const iso_process *self)
{
    return self->is_closing;
}

int iso_process_set_protocol(iso_process *process, const iso_subprocess_protocol *protocol,
                             void *self)
{
    int rc = iso__loop_check_thread(process->object.loop);

    if (rc != 0) return rc;
    if (protocol == NULL) return ISO_EINVAL;
    process->protocol = protocol;
    process->self = self;
    return 0;
}

const iso_subprocess_protocol *iso_process_get_protocol(const iso_process *process, void **self)
{
    if (self != NULL) *self = process->self;
    return process->protocol;
}

iso_loop *iso_process_get_loop(const iso_process *self)
{
    return self->object.loop;
}

iso_process *iso_process_ref(iso_process *self)
{
    iso__object_ref(&self->object);
    return self;
}

void iso_process_release(iso_process *self)
{
    if (self != NULL) iso__object_unref(&self->object);
}
