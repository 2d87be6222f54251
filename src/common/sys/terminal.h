/* SPDX-License-Identifier: MIT */
/* Terminals, and on Windows consoles. Each function returns 0, ISO_EBADF, ISO_ENOTTY, or what the
 * system answers. Descriptors are borrowed. Thread: any. */
#ifndef ISO_SYS_TERMINAL_H
#define ISO_SYS_TERMINAL_H

#include "isoloop/terminal.h"

bool iso__sys_terminal_is(iso_fd fd);

/* As iso_get_terminal_size; nothing is NULL. Source: ioctl_tty(2), TIOCGWINSZ;
 * GetConsoleScreenBufferInfo. */
int iso__sys_terminal_size(iso_fd fd, iso_terminal_size *out);

/* How it is, in *out; and as iso_terminal_set_mode and iso_terminal_restore, for a mode that there
 * is and a state that is one. On Windows ISO_EINVAL, too, for a console's output. Source:
 * tcgetattr, tcsetattr; GetConsoleMode, SetConsoleMode. */
int iso__sys_terminal_get(iso_fd fd, iso_terminal_state *out);
int iso__sys_terminal_change(iso_fd fd, const iso_terminal_state *from, iso_terminal_mode mode);
int iso__sys_terminal_set(iso_fd fd, const iso_terminal_state *state);

#endif
