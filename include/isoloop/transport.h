/* SPDX-License-Identifier: MIT */
/* Stream transports and their protocols. asyncio's Transport, Protocol and BufferedProtocol are the
 * models.
 *
 * A protocol's callbacks come in this order: connection_made, data_received*, eof_received?,
 * connection_lost; between them pause_writing and resume_writing, in pairs. The last one comes
 * exactly once. Each may call every function of its transport. */
#ifndef ISOLOOP_TRANSPORT_H
#define ISOLOOP_TRANSPORT_H

#include "base.h"

ISO_BEGIN_DECLS

typedef struct iso_loop iso_loop;
typedef struct iso_transport iso_transport;

/* What a connection tells. Every slot may be NULL. `self` is what was given with the protocol.
 * The transport and `data` are borrowed for the length of the call. */
typedef struct iso_protocol {
    void (*connection_made)(iso_transport *transport, void *self);
    void (*data_received)(iso_transport *transport, void *self, const void *data, size_t size);
    /* The other side will send no more. True: stay open for writing; false, or no slot: close. */
    bool (*eof_received)(iso_transport *transport, void *self);
    /* error: 0 after close, abort or the other side's end; else what broke it. */
    void (*connection_lost)(iso_transport *transport, void *self, int error);
    void (*pause_writing)(iso_transport *transport, void *self);
    void (*resume_writing)(iso_transport *transport, void *self);
    /* A buffered protocol has these two, and no data_received: the library reads straight into the
     * memory that get_buffer hands out, and then says how much came. An empty buffer is an
     * error. */
    void (*get_buffer)(iso_transport *transport, void *self, size_t size_hint, void **buffer,
                       size_t *size);
    void (*buffer_updated)(iso_transport *transport, void *self, size_t size);
} iso_protocol;

/* Send; what the system does not take at once is copied and sent later, in order.
 * Returns 0 (after close or loss too: the data is dropped and counted); ISO_EINVALIDSTATE after
 * write_eof; ISO_EBUSY while a sendfile is under way; ISO_ENOMEM: nothing of it is sent, or, if a
 * part was, the connection is aborted with that error; ISO_ETHREAD. A connection found broken is
 * told by connection_lost.
 * Thread: loop. Ownership: `data` is borrowed. Source: WriteTransport.write. */
ISO_API int iso_transport_write(iso_transport *transport, const void *data, size_t size);

/* The same for several pieces, as if they were one. Source: WriteTransport.writelines. */
ISO_API int iso_transport_writelines(iso_transport *transport, const iso_buffer *list,
                                     size_t count);

/* Say that no more will be written, once what is buffered is sent; reading goes on.
 * The end of a pipe is closed then. Returns 0, also the second time or after close;
 * ISO_EINVALIDSTATE (an end that is only read), ISO_ENOTSUP (a row of the limits table: a duplex
 * pipe), ISO_EBUSY while a sendfile is under way, ISO_ETHREAD. Source: WriteTransport.write_eof. */
ISO_API int iso_transport_write_eof(iso_transport *transport);
ISO_API bool iso_transport_can_write_eof(const iso_transport *transport);

/* When to ask the protocol to pause: above `high` bytes; and to go on: at `low` or below. SIZE_MAX
 * for either means: derive it (64 KiB; low = high / 4; high = 4 * low). Returns 0, or ISO_EINVAL
 * unless high >= low. Source: WriteTransport.set_write_buffer_limits. */
ISO_API int iso_transport_set_write_buffer_limits(iso_transport *transport, size_t high,
                                                  size_t low);
ISO_API void iso_transport_get_write_buffer_limits(const iso_transport *transport, size_t *high,
                                                   size_t *low);
ISO_API size_t iso_transport_get_write_buffer_size(const iso_transport *transport);

/* Stop and go on with data_received; no data is lost. Twice is fine, and so is a closing transport.
 * Returns 0, ISO_ETHREAD, or what the system answers to a registration.
 * Source: ReadTransport.pause_reading, resume_reading. */
ISO_API int iso_transport_pause_reading(iso_transport *transport);
ISO_API int iso_transport_resume_reading(iso_transport *transport);
ISO_API bool iso_transport_is_reading(const iso_transport *transport);

/* Stop reading, send what is buffered, then connection_lost(0). Twice is fine.
 * Returns 0 or ISO_ETHREAD. Source: BaseTransport.close. */
ISO_API int iso_transport_close(iso_transport *transport);

/* Drop what is buffered; connection_lost(0) in the next turn. Source: WriteTransport.abort. */
ISO_API int iso_transport_abort(iso_transport *transport);

ISO_API bool iso_transport_is_closing(const iso_transport *transport);

/* How often write was called after close or loss, with data that was dropped. */
ISO_API uint64_t iso_transport_writes_dropped(const iso_transport *transport);

/* Source: BaseTransport.set_protocol, get_protocol. The protocol is lent until it is replaced or
 * the connection lost. Returns 0, ISO_EINVAL (no protocol) or ISO_ETHREAD. */
ISO_API int iso_transport_set_protocol(iso_transport *transport, const iso_protocol *protocol,
                                       void *self);
ISO_API const iso_protocol *iso_transport_get_protocol(const iso_transport *transport, void **self);

/* What is known besides: the other side's address, one's own, and the descriptor. */
typedef struct iso_extra_info {
    iso_address address; /* "peername", "sockname" */
    iso_fd fd;           /* "socket", or "pipe": for options; it stays the transport's */
} iso_extra_info;

/* One of "peername", "sockname", "socket"; of a pipe "pipe" alone. Returns 0, ISO_ENOENT (no such
 * name), ISO_ECLOSED (the connection is lost), or what the system answers. Source:
 * BaseTransport.get_extra_info. */
ISO_API int iso_transport_get_extra_info(const iso_transport *transport, const char *name,
                                         iso_extra_info *out);

ISO_API iso_loop *iso_transport_get_loop(const iso_transport *transport);

/* Share it, to ask it after connection_lost, and give the reference back. The loop holds one while
 * the connection is open. NULL is fine for release. Thread: loop. */
ISO_API iso_transport *iso_transport_ref(iso_transport *transport);
ISO_API void iso_transport_release(iso_transport *transport);

ISO_END_DECLS

#endif
