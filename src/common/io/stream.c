/* SPDX-License-Identifier: MIT */
/* Stream transports, over any driver. Source: asyncio, _SelectorSocketTransport. */
#include "io/stream.h"

#include "engine/medium.h"
#include "io/extra_info.h"
#include "io/output.h"
#include "io/water.h"
#include "loop/loop.h"

#include <string.h>

enum { SIZE_HINT = 64 * 1024, WARN_AFTER_DROPS = 5 };

typedef enum stream_state {
    OPEN = 0,
    CLOSING, /* close was called: flush, then end */
    ENDING,  /* connection_lost is on the ready list */
    LOST
} stream_state;

struct iso_transport {
    iso__object object;
    iso__io io;
    iso__node event; /* tells connection_made, then connection_lost */
    const iso_protocol *protocol;
    void *self;
    iso__output *output;
    iso__water water;
    uint8_t state;
    uint8_t uses;        /* ISO__PIPE_READS, ISO__PIPE_WRITES; a socket has both */
    bool is_made;        /* connection_made was called */
    bool is_read_paused; /* by the program */
    bool is_read_held;   /* while the writing side is lent */
    bool is_eof_received;
    bool is_eof_written;  /* write_eof was called */
    bool is_write_paused; /* pause_writing was called last */
    bool writes_through;  /* nothing stands between a write and the system: update_writing */
    int error;            /* for connection_lost */
    uint64_t dropped;
    iso__loan *loan; /* who has the writing side; NULL: the program */
    const iso__stream_owner *owner_kind;
    void *owner;
};

static iso__driver *driver_of(const iso_transport *self)
{
    return self->object.loop->engine.driver;
}

static bool can_read(const iso_transport *self)
{
    return (self->uses & ISO__PIPE_READS) != 0;
}

static bool can_write(const iso_transport *self)
{
    return (self->uses & ISO__PIPE_WRITES) != 0;
}

/* After each change of what it looks at, so that a write has one thing to look at. */
static void update_writing(iso_transport *self)
{
    self->writes_through = self->state == OPEN && can_write(self) && !self->is_eof_written &&
                           self->output == NULL && self->loan == NULL &&
                           self->io.medium == ISO__MEDIUM_SOCKET &&
                           driver_of(self)->kind->sends_directly;
}

/* ---- ending ---- */

/* The kernel has let go of what nobody wants sent any more. */
static void orphan_done(iso__op *op, ptrdiff_t result)
{
    iso__output *out = ISO__CONTAINER(op, iso__output, op);
    iso_loop *loop = out->loop;

    (void)result;
    iso__output_free(out);
    iso__loop_uncount_memory(loop);
}

static void drop_output(iso_transport *self)
{
    iso__output *out = self->output;

    if (out == NULL) return;
    self->output = NULL;
    update_writing(self);
    if (driver_of(self)->kind->withdraw(driver_of(self), &out->op)) {
        iso__output_free(out);
        return;
    }
    out->op.done = orphan_done;
    iso__loop_count_memory(out->loop);
}

static void revoke_loan(iso_transport *self, int error)
{
    iso__loan *loan = self->loan;

    if (loan == NULL) return;
    self->loan = NULL;
    update_writing(self);
    loan->revoked(loan, error != 0 ? error : ISO_ECLOSED);
}

/* connection_lost in the next turn, whatever is buffered. */
static void begin_end(iso_transport *self, int error)
{
    if (self->state >= ENDING) return;
    self->state = ENDING;
    self->error = error;
    update_writing(self);
    driver_of(self)->kind->recv_stop(driver_of(self), &self->io);
    drop_output(self);
    iso__engine_ready(&self->object.loop->engine, &self->event);
    revoke_loan(self, error); /* may call the exception handler */
}

static void end(iso_transport *self)
{
    iso__engine_detach(&self->object.loop->engine, &self->io);
    if (self->is_made && self->protocol->connection_lost != NULL)
        self->protocol->connection_lost(self, self->self, self->error);
    self->state = LOST;
    iso__engine_forget(&self->object.loop->engine, self->io.fd);
    (void)iso__io_close(&self->io);
    self->owner_kind->lost(self->owner, self);
    iso__object_close(&self->object);
}

static void abandon_stream(iso__object *object)
{
    iso_transport *self = (iso_transport *)object;

    begin_end(self, ISO_ECLOSED);
    iso__list_remove_if_in(&self->event.link);
    end(self);
}

static void finish_stream(iso__object *object)
{
    (void)object; /* all that it owned went when it ended */
}

static const iso__object_class stream_class = {
    .name = "transport",
    .abandon = abandon_stream,
    .finish = finish_stream,
    .size = sizeof(iso_transport),
};

/* ---- reading ---- */

static bool is_paused(const iso_transport *self)
{
    return self->is_read_paused || self->is_read_held;
}

/* What can only be written is watched all the same, if it may be, for its other end to go away. */
static int update_reading(iso_transport *self)
{
    bool wanted = self->state == OPEN && self->is_made && !self->is_eof_received &&
                  (can_read(self) ? !is_paused(self) : (self->uses & ISO__PIPE_UNWATCHED) == 0);

    if (wanted) return driver_of(self)->kind->recv_start(driver_of(self), &self->io);
    driver_of(self)->kind->recv_stop(driver_of(self), &self->io);
    return 0;
}

static void handle_eof(iso_transport *self)
{
    bool stays = false;

    self->is_eof_received = true;
    (void)update_reading(self);
    if (self->protocol->eof_received != NULL)
        stays = self->protocol->eof_received(self, self->self);
    if (!stays || !can_write(self)) (void)iso_transport_close(self);
}

static void stream_received(iso__io *io, const void *data, ptrdiff_t size)
{
    iso_transport *self = ISO__CONTAINER(io, iso_transport, io);

    if (ISO__UNLIKELY(size <= 0)) {
        if (size == 0)
            handle_eof(self);
        else
            begin_end(self, (int)size);
        return;
    }
    if (self->protocol->data_received != NULL)
        self->protocol->data_received(self, self->self, data, (size_t)size);
}

static void buffered_lend(iso__io *io, void **buffer, size_t *size)
{
    iso_transport *self = ISO__CONTAINER(io, iso_transport, io);

    *buffer = NULL;
    *size = 0;
    self->protocol->get_buffer(self, self->self, SIZE_HINT, buffer, size);
    if (*buffer == NULL || *size == 0) begin_end(self, ISO_ENOBUFS);
}

static void buffered_received(iso__io *io, const void *data, ptrdiff_t size)
{
    iso_transport *self = ISO__CONTAINER(io, iso_transport, io);

    if (size <= 0)
        stream_received(io, data, size);
    else if (self->protocol->buffer_updated != NULL)
        self->protocol->buffer_updated(self, self->self, (size_t)size);
}

/* Reading what can only be written: it fails, or ends, when the other end has gone. A handle that
 * can't be waited for so says ISO_EACCES, and the next write will tell. Source: asyncio,
 * _UnixWritePipeTransport._read_ready, _ProactorWritePipeTransport._pipe_closed. */
static void writer_received(iso__io *io, const void *data, ptrdiff_t size)
{
    iso_transport *self = ISO__CONTAINER(io, iso_transport, io);

    (void)data;
    if (size > 0) return;
    self->is_eof_received = true;
    (void)update_reading(self);
    if (size != ISO_EACCES)
        begin_end(self, self->output != NULL || self->loan != NULL ? ISO_EPIPE : 0);
}

static const iso__io_class plain_io = { .received = stream_received };
static const iso__io_class buffered_io = { .received = buffered_received, .lend = buffered_lend };
static const iso__io_class writer_io = { .received = writer_received };

static void use_protocol(iso_transport *self, const iso_protocol *protocol, void *arg)
{
    self->protocol = protocol;
    self->self = arg;
    if (!can_read(self))
        self->io.kind = &writer_io;
    else
        self->io.kind = protocol->get_buffer != NULL ? &buffered_io : &plain_io;
}

/* ---- writing ---- */

static size_t buffered_size(const iso_transport *self)
{
    return self->output == NULL ? 0 : iso__output_size(self->output);
}

static void pause_if_high(iso_transport *self)
{
    if (!iso__water_rises(&self->water, &self->is_write_paused, buffered_size(self))) return;
    if (self->protocol->pause_writing != NULL) self->protocol->pause_writing(self, self->self);
}

static void resume_if_low(iso_transport *self)
{
    if (!iso__water_falls(&self->water, &self->is_write_paused, buffered_size(self))) return;
    if (self->protocol->resume_writing != NULL) self->protocol->resume_writing(self, self->self);
}

static void start_send(iso_transport *self)
{
    iso__output *out = self->output;
    int rc;

    iso__output_aim(out);
    rc = driver_of(self)->kind->send(driver_of(self), &out->op);
    if (rc != 0) begin_end(self, rc);
}

/* A socket that connect_read_pipe or connect_write_pipe was given is one here: of one direction. */
static bool is_pipe(const iso_transport *self)
{
    return self->io.medium == ISO__MEDIUM_PIPE || !can_read(self) || !can_write(self);
}

/* Nothing will be written any more: a socket says so, a pipe has no other way than to be closed. */
static void end_writing(iso_transport *self)
{
    if (!is_pipe(self))
        (void)iso__sys_socket_shutdown_write(self->io.fd); /* if it fails, reading tells why */
    else
        begin_end(self, 0);
}

/* All is sent that there was: what waited for it happens. */
static void finish_output(iso_transport *self)
{
    drop_output(self);
    if (self->state == CLOSING)
        begin_end(self, 0);
    else if (self->is_eof_written)
        end_writing(self);
    else if (self->loan != NULL)
        self->loan->granted(self->loan);
}

static void send_done(iso__op *op, ptrdiff_t result)
{
    iso_transport *self = ISO__CONTAINER(op->io, iso_transport, io);

    if (result < 0) {
        begin_end(self, (int)result);
        return;
    }
    iso__output_take(self->output, (size_t)result);
    resume_if_low(self); /* may write more, close or abort */
    if (self->output == NULL) return;
    if (iso__output_size(self->output) > 0)
        start_send(self);
    else
        finish_output(self);
}

/* Send as much as the system takes at once. Answers how much, or an error. */
static ptrdiff_t send_directly(iso_transport *self, const iso_buffer *list, size_t count)
{
    ptrdiff_t sent = 0;

    while (count > 0) {
        size_t part = count < ISO__SYS_SENDV_MAX ? count : (size_t)ISO__SYS_SENDV_MAX;
        size_t wanted = 0;
        size_t at;
        ptrdiff_t got = iso__io_sendv(&self->io, list, part);

        if (got == ISO_EAGAIN) return sent;
        if (got < 0) return got;
        sent += got;
        for (at = 0; at < part; at++) wanted += list[at].size;
        if ((size_t)got < wanted) return sent;
        list += part;
        count -= part;
    }
    return sent;
}

/* Keep what was not sent. The first such piece of memory is where the driver comes in. */
static int enqueue(iso_transport *self, const iso_buffer *list, size_t count, size_t skip)
{
    iso__output *out = self->output;
    int rc;

    if (out == NULL) {
        out = iso__output_new(self->object.loop);
        if (out == NULL) return ISO_ENOMEM;
        out->op.io = &self->io;
        out->op.done = send_done;
    }
    rc = iso__output_append(out, list, count, skip);
    if (rc != 0) {
        if (self->output == NULL) iso__output_free(out);
        return rc;
    }
    if (self->output == NULL) {
        self->output = out;
        update_writing(self);
        start_send(self);
    }
    return 0;
}

static int drop_write(iso_transport *self)
{
    self->dropped++;
    if (self->dropped == WARN_AFTER_DROPS)
        iso__log(&self->object.loop->engine.logger, ISO_LOG_WARNING,
                 "a program goes on writing to a connection that is closed");
    return 0;
}

/* A driver that gathers what is sent in a turn, to hand it on in one call, has nothing to gather
 * where the loop does not run; and what a program wrote then is on its way when it does something
 * else. A pipe is not handed on so: it would only be waited for. */
static bool sends_at_once(const iso_transport *self)
{
    return driver_of(self)->kind->sends_directly || self->io.medium == ISO__MEDIUM_PIPE ||
           !iso_loop_is_running(self->object.loop);
}

/* Keep what the system did not take, or end with its error. */
static int keep_rest(iso_transport *self, const iso_buffer *list, size_t count, ptrdiff_t sent)
{
    int rc;

    if (sent == ISO_EAGAIN) sent = 0;
    if (sent < 0) {
        begin_end(self, (int)sent);
        return 0;
    }
    rc = enqueue(self, list, count, (size_t)sent);
    if (rc == 0)
        pause_if_high(self);
    else if (sent > 0)
        begin_end(self, rc); /* half a message must not be followed by another */
    return rc;
}

/* Send now what can be, when nothing is queued, and keep the rest. */
static int send_and_keep(iso_transport *self, const iso_buffer *list, size_t count, size_t total)
{
    ptrdiff_t sent = send_directly(self, list, count);

    return (size_t)sent == total ? 0 : keep_rest(self, list, count, sent);
}

static int write_list(iso_transport *self, const iso_buffer *list, size_t count, size_t total)
{
    bool is_first = self->output == NULL;
    int rc;

    if (ISO__UNLIKELY(self->is_eof_written || !can_write(self))) return ISO_EINVALIDSTATE;
    if (ISO__UNLIKELY(self->loan != NULL)) return ISO_EBUSY;
    if (total == 0) return 0;
    if (ISO__UNLIKELY(self->state != OPEN)) return drop_write(self);
    if (is_first && sends_at_once(self)) return send_and_keep(self, list, count, total);
    rc = enqueue(self, list, count, 0);
    if (rc == ISO_ENOMEM && is_first) return send_and_keep(self, list, count, total);
    if (rc == 0) pause_if_high(self);
    return rc;
}

int iso_transport_write(iso_transport *self, const void *data, size_t size)
{
    iso_buffer one;
    int rc = iso__loop_check_thread(self->object.loop);

    if (ISO__UNLIKELY(rc != 0)) return rc;
    if (ISO__UNLIKELY(data == NULL && size > 0)) return ISO_EINVAL;
    one.data = data;
    one.size = size;
    if (ISO__LIKELY(self->writes_through && size > 0)) {
        ptrdiff_t sent = iso__sys_socket_send(self->io.fd, data, size);

        return ISO__LIKELY((size_t)sent == size) ? 0 : keep_rest(self, &one, 1, sent);
    }
    return write_list(self, &one, 1, size);
}

int iso_transport_writelines(iso_transport *self, const iso_buffer *list, size_t count)
{
    size_t total = 0;
    size_t at;
    int rc = iso__loop_check_thread(self->object.loop);

    if (rc != 0) return rc;
    if (list == NULL && count > 0) return ISO_EINVAL;
    for (at = 0; at < count; at++) {
        if (list[at].data == NULL && list[at].size > 0) return ISO_EINVAL;
        if (list[at].size > (size_t)PTRDIFF_MAX - total) return ISO_EINVAL;
        total += list[at].size;
    }
    return write_list(self, list, count, total);
}

int iso_transport_write_eof(iso_transport *self)
{
    int rc = iso__loop_check_thread(self->object.loop);

    if (rc != 0) return rc;
    if (!can_write(self)) return ISO_EINVALIDSTATE;
    if (!iso_transport_can_write_eof(self))
        return iso__limits_refuse(&self->object.loop->engine.limits,
                                  ISO__ROW_PROACTOR_PIPE_WRITE_EOF, 0);
    if (self->state != OPEN || self->is_eof_written) return 0;
    if (self->loan != NULL) return ISO_EBUSY;
    self->is_eof_written = true;
    update_writing(self);
    if (self->output == NULL) end_writing(self);
    return 0;
}

bool iso_transport_can_write_eof(const iso_transport *self)
{
    return !is_pipe(self) || (can_write(self) && !can_read(self));
}

int iso_transport_set_write_buffer_limits(iso_transport *self, size_t high, size_t low)
{
    int rc = iso__loop_check_thread(self->object.loop);

    if (rc == 0) rc = iso__water_set(&self->water, high, low);
    if (rc == 0 && self->state == OPEN) pause_if_high(self);
    return rc;
}

void iso_transport_get_write_buffer_limits(const iso_transport *self, size_t *high, size_t *low)
{
    if (high != NULL) *high = self->water.high;
    if (low != NULL) *low = self->water.low;
}

size_t iso_transport_get_write_buffer_size(const iso_transport *self)
{
    return buffered_size(self);
}

uint64_t iso_transport_writes_dropped(const iso_transport *self)
{
    return self->dropped;
}

/* ---- pausing and closing ---- */

/* What the program says holds from then on, also while the writing side is lent. */
static int set_read_paused(iso_transport *self, bool is_wanted_paused)
{
    bool was_paused = self->is_read_paused;
    bool was_held = self->is_read_held;
    int rc = iso__loop_check_thread(self->object.loop);

    if (rc != 0) return rc;
    if (self->state >= ENDING || !can_read(self)) return 0;
    if (was_paused == is_wanted_paused && !was_held) return 0;
    self->is_read_paused = is_wanted_paused;
    self->is_read_held = false;
    rc = update_reading(self);
    if (rc == 0) return 0;
    self->is_read_paused = was_paused; /* refused: it can be tried again */
    self->is_read_held = was_held;
    return rc;
}

int iso_transport_pause_reading(iso_transport *self)
{
    return set_read_paused(self, true);
}

int iso_transport_resume_reading(iso_transport *self)
{
    return set_read_paused(self, false);
}

bool iso_transport_is_reading(const iso_transport *self)
{
    return self->state == OPEN && !is_paused(self) && can_read(self);
}

int iso_transport_close(iso_transport *self)
{
    int rc = iso__loop_check_thread(self->object.loop);

    if (rc != 0) return rc;
    if (self->state != OPEN) return 0;
    self->state = CLOSING;
    update_writing(self);
    (void)update_reading(self);
    if (self->output == NULL)
        begin_end(self, 0);
    else
        revoke_loan(self, 0); /* last, as there: the exception handler may close the loop */
    return 0;
}

int iso_transport_abort(iso_transport *self)
{
    int rc = iso__loop_check_thread(self->object.loop);

    if (rc == 0) begin_end(self, 0);
    return rc;
}

bool iso_transport_is_closing(const iso_transport *self)
{
    return self->state != OPEN;
}

/* ---- lending the writing side ---- */

int iso__stream_borrow(iso_transport *self, iso__loan *loan)
{
    if (self->state != OPEN) return ISO_ECLOSED;
    if (self->is_eof_written || !can_write(self)) return ISO_EINVALIDSTATE;
    if (self->loan != NULL) return ISO_EBUSY;
    self->loan = loan;
    update_writing(self);
    loan->io = &self->io;
    self->is_read_held = iso_transport_is_reading(self);
    (void)update_reading(self); /* to stop is never refused */
    return self->output == NULL ? 0 : ISO_EINPROGRESS;
}

void iso__stream_give_back(iso__loan *loan)
{
    iso_transport *self = ISO__CONTAINER(loan->io, iso_transport, io);
    int rc = 0;

    self->loan = NULL;
    update_writing(self);
    if (self->is_read_held) {
        self->is_read_held = false;
        rc = update_reading(self);
    }
    if (rc != 0) begin_end(self, rc); /* what came would never be heard */
}

void iso__stream_break(iso_transport *self, int error)
{
    begin_end(self, error);
}

/* ---- the rest of a transport ---- */

int iso_transport_set_protocol(iso_transport *transport, const iso_protocol *protocol, void *self)
{
    int rc = iso__loop_check_thread(transport->object.loop);

    if (rc != 0) return rc;
    if (protocol == NULL) return ISO_EINVAL;
    use_protocol(transport, protocol, self);
    return 0;
}

const iso_protocol *iso_transport_get_protocol(const iso_transport *transport, void **self)
{
    if (self != NULL) *self = transport->self;
    return transport->protocol;
}

int iso_transport_get_extra_info(const iso_transport *self, const char *name, iso_extra_info *out)
{
    iso_extra_info found = { 0 };
    int rc;

    if (name == NULL || out == NULL) return ISO_EINVAL;
    if (self->state == LOST) return ISO_ECLOSED;
    found.fd = self->io.fd;
    if (is_pipe(self))
        rc = strcmp(name, "pipe") == 0 ? 0 : ISO_ENOENT;
    else
        rc = iso__extra_info_of_socket(name, &found);
    if (rc == 0) *out = found;
    return rc;
}

iso_loop *iso_transport_get_loop(const iso_transport *self)
{
    return self->object.loop;
}

iso_transport *iso_transport_ref(iso_transport *self)
{
    iso__object_ref(&self->object);
    return self;
}

void iso_transport_release(iso_transport *self)
{
    if (self != NULL) iso__object_unref(&self->object);
}

/* ---- beginning ---- */

static void tell_made(iso_transport *self)
{
    int rc;

    self->is_made = true;
    rc = update_reading(self);
    if (rc != 0) begin_end(self, rc);
    if (self->state == ENDING) iso__engine_ready(&self->object.loop->engine, &self->event);
    if (self->protocol->connection_made != NULL) self->protocol->connection_made(self, self->self);
    self->owner_kind->made(self->owner, self); /* only the event that this node was ends a stream */
}

static void run_event(iso__engine *engine, iso__node *node)
{
    iso_transport *self = ISO__CONTAINER(node, iso_transport, event);

    (void)engine;
    if (!self->is_made)
        tell_made(self);
    else
        end(self);
}

int iso__stream_new(iso_transport **out, iso_loop *loop, const iso__stream_source *source)
{
    iso_transport *self = iso__object_new(loop, &stream_class);
    bool is_socket = source->medium == ISO__MEDIUM_SOCKET;
    int rc;

    if (self == NULL) return ISO_ENOMEM;
    self->uses = (uint8_t)source->uses;
    if (self->uses == 0) self->uses = ISO__PIPE_READS | ISO__PIPE_WRITES;
    use_protocol(self, source->protocol, source->self);
    self->io.fd = source->fd;
    self->io.medium = (uint8_t)source->medium;
    self->event.run = run_event;
    (void)iso__water_set(&self->water, SIZE_MAX, SIZE_MAX);
    self->owner_kind = source->owner_kind;
    self->owner = source->owner;
    update_writing(self);
    rc = iso__engine_attach(&loop->engine, &self->io);
    if (rc == 0) {
        if (is_socket) iso__sys_socket_set_nodelay(source->fd);
        iso__object_open(&self->object);
        iso__engine_ready(&loop->engine, &self->event);
        *out = self;
    }
    iso__object_unref(&self->object); /* the loop's reference keeps it */
    return rc;
}

iso__object *iso__stream_object(iso_transport *transport)
{
    return &transport->object;
}

iso_transport *iso__stream_of_object(iso__object *object)
{
    return object->kind == &stream_class ? (iso_transport *)object : NULL;
}

void *iso__stream_owner_of(const iso_transport *transport)
{
    return transport->owner;
}

static void tell_nobody(void *owner, iso_transport *transport)
{
    (void)owner;
    (void)transport;
}

static const iso__stream_owner nobody = { .made = tell_nobody, .lost = tell_nobody };

void iso__stream_disown(iso_transport *transport)
{
    transport->owner_kind = &nobody;
    transport->owner = NULL;
}
