/* SPDX-License-Identifier: MIT */
/* An echo client, which sends a few lines and compares what comes back:
 *
 *     echo_client HOST PORT           or           echo_server "" 0 1 | echo_client
 *
 * In the second form it reads from the server's first line where that listens. */
#include <isoloop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_SIZE 256

typedef struct conversation {
    size_t sent;     /* the line that is on its way */
    size_t received; /* bytes of it that are back */
    int error;
    iso_future *over; /* done when the connection is lost */
} conversation;

static const char *const lines[] = {
    "a line\n",
    "the same line, a little longer\n",
    "and the last one\n",
};

enum { LINE_COUNT = sizeof(lines) / sizeof(lines[0]) };

/* ---- the protocol --------------------------------------------------------------------------- */

static void send_line(iso_transport *transport, conversation *it)
{
    const char *line = lines[it->sent];
    int rc = iso_transport_write(transport, line, strlen(line));
    it->received = 0;
    if (rc == 0) return;
    it->error = rc;
    iso_transport_abort(transport);
}

static void made(iso_transport *transport, void *self)
{
    send_line(transport, self);
}

/* A stream has no messages: a line may come in pieces, and each piece is compared as it comes. */
static void received(iso_transport *transport, void *self, const void *data, size_t size)
{
    conversation *it = self;
    const char *line = lines[it->sent];
    const size_t left = strlen(line) - it->received;
    if (size > left || memcmp(line + it->received, data, size) != 0) {
        fprintf(stderr, "echo_client: this is not what was sent\n");
        it->error = ISO_EIO;
        iso_transport_abort(transport);
        return;
    }
    it->received += size;
    if (size < left) return;
    printf("echoed: %s", line);
    it->sent++;
    if (it->sent < LINE_COUNT)
        send_line(transport, it);
    else
        iso_transport_close(transport);
}

static void lost(iso_transport *transport, void *self, int error)
{
    conversation *it = self;
    (void)transport;
    if (it->error == 0) it->error = error;
    if (it->error == 0 && it->sent < LINE_COUNT) it->error = ISO_ECONNABORTED;
    iso_future_set_result(it->over, NULL);
}

static const iso_protocol client_protocol = {
    .connection_made = made,
    .data_received = received,
    .connection_lost = lost,
};

/* ---- the program ---------------------------------------------------------------------------- */

static int wait_for(iso_loop *loop, iso_future *future)
{
    int rc = iso_loop_run_until_complete(loop, future);
    iso_future_release(future);
    return rc;
}

static int talk(iso_loop *loop, const char *host, uint16_t port, conversation *it)
{
    iso_connection_options to = ISO_CONNECTION_OPTIONS_INIT;
    iso_future *connected;
    to.host = host;
    to.port = port;
    int rc = iso_loop_create_future(loop, &it->over);
    if (rc == 0) rc = iso_loop_create_connection(loop, &client_protocol, it, &to, &connected);
    if (rc == 0) rc = wait_for(loop, connected);
    if (rc == 0) rc = iso_loop_run_until_complete(loop, it->over);
    return rc != 0 ? rc : it->error;
}

/* Cut "listening on HOST:PORT (...)" into its parts, at the last colon: HOST may have some
 * itself. */
static int read_address(char *line, const char **host, const char **port)
{
    static const char words[] = "listening on ";
    char *start = line + sizeof(words) - 1;
    if (fgets(line, LINE_SIZE, stdin) == NULL) return ISO_EINVAL;
    if (strncmp(line, words, sizeof(words) - 1) != 0) return ISO_EINVAL;
    printf("server: %s", line);
    start[strcspn(start, " \r\n")] = '\0';
    char *colon = strrchr(start, ':');
    if (colon == NULL) return ISO_EINVAL;
    *colon = '\0';
    *host = start;
    *port = colon + 1;
    if (start[0] != '[') return 0;
    colon[-1] = '\0'; /* [::1]:8888 */
    *host = start + 1;
    return 0;
}

/* What the server at the other end of the pipe says until it ends. */
static void print_rest(char *line)
{
    while (fgets(line, LINE_SIZE, stdin) != NULL) printf("server: %s", line);
}

int main(int argc, char **argv)
{
    char line[LINE_SIZE] = "";
    const char *host = argc > 2 ? argv[1] : NULL;
    const char *port = argc > 2 ? argv[2] : NULL;
    conversation it = { 0, 0, 0, NULL };
    iso_loop *loop = NULL;
    int rc = host == NULL ? read_address(line, &host, &port) : 0;
    if (rc == 0) rc = iso_loop_new(&loop, NULL);
    if (rc == 0) rc = talk(loop, host, (uint16_t)strtoul(port, NULL, 10), &it);
    if (rc != 0) fprintf(stderr, "echo_client: %s %s\n", iso_strerror(rc), iso_error_detail());
    if (loop != NULL) iso_loop_close(loop); /* a connection that is left is told so, and lost */
    iso_future_release(it.over);
    iso_loop_release(loop);
    if (rc == 0 && argc <= 2) print_rest(line);
    return rc != 0;
}
