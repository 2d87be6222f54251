/* SPDX-License-Identifier: MIT */
/* Ten thousand subprocesses, 64 at once, and what comes with many: some with pipes, some killed as
 * soon as they run, some whose program is not there. Each ends with its own code, told once; in the
 * end there is no child left, no zombie, and no descriptor or handle.
 *
 * STRESS_SHARE, from the build: start only one in so many, and say so. */
#include "io/process_system.h"
#include "kit.h"

#include <stdio.h>
#include <string.h>

#if !defined(STRESS_SHARE)
#define STRESS_SHARE 1
#endif

enum {
    STARTS = 10000 / STRESS_SHARE,
    AT_ONCE = 64,
    CODES = 200, /* of what ends by itself */
    PERIOD = 32  /* of what there is of each kind */
};

typedef enum fate { ENDS, TALKS, IS_KILLED, IS_NOT_THERE } fate;

typedef struct crowd crowd;

typedef struct one {
    crowd *owner; /* NULL: this place is free */
    fate fate;
    int code; /* that it is to end with */
    int exits;
    size_t received;
} one;

struct crowd {
    kit *k;
    iso_loop *loop;
    one places[AT_ONCE];
    int started;
    int running;
    int refused; /* since they are not there */
    int talked;
    int killed;
};

static fate fate_of(int number)
{
    switch (number % PERIOD) {
    case 1:
    case 17: return TALKS;
    case 5: return IS_KILLED;
    case 9: return IS_NOT_THERE;
    default: return ENDS;
    }
}

/* ---- what is told ---- */

static void made(iso_process *process, void *arg)
{
    one *self = arg;
    int rc;

    if (self->fate != IS_KILLED) return;
    rc = iso_process_kill(process);
    CHECK_OK(rc); /* it hangs: it can't have ended */
}

static void received(iso_process *process, void *arg, int fd, const void *data, size_t size)
{
    one *self = arg;

    (void)process;
    CHECK_EQ(fd, 1);
    CHECK(memcmp(data, &"<word>\n"[self->received], size) == 0);
    self->received += size;
}

static void exited(iso_process *process, void *arg)
{
    one *self = arg;
    int code = -1;

    CHECK_OK(iso_process_get_returncode(process, &code));
    CHECK_EQ(code, self->code);
    self->exits++;
}

static void lost(iso_process *process, void *arg, int error)
{
    one *self = arg;

    (void)process;
    CHECK_OK(error);
    CHECK_EQ(self->exits, 1);
    CHECK_EQ(self->received, self->fate == TALKS ? 7 : 0);
    if (self->fate == TALKS) self->owner->talked++;
    if (self->fate == IS_KILLED) self->owner->killed++;
    self->owner->running--;
    self->owner = NULL;
}

static const iso_subprocess_protocol telling = { .connection_made = made,
                                                 .pipe_data_received = received,
                                                 .process_exited = exited,
                                                 .connection_lost = lost };

static void ended(iso_future *future, void *arg)
{
    one *self = arg;

    if (iso_future_error(future) == 0) return; /* the process is told of by itself */
    CHECK_RC(iso_future_error(future), ISO_ENOENT);
    CHECK_EQ(self->fate, IS_NOT_THERE);
    self->owner->refused++;
    self->owner->running--;
    self->owner = NULL;
}

/* ---- the crowd ---- */

static const char *const *argv_of(const one *self, char *code, size_t size, const char **argv)
{
    (void)snprintf(code, size, "%d", self->code);
    argv[0] = CHILD_PROGRAM;
    argv[1] = "exit";
    argv[2] = code;
    argv[3] = NULL;
    if (self->fate == TALKS) argv[1] = "args";
    if (self->fate == TALKS) argv[2] = "word";
    if (self->fate == IS_KILLED) argv[1] = "hang";
    if (self->fate == IS_NOT_THERE) argv[0] = CHILD_FOLDER "/isoloop-has-no-such-program";
    return argv;
}

static void start(crowd *self, one *place)
{
    iso_subprocess_options options = ISO_SUBPROCESS_OPTIONS_INIT;
    iso_future *future = NULL;
    const char *argv[4];
    char code[16];

    memset(place, 0, sizeof(*place));
    place->owner = self;
    place->fate = fate_of(self->started);
    if (place->fate == ENDS) place->code = self->started % CODES;
    if (place->fate == IS_KILLED) place->code = process_system_here.killed;
    self->started++;
    self->running++;
    options.stdin_is = ISO_STDIO_NULL;
    options.stdout_is = place->fate == TALKS ? ISO_STDIO_PIPE : ISO_STDIO_NULL;
    options.stderr_is = ISO_STDIO_NULL;
    REQUIRE_OK(iso_loop_subprocess_exec(
        self->loop, &telling, place, argv_of(place, code, sizeof(code), argv), &options, &future));
    REQUIRE_OK(iso_future_add_done_callback(future, ended, place));
    iso_future_release(future);
}

static void fill(crowd *self)
{
    int at;

    for (at = 0; at < AT_ONCE && self->started < STARTS; at++) {
        if (self->places[at].owner == NULL) start(self, &self->places[at]);
    }
}

static void run(crowd *self, int starts)
{
    self->started = 0;
    while (!kit_has_failed(self->k)) {
        if (self->started < starts) fill(self);
        if (self->running == 0 && self->started >= starts) return;
        CHECK_GE(iso_loop_run_once(self->loop, ISO_S(30)), 0);
    }
}

KIT_TEST(ten_thousand_are_started_and_nothing_is_left)
{
    static crowd c;
    int before;

    if (!kit_needs(k, ISO_CAP_SUBPROCESS)) return;
    memset(&c, 0, sizeof(c));
    c.k = k;
    c.loop = kit_loop(k);
    start(&c, &c.places[0]); /* what the system makes once is there then */
    while (c.running > 0 && !kit_has_failed(k)) CHECK_GE(iso_loop_run_once(c.loop, ISO_S(30)), 0);
    before = process_system_count_handles();

    run(&c, STARTS);
    CHECK_EQ(c.started, STARTS);
    CHECK_EQ(kit_statistics(c.loop).objects, 0);
    CHECK_GE(c.talked, STARTS / PERIOD);
    CHECK_GE(c.killed, STARTS / PERIOD - 1);
    CHECK_GE(c.refused, STARTS / PERIOD - 1);
    CHECK(!process_system_has_children());
    CHECK_LE(process_system_count_handles(), before + 2 * AT_ONCE); /* some come and go */
    printf("        %d started: %d talked, %d were killed, %d were not there\n", c.started,
           c.talked, c.killed, c.refused);
    if (STRESS_SHARE != 1) printf("        (1 in %d: this build has STRESS_SHARE)\n", STRESS_SHARE);
}

static const kit_case cases[] = {
    KIT_CASE(ten_thousand_are_started_and_nothing_is_left),
};

KIT_MAIN(cases)
