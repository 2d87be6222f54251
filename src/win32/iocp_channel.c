/* SPDX-License-Identifier: MIT */
/* Requests and channels: what the kernel holds, and for how long. */
#include "iocp.h"

#include "base/alloc.h"
#include "handle.h"

#include <mswsock.h>
#include <string.h>

/* ---- channels ---- */

void iso__channel_idle(iso__channel *channel)
{
    if (!iso__link_is_in(&channel->link)) iso__list_push(&channel->driver->idle, &channel->link);
}

void iso__channel_free_if_over(iso__channel *channel)
{
    if (channel->io != NULL || channel->held > 0) return;
    iso__free(channel->driver->base.allocator, channel->extra, channel->extra_bytes);
    iso__free(channel->driver->base.allocator, channel, sizeof(*channel));
}

void *iso__channel_extra(iso__channel *channel, size_t bytes, void (*drop)(iso__channel *channel))
{
    channel->extra = iso__alloc_zero(channel->driver->base.allocator, bytes);
    if (channel->extra == NULL) return NULL;
    channel->extra_bytes = bytes;
    channel->drop_extra = drop;
    return channel->extra;
}

/* ---- requests ---- */

void iso__request_settle(iso__request *request, bool succeeded, DWORD error)
{
    iso__channel *channel = request->channel;

    /* A message that is longer than its buffer is a warning, and to the port a success: its packet
     * comes, or is skipped, as any other. */
    if (error == ERROR_MORE_DATA || error == WSAEMSGSIZE) succeeded = true;
    if (succeeded ? !channel->skips : error == ERROR_IO_PENDING) {
        iso__list_push(&channel->driver->held, &request->link);
        channel->held++;
        channel->driver->held_count++;
        return;
    }
    channel->driver->at_once++;
    request->finished(request, succeeded ? 0 : iso__sys_error((int)error),
                      succeeded ? (size_t)request->overlapped.InternalHigh : 0);
}

/* A packet: the kernel has let go. The status is an NTSTATUS, and a message that was larger than
 * its buffer has brought its beginning. */
void iso__request_finish(const OVERLAPPED_ENTRY *entry)
{
    iso__request *request = ISO__CONTAINER(entry->lpOverlapped, iso__request, overlapped);
    iso__channel *channel = request->channel;
    int status = (int)request->overlapped.Internal;
    int error = status >= 0 || status == (int)STATUS_BUFFER_OVERFLOW ? 0 : iso__sys_error(status);

    iso__list_remove(&request->link);
    channel->held--;
    channel->driver->held_count--;
    request->finished(request, error, entry->dwNumberOfBytesTransferred);
    iso__channel_free_if_over(channel);
}

void iso__request_cancel(iso__request *request)
{
    HANDLE file = request->file != NULL ? request->file : request->channel->handle;

    (void)CancelIoEx(file, &request->overlapped);
}

/* ---- sockets ---- */

int iso__socket_extension(SOCKET sock, const GUID *guid, void *function, DWORD size)
{
    DWORD bytes;
    GUID id = *guid;

    if (WSAIoctl(sock, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof(id), function, size, &bytes,
                 NULL, NULL) == 0)
        return 0;
    return iso__socket_error();
}

/* Source: Microsoft, ConnectEx, WSARecvFrom. WSAEINVAL: it is bound. */
int iso__channel_bind(const iso__channel *channel)
{
    SOCKADDR_STORAGE storage;
    struct sockaddr *any = (struct sockaddr *)&storage;
    int size = channel->family == AF_INET6 ? (int)sizeof(struct sockaddr_in6)
                                           : (int)sizeof(struct sockaddr_in);

    memset(&storage, 0, sizeof(storage));
    any->sa_family = (u_short)channel->family;
    if (bind((SOCKET)channel->handle, any, size) == 0) return 0;
    return WSAGetLastError() == WSAEINVAL ? 0 : iso__socket_error();
}
