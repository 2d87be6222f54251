/* SPDX-License-Identifier: MIT */
/* create_server: from names to a server that listens. */
#include "base/alloc.h"
#include "io/server.h"
#include "loop/future.h"
#include "loop/resolve.h"
#include "sys/sock.h"

#include <string.h>

enum { DEFAULT_BACKLOG = 100 };

/* A call under way. With literals alone it ends within the call. */
typedef struct creation {
    iso__object object;
    iso_future *future;
    iso_server *server;
    iso__resolve *resolve; /* of the host that is being looked up; NULL: none is */
    char **hosts;          /* a NULL host: every interface */
    size_t host_count;
    size_t next_host;
    iso_address *addresses;
    size_t address_count;
    size_t address_capacity;
    iso__listener_options listener;
    uint16_t port;
    int version;
    bool start_serving;
} creation;

static void close_creation(creation *self)
{
    if (self->resolve != NULL) iso__resolve_cancel(self->resolve);
    self->resolve = NULL;
    iso__object_close(&self->object);
}

static void cancel_creation(void *operation)
{
    creation *self = operation;
    iso_future *future = self->future;

    self->future = NULL;
    close_creation(self);
    iso__future_end_error(future, ISO_ECANCELED);
}

static void abandon_creation(iso__object *object)
{
    iso__future_abandon(((creation *)object)->future);
}

static void finish_creation(iso__object *object)
{
    creation *self = (creation *)object;
    const iso_allocator *allocator = iso__loop_allocator(object->loop);
    size_t at;

    for (at = 0; self->hosts != NULL && at < self->host_count; at++) {
        if (self->hosts[at] != NULL)
            iso__free(allocator, self->hosts[at], strlen(self->hosts[at]) + 1);
    }
    iso__free(allocator, self->hosts, self->host_count * sizeof(*self->hosts));
    iso__free(allocator, self->addresses, self->address_capacity * sizeof(*self->addresses));
    iso_server_release(self->server);
}

static const iso__object_class creation_class = {
    .name = "server in the making",
    .abandon = abandon_creation,
    .finish = finish_creation,
    .size = sizeof(creation),
};

/* ---- addresses ---- */

static bool is_known(const creation *self, const iso_address *address)
{
    size_t at;

    for (at = 0; at < self->address_count; at++) {
        if (memcmp(&self->addresses[at], address, sizeof(*address)) == 0) return true;
    }
    return false;
}

/* Twice the same would be an address in use; with port 0 it would be two ports, as a program that
 * names a host twice may want, but no document promises it. */
static int add_addresses(creation *self, const iso_address *list, int count)
{
    size_t wanted = self->address_count + (size_t)count;
    int at;

    if (wanted > self->address_capacity) {
        iso_address *grown =
            iso__realloc(iso__loop_allocator(self->object.loop), self->addresses,
                         self->address_capacity * sizeof(*grown), wanted * sizeof(*grown));

        if (grown == NULL) return ISO_ENOMEM;
        self->addresses = grown;
        self->address_capacity = wanted;
    }
    for (at = 0; at < count; at++) {
        if (!is_known(self, &list[at])) self->addresses[self->address_count++] = list[at];
    }
    return 0;
}

/* ---- the steps ---- */

static int serve(creation *self)
{
    int rc = self->start_serving ? iso_server_start_serving(self->server) : 0;

    if (rc != 0) (void)iso_server_close(self->server);
    return rc;
}

static int open_server(creation *self)
{
    int rc = iso__server_bind(self->server, self->addresses, self->address_count, &self->listener);

    return rc != 0 ? rc : serve(self);
}

static void end_creation(creation *self, int rc)
{
    iso_future *future = self->future;
    iso_server *server = iso_server_ref(self->server);

    self->future = NULL;
    close_creation(self);
    if (rc == 0)
        iso__future_end_object(future, iso__server_object(server));
    else
        iso__future_end_error(future, rc); /* may call the exception handler */
    iso_server_release(server);
}

static int next_host(creation *self);

static void resolved(void *arg, const iso_address *addresses, int count)
{
    creation *self = arg;
    int rc = count < 0 ? count : add_addresses(self, addresses, count);

    self->resolve = NULL;
    if (rc == 0) rc = next_host(self);
    if (rc != ISO_EINPROGRESS) end_creation(self, rc);
}

/* Go on until a name must be looked up (ISO_EINPROGRESS), or to the end: 0 or an error. */
static int next_host(creation *self)
{
    while (self->next_host < self->host_count) {
        const char *host = self->hosts[self->next_host++];
        iso_address literal[2];
        int count = iso__resolve_literal(host, self->port, self->version, true, literal);
        int rc = count > 0 ? add_addresses(self, literal, count) : count;

        if (count == 0) {
            rc = iso__resolve_start(&self->resolve, self->object.loop, host, self->port,
                                    self->version, true, resolved, self);
            if (rc == 0) return ISO_EINPROGRESS;
        }
        if (rc != 0) return rc;
    }
    return open_server(self);
}

static int copy_hosts(creation *self, const iso_server_options *options)
{
    const iso_allocator *allocator = iso__loop_allocator(self->object.loop);
    const char *const *hosts = options->hosts != NULL ? options->hosts : &options->host;
    size_t count = options->hosts != NULL ? options->host_count : 1;
    size_t at;

    self->hosts = iso__alloc_zero(allocator, count * sizeof(*self->hosts));
    if (self->hosts == NULL) return ISO_ENOMEM;
    self->host_count = count;
    for (at = 0; at < count; at++) {
        if (hosts[at] == NULL || hosts[at][0] == '\0') continue;
        self->hosts[at] = iso__alloc_string(allocator, hosts[at]);
        if (self->hosts[at] == NULL) return ISO_ENOMEM;
    }
    return 0;
}

/* ---- the call ---- */

static int check_options(iso_loop *loop, const iso_server_options *options)
{
    bool has_hosts = options->host != NULL || options->hosts != NULL;

    if (options->family != 0 && options->family != 4 && options->family != 6)
        return iso__error_set(ISO_EINVAL, "create_server: family is 0, 4 or 6");
    if (options->backlog < 0) return iso__error_set(ISO_EINVAL, "create_server: backlog < 0");
    if (options->hosts != NULL && (options->host != NULL || options->host_count == 0))
        return iso__error_set(ISO_EINVAL, "create_server: either host, or hosts, at least one");
    if (options->sock != ISO_FD_NONE && (has_hosts || options->port != 0))
        return iso__error_set(ISO_EINVAL, "create_server: either sock, or host and port");
    if (options->reuse_port &&
        iso__limits_enforced(&loop->engine.limits, ISO__ROW_WINDOWS_REUSE_PORT))
        return iso__limits_refuse(&loop->engine.limits, ISO__ROW_WINDOWS_REUSE_PORT, 0);
    return 0;
}

static int adopt_socket(creation *self, iso_fd fd)
{
    int rc = iso__sys_socket_require_stream(fd);

    if (rc == 0) rc = iso__sys_socket_adopt(fd);
    return rc != 0 ? rc : iso__server_adopt(self->server, fd, self->listener.backlog);
}

static int new_creation(creation **out, iso_loop *loop, const iso_protocol *protocol, void *arg,
                        const iso_server_options *options)
{
    creation *self = iso__object_new(loop, &creation_class);
    int rc;

    if (self == NULL) return ISO_ENOMEM;
    self->port = options->port;
    self->version = options->family;
    self->start_serving = options->start_serving;
    self->listener.backlog = options->backlog > 0 ? options->backlog : DEFAULT_BACKLOG;
    self->listener.reuse_port = options->reuse_port;
    self->listener.no_reuse_address = options->no_reuse_address;
    self->server = iso__server_new(loop, protocol, arg);
    rc = self->server == NULL ? ISO_ENOMEM : 0;
    if (rc == 0) rc = iso__future_start(loop, cancel_creation, self, &self->future);
    if (rc != 0) {
        iso__object_unref(&self->object);
        return rc;
    }
    iso__object_open(&self->object);
    iso__object_unref(&self->object); /* the loop's reference keeps it */
    *out = self;
    return 0;
}

/* What the call itself answers: nothing has begun, and no future tells of it. */
static bool is_refusal(int rc)
{
    return rc == ISO_ELIMIT || rc == ISO_ENOMEM;
}

static int refuse_call(creation *self, int rc)
{
    iso_future *future = self->future;

    self->future = NULL;
    iso_future_release(future);
    close_creation(self);
    return rc;
}

int iso_loop_create_server(iso_loop *loop, const iso_protocol *protocol, void *arg,
                           const iso_server_options *given, iso_future **out)
{
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    creation *self;
    int rc;

    if (loop == NULL || protocol == NULL) return ISO_EINVAL;
    rc = iso__loop_check(loop);
    if (rc != 0) return rc;
    if (given != NULL) iso__options_copy(&options, sizeof(options), given, given->size);
    rc = check_options(loop, &options);
    if (rc == 0) rc = new_creation(&self, loop, protocol, arg, &options);
    if (rc != 0) return rc;
    if (options.sock != ISO_FD_NONE) {
        rc = adopt_socket(self, options.sock);
        if (rc != 0) return refuse_call(self, rc); /* the socket is still the caller's */
        rc = serve(self);
    } else {
        rc = copy_hosts(self, &options);
        if (rc == 0) rc = next_host(self);
        if (is_refusal(rc)) return refuse_call(self, rc);
    }
    iso__future_give(self->future, out);
    if (rc != ISO_EINPROGRESS) end_creation(self, rc);
    return 0;
}
