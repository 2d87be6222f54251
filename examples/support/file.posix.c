/* SPDX-License-Identifier: MIT */
#include "file.h"
#include <fcntl.h>
#include <unistd.h>

iso_fd file_open(const char *path)
{
    return open(path, O_RDONLY | O_CLOEXEC); /* -1, which is ISO_FD_NONE, for an error */
}

void file_close(iso_fd file)
{
    close((int)file);
}
