/* SPDX-License-Identifier: MIT */
#include "trial.h"
#include "backends.h"
#include "client.h"
#include "listener.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_PROGRESS ISO_MS(500)
#define NEXT_PROGRESS ISO_S(1)

typedef enum trial_phase { OPENING, MEASURING, ENDING } trial_phase;

typedef struct trial {
    const trial_plan *plan;
    trial_result *result;
    iso_loop *loop;
    trial_phase phase;
    uint64_t opened; /* clients[opened] is being opened, those before it are open */
    iso_nsec began_at;
    uint64_t turns_before;
    client *clients; /* as many as planned */
    latency *latencies;
    client_party party;
    echo_service service;
} trial;

/* ---- ends ----------------------------------------------------------------------------------- */

static void tell(trial_result *result, trial_outcome outcome, const char *format, ...)
{
    va_list list;
    result->outcome = outcome;
    va_start(list, format);
    vsnprintf(result->trouble, sizeof(result->trouble), format, list);
    va_end(list);
}

/* Leave the loop. Only the first failure is told: what follows may be its consequence. */
static void fail(trial *it, const char *sentence, int error)
{
    if (it->result->outcome == TRIAL_RIGHT) {
        if (error != 0)
            tell(it->result, TRIAL_FAILED, "%s: %s", sentence, iso_strerror(error));
        else
            tell(it->result, TRIAL_FAILED, "%s", sentence);
    }
    it->phase = ENDING;
    (void)iso_loop_stop(it->loop);
}

static void on_timeout(iso_loop *loop, void *arg)
{
    trial *it = arg;
    const trial_result *result = it->result;
    char sentence[160];
    const char *what = "connections were open";
    uint64_t done = it->opened;
    uint64_t all = (uint64_t)it->plan->connections;
    (void)loop;
    if (it->phase != OPENING) {
        what = it->phase == MEASURING ? "messages were back" : "messages were back, but not closed";
        done = result->messages;
        all = result->connections * (uint64_t)it->plan->messages;
    }
    snprintf(sentence, sizeof(sentence), "%" PRIu64 " of %" PRIu64 " %s", done, all, what);
    fail(it, sentence, ISO_ETIMEDOUT);
}

/* ---- measuring ------------------------------------------------------------------------------ */

static uint64_t turns_so_far(const trial *it)
{
    iso_loop_statistics statistics;
    iso_loop_get_statistics(it->loop, &statistics);
    return statistics.turns;
}

static void measure(trial *it)
{
    it->phase = MEASURING;
    it->result->connections = it->opened;
    it->began_at = iso_loop_time(it->loop);
    it->turns_before = turns_so_far(it);
    for (uint64_t i = 0; i < it->opened && it->phase == MEASURING; i++) {
        it->clients[i].left = (uint64_t)it->plan->messages - 1;
        client_send(&it->clients[i]);
    }
}

static void end_measured(trial *it)
{
    it->phase = ENDING;
    it->result->elapsed = iso_loop_time(it->loop) - it->began_at;
    it->result->turns = turns_so_far(it) - it->turns_before;
    (void)iso_loop_stop(it->loop);
}

static void count_message(trial *it, client *from, iso_nsec latency)
{
    const uint64_t all = it->result->connections * (uint64_t)it->plan->messages;
    latency_add(it->latencies, latency);
    it->result->messages++;
    if (from->left > 0) {
        from->left--;
        client_send(from);
    } else if (it->result->messages == all) {
        end_measured(it);
    }
}

/* ---- opening -------------------------------------------------------------------------------- */

/* The row of the table of limits that stands behind a refusal; NULL when no limit does. The side of
 * the server refuses without a word to the client, so the loop is asked whatever the client was
 * told. */
static const iso_limit *find_limit(const trial *it, int error)
{
    size_t count;
    const iso_limit *rows = iso_limits(&count);
    const iso_limit *last = iso_loop_last_limit(it->loop);
    if (last != NULL && last->error == ISO_ELIMIT) return last;
    if (error != ISO_EMFILE && error != ISO_ENFILE) return NULL;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].id, "process.descriptors") == 0) return &rows[i];
    }
    return NULL;
}

/* A connection was not made. If a limit refused it, go on with those that are open. */
static void refuse(trial *it, const char *sentence, int error)
{
    const iso_limit *limit = find_limit(it, error);
    if (limit == NULL || it->opened == 0) {
        fail(it, sentence, error);
        return;
    }
    it->result->limit = *limit;
    it->result->refused = (uint64_t)it->plan->connections - it->opened;
    client_dismiss(&it->clients[it->opened]);
    measure(it);
}

static void open_next(trial *it)
{
    if (it->opened == (uint64_t)it->plan->connections) {
        measure(it);
        return;
    }
    int rc = client_connect(&it->clients[it->opened], &it->party, it->opened);
    if (rc != 0) refuse(it, "a connection could not be made", rc);
}

static void on_echoed(void *owner, client *from, iso_nsec latency)
{
    trial *it = owner;
    switch (it->phase) {
    case OPENING:
        it->opened++;
        open_next(it);
        break;
    case MEASURING: count_message(it, from, latency); break;
    case ENDING: break;
    }
}

static void on_failed(void *owner, client *from, const char *sentence, int error)
{
    trial *it = owner;
    (void)from;
    if (it->phase == OPENING)
        refuse(it, sentence, error);
    else
        fail(it, sentence, error);
}

static bool is_limit(int error)
{
    return error == ISO_ELIMIT || error == ISO_EMFILE || error == ISO_ENFILE;
}

/* What the server could not tell anyone else: that it had no place for the connection being
 * opened. */
static void on_exception(iso_loop *loop, const iso_exception_context *context, void *arg)
{
    trial *it = arg;
    (void)loop;
    if (it->phase == OPENING && is_limit(context->error))
        refuse(it, context->message, context->error);
    else if (it->result->refused == 0 || !is_limit(context->error))
        fail(it, context->message, context->error);
}

static void on_begin(iso_loop *loop, void *arg)
{
    (void)loop;
    open_next(arg);
}

/* ---- progress ------------------------------------------------------------------------------- */

static void on_progress(iso_loop *loop, void *arg)
{
    trial *it = arg;
    const uint64_t connections = (uint64_t)it->plan->connections;
    switch (it->phase) {
    case OPENING:
        it->plan->progress(it->result->backend, "connections opened", it->opened, connections);
        break;
    case MEASURING:
        it->plan->progress(it->result->backend, "messages echoed", it->result->messages,
                           it->result->connections * (uint64_t)it->plan->messages);
        break;
    case ENDING: return;
    }
    (void)iso_loop_call_later(loop, NEXT_PROGRESS, on_progress, it, NULL);
}

/* ---- the way of a trial --------------------------------------------------------------------- */

/* The timeout holds for all that follows, and so comes first. */
static int schedule(trial *it)
{
    int rc = iso_loop_set_exception_handler(it->loop, on_exception, it);
    if (rc == 0) rc = iso_loop_call_later(it->loop, it->plan->timeout, on_timeout, it, NULL);
    if (rc == 0) rc = iso_loop_call_later(it->loop, FIRST_PROGRESS, on_progress, it, NULL);
    return rc;
}

static int find_port(const iso_server *server, uint16_t *port)
{
    iso_address address;
    int rc = iso_server_address(server, 0, &address);
    if (rc == 0) *port = iso_address_port(&address);
    return rc;
}

/* Close everything in order; a trial that failed leaves that to the closing of the loop. */
static void close_all(trial *it)
{
    for (int64_t i = 0; i < it->plan->connections; i++) client_dismiss(&it->clients[i]);
    (void)iso_server_close(it->service.server);
    if (it->result->outcome == TRIAL_RIGHT) {
        int rc = listener_wait(it->loop, &it->service);
        if (rc != 0) fail(it, "the server could not be closed", rc);
    } else {
        iso_server_release(it->service.server);
    }
}

static void run_in_loop(trial *it)
{
    int rc = schedule(it);
    if (rc == 0) rc = listener_open(it->loop, "127.0.0.1", 0, &it->service);
    if (rc != 0) {
        fail(it, "the server could not listen", rc);
        return;
    }
    rc = find_port(it->service.server, &it->party.port);
    if (rc == 0) rc = iso_loop_call_soon(it->loop, on_begin, it, NULL);
    if (rc == 0) rc = iso_loop_run_forever(it->loop);
    if (rc != 0) fail(it, "the loop failed", rc);
    close_all(it);
    it->result->median = latency_percentile(it->latencies, 0.5);
    it->result->p99 = latency_percentile(it->latencies, 0.99);
}

/* After this nothing may be alive: every connection that was made must have been told its end. */
static void close_loop(trial *it)
{
    int rc = iso_loop_close(it->loop);
    if (rc != 0) fail(it, "the loop could not be closed", rc);
    if (it->party.made != it->party.lost) fail(it, "a connection was not told its end", 0);
    iso_loop_release(it->loop);
}

static int make_loop(iso_loop **out, const trial_plan *plan, const char *backend)
{
    iso_loop_options options = ISO_LOOP_OPTIONS_INIT;
    options.backend = backend;
    options.limits = plan->limits;
    return iso_loop_new(out, &options);
}

static void run_with_memory(trial *it, const char *backend)
{
    int rc = make_loop(&it->loop, it->plan, backend);
    if (rc != 0) {
        const char *detail = iso_error_detail();
        tell(it->result, rc == ISO_ENOTSUP ? TRIAL_ABSENT : TRIAL_FAILED, "%s%s%s",
             iso_strerror(rc), detail[0] != '\0' ? ": " : "", detail);
        return;
    }
    it->party.loop = it->loop;
    snprintf(it->result->backend, sizeof(it->result->backend), "%s", iso_loop_backend(it->loop));
    const iso_backend *known = backends_find(it->result->backend);
    it->result->is_default = known != NULL && known->is_default;
    it->result->has_windows_limits =
        iso_loop_limit_enforced(it->loop, "windows.selector.max_sockets");
    run_in_loop(it);
    close_loop(it);
}

void trial_run(trial_result *result, const trial_plan *plan, const char *backend)
{
    trial it = { .plan = plan, .result = result };
    const iso_backend *known = backends_find(backend);
    *result = (trial_result){ .outcome = TRIAL_RIGHT };
    snprintf(result->backend, sizeof(result->backend), "%s", backend);
    if (known != NULL && !known->available) {
        tell(result, TRIAL_ABSENT, "%s", known->reason);
        return;
    }
    it.party.size = (size_t)plan->size;
    it.party.echoed = on_echoed;
    it.party.failed = on_failed;
    it.party.owner = &it;
    it.clients = calloc((size_t)plan->connections, sizeof(*it.clients));
    it.latencies = calloc(1, sizeof(*it.latencies));
    int rc = pattern_make(&it.party.pattern, it.party.size);
    if (rc == 0 && it.clients != NULL && it.latencies != NULL)
        run_with_memory(&it, backend);
    else
        tell(result, TRIAL_FAILED, "%s", iso_strerror(ISO_ENOMEM));
    pattern_free(&it.party.pattern);
    free(it.latencies);
    free(it.clients);
}

double trial_rate(const trial_result *result)
{
    if (result->elapsed <= 0) return 0.0;
    return (double)result->messages * 1e9 / (double)result->elapsed;
}
