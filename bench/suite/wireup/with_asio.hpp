// SPDX-License-Identifier: MIT
#include <asio.hpp>

// The reactor is made when the first socket or timer is.
static void wireup_once()
{
    asio::io_context context(1);
    asio::steady_timer timer(context);
    timer.expires_after(std::chrono::hours(1));
    timer.async_wait([](std::error_code) {});
    context.poll();
}
