/* SPDX-License-Identifier: MIT */
/* What the turn runs, and what a driver works on: nodes, descriptors, operations. All are embedded
 * in the objects that they belong to; nothing here is allocated. */
#ifndef ISO_ENGINE_OP_H
#define ISO_ENGINE_OP_H

#include "base/list.h"
#include "isoloop/selector.h"

typedef struct iso__engine iso__engine;
typedef struct iso__node iso__node;
typedef struct iso__io iso__io;
typedef struct iso__op iso__op;

/* Something that can be linked on the ready list. `run` is called by the turn, the node unlinked;
 * it may free the object that holds it. While the engine is closing it only gives back what it
 * holds. */
struct iso__node {
    iso__link link;
    void (*run)(iso__engine *engine, iso__node *node);
};

/* What the owner of a descriptor is told, each from a turn, each as the last thing its caller does
 * with the io: the owner may detach and free it. An owner fills the slots of the modes that it
 * starts. */
typedef struct iso__io_class {
    /* recv_start: `size` bytes at `data`, borrowed; 0: the stream has ended; < 0: an error. */
    void (*received)(iso__io *io, const void *data, ptrdiff_t size);
    /* recv_start, recvfrom_start: where to read into, lent until told; NULL: into memory of the
     * driver's. Nothing is taken from the kernel before there is somebody to tell it to. */
    void (*lend)(iso__io *io, void **buffer, size_t *size);
    /* accept_start: one connection, given, with its peer; or an error and ISO_FD_NONE. Answers
     * whether to go on; after false the driver does not touch the io again. */
    bool (*accepted)(iso__io *io, int error, iso_fd fd, const iso_address *peer);
    /* recvfrom_start: one datagram, borrowed, and who sent it; or an error that the socket was told
     * of (`data` and `from` are NULL then); or ISO_EMSGSIZE: it was longer than the memory, which
     * has its beginning, and `from` says who sent it. Answers as `accepted`. */
    bool (*datagram)(iso__io *io, const void *data, ptrdiff_t size, const iso_address *from);
    /* watch: READ or WRITE, one at a time; or GONE when the descriptor was closed. An owner that
     * fills this slot has the driver do nothing else. */
    void (*ready)(iso__io *io, unsigned events);
} iso__io_class;

typedef enum iso__io_mode {
    ISO__IO_IDLE = 0,
    ISO__IO_RECV,
    ISO__IO_ACCEPT,
    ISO__IO_RECVFROM,
    ISO__IO_WATCH
} iso__io_mode;

/* What a descriptor is, as far as reading and writing it goes. */
typedef enum iso__medium {
    ISO__MEDIUM_SOCKET = 0,
    ISO__MEDIUM_PIPE /* a pipe, a FIFO, a terminal; on Windows a handle that ReadFile takes */
} iso__medium;

/* One descriptor that a driver knows. The owner sets `fd`, `kind` and `medium` before attach; the
 * rest is the driver's. */
struct iso__io {
    iso__node node;
    iso_fd fd;
    const iso__io_class *kind;
    union {
        iso__op *writer; /* reactor: the one-shot operation that waits for it */
        void *channel;   /* a proactor: what it keeps until the kernel has let go of it */
    } own;
    uint8_t medium;     /* an iso__medium */
    uint8_t mode;       /* what reading means: an iso__io_mode */
    uint8_t wants;      /* ISO_EVENT bits asked for (of a proactor: by watch), */
    uint8_t registered; /* reactor: those that the selector has, */
    uint8_t fired;      /* and those that came and were not acted on yet */
    bool is_attached;
    uint16_t accepts_per_turn;
};

typedef enum iso__op_verb {
    ISO__OP_SEND = 0,
    ISO__OP_SENDTO,
    ISO__OP_CONNECT,
    ISO__OP_SENDFILE
} iso__op_verb;

/* A one-shot operation: perform, then done. The owner sets `io`, `done` and what the verb takes. */
struct iso__op {
    iso__node node;
    iso__io *io;
    /* A count, 0, or an error. Called from a turn, the operation being the owner's again. Of one
     * that was withdrawn the io may be gone. */
    void (*done)(iso__op *op, ptrdiff_t result);
    union {
        struct {
            const iso_buffer *list; /* lent until done, and what it points to; sendto: one */
            size_t count;
            const iso_address *to; /* sendto: lent until done; NULL: to whom it is connected */
        } send;
        struct {
            iso_fd fd; /* a regular file, */
            uint64_t offset;
            size_t size; /* and how much of it at most; not 0 */
        } file;
    } what;
    ptrdiff_t result; /* while the node is linked: of what is done, and was not told yet */
    void *request;    /* a proactor: what the kernel holds for it; NULL: nothing */
    iso__op_verb verb;
};

/* What an operation that is done, and was not told yet, has brought; else 0. Asked before withdraw,
 * after which nobody is told. */
static inline ptrdiff_t iso__op_untold(const iso__op *op)
{
    return iso__link_is_in(&op->node.link) ? op->result : 0;
}

#endif
