/* SPDX-License-Identifier: MIT */
/* Limits of a platform: asked beforehand, and met.
 *
 * This program runs under the limits of Windows' selector loop wherever it is, as every program
 * does that is started with ISOLOOP_LIMITS=windows-selector. A limit is met at the call that breaks
 * it, which answers a code, names the row of the table, and leaves the loop as it was. */
#include <isoloop.h>
#include <stdio.h>

enum { PAIRS = 300 };

static void on_never(iso_loop *loop, void *arg)
{
    (void)loop;
    (void)arg;
}

static void explain(const iso_loop *loop, const char *call, int rc)
{
    const iso_limit *limit = iso_loop_last_limit(loop);
    printf("%s: %s\n", call, iso_strerror(rc));
    if (limit == NULL) return;
    printf("    %s: %s (%s)\n", limit->id, limit->text, limit->source);
    if (limit->limit != 0)
        printf("    %lld of %lld were in use\n", (long long)limit->used, (long long)limit->limit);
}

/* What the loop can do may be asked before it is tried. */
static int ask(iso_loop *loop)
{
    int64_t max;
    int64_t used;
    printf("%s, limits of %s\n", iso_loop_backend(loop), iso_loop_limits_profile(loop));
    printf("reuse_port: %s\n", iso_loop_supports(loop, ISO_CAP_REUSE_PORT) ? "yes" : "no");
    int rc = iso_loop_limit_get(loop, ISO_LIMIT_SOCKETS, &max, &used);
    if (rc == 0) printf("sockets: %lld of %lld\n", (long long)used, (long long)max);
    return rc;
}

static void ignore(iso_transport *transport, void *self, const void *data, size_t size)
{
    (void)transport;
    (void)self;
    (void)data;
    (void)size;
}

/* A thing that the platform does not have: ISO_ENOTSUP, before a socket is made. */
static int meet_what_is_missing(iso_loop *loop)
{
    static const iso_protocol protocol = { .data_received = ignore };
    iso_server_options at = ISO_SERVER_OPTIONS_INIT;
    at.host = "127.0.0.1";
    at.reuse_port = true;
    int rc = iso_loop_create_server(loop, &protocol, NULL, &at, NULL);
    explain(loop, "create_server with reuse_port", rc);
    return rc == ISO_ENOTSUP ? 0 : ISO_EINVALIDSTATE;
}

/* Watch more sockets than it takes: ISO_ELIMIT, at the one too many. *made counts the pairs. */
static int meet_a_number(iso_loop *loop, iso_fd pairs[][2], int *made)
{
    int watched = 0;
    int rc = 0;
    for (*made = 0; *made < PAIRS; ++*made) {
        rc = iso_socketpair(pairs[*made]);
        if (rc != 0) return rc;
        for (int end = 0; end < 2; end++) {
            rc = iso_loop_add_reader(loop, pairs[*made][end], on_never, NULL);
            if (rc == 0) {
                watched++;
                continue;
            }
            explain(loop, "add_reader", rc);
            printf("    %d sockets are watched, and go on being watched\n", watched);
            ++*made;
            return rc == ISO_ELIMIT ? 0 : rc;
        }
    }
    return ISO_EINVALIDSTATE; /* the limit was not met */
}

int main(void)
{
    static iso_fd pairs[PAIRS][2];
    int made = 0;
    iso_loop *loop;
    iso_loop_options options = ISO_LOOP_OPTIONS_INIT;
    options.backend = "selector";
    options.limits = "windows-selector";
    int rc = iso_loop_new(&loop, &options);
    if (rc == 0) {
        rc = ask(loop);
        if (rc == 0) rc = meet_what_is_missing(loop);
        if (rc == 0) rc = meet_a_number(loop, pairs, &made);
        iso_loop_close(loop);
        for (int i = 0; i < made; i++) {
            iso_socket_close(pairs[i][0]);
            iso_socket_close(pairs[i][1]);
        }
        iso_loop_release(loop);
    }
    if (rc != 0) fprintf(stderr, "limits: %s %s\n", iso_strerror(rc), iso_error_detail());
    return rc != 0;
}
