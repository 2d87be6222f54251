/* SPDX-License-Identifier: MIT */
#include "loop/port.h"

#include "base/alloc.h"
#include "loop/loop.h"
#include "sys/thread.h"

struct iso__port {
    iso__mutex lock;
    iso_loop *loop; /* under `lock`; NULL: it has closed */
    iso__atomic_u32 references;
};

static iso__port *share(iso__port *port)
{
    (void)iso__atomic_add_u32(&port->references, 1);
    return port;
}

int iso__port_of(iso_loop *loop, iso__port **out)
{
    if (loop->port == NULL) {
        iso__port *made = iso__alloc_zero(&iso__default_allocator, sizeof(*made));

        if (made == NULL) return ISO_ENOMEM;
        iso__sys_mutex_init(&made->lock);
        made->loop = loop;
        iso__atomic_store_u32(&made->references, 1);
        loop->port = made;
    }
    *out = share(loop->port);
    return 0;
}

void iso__port_release(iso__port *port)
{
    if (iso__atomic_add_u32(&port->references, UINT32_MAX) != 1) return;
    iso__sys_mutex_close(&port->lock);
    iso__free(&iso__default_allocator, port, sizeof(*port));
}

/* Under the lock the loop can't close, so its engine is there. The node, with the reference of
 * whoever posts it, may be gone before the lock is given up: hence one more. */
bool iso__port_post(iso__port *port, iso__node *node)
{
    bool is_open;

    (void)share(port);
    iso__sys_mutex_lock(&port->lock);
    is_open = port->loop != NULL;
    if (is_open) iso__engine_post(&port->loop->engine, node);
    iso__sys_mutex_unlock(&port->lock);
    iso__port_release(port);
    return is_open;
}

void iso__port_shut(iso_loop *loop)
{
    iso__port *port = loop->port;

    if (port == NULL) return;
    loop->port = NULL;
    iso__sys_mutex_lock(&port->lock);
    port->loop = NULL;
    iso__sys_mutex_unlock(&port->lock);
    iso__port_release(port);
}
