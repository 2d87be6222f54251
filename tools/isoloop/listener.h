/* SPDX-License-Identifier: MIT */
/* Opening a server of the echo application. */
#ifndef LISTENER_H
#define LISTENER_H

#include "echo.h"

/* Run the loop until the server is there, and let it serve. service->server is then the caller's to
 * release. Returns 0, or why there is none. The loop must not be running. */
int listener_open(iso_loop *loop, const char *host, uint16_t port, echo_service *service);

/* Run the loop until the server is closed and its last connection lost. Releases service->server.
 * Returns 0, ISO_ESTOPPED when something stopped the loop before that, or what the loop failed
 * with. */
int listener_wait(iso_loop *loop, echo_service *service);

#endif
