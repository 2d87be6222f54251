// SPDX-License-Identifier: MIT
#include <asio.hpp>

static asio::io_context loops[2] = { asio::io_context(), asio::io_context() };

static void posts_open(long)
{
}

static void posts_send(int loop, long number)
{
    asio::post(loops[loop], [loop, number] { posts_told(loop, number); });
}

static void posts_stop(int loop)
{
    loops[loop].stop();
}

static void posts_run(int loop)
{
    auto work = asio::make_work_guard(loops[loop]);
    loops[loop].restart();
    loops[loop].run();
}
