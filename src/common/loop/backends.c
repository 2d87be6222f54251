/* SPDX-License-Identifier: MIT */
#include "loop/backends.h"

#include "base/atomic.h"
#include "base/error.h"
#include "base/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BACKENDS = 12 };

static const iso__proactor *find_proactor(const char *name)
{
    const iso__proactor *const *at;

    for (at = iso__proactor_table; *at != NULL; at++) {
        if (strcmp((*at)->name, name) == 0) return *at;
    }
    return NULL;
}

/* What was compiled in, and is there. The running system is asked for this one only: some do not
 * like the question. */
static iso_backend now(const iso_backend *compiled)
{
    static const char prefix[] = "proactor:";
    iso_backend found = *compiled;

    if (found.available && strncmp(found.name, prefix, sizeof(prefix) - 1) == 0) {
        const char *missing = find_proactor(found.name + sizeof(prefix) - 1)->missing();

        if (missing != NULL) {
            found.reason = missing;
            found.available = false;
        }
    }
    return found;
}

/* The list is made once; of two threads that ask first at the same time the second one waits. */
size_t iso_backends(const iso_backend **out)
{
    enum { NOTHING = 0, IN_THE_MAKING, MADE };
    static iso_backend list[MOST_BACKENDS];
    static iso__atomic_u32 state;
    iso_backend fresh[MOST_BACKENDS];
    uint32_t before = NOTHING;
    size_t count = 0;

    while (iso__backend_table[count].name != NULL) count++;
    if (out == NULL) return count;
    if (iso__atomic_load_u32(&state) != MADE) {
        size_t at;

        for (at = 0; at < count; at++) fresh[at] = now(&iso__backend_table[at]);
        if (iso__atomic_cas_u32(&state, &before, IN_THE_MAKING)) {
            memcpy(list, fresh, count * sizeof(*list));
            iso__atomic_store_u32(&state, MADE);
        }
        while (iso__atomic_load_u32(&state) != MADE) {}
    }
    *out = list;
    return count;
}

static const iso_backend *find(const char *name)
{
    const iso_backend *at;

    for (at = iso__backend_table; at->name != NULL; at++) {
        if (strcmp(at->name, name) == 0) return at;
    }
    return NULL;
}

static const char *default_name(void)
{
    const iso_backend *at = iso__backend_table;

    while (!at->is_default) at++; /* the platform's table has one */
    return at->name;
}

static void list_available(char *text, size_t size)
{
    const iso_backend *list;
    size_t count = iso_backends(&list);
    size_t used = 0;
    size_t at;

    text[0] = '\0';
    for (at = 0; at < count; at++) {
        if (!list[at].available) continue;
        (void)snprintf(text + used, size - used, "%s%s", used == 0 ? "" : ", ", list[at].name);
        used = strlen(text);
    }
}

static int refuse(const char *name, const char *reason)
{
    char there[160];

    list_available(there, sizeof(there));
    return iso__error_set(ISO_ENOTSUP, "%.64s: %s; there are: %s", name, reason, there);
}

/* The bare word: the best proactor. Off Windows that meets its documented limit first. */
static int choose_proactor(iso__backend_choice *out, bool is_native)
{
    const char *missing;

    if (iso__platform != ISO__ON_WINDOWS && !is_native)
        return refuse("proactor", "ProactorEventLoop exists on Windows only (limits row "
                                  "proactor.availability: asyncio, Platform support)");
    if (iso__proactor_table[0] == NULL)
        return refuse("proactor", "this version has no proactor for this platform");
    missing = iso__proactor_table[0]->missing();
    if (missing != NULL) return refuse("proactor", missing);
    out->proactor = iso__proactor_table[0];
    return 0;
}

static int choose_by_name(iso__backend_choice *out, const char *name)
{
    const iso_backend *compiled = find(name);
    iso_backend backend;

    if (compiled == NULL) return refuse(name, "not the name of a backend");
    backend = now(compiled);
    if (!backend.available) return refuse(name, backend.reason);
    if (strncmp(name, "selector:", strlen("selector:")) == 0)
        out->poller = iso__poller_find(name + strlen("selector:"));
    else
        out->proactor = find_proactor(name + strlen("proactor:"));
    return 0;
}

int iso__backend_choose(iso__backend_choice *out, const char *backend, bool is_native)
{
    const char *name = backend != NULL ? backend : getenv("ISOLOOP_LOOP");

    memset(out, 0, sizeof(*out));
    if (name == NULL || name[0] == '\0') name = default_name();
    if (strcmp(name, "proactor") == 0) return choose_proactor(out, is_native);
    if (strcmp(name, "selector") != 0) return choose_by_name(out, name);
    out->poller = iso__poller_find(NULL);
    return 0;
}
