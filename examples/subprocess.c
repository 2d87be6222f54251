/* SPDX-License-Identifier: MIT */
/* Another program, its standard streams and its end: subprocess_exec and subprocess_shell.
 *
 * The other program is this one: "subprocess shout" reads lines and writes them in capitals. */
#include <ctype.h>
#include <isoloop.h>
#include <stdio.h>
#include <string.h>

enum { EXIT_SHOUTED = 3, EXIT_SHELL = 7 };

/* ---- the child ------------------------------------------------------------------------------- */

static int shout(void)
{
    int c;
    while ((c = getchar()) != EOF) putchar(toupper(c));
    return EXIT_SHOUTED;
}

/* ---- the parent ------------------------------------------------------------------------------ */

typedef struct conversation {
    char answer[128];
    size_t size;
    int code;
    iso_future *over; /* done when the process has ended and its pipes are closed */
} conversation;

static const char question[] = "hello\nis anybody there\n";
static const char expected[] = "HELLO\nIS ANYBODY THERE\n";

/* The pipe to its standard input is a transport like any other; to end it closes it. */
static void made(iso_process *process, void *self)
{
    iso_transport *input = iso_process_get_pipe_transport(process, 0);
    (void)self;
    printf("it runs as process %lld\n", (long long)iso_process_get_pid(process));
    int rc = iso_transport_write(input, question, strlen(question));
    if (rc == 0) rc = iso_transport_write_eof(input);
    if (rc != 0) iso_process_close(process);
}

/* Some systems write the end of a line as two characters. */
static void received(iso_process *process, void *self, int fd, const void *data, size_t size)
{
    conversation *it = self;
    const char *text = data;
    (void)process;
    printf("%zu bytes from its %s\n", size, fd == 1 ? "standard output" : "standard error");
    for (size_t i = 0; i < size; i++)
        if (text[i] != '\r' && it->size < sizeof(it->answer) - 1) it->answer[it->size++] = text[i];
}

/* Its pipes may still have data. */
static void exited(iso_process *process, void *self)
{
    conversation *it = self;
    iso_process_get_returncode(process, &it->code);
    printf("it ended with %d\n", it->code);
}

static void lost(iso_process *process, void *self, int error)
{
    conversation *it = self;
    (void)process;
    (void)error;
    iso_future_set_result(it->over, NULL);
}

static const iso_subprocess_protocol talking = {
    .connection_made = made,
    .pipe_data_received = received,
    .process_exited = exited,
    .connection_lost = lost,
};

static int talk_to(iso_loop *loop, const char *program, conversation *it)
{
    const char *const argv[] = { program, "shout", NULL };
    iso_future *started = NULL;
    int rc = iso_loop_create_future(loop, &it->over);
    if (rc == 0) rc = iso_loop_subprocess_exec(loop, &talking, it, argv, NULL, &started);
    if (rc == 0) rc = iso_loop_run_until_complete(loop, started);
    if (rc == 0) rc = iso_loop_run_until_complete(loop, it->over);
    iso_future_release(started);
    if (rc == 0) printf("it said: %s", it->answer);
    if (rc == 0 && (it->code != EXIT_SHOUTED || strcmp(it->answer, expected) != 0)) rc = ISO_EIO;
    return rc;
}

/* A line for the shell, which has this program's own standard streams. Nothing of it is told, but
 * how it ended. */
static int run_line(iso_loop *loop, const char *line)
{
    static const iso_subprocess_protocol quiet = { .connection_made = NULL };
    iso_subprocess_options options = ISO_SUBPROCESS_OPTIONS_INIT;
    iso_future *started = NULL;
    iso_future *ended = NULL;
    void *process = NULL;
    intptr_t code = -1;
    options.stdin_is = ISO_STDIO_NULL;
    options.stdout_is = ISO_STDIO_INHERIT;
    options.stderr_is = ISO_STDIO_INHERIT;
    fflush(stdout);
    int rc = iso_loop_subprocess_shell(loop, &quiet, NULL, line, &options, &started);
    if (rc == 0) rc = iso_loop_run_until_complete(loop, started);
    if (rc == 0) rc = iso_future_result(started, &process); /* which shares it */
    if (rc == 0) rc = iso_process_wait(process, &ended);
    if (rc == 0) rc = iso_loop_run_until_complete(loop, ended);
    if (rc == 0) rc = iso_future_number(ended, &code);
    iso_future_release(ended);
    iso_future_release(started);
    if (rc == 0) printf("the shell ended with %d\n", (int)code);
    return rc == 0 && code != EXIT_SHELL ? ISO_EIO : rc;
}

/* Not every kind of loop has processes: the row of the table of limits says which, and why. */
static int explain(const iso_loop *loop)
{
    const iso_limit *limit = iso_loop_last_limit(loop);
    if (limit == NULL) return ISO_ENOTSUP;
    printf("%s cannot do this: %s (%s)\n", iso_loop_backend(loop), limit->text, limit->source);
    return 0;
}

int main(int argc, char **argv)
{
    conversation it = { "", 0, -1, NULL };
    iso_loop *loop;
    if (argc > 1 && strcmp(argv[1], "shout") == 0) return shout();
    int rc = iso_loop_new(&loop, NULL);
    if (rc == 0) {
        rc = talk_to(loop, argv[0], &it);
        if (rc == 0) rc = run_line(loop, "echo this is the shell && exit 7");
        if (rc == ISO_ENOTSUP) rc = explain(loop);
        iso_loop_close(loop); /* a process that is left is ended, and told as lost */
        iso_future_release(it.over);
        iso_loop_release(loop);
    }
    if (rc != 0) fprintf(stderr, "subprocess: %s %s\n", iso_strerror(rc), iso_error_detail());
    return rc != 0;
}
