/* SPDX-License-Identifier: MIT */
/* Seam 2: drivers. A driver performs I/O; transports, listeners and sock_ calls speak only to it.
 *
 * The laws of a driver (tests/engine/test_driver.c runs them on each):
 * 1. No function here calls user code, or a function of an iso__io_class or `done`. What finishes
 *    at once is linked on the ready list like everything else, and told from a turn.
 * 2. Data arrives as (pointer, length), borrowed for the length of the call; or, if the owner lends
 *    memory, straight into that.
 * 3. withdraw answers true: the operation is the owner's again, `done` will not come, and nobody is
 *    told whether it was performed; or false: the kernel still holds it, and `done` comes.
 *    recv_stop never loses data that the kernel has taken from the stream: it is kept until
 *    recv_start (asyncio bpo-33694).
 * 4. After detach the driver holds no pointer to the io, and tells nothing more of it. One-shot
 *    operations are withdrawn before. What a receive had brought and was not told is lost, unless
 *    its owner lends memory: then it stays in the stream for who attaches next. The descriptor
 * stays
 *    open: it is the owner's, who may close it right away, whatever the kernel still holds.
 * 5. A refusal leaves everything as it was. */
#ifndef ISO_ENGINE_DRIVER_H
#define ISO_ENGINE_DRIVER_H

#include "base/limits.h"
#include "base/log.h"
#include "engine/op.h"

typedef struct iso__driver iso__driver;

typedef struct iso__driver_class {
    const char *name;
    /* Whether the owner of a stream should try to send by itself before it asks for `send`. */
    bool sends_directly;
    /* Whether the memory of a send is lent to the kernel: it can't be had back at once. */
    bool lends_to_kernel;
    /* How many ios it has attached for itself: the socket that wakes a selector. */
    uint8_t own_ios;
    /* What a connection pins while it waits to be read, at least, and usually. */
    uint16_t pinned_bytes;

    /* Free it; every io is detached before, and nothing is held. */
    void (*close)(iso__driver *driver);
    /* How many operations the kernel holds. A loop that closes makes turns until there are none,
     * and cancels what is left once more now and then. */
    size_t (*held)(const iso__driver *driver);
    void (*cancel_held)(iso__driver *driver);
    /* Wait at most `timeout` ns, link what is ready on the engine's ready list.
     * Returns how many events there were, or what the wait failed with. */
    int (*turn)(iso__driver *driver, iso_nsec timeout);
    /* End a wait of turn, or have the next one not wait. Thread: any. */
    void (*wake)(iso__driver *driver);
    /* A descriptor that is readable when turn would find events; ISO_FD_NONE: there is none. */
    iso_fd (*descriptor)(iso__driver *driver);

    /* Take an io up. Returns 0; ISO_ENOMEM; ISO_EFOREIGNPORT, ISO_ENOTOVERLAPPED (limits rows); or
     * what the system answers. */
    int (*attach)(iso__driver *driver, iso__io *io);
    void (*detach)(iso__driver *driver, iso__io *io);
    /* The library is about to close this descriptor, detached or never attached: another one may
     * have its number next. */
    void (*forget)(iso__driver *driver, iso_fd fd);

    /* Continuous: until stopped, `received`, or `accepted` at most `max` times a turn, or
     * `datagram` a few times a turn, or `ready`.
     * watch takes the events wanted from now on; 0: none. Starting what is started is fine.
     * Return 0, ISO_ENOMEM, or the selector's refusal. */
    int (*recv_start)(iso__driver *driver, iso__io *io);
    void (*recv_stop)(iso__driver *driver, iso__io *io);
    int (*accept_start)(iso__driver *driver, iso__io *io, int max);
    void (*accept_stop)(iso__driver *driver, iso__io *io);
    int (*recvfrom_start)(iso__driver *driver, iso__io *io);
    void (*recvfrom_stop)(iso__driver *driver, iso__io *io);
    int (*watch)(iso__driver *driver, iso__io *io, unsigned events);

    /* One-shot, one at a time for an io: some bytes of the list; a datagram; a connection, or,
     * where the io is the instance of a named pipe and there is no address, its client; some bytes
     * of a file, 0 at its end. Return 0, and `done` will come; or ISO_ENOMEM, ISO_ENOTSUP (a file
     * that can only be copied), or the selector's refusal, and it will not. */
    int (*send)(iso__driver *driver, iso__op *op);
    int (*sendto)(iso__driver *driver, iso__op *op);
    int (*connect)(iso__driver *driver, iso__op *op, const iso_address *address);
    int (*sendfile)(iso__driver *driver, iso__op *op);
    /* Of an operation that is not under way: true. */
    bool (*withdraw)(iso__driver *driver, iso__op *op);
} iso__driver_class;

/* What every driver begins with: of the engine it needs these only. */
struct iso__driver {
    const iso__driver_class *kind;
    iso__engine *engine;
    iso__link *ready; /* the engine's list of what runs next, */
    iso__link *batch; /* and of what still runs in this turn */
    const iso_allocator *allocator;
    iso__limits *limits;
    const iso__logger *logger;
    iso_nsec resolution; /* of its waits, if it knows better than the system's clock; else 0 */
};

/* Fill that in. */
void iso__driver_init(iso__driver *driver, const iso__driver_class *kind, iso__engine *engine);

/* Link a node at the end of the ready list; one that is on it already stays where it is. */
static inline void iso__driver_ready(iso__driver *driver, iso__node *node)
{
    if (!iso__link_is_in(&node->link)) iso__list_push(driver->ready, &node->link);
}

/* Have a node that runs, and is not linked any more, run once more, before all others. */
static inline void iso__driver_again(iso__driver *driver, iso__node *node)
{
    iso__list_push_front(driver->batch, &node->link);
}

/* Which rows of the limits table a proactor is subject to. */
typedef enum iso__proactor_id { ISO__PROACTOR_IOCP = 1, ISO__PROACTOR_URING } iso__proactor_id;

/* One proactor of this build. open returns 0 and gives *out; ISO_ENOMEM, ISO_EMFILE, or what the
 * system answers. */
typedef struct iso__proactor {
    const char *name;
    iso__proactor_id id;
    int (*open)(iso__driver **out, iso__engine *engine);
    /* Why the running system has not what it needs, a static text; NULL: it has. Thread: any. */
    const char *(*missing)(void);
} iso__proactor;

/* The proactors of this build, the best first, NULL at the end: src/posix/table.c,
 * src/win32/table.c. */
extern const iso__proactor *const iso__proactor_table[];

extern const iso__proactor iso__proactor_iocp;
extern const iso__proactor iso__proactor_uring;

#endif
