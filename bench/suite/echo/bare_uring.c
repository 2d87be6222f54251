/* SPDX-License-Identifier: MIT */
/* The limit of completion: an echo server of multishot accept, multishot receive into a ring of
 * buffers, and send, by liburing, and nothing else. A buffer goes back when its send is done; a
 * connection sends one at a time, the next ones wait in order. */
#include "../support/suite.h"
#include <errno.h>
#include <liburing.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ENTRIES = 4096, BUFFERS = 4096, BUFFER = 16384, GROUP = 0 };
enum verb { ACCEPT = 0, RECEIVE, SEND };

typedef struct part {
    uint16_t buffer;
    uint16_t next; /* of this connection, waiting; BUFFERS: none */
    uint32_t size;
    uint32_t sent;
} part;

typedef struct connection {
    int fd;
    uint16_t first; /* the part that is being sent; BUFFERS: none */
    uint16_t last;
    int is_receiving;
} connection;

static struct io_uring ring;
static struct io_uring_buf_ring *buffers;
static char *memory;
static part parts[BUFFERS];

static struct io_uring_sqe *next_entry(void)
{
    struct io_uring_sqe *entry = io_uring_get_sqe(&ring);
    if (entry != NULL) return entry;
    suite_check(io_uring_submit(&ring) >= 0, "io_uring_submit");
    entry = io_uring_get_sqe(&ring);
    suite_check(entry != NULL, "io_uring_get_sqe");
    return entry;
}

static void mark(struct io_uring_sqe *entry, connection *self, enum verb verb)
{
    io_uring_sqe_set_data64(entry, (uint64_t)(uintptr_t)self | (uint64_t)verb);
}

static void give_buffer(uint16_t id)
{
    io_uring_buf_ring_add(buffers, memory + (size_t)id * BUFFER, BUFFER, id,
                          io_uring_buf_ring_mask(BUFFERS), 0);
    io_uring_buf_ring_advance(buffers, 1);
}

static void receive(connection *self)
{
    struct io_uring_sqe *entry = next_entry();
    io_uring_prep_recv_multishot(entry, self->fd, NULL, 0, 0);
    entry->flags |= IOSQE_BUFFER_SELECT;
    entry->buf_group = GROUP;
    mark(entry, self, RECEIVE);
    self->is_receiving = 1;
}

static void send_first(connection *self)
{
    const part *first = &parts[self->first];
    struct io_uring_sqe *entry = next_entry();
    io_uring_prep_send(entry, self->fd, memory + (size_t)first->buffer * BUFFER + first->sent,
                       first->size - first->sent, MSG_NOSIGNAL);
    mark(entry, self, SEND);
}

static void end(connection *self)
{
    if (self->is_receiving || self->first != BUFFERS) return;
    close(self->fd);
    free(self);
}

static void received(connection *self, const struct io_uring_cqe *cqe)
{
    if ((cqe->flags & IORING_CQE_F_MORE) == 0) self->is_receiving = 0;
    if (cqe->res <= 0) {
        if (cqe->res == -ENOBUFS)
            receive(self);
        else
            end(self);
        return;
    }
    const uint16_t id = (uint16_t)(cqe->flags >> IORING_CQE_BUFFER_SHIFT);
    parts[id] = (part){ id, BUFFERS, (uint32_t)cqe->res, 0 };
    if (self->first == BUFFERS) {
        self->first = id;
        send_first(self);
    } else {
        parts[self->last].next = id;
    }
    self->last = id;
    if (!self->is_receiving) receive(self);
}

static void sent(connection *self, int result)
{
    part *first = &parts[self->first];
    if (result > 0) first->sent += (uint32_t)result;
    if (result > 0 && first->sent < first->size) {
        send_first(self);
        return;
    }
    self->first = first->next;
    give_buffer(first->buffer);
    if (self->first != BUFFERS)
        send_first(self);
    else if (!self->is_receiving)
        end(self);
}

static void accept_on(connection *listener)
{
    struct io_uring_sqe *entry = next_entry();
    io_uring_prep_multishot_accept(entry, listener->fd, NULL, NULL, SOCK_CLOEXEC);
    mark(entry, listener, ACCEPT);
}

static void accepted(connection *listener, const struct io_uring_cqe *cqe)
{
    const int one = 1;
    if ((cqe->flags & IORING_CQE_F_MORE) == 0) accept_on(listener);
    if (cqe->res < 0) return;
    connection *made = calloc(1, sizeof(*made));
    suite_check(made != NULL, "memory");
    made->fd = cqe->res;
    made->first = BUFFERS;
    (void)setsockopt(made->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    receive(made);
}

static void act(const struct io_uring_cqe *cqe)
{
    connection *self = (connection *)(uintptr_t)(cqe->user_data & ~(uint64_t)3);
    switch ((enum verb)(cqe->user_data & 3)) {
    case ACCEPT: accepted(self, cqe); break;
    case RECEIVE: received(self, cqe); break;
    case SEND: sent(self, cqe->res); break;
    }
}

static void open_ring(void)
{
    struct io_uring_params wanted = { .flags = IORING_SETUP_SINGLE_ISSUER |
                                               IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE,
                                      .cq_entries = ENTRIES * 4 };
    errno = -io_uring_queue_init_params(ENTRIES, &ring, &wanted);
    suite_check(errno == 0, "io_uring_queue_init");
    memory = malloc((size_t)BUFFERS * BUFFER);
    buffers = aligned_alloc(4096, BUFFERS * sizeof(struct io_uring_buf));
    suite_check(memory != NULL && buffers != NULL, "memory");
    io_uring_buf_ring_init(buffers);
    struct io_uring_buf_reg to = { .ring_addr = (uint64_t)(uintptr_t)buffers,
                                   .ring_entries = BUFFERS,
                                   .bgid = GROUP };
    errno = -io_uring_register_buf_ring(&ring, &to, 0);
    suite_check(errno == 0, "io_uring_register_buf_ring");
    for (unsigned id = 0; id < BUFFERS; id++) give_buffer((uint16_t)id);
}

int main(void)
{
    suite_many_descriptors();
    connection listener = { .fd = suite_listen() };
    open_ring();
    accept_on(&listener);
    suite_serving(listener.fd);
    for (;;) {
        const int rc = io_uring_submit_and_wait(&ring, 1);
        struct io_uring_cqe *cqe;
        unsigned head;
        unsigned count = 0;
        suite_check(rc >= 0 || rc == -EINTR, "io_uring_submit_and_wait");
        io_uring_for_each_cqe(&ring, head, cqe)
        {
            act(cqe);
            count++;
        }
        io_uring_cq_advance(&ring, count);
    }
}
