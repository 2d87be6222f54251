/* SPDX-License-Identifier: MIT */
#include "loop/resolve.h"

#include "base/alloc.h"
#include "loop/loop.h"
#include "sys/resolve.h"
#include "sys/thread.h"

#include <string.h>

/* A look-up. Its thread writes what it found and posts the node; the loop joins the thread when the
 * node runs, or, closing, before. So the memory is never the thread's alone. */
struct iso__resolve {
    iso__object object;
    iso__node node;
    iso__thread thread;
    iso__resolved done; /* NULL: cancelled */
    void *arg;
    char *host; /* NULL: every interface */
    uint16_t port;
    int version;
    bool passive;
    int count;
    iso_address found[ISO__ADDRESSES_MAX];
};

static void look_up(void *arg)
{
    iso__resolve *self = arg;

    self->count = iso__sys_resolve(self->host, self->port, self->version, self->passive,
                                   self->found, ISO__ADDRESSES_MAX);
    iso__engine_post(&self->object.loop->engine, &self->node);
}

static void run_resolved(iso__engine *engine, iso__node *node)
{
    iso__resolve *self = ISO__CONTAINER(node, iso__resolve, node);

    (void)engine;
    if (iso__object_is_open(&self->object)) iso__sys_thread_join(self->thread);
    iso__object_close(&self->object);
    if (self->done != NULL) self->done(self->arg, self->found, self->count);
    iso__object_unref(&self->object); /* the thread's */
}

/* The node is in the inbox by then, and runs while the engine closes. */
static void abandon_resolve(iso__object *object)
{
    iso__resolve *self = (iso__resolve *)object;

    self->done = NULL;
    iso__sys_thread_join(self->thread);
    iso__object_close(object);
}

static void finish_resolve(iso__object *object)
{
    iso__resolve *self = (iso__resolve *)object;

    if (self->host != NULL)
        iso__free(iso__loop_allocator(object->loop), self->host, strlen(self->host) + 1);
}

static const iso__object_class resolve_class = {
    .name = "look-up of a host name",
    .abandon = abandon_resolve,
    .finish = finish_resolve,
    .size = sizeof(iso__resolve),
};

int iso__resolve_start(iso__resolve **out, iso_loop *loop, const char *host, uint16_t port,
                       int version, bool passive, iso__resolved done, void *arg)
{
    iso__resolve *self = iso__object_new(loop, &resolve_class);
    int rc = 0;

    if (self == NULL) return ISO_ENOMEM;
    self->node.run = run_resolved;
    self->done = done;
    self->arg = arg;
    self->port = port;
    self->version = version;
    self->passive = passive;
    self->host = iso__alloc_string(iso__loop_allocator(loop), host);
    if (self->host == NULL) rc = ISO_ENOMEM;
    if (rc == 0) {
        iso__object_open(&self->object);
        rc = iso__sys_thread_start(&self->thread, look_up, self);
        if (rc != 0) iso__object_close(&self->object);
    }
    if (rc != 0) {
        iso__object_unref(&self->object);
        return rc;
    }
    *out = self;
    return 0;
}

void iso__resolve_cancel(iso__resolve *resolve)
{
    resolve->done = NULL;
}

int iso__resolve_literal(const char *host, uint16_t port, int version, bool passive,
                         iso_address *out)
{
    int count = 0;

    if (passive && (host == NULL || host[0] == '\0')) {
        if (version != 6) (void)iso_address_parse(&out[count++], "0.0.0.0", port);
        if (version != 4) (void)iso_address_parse(&out[count++], "::", port);
        return count;
    }
    if (iso_address_parse(&out[0], host, port) != 0) return 0;
    if (version != 0 && iso_address_version(&out[0]) != version) return ISO_ENONAME;
    return 1;
}
