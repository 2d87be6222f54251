/* SPDX-License-Identifier: MIT */
/* Servers: listeners, and the connections that they accepted. Source: asyncio,
 * base_events.Server. */
#include "io/server.h"

#include "base/alloc.h"
#include "io/stream.h"
#include "loop/waiters.h"
#include "sys/pipe.h"
#include "sys/sock.h"

struct iso_server {
    iso__object object;
    const iso_protocol *protocol;
    void *self;
    iso__listener *listeners;
    size_t listener_count; /* with a socket */
    size_t listener_capacity;
    iso__entrance *entrance; /* NULL: its listeners are all that it has */
    size_t client_count;
    iso__link waiters;          /* of wait_closed */
    iso__node ending;           /* gives the loop's reference back */
    void (*closing)(void *arg); /* NULL: nobody wants to know */
    void *closing_arg;
    bool is_serving;
    bool is_closed;
};

/* ---- wait_closed ---- */

static bool is_over(const iso_server *self)
{
    return self->is_closed && self->client_count == 0;
}

static void run_ending(iso__engine *engine, iso__node *node)
{
    (void)engine;
    iso__object_close(&ISO__CONTAINER(node, iso_server, ending)->object);
}

/* Closed, and the last connection lost. The loop lets go of it in the next turn, so that a program
 * that only borrows it can close it, and then wait for that. */
static void end_if_over(iso_server *self)
{
    if (!is_over(self)) return;
    iso__waiters_end(&self->waiters, 0);
    if (iso__object_is_open(&self->object))
        iso__engine_ready(&self->object.loop->engine, &self->ending);
}

int iso_server_wait_closed(iso_server *self, iso_future **out)
{
    int rc = out == NULL ? ISO_EINVAL : iso__waiters_add(&self->waiters, self->object.loop, out);

    if (rc == 0) end_if_over(self);
    return rc;
}

/* ---- closing ---- */

static void close_listeners(iso_server *self)
{
    void (*closing)(void *arg) = self->closing;

    self->closing = NULL;
    if (closing != NULL) closing(self->closing_arg);
    while (self->listener_count > 0) iso__listener_close(&self->listeners[--self->listener_count]);
    if (self->entrance != NULL) self->entrance->close(self->entrance);
    self->entrance = NULL;
    self->is_serving = false;
    self->is_closed = true;
}

int iso_server_close(iso_server *self)
{
    int rc = iso__loop_check_thread(self->object.loop);

    if (rc != 0) return rc;
    if (self->is_closed) return 0;
    close_listeners(self);
    end_if_over(self);
    return 0;
}

/* The loop closes: the connections are open objects of its own, and end by themselves. */
static void abandon_server(iso__object *object)
{
    iso_server *self = (iso_server *)object;

    close_listeners(self);
    iso__waiters_abandon(&self->waiters);
    iso__list_remove_if_in(&self->ending.link);
    iso__object_close(object);
}

static void finish_server(iso__object *object)
{
    iso_server *self = (iso_server *)object;

    iso__free(iso__loop_allocator(object->loop), self->listeners,
              self->listener_capacity * sizeof(*self->listeners));
}

static const iso__object_class server_class = {
    .name = "server",
    .abandon = abandon_server,
    .finish = finish_server,
    .size = sizeof(iso_server),
};

/* ---- connections ---- */

static void client_made(void *owner, iso_transport *transport)
{
    (void)owner;
    (void)transport;
}

static void client_lost(void *owner, iso_transport *transport)
{
    iso_server *self = owner;

    (void)transport;
    self->client_count--;
    end_if_over(self);
    iso__object_unref(&self->object); /* the connection's */
}

static const iso__stream_owner client_owner = { .made = client_made, .lost = client_lost };

int iso__server_take(iso_server *self, iso_fd fd, iso__medium medium)
{
    iso__stream_source source = { 0 };
    iso_transport *transport;
    int rc;

    source.fd = fd;
    source.medium = medium;
    source.uses = ISO__PIPE_READS | ISO__PIPE_WRITES;
    source.protocol = self->protocol;
    source.self = self->self;
    source.owner_kind = &client_owner;
    source.owner = self;
    rc = iso__stream_new(&transport, self->object.loop, &source);
    if (rc != 0) return rc;
    self->client_count++;
    iso__object_ref(&self->object);
    return 0;
}

void iso__server_report(iso_server *self, const char *message, int error)
{
    iso_exception_context context = { NULL, 0, NULL, NULL, NULL };

    context.message = message;
    context.error = error;
    context.server = self;
    iso__object_ref(&self->object); /* the handler may close the server */
    iso__loop_report(self->object.loop, &context);
    iso__object_unref(&self->object);
}

static int connected(void *owner, iso_fd fd)
{
    return iso__server_take(owner, fd, ISO__MEDIUM_SOCKET);
}

static void failed(void *owner, const char *message, int error)
{
    iso__server_report(owner, message, error);
}

static const iso__listener_owner listener_owner = { .connected = connected, .failed = failed };

/* Call `act` on every connection of the server's. None ends meanwhile, which takes a turn; but an
 * exception handler that `act` calls may close the loop, if that does not run. */
static int for_each_client(iso_server *self, int (*act)(iso_transport *transport))
{
    iso_loop *loop = self->object.loop;
    iso__link *link;
    bool is_over = false;
    int rc = iso__loop_check_thread(loop);

    if (rc != 0 || self->client_count == 0) return rc;
    for (link = loop->objects.next; !is_over && link != &loop->objects;) {
        iso__object *object = ISO__CONTAINER(link, iso__object, link);
        iso_transport *one = iso__stream_of_object(object);

        iso__object_ref(object);
        if (one != NULL && iso__stream_owner_of(one) == self) (void)act(one);
        is_over = iso_loop_is_closed(loop);
        link = link->next; /* NULL if it is over */
        iso__object_unref(object);
    }
    return 0;
}

int iso_server_close_clients(iso_server *self)
{
    return for_each_client(self, iso_transport_close);
}

int iso_server_abort_clients(iso_server *self)
{
    return for_each_client(self, iso_transport_abort);
}

/* ---- opening ---- */

iso_server *iso__server_new(iso_loop *loop, const iso_protocol *protocol, void *arg)
{
    iso_server *self = iso__object_new(loop, &server_class);

    if (self == NULL) return NULL;
    self->protocol = protocol;
    self->self = arg;
    iso__list_init(&self->waiters);
    self->ending.run = run_ending;
    return self;
}

static int reserve(iso_server *self, size_t count)
{
    iso_loop *loop = self->object.loop;
    size_t at;

    self->listeners = iso__alloc_zero(iso__loop_allocator(loop), count * sizeof(*self->listeners));
    if (self->listeners == NULL) return ISO_ENOMEM;
    self->listener_capacity = count;
    for (at = 0; at < count; at++) {
        self->listeners[at].loop = loop;
        self->listeners[at].owner = self;
        self->listeners[at].owner_kind = &listener_owner;
    }
    return 0;
}

int iso__server_bind(iso_server *self, const iso_address *addresses, size_t count,
                     const iso__listener_options *options)
{
    int passed_over = ISO_EINVAL;
    size_t at;
    int rc = reserve(self, count);

    if (rc != 0) return rc;
    for (at = 0; at < count; at++) {
        rc = iso__listener_bind(&self->listeners[self->listener_count], &addresses[at], options);
        if (rc == ISO_EAFNOSUPPORT || rc == ISO_EADDRNOTAVAIL) { /* IPv6 is switched off, say */
            passed_over = rc;
        } else if (rc != 0) {
            close_listeners(self);
            return rc;
        } else {
            self->listener_count++;
        }
    }
    if (self->listener_count == 0) return passed_over;
    iso__object_open(&self->object);
    return 0;
}

int iso__server_adopt(iso_server *self, iso_fd fd, int backlog)
{
    int rc = reserve(self, 1);

    if (rc == 0) rc = iso__listener_adopt(&self->listeners[0], fd, backlog);
    if (rc != 0) return rc;
    self->listener_count = 1;
    iso__object_open(&self->object);
    return 0;
}

void iso__server_open(iso_server *self, iso__entrance *entrance)
{
    self->entrance = entrance;
    self->is_serving = true;
    iso__object_open(&self->object);
}

int iso_server_start_serving(iso_server *self)
{
    size_t at;
    int rc = iso__loop_check(self->object.loop);

    if (rc == 0 && self->is_closed) rc = ISO_ECLOSED;
    for (at = 0; rc == 0 && at < self->listener_count; at++)
        rc = iso__listener_start(&self->listeners[at]);
    if (rc == 0) self->is_serving = true;
    return rc;
}

/* ---- asking ---- */

bool iso_server_is_serving(const iso_server *self)
{
    return self->is_serving;
}

size_t iso_server_address_count(const iso_server *self)
{
    return self->listener_count;
}

int iso_server_address(const iso_server *self, size_t index, iso_address *out)
{
    if (out == NULL) return ISO_EINVAL;
    if (index >= self->listener_count) return ISO_ENOENT;
    return iso__sys_socket_sockname(self->listeners[index].io.fd, out);
}

void iso__server_on_closing(iso_server *self, void (*closing)(void *arg), void *arg)
{
    self->closing = closing;
    self->closing_arg = arg;
}

int iso__server_socket(const iso_server *self, size_t index, iso_fd *out)
{
    if (index >= self->listener_count) return ISO_ENOENT;
    *out = self->listeners[index].io.fd;
    return 0;
}

size_t iso_server_client_count(const iso_server *self)
{
    return self->client_count;
}

iso_loop *iso_server_get_loop(const iso_server *self)
{
    return self->object.loop;
}

iso_server *iso_server_ref(iso_server *self)
{
    iso__object_ref(&self->object);
    return self;
}

void iso_server_release(iso_server *self)
{
    if (self != NULL) iso__object_unref(&self->object);
}

iso__object *iso__server_object(iso_server *self)
{
    return &self->object;
}
