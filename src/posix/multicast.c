/* SPDX-License-Identifier: MIT */
#include "sys/multicast.h"

#include "base/error.h"
#include "sys/error.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* ---- addresses ---- */

static struct sockaddr_in v4_of(const iso_address *address)
{
    struct sockaddr_in native;

    memcpy(&native, address->storage.bytes, sizeof(native));
    return native;
}

static struct sockaddr_in6 v6_of(const iso_address *address)
{
    struct sockaddr_in6 native;

    memcpy(&native, address->storage.bytes, sizeof(native));
    return native;
}

bool iso__sys_address_is_group(const iso_address *address)
{
    struct sockaddr_in6 v6;

    switch (iso_address_version(address)) {
    case 4: return IN_MULTICAST(ntohl(v4_of(address).sin_addr.s_addr));
    case 6: v6 = v6_of(address); return IN6_IS_ADDR_MULTICAST(&v6.sin6_addr);
    default: return false;
    }
}

int iso__sys_socket_version(iso_fd fd, int *out)
{
    struct sockaddr_storage native;
    socklen_t length = sizeof(native);

    native.ss_family = AF_UNSPEC;
    if (getsockname((int)fd, (struct sockaddr *)&native, &length) != 0)
        return iso__sys_error(errno);
    *out = native.ss_family == AF_INET ? 4 : native.ss_family == AF_INET6 ? 6 : 0;
    return 0;
}

/* ---- interfaces ---- */

static bool is_any(const iso_address *address)
{
    struct sockaddr_in6 v6;

    if (iso_address_version(address) == 4) return v4_of(address).sin_addr.s_addr == INADDR_ANY;
    v6 = v6_of(address);
    return IN6_IS_ADDR_UNSPECIFIED(&v6.sin6_addr);
}

/* Whether the native address of an interface is this one, whatever port and zone. */
static bool is_address(const struct sockaddr *native, const iso_address *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_in6 wanted;

    if (native == NULL) return false;
    if (iso_address_version(address) == 4) {
        if (native->sa_family != AF_INET) return false;
        memcpy(&v4, native, sizeof(v4));
        return v4.sin_addr.s_addr == v4_of(address).sin_addr.s_addr;
    }
    if (native->sa_family != AF_INET6) return false;
    memcpy(&v6, native, sizeof(v6));
    wanted = v6_of(address);
    return memcmp(&v6.sin6_addr, &wanted.sin6_addr, sizeof(v6.sin6_addr)) == 0;
}

/* The interface that has an address. */
static int find_holder(iso__interface *out, const iso_address *address, const char *text)
{
    struct ifaddrs *list;
    const struct ifaddrs *one;

    if (getifaddrs(&list) != 0) return iso__sys_error(errno);
    for (one = list; one != NULL; one = one->ifa_next) {
        if (is_address(one->ifa_addr, address)) break;
    }
    if (one != NULL) {
        out->index = if_nametoindex(one->ifa_name);
        out->address = *address;
    }
    freeifaddrs(list);
    if (one != NULL) return 0;
    return iso__error_set(ISO_EADDRNOTAVAIL, "no interface has the address %s", text);
}

/* The first address of version 4 of an interface. */
static int find_v4(iso__interface *out, const char *name)
{
    struct ifaddrs *list;
    const struct ifaddrs *one;

    if (getifaddrs(&list) != 0) return iso__sys_error(errno);
    for (one = list; one != NULL; one = one->ifa_next) {
        if (one->ifa_addr != NULL && one->ifa_addr->sa_family == AF_INET &&
            strcmp(one->ifa_name, name) == 0)
            break;
    }
    if (one != NULL) {
        memset(&out->address, 0, sizeof(out->address));
        memcpy(out->address.storage.bytes, one->ifa_addr, sizeof(struct sockaddr_in));
        out->address.length = sizeof(struct sockaddr_in);
    }
    freeifaddrs(list);
    if (one != NULL) return 0;
    return iso__error_set(ISO_EADDRNOTAVAIL, "interface %s has no address of version 4", name);
}

/* A number itself; 0 for what is none. */
static unsigned number_of(const char *text)
{
    unsigned long number;
    char *end;

    if (*text < '0' || *text > '9') return 0; /* strtoul takes blanks and signs */
    number = strtoul(text, &end, 10);
    return *end == '\0' && number <= INT32_MAX ? (unsigned)number : 0;
}

static int find_named(iso__interface *out, const char *text, unsigned index, int version)
{
    char name[IF_NAMESIZE];

    if (index == 0 || if_indextoname(index, name) == NULL)
        return iso__error_set(ISO_ENOENT, "there is no interface %s", text);
    out->index = index;
    return version == 4 ? find_v4(out, name) : 0;
}

int iso__sys_interface_find(iso__interface *out, const char *text, int version)
{
    iso_address address;
    unsigned index;

    memset(out, 0, sizeof(*out));
    if (text == NULL) return 0;
    if (iso_address_parse(&address, text, 0) != 0) {
        index = if_nametoindex(text);
        return find_named(out, text, index != 0 ? index : number_of(text), version);
    }
    if (iso_address_version(&address) != version)
        return iso__error_set(ISO_EAFNOSUPPORT, "%s is of the other version", text);
    if (version == 6 && v6_of(&address).sin6_scope_id != 0)
        return find_named(out, text, v6_of(&address).sin6_scope_id, version);
    return is_any(&address) ? 0 : find_holder(out, &address, text);
}

/* ---- options ---- */

/* ENODEV: Linux finds no interface by itself. ENOPROTOOPT: no such option on this system. */
static int set(iso_fd fd, int level, int name, const void *value, size_t size)
{
    if (setsockopt((int)fd, level, name, value, (socklen_t)size) == 0) return 0;
    if (errno == ENODEV || errno == ENXIO) return ISO_ENETUNREACH;
    return errno == ENOPROTOOPT ? ISO_ENOTSUP : iso__sys_error(errno);
}

static struct in_addr v4_of_interface(const iso__interface *one)
{
    struct in_addr any = { 0 };

    any.s_addr = htonl(INADDR_ANY);
    return one->address.length != 0 ? v4_of(&one->address).sin_addr : any;
}

static int change_v4(iso_fd fd, const iso__membership *one, bool joins)
{
    struct ip_mreq request;

    memset(&request, 0, sizeof(request));
    request.imr_multiaddr = v4_of(&one->group).sin_addr;
    request.imr_interface = v4_of_interface(&one->via);
    return set(fd, IPPROTO_IP, joins ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP, &request,
               sizeof(request));
}

/* A group of a zone, "ff02::1%eth0", names the interface itself. */
static unsigned index_of(const iso__membership *one)
{
    return one->via.index != 0 ? one->via.index : v6_of(&one->group).sin6_scope_id;
}

static int change_v6(iso_fd fd, const iso__membership *one, bool joins)
{
    struct ipv6_mreq request;

    memset(&request, 0, sizeof(request));
    request.ipv6mr_multiaddr = v6_of(&one->group).sin6_addr;
    request.ipv6mr_interface = index_of(one);
    return set(fd, IPPROTO_IPV6, joins ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP, &request,
               sizeof(request));
}

/* NetBSD and OpenBSD have no sources. */
static int change_source_v4(iso_fd fd, const iso__membership *one, bool joins)
{
#if defined(IP_ADD_SOURCE_MEMBERSHIP)
    struct ip_mreq_source request;

    memset(&request, 0, sizeof(request));
    request.imr_multiaddr = v4_of(&one->group).sin_addr;
    request.imr_interface = v4_of_interface(&one->via);
    request.imr_sourceaddr = v4_of(&one->source).sin_addr;
    return set(fd, IPPROTO_IP, joins ? IP_ADD_SOURCE_MEMBERSHIP : IP_DROP_SOURCE_MEMBERSHIP,
               &request, sizeof(request));
#else
    (void)fd;
    (void)one;
    (void)joins;
    return ISO_ENOTSUP;
#endif
}

static int change_source_v6(iso_fd fd, const iso__membership *one, bool joins)
{
#if defined(MCAST_JOIN_SOURCE_GROUP)
    struct group_source_req request;

    memset(&request, 0, sizeof(request));
    request.gsr_interface = index_of(one);
    memcpy(&request.gsr_group, one->group.storage.bytes, one->group.length);
    memcpy(&request.gsr_source, one->source.storage.bytes, one->source.length);
    return set(fd, IPPROTO_IPV6, joins ? MCAST_JOIN_SOURCE_GROUP : MCAST_LEAVE_SOURCE_GROUP,
               &request, sizeof(request));
#else
    (void)fd;
    (void)one;
    (void)joins;
    return ISO_ENOTSUP;
#endif
}

static int change(iso_fd fd, const iso__membership *one, bool joins)
{
    bool is_v4 = iso_address_version(&one->group) == 4;

    if (one->source.length == 0)
        return is_v4 ? change_v4(fd, one, joins) : change_v6(fd, one, joins);
    return is_v4 ? change_source_v4(fd, one, joins) : change_source_v6(fd, one, joins);
}

/* The interface is there: what is "not available" is a source that Linux has already. */
int iso__sys_multicast_join(iso_fd fd, const iso__membership *one)
{
    int rc = change(fd, one, true);

    return rc == ISO_EADDRNOTAVAIL && one->source.length != 0 ? ISO_EADDRINUSE : rc;
}

/* Linux says EINVAL of a source that was not joined in a group that was. */
int iso__sys_multicast_leave(iso_fd fd, const iso__membership *one)
{
    int rc = change(fd, one, false);

    return rc == ISO_EINVAL ? ISO_EADDRNOTAVAIL : rc;
}

int iso__sys_multicast_set_interface(iso_fd fd, int version, const iso__interface *via)
{
    struct in_addr address = v4_of_interface(via);
    unsigned index = via->index;

    if (version == 4) return set(fd, IPPROTO_IP, IP_MULTICAST_IF, &address, sizeof(address));
    return set(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof(index));
}

/* An unsigned char for version 4: every BSD wants that, and Linux takes it. For version 6 RFC 3493
 * has an int. */
int iso__sys_multicast_set_ttl(iso_fd fd, int version, int ttl)
{
    unsigned char byte = (unsigned char)ttl;

    if (version == 4) return set(fd, IPPROTO_IP, IP_MULTICAST_TTL, &byte, sizeof(byte));
    return set(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &ttl, sizeof(ttl));
}

int iso__sys_multicast_set_loop(iso_fd fd, int version, bool on)
{
    unsigned char byte = on ? 1 : 0;
    unsigned number = on ? 1 : 0;

    if (version == 4) return set(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &byte, sizeof(byte));
    return set(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, &number, sizeof(number));
}

int iso__sys_datagram_set_ttl(iso_fd fd, int version, int ttl)
{
    return version == 4 ? set(fd, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl))
                        : set(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &ttl, sizeof(ttl));
}
