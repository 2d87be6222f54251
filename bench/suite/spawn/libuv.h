/* SPDX-License-Identifier: MIT */
#include <uv.h>

static uv_loop_t loop;
static uv_process_t process;
static uv_pipe_t pipes[3];
static int to_close;
static int code;

static void closed(uv_handle_t *handle)
{
    (void)handle;
    if (--to_close == 0) spawn_ended(code);
}

static void lend(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    static char buffer[4096];
    (void)handle;
    (void)suggested;
    *out = uv_buf_init(buffer, sizeof(buffer));
}

static void received(uv_stream_t *stream, ssize_t size, const uv_buf_t *data)
{
    (void)data;
    if (size < 0) uv_close((uv_handle_t *)stream, closed);
}

static void exited(uv_process_t *self, int64_t status, int signal)
{
    code = signal != 0 ? -signal : (int)status;
    uv_close((uv_handle_t *)self, closed);
    uv_close((uv_handle_t *)&pipes[0], closed);
}

static void spawn_open(void)
{
    suite_check(uv_loop_init(&loop) == 0, "uv_loop_init");
}

static void spawn_start(void)
{
    static char program[] = "/bin/true";
    static char *arguments[] = { program, NULL };
    uv_stdio_container_t stdio[3];
    uv_process_options_t options = {
        .exit_cb = exited, .file = program, .args = arguments, .stdio = stdio, .stdio_count = 3
    };
    for (int i = 0; i < 3; i++) {
        suite_check(uv_pipe_init(&loop, &pipes[i], 0) == 0, "uv_pipe_init");
        stdio[i].flags = UV_CREATE_PIPE | (i == 0 ? UV_READABLE_PIPE : UV_WRITABLE_PIPE);
        stdio[i].data.stream = (uv_stream_t *)&pipes[i];
    }
    to_close = 4;
    suite_check(uv_spawn(&loop, &process, &options) == 0, "uv_spawn");
    for (int i = 1; i < 3; i++)
        suite_check(uv_read_start((uv_stream_t *)&pipes[i], lend, received) == 0, "uv_read_start");
}

static void spawn_stop(void)
{
}

static void spawn_run(void)
{
    uv_run(&loop, UV_RUN_DEFAULT);
}
