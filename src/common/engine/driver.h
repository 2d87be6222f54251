/* SPDX-License-Identifier: MIT */
/* Seam 2: drivers. A driver performs I/O; transports, listeners and sock_ calls speak only to it.
 *
 * The laws of a driver (tests/engine/test_driver.c runs them on each):
 * 1. No function here calls user code, or a function of an iso__io_class or `done`. What finishes
 * at
 *    once is linked on the ready list like everything else, and told from a turn.
 * 2. Data arrives as (pointer, length), borrowed for the length of the call; or, if the owner lends
 *    memory, straight into that.
 * 3. withdraw answers true: the operation is the owner's again, `done` will not come; or false: the
 *    kernel still holds it, and `done` comes. recv_stop never loses data that the kernel has taken
 *    from the stream: it is kept until recv_start (asyncio bpo-33694).
 * 4. After detach the driver holds no pointer to the io, and tells nothing more of it. One-shot
 *    operations are withdrawn before. The descriptor stays open: it is the owner's.
 * 5. A refusal leaves everything as it was. */
#ifndef ISO_ENGINE_DRIVER_H
#define ISO_ENGINE_DRIVER_H

#include "engine/op.h"

typedef struct iso__driver iso__driver;

typedef struct iso__driver_class {
    const char *name;
    /* Whether the owner of a stream should try to send by itself before it asks for `send`. */
    bool sends_directly;

    /* Free it; every io is detached before. */
    void (*close)(iso__driver *driver);
    /* Wait at most `timeout` ns, link what is ready on the engine's ready list.
     * Returns how many events there were, or what the wait failed with. */
    int (*turn)(iso__driver *driver, iso_nsec timeout);
    /* End a wait of turn, or have the next one not wait. Thread: any. */
    void (*wake)(iso__driver *driver);
    /* A descriptor that is readable when turn would find events; ISO_FD_NONE: there is none. */
    iso_fd (*descriptor)(iso__driver *driver);

    /* Take an io up. Returns 0 or what the system answers. */
    int (*attach)(iso__driver *driver, iso__io *io);
    void (*detach)(iso__driver *driver, iso__io *io);

    /* Continuous: until stopped, `received`, or `accepted` at most `max` times a turn, or `ready`.
     * watch takes the events wanted from now on; 0: none. Starting what is started is fine.
     * Return 0, ISO_ENOMEM, or the selector's refusal. */
    int (*recv_start)(iso__driver *driver, iso__io *io);
    void (*recv_stop)(iso__driver *driver, iso__io *io);
    int (*accept_start)(iso__driver *driver, iso__io *io, int max);
    void (*accept_stop)(iso__driver *driver, iso__io *io);
    int (*watch)(iso__driver *driver, iso__io *io, unsigned events);

    /* One-shot, one at a time for an io: some bytes of the list; a connection. Return 0, and `done`
     * will come; or the selector's refusal, and it will not. */
    int (*send)(iso__driver *driver, iso__op *op);
    int (*connect)(iso__driver *driver, iso__op *op, const iso_address *address);
    bool (*withdraw)(iso__driver *driver, iso__op *op);
} iso__driver_class;

/* What every driver begins with. */
struct iso__driver {
    const iso__driver_class *kind;
    iso__engine *engine;
};

#endif
