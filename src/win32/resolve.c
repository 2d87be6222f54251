/* SPDX-License-Identifier: MIT */
#include "sys/resolve.h"

#include "sockets.h"
#include "sys/sock.h"

#include <string.h>

/* A name of the DNS has 253 characters, an address with its zone fewer. Source: RFC 1035, 2.3.4. */
enum { NAME_SIZE = 256 };

/* The answers of GetAddrInfoW are WSA codes (EAI_NONAME is WSAHOST_NOT_FOUND, and so on); one that
 * speaks of the arguments can only mean the name, since the rest are ours. */
static int error_of(int answer)
{
    int error = iso__sys_error(answer);

    switch (error) {
    case ISO_ENONAME:
    case ISO_ETRYNAME:
    case ISO_ENOMEM: return error;
    case ISO_EINVAL:
    case ISO_EAFNOSUPPORT: return ISO_ENONAME;
    default: return ISO_EUNKNOWN;
    }
}

static bool is_among(const iso_address *address, const iso_address *list, int count)
{
    int at;

    for (at = 0; at < count; at++) {
        if (memcmp(&list[at], address, sizeof(*address)) == 0) return true;
    }
    return false;
}

/* Both kinds of address have the port at the same place (Microsoft, sockaddr_in and
 * sockaddr_in6). */
static void set_port(struct sockaddr *native, uint16_t port)
{
    ((struct sockaddr_in *)(void *)native)->sin_port = htons(port);
}

static int collect(const ADDRINFOW *found, uint16_t port, iso_address *out, int max)
{
    int count = 0;

    for (; found != NULL && count < max; found = found->ai_next) {
        set_port(found->ai_addr, port);
        iso__address_keep(&out[count], found->ai_addr, (int)found->ai_addrlen);
        if (out[count].length != 0 && !is_among(&out[count], out, count)) count++;
    }
    return count;
}

/* An empty name would mean this machine's own addresses; nobody asks for those by mistake but by an
 * empty configuration. Source: Microsoft, GetAddrInfoW: pNodeName. */
static int widen(const char *host, WCHAR *name)
{
    if (*host == '\0') return ISO_ENONAME;
    return MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, host, -1, name, NAME_SIZE) > 0
               ? 0
               : ISO_ENONAME; /* not UTF-8, or longer than a name can be */
}

int iso__sys_resolve(const char *host, uint16_t port, int version, bool passive, iso_address *out,
                     int max)
{
    WCHAR name[NAME_SIZE];
    ADDRINFOW hints;
    ADDRINFOW *found = NULL;
    int count;
    int rc;

    if (iso__sys_socket_startup() != 0) return ISO_EUNKNOWN;
    if (host != NULL && widen(host, name) != 0) return ISO_ENONAME;
    memset(&hints, 0, sizeof(hints));
    hints.ai_family = version == 4 ? AF_INET : version == 6 ? AF_INET6 : AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_protocol = IPPROTO_TCP;
    hints.ai_flags = AI_NUMERICSERV | (passive ? AI_PASSIVE : 0);
    /* A service, since a NULL host needs one; its port is written over. */
    rc = GetAddrInfoW(host == NULL ? NULL : name, L"0", &hints, &found);
    if (rc != 0) return error_of(rc);
    count = collect(found, port, out, max);
    FreeAddrInfoW(found);
    return count > 0 ? count : ISO_ENONAME;
}
