/* SPDX-License-Identifier: MIT */
#include "sys/thread.h"

#include "isoloop/error.h"

#include <windows.h>

#include <process.h>
#include <stdlib.h>
#include <tlhelp32.h>

uintptr_t iso__sys_thread_id(void)
{
    return GetCurrentThreadId();
}

unsigned iso__sys_fork_count(void)
{
    return 0;
}

/* ---- the main thread ---- */

static bool created_at(DWORD thread, ULONGLONG *out)
{
    HANDLE handle = OpenThread(THREAD_QUERY_LIMITED_INFORMATION, FALSE, thread);
    FILETIME created;
    FILETIME others;
    BOOL told;

    if (handle == NULL) return false; /* it has ended since the snapshot */
    told = GetThreadTimes(handle, &created, &others, &others, &others);
    (void)CloseHandle(handle);
    *out = (ULONGLONG)created.dwHighDateTime << 32 | created.dwLowDateTime;
    return told;
}

/* Windows names no thread the main one, and whoever asks first need not be it; but a process
 * begins with one thread, and makes all others later. The clock of these times may stand still
 * between two of them (the loader has workers at once): the snapshot lists the older first, so
 * it wins a tie. Source: Microsoft, "Traversing the thread list", GetThreadTimes. */
static DWORD find_oldest_thread(void)
{
    HANDLE snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
    ULONGLONG earliest = MAXULONGLONG;
    DWORD oldest = GetCurrentThreadId(); /* the best guess when nothing can be listed */
    THREADENTRY32 entry;
    BOOL more;

    if (snapshot == INVALID_HANDLE_VALUE) return oldest;
    entry.dwSize = sizeof(entry);
    for (more = Thread32First(snapshot, &entry); more; more = Thread32Next(snapshot, &entry)) {
        ULONGLONG created;

        if (entry.th32OwnerProcessID != GetCurrentProcessId()) continue;
        if (!created_at(entry.th32ThreadID, &created) || created >= earliest) continue;
        earliest = created;
        oldest = entry.th32ThreadID;
    }
    (void)CloseHandle(snapshot);
    return oldest;
}

static DWORD main_thread;

static BOOL CALLBACK find_main_thread(PINIT_ONCE once, void *parameter, void **context)
{
    (void)once;
    (void)parameter;
    (void)context;
    main_thread = find_oldest_thread();
    return TRUE;
}

bool iso__sys_is_main_thread(void)
{
    static INIT_ONCE once = INIT_ONCE_STATIC_INIT;

    (void)InitOnceExecuteOnce(&once, find_main_thread, NULL, NULL);
    return GetCurrentThreadId() == main_thread;
}

/* ---- a thread's own slot ----
 *
 * The pointer is in thread-local storage; fiber-local storage would show each fiber of a thread one
 * of its own. But only the latter tells when a thread ends, so its slot is there for that. It holds
 * the stack that it was set on, which is a different one for each fiber. */

static struct slot {
    DWORD pointer; /* an index of TlsAlloc */
    DWORD end;     /* an index of FlsAlloc */
    void (*destructor)(void *pointer);
    BOOLEAN(NTAPI *process_is_ending)(void); /* NULL where ntdll has none */
} slot;

static INIT_ONCE slot_once = INIT_ONCE_STATIC_INIT;

static void *this_stack(void)
{
    ULONG_PTR low;
    ULONG_PTR high;

    GetCurrentThreadStackLimits(&low, &high);
    return (void *)low;
}

/* Called when a thread ends; when a fiber is deleted, which happens on another stack; and in the
 * thread that ends the process, when all others were stopped wherever they were, with what they
 * had locked. Source: Microsoft, FlsCallback, ExitProcess; ntdll, RtlDllShutdownInProgress. */
static VOID CALLBACK end_of_stack(PVOID stack)
{
    void *pointer;
    int rounds;

    if (stack != this_stack()) return;
    if (slot.process_is_ending != NULL && slot.process_is_ending()) return;
    /* A destructor may set the slot anew; pthreads give up after as many rounds. */
    for (rounds = 0; rounds < 4 && (pointer = TlsGetValue(slot.pointer)) != NULL; rounds++) {
        (void)TlsSetValue(slot.pointer, NULL);
        slot.destructor(pointer);
    }
}

/* A DLL that was unloaded would leave threads a callback that is gone: never unload the one we
 * are in. It makes no difference to a program. Source: Microsoft, GetModuleHandleEx. */
static void pin_module(void)
{
    HMODULE self;

    (void)GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                             (LPCWSTR)(const void *)&slot, &self);
}

static BOOL CALLBACK make_slot(PINIT_ONCE once, void *wanted, void **context)
{
    const struct slot *given = wanted;
    HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");

    (void)once;
    (void)context;
    slot.destructor = given->destructor;
    slot.process_is_ending =
        (BOOLEAN(NTAPI *)(void))(void (*)(void))GetProcAddress(ntdll, "RtlDllShutdownInProgress");
    slot.pointer = TlsAlloc();
    if (slot.pointer == TLS_OUT_OF_INDEXES) return FALSE;
    slot.end = FlsAlloc(end_of_stack);
    if (slot.end == FLS_OUT_OF_INDEXES) {
        (void)TlsFree(slot.pointer);
        return FALSE;
    }
    pin_module();
    return TRUE;
}

void *iso__sys_tls_get(void)
{
    BOOL pending;

    if (!InitOnceBeginInitialize(&slot_once, INIT_ONCE_CHECK_ONLY, &pending, NULL)) return NULL;
    return TlsGetValue(slot.pointer);
}

int iso__sys_tls_set(void *pointer, void (*destructor)(void *pointer))
{
    struct slot wanted;

    wanted.destructor = destructor; /* a function does not fit the void * that goes through */
    if (!InitOnceExecuteOnce(&slot_once, make_slot, &wanted, NULL)) return ISO_ENOMEM;
    if (!FlsSetValue(slot.end, this_stack()) || !TlsSetValue(slot.pointer, pointer))
        return ISO_ENOMEM;
    return 0;
}

/* ---- threads ---- */

typedef struct start {
    void (*run)(void *arg);
    void *arg;
} start;

static unsigned __stdcall begin(void *arg)
{
    start mine = *(start *)arg;

    free(arg);
    mine.run(mine.arg);
    return 0;
}

/* Not CreateThread: the thread may use the C library. A size is what the stack may grow to, not
 * what it takes at once. Source: Microsoft, _beginthreadex, CreateThread. */
int iso__sys_thread_start_sized(iso__thread *out, void (*run)(void *arg), void *arg,
                                size_t stack_bytes)
{
    start *given;
    uintptr_t thread;

    if (stack_bytes > MAXDWORD) return ISO_ENOMEM;
    given = malloc(sizeof(*given)); /* not a loop's memory: it may outlive the call */
    if (given == NULL) return ISO_ENOMEM;
    given->run = run;
    given->arg = arg;
    thread = _beginthreadex(NULL, (unsigned)stack_bytes, begin, given,
                            stack_bytes != 0 ? STACK_SIZE_PARAM_IS_A_RESERVATION : 0, NULL);
    if (thread == 0) {
        free(given);
        return ISO_EAGAIN;
    }
    out->native = thread;
    return 0;
}

int iso__sys_thread_start(iso__thread *out, void (*run)(void *arg), void *arg)
{
    return iso__sys_thread_start_sized(out, run, arg, 0);
}

void iso__sys_thread_join(iso__thread thread)
{
    (void)WaitForSingleObject((HANDLE)thread.native, INFINITE);
    (void)CloseHandle((HANDLE)thread.native);
}

void iso__sys_thread_detach(iso__thread thread)
{
    (void)CloseHandle((HANDLE)thread.native);
}

/* Windows 10, 1607, has it; where it lies has changed since. Source: Microsoft,
 * SetThreadDescription. */
void iso__sys_thread_set_name(const char *name)
{
    HMODULE kernel = GetModuleHandleW(L"kernel32.dll");
    HRESULT(WINAPI * describe)(HANDLE thread, PCWSTR text);
    WCHAR text[ISO__THREAD_NAME_MAX + 1];
    int at;

    describe = (HRESULT(WINAPI *)(HANDLE, PCWSTR))(void (*)(void))GetProcAddress(
        kernel, "SetThreadDescription");
    if (describe == NULL) return;
    /* A name beyond ASCII is shown byte by byte: it is for debuggers. */
    for (at = 0; at < ISO__THREAD_NAME_MAX && name[at] != '\0'; at++)
        text[at] = (unsigned char)name[at];
    text[at] = L'\0';
    (void)describe(GetCurrentThread(), text);
}

int iso__sys_cpu_count(void)
{
    DWORD count = GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);

    return count < 1 ? 1 : (int)count;
}

/* ---- locks ---- */

_Static_assert(sizeof(SRWLOCK) <= sizeof(iso__mutex), "a lock fits an iso__mutex");

static SRWLOCK *native_of(iso__mutex *mutex)
{
    return (SRWLOCK *)(void *)&mutex->native;
}

void iso__sys_mutex_init(iso__mutex *mutex)
{
    InitializeSRWLock(native_of(mutex));
}

void iso__sys_mutex_lock(iso__mutex *mutex)
{
    AcquireSRWLockExclusive(native_of(mutex));
}

void iso__sys_mutex_unlock(iso__mutex *mutex)
{
    ReleaseSRWLockExclusive(native_of(mutex));
}

void iso__sys_mutex_close(iso__mutex *mutex)
{
    (void)mutex; /* an SRWLOCK holds nothing */
}

/* ---- conditions ---- */

enum { NS_PER_MS = 1000000, LONGEST_WAIT_MS = 24 * 3600 * 1000 };

_Static_assert(sizeof(CONDITION_VARIABLE) <= sizeof(iso__cond), "a condition fits an iso__cond");

static CONDITION_VARIABLE *native_cond(iso__cond *cond)
{
    return (CONDITION_VARIABLE *)(void *)&cond->native;
}

void iso__sys_cond_init(iso__cond *cond)
{
    InitializeConditionVariable(native_cond(cond));
}

void iso__sys_cond_wait(iso__cond *cond, iso__mutex *mutex)
{
    (void)SleepConditionVariableSRW(native_cond(cond), native_of(mutex), INFINITE, 0);
}

bool iso__sys_cond_wait_for(iso__cond *cond, iso__mutex *mutex, iso_nsec timeout)
{
    iso_nsec ms = timeout / NS_PER_MS + (timeout % NS_PER_MS > 0 ? 1 : 0); /* never early */

    if (timeout == ISO_FOREVER) {
        iso__sys_cond_wait(cond, mutex);
        return true;
    }
    if (timeout < 0) ms = 0;
    if (ms > LONGEST_WAIT_MS) ms = LONGEST_WAIT_MS;
    return SleepConditionVariableSRW(native_cond(cond), native_of(mutex), (DWORD)ms, 0) ||
           GetLastError() != ERROR_TIMEOUT;
}

void iso__sys_cond_wake_one(iso__cond *cond)
{
    WakeConditionVariable(native_cond(cond));
}

void iso__sys_cond_wake_all(iso__cond *cond)
{
    WakeAllConditionVariable(native_cond(cond));
}

void iso__sys_cond_close(iso__cond *cond)
{
    (void)cond; /* a CONDITION_VARIABLE holds nothing */
}
