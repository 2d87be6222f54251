/* SPDX-License-Identifier: MIT */
#include "io/recorder.h"

#include "sys/sock.h"

#include <stdio.h>
#include <string.h>

/* ---- marks ---- */

static void mark(recorder *self, const char *what)
{
    char words[128];

    if (self->name == NULL) return;
    (void)snprintf(words, sizeof(words), "%s%s%s%s", kit_marks(self->k)[0] != '\0' ? " " : "",
                   self->name, self->name[0] != '\0' ? ":" : "", what);
    kit_add_mark(self->k, words);
}

/* "data" once for pieces that follow each other: how many they are is the system's affair. */
static void mark_data(recorder *self)
{
    const char *marks = kit_marks(self->k);
    char last[64];
    size_t size;

    if (self->name == NULL) return;
    (void)snprintf(last, sizeof(last), "%s%sdata", self->name, self->name[0] != '\0' ? ":" : "");
    size = strlen(last);
    if (strlen(marks) >= size && strcmp(marks + strlen(marks) - size, last) == 0) return;
    mark(self, "data");
}

static void act(recorder *self, recorder_act what)
{
    if (what != NULL) what(self);
}

/* ---- the protocol ---- */

static void made(iso_transport *transport, void *arg)
{
    recorder *self = arg;

    self->transport = transport;
    self->made_count++;
    CHECK_EQ(self->made_count, 1);
    mark(self, "made");
    act(self, self->when_made);
}

static void take(recorder *self, const void *data, size_t size)
{
    size_t room = sizeof(self->text) - 1;

    CHECK_EQ(self->made_count, 1);
    CHECK_EQ(self->lost_count, 0);
    CHECK(size > 0);
    if (self->received < room)
        memcpy(self->text + self->received, data,
               size < room - self->received ? size : room - self->received);
    if (self->is_patterned) self->wrong_bytes += pattern_wrong(data, size, self->received);
    self->received += size;
    self->last_size = size;
    self->last_data = data;
    self->data_count++;
    mark_data(self);
    act(self, self->when_data);
}

static void received(iso_transport *transport, void *arg, const void *data, size_t size)
{
    (void)transport;
    take(arg, data, size);
}

static void get_buffer(iso_transport *transport, void *arg, size_t size_hint, void **buffer,
                       size_t *size)
{
    recorder *self = arg;

    (void)transport;
    CHECK(size_hint > 0);
    *buffer = self->lent;
    *size = self->lent_size;
    act(self, self->when_lending);
}

static void buffer_updated(iso_transport *transport, void *arg, size_t size)
{
    recorder *self = arg;

    (void)transport;
    CHECK(size <= self->lent_size);
    take(self, self->lent, size);
}

static bool eof(iso_transport *transport, void *arg)
{
    recorder *self = arg;

    (void)transport;
    CHECK_EQ(self->made_count, 1);
    CHECK_EQ(self->lost_count, 0);
    self->eof_count++;
    mark(self, "eof");
    act(self, self->when_eof);
    return self->stays;
}

static void lost(iso_transport *transport, void *arg, int error)
{
    recorder *self = arg;
    char words[64];

    CHECK_EQ(self->made_count, 1);
    CHECK(iso_transport_is_closing(transport));
    self->lost_count++;
    CHECK_EQ(self->lost_count, 1);
    self->error = error;
    (void)snprintf(words, sizeof(words), "lost(%s)", iso_error_name(error));
    mark(self, error == 0 ? "lost" : words);
    act(self, self->when_lost);
    self->transport = NULL;
}

static void paused(iso_transport *transport, void *arg)
{
    recorder *self = arg;

    (void)transport;
    CHECK_EQ(self->pause_count, self->resume_count);
    self->pause_count++;
    mark(self, "paused");
    act(self, self->when_paused);
}

static void resumed(iso_transport *transport, void *arg)
{
    recorder *self = arg;

    (void)transport;
    self->resume_count++;
    CHECK_EQ(self->pause_count, self->resume_count);
    mark(self, "resumed");
    act(self, self->when_resumed);
}

const iso_protocol recorder_protocol = {
    .connection_made = made,
    .data_received = received,
    .eof_received = eof,
    .connection_lost = lost,
    .pause_writing = paused,
    .resume_writing = resumed,
};

const iso_protocol recorder_buffered = {
    .connection_made = made,
    .eof_received = eof,
    .connection_lost = lost,
    .pause_writing = paused,
    .resume_writing = resumed,
    .get_buffer = get_buffer,
    .buffer_updated = buffer_updated,
};

void recorder_init(recorder *self, kit *k, const char *name)
{
    memset(self, 0, sizeof(*self));
    self->k = k;
    self->name = name;
}

/* ---- connections ---- */

void recorder_open_as(recorder *self, iso_loop *loop, iso_fd fd, const iso_protocol *protocol)
{
    iso_connection_options options = ISO_CONNECTION_OPTIONS_INIT;
    iso_future *future = NULL;

    options.sock = kit_give(self->k, fd);
    REQUIRE_OK(iso_loop_create_connection(loop, protocol, self, &options, &future));
    REQUIRE_OK(kit_run_release(self->k, loop, future));
    REQUIRE(self->made_count == 1);
}

void recorder_open(recorder *self, iso_loop *loop, iso_fd fd)
{
    recorder_open_as(self, loop, fd, &recorder_protocol);
}

void tcp_pair(kit *k, iso_fd out[2])
{
    iso_address address;
    iso_fd listener = kit_listen(k, &address);

    out[0] = kit_connect(k, &address);
    out[1] = kit_accept(k, listener);
    kit_await(k, out[0], ISO_EVENT_WRITE);
    kit_close(k, listener);
}

iso_server *serve_with(kit *k, iso_loop *loop, const iso_protocol *protocol, void *self,
                       const iso_server_options *options)
{
    iso_future *future = NULL;
    void *server = NULL;

    REQUIRE_OK(iso_loop_create_server(loop, protocol, self, options, &future));
    REQUIRE_OK(kit_run(k, loop, future));
    REQUIRE_OK(iso_future_result(future, &server));
    iso_future_release(future);
    return server;
}

iso_server *serve(kit *k, iso_loop *loop, const iso_protocol *protocol, void *self,
                  iso_address *address)
{
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    iso_server *server;

    options.host = "127.0.0.1";
    server = serve_with(k, loop, protocol, self, &options);
    if (address != NULL) REQUIRE_OK(iso_server_address(server, 0, address));
    return server;
}

static void wake_up(iso_loop *loop, void *arg)
{
    (void)loop;
    *(bool *)arg = true;
}

bool run_until_idle(kit *k, iso_loop *loop)
{
    bool is_late = false;
    iso_handle handle;

    (void)k;
    REQUIRE_OK(iso_loop_call_later(loop, ISO_S(30), wake_up, &is_late, &handle));
    while (kit_statistics(loop).objects > 0 && !is_late)
        if (!CHECK_GE(iso_loop_run_once(loop, ISO_FOREVER), 0)) break;
    (void)iso_handle_cancel(loop, handle);
    return CHECK_EQ(kit_statistics(loop).objects, 0);
}

/* ---- data ---- */

unsigned char pattern_byte(size_t position)
{
    return (unsigned char)((position * 167 + (position >> 8) * 13 + (position >> 16) * 29) & 0xFF);
}

void pattern_fill(void *out, size_t size, size_t position)
{
    unsigned char *bytes = out;
    size_t at;

    for (at = 0; at < size; at++) bytes[at] = pattern_byte(position + at);
}

size_t pattern_wrong(const void *data, size_t size, size_t position)
{
    const unsigned char *bytes = data;
    size_t wrong = 0;
    size_t at;

    for (at = 0; at < size; at++) wrong += bytes[at] != pattern_byte(position + at) ? 1 : 0;
    return wrong;
}

size_t stuff(iso_transport *transport, size_t position)
{
    static unsigned char piece[16 * 1024];

    while (iso_transport_get_write_buffer_size(transport) == 0) {
        pattern_fill(piece, sizeof(piece), position);
        REQUIRE_OK(iso_transport_write(transport, piece, sizeof(piece)));
        position += sizeof(piece);
        if (iso_transport_is_closing(transport)) break; /* pause_writing may have done that */
    }
    return position;
}

size_t drain(kit *k, iso_loop *loop, iso_fd fd, size_t position, size_t size)
{
    static unsigned char piece[64 * 1024];
    iso_nsec end = kit_now() + ISO_S(30);
    size_t count = 0;

    while (count < size) {
        size_t part = size - count < sizeof(piece) ? size - count : sizeof(piece);
        ptrdiff_t got = iso__sys_socket_recv(fd, piece, part);

        if (got == ISO_EAGAIN) {
            if (!CHECK(kit_now() < end)) break;
            (void)iso_loop_run_once(loop, ISO_MS(1)); /* wakes up early when the loop can send */
            continue;
        }
        if (got == 0 || (got < 0 && is_reset((int)got))) break;
        if (!CHECK(got > 0)) break;
        CHECK_EQ(pattern_wrong(piece, (size_t)got, position + count), 0);
        count += (size_t)got;
        (void)kit_turn(k, loop);
    }
    return count;
}

bool is_reset(int error)
{
    /* Wine tells a reset that came before the read as a clean end. */
    return error == ISO_ECONNRESET || error == ISO_ECONNABORTED || error == ISO_EPIPE ||
           (kit_is_wine() && error == 0);
}
