/* SPDX-License-Identifier: MIT */
/* A name service of the tests' own. It takes the place of the library's when a test is linked
 * (sys/resolve.h), so that a name has the addresses that the case wants it to have, an answer takes
 * as long as the case says, and no case asks the network. */
#ifndef ISO_TESTS_IO_NAMES_H
#define ISO_TESTS_IO_NAMES_H

#include "kit.h"

/* Forget every name. */
void names_clear(void);

/* One more address of a name; port 0: the port that is asked for. */
void names_add(const char *host, const char *literal, uint16_t port);
void names_add_address(const char *host, const iso_address *address);

/* Every look-up waits here before it answers; NULL: none does. */
void names_hold(kit_gate *gate);

/* How many look-ups began, and how many ended. Thread: any. */
int names_begun(void);
int names_ended(void);

/* Wait until so many have begun, or have ended: they may outlive the loop, and must not outlive the
 * case. */
void names_await_begun(int count);
void names_await_ended(int count);

#endif
