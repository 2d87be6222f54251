/* SPDX-License-Identifier: MIT */
/* create_unix_server, create_unix_connection: a server, and a connection, as the other ones are,
 * over a socket that is opened here. Source: asyncio, unix_events.py. */
#include "isoloop/unix.h"

#include "base/alloc.h"
#include "base/time.h"
#include "io/connecting.h"
#include "io/server.h"
#include "loop/loop.h"
#include "sys/sock.h"
#include "sys/unix.h"

#include <string.h>

enum { DEFAULT_BACKLOG = 100 };

/* No row says it of a Windows that is too old, under the profile native. */
static int refuse_if_limited(iso_loop *loop)
{
    iso__limits *limits = &loop->engine.limits;
    int why;

    if (iso__limits_enforced(limits, ISO__ROW_WINDOWS_UNIX_SOCKETS))
        return iso__limits_refuse(limits, ISO__ROW_WINDOWS_UNIX_SOCKETS, 0);
    why = iso__sys_unix_availability();
    if (why == 0) return 0;
    return iso__error_set(ISO_ENOTSUP, "this system has no unix sockets: %s", iso_strerror(why));
}

/* What both calls have: either a path, of which *out is made, or a socket. */
static int check_address(iso__unix_address *out, const char *path, size_t length, iso_fd sock)
{
    memset(out, 0, sizeof(*out));
    if ((path != NULL) == (sock != ISO_FD_NONE))
        return iso__error_set(ISO_EINVAL, "a unix socket: either path, or sock");
    if (path == NULL) return 0;
    return iso__sys_unix_address(out, path, length != 0 ? length : strlen(path));
}

static int require_unix(iso_fd sock)
{
    int rc = iso__sys_unix_require(sock);

    return rc == ISO_EINVAL ? iso__error_set(rc, "sock is not a unix stream socket") : rc;
}

/* What the call itself answers: nothing has begun, and no future tells of it. */
static bool is_refusal(int rc)
{
    return rc == ISO_ELIMIT || rc == ISO_ENOMEM;
}

/* ---- the file of a server ---- */

typedef struct socket_file {
    iso_loop *loop;
    iso__unix_address address;
    iso__unix_file file;
    bool is_ours; /* there is one, and it goes when the server does */
} socket_file;

/* For people: a NUL byte as an @. */
static const char *print_path(const iso__unix_address *address, char *text)
{
    size_t at;

    for (at = 0; at < address->length; at++)
        text[at] = (char)(address->path[at] != '\0' ? address->path[at] : '@');
    text[at] = '\0';
    return text;
}

/* Called while the socket is still open: as long as that holds the file, no other one can have its
 * number. What cannot be removed stays, and the log has it. */
static void remove_file(void *arg)
{
    socket_file *self = arg;
    char text[ISO__SYS_UNIX_PATH_MAX + 1];
    int rc = self->is_ours ? iso__sys_unix_remove(&self->address, &self->file) : 0;

    if (rc != 0)
        iso__log(&self->loop->engine.logger, ISO_LOG_WARNING,
                 "the socket file %s of a server that closes could not be removed: %s",
                 print_path(&self->address, text), iso_strerror(rc));
    iso__free(iso__loop_allocator(self->loop), self, sizeof(*self));
}

static int bind_file(socket_file *self, iso_fd fd)
{
    char text[ISO__SYS_UNIX_PATH_MAX + 1];
    int rc;

    (void)iso__sys_unix_remove(&self->address, NULL); /* if it can't be, bind tells */
    rc = iso__sys_unix_bind(fd, &self->address);
    if (rc == ISO_EADDRINUSE)
        return iso__error_set(rc, "the address %s is in use", print_path(&self->address, text));
    return rc;
}

/* Have it removed at the end: what is at the path now is the server's. */
static void claim_file(socket_file *self)
{
    self->is_ours = iso__sys_unix_identify(&self->address, &self->file) == 0;
}

/* ---- servers ---- */

/* A call under way, which ends before it returns. */
typedef struct creation {
    iso_server *server;
    iso_future *future;
    socket_file *file;
} creation;

/* Hand a socket to the server, and with it the file that is to be removed. A limit, or no memory,
 * is met here, before anything is at the path. */
static int give_socket(creation *self, iso_fd fd, int backlog)
{
    iso_loop *loop = iso_server_get_loop(self->server);
    socket_file *file = iso__alloc_zero(iso__loop_allocator(loop), sizeof(*file));
    int rc;

    if (file == NULL) return ISO_ENOMEM;
    file->loop = loop;
    rc = iso__server_adopt(self->server, fd, backlog > 0 ? backlog : (int)DEFAULT_BACKLOG);
    if (rc != 0) {
        iso__free(iso__loop_allocator(loop), file, sizeof(*file));
        return rc;
    }
    iso__server_on_closing(self->server, remove_file, file);
    self->file = file;
    return 0;
}

static int serve_sock(creation *self, const iso_unix_server_options *options)
{
    int rc = require_unix(options->sock);

    if (rc == 0) rc = iso__sys_socket_adopt(options->sock);
    if (rc == 0) rc = give_socket(self, options->sock, options->backlog);
    if (rc == 0) rc = iso__sys_unix_sockname(options->sock, &self->file->address);
    if (rc == 0 && !options->keep_socket) claim_file(self->file);
    return rc;
}

static int serve_path(creation *self, const iso_unix_server_options *options,
                      const iso__unix_address *address)
{
    iso_fd fd;
    int rc = iso__sys_unix_open(&fd);

    if (rc != 0) return rc;
    rc = give_socket(self, fd, options->backlog);
    if (rc != 0) {
        (void)iso__sys_socket_close(fd);
        return rc;
    }
    self->file->address = *address;
    rc = bind_file(self->file, fd);
    if (rc == 0 && !options->keep_socket) claim_file(self->file);
    return rc;
}

static int new_creation(creation *self, iso_loop *loop, const iso_protocol *protocol, void *arg)
{
    int rc;

    memset(self, 0, sizeof(*self));
    self->server = iso__server_new(loop, protocol, arg);
    if (self->server == NULL) return ISO_ENOMEM;
    rc = iso_loop_create_future(loop, &self->future);
    if (rc != 0) iso_server_release(self->server);
    return rc;
}

static void end_creation(creation *self, int rc)
{
    if (rc == 0)
        iso__future_end_object(self->future, iso__server_object(self->server));
    else
        iso__future_end_error(self->future, rc); /* may call the exception handler */
    iso_server_release(self->server);
}

int iso_loop_create_unix_server(iso_loop *loop, const iso_protocol *protocol, void *arg,
                                const iso_unix_server_options *given, iso_future **out)
{
    iso_unix_server_options options = ISO_UNIX_SERVER_OPTIONS_INIT;
    iso__unix_address address;
    creation self;
    bool has_sock;
    int rc;

    if (loop == NULL || protocol == NULL || given == NULL) return ISO_EINVAL;
    rc = iso__loop_check(loop);
    if (rc == 0) rc = refuse_if_limited(loop);
    if (rc != 0) return rc;
    iso__options_copy(&options, sizeof(options), given, given->size);
    if (options.backlog < 0) return iso__error_set(ISO_EINVAL, "create_unix_server: backlog < 0");
    rc = check_address(&address, options.path, options.path_length, options.sock);
    if (rc == 0) rc = new_creation(&self, loop, protocol, arg);
    if (rc != 0) return rc;
    has_sock = options.sock != ISO_FD_NONE;
    rc = has_sock ? serve_sock(&self, &options) : serve_path(&self, &options, &address);
    if (rc == 0 && options.start_serving) rc = iso_server_start_serving(self.server);
    if (rc != 0) (void)iso_server_close(self.server);
    if (rc != 0 && (has_sock ? self.file == NULL : is_refusal(rc))) {
        iso_future_release(self.future); /* a sock that was not given is still the caller's */
        iso_server_release(self.server);
        return rc;
    }
    iso__future_give(self.future, out);
    end_creation(&self, rc);
    return 0;
}

/* ---- connections ---- */

/* How long to wait before the next try, the first time and at most. Source: asyncio,
 * windows_events.py, connect_pipe. */
enum { FIRST_PAUSE_MS = 1, LONGEST_PAUSE_MS = 100 };

typedef struct dialing {
    iso__connecting base;
    iso__unix_address address;
    iso_fd fd; /* until a transport has it */
    iso_handle retry;
    iso_nsec pause;
} dialing;

static iso__engine *engine_of(dialing *self)
{
    return &self->base.object.loop->engine;
}

static void stop_dialing(iso__connecting *base)
{
    dialing *self = (dialing *)base;

    (void)iso__engine_cancel(engine_of(self), self->retry); /* stale unless it waits */
    if (self->fd != ISO_FD_NONE) {
        iso__engine_forget(engine_of(self), self->fd);
        (void)iso__sys_socket_close(self->fd);
    }
    self->fd = ISO_FD_NONE;
}

static const iso__object_class dialing_class = {
    .name = "unix connection in the making",
    .abandon = iso__connecting_abandon,
    .finish = iso__connecting_finish,
    .size = sizeof(dialing),
};

static int use_socket(dialing *self)
{
    int rc = iso__connecting_use(&self->base, self->fd);

    if (rc == 0) self->fd = ISO_FD_NONE;
    return rc;
}

static void dial_again(iso_loop *loop, void *arg);

/* A full backlog can't be waited for, since such a socket is writable at once (Linux): so it is
 * tried again, less and less often. The rare connection that is under way is asked for so too. */
static int wait_to_dial(dialing *self)
{
    iso_nsec when = iso__time_add(iso__engine_time(engine_of(self)), self->pause);
    int rc = iso__engine_call_at(engine_of(self), when, dial_again, self, &self->retry);

    self->pause *= 2;
    if (self->pause > ISO_MS(LONGEST_PAUSE_MS)) self->pause = ISO_MS(LONGEST_PAUSE_MS);
    return rc != 0 ? rc : ISO_EINPROGRESS;
}

/* 0: the transport is made; ISO_EINPROGRESS: another try comes; or an error. */
static int dial(dialing *self)
{
    int rc = iso__sys_unix_connect(self->fd, &self->address);

    if (rc == ISO_EAGAIN || rc == ISO_EINPROGRESS) return wait_to_dial(self);
    return rc != 0 ? rc : use_socket(self);
}

static void dial_again(iso_loop *loop, void *arg)
{
    dialing *self = arg;
    int rc = dial(self);

    (void)loop;
    if (rc != 0 && rc != ISO_EINPROGRESS) iso__connecting_fail(&self->base, rc);
}

static int adopt_sock(dialing *self, iso_fd fd)
{
    int rc = require_unix(fd);

    return rc != 0 ? rc : iso__connecting_adopt(&self->base, fd);
}

static int begin_dialing(dialing *self, const iso__unix_address *address)
{
    int rc = iso__sys_unix_open(&self->fd);

    self->address = *address;
    if (rc == 0) rc = iso__engine_admits(engine_of(self), self->fd); /* the server sees no try */
    return rc != 0 ? rc : dial(self);
}

static int new_dialing(dialing **out, iso_loop *loop, const iso_protocol *protocol, void *arg)
{
    dialing *self = iso__object_new(loop, &dialing_class);
    int rc;

    if (self == NULL) return ISO_ENOMEM;
    self->base.protocol = protocol;
    self->base.self = arg;
    self->base.stop = stop_dialing;
    self->fd = ISO_FD_NONE;
    self->pause = ISO_MS(FIRST_PAUSE_MS);
    rc = iso__connecting_open(&self->base);
    if (rc == 0) *out = self;
    return rc;
}

int iso_loop_create_unix_connection(iso_loop *loop, const iso_protocol *protocol, void *arg,
                                    const iso_unix_connection_options *given, iso_future **out)
{
    iso_unix_connection_options options = ISO_UNIX_CONNECTION_OPTIONS_INIT;
    iso__unix_address address;
    dialing *self;
    bool has_sock;
    int rc;

    if (loop == NULL || protocol == NULL || given == NULL) return ISO_EINVAL;
    rc = iso__loop_check(loop);
    if (rc == 0) rc = refuse_if_limited(loop);
    if (rc != 0) return rc;
    iso__options_copy(&options, sizeof(options), given, given->size);
    rc = check_address(&address, options.path, options.path_length, options.sock);
    if (rc == 0) rc = new_dialing(&self, loop, protocol, arg);
    if (rc != 0) return rc;
    has_sock = options.sock != ISO_FD_NONE;
    rc = has_sock ? adopt_sock(self, options.sock) : begin_dialing(self, &address);
    if (has_sock ? rc != 0 : is_refusal(rc)) return iso__connecting_refuse(&self->base, rc);
    iso__future_give(self->base.future, out);
    if (rc != 0 && rc != ISO_EINPROGRESS) iso__connecting_fail(&self->base, rc);
    return 0;
}

/* ---- names and peers ---- */

static int copy_name(const iso__unix_address *name, char *path, size_t size, size_t *length)
{
    if (size <= name->length) return ISO_ENOBUFS;
    memcpy(path, name->path, name->length);
    path[name->length] = '\0';
    if (length != NULL) *length = name->length;
    return 0;
}

int iso_unix_getsockname(iso_fd sock, char *path, size_t size, size_t *length)
{
    iso__unix_address name;
    int rc = path == NULL ? ISO_EINVAL : iso__sys_unix_sockname(sock, &name);

    return rc != 0 ? rc : copy_name(&name, path, size, length);
}

int iso_unix_getpeername(iso_fd sock, char *path, size_t size, size_t *length)
{
    iso__unix_address name;
    int rc = path == NULL ? ISO_EINVAL : iso__sys_unix_peername(sock, &name);

    return rc != 0 ? rc : copy_name(&name, path, size, length);
}

int iso_server_unix_path(const iso_server *server, char *path, size_t size, size_t *length)
{
    iso_fd fd = ISO_FD_NONE;
    int rc = iso__server_socket(server, 0, &fd);

    return rc != 0 ? rc : iso_unix_getsockname(fd, path, size, length);
}

int iso_unix_peercred(iso_fd sock, iso_unix_credentials *out)
{
    int rc = out == NULL ? ISO_EINVAL : iso__sys_unix_require(sock);

    return rc != 0 ? rc : iso__sys_unix_peercred(sock, out);
}

/* ---- descriptors ---- */

static int prepare_own(iso_fd sock)
{
    int rc = iso__sys_unix_require(sock);

    return rc != 0 ? rc : iso__sys_socket_adopt(sock);
}

ptrdiff_t iso_unix_send_fd(iso_fd sock, iso_fd fd, const void *data, size_t size)
{
    int rc = data == NULL || size == 0 ? ISO_EINVAL : prepare_own(sock);

    return rc != 0 ? rc : iso__sys_unix_send_fd(sock, fd, data, size);
}

ptrdiff_t iso_unix_recv_fd(iso_fd sock, void *data, size_t size, iso_fd *fd)
{
    int rc = data == NULL || size == 0 || fd == NULL ? ISO_EINVAL : prepare_own(sock);

    return rc != 0 ? rc : iso__sys_unix_recv_fd(sock, data, size, fd);
}
