/* SPDX-License-Identifier: MIT */
/* A program that tests start, and that starts another one with its own standard streams:
 *
 *     parent inherit PROGRAM [argument...]     ends as that one ends
 *     parent bound PROGRAM [argument...]       does not let that one outlive it
 */
#include "isoloop.h"

#include <stdio.h>
#include <string.h>

enum { FAILED = 98 };

static int run(iso_loop *loop, const char *const *argv, bool is_bound)
{
    static const iso_subprocess_protocol protocol = { .connection_made = NULL };
    iso_subprocess_options options = ISO_SUBPROCESS_OPTIONS_INIT;
    iso_future *started = NULL;
    iso_future *ended = NULL;
    void *process = NULL;
    intptr_t code = FAILED;
    int rc;

    options.stdin_is = ISO_STDIO_INHERIT;
    options.stdout_is = ISO_STDIO_INHERIT;
    options.stderr_is = ISO_STDIO_INHERIT;
    options.dies_with_parent = is_bound;
    rc = iso_loop_subprocess_exec(loop, &protocol, NULL, argv, &options, &started);
    if (rc == 0) rc = iso_loop_run_until_complete(loop, started);
    if (rc == 0) rc = iso_future_result(started, &process); /* which shares it */
    if (rc == 0) rc = iso_process_wait(process, &ended);
    if (rc == 0) rc = iso_loop_run_until_complete(loop, ended);
    if (rc == 0) rc = iso_future_number(ended, &code);
    iso_future_release(ended);
    iso_future_release(started);
    if (rc != 0) fprintf(stderr, "parent: %s\n", iso_error_name(rc));
    return (int)code;
}

int main(int argc, char **argv)
{
    iso_loop *loop = NULL;
    int code = FAILED;

    if (argc < 3 || iso_loop_new(&loop, NULL) != 0) return FAILED;
    code = run(loop, (const char *const *)(argv + 2), strcmp(argv[1], "bound") == 0);
    iso_loop_release(loop);
    return code;
}
