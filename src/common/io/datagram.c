/* SPDX-License-Identifier: MIT */
/* Datagram transports, over any driver. Source: asyncio, _SelectorDatagramTransport. */
#include "io/datagram.h"

#include "base/alloc.h"
#include "io/extra_info.h"
#include "io/water.h"
#include "loop/loop.h"
#include "sys/sock.h"

#include <string.h>

enum { LARGEST = INT32_MAX };

/* What each one counts besides its bytes, so that empty ones are counted too. Source: asyncio. */
enum { PACKET_BYTES = 8 };

/* So many of those that wait are sent in one turn, as a driver receives at most. */
enum { SENDS_PER_TURN = 16 };

typedef enum datagram_state {
    OPEN = 0,
    CLOSING, /* close was called: flush, then end */
    ENDING,  /* connection_lost is on the ready list */
    LOST
} datagram_state;

/* One that could not be sent at once; its bytes follow. */
typedef struct packet {
    iso__link link;
    iso_address to; /* length 0: to whom the socket is connected */
    size_t size;
} packet;

/* Those that wait, the first one lent to the driver. It exists only while there is such; when its
 * transport ends, it stays for as long as the kernel holds it. */
typedef struct output {
    iso__op op;
    iso_loop *loop;
    iso__link packets;
    size_t size;
    iso_buffer piece;
} output;

struct iso_datagram_transport {
    iso__object object;
    iso__io io;
    iso__node event; /* tells connection_made, then connection_lost */
    const iso_datagram_protocol *protocol;
    void *self;
    output *output;
    iso__water water;
    iso_address remote; /* to whom all of it goes; length 0: each says to whom */
    uint8_t state;
    bool is_connected; /* so the system knows to whom, too: a unix socket has no address here */
    bool is_made;
    bool is_write_paused;
    int error;
    const iso__datagram_owner *owner_kind;
    void *owner;
};

static iso__driver *driver_of(const iso_datagram_transport *self)
{
    return self->object.loop->engine.driver;
}

/* ---- ending ---- */

static void drop_packet(output *out)
{
    packet *first = ISO__CONTAINER(iso__list_pop(&out->packets), packet, link);

    out->size -= PACKET_BYTES + first->size;
    iso__free(iso__loop_allocator(out->loop), first, sizeof(*first) + first->size);
}

static void free_output(output *out)
{
    while (!iso__list_empty(&out->packets)) drop_packet(out);
    iso__free(iso__loop_allocator(out->loop), out, sizeof(*out));
}

/* The kernel has let go of what nobody wants sent any more. */
static void orphan_done(iso__op *op, ptrdiff_t result)
{
    output *out = ISO__CONTAINER(op, output, op);
    iso_loop *loop = out->loop;

    (void)result;
    free_output(out);
    iso__loop_uncount_memory(loop);
}

static void drop_output(iso_datagram_transport *self)
{
    output *out = self->output;

    if (out == NULL) return;
    self->output = NULL;
    if (driver_of(self)->kind->withdraw(driver_of(self), &out->op)) {
        free_output(out);
        return;
    }
    out->op.done = orphan_done;
    iso__loop_count_memory(out->loop);
}

static void begin_end(iso_datagram_transport *self, int error)
{
    if (self->state >= ENDING) return;
    self->state = ENDING;
    self->error = error;
    driver_of(self)->kind->recvfrom_stop(driver_of(self), &self->io);
    drop_output(self);
    iso__engine_ready(&self->object.loop->engine, &self->event);
}

static void end(iso_datagram_transport *self)
{
    iso__engine *engine = &self->object.loop->engine;

    iso__engine_detach(engine, &self->io);
    if (self->is_made && self->protocol->connection_lost != NULL)
        self->protocol->connection_lost(self, self->self, self->error);
    self->state = LOST;
    iso__engine_forget(engine, self->io.fd);
    (void)iso__sys_socket_close(self->io.fd);
    if (!self->is_made) self->owner_kind->lost(self->owner);
    iso__object_close(&self->object);
}

static void abandon_datagram(iso__object *object)
{
    iso_datagram_transport *self = (iso_datagram_transport *)object;

    begin_end(self, ISO_ECLOSED);
    iso__list_remove_if_in(&self->event.link);
    end(self);
}

static void finish_datagram(iso__object *object)
{
    (void)object; /* all that it owned went when it ended */
}

static const iso__object_class datagram_class = {
    .name = "datagram endpoint",
    .abandon = abandon_datagram,
    .finish = finish_datagram,
    .size = sizeof(iso_datagram_transport),
};

/* ---- receiving ---- */

static void tell_error(iso_datagram_transport *self, int error)
{
    if (self->protocol->error_received != NULL)
        self->protocol->error_received(self, self->self, error);
}

/* What only a broken program, or one that has run out of something, meets: it would come again and
 * again. */
static bool is_fatal(int error)
{
    return error == ISO_EBADF || error == ISO_ENOTSOCK || error == ISO_ENOMEM;
}

static bool datagram_came(iso__io *io, const void *data, ptrdiff_t size, const iso_address *from)
{
    iso_datagram_transport *self = ISO__CONTAINER(io, iso_datagram_transport, io);

    if (size < 0 && is_fatal((int)size))
        begin_end(self, (int)size);
    else if (size < 0)
        tell_error(self, (int)size);
    else if (self->protocol->datagram_received != NULL)
        self->protocol->datagram_received(self, self->self, data, (size_t)size, from);
    return self->state == OPEN; /* the loop's reference ends in a turn to come */
}

static const iso__io_class datagram_io = { .datagram = datagram_came };

/* ---- sending ---- */

static size_t buffered_size(const iso_datagram_transport *self)
{
    return self->output == NULL ? 0 : self->output->size;
}

static void pause_if_high(iso_datagram_transport *self)
{
    if (!iso__water_rises(&self->water, &self->is_write_paused, buffered_size(self))) return;
    if (self->protocol->pause_writing != NULL) self->protocol->pause_writing(self, self->self);
}

static void resume_if_low(iso_datagram_transport *self)
{
    if (!iso__water_falls(&self->water, &self->is_write_paused, buffered_size(self))) return;
    if (self->protocol->resume_writing != NULL) self->protocol->resume_writing(self, self->self);
}

static const iso_address *address_of(const packet *one)
{
    return one->to.length != 0 ? &one->to : NULL;
}

static int start_send(iso_datagram_transport *self)
{
    output *out = self->output;
    packet *first = ISO__CONTAINER(out->packets.next, packet, link);

    out->piece.data = first + 1;
    out->piece.size = first->size;
    out->op.what.send.list = &out->piece;
    out->op.what.send.count = 1;
    out->op.what.send.to = address_of(first);
    return driver_of(self)->kind->sendto(driver_of(self), &out->op);
}

/* The first one was sent, or could not be. The program may send more, close or abort. */
static void end_packet(iso_datagram_transport *self, ptrdiff_t result)
{
    drop_packet(self->output);
    if (result < 0) tell_error(self, (int)result);
}

/* There is room again: as a rule for more than the one that waited for it. */
static void send_more(iso_datagram_transport *self)
{
    int left = SENDS_PER_TURN - 1;

    while (self->output != NULL && !iso__list_empty(&self->output->packets) && left-- > 0) {
        packet *first = ISO__CONTAINER(self->output->packets.next, packet, link);
        iso_buffer piece = { first + 1, first->size };
        ptrdiff_t sent = iso__sys_datagram_send(self->io.fd, &piece, address_of(first));

        if (sent == ISO_EAGAIN) return;
        end_packet(self, sent);
    }
}

static void send_done(iso__op *op, ptrdiff_t result)
{
    iso_datagram_transport *self = ISO__CONTAINER(op->io, iso_datagram_transport, io);

    end_packet(self, result);
    if (driver_of(self)->kind->sends_directly) send_more(self);
    if (self->output != NULL) resume_if_low(self); /* so may this */
    if (self->output == NULL) return;
    if (!iso__list_empty(&self->output->packets)) {
        int rc = start_send(self);

        if (rc != 0) begin_end(self, rc); /* whoever asked for these was told that they are sent */
        return;
    }
    drop_output(self);
    if (self->state == CLOSING) begin_end(self, 0);
}

static output *new_output(iso_datagram_transport *self)
{
    output *out = iso__alloc_zero(iso__loop_allocator(self->object.loop), sizeof(*out));

    if (out == NULL) return NULL;
    iso__list_init(&out->packets);
    out->loop = self->object.loop;
    out->op.io = &self->io;
    out->op.done = send_done;
    return out;
}

static int enqueue(iso_datagram_transport *self, const iso_buffer *data, const iso_address *to)
{
    const iso_allocator *allocator = iso__loop_allocator(self->object.loop);
    output *out = self->output != NULL ? self->output : new_output(self);
    packet *one = out == NULL ? NULL : iso__alloc(allocator, sizeof(*one) + data->size);
    int rc;

    if (one == NULL) {
        if (out != NULL && self->output == NULL) iso__free(allocator, out, sizeof(*out));
        return ISO_ENOMEM;
    }
    memset(one, 0, sizeof(*one));
    one->size = data->size;
    if (to != NULL) one->to = *to;
    if (data->size > 0) memcpy(one + 1, data->data, data->size);
    iso__list_push(&out->packets, &one->link);
    out->size += PACKET_BYTES + one->size;
    if (self->output != NULL) return 0;
    self->output = out;
    rc = start_send(self);
    if (rc != 0) drop_output(self);
    return rc;
}

static bool is_same(const iso_address *a, const iso_address *b)
{
    return a->length == b->length && memcmp(&a->storage, &b->storage, a->length) == 0;
}

/* To whom; in *to NULL for the one it is connected to, who need not be named to the system. */
static int check_address(const iso_datagram_transport *self, const iso_address **to)
{
    if (!self->is_connected && self->remote.length == 0)
        return *to == NULL || (*to)->length == 0 ? ISO_EINVAL : 0;
    if (*to != NULL && !is_same(*to, &self->remote)) return ISO_EINVAL;
    *to = self->is_connected ? NULL : &self->remote;
    return 0;
}

int iso_datagram_transport_sendto(iso_datagram_transport *self, const void *data, size_t size,
                                  const iso_address *to)
{
    int rc = iso__loop_check_thread(self->object.loop);
    iso_buffer one = { data, size };

    if (rc == 0) rc = data == NULL && size > 0 ? ISO_EINVAL : check_address(self, &to);
    if (rc != 0 || self->state != OPEN) return rc;
    if (size > LARGEST) { /* more than any system counts here */
        tell_error(self, ISO_EMSGSIZE);
        return 0;
    }
    if (self->output == NULL && driver_of(self)->kind->sends_directly) {
        ptrdiff_t sent = iso__sys_datagram_send(self->io.fd, &one, to);

        if (sent >= 0) return 0;
        if (sent != ISO_EAGAIN) {
            tell_error(self, (int)sent);
            return 0;
        }
    }
    rc = enqueue(self, &one, to);
    if (rc == 0) pause_if_high(self);
    return rc;
}

int iso_datagram_transport_set_write_buffer_limits(iso_datagram_transport *self, size_t high,
                                                   size_t low)
{
    int rc = iso__loop_check_thread(self->object.loop);

    if (rc == 0) rc = iso__water_set(&self->water, high, low);
    if (rc == 0 && self->state == OPEN) pause_if_high(self);
    return rc;
}

size_t iso_datagram_transport_get_write_buffer_size(const iso_datagram_transport *self)
{
    return buffered_size(self);
}

/* ---- closing ---- */

int iso_datagram_transport_close(iso_datagram_transport *self)
{
    int rc = iso__loop_check_thread(self->object.loop);

    if (rc != 0 || self->state != OPEN) return rc;
    self->state = CLOSING;
    driver_of(self)->kind->recvfrom_stop(driver_of(self), &self->io);
    if (self->output == NULL) begin_end(self, 0);
    return 0;
}

int iso_datagram_transport_abort(iso_datagram_transport *self)
{
    int rc = iso__loop_check_thread(self->object.loop);

    if (rc == 0) begin_end(self, 0);
    return rc;
}

bool iso_datagram_transport_is_closing(const iso_datagram_transport *self)
{
    return self->state != OPEN;
}

/* ---- asking ---- */

int iso_datagram_transport_get_extra_info(const iso_datagram_transport *self, const char *name,
                                          iso_extra_info *out)
{
    iso_extra_info found = { 0 };
    int rc;

    if (name == NULL || out == NULL) return ISO_EINVAL;
    if (self->state == LOST) return ISO_ECLOSED;
    found.fd = self->io.fd;
    rc = iso__extra_info_of_socket(name, &found);
    if (rc == 0) *out = found;
    return rc;
}

void iso_datagram_transport_get_write_buffer_limits(const iso_datagram_transport *self,
                                                    size_t *high, size_t *low)
{
    if (high != NULL) *high = self->water.high;
    if (low != NULL) *low = self->water.low;
}

int iso_datagram_transport_set_protocol(iso_datagram_transport *transport,
                                        const iso_datagram_protocol *protocol, void *self)
{
    int rc = iso__loop_check_thread(transport->object.loop);

    if (rc != 0) return rc;
    if (protocol == NULL) return ISO_EINVAL;
    transport->protocol = protocol;
    transport->self = self;
    return 0;
}

const iso_datagram_protocol *
iso_datagram_transport_get_protocol(const iso_datagram_transport *transport, void **self)
{
    if (self != NULL) *self = transport->self;
    return transport->protocol;
}

iso_loop *iso_datagram_transport_get_loop(const iso_datagram_transport *self)
{
    return self->object.loop;
}

iso_datagram_transport *iso_datagram_transport_ref(iso_datagram_transport *self)
{
    iso__object_ref(&self->object);
    return self;
}

void iso_datagram_transport_release(iso_datagram_transport *self)
{
    if (self != NULL) iso__object_unref(&self->object);
}

/* ---- beginning ---- */

static void tell_made(iso_datagram_transport *self)
{
    int rc;

    self->is_made = true;
    if (self->state == OPEN) {
        rc = driver_of(self)->kind->recvfrom_start(driver_of(self), &self->io);
        if (rc != 0) begin_end(self, rc);
    }
    if (self->state == ENDING) iso__engine_ready(&self->object.loop->engine, &self->event);
    if (self->protocol->connection_made != NULL) self->protocol->connection_made(self, self->self);
    self->owner_kind->made(self->owner, &self->object);
}

static void run_event(iso__engine *engine, iso__node *node)
{
    iso_datagram_transport *self = ISO__CONTAINER(node, iso_datagram_transport, event);

    (void)engine;
    if (!self->is_made)
        tell_made(self);
    else
        end(self);
}

int iso__datagram_new(iso_datagram_transport **out, iso_loop *loop,
                      const iso__datagram_source *source)
{
    iso_datagram_transport *self = iso__object_new(loop, &datagram_class);
    int rc;

    if (self == NULL) return ISO_ENOMEM;
    self->protocol = source->protocol;
    self->self = source->self;
    self->io.fd = source->fd;
    self->io.kind = &datagram_io;
    self->event.run = run_event;
    (void)iso__water_set(&self->water, SIZE_MAX, SIZE_MAX);
    self->owner_kind = source->owner_kind;
    self->owner = source->owner;
    self->is_connected = iso__sys_socket_peername(source->fd, &self->remote) == 0;
    if (!self->is_connected) self->remote = source->remote;
    rc = iso__engine_attach(&loop->engine, &self->io);
    if (rc == 0) {
        iso__object_open(&self->object);
        iso__engine_ready(&loop->engine, &self->event);
        *out = self;
    }
    iso__object_unref(&self->object); /* the loop's reference keeps it */
    return rc;
}

static void tell_nobody_made(void *owner, iso__object *object)
{
    (void)owner;
    (void)object;
}

static void tell_nobody_lost(void *owner)
{
    (void)owner;
}

static const iso__datagram_owner nobody = { .made = tell_nobody_made, .lost = tell_nobody_lost };

void iso__datagram_disown(iso_datagram_transport *transport)
{
    transport->owner_kind = &nobody;
    transport->owner = NULL;
}
