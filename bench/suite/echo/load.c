/* SPDX-License-Identifier: MIT */
/* The other side of the echo servers: clients that send and check what comes back.
 *
 *     load PID PORT CONNECTIONS MESSAGES [SIZE [DEPTH]]
 *
 * Each connection sends DEPTH (1) messages of SIZE (64) bytes at once, waits until all are back,
 * byte for byte, and sends the next, until MESSAGES were echoed in all. Printed: nanoseconds of
 * processor time that process PID, the server, used for each message; messages a second; and how
 * long a round took, at the median and the 99th of 100. A tenth of the messages goes before, and is
 * not counted. */
#include "../support/suite.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256, SAMPLES_MAX = 1 << 20 };

typedef struct client {
    int fd;
    size_t received;
    int64_t began;
    uint32_t seed; /* of what this round sends */
} client;

static struct {
    int epoll;
    long connections;
    size_t round; /* bytes of one */
    long depth;
    client *clients;
    unsigned char *pattern; /* twice a round, so that every seed finds its part */
    unsigned char *buffer;
    int64_t *samples;
    size_t sampled;
} load;

static const unsigned char *expected(const client *self)
{
    return load.pattern + self->seed % load.round;
}

static void begin(client *self)
{
    size_t sent = 0;
    self->seed = self->seed * 1664525u + 1013904223u;
    self->received = 0;
    self->began = suite_time();
    while (sent < load.round) {
        const ssize_t n = send(self->fd, expected(self) + sent, load.round - sent, MSG_NOSIGNAL);
        suite_check(n > 0, "send");
        sent += (size_t)n;
    }
}

/* Answers whether the round has ended. */
static int pull(client *self)
{
    const ssize_t n = recv(self->fd, load.buffer, load.round - self->received, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    suite_check(n > 0, "the server closed a connection");
    errno = EPROTO;
    suite_check(memcmp(load.buffer, expected(self) + self->received, (size_t)n) == 0,
                "what came back is not what was sent");
    self->received += (size_t)n;
    return self->received == load.round;
}

static void keep_sample(const client *self)
{
    if (load.sampled < SAMPLES_MAX) load.samples[load.sampled++] = suite_time() - self->began;
}

/* Every connection in turn, until `rounds` have ended; those that are under way are brought to
 * their end too. Answers how many that were. */
static long run(long rounds)
{
    struct epoll_event events[EVENTS];
    long begun = 0;
    long ended = 0;
    for (long i = 0; i < load.connections; i++, begun++) begin(&load.clients[i]);
    while (ended < begun) {
        const int count = epoll_wait(load.epoll, events, EVENTS, 10000);
        if (count < 0 && errno == EINTR) continue;
        suite_check(count > 0, "nothing came back for ten seconds");
        for (int i = 0; i < count; i++) {
            client *self = events[i].data.ptr;
            if (!pull(self)) continue;
            keep_sample(self);
            ended++;
            if (begun >= rounds) continue;
            begun++;
            begin(self);
        }
    }
    return ended;
}

static void connect_one(client *self, uint16_t port)
{
    const int one = 1;
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = self };
    self->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    suite_check(self->fd >= 0, "socket");
    suite_check(connect(self->fd, (struct sockaddr *)&address, sizeof(address)) == 0, "connect");
    (void)setsockopt(self->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    struct timeval never_long = { 10, 0 };
    (void)setsockopt(self->fd, SOL_SOCKET, SO_SNDTIMEO, &never_long, sizeof(never_long));
    suite_check(epoll_ctl(load.epoll, EPOLL_CTL_ADD, self->fd, &event) == 0, "epoll_ctl");
}

static void prepare(long connections, size_t size, long depth, uint16_t port)
{
    load.connections = connections;
    load.depth = depth;
    load.round = size * (size_t)depth;
    load.epoll = epoll_create1(EPOLL_CLOEXEC);
    suite_check(load.epoll >= 0, "epoll_create1");
    load.clients = calloc((size_t)connections, sizeof(*load.clients));
    load.pattern = malloc(load.round * 2);
    load.buffer = malloc(load.round);
    load.samples = calloc(SAMPLES_MAX, sizeof(*load.samples));
    suite_check(load.clients && load.pattern && load.buffer && load.samples, "memory");
    for (size_t i = 0; i < load.round * 2; i++) load.pattern[i] = (unsigned char)(i * 7 + i / 251);
    for (long i = 0; i < connections; i++) {
        load.clients[i].seed = (uint32_t)i;
        connect_one(&load.clients[i], port);
    }
}

static int by_length(const void *a, const void *b)
{
    const int64_t left = *(const int64_t *)a;
    const int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static double sample_at(double share)
{
    return (double)load.samples[(size_t)(share * (double)(load.sampled - 1))] / 1000;
}

int main(int argc, char **argv)
{
    const int pid = (int)suite_number(argc, argv, 1, 0);
    const uint16_t port = (uint16_t)suite_number(argc, argv, 2, 0);
    const long connections = suite_number(argc, argv, 3, 0);
    const long messages = suite_number(argc, argv, 4, 0);
    const size_t size = (size_t)suite_number(argc, argv, 5, 64);
    const long depth = suite_number(argc, argv, 6, 1);
    suite_many_descriptors();
    prepare(connections, size, depth, port);
    (void)run(messages / depth / 10);
    load.sampled = 0;
    const int64_t cpu_before = suite_cpu_of(pid);
    const int64_t before = suite_time();
    const double echoed = (double)(run(messages / depth) * depth);
    const double cpu = (double)(suite_cpu_of(pid) - cpu_before);
    const double elapsed = (double)(suite_time() - before);
    qsort(load.samples, load.sampled, sizeof(*load.samples), by_length);
    suite_figure("cpu_ns", cpu / echoed);
    suite_figure("per_second", echoed / elapsed * 1e9);
    suite_figure("median_us", sample_at(0.5));
    suite_figure("p99_us", sample_at(0.99));
    return 0;
}
