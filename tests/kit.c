/* SPDX-License-Identifier: MIT */
#include "kit.h"

#include "base/error.h"
#include "engine/selector.h"
#include "loop/loop.h"
#include "support/kit_os.h"
#include "sys/clock.h"
#include "sys/descriptor.h"
#include "sys/sock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    EXIT_SKIPPED = 77,
    EXIT_HUNG = 3,
    DEFAULT_TIMEOUT_S = 60,
    FAILURES_TOLD = 8,
    LOOPS = 64,
    THREADS = 64,
    GATES = 64,
    VARIABLES = 16,
    DESCRIPTORS = 8192,
    LINES = 256
};

/* What a wait on one machine with itself never takes. */
#define GENEROUS ISO_S(30)

typedef struct log_line {
    char text[300];
    bool is_expected;
} log_line;

typedef struct loop_entry {
    iso_loop *loop; /* NULL: released */
    uint32_t registered;
    bool is_virtual;
} loop_entry;

typedef struct variable {
    char name[64];
    char value[256];
    bool was_there;
} variable;

struct kit {
    const kit_case *test;
    iso__mutex lock; /* of what any thread may change: failures, memory, the log */
    int failures;
    bool is_skipped;
    bool is_exhausted;

    iso_allocator allocator;
    kit_memory memory;
    uint64_t fail_after; /* allocations; 0: none fails */
    bool fails_on;

    kit_clock clock;
    iso__driver_class virtual_driver;
    const iso__driver_class *real_driver;
    uint64_t random;
    size_t marks_length;
    char marks[8192];

    int line_count;
    int lines_lost;
    log_line lines[LINES];

    int loop_count;
    loop_entry loops[LOOPS];
    int thread_count;
    iso__thread threads[THREADS];
    int gate_count;
    kit_gate *gates[GATES];
    int variable_count;
    variable variables[VARIABLES];
    int descriptors_before;
    int descriptor_count;
    iso_fd descriptors[DESCRIPTORS];
    kit *next_failed;
};

static kit *current;      /* one case at a time */
static kit *first_failed; /* kept, for what such a case leaked may point to its kit */

/* ---- failures ---- */

/* Where in this repository, whatever machine it lies on. */
static const char *short_name(const char *file)
{
    const char *found = NULL;
    const char *at;

    for (at = file; (at = strstr(at, "tests")) != NULL; at++) found = at;
    return found != NULL ? found : file;
}

static void tell_failure(const char *file, int line, const char *text)
{
    iso__sys_mutex_lock(&current->lock);
    if (current->failures++ < FAILURES_TOLD)
        printf("FAILED  %s  %s:%d: %s\n", current->test->name, short_name(file), line, text);
    (void)fflush(stdout);
    iso__sys_mutex_unlock(&current->lock);
}

bool kit_check(bool holds, const char *file, int line, const char *text)
{
    if (!holds) tell_failure(file, line, text);
    return holds;
}

static bool compare(long long is, const char *relation, long long should)
{
    if (relation[0] == '>') return is >= should;
    if (relation[0] == '<') return is <= should;
    return is == should;
}

bool kit_check_int(long long is, const char *relation, long long should, const char *file, int line,
                   const char *text)
{
    char words[400];

    if (compare(is, relation, should)) return true;
    (void)snprintf(words, sizeof(words), "%s: it is %lld, not %s %lld", text, is, relation, should);
    tell_failure(file, line, words);
    return false;
}

bool kit_check_rc(int is, int should, const char *file, int line, const char *text)
{
    char words[700];

    if (is == should) return true;
    (void)snprintf(words, sizeof(words), "%s: it is %s (%d), not %s; detail: %.200s", text,
                   iso_error_name(is), is, iso_error_name(should), iso_error_detail());
    tell_failure(file, line, words);
    return false;
}

bool kit_check_str(const char *is, const char *should, const char *file, int line, const char *text)
{
    char words[1200];

    if (is != NULL && should != NULL && strcmp(is, should) == 0) return true;
    (void)snprintf(words, sizeof(words), "%.200s: it is \"%.400s\", not \"%.400s\"", text,
                   is != NULL ? is : "(null)", should != NULL ? should : "(null)");
    tell_failure(file, line, words);
    return false;
}

bool kit_check_has(const char *text, const char *part, const char *file, int line,
                   const char *expression)
{
    char words[1200];

    if (text != NULL && strstr(text, part) != NULL) return true;
    (void)snprintf(words, sizeof(words), "%.200s: \"%.400s\" has no \"%.400s\"", expression,
                   text != NULL ? text : "(null)", part);
    tell_failure(file, line, words);
    return false;
}

void kit_require(bool holds)
{
    if (holds) return;
    printf("        there is no going on from here; the cases after this one are not run\n");
    (void)fflush(stdout);
    _Exit(EXIT_FAILURE);
}

bool kit_has_failed(const kit *k)
{
    return k->failures > 0;
}

/* ---- skipping ---- */

bool kit_skip(kit *k, const char *limit_id)
{
    size_t count;
    const iso_limit *rows = iso_limits(&count);
    size_t row;

    for (row = 0; row < count; row++) {
        if (strcmp(rows[row].id, limit_id) != 0) continue;
        k->is_skipped = true;
        printf("skipped %s  %s\n", k->test->name, limit_id);
        return false;
    }
    CHECK_STR(limit_id, "the id of a row of the limits table");
    return false;
}

/* The row that takes it away from this loop. */
static const char *reason_of(const iso_loop *loop, iso_capability capability)
{
    size_t row;
    const iso_limit *rows = iso_limits(&row);

    while (row-- > 0) {
        if (!iso_limits_allow((uint64_t)1 << row, capability) &&
            iso_loop_limit_enforced(loop, rows[row].id))
            return rows[row].id;
    }
    return "no row says why";
}

bool kit_needs(kit *k, iso_capability capability)
{
    iso_loop_options options = kit_options(k);
    const char *reason;
    iso_loop *loop;
    bool has;

    REQUIRE_OK(iso_loop_new(&loop, &options));
    has = iso_loop_supports(loop, capability);
    reason = reason_of(loop, capability);
    iso_loop_release(loop);
    return has || kit_skip(k, reason);
}

/* ---- marks ---- */

void kit_add_mark(kit *k, const char *text)
{
    size_t size = strlen(text);

    REQUIRE(k->marks_length + size < sizeof(k->marks));
    memcpy(k->marks + k->marks_length, text, size + 1);
    k->marks_length += size;
}

void kit_mark(iso_loop *loop, void *text)
{
    (void)loop;
    kit_add_mark(current, text);
}

void kit_mark_future(iso_future *future, void *text)
{
    (void)future;
    kit_add_mark(current, text);
}

const char *kit_marks(const kit *k)
{
    return k->marks;
}

void kit_clear_marks(kit *k)
{
    k->marks[0] = '\0';
    k->marks_length = 0;
}

void kit_count(iso_loop *loop, void *number)
{
    (void)loop;
    ++*(int *)number;
}

void kit_stop(iso_loop *loop, void *unused)
{
    (void)unused;
    (void)iso_loop_stop(loop);
}

void kit_nothing(iso_loop *loop, void *unused)
{
    (void)loop;
    (void)unused;
}

/* ---- memory ---- */

typedef struct block_head {
    size_t size;
    uint64_t magic;
} block_head;

enum { HEAD_BYTES = 16 }; /* what comes behind is aligned for everything */

static const uint64_t MAGIC = UINT64_C(0x150100B51AB0C4ED);

_Static_assert(sizeof(block_head) <= HEAD_BYTES, "the head fits");

/* Under the lock. */
static bool is_refused(kit *k)
{
    if (k->fail_after == 0) return false;
    if (k->fail_after > 1) {
        k->fail_after--;
        return false;
    }
    if (!k->fails_on) k->fail_after = 0;
    k->memory.failures++;
    return true;
}

/* Count `size` bytes more in one more block; false: refused. */
static bool count_in(kit *k, size_t size)
{
    bool refused;

    iso__sys_mutex_lock(&k->lock);
    refused = is_refused(k);
    if (!refused) {
        k->memory.allocations++;
        k->memory.bytes += size;
        k->memory.blocks++;
        if (k->memory.bytes > k->memory.peak_bytes) k->memory.peak_bytes = k->memory.bytes;
    }
    iso__sys_mutex_unlock(&k->lock);
    return !refused;
}

static void count_out(kit *k, size_t size)
{
    iso__sys_mutex_lock(&k->lock);
    k->memory.bytes -= size;
    k->memory.blocks--;
    iso__sys_mutex_unlock(&k->lock);
}

static void *make_block(kit *k, size_t size)
{
    block_head *head;

    if (!count_in(k, size)) return NULL;
    head = malloc(HEAD_BYTES + size);
    REQUIRE(head != NULL);
    head->size = size;
    head->magic = MAGIC;
    memset((char *)head + HEAD_BYTES, 0xA5, size);
    return (char *)head + HEAD_BYTES;
}

static void free_block(kit *k, void *pointer)
{
    block_head *head = (block_head *)(void *)((char *)pointer - HEAD_BYTES);

    count_out(k, head->size);
    memset(pointer, 0xDF, head->size);
    head->magic = 0;
    free(head);
}

static void *resize(void *context, void *pointer, size_t old_size, size_t new_size)
{
    kit *k = context;
    void *made;

    if (pointer == NULL) {
        CHECK_EQ(old_size, 0);
        return make_block(k, new_size);
    }
    REQUIRE(((block_head *)(void *)((char *)pointer - HEAD_BYTES))->magic == MAGIC);
    CHECK_EQ(old_size, ((block_head *)(void *)((char *)pointer - HEAD_BYTES))->size);
    if (new_size == 0) {
        free_block(k, pointer);
        return NULL;
    }
    made = make_block(k, new_size);
    if (made == NULL) return NULL;
    memcpy(made, pointer, old_size < new_size ? old_size : new_size);
    free_block(k, pointer);
    return made;
}

const iso_allocator *kit_allocator(kit *k)
{
    return &k->allocator;
}

kit_memory kit_memory_now(kit *k)
{
    kit_memory now;

    iso__sys_mutex_lock(&k->lock);
    now = k->memory;
    iso__sys_mutex_unlock(&k->lock);
    return now;
}

void kit_fail_allocation(kit *k, uint64_t nth, bool from_then_on)
{
    iso__sys_mutex_lock(&k->lock);
    k->fail_after = nth;
    k->fails_on = from_then_on;
    iso__sys_mutex_unlock(&k->lock);
}

/* ---- the log ---- */

void kit_logger(void *context, iso_log_level level, const char *message)
{
    kit *k = context;

    (void)level;
    iso__sys_mutex_lock(&k->lock);
    if (k->line_count < LINES) {
        log_line *line = &k->lines[k->line_count++];
        (void)snprintf(line->text, sizeof(line->text), "%s", message);
        line->is_expected = false;
    } else {
        k->lines_lost++;
    }
    iso__sys_mutex_unlock(&k->lock);
}

int kit_log_count(kit *k, const char *part)
{
    int count = 0;
    int at;

    iso__sys_mutex_lock(&k->lock);
    for (at = 0; at < k->line_count; at++) {
        if (strstr(k->lines[at].text, part) == NULL) continue;
        k->lines[at].is_expected = true;
        count++;
    }
    iso__sys_mutex_unlock(&k->lock);
    return count;
}

bool kit_logged(kit *k, const char *part)
{
    return kit_log_count(k, part) > 0;
}

/* ---- loops ---- */

iso_loop_options kit_options(kit *k)
{
    iso_loop_options options = ISO_LOOP_OPTIONS_INIT;

    options.allocator = &k->allocator;
    options.logger = kit_logger;
    options.logger_context = k;
    return options;
}

iso_loop_statistics kit_statistics(const iso_loop *loop)
{
    iso_loop_statistics now;

    iso_loop_get_statistics(loop, &now);
    return now;
}

void kit_adopt_loop(kit *k, iso_loop *loop)
{
    loop_entry *entry = &k->loops[k->loop_count++];

    REQUIRE(k->loop_count <= LOOPS);
    entry->loop = loop;
    entry->registered = kit_statistics(loop).registered;
    entry->is_virtual = false;
}

iso_loop *kit_loop_with(kit *k, const iso_loop_options *options)
{
    iso_loop *loop = NULL;

    REQUIRE_OK(iso_loop_new(&loop, options));
    kit_adopt_loop(k, loop);
    return loop;
}

iso_loop *kit_loop(kit *k)
{
    iso_loop_options options = kit_options(k);

    return kit_loop_with(k, &options);
}

iso_loop *kit_native_loop(kit *k)
{
    iso_loop_options options = kit_options(k);

    options.limits = "native";
    return kit_loop_with(k, &options);
}

static loop_entry *entry_of(kit *k, const iso_loop *loop)
{
    int at;

    for (at = 0; at < k->loop_count; at++) {
        if (k->loops[at].loop == loop) return &k->loops[at];
    }
    return NULL;
}

static void release_entry(kit *k, loop_entry *entry)
{
    if (entry->loop == NULL) return;
    if (!kit_has_failed(k)) { /* else it would only say so again */
        iso_loop_statistics now = kit_statistics(entry->loop);

        CHECK_EQ(now.objects, 0);
        if (!iso_loop_is_closed(entry->loop)) CHECK_EQ(now.registered, entry->registered);
    }
    iso_loop_release(entry->loop);
    entry->loop = NULL;
}

void kit_release_loop(kit *k, iso_loop *loop)
{
    loop_entry *entry = entry_of(k, loop);

    REQUIRE(entry != NULL);
    release_entry(k, entry);
}

void kit_forget_loop(kit *k, iso_loop *loop)
{
    loop_entry *entry = entry_of(k, loop);

    REQUIRE(entry != NULL);
    entry->loop = NULL;
}

int kit_turn(kit *k, iso_loop *loop)
{
    int count = iso_loop_run_once(loop, 0);

    (void)k;
    CHECK_GE(count, 0);
    return count;
}

void kit_settle(kit *k, iso_loop *loop)
{
    int left = 10000;

    while (left-- > 0 && kit_turn(k, loop) > 0) {}
    CHECK(left > 0);
}

/* The end of patience: a virtual hour costs nothing. */
static iso_nsec patience_for(kit *k, const iso_loop *loop)
{
    const loop_entry *entry = entry_of(k, loop);

    return entry != NULL && entry->is_virtual ? ISO_S(3600) : GENEROUS;
}

static void give_up(iso_loop *loop, void *arg)
{
    *(bool *)arg = true;
    (void)iso_loop_stop(loop);
}

int kit_run(kit *k, iso_loop *loop, iso_future *future)
{
    bool gave_up = false;
    iso_handle handle;
    int rc;

    REQUIRE_OK(iso_loop_call_later(loop, patience_for(k, loop), give_up, &gave_up, &handle));
    rc = iso_loop_run_until_complete(loop, future);
    (void)iso_handle_cancel(loop, handle);
    kit_check(!gave_up, __FILE__, __LINE__, "the future was done in time");
    return rc;
}

int kit_run_release(kit *k, iso_loop *loop, iso_future *future)
{
    int rc = kit_run(k, loop, future);

    iso_future_release(future);
    return rc;
}

bool kit_run_until(kit *k, iso_loop *loop, const int *counter, int wanted)
{
    bool gave_up = false;
    iso_handle handle;

    REQUIRE_OK(iso_loop_call_later(loop, patience_for(k, loop), give_up, &gave_up, &handle));
    while (*counter < wanted && !gave_up) {
        if (!CHECK_GE(iso_loop_run_once(loop, ISO_FOREVER), 0)) break;
    }
    (void)iso_handle_cancel(loop, handle);
    return kit_check_int(*counter, ">=", wanted, __FILE__, __LINE__, "what was waited for");
}

/* ---- backends and pollers ---- */

static const char *environment(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

const char *kit_backend(const kit *k)
{
    const iso_backend *backends;
    size_t count = iso_backends(&backends);
    const char *chosen = environment("ISOLOOP_LOOP");
    size_t at;

    (void)k;
    for (at = 0; chosen == NULL && at < count; at++) {
        if (backends[at].is_default) chosen = backends[at].name;
    }
    return chosen;
}

const iso__poller *kit_poller(const kit *k)
{
    const char *name = environment("ISOLOOP_TEST_POLLER");
    const char *backend = kit_backend(k);
    const iso__poller *poller;

    if (name == NULL && strncmp(backend, "selector:", 9) == 0) name = backend + 9;
    poller = iso__poller_find(name);
    REQUIRE(poller != NULL);
    return poller;
}

iso_selector *kit_selector(kit *k)
{
    iso_selector *selector = NULL;

    REQUIRE_OK(iso__selector_open(&selector, kit_poller(k)->name, &k->allocator));
    return selector;
}

/* ---- virtual time ---- */

/* The turn of the driver that there is, but for the waiting. */
static int virtual_turn(iso__driver *driver, iso_nsec timeout)
{
    kit *k = driver->engine->clock.context;
    kit_clock *clock = &k->clock;
    iso_nsec first = timeout < clock->patience ? timeout : clock->patience;
    int count;

    clock->waits++;
    clock->last_timeout = timeout;
    if (timeout == ISO_FOREVER) first = ISO_FOREVER;
    count = k->real_driver->turn(driver, first);
    if (count != 0 || timeout == 0 || timeout == ISO_FOREVER) return count;
    clock->jumps++;
    clock->now += timeout;
    return k->real_driver->turn(driver, 0);
}

static iso_nsec virtual_now(void *context)
{
    return ((kit *)context)->clock.now;
}

iso_clock kit_virtual_clock(kit *k)
{
    iso_clock clock = { virtual_now, 1, k };

    return clock;
}

kit_clock *kit_clock_of(kit *k)
{
    return &k->clock;
}

void kit_advance(kit *k, iso_nsec span)
{
    k->clock.now += span;
}

iso_loop *kit_virtual_loop(kit *k)
{
    iso_loop_options options = kit_options(k);
    iso_clock clock = kit_virtual_clock(k);
    iso_loop *loop;

    options.clock = &clock;
    loop = kit_loop_with(k, &options);
    k->real_driver = loop->engine.driver->kind;
    k->virtual_driver = *k->real_driver;
    k->virtual_driver.turn = virtual_turn;
    loop->engine.driver->kind = &k->virtual_driver;
    entry_of(k, loop)->is_virtual = true;
    return loop;
}

iso_nsec kit_now(void)
{
    return iso__sys_clock_now();
}

/* ---- descriptors ---- */

iso_fd kit_own(kit *k, iso_fd fd)
{
    REQUIRE(k->descriptor_count < DESCRIPTORS);
    k->descriptors[k->descriptor_count++] = fd;
    return fd;
}

iso_fd kit_give(kit *k, iso_fd fd)
{
    int at;

    for (at = k->descriptor_count - 1; at >= 0; at--) {
        if (k->descriptors[at] != fd) continue;
        k->descriptors[at] = k->descriptors[--k->descriptor_count];
        return fd;
    }
    REQUIRE(!"the kit has this descriptor");
    return fd;
}

static void close_any(iso_fd fd)
{
    if (iso__sys_descriptor_kind(fd) == ISO__DESCRIPTOR_SOCKET)
        (void)iso__sys_socket_close(fd);
    else
        kit_os_close(fd);
}

void kit_close(kit *k, iso_fd fd)
{
    close_any(kit_give(k, fd));
}

void kit_pair(kit *k, iso_fd out[2])
{
    REQUIRE_OK(iso__sys_socketpair(out));
    (void)kit_own(k, out[0]);
    (void)kit_own(k, out[1]);
}

static iso_fd bound_socket(kit *k, iso_address *address)
{
    iso_address any;
    iso_fd fd = ISO_FD_NONE;

    REQUIRE_OK(iso__sys_socket_open(&fd, 4));
    (void)kit_own(k, fd);
    REQUIRE_OK(iso_address_parse(&any, "127.0.0.1", 0));
    REQUIRE_OK(iso__sys_socket_bind(fd, &any));
    if (address != NULL) REQUIRE_OK(iso__sys_socket_sockname(fd, address));
    return fd;
}

iso_fd kit_listen(kit *k, iso_address *address)
{
    iso_fd fd = bound_socket(k, address);

    REQUIRE_OK(iso__sys_socket_listen(fd, 100));
    return fd;
}

void kit_dead_address(kit *k, iso_address *address)
{
    (void)bound_socket(k, address);
}

iso_fd kit_connect(kit *k, const iso_address *address)
{
    iso_fd fd = ISO_FD_NONE;
    int rc;

    REQUIRE_OK(iso__sys_socket_open(&fd, iso_address_version(address)));
    (void)kit_own(k, fd);
    rc = iso__sys_socket_connect(fd, address);
    if (rc != ISO_EINPROGRESS) REQUIRE_OK(rc);
    return fd;
}

iso_fd kit_accept(kit *k, iso_fd listener)
{
    iso_fd fd = ISO_FD_NONE;
    int rc;

    while ((rc = iso__sys_socket_accept(listener, &fd, NULL)) == ISO_EAGAIN)
        kit_await(k, listener, ISO_EVENT_READ);
    REQUIRE_OK(rc);
    return kit_own(k, fd);
}

void kit_pipe(kit *k, iso_fd out[2])
{
    REQUIRE_OK(kit_os_pipe(out));
    (void)kit_own(k, out[0]);
    (void)kit_own(k, out[1]);
}

iso_fd kit_regular_file(kit *k)
{
    iso_fd fd = ISO_FD_NONE;

    REQUIRE_OK(kit_os_open_regular_file(&fd));
    return kit_own(k, fd);
}

iso_fd kit_file(kit *k, const void *data, size_t size)
{
    iso_fd fd = kit_regular_file(k);

    REQUIRE_OK(kit_os_write(fd, data, size));
    REQUIRE_OK(kit_os_rewind(fd));
    return fd;
}

iso_fd kit_device(kit *k)
{
    iso_fd fd = ISO_FD_NONE;

    REQUIRE_OK(kit_os_open_device(&fd));
    return kit_own(k, fd);
}

/* By poll where there is one: it needs no descriptor of its own. */
void kit_await(kit *k, iso_fd fd, unsigned events)
{
    iso_selector *selector;
    iso_selector_event event;

    (void)k;
    REQUIRE_OK(iso_selector_new(&selector, iso__poller_find("poll") != NULL ? "poll" : NULL));
    REQUIRE_OK(iso_selector_register(selector, fd, events, NULL));
    REQUIRE(iso_selector_select(selector, GENEROUS, &event, 1) == 1);
    iso_selector_close(selector);
}

void kit_send(kit *k, iso_fd fd, const void *data, size_t size)
{
    const char *at = data;

    while (size > 0) {
        ptrdiff_t sent = iso__sys_socket_send(fd, at, size);

        if (sent == ISO_EAGAIN) {
            kit_await(k, fd, ISO_EVENT_WRITE);
            continue;
        }
        REQUIRE(sent > 0);
        at += sent;
        size -= (size_t)sent;
    }
}

ptrdiff_t kit_recv(kit *k, iso_fd fd, void *data, size_t size)
{
    size_t count = 0;

    while (count < size) {
        ptrdiff_t got = iso__sys_socket_recv(fd, (char *)data + count, size - count);

        if (got == ISO_EAGAIN) {
            kit_await(k, fd, ISO_EVENT_READ);
            continue;
        }
        if (got < 0) return got;
        if (got == 0) break;
        count += (size_t)got;
    }
    return (ptrdiff_t)count;
}

void kit_poke(kit *k, iso_fd fd)
{
    (void)k;
    if (iso__sys_descriptor_kind(fd) == ISO__DESCRIPTOR_SOCKET)
        REQUIRE(iso__sys_socket_send(fd, "!", 1) == 1);
    else
        REQUIRE_OK(kit_os_write(fd, "!", 1));
}

size_t kit_fill(kit *k, iso_fd fd)
{
    static const char zeros[65536];
    size_t count = 0;
    ptrdiff_t sent;

    (void)k;
    while ((sent = iso__sys_socket_send(fd, zeros, sizeof(zeros))) > 0) count += (size_t)sent;
    REQUIRE_OK(sent == ISO_EAGAIN ? 0 : (int)sent);
    return count;
}

iso_fd kit_duplicate_above(kit *k, iso_fd fd, iso_fd lowest)
{
    iso_fd made = ISO_FD_NONE;
    int rc = kit_os_duplicate_above(fd, lowest, &made);

    if (rc == ISO_ENOTSUP) return ISO_FD_NONE;
    REQUIRE_OK(rc);
    return kit_own(k, made);
}

bool kit_tie_to_a_port(kit *k, iso_fd fd)
{
    int rc = kit_os_tie_to_a_port(fd);

    (void)k;
    if (rc == ISO_ENOTSUP) return false;
    REQUIRE_OK(rc);
    return true;
}

bool kit_allow_descriptors(kit *k, int count)
{
    return kit_os_allow_descriptors(count) == 0 || kit_skip(k, "process.descriptors");
}

bool kit_exhaust(kit *k)
{
    int rc = kit_os_exhaust();

    if (rc == ISO_ENOTSUP) return kit_skip(k, "process.descriptors");
    REQUIRE_OK(rc);
    k->is_exhausted = true;
    return true;
}

void kit_replenish(kit *k)
{
    if (k->is_exhausted) kit_os_replenish();
    k->is_exhausted = false;
}

/* ---- threads ---- */

void kit_thread(kit *k, void (*run)(void *arg), void *arg)
{
    REQUIRE(k->thread_count < THREADS);
    REQUIRE_OK(iso__sys_thread_start(&k->threads[k->thread_count], run, arg));
    k->thread_count++;
}

void kit_join_all(kit *k)
{
    while (k->thread_count > 0) iso__sys_thread_join(k->threads[--k->thread_count]);
}

struct kit_gate {
    kit_os_gate *native;
};

kit_gate *kit_gate_new(kit *k)
{
    kit_gate *gate = malloc(sizeof(*gate));

    REQUIRE(gate != NULL);
    gate->native = kit_os_gate_new();
    REQUIRE(gate->native != NULL);
    REQUIRE(k->gate_count < GATES);
    k->gates[k->gate_count++] = gate;
    return gate;
}

void kit_gate_open(kit_gate *gate)
{
    kit_os_gate_open(gate->native);
}

void kit_gate_wait(kit_gate *gate)
{
    REQUIRE(kit_os_gate_wait(gate->native, GENEROUS));
}

/* ---- the rest ---- */

void kit_setenv(kit *k, const char *name, const char *value)
{
    const char *before = getenv(name);
    variable *entry = &k->variables[k->variable_count++];

    REQUIRE(k->variable_count <= VARIABLES);
    (void)snprintf(entry->name, sizeof(entry->name), "%s", name);
    (void)snprintf(entry->value, sizeof(entry->value), "%s", before != NULL ? before : "");
    entry->was_there = before != NULL;
    kit_os_setenv(name, value);
}

bool kit_is_wine(void)
{
    return kit_os_is_wine();
}

/* xorshift64*, Marsaglia 2003 and Vigna 2016. */
uint32_t kit_random(kit *k)
{
    k->random ^= k->random >> 12;
    k->random ^= k->random << 25;
    k->random ^= k->random >> 27;
    return (uint32_t)((k->random * UINT64_C(0x2545F4914F6CDD1D)) >> 32);
}

uint32_t kit_random_below(kit *k, uint32_t bound)
{
    return (uint32_t)(((uint64_t)kit_random(k) * bound) >> 32);
}

/* ---- one case ---- */

/* Where the random numbers begin; not 0. */
static uint64_t choose_seed(void)
{
    const char *text = environment("ISOLOOP_TEST_SEED");
    uint64_t seed = text != NULL ? strtoull(text, NULL, 10) : 0;

    return UINT64_C(0x9E3779B97F4A7C15) * (2 * seed + 1);
}

static kit *begin_case(const kit_case *test)
{
    kit *k = calloc(1, sizeof(*k));

    if (k == NULL) {
        printf("no memory for the kit\n");
        exit(EXIT_FAILURE);
    }
    current = k;
    k->test = test;
    k->allocator.resize = resize;
    k->allocator.context = k;
    k->clock.now = ISO_S(1000);
    k->random = choose_seed();
    iso__sys_mutex_init(&k->lock);
    k->descriptors_before = kit_os_count_descriptors();
    return k;
}

/* Give back all that the kit made. */
static void give_back(kit *k)
{
    int at;

    kit_fail_allocation(k, 0, false);
    kit_replenish(k);
    for (at = 0; kit_has_failed(k) && at < k->gate_count; at++) kit_gate_open(k->gates[at]);
    kit_join_all(k);
    for (at = k->loop_count - 1; at >= 0; at--) release_entry(k, &k->loops[at]);
    for (at = k->descriptor_count - 1; at >= 0; at--) {
        kit_check(iso__sys_descriptor_kind(k->descriptors[at]) != ISO__DESCRIPTOR_BAD, __FILE__,
                  __LINE__, "a descriptor of the kit's was closed by somebody else");
        close_any(k->descriptors[at]);
    }
    for (at = k->variable_count - 1; at >= 0; at--)
        kit_os_setenv(k->variables[at].name,
                      k->variables[at].was_there ? k->variables[at].value : NULL);
    for (at = 0; at < k->gate_count; at++) {
        kit_os_gate_free(k->gates[at]->native);
        free(k->gates[at]);
    }
}

static void demand_clean(kit *k)
{
    int at;

    if (kit_has_failed(k)) return; /* what is left then is no news */
    CHECK_EQ(k->memory.blocks, 0);
    CHECK_EQ(k->memory.bytes, 0);
    CHECK_EQ(kit_os_count_descriptors(), k->descriptors_before);
    CHECK_EQ(k->lines_lost, 0);
    for (at = 0; at < k->line_count; at++) {
        if (!k->lines[at].is_expected) CHECK_STR(k->lines[at].text, "a line that was asked for");
    }
}

typedef enum outcome { OUTCOME_OK, OUTCOME_FAILED, OUTCOME_SKIPPED } outcome;

static outcome run_case(const kit_case *test)
{
    kit *k = begin_case(test);
    outcome result = OUTCOME_OK;

    test->run(k);
    give_back(k);
    demand_clean(k);
    if (kit_has_failed(k)) {
        k->next_failed = first_failed;
        first_failed = k;
        return OUTCOME_FAILED;
    }
    if (k->is_skipped)
        result = OUTCOME_SKIPPED;
    else
        printf("ok      %s\n", test->name);
    (void)fflush(stdout);
    current = NULL;
    iso__sys_mutex_close(&k->lock);
    free(k);
    return result;
}

/* ---- the program ---- */

typedef struct watchdog {
    kit_os_gate *end;
    iso_nsec timeout;
    iso__thread thread;
} watchdog;

static void watch(void *arg)
{
    const watchdog *self = arg;
    const kit *k;

    if (kit_os_gate_wait(self->end, self->timeout)) return;
    k = current;
    printf("FAILED  %s  did not end: the program ran for %d seconds\n",
           k != NULL ? k->test->name : "the kit", (int)(self->timeout / ISO_S(1)));
    (void)fflush(stdout);
    _Exit(EXIT_HUNG);
}

/* A little less than CTest gives, so that it is said who hangs. */
static iso_nsec time_given(void)
{
    const char *text = environment("ISOLOOP_TEST_TIMEOUT");
    long seconds = text != NULL ? strtol(text, NULL, 10) : DEFAULT_TIMEOUT_S;

    return seconds > 0 ? ISO_MS(950) * seconds : ISO_S(DEFAULT_TIMEOUT_S);
}

static void start_watchdog(watchdog *self)
{
    self->end = kit_os_gate_new();
    self->timeout = time_given();
    if (self->end != NULL && iso__sys_thread_start(&self->thread, watch, self) == 0) return;
    printf("no watchdog can be started\n");
    exit(EXIT_FAILURE);
}

static void end_watchdog(watchdog *self)
{
    kit_os_gate_open(self->end);
    iso__sys_thread_join(self->thread);
    kit_os_gate_free(self->end);
}

typedef struct wishes {
    long repeat;
    bool only_list;
    int filter_count;
    char **filters; /* the rest of argv */
} wishes;

static wishes read_arguments(int argc, char **argv)
{
    wishes wanted = { 1, false, 0, NULL };
    int at = 1;

    if (at < argc && strcmp(argv[at], "--list") == 0) {
        wanted.only_list = true;
        at++;
    }
    if (at + 1 < argc && strcmp(argv[at], "--repeat") == 0) {
        wanted.repeat = strtol(argv[at + 1], NULL, 10);
        at += 2;
    }
    wanted.filters = argv + at;
    wanted.filter_count = argc - at;
    return wanted;
}

static bool is_wanted(const wishes *wanted, const kit_case *test)
{
    int at;

    for (at = 0; at < wanted->filter_count; at++) {
        if (strstr(test->name, wanted->filters[at]) != NULL) return true;
    }
    return wanted->filter_count == 0;
}

/* The running system may lack what a backend needs that was compiled in: an older kernel, or a
 * container that forbids it. Nothing can be tested then, and that is said. */
static bool is_backend_there(void)
{
    const char *chosen = environment("ISOLOOP_LOOP");
    const iso_backend *backends;
    size_t count = iso_backends(&backends);
    size_t at;

    for (at = 0; chosen != NULL && at < count; at++) {
        if (strcmp(backends[at].name, chosen) != 0 || backends[at].available ||
            !iso__backend_table[at].available)
            continue;
        printf("skipped: there is no %s: %s\n", chosen, backends[at].reason);
        return false;
    }
    return true;
}

int kit_main(int argc, char **argv, const kit_case *cases, size_t count)
{
    wishes wanted = read_arguments(argc, argv);
    int outcomes[3] = { 0, 0, 0 };
    watchdog dog;
    size_t at;

    if (!wanted.only_list && !is_backend_there()) return EXIT_SKIPPED;
    kit_os_begin();
    start_watchdog(&dog);
    while (wanted.repeat-- > 0) {
        for (at = 0; at < count; at++) {
            if (!is_wanted(&wanted, &cases[at])) continue;
            if (wanted.only_list)
                printf("%s\n", cases[at].name);
            else
                outcomes[run_case(&cases[at])]++;
        }
    }
    end_watchdog(&dog);
    if (wanted.only_list) return EXIT_SUCCESS;
    printf("%d ok, %d failed, %d skipped\n", outcomes[OUTCOME_OK], outcomes[OUTCOME_FAILED],
           outcomes[OUTCOME_SKIPPED]);
    if (outcomes[OUTCOME_FAILED] > 0) return EXIT_FAILURE;
    if (outcomes[OUTCOME_OK] > 0) return EXIT_SUCCESS;
    if (outcomes[OUTCOME_SKIPPED] > 0) return EXIT_SKIPPED;
    printf("no case has such a name\n");
    return EXIT_FAILURE;
}
