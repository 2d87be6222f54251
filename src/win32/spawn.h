/* SPDX-License-Identifier: MIT */
/* What the files about starting a program have in common. */
#ifndef ISO_WIN32_SPAWN_H
#define ISO_WIN32_SPAWN_H

#include "command_line.h"
#include "sys/process.h"

#include <windows.h>

enum { ISO__STREAMS = 3 };

/* ---- paths, and the program: program.c ---- */

/* "C:\folder", "\\server\share" and "\\?\..." need no current folder. */
bool iso__path_is_absolute(const WCHAR *path);

/* The absolute form of `path`, seen from `folder`; NULL: from where this process is. It is what
 * Windows would open: without "..", and without dots and spaces at the end.
 * Returns 0, ISO_ENOMEM, or what the system answers. Source: GetFullPathName. */
int iso__path_resolve(iso__wide *out, const WCHAR *folder, const WCHAR *path);

/* Find the program `name`. `folder`: where the child will be; NULL: where this process is. `path`:
 * the PATH to look it up in. Returns 0, and its absolute path; ISO_ENOENT, ISO_ENOMEM. */
int iso__program_find(iso__wide *out, const WCHAR *name, const WCHAR *folder, const WCHAR *path);

/* ---- what it inherits: inherited.c ---- */

/* Copies of what the child gets that can be inherited, for the length of a call: those of the
 * caller can't. Another thread that starts a program meanwhile, with no list of handles, would hand
 * them on. */
typedef struct iso__inherited {
    const iso_allocator *allocator;
    HANDLE stdio[ISO__STREAMS];
    HANDLE *list; /* each once: CreateProcess refuses one that comes twice */
    DWORD count;
    size_t room;
    BYTE *block;      /* what the C runtime of the child reads its numbers from; NULL: none */
    WORD block_bytes; /* 0: none */
} iso__inherited;

/* Returns 0; ISO_EBADF; ISO_EINVAL: a number that no C runtime has; ISO_ENOMEM, or what the system
 * answers. Ownership: it is the caller's, until close. */
int iso__inherited_open(iso__inherited *out, const iso_allocator *allocator,
                        const iso__spawn *spawn);
void iso__inherited_close(iso__inherited *self);

/* Whether a console is among them. */
bool iso__inherited_has_console(const iso__inherited *self);

#endif
