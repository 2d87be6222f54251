/* SPDX-License-Identifier: MIT */
/* Files, and what else the tests of unix sockets ask the system: paths_posix.c, paths_win32.c. Each
 * function that returns an int returns 0 or an ISO_E code. */
#ifndef ISO_TESTS_IO_PATHS_H
#define ISO_TESTS_IO_PATHS_H

#include "isoloop/unix.h"

/* Short enough for the path of a socket. */
enum { PATHS_FOLDER_BYTES = 80, PATHS_BYTES = ISO_UNIX_PATH_BYTES };

typedef enum paths_kind {
    PATHS_NOTHING = 0,
    PATHS_SOCKET,
    PATHS_FILE,
    PATHS_LINK,
    PATHS_OTHER
} paths_kind;

/* A fresh folder; and away with it, if it is empty, as it has to be. */
int paths_make_folder(char folder[PATHS_FOLDER_BYTES]);
int paths_remove_folder(const char *folder);

/* A regular file; a link to something; away with it, or with a socket. */
int paths_make_file(const char *path);
int paths_make_link(const char *path, const char *target);
int paths_remove(const char *path);

/* Keep this process from changing what is in a folder; a superuser gives his rights up for that.
 * And let it, again. Answers whether it could be done. */
bool paths_protect(const char *folder);
void paths_unprotect(const char *folder);

/* What is there, links not followed. */
paths_kind paths_look(const char *path);

/* Whether this system has unix sockets at all. */
bool paths_has_unix_sockets(void);

/* What this system has: names that are no files; a backlog that can be waited for. */
bool paths_has_abstract_names(void);
bool paths_waits_for_a_full_backlog(void);

/* How long a path may be, its NUL not counted. */
size_t paths_longest(void);

/* This process; pid -1 where the system does not tell. */
iso_unix_credentials paths_self(void);

/* Whether a program that is started gets it. */
bool paths_is_inherited(iso_fd fd);

/* Send one byte, and the same descriptor some times. */
int paths_send_many(iso_fd sock, iso_fd fd, int count);

/* Have what is received say who sent it, too (SO_PASSCRED), where the system can. */
void paths_pass_credentials(iso_fd sock);

/* Have a socket wait in its calls, as a program's own may. */
void paths_make_blocking(iso_fd fd);

/* A unix datagram socket; or another datagram socket where there are none. */
int paths_open_datagram(iso_fd *out);

#endif
