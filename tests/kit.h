/* SPDX-License-Identifier: MIT */
/* The test kit. A test file is a list of cases:
 *
 *     #include "kit.h"
 *
 *     KIT_TEST(call_soon_runs_in_the_next_turn)
 *     {
 *         iso_loop *loop = kit_loop(k);
 *
 *         CHECK_OK(iso_loop_call_soon(loop, kit_mark, "a", NULL));
 *         CHECK_STR(kit_marks(k), "");
 *         kit_turn(k, loop);
 *         CHECK_STR(kit_marks(k), "a");
 *     }
 *
 *     static const kit_case cases[] = {
 *         KIT_CASE(call_soon_runs_in_the_next_turn),
 *     };
 *
 *     KIT_MAIN(cases)
 *
 * and one line in tests/CMakeLists.txt. Every case gets a fresh kit, `k`. What the kit made is the
 * kit's to give back: at the end of the case it releases its loops, joins its threads, closes its
 * descriptors, and then demands that nothing is left: no object open in a loop, nothing registered
 * but what the loop began with, not a byte nor a block of memory, no descriptor, and no line in the
 * log that the case did not ask for with kit_logged. (Descriptors: all of the process on POSIX; on
 * Windows its sockets, for other handles come and go with the system's own threads.) The loops
 * outlive the function of the case: what they still use when it returns is static, or the case
 * calls kit_release_loop.
 *
 * A check that fails is told and the case goes on; REQUIRE ends the program, for what makes no
 * sense to go on without. Both may be used from any thread and any callback.
 *
 * The program takes parts of names as arguments, and runs only cases whose names contain one of
 * them;
 * --list names all, --repeat N runs all N times. It ends with 0, 1 (failed), or 77 when every case
 * was skipped, or the running system has not what the backend needs. The environment chooses what to test: ISOLOOP_LOOP the backend of kit_loop,
 * ISOLOOP_TEST_POLLER the poller of kit_poller; ISOLOOP_TEST_TIMEOUT is the number of seconds after
 * which the kit ends a program that hangs, and says where. */
#ifndef ISO_TESTS_KIT_H
#define ISO_TESTS_KIT_H

#include "base/atomic.h"
#include "base/compiler.h"
#include "engine/poller.h"
#include "isoloop.h"
#include "sys/thread.h"

#if defined(_MSC_VER)
#pragma warning(disable : 4100) /* a case that does not use its kit */
#define KIT_UNUSED
#else
#define KIT_UNUSED __attribute__((unused))
#endif

typedef struct kit kit;

/* ---- cases ---------------------------------------------------------------------------------- */

typedef struct kit_case {
    const char *name;
    void (*run)(kit *k);
} kit_case;

#define KIT_TEST(name) static void name(KIT_UNUSED kit *k)
/* clang-format off */
#define KIT_CASE(name) { #name, name }
/* clang-format on */
#define KIT_MAIN(cases)                                                                            \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        return kit_main(argc, argv, cases, ISO__COUNT(cases));                                     \
    }

int kit_main(int argc, char **argv, const kit_case *cases, size_t count);

/* ---- checks: each answers whether it held ---------------------------------------------------- */

#define CHECK(condition) kit_check((condition), __FILE__, __LINE__, #condition)
/* Two integers: what there is, and what there should be. */
#define CHECK_EQ(is, should)                                                                       \
    kit_check_int((long long)(is), "==", (long long)(should), __FILE__, __LINE__,                  \
                  #is " == " #should)
#define CHECK_GE(is, least)                                                                        \
    kit_check_int((long long)(is), ">=", (long long)(least), __FILE__, __LINE__, #is " >= " #least)
#define CHECK_LE(is, most)                                                                         \
    kit_check_int((long long)(is), "<=", (long long)(most), __FILE__, __LINE__, #is " <= " #most)
/* An error code, told by its name; and 0. */
#define CHECK_RC(is, should) kit_check_rc((int)(is), (int)(should), __FILE__, __LINE__, #is)
#define CHECK_OK(is) CHECK_RC(is, 0)
#define CHECK_STR(is, should) kit_check_str((is), (should), __FILE__, __LINE__, #is)
#define CHECK_HAS(text, part) kit_check_has((text), (part), __FILE__, __LINE__, #text)
#define CHECK_PTR(is, should)                                                                      \
    kit_check((const void *)(is) == (const void *)(should), __FILE__, __LINE__, #is " == " #should)
/* The same for what there is no going on without. */
#define REQUIRE(condition) kit_require(CHECK(condition))
#define REQUIRE_OK(is) kit_require(CHECK_OK(is))

bool kit_check(bool holds, const char *file, int line, const char *text);
bool kit_check_int(long long is, const char *relation, long long should, const char *file, int line,
                   const char *text);
bool kit_check_rc(int is, int should, const char *file, int line, const char *text);
bool kit_check_str(const char *is, const char *should, const char *file, int line,
                   const char *text);
bool kit_check_has(const char *text, const char *part, const char *file, int line,
                   const char *expression);
void kit_require(bool holds);

/* Whether a check of this case has failed, to get out of a long loop. */
bool kit_has_failed(const kit *k);

/* Whether the backend of the matrix can do it. If not, the case is skipped, by the row of the
 * limits table that says so: if (!kit_needs(k, ISO_CAP_WATCH)) return; */
bool kit_needs(kit *k, iso_capability capability);

/* Skip for a row that has no capability; answers false, as kit_needs. The row must exist. */
bool kit_skip(kit *k, const char *limit_id);

/* ---- marks: the order in which things happened
 * ------------------------------------------------ */

/* An iso_callback that writes down its argument, a short string; and an iso_future_callback. */
void kit_mark(iso_loop *loop, void *text);
void kit_mark_future(iso_future *future, void *text);
void kit_add_mark(kit *k, const char *text);

/* Everything written down so far, in order; and begin again. */
const char *kit_marks(const kit *k);
void kit_clear_marks(kit *k);

/* iso_callbacks: add one to an int; stop the loop; nothing. */
void kit_count(iso_loop *loop, void *number);
void kit_stop(iso_loop *loop, void *unused);
void kit_nothing(iso_loop *loop, void *unused);

/* ---- loops ----------------------------------------------------------------------------------- */

/* A loop on the backend of the matrix, with the counting allocator and a logger that is listened
 * to. */
iso_loop *kit_loop(kit *k);

/* The same under the profile native: for what the documents deny, and the system does. */
iso_loop *kit_native_loop(kit *k);

/* The options of such a loop, for a case that changes some; a loop with them; and a loop that was
 * made by itself put in the kit's care. */
iso_loop_options kit_options(kit *k);
iso_loop *kit_loop_with(kit *k, const iso_loop_options *options);
void kit_adopt_loop(kit *k, iso_loop *loop);

/* Release a loop before the end of the case, with the demands of the end. */
void kit_release_loop(kit *k, iso_loop *loop);

/* Not the end of a loop: it goes away on its own. */
void kit_forget_loop(kit *k, iso_loop *loop);

/* One turn that does not wait; answers how many callbacks ran. */
int kit_turn(kit *k, iso_loop *loop);

/* Turns that do not wait until nothing is ready any more. */
void kit_settle(kit *k, iso_loop *loop);

/* Run until the future is done, or fail after a generous time; answers what the future ended with.
 * The second one releases it too. */
int kit_run(kit *k, iso_loop *loop, iso_future *future);
int kit_run_release(kit *k, iso_loop *loop, iso_future *future);

/* Run turns until a counter, which callbacks of the loop change, is at least `wanted`, or fail
 * after a generous time; answers whether it is. */
bool kit_run_until(kit *k, iso_loop *loop, const int *counter, int wanted);

/* What is alive in it. */
iso_loop_statistics kit_statistics(const iso_loop *loop);

/* The backend of the matrix, "selector:epoll". */
const char *kit_backend(const kit *k);

/* ---- the poller of the matrix
 * ----------------------------------------------------------------- */

/* The one that ISOLOOP_TEST_POLLER names, or that the backend is made of. */
const iso__poller *kit_poller(const kit *k);

/* A selector over it, of counted memory; the caller closes it, or gives it to a loop. */
iso_selector *kit_selector(kit *k);

/* ---- virtual time
 * ----------------------------------------------------------------------------- */

/* A loop whose clock stands still, and jumps to the next timer when the loop would wait for it. I/O
 * goes through the poller of the matrix, and comes first: a wait looks at the descriptors before it
 * jumps, and again after it. A wait that no timer ends is a real one. */
iso_loop *kit_virtual_loop(kit *k);

typedef struct kit_clock {
    iso_nsec now;
    iso_nsec patience;     /* real time that each wait gives to I/O before it jumps; 0 at first */
    iso_nsec last_timeout; /* of the last wait */
    int waits;
    int jumps;
} kit_clock;

kit_clock *kit_clock_of(kit *k);

/* Let virtual time pass, within a callback too. */
void kit_advance(kit *k, iso_nsec span);

/* The clock, for a loop of the case's own making. */
iso_clock kit_virtual_clock(kit *k);

/* The real time, monotonic. */
iso_nsec kit_now(void);

/* ---- memory
 * ----------------------------------------------------------------------------------- */

/* The counting allocator. It moves with every resize, fills memory with rubbish before and after,
 * and checks the sizes that it is told against its own. Thread: any. */
const iso_allocator *kit_allocator(kit *k);

typedef struct kit_memory {
    size_t bytes; /* that are out now, */
    size_t blocks;
    size_t peak_bytes;    /* the most that ever were */
    uint64_t allocations; /* how often something was made, or made larger */
    uint64_t failures;    /* how often it was refused */
} kit_memory;

kit_memory kit_memory_now(kit *k);

/* Refuse the nth allocation from now on, 1 being the next one, and, if `from_then_on`, every later
 * one. 0: refuse none any more. */
void kit_fail_allocation(kit *k, uint64_t nth, bool from_then_on);

/* ---- the log
 * ---------------------------------------------------------------------------------- */

/* Whether a line with this text in it came; such lines are expected from here on. */
bool kit_logged(kit *k, const char *part);

/* How many lines came that have it, all for "". */
int kit_log_count(kit *k, const char *part);

/* A logger of the library writes to a kit: its context is `k`. Thread: any. */
void kit_logger(void *context, iso_log_level level, const char *message);

/* ---- descriptors: closed at the end of the case, unless they were before
 * ------------------------ */

/* Two connected stream sockets, non-blocking. */
void kit_pair(kit *k, iso_fd out[2]);

/* A socket that listens on 127.0.0.1, at a port that was free; *address, if not NULL, is where. */
iso_fd kit_listen(kit *k, iso_address *address);

/* An address at which nobody listens, and nobody will before the end of the case. */
void kit_dead_address(kit *k, iso_address *address);

/* A socket that is connected, or about to be, to an address; and the other end of it. */
iso_fd kit_connect(kit *k, const iso_address *address);
iso_fd kit_accept(kit *k, iso_fd listener);

/* A pipe, its reading end first (on Windows not opened for overlapped use); a regular file; a
 * device that is no terminal (/dev/null, NUL). */
void kit_pipe(kit *k, iso_fd out[2]);
iso_fd kit_regular_file(kit *k);
iso_fd kit_device(kit *k);

/* A regular file that has these bytes, to be read from its beginning. */
iso_fd kit_file(kit *k, const void *data, size_t size);

/* Close one now. */
void kit_close(kit *k, iso_fd fd);

/* It is somebody else's from here on; or the kit's. */
iso_fd kit_give(kit *k, iso_fd fd);
iso_fd kit_own(kit *k, iso_fd fd);

/* Wait until `fd` is readable or writable (ISO_EVENT_...), or fail after a generous time. */
void kit_await(kit *k, iso_fd fd, unsigned events);

/* Send all of it; receive exactly `size` bytes, or until the end: answers how many, or an error.
 * For a socket that the loop does not serve, or in a thread that has no loop. */
void kit_send(kit *k, iso_fd fd, const void *data, size_t size);
ptrdiff_t kit_recv(kit *k, iso_fd fd, void *data, size_t size);

/* Write into a pipe, or a socket, one byte that makes the other end readable. */
void kit_poke(kit *k, iso_fd fd);

/* Make it never writable: send until the system takes no more. Answers how many bytes went. */
size_t kit_fill(kit *k, iso_fd fd);

/* The same open file under a number that is at least `lowest`; ISO_FD_NONE where the system
 * chooses. */
iso_fd kit_duplicate_above(kit *k, iso_fd fd, iso_fd lowest);

/* Tie it to a completion port that is no loop's, for good; false where there are none. */
bool kit_tie_to_a_port(kit *k, iso_fd fd);

/* See to it that the process may have so many descriptors open, from here on. Where it may not the
 * case is skipped, by the row process.descriptors: if (!kit_allow_descriptors(k, 1200)) return; */
bool kit_allow_descriptors(kit *k, int count);

/* Leave the process without a free descriptor (ISO_EMFILE); and with, again. Where a process has no
 * such limit the case is skipped, by the row process.descriptors: if (!kit_exhaust(k)) return; */
bool kit_exhaust(kit *k);
void kit_replenish(kit *k);

/* ---- threads
 * ----------------------------------------------------------------------------------- */

/* A thread; joined at the end of the case, or by kit_join_all. */
void kit_thread(kit *k, void (*run)(void *arg), void *arg);
void kit_join_all(kit *k);

/* A gate is shut at first. Whoever waits goes through once it is open, for good. Freed at the end
 * of the case. A wait that takes too long ends the program. Thread: any. */
typedef struct kit_gate kit_gate;

kit_gate *kit_gate_new(kit *k);
void kit_gate_open(kit_gate *gate);
void kit_gate_wait(kit_gate *gate);

/* ---- the rest
 * ---------------------------------------------------------------------------------- */

/* A variable of the environment; NULL: none. It is as it was at the end of the case. */
void kit_setenv(kit *k, const char *name, const char *value);

/* Whether Windows is played by Wine, for what it does differently. */
bool kit_is_wine(void);

/* Numbers that look random, the same in every run, but that ISOLOOP_TEST_SEED chooses others. */
uint32_t kit_random(kit *k);
uint32_t kit_random_below(kit *k, uint32_t bound);

#endif
