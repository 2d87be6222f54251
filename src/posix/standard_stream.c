/* SPDX-License-Identifier: MIT */
#include "sys/standard_stream.h"

#include <fcntl.h>

iso_fd iso__sys_standard_stream(int which)
{
    return fcntl(which, F_GETFD) >= 0 ? which : ISO_FD_NONE;
}
