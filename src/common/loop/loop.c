/* SPDX-License-Identifier: MIT */
#include "loop/loop.h"

#include "base/alloc.h"
#include "engine/reactor.h"
#include "loop/backends.h"
#include "loop/executor.h"
#include "sys/clock.h"
#include "sys/sock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(number) TEXT_OF(number)
#define TEXT_OF(number) #number

const char *iso_version(void)
{
    return TEXT(ISO_VERSION_MAJOR) "." TEXT(ISO_VERSION_MINOR) "." TEXT(ISO_VERSION_PATCH);
}

/* ---- making ---- */

void iso__options_copy(void *out, size_t out_size, const void *given, size_t given_size)
{
    memcpy(out, given, given_size < out_size ? given_size : out_size);
}

static const char *from_environment(const char *given, const char *variable)
{
    const char *value;

    if (given != NULL) return given;
    value = getenv(variable);
    return value == NULL || value[0] == '\0' ? NULL : value;
}

static bool is_debug_environment(void)
{
    const char *value = getenv("ISOLOOP_DEBUG");

    return value != NULL && value[0] != '\0' && strcmp(value, "0") != 0;
}

static iso_nsec system_now(void *context)
{
    (void)context;
    return iso__sys_clock_now();
}

static unsigned limit_bit_of(const iso__backend_choice *backend)
{
    if (backend->proactor != NULL)
        return backend->proactor->id == ISO__PROACTOR_URING ? ISO__WITH_URING : ISO__WITH_PROACTOR;
    switch (backend->selector != NULL ? backend->selector->id : backend->poller->id) {
    case ISO__POLLER_CUSTOM: return ISO__WITH_CUSTOM;
    case ISO__POLLER_EPOLL: return ISO__WITH_EPOLL;
    case ISO__POLLER_KQUEUE: return ISO__WITH_KQUEUE;
    case ISO__POLLER_POLL: return ISO__WITH_POLL;
    case ISO__POLLER_SELECT: return ISO__WITH_SELECT;
    }
    return ISO__WITH_CUSTOM;
}

/* The bare word. The exact name of one is its own. */
static bool asks_for_any_proactor(const iso_loop_options *options)
{
    const char *name = from_environment(options->backend, "ISOLOOP_LOOP");

    return name != NULL && options->selector == NULL && strcmp(name, "proactor") == 0;
}

/* Where there is one, and the profile plays a system that has none. */
static int refuse_proactor(iso__limits *limits)
{
    int rc = iso__limits_refuse(limits, ISO__ROW_PROACTOR_AVAILABILITY, 0);

    return iso__error_set(rc, "proactor: %s (limits row %s: %s), and the profile is %s",
                          limits->last.text, limits->last.id, limits->last.source, limits->profile);
}

/* Which backend, and which limits: everything that can be refused before there is any memory. */
static int choose(const iso_loop_options *options, iso__backend_choice *backend,
                  iso__limits *limits)
{
    const char *profile = from_environment(options->limits, "ISOLOOP_LIMITS");
    int rc = 0;

    memset(backend, 0, sizeof(*backend));
    backend->selector = options->selector;
    if (options->selector == NULL)
        rc = iso__backend_choose(backend, options->backend,
                                 profile != NULL && strcmp(profile, "native") == 0);
    else if (options->selector->is_taken || options->selector->keys.count != 0)
        rc = iso__error_set(ISO_EBUSY, "the selector has descriptors, or a loop, of its own");
    else if (options->backend != NULL)
        rc = iso__error_set(ISO_EINVAL, "a backend and a selector of one's own exclude each other");
    if (rc != 0) return rc;
    rc = iso__limits_choose(limits, profile, iso__loop_subject(limit_bit_of(backend)));
    if (rc == 0 && asks_for_any_proactor(options) &&
        iso__limits_played(limits, ISO__ROW_PROACTOR_AVAILABILITY))
        rc = refuse_proactor(limits);
    return rc;
}

static void configure(iso_loop *loop, const iso_loop_options *options)
{
    iso__engine *engine = &loop->engine;

    engine->loop = loop;
    engine->clock.now = system_now;
    engine->clock.resolution = iso__sys_clock_resolution();
    if (options->clock != NULL) engine->clock = *options->clock;
    engine->logger.logger = options->logger != NULL ? options->logger : iso__log_to_stderr;
    engine->logger.context = options->logger_context;
    engine->slow_callback_duration =
        options->slow_callback_duration > 0 ? options->slow_callback_duration : ISO_MS(100);
    engine->is_debug = options->debug || is_debug_environment();
    iso__atomic_store_ptr(&loop->owner, (void *)iso__sys_thread_id());
    loop->fork_count = iso__sys_fork_count();
    iso__list_init(&loop->objects);
    iso__atomic_store_u32(&loop->references, 1);
}

static int open_proactor(iso_loop *loop, const iso__proactor *proactor)
{
    int rc = proactor->open(&loop->engine.driver, &loop->engine);

    if (rc != 0) return rc;
    (void)snprintf(loop->backend, sizeof(loop->backend), "proactor:%.48s", proactor->name);
    return 0;
}

static int open_selector(iso_loop *loop, const iso__backend_choice *backend)
{
    iso_selector *selector = backend->selector;
    int rc = 0;

    if (selector == NULL)
        rc = iso__selector_open(&selector, backend->poller->name, &loop->engine.allocator);
    if (rc != 0) return rc;
    rc = iso__reactor_open(&loop->engine, selector);
    if (rc != 0) {
        if (backend->selector == NULL) iso_selector_close(selector);
        return rc;
    }
    (void)snprintf(loop->backend, sizeof(loop->backend), "selector:%.48s",
                   iso_selector_name(selector));
    return 0;
}

/* The clock of a system that the profile plays, where that is coarser: the same ticks on any clock,
 * a program's own one, too. Where waits end on ticks anyway, as those of select do on Windows,
 * there is nothing to play. */
static void play_clock(iso__engine *engine)
{
    iso_nsec tick = iso__limit_value(ISO__ROW_WINDOWS_CLOCK);

    if (!iso__limits_played(&engine->limits, ISO__ROW_WINDOWS_CLOCK) ||
        engine->clock.resolution >= tick)
        return;
    engine->tick = tick;
    engine->clock.resolution = tick;
}

static int open_driver(iso_loop *loop, const iso_loop_options *options,
                       const iso__backend_choice *backend)
{
    int rc = iso__sys_socket_startup();

    if (rc != 0) return rc;
    rc = backend->proactor != NULL ? open_proactor(loop, backend->proactor)
                                   : open_selector(loop, backend);
    if (rc != 0) return rc;
    if (options->clock == NULL && loop->engine.driver->resolution > 0)
        loop->engine.clock.resolution = loop->engine.driver->resolution;
    play_clock(&loop->engine);
    return 0;
}

int iso_loop_new(iso_loop **out, const iso_loop_options *given)
{
    iso_loop_options options = ISO_LOOP_OPTIONS_INIT;
    iso__backend_choice backend;
    iso__limits limits;
    iso_allocator allocator;
    iso_loop *loop;
    int rc;

    if (out == NULL) return ISO_EINVAL;
    if (given != NULL) iso__options_copy(&options, sizeof(options), given, given->size);
    rc = choose(&options, &backend, &limits);
    if (rc != 0) return rc;
    allocator = options.allocator != NULL ? *options.allocator : iso__default_allocator;
    loop = iso__alloc_zero(&allocator, sizeof(*loop));
    if (loop == NULL) return ISO_ENOMEM;
    loop->engine.allocator = allocator;
    loop->engine.limits = limits;
    configure(loop, &options);
    iso__engine_init(&loop->engine);
    rc = open_driver(loop, &options, &backend);
    if (rc != 0) {
        iso__engine_close(&loop->engine);
        iso__engine_free(&loop->engine);
        iso__free(&allocator, loop, sizeof(*loop));
        return rc;
    }
    *out = loop;
    return 0;
}

int iso_selector_event_loop_new(iso_loop **out, iso_selector *selector)
{
    iso_loop_options options = ISO_LOOP_OPTIONS_INIT;

    options.selector = selector;
    if (selector == NULL) options.backend = "selector";
    return iso_loop_new(out, &options);
}

/* ---- threads ---- */

bool iso__loop_is_forked(const iso_loop *loop)
{
    return loop->fork_count != iso__sys_fork_count();
}

int iso__loop_refuse_thread(const iso_loop *loop)
{
    return iso__loop_is_forked(loop) ? ISO_EFORKED : ISO_ETHREAD;
}

bool iso_loop_is_running(const iso_loop *loop)
{
    return iso__atomic_load_u32(&loop->is_running) != 0;
}

int iso__loop_claim(iso_loop *loop)
{
    uint32_t idle = 0;

    if (iso__loop_is_forked(loop)) return ISO_EFORKED;
    if (!iso__atomic_cas_u32(&loop->is_running, &idle, 1)) return ISO_ERUNNING;
    iso__atomic_store_ptr(&loop->owner, (void *)iso__sys_thread_id());
    return 0;
}

void iso__loop_unclaim(iso_loop *loop)
{
    iso__atomic_store_u32(&loop->is_running, 0);
}

/* ---- closing ---- */

bool iso_loop_is_closed(const iso_loop *loop)
{
    return iso__atomic_load_u32(&loop->is_closed) != 0;
}

int iso_loop_close(iso_loop *loop)
{
    iso__link *link;
    int rc;

    if (loop == NULL || iso_loop_is_closed(loop)) return 0;
    rc = iso__loop_claim(loop);
    if (rc != 0) return rc;
    iso__atomic_store_u32(&loop->is_closed, 1);
    while ((link = loop->objects.next) != &loop->objects) {
        iso__object *object = ISO__CONTAINER(link, iso__object, link);

        if (loop->engine.is_debug)
            iso__log(&loop->engine.logger, ISO_LOG_WARNING,
                     "the loop closes while a %s is still open", object->kind->name);
        object->kind->abandon(object);
    }
    iso__executors_close(loop);
    iso__port_shut(loop);
    iso__engine_close(&loop->engine);
    iso__spares_close(&loop->outputs, &loop->engine.allocator);
    iso__loop_unclaim(loop);
    return 0;
}

iso_loop *iso_loop_ref(iso_loop *loop)
{
    (void)iso__atomic_add_u32(&loop->references, 1);
    return loop;
}

static void free_if_last(iso_loop *loop)
{
    iso_allocator allocator = loop->engine.allocator;

    if (loop->memory_count != 0 || iso__atomic_load_u32(&loop->references) != 0) return;
    iso__engine_free(&loop->engine);
    iso__free(&allocator, loop, sizeof(*loop));
}

void iso_loop_release(iso_loop *loop)
{
    if (loop == NULL || iso__atomic_add_u32(&loop->references, UINT32_MAX) != 1) return;
    if (iso__loop_is_forked(loop))
        return;                   /* all that it has is the parent's; the copy is left alone */
    iso__loop_count_memory(loop); /* what close ends must not free the loop under it */
    (void)iso_loop_close(loop);
    iso__loop_uncount_memory(loop);
}

void iso__loop_count_memory(iso_loop *loop)
{
    loop->memory_count++;
}

void iso__loop_uncount_memory(iso_loop *loop)
{
    loop->memory_count--;
    if (iso_loop_is_closed(loop)) free_if_last(loop);
}

/* ---- asking ---- */

const char *iso_loop_backend(const iso_loop *loop)
{
    return loop->backend;
}

bool iso_loop_get_debug(const iso_loop *loop)
{
    return loop->engine.is_debug;
}

int iso_loop_set_debug(iso_loop *loop, bool enabled)
{
    int rc = iso__loop_check_thread(loop);

    if (rc == 0) loop->engine.is_debug = enabled;
    return rc;
}

static uint32_t count_ready(const iso_loop *loop)
{
    const iso__link *at;
    uint32_t count = 0;

    for (at = loop->engine.ready.next; at != &loop->engine.ready; at = at->next) {
        const iso__node *node = ISO__CONTAINER(at, const iso__node, link);

        count += node->run == loop->engine.soon.run
                     ? ISO__CONTAINER(node, const iso__soon_batch, node)->waiting
                     : 1;
    }
    return count;
}

void iso_loop_get_statistics(const iso_loop *loop, iso_loop_statistics *out)
{
    out->turns = loop->engine.turns;
    out->callbacks = loop->engine.callbacks;
    out->events = loop->engine.events;
    out->wakeups = iso__atomic_load_u32(&loop->engine.wakeups);
    out->timers = loop->engine.timers.count;
    out->ready = iso_loop_is_closed(loop) ? 0 : count_ready(loop);
    out->objects = loop->object_count;
    out->registered = (uint32_t)loop->engine.ios.count;
}
