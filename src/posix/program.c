/* SPDX-License-Identifier: MIT */
/* Where a program may be: PATH of the environment that it will have. Source: Python,
 * os.get_exec_path. */
#include "base/alloc.h"
#include "isoloop/error.h"
#include "spawn.h"

#include <string.h>

static const char default_path[] = "/bin:/usr/bin"; /* Python, os.defpath */

static const char *search_path(char *const *environment)
{
    for (; *environment != NULL; environment++) {
        if (strncmp(*environment, "PATH=", 5) == 0) return *environment + 5;
    }
    return default_path;
}

static size_t count_folders(const char *path)
{
    size_t count = 1;

    for (; *path != '\0'; path++) count += *path == ':' ? 1 : 0;
    return count;
}

/* "folder/name"; an empty folder is the one that the program begins in. Answers the byte after. */
static char *write_name(char *out, const char *folder, size_t length, const char *name)
{
    size_t size = strlen(name) + 1;

    memcpy(out, folder, length);
    if (length > 0) out[length++] = '/';
    memcpy(out + length, name, size);
    return out + length + size;
}

int iso__spawn_list_programs(iso__spawn_plan *self, const iso_allocator *allocator)
{
    const char *name = self->argv[0];
    const char *path = strchr(name, '/') != NULL ? "" : search_path(self->environment);
    size_t count = count_folders(path);
    size_t at;
    char *next;

    self->bytes = (count + 1) * sizeof(char *) + strlen(path) + count * (strlen(name) + 2);
    self->programs = iso__alloc(allocator, self->bytes);
    if (self->programs == NULL) return ISO_ENOMEM;
    next = (char *)(self->programs + count + 1);
    for (at = 0; at < count; at++) {
        size_t length = strcspn(path, ":");

        self->programs[at] = next;
        next = write_name(next, path, length, name);
        path += length + 1;
    }
    self->programs[count] = NULL;
    return 0;
}
