/* SPDX-License-Identifier: MIT */
/* What an idle connection costs in user memory:
 *
 *     idle [CONNECTIONS [BACKEND]]
 *
 * A server accepts CONNECTIONS (10,000) and nothing is sent. Both ends are in this process, so each
 * takes two descriptors, and what the process may open bounds them. The clients are plain sockets
 * of a second loop with memory of its own: only the server's loop is counted, by the allocator that
 * it was given.
 *
 * Blocks of up to 4 KiB are what single connections own; larger ones are shared: tables and slabs,
 * which grow in steps, so that the share depends on how full they are, and is large for few
 * connections. Ends with 1 if a connection costs more than 1024 bytes, all told. */
#include <isoloop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BUDGET = 1024,
    LENT = 2048, /* and what a completion port is lent, to be read into */
    BATCH = 50,
    SMALL_BLOCK = 4096,
    FEWEST = 200,
    MOST = 100000
};

/* ---- counted memory ------------------------------------------------------------------------- */

typedef struct tally {
    size_t blocks;
    size_t bytes;
} tally;

typedef struct counter {
    tally small;
    tally large;
} counter;

static tally *tally_for(counter *of, size_t size)
{
    return size <= SMALL_BLOCK ? &of->small : &of->large;
}

/* No lock: this program has one thread, and looks up no name. */
static void *resize(void *context, void *pointer, size_t old_size, size_t new_size)
{
    counter *of = context;
    void *made = NULL;
    if (new_size != 0) {
        made = realloc(pointer, new_size);
        if (made == NULL) return NULL;
        tally_for(of, new_size)->blocks++;
        tally_for(of, new_size)->bytes += new_size;
    }
    if (pointer != NULL) {
        tally_for(of, old_size)->blocks--;
        tally_for(of, old_size)->bytes -= old_size;
    }
    if (new_size == 0) free(pointer);
    return made;
}

/* ---- the two sides -------------------------------------------------------------------------- */

typedef struct bench {
    iso_loop *server_loop;
    iso_loop *client_loop;
    iso_server *server;
    iso_address address;
    iso_fd *clients;
    size_t wanted;
    size_t connected; /* clients */
    int refusal;      /* why there are not more */
} bench;

static const iso_protocol idle_protocol = { 0 };

static void on_exception(iso_loop *loop, const iso_exception_context *context, void *arg)
{
    bench *it = arg;
    (void)loop;
    it->refusal = context->error;
}

static int open_server(bench *it)
{
    iso_server_options at = ISO_SERVER_OPTIONS_INIT;
    iso_future *ready;
    void *server;
    at.host = "127.0.0.1";
    int rc = iso_loop_create_server(it->server_loop, &idle_protocol, NULL, &at, &ready);
    if (rc != 0) return rc;
    rc = iso_loop_run_until_complete(it->server_loop, ready);
    if (rc == 0) rc = iso_future_result(ready, &server);
    if (rc == 0) it->server = iso_server_ref(server);
    iso_future_release(ready);
    return rc == 0 ? iso_server_address(it->server, 0, &it->address) : rc;
}

/* The kernel completes the connection: the server need not have accepted it yet. */
static int connect_client(bench *it)
{
    iso_future *done;
    iso_fd sock;
    int rc = iso_socket_new(&sock, 4);
    if (rc != 0) return rc;
    rc = iso_loop_sock_connect(it->client_loop, sock, &it->address, &done);
    if (rc == 0) {
        rc = iso_loop_run_until_complete(it->client_loop, done);
        iso_future_release(done);
    }
    if (rc == 0)
        it->clients[it->connected++] = sock;
    else
        iso_socket_close(sock);
    return rc;
}

/* Turn the server's loop until it has accepted every client, or refuses one. */
static int accept_clients(bench *it)
{
    while (iso_server_client_count(it->server) < it->connected && it->refusal == 0) {
        int rc = iso_loop_run_once(it->server_loop, ISO_S(5));
        if (rc < 0) return rc;
        if (rc == 0) return ISO_ETIMEDOUT;
    }
    return 0;
}

/* What the server's queue takes at once. Returns why there are not more clients, or 0. */
static int connect_batch(bench *it)
{
    int rc = 0;
    for (int i = 0; i < BATCH && it->connected < it->wanted && rc == 0; i++)
        rc = connect_client(it);
    return rc;
}

/* Either side may be the one that meets a limit. */
static int connect_all(bench *it)
{
    while (it->connected < it->wanted && it->refusal == 0) {
        int refusal = connect_batch(it);
        int rc = accept_clients(it);
        if (rc != 0) return rc;
        if (it->refusal == 0) it->refusal = refusal;
    }
    return 0;
}

/* ---- the result ----------------------------------------------------------------------------- */

static double per(size_t before, size_t after, size_t count)
{
    return ((double)after - (double)before) / (double)count;
}

static int report(const bench *it, const counter *before, const counter *after)
{
    const size_t count = iso_server_client_count(it->server);
    const double small = per(before->small.bytes, after->small.bytes, count);
    const double large = per(before->large.bytes, after->large.bytes, count);
    const double blocks = per(before->small.blocks, after->small.blocks, count);
    printf("%zu idle connections on %s", count, iso_loop_backend(it->server_loop));
    if (it->refusal != 0) printf(" (%zu wanted: %s)", it->wanted, iso_strerror(it->refusal));
    printf("\n  %8.1f bytes each, of their own, in %.2f blocks\n", small, blocks);
    printf("  %8.1f bytes each, their share of %zu larger blocks\n", large, after->large.blocks);
    const bool lends = strcmp(iso_loop_backend(it->server_loop), "proactor:iocp") == 0;
    const int budget = lends ? BUDGET + LENT : BUDGET;
    printf("  %8.1f bytes each, all told; the budget is %d\n", small + large, budget);
    return small + large > (double)budget;
}

static int run(bench *it, const counter *memory)
{
    int rc = iso_loop_set_exception_handler(it->server_loop, on_exception, it);
    if (rc == 0) rc = open_server(it);
    if (rc != 0) return rc;
    const counter before = *memory;
    rc = connect_all(it);
    if (rc == 0 && iso_server_client_count(it->server) == 0) rc = it->refusal;
    if (rc == 0) rc = report(it, &before, memory);
    return rc;
}

static int make_loops(bench *it, counter *memory, const char *backend)
{
    const iso_allocator allocator = { resize, memory };
    iso_loop_options options = ISO_LOOP_OPTIONS_INIT;
    options.backend = backend;
    options.allocator = &allocator;
    int rc = iso_loop_new(&it->server_loop, &options);
    if (rc == 0) rc = iso_loop_new(&it->client_loop, NULL);
    return rc;
}

static void close_all(bench *it)
{
    iso_server_release(it->server);
    if (it->server_loop != NULL) iso_loop_close(it->server_loop);
    if (it->client_loop != NULL) iso_loop_close(it->client_loop);
    for (size_t i = 0; i < it->connected; i++) iso_socket_close(it->clients[i]);
    iso_loop_release(it->server_loop);
    iso_loop_release(it->client_loop);
    free(it->clients);
}

int main(int argc, char **argv)
{
    counter memory = { { 0, 0 }, { 0, 0 } };
    bench it = { .wanted = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000 };
    if (it.wanted < FEWEST || it.wanted > MOST) {
        fprintf(stderr, "idle: from %d to %d connections\n", (int)FEWEST, (int)MOST);
        return 2;
    }
    it.clients = calloc(it.wanted, sizeof(*it.clients));
    int rc = it.clients != NULL ? make_loops(&it, &memory, argc > 2 ? argv[2] : NULL) : ISO_ENOMEM;
    if (rc == 0) rc = run(&it, &memory);
    close_all(&it);
    if (rc < 0) fprintf(stderr, "idle: %s %s\n", iso_strerror(rc), iso_error_detail());
    if (memory.small.blocks + memory.large.blocks == 0) return rc != 0;
    fprintf(stderr, "idle: %zu blocks were left\n", memory.small.blocks + memory.large.blocks);
    return 1;
}
