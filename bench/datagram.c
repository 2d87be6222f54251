/* SPDX-License-Identifier: MIT */
/* Datagrams a second, and what each costs in processor time, through the datagram transport:
 *
 *     datagram [BACKEND [DATAGRAMS [SIZE [BURST]]]]
 *
 * DATAGRAMS (200000) of SIZE (64) bytes each go from one endpoint to another in the same loop,
 * BURST (16) at a time: the next ones when the last one has come. So what is counted is both sides.
 * Then, where the system has such calls, what many a call would save of one a call, without a loop,
 * for bursts of 1 to 64. */
#include "support/batch.h"
#include "support/cpu.h"
#include <isoloop.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct bench {
    iso_loop *loop;
    iso_datagram_transport *from;
    iso_datagram_transport *to;
    iso_address address; /* of the second one */
    long left;
    long burst;
    long due; /* of this burst, still to come */
    size_t size;
    char *datagram;
    int error;
} bench;

static void stop(bench *it, int error)
{
    if (it->error == 0) it->error = error;
    iso_loop_stop(it->loop);
}

static void send_burst(bench *it)
{
    it->due = it->left < it->burst ? it->left : it->burst;
    for (long i = 0; i < it->due; i++) {
        int rc = iso_datagram_transport_sendto(it->from, it->datagram, it->size, &it->address);
        if (rc != 0) stop(it, rc);
    }
}

static void received(iso_datagram_transport *transport, void *self, const void *data, size_t size,
                     const iso_address *from)
{
    bench *it = self;
    (void)transport;
    (void)data;
    (void)from;
    if (size != it->size) stop(it, ISO_EMSGSIZE);
    it->left--;
    if (--it->due > 0) return;
    if (it->left > 0)
        send_burst(it);
    else
        iso_loop_stop(it->loop);
}

static void refused(iso_datagram_transport *transport, void *self, int error)
{
    (void)transport;
    stop(self, error);
}

static const iso_datagram_protocol protocol = {
    .datagram_received = received,
    .error_received = refused,
};

static int open_one(bench *it, iso_datagram_transport **out)
{
    iso_datagram_options at = ISO_DATAGRAM_OPTIONS_INIT;
    iso_future *made;
    void *transport;
    at.local_host = "127.0.0.1";
    int rc = iso_loop_create_datagram_endpoint(it->loop, &protocol, it, &at, &made);
    if (rc != 0) return rc;
    rc = iso_loop_run_until_complete(it->loop, made);
    if (rc == 0) rc = iso_future_result(made, &transport);
    if (rc == 0) *out = iso_datagram_transport_ref(transport);
    iso_future_release(made);
    return rc;
}

static int measure(bench *it)
{
    const double all = (double)it->left;
    const iso_nsec cpu_before = cpu_time();
    const iso_nsec user_before = cpu_user_time();
    const iso_nsec before = iso_loop_time(it->loop);
    send_burst(it);
    int rc = iso_loop_run_forever(it->loop);
    if (rc == 0) rc = it->error;
    if (rc != 0) return rc;
    const double seconds = (double)(iso_loop_time(it->loop) - before) / 1e9;
    const double cpu = (double)(cpu_time() - cpu_before);
    const double user = (double)(cpu_user_time() - user_before);
    printf("%s: %.0f datagrams of %zu bytes, %ld at a time\n", iso_loop_backend(it->loop), all,
           it->size, it->burst);
    printf("  %10.0f datagrams a second\n", all / seconds);
    printf("  %10.0f ns of processor for each, both sides, %.0f of them the program's\n", cpu / all,
           user / all);
    return 0;
}

static int run(bench *it)
{
    iso_extra_info info;
    int rc = open_one(it, &it->from);
    if (rc == 0) rc = open_one(it, &it->to);
    if (rc == 0) rc = iso_datagram_transport_get_extra_info(it->to, "sockname", &info);
    if (rc == 0) {
        it->address = info.address;
        rc = measure(it);
    }
    iso_datagram_transport_release(it->from);
    iso_datagram_transport_release(it->to);
    return rc;
}

static int compare(size_t size, long datagrams)
{
    printf("one a call, many a call: ns of processor for each, and the second as a share\n");
    for (int burst = 1; burst <= 64; burst *= 2) {
        batch_costs costs;
        const int rc = batch_measure(&costs, size, burst, datagrams / burst + 1);
        if (rc == ISO_ENOTSUP) printf("  there is no such call here\n");
        if (rc != 0) return rc == ISO_ENOTSUP ? 0 : rc;
        printf("  %2d at a time: sent %5.0f %5.0f (%.2f), received %5.0f %5.0f (%.2f)\n", burst,
               costs.send_one, costs.send_many, costs.send_many / costs.send_one, costs.receive_one,
               costs.receive_many, costs.receive_many / costs.receive_one);
    }
    return 0;
}

static long number(int argc, char **argv, int index, long otherwise, long most)
{
    const long value = argc > index ? strtol(argv[index], NULL, 10) : otherwise;
    return value >= 1 && value <= most ? value : otherwise;
}

int main(int argc, char **argv)
{
    bench it = { .left = number(argc, argv, 2, 200000, 100000000),
                 .size = (size_t)number(argc, argv, 3, 64, 65507),
                 .burst = number(argc, argv, 4, 16, 64) };
    const long datagrams = it.left;
    iso_loop_options options = ISO_LOOP_OPTIONS_INIT;
    options.backend = argc > 1 ? argv[1] : NULL;
    options.limits = "native"; /* a proactor has endpoints, whatever the documents say */
    it.datagram = calloc(1, it.size);
    int rc = it.datagram != NULL ? iso_loop_new(&it.loop, &options) : ISO_ENOMEM;
    if (rc == 0) {
        rc = run(&it);
        iso_loop_close(it.loop);
        iso_loop_release(it.loop);
    }
    if (rc == 0) rc = compare(it.size, datagrams);
    if (rc != 0) fprintf(stderr, "datagram: %s %s\n", iso_strerror(rc), iso_error_detail());
    free(it.datagram);
    return rc != 0;
}
