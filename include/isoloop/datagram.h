/* SPDX-License-Identifier: MIT */
/* Datagrams (UDP). asyncio's DatagramTransport and DatagramProtocol are the models.
 *
 * Where a kind of loop has none the call answers ISO_ENOTSUP before anything else happens:
 * iso_loop_supports(ISO_CAP_DATAGRAM) tells beforehand. */
#ifndef ISOLOOP_DATAGRAM_H
#define ISOLOOP_DATAGRAM_H

#include "loop.h"
#include "transport.h"

ISO_BEGIN_DECLS

typedef struct iso_datagram_transport iso_datagram_transport;

/* What an endpoint tells. Every slot may be NULL. `self` is what was given with the protocol. The
 * transport, `data` and `from` are borrowed for the length of the call. */
typedef struct iso_datagram_protocol {
    void (*connection_made)(iso_datagram_transport *transport, void *self);
    /* One datagram, whole; it may be empty. */
    void (*datagram_received)(iso_datagram_transport *transport, void *self, const void *data,
                              size_t size, const iso_address *from);
    /* One was refused on its way, could not be sent, or (ISO_EMSGSIZE) was longer than 64 KiB and
     * came cut off, which only a unix socket can bring; the endpoint goes on. */
    void (*error_received)(iso_datagram_transport *transport, void *self, int error);
    /* The last call: 0 after close or abort; else what broke it. */
    void (*connection_lost)(iso_datagram_transport *transport, void *self, int error);
    void (*pause_writing)(iso_datagram_transport *transport, void *self);
    void (*resume_writing)(iso_datagram_transport *transport, void *self);
} iso_datagram_protocol;

typedef struct iso_datagram_options {
    size_t size;             /* of this struct: use the macro */
    const char *local_host;  /* a name or a literal; NULL: every interface, if there is a port */
    const char *remote_host; /* NULL: datagrams come from, and go to, anybody */
    uint16_t local_port;
    uint16_t remote_port;
    int family;           /* 0: what the addresses are; without any, 4 or 6 */
    bool reuse_port;      /* several processes share the port; not on Windows */
    bool allow_broadcast; /* leave to send to every host of a network; not connected then */
    iso_fd sock;          /* a datagram socket of one's own instead of all of it; given */
} iso_datagram_options;

#define ISO_DATAGRAM_OPTIONS_INIT                                                                  \
    {                                                                                              \
        sizeof(iso_datagram_options), NULL, NULL, 0, 0, 0, false, false, ISO_FD_NONE               \
    }

/* Make an endpoint: bound to a local address, connected to a remote one, or both. *out, if not
 * NULL, is a future of an iso_datagram_transport, done once connection_made has been called.
 * With allow_broadcast a remote address is where everything goes, and datagrams come from anybody:
 * whoever answers a broadcast is somebody else.
 * Returns 0; ISO_ENOTSUP (limits rows: datagrams, reuse_port); ISO_EINVAL (neither address nor
 * family; addresses and sock; a sock of streams), ISO_ELIMIT (another row), ISO_EBADF,
 * ISO_ENOTSOCK, ISO_EBUSY (sock), ISO_ENOMEM, ISO_ECLOSED, ISO_ETHREAD. A name that is not found,
 * and what the system answers to bind and connect, end the future; of several pairs of addresses
 * the first error.
 * Ownership: protocol is lent until connection_lost; options are borrowed; `sock` is given once the
 * call returned 0. Source: loop.create_datagram_endpoint. */
ISO_API int iso_loop_create_datagram_endpoint(iso_loop *loop, const iso_datagram_protocol *protocol,
                                              void *self, const iso_datagram_options *options,
                                              iso_future **out);

/* Send one datagram to `to`, or, NULL, to the endpoint's remote address; what the system does not
 * take at once is copied and sent later, in order. An empty one is a datagram too. What goes wrong
 * on the way is told by error_received.
 * Returns 0 (after close too: it is dropped); ISO_EINVAL (no address; another one than the remote
 * address), ISO_ENOMEM, ISO_ETHREAD. Source: DatagramTransport.sendto. */
ISO_API int iso_datagram_transport_sendto(iso_datagram_transport *transport, const void *data,
                                          size_t size, const iso_address *to);

/* As the functions of the same names of iso_transport. */
ISO_API int iso_datagram_transport_close(iso_datagram_transport *transport);
ISO_API int iso_datagram_transport_abort(iso_datagram_transport *transport);
ISO_API bool iso_datagram_transport_is_closing(const iso_datagram_transport *transport);
ISO_API int iso_datagram_transport_set_write_buffer_limits(iso_datagram_transport *transport,
                                                           size_t high, size_t low);
ISO_API void iso_datagram_transport_get_write_buffer_limits(const iso_datagram_transport *self,
                                                            size_t *high, size_t *low);
ISO_API size_t iso_datagram_transport_get_write_buffer_size(const iso_datagram_transport *self);

/* "sockname", "peername" (of one that is connected), "socket", as iso_transport_get_extra_info. */
ISO_API int iso_datagram_transport_get_extra_info(const iso_datagram_transport *self,
                                                  const char *name, iso_extra_info *out);

/* Groups (multicast). `group` is a literal, "239.255.0.1" or "ff02::114"; `via` the interface: an
 * address that it has, its number or its name ("192.0.2.1", "2", "eth0"; on Windows "Ethernet");
 * NULL: the system chooses. Datagrams come to an endpoint of the group's port that is bound to
 * every address, or to the group's. A membership ends with the endpoint.
 *
 * join returns 0; with a detail ISO_EINVAL (not the address of a group), ISO_EAFNOSUPPORT (of the
 * other version than the endpoint), ISO_EADDRINUSE (joined already), ISO_ENOENT, ISO_EADDRNOTAVAIL
 * (no such interface), ISO_ENETUNREACH (the system has none to choose); ISO_ENOBUFS (more than the
 * system takes), ISO_ECLOSED (it is lost), ISO_ETHREAD. leave returns the same, and
 * ISO_EADDRNOTAVAIL for what is not joined. Source: uv_udp_set_membership. */
ISO_API int iso_datagram_transport_join_group(iso_datagram_transport *transport, const char *group,
                                              const char *via);
ISO_API int iso_datagram_transport_leave_group(iso_datagram_transport *transport, const char *group,
                                               const char *via);

/* The same for what one source sends to the group. ISO_ENOTSUP, too: NetBSD and OpenBSD know none.
 * Source: uv_udp_set_source_membership. */
ISO_API int iso_datagram_transport_join_source_group(iso_datagram_transport *transport,
                                                     const char *group, const char *source,
                                                     const char *via);
ISO_API int iso_datagram_transport_leave_source_group(iso_datagram_transport *transport,
                                                      const char *group, const char *source,
                                                      const char *via);

/* Out of which interface datagrams to a group go; how many routers may pass them on, 0 (none leaves
 * this machine) to 255, at first 1; whether members on this machine hear them, at first they do (on
 * Windows that is set at the member). Each returns 0; ISO_EINVAL (a number out of range); what
 * join_group answers to an interface; ISO_ECLOSED, ISO_ETHREAD, or what the system answers.
 * Source: uv_udp_set_multicast_interface, uv_udp_set_multicast_ttl, uv_udp_set_multicast_loop. */
ISO_API int iso_datagram_transport_set_multicast_interface(iso_datagram_transport *transport,
                                                           const char *via);
ISO_API int iso_datagram_transport_set_multicast_ttl(iso_datagram_transport *transport, int ttl);
ISO_API int iso_datagram_transport_set_multicast_loop(iso_datagram_transport *transport, bool on);

/* How many routers may pass on what goes to one address, 1 to 255; leave to send to every host of a
 * network. Return as those. Source: uv_udp_set_ttl, uv_udp_set_broadcast. */
ISO_API int iso_datagram_transport_set_ttl(iso_datagram_transport *transport, int ttl);
ISO_API int iso_datagram_transport_set_broadcast(iso_datagram_transport *transport, bool on);

/* The protocol is lent until it is replaced or the endpoint lost. Returns 0, ISO_EINVAL (no
 * protocol) or ISO_ETHREAD. Source: BaseTransport.set_protocol, get_protocol. */
ISO_API int iso_datagram_transport_set_protocol(iso_datagram_transport *transport,
                                                const iso_datagram_protocol *protocol, void *self);
/* clang-format off */
ISO_API const iso_datagram_protocol *iso_datagram_transport_get_protocol(
    const iso_datagram_transport *transport, void **self);
/* clang-format on */

ISO_API iso_loop *iso_datagram_transport_get_loop(const iso_datagram_transport *transport);

/* Share it, and give a reference back. NULL is fine for release. Thread: loop. */
ISO_API iso_datagram_transport *iso_datagram_transport_ref(iso_datagram_transport *transport);
ISO_API void iso_datagram_transport_release(iso_datagram_transport *transport);

ISO_END_DECLS

#endif
