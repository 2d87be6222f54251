/* SPDX-License-Identifier: MIT */
/* The driver over an I/O completion port: ProactorEventLoop on Windows. This file has the port, and
 * the life of a channel; iocp.h says where the operations are. */
#include "iocp.h"

#include "base/alloc.h"
#include "handle.h"

#include <mswsock.h>
#include <string.h>

enum { KEY_IO = 0, KEY_WAKE = 1 };

#ifndef CREATE_WAITABLE_TIMER_HIGH_RESOLUTION
#define CREATE_WAITABLE_TIMER_HIGH_RESOLUTION 2
#endif

/* Longer waits than this bear the tick of the system, 15.6 ms at the most; a shorter one costs two
 * more calls. */
#define FINE_WAIT ISO_MS(64)
/* The best that Windows promises of a timer. Source: asyncio, Platform support. */
#define FINE_RESOLUTION ISO_US(500)
#define LONGEST_WAIT ISO_S(24 * 60 * 60)

static iso__iocp *iocp_of(iso__driver *driver)
{
    return (iso__iocp *)driver;
}

/* ---- a turn ---- */

static DWORD milliseconds_of(iso_nsec timeout)
{
    if (timeout == ISO_FOREVER) return INFINITE;
    if (timeout > LONGEST_WAIT) timeout = LONGEST_WAIT;
    return (DWORD)((timeout + ISO_MS(1) - 1) / ISO_MS(1));
}

/* Its coming ends an alertable wait; there is nothing else to do. */
static void CALLBACK time_is_up(void *unused, DWORD low, DWORD high)
{
    (void)unused;
    (void)low;
    (void)high;
}

static bool set_timer(const iso__iocp *self, iso_nsec timeout)
{
    LARGE_INTEGER due;

    if (self->timer == NULL || timeout <= 0 || timeout >= FINE_WAIT) return false;
    due.QuadPart = -((timeout + 99) / 100);
    return SetWaitableTimer(self->timer, &due, 0, time_is_up, NULL, FALSE) != FALSE;
}

/* How many packets there are, 0 when the time is over, or an error. Wine leaves a count of 1 behind
 * when the time is over. */
static int wait_for_packets(iso__iocp *self, iso_nsec timeout)
{
    bool is_fine = set_timer(self, timeout);
    ULONG count = 0;
    BOOL came = GetQueuedCompletionStatusEx(self->port, self->entries, ISO__IOCP_BATCH, &count,
                                            milliseconds_of(timeout), is_fine);
    DWORD error = came ? 0 : GetLastError();

    if (is_fine) (void)CancelWaitableTimer(self->timer);
    if (came) return (int)count;
    return error == WAIT_TIMEOUT || error == WAIT_IO_COMPLETION ? 0 : iso__sys_error((int)error);
}

static int iocp_turn(iso__driver *driver, iso_nsec timeout)
{
    iso__iocp *self = iocp_of(driver);
    iso__link begin;
    iso__link *link;
    bool is_quiet;
    int count;
    int at;

    iso__list_init(&begin);
    iso__list_splice(&begin, &self->idle); /* what has nothing to tell comes again, in a turn */
    while ((link = iso__list_pop(&begin)) != NULL) {
        iso__channel *channel = ISO__CONTAINER(link, iso__channel, link);

        if (channel->io->mode != ISO__IO_IDLE) channel->start(channel);
    }
    is_quiet = iso__list_empty(driver->ready) && iso__list_empty(&self->idle);
    count = wait_for_packets(self, is_quiet ? timeout : 0);
    for (at = 0; at < count; at++) {
        if (self->entries[at].lpOverlapped != NULL)
            iso__request_finish(&self->entries[at]);
        else
            iso__atomic_store_u32(&self->is_woken, 0);
    }
    if (count < 0) return count;
    count += self->at_once;
    self->at_once = 0;
    return count;
}

/* One packet covers any number of wakes until it is taken. */
static void iocp_wake(iso__driver *driver)
{
    iso__iocp *self = iocp_of(driver);
    uint32_t awake = 0;

    if (!iso__atomic_cas_u32(&self->is_woken, &awake, 1)) return;
    while (!PostQueuedCompletionStatus(self->port, 0, KEY_WAKE, NULL)) Sleep(1); /* no memory */
}

static size_t iocp_held(const iso__driver *driver)
{
    return ((const iso__iocp *)driver)->held_count;
}

/* Under Wine a cancel that comes while a TransmitFile is about to go on finds nothing. */
static void iocp_cancel_held(iso__driver *driver)
{
    iso__iocp *self = iocp_of(driver);
    iso__link *link;

    for (link = self->held.next; link != &self->held; link = link->next)
        iso__request_cancel(ISO__CONTAINER(link, iso__request, link));
}

static iso_fd iocp_descriptor(iso__driver *driver)
{
    (void)driver;
    return ISO_FD_NONE;
}

/* ---- taking up and giving up ---- */

static int refuse(iso__iocp *self, iso__limit_row row)
{
    return iso__limits_refuse(self->base.limits, row, 0);
}

/* A handle can be tied to one port, once, and does not tell to which. So the driver remembers its
 * own. One that a program closed by itself is remembered still: if its number comes again on a
 * handle that is tied to a port of somebody else's, nobody can tell. */
static int associate(iso__iocp *self, HANDLE handle, bool is_socket)
{
    iso_fd fd = (iso_fd)handle;
    bool is_known = iso__map_get(&self->associated, fd) != NULL;
    int rc = iso__map_set(&self->associated, fd, is_socket ? (void *)self : self->port);
    DWORD error;

    if (rc != 0) return rc;
    if (CreateIoCompletionPort(handle, self->port, KEY_IO, 0) != NULL) return 0;
    error = GetLastError();
    if (error == ERROR_INVALID_PARAMETER && is_known) return 0;
    (void)iso__map_remove(&self->associated, fd);
    if (error != ERROR_INVALID_PARAMETER) return iso__sys_error((int)error);
    return refuse(self, iso__handle_is_overlapped(handle) ? ISO__ROW_PROACTOR_FOREIGN_PORT
                                                          : ISO__ROW_PROACTOR_OVERLAPPED_ONLY);
}

/* Success at once brings no packet where that can be relied on: for TCP, not for datagrams and unix
 * sockets (Go leaves them out) nor pipes, and not with a layered provider that has no handle of the
 * system's own. Source: Microsoft, SetFileCompletionNotificationModes; libuv, uv__tcp_set_socket;
 * Go, internal/poll. */
static void learn_socket(iso__channel *channel)
{
    const UCHAR modes = FILE_SKIP_COMPLETION_PORT_ON_SUCCESS | FILE_SKIP_SET_EVENT_ON_HANDLE;
    WSAPROTOCOL_INFOW info;
    int size = sizeof(info);

    if (getsockopt((SOCKET)channel->handle, SOL_SOCKET, SO_PROTOCOL_INFOW, (char *)&info, &size) !=
        0)
        return;
    channel->is_datagram = info.iSocketType == SOCK_DGRAM;
    channel->family = info.iAddressFamily;
    if (channel->is_datagram || channel->family == AF_UNIX) return;
    if ((info.dwServiceFlags1 & XP1_IFS_HANDLES) == 0) return;
    channel->skips = SetFileCompletionNotificationModes(channel->handle, modes) != FALSE;
}

/* Watching needs no port, so the socket of who only watches is left as it is: it may be tied to
 * another port, or be tied later, and its program have operations of its own under way. */
static bool only_watches(const iso__io *io)
{
    return io->kind->ready != NULL;
}

static int iocp_attach(iso__driver *driver, iso__io *io)
{
    iso__iocp *self = iocp_of(driver);
    iso__channel *channel = iso__alloc_zero(driver->allocator, sizeof(*channel));
    int rc;

    if (channel == NULL) return ISO_ENOMEM;
    channel->handle = (HANDLE)io->fd;
    channel->is_socket = io->medium == ISO__MEDIUM_SOCKET;
    rc = only_watches(io) ? 0 : associate(self, channel->handle, channel->is_socket);
    if (rc != 0) {
        iso__free(driver->allocator, channel, sizeof(*channel));
        return rc;
    }
    channel->driver = self;
    channel->io = io;
    channel->recv.channel = channel;
    if (channel->is_socket && !only_watches(io)) learn_socket(channel);
    io->node.link.next = NULL;
    io->node.link.prev = NULL;
    io->own.channel = channel;
    io->mode = ISO__IO_IDLE;
    return 0;
}

static void iocp_detach(iso__driver *driver, iso__io *io)
{
    iso__channel *channel = iso__channel_of(io);

    (void)driver;
    iso__list_remove_if_in(&io->node.link);
    iso__list_remove_if_in(&channel->link);
    iso__channel_drop_receive(channel);
    if (channel->drop_extra != NULL) channel->drop_extra(channel);
    io->own.channel = NULL;
    io->mode = ISO__IO_IDLE;
    channel->io = NULL;
    iso__channel_free_if_over(channel);
}

/* Winsock closes gracefully where no receive is pending, which one that was just cancelled may
 * still be, or where the socket was shut down before. One that is not connected says so, and is
 * left alone. Source: libuv, uv__tcp_close. */
static void iocp_forget(iso__driver *driver, iso_fd fd)
{
    iso__iocp *self = iocp_of(driver);

    if (iso__map_remove(&self->associated, fd) == self) (void)shutdown((SOCKET)fd, SD_SEND);
}

/* ---- life ---- */

static void iocp_close(iso__driver *driver)
{
    iso__iocp *self = iocp_of(driver);

    (void)CloseHandle(self->port);
    if (self->timer != NULL) (void)CloseHandle(self->timer);
    iso__buffers_free(self);
    iso__iocp_free_once(self);
    iso__iocp_free_afds(self);
    iso__map_close(&self->associated);
    iso__free(driver->allocator, self, sizeof(*self));
}

static const iso__driver_class iocp_class = {
    .name = "iocp",
    .sends_directly = true,
    .lends_to_kernel = true,
    .own_ios = 0,
    .pinned_bytes = ISO__BUFFER_SMALLEST,
    .close = iocp_close,
    .held = iocp_held,
    .cancel_held = iocp_cancel_held,
    .turn = iocp_turn,
    .wake = iocp_wake,
    .descriptor = iocp_descriptor,
    .attach = iocp_attach,
    .detach = iocp_detach,
    .forget = iocp_forget,
    .recv_start = iso__iocp_recv_start,
    .recv_stop = iso__iocp_recv_stop,
    .accept_start = iso__iocp_accept_start,
    .accept_stop = iso__iocp_accept_stop,
    .recvfrom_start = iso__iocp_recvfrom_start,
    .recvfrom_stop = iso__iocp_recvfrom_stop,
    .watch = iso__iocp_watch,
    .send = iso__iocp_send,
    .sendto = iso__iocp_sendto,
    .connect = iso__iocp_connect,
    .sendfile = iso__iocp_sendfile,
    .withdraw = iso__iocp_withdraw,
};

/* The timer is there from Windows 10, version 1803, on; that it takes a routine is tried. */
static HANDLE open_timer(void)
{
    HANDLE timer = CreateWaitableTimerExW(NULL, NULL, CREATE_WAITABLE_TIMER_HIGH_RESOLUTION,
                                          TIMER_MODIFY_STATE | SYNCHRONIZE);
    LARGE_INTEGER due;

    if (timer == NULL) return NULL;
    due.QuadPart = -ISO_S(1) / 100;
    if (SetWaitableTimer(timer, &due, 0, time_is_up, NULL, FALSE) && CancelWaitableTimer(timer))
        return timer;
    (void)CloseHandle(timer);
    return NULL;
}

static int iocp_open(iso__driver **out, iso__engine *engine)
{
    iso__driver base;
    iso__iocp *self;

    iso__driver_init(&base, &iocp_class, engine);
    self = iso__alloc_zero(base.allocator, sizeof(*self));
    if (self == NULL) return ISO_ENOMEM;
    self->base = base;
    /* Any number of threads: one that has left the loop would count as running still. */
    self->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, MAXDWORD);
    if (self->port == NULL) {
        int rc = iso__sys_error((int)GetLastError());

        iso__free(base.allocator, self, sizeof(*self));
        return rc;
    }
    self->timer = open_timer();
    self->base.resolution = self->timer != NULL ? FINE_RESOLUTION : 0;
    iso__list_init(&self->idle);
    iso__list_init(&self->held);
    iso__list_init(&self->afds);
    iso__map_init(&self->associated, self->base.allocator);
    *out = &self->base;
    return 0;
}

/* Every Windows that the library is for has completion ports. */
static const char *iocp_missing(void)
{
    return NULL;
}

const iso__proactor iso__proactor_iocp = {
    .name = "iocp",
    .id = ISO__PROACTOR_IOCP,
    .open = iocp_open,
    .missing = iocp_missing,
};
