/* SPDX-License-Identifier: MIT */
#include "isoloop/policy.h"

#include "base/atomic.h"
#include "loop/child_watcher.h"
#include "loop/thread_state.h"
#include "sys/thread.h"

/* ---- the default policy: a loop a thread, made by itself in the main thread only ---- */

static int default_set(const iso_event_loop_policy *self, iso_loop *loop)
{
    iso__thread_state *state;
    iso_loop *before;
    int rc = iso__thread_state_get(&state);

    (void)self;
    if (rc != 0) return rc;
    before = state->current;
    state->current = loop != NULL ? iso_loop_ref(loop) : NULL;
    state->was_set = true;
    iso_loop_release(before);
    return iso__child_watcher_attach(loop);
}

static int default_new(const iso_event_loop_policy *self, iso_loop **out)
{
    (void)self;
    return iso_loop_new(out, NULL);
}

static int default_get(const iso_event_loop_policy *self, iso_loop **out)
{
    iso__thread_state *state;
    int rc = iso__thread_state_get(&state);

    (void)self;
    if (rc != 0) return rc;
    if (state->current == NULL && !state->was_set && iso__sys_is_main_thread()) {
        iso_loop *made = NULL;

        rc = iso_new_event_loop(&made); /* of the policy that is set, as asyncio's does */
        if (rc == 0) rc = iso_set_event_loop(made);
        iso_loop_release(made); /* the slot has its own reference */
        if (rc != 0) return rc;
    }
    if (state->current == NULL) return ISO_ENOLOOP;
    *out = state->current;
    return 0;
}

static int default_get_watcher(const iso_event_loop_policy *self, const iso_child_watcher **out)
{
    (void)self;
    return iso__child_watcher_get(out);
}

static int default_set_watcher(const iso_event_loop_policy *self, const iso_child_watcher *watcher)
{
    (void)self;
    return iso__child_watcher_set(watcher);
}

static const iso_event_loop_policy default_policy = {
    .get_event_loop = default_get,
    .set_event_loop = default_set,
    .new_event_loop = default_new,
    .context = NULL,
    .get_child_watcher = default_get_watcher,
    .set_child_watcher = default_set_watcher,
};

/* ---- the policy of the process ---- */

static iso__atomic_ptr chosen_policy; /* NULL: the default one */

const iso_event_loop_policy *iso_default_event_loop_policy(void)
{
    return &default_policy;
}

const iso_event_loop_policy *iso_get_event_loop_policy(void)
{
    const iso_event_loop_policy *policy = iso__atomic_load_ptr(&chosen_policy);

    return policy != NULL ? policy : &default_policy;
}

void iso_set_event_loop_policy(const iso_event_loop_policy *policy)
{
    iso__atomic_store_ptr(&chosen_policy, (void *)(uintptr_t)policy);
}

/* ---- what everybody calls ---- */

int iso_get_running_loop(iso_loop **out)
{
    iso__thread_state *state;
    int rc = iso__thread_state_get(&state);

    if (out == NULL) return ISO_EINVAL;
    if (rc != 0) return rc;
    if (state->running == NULL) return ISO_ENOLOOP;
    *out = state->running;
    return 0;
}

int iso_get_event_loop(iso_loop **out)
{
    const iso_event_loop_policy *policy = iso_get_event_loop_policy();
    iso_loop *found = NULL;
    int rc = iso_get_running_loop(out);

    if (rc != ISO_ENOLOOP) return rc;
    rc = policy->get_event_loop != NULL ? policy->get_event_loop(policy, &found)
                                        : default_get(&default_policy, &found);
    if (rc != 0) return rc;
    if (found == NULL) return ISO_ENOLOOP;
    *out = found;
    return 0;
}

int iso_set_event_loop(iso_loop *loop)
{
    const iso_event_loop_policy *policy = iso_get_event_loop_policy();

    return policy->set_event_loop != NULL ? policy->set_event_loop(policy, loop)
                                          : default_set(&default_policy, loop);
}

int iso_new_event_loop(iso_loop **out)
{
    const iso_event_loop_policy *policy = iso_get_event_loop_policy();

    if (out == NULL) return ISO_EINVAL;
    return policy->new_event_loop != NULL ? policy->new_event_loop(policy, out)
                                          : default_new(&default_policy, out);
}

int iso_get_child_watcher(const iso_child_watcher **out)
{
    const iso_event_loop_policy *policy = iso_get_event_loop_policy();
    int rc = iso__child_watcher_check();

    if (rc != 0) return rc;
    if (out == NULL) return ISO_EINVAL;
    return policy->get_child_watcher != NULL ? policy->get_child_watcher(policy, out)
                                             : iso__child_watcher_get(out);
}

int iso_set_child_watcher(const iso_child_watcher *watcher)
{
    const iso_event_loop_policy *policy = iso_get_event_loop_policy();
    int rc = iso__child_watcher_check();

    if (rc != 0) return rc;
    return policy->set_child_watcher != NULL ? policy->set_child_watcher(policy, watcher)
                                             : iso__child_watcher_set(watcher);
}
