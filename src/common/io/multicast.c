/* SPDX-License-Identifier: MIT */
/* Groups of receivers, for datagram endpoints. The functions of libuv's uv_udp_t are the models. */
#include "base/error.h"
#include "isoloop/datagram.h"
#include "loop/loop.h"
#include "sys/multicast.h"
#include "sys/sock.h"

#include <string.h>

/* What a call works on. */
typedef struct target {
    iso_fd fd;
    int version;
} target;

/* Returns 0; ISO_ETHREAD; ISO_ECLOSED (it is lost); ISO_EAFNOSUPPORT: of neither version. */
static int find_target(target *out, const iso_datagram_transport *transport)
{
    int rc = iso__loop_check_thread(iso_datagram_transport_get_loop(transport));
    iso_extra_info info;

    if (rc == 0) rc = iso_datagram_transport_get_extra_info(transport, "socket", &info);
    if (rc == 0) rc = iso__sys_socket_version(info.fd, &out->version);
    if (rc != 0) return rc;
    out->fd = info.fd;
    return out->version != 0 ? 0 : ISO_EAFNOSUPPORT;
}

/* A literal of the target's version. */
static int parse(iso_address *out, const target *at, const char *text)
{
    if (text == NULL) return iso__error_set(ISO_EINVAL, "there is no address");
    if (iso_address_parse(out, text, 0) != 0)
        return iso__error_set(ISO_EINVAL, "%s is no address", text);
    if (iso_address_version(out) != at->version)
        return iso__error_set(ISO_EAFNOSUPPORT, "%s is not of the endpoint's version", text);
    return 0;
}

static int parse_membership(iso__membership *out, const target *at, const char *group,
                            const char *via)
{
    int rc;

    memset(out, 0, sizeof(*out));
    rc = parse(&out->group, at, group);
    if (rc != 0) return rc;
    if (!iso__sys_address_is_group(&out->group))
        return iso__error_set(ISO_EINVAL, "%s is not the address of a group", group);
    return iso__sys_interface_find(&out->via, via, at->version);
}

static int join(const target *at, const iso__membership *one, const char *group)
{
    int rc = iso__sys_multicast_join(at->fd, one);

    switch (rc) {
    case ISO_EADDRINUSE: return iso__error_set(rc, "%s is joined already", group);
    case ISO_ENOTSUP: return iso__error_set(rc, "this system takes no sources of a group");
    case ISO_ENETUNREACH:
        return iso__error_set(rc, "no interface was named, and the system has none for %s", group);
    default: return rc;
    }
}

static int leave(const target *at, const iso__membership *one, const char *group)
{
    int rc = iso__sys_multicast_leave(at->fd, one);

    return rc == ISO_EADDRNOTAVAIL ? iso__error_set(rc, "%s is not joined", group) : rc;
}

int iso_datagram_transport_join_group(iso_datagram_transport *transport, const char *group,
                                      const char *via)
{
    iso__membership one;
    target at;
    int rc = find_target(&at, transport);

    if (rc == 0) rc = parse_membership(&one, &at, group, via);
    return rc != 0 ? rc : join(&at, &one, group);
}

int iso_datagram_transport_leave_group(iso_datagram_transport *transport, const char *group,
                                       const char *via)
{
    iso__membership one;
    target at;
    int rc = find_target(&at, transport);

    if (rc == 0) rc = parse_membership(&one, &at, group, via);
    return rc != 0 ? rc : leave(&at, &one, group);
}

static int parse_source(iso__membership *one, const target *at, const char *source)
{
    int rc = parse(&one->source, at, source);

    if (rc == 0 && iso__sys_address_is_group(&one->source))
        return iso__error_set(ISO_EINVAL, "%s is a group, and sends nothing", source);
    return rc;
}

int iso_datagram_transport_join_source_group(iso_datagram_transport *transport, const char *group,
                                             const char *source, const char *via)
{
    iso__membership one;
    target at;
    int rc = find_target(&at, transport);

    if (rc == 0) rc = parse_membership(&one, &at, group, via);
    if (rc == 0) rc = parse_source(&one, &at, source);
    return rc != 0 ? rc : join(&at, &one, group);
}

int iso_datagram_transport_leave_source_group(iso_datagram_transport *transport, const char *group,
                                              const char *source, const char *via)
{
    iso__membership one;
    target at;
    int rc = find_target(&at, transport);

    if (rc == 0) rc = parse_membership(&one, &at, group, via);
    if (rc == 0) rc = parse_source(&one, &at, source);
    return rc != 0 ? rc : leave(&at, &one, group);
}

int iso_datagram_transport_set_multicast_interface(iso_datagram_transport *transport,
                                                   const char *via)
{
    iso__interface one;
    target at;
    int rc = find_target(&at, transport);

    if (rc == 0) rc = iso__sys_interface_find(&one, via, at.version);
    return rc != 0 ? rc : iso__sys_multicast_set_interface(at.fd, at.version, &one);
}

int iso_datagram_transport_set_multicast_ttl(iso_datagram_transport *transport, int ttl)
{
    target at;
    int rc = find_target(&at, transport);

    if (rc == 0 && (ttl < 0 || ttl > 255))
        rc = iso__error_set(ISO_EINVAL, "a ttl of multicast is 0 to 255, and not %d", ttl);
    return rc != 0 ? rc : iso__sys_multicast_set_ttl(at.fd, at.version, ttl);
}

int iso_datagram_transport_set_multicast_loop(iso_datagram_transport *transport, bool on)
{
    target at;
    int rc = find_target(&at, transport);

    return rc != 0 ? rc : iso__sys_multicast_set_loop(at.fd, at.version, on);
}

int iso_datagram_transport_set_ttl(iso_datagram_transport *transport, int ttl)
{
    target at;
    int rc = find_target(&at, transport);

    if (rc == 0 && (ttl < 1 || ttl > 255))
        rc = iso__error_set(ISO_EINVAL, "a ttl is 1 to 255, and not %d", ttl);
    return rc != 0 ? rc : iso__sys_datagram_set_ttl(at.fd, at.version, ttl);
}

int iso_datagram_transport_set_broadcast(iso_datagram_transport *transport, bool on)
{
    target at;
    int rc = find_target(&at, transport);

    return rc != 0 ? rc : iso__sys_datagram_set_broadcast(at.fd, on);
}
