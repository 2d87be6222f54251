/* SPDX-License-Identifier: MIT */
#include "loop/child.h"

const int child_signal_number = 0;
const int child_uncatchable[] = { 0 };

void child_run(kit *k, void (*body)(kit *k, void *arg), void *arg)
{
    (void)k;
    (void)body;
    (void)arg;
    REQUIRE(!"Windows has no fork");
}

void child_start(kit *k, child *out, int code)
{
    (void)k;
    (void)out;
    (void)code;
    REQUIRE(!"Windows has no fork");
}

void child_release(kit *k, child *self)
{
    (void)k;
    (void)self;
}

void child_kill(const child *self, int signum)
{
    (void)self;
    (void)signum;
}

void child_await_ended(const child *self)
{
    (void)self;
}

bool child_reap(const child *self)
{
    (void)self;
    return false;
}

void child_await_reaped(const child *self)
{
    (void)self;
}

void child_debug(kit *k, child_debugger *out, const child *of)
{
    (void)k;
    (void)out;
    (void)of;
    REQUIRE(!"Windows has no children");
}

void child_debug_await_ended(const child_debugger *self)
{
    (void)self;
}

void child_debug_end(kit *k, child_debugger *self)
{
    (void)k;
    (void)self;
}

int64_t child_own_number(void)
{
    return 1;
}

void child_signal_self(int signum)
{
    (void)signum;
}

void child_unblock_signals(void)
{
}

bool child_restarts(int signum)
{
    (void)signum;
    return false;
}
