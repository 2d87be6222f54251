/* SPDX-License-Identifier: MIT */
#include "sys/named_pipe.h"

#include "isoloop/error.h"

int iso__sys_named_pipe_check(const char *name)
{
    (void)name;
    return ISO_ENOTSUP;
}

int iso__sys_named_pipe_serve(iso_fd *out, const char *name, bool is_first)
{
    (void)out;
    (void)name;
    (void)is_first;
    return ISO_ENOTSUP;
}

int iso__sys_named_pipe_connect(iso_fd *out, const char *name)
{
    (void)out;
    (void)name;
    return ISO_ENOTSUP;
}

int iso__sys_named_pipe_disconnect(iso_fd fd)
{
    (void)fd;
    return ISO_ENOTSUP;
}
