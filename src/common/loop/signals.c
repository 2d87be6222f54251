/* SPDX-License-Identifier: MIT */
/* add_signal_handler: the system's handler makes a descriptor readable, which the loop watches like
 * any other as long as there is a handler of its own. */
#include "isoloop/signals.h"

#include "loop/loop.h"
#include "sys/signals.h"
#include "sys/thread.h"

#include <string.h>

/* All signal handlers of a loop; it is there while there is one. */
struct iso__signals {
    iso__object object;
    iso__io io;
    iso__signal_sink sink;
    int count;
    struct {
        iso_callback callback; /* NULL: none */
        void *arg;
        bool is_due; /* in this turn */
    } handlers[ISO__SIGNALS_END];
};

static iso__engine *engine_of(const iso__signals *self)
{
    return &self->object.loop->engine;
}

static void drop(iso__signals *self)
{
    iso__engine *engine = engine_of(self);

    self->object.loop->signals = NULL;
    iso__engine_detach(engine, &self->io);
    iso__engine_forget(engine, self->io.fd);
    iso__sys_signals_close(&self->sink);
    memset(self->handlers, 0, sizeof(self->handlers)); /* those that are due in this turn, too */
    iso__object_close(&self->object);
}

static void abandon_signals(iso__object *object)
{
    drop((iso__signals *)object);
}

static void finish_signals(iso__object *object)
{
    (void)object;
}

static const iso__object_class signals_class = {
    .name = "signal handler",
    .abandon = abandon_signals,
    .finish = finish_signals,
    .size = sizeof(iso__signals),
};

/* First all that have come, then the callbacks: a signal that one of these raises waits for the
 * next turn. */
static void signals_ready(iso__io *io, unsigned events)
{
    iso__signals *self = ISO__CONTAINER(io, iso__signals, io);
    iso_loop *loop = self->object.loop;
    int signum;

    (void)events;
    iso__sys_signals_drain(&self->sink);
    for (signum = 1; signum < ISO__SIGNALS_END; signum++)
        self->handlers[signum].is_due = iso__sys_signals_take(&self->sink, signum);
    iso__object_ref(&self->object); /* a callback may remove the last handler */
    for (signum = 1; signum < ISO__SIGNALS_END; signum++) {
        if (!self->handlers[signum].is_due) continue;
        self->handlers[signum].is_due = false;
        self->handlers[signum].callback(loop, self->handlers[signum].arg);
    }
    iso__object_unref(&self->object);
}

static const iso__io_class signals_io_class = { .ready = signals_ready };

static int open_signals(iso__signals *self)
{
    iso__driver *driver = engine_of(self)->driver;
    int rc = iso__sys_signals_open(&self->sink);

    if (rc != 0) return rc;
    self->io.fd = self->sink.wake.reader;
    self->io.kind = &signals_io_class;
    rc = iso__engine_attach(engine_of(self), &self->io);
    if (rc != 0) goto fail_attach;
    rc = driver->kind->watch(driver, &self->io, ISO_EVENT_READ);
    if (rc != 0) goto fail_watch;
    iso__object_open(&self->object);
    self->object.loop->signals = self;
    return 0;
fail_watch:
    iso__engine_detach(engine_of(self), &self->io);
    iso__engine_forget(engine_of(self), self->io.fd);
fail_attach:
    iso__sys_signals_close(&self->sink);
    return rc;
}

static int require_signals(iso_loop *loop)
{
    iso__signals *self;
    int rc;

    if (loop->signals != NULL) return 0;
    self = iso__object_new(loop, &signals_class);
    if (self == NULL) return ISO_ENOMEM;
    rc = open_signals(self);
    iso__object_unref(&self->object); /* the loop's reference keeps it */
    return rc;
}

static int refuse_number(int signum)
{
    return iso__error_set(ISO_EINVAL, "there is no signal %d, or it cannot be caught", signum);
}

static int check_call(iso_loop *loop, int signum)
{
    int rc = iso__loop_check(loop);

    if (rc != 0) return rc;
    if (iso__limits_enforced(&loop->engine.limits, ISO__ROW_WINDOWS_SIGNALS))
        return iso__limits_refuse(&loop->engine.limits, ISO__ROW_WINDOWS_SIGNALS, 0);
    return iso__sys_signal_exists(signum) ? 0 : refuse_number(signum);
}

static int add_new(iso_loop *loop, int signum)
{
    int rc = require_signals(loop);

    if (rc != 0) return rc;
    rc = iso__sys_signals_want(&loop->signals->sink, signum);
    if (rc == 0) {
        loop->signals->count++;
        return 0;
    }
    if (loop->signals->count == 0) drop(loop->signals);
    return rc == ISO_EINVAL ? refuse_number(signum) : rc;
}

int iso_loop_add_signal_handler(iso_loop *loop, int signum, iso_callback callback, void *arg)
{
    int rc = check_call(loop, signum);

    if (rc != 0) return rc;
    if (callback == NULL) return ISO_EINVAL;
    if (!iso__sys_is_main_thread())
        return iso__error_set(ISO_ETHREAD, "signal handlers are added in the main thread only");
    if (loop->signals == NULL || loop->signals->handlers[signum].callback == NULL)
        rc = add_new(loop, signum);
    else
        rc = iso__sys_signals_want(&loop->signals->sink, signum);
    if (rc != 0) return iso__loop_explain(loop, rc);
    loop->signals->handlers[signum].callback = callback;
    loop->signals->handlers[signum].arg = arg;
    return 0;
}

int iso_loop_remove_signal_handler(iso_loop *loop, int signum)
{
    int rc = check_call(loop, signum);
    iso__signals *self;

    if (rc != 0) return rc;
    self = loop->signals;
    if (self == NULL || self->handlers[signum].callback == NULL) return ISO_ENOENT;
    self->handlers[signum].callback = NULL;
    self->handlers[signum].is_due = false;
    if (--self->count == 0)
        drop(self);
    else
        iso__sys_signals_unwant(&self->sink, signum);
    return 0;
}
