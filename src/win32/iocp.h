/* SPDX-License-Identifier: MIT */
/* The inside of the driver over an I/O completion port, for its own files:
 *
 *   drv_iocp.c      the port: waiting, waking, taking descriptors up and giving them up
 *   iocp_channel.c  what the kernel holds, and for how long
 *   iocp_recv.c     receives, one at a time for a channel
 *   iocp_accept.c   accepts, several kept posted
 *   iocp_recvfrom.c datagrams, one receive kept posted
 *   iocp_once.c     sends, connections, files: what the owner asks for once
 *   iocp_watch.c    readiness, by requests to poll
 *   iocp_buffers.c  the memory that is lent to receives
 *
 * The law that shapes all of it: an OVERLAPPED, and the memory that the kernel was lent with it,
 * stay where they are until its packet has come, whatever was closed meanwhile. So they live in a
 * channel (or in an operation of its owner's), which outlives the io that it was made for. */
#ifndef ISO_WIN32_IOCP_H
#define ISO_WIN32_IOCP_H

#include "base/atomic.h"
#include "base/list.h"
#include "base/map.h"
#include "engine/driver.h"
#include "sockets.h"

typedef struct iso__iocp iso__iocp;
typedef struct iso__channel iso__channel;
typedef struct iso__request iso__request;
typedef struct iso__afd iso__afd;

/* One operation of the kernel's. */
struct iso__request {
    OVERLAPPED overlapped; /* first: its packet points to it */
    iso__channel *channel;
    HANDLE file; /* of what it was asked; NULL: of the channel's handle */
    /* The kernel has let go of it: a count, or an error. Called by the driver, never from outside:
     * it links what is to run. The io may be detached. */
    void (*finished)(iso__request *request, int error, size_t bytes);
    iso__link link; /* among those that the kernel holds */
};

static inline bool iso__request_is_held(const iso__request *request)
{
    return iso__link_is_in(&request->link);
}

typedef enum iso__recv_state {
    ISO__RECV_NOTHING = 0,
    ISO__RECV_HELD,  /* by the kernel */
    ISO__RECV_READY, /* it said that something can be read */
    ISO__RECV_KEPT,  /* it has brought bytes, which nobody has seen yet */
    ISO__RECV_ENDED  /* it has brought the end, or an error */
} iso__recv_state;

/* What the driver has of a descriptor; it is freed when that is detached and nothing is held. */
struct iso__channel {
    iso__link link; /* in the driver's idle list: to be started before the next wait */
    iso__iocp *driver;
    iso__io *io; /* NULL: detached */
    HANDLE handle;
    unsigned held;  /* requests, by the kernel */
    bool is_socket; /* else ReadFile and WriteFile */
    bool is_datagram;
    int family;      /* of a socket */
    bool skips;      /* no packet comes for what succeeds at once */
    uint8_t state;   /* of the receive: an iso__recv_state */
    uint8_t level;   /* how large the next receive is */
    uint8_t lent_as; /* the level of `buffer` */
    unsigned char *buffer;
    size_t begin; /* of what is kept in it */
    size_t end;
    int result; /* what it ended with */
    /* Start what the io's mode wants and is not under way; told whenever the channel was idle. */
    void (*start)(iso__channel *channel);
    /* What accepting, taking datagrams, or watching needs besides; and how to give that up. */
    void (*drop_extra)(iso__channel *channel);
    void *extra;
    size_t extra_bytes;
    iso__request recv;
};

/* Receives begin with 2 KiB, and double to 64 KiB while they are filled. */
enum {
    ISO__BUFFER_LEVELS = 6,
    ISO__BUFFER_SMALLEST = 2048,
    ISO__IOCP_BATCH = 512,
    ISO__IOCP_SPARE = 4096
};

struct iso__iocp {
    iso__driver base;
    HANDLE port;
    HANDLE timer;   /* of high resolution; NULL: there is none */
    iso__link idle; /* channels that may have something to start */
    iso__link held; /* requests, by the kernel, */
    size_t held_count;
    int at_once; /* what ended since the last turn without a packet */
    /* What was tied to the port, and not closed by the library, by descriptor: the driver for a
     * socket, its port for anything else. */
    iso__map associated;
    iso__atomic_u32 is_woken;
    unsigned char *buffers[ISO__BUFFER_LEVELS]; /* free ones, each begins with the next */
    size_t buffer_bytes;                        /* of those */
    void *free_once;                            /* free records of iocp_once.c */
    iso__link afds;                             /* what iocp_watch.c asks */
    unsigned char spare[ISO__IOCP_SPARE];       /* to read into for want of memory */
    OVERLAPPED_ENTRY entries[ISO__IOCP_BATCH];
};

static inline iso__channel *iso__channel_of(const iso__io *io)
{
    return io->own.channel;
}

/* ---- iocp_channel.c ---- */

/* What a call that began a request answered: whether it succeeded, and else GetLastError. The
 * request is held from here on, or finished before this returns. */
void iso__request_settle(iso__request *request, bool succeeded, DWORD error);

/* A packet came: the kernel has let go of its request. */
void iso__request_finish(const OVERLAPPED_ENTRY *entry);

/* Have the kernel let go of a request that is held; its packet comes as ever. */
void iso__request_cancel(iso__request *request);

/* Have the channel started before the next wait. */
void iso__channel_idle(iso__channel *channel);

/* Free it if it is detached and nothing is held. */
void iso__channel_free_if_over(iso__channel *channel);

/* Memory of this size that goes with the channel, zeroed at first, and `drop`, which is called when
 * the io is detached. NULL: out of memory. */
void *iso__channel_extra(iso__channel *channel, size_t bytes, void (*drop)(iso__channel *channel));

/* Bind a socket that is not bound yet to any address: ConnectEx and WSARecvFrom want that. Returns
 * 0, or what the system answers. */
int iso__channel_bind(const iso__channel *channel);

/* A function that Winsock hands out by its GUID, in *function. Returns 0 or what it answers. */
int iso__socket_extension(SOCKET sock, const GUID *guid, void *function, DWORD size);

/* ---- iocp_recv.c, iocp_accept.c, iocp_recvfrom.c, iocp_once.c, iocp_watch.c: the driver's
 * functions ---- */

int iso__iocp_recv_start(iso__driver *driver, iso__io *io);
void iso__iocp_recv_stop(iso__driver *driver, iso__io *io);
int iso__iocp_accept_start(iso__driver *driver, iso__io *io, int max);
void iso__iocp_accept_stop(iso__driver *driver, iso__io *io);
/* recv_start for a mode, ISO__IO_RECV or, of an owner that lends memory, ISO__IO_RECVFROM. */
int iso__iocp_recv_start_as(iso__driver *driver, iso__io *io, iso__io_mode mode);
int iso__iocp_recvfrom_start(iso__driver *driver, iso__io *io);
void iso__iocp_recvfrom_stop(iso__driver *driver, iso__io *io);
int iso__iocp_watch(iso__driver *driver, iso__io *io, unsigned events);
int iso__iocp_send(iso__driver *driver, iso__op *op);
int iso__iocp_sendto(iso__driver *driver, iso__op *op);
int iso__iocp_connect(iso__driver *driver, iso__op *op, const iso_address *address);
int iso__iocp_sendfile(iso__driver *driver, iso__op *op);
bool iso__iocp_withdraw(iso__driver *driver, iso__op *op);

/* The io goes: cancel its receive, or drop what that had brought. */
void iso__channel_drop_receive(iso__channel *channel);

/* The driver goes: free the records of what was asked for once. */
void iso__iocp_free_once(iso__iocp *self);

/* The driver goes: close what was asked for readiness. */
void iso__iocp_free_afds(iso__iocp *self);

/* ---- iocp_buffers.c ---- */

static inline size_t iso__buffer_size(unsigned level)
{
    return (size_t)ISO__BUFFER_SMALLEST << level;
}

/* The lowest level that holds so many bytes. */
unsigned iso__buffer_level(size_t bytes);

/* Memory of a level, NULL: there is none; and back. */
unsigned char *iso__buffer_take(iso__iocp *self, unsigned level);
void iso__buffer_give(iso__iocp *self, unsigned char *buffer, unsigned level);
void iso__buffers_free(iso__iocp *self);

#endif
