/* SPDX-License-Identifier: MIT */
/* Readiness over a completion port. The driver behind Winsock, AFD, completes a request to poll
 * when one of the events that it asks for is true: Winsock's own select is made of such requests.
 * Nothing of it is documented; wepoll, libuv (src/win/poll.c), mio (src/sys/windows/afd.rs) and
 * Wine (dlls/ws2_32/tests/afd.c) agree on what stands here.
 *
 * - A watched socket has one request, never two: AFD mixes up the events of two requests for one
 *   socket (trio issue 52, afd-lab.py). It asks for what is wanted, and is cancelled when more is.
 *   When it has brought something that was told, the next one is made in the next turn, and brings
 *   what is still true: so watching is level-triggered, as with select. What it has brought was
 *   true when it came, and somebody may have read since, before the turn: unlike with select, one
 *   call too many is then possible, as with uv_poll_t.
 * - Requests are not made of the socket, which the program may close, and in vain be asked to
 *   cancel them then, but of handles of AFD's that are the driver's. Nor does the socket have to be
 *   tied to the port.
 * - To cancel one, the system looks through all requests of a handle: each is for a few sockets
 *   only (wepoll issue 40, trio issue 1280). */
#include "iocp.h"

#include "base/alloc.h"
#include "handle.h"
#include "sys/descriptor.h"

#include <mswsock.h>
#include <string.h>

#define IOCTL_AFD_POLL 0x00012024

enum {
    AFD_POLL_RECEIVE = 0x1,
    AFD_POLL_SEND = 0x4,
    AFD_POLL_DISCONNECT = 0x8, /* the peer has shut down sending */
    AFD_POLL_ABORT = 0x10,     /* the connection was reset */
    AFD_POLL_LOCAL_CLOSE = 0x20,
    AFD_POLL_ACCEPT = 0x80,
    AFD_POLL_CONNECT_FAIL = 0x100
};

/* As the system fills it, with handles of the size that a program has. */
typedef struct poll_info {
    LARGE_INTEGER timeout;
    ULONG count; /* of sockets; afterwards of those that have something to tell */
    ULONG is_exclusive;
    struct {
        HANDLE handle;
        ULONG events; /* that are asked for; afterwards those that came */
        NTSTATUS status;
    } sockets[1];
} poll_info;

enum { READ = ISO_EVENT_READ, WRITE = ISO_EVENT_WRITE, GONE = ISO_EVENT_GONE };

typedef struct watch {
    iso__request request;
    iso__afd *afd; /* what is asked */
    HANDLE base;   /* the socket, as AFD knows it */
    unsigned wants;
    unsigned asked; /* by the request that is held */
    unsigned fired; /* and not told yet */
    poll_info info; /* lent to the kernel with the request */
} watch;

/* ---- handles of AFD's ---- */

enum { SOCKETS_PER_AFD = 32 };

struct iso__afd {
    iso__link link; /* those that have room come first */
    HANDLE handle;
    unsigned users;
};

/* Any name below the device does. */
static int open_afd(HANDLE port, HANDLE *out)
{
    wchar_t name[] = L"\\Device\\Afd\\isoloop";
    UNICODE_STRING path;
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK block;
    NTSTATUS status;
    int rc;

    path.Length = sizeof(name) - sizeof(*name);
    path.MaximumLength = sizeof(name);
    path.Buffer = name;
    InitializeObjectAttributes(&attributes, &path, 0, NULL, NULL);
    status = NtCreateFile(out, SYNCHRONIZE, &attributes, &block, NULL, 0,
                          FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, 0, NULL, 0);
    if (status < 0) return iso__sys_error((int)status);
    if (CreateIoCompletionPort(*out, port, 0, 0) != NULL) {
        (void)SetFileCompletionNotificationModes(*out, FILE_SKIP_SET_EVENT_ON_HANDLE);
        return 0;
    }
    rc = iso__sys_error((int)GetLastError());
    (void)CloseHandle(*out);
    return rc;
}

static int new_afd(iso__iocp *driver, iso__afd **out)
{
    iso__afd *self = iso__alloc_zero(driver->base.allocator, sizeof(*self));
    int rc;

    if (self == NULL) return ISO_ENOMEM;
    rc = open_afd(driver->port, &self->handle);
    if (rc != 0) {
        iso__free(driver->base.allocator, self, sizeof(*self));
        return rc;
    }
    iso__list_push_front(&driver->afds, &self->link);
    *out = self;
    return 0;
}

static int take_afd(iso__iocp *driver, iso__afd **out)
{
    iso__afd *first = ISO__CONTAINER(driver->afds.next, iso__afd, link);
    int rc = 0;

    if (iso__list_empty(&driver->afds) || first->users == SOCKETS_PER_AFD)
        rc = new_afd(driver, &first);
    if (rc != 0) return rc;
    if (++first->users == SOCKETS_PER_AFD) {
        iso__list_remove(&first->link);
        iso__list_push(&driver->afds, &first->link);
    }
    *out = first;
    return 0;
}

static void give_afd(iso__iocp *driver, iso__afd *self)
{
    if (self->users-- < SOCKETS_PER_AFD) return;
    iso__list_remove(&self->link);
    iso__list_push_front(&driver->afds, &self->link);
}

void iso__iocp_free_afds(iso__iocp *driver)
{
    iso__link *link;

    while ((link = iso__list_pop(&driver->afds)) != NULL) {
        iso__afd *one = ISO__CONTAINER(link, iso__afd, link);

        (void)CloseHandle(one->handle);
        iso__free(driver->base.allocator, one, sizeof(*one));
    }
}

/* The socket below those of providers that were layered over it, which AFD does not know. One that
 * keeps SIO_BASE_HANDLE from being answered may still name the next one. Source: Microsoft,
 * SIO_BASE_HANDLE; wepoll, ws_get_base_socket. */
static int find_base(SOCKET sock, HANDLE *out)
{
    SOCKET next = sock;
    DWORD bytes;

    do {
        SOCKET base;

        sock = next;
        if (WSAIoctl(sock, SIO_BASE_HANDLE, NULL, 0, &base, sizeof(base), &bytes, NULL, NULL) ==
            0) {
            *out = (HANDLE)base;
            return 0;
        }
    } while (WSAIoctl(sock, SIO_BSP_HANDLE_POLL, NULL, 0, &next, sizeof(next), &bytes, NULL,
                      NULL) == 0 &&
             next != sock);
    return iso__socket_error();
}

/* ---- the words of AFD, and those of a selector ---- */

/* What nobody may miss is asked for always, as with poll: that the peer, or the attempt to connect,
 * has failed, or the socket was closed. */
static ULONG asking_for(unsigned events)
{
    ULONG asked = AFD_POLL_ABORT | AFD_POLL_CONNECT_FAIL | AFD_POLL_LOCAL_CLOSE;

    if ((events & READ) != 0) asked |= AFD_POLL_RECEIVE | AFD_POLL_ACCEPT | AFD_POLL_DISCONNECT;
    if ((events & WRITE) != 0) asked |= AFD_POLL_SEND;
    return asked;
}

static unsigned events_of(ULONG came)
{
    unsigned events = 0;

    if ((came & AFD_POLL_LOCAL_CLOSE) != 0) return GONE;
    if ((came & (AFD_POLL_ABORT | AFD_POLL_CONNECT_FAIL)) != 0) return READ | WRITE;
    if ((came & (AFD_POLL_RECEIVE | AFD_POLL_ACCEPT | AFD_POLL_DISCONNECT)) != 0) events |= READ;
    if ((came & AFD_POLL_SEND) != 0) events |= WRITE;
    return events;
}

/* ---- a request ---- */

/* What has come of a request. One that was cancelled brings nothing, whatever stands there; what
 * the system refused for another reason than that the socket is gone is the owner's to find out, by
 * trying. */
static unsigned outcome(const watch *self, int error)
{
    if (error == ISO_ECANCELED) return 0;
    if (error == ISO_EBADF || error == ISO_ENOTSOCK) return GONE;
    if (error != 0) return READ | WRITE;
    return self->info.count > 0 ? events_of(self->info.sockets[0].events) : 0;
}

static void polled(iso__request *request, int error, size_t bytes)
{
    watch *self = ISO__CONTAINER(request, watch, request);
    iso__channel *channel = request->channel;
    unsigned events;

    (void)bytes;
    if (channel->io == NULL || channel->io->mode != ISO__IO_WATCH) return;
    events = outcome(self, error) & (self->wants | GONE);
    self->fired = events;
    if (events != 0)
        iso__driver_ready(&channel->driver->base, &channel->io->node);
    else
        iso__channel_idle(channel); /* it was cancelled, or nobody wants that any more */
}

static void start_poll(iso__channel *channel)
{
    watch *self = channel->extra;
    OVERLAPPED *overlapped = &self->request.overlapped;
    NTSTATUS status;

    if (iso__request_is_held(&self->request) || self->fired != 0) return;
    memset(overlapped, 0, sizeof(*overlapped));
    self->asked = self->wants;
    self->info.timeout.QuadPart = INT64_MAX; /* none */
    self->info.count = 1;
    self->info.is_exclusive = FALSE;
    self->info.sockets[0].handle = self->base;
    self->info.sockets[0].events = asking_for(self->wants);
    self->info.sockets[0].status = 0;
    /* An OVERLAPPED begins with what is an IO_STATUS_BLOCK to the system's own functions. */
    status = NtDeviceIoControlFile(
        self->afd->handle, NULL, NULL, overlapped, (IO_STATUS_BLOCK *)(void *)overlapped,
        IOCTL_AFD_POLL, &self->info, sizeof(self->info), &self->info, sizeof(self->info));
    iso__request_settle(&self->request, status >= 0, (DWORD)status);
}

static void drop_watch(iso__channel *channel)
{
    watch *self = channel->extra;

    if (iso__request_is_held(&self->request)) iso__request_cancel(&self->request);
    give_afd(channel->driver, self->afd);
}

/* ---- telling ---- */

/* A reader, then a writer, of which the first may do away with the second. The owner is called
 * last, and it is asked again in the next turn. */
static void run_watch(iso__engine *engine, iso__node *node)
{
    iso__io *io = ISO__CONTAINER(node, iso__io, node);
    iso__channel *channel = iso__channel_of(io);
    watch *self = channel->extra;
    unsigned event = (self->fired & GONE) != 0 ? GONE : (self->fired & READ) != 0 ? READ : WRITE;

    (void)engine;
    self->fired = event == READ ? self->fired & WRITE : 0;
    if (self->fired != 0)
        iso__driver_again(&channel->driver->base, node);
    else if (event != GONE)
        iso__channel_idle(channel);
    io->kind->ready(io, event);
}

/* ---- the function of the driver ---- */

static int prepare(iso__channel *channel)
{
    iso__afd *afd = NULL;
    HANDLE base = NULL;
    watch *self;
    int rc = find_base((SOCKET)channel->handle, &base);

    if (rc == 0) rc = take_afd(channel->driver, &afd);
    if (rc != 0) return rc;
    self = iso__channel_extra(channel, sizeof(*self), drop_watch);
    if (self == NULL) {
        give_afd(channel->driver, afd);
        return ISO_ENOMEM;
    }
    self->request.channel = channel;
    self->request.file = afd->handle;
    self->request.finished = polled;
    self->afd = afd;
    self->base = base;
    return 0;
}

static void want(watch *self, unsigned events)
{
    iso__channel *channel = self->request.channel;
    iso__io *io = channel->io;

    self->wants = events;
    self->fired &= events == 0 ? 0u : events | GONE;
    if (self->fired == 0) iso__list_remove_if_in(&io->node.link);
    io->mode = events == 0 ? ISO__IO_IDLE : ISO__IO_WATCH;
    if (!iso__request_is_held(&self->request))
        iso__channel_idle(channel);
    else if ((events & ~self->asked) != 0)
        iso__request_cancel(&self->request);
}

/* The socket is looked at whenever more is wanted: it may have been closed, and its number be
 * another's now. */
int iso__iocp_watch(iso__driver *driver, iso__io *io, unsigned events)
{
    iso__channel *channel = iso__channel_of(io);
    watch *self = channel->extra;
    int rc = 0;

    (void)driver;
    if (self == NULL && events == 0) return 0;
    if (self == NULL || (events & ~self->wants) != 0) {
        rc = iso__sys_descriptor_require_socket(io->fd);
        if (rc == 0 && self == NULL) rc = prepare(channel);
    }
    if (rc != 0) return rc;
    io->node.run = run_watch;
    channel->start = start_poll;
    want(channel->extra, events);
    return 0;
}
