/* SPDX-License-Identifier: MIT */
#include "probe_prepare.h"
#include "probe_os.h"
#include "probe_stand.h"
#include "probe_work.h"
#include "text.h"
#include <signal.h>
#include <string.h>

enum { CODE = 7 };

/* ---- signals and children -------------------------------------------------------------------- */

static void add_one(iso_loop *loop, void *arg)
{
    (void)loop;
    (*(int *)arg)++;
}

int work_signal(probe_stand *stand)
{
    int count = 0;
    int rc = iso_loop_add_signal_handler(stand->loop, SIGTERM, add_one, &count);
    if (rc != 0) return stand_fail(stand, "add_signal_handler", rc);
    if (raise(SIGTERM) != 0) rc = ISO_EUNKNOWN;
    if (rc == 0) rc = stand_until(stand, &count, 1);
    if (rc != 0) (void)stand_fail(stand, "the signal", rc);
    const int removed = iso_loop_remove_signal_handler(stand->loop, SIGTERM);
    stand_note(stand, "a signal came");
    return rc == 0 ? removed : rc;
}

typedef struct exit_told {
    int count;
    int code;
    int64_t pid;
} exit_told;

static void on_exit_told(int64_t pid, int returncode, void *arg)
{
    exit_told *told = arg;
    told->pid = pid;
    told->code = returncode;
    told->count++;
}

static int watch_child(probe_stand *stand)
{
    const iso_child_watcher *watcher = NULL;
    exit_told told = { 0 };
    int64_t pid = 0;
    int rc = iso_get_child_watcher(&watcher);
    if (rc != 0) return stand_fail(stand, "get_child_watcher", rc);
    probe_ready ready = probe_os_child(CODE, &pid);
    if (stand_want(stand, ready, "a child") != PROBE_READY) return ISO_EUNKNOWN;
    rc = watcher->add_child_handler(watcher, pid, on_exit_told, &told);
    if (rc == 0) rc = stand_until(stand, &told.count, 1);
    if (rc == 0 && (told.pid != pid || told.code != CODE)) rc = ISO_EUNKNOWN;
    return rc == 0 ? 0 : stand_fail(stand, "the end of the child", rc);
}

int work_child(probe_stand *stand)
{
    if (prepare_current(stand) != PROBE_READY) return ISO_EUNKNOWN;
    int rc = watch_child(stand);
    stand_note(stand, "a child's end was told, with its code");
    return rc;
}

/* ---- subprocesses ---------------------------------------------------------------------------- */

typedef struct output {
    char text[64];
    size_t size;
    int lost;
} output;

static void on_output(iso_process *process, void *self, int fd, const void *data, size_t size)
{
    output *mine = self;
    const size_t room = sizeof(mine->text) - mine->size;
    const size_t part = size < room ? size : room;
    (void)process;
    if (fd != 1) return;
    memcpy(mine->text + mine->size, data, part);
    mine->size += part;
}

static void on_process_lost(iso_process *process, void *self, int error)
{
    (void)process;
    (void)error;
    ((output *)self)->lost++;
}

static const iso_subprocess_protocol reading = {
    .pipe_data_received = on_output,
    .connection_lost = on_process_lost,
};

static const char line[] = "echo isoloop&& exit 7";

/* Wait for the process of the future, what it prints and how it ends. */
static int hear_process(probe_stand *stand, int rc, iso_future *future, output *mine)
{
    void *process = NULL;
    int code = 0;
    rc = stand_finish(stand, "the program", rc, future, &process);
    if (rc == 0) {
        iso_process *kept = iso_process_ref(process);
        rc = stand_until(stand, &mine->lost, 1);
        if (rc == 0) rc = iso_process_get_returncode(kept, &code);
        if (rc != 0) (void)iso_process_close(kept);
        iso_process_release(kept);
    }
    iso_future_release(future);
    if (rc == 0 && (code != CODE || mine->size < 7 || memcmp(mine->text, "isoloop", 7) != 0))
        rc = ISO_EIO;
    return rc == 0 ? 0 : stand_fail(stand, "what it printed, and its code", rc);
}

int work_subprocess(probe_stand *stand)
{
    output exec = { .size = 0 };
    output shell = { .size = 0 };
    iso_subprocess_options options = ISO_SUBPROCESS_OPTIONS_INIT;
    iso_future *future = NULL;
    options.stdin_is = ISO_STDIO_NULL;
    int rc = iso_loop_subprocess_exec(stand->loop, &reading, &exec, probe_os_shell(line), &options,
                                      &future);
    rc = hear_process(stand, rc, future, &exec);
    if (rc != 0) return rc;
    future = NULL;
    rc = iso_loop_subprocess_shell(stand->loop, &reading, &shell, line, &options, &future);
    rc = hear_process(stand, rc, future, &shell);
    if (rc == 0) rc = stand_settle(stand);
    stand_note(stand, "two programs printed a word, and ended with their code");
    return rc;
}

/* ---- the other kind of loop ------------------------------------------------------------------ */

static bool is_proactor_here(void)
{
    const iso_backend *backends;
    const size_t count = iso_backends(&backends);
    for (size_t i = 0; i < count; i++) {
        if (backends[i].available && strncmp(backends[i].name, "proactor:", 9) == 0) return true;
    }
    return false;
}

int work_proactor(probe_stand *stand)
{
    iso_loop_options options = ISO_LOOP_OPTIONS_INIT;
    iso_loop *loop = NULL;
    int count = 0;
    options.backend = "proactor";
    options.limits = stand->profile;
    int rc = iso_loop_new(&loop, &options);
    if (rc == ISO_ENOTSUP && !is_proactor_here()) {
        if (strstr(iso_error_detail(), stand->row->id) != NULL)
            return stand_fail(stand, "loop_new, by the row", rc);
        stand_note(stand, "refused, but not by the row: there is no such driver here");
        return 0;
    }
    if (rc == 0) rc = iso_loop_call_soon(loop, add_one, &count, NULL);
    if (rc == 0) rc = iso_loop_run_once(loop, ISO_S(1));
    if (rc >= 0) rc = count == 1 ? 0 : ISO_EUNKNOWN;
    if (rc != 0) (void)stand_fail(stand, "loop_new", rc);
    if (loop != NULL) stand_note(stand, "%s runs", iso_loop_backend(loop));
    iso_loop_release(loop);
    return rc;
}

/* ---- what only informs ----------------------------------------------------------------------- */

/* The row has 15.6 ms for the tick, which is 15.625, and "0.5 ms at best" in its words. */
#define TICK_ERROR ISO_US(100)
#define BEST_TICK ISO_US(500)
#define WAIT ISO_MS(2)

static int measure_wait(probe_stand *stand, iso_nsec *out)
{
    int count = 0;
    const iso_nsec start = iso_loop_time(stand->loop);
    int rc = iso_loop_call_later(stand->loop, WAIT, add_one, &count, NULL);
    if (rc == 0) rc = stand_until(stand, &count, 1);
    *out = iso_loop_time(stand->loop) - start;
    return rc == 0 ? 0 : stand_fail(stand, "call_later", rc);
}

int work_clock(probe_stand *stand)
{
    const iso_nsec resolution = iso_loop_clock_resolution(stand->loop);
    char told[TEXT_SIZE];
    char measured[TEXT_SIZE];
    iso_nsec span = 0;
    int rc = measure_wait(stand, &span);
    if (rc != 0) return rc;
    text_span(told, resolution);
    text_span(measured, span);
    stand_note(stand, "the resolution is %s, and 2 ms took %s", told, measured);
    if (resolution <= 0 || span < WAIT - resolution) return ISO_EUNKNOWN;
    if (!stand->is_enforced) return 0;
    if (resolution < BEST_TICK) return ISO_EUNKNOWN;
    return resolution <= stand->row->limit + TICK_ERROR ? 0 : ISO_EUNKNOWN;
}

/* What was answered while there was no descriptor. */
typedef struct want {
    int socket;
    int loop;
    int server; /* its future */
    bool is_named;
    bool goes_on;
} want;

static int serve(probe_stand *stand)
{
    static const iso_protocol quiet = { .connection_made = NULL };
    iso_server_options options = ISO_SERVER_OPTIONS_INIT;
    iso_future *future = NULL;
    options.host = "127.0.0.1";
    int rc = iso_loop_create_server(stand->loop, &quiet, NULL, &options, &future);
    if (rc == 0) rc = stand_wait(stand, future);
    iso_future_release(future);
    return rc;
}

static void ask_in_want(probe_stand *stand, want *out)
{
    iso_loop *other = NULL;
    iso_loop_options options = ISO_LOOP_OPTIONS_INIT;
    iso_fd fd = ISO_FD_NONE;
    options.backend = stand->backend;
    options.limits = stand->profile;
    out->socket = iso_socket_new(&fd, 4);
    out->loop = iso_loop_new(&other, &options);
    out->server = serve(stand);
    const iso_limit *met = iso_loop_last_limit(stand->loop);
    out->is_named = met != NULL && strcmp(met->id, stand->row->id) == 0;
    out->goes_on = stand_goes_on(stand);
}

static int judge_want(probe_stand *stand, const want *got)
{
    const bool is_to_be_named = stand->is_enforced && stand->row->error != ISO_OK;
    if (got->socket != ISO_EMFILE) return stand_fail(stand, "socket_new", got->socket);
    if (got->loop != ISO_EMFILE) return stand_fail(stand, "loop_new", got->loop);
    if (got->server != ISO_EMFILE) return stand_fail(stand, "create_server", got->server);
    if (got->is_named != is_to_be_named)
        return stand_fail(stand, "create_server and its row", got->server);
    if (!got->goes_on) return stand_fail(stand, "the loop does not go on", ISO_ESTOPPED);
    stand_note(stand, "ISO_EMFILE for a socket, a loop, a server; and the loop goes on");
    return 0;
}

/* Where no number is said there are more than elsewhere: 256 is usual on macOS, 1,024 on Linux. */
static int open_many(probe_stand *stand)
{
    enum { MANY = 1100 };
    static iso_fd fds[MANY];
    int count = 0;
    int rc = 0;
    while (rc == 0 && count < MANY) {
        rc = iso_socket_new(&fds[count], 4);
        if (rc == 0) count++;
    }
    if (rc != 0) (void)stand_fail(stand, "1,100 sockets", rc);
    for (int i = 0; i < count; i++) (void)iso_socket_close(fds[i]);
    stand_note(stand, "this system says no number, and 1,100 sockets were open");
    return rc;
}

/* There are as many as the system says, and when the last one is taken the loop does not end. */
int work_descriptors(probe_stand *stand)
{
    want got = { .goes_on = false };
    probe_ready ready = probe_os_exhaust();
    if (ready == PROBE_ABSENT && !stand->is_enforced) return open_many(stand);
    if (ready == PROBE_READY) ask_in_want(stand, &got);
    probe_os_replenish();
    if (stand_want(stand, ready, "using every descriptor up") != PROBE_READY) return ISO_EUNKNOWN;
    return judge_want(stand, &got);
}
