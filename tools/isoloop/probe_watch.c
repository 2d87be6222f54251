/* SPDX-License-Identifier: MIT */
#include "probe_prepare.h"
#include "probe_os.h"
#include "probe_stand.h"
#include "probe_work.h"
#include "text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- one descriptor ------------------------------------------------------------------------- */

typedef struct watch {
    iso_fd fd;
    bool is_socket;
    int reads;
    int writes;
    char byte;
} watch;

static void on_read(iso_loop *loop, void *arg)
{
    watch *mine = arg;
    char byte = '\0';
    (void)loop;
    const bool got =
        mine->is_socket ? probe_os_receive(mine->fd, &byte, 1) : probe_os_read(mine->fd, &byte, 1);
    if (got) mine->byte = byte;
    mine->reads++;
}

static void on_write(iso_loop *loop, void *arg)
{
    watch *mine = arg;
    mine->writes++;
    (void)iso_loop_remove_writer(loop, mine->fd);
}

/* fds[1] is ready to be written; then fds[0] to be read. */
static int watch_both(probe_stand *stand, bool are_sockets)
{
    watch reader = { stand->fds[0], are_sockets, 0, 0, '\0' };
    watch writer = { stand->fds[1], are_sockets, 0, 0, '\0' };
    int rc = iso_loop_add_reader(stand->loop, reader.fd, on_read, &reader);
    if (rc != 0) return stand_fail(stand, "add_reader", rc);
    rc = iso_loop_add_writer(stand->loop, writer.fd, on_write, &writer);
    if (rc == 0) rc = stand_until(stand, &writer.writes, 1);
    if (rc != 0) (void)stand_fail(stand, "add_writer", rc);
    const bool is_sent = rc == 0 && (are_sockets ? probe_os_send(writer.fd, "w", 1)
                                                 : probe_os_write(writer.fd, "w", 1));
    if (is_sent) rc = stand_until(stand, &reader.reads, 1);
    if (rc == 0 && reader.byte != 'w') rc = ISO_EIO;
    if (rc != 0) (void)stand_fail(stand, "the reader", rc);
    const int removed = iso_loop_remove_reader(stand->loop, reader.fd);
    return rc == 0 ? removed : rc;
}

int work_watch_pair(probe_stand *stand)
{
    if (prepare_pair(stand) != PROBE_READY) return ISO_EUNKNOWN;
    int rc = watch_both(stand, true);
    stand_note(stand, "a socket was watched, and a byte came");
    return rc;
}

int work_watch_pipe(probe_stand *stand)
{
    if (prepare_pipe(stand) != PROBE_READY) return ISO_EUNKNOWN;
    int rc = watch_both(stand, false);
    stand_note(stand, "a pipe was watched, and a byte came");
    return rc;
}

/* ---- devices -------------------------------------------------------------------------------- */

static int watch_device(probe_stand *stand, const probe_device *device)
{
    watch mine = { device->fd, false, 0, 0, '\0' };
    int rc = iso_loop_add_reader(stand->loop, mine.fd, on_read, &mine);
    if (rc != 0) return rc;
    if (device->poke != ISO_FD_NONE && !probe_os_write(device->poke, "d\n", 2)) rc = ISO_EIO;
    if (rc == 0) rc = stand_until(stand, &mine.reads, 1);
    const int removed = iso_loop_remove_reader(stand->loop, mine.fd);
    return rc == 0 ? removed : rc;
}

/* Whether it is a row that speaks of everything, of all that is no socket, or of every device. */
static bool is_of_all(const iso_limit *met)
{
    static const char *const ids[] = { "proactor.watch", "windows.selector.sockets_only",
                                       "macos.chardev.10_5", "macos.chardev.kqueue" };
    for (size_t i = 0; met != NULL && i < sizeof(ids) / sizeof(ids[0]); i++) {
        if (strcmp(met->id, ids[i]) == 0) return true;
    }
    return false;
}

/* The call refuses what the system refuses, by a row, and watches what the system watches. */
static int compare_device(probe_stand *stand, const probe_device *device, char *list)
{
    char text[PROBE_TEXT_SIZE];
    probe_wait wait = { .is_taken = false };
    probe_ready ready = probe_os_wait(stand->backend, device->fd, ISO_EVENT_READ, &wait);
    if (stand_want(stand, ready, device->name) != PROBE_READY) return ISO_EUNKNOWN;
    int rc = watch_device(stand, device);
    const iso_limit *met = iso_loop_last_limit(stand->loop);
    const size_t used = strlen(list);
    const bool is_same = wait.is_taken == (rc == 0) && (rc == 0 || met != NULL);
    if (is_same || (rc != 0 && is_of_all(met))) {
        snprintf(list + used, PROBE_TEXT_SIZE - used, "%s%s: %s", used == 0 ? "" : ", ",
                 device->name, rc == 0 ? "watched" : met->id);
        return 0;
    }
    snprintf(text, sizeof(text), "%s: the system says %s", device->name,
             wait.is_taken ? "yes" : wait.text);
    (void)stand_fail(stand, text, rc);
    return rc != 0 ? rc : ISO_EUNKNOWN;
}

int work_watch_devices(probe_stand *stand)
{
    char list[PROBE_TEXT_SIZE] = "";
    int rc = 0;
    for (int i = 0; i < PROBE_DEVICES && rc == 0; i++) {
        probe_device device;
        probe_ready ready = probe_os_device(i, &device);
        if (ready == PROBE_ABSENT) continue;
        if (stand_want(stand, ready, "a device") != PROBE_READY) return ISO_EUNKNOWN;
        rc = compare_device(stand, &device, list);
        probe_os_close(device.fd);
        if (device.poke != ISO_FD_NONE) probe_os_close(device.poke);
    }
    if (rc == 0) stand_note(stand, "%s", list[0] != '\0' ? list : "there is none here");
    return rc;
}

/* ---- sockets as such ------------------------------------------------------------------------ */

/* A byte for fds[0]. */
static int receive_byte(probe_stand *stand, iso_loop *loop)
{
    iso_future *future = NULL;
    char byte = '\0';
    int rc = iso_loop_sock_recv_into(loop, stand->fds[0], &byte, 1, &future);
    if (rc != 0) return stand_fail(stand, "sock_recv", rc);
    if (!probe_os_send(stand->fds[1], "s", 1)) rc = ISO_EIO;
    if (rc == 0) rc = iso_loop_run_until_complete(loop, future);
    iso_future_release(future);
    if (rc == 0 && byte != 's') rc = ISO_EIO;
    return rc == 0 ? 0 : stand_fail(stand, "a byte", rc);
}

int work_high(probe_stand *stand)
{
    if (prepare_high(stand) != PROBE_READY) return ISO_EUNKNOWN;
    int rc = receive_byte(stand, stand->loop);
    stand_note(stand, "descriptor %lld received a byte", (long long)stand->fds[0]);
    return rc;
}

/* Where there are no ports a socket that one loop has used is good for another one, too. */
static int use_elsewhere(probe_stand *stand)
{
    iso_loop_options options = ISO_LOOP_OPTIONS_INIT;
    iso_loop *other = NULL;
    options.backend = stand->backend;
    options.limits = stand->profile;
    int rc = iso_loop_new(&other, &options);
    if (rc == 0) rc = receive_byte(stand, other);
    iso_loop_release(other);
    return rc;
}

int work_shared_socket(probe_stand *stand)
{
    probe_ready ready = probe_os_tied_pair(stand->fds);
    if (ready == PROBE_ABSENT) ready = prepare_pair(stand);
    if (stand_want(stand, ready, "a socket") != PROBE_READY) return ISO_EUNKNOWN;
    stand->close_fd = iso_socket_close;
    int rc = use_elsewhere(stand);
    if (rc == 0) rc = receive_byte(stand, stand->loop);
    stand_note(stand, "two loops, one after the other, received from a socket");
    return rc;
}

/* ---- many sockets --------------------------------------------------------------------------- */

enum { MANY = 600, DESCRIPTORS_WANTED = 800 };

typedef struct many {
    int count;
    int arrived;
    iso_fd fds[MANY];
    iso_future *receiving[MANY];
    char in[MANY];
    char out[MANY];
} many;

static void on_arrival(iso_future *future, void *arg)
{
    if (iso_future_error(future) == 0) ((many *)arg)->arrived++;
}

static int receive_on_each(many *all, iso_loop *loop, int count)
{
    int rc = 0;
    while (rc == 0 && all->count < count) {
        rc = iso_socketpair(&all->fds[all->count]);
        if (rc == 0) all->count += 2;
    }
    for (int i = 0; i < all->count && rc == 0; i++) {
        rc = iso_loop_sock_recv_into(loop, all->fds[i], &all->in[i], 1, &all->receiving[i]);
        if (rc == 0) rc = iso_future_add_done_callback(all->receiving[i], on_arrival, all);
    }
    return rc;
}

/* Each sends its neighbour a byte. */
static int send_on_each(probe_stand *stand, many *all)
{
    iso_loop_statistics now;
    int rc = 0;
    iso_loop_get_statistics(stand->loop, &now);
    if (now.registered < MANY) return stand_fail(stand, "not all are registered", ISO_EUNKNOWN);
    for (int i = 0; i < all->count && rc == 0; i++) {
        all->out[i] = (char)('a' + i % 26);
        if (!probe_os_send(all->fds[i ^ 1], &all->out[i], 1)) rc = ISO_EIO;
    }
    if (rc == 0) rc = stand_until(stand, &all->arrived, all->count);
    if (rc == 0 && memcmp(all->in, all->out, (size_t)all->count) != 0) rc = ISO_EIO;
    return rc;
}

static int forget_each(probe_stand *stand, many *all)
{
    for (int i = 0; i < all->count; i++) {
        if (all->receiving[i] != NULL) (void)iso_future_cancel(all->receiving[i]);
        iso_future_release(all->receiving[i]);
    }
    const int rc = stand_settle(stand);
    for (int i = 0; i < all->count; i++) (void)iso_socket_close(all->fds[i]);
    free(all);
    return rc;
}

int work_crowd(probe_stand *stand)
{
    probe_ready ready = probe_os_allow_descriptors(DESCRIPTORS_WANTED);
    if (stand_want(stand, ready, "800 descriptors") != PROBE_READY) return ISO_EUNKNOWN;
    many *all = calloc(1, sizeof(*all));
    if (all == NULL) return stand_fail(stand, "memory", ISO_ENOMEM);
    int rc = receive_on_each(all, stand->loop, MANY);
    if (rc == 0) rc = send_on_each(stand, all);
    if (rc != 0) (void)stand_fail(stand, "600 sockets", rc);
    const int forgotten = forget_each(stand, all);
    stand_note(stand, "%d sockets were registered at once, and each received a byte", MANY);
    return rc == 0 ? forgotten : rc;
}

/* ---- what a turn costs ---------------------------------------------------------------------- */

enum { IDLE = 400, TURNS = 30 };

/* The quickest of some turns that find nothing to do. */
static iso_nsec quickest_turn(iso_loop *loop)
{
    iso_nsec best = ISO_FOREVER;
    for (int i = 0; i < TURNS; i++) {
        const iso_nsec start = iso_loop_time(loop);
        if (iso_loop_run_once(loop, 0) < 0) return ISO_FOREVER;
        const iso_nsec span = iso_loop_time(loop) - start;
        if (span < best) best = span;
    }
    return best > 0 ? best : 1;
}

/* Where the row is true, a turn costs more the more sockets idle; where not, not much more. The
 * bounds are far from what was ever measured: 10 times for poll, 1.1 for epoll. */
static int judge_grade(probe_stand *stand, iso_nsec few, iso_nsec crowded)
{
    char one[TEXT_SIZE];
    char other[TEXT_SIZE];
    const bool grows = crowded > 10 * few + ISO_US(50);
    const bool stays = crowded < few + few / 5;
    text_span(one, few);
    text_span(other, crowded);
    const bool is_borrowed = stand->is_enforced && !stand->is_own; /* from another platform */
    if (!is_borrowed && (stand->is_enforced ? stays : grows)) {
        stand_note(stand, "with 400 idle sockets a turn takes %s, without %s", other, one);
        return ISO_EUNKNOWN;
    }
    stand_note(stand, "a turn takes %s; %s with 400 idle sockets", one, other);
    return 0;
}

int work_grade(probe_stand *stand)
{
    if (iso_loop_supports(stand->loop, ISO_CAP_SCALABLE) == stand->is_enforced)
        return stand_fail(stand, "ISO_CAP_SCALABLE says otherwise", ISO_EUNKNOWN);
    probe_ready ready = probe_os_allow_descriptors(DESCRIPTORS_WANTED);
    if (stand_want(stand, ready, "800 descriptors") != PROBE_READY) return ISO_EUNKNOWN;
    many *all = calloc(1, sizeof(*all));
    if (all == NULL) return stand_fail(stand, "memory", ISO_ENOMEM);
    const iso_nsec few = quickest_turn(stand->loop);
    int rc = receive_on_each(all, stand->loop, IDLE);
    if (rc == 0)
        rc = judge_grade(stand, few, quickest_turn(stand->loop));
    else
        (void)stand_fail(stand, "400 sockets", rc);
    const int forgotten = forget_each(stand, all);
    return rc == 0 ? forgotten : rc;
}
