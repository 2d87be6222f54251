/* SPDX-License-Identifier: MIT */
#include "isoloop/terminal.h"

#include "base/error.h"
#include "sys/standard_stream.h"
#include "sys/terminal.h"

iso_fd iso_standard_stream(int which)
{
    return which >= 0 && which <= 2 ? iso__sys_standard_stream(which) : ISO_FD_NONE;
}

bool iso_isatty(iso_fd fd)
{
    return iso__sys_terminal_is(fd);
}

int iso_get_terminal_size(iso_fd fd, iso_terminal_size *out)
{
    return out == NULL ? ISO_EINVAL : iso__sys_terminal_size(fd, out);
}

static bool is_mode(iso_terminal_mode mode)
{
    switch (mode) {
    case ISO_TERMINAL_CBREAK:
    case ISO_TERMINAL_RAW:
    case ISO_TERMINAL_RAW_IO: return true;
    }
    return false;
}

int iso_terminal_set_mode(iso_fd fd, iso_terminal_mode mode, iso_terminal_state *before)
{
    iso_terminal_state now;
    int rc;

    if (!is_mode(mode))
        return iso__error_set(ISO_EINVAL, "there is no terminal mode %d", (int)mode);
    rc = iso__sys_terminal_get(fd, &now);
    if (rc == 0) rc = iso__sys_terminal_change(fd, &now, mode);
    if (rc == 0 && before != NULL) *before = now;
    return rc;
}

int iso_terminal_restore(iso_fd fd, const iso_terminal_state *state)
{
    return state == NULL || state->length == 0 ? ISO_EINVAL : iso__sys_terminal_set(fd, state);
}
