/* SPDX-License-Identifier: MIT */
/* An echo over UDP: a server that answers whoever asks, and a client that asks three times:
 *
 *     datagram [BACKEND]
 *
 * A datagram may be lost on its way, so the client asks again after a second without an answer. A
 * proactor has datagram endpoints under the profile "native" only, which this program asks for:
 * else the call would answer ISO_ENOTSUP, and iso_loop_last_limit the row proactor.datagram. */
#include <isoloop.h>
#include <stdio.h>
#include <string.h>

static const char *const questions[] = { "one", "two", "three" };
enum { QUESTIONS = 3 };

typedef struct client {
    iso_datagram_transport *transport;
    int answered;
    iso_handle patience; /* asks again */
} client;

static int fail(const char *what, int rc)
{
    fprintf(stderr, "datagram: %s: %s %s\n", what, iso_strerror(rc), iso_error_detail());
    return 1;
}

/* ---- the server ------------------------------------------------------------------------------ */

static void question_came(iso_datagram_transport *transport, void *self, const void *data,
                          size_t size, const iso_address *from)
{
    (void)self;
    if (iso_datagram_transport_sendto(transport, data, size, from) != 0)
        iso_datagram_transport_abort(transport);
}

static const iso_datagram_protocol server_protocol = { .datagram_received = question_came };

/* ---- the client ------------------------------------------------------------------------------ */

static void ask(iso_loop *loop, void *arg)
{
    client *it = arg;
    const char *question = questions[it->answered];
    int rc = iso_datagram_transport_sendto(it->transport, question, strlen(question), NULL);
    if (rc == 0) rc = iso_loop_call_later(loop, ISO_S(1), ask, it, &it->patience);
    if (rc != 0) iso_loop_stop(loop);
}

static void client_made(iso_datagram_transport *transport, void *self)
{
    client *it = self;
    it->transport = transport;
    ask(iso_datagram_transport_get_loop(transport), it);
}

static void answer_came(iso_datagram_transport *transport, void *self, const void *data,
                        size_t size, const iso_address *from)
{
    client *it = self;
    const char *question = questions[it->answered];
    (void)from;
    /* The answer to a question that was asked twice may come twice. */
    if (size != strlen(question) || memcmp(data, question, size) != 0) return;
    printf("echoed: %.*s\n", (int)size, (const char *)data);
    iso_handle_cancel(iso_datagram_transport_get_loop(transport), it->patience);
    if (++it->answered < QUESTIONS)
        ask(iso_datagram_transport_get_loop(transport), it);
    else
        iso_datagram_transport_close(transport);
}

/* Nobody is there, or a datagram is too long: the endpoint goes on, and so does the asking. */
static void told_of_error(iso_datagram_transport *transport, void *self, int error)
{
    (void)transport;
    (void)self;
    fprintf(stderr, "datagram: %s\n", iso_strerror(error));
}

static void client_lost(iso_datagram_transport *transport, void *self, int error)
{
    (void)self;
    (void)error;
    iso_loop_stop(iso_datagram_transport_get_loop(transport));
}

static const iso_datagram_protocol client_protocol = {
    .connection_made = client_made,
    .datagram_received = answer_came,
    .error_received = told_of_error,
    .connection_lost = client_lost,
};

/* ---- the program ----------------------------------------------------------------------------- */

/* An endpoint, held: the caller releases it. */
static int open_endpoint(iso_loop *loop, const iso_datagram_protocol *protocol, void *self,
                         const iso_datagram_options *options, iso_datagram_transport **out)
{
    iso_future *made;
    void *transport;
    int rc = iso_loop_create_datagram_endpoint(loop, protocol, self, options, &made);
    if (rc != 0) return rc;
    rc = iso_loop_run_until_complete(loop, made);
    if (rc == 0) rc = iso_future_result(made, &transport);
    if (rc == 0) *out = iso_datagram_transport_ref(transport);
    iso_future_release(made);
    return rc;
}

static int talk(iso_loop *loop, client *it)
{
    iso_datagram_options here = ISO_DATAGRAM_OPTIONS_INIT;
    iso_datagram_options there = ISO_DATAGRAM_OPTIONS_INIT;
    iso_datagram_transport *server = NULL;
    iso_datagram_transport *asker = NULL;
    iso_extra_info info;
    here.local_host = "127.0.0.1";
    int rc = open_endpoint(loop, &server_protocol, NULL, &here, &server);
    if (rc == 0) rc = iso_datagram_transport_get_extra_info(server, "sockname", &info);
    if (rc == 0) {
        there.remote_host = "127.0.0.1";
        there.remote_port = iso_address_port(&info.address);
        rc = open_endpoint(loop, &client_protocol, it, &there, &asker);
    }
    if (rc == 0) rc = iso_loop_run_forever(loop);
    iso_datagram_transport_release(asker);
    iso_datagram_transport_release(server);
    return rc;
}

int main(int argc, char **argv)
{
    iso_loop_options options = ISO_LOOP_OPTIONS_INIT;
    client it = { NULL, 0, { 0 } };
    iso_loop *loop;
    options.backend = argc > 1 ? argv[1] : NULL;
    options.limits = "native";
    int rc = iso_loop_new(&loop, &options);
    if (rc != 0) return fail("no loop", rc);
    rc = talk(loop, &it);
    iso_loop_close(loop);
    iso_loop_release(loop);
    if (rc != 0) return fail("it does not talk", rc);
    return it.answered == QUESTIONS ? 0 : fail("no answers", ISO_ETIMEDOUT);
}
