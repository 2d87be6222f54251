/* SPDX-License-Identifier: MIT */
/* Reading and writing what can be at once, for each medium. The only place that tells them apart,
 * but for the drivers. */
#ifndef ISO_ENGINE_MEDIUM_H
#define ISO_ENGINE_MEDIUM_H

#include "base/compiler.h"
#include "engine/op.h"
#include "sys/pipe.h"
#include "sys/sock.h"

/* As iso__sys_socket_recv. */
static inline ptrdiff_t iso__io_recv(const iso__io *io, void *data, size_t size)
{
    if (ISO__UNLIKELY(io->medium == ISO__MEDIUM_PIPE))
        return iso__sys_pipe_read(io->fd, data, size);
    return iso__sys_socket_recv(io->fd, data, size);
}

/* As iso__sys_socket_sendv; one piece is the usual case. */
static inline ptrdiff_t iso__io_sendv(const iso__io *io, const iso_buffer *list, size_t count)
{
    if (ISO__UNLIKELY(io->medium == ISO__MEDIUM_PIPE))
        return iso__sys_pipe_writev(io->fd, list, count);
    if (count == 1) return iso__sys_socket_send(io->fd, list->data, list->size);
    return iso__sys_socket_sendv(io->fd, list, count);
}

/* As iso__sys_socket_close. */
static inline int iso__io_close(const iso__io *io)
{
    return io->medium == ISO__MEDIUM_PIPE ? iso__sys_pipe_close(io->fd)
                                          : iso__sys_socket_close(io->fd);
}

#endif
