/* SPDX-License-Identifier: MIT */
/* add_reader, add_writer: callbacks for a descriptor of the program's own. */
#include "loop/loop.h"
#include "sys/descriptor.h"

typedef struct watcher {
    iso__object object;
    iso__io io;
    iso_callback reader;
    void *reader_arg;
    iso_callback writer;
    void *writer_arg;
} watcher;

static watcher *watcher_of(iso__io *io)
{
    return ISO__CONTAINER(io, watcher, io);
}

static iso__driver *driver_of(iso_loop *loop)
{
    return loop->engine.driver;
}

static void drop(watcher *self)
{
    iso__engine_detach(&self->object.loop->engine, &self->io);
    iso__object_close(&self->object);
}

static void abandon_watcher(iso__object *object)
{
    drop((watcher *)object);
}

static void finish_watcher(iso__object *object)
{
    (void)object;
}

static const iso__object_class watcher_class = {
    .name = "watched descriptor",
    .abandon = abandon_watcher,
    .finish = finish_watcher,
    .size = sizeof(watcher),
};

/* The program closed a descriptor that it has registered: it cannot be told of it any more. */
static void tell_gone(watcher *self)
{
    iso_exception_context context = { NULL, 0, NULL, NULL, NULL };
    iso_loop *loop = self->object.loop;

    drop(self);
    context.message = "a descriptor was closed while it was watched, and is forgotten";
    context.error = ISO_EBADF;
    iso__loop_report(loop, &context);
}

static void watcher_ready(iso__io *io, unsigned events)
{
    watcher *self = watcher_of(io);
    iso_loop *loop = self->object.loop;

    if ((events & ISO_EVENT_GONE) != 0) {
        tell_gone(self);
        return;
    }
    if (events == ISO_EVENT_READ)
        self->reader(loop, self->reader_arg);
    else
        self->writer(loop, self->writer_arg);
}

static const iso__io_class watch_class = { .ready = watcher_ready };

static unsigned events_of(const watcher *self)
{
    return (self->reader != NULL ? ISO_EVENT_READ : 0u) |
           (self->writer != NULL ? ISO_EVENT_WRITE : 0u);
}

/* A selector's refusal is a row of the table, if one that is enforced here says so. */
static int explain(iso_loop *loop, int error)
{
    static const iso__limit_row candidates[] = {
        ISO__ROW_ALL_REGULAR_FILE,
        ISO__ROW_ALL_BAD_FD,
        ISO__ROW_KQUEUE_CHARDEV,
        ISO__ROW_WINDOWS_SOCKETS_ONLY,
    };

    /* ISO_ELIMIT is none of them: whoever counted has told already */
    return iso__limits_explain(&loop->engine.limits, error, candidates, ISO__COUNT(candidates));
}

static int check_kind(iso_loop *loop, iso_fd fd)
{
    iso__limits *limits = &loop->engine.limits;
    int rc = iso__loop_check_device(loop, fd);

    if (rc != 0) return rc;
    if (!iso__limits_enforced(limits, ISO__ROW_WINDOWS_SOCKETS_ONLY)) return 0;
    switch (iso__sys_descriptor_kind(fd)) {
    case ISO__DESCRIPTOR_SOCKET: return 0;
    case ISO__DESCRIPTOR_BAD: return iso__limits_refuse(limits, ISO__ROW_ALL_BAD_FD, 0);
    case ISO__DESCRIPTOR_FILE: return iso__limits_refuse(limits, ISO__ROW_ALL_REGULAR_FILE, 0);
    case ISO__DESCRIPTOR_PIPE:
    case ISO__DESCRIPTOR_DEVICE:
    case ISO__DESCRIPTOR_OTHER: break;
    }
    return iso__limits_refuse(limits, ISO__ROW_WINDOWS_SOCKETS_ONLY, 0);
}

static int check_call(iso_loop *loop)
{
    int rc = iso__loop_check(loop);

    if (rc == 0 && iso__limits_enforced(&loop->engine.limits, ISO__ROW_PROACTOR_WATCH))
        rc = iso__limits_refuse(&loop->engine.limits, ISO__ROW_PROACTOR_WATCH, 0);
    return rc;
}

/* The watcher of a descriptor in *out; NULL: it has none. */
static int find(iso_loop *loop, iso_fd fd, watcher **out)
{
    iso__io *io = iso__map_get(&loop->engine.ios, fd);

    *out = NULL;
    if (io == NULL) return 0;
    if (io->kind != &watch_class) return ISO_EBUSY;
    *out = watcher_of(io);
    return 0;
}

static int add_new(iso_loop *loop, iso_fd fd, unsigned event, watcher **out)
{
    watcher *self;
    int rc = check_kind(loop, fd);

    if (rc != 0) return rc;
    self = iso__object_new(loop, &watcher_class);
    if (self == NULL) return ISO_ENOMEM;
    self->io.fd = fd;
    self->io.kind = &watch_class;
    rc = iso__engine_attach(&loop->engine, &self->io);
    if (rc == 0) {
        rc = driver_of(loop)->kind->watch(driver_of(loop), &self->io, event);
        if (rc != 0) iso__engine_detach(&loop->engine, &self->io);
    }
    if (rc == 0) {
        iso__object_open(&self->object);
        *out = self;
    }
    iso__object_unref(&self->object); /* the loop's reference keeps it */
    return rc == 0 ? 0 : explain(loop, rc);
}

static int add(iso_loop *loop, iso_fd fd, unsigned event, iso_callback callback, void *arg)
{
    watcher *self = NULL;
    int rc = check_call(loop);

    if (rc != 0) return rc;
    if (callback == NULL) return ISO_EINVAL;
    rc = find(loop, fd, &self);
    if (rc != 0) return rc;
    if (self == NULL)
        rc = add_new(loop, fd, event, &self);
    else
        rc = driver_of(loop)->kind->watch(driver_of(loop), &self->io, events_of(self) | event);
    if (rc != 0) return rc;
    if (event == ISO_EVENT_READ) {
        self->reader = callback;
        self->reader_arg = arg;
    } else {
        self->writer = callback;
        self->writer_arg = arg;
    }
    return 0;
}

static int remove_one(iso_loop *loop, iso_fd fd, unsigned event)
{
    watcher *self = NULL;
    int rc = check_call(loop);

    if (rc != 0) return rc;
    rc = find(loop, fd, &self);
    if (rc != 0) return rc;
    if (self == NULL || (events_of(self) & event) == 0) return ISO_ENOENT;
    if (event == ISO_EVENT_READ)
        self->reader = NULL;
    else
        self->writer = NULL;
    if (events_of(self) != 0)
        return driver_of(loop)->kind->watch(driver_of(loop), &self->io, events_of(self));
    drop(self);
    return 0;
}

int iso_loop_add_reader(iso_loop *loop, iso_fd fd, iso_callback callback, void *arg)
{
    return add(loop, fd, ISO_EVENT_READ, callback, arg);
}

int iso_loop_add_writer(iso_loop *loop, iso_fd fd, iso_callback callback, void *arg)
{
    return add(loop, fd, ISO_EVENT_WRITE, callback, arg);
}

int iso_loop_remove_reader(iso_loop *loop, iso_fd fd)
{
    return remove_one(loop, fd, ISO_EVENT_READ);
}

int iso_loop_remove_writer(iso_loop *loop, iso_fd fd)
{
    return remove_one(loop, fd, ISO_EVENT_WRITE);
}
