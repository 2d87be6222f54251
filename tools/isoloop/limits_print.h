/* SPDX-License-Identifier: MIT */
/* The parts of `isoloop limits` that need no loop. */
#ifndef LIMITS_PRINT_H
#define LIMITS_PRINT_H

#include <isoloop.h>

/* Whether row n is among these rows. */
static inline bool limits_has(uint64_t rows, size_t n)
{
    return (rows >> n & 1u) != 0;
}

/* What tells two profiles apart on one kind of loop; the names are known to be right. `backend`
 * NULL: the default of this platform. */
void limits_print_diff(const char *profiles[2], const char *backend, bool as_json);

/* The page docs/platforms.md, the same wherever it is printed. */
void limits_print_page(void);

#endif
