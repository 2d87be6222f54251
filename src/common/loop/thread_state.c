/* SPDX-License-Identifier: MIT */
#include "loop/thread_state.h"

#include "base/alloc.h"
#include "sys/thread.h"

static void free_state(void *pointer)
{
    iso__thread_state *state = pointer;

    iso_loop_release(state->current);
    iso__free(&iso__default_allocator, state, sizeof(*state)); /* a thread's, not a loop's */
}

static int make_state(iso__thread_state **out)
{
    iso__thread_state *state = iso__alloc_zero(&iso__default_allocator, sizeof(*state));
    int rc;

    if (state == NULL) return ISO_ENOMEM;
    state->fork_count = iso__sys_fork_count();
    rc = iso__sys_tls_set(state, free_state);
    if (rc != 0) {
        iso__free(&iso__default_allocator, state, sizeof(*state));
        return rc;
    }
    *out = state;
    return 0;
}

int iso__thread_state_get(iso__thread_state **out)
{
    iso__thread_state *state = iso__sys_tls_get();

    if (state == NULL) return make_state(out);
    if (state->fork_count != iso__sys_fork_count()) {
        state->fork_count = iso__sys_fork_count();
        state->running = NULL;
    }
    *out = state;
    return 0;
}
