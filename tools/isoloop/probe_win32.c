/* SPDX-License-Identifier: MIT */
#include <winsock2.h>
#include <windows.h>
#include "probe_os.h"
#include "text.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HIGHEST_HANDLE = 4 * 2048, MANY = 600 };

static char error_text[96];

const char *probe_os_error(void)
{
    return error_text;
}

static probe_ready broken_by(const char *what, unsigned long code)
{
    snprintf(error_text, sizeof(error_text), "%s: error %lu", what, code);
    return PROBE_BROKEN;
}

static probe_ready broken(const char *what)
{
    return broken_by(what, GetLastError());
}

/* ---- handles -------------------------------------------------------------------------------- */

/* Wine asks another process about each handle, and gives out the lowest number that is free: where
 * so many are free in a row, all are. Windows reuses numbers in another order, and is quick. */
static int patience_with_free_numbers(void)
{
    HMODULE nt = GetModuleHandleW(L"ntdll.dll");
    return GetProcAddress(nt, "wine_get_version") != NULL ? 256 : HIGHEST_HANDLE;
}

/* Each number is a multiple of four. What waits, or is waited for, is of no type. */
int probe_os_count_descriptors(void)
{
    const int patience = patience_with_free_numbers();
    int count = 0;
    int unused = 0;
    for (uintptr_t value = 4; value <= HIGHEST_HANDLE && unused < patience; value += 4) {
        const bool is_open = GetFileType((HANDLE)value) != FILE_TYPE_UNKNOWN;
        count += is_open;
        unused = is_open ? 0 : unused + 1;
    }
    return count;
}

probe_ready probe_os_allow_descriptors(int count)
{
    (void)count;
    return PROBE_READY;
}

probe_ready probe_os_pipe(iso_fd out[2])
{
    HANDLE reader;
    HANDLE writer;
    if (!CreatePipe(&reader, &writer, NULL, 0)) return broken("CreatePipe");
    out[0] = (iso_fd)reader;
    out[1] = (iso_fd)writer;
    return PROBE_READY;
}

/* Both ends of a pipe with a name of our own. */
static bool open_named(HANDLE ends[2], DWORD access, DWORD flags)
{
    wchar_t name[64];
    (void)swprintf(name, 64, L"\\\\.\\pipe\\isoloop-probe-%lu-os",
                   (unsigned long)GetCurrentProcessId());
    ends[0] = CreateNamedPipeW(name, access | flags | FILE_FLAG_FIRST_PIPE_INSTANCE,
                               PIPE_TYPE_BYTE | PIPE_REJECT_REMOTE_CLIENTS, 1, 64, 64, 0, NULL);
    if (ends[0] == INVALID_HANDLE_VALUE) return false;
    ends[1] = CreateFileW(
        name, access == PIPE_ACCESS_DUPLEX ? GENERIC_READ | GENERIC_WRITE : GENERIC_WRITE, 0, NULL,
        OPEN_EXISTING, flags, NULL);
    if (ends[1] != INVALID_HANDLE_VALUE) return true;
    (void)CloseHandle(ends[0]);
    return false;
}

probe_ready probe_os_transport_pipe(iso_fd out[2])
{
    HANDLE ends[2];
    if (!open_named(ends, PIPE_ACCESS_INBOUND, FILE_FLAG_OVERLAPPED))
        return broken("a pipe with a name");
    out[0] = (iso_fd)ends[0];
    out[1] = (iso_fd)ends[1];
    return PROBE_READY;
}

probe_ready probe_os_file(iso_fd *out)
{
    wchar_t folder[MAX_PATH + 1];
    wchar_t name[MAX_PATH + 1];
    DWORD written;
    if (GetTempPathW(MAX_PATH, folder) == 0) return broken("GetTempPath");
    if (GetTempFileNameW(folder, L"iso", 0, name) == 0) return broken("GetTempFileName");
    HANDLE file =
        CreateFileW(name, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ, NULL, CREATE_ALWAYS,
                    FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE, NULL);
    if (file == INVALID_HANDLE_VALUE) return broken("CreateFile");
    if (!WriteFile(file, "file", 4, &written, NULL)) {
        (void)broken("WriteFile");
        (void)CloseHandle(file);
        return PROBE_BROKEN;
    }
    *out = (iso_fd)file;
    return PROBE_READY;
}

/* A console is not to be had in every process. */
probe_ready probe_os_device(int index, probe_device *out)
{
    *out = (probe_device){ "NUL", ISO_FD_NONE, ISO_FD_NONE };
    if (index != 0) return PROBE_ABSENT;
    HANDLE handle = CreateFileW(L"NUL", GENERIC_READ | GENERIC_WRITE,
                                FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
    if (handle == INVALID_HANDLE_VALUE) return broken("CreateFile");
    out->fd = (iso_fd)handle;
    return PROBE_READY;
}

/* The system chooses the numbers: so many are made that one is high enough. */
probe_ready probe_os_high_pair(iso_fd lowest, iso_fd out[2])
{
    static iso_fd made[MANY][2];
    int count = 0;
    probe_ready ready = PROBE_SCANT;
    while (ready == PROBE_SCANT && count < MANY) {
        if (iso_socketpair(made[count]) != 0) ready = broken("socketpair");
        if (ready != PROBE_SCANT) break;
        if (made[count][0] >= lowest) {
            out[0] = made[count][0];
            out[1] = made[count][1];
            ready = PROBE_READY;
        } else {
            count++;
        }
    }
    while (count-- > 0) {
        (void)iso_socket_close(made[count][0]);
        (void)iso_socket_close(made[count][1]);
    }
    return ready;
}

probe_ready probe_os_idle_socket(iso_fd *out)
{
    struct sockaddr_in any = { .sin_family = AF_INET };
    SOCKET sock = socket(AF_INET, SOCK_DGRAM, 0);
    if (sock == INVALID_SOCKET) return broken_by("socket", (unsigned long)WSAGetLastError());
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(sock, (const struct sockaddr *)&any, sizeof(any)) != 0) {
        (void)broken_by("bind", (unsigned long)WSAGetLastError());
        (void)closesocket(sock);
        return PROBE_BROKEN;
    }
    *out = (iso_fd)sock;
    return PROBE_READY;
}

bool probe_os_has_ports(void)
{
    return true;
}

/* A handle keeps its port alive. */
probe_ready probe_os_tied_pair(iso_fd out[2])
{
    if (iso_socketpair(out) != 0) return broken("socketpair");
    HANDLE port = CreateIoCompletionPort((HANDLE)out[0], NULL, 0, 1);
    if (port == NULL) {
        (void)broken("CreateIoCompletionPort");
        (void)iso_socket_close(out[0]);
        (void)iso_socket_close(out[1]);
        return PROBE_BROKEN;
    }
    (void)CloseHandle(port);
    return PROBE_READY;
}

void probe_os_close(iso_fd fd)
{
    (void)CloseHandle((HANDLE)fd);
}

bool probe_os_read(iso_fd fd, void *data, size_t size)
{
    DWORD count = 0;
    return ReadFile((HANDLE)fd, data, (DWORD)size, &count, NULL) && count == size;
}

bool probe_os_write(iso_fd fd, const void *data, size_t size)
{
    DWORD count = 0;
    return WriteFile((HANDLE)fd, data, (DWORD)size, &count, NULL) && count == size;
}

bool probe_os_receive(iso_fd sock, void *data, size_t size)
{
    return recv((SOCKET)sock, data, (int)size, 0) == (int)size;
}

bool probe_os_send(iso_fd sock, const void *data, size_t size)
{
    return send((SOCKET)sock, data, (int)size, 0) == (int)size;
}

/* ---- programs and paths --------------------------------------------------------------------- */

/* A child watcher of POSIX takes a number that fork gave. */
probe_ready probe_os_child(int code, int64_t *pid)
{
    (void)code;
    (void)pid;
    return PROBE_ABSENT;
}

const char *const *probe_os_shell(const char *line)
{
    static const char *argv[] = { "cmd.exe", "/c", NULL, NULL };
    argv[2] = line;
    return argv;
}

/* A name of our own in the folder for such things, as UTF-8. */
probe_ready probe_os_socket_path(char *path, size_t size)
{
    wchar_t folder[MAX_PATH + 1];
    wchar_t name[MAX_PATH + 1];
    if (GetTempPathW(MAX_PATH, folder) == 0) return broken("GetTempPath");
    if (GetTempFileNameW(folder, L"iso", 0, name) == 0) return broken("GetTempFileName");
    (void)DeleteFileW(name); /* the name is ours, the file in the way */
    if (WideCharToMultiByte(CP_UTF8, 0, name, -1, path, (int)size, NULL, NULL) == 0)
        return broken("WideCharToMultiByte");
    return PROBE_READY;
}

void probe_os_remove_socket_path(const char *path)
{
    wchar_t name[MAX_PATH + 1];
    if (MultiByteToWideChar(CP_UTF8, 0, path, -1, name, MAX_PATH) != 0) (void)DeleteFileW(name);
}

probe_ready probe_os_exhaust(void)
{
    return PROBE_ABSENT;
}

void probe_os_replenish(void)
{
}

/* ---- the calls that wait -------------------------------------------------------------------- */

/* By select, whose error a completion port's own waiting (of the socket driver) shares. */
probe_ready probe_os_wait(const char *backend, iso_fd fd, unsigned event, probe_wait *out)
{
    struct timeval none = { 0, 0 };
    fd_set set;
    const bool reads = event == ISO_EVENT_READ;
    (void)backend;
    FD_ZERO(&set);
    set.fd_array[0] = (SOCKET)fd;
    set.fd_count = 1;
    const int fired = select(0, reads ? &set : NULL, reads ? NULL : &set, NULL, &none);
    *out = (probe_wait){ .is_taken = fired >= 0, .is_ready = fired > 0 };
    if (fired >= 0)
        snprintf(out->text, sizeof(out->text), "select: %s", fired > 0 ? "ready" : "not ready");
    else
        snprintf(out->text, sizeof(out->text), "select: error %d", WSAGetLastError());
    return PROBE_READY;
}

/* ---- the system itself ---------------------------------------------------------------------- */

static void note(probe_got *got, bool can, const char *text)
{
    got->can = can;
    snprintf(got->note, sizeof(got->note), "%s", text);
}

static void note_code(probe_got *got, bool can, const char *call, unsigned long code)
{
    got->can = can;
    snprintf(got->note, sizeof(got->note), can ? "%s succeeds" : "%s: error %lu", call, code);
}

static void note_broken(probe_got *got)
{
    got->ready = PROBE_BROKEN;
    note(got, false, error_text);
}

static void try_unix_sockets(probe_got *got)
{
    SOCKET sock = socket(AF_UNIX, SOCK_STREAM, 0);
    note_code(got, sock != INVALID_SOCKET, "socket(AF_UNIX)", (unsigned long)WSAGetLastError());
    if (sock != INVALID_SOCKET) (void)closesocket(sock);
}

/* SIGHUP, SIGUSR1 and SIGCHLD, by the numbers that they have elsewhere: there is nothing that
 * would send them. What the C runtime calls SIGINT is a thread of the console's. */
static void try_signals(probe_got *got)
{
    static const int numbers[] = { 1, 10, 17 };
    for (int i = 0; i < 3; i++) {
        void (*before)(int) = signal(numbers[i], SIG_IGN);
        if (before == SIG_ERR) continue;
        (void)signal(numbers[i], before);
        note(got, true, "signal() takes SIGHUP, SIGUSR1 or SIGCHLD");
        return;
    }
    note(got, false, "signal() takes neither SIGHUP, nor SIGUSR1, nor SIGCHLD");
}

static void try_child_watcher(probe_got *got)
{
    static const wchar_t *const runtimes[] = { L"ucrtbase.dll", L"msvcrt.dll" };
    for (int i = 0; i < 2; i++) {
        HMODULE runtime = GetModuleHandleW(runtimes[i]);
        if (runtime == NULL || GetProcAddress(runtime, "waitpid") == NULL) continue;
        note(got, true, "the C runtime has waitpid");
        return;
    }
    try_signals(got); /* SIGCHLD */
    if (!got->can) note(got, false, "the C runtime has neither waitpid nor SIGCHLD");
}

/* The numbers of Linux and of the BSDs. */
static void try_reuse_port(probe_got *got)
{
    static const int numbers[] = { 15, 0x0200 };
    const BOOL on = TRUE;
    SOCKET sock = socket(AF_INET, SOCK_STREAM, 0);
    if (sock == INVALID_SOCKET) {
        (void)broken_by("socket", (unsigned long)WSAGetLastError());
        note_broken(got);
        return;
    }
    for (int i = 0; i < 2 && !got->can; i++)
        note_code(got, setsockopt(sock, SOL_SOCKET, numbers[i], (const char *)&on, sizeof(on)) == 0,
                  "setsockopt(SO_REUSEPORT)", (unsigned long)WSAGetLastError());
    (void)closesocket(sock);
}

/* ---- the clock */

typedef LONG(NTAPI *query_resolution)(ULONG *coarsest, ULONG *finest, ULONG *current);

static int compare_spans(const void *one, const void *other)
{
    const double difference = *(const double *)one - *(const double *)other;
    return (difference > 0) - (difference < 0);
}

/* The median: each sleep but the first begins with a tick. */
static double usual_sleep_ms(void)
{
    LARGE_INTEGER frequency;
    double spans[9];
    (void)QueryPerformanceFrequency(&frequency);
    for (int i = 0; i < 9; i++) {
        LARGE_INTEGER start;
        LARGE_INTEGER end;
        (void)QueryPerformanceCounter(&start);
        Sleep(1);
        (void)QueryPerformanceCounter(&end);
        spans[i] = (double)(end.QuadPart - start.QuadPart) * 1e3 / (double)frequency.QuadPart;
    }
    qsort(spans, 9, sizeof(spans[0]), compare_spans);
    return spans[4];
}

/* 0.5 and 15.6 ms, in units of 100 ns, but for what clocks make of them: 0.488, 15.625. */
enum { FINEST = 4800, COARSEST = 157000 };

/* "usually 15.6 ms and 0.5 ms at best": neither coarser than the one nor finer than the other. */
static void try_clock(probe_got *got)
{
    ULONG coarsest = 0;
    ULONG finest = 0;
    ULONG current = 0;
    HMODULE nt = GetModuleHandleW(L"ntdll.dll");
    union {
        FARPROC address;
        query_resolution call;
    } query = { .address = GetProcAddress(nt, "NtQueryTimerResolution") };
    const double slept = usual_sleep_ms();
    if (query.call == NULL || query.call(&coarsest, &finest, &current) != 0) {
        (void)broken("NtQueryTimerResolution");
        note_broken(got);
        return;
    }
    got->can = finest < FINEST || coarsest > COARSEST || slept < (double)FINEST / 1e4;
    snprintf(got->note, sizeof(got->note),
             "the tick is %.1f ms, can be from %.1f to %.1f ms; Sleep(1) took %.2f ms",
             (double)current / 1e4, (double)finest / 1e4, (double)coarsest / 1e4, slept);
}

/* ---- select */

typedef struct large_set {
    u_int count;
    SOCKET sockets[MANY];
} large_set;

/* An fd_set is a count and an array; more than FD_SETSIZE of them are a larger array. */
static void try_max_sockets(const iso_limit *row, probe_got *got)
{
    static large_set set;
    struct timeval none = { 0, 0 };
    set.count = 0;
    while (set.count < MANY) {
        SOCKET sock = socket(AF_INET, SOCK_DGRAM, 0);
        if (sock == INVALID_SOCKET) break;
        set.sockets[set.count++] = sock;
    }
    const u_int made = set.count;
    static large_set asked;
    asked = set;
    const int fired = select(0, NULL, (fd_set *)&asked, NULL, &none);
    const unsigned long code = (unsigned long)WSAGetLastError();
    for (u_int i = 0; i < made; i++) (void)closesocket(set.sockets[i]);
    if (made < MANY) {
        (void)broken_by("socket", code);
        note_broken(got);
    } else if (fired >= 0) {
        got->can = fired > row->limit;
        snprintf(got->note, sizeof(got->note), "select takes %d sockets", fired);
    } else {
        note_code(got, false, "select", code);
    }
}

static void try_select_on(probe_got *got, HANDLE handle)
{
    probe_wait wait;
    (void)probe_os_wait("selector:select", (iso_fd)handle, ISO_EVENT_READ, &wait);
    note(got, wait.is_taken, wait.text);
}

static void try_select_on_pipe(probe_got *got)
{
    iso_fd ends[2];
    if (probe_os_pipe(ends) != PROBE_READY) {
        note_broken(got);
        return;
    }
    try_select_on(got, (HANDLE)ends[0]);
    probe_os_close(ends[0]);
    probe_os_close(ends[1]);
}

/* Neither the end of a process nor its pipes. */
static void try_select_on_process(probe_got *got)
{
    HANDLE self = NULL;
    if (!DuplicateHandle(GetCurrentProcess(), GetCurrentProcess(), GetCurrentProcess(), &self, 0,
                         FALSE, DUPLICATE_SAME_ACCESS)) {
        (void)broken("DuplicateHandle");
        note_broken(got);
        return;
    }
    try_select_on(got, self);
    (void)CloseHandle(self);
    if (!got->can) try_select_on_pipe(got);
}

static void try_select_on_file(probe_got *got)
{
    iso_fd fd = ISO_FD_NONE;
    if (probe_os_file(&fd) != PROBE_READY) {
        note_broken(got);
        return;
    }
    try_select_on(got, (HANDLE)fd);
    probe_os_close(fd);
}

static void try_bad_fd(probe_got *got)
{
    iso_fd ends[2];
    if (iso_socketpair(ends) != 0) {
        (void)broken("socketpair");
        note_broken(got);
        return;
    }
    (void)iso_socket_close(ends[0]);
    (void)iso_socket_close(ends[1]);
    try_select_on(got, (HANDLE)ends[0]);
}

/* A pipe that is empty has nothing yet; a file at its end has ended. */
static void try_pipe_kind(probe_got *got)
{
    iso_fd fd = ISO_FD_NONE;
    DWORD count = 0;
    char byte;
    if (probe_os_file(&fd) != PROBE_READY) {
        note_broken(got);
        return;
    }
    const bool is_end = ReadFile((HANDLE)fd, &byte, 1, &count, NULL) && count == 0;
    probe_os_close(fd);
    note(got, !is_end, "ReadFile at the end of a file answers 0 bytes, the end");
}

/* ---- completion ports */

/* Tie the handle to a port of its own. Answers 0 or an error. */
static unsigned long tie(HANDLE handle)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    if (port == NULL) return GetLastError();
    const unsigned long code =
        CreateIoCompletionPort(handle, port, 0, 0) == NULL ? GetLastError() : 0;
    (void)CloseHandle(port);
    return code;
}

static void try_overlapped_only(probe_got *got)
{
    iso_fd ends[2];
    if (probe_os_pipe(ends) != PROBE_READY) {
        note_broken(got);
        return;
    }
    const unsigned long code = tie((HANDLE)ends[0]);
    note_code(got, code == 0, "CreateIoCompletionPort", code);
    probe_os_close(ends[0]);
    probe_os_close(ends[1]);
}

static void try_foreign_port(probe_got *got)
{
    iso_fd ends[2];
    if (probe_os_tied_pair(ends) != PROBE_READY) {
        note_broken(got);
        return;
    }
    const unsigned long code = tie((HANDLE)ends[0]);
    note_code(got, code == 0, "a second CreateIoCompletionPort", code);
    (void)iso_socket_close(ends[0]);
    (void)iso_socket_close(ends[1]);
}

/* There is no shutdown for it, and whoever closes an end closes both directions. */
static void try_pipe_write_eof(probe_got *got)
{
    HANDLE ends[2];
    char byte;
    DWORD count = 0;
    if (!open_named(ends, PIPE_ACCESS_DUPLEX, 0)) {
        (void)broken("a pipe with a name");
        note_broken(got);
        return;
    }
    const bool is_shut = shutdown((SOCKET)ends[1], SD_SEND) == 0;
    (void)CloseHandle(ends[1]);
    const bool has_ended = !ReadFile(ends[0], &byte, 1, &count, NULL);
    const bool is_writable = WriteFile(ends[0], "x", 1, &count, NULL);
    (void)CloseHandle(ends[0]);
    note(got, is_shut || (has_ended && is_writable),
         "shutdown knows no pipe, and to close an end ends both directions");
}

/* ---- which of them */

static bool try_any(const iso_limit *row, probe_got *got)
{
    static const struct {
        const char *id;
        void (*attempt)(probe_got *got);
    } tries[] = {
        { "windows.unix_sockets", try_unix_sockets },
        { "windows.signals", try_signals },
        { "windows.child_watcher", try_child_watcher },
        { "windows.reuse_port", try_reuse_port },
        { "windows.clock", try_clock },
        { "windows.selector.sockets_only", try_select_on_pipe },
        { "windows.selector.pipes", try_select_on_pipe },
        { "windows.selector.subprocess", try_select_on_process },
        { "proactor.overlapped_only", try_overlapped_only },
        { "proactor.pipe_write_eof", try_pipe_write_eof },
        { "proactor.foreign_port", try_foreign_port },
        { "all.regular_file", try_select_on_file },
        { "all.pipe_kind", try_pipe_kind },
        { "all.bad_fd", try_bad_fd },
    };
    for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
        if (strcmp(tries[i].id, row->id) != 0) continue;
        tries[i].attempt(got);
        return true;
    }
    return false;
}

bool probe_os_system(const iso_limit *row, const char *backend, probe_got *got)
{
    (void)backend;
    if (strcmp(row->id, "windows.selector.max_sockets") != 0) return try_any(row, got);
    try_max_sockets(row, got);
    return true;
}
