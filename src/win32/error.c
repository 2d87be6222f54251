/* SPDX-License-Identifier: MIT */
#include "sys/error.h"

#include "base/compiler.h"
#include "handle.h"

enum { CODES_PER_ROW = 7 }; /* one row with more would not compile */

#define UNPACK(...) __VA_ARGS__

/* Win32 and WSA codes are one space of numbers (WSABASEERR is 10000), so one column holds both. An
 * NTSTATUS that says no is below zero, and the system knows which Win32 code it is. */
static const struct row {
    int error;
    int codes[CODES_PER_ROW];
} table[] = {
#define ROW(name, number, sentence, posix, windows) { ISO_##name, { UNPACK windows } },
    ISO_ERROR_TABLE(ROW)
#undef ROW
};

int iso__sys_error(int native)
{
    size_t row;
    size_t at;

    if (native < 0) native = (int)RtlNtStatusToDosError((NTSTATUS)native);
    for (row = 0; native != 0 && row < ISO__COUNT(table); row++) {
        for (at = 0; at < CODES_PER_ROW; at++) {
            if (table[row].codes[at] == native) return table[row].error;
        }
    }
    return ISO_EUNKNOWN;
}
