/* SPDX-License-Identifier: MIT */
/* Pipes that keep messages apart, which connect_read_pipe can't change where it may only read. */
#include "kit.h"

#include <string.h>
#include <wchar.h>
#include <windows.h>

enum { MESSAGE = 5000 };

typedef struct reader {
    size_t total;
    int ends;
} reader;

static void on_data(iso_transport *transport, void *self, const void *data, size_t size)
{
    (void)transport;
    (void)data;
    ((reader *)self)->total += size;
}

static void on_lost(iso_transport *transport, void *self, int error)
{
    (void)transport;
    CHECK_OK(error);
    ((reader *)self)->ends++;
}

static const iso_protocol protocol = { .data_received = on_data, .connection_lost = on_lost };

static void write_message(HANDLE pipe)
{
    char message[MESSAGE];
    DWORD written = 0;

    memset(message, 'm', sizeof(message));
    REQUIRE(WriteFile(pipe, message, sizeof(message), &written, NULL));
    CHECK_EQ(written, MESSAGE);
}

static void read_messages(kit *k, bool is_there_before)
{
    const DWORD access = PIPE_ACCESS_INBOUND | FILE_FLAG_OVERLAPPED;
    const DWORD mode = PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE | PIPE_WAIT;
    iso_loop *loop = kit_loop(k);
    reader it = { 0, 0 };
    WCHAR name[64];
    HANDLE near_end;
    HANDLE far_end;

    (void)swprintf(name, 64, L"\\\\.\\pipe\\isoloop-messages-%lu", GetCurrentProcessId());
    near_end = CreateNamedPipeW(name, access, mode, 1, 65536, 65536, 0, NULL);
    REQUIRE(near_end != INVALID_HANDLE_VALUE);
    far_end = CreateFileW(name, GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    REQUIRE(far_end != INVALID_HANDLE_VALUE);
    if (is_there_before) write_message(far_end);
    REQUIRE_OK(iso_loop_connect_read_pipe(loop, &protocol, &it, (iso_fd)near_end, NULL));
    kit_settle(k, loop);
    if (!is_there_before) write_message(far_end);
    while (it.total < MESSAGE && !kit_has_failed(k)) CHECK_GE(iso_loop_run_once(loop, ISO_S(5)), 1);
    CHECK_EQ(it.total, MESSAGE);
    CHECK(CloseHandle(far_end));
    CHECK(kit_run_until(k, loop, &it.ends, 1));
    kit_release_loop(k, loop);
}

KIT_TEST(a_message_that_is_longer_than_a_receive_comes_whole)
{
    read_messages(k, false);
}

KIT_TEST(and_so_does_one_that_was_there_before)
{
    read_messages(k, true);
}

static const kit_case cases[] = {
    KIT_CASE(a_message_that_is_longer_than_a_receive_comes_whole),
    KIT_CASE(and_so_does_one_that_was_there_before),
};

KIT_MAIN(cases)
