/* SPDX-License-Identifier: MIT */
/* Sends, connections, files: operations of the owner's that end once. The memory of a send is the
 * owner's, and lent to the kernel; the OVERLAPPED is the driver's. */
#include "iocp.h"

#include "base/alloc.h"
#include "handle.h"
#include "sys/sock.h"

#include <mswsock.h>
#include <string.h>

typedef struct once {
    iso__request request;
    iso__op *op;
    struct once *next_free;
} once;

static void run_done(iso__engine *engine, iso__node *node)
{
    iso__op *op = ISO__CONTAINER(node, iso__op, node);

    (void)engine;
    op->done(op, op->result);
}

static void give_back(once *self)
{
    iso__iocp *driver = self->request.channel->driver;

    self->next_free = driver->free_once;
    driver->free_once = self;
}

/* The names, and shutdown, of a connection work only when it is told that it is one.
 * Source: Microsoft, ConnectEx, SO_UPDATE_CONNECT_CONTEXT. */
static int update_connection(const iso__channel *channel)
{
    if (setsockopt((SOCKET)channel->handle, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, NULL, 0) == 0)
        return 0;
    return iso__socket_error();
}

static bool is_stream_of_owner(const iso__channel *channel)
{
    return channel->io != NULL && channel->is_socket && !channel->is_datagram;
}

static void finished(iso__request *request, int error, size_t bytes)
{
    once *self = ISO__CONTAINER(request, once, request);
    iso__channel *channel = request->channel;
    iso__op *op = self->op;

    op->request = NULL;
    op->result = error != 0 ? error : (ptrdiff_t)bytes;
    if (op->verb == ISO__OP_SENDTO && error == 0 && bytes < op->what.send.list->size)
        op->result = ISO_EMSGSIZE; /* Wine: with a warning, as of what is received and too long */
    if (op->verb == ISO__OP_CONNECT && error == 0)
        op->result = is_stream_of_owner(channel) ? update_connection(channel) : 0;
    iso__driver_ready(&channel->driver->base, &op->node);
    give_back(self);
}

/* A record for an operation; NULL: out of memory. */
static once *begin(iso__op *op, iso__op_verb verb)
{
    iso__channel *channel = iso__channel_of(op->io);
    once *self = channel->driver->free_once;

    if (self != NULL)
        channel->driver->free_once = self->next_free;
    else
        self = iso__alloc(channel->driver->base.allocator, sizeof(*self));
    if (self == NULL) return NULL;
    memset(self, 0, sizeof(*self));
    self->request.channel = channel;
    self->request.finished = finished;
    self->op = op;
    op->verb = verb;
    op->request = self;
    op->node.run = run_done;
    op->node.link.next = NULL;
    op->node.link.prev = NULL;
    return self;
}

/* ---- sending ---- */

int iso__iocp_send(iso__driver *driver, iso__op *op)
{
    iso__channel *channel = iso__channel_of(op->io);
    const iso_buffer *first = op->what.send.list;
    WSABUF pieces[ISO__SYS_SENDV_MAX];
    DWORD count = iso__socket_pieces(pieces, first, op->what.send.count);
    once *self = begin(op, ISO__OP_SEND);
    bool succeeded;

    (void)driver;
    if (self == NULL) return ISO_ENOMEM;
    if (channel->is_socket)
        succeeded = WSASend((SOCKET)channel->handle, pieces, count, NULL, 0,
                            &self->request.overlapped, NULL) == 0;
    else /* which takes one piece only */
        succeeded = WriteFile(channel->handle, pieces->buf, pieces->len, NULL,
                              &self->request.overlapped) != FALSE;
    iso__request_settle(&self->request, succeeded, succeeded ? 0 : GetLastError());
    return 0;
}

int iso__iocp_sendto(iso__driver *driver, iso__op *op)
{
    const iso_address *to = op->what.send.to;
    SOCKET sock = (SOCKET)iso__channel_of(op->io)->handle;
    once *self = begin(op, ISO__OP_SENDTO);
    WSABUF piece;
    bool succeeded;
    DWORD error;

    (void)driver;
    if (self == NULL) return ISO_ENOMEM;
    piece.buf = (char *)(uintptr_t)op->what.send.list->data;
    piece.len = (ULONG)op->what.send.list->size;
    succeeded = WSASendTo(sock, &piece, 1, NULL, 0,
                          to != NULL ? (const struct sockaddr *)(const void *)&to->storage : NULL,
                          to != NULL ? (int)to->length : 0, &self->request.overlapped, NULL) == 0;
    error = succeeded ? 0 : GetLastError();
    /* What is received and too long is a warning, whose packet comes; what is too long to be sent
     * is refused, and none does. */
    if (error == WSAEMSGSIZE &&
        (DWORD)self->request.overlapped.Internal != (DWORD)STATUS_BUFFER_OVERFLOW)
        finished(&self->request, ISO_EMSGSIZE, 0);
    else
        iso__request_settle(&self->request, succeeded, error);
    return 0;
}

/* Source: Microsoft, TransmitFile: the place in the file stands in the OVERLAPPED, and 0 bytes
 * would mean all of it. */
int iso__iocp_sendfile(iso__driver *driver, iso__op *op)
{
    const GUID id = WSAID_TRANSMITFILE;
    iso__channel *channel = iso__channel_of(op->io);
    SOCKET sock = (SOCKET)channel->handle;
    HANDLE file = (HANDLE)op->what.file.fd;
    size_t size = op->what.file.size < INT32_MAX - 1 ? op->what.file.size : INT32_MAX - 1;
    LPFN_TRANSMITFILE transmit;
    LARGE_INTEGER end;
    bool succeeded;
    once *self;
    int rc = iso__socket_extension(sock, &id, &transmit, sizeof(transmit));

    (void)driver;
    if (rc != 0 || !channel->is_socket || !GetFileSizeEx(file, &end)) return ISO_ENOTSUP;
    self = begin(op, ISO__OP_SENDFILE);
    if (self == NULL) return ISO_ENOMEM;
    if (op->what.file.offset >= (uint64_t)end.QuadPart) {
        finished(&self->request, 0, 0);
        return 0;
    }
    if (size > (uint64_t)end.QuadPart - op->what.file.offset)
        size = (size_t)((uint64_t)end.QuadPart - op->what.file.offset);
    self->request.overlapped.Offset = (DWORD)op->what.file.offset;
    self->request.overlapped.OffsetHigh = (DWORD)(op->what.file.offset >> 32);
    succeeded = transmit(sock, file, (DWORD)size, 0, &self->request.overlapped, NULL, 0) != FALSE;
    iso__request_settle(&self->request, succeeded, succeeded ? 0 : GetLastError());
    return 0;
}

/* ---- connecting ---- */

static void connect_socket(once *self, const iso_address *address)
{
    const GUID id = WSAID_CONNECTEX;
    const struct sockaddr *native = (const struct sockaddr *)(const void *)&address->storage;
    SOCKET sock = (SOCKET)self->request.channel->handle;
    LPFN_CONNECTEX connect_ex;
    bool succeeded;
    int rc;

    if (self->request.channel->is_datagram) { /* there is nothing to wait for */
        finished(&self->request, iso__sys_socket_connect((iso_fd)sock, address), 0);
        return;
    }
    rc = iso__socket_extension(sock, &id, &connect_ex, sizeof(connect_ex));
    if (rc == 0) rc = iso__channel_bind(self->request.channel);
    if (rc != 0) {
        finished(&self->request, rc, 0);
        return;
    }
    succeeded = connect_ex(sock, native, (int)address->length, NULL, 0, NULL,
                           &self->request.overlapped) != FALSE;
    iso__request_settle(&self->request, succeeded, succeeded ? 0 : GetLastError());
}

/* ERROR_PIPE_CONNECTED: it came between the making of the instance and this call; no packet comes
 * of it. Source: Microsoft, ConnectNamedPipe. */
static void connect_client(once *self)
{
    bool succeeded =
        ConnectNamedPipe(self->request.channel->handle, &self->request.overlapped) != FALSE;
    DWORD error = succeeded ? 0 : GetLastError();

    if (error == ERROR_PIPE_CONNECTED)
        finished(&self->request, 0, 0);
    else
        iso__request_settle(&self->request, succeeded, error);
}

int iso__iocp_connect(iso__driver *driver, iso__op *op, const iso_address *address)
{
    once *self = begin(op, ISO__OP_CONNECT);

    (void)driver;
    if (self == NULL) return ISO_ENOMEM;
    if (address != NULL)
        connect_socket(self, address);
    else
        connect_client(self);
    return 0;
}

/* ---- giving up ---- */

bool iso__iocp_withdraw(iso__driver *driver, iso__op *op)
{
    once *self = op->request;

    (void)driver;
    if (self == NULL) {
        iso__list_remove_if_in(&op->node.link);
        return true;
    }
    (void)CancelIoEx(self->request.channel->handle, &self->request.overlapped);
    return false;
}

void iso__iocp_free_once(iso__iocp *self)
{
    while (self->free_once != NULL) {
        once *one = self->free_once;

        self->free_once = one->next_free;
        iso__free(self->base.allocator, one, sizeof(*one));
    }
}
