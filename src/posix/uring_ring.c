/* SPDX-License-Identifier: MIT */
/* The two rings that are shared with the kernel, and the call that goes through them.
 *
 * Where the kernel has it (Linux 6.1) a ring runs what completions need in the call that waits, and
 * nowhere else: cheaper, and no signal or other call of this thread is disturbed. Such a ring
 * belongs to one thread: the first that enters it, as it begins disabled. Source:
 * io_uring_setup(2), IORING_SETUP_DEFER_TASKRUN, IORING_SETUP_R_DISABLED. */
#include "uring.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

iso__uring_sizes iso__uring_sizes_of_new = {
    .sq_entries = 256,
    .cq_entries = 4096,
    .buffer_bytes = 8192,
    .first_buffers = 32,
    .buffer_entries = 2048,
    .without_defer = false,
};

/* ---- setting up ---- */

static int set_up(iso__uring_params *params, const iso__uring_sizes *sizes, uint32_t flags)
{
    long fd;

    memset(params, 0, sizeof(*params));
    params->flags = flags | ISO__URING_SETUP_CQSIZE;
    params->cq_entries = sizes->cq_entries;
    fd = syscall(ISO__SYS_URING_SETUP, (long)sizes->sq_entries, params);
    return fd >= 0 ? (int)fd : -errno;
}

/* A forked child has no business with these: it finds nothing there. */
static void *map(int fd, size_t bytes, off_t offset)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, offset);

    if (at == MAP_FAILED) return NULL;
    (void)madvise(at, bytes, MADV_DONTFORK);
    return at;
}

static iso__uring_word *word_at(unsigned char *base, uint32_t offset)
{
    return (iso__uring_word *)(void *)(base + offset);
}

static uint32_t read_word(iso__uring_word *word)
{
    return atomic_load_explicit(&word->value, memory_order_acquire);
}

static void write_word(iso__uring_word *word, uint32_t value)
{
    atomic_store_explicit(&word->value, value, memory_order_release);
}

static void find_rings(iso__ring *ring, const iso__uring_params *params)
{
    unsigned char *base = ring->rings;
    uint32_t *array = (uint32_t *)(void *)(base + params->sq_off.array);
    uint32_t at;

    ring->sq_entries = params->sq_entries;
    ring->sq_mask = read_word(word_at(base, params->sq_off.ring_mask));
    ring->cq_mask = read_word(word_at(base, params->cq_off.ring_mask));
    ring->shared_sq_head = word_at(base, params->sq_off.head);
    ring->shared_sq_tail = word_at(base, params->sq_off.tail);
    ring->shared_sq_flags = word_at(base, params->sq_off.flags);
    ring->shared_cq_head = word_at(base, params->cq_off.head);
    ring->shared_cq_tail = word_at(base, params->cq_off.tail);
    ring->cqes = (iso__uring_cqe *)(void *)(base + params->cq_off.cqes);
    /* Each place of the ring stands for the entry of its own number, for good. */
    for (at = 0; at < params->sq_entries; at++) array[at] = at;
}

static size_t bytes_of_rings(const iso__uring_params *params)
{
    size_t submission = params->sq_off.array + params->sq_entries * sizeof(uint32_t);
    size_t completion = params->cq_off.cqes + params->cq_entries * sizeof(iso__uring_cqe);

    return submission > completion ? submission : completion;
}

static int map_rings(iso__ring *ring, const iso__uring_params *params)
{
    ring->rings_bytes = bytes_of_rings(params);
    ring->sqes_bytes = params->sq_entries * sizeof(iso__uring_sqe);
    ring->rings = map(ring->fd, ring->rings_bytes, ISO__URING_OFF_RINGS);
    if (ring->rings == NULL) return -ENOMEM;
    ring->sqes = map(ring->fd, ring->sqes_bytes, ISO__URING_OFF_SQES);
    if (ring->sqes == NULL) {
        (void)munmap(ring->rings, ring->rings_bytes);
        return -ENOMEM;
    }
    find_rings(ring, params);
    return 0;
}

int iso__ring_open(iso__ring *ring, const iso__uring_sizes *sizes)
{
    const uint32_t every = ISO__URING_SETUP_SUBMIT_ALL | ISO__URING_SETUP_TASKRUN_FLAG;
    iso__uring_params params;
    int rc;

    memset(ring, 0, sizeof(*ring));
    ring->setup_flags = every | ISO__URING_SETUP_SINGLE_ISSUER | ISO__URING_SETUP_DEFER_TASKRUN |
                        ISO__URING_SETUP_R_DISABLED;
    ring->fd = sizes->without_defer ? -EINVAL : set_up(&params, sizes, ring->setup_flags);
    if (ring->fd == -EINVAL) {
        ring->setup_flags = every | ISO__URING_SETUP_COOP_TASKRUN;
        ring->fd = set_up(&params, sizes, ring->setup_flags);
    }
    if (ring->fd < 0) {
        rc = ring->fd;
        ring->fd = -1;
        return rc;
    }
    ring->is_enabled = (ring->setup_flags & ISO__URING_SETUP_R_DISABLED) == 0;
    rc = (params.features & ISO__URING_FEAT_SINGLE_MMAP) != 0 ? map_rings(ring, &params) : -ENOSYS;
    if (rc != 0) {
        (void)close(ring->fd);
        ring->fd = -1;
    }
    return rc;
}

void iso__ring_close(iso__ring *ring)
{
    if (ring->fd < 0) return;
    (void)munmap(ring->sqes, ring->sqes_bytes);
    (void)munmap(ring->rings, ring->rings_bytes);
    (void)close(ring->fd);
    ring->fd = -1;
}

int iso__ring_register(const iso__ring *ring, unsigned opcode, const void *arg, unsigned count)
{
    long rc = syscall(ISO__SYS_URING_REGISTER, (long)ring->fd, (long)opcode, arg, (long)count);

    return rc >= 0 ? 0 : -errno;
}

/* ---- entering ---- */

iso__uring_sqe *iso__ring_entry(iso__ring *ring)
{
    uint32_t head = read_word(ring->shared_sq_head);
    iso__uring_sqe *entry = &ring->sqes[ring->sq_tail & ring->sq_mask];

    if (ring->sq_tail - head == ring->sq_entries) return NULL;
    memset(entry, 0, sizeof(*entry));
    ring->sq_tail++;
    ring->to_submit++;
    return entry;
}

bool iso__ring_has_work(const iso__ring *ring)
{
    return (read_word(ring->shared_sq_flags) &
            (ISO__URING_SQ_CQ_OVERFLOW | ISO__URING_SQ_TASKRUN)) != 0 ||
           read_word(ring->shared_cq_head) != read_word(ring->shared_cq_tail);
}

static long call(const iso__ring *ring, iso_nsec timeout)
{
    iso__uring_timespec span;
    iso__uring_getevents_arg arg;

    memset(&arg, 0, sizeof(arg));
    if (timeout > 0 && timeout != ISO_FOREVER) {
        span.seconds = timeout / 1000000000;
        span.nanoseconds = timeout % 1000000000;
        arg.timespec = (uint64_t)(uintptr_t)&span;
    }
    return syscall(
        ISO__SYS_URING_ENTER, (long)ring->fd, (long)ring->to_submit, timeout > 0 ? 1L : 0L,
        (long)(ISO__URING_ENTER_GETEVENTS | ISO__URING_ENTER_EXT_ARG), &arg, (long)sizeof(arg));
}

int iso__ring_enter(iso__ring *ring, iso_nsec timeout)
{
    long count;

    if (!ring->is_enabled) {
        int rc = iso__ring_register(ring, ISO__URING_REGISTER_ENABLE_RINGS, NULL, 0);

        if (rc != 0) return rc;
        ring->is_enabled = true;
    }
    write_word(ring->shared_sq_tail, ring->sq_tail);
    count = call(ring, timeout);
    if (count >= 0) {
        ring->to_submit -= (uint32_t)count;
        return 0;
    }
    return errno == ETIME || errno == EINTR ? 0 : -errno;
}

bool iso__ring_take(iso__ring *ring, iso__uring_cqe *out)
{
    uint32_t head = read_word(ring->shared_cq_head);

    if (head == read_word(ring->shared_cq_tail)) return false;
    *out = ring->cqes[head & ring->cq_mask];
    write_word(ring->shared_cq_head, head + 1);
    return true;
}
