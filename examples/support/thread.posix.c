/* SPDX-License-Identifier: MIT */
#include "thread.h"
#include <pthread.h>
#include <stdlib.h>

static void *enter(void *arg)
{
    thread *it = arg;
    it->run(it->arg);
    return NULL;
}

int thread_start(thread *out, void (*run)(void *arg), void *arg)
{
    pthread_t *handle = malloc(sizeof(*handle));
    if (handle == NULL) return -1;
    *out = (thread){ .handle = handle, .run = run, .arg = arg };
    if (pthread_create(handle, NULL, enter, out) == 0) return 0;
    free(handle);
    return -1;
}

void thread_join(thread *it)
{
    pthread_t *handle = it->handle;
    (void)pthread_join(*handle, NULL);
    free(handle);
}
