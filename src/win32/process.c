/* SPDX-License-Identifier: MIT */
#include "sys/process.h"

#include "base/alloc.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/list.h"
#include "spawn.h"
#include "sys/error.h"

#include <windows.h>

#include <signal.h>
#include <string.h>
#include <wchar.h>

#ifndef ERROR_ELEVATION_REQUIRED
#define ERROR_ELEVATION_REQUIRED 740L
#endif

enum {
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
    bool is_detached; /* from every console */
};

static int last_error(void)
{
    return iso__sys_error((int)GetLastError());
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
    if (rc == 0)
        rc = *given.text == L'\0' ? ISO_ENOENT : iso__path_resolve(&it->folder, NULL, given.text);
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

    if (rc == 0 && !(is_set && iso__path_is_absolute(it->program.text)))
        rc = add_system_shell(&it->program);
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
    if (rc == 0) rc = iso__program_find(&it->program, name, it->folder.text, path);
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
    iso__inherited inherited;
} attributes;

static int set_attributes(attributes *it, bool has_job)
{
    LPPROC_THREAD_ATTRIBUTE_LIST list = it->startup.lpAttributeList;

    if (!UpdateProcThreadAttribute(list, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, it->inherited.list,
                                   it->inherited.count * sizeof(HANDLE), NULL, NULL))
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
    startup->StartupInfo.hStdInput = it->inherited.stdio[0];
    startup->StartupInfo.hStdOutput = it->inherited.stdio[1];
    startup->StartupInfo.hStdError = it->inherited.stdio[2];
    startup->StartupInfo.cbReserved2 = it->inherited.block_bytes;
    startup->StartupInfo.lpReserved2 = it->inherited.block;
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
 * for both, as it is with asyncio, unless it is to have a group of its own.
 * Without a console here the child would open one of its own, which nobody needs to see.
 * Source: CreateProcess, "Process creation flags"; GenerateConsoleCtrlEvent; libuv, for
 * UV_PROCESS_DETACHED. */
static DWORD choose_flags(iso__process *self, const iso__spawn *spawn, const attributes *with)
{
    DWORD flags = EXTENDED_STARTUPINFO_PRESENT | CREATE_UNICODE_ENVIRONMENT;
    bool is_attached = GetConsoleCP() != 0;

    self->is_detached = spawn->start_new_session;
    self->leads_group = spawn->start_new_session || spawn->process_group == 0 ||
                        !(is_attached && iso__inherited_has_console(&with->inherited));
    if (self->leads_group) flags |= CREATE_NEW_PROCESS_GROUP;
    if (self->is_detached)
        flags |= DETACHED_PROCESS;
    else if (!is_attached)
        flags |= CREATE_NO_WINDOW;
    return flags;
}

static int create(iso__process *self, launch *it, const iso__spawn *spawn, attributes *with)
{
    DWORD flags = choose_flags(self, spawn, with);
    PROCESS_INFORMATION made;

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
    if (rc == 0) rc = iso__inherited_open(&with.inherited, self->allocator, spawn);
    if (rc != 0) return rc;
    rc = open_attributes(&with, self->allocator, with.job != NULL);
    if (rc == 0) {
        rc = create(self, it, spawn, &with);
        close_attributes(&with, self->allocator);
    }
    iso__inherited_close(&with.inherited);
    return rc;
}

/* Source: CPython, Popen, which refuses the same. */
static int refuse_options(const iso__spawn *spawn)
{
    const char *what = NULL;

    if (spawn->umask >= 0) what = "no umask";
    if (spawn->process_group > 0) what = "no process groups that can be joined";
    if (spawn->user != NULL || spawn->group != NULL || spawn->extra_groups != NULL)
        what = "no program that is started as another user in this way";
    return what == NULL ? 0 : iso__error_set(ISO_ENOTSUP, "subprocess: Windows has %s", what);
}

int iso__sys_process_spawn(iso__process **out, const iso_allocator *allocator,
                           const iso__spawn *spawn)
{
    iso__process *made;
    launch it;
    int rc = refuse_options(spawn);

    if (rc != 0) return rc;

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

bool iso__sys_process_tells_end(void)
{
    return true;
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
    if (self->is_detached)
        return iso__error_set(ISO_EINVAL, "the process has no console, and hears no event of one");
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
