/* SPDX-License-Identifier: MIT */
/* The API from C++: the headers are taken, and the names link. */
#include <cstdio>
#include <isoloop.h>

int main()
{
    iso_loop_options options = ISO_LOOP_OPTIONS_INIT;
    iso_loop *loop = nullptr;

    if (iso_loop_new(&loop, &options) != 0) return 1;
    int rc = iso_loop_call_soon(
        loop, [](iso_loop *self, void *) { iso_loop_stop(self); }, nullptr, nullptr);
    if (rc == 0) rc = iso_loop_run_forever(loop);
    iso_loop_release(loop);
    if (rc == 0) std::printf("isoloop %s\n", iso_version());
    return rc != 0;
}
