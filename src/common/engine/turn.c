/* SPDX-License-Identifier: MIT */
/* One turn of the loop. This is the only place where callbacks are called. */
#include "base/time.h"
#include "engine/engine.h"

/* How long ago the tick was that a time is in. */
static iso_nsec past_tick(const iso__engine *engine, iso_nsec time)
{
    iso_nsec past = engine->tick == 0 ? 0 : time % engine->tick;

    return past < 0 ? past + engine->tick : past;
}

/* The tick that a time is in: when no timer of a later tick is due. */
static iso_nsec tick_of(const iso__engine *engine, iso_nsec time)
{
    return iso__time_add(time, -past_tick(engine, time));
}

/* When a timer is due: never early, and on a tick. */
static iso_nsec due_at(const iso__engine *engine, iso_nsec when)
{
    iso_nsec past = past_tick(engine, when);

    return past == 0 ? when : iso__time_add(when, engine->tick - past);
}

iso_nsec iso__engine_patience(iso__engine *engine)
{
    iso_nsec next;

    if (engine->is_stopping || !iso__list_empty(&engine->ready) ||
        !iso__inbox_is_empty(&engine->inbox))
        return 0;
    next = iso__timers_next(&engine->timers);
    if (next == ISO_FOREVER) return ISO_FOREVER;
    return iso__time_until(due_at(engine, next), iso__engine_time(engine));
}

static void move_due_timers(iso__engine *engine)
{
    iso__call *call;
    iso_nsec now;

    if (engine->timers.count == 0) return; /* and the clock is not asked */
    now = tick_of(engine, iso__engine_time(engine));
    while ((call = iso__timers_pop(&engine->timers, now)) != NULL)
        iso__list_push(&engine->ready, &call->node.link);
}

/* Each entry is taken before it is called: from then on its handle is stale. */
static int run_soon(iso__engine *engine, iso__soon_batch *batch)
{
    int count = 0;
    uint32_t at;

    for (at = 0; at < batch->count; at++) {
        iso__soon_entry entry = batch->entries[at];

        if (ISO__UNLIKELY(entry.callback == NULL)) continue;
        batch->entries[at].callback = NULL;
        count++;
        entry.callback(engine->loop, entry.arg);
    }
    iso__soon_give(&engine->soon, batch);
    return count;
}

/* Run exactly what is ready now: what a callback schedules waits for the next turn. */
static int run_batch(iso__engine *engine)
{
    iso__link *link;
    int count = 0;

    iso__list_splice(&engine->batch, &engine->ready);
    while ((link = iso__list_pop(&engine->batch)) != NULL) {
        iso__node *node = ISO__CONTAINER(link, iso__node, link);

        if (node->run == engine->soon.run) {
            count += run_soon(engine, iso__soon_batch_of(node));
            continue;
        }
        count++;
        node->run(engine, node);
    }
    return count;
}

static void tell_if_slow(const iso__engine *engine, iso__origin origin, iso_nsec begin)
{
    iso_nsec taken = iso__engine_time(engine) - begin;

    if (taken >= engine->slow_callback_duration) iso__engine_tell_slow(engine, origin, taken);
}

static int run_soon_timed(iso__engine *engine, iso__soon_batch *batch)
{
    iso__origin origin = { ISO__SCHEDULED, NULL, ISO_FD_NONE };
    int count = 0;
    uint32_t at;

    for (at = 0; at < batch->count; at++) {
        iso__soon_entry entry = batch->entries[at];
        iso_nsec begin = iso__engine_time(engine);

        if (entry.callback == NULL) continue;
        batch->entries[at].callback = NULL;
        origin.callback = entry.callback;
        count++;
        entry.callback(engine->loop, entry.arg);
        tell_if_slow(engine, origin, begin);
    }
    iso__soon_give(&engine->soon, batch);
    return count;
}

/* The same, each timed. The node may be gone when it is too late to ask it, so its name comes
 * first. */
static int run_batch_timed(iso__engine *engine)
{
    iso__link *link;
    int count = 0;

    iso__list_splice(&engine->batch, &engine->ready);
    while ((link = iso__list_pop(&engine->batch)) != NULL) {
        iso__node *node = ISO__CONTAINER(link, iso__node, link);
        iso__origin origin;
        iso_nsec begin;

        if (node->run == engine->soon.run) {
            count += run_soon_timed(engine, iso__soon_batch_of(node));
            continue;
        }
        origin = iso__engine_origin(engine, node);
        begin = iso__engine_time(engine);
        count++;
        node->run(engine, node);
        tell_if_slow(engine, origin, begin);
    }
    return count;
}

int iso__engine_turn(iso__engine *engine, iso_nsec timeout)
{
    iso_nsec patience = iso__engine_patience(engine);
    int events =
        engine->driver->kind->turn(engine->driver, patience < timeout ? patience : timeout);
    int count;

    iso__inbox_set_awake(&engine->inbox);
    if (events > 0) engine->events += (uint64_t)events;
    move_due_timers(engine);
    iso__inbox_take(&engine->inbox, &engine->ready);
    count = engine->is_debug ? run_batch_timed(engine) : run_batch(engine);
    engine->turns++;
    engine->callbacks += (uint64_t)count;
    iso__inbox_set_asleep(&engine->inbox);
    return events < 0 ? events : count;
}
