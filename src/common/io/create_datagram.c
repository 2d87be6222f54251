/* SPDX-License-Identifier: MIT */
/* create_datagram_endpoint: from names to a datagram transport. */
#include "base/alloc.h"
#include "io/datagram.h"
#include "loop/future.h"
#include "loop/loop.h"
#include "loop/resolve.h"
#include "sys/sock.h"

#include <string.h>

typedef enum side_index { LOCAL = 0, REMOTE, SIDES } side_index;

/* The addresses of one side; no host and no port: there is no such side. */
typedef struct side {
    char *host;
    uint16_t port;
    bool is_there;
    int count;
    iso_address addresses[ISO__ADDRESSES_MAX];
} side;

/* A call under way. With literals alone it ends in the turn after the call. */
typedef struct creation {
    iso__object object;
    iso_future *future;
    const iso_datagram_protocol *protocol;
    void *self;
    iso_datagram_transport *transport; /* NULL: there is none yet */
    iso__resolve *resolve;             /* NULL: nothing is being looked up */
    side sides[SIDES];
    int next_side;
    int version;
    bool reuse_port;
    bool allow_broadcast;
} creation;

/* Nothing more is under way. The endpoint, if there is one, goes its own way. */
static void close_creation(creation *self)
{
    if (self->resolve != NULL) iso__resolve_cancel(self->resolve);
    self->resolve = NULL;
    if (self->transport != NULL) iso__datagram_disown(self->transport);
    self->transport = NULL;
    iso__object_close(&self->object);
}

static void cancel_creation(void *operation)
{
    creation *self = operation;
    iso_future *future = self->future;
    iso_datagram_transport *made = self->transport;

    self->future = NULL;
    close_creation(self);
    if (made != NULL) (void)iso_datagram_transport_abort(made);
    iso__future_end_error(future, ISO_ECANCELED);
}

static void abandon_creation(iso__object *object)
{
    iso__future_abandon(((creation *)object)->future);
}

static void finish_creation(iso__object *object)
{
    creation *self = (creation *)object;
    int at;

    for (at = 0; at < SIDES; at++) {
        char *host = self->sides[at].host;

        if (host != NULL) iso__free(iso__loop_allocator(object->loop), host, strlen(host) + 1);
    }
}

static const iso__object_class creation_class = {
    .name = "datagram endpoint in the making",
    .abandon = abandon_creation,
    .finish = finish_creation,
    .size = sizeof(creation),
};

static void fail_creation(creation *self, int error)
{
    iso_future *future = self->future;

    self->future = NULL;
    close_creation(self);
    iso__future_end_error(future, error); /* last: it may call the exception handler */
}

/* ---- the endpoint ---- */

static void endpoint_made(void *owner, iso__object *object)
{
    creation *self = owner;
    iso_future *future = self->future;

    self->future = NULL;
    close_creation(self);
    iso__future_end_object(future, object);
}

/* Only when it was never made: the loop closes. */
static void endpoint_lost(void *owner)
{
    ((creation *)owner)->transport = NULL;
    fail_creation(owner, ISO_ECANCELED);
}

static const iso__datagram_owner creation_owner = {
    .made = endpoint_made,
    .lost = endpoint_lost,
};

static int make_endpoint(creation *self, iso_fd fd, const iso_address *remote)
{
    iso__datagram_source source;

    memset(&source, 0, sizeof(source));
    source.fd = fd;
    if (remote != NULL) source.remote = *remote;
    source.protocol = self->protocol;
    source.self = self->self;
    source.owner_kind = &creation_owner;
    source.owner = self;
    return iso__datagram_new(&self->transport, self->object.loop, &source);
}

static int set_up(const creation *self, iso_fd fd, const iso_address *local,
                  const iso_address *remote)
{
    int rc = 0;

    if (self->reuse_port) rc = iso__sys_socket_set_reuse_port(fd);
    if (rc == 0 && self->allow_broadcast) rc = iso__sys_datagram_set_broadcast(fd, true);
    if (rc == 0 && local != NULL && iso_address_version(local) == 6)
        rc = iso__sys_socket_set_v6only(fd);
    if (rc == 0 && local != NULL) rc = iso__sys_socket_bind(fd, local);
    /* Whoever answers a broadcast is not whom it was sent to. Source: asyncio. */
    if (rc == 0 && remote != NULL && !self->allow_broadcast)
        rc = iso__sys_socket_connect(fd, remote);
    return rc;
}

static int try_pair(creation *self, const iso_address *local, const iso_address *remote)
{
    const iso_address *any = local != NULL ? local : remote;
    iso_fd fd;
    int rc = iso__sys_datagram_open(&fd, any != NULL ? iso_address_version(any) : self->version);

    if (rc != 0) return rc;
    rc = set_up(self, fd, local, remote);
    if (rc == 0) rc = make_endpoint(self, fd, remote);
    if (rc != 0) (void)iso__sys_socket_close(fd);
    return rc;
}

static const iso_address *address_of(const side *one, int at)
{
    return one->is_there ? &one->addresses[at] : NULL;
}

/* The first pair of a local and a remote address, of one family, with which it can be done. Answers
 * 0, or the first error, as asyncio does. */
static int open_endpoint(creation *self)
{
    const side *local = &self->sides[LOCAL];
    const side *remote = &self->sides[REMOTE];
    int first = 0;
    int from;
    int to;

    for (from = 0; from < (local->is_there ? local->count : 1); from++) {
        for (to = 0; to < (remote->is_there ? remote->count : 1); to++) {
            const iso_address *a = address_of(local, from);
            const iso_address *b = address_of(remote, to);
            int rc;

            if (a != NULL && b != NULL && iso_address_version(a) != iso_address_version(b))
                continue;
            rc = try_pair(self, a, b);
            if (rc == 0 || rc == ISO_ENOMEM || rc == ISO_ELIMIT) return rc;
            if (first == 0) first = rc;
        }
    }
    return first != 0 ? first : ISO_EADDRNOTAVAIL; /* no two of one family */
}

/* ---- addresses ---- */

static int next_side(creation *self);

static int use_addresses(side *one, const iso_address *list, int count)
{
    if (count < 0) return count;
    memcpy(one->addresses, list, (size_t)count * sizeof(*list));
    one->count = count;
    return 0;
}

static void resolved(void *arg, const iso_address *addresses, int count)
{
    creation *self = arg;
    int rc = use_addresses(&self->sides[self->next_side - 1], addresses, count);

    self->resolve = NULL;
    if (rc == 0) rc = next_side(self);
    if (rc < 0 && rc != ISO_EINPROGRESS) fail_creation(self, rc);
}

/* Go on until a name must be looked up (ISO_EINPROGRESS), or to the end: 0 or an error. */
static int next_side(creation *self)
{
    while (self->next_side < SIDES) {
        bool is_local = self->next_side == LOCAL;
        side *one = &self->sides[self->next_side++];
        iso_address literal[2];
        int count;
        int rc;

        if (!one->is_there) continue;
        count = iso__resolve_literal(one->host, one->port, self->version, is_local, literal);
        rc = use_addresses(one, literal, count);
        if (count == 0) {
            rc = iso__resolve_start(&self->resolve, self->object.loop, one->host, one->port,
                                    self->version, is_local, resolved, self);
            if (rc == 0) return ISO_EINPROGRESS;
        }
        if (rc != 0) return rc;
    }
    return open_endpoint(self);
}

/* ---- the call ---- */

static int check_options(iso_loop *loop, const iso_datagram_options *options)
{
    bool has_address = options->local_host != NULL || options->local_port != 0 ||
                       options->remote_host != NULL || options->remote_port != 0;
    bool has_more =
        has_address || options->family != 0 || options->reuse_port || options->allow_broadcast;

    if (options->family != 0 && options->family != 4 && options->family != 6)
        return iso__error_set(ISO_EINVAL, "create_datagram_endpoint: family is 0, 4 or 6");
    if (options->sock != ISO_FD_NONE && has_more)
        return iso__error_set(ISO_EINVAL, "create_datagram_endpoint: either sock, or the rest");
    if (options->sock == ISO_FD_NONE && !has_address && options->family == 0)
        return iso__error_set(ISO_EINVAL,
                              "create_datagram_endpoint: an address, or at least a family");
    if ((options->remote_port != 0) != (options->remote_host != NULL))
        return iso__error_set(ISO_EINVAL,
                              "create_datagram_endpoint: remote_host and remote_port, or neither");
    if (options->reuse_port &&
        iso__limits_enforced(&loop->engine.limits, ISO__ROW_WINDOWS_REUSE_PORT))
        return iso__limits_refuse(&loop->engine.limits, ISO__ROW_WINDOWS_REUSE_PORT, 0);
    return 0;
}

static int copy_side(creation *self, side_index which, const char *host, uint16_t port)
{
    side *one = &self->sides[which];

    one->is_there = host != NULL || port != 0;
    one->port = port;
    if (host == NULL || host[0] == '\0') return 0;
    one->host = iso__alloc_string(iso__loop_allocator(self->object.loop), host);
    return one->host == NULL ? ISO_ENOMEM : 0;
}

static int new_creation(creation **out, iso_loop *loop, const iso_datagram_options *options)
{
    creation *self = iso__object_new(loop, &creation_class);
    int rc;

    if (self == NULL) return ISO_ENOMEM;
    self->version = options->family;
    self->reuse_port = options->reuse_port;
    self->allow_broadcast = options->allow_broadcast;
    rc = copy_side(self, LOCAL, options->local_host, options->local_port);
    if (rc == 0) rc = copy_side(self, REMOTE, options->remote_host, options->remote_port);
    if (rc == 0) rc = iso__future_start(loop, cancel_creation, self, &self->future);
    if (rc == 0) {
        iso__object_open(&self->object);
        *out = self;
    }
    iso__object_unref(&self->object); /* the loop's reference keeps it */
    return rc;
}

static int refuse_call(creation *self, int rc)
{
    iso_future *future = self->future;

    self->future = NULL;
    iso_future_release(future);
    close_creation(self);
    return rc;
}

static int adopt_socket(creation *self, iso_fd fd)
{
    int rc = iso__sys_socket_require_datagram(fd);

    if (rc == 0) rc = iso__sys_socket_adopt(fd);
    return rc != 0 ? rc : make_endpoint(self, fd, NULL);
}

int iso_loop_create_datagram_endpoint(iso_loop *loop, const iso_datagram_protocol *protocol,
                                      void *arg, const iso_datagram_options *given,
                                      iso_future **out)
{
    iso_datagram_options options = ISO_DATAGRAM_OPTIONS_INIT;
    creation *self;
    bool adopts;
    int rc;

    if (loop == NULL || protocol == NULL || given == NULL) return ISO_EINVAL;
    rc = iso__loop_check(loop);
    if (rc != 0) return rc;
    if (iso__limits_enforced(&loop->engine.limits, ISO__ROW_PROACTOR_DATAGRAM))
        return iso__limits_refuse(&loop->engine.limits, ISO__ROW_PROACTOR_DATAGRAM, 0);
    iso__options_copy(&options, sizeof(options), given, given->size);
    rc = check_options(loop, &options);
    if (rc == 0) rc = new_creation(&self, loop, &options);
    if (rc != 0) return rc;
    self->protocol = protocol;
    self->self = arg;
    adopts = options.sock != ISO_FD_NONE;
    rc = adopts ? adopt_socket(self, options.sock) : next_side(self);
    if (rc == ISO_ELIMIT || rc == ISO_ENOMEM || (adopts && rc != 0)) return refuse_call(self, rc);
    iso__future_give(self->future, out);
    if (rc != 0 && rc != ISO_EINPROGRESS) fail_creation(self, rc);
    return 0;
}
