/* SPDX-License-Identifier: MIT */
#include "io/connecting.h"

#include "sys/sock.h"

/* Nothing more is under way. The connection, if there is one, goes its own way. */
static void close_connecting(iso__connecting *self)
{
    if (self->stop != NULL) self->stop(self);
    if (self->transport != NULL) iso__stream_disown(self->transport);
    self->transport = NULL;
    iso__object_close(&self->object);
}

static void cancel_connecting(void *operation)
{
    iso__connecting *self = operation;
    iso_future *future = self->future;
    iso_transport *made = self->transport;

    self->future = NULL;
    close_connecting(self);
    if (made != NULL) (void)iso_transport_abort(made);
    iso__future_end_error(future, ISO_ECANCELED);
}

void iso__connecting_abandon(iso__object *object)
{
    iso__future_abandon(((iso__connecting *)object)->future);
}

void iso__connecting_finish(iso__object *object)
{
    (void)object; /* all that it owned went when it ended */
}

int iso__connecting_open(iso__connecting *self)
{
    int rc = iso__future_start(self->object.loop, cancel_connecting, self, &self->future);

    if (rc == 0) iso__object_open(&self->object);
    iso__object_unref(&self->object); /* the loop's reference keeps it */
    return rc;
}

void iso__connecting_fail(iso__connecting *self, int error)
{
    iso_future *future = self->future;

    self->future = NULL;
    close_connecting(self);
    iso__future_end_error(future, error); /* last: it may call the exception handler */
}

int iso__connecting_refuse(iso__connecting *self, int rc)
{
    iso_future *future = self->future;

    self->future = NULL;
    iso_future_release(future);
    close_connecting(self);
    return rc;
}

/* ---- the transport ---- */

static void transport_made(void *owner, iso_transport *transport)
{
    iso__connecting *self = owner;
    iso_future *future = self->future;

    self->future = NULL;
    close_connecting(self);
    iso__future_end_object(future, iso__stream_object(transport));
}

/* Only when it was never made: the loop closes. */
static void transport_lost(void *owner, iso_transport *transport)
{
    (void)transport;
    ((iso__connecting *)owner)->transport = NULL;
    iso__connecting_fail(owner, ISO_ECANCELED);
}

static const iso__stream_owner connecting_owner = {
    .made = transport_made,
    .lost = transport_lost,
};

static int use(iso__connecting *self, iso_fd fd, iso__medium medium, unsigned uses)
{
    iso__stream_source source = { 0 };

    source.fd = fd;
    source.medium = medium;
    source.uses = uses;
    source.protocol = self->protocol;
    source.self = self->self;
    source.owner_kind = &connecting_owner;
    source.owner = self;
    return iso__stream_new(&self->transport, self->object.loop, &source);
}

int iso__connecting_use(iso__connecting *self, iso_fd fd)
{
    return use(self, fd, ISO__MEDIUM_SOCKET, 0);
}

int iso__connecting_use_pipe(iso__connecting *self, iso_fd fd, iso__medium medium, unsigned uses)
{
    return use(self, fd, medium, uses);
}

int iso__connecting_adopt(iso__connecting *self, iso_fd fd)
{
    int rc = iso__sys_socket_require_stream(fd);

    if (rc == 0) rc = iso__sys_socket_adopt(fd);
    return rc != 0 ? rc : iso__connecting_use(self, fd);
}
