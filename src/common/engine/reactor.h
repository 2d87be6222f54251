/* SPDX-License-Identifier: MIT */
/* The driver of every SelectorEventLoop: I/O performed when a selector says that it can be. */
#ifndef ISO_ENGINE_REACTOR_H
#define ISO_ENGINE_REACTOR_H

#include "engine/engine.h"
#include "engine/selector.h"

/* Put a reactor over `selector` into engine->driver. The selector is given when it returns 0; else
 * ISO_ENOMEM, ISO_EMFILE, or what the selector answers to the first registration. */
int iso__reactor_open(iso__engine *engine, iso_selector *selector);

#endif
