/* SPDX-License-Identifier: MIT */
#include "pipe.h"
#include <fcntl.h>
#include <unistd.h>

bool pipe_open(iso_fd ends[2])
{
    int made[2];
    if (pipe(made) != 0) return false;
    for (int end = 0; end < 2; end++) {
        (void)fcntl(made[end], F_SETFD, FD_CLOEXEC);
        ends[end] = made[end];
    }
    return true;
}

void pipe_close(iso_fd end)
{
    (void)close((int)end);
}
