/* SPDX-License-Identifier: MIT */
#include "kit.h"
#include "sys/pipe.h"

#include <string.h>
#include <winsock2.h>

#include <windows.h>

enum { PATIENCE_MS = 30000 };

/* ---- helpers ---- */

typedef struct ends {
    iso_fd near_end;
    iso_fd far_end;
} ends;

static ends open_ends(unsigned uses)
{
    ends made;

    REQUIRE_OK(iso__sys_pipe_open(&made.near_end, &made.far_end, uses));
    return made;
}

static void close_ends(ends *pair)
{
    CHECK_OK(iso__sys_pipe_close(pair->near_end));
    CHECK_OK(iso__sys_pipe_close(pair->far_end));
}

static bool write_all(iso_fd fd, const char *text)
{
    DWORD written = 0;

    return WriteFile((HANDLE)fd, text, (DWORD)strlen(text), &written, NULL) &&
           written == strlen(text);
}

/* An overlapped read, or write, that has been started. */
typedef struct request {
    OVERLAPPED overlapped;
    char data[16];
} request;

static void request_init(request *it)
{
    memset(it, 0, sizeof(*it));
    it->overlapped.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    REQUIRE(it->overlapped.hEvent != NULL);
}

static void start_read(request *it, iso_fd fd)
{
    request_init(it);
    REQUIRE(!ReadFile((HANDLE)fd, it->data, sizeof(it->data), NULL, &it->overlapped));
    REQUIRE(GetLastError() == ERROR_IO_PENDING);
}

/* How many bytes came; 0 with *error for why not. */
static DWORD finish(request *it, iso_fd fd, DWORD *error)
{
    DWORD got = 0;

    *error = 0;
    REQUIRE(WaitForSingleObject(it->overlapped.hEvent, PATIENCE_MS) == WAIT_OBJECT_0);
    if (!GetOverlappedResult((HANDLE)fd, &it->overlapped, &got, FALSE)) *error = GetLastError();
    CHECK(CloseHandle(it->overlapped.hEvent));
    return got;
}

static bool is_inherited(iso_fd fd)
{
    DWORD flags = 0;

    CHECK(GetHandleInformation((HANDLE)fd, &flags));
    return (flags & HANDLE_FLAG_INHERIT) != 0;
}

/* ---- opening ---- */

KIT_TEST(neither_end_is_inherited)
{
    ends pair = open_ends(ISO__PIPE_READS);

    CHECK(!is_inherited(pair.near_end));
    CHECK(!is_inherited(pair.far_end));
    close_ends(&pair);
}

KIT_TEST(the_far_end_of_a_reader_writes_and_blocks)
{
    ends pair = open_ends(ISO__PIPE_READS);
    char data[16];
    unsigned uses;

    CHECK(write_all(pair.far_end, "abc"));
    CHECK_EQ(iso__sys_pipe_read(pair.near_end, data, sizeof(data)), 3);
    CHECK(memcmp(data, "abc", 3) == 0);
    CHECK_RC(iso__sys_pipe_uses(pair.far_end, &uses), ISO_ENOTOVERLAPPED);
    close_ends(&pair);
}

KIT_TEST(the_far_end_of_a_reader_cannot_be_read)
{
    ends pair = open_ends(ISO__PIPE_READS);
    char data[16];
    DWORD got;

    CHECK(!ReadFile((HANDLE)pair.far_end, data, sizeof(data), &got, NULL));
    CHECK_EQ(GetLastError(), ERROR_ACCESS_DENIED);
    close_ends(&pair);
}

KIT_TEST(the_far_end_of_a_writer_reads_and_cannot_be_written)
{
    ends pair = open_ends(ISO__PIPE_WRITES);
    request sent;
    DWORD error;
    DWORD got = 0;
    char data[16];

    request_init(&sent);
    (void)WriteFile((HANDLE)pair.near_end, "abc", 3, NULL, &sent.overlapped);
    CHECK_EQ(finish(&sent, pair.near_end, &error), 3);
    CHECK(ReadFile((HANDLE)pair.far_end, data, sizeof(data), &got, NULL));
    CHECK_EQ(got, 3);
    CHECK(!write_all(pair.far_end, "x"));
    close_ends(&pair);
}

KIT_TEST(a_writer_can_be_watched_for_its_other_end_going_away)
{
    ends pair = open_ends(ISO__PIPE_WRITES);
    request watch;
    DWORD error;

    start_read(&watch, pair.near_end);
    CHECK_EQ(WaitForSingleObject(watch.overlapped.hEvent, 0), WAIT_TIMEOUT);
    CHECK_OK(iso__sys_pipe_close(pair.far_end));
    CHECK_EQ(finish(&watch, pair.near_end, &error), 0);
    CHECK_EQ(error, ERROR_BROKEN_PIPE);
    CHECK_OK(iso__sys_pipe_close(pair.near_end));
}

KIT_TEST(many_pipes_have_names_of_their_own)
{
    enum { PIPES = 50 };
    ends pairs[PIPES];
    char data[16];
    int at;

    for (at = 0; at < PIPES; at++) pairs[at] = open_ends(ISO__PIPE_READS);
    CHECK(write_all(pairs[7].far_end, "x"));
    for (at = 0; at < PIPES; at++)
        CHECK_EQ(iso__sys_pipe_read(pairs[at].near_end, data, 16), at == 7 ? 1 : ISO_EAGAIN);
    for (at = 0; at < PIPES; at++) close_ends(&pairs[at]);
}

/* ---- taking over ---- */

KIT_TEST(an_overlapped_end_is_adopted_with_what_it_can_do)
{
    ends pair = open_ends(ISO__PIPE_READS);
    unsigned uses = 0;

    CHECK_OK(iso__sys_pipe_uses(pair.near_end, &uses));
    CHECK_EQ(uses, ISO__PIPE_READS | ISO__PIPE_WRITES);
    close_ends(&pair);
}

/* The server's end of a pipe of one direction, and the client's. */
static void open_one_way(DWORD direction, DWORD client_access, HANDLE out[2])
{
    static const wchar_t name[] = L"\\\\.\\pipe\\isoloop-test-one-way";

    out[0] = CreateNamedPipeW(name, direction | FILE_FLAG_OVERLAPPED, PIPE_TYPE_MESSAGE, 1, 0, 0, 0,
                              NULL);
    REQUIRE(out[0] != INVALID_HANDLE_VALUE);
    out[1] = CreateFileW(name, client_access, 0, NULL, OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);
    REQUIRE(out[1] != INVALID_HANDLE_VALUE);
}

KIT_TEST(an_end_of_one_direction_is_known)
{
    HANDLE pair[2];
    unsigned uses = 0;

    open_one_way(PIPE_ACCESS_INBOUND, GENERIC_WRITE | FILE_READ_ATTRIBUTES, pair);
    CHECK_OK(iso__sys_pipe_uses((iso_fd)pair[0], &uses));
    CHECK_EQ(uses, ISO__PIPE_READS);
    CHECK_OK(iso__sys_pipe_uses((iso_fd)pair[1], &uses));
    CHECK_EQ(uses, ISO__PIPE_WRITES);
    CHECK(CloseHandle(pair[0]));
    CHECK(CloseHandle(pair[1]));
}

KIT_TEST(an_end_that_reads_messages_reads_bytes_while_it_is_taken_over)
{
    HANDLE pair[2];
    DWORD mode = PIPE_READMODE_MESSAGE;
    iso__pipe_before before;
    char data[16];

    open_one_way(PIPE_ACCESS_OUTBOUND, GENERIC_READ | FILE_WRITE_ATTRIBUTES, pair);
    REQUIRE(SetNamedPipeHandleState(pair[1], &mode, NULL, NULL));
    CHECK_OK(iso__sys_pipe_adopt((iso_fd)pair[1], &before));
    CHECK(GetNamedPipeHandleStateW(pair[1], &mode, NULL, NULL, NULL, NULL, 0));
    CHECK_EQ(mode & PIPE_READMODE_MESSAGE, 0);
    CHECK_EQ(iso__sys_pipe_read((iso_fd)pair[1], data, sizeof(data)), ISO_EAGAIN);
    iso__sys_pipe_give_back((iso_fd)pair[1], &before);
    CHECK(GetNamedPipeHandleStateW(pair[1], &mode, NULL, NULL, NULL, NULL, 0));
    CHECK_EQ(mode & PIPE_READMODE_MESSAGE, PIPE_READMODE_MESSAGE);
    CHECK(CloseHandle(pair[0]));
    CHECK(CloseHandle(pair[1]));
}

KIT_TEST(a_handle_that_is_not_overlapped_is_refused)
{
    iso_fd pipe[2];
    unsigned uses = 77;

    kit_pipe(k, pipe);
    CHECK_RC(iso__sys_pipe_uses(pipe[0], &uses), ISO_ENOTOVERLAPPED);
    CHECK_RC(iso__sys_pipe_uses(pipe[1], &uses), ISO_ENOTOVERLAPPED);
    CHECK_RC(iso__sys_pipe_uses(kit_device(k), &uses), ISO_ENOTOVERLAPPED);
    CHECK_EQ(uses, 77);
}

KIT_TEST(what_is_no_pipe_is_refused)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    unsigned uses = 77;

    CHECK_RC(iso__sys_pipe_uses(kit_regular_file(k), &uses), ISO_ENOTPIPE);
    CHECK_RC(iso__sys_pipe_uses((iso_fd)event, &uses), ISO_ENOTPIPE);
    CHECK_EQ(uses, 77);
    CHECK(CloseHandle(event));
}

KIT_TEST(a_socket_can_stand_for_a_pipe)
{
    iso_fd pair[2];
    iso_fd plain;
    unsigned uses = 0;

    kit_pair(k, pair);
    CHECK_OK(iso__sys_pipe_uses(pair[0], &uses));
    CHECK_EQ(uses, ISO__PIPE_READS | ISO__PIPE_WRITES);
    plain = (iso_fd)WSASocketW(AF_INET, SOCK_STREAM, 0, NULL, 0, 0);
    REQUIRE(plain != ISO_FD_NONE);
    (void)kit_own(k, plain);
    CHECK_RC(iso__sys_pipe_uses(plain, &uses), ISO_ENOTOVERLAPPED);
}

KIT_TEST(what_is_not_open_is_refused)
{
    ends pair = open_ends(ISO__PIPE_READS);
    unsigned uses = 77;

    close_ends(&pair);
    CHECK_RC(iso__sys_pipe_uses(pair.near_end, &uses), ISO_EBADF);
    CHECK_RC(iso__sys_pipe_uses(ISO_FD_NONE, &uses), ISO_EBADF);
    CHECK_RC(iso__sys_pipe_uses(1, &uses), ISO_EBADF);
    CHECK_EQ(uses, 77);
}

KIT_TEST(an_overlapped_device_is_adopted_and_read)
{
    HANDLE device = CreateFileW(L"NUL", GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                                OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);
    unsigned uses = 0;
    char data[16];

    REQUIRE(device != INVALID_HANDLE_VALUE);
    CHECK_OK(iso__sys_pipe_uses((iso_fd)device, &uses));
    CHECK_EQ(uses, ISO__PIPE_READS);
    CHECK_EQ(iso__sys_pipe_read((iso_fd)device, data, sizeof(data)), 0);
    CHECK(CloseHandle(device));
}

/* ---- bytes ---- */

KIT_TEST(an_empty_pipe_would_block)
{
    ends pair = open_ends(ISO__PIPE_READS);
    char data[16];

    CHECK_EQ(iso__sys_pipe_read(pair.near_end, data, sizeof(data)), ISO_EAGAIN);
    close_ends(&pair);
}

KIT_TEST(what_does_not_fit_stays)
{
    ends pair = open_ends(ISO__PIPE_READS);
    char data[16];

    CHECK(write_all(pair.far_end, "abcdef"));
    CHECK_EQ(iso__sys_pipe_read(pair.near_end, data, 4), 4);
    CHECK(memcmp(data, "abcd", 4) == 0);
    CHECK_EQ(iso__sys_pipe_read(pair.near_end, data, 4), 2);
    CHECK(memcmp(data, "ef", 2) == 0);
    CHECK_EQ(iso__sys_pipe_read(pair.near_end, data, 4), ISO_EAGAIN);
    close_ends(&pair);
}

KIT_TEST(the_end_comes_after_what_was_written)
{
    ends pair = open_ends(ISO__PIPE_READS);
    char data[16];

    CHECK(write_all(pair.far_end, "abc"));
    CHECK_OK(iso__sys_pipe_close(pair.far_end));
    CHECK_EQ(iso__sys_pipe_read(pair.near_end, data, sizeof(data)), 3);
    CHECK_EQ(iso__sys_pipe_read(pair.near_end, data, sizeof(data)), 0);
    CHECK_EQ(iso__sys_pipe_read(pair.near_end, data, sizeof(data)), 0);
    CHECK_OK(iso__sys_pipe_close(pair.near_end));
}

KIT_TEST(a_client_that_was_thrown_out_is_at_the_end)
{
    HANDLE pair[2];
    char data[16];

    open_one_way(PIPE_ACCESS_OUTBOUND, GENERIC_READ, pair);
    CHECK(DisconnectNamedPipe(pair[0]));
    CHECK_EQ(iso__sys_pipe_read((iso_fd)pair[1], data, sizeof(data)), 0);
    CHECK(CloseHandle(pair[0]));
    CHECK(CloseHandle(pair[1]));
}

KIT_TEST(a_read_does_not_wait_behind_one_that_is_under_way)
{
    ends pair = open_ends(ISO__PIPE_READS);
    request first;
    DWORD error;
    char data[16];

    start_read(&first, pair.near_end);
    CHECK_EQ(iso__sys_pipe_read(pair.near_end, data, sizeof(data)), ISO_EAGAIN);
    CHECK(write_all(pair.far_end, "abc"));
    CHECK_EQ(finish(&first, pair.near_end, &error), 3);
    CHECK_EQ(iso__sys_pipe_read(pair.near_end, data, sizeof(data)), ISO_EAGAIN);
    close_ends(&pair);
}

KIT_TEST(a_read_sends_nothing_to_a_completion_port)
{
    ends pair = open_ends(ISO__PIPE_READS);
    HANDLE port = CreateIoCompletionPort((HANDLE)pair.near_end, NULL, 1, 0);
    OVERLAPPED *packet;
    ULONG_PTR key;
    DWORD bytes;
    char data[16];

    REQUIRE(port != NULL);
    CHECK(write_all(pair.far_end, "abc"));
    CHECK_EQ(iso__sys_pipe_read(pair.near_end, data, sizeof(data)), 3);
    CHECK(!GetQueuedCompletionStatus(port, &bytes, &key, &packet, 0));
    CHECK(packet == NULL);
    CHECK_EQ(GetLastError(), WAIT_TIMEOUT);
    CHECK(CloseHandle(port));
    close_ends(&pair);
}

KIT_TEST(a_read_of_what_is_not_open_says_so)
{
    ends pair = open_ends(ISO__PIPE_READS);
    char data[16];

    close_ends(&pair);
    CHECK_EQ(iso__sys_pipe_read(pair.near_end, data, sizeof(data)), ISO_EBADF);
    CHECK_RC(iso__sys_pipe_close(pair.near_end), ISO_EBADF);
}

KIT_TEST(a_write_is_the_drivers)
{
    static const iso_buffer piece = { "a", 1 };
    ends pair = open_ends(ISO__PIPE_WRITES);

    CHECK_EQ(iso__sys_pipe_writev(pair.near_end, &piece, 1), ISO_EAGAIN);
    close_ends(&pair);
}

static const kit_case cases[] = {
    KIT_CASE(neither_end_is_inherited),
    KIT_CASE(the_far_end_of_a_reader_writes_and_blocks),
    KIT_CASE(the_far_end_of_a_reader_cannot_be_read),
    KIT_CASE(the_far_end_of_a_writer_reads_and_cannot_be_written),
    KIT_CASE(a_writer_can_be_watched_for_its_other_end_going_away),
    KIT_CASE(many_pipes_have_names_of_their_own),
    KIT_CASE(an_overlapped_end_is_adopted_with_what_it_can_do),
    KIT_CASE(an_end_of_one_direction_is_known),
    KIT_CASE(an_end_that_reads_messages_reads_bytes_while_it_is_taken_over),
    KIT_CASE(a_handle_that_is_not_overlapped_is_refused),
    KIT_CASE(what_is_no_pipe_is_refused),
    KIT_CASE(a_socket_can_stand_for_a_pipe),
    KIT_CASE(what_is_not_open_is_refused),
    KIT_CASE(an_overlapped_device_is_adopted_and_read),
    KIT_CASE(an_empty_pipe_would_block),
    KIT_CASE(what_does_not_fit_stays),
    KIT_CASE(the_end_comes_after_what_was_written),
    KIT_CASE(a_client_that_was_thrown_out_is_at_the_end),
    KIT_CASE(a_read_does_not_wait_behind_one_that_is_under_way),
    KIT_CASE(a_read_sends_nothing_to_a_completion_port),
    KIT_CASE(a_read_of_what_is_not_open_says_so),
    KIT_CASE(a_write_is_the_drivers),
};

KIT_MAIN(cases)
