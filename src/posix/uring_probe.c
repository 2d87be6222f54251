/* SPDX-License-Identifier: MIT */
/* Whether the running system has what the driver needs: a kernel that is old enough to lack
 * something, or a container that forbids it, is found out by trying. */
#include "uring.h"

#include "base/atomic.h"
#include "sys/thread.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PROBE_ENTRIES = 4, PROBE_GROUP = 0, PROBE_BYTES = 64 };

/* A receive that goes on, into a buffer of a ring, is the last of what is needed that came (Linux
 * 6.0). Answers its result. */
static int try_receive(iso__ring *ring, iso__uring_buf *buffers, unsigned char *memory)
{
    iso__uring_buf_reg reg;
    iso__uring_sqe *sqe;
    iso__uring_cqe cqe;
    int pair[2];
    int rc;

    memset(&reg, 0, sizeof(reg));
    reg.ring_addr = (uintptr_t)buffers;
    reg.ring_entries = 1;
    rc = iso__ring_register(ring, ISO__URING_REGISTER_PBUF_RING, &reg, 1);
    if (rc != 0) return rc;
    buffers->addr = (uintptr_t)memory;
    buffers->len = PROBE_BYTES;
    buffers->bid = 0;
    atomic_store(&buffers->tail, 1);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return -errno;
    sqe = iso__ring_entry(ring);
    sqe->opcode = ISO__URING_OP_RECV;
    sqe->fd = pair[0];
    sqe->flags = ISO__URING_SQE_BUFFER_SELECT;
    sqe->ioprio = ISO__URING_RECV_MULTISHOT;
    rc = send(pair[1], "x", 1, MSG_NOSIGNAL) == 1 ? iso__ring_enter(ring, ISO_S(1)) : -errno;
    if (rc == 0) rc = iso__ring_take(ring, &cqe) ? cqe.result : -ENOSYS;
    (void)close(pair[0]);
    (void)close(pair[1]);
    return rc;
}

static int try_ring(void)
{
    unsigned char memory[PROBE_BYTES];
    iso__ring ring;
    long page = sysconf(_SC_PAGESIZE);
    void *buffers;
    iso__uring_sizes sizes = { .sq_entries = PROBE_ENTRIES, .cq_entries = 2 * PROBE_ENTRIES };
    int rc = iso__ring_open(&ring, &sizes);

    if (rc != 0) return rc;
    buffers = mmap(NULL, (size_t)page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (buffers == MAP_FAILED) {
        rc = -ENOMEM;
    } else {
        rc = try_receive(&ring, buffers, memory);
        iso__ring_close(&ring);
        (void)munmap(buffers, (size_t)page);
    }
    iso__ring_close(&ring);
    return rc;
}

static void try_in_thread(void *result)
{
    *(int *)result = try_ring();
}

/* The kernel takes a ring down later, and interrupts the thread that entered it to do so, as a
 * signal does: a wait of that thread's ends early. So the thread is one that has ended by then. */
static int try_apart(void)
{
    iso__thread thread;
    int result = 0;

    if (iso__sys_thread_start(&thread, try_in_thread, &result) != 0) return try_ring();
    iso__sys_thread_join(thread);
    return result;
}

static const char *reason_of(int rc)
{
    switch (rc) {
    case -ENOSYS: return "this kernel has no io_uring";
    case -EPERM:
    case -EACCES:
        return "io_uring is forbidden here (kernel.io_uring_disabled, or a filter of calls)";
    default: return "the io_uring of this kernel is too old: Linux 6.0 has what is needed";
    }
}

/* What is missing for now only is not remembered: descriptors, memory. Opening tells it. */
static bool is_passing(int rc)
{
    return rc == -EMFILE || rc == -ENFILE || rc == -ENOMEM || rc == -ENOBUFS || rc == -EAGAIN;
}

const char *iso__uring_missing(void)
{
    static iso__atomic_ptr answer;
    static const char there[] = "";
    const char *known = iso__atomic_load_ptr(&answer);
    int rc;

    if (known == NULL) {
        rc = try_apart();
        if (is_passing(rc)) return NULL;
        known = rc > 0 ? there : reason_of(rc);
        iso__atomic_store_ptr(&answer, (void *)(uintptr_t)known);
    }
    return known == there ? NULL : known;
}
