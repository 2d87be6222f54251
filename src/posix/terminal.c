/* SPDX-License-Identifier: MIT */
#include "sys/terminal.h"

#include "sys/descriptor.h"
#include "sys/error.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

_Static_assert(sizeof(struct termios) <= sizeof(((iso_terminal_state *)0)->storage),
               "iso_terminal_state has no room for a struct termios");

bool iso__sys_terminal_is(iso_fd fd)
{
    return fd >= 0 && fd <= INT_MAX && isatty((int)fd) == 1;
}

/* What the systems answer for a socket or the null device differs. */
static int require_terminal(iso_fd fd)
{
    if (!iso__sys_descriptor_is_open(fd)) return ISO_EBADF;
    return iso__sys_terminal_is(fd) ? 0 : ISO_ENOTTY;
}

int iso__sys_terminal_size(iso_fd fd, iso_terminal_size *out)
{
    struct winsize size;
    int rc = require_terminal(fd);

    if (rc != 0) return rc;
    if (ioctl((int)fd, TIOCGWINSZ, &size) != 0) return iso__sys_error(errno);
    out->columns = size.ws_col;
    out->lines = size.ws_row;
    return 0;
}

int iso__sys_terminal_get(iso_fd fd, iso_terminal_state *out)
{
    struct termios now;
    int rc = require_terminal(fd);

    if (rc != 0) return rc;
    if (tcgetattr((int)fd, &now) != 0) return iso__sys_error(errno);
    memset(out, 0, sizeof(*out));
    memcpy(out->storage.bytes, &now, sizeof(now));
    out->length = (uint32_t)sizeof(now);
    return 0;
}

static int set(iso_fd fd, const struct termios *wanted)
{
    int rc;

    do {
        rc = tcsetattr((int)fd, TCSANOW, wanted);
    } while (rc != 0 && errno == EINTR);
    return rc == 0 ? 0 : iso__sys_error(errno);
}

/* Source: POSIX.1-2024, "Raw mode"; CPython, Lib/tty.py; libuv, uv_tty_set_mode. */
static void change(struct termios *it, iso_terminal_mode mode)
{
    it->c_lflag &= ~(tcflag_t)(ECHO | ICANON);
    it->c_cc[VMIN] = 1;
    it->c_cc[VTIME] = 0;
    if (mode == ISO_TERMINAL_CBREAK) return;
    it->c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | IGNPAR | PARMRK | INPCK | ISTRIP | INLCR | IGNCR |
                               ICRNL | IXON | IXANY | IXOFF);
    it->c_cflag = (it->c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
    it->c_lflag &= ~(tcflag_t)(ECHONL | IEXTEN | ISIG);
    if (mode == ISO_TERMINAL_RAW_IO) it->c_oflag &= ~(tcflag_t)OPOST;
}

int iso__sys_terminal_change(iso_fd fd, const iso_terminal_state *from, iso_terminal_mode mode)
{
    struct termios wanted;

    memcpy(&wanted, from->storage.bytes, sizeof(wanted));
    change(&wanted, mode);
    return set(fd, &wanted);
}

static int restore(iso_fd fd, const iso_terminal_state *state)
{
    struct termios wanted;
    int rc = require_terminal(fd);

    if (rc != 0) return rc;
    if (state->length != sizeof(wanted)) return ISO_EINVAL;
    memcpy(&wanted, state->storage.bytes, sizeof(wanted));
    return set(fd, &wanted);
}

/* A handler of a signal leaves errno to whom it has interrupted. Source: POSIX.1-2024, "Signal
 * Actions"; libuv, uv_tty_reset_mode. */
int iso__sys_terminal_set(iso_fd fd, const iso_terminal_state *state)
{
    int before = errno;
    int rc = restore(fd, state);

    errno = before;
    return rc;
}
