/* SPDX-License-Identifier: MIT */
/* Windows has no signals to bring to a loop: the row windows.signals refuses before anybody comes
 * here. */
#include "sys/signals.h"

#include "isoloop/error.h"

bool iso__sys_signal_exists(int signum)
{
    (void)signum;
    return false;
}

int iso__sys_signals_open(iso__signal_sink *sink)
{
    (void)sink;
    return ISO_ENOTSUP;
}

void iso__sys_signals_close(iso__signal_sink *sink)
{
    (void)sink;
}

int iso__sys_signals_want(iso__signal_sink *sink, int signum)
{
    (void)sink;
    (void)signum;
    return ISO_ENOTSUP;
}

void iso__sys_signals_unwant(iso__signal_sink *sink, int signum)
{
    (void)sink;
    (void)signum;
}

void iso__sys_signals_drain(const iso__signal_sink *sink)
{
    (void)sink;
}

bool iso__sys_signals_take(iso__signal_sink *sink, int signum)
{
    (void)sink;
    (void)signum;
    return false;
}
