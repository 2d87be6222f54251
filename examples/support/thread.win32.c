/* SPDX-License-Identifier: MIT */
#include "thread.h"
#include <process.h>
#include <stdint.h>
#include <windows.h>

static unsigned __stdcall enter(void *arg)
{
    thread *it = arg;
    it->run(it->arg);
    return 0;
}

int thread_start(thread *out, void (*run)(void *arg), void *arg)
{
    *out = (thread){ .run = run, .arg = arg };
    const uintptr_t handle = _beginthreadex(NULL, 0, enter, out, 0, NULL);
    if (handle == 0) return -1;
    out->handle = (void *)handle;
    return 0;
}

void thread_join(thread *it)
{
    (void)WaitForSingleObject(it->handle, INFINITE);
    (void)CloseHandle(it->handle);
}
