/* SPDX-License-Identifier: MIT */
/* What the kernel's io_uring looks like from outside: three calls, two rings, and the numbers. The
 * system's header is not asked: one that is older than the kernel has half of it, and musl has
 * none. Source: io_uring(7), io_uring_setup(2), io_uring_enter(2), io_uring_register(2). */
#ifndef ISO_POSIX_URING_ABI_H
#define ISO_POSIX_URING_ABI_H

#include <stdatomic.h>
#include <stdint.h>

/* The same on every architecture that is newer than the common numbers; Alpha has others. */
#if defined(__alpha__)
enum { ISO__SYS_URING_SETUP = 535, ISO__SYS_URING_ENTER = 536, ISO__SYS_URING_REGISTER = 537 };
#elif defined(__mips__) && defined(_ABIO32) && _MIPS_SIM == _ABIO32
enum { ISO__SYS_URING_SETUP = 4425, ISO__SYS_URING_ENTER = 4426, ISO__SYS_URING_REGISTER = 4427 };
#elif defined(__mips__) && defined(_ABI64) && _MIPS_SIM == _ABI64
enum { ISO__SYS_URING_SETUP = 5425, ISO__SYS_URING_ENTER = 5426, ISO__SYS_URING_REGISTER = 5427 };
#elif defined(__mips__)
enum { ISO__SYS_URING_SETUP = 6425, ISO__SYS_URING_ENTER = 6426, ISO__SYS_URING_REGISTER = 6427 };
#else
enum { ISO__SYS_URING_SETUP = 425, ISO__SYS_URING_ENTER = 426, ISO__SYS_URING_REGISTER = 427 };
#endif

/* ---- submission ---- */

typedef struct iso__uring_sqe {
    uint8_t opcode;
    uint8_t flags;
    uint16_t ioprio; /* of receives and accepts: more flags */
    int32_t fd;
    uint64_t off;
    uint64_t addr;
    uint32_t len;
    uint32_t op_flags; /* of messages, of accept; the events of a poll */
    uint64_t user_data;
    uint16_t buf_group;
    uint16_t personality;
    int32_t file_index;
    uint64_t unused[2];
} iso__uring_sqe;

_Static_assert(sizeof(iso__uring_sqe) == 64, "an entry of the submission ring");

enum {
    ISO__URING_OP_POLL_ADD = 6,
    ISO__URING_OP_SENDMSG = 9,
    ISO__URING_OP_ACCEPT = 13,
    ISO__URING_OP_ASYNC_CANCEL = 14,
    ISO__URING_OP_SEND = 26,
    ISO__URING_OP_RECV = 27
};

enum { ISO__URING_SQE_BUFFER_SELECT = 1 << 5 };
enum { ISO__URING_POLL_MULTI = 1 };       /* in len */
enum { ISO__URING_RECV_MULTISHOT = 2 };   /* in ioprio; Linux 6.0 */
enum { ISO__URING_ACCEPT_MULTISHOT = 1 }; /* in ioprio; Linux 5.19 */

/* ---- completion ---- */

typedef struct iso__uring_cqe {
    uint64_t user_data;
    int32_t result; /* or -errno */
    uint32_t flags;
} iso__uring_cqe;

enum {
    ISO__URING_CQE_BUFFER = 1, /* which one stands in the upper half */
    ISO__URING_CQE_MORE = 2,   /* its request goes on */
    ISO__URING_CQE_BUFFER_SHIFT = 16
};

/* ---- io_uring_setup ---- */

enum {
    ISO__URING_SETUP_CQSIZE = 1 << 3,
    ISO__URING_SETUP_R_DISABLED = 1 << 6,
    ISO__URING_SETUP_SUBMIT_ALL = 1 << 7,
    ISO__URING_SETUP_COOP_TASKRUN = 1 << 8,
    ISO__URING_SETUP_TASKRUN_FLAG = 1 << 9,
    ISO__URING_SETUP_SINGLE_ISSUER = 1 << 12, /* Linux 6.0 */
    ISO__URING_SETUP_DEFER_TASKRUN = 1 << 13  /* Linux 6.1 */
};

enum {
    ISO__URING_FEAT_SINGLE_MMAP = 1 << 0,
    ISO__URING_FEAT_NODROP = 1 << 1,
    ISO__URING_FEAT_SUBMIT_STABLE = 1 << 2,
    ISO__URING_FEAT_FAST_POLL = 1 << 5,
    ISO__URING_FEAT_EXT_ARG = 1 << 8
};

/* What both sides read and write. */
typedef struct iso__uring_word {
    _Atomic(uint32_t) value;
} iso__uring_word;

/* Where things lie in the mapped rings. */
typedef struct iso__uring_sq_offsets {
    uint32_t head;
    uint32_t tail;
    uint32_t ring_mask;
    uint32_t ring_entries;
    uint32_t flags;
    uint32_t dropped;
    uint32_t array;
    uint32_t unused1;
    uint64_t unused2;
} iso__uring_sq_offsets;

typedef struct iso__uring_cq_offsets {
    uint32_t head;
    uint32_t tail;
    uint32_t ring_mask;
    uint32_t ring_entries;
    uint32_t overflow;
    uint32_t cqes;
    uint32_t flags;
    uint32_t unused1;
    uint64_t unused2;
} iso__uring_cq_offsets;

typedef struct iso__uring_params {
    uint32_t sq_entries;
    uint32_t cq_entries;
    uint32_t flags;
    uint32_t sq_thread_cpu;
    uint32_t sq_thread_idle;
    uint32_t features;
    uint32_t wq_fd;
    uint32_t unused[3];
    iso__uring_sq_offsets sq_off;
    iso__uring_cq_offsets cq_off;
} iso__uring_params;

/* In the flags of the submission ring. */
enum { ISO__URING_SQ_CQ_OVERFLOW = 1 << 1, ISO__URING_SQ_TASKRUN = 1 << 2 };

/* What to map: both rings are one mapping since FEAT_SINGLE_MMAP. */
#define ISO__URING_OFF_RINGS 0
#define ISO__URING_OFF_SQES 0x10000000

/* ---- io_uring_enter ---- */

enum { ISO__URING_ENTER_GETEVENTS = 1, ISO__URING_ENTER_EXT_ARG = 1 << 3 };

typedef struct iso__uring_timespec {
    int64_t seconds;
    int64_t nanoseconds;
} iso__uring_timespec;

typedef struct iso__uring_getevents_arg {
    uint64_t sigmask;
    uint32_t sigmask_size;
    uint32_t unused;
    uint64_t timespec;
} iso__uring_getevents_arg;

/* ---- io_uring_register ---- */

enum {
    ISO__URING_REGISTER_EVENTFD = 4,
    ISO__URING_REGISTER_ENABLE_RINGS = 12,
    ISO__URING_REGISTER_PBUF_RING = 22 /* Linux 5.19 */
};

/* The ring of provided buffers. Its tail lies over `tail` of the first entry. */
typedef struct iso__uring_buf {
    uint64_t addr;
    uint32_t len;
    uint16_t bid;
    _Atomic(uint16_t) tail;
} iso__uring_buf;

_Static_assert(sizeof(iso__uring_buf) == 16, "an entry of the ring of buffers");

typedef struct iso__uring_buf_reg {
    uint64_t ring_addr;
    uint32_t ring_entries;
    uint16_t group;
    uint16_t flags;
    uint64_t unused[3];
} iso__uring_buf_reg;

#endif
