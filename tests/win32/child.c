/* SPDX-License-Identifier: MIT */
#include "win32/child.h"

#include "sys/pipe.h"

#include <stdio.h>
#include <string.h>
#include <windows.h>

enum { PATIENCE_MS = 30000 };

static void find(char *folder, char *program)
{
    wchar_t wide[CHILD_PATH_ROOM];
    char *end;

    REQUIRE(GetModuleFileNameW(NULL, wide, CHILD_PATH_ROOM) < CHILD_PATH_ROOM);
    REQUIRE(WideCharToMultiByte(CP_UTF8, 0, wide, -1, folder, CHILD_PATH_ROOM, NULL, NULL) > 0);
    end = strrchr(folder, '\\');
    REQUIRE(end != NULL);
    *end = '\0';
    (void)snprintf(program, CHILD_PATH_ROOM + 16, "%s\\echo_args.exe", folder);
}

static struct {
    char folder[CHILD_PATH_ROOM];
    char program[CHILD_PATH_ROOM + 16];
} place;

const char *child_folder(void)
{
    if (place.folder[0] == '\0') find(place.folder, place.program);
    return place.folder;
}

const char *child_program(void)
{
    (void)child_folder();
    return place.program;
}

static void has_ended(void *event)
{
    (void)SetEvent(event);
}

int child_start(kit *k, child *out, const iso__spawn *spawn, bool has_input)
{
    iso__spawn mine = *spawn;
    iso_fd far_input = ISO_FD_NONE;
    iso_fd far_output;
    int rc;

    out->k = k;
    out->input = ISO_FD_NONE;
    out->text[0] = '\0';
    REQUIRE_OK(iso__sys_pipe_open(&out->output, &far_output, ISO__PIPE_READS));
    if (has_input) REQUIRE_OK(iso__sys_pipe_open(&out->input, &far_input, ISO__PIPE_WRITES));
    mine.stdio[0] = far_input;
    mine.stdio[1] = far_output;
    mine.stdio[2] = far_output;
    rc = iso__sys_process_spawn(&out->process, kit_allocator(k), &mine);
    CHECK_OK(iso__sys_pipe_close(far_output));
    if (has_input) CHECK_OK(iso__sys_pipe_close(far_input));
    if (rc != 0) {
        child_end_input(out);
        CHECK_OK(iso__sys_pipe_close(out->output));
        return rc;
    }
    out->ended = CreateEventW(NULL, TRUE, FALSE, NULL);
    REQUIRE(out->ended != NULL);
    REQUIRE_OK(iso__sys_process_watch(out->process, has_ended, out->ended));
    return 0;
}

void child_echo(kit *k, child *out, bool has_input, const char *const *arguments)
{
    const char *argv[64];
    iso__spawn spawn = iso__spawn_default();
    size_t count = 0;

    argv[count++] = child_program();
    while (*arguments != NULL && count < ISO__COUNT(argv) - 1) argv[count++] = *arguments++;
    REQUIRE(*arguments == NULL);
    argv[count] = NULL;
    spawn.argv = argv;
    REQUIRE_OK(child_start(k, out, &spawn, has_input));
}

/* Some more bytes, at least one; 0 at the end. */
static DWORD read_some(HANDLE handle, char *data, DWORD room)
{
    OVERLAPPED read;
    DWORD got = 0;

    memset(&read, 0, sizeof(read));
    read.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    REQUIRE(read.hEvent != NULL);
    if (!ReadFile(handle, data, room, NULL, &read)) {
        DWORD error = GetLastError();

        REQUIRE(error == ERROR_IO_PENDING || error == ERROR_BROKEN_PIPE);
        if (error == ERROR_IO_PENDING)
            REQUIRE(WaitForSingleObject(read.hEvent, PATIENCE_MS) == WAIT_OBJECT_0);
    }
    if (!GetOverlappedResult(handle, &read, &got, FALSE)) got = 0;
    (void)CloseHandle(read.hEvent);
    return got;
}

static void read_until(child *it, bool line)
{
    size_t length = strlen(it->text);
    DWORD got;

    do {
        got = read_some((HANDLE)it->output, it->text + length, (DWORD)(CHILD_OUTPUT_ROOM - length));
        length += got;
        it->text[length] = '\0';
        if (line && length > 0 && it->text[length - 1] == '\n') return;
    } while (got > 0 && length < CHILD_OUTPUT_ROOM);
    CHECK(length < CHILD_OUTPUT_ROOM);
}

void child_read_line(child *it)
{
    read_until(it, true);
}

void child_read_all(child *it)
{
    read_until(it, false);
}

void child_end_input(child *it)
{
    if (it->input != ISO_FD_NONE) CHECK_OK(iso__sys_pipe_close(it->input));
    it->input = ISO_FD_NONE;
}

int child_finish(child *it)
{
    int code;

    REQUIRE(WaitForSingleObject(it->ended, PATIENCE_MS) == WAIT_OBJECT_0);
    code = iso__sys_process_returncode(it->process);
    iso__sys_process_close(it->process);
    CHECK(CloseHandle(it->ended));
    child_end_input(it);
    CHECK_OK(iso__sys_pipe_close(it->output));
    return code;
}

int child_run(child *it)
{
    child_read_all(it);
    return child_finish(it);
}
