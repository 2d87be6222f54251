/* SPDX-License-Identifier: MIT */
#include "sys/multicast.h"

#include "base/error.h"
#include "sockets.h"

#include <iphlpapi.h>
#include <stdlib.h>
#include <string.h>

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
    switch (iso_address_version(address)) {
    case 4: return (ntohl(v4_of(address).sin_addr.s_addr) & 0xF0000000u) == 0xE0000000u;
    case 6: return v6_of(address).sin6_addr.s6_addr[0] == 0xFF;
    default: return false;
    }
}

/* Asked of its provider: one that is not bound has no name yet. */
int iso__sys_socket_version(iso_fd fd, int *out)
{
    WSAPROTOCOL_INFOW info;
    int size = sizeof(info);

    if (getsockopt((SOCKET)fd, SOL_SOCKET, SO_PROTOCOL_INFOW, (char *)&info, &size) != 0)
        return iso__socket_error();
    *out = info.iAddressFamily == AF_INET ? 4 : info.iAddressFamily == AF_INET6 ? 6 : 0;
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

/* What an interface is looked for by: an address, else its number, else its name. */
typedef struct search {
    const iso_address *address;
    unsigned long index;
    const wchar_t *name;
    int version;
} search;

/* All of them; NULL: out of memory, or the system will not tell. HeapFree'd by the caller. */
static IP_ADAPTER_ADDRESSES *list_interfaces(void)
{
    const ULONG flags = GAA_FLAG_SKIP_ANYCAST | GAA_FLAG_SKIP_MULTICAST | GAA_FLAG_SKIP_DNS_SERVER;
    IP_ADAPTER_ADDRESSES *list = NULL;
    ULONG size = 16 * 1024; /* as Microsoft advises, to ask once as a rule */
    ULONG error = ERROR_BUFFER_OVERFLOW;
    int tries;

    for (tries = 0; tries < 4 && error == ERROR_BUFFER_OVERFLOW; tries++) {
        if (list != NULL) (void)HeapFree(GetProcessHeap(), 0, list);
        list = HeapAlloc(GetProcessHeap(), 0, size);
        if (list == NULL) return NULL;
        error = GetAdaptersAddresses(AF_UNSPEC, flags, NULL, list, &size);
    }
    if (error == 0) return list;
    (void)HeapFree(GetProcessHeap(), 0, list);
    return NULL;
}

static bool has_address(const IP_ADAPTER_ADDRESSES *one, const iso_address *address)
{
    const IP_ADAPTER_UNICAST_ADDRESS *at;

    for (at = one->FirstUnicastAddress; at != NULL; at = at->Next) {
        iso_address held;

        iso__address_keep(&held, at->Address.lpSockaddr, at->Address.iSockaddrLength);
        if (iso_address_version(&held) != iso_address_version(address)) continue;
        if (iso_address_version(&held) == 4) {
            if (v4_of(&held).sin_addr.s_addr == v4_of(address).sin_addr.s_addr) return true;
        } else {
            struct sockaddr_in6 is = v6_of(&held);
            struct sockaddr_in6 wanted = v6_of(address);

            if (memcmp(&is.sin6_addr, &wanted.sin6_addr, sizeof(is.sin6_addr)) == 0) return true;
        }
    }
    return false;
}

static ULONG index_in(const IP_ADAPTER_ADDRESSES *one, int version)
{
    return version == 6 && one->Ipv6IfIndex != 0 ? one->Ipv6IfIndex : one->IfIndex;
}

static bool is_it(const IP_ADAPTER_ADDRESSES *one, const search *what)
{
    if (what->address != NULL) return has_address(one, what->address);
    if (what->index != 0) return index_in(one, what->version) == what->index;
    return one->FriendlyName != NULL && wcscmp(one->FriendlyName, what->name) == 0;
}

/* The first address of version 4 of an interface, or none. */
static void keep_v4(iso__interface *out, const IP_ADAPTER_ADDRESSES *one)
{
    const IP_ADAPTER_UNICAST_ADDRESS *at;

    for (at = one->FirstUnicastAddress; at != NULL && out->address.length == 0; at = at->Next) {
        iso__address_keep(&out->address, at->Address.lpSockaddr, at->Address.iSockaddrLength);
        if (iso_address_version(&out->address) != 4) out->address.length = 0;
    }
}

static int find(iso__interface *out, const search *what, const char *text)
{
    IP_ADAPTER_ADDRESSES *list = list_interfaces();
    const IP_ADAPTER_ADDRESSES *one;

    if (list == NULL) return ISO_ENOMEM;
    for (one = list; one != NULL; one = one->Next) {
        if (is_it(one, what)) break;
    }
    if (one != NULL) {
        out->index = index_in(one, what->version);
        if (what->address != NULL)
            out->address = *what->address;
        else if (what->version == 4)
            keep_v4(out, one);
    }
    (void)HeapFree(GetProcessHeap(), 0, list);
    if (one == NULL && what->address != NULL)
        return iso__error_set(ISO_EADDRNOTAVAIL, "no interface has the address %s", text);
    if (one == NULL) return iso__error_set(ISO_ENOENT, "there is no interface %s", text);
    if (what->version == 4 && out->address.length == 0)
        return iso__error_set(ISO_EADDRNOTAVAIL, "interface %s has no address of version 4", text);
    return 0;
}

/* A number itself; 0 for what is none. */
static unsigned long number_of(const char *text)
{
    unsigned long number;
    char *end;

    if (*text < '0' || *text > '9') return 0; /* strtoul takes blanks and signs */
    number = strtoul(text, &end, 10);
    return *end == '\0' && number <= INT32_MAX ? number : 0;
}

int iso__sys_interface_find(iso__interface *out, const char *text, int version)
{
    wchar_t name[IF_MAX_STRING_SIZE + 1] = L"";
    search what = { NULL, 0, name, version };
    iso_address address;

    memset(out, 0, sizeof(*out));
    if (text == NULL) return 0;
    if (iso_address_parse(&address, text, 0) != 0) {
        what.index = number_of(text);
        if (what.index == 0 && MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, name,
                                                   IF_MAX_STRING_SIZE + 1) <= 0)
            return iso__error_set(ISO_ENOENT, "there is no interface %s", text);
        return find(out, &what, text);
    }
    if (iso_address_version(&address) != version)
        return iso__error_set(ISO_EAFNOSUPPORT, "%s is of the other version", text);
    if (is_any(&address)) return 0;
    if (version == 6 && v6_of(&address).sin6_scope_id != 0)
        what.index = v6_of(&address).sin6_scope_id;
    else
        what.address = &address;
    return find(out, &what, text);
}

/* ---- options ---- */

static int set(iso_fd fd, int level, int name, const void *value, size_t size)
{
    if (setsockopt((SOCKET)fd, level, name, value, (int)size) == 0) return 0;
    return WSAGetLastError() == WSAENOPROTOOPT ? ISO_ENOTSUP : iso__socket_error();
}

static struct in_addr v4_of_interface(const iso__interface *one)
{
    struct in_addr any;

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

/* A group of a zone, "ff02::1%12", names the interface itself. */
static ULONG index_of(const iso__membership *one)
{
    return one->via.index != 0 ? one->via.index : v6_of(&one->group).sin6_scope_id;
}

static int change_v6(iso_fd fd, const iso__membership *one, bool joins)
{
    struct ipv6_mreq request;

    memset(&request, 0, sizeof(request));
    request.ipv6mr_multiaddr = v6_of(&one->group).sin6_addr;
    request.ipv6mr_interface = index_of(one);
    return set(fd, IPPROTO_IPV6, joins ? IPV6_ADD_MEMBERSHIP : IPV6_DROP_MEMBERSHIP, &request,
               sizeof(request));
}

static int change_source_v4(iso_fd fd, const iso__membership *one, bool joins)
{
    struct ip_mreq_source request;

    memset(&request, 0, sizeof(request));
    request.imr_multiaddr = v4_of(&one->group).sin_addr;
    request.imr_interface = v4_of_interface(&one->via);
    request.imr_sourceaddr = v4_of(&one->source).sin_addr;
    return set(fd, IPPROTO_IP, joins ? IP_ADD_SOURCE_MEMBERSHIP : IP_DROP_SOURCE_MEMBERSHIP,
               &request, sizeof(request));
}

static int change_source_v6(iso_fd fd, const iso__membership *one, bool joins)
{
    struct group_source_req request;

    memset(&request, 0, sizeof(request));
    request.gsr_interface = index_of(one);
    memcpy(&request.gsr_group, one->group.storage.bytes, one->group.length);
    memcpy(&request.gsr_source, one->source.storage.bytes, one->source.length);
    return set(fd, IPPROTO_IPV6, joins ? MCAST_JOIN_SOURCE_GROUP : MCAST_LEAVE_SOURCE_GROUP,
               &request, sizeof(request));
}

static int change(iso_fd fd, const iso__membership *one, bool joins)
{
    bool is_v4 = iso_address_version(&one->group) == 4;

    if (one->source.length == 0)
        return is_v4 ? change_v4(fd, one, joins) : change_v6(fd, one, joins);
    return is_v4 ? change_source_v4(fd, one, joins) : change_source_v6(fd, one, joins);
}

/* The group is one, and the interface is there: what is not valid is to join twice, and to leave
 * what was not joined. (Windows' versions differ; POSIX has a code for each.) */
int iso__sys_multicast_join(iso_fd fd, const iso__membership *one)
{
    int rc = change(fd, one, true);

    return rc == ISO_EINVAL || rc == ISO_EADDRNOTAVAIL ? ISO_EADDRINUSE : rc;
}

int iso__sys_multicast_leave(iso_fd fd, const iso__membership *one)
{
    int rc = change(fd, one, false);

    return rc == ISO_EINVAL ? ISO_EADDRNOTAVAIL : rc;
}

int iso__sys_multicast_set_interface(iso_fd fd, int version, const iso__interface *via)
{
    struct in_addr address = v4_of_interface(via);
    DWORD index = via->index;

    if (version == 4) return set(fd, IPPROTO_IP, IP_MULTICAST_IF, &address, sizeof(address));
    return set(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof(index));
}

static int set_number(iso_fd fd, int level, int name, int value)
{
    DWORD number = (DWORD)value;

    return set(fd, level, name, &number, sizeof(number));
}

int iso__sys_multicast_set_ttl(iso_fd fd, int version, int ttl)
{
    return version == 4 ? set_number(fd, IPPROTO_IP, IP_MULTICAST_TTL, ttl)
                        : set_number(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, ttl);
}

/* On Windows it is the receiver's to say. Source: Microsoft, IP_MULTICAST_LOOP. */
int iso__sys_multicast_set_loop(iso_fd fd, int version, bool on)
{
    return version == 4 ? set_number(fd, IPPROTO_IP, IP_MULTICAST_LOOP, on ? 1 : 0)
                        : set_number(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, on ? 1 : 0);
}

int iso__sys_datagram_set_ttl(iso_fd fd, int version, int ttl)
{
    return version == 4 ? set_number(fd, IPPROTO_IP, IP_TTL, ttl)
                        : set_number(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, ttl);
}
