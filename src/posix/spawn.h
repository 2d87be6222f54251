/* SPDX-License-Identifier: MIT */
/* What the files about starting a program have in common. All of it is made ready before the fork;
 * afterwards only what a signal handler may call is called. */
#ifndef ISO_POSIX_SPAWN_H
#define ISO_POSIX_SPAWN_H

#include "sys/process.h"

#include <sys/types.h>

/* Where a child that could not become the program has failed. */
typedef enum iso__spawn_step {
    ISO__SPAWN_DESCRIPTORS = 1,
    ISO__SPAWN_FOLDER,
    ISO__SPAWN_SESSION,
    ISO__SPAWN_GROUP,
    ISO__SPAWN_IDENTITY,
    ISO__SPAWN_TIE,
    ISO__SPAWN_EXEC
} iso__spawn_step;

/* What it says then. */
typedef struct iso__spawn_failure {
    int step;  /* 0: none */
    int error; /* an errno */
} iso__spawn_failure;

/* What a program runs as. */
typedef struct iso__identity {
    bool has_uid;
    bool has_gid;
    bool has_groups;
    uid_t uid;
    gid_t gid;
    gid_t *groups;
    size_t group_count;
} iso__identity;

typedef struct iso__spawn_plan {
    const iso__spawn *spawn;
    char *const *argv;
    char *const *environment;
    const char *shell_argv[4];
    char **programs; /* the names to try, NULL at the end, */
    size_t bytes;    /* in one piece of memory of this size */
    /* The descriptors of the child, by number, and what each is a copy of; -1: the null device.
     * There is one number more, for `report`, above all others. */
    int *numbers;
    int *sources;
    size_t count;
    iso__identity identity;
    pid_t parent;
    int report; /* the end of a pipe that tells the parent of a failure; above all numbers, too */
} iso__spawn_plan;

/* The names under which the program may be: into `programs`. Returns 0 or ISO_ENOMEM. */
int iso__spawn_list_programs(iso__spawn_plan *plan, const iso_allocator *allocator);

/* Look up who a program runs as. Returns 0; ISO_EINVAL: there is no such user or group; ISO_ENOMEM,
 * or what the system answers. Ownership: the list is the caller's, until close. */
int iso__identity_open(iso__identity *out, const iso_allocator *allocator, const iso__spawn *spawn);
void iso__identity_close(iso__identity *self, const iso_allocator *allocator);

static inline bool iso__identity_is_own(const iso__identity *self)
{
    return !self->has_uid && !self->has_gid && !self->has_groups;
}

/* ---- in the child ---- */

/* Become the program, or tell why not. */
_Noreturn void iso__spawn_run(const iso__spawn_plan *plan);

/* Close every descriptor but these: numbers that rise, the first three of which are 0, 1, 2. */
void iso__close_all_but(const int *kept, size_t count);

#endif
