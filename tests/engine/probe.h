/* SPDX-License-Identifier: MIT */
/* What the tests of drivers share: an owner of a descriptor that writes down what it is told, and
 * turns until it was told. */
#ifndef ISO_TESTS_ENGINE_PROBE_H
#define ISO_TESTS_ENGINE_PROBE_H

#include "engine/driver.h"
#include "engine/engine.h"
#include "kit.h"

enum { READ = ISO_EVENT_READ, WRITE = ISO_EVENT_WRITE, GONE = ISO_EVENT_GONE };
enum { PROBE_ACCEPTS = 8 };

typedef struct probe {
    iso__io io;
    iso__op op;
    kit *k;
    iso__engine *engine;
    const char *name; /* its marks begin with it; NULL: it makes none */
    int told;         /* how often, of anything */
    ptrdiff_t last;
    ptrdiff_t result; /* of the operation */
    int results;
    size_t total;
    char bytes[256]; /* the first ones that came */
    const void *data;
    char *lent; /* memory to read into */
    size_t lent_size;
    iso_fd accepted[PROBE_ACCEPTS]; /* the last ones */
    int accepted_count;
    int accept_most;                  /* then it says stop */
    iso_address peer;                 /* or who sent a datagram */
    bool is_last_one;                 /* of a datagram it says stop */
    void (*then)(struct probe *self); /* what it does when it is told */
    struct probe *other;
    bool is_checked; /* what comes should be probe_byte after probe_byte */
} probe;

extern const iso__io_class probe_reading;
extern const iso__io_class probe_lending;
extern const iso__io_class probe_accepting;
extern const iso__io_class probe_taking;
extern const iso__io_class probe_taking_lent;
extern const iso__io_class probe_watching;

/* The byte at a place of the stream that is_checked expects. */
static inline char probe_byte(size_t place)
{
    return (char)(place * 7 + (place >> 8) * 3);
}

/* Fill with it from a place on. */
void probe_fill(char *out, size_t size, size_t place);

static inline iso__driver *driver_of(const probe *self)
{
    return self->engine->driver;
}

/* Whether a driver waits for readiness: then what it told can be said to the turn. */
bool is_reactor(const iso__engine *engine);

/* Set a probe up; and attach it, as the engine does, too. */
void prepare(kit *k, iso__engine *engine, probe *self, iso_fd fd, const iso__io_class *kind);
void attach(kit *k, iso__engine *engine, probe *self, iso_fd fd, const iso__io_class *kind);
void detach(probe *self);

/* Detach it, and close the descriptor, which is the kit's, right away. */
void detach_and_close(probe *self);

/* The functions of the driver, on a probe. */
int start_recv(probe *self);
void stop_recv(probe *self);
int start_accept(probe *self, int max);
void stop_accept(probe *self);
int start_recvfrom(probe *self);
void stop_recvfrom(probe *self);
int start_sendto(probe *self, const iso_buffer *data, const iso_address *to);
int watch(probe *self, unsigned events);
int start_send(probe *self, const iso_buffer *list, size_t count);
int start_connect(probe *self, const iso_address *address);
int start_sendfile(probe *self, iso_fd file, uint64_t offset, size_t size);
bool withdraw(probe *self);

/* One turn that does not wait. */
void turn(iso__engine *engine);

/* Turns until the probe was told so often, or fail after a generous time. told_exactly has one turn
 * more, and demands that it was not told more often. */
void turn_until(probe *self, int told);
void turn_until_done(probe *self, int results);
void told_exactly(probe *self, int told);

/* See to it, as well as one can, that what was sent to an attached probe has arrived: a driver that
 * waits for readiness leaves it in the descriptor, another may have taken it. */
void let_arrive(probe *self);

/* Turns until the kernel holds nothing; at the end of a case, when all probes are detached: nothing
 * is attached either but what was at first. */
void let_go(iso__engine *engine);
void finish(iso__engine *engine);

#endif
