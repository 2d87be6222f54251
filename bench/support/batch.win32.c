/* SPDX-License-Identifier: MIT */
#include "batch.h"

int batch_measure(batch_costs *out, size_t size, int burst, long rounds)
{
    (void)out;
    (void)size;
    (void)burst;
    (void)rounds;
    return ISO_ENOTSUP; /* Winsock has none */
}
