/* SPDX-License-Identifier: MIT */
/* create_connection: from a name to a transport, every address in turn, or staggered (RFC 8305). */
#include "base/alloc.h"
#include "base/time.h"
#include "io/connecting.h"
#include "isoloop/tcp.h"
#include "loop/loop.h"
#include "loop/resolve.h"
#include "sys/sock.h"

#include <string.h>

typedef struct connecting connecting;

/* One address that is being tried. */
typedef struct attempt {
    iso__link link; /* among the attempts under way */
    iso__io io;
    iso__op op;
    connecting *owner;
    iso_loop *loop;
    iso_address address;
} attempt;

struct connecting {
    iso__connecting base;
    iso__resolve *resolve; /* NULL: nothing is being looked up */
    iso__link attempts;
    iso_handle stagger; /* the timer of the next attempt */
    iso_nsec delay;
    iso_address local; /* length 0: the system chooses */
    int interleave;
    int last_error;
    int address_count;
    int next_address;
    iso_address addresses[ISO__ADDRESSES_MAX];
};

static iso__engine *engine_of(connecting *self)
{
    return &self->base.object.loop->engine;
}

/* ---- attempts ---- */

/* The kernel has let go of an attempt that was given up. */
static void orphan_done(iso__op *op, ptrdiff_t result)
{
    attempt *one = ISO__CONTAINER(op, attempt, op);
    iso_loop *loop = one->loop;

    (void)result;
    iso__free(iso__loop_allocator(loop), one, sizeof(*one));
    iso__loop_uncount_memory(loop);
}

/* Take an attempt apart; its socket is the caller's then. */
static iso_fd drop_attempt(attempt *one)
{
    iso__driver *driver = one->loop->engine.driver;
    bool is_ours = driver->kind->withdraw(driver, &one->op);
    iso_fd fd = one->io.fd;

    iso__engine_detach(&one->loop->engine, &one->io);
    iso__list_remove(&one->link);
    if (is_ours) {
        iso__free(iso__loop_allocator(one->loop), one, sizeof(*one));
    } else {
        one->op.done = orphan_done;
        iso__loop_count_memory(one->loop);
    }
    return fd;
}

static void close_socket(connecting *self, iso_fd fd)
{
    iso__engine_forget(engine_of(self), fd);
    (void)iso__sys_socket_close(fd);
}

static void drop_attempts(connecting *self)
{
    (void)iso__engine_cancel(engine_of(self), self->stagger); /* stale unless it is running */
    while (!iso__list_empty(&self->attempts))
        close_socket(self, drop_attempt(ISO__CONTAINER(self->attempts.next, attempt, link)));
}

static void stop_connecting(iso__connecting *base)
{
    connecting *self = (connecting *)base;

    drop_attempts(self);
    if (self->resolve != NULL) iso__resolve_cancel(self->resolve);
    self->resolve = NULL;
}

static const iso__object_class connecting_class = {
    .name = "connection in the making",
    .abandon = iso__connecting_abandon,
    .finish = iso__connecting_finish,
    .size = sizeof(connecting),
};

static void fail_connecting(connecting *self, int error)
{
    iso__connecting_fail(&self->base, error);
}

/* ---- one address after the other ---- */

static const iso__io_class attempt_io = { .received = NULL };

static int next_attempts(connecting *self);

static void note_failure(connecting *self, const iso_address *address, int error)
{
    self->last_error = error;
    iso__future_add_attempt(self->base.future, address, error);
}

static void attempt_done(iso__op *op, ptrdiff_t result)
{
    attempt *one = ISO__CONTAINER(op, attempt, op);
    connecting *self = one->owner;
    iso_address address = one->address;
    iso_fd fd = drop_attempt(one);
    int rc = (int)result;

    if (rc == 0) {
        rc = iso__connecting_use(&self->base, fd);
        if (rc == 0) {
            drop_attempts(self);
            return;
        }
    }
    close_socket(self, fd);
    note_failure(self, &address, rc);
    rc = next_attempts(self);
    if (rc != ISO_EINPROGRESS) fail_connecting(self, rc);
}

static int bind_local(connecting *self, iso_fd fd)
{
    return self->local.length == 0 ? 0 : iso__sys_socket_bind(fd, &self->local);
}

static int begin_attempt(connecting *self, const iso_address *address)
{
    iso__driver *driver = engine_of(self)->driver;
    const iso_allocator *allocator = iso__loop_allocator(self->base.object.loop);
    attempt *one = iso__alloc_zero(allocator, sizeof(*one));
    int rc;

    if (one == NULL) return ISO_ENOMEM;
    rc = iso__sys_socket_open(&one->io.fd, iso_address_version(address));
    if (rc != 0) goto fail_open;
    rc = bind_local(self, one->io.fd);
    if (rc != 0) goto fail_attach;
    one->owner = self;
    one->loop = self->base.object.loop;
    one->address = *address;
    one->io.kind = &attempt_io;
    one->op.io = &one->io;
    one->op.done = attempt_done;
    rc = iso__engine_attach(engine_of(self), &one->io);
    if (rc != 0) goto fail_attach;
    rc = driver->kind->connect(driver, &one->op, address);
    if (rc != 0) goto fail_connect;
    iso__list_push(&self->attempts, &one->link);
    return 0;
fail_connect:
    iso__engine_detach(engine_of(self), &one->io);
fail_attach:
    close_socket(self, one->io.fd);
fail_open:
    iso__free(allocator, one, sizeof(*one));
    return rc;
}

static void stagger_over(iso_loop *loop, void *arg)
{
    int rc = next_attempts(arg);

    (void)loop;
    if (rc != ISO_EINPROGRESS) fail_connecting(arg, rc);
}

/* The next attempt comes after the delay, or when this one fails before. Without memory for the
 * timer it comes when this one fails. */
static void start_stagger(connecting *self)
{
    iso_nsec when = iso__time_add(iso__engine_time(engine_of(self)), self->delay);

    if (self->delay > 0 && self->next_address < self->address_count)
        (void)iso__engine_call_at(engine_of(self), when, stagger_over, self, &self->stagger);
}

/* Begin with the next address that lets one begin. Answers ISO_EINPROGRESS while any attempt is
 * under way, else the last error: there is nothing left to try. */
static int next_attempts(connecting *self)
{
    (void)iso__engine_cancel(engine_of(self), self->stagger);
    while (self->next_address < self->address_count) {
        const iso_address *address = &self->addresses[self->next_address++];
        int rc = begin_attempt(self, address);

        if (rc == 0) {
            start_stagger(self);
            return ISO_EINPROGRESS;
        }
        note_failure(self, address, rc);
    }
    return iso__list_empty(&self->attempts) ? self->last_error : ISO_EINPROGRESS;
}

/* ---- addresses ---- */

/* The first `first_count` of the family that comes first, then one of each in turn. Source: RFC
 * 8305, 4; asyncio's _interleave_addrinfos. */
static void interleave(connecting *self)
{
    iso_address sorted[ISO__ADDRESSES_MAX];
    int first = iso_address_version(&self->addresses[0]);
    int lead = self->interleave - 1;
    int count = self->address_count;
    int same = 0; /* the next one of the first family, and of another */
    int other = 0;
    int at;

    for (at = 0; at < count; at++) {
        bool wants_same = lead > 0 || (at + (self->interleave - 1)) % 2 == 0;

        if (lead > 0) lead--;
        while (same < count && iso_address_version(&self->addresses[same]) != first) same++;
        while (other < count && iso_address_version(&self->addresses[other]) == first) other++;
        if (other >= count || (wants_same && same < count))
            sorted[at] = self->addresses[same++];
        else
            sorted[at] = self->addresses[other++];
    }
    memcpy(self->addresses, sorted, (size_t)count * sizeof(sorted[0]));
}

/* Answers as next_attempts. */
static int use_addresses(connecting *self, const iso_address *list, int count)
{
    memcpy(self->addresses, list, (size_t)count * sizeof(*list));
    self->address_count = count;
    if (self->interleave > 0 && count > 2) interleave(self);
    return next_attempts(self);
}

static void resolved(void *arg, const iso_address *addresses, int count)
{
    connecting *self = arg;
    int rc;

    self->resolve = NULL;
    rc = count < 0 ? count : use_addresses(self, addresses, count);
    if (rc != ISO_EINPROGRESS) fail_connecting(self, rc);
}

static int find_addresses(connecting *self, const iso_connection_options *options)
{
    iso_address literal[2];
    int count = iso__resolve_literal(options->host, options->port, options->family, false, literal);
    int rc;

    if (count > 0) return use_addresses(self, literal, count);
    if (count < 0) return count;
    rc = iso__resolve_start(&self->resolve, self->base.object.loop, options->host, options->port,
                            options->family, false, resolved, self);
    return rc != 0 ? rc : ISO_EINPROGRESS;
}

/* ---- the call ---- */

static int check_options(const iso_connection_options *options, iso_address *local)
{
    bool has_host = options->host != NULL && options->host[0] != '\0';

    if (has_host == (options->sock != ISO_FD_NONE))
        return iso__error_set(ISO_EINVAL, "create_connection: either host and port, or sock");
    if (options->family != 0 && options->family != 4 && options->family != 6)
        return iso__error_set(ISO_EINVAL, "create_connection: family is 0, 4 or 6");
    if (options->happy_eyeballs_delay < 0 || options->interleave < 0)
        return iso__error_set(ISO_EINVAL,
                              "create_connection: delay and interleave are not negative");
    local->length = 0;
    if (options->local_host != NULL &&
        iso_address_parse(local, options->local_host, options->local_port) != 0)
        return iso__error_set(ISO_EINVAL, "create_connection: local_host is not an address");
    return 0;
}

static int new_connecting(connecting **out, iso_loop *loop, const iso_protocol *protocol, void *arg,
                          const iso_connection_options *options)
{
    connecting *self = iso__object_new(loop, &connecting_class);
    int rc;

    if (self == NULL) return ISO_ENOMEM;
    iso__list_init(&self->attempts);
    self->base.protocol = protocol;
    self->base.self = arg;
    self->base.stop = stop_connecting;
    self->delay = options->happy_eyeballs_delay;
    self->interleave = options->interleave;
    if (self->interleave == 0 && self->delay > 0) self->interleave = 1;
    rc = iso__connecting_open(&self->base);
    if (rc == 0) *out = self;
    return rc;
}

int iso_loop_create_connection(iso_loop *loop, const iso_protocol *protocol, void *arg,
                               const iso_connection_options *given, iso_future **out)
{
    iso_connection_options options = ISO_CONNECTION_OPTIONS_INIT;
    iso_address local;
    connecting *self;
    int rc;

    if (loop == NULL || protocol == NULL || given == NULL) return ISO_EINVAL;
    rc = iso__loop_check(loop);
    if (rc != 0) return rc;
    iso__options_copy(&options, sizeof(options), given, given->size);
    rc = check_options(&options, &local);
    if (rc == 0) rc = new_connecting(&self, loop, protocol, arg, &options);
    if (rc != 0) return rc;
    self->local = local;
    if (options.sock != ISO_FD_NONE) {
        rc = iso__connecting_adopt(&self->base, options.sock);
        if (rc != 0) return iso__connecting_refuse(&self->base, rc); /* it is still the caller's */
        iso__future_give(self->base.future, out);
        return 0;
    }
    rc = find_addresses(self, &options);
    if (rc == ISO_ELIMIT || rc == ISO_ENOMEM) return iso__connecting_refuse(&self->base, rc);
    iso__future_give(self->base.future, out);
    if (rc != ISO_EINPROGRESS) fail_connecting(self, rc);
    return 0;
}
