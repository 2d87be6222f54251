/* SPDX-License-Identifier: MIT */
/* Watching a descriptor of one's own: add_reader and add_writer on a raw pair of sockets.
 *
 * This is for descriptors that another library reads and writes; for one's own connections there
 * are transports (echo_client.c). The loop only says when: recv and send are the program's. */
#include "support/raw.h"
#include <isoloop.h>
#include <stdio.h>

typedef struct watch {
    iso_fd near_end;
    iso_fd far_end;
    int error;
} watch;

/* Called in each turn in which there is something to read; here it is over after the first. */
static void on_readable(iso_loop *loop, void *arg)
{
    watch *it = arg;
    char text[64];
    int size = raw_recv(it->near_end, text, sizeof(text));
    printf("readable: %d bytes, \"%.*s\"\n", size, size > 0 ? size : 0, text);
    if (size <= 0) it->error = ISO_EIO;
    int rc = iso_loop_remove_reader(loop, it->near_end);
    if (rc != 0) it->error = rc;
    iso_loop_stop(loop);
}

/* A socket is writable nearly always: whoever has nothing to write removes the writer. */
static void on_writable(iso_loop *loop, void *arg)
{
    static const char text[] = "hello from the far end";
    watch *it = arg;
    int size = raw_send(it->far_end, text, sizeof(text) - 1);
    printf("writable: %d bytes sent\n", size);
    if (size != (int)sizeof(text) - 1) it->error = ISO_EIO;
    int rc = iso_loop_remove_writer(loop, it->far_end);
    if (rc != 0) it->error = rc;
}

static int watch_both(iso_loop *loop, watch *it)
{
    int rc = iso_loop_add_reader(loop, it->near_end, on_readable, it);
    if (rc != 0) return rc;
    rc = iso_loop_add_writer(loop, it->far_end, on_writable, it);
    if (rc == 0) rc = iso_loop_run_forever(loop);
    return rc != 0 ? rc : it->error;
}

/* Not every kind of loop can watch: the row of the table of limits says which, and why. */
static int explain(const iso_loop *loop)
{
    const iso_limit *limit = iso_loop_last_limit(loop);
    if (limit == NULL) return ISO_ENOTSUP;
    printf("%s cannot do this: %s (%s)\n", iso_loop_backend(loop), limit->text, limit->source);
    return 0;
}

int main(void)
{
    iso_fd pair[2];
    iso_loop *loop;
    int rc = iso_loop_new(&loop, NULL);
    if (rc == 0) {
        rc = iso_socketpair(pair);
        if (rc == 0) {
            watch it = { pair[0], pair[1], 0 };
            rc = watch_both(loop, &it);
            if (rc == ISO_ENOTSUP) rc = explain(loop);
            iso_loop_close(loop); /* first the loop, which borrows them, then the descriptors */
            iso_socket_close(pair[0]);
            iso_socket_close(pair[1]);
        }
        iso_loop_release(loop);
    }
    if (rc != 0) fprintf(stderr, "add_reader: %s\n", iso_strerror(rc));
    return rc != 0;
}
