/* SPDX-License-Identifier: MIT */
/* `isoloop echo`: a real server, for nc or any load generator to talk to. */
#include "args.h"
#include "backends.h"
#include "listener.h"
#include "text.h"
#include "tool.h"
#include <stdio.h>

/* What went wrong, and what the library has to add to that. */
static tool_exit complain(const char *what, int error)
{
    const char *detail = iso_error_detail();
    fprintf(stderr, "isoloop echo: %s: %s%s%s\n", what, iso_strerror(error),
            detail[0] != '\0' ? ": " : "", detail);
    return TOOL_FAILED;
}

/* One line for each address. Whoever started us reads them through a pipe, so they leave now. */
static tool_exit print_addresses(const iso_loop *loop, const iso_server *server)
{
    char text[TEXT_ADDRESS_SIZE];
    iso_address address;
    for (size_t i = 0; iso_server_address(server, i, &address) == 0; i++)
        printf("listening on %s (%s)\n", text_address(text, &address), iso_loop_backend(loop));
    return tool_flush();
}

static void print_counts(const echo_service *service)
{
    char connections[TEXT_SIZE];
    char bytes[TEXT_SIZE];
    printf("served %s connection%s, %s bytes\n", text_count(connections, service->connections),
           service->connections == 1 ? "" : "s", text_count(bytes, service->bytes));
    if (service->broken != 0)
        printf("%s of them broke off\n", text_count(connections, service->broken));
}

/* Serve until the last of max_connections is lost; for ever without such a number. */
static tool_exit serve(iso_loop *loop, const char *host, uint16_t port, echo_service *service)
{
    int rc = listener_open(loop, host, port, service);
    if (rc != 0) return complain("no server", rc);
    const tool_exit result = print_addresses(loop, service->server);
    if (result != TOOL_OK) (void)iso_server_close(service->server);
    rc = listener_wait(loop, service);
    if (rc != 0) return complain("the loop failed", rc);
    print_counts(service);
    return result;
}

static tool_exit serve_on(const char *backend, const char *host, uint16_t port,
                          echo_service *service)
{
    iso_loop *loop;
    iso_loop_options options = ISO_LOOP_OPTIONS_INIT;
    options.backend = backend;
    int rc = iso_loop_new(&loop, &options);
    if (rc != 0) return complain("no loop", rc);
    tool_exit result = serve(loop, host, port, service);
    rc = iso_loop_close(loop);
    if (rc != 0) result = complain("the loop could not be closed", rc);
    iso_loop_release(loop);
    return result;
}

static const char about[] =
    "Run an echo server. When it is ready it prints \"listening on HOST:PORT\", and at the end\n"
    "what it served. Without --once or --max-connections it runs until it is interrupted.\n";

static const char notes[] =
    "Talk to it from another terminal: nc 127.0.0.1 8888\n\n"
    "exit codes: 0 all right, 1 the server could not run here, 2 wrong usage\n";

tool_exit command_echo(int argc, char **argv)
{
    int64_t port = 8888;
    int64_t connections = 0;
    bool once = false;
    const char *host = "127.0.0.1";
    const char *backend = NULL;
    const args_option options[] = {
        { "--port", "N", "listen on this port; 0: a free one (8888)", ARGS_NUMBER,
          .to.number = &port, .min = 0, .max = 65535 },
        { "--host", "HOST", "a name or an address of this machine (127.0.0.1)", ARGS_TEXT,
          .to.text = &host },
        { "--backend", "NAME", "the kind of loop; isoloop backends lists them", ARGS_TEXT,
          .to.text = &backend },
        { "--once", NULL, "end when the first connection has ended", ARGS_FLAG, .to.flag = &once },
        { "--max-connections", "N", "end when N connections have come and gone", ARGS_NUMBER,
          .to.number = &connections, .min = 1, .max = 1000000000 },
    };
    const args_command command = {
        .name = "isoloop echo",
        .about = about,
        .notes = notes,
        .options = options,
        .option_count = sizeof(options) / sizeof(options[0]),
    };
    const args_answer answer = args_parse(&command, argc, argv);
    if (answer != ARGS_GO) return answer == ARGS_DONE ? TOOL_OK : TOOL_USAGE;
    if (once && connections > 1) {
        args_complain(command.name, "--once and --max-connections %lld contradict each other",
                      (long long)connections);
        return TOOL_USAGE;
    }
    if (backend != NULL && !backends_know(backend)) {
        args_complain(command.name,
                      "'%s' is not the name of a backend; isoloop backends lists them", backend);
        return TOOL_USAGE;
    }
    echo_service service = { .max_connections = once ? 1 : (uint64_t)connections };
    return serve_on(backend, host, (uint16_t)port, &service);
}
