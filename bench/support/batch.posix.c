/* SPDX-License-Identifier: MIT */
#include "batch.h"

#include <sys/socket.h>

#if defined(__linux__) || defined(__FreeBSD__) || defined(__NetBSD__)
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PER_CALL = 16, LARGEST = 64 * 1024, BURST_MAX = 64 };

typedef struct scene {
    int receiver;
    int sender;
    size_t size;
    int burst;
    unsigned char *memory; /* one datagram to send, then PER_CALL to receive */
    struct mmsghdr out[BURST_MAX];
    struct iovec out_piece;
    struct mmsghdr in[PER_CALL];
    struct iovec in_pieces[PER_CALL];
    struct sockaddr_storage names[PER_CALL];
} scene;

static double cpu_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int send_one_by_one(scene *it)
{
    int sent = 0;
    while (sent < it->burst && send(it->sender, it->memory, it->size, 0) >= 0) sent++;
    return sent;
}

static int send_many(scene *it)
{
    return (int)sendmmsg(it->sender, it->out, (unsigned)it->burst, 0);
}

/* As the library does it: in a way that tells one that was cut off. */
#if defined(__linux__)
static ssize_t receive_one(scene *it)
{
    struct sockaddr_storage name;
    socklen_t length = sizeof(name);
    return recvfrom(it->receiver, it->in_pieces[0].iov_base, LARGEST, MSG_TRUNC,
                    (struct sockaddr *)&name, &length);
}
#else
static ssize_t receive_one(scene *it)
{
    struct sockaddr_storage name;
    struct msghdr message;
    memset(&message, 0, sizeof(message));
    message.msg_name = &name;
    message.msg_namelen = sizeof(name);
    message.msg_iov = &it->in_pieces[0];
    message.msg_iovlen = 1;
    return recvmsg(it->receiver, &message, 0);
}
#endif

static int receive_one_by_one(scene *it)
{
    int received = 0;
    while (receive_one(it) >= 0) received++;
    return received;
}

static int receive_many(scene *it)
{
    int received = 0;
    for (;;) {
        const int got = (int)recvmmsg(it->receiver, it->in, PER_CALL, 0, NULL);
        for (int i = 0; i < got; i++) it->in[i].msg_hdr.msg_namelen = sizeof(it->names[i]);
        if (got > 0) received += got;
        if (got < PER_CALL) return received;
    }
}

static void prepare(scene *it)
{
    memset(it->memory, 'd', LARGEST);
    it->out_piece.iov_base = it->memory;
    it->out_piece.iov_len = it->size;
    for (int i = 0; i < it->burst; i++) {
        it->out[i].msg_hdr.msg_iov = &it->out_piece;
        it->out[i].msg_hdr.msg_iovlen = 1;
    }
    for (int i = 0; i < PER_CALL; i++) {
        it->in_pieces[i].iov_base = it->memory + (size_t)(i + 1) * LARGEST;
        it->in_pieces[i].iov_len = LARGEST;
        it->in[i].msg_hdr.msg_iov = &it->in_pieces[i];
        it->in[i].msg_hdr.msg_iovlen = 1;
        it->in[i].msg_hdr.msg_name = &it->names[i];
        it->in[i].msg_hdr.msg_namelen = sizeof(it->names[i]);
    }
}

static int open_pair(scene *it)
{
    struct sockaddr_in at;
    socklen_t length = sizeof(at);
    memset(&at, 0, sizeof(at));
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    it->receiver = socket(AF_INET, SOCK_DGRAM, 0);
    it->sender = socket(AF_INET, SOCK_DGRAM, 0);
    if (it->receiver < 0 || it->sender < 0) return ISO_EIO;
    if (bind(it->receiver, (const struct sockaddr *)&at, length) != 0) return ISO_EIO;
    if (getsockname(it->receiver, (struct sockaddr *)&at, &length) != 0) return ISO_EIO;
    if (connect(it->sender, (const struct sockaddr *)&at, length) != 0) return ISO_EIO;
    return fcntl(it->receiver, F_SETFL, O_NONBLOCK) == 0 ? 0 : ISO_EIO;
}

static int one_round(scene *it, int (*send_all)(scene *), int (*receive_all)(scene *), double *send,
                     double *receive)
{
    const double before = cpu_now();
    const int sent = send_all(it);
    const double between = cpu_now();
    const int received = receive_all(it);
    *send += between - before;
    *receive += cpu_now() - between;
    return sent == it->burst && received == sent ? 0 : ISO_EIO;
}

static int run(scene *it, batch_costs *out, long rounds)
{
    batch_costs sum = { 0, 0, 0, 0 };
    int rc = open_pair(it);
    for (long round = 0; round < rounds && rc == 0; round++) {
        rc = one_round(it, send_one_by_one, receive_one_by_one, &sum.send_one, &sum.receive_one);
        if (rc == 0) rc = one_round(it, send_many, receive_many, &sum.send_many, &sum.receive_many);
    }
    const double all = (double)rounds * it->burst;
    out->send_one = sum.send_one / all;
    out->send_many = sum.send_many / all;
    out->receive_one = sum.receive_one / all;
    out->receive_many = sum.receive_many / all;
    if (it->receiver >= 0) close(it->receiver);
    if (it->sender >= 0) close(it->sender);
    return rc;
}

int batch_measure(batch_costs *out, size_t size, int burst, long rounds)
{
    static scene it;
    memset(&it, 0, sizeof(it));
    it.size = size;
    it.burst = burst < BURST_MAX ? burst : BURST_MAX;
    it.memory = malloc((size_t)(PER_CALL + 1) * LARGEST);
    if (it.memory == NULL) return ISO_ENOMEM;
    prepare(&it);
    const int rc = run(&it, out, rounds);
    free(it.memory);
    return rc;
}
#else
int batch_measure(batch_costs *out, size_t size, int burst, long rounds)
{
    (void)out;
    (void)size;
    (void)burst;
    (void)rounds;
    return ISO_ENOTSUP;
}
#endif
