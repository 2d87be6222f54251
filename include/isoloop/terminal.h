/* SPDX-License-Identifier: MIT */
/* Terminals: is it one, how large is it, and how it hands on what is typed. On Windows a terminal
 * is a console.
 *
 * To read and to write one, connect_read_pipe and connect_write_pipe make transports of it (pipe.h;
 * not of a console). That its size has changed is told by the signal SIGWINCH, which
 * iso_loop_add_signal_handler takes; Windows has none.
 *
 * Descriptors are borrowed for the call. Thread: any. */
#ifndef ISOLOOP_TERMINAL_H
#define ISOLOOP_TERMINAL_H

#include "base.h"

ISO_BEGIN_DECLS

/* The descriptor of standard input (0), output (1) or error (2), on Windows a handle;
 * ISO_FD_NONE: there is none, or no such number. It stays the process's own.
 * Source: sys.stdin.fileno. */
ISO_API iso_fd iso_standard_stream(int which);

/* Whether it is a terminal; false for what is not open. Source: os.isatty, uv_guess_handle. */
ISO_API bool iso_isatty(iso_fd fd);

typedef struct iso_terminal_size {
    int columns;
    int lines;
} iso_terminal_size;

/* How many characters fit, in *out; 0 and 0 for a terminal that nobody has told its size. Of a
 * console the size is that of the window, whichever end of it `fd` is.
 * Returns 0, ISO_EINVAL (no `out`), ISO_EBADF, ISO_ENOTTY, or what the system answers.
 * Source: os.get_terminal_size, uv_tty_get_winsize. */
ISO_API int iso_get_terminal_size(iso_fd fd, iso_terminal_size *out);

/* What a terminal does with what is typed before a program reads it. None of it: whole lines, which
 * can be edited, are shown, and end the program with ^C. */
typedef enum iso_terminal_mode {
    /* Character by character, and not shown; ^C goes on being a signal. Source: tty.setcbreak. */
    ISO_TERMINAL_CBREAK = 1,
    /* ^C is a character, too, as every key, and Enter is "\r"; what is written goes on being
     * translated ("\n" begins a line). Source: UV_TTY_MODE_RAW. */
    ISO_TERMINAL_RAW,
    /* And what is written is not changed either. Source: tty.setraw, cfmakeraw, UV_TTY_MODE_IO.
     * (A console goes on translating.) */
    ISO_TERMINAL_RAW_IO
} iso_terminal_mode;

/* How a terminal was, as the system writes it; length 0: nothing is known. */
typedef struct iso_terminal_state {
    uint32_t length;
    union {
        unsigned char bytes[124];
        uint64_t align;
    } storage;
} iso_terminal_state;

/* Set a mode, and keep in *before, unless it is NULL, how the terminal was. At once: what was
 * written and is not shown yet is not waited for, what was typed and not read yet is not dropped.
 * A terminal belongs to everybody who has it open, and stays as it is when the program ends: see
 * to it that iso_terminal_restore is called (atexit, signal handlers).
 * Returns 0; ISO_EINVAL (no such mode; on Windows, a console's output: the mode is its input's),
 * ISO_EBADF, ISO_ENOTTY, or what the system answers. A process in the background of its terminal is
 * stopped by it (SIGTTOU). Source: tcsetattr, TCSANOW; uv_tty_set_mode; SetConsoleMode. */
ISO_API int iso_terminal_set_mode(iso_fd fd, iso_terminal_mode mode, iso_terminal_state *before);

/* Have it again as it was. Returns 0; ISO_EINVAL (NULL, or nothing is known), ISO_EBADF,
 * ISO_ENOTTY, or what the system answers. Thread: any, and on POSIX a handler of a signal, too:
 * errno stays as it is.
 * Source: termios.tcsetattr, uv_tty_reset_mode. */
ISO_API int iso_terminal_restore(iso_fd fd, const iso_terminal_state *state);

ISO_END_DECLS

#endif
