/* SPDX-License-Identifier: MIT */
/* Choosing a backend: by default, by the environment, by name, or with a selector of one's own. */
#include <isoloop.h>
#include <stdio.h>

static void on_turn(iso_loop *loop, void *arg)
{
    (void)arg;
    printf("  running on %s\n", iso_loop_backend(loop));
    iso_loop_stop(loop);
}

/* Run one callback, and be done with the loop. */
static int use(iso_loop *loop)
{
    int rc = iso_loop_call_soon(loop, on_turn, NULL, NULL);
    if (rc == 0) rc = iso_loop_run_forever(loop);
    iso_loop_close(loop);
    iso_loop_release(loop);
    return rc;
}

/* NULL options: the environment variable ISOLOOP_LOOP, or else the best of this platform. */
static int by_default(void)
{
    iso_loop *loop;
    puts("no choice:");
    int rc = iso_loop_new(&loop, NULL);
    return rc == 0 ? use(loop) : rc;
}

static int by_name(const char *name)
{
    iso_loop *loop;
    iso_loop_options options = ISO_LOOP_OPTIONS_INIT;
    options.backend = name;
    printf("by name, \"%s\":\n", name);
    int rc = iso_loop_new(&loop, &options);
    return rc == 0 ? use(loop) : rc;
}

/* Every name that the library knows; what is not here says why. */
static int each_by_name(void)
{
    const iso_backend *backends;
    const size_t count = iso_backends(&backends);
    int rc = 0;
    for (size_t i = 0; i < count && rc == 0; i++) {
        if (backends[i].available)
            rc = by_name(backends[i].name);
        else
            printf("not here: %s (%s)\n", backends[i].name, backends[i].reason);
    }
    return rc;
}

/* asyncio.SelectorEventLoop(selectors.SelectSelector()): for character devices on an old macOS,
 * say, which kqueue cannot watch and select can. */
static int by_selector(void)
{
    iso_selector *selector;
    iso_loop *loop;
    puts("with a selector of one's own:");
    int rc = iso_selector_new(&selector, "select");
    if (rc != 0) return rc;
    rc = iso_selector_event_loop_new(&loop, selector);
    if (rc == 0) return use(loop); /* the loop owns the selector now */
    iso_selector_close(selector);
    return rc;
}

/* There is no silent fallback: an unknown name is an error, which lists what there is. */
static int by_a_wrong_name(void)
{
    int rc = by_name("selector:abacus");
    printf("  %s: %s\n", iso_strerror(rc), iso_error_detail());
    return rc == ISO_ENOTSUP ? 0 : ISO_EINVALIDSTATE;
}

/* choose_backend [NAME] */
int main(int argc, char **argv)
{
    int rc;
    if (argc > 1) {
        rc = by_name(argv[1]);
    } else {
        rc = by_default();
        if (rc == 0) rc = each_by_name();
        if (rc == 0) rc = by_selector();
        if (rc == 0) rc = by_a_wrong_name();
    }
    if (rc != 0) fprintf(stderr, "choose_backend: %s %s\n", iso_strerror(rc), iso_error_detail());
    return rc != 0;
}
