/* SPDX-License-Identifier: MIT */
#include "sys/error.h"

#include "base/compiler.h"

#include <errno.h>

enum { CODES_PER_ROW = 2 };

#define UNPACK(...) __VA_ARGS__

static const struct row {
    int error;
    int codes[CODES_PER_ROW];
} table[] = {
#define ROW(name, number, sentence, posix, windows) { ISO_##name, { UNPACK posix } },
    ISO_ERROR_TABLE(ROW)
#undef ROW
};

int iso__sys_error(int native)
{
    size_t row;
    size_t at;

    if (native == EAGAIN) return ISO_EAGAIN; /* the one that is no error, and comes often */
    for (row = 0; native != 0 && row < ISO__COUNT(table); row++) {
        for (at = 0; at < CODES_PER_ROW; at++) {
            if (table[row].codes[at] == native) return table[row].error;
        }
    }
    return ISO_EUNKNOWN;
}
