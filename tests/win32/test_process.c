/* SPDX-License-Identifier: MIT */
#include "sys/process.h"

#include "sys/pipe.h"
#include "sys/standard_stream.h"
#include "win32/child.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

enum { KILL = 9, PATIENCE_MS = 30000, ALLOCATIONS_MAX = 200, PATH_ROOM = CHILD_PATH_ROOM + 64 };

/* A child at a time is all that these need. */
static child it;

/* ---- helpers ---- */

/* The rest of an argv behind the program. */
#define WITH(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* A plan that asks for nothing. */
static iso__spawn *plain(void)
{
    static iso__spawn spawn;

    spawn = iso__spawn_default();
    return &spawn;
}

static int start_by_name(kit *k, const char *name, iso__spawn *spawn)
{
    const char *argv[] = { name, "args", "a b", NULL };
    iso__spawn mine = *spawn;

    mine.argv = argv;
    return child_start(k, &it, &mine, false);
}

static void check_started(kit *k, const char *name, iso__spawn *spawn)
{
    if (!CHECK_OK(start_by_name(k, name, spawn))) return;
    CHECK_EQ(child_run(&it), 0);
    CHECK_STR(it.text, "006100200062\n");
}

static void check_not_there(kit *k, const char *name, iso__spawn *spawn)
{
    CHECK_RC(start_by_name(k, name, spawn), ISO_ENOENT);
    CHECK_HAS(iso_error_detail(), name);
}

static HANDLE open_process(int64_t id)
{
    HANDLE handle = OpenProcess(SYNCHRONIZE, FALSE, (DWORD)id);

    REQUIRE(handle != NULL);
    return handle;
}

static void await_end(HANDLE process)
{
    CHECK_EQ(WaitForSingleObject(process, PATIENCE_MS), WAIT_OBJECT_0);
    CHECK(CloseHandle(process));
}

/* Into the pipe to the child, which has room. */
static void write_input(const char *text)
{
    OVERLAPPED write;
    DWORD written = 0;

    memset(&write, 0, sizeof(write));
    (void)WriteFile((HANDLE)it.input, text, (DWORD)strlen(text), NULL, &write);
    CHECK(GetOverlappedResult((HANDLE)it.input, &write, &written, TRUE));
    CHECK_EQ(written, strlen(text));
}

/* ---- ending ---- */

KIT_TEST(a_child_ends_with_its_code)
{
    child_echo(k, &it, false, WITH("exit", "0"));
    CHECK_EQ(child_run(&it), 0);
    child_echo(k, &it, false, WITH("exit", "3"));
    CHECK_EQ(child_run(&it), 3);
    child_echo(k, &it, false, WITH("exit", "259")); /* STILL_ACTIVE */
    CHECK_EQ(child_run(&it), 259);
    child_echo(k, &it, false, WITH("exit", "3221225786")); /* 0xC000013A, an NTSTATUS */
    CHECK_EQ(child_run(&it), (int)0xC000013Au);
}

KIT_TEST(a_child_has_a_number)
{
    HANDLE process;

    child_echo(k, &it, true, WITH("cat"));
    process = open_process(iso__sys_process_id(it.process));
    CHECK_EQ(WaitForSingleObject(process, 0), WAIT_TIMEOUT);
    child_end_input(&it);
    CHECK_EQ(child_run(&it), 0);
    await_end(process);
}

static void open_gate(void *gate)
{
    kit_gate_open(gate);
}

KIT_TEST(one_that_has_ended_before_it_is_watched_is_told_too)
{
    const char *argv[] = { child_program(), "exit", "5", NULL };
    iso__spawn spawn = iso__spawn_default();
    kit_gate *ended = kit_gate_new(k);
    iso__process *process;

    spawn.argv = argv;
    spawn.stdio[0] = spawn.stdio[1] = spawn.stdio[2] = ISO_FD_NONE;
    REQUIRE_OK(iso__sys_process_spawn(&process, kit_allocator(k), &spawn));
    await_end(open_process(iso__sys_process_id(process)));
    CHECK_OK(iso__sys_process_watch(process, open_gate, ended));
    kit_gate_wait(ended);
    CHECK_EQ(iso__sys_process_returncode(process), 5);
    iso__sys_process_close(process);
}

KIT_TEST(nobody_is_told_once_it_is_closed_and_the_child_goes_on)
{
    static child other;
    HANDLE process;

    child_echo(k, &it, true, WITH("cat"));
    process = open_process(iso__sys_process_id(it.process));
    iso__sys_process_close(it.process);
    write_input("still there\n");
    child_read_line(&it);
    CHECK_STR(it.text, "still there\n");
    child_end_input(&it);
    await_end(process);
    child_echo(k, &other, false, WITH("exit", "0")); /* its end is told, and comes later */
    CHECK_EQ(child_run(&other), 0);
    CHECK_EQ(WaitForSingleObject(it.ended, 0), WAIT_TIMEOUT);
    CHECK(CloseHandle(it.ended));
    CHECK_OK(iso__sys_pipe_close(it.output));
}

static void count_end(void *count)
{
    (void)InterlockedIncrement(count);
}

KIT_TEST(closing_races_with_the_end_and_nothing_is_told_after_it)
{
    const char *argv[] = { child_program(), "exit", "0", NULL };
    static volatile LONG count;
    iso__spawn spawn = iso__spawn_default();
    iso__process *process;
    LONG before;
    int round;

    spawn.argv = argv;
    spawn.stdio[0] = spawn.stdio[1] = spawn.stdio[2] = ISO_FD_NONE;
    for (round = 0; round < 20; round++) {
        HANDLE end;

        count = 0;
        REQUIRE_OK(iso__sys_process_spawn(&process, kit_allocator(k), &spawn));
        REQUIRE_OK(iso__sys_process_watch(process, count_end, (void *)(uintptr_t)&count));
        end = open_process(iso__sys_process_id(process));
        if (round % 2 == 0) CHECK_EQ(WaitForSingleObject(end, PATIENCE_MS), WAIT_OBJECT_0);
        iso__sys_process_close(process);
        before = count;
        await_end(end);
        CHECK_EQ(count, before);
        CHECK_LE(before, 1);
    }
}

KIT_TEST(closing_nothing_is_fine)
{
    iso__sys_process_close(NULL);
}

/* ---- signals ---- */

/* Wait until a "cat" is at work. Of one that is ended while it starts Wine may leave its console
 * behind, which holds the streams open. */
static void await_cat(void)
{
    it.text[0] = '\0';
    write_input("ready\n");
    child_read_line(&it);
}

KIT_TEST(both_signals_that_end_end_it)
{
    static const int signals[] = { SIGTERM, KILL };
    size_t at;

    for (at = 0; at < ISO__COUNT(signals); at++) {
        child_echo(k, &it, true, WITH("cat"));
        await_cat();
        CHECK_OK(iso__sys_process_signal(it.process, signals[at]));
        CHECK_EQ(child_run(&it), 1);
    }
}

KIT_TEST(one_that_has_ended_takes_no_signal)
{
    static const int signals[] = { SIGTERM, KILL, CTRL_C_EVENT, CTRL_BREAK_EVENT };
    size_t at;

    child_echo(k, &it, false, WITH("exit", "0"));
    child_read_all(&it);
    await_end(open_process(iso__sys_process_id(it.process)));
    for (at = 0; at < ISO__COUNT(signals); at++)
        CHECK_RC(iso__sys_process_signal(it.process, signals[at]), ISO_ENOENT);
    CHECK_EQ(child_finish(&it), 0);
}

KIT_TEST(a_signal_that_windows_does_not_have_is_refused)
{
    child_echo(k, &it, true, WITH("cat"));
    CHECK_RC(iso__sys_process_signal(it.process, SIGINT), ISO_EINVAL);
    CHECK_RC(iso__sys_process_signal(it.process, -1), ISO_EINVAL);
    CHECK_RC(iso__sys_process_signal(it.process, 10), ISO_EINVAL);
    child_end_input(&it);
    CHECK_EQ(child_run(&it), 0);
}

/* In a child, since that has a console whatever this program has. */
KIT_TEST(ctrl_break_ends_a_child_of_its_own_group_only)
{
    child_echo(k, &it, true, WITH("console"));
    CHECK_EQ(child_run(&it), 0);
    /* Wine has no CTRL_BREAK, and answers ERROR_INVALID_HANDLE. */
    CHECK_STR(it.text, kit_is_wine() ? "ISO_EINVAL\nISO_EBADF 1\n" : "ISO_EINVAL\nISO_OK 7\n");
}

/* ---- the standard streams ---- */

KIT_TEST(input_goes_to_the_child_and_its_output_comes_back)
{
    child_echo(k, &it, true, WITH("cat"));
    write_input("hello\n");
    child_read_line(&it);
    CHECK_STR(it.text, "hello\n");
    child_end_input(&it);
    CHECK_EQ(child_run(&it), 0);
}

KIT_TEST(output_and_error_can_be_one)
{
    child_echo(k, &it, false, WITH("both"));
    CHECK_EQ(child_run(&it), 0);
    CHECK_STR(it.text, "outerr");
}

KIT_TEST(every_stream_of_the_child_is_open)
{
    child_echo(k, &it, false, WITH("streams")); /* its input is the null device */
    CHECK_EQ(child_run(&it), 0);
    CHECK_STR(it.text, "2 3 3 3 same\n"); /* FILE_TYPE_CHAR, FILE_TYPE_PIPE */
}

KIT_TEST(what_is_not_open_is_no_stream)
{
    const char *argv[] = { child_program(), "exit", "0", NULL };
    iso_fd pipe[2];
    iso_fd bad[5] = { 0, 1, 2, -2, 0 };
    iso__spawn spawn = iso__spawn_default();
    iso__process *process;
    size_t at;
    size_t which;

    kit_pipe(k, pipe);
    bad[4] = pipe[0];
    kit_close(k, pipe[0]);
    spawn.argv = argv;
    for (at = 0; at < ISO__COUNT(bad); at++) {
        for (which = 0; which < 3; which++) {
            spawn.stdio[0] = spawn.stdio[1] = spawn.stdio[2] = ISO_FD_NONE;
            spawn.stdio[which] = bad[at];
            CHECK_RC(iso__sys_process_spawn(&process, kit_allocator(k), &spawn), ISO_EBADF);
        }
    }
}

KIT_TEST(a_standard_stream_that_is_noted_but_closed_is_none)
{
    static const DWORD names[] = { STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE };
    static const iso_fd closed[] = { 0x3FFC, 7, 0, -1 }; /* far above what is open here */
    int which;
    size_t at;

    for (which = 0; which < 3; which++) {
        HANDLE before = GetStdHandle(names[which]);

        for (at = 0; at < ISO__COUNT(closed); at++) {
            CHECK(SetStdHandle(names[which], (HANDLE)closed[at]));
            CHECK_EQ(iso__sys_standard_stream(which), ISO_FD_NONE);
        }
        CHECK(SetStdHandle(names[which], before));
    }
}

KIT_TEST(a_child_gets_no_other_handle_not_even_one_that_can_be_inherited)
{
    SECURITY_ATTRIBUTES inherited = { sizeof(inherited), NULL, TRUE };
    HANDLE event = CreateEventW(&inherited, TRUE, FALSE, NULL);
    char number[32];

    REQUIRE(event != NULL);
    (void)snprintf(number, sizeof(number), "%llu", (unsigned long long)(uintptr_t)event);
    child_echo(k, &it, false, WITH("signal", number));
    (void)child_run(&it); /* the number may be a handle of its own */
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
    CHECK(CloseHandle(event));
}

KIT_TEST(what_the_child_was_given_stays_the_callers_and_as_it_was)
{
    const char *argv[] = { child_program(), "exit", "0", NULL };
    iso__spawn spawn = iso__spawn_default();
    iso__process *process;
    iso_fd near_end;
    DWORD flags = 77;

    spawn.argv = argv;
    spawn.stdio[0] = spawn.stdio[2] = ISO_FD_NONE;
    REQUIRE_OK(iso__sys_pipe_open(&near_end, &spawn.stdio[1], ISO__PIPE_READS));
    REQUIRE_OK(iso__sys_process_spawn(&process, kit_allocator(k), &spawn));
    CHECK(GetHandleInformation((HANDLE)spawn.stdio[1], &flags));
    CHECK_EQ(flags, 0);
    iso__sys_process_close(process);
    CHECK_OK(iso__sys_pipe_close(spawn.stdio[1]));
    CHECK_OK(iso__sys_pipe_close(near_end));
}

/* The system gives out low handles first. (Wine's GetProcessHandleCount counts none.) */
static int count_handles(void)
{
    uintptr_t value;
    DWORD flags;
    int count = 0;

    for (value = 4; value <= 4 * 2048; value += 4)
        count += GetHandleInformation((HANDLE)value, &flags) ? 1 : 0;
    return count;
}

KIT_TEST(no_handle_is_left_here)
{
    enum { ROUNDS = 20 };
    int before = 0;
    int round;

    for (round = 0; round < 5 + ROUNDS; round++) {
        if (round == 5) before = count_handles();
        child_echo(k, &it, true, WITH("exit", "0"));
        CHECK_EQ(child_run(&it), 0);
        CHECK_RC(start_by_name(k, "no-such-program", plain()), ISO_ENOENT);
    }
    CHECK_GE(before, 3);
    /* The system's own threads that wait come and go. */
    CHECK_LE(count_handles(), before + ROUNDS / 2);
}

/* ---- the program ---- */

/* Of the folder of echo_args, without those it is in. */
static const char *folder_name(void)
{
    return strrchr(child_folder(), '\\') + 1;
}

KIT_TEST(a_program_is_found_by_its_path_with_or_without_the_extension)
{
    iso__spawn spawn = iso__spawn_default();
    char path[PATH_ROOM];

    check_started(k, child_program(), &spawn);
    (void)snprintf(path, sizeof(path), "%s\\echo_args", child_folder());
    check_started(k, path, &spawn);
    (void)snprintf(path, sizeof(path), "%.2000s/../%.2000s/echo_args", child_folder(),
                   folder_name());
    check_started(k, path, &spawn);
}

static void set_path(char *entry, const char *before, const char *behind)
{
    (void)snprintf(entry, PATH_ROOM, "Path=%s%s%s", before, child_folder(), behind);
}

KIT_TEST(a_name_is_looked_up_in_the_path_of_the_child)
{
    char entry[PATH_ROOM];
    const char *environment[] = { entry, NULL };
    iso__spawn spawn = iso__spawn_default();

    spawn.environment = environment;
    set_path(entry, "", "");
    check_started(k, "echo_args", &spawn);
    check_started(k, "ECHO_args.EXE", &spawn);
    set_path(entry, ";;C:\\nowhere;", ";C:\\");
    check_started(k, "echo_args", &spawn);
    set_path(entry, "C:\\nowhere;\"", "\\\";");
    check_started(k, "echo_args", &spawn);
}

KIT_TEST(a_name_is_looked_up_in_the_path_of_this_process_when_the_child_has_none)
{
    static const char *const environment[] = { "A=b", NULL };
    iso__spawn spawn = iso__spawn_default();

    spawn.environment = environment;
    kit_setenv(k, "PATH", child_folder());
    check_started(k, "echo_args", &spawn);
}

KIT_TEST(a_name_is_not_looked_up_in_the_current_folder_nor_beside_this_program)
{
    static const char *const environment[] = { "PATH=C:\\nowhere", NULL };
    iso__spawn spawn = iso__spawn_default();

    spawn.environment = environment;
    spawn.cwd = child_folder();
    check_not_there(k, "echo_args", &spawn);
    check_not_there(k, "echo_args.exe", &spawn);
}

KIT_TEST(a_path_is_seen_from_the_folder_of_the_child)
{
    iso__spawn spawn = iso__spawn_default();
    char folder[PATH_ROOM];
    char path[PATH_ROOM];

    (void)snprintf(folder, sizeof(folder), "%s\\..", child_folder());
    spawn.cwd = folder;
    (void)snprintf(path, sizeof(path), "%s\\echo_args", folder_name());
    check_started(k, path, &spawn);
    (void)snprintf(path, sizeof(path), ".\\%s/echo_args.exe", folder_name());
    check_started(k, path, &spawn);
    check_not_there(k, ".\\echo_args.exe", &spawn);
}

KIT_TEST(a_folder_of_path_is_seen_from_the_folder_of_the_child)
{
    char entry[PATH_ROOM];
    char folder[PATH_ROOM];
    const char *environment[] = { entry, NULL };
    iso__spawn spawn = iso__spawn_default();

    (void)snprintf(entry, sizeof(entry), "PATH=%s", folder_name());
    (void)snprintf(folder, sizeof(folder), "%s\\..", child_folder());
    spawn.environment = environment;
    spawn.cwd = folder;
    check_started(k, "echo_args", &spawn);
}

KIT_TEST(a_path_from_the_root_is_on_the_drive_of_the_folder)
{
    iso__spawn spawn = iso__spawn_default();

    spawn.cwd = child_folder();
    check_started(k, child_program() + 2, &spawn);
}

KIT_TEST(what_is_not_there_is_not_found)
{
    iso__spawn spawn = iso__spawn_default();

    check_not_there(k, "no-such-program", &spawn);
    check_not_there(k, "C:\\no-such-folder\\program.exe", &spawn);
    check_not_there(k, "", &spawn);
    check_not_there(k, ".", &spawn);
    check_not_there(k, child_folder(), &spawn);
}

KIT_TEST(a_spawn_has_either_arguments_or_a_command)
{
    const char *none[] = { NULL };
    const char *argv[] = { child_program(), NULL };
    iso__spawn spawn = iso__spawn_default();

    CHECK_RC(child_start(k, &it, &spawn, false), ISO_EINVAL);
    spawn.argv = none;
    CHECK_RC(child_start(k, &it, &spawn, false), ISO_EINVAL);
    spawn.argv = argv;
    spawn.command = "exit";
    CHECK_RC(child_start(k, &it, &spawn, false), ISO_EINVAL);
}

KIT_TEST(an_argument_that_is_not_utf8_is_refused)
{
    const char *argv[] = { child_program(), "a\xff", NULL };
    iso__spawn spawn = iso__spawn_default();

    spawn.argv = argv;
    CHECK_RC(child_start(k, &it, &spawn, false), ISO_EINVAL);
    CHECK_RC(start_by_name(k, "\xff", plain()), ISO_EINVAL);
}

/* ---- files of a test ---- */

typedef struct folder {
    char path[PATH_ROOM];
    char file[PATH_ROOM];
} folder;

static void make_folder(folder *out)
{
    static unsigned count;
    char base[MAX_PATH + 1];

    REQUIRE(GetTempPathA(sizeof(base), base) > 0);
    (void)snprintf(out->path, sizeof(out->path), "%sisoloop %lu-%u", base, GetCurrentProcessId(),
                   ++count);
    REQUIRE(CreateDirectoryA(out->path, NULL));
}

static void write_file(folder *in, const char *name, const char *text)
{
    FILE *file;

    (void)snprintf(in->file, sizeof(in->file), "%.4000s\\%s", in->path, name);
    file = fopen(in->file, "wb");
    REQUIRE(file != NULL);
    CHECK(fputs(text, file) >= 0);
    CHECK_EQ(fclose(file), 0);
}

/* Of a program that has just ended, or that a virus scanner looks at, the file stays in use for a
 * moment. */
static void remove_folder(folder *it_is)
{
    iso_nsec end = kit_now() + ISO_MS(PATIENCE_MS);
    bool is_gone = DeleteFileA(it_is->file);

    while (!is_gone && kit_now() < end) {
        Sleep(10);
        is_gone = DeleteFileA(it_is->file);
    }
    CHECK(is_gone);
    while (!RemoveDirectoryA(it_is->path) && kit_now() < end) Sleep(10);
    CHECK_EQ(GetFileAttributesA(it_is->path), INVALID_FILE_ATTRIBUTES);
}

KIT_TEST(a_program_without_an_extension_is_started_by_its_path_only)
{
    iso__spawn spawn = iso__spawn_default();
    folder files;

    make_folder(&files);
    write_file(&files, "plain", "");
    REQUIRE(CopyFileA(child_program(), files.file, FALSE));
    check_started(k, files.file, &spawn);
    kit_setenv(k, "PATH", files.path);
    check_not_there(k, "plain", &spawn);
    remove_folder(&files);
}

KIT_TEST(what_is_no_program_is_refused)
{
    folder files;

    make_folder(&files);
    write_file(&files, "text.txt", "This is no program.");
    CHECK_RC(start_by_name(k, files.file, plain()), ISO_EACCES);
    remove_folder(&files);
}

/* ---- batch files ---- */

/* Start the file, with an argument, and tell echo_args's place to it. */
static int start_batch(kit *k, const char *name, const char *const *arguments)
{
    const char *argv[16] = { name };
    iso__spawn spawn = iso__spawn_default();
    size_t count;

    for (count = 0; arguments[count] != NULL; count++) argv[count + 1] = arguments[count];
    spawn.argv = argv;
    kit_setenv(k, "ECHO_ARGS", child_program());
    return child_start(k, &it, &spawn, false);
}

static const char hand_on[] = "@echo off\r\n\"%ECHO_ARGS%\" args %*\r\nexit /b 4\r\n";

KIT_TEST(safe_arguments_of_a_batch_file_arrive)
{
    folder files;

    make_folder(&files);
    write_file(&files, "a b.bat", hand_on);
    REQUIRE_OK(
        start_batch(k, files.file, WITH("a", "b c", "d=e,f;g", "", "(h)", "\xc3\xa4", "C:\\")));
    CHECK_EQ(child_run(&it), 4);
    CHECK_STR(it.text, "0061\n006200200063\n0064003d0065002c0066003b0067\n\n002800680029\n00e4\n"
                       "0043003a005c\n");
    remove_folder(&files);
}

KIT_TEST(a_batch_file_without_arguments_runs)
{
    folder files;

    make_folder(&files);
    write_file(&files, "run.cmd", "@exit /b 6\r\n");
    REQUIRE_OK(start_batch(k, files.file, (const char *const[]){ NULL }));
    CHECK_EQ(child_run(&it), 6);
    remove_folder(&files);
}

KIT_TEST(unsafe_arguments_of_a_batch_file_are_refused_however_it_is_called)
{
    static const char *const names[] = { "a.bat", "A.BAT", "a.bat.", "a.bat ", "a.bat. ." };
    folder files;
    char path[PATH_ROOM + 16];
    size_t at;

    make_folder(&files);
    write_file(&files, "a.bat", hand_on);
    for (at = 0; at < ISO__COUNT(names); at++) {
        (void)snprintf(path, sizeof(path), "%.4000s\\%s", files.path, names[at]);
        CHECK_RC(start_batch(k, path, WITH("\"&calc.exe")), ISO_EINVAL);
        CHECK_HAS(iso_error_detail(), "\"&calc.exe");
        CHECK_RC(start_batch(k, path, WITH("ok", "%PATH%")), ISO_EINVAL);
    }
    remove_folder(&files);
}

KIT_TEST(a_batch_file_is_found_in_path_by_its_whole_name_only)
{
    folder files;
    iso__spawn spawn = iso__spawn_default();

    make_folder(&files);
    write_file(&files, "isoloop-test.bat", hand_on);
    kit_setenv(k, "PATH", files.path);
    check_not_there(k, "isoloop-test", &spawn);
    REQUIRE_OK(start_batch(k, "isoloop-test.bat", WITH("x")));
    CHECK_EQ(child_run(&it), 4);
    CHECK_STR(it.text, "0078\n");
    remove_folder(&files);
}

/* ---- the shell ---- */

static void check_command(kit *k, const char *command, const char *output, int code)
{
    iso__spawn spawn = iso__spawn_default();

    spawn.command = command;
    REQUIRE_OK(child_start(k, &it, &spawn, false));
    CHECK_EQ(child_run(&it), code);
    CHECK_STR(it.text, output);
}

KIT_TEST(a_command_is_the_shells)
{
    check_command(k, "echo hello& exit 3", "hello\r\n", 3);
    check_command(k, "echo \"a b\"", "\"a b\"\r\n", 0);
}

KIT_TEST(a_quoted_program_can_begin_a_command)
{
    char command[2 * PATH_ROOM];

    (void)snprintf(command, sizeof(command), "\"%s\" args \"a b\"", child_program());
    check_command(k, command, "006100200062\n", 0);
}

KIT_TEST(the_shell_is_found_without_comspec)
{
    kit_setenv(k, "COMSPEC", NULL);
    check_command(k, "exit 3", "", 3);
}

KIT_TEST(a_comspec_that_is_not_absolute_is_not_used)
{
    kit_setenv(k, "COMSPEC", "no-such-shell.exe");
    check_command(k, "exit 3", "", 3);
}

KIT_TEST(an_absolute_comspec_is_used)
{
    iso__spawn spawn = iso__spawn_default();

    spawn.command = "exit 3";
    kit_setenv(k, "COMSPEC", "C:\\no-such-shell.exe");
    CHECK_RC(child_start(k, &it, &spawn, false), ISO_ENOENT);
}

KIT_TEST(a_command_that_is_not_utf8_is_refused)
{
    iso__spawn spawn = iso__spawn_default();

    spawn.command = "echo \xff";
    CHECK_RC(child_start(k, &it, &spawn, false), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "the command");
}

/* ---- folder and environment ---- */

KIT_TEST(a_child_begins_in_its_folder)
{
    const char *argv[] = { child_program(), "cwd", NULL };
    char root[] = "C:\\\n";
    iso__spawn spawn = iso__spawn_default();

    spawn.argv = argv;
    spawn.cwd = "C:/";
    REQUIRE_OK(child_start(k, &it, &spawn, false));
    CHECK_EQ(child_run(&it), 0);
    CHECK_STR(it.text, root);
}

KIT_TEST(a_folder_that_is_not_there_is_told)
{
    const char *argv[] = { child_program(), "cwd", NULL };
    const char *const names[] = { "C:\\no-such-folder", "", child_program(), "C:\\a|b" };
    iso__spawn spawn = iso__spawn_default();
    size_t at;

    spawn.argv = argv;
    for (at = 0; at < ISO__COUNT(names); at++) {
        spawn.cwd = names[at];
        CHECK_RC(child_start(k, &it, &spawn, false), ISO_ENOENT);
        CHECK_HAS(iso_error_detail(), names[at]);
    }
    spawn.cwd = "\xff";
    CHECK_RC(child_start(k, &it, &spawn, false), ISO_EINVAL);
}

KIT_TEST(a_child_has_the_environment_that_it_was_given)
{
    const char *argv[] = { child_program(), "environ", NULL };
    static const char *const environment[] = { "ISOLOOP_B=2", "isoloop_a=\xc3\xa4", "ISOLOOP_B=3",
                                               NULL };
    iso__spawn spawn = iso__spawn_default();

    kit_setenv(k, "ISOLOOP_C", "4");
    spawn.argv = argv;
    spawn.environment = environment;
    REQUIRE_OK(child_start(k, &it, &spawn, false));
    CHECK_EQ(child_run(&it), 0);
    CHECK_HAS(it.text, "isoloop_a=\xc3\xa4\nISOLOOP_B=3\n");
    CHECK(strstr(it.text, "ISOLOOP_B=2") == NULL);
    CHECK(strstr(it.text, "ISOLOOP_C") == NULL);
}

KIT_TEST(a_child_has_the_environment_of_this_process_else)
{
    kit_setenv(k, "ISOLOOP_C", "4");
    child_echo(k, &it, false, WITH("environ"));
    CHECK_EQ(child_run(&it), 0);
    CHECK_HAS(it.text, "ISOLOOP_C=4\n");
}

KIT_TEST(what_is_no_variable_is_refused)
{
    static const char *const environment[] = { "A=1", "B", NULL };
    iso__spawn spawn = iso__spawn_default();

    spawn.environment = environment;
    CHECK_RC(start_by_name(k, child_program(), &spawn), ISO_EINVAL);
    CHECK_HAS(iso_error_detail(), "\"B\"");
}

/* ---- dying with the parent ---- */

KIT_TEST(a_child_dies_with_its_parent_when_asked_to)
{
    HANDLE grandchild;

    child_echo(k, &it, true, WITH("parent", "1"));
    child_read_line(&it);
    grandchild = open_process(strtoll(it.text, NULL, 10));
    CHECK_EQ(WaitForSingleObject(grandchild, 0), WAIT_TIMEOUT);
    await_cat();
    CHECK_OK(iso__sys_process_signal(it.process, KILL));
    await_end(grandchild);
    CHECK_EQ(child_run(&it), 1);
}

KIT_TEST(a_child_outlives_its_parent_else)
{
    HANDLE grandchild;

    child_echo(k, &it, true, WITH("parent", "0"));
    child_read_line(&it);
    grandchild = open_process(strtoll(it.text, NULL, 10));
    CHECK_OK(iso__sys_process_signal(it.process, KILL));
    await_end(open_process(iso__sys_process_id(it.process)));
    it.text[0] = '\0';
    write_input("still there\n");
    child_read_line(&it);
    CHECK_STR(it.text, "still there\n");
    child_end_input(&it);
    await_end(grandchild);
    CHECK_EQ(child_run(&it), 1);
}

/* ---- memory ---- */

KIT_TEST(a_start_without_memory_is_told_and_nothing_runs)
{
    char entry[PATH_ROOM];
    const char *environment[] = { entry, NULL };
    const char *argv[] = { "echo_args", "exit", "0", NULL };
    iso__spawn spawn = iso__spawn_default();
    uint64_t nth;
    int rc = ISO_ENOMEM;

    set_path(entry, "C:\\nowhere;", "");
    spawn.argv = argv;
    spawn.environment = environment;
    spawn.cwd = "C:\\";
    spawn.dies_with_parent = true;
    for (nth = 1; rc != 0 && nth < ALLOCATIONS_MAX && !kit_has_failed(k); nth++) {
        kit_fail_allocation(k, nth, false);
        rc = child_start(k, &it, &spawn, false);
        kit_fail_allocation(k, 0, false);
        if (rc != 0) CHECK_RC(rc, ISO_ENOMEM);
    }
    REQUIRE_OK(rc);
    CHECK_GE(nth, 8);
    CHECK_EQ(child_run(&it), 0);
}

static const kit_case cases[] = {
    KIT_CASE(a_child_ends_with_its_code),
    KIT_CASE(a_child_has_a_number),
    KIT_CASE(one_that_has_ended_before_it_is_watched_is_told_too),
    KIT_CASE(nobody_is_told_once_it_is_closed_and_the_child_goes_on),
    KIT_CASE(closing_races_with_the_end_and_nothing_is_told_after_it),
    KIT_CASE(closing_nothing_is_fine),
    KIT_CASE(both_signals_that_end_end_it),
    KIT_CASE(one_that_has_ended_takes_no_signal),
    KIT_CASE(a_signal_that_windows_does_not_have_is_refused),
    KIT_CASE(ctrl_break_ends_a_child_of_its_own_group_only),
    KIT_CASE(input_goes_to_the_child_and_its_output_comes_back),
    KIT_CASE(output_and_error_can_be_one),
    KIT_CASE(every_stream_of_the_child_is_open),
    KIT_CASE(what_is_not_open_is_no_stream),
    KIT_CASE(a_standard_stream_that_is_noted_but_closed_is_none),
    KIT_CASE(a_child_gets_no_other_handle_not_even_one_that_can_be_inherited),
    KIT_CASE(what_the_child_was_given_stays_the_callers_and_as_it_was),
    KIT_CASE(no_handle_is_left_here),
    KIT_CASE(a_program_is_found_by_its_path_with_or_without_the_extension),
    KIT_CASE(a_name_is_looked_up_in_the_path_of_the_child),
    KIT_CASE(a_name_is_looked_up_in_the_path_of_this_process_when_the_child_has_none),
    KIT_CASE(a_name_is_not_looked_up_in_the_current_folder_nor_beside_this_program),
    KIT_CASE(a_path_is_seen_from_the_folder_of_the_child),
    KIT_CASE(a_folder_of_path_is_seen_from_the_folder_of_the_child),
    KIT_CASE(a_path_from_the_root_is_on_the_drive_of_the_folder),
    KIT_CASE(what_is_not_there_is_not_found),
    KIT_CASE(a_spawn_has_either_arguments_or_a_command),
    KIT_CASE(an_argument_that_is_not_utf8_is_refused),
    KIT_CASE(a_program_without_an_extension_is_started_by_its_path_only),
    KIT_CASE(what_is_no_program_is_refused),
    KIT_CASE(safe_arguments_of_a_batch_file_arrive),
    KIT_CASE(a_batch_file_without_arguments_runs),
    KIT_CASE(unsafe_arguments_of_a_batch_file_are_refused_however_it_is_called),
    KIT_CASE(a_batch_file_is_found_in_path_by_its_whole_name_only),
    KIT_CASE(a_command_is_the_shells),
    KIT_CASE(a_quoted_program_can_begin_a_command),
    KIT_CASE(the_shell_is_found_without_comspec),
    KIT_CASE(a_comspec_that_is_not_absolute_is_not_used),
    KIT_CASE(an_absolute_comspec_is_used),
    KIT_CASE(a_command_that_is_not_utf8_is_refused),
    KIT_CASE(a_child_begins_in_its_folder),
    KIT_CASE(a_folder_that_is_not_there_is_told),
    KIT_CASE(a_child_has_the_environment_that_it_was_given),
    KIT_CASE(a_child_has_the_environment_of_this_process_else),
    KIT_CASE(what_is_no_variable_is_refused),
    KIT_CASE(a_child_dies_with_its_parent_when_asked_to),
    KIT_CASE(a_child_outlives_its_parent_else),
    KIT_CASE(a_start_without_memory_is_told_and_nothing_runs),
};

KIT_MAIN(cases)
