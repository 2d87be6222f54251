/* SPDX-License-Identifier: MIT */
/* Users and groups by name, or by number where there is no such name.
 * Source: POSIX, chown; getpwnam_r, getgrnam_r. */
#include "base/alloc.h"
#include "base/error.h"
#include "spawn.h"
#include "sys/error.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>

/* What is looked up: one of the two, which have the same shape. Answers an errno; ENOENT: there is
 * no such name. */
typedef int lookup(const char *name, char *room, size_t size, uint32_t *out);

static int look_up_user(const char *name, char *room, size_t size, uint32_t *out)
{
    struct passwd entry;
    struct passwd *found = NULL;
    int native = getpwnam_r(name, &entry, room, size, &found);

    if (found != NULL) *out = (uint32_t)entry.pw_uid;
    return found != NULL ? 0 : native != 0 ? native : ENOENT;
}

static int look_up_group(const char *name, char *room, size_t size, uint32_t *out)
{
    struct group entry;
    struct group *found = NULL;
    int native = getgrnam_r(name, &entry, room, size, &found);

    if (found != NULL) *out = (uint32_t)entry.gr_gid;
    return found != NULL ? 0 : native != 0 ? native : ENOENT;
}

/* A group may have many members, whose names need room. */
static int look_up(lookup *by, const iso_allocator *allocator, const char *name, uint32_t *out)
{
    enum { LEAST = 2048, MOST = 16 * 1024 * 1024 };
    size_t size;
    int native = ERANGE;

    for (size = LEAST; native == ERANGE && size <= MOST; size *= 2) {
        char *room = iso__alloc(allocator, size);

        if (room == NULL) return ENOMEM;
        do {
            native = by(name, room, size, out);
        } while (native == EINTR);
        iso__free(allocator, room, size);
    }
    return native;
}

/* All bits set mean "as it is" to the system. */
static bool is_number(const char *text, uint32_t *out)
{
    uint64_t number = 0;

    if (*text == '\0') return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') return false;
        number = number * 10 + (uint64_t)(*text - '0');
        if (number >= UINT32_MAX) return false;
    }
    *out = (uint32_t)number;
    return true;
}

/* That a name is not there, systems say in several ways. Source: getpwnam_r, ERRORS. */
static int resolve(lookup *by, const iso_allocator *allocator, const char *name, uint32_t *out)
{
    int native = look_up(by, allocator, name, out);

    switch (native) {
    case 0: return 0;
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case EIO: return iso__sys_error(native);
    default: break;
    }
    if (is_number(name, out)) return 0;
    return iso__error_set(ISO_EINVAL, "subprocess: there is no %s \"%.100s\"",
                          by == look_up_user ? "user" : "group", name);
}

static int resolve_groups(iso__identity *self, const iso_allocator *allocator,
                          const char *const *names)
{
    size_t count = 0;
    size_t at;

    self->has_groups = true;
    while (names[count] != NULL) count++;
    if (count == 0) return 0;
    self->groups = iso__alloc(allocator, count * sizeof(*self->groups));
    if (self->groups == NULL) return ISO_ENOMEM;
    self->group_count = count;
    for (at = 0; at < count; at++) {
        uint32_t number = 0;
        int rc = resolve(look_up_group, allocator, names[at], &number);

        if (rc != 0) return rc;
        self->groups[at] = (gid_t)number;
    }
    return 0;
}

int iso__identity_open(iso__identity *self, const iso_allocator *allocator, const iso__spawn *spawn)
{
    uint32_t number = 0;
    int rc = 0;

    if (spawn->user != NULL) {
        rc = resolve(look_up_user, allocator, spawn->user, &number);
        self->has_uid = true;
        self->uid = (uid_t)number;
    }
    if (rc == 0 && spawn->group != NULL) {
        rc = resolve(look_up_group, allocator, spawn->group, &number);
        self->has_gid = true;
        self->gid = (gid_t)number;
    }
    if (rc == 0 && spawn->extra_groups != NULL)
        rc = resolve_groups(self, allocator, spawn->extra_groups);
    if (rc != 0) iso__identity_close(self, allocator);
    return rc;
}

void iso__identity_close(iso__identity *self, const iso_allocator *allocator)
{
    iso__free(allocator, self->groups, self->group_count * sizeof(*self->groups));
    self->groups = NULL;
}
