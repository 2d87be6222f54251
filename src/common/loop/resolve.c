/* SPDX-License-Identifier: MIT */
#include "loop/resolve.h"

#include "base/alloc.h"
#include "loop/loop.h"

#include <stdio.h>
#include <string.h>

/* ---- questions ---- */

static int copy_text(char **out, const char *text)
{
    *out = text == NULL ? NULL : iso__alloc_string(&iso__default_allocator, text);
    return text != NULL && *out == NULL ? ISO_ENOMEM : 0;
}

static void free_text(char *text)
{
    if (text != NULL) iso__free(&iso__default_allocator, text, strlen(text) + 1);
}

int iso__question_new(iso__question **out, const iso__name_query *query)
{
    iso__question *made = iso__alloc_zero(&iso__default_allocator, sizeof(*made));

    if (made == NULL) return ISO_ENOMEM;
    made->query = *query;
    if (copy_text(&made->host, query->host) != 0 ||
        copy_text(&made->service, query->service) != 0) {
        iso__question_free(made);
        return ISO_ENOMEM;
    }
    made->query.host = made->host;
    made->query.service = made->service;
    *out = made;
    return 0;
}

void iso__question_free(iso__question *question)
{
    free_text(question->host);
    free_text(question->service);
    iso__addrinfo_list_free(&question->found, &iso__default_allocator);
    iso__free(&iso__default_allocator, question, sizeof(*question));
}

static int answer(void *arg, void **result)
{
    iso__question *self = arg;

    (void)result;
    return iso__sys_getaddrinfo(&self->query, &self->found);
}

static void drop_question(void *arg, void *result)
{
    (void)result;
    iso__question_free(arg);
}

int iso__question_ask(iso__question *question, iso__errand *errand)
{
    iso_work_options work = ISO_WORK_OPTIONS_INIT;
    iso_executor *executor;
    int rc = iso__executor_of_names(errand->object.loop, &executor);

    if (rc != 0) return rc;
    work.work = answer;
    work.arg = question;
    work.drop = drop_question;
    return iso__errand_start(errand, executor, &work);
}

/* ---- look-ups of the library's own ---- */

/* It has two references: the loop's, while it is open, and that of whoever started it. */
struct iso__resolve {
    iso__errand errand;
    iso__question *question;
    iso__resolved done;
    void *arg;
};

static void abandon_resolve(iso__object *object)
{
    iso__errand_cancel(&((iso__resolve *)object)->errand);
    iso__object_close(object);
}

static void finish_resolve(iso__object *object)
{
    (void)object; /* the question goes with the job */
}

static const iso__object_class resolve_class = {
    .name = "look-up of a host name",
    .abandon = abandon_resolve,
    .finish = finish_resolve,
    .size = sizeof(iso__resolve),
};

static void tell_addresses(const iso__resolve *self)
{
    const iso__addrinfo_list *found = &self->question->found;
    iso_address addresses[ISO__ADDRESSES_MAX];
    int count = 0;

    while (count < ISO__ADDRESSES_MAX && (size_t)count < found->count) {
        addresses[count] = found->items[count].address;
        count++;
    }
    self->done(self->arg, addresses, count);
}

static bool resolve_told(iso__errand *errand, const iso__outcome *outcome)
{
    iso__resolve *self = (iso__resolve *)errand;
    iso__question *question = self->question;

    iso__object_close(&errand->object);
    if (outcome->is_cancelled || outcome->rc < 0)
        self->done(self->arg, NULL, outcome->is_cancelled ? ISO_ECANCELED : outcome->rc);
    else
        tell_addresses(self);
    iso__question_free(question);
    iso__object_unref(&errand->object); /* that of who started it */
    return true;
}

/* Streams alone: each address comes once, and what differs by type is not asked for. */
static int make_question(iso__question **out, const char *host, uint16_t port, int version,
                         bool passive)
{
    iso__name_query query = { NULL, NULL, 0, ISO_SOCK_STREAM, 0, ISO_AI_NUMERICSERV };
    char service[8];

    (void)snprintf(service, sizeof(service), "%u", (unsigned)port);
    query.host = host;
    query.service = service;
    query.family = version;
    if (passive) query.flags |= ISO_AI_PASSIVE;
    return iso__question_new(out, &query);
}

int iso__resolve_start(iso__resolve **out, iso_loop *loop, const char *host, uint16_t port,
                       int version, bool passive, iso__resolved done, void *arg)
{
    iso__resolve *self = iso__object_new(loop, &resolve_class);
    int rc;

    if (self == NULL) return ISO_ENOMEM;
    self->errand.told = resolve_told;
    self->done = done;
    self->arg = arg;
    rc = make_question(&self->question, host, port, version, passive);
    if (rc != 0) goto fail_question;
    rc = iso__question_ask(self->question, &self->errand);
    if (rc != 0) goto fail_ask;
    iso__object_open(&self->errand.object);
    *out = self;
    return 0;
fail_ask:
    iso__question_free(self->question);
fail_question:
    iso__object_unref(&self->errand.object);
    return rc;
}

void iso__resolve_cancel(iso__resolve *resolve)
{
    iso__errand_cancel(&resolve->errand);
    iso__object_close(&resolve->errand.object);
    iso__object_unref(&resolve->errand.object);
}

int iso__resolve_literal(const char *host, uint16_t port, int version, bool passive,
                         iso_address *out)
{
    int count = 0;

    if (passive && (host == NULL || host[0] == '\0')) {
        if (version != 6) (void)iso_address_parse(&out[count++], "0.0.0.0", port);
        if (version != 4) (void)iso_address_parse(&out[count++], "::", port);
        return count;
    }
    if (iso_address_parse(&out[0], host, port) != 0) return 0;
    if (version != 0 && iso_address_version(&out[0]) != version) return ISO_ENONAME;
    return 1;
}
