/* SPDX-License-Identifier: MIT */
#include "loop/backends.h"

#include "base/error.h"
#include "base/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t iso_backends(const iso_backend **out)
{
    size_t count = 0;

    while (iso__backend_table[count].name != NULL) count++;
    if (out != NULL) *out = iso__backend_table;
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

static const iso__proactor *find_proactor(const char *name)
{
    const iso__proactor *const *at;

    for (at = iso__proactor_table; *at != NULL; at++) {
        if (strcmp((*at)->name, name) == 0) return *at;
    }
    return NULL;
}

static void list_available(char *text, size_t size)
{
    const iso_backend *at;
    size_t used = 0;

    text[0] = '\0';
    for (at = iso__backend_table; at->name != NULL; at++) {
        if (!at->available) continue;
        (void)snprintf(text + used, size - used, "%s%s", used == 0 ? "" : ", ", at->name);
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
    if (iso__platform != ISO__ON_WINDOWS && !is_native)
        return refuse("proactor", "ProactorEventLoop exists on Windows only (limits row "
                                  "proactor.availability: asyncio, Platform support)");
    out->proactor = iso__proactor_table[0];
    return out->proactor != NULL
               ? 0
               : refuse("proactor", "this version has no proactor for this platform");
}

static int choose_by_name(iso__backend_choice *out, const char *name)
{
    const iso_backend *backend = find(name);

    if (backend == NULL) return refuse(name, "not the name of a backend");
    if (!backend->available) return refuse(name, backend->reason);
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
