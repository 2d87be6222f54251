/* SPDX-License-Identifier: MIT */
/* getaddrinfo and getnameinfo, as futures. */
#include "base/alloc.h"
#include "loop/future.h"
#include "loop/loop.h"
#include "loop/resolve.h"

#include <stdio.h>
#include <string.h>

/* A look-up under way. What it works on is the thread's until it is told. */
typedef struct lookup {
    iso__errand errand;
    iso_future *future;
    void *matter;                                  /* an iso__question, or a naming */
    void (*end)(iso_future *future, void *matter); /* with the answer, in memory of the loop's; */
    void (*drop)(void *matter, void *result);      /* and free it */
} lookup;

static void cancel_lookup(void *operation)
{
    lookup *self = operation;
    iso_future *future = self->future;

    self->future = NULL;
    iso__errand_cancel(&self->errand);
    iso__object_close(&self->errand.object);
    iso__future_end_error(future, ISO_ECANCELED);
}

static void abandon_lookup(iso__object *object)
{
    iso__future_abandon(((lookup *)object)->future);
}

static void finish_lookup(iso__object *object)
{
    (void)object; /* what it works on goes with the job */
}

static const iso__object_class lookup_class = {
    .name = "look-up of a name",
    .abandon = abandon_lookup,
    .finish = finish_lookup,
    .size = sizeof(lookup),
};

static bool lookup_told(iso__errand *errand, const iso__outcome *outcome)
{
    lookup *self = (lookup *)errand;
    iso_future *future = self->future;
    void *matter = self->matter;
    void (*end)(iso_future *, void *) = self->end;
    void (*drop)(void *, void *) = self->drop;

    if (outcome->is_cancelled) {
        iso__future_abandon(future);
        return false;
    }
    self->future = NULL;
    iso__object_close(&errand->object);
    if (outcome->rc < 0)
        iso__future_end_error(future, outcome->rc);
    else
        end(future, matter);
    drop(matter, NULL);
    return true;
}

/* The future of it, and the reference that the operation has. */
static int new_lookup(lookup **out, iso_loop *loop)
{
    lookup *self = iso__object_new(loop, &lookup_class);
    int rc;

    if (self == NULL) return ISO_ENOMEM;
    self->errand.told = lookup_told;
    rc = iso__future_start(loop, cancel_lookup, self, &self->future);
    if (rc == 0)
        *out = self;
    else
        iso__object_unref(&self->errand.object);
    return rc;
}

/* It has begun (0), or it has not, and never will. */
static int settle_lookup(lookup *self, int rc, iso_future **out)
{
    if (rc == 0) {
        iso__object_open(&self->errand.object);
        iso__future_give(self->future, out);
    } else {
        iso_future_release(self->future);
    }
    iso__object_unref(&self->errand.object); /* the loop's reference keeps it */
    return rc;
}

/* ---- getaddrinfo ---- */

static void end_with_list(iso_future *future, const iso__addrinfo_list *found)
{
    iso__addrinfo_list list;
    int rc = iso__addrinfo_list_copy(&list, iso__loop_allocator(future->object.loop), found);

    if (rc != 0)
        iso__future_end_error(future, rc);
    else
        iso__future_end_memory(future, list.items, list.bytes, list.count);
}

static void end_question(iso_future *future, void *matter)
{
    end_with_list(future, &((iso__question *)matter)->found);
}

static void drop_question(void *matter, void *result)
{
    (void)result;
    iso__question_free(matter);
}

enum { NO_NUMBER = 65536 };

/* The port that a service is the number of; NO_NUMBER for a name; ISO_ENOSERVICE for a number that
 * is no port, of which some systems would take the lower half. */
static int port_of(const char *service)
{
    int port = 0;

    if (service == NULL) return 0;
    for (; *service != '\0'; service++) {
        if (*service < '0' || *service > '9') return NO_NUMBER;
        if (port < NO_NUMBER) port = port * 10 + (*service - '0');
    }
    return port < NO_NUMBER ? port : ISO_ENOSERVICE;
}

static bool go_together(int type, int protocol)
{
    switch (type) {
    case 0: return protocol == 0 || protocol == ISO__PROTOCOL_TCP || protocol == ISO__PROTOCOL_UDP;
    case ISO_SOCK_STREAM: return protocol == 0 || protocol == ISO__PROTOCOL_TCP;
    case ISO_SOCK_DGRAM: return protocol == 0 || protocol == ISO__PROTOCOL_UDP;
    default: return false;
    }
}

/* Answers without a look-up: 0 with `out`, an error, or ISO_EAGAIN for what must be looked up.
 * Source: asyncio's _ipaddr_info. */
static int answer_literal(const iso__name_query *query, const iso_allocator *allocator,
                          iso__addrinfo_list *out)
{
    int port = port_of(query->service);
    iso_addrinfo piece;
    int rc;

    if (port < 0) return port;
    if (query->host == NULL) return ISO_EAGAIN;
    if (query->host[0] == '\0') return ISO_ENONAME;
    if (port == NO_NUMBER || !go_together(query->type, query->protocol)) return ISO_EAGAIN;
    memset(&piece, 0, sizeof(piece));
    rc = iso__resolve_literal(query->host, (uint16_t)port, query->family, false, &piece.address);
    if (rc == 0 || (rc < 0 && (query->flags & ISO_AI_V4MAPPED) != 0)) return ISO_EAGAIN;
    if (rc < 0) return rc;
    piece.protocol = query->protocol;
    rc = iso__addrinfo_list_new(out, allocator, 1,
                                (query->flags & ISO_AI_CANONNAME) != 0 ? query->host : NULL);
    if (rc == 0) iso__addrinfo_list_add(out, query->type, &piece);
    return rc;
}

/* A future that has ended, with a list or an error. */
static int answer_now(iso_loop *loop, int rc, iso__addrinfo_list *list, iso_future **out)
{
    iso_future *future;
    int made = iso_loop_create_future(loop, &future);

    if (made != 0) {
        if (rc == 0) iso__addrinfo_list_free(list, iso__loop_allocator(loop));
        return made;
    }
    iso__future_give(future, out);
    if (rc == 0)
        iso__future_end_memory(future, list->items, list->bytes, list->count);
    else
        iso__future_end_error(future, rc);
    return 0;
}

static int ask(iso_loop *loop, const iso__name_query *query, iso_future **out)
{
    iso__question *question;
    lookup *self;
    int rc = new_lookup(&self, loop);

    if (rc != 0) return rc;
    self->end = end_question;
    self->drop = drop_question;
    rc = iso__question_new(&question, query);
    if (rc == 0) {
        self->matter = question;
        rc = iso__question_ask(question, &self->errand);
        if (rc != 0) iso__question_free(question);
    }
    return settle_lookup(self, rc, out);
}

static int check_query(const iso__name_query *query)
{
    const unsigned known = ISO_AI_PASSIVE | ISO_AI_CANONNAME | ISO_AI_NUMERICHOST |
                           ISO_AI_NUMERICSERV | ISO_AI_V4MAPPED | ISO_AI_ALL | ISO_AI_ADDRCONFIG;

    if (query->host == NULL && query->service == NULL)
        return iso__error_set(ISO_EINVAL, "getaddrinfo: neither a host nor a service");
    if (query->family != 0 && query->family != 4 && query->family != 6)
        return iso__error_set(ISO_EINVAL, "getaddrinfo: family is 0, 4 or 6");
    if (query->type < 0 || query->type > ISO_SOCK_RAW)
        return iso__error_set(ISO_EINVAL, "getaddrinfo: type is 0 or one of ISO_SOCK_...");
    if (query->protocol < 0 || (query->flags & ~known) != 0)
        return iso__error_set(ISO_EINVAL, "getaddrinfo: an unknown protocol or flag");
    /* Some systems refuse that, in several words, and some do not. */
    if ((query->type == ISO_SOCK_STREAM && query->protocol == ISO__PROTOCOL_UDP) ||
        (query->type == ISO_SOCK_DGRAM && query->protocol == ISO__PROTOCOL_TCP))
        return iso__error_set(ISO_EINVAL, "getaddrinfo: the protocol is not one of the type");
    return 0;
}

int iso_loop_getaddrinfo(iso_loop *loop, const char *host, const char *service,
                         const iso_addrinfo_options *given, iso_future **out)
{
    iso_addrinfo_options options = ISO_ADDRINFO_OPTIONS_INIT;
    iso__name_query query;
    iso__addrinfo_list list;
    int rc;

    if (loop == NULL) return ISO_EINVAL;
    rc = iso__loop_check(loop);
    if (rc != 0) return rc;
    if (given != NULL) iso__options_copy(&options, sizeof(options), given, given->size);
    query.host = host;
    query.service = service != NULL && service[0] != '\0' ? service : NULL;
    query.family = options.family;
    query.type = options.type;
    query.protocol = options.protocol;
    query.flags = options.flags;
    rc = check_query(&query);
    if (rc != 0) return rc;
    rc = answer_literal(&query, iso__loop_allocator(loop), &list);
    if (rc == ISO_EAGAIN) return ask(loop, &query, out);
    return rc == ISO_ENOMEM ? rc : answer_now(loop, rc, &list, out);
}

/* ---- getnameinfo ---- */

/* Memory of malloc's, as a question is. */
typedef struct naming {
    iso_address address;
    unsigned flags;
    iso__name_texts found;
} naming;

static int find_names(void *arg, void **result)
{
    naming *self = arg;

    (void)result;
    return iso__sys_getnameinfo(&self->address, self->flags, &self->found);
}

static void drop_naming(void *matter, void *result)
{
    (void)result;
    iso__free(&iso__default_allocator, matter, sizeof(naming));
}

/* The texts lie behind the pointers to them. */
static void end_with_names(iso_future *future, const iso__name_texts *texts)
{
    size_t host = strlen(texts->host) + 1;
    size_t service = strlen(texts->service) + 1;
    size_t bytes = sizeof(iso_nameinfo) + host + service;
    iso_nameinfo *info = iso__alloc(iso__loop_allocator(future->object.loop), bytes);
    char *behind;

    if (info == NULL) {
        iso__future_end_error(future, ISO_ENOMEM);
        return;
    }
    behind = (char *)(info + 1);
    memcpy(behind, texts->host, host);
    memcpy(behind + host, texts->service, service);
    info->host = behind;
    info->service = behind + host;
    iso__future_end_memory(future, info, bytes, 0);
}

static void end_naming(iso_future *future, void *matter)
{
    end_with_names(future, &((naming *)matter)->found);
}

static int ask_for_names(iso_loop *loop, const naming *wanted, iso_future **out)
{
    iso_work_options work = ISO_WORK_OPTIONS_INIT;
    iso_executor *executor = NULL;
    lookup *self;
    int rc = new_lookup(&self, loop);

    if (rc != 0) return rc;
    self->end = end_naming;
    self->drop = drop_naming;
    self->matter = iso__alloc_zero(&iso__default_allocator, sizeof(naming));
    if (self->matter == NULL) return settle_lookup(self, ISO_ENOMEM, out);
    memcpy(self->matter, wanted, sizeof(*wanted));
    work.work = find_names;
    work.arg = self->matter;
    work.drop = drop_naming;
    rc = iso__executor_of_names(loop, &executor);
    if (rc == 0) rc = iso__errand_start(&self->errand, executor, &work);
    if (rc != 0) drop_naming(self->matter, NULL);
    return settle_lookup(self, rc, out);
}

/* Both numeric: nobody is asked. */
static int name_now(iso_loop *loop, const iso_address *address, iso_future **out)
{
    iso__name_texts texts;
    iso_future *future;
    int rc = iso_address_host(address, texts.host, sizeof(texts.host));

    if (rc == 0) rc = iso_loop_create_future(loop, &future);
    if (rc != 0) return rc;
    (void)snprintf(texts.service, sizeof(texts.service), "%u", (unsigned)iso_address_port(address));
    iso__future_give(future, out);
    end_with_names(future, &texts);
    return 0;
}

int iso_loop_getnameinfo(iso_loop *loop, const iso_address *address, unsigned flags,
                         iso_future **out)
{
    const unsigned numeric = ISO_NI_NUMERICHOST | ISO_NI_NUMERICSERV;
    const unsigned known = numeric | ISO_NI_NOFQDN | ISO_NI_NAMEREQD | ISO_NI_DGRAM;
    naming wanted;
    int rc;

    if (loop == NULL || address == NULL || iso_address_version(address) == 0) return ISO_EINVAL;
    rc = iso__loop_check(loop);
    if (rc != 0) return rc;
    if ((flags & ~known) != 0) return iso__error_set(ISO_EINVAL, "getnameinfo: an unknown flag");
    if ((flags & numeric) == numeric && (flags & ISO_NI_NAMEREQD) == 0)
        return name_now(loop, address, out);
    memset(&wanted, 0, sizeof(wanted));
    wanted.address = *address;
    wanted.flags = flags;
    return ask_for_names(loop, &wanted, out);
}
