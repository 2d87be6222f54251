/* SPDX-License-Identifier: MIT */
/* A file into a connection, without its bytes passing through the program. asyncio's loop.sendfile
 * and loop.sock_sendfile are the models.
 *
 * The system's own call does it where there is one (sendfile of Linux, macOS and FreeBSD;
 * TransmitFile over a completion port), and else, or where that call does not take this file or
 * this connection, the bytes are copied through a buffer of 64 KiB, unless `fallback` is false.
 *
 * The future's number is how many bytes were sent; it is less than `count` when the file ends
 * before. When the future is done the file's position is `offset` and what was sent, also after an
 * error or when it was cancelled, so that it tells how far it came. The future ends with
 * ISO_ENOTSUP when there is no native way and `fallback` is false (asyncio's
 * SendfileNotAvailableError; as a rule nothing is sent then, and the position tells); what reading
 * the file answers; or what the network answers. Cancelling it ends the sending; over a completion
 * port the other side may have got more of the file then than the position tells.
 *
 * The file is a descriptor, or on Windows a HANDLE, for overlapped use or not (one for overlapped
 * use has no position). It is borrowed until the future is done: it must stay open, and its
 * position is not the program's meanwhile. Reading it may wait for a disk, and the loop waits with
 * it. */
#ifndef ISOLOOP_SENDFILE_H
#define ISOLOOP_SENDFILE_H

#include "loop.h"
#include "transport.h"

ISO_BEGIN_DECLS

typedef struct iso_sendfile_options {
    size_t size;     /* of this struct: use the macro */
    uint64_t offset; /* where in the file to begin */
    uint64_t count;  /* how many bytes at most; 0: to the file's end */
    bool fallback;   /* copy where there is no native way */
} iso_sendfile_options;

#define ISO_SENDFILE_OPTIONS_INIT                                                                  \
    {                                                                                              \
        sizeof(iso_sendfile_options), 0, 0, true                                                   \
    }

/* Send a regular file into a transport, once what was written before is sent. NULL options mean all
 * of the file, and copying where it must be.
 * Until the future is done the transport's writing side is the file's: write, writelines, write_eof
 * and another sendfile answer ISO_EBUSY; and reading is paused, and resumed afterwards, unless the
 * program pauses or resumes it by itself meanwhile. A connection that breaks ends the future with
 * the error that connection_lost is told too; one that is closed or aborted meanwhile, with
 * ISO_ECLOSED; a file that can't be read leaves the connection open.
 * Returns 0; ISO_ECLOSED (the transport is closing); ISO_EBADF (the file is not open, or not for
 * reading; ISO_EACCES on Windows), ISO_EINVAL (no regular file; an offset or a count above
 * INT64_MAX; a transport of another loop); ISO_EBUSY (another sendfile is under way);
 * ISO_EINVALIDSTATE (write_eof was called, or the transport can't be written); ISO_ENOMEM,
 * ISO_ETHREAD. `out` may be NULL.
 * Ownership: `file` is borrowed until done. Source: loop.sendfile. */
ISO_API int iso_loop_sendfile(iso_loop *loop, iso_transport *transport, iso_fd file,
                              const iso_sendfile_options *options, iso_future **out);

/* Send a regular file into a stream socket of one's own, as iso_loop_sock_sendall sends memory: the
 * socket must stay open until the future is done.
 * Returns what iso_loop_sock_sendall does; ISO_EINVAL (no stream socket); and for the file, the
 * offset and the count the errors above.
 * Ownership: `sock` and `file` are borrowed until done. Source: loop.sock_sendfile. */
ISO_API int iso_loop_sock_sendfile(iso_loop *loop, iso_fd sock, iso_fd file,
                                   const iso_sendfile_options *options, iso_future **out);

ISO_END_DECLS

#endif
