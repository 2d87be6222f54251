/* SPDX-License-Identifier: MIT */
/* The child watcher of the process, as the policy has it. */
#include "loop/child_watcher.h"

#include "engine/poller.h"
#include "loop/loop.h"
#include "loop/thread_state.h"
#include "sys/thread.h"

static iso__atomic_ptr chosen_watcher; /* NULL: the best of this system */

int iso__child_watcher_check(void)
{
    const iso_limit *row = &iso_limits(NULL)[ISO__ROW_WINDOWS_CHILD_WATCHER];
    iso__thread_state *state;
    iso_loop *loop;
    int rc = iso__thread_state_get(&state);

    if (rc != 0) return rc;
    loop = state->running != NULL ? state->running : state->current;
    if (iso__platform != ISO__ON_WINDOWS &&
        (loop == NULL ||
         !iso__limits_enforced(&loop->engine.limits, ISO__ROW_WINDOWS_CHILD_WATCHER)))
        return 0;
    if (loop != NULL && iso__loop_check_thread(loop) == 0) /* it may run in another thread */
        (void)iso__limits_refuse(&loop->engine.limits, ISO__ROW_WINDOWS_CHILD_WATCHER, 0);
    return iso__error_set((int)row->error, "%s: %s", row->id, row->text);
}

int iso__child_watcher_get(const iso_child_watcher **out)
{
    const iso_child_watcher *chosen = iso__atomic_load_ptr(&chosen_watcher);

    *out = chosen != NULL ? chosen : iso__child_watcher_best();
    return 0;
}

int iso__child_watcher_for(const iso_loop *loop, const iso_child_watcher **out)
{
    const iso_event_loop_policy *policy = iso_get_event_loop_policy();

    if (iso__limits_enforced(&loop->engine.limits, ISO__ROW_WINDOWS_CHILD_WATCHER)) {
        *out = iso__child_watcher_best();
        return 0;
    }
    return policy->get_child_watcher != NULL ? policy->get_child_watcher(policy, out)
                                             : iso__child_watcher_get(out);
}

static bool is_whole(const iso_child_watcher *watcher)
{
    return watcher->name != NULL && watcher->add_child_handler != NULL &&
           watcher->remove_child_handler != NULL && watcher->attach_loop != NULL &&
           watcher->close != NULL && watcher->is_active != NULL;
}

int iso__child_watcher_set(const iso_child_watcher *watcher)
{
    const iso_child_watcher *before;
    int rc = 0;

    if (watcher != NULL && !is_whole(watcher))
        return iso__error_set(ISO_EINVAL, "a child watcher has a name, and no empty slot");
    if (watcher != NULL) rc = iso__child_watcher_check_system(watcher);
    if (rc != 0) return rc;
    before = iso__atomic_exchange_ptr(&chosen_watcher, (void *)(uintptr_t)watcher);
    if (before != NULL && before != watcher) before->close(before);
    return 0;
}

int iso__child_watcher_attach(iso_loop *loop)
{
    const iso_child_watcher *chosen = iso__atomic_load_ptr(&chosen_watcher);

    if (chosen == NULL || !iso__sys_is_main_thread()) return 0;
    return chosen->attach_loop(chosen, loop);
}
