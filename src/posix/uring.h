/* SPDX-License-Identifier: MIT */
/* The inside of the driver over io_uring, for its own files:
 *
 *   drv_uring.c       a turn, waking, taking descriptors up and giving them up
 *   uring_ring.c      the mapped rings: setting up, entering, taking what came
 *   uring_probe.c     whether the running system has what the driver needs
 *   uring_channel.c   requests: asked for, submitted, cancelled, finished
 *   uring_buffers.c   the ring of buffers that receives choose from
 *   uring_recv.c      receives
 *   uring_accept.c    accepts
 *   uring_recvfrom.c  datagrams
 *   uring_watch.c     readiness, for who does the rest himself
 *   uring_once.c      sends, connections, files: what the owner asks for once
 *   uring_abi.h       the kernel's side
 *
 * A request that was submitted, and memory that goes with it, stay where they are until its last
 * completion has come, whatever was closed meanwhile. So they live in a channel, or in a record of
 * uring_once.c, which outlive the io that they were made for. Nothing is submitted by itself: what
 * is asked for is queued, and goes to the kernel with the one call that waits as well. */
#ifndef ISO_POSIX_URING_H
#define ISO_POSIX_URING_H

#include "base/buffer.h"
#include "base/list.h"
#include "engine/driver.h"
#include "sys/wake.h"
#include "uring_abi.h"

typedef struct iso__uring iso__uring;
typedef struct iso__channel iso__channel;
typedef struct iso__request iso__request;

/* ---- requests and channels ---- */

typedef enum iso__request_state {
    ISO__REQUEST_IDLE = 0,
    ISO__REQUEST_QUEUED, /* to be submitted before the next wait */
    ISO__REQUEST_HELD    /* by the kernel */
} iso__request_state;

struct iso__request {
    iso__link link;        /* in the driver's `queued` or `held` */
    iso__link cancel_link; /* in its `cancels` */
    iso__channel *channel; /* NULL: the driver's own, which nobody counts */
    /* Describe it to the kernel; again, if it has to begin anew. */
    void (*fill)(iso__request *request, iso__uring_sqe *sqe);
    /* A completion: a count or -errno, and its flags. The state is idle when it was the last one.
     * It calls nobody: it links what is to run. The io may be detached. */
    void (*finished)(iso__request *request, int result, unsigned flags);
    uint8_t state;
    bool is_cancelled;
};

/* What the request `in` does for its channel. */
typedef enum iso__channel_use {
    ISO__USE_NOTHING = 0,
    ISO__USE_POLL,     /* waits until it can be read, once */
    ISO__USE_MULTISHOT /* receives, or accepts, again and again */
} iso__channel_use;

/* What the driver has of a descriptor; it is freed when that is detached and nothing is held. */
struct iso__channel {
    iso__link link; /* in the driver's idle list: to be started before the next wait */
    iso__uring *driver;
    iso__io *io; /* NULL: detached */
    /* Start what the io's mode wants and is not under way; told whenever the channel was idle. */
    void (*start)(iso__channel *channel);
    int fd;
    uint16_t held;   /* requests, by the kernel */
    uint16_t busy;   /* calls that use it */
    uint8_t use;     /* of `in`: an iso__channel_use */
    bool is_pipe;    /* read and write, as the medium says */
    bool is_ready;   /* a poll said that it can be read */
    bool is_starved; /* there was no buffer, and no memory for one */
    bool has_ended;  /* the receive has brought the end, or an error, */
    int result;      /* this one */
    uint32_t events; /* that `in` waits for, if it is a poll */
    /* What a receive has brought: copies, of what nobody wanted when it came; then buffers. */
    iso__byte_queue kept;
    int32_t first_buffer; /* -1: none */
    int32_t last_buffer;
    void *acceptor;  /* of uring_accept.c */
    iso__op *writer; /* what waits until it can be written */
    iso__request in;
    iso__request out; /* waits until it can be written */
};

/* ---- the rings ---- */

/* How large rings and buffers are at first. A test makes them tiny. */
typedef struct iso__uring_sizes {
    uint32_t sq_entries;
    uint32_t cq_entries;
    uint32_t buffer_bytes;
    uint32_t first_buffers;  /* how many there are at first, */
    uint32_t buffer_entries; /* and at most: a power of two, 32768 at most */
    bool without_defer;      /* as if the kernel had no DEFER_TASKRUN */
} iso__uring_sizes;

/* Those of the next driver. */
extern iso__uring_sizes iso__uring_sizes_of_new;

typedef struct iso__ring {
    int fd; /* -1: none */
    bool is_enabled;
    uint32_t setup_flags;
    uint32_t to_submit;
    uint32_t sq_mask;
    uint32_t cq_mask;
    uint32_t sq_entries;
    uint32_t sq_tail;
    iso__uring_word *shared_sq_head;
    iso__uring_word *shared_sq_tail;
    iso__uring_word *shared_sq_flags;
    iso__uring_word *shared_cq_head;
    iso__uring_word *shared_cq_tail;
    iso__uring_sqe *sqes;
    iso__uring_cqe *cqes;
    void *rings;
    size_t rings_bytes;
    size_t sqes_bytes;
} iso__ring;

/* ---- buffers ---- */

/* One that the kernel has filled is its channel's until it was told. */
typedef struct iso__uring_buffer {
    unsigned char *data;
    uint32_t size; /* of what is in it */
    int32_t next;  /* in its channel */
    bool is_out;   /* of the ring: a channel has it */
} iso__uring_buffer;

enum { ISO__BUFFER_CHUNKS = 16 };

typedef struct iso__uring_buffers {
    iso__uring_buf *ring; /* NULL: not opened yet */
    iso__uring_buffer *all;
    uint32_t count; /* buffers there are, */
    uint32_t entries;
    uint32_t bytes; /* each of this size, */
    uint16_t tail;
    bool is_registered;
    unsigned chunk_count;
    struct {
        unsigned char *memory;
        size_t bytes;
    } chunks[ISO__BUFFER_CHUNKS];
} iso__uring_buffers;

/* ---- the driver ---- */

enum { ISO__URING_SPARE = 4096, ISO__URING_LARGE = 64 * 1024 };

struct iso__uring {
    iso__driver base;
    iso__uring_sizes sizes;
    iso__ring ring;
    iso__link idle;    /* channels that may have something to start */
    iso__link queued;  /* requests, to be submitted; */
    iso__link cancels; /* those that are to be cancelled; */
    iso__link held;    /* those that the kernel has, */
    size_t held_count;
    iso__wake wake;
    iso__request wake_request;
    bool was_woken;       /* since the last turn ended */
    bool is_woken;        /* the next wait is none */
    int rests;            /* turns in a row that did not enter the ring */
    bool is_busy;         /* in a turn, or submitting */
    iso__wake embedded;   /* who waits on this reads of completions there; ISO_FD_NONE: nobody */
    unsigned char *large; /* to read pipes and datagrams into, and only that */
    void *free_once;      /* free records of uring_once.c */
    iso__uring_buffers buffers;
    unsigned char spare[ISO__URING_SPARE]; /* to read into for want of memory */
};

static inline iso__channel *iso__channel_of(const iso__io *io)
{
    return io->own.channel;
}

static inline iso__uring *iso__uring_of(iso__driver *driver)
{
    return (iso__uring *)driver;
}

/* ---- uring_ring.c ---- */

/* Set up and map a ring. It belongs to no thread until it is entered. Returns 0, or -errno. */
int iso__ring_open(iso__ring *ring, const iso__uring_sizes *sizes);
void iso__ring_close(iso__ring *ring);

/* The next entry to submit, zeroed; NULL: the ring is full, enter it. */
iso__uring_sqe *iso__ring_entry(iso__ring *ring);

/* Submit, and wait at most `timeout` for one completion (0: only look). Returns 0, also when the
 * time is over or a signal came; or -errno: -EEXIST, the ring belongs to another thread; -EBUSY,
 * take completions first. */
int iso__ring_enter(iso__ring *ring, iso_nsec timeout);

/* io_uring_register. Returns 0 or -errno. */
int iso__ring_register(const iso__ring *ring, unsigned opcode, const void *arg, unsigned count);

/* Take the next completion out; false: there is none. */
bool iso__ring_take(iso__ring *ring, iso__uring_cqe *out);

/* Whether there are completions, or what leads to some waits in the kernel for one who enters. */
bool iso__ring_has_work(const iso__ring *ring);

/* ---- uring_probe.c ---- */

/* Why the running system has not what the driver needs, a static text; NULL: it has. Thread: any.
 * Asked once in the life of a process. */
const char *iso__uring_missing(void);

/* ---- drv_uring.c ---- */

/* Submit what is queued now, without waiting, if somebody waits on the loop's descriptor; else it
 * goes with the next turn. */
void iso__uring_touched(iso__uring *self);

/* Submit it now in any case. */
void iso__uring_submit(iso__uring *self);

/* ---- uring_channel.c ---- */

/* Have a request submitted before the next wait. It is idle. */
void iso__request_begin(iso__request *request);

/* Have it end. Answers true if it is idle now: it was not submitted yet, or not begun. */
bool iso__request_cancel(iso__request *request);

/* Move as many as there is place for to the submission ring. Answers whether that was all. */
bool iso__requests_fill(iso__uring *self);

/* A completion came. Answers whether it counts as an event. */
bool iso__request_complete(iso__uring *self, const iso__uring_cqe *cqe);

/* The ring is gone, and with it what the kernel held: what was not cancelled begins anew. */
void iso__requests_restart(iso__uring *self);

/* Have the channel started before the next wait. */
void iso__channel_idle(iso__channel *channel);

/* A channel of an io; NULL: out of memory. And free it if it is detached and nothing is held. */
iso__channel *iso__channel_new(iso__uring *self, iso__io *io);
void iso__channel_free_if_over(iso__channel *channel);

/* A call of the owner's is over, for which the channel was made busy: have it started before the
 * next wait, not earlier, or free it if it is over. */
void iso__channel_unbusy(iso__channel *channel);

/* The events of a poll: the two halves of the word change places where the higher one comes first.
 * Source: io_uring_enter(2), IORING_OP_POLL_ADD. */
static inline uint32_t iso__uring_poll_word(uint32_t events)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return events << 16 | events >> 16;
#else
    return events;
#endif
}

/* Describe a poll of the channel's descriptor, once. */
void iso__channel_fill_poll(const iso__channel *channel, iso__uring_sqe *sqe, uint32_t events);

/* Begin to wait until the channel can be read, `events` say how; `finished` is told. */
void iso__channel_poll(iso__channel *channel, uint32_t events,
                       void (*finished)(iso__request *request, int result, unsigned flags));

/* The same, for writing. */
void iso__channel_poll_out(iso__channel *channel);

/* ---- uring_buffers.c ---- */

/* Make the first buffers, if there are none. Returns 0 or ISO_ENOMEM. */
int iso__buffers_open(iso__uring *self);

/* Have the kernel know them. Answers whether it does. Thread: the one that enters the ring. */
bool iso__buffers_register(iso__uring *self);

/* More of them, if there may be. Returns whether there are. */
bool iso__buffers_grow(iso__uring *self);

/* Give one back to the kernel. */
void iso__buffers_give(iso__uring *self, int32_t index);
void iso__buffers_free(iso__uring *self);

/* ---- uring_recv.c, uring_accept.c, uring_recvfrom.c, uring_watch.c, uring_once.c: the driver's
 * functions ---- */

int iso__uring_recv_start(iso__driver *driver, iso__io *io);
void iso__uring_recv_stop(iso__driver *driver, iso__io *io);
int iso__uring_accept_start(iso__driver *driver, iso__io *io, int max);
void iso__uring_accept_stop(iso__driver *driver, iso__io *io);
int iso__uring_recvfrom_start(iso__driver *driver, iso__io *io);
void iso__uring_recvfrom_stop(iso__driver *driver, iso__io *io);
int iso__uring_watch(iso__driver *driver, iso__io *io, unsigned events);
int iso__uring_send(iso__driver *driver, iso__op *op);
int iso__uring_sendto(iso__driver *driver, iso__op *op);
int iso__uring_connect(iso__driver *driver, iso__op *op, const iso_address *address);
int iso__uring_sendfile(iso__driver *driver, iso__op *op);
bool iso__uring_withdraw(iso__driver *driver, iso__op *op);

/* Memory to read pipes and datagrams into. Returns 0 or ISO_ENOMEM. */
int iso__uring_need_large(iso__uring *self);

/* What a detached channel had received goes. */
void iso__channel_drop_received(iso__channel *channel);

/* Whom it had accepted is closed; the memory stays until free. */
void iso__channel_drop_accepted(iso__channel *channel);
void iso__channel_free_acceptor(iso__channel *channel);

/* What waited to write can try: told by the poll of `out`. */
void iso__channel_writable(iso__request *request, int result, unsigned flags);

/* The driver goes: free the records of what was asked for once. */
void iso__uring_free_once(iso__uring *self);

#endif
