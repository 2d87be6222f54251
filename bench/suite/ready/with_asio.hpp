// SPDX-License-Identifier: MIT
#include <asio.hpp>

static asio::io_context context(1);

static void ready_open(long chains)
{
    (void)chains;
}

static void ready_post(long chain)
{
    asio::post(context, [chain] { callback_ran(chain); });
}

// run() ends when nothing is posted
static void ready_stop()
{
}

static void ready_run()
{
    context.restart();
    context.run();
}

static void ready_close()
{
}
