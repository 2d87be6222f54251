/* SPDX-License-Identifier: MIT */
/* Datagrams one a call, and many a call (sendmmsg, recvmmsg). The library takes one: this says on a
 * machine what that costs. */
#ifndef SUPPORT_BATCH_H
#define SUPPORT_BATCH_H

#include <isoloop.h>

/* Nanoseconds of processor for each datagram. A receive is told to ask until there is no more, and
 * a batch that was not filled to know that already. */
typedef struct batch_costs {
    double send_one;
    double send_many;
    double receive_one;
    double receive_many;
} batch_costs;

/* Send `burst` datagrams of `size` bytes over the loopback interface, and receive them, `rounds`
 * times in each way, by turns. Returns 0; ISO_ENOTSUP where the system has no such call; ISO_EIO
 * when a socket cannot be had, or a datagram was lost; ISO_ENOMEM. */
int batch_measure(batch_costs *out, size_t size, int burst, long rounds);

#endif
