/* SPDX-License-Identifier: MIT */
/* The names of the backends. */
#ifndef BACKENDS_H
#define BACKENDS_H

#include <isoloop.h>

/* The backend with this exact name; NULL for a name that the library does not know. Static. */
const iso_backend *backends_find(const char *name);

/* Whether the library knows this name, available here or not: an exact one ("selector:poll"), or a
 * kind ("selector", "proactor"), which means the best of that kind. */
bool backends_know(const char *name);

#endif
