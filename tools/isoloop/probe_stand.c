/* SPDX-License-Identifier: MIT */
#include "probe_stand.h"
#include "probe_prepare.h"
#include "probe_os.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PATIENCE ISO_S(10)
#define STEP ISO_MS(50)

/* ---- the loop ------------------------------------------------------------------------------- */

static void on_exception(iso_loop *loop, const iso_exception_context *context, void *arg)
{
    probe_stand *stand = arg;
    (void)loop;
    stand->reports++;
    (void)stand_fail(stand, context->message, context->error);
}

int stand_open(probe_stand *stand, const iso_limit *row, const char *backend, const char *profile)
{
    iso_loop_options options = ISO_LOOP_OPTIONS_INIT;
    *stand = (probe_stand){
        .row = row,
        .backend = backend,
        .profile = profile,
        .is_own = strcmp(profile, "documented") == 0 || strcmp(profile, "native") == 0,
        .fds = { ISO_FD_NONE, ISO_FD_NONE },
        .used = -1,
    };
    options.backend = backend;
    options.limits = profile;
    int rc = iso_loop_new(&stand->loop, &options);
    if (rc != 0) return stand_fail(stand, "loop_new", rc);
    (void)iso_loop_set_exception_handler(stand->loop, on_exception, stand);
    stand->is_enforced = iso_loop_limit_enforced(stand->loop, row->id);
    stand->idle = stand_count(stand);
    return 0;
}

void stand_close(probe_stand *stand)
{
    prepare_dismiss(stand);
    if (stand->path[0] != '\0') probe_os_remove_socket_path(stand->path);
    iso_loop_release(stand->loop);
    for (int i = 0; i < 2; i++) {
        if (stand->close_fd != NULL && stand->fds[i] != ISO_FD_NONE)
            (void)stand->close_fd(stand->fds[i]);
    }
}

probe_count stand_count(const probe_stand *stand)
{
    iso_loop_statistics now;
    iso_loop_get_statistics(stand->loop, &now);
    return (probe_count){ now.objects, now.registered, 0 };
}

probe_count stand_count_all(const probe_stand *stand)
{
    probe_count count = stand_count(stand);
    count.descriptors = probe_os_count_descriptors();
    return count;
}

static void add_one(iso_loop *loop, void *arg)
{
    (void)loop;
    (*(int *)arg)++;
}

bool stand_goes_on(probe_stand *stand)
{
    int calls = 0;
    return iso_loop_call_soon(stand->loop, add_one, &calls, NULL) == 0 &&
           stand_until(stand, &calls, 1) == 0;
}

/* ---- words ---------------------------------------------------------------------------------- */

int stand_fail(probe_stand *stand, const char *what, int error)
{
    if (stand->note[0] == '\0')
        snprintf(stand->note, sizeof(stand->note), "%s: %s", what, iso_strerror(error));
    return error;
}

void stand_note(probe_stand *stand, const char *format, ...)
{
    va_list list;
    if (stand->note[0] != '\0') return;
    va_start(list, format);
    vsnprintf(stand->note, sizeof(stand->note), format, list);
    va_end(list);
}

probe_ready stand_want(probe_stand *stand, probe_ready ready, const char *what)
{
    stand->ready = ready;
    switch (ready) {
    case PROBE_READY: break;
    case PROBE_ABSENT: stand_note(stand, "this system has none of it: %s", what); break;
    case PROBE_SCANT: stand_note(stand, "this process may not have so many: %s", what); break;
    case PROBE_BROKEN: stand_note(stand, "%s: %s", what, probe_os_error()); break;
    }
    return ready;
}

/* ---- waiting -------------------------------------------------------------------------------- */

/* One step of a wait that ends at `end`. */
static int step(probe_stand *stand, iso_nsec end)
{
    if (iso_loop_time(stand->loop) >= end) return ISO_ETIMEDOUT;
    int rc = iso_loop_run_once(stand->loop, STEP);
    return rc < 0 ? rc : 0;
}

int stand_wait(probe_stand *stand, iso_future *future)
{
    const iso_nsec end = iso_loop_time(stand->loop) + PATIENCE;
    int rc = 0;
    while (rc == 0 && !iso_future_done(future)) rc = step(stand, end);
    return rc == 0 ? iso_future_error(future) : rc;
}

int stand_until(probe_stand *stand, const int *count, int least)
{
    const iso_nsec end = iso_loop_time(stand->loop) + PATIENCE;
    int rc = 0;
    while (rc == 0 && *count < least) rc = step(stand, end);
    return rc;
}

static bool is_settled(const probe_stand *stand)
{
    const probe_count now = stand_count(stand);
    return now.objects <= stand->idle.objects && now.registered <= stand->idle.registered;
}

int stand_settle(probe_stand *stand)
{
    const iso_nsec end = iso_loop_time(stand->loop) + PATIENCE;
    int rc = 0;
    while (rc == 0 && !is_settled(stand)) rc = step(stand, end);
    return rc == 0 ? 0 : stand_fail(stand, "something stays open", rc);
}

int stand_finish(probe_stand *stand, const char *what, int rc, iso_future *future, void **out)
{
    void *result = NULL;
    if (rc == 0) rc = stand_wait(stand, future);
    if (rc == 0) rc = iso_future_result(future, &result);
    if (rc != 0) return stand_fail(stand, what, rc);
    if (out != NULL) *out = result;
    return 0;
}
