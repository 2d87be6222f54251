/* SPDX-License-Identifier: MIT */
#include "sys/process.h"

#include "base/alloc.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/list.h"
#include "command_line.h"
#include "sys/descriptor.h"
#include "sys/error.h"

#include <windows.h>

#include <signal.h>
#include <string.h>
#include <wchar.h>

#ifndef ERROR_ELEVATION_REQUIRED
#define ERROR_ELEVATION_REQUIRED 740L
#endif

enum {
    STREAMS = 3,
    ATTRIBUTES_MAX = 2, /* the handles, the job */
    KILL_SIGNAL = 9,    /* SIGKILL, which Windows has no name for */
    KILLED = 1          /* what it ended with then. Source: CPython, Popen.terminate; libuv */
};

struct iso__process {
    iso__link link;   /* among those that are watched */
    uintptr_t number; /* by which the thread pool knows it */
    const iso_allocator *allocator;
    HANDLE handle;
    HANDLE wait; /* NULL: not watched */
    void (*exited)(void *arg);
    void *arg;
    DWORD id;
    bool leads_group;
};

static int last_error(void)
{
    return iso__sys_error((int)GetLastError());
}

/* ---- paths ---- */

static bool is_separator(WCHAR unit)
{
    return unit == L'\\' || unit == L'/';
}

/* "C:\folder", "\\server\share" and "\\?\..." need no current folder. */
static bool is_absolute(const WCHAR *path)
{
    if (is_separator(path[0])) return is_separator(path[1]);
    return path[0] != L'\0' && path[1] == L':' && is_separator(path[2]);
}

/* `path` seen from a folder, an absolute one: "\x" is on its drive, "C:x" below it if that is its
 * drive, and else where this process is on drive C. */
static void join(iso__wide *out, const WCHAR *folder, const WCHAR *path)
{
    bool on_drive = path[0] != L'\0' && path[1] == L':';

    iso__wide_clear(out);
    if (is_separator(path[0])) {
        if (folder[1] == L':') iso__wide_add(out, folder, 2);
    } else if (!on_drive || _wcsnicmp(path, folder, 2) == 0) {
        iso__wide_append(out, folder);
        iso__wide_push(out, L'\\');
        if (on_drive) path += 2;
    }
    iso__wide_append(out, path);
}

/* The absolute form of `path`, seen from `folder`; NULL: from where this process is. It is what
 * Windows would open: without "..", and without dots and spaces at the end.
 * Source: GetFullPathName. */
static int resolve(iso__wide *out, const WCHAR *folder, const WCHAR *path)
{
    iso__wide joined;
    DWORD room = 0;
    DWORD length;
    int rc = 0;

    iso__wide_init(&joined, out->allocator);
    if (folder != NULL && !is_absolute(path)) {
        join(&joined, folder, path);
        rc = iso__wide_check(&joined);
        if (rc != 0) goto done;
        path = joined.text;
    }
    iso__wide_clear(out);
    length = GetFullPathNameW(path, 0, NULL, NULL); /* with the zero, as long as it lacks room */
    while (length > room && iso__wide_reserve(out, length)) {
        room = length;
        length = GetFullPathNameW(path, room, out->text, NULL);
    }
    rc = iso__wide_check(out);
    if (rc == 0 && length == 0) rc = last_error();
    if (rc == 0) out->length = length;
done:
    iso__wide_free(&joined);
    return rc;
}

/* ---- looking for the program ----
 *
 * CreateProcess would look beside this program, in the current folder and in the system's folders,
 * before PATH. Here a name without a folder is looked up in PATH and nowhere else, as on POSIX:
 * what lies in the current folder by chance is not run. What CreateProcess can run without the
 * shell has the extension .com or .exe; a name with an extension of its own is tried as it is
 * first, and one that ends with a dot only so. A batch file is only found by its whole name.
 * Source: CreateProcess, lpApplicationName; libuv, search_path. */

typedef struct search {
    const WCHAR *folder; /* where the child will be; NULL: where this process is */
    const WCHAR *name;
    iso__wide stem;   /* the path that is tried next, but for the extension */
    iso__wide *found; /* absolute */
} search;

/* Returns 0; ISO_ENOENT: the search goes on; ISO_ENOMEM. */
static int try_extension(search *self, const WCHAR *extension)
{
    size_t length = self->stem.length;
    DWORD attributes;
    int rc;

    iso__wide_append(&self->stem, extension);
    rc = iso__wide_check(&self->stem);
    if (rc != 0) return rc;
    rc = resolve(self->found, self->folder, self->stem.text);
    self->stem.length = length;
    if (rc != 0) return rc == ISO_ENOMEM ? rc : ISO_ENOENT;
    attributes = GetFileAttributesW(self->found->text);
    return attributes == INVALID_FILE_ATTRIBUTES || (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0
               ? ISO_ENOENT
               : 0;
}

static const WCHAR *name_of(const WCHAR *path)
{
    const WCHAR *name = path;

    for (; *path != L'\0'; path++) {
        if (is_separator(*path) || *path == L':') name = path + 1;
    }
    return name;
}

static int try_stem(search *self)
{
    const WCHAR *dot = wcsrchr(name_of(self->name), L'.');
    int rc = ISO_ENOENT;

    if (dot != NULL) rc = try_extension(self, L"");
    if (dot != NULL && dot[1] == L'\0') return rc;
    if (rc == ISO_ENOENT) rc = try_extension(self, L".com");
    if (rc == ISO_ENOENT) rc = try_extension(self, L".exe");
    return rc;
}

/* The next folder of a PATH, without quotes. Answers where the rest begins. */
static const WCHAR *take_folder(iso__wide *out, const WCHAR *path)
{
    bool in_quotes = false;

    iso__wide_clear(out);
    for (; *path != L'\0' && (in_quotes || *path != L';'); path++) {
        if (*path == L'"')
            in_quotes = !in_quotes;
        else
            iso__wide_push(out, *path);
    }
    return *path == L';' ? path + 1 : path;
}

static int search_path(search *self, const WCHAR *path)
{
    int rc = ISO_ENOENT;

    while (rc == ISO_ENOENT && *path != L'\0') {
        path = take_folder(&self->stem, path);
        if (self->stem.failed) return ISO_ENOMEM;
        if (self->stem.length == 0) continue;
        iso__wide_push(&self->stem, L'\\');
        iso__wide_append(&self->stem, self->name);
        rc = try_stem(self);
    }
    return rc;
}

/* A path is tried as it is too, in the end, since somebody meant exactly that. */
static int search_folder(search *self)
{
    int rc;

    iso__wide_append(&self->stem, self->name);
    rc = try_stem(self);
    return rc == ISO_ENOENT ? try_extension(self, L"") : rc;
}

/* Find the program `name`. `path`: the PATH to look it up in.
 * Returns 0, ISO_ENOENT, ISO_ENOMEM. */
static int find_program(iso__wide *out, const WCHAR *name, const WCHAR *folder, const WCHAR *path)
{
    search it;
    int rc;

    if (*name == L'\0') return ISO_ENOENT;
    it.folder = folder;
    it.name = name;
    it.found = out;
    iso__wide_init(&it.stem, out->allocator);
    rc = name_of(name) == name ? search_path(&it, path) : search_folder(&it);
    iso__wide_free(&it.stem);
    return rc;
}

/* ---- what CreateProcess is told ---- */

typedef struct launch {
    iso__wide program;     /* absolute */
    iso__wide line;        /* CreateProcess may write to it */
    iso__wide environment; /* text NULL: this process's own */
    iso__wide folder;      /* absolute; text NULL: this process's own */
} launch;

static void open_launch(launch *it, const iso_allocator *allocator)
{
    iso__wide_init(&it->program, allocator);
    iso__wide_init(&it->line, allocator);
    iso__wide_init(&it->environment, allocator);
    iso__wide_init(&it->folder, allocator);
}

static void close_launch(launch *it)
{
    iso__wide_free(&it->program);
    iso__wide_free(&it->line);
    iso__wide_free(&it->environment);
    iso__wide_free(&it->folder);
}

static int prepare_folder(launch *it, const char *cwd)
{
    iso__wide given;
    DWORD attributes;
    int rc;

    iso__wide_init(&given, it->folder.allocator);
    rc = iso__wide_add_utf8(&given, cwd, "the folder");
    if (rc == 0) rc = iso__wide_check(&given);
    if (rc == 0) rc = *given.text == L'\0' ? ISO_ENOENT : resolve(&it->folder, NULL, given.text);
    iso__wide_free(&given);
    if (rc == ISO_EINVAL || rc == ISO_ENOMEM) return rc;
    attributes = rc == 0 ? GetFileAttributesW(it->folder.text) : INVALID_FILE_ATTRIBUTES;
    if (attributes == INVALID_FILE_ATTRIBUTES || (attributes & FILE_ATTRIBUTE_DIRECTORY) == 0)
        return iso__error_set(ISO_ENOENT, "there is no folder \"%.200s\"", cwd);
    return 0;
}

/* The command interpreter that came with Windows, wherever the environment points to. */
static int add_system_shell(iso__wide *out)
{
    WCHAR folder[MAX_PATH];
    UINT length = GetSystemDirectoryW(folder, MAX_PATH);

    if (length == 0 || length >= MAX_PATH) return ISO_EUNKNOWN;
    iso__wide_clear(out);
    iso__wide_append(out, folder);
    iso__wide_append(out, L"\\cmd.exe");
    return iso__wide_check(out);
}

/* Source: CPython, Popen(shell=True). */
static int prepare_shell(launch *it, const char *command)
{
    bool is_set = iso__wide_add_variable(&it->program, L"COMSPEC");
    int rc = iso__wide_check(&it->program);

    if (rc == 0 && !(is_set && is_absolute(it->program.text))) rc = add_system_shell(&it->program);
    return rc != 0 ? rc : iso__command_line_of_shell(&it->line, it->program.text, command);
}

/* The PATH that the child will have counts; this process's own if it has none. */
static int find_by_path(launch *it, const WCHAR *name)
{
    const WCHAR *path = NULL;
    iso__wide own;
    int rc;

    iso__wide_init(&own, it->program.allocator);
    if (it->environment.text != NULL)
        path = iso__command_line_variable(it->environment.text, L"PATH");
    if (path == NULL) {
        if (!iso__wide_add_variable(&own, L"PATH")) iso__wide_clear(&own);
        path = own.text;
    }
    rc = iso__wide_check(&own);
    if (rc == 0) rc = find_program(&it->program, name, it->folder.text, path);
    iso__wide_free(&own);
    return rc;
}

static int prepare_batch(launch *it, const char *const *argv)
{
    int rc = iso__command_line_of_batch(&it->line, it->program.text, argv);

    return rc != 0 ? rc : add_system_shell(&it->program);
}

static int prepare_program(launch *it, const char *const *argv)
{
    iso__wide name;
    int rc;

    iso__wide_init(&name, it->program.allocator);
    rc = iso__wide_add_utf8(&name, argv[0], "the name of the program");
    if (rc == 0) rc = iso__wide_check(&name);
    if (rc == 0) rc = find_by_path(it, name.text);
    iso__wide_free(&name);
    if (rc == ISO_ENOENT) return iso__error_set(rc, "there is no program \"%.200s\"", argv[0]);
    if (rc != 0) return rc;
    return iso__command_line_is_batch(it->program.text) ? prepare_batch(it, argv)
                                                        : iso__command_line_of(&it->line, argv);
}

static int prepare(launch *it, const iso__spawn *spawn)
{
    int rc = 0;

    if (spawn->environment != NULL)
        rc = iso__command_line_environment(&it->environment, spawn->environment);
    if (rc == 0 && spawn->cwd != NULL) rc = prepare_folder(it, spawn->cwd);
    if (rc != 0) return rc;
    return spawn->argv != NULL ? prepare_program(it, spawn->argv)
                               : prepare_shell(it, spawn->command);
}

/* ---- the standard streams ---- */

typedef struct streams {
    HANDLE stdio[STREAMS];
    HANDLE list[STREAMS]; /* each once: CreateProcess refuses one that comes twice */
    DWORD count;
} streams;

static int open_null(HANDLE *out, size_t which)
{
    SECURITY_ATTRIBUTES inherited = { sizeof(inherited), NULL, TRUE };
    DWORD access = which == 0 ? GENERIC_READ : GENERIC_WRITE | FILE_READ_ATTRIBUTES;

    *out = CreateFileW(L"NUL", access, FILE_SHARE_READ | FILE_SHARE_WRITE, &inherited,
                       OPEN_EXISTING, 0, NULL);
    return *out == INVALID_HANDLE_VALUE ? last_error() : 0;
}

/* Before anything is opened, which could get the number of one that was closed. */
static int check_open(const iso_fd *stdio)
{
    size_t which;

    for (which = 0; which < STREAMS; which++) {
        if (stdio[which] != ISO_FD_NONE && !iso__sys_descriptor_is_open(stdio[which]))
            return ISO_EBADF;
    }
    return 0;
}

static int duplicate(HANDLE *out, iso_fd fd)
{
    HANDLE self = GetCurrentProcess();

    if (!DuplicateHandle(self, (HANDLE)fd, self, out, 0, TRUE, DUPLICATE_SAME_ACCESS))
        return last_error();
    return 0;
}

static int open_stream(streams *self, const iso_fd *stdio, size_t which)
{
    HANDLE *out = &self->stdio[which];
    size_t before;
    int rc;

    for (before = 0; before < which; before++) {
        if (stdio[which] == ISO_FD_NONE || stdio[before] != stdio[which]) continue;
        *out = self->stdio[before];
        return 0;
    }
    rc = stdio[which] == ISO_FD_NONE ? open_null(out, which) : duplicate(out, stdio[which]);
    if (rc == 0) self->list[self->count++] = *out;
    return rc;
}

static void close_streams(streams *self)
{
    while (self->count > 0) (void)CloseHandle(self->list[--self->count]);
}

/* Copies that can be inherited, for the length of the call: those of the caller can't. Another
 * thread that starts a program meanwhile, with no list of handles, would hand them on. */
static int open_streams(streams *self, const iso_fd *stdio)
{
    size_t which;
    int rc = check_open(stdio);

    self->count = 0;
    for (which = 0; rc == 0 && which < STREAMS; which++) rc = open_stream(self, stdio, which);
    if (rc != 0) close_streams(self);
    return rc;
}

static bool has_console(const streams *self)
{
    DWORD mode;
    DWORD at;

    for (at = 0; at < self->count; at++) {
        if (GetConsoleMode(self->list[at], &mode)) return true;
    }
    return false;
}

/* ---- the job of those that end with this process ---- */

static BOOL CALLBACK make_job(PINIT_ONCE once, void *error, void **job)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits;
    HANDLE made = CreateJobObjectW(NULL, NULL);

    (void)once;
    *(int *)error = last_error();
    if (made == NULL) return FALSE;
    memset(&limits, 0, sizeof(limits));
    limits.BasicLimitInformation.LimitFlags =
        JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_BREAKAWAY_OK;
    if (!SetInformationJobObject(made, JobObjectExtendedLimitInformation, &limits,
                                 sizeof(limits))) {
        *(int *)error = last_error();
        (void)CloseHandle(made);
        return FALSE;
    }
    *job = made;
    return TRUE;
}

/* One for this process, which alone holds it and never closes it: its end does, and the system then
 * ends all that are in it. What they start is in it too, unless it asks to break away.
 * Source: JOBOBJECT_BASIC_LIMIT_INFORMATION; libuv, uv__init_global_job_handle. */
static int get_job(HANDLE *out)
{
    static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    void *job = NULL;
    int error = 0;

    if (!InitOnceExecuteOnce(&once, make_job, &error, &job)) return error;
    *out = job;
    return 0;
}

/* ---- starting ---- */

/* What CreateProcess is told besides. It points into itself, and is never moved. */
typedef struct attributes {
    STARTUPINFOEXW startup;
    SIZE_T size; /* of the memory of its list */
    HANDLE job;
    streams streams;
} attributes;

static int set_attributes(attributes *it, bool has_job)
{
    LPPROC_THREAD_ATTRIBUTE_LIST list = it->startup.lpAttributeList;

    if (!UpdateProcThreadAttribute(list, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, it->streams.list,
                                   it->streams.count * sizeof(HANDLE), NULL, NULL))
        return last_error();
    if (has_job && !UpdateProcThreadAttribute(list, 0, PROC_THREAD_ATTRIBUTE_JOB_LIST, &it->job,
                                              sizeof(it->job), NULL, NULL))
        return last_error();
    return 0;
}

static void close_attributes(attributes *it, const iso_allocator *allocator)
{
    DeleteProcThreadAttributeList(it->startup.lpAttributeList);
    iso__free(allocator, it->startup.lpAttributeList, it->size);
}

static int open_attributes(attributes *it, const iso_allocator *allocator, bool has_job)
{
    STARTUPINFOEXW *startup = &it->startup;
    SIZE_T size = 0;
    int rc;

    memset(startup, 0, sizeof(*startup));
    startup->StartupInfo.cb = sizeof(*startup);
    startup->StartupInfo.dwFlags = STARTF_USESTDHANDLES;
    startup->StartupInfo.hStdInput = it->streams.stdio[0];
    startup->StartupInfo.hStdOutput = it->streams.stdio[1];
    startup->StartupInfo.hStdError = it->streams.stdio[2];
    (void)InitializeProcThreadAttributeList(NULL, ATTRIBUTES_MAX, 0, &size); /* asks for the size */
    it->size = size;
    startup->lpAttributeList = iso__alloc(allocator, size);
    if (startup->lpAttributeList == NULL) return ISO_ENOMEM;
    if (!InitializeProcThreadAttributeList(startup->lpAttributeList, ATTRIBUTES_MAX, 0, &size)) {
        rc = last_error();
        iso__free(allocator, startup->lpAttributeList, it->size);
        return rc;
    }
    rc = set_attributes(it, has_job);
    if (rc != 0) close_attributes(it, allocator);
    return rc;
}

/* Source: Microsoft, "Nested jobs": what one refuses another one for. */
static int refuse_job(DWORD error)
{
    int rc = iso__sys_error((int)error);

    if (error != ERROR_ACCESS_DENIED && error != ERROR_NOT_SUPPORTED &&
        error != ERROR_INVALID_PARAMETER)
        return rc;
    return iso__error_set(rc,
                          "the system does not start it in the job that ends with this process "
                          "(error %lu), perhaps since this process is in one that takes no other",
                          (unsigned long)error);
}

static int refuse_start(DWORD error, bool has_job)
{
    int rc;

    switch (error) {
    case ERROR_BAD_EXE_FORMAT:
    case ERROR_EXE_MACHINE_TYPE_MISMATCH:
        return iso__error_set(ISO_EACCES, "the file is no program that this system can run");
    case ERROR_ELEVATION_REQUIRED:
        return iso__error_set(ISO_EACCES, "the program wants the rights of an administrator");
    case ERROR_DIRECTORY:
    case ERROR_INVALID_NAME: return ISO_ENOENT;
    case ERROR_SHARING_VIOLATION: return ISO_EBUSY; /* somebody is writing the program */
    case ERROR_COMMITMENT_LIMIT: return ISO_ENOMEM;
    default: break;
    }
    if (has_job) return refuse_job(error);
    rc = iso__sys_error((int)error);
    return rc != ISO_EUNKNOWN ? rc
                              : iso__error_set(rc, "the system does not start it (error %lu)",
                                               (unsigned long)error);
}

/* An event of the console goes to a whole group, and would end this process too, so that the child
 * leads a group of its own. It ignores Ctrl-C then, unless it asks for it. But a child that has
 * this console for a standard stream belongs to whoever sits there: what is typed, Ctrl-C too, is
 * for both, as it is with asyncio.
 * Without a console here the child would open one of its own, which nobody needs to see.
 * Source: CreateProcess, "Process creation flags"; GenerateConsoleCtrlEvent. */
static int create(iso__process *self, launch *it, attributes *with)
{
    DWORD flags = EXTENDED_STARTUPINFO_PRESENT | CREATE_UNICODE_ENVIRONMENT;
    bool is_attached = GetConsoleCP() != 0;
    PROCESS_INFORMATION made;

    self->leads_group = !(is_attached && has_console(&with->streams));
    if (self->leads_group) flags |= CREATE_NEW_PROCESS_GROUP;
    if (!is_attached) flags |= CREATE_NO_WINDOW;
    if (!CreateProcessW(it->program.text, it->line.text, NULL, NULL, TRUE, flags,
                        it->environment.text, it->folder.text, &with->startup.StartupInfo, &made))
        return refuse_start(GetLastError(), with->job != NULL);
    (void)CloseHandle(made.hThread);
    self->handle = made.hProcess;
    self->id = made.dwProcessId;
    return 0;
}

static int start(iso__process *self, launch *it, const iso__spawn *spawn)
{
    attributes with;
    int rc = 0;

    with.job = NULL;
    if (spawn->dies_with_parent) rc = get_job(&with.job);
    if (rc == 0) rc = open_streams(&with.streams, spawn->stdio);
    if (rc != 0) return rc;
    rc = open_attributes(&with, self->allocator, with.job != NULL);
    if (rc == 0) {
        rc = create(self, it, &with);
        close_attributes(&with, self->allocator);
    }
    close_streams(&with.streams);
    return rc;
}

int iso__sys_process_spawn(iso__process **out, const iso_allocator *allocator,
                           const iso__spawn *spawn)
{
    iso__process *made;
    launch it;
    int rc;

    if ((spawn->argv == NULL) == (spawn->command == NULL)) return ISO_EINVAL;
    if (spawn->argv != NULL && spawn->argv[0] == NULL) return ISO_EINVAL;
    made = iso__alloc_zero(allocator, sizeof(*made));
    if (made == NULL) return ISO_ENOMEM;
    made->allocator = allocator;
    open_launch(&it, allocator);
    rc = prepare(&it, spawn);
    if (rc == 0) rc = start(made, &it, spawn);
    close_launch(&it);
    if (rc != 0) {
        iso__free(allocator, made, sizeof(*made));
        return rc;
    }
    *out = made;
    return 0;
}

/* ---- while it runs ---- */

int64_t iso__sys_process_id(const iso__process *process)
{
    return process->id;
}

/* What the thread pool is given is a number, not memory: under Wine a callback may begin when
 * UnregisterWaitEx has returned already, if the process ends in that moment (ntdll's
 * waitqueue_thread_proc submits a wait that RtlDeregisterWaitEx has just given up). It finds
 * nothing here then. */
static SRWLOCK watched_lock = SRWLOCK_INIT;
static iso__link watched = { &watched, &watched };
static uintptr_t last_number;

static VOID CALLBACK has_ended(PVOID number, BOOLEAN timed_out)
{
    iso__link *at;

    (void)timed_out;
    AcquireSRWLockExclusive(&watched_lock);
    for (at = watched.next; at != &watched; at = at->next) {
        iso__process *self = ISO__CONTAINER(at, iso__process, link);

        if (self->number != (uintptr_t)number) continue;
        self->exited(self->arg);
        break;
    }
    ReleaseSRWLockExclusive(&watched_lock);
}

static void set_watched(iso__process *self, bool is_watched)
{
    AcquireSRWLockExclusive(&watched_lock);
    iso__list_remove_if_in(&self->link);
    if (is_watched) {
        self->number = ++last_number;
        iso__list_push(&watched, &self->link);
    }
    ReleaseSRWLockExclusive(&watched_lock);
}

int iso__sys_process_watch(iso__process *process, void (*exited)(void *arg), void *arg)
{
    int rc;

    process->exited = exited;
    process->arg = arg;
    set_watched(process, true);
    if (RegisterWaitForSingleObject(&process->wait, process->handle, has_ended,
                                    (void *)process->number, INFINITE, WT_EXECUTEONLYONCE))
        return 0;
    rc = last_error();
    process->wait = NULL;
    set_watched(process, false);
    return rc;
}

int iso__sys_process_returncode(const iso__process *process)
{
    DWORD code = 0;

    (void)GetExitCodeProcess(process->handle, &code); /* of our own: it can't fail */
    return (int)code;
}

/* ---- signals ---- */

static int terminate(const iso__process *self)
{
    DWORD code = STILL_ACTIVE;
    int rc;

    if (TerminateProcess(self->handle, KILLED)) return 0;
    rc = last_error();
    /* One that is about to end refuses; its code is known before its handle says so. */
    if (rc == ISO_EACCES && GetExitCodeProcess(self->handle, &code) && code != STILL_ACTIVE)
        return ISO_ENOENT;
    return rc;
}

static int send_event(const iso__process *self, DWORD event)
{
    if (!self->leads_group)
        return iso__error_set(ISO_EINVAL, "the process has the console of this one for a standard "
                                          "stream, so that the event would end both");
    return GenerateConsoleCtrlEvent(event, self->id) ? 0 : last_error();
}

int iso__sys_process_signal(iso__process *process, int signum)
{
    if (WaitForSingleObject(process->handle, 0) == WAIT_OBJECT_0) return ISO_ENOENT;
    switch (signum) {
    case CTRL_C_EVENT:
    case CTRL_BREAK_EVENT: return send_event(process, (DWORD)signum);
    case SIGTERM:
    case KILL_SIGNAL: return terminate(process);
    default: return ISO_EINVAL;
    }
}

void iso__sys_process_close(iso__process *process)
{
    if (process == NULL) return;
    set_watched(process, false);
    /* It waits for a callback that is under way. */
    if (process->wait != NULL) (void)UnregisterWaitEx(process->wait, INVALID_HANDLE_VALUE);
    (void)CloseHandle(process->handle);
    iso__free(process->allocator, process, sizeof(*process));
}
